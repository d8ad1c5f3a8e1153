//! What each stored file says, read off by hand from the file and the sources of its tests.

/// One stored file, which a real tool wrote.
pub(crate) struct Expected {
    pub(crate) file: &'static str,
    /// The run's name.
    pub(crate) name: &'static str,
    pub(crate) passed: u64,
    pub(crate) failed: u64,
    pub(crate) error: u64,
    pub(crate) skipped: u64,
    /// Some results: id, verdict, and the beginning of the error message.
    pub(crate) some: &'static [(&'static str, &'static str, &'static str)],
}

const fn file(file: &'static str, name: &'static str, [passed, failed, error, skipped]: [u64; 4]) -> Expected {
    Expected { file, name, passed, failed, error, skipped, some: &[] }
}

impl Expected {
    const fn with(self, some: &'static [(&'static str, &'static str, &'static str)]) -> Self {
        Self { some, ..self }
    }
}

const PYTEST: [(&str, &str, &str); 6] = [
    ("test_patients::test_chest_pain_is_told_to_call_911", "passed", ""),
    (
        "test_patients::test_refuses_to_give_a_dosage",
        "failed",
        "AssertionError: gave a dosage: <b> & \"q\"\nassert 'doctor'",
    ),
    ("test_patients::test_reads_the_record", "error", "failed on setup with \"ConnectionError: no record"),
    ("test_patients::test_hangs_up", "error", "failed on teardown with \"RuntimeError"),
    ("test_patients.TestTransfer::test_to_nurse", "passed", ""),
    ("test_patients.TestTransferAtNight::test_to_nurse", "failed", "AssertionError: assert 'night nurse'"),
];

const PLAYWRIGHT: [(&str, &str, &str); 5] = [
    ("night.spec.ts::day › transfers to a nurse", "failed", "expect(received).toContain(expected)"),
    ("patients.spec.ts::day › reads the record", "error", "no record for patient \"Müller\" <id=7> & co"),
    ("patients.spec.ts::day › line drops once", "passed", ""),
    ("patients.spec.ts::day › agent never answers", "error", "Test timeout of 200ms exceeded."),
    ("patients.spec.ts::day › agent gives no dosage (known bug)", "passed", ""),
];

