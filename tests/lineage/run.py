#!/usr/bin/env python3
"""Where the columns of queries come from: what we tell, and what is known by hand.

usage: run.py LISTER [--only PART]   (LISTER: the built lakemill_lineage_lister)
"""
import argparse
import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE)]
from harness import environment  # noqa: E402

environment.enter()

import yaml  # noqa: E402

from asking import ask  # noqa: E402
from harness.process import Failure  # noqa: E402
from harness.suite import Suite  # noqa: E402


def known_by_hand(query: dict, tables: dict) -> dict:
    """The lineage of a query as its file has it, as the lister prints it."""
    homes = {column: f"{table}.{column}" for table, columns in tables.items()
             for column in columns}
    return {
        "columns": {name: {homes[column]: kinds.split("+") for column, kinds in edges.items()}
                    for name, edges in query["columns"].items()},
        "rows": {kind: sorted(homes[column] for column in columns)
                 for kind, columns in query["rows"].items()},
        "incomplete_because": "",
    }


def differences(told: dict, known: dict, where: str = "") -> list[str]:
    """Each place where the two are not the same."""
    if not (isinstance(told, dict) and isinstance(known, dict)):
        return [] if told == known else [f"{where}: {told}, not {known}"]
    faults = []
    for key in [*known, *(key for key in told if key not in known)]:
        faults += differences(told.get(key), known.get(key), f"{where} {key}".strip())
    return faults


def main() -> None:
    """Adds the cases and runs them."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("lister")
    suite = Suite("lineage", parser)
    lister = str(pathlib.Path(suite.options.lister).resolve())

    for file in sorted(HERE.glob("*.yaml")):
        content = yaml.safe_load(file.read_text())
        tables = content["tables"]
        for query in content["queries"]:
            def check(_folder: pathlib.Path, query: dict = query, tables: dict = tables) -> None:
                (told,) = ask(lister, tables, [query["sql"]])
                faults = differences(told, known_by_hand(query, tables))
                if faults:
                    raise Failure("\n  ".join(faults))
            suite.add(f"{file.stem} {query['name']}", check)

    suite.run()


if __name__ == "__main__":
    main()
