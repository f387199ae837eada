#!/usr/bin/env python3
"""Fails on an #include that tools/layers.toml does not allow, on a cycle in that table,
on a source file that no CMakeLists.txt lists, and on a leftover FIXME."""
import graphlib
import pathlib
import re
import sys
import tomllib

OURS = re.compile(r'^\s*#\s*include\s+"lakemill/([a-z_]+)/')
THEIRS = re.compile(r'^\s*#\s*include\s+[<"]([^>"]+)[>"]')
LEFTOVER = re.compile(r"\b(FIXME|XXX)\b")


def faults_of_file(path, module, source, table):
    allowed, third_party = table["modules"], table["third_party"]
    relative = path.relative_to(source).as_posix()
    reach = {module, *allowed[module]}
    if path.stem.endswith("_test") and module != "testing":
        reach.add("testing")
    for number, line in enumerate(path.read_text().splitlines(), 1):
        where = f"src/lakemill/{relative}:{number}"
        if LEFTOVER.search(line):
            yield f"{where}: a leftover FIXME"
        ours = OURS.match(line)
        if ours and ours[1] not in reach:
            yield f"{where}: {module} may not include {ours[1]}"
        theirs = THEIRS.match(line)
        if theirs and not ours:
            for header, folders in third_party.items():
                if theirs[1].startswith(header) and not any(
                        relative.startswith(folder) for folder in folders):
                    yield f"{where}: only {', '.join(folders)} may include {theirs[1]}"


def main(root: pathlib.Path) -> int:
    table = tomllib.loads((root / "tools/layers.toml").read_text())
    tuple(graphlib.TopologicalSorter(table["modules"]).static_order())  # raises on a cycle
    source = root / "src/lakemill"
    faults = []
    for folder in sorted(source.iterdir()):
        module = folder.name
        if module not in table["modules"]:
            faults.append(f"src/lakemill/{module}: not in tools/layers.toml")
            continue
        listed = "\n".join(p.read_text() for p in folder.rglob("CMakeLists.txt"))
        for path in sorted(folder.rglob("*.[hc]*")):
            if path.suffix not in {".h", ".cpp"}:
                continue
            faults += faults_of_file(path, module, source, table)
            if path.name not in listed:
                faults.append(f"{path.relative_to(root)}: no CMakeLists.txt lists it")
    print("\n".join(faults) or "layers: clean")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(pathlib.Path(__file__).resolve().parents[1]))
