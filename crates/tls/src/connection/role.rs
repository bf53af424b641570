//! The two roles: which machine a connection runs, and how its configuration answers what the machine needs.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use oxtls_crypto::signature::SignatureScheme;
use oxtls_handshake::alert::AlertDescription;
use oxtls_handshake::config::Credential as Shared;
use oxtls_handshake::error::{Error as HandshakeError, Fault};
use oxtls_handshake::need::{
    Answer, ChooseCredential, CredentialRequest, Decompress, Need, Sign, VerifyPeer,
};
use oxtls_handshake::outcome::Outcome;
use oxtls_handshake::post_handshake::Tickets;
use oxtls_handshake::session::Psk;
use oxtls_handshake::step::{Input, Misuse, Output};
use oxtls_handshake::{client, server};
use oxtls_x509::{Report, Stapled, VerifiedPath};
use pki_types::ServerName;

use super::info::Identity;
use super::sessions::Left;
use crate::compression::CertificateCompression;
use crate::config::{ClientInner, Credential, Decision, ServerInner, Settings};
use crate::resumption::{Origin, PolicyHash, end_of};

/// What a Need came to.
#[derive(Debug)]
pub(crate) enum Settled {
    /// The configuration answers it.
    Answer(Answer),
    /// The caller must.
    Ask(Need),
}

/// A machine of either role.
pub(crate) trait Machine: fmt::Debug {
    fn input(&mut self, input: Input<'_>) -> Result<(), Misuse>;
    fn output(&mut self) -> Option<Output>;
}

impl Machine for client::Client {
    fn input(&mut self, input: Input<'_>) -> Result<(), Misuse> {
        self.input(input)
    }

    fn output(&mut self) -> Option<Output> {
        self.output()
    }
}

impl Machine for server::Server {
    fn input(&mut self, input: Input<'_>) -> Result<(), Misuse> {
        self.input(input)
    }

    fn output(&mut self) -> Option<Output> {
        self.output()
    }
}

/// A role of a connection: [`Client`] or [`Server`].
#[allow(private_bounds, reason = "only the two roles of this crate exist")]
pub trait Role: Sealed {}

/// What a role does; private, so that nobody else can make one.
pub(crate) trait Sealed: fmt::Debug {
    type Machine: Machine;
    const IS_CLIENT: bool;

    fn settings(&self) -> &Settings;

    /// Answers a Need from the configuration, or says why the handshake must fail.
    fn settle(&mut self, need: Need) -> Result<Settled, HandshakeError>;

    /// Who the peer is, as far as is known by now.
    fn take_identity(&mut self) -> Identity;

    /// Looks at a Need, whoever answers it, and fills in what the machine does not know.
    fn note(&mut self, _need: &mut Need) {}

    /// The handshake is done: what becomes of sessions.
    fn leave(&mut self, outcome: &mut Outcome, tickets: Option<Tickets>) -> Left;

    /// The handshake has failed.
    fn fail(&self) {}
}

/// The client's role.
#[derive(Debug)]
pub struct Client {
    pub(crate) config: Arc<ClientInner>,
    pub(crate) name: ServerName<'static>,
    /// What sessions with this server are bound to, if any are kept.
    pub(crate) policy: Option<PolicyHash>,
    pub(crate) identity: Identity,
    /// When the server's chain ends, since the Unix epoch.
    pub(crate) expires_at: Option<Duration>,
    /// The session that is offered.
    pub(crate) offered: Option<Arc<Psk>>,
}

/// The server's role.
#[derive(Debug)]
pub struct Server {
    pub(crate) config: Arc<ServerInner>,
    pub(crate) identity: Identity,
    /// What tickets made here must say.
    pub(crate) origin: Origin,
    /// The session that was found came in a ticket under a key that will soon be gone.
    pub(crate) old_key: bool,
}

impl Client {
    /// Of a server of this name, `host` as sessions know it; no session is offered yet.
    pub(crate) fn new(config: Arc<ClientInner>, name: ServerName<'static>, host: &str) -> Self {
        let policy = config.resumption.as_ref().map(|resumption| resumption.policy.of_host(host));
        Self { config, name, policy, identity: Identity::Unknown, expires_at: None, offered: None }
    }
}

impl Role for Client {}
impl Role for Server {}

impl Sealed for Client {
    type Machine = client::Client;
    const IS_CLIENT: bool = true;

