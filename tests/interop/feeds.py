"""Change feeds and maintenance of tables, here and by others: cases of both suites."""
import json
import pathlib

import pyarrow as pa
import pyarrow.parquet as pq
from harness import tables
from harness.process import Failure, lakemill, must, parquet, write_files

TIME = "_commit_timestamp"
MERGED = """
name: feed
nodes:
- name: n
  primary_keys: [id]
  sources: [{path: ./in, format: JSONL, as_stream: true, max_files: 1, schema: {id: bigint, part: string, v: string, seq: bigint, op: string}}]
  sinks:
  - path: ./t
    format: DELTA
    mode: MERGE
    partition_by: [%s]
    properties: {delta.enableChangeDataFeed: "true", delta.enableDeletionVectors: "%s"}
    merge_cdc_options: {order_by: seq, delete_where: "op = 'D'", exclude_columns: [op], scd_type: %d}
"""
BATCHES = [
    [(1, "a", "one", 1, "U"), (2, "b c", "two", 1, "U"), (3, None, "three", 1, "U"), (4, "a", "four", 1, "U")],
    [(1, "a", "eins", 2, "U"), (2, "a", "zwei", 2, "U"), (5, "x/y", "fünf", 2, "U")],
    [(3, None, "", 3, "D"), (4, "a", "vier", 3, "U")],
    [(1, "a", "", 4, "D"), (6, None, "sechs", 4, "U")],
]


def write_batches(folder: pathlib.Path, plain: bool) -> None:
    """The input of MERGED, a file for each batch; `plain`: without names that paths escape."""
    for number, batch in enumerate(BATCHES):
        rows = [dict(zip(("id", "part", "v", "seq", "op"), row)) for row in batch]
        for row in rows:
            if plain and row["part"]:
                row["part"] = row["part"].replace(" ", "").replace("/", "")
        write_files(folder, {f"in/{number}.jsonl": "".join(json.dumps(row) + "\n" for row in rows)})


def our_feed(folder: pathlib.Path, first: int) -> pa.Table:
    """What we say that versions from `first` on changed in table `t`."""
    sql = f"SELECT * FROM table_changes('{folder / 't'}', {first})"
    return pq.read_table(parquet(sql, folder, folder / "feed.parquet"))


def our_rows(folder: pathlib.Path) -> pa.Table:
    """The rows of table `t` as we read them."""
    return pq.read_table(parquet(f"SELECT * FROM delta_scan('{folder / 't'}')", folder, folder / "rows.parquet"))


def feeds_equal(ours: pa.Table, theirs: pa.Table, what: str) -> None:
    """Equal rows and changes; the times apart, which come from files' dates."""
    if ours.num_rows == 0:
        raise Failure(f"{what}: no change at all")
    names = [name for name in ours.column_names if name != TIME]
    tables.must_equal(ours.select(names), theirs.select(names), what)


def files_of(folder: pathlib.Path) -> int:
    """How many files table `t` has."""
    return len(json.loads(must(lakemill("table", "files", "t", "--json", cwd=folder)).out))


def add_cases(suite, read, feed, name: str) -> None:
    """Cases that every reader can take part in. `read(path)` and `feed(path, first)` are
    the other's view of a table."""
    plain = name != "Spark"  # delta-rs opens change files under their escaped names
    for vectors in ("true", "false") if name == "Spark" else ("false",):
        for scd in (1, 2):
            for part in ("part", ""):
                @suite.case(f"reads our feed (SCD {scd}, vectors {vectors}, partition '{part}') as we do")
                def ours(folder, vectors=vectors, scd=scd, part=part):
                    write_files(folder, {"p.yaml": MERGED % (part, vectors, scd)})
                    write_batches(folder, plain)
                    must(lakemill("run", "p.yaml", cwd=folder))
                    feeds_equal(our_feed(folder, 0), feed(folder / "t", 0), "feed here / there")
                    tables.must_equal(our_rows(folder), read(folder / "t"), "rows here / there")

    @suite.case("reads our table after optimize, restore and vacuum, and we go on")
    def maintained(folder):
        write_files(folder, {"p.yaml": MERGED % ("part", "true" if name == "Spark" else "false", 1)})
        write_batches(folder, plain)
        must(lakemill("run", "p.yaml", cwd=folder))
        before = our_rows(folder)
        files = files_of(folder)
        must(lakemill("table", "optimize", "t", cwd=folder))
        if files_of(folder) >= files:
            raise Failure(f"{files} files before optimize, {files_of(folder)} after")
        tables.must_equal(before, read(folder / "t"), "rows before optimize / after, there")
        must(lakemill("table", "restore", "t", "--version", "1", cwd=folder))
        tables.must_equal(our_rows(folder), read(folder / "t"), "restored here / there")
        must(lakemill("table", "vacuum", "t", "--retain", "0", "--force", cwd=folder))
        tables.must_equal(our_rows(folder), read(folder / "t"), "after vacuum here / there")
        write_files(folder, {"in/9.jsonl": json.dumps(
            {"id": 2, "part": "a", "v": "last", "seq": 9, "op": "U"}) + "\n"})
        must(lakemill("run", "p.yaml", cwd=folder))
        tables.must_equal(our_rows(folder), read(folder / "t"), "gone on here / there")


