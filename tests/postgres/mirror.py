#!/usr/bin/env python3
"""A random workload on a PostgreSQL database: the same queries have the same answers in silver.

--seed repeats a run; LAKEMILL_SOAK=1 works for minutes, with kills and restarts, and takes
a snapshot of ten million rows under a load.
"""
import argparse
import json
import os
import pathlib
import random
import signal
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from harness import environment  # noqa: E402
from harness.postgres_server import Server  # noqa: E402
from harness.process import Failure, rows  # noqa: E402
from harness.suite import Suite  # noqa: E402
from postgres.pipelines import digest, project, run, same_as_source  # noqa: E402
from postgres.shop import LOADED, Load, Shop, check_load, expect, remove_servers, servers  # noqa: E402

SOAK = os.environ.get("LAKEMILL_SOAK") == "1"
TABLES = """
CREATE TABLE customers (id int PRIMARY KEY, name text, city text, vip boolean, joined date);
CREATE TABLE products (sku text PRIMARY KEY, price numeric(12,2), tags text[]);
CREATE TABLE orders (id bigint PRIMARY KEY, customer_id int, status text, placed timestamp);
CREATE TABLE lines (order_id bigint, sku text, quantity int, note text, PRIMARY KEY (order_id, sku));
INSERT INTO products SELECT 'sku-' || i, i * 1.25, ARRAY['t' || i % 3] FROM generate_series(1, 40) i;
"""
KEYS = {"public.customers": ["id"], "public.products": ["sku"], "public.orders": ["id"],
        "public.lines": ["order_id", "sku"]}
# Of how many columns, and what; {customers} and the like stand for the tables of either
# side; all values are texts.
QUERIES = [
    (3, "SELECT c.city, count(*)::text, sum(l.quantity * p.price)::text FROM {lines} l JOIN {orders} o ON o.id = l.order_id "
    "JOIN {products} p ON p.sku = l.sku LEFT JOIN {customers} c ON c.id = o.customer_id GROUP BY c.city"),
    (2, "SELECT sku, rank::text FROM (SELECT sku, row_number() OVER (ORDER BY sum(quantity) DESC, sku) AS rank "
    "FROM {lines} GROUP BY sku) AS ranked WHERE rank <= 5"),
    (2, "SELECT id::text, name FROM {customers} c WHERE NOT EXISTS (SELECT 1 FROM {orders} o WHERE o.customer_id = c.id)"),
    (4, "SELECT date_trunc('month', placed)::date::text, status, count(*)::text, min(placed)::date::text FROM {orders} GROUP BY 1, 2"),
    (3, "SELECT count(*) FILTER (WHERE vip)::text, count(*) FILTER (WHERE vip IS NULL)::text, count(DISTINCT city)::text FROM {customers}"),
    (3, "SELECT upper(substr(name, 1, 3)), CASE WHEN length(name) > 9 THEN 'long' ELSE coalesce(city, '?') END, count(*)::text "
    "FROM {customers} GROUP BY 1, 2"),
    (1, "SELECT customer_id::text FROM {orders} WHERE status = 'paid' EXCEPT SELECT id::text FROM {customers} WHERE vip"),
    (3, "SELECT o.id::text, o.placed::date::text, (lag(o.placed) OVER (PARTITION BY o.customer_id ORDER BY o.placed, o.id))::date::text "
    "FROM {orders} o WHERE o.customer_id % 7 = 3"),
    (4, "SELECT sku, price::text, tags[1], (SELECT count(*) FROM {lines} l WHERE l.sku = p.sku)::text FROM {products} p"),
    (2, "SELECT l.order_id::text, sum(length(l.note))::text FROM {lines} l GROUP BY l.order_id HAVING count(*) > 2"),
]

parser = argparse.ArgumentParser(description="a mirrored workload")
parser.add_argument("--seed", type=int, default=int(time.time()))
suite = Suite("postgres.mirror", parser)


def statement(chance: random.Random, number: int) -> str:
    """One statement, or one transaction, of the workload."""
    customer, order, sku = chance.randint(1, 120), chance.randint(1, 400), f"sku-{chance.randint(1, 45)}"
    note = "repeat('" + chance.choice("xyz") + f"', {chance.choice([0, 3, 50, 9000])})"
    return chance.choice([
        f"INSERT INTO customers VALUES ({customer}, 'customer {number}', 'city {number % 5}', {chance.choice(['true', 'false', 'NULL'])}, "
        f"date '2020-01-01' + {number}) ON CONFLICT (id) DO UPDATE SET city = 'moved ' || excluded.city, vip = NOT customers.vip",
        f"INSERT INTO orders SELECT i, i % 120, 'new', timestamp '2024-01-15' + i * interval '9 hours' FROM "
        f"generate_series({order}, {order + 5}) i ON CONFLICT (id) DO UPDATE SET status = 'again'",
        f"INSERT INTO lines SELECT {order}, 'sku-' || i, i % 4 + 1, {note} FROM generate_series({number % 40}, {number % 40 + 3}) i "
        "ON CONFLICT (order_id, sku) DO UPDATE SET quantity = lines.quantity + 1",
        f"UPDATE orders SET status = 'paid' WHERE id % 11 = {order % 11} AND status = 'new'",
        f"UPDATE lines SET quantity = quantity + 1 WHERE sku = '{sku}'",
        f"UPDATE products SET price = price * 1.01, tags = array_append(tags, 'n{number}') WHERE sku = '{sku}'",
        f"UPDATE products SET sku = sku || '+' WHERE sku = '{sku}' AND NOT EXISTS (SELECT FROM products WHERE sku = '{sku}+')",
        f"UPDATE customers SET id = {customer + 200} WHERE id = {customer} AND NOT EXISTS (SELECT FROM customers WHERE id = {customer + 200})",
        f"BEGIN; DELETE FROM lines WHERE order_id = {order}; DELETE FROM orders WHERE id = {order}; COMMIT",
        f"BEGIN; DELETE FROM customers; SAVEPOINT s; UPDATE orders SET status = 'lost'; ROLLBACK TO s; ROLLBACK",
        f"BEGIN; UPDATE orders SET placed = placed + interval '1 day' WHERE customer_id = {customer}; SAVEPOINT s; DELETE FROM lines; "
        f"ROLLBACK TO s; INSERT INTO products VALUES ('new-{number}', {number}, NULL) ON CONFLICT DO NOTHING; COMMIT",
        f"WITH gone AS (DELETE FROM orders WHERE id % 97 = {order % 97} RETURNING id) DELETE FROM lines WHERE order_id IN (SELECT id FROM gone)",
        "TRUNCATE lines" if chance.random() < 0.05 else f"DELETE FROM lines WHERE quantity > 6 AND order_id % 2 = {number % 2}",
    ])


