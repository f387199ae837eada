#!/usr/bin/env python3
"""SIGKILL at any moment of a run; the next run ends with the right tables.

A pipeline appends, overwrites, merges (SCD 1 and 2) and quarantines. Each round adds
files, starts the binary and kills it after a random delay (some rounds kill twice), then
runs it to its end. The tables are compared with those of a copy that was never killed.

--kills N  rounds (25; 180 with LAKEMILL_SOAK=1), --seed repeats a sweep
"""
import argparse
import os
import pathlib
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from harness import environment, feed  # noqa: E402
from harness.process import lakemill, must, write_files  # noqa: E402

SOAK = os.environ.get("LAKEMILL_SOAK") == "1"
KEYS = 200


def kill_once(folder: pathlib.Path, delay: float) -> bool:
    """Starts a run and kills it after `delay`; whether it was still running."""
    process = subprocess.Popen([environment.binary(), "run", "p.yaml"], cwd=folder,
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    time.sleep(delay)
    running = process.poll() is None
    if running:
        process.send_signal(signal.SIGKILL)
    process.wait()
    return running


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=180 if SOAK else 25)
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--rows", type=int, default=300)
    options = parser.parse_args()
    seed = options.seed if options.seed is not None else random.SystemRandom().randrange(10**9)
    print(f"seed {seed}")
    source = random.Random(seed)
    folder = pathlib.Path(tempfile.mkdtemp(prefix="lakemill-kill-")).resolve()
    oracle = pathlib.Path(tempfile.mkdtemp(prefix="lakemill-safe-")).resolve()
    for place in (folder, oracle):
        write_files(place, {"p.yaml": feed.PIPELINE})
        (place / "in").mkdir()
    longest, killed, faults = 0.0, 0, []
    for number in range(options.kills):
        for _ in range(source.randint(1, 2)):
            name = f"in/{number:04d}_{source.randrange(10**6):06d}.jsonl"
            text = feed.new_file(number * 2 + (_ > 0), source, options.rows, KEYS)
            for place in (folder, oracle):
                write_files(place, {name: text})
        safe = must(lakemill("run", "p.yaml", cwd=oracle))
        longest = max(longest, safe.seconds)
        for _ in range(source.choice([1, 1, 2, 3])):
            killed += kill_once(folder, source.uniform(0.0, longest))
        recovered = lakemill("run", "p.yaml", cwd=folder)
        if recovered.code != 0:
            faults.append(f"round {number}: {recovered.describe()}")
            break
        faults += [f"round {number}: {fault}"
                   for fault in feed.differences(feed.content(folder), feed.content(oracle))]
        if faults:
            break
    again = lakemill("run", "p.yaml", cwd=folder)
    if not faults and again.code != 0:
        faults.append(f"last run: {again.describe()}")
    temporary = [str(p) for p in (folder / "t").rglob("*") if p.suffix == ".tmp"]
    if temporary:
        print(f"left over: {len(temporary)} temporary files, such as {temporary[0]}")
    print(f"{killed} runs killed of {options.kills} rounds")
    if faults:
        print("\n".join(faults))
        print(f"folders: {folder} (killed), {oracle} (not)")
        return 1
    shutil.rmtree(folder)
    shutil.rmtree(oracle)
    print("after every kill the next run ended with the right tables")
    return 0


if __name__ == "__main__":
    sys.exit(main())
