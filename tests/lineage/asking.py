"""What lakemill_lineage_lister tells of queries."""
import json
import subprocess

from harness.process import Failure


def ask(lister: str, tables: dict, queries: list[str]) -> list[dict]:
    """The lineage of each query over tables of those columns ({table: {column: type}})."""
    done = subprocess.run([lister], input=json.dumps({"tables": tables, "queries": queries}),
                          capture_output=True, text=True, check=False, timeout=120)
    if done.returncode != 0:
        raise Failure(f"the lister ended with {done.returncode}: {done.stderr[:2000]}")
    return [json.loads(line) for line in done.stdout.splitlines()]
