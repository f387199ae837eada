"""Workloads of streams: a PostgreSQL database, its changes, and how soon they are seen.

No peer does the same on this machine, so each is beside the figure that was promised.
"""
import json
import os
import pathlib
import shutil
import signal
import statistics
import subprocess
import time

import duckdb
from harness.postgres_server import Server

ORDERS = """CREATE TABLE orders (id bigint PRIMARY KEY, customer_id bigint, customer text, total numeric(12,2),
  ordered_at timestamptz, shipped_at timestamp, gift boolean, items int, note text, details jsonb, token uuid, status text)"""
FILL = """INSERT INTO orders SELECT i, i % 4711, 'customer ' || i % 4711, (i % 100000) / 100.0,
  timestamptz '2024-05-01 12:00:00+00' + i * interval '1 second', timestamp '2024-05-02' + i * interval '1 second',
  i % 3 = 0, i % 9, CASE WHEN i % 4 = 0 THEN 'note ' || i END, '{"door": 3, "gift": true}',
  'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', (ARRAY['new', 'paid', 'shipped'])[i % 3 + 1] FROM generate_series(1, ROWS) i"""
PROJECT = """name: shop
root: lake
pipelines: [p.yaml]
connections: {shop: {type: POSTGRES, uri: "%s"}}
"""
BRONZE = """name: p
nodes:
- name: changes
  layer: BRONZE
  source: {connection: shop, table: public.orders}
  sink: {table_name: changes}
"""
SILVER = """- name: now
  layer: SILVER
  primary_keys: [id]
  source: {node_name: changes, as_stream: true}
  sink:
    table_name: now
    mode: MERGE
    merge_cdc_options: {delete_where: "_op = 'DELETE'", exclude_columns: [_op, _unchanged, _rescued, _source_offset,
      _source_file, _source, _ingested_at, _run_id, _batch_id]}
"""


class Shop:
    """A server with a database of its own, and a project that reads it."""

    def __init__(self, bench, pipeline: str, name: str):
        self.folder = bench.data / name
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        self.server = Server()
        self.server.database("shop")
        (self.folder / "lakemill.yaml").write_text(PROJECT % self.server.uri())
        (self.folder / "p.yaml").write_text(pipeline)

    def __enter__(self) -> "Shop":
        return self

    def __exit__(self, *_) -> None:
        self.server.remove()
        shutil.rmtree(self.folder, ignore_errors=True)


def count(bench, folder: pathlib.Path, relation: str) -> int:
    told = subprocess.run([bench.binary, "query", f"SELECT count(*) AS n FROM {relation}", "-o", "json"], cwd=folder,
                          capture_output=True, check=True)
    return int(json.loads(told.stdout)[0]["n"])


def expect_rows(found: int, wanted: int, what: str) -> None:
    if found != wanted:
        raise SystemExit(f"{what}: {found} rows, not {wanted}")


def snapshot_workload(bench, name: str, workload: dict) -> None:
    """Rows of a table that are there already, into bronze."""
    rows, limit = bench.size(workload, "rows"), workload["limits"]["rows_per_second_per_core"]
    with Shop(bench, BRONZE, name) as shop:
        shop.server.sql(ORDERS + ";" + FILL.replace("ROWS", str(rows)) + "; ANALYZE orders")
        run = bench.lakemill(shop.folder, "run", "p.yaml")
        expect_rows(count(bench, shop.folder, "bronze.changes"), rows, name)
    rate = rows / run["process"] / (os.cpu_count() or 2)
    bench.report(name, {"rows": rows, "seconds": run["process"], "rows_per_second_per_core": rate,
                        "megabytes": run["megabytes"]}, rate >= limit,
                 f"{rows:,} rows of 12 columns in {run['process']:.1f} s: {rate:,.0f} a second and core "
                 f"(at least {limit:,}), {run['megabytes']:.0f} MB")


