"""Tables of every kind, written by real runs of pipelines, for other readers to read."""
import json
import pathlib
import random

from harness.process import lakemill, must, write_files

EVERY_TYPE = """
SELECT i AS id,
  CASE WHEN i % 7 = 0 THEN NULL ELSE i % 2 = 0 END AS c_boolean,
  CASE WHEN i % 7 = 1 THEN NULL ELSE (i % 256 - 128) END::TINYINT AS c_byte,
  CASE WHEN i % 7 = 2 THEN NULL ELSE (i * 321 % 65536 - 32768) END::SMALLINT AS c_short,
  CASE i WHEN 3 THEN NULL WHEN 1 THEN 2147483647 WHEN 2 THEN -2147483648 ELSE i END::INTEGER AS c_int,
  CASE i WHEN 3 THEN NULL WHEN 1 THEN 9223372036854775807 WHEN 2 THEN -9223372036854775808 ELSE i END::BIGINT AS c_long,
  CASE i WHEN 3 THEN NULL WHEN 1 THEN 'inf' WHEN 2 THEN '-inf' WHEN 4 THEN 'nan' ELSE (i / 3)::VARCHAR END::FLOAT AS c_float,
  CASE i WHEN 3 THEN NULL WHEN 1 THEN 'inf' WHEN 2 THEN '-inf' WHEN 4 THEN 'nan' WHEN 5 THEN '-0.0' ELSE (i / 3)::VARCHAR END::DOUBLE AS c_double,
  (CASE WHEN i = 3 THEN NULL ELSE i / 4 - 5 END)::DECIMAL(5, 2) AS c_decimal5,
  (CASE WHEN i = 3 THEN NULL ELSE i * 1001 / 8 END)::DECIMAL(18, 6) AS c_decimal18,
  CASE i WHEN 3 THEN NULL WHEN 1 THEN '9999999999999999999999999999.9999999999' WHEN 2 THEN '-9999999999999999999999999999.9999999999' ELSE i::VARCHAR || '.5' END::DECIMAL(38, 10) AS c_decimal38,
  CASE i WHEN 3 THEN NULL WHEN 1 THEN '' WHEN 2 THEN 'é漢字😀' WHEN 4 THEN repeat('long ', 100) ELSE 'row ' || i END AS c_string,
  CASE i WHEN 3 THEN NULL WHEN 1 THEN ''::BLOB ELSE ('\\x00\\xFF' || 'ab')::BLOB END AS c_binary,
  CASE i WHEN 3 THEN NULL WHEN 1 THEN DATE '0001-01-01' WHEN 2 THEN DATE '9999-12-31' ELSE DATE '1969-12-25' + i::INTEGER END AS c_date,
  CASE i WHEN 3 THEN NULL WHEN 1 THEN TIMESTAMPTZ '1900-01-01 00:00:00.000001+00' WHEN 2 THEN TIMESTAMPTZ '9999-12-31 23:59:59.999999+00' ELSE TIMESTAMPTZ '2024-03-31 00:30:00.123456+00' + i::INTEGER * INTERVAL 1 HOUR END AS c_timestamp,
  CASE i WHEN 3 THEN NULL WHEN 1 THEN TIMESTAMP '1900-01-01 00:00:00.000001' ELSE TIMESTAMP '2024-03-31 02:30:00.123456' + i::INTEGER * INTERVAL 1 HOUR END AS c_timestamp_ntz,
  CASE WHEN i = 3 THEN NULL ELSE {'a': i::INTEGER, 'b': CASE WHEN i = 4 THEN NULL ELSE 'x' || i END, 'c': {'d': [i::DOUBLE, NULL]}} END AS c_struct,
  CASE i WHEN 3 THEN NULL WHEN 4 THEN [] WHEN 5 THEN [NULL] ELSE [i::INTEGER, NULL, -i::INTEGER] END AS c_list,
  CASE i WHEN 3 THEN NULL WHEN 4 THEN MAP {} ELSE MAP {'k' || i: i::DOUBLE, 'null': NULL} END AS c_map,
  CASE WHEN i = 3 THEN NULL ELSE [{'m': MAP {i::INTEGER: [DATE '2024-01-01']}}] END AS c_nested,
  i AS "größe"
FROM (SELECT unnest(range(40)) AS i FROM {df})
"""

