//! From the first ClientHello to everything chosen: configuration, version, and for TLS 1.3 suite, group, and a
//! HelloRetryRequest where one is needed (RFC 9846 sections 4.2.1 to 4.2.4).

use std::sync::Arc;

use oxtls_crypto::key_exchange::{self, NamedGroup};

use crate::alert::AlertDescription;
use crate::config::ServerHandshake;
use crate::defaults;
use crate::error::{Error, Fault};
use crate::extension::ExtensionType;
use crate::machine::{Incoming, Out, WRONG_ANSWER};
use crate::message::HandshakeType;
use crate::message::client_hello::{ClientHello, OwnedClientHello};
use crate::message::server_hello::HelloRetryRequest;
use crate::need::{AnswerKind, ChooseConfig, ChooseCredential, CredentialRequest, Need};
use crate::server::negotiate::{self, GroupChoice};
use crate::server::{retry, tls12, tls13};
use crate::step::{
    ApplicationData, ChangeCipherSpec, EarlyData, EarlyDataRejection, Level, ReadMode, Transport,
};
use crate::suite::{ProtocolVersion, Tls13Suite};
use crate::transcript::Transcript;

type Result<T> = core::result::Result<T, Error>;

/// Where a server stands before its version is certain.
#[derive(Debug)]
pub(super) enum State {
    /// Nothing has come.
    ClientHello { transport: Transport },
    /// ChooseConfig is out.
    Config { transport: Transport, hello: OwnedClientHello },
    /// A HelloRetryRequest is out.
    SecondClientHello(Box<Retrying>),
}

/// What is kept between the two hellos.
#[derive(Debug)]
pub(super) struct Retrying {
    chosen: Chosen,
    group: NamedGroup,
    group_asked: bool,
    cookie: Option<Vec<u8>>,
    first: OwnedClientHello,
}

/// What was chosen from the first hello and holds for the second.
#[derive(Debug)]
pub(super) struct Chosen {
    pub(super) transport: Transport,
    pub(super) config: Arc<ServerHandshake>,
    pub(super) suite: Tls13Suite,
    pub(super) alpn: Option<Vec<u8>>,
    pub(super) transcript: Transcript,
    pub(super) retried: bool,
}

impl State {
    pub(super) const fn new(transport: Transport) -> Self {
        Self::ClientHello { transport }
    }

    pub(super) fn message(self, message: Incoming<'_>, out: &mut Out) -> Result<super::State> {
        match self {
            Self::ClientHello { transport } => client_hello(transport, message, out),
            Self::SecondClientHello(state) => second_client_hello(*state, message, out),
            Self::Config { .. } => Err(message.unexpected("the answer to ChooseConfig")),
        }
    }

    pub(super) fn answer(self, answer: AnswerKind, out: &mut Out) -> Result<super::State> {
        match (self, answer) {
            (Self::Config { transport, hello }, AnswerKind::Config { config, cookie }) => {
                choose(transport, hello, config, cookie, out)
            }
            _ => Err(WRONG_ANSWER),
        }
    }
}

/// The first hello: what can be judged without a configuration is judged before anybody is asked.
fn client_hello(transport: Transport, message: Incoming<'_>, out: &mut Out) -> Result<super::State> {
    let body = message.expect(HandshakeType::CLIENT_HELLO, Level::Initial, "ClientHello")?;
    let hello = ClientHello::parse(body)?;
    let offered = negotiate::offered_versions(&hello);
    if offered.contains(&ProtocolVersion::TLS1_3) {
        hello.check_tls13()?;
    } else if !offered.contains(&ProtocolVersion::TLS1_2) {
        return Err(Error::NoCommonVersion { peer: offered.into() });
    }
    check_transport(&transport, &hello)?;
    let hello = OwnedClientHello::new(message.encoded())?;
    out.ask(|serial| Need::ChooseConfig(ChooseConfig { hello: hello.clone(), ech: false, serial }));
    Ok(super::State::Hello(State::Config { transport, hello }))
}

/// The rules of TLS over QUIC (RFC 9001 sections 8.2 and 8.4).
fn check_transport(transport: &Transport, hello: &ClientHello<'_>) -> Result<()> {
    let typ = ExtensionType::QUIC_TRANSPORT_PARAMETERS;
    let present = hello.extensions.quic_transport_parameters.is_some();
    match transport {
        Transport::Stream if present => Err(Error::UnsupportedExtension(typ)),
        Transport::Stream => Ok(()),
        Transport::Quic { .. } if !present => Err(Error::MissingExtension(typ)),
        Transport::Quic { .. } if !hello.session_id.is_empty() => {
            Err(Error::QuicViolation("legacy_session_id must be empty over QUIC"))
        }
        Transport::Quic { .. } => Ok(()),
    }
}

