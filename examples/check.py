#!/usr/bin/env python3
"""Runs an example in a temporary copy and compares its tables with expected.json.

usage: check.py EXAMPLE [--lakemill BINARY] [--keep FOLDER]

expected.json:
  parts   names that tools/fetch_parts.py knows: their files come into data/
  steps   in order; each may add `files` (from: to), runs the pipeline, runs it again
          (which must change nothing), and compares
            tables   name -> rows, and the values of some expressions over it
            queries  sql -> rows, in order
The pipeline's own tests (`lakemill test`) must pass too.
"""
import argparse
import json
import math
import pathlib
import shutil
import subprocess
import sys
import tempfile

EXAMPLES = pathlib.Path(__file__).resolve().parent
ROOT = EXAMPLES.parent
LEFT_OUT = shutil.ignore_patterns("data", "lake", "expected.json", "README.md")


def default_binary() -> pathlib.Path:
    for preset in ("release", "dev"):
        path = ROOT / "build" / preset / "src/lakemill/cli/lakemill"
        if path.exists():
            return path
    sys.exit("there is no binary under build/; name one with --lakemill")


class Project:
    """A copy of an example, and the binary that works on it."""

    def __init__(self, binary: pathlib.Path, folder: pathlib.Path):
        self.binary = binary
        self.folder = folder

    def lakemill(self, *arguments: str) -> str:
        done = subprocess.run([str(self.binary), *arguments], cwd=self.folder, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
        if done.returncode != 0 and arguments[0] != "test":  # its answer tells what failed
            sys.exit(f"lakemill {' '.join(arguments)} ended with {done.returncode}:\n"
                     f"{done.stdout}{done.stderr}")
        return done.stdout

    def query(self, sql: str) -> list[dict]:
        return json.loads(self.lakemill("query", sql, "-o", "json"))

    def table_files(self) -> dict[str, int]:
        """What all tables consist of; not the event log, which every run adds to."""
        return {str(path.relative_to(self.folder)): path.stat().st_mtime_ns
                for path in self.folder.rglob("*")
                if path.is_file() and "_lakemill" not in path.parts}


def copy_example(name: str, folder: pathlib.Path, parts: list[str]) -> None:
    shutil.copytree(EXAMPLES / name, folder, ignore=LEFT_OUT, dirs_exist_ok=True)
    (folder / "data").mkdir(exist_ok=True)
    for part in parts:
        fetched = subprocess.run([sys.executable, ROOT / "tools/fetch_parts.py", "--print", part],
                                 check=True, text=True, stdout=subprocess.PIPE).stdout.strip()
        for path in pathlib.Path(fetched).iterdir():
            shutil.copy(path, folder / "data")


def same(expected, actual) -> bool:
    if isinstance(expected, float) and isinstance(actual, (int, float)):
        return math.isclose(expected, actual, rel_tol=1e-9)
    if isinstance(expected, list) and isinstance(actual, list):
        return len(expected) == len(actual) and all(map(same, expected, actual))
    if isinstance(expected, dict) and isinstance(actual, dict):
        return expected.keys() == actual.keys() and all(
            same(value, actual[key]) for key, value in expected.items())
    return expected == actual and isinstance(expected, bool) == isinstance(actual, bool)


def faults_of_tables(project: Project, tables: dict) -> list[str]:
    faults = []
    for table, expected in tables.items():
        wanted = {"count(*)": expected["rows"], **expected.get("values", {})}
        columns = ", ".join(f"{sql} AS v{i}" for i, sql in enumerate(wanted))
        (row,) = project.query(f"SELECT {columns} FROM {table}")
        for i, (sql, value) in enumerate(wanted.items()):
            if not same(value, row[f"v{i}"]):
                faults.append(f"{table}: {sql} is {row[f'v{i}']!r}, expected {value!r}")
    return faults


def faults_of_queries(project: Project, queries: list[dict]) -> list[str]:
    faults = []
    for query in queries:
        rows = project.query(query["sql"])
        if not same(query["rows"], rows):
            lines = lambda items: "".join(f"\n    {json.dumps(item)}" for item in items)
            faults.append(f"{query['sql']}\n  expected:{lines(query['rows'])}"
                          f"\n  got:{lines(rows)}")
    return faults


def faults_of_tests(project: Project) -> list[str]:
    results = json.loads(project.lakemill("test", "--json"))
    faults = [f"test {test['test']}: {test['message']}" for test in results if not test["passed"]]
    return faults if results else ["`lakemill test` found no test of the pipeline"]


def check(project: Project, steps: list[dict]) -> list[str]:
    project.lakemill("validate")
    faults = faults_of_tests(project)
    for number, step in enumerate(steps, 1):
        for source, target in step.get("files", {}).items():
            shutil.copy(project.folder / source, project.folder / target)
        project.lakemill("run")
        before = project.table_files()
        project.lakemill("run")
        after = project.table_files()
        changed = sorted(set(before.items()) ^ set(after.items()))
        found = [f"a second run changed {path}" for path, _ in changed]
        found += faults_of_tables(project, step.get("tables", {}))
        found += faults_of_queries(project, step.get("queries", []))
        faults += [f"step {number}: {fault}" for fault in found]
    return faults


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("example")
    parser.add_argument("--lakemill", type=pathlib.Path, help="the binary; else of build/")
    parser.add_argument("--keep", type=pathlib.Path, help="run in this new folder, and keep it")
    options = parser.parse_args()
    binary = (options.lakemill or default_binary()).resolve()
    expected = json.loads((EXAMPLES / options.example / "expected.json").read_text())
    with tempfile.TemporaryDirectory() as scratch:
        folder = (options.keep or pathlib.Path(scratch) / options.example).resolve()
        copy_example(options.example, folder, expected.get("parts", []))
        faults = check(Project(binary, folder), expected["steps"])
    print("\n".join(faults) or f"{options.example}: as expected")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
