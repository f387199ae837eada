"""A made-up project that lives: pipelines, runs, events, as the API shows them."""
import collections
import datetime
import json
import queue
import random
import threading
import time
import uuid

TICK_SECONDS = 0.1
EVENTS_MAX = 5_000


class Refusal(Exception):
    """An answer that is a problem."""

    def __init__(self, status: int, title: str, detail: str):
        super().__init__(detail)
        self.status = status
        self.title = title
        self.detail = detail


def text_of(at: datetime.datetime | None) -> str | None:
    """The instant as the API writes it."""
    return at and at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def now() -> datetime.datetime:
    """This instant, in UTC."""
    return datetime.datetime.now(datetime.timezone.utc)


def seconds(count: float) -> datetime.timedelta:
    """A span of time."""
    return datetime.timedelta(seconds=count)


def node(name: str, layer: str | None, *upstream: str, rows: int = 0) -> dict:
    """A node that nothing has run yet; upstream names are "node" or "pipeline/node"."""
    return {"name": name, "layer": layer, "upstream": list(upstream), "rows": rows,
            "table": layer and f"{layer.lower()}.{name}"}


ORDERS = [
    node("raw_orders", "BRONZE", rows=48_210), node("raw_items", "BRONZE", rows=152_877),
    node("raw_customers", "BRONZE", rows=9_120),
    node("orders", "SILVER", "raw_orders", rows=48_166),
    node("order_items", "SILVER", "raw_items", "orders", rows=152_861),
    node("customers", "SILVER", "raw_customers", rows=9_120),
    node("orders_rejected", "SILVER", "raw_orders", rows=44),
    node("daily_revenue", "GOLD", "orders", "order_items", rows=730),
    node("best_customers", "GOLD", "orders", "customers", rows=500),
]
PAYMENTS = [
    node("raw_payments", "BRONZE", rows=51_003),
    node("payments", "SILVER", "raw_payments", "orders/orders", rows=50_877),
    node("refunds", "SILVER", "raw_payments", rows=1_204),
    node("payments_by_method", "GOLD", "payments", rows=96),
    node("unpaid_orders", "GOLD", "payments", "orders/orders", rows=311),
]
INVENTORY = [
    node("raw_stock", "BRONZE", rows=220_416), node("raw_warehouses", "BRONZE", rows=14),
    node("stock", "SILVER", "raw_stock", "raw_warehouses", rows=220_416),
    node("stock_by_day", "GOLD", "stock", "orders/order_items", rows=80_300),
]
WEB_EVENTS = [
    node("raw_clicks", "BRONZE", rows=1_204_551),
    node("sessions", "SILVER", "raw_clicks", rows=88_112),
    node("funnel", "GOLD", "sessions", "orders/orders", rows=24),
]
MARKETING = [
    node("raw_campaigns", "BRONZE", rows=312),
    node("campaigns", "SILVER", "raw_campaigns", rows=312),
    node("campaign_return", "GOLD", "campaigns", "orders/daily_revenue",
         "web_events/sessions", rows=312),
]
FINANCE = [
    node("ledger", "SILVER", "payments/payments", "orders/orders", rows=99_043),
    node("month_end", "GOLD", "ledger", rows=24),
]
BROKEN = ("pipelines/finance.yaml:14:9: node month_end: unknown key 'exspectations'; "
          "did you mean 'expectations'?")
FAULT = ("node payments: batch 212: read landing/payments/2026-03-14.csv: line 1207: "
         "'12,50' is not a DECIMAL(12,2) (column amount)\n"
         "Fix the file, or set rejected: QUARANTINE on the source.")


def triggers(kind: str, text: str, every_seconds: int | None = None) -> list[dict]:
    """One trigger; with an interval it has a next instant."""
    return [{"kind": kind, "text": text, "every": every_seconds}]


