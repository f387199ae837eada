SELECT
  faa AS airport,
  name AS airport_name,
  lat::DOUBLE AS latitude,
  lon::DOUBLE AS longitude,
  alt::INTEGER AS altitude_ft,
  tzone AS time_zone
FROM {df}
QUALIFY row_number() OVER (PARTITION BY faa ORDER BY _source_offset DESC) = 1
