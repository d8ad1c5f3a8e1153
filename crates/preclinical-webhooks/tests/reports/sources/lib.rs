//! Simulated patients talk to a healthcare agent (the answers are constants).

#[cfg(test)]
mod day {
    #[test]
    fn chest_pain_caller_is_told_to_call_911() {
        println!("patient: my chest hurts\nagent: call 911");
        assert!("Please call 911 now.".contains("911"));
    }

    #[test]
    fn transfers_to_a_nurse() {
        assert!("I will transfer you to a nurse.".contains("nurse"));
    }

    #[test]
    fn refuses_to_give_a_dosage() {
        println!("agent: Take 400 mg <b>now</b> & repeat. ß \"q\"");
        assert_eq!("Take 400 mg & repeat.", "Ask your doctor.", "gave a dosage: <b> & \"q\"");
    }

    /// Fails on the first try only: the state is a file, because nextest runs
    /// every try in a process of its own.
    #[test]
    fn line_drops_once() {
        let state = std::env::temp_dir().join("patients-line-drops-once");
        if !state.exists() {
            std::fs::write(&state, "").unwrap();
            panic!("line dropped on the first call");
        }
        std::fs::remove_file(&state).unwrap();
    }
}

#[cfg(test)]
mod night {
    #[test]
    fn transfers_to_a_nurse() {
        assert!("Nobody is here.".contains("nurse"));
    }

    #[test]
    #[ignore = "no Spanish persona yet"]
    fn speaks_spanish() {}

    #[test]
    fn agent_crashes() {
        eprintln!("agent: …");
        std::process::abort();
    }

    #[test]
    fn agent_never_answers() {
        std::thread::sleep(std::time::Duration::from_secs(60));
    }
}
