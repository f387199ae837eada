#!/usr/bin/env python3
"""Events of commits whose process died before it told of them are rebuilt, once."""
import collections
import json
import pathlib
import shutil
import signal
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from harness import environment  # noqa: E402
from harness.process import Failure, lakemill, must, write_files  # noqa: E402
from harness.suite import Suite  # noqa: E402

suite = Suite("lost_events")

PIPELINE = """
name: p
nodes:
- name: landed
  layer: BRONZE
  sources: [{path: ./in, format: CSV, max_files: 1}]
  sinks: [{path: ./landed, format: DELTA}]
- name: clean
  sources: [{node_name: landed, as_stream: true}]
  transformer: {nodes: [{expr: "SELECT id::INT AS id FROM {df}"}]}
  expectations: [{name: odd, expr: "id % 2 = 1", action: QUARANTINE}]
  sinks: [{path: ./clean, format: DELTA}, {path: ./bad, format: DELTA, is_quarantine: true}]
"""
TABLES = ("landed", "clean", "bad")


def commits(folder: pathlib.Path) -> collections.Counter:
    """(table, version, run id) of what flows committed, from the logs."""
    found: collections.Counter = collections.Counter()
    for table in TABLES:
        for entry in (folder / table / "_delta_log").glob("*.json"):
            info = json.loads(entry.read_text().splitlines()[0])["commitInfo"]
            if "lakemill" in info:
                found[(table, int(entry.stem), info["lakemill"]["runId"])] += 1
    return found


def told(folder: pathlib.Path) -> collections.Counter:
    """The same by the events, and which of them were rebuilt."""
    events = json.loads(must(lakemill("events", "--type", "table_committed", "--json", "-n",
                                      "10000", cwd=folder)).out)
    return collections.Counter((pathlib.Path(e["details"]["url"]).name, e["version"],
                                e["run_id"]) for e in events)


def rebuilt(folder: pathlib.Path) -> int:
    events = json.loads(must(lakemill("events", "--type", "table_committed", "--json", "-n",
                                      "10000", cwd=folder)).out)
    return sum(e["details"].get("rebuilt", False) for e in events)


def same(folder: pathlib.Path, what: str) -> None:
    if told(folder) != commits(folder):
        raise Failure(f"{what}\n  missing {commits(folder) - told(folder)}\n"
                      f"  too many {told(folder) - commits(folder)}")
    must(lakemill("events", "verify", cwd=folder))


def add_file(folder: pathlib.Path, number: int) -> None:
    write_files(folder, {f"in/{number}.csv": f"id\n{2 * number}\n{2 * number + 1}\n"})


@suite.case("a process that dies before it tells of its commits: the next run does, once")
def killed(folder: pathlib.Path) -> None:
    write_files(folder, {"p.yaml": PIPELINE})
    lost = 0
    for number in range(6):
        add_file(folder, number)
        before = sum(commits(folder).values()) if number else 0
        process = subprocess.Popen([environment.binary(), "run", "p.yaml", "--continuous"],
                                   cwd=folder, stdout=subprocess.DEVNULL,
                                   stderr=subprocess.DEVNULL)
        end = time.monotonic() + 30
        while sum(commits(folder).values()) < before + 1 and time.monotonic() < end:
            time.sleep(0.005)
        process.send_signal(signal.SIGKILL)
        process.wait()
        lost += sum((commits(folder) - (told(folder))).values())
        must(lakemill("run", "p.yaml", cwd=folder))
        same(folder, f"round {number}")
    if lost == 0:
        raise Failure("no kill came before an event: the case has shown nothing")
    if rebuilt(folder) != lost:
        raise Failure(f"{lost} events were lost, {rebuilt(folder)} rebuilt")
    if list((folder / "_lakemill/flows/p/_runs").glob("*")):
        raise Failure("marks of runs are left")


@suite.case("a log of events that is gone is rebuilt by several processes at once")
def gone(folder: pathlib.Path) -> None:
    write_files(folder, {"p.yaml": PIPELINE})
    for number in range(4):
        add_file(folder, number)
        must(lakemill("run", "p.yaml", cwd=folder))
    same(folder, "before")
    shutil.rmtree(folder / "_lakemill/events")
    racing = [subprocess.Popen([environment.binary(), "events", "rebuild", "p.yaml"], cwd=folder,
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
              for _ in range(3)]
    for process in racing:
        said, _ = process.communicate(timeout=120)
        if process.returncode != 0:
            raise Failure(said)
    same(folder, "after")
    if rebuilt(folder) != sum(commits(folder).values()):
        raise Failure("not all of them say that they were rebuilt")
    again = must(lakemill("events", "rebuild", "p.yaml", "--json", cwd=folder))
    if json.loads(again.out) != {"rebuilt": 0}:
        raise Failure(again.out)


@suite.case("what a run that is alive has yet to tell is left to it")
def alive(folder: pathlib.Path) -> None:
    write_files(folder, {"p.yaml": PIPELINE})
    add_file(folder, 0)
    process = subprocess.Popen([environment.binary(), "run", "p.yaml", "--continuous"], cwd=folder,
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        end = time.monotonic() + 30
        while not commits(folder) and time.monotonic() < end:
            time.sleep(0.005)
        for _ in range(5):
            must(lakemill("events", "rebuild", "p.yaml", cwd=folder))
        while told(folder) != commits(folder) and time.monotonic() < end:
            time.sleep(0.2)
        same(folder, "while it runs")
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(30)
    if rebuilt(folder):
        raise Failure(f"{rebuilt(folder)} were rebuilt that were about to be told")


if __name__ == "__main__":
    suite.run()
