#!/usr/bin/env python3
"""Builds the web view: web/ → web/dist, which is committed and embedded in the binary.

usage: build_web.py [--check | --modules FOLDER]
  (nothing)          builds web/dist anew unless it is of these sources already
  --check            builds elsewhere, and fails where web/dist has other bytes
  --modules FOLDER   prints where the packages of FOLDER's package-lock.json are
Packages and builds are kept in the user's cache folder, as tools/test_env.sh does. Only
packages that a lock file names with their hash are fetched; their scripts are not run.
"""
import argparse
import fcntl
import hashlib
import os
import pathlib
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]
WEB = ROOT / "web"
DIST = WEB / "dist"
CACHE = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache")
PACKAGE_FILES = ("package.json", "package-lock.json", ".npmrc")
NOT_SOURCES = {"dist", "node_modules"}


def hash_of(folder: pathlib.Path, files: list[pathlib.Path]) -> str:
    """A short hash of names and bytes."""
    digest = hashlib.sha256()
    for file in files:
        content = file.read_bytes()
        digest.update(f"{file.relative_to(folder)}\0{len(content)}\0".encode() + content)
    return digest.hexdigest()[:12]


def files_below(folder: pathlib.Path) -> list[pathlib.Path]:
    """All files, in one order."""
    return sorted(path for path in folder.rglob("*") if path.is_file())


def sources() -> list[pathlib.Path]:
    """What the build is made from."""
    return sorted(path for top in WEB.iterdir() if top.name not in NOT_SOURCES
                  for path in (files_below(top) if top.is_dir() else [top]))


def run(command: list[str], folder: pathlib.Path) -> None:
    """Runs it; its output is shown only if it fails."""
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"{' '.join(command)} failed:\n{done.stdout}{done.stderr}")


def packages_of(folder: pathlib.Path) -> pathlib.Path:
    """A folder of the cache that has the packages of `folder` as node_modules."""
    if shutil.which("npm") is None:
        sys.exit("npm is missing; run tools/install.sh test")
    version = subprocess.run(["node", "--version"], capture_output=True, check=True).stdout
    digest = hash_of(folder, [folder / name for name in PACKAGE_FILES])
    major = version.decode().split(".", maxsplit=1)[0]
    place = CACHE / "lakemill" / f"{folder.name}-packages-{major}-{digest}"
    if not (place / ".complete").exists():
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir(parents=True)
        for name in PACKAGE_FILES:
            shutil.copy(folder / name, place)
        print(f"fetching the packages of {folder.relative_to(ROOT)}", file=sys.stderr)
        run(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"], place)
        (place / ".complete").touch()
    return place


def build(place: pathlib.Path) -> pathlib.Path:
    """Builds a copy of the sources beside their packages; the folder of the result."""
    for old in place.iterdir():
        if old.name not in {"node_modules", ".complete"}:
            shutil.rmtree(old) if old.is_dir() else old.unlink()
    for source in sources():
        target = place / source.relative_to(WEB)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(source, target)
    run(["npm", "run", "--silent", "build"], place)
    return place / "dist"


def differences(made: pathlib.Path) -> list[str]:
    """Files of the result that web/dist lacks, has more of, or has otherwise."""
    names = {path.relative_to(made) for path in files_below(made)}
    kept = {path.relative_to(DIST) for path in files_below(DIST)}
    return sorted([f"{name}: is missing" for name in names - kept]
                  + [f"{name}: is not built any more" for name in kept - names]
                  + [f"{name}: has other bytes" for name in names & kept
                     if (made / name).read_bytes() != (DIST / name).read_bytes()])


def replace_dist(made: pathlib.Path) -> None:
    """Puts the result in the place of web/dist."""
    shutil.rmtree(DIST, ignore_errors=True)
    shutil.copytree(made, DIST)
    size = sum(path.stat().st_size for path in files_below(DIST))
    print(f"web/dist: {len(files_below(DIST))} files, {size / 1000:.0f} kB")


def main() -> int:
    """Does what the command line says."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--modules", type=pathlib.Path)
    options = parser.parse_args()
    (CACHE / "lakemill").mkdir(parents=True, exist_ok=True)
    with open(CACHE / "lakemill/build_web.lock", "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if options.modules:
            print(packages_of(options.modules.resolve()) / "node_modules")
            return 0
        # Of which sources and which result the last build was, so that it is not repeated.
        stamp = CACHE / "lakemill" / f"web-built-{hash_of(WEB, sources())}"
        if not options.check and DIST.is_dir() and stamp.exists() \
                and stamp.read_text() == hash_of(DIST, files_below(DIST)):
            print("web/dist is of these sources")
            return 0
        made = build(packages_of(WEB))
        if options.check:
            found = differences(made)
            print("\n".join(found) or "web/dist is what web/ builds to")
            return 1 if found else 0
        replace_dist(made)
        stamp.write_text(hash_of(DIST, files_below(DIST)))
        return 0


if __name__ == "__main__":
    sys.exit(main())
