#!/usr/bin/env python3
"""What is promised of PostgreSQL as a source, tried against a real server."""
import json
import os
import pathlib
import random
import shutil
import signal
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from harness import environment  # noqa: E402
from harness.process import Failure, lakemill, must, rows  # noqa: E402
from harness.postgres_server import Server  # noqa: E402
from harness.suite import Suite  # noqa: E402
from postgres.pipelines import bronze, events, project, refused, run, same_as_source  # noqa: E402
from postgres.shop import LOADED, Load, Shop, check_load, expect, remove_servers, servers  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parents[2]

KILLS = 120 if os.environ.get("LAKEMILL_SOAK") == "1" else 12
suite = Suite("postgres")


@suite.case("a snapshot, then every change, then a silver table that is the source")
def snapshot_and_changes(folder: pathlib.Path) -> None:
    with Shop("first") as shop:
        shop.sql("CREATE TABLE items (id int PRIMARY KEY, name text, price numeric(10,2));"
                 "INSERT INTO items VALUES (1, 'one', 1.10), (2, '', 2.20), (3, NULL, NULL)")
        project(folder, shop.uri(), {"public.items": ["id"]})
        run(folder)
        expect(bronze(folder, "public_items", "_op, id, name"),
               [["SNAPSHOT", 1, "one"], ["SNAPSHOT", 2, ""], ["SNAPSHOT", 3, None]])
        shop.sql("UPDATE items SET name = 'two' WHERE id = 2; DELETE FROM items WHERE id = 3;"
                 "INSERT INTO items VALUES (4, 'four', 4.4); UPDATE items SET id = 9 WHERE id = 1")
        run(folder)
        expect(bronze(folder, "public_items", "_op, id, name", "_op <> 'SNAPSHOT'"),
               [["UPDATE", 2, "two"], ["DELETE", 3, None], ["INSERT", 4, "four"],
                ["DELETE", 1, None], ["INSERT", 9, "one"]])
        expect(same_as_source(folder, shop, "public.items", "id, name, price::text"), 3)
        run(folder)
        expect(len(bronze(folder, "public_items")), 8, "a run without changes adds nothing")



TYPES = """
CREATE TYPE mood AS ENUM ('sad', 'ok'); CREATE DOMAIN cents AS numeric(8,2);
CREATE TYPE pair AS (a int, b text);
CREATE TABLE kinds (id int PRIMARY KEY, b bool, i2 int2, i8 int8, f4 real, f8 float8,
  n numeric(38,10), free numeric, wide numeric(50,5), neg numeric(5,-2), d date, ts timestamp,
  tz timestamptz, t time, iv interval, js json, jb jsonb, u uuid, by bytea, m mood, c cents,
  p pair, r int4range, ip inet, ai int[], at text[], an numeric(10,2)[], atz timestamptz[],
  am mood[], ab bytea[], o oid, ch char(5), vc varchar(9));
INSERT INTO kinds VALUES (1, true, -32768, 9223372036854775807, 1.5, 0.1,
  1234567890123456789012345678.0123456789, 0.1000, 5.5, 12345, '2024-02-29',
  '2024-02-29 23:59:59.123456', '2024-02-29 23:59:59.5+05:30', '12:34:56.7', '1 day 02:00',
  '{"a": 1}', '{"b":[1,2]}', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', '\\x00ff', 'ok', 12.34,
  '(1,x)', '[1,5)', '10.0.0.1/8', '{1,NULL,3}',
  ARRAY['a', NULL, 'NULL', '', 'with "q", {b} \\ and' || chr(10) || 'line', 'x]y['],
  '{1.10,2.20}', '{2024-01-01 00:00:00+00}', '{sad,ok}', ARRAY['\\x01'::bytea], 4294967295, 'ab', 'x');
INSERT INTO kinds (id, f4, f8, n, d, ts, tz, ai, an, atz) VALUES (2, 'NaN', '-Infinity', 'NaN',
  'infinity', '0044-03-15 00:00 BC', '12345-01-01 00:00+00', '{{1,2},{3,4}}', '{NaN}',
  '{infinity}');
INSERT INTO kinds (id, ai, at) VALUES (3, '{}', '[2:3]={a,b}')"""


