//! From flags to configurations and connections of the library.

use std::fmt;
use std::fs;
use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;
use std::sync::Arc;

use oxtls::pki_types::pem::PemObject;
use oxtls::pki_types::{CertificateDer, ServerName, TrustAnchor};
use oxtls::{
    CipherSuite, ClientAuth, ClientConfig, ClientConfigBuilder, ClientConnection, ClientSession, Clock,
    ConfigError, Decision, KeyShares, NamedGroup, ProtocolVersion, Retry, Roots, ServerConfig,
    ServerConfigBuilder, ServerConnection, SignatureScheme,
};

use crate::compression;
use crate::credentials::{self, Candidate};
use crate::encoding;
use crate::exchange::{Connection, Told};
use crate::flags::Config;
use crate::memory::{Memory, Seen, Side};
use crate::policies;

/// What the suite expects a stack to accept without being told: no Ed25519, no P-521, no ML-DSA.
const VERIFY_SCHEMES: [SignatureScheme; 8] = [
    SignatureScheme::ECDSA_SECP256R1_SHA256,
    SignatureScheme::RSA_PSS_RSAE_SHA256,
    SignatureScheme::RSA_PKCS1_SHA256,
    SignatureScheme::ECDSA_SECP384R1_SHA384,
    SignatureScheme::RSA_PSS_RSAE_SHA384,
    SignatureScheme::RSA_PKCS1_SHA384,
    SignatureScheme::RSA_PSS_RSAE_SHA512,
    SignatureScheme::RSA_PKCS1_SHA512,
];

/// The groups that it expects without being told.
const GROUPS: [NamedGroup; 4] =
    [NamedGroup::X25519_MLKEM768, NamedGroup::X25519, NamedGroup::SECP256R1, NamedGroup::SECP384R1];

/// TLS 1.2's suites of AES-128.
const AES_128: [CipherSuite; 2] = [
    CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
    CipherSuite::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
];

/// The suite limits the length of a chain by its bytes only.
const LONGEST_CHAIN: usize = 1024;

/// Why there is no connection.
pub(crate) enum Error {
    /// The library has not what is asked for.
    NotImplemented(String),
    /// What ended the test.
    Failed(String),
}

/// What all connections of one kind have in common: made once, so that what a configuration keeps from one connection
/// for the next is there.
pub(crate) struct Prepared<'c> {
    pub(crate) config: &'c Config,
    /// Once early data was refused.
    retry: &'c Config,
    memory: &'c Memory,
    ours: Vec<Candidate>,
    library: Library,
}

/// A configuration of the library.
enum Library {
    Client(ClientConfig),
    Server(ServerConfig),
}

impl<'c> Prepared<'c> {
    /// Makes the library's configuration, with a clock that the shim sets.
    pub(crate) fn new(
        config: &'c Config,
        retry: &'c Config,
        clock: &Clock,
        memory: &'c Memory,
    ) -> Result<Self, Error> {
        let ours = credentials::candidates(config)?;
        let library = if config.server {
            let made = server(config, &ours, protocols(config))?.clock(clock.clone());
            Library::Server(made.resumption(memory.resumption(config)).build().map_err(refused)?)
        } else {
            let made = client(config, &ours)?.clock(clock.clone());
            Library::Client(made.build().map_err(refused)?)
        };
        Ok(Self { config, retry, memory, ours, library })
    }

    /// One connection, to its end; a client offers this session, and gives the newest that it got. `again`: it is not
    /// the test's first.
    pub(crate) fn connect(
        &self,
        offered: Option<ClientSession>,
        again: bool,
    ) -> Result<Option<ClientSession>, Error> {
        match &self.library {
            Library::Client(client) => {
                // A test without a name has no use for one, and the library's users always have one.
                let name = self.config.host_name.as_deref().unwrap_or(b"test");
                let name = ServerName::try_from(name).map_err(|error| Error::Failed(error.to_string()))?;
                let seen = Seen {
                    session_offered: offered.is_some(),
                    session_allows_early_data: offered
                        .as_ref()
                        .is_some_and(|session| session.max_early_data() > 0),
                    ..Seen::default()
                };
                let tls = match offered {
                    Some(session) => ClientConnection::with_session(client, name.to_owned(), session),
                    None => ClientConnection::new(client, name.to_owned()),
                };
                self.run(tls.map_err(refused)?, seen, again)
            }
            Library::Server(server) => self.run(ServerConnection::new(server), Seen::default(), again),
        }
    }

