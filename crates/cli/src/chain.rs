//! Certificates, for people.

use oxtls::PeerIdentity;
use oxtls::crypto::signature::PublicKey;
use oxtls::pki_types::CertificateDer;
use oxtls::x509::{Anchor, Certificate, VerifiedPath};

use crate::terminal::{hex, line};

/// The most names of a certificate that are shown.
const NAMES: usize = 20;

/// The path that was verified, leaf first, the root last; then what the peer sent besides.
pub(crate) fn verified(sent: &[CertificateDer<'_>], path: &VerifiedPath) -> String {
    let mut lines = vec!["the chain, verified:".to_owned()];
    let used: Vec<usize> = path.positions().collect();
    for position in &used {
        if let Some(certificate) = sent.get(*position) {
            describe(&position.to_string(), certificate, &mut lines);
        }
    }
    root(path.anchor(), &mut lines);
    let besides: Vec<_> = sent.iter().enumerate().filter(|(position, _)| !used.contains(position)).collect();
    if !besides.is_empty() {
        lines.push("sent besides, and of no use:".to_owned());
    }
    for (position, certificate) in besides {
        describe(&position.to_string(), certificate, &mut lines);
    }
    lines.join("\n")
}

/// What the peer sent, which nobody vouches for.
pub(crate) fn unverified(sent: &[CertificateDer<'_>]) -> String {
    let mut lines = vec!["the chain as sent, NOT verified:".to_owned()];
    for (position, certificate) in sent.iter().enumerate() {
        describe(&position.to_string(), certificate, &mut lines);
    }
    lines.join("\n")
}

fn root(anchor: &Anchor, lines: &mut Vec<String>) {
    match anchor.certificate() {
        Some(certificate) => describe("root", &CertificateDer::from(certificate.der()), lines),
        None => entry("root", "subject", &line(anchor.subject()), lines),
    }
}

fn describe(head: &str, der: &CertificateDer<'_>, lines: &mut Vec<String>) {
    let (certificate, identity) = match (Certificate::parse(der), PeerIdentity::from_certificate(der)) {
        (Ok(certificate), Ok(identity)) => (certificate, identity),
        (Err(error), _) | (_, Err(error)) => {
            entry(head, "malformed", &line(error), lines);
            return;
        }
    };
    entry(head, "subject", &line(certificate.subject()), lines);
    entry("", "issuer", &line(certificate.issuer()), lines);
    entry("", "valid", &certificate.validity().to_string(), lines);
    let names = names(&identity);
    if !names.is_empty() {
        entry("", "names", &names, lines);
    }
    entry("", "key", &key(&certificate), lines);
    entry("", "SHA-256", &hex(&identity.fingerprint()), lines);
}

fn entry(head: &str, label: &str, value: &str, lines: &mut Vec<String>) {
    lines.push(format!("  {head:<5}{label:<9} {value}"));
}

/// Every name of the subjectAltName, up to a bound.
pub(crate) fn names(identity: &PeerIdentity) -> String {
    let hosts = identity.dns_names().map(line).chain(identity.ip_addresses().map(line));
    let names: Vec<String> =
        hosts.chain(identity.uris().map(line)).chain(identity.emails().map(line)).collect();
    let shown: Vec<_> = names.iter().take(NAMES).map(String::as_str).collect();
    let more = names.len().saturating_sub(NAMES);
    if more > 0 { format!("{} and {more} more", shown.join(", ")) } else { shown.join(", ") }
}

/// Its kind, and for RSA its size.
pub(crate) fn key(certificate: &Certificate<'_>) -> String {
    match PublicKey::from_spki(certificate.spki()) {
        Ok(key) => match key.rsa_bits() {
            Some(bits) => format!("{}, {bits} bits", key.key_algorithm().name()),
            None => key.key_algorithm().name().to_owned(),
        },
        Err(error) => line(error),
    }
}

/// Who a peer is, in a few words.
pub(crate) fn who(identity: &PeerIdentity) -> String {
    line(identity)
}

#[cfg(test)]
mod tests {
    use super::*;
    use oxtls::KeyAlgorithm;
    use oxtls::pki_types::{ServerName, UnixTime};
    use oxtls::x509::{Purpose, Roots, Verifier};
    use oxtls_test_pki::{Ca, LeafSpec};

    #[test]
    fn a_verified_chain_is_shown_from_leaf_to_root_with_what_was_sent_besides() {
        let root = Ca::new("The Root", KeyAlgorithm::EcdsaP256);
        let middle = root.intermediate("The Middle", KeyAlgorithm::Ed25519);
        let stranger = Ca::new("A Stranger", KeyAlgorithm::EcdsaP256);
        let issued = middle.issue(LeafSpec::server("a.test").uri("https://a.test/\x1b[2J"));
        let mut sent = issued.chain.clone();
        sent.push(stranger.certificate().clone());
        let mut roots = Roots::empty();
        roots.add_der(root.certificate()).unwrap();
        let name = ServerName::try_from("a.test").unwrap();
        let path =
            Verifier::new(roots, Purpose::ServerAuth).verify_server(&sent, &name, UnixTime::now()).unwrap();
        let shown = verified(&sent, &path);
        let at = |text: &str| shown.find(text).unwrap_or_else(|| panic!("no {text} in {shown}"));
        assert!(at("a.test") < at("Ed25519") && at("Ed25519") < at("root"), "{shown}");
        assert!(at("root ") < at("sent besides") && at("sent besides") < at("A Stranger"), "{shown}");
        assert!(!shown.contains('\x1b'), "{shown}");
    }

    #[test]
    fn what_cannot_be_read_is_shown_as_such() {
        let shown = unverified(&[CertificateDer::from(vec![0x30, 0x00])]);
        assert!(shown.contains("malformed") && shown.contains("NOT verified"), "{shown}");
    }
}
