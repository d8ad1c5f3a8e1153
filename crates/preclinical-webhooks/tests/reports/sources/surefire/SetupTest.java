package org.example.agent;

import org.junit.BeforeClass;
import org.junit.Test;

/** The set-up of the whole class fails. */
public class SetupTest {
    @BeforeClass
    public static void connect() {
        throw new IllegalStateException("agent is not reachable");
    }

    @Test
    public void agentAnswers() {
    }
}