def same_answers(folder: pathlib.Path, shop: Shop, seed: int) -> None:
    for width, query in QUERIES:
        names = ", ".join("abcd"[:width])
        here = query.format(**{name.split(".")[1]: "main.silver." + name.replace(".", "_") for name in KEYS})
        there = query.format(**{name.split(".")[1]: name for name in KEYS})
        ours = rows(f"SELECT * FROM ({here}) AS q({names})", folder)
        text = shop.sql(f"SELECT json_build_array({names}) FROM ({there}) AS q({names})")
        wanted = [json.loads(line) for line in text.splitlines() if line]
        if digest(ours) != digest(wanted):
            raise Failure(f"seed {seed}: {query}\n  only here  {[row for row in ours if row not in wanted][:5]}\n"
                          f"  only there {[row for row in wanted if row not in ours][:5]}")


@suite.case("the answers of silver are those of the database, round after round")
def mirrored(folder: pathlib.Path) -> None:
    seed = suite.options.seed
    print(f"      seed {seed}")
    chance = random.Random(seed)
    with Shop("mirrored") as shop:
        shop.sql(TABLES)
        project(folder, shop.uri(), KEYS)
        number = 0
        for _ in range(60 if SOAK else 8):
            count = chance.choice([1, 10, 60, 90])
            shop.sql(";\n".join(statement(chance, number + i) for i in range(count)) or "SELECT 1")
            number += count
            run(folder)
            same_answers(folder, shop, seed)
        said = rows("SELECT count(*) FROM main.bronze.public_lines", folder)[0][0]
        if said < 10:
            raise Failure(f"seed {seed}: only {said} changes of lines")


@suite.case("minutes of load, kills of ours and restarts of the server: silver is the source")
def minutes(folder: pathlib.Path) -> None:
    chance = random.Random(suite.options.seed)
    own = Server(logical_decoding_work_mem="64kB")
    servers.append(own)
    shop = Shop("shop", on=own)
    shop.sql(Load.TABLES)
    project(folder, shop.uri(), LOADED)
    load = Load(shop, suite.options.seed)
    load.start()
    end = time.monotonic() + (600 if SOAK else 15)
    kills = restarts = 0
    while time.monotonic() < end:
        process = subprocess.Popen([environment.binary(), "run", "cdc.yaml", "--continuous"], cwd=folder,
                                   stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(chance.uniform(0.2, 8 if SOAK else 3))
        if chance.random() < 0.15:
            own.restart(chance.choice([signal.SIGINT, signal.SIGQUIT]))
            restarts += 1
            time.sleep(2)
        process.send_signal(chance.choice([signal.SIGKILL, signal.SIGKILL, signal.SIGINT]))
        process.wait(120)
        kills += 1
    load.end()
    check_load(folder, shop)
    if load.transactions < 100:
        raise Failure(f"only {load.transactions} transactions")
    print(f"      {load.transactions} transactions, {kills} kills, {restarts} restarts")


@suite.case("a large snapshot while a load runs")
def large_snapshot(folder: pathlib.Path) -> None:
    count = 10_000_000 if SOAK else 300_000
    with Shop("large") as shop:
        shop.sql(Load.TABLES)
        shop.sql(f"INSERT INTO big SELECT i, 'value ' || i FROM generate_series(5000, {5000 + count}) i; ANALYZE big")
        project(folder, shop.uri(), LOADED, source=", snapshot_parallelism: 2")
        load = Load(shop, suite.options.seed)
        load.start()
        time.sleep(0.5)
        run(folder, timeout=3000)
        load.end()
        run(folder, timeout=3000)
        same_as_source(folder, shop, "public.k", "id, n, md5(v)")
        total = "SELECT count(*)::text, sum(id)::text, sum(length(v))::text FROM "
        found = rows(total + "main.silver.public_big", folder)
        expect(found, [shop.sql(total + "public.big").split("|")], "count and sums of silver and source")


if __name__ == "__main__":
    try:
        suite.run()
    finally:
        remove_servers()
