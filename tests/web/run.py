#!/usr/bin/env python3
"""The web view in a real browser: each *_case.mjs beside this, in Chromium.

Behind it is fixture_server.py, which has the API of `lakemill serve`. With
LAKEMILL_WEB_SCENE in the environment (see browser.mjs) the cases go against another server.
Screenshots are left in build/screenshots.
"""
import contextlib
import json
import os
import pathlib
import shutil
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from harness import environment  # pylint: disable=wrong-import-position
from harness.process import Failure  # pylint: disable=wrong-import-position
from harness.suite import Suite  # pylint: disable=wrong-import-position

HERE = pathlib.Path(__file__).resolve().parent
ROOT = environment.ROOT
BUILD_WEB = ROOT / "tools/build_web.py"
SHOTS = ROOT / "build/screenshots"
SCENE = {"succeeds": "orders", "fails": "payments", "slow": "inventory",
         "fault": "is not a DECIMAL"}
LARGE = 500  # pipelines of ten nodes
CASE_SECONDS = 600


def build_web(*args: str) -> str:
    """The output of tools/build_web.py."""
    done = subprocess.run([sys.executable, BUILD_WEB, *args], capture_output=True, text=True,
                          check=False)
    if done.returncode != 0:
        raise Failure(f"tools/build_web.py {' '.join(args)}:\n{done.stdout}{done.stderr}")
    return done.stdout.strip()


@contextlib.contextmanager
def fixture_server(*args: str):
    """A server of a made-up project; yields its address."""
    command = [sys.executable, str(HERE / "fixture_server.py"), *args]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        try:
            address = server.stdout.readline().strip()
            if not address:
                raise Failure("the fixture server did not start")
            yield address
        finally:
            server.terminate()


def run_node(name: str, variables: dict[str, str]) -> None:
    """Runs one file of cases; shows what it said if one failed, or what it measured."""
    done = subprocess.run(["node", "--test-reporter=spec", str(HERE / f"{name}_case.mjs")],
                          text=True, check=False, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, env={**os.environ, **variables},
                          timeout=CASE_SECONDS)
    if done.returncode != 0:
        raise Failure(f"{name}_case.mjs:\n{done.stdout}")
    for line in done.stdout.splitlines():
        if line.startswith("measured: "):
            print(f"      {line}")


def run_in_browser(name: str, scene: dict) -> None:
    """Runs one file of cases in Chromium."""
    run_node(name, {"LAKEMILL_WEB_SCENE": json.dumps(scene),
                    "LAKEMILL_WEB_SHOTS": str(SHOTS),
                    "LAKEMILL_WEB_BROWSER": shutil.which("chromium"),
                    "LAKEMILL_WEB_MODULES": build_web("--modules", str(HERE))})


def check_sources() -> None:
    """What the policy would refuse, or would be a way round it, is not written."""
    shell = (ROOT / "web/dist/index.html").read_text()
    if "style=" in shell or "<style" in shell or "onload" in shell:
        raise Failure("web/dist/index.html has styles or scripts in it")
    for path in sorted((ROOT / "web/src").rglob("*.ts*")):
        for word in ("dangerouslySetInnerHTML", "innerHTML", "eval(", "new Function"):
            if word in path.read_text():
                raise Failure(f"{path.relative_to(ROOT)}: {word}")
    for lock in (ROOT / "web/package-lock.json", HERE / "package-lock.json"):
        if '"resolved"' in lock.read_text():
            raise Failure(f"{lock.relative_to(ROOT)} names a registry")


def main() -> None:
    """Runs all cases."""
    missing = [program for program in ("node", "npm", "chromium") if not shutil.which(program)]
    if missing:
        if os.environ.get("LAKEMILL_SKIP_TEST_ENV") == "1":
            environment.skip(f"there is no {', '.join(missing)}")
        sys.exit(f"there is no {', '.join(missing)}: run tools/install.sh test")
    suite = Suite("web")
    given = os.environ.get("LAKEMILL_WEB_SCENE")

    @suite.case("web/dist is what web/ builds to")
    def _(_folder: pathlib.Path) -> None:
        build_web("--check")

    @suite.case("the sources keep to the content-security policy")
    def _(_folder: pathlib.Path) -> None:
        check_sources()

    @suite.case("units")
    def _(_folder: pathlib.Path) -> None:
        run_node("units", {"LAKEMILL_WEB_PACKAGES": build_web("--modules", str(ROOT / "web"))})

    def add(name: str, *server_args: str) -> None:
        def case(_folder: pathlib.Path) -> None:
            if given:
                run_in_browser(name, json.loads(given))
                return
            with fixture_server(*server_args) as address:
                run_in_browser(name, {**SCENE, "url": address})
        suite.add(name, case)

    add("pages")
    add("live")
    if not given:
        add("graph", "--pipelines", str(LARGE))
    suite.run()


if __name__ == "__main__":
    main()
