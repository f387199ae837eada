#!/usr/bin/env python3
"""How long the binary takes for nothing: help, validate of 1,000 nodes, a no-op run of 200.

The figures of the promise are printed beside what was measured; only ten times as much
fails, since the machine of a test run has other work to do.
"""
import pathlib
import statistics
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from harness.process import lakemill, must, write_files  # noqa: E402

SLACK = 10


def pipeline(node_count: int, width: int) -> str:
    """A pipeline of `node_count` nodes in columns of `width`, each reading the one above."""
    lines = ["name: many", "nodes:"]
    for i in range(node_count):
        source = f"node_name: n{i - width}" if i >= width else "data: {id: [1, 2], v: [3, 4]}"
        lines += [f"- name: n{i}", f"  sources: [{{{source}}}]",
                  f"  transformer: {{nodes: [{{expr: \"SELECT id, v + {i} AS v FROM {{df}} WHERE id > 0\"}}]}}",
                  f"  expectations: [{{name: known, expr: id IS NOT NULL, action: DROP}}]",
                  f"  sinks: [{{path: ./out/n{i}, format: DELTA}}]"]
    return "\n".join(lines) + "\n"


def measure(folder: pathlib.Path, *args: str, repeats: int) -> float:
    """The median of the seconds that the command takes."""
    return statistics.median(must(lakemill(*args, cwd=folder)).seconds for _ in range(repeats))


def main() -> int:
    folder = pathlib.Path(tempfile.mkdtemp(prefix="lakemill-startup-"))
    write_files(folder, {"thousand.yaml": pipeline(1000, 10), "run.yaml": pipeline(200, 20)})
    must(lakemill("run", "run.yaml", cwd=folder, timeout=600))
    found = [
        ("lakemill --help", 0.030, measure(folder, "--help", repeats=11)),
        ("validate, 1,000 nodes", 0.5, measure(folder, "validate", "thousand.yaml", repeats=5)),
        ("run, 200 nodes, nothing new", 2.0, measure(folder, "run", "run.yaml", repeats=3)),
    ]
    for name, limit, seconds in found:
        print(f"{name:30} {seconds * 1000:8.1f} ms   (promised {limit * 1000:.0f} ms)")
    slow = [name for name, limit, seconds in found if seconds > limit * SLACK]
    if slow:
        print("far too slow:", ", ".join(slow))
    return 1 if slow else 0


if __name__ == "__main__":
    sys.exit(main())
