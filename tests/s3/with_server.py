#!/usr/bin/env python3
"""Runs a test program beside a real S3 server; it may skip nothing.

usage: with_server.py PROGRAM [ARGUMENT ...]
The program finds the server in LAKEMILL_TEST_S3_ENDPOINT and LAKEMILL_TEST_S3_BUCKET, and
credentials in AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.
"""
import os
import pathlib
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from harness import environment  # noqa: E402

environment.enter()

from s3_server import BUCKET, S3Server  # noqa: E402


def main() -> int:
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    with S3Server() as server:
        env = {**os.environ, **server.environment(),
               "LAKEMILL_TEST_S3_ENDPOINT": server.endpoint, "LAKEMILL_TEST_S3_BUCKET": BUCKET}
        process = subprocess.Popen(sys.argv[1:], env=env, stdout=subprocess.PIPE, text=True)
        skipped = False
        for line in process.stdout:
            skipped = skipped or "SKIPPED" in line
            print(line, end="", flush=True)
        code = process.wait()
    if skipped:
        print("FAIL: a test was skipped though the server is there")
        return 1
    return code


if __name__ == "__main__":
    sys.exit(main())
