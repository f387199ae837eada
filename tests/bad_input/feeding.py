"""What the cases of bad input share: the suite, a pipeline of one node, what must hold after."""
import json
import pathlib

from harness.process import Failure, lakemill, rows
from harness.suite import Suite

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
