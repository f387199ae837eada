#!/usr/bin/env python3
"""Pipelines on a real Spark Connect server with Delta: the same tables as the embedded
engine's, the same refusals, and nothing twice.

One server for all cases: it takes half a minute to start, and its first query ten seconds.
"""
import json
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from harness import environment  # noqa: E402

environment.enter()

import pyarrow as pa  # noqa: E402
import pyarrow.parquet as pq  # noqa: E402
from harness import tables  # noqa: E402
from harness.process import Failure, json_rows, lakemill, must, parquet, rows, write_files  # noqa: E402
from harness.suite import Suite  # noqa: E402
from spark_server import SparkServer, free_port  # noqa: E402

TIMEOUT = 300
suite = Suite("spark")
server: SparkServer | None = None

ORDERS = '''id,customer,amount,day,note
1,ann,10.50,2024-01-01,"a, b"
2,bob,20.25,2024-01-02,
3,ann,5,2024-01-02,"say ""hi"""
4,cid,,2024-02-29,""
5,bob,-7.125,2024-03-01,über 50%
6,,0,2024-03-01,it's \\ a_b
7,dan,100.00,2023-12-31,
'''

PIPELINE = '''
name: shop
dataframe_backend: SPARK
nodes:
- name: silver
  sources:
  - {path: ./orders.csv, format: CSV, filter: "day >= '2024-01-01'", renames: {note: remark}}
  transformer:
    nodes:
    - expr: |
        SELECT CAST(id AS BIGINT) AS id, customer, CAST(amount AS DECIMAL(10,3)) AS amount,
               CAST(day AS DATE) AS day, remark
        FROM {df}
  expectations:
  - {name: has_amount, expr: amount IS NOT NULL, action: QUARANTINE}
  - {name: known, expr: customer IS NOT NULL, action: DROP}
  - {name: positive, expr: amount > 0}
  sinks:
  - {path: ./silver, format: DELTA, partition_by: [customer]}
  - {path: ./quarantine, format: DELTA, is_quarantine: true}
- name: ranked
  sources: [{node_name: silver}]
  transformer:
    nodes:
    - expr: |
        WITH days AS (SELECT DISTINCT day, month(day) AS m FROM {df})
        SELECT s.id, s.customer, s.amount / 3 AS third, (s.id - 4) // 2 AS half, s.id % 2 AS odd,
               coalesce(s.remark, 'none') || '!' AS remark, upper(left(s.remark, 3)) AS head,
               s.remark LIKE '%a_b' AS likes, d.m, date_trunc('month', s.day) AS month,
               CAST(s.amount AS INTEGER) AS rounded, CAST(s.day AS TIMESTAMP) AS at,
               extract(year FROM s.day) AS y, s.amount IS DISTINCT FROM 10.5 AS other,
               sum(s.amount) OVER (PARTITION BY s.customer ORDER BY s.day ROWS UNBOUNDED PRECEDING) AS running,
               lag(s.id, 1, -1) OVER (ORDER BY s.id) AS before, s.id IN (1, 3) AS listed,
               CASE WHEN s.amount > 10 THEN 'big' WHEN s.amount < 0 THEN 'back' ELSE NULL END AS size
        FROM {df} s LEFT JOIN days d ON d.day = s.day
        QUALIFY row_number() OVER (PARTITION BY s.id ORDER BY s.day DESC) = 1
  sinks: [{path: ./ranked, format: DELTA}]
- name: gold
  layer: GOLD
  sources: [{node_name: silver}]
  transformer:
    nodes:
    - expr: |
        SELECT customer, count(*) AS orders, count(DISTINCT day) AS days, sum(amount) AS total,
               avg(amount) AS mean, min(remark) AS first_remark, max(day) AS last,
               count(*) FILTER (WHERE amount > 10) AS big
        FROM {df} GROUP BY customer HAVING count(*) > 0 ORDER BY total DESC
    - func_name: with_columns
      func_kwargs: {share: "nw.col('total') * 2"}
  expectations:
  - {name: unique, type: UNIQUE, columns: [customer], action: FAIL}
  - {name: some, type: AGGREGATE, expr: count(*) > 1, action: FAIL}
  sinks: [{table_name: revenue}]
'''

TABLES = {"silver": "delta_scan('silver')", "quarantine": "delta_scan('quarantine')",
          "ranked": "delta_scan('ranked')", "gold": "main.gold.revenue"}


def project(remote: str | None, extra: str = "") -> str:
    """lakemill.yaml; without a remote the embedded engine runs everything."""
    engine = f"engine: {{spark_remote: '{remote}'{extra}}}\n" if remote else ""
    return f"name: shop\nroot: .\n{engine}"


def set_up(folder: pathlib.Path, pipeline: str = PIPELINE, remote: str | None = "") -> None:
    write_files(folder, {"lakemill.yaml": project(server.remote if remote == "" else remote),
                         "p.yaml": pipeline, "orders.csv": ORDERS})


