#!/usr/bin/env python3
"""The event log across versions of Lakemill and across processes."""
import hashlib
import json
import pathlib
import signal
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from harness import environment  # noqa: E402

environment.enter()

import deltalake  # noqa: E402
import pyarrow  # noqa: E402

from harness.process import Failure, lakemill, must, rows, write_files  # noqa: E402
from harness.suite import Suite  # noqa: E402

suite = Suite("events")
PATIENCE = 60  # seconds until something must have happened

PIPELINE = """
name: p
nodes:
- {name: a, sources: [{data: {x: [1]}}], sinks: [{path: ./a, format: DELTA}]}
"""
OLDER_COLUMNS = pyarrow.schema(
    [("id", "string"), ("writer", "string"), ("sequence", "int64"),
     ("time", pyarrow.timestamp("us", "UTC")), ("level", "string"), ("type", "string"),
     ("run_id", "string"), ("pipeline", "string"), ("node", "string"),
     ("table_name", "string"), ("version", "int64"), ("batch", "int64"),
     ("message", "string"), ("details", "string"), ("chain", "string")])


def older_log(folder: pathlib.Path, count: int) -> None:
    """A log as it was before events had subject, caused_by and actor."""
    written, chain = [], ""
    for sequence in range(count):
        event = {"id": f"w-{sequence}", "writer": "w", "sequence": sequence,
                 "time": f"2026-01-01T00:00:0{sequence}.000000Z", "level": "info",
                 "type": "run_started", "run_id": "r", "pipeline": "p", "node": None,
                 "table_name": None, "version": None, "batch": None,
                 "message": "run of p started", "details": '{"nodes":1}'}
        text = json.dumps(event, sort_keys=True, separators=(",", ":"))
        chain = hashlib.sha256(f"{chain}\n{text}".encode()).hexdigest()
        written.append({**event, "chain": chain})
    table = pyarrow.table({name: [event[name] for event in written]
                           for name in OLDER_COLUMNS.names if name != "time"})
    times = pyarrow.array([1767225600000000 + 1000000 * i for i in range(count)],
                          pyarrow.timestamp("us", "UTC"))
    table = table.append_column("time", times).select(OLDER_COLUMNS.names).cast(OLDER_COLUMNS)
    deltalake.write_deltalake(str(folder / "_lakemill/events"), table,
                              configuration={"delta.appendOnly": "true"})


def verified(folder: pathlib.Path) -> int:
    return json.loads(must(lakemill("events", "verify", "--json", cwd=folder)).out)["events"]


@suite.case("a log without the newer columns is read, checked, and gets them with the next event")
def older(folder: pathlib.Path) -> None:
    write_files(folder, {"p.yaml": PIPELINE})
    older_log(folder, 3)
    if verified(folder) != 3:
        raise Failure("not all events of the older log were checked")
    told = json.loads(must(lakemill("events", "--json", cwd=folder)).out)
    if [each["subject"] for each in told] != ["pipeline/p"] * 3:
        raise Failure(f"subjects: {told}")
    must(lakemill("run", "p.yaml", cwd=folder))
    if verified(folder) <= 3:
        raise Failure("the run's events are missing")
    counts = rows("SELECT count(*), count(subject), count(*) FILTER (writer = 'w') "
                  "FROM delta_scan('_lakemill/events')", folder)[0]
    if counts[1] != counts[0] - 3 or counts[2] != 3:
        raise Failure(f"events, those with a subject, the older ones: {counts}")
    must(lakemill("run", "p.yaml", cwd=folder))
    verified(folder)


class Follower:
    """`events --follow --json` in the background, and what it has printed."""

    def __init__(self, folder: pathlib.Path, after: str):
        self.log = tempfile.TemporaryFile("w+")
        self.said = tempfile.TemporaryFile("w+")
        self.process = subprocess.Popen(
            [environment.binary(), "events", "--follow", "--json", "--after", after], cwd=folder,
            stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.said)

    def events(self) -> list[dict]:
        """Whole lines so far."""
        self.log.seek(0)
        return [json.loads(line) for line in self.log.read().splitlines(True)
                if line.endswith("\n")]

    def until(self, what: str, holds) -> list[dict]:
        """Waits for `holds(events)`; the follower must stay alive meanwhile."""
        end = time.monotonic() + PATIENCE
        while True:
            found = self.events()
            if holds(found):
                return found
            if self.process.poll() is not None or time.monotonic() > end:
                self.said.seek(0)
                raise Failure(f"not {what}: {len(found)} events, ended with "
                              f"{self.process.poll()}: {self.said.read()}")
            time.sleep(0.02)

    def end(self, how: signal.Signals = signal.SIGINT) -> int:
        """Ends it; gives its exit code."""
        self.process.send_signal(how)
        return self.process.wait(PATIENCE)


def place(event: dict) -> tuple[int, int]:
    version, index = event["position"].split(".")
    return int(version), int(index)


def in_log(folder: pathlib.Path) -> set[str]:
    return {row[0] for row in rows("SELECT id FROM delta_scan('_lakemill/events')", folder)}


