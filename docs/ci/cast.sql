SELECT id, total FROM orders WHERE customer_id::text = $1::int::text ORDER BY id
