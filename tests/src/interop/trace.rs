//! What a peer sent and received: as OpenSSL's `-msg` has it, which shows messages after decryption, or as it passed on
//! the wire, which shows those in the clear.

use std::collections::BTreeMap;

use oxtls::{CipherSuite, NamedGroup, ProtocolVersion, SignatureScheme};

use super::tap::Recording;

const SERVER_HELLO: &str = "ServerHello";
const SERVER_KEY_EXCHANGE: &str = "ServerKeyExchange";
const CERTIFICATE_VERIFY: &str = "CertificateVerify";
const ENCRYPTED_EXTENSIONS: &str = "EncryptedExtensions";
const KEY_SHARE: u16 = 51;
const ALPN: u16 = 16;
const STATUS_REQUEST: u16 = 5;
const CERTIFICATE_AUTHORITIES: u16 = 47;
const SUPPORTED_VERSIONS: u16 = 43;
const PRE_SHARED_KEY: u16 = 41;
const EXTENDED_MASTER_SECRET: u16 = 23;

/// Names of the messages that are sent in the clear.
const NAMES: [(u8, &str); 11] = [
    (0, "HelloRequest"),
    (1, "ClientHello"),
    (2, SERVER_HELLO),
    (4, "NewSessionTicket"),
    (11, "Certificate"),
    (12, SERVER_KEY_EXCHANGE),
    (13, "CertificateRequest"),
    (14, "ServerHelloDone"),
    (15, CERTIFICATE_VERIFY),
    (16, "ClientKeyExchange"),
    (22, "CertificateStatus"),
];

/// The `random` that makes a ServerHello a HelloRetryRequest (RFC 9846 section 4.2.3): SHA-256 of
/// "HelloRetryRequest".
const RETRY_RANDOM_STARTS: [u8; 8] = [0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11];

/// One message of the trace.
#[derive(Debug)]
pub(super) struct Message {
    /// The peer sent it; else it received it.
    pub(super) sent: bool,
    /// `Handshake`, `Alert`, ...
    pub(super) kind: String,
    /// `ClientHello`, `fatal unknown_ca`, ...
    pub(super) name: String,
    pub(super) bytes: Vec<u8>,
}