FIXED = """
name: written
nodes:
- name: types
  sources: [{data: {x: [1]}}]
  transformer: {nodes: [{expr: !use types.sql}]}
  sinks: [{path: ./types, format: DELTA}]
- name: empty
  sources: [{node_name: types, filter: id < 0}]
  sinks: [{path: ./empty, format: DELTA}]
- name: by_text
  sources: [{data: {id: [1, 2, 3, 4, 5, 6, 7], p: ["a b", "x/y=z%", null, "é", "a:b?c#d", "'\\"{}", "100%"]}}]
  sinks: [{path: ./by_text, format: DELTA, partition_by: [p]}]
- name: by_types
  sources: [{node_name: types}]
  transformer: {nodes: [{expr: "SELECT id, c_boolean AS p_boolean, c_date AS p_date, c_decimal5 AS p_decimal, c_int % 3 AS p_int, c_string FROM {df} WHERE id BETWEEN 3 AND 14"}]}
  sinks: [{path: ./by_types, format: DELTA, partition_by: [p_boolean, p_date, p_decimal, p_int]}]
- name: by_time
  sources: [{node_name: types}]
  transformer: {nodes: [{expr: "SELECT id, c_timestamp AS p_instant, c_timestamp_ntz AS p_wall, c_double AS p_double FROM {df} WHERE id BETWEEN 5 AND 9"}]}
  sinks: [{path: ./by_time, format: DELTA, partition_by: [p_instant, p_wall, p_double]}]
- name: clustered
  sources: [{node_name: types}]
  sinks: [{path: ./clustered, format: DELTA, cluster_by: [c_string, c_timestamp, c_decimal38, c_int]}]
- name: clustered_mapped
  sources: [{node_name: types}]
  sinks: [{path: ./clustered_mapped, format: DELTA, cluster_by: [c_date], properties: {delta.columnMapping.mode: name, delta.enableDeletionVectors: "true"}}]
"""

GROWING = """
name: growing
nodes:
- name: evolving
  sources: [{path: ./evolving_in, format: JSONL, as_stream: true, max_files: 1}]
  sinks: [{path: ./evolving, format: DELTA, mode: APPEND}]
- name: many_commits
  sources: [{path: ./many_in, format: CSV, as_stream: true, max_files: 1}]
  sinks: [{path: ./many_commits, format: DELTA, mode: APPEND}]
- name: bronze
  layer: BRONZE
  sources: [{path: ./many_in, format: CSV}]
  sinks: [{type: TABLE, table_name: orders}]
- name: replaced
  sources: [{path: ./replaced.csv, format: CSV, infer_schema: true}]
  sinks: [{path: ./replaced, format: DELTA, mode: OVERWRITE}]
- name: checked
  sources: [{path: ./many_in, format: CSV, as_stream: true, max_files: 4}]
  expectations: [{name: even, expr: id::INT % 2 = 0, action: QUARANTINE}]
  sinks: [{path: ./checked, format: DELTA}, {path: ./quarantine, format: DELTA, is_quarantine: true}]
"""

CHANGES = ("path: ./changes, format: JSONL, as_stream: true, max_files: 1, "
           "schema: {id: bigint, name: string, amount: 'decimal(12,2)', at: timestamp, part: string, seq: bigint, op: string}")
MERGES = {
    "scd1": ("", "order_by: seq, delete_where: \"op = 'D'\", exclude_columns: [op]"),
    "scd2": ("", "scd_type: 2, order_by: seq, delete_where: \"op = 'D'\", exclude_columns: [op, seq]"),
    "scd1_parts": (", partition_by: [part]", "order_by: seq, delete_where: \"op = 'D'\", exclude_columns: [op]"),
    "scd1_rewriting": (", properties: {delta.enableDeletionVectors: 'false'}",
                       "order_by: seq, delete_where: \"op = 'D'\", exclude_columns: [op]"),
    "scd1_clustered": (", cluster_by: [part, amount, id]",
                       "order_by: seq, delete_where: \"op = 'D'\", exclude_columns: [op]"),
    "scd2_parts": (", partition_by: [part]", "scd_type: 2, order_by: seq, exclude_columns: [op, seq]"),
}


