//! What a certificate shall say.

use std::net::IpAddr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use oxtls_crypto::signature::KeyAlgorithm;
use pki_types::UnixTime;
use x509_cert::time::{Time, Validity};

use crate::der::{oid, tlv};

const DAY: Duration = Duration::from_secs(86_400);

/// An extension to the last bit.
#[derive(Clone, Debug)]
pub struct RawExtension {
    /// Dotted identifier.
    pub oid: String,
    /// Whether it is critical.
    pub critical: bool,
    /// The contents of the OCTET STRING.
    pub value: Vec<u8>,
}

/// What both kinds of certificate have.
#[derive(Clone, Debug)]
pub(crate) struct Common {
    pub(crate) subject: String,
    pub(crate) key: KeyAlgorithm,
    pub(crate) not_before: SystemTime,
    pub(crate) not_after: SystemTime,
    pub(crate) serial: Option<Vec<u8>>,
    pub(crate) key_ids: bool,
    pub(crate) is_ca: bool,
    pub(crate) extensions: Vec<RawExtension>,
}

/// Methods that both specifications share.
macro_rules! common_methods {
    () => {
        /// Replaces the whole subject, an RFC 4514 name such as `CN=x,O=y`; empty for none.
        #[must_use]
        pub fn subject(mut self, name: &str) -> Self {
            self.common.subject = name.to_owned();
            self
        }

        /// First second of validity.
        #[must_use]
        pub fn valid_from(mut self, time: UnixTime) -> Self {
            self.common.not_before = system_time(time);
            self
        }

        /// Last second of validity.
        #[must_use]
        pub fn valid_until(mut self, time: UnixTime) -> Self {
            self.common.not_after = system_time(time);
            self
        }

        /// Already over: valid for a week, until `ago` before now.
        #[must_use]
        pub fn expired(mut self, ago: Duration) -> Self {
            self.common.not_after = SystemTime::now() - ago;
            self.common.not_before = self.common.not_after - 7 * DAY;
            self
        }

        /// Not yet valid: begins `ahead` from now.
        #[must_use]
        pub fn not_yet_valid(mut self, ahead: Duration) -> Self {
            self.common.not_before = SystemTime::now() + ahead;
            self.common.not_after = self.common.not_before + 7 * DAY;
            self
        }

        /// Content octets of the serial number instead of random ones.
        #[must_use]
        pub fn serial(mut self, octets: &[u8]) -> Self {
            self.common.serial = Some(octets.to_vec());
            self
        }

        /// No subject and authority key identifiers.
        #[must_use]
        pub fn without_key_ids(mut self) -> Self {
            self.common.key_ids = false;
            self
        }

        /// Adds an extension to the last bit.
        #[must_use]
        pub fn extension(mut self, oid: &str, critical: bool, value: &[u8]) -> Self {
            let value = value.to_vec();
            self.common.extensions.push(RawExtension { oid: oid.to_owned(), critical, value });
            self
        }
    };
}

/// A CA's certificate.
#[derive(Clone, Debug)]
pub struct CaSpec {
    pub(crate) common: Common,
    /// basicConstraints: cA.
    pub ca: bool,
    /// basicConstraints: pathLenConstraint.
    pub path_len: Option<u8>,
    /// Whether there is a basicConstraints at all.
    pub basic_constraints: bool,
    /// keyUsage: `Some(true)` with keyCertSign and cRLSign, `Some(false)` with digitalSignature only, `None` without.
    pub key_usage: Option<bool>,
    /// extendedKeyUsage by dotted identifiers; none when empty.
    pub eku: Vec<String>,
    permitted: Vec<Vec<u8>>,
    excluded: Vec<Vec<u8>>,
}

impl CaSpec {
    /// A proper CA with the common name `name`.
    #[must_use]
    pub fn new(name: &str, key: KeyAlgorithm) -> Self {
        Self::with_subject(&format!("CN={name}"), key)
    }

