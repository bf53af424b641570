//! What OpenSSL says it sent and received: the output of its `-msg`, which shows messages after decryption.

use std::collections::BTreeMap;

use oxtls::{CipherSuite, NamedGroup, SignatureScheme};

const SERVER_HELLO: &str = "ServerHello";
const CERTIFICATE_VERIFY: &str = "CertificateVerify";
const ENCRYPTED_EXTENSIONS: &str = "EncryptedExtensions";
const KEY_SHARE: u16 = 51;
const ALPN: u16 = 16;
const STATUS_REQUEST: u16 = 5;
const CERTIFICATE_AUTHORITIES: u16 = 47;

/// The `random` that makes a ServerHello a HelloRetryRequest (RFC 9846 section 4.2.3): SHA-256 of
/// "HelloRetryRequest".
const RETRY_RANDOM_STARTS: [u8; 8] = [0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11];

/// One message of the trace.
#[derive(Debug)]
pub(super) struct Message {
    /// OpenSSL sent it; else it received it.
    pub(super) sent: bool,
    /// `Handshake`, `Alert`, ...
    pub(super) kind: String,
    /// `ClientHello`, `fatal unknown_ca`, ...
    pub(super) name: String,
    pub(super) bytes: Vec<u8>,
}

/// A whole `-msg` trace.
#[derive(Debug, Default)]
pub(super) struct Trace(Vec<Message>);

impl Trace {
    pub(super) fn parse(text: &str) -> Self {
        let mut messages = Vec::new();
        let mut current: Option<Message> = None;
        for line in text.lines() {
            if let Some(head) = line.strip_prefix(">>> ").or_else(|| line.strip_prefix("<<< ")) {
                messages.extend(current.take());
                current = Some(message(line.starts_with('>'), head));
            } else if let Some(message) = &mut current {
                let hex = line.split_whitespace().map_while(|byte| u8::from_str_radix(byte, 16).ok());
                message.bytes.extend(hex);
            }
        }
        messages.extend(current);
        Self(messages)
    }

    pub(super) fn count(&self, name: &str) -> usize {
        self.0.iter().filter(|message| message.name == name).count()
    }

    /// Descriptions of the alerts that OpenSSL sent, or of those it received.
    pub(super) fn alerts(&self, sent: bool) -> Vec<u8> {
        let alerts = self.0.iter().filter(|message| message.kind == "Alert" && message.sent == sent);
        alerts.filter_map(|message| message.bytes.get(1).copied()).collect()
    }

    pub(super) fn retried(&self) -> bool {
        self.named(SERVER_HELLO).any(|hello| hello.bytes.get(6..14) == Some(&RETRY_RANDOM_STARTS))
    }

    /// The suite of the last ServerHello.
    pub(super) fn suite(&self) -> Option<CipherSuite> {
        let hello = self.named(SERVER_HELLO).last()?;
        let after_session_id = after_session_id(&hello.bytes)?;
        Some(CipherSuite(u16_at(after_session_id, 0)?))
    }

    /// The group of the last ServerHello's key share.
    pub(super) fn group(&self) -> Option<NamedGroup> {
        let hello = self.named(SERVER_HELLO).last()?;
        let extensions = extensions(after_session_id(&hello.bytes)?.get(3..)?)?;
        Some(NamedGroup(u16_at(extensions.get(&KEY_SHARE)?, 0)?))
    }

    /// The scheme of the CertificateVerify that OpenSSL sent, or received.
    pub(super) fn scheme(&self, sent: bool) -> Option<SignatureScheme> {
        let message = self.named(CERTIFICATE_VERIFY).find(|message| message.sent == sent)?;
        Some(SignatureScheme(u16_at(&message.bytes, 4)?))
    }

