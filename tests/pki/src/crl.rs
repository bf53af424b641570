//! CRLs.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use ::der::Encode;
use ::der::asn1::{GeneralizedTime, UtcTime};
use pki_types::UnixTime;

use crate::der::{oid, tlv};
use crate::{Ca, RawExtension};

const DAY: Duration = Duration::from_secs(86_400);

/// What a CRL shall say.
#[derive(Clone, Debug)]
pub struct CrlSpec {
    issuer: Option<String>,
    version: Option<Vec<u8>>,
    this_update: SystemTime,
    next_update: Option<SystemTime>,
    number: Option<u8>,
    entries: Vec<u8>,
    extensions: Vec<RawExtension>,
}

impl CrlSpec {
    /// A complete CRL of this number without entries, from yesterday for a week.
    #[must_use]
    pub fn new(number: u8) -> Self {
        let this_update = SystemTime::now() - DAY;
        Self {
            issuer: None,
            version: Some(tlv(0x02, &[&[1]])),
            this_update,
            next_update: Some(this_update + 7 * DAY),
            number: Some(number),
            entries: Vec::new(),
            extensions: Vec::new(),
        }
    }

    /// A CRL of what changed since the one of number `base`.
    #[must_use]
    pub fn delta(number: u8, base: u8) -> Self {
        Self::new(number).extension("2.5.29.27", true, &tlv(0x02, &[&[base]]))
    }

    /// In another name than the CA's own (RFC 4514).
    #[must_use]
    pub fn issuer(mut self, name: &str) -> Self {
        self.issuer = Some(name.to_owned());
        self
    }

    /// Another version field, or none.
    #[must_use]
    pub fn version(mut self, der: Option<&[u8]>) -> Self {
        self.version = der.map(<[u8]>::to_vec);
        self
    }

    /// When it was issued.
    #[must_use]
    pub fn this_update(mut self, time: UnixTime) -> Self {
        self.this_update = UNIX_EPOCH + Duration::from_secs(time.as_secs());
        self
    }

    /// Until when it is in force; `None` leaves the field out.
    #[must_use]
    pub fn next_update(mut self, time: Option<UnixTime>) -> Self {
        self.next_update = time.map(|time| UNIX_EPOCH + Duration::from_secs(time.as_secs()));
        self
    }

    /// No cRLNumber.
    #[must_use]
    pub fn without_number(mut self) -> Self {
        self.number = None;
        self
    }

    /// Lists a serial number (content octets).
    #[must_use]
    pub fn revoke(self, serial: &[u8]) -> Self {
        self.entry(serial, &[])
    }

    /// Lists a serial number with a reason code.
    #[must_use]
    pub fn revoke_for(self, serial: &[u8], reason: u8) -> Self {
        let value = tlv(0x0a, &[&[reason]]);
        self.entry(serial, &[RawExtension { oid: "2.5.29.21".to_owned(), critical: false, value }])
    }

    /// Lists a serial number of a certificate of another issuer, given as the contents of GeneralNames.
    #[must_use]
    pub fn revoke_of(self, serial: &[u8], names: &[u8]) -> Self {
        let value = tlv(0x30, &[names]);
        self.entry(serial, &[RawExtension { oid: "2.5.29.29".to_owned(), critical: true, value }])
    }

    /// An entry with any extensions.
    #[must_use]
    pub fn entry(mut self, serial: &[u8], extensions: &[RawExtension]) -> Self {
        let extensions: Vec<u8> = extensions.iter().flat_map(extension).collect();
        let extensions = if extensions.is_empty() { Vec::new() } else { tlv(0x30, &[&extensions]) };
        let date = utc_time(self.this_update);
        self.entries.extend(tlv(0x30, &[&tlv(0x02, &[serial]), &date, &extensions]));
        self
    }

    /// Lists many serial numbers of 16 octets, each a function of its place.
    #[must_use]
    pub fn revoke_many(mut self, count: u32) -> Self {
        let date = utc_time(self.this_update);
        self.entries.reserve(40 * count as usize);
        for place in 0..count {
            self.entries.extend(tlv(0x30, &[&tlv(0x02, &[&many(place)]), &date]));
        }
        self
    }

