SELECT
  origin AS airport,
  time_hour::TIMESTAMPTZ AS hour_utc,
  temp::DOUBLE AS temperature_f,
  humid::DOUBLE AS humidity_percent,
  wind_dir::INTEGER AS wind_direction,
  wind_speed::DOUBLE AS wind_speed_mph,
  wind_gust::DOUBLE AS wind_gust_mph,
  precip::DOUBLE AS precipitation_in,
  pressure::DOUBLE AS pressure_mbar,
  visib::DOUBLE AS visibility_miles
FROM {df}
