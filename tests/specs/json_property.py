#!/usr/bin/env python3
"""JSON of all kinds lands in tables with nothing lost, or is refused.

Each case is some files of random records in up to three batches: numbers of any number
of digits, nested values, fields that change their kind. What a bronze table and its
_rescued hold is compared with the files, parsed in Python with exact numbers; so is
what a silver table holds, whose batches may also fail. --cases N (40), --seed repeats.
"""
import argparse
import json
import pathlib
import random
import sys
import tempfile
from decimal import Decimal

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from harness.process import lakemill, must, write_files  # noqa: E402

METADATA = "_ingested_at, _run_id, _batch_id, _source, _source_file, _source_offset"
NAMES = ["a", "b", "c", "sp ace", "x/y", "t~1", "é", "$p", "st*r", "qu\"ote", "_rescued"]


class Number(str):
    """A number as it is written."""


def digits(source: random.Random, count: int) -> str:
    return str(source.randint(10 ** (count - 1), 10 ** count - 1))


def number_text(source: random.Random) -> str:
    sign = source.choice(["", "", "-"])
    return sign + source.choice([
        lambda: str(source.randint(0, 99)),
        lambda: str(source.randint(0, 99)),
        lambda: str(2 ** 53 + source.randint(-3, 3)),
        lambda: str(2 ** 63 + source.randint(-2, 2)),
        lambda: str(2 ** 64 + source.randint(-2, 2)),
        lambda: digits(source, source.choice([16, 18, 20, 30, 38, 45])),
        lambda: f"{source.randint(0, 99)}.{source.randint(0, 999)}",
        lambda: repr(source.random() * 10 ** source.randint(-5, 5)),
        lambda: "0." + digits(source, source.choice([16, 17, 20, 38])),
        lambda: digits(source, 12) + "." + digits(source, source.choice([6, 12])),
        lambda: f"{source.randint(1, 9)}.5e{source.choice([-400, -320, -30, -5, 3, 22, 40, 308, 400])}",
        lambda: source.choice(["0", "0.0", "1.50", "1E2", "1e0"])])()


def value_text(source: random.Random, kind: str, depth: int = 0) -> str:
    """One value as JSON."""
    if source.random() < 0.1:
        return "null"
    if kind == "number":
        return number_text(source)
    if kind == "small":
        return str(source.randint(-9, 9))
    if kind == "bool":
        return source.choice(["true", "false"])
    if kind == "string":
        return json.dumps(source.choice(["", "x", "é\"\\", "2024-01-01", "1e400", "12345678901234567890.5",
                                         "line\nbreak", "null", "{}"]), ensure_ascii=source.random() < 0.5)
    if kind == "any" or depth > 2:
        return value_text(source, source.choice(["number", "bool", "string", "small"]), depth + 1)
    if kind.startswith("list"):
        inner = kind[5:] or "number"
        return "[" + ", ".join(value_text(source, inner, depth + 1)
                               for _ in range(source.randint(0, 3))) + "]"
    members = [f'"{name}": {value_text(source, source.choice(["number", "small", "list", "string"]), depth + 1)}'
               for name in "pqr" if source.random() < 0.7]
    return "{" + source.choice([", ", ",", ",\n "]).join(members) + "}"


def make_case(source: random.Random) -> list[dict[str, str]]:
    """For each batch, the members of its records as JSON texts."""
    kinds = {name: source.choice(["number", "number", "small", "bool", "string", "any", "list", "list:small",
                                  "list:object", "object"])
             for name in source.sample(NAMES, source.randint(1, 4))}
    batches, number = [], 0
    for _ in range(source.randint(1, 3)):
        records = []
        for _ in range(source.randint(1, 6)):
            record = {"no": str(number)}
            number += 1
            for name, kind in kinds.items():
                if source.random() < 0.8:
                    record[name] = value_text(source, kind if source.random() < 0.9 else "any")
            records.append(record)
        batches.append(records)
        if source.random() < 0.5:  # later batches may bring another field, or another kind
            kinds[source.choice(NAMES)] = source.choice(["number", "object", "string"])
    return batches


def file_text(records: list[dict], is_list: bool) -> str:
    lines = ["{" + ", ".join(f"{json.dumps(name)}: {value}" for name, value in record.items()) + "}"
             for record in records]
    return "[" + ",\n".join(lines) + "]" if is_list else "\n".join(line.replace("\n", " ") for line in lines) + "\n"


def parsed(text: str):
    return json.loads(text, parse_float=Number, parse_int=Number, parse_constant=Number)