    fn run<S: Side>(
        &self,
        tls: oxtls::Connection<S>,
        seen: Seen,
        again: bool,
    ) -> Result<Option<ClientSession>, Error> {
        let configs = Told { config: self.config, retry: self.retry, again, ids: &self.memory.ids };
        let connection = Connection::open(tls, configs, &self.ours, seen);
        connection.and_then(Connection::run).map_err(|failure| Error::Failed(failure.to_string()))
    }
}

fn client(config: &Config, candidates: &[Candidate]) -> Result<ClientConfigBuilder, Error> {
    let (lowest, highest) = versions(config)?;
    let mut builder = ClientConfig::builder()
        .versions(lowest, highest)
        // The suite's own stack takes peers without these.
        .allow_unbound_master_secret(true)
        .resume_unbound_sessions(true)
        .allow_unprotected_renegotiation(!config.no_legacy_server_connect)
        .groups(&groups(config)?)
        .verify_schemes(&verify_schemes(config)?)
        .suites(&suites(config)?)
        .ask(&decisions(config))
        .request_ocsp(config.enable_ocsp_stapling)
        .request_scts(config.enable_signed_cert_timestamps)
        .send_server_name(config.host_name.is_some())
        .grease(config.enable_grease)
        .shuffle_extensions(config.permute_extensions)
        .certificate_compression(compression::algorithms(config))
        .max_chain(LONGEST_CHAIN)
        .key_log(config.export_traffic_secrets)
        .hand_out_sessions()
        .verify_resumed(config.reverify_on_resume)
        .tls12_tickets(!config.no_ticket)
        .early_data(config.enable_early_data);
    if let Some(policy) = policies::named(config) {
        builder = builder.policy(policy);
    }
    if let Some(shares) = key_shares(config)? {
        builder = builder.key_shares(KeyShares::Exactly(shares));
    }
    if let Some(wire) = &config.advertise_alpn {
        builder = builder.alpn(alpn(wire)?);
    }
    if let Some(bytes) = config.max_cert_list {
        builder = builder.max_message(bytes);
    }
    if let Some(bytes) = config.max_send_fragment {
        builder = builder.max_fragment(bytes);
    }
    for candidate in candidates {
        builder = builder.credential(candidate.credential.clone());
    }
    Ok(builder)
}

/// The application protocols of a server.
fn protocols(config: &Config) -> Vec<Vec<u8>> {
    if config.reject_alpn {
        return vec![b"no client has this".to_vec()];
    }
    let chosen = config.select_alpn.iter().filter(|protocol| !config.decline_alpn && !protocol.is_empty());
    chosen.cloned().collect()
}

/// A server's configuration with these application protocols.
pub(crate) fn server(
    config: &Config,
    candidates: &[Candidate],
    protocols: Vec<Vec<u8>>,
) -> Result<ServerConfigBuilder, Error> {
    let client_auth = if config.require_any_client_certificate {
        ClientAuth::Required(named_authorities(config)?)
    } else if config.verify_peer {
        ClientAuth::Optional(named_authorities(config)?)
    } else {
        ClientAuth::None
    };
    let (lowest, highest) = versions(config)?;
    let mut builder = ServerConfig::builder()
        .versions(lowest, highest)
        .allow_unbound_master_secret(true)
        .resume_unbound_sessions(true)
        .groups(&groups(config)?)
        .verify_schemes(&verify_schemes(config)?)
        .suites(&suites(config)?)
        .ask(&decisions(config))
        .client_auth(client_auth)
        .prefer_client_order(
            !config.server_preference && config.tls13_ciphers.is_empty() && !policies::has_an_order(config),
        )
        .retry(Retry::ForPreference)
        // The suite's own servers always do.
        .grease(true)
        .certificate_compression(compression::algorithms(config))
        .max_chain(LONGEST_CHAIN)
        .alpn(protocols)
        .half_rtt(config.enable_early_data)
        .key_log(config.export_traffic_secrets);
    if let Some(policy) = policies::named(config) {
        builder = builder.policy(policy);
    }
    if let Some(bytes) = config.max_cert_list {
        builder = builder.max_message(bytes);
    }
    if let Some(bytes) = config.max_send_fragment {
        builder = builder.max_fragment(bytes);
    }
    for candidate in candidates {
        builder = builder.credential(candidate.credential.clone());
    }
    Ok(builder)
}

