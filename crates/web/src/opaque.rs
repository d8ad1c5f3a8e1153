//! Places in a list or a stream as one opaque word, which whoever got it sends back to go on there.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

/// How many bytes of a word tell whether the others are as they were written.
const CHECK: usize = 6;

/// The bytes of a place and their check, in base64. `of` is what it is a place in.
pub(crate) fn write(of: &[u8], place: &[u8]) -> String {
    let mut bytes = place.to_vec();
    bytes.extend_from_slice(&check(of, place));
    URL_SAFE_NO_PAD.encode(bytes)
}

/// The bytes of the place; `None` if [`write`] did not write it, or as a place in something else.
pub(crate) fn read<const LENGTH: usize>(of: &[u8], text: &str) -> Option<[u8; LENGTH]> {
    let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
    let (place, given) = bytes.split_last_chunk::<CHECK>()?;
    let place: [u8; LENGTH] = place.try_into().ok()?;
    (check(of, &place) == *given).then_some(place)
}

/// A part of the FNV-1a hash. It finds mistakes and keeps out nobody: a place opens nothing that a filter would not.
fn check(of: &[u8], place: &[u8]) -> [u8; CHECK] {
    let mixed = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
    let [_, _, check @ ..] = of.iter().chain(place).fold(0xcbf2_9ce4_8422_2325, mixed).to_be_bytes();
    check
}