def small_project() -> list[dict]:
    """Seven pipelines of a shop, each of another kind."""
    return [
        {"name": "finance", "description": "Ledger and month-end figures",
         "owner": "finance", "tags": ["monthly"], "nodes": FINANCE, "error": BROKEN,
         "triggers": triggers("cron", "0 5 1 * * (Europe/Berlin)", 1_100_000)},
        {"name": "inventory", "description": "Stock of all warehouses, day by day",
         "owner": "logistics", "tags": ["daily"], "nodes": INVENTORY, "node_seconds": 20,
         "triggers": triggers("cron", "30 4 * * * (Europe/Berlin)", 41_000)},
        {"name": "marketing", "description": "What campaigns brought", "owner": "growth",
         "tags": [], "nodes": MARKETING, "paused": True,
         "triggers": triggers("after", "orders")},
        {"name": "orders", "description": "Orders, items and customers of the shop",
         "owner": "sales", "tags": ["daily", "core"], "nodes": ORDERS, "node_seconds": 0.6,
         "triggers": triggers("cron", "0 6 * * * (Europe/Berlin)", 9_400)
         + triggers("on_files", "landing/orders/*.csv")},
        {"name": "payments", "description": "Payments beside the orders they are for",
         "owner": "finance", "tags": ["core"], "nodes": PAYMENTS, "node_seconds": 0.8,
         "fails_at": "payments", "triggers": triggers("every", "15 min", 900)},
        {"name": "web_events", "description": "Clicks, sessions and the way to an order",
         "owner": "growth", "tags": ["streaming"], "nodes": WEB_EVENTS, "node_seconds": 2,
         "alone_every": 25, "triggers": triggers("every", "25 s", 25)},
    ]


def large_project(count: int) -> list[dict]:
    """`count` pipelines of ten nodes; each fifth reads a table of the one before."""
    made = []
    for index in range(count):
        nodes = [node(f"raw_{k}", "BRONZE", rows=1_000 * k + 7) for k in range(3)]
        nodes += [node(f"clean_{k}", "SILVER", f"raw_{k}", rows=900 * k + 5) for k in range(3)]
        nodes += [node("joined", "SILVER", "clean_0", "clean_1", rows=2_000),
                  node("daily", "GOLD", "joined", "clean_2", rows=365),
                  node("monthly", "GOLD", "daily", rows=12),
                  node("ranking", "GOLD", "joined", rows=100)]
        if index % 5:
            nodes[6]["upstream"].append(f"p{index - 1:03d}/clean_2")
        made.append({"name": f"p{index:03d}", "description": f"Made pipeline {index}",
                     "owner": None, "tags": [], "nodes": nodes, "node_seconds": 0.4,
                     "triggers": triggers("every", "1 h", 3600)})
    return made


