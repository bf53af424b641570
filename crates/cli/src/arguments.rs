//! Values on the command line.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use oxtls::{CipherSuite, Credential, KeyShares, NamedGroup, ProtocolVersion, handshake::defaults};

use crate::exit::Failure;

/// The most seconds that an option takes: a day.
const MOST_SECONDS: f64 = 86_400.0;

/// The items of a list with commas.
pub(crate) fn list(value: &str) -> Vec<&str> {
    value.split(',').map(str::trim).filter(|item| !item.is_empty()).collect()
}

/// Application protocols, `h2,http/1.1`.
pub(crate) fn alpn(value: &str) -> Result<Vec<String>, Failure> {
    let protocols: Vec<_> = list(value).into_iter().map(str::to_owned).collect();
    if protocols.is_empty() {
        return Err(Failure::usage("--alpn wants at least one protocol, such as h2,http/1.1"));
    }
    Ok(protocols)
}

/// Cipher suites by the registry's names, whole or without `TLS_`, in any case.
pub(crate) fn suites(value: &str) -> Result<Vec<CipherSuite>, Failure> {
    let known = |suite: &CipherSuite| suite.name().unwrap_or_default();
    list(value)
        .into_iter()
        .map(|name| {
            let found = defaults::SUITES_TLS12.iter().find(|suite| {
                let known = known(suite);
                name.eq_ignore_ascii_case(known)
                    || known.strip_prefix("TLS_").is_some_and(|short| name.eq_ignore_ascii_case(short))
            });
            let names: Vec<_> = defaults::SUITES_TLS12.iter().map(known).collect();
            found.copied().ok_or_else(|| unknown("cipher suite", name, &names))
        })
        .collect()
}

/// `--tls1.2`, `--tls1.3`, `--versions 1.2-1.3`: what is named is spoken, and what lies between.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Versions(Option<(ProtocolVersion, ProtocolVersion)>);

impl Versions {
    /// Adds a version to what is spoken.
    pub(crate) fn add(&mut self, version: ProtocolVersion) {
        let (lowest, highest) = self.0.unwrap_or((version, version));
        self.0 = Some((lowest.min(version), highest.max(version)));
    }

    /// `--versions`: one, or the first and the last.
    pub(crate) fn add_range(&mut self, value: &str) -> Result<(), Failure> {
        let number = |text: &str| match text.trim() {
            "1.2" => Ok(ProtocolVersion::TLS1_2),
            "1.3" => Ok(ProtocolVersion::TLS1_3),
            _ => {
                let wanted = format_args!("--versions wants 1.2, 1.3 or 1.2-1.3, not {value:?}");
                Err(Failure::usage(wanted))
            }
        };
        let (first, last) = value.split_once('-').unwrap_or((value, value));
        let (first, last) = (number(first)?, number(last)?);
        if first > last {
            return Err(Failure::usage(format_args!("--versions wants the older one first, not {value:?}")));
        }
        self.add(first);
        self.add(last);
        Ok(())
    }

    /// The lowest and the highest, if any was named.
    pub(crate) const fn range(self) -> Option<(ProtocolVersion, ProtocolVersion)> {
        self.0
    }
}

/// Key exchange groups by the registry's names, in any case; the curves of NIST also as `P-256`.
pub(crate) fn groups(value: &str) -> Result<Vec<NamedGroup>, Failure> {
    list(value)
        .into_iter()
        .map(|name| {
            let wanted = match name.to_ascii_lowercase().as_str() {
                "p-256" | "p256" | "prime256v1" => "secp256r1".to_owned(),
                "p-384" | "p384" => "secp384r1".to_owned(),
                "p-521" | "p521" => "secp521r1".to_owned(),
                other => other.to_owned(),
            };
            let found = defaults::GROUPS.iter().find(|group| group.name().eq_ignore_ascii_case(&wanted));
            let names: Vec<_> = defaults::GROUPS.iter().map(|group| group.name()).collect();
            found.copied().ok_or_else(|| unknown("group", name, &names))
        })
        .collect()
}

/// Groups to send key shares of; `none` makes the server ask with a HelloRetryRequest.
pub(crate) fn key_shares(value: &str) -> Result<KeyShares, Failure> {
    if value.trim().eq_ignore_ascii_case("none") {
        return Ok(KeyShares::Exactly(Vec::new()));
    }
    Ok(KeyShares::Exactly(groups(value)?))
}

/// Seconds, fractions allowed.
pub(crate) fn seconds(option: &str, value: &str) -> Result<Duration, Failure> {
    let seconds = value.parse::<f64>().ok().filter(|seconds| *seconds > 0.0 && *seconds <= MOST_SECONDS);
    let wanted = || {
        Failure::usage(format_args!("{option} wants seconds, more than 0 and at most a day, not {value:?}"))
    };
    seconds.map(Duration::from_secs_f64).ok_or_else(wanted)
}

