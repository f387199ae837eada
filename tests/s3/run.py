#!/usr/bin/env python3
"""Everything in a bucket: pipelines of the real binary with tables, state, events and
files on s3://, over a real S3 server, a faulty proxy before it, and SIGKILLs.

--kills N  rounds of the last case (6; 60 with LAKEMILL_SOAK=1), --seed repeats them
"""
import argparse
import contextlib
import io
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

environment.enter()

import deltalake  # noqa: E402
import pyarrow as pa  # noqa: E402
import pyarrow.parquet as pq  # noqa: E402
from faulty_proxy import FaultyProxy  # noqa: E402
from harness import tables  # noqa: E402
from harness.process import Failure, json_rows, lakemill, must, write_files  # noqa: E402
from harness.serve import Serve  # noqa: E402
from harness.suite import Suite  # noqa: E402
from s3_server import BUCKET, S3Server  # noqa: E402

EXAMPLE = environment.ROOT / "examples/orders-cdc"
SOAK = os.environ.get("LAKEMILL_SOAK") == "1"
TABLES = ("bronze.order_changes", "silver.order_changes", "silver.order_changes_quarantine",
          "silver.orders", "silver.orders_history", "gold.orders_by_status")


class Lake:
    """The orders example with its root in the bucket."""

    def __init__(self, server: S3Server, folder: pathlib.Path, endpoint: str | None = None,
                 project: str = ""):
        self.server, self.folder = server, folder
        self.prefix = "lake-" + os.urandom(6).hex() + "/a.b=c"
        self.root = f"s3://{BUCKET}/{self.prefix}"
        self.env = server.environment(endpoint)
        if not (folder / "pipeline.yaml").exists():
            shutil.copytree(EXAMPLE, folder, dirs_exist_ok=True)
        write_files(folder, {"lakemill.yaml":
                             f"name: orders\nroot: {self.root}\npipelines: [pipeline.yaml]\n{project}"})

    def __call__(self, *args: str, timeout: float = 120):
        return lakemill(*args, cwd=self.folder, env=self.env, timeout=timeout)

    def rows(self, sql: str) -> list[list]:
        return json_rows(must(self("query", sql, "-o", "json")).out.decode())

    def ours(self, table: str) -> pa.Table:
        out = must(self("query", f"SELECT * FROM main.{table}", "-o", "parquet")).out
        return pq.read_table(io.BytesIO(out))

    def storage_options(self) -> dict[str, str]:
        return {**self.server.environment(), "AWS_ALLOW_HTTP": "true"}

    def url(self, table: str) -> str:
        return f"{self.root}/main/{table.replace('.', '/')}"

    def theirs(self, table: str) -> pa.Table:
        opened = deltalake.DeltaTable(self.url(table), storage_options=self.storage_options())
        return pa.table(deltalake.QueryBuilder().register("t", opened)
                        .execute("SELECT * FROM t").read_all())

    def objects(self) -> dict[str, str]:
        """All but the event log, to which every run adds."""
        return {key: etag for key, etag in self.server.keys(self.prefix).items()
                if "/_lakemill/events/" not in key}

    def contents(self) -> dict[str, list]:
        """The rows of every table, without what differs from run to run."""
        return {table: sorted(self.rows(
            f"SELECT * EXCLUDE (_ingested_at, _run_id) FROM main.{table}"
            if table.startswith("bronze") else f"SELECT * FROM main.{table}"), key=repr)
            for table in TABLES}


def says(outcome, *parts: str) -> None:
    """Fails unless the run ended with an error that holds all parts."""
    if outcome.crashed() or outcome.code != 1:
        raise Failure(f"expected exit 1\n  {outcome.describe()}")
    for part in parts:
        if part not in outcome.text:
            raise Failure(f"'{part}' is not told\n  {outcome.describe()}")


def hides(outcome, lake: Lake) -> None:
    """Fails if a secret is in what was printed."""
    if lake.env["AWS_SECRET_ACCESS_KEY"] in outcome.text:
        raise Failure("the secret is printed")