    /// A proper CA with an RFC 4514 name.
    #[must_use]
    pub fn with_subject(subject: &str, key: KeyAlgorithm) -> Self {
        let common = common(subject, key, 3650 * DAY, true);
        Self {
            common,
            ca: true,
            path_len: None,
            basic_constraints: true,
            key_usage: Some(true),
            eku: Vec::new(),
            permitted: Vec::new(),
            excluded: Vec::new(),
        }
    }

    common_methods!();

    /// At most `limit` intermediates below.
    #[must_use]
    pub fn path_len(mut self, limit: u8) -> Self {
        self.path_len = Some(limit);
        self
    }

    /// Not a CA after all: no basicConstraints.
    #[must_use]
    pub fn not_a_ca(mut self) -> Self {
        self.basic_constraints = false;
        self
    }

    /// keyUsage without keyCertSign.
    #[must_use]
    pub fn without_cert_sign(mut self) -> Self {
        self.key_usage = Some(false);
        self
    }

    /// An extendedKeyUsage, by dotted identifiers.
    #[must_use]
    pub fn eku(mut self, purposes: &[&str]) -> Self {
        self.eku = purposes.iter().map(|&purpose| purpose.to_owned()).collect();
        self
    }

    /// Name constraints: names of this form must lie in this subtree. The tag is the GeneralName's (0x82 for DNS,
    /// 0x87 for address and mask, 0x81 for mail, 0x86 for URI, 0xa4 for a whole Name).
    #[must_use]
    pub fn permit(mut self, tag: u8, base: &[u8]) -> Self {
        self.permitted.push(tlv(0x30, &[&tlv(tag, &[base])]));
        self
    }

    /// Name constraints: names of this form must not lie in this subtree.
    #[must_use]
    pub fn exclude(mut self, tag: u8, base: &[u8]) -> Self {
        self.excluded.push(tlv(0x30, &[&tlv(tag, &[base])]));
        self
    }

    pub(crate) fn into_common(self) -> Common {
        let mut common = self.common;
        let mut add = |oid: &str, critical, value| {
            common.extensions.push(RawExtension { oid: oid.to_owned(), critical, value });
        };
        if self.basic_constraints {
            let ca: &[u8] = if self.ca { &[0x01, 0x01, 0xff] } else { &[] };
            let limit = self.path_len.map_or_else(Vec::new, |limit| tlv(0x02, &[&[limit]]));
            add("2.5.29.19", true, tlv(0x30, &[ca, &limit]));
        }
        match self.key_usage {
            Some(true) => add("2.5.29.15", true, vec![0x03, 0x02, 0x01, 0x06]),
            Some(false) => add("2.5.29.15", true, vec![0x03, 0x02, 0x07, 0x80]),
            None => {}
        }
        if !self.eku.is_empty() {
            add("2.5.29.37", false, purposes(&self.eku));
        }
        if !(self.permitted.is_empty() && self.excluded.is_empty()) {
            add("2.5.29.30", true, subtrees(&self.permitted, &self.excluded));
        }
        common
    }
}

fn subtrees(permitted: &[Vec<u8>], excluded: &[Vec<u8>]) -> Vec<u8> {
    let list = |tag, subtrees: &[Vec<u8>]| {
        if subtrees.is_empty() { Vec::new() } else { tlv(tag, &[&subtrees.concat()]) }
    };
    tlv(0x30, &[&list(0xa0, permitted), &list(0xa1, excluded)])
}

/// A server's or client's certificate.
#[derive(Clone, Debug)]
pub struct LeafSpec {
    pub(crate) common: Common,
    /// GeneralNames of the subjectAltName, encoded.
    names: Vec<Vec<u8>>,
    eku: Vec<String>,
    /// keyUsage with digitalSignature.
    key_usage: Option<Vec<u8>>,
}

/// id-kp-serverAuth.
pub const SERVER_AUTH: &str = "1.3.6.1.5.5.7.3.1";
/// id-kp-clientAuth.
pub const CLIENT_AUTH: &str = "1.3.6.1.5.5.7.3.2";

