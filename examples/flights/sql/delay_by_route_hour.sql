SELECT
  origin,
  destination,
  scheduled_hour,
  count(*) AS flights,
  count(*) FILTER (cancelled) AS cancelled,
  round(avg(departure_delay_min), 2) AS departure_delay_min,
  round(avg(arrival_delay_min), 2) AS arrival_delay_min,
  quantile_disc(arrival_delay_min, 0.9) AS arrival_delay_min_p90
FROM {df}
GROUP BY origin, destination, scheduled_hour
