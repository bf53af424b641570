//! The second ClientHello: the first one again, but for what a HelloRetryRequest asked to change (RFC 9846
//! section 4.2.2).
//!
//! What was negotiated from the first hello stays negotiated, so everything that negotiation looked at must be
//! the same, byte for byte and in the same order. Otherwise somebody between could steer the choice by one hello
//! and leave the other to be seen by the application.

use oxtls_crypto::hash::Hash;

use crate::codec::Reader;
use crate::error::Error;
use crate::extension::ExtensionType;

/// What the HelloRetryRequest said, which the second hello must follow.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asked<'a> {
    /// It named a group: key_share changes.
    pub(super) key_share: bool,
    /// It brought a cookie, to be echoed.
    pub(super) cookie: Option<&'a [u8]>,
    /// The hash of the suite that it chose, which a PSK must be of to stay offered.
    pub(super) hash: Hash,
}

/// Checks the body of the second hello against that of the first.
///
/// # Errors
/// `MissingExtension` when the cookie is not echoed or all PSKs are gone though one was good, `IllegalParameter` for another one and for any difference that
/// section 4.2.2 does not allow. early_data, which a client may not send again, changes nothing: its records do not
/// open.
pub(super) fn check(first: &[u8], second: &[u8], asked: Asked<'_>) -> Result<(), Error> {
    let (first, second) = (Split::new(first)?, Split::new(second)?);
    check_cookie(&second, asked.cookie)?;
    if first.fields != second.fields {
        return Err(Error::IllegalParameter {
            what: "the second ClientHello has other fields than the first",
        });
    }
    if first.find(ExtensionType::PRE_SHARED_KEY).is_none()
        && second.find(ExtensionType::PRE_SHARED_KEY).is_some()
    {
        return Err(Error::IllegalParameter { what: "pre_shared_key is new in the second ClientHello" });
    }
    check_psks(&first, &second, asked.hash)?;
    let mut before = first.fixed(asked);
    let mut after = second.fixed(asked);
    loop {
        match (before.next(), after.next()) {
            (None, None) => return Ok(()),
            (a, b) if a == b => {}
            _ => {
                return Err(Error::IllegalParameter {
                    what: "the second ClientHello has other extensions than the first",
                });
            }
        }
    }
}

fn check_cookie(second: &Split<'_>, asked: Option<&[u8]>) -> Result<(), Error> {
    let Some(asked) = asked else { return Ok(()) };
    let data = second.find(ExtensionType::COOKIE).ok_or(Error::MissingExtension(ExtensionType::COOKIE))?;
    let mut reader = Reader::new(data, "cookie");
    let echoed = reader.vec_u16()?;
    reader.finish()?;
    if echoed == asked { Ok(()) } else { Err(Error::IllegalParameter { what: "cookie" }) }
}

/// PSKs of another hash than the chosen suite's may be taken back, and with the last of them the extension: one that is
/// good is not. A binder is as long as its PSK's hash (section 4.3.11.2), so the first hello says which is which.
fn check_psks(first: &Split<'_>, second: &Split<'_>, hash: Hash) -> Result<(), Error> {
    let (typ, length) = (ExtensionType::PRE_SHARED_KEY, hash.output_len());
    let Some(data) = first.find(typ).filter(|_| second.find(typ).is_none()) else { return Ok(()) };
    let mut reader = Reader::new(data, "pre_shared_key");
    reader.vec_u16()?;
    let mut binders = reader.reader_u16()?;
    while !binders.is_empty() {
        if binders.vec_u8()?.len() == length {
            return Err(Error::MissingExtension(typ));
        }
    }
    Ok(())
}

