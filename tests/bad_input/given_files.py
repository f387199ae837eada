"""Files of the pipeline, files that are read, and SQL over them."""
import os
import time

from feeding import content, pipeline, refuse, suite, unchanged, versions
from harness.process import Failure, lakemill, must, rows, write_files


# --- files of the pipeline -----------------------------------------------------------

@suite.case("malformed YAML names its line")
def malformed(folder):
    write_files(folder, {"p.yaml": "name: p\nnodes:\n- name: a\n  sources: [{path: x\n  sinks: []\n"})
    for command in ("validate", "run", "plan"):
        refuse(folder, command, "p.yaml", code=2, says=("p.yaml:",))


@suite.case("a tab, a binary file, an empty file and a list are no pipeline")
def not_a_pipeline(folder):
    write_files(folder, {"tab.yaml": "name: p\nnodes:\n\t- name: a\n",
                         "binary.yaml": bytes(range(256)), "empty.yaml": "",
                         "list.yaml": "- 1\n- 2\n", "latin.yaml": b"name: caf\xe9\nnodes: []\n"})
    for name in ("tab", "binary", "empty", "list", "latin"):
        refuse(folder, "validate", f"{name}.yaml", code=2, says=(f"{name}.yaml",))


@suite.case("anchors do not expand without bound")
def bombs(folder):
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 12)]
    write_files(folder, {"p.yaml": "name: p\nvariables:\n" +
                         "".join(f"  {line}\n" for line in lines) + "nodes: []\n"})
    begin = time.monotonic()
    refuse(folder, "validate", "p.yaml", code=2, says=("p.yaml",))
    if time.monotonic() - begin > 10:
        raise Failure("took longer than 10 s")


@suite.case("circular includes name the chain")
def circular_includes(folder):
    write_files(folder, {"p.yaml": "name: p\nnodes: !use a.yaml\n",
                         "a.yaml": "- !use b.yaml\n", "b.yaml": "x: !use a.yaml\n"})
    refuse(folder, "validate", "p.yaml", code=2, says=("a.yaml", "b.yaml"))


@suite.case("circular nodes are named")
def circular_nodes(folder):
    write_files(folder, {"p.yaml": """name: p
nodes:
- {name: first, sources: [{node_name: third}], sinks: [{path: ./a, format: DELTA}]}
- {name: second, sources: [{node_name: first}], sinks: [{path: ./b, format: DELTA}]}
- {name: third, sources: [{node_name: second}], sinks: [{path: ./c, format: DELTA}]}
- {name: self, sources: [{node_name: self}], sinks: [{path: ./d, format: DELTA}]}
"""})
    refuse(folder, "run", "p.yaml", code=2, says=("first", "second", "third", "self"))


@suite.case("unknown keys: one typo, one error")
def unknown_keys(folder):
    write_files(folder, {"p.yaml": "name: p\nnodes:\n- name: a\n  sources: [{data: {x: [1]}}]\n"
                                   "  transfomer: {nodes: []}\n  sinks: [{path: ./a, format: DELTA}]\n"})
    text = refuse(folder, "validate", "p.yaml", code=2, says=("p.yaml:5:3", "transformer"))
    if text.count("p.yaml:") > 2:
        raise Failure(f"more than one error for one typo:\n{text}")


# --- files that are read -------------------------------------------------------------

@suite.case("a missing file is named")
def missing_file(folder):
    write_files(folder, {"p.yaml": pipeline("{path: ./gone.csv, format: CSV}")})
    refuse(folder, "run", "p.yaml", says=("gone.csv",))
    if (folder / "t/_delta_log").exists():
        raise Failure("a table appeared")


def bad_file_case(name: str, good: str, bad: bytes | str, says: tuple, extra: str = "",
                  suffix: str = "csv") -> None:
    """A stream of files, the second of which cannot be read: its name, maybe its line."""
    @suite.case(name)
    def bad_file(folder):
        kind = {"csv": "CSV", "jsonl": "JSONL", "json": "JSON", "parquet": "PARQUET"}[suffix]
        write_files(folder, {
            "p.yaml": pipeline(f"{{path: ./in, format: {kind}, as_stream: true{extra}}}"),
            f"in/1.{suffix}": good})
        must(lakemill("run", "p.yaml", cwd=folder))
        before = content(folder)
        write_files(folder, {f"in/2.{suffix}": bad})
        refuse(folder, "run", "p.yaml", says=(f"2.{suffix}", *says))
        unchanged(folder, before)
        if versions(folder) != 1:
            raise Failure(f"{versions(folder)} versions")
        # mended under the same name, it is read
        (folder / f"in/2.{suffix}").unlink()
        write_files(folder, {f"in/3.{suffix}": good})
        # the plan of batch 1 still names file 2: a later fault must say so, not lose rows
        lakemill("run", "p.yaml", cwd=folder)
        if len(content(folder)) not in (len(before), 2 * len(before)):
            raise Failure(f"rows were lost or doubled: {content(folder)}")


