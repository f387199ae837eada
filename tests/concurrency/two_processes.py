#!/usr/bin/env python3
"""Two writers, each a chain of real processes, on the same tables at the same time.

Each writer owns a folder of files and runs its own pipeline again and again: every run
appends the rows of a new file to one shared table and merges changes of its own keys,
and of keys that both change, into another. At the end no row is lost or there twice,
every version is there, and the merged table is what one writer would have made.

--commits N  commits of each writer to a table (40; 500 with LAKEMILL_SOAK=1)
"""
import argparse
import json
import os
import pathlib
import random
import sys
import tempfile
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from harness.process import Failure, lakemill, rows, write_files  # noqa: E402

SOAK = os.environ.get("LAKEMILL_SOAK") == "1"
SHARED_KEYS = 5
PIPELINE = """
name: writer_{who}
nodes:
- name: append_{who}
  sources: [{{path: ./in_{who}, format: JSONL, as_stream: true, schema: {{id: string, seq: bigint, v: string, log: string}}}}]
  transformer: {{nodes: [{{expr: "SELECT id, seq, v, log FROM {{df}}"}}]}}
  sinks: [{{path: ./appended, format: DELTA, mode: APPEND, shared: true}}]
- name: merge_{who}
  primary_keys: [id]
  sources: [{{path: ./in_{who}, format: JSONL, as_stream: true, schema: {{id: string, seq: bigint, v: string, log: string}}}}]
  transformer: {{nodes: [{{expr: "SELECT id, seq, v FROM {{df}}"}}]}}
  sinks: [{{path: ./merged_{target}, format: DELTA, mode: MERGE, shared: true, merge_cdc_options: {{order_by: seq}}}}]
"""


class Writer(threading.Thread):
    """Runs one pipeline `count` times, a new file before each run."""

    def __init__(self, folder: pathlib.Path, who: str, count: int, seed: int):
        super().__init__()
        self.folder, self.who, self.count = folder, who, count
        self.random = random.Random(seed)
        self.written: list[dict] = []
        self.error: str | None = None
        self.retries = 0

    def changes(self, i: int) -> list[dict]:
        """Rows of run `i`: own keys, a key again, and a sequence no other row has."""
        base = (i * 2 + (self.who == "b")) * 100
        keys = [f"{self.who}{i}", f"{self.who}{self.random.randint(0, i)}x",
                f"{self.who}s{self.random.randrange(SHARED_KEYS)}"]
        return [{"id": key, "seq": base + k, "v": f"{self.who}{i}.{k}", "log": f"{self.who}-{i}-{k}"}
                for k, key in enumerate(keys)]

    def run(self) -> None:
        try:
            for i in range(self.count):
                rows_ = self.changes(i)
                self.written += rows_
                text = "".join(json.dumps(row) + "\n" for row in rows_)
                temporary = self.folder / f"tmp_{self.who}"
                temporary.write_text(text)
                temporary.rename(self.folder / f"in_{self.who}/{i:06d}.jsonl")
                self.run_once()
        except Exception as error:  # told by the main thread
            self.error = str(error)

    def run_once(self) -> None:
        """A run may give up after many lost races; what it left is done by the next."""
        for _ in range(5):
            outcome = lakemill("run", f"{self.who}.yaml", cwd=self.folder)
            if outcome.code == 0:
                return
            if outcome.crashed() or "conflict" not in outcome.text.lower():
                raise Failure(outcome.describe())
            self.retries += 1
        raise Failure("lost every race five times over")


def check(folder: pathlib.Path, writers: list[Writer]) -> list[str]:
    """The faults that are found."""
    faults = []
    expected = sorted(row["log"] for w in writers for row in w.written)
    got = sorted(row[0] for row in rows("SELECT log FROM delta_scan('appended')", folder))
    if got != expected:
        lost = len(set(expected) - set(got))
        faults.append(f"appended: {len(got)} rows, {len(expected)} expected, "
                      f"{lost} lost, {len(got) - len(set(got))} twice")
    for who in writers:
        newest: dict[str, dict] = {}
        for row in who.written:
            if row["id"] not in newest or newest[row["id"]]["seq"] < row["seq"]:
                newest[row["id"]] = row
        merged = {row[0]: (row[1], row[2]) for row in rows(
            f"SELECT id, seq, v FROM delta_scan('merged_{who.who}')", folder)}
        oracle = {key: (row["seq"], row["v"]) for key, row in newest.items()}
        if merged != oracle:
            different = [k for k in oracle if merged.get(k) != oracle[k]]
            faults.append(f"merged_{who.who}: {len(merged)} keys, {len(oracle)} expected, "
                          f"different {different[:5]}")
    for table in ("appended", "merged_a", "merged_b"):
        numbers = sorted(int(p.stem) for p in (folder / table / "_delta_log").glob("*.json")
                         if p.stem.isdigit())
        if numbers != list(range(numbers[0], numbers[-1] + 1)):
            faults.append(f"{table}: versions are not contiguous")
    return faults