def merge_pipeline(kinds: dict[str, tuple[str, str]]) -> str:
    lines = ["name: merging", "nodes:"]
    for name, (table, options) in kinds.items():
        lines += [f"- name: {name}", "  primary_keys: [id]", f"  sources: [{{{CHANGES}}}]",
                  f"  sinks: [{{path: ./{name}, format: DELTA, mode: MERGE{table}, "
                  f"merge_cdc_options: {{{options}}}}}]"]
    return "\n".join(lines) + "\n"


def random_options(source: random.Random) -> tuple[str, str]:
    """A merge of random kind; partition and key stay apart."""
    scd = source.choice([1, 1, 2])
    parts = [f"scd_type: {scd}", "order_by: seq"]
    if source.random() < 0.7:
        parts.append("delete_where: \"op = 'D'\"")
    if scd == 1 and source.random() < 0.4:
        parts.append("ignore_null_updates: true")
    if source.random() < 0.3:
        parts.append("null_equals_null: true")
    parts.append("exclude_columns: " + source.choice(["[op]", "[op, at]", "[op, name]"]))
    table = source.choice(["", "", ", partition_by: [part]",
                           ", properties: {delta.enableDeletionVectors: 'false'}",
                           ", properties: {delta.checkpointInterval: '3'}"])
    return table, ", ".join(parts)


def changes(source: random.Random, count: int, base: int) -> str:
    def one(i: int) -> dict:
        return {"id": source.choice([None] + list(range(25)) * 2), "seq": base + source.randrange(1000) * 100 + i,
                "name": source.choice([None, "ann", "bob", "cid é"]),
                "amount": source.choice([None, 1.25, -0.01, 123456.78]),
                "at": source.choice([None, "2024-03-31T01:30:00.5Z", "1969-12-31T23:59:59Z"]),
                "part": source.choice([None, "a", "b/c"]), "op": source.choice("UUUUD")}
    return "".join(json.dumps(one(i)) + "\n" for i in range(count))


def write_all(folder: pathlib.Path, sampled: int, seed: int) -> list[str]:
    """Writes the tables below `folder`; gives their paths relative to it."""
    source = random.Random(seed)
    evolving = ['{"id": 1, "a": 5}', '{"id": 2, "b": "new"}', '{"id": 3, "s": {"x": 1}}',
                '{"id": 4, "s": {"y": "deep"}, "l": [1, 2]}', '{"id": 5}']
    write_files(folder, {
        "types.sql": EVERY_TYPE, "fixed.yaml": FIXED, "growing.yaml": GROWING,
        "merging.yaml": merge_pipeline(MERGES),
        "sampled.yaml": merge_pipeline({f"sampled_{i:02}": random_options(source)
                                        for i in range(sampled)}).replace("merging", "sampling"),
        "replaced.csv": "id,v\n1,a\n2,b\n",
        **{f"evolving_in/{i}.jsonl": line + "\n" for i, line in enumerate(evolving)},
        **{f"many_in/{i:02}.csv": f"id,v\n{i},row {i}\n{i + 100},\"x,{i}\"\n" for i in range(23)},
        **{f"changes/{i}.jsonl": changes(source, 30, i) for i in range(4)}})
    for name in ("fixed", "growing", "merging", "sampled"):
        must(lakemill("run", f"{name}.yaml", cwd=folder, timeout=300))
    for name in ("clustered", "clustered_mapped", "scd1_clustered"):
        must(lakemill("table", "optimize", name, cwd=folder))
    write_files(folder, {"replaced.csv": "id,v,extra\n7,c,2.5\n",
                         "changes/9.jsonl": changes(source, 40, 9)})
    for name in ("growing", "merging", "sampled"):
        must(lakemill("run", f"{name}.yaml", cwd=folder, timeout=300))
    return ["types", "empty", "by_text", "by_types", "by_time", "clustered", "clustered_mapped", "evolving", "many_commits",
            "main/bronze/orders", "replaced", "checked", "quarantine", *MERGES, "scd1_rejected",
            *(f"sampled_{i:02}" for i in range(sampled))]
