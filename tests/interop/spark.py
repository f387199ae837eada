#!/usr/bin/env python3
"""Spark reads what pipelines wrote, and pipelines go on with what Spark wrote.

One Spark for all cases: it takes half a minute to start.
--sampled N  tables of random merges besides the fixed ones (50), --seed repeats them
"""
import argparse
import json
import os
import pathlib
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from harness import environment  # noqa: E402

environment.enter()

import pyarrow as pa  # noqa: E402
import pyarrow.parquet as pq  # noqa: E402
import feeds  # noqa: E402
import written_tables  # noqa: E402
from harness import tables  # noqa: E402
from harness.process import Failure, lakemill, must, parquet, write_files  # noqa: E402
from harness.suite import Suite  # noqa: E402


def start_spark(folder: pathlib.Path):
    """A small local Spark with Delta."""
    from pyspark.sql import SparkSession
    jars = environment.delta_jars()
    if not jars:
        if os.environ.get("LAKEMILL_SKIP_TEST_ENV") == "1":
            environment.skip("the jars of Delta for Spark were left out")
        sys.exit("no jars of Delta for Spark: run tools/test_env.sh")
    return (SparkSession.builder.master("local[2]").appName("lakemill-interop")
            .config("spark.jars", ",".join(jars))
            .config("spark.sql.extensions", "io.delta.sql.DeltaSparkSessionExtension")
            .config("spark.sql.catalog.spark_catalog", "org.apache.spark.sql.delta.catalog.DeltaCatalog")
            .config("spark.ui.enabled", "false").config("spark.sql.shuffle.partitions", "2")
            .config("spark.sql.session.timeZone", "UTC").config("spark.driver.memory", "1g")
            .config("spark.driver.host", "127.0.0.1").config("spark.driver.bindAddress", "127.0.0.1")
            .config("spark.databricks.delta.snapshotPartitions", "2")
            .config("spark.sql.sources.parallelPartitionDiscovery.parallelism", "2")
            .config("spark.sql.warehouse.dir", str(folder / "warehouse"))
            .config("spark.driver.extraJavaOptions", 
                    f"-Duser.timezone=UTC -Dderby.system.home={folder} -XX:TieredStopAtLevel=1 -XX:+UseSerialGC")
            .getOrCreate())


FOREIGN = """
name: foreign
nodes:
- name: n
  primary_keys: [id]
  sources: [{path: ./more.jsonl, format: JSONL, schema: {id: bigint, v: string, part: string, seq: bigint}}]
  sinks: [{path: ./foreign, format: DELTA, mode: %s%s}]
"""
MORE = [{"id": 1, "v": "changed", "part": "a b", "seq": 9}, {"id": 100, "v": "new", "part": None, "seq": 9}]
ROWS = ("SELECT id, concat('v', id) AS v, element_at(array('a b', 'x/y=z', NULL), cast(id % 3 + 1 AS int)) AS part, "
        "cast(1 AS bigint) AS seq FROM range({}, {})")
NAMES = ("id", "v", "part", "seq")


class Spark:
    """Both readers of a table, and SQL on it."""

    def __init__(self, session):
        self.session = session

    def sql(self, text: str) -> None:
        self.session.sql(text).collect()

    def read(self, path: pathlib.Path) -> pa.Table:
        return self.session.read.format("delta").load(str(path)).toArrow()

    def both_equal(self, folder: pathlib.Path, table: str) -> pa.Table:
        sql = f"SELECT * FROM delta_scan('{folder / table}')"
        ours = pq.read_table(parquet(sql, folder, folder / "ours.parquet"))
        tables.must_equal(ours, self.read(folder / table), f"{table} (read here / by Spark)")
        return ours

    def go_on(self, folder: pathlib.Path, mode: str, options: str = "") -> None:
        """Merges or appends MORE to the table `foreign`, and both read it again."""
        write_files(folder, {"p.yaml": FOREIGN % (mode, options),
                             "more.jsonl": "".join(json.dumps(row) + "\n" for row in MORE)})
        before = rows_of(self.both_equal(folder, "foreign"))
        must(lakemill("run", "p.yaml", cwd=folder))
        added = [tuple(row[n] for n in NAMES) for row in MORE]
        if mode == "MERGE":
            want = {**{row[0]: row for row in before}, **{row[0]: row for row in added}}.values()
        else:
            want = [*before, *added]
        got = rows_of(self.both_equal(folder, "foreign"))
        if got != sorted(want, key=repr):
            raise Failure(f"{mode}: {len(got)} rows {got[:5]}… expected {sorted(want, key=repr)[:5]}…")


