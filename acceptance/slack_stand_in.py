"""A stand-in for Slack's incoming webhooks, strict about the documented message format.

The rules are those of Slack's reference of blocks, text objects and message formatting, for the blocks that a message
about a test run may need. Lengths are counted in UTF-16 units, the strictest reading of "characters".
"""

from __future__ import annotations

import json
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

PATH = "/services/T00000000/B00000000/not-a-real-token"

# Where control characters may stay: in the three escapes and in links. Mentions may not: a result calls nobody.
ENTITY = re.compile(r"&(?:amp|lt|gt);")
LINK = re.compile(r"<https?://[^<>|\s]+\|([^<>\n]+)>")


class InvalidMessage(Exception):
    pass


def demand(condition: bool, why: str) -> None:
    if not condition:
        raise InvalidMessage(why)


def check_message(message: object) -> None:
    demand(isinstance(message, dict), "a message is an object")
    demand(set(message) <= {"text", "blocks"}, f"unexpected members in {sorted(message)}")
    demand(isinstance(message.get("text"), str) and message["text"] != "", "text: the fallback is missing")
    check_string(message["text"], 1, 40_000, "text")
    check_escaped(message["text"], "text")
    blocks = message.get("blocks")
    demand(isinstance(blocks, list) and 1 <= len(blocks) <= 50, "1 to 50 blocks")
    for block in blocks:
        check = BLOCKS.get(block.get("type"))
        demand(check is not None, f"unknown block type {block.get('type')!r}")
        check(block)


def check_header(block: dict) -> None:
    members(block, {"type", "text"})
    check_text(block["text"], 150, "header.text", plain_only=True)


def check_section(block: dict) -> None:
    members(block, {"type"}, {"text", "fields"})
    demand("text" in block or "fields" in block, "section: text or fields is required")
    if "text" in block:
        check_text(block["text"], 3000, "section.text")
    if "fields" in block:
        demand(isinstance(block["fields"], list) and 1 <= len(block["fields"]) <= 10, "section: 1 to 10 fields")
        for field in block["fields"]:
            check_text(field, 2000, "section.fields")


def check_context(block: dict) -> None:
    members(block, {"type", "elements"})
    demand(isinstance(block["elements"], list) and 1 <= len(block["elements"]) <= 10, "context: 1 to 10 elements")
    for element in block["elements"]:
        check_text(element, 3000, "context.elements")


def check_actions(block: dict) -> None:
    members(block, {"type", "elements"})
    demand(isinstance(block["elements"], list) and 1 <= len(block["elements"]) <= 25, "actions: 1 to 25 elements")
    for button in block["elements"]:
        members(button, {"type", "text"}, {"action_id", "url", "value", "style"})
        demand(button["type"] == "button", "actions: only buttons are expected")
        check_text(button["text"], 75, "button.text", plain_only=True)
        check_string(button.get("action_id", "-"), 1, 255, "button.action_id")
        check_string(button.get("url", "https://-"), 1, 3000, "button.url")
        demand(re.fullmatch(r"https?://\S+", button.get("url", "https://-")) is not None, "button.url is no URL")
        demand(button.get("style", "primary") in ("primary", "danger"), "button.style")


BLOCKS = {"header": check_header, "section": check_section, "context": check_context, "actions": check_actions}


def members(value: object, required: set[str], optional: set[str] = frozenset()) -> None:
    demand(isinstance(value, dict), "an object is expected")
    missing, unknown = required - set(value), set(value) - required - optional
    demand(not missing and not unknown, f"{value.get('type')}: missing {missing}, unknown {unknown}")


def check_text(text: object, limit: int, where: str, plain_only: bool = False) -> None:
    demand(isinstance(text, dict), f"{where}: a text object is expected")
    if text.get("type") == "plain_text":
        members(text, {"type", "text"}, {"emoji"})
        demand(isinstance(text.get("emoji", True), bool), f"{where}: emoji is a boolean")
    else:
        demand(text.get("type") == "mrkdwn" and not plain_only, f"{where}: text of type {text.get('type')!r}")
        members(text, {"type", "text"}, {"verbatim"})
        demand(isinstance(text.get("verbatim", True), bool), f"{where}: verbatim is a boolean")
    check_string(text["text"], 1, limit, where)
    check_escaped(text["text"], where)


def check_string(value: object, low: int, high: int, where: str) -> None:
    demand(isinstance(value, str), f"{where}: a string is expected")
    length = len(value.encode("utf-16-le", "surrogatepass")) // 2
    demand(low <= length <= high, f"{where}: {length} characters, allowed are {low} to {high}")
    demand(not re.search("[\ud800-\udfff]", value), f"{where}: half a character")


def check_escaped(text: str, where: str) -> None:
    rest = ENTITY.sub("", LINK.sub(r"\1", text))
    demand(not re.search("[&<>]", rest), f"{where}: unescaped control character in {text!r}")


class SlackStandIn:
    """`answers` is played first, one status per request; after that, valid messages get 200."""

    def __init__(self) -> None:
        self.messages: list[dict] = []
        self.rejected: list[str] = []
        self.answers: list[int] = []
        stand_in = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                status, text = stand_in.judge(self.path, self.headers.get("Content-Type"), body)
                self.send_response(status)
                self.end_headers()
                self.wfile.write(text.encode())

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}{PATH}"
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    def judge(self, path: str, content_type: str | None, body: bytes) -> tuple[int, str]:
        if path != PATH:
            return 404, "no_service"
        if self.answers:
            return self.answers.pop(0), "scripted"
        try:
            demand((content_type or "").split(";")[0] == "application/json", "Content-Type")
            message = json.loads(body)
            check_message(message)
        except (ValueError, KeyError, InvalidMessage) as error:
            self.rejected.append(str(error))
            return 400, "invalid_payload"
        self.messages.append(message)
        return 200, "ok"

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()
