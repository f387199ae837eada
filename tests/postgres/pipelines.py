"""Projects that read a PostgreSQL database, and what must come of them."""
import hashlib
import json
import pathlib

from harness.process import Failure, lakemill, must, rows, write_files

SILVER_OPTIONS = ("{delete_where: \"_op = 'DELETE'\", truncate_where: \"_op = 'TRUNCATE'\", "
                  "exclude_columns: [_op, _unchanged, _rescued, _source_offset, _source_file, "
                  "_ingested_at, _run_id, _batch_id, _source]}")


def project(folder: pathlib.Path, uri: str, tables: dict[str, list[str]], connection: str = "",
            source: str = "", sink: str = "") -> None:
    """A bronze and a silver node for each table (name → keys; no keys: bronze only)."""
    nodes = []
    for table, keys in tables.items():
        name = table.replace(".", "_").lower()
        nodes.append(f"""
- name: {name}
  layer: BRONZE
  sources: [{{connection: shop, table: {table}{source}}}]
  sinks: [{{table_name: {name}{sink}}}]""")
        if keys:
            nodes.append(f"""
- name: {name}_now
  layer: SILVER
  primary_keys: [{", ".join(keys)}]
  sources: [{{node_name: {name}, as_stream: true}}]
  sinks: [{{table_name: {name}, mode: MERGE, merge_cdc_options: {SILVER_OPTIONS}}}]""")
    write_files(folder, {
        "lakemill.yaml": f"name: shop\nroot: lake\npipelines: [cdc.yaml]\nconnections:\n"
                         f"  shop: {{type: POSTGRES, uri: \"{uri}\"{connection}}}\n",
        "cdc.yaml": "name: cdc\nnodes:" + "".join(nodes) + "\n"})


def run(folder: pathlib.Path, *args: str, code: int = 0, **options):
    """One run of the pipeline."""
    return must(lakemill("run", "cdc.yaml", *args, cwd=folder, **options), code)


def refused(folder: pathlib.Path, *parts: str) -> str:
    """A run must fail and say all of `parts`."""
    outcome = run(folder, code=1)
    for part in parts:
        if part not in outcome.text:
            raise Failure(f"no '{part}' in: {outcome.text}")
    return outcome.text


def events(folder: pathlib.Path, kind: str) -> list[dict]:
    """Events of a type with their details, the oldest first."""
    told = must(lakemill("events", "--type", kind, "--json", "-n", "1000", cwd=folder))
    return sorted(json.loads(told.out), key=lambda each: each["sequence"])


def bronze(folder: pathlib.Path, table: str, columns: str = "_op", where: str = "true") -> list:
    """Rows of a bronze table in the order of their changes."""
    return rows(f"SELECT {columns} FROM main.bronze.{table} WHERE {where} "
                "ORDER BY _source_offset", folder)


def digest(values: list[list]) -> str:
    lines = sorted(json.dumps(row, sort_keys=True, default=str) for row in values)
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def same_as_source(folder: pathlib.Path, server, table: str, columns: str) -> int:
    """Compares a silver table with its source by hash; gives the number of rows. `columns`
    are texts on both sides."""
    name = table.replace(".", "_").lower()
    held = rows(f"SELECT {columns} FROM main.silver.{name}", folder)
    text = server.sql(f"SELECT json_build_array({columns}) FROM {table}")
    wanted = [json.loads(line) for line in text.splitlines() if line]
    if digest(held) == digest(wanted):
        return len(wanted)
    surplus = [row for row in held if row not in wanted][:5]
    missing = [row for row in wanted if row not in held][:5]
    raise Failure(f"{table}: {len(held)} rows in silver, {len(wanted)} in the source; only in "
                  f"silver {surplus}, only in the source {missing}")
