#!/usr/bin/env python3
"""delta-rs reads what pipelines wrote, and pipelines go on with what delta-rs wrote.

--sampled N  tables of random merges besides the fixed ones (50), --seed repeats them
"""
import argparse
import datetime
import decimal
import json
import pathlib
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from harness import environment  # noqa: E402

environment.enter()

import deltalake  # noqa: E402
import feeds  # noqa: E402
import pyarrow as pa  # noqa: E402
import pyarrow.parquet as pq  # noqa: E402
import written_tables  # noqa: E402
from harness import tables  # noqa: E402
from harness.process import Failure, lakemill, must, parquet, write_files  # noqa: E402
from harness.suite import Suite  # noqa: E402


def ours(folder: pathlib.Path, table: str) -> pa.Table:
    sql = f"SELECT * FROM delta_scan('{folder / table}')"
    return pq.read_table(parquet(sql, folder, folder / "ours.parquet"))


def theirs(folder: pathlib.Path, table: str) -> pa.Table:
    opened = deltalake.DeltaTable(str(folder / table))
    return pa.table(deltalake.QueryBuilder().register("t", opened)
                    .execute("SELECT * FROM t").read_all())


def both_equal(folder: pathlib.Path, table: str) -> pa.Table:
    got = ours(folder, table)
    tables.must_equal(got, theirs(folder, table), f"{table} (read here / by delta-rs)")
    return got


def rows_of(table: pa.Table, *names: str) -> list[tuple]:
    return sorted(zip(*(table.column(n).to_pylist() for n in names)), key=repr)


FOREIGN = """
name: foreign
nodes:
- name: n
  primary_keys: [id]
  sources: [{path: ./more.jsonl, format: JSONL, schema: {id: bigint, v: string, part: string, seq: bigint}}]
  sinks: [{path: ./foreign, format: DELTA, mode: %s%s}]
"""
MORE = [{"id": 1, "v": "changed", "part": "a b", "seq": 9}, {"id": 100, "v": "new", "part": None, "seq": 9}]


def frame(ids: range) -> pa.Table:
    return pa.table({"id": pa.array(ids, pa.int64()), "v": [f"v{i}" for i in ids],
                     "part": [["a b", "x/y", None][i % 3] for i in ids],
                     "seq": pa.array([1] * len(ids), pa.int64())})


