#!/usr/bin/env python3
"""Runs a test program beside a real S3 server; it may skip nothing.

usage: with_server.py PROGRAM [ARGUMENT ...]
The program finds the server in LAKEMILL_TEST_S3_ENDPOINT and LAKEMILL_TEST_S3_BUCKET, and
credentials in AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.
"""
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from harness import environment  # noqa: E402
from harness.program import run_beside  # noqa: E402

environment.enter()

from s3_server import BUCKET, S3Server  # noqa: E402


def main() -> int:
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    with S3Server() as server:
        return run_beside({**server.environment(),
                           "LAKEMILL_TEST_S3_ENDPOINT": server.endpoint,
                           "LAKEMILL_TEST_S3_BUCKET": BUCKET}, sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
