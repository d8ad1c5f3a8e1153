//! What the figures were measured on. Its name is nobody's business.

use std::{fmt, path::Path};

const MOUNTS: &str = "/proc/mounts";

/// The machine, as far as it tells.
pub(crate) struct Machine {
    processor: String,
    cores: usize,
    memory: String,
    disk: String,
    kernel: String,
}

impl Machine {
    /// The machine that this runs on, with the disk that `folder` is on.
    pub(crate) fn this(folder: &Path) -> Self {
        let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
        let unknown = || "unknown".to_owned();
        let folder = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
        let mounts = read(MOUNTS);
        let disk = mount(&mounts, &folder).map(|(device, kind)| {
            let device = device.rsplit('/').next().unwrap_or_default();
            let medium = match read(&format!("/sys/class/block/{device}/queue/rotational")).trim() {
                "0" => " on a disk that does not rotate",
                "1" => " on a disk that calls itself rotating",
                _ => "",
            };
            format!("{kind}{medium}")
        });
        Self {
            processor: value(&read("/proc/cpuinfo"), "model name").unwrap_or_else(unknown),
            cores: std::thread::available_parallelism().map_or(0, usize::from),
            memory: value(&read("/proc/meminfo"), "MemTotal").and_then(|text| gibibytes(&text)).unwrap_or_else(unknown),
            disk: disk.unwrap_or_else(unknown),
            kernel: format!("{} {}", std::env::consts::OS, read("/proc/sys/kernel/osrelease").trim()),
        }
    }
}

impl fmt::Display for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { processor, cores, memory, disk, kernel } = self;
        write!(f, "{processor}, {cores} cores, {memory} of memory, {disk}, {kernel}")
    }
}

/// The kind of the file system that `folder` is on; `None` where the system does not tell.
pub(crate) fn file_system(folder: &Path) -> Option<String> {
    let folder = folder.canonicalize().ok()?;
    mount(&std::fs::read_to_string(MOUNTS).ok()?, &folder).map(|(_, kind)| kind.to_owned())
}

/// The value of `name : value` in a file of `/proc`.
fn value(text: &str, name: &str) -> Option<String> {
    let pairs = text.lines().filter_map(|line| line.split_once(':'));
    pairs.map(|(key, value)| (key.trim(), value.trim())).find(|(key, _)| *key == name).map(|(_, value)| value.to_owned())
}

fn gibibytes(kibibytes: &str) -> Option<String> {
    let kibibytes: u64 = kibibytes.strip_suffix(" kB")?.parse().ok()?;
    Some(format!("{} GiB", (kibibytes + (1 << 19)) >> 20))
}

/// Device and kind of the file system that `folder` is on.
fn mount<'a>(mounts: &'a str, folder: &Path) -> Option<(&'a str, &'a str)> {
    let parsed = mounts.lines().filter_map(|line| {
        let mut fields = line.split(' ');
        Some((fields.next()?, fields.next()?, fields.next()?))
    });
    parsed
        .filter(|(_, at, _)| folder.starts_with(at))
        .max_by_key(|(_, at, _)| at.len())
        .map(|(device, _, kind)| (device, kind))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_system_is_the_one_mounted_closest() {
        let mounts = "/dev/vda / ext4 rw 0 0\ntmpfs /tmp tmpfs rw 0 0\n/dev/vdb /tmpfiles xfs rw 0 0\n";
        assert_eq!(mount(mounts, Path::new("/tmp/a")), Some(("tmpfs", "tmpfs")));
        assert_eq!(mount(mounts, Path::new("/home/tmp")), Some(("/dev/vda", "ext4")));
    }

    #[test]
    fn values_are_read_by_their_whole_name() {
        let text = "model\t\t: 85\nmodel name\t: Some Processor @ 2 GHz\n";
        assert_eq!(value(text, "model name").as_deref(), Some("Some Processor @ 2 GHz"));
        assert_eq!(gibibytes("24683828 kB").as_deref(), Some("24 GiB"));
    }
}
