//! ClientHello, HelloRetryRequest and ServerHello (RFC 9846 section 4.2), until the version is certain.

use core::mem;
use core::time::Duration;

use oxtls_crypto::key_exchange::NamedGroup;
use oxtls_crypto::secret::SharedSecret;

use crate::client::early_data::{self, EarlyData};
use crate::client::our_hello::{OurHello, Says, key_exchange};
use crate::client::psk::{self, OfferedPsk};
use crate::client::shares::Shares;
use crate::client::tls12;
use crate::client::{State, tls13};
use crate::config::{ConfigError, Told};
use crate::error::Error;
use crate::extension::key_share::KeyShareEntry;
use crate::extension::{ExtensionType, OfferedSet};
use crate::key_schedule::key_log;
use crate::machine::{Incoming, Out};
use crate::message::HandshakeType;
use crate::message::server_hello::{
    HELLO_RETRY_REQUEST_RANDOM, HelloRetryRequest, ServerHello, ServerHelloOrRetry, check_downgrade,
};
use crate::step::{Direction, EarlyDataRejection, Failure, Level};
use crate::suite::{CipherSuite, ProtocolVersion, Tls13Suite};
use crate::transcript::{Transcript, Unhashed};

/// Room for the header of a record, so that one can be put around a hello where it lies.
const ROOM_AROUND: usize = 16;

/// What takes the state of a hello that is out is called in that state alone.
pub(super) const NO_HELLO: Error = Error::Internal("an answer to a hello that is not out");

/// A ClientHello is out; a ServerHello or a HelloRetryRequest is due.
#[derive(Debug)]
pub(crate) struct Waiting {
    pub(super) ours: OurHello,
    shares: Shares,
    psk: Option<OfferedPsk>,
    early_data: EarlyData,
    pub(super) offered: OfferedSet,
    pub(super) first_hello: Unhashed,
    retry: Option<Box<Retry>>,
}

/// What a HelloRetryRequest has fixed, and the transcript that it began.
#[derive(Debug)]
struct Retry {
    suite: CipherSuite,
    group: Option<NamedGroup>,
    transcript: Transcript,
}

/// Makes and queues the first ClientHello. With a session that allows it, early data may follow at once.
pub(super) fn start(
    config: Told,
    quic_parameters: Option<Vec<u8>>,
    now: Duration,
    out: &mut Out,
) -> Result<Waiting, ConfigError> {
    let (mut ours, seeds) = OurHello::new(config, quic_parameters, now)?;
    let psk = OfferedPsk::choose(&ours.config, now);
    ours.psk_dhe_ke |= psk.is_some();
    let common = ours.config.common();
    let seeds = seeds.into_iter().chain(core::iter::repeat_with(|| None));
    let groups = ours.config.shared.first_shares().iter().zip(seeds);
    let shares = groups
        .map(|(&group, seed)| key_exchange(common, group, seed))
        .collect::<Result<Shares, _>>()
        .map_err(ConfigError::Crypto)?;
    let early_data = psk.as_ref().is_some_and(|psk| early_data::is_possible(&ours.config, psk));
    let says = Says {
        shares: &shares,
        shares_are_ours: true,
        cookie: None,
        early_data,
        psk: psk.as_ref().and_then(|psk| psk.offer(now)),
    };
    let (mut hello, offered) = ours.encode(says).map_err(|_| ConfigError::HelloTooLong)?;
    let hashed = match &psk {
        Some(psk) => Some(psk.bind(&mut hello, Transcript::new(psk.suite.hash)).map_err(derivation_failed)?),
        None => None,
    };
    if ours.config.offers(ProtocolVersion::TLS1_3) && !ours.session_id.is_empty() {
        out.enable_compatibility();
    }
    if common.key_log {
        out.enable_key_log(ours.random);
    }
    send(&hello, out).map_err(|_| ConfigError::HelloTooLong)?;
    let first_hello = match hashed {
        Some(hashed) => Unhashed::with_hash(hello, hashed),
        None => Unhashed::new(hello),
    };
    let early_data = match &psk {
        Some(psk) if early_data => {
            early_data::begin(psk, first_hello.bytes(), common.exporter, out).map_err(derivation_failed)?
        }
        _ => EarlyData::None,
    };
    out.read(ours.read_mode());
    Ok(Waiting { ours, shares, psk, early_data, offered, first_hello, retry: None })
}

/// Sends a hello: from here on its own buffer is the transcript's.
fn send(hello: &[u8], out: &mut Out) -> Result<(), Error> {
    let room = hello.len().saturating_add(ROOM_AROUND);
    out.message(Level::Initial, room, |w| w.bytes(hello)).map(drop)
}

/// Deriving a key does not fail with the hashes of TLS.
fn derivation_failed(error: Error) -> ConfigError {
    match error {
        Error::Crypto(error) => ConfigError::Crypto(error),
        _ => ConfigError::HelloTooLong,
    }
}