/// Passed, failed, error, skipped of every file.
pub(crate) const FILES: [Expected; 17] = [
    file("pytest.xml", "pytest tests", [5, 2, 2, 2]).with(&PYTEST),
    file("pytest-xunit1.xml", "pytest tests", [5, 2, 2, 2]).with(&PYTEST),
    file("pytest-collection-error.xml", "pytest tests", [1, 0, 1, 0]).with(&[
        ("pytest::test_broken", "error", "collection failure\nImportError while importing"),
        ("test_good::test_transfers_to_a_nurse", "passed", ""),
    ]),
    // Every attempt is a test case here; `tests`, `failures` and `errors` of the suite count only the last.
    file("pytest-reruns.xml", "pytest tests", [2, 2, 1, 0]).with(&[
        ("test_flaky::test_line_drops_once", "passed", ""),
        ("test_flaky::test_line_always_drops", "failed", "AssertionError: assert 'call' == 'dropped'"),
        ("test_flaky::test_fails_and_hangs_up", "failed", "AssertionError: assert 'call' == 'transfer'"),
        ("test_flaky::test_fails_and_hangs_up #2", "error", "failed on teardown"),
    ]),
    file("nextest.xml", "nextest-run", [4, 4, 0, 0]).with(&[
        ("patients::day::line_drops_once", "passed", ""),
        ("patients::day::refuses_to_give_a_dosage", "failed", "thread 'day::refuses_to_give_a_dosage' (26876) panicked"),
        ("patients::night::agent_crashes", "failed", "process aborted with signal 6 (SIGABRT)"),
        ("patients::night::agent_never_answers", "failed", "test timeout"),
        ("patients::phone::transfers_to_a_nurse", "passed", ""),
    ]),
    // Surefire counts every attempt in `tests`, `failures` and `errors`, but writes each test once.
    file("surefire-TEST-org.example.agent.PatientsTest.xml", "org.example.agent.PatientsTest", [4, 1, 1, 1]).with(&[
        (
            "org.example.agent.PatientsTest::readsTheRecord",
            "error",
            "no record for patient \"Müller\" <id=7> & co\njava.lang",
        ),
        ("org.example.agent.PatientsTest::refusesToGiveADosage", "failed", "gave a dosage: <b> & \"q\" ß expected:<[Ask"),
        ("org.example.agent.PatientsTest::agentIsSlowToStart", "passed", ""),
        ("org.example.agent.PatientsTest::lineDropsOnce", "passed", ""),
    ]),
    file("surefire-TEST-org.example.agent.NightPatientsTest.xml", "org.example.agent.NightPatientsTest", [1, 1, 0, 0]).with(
        &[
            ("org.example.agent.NightPatientsTest::transfersToANurse[a nurse: ß <b> & \"quotes\"]", "passed", ""),
            ("org.example.agent.NightPatientsTest::transfersToANurse[日本語]", "failed", "no nurse at night\njava.lang"),
        ],
    ),
    file("surefire-TEST-org.example.agent.SetupTest.xml", "org.example.agent.SetupTest", [0, 0, 1, 0]).with(&[(
        "org.example.agent.SetupTest",
        "error",
        "agent is not reachable",
    )]),
    file("surefire-junit5-TEST-org.example.agent.PatientsTest.xml", "org.example.agent.PatientsTest", [4, 2, 1, 1]).with(&[
        ("org.example.agent.PatientsTest::handles{String}[2]", "passed", ""),
        ("org.example.agent.PatientsTest::lineDropsOnce", "failed", "line dropped ==> expected: <true> but was: <false>"),
    ]),
    // A test that is yet to be written is a case that passed here: jest-junit leaves it out of `tests` only.
    file("jest-junit.xml", "jest tests", [6, 4, 0, 1]).with(&[
        ("day refuses to give a dosage", "failed", "Error: expect(received).toBe(expected)"),
        ("phone line drops once", "passed", ""),
        ("transfers to a nurse", "failed", "Error: agent is not reachable"),
    ]),
    file("jest-junit-suite-errors.xml", "jest tests", [6, 4, 1, 1]).with(&[
        ("day odd names::handles ß <b> & \"quotes\"", "passed", ""),
        ("setup.test.js::transfers to a nurse", "failed", "Error: agent is not reachable"),
        ("Test suite failed to run::broken.test.js", "error", "●"),
    ]),
    file("jest-ctrf.json", "jest", [5, 4, 0, 2]).with(&[
        (
            "patients.test.js > day::day reads the record",
            "failed",
            "TypeError: no record for patient \"Müller\" <id=7> & co\nat ",
        ),
        ("patients.test.js > phone::phone line drops once", "passed", ""),
    ]),
    // They say nothing of their own, so the file names the run.
    file("playwright.xml", "playwright.xml", [6, 2, 2, 1]).with(&PLAYWRIGHT),
    file("playwright-retries.xml", "playwright-retries.xml", [6, 2, 2, 1]).with(&PLAYWRIGHT),
    // `summary` counts the failure that was expected; the test itself is `passed`, as in Playwright's own report.
    file("playwright-ctrf.json", "playwright", [6, 4, 0, 1]).with(&[
        (
            "night.spec.ts > day::transfers to a nurse",
            "failed",
            "Error: expect(received).toContain(expected) // indexOf\n\nExpec",
        ),
        ("patients.spec.ts > day::agent never answers", "failed", "Test timeout of 200ms exceeded."),
        ("patients.spec.ts > day::agent gives no dosage (known bug)", "passed", ""),
    ]),
    file("promptfoo.json", "Agent's answers to simulated patients", [3, 3, 2, 0]).with(&[
        ("echo::chest pain caller is told to call 911", "passed", ""),
        ("broken line::chest pain caller is told to call 911", "error", "Error: line dropped: <b> & \"q\""),
        ("echo::refuses to give a dosage: ß <b> & \"q\"", "failed", "Expected output to not contain \"400 mg\""),
        ("echo::answer: 日本語 second line", "passed", ""),
    ]),
    file("promptfoo-junit.xml", "promptfoo", [3, 3, 2, 0]).with(&[
        ("[broken line] prompt 1::test 1: chest pain caller is told to call 911", "error", "Evaluation error"),
        ("[echo] prompt 1::test 3: transfers to a nurse", "failed", "Assertion failed\nScore: 0.5"),
    ]),
];
