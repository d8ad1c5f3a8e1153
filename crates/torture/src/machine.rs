//! What the proofs ran on. Its name is nobody's business.

/// Cores and memory, as far as the machine tells.
pub(crate) fn describe() -> String {
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    match std::fs::read_to_string("/proc/meminfo").ok().as_deref().and_then(gibibytes) {
        Some(memory) => format!("{cores} cores, {memory} GiB of memory"),
        None => format!("{cores} cores"),
    }
}

fn gibibytes(meminfo: &str) -> Option<u64> {
    let line = meminfo.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    let kibibytes: u64 = line.trim().strip_suffix(" kB")?.parse().ok()?;
    Some((kibibytes + (1 << 19)) >> 20)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_told_in_whole_gibibytes() {
        assert_eq!(gibibytes("MemFree: 1 kB\nMemTotal:       24683828 kB\n"), Some(24));
        assert_eq!(gibibytes("MemTotal: much"), None);
    }
}
