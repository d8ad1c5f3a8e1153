package org.example.agent;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Disabled;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Simulated patients talk to a healthcare agent (the answers are constants). */
class PatientsTest {
    static int calls;

    @Test
    void chestPainCallerIsToldToCall911() {
        System.out.println("patient: my chest hurts\nagent: call 911");
        System.err.println("warning: ß <b> & \"q\" ]]> end");
        assertTrue("Please call 911 now.".contains("911"));
    }

    @Test
    void transfersToANurse() {
        assertTrue("I will transfer you to a nurse.".contains("nurse"));
    }

    @Test
    void refusesToGiveADosage() {
        System.out.println("agent: Take 400 mg.");
        assertEquals("Ask your doctor.\nOr a nurse.", "Take 400 mg & repeat.", "gave a dosage: <b> & \"q\" ß");
    }

    @Test
    void readsTheRecord() {
        throw new IllegalStateException("no record for patient \"Müller\" <id=7> & co");
    }

    @Test
    @Disabled("no Spanish persona yet: ¿dónde?")
    void speaksSpanish() {
    }

    /** Fails on the first try only. */
    @Test
    void lineDropsOnce() {
        System.out.println("call " + ++calls);
        assertTrue(calls > 1, "line dropped");
    }

    @ParameterizedTest(name = "handles {0}")
    @ValueSource(strings = {"ß <b> & quotes", "日本語"})
    void handles(String text) {
        assertTrue(text.length() > 0);
    }
}
