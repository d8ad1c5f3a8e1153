"""A receiver on loopback that keeps what it gets, down to the bytes, and answers by script."""

from __future__ import annotations

import hmac
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from signing import body_signature, library
from support import PATIENCE_SECONDS


@dataclass(frozen=True)
class Reply:
    status: int = 200
    body: bytes = b"ok"
    headers: tuple[tuple[bytes, bytes], ...] = ((b"content-type", b"text/plain"),)


@dataclass(frozen=True)
class Received:
    path: str
    headers: dict[str, str] = field(repr=False)
    body: bytes

    def is_signed_with(self, secret: str) -> bool:
        """By both schemes. The library raises if it is not."""
        library(secret).verify(self.body, self.headers)
        return hmac.compare_digest(self.headers["x-preclinical-signature"], body_signature(self.body, secret))


class RecordingReceiver:
    def __init__(self) -> None:
        self.received: list[Received] = []
        self.usual = Reply()
        self._script: list[Reply] = []
        self._news = threading.Condition()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self._thread.start()
        self.origin = f"http://127.0.0.1:{self._server.server_port}"
        self.url = f"{self.origin}/preclinical"

    def answer_next(self, *replies: Reply) -> None:
        """What it answers to the next requests; after them it answers as usual."""
        with self._news:
            self._script.extend(replies)

    def wait_for(self, count: int) -> list[Received]:
        """Everything received, once that is so much."""
        with self._news:
            enough = self._news.wait_for(lambda: len(self.received) >= count, PATIENCE_SECONDS)
            assert enough, f"{len(self.received)} of {count} requests came"
            return list(self.received)

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(PATIENCE_SECONDS)

    def _take(self, received: Received) -> Reply:
        with self._news:
            self.received.append(received)
            self._news.notify_all()
            return self._script.pop(0) if self._script else self.usual

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        take = self._take

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length", "0")))
                reply = take(Received(self.path, {name.lower(): value for name, value in self.headers.items()}, body))
                head = [b"HTTP/1.1 %d Scripted" % reply.status, b"content-length: %d" % len(reply.body)]
                head += [name + b": " + value for name, value in reply.headers]
                self.wfile.write(b"\r\n".join(head) + b"\r\n\r\n" + reply.body)

            def log_message(self, *_: object) -> None:
                pass

        return Handler
