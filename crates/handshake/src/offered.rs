//! What a peer offers, kept whole and printed in short.

use core::fmt;
use core::ops::Deref;

use oxtls_crypto::key_exchange::NamedGroup;
use oxtls_crypto::signature::SignatureScheme;

use crate::suite::{CipherSuite, ProtocolVersion};

/// How many entries are printed.
const SHOWN: usize = 16;

/// How many bytes of a name are printed.
const SHOWN_OF_NAME: usize = 32;

/// What a peer offers. Both its texts show 16 entries and say how many more there are, and 32 bytes of each name: a
/// hello of 64 kB must not become a line of a log.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Offered<T>(Vec<T>);

impl<T> From<Vec<T>> for Offered<T> {
    fn from(offered: Vec<T>) -> Self {
        Self(offered)
    }
}

impl<T> Deref for Offered<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        &self.0
    }
}

macro_rules! texts {
    ($($of:ty, $text:expr;)*) => {$(
        impl fmt::Display for Offered<$of> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                list(f, &self.0, $text)
            }
        }

        impl fmt::Debug for Offered<$of> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "[{self}]")
            }
        }
    )*};
}

texts! {
    ProtocolVersion, |f, version| write!(f, "{version}");
    CipherSuite, |f, suite| write!(f, "{suite}");
    NamedGroup, |f, group| write!(f, "{group}");
    SignatureScheme, |f, scheme| write!(f, "{scheme}");
    Vec<u8>, |f, bytes| name(f, bytes);
}

fn list<T>(
    f: &mut fmt::Formatter<'_>,
    offered: &[T],
    text: impl Fn(&mut fmt::Formatter<'_>, &T) -> fmt::Result,
) -> fmt::Result {
    if offered.is_empty() {
        return f.write_str("nothing");
    }
    for (i, item) in offered.iter().take(SHOWN).enumerate() {
        f.write_str(if i == 0 { "" } else { ", " })?;
        text(f, item)?;
    }
    match offered.len().saturating_sub(SHOWN) {
        0 => Ok(()),
        more => write!(f, " and {more} more"),
    }
}

/// A name of bytes, escaped: it comes from the peer, and a log has lines.
fn name(f: &mut fmt::Formatter<'_>, bytes: &[u8]) -> fmt::Result {
    match bytes.get(..SHOWN_OF_NAME) {
        Some(start) if bytes.len() > SHOWN_OF_NAME => {
            write!(f, "{:?} (of {} bytes)", String::from_utf8_lossy(start), bytes.len())
        }
        _ => write!(f, "{:?}", String::from_utf8_lossy(bytes)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Error;

    #[test]
    fn text_of_a_long_offer_is_short() {
        let error = Error::NoApplicationProtocol { peer: vec![vec![1; 255]; 256].into() };
        let many = Error::NoCommonSuite { peer: vec![CipherSuite(0x0a0a); 32_767].into() };
        for error in [error, many] {
            for text in [error.to_string(), format!("{error:?}"), format!("{error:#?}")] {
                assert!(text.len() < 4096, "{}", text.len());
                assert!(text.contains(" more"), "{text}");
            }
        }
    }

    #[test]
    fn short_offer_is_shown_whole() {
        let error = Error::NoApplicationProtocol { peer: vec![b"h2".to_vec(), b"a\nb".to_vec()].into() };
        assert!(error.to_string().ends_with("the peer offers \"h2\", \"a\\nb\""), "{error}");
        assert_eq!(format!("{:?}", Offered::<Vec<u8>>::from(Vec::new())), "[nothing]");
        let groups = Offered::from(vec![NamedGroup::X25519; 16]);
        assert!(!groups.to_string().contains("more"));
        assert_eq!(
            Offered::from(vec![b"x".repeat(33)]).to_string(),
            format!("{:?} (of 33 bytes)", "x".repeat(32))
        );
    }
}
