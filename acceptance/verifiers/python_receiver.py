"""Judges webhooks with code that is not ours: the package `standardwebhooks`, and plain `hmac` for the body's signature.

    PRECLINICAL_WEBHOOK_SECRET=… LOG=requests.jsonl [FAIL=503x2] [PORT=…] python python_receiver.py

Every request becomes a line of LOG before it is answered. FAIL=503x2 answers the first two requests with 503.
"""

import base64
import hashlib
import hmac
import json
import os
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from standardwebhooks import Webhook

SECRET = os.environ["PRECLINICAL_WEBHOOK_SECRET"]
# The library wants keys in base64, so that is what a secret that is its own key becomes.
LIBRARY = Webhook(SECRET if SECRET.startswith("whsec_") else base64.b64encode(SECRET.encode()).decode())
status, _, times = os.environ.get("FAIL", "200x0").partition("x")
failures = [int(status)] * int(times)
lock = threading.Lock()


def standard(headers, body):
    try:
        LIBRARY.verify(body, headers)
    except Exception as error:
        return str(error) or type(error).__name__
    return "ok"


def preclinical(headers, body):
    expected = "sha256=" + hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
    return "ok" if hmac.compare_digest(expected, headers.get("x-preclinical-signature", "")) else "no match"


class Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        headers = {name.lower(): value for name, value in self.headers.items()}
        verdicts = {"standard": standard(headers, body), "preclinical": preclinical(headers, body)}
        ok = set(verdicts.values()) == {"ok"}
        event = json.loads(body) if ok else {}
        line = {
            "ok": ok, **verdicts, "event": event.get("event"), "run_id": event.get("test_run", {}).get("id"),
            "headers": headers, "body": body.decode(),
        }
        with lock:
            with open(os.environ["LOG"], "a", encoding="utf-8") as log:
                log.write(json.dumps(line) + "\n")
            status = failures.pop(0) if failures else 200 if ok else 401
        answer = b"python says ok" if ok else b"python says no"
        self.send_response(status)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_):
        pass


server = ThreadingHTTPServer(("127.0.0.1", int(os.environ.get("PORT", "0"))), Handler)
print(f"listening on http://127.0.0.1:{server.server_port}", flush=True)
server.serve_forever()
