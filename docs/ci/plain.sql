SELECT id, total FROM orders WHERE customer_id = $1 ORDER BY id
