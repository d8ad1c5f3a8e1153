package org.example.agent;

import static org.junit.Assert.assertTrue;

import java.util.Arrays;
import org.junit.Test;
import org.junit.runner.RunWith;
import org.junit.runners.Parameterized;

/** The same test name as in PatientsTest, with parameters. */
@RunWith(Parameterized.class)
public class NightPatientsTest {
    @Parameterized.Parameters(name = "{0}")
    public static Iterable<String> answers() {
        return Arrays.asList("a nurse: ß <b> & \"quotes\"", "日本語");
    }

    @Parameterized.Parameter
    public String answer;

    @Test
    public void transfersToANurse() {
        assertTrue("no nurse at night", answer.contains("nurse"));
    }
}