def rows_of(table: pa.Table) -> list[tuple]:
    return sorted(zip(*(table.column(n).to_pylist() for n in NAMES)), key=repr)


# What Spark does to make a table `foreign` ({t} is its quoted path).
KINDS = {
    "appended": ["CREATE TABLE {t} USING delta AS " + ROWS.format(0, 10),
                 "INSERT INTO {t} " + ROWS.format(10, 20)],
    "partitioned": ["CREATE TABLE {t} USING delta PARTITIONED BY (part) AS " + ROWS.format(0, 12)],
    "with deletion vectors": [
        "CREATE TABLE {t} USING delta TBLPROPERTIES ('delta.enableDeletionVectors' = 'true') AS " + ROWS.format(0, 40),
        "DELETE FROM {t} WHERE id % 5 = 0 AND id > 1", "UPDATE {t} SET v = 'updated' WHERE id = 7"],
    "with mapped columns, one renamed and one dropped": [
        "CREATE TABLE {t} USING delta TBLPROPERTIES ('delta.columnMapping.mode' = 'name', "
        "'delta.minReaderVersion' = '2', 'delta.minWriterVersion' = '5') AS "
        "SELECT id, v AS old_name, part, seq, 1 AS gone FROM (" + ROWS.format(0, 10) + ")",
        "ALTER TABLE {t} RENAME COLUMN old_name TO v", "ALTER TABLE {t} DROP COLUMN gone",
        "INSERT INTO {t} " + ROWS.format(10, 15)],
    "with mapped columns, partitions and deletion vectors": [
        "CREATE TABLE {t} USING delta PARTITIONED BY (part) TBLPROPERTIES ('delta.columnMapping.mode' = 'name', "
        "'delta.enableDeletionVectors' = 'true') AS " + ROWS.format(0, 12),
        "DELETE FROM {t} WHERE id = 5"],
    "with checkpoints": [
        "CREATE TABLE {t} USING delta TBLPROPERTIES ('delta.checkpointInterval' = '3') AS " + ROWS.format(0, 3),
        *("INSERT INTO {t} " + ROWS.format(i * 3, i * 3 + 3) for i in range(1, 8))],
    "with V2 checkpoints": [
        "CREATE TABLE {t} USING delta TBLPROPERTIES ('delta.checkpointInterval' = '2', "
        "'delta.checkpointPolicy' = 'v2') AS " + ROWS.format(0, 3),
        *("INSERT INTO {t} " + ROWS.format(i * 3, i * 3 + 3) for i in range(1, 6))],
    "clustered": ["CREATE TABLE {t} (id bigint, v string, part string, seq bigint) USING delta CLUSTER BY (part, id)",
                  "INSERT INTO {t} " + ROWS.format(0, 10), "OPTIMIZE {t}",
                  "INSERT INTO {t} " + ROWS.format(10, 20)],
    "clustered, with mapped columns": [
        "CREATE TABLE {t} (id bigint, v string, part string, seq bigint) USING delta CLUSTER BY (id) "
        "TBLPROPERTIES ('delta.columnMapping.mode' = 'name', 'delta.enableDeletionVectors' = 'true')",
        "INSERT INTO {t} " + ROWS.format(0, 10)],
    "merged": ["CREATE TABLE {t} USING delta AS " + ROWS.format(0, 20),
               "MERGE INTO {t} t USING (" + ROWS.format(15, 25) + ") s ON s.id = t.id "
               "WHEN MATCHED THEN UPDATE SET v = 'spark' WHEN NOT MATCHED THEN INSERT *"],
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sampled", type=int, default=50)
    parser.add_argument("--seed", type=int, default=20240331)
    suite = Suite("spark", parser)
    written = pathlib.Path(tempfile.mkdtemp(prefix="lakemill-written-")).resolve()
    names = written_tables.write_all(written, suite.options.sampled, suite.options.seed)
    spark = Spark(start_spark(written))

    for name in names:
        suite.add(f"reads {name}", lambda _, n=name: spark.both_equal(written, n) and None)

    for kind, statements in KINDS.items():
        for mode, options in (("MERGE", ", merge_cdc_options: {order_by: seq}"), ("APPEND", "")):
            def case(folder, statements=statements, mode=mode, options=options):
                for statement in statements:
                    spark.sql(statement.format(t=f"delta.`{folder / 'foreign'}`"))
                spark.go_on(folder, mode, options)
            suite.add(f"its table {kind}, then {mode} and read again", case)

    feeds.add_spark_cases(suite, spark)

    @suite.case("goes on with our table: DML, OPTIMIZE; we read and merge it")
    def back_and_forth(folder):
        write_files(folder, {"p.yaml": FOREIGN % ("MERGE", ", merge_cdc_options: {order_by: seq}"),
                             "more.jsonl": "".join(json.dumps(row) + "\n" for row in MORE)})
        must(lakemill("run", "p.yaml", cwd=folder))
        t = f"delta.`{folder / 'foreign'}`"
        for statement in ("INSERT INTO {t} " + ROWS.format(200, 210), "DELETE FROM {t} WHERE id = 201",
                          "UPDATE {t} SET v = 'u' WHERE id = 202",
                          "MERGE INTO {t} t USING (" + ROWS.format(203, 205) + ") s ON s.id = t.id "
                          "WHEN MATCHED THEN UPDATE SET v = 'm'", "OPTIMIZE {t}"):
            spark.sql(statement.format(t=t))
        spark.both_equal(folder, "foreign")
        write_files(folder, {"more.jsonl": json.dumps({"id": 205, "v": "ours", "part": "z", "seq": 10}) + "\n"})
        must(lakemill("run", "p.yaml", cwd=folder))
        got = [row[:2] for row in rows_of(spark.both_equal(folder, "foreign"))]
        want = sorted([(1, "changed"), (100, "new"), (202, "u"), (203, "m"), (204, "m"), (205, "ours"),
                       *((i, f"v{i}") for i in (200, 206, 207, 208, 209))], key=repr)
        if sorted(got, key=repr) != want:
            raise Failure(f"got {got}\n  expected {want}")

    @suite.case("sees what our table is clustered by, changes it, and orders it; so do we with its own")
    def clustered(folder):
        write_files(folder, {"p.yaml": FOREIGN % ("MERGE", ", cluster_by: [part, id], merge_cdc_options: {order_by: seq}"),
                             "more.jsonl": "".join(json.dumps(row) + "\n" for row in MORE)})
        must(lakemill("run", "p.yaml", cwd=folder))
        t = f"delta.`{folder / 'foreign'}`"

        def detail() -> list[str]:
            return list(spark.session.sql(f"DESCRIBE DETAIL {t}").collect()[0]["clusteringColumns"])
        if detail() != ["part", "id"]:
            raise Failure(f"Spark sees the clustering columns {detail()}")
        for statement in ("INSERT INTO {t} " + ROWS.format(200, 230), "OPTIMIZE {t}",
                          "INSERT INTO {t} " + ROWS.format(230, 260)):
            spark.sql(statement.format(t=t))
        before = rows_of(spark.both_equal(folder, "foreign"))
        must(lakemill("table", "optimize", "foreign", cwd=folder))
        if rows_of(spark.both_equal(folder, "foreign")) != before:
            raise Failure("optimize changed rows")
        spark.sql(f"ALTER TABLE {t} CLUSTER BY (seq)")
        shown = must(lakemill("table", "show", "foreign", cwd=folder)).text
        if "clustered by" not in shown or "seq" not in shown:
            raise Failure(f"table show after ALTER TABLE: {shown}")
        write_files(folder, {"more.jsonl": json.dumps({"id": 205, "v": "ours", "part": "z", "seq": 10}) + "\n"})
        must(lakemill("run", "p.yaml", cwd=folder))
        if detail() != ["part", "id"]:
            raise Failure(f"after our next batch Spark sees the clustering columns {detail()}")
        must(lakemill("table", "optimize", "foreign", cwd=folder))
        spark.sql(f"OPTIMIZE {t}")
        spark.both_equal(folder, "foreign")

    @suite.case("its clustered table is optimized here, and again there")
    def optimized(folder):
        t = f"delta.`{folder / 'foreign'}`"
        spark.sql(f"CREATE TABLE {t} (id bigint, v string, part string, seq bigint) USING delta CLUSTER BY (part, id)")
        for i in range(3):
            spark.sql(f"INSERT INTO {t} " + ROWS.format(i * 10, i * 10 + 10))
        before = rows_of(spark.both_equal(folder, "foreign"))
        shown = must(lakemill("table", "optimize", "foreign", cwd=folder)).text
        if "files became 1" not in shown or rows_of(spark.both_equal(folder, "foreign")) != before:
            raise Failure(f"optimize: {shown}")
        spark.sql(f"INSERT INTO {t} " + ROWS.format(30, 40))
        spark.sql(f"OPTIMIZE {t}")
        if len(rows_of(spark.both_equal(folder, "foreign"))) != len(before) + 10:
            raise Failure("rows were lost")

    @suite.case("writes into our table that is clustered by its 40th column")
    def clustered_by_a_late_column(folder):
        columns = ", ".join(f"{i} AS c{i}" for i in range(40))
        write_files(folder, {"p.yaml": f"""
name: late
nodes:
- name: n
  sources: [{{data: {{x: [1, 2]}}}}]
  transformer: {{nodes: [{{expr: "SELECT {columns} FROM {{df}}"}}]}}
  sinks: [{{path: ./foreign, format: DELTA, cluster_by: [c39], properties: {{delta.dataSkippingStatsColumns: "c0,c39"}}}}]
"""})
        must(lakemill("run", "p.yaml", cwd=folder))
        t = f"delta.`{folder / 'foreign'}`"
        spark.sql(f"INSERT INTO {t} SELECT * FROM {t}")
        must(lakemill("table", "optimize", "foreign", cwd=folder))
        spark.sql(f"ALTER TABLE {t} CLUSTER BY (c39)")  # as it is: Spark finds its statistics
        spark.sql(f"OPTIMIZE {t}")
        spark.both_equal(folder, "foreign")

    @suite.case("its widened types are read as in Spark, or refused by name")
    def widened(folder):
        t = f"delta.`{folder / 'foreign'}`"
        spark.sql(f"CREATE TABLE {t} (a short, b int, c float) USING delta TBLPROPERTIES ('delta.enableTypeWidening' = 'true')")
        spark.sql(f"INSERT INTO {t} VALUES (1, 2, 1.5)")
        for column, kind in (("a", "int"), ("b", "bigint"), ("c", "double")):
            spark.sql(f"ALTER TABLE {t} ALTER COLUMN {column} TYPE {kind}")
        spark.sql(f"INSERT INTO {t} VALUES (100000, 10000000000, 2.5)")
        outcome = lakemill("query", f"SELECT * FROM delta_scan('{folder / 'foreign'}')", cwd=folder)
        if outcome.code == 0:
            spark.both_equal(folder, "foreign")
        elif "widening" not in outcome.text:
            raise Failure(outcome.describe())

    @suite.case("its every type and time travel are read")
    def types(folder):
        path = folder / "foreign"
        t = f"delta.`{path}`"
        spark.sql(f"""CREATE TABLE {t} USING delta AS SELECT true AS b, cast(-128 AS tinyint) AS i8, cast(1 AS smallint) AS i16,
            2 AS i32, cast(1.5 AS float) AS f, double('NaN') AS d, cast(1.25 AS decimal(38,10)) AS dec, X'00FF' AS bin,
            DATE '0001-01-01' AS day, TIMESTAMP '1900-01-01 00:00:00.000001' AS ts, TIMESTAMP_NTZ '2024-03-31 02:30:00.123456' AS ntz,
            named_struct('a', 1, 'l', array('x', NULL)) AS s, map('k', array(map(1, DATE '2024-01-01'))) AS m""")
        spark.sql(f"INSERT INTO {t} SELECT NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL")
        spark.both_equal(folder, "foreign")
        old = pq.read_table(parquet(f"SELECT * FROM delta_scan('{path}', version => 0)", folder, folder / "old.parquet"))
        tables.must_equal(old, spark.session.read.format("delta").option("versionAsOf", 0).load(str(path)).toArrow(), "version 0")

    suite.run()


if __name__ == "__main__":
    main()
