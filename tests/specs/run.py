#!/usr/bin/env python3
"""Runs the spec files beside it: input files and commands → rows, exit codes, events.

A spec file is a list of cases:

- name: what is promised
  files: {relative path: text}      # the folder that the commands run in
  steps:                            # in order; each is one mapping
  - run: p.yaml                     # lakemill run p.yaml
    args: [--full-refresh]          # further words
    env: {NAME: value}
    input: "text"                   # of standard input
    cwd: folder                     # where the command runs
    exit: 0                         # default 0; or a list; never a crash
    says: [part, …]                 # each in standard output or error
    hides: [part, …]                # none of these
  - cli: [validate, p.yaml]         # any command, keys as above
  - query: SELECT …                 # rows as JSON values
    rows: [[1, a], …]               # any order, or `ordered: true`
  - write: {path: text}             # new or changed files
  - remove: [path, …]
  - move: {path: new path}
  - events: [type, …]               # each is in the event log
    no_events: [type, …]
  - exists: [path, …]
    absent: [path, …]

Timestamps, dates and decimals are compared as SQL casts them: cast to VARCHAR in the query.
"""
import collections
import os
import pathlib
import shutil
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from harness import environment  # noqa: E402

try:
    import yaml
except ImportError:
    environment.enter()
    import yaml

from harness.process import Failure, lakemill, must, rows, write_files  # noqa: E402
from harness.suite import Suite  # noqa: E402

KEYS = {"run", "cli", "query", "write", "remove", "events", "no_events", "exists", "absent",
        "args", "env", "exit", "says", "hides", "rows", "ordered", "comment", "move", "input", "cwd"}
EVENTS = "SELECT type, message FROM delta_scan('_lakemill/events')"


def frozen(value):
    """A JSON value that hashes; whole floats equal integers already."""
    if isinstance(value, list):
        return tuple(frozen(item) for item in value)
    if isinstance(value, dict):
        return tuple((key, frozen(item)) for key, item in value.items())
    return value


def command_step(folder: pathlib.Path, step: dict) -> None:
    words = ["run", step["run"]] if "run" in step else step["cli"]
    words = [str(word) for word in [*words, *step.get("args", [])]]
    env = {name: str(value) for name, value in step.get("env", {}).items()}
    outcome = lakemill(*words, cwd=folder / step.get("cwd", "."), env=env, stdin=step.get("input", ""))
    allowed = step.get("exit", 0)
    if not isinstance(allowed, list) or outcome.code not in allowed:
        must(outcome, allowed[0] if isinstance(allowed, list) else allowed)
    for part in step.get("says", []):
        if str(part) not in outcome.text:
            raise Failure(f"does not say {part!r}\n  {outcome.describe()}")
    for part in step.get("hides", []):
        if str(part) in outcome.text:
            raise Failure(f"says {part!r}\n  {outcome.describe()}")


def query_step(folder: pathlib.Path, step: dict) -> None:
    if "rows" not in step:
        command_step(folder, {**step, "cli": ["query", step["query"]]})
        return
    got = [frozen(row) for row in rows(step["query"], folder)]
    expected = [frozen(row) for row in step["rows"]]
    same = got == expected if step.get("ordered") else \
        collections.Counter(got) == collections.Counter(expected)
    if not same:
        raise Failure(f"{step['query']}\n  got      {sorted(got, key=repr)}\n"
                      f"  expected {sorted(expected, key=repr)}")


def events_step(folder: pathlib.Path, step: dict) -> None:
    told = rows(EVENTS, folder)
    types = {row[0] for row in told}
    for kind in step.get("events", []):
        if kind not in types:
            raise Failure(f"no event {kind}; there are {sorted(types)}")
    for kind in step.get("no_events", []):
        if kind in types:
            raise Failure(f"an event {kind}: {[row for row in told if row[0] == kind]}")


def do_step(folder: pathlib.Path, step: dict) -> None:
    unknown = set(step) - KEYS
    if unknown:
        raise Failure(f"the spec has unknown keys {unknown}")
    if "write" in step:
        write_files(folder, step["write"])
    for source, target in step.get("move", {}).items():
        (folder / source).rename(folder / target)
    for name in step.get("remove", []):
        path = folder / name
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    if "run" in step or "cli" in step:
        command_step(folder, step)
    if "query" in step:
        query_step(folder, step)
    if "events" in step or "no_events" in step:
        events_step(folder, step)
    for name in step.get("exists", []):
        if not (folder / name).exists():
            raise Failure(f"{name} is not there")
    for name in step.get("absent", []):
        if (folder / name).exists():
            raise Failure(f"{name} is there")


def run_case(folder: pathlib.Path, case: dict) -> None:
    write_files(folder, case.get("files", {}))
    for number, step in enumerate(case["steps"], 1):
        try:
            do_step(folder, step)
        except Failure as failure:
            raise Failure(f"step {number}: {failure}") from None


def main() -> None:
    here = pathlib.Path(__file__).resolve().parent
    os.environ.setdefault("LC_ALL", "C.UTF-8")
    suite = Suite("specs")
    for path in sorted(here.glob("*.yaml")):
        for case in yaml.safe_load(path.read_text()):
            suite.add(f"{path.stem}: {case['name']}", lambda f, c=case: run_case(f, c))
    suite.run()


if __name__ == "__main__":
    main()
