//! A request as a command that sends it again.

use preclinical_core::attempt::Message;

/// A command for a POSIX shell with the headers and the body of the request; `None` if no command can hold its body. Signatures
/// are in it as they were sent, a secret never was in the request.
pub(super) fn curl(url: &str, request: &Message) -> Option<String> {
    let body = std::str::from_utf8(&request.body).ok().filter(|body| !body.contains('\0'))?;
    let mut command = format!("curl --include --globoff --request POST --url {}", quoted(url));
    for (name, value) in request.headers.iter() {
        // Without a value curl takes a colon for the wish to leave the header out.
        let header = if value.is_empty() { format!("{name};") } else { format!("{name}: {value}") };
        command.push_str(" \\\n  --header ");
        command.push_str(&quoted(&header));
    }
    command.push_str(" \\\n  --data-raw ");
    command.push_str(&quoted(body));
    Some(command)
}

/// One word of a shell, whatever is in it.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use proptest::prelude::*;

    use super::*;

    fn request(body: &[u8]) -> Message {
        let headers = vec![
            ("content-type".to_owned(), "application/json".to_owned()),
            ("x-note".to_owned(), "it's $HOME `id`".to_owned()),
            ("x-empty".to_owned(), String::new()),
        ];
        Message { headers: headers.into(), body: body.to_vec().into(), size_bytes: body.len() as u64, truncated: false }
    }

    #[test]
    fn the_command_has_everything_that_was_sent() {
        let command = curl("https://a.example/hook?x=[1]&y='", &request(br#"{"name":"it's"}"#)).unwrap();
        let expected = [
            r"curl --include --globoff --request POST --url 'https://a.example/hook?x=[1]&y='\'''",
            r"--header 'content-type: application/json'",
            r"--header 'x-note: it'\''s $HOME `id`'",
            r"--header 'x-empty;'",
            r#"--data-raw '{"name":"it'\''s"}'"#,
        ];
        assert_eq!(command, expected.join(" \\\n  "));
        assert_eq!(curl("https://a.example/", &request(b"\xff")), None);
        assert_eq!(curl("https://a.example/", &request(b"a\0b")), None);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]

        #[test]
        fn a_shell_reads_any_text_as_the_word_that_it_is(text in "[^\0]{0,60}") {
            let script = format!("printf %s {}", quoted(&text));
            let read = Command::new("sh").arg("-c").arg(script).output().unwrap();
            prop_assert_eq!(String::from_utf8(read.stdout).unwrap(), text);
        }
    }
}
