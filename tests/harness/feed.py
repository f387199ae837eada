"""A pipeline over a growing folder of changes, for what stops and starts it: it appends,
overwrites, merges (SCD 1 and 2) and quarantines.
"""
import json
import pathlib
import random

from harness.process import rows

PIPELINE = """
name: feed
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
# Which batch took a file may differ from run to run, the rows may not.
TABLES = {
    "brz": "SELECT id, v, n, seq, op FROM delta_scan('t/brz')",
    "kept": "SELECT * FROM delta_scan('t/kept')",
    "quarantine": "SELECT id, v, n, seq, op, _failed_expectations FROM delta_scan('t/quarantine')",
    "current": "SELECT * FROM delta_scan('t/current')",
    "history": "SELECT * FROM delta_scan('t/history')",
    "totals": "SELECT * FROM delta_scan('t/totals')",
    "totals file": "SELECT * FROM 't/totals.parquet'",
}


def content(folder: pathlib.Path) -> dict[str, list]:
    """The rows of all tables, sorted."""
    return {name: sorted(rows(sql, folder), key=repr) for name, sql in TABLES.items()}


def differences(got: dict[str, list], wanted: dict[str, list]) -> list[str]:
    """What is told of each table that is not as wanted."""
    return [f"table {name}: {len(got[name])} rows, {len(rows_wanted)} wanted; "
            f"only here {[r for r in got[name] if r not in rows_wanted][:3]}, "
            f"missing {[r for r in rows_wanted if r not in got[name]][:3]}"
            for name, rows_wanted in wanted.items() if got[name] != rows_wanted]


def new_file(number: int, source: random.Random, row_count: int, ids: int) -> str:
    """Lines of changes of `ids` keys, whose sequences are unlike each other in all files."""
    return "".join(json.dumps({
        "id": source.randrange(ids), "v": f"v{source.randrange(1000)}", "n": source.randint(-2, 50),
        "seq": (number * row_count + i) * 7919 % 1_000_003,
        "op": "D" if source.random() < 0.1 else "U"}) + "\n" for i in range(row_count))
