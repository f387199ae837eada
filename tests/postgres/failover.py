#!/usr/bin/env python3
"""Connections that break and servers that take over, and what is told of them."""
import json
import pathlib
import signal
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from harness import environment  # noqa: E402
from harness.process import lakemill, must, rows  # noqa: E402
from harness.postgres_server import Server  # noqa: E402
from harness.suite import Suite  # noqa: E402
from postgres.pipelines import bronze, events, project, refused, run, same_as_source  # noqa: E402
from postgres.shop import Shop, expect, remove_servers, servers, wait_for  # noqa: E402

suite = Suite("postgres.failover")


def held(folder: pathlib.Path, key: int) -> bool:
    """Whether silver has row `key`."""
    found = lakemill("query", f"SELECT count(*) AS n FROM main.silver.public_t WHERE id = {key}",
                     "-o", "json", cwd=folder)
    return found.code == 0 and json.loads(found.out) == [{"n": 1}]


@suite.case("a connection that breaks under a continuous run is told, and told again when it is back")
def broken_connection(folder: pathlib.Path) -> None:
    own = Server()
    servers.append(own)
    shop = Shop("shop", on=own)
    shop.sql("CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1)")
    project(folder, shop.uri(), {"public.t": ["id"]})
    process = subprocess.Popen([environment.binary(), "run", "cdc.yaml", "--continuous"],
                               cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    try:
        wait_for("the snapshot", lambda: held(folder, 1))
        for key, breaks in enumerate((
                lambda: shop.sql("SELECT pg_terminate_backend(active_pid) FROM "
                                 "pg_replication_slots WHERE active"),
                lambda: own.restart(signal.SIGQUIT)), start=2):
            wait_for("the reader", lambda: shop.sql("SELECT count(*) FROM pg_replication_slots "
                                                    "WHERE active") == "1")
            breaks()
            shop.sql(f"INSERT INTO t VALUES ({key})")
            wait_for(f"row {key}", lambda key=key: held(folder, key))
        process.send_signal(signal.SIGINT)
        said = process.communicate(timeout=60)[0].decode()
    finally:
        process.kill()
    expect(process.returncode, 0, said[-1000:])
    lost, restored = events(folder, "connection_lost"), events(folder, "connection_restored")
    expect(len(lost), 2, "connections that were lost")
    expect(len(restored), 2, "connections that came back")
    for gone, back in zip(lost, restored):
        expect(gone["sequence"] < back["sequence"], True, "the order of the two")
        expect(gone["details"]["position"], back["details"]["position"], "where it goes on")
        expect(gone["level"], "warning")
    expect(same_as_source(folder, shop, "public.t", "id"), 3)
    expect([row[0] for row in bronze(folder, "public_t", "id")], [1, 2, 3], "nothing twice")


@suite.case("a standby that takes over stops the flow with both timelines, and nothing is skipped")
def promoted_standby(folder: pathlib.Path) -> None:
    primary = Server()
    servers.append(primary)
    shop = Shop("shop", on=primary)
    shop.sql("CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1)")
    project(folder, shop.uri(), {"public.t": ["id"]})
    run(folder)
    standby = Server(standby_of=primary)
    servers.append(standby)
    shop.sql("INSERT INTO t VALUES (2)")
    run(folder)
    primary.stop(signal.SIGQUIT)  # before the standby has all of it, perhaps
    standby.promote()
    standby.sql("INSERT INTO t VALUES (3)")
    project(folder, standby.uri(), {"public.t": ["id"]})
    for slot in ("", "SELECT pg_create_logical_replication_slot('lakemill_cdc', 'pgoutput')"):
        if slot:  # by somebody who means well
            standby.sql(slot)
        refused(folder, "has failed over", "timeline 1 to 2", "begin anew")
    found = events(folder, "server_changed")
    expect([(each["details"]["timeline_before"], each["details"]["timeline"]) for each in found],
           [(1, 2), (1, 2)])
    expect(rows("SELECT id FROM main.silver.public_t ORDER BY id", folder), [[1], [2]])
    standby.sql("SELECT pg_drop_replication_slot('lakemill_cdc')")
    must(lakemill("table", "drop", "main.bronze.public_t", "--yes", cwd=folder))
    run(folder, "--full-refresh")
    same_as_source(folder, standby, "public.t", "id")


if __name__ == "__main__":
    try:
        suite.run()
    finally:
        remove_servers()
