#!/usr/bin/env python3
"""Kept + dropped + quarantined = input, for random expectations over rows with nulls.

Each case is a node with its own rows and expectations; what must come out is computed
row by row in Python. --cases N nodes (200), --seed repeats them.
"""
import argparse
import json
import pathlib
import random
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from harness.process import lakemill, must, rows, write_files  # noqa: E402

# SQL and the same in Python: true, false or None.
PREDICATES = [
    ("v > {k}", lambda r, k: None if r["v"] is None else r["v"] > k),
    ("v IS NOT NULL", lambda r, k: r["v"] is not None),
    ("w = 'a'", lambda r, k: None if r["w"] is None else r["w"] == "a"),
    ("w IN ('a', 'b') OR v < {k}", lambda r, k: either(
        None if r["w"] is None else r["w"] in "ab", None if r["v"] is None else r["v"] < k)),
    ("v % 3 <> {k}", lambda r, k: None if r["v"] is None else abs(r["v"]) % 3 * (1 if r["v"] >= 0 else -1) != k),
    ("id % 5 > {k}", lambda r, k: r["id"] % 5 > k),
    ("CASE WHEN v > {k} THEN w = 'b' END", lambda r, k: (
        None if r["v"] is None or r["v"] <= k or r["w"] is None else r["w"] == "b")),
]


def either(left, right):
    """SQL's OR."""
    if left or right:
        return True
    return None if left is None or right is None else False


def make_case(source: random.Random) -> tuple[list[dict], list[tuple]]:
    given = [{"id": i, "v": source.choice([None, *range(0, 7)]), "w": source.choice([None, "a", "b", "c"])}
             for i in range(source.choice([0, 1, 5, 60, 3000]))]
    checks = []
    for i in range(source.randint(1, 4)):
        sql, python = source.choice(PREDICATES)
        k = source.randint(0, 4)
        checks.append((f"e{i}", sql.format(k=k), source.choice(["DROP", "QUARANTINE", "WARN"]),
                       lambda r, p=python, n=k: p(r, n)))
    return given, checks


def expected(given: list[dict], checks: list[tuple]) -> tuple[list, list]:
    kept, aside = [], []
    for row in given:
        failed = [(name, action) for name, _, action, holds in checks if holds(row) is not True]
        quarantined = sorted(name for name, action in failed if action == "QUARANTINE")
        if quarantined:
            aside.append([row["id"], quarantined])
        elif not any(action == "DROP" for _, action in failed):
            kept.append([row["id"]])
    return kept, aside


def pipeline(cases: list) -> str:
    lines = ["name: property", "nodes:"]
    for i, (_, checks) in enumerate(cases):
        lines += [f"- name: n{i}",
                  f"  sources: [{{path: ./in/{i}.jsonl, format: JSONL, schema: {{id: bigint, v: bigint, w: string}}}}]",
                  "  expectations:"]
        lines += [f"  - {{name: {name}, expr: {json.dumps(sql)}, action: {action}}}"
                  for name, sql, action, _ in checks]
        lines += ["  sinks:", f"  - {{path: ./out/n{i}, format: DELTA}}",
                  f"  - {{path: ./out/q{i}, format: DELTA, is_quarantine: true}}"]
    return "\n".join(lines) + "\n"


def counted(folder: pathlib.Path) -> dict[str, tuple]:
    """The numbers that the run tells of each node."""
    outcome = must(lakemill("run", "p.yaml", "--json", cwd=folder, timeout=600))
    found = {}

    def walk(value) -> None:
        if isinstance(value, dict):
            if "quarantined" in value and ("node" in value or "name" in value):
                found[value.get("node", value.get("name"))] = value
            for item in value.values():
                walk(item)
        elif isinstance(value, list):
            for item in value:
                walk(item)
    for document in outcome.out.decode().strip().splitlines() or []:
        try:
            walk(json.loads(document))
        except ValueError:
            break
    if not found:
        walk(json.loads(outcome.out.decode()))
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=200)
    parser.add_argument("--seed", type=int, default=None)
    options = parser.parse_args()
    seed = options.seed if options.seed is not None else random.SystemRandom().randrange(10**9)
    print(f"seed {seed}")
    source = random.Random(seed)
    folder = pathlib.Path(tempfile.mkdtemp(prefix="lakemill-quality-")).resolve()
    cases = [make_case(source) for _ in range(options.cases)]
    write_files(folder, {"p.yaml": pipeline(cases), **{
        f"in/{i}.jsonl": "".join(json.dumps(row) + "\n" for row in given)
        for i, (given, _) in enumerate(cases)}})
    told = counted(folder)
    faults = []
    needed = [i for i, (_, checks) in enumerate(cases) if any(c[2] == "QUARANTINE" for c in checks)]
    kept = rows(" UNION ALL ".join(f"SELECT {i} AS c, id FROM delta_scan('out/n{i}')"
                                   for i in range(len(cases))), folder)
    aside = rows(" UNION ALL ".join(
        f"SELECT {i} AS c, id, list_sort(_failed_expectations) AS f FROM delta_scan('out/q{i}')"
        for i in needed), folder) if needed else []
    for i, (given, checks) in enumerate(cases):
        want_kept, want_aside = expected(given, checks)
        got_kept = sorted([row[1]] for row in kept if row[0] == i)
        got_aside = sorted([row[1], row[2]] for row in aside if row[0] == i)
        if got_kept != want_kept or got_aside != want_aside:
            faults.append(f"case {i}, {[c[:3] for c in checks]}: kept {len(got_kept)}/{len(want_kept)}, "
                          f"quarantined {len(got_aside)}/{len(want_aside)} (got/expected)")
        numbers = told.get(f"n{i}", {})
        total = sum(int(numbers.get(key, 0)) for key in ("kept", "dropped", "quarantined"))
        if total != len(given):
            faults.append(f"case {i}: the run counts {total} of {len(given)} rows: {numbers}")
    print("\n".join(faults[:20]) or f"{len(cases)} cases hold")
    print(f"folder {folder}" if faults else "")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
