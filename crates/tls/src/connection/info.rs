//! What a completed handshake has settled.

use std::sync::OnceLock;
use std::time::Duration;

use oxtls_crypto::key_exchange::NamedGroup;
use oxtls_crypto::signature::SignatureScheme;
use oxtls_handshake::key_schedule::exporter::Exporter;
use oxtls_handshake::outcome::Outcome;
use oxtls_handshake::session::{Psk, Session};
use oxtls_handshake::suite::{CipherSuite, ProtocolVersion};
use oxtls_x509::{Certificate, CertificateSignature, PeerIdentity};
use pki_types::CertificateDer;

use super::EarlyDataStatus;
use super::early::{EarlyState, export_by};
use crate::error::{Error, ErrorKind};

/// What a completed handshake has settled.
#[derive(Debug)]
pub struct Info {
    outcome: Box<Outcome>,
    identity: Identity,
    session: Option<ResumedSession>,
    early_data: EarlyDataStatus,
    early_exporter: Option<Box<Exporter>>,
    is_client: bool,
}

/// Who the peer is, as far as we know.
#[derive(Debug, Default)]
pub(crate) enum Identity {
    /// It sent no certificate, or the caller has verified it.
    #[default]
    Unknown,
    /// Whom the path says that was verified in this handshake.
    Verified(PeerIdentity),
    /// Whoever the session was made with, which was judged when it was made, offered or taken. Its certificate is only read
    /// again when somebody asks who that is.
    OfSession(OnceLock<Option<PeerIdentity>>),
}

/// What is no secret of a session that was resumed; its secret is gone with the handshake.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ResumedSession {
    /// When it was made, since the Unix epoch.
    pub made_at: Duration,
    /// When its own time would have ended, since the Unix epoch.
    pub ends_at: Duration,
    /// When the peers last proved by signature who they are, since the Unix epoch.
    pub verified_at: Duration,
    /// The application protocol that it was made with.
    pub alpn: Option<Vec<u8>>,
    /// Bytes of the application's that were put into it.
    pub context: Vec<u8>,
}

impl From<&Session> for ResumedSession {
    fn from(session: &Session) -> Self {
        let ends = session.made_at.saturating_add(session.lifetime);
        Self {
            made_at: session.made_at,
            ends_at: session.expires_at.map_or(ends, |expires| expires.min(ends)),
            verified_at: session.verified_at,
            alpn: session.alpn.clone(),
            context: session.context.clone(),
        }
    }
}

/// What binds an authentication above TLS to this connection (RFC 5056), so that nobody can relay it into another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ChannelBinding {
    /// `tls-exporter` (RFC 9266): 32 bytes that only these two ends of this connection know. What SCRAM-PLUS should use.
    TlsExporter,
    /// `tls-server-end-point` (RFC 5929 section 4): the hash of the server's certificate, the same in all its
    /// connections.
    TlsServerEndPoint,
}

impl Info {
    pub(super) fn new(
        mut outcome: Box<Outcome>,
        identity: Identity,
        early: EarlyState,
        is_client: bool,
    ) -> Self {
        // Who reads this memory later must not find what opens the session's early data, or resumes it once more.
        let psk = outcome.psk.take();
        let session = psk.as_deref().and_then(Psk::session).map(ResumedSession::from);
        let EarlyState { status: early_data, exporter: early_exporter, .. } = early;
        Self { outcome, identity, session, early_data, early_exporter, is_client }
    }

    /// Whether an earlier session was resumed: the peer is the one that was verified then.
    #[must_use]
    pub fn is_resumed(&self) -> bool {
        self.session().is_some()
    }

    /// The session that was resumed.
    #[must_use]
    pub fn session(&self) -> Option<&ResumedSession> {
        self.session.as_ref()
    }

    /// What became of early data.
    #[must_use]
    pub fn early_data(&self) -> EarlyDataStatus {
        self.early_data
    }

    /// The protocol version.
    #[must_use]
    pub fn version(&self) -> ProtocolVersion {
        self.outcome.version
    }

    /// The cipher suite.
    #[must_use]
    pub fn suite(&self) -> CipherSuite {
        self.outcome.suite
    }

    /// The key exchange group.
    #[must_use]
    pub fn group(&self) -> Option<NamedGroup> {
        self.outcome.group
    }

    /// The application protocol (ALPN).
    #[must_use]
    pub fn alpn(&self) -> Option<&[u8]> {
        self.outcome.alpn.as_deref()
    }

    /// The name that the client asked for (SNI).
    #[must_use]
    pub fn server_name(&self) -> Option<&str> {
        self.outcome.server_name.as_deref()
    }

