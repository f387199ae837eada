#!/usr/bin/env python3
"""Bad input: a clear error with its place, nothing lost, nothing half written.

Every case that has a table first fills it, then feeds what is bad, and holds that the
table still reads as before and that no file of it is left in the way of the next run.
"""
import importlib
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from harness import environment  # noqa: E402

try:
    import pyarrow  # noqa: F401
except ImportError:
    environment.enter()

import feeding  # noqa: E402

for cases in ("given_files", "stored_tables", "confinement"):
    importlib.import_module(cases)
feeding.suite.run()
