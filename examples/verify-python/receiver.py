"""Receive webhooks, verified, with http.server. Python 3.9 or newer, standard library only.

    PRECLINICAL_WEBHOOK_SECRET=… python receiver.py

    PRECLINICAL_WEBHOOK_SECRET  the webhook's signing secret
    PORT                        default 8000; it listens on 127.0.0.1, behind a proxy that speaks TLS

The other Python examples use `serve` with a function of their own.
"""

import json
import os
import sys
import traceback
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from preclinical_webhook import VerificationError, verify

BODY_LIMIT = 1024 * 1024  # A webhook has about one kilobyte.


def serve(handle):
    """Pass every verified result to `handle`. If that raises, the answer is 500, and Preclinical tries again."""
    secret = os.environ.get("PRECLINICAL_WEBHOOK_SECRET")
    if not secret:
        sys.exit("PRECLINICAL_WEBHOOK_SECRET is not set")

    class Handler(BaseHTTPRequestHandler):
        timeout = 10  # A client that stops in the middle is not waited for any longer.

        def do_POST(self):
            try:
                length = int(self.headers["Content-Length"])
            except (TypeError, ValueError):
                return self.answer(411, "Content-Length is required")
            if not 0 <= length <= BODY_LIMIT:
                return self.answer(413, "the body is too large")
            body = self.rfile.read(length)
            try:
                verify(self.headers, body, secret)
            except VerificationError as error:
                return self.answer(401, str(error))
            try:
                event = json.loads(body)
                # Test deliveries, and kinds of events that do not exist yet, are no results.
                is_result = event["event"] == "test_run_completed"
                status, text = 200, handle(event) if is_result else f"ignored an event {event['event']!r}"
            except Exception:
                traceback.print_exc()
                status, text = 500, "the event could not be handled"
            self.answer(status, text)

        def answer(self, status, text):
            say(text)
            content = f"{text}\n".encode()
            self.send_response(status)
            self.send_header("Content-Type", "text/plain; charset=utf-8")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

    server = ThreadingHTTPServer(("127.0.0.1", int(os.environ.get("PORT", "8000"))), Handler)
    say(f"listening on http://127.0.0.1:{server.server_port}")
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        pass


def say(text):
    # With its own newline: threads that print at the same time must not share a line.
    print(f"{text}\n", end="", flush=True)


def describe(event):
    run = event["test_run"]
    return f"{run['test_run_id']} {run['status']}, {run['pass_rate']} % passed"


if __name__ == "__main__":
    serve(lambda event: f"received {describe(event)}")
