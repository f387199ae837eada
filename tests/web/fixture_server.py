#!/usr/bin/env python3
"""Serves web/dist and a made-up project with the API of `lakemill serve`, version 1.

What it shows changes as a real project does: runs that are asked for go through their
nodes, `payments` fails, `inventory` takes long, `web_events` runs by itself.
usage: fixture_server.py [--port N] [--dist FOLDER] [--pipelines N]
Prints its address, then serves until it is ended. --pipelines makes a graph of N
pipelines with ten nodes each.
"""
import argparse
import http.server
import json
import mimetypes
import pathlib
import queue
import socketserver
import sys
import urllib.parse

from fixture_project import Project, Refusal

ROOT = pathlib.Path(__file__).resolve().parents[2]
POLICY = ("default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
          "connect-src 'self'; worker-src 'self'; font-src 'self'; base-uri 'none'; "
          "form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'")
HEADERS = {"Content-Security-Policy": POLICY, "X-Content-Type-Options": "nosniff",
           "Referrer-Policy": "no-referrer", "Cross-Origin-Opener-Policy": "same-origin",
           "Cross-Origin-Resource-Policy": "same-origin"}
BEAT_SECONDS = 15


class Handler(http.server.BaseHTTPRequestHandler):
    """One request of a browser."""
    protocol_version = "HTTP/1.1"
    server: "Server"

    def log_message(self, *_args) -> None:
        """Says nothing: the tests' own output is what is read."""

    def do_GET(self) -> None:
        """Answers from the API, the assets, or with the shell."""
        path, query = self.target()
        try:
            if path == "/api/v1/events/stream":
                self.stream()
            elif path.startswith("/api/v1/"):
                self.answer(200, self.read(path.removeprefix("/api/v1/").split("/"), query))
            elif path == "/healthz":
                self.answer(200, {"status": "ok"})
            elif path == "/readyz":
                self.answer(200, self.project().ready())
            else:
                self.file(path)
        except Refusal as refusal:
            self.refuse(refusal)

    def do_POST(self) -> None:
        """Does what is asked for."""
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        path, _ = self.target()
        try:
            if self.headers.get("X-Requested-With") != "lakemill":
                raise Refusal(403, "Forbidden", "the header X-Requested-With is missing")
            words = path.removeprefix("/api/v1/").split("/")
            self.answer(*self.write(words, json.loads(body or b"{}")))
        except Refusal as refusal:
            self.refuse(refusal)

    def project(self) -> Project:
        return self.server.project

    def target(self) -> tuple[str, dict[str, str]]:
        parts = urllib.parse.urlsplit(self.path)
        query = {name: values[-1]
                 for name, values in urllib.parse.parse_qs(parts.query).items()}
        return urllib.parse.unquote(parts.path), query

    def read(self, words: list[str], query: dict[str, str]) -> dict:
        project = self.project()
        match words:
            case ["overview"]:
                return project.overview()
            case ["pipelines"]:
                return {"pipelines": project.pipelines()}
            case ["pipelines", name]:
                return project.pipeline(name)
            case ["pipelines", name, "graph"]:
                return project.pipeline_graph(name)
            case ["graph"]:
                return project.graph()
            case ["runs"]:
                return {"runs": project.runs(query)}
            case ["runs", run_id]:
                return project.run_detail(run_id)
            case ["events"]:
                return {"events": project.find_events(query)}
        raise Refusal(404, "Not Found", "there is no such route")

    def write(self, words: list[str], body: dict) -> tuple[int, dict]:
        project = self.project()
        match words:
            case ["pipelines", name, "runs"]:
                key = self.headers.get("Idempotency-Key")
                return 202, project.ask_for_run(name, body, key)
            case ["pipelines", name, "pause" | "resume" as verb]:
                return 200, project.set_paused(name, verb == "pause")
            case ["runs", run_id, "cancel"]:
                return 202, project.cancel(run_id)
            case ["runs", run_id, "retry"]:
                return 202, project.retry(run_id, body.get("from", "FAILED"))
        raise Refusal(404, "Not Found", "there is no such route")

    def stream(self) -> None:
        told = self.project().follow(self.headers.get("Last-Event-ID"))
        self.send_response(200)
        self.more_headers("text/event-stream")
        self.send_header("Connection", "close")
        self.end_headers()
        try:
            self.wfile.write(b": hello\n\n")
            while True:
                try:
                    frame = told.get(timeout=BEAT_SECONDS)
                except queue.Empty:
                    frame = ": beat\n\n"
                self.wfile.write(frame.encode())
        except OSError:
            pass  # the viewer went away
        finally:
            self.project().unfollow(told)
            self.close_connection = True

    def file(self, path: str) -> None:
        dist = self.server.dist
        found = dist / path.lstrip("/")
        is_asset = path.startswith("/assets/") and found.is_file()
        if path.startswith("/assets/") and not is_asset:
            raise Refusal(404, "Not Found", "there is no such file")
        content = (found if is_asset else dist / "index.html").read_bytes()
        kind = mimetypes.guess_type(path)[0] if is_asset else "text/html; charset=utf-8"
        self.send(200, kind or "application/octet-stream", content)

    def answer(self, status: int, value: dict) -> None:
        self.send(status, "application/json", json.dumps(value).encode())

    def refuse(self, refusal: Refusal) -> None:
        problem = {"type": "about:blank", "status": refusal.status, "title": refusal.title,
                   "detail": refusal.detail, "code": refusal.title.lower().replace(" ", "_")}
        self.send(refusal.status, "application/problem+json", json.dumps(problem).encode())

    def more_headers(self, kind: str) -> None:
        self.send_header("Content-Type", kind)
        self.send_header("Cache-Control", "no-store")
        for name, value in HEADERS.items():
            self.send_header(name, value)

    def send(self, status: int, kind: str, content: bytes) -> None:
        self.send_response(status)
        self.more_headers(kind)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


class Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
    """A thread for each connection; enough for one browser."""
    daemon_threads = True
    request_queue_size = 64

    def __init__(self, port: int, dist: pathlib.Path, project: Project):
        self.dist = dist
        self.project = project
        super().__init__(("127.0.0.1", port), Handler)

    def handle_error(self, request, client_address) -> None:
        """A browser that went away in the middle is no fault; anything else is told."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


def main() -> None:
    """Serves until it is ended."""
    parser = argparse.ArgumentParser(description="a made-up project behind the real API")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--dist", type=pathlib.Path, default=ROOT / "web/dist")
    parser.add_argument("--pipelines", type=int, default=0)
    options = parser.parse_args()
    project = Project(options.pipelines)
    server = Server(options.port, options.dist.resolve(), project)
    print(f"http://127.0.0.1:{server.server_address[1]}", flush=True)
    project.start()
    server.serve_forever()


if __name__ == "__main__":
    main()
