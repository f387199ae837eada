"""A PostgreSQL server of its own for a test, a demo or a benchmark, on a free loopback port."""
import os
import pathlib
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time

from harness import environment
from harness.process import Failure
from harness.suite import SkipCase

HBA = """local all all trust
host all weak 127.0.0.1/32 scram-sha-256
host all all 127.0.0.1/32 trust
host replication all 127.0.0.1/32 trust
"""


def programs() -> pathlib.Path:
    """Where Debian's newest server has its programs."""
    found = sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if not found:
        raise SkipCase("no PostgreSQL server here: tools/install.sh test installs it")
    return found[-1].parent


def owner() -> str | None:
    """Who runs the server: it refuses to be root."""
    return "postgres" if os.geteuid() == 0 else None


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def give_to_owner(folder: pathlib.Path) -> None:
    if owner() is None:
        return
    user = pwd.getpwnam(owner())
    for path in [folder, *folder.rglob("*")]:
        os.chown(path, user.pw_uid, user.pw_gid)


def fresh_cluster(folder: pathlib.Path, like_others: bool) -> None:
    """A new data folder: made once for all tests, then copied; a copy is the same system."""
    version = programs().parent.name
    kept = environment.CACHE / f"postgres-{version}"
    if not kept.is_dir() or not like_others:
        folder.mkdir()
        give_to_owner(folder)
        subprocess.run([programs() / "initdb", "-D", folder, "-U", "postgres", "-E", "UTF8",
                        "--locale=C.UTF-8", "--no-sync", "--auth=trust"], check=True,
                       capture_output=True, user=owner(), cwd="/")
        if not like_others:
            return
        kept.parent.mkdir(parents=True, exist_ok=True)
        made = pathlib.Path(tempfile.mkdtemp(dir=kept.parent))
        shutil.copytree(folder, made, dirs_exist_ok=True)
        try:
            made.rename(kept)
        except OSError:  # another test was first
            shutil.rmtree(made)
        return
    shutil.copytree(kept, folder)
    folder.chmod(0o700)
    give_to_owner(folder)


class Server:
    """Runs until stop(), by its own process id."""

    def __init__(self, like_others: bool = True, standby_of: "Server | None" = None,
                 **settings: str):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="lakemill-pg-", dir="/tmp"))
        self.folder.chmod(0o755)
        self.data = self.folder / "data"
        self.port = free_port()
        self.settings = {"wal_level": "logical", "max_replication_slots": "10",
                         "max_wal_senders": "10", "fsync": "off",
                         "shared_buffers": "64MB", **settings}
        self.process: subprocess.Popen | None = None
        if standby_of is None:
            fresh_cluster(self.data, like_others)
        else:
            self.follow(standby_of)
        (self.data / "pg_hba.conf").write_text(HBA)
        self.start()

    def follow(self, primary: "Server") -> None:
        """Makes the data folder that of a standby, which takes the primary's log."""
        give_to_owner(self.folder)
        subprocess.run([programs() / "pg_basebackup", "-D", self.data, "-h", "127.0.0.1", "-p",
                        str(primary.port), "-U", "postgres", "-R", "-X", "stream", "-c", "fast"],
                       check=True, capture_output=True, user=owner(), cwd="/")

    def promote(self) -> None:
        """Makes a standby a primary, on a timeline of its own."""
        self.sql("SELECT pg_promote(true)", "postgres")

    def start(self) -> None:
        words = [str(programs() / "postgres"), "-D", str(self.data), "-p", str(self.port),
                 "-k", str(self.data), "-c", "listen_addresses=127.0.0.1"]
        for key, value in self.settings.items():
            words += ["-c", f"{key}={value}"]
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(words, stdout=log, stderr=log, user=owner(),
                                            cwd="/", start_new_session=True)
        end = time.monotonic() + 60
        while time.monotonic() < end:
            if self.process.poll() is not None:
                break
            if self.try_sql("SELECT 1", "postgres").returncode == 0:
                return
            time.sleep(0.1)
        raise Failure("PostgreSQL did not start:\n" + (self.folder / "log").read_text()[-2000:])

    def stop(self, how: int = signal.SIGINT) -> None:
        if self.process is None or self.process.poll() is not None:
            return
        self.process.send_signal(how)
        self.process.wait(60)

    def restart(self, how: int = signal.SIGINT) -> None:
        self.stop(how)
        self.start()

    def remove(self) -> None:
        self.stop(signal.SIGQUIT)
        shutil.rmtree(self.folder, ignore_errors=True)

    def try_sql(self, sql: str, database: str = "shop", user: str = "postgres",
                timeout: float = 300) -> subprocess.CompletedProcess:
        return subprocess.run(
            ["psql", "-X", "-q", "-t", "-A", "-v", "ON_ERROR_STOP=1", "-h", "127.0.0.1", "-p",
             str(self.port), "-U", user, "-d", database], input=sql, capture_output=True,
            text=True, check=False, timeout=timeout)

    def sql(self, sql: str, database: str = "shop") -> str:
        done = self.try_sql(sql, database)
        if done.returncode != 0:
            raise Failure(f"psql: {done.stderr.strip()}\n  {sql[:500]}")
        return done.stdout.strip()

    def database(self, name: str = "shop") -> "Server":
        self.sql(f"CREATE DATABASE {name}", "postgres")
        return self

    def uri(self, database: str = "shop", user: str = "postgres") -> str:
        return f"postgresql://{user}@127.0.0.1:{self.port}/{database}"