def run(folder: pathlib.Path, *args: str, code: int = 0):
    return must(lakemill("run", "p.yaml", *args, cwd=folder, timeout=TIMEOUT), code)


def table(folder: pathlib.Path, relation: str) -> pa.Table:
    name = "".join(c for c in relation if c.isalnum())
    return pq.read_table(parquet(f"SELECT * FROM {relation}", folder, folder / f"{name}.parquet"))


def commits(folder: pathlib.Path, path: str) -> list[dict]:
    """The actions of each commit of a table, newest last."""
    found = []
    for file in sorted((folder / path / "_delta_log").glob("*.json")):
        actions: dict = {}
        for line in file.read_text().splitlines():
            actions.update(json.loads(line))
        found.append(actions)
    return found


def by_spark(folder: pathlib.Path, path: str) -> bool:
    return "Spark" in commits(folder, path)[-1]["commitInfo"].get("engineInfo", "")


def expect(condition: bool, what: str) -> None:
    if not condition:
        raise Failure(what)


def refuse(folder: pathlib.Path, *says: str, args: tuple = ("run", "p.yaml"), code: int = 1) -> str:
    outcome = must(lakemill(*args, cwd=folder, timeout=TIMEOUT), code)
    for part in says:
        expect(part in outcome.text, f"does not say {part!r}\n  {outcome.describe()}")
    return outcome.text


@suite.case("one file runs on both engines and gives equal tables")
def equal_tables(folder: pathlib.Path) -> None:
    spark, embedded = folder / "spark", folder / "embedded"
    set_up(spark)
    set_up(embedded, remote=None)
    run(spark)
    run(embedded)
    for name, relation in TABLES.items():
        tables.must_equal(table(spark, relation), table(embedded, relation), name)
    for path in ("silver", "quarantine", "ranked", "main/gold/revenue"):
        expect(by_spark(spark, path), f"{path} was not written by Spark")
        expect(not by_spark(embedded, path), f"{path} was written by Spark")
    expect(len(rows("SELECT * FROM delta_scan('silver')", spark)) == 4, "silver has other rows")


@suite.case("a second run changes nothing, and the commit names the batch")
def runs_twice(folder: pathlib.Path) -> None:
    set_up(folder)
    run(folder)
    before = {name: table(folder, relation) for name, relation in TABLES.items()}
    counts = {path: len(commits(folder, path)) for path in ("silver", "ranked", "quarantine")}
    run(folder)
    for name, relation in TABLES.items():
        tables.must_equal(table(folder, relation), before[name], name)
    for path, count in counts.items():
        expect(len(commits(folder, path)) == count, f"{path} has a further commit")
    last = commits(folder, "silver")[-1]
    expect(last["txn"]["appId"] == "lakemill:shop/silver" and last["txn"]["version"] == 1,
           f"txn is {last['txn']}")
    note = json.loads(last["commitInfo"]["userMetadata"])["lakemill"]
    expect(note["batch"] == 1 and note["flow"] == "lakemill:shop/silver" and note["plan"],
           f"the commit says {note}")
    expect(last["metaData"]["configuration"]["lakemill.flow"] == "lakemill:shop/silver",
           "the table does not say whose it is")


@suite.case("engines take turns on one table")
def takes_turns(folder: pathlib.Path) -> None:
    set_up(folder)
    run(folder)
    write_files(folder, {"orders.csv": ORDERS + "8,eve,3,2024-04-01,new\n"})
    write_files(folder, {"lakemill.yaml": project(None)})
    run(folder)
    expect(not by_spark(folder, "silver"), "the embedded engine did not write")
    write_files(folder, {"orders.csv": ORDERS + "9,eve,4,2024-04-01,newer\n",
                         "lakemill.yaml": project(server.remote)})
    run(folder)
    expect(by_spark(folder, "silver"), "Spark did not write")
    expect(commits(folder, "silver")[-1]["txn"]["version"] == 3, "it is not batch 3")
    expect(rows("SELECT id FROM delta_scan('silver') WHERE customer = 'eve'", folder) == [[9]],
           "the last batch is not what the table holds")
    run(folder, "--full-refresh")
    expect(len(rows("SELECT * FROM delta_scan('silver')", folder)) == 5, "a refresh loses rows")


@suite.case("a batch whose answer was lost is not written again")
def lost_answer(folder: pathlib.Path) -> None:
    set_up(folder)
    run(folder)
    plans = list(folder.glob("_lakemill/flows/shop/silver/*/plans/*.json"))
    expect(len(plans) == 1, f"{plans}")
    plans[0].unlink()  # what it covered stands in Spark's commit
    run(folder)
    expect(len(commits(folder, "silver")) == 1, "the batch was written twice")
    expect(plans[0].exists(), "the plan was not repaired")


