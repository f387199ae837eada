#!/usr/bin/env python3
"""What would hide rows or take changes away, and is refused with what mends it."""
import pathlib
import subprocess
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from harness import environment  # noqa: E402
from harness.process import Failure, lakemill, must, rows  # noqa: E402
from harness.suite import Suite  # noqa: E402
from postgres.pipelines import bronze, events, project, refused, run, same_as_source  # noqa: E402
from postgres.shop import Shop, expect, remove_servers, wait_for  # noqa: E402

suite = Suite("postgres.guards")


def typed(shop: Shop, said: str) -> str:
    """Does what a message says to type; gives the statement."""
    statement = said.split("type: ")[1].splitlines()[0]
    shop.sql(statement)
    return statement


def make_reader(shop: Shop, name: str, tables: str) -> None:
    shop.sql(f"CREATE ROLE {name} LOGIN REPLICATION; GRANT SELECT ON {tables} TO {name}")


def drop_reader(shop: Shop, name: str) -> None:
    shop.sql(f"DROP OWNED BY {name}; DROP ROLE {name}")


@suite.case("a role that row-level security hides rows from takes no snapshot")
def hidden_rows(folder: pathlib.Path) -> None:
    with Shop("hidden") as shop:
        shop.sql("CREATE TABLE t (id int PRIMARY KEY, v text);"
                 "INSERT INTO t SELECT i, 'v' FROM generate_series(1, 10) i;"
                 "ALTER TABLE t ENABLE ROW LEVEL SECURITY;"
                 "CREATE POLICY few ON t FOR SELECT USING (id > 100);"
                 "CREATE PUBLICATION lakemill_cdc FOR TABLE t")
        make_reader(shop, "hidden_from", "t")
        project(folder, shop.uri("hidden_from"), {"public.t": ["id"]})
        said = refused(folder, "row-level security", "public.t", "hidden_from", "BYPASSRLS")
        shop.sql("INSERT INTO t VALUES (11, 'meanwhile')")
        expect(typed(shop, said), 'ALTER ROLE "hidden_from" BYPASSRLS')
        run(folder)
        expect(same_as_source(folder, shop, "public.t", "id, v"), 11)
        for mode in ("ONLY", "NEVER"):
            shop.sql("ALTER ROLE hidden_from NOBYPASSRLS")
            other = folder / mode.lower()
            other.mkdir()
            project(other, shop.uri("hidden_from"), {"public.t": []},
                    source=f", snapshot: {mode}", connection=f", slot: {mode.lower()}")
            if mode == "ONLY":
                refused(other, "row-level security", "public.t", "BYPASSRLS")
                shop.sql("ALTER ROLE hidden_from BYPASSRLS")
                run(other)
                expect(len(bronze(other, "public_t")), 11)
            else:  # the log has all rows, whatever the policies are
                run(other)
                shop.sql("INSERT INTO t VALUES (12, 'changed')")
                run(other)
                expect(bronze(other, "public_t", "_op, id"), [["INSERT", 12]])
        drop_reader(shop, "hidden_from")


@suite.case("row-level security of a partition, which is read by itself, counts too")
def hidden_in_partition(folder: pathlib.Path) -> None:
    with Shop("hidden_part") as shop:
        shop.sql("CREATE TABLE t (id int PRIMARY KEY) PARTITION BY RANGE (id);"
                 "CREATE TABLE low PARTITION OF t FOR VALUES FROM (0) TO (100);"
                 "CREATE TABLE high PARTITION OF t FOR VALUES FROM (100) TO (200);"
                 "INSERT INTO t VALUES (1), (101); ALTER TABLE high ENABLE ROW LEVEL SECURITY;"
                 "CREATE PUBLICATION lakemill_cdc FOR TABLE t WITH (publish_via_partition_root)")
        make_reader(shop, "part_reader", "t")
        project(folder, shop.uri("part_reader"), {"public.t": ["id"]})
        refused(folder, "row-level security", "public.high", "BYPASSRLS")
        shop.sql("ALTER TABLE high DISABLE ROW LEVEL SECURITY")
        said = refused(folder, "permission denied", "GRANT SELECT")
        expect(typed(shop, said), 'GRANT SELECT ON "public"."high", "public"."low" TO "part_reader"')
        run(folder)
        expect(same_as_source(folder, shop, "public.t", "id"), 2)
        drop_reader(shop, "part_reader")