bad_file_case("a ragged CSV names file and line", "a,b\n1,2\n", "a,b\n3,4\n5\n6,7\n", ("3",))
bad_file_case("a CSV with too many fields names file and line", "a,b\n1,2\n",
              "a,b\n3,4\n5,6,7\n", ("3",))
bad_file_case("a CSV in another encoding is not guessed", "a,b\n1,2\n",
              b"a,b\n3,caf\xe9\n", ("line 2", "not UTF-8", "latin-1"))
bad_file_case("a CSV in UTF-16 is not read as garbage", "a,b\n1,2\n",
              "a,b\n3,4\n".encode("utf-16"), ("line 1", "utf-16"))
bad_file_case("an unclosed quote names file and line", "a,b\n1,2\n", 'a,b\n3,"4\n5,6\n',
              ("line 2", "a quote is opened here and never closed"))
bad_file_case("a broken JSON line names file and line", '{"a": 1}\n',
              '{"a": 2}\n{"a": \n', ("2",), suffix="jsonl")


@suite.case("a truncated Parquet file is named")
def truncated_parquet(folder):
    write_files(folder, {"a.csv": "x\n" + "\n".join(map(str, range(1000))) + "\n"})
    good = must(lakemill("query", "SELECT * FROM 'a.csv'", "-o", "parquet", cwd=folder)).out
    write_files(folder, {"in/1.parquet": good,
                         "p.yaml": pipeline("{path: ./in, format: PARQUET, as_stream: true}")})
    must(lakemill("run", "p.yaml", cwd=folder))
    before = content(folder)
    write_files(folder, {"in/2.parquet": good[:len(good) // 2]})
    refuse(folder, "run", "p.yaml", says=("2.parquet",))
    unchanged(folder, before)


@suite.case("JSON that changes its schema between files: united, or refused with the column")
def json_changes(folder):
    write_files(folder, {
        "p.yaml": pipeline("{path: ./in, format: JSONL, as_stream: true}"),
        "in/1.jsonl": '{"id": 1, "v": {"x": 1}}\n'})
    must(lakemill("run", "p.yaml", cwd=folder))
    write_files(folder, {"in/2.jsonl": '{"id": 2, "v": {"x": 2, "y": "new"}, "w": [1]}\n'})
    must(lakemill("run", "p.yaml", cwd=folder))
    got = rows("SELECT id, v.x AS x, v.y AS y, w FROM delta_scan('t') ORDER BY id", folder)
    if got != [[1, 1, None, None], [2, 2, "new", [1]]]:
        raise Failure(f"nested columns were not united: {got}")
    before = content(folder)
    write_files(folder, {"in/3.jsonl": '{"id": 3, "v": "now a string"}\n'})
    refuse(folder, "run", "p.yaml", says=("v",))
    unchanged(folder, before)


@suite.case("an empty folder is named or nothing to do, its files are read when they come")
def empty_folder(folder):
    (folder / "in").mkdir()
    write_files(folder, {"p.yaml": pipeline("{path: ./in, format: CSV, as_stream: true}")})
    outcome = lakemill("run", "p.yaml", cwd=folder)
    if outcome.code != 0:
        must(outcome, 1)
        if str(folder / "in") not in outcome.text:
            raise Failure(f"does not name the folder\n  {outcome.describe()}")
    write_files(folder, {"in/1.csv": "x\n1\n"})
    must(lakemill("run", "p.yaml", cwd=folder))
    if content(folder) != [["1"]]:
        raise Failure(str(content(folder)))


@suite.case("empty files, and files with a header only")
def empty_files(folder):
    write_files(folder, {"in/1.csv": "x\n1\n", "in/2.csv": "x\n", "in/3.csv": "",
                         "p.yaml": pipeline("{path: ./in, format: CSV, as_stream: true}")})
    must(lakemill("run", "p.yaml", cwd=folder))
    if content(folder) != [["1"]]:
        raise Failure(str(content(folder)))


@suite.case("a file whose name is not UTF-8 is named, and nothing is noted of it")
def name_of_bytes(folder):
    write_files(folder, {"in/ok.csv": "x\n1\n", "p.yaml": pipeline("{path: ./in, format: CSV, as_stream: true}")})
    odd = bytes(folder / "in") + b"/caf\xe9.csv"
    with open(odd, "wb") as file:
        file.write(b"x\n2\n")
    for _ in range(2):
        refuse(folder, "run", "p.yaml", says=("caf\\xe9.csv has a name that is not UTF-8; rename it",))
    noted = [path for path in folder.rglob("arrivals/*/*.json")]
    if noted:
        raise Failure(f"arrivals were noted: {noted}")
    os.rename(odd, folder / "in/caf.csv")
    must(lakemill("run", "p.yaml", cwd=folder))
    if sorted(content(folder)) != [["1"], ["2"]]:
        raise Failure(str(content(folder)))


@suite.case("a column that disappears is named where SQL needs it")
def disappearing_column(folder):
    write_files(folder, {
        "in/1.csv": "a,b\n1,2\n",
        "p.yaml": pipeline("{path: ./in, format: CSV, as_stream: true}",
                           expr="SELECT a, b FROM {df}")})
    must(lakemill("run", "p.yaml", cwd=folder))
    before = content(folder)
    write_files(folder, {"in/2.csv": "a\n3\n"})
    refuse(folder, "run", "p.yaml", says=("b",))
    unchanged(folder, before)


@suite.case("a column that disappears under EVOLVE becomes null")
def disappearing_column_evolves(folder):
    write_files(folder, {"in/1.csv": "a,b\n1,2\n",
                         "p.yaml": pipeline("{path: ./in, format: CSV, as_stream: true}")})
    must(lakemill("run", "p.yaml", cwd=folder))
    write_files(folder, {"in/2.csv": "a\n3\n"})
    must(lakemill("run", "p.yaml", cwd=folder))
    if rows("SELECT a, b FROM delta_scan('t') ORDER BY a", folder) != [["1", "2"], ["3", None]]:
        raise Failure(str(content(folder)))


@suite.case("a type that no longer fits fails the batch with its column")
def type_no_longer_fits(folder):
    write_files(folder, {"in/1.jsonl": '{"id": 1, "v": 5}\n',
                         "p.yaml": pipeline("{path: ./in, format: JSONL, as_stream: true}")})
    must(lakemill("run", "p.yaml", cwd=folder))
    before = content(folder)
    write_files(folder, {"in/2.jsonl": '{"id": 2, "v": "five"}\n'})
    refuse(folder, "run", "p.yaml", says=("v",))
    unchanged(folder, before)


@suite.case("a value that does not fit a declared type names it")
def declared_type(folder):
    write_files(folder, {"d.csv": "id,v\n1,10\n2,ten\n",
                         "p.yaml": pipeline("{path: ./d.csv, format: CSV, schema: {id: int, v: int}}")})
    refuse(folder, "run", "p.yaml", says=("ten", "d.csv"))


# --- transforms ----------------------------------------------------------------------

def failing_sql(name: str, expr: str, says: tuple) -> None:
    @suite.case(name)
    def failing(folder):
        write_files(folder, {
            "p.yaml": pipeline("{path: ./in, format: CSV, as_stream: true}", expr=expr),
            "in/1.csv": "v\n1\n"})
        must(lakemill("run", "p.yaml", cwd=folder))
        before = content(folder)
        write_files(folder, {"in/2.csv": "v\n9223372036854775807\n", "in/3.csv": "v\nabc\n"})
        refuse(folder, "run", "p.yaml", says=("n", *says))
        unchanged(folder, before)


failing_sql("a failing cast names the value and its step", "SELECT v::BIGINT AS v FROM {df}",
            ("abc", "p.yaml:5:"))
failing_sql("integer overflow is an error, never a wrap",
            "SELECT coalesce(try_cast(v AS BIGINT), 0) + 1 AS v FROM {df}", ("verflow", "p.yaml:5:"))


@suite.case("of many steps the one that fails is named")
def failing_step(folder):
    steps = ("  transformer:\n    nodes:\n"
             "    - expr: SELECT *, length(v) AS n FROM {df}\n"
             "    - func_name: with_columns\n"
             "      func_kwargs: {w: \"nw.col('n') * 9223372036854775807\"}\n"
             "    - expr: SELECT * FROM {df}\n")
    text = pipeline("{path: ./in, format: CSV}").replace("  sinks:", steps + "  sinks:")
    write_files(folder, {"p.yaml": text, "in/1.csv": "v\nabc\n"})
    refuse(folder, "run", "p.yaml", says=("verflow", "p.yaml:8:"))


@suite.case("a sum that is too large for a table's integers is an error")
def sum_overflow(folder):
    write_files(folder, {"p.yaml": pipeline(
        "{data: {x: [9223372036854775807, 1]}}", expr="SELECT sum(x) AS s FROM {df}")})
    refuse(folder, "run", "p.yaml", says=("s",))
    if (folder / "t/_delta_log").exists():
        raise Failure("a table appeared")


@suite.case("conflicting changes of one key without an order fail")
def conflicting_changes(folder):
    merge = "{path: ./t, format: DELTA, mode: MERGE}"
    up = "name: up\nnodes:\n- {name: s, sources: [{data: %s}], sinks: [{path: ./s, format: DELTA}]}\n"
    keys = "  primary_keys: [id]\n"
    write_files(folder, {"up.yaml": up % "{id: [1, 2], v: [a, b]}",
                         "p.yaml": pipeline("{path: ./s, format: DELTA}", merge, extra=keys)})
    must(lakemill("run", "up.yaml", cwd=folder))
    must(lakemill("run", "p.yaml", cwd=folder))
    before = content(folder)
    write_files(folder, {"up.yaml": up % "{id: [1, 1], v: [c, d]}"})
    must(lakemill("run", "up.yaml", cwd=folder))
    refuse(folder, "run", "p.yaml", says=("1",))
    unchanged(folder, before)
