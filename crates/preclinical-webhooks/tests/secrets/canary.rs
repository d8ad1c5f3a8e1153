//! Secrets that are planted, and how they look to whoever searches for them.

use std::{collections::HashMap, fmt::Write as _};

use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE},
};
use url::form_urlencoded::byte_serialize;

/// A secret, and the only places that show it: each must, and nothing else may.
pub(crate) struct Canary {
    pub(crate) name: &'static str,
    pub(crate) secret: String,
    pub(crate) shown_by: &'static [&'static str],
}

/// A thing that was looked at: a log, an answer, a file.
pub(crate) struct Evidence {
    pub(crate) place: String,
    pub(crate) bytes: Vec<u8>,
}

/// A secret that is in a place, in some form.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Sighting {
    pub(crate) canary: &'static str,
    pub(crate) place: String,
    pub(crate) form: &'static str,
}

impl Canary {
    pub(crate) fn new(name: &'static str, secret: impl Into<String>, shown_by: &'static [&'static str]) -> Self {
        let secret = secret.into();
        assert!(secret.len() >= 16, "{name} is too short to be told from chance");
        Self { name, secret, shown_by }
    }

    /// The secret as it is and in every way in which bytes are usually written down.
    pub(crate) fn forms(&self) -> Vec<(&'static str, Vec<u8>)> {
        let bytes = self.secret.as_bytes();
        let hex = spelled(bytes, |out, byte| write!(out, "{byte:02x}"));
        let percent = spelled(bytes, |out, byte| write!(out, "%{byte:02X}"));
        let json = serde_json::to_string(&self.secret).unwrap();
        let html = self.secret.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;");
        let mut forms = vec![
            ("plain", self.secret.clone()),
            ("json", json[1..json.len() - 1].to_owned()),
            ("html", html),
            ("form", byte_serialize(bytes).collect()),
            ("percent", percent.clone()),
            ("percent", percent.to_lowercase()),
            ("hex", hex.to_uppercase()),
            ("hex", hex),
        ];
        for lead in 0..3 {
            forms.push(("base64", inner_base64(&STANDARD, bytes, lead)));
            forms.push(("base64", inner_base64(&URL_SAFE, bytes, lead)));
        }
        // The key of the vault and standard signing secrets are base64 of what is used.
        let encoded = self.secret.rsplit('_').next().unwrap_or_default();
        let decoded = STANDARD.decode(encoded).ok().filter(|decoded| decoded.len() >= 16);
        let mut all: Vec<_> = forms.into_iter().map(|(name, text)| (name, text.into_bytes())).collect();
        all.extend(decoded.map(|raw| ("decoded", raw)));
        all
    }
}

fn spelled(bytes: &[u8], each: impl Fn(&mut String, u8) -> std::fmt::Result) -> String {
    bytes.iter().fold(String::new(), |mut out, byte| {
        each(&mut out, *byte).unwrap();
        out
    })
}

/// The part of the base64 of a longer text that does not depend on what stands around the bytes, of which `lead` modulo three are
/// before them.
fn inner_base64(alphabet: &impl Engine, bytes: &[u8], lead: usize) -> String {
    let all = alphabet.encode([&[0; 2][..lead], bytes].concat());
    all[(lead * 8).div_ceil(6)..(lead + bytes.len()) * 8 / 6].to_owned()
}

/// By how they begin: whose each is, in which form, and what to look for.
type Needles = HashMap<[u8; 4], Vec<(&'static str, &'static str, Vec<u8>)>>;

/// Where the secrets are found, each kind of place and form once.
pub(crate) fn sightings(canaries: &[Canary], evidence: &[Evidence]) -> Vec<Sighting> {
    let mut needles: Needles = HashMap::new();
    for canary in canaries {
        for (form, needle) in canary.forms() {
            let begin = needle[..4].try_into().unwrap();
            needles.entry(begin).or_default().push((canary.name, form, needle));
        }
    }
    let mut found = Vec::new();
    for Evidence { place, bytes } in evidence {
        for (at, begin) in bytes.windows(4).enumerate() {
            let begin: [u8; 4] = begin.try_into().unwrap();
            for (canary, form, _) in
                needles.get(&begin).into_iter().flatten().filter(|known| bytes[at..].starts_with(&known.2))
            {
                found.push(Sighting { canary, place: place.clone(), form });
            }
        }
    }
    found.sort();
    found.dedup();
    found
}

/// Sightings where nothing may be seen.
pub(crate) fn leaks(canaries: &[Canary], evidence: &[Evidence]) -> Vec<Sighting> {
    let may_show = |sighting: &Sighting| {
        let canary = canaries.iter().find(|canary| canary.name == sighting.canary).unwrap();
        canary.shown_by.contains(&sighting.place.as_str())
    };
    sightings(canaries, evidence).into_iter().filter(|sighting| !may_show(sighting)).collect()
}