@suite.case("every type is what it was, or rescued, in the snapshot and in the stream alike")
def types(folder: pathlib.Path) -> None:
    with Shop("types") as shop:
        shop.sql(TYPES)
        project(folder, shop.uri(), {"public.kinds": ["id"]})
        run(folder)
        shop.sql("CREATE TABLE again AS SELECT * FROM kinds; DELETE FROM kinds;"
                 "INSERT INTO kinds SELECT * FROM again")
        run(folder)
        payload = "* EXCLUDE (_op, _source_offset, _ingested_at, _run_id, _batch_id)"
        snapshot = bronze(folder, "public_kinds", payload, "_op = 'SNAPSHOT'")
        stream = bronze(folder, "public_kinds", payload, "_op = 'INSERT'")
        expect(stream, snapshot, "the stream gives what the snapshot gave")
        expect(len(stream), 3)
        found = bronze(folder, "public_kinds", "b, i2, i8, f8, n::text, free, wide, neg::text, "
                       "d::text, ts::text, tz::text, t, iv, js, u, hex(\"by\"), m, c::text, p, r",
                       "id = 1 AND _op = 'INSERT'")
        expect(found, [[True, -32768, 9223372036854775807, 0.1,
                        "1234567890123456789012345678.0123456789", "0.1000", "5.50000", "12300",
                        "2024-02-29", "2024-02-29 23:59:59.123456",
                        "2024-02-29 18:29:59.5+00", "12:34:56.7", "1 day 02:00:00", '{"a": 1}',
                        "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11", "00FF", "ok", "12.34", "(1,x)",
                        "[1,5)"]])
        found = bronze(folder, "public_kinds", "ai, \"at\", an::text, am, o, ch, _rescued",
                       "id = 1 AND _op = 'INSERT'")
        expect(found, [[[1, None, 3], ["a", None, "NULL", "", 'with "q", {b} \\ and\nline', "x]y["],
                        "[1.10, 2.20]", ["sad", "ok"], 4294967295, "ab   ", None]])
        found = bronze(folder, "public_kinds", "n, d, ts, tz, ai, an, atz, isnan(f4), "
                       "f8 = '-infinity'::double, json_keys(_rescued)", "id = 2 AND _op = 'INSERT'")
        expect(found[0][:9], [None] * 7 + [True, True])
        expect(sorted(found[0][9]), ["ai", "an", "atz", "d", "n", "ts", "tz"])
        expect(bronze(folder, "public_kinds", "ai, \"at\", _rescued ->> 'at'",
                      "id = 3 AND _op = 'INSERT'"), [[[], None, "[2:3]={a,b}"]])


@suite.case("values that were not sent stay as they were, whatever the replica identity")
def toast(folder: pathlib.Path) -> None:
    with Shop("toast") as shop:
        names = ["plain", "whole", "by_index"]
        for name in names:
            shop.sql(f"CREATE TABLE {name} (id int PRIMARY KEY, code int NOT NULL, n int, "
                     "long text, other text);"
                     f"ALTER TABLE {name} ALTER long SET STORAGE EXTERNAL, "
                     "ALTER other SET STORAGE EXTERNAL")
        shop.sql("ALTER TABLE whole REPLICA IDENTITY FULL; CREATE UNIQUE INDEX by_code ON "
                 "by_index (code); ALTER TABLE by_index REPLICA IDENTITY USING INDEX by_code")
        fill = "INSERT INTO {0} SELECT i, i, 0, repeat('l' || i, 2000), repeat('o' || i, 2000) FROM generate_series({1}, {2}) i;"
        for name in names:
            shop.sql(fill.format(name, 1, 6))
        project(folder, shop.uri(), {f"public.{name}": ["id"] for name in names[:2]}
                | {"public.by_index": ["code"]})
        run(folder)
        for name in names:
            shop.sql(fill.format(name, 7, 8)
                     + f"UPDATE {name} SET n = 1 WHERE id IN (1, 7);"
                     + f"UPDATE {name} SET n = n + 1;"
                     + f"UPDATE {name} SET other = repeat('new', 3000) WHERE id = 2;"
                     + f"BEGIN; UPDATE {name} SET n = 5 WHERE id = 2; UPDATE {name} SET id = 30, code = 30 WHERE id = 3; COMMIT;"
                     + f"UPDATE {name} SET id = 31, code = 31 WHERE id = 30;"
                     + f"UPDATE {name} SET long = NULL WHERE id = 4; UPDATE {name} SET n = 9 WHERE id = 4;")
        run(folder)
        unchanged = bronze(folder, "public_plain", "_unchanged", "_op = 'UPDATE' AND id = 1")
        expect(unchanged[0], [["long", "other"]])
        expect(rows("SELECT count(_unchanged) FROM main.bronze.public_whole", folder), [[0]])
        for name in names:
            same_as_source(folder, shop, f"public.{name}", "id, code, n, md5(long), md5(other)")


