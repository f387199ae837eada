#!/usr/bin/env python3
"""`lakemill serve --dev`: runs by triggers and by request, through kills, edits and bad requests.

Each case starts the real binary on a project of its own and speaks HTTP with it.
LAKEMILL_SOAK=1 kills it ten times as often.
"""
import json
import os
import pathlib
import random
import socket
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from harness.process import Failure, lakemill, must, rows, write_files  # noqa: E402
from harness.serve import Followed, Serve  # noqa: E402
from harness.suite import Suite  # noqa: E402

KILLS = 50 if os.environ.get("LAKEMILL_SOAK") == "1" else 5
PROJECT = "name: shop\nroot: lake\npipelines: ['pipelines/*.yaml']\n"
# Rows of files that drop in, and a table behind them.
ORDERS = """name: orders
{extra}
nodes:
- name: brz_orders
  layer: BRONZE
  source: {{path: ../in/, format: JSONL, as_stream: true}}
  sinks: [{{table_name: orders, schema_name: bronze, mode: APPEND}}]
- name: slv_orders
  layer: SILVER
  source: {{node_name: brz_orders, as_stream: true}}
  transformer:
    nodes: [{{expr: "SELECT id, qty FROM {{df}} WHERE qty > 0"}}]
  sinks: [{{table_name: orders, schema_name: silver, mode: APPEND}}]
"""
# A node that takes its time, between two that do not.
SLOW = """name: slow
{extra}
nodes:
- name: first
  source: {{path: ../in/, format: JSONL}}
  sinks: [{{table_name: first, schema_name: silver, mode: OVERWRITE}}]
- name: second
  source: {{node_name: first}}
  transformer:
    nodes: [{{expr: "SELECT count(*) n, (SELECT max(hash(i)) FROM range({size}) t(i)) h FROM {{df}}"}}]
  sinks: [{{table_name: second, schema_name: gold, mode: OVERWRITE}}]
"""
LONG, SHORT = 1_000_000_000_000, 1_500_000_000


def expect(what: str, got, wanted) -> None:
    """Both must be equal."""
    if got != wanted:
        raise Failure(f"{what}: {got!r} instead of {wanted!r}")


def drop(folder: pathlib.Path, number: int) -> None:
    """A file of one order that is there at once and whole."""
    (folder / "in").mkdir(exist_ok=True)
    (folder / f"in/.{number}").write_text(json.dumps({"id": number, "qty": 1}) + "\n")
    (folder / f"in/.{number}").rename(folder / f"in/{number:06}.jsonl")


def project(folder: pathlib.Path, **pipelines: str) -> None:
    """A project with these pipeline files and a first order."""
    write_files(folder, {"lakemill.yaml": PROJECT,
                         **{f"pipelines/{name}.yaml": text for name, text in pipelines.items()}})
    drop(folder, 0)


def ids(folder: pathlib.Path, table: str = "main.silver.orders") -> list[int]:
    """The ids of a table, sorted."""
    return [row[0] for row in rows(f"SELECT id FROM {table} ORDER BY id", folder)]


def journal(folder: pathlib.Path, pipeline: str) -> list[dict]:
    """The decisions about a pipeline, in order."""
    found = sorted((folder / f"lake/_lakemill/orchestrator/{pipeline}/journal").glob("[0-9]*.json"))
    return [json.loads(path.read_text()) for path in found if not path.name.endswith(".state.json")]


suite = Suite("serve")


@suite.case("answers, and stops when it is told to")
def _(folder):
    project(folder, orders=ORDERS.format(extra=""))
    with Serve(folder) as serve:
        expect("healthz", serve.ask("GET", "/healthz"), (200, {"status": "ok"}))
        overview = serve.get("/overview")
        expect("project", overview["project"], "shop")
        expect("counts", overview["counts"], {"pipelines": 1, "invalid": 0, "paused": 0, "running": 0,
                                              "queued": 0, "failing": 0})
        expect("pipeline", overview["pipelines"][0]["state"], "idle")
        page = serve.ask("GET", "/")
        expect("page", (page[0], b"<!doctype html>" in page[1]), (200, True))
        expect("exit code", serve.stop(), 0)
    expect("members left", list((folder / "lake/_lakemill/members").glob("*")), [])