def has_all(folder: pathlib.Path):
    """Whether a follower has every event that the log has by now."""
    ids = in_log(folder)
    return lambda found: ids <= {each["id"] for each in found}


def same_order(found: list[dict], other: list[dict], what: str) -> None:
    if [(each["position"], each["id"]) for each in found] != \
            [(each["position"], each["id"]) for each in other]:
        raise Failure(f"{what}: {len(found)} events, {len(other)} events in another order")


@suite.case("who follows gets every event of all processes once, in one order, and can go on anywhere")
def followed(folder: pathlib.Path) -> None:
    write_files(folder, {f"{name}.yaml": PIPELINE.replace("name: p", f"name: {name}").replace(
        "./a", f"./{name}") for name in ("p", "q")})
    early = Follower(folder, "0.0")  # nothing has happened yet
    resumed: list[dict] = []
    for _ in range(4):  # killed while two processes write, and begun where it was
        after = resumed[-1]["position"] if resumed else "0.0"
        broken = Follower(folder, after)
        running = [subprocess.Popen([environment.binary(), "run", f"{name}.yaml", "--full-refresh"],
                                    cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
                   for name in ("p", "q")]
        broken.until("reading", lambda found: found)
        broken.end(signal.SIGKILL)
        resumed += broken.events()
        for process in running:
            if process.wait(PATIENCE) != 0:
                raise Failure("a run failed beside a follower")
    whole = Follower(folder, "0.0")
    found = whole.until("all events", has_all(folder))
    if whole.end() != 0:
        raise Failure("Ctrl-C is no failure")
    if {each["id"] for each in found} != in_log(folder) or len(found) != len(in_log(folder)):
        raise Failure("not each event of the log once")
    if sorted(found, key=place) != found:
        raise Failure("positions do not rise")
    by_writer: dict[str, int] = {}
    for each in found:
        if by_writer.get(each["writer"], -1) >= each["sequence"]:
            raise Failure(f"events of a writer out of order: {each}")
        by_writer[each["writer"]] = each["sequence"]
    last = Follower(folder, resumed[-1]["position"])
    left = len(found) - len(resumed)
    resumed += last.until("the rest", lambda rest: len(rest) >= left)
    last.end()
    same_order(resumed, found, "killed and resumed")
    live = early.until("all that came", has_all(folder))
    early.end()
    same_order(live, found, "from the beginning")


def compact(folder: pathlib.Path) -> int:
    """Writes the log's files together; gives how many went."""
    out = must(lakemill("events", "compact", "--json", cwd=folder)).out
    return json.loads(out)["files_removed"]


@suite.case("a log whose files are written together beneath those who write and follow stays the same")
def compacted(folder: pathlib.Path) -> None:
    write_files(folder, {"p.yaml": PIPELINE})
    must(lakemill("events", "compact", cwd=folder))  # there is none yet
    live = Follower(folder, "0.0")
    running = [subprocess.Popen([environment.binary(), "run", "p.yaml", "--full-refresh"],
                                cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)]
    removed = 0
    for number in range(25):
        if running[-1].poll() is not None:
            running.append(subprocess.Popen(
                [environment.binary(), "run", "p.yaml", "--full-refresh"], cwd=folder,
                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))
        if number % 3 == 2:
            removed += compact(folder)
        else:
            time.sleep(0.02)
    if any(process.wait(PATIENCE) != 0 for process in running):
        raise Failure("a run failed beside the compaction")
    removed += compact(folder)
    if removed < 3:
        raise Failure(f"{removed} files were written together: the case has shown nothing")
    found = live.until("all events", has_all(folder))
    live.end()
    if len(found) != len(in_log(folder)):
        raise Failure("an event came twice")
    verified(folder)
    must(lakemill("table", "vacuum", "_lakemill/events", "--retain", "0h", "--force", cwd=folder))
    if len(list((folder / "_lakemill/events").glob("*.parquet"))) > 6:
        raise Failure("small files are left")
    late = Follower(folder, "0.0")
    same_order(late.until("all events", has_all(folder)), found, "from files written together")
    late.end()
    middle = found[len(found) // 2]["position"]
    later = Follower(folder, middle)
    rest = found[len(found) // 2 + 1:]
    same_order(later.until("the rest", lambda some: len(some) >= len(rest)), rest, "the rest of it")
    later.end()
    if verified(folder) != len(found):
        raise Failure("not all events were checked")


@suite.case("what a follower is told: types, so many, and positions that are none")
def filtered(folder: pathlib.Path) -> None:
    write_files(folder, {"p.yaml": PIPELINE})
    must(lakemill("run", "p.yaml", cwd=folder))
    out = must(lakemill("events", "--follow", "--after", "0.0", "--type", "run_started", "--type",
                        "run_succeeded", "-n", "2", cwd=folder)).out.decode()
    if [line.split()[2] for line in out.splitlines()] != ["run_started", "run_succeeded"]:
        raise Failure(out)
    outcome = must(lakemill("events", "--follow", "--after", "soon", cwd=folder), 2)
    if "no position among events" not in outcome.text:
        raise Failure(outcome.text)
    must(lakemill("events", "--after", "0.0", cwd=folder), 2)


if __name__ == "__main__":
    suite.run()
