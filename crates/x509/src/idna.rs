//! Labels of internationalised domain names in their ASCII form (RFC 5890 section 2.3, RFC 3492).
//!
//! Names are compared as A-labels, octet by octet but for ASCII case: no U-label is converted, none is accepted. What is
//! checked here is that a label which claims to be an A-label is one.

/// Whether a label of letters, digits and hyphens is neither a fake A-label nor reserved: with hyphens in its third and
/// fourth place it must begin with `xn--` and be Punycode for something that is not ASCII (RFC 5890 section 2.3.1).
pub(crate) fn is_unreserved_or_a_label(label: &str) -> bool {
    match label.split_at_checked(4) {
        Some((prefix, encoded)) if prefix.ends_with("--") => {
            prefix.eq_ignore_ascii_case("xn--") && is_punycode(encoded)
        }
        _ => true,
    }
}

/// Whether a name has a label that claims to be an A-label.
pub(crate) fn has_a_label(name: &str) -> bool {
    name.split('.').any(|label| label.get(..4).is_some_and(|prefix| prefix.eq_ignore_ascii_case("xn--")))
}

const BASE: u32 = 36;
const T_MIN: u32 = 1;
const T_MAX: u32 = 26;
const SKEW: u32 = 38;
const DAMP: u32 = 700;
const INITIAL_BIAS: u32 = 72;
const INITIAL_N: u32 = 0x80;

/// Whether it decodes (RFC 3492 section 6.2), to Unicode characters of which at least one is not ASCII.
fn is_punycode(encoded: &str) -> bool {
    let (basic, extended) = encoded.rsplit_once('-').unwrap_or(("", encoded));
    !extended.is_empty() && decodes(basic.len(), extended.as_bytes()).is_some()
}

/// Only the code points matter: where they are inserted changes nothing about whether they are characters.
fn decodes(basic: usize, extended: &[u8]) -> Option<()> {
    let mut length = u32::try_from(basic).ok()?;
    let (mut n, mut i, mut bias) = (INITIAL_N, 0u32, INITIAL_BIAS);
    let mut digits = extended.iter();
    while !digits.as_slice().is_empty() {
        let before = i;
        let mut weight = 1u32;
        let mut k = BASE;
        loop {
            let digit = digit(*digits.next()?)?;
            i = i.checked_add(digit.checked_mul(weight)?)?;
            let threshold = k.saturating_sub(bias).clamp(T_MIN, T_MAX);
            if digit < threshold {
                break;
            }
            weight = weight.checked_mul(BASE.saturating_sub(threshold))?;
            k = k.checked_add(BASE)?;
        }
        length = length.checked_add(1)?;
        bias = adapted(i.saturating_sub(before), length, before == 0);
        n = n.checked_add(i.checked_div(length)?)?;
        i = i.checked_rem(length)?;
        char::from_u32(n)?;
        i = i.checked_add(1)?;
    }
    Some(())
}

fn digit(byte: u8) -> Option<u32> {
    match byte {
        b'a'..=b'z' => byte.checked_sub(b'a').map(u32::from),
        b'A'..=b'Z' => byte.checked_sub(b'A').map(u32::from),
        b'0'..=b'9' => byte.checked_sub(b'0').and_then(|digit| digit.checked_add(26)).map(u32::from),
        _ => None,
    }
}

/// RFC 3492 section 6.1.
fn adapted(delta: u32, length: u32, first: bool) -> u32 {
    let delta = if first { delta / DAMP } else { delta / 2 };
    let mut delta = delta.saturating_add(delta.checked_div(length).unwrap_or(0));
    let mut k = 0u32;
    while delta > (BASE - T_MIN) * T_MAX / 2 {
        delta /= BASE - T_MIN;
        k = k.saturating_add(BASE);
    }
    let range = (BASE - T_MIN + 1).saturating_mul(delta);
    k.saturating_add(range.checked_div(delta.saturating_add(SKEW)).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn real_a_labels_are_told_from_fake_ones() {
        for label in [
            "xn--bcher-kva",
            "XN--BCHER-KVA",
            "xn--fiqs8s",
            "xn--p1ai",
            "xn--mgberp4a5d4ar",
            "xn--nxasmq6b",
            "plain",
            "a-b",
            "ab-",
            "x",
        ] {
            assert!(is_unreserved_or_a_label(label), "{label}");
        }
        // Nothing encoded, nothing but ASCII, cut off, overflowing, a surrogate, beyond Unicode, no digit, reserved.
        for label in [
            "xn--",
            "xn--a-",
            "xn--abc-",
            "xn--99",
            "xn--99999999999",
            "xn--999999b",
            "xn--ib9b",
            "xn--9999999a",
            "xn--bcher-k_a",
            "ab--cd",
            "xx--fiqs8s",
        ] {
            assert!(!is_unreserved_or_a_label(label), "{label}");
        }
        assert!(has_a_label("www.xn--p1ai"));
        assert!(!has_a_label("www.xn-p1ai"));
    }
}