impl LeafSpec {
    /// A server of one DNS name: P-256 key, serverAuth, valid from yesterday for 90 days, no subject but a critical
    /// subjectAltName.
    #[must_use]
    pub fn server(dns: &str) -> Self {
        Self::bare().dns(dns).eku(&[SERVER_AUTH])
    }

    /// A client with a common name: P-256 key, clientAuth, no subjectAltName until one is added.
    #[must_use]
    pub fn client(name: &str) -> Self {
        Self::bare().subject(&format!("CN={name}")).eku(&[CLIENT_AUTH])
    }

    /// Neither names nor purposes.
    #[must_use]
    pub fn bare() -> Self {
        Self {
            common: common("", KeyAlgorithm::EcdsaP256, 90 * DAY, false),
            names: Vec::new(),
            eku: Vec::new(),
            key_usage: Some(vec![0x03, 0x02, 0x07, 0x80]),
        }
    }

    common_methods!();

    /// The kind of key.
    #[must_use]
    pub fn key(mut self, key: KeyAlgorithm) -> Self {
        self.common.key = key;
        self
    }

    /// Adds a name of any form: the GeneralName's tag and contents.
    #[must_use]
    pub fn name(mut self, tag: u8, contents: &[u8]) -> Self {
        self.names.push(tlv(tag, &[contents]));
        self
    }

    /// Adds a DNS name.
    #[must_use]
    pub fn dns(self, name: &str) -> Self {
        self.name(0x82, name.as_bytes())
    }

    /// Adds an address.
    #[must_use]
    pub fn ip(self, address: IpAddr) -> Self {
        match address {
            IpAddr::V4(address) => self.name(0x87, &address.octets()),
            IpAddr::V6(address) => self.name(0x87, &address.octets()),
        }
    }

    /// Adds a URI.
    #[must_use]
    pub fn uri(self, uri: &str) -> Self {
        self.name(0x86, uri.as_bytes())
    }

    /// Adds a mailbox.
    #[must_use]
    pub fn email(self, mailbox: &str) -> Self {
        self.name(0x81, mailbox.as_bytes())
    }

    /// Replaces the purposes of the extendedKeyUsage; none when empty.
    #[must_use]
    pub fn eku(mut self, purposes: &[&str]) -> Self {
        self.eku = purposes.iter().map(|&purpose| purpose.to_owned()).collect();
        self
    }

    /// Replaces the BIT STRING of the keyUsage; `None` for no keyUsage.
    #[must_use]
    pub fn key_usage(mut self, bits: Option<&[u8]>) -> Self {
        self.key_usage = bits.map(<[u8]>::to_vec);
        self
    }

    pub(crate) fn into_common(self) -> Common {
        let mut common = self.common;
        let mut add = |oid: &str, critical, value| {
            common.extensions.push(RawExtension { oid: oid.to_owned(), critical, value });
        };
        if let Some(bits) = self.key_usage {
            add("2.5.29.15", true, bits);
        }
        if !self.eku.is_empty() {
            add("2.5.29.37", false, purposes(&self.eku));
        }
        if !self.names.is_empty() {
            add("2.5.29.17", common.subject.is_empty(), tlv(0x30, &[&self.names.concat()]));
        }
        common
    }
}

fn purposes(eku: &[String]) -> Vec<u8> {
    let purposes: Vec<_> = eku.iter().flat_map(|purpose| oid(purpose)).collect();
    tlv(0x30, &[&purposes])
}

fn common(subject: &str, key: KeyAlgorithm, lifetime: Duration, is_ca: bool) -> Common {
    let now = SystemTime::now();
    Common {
        subject: subject.to_owned(),
        key,
        not_before: now - DAY,
        not_after: now + lifetime,
        serial: None,
        key_ids: true,
        is_ca,
        extensions: Vec::new(),
    }
}

fn system_time(time: UnixTime) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(time.as_secs())
}

pub(crate) fn validity(not_before: SystemTime, not_after: SystemTime) -> Validity {
    let time = |time| Time::try_from(time).expect("a date from 1970 on");
    Validity::new(time(not_before), time(not_after))
}
