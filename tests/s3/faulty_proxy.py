"""A proxy in front of an S3 server that loses, breaks and slows down what passes."""
import calendar
import http.client
import http.server
import random
import socket
import ssl
import threading
import time
import urllib.parse

FAULTS = ("drop before", "drop after", "500", "500 after", "503", "truncated", "slow")
SLOW_DOWN = (b'<?xml version="1.0"?><Error><Code>SlowDown</Code>'
             b"<Message>Please reduce your request rate.</Message></Error>")
TOO_SKEWED = (b'<?xml version="1.0"?><Error><Code>RequestTimeTooSkewed</Code>'
              b"<Message>The difference between the request time and the current time is too "
              b"large.</Message></Error>")
HOP = {"connection", "keep-alive", "transfer-encoding", "content-length", "server", "date"}


class FaultyProxy:
    """Passes requests on; each goes wrong with the given probability, by a seeded draw."""

    def __init__(self, target: str, probability: float, faults: tuple[str, ...] = FAULTS,
                 seed: int = 1, clock_ahead: int = 0, certificate: str | None = None):
        self.clock_ahead = clock_ahead  # seconds; requests dated otherwise are refused
        self.target = urllib.parse.urlsplit(target)
        self.probability, self.faults = probability, faults
        self.random = random.Random(seed)
        self.lock = threading.Lock()
        self.counts: dict[str, int] = {}
        self.requests = self.connections = 0
        proxy = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def setup(self):
                super().setup()
                with proxy.lock:
                    proxy.connections += 1

            def log_message(self, *_):
                pass

            def date_time_string(self, timestamp=None):
                return super().date_time_string((timestamp or time.time()) + proxy.clock_ahead)

            def do_any(self):
                proxy.handle(self)

            do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = do_any

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *_):
                pass

        self.server = Server(("127.0.0.1", 0), Handler)
        if certificate:  # a file with the key too
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        scheme = "https" if certificate else "http"
        self.endpoint = f"{scheme}://127.0.0.1:{self.server.server_port}"
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()

    def choose(self) -> str:
        with self.lock:
            self.requests += 1
            if self.random.random() >= self.probability:
                return ""
            fault = self.random.choice(self.faults)
        self.count(fault)
        return fault

    def count(self, fault: str) -> None:
        with self.lock:
            self.counts[fault] = self.counts.get(fault, 0) + 1

    def is_too_early(self, request) -> bool:
        dated = calendar.timegm(time.strptime(request.headers["x-amz-date"], "%Y%m%dT%H%M%SZ"))
        return abs(dated - time.time() - self.clock_ahead) > 900

    def handle(self, request: http.server.BaseHTTPRequestHandler) -> None:
        body = request.rfile.read(int(request.headers.get("Content-Length") or 0))
        fault = self.choose()
        if fault == "drop before":
            self.cut(request)
            return
        if fault in ("500", "503"):
            self.answer(request, int(fault), [], SLOW_DOWN if fault == "503" else b"")
            return
        if self.clock_ahead and self.is_too_early(request):
            self.count("skew")
            self.answer(request, 403, [], TOO_SKEWED)
            return
        status, headers, content = self.forward(request, body)
        if fault == "drop after":
            self.cut(request)
        elif fault == "500 after":
            self.answer(request, 500, [], b"")
        elif fault == "truncated" and len(content) > 1 and request.command == "GET":
            self.answer(request, status, headers, content, stop_at=len(content) // 2)
            self.cut(request)
        else:
            if fault == "slow":
                time.sleep(0.3)
            self.answer(request, status, headers, content)

    def forward(self, request, body: bytes):
        # The host of the request was signed; so it is passed on as it is.
        connection = http.client.HTTPConnection(self.target.hostname, self.target.port, timeout=60)
        connection.putrequest(request.command, request.path, skip_host=True,
                              skip_accept_encoding=True)
        for name, value in request.headers.items():
            if name.lower() != "connection":
                connection.putheader(name, value)
        connection.endheaders(body)
        response = connection.getresponse()
        content = response.read()
        headers = [(n, v) for n, v in response.getheaders() if n.lower() not in HOP]
        if request.command == "HEAD":
            headers.append(("Content-Length", response.getheader("Content-Length") or "0"))
        connection.close()
        return response.status, headers, content

    def answer(self, request, status: int, headers, content: bytes, stop_at: int | None = None):
        request.send_response(status)
        for name, value in headers:
            request.send_header(name, value)
        if request.command != "HEAD" and status != 204:
            request.send_header("Content-Length", str(len(content)))
        elif not any(name == "Content-Length" for name, _ in headers):
            request.send_header("Content-Length", "0")
        request.end_headers()
        if request.command != "HEAD":
            request.wfile.write(content[:stop_at])
            request.wfile.flush()

    def cut(self, request) -> None:
        request.close_connection = True
        try:
            request.connection.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()