    fn settings(&self) -> &Settings {
        &self.config.settings
    }

    fn settle(&mut self, need: Need) -> Result<Settled, HandshakeError> {
        match need {
            Need::ChooseCredential(token) => {
                Ok(choose(token, |request| pick(self.config.credentials.iter(), request)))
            }
            Need::VerifyPeer(token) => {
                let Some(verifier) = &self.config.verifier else {
                    return Ok(Settled::Ask(Need::VerifyPeer(token)));
                };
                let now = self.config.settings.clock.unix_time();
                let stapled = stapled(&token);
                let verdict = verifier.verify_server_with(&token.peer.chain, &self.name, stapled, now);
                verified(token, verdict, &mut self.identity, &mut self.expires_at)
            }
            Need::Sign(token) => sign(token),
            Need::Decompress(token) => decompress(token, &self.config.settings.compression),
            need => Ok(Settled::Ask(need)),
        }
    }

    fn take_identity(&mut self) -> Identity {
        std::mem::take(&mut self.identity)
    }

    fn leave(&mut self, outcome: &mut Outcome, _tickets: Option<Tickets>) -> Left {
        self.leave(outcome)
    }

    fn fail(&self) {
        self.forget();
    }
}

impl Sealed for Server {
    type Machine = server::Server;
    const IS_CLIENT: bool = false;

    fn settings(&self) -> &Settings {
        &self.config.settings
    }

    fn settle(&mut self, need: Need) -> Result<Settled, HandshakeError> {
        match need {
            Need::ChooseConfig(token) => {
                Ok(Settled::Answer(token.answer(Arc::clone(&self.config.handshake), None)))
            }
            Need::ChooseCredential(token) => Ok(choose(token, |request| self.config.credential_for(request))),
            Need::VerifyPeer(token) => {
                let Some(verifier) = &self.config.verifier else {
                    return Ok(Settled::Ask(Need::VerifyPeer(token)));
                };
                let now = self.config.settings.clock.unix_time();
                let verdict = verifier.verify_client_with(&token.peer.chain, stapled(&token), now);
                verified(token, verdict, &mut self.identity, &mut self.origin.expires_at)
            }
            Need::Sign(token) => sign(token),
            Need::Decompress(token) => decompress(token, &self.config.settings.compression),
            Need::OpenEch(token) => Ok(Settled::Answer(token.refuse(None))),
            Need::FindSession(token) => Ok(Settled::Answer(self.find(token))),
            Need::AcceptSession(token) => Ok(self.accept(token, None)),
            Need::SealTicket(token) => Ok(Settled::Answer(self.seal(token))),
            need => Ok(Settled::Ask(need)),
        }
    }

    fn take_identity(&mut self) -> Identity {
        std::mem::take(&mut self.identity)
    }

    fn note(&mut self, need: &mut Need) {
        match need {
            Need::ChooseConfig(token) => self.note_hello(token),
            Need::SealTicket(token) => self.complete(&mut token.session),
            _ => {}
        }
    }

