#!/usr/bin/env python3
"""SIGKILL at any moment of a run; the next run ends with the right tables.

A pipeline appends, overwrites, merges (SCD 1 and 2) and quarantines. Each round adds
files, starts the binary and kills it after a random delay (some rounds kill twice), then
runs it to its end. The tables are compared with those of a copy that was never killed.

--kills N  rounds (25; 100 with LAKEMILL_SOAK=1), --seed repeats a sweep
"""
import argparse
import json
import os
import pathlib
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from harness import environment  # noqa: E402
from harness.process import lakemill, must, rows, write_files  # noqa: E402

SOAK = os.environ.get("LAKEMILL_SOAK") == "1"
PIPELINE = """
name: crash
nodes:
- name: brz
  layer: BRONZE
  sources: [{name: feed, path: ./in, format: JSONL, schema: {id: bigint, v: string, n: bigint, seq: bigint, op: string}}]
  sinks: [{path: ./t/brz, format: DELTA}]
- name: kept
  sources: [{node_name: brz, as_stream: true}]
  transformer: {nodes: [{expr: "SELECT id, v, n, seq, op FROM {df}"}]}
  expectations: [{name: positive, expr: n > 0, action: QUARANTINE}]
  sinks: [{path: ./t/kept, format: DELTA}, {path: ./t/quarantine, format: DELTA, is_quarantine: true}]
- name: current
  primary_keys: [id]
  sources: [{node_name: kept, as_stream: true}]
  sinks: [{path: ./t/current, format: DELTA, mode: MERGE, merge_cdc_options: {order_by: seq, delete_where: "op = 'D'", exclude_columns: [op]}}]
- name: history
  primary_keys: [id]
  sources: [{node_name: kept, as_stream: true}]
  sinks: [{path: ./t/history, format: DELTA, mode: MERGE, merge_cdc_options: {scd_type: 2, order_by: seq, delete_where: "op = 'D'", exclude_columns: [op, seq]}}]
- name: totals
  sources: [{node_name: kept}]
  transformer: {nodes: [{expr: "SELECT id % 10 AS g, count(*) AS c, sum(n) AS s FROM {df} GROUP BY ALL"}]}
  sinks: [{path: ./t/totals, format: DELTA, mode: OVERWRITE}, {path: ./t/totals.parquet, format: PARQUET}]
"""
TABLES = {
    "brz": "SELECT id, v, n, seq, op, _source_offset, _batch_id FROM delta_scan('t/brz')",
    "kept": "SELECT * FROM delta_scan('t/kept')",
    "quarantine": "SELECT id, v, n, seq, op, _failed_expectations FROM delta_scan('t/quarantine')",
    "current": "SELECT * FROM delta_scan('t/current')",
    "history": "SELECT * FROM delta_scan('t/history')",
    "totals": "SELECT * FROM delta_scan('t/totals')",
    "totals file": "SELECT * FROM 't/totals.parquet'",
}


def batch(number: int, source: random.Random, row_count: int) -> str:
    """The lines of a new file; sequences are unlike each other in a sweep."""
    return "".join(json.dumps({
        "id": source.randrange(200), "v": f"v{source.randrange(1000)}",
        "n": source.randint(-2, 50), "seq": (number * row_count + i) * 7919 % 1_000_003,
        "op": "D" if source.random() < 0.1 else "U"}) + "\n" for i in range(row_count))


def content(folder: pathlib.Path, sql: str) -> list:
    return sorted(rows(sql, folder), key=repr)


def kill_once(folder: pathlib.Path, delay: float) -> bool:
    """Starts a run and kills it after `delay`; whether it was still running."""
    process = subprocess.Popen([environment.binary(), "run", "p.yaml"], cwd=folder,
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    time.sleep(delay)
    running = process.poll() is None
    if running:
        process.send_signal(signal.SIGKILL)
    process.wait()
    return running


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=100 if SOAK else 25)
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--rows", type=int, default=300)
    options = parser.parse_args()
    seed = options.seed if options.seed is not None else random.SystemRandom().randrange(10**9)
    print(f"seed {seed}")
    source = random.Random(seed)
    folder = pathlib.Path(tempfile.mkdtemp(prefix="lakemill-kill-")).resolve()
    oracle = pathlib.Path(tempfile.mkdtemp(prefix="lakemill-safe-")).resolve()
    for place in (folder, oracle):
        write_files(place, {"p.yaml": PIPELINE})
        (place / "in").mkdir()
    longest, killed, faults = 0.0, 0, []
    for number in range(options.kills):
        for _ in range(source.randint(1, 2)):
            name = f"in/{number:04d}_{source.randrange(10**6):06d}.jsonl"
            text = batch(number * 2 + (_ > 0), source, options.rows)
            for place in (folder, oracle):
                write_files(place, {name: text})
        safe = must(lakemill("run", "p.yaml", cwd=oracle))
        longest = max(longest, safe.seconds)
        for _ in range(source.choice([1, 1, 2, 3])):
            killed += kill_once(folder, source.uniform(0.0, longest))
        recovered = lakemill("run", "p.yaml", cwd=folder)
        if recovered.code != 0:
            faults.append(f"round {number}: {recovered.describe()}")
            break
        for table, sql in TABLES.items():
            got, expected = content(folder, sql), content(oracle, sql)
            if table == "brz":  # which batch took a file may differ, the rows may not
                got, expected = [sorted(repr(r[:5]) for r in side) for side in (got, expected)]
            if got != expected:
                faults.append(f"round {number}: {table} differs: {len(got)} rows, {len(expected)} expected; "
                              f"only here {[r for r in got if r not in expected][:2]}, "
                              f"missing {[r for r in expected if r not in got][:2]}")
        if faults:
            break
    again = lakemill("run", "p.yaml", cwd=folder)
    if not faults and again.code != 0:
        faults.append(f"last run: {again.describe()}")
    temporary = [str(p) for p in (folder / "t").rglob("*") if p.suffix == ".tmp"]
    if temporary:
        print(f"left over: {len(temporary)} temporary files, such as {temporary[0]}")
    print(f"{killed} runs killed of {options.kills} rounds")
    if faults:
        print("\n".join(faults))
        print(f"folders: {folder} (killed), {oracle} (not)")
        return 1
    shutil.rmtree(folder)
    shutil.rmtree(oracle)
    print("after every kill the next run ended with the right tables")
    return 0


if __name__ == "__main__":
    sys.exit(main())
