#!/usr/bin/env python3
"""`run --continuous`: what arrives is taken, whatever happens, and the tables are those of a batch.

Each case starts the real binary, drops files while it runs, and compares the tables at the
end with those that one plain run makes of all files.

--seed repeats a run; LAKEMILL_SOAK=1 drops ten times as many files.
"""
import argparse
import os
import pathlib
import random
import signal
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from harness import environment, feed  # noqa: E402
from harness.process import Failure, lakemill, must, rows  # noqa: E402
from harness.suite import Suite  # noqa: E402

FILES = 120 if os.environ.get("LAKEMILL_SOAK") == "1" else 12
PATIENCE = 120  # seconds until what was dropped must be in the tables
ROWS = 30  # of a file
KEYS = 60


def drop(folder: pathlib.Path, name: str, text: str) -> None:
    """A file that is there at once and whole."""
    (folder / "in").mkdir(exist_ok=True)
    (folder / f"in/.{name}").write_text(text)
    (folder / f"in/.{name}").rename(folder / "in" / name)


class Continuous:
    """A continuous run in the background."""

    def __init__(self, folder: pathlib.Path, *args: str):
        self.folder = folder
        self.log = tempfile.TemporaryFile("w+")
        self.process = subprocess.Popen(
            [environment.binary(), "run", *args, "--continuous"], cwd=folder, stdin=subprocess.DEVNULL,
            stdout=self.log, stderr=subprocess.STDOUT, env={**os.environ, "NO_COLOR": "1", "TZ": "UTC"})

    def text(self) -> str:
        """What it has printed so far."""
        self.log.seek(0)
        return self.log.read()

    def until(self, what: str, holds) -> None:
        """Waits for `holds()`; the run must stay alive meanwhile."""
        end = time.monotonic() + PATIENCE
        while True:
            if self.process.poll() is not None:
                raise Failure(f"ended with {self.process.returncode} before {what}:\n{self.text()}")
            try:
                if holds():
                    return
            except Failure:
                pass  # a table that is not there yet
            if time.monotonic() > end:
                self.kill()
                raise Failure(f"waited {PATIENCE} s for {what}:\n{self.text()}")
            time.sleep(0.1)

    def stop(self) -> int:
        """As Ctrl-C does; the exit code."""
        self.process.send_signal(signal.SIGINT)
        try:
            return self.process.wait(timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            self.kill()
            raise Failure(f"Ctrl-C did not end it:\n{self.text()}") from None

    def kill(self) -> None:
        """As a power failure does."""
        self.process.kill()
        self.process.wait()


def caught_up(folder: pathlib.Path, row_count: int) -> bool:
    """Whether bronze and gold hold all that was dropped."""
    kept, aside, bronze, gold = rows(
        "SELECT (SELECT count(*) FROM delta_scan('t/kept')), (SELECT count(*) FROM delta_scan('t/quarantine')), "
        "(SELECT count(*) FROM delta_scan('t/brz')), (SELECT sum(c)::BIGINT FROM delta_scan('t/totals'))", folder)[0]
    return bronze == row_count and kept + aside == row_count and gold == kept


def expected(folder: pathlib.Path, work: pathlib.Path) -> dict:
    """The tables that one plain run makes of the same files."""
    plain = work / "plain"
    plain.mkdir()
    (plain / "p.yaml").write_text(feed.PIPELINE)
    (plain / "in").mkdir()
    for path in (folder / "in").iterdir():
        os.link(path, plain / "in" / path.name)
    must(lakemill("run", "p.yaml", cwd=plain))
    return feed.content(plain)


def compare(got: dict, wanted: dict) -> None:
    """Raises for tables that differ."""
    faults = feed.differences(got, wanted)
    if faults:
        raise Failure("\n".join(faults))


def files_that_arrive(work: pathlib.Path, source: random.Random, kills: int) -> None:
    """Files come at random moments; the run is killed `kills` times among them."""
    (work / "p.yaml").write_text(feed.PIPELINE)
    (work / "in").mkdir()
    deaths = set(source.sample(range(FILES), kills))
    run = Continuous(work, "p.yaml")
    for number in range(FILES):
        drop(work, f"{number:04}.jsonl", feed.new_file(number, source, ROWS, KEYS))
        time.sleep(source.random() * 0.4)
        if number in deaths:
            run.kill()
            run = Continuous(work, "p.yaml")
    run.until("all rows in all tables", lambda: caught_up(work, FILES * ROWS))
    code = run.stop()
    if code != 0:
        raise Failure(f"Ctrl-C: exit {code}\n{run.text()}")
    must(lakemill("run", "p.yaml", cwd=work))  # a merge may have been given up by Ctrl-C
    compare(feed.content(work), expected(work, work))


def arrives(work: pathlib.Path, source: random.Random) -> None:
    """What arrives is taken."""
    files_that_arrive(work, source, 0)


def killed(work: pathlib.Path, source: random.Random) -> None:
    """Killed in the middle, three times."""
    files_that_arrive(work, source, 3)


def between_processes(work: pathlib.Path, source: random.Random) -> None:
    """A pipeline that reads a table of another process sees its commits."""
    (work / "in").mkdir()
    (work / "a.yaml").write_text("name: a\nnodes:\n- {name: brz, layer: BRONZE, sources: [{path: ./in, format: JSONL}],"
                                 " sinks: [{path: ./t/brz, format: DELTA}]}\n")
    (work / "b.yaml").write_text("name: b\nnodes:\n- {name: copy, sources: [{path: ./t/brz, format: DELTA, as_stream: true}],"
                                 " sinks: [{path: ./t/copy, format: DELTA}]}\n")
    drop(work, "first.jsonl", feed.new_file(0, source, ROWS, KEYS))
    must(lakemill("run", "a.yaml", cwd=work))
    writer, reader = Continuous(work, "a.yaml"), Continuous(work, "b.yaml")
    for number in range(1, 4):
        drop(work, f"{number}.jsonl", feed.new_file(number, source, ROWS, KEYS))
        reader.until(f"file {number}", lambda: rows("SELECT count(*) FROM delta_scan('t/copy')", work)[0][0] == 30 * (number + 1))
    for run in (writer, reader):
        if run.stop() != 0:
            raise Failure(run.text())


NAMES = """name: p
nodes:
- {name: b, source: {path: ./in, format: JSONL, as_stream: true, schema: {id: int}}, sink: {table_name: b}}
- {name: v, source: {node_name: b}}
- {name: s, source: {node_name: b, as_stream: true}, sink: {table_name: s}}
- {name: w, source: {node_name: v}, sink: {table_name: w}}
- {name: g, source: {data: [{x: 1}]}, transformer: {nodes: [{expr: "SELECT count(*) AS id FROM main.default.b, {df}"}]}, sink: {table_name: g}}
- {name: h, source: {data: [{x: 1}]}, transformer: {nodes: [{expr: "SELECT b.id FROM {nodes.b} AS b, {df}"}]}, sink: {table_name: h}}
"""


def of_other_processes(work: pathlib.Path, source: random.Random) -> None:
    """What another process commits to any table that a node reads wakes it: nodes that are not
    selected, or run by both, tables behind views, tables that SQL names."""
    counts = ("SELECT (SELECT count(*) FROM main.default.s), (SELECT count(*) FROM main.default.w), "
              "(SELECT id FROM main.default.g), (SELECT count(*) FROM main.default.h)")
    for case, arguments in (("some", ("-s", "s", "-s", "w", "-s", "g", "-s", "h")), ("all", ())):
        folder = work / case
        folder.mkdir()
        (folder / "p.yaml").write_text(NAMES)
        drop(folder, "0.jsonl", '{"id": 0}\n')
        must(lakemill("run", "p.yaml", cwd=folder))
        run = Continuous(folder, "p.yaml", *arguments)
        run.until("all to have been round", lambda: run.text().count("skipped") + run.text().count("succeeded") >= 4)
        for number in range(1, 4):
            drop(folder, f"{number}.jsonl", f'{{"id": {number}}}\n')
            must(lakemill("run", "p.yaml", "--select", "b", cwd=folder))
            run.until(f"file {number} ({case})", lambda: rows(counts, folder) == [[number + 1] * 4])
        if run.stop() != 0:
            raise Failure(run.text())


def on_schedule(work: pathlib.Path, source: random.Random) -> None:
    """A node with `every` waits for its time, then takes all that has come."""
    (work / "in").mkdir()
    (work / "p.yaml").write_text("""
name: p
nodes:
- {name: brz, layer: BRONZE, sources: [{path: ./in, format: JSONL}], sinks: [{path: ./t/brz, format: DELTA}]}
- name: gold
  every: 3s
  sources: [{node_name: brz}]
  transformer: {nodes: [{expr: "SELECT count(*) AS c FROM {df}"}]}
  sinks: [{path: ./t/gold, format: DELTA, mode: OVERWRITE}]
""")
    drop(work, "0.jsonl", feed.new_file(0, source, ROWS, KEYS))
    run = Continuous(work, "p.yaml")
    run.until("the first gold", lambda: rows("SELECT c FROM delta_scan('t/gold')", work) == [[30]])
    for number in range(1, 6):
        drop(work, f"{number}.jsonl", feed.new_file(number, source, ROWS, KEYS))
        run.until(f"bronze of file {number}",
                  lambda: rows("SELECT count(*) FROM delta_scan('t/brz')", work)[0][0] == 30 * (number + 1))
    run.until("the last gold", lambda: rows("SELECT c FROM delta_scan('t/gold')", work) == [[180]])
    if run.stop() != 0:
        raise Failure(run.text())
    versions = rows("SELECT count(*) FROM table_history('t/gold')", work)[0][0]
    bronze = rows("SELECT count(*) FROM table_history('t/brz')", work)[0][0]
    if not 2 <= versions < bronze:
        raise Failure(f"gold was written {versions} times for {bronze} batches of bronze")


def poison(work: pathlib.Path, source: random.Random) -> None:
    """A batch that can never succeed stops its flow, says so, and leaves the others alone."""
    (work / "in").mkdir()
    (work / "p.yaml").write_text("""
name: p
nodes:
- {name: good, layer: BRONZE, sources: [{path: ./in, format: JSONL}], sinks: [{path: ./t/good, format: DELTA}]}
- name: bad
  sources: [{node_name: good, as_stream: true}]
  transformer: {nodes: [{expr: "SELECT id, v::BIGINT AS v FROM {df}"}]}
  sinks: [{path: ./t/bad, format: DELTA}]
""")
    drop(work, "0.jsonl", '{"id": 1, "v": "1"}\n')
    run = Continuous(work, "p.yaml")
    run.until("the good row", lambda: rows("SELECT * FROM delta_scan('t/bad')", work) == [[1, 1]])
    drop(work, "1.jsonl", '{"id": 2, "v": "two"}\n')
    run.until("the stop of the flow", lambda: "bad: failed\n" in run.text())
    drop(work, "2.jsonl", '{"id": 3, "v": "3"}\n')
    run.until("the other flow", lambda: rows("SELECT count(*) FROM delta_scan('t/good')", work) == [[3]])
    if run.stop() != 1:
        raise Failure(f"a stopped flow: exit {run.process.returncode}\n{run.text()}")
    if "two" not in run.text() or rows("SELECT * FROM delta_scan('t/bad')", work) != [[1, 1]]:
        raise Failure(run.text())
    kinds = {row[0] for row in rows("SELECT type FROM delta_scan('_lakemill/events') WHERE node = 'bad'", work)}
    if not {"retry", "node_failed"} <= kinds:
        raise Failure(f"events of the flow that failed: {kinds}")


def small_batches(work: pathlib.Path, source: random.Random) -> None:
    """Many small batches leave tables of few files, and nothing is lost or repeated."""
    count = FILES * 15
    (work / "p.yaml").write_text(feed.PIPELINE.replace("path: ./in,", "path: ./in, max_files: 1,"))
    for number in range(count):
        drop(work, f"{number:04}.jsonl", feed.new_file(number, source, 3, KEYS))
    must(lakemill("run", "p.yaml", cwd=work, timeout=1200))
    must(lakemill("run", "p.yaml", cwd=work))
    (work / "plain").mkdir()
    compare(feed.content(work), expected(work, work / "plain"))
    files = rows("SELECT count(DISTINCT _lakemill_file) FROM delta_scan('t/brz')", work)[0][0]
    if rows("SELECT count(*) FROM table_history('t/brz')", work)[0][0] < count or files > 70:
        raise Failure(f"{count} batches left {files} files")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 30))
    suite = Suite("continuous", parser)
    print(f"seed {suite.options.seed}", flush=True)

    def add(case) -> None:
        suite.add(case.__name__, lambda folder: case(folder, random.Random(f"{suite.options.seed} {case.__name__}")))

    for case in (small_batches, arrives, killed, between_processes, of_other_processes, on_schedule, poison):
        add(case)
    suite.run()


if __name__ == "__main__":
    main()