@suite.case("a value that a policy hides is not taken for one that is gone")
def hidden_value(folder: pathlib.Path) -> None:
    with Shop("hidden_value") as shop:
        shop.sql("CREATE TABLE t (id int PRIMARY KEY, n int, long text);"
                 "ALTER TABLE t ALTER long SET STORAGE EXTERNAL;"
                 "INSERT INTO t VALUES (1, 0, repeat('long', 1000));"
                 "CREATE PUBLICATION lakemill_cdc FOR TABLE t")
        make_reader(shop, "value_reader", "t")
        project(folder, shop.uri("value_reader"), {"public.t": ["id"]})
        run(folder)
        shop.sql("UPDATE t SET id = 2; ALTER TABLE t ENABLE ROW LEVEL SECURITY")
        said = refused(folder, "row-level security", "public.t", "BYPASSRLS")
        typed(shop, said)
        run(folder)
        expect(same_as_source(folder, shop, "public.t", "id, n, md5(long)"), 1)
        drop_reader(shop, "value_reader")


PARTED = ("CREATE TABLE other (id int PRIMARY KEY);"
          "CREATE TABLE parted (id int PRIMARY KEY, v text) PARTITION BY RANGE (id);"
          "CREATE TABLE low PARTITION OF parted FOR VALUES FROM (0) TO (100);"
          "CREATE TABLE high PARTITION OF parted FOR VALUES FROM (100) TO (200);"
          "INSERT INTO parted VALUES (1, 'a'), (101, 'b');")
VIA_ROOT = 'ALTER PUBLICATION "mine" SET (publish_via_partition_root = true)'
IN_MINE = "SELECT string_agg(prrelid::regclass::text, ' ' ORDER BY 1) FROM pg_publication_rel"


@suite.case("a publication that names partitions, not their table, is not read")
def partition_names(folder: pathlib.Path) -> None:
    for create in ("true", "false"):
        for tables in ("FOR TABLE other", "FOR TABLE other, parted", "FOR ALL TABLES"):
            with Shop("parted") as shop:
                work = folder / (create + tables.replace(" ", "").replace(",", ""))
                work.mkdir()
                shop.sql(PARTED + f"CREATE PUBLICATION mine {tables}; SELECT "
                         "pg_create_logical_replication_slot('lakemill_cdc', 'pgoutput')")
                before = shop.sql(IN_MINE)
                project(work, shop.uri(), {"public.parted": ["id"]},
                        connection=f", publication: mine, create: {create}")
                said = refused(work, "mine", "public.parted", "partitions")
                expect(typed(shop, said), VIA_ROOT)
                expect(shop.sql(IN_MINE), before, "what was refused changed nothing")
                if create == "false" and tables == "FOR TABLE other":
                    typed(shop, refused(work, "lacks table public.parted", "ADD TABLE"))
                run(work)
                shop.sql("INSERT INTO parted VALUES (2, 'c'); UPDATE parted SET v = 'd' WHERE id = 101;"
                         "UPDATE parted SET id = 102 WHERE id = 1")
                run(work)
                expect(same_as_source(work, shop, "public.parted", "id, v"), 3)


@suite.case("a partition whose changes come under the name of its table is no source")
def under_another_name(folder: pathlib.Path) -> None:
    with Shop("leaf") as shop:
        shop.sql(PARTED + "CREATE PUBLICATION mine FOR TABLE parted "
                 "WITH (publish_via_partition_root = true)")
        project(folder, shop.uri(), {"public.low": ["id"]}, connection=", publication: mine")
        refused(folder, "mine", "public.low", "public.parted")
        expect(shop.sql(IN_MINE), "parted", "what was refused changed nothing")
        project(folder, shop.uri(), {"public.low": ["id"], "public.parted": []},
                connection=", publication: both")
        refused(folder, "both", "public.low", "public.parted")
        expect(shop.sql("SELECT count(*) FROM pg_publication WHERE pubname = 'both'"), "0")
        project(folder, shop.uri(), {"public.low": ["id"]}, connection=", publication: leaves")
        run(folder)
        shop.sql("INSERT INTO parted VALUES (2, 'c'), (102, 'd')")
        run(folder)
        expect(same_as_source(folder, shop, "public.low", "id, v"), 2)


