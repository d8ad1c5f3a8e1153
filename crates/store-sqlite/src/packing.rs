//! Bodies as rows keep them: long ones deflated, if that spares a quarter of them.

use std::io::{Read, Write};

use bytes::Bytes;
use flate2::{Compression, read::DeflateDecoder, write::DeflateEncoder};
use preclinical_core::port::StoreError;

/// Bytes from which on it is worth the time. What we send is shorter; what comes back may be a page for people.
const LONG: usize = 1024;

/// A body and how it is kept.
pub(crate) struct Packed {
    pub(crate) bytes: Bytes,
    pub(crate) is_deflated: bool,
}

pub(crate) fn pack(body: &Bytes) -> Packed {
    match deflated(body) {
        Some(bytes) => Packed { bytes: bytes.into(), is_deflated: true },
        None => Packed { bytes: body.clone(), is_deflated: false },
    }
}

fn deflated(body: &[u8]) -> Option<Vec<u8>> {
    if body.len() < LONG {
        return None;
    }
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(body).ok()?;
    encoder.finish().ok().filter(|packed| packed.len() <= body.len() / 4 * 3)
}

/// The body, of `most` bytes at most.
pub(crate) fn unpack(bytes: Vec<u8>, is_deflated: bool, most: u64) -> Result<Vec<u8>, StoreError> {
    if !is_deflated {
        return Ok(bytes);
    }
    let mut body = Vec::new();
    let corrupt = |what: String| StoreError::Corrupt(format!("a body cannot be inflated: {what}"));
    DeflateDecoder::new(&bytes[..])
        .take(most.saturating_add(1))
        .read_to_end(&mut body)
        .map_err(|error| corrupt(error.to_string()))?;
    if body.len() as u64 > most { Err(corrupt("it is too long".into())) } else { Ok(body) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_body_comes_back_as_it_was_and_long_ones_are_shorter_meanwhile() {
        let page = "<p>Service unavailable</p>\n".repeat(200).into_bytes();
        // Nothing repeats in it, so deflating spares nothing.
        let noise: Vec<u8> =
            (0..4096_u32).flat_map(|n| n.wrapping_mul(2_654_435_761).rotate_left(n % 32).to_be_bytes()).collect();
        for (body, is_shorter) in [(Vec::new(), false), (page[..LONG - 1].to_vec(), false), (page, true), (noise, false)] {
            let Packed { bytes, is_deflated } = pack(&body.clone().into());
            assert_eq!((is_deflated, bytes.len() < body.len()), (is_shorter, is_shorter), "{} bytes", body.len());
            assert_eq!(unpack(bytes.to_vec(), is_deflated, body.len() as u64).unwrap(), body);
        }
    }

    #[test]
    fn what_is_no_body_of_ours_is_an_error_and_takes_no_memory() {
        let Packed { bytes, .. } = pack(&vec![b' '; 1 << 20].into());
        assert!(unpack(bytes.to_vec(), true, 1000).is_err());
        assert!(unpack(b"no deflated bytes".to_vec(), true, 1000).is_err());
    }
}
