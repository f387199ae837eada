#!/usr/bin/env python3
"""Batch = stream: the same rows give the same tables, however they are cut.

Every pipeline below runs once over all its rows in one file, then over files of one row
(many batches in one run), then over random splits: random files, random numbers of files
per batch, and random files between runs. Tables are compared row for row, without the
columns that tell of the cut itself.

--splits N  in all (200; 2,000 with LAKEMILL_SOAK=1), --seed repeats a run
"""
import argparse
import concurrent.futures
import json
import os
import pathlib
import random
import shutil
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from harness import environment  # noqa: E402
from harness.process import Failure, lakemill, must, rows  # noqa: E402

SOAK = os.environ.get("LAKEMILL_SOAK") == "1"
ROWS = 200
ONES = 40  # files of one row
CUT = ("_ingested_at", "_run_id", "_batch_id", "_source_offset", "_source_file")
SOURCE = "{name: feed, as_stream: true, path: ./in, format: JSONL, schema: {id: bigint, part: string, v: string, n: bigint, seq: bigint, op: string}"
BARE = "{name: feed, as_stream: true, path: ./in, format: JSONL"

# name -> (nodes, tables); {source} is the feed's source, {bare} without a schema, {limit} its bound per batch.
PIPELINES = {
    "append and quarantine": ("""
- {name: brz, layer: BRONZE, sources: [{source}], sinks: [{path: ./t/brz, format: DELTA, partition_by: [part]}]}
- name: kept
  sources: [{node_name: brz, as_stream: true}]
  transformer: {nodes: [{expr: "SELECT id, upper(v) AS v, n * 2 AS n, part FROM {df} WHERE id % 7 <> 0"}]}
  expectations:
  - {name: positive, expr: n > 0, action: QUARANTINE}
  - {name: small, expr: n < 90, action: DROP}
  sinks: [{path: ./t/kept, format: DELTA}, {path: ./t/quarantine, format: DELTA, is_quarantine: true}]
- name: totals
  sources: [{node_name: kept}]
  transformer: {nodes: [{expr: "SELECT part, count(*) AS c, sum(n) AS s FROM {df} GROUP BY part"}]}
  sinks: [{path: ./t/totals, format: DELTA}]
""", ["brz", "kept", "quarantine", "totals"]),
    "SCD 1 by a column": ("""
- {name: brz, layer: BRONZE, sources: [{source}], sinks: [{path: ./t/brz, format: DELTA}]}
- name: current
  primary_keys: [id]
  sources: [{node_name: brz, as_stream: true, drops: [_ingested_at, _run_id, _batch_id, _source, _source_file, _source_offset, _rescued]}]
  sinks: [{path: ./t/current, format: DELTA, mode: MERGE, merge_cdc_options: {order_by: seq, delete_where: "op = 'D'", truncate_where: "op = 'T'", exclude_columns: [op]}}]
""", ["current"]),
    "SCD 1 by arrival": ("""
- name: current
  primary_keys: [id, part]
  sources: [{source}]
  sinks: [{path: ./t/current, format: DELTA, mode: MERGE, merge_cdc_options: {delete_where: "op = 'D'", exclude_columns: [op, seq]}}]
""", ["current"]),
    "SCD 1 by arrival, behind steps and a view": ("""
- name: cleansed
  sources: [{source}]
  transformer: {nodes: [{expr: "SELECT id, part, upper(v) AS v, op FROM {df} WHERE id % 11 <> 0"}]}
- name: current
  primary_keys: [id, part]
  sources: [{node_name: cleansed, as_stream: true}]
  transformer: {nodes: [{expr: "SELECT * FROM {df} WHERE op <> 'T'"}, {func_name: with_columns, func_kwargs: {w: "nw.col('v')"}}, {expr: "SELECT id, part, w, op FROM {df}"}]}
  sinks: [{path: ./t/current, format: DELTA, mode: MERGE, merge_cdc_options: {delete_where: "op = 'D'", exclude_columns: [op]}}]
""", ["current"]),
    "types that are found out": ("""
- {name: raw, layer: SILVER, sources: [{bare}], sinks: [{path: ./t/raw, format: DELTA}]}
- name: steps
  layer: SILVER
  sources: [{bare}]
  transformer: {nodes: [{expr: "SELECT id, seq, m, o, l FROM {df}"}]}
  sinks: [{path: ./t/steps, format: DELTA}]
""", ["raw", "steps"]),
    "SCD 1, soft deletes, null updates": ("""
- {name: brz, layer: BRONZE, sources: [{source}], sinks: [{path: ./t/brz, format: DELTA}]}
- name: soft
  primary_keys: [id]
  sources: [{node_name: brz, as_stream: true, selects: [id, v, n, seq, op]}]
  sinks: [{path: ./t/soft, format: DELTA, mode: MERGE, merge_cdc_options: {order_by: seq, delete_where: "op = 'D'", delete_mode: SOFT, exclude_columns: [op]}}]
- name: patched
  primary_keys: [id]
  sources: [{node_name: brz, as_stream: true, selects: [id, v, n, seq, op]}]
  sinks: [{path: ./t/patched, format: DELTA, mode: MERGE, merge_cdc_options: {order_by: seq, delete_where: "op = 'D'", ignore_null_updates: true, exclude_columns: [op]}}]
""", ["soft", "patched"]),
    "SCD 2": ("""
- {name: brz, layer: BRONZE, sources: [{source}], sinks: [{path: ./t/brz, format: DELTA}]}
- name: history
  primary_keys: [id]
  sources: [{node_name: brz, as_stream: true, selects: [id, v, n, seq, op]}]
  sinks: [{path: ./t/history, format: DELTA, mode: MERGE, merge_cdc_options: {scd_type: 2, order_by: seq, delete_where: "op = 'D'", track_history_columns: [v], exclude_columns: [op, seq]}}]
""", ["history"]),
    "a stream meets a static table": ("""
- {name: brz, layer: BRONZE, sources: [{source}], sinks: [{path: ./t/brz, format: DELTA}]}
- name: parts
  sources: [{data: [{part: a, label: first}, {part: b, label: second}]}]
  sinks: [{path: ./t/parts, format: DELTA}]
- name: joined
  depends_on: [parts]
  sources: [{node_name: brz, as_stream: true}, {path: ./t/parts, format: DELTA, name: parts}]
  transformer: {nodes: [{expr: "SELECT d.id, d.v, p.label FROM {df} AS d LEFT JOIN {sources.parts} AS p USING (part)"}]}
  sinks: [{path: ./t/joined, format: DELTA}]
""", ["joined"]),
}


