#!/usr/bin/env python3
"""Bad input: a clear error with its place, nothing lost, nothing half written.

Every case that has a table first fills it, then feeds what is bad, and holds that the
table still reads as before and that no file of it is left in the way of the next run.
"""
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from harness import environment  # noqa: E402
from harness.process import Failure, lakemill, must, rows, write_files  # noqa: E402
from harness.suite import SkipCase, Suite  # noqa: E402

try:
    import pyarrow.parquet
except ImportError:
    environment.enter()
    import pyarrow.parquet

suite = Suite("bad input")


def refuse(folder: pathlib.Path, *args: str, code: int | tuple = 1, says: tuple = (),
           env: dict | None = None) -> str:
    """Runs a command that must fail with `code` and say each part; gives its text."""
    outcome = lakemill(*args, cwd=folder, env=env)
    codes = code if isinstance(code, tuple) else (code,)
    if outcome.crashed() or outcome.code not in codes:
        raise Failure(f"expected exit {codes}\n  {outcome.describe()}")
    for part in says:
        if part not in outcome.text:
            raise Failure(f"does not say {part!r}\n  {outcome.describe()}")
    if len(outcome.err) > 6000:
        raise Failure(f"{len(outcome.err)} characters of error\n  {outcome.describe()}")
    return outcome.text


def pipeline(source: str, sink: str = "{path: ./t, format: DELTA}", expr: str = "",
             extra: str = "") -> str:
    """A pipeline of one node `n`."""
    step = f"\n  transformer: {{nodes: [{{expr: {json.dumps(expr)}}}]}}" if expr else ""
    return (f"name: p\nnodes:\n- name: n\n  sources: [{source}]{step}\n{extra}"
            f"  sinks: [{sink}]\n")


def content(folder: pathlib.Path, table: str = "t") -> list:
    return sorted(rows(f"SELECT * FROM delta_scan('{table}')", folder), key=repr)


def versions(folder: pathlib.Path, table: str = "t") -> int:
    return len([p for p in (folder / table / "_delta_log").glob("*.json") if p.stem.isdigit()])


def unchanged(folder: pathlib.Path, before: list, table: str = "t") -> None:
    if content(folder, table) != before:
        raise Failure(f"the table changed:\n  {content(folder, table)}\n  was {before}")


# --- files of the pipeline -----------------------------------------------------------

@suite.case("malformed YAML names its line")
def malformed(folder):
    write_files(folder, {"p.yaml": "name: p\nnodes:\n- name: a\n  sources: [{path: x\n  sinks: []\n"})
    for command in ("validate", "run", "plan"):
        refuse(folder, command, "p.yaml", code=2, says=("p.yaml:",))


@suite.case("a tab, a binary file, an empty file and a list are no pipeline")
def not_a_pipeline(folder):
    write_files(folder, {"tab.yaml": "name: p\nnodes:\n\t- name: a\n",
                         "binary.yaml": bytes(range(256)), "empty.yaml": "",
                         "list.yaml": "- 1\n- 2\n", "latin.yaml": b"name: caf\xe9\nnodes: []\n"})
    for name in ("tab", "binary", "empty", "list", "latin"):
        refuse(folder, "validate", f"{name}.yaml", code=2, says=(f"{name}.yaml",))


@suite.case("anchors do not expand without bound")
def bombs(folder):
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 12)]
    write_files(folder, {"p.yaml": "name: p\nvariables:\n" +
                         "".join(f"  {line}\n" for line in lines) + "nodes: []\n"})
    begin = time.monotonic()
    refuse(folder, "validate", "p.yaml", code=2, says=("p.yaml",))
    if time.monotonic() - begin > 10:
        raise Failure("took longer than 10 s")


@suite.case("circular includes name the chain")
def circular_includes(folder):
    write_files(folder, {"p.yaml": "name: p\nnodes: !use a.yaml\n",
                         "a.yaml": "- !use b.yaml\n", "b.yaml": "x: !use a.yaml\n"})
    refuse(folder, "validate", "p.yaml", code=2, says=("a.yaml", "b.yaml"))


