//! What a client is told.

use std::sync::Arc;

use oxtls_handshake::config::{ClientHandshake, Common, KeyShares};
use oxtls_x509::{Purpose, Roots, Verifier};

use super::{ConfigError, Credential, Session, common_builder_methods, complete, compressed};

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
    pub(crate) session: Session,
    pub(crate) verifier: Option<Verifier>,
    pub(crate) credentials: Vec<Credential>,
    common: Arc<Common>,
    key_shares: KeyShares,
    compatibility_mode: bool,
    send_server_name: bool,
    /// DER names for certificate_authorities.
    authorities: Vec<Vec<u8>>,
    grease: bool,
    shuffle_extensions: bool,
}

impl ClientConfig {
    /// Starts with the defaults and no trust at all.
    pub fn builder() -> ClientConfigBuilder {
        ClientConfigBuilder {
            common: super::common(),
            session: Session::default(),
            roots: None,
            credentials: Vec::new(),
            key_shares: KeyShares::Automatic,
            compatibility_mode: true,
            send_server_name: true,
            name_authorities: false,
            grease: false,
            shuffle_extensions: true,
        }
    }

    pub(crate) fn inner(&self) -> Arc<ClientInner> {
        Arc::clone(&self.inner)
    }
}

impl ClientInner {
    /// What the machine is told for a connection to this name; `None` for an address (RFC 6066 section 3).
    pub(crate) fn handshake(&self, dns_name: Option<String>) -> ClientHandshake {
        ClientHandshake {
            common: Arc::clone(&self.common),
            server_name: dns_name.filter(|_| self.send_server_name),
            key_shares: self.key_shares.clone(),
            compatibility_mode: self.compatibility_mode,
            authorities: self.authorities.clone(),
            grease: self.grease,
            shuffle_extensions: self.shuffle_extensions,
            resumption: false,
            session: None,
            early_data: false,
            ticket_request: None,
            tls12_tickets: false,
        }
    }
}

/// Collects a [`ClientConfig`]; [`build`](ClientConfigBuilder::build) checks it.
#[derive(Debug)]
#[must_use]
pub struct ClientConfigBuilder {
    common: Common,
    session: Session,
    roots: Option<Arc<Roots>>,
    credentials: Vec<Credential>,
    key_shares: KeyShares,
    compatibility_mode: bool,
    send_server_name: bool,
    name_authorities: bool,
    grease: bool,
    shuffle_extensions: bool,
}

impl ClientConfigBuilder {
    /// The authorities that servers are verified against.
    pub fn roots(mut self, roots: impl Into<Arc<Roots>>) -> Self {
        self.roots = Some(roots.into());
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

    common_builder_methods!();

    /// Checks it all.
    ///
    /// # Errors
    /// No roots (unless [`Decision::VerifyPeer`](crate::Decision::VerifyPeer) is asked of the caller), lists that are
    /// empty or hold what this library has not, limits out of range.
    pub fn build(mut self) -> Result<ClientConfig, ConfigError> {
        let asks = self.session.ask.contains(&super::Decision::VerifyPeer);
        let verifier = match self.roots {
            Some(roots) if roots.is_empty() && !asks => {
                return Err(ConfigError::Missing("the roots are empty: no server could be verified"));
            }
            Some(roots) => Some(Verifier::new(roots, Purpose::ServerAuth)),
            None if asks => None,
            None => return Err(ConfigError::Missing("a client needs roots to verify servers against")),
        };
        complete(&mut self.common, &self.session)?;
        let named = verifier.as_ref().filter(|_| self.name_authorities);
        let inner = ClientInner {
            authorities: named.map(|verifier| verifier.roots().subjects_hints()).unwrap_or_default(),
            credentials: compressed(self.credentials, &self.session.compression)?,
            session: self.session,
            verifier,
            common: Arc::new(self.common),
            key_shares: self.key_shares,
            compatibility_mode: self.compatibility_mode,
            send_server_name: self.send_server_name,
            grease: self.grease,
            shuffle_extensions: self.shuffle_extensions,
        };
        inner.handshake(None).check(&oxtls_handshake::step::Transport::Stream)?;
        Ok(ClientConfig { inner: Arc::new(inner) })
    }
}
