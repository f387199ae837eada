SELECT
  destination AS airport,
  coalesce(any_value(destination_name), '(not in the list of airports)') AS airport_name,
  count(*) AS flights,
  round(avg(arrival_delay_min), 2) AS arrival_delay_min,
  round(100 * avg((arrival_delay_min > ${vars.late_minutes})::INTEGER), 1) AS late_percent,
  round(100 * avg(cancelled::INTEGER), 1) AS cancelled_percent,
  round(100 * avg((visibility_miles < 3 OR precipitation_in > 0)::INTEGER), 1) AS bad_weather_percent
FROM {df}
GROUP BY destination
ORDER BY arrival_delay_min DESC, airport
