//! The bytes that scenarios send.

use super::spec::Spec;

/// The early data of a scenario: text, and a line, as some peers want it.
pub(super) fn early_data(spec: &Spec) -> Vec<u8> {
    let Some(early) = spec.early else { return Vec::new() };
    let mut line: Vec<u8> =
        noise(early.len / 2, 4).iter().flat_map(|byte| format!("{byte:02x}").into_bytes()).collect();
    line.push(b'\n');
    line
}

/// Text for peers that take nothing else: lines of hexadecimal digits, with a bound, since each goes there and back.
pub(super) fn lines(len: usize) -> Vec<u8> {
    digits(len.min(1000)).as_bytes().chunks(50).flat_map(|line| [line, b"\n"].concat()).collect()
}

/// For peers that take nothing else, a request for a file that is not there.
pub(super) fn request(len: usize) -> Vec<u8> {
    format!("GET /none HTTP/1.0\r\nX: {}\r\n\r\n", digits(len.min(1000))).into()
}

fn digits(len: usize) -> String {
    noise(len / 2, 1).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Bytes that no record boundary, repetition or loss leaves unchanged (xorshift64, from a fixed seed).
pub(super) fn noise(len: usize, seed: u64) -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15 ^ seed;
    let mut bytes = Vec::with_capacity(len + 8);
    while bytes.len() < len {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes.extend_from_slice(&state.to_le_bytes());
    }
    bytes.truncate(len);
    bytes
}
