//! Checksums, made right: the checks behind them are to be reached.

/// Bytes of a checkpoint before the generator's words.
const HEADER: usize = 80;

/// Puts the right checksum where the bytes say that it stands.
pub fn repair(bytes: &mut [u8]) {
    let Some(header) = bytes.first_chunk::<HEADER>() else { return };
    let number = |at: usize| u64::from(u32::from_le_bytes(std::array::from_fn(|i| header[at + i])));
    let (dim, len, words) = (number(12), number(16), number(20));
    let values = dim.saturating_mul(len).saturating_mul(u64::from(header[6]));
    let body = (HEADER as u64).saturating_add(4 * words).saturating_add(values);
    let Ok(body) = usize::try_from(body) else { return };
    if body.checked_add(4).is_some_and(|end| end <= bytes.len()) {
        let checksum = crc32(&bytes[..body]).to_le_bytes();
        bytes[body..body + 4].copy_from_slice(&checksum);
    }
}

/// CRC-32 of zlib and PNG, bit by bit: none of the library under test.
pub fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |crc, &byte| {
        (0..8).fold(crc ^ u32::from(byte), |crc, _| (crc >> 1) ^ (0xedb8_8320 & (crc & 1).wrapping_neg()))
    })
}