def feed(source: random.Random, bare: bool) -> list[str]:
    """Changes of few keys, whose sequences are unlike each other; one truncation.

    `bare`: with values of which most are null or empty, for sources without a schema."""
    sequences = source.sample(range(10_000), ROWS)
    truncation = source.randrange(ROWS)
    lines = []
    for i, sequence in enumerate(sequences):
        known = i == 0 or (i > ONES and source.random() < 0.1)  # after more files than are looked back at
        more = {"m": 1.5 if known else None, "o": {"x": 7 if known else None}, "l": [3] if known else []} if bare else {}
        op = "T" if i == truncation else "D" if source.random() < 0.1 else "U"
        lines.append(json.dumps({
            "id": source.randrange(40), "part": source.choice("ab"), "v": source.choice(["x", "y", "z", None]),
            "n": source.randint(-3, 60), "seq": sequence, "op": op, **more}))
    return lines


def cut(lines: list[str], sizes: list[int]) -> list[str]:
    """The lines as files of such sizes."""
    files, at = [], 0
    for size in sizes:
        files.append("\n".join(lines[at:at + size]) + "\n")
        at += size
    return files


def content(folder: pathlib.Path, tables: list[str]) -> dict:
    """The rows of tables without what tells of the cut, sorted."""
    found = {}
    for table in tables:
        columns = [row[0] for row in rows(f"SELECT column_name FROM (DESCRIBE FROM delta_scan('t/{table}'))", folder)]
        kept = ", ".join(f'"{name}"' for name in columns if name not in CUT)
        found[table] = sorted(rows(f"SELECT {kept} FROM delta_scan('t/{table}')", folder), key=repr)
    return found


