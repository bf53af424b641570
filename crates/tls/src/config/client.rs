//! What a client is told.

use std::sync::Arc;
use std::time::Duration;

use oxtls_handshake::config::{ClientHandshake, Common, KeyShares, PreparedClient};
use oxtls_handshake::extension::ticket_request::TicketRequest;
use oxtls_x509::{Purpose, Roots, SignatureCache, Verifier};

use super::verifier::{ask_for_evidence, made_for, remembering, trusts_nobody, within};
use super::{ConfigError, Credential, Decision, Settings, common_builder_methods, complete, compressed};
use crate::defaults;
use crate::resumption::{ClientResumption, PolicyHash, SessionCache};

/// A client's configuration: an immutable snapshot, cheap to clone, shared by its connections.
///
/// ```no_run
/// let mut roots = oxtls::Roots::empty();
/// roots.add_pem_file("ca.pem")?;
/// let config = oxtls::ClientConfig::builder().roots(roots).alpn(["h2", "http/1.1"]).build()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct ClientConfig {
    inner: Arc<ClientInner>,
}

#[derive(Debug)]
pub(crate) struct ClientInner {
    pub(crate) settings: Settings,
    pub(crate) verifier: Option<Verifier>,
    pub(crate) credentials: Vec<Credential>,
    /// What every machine is told.
    pub(crate) handshake: Arc<PreparedClient>,
    pub(crate) send_server_name: bool,
    pub(crate) resumption: Option<ClientResumption>,
}

/// Where sessions go.
#[derive(Debug, Default)]
enum Sessions {
    /// Nothing was said.
    #[default]
    Unsaid,
    Nowhere,
    Cache(SessionCache),
    User,
}

impl ClientConfig {
    /// Starts with the defaults and no trust at all.
    pub fn builder() -> ClientConfigBuilder {
        ClientConfigBuilder {
            common: super::common(),
            settings: Settings::default(),
            verifier: None,
            credentials: Vec::new(),
            key_shares: KeyShares::Automatic,
            compatibility_mode: true,
            require_renegotiation_info: true,
            send_server_name: true,
            name_authorities: false,
            grease: false,
            shuffle_extensions: true,
            sessions: Sessions::Unsaid,
            session_context: Vec::new(),
            max_since_verified: defaults::MAX_SINCE_VERIFIED,
            verify_resumed: false,
            early_data: false,
            ticket_request: None,
            tls12_tickets: false,
        }
    }

    /// The sessions that this configuration keeps, if it keeps any itself.
    #[must_use]
    pub fn sessions(&self) -> Option<&SessionCache> {
        self.inner.resumption.as_ref()?.cache.as_ref()
    }

    /// The certificate signatures that this configuration and its clones remember, if they do.
    #[must_use]
    pub fn signature_cache(&self) -> Option<&Arc<SignatureCache>> {
        self.inner.verifier.as_ref()?.signature_cache()
    }

    pub(crate) fn inner(&self) -> Arc<ClientInner> {
        Arc::clone(&self.inner)
    }
}

impl ClientInner {
    /// What judges servers here, and not at the caller's.
    pub(crate) fn judge(&self) -> Option<&Verifier> {
        self.verifier.as_ref().filter(|_| !self.settings.asks(Decision::VerifyPeer))
    }
}

/// Collects a [`ClientConfig`]; [`build`](ClientConfigBuilder::build) checks it.
#[derive(Debug)]
#[must_use]
pub struct ClientConfigBuilder {
    common: Common,
    settings: Settings,
    verifier: Option<Verifier>,
    credentials: Vec<Credential>,
    key_shares: KeyShares,
    compatibility_mode: bool,
    require_renegotiation_info: bool,
    send_server_name: bool,
    name_authorities: bool,
    grease: bool,
    shuffle_extensions: bool,
    sessions: Sessions,
    session_context: Vec<u8>,
    max_since_verified: Duration,
    verify_resumed: bool,
    early_data: bool,
    ticket_request: Option<TicketRequest>,
    tls12_tickets: bool,
}

impl ClientConfigBuilder {
    /// The authorities that servers are verified against.
    pub fn roots(self, roots: impl Into<Arc<Roots>>) -> Self {
        self.verifier(Verifier::new(roots, Purpose::ServerAuth))
    }

    /// What servers are verified by, instead of [`roots`](Self::roots) alone: with a policy, pins, revocation,
    /// transparency. Stapled OCSP responses and timestamps are asked for if it looks at them. Of several calls of the
    /// two, the last counts.
    pub fn verifier(mut self, verifier: Verifier) -> Self {
        self.verifier = Some(verifier);
        self
    }

