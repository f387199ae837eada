#!/usr/bin/env python3
"""Runs a test program beside a PostgreSQL server of its own; it may skip nothing.

usage: with_server.py PROGRAM [ARGUMENT ...]
The program finds the server's database in LAKEMILL_TEST_POSTGRES.
"""
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from harness import environment  # noqa: E402
from harness.postgres_server import Server  # noqa: E402
from harness.program import run_beside  # noqa: E402
from harness.suite import SkipCase  # noqa: E402

environment.enter()


def main() -> int:
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    try:
        server = Server().database("swept")
    except SkipCase as missing:
        print(missing)
        return 77
    try:
        return run_beside({"LAKEMILL_TEST_POSTGRES": server.uri("swept")}, sys.argv[1:])
    finally:
        server.remove()


if __name__ == "__main__":
    sys.exit(main())
