-- One round of a shop's customers: they order, pay, move, and cancel what was not paid.
INSERT INTO orders (customer_id, total, tags)
  SELECT id, round((random() * 200)::numeric, 2), CASE WHEN random() < 0.2 THEN ARRAY['gift'] END
  FROM customers WHERE random() < 0.05;
BEGIN;
UPDATE orders SET status = 'shipped' WHERE status = 'paid' AND random() < 0.05;
UPDATE orders SET status = 'paid' WHERE status = 'new' AND random() < 0.2;
COMMIT;
UPDATE customers SET city = (ARRAY['Basel', 'Lyon', 'Porto', 'Turku'])[1 + floor(random() * 4)]
  WHERE random() < 0.01;
DELETE FROM orders WHERE status = 'new' AND random() < 0.02;
