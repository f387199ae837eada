"""A `lakemill serve --dev` process, and requests to it."""
import http.client
import json
import os
import pathlib
import signal
import subprocess
import tempfile
import time

from harness import environment
from harness.process import Failure

PATIENCE = 60  # seconds until what must come is there


class Serve:
    """Serves a project folder on a free port until it is stopped."""

    def __init__(self, folder: pathlib.Path, *args: str, env: dict | None = None):
        self.folder = folder
        self.log = tempfile.TemporaryFile("w+")
        self.process = subprocess.Popen(
            [environment.binary(), "serve", "--dev", "--listen", "127.0.0.1:0", *args],
            cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=self.log, text=True,
            env={**os.environ, "NO_COLOR": "1", "TZ": "UTC", **(env or {})})
        line = self.process.stdout.readline()
        if "http://" not in line:
            self.process.wait()
            raise Failure(f"serve did not start: {line}{self.errors()}")
        self.port = int(line.rsplit(":", 1)[1])
        self.until("ready", lambda: self.ask("GET", "/readyz")[0] == 200)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.kill()

    def errors(self) -> str:
        """What it has printed to standard error so far."""
        self.log.seek(0)
        return self.log.read()

    def ask(self, method: str, path: str, body: dict | bytes | None = None,
            headers: dict | None = None) -> tuple[int, object]:
        """The status and the JSON of the answer."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        try:
            data = json.dumps(body).encode() if isinstance(body, dict) else body
            connection.request(method, path, data, headers or {})
            answer = connection.getresponse()
            text = answer.read()
            return answer.status, json.loads(text) if "json" in answer.headers["Content-Type"] else text
        finally:
            connection.close()

    def get(self, path: str, status: int = 200):
        """The JSON of what is below /api/v1."""
        return self._must("GET", path, None, status, {})

    def post(self, path: str, body: dict | None = None, status: int = 202, **headers: str):
        """The same of a POST."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self._must("POST", path, body or {}, status, named)

    def _must(self, method, path, body, status, headers):
        got, answer = self.ask(method, f"/api/v1{path}", body, headers)
        if got != status:
            raise Failure(f"{method} {path}: {got} instead of {status}: {answer}\n{self.errors()}")
        return answer

    def until(self, what: str, holds):
        """Waits for `holds()` to be true and gives what it gave; the process must live."""
        end = time.monotonic() + PATIENCE
        while True:
            if self.process.poll() is not None:
                raise Failure(f"ended with {self.process.returncode} before {what}:\n{self.errors()}")
            found = holds()
            if found:
                return found
            if time.monotonic() > end:
                raise Failure(f"waited {PATIENCE} s for {what}:\n{self.errors()}")
            time.sleep(0.03)

    def run(self, pipeline: str, body: dict | None = None) -> str:
        """Asks for a run; its id."""
        return self.post(f"/pipelines/{pipeline}/runs", body)["run_id"]

    def ended(self, run_id: str) -> dict:
        """Waits until a run has ended; what is known of it."""
        def look():
            run = self.get(f"/runs/{run_id}")
            return run if run["status"] == "ended" else None
        return self.until(f"the end of run {run_id}", look)

    def stop(self) -> int:
        """As Ctrl-C does; the exit code."""
        self.process.send_signal(signal.SIGINT)
        try:
            return self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.kill()
            raise Failure(f"does not stop:\n{self.errors()}") from None

    def kill(self) -> None:
        """At once."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()


class Followed:
    """What `/events/stream` sends, frame by frame."""

    def __init__(self, serve: Serve, last_id: str = ""):
        self.connection = http.client.HTTPConnection("127.0.0.1", serve.port, timeout=PATIENCE)
        self.connection.request("GET", "/api/v1/events/stream",
                                headers={"Last-Event-ID": last_id} if last_id else {})
        self.answer = self.connection.getresponse()
        if self.answer.status != 200:
            raise Failure(f"no stream: {self.answer.status}")

    def frame(self) -> dict:
        """The next frame: id, event, data."""
        found = {}
        while True:
            line = self.answer.readline().decode()
            if not line:
                raise Failure("the stream ended")
            line = line.rstrip("\n")
            if not line and found:
                return found
            if line and not line.startswith(":"):
                name, _, value = line.partition(": ")
                found[name] = json.loads(value) if name == "data" else value

    def until(self, kind: str, fits) -> dict:
        """The first frame of a kind whose data fits."""
        while True:
            frame = self.frame()
            if frame["event"] == kind and fits(frame["data"]):
                return frame

    def close(self) -> None:
        """Goes away."""
        self.connection.close()
