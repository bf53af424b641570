//! SPIFFE IDs (the SPIFFE-ID standard, sections 2.1 to 2.3): URIs that name a workload in a trust domain.

/// A well-formed SPIFFE ID, borrowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SpiffeId<'a> {
    text: &'a str,
    trust_domain: &'a str,
}

impl<'a> SpiffeId<'a> {
    /// The longest there is, in octets.
    const LONGEST: usize = 2_048;
    /// The longest trust domain, in octets.
    const LONGEST_DOMAIN: usize = 255;

    /// Reads one: `spiffe://`, a trust domain of lower-case letters, digits, `.`, `-` and `_`, and a path of letters,
    /// digits, `.`, `-` and `_` without empty, `.` or `..` segments; no user, port, query, fragment or percent-encoding.
    #[must_use]
    pub fn parse(text: &'a str) -> Option<Self> {
        let rest = text.strip_prefix("spiffe://").filter(|_| text.len() <= Self::LONGEST)?;
        let (trust_domain, path) = match rest.split_once('/') {
            Some((domain, path)) => (domain, Some(path)),
            None => (rest, None),
        };
        let in_domain = |byte: u8| {
            byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'.' | b'-' | b'_')
        };
        let in_path = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_');
        let is_segment = |segment: &str| !matches!(segment, "" | "." | "..") && segment.bytes().all(in_path);
        let valid = (1..=Self::LONGEST_DOMAIN).contains(&trust_domain.len())
            && trust_domain.bytes().all(in_domain)
            && path.is_none_or(|path| path.split('/').all(is_segment));
        valid.then_some(Self { text, trust_domain })
    }

    /// The whole URI.
    #[must_use]
    pub const fn as_str(&self) -> &'a str {
        self.text
    }

    /// The trust domain.
    #[must_use]
    pub const fn trust_domain(&self) -> &'a str {
        self.trust_domain
    }

    /// The path with its leading slash; empty for the ID of a trust domain.
    #[must_use]
    pub fn path(&self) -> &'a str {
        let prefix = "spiffe://".len().saturating_add(self.trust_domain.len());
        self.text.get(prefix..).unwrap_or("")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn well_formed_ids_come_apart() {
        for (text, domain, path) in [
            ("spiffe://ox.test/ns/prod/sa/Web_1.0", "ox.test", "/ns/prod/sa/Web_1.0"),
            ("spiffe://ox.test", "ox.test", ""),
            ("spiffe://ox_1/...", "ox_1", "/..."),
        ] {
            let id = SpiffeId::parse(text).unwrap();
            assert_eq!((id.as_str(), id.trust_domain(), id.path()), (text, domain, path));
        }
        assert!(SpiffeId::parse(&format!("spiffe://ox/{}", "a".repeat(2_036))).is_some());
    }

    #[test]
    fn what_is_not_well_formed_is_none() {
        for text in [
            "",
            "spiffe://",
            "spiffe:///x",
            "spiffe://ox/",
            "spiffe://ox//x",
            "spiffe://ox/x/",
            "spiffe://ox/./x",
            "spiffe://ox/x/..",
            "SPIFFE://ox/x",
            "spiffe://Ox/x",
            "spiffe://ox:80/x",
            "spiffe://user@ox/x",
            "spiffe://ox/x?y",
            "spiffe://ox/x#y",
            "spiffe://ox/%41",
            "spiffe://ox?x",
            "https://ox/x",
            "spiffe:ox/x",
            "spiffe://\u{f6}x/x",
        ] {
            assert_eq!(SpiffeId::parse(text), None, "{text}");
        }
        assert_eq!(SpiffeId::parse(&format!("spiffe://{}", "a".repeat(256))), None);
        assert_eq!(SpiffeId::parse(&format!("spiffe://ox/{}", "a".repeat(2_037))), None);
    }
}