/// The configuration is there: everything is chosen, and either asked for by a HelloRetryRequest or gone on with.
fn choose(
    transport: Transport,
    owned: OwnedClientHello,
    config: Arc<ServerHandshake>,
    cookie: Option<Vec<u8>>,
    out: &mut Out,
) -> Result<super::State> {
    let hello = owned.parse()?;
    if negotiate::version(&config, &hello, out.is_quic())? == ProtocolVersion::TLS1_2 {
        return Ok(super::State::Tls12(tls12::choose(owned, config, out)?));
    }
    let suite = negotiate::suite(&config, &hello)?;
    let group = negotiate::group(&config, &hello)?;
    let alpn = negotiate::alpn(&config, &hello, out.is_quic())?;
    // RFC 9846 appendix E.4 demands it of a server only where the client has a session ID and allows it anywhere: a
    // middlebox on this side is helped whatever the client does.
    out.enable_compatibility();
    if config.common.key_log {
        out.enable_key_log(*hello.random);
    }
    let mut transcript = Transcript::new(suite.hash);
    transcript.add(owned.raw());
    let chosen = Chosen { transport, config, suite, alpn, transcript, retried: false };
    match (group, cookie) {
        (GroupChoice::Shared(group), None) => go_on(chosen, &hello, group, out),
        (group, cookie) => hello_retry_request(chosen, owned, group, cookie, out),
    }
}

/// Asks for a second hello. Early data that comes meanwhile is passed over unread, up to a limit.
fn hello_retry_request(
    mut chosen: Chosen,
    owned: OwnedClientHello,
    choice: GroupChoice,
    cookie: Option<Vec<u8>>,
    out: &mut Out,
) -> Result<super::State> {
    if cookie.as_ref().is_some_and(Vec::is_empty) {
        return Err(Error::Refused {
            alert: AlertDescription::INTERNAL_ERROR,
            fault: Fault::Local,
            cause: "the cookie for a HelloRetryRequest is empty".into(),
        });
    }
    let hello = owned.parse()?;
    let (group, group_asked) = match choice {
        GroupChoice::Shared(group) => (group, false),
        GroupChoice::Retry(group) => (group, true),
    };
    let message = HelloRetryRequest {
        legacy_version: ProtocolVersion::TLS1_2,
        session_id_echo: hello.session_id,
        cipher_suite: chosen.suite.suite,
        compression_method: 0,
        selected_version: Some(ProtocolVersion::TLS1_3),
        selected_group: group_asked.then_some(group),
        cookie: cookie.as_deref(),
        encrypted_client_hello: None,
    }
    .encode()?;
    let mut application_data = ApplicationData::Refuse;
    if hello.extensions.early_data {
        out.early_data(EarlyData::Rejected(EarlyDataRejection::HelloRetryRequest));
        application_data = ApplicationData::SkipUntilClientHello {
            limit: defaults::early_data_skip(chosen.config.max_early_data),
        };
    }
    chosen.transcript = chosen.transcript.into_message_hash();
    chosen.transcript.add(&message);
    chosen.retried = true;
    out.send(Level::Initial, message);
    out.compatibility_change_cipher_spec();
    out.read(ReadMode {
        change_cipher_spec: ChangeCipherSpec::Drop,
        application_data,
        plaintext_alert: false,
        max_message: defaults::MAX_CLIENT_HELLO,
    });
    let retrying = Retrying { chosen, group, group_asked, cookie, first: owned };
    Ok(super::State::Hello(State::SecondClientHello(Box::new(retrying))))
}

/// The second hello: the first one, but for what was asked.
fn second_client_hello(state: Retrying, message: Incoming<'_>, out: &mut Out) -> Result<super::State> {
    let Retrying { mut chosen, group, group_asked, cookie, first } = state;
    let body = message.expect(HandshakeType::CLIENT_HELLO, Level::Initial, "the second ClientHello")?;
    let hello = ClientHello::parse(body)?;
    retry::check(first.body(), body, retry::Asked { key_share: group_asked, cookie: cookie.as_deref() })?;
    hello.check_tls13()?;
    if group_asked && hello.extensions.key_shares.iter().flat_map(|list| list.iter()).count() != 1 {
        return Err(Error::WrongGroup);
    }
    chosen.transcript.add(message.encoded());
    go_on(chosen, &hello, group, out)
}

/// A hello that gets a ServerHello: which credential?
fn go_on(chosen: Chosen, hello: &ClientHello<'_>, group: NamedGroup, out: &mut Out) -> Result<super::State> {
    let share = negotiate::share(hello, group).ok_or(Error::WrongGroup)?;
    key_exchange::check_share(group, true, share).map_err(Error::BadKeyShare)?;
    let schemes = negotiate::schemes(hello)?;
    let extensions = &hello.extensions;
    let request = CredentialRequest {
        version: ProtocolVersion::TLS1_3,
        certificate_schemes: extensions.certificate_schemes().unwrap_or_default().to_vec(),
        schemes,
        authorities: extensions.certificate_authorities.map(|names| names.to_vec()).unwrap_or_default(),
        server_name: extensions.server_name.map(str::to_owned),
        ocsp: extensions.status_request,
        sct: extensions.signed_certificate_timestamp,
        compression: extensions.compress_certificate.unwrap_or_default().to_vec(),
    };
    let asked = tls13::Asked {
        group,
        share: share.to_vec(),
        schemes: request.schemes.clone(),
        ocsp: request.ocsp,
        sct: request.sct,
        compression: request.compression.clone(),
        server_name: request.server_name.clone(),
        session_id: hello.session_id.to_vec(),
        record_size_limit: extensions.record_size_limit,
        early_data: extensions.early_data,
        tickets: chosen.config.resumption
            && extensions.psk_key_exchange_modes.is_some_and(|m| m.psk_dhe_ke()),
        transport_parameters: extensions.quic_transport_parameters.map(<[u8]>::to_vec),
    };
    out.ask(|serial| Need::ChooseCredential(ChooseCredential { request, serial }));
    Ok(super::State::Tls13(tls13::State::await_credential(chosen, asked)))
}