def decode_workload(bench, name: str, workload: dict) -> None:
    """A recorded stream of pgoutput, decoded and spooled."""
    program = pathlib.Path(bench.binary).parents[1] / "sources/lakemill_decode_bench"
    if not program.is_file():
        print(f"{name:20} left out: no {program.name} beside the binary; `make bench` builds it")
        return
    rates = [json.loads(subprocess.run([program], capture_output=True, check=True).stdout)["changes_per_second"]
             for _ in range(workload["repeats"])]
    rate, limit = statistics.median(rates), workload["limits"]["changes_per_second"]
    bench.report(name, {"changes_per_second": rate}, rate >= limit,
                 f"{rate:,.0f} changes/s decoded and spooled on one core (at least {limit:,})")


def apply_workload(bench, name: str, workload: dict) -> None:
    """Changes applied as SCD 1, in several batches, to a large table."""
    rows, changes, batches = bench.size(workload, "rows"), bench.size(workload, "changes"), workload["batches"]
    folder = bench.data / name
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "in").mkdir(parents=True)
    (folder / "p.yaml").write_text("""name: p
nodes:
- name: now
  primary_keys: [id]
  source: {path: ./in, format: PARQUET, as_stream: true, max_files: 1}
  sink: {path: ./now, format: DELTA, mode: MERGE, merge_cdc_options: {order_by: seq, delete_where: op = 'D', exclude_columns: [op, seq]}}
""")
    connection = duckdb.connect()
    row = ("{key} AS id, 'customer ' || hash({key}) % 4711 AS customer, (hash({key} + {seq}) % 100000) / 100 AS total, "
           "TIMESTAMP '2024-05-01' + INTERVAL ({seq}) SECOND AS changed_at, hash({seq}) % 9 AS items, {seq} AS seq")

    def file(number: int, sql: str) -> None:
        connection.execute(f"COPY ({sql}) TO '{folder}/next' (FORMAT parquet)")
        (folder / "next").rename(folder / f"in/{number:04}.parquet")

    file(0, f"SELECT {row.format(key='i', seq='i')}, 'I' AS op FROM range({rows}) t(i)")
    load = bench.lakemill(folder, "run", "p.yaml")
    each = changes // batches
    for batch in range(batches):  # of ten changes eight update, one inserts, one deletes
        first = rows + batch * each
        file(batch + 1, "SELECT " + row.format(key="key", seq="seq") + ", op FROM (SELECT "
             f"{first} + i AS seq, CASE WHEN i % 10 = 0 THEN {first} + i ELSE (hash({first} + i) % {rows})::BIGINT END AS key, "
             f"['I', 'D', 'U', 'U', 'U', 'U', 'U', 'U', 'U', 'U'][i % 10 + 1] AS op FROM range({each}) t(i))")
    run = bench.lakemill(folder, "run", "p.yaml")
    wanted = connection.execute(
        f"SELECT count(*) FROM (SELECT arg_max(op, seq) AS op FROM '{folder}/in/*.parquet' GROUP BY id) WHERE op <> 'D'").fetchone()[0]
    expect_rows(count(bench, folder, "delta_scan('now')"), wanted, name)
    rate, limits = changes / run["process"], workload["limits"]
    bench.report(name, {"rows": rows, "changes": changes, "batches": batches, "seconds": run["process"],
                        "changes_per_second": rate, "megabytes": run["megabytes"], "load_seconds": load["process"],
                        "load_megabytes": load["megabytes"]},
                 rate >= limits["changes_per_second"] and run["megabytes"] < limits["megabytes"],
                 f"{changes:,} changes into {rows:,} rows, {batches} batches: {rate:,.0f}/s "
                 f"(at least {limits['changes_per_second']:,}), {run['megabytes']:.0f} MB; load {load['process']:.1f} s")
    shutil.rmtree(folder, ignore_errors=True)