class Project:
    """All state; every public function may be called from any thread."""

    def __init__(self, pipelines: int = 0):
        self.lock = threading.RLock()
        self.random = random.Random(7)
        self.started_at = now()
        self.made = {p["name"]: p for p in
                     (large_project(pipelines) if pipelines else small_project())}
        self.all_runs: list[dict] = []  # oldest first
        self.keys: dict[str, str] = {}
        self.events: collections.deque[dict] = collections.deque(maxlen=EVENTS_MAX)
        self.number = 0
        self.followers: list[queue.Queue] = []
        self.states: dict[str, dict] = {}
        self.alone_at = {p["name"]: now() + seconds(p["alone_every"] / 2)
                         for p in self.made.values() if "alone_every" in p}
        with self.lock:
            self.live_the_past(few=pipelines > 0)

    def start(self) -> None:
        """Lets time go on, in a thread."""
        threading.Thread(target=self.live, daemon=True).start()

    # --- what was before ---------------------------------------------------------------

    def live_the_past(self, few: bool) -> None:
        """Runs of the last days, as they would have been."""
        for pipeline in self.made.values():
            for index in range(1 if few else 24, 0, -1):
                at = now() - seconds(index * 5_400 + self.random.randrange(3_000))
                run = self.new_run(pipeline["name"], at, "timer",
                                   pipeline["triggers"][0]["text"])
                slow = self.random.uniform(0.7, 1.6)
                for k, part in enumerate(pipeline["nodes"]):
                    took = pipeline.get("node_seconds", 3) * slow
                    begin = at + seconds(0.4 + k * took)
                    run["nodes"].append(self.ended_node(pipeline, part, begin, took, index))
                    if run["nodes"][-1]["status"] == "failed":
                        break
                self.end_run(run, run["nodes"][-1]["ended_at"])
        self.all_runs.sort(key=lambda run: run["requested_at"])
        ordered = sorted(self.events, key=lambda event: event["time"])
        self.events.clear()
        self.events.extend({**event, "id": f"w1-{number}"}
                           for number, event in enumerate(ordered))

    def ended_node(self, pipeline: dict, part: dict, begin, took: float, index: int) -> dict:
        is_bad = pipeline.get("fails_at") == part["name"] and index < 3
        end = begin + seconds(took)
        done = {"node": part["name"], "status": "failed" if is_bad else "succeeded",
                "started_at": begin, "ended_at": end,
                "rows_written": None if is_bad else part["rows"],
                "message": FAULT if is_bad else None}
        self.note(pipeline["name"], done)
        run = self.all_runs[-1]
        self.tell("node_" + done["status"], "error" if is_bad else "info", run, end, done)
        if not is_bad:
            self.tell_commit(run, done, end)
        return done

    # --- runs ---------------------------------------------------------------------------

    def new_run(self, pipeline: str, at, actor: str, trigger: str, **more) -> dict:
        run = {"run_id": str(uuid.UUID(int=self.random.getrandbits(128), version=4)),
               "pipeline": pipeline, "status": "running", "outcome": None, "actor": actor,
               "trigger": trigger, "requested_at": at, "started_at": at + seconds(0.2),
               "ended_at": None, "retry_at": None, "attempt": 1, "failures": 0,
               "cancel_requested": False, "message": None, "selectors": [],
               "full_refresh": False, "parameters": {}, "nodes": [], "left_out": [], **more}
        self.all_runs.append(run)
        if run["status"] == "running":
            self.tell("run_started", "info", run, run["started_at"])
        return run

    def end_run(self, run: dict, at) -> None:
        bad = [n for n in run["nodes"] if n["status"] == "failed"]
        run["status"] = "ended"
        run["ended_at"] = at
        run["outcome"] = ("cancelled" if run["cancel_requested"]
                          else "failed" if bad else "succeeded")
        run["failures"] = 1 if bad else 0
        run["message"] = bad[0]["message"] if bad else None
        level = {"failed": "error", "cancelled": "warning"}.get(run["outcome"], "info")
        self.tell("run_" + run["outcome"], level, run, at, None, run["message"])

    def live(self) -> None:
        """Each tick: what is due begins, what is done ends."""
        while True:
            time.sleep(TICK_SECONDS)
            with self.lock:
                for name, at in self.alone_at.items():
                    if at <= now():
                        self.alone_at[name] = now() + seconds(self.made[name]["alone_every"])
                        if not self.open_runs(name) and not self.made[name].get("paused"):
                            self.begin(self.new_run(name, now(), "timer", "every 25 s",
                                                    status="queued", started_at=None))
                for run in [r for r in self.all_runs if r["status"] != "ended"]:
                    self.step(run)

    def begin(self, run: dict) -> None:
        run["queued_until"] = now() + seconds(0.4)
        self.tell_run(run)

    def step(self, run: dict) -> None:
        """One run goes on by one tick: two nodes at once where the graph allows."""
        if run["status"] == "queued":
            if run["cancel_requested"]:
                self.end_run(run, now())
                self.tell_run(run)
            elif now() >= run["queued_until"]:
                run["status"], run["started_at"] = "running", now()
                self.tell("run_started", "info", run, now())
                self.tell_run(run)
            return
        pipeline = self.made[run["pipeline"]]
        of = {n["node"]: n for n in run["nodes"]}
        for part in run["nodes"]:
            if part["status"] == "running":
                self.go_on(run, pipeline, part)
        going = [n for n in run["nodes"] if n["status"] == "running"]
        failed = any(n["status"] == "failed" for n in run["nodes"])
        names = {n["name"] for n in pipeline["nodes"]}
        if not run["cancel_requested"]:
            for part in pipeline["nodes"]:
                ready = all(of.get(up, {}).get("status") in ("succeeded", "skipped")
                            for up in part["upstream"] if up in names)
                if part["name"] in of or not ready or len(going) >= 2:
                    continue
                is_left_out = part["name"] in run["left_out"]
                begun = {"node": part["name"], "rows_written": None, "message": None,
                         "status": "skipped" if is_left_out else "running",
                         "started_at": now(), "ended_at": now() if is_left_out else None}
                run["nodes"].append(begun)
                of[part["name"]] = begun
                if not is_left_out:
                    going.append(begun)
                    self.note(run["pipeline"], begun)
                    self.tell("node_started", "debug", run, now(), begun)
        is_done = len(of) == len(names) or failed or run["cancel_requested"]
        if not going and is_done:
            self.end_run(run, now())
            self.tell_run(run)

    def go_on(self, run: dict, pipeline: dict, part: dict) -> None:
        took = pipeline.get("node_seconds", 3)
        if run["cancel_requested"]:
            part["status"], part["ended_at"] = "cancelled", now()
        elif now() - part["started_at"] >= seconds(took):
            is_bad = pipeline.get("fails_at") == part["node"]
            part["status"] = "failed" if is_bad else "succeeded"
            part["ended_at"] = now()
            part["message"] = FAULT if is_bad else None
            part["rows_written"] = None if is_bad else self.rows_of(pipeline, part["node"])
        if part["ended_at"] is None:
            return
        self.note(run["pipeline"], part)
        level = {"failed": "error", "cancelled": "warning"}.get(part["status"], "info")
        self.tell("node_" + part["status"], level, run, now(), part)
        if part["status"] == "succeeded":
            self.tell_commit(run, part, now())

    @staticmethod
    def rows_of(pipeline: dict, name: str) -> int:
        return next(n["rows"] for n in pipeline["nodes"] if n["name"] == name)

    def note(self, pipeline: str, part: dict) -> None:
        """Keeps what a node's newest attempt came to, for the graph."""
        self.states[f"{pipeline}/{part['node']}"] = {
            "state": part["status"], "rows_written": part["rows_written"],
            "at": part["ended_at"] or part["started_at"], "message": part["message"]}

    # --- telling ------------------------------------------------------------------------

    def tell(self, kind: str, level: str, run: dict, at, part: dict | None = None,
             message: str | None = None, **more) -> None:
        name = part["node"] if part else None
        words = kind.replace("_", " ")
        event = {"id": f"w1-{self.number}", "time": text_of(at), "level": level,
                 "type": kind, "run_id": run["run_id"], "pipeline": run["pipeline"],
                 "node": name, "table_name": None, "version": None, "batch": None,
                 "message": message or (part and part["message"])
                 or f"{words.split()[0]} {name or run['pipeline']} {words.split()[-1]}",
                 "details": {}, **more}
        if kind.startswith("run_") and run["ended_at"]:
            took = (run["ended_at"] - run["started_at"]).total_seconds() \
                if run["started_at"] else 0
            event["details"] = {"seconds": round(took, 3), "attempt": run["attempt"]}
        self.number += 1
        self.events.append(event)
        self.send(f"id: {event['id']}\nevent: event\ndata: {json.dumps(event)}\n\n")

    def tell_commit(self, run: dict, part: dict, at) -> None:
        table = next(n["table"] for n in self.made[run["pipeline"]]["nodes"]
                     if n["name"] == part["node"])
        version = sum(1 for e in self.events if e["table_name"] == table)
        self.tell("table_committed", "info", run, at, part,
                  f"version {version} of {table} was committed", table_name=table,
                  version=version, batch=version,
                  details={"operation": "WRITE", "rows_written": part["rows_written"],
                           "files": 1 + version % 4})

    def tell_run(self, run: dict) -> None:
        self.send(f"event: run\ndata: {json.dumps(self.shown(run))}\n\n")

    def send(self, frame: str) -> None:
        for follower in self.followers:
            follower.put(frame)

    def follow(self, last_id: str | None) -> queue.Queue:
        """Frames from now on, after those that were told since `last_id`."""
        with self.lock:
            frames: queue.Queue = queue.Queue()
            ids = [event["id"] for event in self.events]
            if last_id in ids:
                for event in list(self.events)[ids.index(last_id) + 1:]:
                    frames.put(f"id: {event['id']}\nevent: event\n"
                               f"data: {json.dumps(event)}\n\n")
            self.followers.append(frames)
            return frames

    def unfollow(self, frames: queue.Queue) -> None:
        with self.lock:
            self.followers.remove(frames)

    # --- reading ------------------------------------------------------------------------

    @staticmethod
    def shown(run: dict) -> dict:
        hidden = ("nodes", "queued_until", "left_out")
        return {key: text_of(value) if isinstance(value, datetime.datetime) else value
                for key, value in run.items() if key not in hidden}

    def open_runs(self, pipeline: str | None = None) -> list[dict]:
        return [r for r in self.all_runs
                if r["status"] != "ended" and pipeline in (None, r["pipeline"])]

    def last_run(self, pipeline: str) -> dict | None:
        ended = [r for r in self.all_runs
                 if r["pipeline"] == pipeline and r["status"] == "ended"]
        return max(ended, key=lambda r: r["ended_at"]) if ended else None

    def pipeline(self, name: str) -> dict:
        with self.lock:
            made = self.find(name)
            open_runs = self.open_runs(name)
            last = self.last_run(name)
            states = {run["status"] for run in open_runs}
            paused = made.get("paused", False)
            state = ("running" if "running" in states else "queued" if states
                     else "paused" if paused
                     else "invalid" if made.get("error") else "idle")
            return {"name": name, "file": f"pipelines/{name}.yaml",
                    "description": made["description"], "owner": made["owner"],
                    "tags": made["tags"], "state": state, "paused": paused,
                    "error": made.get("error"),
                    "triggers": [self.shown_trigger(t, paused) for t in made["triggers"]],
                    "nodes": len(made["nodes"]),
                    "open_runs": [self.shown(run) for run in open_runs],
                    "last_run": last and self.shown(last)}

    def shown_trigger(self, trigger: dict, paused: bool) -> dict:
        every = trigger["every"]
        due = None
        if every and not paused:
            passed = (now() - self.started_at).total_seconds()
            due = text_of(now() + seconds(every - passed % every))
        return {"kind": trigger["kind"], "text": trigger["text"], "next": due}

    def pipelines(self) -> list[dict]:
        return [self.pipeline(name) for name in sorted(self.made)]

    def ready(self) -> dict:
        return {"status": "ready", "pipelines": len(self.made)}

    def overview(self) -> dict:
        with self.lock:
            pipelines = self.pipelines()
            newest = sorted(self.all_runs, reverse=True, key=lambda run:
                            (run["status"] != "ended", run["requested_at"]))[:20]
            states = [run["status"] for run in self.open_runs()]
            return {"project": "shop", "member": "6f1c2a", "version": "0.1.0",
                    "now": text_of(now()), "started_at": text_of(self.started_at),
                    "counts": {
                        "pipelines": len(pipelines),
                        "invalid": sum(1 for p in pipelines if p["error"]),
                        "paused": sum(1 for p in pipelines if p["paused"]),
                        "running": states.count("running"),
                        "queued": states.count("queued"),
                        "failing": sum(1 for p in pipelines if p["last_run"]
                                       and p["last_run"]["outcome"] != "succeeded")},
                    "pipelines": pipelines, "runs": [self.shown(run) for run in newest]}

    def shown_nodes(self, name: str) -> list[dict]:
        shown = []
        for part in self.find(name)["nodes"]:
            state = self.states.get(f"{name}/{part['name']}",
                                    {"state": "none", "rows_written": None, "at": None,
                                     "message": None})
            shown.append({"name": part["name"], "layer": part["layer"],
                          "table": part["table"],
                          "upstream": [up for up in part["upstream"] if "/" not in up],
                          **state, "at": text_of(state["at"])})
        return shown

    def pipeline_graph(self, name: str) -> dict:
        with self.lock:
            return {"pipeline": name, "nodes": self.shown_nodes(name)}

    def graph(self) -> dict:
        with self.lock:
            nodes, edges = [], []
            rows = {}
            for name in self.made:
                for part in self.shown_nodes(name):
                    nodes.append({**part, "pipeline": name})
                    rows[f"{name}/{part['name']}"] = part["rows_written"]
            for name, made in self.made.items():
                for part in made["nodes"]:
                    for up in part["upstream"]:
                        start = up if "/" in up else f"{name}/{up}"
                        edges.append({"from": start, "to": f"{name}/{part['name']}",
                                      "rows": rows.get(start)})
            return {"nodes": nodes, "edges": edges}

    def runs(self, query: dict[str, str]) -> list[dict]:
        with self.lock:
            wanted = [run for run in reversed(self.all_runs)
                      if query.get("pipeline") in (None, run["pipeline"])
                      and query.get("status") in (None, run["status"], run["outcome"])]
            return [self.shown(run) for run in wanted[:int(query.get("limit", 100))]]

    def run_detail(self, run_id: str) -> dict:
        with self.lock:
            run = self.find_run(run_id)
            nodes = [{**part, "started_at": text_of(part["started_at"]),
                      "ended_at": text_of(part["ended_at"])} for part in run["nodes"]]
            return {**self.shown(run), "nodes": nodes}

    def find_events(self, query: dict[str, str]) -> list[dict]:
        levels = ["debug", "info", "warning", "error"]
        least = levels.index(query.get("level", "debug"))
        same = {"type": "type", "run_id": "run_id", "pipeline": "pipeline", "node": "node",
                "table": "table_name"}
        with self.lock:
            found = [event for event in self.events
                     if levels.index(event["level"]) >= least
                     and all(event[key] == query[name]
                             for name, key in same.items() if name in query)
                     and query.get("since", "") <= event["time"]
                     and ("until" not in query or event["time"] < query["until"])]
        return found[-int(query.get("limit", 100)):]

    # --- writing ------------------------------------------------------------------------

    def find(self, name: str) -> dict:
        if name not in self.made:
            raise Refusal(404, "Not Found", f"there is no pipeline {name}")
        return self.made[name]

    def find_run(self, run_id: str) -> dict:
        for run in self.all_runs:
            if run["run_id"] == run_id:
                return run
        raise Refusal(404, "Not Found", f"there is no run {run_id}")

    def ask_for_run(self, name: str, wish: dict, key: str | None) -> dict:
        with self.lock:
            self.find(name)
            if key in self.keys:
                return {"run_id": self.keys[key], "is_new": False}
            run = self.new_run(name, now(), "dev", "manual", status="queued",
                               started_at=None, selectors=wish.get("selectors", []),
                               full_refresh=wish.get("full_refresh", False),
                               parameters=wish.get("parameters", {}))
            if key:
                self.keys[key] = run["run_id"]
            self.begin(run)
            return {"run_id": run["run_id"], "is_new": True}

    def set_paused(self, name: str, paused: bool) -> dict:
        with self.lock:
            self.find(name)["paused"] = paused
            self.send("event: pipelines\ndata: {}\n\n")
            return self.pipeline(name)

    def cancel(self, run_id: str) -> dict:
        with self.lock:
            run = self.find_run(run_id)
            if run["status"] == "ended":
                raise Refusal(409, "Conflict", "the run has ended")
            run["cancel_requested"] = True
            self.tell_run(run)
            return self.shown(run)

    def retry(self, run_id: str, start: str) -> dict:
        with self.lock:
            old = self.find_run(run_id)
            if old["status"] != "ended":
                raise Refusal(409, "Conflict", "the run goes on")
            done = [n["node"] for n in old["nodes"]
                    if start == "FAILED" and n["status"] in ("succeeded", "skipped")]
            run = self.new_run(old["pipeline"], now(), "dev", "retry", status="queued",
                               started_at=None, left_out=done)
            self.begin(run)
            return {"run_id": run["run_id"], "is_new": True}
