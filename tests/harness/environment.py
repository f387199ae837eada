"""Finds the binary, the corpus and the Python environment of the peers.

LAKEMILL_BIN       the binary under test (default: the newest build/*/src/lakemill/cli/lakemill)
LAKEMILL_TEST_ENV  the virtual environment made by tools/test_env.sh
LAKEMILL_SQLGLOT   sqlglot with its tests, as fetched by tools/test_env.sh
LAKEMILL_CORPUS    tables and pipelines that others wrote (default: ../shared/corpus)
LAKEMILL_SKIP_TEST_ENV=1  says that the environment was left out on purpose
"""
import os
import pathlib
import sys

SKIPPED = 77  # what ctest's SKIP_RETURN_CODE names
ROOT = pathlib.Path(__file__).resolve().parents[2]
CACHE = pathlib.Path.home() / ".cache/lakemill"


def skip(reason: str) -> None:
    """Ends the script as skipped."""
    print(f"SKIP: {reason}")
    sys.exit(SKIPPED)


def binary() -> str:
    """The binary under test; ends the script when there is none."""
    named = os.environ.get("LAKEMILL_BIN")
    if named:
        found = [pathlib.Path(named)]
    else:
        found = sorted(ROOT.glob("build/*/src/lakemill/cli/lakemill"),
                       key=lambda path: path.stat().st_mtime, reverse=True)
    if not found or not found[0].is_file():
        sys.exit("no lakemill binary: build it, or name it in LAKEMILL_BIN")
    return str(found[0].resolve())


def corpus_folder() -> pathlib.Path:
    """Where the corpus of other people's tables is, if it is there."""
    return pathlib.Path(os.environ.get("LAKEMILL_CORPUS", ROOT.parent / "shared/corpus"))


def corpus() -> pathlib.Path:
    """The corpus of other people's tables; skips the script where it is absent."""
    folder = corpus_folder()
    if not folder.is_dir():
        skip(f"no corpus at {folder}")
    return folder


def peer_python() -> pathlib.Path | None:
    """The interpreter of the virtual environment with the peers, if it was made."""
    named = os.environ.get("LAKEMILL_TEST_ENV")
    python = (pathlib.Path(named) if named else CACHE / "test-env") / "bin/python"
    return python if python.exists() else None


def enter() -> None:
    """Runs the calling script again in the environment of the peers.

    Skips where that environment was left out on purpose, fails where it is missing.
    """
    if os.environ.get("LAKEMILL_IN_TEST_ENV") == "1":
        return
    python = peer_python()
    if python is None:
        if os.environ.get("LAKEMILL_SKIP_TEST_ENV") == "1":
            skip("the environment of the peers was left out (LAKEMILL_SKIP_TEST_ENV=1)")
        sys.exit("no environment with the peers: run tools/test_env.sh")
    os.environ["LAKEMILL_IN_TEST_ENV"] = "1"
    os.execv(python, [str(python), *sys.argv])


def sqlglot_folder() -> pathlib.Path:
    """sqlglot as source, with its tests; ends the script when it is not there."""
    named = os.environ.get("LAKEMILL_SQLGLOT")
    folder = pathlib.Path(named) if named else CACHE / "sqlglot"
    if not (folder / "tests").is_dir():
        sys.exit(f"no sqlglot at {folder}: run tools/test_env.sh")
    return folder


def delta_jars() -> list[str]:
    """Delta for Spark and what it needs, as fetched by tools/test_env.sh."""
    named = os.environ.get("LAKEMILL_DELTA_JARS")
    folder = pathlib.Path(named) if named else CACHE / "delta-jars"
    return [str(jar) for jar in sorted(folder.glob("*.jar"))
            if jar.name.startswith(("delta-", "antlr4-runtime"))]
