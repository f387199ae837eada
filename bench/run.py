#!/usr/bin/env python3
"""Benchmarks side by side with peers, as ratios.

usage: bench/run.py [--lakemill BINARY] [--quick] [--only NAME …] [--repeats N] [--data FOLDER]

The workloads are data: bench/workloads/*.yaml. In each, the sides take turns, so that a
busy moment of the machine meets both; medians and the largest memory are shown, and a
line per workload is added to bench/history.ndjson.
"""
import argparse
import datetime
import json
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests"))
sys.path.insert(0, str(ROOT / "bench"))
from harness import environment  # noqa: E402

environment.enter()

import duckdb  # noqa: E402
import peers  # noqa: E402
import streams  # noqa: E402
import yaml  # noqa: E402

MEMORY = "4GB"
THREADS = os.cpu_count() or 2


def measured(command: list[str], cwd: pathlib.Path) -> dict:
    """Runs a process: seconds, megabytes at its peak, and what it printed as JSON."""
    with tempfile.NamedTemporaryFile() as result:
        process = subprocess.run(
            [sys.executable, "-I", "-S", str(ROOT / "bench/measured.py"), result.name, *command], cwd=cwd,
            capture_output=True, text=True, errors="replace", stdin=subprocess.DEVNULL, check=False)
        found = json.loads(result.read() or "{}")
    if found.get("status") != 0:
        sys.exit(f"{' '.join(command)[:300]}\nended with {found.get('status')}: "
                 f"{process.stdout[-1500:]}{process.stderr[-1500:]}")
    text = process.stdout
    told = json.loads(text) if text.startswith("{") and text.count("\n") <= 1 else {}
    return {"process": found["seconds"], "megabytes": found["megabytes"], "told": told}


class Side:
    """One competitor: how it is made ready, and its runs."""

    def __init__(self, name: str, run):
        self.name, self.run, self.runs = name, run, []

    def median(self, inner: bool = False) -> float:
        return statistics.median(
            r["told"].get("seconds", r["process"]) if inner else r["process"] for r in self.runs)

    def megabytes(self) -> float:
        return max(r["megabytes"] for r in self.runs)


class Bench:
    """The options of a run, and what it found."""

    def __init__(self, options: argparse.Namespace):
        self.options = options
        self.binary = str(pathlib.Path(options.lakemill).resolve())
        self.data = pathlib.Path(options.data)
        self.data.mkdir(parents=True, exist_ok=True)
        self.lines: list[dict] = []

    def size(self, workload: dict, key: str) -> int:
        return workload["quick_" + key if self.options.quick else key]

    def lakemill(self, folder: pathlib.Path, *args: str) -> dict:
        return measured([self.binary, *args], folder)

    def peer(self, name: str, **arguments) -> dict:
        return measured([sys.executable, str(ROOT / "bench/peers.py"), name, json.dumps(arguments)],
                        self.data)

    def take_turns(self, sides: list[Side], repeats: int) -> None:
        for i in range(repeats):
            for side in sides if i % 2 == 0 else reversed(sides):
                side.runs.append(side.run())

    def report(self, name: str, figures: dict, holds: bool, what: str) -> None:
        print(f"{name:20} {what}   {'holds' if holds else 'DOES NOT HOLD'}", flush=True)
        self.lines.append({"workload": name, "quick": self.options.quick, "holds": holds, **figures})


def fresh(folder: pathlib.Path) -> pathlib.Path:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


# --- the whole path beside COPY --------------------------------------------------------

COPY_PIPELINE = """name: overhead
engine: {{memory_limit: {memory}, threads: {threads}}}
nodes:
- name: n
  sources: [{source}]
  transformer:
    nodes:
    - expr: SELECT id, country, amount, quantity, day::DATE AS day, trim(name) AS name, flag FROM {{df}}
    - expr: >-
        SELECT id, upper(country) AS country, amount * quantity AS total, quantity,
        round(amount, 2) AS amount, day, day + 30 AS due, name FROM {{df}}
  expectations:
  - {{name: id, expr: "{p[0]}", action: QUARANTINE}}
  - {{name: quantity, expr: "{p[1]}", action: QUARANTINE}}
  - {{name: total, expr: "{p[2]}", action: QUARANTINE}}
  sinks: [{{path: ./out, format: DELTA}}, {{path: ./quarantine, format: DELTA, is_quarantine: true}}]
"""


