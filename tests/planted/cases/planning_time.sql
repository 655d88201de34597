-- title: Nine tables joined over one key for a hundred rows: more time to find a plan than to run it
-- finds: planning-time
-- [setup]
CREATE TABLE part0 (id int PRIMARY KEY, value int NOT NULL);
INSERT INTO part0 SELECT i, i FROM generate_series(1, 100) i;
DO $$ BEGIN FOR i IN 1..8 LOOP
    EXECUTE format('CREATE TABLE part%s (id int PRIMARY KEY, value int NOT NULL)', i);
    EXECUTE format('INSERT INTO part%s SELECT i, i FROM generate_series(1, 100) i', i);
END LOOP; END $$;
ANALYZE part0, part1, part2, part3, part4, part5, part6, part7, part8;
-- [session]
SET max_parallel_workers_per_gather = 0
-- [query]
SELECT part0.id, part8.value FROM part0, part1, part2, part3, part4, part5, part6, part7, part8
WHERE part0.id = part1.id AND part1.id = part2.id AND part2.id = part3.id AND part3.id = part4.id AND part4.id = part5.id
AND part5.id = part6.id AND part6.id = part7.id AND part7.id = part8.id
-- [query after]
SELECT part0.id, part8.value FROM part0, part8 WHERE part0.id = part8.id