    /// The protocol of the EncryptedExtensions.
    pub(super) fn alpn(&self) -> Option<Vec<u8>> {
        let message = self.named(ENCRYPTED_EXTENSIONS).last()?;
        let extensions = extensions(message.bytes.get(4..)?)?;
        Some(extensions.get(&ALPN)?.get(3..)?.to_vec())
    }

    /// The OCSP response in the first entry of the Certificate that OpenSSL sent, or received.
    pub(super) fn ocsp(&self, sent: bool) -> Option<Vec<u8>> {
        let message = self.named("Certificate").find(|message| message.sent == sent)?;
        let list = message.bytes.get(5 + usize::from(*message.bytes.get(4)?) + 3..)?;
        let extensions = extensions(list.get(3 + u24_at(list, 0)?..)?)?;
        // CertificateStatus: the type, then the response (RFC 6066 section 8).
        let status = extensions.get(&STATUS_REQUEST)?;
        (status.first() == Some(&1)).then(|| status.get(4..4 + u24_at(status, 1)?).map(<[u8]>::to_vec))?
    }

    /// The algorithm of the CompressedCertificate that OpenSSL sent, or received (RFC 8879 section 4).
    pub(super) fn compression(&self, sent: bool) -> Option<u16> {
        let message = self.named("CompressedCertificate").find(|message| message.sent == sent)?;
        u16_at(&message.bytes, 4)
    }

    /// The names (DER) in the CertificateRequest's certificate_authorities.
    pub(super) fn requested_authorities(&self) -> Option<Vec<Vec<u8>>> {
        let request = self.named("CertificateRequest").last()?;
        let block = request.bytes.get(5 + usize::from(*request.bytes.get(4)?)..)?;
        names(extensions(block)?.get(&CERTIFICATE_AUTHORITIES)?)
    }

    /// The names (DER) in the last ClientHello's certificate_authorities.
    pub(super) fn offered_authorities(&self) -> Option<Vec<Vec<u8>>> {
        let hello = self.named("ClientHello").last()?;
        let suites = after_session_id(&hello.bytes)?;
        let compression = suites.get(2 + usize::from(u16_at(suites, 0)?)..)?;
        let block = compression.get(1 + usize::from(*compression.first()?)..)?;
        names(extensions(block)?.get(&CERTIFICATE_AUTHORITIES)?)
    }

    fn named(&self, name: &'static str) -> impl Iterator<Item = &Message> {
        self.0.iter().filter(move |message| message.name == name)
    }
}

/// `TLS 1.3, Alert [length 0002], fatal unknown_ca`
fn message(sent: bool, head: &str) -> Message {
    let mut parts = head.split(", ").skip(1);
    let kind = parts.next().and_then(|kind| kind.split(' ').next()).unwrap_or_default();
    let name = parts.next().unwrap_or_default();
    Message { sent, kind: kind.to_owned(), name: name.trim_end().to_owned(), bytes: Vec::new() }
}

/// Of a ClientHello or ServerHello with its 4-byte header: skips version, random and session id.
fn after_session_id(hello: &[u8]) -> Option<&[u8]> {
    let id_len = usize::from(*hello.get(38)?);
    hello.get(39 + id_len..)
}

/// DistinguishedName authorities<3..2^16-1>
fn names(list: &[u8]) -> Option<Vec<Vec<u8>>> {
    let mut rest = list.get(2..2 + usize::from(u16_at(list, 0)?))?;
    let mut names = Vec::new();
    while !rest.is_empty() {
        let end = 2 + usize::from(u16_at(rest, 0)?);
        names.push(rest.get(2..end)?.to_vec());
        rest = rest.get(end..)?;
    }
    Some(names)
}

fn extensions(block: &[u8]) -> Option<BTreeMap<u16, &[u8]>> {
    let mut rest = block.get(2..2 + usize::from(u16_at(block, 0)?))?;
    let mut extensions = BTreeMap::new();
    while !rest.is_empty() {
        let end = 4 + usize::from(u16_at(rest, 2)?);
        extensions.insert(u16_at(rest, 0)?, rest.get(4..end)?);
        rest = rest.get(end..)?;
    }
    Some(extensions)
}