    /// A certificate to show to servers that ask for one; may be repeated, the first that fits is used.
    pub fn credential(mut self, credential: Credential) -> Self {
        self.credentials.push(credential);
        self
    }

    /// Which key shares to send at first.
    pub fn key_shares(mut self, key_shares: KeyShares) -> Self {
        self.key_shares = key_shares;
        self
    }

    /// Look like TLS 1.2 to middleboxes (RFC 9846 appendix E.4). On by default.
    pub fn compatibility_mode(mut self, on: bool) -> Self {
        self.compatibility_mode = on;
        self
    }

    /// TLS 1.2: talk to servers without renegotiation_info (RFC 5746) too. Off by default: such servers are refused with
    /// handshake_failure.
    ///
    /// What is lost with them: if they renegotiate, whoever sits between can begin a connection of his own, send what he
    /// likes, and have the server take our whole handshake for its renegotiation. Then his bytes stand ahead of ours, and
    /// count as ours. Nothing at this end shows it. TLS 1.3 is not concerned.
    pub fn allow_unprotected_renegotiation(mut self, on: bool) -> Self {
        self.require_renegotiation_info = !on;
        self
    }

    /// Name the roots to the server (certificate_authorities, RFC 9846 section 4.3.4), so that one with several
    /// certificates shows one of theirs. Off by default: it tells whoever listens whom this client trusts, and public
    /// roots do not fit.
    pub fn name_authorities(mut self, on: bool) -> Self {
        self.name_authorities = on;
        self
    }

    /// Send the server's name (SNI). On by default.
    pub fn send_server_name(mut self, on: bool) -> Self {
        self.send_server_name = on;
        self
    }

    /// Send values that mean nothing among those that do, so that servers keep ignoring what they do not know
    /// (RFC 8701). Off by default: a server that breaks over them should break for who looks into it.
    pub fn grease(mut self, on: bool) -> Self {
        self.grease = on;
        self
    }

    /// Send the extensions of ClientHello in another order for each connection, so that nothing comes to rely on one.
    /// On by default.
    pub fn shuffle_extensions(mut self, on: bool) -> Self {
        self.shuffle_extensions = on;
        self
    }

    /// Where sessions are kept to be resumed. Without this a configuration has a cache of its own, of 256 servers
    /// ([`defaults::CACHED_SERVERS`]), unless its caller verifies servers
    /// ([`Decision::VerifyPeer`]), since whom the caller has accepted it may have reasons to look at again, or chooses the
    /// credential ([`Decision::ChooseCredential`]), since a connection that resumes is of the client that the first one
    /// was. With this the caller's verdict stands for the lifetime of the session, and so does its choice: give a
    /// [context](Self::session_context) to each client that it makes of itself.
    pub fn sessions(mut self, cache: SessionCache) -> Self {
        self.sessions = Sessions::Cache(cache);
        self
    }

    /// Hand sessions out instead of keeping them: [`Event::SessionReceived`](crate::Event::SessionReceived) says that
    /// [`take_session`](crate::Connection::take_session) has one.
    pub fn hand_out_sessions(mut self) -> Self {
        self.sessions = Sessions::User;
        self
    }

    /// Keep no session and offer none: every handshake is a full one, and no two connections can be told to be of one
    /// client by their tickets.
    pub fn no_sessions(mut self) -> Self {
        self.sessions = Sessions::Nowhere;
        self
    }

    /// Where sessions belong (empty by default): configurations that share a cache see each other's sessions only if
    /// their contexts, credentials and trust are the same, and what servers may sign by. Give users or tenants that must
    /// not mix one each.
    pub fn session_context(mut self, id: impl AsRef<[u8]>) -> Self {
        self.session_context = id.as_ref().to_vec();
        self
    }

    /// How long after the server last signed its sessions may be resumed, through however many resumptions; default
    /// seven days ([`defaults::MAX_SINCE_VERIFIED`]).
    pub fn max_since_verified(mut self, cap: Duration) -> Self {
        self.max_since_verified = cap;
        self
    }

    /// Verify the certificates of a session in every handshake that resumes it, as in a full one: when the server has
    /// answered, by the connection's clock, and with revocation if the verifier checks that. A server that does not pass
    /// gets the alert that it would have got then, before anything but early data is sent to it, and the connection
    /// fails. A caller that decides by itself ([`Decision::VerifyPeer`](crate::Decision::VerifyPeer)) is asked;
    /// [`resumed`](oxtls_handshake::need::VerifyPeer::resumed) tells that it is about a session.
    ///
    /// Off by default: a session ends with the server's chain and with what its revocation was judged by, and is judged
    /// again before it is offered where it was made under other trust or other CRLs than this configuration's. On, what
    /// a caller has learnt since counts too. (A server judges a client's session when it accepts it:
    /// [`Need::AcceptSession`](crate::Need::AcceptSession).)
    pub fn verify_resumed(mut self, on: bool) -> Self {
        self.verify_resumed = on;
        self
    }

