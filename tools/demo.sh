#!/usr/bin/env bash
# Runs examples/flights in build/demo and shows its result.
# usage: tools/demo.sh BINARY
set -euo pipefail
cd "$(dirname "$0")/.."
lakemill=$(realpath "$1")
flights=$(python3 tools/fetch_parts.py --print flights)
demo=$PWD/build/demo/flights
rm -rf "$demo"
mkdir -p "$demo/data"
cp -r examples/flights/. "$demo"
cp "$flights"/*.csv "$demo/data"
cd "$demo"

echo
echo "== lakemill run: 5 CSV files to bronze, silver and gold"
"$lakemill" run
echo
echo "== the destinations with the longest delays"
"$lakemill" query "SELECT * FROM main.gold.worst_airports ORDER BY arrival_delay_min DESC LIMIT 10"
echo
echo "== the carriers"
"$lakemill" query "SELECT carrier_name, sum(flights)::BIGINT AS flights,
    round(100.0 * sum(late) / sum(flown), 1) AS late_percent
  FROM main.gold.delay_by_carrier_day GROUP BY carrier_name ORDER BY late_percent DESC"
cat <<END

The tables are Delta tables: open them with Spark, pandas, Polars or DuckDB.
  $demo/lake/main/{bronze,silver,gold}/*
Go on:
  cd $demo
  $lakemill run                     # nothing is new, so nothing is done
  $lakemill table history main.silver.flights
  $lakemill query "SELECT * FROM main.silver.flights_quarantine LIMIT 5"
  $lakemill shell
END
