#!/usr/bin/env python3
"""What would hide rows or take changes away, and is refused with what mends it."""
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from harness.process import Failure  # noqa: E402
from harness.suite import Suite  # noqa: E402
from postgres.pipelines import bronze, project, run, same_as_source  # noqa: E402
from postgres.shop import Shop, expect, remove_servers  # noqa: E402

suite = Suite("postgres.guards")


def refused(folder: pathlib.Path, *parts: str) -> str:
    """A run must fail and say all of `parts`."""
    outcome = run(folder, code=1)
    for part in parts:
        if part not in outcome.text:
            raise Failure(f"no '{part}' in: {outcome.text}")
    return outcome.text


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


if __name__ == "__main__":
    try:
        suite.run()
    finally:
        remove_servers()