@suite.case("tables without a key, and an identity of nothing, have the meaning of the guide")
def keyless(folder: pathlib.Path) -> None:
    with Shop("keyless") as shop:
        shop.sql("CREATE TABLE log (a int, b text); INSERT INTO log VALUES (1, 'x')")
        project(folder, shop.uri(), {"public.log": []})
        refused = run(folder, code=1)
        for part in ("public.log", "no primary key", "REPLICA IDENTITY FULL"):
            if part not in refused.text:
                raise Failure(f"no '{part}' in {refused.text}")
        shop.sql("ALTER TABLE log REPLICA IDENTITY FULL")
        run(folder)
        shop.sql("UPDATE log SET b = 'y'; INSERT INTO log VALUES (1, 'y'); DELETE FROM log")
        run(folder)
        expect(bronze(folder, "public_log", "_op, a, b", "_op <> 'SNAPSHOT'"),
               [["DELETE", 1, "x"], ["INSERT", 1, "y"], ["INSERT", 1, "y"], ["DELETE", 1, "y"],
                ["DELETE", 1, "y"]])


@suite.case("truncates, rollbacks, savepoints, and transactions that are streamed")
def transactions(folder: pathlib.Path) -> None:
    with Shop("transactions") as shop:
        shop.sql("CREATE TABLE t (id int PRIMARY KEY, v text); CREATE TABLE u (id int PRIMARY KEY)")
        project(folder, shop.uri(), {"public.t": ["id"], "public.u": ["id"]})
        shop.sql("INSERT INTO t SELECT i, 'old' FROM generate_series(1, 10) i")
        run(folder)
        shop.sql("""
            BEGIN; INSERT INTO t VALUES (100, 'gone'); ROLLBACK;
            BEGIN; INSERT INTO t SELECT i, repeat('x', 100) FROM generate_series(1000, 9000) i;
              INSERT INTO u VALUES (1); SAVEPOINT a; INSERT INTO t SELECT i, 'undone' FROM generate_series(20000, 25000) i;
              ROLLBACK TO a; INSERT INTO t VALUES (26000, 'kept'); SAVEPOINT b; UPDATE t SET v = 'b' WHERE id < 1010;
              RELEASE b; DELETE FROM t WHERE id BETWEEN 1100 AND 1199; COMMIT;
            BEGIN; INSERT INTO t SELECT i, repeat('y', 100) FROM generate_series(50000, 56000) i; ROLLBACK""")
        run(folder)
        same_as_source(folder, shop, "public.t", "id, v")
        same_as_source(folder, shop, "public.u", "id")
        expect(rows("SELECT count(*) FROM main.bronze.public_t WHERE v = 'undone'", folder), [[0]])
        shop.sql("TRUNCATE t, u; INSERT INTO t VALUES (1, 'after')")
        run(folder)
        expect(same_as_source(folder, shop, "public.t", "id, v"), 1)
        expect(same_as_source(folder, shop, "public.u", "id"), 0)
        lsn = rows("SELECT count(DISTINCT left(_source_offset, 16)), count(DISTINCT _source_offset) "
                   "= count(*) FROM main.bronze.public_t WHERE _op <> 'SNAPSHOT'", folder)
        expect(lsn, [[3, True]])


@suite.case("columns that are added, dropped and retyped while it runs")
def schema_changes(folder: pathlib.Path) -> None:
    with Shop("schema_changes") as shop:
        shop.sql("CREATE TABLE t (id int PRIMARY KEY, a int, b text)")
        project(folder, shop.uri(), {"public.t": ["id"]}, sink=", schema_evolution: EVOLVE")
        shop.sql("INSERT INTO t VALUES (1, 1, 'b')")
        run(folder)
        shop.sql("UPDATE t SET a = 2; ALTER TABLE t ADD c numeric(6,2); INSERT INTO t VALUES (2, 2, 'bb', 1.25);"
                 "ALTER TABLE t DROP b; INSERT INTO t VALUES (3, 3, 3.5);"
                 "BEGIN; ALTER TABLE t ADD d text; INSERT INTO t VALUES (4, 4, 4, 'in'); COMMIT")
        run(folder)
        expect(bronze(folder, "public_t", "id, a, b, c::text, d", "_op = 'INSERT'"),
               [[2, 2, "bb", "1.25", None], [3, 3, None, "3.50", None], [4, 4, None, "4.00", "in"]])
        same_as_source(folder, shop, "public.t", "id, a, c::text, d")
    with Shop("retyped") as shop:
        other = folder / "rescued"
        other.mkdir()
        shop.sql("CREATE TABLE t (id int PRIMARY KEY, a int); INSERT INTO t VALUES (1, 1)")
        project(other, shop.uri(), {"public.t": []})
        run(other)
        shop.sql("ALTER TABLE t ALTER a TYPE text; INSERT INTO t VALUES (2, '2'), (3, 'three')")
        run(other)
        expect(bronze(other, "public_t", "id, a, _rescued ->> 'a'", "_op = 'INSERT'"),
               [[2, 2, None], [3, None, "three"]])


