//! TLS 1.3 from the server's Finished to Done: our flight (RFC 9846 section 4.5).

use core::time::Duration;
use std::sync::Arc;

use oxtls_crypto::key_exchange::NamedGroup;
use oxtls_crypto::secret::Secret;
use oxtls_crypto::signature::SignatureScheme;

use crate::authentication;
use crate::client::State;
use crate::client::early_data::EarlyData;
use crate::client::proof::{Proved, ask_to_choose};
use crate::config::{Credential, Told, WantedForm};
use crate::defaults;
use crate::error::Error;
use crate::key_schedule::exporter::Exporter;
use crate::key_schedule::tls13::{ApplicationSecrets, MainSecret, finished_mac};
use crate::machine::{FinishedVerified, Out, WRONG_ANSWER};
use crate::message::certificate::NewCertificate;
use crate::message::certificate_verify::{CertificateVerify, SignerRole, signed_content};
use crate::message::{end_of_early_data, finished};
use crate::need::{AnswerKind, CredentialRequest, Need, Sign};
use crate::outcome::Outcome;
use crate::post_handshake::PostHandshake;
use crate::step::{ApplicationData, ChangeCipherSpec, Direction, Level, ReadMode};
use crate::suite::{ProtocolVersion, Tls13Suite};
use crate::transcript::Transcript;

/// Room for our short messages, as many as follow each other: an empty Certificate or what is in CertificateVerify beside the
/// signature, and Finished.
const SHORT_MESSAGES: usize = 64;

/// What a client holds from the server's Finished to its own.
#[derive(Debug)]
pub(crate) struct Finishing {
    pub(super) config: Told,
    pub(super) suite: Tls13Suite,
    pub(super) group: NamedGroup,
    pub(super) retried: bool,
    pub(super) transcript: Transcript,
    /// client_handshake_traffic_secret.
    pub(super) handshake: Secret,
    pub(super) application: ApplicationSecrets,
    /// For the resumption secret, if tickets are kept.
    pub(super) main: Option<MainSecret>,
    pub(super) early_data: EarlyData,
    pub(super) alpn: Option<Vec<u8>>,
    pub(super) proved: Proved,
    pub(super) finished: FinishedVerified,
    /// When the server's Finished came, since the Unix epoch.
    pub(super) finished_at: Duration,
}

impl Finishing {
    /// Our flight begins with EndOfEarlyData, if the server reads early data, or with a certificate, if it asked for
    /// one: never both, as a server that resumes a session asks for none.
    pub(super) fn begin(
        mut self,
        request: Option<Box<CredentialRequest>>,
        out: &mut Out,
    ) -> Result<State, Error> {
        self.end_of_early_data(out)?;
        match request {
            Some(request) => {
                ask_to_choose(&request, out);
                Ok(State::Tls13Credential(Box::new(self), request))
            }
            None => self.done(out),
        }
    }

    /// The answer to ChooseCredential.
    pub(super) fn credential(
        self: Box<Self>,
        request: &CredentialRequest,
        answer: AnswerKind,
        out: &mut Out,
    ) -> Result<State, Error> {
        match answer {
            AnswerKind::Credential(Some((credential, scheme))) => {
                self.our_certificate(request, credential, scheme, out)
            }
            AnswerKind::Credential(None) => self.no_certificate(out),
            _ => Err(WRONG_ANSWER),
        }
    }

    /// The answer to Sign.
    pub(super) fn signature(
        self,
        scheme: SignatureScheme,
        answer: &AnswerKind,
        out: &mut Out,
    ) -> Result<State, Error> {
        match answer {
            AnswerKind::Signature(signature) => self.our_certificate_verify(scheme, signature, out),
            _ => Err(WRONG_ANSWER),
        }
    }