/// A ClientHello in two: what comes before the extensions, and the extensions, uninterpreted.
struct Split<'a> {
    fields: [&'a [u8]; 5],
    extensions: Vec<(ExtensionType, &'a [u8])>,
}

impl<'a> Split<'a> {
    fn new(body: &'a [u8]) -> Result<Self, Error> {
        let mut r = Reader::new(body, "ClientHello");
        let fields = [r.bytes(2)?, r.bytes(32)?, r.vec_u8()?, r.vec_u16()?, r.vec_u8()?];
        let mut block = r.reader_u16()?;
        let mut extensions = Vec::new();
        while !block.is_empty() {
            extensions.push((ExtensionType(block.u16()?), block.vec_u16()?));
        }
        Ok(Self { fields, extensions })
    }

    fn find(&self, wanted: ExtensionType) -> Option<&'a [u8]> {
        self.extensions.iter().find(|(typ, _)| *typ == wanted).map(|(_, data)| *data)
    }

    /// The extensions that may not differ.
    fn fixed(&self, asked: Asked<'_>) -> impl Iterator<Item = &(ExtensionType, &'a [u8])> {
        self.extensions.iter().filter(move |(typ, _)| match *typ {
            ExtensionType::KEY_SHARE => !asked.key_share,
            ExtensionType::COOKIE => asked.cookie.is_none(),
            ExtensionType::EARLY_DATA | ExtensionType::PRE_SHARED_KEY | ExtensionType::PADDING => false,
            _ => true,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::Writer;

    type Extension = (ExtensionType, &'static [u8]);

    const FIRST: &[Extension] = &[
        (ExtensionType::SERVER_NAME, b"name"),
        (ExtensionType::KEY_SHARE, b"first share"),
        (ExtensionType::EARLY_DATA, b""),
        (ExtensionType::SUPPORTED_VERSIONS, b"versions"),
        (ExtensionType(0x7a7a), b"grease"),
    ];
    const SECOND: &[Extension] = &[
        (ExtensionType::SERVER_NAME, b"name"),
        (ExtensionType::KEY_SHARE, b"second share"),
        (ExtensionType::SUPPORTED_VERSIONS, b"versions"),
        (ExtensionType::COOKIE, b"\0\x05crumb"),
        (ExtensionType(0x7a7a), b"grease"),
        (ExtensionType::PADDING, b"\0\0\0"),
    ];
    const ASKED: Asked<'static> = Asked { key_share: true, cookie: Some(b"crumb"), hash: Hash::Sha256 };

    fn hello(random: u8, extensions: &[Extension]) -> Vec<u8> {
        let mut w = Writer::new();
        w.u16(0x0303);
        w.bytes(&[random; 32]);
        w.vec_u8(b"session");
        w.vec_u16(&[0x13, 0x01]);
        w.vec_u8(&[0]);
        w.block_u16(|w| {
            for (typ, data) in extensions {
                w.u16(typ.0);
                w.vec_u16(data);
            }
        });
        w.finish().unwrap()
    }

    fn changed(change: impl FnOnce(&mut Vec<Extension>)) -> Vec<u8> {
        let mut extensions = SECOND.to_vec();
        change(&mut extensions);
        hello(7, &extensions)
    }

    fn verdict(second: &[u8], asked: Asked<'_>) -> Result<(), Error> {
        check(&hello(7, FIRST), second, asked)
    }

    #[test]
    fn what_a_retry_asks_for_may_change() {
        verdict(&hello(7, SECOND), ASKED).unwrap();
    }

    #[test]
    fn early_data_again_changes_nothing() {
        let early = changed(|e| e.insert(2, (ExtensionType::EARLY_DATA, b"")));
        verdict(&early, ASKED).unwrap();
    }

    #[test]
    fn the_cookie_is_echoed_exactly() {
        let none = changed(|e| e.retain(|(typ, _)| *typ != ExtensionType::COOKIE));
        assert!(matches!(verdict(&none, ASKED), Err(Error::MissingExtension(ExtensionType::COOKIE))));
        let other = Asked { cookie: Some(b"other"), ..ASKED };
        assert!(matches!(verdict(&hello(7, SECOND), other), Err(Error::IllegalParameter { what: "cookie" })));
        let unasked = Asked { cookie: None, ..ASKED };
        assert!(matches!(verdict(&hello(7, SECOND), unasked), Err(Error::IllegalParameter { .. })));
    }

    #[test]
    fn key_share_stays_when_only_a_cookie_was_asked_for() {
        let asked = Asked { key_share: false, ..ASKED };
        assert!(matches!(verdict(&hello(7, SECOND), asked), Err(Error::IllegalParameter { .. })));
        let same = changed(|e| e[1].1 = b"first share");
        verdict(&same, asked).unwrap();
    }

    #[test]
    fn a_psk_that_fits_the_chosen_suite_is_not_taken_back() {
        // One identity of one byte and its age; a binder of SHA-384's length, then one of SHA-256's too.
        let psks = |binders: &[usize]| {
            let mut w = Writer::new();
            w.block_u16(|w| {
                for _ in binders {
                    w.vec_u16(b"i");
                    w.bytes(&[0; 4]);
                }
            });
            w.block_u16(|w| binders.iter().for_each(|length| w.vec_u8(&vec![0; *length])));
            w.finish().unwrap()
        };
        let first = |binders: &[usize]| {
            let data: &'static [u8] = Box::leak(psks(binders).into_boxed_slice());
            let mut extensions = FIRST.to_vec();
            extensions.push((ExtensionType::PRE_SHARED_KEY, data));
            hello(7, &extensions)
        };
        let missing = Error::MissingExtension(ExtensionType::PRE_SHARED_KEY);
        for (binders, hash, is_missing) in [
            (&[48][..], Hash::Sha256, false),
            (&[48], Hash::Sha384, true),
            (&[48, 32], Hash::Sha256, true),
            (&[32, 32], Hash::Sha384, false),
        ] {
            let verdict = check(&first(binders), &hello(7, SECOND), Asked { hash, ..ASKED });
            match verdict {
                Err(error) if is_missing => assert_eq!(error.to_string(), missing.to_string()),
                verdict => assert!(!is_missing && verdict.is_ok(), "{binders:?} {hash:?}: {verdict:?}"),
            }
        }
    }

    #[test]
    fn any_other_difference_is_refused() {
        let grease = changed(|e| e[4].1 = b"other");
        let removed = changed(|e| e.truncate(4));
        let added = changed(|e| e.push((ExtensionType(0x1a1a), b"")));
        let reordered = changed(|e| e.swap(0, 2));
        let psk = changed(|e| e.push((ExtensionType::PRE_SHARED_KEY, b"identities")));
        for second in [grease, removed, added, reordered, psk, hello(8, SECOND)] {
            assert!(matches!(verdict(&second, ASKED), Err(Error::IllegalParameter { .. })));
        }
    }
}