@suite.case("makes a run that is asked for, once under its key")
def _(folder):
    project(folder, orders=ORDERS.format(extra=""))
    with Serve(folder) as serve:
        first = serve.post("/pipelines/orders/runs", {}, Idempotency_Key="k1")
        again = serve.post("/pipelines/orders/runs", {}, Idempotency_Key="k1")
        expect("the same", (again["run_id"], first["is_new"], again["is_new"]),
               (first["run_id"], True, False))
        run = serve.ended(first["run_id"])
        expect("outcome", run["outcome"], "succeeded")
        expect("nodes", [(node["node"], node["status"], node["rows_written"]) for node in run["nodes"]],
               [("brz_orders", "succeeded", 1), ("slv_orders", "succeeded", 1)])
        one = serve.ended(serve.run("orders", {"selectors": ["brz_orders"]}))
        expect("selected", [node["node"] for node in one["nodes"]], ["brz_orders"])
        graph = serve.get("/graph")
        expect("edges", [(edge["from"], edge["to"]) for edge in graph["edges"]],
               [("orders/brz_orders", "orders/slv_orders")])
        expect("layers", [node["layer"] for node in graph["nodes"]], ["BRONZE", "SILVER"])
        serve.stop()
    expect("rows", ids(folder), [0])
    told = rows(f"SELECT type FROM delta_scan('lake/_lakemill/events') WHERE run_id = '{run['run_id']}'", folder)
    expect("told", ["run_started"] in told and ["run_succeeded"] in told, True)
    with Serve(folder) as serve:  # what was, is known to the next process
        expect("kept", serve.get(f"/runs/{run['run_id']}")["nodes"], run["nodes"])
        states = [node["state"] for node in serve.get("/pipelines/orders/graph")["nodes"]]
        expect("states", states, ["skipped", "succeeded"])


@suite.case("runs by the clock, and after another pipeline")
def _(folder):
    after = ORDERS.format(extra="triggers: [{after: orders}]").replace("name: orders", "name: later", 1)
    after = after.replace("table_name: orders", "table_name: later")
    project(folder, orders=ORDERS.format(extra="triggers: [{every: 1s}]"), later=after)
    with Serve(folder) as serve:
        shown = {p["name"]: p["triggers"] for p in serve.get("/pipelines")["pipelines"]}
        expect("trigger", shown["orders"][0]["text"], "every 1s")
        serve.until("the next instant", lambda: serve.get("/pipelines/orders")["triggers"][0]["next"])
        for number in range(1, 4):
            drop(folder, number)
            serve.until(f"order {number} in both tables", lambda n=number: all(
                n in ids(folder, table) for table in ("main.silver.orders", "main.silver.later"))
                if (folder / "lake/main/silver/later").is_dir() else False)
        serve.post("/pipelines/orders/pause", status=200)
        expect("paused", serve.get("/pipelines/orders")["paused"], True)
        serve.until("no run", lambda: serve.get("/runs?status=running")["runs"] == [])
        drop(folder, 4)
        time.sleep(2.5)
        expect("nothing while it is paused", 4 in ids(folder), False)
        serve.post("/pipelines/orders/resume", status=200)
        serve.until("order 4", lambda: 4 in ids(folder))
        expect("exit code", serve.stop(), 0)


@suite.case("tells what failed, and makes again only that")
def _(folder):
    project(folder, orders=ORDERS.format(extra="").replace("SELECT id, qty", "SELECT id, qty / absent AS qty"))
    with Serve(folder) as serve:
        run = serve.ended(serve.run("orders"))
        expect("outcome", run["outcome"], "failed")
        if "slv_orders" not in run["message"] or "absent" not in run["message"]:
            raise Failure(f"the message does not say where and what: {run['message']}")
        expect("failing", serve.get("/overview")["counts"]["failing"], 1)
        serve.post(f"/runs/{run['run_id']}/retry", {"from": "WRONG"}, 422)
        write_files(folder, {"pipelines/orders.yaml": ORDERS.format(extra="")})
        time.sleep(1.5)  # it looks each second
        again = serve.ended(serve.post(f"/runs/{run['run_id']}/retry")["run_id"])
        expect("outcome", again["outcome"], "succeeded")
        expect("nodes", [node["node"] for node in again["nodes"]], ["slv_orders"])
        serve.post(f"/runs/{again['run_id']}/retry", status=422)
        expect("exit code", serve.stop(), 0)
    expect("rows", ids(folder), [0])


