//! Compressed registrations (`docs/wire.md` §2.4): zlib without compression, which every inflater reads, and the checksums.

use serde_json::Value;

/// Lengths are four bytes.
fn chunk(out: &mut Vec<u8>, bytes: &[u8]) {
    out.extend_from_slice(&(bytes.len() as u32).to_be_bytes());
    out.extend_from_slice(bytes);
}

/// The body of a compressed registration. `mappings` is what a request of version 413 or later carries.
pub(super) fn registration(
    data_version: &Value,
    topics: &[String],
    filter_servers: &Value,
    mappings: Option<&[Value]>,
) -> Vec<u8> {
    let mut plain = Vec::new();
    chunk(&mut plain, data_version.to_string().as_bytes());
    plain.extend_from_slice(&(topics.len() as u32).to_be_bytes());
    for topic in topics {
        chunk(&mut plain, topic.as_bytes());
    }
    chunk(&mut plain, filter_servers.to_string().as_bytes());
    if let Some(mappings) = mappings {
        plain.extend_from_slice(&(mappings.len() as u32).to_be_bytes());
        for mapping in mappings {
            chunk(&mut plain, mapping.to_string().as_bytes());
        }
    }
    zlib(&plain)
}

/// RFC 1950 with one stored block: up to 65,535 bytes.
fn zlib(plain: &[u8]) -> Vec<u8> {
    let length = u16::try_from(plain.len()).expect("a short registration");
    let mut out = vec![0x78, 0x01, 0x01];
    out.extend_from_slice(&length.to_le_bytes());
    out.extend_from_slice(&(!length).to_le_bytes());
    out.extend_from_slice(plain);
    let (mut low, mut high) = (1_u32, 0_u32);
    for byte in plain {
        low = (low + u32::from(*byte)) % 65_521;
        high = (high + low) % 65_521;
    }
    out.extend_from_slice(&(high << 16 | low).to_be_bytes());
    out
}

/// What `bodyCrc32` must be.
pub(super) fn crc(body: &[u8]) -> u32 {
    let mut crc = u32::MAX;
    for byte in body {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = if crc & 1 == 1 { crc >> 1 ^ 0xedb8_8320 } else { crc >> 1 };
        }
    }
    !crc & 0x7fff_ffff
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checksums_are_those_of_the_specification() {
        assert_eq!(crc(b"123456789"), 1_274_296_614);
        assert_eq!(zlib(b"Wikipedia")[16..], [0x11, 0xe6, 0x03, 0x98]);
    }
}
