#!/usr/bin/env python3
"""Replays: what is derived from the log again is what was there, and live tables stay alone.

--seed repeats a run; LAKEMILL_SOAK=1 makes more random pipelines and kills more often.
"""
import argparse
import json
import os
import pathlib
import random
import shutil
import signal
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from harness import environment  # noqa: E402
from harness.process import Failure, lakemill, must, rows  # noqa: E402
from harness.suite import SkipCase, Suite  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parents[2]
SOAK = os.environ.get("LAKEMILL_SOAK") == "1"
PIPELINE = """
name: feed
nodes:
- name: brz
  layer: BRONZE
  sources: [{name: feed, path: ./in, format: JSONL, schema: {id: bigint, v: string, n: bigint, seq: bigint, op: string}}]
  sinks: [{table_name: brz}]
- name: kept
  layer: SILVER
  sources: [{node_name: brz, as_stream: true}]
  transformer: {nodes: [{expr: "SELECT id, v, n * FACTOR AS n, seq, op FROM {df}"}]}
  expectations: [{name: positive, expr: n > 0, action: QUARANTINE}]
  sinks: [{path: ./t/kept, format: DELTA}, {path: ./t/quarantine, format: DELTA, is_quarantine: true}]
- name: current
  layer: SILVER
  primary_keys: [id]
  sources: [{node_name: kept, as_stream: true}]
  sinks: [{table_name: current, mode: MERGE, merge_cdc_options: {order_by: seq, delete_where: "op = 'D'", exclude_columns: [op]}}]
- name: history
  layer: SILVER
  primary_keys: [id]
  sources: [{path: ./t/kept, format: DELTA, as_stream: true}]
  sinks: [{table_name: history, mode: MERGE, merge_cdc_options: {scd_type: 2, order_by: seq, delete_where: "op = 'D'", exclude_columns: [op, seq]}}]
- name: seen
  sources: [{node_name: current}]
  transformer: {nodes: [{expr: "SELECT *, id % 10 AS g FROM {df}"}]}
- name: totals
  layer: GOLD
  sources: [{node_name: seen}]
  transformer: {nodes: [{expr: "SELECT g, count(*) AS c, sum(n) AS s FROM {df} GROUP BY ALL"}]}
  expectations: [{name: known, type: REFERENCE, columns: [c], to: {table: silver.current, columns: [id]}, action: WARN}]
  sinks: [{table_name: totals, mode: OVERWRITE}]
"""
LIVE = {
    "kept": "SELECT * FROM delta_scan('t/kept')",
    "quarantine": "SELECT * EXCLUDE (_failed_expectations) FROM delta_scan('t/quarantine')",
    "current": "SELECT * FROM main.silver.current",
    "history": "SELECT * FROM main.silver.history",
    "totals": "SELECT * FROM main.gold.totals",
}


def pipeline(factor: int = 1) -> str:
    """The pipeline, with another definition of `kept` for another factor."""
    return PIPELINE.replace("FACTOR", str(factor))


def content(folder: pathlib.Path, schema: str | None = None) -> dict:
    """The rows of all live tables, or of those of a side schema, sorted."""
    queries = dict(LIVE) if schema is None else {
        name: f"SELECT {'* EXCLUDE (_failed_expectations)' if name == 'quarantine' else '*'} FROM main.{schema}.{name}"
        for name in LIVE}
    return {name: sorted(rows(sql, folder), key=repr) for name, sql in queries.items()}


def drop_file(folder: pathlib.Path, number: int, source: random.Random, count: int = 20) -> None:
    """A file of changes whose sequences are unlike each other in all files."""
    (folder / "in").mkdir(exist_ok=True)
    lines = [json.dumps({
        "id": source.randrange(30), "v": f"v{source.randrange(1000)}", "n": source.randint(-2, 50),
        "seq": (number * count + i) * 7919 % 1_000_003,
        "op": "D" if source.random() < 0.1 else "U"}) for i in range(count)]
    (folder / f"in/{number:04}.jsonl").write_text("\n".join(lines) + "\n")


def feed(folder: pathlib.Path, source: random.Random, batches: int) -> None:
    """Runs a pipeline over `batches` arrivals."""
    (folder / "p.yaml").write_text(pipeline())
    for number in range(batches):
        drop_file(folder, number, source)
        must(lakemill("run", "p.yaml", cwd=folder))


def same(got: dict, expected: dict, what: str) -> None:
    """Fails with the first table that differs."""
    for name, table in expected.items():
        if got[name] != table:
            raise Failure(f"{what}: table {name} differs\n  got      {got[name][:5]}\n  expected {table[:5]}")


