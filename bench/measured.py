"""Runs a command, and writes what it took as JSON: seconds, megabytes at its peak, status.

usage: measured.py RESULT COMMAND …

A process of its own, and a small one: the kernel counts what the parent held when it
started a command into that command's peak.
"""
import json
import os
import sys
import time

begin = time.perf_counter()
pid = os.posix_spawnp(sys.argv[2], sys.argv[2:], os.environ)
_, status, usage = os.wait4(pid, 0)
seconds = time.perf_counter() - begin
with open(sys.argv[1], "w", encoding="utf-8") as result:
    json.dump({"seconds": seconds, "megabytes": usage.ru_maxrss / 1024,
               "status": os.waitstatus_to_exitcode(status)}, result)
