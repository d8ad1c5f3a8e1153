//! The ports that webhooks may be sent to.

use std::{fmt, ops::RangeInclusive, str::FromStr};

/// Ports of services that speak something else than HTTP and might take a request for commands of their own: those that browsers
/// do not call (WHATWG Fetch, "bad port"), and those of databases, caches, queues and administration.
///
/// Sorted, and none of those that systems hand out for a short time (from 32768).
const OF_OTHER_PROTOCOLS: [u16; 124] = [
    // echo to finger
    1, 7, 9, 11, 13, 15, 17, 19, 20, 21, 22, 23, 25, 37, 42, 43, 53, 69, 77, 79, //
    // Kerberos to LDAP
    87, 88, 95, 101, 102, 103, 104, 109, 110, 111, 113, 115, 117, 119, 123, 135, 137, 139, 143, 161, 179, 389, 427, 445, 465,
    // rexec to LDAP over TLS, IMAP and POP over TLS
    512, 513, 514, 515, 526, 530, 531, 532, 540, 548, 554, 556, 563, 587, 601, 623, 636, 873, 989, 990, 993, 995,
    // SQL Server, Oracle, PPTP, H.323, ZooKeeper, NFS, Docker, etcd
    1433, 1434, 1521, 1719, 1720, 1723, 2049, 2181, 2375, 2376, 2377, 2379, 2380,
    // LDAP catalogues, MySQL, RDP, SVN, NUT, EPMD, Postgres and what speaks like it
    3268, 3269, 3306, 3389, 3659, 3690, 4045, 4190, 4369, 5060, 5061, 5432, 5433, 5671, 5672, 5984, 5985, 5986,
    // X11, Redis, IRC, Cassandra, AJP, Kafka
    6000, 6379, 6380, 6432, 6566, 6665, 6666, 6667, 6668, 6669, 6679, 6697, 7000, 7001, 8009, 9042, 9092, 9160,
    // Elasticsearch, kubelet, Memcached, MongoDB
    9200, 9300, 10080, 10250, 11211, 27017, 27018, 27019,
];

/// Which ports may be called.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Ports {
    /// All but those that other protocols use.
    #[default]
    AllOfHttp,
    /// These and no others, whatever else they are used for.
    Only(Vec<RangeInclusive<u16>>),
}

impl Ports {
    /// Whether a port may be called. Port 0 never is.
    pub fn allow(&self, port: u16) -> bool {
        match self {
            Self::AllOfHttp => port != 0 && OF_OTHER_PROTOCOLS.binary_search(&port).is_err(),
            Self::Only(ranges) => port != 0 && ranges.iter().any(|range| range.contains(&port)),
        }
    }
}

/// A text that lists no ports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be ports and ranges of them such as 80,443,8000-8999")]
pub struct NotPorts;

impl FromStr for Ports {
    type Err = NotPorts;

    /// Reads ports and ranges of them, by commas.
    fn from_str(text: &str) -> Result<Self, NotPorts> {
        let range = |text: &str| {
            let (first, last) = text.split_once('-').unwrap_or((text, text));
            let port = |text: &str| text.trim().parse::<u16>().ok().filter(|port| *port > 0).ok_or(NotPorts);
            let (first, last) = (port(first)?, port(last)?);
            if first <= last { Ok(first..=last) } else { Err(NotPorts) }
        };
        text.split(',').map(range).collect::<Result<_, _>>().map(Self::Only)
    }
}

impl fmt::Display for Ports {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self::Only(ranges) = self else { return formatter.write_str("all but those of other protocols") };
        for (number, range) in ranges.iter().enumerate() {
            let comma = if number > 0 { "," } else { "" };
            match (range.start(), range.end()) {
                (first, last) if first == last => write!(formatter, "{comma}{first}")?,
                (first, last) => write!(formatter, "{comma}{first}-{last}")?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_of_other_protocols_are_not_called_by_default() {
        for port in
            [0, 21, 22, 25, 53, 110, 143, 389, 445, 587, 1433, 2375, 3306, 5432, 6379, 6667, 6679, 9200, 10250, 11211]
        {
            assert!(!Ports::default().allow(port), "{port}");
        }
        for port in [80, 443, 3000, 4000, 4443, 5000, 8000, 8080, 8443, 8888, 9000, 9090, 9443, 10000, 32768, 65535] {
            assert!(Ports::default().allow(port), "{port}");
        }
        assert!(
            OF_OTHER_PROTOCOLS.is_sorted_by(|one, next| one < next) && OF_OTHER_PROTOCOLS.iter().all(|port| *port < 32768)
        );
    }

    #[test]
    fn a_list_stands_instead_of_the_default() {
        let ports: Ports = "443, 8000-8002,25".parse().unwrap();
        for (port, allowed) in
            [(443, true), (8000, true), (8002, true), (25, true), (80, false), (7999, false), (8003, false)]
        {
            assert_eq!(ports.allow(port), allowed, "{port}");
        }
        assert_eq!(ports.to_string(), "443,8000-8002,25");
        for text in ["", ",", "80,", "0", "0-1", "65536", "-1", "90-80", "80-", "http", "80;443", "1-2-3", "+80-"] {
            assert_eq!(text.parse::<Ports>(), Err(NotPorts), "{text}");
        }
    }
}
