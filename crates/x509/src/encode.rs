//! The little DER that this crate writes: names to hash and to compare, and the signed part of a precertificate.

/// Identifier and length octets of an element with contents of `length` octets.
pub(crate) fn header(tag: u8, length: usize) -> Vec<u8> {
    let mut der = vec![tag];
    let octets = length.to_be_bytes();
    let zeros = octets.iter().take_while(|&&octet| octet == 0).count();
    let significant = octets.get(zeros..).unwrap_or(&[]);
    if length > 0x7f {
        // A `usize` has at most 8 octets.
        der.extend(u8::try_from(significant.len()).map(|count| 0x80 | count));
    } else if length == 0 {
        der.push(0);
    }
    der.extend_from_slice(significant);
    der
}

/// An element: header and contents.
pub(crate) fn element(tag: u8, contents: &[u8]) -> Vec<u8> {
    let mut der = header(tag, contents.len());
    der.extend_from_slice(contents);
    der
}

#[cfg(test)]
mod tests {
    use super::header;

    #[test]
    fn lengths_are_in_their_shortest_form() {
        for (length, expected) in [
            (0, &[0x30, 0][..]),
            (0x7f, &[0x30, 0x7f]),
            (0x80, &[0x30, 0x81, 0x80]),
            (0x100, &[0x30, 0x82, 1, 0]),
            (0x0123_4567, &[0x30, 0x84, 1, 0x23, 0x45, 0x67]),
        ] {
            assert_eq!(header(0x30, length), expected, "{length:#x}");
        }
    }
}
