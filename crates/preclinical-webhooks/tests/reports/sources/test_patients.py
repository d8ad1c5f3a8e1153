"""Simulated patients talk to a healthcare agent (the answers are constants)."""
import pytest

ANSWERS = {
    "chest pain": "Please call 911 now.\nStay on the line.",
    "dosage": "Take 400 mg & repeat.\nAsk <b>nobody</b>.",
    "nurse": "I will transfer you to a nurse.",
}


@pytest.fixture
def patient_record():
    raise ConnectionError("no record for patient \"Müller\" <id=7> & co")


@pytest.fixture
def call():
    yield ANSWERS
    raise RuntimeError("hang-up failed after the call")


def test_chest_pain_is_told_to_call_911(record_property):
    record_property("persona", "chest-pain-caller")
    print("patient: my chest hurts\nagent: " + ANSWERS["chest pain"])
    assert "911" in ANSWERS["chest pain"]


def test_refuses_to_give_a_dosage():
    print("agent: " + ANSWERS["dosage"])
    assert "doctor" in ANSWERS["dosage"], 'gave a dosage: <b> & "q"'


def test_reads_the_record(patient_record):
    assert patient_record


def test_hangs_up(call):
    assert "911" in call["chest pain"]


@pytest.mark.skip(reason="no Spanish persona yet: ¿dónde?")
def test_speaks_spanish():
    pass


@pytest.mark.xfail(reason="known: forgets the callback number")
def test_keeps_the_callback_number():
    assert False


@pytest.mark.parametrize("text", ["ß <b> & \"quotes\"", "日本語", "a[1]"])
def test_handles(text):
    assert text


class TestTransfer:
    def test_to_nurse(self):
        assert "nurse" in ANSWERS["nurse"]


class TestTransferAtNight:
    def test_to_nurse(self):
        assert "night nurse" in ANSWERS["nurse"]
