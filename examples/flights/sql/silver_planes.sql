SELECT
  tailnum AS tail_number,
  year::INTEGER AS year_built,
  type,
  manufacturer,
  model,
  engines::INTEGER AS engines,
  seats::INTEGER AS seats,
  engine AS engine_type
FROM {df}
QUALIFY row_number() OVER (PARTITION BY tailnum ORDER BY _source_offset DESC) = 1