@suite.case("cancels what runs and what waits")
def _(folder):
    project(folder, slow=SLOW.format(extra="", size=LONG))
    with Serve(folder) as serve:
        first, second = serve.run("slow"), serve.run("slow")
        serve.until("the long node", lambda: any(
            n["node"] == "second" and n["status"] == "running" for n in serve.get(f"/runs/{first}")["nodes"]))
        expect("second waits", serve.get(f"/runs/{second}")["status"], "queued")
        serve.post(f"/runs/{second}/cancel")
        expect("second", serve.ended(second)["outcome"], "cancelled")
        serve.post(f"/runs/{first}/cancel")
        run = serve.ended(first)
        expect("first", run["outcome"], "cancelled")
        expect("nodes", {n["node"]: n["status"] for n in run["nodes"]},
               {"first": "succeeded", "second": "cancelled"})
        serve.post(f"/runs/{first}/cancel", status=422)
        expect("exit code", serve.stop(), 0)


@suite.case("ends a run whose time is over")
def _(folder):
    project(folder, slow=SLOW.format(extra="timeout: 2s", size=LONG))
    with Serve(folder) as serve:
        run = serve.ended(serve.run("slow"))
        expect("outcome", run["outcome"], "failed")
        expect("why", "timeout" in run["message"], True)
        expect("exit code", serve.stop(), 0)


@suite.case("a file that becomes invalid leaves the last valid one running")
def _(folder):
    project(folder, orders=ORDERS.format(extra=""))
    with Serve(folder) as serve:
        write_files(folder, {"pipelines/orders.yaml": "name: orders\nnodez: []\n",
                             "pipelines/new.yaml": "nodes: [\n"})
        serve.until("two faults", lambda: serve.get("/overview")["counts"]["invalid"] == 2)
        by_file = {p["file"]: p for p in serve.get("/pipelines")["pipelines"]}
        if "nodez" not in by_file["pipelines/orders.yaml"]["error"]:
            raise Failure(f"the error does not say what: {by_file}")
        expect("new", (by_file["pipelines/new.yaml"]["name"], by_file["pipelines/new.yaml"]["state"]),
               (None, "invalid"))
        expect("outcome", serve.ended(serve.run("orders"))["outcome"], "succeeded")
        write_files(folder, {"pipelines/orders.yaml": ORDERS.format(extra="tags: [fixed]")})
        (folder / "pipelines/new.yaml").unlink()
        serve.until("no fault", lambda: serve.get("/overview")["counts"] ==
                    {"pipelines": 1, "invalid": 0, "paused": 0, "running": 0, "queued": 0, "failing": 0})
        expect("tags", serve.get("/pipelines/orders")["tags"], ["fixed"])
        expect("exit code", serve.stop(), 0)


@suite.case("runs with parameters, and refuses those that are none")
def _(folder):
    text = ORDERS.format(extra="parameters: {least: {default: 0}}").replace("qty > 0", "qty > ${params.least}")
    project(folder, orders=text)
    with Serve(folder) as serve:
        run = serve.ended(serve.run("orders", {"parameters": {"least": 5}}))
        expect("outcome", (run["outcome"], run["message"]), ("succeeded", None))
        expect("parameters", run["parameters"], {"least": "5"})
        wrong = serve.ended(serve.run("orders", {"parameters": {"most": 5}}))
        expect("outcome", wrong["outcome"], "failed")
        expect("why", "most" in wrong["message"], True)
        expect("exit code", serve.stop(), 0)
    expect("rows", ids(folder), [])


@suite.case("streams what happens, and goes on where a viewer was")
def _(folder):
    project(folder, orders=ORDERS.format(extra=""))
    with Serve(folder) as serve:
        followed = Followed(serve)
        run_id = serve.run("orders")
        # What is decided is told at once, events when they are in the log.
        followed.until("run", lambda run: run["run_id"] == run_id and run["outcome"] == "succeeded")
        first = followed.until("event", lambda e: e["type"] == "run_started" and e["run_id"] == run_id)
        expect("table", followed.until("event", lambda e: e["type"] == "table_committed")["data"]["table_name"],
               "main.bronze.orders")
        followed.close()
        again = Followed(serve, first["id"])
        expect("missed", again.until("event", lambda e: True)["data"]["type"], "node_started")
        must(lakemill("run", "orders", cwd=folder))  # another process
        again.until("event", lambda e: e["type"] == "run_succeeded" and e["run_id"] != run_id)
        again.close()
        for last in ("999999.1", "nonsense"):
            lost = Followed(serve, last)
            expect("lost", lost.frame()["event"], "pipelines")
            lost.close()
        serve.until("viewers go", lambda: serve.ask("GET", "/healthz")[0] == 200)
        expect("exit code", serve.stop(), 0)


