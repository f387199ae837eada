"""Runs named cases one after another and says how each ended."""
import argparse
import pathlib
import shutil
import sys
import tempfile
import time
import traceback
from collections.abc import Callable

from harness.process import Failure


class SkipCase(Exception):
    """A case that cannot be tried on this machine, with the reason."""


class Suite:
    """Collects cases (functions of a fresh folder), then runs them.

    Command line: `--only PART` runs the cases whose name holds PART, `--keep` leaves
    their folders, `--list` names them.
    """

    def __init__(self, name: str, parser: argparse.ArgumentParser | None = None):
        self.name = name
        self.cases: list[tuple[str, Callable[[pathlib.Path], None]]] = []
        parser = parser or argparse.ArgumentParser(description=name)
        parser.add_argument("--only", action="append", default=[])
        parser.add_argument("--keep", action="store_true")
        parser.add_argument("--list", action="store_true")
        self.options = parser.parse_args()

    def case(self, name: str) -> Callable:
        """Decorator: adds the function as a case."""
        def add(function: Callable[[pathlib.Path], None]) -> Callable:
            self.cases.append((name, function))
            return function
        return add

    def add(self, name: str, function: Callable[[pathlib.Path], None]) -> None:
        """Adds `function` as a case."""
        self.cases.append((name, function))

    def run(self) -> None:
        """Runs all cases and ends the process: 0 if all passed, else 1."""
        chosen = [(name, function) for name, function in self.cases
                  if not self.options.only or any(o in name for o in self.options.only)]
        if self.options.list:
            print("\n".join(name for name, _ in chosen))
            sys.exit(0)
        failed: list[str] = []
        skipped = 0
        for name, function in chosen:
            folder = pathlib.Path(tempfile.mkdtemp(prefix="lakemill-")).resolve()
            begin = time.monotonic()
            try:
                function(folder)
                print(f"ok    {name} ({time.monotonic() - begin:.1f} s)", flush=True)
            except SkipCase as reason:
                skipped += 1
                print(f"skip  {name}: {reason}", flush=True)
            except Failure as failure:
                failed.append(name)
                print(f"FAIL  {name}\n  {failure}", flush=True)
            except Exception:  # a case that breaks is a failed case, not the end
                failed.append(name)
                print(f"FAIL  {name}\n{traceback.format_exc()}", flush=True)
            finally:
                if self.options.keep:
                    print(f"      {folder}")
                else:
                    shutil.rmtree(folder, ignore_errors=True)
        passed = len(chosen) - len(failed) - skipped
        print(f"{self.name}: {passed} passed, {len(failed)} failed, {skipped} skipped")
        if failed:
            print("failed:\n  " + "\n  ".join(failed))
        sys.exit(1 if failed or not chosen else 0)
