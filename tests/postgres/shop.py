"""Databases of a case on a server that all share, and a load on them."""
import pathlib
import random
import threading
import time

from harness.postgres_server import Server
from harness.process import Failure, rows
from postgres.pipelines import run, same_as_source

servers: list[Server] = []  # of their own cases
shared: list[Server] = []
WAIT_SECONDS = 60


def remove_servers() -> None:
    """Ends all servers that cases began."""
    for each in servers + shared:
        each.remove()


def server() -> Server:
    """The server that cases share; each has a database of its own."""
    if not shared:
        shared.append(Server(logical_decoding_work_mem="64kB"))
    return shared[0]


def wait_for(what: str, condition) -> None:
    """Looks until `condition` holds."""
    end = time.monotonic() + WAIT_SECONDS
    while not condition():
        if time.monotonic() > end:
            raise Failure(f"{what} did not come in {WAIT_SECONDS} s")
        time.sleep(0.05)


class Shop:
    """A database of one case; its slots go with it."""

    def __init__(self, name: str, on: Server | None = None):
        self.name = name
        self.server = on or server()
        self.server.sql(f"CREATE DATABASE {name}", "postgres")

    def sql(self, text: str) -> str:
        return self.server.sql(text, self.name)

    def uri(self, user: str = "postgres") -> str:
        return self.server.uri(self.name, user)

    def __enter__(self) -> "Shop":
        return self

    def __exit__(self, *_) -> None:
        self.server.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE "
                        f"datname = '{self.name}' AND pid <> pg_backend_pid()", "postgres")
        self.server.try_sql("SELECT pg_drop_replication_slot(slot_name) FROM "
                            f"pg_replication_slots WHERE database = '{self.name}'", self.name)
        self.server.sql(f"DROP DATABASE {self.name} WITH (FORCE)", "postgres")


def expect(found, wanted, what: str = "") -> None:
    if found != wanted:
        raise Failure(f"{what}\n  found  {found}\n  wanted {wanted}")


class Load(threading.Thread):
    """Writes to tables `k` (keys move) and `big` until it is told to stop."""

    TABLES = ("CREATE TABLE k (id int PRIMARY KEY, n int, v text); ALTER TABLE k ALTER v SET STORAGE EXTERNAL;"
              "CREATE TABLE big (id int PRIMARY KEY, v text)")

    def __init__(self, shop: Shop, seed: int):
        super().__init__(daemon=True)
        self.shop, self.random, self.stopped = shop, random.Random(seed), threading.Event()
        self.transactions = 0

    def statements(self) -> str:
        key = self.random.randint(1, 400)
        what = self.random.random()
        if what < 0.4:
            return (f"INSERT INTO k VALUES ({key}, 0, repeat('v{self.transactions}', 900)) "
                    "ON CONFLICT (id) DO UPDATE SET n = k.n + 1")
        if what < 0.6:
            return f"UPDATE k SET n = n + 1 WHERE id % 7 = {key % 7}"
        if what < 0.7:
            return f"DELETE FROM k WHERE id = {key}"
        if what < 0.8:
            return (f"UPDATE k SET id = {key + 1000} WHERE id = {key} AND NOT EXISTS "
                    f"(SELECT FROM k WHERE id = {key + 1000})")
        if what < 0.9:
            return (f"BEGIN; UPDATE k SET v = 'short' WHERE id = {key}; SAVEPOINT s; DELETE FROM k; "
                    f"ROLLBACK TO s; INSERT INTO big SELECT i, 'x' FROM generate_series({key}, {key + 300}) i "
                    "ON CONFLICT (id) DO UPDATE SET v = big.v || 'y'; COMMIT")
        return f"BEGIN; DELETE FROM big WHERE id % 5 = {key % 5}; DELETE FROM k; ROLLBACK"

    def run(self) -> None:
        while not self.stopped.is_set():
            text = ";\n".join(self.statements() for _ in range(20))
            done = self.shop.server.try_sql(text, self.shop.name)
            self.transactions += 20
            if done.returncode != 0:
                time.sleep(0.2)  # the server is away

    def end(self) -> None:
        self.stopped.set()
        self.join()


LOADED = {"public.k": ["id"], "public.big": ["id"]}


def check_load(folder: pathlib.Path, shop: Shop) -> None:
    run(folder)
    same_as_source(folder, shop, "public.k", "id, n, md5(v)")
    same_as_source(folder, shop, "public.big", "id, v")
    twice = rows("SELECT count(*) - count(DISTINCT _source_offset) FROM main.bronze.public_k", folder)
    expect(twice, [[0]], "no change is there twice")