@suite.case("nodes share a slot, which moves on when their tables are idle")
def one_slot(folder: pathlib.Path) -> None:
    with Shop("one_slot") as shop:
        shop.sql("CREATE TABLE a (id int PRIMARY KEY); CREATE TABLE b (id int PRIMARY KEY);"
                 "CREATE TABLE other (id int); INSERT INTO a VALUES (1)")
        project(folder, shop.uri(), {"public.a": ["id"], "public.b": ["id"]})
        run(folder)
        slots = "SELECT count(*), min(slot_name) FROM pg_replication_slots WHERE database = current_database()"
        expect(shop.sql(slots), "1|lakemill_cdc")
        confirmed = "SELECT confirmed_flush_lsn - '0/0' FROM pg_replication_slots WHERE slot_name = 'lakemill_cdc'"
        first = int(shop.sql(confirmed))
        shop.sql("INSERT INTO other SELECT generate_series(1, 1000); INSERT INTO b VALUES (7)")
        run(folder, "--select", "public_a")
        held = int(shop.sql(confirmed))
        run(folder)
        expect(same_as_source(folder, shop, "public.b", "id"), 1, "what came while b did not run")
        shop.sql("INSERT INTO other SELECT generate_series(1, 1000)")
        end = int(shop.sql("SELECT pg_current_wal_lsn() - '0/0'"))
        run(folder)
        moved = int(shop.sql(confirmed))
        if not first <= held < moved or moved < end:
            raise Failure(f"the slot went {first}, {held}, {moved}; the log ends at {end}")
        expect(len(bronze(folder, "public_a")), 1)


@suite.case("a consistent query sees a transaction in all tables or in none, and status tells the lag")
def one_position(folder: pathlib.Path) -> None:
    total = ("SELECT (SELECT sum(n) FROM main.silver.public_a) + (SELECT sum(n) FROM main.silver.public_b) AS t, "
             "(SELECT sum(n) FROM main.silver.public_a) AS a, (SELECT count(*) FROM main.silver.public_idle) AS i")

    def consistent() -> list[str]:
        return must(lakemill("query", "--consistent", total, "-o", "csv", cwd=folder)).out.decode().split()[1].split(",")

    with Shop("one_position") as shop:
        shop.sql("CREATE TABLE a (id int PRIMARY KEY, n int); CREATE TABLE b (id int PRIMARY KEY, n int);"
                 "CREATE TABLE idle (id int PRIMARY KEY); INSERT INTO a VALUES (1, 100);"
                 "INSERT INTO b VALUES (1, 100); INSERT INTO idle VALUES (1)")
        project(folder, shop.uri(), {"public.a": ["id"], "public.b": ["id"], "public.idle": ["id"]})
        run(folder)
        expect(consistent(), ["200", "100", "1"])
        moved = 0
        for number, select in enumerate(["public_a*", "public_b*", "public_b", "public_a", "public_b*", "public_a*"], 1):
            shop.sql(f"BEGIN; UPDATE a SET n = n - {number}; UPDATE b SET n = n + {number}; COMMIT")
            moved += number
            run(folder, "--select", select)
            expect(consistent()[0], "200", f"after {select}")
        told = json.loads(must(lakemill("status", "--json", cwd=folder)).out)
        lag = {line["node"]: line["lag_bytes"] for line in told}
        if not lag["public_b"] > 0:
            raise Failure(f"status tells no lag of public_b: {told}")
        run(folder)
        expect(consistent(), ["200", str(100 - moved), "1"], "caught up")


