//! The encodings that flags come in.

/// Standard base64, padded.
pub(crate) fn base64(text: &[u8]) -> Option<Vec<u8>> {
    let end = text.iter().rposition(|byte| *byte != b'=').map_or(0, |last| last + 1);
    if !text.len().is_multiple_of(4) || text.len() - end > 2 {
        return None;
    }
    let mut out = Vec::new();
    let (mut bits, mut held) = (0u32, 0u32);
    for byte in text.get(..end)? {
        bits = bits << 6 | six_bits(*byte)?;
        held += 6;
        if held >= 8 {
            held -= 8;
            out.push(u8::try_from(bits >> held & 0xff).ok()?);
        }
    }
    Some(out)
}

fn six_bits(byte: u8) -> Option<u32> {
    let value = match byte {
        b'A'..=b'Z' => byte - b'A',
        b'a'..=b'z' => byte - b'a' + 26,
        b'0'..=b'9' => byte - b'0' + 52,
        b'+' => 62,
        b'/' => 63,
        _ => return None,
    };
    Some(value.into())
}

/// Pairs of hexadecimal digits.
pub(crate) fn hex(text: &[u8]) -> Option<Vec<u8>> {
    let digit = |byte: u8| char::from(byte).to_digit(16);
    text.chunks(2)
        .map(|pair| match pair {
            [high, low] => u8::try_from(digit(*high)? << 4 | digit(*low)?).ok(),
            _ => None,
        })
        .collect()
}

/// What has a length byte before each element: `\x02h2\x08http/1.1`.
pub(crate) fn length_prefixed(mut wire: &[u8]) -> Option<Vec<Vec<u8>>> {
    let mut elements = Vec::new();
    while let Some((length, rest)) = wire.split_first() {
        let (element, rest) = rest.split_at_checked((*length).into())?;
        elements.push(element.to_vec());
        wire = rest;
    }
    Some(elements)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_strict() {
        assert_eq!(base64(b"").as_deref(), Some(&b""[..]));
        assert_eq!(base64(b"Zm9vYmE=").as_deref(), Some(&b"fooba"[..]));
        assert_eq!(base64(b"Zm9vYg==").as_deref(), Some(&b"foob"[..]));
        assert_eq!(base64(b"/+8=").as_deref(), Some(&[0xff, 0xef][..]));
        for bad in [&b"Zm9"[..], b"Z===", b"Zm9-", b"====", b"Zm=v"] {
            assert_eq!(base64(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn hex_comes_in_pairs() {
        assert_eq!(hex(b"00fF").as_deref(), Some(&[0, 255][..]));
        assert_eq!(hex(b"0"), None);
        assert_eq!(hex(b"0g"), None);
    }

    #[test]
    fn a_length_that_reaches_past_the_end_is_refused() {
        assert_eq!(length_prefixed(b"\x02h2\x00").as_deref(), Some(&[b"h2".to_vec(), vec![]][..]));
        assert_eq!(length_prefixed(b"\x03h2"), None);
    }
}
