//! Who has proved what by the end of a client's handshake, of either version.

use std::sync::Arc;

use oxtls_crypto::signature::SignatureScheme;

use crate::authentication::{ProvedPeer, VerifiedPeer};
use crate::config::{Credential, Told};
use crate::error::Error;
use crate::machine::Out;
use crate::need::{ChooseCredential, CredentialRequest, NameToVerify, Need, VerifyPeer};
use crate::outcome::{EchStatus, Outcome, PeerCertificates};
use crate::session::Psk;
use crate::suite::{CipherSuite, ProtocolVersion};

/// Who the server is. There is no third way to know.
#[derive(Debug)]
pub(crate) enum Server {
    /// It proved possession of its certificate's key, and the outside accepted the certificate.
    Certificate(VerifiedPeer),
    /// It has the secret of the session that it resumed, and so is whoever the session was made with. Whoever set the
    /// session has judged that peer; with `verify_resumed`, the outside has judged it again in this handshake.
    Session(Arc<Psk>),
}

/// Who both ends are.
#[derive(Debug)]
pub(crate) struct Proved {
    server: Server,
    /// What we showed.
    pub(super) credential: Option<Arc<Credential>>,
    /// What we signed with.
    pub(super) signed_with: Option<SignatureScheme>,
}

impl Proved {
    /// The server alone: nothing was asked of us yet.
    pub(super) const fn server(server: Server) -> Self {
        Self { server, credential: None, signed_with: None }
    }

    /// The certificates that the server has, or had when the session was made.
    pub(super) fn server_certificates(&self) -> Option<&PeerCertificates> {
        match &self.server {
            Server::Certificate(peer) => Some(&peer.certificates),
            Server::Session(psk) => psk.session().and_then(|session| session.peer.as_ref()),
        }
    }

    /// The session that was resumed.
    pub(super) const fn session(&self) -> Option<&Arc<Psk>> {
        match &self.server {
            Server::Certificate(_) => None,
            Server::Session(psk) => Some(psk),
        }
    }

    /// An outcome that says so, and nothing else.
    pub(super) fn outcome(&self, version: ProtocolVersion, suite: CipherSuite) -> Outcome {
        let (peer, peer_signature_scheme, psk) = match &self.server {
            Server::Certificate(peer) => (Some(peer.certificates.clone()), Some(peer.scheme), None),
            Server::Session(psk) => {
                (psk.session().and_then(|session| session.peer.clone()), None, Some(Arc::clone(psk)))
            }
        };
        Outcome {
            version,
            suite,
            group: None,
            extended_master_secret: true,
            alpn: None,
            server_name: None,
            peer,
            peer_signature_scheme,
            signature_scheme: self.signed_with,
            credential: self.credential.clone(),
            psk,
            hello_retry_request: false,
            early_data: false,
            ech: EchStatus::NotOffered,
            exporter: None,
            session: None,
        }
    }
}

/// Asks whether the server, which has proved possession, is who it should be.
pub(super) fn ask_to_verify(peer: &ProvedPeer, out: &mut Out) {
    let peer = peer.certificates.clone();
    let (name, resumed) = (NameToVerify::Configured, false);
    out.ask(|serial| Need::VerifyPeer(VerifyPeer { peer, resumed, name, serial }));
}

/// Asks whether the server that the session was made with is still who it should be, if that is wanted at every
/// resumption. Whether it was asked.
pub(super) fn ask_to_verify_again(config: &Told, psk: &Psk, out: &mut Out) -> Result<bool, Error> {
    if !config.all().verify_resumed {
        return Ok(false);
    }
    // Such a session is not offered.
    const NOBODY: Error = Error::Internal("a session without certificates");
    let peer = psk.session().and_then(|session| session.peer.clone()).ok_or(NOBODY)?;
    let (name, resumed) = (NameToVerify::Configured, true);
    out.ask(|serial| Need::VerifyPeer(VerifyPeer { peer, resumed, name, serial }));
    Ok(true)
}

/// Asks for a credential that the server accepts.
pub(super) fn ask_to_choose(request: &CredentialRequest, out: &mut Out) {
    let request = Box::new(request.clone());
    out.ask(|serial| Need::ChooseCredential(ChooseCredential { request, serial }));
}
