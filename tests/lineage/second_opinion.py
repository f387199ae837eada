#!/usr/bin/env python3
"""Where the columns of the 99 queries of TPC-DS come from, told by us and by sqlglot.

Both tell the columns that a value is made of. sqlglot counts what a window is made of,
PARTITION BY and ORDER BY, among them; we tell those as influences. All other differences
are listed below, each with its reason; one that is not there, or is there no more, fails.

usage: second_opinion.py LISTER   (LISTER: the built lakemill_lineage_lister)
"""
import argparse
import ast
import pathlib
import re
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE)]
from harness import environment  # noqa: E402

environment.enter()

SQLGLOT = environment.sqlglot_folder()
sys.path.insert(0, str(SQLGLOT))

from sqlglot import exp, parse_one  # noqa: E402
from sqlglot.lineage import lineage  # noqa: E402
from sqlglot.optimizer.qualify import qualify  # noqa: E402

from asking import ask  # noqa: E402
from harness.process import Failure  # noqa: E402
from harness.suite import Suite  # noqa: E402

FLOWS = {"identity", "transformation", "aggregation"}
GROUPING = "which columns a row is grouped by is no value of theirs"
DIFFERENT = {(27, "g_state"): GROUPING,
             (36, "lochierarchy"): GROUPING, (36, "rank_within_parent"): GROUPING,
             (70, "lochierarchy"): GROUPING, (70, "rank_within_parent"): GROUPING,
             (86, "lochierarchy"): GROUPING, (86, "rank_within_parent"): GROUPING}


def read_schema() -> dict[str, dict[str, str]]:
    """The tables of TPC-DS, as sqlglot's tests have them."""
    tree = ast.parse((SQLGLOT / "tests/helpers.py").read_text())
    return next(ast.literal_eval(part.value) for part in tree.body
                if isinstance(part, ast.Assign)
                and getattr(part.targets[0], "id", "") == "TPCDS_SCHEMA")


def read_queries() -> list[str]:
    """The queries; each is followed by what sqlglot's optimizer makes of it."""
    text = (SQLGLOT / "tests/fixtures/optimizer/tpc-ds/tpc-ds.sql").read_text()
    text = re.sub(r"^(--|#).*\n", "", text, flags=re.MULTILINE)
    return [statement.strip() for statement in text.split(";")[:-1:2]]


def type_of(column: str, written: str) -> str:
    """Our type of a column: its days are texts there, and compared with days."""
    if column.endswith("_date"):
        return "date"
    return {"bigint": "long", "int": "long"}.get(written, written)


def theirs(query: str, column: str, schema: dict) -> set[str]:
    """What the values of a column are made of, as sqlglot sees it."""
    leaves = [node for node in lineage(column, query, schema=schema).walk()
              if not node.downstream and isinstance(node.expression, exp.Table)]
    return {f"{node.expression.name}.{node.name.split('.')[-1].strip(chr(34))}".lower()
            for node in leaves}


def compare(lister: str, number: int, query: str, schema: dict) -> tuple[int, dict, list]:
    """How many columns were compared, those that differ, and what cannot be."""
    names = [select.alias_or_name for select in
             qualify(parse_one(query), schema=schema).selects]
    tables = {table: {column: type_of(column, written) for column, written in columns.items()}
              for table, columns in schema.items()}
    numbered = ", ".join(f"c{i}" for i in range(len(names)))
    (told,) = ask(lister, tables, [f"SELECT * FROM ({query}) AS q({numbered})"])
    faults = []
    if told["incomplete_because"]:
        faults.append(f"Q{number}: {told['incomplete_because']}")
    different = {}
    for i, name in enumerate(names):
        if name in names[:i]:  # sqlglot finds columns by their names
            continue
        edges = told["columns"][f"c{i}"]
        ours = {column for column, kinds in edges.items() if FLOWS & set(kinds)}
        windows = {column for column, kinds in edges.items() if "window" in kinds}
        others = theirs(query, name, schema)
        if ours - others or others - ours - windows:
            different[number, name] = f"ours alone {sorted(ours - others)}, theirs alone " \
                                      f"{sorted(others - ours)}"
    return len(set(names)), different, faults


def main() -> None:
    """Adds the case and runs it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("lister")
    suite = Suite("lineage.second_opinion", parser)
    lister = str(pathlib.Path(suite.options.lister).resolve())

    @suite.case("the queries of TPC-DS")
    def _(_folder: pathlib.Path) -> None:
        schema, queries = read_schema(), read_queries()
        if len(queries) != 99:
            raise Failure(f"{len(queries)} queries, not 99")
        count, different, faults = 0, {}, []
        for number, query in enumerate(queries, 1):
            some = compare(lister, number, query, schema)
            count += some[0]
            different |= some[1]
            faults += some[2]
        faults += [f"Q{number} {column}: {what}" for (number, column), what in
                   different.items() if (number, column) not in DIFFERENT]
        faults += [f"Q{number} {column}: is the same" for number, column in DIFFERENT
                   if (number, column) not in different]
        if faults:
            raise Failure("\n  ".join(faults))
        print(f"      {len(queries)} queries, {count} columns, {len(different)} told otherwise")

    suite.run()


if __name__ == "__main__":
    main()
