//! Who the client is, whatever the version.

use std::sync::Arc;

use oxtls_crypto::signature::SignatureScheme;

use crate::authentication::ProvedPeer;
use crate::machine::{PeerVerified, SessionAccepted};
use crate::outcome::PeerCertificates;
use crate::session::Psk;

/// Who the client is.
#[derive(Debug)]
pub(super) enum Client {
    /// It was not asked, or had no certificate and needs none.
    Anonymous,
    /// It proved possession, and the outside accepted it.
    Verified(ProvedPeer, PeerVerified),
    /// It has the secret of a session, which the outside accepted: it is who it was then.
    Resumed(Arc<Psk>, SessionAccepted),
}

impl Client {
    /// Its certificates.
    pub(super) fn certificates(&self) -> Option<&PeerCertificates> {
        match self {
            Self::Anonymous => None,
            Self::Verified(peer, _) => Some(&peer.certificates),
            Self::Resumed(psk, _) => certificates_of(psk),
        }
    }
}

fn certificates_of(psk: &Psk) -> Option<&PeerCertificates> {
    match psk {
        Psk::Session(session) => session.peer.as_ref(),
        Psk::External { .. } => None,
    }
}

/// What an outcome says of the client.
#[derive(Debug)]
pub(super) struct Who {
    pub(super) peer: Option<PeerCertificates>,
    pub(super) peer_signature_scheme: Option<SignatureScheme>,
    pub(super) psk: Option<Arc<Psk>>,
}

impl From<Client> for Who {
    fn from(client: Client) -> Self {
        match client {
            Client::Anonymous => Self { peer: None, peer_signature_scheme: None, psk: None },
            Client::Verified(peer, PeerVerified { .. }) => {
                Self { peer: Some(peer.certificates), peer_signature_scheme: Some(peer.scheme), psk: None }
            }
            Client::Resumed(psk, SessionAccepted { .. }) => {
                Self { peer: certificates_of(&psk).cloned(), peer_signature_scheme: None, psk: Some(psk) }
            }
        }
    }
}
