"""What real test runners write here and now is reported, arrives signed at receivers that are not ours, and can be read."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

from signing import SECRET
from support import REPOSITORY, inherited, json_lines, report
from test_independent_verifiers import in_both_languages

SOURCES = REPOSITORY / "crates/preclinical-webhooks/tests/reports/sources"
AGENT = "Assistente de saúde"


class Written(NamedTuple):
    """A runner's file, and what must become of it."""

    file: Path
    name: str
    counts: dict[str, float]
    results: dict[str, tuple[str, str]]
    """Verdict, and a part of the error message, of some scenarios."""


def environment(**settings: object) -> dict[str, str]:
    """That of these tests, without what would change how a runner behaves."""
    others = ("PYTEST_", "NEXTEST", "RUSTFLAGS", "CARGO_ENCODED_RUSTFLAGS")
    kept = {name: value for name, value in inherited().items() if not name.startswith(others)}
    return {**kept, **{name: str(value) for name, value in settings.items()}}


def execute(argv: list[object], cwd: Path, expected: int, **settings: object) -> None:
    ran = subprocess.run(
        [str(part) for part in argv], cwd=cwd, env=environment(**settings), text=True,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )
    assert ran.returncode == expected, ran.stdout


@pytest.fixture(scope="module")
def from_pytest(tmp_path_factory: pytest.TempPathFactory) -> Written:
    folder = tmp_path_factory.mktemp("pytest")
    for name in ["test_patients.py", "test_good.py", "test_broken.py"]:
        shutil.copy(SOURCES / name, folder)
    file = folder / "results.xml"
    options = ["--rootdir", folder, "-p", "no:cacheprovider", "--continue-on-collection-errors", f"--junitxml={file}"]
    execute([sys.executable, "-m", "pytest", *options, folder], folder, expected=1)
    return Written(
        file, "pytest tests",
        {"passed_count": 6, "failed_count": 2, "error_count": 3, "total_scenarios": 11, "pass_rate": 54.55},
        {
            "test_patients::test_chest_pain_is_told_to_call_911": ("passed", ""),
            "test_patients::test_refuses_to_give_a_dosage": ("failed", 'gave a dosage: <b> & "q"'),
            "test_patients::test_reads_the_record": ("error", 'no record for patient "Müller" <id=7> & co'),
            "test_patients::test_hangs_up": ("error", "hang-up failed after the call"),
            "test_patients.TestTransfer::test_to_nurse": ("passed", ""),
            "test_patients.TestTransferAtNight::test_to_nurse": ("failed", "night nurse"),
            "test_good::test_transfers_to_a_nurse": ("passed", ""),
            "pytest::test_broken": ("error", "No module named 'agent_under_test'"),
        },
    )


@pytest.fixture(scope="module")
def from_nextest(tmp_path_factory: pytest.TempPathFactory) -> Written:
    folder = tmp_path_factory.mktemp("nextest")
    (folder / "Cargo.toml").write_text('[package]\nname = "patients"\nedition = "2021"\n[workspace]\n')
    for source, target in [
        ("lib.rs", "src/lib.rs"), ("phone.rs", "tests/phone.rs"), ("nextest.toml", ".config/nextest.toml")
    ]:
        (folder / target).parent.mkdir(exist_ok=True)
        shutil.copy(SOURCES / source, folder / target)
    # The one that is left out only ends when nextest loses patience, three times.
    execute(
        ["cargo", "nextest", "run", "--offline", "-E", "not test(agent_never_answers)"], folder, expected=100,
        CARGO_TARGET_DIR=folder / "target", TMPDIR=folder,
    )
    return Written(
        folder / "target/nextest/default/junit.xml", "nextest-run",
        {"passed_count": 4, "failed_count": 3, "error_count": 0, "total_scenarios": 7, "pass_rate": 57.14},
        {
            "patients::day::chest_pain_caller_is_told_to_call_911": ("passed", ""),
            "patients::day::line_drops_once": ("passed", ""),
            "patients::day::refuses_to_give_a_dosage": ("failed", 'gave a dosage: <b> & "q"'),
            "patients::night::transfers_to_a_nurse": ("failed", "assertion failed"),
            "patients::night::agent_crashes": ("failed", "SIGABRT"),
            "patients::phone::transfers_to_a_nurse": ("passed", ""),
        },
    )


@pytest.fixture(params=["from_pytest", pytest.param("from_nextest", marks=pytest.mark.runners)])
def written(request: pytest.FixtureRequest) -> Written:
    return request.getfixturevalue(request.param)


@in_both_languages
def test_a_runners_file_becomes_a_run_that_arrives_and_can_be_read(api, start, tmp_path, verifier, written):
    log = tmp_path / "log.jsonl"
    api.webhook(start(*verifier, PRECLINICAL_WEBHOOK_SECRET=SECRET, LOG=log).url, SECRET)
    run = report(api, written.file, "--agent", AGENT, "--create-agent")
    expected = {**written.counts, "name": written.name, "agent_name": AGENT, "status": "completed"}
    assert {field: run[field] for field in expected} == expected

    delivery = api.settled_of(run["id"])
    assert (delivery["status"], delivery["attempt_count"]) == ("delivered", 1)
    (received,) = json_lines(log)
    assert (received["standard"], received["preclinical"]) == ("ok", "ok")
    test_run = json.loads(received["body"])["test_run"]
    assert test_run == {field: run[field] for field in test_run}

    shown = api.call("GET", f"/runs/{run['id']}/results")["results"]
    assert len(shown) == written.counts["total_scenarios"]
    by_id = {result["scenario_id"]: result for result in shown}
    for scenario, (status, message) in written.results.items():
        result = by_id[scenario]
        assert result["status"] == status
        assert scenario.endswith("::" + result["scenario_name"])
        assert message in (result["error_message"] or "")
        assert (result["error_message"] is None) == (status == "passed")