@suite.case("append adds rows, new columns too")
def appends(folder: pathlib.Path) -> None:
    pipeline = '''
name: a
dataframe_backend: PYSPARK
nodes:
- name: n
  sources: [{path: ./in.jsonl, format: JSONL, schema: {id: bigint, v: string%s}}]
  sinks: [{path: ./t, format: DELTA, mode: APPEND}]
'''
    set_up(folder, pipeline % "")
    write_files(folder, {"in.jsonl": '{"id": 1, "v": "x"}\n'})
    run(folder)
    write_files(folder, {"p.yaml": pipeline % ", w: double", "in.jsonl": '{"id": 2, "v": null, "w": 1.5}\n'})
    run(folder)
    expect(by_spark(folder, "t"), "t was not written by Spark")
    got = rows("SELECT id, v, w FROM delta_scan('t') ORDER BY id", folder)
    expect(got == [[1, "x", None], [2, None, 1.5]], f"got {got}")


@suite.case("values of every type come back as they went")
def types(folder: pathlib.Path) -> None:
    pipeline = '''
name: t
dataframe_backend: SPARK
nodes:
- name: n
  sources: [{path: ./in, format: DELTA}]
  sinks: [{path: ./out, format: DELTA}]
'''
    source = '''
name: s
nodes:
- name: n
  sources: [{data: {x: [1]}}]
  transformer:
    nodes:
    - expr: |
        SELECT true AS b, 1::TINYINT AS i8, 2::SMALLINT AS i16, 3::INTEGER AS i32, 4::BIGINT AS i64,
               1.5::FLOAT AS f, 2.5::DOUBLE AS d, 12.345::DECIMAL(20,3) AS m, 'a''b\\c' AS s,
               'xy'::BLOB AS y, DATE '2024-02-29' AS dt, TIMESTAMP '2024-02-29 10:11:12.123456' AS ts,
               TIMESTAMPTZ '2024-02-29 10:11:12+02' AS tz, [1, NULL, 3] AS l, {'a': 1, 'B': 'x'} AS st,
               MAP {'k': 1} AS mp, 'nan'::DOUBLE AS nan
        UNION ALL SELECT NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL
  sinks: [{path: ./in, format: DELTA}]
'''
    set_up(folder, pipeline)
    write_files(folder, {"s.yaml": source})
    must(lakemill("run", "s.yaml", cwd=folder))
    run(folder)
    expect(by_spark(folder, "out"), "out was not written by Spark")
    tables.must_equal(table(folder, "delta_scan('out')"), table(folder, "delta_scan('in')"), "types")
    preview = must(lakemill("preview", "n", "p.yaml", "--json", cwd=folder, timeout=TIMEOUT))
    shown = json_rows(preview.out.decode())
    expect(shown[0][:5] == [True, 1, 2, 3, 4] and shown[0][8] == "a'b\\c", f"preview shows {shown[0]}")
    expect(all(value is None for value in shown[1]), f"preview shows {shown[1]}")


@suite.case("SQL that fails on Spark names its node and line")
def failing_sql(folder: pathlib.Path) -> None:
    pipeline = '''name: f
dataframe_backend: SPARK
nodes:
- name: fine
  sources: [{path: ./orders.csv, format: CSV}]
  sinks: [{path: ./fine, format: DELTA}]
- name: broken
  sources: [{node_name: fine}]
  transformer:
    nodes:
    - expr: SELECT * FROM {df} WHERE id <> '3'
    - expr: SELECT CAST(note AS BIGINT) AS n FROM {df}
  sinks: [{path: ./broken, format: DELTA}]
'''
    set_up(folder, pipeline)
    said = refuse(folder, "p.yaml:12", "broken", "CAST_INVALID_INPUT")
    expect("stacktrace" not in said and "org.apache" not in said, f"says too much:\n{said}")
    expect((folder / "fine/_delta_log").exists(), "the other node did not run")
    expect(not (folder / "broken/_delta_log").exists(), "the failed node left a table")


@suite.case("what Spark would do otherwise is refused by name, before anything runs")
def refused(folder: pathlib.Path) -> None:
    pipeline = '''name: r
dataframe_backend: SPARK
nodes:
- name: n
  sources: [{path: ./orders.csv, format: CSV}]
  transformer: {nodes: [{expr: "%s"}]}
  sinks: [{path: ./t, format: DELTA}]
'''
    for sql, said in (("SELECT strftime(now(), '%%Y') AS y FROM {df}", "function strftime()"),
                      ("SELECT list(id) AS l FROM {df}", "function list()"),
                      ("SELECT DISTINCT ON (customer) * FROM {df}", "DISTINCT ON"),
                      ("SELECT * FROM {df} USING SAMPLE 1", "SAMPLE"),
                      ("SELECT substring(note, -2) AS s FROM {df}", "substring() whose argument 2"),
                      ("SELECT [id] AS l FROM {df}", "function list_value()")):
        write_files(folder, {"lakemill.yaml": project(f"sc://127.0.0.1:{free_port()}"),
                             "orders.csv": ORDERS, "p.yaml": pipeline % sql})
        refuse(folder, said, "p.yaml:6", "is not supported on Spark", "DUCKDB")
        expect(not (folder / "t").exists(), f"{sql} left a table")


