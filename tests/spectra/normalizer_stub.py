"""A chat-completions server in the test process: it does as it is told, and remembers what it was sent."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

__all__ = ["Received", "StubServer", "completion", "error", "stub_server"]


@dataclass(frozen=True)
class Received:
    """One request as it came over the socket."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> dict[str, Any]:
        return json.loads(self.body)

    @property
    def layout(self) -> str:
        """The first message of the user."""
        return next(each["content"] for each in self.json["messages"] if each["role"] == "user")


Behaviour = Callable[[BaseHTTPRequestHandler, "StubServer"], None]


def send(handler: BaseHTTPRequestHandler, status: int, body: bytes, **headers: str) -> None:
    handler.send_response(status)
    for name, value in headers.items():
        handler.send_header(name.replace("_", "-"), value)
    handler.send_header("Content-Type", "application/json")
    handler.send_header("Content-Length", str(len(body)))
    handler.end_headers()
    handler.wfile.write(body)


def completion(
    content: object, *, finish: str = "stop", usage: tuple[int, int] | None = (700, 150), refusal: str | None = None
) -> Behaviour:
    """Answer with a text, or with an object as JSON."""
    text = content if isinstance(content, str) else json.dumps(content)
    message: dict[str, Any] = {"role": "assistant", "content": text}
    if refusal is not None:
        message = {"role": "assistant", "content": None, "refusal": refusal}
    body: dict[str, Any] = {
        "id": "x",
        "object": "chat.completion",
        "choices": [{"index": 0, "message": message, "finish_reason": finish}],
    }
    if usage is not None:
        body["usage"] = {"prompt_tokens": usage[0], "completion_tokens": usage[1], "total_tokens": sum(usage)}
    return lambda handler, _: send(handler, 200, json.dumps(body).encode())


def error(status: int, message: str = "no", **headers: str) -> Behaviour:
    """Answer with an error."""
    body = json.dumps({"error": {"message": message, "type": "x"}}).encode()
    return lambda handler, _: send(handler, status, body, **headers)


def hang(handler: BaseHTTPRequestHandler, server: StubServer) -> None:
    """Never answer."""
    server.closing.wait(60)


def drip(handler: BaseHTTPRequestHandler, server: StubServer) -> None:
    """Send a byte now and then, so that no single wait is long."""
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100000\r\n\r\n")
    while not server.closing.wait(0.05):
        handler.wfile.write(b" ")
        handler.wfile.flush()


def drip_headers(handler: BaseHTTPRequestHandler, server: StubServer) -> None:
    """Never come to an end of the headers."""
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nX: ")
    while not server.closing.wait(0.05):
        handler.wfile.write(b"x")
        handler.wfile.flush()


def close(handler: BaseHTTPRequestHandler, server: StubServer) -> None:
    """Close the connection without a word."""
    handler.connection.shutdown(socket.SHUT_RDWR)


@dataclass
class StubServer:
    """What the server is to do next, in order, and what it has received."""

    url: str = ""
    behaviours: list[Behaviour] = field(default_factory=list)
    otherwise: Behaviour = field(default_factory=lambda: error(500, "not told what to do"))
    received: list[Received] = field(default_factory=list)
    closing: threading.Event = field(default_factory=threading.Event)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def next(self, request: Received) -> Behaviour:
        with self.lock:
            self.received.append(request)
            return self.behaviours.pop(0) if self.behaviours else self.otherwise


@contextmanager
def stub_server() -> Iterator[StubServer]:
    """Serve on a free port of the loopback device."""
    stub = StubServer()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            behaviour = stub.next(Received(path=self.path, headers=dict(self.headers), body=body))
            try:
                behaviour(self, stub)
            except OSError:
                self.close_connection = True

        def do_CONNECT(self) -> None:
            stub.next(Received(path=self.path, headers=dict(self.headers), body=b""))
            self.send_error(502)

        def log_message(self, format: str, *args: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = False
        request_queue_size = 64

    server = Server(("127.0.0.1", 0), Handler)
    stub.url = f"http://127.0.0.1:{server.server_address[1]}/v1"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield stub
    finally:
        stub.closing.set()
        server.shutdown()
        thread.join()
        server.server_close()