def same_number(given: Number, got: str) -> bool:
    """Equal, or a double that gives the number back when written with as many digits."""
    try:
        wanted, found = Decimal(given), Decimal(got)
    except ArithmeticError:
        return False
    if wanted == found:
        return True
    if wanted == 0 or Decimal(repr(float(found))) != found:
        return False
    count = len("".join(map(str, wanted.as_tuple().digits)).strip("0"))
    if "e" not in given.lower():
        count = max(count, wanted.adjusted() + 1)
    return Decimal(f"{float(found):.{count - 1}e}") == wanted


def same(given, got) -> bool:
    """Whether a value of a table (or its text) says all that the file says."""
    if given is None:
        return got is None or got == "null"
    if got is None:
        return False
    if isinstance(given, Number):
        return isinstance(got, str) and same_number(given, got)
    if isinstance(given, bool):
        return got is given or got == json.dumps(given)
    if isinstance(given, str):
        if isinstance(got, Number):  # a string that is spelled like a number is one
            return same_number(Number(given), got)
        return isinstance(got, str) and got == given
    if isinstance(got, str):
        try:
            got = parsed(got)
        except ValueError:
            return False
    if isinstance(given, list):
        return isinstance(got, list) and len(got) == len(given) and all(map(same, given, got))
    return isinstance(got, dict) and all(same(given.get(name), got.get(name)) for name in {*given, *got})


def faults_of(records: list[dict], table: list[dict], may_lack: bool) -> list[str]:
    faults = []
    held = {int(row["no"]): row for row in table}
    for record in records:
        row = held.get(int(record["no"]))
        if row is None:
            faults += [] if may_lack else [f"record {record} is not there"]
            continue
        rescued = parsed(row["_rescued"]) if not may_lack and row["_rescued"] else {}
        for name, text in record.items():
            given = parsed(text)
            got = row.get(name) if may_lack or name != "_rescued" else None
            if got is None and name in rescued:
                got = rescued[name]
            if not same(given, got):
                faults.append(f"field {name}: {text} became {got!r} in {row}")
    return faults


def pipeline(case_count: int, formats: list[str]) -> str:
    lines = ["name: property", "nodes:"]
    for i in range(case_count):
        source = f"sources: [{{path: ./in/{i}, format: {formats[i]}, as_stream: true}}]"
        lines += [f"- name: b{i}", "  layer: BRONZE", f"  {source}",
                  f"  sinks: [{{path: ./out/b{i}, format: DELTA}}]",
                  f"- name: s{i}", f"  {source}", f"  sinks: [{{path: ./out/s{i}, format: DELTA}}]"]
    return "\n".join(lines) + "\n"


def table_rows(folder: pathlib.Path, name: str, excluded: str) -> list[dict]:
    if not (folder / "out" / name / "_delta_log" / f"{0:020}.json").exists():
        return []
    outcome = must(lakemill("query", f"SELECT *{excluded} FROM delta_scan('out/{name}')", "-o", "json", cwd=folder))
    return parsed(outcome.out.decode()) or []


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=40)
    parser.add_argument("--seed", type=int, default=None)
    options = parser.parse_args()
    seed = options.seed if options.seed is not None else random.SystemRandom().randrange(10**9)
    print(f"seed {seed}")
    source = random.Random(seed)
    folder = pathlib.Path(tempfile.mkdtemp(prefix="lakemill-json-")).resolve()
    cases = [make_case(source) for _ in range(options.cases)]
    formats = [source.choice(["JSON", "JSONL"]) for _ in cases]
    write_files(folder, {"p.yaml": pipeline(len(cases), formats)})
    faults = []
    for batch in range(3):
        write_files(folder, {f"in/{i}/{batch}.json{'l' * (formats[i] == 'JSONL')}":
                             file_text(case[batch], formats[i] == "JSON")
                             for i, case in enumerate(cases) if batch < len(case)})
        outcome = lakemill("run", "p.yaml", "--json", cwd=folder, timeout=600)
        for node in json.loads(outcome.out.decode())["nodes"]:
            if node["node"].startswith("b") and node["status"] == "failed":
                faults.append(f"{node['node']} failed: {node.get('error')}")
    for i, case in enumerate(cases):
        records = [record for batch in case for record in batch]
        bronze = table_rows(folder, f"b{i}", f" EXCLUDE ({METADATA})")
        faults += [f"b{i}: {fault}" for fault in faults_of(records, bronze, False)]
        silver = table_rows(folder, f"s{i}", "")
        faults += [f"s{i}: {fault}" for fault in faults_of(records, silver, True)]
    print("\n".join(faults[:20]) or f"{len(cases)} cases hold")
    print(f"folder {folder}" if faults else "")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
