//! A few lines of DER for values that tests want to control to the last bit.

/// An element: identifier octet, shortest length, contents.
#[must_use]
pub fn tlv(tag: u8, contents: &[&[u8]]) -> Vec<u8> {
    let length: usize = contents.iter().map(|part| part.len()).sum();
    let mut der = vec![tag];
    match length {
        0..=0x7f => der.push(length as u8),
        0x80..=0xff => der.extend([0x81, length as u8]),
        0x100..=0xffff => der.extend([0x82, (length >> 8) as u8, length as u8]),
        _ => der.extend([0x83, (length >> 16) as u8, (length >> 8) as u8, length as u8]),
    }
    contents.iter().for_each(|part| der.extend_from_slice(part));
    der
}

/// An OBJECT IDENTIFIER from its dotted form.
#[must_use]
pub fn oid(dotted: &str) -> Vec<u8> {
    let oid = spki::ObjectIdentifier::new(dotted).expect("an object identifier");
    tlv(0x06, &[oid.as_bytes()])
}

/// The contents of an element.
#[must_use]
pub fn contents(element: &[u8]) -> &[u8] {
    let (header, length) = sizes(element);
    &element[header..header + length]
}

/// The first element of some contents, with its header.
#[must_use]
pub fn first(contents: &[u8]) -> &[u8] {
    let (header, length) = sizes(contents);
    &contents[..header + length]
}

/// Every element of some contents, each with its header.
#[must_use]
pub fn elements(mut contents: &[u8]) -> Vec<&[u8]> {
    let mut all = Vec::new();
    while !contents.is_empty() {
        let element = first(contents);
        contents = &contents[element.len()..];
        all.push(element);
    }
    all
}

/// Replaces the first occurrence of `from` by `to` (which may differ in length: enclosing lengths are not adjusted).
///
/// # Panics
/// If there is none: an edit that does nothing would make a test that can't fail.
pub fn replace(bytes: &mut Vec<u8>, from: &[u8], to: &[u8]) {
    let position =
        bytes.windows(from.len()).position(|window| window == from).expect("the bytes to replace are there");
    bytes.splice(position..position + from.len(), to.iter().copied());
}

fn sizes(element: &[u8]) -> (usize, usize) {
    match element[1] {
        short @ 0..=0x7f => (2, usize::from(short)),
        long => {
            let count = usize::from(long & 0x7f);
            let length = element[2..2 + count].iter().fold(0, |sum, &byte| sum << 8 | usize::from(byte));
            (2 + count, length)
        }
    }
}