def run_cut(nodes: str, tables: list[str], files: list[str], groups: list[int], limit: int) -> dict:
    """Drops `groups[i]` files before run i, with at most `limit` files in a batch."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="lakemill-cut-"))
    try:
        bound = f", max_files: {limit}" if limit else ""
        (folder / "p.yaml").write_text("name: p\nnodes:" + nodes.replace("{source}", SOURCE + bound + "}").replace("{bare}", BARE + bound + "}"))
        (folder / "in").mkdir()
        at = 0
        for group in groups:
            for number in range(at, at + group):
                (folder / f"in/{number:06}.jsonl").write_text(files[number])
            at += group
            must(lakemill("run", "p.yaml", cwd=folder, timeout=600))
        return content(folder, tables)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def random_sizes(total: int, source: random.Random, parts_max: int) -> list[int]:
    """`total` as a sum of up to `parts_max` positive numbers."""
    marks = sorted(source.sample(range(1, total), min(total - 1, source.randrange(parts_max))))
    return [b - a for a, b in zip([0, *marks], [*marks, total])]


def check_split(name: str, lines: list[str], wanted: dict, number: int, seed: str) -> str | None:
    """Runs one split; what differs, or nothing."""
    nodes, tables = PIPELINES[name]
    source = random.Random(seed)
    sizes = [1] * ONES + [ROWS - ONES] if number == 0 else random_sizes(ROWS, source, 16)
    files = cut(lines, sizes)
    groups = [len(files)] if number == 0 else random_sizes(len(files), source, 4) if len(files) > 1 else [1]
    limit = 1 if number == 0 else source.choice([0, 0, 1, 2, 5])
    got = run_cut(nodes, tables, files, groups, limit)
    for table in tables:
        if got[table] != wanted[table]:
            extra = [row for row in got[table] if row not in wanted[table]][:3]
            missing = [row for row in wanted[table] if row not in got[table]][:3]
            return (f"{name}, table {table}, seed {seed}: files of {sizes} rows, runs of {groups} files, "
                    f"{limit} per batch: {len(got[table])} rows for {len(wanted[table])}; {extra} / {missing}")
    return None


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--splits", type=int, default=2000 if SOAK else 200)
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 30))
    parser.add_argument("--only", nargs="*", default=[])
    options = parser.parse_args()
    names = [name for name in PIPELINES if not options.only or name in options.only]
    jobs, failures, done = [], [], 0
    with concurrent.futures.ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        for name in names:
            nodes, tables = PIPELINES[name]
            lines = feed(random.Random(f"{options.seed} {name}"), "{bare}" in nodes)
            wanted = run_cut(nodes, tables, ["\n".join(lines) + "\n"], [1], 0)
            if not any(wanted.values()):
                raise Failure(f"{name}: the one batch wrote nothing")
            for number in range(options.splits // len(names) + 1):
                jobs.append(pool.submit(check_split, name, lines, wanted, number, f"{options.seed} {name} {number}"))
        for job in concurrent.futures.as_completed(jobs):
            done += 1
            try:
                failure = job.result()
            except Failure as refused:
                failure = str(refused)
            if failure:
                failures.append(failure)
    for failure in failures[:10]:
        print(failure)
    print(f"{done} splits of {len(names)} pipelines, {len(failures)} differ (seed {options.seed})")
    return 1 if failures else 0


if __name__ == "__main__":
    environment.binary()
    sys.exit(main())
