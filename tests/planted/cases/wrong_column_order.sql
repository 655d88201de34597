-- title: The only index begins with a column that the query does not name
-- finds: unused-index-column-order
-- names: visitor_id
-- [setup]
CREATE TABLE visits (id int NOT NULL, page text NOT NULL, visitor_id int NOT NULL);
INSERT INTO visits SELECT i, 'page ' || md5(i::text), (i * 7919::bigint) % 8000 FROM generate_series(1, 120000) i;
CREATE INDEX visits_page_visitor ON visits (page, visitor_id);
VACUUM ANALYZE visits;
-- [session]
SET max_parallel_workers_per_gather = 0;
-- [query]
SELECT id, page FROM visits WHERE visitor_id = $1;
-- [values]
typical: 4711
absent: -1
-- [follow]
CREATE INDEX ON visits (visitor_id);