    fn leave(&mut self, outcome: &mut Outcome, tickets: Option<Tickets>) -> Left {
        self.leave(outcome, tickets)
    }
}

impl ServerInner {
    /// The credential that carries the client's name and that it can verify; else the first that it can verify.
    fn credential_for(&self, request: &CredentialRequest) -> Option<(Arc<Shared>, SignatureScheme)> {
        let named = |credential: &&Credential| {
            request.server_name.as_deref().is_some_and(|name| credential.carries(name))
        };
        // One credential needs no look at its names: it is shown whatever the client asks for.
        if self.credentials.len() > 1 {
            let by_name = pick(self.credentials.iter().filter(named), request);
            if by_name.is_some() {
                return by_name;
            }
        }
        pick(self.credentials.iter(), request)
    }
}

impl Decision {
    /// Whether this is the decision that the Need asks for.
    pub(crate) fn covers(self, need: &Need) -> bool {
        matches!(
            (self, need),
            (Self::ChooseConfig, Need::ChooseConfig(_))
                | (Self::ChooseCredential, Need::ChooseCredential(_))
                | (Self::VerifyPeer, Need::VerifyPeer(_))
                | (Self::Sign, Need::Sign(_))
                | (Self::Decompress, Need::Decompress(_))
                | (Self::FindSession, Need::FindSession(_))
                | (Self::AcceptSession, Need::AcceptSession(_))
                | (Self::SealTicket, Need::SealTicket(_))
        )
    }
}

fn choose(
    token: ChooseCredential,
    pick: impl FnOnce(&CredentialRequest) -> Option<(Arc<Shared>, SignatureScheme)>,
) -> Settled {
    Settled::Answer(match pick(&token.request) {
        Some((credential, scheme)) => token.answer(credential, scheme),
        None => token.none(),
    })
}

/// The first credential with a scheme that the peer accepts; those that its authorities issued come first.
fn pick<'a>(
    credentials: impl Iterator<Item = &'a Credential> + Clone,
    request: &CredentialRequest,
) -> Option<(Arc<Shared>, SignatureScheme)> {
    let usable =
        |credential: &Credential| credential.scheme_for(request).map(|scheme| (credential.shared(), scheme));
    if !request.authorities.is_empty() {
        let mut issued = credentials.clone().filter(|credential| credential.issued_by(&request.authorities));
        if let Some(found) = issued.find_map(usable) {
            return Some(found);
        }
    }
    let mut credentials = credentials;
    credentials.find_map(usable)
}

/// What came with the peer's chain.
fn stapled(token: &VerifyPeer) -> Stapled<'_> {
    Stapled { ocsp: token.peer.ocsp.as_deref(), scts: token.peer.scts.as_deref() }
}

fn verified(
    token: VerifyPeer,
    verdict: Result<VerifiedPath, Box<Report>>,
    identity: &mut Identity,
    expires_at: &mut Option<Duration>,
) -> Result<Settled, HandshakeError> {
    match verdict {
        Ok(path) => {
            *expires_at = Some(end_of(&path));
            // A peer that has signed, or is of a session with one that had: its signature may be remembered, if anyone
            // remembers. In TLS 1.2 a server that resumes has proved nothing yet.
            if !token.resumed {
                path.possession_proved();
            }
            *identity = Identity::Verified(path.into_identity());
            Ok(Settled::Answer(token.accept()))
        }
        Err(report) => Err(HandshakeError::Refused {
            alert: AlertDescription(report.alert()),
            fault: Fault::Peer,
            cause: report,
        }),
    }
}

fn sign(token: Sign) -> Result<Settled, HandshakeError> {
    let Some(signer) = token.credential.signer.clone() else {
        return Ok(Settled::Ask(Need::Sign(token)));
    };
    match signer.sign(token.scheme, &token.message) {
        Ok(signature) => Ok(Settled::Answer(token.answer(signature))),
        Err(error) => Err(HandshakeError::SigningFailed(Some(Box::new(error)))),
    }
}

/// Undoes a compression, here or at the caller's.
fn decompress(token: Decompress, compression: &[CertificateCompression]) -> Result<Settled, HandshakeError> {
    let mut ours = compression.iter().filter(|algorithm| algorithm.algorithm() == token.algorithm);
    let Some(receiver) = ours.find_map(CertificateCompression::receiver) else {
        return Ok(Settled::Ask(Need::Decompress(token)));
    };
    let length = usize::try_from(token.length).map_err(|_| HandshakeError::DecompressionFailed)?;
    let certificate = receiver.decompress(&token.bytes, length).ok_or(HandshakeError::DecompressionFailed)?;
    Ok(Settled::Answer(token.answer(certificate)))
}