@suite.case("a killed process: the run is told truthfully, and goes on")
def _(folder):
    project(folder, slow=SLOW.format(extra="", size=SHORT))
    with Serve(folder) as serve:
        run_id = serve.run("slow")
        serve.until("the long node", lambda: any(
            n["node"] == "second" and n["status"] == "running" for n in serve.get(f"/runs/{run_id}")["nodes"]))
        serve.kill()
    with Serve(folder) as serve:
        run = serve.ended(run_id)
        expect("outcome", (run["outcome"], run["attempt"]), ("succeeded", 2))
        kinds = [(e["kind"], e.get("outcome")) for e in journal(folder, "slow")]
        expect("journal", kinds, [("run_requested", None), ("run_started", None), ("run_ended", "interrupted"),
                                  ("run_started", None), ("run_ended", "succeeded")])
        expect("exit code", serve.stop(), 0)
    expect("rows", rows("SELECT n FROM main.gold.second", folder), [[1]])


@suite.case("two processes share the work, and one takes over from the other")
def _(folder):
    project(folder, slow=SLOW.format(extra="", size=SHORT))
    with Serve(folder) as one, Serve(folder) as two:
        run_id = one.run("slow")
        member = one.get("/overview")["member"]
        one.until("the long node", lambda: any(
            e["kind"] == "run_started" for e in journal(folder, "slow")))
        started = next(e for e in journal(folder, "slow") if e["kind"] == "run_started")
        victim, other = (one, two) if started["member"] == member else (two, one)
        other.until("the other to know of it",
                    lambda: other.ask("GET", f"/api/v1/runs/{run_id}")[0] == 200)
        victim.kill()
        run = other.ended(run_id)
        expect("outcome", (run["outcome"], run["attempt"]), ("succeeded", 2))
        expect("exit code", other.stop(), 0)


@suite.case("told to stop in mid-run, it leaves the run to the next process")
def _(folder):
    project(folder, slow=SLOW.format(extra="", size=SHORT))
    with Serve(folder) as serve:
        run_id = serve.run("slow")
        serve.until("the long node", lambda: any(
            n["node"] == "second" and n["status"] == "running" for n in serve.get(f"/runs/{run_id}")["nodes"]))
        expect("exit code", serve.stop(), 0)
    with Serve(folder) as serve:
        run = serve.ended(run_id)
        expect("outcome", (run["outcome"], run["attempt"]), ("succeeded", 2))
        nodes = {node["node"]: node["run_id"] for node in run["nodes"]}
        expect("only what was not done", nodes, {"first": run_id, "second": f"{run_id}.2"})
        serve.stop()


@suite.case("killed at random: every file is there once, every instant was decided once")
def _(folder):
    chance = random.Random(5)
    project(folder, orders=ORDERS.format(extra="triggers: [{every: 1s, catchup: ALL}]"))
    number = 0
    for _ in range(KILLS):
        with Serve(folder) as serve:
            for _ in range(chance.randint(1, 4)):
                number += 1
                drop(folder, number)
                time.sleep(chance.uniform(0, 0.5))
            serve.kill()
    with Serve(folder) as serve:
        serve.until("all orders", lambda: (folder / "lake/main/silver/orders").is_dir()
                    and ids(folder) == list(range(number + 1)))
        serve.post("/pipelines/orders/pause", status=200)
        serve.until("all runs to end", lambda: not serve.get("/pipelines/orders")["open_runs"])
        expect("exit code", serve.stop(), 0)
    cursors = [e["cursor"] for e in journal(folder, "orders") if e["kind"] == "run_requested"]
    expect("instants decided twice", len(cursors) - len(set(cursors)), 0)
    seconds = sorted(time.mktime(time.strptime(c[:19], "%Y-%m-%dT%H:%M:%S")) for c in cursors)
    gaps = [b - a for a, b in zip(seconds, seconds[1:]) if b - a != 1]
    skipped = [e for e in journal(folder, "orders") if e["kind"] == "run_skipped" and e.get("reason") != "paused"]
    if not skipped:
        expect("instants that nobody decided", gaps, [])
    expect("events verify", must(lakemill("events", "verify", cwd=folder)).code, 0)


