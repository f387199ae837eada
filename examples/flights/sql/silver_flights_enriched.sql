SELECT
  f.*,
  l.carrier_name,
  a.airport_name AS destination_name,
  p.manufacturer,
  p.seats,
  year(f.flight_date) - p.year_built AS plane_age_years,
  w.temperature_f,
  w.wind_speed_mph,
  w.precipitation_in,
  w.visibility_miles
FROM {sources.flights} AS f
LEFT JOIN {sources.airlines} AS l ON l.carrier = f.carrier
LEFT JOIN {sources.airports} AS a ON a.airport = f.destination
LEFT JOIN {sources.planes} AS p ON p.tail_number = f.tail_number
LEFT JOIN {sources.weather} AS w ON w.airport = f.origin AND w.hour_utc = f.hour_utc
