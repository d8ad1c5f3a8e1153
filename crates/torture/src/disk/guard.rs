//! Nothing stays mounted, whatever becomes of this process.

use std::{
    io,
    path::Path,
    process::{Child, Command, Stdio},
};

/// Waits for the end of its input, which comes with the end of whoever holds the other end of it, also by `SIGKILL`. By force, so
/// that nobody waits for an answer for ever.
const WATCH: &str = r#"
trap '' INT TERM HUP
read -r _
umount -f "$1" || umount -l "$1" || fusermount3 -u -z "$1"
rmdir "$1"
"#;

/// A process that unmounts a folder when this is dropped, or when its owner dies.
pub(super) struct Guard(Child);

impl Guard {
    pub(super) fn over(folder: &Path) -> io::Result<Self> {
        let mut command = Command::new("sh");
        command.args(["-c", WATCH, "guard"]).arg(folder);
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().map(Self)
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        self.0.stdin.take();
        let _ = self.0.wait();
    }
}
