"""Places and tables that cannot be written or read."""
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import time

from feeding import content, pipeline, refuse, suite, unchanged, versions
from harness import environment
from harness.process import Failure, lakemill, must, rows, write_files
from harness.suite import SkipCase


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
