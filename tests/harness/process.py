"""One run of the binary, and what came of it."""
import dataclasses
import json
import os
import pathlib
import subprocess
import time

from harness import environment

NOISE = ("terminate called", "Segmentation fault", "AddressSanitizer", "INTERNAL Error",
         "std::bad_alloc", "Assertion", "stack trace")


@dataclasses.dataclass
class Outcome:
    """What one process left behind."""
    args: list[str]
    code: int
    out: bytes
    err: str
    seconds: float

    @property
    def text(self) -> str:
        """Both streams, for messages."""
        return self.out.decode(errors="replace") + self.err

    def crashed(self) -> bool:
        """Whether it ended by a signal or with a library's cry."""
        return self.code < 0 or self.code > 128 or any(n in self.err for n in NOISE)

    def describe(self) -> str:
        """The command and its end, for a failure's message."""
        shown = self.text.strip()
        if len(shown) > 1500:
            shown = shown[:1500] + " …"
        return f"$ lakemill {' '.join(self.args)}\n  exit {self.code}: {shown}"


class Failure(AssertionError):
    """An expectation of a test that does not hold."""


def lakemill(*args: str, cwd: pathlib.Path | str, env: dict | None = None,
             timeout: float = 120, stdin: str | None = None) -> Outcome:
    """Runs the binary with `args` in folder `cwd`."""
    words = [str(arg) for arg in args]
    full = {**os.environ, "NO_COLOR": "1", "TZ": "UTC", **(env or {})}
    begin = time.monotonic()
    try:
        done = subprocess.run([environment.binary(), *words], cwd=cwd, env=full,
                              capture_output=True, timeout=timeout, check=False,
                              stdin=subprocess.DEVNULL if stdin is None else None,
                              input=None if stdin is None else stdin.encode())
    except subprocess.TimeoutExpired as expired:
        raise Failure(f"$ lakemill {' '.join(words)}\n  still running after {timeout} s"
                      ) from expired
    return Outcome(words, done.returncode, done.stdout,
                   done.stderr.decode(errors="replace"), time.monotonic() - begin)


def must(outcome: Outcome, code: int = 0) -> Outcome:
    """The outcome, if it ended with `code` and without a crash."""
    if outcome.crashed() or outcome.code != code:
        raise Failure(f"expected exit {code}\n  {outcome.describe()}")
    return outcome


def rows(sql: str, cwd: pathlib.Path | str) -> list[list]:
    """The rows of a query, as JSON values, in the order they came."""
    outcome = must(lakemill("query", sql, "-o", "json", cwd=cwd))
    return json_rows(outcome.out.decode())


def json_rows(text: str) -> list[list]:
    """Rows of `query -o json`: an array of objects, or an object a line."""
    text = text.strip()
    if not text:
        return []
    if text.startswith("["):
        records = json.loads(text)
    else:
        records = [json.loads(line) for line in text.splitlines()]
    return [list(record.values()) for record in records]


def parquet(sql: str, cwd: pathlib.Path | str, target: pathlib.Path) -> pathlib.Path:
    """The rows of a query as a Parquet file at `target`."""
    outcome = must(lakemill("query", sql, "-o", "parquet", cwd=cwd))
    target.write_bytes(outcome.out)
    return target


def write_files(folder: pathlib.Path, files: dict[str, str | bytes]) -> None:
    """Writes `files` (relative path → content) below `folder`."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
