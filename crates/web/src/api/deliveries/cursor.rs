//! Where a page of the history ended, as one opaque word.

use jiff::Timestamp;
use preclinical_core::{id::DeliveryId, port::DeliveryCursor};
use uuid::Uuid;

use crate::opaque;

/// 8 bytes of microseconds and 16 of the id. With their check they are 40 characters, none to spare.
pub(crate) fn write(cursor: DeliveryCursor) -> String {
    let mut bytes = cursor.created_at.as_microsecond().to_be_bytes().to_vec();
    bytes.extend_from_slice(cursor.id.uuid().as_bytes());
    opaque::write(&[], &bytes)
}

/// `None` if [`write`] did not write it.
pub(crate) fn read(text: &str) -> Option<DeliveryCursor> {
    let position = opaque::read::<24>(&[], text)?;
    let (time, id) = position.split_first_chunk::<8>()?;
    let created_at = Timestamp::from_microsecond(i64::from_be_bytes(*time)).ok()?;
    Some(DeliveryCursor { created_at, id: DeliveryId::from_uuid(Uuid::from_slice(id).ok()?) })
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
