//! Where a page of the history ended, as one opaque word.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jiff::Timestamp;
use preclinical_core::{id::DeliveryId, port::DeliveryCursor};
use uuid::Uuid;

/// How many bytes of a cursor tell whether the others are as they were written. 30 bytes in all are 40 characters, none to spare.
const CHECK: usize = 6;

/// 8 bytes of microseconds, 16 of the id, and their check, in base64.
pub(super) fn write(cursor: DeliveryCursor) -> String {
    let mut bytes = cursor.created_at.as_microsecond().to_be_bytes().to_vec();
    bytes.extend_from_slice(cursor.id.uuid().as_bytes());
    let check = check(&bytes);
    bytes.extend_from_slice(&check);
    URL_SAFE_NO_PAD.encode(bytes)
}

/// `None` if [`write`] did not write it.
pub(super) fn read(text: &str) -> Option<DeliveryCursor> {
    let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
    let (position, given) = bytes.split_last_chunk::<CHECK>()?;
    let (time, id) = position.split_first_chunk::<8>().filter(|_| check(position) == *given)?;
    let created_at = Timestamp::from_microsecond(i64::from_be_bytes(*time)).ok()?;
    Some(DeliveryCursor { created_at, id: DeliveryId::from_uuid(Uuid::from_slice(id).ok()?) })
}

/// A part of the FNV-1a hash. It finds mistakes and keeps out nobody: a cursor opens nothing that a filter would not.
fn check(bytes: &[u8]) -> [u8; CHECK] {
    let mixed = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
    let [_, _, check @ ..] = bytes.iter().fold(0xcbf2_9ce4_8422_2325, mixed).to_be_bytes();
    check
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_reads_back_and_anything_else_is_refused() {
        let created_at = "2026-01-30T10:32:45.123456Z".parse().unwrap();
        let cursor = DeliveryCursor { created_at, id: DeliveryId::from_uuid(Uuid::from_u128(7)) };
        assert_eq!(read(&write(cursor)), Some(cursor));
        for wrong in ["", "AAAA", "not base64!", &"f".repeat(32), &write(cursor)[1..]] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }
}
