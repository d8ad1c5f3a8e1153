"""A webhook receiver on http.server; the other Python examples bring their own `handle`.

It listens on the loopback interface and speaks plain HTTP: TLS belongs to the proxy in front of it.
"""

import json
import os
import signal
import sys
import time
import traceback
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from preclinical_webhook import VerificationError, standard_key, verify

PATH = "/webhook"
BODY_LIMIT = 1024 * 1024
READ_SECONDS = 5


class Refused(Exception):
    def __init__(self, status: int, reason: str):
        super().__init__(reason)
        self.status = status


def serve(handle: Callable[[dict], str]) -> None:
    """Call `handle` with every genuine completed run and answer 200 with the sentence it returns.

    If `handle` raises, the answer is 500 and Preclinical tries again. Returns on SIGTERM or SIGINT.
    """
    secret = os.environ.get("PRECLINICAL_WEBHOOK_SECRET", "")
    try:
        usable = bool(standard_key(secret))
    except ValueError:
        usable = False
    if not usable:
        sys.exit("PRECLINICAL_WEBHOOK_SECRET must hold the webhook's signing secret")

    class Handler(BaseHTTPRequestHandler):
        timeout = READ_SECONDS

        def do_POST(self) -> None:
            try:
                status, text = 200, self.receive()
            except Refused as refused:
                status, text = refused.status, str(refused)
            except Exception:
                traceback.print_exc()
                status, text = 500, "the event could not be handled"
            self.answer(status, text)

        def receive(self) -> str:
            if self.path != PATH:
                raise Refused(404, f"webhooks go to {PATH}")
            body = self.read_body()
            try:
                verify(self.headers, body, secret)
            except VerificationError as error:
                raise Refused(401, str(error)) from None
            try:
                event = json.loads(body)
                kind, _ = event["event"], event["test_run"]["id"]
            except (ValueError, KeyError, TypeError):
                raise Refused(400, "the body is not a Preclinical event") from None
            # The "Send test" button and events of the future must not look like results.
            if kind != "test_run_completed" or event.get("is_test"):
                return say(f"ignored: a {'test' if event.get('is_test') else 'different'} event")
            return say(handle(event))

        def read_body(self) -> bytes:
            try:
                length = int(self.headers["Content-Length"])
            except (TypeError, ValueError):
                raise Refused(411, "Content-Length is required") from None
            # The socket's own timeout starts anew with every byte; a deadline does not.
            deadline = time.monotonic() + READ_SECONDS
            body, received = bytearray(), 0
            while received < length:
                try:
                    self.connection.settimeout(max(deadline - time.monotonic(), 0.001))
                    chunk = self.rfile.read1(min(64 * 1024, length - received))
                except TimeoutError:
                    raise Refused(408, "the body took too long") from None
                if not chunk:
                    raise Refused(400, "the body ended early")
                received += len(chunk)
                # An oversized body is read to its end but not kept: hanging up in the middle
                # would reach the sender as a broken connection instead of a 413.
                if length <= BODY_LIMIT:
                    body += chunk
            if length > BODY_LIMIT:
                raise Refused(413, f"the body is larger than {BODY_LIMIT} bytes")
            return bytes(body)

        def refuse_method(self) -> None:
            if self.path == PATH:
                self.answer(405, "only POST is accepted", Allow="POST")
            else:
                self.answer(404, f"webhooks go to {PATH}")

        do_GET = do_HEAD = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = refuse_method

        def answer(self, status: int, text: str, **headers: str) -> None:
            content = f"{text}\n".encode()
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Type", "text/plain; charset=utf-8")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(content)

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    with ThreadingHTTPServer(("127.0.0.1", int(os.environ.get("PORT", "0"))), Handler) as server:
        say(f"listening on http://127.0.0.1:{server.server_port}")
        try:
            server.serve_forever()
        except Stopped:
            pass


class Stopped(BaseException):
    """Not an Exception, so that no handler takes it for an error."""


def stop(*_: object) -> None:
    raise Stopped


def say(text: str) -> str:
    print(text, flush=True)
    return text


def describe(event: dict) -> str:
    run = event["test_run"]
    return f"{run['test_run_id']} {run['status']}, {run['pass_rate']} % passed"


if __name__ == "__main__":
    serve(lambda event: f"received {describe(event)}")