def copy_workload(bench: Bench, name: str, workload: dict) -> None:
    rows = bench.size(workload, "rows")
    csv, parquet = bench.data / f"rows-{rows}.csv", bench.data / f"rows-{rows}.parquet"
    connection = duckdb.connect()
    if not csv.exists():
        peers.generate(connection, rows, f"{csv}.tmp", str(parquet))
        pathlib.Path(f"{csv}.tmp").rename(csv)
    given = csv if workload["input"] == "csv" else parquet
    folder, target = bench.data / "overhead", bench.data / "copied"
    schema = ", ".join(f"{k}: {v.lower()}" for k, v in peers.COLUMNS.items())
    source = f"{{path: ./in.csv, format: CSV, schema: {{{schema}}}}}" if workload["input"] == "csv" \
        else "{path: ./in.parquet, format: PARQUET}"

    def ours() -> dict:
        fresh(folder)
        os.link(given, folder / f"in.{workload['input']}")
        (folder / "p.yaml").write_text(COPY_PIPELINE.format(
            memory=MEMORY, threads=THREADS, source=source, p=peers.PREDICATES))
        return bench.lakemill(folder, "run", "p.yaml")

    ours()  # tells which files it writes, so that the peer writes the same kind
    files = f"{folder}/out/*.parquet"
    codec, group = connection.execute(
        f"SELECT any_value(compression), max(row_group_num_rows) FROM parquet_metadata('{files}')").fetchone()
    kept = connection.execute(f"SELECT count(*) FROM '{files}'").fetchone()[0]
    aside = connection.execute(f"SELECT count(*) FROM '{folder}/quarantine/*.parquet'").fetchone()[0]
    if kept + aside != rows:
        sys.exit(f"{name}: {kept} kept + {aside} quarantined, of {rows} rows")
    file_bytes = max(path.stat().st_size for path in (folder / "out").glob("*.parquet"))
    group = min(1 << 20, max(2048, (group + 2047) // 2048 * 2048))

    def theirs() -> dict:
        shutil.rmtree(target, ignore_errors=True)
        return bench.peer("duckdb_copy", source=str(given), target=str(target), codec=codec.lower(),
                          row_group=group, file_bytes=max(file_bytes, 1 << 24), memory=MEMORY, threads=THREADS)

    sides = [Side("lakemill", ours), Side("duckdb COPY", theirs)]
    bench.take_turns(sides, workload["repeats"])
    found = connection.execute(f"SELECT count(*) FROM '{target}/*.parquet'").fetchone()[0]
    if found != kept:
        sys.exit(f"{name}: DuckDB's copy has {found} rows, ours {kept}")
    a, b = sides[0].median(), sides[1].median(inner=True)
    limit = workload["limits"]["ratio"]
    bench.report(name, {
        "rows": rows, "seconds": a, "peer_seconds": b, "ratio": a / b, "megabytes": sides[0].megabytes(),
        "peer_megabytes": sides[1].megabytes(), "codec": codec, "row_group": group, "quarantined": aside / rows},
        a / b <= limit and sides[0].megabytes() < 4 * 1024,
        f"{rows:,} rows: {a:.2f} s / {b:.2f} s = {a / b:.2f} × DuckDB's COPY (limit {limit}), "
        f"{sides[0].megabytes():.0f} / {sides[1].megabytes():.0f} MB (limit set {MEMORY}), "
        f"{100 * aside / rows:.1f} % quarantined")
    for leftover in (folder, target):
        shutil.rmtree(leftover, ignore_errors=True)


# --- merge beside delta-rs -------------------------------------------------------------

MERGE_PIPELINE = """name: merge
nodes:
- name: m
  primary_keys: [id]
  sources: [{path: ./in, format: PARQUET, as_stream: true}]
  sinks: [{path: ./t, format: DELTA, mode: MERGE, properties: {delta.targetFileSize: 32mb}}]
"""
WIDE = ("SELECT {key} AS id, 'name ' || hash({key} + {salt}) % 1000 AS name, (hash({key} + 1 + {salt}) % 100000) / 100 AS amount, "
        "(hash({key} + 2) % 50)::INTEGER AS quantity, DATE '2020-01-01' + ({key} % 1000)::INTEGER AS day, "
        "TIMESTAMP '2024-01-01' + INTERVAL ({key} % 86400) SECOND AS seen, {key} % 2 = 0 AS flag, "
        "md5(({key} + {salt})::VARCHAR) AS note ")


def merge_workload(bench: Bench, name: str, workload: dict) -> None:
    import deltalake
    rows, count = bench.size(workload, "rows"), bench.size(workload, "changes")
    connection = duckdb.connect()
    base, changes = bench.data / f"wide-{rows}.parquet", bench.data / f"changes-{rows}-{count}.parquet"
    connection.execute(f"COPY ({WIDE.format(key='i', salt=0)} FROM range({rows}) t(i)) TO '{base}' (FORMAT parquet)")
    connection.execute("SELECT setseed(0.5)")
    connection.execute(
        f"COPY ({WIDE.format(key='k', salt=7)} FROM (SELECT i * {rows // (count // 2)} + (hash(i) % {rows // (count // 2)})::BIGINT AS k "
        f"FROM range({count // 2}) t(i) UNION ALL SELECT {rows} + i FROM range({count - count // 2}) t(i))) "
        f"TO '{changes}' (FORMAT parquet)")
    loaded, table = bench.data / "merge-loaded", bench.data / "merge-delta-rs"
    work = bench.data / "merge-work"
    fresh(work)  # the pipeline is moved aside after the load, and copied back for each run
    (work / "in").mkdir()
    (work / "p.yaml").write_text(MERGE_PIPELINE)
    os.link(base, work / "in/0.parquet")
    load = bench.lakemill(work, "run", "p.yaml")
    shutil.rmtree(loaded, ignore_errors=True)
    work.rename(loaded)
    shutil.rmtree(table, ignore_errors=True)
    deltalake.write_deltalake(str(table), connection.execute(f"FROM '{base}'").to_arrow_table(), target_file_size=32 << 20)

    def ours() -> dict:
        shutil.rmtree(work, ignore_errors=True)
        shutil.copytree(loaded, work, copy_function=os.link)
        os.link(changes, work / "in/1.parquet")
        return bench.lakemill(work, "run", "p.yaml")

    def adopting() -> dict:
        fresh(work)
        (work / "in").mkdir()
        (work / "p.yaml").write_text(MERGE_PIPELINE)
        shutil.copytree(table, work / "t", copy_function=os.link)
        os.link(changes, work / "in/1.parquet")
        return bench.lakemill(work, "run", "p.yaml")

    def theirs() -> dict:
        shutil.rmtree(work, ignore_errors=True)
        shutil.copytree(table, work, copy_function=os.link)
        return bench.peer("delta_merge", table=str(work), changes=str(changes))

    sides = [Side("lakemill", ours), Side("lakemill, adopting", adopting), Side("delta-rs", theirs)]
    bench.take_turns(sides, workload["repeats"])
    ours()
    got = json.loads(subprocess.run([bench.binary, "query", "SELECT count(*) AS n FROM delta_scan('t')", "-o", "json"],
                                    cwd=work, capture_output=True, check=True).stdout)
    if int(got[0]["n"]) != rows + count - count // 2:
        sys.exit(f"{name}: {got} rows after the merge")
    a, first, b = sides[0].median(), sides[1].median(), sides[2].median(inner=True)
    limits = workload["limits"]
    bench.report(name, {
        "rows": rows, "changes": count, "seconds": a, "adopting_seconds": first, "peer_seconds": b, "speedup": b / a,
        "load_seconds": load["process"], "load_megabytes": load["megabytes"], "megabytes": sides[0].megabytes(),
        "adopting_megabytes": sides[1].megabytes(), "peer_megabytes": sides[2].megabytes()},
        b / a >= limits["speedup"] and sides[0].megabytes() < limits["megabytes"],
        f"{count:,} into {rows:,}: {a:.2f} s, {b / a:.1f} × faster than delta-rs' {b:.2f} s (at least {limits['speedup']}), "
        f"{sides[0].megabytes():.0f} MB (limit {limits['megabytes']}); adopting a foreign table {first:.2f} s, "
        f"{sides[1].megabytes():.0f} MB; load {load['process']:.1f} s")
    for leftover in (work, loaded, table):
        shutil.rmtree(leftover, ignore_errors=True)


# --- Laktory's pipeline ----------------------------------------------------------------

def laktory_workload(bench: Bench, name: str, workload: dict) -> None:
    source = environment.corpus() / "laktory/local-pipeline"
    work = bench.data / "laktory"

    def copy() -> pathlib.Path:
        shutil.rmtree(work, ignore_errors=True)
        shutil.copytree(source, work)
        for path in [work, *work.rglob("*")]:
            path.chmod(0o755)
        return work

    sides = [Side("lakemill", lambda: bench.lakemill(copy(), "run", "pipeline.yaml")),
             Side("by hand", lambda: bench.peer("laktory_by_hand", folder=str(copy())))]
    bench.take_turns(sides, workload["repeats"])
    a, b, limits = sides[0].median(), sides[1].median(inner=True), workload["limits"]
    bench.report(name, {"seconds": a, "peer_seconds": b, "peer_process_seconds": sides[1].median(), "ratio": a / b,
                        "megabytes": sides[0].megabytes()},
                 a / b <= limits["ratio"] and sides[0].megabytes() <= limits["megabytes"],
                 f"{a * 1000:.0f} ms / {b * 1000:.0f} ms = {a / b:.2f} × the steps by hand (limit {limits['ratio']}; "
                 f"{sides[1].median() * 1000:.0f} ms with Python's start), {sides[0].megabytes():.0f} MB (limit {limits['megabytes']})")


# --- starting --------------------------------------------------------------------------

def many_nodes(count: int, width: int) -> str:
    """A pipeline of `count` nodes in columns of `width`, each reading the one above."""
    lines = ["name: many", "nodes:"]
    for i in range(count):
        source = f"node_name: n{i - width}" if i >= width else "data: {id: [1, 2], v: [3, 4]}"
        lines += [f"- name: n{i}", f"  sources: [{{{source}}}]",
                  f"  transformer: {{nodes: [{{expr: \"SELECT id, v + {i} AS v FROM {{df}} WHERE id > 0\"}}]}}",
                  "  expectations: [{name: known, expr: id IS NOT NULL, action: DROP}]",
                  f"  sinks: [{{path: ./out/n{i}, format: DELTA}}]"]
    return "\n".join(lines) + "\n"


def startup_workload(bench: Bench, name: str, workload: dict) -> None:
    folder = fresh(bench.data / "startup")
    (folder / "thousand.yaml").write_text(many_nodes(1000, 10))
    (folder / "run.yaml").write_text(many_nodes(200, 20))
    bench.lakemill(folder, "run", "run.yaml")
    sides = [Side("help", lambda: bench.lakemill(folder, "--help")),
             Side("validate", lambda: bench.lakemill(folder, "validate", "thousand.yaml")),
             Side("no_op", lambda: bench.lakemill(folder, "run", "run.yaml"))]
    bench.take_turns(sides, workload["repeats"])
    found = {side.name: side.median() for side in sides}
    bench.report(name, {**found, "megabytes": sides[2].megabytes()},
                 all(found[k] <= limit for k, limit in workload["limits"].items()),
                 ", ".join(f"{k} {found[k] * 1000:.1f} ms (limit {v * 1000:.0f})" for k, v in workload["limits"].items()))


KINDS = {"copy": copy_workload, "merge": merge_workload, "laktory": laktory_workload, "startup": startup_workload,
         **streams.KINDS}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lakemill", default=os.environ.get("LAKEMILL_BIN") or environment.binary())
    parser.add_argument("--quick", action="store_true", help="small sizes; nothing is added to the history")
    parser.add_argument("--only", nargs="*", default=[])
    parser.add_argument("--repeats", type=int, default=None, help="instead of the workload's own number")
    parser.add_argument("--data", default=str(environment.CACHE / "bench"))
    bench = Bench(parser.parse_args())
    for path in sorted((ROOT / "bench/workloads").glob("*.yaml")):
        if bench.options.only and path.stem not in bench.options.only:
            continue
        workload = yaml.safe_load(path.read_text())
        workload["repeats"] = bench.options.repeats or workload["repeats"]
        if workload["kind"] == "laktory" and not environment.corpus_folder().is_dir():
            print(f"{path.stem:<20} left out: no corpus at {environment.corpus_folder()}")
            continue
        KINDS[workload["kind"]](bench, path.stem, workload)
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=False)
    if not bench.options.quick:
        with (ROOT / "bench/history.ndjson").open("a") as history:
            for line in bench.lines:
                history.write(json.dumps({
                    "date": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
                    "commit": commit.stdout.strip(), "cpus": THREADS,
                    **{k: round(v, 4) if isinstance(v, float) else v for k, v in line.items()}}) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
