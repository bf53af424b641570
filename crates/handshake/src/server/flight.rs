//! The messages of the server's TLS 1.3 flight and its handshake keys, the same whether a session is resumed or not
//! (RFC 9846 sections 4.2.3 and 4.4).

use oxtls_crypto::key_exchange::{self, Answer, Seed};
use oxtls_crypto::random;

use crate::config::{ClientAuth, Common, Randomness, ServerHandshake};
use crate::defaults;
use crate::error::Error;
use crate::extension::grease::Grease;
use crate::extension::key_share::KeyShareEntry;
use crate::extension::record_size_limit;
use crate::key_schedule::key_log;
use crate::key_schedule::tls13::{EarlySecret, HandshakeSecrets};
use crate::machine::Out;
use crate::message::certificate_request::NewCertificateRequest;
use crate::message::encrypted_extensions::EncryptedExtensions;
use crate::message::server_hello::ServerHello;
use crate::server::asked::Asked;
use crate::server::drawn::Drawn;
use crate::server::early_data::{self, Decision};
use crate::server::hello::Chosen;
use crate::server::negotiate;
use crate::server::tls13::Connection;
use crate::step::{ApplicationData, ChangeCipherSpec, Direction, EarlyData, Level, ReadMode, Transport};
use crate::suite::ProtocolVersion;

type Result<T> = core::result::Result<T, Error>;

/// Bytes of a ServerHello beside its key share, and of the record around it: it goes out in the clear, in this buffer.
const SERVER_HELLO: usize = 104;

/// The key exchange, ServerHello, and the handshake keys. From here on the handshake is encrypted. `psk`: the one that
/// is used, by its place among the client's.
pub(super) fn server_hello(
    chosen: &mut Chosen,
    asked: &Asked<'_>,
    psk: Option<(u16, EarlySecret)>,
    early_data: Decision,
    out: &mut Out,
) -> Result<HandshakeSecrets> {
    let (pre_shared_key, early) = psk.unzip();
    let early = early.unwrap_or_else(|| EarlySecret::new(chosen.suite.hash, None));
    let early_keys = match early_data {
        Decision::Accept { limit } => Some(early_data::Keys::new(chosen, &early, limit, out)?),
        Decision::Reject { reason, .. } => {
            out.early_data(EarlyData::Rejected(reason));
            None
        }
        Decision::None => None,
    };
    if let Some(parameters) = asked.transport_parameters {
        out.peer_parameters(parameters);
    }
    let common = &chosen.config.common;
    let Drawn { mut random, seed, .. } = Drawn::new(common)?;
    negotiate::mark_downgrade(&mut random, ProtocolVersion::TLS1_3, common.max_version);
    let answer = key_exchange_answer(common, asked, seed)?;
    let message = ServerHello {
        legacy_version: ProtocolVersion::TLS1_2,
        random: &random,
        session_id_echo: asked.session_id,
        cipher_suite: chosen.suite.suite,
        compression_method: 0,
        selected_version: Some(ProtocolVersion::TLS1_3),
        key_share: Some(KeyShareEntry { group: asked.group, key_exchange: &answer.share }),
        pre_shared_key,
    };
    let room = SERVER_HELLO.saturating_add(answer.share.len());
    chosen.transcript.add(out.message(Level::Initial, room, |w| message.write(w))?);
    out.compatibility_change_cipher_spec();
    let secrets = early.into_handshake(&answer.secret, &chosen.transcript.current())?;
    let asks = pre_shared_key.is_none() && chosen.config.client_auth != ClientAuth::None;
    install_handshake_keys(chosen, &secrets, (early_data, early_keys), asks, out);
    limits(&chosen.config.common, asked, out);
    Ok(secrets)
}

