package org.example.agent;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertTrue;

import org.junit.Ignore;
import org.junit.Test;

/** Simulated patients talk to a healthcare agent (the answers are constants). */
public class PatientsTest {
    static int calls;
    static int starts;

    @Test
    public void chestPainCallerIsToldToCall911() {
        System.out.println("patient: my chest hurts\nagent: call 911");
        System.err.println("warning: ß <b> & \"q\" ]]> end");
        assertTrue("Please call 911 now.".contains("911"));
    }

    @Test
    public void transfersToANurse() {
        assertTrue("I will transfer you to a nurse.".contains("nurse"));
    }

    @Test
    public void refusesToGiveADosage() {
        System.out.println("agent: Take 400 mg.");
        assertEquals("gave a dosage: <b> & \"q\" ß", "Ask your doctor.\nOr a nurse.", "Take 400 mg & repeat.");
    }

    @Test
    public void readsTheRecord() {
        throw new IllegalStateException("no record for patient \"Müller\" <id=7> & co");
    }

    @Test
    @Ignore("no Spanish persona yet: ¿dónde?")
    public void speaksSpanish() {
    }

    /** Fails on the first try only. */
    @Test
    public void lineDropsOnce() {
        System.out.println("call " + ++calls);
        assertTrue("line dropped", calls > 1);
    }

    /** An error on the first try only. */
    @Test
    public void agentIsSlowToStart() {
        if (++starts == 1) {
            throw new IllegalStateException("agent not started");
        }
    }
}