    /// Offer early data (0-RTT) where the session allows it; [`seal_early`](crate::Connection::seal_early) then takes
    /// data before the handshake is done. Off by default. Whoever can record the network can deliver early data again,
    /// and it has no forward secrecy towards the server's ticket key: send only what does no harm twice.
    pub fn early_data(mut self, on: bool) -> Self {
        self.early_data = on;
        self
    }

    /// Ask for so many tickets (RFC 9149), after a full handshake and after a resumption. By default the server decides.
    pub fn request_tickets(mut self, after_full: u8, after_resumption: u8) -> Self {
        self.ticket_request =
            Some(TicketRequest { new_session_count: after_full, resumption_count: after_resumption });
        self
    }

    /// Take TLS 1.2 tickets too (RFC 5077), besides session IDs. Off by default: whoever steals the key that a server
    /// seals them under reads every recorded TLS 1.2 connection that had one.
    pub fn tls12_tickets(mut self, on: bool) -> Self {
        self.tls12_tickets = on;
        self
    }

    common_builder_methods!();

    /// Checks it all.
    ///
    /// # Errors
    /// No roots (unless [`Decision::VerifyPeer`](crate::Decision::VerifyPeer) is asked of the caller), lists that are
    /// empty or hold what this library has not, limits out of range.
    pub fn build(mut self) -> Result<ClientConfig, ConfigError> {
        let asks = self.settings.asks(Decision::VerifyPeer);
        let verifier = match self.verifier.take() {
            Some(verifier) if trusts_nobody(&verifier) && !asks => {
                return Err(ConfigError::Missing("the roots are empty: no server could be verified"));
            }
            Some(verifier) => {
                let verifier = within(made_for(verifier, Purpose::ServerAuth)?, &self.settings);
                Some(remembering(verifier, &self.settings, None)?)
            }
            None if asks => None,
            None => return Err(ConfigError::Missing("a client needs roots to verify servers against")),
        };
        complete(&mut self.common, &self.settings)?;
        if let Some(policy) = &self.settings.policy {
            policy.check_early_data(self.early_data)?;
            self.credentials.iter().try_for_each(|credential| policy.check_credential(credential))?;
        }
        ask_for_evidence(&mut self.common, verifier.as_ref());
        let named = verifier.as_ref().filter(|_| self.name_authorities);
        let cache = match std::mem::take(&mut self.sessions) {
            Sessions::Nowhere => None,
            Sessions::Unsaid if asks || self.settings.asks(Decision::ChooseCredential) => None,
            Sessions::Unsaid => Some(Some(SessionCache::new(defaults::CACHED_SERVERS))),
            Sessions::Cache(cache) => Some(Some(cache)),
            Sessions::User => Some(None),
        };
        let judge = verifier.as_ref().filter(|_| !asks);
        let resumption = cache.map(|cache| ClientResumption {
            cache,
            policy: PolicyHash::client(&self.session_context, &self.credentials, judge)
                .signed_by(&self.common.verify_schemes)
                .within(self.settings.policy.as_ref()),
            max_since_verified: self.max_since_verified,
        });
        if self.early_data && resumption.is_none() {
            return Err(ConfigError::Missing("early data needs sessions to offer"));
        }
        let authorities = named.map(|verifier| verifier.roots().subjects_hints()).unwrap_or_default();
        let inner = ClientInner {
            credentials: compressed(std::mem::take(&mut self.credentials), &self.settings.compression)?,
            settings: std::mem::take(&mut self.settings),
            verifier,
            send_server_name: self.send_server_name,
            handshake: Arc::new(PreparedClient::new(self.handshake(authorities, resumption.is_some()))?),
            resumption,
        };
        Ok(ClientConfig { inner: Arc::new(inner) })
    }

    /// What every machine is told.
    fn handshake(self, authorities: Vec<Vec<u8>>, resumption: bool) -> ClientHandshake {
        ClientHandshake {
            common: Arc::new(self.common),
            key_shares: self.key_shares,
            compatibility_mode: self.compatibility_mode,
            require_renegotiation_info: self.require_renegotiation_info,
            authorities,
            grease: self.grease,
            shuffle_extensions: self.shuffle_extensions,
            resumption,
            verify_resumed: self.verify_resumed,
            early_data: self.early_data,
            ticket_request: self.ticket_request,
            tls12_tickets: self.tls12_tickets,
            ..ClientHandshake::default()
        }
    }
}
