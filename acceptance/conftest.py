"""The real server, once for each test, and programs beside it. All of them are ended after the test."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from slack_stand_in import SlackStandIn
from support import BINARY, Api, Child, inherited

pytest_plugins = ["browser"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    left_out = {"node", "runners", "browser"} & set(os.environ.get("PRECLINICAL_TEST_WITHOUT", "").split(","))
    for item in items:
        for part in left_out:
            if item.get_closest_marker(part):
                item.add_marker(pytest.mark.skip(reason=f"left out: {part}"))


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Child]]:
    """Starts a program that prints `listening on …`; settings are keyword arguments."""
    children: list[Child] = []

    def start(*argv: object, **env: object) -> Child:
        settings = {"PORT": "0", **{name: str(value) for name, value in env.items()}}
        children.append(Child([str(part) for part in argv], settings, tmp_path))
        return children[-1]

    yield start
    for child in reversed(children):
        child.end()


@pytest.fixture
def api(start: Callable[..., Child], tmp_path: Path, request: pytest.FixtureRequest) -> Api:
    """A client of a server of this test's own, with short waits between retries."""
    marker = request.node.get_closest_marker("settings")
    settings = {
        "PRECLINICAL_LISTEN": "127.0.0.1:0",
        "PRECLINICAL_DATABASE_URL": f"sqlite:{tmp_path / 'w.db'}",
        "PRECLINICAL_ALLOW_CIDRS": "127.0.0.0/8",
        "PRECLINICAL_RETRY_SCHEDULE": "200ms,400ms,800ms",
        **(marker.kwargs if marker else {}),
    }
    key = subprocess.run(
        [BINARY, "keys", "create", "--name", "tests"],
        env={**inherited(), **settings}, cwd=tmp_path, check=True, stdout=subprocess.PIPE, text=True, timeout=60,
    ).stdout.strip()
    return Api(start(BINARY, "serve", **settings).url, key)


@pytest.fixture
def slack() -> Iterator[SlackStandIn]:
    stand_in = SlackStandIn()
    yield stand_in
    stand_in.close()