#[cfg(test)]
impl Waiting {
    /// For a hello that was recorded and not made here.
    pub(super) fn replaying(
        ours: OurHello,
        shares: Shares,
        psk: (OfferedPsk, EarlyData),
        hello: (Vec<u8>, OfferedSet),
    ) -> Self {
        Self {
            ours,
            shares,
            psk: Some(psk.0),
            early_data: psk.1,
            offered: hello.1,
            first_hello: Unhashed::new(hello.0),
            retry: None,
        }
    }
}

/// ServerHello or HelloRetryRequest. After a ServerHello the state is another, which is made where the last one lay.
pub(super) fn message(state: &mut State, message: Incoming<'_>, out: &mut Out) -> Result<(), Failure> {
    let State::Hello(waiting) = state else { return Err(NO_HELLO.into()) };
    match waiting.parse(message)? {
        ServerHelloOrRetry::HelloRetryRequest(retry) => waiting.retry(&retry, message, out),
        ServerHelloOrRetry::ServerHello(hello) => match hello.selected_version {
            Some(version) => server_hello(state, (version, &hello), message, out),
            None => {
                waiting.check_older_version(&hello, out)?;
                Ok(tls12::server_hello(state, message, out)?)
            }
        },
    }
}

impl Waiting {
    /// The two are told apart by the random alone (RFC 9846 section 4.2.3).
    fn parse<'a>(&self, message: Incoming<'a>) -> Result<ServerHelloOrRetry<'a>, Error> {
        let tls13 = self.ours.config.offers(ProtocolVersion::TLS1_3);
        let due = match self.retry {
            None if tls13 => "ServerHello or HelloRetryRequest",
            None => "ServerHello",
            Some(_) => "the ServerHello that follows a HelloRetryRequest",
        };
        let body = message.expect(HandshakeType::SERVER_HELLO, Level::Initial, due)?;
        // A second retry would go on for ever: refused before anything in it is looked at.
        let may_be_retry = tls13 && self.retry.is_none();
        if !may_be_retry && body.get(2..34) == Some(HELLO_RETRY_REQUEST_RANDOM.as_slice()) {
            return Err(message.unexpected(due));
        }
        ServerHelloOrRetry::parse(body, self.offered)
    }

    /// The second ClientHello: as the first, with the share and the cookie that were asked for.
    fn retry(
        &mut self,
        retry: &HelloRetryRequest<'_>,
        message: Incoming<'_>,
        out: &mut Out,
    ) -> Result<(), Failure> {
        let version =
            retry.selected_version.ok_or(Error::MissingExtension(ExtensionType::SUPPORTED_VERSIONS))?;
        self.ours.check_version(version, retry.legacy_version)?;
        message.must_end_its_record()?;
        if retry.compression_method != 0 {
            return Err(Error::Malformed { what: "HelloRetryRequest: legacy_compression_method" }.into());
        }
        let suite = self.ours.check(retry.session_id_echo, retry.cipher_suite, retry.compression_method)?;
        if retry.selected_group.is_none() && retry.cookie.is_none() {
            return Err(
                Error::IllegalParameter { what: "a HelloRetryRequest that asks for no change" }.into()
            );
        }
        if let Some(group) = retry.selected_group {
            self.check_retry_group(group)?;
            let share = key_exchange(self.ours.config.common(), group, None).map_err(Error::Crypto)?;
            self.shares = Shares::from_iter([share]);
        }
        let mut transcript = mem::take(&mut self.first_hello).start(suite.hash).into_message_hash();
        transcript.add(message.encoded());
        let (hello, transcript) = self.second_hello(retry, transcript, suite, message.now)?;
        self.retry = Some(Box::new(Retry { suite: suite.suite, group: retry.selected_group, transcript }));
        self.early_data.reject(EarlyDataRejection::HelloRetryRequest, out);
        out.compatibility_change_cipher_spec();
        send(&hello, out)?;
        Ok(())
    }

    /// Without early data, and with the session only if it is of the hash that the retry has fixed: its binder is made
    /// anew, over both hellos. Gives the hello, and the transcript with it.
    fn second_hello(
        &mut self,
        retry: &HelloRetryRequest<'_>,
        mut transcript: Transcript,
        suite: Tls13Suite,
        now: Duration,
    ) -> Result<(Vec<u8>, Transcript), Error> {
        self.psk = self.psk.take().filter(|psk| psk.suite.hash == suite.hash);
        let says = Says {
            shares: &self.shares,
            shares_are_ours: retry.selected_group.is_none(),
            cookie: retry.cookie,
            early_data: false,
            psk: self.psk.as_ref().and_then(|psk| psk.offer(now)),
        };
        let (mut hello, offered) = self.ours.encode(says).map_err(|error| match error {
            // Without a cookie the hello has been made before.
            Error::TooLong if retry.cookie.is_some() => {
                Error::IllegalParameter { what: "a cookie that leaves no room for the rest of ClientHello" }
            }
            other => other,
        })?;
        self.offered = offered;
        match &self.psk {
            Some(psk) => transcript = psk.bind(&mut hello, transcript)?,
            None => transcript.add(&hello),
        }
        Ok((hello, transcript))
    }

    /// RFC 9846 section 4.3.8: a group that was offered, without a share.
    fn check_retry_group(&self, group: NamedGroup) -> Result<(), Error> {
        let offered = self.ours.config.common().groups.contains(&group);
        let shared = self.shares.iter().any(|share| share.group() == group);
        if offered && !shared { Ok(()) } else { Err(Error::WrongGroup) }
    }

    /// A ServerHello without supported_versions is one of TLS 1.2 or older. A sentinel says that the server could do
    /// better than that, so that somebody between has changed the offer (RFC 9846 section 4.2.3).
    fn check_older_version(&mut self, hello: &ServerHello<'_>, out: &mut Out) -> Result<(), Error> {
        if self.retry.is_some() {
            return Err(Error::IllegalParameter { what: "another version than in HelloRetryRequest" });
        }
        // Such a server can't read it, nor an alert under its key.
        let had_early_data = self.early_data.reject(EarlyDataRejection::Version, out);
        // Who offers no TLS 1.3 gets TLS 1.2 of a server that could do better, with its sentinel.
        if self.ours.config.offers(ProtocolVersion::TLS1_3) {
            check_downgrade(hello.random)?;
        }
        let version = hello.legacy_version;
        if version != ProtocolVersion::TLS1_2 || !self.ours.config.offers(version) {
            return Err(Error::NoCommonVersion { peer: vec![version].into() });
        }
        if had_early_data {
            return Err(Error::EarlyDataBeforeTls12);
        }
        Ok(())
    }
}