/// Trust anchors that are nothing but the names that the client is to be told.
fn named_authorities(config: &Config) -> Result<Arc<Roots>, Error> {
    let mut roots = Roots::empty();
    let names = config.use_client_ca_list.as_deref().unwrap_or(b"<NULL>");
    if names != b"<NULL>" && names != b"<EMPTY>" {
        for name in names.split(|byte| *byte == b',') {
            let bad = || Error::Failed("-use-client-ca-list".into());
            let name = encoding::hex(name).ok_or_else(bad)?;
            let anchor = TrustAnchor {
                subject: der_content(&name).ok_or_else(bad)?.into(),
                subject_public_key_info: Vec::new().into(),
                name_constraints: None,
            };
            roots.add_trust_anchor(&anchor).map_err(|error| Error::Failed(error.to_string()))?;
        }
    }
    Ok(Arc::new(roots))
}

/// What is behind the tag and the length of an element of up to 255 bytes.
fn der_content(element: &[u8]) -> Option<&[u8]> {
    match element {
        [_, 0x81, _, content @ ..] => Some(content),
        [_, length, content @ ..] if *length < 0x80 => Some(content),
        _ => None,
    }
}

/// The lowest and the highest version of those that the flags leave and the library has.
fn versions(config: &Config) -> Result<(ProtocolVersion, ProtocolVersion), Error> {
    let policy = policies::named(config).map(|policy| (policy.min_version.0, policy.max_version.0));
    let (lowest, highest) = policy.unwrap_or((0, u16::MAX));
    let range = config.min_version.unwrap_or(lowest)..=config.max_version.unwrap_or(highest);
    let left = [(ProtocolVersion::TLS1_2, config.no_tls12), (ProtocolVersion::TLS1_3, config.no_tls13)];
    let mut left = left.into_iter().filter(|(version, is_off)| !is_off && range.contains(&version.0));
    let Some((lowest, _)) = left.next() else {
        return if config.no_tls12 && config.no_tls13 {
            // A range of nothing, for the library to refuse.
            Ok((ProtocolVersion::TLS1_3, ProtocolVersion::TLS1_2))
        } else {
            Err(Error::NotImplemented("TLS 1.1 and older".into()))
        };
    };
    Ok((lowest, left.next().map_or(lowest, |(highest, _)| highest)))
}

/// All decisions are the shim's with `-async`; without it, those that a flag has a say in.
fn decisions(config: &Config) -> Vec<Decision> {
    let mut decisions = vec![Decision::VerifyPeer, Decision::ChooseCredential];
    let hello_matters = config.fail_early_callback
        || config.expect_no_server_name
        || config.select_empty_alpn
        || config.expect_advertised_alpn.is_some()
        || config.expect_server_name.is_some()
        || config.expect_early_data_reason.is_some()
        || !config.expect_peer_verify_pref.is_empty();
    let callback = config.use_ticket_callback || config.use_ticket_aead_callback;
    let own = config.ticket_key.is_some();
    if config.server && (config.is_async || callback || own) {
        decisions.push(Decision::FindSession);
    }
    if config.server && own {
        decisions.push(Decision::SealTicket);
    }
    if config.server && (config.is_async || callback || config.expect_ticket_age_skew.is_some()) {
        decisions.push(Decision::AcceptSession);
    }
    if config.server && (config.is_async || hello_matters) {
        decisions.push(Decision::ChooseConfig);
    }
    if config.is_async {
        decisions.push(Decision::Sign);
    }
    decisions
}

fn groups(config: &Config) -> Result<Vec<NamedGroup>, Error> {
    match policies::named(config) {
        _ if !config.curves.is_empty() => supported_groups(&config.curves),
        Some(policy) => Ok(policy.groups.to_vec()),
        None => Ok(GROUPS.to_vec()),
    }
}

