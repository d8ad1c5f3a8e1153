//! A network of the test's own, with nothing in it but this machine, which has every address that is needed.

use std::process::Command;

/// Parts of the tests that were left out knowingly, with commas between.
const WITHOUT: &str = "PRECLINICAL_TEST_WITHOUT";

/// Set in a process that is inside.
const INSIDE: &str = "PRECLINICAL_TEST_INSIDE_A_NAMESPACE";

/// Adds the addresses, puts the test's name server in the place of the system's, and goes on as the test.
const SET_UP: &str = r#"
set -e
ip link set lo up
for address in $1; do ip address add "$address/32" dev lo; done
for address in $2; do ip -6 address add "$address/128" dev lo nodad || echo "no $address here" >&2; done
echo "nameserver $3" > "$4" && mount --bind "$4" /etc/resolv.conf
shift 4
exec "$@"
"#;

/// Runs that test again in a network with these addresses and that name server. Answers whether this is the process inside.
pub(crate) fn enter(test: &str, v4: &[&str], v6: &[&str], name_server: &str) -> bool {
    if std::env::var_os(INSIDE).is_some() {
        return true;
    }
    if std::env::var(WITHOUT).is_ok_and(|parts| parts.split(',').any(|part| part == "namespace")) {
        eprintln!("left out: {test} needs a network namespace (`unshare -nm`), and {WITHOUT} names that part");
        return false;
    }
    let folder = tempfile::tempdir().unwrap();
    let mut command = unshare().expect(
        "this machine gives no network namespace (`unshare -nm` and `unshare -rnm` both fail): \
         leave the part out knowingly with PRECLINICAL_TEST_WITHOUT=namespace",
    );
    command
        .args(["sh", "-c", SET_UP, "sh", &v4.join(" "), &v6.join(" "), name_server])
        .arg(folder.path().join("resolv.conf"));
    command.arg(std::env::current_exe().unwrap()).args(["--exact", test, "--nocapture"]).env(INSIDE, "1");
    let output = command.output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&said));
    print!("{}", String::from_utf8_lossy(&said));
    false
}

/// As root, or else as root of a namespace of users.
fn unshare() -> Option<Command> {
    ["-nm", "-rnm"].into_iter().find_map(|flags| {
        let works = Command::new("unshare").args([flags, "true"]).output().is_ok_and(|output| output.status.success());
        let mut command = Command::new("unshare");
        command.arg(flags);
        works.then_some(command)
    })
}