# Twenty changes to a transaction, a hundred transactions a second.
WORK = """CREATE PROCEDURE work(rounds int, rows int) LANGUAGE plpgsql AS $$
DECLARE begun timestamptz := clock_timestamp();
BEGIN
  FOR i IN 1..rounds LOOP
    UPDATE orders SET items = items + 1, ordered_at = clock_timestamp()
      WHERE id = ANY (ARRAY(SELECT 1 + floor(random() * rows)::bigint FROM generate_series(1, 20)));
    COMMIT;
    PERFORM pg_sleep(extract(epoch FROM begun + i * interval '10 milliseconds' - clock_timestamp()));
  END LOOP;
END $$"""


def cpu_seconds(pid: int) -> float:
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def latencies(table: pathlib.Path, since: float) -> list[float]:
    """Seconds from the change of a row to the commit of the table that shows it."""
    connection = duckdb.connect()
    found, known = [], set()
    for log in sorted((table / "_delta_log").glob("*.json")):
        visible = log.stat().st_mtime
        adds = [action["add"] for action in map(json.loads, log.read_text().splitlines()) if "add" in action]
        # A file that loses rows is added again; its other rows were seen before.
        files = [str(table / add["path"]) for add in adds if add["dataChange"] and add["path"] not in known]
        known.update(add["path"] for add in adds)
        if visible > since and files:
            found += [visible - at for (at,) in connection.execute(
                f"SELECT epoch(ordered_at) FROM read_parquet({files}) WHERE epoch(ordered_at) > {since}").fetchall()]
    return found


def latency_workload(bench, name: str, workload: dict) -> None:
    """From a commit in PostgreSQL to the table that shows it; then a pipeline that idles."""
    rows, seconds, limits = bench.size(workload, "rows"), bench.size(workload, "seconds"), workload["limits"]
    with Shop(bench, BRONZE + SILVER, name) as shop:
        shop.server.sql(ORDERS + ";" + FILL.replace("ROWS", str(rows)) + ";" + WORK)
        bench.lakemill(shop.folder, "run", "p.yaml")
        running = subprocess.Popen([bench.binary, "run", "p.yaml", "--continuous"], cwd=shop.folder,
                                   stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            time.sleep(3)
            begin = time.time()
            shop.server.sql(f"CALL work({seconds * 100}, {rows})")
            took = time.time() - begin
            time.sleep(5)
            before, idle_from = cpu_seconds(running.pid), time.monotonic()
            time.sleep(10)
            idle = (cpu_seconds(running.pid) - before) / (time.monotonic() - idle_from)
            running.send_signal(signal.SIGINT)
            running.wait(120)
        finally:
            running.kill()
        found = sorted(latencies(shop.folder / "lake/main/silver/now", begin))
        held = shop.server.sql("SELECT sum(items) FROM orders")
        told = subprocess.run([bench.binary, "query", "SELECT sum(items)::BIGINT AS n FROM silver.now", "-o", "json"],
                              cwd=shop.folder, capture_output=True, check=True)
        expect_rows(int(json.loads(told.stdout)[0]["n"]), int(held), f"{name}: sums of silver and source")
    p50, p99 = found[len(found) // 2], found[len(found) * 99 // 100]
    bench.report(name, {"rows": rows, "changes_per_second": seconds * 2000 / took, "p50": p50, "p99": p99, "idle_cores": idle,
                        "seen": len(found)},
                 p50 < limits["p50"] and p99 < limits["p99"] and idle < limits["idle_cores"],
                 f"{seconds * 2000 / took:,.0f} changes/s into {rows:,} rows: seen after {p50 * 1000:.0f} ms at p50 "
                 f"(limit {limits['p50'] * 1000:.0f}), {p99 * 1000:.0f} ms at p99 (limit {limits['p99'] * 1000:.0f}); "
                 f"idle {100 * idle:.2f} % of a core (limit {100 * limits['idle_cores']:.0f})")


KINDS = {"snapshot": snapshot_workload, "decode": decode_workload, "apply": apply_workload, "latency": latency_workload}
