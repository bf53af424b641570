//! TLS 1.2: our flight in a full handshake, from the certificate to Finished (RFC 5246 section 7.4.6 to 7.4.9).

use std::sync::Arc;

use oxtls_crypto::key_exchange::NamedGroup;
use oxtls_crypto::signature::SignatureScheme;

use crate::authentication::{self, VerifiedPeer};
use crate::client::State;
use crate::client::proof::{Proved, Server, ask_to_choose};
use crate::client::tls12::{Agreed, Connection, Core, Messages};
use crate::client::tls12_finish::Finishing;
use crate::codec::Writer;
use crate::config::Credential;
use crate::error::Error;
use crate::key_schedule::tls12::{Binding, KeyBlock, MasterSecret};
use crate::machine::{Out, WRONG_ANSWER};
use crate::message::certificate_verify::CertificateVerify;
use crate::message::tls12::{certificate, client_key_exchange};
use crate::need::{AnswerKind, CredentialRequest, Need, Sign};
use crate::step::Level;
use crate::transcript::Transcript;

type Result<T> = core::result::Result<T, Error>;

/// Room for our short messages, as many as follow each other: ClientKeyExchange, or what is in CertificateVerify beside the
/// signature.
const SHORT_MESSAGES: usize = 48;

/// What a client holds once the server's certificate is accepted.
#[derive(Debug)]
pub(crate) struct Verified {
    pub(super) core: Core,
    pub(super) agreed: Agreed,
    pub(super) peer: VerifiedPeer,
}

/// What a client holds between its ClientKeyExchange and its ChangeCipherSpec.
#[derive(Debug)]
pub(crate) struct Keyed {
    connection: Connection,
    group: NamedGroup,
    proved: Proved,
    transcript: Transcript,
    master: MasterSecret,
    keys: KeyBlock,
}

impl Verified {
    /// Our flight begins with a certificate, if one was asked for.
    pub(super) fn flight(mut self, out: &mut Out) -> Result<State> {
        let Some(request) = self.core.request.take() else {
            return self.key_exchange(None, out);
        };
        ask_to_choose(&request, out);
        Ok(State::Tls12Credential(self, request))
    }

    /// The answer to ChooseCredential.
    pub(super) fn credential(
        self,
        request: &CredentialRequest,
        answer: AnswerKind,
        out: &mut Out,
    ) -> Result<State> {
        match answer {
            AnswerKind::Credential(Some((credential, scheme))) => {
                self.our_certificate(request, credential, scheme, out)
            }
            AnswerKind::Credential(None) => self.no_certificate(out),
            _ => Err(WRONG_ANSWER),
        }
    }

    /// No certificate fits: an empty Certificate says so, and no CertificateVerify follows.
    fn no_certificate(mut self, out: &mut Out) -> Result<State> {
        self.send(certificate::len(&[]), |w| certificate::write(w, &[]), out)?;
        self.key_exchange(None, out)
    }

    fn our_certificate(
        mut self,
        request: &CredentialRequest,
        credential: Arc<Credential>,
        scheme: SignatureScheme,
        out: &mut Out,
    ) -> Result<State> {
        authentication::check_choice(&credential, scheme, request.schemes.contains(&scheme))?;
        let chain = &credential.chain;
        self.send(certificate::len(chain), |w| certificate::write(w, chain), out)?;
        self.key_exchange(Some((credential, scheme)), out)
    }

    /// ClientKeyExchange, and the secrets that come of it (RFC 7627 section 4, RFC 5246 section 8.1). A certificate is
    /// proved by signing everything so far.
    fn key_exchange(
        mut self,
        credential: Option<(Arc<Credential>, SignatureScheme)>,
        out: &mut Out,
    ) -> Result<State> {
        let share = core::mem::take(&mut self.agreed.share);
        self.send(share.len(), |w| client_key_exchange::write(w, &share), out)?;
        let Self { core: Core { connection, messages, .. }, agreed, peer } = self;
        let Messages { mut transcript, whole } = messages;
        let session_hash = transcript.current();
        let binding = if connection.extended_master_secret {
            Binding::Session(&session_hash)
        } else {
            Binding::Randoms { client: &connection.client_random, server: &connection.server_random }
        };
        let master = MasterSecret::new(connection.suite.hash, &agreed.premaster, binding)?;
        let keys = connection.keys(&master, out)?;
        let proved = Proved::server(Server::Certificate(peer));
        let mut keyed = Keyed { connection, group: agreed.group, proved, transcript, master, keys };
        let Some((credential, scheme)) = credential else {
            return keyed.our_finished(out);
        };
        let message = whole.ok_or(Error::Internal("the messages are kept until here"))?;
        keyed.proved.credential = Some(Arc::clone(&credential));
        out.ask(|serial| Need::Sign(Sign { scheme, message, credential, serial }));
        Ok(State::Tls12Signature(keyed, scheme))
    }

    /// Sends a message; one that is not short has `len` bytes.
    fn send(&mut self, len: usize, write: impl FnOnce(&mut Writer), out: &mut Out) -> Result<()> {
        let room = len.saturating_add(SHORT_MESSAGES);
        self.core.messages.add(out.message(Level::Initial, room, write)?);
        Ok(())
    }
}

impl Keyed {
    /// The answer to Sign.
    pub(super) fn signature(
        self,
        scheme: SignatureScheme,
        answer: &AnswerKind,
        out: &mut Out,
    ) -> Result<State> {
        match answer {
            AnswerKind::Signature(signature) => self.our_certificate_verify(scheme, signature, out),
            _ => Err(WRONG_ANSWER),
        }
    }

    fn our_certificate_verify(
        mut self,
        scheme: SignatureScheme,
        signature: &[u8],
        out: &mut Out,
    ) -> Result<State> {
        authentication::check_signature(signature)?;
        let verify = CertificateVerify { algorithm: scheme, signature };
        let room = signature.len().saturating_add(SHORT_MESSAGES);
        self.transcript.add(out.message(Level::Initial, room, |w| verify.write(w))?);
        self.proved.signed_with = Some(scheme);
        self.our_finished(out)
    }

    /// Our ChangeCipherSpec and Finished; nothing more is sent before the server's have come.
    fn our_finished(self, out: &mut Out) -> Result<State> {
        let Self { connection, group, proved, transcript, master, keys } = self;
        let KeyBlock { client, server } = keys;
        let (group, write_key, ticket) = (Some(group), None, None);
        let mut finishing = Finishing { connection, proved, transcript, master, group, write_key, ticket };
        finishing.our_finished(client, out)?;
        let due = finishing.connection.ticket_or_change_cipher_spec(server);
        Ok(State::Tls12Finishing(finishing, due))
    }
}