    /// RFC 9846 section 4.6. QUIC ends its 0-RTT packets by itself, and no transcript has it there (RFC 9001 section 8.3).
    fn end_of_early_data(&mut self, out: &mut Out) -> Result<(), Error> {
        if self.early_data == EarlyData::Accepted && !out.is_quic() {
            let message = end_of_early_data::ENCODED;
            self.transcript.add(out.message(Level::Early, message.len(), |w| w.bytes(&message))?);
            out.keys(Level::Handshake, Direction::Write, self.suite.suite, self.handshake.duplicate());
        }
        Ok(())
    }

    /// No certificate fits: an empty Certificate says so, and no CertificateVerify follows.
    fn no_certificate(mut self, out: &mut Out) -> Result<State, Error> {
        let none = NewCertificate::default();
        self.transcript.add(out.message(Level::Handshake, SHORT_MESSAGES, |w| none.write(w))?);
        self.done(out)
    }

    fn our_certificate(
        mut self: Box<Self>,
        request: &CredentialRequest,
        credential: Arc<Credential>,
        scheme: SignatureScheme,
        out: &mut Out,
    ) -> Result<State, Error> {
        authentication::check_choice(&credential, scheme, request.schemes.contains(&scheme))?;
        let wanted = WantedForm { ocsp: request.ocsp, scts: request.sct, compression: &request.compression };
        let shown = credential.shown(wanted);
        self.transcript.add(out.message(Level::Handshake, shown.len(), |w| shown.write(w))?);
        let message = signed_content(SignerRole::Client, &self.transcript.current());
        self.proved.credential = Some(Arc::clone(&credential));
        out.ask(|serial| Need::Sign(Sign { scheme, message, credential, serial }));
        Ok(State::Tls13Signature(self, scheme))
    }

    fn our_certificate_verify(
        mut self,
        scheme: SignatureScheme,
        signature: &[u8],
        out: &mut Out,
    ) -> Result<State, Error> {
        authentication::check_signature(signature)?;
        let verify = CertificateVerify { algorithm: scheme, signature };
        let room = signature.len().saturating_add(SHORT_MESSAGES);
        self.transcript.add(out.message(Level::Handshake, room, |w| verify.write(w))?);
        self.proved.signed_with = Some(scheme);
        self.done(out)
    }

    /// Our Finished, the application keys, and what came of it all.
    fn done(mut self, out: &mut Out) -> Result<State, Error> {
        let Tls13Suite { suite, hash, .. } = self.suite;
        let verify_data = finished_mac(hash, &self.handshake, &self.transcript.current())?;
        let message = out.message(Level::Handshake, SHORT_MESSAGES, |w| finished::write(w, &verify_data))?;
        self.transcript.add(message);
        let Self { config, transcript, application, main, proved, .. } = self;
        let ApplicationSecrets { client, server, exporter } = application;
        let resumption = match main {
            Some(main) => Some(main.into_resumption(&transcript.finish())?),
            None => None,
        };
        out.keys(Level::Application, Direction::Write, suite, client);
        out.keys(Level::Application, Direction::Read, suite, server);
        out.read(ReadMode {
            change_cipher_spec: ChangeCipherSpec::Deliver,
            application_data: ApplicationData::Accept,
            plaintext_alert: false,
            max_message: defaults::MAX_TICKET_MESSAGE.min(config.common().max_message),
        });
        let outcome = Outcome {
            group: Some(self.group),
            alpn: self.alpn,
            server_name: config.server_name,
            hello_retry_request: self.retried,
            early_data: self.early_data == EarlyData::Accepted,
            exporter: exporter.map(|secret| Exporter::tls13(hash, secret)),
            ..proved.outcome(ProtocolVersion::TLS1_3, suite)
        };
        let post_handshake = PostHandshake::client_tls13(
            &outcome,
            hash,
            resumption.map(|s| (s, self.finished_at)),
            out.is_quic(),
        );
        out.done(self.finished, outcome, post_handshake);
        Ok(State::Over)
    }
}