@suite.case("of a node with two sources, what the slower one lacks holds a consistent query back")
def two_sources(folder: pathlib.Path) -> None:
    with Shop("two_sources") as shop:
        shop.sql("CREATE TABLE a (id int PRIMARY KEY); CREATE TABLE b (id int PRIMARY KEY);"
                 "INSERT INTO a VALUES (0); INSERT INTO b VALUES (0)")
        project(folder, shop.uri(), {"public.a": []})
        pipeline = (folder / "cdc.yaml").read_text() + """
- name: both
  layer: BRONZE
  sources:
  - {name: slow, connection: shop, table: public.b, max_rows: 1}
  - {name: quick, connection: shop, table: public.a}
  transformer: {nodes: [{expr: "SELECT 'b' AS t, CAST(ID_OF_B AS INT) AS id FROM {sources.slow} UNION ALL SELECT 'a', id FROM {sources.quick}"}]}
  sinks: [{table_name: both}]
"""
        query = ("SELECT (SELECT count(*) FROM main.bronze.public_a) AS a, count(*) FILTER (t = 'a') AS qa, "
                 "count(*) FILTER (t = 'b') AS qb FROM main.bronze.both")

        def consistent() -> str:
            return must(lakemill("query", "--consistent", query, "-o", "csv", cwd=folder)).out.decode().split()[1]

        (folder / "cdc.yaml").write_text(pipeline.replace("ID_OF_B", "id"))
        run(folder)
        for i in range(1, 4):
            shop.sql(f"BEGIN; INSERT INTO a VALUES ({i}); INSERT INTO b VALUES ({i}); COMMIT")
        # Its first batch has all of a, and the first change of b; the next one fails.
        (folder / "cdc.yaml").write_text(
            pipeline.replace("ID_OF_B", "CASE WHEN id = 2 THEN 'x' ELSE id::TEXT END"))
        run(folder, code=1)
        expect(rows(query, folder), [[4, 4, 2]])
        expect(consistent(), "1,1,1")
        (folder / "cdc.yaml").write_text(pipeline.replace("ID_OF_B", "id"))
        run(folder)
        expect(consistent(), "4,4,4")


@suite.case("batches end at transactions, within max_rows")
def bounded_batches(folder: pathlib.Path) -> None:
    with Shop("bounded") as shop:
        shop.sql("CREATE TABLE t (id int PRIMARY KEY, v int)")
        project(folder, shop.uri(), {"public.t": ["id"]}, source=", max_rows: 1")
        run(folder)
        for i in range(5):
            shop.sql(f"BEGIN; INSERT INTO t VALUES ({i}, 1); UPDATE t SET v = 2; COMMIT")
        run(folder)
        same_as_source(folder, shop, "public.t", "id, v")
        cut = rows("SELECT count(DISTINCT _batch_id), max(n) FROM (SELECT _batch_id, count(DISTINCT "
                   "left(_source_offset, 16)) AS n FROM main.bronze.public_t GROUP BY 1)", folder)
        expect(cut, [[5, 1]])


@suite.case("snapshot: NEVER and ONLY")
def snapshot_modes(folder: pathlib.Path) -> None:
    with Shop("modes") as shop:
        shop.sql("CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1)")
        project(folder, shop.uri(), {"public.t": []}, source=", snapshot: NEVER")
        run(folder)
        shop.sql("INSERT INTO t VALUES (2)")
        run(folder)
        expect(bronze(folder, "public_t", "_op, id"), [["INSERT", 2]])
        other = folder / "only"
        other.mkdir()
        project(other, shop.uri(), {"public.t": []}, source=", snapshot: ONLY",
                connection=", slot: none_at_all")
        run(other)
        shop.sql("INSERT INTO t VALUES (3)")
        run(other)
        expect(bronze(other, "public_t", "_op, id"), [["SNAPSHOT", 1], ["SNAPSHOT", 2]])
        expect(shop.sql("SELECT count(*) FROM pg_replication_slots WHERE slot_name = 'none_at_all'"), "0")


@suite.case("plan makes nothing, neither at the server nor in the state")
def plan_only(folder: pathlib.Path) -> None:
    with Shop("planned") as shop:
        shop.sql("CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1)")
        project(folder, shop.uri(), {"public.t": ["id"]})
        must(lakemill("plan", "cdc.yaml", cwd=folder))
        expect(shop.sql("SELECT (SELECT count(*) FROM pg_publication) + (SELECT count(*) FROM "
                        "pg_replication_slots WHERE database = current_database())"), "0")
        run(folder)
        shop.sql("INSERT INTO t VALUES (2)")
        for _ in range(2):
            must(lakemill("plan", "cdc.yaml", cwd=folder))
        run(folder)
        expect(same_as_source(folder, shop, "public.t", "id"), 2)