fn unknown(what: &str, name: &str, names: &[&str]) -> Failure {
    Failure::usage(format_args!("there is no {what} {name:?} here; there are {}", names.join(", ")))
}

/// `--cert FILE [--key FILE]`, repeatable: a key belongs to the certificate before it, and is looked for in the same
/// file if it is not given.
#[derive(Debug, Default)]
pub(crate) struct KeyPairs(Vec<(PathBuf, Option<PathBuf>)>);

impl KeyPairs {
    /// `--cert`.
    pub(crate) fn certificate(&mut self, file: OsString) {
        self.0.push((file.into(), None));
    }

    /// `--key`.
    pub(crate) fn key(&mut self, file: OsString) -> Result<(), Failure> {
        match self.0.last_mut() {
            Some((_, key @ None)) => {
                *key = Some(file.into());
                Ok(())
            }
            _ => Err(Failure::usage("--key goes behind the --cert that it belongs to")),
        }
    }

    /// Whether none was given.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Reads them.
    pub(crate) fn load(&self) -> Result<Vec<Credential>, Failure> {
        let load = |(chain, key): &(PathBuf, Option<PathBuf>)| {
            Ok(Credential::from_pem_files(chain, key.as_ref().unwrap_or(chain))?)
        };
        self.0.iter().map(load).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn suites_and_groups_go_by_the_names_people_know() {
        let suites = suites("tls_aes_256_gcm_sha384, CHACHA20_POLY1305_SHA256").unwrap();
        assert_eq!(suites, [CipherSuite::TLS_AES_256_GCM_SHA384, CipherSuite::TLS_CHACHA20_POLY1305_SHA256]);
        let groups = groups("p-256,X25519mlkem768").unwrap();
        assert_eq!(groups, [NamedGroup::SECP256R1, NamedGroup::X25519_MLKEM768]);
    }

    #[test]
    fn an_unknown_name_is_answered_with_the_known_ones() {
        let failure = groups("x448").unwrap_err();
        assert!(failure.message.contains("x448") && failure.message.contains("X25519MLKEM768"), "{failure}");
        assert!(super::suites("ECDHE_RSA_WITH_AES_128_CBC_SHA").is_err());
        let old = CipherSuite::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256;
        assert_eq!(super::suites("ecdhe_rsa_with_aes_128_gcm_sha256").unwrap(), [old]);
        assert!(super::suites("RC4").unwrap_err().message.contains("TLS_AES_128_GCM_SHA256"));
    }

    #[test]
    fn versions_are_those_named_and_what_lies_between() {
        let range = |named: &[&str]| {
            let mut versions = Versions::default();
            named.iter().try_for_each(|value| versions.add_range(value)).map(|()| versions.range())
        };
        let (old, new) = (ProtocolVersion::TLS1_2, ProtocolVersion::TLS1_3);
        assert_eq!(range(&[]).unwrap(), None);
        assert_eq!(range(&["1.2"]).unwrap(), Some((old, old)));
        assert_eq!(range(&["1.3", "1.2"]).unwrap(), Some((old, new)));
        assert_eq!(range(&["1.2 - 1.3"]).unwrap(), Some((old, new)));
        for nonsense in ["", "1.1", "1.1-1.3", "1.3-1.2", "1.2-1.3-1.3", "tls1.2"] {
            assert!(range(&[nonsense]).is_err(), "{nonsense}");
        }
    }

    #[test]
    fn no_key_share_at_all_can_be_asked_for() {
        assert_eq!(key_shares("none").unwrap(), KeyShares::Exactly(Vec::new()));
        assert_eq!(key_shares("x25519").unwrap(), KeyShares::Exactly(vec![NamedGroup::X25519]));
    }

    #[test]
    fn seconds_are_a_positive_number() {
        assert_eq!(seconds("--timeout", "1.5").unwrap(), Duration::from_millis(1500));
        for wrong in ["0", "-1", "nan", "inf", "1e9", "x"] {
            assert!(seconds("--timeout", wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_key_belongs_to_the_certificate_before_it() {
        let mut pairs = KeyPairs::default();
        assert!(pairs.key("key".into()).is_err());
        pairs.certificate("one".into());
        pairs.certificate("two".into());
        pairs.key("key".into()).unwrap();
        assert!(pairs.key("key".into()).is_err());
        assert_eq!(pairs.0, [("one".into(), None), ("two".into(), Some("key".into()))]);
    }
}