def appends_and_merges(count: int, seed: int) -> list[str]:
    folder = pathlib.Path(tempfile.mkdtemp(prefix="lakemill-two-")).resolve()
    for who in "ab":
        (folder / f"in_{who}").mkdir()
        write_files(folder, {f"{who}.yaml": PIPELINE.format(who=who, target=who)})
    writers = [Writer(folder, who, count, seed + i) for i, who in enumerate("ab")]
    begin = time.monotonic()
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    faults = [f"writer {w.who}: {w.error}" for w in writers if w.error]
    faults = faults or check(folder, writers)
    print(f"seed {seed}: {count} runs of each writer in {time.monotonic() - begin:.1f} s, "
          f"{sum(w.retries for w in writers)} runs lost their races, folder {folder}")
    return faults


ONE_TABLE = """
name: writer_{who}
nodes:
- name: append_{who}
  sources: [{{path: ./in_{who}, format: JSONL, as_stream: true, schema: {{id: string, seq: bigint, v: string, log: string}}}}]
  transformer: {{nodes: [{{expr: "SELECT id || '-log-' || log AS id, seq, v FROM {{df}}"}}]}}
  sinks: [{{path: ./one, format: DELTA, mode: APPEND, shared: true}}]
- name: merge_{who}
  primary_keys: [id]
  sources: [{{path: ./in_{who}, format: JSONL, as_stream: true, schema: {{id: string, seq: bigint, v: string, log: string}}}}]
  transformer: {{nodes: [{{expr: "SELECT id, seq, v FROM {{df}}"}}]}}
  sinks: [{{path: ./one, format: DELTA, mode: MERGE, shared: true, merge_cdc_options: {{order_by: seq}}}}]
"""


def one_table(count: int, seed: int) -> list[str]:
    """Both append to and merge into one and the same table."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="lakemill-one-")).resolve()
    for who in "ab":
        (folder / f"in_{who}").mkdir()
        write_files(folder, {f"{who}.yaml": ONE_TABLE.format(who=who)})
    writers = [Writer(folder, who, count, seed + i) for i, who in enumerate("ab")]
    begin = time.monotonic()
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    faults = [f"writer {w.who}: {w.error}" for w in writers if w.error]
    print(f"seed {seed}, one table: {count} runs of each in {time.monotonic() - begin:.1f} s, "
          f"{sum(w.retries for w in writers)} runs lost their races, folder {folder}")
    if faults:
        return faults
    expected = {}
    for writer in writers:
        for row in writer.written:
            expected[f"{row['id']}-log-{row['log']}"] = (row["seq"], row["v"])
            if row["id"] not in expected or expected[row["id"]][0] < row["seq"]:
                expected[row["id"]] = (row["seq"], row["v"])
    got = rows("SELECT id, seq, v FROM delta_scan('one')", folder)
    keys = [row[0] for row in got]
    if len(keys) != len(set(keys)):
        faults.append(f"one: {len(keys) - len(set(keys))} keys are there twice")
    found = {row[0]: (row[1], row[2]) for row in got}
    if found != expected:
        wrong = [k for k in expected if found.get(k) != expected[k]]
        faults.append(f"one: {len(found)} rows, {len(expected)} expected, wrong or lost {wrong[:5]}, "
                      f"too many {[k for k in found if k not in expected][:5]}")
    numbers = sorted(int(p.stem) for p in (folder / "one/_delta_log").glob("*.json")
                     if p.stem.isdigit())
    if numbers != list(range(numbers[0], numbers[-1] + 1)):
        faults.append("one: versions are not contiguous")
    return faults


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--commits", type=int, default=500 if SOAK else 40)
    parser.add_argument("--seed", type=int, default=20130101)
    options = parser.parse_args()
    faults = appends_and_merges(options.commits // 2, options.seed)
    faults += one_table(options.commits // 2, options.seed)
    print("\n".join(faults) or "two processes: no lost row, no duplicate, versions contiguous")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