def more_changes(folder: pathlib.Path, name: str, changes: list[dict]) -> None:
    write_files(folder, {f"data/{name}": "".join(json.dumps(c) + "\n" for c in changes)})


def change(order: int, status: str, at: str, op: str = "U") -> dict:
    return {"op": op, "order_id": order, "customer": "zoe", "status": status, "amount": 12.5,
            "changed_at": at}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=60 if SOAK else 6)
    parser.add_argument("--seed", type=int, default=None)
    suite = Suite("s3", parser)
    with S3Server() as server:
        add_cases(suite, server)
        try:
            suite.run()
        finally:
            server.stop()


def add_cases(suite: Suite, server: S3Server) -> None:
    local = {}

    def oracle(folder: pathlib.Path) -> dict[str, list]:
        """The tables of the same pipeline in a local folder."""
        place = folder / "local"
        shutil.copytree(EXAMPLE, place)
        must(lakemill("run", cwd=place))
        found = {}
        for table in TABLES:
            what = "* EXCLUDE (_ingested_at, _run_id)" if table.startswith("bronze") else "*"
            out = must(lakemill("query", f"SELECT {what} FROM main.{table}", "-o", "json", cwd=place))
            found[table] = sorted(json_rows(out.out.decode()), key=repr)
        shutil.rmtree(place)
        return found

    @suite.case("a project whose root is in a bucket")
    def whole(folder: pathlib.Path) -> None:
        lake = Lake(server, folder / "p")
        must(lake("run"))
        local["tables"] = oracle(folder)
        if lake.contents() != local["tables"]:
            raise Failure("the tables differ from those of a local root")
        for table in TABLES:
            tables.must_equal(lake.ours(table), lake.theirs(table), f"{table} (here / by delta-rs)")
        stray = [p for p in (folder / "p").rglob("*") if p.is_dir() and p.name in ("main", "_lakemill", "s3:")]
        if stray:
            raise Failure(f"local state was written: {stray}")
        before = lake.objects()
        must(lake("run"))
        after = lake.objects()
        if before != after:
            raise Failure(f"a second run changed {sorted(set(before.items()) ^ set(after.items()))[:5]}")
        if any("_lakemill_probe" in key for key in after):
            raise Failure("the probe was left behind")

    @suite.case("changes, time travel, history and drop")
    def life(folder: pathlib.Path) -> None:
        lake = Lake(server, folder)
        must(lake("run"))
        first = lake.rows("SELECT count(*) FROM main.silver.orders")
        more_changes(folder, "zz_later.jsonl", [change(900, "placed", "2030-01-01 00:00:00", "I"),
                                                change(901, "placed", "2030-01-01 00:00:00", "I")])
        must(lake("run"))
        if lake.rows("SELECT count(*) FROM main.silver.orders") != [[first[0][0] + 2]]:
            raise Failure("two orders were added")
        travelled = lake.rows(f"SELECT count(*) FROM delta_scan('{lake.url('silver.orders')}', version => 1)")
        shown = must(lake("table", "history", "main.silver.orders")).text
        if "MERGE" not in shown.upper():
            raise Failure(f"no merge in the history:\n{shown}")
        if travelled != first and lake.rows(
                f"SELECT count(*) FROM delta_scan('{lake.url('silver.orders')}', version => 0)") != first:
            raise Failure(f"time travel gives {travelled}, expected {first}")
        must(lake("table", "show", lake.url("silver.orders")))
        must(lake("events"))
        tables.must_equal(lake.ours("silver.orders"), lake.theirs("silver.orders"), "orders")
        must(lake("table", "drop", "main.gold.orders_by_status", "--yes"))
        if any("orders_by_status" in key and "/_lakemill/" not in key for key in lake.objects()):
            raise Failure("a dropped table is still there")

    @suite.case("files of a bucket in, files of a bucket out")
    def files(folder: pathlib.Path) -> None:
        prefix = "files-" + os.urandom(6).hex()
        client = server.client()
        for number in range(12):
            client.put_object(Bucket=BUCKET, Key=f"{prefix}/in/day={number}/a b+{number}.csv",
                              Body=("id,v\n" + "".join(f"{number * 100 + i},x{i}\n" for i in range(100))).encode())
        write_files(folder, {
            "lakemill.yaml": f"name: f\nroot: s3://{BUCKET}/{prefix}/lake\nroots: ['s3://{BUCKET}/{prefix}/']\n"
                             "connections:\n"
                             f"  store: {{type: S3, bucket: {BUCKET}, endpoint: '{server.endpoint}', region: us-east-1,\n"
                             "    access_key_id: '${secret.KEY}', secret_access_key: '${secret.WORD}'}\n"
                             "pipelines: [p.yaml]\n",
            "p.yaml": f"""
name: f
nodes:
- name: landed
  layer: BRONZE
  source: {{path: 's3://{BUCKET}/{prefix}/in/**/*.csv', format: CSV}}
  sink: {{type: TABLE, table_name: landed}}
- name: out
  source: {{node_name: landed}}
  transformer: {{nodes: [{{expr: "SELECT id, v FROM {{df}}"}}]}}
  sink: {{path: 's3://{BUCKET}/{prefix}/out/all.parquet', format: PARQUET}}
"""})
        env = {"LAKEMILL_SECRET_KEY": server.key_id, "LAKEMILL_SECRET_WORD": server.secret,
               "AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""}
        must(lakemill("run", cwd=folder, env=env))
        body = client.get_object(Bucket=BUCKET, Key=f"{prefix}/out/all.parquet")["Body"].read()
        if pq.read_table(io.BytesIO(body)).num_rows != 1200:
            raise Failure("rows are missing in the file")
        again = must(lakemill("run", cwd=folder, env=env))
        if server.secret in again.text:
            raise Failure("the secret is printed")
        printed = lakemill("query", f"SELECT count(*) FROM 's3://{BUCKET}/{prefix}/in/**/*.csv'", "-o", "json",
                           cwd=folder, env=env)
        if json_rows(must(printed).out.decode()) != [[1200]]:
            raise Failure(f"a query over files: {printed.describe()}")
        for text in (key for key in server.keys(prefix) if key.endswith((".json", ".jsonl"))):
            if server.secret.encode() in client.get_object(Bucket=BUCKET, Key=text)["Body"].read():
                raise Failure(f"the secret is in {text}")

    @suite.case("a large table is written and read in pieces")
    def large(folder: pathlib.Path) -> None:
        prefix = "large-" + os.urandom(6).hex()
        table = pa.table({"id": pa.array(range(1_500_000), pa.int64()),
                          "v": [random.Random(i).random() for i in range(1500)] * 1000})
        pq.write_table(table, folder / "in.parquet")
        write_files(folder, {
            "lakemill.yaml": f"name: l\nroot: s3://{BUCKET}/{prefix}\nengine: {{memory_limit: 400MB}}\npipelines: [p.yaml]\n",
            "p.yaml": "name: l\nnodes:\n- name: big\n  source: {path: in.parquet, format: PARQUET}\n"
                      "  transformer: {nodes: [{expr: \"SELECT id, v, md5(id::VARCHAR) AS text FROM {df}\"}]}\n"
                      "  sink: {type: TABLE, table_name: big}\n"})
        env = server.environment()
        must(lakemill("run", cwd=folder, env=env, timeout=300))
        largest = max(server.client().head_object(Bucket=BUCKET, Key=key)["ContentLength"]
                      for key in server.keys(prefix) if key.endswith(".parquet"))
        if largest < 16 << 20:
            raise Failure(f"the largest file has {largest} bytes: no upload in parts was tried")
        out = must(lakemill("query", "SELECT count(*), sum(id), count(DISTINCT text) FROM main.default.big",
                            "-o", "json", cwd=folder, env=env, timeout=300))
        if json_rows(out.out.decode()) != [[1_500_000, 1_500_000 * 1_499_999 // 2, 1_500_000]]:
            raise Failure(out.describe())
        if server.client().list_multipart_uploads(Bucket=BUCKET).get("Uploads"):
            raise Failure("an upload was not ended")

    @suite.case("a proxy that breaks every eighth request")
    def faults(folder: pathlib.Path) -> None:
        with FaultyProxy(server.endpoint, 1 / 8, seed=5) as proxy:
            lake = Lake(server, folder / "p", proxy.endpoint)
            for number in range(4):
                more_changes(folder / "p", f"y{number}.jsonl",
                             [change(700 + i, f"s{number}", f"2029-01-0{number + 1} 00:00:00") for i in range(9)])
                must(lake("run", timeout=300))
            if len(proxy.counts) < 7:
                raise Failure(f"some faults did not come: {proxy.counts}")
            if proxy.connections * 2 > proxy.requests and proxy.requests > 100:
                raise Failure(f"{proxy.connections} connections for {proxy.requests} requests")
            print(f"      {proxy.requests} requests on {proxy.connections} connections, {proxy.counts}")
        lake.env = server.environment()
        plain = Lake(server, folder / "p")
        must(plain("run"))
        got, expected = lake.contents(), plain.contents()
        for table in TABLES[1:]:
            if got[table] != expected[table]:
                raise Failure(f"{table} differs after faults: {len(got[table])} / {len(expected[table])} rows")

    @suite.case("a server whose clock is an hour ahead")
    def skew(folder: pathlib.Path) -> None:
        with FaultyProxy(server.endpoint, 0, clock_ahead=3600) as proxy:
            lake = Lake(server, folder, proxy.endpoint)
            must(lake("run"))
            if proxy.counts.get("skew", 0) < 1:
                raise Failure("the clock was not looked at")

    @suite.case("TLS, and a certificate that nobody vouches for")
    def tls(folder: pathlib.Path) -> None:
        pem = folder / "server.pem"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-keyout", "key.pem",
                        "-out", "cert.pem", "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"],
                       cwd=folder, check=True, capture_output=True)
        pem.write_bytes((folder / "key.pem").read_bytes() + (folder / "cert.pem").read_bytes())
        with FaultyProxy(server.endpoint, 0, certificate=str(pem)) as proxy:
            lake = Lake(server, folder / "p", proxy.endpoint)
            says(lake("run"), "cannot be trusted")
            if lake.objects():
                raise Failure("something was written over a connection that is not trusted")
            lake.env["AWS_CA_BUNDLE"] = str(folder / "cert.pem")
            must(lake("run"))
            if not lake.objects():
                raise Failure("nothing was written")

    @suite.case("wrong credentials, half of them, no bucket, no server")
    def wrong(folder: pathlib.Path) -> None:
        lake = Lake(server, folder)
        good = dict(lake.env)
        lake.env["AWS_SECRET_ACCESS_KEY"] = "WrongWordOfASecret"
        outcome = lake("run")
        says(outcome, BUCKET, "SignatureDoesNotMatch")
        hides(outcome, lake)
        lake.env["AWS_ACCESS_KEY_ID"] = "AKIANOBODY"
        says(lake("run"), BUCKET, "InvalidAccessKeyId")
        lake.env.update(AWS_ACCESS_KEY_ID="only", AWS_SECRET_ACCESS_KEY="")
        says(lake("run"), "only one is set")
        lake.env = good
        if lake.objects():
            raise Failure("something was written")
        text = (folder / "lakemill.yaml").read_text()
        write_files(folder, {"lakemill.yaml": text.replace(BUCKET, "no-such-bucket")})
        says(lake("run"), "no-such-bucket", "NoSuchBucket")
        write_files(folder, {"lakemill.yaml": text})
        lake.env["AWS_ENDPOINT_URL"] = "http://127.0.0.1:9"
        outcome = lake("run")
        says(outcome, "no connection to 127.0.0.1:9")
        hides(outcome, lake)
        lake.env["AWS_ENDPOINT_URL"] = "localhost:9000"
        says(lake("run"), "is no URL")

    @suite.case("a bucket outside of the roots is not read")
    def confined(folder: pathlib.Path) -> None:
        lake = Lake(server, folder)
        server.client().put_object(Bucket=BUCKET, Key="private/x.csv", Body=b"a\n1\n")
        write_files(folder, {"pipeline.yaml": "name: o\nnodes:\n- name: n\n  source: {path: 's3://"
                             + BUCKET + "/private/x.csv', format: CSV}\n  sink: {type: TABLE, table_name: t}\n"})
        says(lake("run"), "outside the roots")
        outcome = lake("query", f"SELECT * FROM 's3://{BUCKET}/private/x.csv'", "--confined")
        if outcome.code == 0 or outcome.crashed():
            raise Failure(outcome.describe())

    @suite.case("SIGKILL at any moment")
    def kills(folder: pathlib.Path) -> None:
        seed = suite.options.seed
        seed = seed if seed is not None else random.SystemRandom().randrange(10**9)
        print(f"      seed {seed}")
        source = random.Random(seed)
        killed, safe = Lake(server, folder / "killed"), Lake(server, folder / "safe")
        count = 0
        for number in range(suite.options.kills):
            changes = [change(source.randrange(60), f"s{source.randrange(9)}",
                              f"2031-{number % 12 + 1:02}-{i % 28 + 1:02} {source.randrange(24):02}:{number % 60:02}:{i:02}",
                              source.choice("UUUD")) for i in range(40)]
            for lake in (killed, safe):
                more_changes(lake.folder, f"z{number:03}.jsonl", changes)
            duration = must(safe("run")).seconds
            for _ in range(source.choice([1, 2])):
                process = subprocess.Popen([environment.binary(), "run"], cwd=killed.folder,
                                           env={**os.environ, **killed.env},
                                           stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
                time.sleep(source.uniform(0, duration))
                if process.poll() is None:
                    process.send_signal(signal.SIGKILL)
                    count += 1
                process.wait()
            must(killed("run"))
        got, expected = killed.contents(), safe.contents()
        for table in TABLES[1:]:
            if got[table] != expected[table]:
                raise Failure(f"{table} differs: {len(got[table])} / {len(expected[table])} rows")
        print(f"      {count} runs killed")
        before = killed.objects()
        must(killed("run"))
        if killed.objects() != before:
            raise Failure("a further run changed something")

    @suite.case("three processes serve a project in a bucket, and are killed")
    def served(folder: pathlib.Path) -> None:
        seed = suite.options.seed
        seed = seed if seed is not None else random.SystemRandom().randrange(10**9)
        print(f"      seed {seed}")
        source = random.Random(seed)
        write_files(folder, {
            "lakemill.yaml": f"name: p\nroot: s3://{BUCKET}/serve-{os.urandom(6).hex()}\n"
                             "pipelines: [a.yaml, b.yaml]\n",
            "a.yaml": "name: a\ntriggers: [{every: 1s, catchup: ALL}]\nnodes:\n- name: n\n  layer: BRONZE\n"
                      "  source: {path: ./in/*.csv, format: CSV}\n  sink: {table_name: n}\n",
            "b.yaml": "name: b\ntriggers: [{on_table: main.bronze.n}]\nnodes:\n- name: m\n  layer: SILVER\n"
                      "  source: {table_name: main.bronze.n, as_stream: true}\n  sink: {table_name: m}\n",
            "in/0.csv": "i\n0\n"})
        env = server.environment(None)

        def numbers(table: str) -> list[int] | None:
            got = lakemill("query", f"SELECT i FROM main.{table}", "-o", "json", cwd=folder, env=env)
            return sorted(int(row[0]) for row in json_rows(got.out.decode())) if got.code == 0 else None

        with contextlib.ExitStack() as stack:
            serving = [stack.enter_context(Serve(folder, env=env)) for _ in range(3)]
            files = 2 * suite.options.kills
            for number in range(1, files):
                time.sleep(source.uniform(0.1, 0.8))
                (folder / f"{number}.part").write_text(f"i\n{number}\n")
                (folder / f"{number}.part").rename(folder / f"in/{number}.csv")
                if number % 2:
                    killed = source.randrange(3)
                    serving[killed].kill()
                    serving[killed] = stack.enter_context(Serve(folder, env=env))
            for table in ("bronze.n", "silver.m"):
                serving[0].until(f"each file is in {table} once", lambda t=table: numbers(t) == list(range(files)))
        must(lakemill("events", "verify", cwd=folder, env=env))


if __name__ == "__main__":
    main()
