-- title: A cache of lookups that is too small for them, since far more of them differ than was expected
-- finds: memoize-thrash
-- names: page_id
-- [setup]
CREATE TABLE pages (id int PRIMARY KEY, title text NOT NULL);
INSERT INTO pages SELECT i, repeat(md5(i::text), 6) FROM generate_series(1, 40000) i;
CREATE TABLE links (id int PRIMARY KEY, page_id int NOT NULL);
INSERT INTO links SELECT i, i * 7919::bigint % 30000 + 1 FROM generate_series(1, 90000) i;
ALTER TABLE links ALTER page_id SET (n_distinct = 60);
ANALYZE pages, links;
-- [session]
SET max_parallel_workers_per_gather = 0;
SET work_mem = '256kB'
-- [query]
SELECT max(p.title) FROM links l JOIN pages p ON p.id = l.page_id
-- [follow]
ALTER TABLE links ALTER page_id RESET (n_distinct);
ANALYZE links;