fn u24_at(bytes: &[u8], at: usize) -> Option<usize> {
    let high = usize::from(*bytes.get(at)?);
    Some(high << 16 | usize::from(u16_at(bytes, at + 1)?))
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_be_bytes([*bytes.get(at)?, *bytes.get(at + 1)?]))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "\
<<< TLS 1.0, RecordHeader [length 0005]
    16 03 01 00 05
<<< TLS 1.3, Handshake [length 0004], ClientHello
    01 00 00 00
>>> TLS 1.3, Handshake [length 0030], ServerHello
    02 00 00 2c 03 03 cf 21 ad 74 e5 9a 61 11 be 1d
    8c 02 1e 65 b8 91 c2 a2 11 16 7a bb 8c 5e 07 9e
    09 e2 c8 a8 33 9c 00 13 02 00 00 06 00 33 00 02 00 18
>>> TLS 1.3, Handshake [length 000f], EncryptedExtensions
    08 00 00 0b 00 09 00 10 00 05 00 03 02 68 32
>>> TLS 1.3, Alert [length 0002], fatal ???
    02 78
<<< TLS 1.3, Handshake [length 0008], CertificateVerify
    0f 00 00 04 08 07 00 00
";

    const AUTHENTICATION: &str = "\
<<< TLS 1.3, Handshake [length 0035], ClientHello
    01 00 00 38 03 03 00 00 00 00 00 00 00 00 00 00
    00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00
    00 00 00 00 00 00 02 aa bb 00 02 13 01 01 00 00
    0c 00 2f 00 08 00 06 00 01 61 00 01 62
>>> TLS 1.3, Handshake [length 0011], CertificateRequest
    0d 00 00 0d 00 00 0a 00 2f 00 06 00 04 00 02 30
    00
>>> TLS 1.3, Handshake [length 001a], Certificate
    0b 00 00 16 00 00 00 12 00 00 03 aa bb cc 00 0a
    00 05 00 06 01 00 00 02 30 00
<<< TLS 1.3, Handshake [length 000d], Certificate
    0b 00 00 09 00 00 00 05 00 00 00 00 00
<<< TLS 1.3, Handshake [length 000c], CompressedCertificate
    19 00 00 08 00 03 00 00 00 00 00 00
";

    #[test]
    fn a_trace_gives_authorities_stapled_responses_and_compression() {
        let trace = Trace::parse(AUTHENTICATION);
        assert_eq!(trace.offered_authorities(), Some(vec![b"a".to_vec(), b"b".to_vec()]));
        assert_eq!(trace.requested_authorities(), Some(vec![b"\x30\0".to_vec()]));
        assert_eq!(trace.ocsp(true).as_deref(), Some(&b"\x30\0"[..]));
        assert_eq!(trace.ocsp(false), None);
        assert_eq!(trace.compression(false), Some(3));
        assert_eq!(trace.compression(true), None);
        assert_eq!(Trace::parse(TEXT).requested_authorities(), None);
    }

    #[test]
    fn a_trace_gives_messages_alerts_and_what_was_negotiated() {
        let trace = Trace::parse(TEXT);
        assert_eq!(trace.count("ClientHello"), 1);
        assert_eq!(trace.alerts(true), [120]);
        assert!(trace.alerts(false).is_empty());
        assert!(trace.retried());
        assert_eq!(trace.suite(), Some(CipherSuite::TLS_AES_256_GCM_SHA384));
        assert_eq!(trace.group(), Some(NamedGroup::SECP384R1));
        assert_eq!(trace.scheme(false), Some(SignatureScheme::ED25519));
        assert_eq!(trace.scheme(true), None);
        assert_eq!(trace.alpn().as_deref(), Some(&b"h2"[..]));
    }
}