/// All that was said.
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

    /// What passed in the clear, seen from the peer. First what it sent, then what it received.
    pub(super) fn of_wire(recording: &Recording) -> Self {
        let version = Self(
            clear(&recording.received, true, None)
                .into_iter()
                .chain(clear(&recording.sent, false, None))
                .collect(),
        )
        .version();
        let mut messages = clear(&recording.received, true, version);
        messages.extend(clear(&recording.sent, false, version));
        Self(messages)
    }

    pub(super) fn count(&self, name: &str) -> usize {
        self.0.iter().filter(|message| message.name == name).count()
    }

    /// Descriptions of the alerts that the peer sent, or of those it received.
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

    /// The version of the last ServerHello: its supported_versions, or what stands in the field before TLS 1.3.
    pub(super) fn version(&self) -> Option<ProtocolVersion> {
        let hello = self.named(SERVER_HELLO).last()?;
        let chosen = self.hello_extension(SUPPORTED_VERSIONS).and_then(|version| u16_at(version, 0));
        chosen.or_else(|| u16_at(&hello.bytes, 4)).map(ProtocolVersion)
    }

    /// Whether the server resumes a session by a PSK (RFC 9846 section 4.3.11).
    pub(super) fn chose_psk(&self) -> bool {
        self.hello_extension(PRE_SHARED_KEY).is_some()
    }

    /// Whether the master secret is bound to the handshake (RFC 7627).
    pub(super) fn extended_master_secret(&self) -> bool {
        self.hello_extension(EXTENDED_MASTER_SECRET).is_some()
    }

    /// An extension of the last ServerHello.
    fn hello_extension(&self, typ: u16) -> Option<&[u8]> {
        let hello = self.named(SERVER_HELLO).last()?;
        extensions(after_session_id(&hello.bytes)?.get(3..)?)?.get(&typ).copied()
    }

    /// The group of the last ServerHello's key share, or that of the ServerKeyExchange (RFC 8422 section 5.4).
    pub(super) fn group(&self) -> Option<NamedGroup> {
        let share = self.hello_extension(KEY_SHARE).and_then(|share| u16_at(share, 0));
        let named = || u16_at(&self.named(SERVER_KEY_EXCHANGE).last()?.bytes, 5);
        share.or_else(named).map(NamedGroup)
    }

    /// The scheme of the CertificateVerify that the peer sent, or received; in TLS 1.2 a server signs its
    /// ServerKeyExchange.
    pub(super) fn scheme(&self, sent: bool) -> Option<SignatureScheme> {
        let at = |name, at: fn(&[u8]) -> Option<usize>| {
            let message = self.named(name).find(|message| message.sent == sent)?;
            u16_at(&message.bytes, at(&message.bytes)?)
        };
        let verified = at(CERTIFICATE_VERIFY, |_| Some(4));
        let exchanged = || at(SERVER_KEY_EXCHANGE, |bytes| Some(8 + usize::from(*bytes.get(7)?)));
        verified.or_else(exchanged).map(SignatureScheme)
    }

    /// The protocol of the EncryptedExtensions, or of the ServerHello.
    pub(super) fn alpn(&self) -> Option<Vec<u8>> {
        let Some(message) = self.named(ENCRYPTED_EXTENSIONS).last() else {
            return Some(self.hello_extension(ALPN)?.get(3..)?.to_vec());
        };
        let extensions = extensions(message.bytes.get(4..)?)?;
        Some(extensions.get(&ALPN)?.get(3..)?.to_vec())
    }

    /// The OCSP response in the first entry of the Certificate that the peer sent, or received; in TLS 1.2 in a
    /// message of its own. It is a CertificateStatus: the type, then the response (RFC 6066 section 8).
    pub(super) fn ocsp(&self, sent: bool) -> Option<Vec<u8>> {
        let alone = self.named("CertificateStatus").find(|message| message.sent == sent);
        let status = match alone {
            Some(message) => message.bytes.get(4..)?,
            None if self.version() == Some(ProtocolVersion::TLS1_2) => return None,
            None => {
                let message = self.named("Certificate").find(|message| message.sent == sent)?;
                let list = message.bytes.get(5 + usize::from(*message.bytes.get(4)?) + 3..)?;
                extensions(list.get(3 + u24_at(list, 0)?..)?)?.get(&STATUS_REQUEST).copied()?
            }
        };
        (status.first() == Some(&1)).then(|| status.get(4..4 + u24_at(status, 1)?).map(<[u8]>::to_vec))?
    }

    /// The algorithm of the CompressedCertificate that the peer sent, or received (RFC 8879 section 4).
    pub(super) fn compression(&self, sent: bool) -> Option<u16> {
        let message = self.named("CompressedCertificate").find(|message| message.sent == sent)?;
        u16_at(&message.bytes, 4)
    }

    /// The names (DER) in the CertificateRequest: in its certificate_authorities, or, in TLS 1.2, behind the types and
    /// schemes.
    pub(super) fn requested_authorities(&self) -> Option<Vec<Vec<u8>>> {
        let request = self.named("CertificateRequest").last()?;
        let rest = request.bytes.get(5 + usize::from(*request.bytes.get(4)?)..)?;
        if self.version() == Some(ProtocolVersion::TLS1_2) {
            return names(rest.get(2 + usize::from(u16_at(rest, 0)?)..)?);
        }
        names(extensions(rest)?.get(&CERTIFICATE_AUTHORITIES)?)
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

/// What stands in the clear in the records of one direction; in TLS 1.2 nothing does behind a ChangeCipherSpec.
fn clear(records: &[u8], sent: bool, version: Option<ProtocolVersion>) -> Vec<Message> {
    let (mut messages, mut handshake, mut rest) = (Vec::new(), Vec::new(), records);
    while let (Some(typ), Some(len)) = (rest.first(), u16_at(rest, 3)) {
        let Some(content) = rest.get(5..5 + usize::from(len)) else { break };
        match typ {
            20 if version != Some(ProtocolVersion::TLS1_3) => break,
            21 if content.len() == 2 => {
                let (kind, name) = ("Alert".to_owned(), String::new());
                messages.push(Message { sent, kind, name, bytes: content.to_vec() });
            }
            22 => handshake.extend_from_slice(content),
            _ => {}
        }
        rest = &rest[5 + content.len()..];
    }
    let mut rest = handshake.as_slice();
    while let Some(bytes) = u24_at(rest, 1).and_then(|len| rest.get(..4 + len)) {
        let name = NAMES.iter().find(|(typ, _)| *typ == bytes[0]).map_or("?", |(_, name)| name);
        messages.push(Message { sent, kind: "Handshake".into(), name: name.into(), bytes: bytes.to_vec() });
        rest = &rest[bytes.len()..];
    }
    messages
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

    /// A server's flight and alert of TLS 1.2 as it passed, with a message in two records.
    const WIRE: &str = "\
        1603030038020000350303000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f00c02b0000 \
        0d001700000010000500030268 \
        160303000a32160000050100000130 \
        16030300100c00000c03001d02aabb04030002cccc \
        15030300020228 \
        1403030001011603030002ffff";

    #[test]
    fn a_wire_shows_what_passes_in_the_clear() {
        let digits: String = WIRE.split_whitespace().collect();
        let bytes = |text: &str| -> Vec<u8> {
            (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
        };
        let trace = Trace::of_wire(&Recording { sent: Vec::new(), received: bytes(&digits) });
        assert_eq!(trace.version(), Some(ProtocolVersion::TLS1_2));
        assert_eq!(trace.suite(), Some(CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256));
        assert_eq!(trace.group(), Some(NamedGroup::X25519));
        assert_eq!(trace.scheme(true), Some(SignatureScheme::ECDSA_SECP256R1_SHA256));
        assert_eq!(trace.alpn().as_deref(), Some(&b"h2"[..]));
        assert_eq!(trace.ocsp(true).as_deref(), Some(&b"\x30"[..]));
        assert_eq!(trace.alerts(true), [40]);
        assert!(trace.extended_master_secret());
        assert_eq!(trace.scheme(false), None);
    }

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
