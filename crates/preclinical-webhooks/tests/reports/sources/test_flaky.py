"""A line that drops on the first call, one that always drops, and a failed
test whose fixture fails too when it is torn down."""
import pytest

calls = {"n": 0}


@pytest.fixture
def call():
    yield "call"
    raise RuntimeError("hang-up failed after the call")


@pytest.mark.flaky(reruns=2)
def test_line_drops_once():
    calls["n"] += 1
    assert calls["n"] > 1, "line dropped"


@pytest.mark.flaky(reruns=2)
def test_line_always_drops():
    assert "call" == "dropped"


def test_agent_answers():
    assert True


def test_fails_and_hangs_up(call):
    assert call == "transfer"
