SELECT
  op,
  order_id,
  customer,
  status,
  amount,
  changed_at::TIMESTAMP AS changed_at
FROM {df}
