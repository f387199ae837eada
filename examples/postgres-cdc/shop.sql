CREATE TYPE order_status AS ENUM ('new', 'paid', 'shipped');
CREATE TABLE orders (
  id bigint PRIMARY KEY,
  customer text NOT NULL,
  status order_status NOT NULL DEFAULT 'new',
  total numeric(12, 2) NOT NULL,
  tags text[],
  note jsonb,
  ordered_at timestamptz NOT NULL DEFAULT '2024-05-01 12:00:00+02');
INSERT INTO orders (id, customer, status, total, tags, note) VALUES
  (1, 'Ada', 'new', 12.50, '{gift}', '{"door": 3}'),
  (2, 'Bob', 'paid', 99.90, NULL, NULL),
  (3, 'Cleo', 'shipped', 7.00, '{}', '[]');