/// The group of ours that the server is said to have; else what is named; else the suite expects a share of the most preferred post-quantum group and of the most preferred
/// classic one, whichever comes first. `None`: the library's own choice is that.
fn key_shares(config: &Config) -> Result<Option<Vec<NamedGroup>>, Error> {
    let groups = groups(config)?;
    let hint = &config.server_supported_groups_hint;
    if let Some(predicted) = groups.iter().find(|group| hint.contains(&group.0)) {
        return Ok(Some(vec![*predicted]));
    }
    if config.no_key_shares || !config.key_shares.is_empty() {
        return supported_groups(&config.key_shares).map(Some);
    }
    let is_first = |at: usize, group: &NamedGroup| {
        let kind = group.is_post_quantum();
        groups.iter().position(|other| other.is_post_quantum() == kind) == Some(at)
    };
    let shares =
        groups.iter().enumerate().filter(|(at, group)| is_first(*at, group)).map(|(_, group)| *group);
    let classic_first = groups.first().is_some_and(|group| !group.is_post_quantum());
    Ok(classic_first.then(|| shares.collect()))
}

fn supported_groups(codes: &[u16]) -> Result<Vec<NamedGroup>, Error> {
    supported(codes, "group", NamedGroup::is_supported)
}

fn verify_schemes(config: &Config) -> Result<Vec<SignatureScheme>, Error> {
    if config.verify_prefs.is_empty() {
        return Ok(policies::named(config).map_or(&VERIFY_SCHEMES[..], |policy| policy.schemes).to_vec());
    }
    let mut schemes = supported(&config.verify_prefs, "signature scheme", SignatureScheme::is_supported)?;
    // The suite lets a client accept schemes that are for certificates only in TLS 1.3, to see that the handshake is
    // not signed with them all the same. The library refuses to be configured so that nobody could sign at all.
    if !schemes.iter().any(|scheme| scheme.usable_in_tls13_handshake()) {
        schemes.push(SignatureScheme::ML_DSA_87);
    }
    // And a server schemes of TLS 1.3 alone, to see that a client of TLS 1.2 does not get through with them. The library
    // refuses that client before it can try: it would have nothing to sign with.
    if config.server && !schemes.iter().any(|scheme| scheme.usable_in_tls12_handshake()) {
        schemes.push(SignatureScheme::RSA_PKCS1_SHA512);
    }
    Ok(schemes)
}

fn suites(config: &Config) -> Result<Vec<CipherSuite>, Error> {
    match config.cipher.as_deref() {
        None => {}
        // What the suite's own stack calls all suites of AES-128; those of TLS 1.3 are not configured this way.
        Some(b"AES128") => {
            let mut suites = policies::suites(config);
            suites.retain(|suite| suite.tls12().is_none() || AES_128.contains(suite));
            return Ok(suites);
        }
        Some(other) => {
            return Err(Error::NotImplemented(format!("-cipher {}", String::from_utf8_lossy(other))));
        }
    }
    if config.tls13_ciphers.is_empty() {
        return Ok(policies::suites(config));
    }
    supported(&config.tls13_ciphers, "cipher suite", |suite: CipherSuite| suite.tls13().is_some())
}

pub(crate) fn supported<T: From<u16> + Copy>(
    codes: &[u16],
    what: &str,
    has: fn(T) -> bool,
) -> Result<Vec<T>, Error> {
    let missing = |code: &u16| Error::NotImplemented(format!("{what} {code:#06x}"));
    codes
        .iter()
        .map(|code| Some(T::from(*code)).filter(|value| has(*value)).ok_or_else(|| missing(code)))
        .collect()
}

fn alpn(wire: &[u8]) -> Result<Vec<Vec<u8>>, Error> {
    encoding::length_prefixed(wire).ok_or_else(|| Error::Failed("-advertise-alpn is cut short".into()))
}

pub(crate) fn refused(error: ConfigError) -> Error {
    Error::Failed(crate::error_names::of_config(&error))
}

/// The certificates of a PEM file, leaf first.
pub(crate) fn certificates(path: &[u8]) -> Result<Vec<CertificateDer<'static>>, Error> {
    CertificateDer::pem_slice_iter(&read(path)?)
        .collect::<Result<_, _>>()
        .map_err(|error| Error::Failed(format!("{}: {error}", String::from_utf8_lossy(path))))
}

pub(crate) fn read(path: &[u8]) -> Result<Vec<u8>, Error> {
    let path = PathBuf::from(std::ffi::OsString::from_vec(path.to_vec()));
    fs::read(&path).map_err(|error| Error::Failed(format!("{}: {error}", path.display())))
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Self::NotImplemented(what) | Self::Failed(what)) = self;
        f.write_str(what)
    }
}