AWAY = ("ALTER PUBLICATION lakemill_cdc DROP TABLE t; INSERT INTO t VALUES (2, 'away');"
        "UPDATE t SET v = 'away' WHERE id = 1")
BACK = "ALTER PUBLICATION lakemill_cdc ADD TABLE t"
ANEW = "DROP TABLE t; CREATE TABLE t (id int PRIMARY KEY, v text); INSERT INTO t VALUES (7, 'anew')"
SWAPPED = ("CREATE TABLE t_new (LIKE t INCLUDING ALL); INSERT INTO t_new VALUES (8, 'swapped');"
           "BEGIN; ALTER TABLE t RENAME TO t_old; ALTER TABLE t_new RENAME TO t; COMMIT")


@suite.case("a table that left the publication, or was made anew, is told as a gap and not skipped over")
def left_publication(folder: pathlib.Path) -> None:
    for number, (what, says) in enumerate((
            (AWAY, "was taken out of publication lakemill_cdc:"),
            (f"{AWAY}; {BACK}", "was taken out of publication lakemill_cdc and put back"),
            (ANEW, "is another one"),
            (f"{ANEW}; {BACK}", "is another one"),
            (f"{SWAPPED}; {BACK}", "is another one"),
            ("DROP TABLE t", "is gone"))):
        with Shop(f"left_{number}") as shop:
            work = folder / str(number)
            work.mkdir()
            shop.sql("CREATE TABLE t (id int PRIMARY KEY, v text); INSERT INTO t VALUES (1, 'a');"
                     "CREATE TABLE other (id int PRIMARY KEY)")
            project(work, shop.uri(), {"public.t": ["id"], "public.other": ["id"]})
            run(work)
            shop.sql(what + "; INSERT INTO other VALUES (1)")
            for _ in range(2):
                refused(work, "table public.t", says, "nothing was skipped", "begin anew")
            expect(same_as_source(work, shop, "public.other", "id"), 1, "others go on")
            expect(rows("SELECT id, v FROM main.silver.public_t", work), [[1, "a"]])
            found = events(work, "table_lost")
            expect([(each["node"], each["details"]["table"]) for each in found],
                   [("public_t", "public.t")] * 2)
            if what == "DROP TABLE t":
                shop.sql("CREATE TABLE t (id int PRIMARY KEY, v text)")
            must(lakemill("table", "drop", "main.bronze.public_t", "--yes", cwd=work))
            run(work, "--full-refresh", "--select", "public_t*")
            shop.sql("INSERT INTO t VALUES (9, 'after')")
            run(work)
            same_as_source(work, shop, "public.t", "id, v")


@suite.case("a table that is renamed and gets its name back has lost nothing")
def renamed_for_a_while(folder: pathlib.Path) -> None:
    with Shop("renamed") as shop:
        shop.sql("CREATE TABLE t (id int PRIMARY KEY, v text); INSERT INTO t VALUES (1, 'a')")
        project(folder, shop.uri(), {"public.t": ["id"]})
        run(folder)
        shop.sql("ALTER TABLE t RENAME TO u; INSERT INTO u VALUES (2, 'b')")
        refused(folder, "table public.t", "is gone")
        shop.sql("ALTER TABLE u RENAME TO t")
        run(folder)
        expect(same_as_source(folder, shop, "public.t", "id, v"), 2)


