#!/usr/bin/env python3
"""The event log across versions of Lakemill and across processes."""
import hashlib
import json
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from harness import environment  # noqa: E402

environment.enter()

import deltalake  # noqa: E402
import pyarrow  # noqa: E402

from harness.process import Failure, lakemill, must, rows, write_files  # noqa: E402
from harness.suite import Suite  # noqa: E402

suite = Suite("events")

PIPELINE = """
name: p
nodes:
- {name: a, sources: [{data: {x: [1]}}], sinks: [{path: ./a, format: DELTA}]}
"""
OLDER_COLUMNS = pyarrow.schema(
    [("id", "string"), ("writer", "string"), ("sequence", "int64"),
     ("time", pyarrow.timestamp("us", "UTC")), ("level", "string"), ("type", "string"),
     ("run_id", "string"), ("pipeline", "string"), ("node", "string"),
     ("table_name", "string"), ("version", "int64"), ("batch", "int64"),
     ("message", "string"), ("details", "string"), ("chain", "string")])


def older_log(folder: pathlib.Path, count: int) -> None:
    """A log as it was before events had subject, caused_by and actor."""
    written, chain = [], ""
    for sequence in range(count):
        event = {"id": f"w-{sequence}", "writer": "w", "sequence": sequence,
                 "time": f"2026-01-01T00:00:0{sequence}.000000Z", "level": "info",
                 "type": "run_started", "run_id": "r", "pipeline": "p", "node": None,
                 "table_name": None, "version": None, "batch": None,
                 "message": "run of p started", "details": '{"nodes":1}'}
        text = json.dumps(event, sort_keys=True, separators=(",", ":"))
        chain = hashlib.sha256(f"{chain}\n{text}".encode()).hexdigest()
        written.append({**event, "chain": chain})
    table = pyarrow.table({name: [event[name] for event in written]
                           for name in OLDER_COLUMNS.names if name != "time"})
    times = pyarrow.array([1767225600000000 + 1000000 * i for i in range(count)],
                          pyarrow.timestamp("us", "UTC"))
    table = table.append_column("time", times).select(OLDER_COLUMNS.names).cast(OLDER_COLUMNS)
    deltalake.write_deltalake(str(folder / "_lakemill/events"), table,
                              configuration={"delta.appendOnly": "true"})


def verified(folder: pathlib.Path) -> int:
    return json.loads(must(lakemill("events", "verify", "--json", cwd=folder)).out)["events"]


@suite.case("a log without the newer columns is read, checked, and gets them with the next event")
def older(folder: pathlib.Path) -> None:
    write_files(folder, {"p.yaml": PIPELINE})
    older_log(folder, 3)
    if verified(folder) != 3:
        raise Failure("not all events of the older log were checked")
    told = json.loads(must(lakemill("events", "--json", cwd=folder)).out)
    if [each["subject"] for each in told] != ["pipeline/p"] * 3:
        raise Failure(f"subjects: {told}")
    must(lakemill("run", "p.yaml", cwd=folder))
    if verified(folder) <= 3:
        raise Failure("the run's events are missing")
    counts = rows("SELECT count(*), count(subject), count(*) FILTER (writer = 'w') "
                  "FROM delta_scan('_lakemill/events')", folder)[0]
    if counts[1] != counts[0] - 3 or counts[2] != 3:
        raise Failure(f"events, those with a subject, the older ones: {counts}")
    must(lakemill("run", "p.yaml", cwd=folder))
    verified(folder)


if __name__ == "__main__":
    suite.run()
