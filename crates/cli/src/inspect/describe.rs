//! Certificates, one by one, as a person wants to see them.

use oxtls::PeerIdentity;
use oxtls::pki_types::{CertificateDer, UnixTime};
use oxtls::x509::{Certificate, CertificateSignature, CrlStore, KeyUsage, SpkiPin, Version};

use super::moment;
use crate::chain::{key, names};
use crate::terminal::{hex, line};

/// The most certificates, and purposes of one, that are described.
const MOST: usize = 32;

/// Every certificate of the chain.
pub(super) fn chain(certificates: &[CertificateDer<'_>], now: UnixTime) -> String {
    let now = i64::try_from(now.as_secs()).unwrap_or(i64::MAX);
    let mut lines = Vec::new();
    for (position, der) in certificates.iter().enumerate().take(MOST) {
        let whose = if position == 0 { ", the peer's own" } else { "" };
        lines.push(format!("certificate {position}{whose}"));
        match Certificate::parse(der) {
            Ok(certificate) => describe(&certificate, der, now, &mut lines),
            Err(error) => entry("malformed", &line(error), &mut lines),
        }
    }
    if let Some(more @ 1..) = certificates.len().checked_sub(MOST) {
        lines.push(format!("and {more} more"));
    }
    lines.join("\n")
}

/// Every CRL, in a line or two each.
pub(super) fn crls(crls: &CrlStore, now: UnixTime) -> String {
    let mut lines = Vec::new();
    for crl in crls.iter().take(MOST) {
        let kind = match (crl.is_delta(), crl.is_indirect()) {
            (true, _) => "delta CRL",
            (false, true) => "indirect CRL",
            (false, false) => "CRL",
        };
        lines.push(format!("{kind} by {}", line(crl.issuer())));
        let seconds = |time: UnixTime| i64::try_from(time.as_secs()).unwrap_or(i64::MAX);
        let (from, until, now) = (seconds(crl.this_update()), seconds(crl.next_update()), seconds(now));
        let state = if now < from { "not in force yet" } else { "outdated" };
        let state = if (from..=until).contains(&now) { "in force" } else { state };
        let times = format!("{} until {} ({state})", moment::shown(from), moment::shown(until));
        entry("valid", &times, &mut lines);
        entry("entries", &crl.len().to_string(), &mut lines);
        entry("number", &hex(crl.number()), &mut lines);
    }
    if let Some(more @ 1..) = crls.len().checked_sub(MOST) {
        lines.push(format!("and {more} more CRLs"));
    }
    lines.join("\n")
}

/// The subject of one of them.
pub(super) fn subject(certificates: &[CertificateDer<'_>], position: usize) -> String {
    let certificate = certificates.get(position).and_then(|der| Certificate::parse(der).ok());
    certificate.map_or_else(|| "?".to_owned(), |certificate| line(certificate.subject()))
}

fn describe(certificate: &Certificate<'_>, der: &CertificateDer<'_>, now: i64, lines: &mut Vec<String>) {
    entry("subject", &line(certificate.subject()), lines);
    entry("issuer", &line(certificate.issuer()), lines);
    entry("valid", &validity(certificate, now), lines);
    if let Ok(identity) = PeerIdentity::from_certificate(der) {
        let names = names(&identity);
        if !names.is_empty() {
            entry("names", &names, lines);
        }
    }
    entry("CA", &authority(certificate), lines);
    let usage = usage(certificate);
    if !usage.is_empty() {
        entry("usage", &usage.join(", "), lines);
    }
    entry("key", &key(certificate), lines);
    entry("pin", &SpkiPin::of_spki(certificate.spki()).to_string(), lines);
    entry("signature", &signature(certificate), lines);
    if let Some(ski) = certificate.subject_key_id() {
        entry("key id", &hex(ski.key_id.get(..32).unwrap_or(ski.key_id)), lines);
    }
    if let Some(id) = certificate.authority_key_id().and_then(|aki| aki.key_id) {
        entry("signed by", &hex(id.get(..32).unwrap_or(id)), lines);
    }
    for uri in certificate.authority_info_access().into_iter().flat_map(|access| access.ca_issuers()).take(4)
    {
        entry("issuer at", &line(uri), lines);
    }
    entry("serial", &hex(certificate.serial().get(..32).unwrap_or(certificate.serial())), lines);
    if let Some(extension) = certificate.unknown_critical() {
        entry("critical", &format!("{extension}, which is not understood"), lines);
    }
}

fn entry(label: &str, value: &str, lines: &mut Vec<String>) {
    lines.push(format!("  {label:<10} {value}"));
}

fn validity(certificate: &Certificate<'_>, now: i64) -> String {
    let validity = certificate.validity();
    let state = if now < validity.not_before {
        format!("begins {}", moment::away(validity.not_before.saturating_sub(now)))
    } else {
        let word = if now > validity.not_after { "ended" } else { "ends" };
        format!("{word} {}", moment::away(validity.not_after.saturating_sub(now)))
    };
    format!("{validity} ({state})")
}

fn authority(certificate: &Certificate<'_>) -> String {
    match (certificate.basic_constraints(), certificate.version()) {
        (Some(limits), _) if limits.ca => match limits.path_len {
            Some(0) => "yes, but no CA below it".to_owned(),
            Some(most) => format!("yes, with at most {most} below it"),
            None => "yes".to_owned(),
        },
        (None, Version::V1) => "version 1: it can't say".to_owned(),
        _ => "no".to_owned(),
    }
}

fn usage(certificate: &Certificate<'_>) -> Vec<String> {
    let known = [
        (KeyUsage::DIGITAL_SIGNATURE, "digital signatures"),
        (KeyUsage::KEY_CERT_SIGN, "signing certificates"),
        (KeyUsage::CRL_SIGN, "signing CRLs"),
    ];
    let bits = certificate.key_usage().into_iter().flat_map(|usage| {
        known.into_iter().filter(move |(bits, _)| usage.allows(*bits)).map(|(_, name)| name.to_owned())
    });
    let purposes = certificate.extended_key_usage().into_iter().flat_map(|usage| usage.iter().take(MOST));
    bits.chain(purposes.map(|purpose| purpose_name(&purpose.to_string()))).collect()
}

/// RFC 5280 section 4.2.1.12.
fn purpose_name(identifier: &str) -> String {
    let name = match identifier {
        "1.3.6.1.5.5.7.3.1" => "TLS servers",
        "1.3.6.1.5.5.7.3.2" => "TLS clients",
        "1.3.6.1.5.5.7.3.3" => "code signing",
        "1.3.6.1.5.5.7.3.4" => "e-mail",
        "1.3.6.1.5.5.7.3.8" => "time stamps",
        "1.3.6.1.5.5.7.3.9" => "OCSP responses",
        "2.5.29.37.0" => "any purpose",
        other => other,
    };
    name.to_owned()
}

fn signature(certificate: &Certificate<'_>) -> String {
    match certificate.signature_algorithm() {
        CertificateSignature::Known(algorithm) => format!("{algorithm:?}"),
        CertificateSignature::Broken(name) => format!("{name}, which is broken"),
        CertificateSignature::Unknown(identifier) => format!("{identifier}, which is not supported"),
        _ => "of an unknown kind".to_owned(),
    }
}
