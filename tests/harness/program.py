"""A test program that is run beside a server."""
import os
import subprocess


def run_beside(server: dict, program: list[str]) -> int:
    """Runs it with what `server` adds to the environment; its exit code, and 1 if it
    skipped a test though the server is there."""
    process = subprocess.Popen(program, env={**os.environ, **server},
                               stdout=subprocess.PIPE, text=True)
    skipped = False
    for line in process.stdout:
        skipped = skipped or "SKIPPED" in line
        print(line, end="", flush=True)
    code = process.wait()
    if skipped:
        print("FAIL: a test was skipped though the server is there")
        return 1
    return code