@suite.case("requests that are wrong are answered clearly")
def _(folder):
    project(folder, orders=ORDERS.format(extra=""))
    with Serve(folder) as serve:
        def refused(status, method, path, body=None, says="", **headers):
            named = {name.replace("_", "-"): value for name, value in headers.items()}
            got, problem = serve.ask(method, path, body, named)
            if got != status or says not in str(problem):
                raise Failure(f"{method} {path} {body!r}: {got} {problem}, not {status} {says}")
        start = "/api/v1/pipelines/orders/runs"
        refused(404, "GET", "/api/v1/nothing")
        refused(404, "GET", "/api/v1/runs/nobody", says="no run 'nobody'")
        refused(404, "POST", "/api/v1/pipelines/ordres/runs", b"{}", "did you mean 'orders'")
        refused(404, "POST", "/api/v1/runs/nobody/cancel", b"")
        refused(405, "DELETE", "/api/v1/runs", says="GET")
        refused(422, "POST", start, b"{", "no JSON")
        refused(422, "POST", start, b"[1]", "must be a JSON object")
        refused(422, "POST", start, b'{"selectors": "x"}', "/selectors")
        refused(422, "POST", start, b'{"selectors": ["brz_order"]}', "brz_orders")
        refused(422, "POST", start, b'{"unknown": 1}', "unknown")
        refused(422, "POST", start, b"\xff\xfe", "no JSON")
        refused(422, "POST", start, b"[" * 100_000, "too deep")
        refused(413, "POST", start, b" " * (2 << 20))
        refused(422, "GET", "/api/v1/runs?limit=0", says="limit")
        refused(422, "GET", "/api/v1/events?type=x", says="type")
        refused(422, "GET", "/api/v1/events?since=yesterday", says="since")
        refused(400, "GET", "/api/v1//runs")
        refused(400, "GET", "/api/v1/runs/%2e%2e")
        refused(400, "GET", "/api/v1/runs;x=1")
        refused(421, "GET", "/api/v1/runs", Host="evil.example")
        refused(403, "POST", start, b"{}", Origin="https://evil.example")
        refused(403, "POST", start, b"{}", Sec_Fetch_Site="cross-site")
        expect("runs", serve.get("/runs")["runs"], [])
        with socket.create_connection(("127.0.0.1", serve.port)) as slow:
            slow.sendall(b"GET /healthz HTTP/1.1\r\nHo")  # never ends: nobody waits for it
            expect("healthz", serve.ask("GET", "/healthz")[0], 200)
        expect("exit code", serve.stop(), 0)


@suite.case("runs when files come, and when a table has a new version, whoever commits to it")
def _(folder):
    behind = ORDERS.format(extra="triggers: [{on_table: main.silver.orders}]").replace("name: orders", "name: behind", 1)
    behind = behind.replace("path: ../in/, format: JSONL", "table_name: orders, schema_name: silver")
    behind = behind.replace("{table_name: orders, schema_name: bronze", "{table_name: behind, schema_name: bronze")
    behind = behind.replace("{table_name: orders, schema_name: silver, mode", "{table_name: behind, schema_name: silver, mode")
    project(folder, orders=ORDERS.format(extra="triggers: [{on_files: ../in/}]"), behind=behind)
    with Serve(folder) as serve:
        serve.until("the triggers", lambda: len(journal(folder, "orders")) + len(journal(folder, "behind")) >= 2)
        expect("what was there began nothing", serve.get("/runs")["runs"], [])
        drop(folder, 1)
        serve.until("order 1 behind", lambda: (folder / "lake/main/silver/behind").is_dir()
                    and ids(folder, "main.silver.behind") == [0, 1])
        drop(folder, 2)
        must(lakemill("run", "orders", cwd=folder))  # another process
        serve.until("order 2 behind", lambda: ids(folder, "main.silver.behind") == [0, 1, 2])
        expect("exit code", serve.stop(), 0)


