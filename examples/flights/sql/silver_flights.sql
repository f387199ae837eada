-- Times of day such as 517 (5:17) become instants on the airport's own clock. What
-- really happened is the planned time and the delay, so that 2400 and flights past
-- midnight come out right.
WITH typed AS (
  SELECT
    make_date(year::INTEGER, month::INTEGER, day::INTEGER) AS flight_date,
    carrier,
    flight::INTEGER AS flight_number,
    tailnum AS tail_number,
    origin,
    dest AS destination,
    time_hour::TIMESTAMPTZ AS hour_utc,
    sched_dep_time::INTEGER AS scheduled,
    dep_delay::INTEGER AS departure_delay_min,
    arr_delay::INTEGER AS arrival_delay_min,
    air_time::INTEGER AS air_time_min,
    distance::INTEGER AS distance_miles,
    dep_time IS NULL AS cancelled
  FROM {df}
  QUALIFY row_number() OVER (
    PARTITION BY year, month, day, carrier, flight, origin, dest
    ORDER BY _source_offset DESC) = 1
)
SELECT
  * EXCLUDE (scheduled),
  scheduled // 100 AS scheduled_hour,
  flight_date + to_minutes(scheduled // 100 * 60 + scheduled % 100) AS scheduled_departure,
  scheduled_departure + to_minutes(departure_delay_min) AS departure
FROM typed
