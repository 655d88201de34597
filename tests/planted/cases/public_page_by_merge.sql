-- title: A page from the middle, by a key that only one side is limited by
-- asked: https://super-unix.com/database/postgresql-query-with-pagination-is-slow-when-using-merge-join/
-- finds: joined-in-vain
-- names: repeat the other side's range
-- [setup]
CREATE TABLE contracts (contract text PRIMARY KEY, state text NOT NULL);
CREATE TABLE contract_items (item text PRIMARY KEY, contract text NOT NULL, article text NOT NULL);
INSERT INTO contracts SELECT md5(n::text), 'active' FROM generate_series(1, 60000) n;
INSERT INTO contract_items SELECT md5('i' || n), md5(n::text), 'a1' FROM generate_series(1, 60000) n;
CREATE INDEX contract_items_contract ON contract_items (contract);
CLUSTER contracts USING contracts_pkey;
CLUSTER contract_items USING contract_items_contract;
VACUUM ANALYZE contracts, contract_items;
-- [session]
SET max_parallel_workers_per_gather = 0;
-- [query]
SELECT c.contract, i.item FROM contracts c JOIN contract_items i ON i.contract = c.contract AND i.article = 'a1' WHERE c.state = 'active' AND c.contract > 'b0000000' ORDER BY c.contract LIMIT 50
-- [query after]
SELECT c.contract, i.item FROM contracts c JOIN contract_items i ON i.contract = c.contract AND i.article = 'a1' WHERE c.state = 'active' AND c.contract > 'b0000000' AND i.contract > 'b0000000' ORDER BY c.contract LIMIT 50
