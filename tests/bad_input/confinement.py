"""What is outside the project, and an event log that was tampered with."""
import pathlib
import shutil

import pyarrow.parquet

from feeding import pipeline, refuse, suite
from harness.process import Failure, lakemill, must, write_files


# --- confinement ---------------------------------------------------------------------

def outside_case(name: str, source: str = "{data: {x: [1]}}", sink: str = "{path: ./t, format: DELTA}",
                 expr: str = "", prepare=None) -> None:
    @suite.case(f"outside the roots: {name}")
    def outside(folder):
        project = folder / "project"
        write_files(folder, {"secret.csv": "x\nTOPSECRET\n", "other/a.csv": "x\nTOPSECRET\n",
                             "project/in.csv": "x\n1\n"})
        if prepare:
            prepare(folder, project)
        write_files(project, {"p.yaml": pipeline(
            source.replace("@", str(folder)), sink.replace("@", str(folder)),
            expr.replace("@", str(folder)))})
        text = refuse(project, "run", "p.yaml", code=(1, 2))
        if "TOPSECRET" in text:
            raise Failure(f"shows what it must not read: {text}")
        written = [p for p in folder.rglob("_delta_log") if project not in p.parents]
        if written or (project / "t/_delta_log").exists():
            raise Failure(f"a table appeared: {written}")


def link(folder: pathlib.Path, project: pathlib.Path) -> None:
    (project / "link.csv").symlink_to(folder / "secret.csv")
    (project / "linked").symlink_to(folder / "other")
    (project / "held").mkdir()
    (project / "held/link.csv").symlink_to(folder / "secret.csv")


outside_case("a source by ..", "{path: ../secret.csv, format: CSV}")
outside_case("a source by an absolute path", "{path: '@/secret.csv', format: CSV}")
outside_case("a source by a link to a file", "{path: ./link.csv, format: CSV}", prepare=link)
outside_case("a source by a folder that holds a link", "{path: ./held, format: CSV}", prepare=link)
outside_case("a source by a pattern that a link fits", "{path: './held/*.csv', format: CSV}", prepare=link)
outside_case("a source by a link to a folder", "{path: ./linked, format: CSV}", prepare=link)
outside_case("a glob through a link", "{path: './*/a.csv', format: CSV}", prepare=link)
outside_case("a sink by ..", sink="{path: ../t, format: DELTA}")
outside_case("a sink through a link", sink="{path: ./linked/t, format: DELTA}", prepare=link)
outside_case("SQL reads a file", expr="SELECT * FROM read_csv('@/secret.csv')")
outside_case("SQL names a file", expr="SELECT * FROM '@/secret.csv'")
outside_case("SQL reads text", expr="SELECT * FROM read_text('@/secret.csv')")
outside_case("SQL reads bytes", expr="SELECT * FROM read_blob('../secret.csv')")
outside_case("SQL lists files", expr="SELECT * FROM glob('@/*')")
outside_case("SQL reads through a link", expr="SELECT * FROM read_text('link.csv')", prepare=link)
outside_case("SQL reads a table", expr="SELECT * FROM delta_scan('@/other')")
for statement in ("COPY (SELECT 1) TO 'out.csv'", "ATTACH 'x.db' AS x", "SET memory_limit = '1TB'",
                  "INSTALL httpfs", "LOAD httpfs", "PRAGMA enable_profiling", "SELECT 1; SELECT 2",
                  "CREATE TABLE x AS SELECT 1", "SELECT * FROM enable_logging(storage='file')",
                  "SELECT getenv('HOME')", "SELECT * FROM duckdb_secrets()",
                  "CALL pragma_version()", "EXPORT DATABASE 'x'", "VACUUM", "CHECKPOINT"):
    outside_case(f"SQL says {statement}", expr=statement)


@suite.case("a table's log that points outside the roots is not followed")
def log_points_outside(folder):
    project = folder / "project"
    write_files(folder, {"lake/d.csv": "x\n1\n",
                         "lake/p.yaml": pipeline("{path: ./d.csv, format: CSV}")})
    must(lakemill("run", "p.yaml", cwd=folder / "lake"))
    shutil.copytree(folder / "lake/t", project / "s")
    data = next((folder / "lake/t").glob("*.parquet"))
    for log in (project / "s/_delta_log").glob("*.json"):
        log.write_text(log.read_text().replace(f'"path":"{data.name}"', f'"path":"file://{data}"'))
    for file in (project / "s").glob("*.parquet"):
        file.unlink()
    write_files(project, {"p.yaml": pipeline("{path: ./s, format: DELTA}")})
    refuse(project, "run", "p.yaml")


# --- the event log -------------------------------------------------------------------

def tamper_with_events(folder, change) -> None:
    """Writes the events' data files again after `change` was made to their rows."""
    for path in (folder / "_lakemill/events").glob("*.parquet"):
        table = pyarrow.parquet.read_table(path)
        found = change(table.to_pylist())
        pyarrow.parquet.write_table(
            pyarrow.Table.from_pylist(found, schema=table.schema), path)


@suite.case("events that were altered, taken out or put in are found out")
def tampered_events(folder):
    write_files(folder, {"p.yaml": pipeline("{data: {x: [1]}}")})
    must(lakemill("run", "p.yaml", cwd=folder))
    must(lakemill("events", "verify", cwd=folder))
    whole = folder / "_lakemill/events"
    copy = folder / "copy"
    shutil.copytree(whole, copy)

    def altered(rows_):
        rows_[1]["message"] = "nothing happened"
        return rows_

    for change, says in ((altered, "was altered"),
                         (lambda found: found[:1] + found[2:], "taken out"),
                         (lambda found: found[1:], "taken out"),
                         (lambda found: [*found, found[-1]], "twice")):
        shutil.rmtree(whole)
        shutil.copytree(copy, whole)
        must(lakemill("events", "--verify", cwd=folder))
        tamper_with_events(folder, change)
        refuse(folder, "events", "verify", says=("tampered", says))