SPARK_FEEDS = {
    "": "'delta.enableChangeDataFeed' = 'true'",
    "with vectors": "'delta.enableChangeDataFeed' = 'true', 'delta.enableDeletionVectors' = 'true'",
    "with mapped columns": "'delta.enableChangeDataFeed' = 'true', 'delta.columnMapping.mode' = 'name'",
    "with columns mapped by id": "'delta.enableChangeDataFeed' = 'true', 'delta.columnMapping.mode' = 'id'",
}
SPARK_STEPS = [
    "INSERT INTO {t} SELECT id, concat('v', id) AS v, element_at(array('a b', 'x/y=z', NULL), cast(id % 3 + 1 AS int)) AS part FROM range(20)",
    "UPDATE {t} SET v = 'u' WHERE id % 4 = 0",
    "DELETE FROM {t} WHERE id % 5 = 1",
    "MERGE INTO {t} t USING (SELECT id, 'm' AS v, 'a b' AS part FROM range(15, 25)) s ON s.id = t.id "
    "WHEN MATCHED AND s.id = 16 THEN DELETE WHEN MATCHED THEN UPDATE SET v = s.v WHEN NOT MATCHED THEN INSERT *",
    "OPTIMIZE {t}", "DELETE FROM {t} WHERE part = 'x/y=z'", "RESTORE TABLE {t} TO VERSION AS OF 2",
    "INSERT OVERWRITE {t} SELECT id, 'o' AS v, NULL AS part FROM range(3)",
]


def add_spark_cases(suite, spark) -> None:
    """Spark's own feeds, and its maintenance of our tables."""
    def feed(path, first):
        return (spark.session.read.format("delta").option("readChangeFeed", "true")
                .option("startingVersion", first).load(str(path)).toArrow())

    add_cases(suite, spark.read, feed, "Spark")

    for number, (kind, properties) in enumerate(SPARK_FEEDS.items()):
        parts = "PARTITIONED BY (part)" if number % 2 else ""

        @suite.case(f"its feed {kind} {parts} is read as it reads it")
        def theirs(folder, properties=properties, parts=parts):
            t = f"delta.`{folder / 't'}`"
            spark.sql(f"CREATE TABLE {t} (id bigint, v string, part string) USING delta {parts} TBLPROPERTIES ({properties})")
            for step in SPARK_STEPS:
                spark.sql(step.format(t=t))
            feeds_equal(our_feed(folder, 1), feed(folder / "t", 1), "feed here / there")
            tables.must_equal(our_rows(folder), spark.read(folder / "t"), "rows here / there")

    @suite.case("optimizes, vacuums and restores our table, and we go on")
    def maintained_there(folder):
        write_files(folder, {"p.yaml": MERGED % ("part", "true", 1)})
        write_batches(folder, False)
        must(lakemill("run", "p.yaml", cwd=folder))
        t = f"delta.`{folder / 't'}`"
        before = our_rows(folder)
        spark.sql(f"OPTIMIZE {t}")
        tables.must_equal(before, our_rows(folder), "rows before its OPTIMIZE / after")
        spark.sql(f"RESTORE TABLE {t} TO VERSION AS OF 1")
        tables.must_equal(our_rows(folder), spark.read(folder / "t"), "restored here / there")
        spark.session.conf.set("spark.databricks.delta.retentionDurationCheck.enabled", "false")
        spark.sql(f"VACUUM {t} RETAIN 0 HOURS")
        tables.must_equal(our_rows(folder), spark.read(folder / "t"), "vacuumed here / there")
        write_files(folder, {"in/9.jsonl": json.dumps(
            {"id": 2, "part": "a", "v": "last", "seq": 9, "op": "U"}) + "\n"})
        must(lakemill("run", "p.yaml", cwd=folder))
        tables.must_equal(our_rows(folder), spark.read(folder / "t"), "gone on here / there")
        must(lakemill("table", "optimize", "t", cwd=folder))
        must(lakemill("table", "vacuum", "t", cwd=folder))
        tables.must_equal(our_rows(folder), spark.read(folder / "t"), "optimized here / there")