def foreign(folder: pathlib.Path, mode: str, options: str = "") -> None:
    write_files(folder, {"p.yaml": FOREIGN % (mode, options),
                         "more.jsonl": "".join(json.dumps(row) + "\n" for row in MORE)})
    before = both_equal(folder, "foreign")
    must(lakemill("run", "p.yaml", cwd=folder))
    expected = {row[0]: row for row in rows_of(before, "id", "v", "part", "seq")}
    added = [tuple(row[n] for n in ("id", "v", "part", "seq")) for row in MORE]
    if mode == "MERGE":
        want = sorted({**expected, **{row[0]: row for row in added}}.values(), key=repr)
    else:
        want = sorted([*expected.values(), *added], key=repr)
    got = rows_of(both_equal(folder, "foreign"), "id", "v", "part", "seq")
    if got != want:
        raise Failure(f"{mode}: got {got[:5]}… expected {want[:5]}… ({len(got)} / {len(want)} rows)")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sampled", type=int, default=50)
    parser.add_argument("--seed", type=int, default=20240331)
    suite = Suite("delta-rs", parser)
    written = pathlib.Path(tempfile.mkdtemp(prefix="lakemill-written-")).resolve()
    names = written_tables.write_all(written, suite.options.sampled, suite.options.seed)
    for name in names:
        suite.add(f"reads {name}", lambda _, n=name: both_equal(written, n) and None)

    for mode, options in (("MERGE", ", merge_cdc_options: {order_by: seq}"), ("APPEND", "")):
        @suite.case(f"its appended table, then {mode} and read again")
        def plain(folder, mode=mode, options=options):
            deltalake.write_deltalake(str(folder / "foreign"), frame(range(10)))
            deltalake.write_deltalake(str(folder / "foreign"), frame(range(10, 20)), mode="append")
            foreign(folder, mode, options)

        @suite.case(f"its partitioned table, then {mode} and read again")
        def partitioned(folder, mode=mode, options=options):
            deltalake.write_deltalake(str(folder / "foreign"), frame(range(12)), partition_by=["part"])
            foreign(folder, mode, options)

        @suite.case(f"its table after delete, checkpoint and log cleaning, then {mode}")
        def checkpointed(folder, mode=mode, options=options):
            for i in range(12):
                deltalake.write_deltalake(str(folder / "foreign"), frame(range(i * 3, i * 3 + 3)), mode="append")
            table = deltalake.DeltaTable(str(folder / "foreign"))
            table.delete("id % 5 = 0")
            table.create_checkpoint()
            for commit in sorted((folder / "foreign/_delta_log").glob("*.json"))[:-1]:
                commit.unlink()
            foreign(folder, mode, options)

    def feed(path, first):
        read = pa.table(deltalake.DeltaTable(str(path)).load_cdf(starting_version=first).read_all())
        version = read.column_names.index("_commit_version")
        return read.set_column(version, "_commit_version", read["_commit_version"].cast(pa.int64()))

    feeds.add_cases(suite, lambda path: theirs(path.parent, path.name), feed, "delta-rs")

    @suite.case("goes on with our table: appends, deletes, merges, optimizes; we read and merge it")
    def back_and_forth(folder):
        write_files(folder, {"p.yaml": FOREIGN % (
            "MERGE", ", properties: {delta.enableDeletionVectors: 'false'}, merge_cdc_options: {order_by: seq}"),
            "more.jsonl": "".join(json.dumps(row) + "\n" for row in MORE)})
        must(lakemill("run", "p.yaml", cwd=folder))
        deltalake.write_deltalake(str(folder / "foreign"), frame(range(200, 210)), mode="append")
        table = deltalake.DeltaTable(str(folder / "foreign"))
        table.delete("id = 201")
        table.merge(frame(range(202, 204)).set_column(1, "v", pa.array(["m", "m"])), "s.id = t.id",
                    source_alias="s", target_alias="t").when_matched_update_all().execute()
        table.optimize.compact()
        table.create_checkpoint()
        both_equal(folder, "foreign")
        write_files(folder, {"more.jsonl": json.dumps({"id": 205, "v": "ours", "part": "z", "seq": 10}) + "\n"})
        must(lakemill("run", "p.yaml", cwd=folder))
        got = rows_of(both_equal(folder, "foreign"), "id", "v")
        want = sorted([(1, "changed"), (100, "new"), (202, "m"), (203, "m"), (205, "ours")] +
                      [(i, f"v{i}") for i in (200, 204, 206, 207, 208, 209)], key=repr)
        if got != want:
            raise Failure(f"got {got}\n  expected {want}")

    @suite.case("its every type is read")
    def types(folder):
        wall = datetime.datetime(2024, 3, 31, 2, 30, 0, 123456)
        utc = wall.replace(tzinfo=datetime.timezone.utc)
        deltalake.write_deltalake(str(folder / "foreign"), pa.table({
            "b": pa.array([True, None]), "i8": pa.array([-128, None], pa.int8()),
            "i16": pa.array([1, None], pa.int16()), "i32": pa.array([1, None], pa.int32()),
            "f": pa.array([1.5, None], pa.float32()), "d": pa.array([float("nan"), None]),
            "dec": pa.array([decimal.Decimal("1.25"), None], pa.decimal128(38, 10)),
            "bin": pa.array([b"\x00\xff", None]), "day": pa.array([datetime.date(1, 1, 1), None]),
            "ts": pa.array([utc, None], pa.timestamp("us", "UTC")),
            "ntz": pa.array([wall, None], pa.timestamp("us")),
            "s": pa.array([{"a": 1, "l": ["x", None]}, None]),
            "m": pa.array([[("k", 1)], None], pa.map_(pa.string(), pa.int64()))}))
        both_equal(folder, "foreign")

    suite.run()


if __name__ == "__main__":
    main()
