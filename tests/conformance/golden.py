#!/usr/bin/env python3
"""Tables written by others, of the corpus, read row for row and type for type."""
import json
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from harness import environment  # noqa: E402

environment.enter()

import pyarrow as pa  # noqa: E402
import pyarrow.parquet as pq  # noqa: E402
from harness import tables  # noqa: E402
from harness.process import Failure, lakemill, must, parquet  # noqa: E402
from harness.suite import SkipCase, Suite  # noqa: E402

# What a table that cannot be read must be told, one of the words.
REFUSED = {
    "deltalog-commit-info": ["schema", "columns"],
    "deltalog-invalid-protocol-version": ["99", "protocol", "version"],
    "deltalog-state-reconstruction-from-checkpoint-missing-protocol": ["protocol"],
    "deltalog-state-reconstruction-without-protocol": ["protocol"],
    "log-replay-special-characters-b": ["special p@#h"],
    "no-delta-log-folder": ["not a Delta table", "_delta_log", "no Delta table"],
    "versions-not-contiguous": ["1"],
}
# Tables whose log ends with no file at all.
EMPTY = {"canonicalized-paths-normal-b", "canonicalized-paths-special-b"}
# Kernel tables that need a feature which is refused by name.
KERNEL_REFUSED = {"unshredded-variant": ["variant"]}


def read(folder: pathlib.Path, table: pathlib.Path) -> pa.Table:
    """All rows of `table`, by the binary."""
    sql = f"SELECT * FROM delta_scan('{table}')"
    return pq.read_table(parquet(sql, folder, folder / "got.parquet"))


def instants(expected: pa.Table, kinds: dict[str, str]) -> pa.Table:
    """INT96 has no zone in its type: Delta's `timestamp` is an instant all the same."""
    columns = []
    for field, column in zip(expected.schema, expected.columns):
        if pa.types.is_timestamp(field.type) and not field.type.tz \
                and kinds.get(field.name) == "timestamp":
            column = column.cast(pa.timestamp("us"), safe=False).cast(pa.timestamp("us", "UTC"))
        columns.append(column)
    return pa.table(columns, names=expected.schema.names)


def declared(table: pathlib.Path) -> dict[str, str]:
    """Top-level column → Delta type, by the newest metadata in the JSON commits."""
    kinds: dict[str, str] = {}
    for commit in sorted((table / "_delta_log").glob("*.json")):
        if not commit.stem.isdigit():
            continue
        for line in commit.read_text().splitlines():
            metadata = json.loads(line).get("metaData")
            if metadata and "schemaString" in metadata:
                kinds = {field["name"]: field["type"]
                         for field in json.loads(metadata["schemaString"])["fields"]
                         if isinstance(field["type"], str)}
    return kinds


def golden_case(folder: pathlib.Path, source: pathlib.Path) -> None:
    got = read(folder, source / "delta")
    parts = sorted((source / "expected").rglob("*.parquet"))
    expected = pa.concat_tables(
        [pq.read_table(part, partitioning=None) for part in parts],
        promote_options="permissive")
    kinds = declared(source / "delta")
    tables.must_equal(got, instants(expected, kinds), source.name)


def refused_case(folder: pathlib.Path, table: pathlib.Path, words: list[str]) -> None:
    outcome = must(lakemill("query", f"SELECT * FROM delta_scan('{table}')", cwd=folder), 1)
    if outcome.out:
        raise Failure(f"rows on standard output\n  {outcome.describe()}")
    lines = [line for line in outcome.err.strip().splitlines() if line.strip()]
    if not lines or len(lines) > 6:
        raise Failure(f"want one clear message\n  {outcome.describe()}")
    if not any(word.lower() in outcome.err.lower() for word in words):
        raise Failure(f"want one of {words} in the message\n  {outcome.describe()}")
    if table.name not in outcome.err and table.parent.name not in outcome.err:
        raise Failure(f"the message does not name the table\n  {outcome.describe()}")


def empty_case(folder: pathlib.Path, table: pathlib.Path) -> None:
    got = read(folder, table)
    if got.num_rows:
        raise Failure(f"{got.num_rows} rows in a table without files")


def peer_rows(table: pathlib.Path) -> pa.Table:
    """What delta-rs reads."""
    import deltalake
    try:
        opened = deltalake.DeltaTable(str(table))
        found = deltalake.QueryBuilder().register("t", opened).execute("SELECT * FROM t")
        return pa.table(found.read_all())
    except Exception as refusal:  # a peer that cannot is not an answer
        raise SkipCase(f"delta-rs cannot read it: {str(refusal)[:100]}") from refusal


def kernel_case(folder: pathlib.Path, table: pathlib.Path) -> None:
    expected = peer_rows(table)
    tables.must_equal(read(folder, table), expected, table.name, types=False)


def main() -> None:
    corpus = environment.corpus() / "delta"
    suite = Suite("golden")
    for source in sorted((corpus / "golden").iterdir()):
        name = f"golden {source.name}"
        if (source / "expected").is_dir():
            suite.add(name, lambda f, s=source: golden_case(f, s))
        elif source.name in EMPTY:
            suite.add(name, lambda f, s=source: empty_case(f, s / "delta"))
        else:
            words = REFUSED.get(source.name, [""])
            suite.add(name, lambda f, s=source, w=words: refused_case(f, s / "delta", w))
    for source in sorted((corpus / "kernel").iterdir()):
        if not (source / "_delta_log").is_dir():
            continue
        if source.name in KERNEL_REFUSED:
            words = KERNEL_REFUSED[source.name]
            suite.add(f"kernel {source.name}",
                      lambda f, s=source, w=words: refused_case(f, s, w))
        else:
            suite.add(f"kernel {source.name}", lambda f, s=source: kernel_case(f, s))
    suite.run()


if __name__ == "__main__":
    main()
