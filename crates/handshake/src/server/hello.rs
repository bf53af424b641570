//! From the first ClientHello to everything chosen: configuration, version, and for TLS 1.3 suite, group, and a
//! HelloRetryRequest where one is needed (RFC 9846 sections 4.2.1 to 4.2.4).

use core::time::Duration;
use std::sync::Arc;

use oxtls_crypto::key_exchange::NamedGroup;

use crate::alert::AlertDescription;
use crate::config::ServerHandshake;
use crate::defaults;
use crate::error::{Error, Fault};
use crate::extension::ExtensionType;
use crate::machine::{Incoming, Out, WRONG_ANSWER};
use crate::message::HandshakeType;
use crate::message::client_hello::{ClientHello, OwnedClientHello};
use crate::message::server_hello::HelloRetryRequest;
use crate::need::{AnswerKind, ChooseConfig, Need};
use crate::server::negotiate::{self, GroupChoice};
use crate::server::{psk, retry, tls12, tls13};
use crate::step::{
    ApplicationData, ChangeCipherSpec, EarlyData, EarlyDataRejection, Level, ReadMode, Transport,
};
use crate::suite::{ProtocolVersion, Tls13Suite};
use crate::transcript::Transcript;

type Result<T> = core::result::Result<T, Error>;

/// Bytes of a HelloRetryRequest beside its cookie, and of the record around it.
const HELLO_RETRY_REQUEST: usize = 104;

/// Where a server stands before its version is certain.
#[derive(Debug)]
pub(super) enum State {
    /// Nothing has come.
    ClientHello { transport: Transport },
    /// ChooseConfig is out; `now` is when the hello came.
    Config { transport: Transport, hello: OwnedClientHello, now: Duration },
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
    /// Up to the hello that gets a ServerHello.
    pub(super) transcript: Transcript,
    pub(super) retried: bool,
}

/// A hello that gets a TLS 1.3 ServerHello.
#[derive(Debug)]
pub(super) struct Hello<'a> {
    pub(super) parsed: ClientHello<'a>,
    pub(super) owned: &'a OwnedClientHello,
    /// When it came, since the Unix epoch: what its tickets' ages are judged by.
    pub(super) now: Duration,
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
            (Self::Config { transport, hello, now }, AnswerKind::Config { config, cookie }) => {
                choose((hello, now), transport, config, cookie, out)
            }
            _ => Err(WRONG_ANSWER),
        }
    }
}

/// The first hello. What it must be like depends on the version, and that on the configuration.
fn client_hello(transport: Transport, message: Incoming<'_>, out: &mut Out) -> Result<super::State> {
    let body = message.expect(HandshakeType::CLIENT_HELLO, Level::Initial, "ClientHello")?;
    check_transport(&transport, &ClientHello::parse(body)?)?;
    let hello = OwnedClientHello::of_parsed(message.encoded());
    let (now, asked) = (message.now, hello.clone());
    out.ask(|serial| Need::ChooseConfig(ChooseConfig { hello: asked, ech: false, now, serial }));
    Ok(super::State::Hello(State::Config { transport, hello, now }))
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
    (owned, now): (OwnedClientHello, Duration),
    transport: Transport,
    config: Arc<ServerHandshake>,
    cookie: Option<Vec<u8>>,
    out: &mut Out,
) -> Result<super::State> {
    let hello = owned.parse()?;
    if negotiate::version(&config, &hello, out.is_quic())? == ProtocolVersion::TLS1_2 {
        return tls12::choose((&owned, &hello), now, config, out);
    }
    hello.check_tls13()?;
    let suite = negotiate::suite(&config, &hello)?;
    let group = negotiate::group(&config, &hello)?;
    let alpn = negotiate::alpn(&config, &hello, out.is_quic())?;
    // RFC 9846 appendix E.4 demands it of a server only where the client has a session ID and allows it anywhere: a
    // middlebox on this side is helped whatever the client does.
    out.enable_compatibility();
    if config.common.key_log {
        out.enable_key_log(*hello.random);
    }
    let transcript = Transcript::new(suite.hash);
    let chosen = Chosen { transport, config, suite, alpn, transcript, retried: false };
    match (group, cookie) {
        (GroupChoice::Shared(group), None) => {
            go_on(chosen, &Hello { parsed: hello, owned: &owned, now }, group, out)
        }
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
    };
    let mut application_data = ApplicationData::Refuse;
    if hello.extensions.early_data {
        out.early_data(EarlyData::Rejected(EarlyDataRejection::HelloRetryRequest));
        application_data = ApplicationData::SkipUntilClientHello {
            limit: defaults::early_data_skip(chosen.config.max_early_data),
        };
    }
    chosen.transcript.add(owned.raw());
    chosen.transcript = chosen.transcript.into_message_hash();
    let room = HELLO_RETRY_REQUEST.saturating_add(cookie.as_ref().map_or(0, Vec::len));
    chosen.transcript.add(out.message(Level::Initial, room, |w| message.write(w))?);
    chosen.retried = true;
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
    let Retrying { chosen, group, group_asked, cookie, first } = state;
    let hash = chosen.suite.hash;
    let body = message.expect(HandshakeType::CLIENT_HELLO, Level::Initial, "the second ClientHello")?;
    ClientHello::parse(body)?;
    retry::check(
        first.body(),
        body,
        retry::Asked { key_share: group_asked, cookie: cookie.as_deref(), hash },
    )?;
    let owned = OwnedClientHello::of_parsed(message.encoded());
    let hello = owned.parse()?;
    hello.check_tls13()?;
    if group_asked && hello.extensions.key_shares.iter().flat_map(|list| list.iter()).count() != 1 {
        return Err(Error::WrongGroup);
    }
    go_on(chosen, &Hello { parsed: hello, owned: &owned, now: message.now }, group, out)
}

/// A hello that gets a ServerHello: of which session, or else with which credential?
fn go_on(mut chosen: Chosen, hello: &Hello<'_>, group: NamedGroup, out: &mut Out) -> Result<super::State> {
    negotiate::check_share(&hello.parsed, group)?;
    Ok(super::State::Tls13(match psk::Offer::of(&chosen, hello) {
        Some(offer) => offer.ask(chosen, group, out),
        None => {
            chosen.transcript.add(hello.owned.raw());
            tls13::ask_for_credential(chosen, (hello.owned, &hello.parsed), group, out)?
        }
    }))
}