@suite.case("circular nodes are named")
def circular_nodes(folder):
    write_files(folder, {"p.yaml": """name: p
nodes:
- {name: first, sources: [{node_name: third}], sinks: [{path: ./a, format: DELTA}]}
- {name: second, sources: [{node_name: first}], sinks: [{path: ./b, format: DELTA}]}
- {name: third, sources: [{node_name: second}], sinks: [{path: ./c, format: DELTA}]}
- {name: self, sources: [{node_name: self}], sinks: [{path: ./d, format: DELTA}]}
"""})
    refuse(folder, "run", "p.yaml", code=2, says=("first", "second", "third", "self"))


@suite.case("unknown keys: one typo, one error")
def unknown_keys(folder):
    write_files(folder, {"p.yaml": "name: p\nnodes:\n- name: a\n  sources: [{data: {x: [1]}}]\n"
                                   "  transfomer: {nodes: []}\n  sinks: [{path: ./a, format: DELTA}]\n"})
    text = refuse(folder, "validate", "p.yaml", code=2, says=("p.yaml:5:3", "transformer"))
    if text.count("p.yaml:") > 2:
        raise Failure(f"more than one error for one typo:\n{text}")


# --- files that are read -------------------------------------------------------------

@suite.case("a missing file is named")
def missing_file(folder):
    write_files(folder, {"p.yaml": pipeline("{path: ./gone.csv, format: CSV}")})
    refuse(folder, "run", "p.yaml", says=("gone.csv",))
    if (folder / "t/_delta_log").exists():
        raise Failure("a table appeared")


def bad_file_case(name: str, good: str, bad: bytes | str, says: tuple, extra: str = "",
                  suffix: str = "csv") -> None:
    """A stream of files, the second of which cannot be read: its name, maybe its line."""
    @suite.case(name)
    def bad_file(folder):
        kind = {"csv": "CSV", "jsonl": "JSONL", "json": "JSON", "parquet": "PARQUET"}[suffix]
        write_files(folder, {
            "p.yaml": pipeline(f"{{path: ./in, format: {kind}, as_stream: true{extra}}}"),
            f"in/1.{suffix}": good})
        must(lakemill("run", "p.yaml", cwd=folder))
        before = content(folder)
        write_files(folder, {f"in/2.{suffix}": bad})
        refuse(folder, "run", "p.yaml", says=(f"2.{suffix}", *says))
        unchanged(folder, before)
        if versions(folder) != 1:
            raise Failure(f"{versions(folder)} versions")
        # mended under the same name, it is read
        (folder / f"in/2.{suffix}").unlink()
        write_files(folder, {f"in/3.{suffix}": good})
        # the plan of batch 1 still names file 2: a later fault must say so, not lose rows
        lakemill("run", "p.yaml", cwd=folder)
        if len(content(folder)) not in (len(before), 2 * len(before)):
            raise Failure(f"rows were lost or doubled: {content(folder)}")


bad_file_case("a ragged CSV names file and line", "a,b\n1,2\n", "a,b\n3,4\n5\n6,7\n", ("3",))
bad_file_case("a CSV with too many fields names file and line", "a,b\n1,2\n",
              "a,b\n3,4\n5,6,7\n", ("3",))
bad_file_case("a CSV in another encoding is not guessed", "a,b\n1,2\n",
              b"a,b\n3,caf\xe9\n", ("line 2", "not UTF-8", "latin-1"))
bad_file_case("a CSV in UTF-16 is not read as garbage", "a,b\n1,2\n",
              "a,b\n3,4\n".encode("utf-16"), ("line 1", "utf-16"))
bad_file_case("an unclosed quote names file and line", "a,b\n1,2\n", 'a,b\n3,"4\n5,6\n',
              ("line 2", "a quote is opened here and never closed"))
bad_file_case("a broken JSON line names file and line", '{"a": 1}\n',
              '{"a": 2}\n{"a": \n', ("2",), suffix="jsonl")


