SELECT
  carrier,
  any_value(carrier_name) AS carrier_name,
  flight_date,
  count(*) AS flights,
  count(*) FILTER (NOT cancelled) AS flown,
  count(*) FILTER (cancelled) AS cancelled,
  count(*) FILTER (arrival_delay_min > ${vars.late_minutes}) AS late,
  round(avg(departure_delay_min), 2) AS departure_delay_min,
  round(avg(arrival_delay_min), 2) AS arrival_delay_min,
  max(arrival_delay_min) AS arrival_delay_min_max
FROM {df}
GROUP BY carrier, flight_date