def replay_json(folder: pathlib.Path, *args: str) -> dict:
    """What a replay tells."""
    return json.loads(must(lakemill("replay", "p.yaml", *args, "--json", cwd=folder)).out)


def no_difference(told: dict, tables: int) -> None:
    """Every table of the replay is there and equals the live one."""
    if len(told["tables"]) != tables:
        raise Failure(f"compared {[t['side'] for t in told['tables']]}, not {tables} tables")
    for table in told["tables"]:
        if table["schema"] or table["only_first"] or table["only_second"]:
            raise Failure(f"{table['live']} and {table['side']} differ: {table}")


def main() -> None:
    parser = argparse.ArgumentParser(description="replays")
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 30))
    suite = Suite("replay", parser)
    seed = suite.options.seed
    print(f"seed {seed}")

    @suite.case("replays of random histories equal the live tables, which stay alone")
    def random_histories(folder):
        for number in range(12 if SOAK else 3):
            source = random.Random(seed + number)
            place = folder / str(number)
            place.mkdir()
            feed(place, source, source.randint(2, 5))
            before = content(place)
            versions = {path: path.read_bytes() for path in place.rglob("_delta_log/*.json")
                        if "_lakemill" not in path.parts}
            shutil.rmtree(place / "in")  # no source is asked again
            no_difference(replay_json(place, "--into", "side"), len(LIVE))
            same(content(place, "side"), before, "side")
            same(content(place), before, "live")
            for path, text in versions.items():
                if path.read_bytes() != text:
                    raise Failure(f"{path} was touched")
            if [p for p in (place / "t/kept/_delta_log").glob("*.json") if p not in versions]:
                raise Failure("the replay beside committed to a live table")
            no_difference(replay_json(place, "--into", "side"), len(LIVE))  # once more over it
            must(lakemill("replay", "p.yaml", cwd=place))
            same(content(place), before, "in place")

    @suite.case("a replay from a batch, version, offset or instant makes only what lies behind anew")
    def in_the_middle(folder):
        for number, start in enumerate(["batch:3", "version:2", "offset:3", "timestamp"]):
            source = random.Random(seed + number)
            place = folder / str(number)
            place.mkdir()
            feed(place, source, 5)
            before = content(place)
            if start == "timestamp":
                plan = json.loads(next((place / "_lakemill/flows/feed/kept/0/plans").glob("*3.json")).read_text())
                start = "timestamp:" + plan["now"]
            told = replay_json(place, "--node", "kept", "--from", start, "--into", "side")
            no_difference(told, len(LIVE))
            same(content(place, "side"), before, f"side {start}")
            read = {node["node"]: node["rows_in"] for node in told["nodes"]}
            if read["kept"] != 60:
                raise Failure(f"--from {start}: {read['kept']} rows of kept were made anew, not 60")
            for node in ("history", "current", "kept"):  # whose replay begins them anew
                must(lakemill("replay", "p.yaml", "--node", node, "--from", "batch:3", cwd=place))
                same(content(place), before, f"{node} in place")
            drop_file(place, 99, source)  # and it goes on
            must(lakemill("run", "p.yaml", cwd=place))
            no_difference(replay_json(place, "--into", "side"), len(LIVE))

    @suite.case("an edited definition holds from the start of a replay on")
    def edited(folder):
        feed(folder, random.Random(seed), 4)
        (folder / "p.yaml").write_text(pipeline(factor=10))
        must(lakemill("replay", "p.yaml", "--node", "kept", "--from", "batch:3", cwd=folder))
        joined = ("SELECT k.n = b.n AS old, k.n = b.n * 10 AS new, b._source_offset < '000000000003' AS early "
                  "FROM delta_scan('t/kept') k JOIN main.bronze.brz b ON k.seq = b.seq")
        for old, new, early in rows(joined, folder):
            if not (old if early else new):
                raise Failure(f"a row is of the wrong definition: {(old, new, early)}")
        outcome = must(lakemill("replay", "p.yaml", "--into", "side", cwd=folder))
        if "kept: 0 rows only in the first" in outcome.text:
            raise Failure("the replay beside does not show what the edit changes")
        outcome = must(lakemill("table", "diff", "t/kept", "side.kept", "--key", "seq", cwd=folder), 1)
        if "0 removed, 0 added" not in outcome.text:
            raise Failure(outcome.describe())

    @suite.case("a replay that is killed is made good by the next one, or by a run")
    def killed(folder):
        source = random.Random(seed)
        feed(folder, source, 4)
        before = content(folder)
        for number in range(30 if SOAK else 6):
            args = [["--into", "side"], [], ["--node", "kept", "--from", "batch:2"]][number % 3]
            process = subprocess.Popen([environment.binary(), "replay", "p.yaml", *args], cwd=folder,
                                       stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                       stderr=subprocess.DEVNULL)
            time.sleep(source.uniform(0.02, 0.4))
            process.send_signal(signal.SIGKILL)
            process.wait()
            must(lakemill("run", "p.yaml", cwd=folder))
            same(content(folder), before, f"after kill {number} and a run")
        no_difference(replay_json(folder, "--into", "side"), len(LIVE))

    @suite.case("what cannot be replayed is refused with what to do")
    def refused(folder):
        feed(folder, random.Random(seed), 2)
        for args, says in [
            (["--node", "brz"], "asks no source again"),
            (["--node", "nothing"], "nothing"),
            (["--into", "silver"], "name one that no node writes to"),
            (["--into", "a/b"], "a/b"),
            (["--from", "batch:2"], "--node"),
            (["--from", "tuesday"], "version:7"),
            (["--node", "kept", "--from", "batch:9"], "nothing to replay"),
            (["--node", "totals", "--from", "batch:2"], "recomputed as a whole"),
        ]:
            outcome = lakemill("replay", "p.yaml", *args, cwd=folder)
            if outcome.code not in (1, 2) or says not in outcome.text:
                raise Failure(f"should say {says!r}\n  {outcome.describe()}")
        text = pipeline().replace("FROM {df} GROUP BY ALL", "FROM main.silver.current, (SELECT 1 AS g) GROUP BY ALL")
        (folder / "p.yaml").write_text(text)
        must(lakemill("run", "p.yaml", cwd=folder))
        outcome = lakemill("replay", "p.yaml", "--into", "side", cwd=folder)
        if outcome.code != 1 or "which the replay makes anew" not in outcome.text:
            raise Failure(outcome.describe())

    @suite.case("the examples replayed beside are equal")
    def examples(folder):
        sys.path.insert(0, str(ROOT / "examples"))
        import check  # noqa: PLC0415
        for name in ("orders-cdc", "flights"):
            place = folder / name
            expected = json.loads((ROOT / "examples" / name / "expected.json").read_text())
            try:
                check.copy_example(name, place, expected.get("parts", []))
            except subprocess.CalledProcessError as failed:
                raise SkipCase(f"the data of {name} cannot be fetched") from failed
            for step in expected["steps"]:
                for source, target in step.get("files", {}).items():
                    (place / target).parent.mkdir(parents=True, exist_ok=True)
                    shutil.copy(place / source, place / target)
                must(lakemill("run", cwd=place))
            told = json.loads(must(lakemill("replay", "--into", "again", "--json", cwd=place, timeout=600)).out)
            no_difference(told, len(told["tables"]) or -1)

    @suite.case("a backfill makes only its range anew, and what is behind follows")
    def backfill(folder):
        source = random.Random(seed)
        feed(folder, source, 4)
        before = content(folder)
        sequences = sorted(row[3] for row in before["kept"] + before["quarantine"])
        low, high = sequences[len(sequences) // 4], sequences[len(sequences) // 2]
        (folder / "p.yaml").write_text(pipeline(factor=-1))
        told = json.loads(must(lakemill("backfill", "p.yaml", "--node", "kept", "--column", "seq", "--from", low,
                                        "--to", high, "--json", cwd=folder)).out)
        read = {node["node"]: node for node in told["nodes"]}
        if read["kept"]["reason"] != "backfill" or read["kept"]["rows_in"] != len([s for s in sequences if low <= s < high]):
            raise Failure(f"{read['kept']}")

        def expected(name: str, keeps) -> list:
            turned = [[i, v, -n, q, op] for i, v, n, q, op in before["kept"] + before["quarantine"] if low <= q < high]
            outside = [row for row in before[name] if not low <= row[3] < high]
            return sorted(outside + [row for row in turned if keeps(row[2])], key=repr)

        now = content(folder)
        if now["kept"] != expected("kept", lambda n: n > 0):
            raise Failure("the rows of the range, or others, are not what they should be")
        if now["quarantine"] != expected("quarantine", lambda n: n <= 0):
            raise Failure("the quarantine of the range is not what it should be")
        (folder / "p.yaml").write_text(pipeline(factor=1))
        must(lakemill("backfill", "p.yaml", "--node", "kept", "--where", f"seq >= {low} AND seq < {high}", cwd=folder))
        same(content(folder), before, "filled in again by the first definition")
        must(lakemill("run", "p.yaml", cwd=folder))
        same(content(folder), before, "after a run")
        drop_file(folder, 50, source)  # and it goes on
        must(lakemill("run", "p.yaml", cwd=folder))
        no_difference(replay_json(folder, "--into", "side"), len(LIVE))

    @suite.case("a backfill of a range that ends before it begins is refused")
    def backfill_backwards(folder):
        feed(folder, random.Random(seed), 2)
        for low, high in ((5, 2), (5, 5)):
            outcome = lakemill("backfill", "p.yaml", "--node", "kept", "--column", "seq", "--from", low, "--to", high, cwd=folder)
            if outcome.code == 0 or f"no row can be from {low} on and before {high}" not in outcome.text:
                raise Failure(outcome.describe())

    @suite.case("a backfill that is killed is completed by the next run")
    def backfill_killed(folder):
        source = random.Random(seed)
        feed(folder, source, 4)
        before = content(folder)
        for number in range(20 if SOAK else 5):
            process = subprocess.Popen(
                [environment.binary(), "backfill", "p.yaml", "--node", "kept", "--column", "seq", "--from", "5"],
                cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            time.sleep(source.uniform(0.05, 0.4))
            process.send_signal(signal.SIGKILL)
            process.wait()
            must(lakemill("run", "p.yaml", cwd=folder))
            same(content(folder), before, f"after kill {number} and a run")

    @suite.case("a backfill beside runs that go on loses and doubles nothing")
    def backfill_beside(folder):
        source = random.Random(seed)
        feed(folder, source, 3)
        for number in range(12 if SOAK else 4):
            filling = subprocess.Popen(
                [environment.binary(), "backfill", "p.yaml", "--node", "kept", "--column", "seq", "--from", "5"],
                cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
            time.sleep(source.uniform(0.0, 0.1))
            drop_file(folder, 10 + number, source)
            must(lakemill("run", "p.yaml", cwd=folder))
            said = filling.communicate()[1].decode()
            if filling.returncode != 0 and "half done" not in said:
                raise Failure(f"backfill {number}: exit {filling.returncode}: {said}")
        must(lakemill("run", "p.yaml", cwd=folder))
        counts = ("SELECT (SELECT count(*) FROM main.bronze.brz), (SELECT count(*) FROM delta_scan('t/kept')) + "
                  "(SELECT count(*) FROM delta_scan('t/quarantine'))")
        bronze, derived = rows(counts, folder)[0]
        if bronze != derived:
            raise Failure(f"{bronze} rows in bronze, {derived} behind it")
        no_difference(replay_json(folder, "--into", "side"), len(LIVE))

    @suite.case("what cannot be filled in is refused with what to do")
    def backfill_refused(folder):
        feed(folder, random.Random(seed), 2)
        for args, says in [
            (["--node", "kept"], "say which rows"),
            (["--node", "kept", "--from", "1"], "time_column"),
            (["--node", "kept", "--column", "sec", "--from", "1"], "did you mean 'seq'"),
            (["--node", "kept", "--column", "seq", "--from", "tuesday"], "tuesday"),
            (["--node", "kept", "--where", "id IN (SELECT 1)"], "no subquery"),
            (["--node", "kept", "--where", "nothing = 1"], "nothing"),
            (["--node", "brz", "--where", "id = 1"], "come from outside"),
            (["--node", "current", "--where", "id = 1"], "lakemill replay --node current"),
            (["--node", "totals", "--where", "g = 1"], "recomputed as a whole"),
            (["--from", "1"], "--node"),
        ]:
            outcome = lakemill("backfill", "p.yaml", *args, cwd=folder)
            if outcome.code not in (1, 2) or says not in outcome.text:
                raise Failure(f"should say {says!r}\n  {outcome.describe()}")
        (folder / "p.yaml").write_text(pipeline().replace("n * FACTOR AS n", "sum(n) AS n").replace(
            "seq, op FROM {df}", "seq, op FROM {df} GROUP BY ALL"))
        outcome = lakemill("backfill", "p.yaml", "--node", "kept", "--where", "id = 1", cwd=folder)
        if outcome.code != 2 or "needs all rows" not in outcome.text:
            raise Failure(outcome.describe())

    suite.run()


if __name__ == "__main__":
    main()