    /// issuingDistributionPoint with these contents.
    #[must_use]
    pub fn scope(self, contents: &[u8]) -> Self {
        self.extension("2.5.29.28", true, &tlv(0x30, &[contents]))
    }

    /// Adds an extension to the last bit.
    #[must_use]
    pub fn extension(mut self, oid: &str, critical: bool, value: &[u8]) -> Self {
        self.extensions.push(RawExtension { oid: oid.to_owned(), critical, value: value.to_vec() });
        self
    }
}

/// The serial number in a place of [`CrlSpec::revoke_many`].
#[must_use]
pub fn many(place: u32) -> [u8; 16] {
    let mixed = u64::from(place).wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes();
    let mut serial = [0x40; 16];
    serial[1..9].copy_from_slice(&mixed);
    serial[12..].copy_from_slice(&place.to_be_bytes());
    serial
}

impl Ca {
    /// A CRL signed by this CA.
    #[must_use]
    pub fn crl(&self, spec: CrlSpec) -> Vec<u8> {
        let issuer = crate::name(spec.issuer.as_deref().unwrap_or(&self.subject));
        let issuer = issuer.to_der().expect("a name can be encoded");
        let next_update = spec.next_update.map_or_else(Vec::new, utc_time);
        let entries = if spec.entries.is_empty() { Vec::new() } else { tlv_long(0x30, &spec.entries) };
        let mut extensions: Vec<u8> = spec.extensions.iter().flat_map(extension).collect();
        if let Some(number) = spec.number {
            let value = tlv(0x02, &[&[number]]);
            extensions.extend(extension(&RawExtension {
                oid: "2.5.29.20".to_owned(),
                critical: false,
                value,
            }));
        }
        let extensions =
            if extensions.is_empty() { Vec::new() } else { tlv(0xa0, &[&tlv(0x30, &[&extensions])]) };
        let parts = [
            spec.version.unwrap_or_default(),
            self.key.algorithm_identifier_der().to_vec(),
            issuer,
            utc_time(spec.this_update),
            next_update,
            entries,
            extensions,
        ];
        self.sign_list(&tlv_long(0x30, &parts.concat()))
    }

    /// A CRL around any signed part.
    #[must_use]
    pub fn sign_list(&self, tbs: &[u8]) -> Vec<u8> {
        let signature = self.key.sign_certificate(tbs).expect("the key signs");
        let signature = tlv(0x03, &[&[0], signature.as_slice()]);
        tlv_long(0x30, &[tbs, self.key.algorithm_identifier_der(), &signature].concat())
    }
}

/// An element of any length.
fn tlv_long(tag: u8, contents: &[u8]) -> Vec<u8> {
    if contents.len() < 1 << 24 {
        return tlv(tag, &[contents]);
    }
    let mut der = vec![tag, 0x84];
    der.extend((contents.len() as u32).to_be_bytes());
    der.extend_from_slice(contents);
    der
}

/// An Extension.
pub(crate) fn extension(raw: &RawExtension) -> Vec<u8> {
    let critical: &[u8] = if raw.critical { &[0x01, 0x01, 0xff] } else { &[] };
    tlv(0x30, &[&oid(&raw.oid), critical, &tlv(0x04, &[&raw.value])])
}

fn utc_time(time: SystemTime) -> Vec<u8> {
    let since = time.duration_since(UNIX_EPOCH).expect("a time after 1970");
    UtcTime::from_unix_duration(since).expect("a time before 2050").to_der().expect("it can be encoded")
}

/// A GeneralizedTime.
pub(crate) fn generalized_time(time: SystemTime) -> Vec<u8> {
    let since = time.duration_since(UNIX_EPOCH).expect("a time after 1970");
    GeneralizedTime::from_unix_duration(since).expect("a time").to_der().expect("it can be encoded")
}
