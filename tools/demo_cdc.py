#!/usr/bin/env python3
"""Runs examples/shop-cdc against a PostgreSQL server of its own that is written to all the while.

usage: tools/demo_cdc.py BINARY [--seconds N]

Shows the lag on the way, and at the end the gold table; then compares silver with the source.
"""
import argparse
import pathlib
import shutil
import signal
import subprocess
import sys
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests"))
from harness.postgres_server import Server  # noqa: E402

REVENUE = """
  SELECT strftime(hour, '%d %b %H:00') AS hour, sum(orders)::BIGINT AS orders, sum(revenue) AS revenue,
    sum(revenue) FILTER (city = 'Basel') AS "Basel", sum(revenue) FILTER (city = 'Lyon') AS "Lyon",
    sum(revenue) FILTER (city = 'Porto') AS "Porto", sum(revenue) FILTER (city = 'Turku') AS "Turku"
  FROM gold.revenue_by_hour GROUP BY ALL ORDER BY min(revenue_by_hour.hour) DESC LIMIT 8"""
MOVED = """
  SELECT id, name, city, __start_at, __end_at FROM silver.customers_history
  WHERE id = (SELECT id FROM silver.customers_history GROUP BY id ORDER BY count(*) DESC, id LIMIT 1)
  ORDER BY __start_at"""
COMPARED = {"orders": "id, customer_id, status, total", "customers": "id, name, city"}


class Load(threading.Thread):
    """Round after round of load.sql."""

    def __init__(self, server: Server, sql: str):
        super().__init__(daemon=True)
        self.server, self.sql, self.rounds, self.stopped = server, sql, 0, threading.Event()

    def run(self) -> None:
        while not self.stopped.wait(0.05):
            self.server.sql(self.sql)
            self.rounds += 1

    def end(self) -> None:
        self.stopped.set()
        self.join()


def title(text: str) -> None:
    print(f"\n== {text}", flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("binary")
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--folder", default=str(ROOT / "build/demo/shop-cdc"))
    options = parser.parse_args()
    binary, folder = str(pathlib.Path(options.binary).resolve()), pathlib.Path(options.folder)
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(ROOT / "examples/shop-cdc", folder)
    server = Server()
    try:
        server.database("shop")
        server.sql((folder / "shop.sql").read_text())
        return demo(binary, folder, server, options.seconds)
    finally:
        server.remove()


def demo(binary: str, folder: pathlib.Path, server: Server, seconds: float) -> int:
    uri = ["--var", f"shop_uri={server.uri()}"]

    def lakemill(*args: str) -> None:
        subprocess.run([binary, *args], cwd=folder, check=True, stdin=subprocess.DEVNULL)

    title("PostgreSQL runs, with 200 customers and 600 orders; its customers order, pay, move and cancel")
    load = Load(server, (folder / "load.sql").read_text())
    load.start()
    title(f"lakemill run --continuous, for {seconds:.0f} seconds")
    with (folder / "run.log").open("w") as log:
        running = subprocess.Popen([binary, "run", *uri, "--continuous"], cwd=folder, stdin=subprocess.DEVNULL,
                                   stdout=log, stderr=subprocess.STDOUT)
        try:
            end = time.monotonic() + seconds
            while running.poll() is None and time.monotonic() < end:
                time.sleep(min(seconds / 4, 15))
                title("lakemill status")
                lakemill("status", *uri)
            load.end()
            time.sleep(2)  # more than the lag
            running.send_signal(signal.SIGINT)
            running.wait(120)
        finally:
            running.kill()
    if running.returncode != 0:
        print((folder / "run.log").read_text()[-3000:], file=sys.stderr)
        return 1
    lakemill("run", *uri, "--json", "--select", "revenue_by_hour")
    title("revenue by hour (gold)")
    lakemill("query", REVENUE)
    title("a customer that moved (silver, SCD 2)")
    lakemill("query", MOVED)
    title(f"after {load.rounds} rounds of load: silver beside the source")
    return 0 if all([same(binary, folder, server, table) for table in COMPARED]) else 1


def same(binary: str, folder: pathlib.Path, server: Server, table: str) -> bool:
    """Compares a silver table with its source, row by row."""
    columns = COMPARED[table]
    told = subprocess.run([binary, "query", f"SELECT {columns} FROM silver.{table} ORDER BY id", "-o", "csv"],
                          cwd=folder, check=True, capture_output=True, text=True)
    ours = told.stdout.splitlines()[1:]
    theirs = server.sql(f"COPY (SELECT {columns} FROM {table} ORDER BY id) TO STDOUT (FORMAT csv)").splitlines()
    print(f"{table}: {len(ours)} rows, {'as in the source' if ours == theirs else 'NOT as in the source'}")
    return ours == theirs


if __name__ == "__main__":
    sys.exit(main())