@suite.case("a snapshot while a load runs, handed over without gap or overlap")
def snapshot_under_load(folder: pathlib.Path) -> None:
    with Shop("loaded") as shop:
        shop.sql(Load.TABLES)
        shop.sql("INSERT INTO big SELECT i, repeat('z', 500) FROM generate_series(5000, 65000) i")
        project(folder, shop.uri(), LOADED, source=", snapshot_parallelism: 3")
        load = Load(shop, 1)
        load.start()
        time.sleep(0.5)
        for _ in range(3):
            run(folder)
        load.end()
        check_load(folder, shop)
        if load.transactions < 100:
            raise Failure(f"only {load.transactions} transactions")


@suite.case("kill -9 at any moment under a load")
def kills(folder: pathlib.Path) -> None:
    seed = int(time.time())
    print(f"      seed {seed}")
    chance = random.Random(seed)
    with Shop("killed") as shop:
        shop.sql(Load.TABLES)
        shop.sql("INSERT INTO big SELECT i, repeat('z', 500) FROM generate_series(5000, 25000) i")
        project(folder, shop.uri(), LOADED, source=", max_rows: 700")
        load = Load(shop, seed)
        load.start()
        for _ in range(KILLS):
            process = subprocess.Popen([environment.binary(), "run", "cdc.yaml"], cwd=folder,
                                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            time.sleep(chance.uniform(0.05, 2.5))
            process.kill()
            process.wait()
        load.end()
        check_load(folder, shop)


@suite.case("a server that restarts while it is read")
def restarts(folder: pathlib.Path) -> None:
    own = Server(logical_decoding_work_mem="64kB")
    servers.append(own)
    shop = Shop("shop", on=own)
    shop.sql(Load.TABLES)
    project(folder, shop.uri(), LOADED)
    load = Load(shop, 5)
    load.start()
    for how in (signal.SIGINT, signal.SIGQUIT):
        process = subprocess.Popen([environment.binary(), "run", "cdc.yaml"], cwd=folder,
                                   stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        time.sleep(0.4)
        own.restart(how)
        said = process.communicate(timeout=120)[0].decode()
        if process.returncode != 0:
            raise Failure(f"after a restart: exit {process.returncode}: {said[-1500:]}")
    load.end()
    check_load(folder, shop)


@suite.case("run --continuous brings what is committed within seconds, and stops whole")
def continuous(folder: pathlib.Path) -> None:
    with Shop("continuous") as shop:
        shop.sql(Load.TABLES)
        project(folder, shop.uri(), LOADED)
        process = subprocess.Popen([environment.binary(), "run", "cdc.yaml", "--continuous"],
                                   cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        try:
            load = Load(shop, 11)
            load.start()
            time.sleep(6)
            load.end()
            shop.sql("INSERT INTO big VALUES (77777, 'last')")
            end = time.monotonic() + 30
            while rows("SELECT count(*) FROM main.silver.public_big WHERE id = 77777", folder) != [[1]]:
                if time.monotonic() > end:
                    raise Failure("the last row did not come in 30 s")
            process.send_signal(signal.SIGINT)
            said = process.communicate(timeout=60)[0].decode()
        finally:
            process.kill()
        expect(process.returncode, 0, said[-1000:])
        check_load(folder, shop)


@suite.case("a given slot and publication, and what is said when they are missing")
def given(folder: pathlib.Path) -> None:
    with Shop("given") as shop:
        shop.sql("CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1)")
        project(folder, shop.uri(), {"public.t": ["id"]},
                connection=", create: false, slot: ours, publication: pub")
        said = refused(folder, "there is no publication pub", "type: CREATE PUBLICATION")
        shop.sql(said.split("type: ")[1].split(" WITH (")[0])
        refused(folder, "replication slot ours does not exist", "pg_create_logical_replication_slot")
        shop.sql("SELECT pg_create_logical_replication_slot('ours', 'pgoutput')")
        shop.sql("INSERT INTO t VALUES (2); BEGIN; INSERT INTO t VALUES (3); COMMIT")
        run(folder)
        expect(bronze(folder, "public_t", "_op, id"),
               [["SNAPSHOT", 1], ["SNAPSHOT", 2], ["SNAPSHOT", 3]], "the stream has 2 and 3 too")
        shop.sql("INSERT INTO t VALUES (4)")
        run(folder)
        expect(same_as_source(folder, shop, "public.t", "id"), 4)
        expect(len(bronze(folder, "public_t")), 4)


@suite.case("a slot that was lost, moved, or belongs to another server, is said and not skipped over")
def lost(folder: pathlib.Path) -> None:
    with Shop("lost") as shop:
        shop.sql("CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1)")
        project(folder, shop.uri(), {"public.t": ["id"]})
        run(folder)
        shop.sql("INSERT INTO t VALUES (2)")
        shop.sql("SELECT pg_replication_slot_advance('lakemill_cdc', pg_current_wal_lsn())")
        refused(folder, "replication slot lakemill_cdc", "stands at", "nothing was skipped")
        refused(folder, "nothing was skipped")
        expect([(told["node"], told["details"]["from"][:2]) for told in events(folder, "slot_moved")],
               [("public_t", "0/")] * 2, "events of the gap")
        shop.sql("SELECT pg_drop_replication_slot('lakemill_cdc')")
        refused(folder, "does not exist", "lost", "cannot be read any more")
        expect(len(events(folder, "slot_lost")), 1, "events of the lost slot")
        if "it was lost" not in must(lakemill("status", "cdc.yaml", cwd=folder)).text:
            raise Failure("status does not show the last error")
        must(lakemill("table", "drop", "main.bronze.public_t", "--yes", cwd=folder))
        run(folder, "--full-refresh")
        expect(same_as_source(folder, shop, "public.t", "id"), 2)
        other = Server(like_others=False)
        servers.append(other)
        other.database("shop")
        other.sql("CREATE TABLE t (id int PRIMARY KEY)")
        project(folder, other.uri(), {"public.t": ["id"]})
        other.sql("SELECT pg_create_logical_replication_slot('lakemill_cdc', 'pgoutput')")
        refused(folder, "another server")
        expect(len(events(folder, "server_changed")), 1, "events of another server")


@suite.case("one slot is one pipeline's: another one is refused, and told whose it is")
def shared_slot(folder: pathlib.Path) -> None:
    with Shop("shared") as shop:
        shop.sql("CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1)")
        mine, theirs = folder / "mine", folder / "theirs"
        for each in (mine, theirs):
            project(each, shop.uri(), {"public.t": ["id"]})
        run(mine)
        run(mine)
        refused(theirs, "belongs to another pipeline", str(mine), "a slot of its own")
        expect(len(events(theirs, "slot_in_use")), 1)
        shop.sql("INSERT INTO t VALUES (2)")
        run(mine)
        expect(same_as_source(mine, shop, "public.t", "id"), 2)
        expect([kind for kind in ("snapshot_started", "snapshot_progressed", "snapshot_finished")
                if len(events(mine, kind)) != 1], [], "events of the snapshot")
        shop.sql("COMMENT ON PUBLICATION lakemill_cdc IS NULL")
        process = subprocess.Popen([environment.binary(), "run", "cdc.yaml", "--continuous"],
                                   cwd=mine, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            end = time.monotonic() + 30
            while time.monotonic() < end and shop.sql(
                    "SELECT active FROM pg_replication_slots WHERE database = 'shared'") != "t":
                time.sleep(0.1)
            shop.sql("COMMENT ON PUBLICATION lakemill_cdc IS NULL")
            refused(theirs, "is read by somebody else", "of user postgres", "127.0.0.1")
            expect(len(events(theirs, "slot_in_use")), 2)
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(30)


@suite.case("bad connections, passwords, settings and tables are said, and no password is")
def bad_inputs(folder: pathlib.Path) -> None:
    with Shop("guarded") as shop:
        shop.sql("CREATE TABLE orders (id int PRIMARY KEY); CREATE ROLE weak LOGIN PASSWORD 'right-1'")
        good = {"public.orders": ["id"]}
        project(folder, "postgresql://nobody@127.0.0.1:1/shop", good)
        refused(folder, "cannot connect to database shop at 127.0.0.1:1")
        uri = f"postgresql://weak:wrong-secret@127.0.0.1:{shop.server.port}/guarded"
        project(folder, uri, good)
        if "wrong-secret" in refused(folder, "password authentication failed", "database guarded"):
            raise Failure("the password is in the message")
        project(folder, uri.replace("wrong-secret", "right-1"), good)
        refused(folder, "permission denied", "CREATE PUBLICATION")
        shop.sql("CREATE PUBLICATION lakemill_cdc FOR TABLE orders")
        refused(folder, "REPLICATION")
        shop.sql("ALTER ROLE weak REPLICATION")
        refused(folder, "permission denied", "GRANT SELECT")
        shop.sql("GRANT SELECT ON orders TO weak")
        run(folder)
        shop.sql("DROP OWNED BY weak")
        shop.sql("DROP ROLE weak")
        project(folder, shop.uri(), {"public.ordrs": ["id"]})
        refused(folder, "there is no table public.ordrs", "did you mean public.orders?")
        project(folder, shop.uri(), good, connection=", slot: has-no-name")
        refused(folder, "has-no-name")
        for secret, uri in (("hunter2@Sup3r/S3cret", f"postgresql://postgres:${{secret.PW}}@127.0.0.1:{shop.server.port}/guarded"),
                            ("Sup3rS3cret", f"postgresql://postgres@127.0.0.1:{shop.server.port}/${{secret.PW}}"),
                            ("Sup3rS3cret", "postgresql://postgres@${secret.PW}:5432/guarded"),
                            (f"postgresql://postgres@127.0.0.1:{shop.server.port}/Sup3rS3cret", "${secret.PW}")):
            project(folder, uri, good)
            told = must(lakemill("run", "cdc.yaml", cwd=folder, env={"LAKEMILL_SECRET_PW": secret}), 1).text
            told += must(lakemill("status", "cdc.yaml", cwd=folder, env={"LAKEMILL_SECRET_PW": secret})).text
            told += must(lakemill("events", "--json", "-n", "1000", cwd=folder)).text
            if "Sup3r" in told or "hunter2" in told:
                raise Failure(f"a part of the secret is told: {told}")
            if "%40" not in told and "${secret.PW}" not in told:
                raise Failure(f"nothing is said of the uri: {told}")
        project(folder, "postgresql://postgres:Sup3r@S3cret@127.0.0.1:1/shop", good)
        if "S3cret" in refused(folder, "%40"):
            raise Failure("a part of the password is in the message")
        place = f"{{uri: \"postgresql://postgres:Sup3rS3cret@127.0.0.1:{shop.server.port}/guarded\", slot: literal, publication: literal}}"
        literal = folder / "literal"
        literal.mkdir()
        project(literal, "postgresql://nobody@127.0.0.1:1/none", good)
        told = (literal / "cdc.yaml").read_text()
        (literal / "cdc.yaml").write_text(told.replace("connection: shop", f"connection: {place}"))
        run(literal)
        shop.sql("INSERT INTO orders VALUES (1)")
        run(literal)
        expect(same_as_source(literal, shop, "public.orders", "id"), 1)
        held = [str(path) for path in literal.rglob("*") if path.is_file() and path.name != "cdc.yaml"
                and b"Sup3rS3cret" in path.read_bytes()]
        expect(held, [], "files that hold the password")
    low = Server(wal_level="replica")
    servers.append(low)
    low.database("shop")
    low.sql("CREATE TABLE orders (id int PRIMARY KEY)")
    project(folder, low.uri(), {"public.orders": ["id"]})
    refused(folder, "wal_level is replica", "ALTER SYSTEM SET wal_level = logical")


@suite.case("example: a shop, as changes, as it stands, as a history, and its revenue")
def example(folder: pathlib.Path) -> None:
    with Shop("example") as shop:
        shutil.copytree(ROOT / "examples/shop-cdc", folder, dirs_exist_ok=True)
        shop.sql((folder / "shop.sql").read_text())
        arguments = ("run", "--var", f"shop_uri={shop.uri()}")
        must(lakemill(*arguments, cwd=folder))
        shop.sql("UPDATE customers SET city = 'Oslo' WHERE id = 1; DELETE FROM orders WHERE id = 3")
        for _ in range(3):
            shop.sql((folder / "load.sql").read_text())
        must(lakemill(*arguments, cwd=folder))
        same_as_source(folder, shop, "orders", "id, status, total::text")
        same_as_source(folder, shop, "customers", "id, city")
        expect(rows("SELECT city, __end_at IS NULL FROM silver.customers_history WHERE id = 1 ORDER BY __start_at",
                    folder)[:2], [["Lyon", False], ["Oslo", True]])
        earned = "SELECT sum({0})::text FROM {1}"
        expect(rows(earned.format("revenue", "gold.revenue_by_hour"), folder)[0][0],
               shop.sql(earned.format("total", "orders") + " WHERE status IN ('paid', 'shipped')"))


@suite.case("example: the demonstration, in short")
def demonstration(folder: pathlib.Path) -> None:
    done = subprocess.run([sys.executable, ROOT / "tools/demo_cdc.py", environment.binary(), "--seconds", "8",
                           "--folder", folder / "demo"], capture_output=True, text=True, check=False, timeout=300)
    if done.returncode != 0 or done.stdout.count("rows, as in the source") != 2:
        raise Failure(f"exit {done.returncode}: {done.stdout[-2000:]}{done.stderr[-1000:]}")


if __name__ == "__main__":
    try:
        suite.run()
    finally:
        remove_servers()