@suite.case("a truncated Parquet file is named")
def truncated_parquet(folder):
    write_files(folder, {"a.csv": "x\n" + "\n".join(map(str, range(1000))) + "\n"})
    good = must(lakemill("query", "SELECT * FROM 'a.csv'", "-o", "parquet", cwd=folder)).out
    write_files(folder, {"in/1.parquet": good,
                         "p.yaml": pipeline("{path: ./in, format: PARQUET, as_stream: true}")})
    must(lakemill("run", "p.yaml", cwd=folder))
    before = content(folder)
    write_files(folder, {"in/2.parquet": good[:len(good) // 2]})
    refuse(folder, "run", "p.yaml", says=("2.parquet",))
    unchanged(folder, before)


@suite.case("JSON that changes its schema between files: united, or refused with the column")
def json_changes(folder):
    write_files(folder, {
        "p.yaml": pipeline("{path: ./in, format: JSONL, as_stream: true}"),
        "in/1.jsonl": '{"id": 1, "v": {"x": 1}}\n'})
    must(lakemill("run", "p.yaml", cwd=folder))
    write_files(folder, {"in/2.jsonl": '{"id": 2, "v": {"x": 2, "y": "new"}, "w": [1]}\n'})
    must(lakemill("run", "p.yaml", cwd=folder))
    got = rows("SELECT id, v.x AS x, v.y AS y, w FROM delta_scan('t') ORDER BY id", folder)
    if got != [[1, 1, None, None], [2, 2, "new", [1]]]:
        raise Failure(f"nested columns were not united: {got}")
    before = content(folder)
    write_files(folder, {"in/3.jsonl": '{"id": 3, "v": "now a string"}\n'})
    refuse(folder, "run", "p.yaml", says=("v",))
    unchanged(folder, before)


@suite.case("an empty folder is named or nothing to do, its files are read when they come")
def empty_folder(folder):
    (folder / "in").mkdir()
    write_files(folder, {"p.yaml": pipeline("{path: ./in, format: CSV, as_stream: true}")})
    outcome = lakemill("run", "p.yaml", cwd=folder)
    if outcome.code != 0:
        must(outcome, 1)
        if str(folder / "in") not in outcome.text:
            raise Failure(f"does not name the folder\n  {outcome.describe()}")
    write_files(folder, {"in/1.csv": "x\n1\n"})
    must(lakemill("run", "p.yaml", cwd=folder))
    if content(folder) != [["1"]]:
        raise Failure(str(content(folder)))


@suite.case("empty files, and files with a header only")
def empty_files(folder):
    write_files(folder, {"in/1.csv": "x\n1\n", "in/2.csv": "x\n", "in/3.csv": "",
                         "p.yaml": pipeline("{path: ./in, format: CSV, as_stream: true}")})
    must(lakemill("run", "p.yaml", cwd=folder))
    if content(folder) != [["1"]]:
        raise Failure(str(content(folder)))


@suite.case("a column that disappears is named where SQL needs it")
def disappearing_column(folder):
    write_files(folder, {
        "in/1.csv": "a,b\n1,2\n",
        "p.yaml": pipeline("{path: ./in, format: CSV, as_stream: true}",
                           expr="SELECT a, b FROM {df}")})
    must(lakemill("run", "p.yaml", cwd=folder))
    before = content(folder)
    write_files(folder, {"in/2.csv": "a\n3\n"})
    refuse(folder, "run", "p.yaml", says=("b",))
    unchanged(folder, before)


@suite.case("a column that disappears under EVOLVE becomes null")
def disappearing_column_evolves(folder):
    write_files(folder, {"in/1.csv": "a,b\n1,2\n",
                         "p.yaml": pipeline("{path: ./in, format: CSV, as_stream: true}")})
    must(lakemill("run", "p.yaml", cwd=folder))
    write_files(folder, {"in/2.csv": "a\n3\n"})
    must(lakemill("run", "p.yaml", cwd=folder))
    if rows("SELECT a, b FROM delta_scan('t') ORDER BY a", folder) != [["1", "2"], ["3", None]]:
        raise Failure(str(content(folder)))


@suite.case("a type that no longer fits fails the batch with its column")
def type_no_longer_fits(folder):
    write_files(folder, {"in/1.jsonl": '{"id": 1, "v": 5}\n',
                         "p.yaml": pipeline("{path: ./in, format: JSONL, as_stream: true}")})
    must(lakemill("run", "p.yaml", cwd=folder))
    before = content(folder)
    write_files(folder, {"in/2.jsonl": '{"id": 2, "v": "five"}\n'})
    refuse(folder, "run", "p.yaml", says=("v",))
    unchanged(folder, before)


@suite.case("a value that does not fit a declared type names it")
def declared_type(folder):
    write_files(folder, {"d.csv": "id,v\n1,10\n2,ten\n",
                         "p.yaml": pipeline("{path: ./d.csv, format: CSV, schema: {id: int, v: int}}")})
    refuse(folder, "run", "p.yaml", says=("ten", "d.csv"))


# --- transforms ----------------------------------------------------------------------

def failing_sql(name: str, expr: str, says: tuple) -> None:
    @suite.case(name)
    def failing(folder):
        write_files(folder, {
            "p.yaml": pipeline("{path: ./in, format: CSV, as_stream: true}", expr=expr),
            "in/1.csv": "v\n1\n"})
        must(lakemill("run", "p.yaml", cwd=folder))
        before = content(folder)
        write_files(folder, {"in/2.csv": "v\n9223372036854775807\n", "in/3.csv": "v\nabc\n"})
        refuse(folder, "run", "p.yaml", says=("n", *says))
        unchanged(folder, before)


failing_sql("a failing cast names the value and its step", "SELECT v::BIGINT AS v FROM {df}",
            ("abc", "p.yaml:5:"))
failing_sql("integer overflow is an error, never a wrap",
            "SELECT coalesce(try_cast(v AS BIGINT), 0) + 1 AS v FROM {df}", ("verflow", "p.yaml:5:"))


@suite.case("of many steps the one that fails is named")
def failing_step(folder):
    steps = ("  transformer:\n    nodes:\n"
             "    - expr: SELECT *, length(v) AS n FROM {df}\n"
             "    - func_name: with_columns\n"
             "      func_kwargs: {w: \"nw.col('n') * 9223372036854775807\"}\n"
             "    - expr: SELECT * FROM {df}\n")
    text = pipeline("{path: ./in, format: CSV}").replace("  sinks:", steps + "  sinks:")
    write_files(folder, {"p.yaml": text, "in/1.csv": "v\nabc\n"})
    refuse(folder, "run", "p.yaml", says=("verflow", "p.yaml:8:"))


@suite.case("a sum that is too large for a table's integers is an error")
def sum_overflow(folder):
    write_files(folder, {"p.yaml": pipeline(
        "{data: {x: [9223372036854775807, 1]}}", expr="SELECT sum(x) AS s FROM {df}")})
    refuse(folder, "run", "p.yaml", says=("s",))
    if (folder / "t/_delta_log").exists():
        raise Failure("a table appeared")


@suite.case("conflicting changes of one key without an order fail")
def conflicting_changes(folder):
    merge = "{path: ./t, format: DELTA, mode: MERGE}"
    up = "name: up\nnodes:\n- {name: s, sources: [{data: %s}], sinks: [{path: ./s, format: DELTA}]}\n"
    keys = "  primary_keys: [id]\n"
    write_files(folder, {"up.yaml": up % "{id: [1, 2], v: [a, b]}",
                         "p.yaml": pipeline("{path: ./s, format: DELTA}", merge, extra=keys)})
    must(lakemill("run", "up.yaml", cwd=folder))
    must(lakemill("run", "p.yaml", cwd=folder))
    before = content(folder)
    write_files(folder, {"up.yaml": up % "{id: [1, 1], v: [c, d]}"})
    must(lakemill("run", "up.yaml", cwd=folder))
    refuse(folder, "run", "p.yaml", says=("1",))
    unchanged(folder, before)


# --- storage -------------------------------------------------------------------------

FULL_DISK = """
import os, pathlib, subprocess, sys
binary, folder = sys.argv[1:]
subprocess.run(["mount", "--make-rprivate", "/"], check=True)
small = pathlib.Path(folder) / "small"
small.mkdir(exist_ok=True)
subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(small)], check=True)
def run(*args):
    return subprocess.run([binary, *args], cwd=folder, capture_output=True, text=True)
first = run("run", "first.yaml")
print("FIRST", first.returncode, first.stderr[-400:])
full = run("run", "second.yaml")
print("FULL", full.returncode, full.stderr[-1500:])
after = run("query", "SELECT count(*) AS n FROM delta_scan('small/t')", "-o", "csv")
print("AFTER", after.returncode, after.stdout.split(), after.stderr[-400:])
print("LEFT", sum(p.stat().st_size for p in small.rglob("*.parquet")))
"""


@suite.case("a full disk: an error, and the table as it was")
def full_disk(folder):
    if os.geteuid() != 0 or not shutil.which("unshare"):
        raise SkipCase("needs root for a small tmpfs")
    node = ("name: %s\nroot_path: ./state\nnodes:\n- name: n\n  sources: [{path: ./%s, format: CSV}]\n"
            "  sinks: [{path: ./small/t, format: DELTA, mode: OVERWRITE, shared: true}]\n")
    big = "x\n" + "\n".join(os.urandom(40).hex() for _ in range(150_000)) + "\n"
    write_files(folder, {"first.yaml": node % ("first", "one.csv"), "one.csv": "x\n1\n",
                         "second.yaml": node % ("second", "big.csv"), "big.csv": big,
                         "full.py": FULL_DISK})
    done = subprocess.run(["unshare", "-m", sys.executable, str(folder / "full.py"),
                           environment.binary(), str(folder)],
                          capture_output=True, text=True, timeout=120, check=False)
    if "FIRST" not in done.stdout:
        raise SkipCase(f"no private mounts here: {done.stderr.strip()[-200:]}")
    if "FIRST 0" not in done.stdout or "FULL 1" not in done.stdout \
            or "AFTER 0 ['n', '1']" not in done.stdout:
        raise Failure(done.stdout)
    text = done.stdout.lower()
    if "space" not in text and "full" not in text.split("full 1")[1]:
        raise Failure(f"does not say that the disk is full:\n{done.stdout}")
    left = int(done.stdout.split("LEFT ")[1].split()[0])
    if left > 1_000_000:
        raise Failure(f"{left} bytes of files of the failed write are left")


def as_nobody(folder: pathlib.Path, *args: str) -> subprocess.CompletedProcess:
    """Runs the binary as a user whom file permissions hold (root they do not)."""
    if os.geteuid() != 0:
        return subprocess.run([environment.binary(), *args], cwd=folder, check=False,
                              capture_output=True, text=True)
    if not shutil.which("setpriv"):
        raise SkipCase("needs setpriv")
    folder.chmod(0o755)
    binary = folder / "lakemill"
    if not binary.exists():
        shutil.copy2(environment.binary(), binary)
        binary.chmod(0o755)
    return subprocess.run(["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups",
                           str(binary), *args], cwd=folder, check=False,
                          capture_output=True, text=True, env={**os.environ, "HOME": str(folder)})


@suite.case("a read-only target is named")
def read_only_target(folder):
    write_files(folder, {"d.csv": "x\n1\n", "p.yaml": pipeline("{path: ./d.csv, format: CSV}")})
    must(lakemill("run", "p.yaml", cwd=folder))
    before = content(folder)
    for path in (folder / "t").rglob("*"):
        path.chmod(0o555 if path.is_dir() else 0o444)
    (folder / "t").chmod(0o555)
    write_files(folder, {"d.csv": "x\n2\n3\n"})
    for path in folder.rglob("*"):
        if "_lakemill" in str(path):
            path.chmod(0o777 if path.is_dir() else 0o666)
    done = as_nobody(folder, "run", "p.yaml")
    if done.returncode != 1 or "/t" not in done.stderr + done.stdout:
        raise Failure(f"exit {done.returncode}: {done.stdout}{done.stderr}")
    if not any(word in (done.stderr + done.stdout).lower() for word in ("permission", "denied", "read-only")):
        raise Failure(f"does not say why: {done.stdout}{done.stderr}")
    unchanged(folder, before)


def table_with_log(folder: pathlib.Path, change) -> list:
    """A pipeline whose table's log `change` damages after one good run."""
    write_files(folder, {"d.csv": "x\n1\n", "p.yaml": pipeline(
        "{path: ./d.csv, format: CSV}", "{path: ./t, format: DELTA, mode: APPEND}")})
    must(lakemill("run", "p.yaml", cwd=folder))
    write_files(folder, {"d.csv": "x\n2\n"})
    must(lakemill("run", "p.yaml", cwd=folder))
    before = content(folder)
    change(folder / "t/_delta_log")
    return before


@suite.case("a table whose protocol is not supported is left alone")
def unsupported_protocol(folder):
    def newer(log: pathlib.Path) -> None:
        protocol = {"protocol": {"minReaderVersion": 3, "minWriterVersion": 7,
                                 "readerFeatures": ["fromTheFuture"],
                                 "writerFeatures": ["fromTheFuture"]}}
        write_files(log, {f"{2:020d}.json": json.dumps(protocol) + "\n"})
    table_with_log(folder, newer)
    refuse(folder, "query", "SELECT * FROM delta_scan('t')", says=("fromTheFuture",))
    write_files(folder, {"d.csv": "x\n3\n"})
    refuse(folder, "run", "p.yaml", says=("fromTheFuture",))
    if versions(folder) != 3:
        raise Failure("wrote to it")


@suite.case("a table that may be read but not written is not written")
def unsupported_writer(folder):
    def newer(log: pathlib.Path) -> None:
        protocol = {"protocol": {"minReaderVersion": 1, "minWriterVersion": 7,
                                 "writerFeatures": ["fromTheFuture"]}}
        write_files(log, {f"{2:020d}.json": json.dumps(protocol) + "\n"})
    before = table_with_log(folder, newer)
    unchanged(folder, before)
    write_files(folder, {"d.csv": "x\n3\n"})
    refuse(folder, "run", "p.yaml", says=("fromTheFuture",))
    if versions(folder) != 3:
        raise Failure("wrote to it")


def corrupt_case(name: str, damage) -> None:
    @suite.case(f"a corrupt log entry: {name}")
    def corrupt(folder):
        def change(log: pathlib.Path) -> None:
            entry = log / f"{1:020d}.json"
            entry.write_bytes(damage(entry.read_bytes()))
        table_with_log(folder, change)
        refuse(folder, "query", "SELECT * FROM delta_scan('t')", says=(f"{1:020d}.json",))
        write_files(folder, {"d.csv": "x\n3\n"})
        refuse(folder, "run", "p.yaml")
        if versions(folder) != 2:
            raise Failure("wrote behind a corrupt entry")


corrupt_case("cut in the middle", lambda text: text[:len(text) // 2])
corrupt_case("not JSON", lambda text: b"{{{ nonsense\n" + text)
corrupt_case("bytes that are no text", lambda text: text[:20] + b"\xff\xfe\x00" + text[23:])
corrupt_case("a field of another type", lambda text: b'{"add":{"path":5,"size":"x"}}\n')


@suite.case("a data file that is gone is named")
def missing_data_file(folder):
    write_files(folder, {"d.csv": "x\n1\n", "p.yaml": pipeline("{path: ./d.csv, format: CSV}")})
    must(lakemill("run", "p.yaml", cwd=folder))
    files = list((folder / "t").glob("*.parquet"))
    for file in files:
        file.unlink()
    refuse(folder, "query", "SELECT * FROM delta_scan('t')", says=(files[0].name,))


@suite.case("a table deleted during a run: an error or a new table, never half of one")
def deleted_during_run(folder):
    big = "x\n" + "\n".join(str(i) for i in range(400_000)) + "\n"
    write_files(folder, {"in/1.csv": big, "p.yaml": pipeline(
        "{path: ./in, format: CSV, as_stream: true}", expr="SELECT x::BIGINT AS x FROM {df}")})
    must(lakemill("run", "p.yaml", cwd=folder))
    write_files(folder, {"in/2.csv": big})
    process = subprocess.Popen([environment.binary(), "run", "p.yaml"], cwd=folder,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 30
    while process.poll() is None and time.monotonic() < deadline:
        if len(list((folder / "t").rglob("*.parquet*"))) > 1:
            break
        time.sleep(0.001)
    shutil.rmtree(folder / "t", ignore_errors=True)
    out, err = process.communicate(timeout=60)
    if process.returncode not in (0, 1):
        raise Failure(f"exit {process.returncode}: {out}{err}")
    if process.returncode == 1 and "t" not in err + out:
        raise Failure(f"no clear error: {out}{err}")
    if (folder / "t/_delta_log").exists() and process.returncode == 0:
        must(lakemill("query", "SELECT count(*) AS n FROM delta_scan('t')", cwd=folder))
    # what comes next tells of the loss or builds anew; it never crashes
    outcome = lakemill("run", "p.yaml", cwd=folder)
    if outcome.crashed() or outcome.code not in (0, 1):
        raise Failure(outcome.describe())


@suite.case("Ctrl-C cancels cleanly")
def interrupted(folder):
    source = "{path: ./in, format: CSV, as_stream: true}"
    quick = pipeline(source, expr="SELECT x::BIGINT AS x FROM {df}")
    slow = pipeline(source, expr="SELECT x::BIGINT AS x FROM {df} WHERE md5(repeat(x, 5000)) <> ''")
    write_files(folder, {"in/1.csv": "x\n1\n", "p.yaml": quick})
    must(lakemill("run", "p.yaml", cwd=folder))
    before = content(folder)
    write_files(folder, {"in/2.csv": "x\n" + "\n".join(str(i) for i in range(3_000_000)) + "\n",
                         "p.yaml": slow})
    process = subprocess.Popen([environment.binary(), "run", "p.yaml"], cwd=folder,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    time.sleep(1)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)
    if process.returncode == 0 or process.returncode < 0:
        raise Failure(f"exit {process.returncode}: {out}{err}")
    if "cancel" not in (out + err).lower():
        raise Failure(f"does not say that it was cancelled: {out}{err}")
    unchanged(folder, before)
    if not rows("SELECT 1 AS x FROM delta_scan('_lakemill/events') WHERE type = 'run_cancelled'", folder):
        raise Failure("no event run_cancelled")
    write_files(folder, {"p.yaml": quick})
    must(lakemill("run", "p.yaml", cwd=folder))
    if rows("SELECT count(*) AS n FROM delta_scan('t')", folder) != [[3_000_001]]:
        raise Failure("the next run did not take the rows")


# --- confinement ---------------------------------------------------------------------

def outside_case(name: str, source: str = "{data: {x: [1]}}", sink: str = "{path: ./t, format: DELTA}",
                 expr: str = "", prepare=None) -> None:
    @suite.case(f"outside the roots: {name}")
    def outside(folder):
        project = folder / "project"
        write_files(folder, {"secret.csv": "x\nTOPSECRET\n", "other/a.csv": "x\nTOPSECRET\n",
                             "project/in.csv": "x\n1\n"})
        if prepare:
            prepare(folder, project)
        write_files(project, {"p.yaml": pipeline(
            source.replace("@", str(folder)), sink.replace("@", str(folder)),
            expr.replace("@", str(folder)))})
        text = refuse(project, "run", "p.yaml", code=(1, 2))
        if "TOPSECRET" in text:
            raise Failure(f"shows what it must not read: {text}")
        written = [p for p in folder.rglob("_delta_log") if project not in p.parents]
        if written or (project / "t/_delta_log").exists():
            raise Failure(f"a table appeared: {written}")


def link(folder: pathlib.Path, project: pathlib.Path) -> None:
    (project / "link.csv").symlink_to(folder / "secret.csv")
    (project / "linked").symlink_to(folder / "other")


outside_case("a source by ..", "{path: ../secret.csv, format: CSV}")
outside_case("a source by an absolute path", "{path: '@/secret.csv', format: CSV}")
outside_case("a source by a link to a file", "{path: ./link.csv, format: CSV}", prepare=link)
outside_case("a source by a link to a folder", "{path: ./linked, format: CSV}", prepare=link)
outside_case("a glob through a link", "{path: './*/a.csv', format: CSV}", prepare=link)
outside_case("a sink by ..", sink="{path: ../t, format: DELTA}")
outside_case("a sink through a link", sink="{path: ./linked/t, format: DELTA}", prepare=link)
outside_case("SQL reads a file", expr="SELECT * FROM read_csv('@/secret.csv')")
outside_case("SQL names a file", expr="SELECT * FROM '@/secret.csv'")
outside_case("SQL reads text", expr="SELECT * FROM read_text('@/secret.csv')")
outside_case("SQL reads bytes", expr="SELECT * FROM read_blob('../secret.csv')")
outside_case("SQL lists files", expr="SELECT * FROM glob('@/*')")
outside_case("SQL reads through a link", expr="SELECT * FROM read_text('link.csv')", prepare=link)
outside_case("SQL reads a table", expr="SELECT * FROM delta_scan('@/other')")
for statement in ("COPY (SELECT 1) TO 'out.csv'", "ATTACH 'x.db' AS x", "SET memory_limit = '1TB'",
                  "INSTALL httpfs", "LOAD httpfs", "PRAGMA enable_profiling", "SELECT 1; SELECT 2",
                  "CREATE TABLE x AS SELECT 1", "SELECT * FROM enable_logging(storage='file')",
                  "SELECT getenv('HOME')", "SELECT * FROM duckdb_secrets()",
                  "CALL pragma_version()", "EXPORT DATABASE 'x'", "VACUUM", "CHECKPOINT"):
    outside_case(f"SQL says {statement}", expr=statement)


@suite.case("a table's log that points outside the roots is not followed")
def log_points_outside(folder):
    project = folder / "project"
    write_files(folder, {"lake/d.csv": "x\n1\n",
                         "lake/p.yaml": pipeline("{path: ./d.csv, format: CSV}")})
    must(lakemill("run", "p.yaml", cwd=folder / "lake"))
    shutil.copytree(folder / "lake/t", project / "s")
    data = next((folder / "lake/t").glob("*.parquet"))
    for log in (project / "s/_delta_log").glob("*.json"):
        log.write_text(log.read_text().replace(f'"path":"{data.name}"', f'"path":"file://{data}"'))
    for file in (project / "s").glob("*.parquet"):
        file.unlink()
    write_files(project, {"p.yaml": pipeline("{path: ./s, format: DELTA}")})
    refuse(project, "run", "p.yaml")

# --- the event log -------------------------------------------------------------------

def tamper_with_events(folder, change) -> None:
    """Writes the events' data files again after `change` was made to their rows."""
    for path in (folder / "_lakemill/events").glob("*.parquet"):
        table = pyarrow.parquet.read_table(path)
        found = change(table.to_pylist())
        pyarrow.parquet.write_table(
            pyarrow.Table.from_pylist(found, schema=table.schema), path)


@suite.case("events that were altered, taken out or put in are found out")
def tampered_events(folder):
    write_files(folder, {"p.yaml": pipeline("{data: {x: [1]}}")})
    must(lakemill("run", "p.yaml", cwd=folder))
    must(lakemill("events", "verify", cwd=folder))
    whole = folder / "_lakemill/events"
    copy = folder / "copy"
    shutil.copytree(whole, copy)

    def altered(rows_):
        rows_[1]["message"] = "nothing happened"
        return rows_

    for change, says in ((altered, "was altered"),
                         (lambda found: found[:1] + found[2:], "taken out"),
                         (lambda found: found[1:], "taken out"),
                         (lambda found: [*found, found[-1]], "twice")):
        shutil.rmtree(whole)
        shutil.copytree(copy, whole)
        must(lakemill("events", "--verify", cwd=folder))
        tamper_with_events(folder, change)
        refuse(folder, "events", "verify", says=("tampered", says))


suite.run()
