//! Hosts of URLs: one spelling for each, and names that lead to no public host.

use std::net::{IpAddr, Ipv4Addr};

use url::{Host, Url};

use super::EndpointError;

/// The longest name and the longest of its parts (RFC 1035, section 2.3.4), in bytes.
const MAX_NAME: usize = 253;
const MAX_LABEL: usize = 63;

/// Where the names of metadata services lead.
pub(super) const METADATA: IpAddr = IpAddr::V4(Ipv4Addr::new(169, 254, 169, 254));

/// Ends of names that are only used inside of networks, or of systems that are not the domain name system.
const LOCAL: [&str; 10] =
    ["local", "internal", "intranet", "localdomain", "lan", "home", "corp", "home.arpa", "onion", "alt"];

/// Names by which clouds know their metadata services.
const OF_METADATA: [&str; 7] = [
    "metadata",
    "metadata.google.internal",
    "metadata.goog",
    "instance-data",
    "instance-data.ec2.internal",
    "metadata.azure.internal",
    "metadata.tencentyun.com",
];

/// What a name without a dot at its end is to us before it is resolved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Name {
    /// This machine.
    Loopback,
    /// The metadata service of a cloud.
    Metadata,
    /// A host of the network around.
    Local,
    /// A host that anybody can know.
    Public,
}

impl Name {
    pub(super) fn of(name: &str) -> Self {
        let ends_in = |end: &&str| name == *end || name.strip_suffix(*end).is_some_and(|rest| rest.ends_with('.'));
        if ends_in(&"localhost") {
            Self::Loopback
        } else if OF_METADATA.contains(&name) {
            Self::Metadata
        } else if !name.contains('.') || LOCAL.iter().any(ends_in) {
            Self::Local
        } else {
            Self::Public
        }
    }
}

/// Takes the dot from the end of a name, and refuses names that no name server can know.
pub(super) fn make_canonical(url: &mut Url) -> Result<(), EndpointError> {
    let Some(Host::Domain(name)) = url.host() else { return Ok(()) };
    let rooted = name.strip_suffix('.');
    let name = rooted.unwrap_or(name).to_owned();
    // Browsers take more, such as commas, which other programs read as the end of a name.
    let is_of_a_name = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    let is_label = |label: &str| (1..=MAX_LABEL).contains(&label.len()) && label.bytes().all(is_of_a_name);
    if name.len() > MAX_NAME || !name.split('.').all(is_label) {
        return Err(EndpointError::Host);
    }
    if rooted.is_some() { url.set_host(Some(&name)).map_err(|_| EndpointError::Host) } else { Ok(()) }
}