/// The keys are agreed: from here on everything is protected.
fn server_hello(
    state: &mut State,
    (version, hello): (ProtocolVersion, &ServerHello<'_>),
    message: Incoming<'_>,
    out: &mut Out,
) -> Result<(), Failure> {
    let State::Hello(waiting) = mem::take(state) else { return Err(NO_HELLO.into()) };
    waiting.ours.check_version(version, hello.legacy_version)?;
    message.must_end_its_record()?;
    let suite = waiting.ours.check(hello.session_id_echo, hello.cipher_suite, hello.compression_method)?;
    let share = hello.key_share.ok_or(Error::MissingExtension(ExtensionType::KEY_SHARE))?;
    let retried = waiting.retry.is_some();
    let mut transcript = transcript(waiting.retry, waiting.first_hello, suite, share.group)?;
    let (psk, early_secret) = psk::selected(waiting.psk, hello.pre_shared_key, suite)?;
    let shared = agree(waiting.shares, share)?;
    transcript.add(message.encoded());
    let secrets = early_secret.into_handshake(&shared, &transcript.current())?;
    out.key_log(key_log::CLIENT_HANDSHAKE_TRAFFIC_SECRET, &secrets.client);
    out.key_log(key_log::SERVER_HANDSHAKE_TRAFFIC_SECRET, &secrets.server);
    let mut early_data = waiting.early_data;
    if psk.is_none() {
        early_data.reject(EarlyDataRejection::NotResumed, out);
    }
    out.compatibility_change_cipher_spec();
    // The write key comes now, not with our flight, so that alerts from here on are protected (appendix A.1). A
    // server that has resumed the session may be reading early data, though, and nothing else. Over QUIC, where
    // each level has its own packets, the server's are to be acknowledged at this one.
    if early_data == EarlyData::None || out.is_quic() {
        out.keys(Level::Handshake, Direction::Write, suite.suite, secrets.client.duplicate());
    }
    out.keys(Level::Handshake, Direction::Read, suite.suite, secrets.server.duplicate());
    out.read(waiting.ours.read_mode());
    let core = tls13::Core {
        config: waiting.ours.config,
        offered: waiting.offered,
        suite,
        group: share.group,
        retried,
        transcript,
        secrets,
        psk,
        early_data,
        alpn: None,
        request: None,
    };
    *state = State::Tls13(core, tls13::Due::EncryptedExtensions);
    Ok(())
}

/// The transcript up to our last hello. What a retry has fixed must not change.
fn transcript(
    retry: Option<Box<Retry>>,
    mut first_hello: Unhashed,
    suite: Tls13Suite,
    group: NamedGroup,
) -> Result<Transcript, Error> {
    match retry {
        None => Ok(first_hello.start(suite.hash)),
        Some(retry) if retry.suite != suite.suite => Err(Error::WrongCipherSuite(suite.suite)),
        Some(retry) if retry.group.is_some_and(|asked| asked != group) => Err(Error::WrongGroup),
        Some(retry) => Ok(retry.transcript),
    }
}

/// The secret of our share of the server's group and the server's.
fn agree(shares: Shares, theirs: KeyShareEntry<'_>) -> Result<SharedSecret, Error> {
    let ours = shares.of_group(theirs.group).ok_or(Error::WrongGroup)?;
    ours.finish(theirs.key_exchange).map_err(bad_share)
}

/// The server's share is bad, or something else is.
pub(super) fn bad_share(error: oxtls_crypto::Error) -> Error {
    match error {
        invalid @ oxtls_crypto::Error::InvalidShare { .. } => Error::BadKeyShare(invalid),
        other => Error::Crypto(other),
    }
}