/// Both handshake keys at once: the next that the client sends is under its own, unless it could not read our hello
/// and says so in the clear. Early data comes before; over records its key is in the place of the handshake's until
/// EndOfEarlyData, over QUIC beside it. `asks`: a client certificate is asked for.
fn install_handshake_keys(
    chosen: &Chosen,
    secrets: &HandshakeSecrets,
    (decision, early_keys): (Decision, Option<early_data::Keys>),
    asks: bool,
    out: &mut Out,
) {
    let (config, suite) = (&chosen.config, chosen.suite.suite);
    out.key_log(key_log::CLIENT_HANDSHAKE_TRAFFIC_SECRET, &secrets.client);
    out.key_log(key_log::SERVER_HANDSHAKE_TRAFFIC_SECRET, &secrets.server);
    out.keys(Level::Handshake, Direction::Write, suite, secrets.server.duplicate());
    if let Some(keys) = early_keys {
        keys.install(suite, out);
        if !out.is_quic() {
            return;
        }
    }
    out.keys(Level::Handshake, Direction::Read, suite, secrets.client.duplicate());
    out.read(ReadMode {
        change_cipher_spec: ChangeCipherSpec::Drop,
        application_data: match decision {
            Decision::Reject { skip, .. } => ApplicationData::SkipUndecryptable { limit: skip },
            _ => ApplicationData::Refuse,
        },
        plaintext_alert: true,
        max_message: if asks { config.common.max_message } else { defaults::MAX_SHORT_MESSAGE },
    });
}

/// Record size limits hold when both name one (RFC 8449 section 4).
fn limits(common: &Common, asked: &Asked<'_>, out: &mut Out) {
    if let (Some(theirs), Some(ours)) = (asked.record_size_limit, common.record_size_limit) {
        out.limits(theirs.min(record_size_limit::MAX), ours);
    }
}

/// EncryptedExtensions (RFC 9846 section 4.4.1): answers to what the hello asked, nothing else but our groups. A
/// `resumption` says whether its early data is taken.
pub(super) fn encrypted_extensions<'a>(
    connection: &'a Connection,
    asked: &Asked<'_>,
    transport: &'a Transport,
    resumption: Option<bool>,
) -> EncryptedExtensions<'a> {
    let config = &connection.config;
    EncryptedExtensions {
        // Who resumes has acknowledged the name already, and must not do so again (RFC 6066 section 3).
        server_name: asked.server_name.is_some() && resumption.is_none(),
        alpn: connection.alpn.as_deref(),
        supported_groups: if negotiate::announces_groups(config, connection.group) {
            config.common.groups.clone()
        } else {
            Vec::new()
        },
        record_size_limit: asked.record_size_limit.and(config.common.record_size_limit),
        early_data: resumption == Some(true),
        quic_transport_parameters: match transport {
            Transport::Quic { parameters } => Some(parameters),
            Transport::Stream => None,
        },
        ticket_request: connection.tickets.filter(|_| asked.ticket_request),
        encrypted_client_hello: None,
    }
}

/// CertificateRequest (RFC 9846 section 4.4.2), with values that mean nothing, if the configuration wants them (RFC
/// 8701).
pub(super) fn new_certificate_request(config: &ServerHandshake) -> Result<NewCertificateRequest<'_>> {
    Ok(NewCertificateRequest { grease: grease(config)?, ..certificate_request(config) })
}

/// What is asked of a client's certificate, and what that is judged by.
pub(super) fn certificate_request(config: &ServerHandshake) -> NewCertificateRequest<'_> {
    let common = &config.common;
    NewCertificateRequest {
        signature_algorithms: &common.verify_schemes,
        signature_algorithms_cert: common.certificate_schemes.as_deref(),
        certificate_authorities: &config.authorities,
        status_request: common.ocsp,
        signed_certificate_timestamp: common.sct,
        compress_certificate: &common.decompress,
        grease: None,
    }
}

fn grease(config: &ServerHandshake) -> Result<Option<Grease>> {
    if !config.grease {
        return Ok(None);
    }
    let seed = match &config.common.randomness {
        Randomness::Recorded(recorded) => recorded.random.first_chunk().copied().unwrap_or_default(),
        Randomness::System => random::array().map_err(Error::Crypto)?,
    };
    Ok(Some(Grease::new(seed)))
}

/// Our share and the shared secret.
fn key_exchange_answer(common: &Common, asked: &Asked<'_>, seed: Option<Seed>) -> Result<Answer> {
    let recorded = match &common.randomness {
        Randomness::Recorded(recorded) => {
            recorded.private_keys.iter().find(|(group, _)| *group == asked.group)
        }
        Randomness::System => None,
    };
    match (recorded, seed) {
        (Some((group, private)), _) => key_exchange::answer_with_private_key(*group, asked.share, private),
        (None, Some(seed)) => key_exchange::answer_seeded(asked.group, asked.share, seed),
        (None, None) => key_exchange::answer(asked.group, asked.share),
    }
    .map_err(|error| match error {
        oxtls_crypto::Error::InvalidShare { .. } => Error::BadKeyShare(error),
        error => Error::Crypto(error),
    })
}