    /// Who the peer is, as its certificate says; `None` if it sent none, or if the caller verified it. Where a session was
    /// resumed, it has [policies](PeerIdentity::policies) only if the verifier asks for some
    /// ([`PolicyInputs`](oxtls_x509::PolicyInputs)): then the chain was judged anew.
    #[must_use]
    pub fn peer_identity(&self) -> Option<&PeerIdentity> {
        match &self.identity {
            Identity::Unknown => None,
            Identity::Verified(identity) => Some(identity),
            Identity::OfSession(identity) => {
                let read = || PeerIdentity::from_certificate(self.peer_certificates().first()?).ok();
                identity.get_or_init(read).as_ref()
            }
        }
    }

    /// The peer's chain as received, leaf first; empty if it sent none.
    #[must_use]
    pub fn peer_certificates(&self) -> &[CertificateDer<'static>] {
        self.outcome.peer.as_ref().map_or(&[], |peer| &peer.chain)
    }

    /// The OCSP response that the peer stapled, DER; as received, nobody has verified it.
    #[must_use]
    pub fn stapled_ocsp(&self) -> Option<&[u8]> {
        self.outcome.peer.as_ref()?.ocsp.as_deref()
    }

    /// The signed certificate timestamps that the peer sent, an encoded list; as received, nobody has verified them.
    #[must_use]
    pub fn scts(&self) -> Option<&[u8]> {
        self.outcome.peer.as_ref()?.scts.as_deref()
    }

    /// The scheme that the peer signed with.
    #[must_use]
    pub fn peer_signature_scheme(&self) -> Option<SignatureScheme> {
        self.outcome.peer_signature_scheme
    }

    /// The scheme that we signed with.
    #[must_use]
    pub fn signature_scheme(&self) -> Option<SignatureScheme> {
        self.outcome.signature_scheme
    }

    /// Whether a HelloRetryRequest was exchanged: one more round trip.
    #[must_use]
    pub fn hello_retry_request(&self) -> bool {
        self.outcome.hello_retry_request
    }

    /// Everything that the machine said, but for the pre-shared key, which is gone.
    #[must_use]
    pub fn outcome(&self) -> &Outcome {
        &self.outcome
    }

    /// Exports keying material (RFC 9846 section 7.5).
    ///
    /// # Errors
    /// [`ErrorKind::Misuse`] if the configuration keeps no exporter, or more is wanted than it can give.
    pub fn export(&self, label: &str, context: Option<&[u8]>, out: &mut [u8]) -> Result<(), Error> {
        let misuse = |what| Error::new(ErrorKind::Misuse(what));
        let exporter =
            self.outcome.exporter.as_ref().ok_or_else(|| misuse("the configuration keeps no exporter"))?;
        exporter
            .export(label, context, out)
            .map_err(|_| misuse("more was to be exported than an exporter can give"))
    }

    /// As [`export`](Self::export), for early data that was taken (RFC 9846 section 7.5, the early_exporter_secret): worth
    /// no more than that, see [`Connection::export_early`](super::Connection::export_early).
    ///
    /// # Errors
    /// [`ErrorKind::Misuse`] where no early data was taken or the configuration keeps no exporter.
    pub fn export_early(&self, label: &str, context: Option<&[u8]>, out: &mut [u8]) -> Result<(), Error> {
        export_by(self.early_exporter.as_deref(), label, context, out)
    }

    /// The channel binding of this kind.
    ///
    /// # Errors
    /// [`ErrorKind::Misuse`]: `tls-exporter` without an exporter; `tls-server-end-point` of a certificate whose
    /// signature has no hash to borrow (Ed25519, ML-DSA), for which RFC 5929 defines none.
    pub fn channel_binding(&self, kind: ChannelBinding) -> Result<Vec<u8>, Error> {
        match kind {
            ChannelBinding::TlsExporter => {
                let mut binding = vec![0; 32];
                self.export("EXPORTER-Channel-Binding", None, &mut binding)?;
                Ok(binding)
            }
            ChannelBinding::TlsServerEndPoint => {
                self.server_certificate().and_then(end_point).ok_or_else(|| {
                    Error::new(ErrorKind::Misuse("this server's certificate defines no tls-server-end-point"))
                })
            }
        }
    }

    fn server_certificate(&self) -> Option<&CertificateDer<'static>> {
        if self.is_client {
            self.peer_certificates().first()
        } else {
            self.outcome.credential.as_ref()?.chain.first()
        }
    }
}

/// The certificate under the hash of its own signature; SHA-256 where that is weaker (RFC 5929 section 4.1), but this
/// library takes no such certificate.
fn end_point(certificate: &CertificateDer<'_>) -> Option<Vec<u8>> {
    let parsed = Certificate::parse(certificate).ok()?;
    let CertificateSignature::Known(algorithm) = parsed.signature_algorithm() else { return None };
    Some(algorithm.hash()?.digest(certificate).as_ref().to_vec())
}