@suite.case("keeps a continuous pipeline going, with what its file says now")
def _(folder):
    project(folder, orders=ORDERS.format(extra="triggers: [{continuous: true}]"))
    with Serve(folder) as serve:
        serve.until("order 0", lambda: (folder / "lake/main/silver/orders").is_dir() and ids(folder) == [0])
        drop(folder, 1)
        serve.until("order 1", lambda: ids(folder) == [0, 1])
        run = serve.get("/runs")["runs"][0]
        expect("running", (run["status"], run["attempt"]), ("running", 1))
        text = ORDERS.format(extra="triggers: [{continuous: true}]").replace("SELECT id, qty", "SELECT id, 7 AS qty")
        write_files(folder, {"pipelines/orders.yaml": text})
        serve.until("the next attempt", lambda: serve.get("/runs")["runs"][0]["attempt"] == 2)
        drop(folder, 2)
        serve.until("order 2", lambda: ids(folder) == [0, 1, 2])
        expect("as the file says now", rows("SELECT qty FROM main.silver.orders WHERE id = 2", folder), [[7]])
        serve.post("/pipelines/orders/pause", status=200)
        expect("outcome", serve.ended(run["run_id"])["outcome"], "cancelled")
        expect("exit code", serve.stop(), 0)
    with Serve(folder) as serve:
        time.sleep(1)
        expect("paused", serve.get("/runs?status=running")["runs"], [])
        serve.post("/pipelines/orders/resume", status=200)
        drop(folder, 3)
        serve.until("order 3", lambda: ids(folder) == [0, 1, 2, 3])
        expect("exit code", serve.stop(), 0)


@suite.case("tells of decisions, of who wanted them and what they led to")
def _(folder):
    project(folder, orders=ORDERS.format(extra=""))
    with Serve(folder) as serve:
        run_id = serve.run("orders", {"selectors": ["brz_orders"]})
        serve.ended(run_id)
        write_files(folder, {"pipelines/orders.yaml": "nodes: [\n"})
        serve.until("the fault", lambda: serve.get("/overview")["counts"]["invalid"] == 1)
        serve.post("/pipelines/orders/pause", status=200)
        expect("exit code", serve.stop(), 0)
    told = [dict(zip(("id", "type", "actor", "caused_by", "subject"), row)) for row in rows(
        f"SELECT id, type, actor, caused_by, subject FROM delta_scan('lake/_lakemill/events') "
        f"WHERE run_id = '{run_id}' ORDER BY sequence", folder)]
    expect("first", (told[0]["type"], told[0]["actor"]), ("run_requested", "local"))
    expect("second", (told[1]["type"], told[1]["caused_by"]), ("run_started", told[0]["id"]))
    expect("third", (told[2]["type"], told[2]["caused_by"]), ("node_started", told[1]["id"]))
    expect("subject", told[0]["subject"], "pipeline/orders")
    types = {row[0] for row in rows("SELECT type FROM delta_scan('lake/_lakemill/events')", folder)}
    expect("types", {"configuration_invalid", "pipeline_paused"} - types, set())
    expect("events verify", must(lakemill("events", "verify", cwd=folder)).code, 0)


@suite.case("runs when something is told, by whichever process, and only then")
def _(folder):
    wanted = 'on_event: {type: [run_succeeded, node_failed], subject: pipeline/ord*, where: "details NOT LIKE \'%never%\'"}'
    behind = ORDERS.format(extra="triggers: [{" + wanted + "}]").replace("name: orders", "name: behind", 1)
    behind = behind.replace("table_name: orders", "table_name: behind")
    project(folder, orders=ORDERS.format(extra=""), behind=behind,
            others=ORDERS.format(extra="").replace("name: orders", "name: others", 1).replace("table_name: orders", "table_name: others"))
    with Serve(folder) as serve:
        serve.until("the trigger", lambda: journal(folder, "behind"))
        serve.ended(serve.run("others"))
        serve.ended(serve.run("orders"))
        serve.until("a run behind", lambda: len(serve.get("/runs?pipeline=behind&status=ended")["runs"]) == 1)
        must(lakemill("run", "orders", cwd=folder))
        serve.until("another one", lambda: len(serve.get("/runs?pipeline=behind&status=ended")["runs"]) == 2)
        time.sleep(1.5)
        expect("runs", len(serve.get("/runs?pipeline=behind")["runs"]), 2)
        expect("exit code", serve.stop(), 0)


@suite.case("a wrong command line is told")
def _(folder):
    project(folder, orders=ORDERS.format(extra=""))
    for args, says in ((("serve",), "--dev"), (("serve", "--dev", "--listen", "0.0.0.0:0"), "loopback"),
                       (("serve", "--dev", "--listen", "nonsense"), "nonsense")):
        outcome = must(lakemill(*args, cwd=folder), 2)
        if says not in outcome.err:
            raise Failure(outcome.describe())
    empty = folder / "empty"
    empty.mkdir()
    (empty / "lakemill.yaml").write_text("name: x\n")
    must(lakemill("serve", "--dev", cwd=empty), 2)


suite.run()