@suite.case("nodes that Spark cannot run say so and run on the embedded engine")
def falls_back(folder: pathlib.Path) -> None:
    pipeline = '''name: b
dataframe_backend: SPARK
nodes:
- name: landed
  layer: BRONZE
  sources: [{path: ./orders.csv, format: CSV}]
  sinks: [{table_name: landed}]
- name: latest
  layer: SILVER
  primary_keys: [customer]
  sources: [{node_name: landed, as_stream: true, filter: customer IS NOT NULL}]
  sinks: [{table_name: latest, mode: MERGE, merge_cdc_options: {order_by: id}}]
- name: counted
  layer: GOLD
  sources: [{node_name: latest}]
  transformer: {nodes: [{expr: SELECT count(*) AS n FROM {df}}]}
  sinks: [{table_name: counted}]
- name: here
  dataframe_backend: DUCKDB
  sources: [{node_name: latest}]
  sinks: [{path: ./here, format: DELTA}]
'''
    set_up(folder, pipeline.replace("expr: SELECT count(*) AS n FROM {df}", 'expr: "SELECT count(*) AS n FROM {df}"'))
    said = run(folder).text
    for part in ("node landed runs on the embedded engine", "BRONZE",
                 "node latest runs on the embedded engine", "reads only what is new"):
        expect(part in said, f"does not say {part!r}:\n{said}")
    expect("node here" not in said and "node counted" not in said, f"says too much:\n{said}")
    expect(by_spark(folder, "main/gold/counted"), "counted was not written by Spark")
    expect(not by_spark(folder, "here"), "here was written by Spark")
    expect(rows("SELECT n FROM main.gold.counted", folder) == [[4]], "counted is wrong")


@suite.case("another flow's table is refused")
def other_flow(folder: pathlib.Path) -> None:
    set_up(folder)
    run(folder)
    write_files(folder, {"p.yaml": PIPELINE.replace("name: shop", "name: thief", 1)})
    refuse(folder, "holds batches of flow lakemill:shop/silver")
    expect(len(commits(folder, "silver")) == 1, "the table was written to")


@suite.case("a server that is not there, or is none, is a clear error and writes nothing")
def no_server(folder: pathlib.Path) -> None:
    gone = free_port()
    set_up(folder, remote=f"sc://127.0.0.1:{gone}/;token=verysecret")
    said = refuse(folder, f"Spark at 127.0.0.1:{gone}", "no connection")
    expect("verysecret" not in said, f"prints the token:\n{said}")
    must(lakemill("plan", "p.yaml", cwd=folder))
    for path in ("silver", "quarantine", "ranked"):
        expect(not (folder / path).exists(), f"{path} was made")
    write_files(folder, {"lakemill.yaml": project("sc://h/;tokn=verysecret")})
    said = refuse(folder, "unknown parameter 'tokn'", code=2)
    expect("verysecret" not in said, f"prints a value:\n{said}")
    write_files(folder, {"lakemill.yaml": project("sc://127.0.0.1:1/;token=${secret.NOT_SET}")})
    refuse(folder, "NOT_SET")


@suite.case("a statement that takes too long is given up")
def timeout(folder: pathlib.Path) -> None:
    set_up(folder)
    write_files(folder, {"lakemill.yaml": project(server.remote, ", spark_timeout: 1ms")})
    refuse(folder, f"Spark at 127.0.0.1:{server.port}")
    expect(not (folder / "silver/_delta_log").exists(), "silver was made")
    write_files(folder, {"lakemill.yaml": project(server.remote)})
    run(folder)
    expect(len(commits(folder, "silver")) == 1, "silver was not written once")


@suite.case("the server ends in mid-work: nothing half written")
def server_ends(folder: pathlib.Path) -> None:
    # The last case: it ends the server that all share.
    set_up(folder)
    run(folder)
    before = {name: table(folder, relation) for name, relation in TABLES.items()}
    server.stop()
    write_files(folder, {"orders.csv": ORDERS + "8,eve,3,2024-04-01,new\n"})
    refuse(folder, f"Spark at 127.0.0.1:{server.port}", "silver")
    for name, relation in TABLES.items():
        tables.must_equal(table(folder, relation), before[name], name)


if __name__ == "__main__":
    if suite.options.list:
        suite.run()
    with SparkServer() as server:
        suite.run()