def ends_with(folder: pathlib.Path, shop: Shop, statement: str, *parts: str) -> None:
    """A continuous run must end by itself after `statement`, fail, and say `parts`."""
    process = subprocess.Popen([environment.binary(), "run", "cdc.yaml", "--continuous"], cwd=folder,
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    try:
        wait_for("the reader", lambda: shop.sql(
            "SELECT count(*) FROM pg_replication_slots WHERE active AND database = "
            "current_database()") == "1")
        shop.sql(statement)
        said = process.communicate(timeout=60)[0].decode()
    finally:
        process.kill()
    expect(process.returncode, 1, said)
    for part in parts:
        if part not in said:
            raise Failure(f"no '{part}' in: {said}")


@suite.case("a continuous run sees that a table left the publication, and ends")
def left_while_running(folder: pathlib.Path) -> None:
    for number, what in enumerate((AWAY, f"{ANEW}; {BACK}; INSERT INTO t VALUES (10, 'later')")):
        with Shop(f"leaving_{number}") as shop:
            work = folder / str(number)
            work.mkdir()
            shop.sql("CREATE TABLE t (id int PRIMARY KEY, v text); INSERT INTO t VALUES (1, 'a')")
            project(work, shop.uri(), {"public.t": []})
            run(work)
            ends_with(work, shop, what, "table public.t", "nothing was skipped")
            if len(events(work, "table_lost")) > 3:
                raise Failure("the gap is told again and again")


@suite.case("a slot that is lost under a continuous run, or before it, ends that and is told a few times")
def lost_slot(folder: pathlib.Path) -> None:
    with Shop("lost_slot") as shop:
        shop.sql("CREATE TABLE t (id int PRIMARY KEY, v text); INSERT INTO t VALUES (1, 'a')")
        project(folder, shop.uri(), {"public.t": []})
        run(folder)
        shop.sql("SELECT pg_drop_replication_slot('lakemill_cdc')")
        ended = run(folder, "--continuous", code=1, timeout=60)
        if "it was lost" not in ended.text:
            raise Failure(ended.text)
        if not 1 <= len(events(folder, "slot_lost")) <= 3:
            raise Failure(f"{len(events(folder, 'slot_lost'))} events of one lost slot")


def asleep(shop: Shop, statement: str) -> str:
    """Does `statement` in a session that then sleeps; gives where that is found."""
    threading.Thread(target=shop.server.try_sql, daemon=True,
                     args=(f"{statement}; SELECT pg_sleep(300)", shop.name)).start()
    found = "pg_stat_activity WHERE wait_event = 'PgSleep' AND datname = current_database()"
    wait_for("the sleeper", lambda: shop.sql(f"SELECT count(*) FROM {found}") == "1")
    return found


@suite.case("of two pipelines that begin at one moment on one slot, one gets it and keeps it")
def one_begins(folder: pathlib.Path) -> None:
    with Shop("at_once") as shop:
        shop.sql("CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1);"
                 "CREATE PUBLICATION lakemill_cdc FOR TABLE t")
        folders = [folder / "mine", folder / "theirs"]
        for each in folders:
            project(each, shop.uri(), {"public.t": ["id"]})
        # Whoever wants to write its name down waits behind this.
        sleeps = asleep(shop, "BEGIN; COMMENT ON PUBLICATION lakemill_cdc IS NULL")
        begun = [subprocess.Popen([environment.binary(), "run", "cdc.yaml"], cwd=each,
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
                 for each in folders]
        try:
            here = ("SELECT count(*), bool_or(wait_event_type = 'Lock') FROM pg_stat_activity "
                    "WHERE application_name = 'lakemill' AND datname = current_database()")
            wait_for("both pipelines", lambda: shop.sql(here) == "2|t")
            time.sleep(1)  # so that the second one is there too
            shop.sql(f"SELECT pg_cancel_backend(pid) FROM {sleeps}")
            said = [process.communicate(timeout=120)[0].decode() for process in begun]
        finally:
            for process in begun:
                process.kill()
        codes = [process.returncode for process in begun]
        expect(sorted(codes), [0, 1], "\n".join(said))
        winner = codes.index(0)
        if "belongs to another pipeline" not in said[1 - winner]:
            raise Failure(said[1 - winner])
        shop.sql("INSERT INTO t VALUES (2)")
        run(folders[winner])
        expect(same_as_source(folders[winner], shop, "public.t", "id"), 2)
        refused(folders[1 - winner], "belongs to another pipeline", str(folders[winner]))
        expect(rows("SELECT count(*) FROM main.bronze.public_t", folders[winner]), [[2]])
        expect(shop.sql("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'"), "0")


@suite.case("a slot that somebody is making for long is told, with the process that does")
def long_in_the_making(folder: pathlib.Path) -> None:
    with Shop("making") as shop:
        shop.sql("CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1)")
        project(folder, shop.uri(), {"public.t": ["id"]})
        sleeps = asleep(shop, "SELECT pg_advisory_lock(1818979692, hashtext('lakemill_cdc'))")
        holder = shop.sql(f"SELECT pid FROM {sleeps}")
        refused(folder, "lakemill_cdc", "is being made by somebody else",
                f"(server process {holder})")
        shop.sql(f"SELECT pg_cancel_backend({holder})")
        run(folder)
        expect(same_as_source(folder, shop, "public.t", "id"), 1)


if __name__ == "__main__":
    try:
        suite.run()
    finally:
        remove_servers()
