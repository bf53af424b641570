//! What a server is told.

use std::sync::Arc;

use oxtls_handshake::config::{self as handshake, Common, Retry, ServerHandshake};
use oxtls_x509::{Purpose, Roots, Verifier};

use super::{ConfigError, Credential, Session, common_builder_methods, complete, compressed};

/// Whether a server asks its clients for a certificate, and whom it trusts to issue them.
#[derive(Clone, Debug, Default)]
pub enum ClientAuth {
    /// Not asked for.
    #[default]
    None,
    /// Asked for; a client without one is welcome, one that cannot be verified is not.
    Optional(Arc<Roots>),
    /// A client without one is refused with certificate_required.
    Required(Arc<Roots>),
}

/// A server's configuration: an immutable snapshot, cheap to clone, shared by its connections.
///
/// ```no_run
/// let credential = oxtls::Credential::from_pem_files("server.pem", "server.key")?;
/// let config = oxtls::ServerConfig::builder().credential(credential).alpn(["h2", "http/1.1"]).build()?;
/// # Ok::<(), oxtls::ConfigError>(())
/// ```
#[derive(Clone, Debug)]
pub struct ServerConfig {
    inner: Arc<ServerInner>,
}

#[derive(Debug)]
pub(crate) struct ServerInner {
    pub(crate) session: Session,
    pub(crate) verifier: Option<Verifier>,
    pub(crate) credentials: Vec<Credential>,
    pub(crate) handshake: Arc<ServerHandshake>,
}

impl ServerConfig {
    /// Starts with the defaults and no credential.
    pub fn builder() -> ServerConfigBuilder {
        ServerConfigBuilder {
            common: super::common(),
            session: Session::default(),
            credentials: Vec::new(),
            client_auth: ClientAuth::None,
            handshake: ServerHandshake::default(),
        }
    }

    pub(crate) fn inner(&self) -> Arc<ServerInner> {
        Arc::clone(&self.inner)
    }
}

/// Collects a [`ServerConfig`]; [`build`](ServerConfigBuilder::build) checks it.
#[derive(Debug)]
#[must_use]
pub struct ServerConfigBuilder {
    common: Common,
    session: Session,
    credentials: Vec<Credential>,
    client_auth: ClientAuth,
    handshake: ServerHandshake,
}

impl ServerConfigBuilder {
    /// A certificate to show; may be repeated. The one is used that carries the client's name and that the client
    /// can verify; else the first that it can verify.
    pub fn credential(mut self, credential: Credential) -> Self {
        self.credentials.push(credential);
        self
    }

    /// Whether to ask clients for a certificate.
    pub fn client_auth(mut self, client_auth: ClientAuth) -> Self {
        self.client_auth = client_auth;
        self
    }

    /// Let clients that offer other protocols than ours in, without one, instead of refusing them (RFC 7301 section
    /// 3.2). Off by default: it is what cross-protocol attacks live on.
    pub fn alpn_optional(mut self, on: bool) -> Self {
        self.handshake.alpn_required = !on;
        self
    }

    /// Choose suites and groups in the client's order instead of ours. Off by default.
    pub fn prefer_client_order(mut self, on: bool) -> Self {
        self.handshake.prefer_client_order = on;
        self
    }

    /// When to spend a round trip (HelloRetryRequest) for a better group than those the client sent shares of. By
    /// default only if it sent none that can be used.
    pub fn retry(mut self, retry: Retry) -> Self {
        self.handshake.retry = retry;
        self
    }

    /// Let application data be sent before the client's Finished, to a client that has proved nothing yet. Off by
    /// default.
    pub fn half_rtt(mut self, on: bool) -> Self {
        self.handshake.half_rtt = on;
        self
    }

    /// Send values that mean nothing in CertificateRequest and in tickets, so that clients keep ignoring what they do
    /// not know (RFC 8701). Off by default.
    pub fn grease(mut self, on: bool) -> Self {
        self.handshake.grease = on;
        self
    }

    common_builder_methods!();

    /// Checks it all.
    ///
    /// # Errors
    /// No credential (unless [`Decision::ChooseCredential`](crate::Decision::ChooseCredential) is asked of the
    /// caller), client authentication without roots, lists that are empty or hold what this library has not.
    pub fn build(mut self) -> Result<ServerConfig, ConfigError> {
        if self.credentials.is_empty() && !self.session.ask.contains(&super::Decision::ChooseCredential) {
            return Err(ConfigError::Missing("a server needs a credential: a certificate chain and its key"));
        }
        complete(&mut self.common, &self.session)?;
        let (client_auth, roots) = match self.client_auth {
            ClientAuth::None => (handshake::ClientAuth::None, None),
            ClientAuth::Optional(roots) => (handshake::ClientAuth::Optional, Some(roots)),
            ClientAuth::Required(roots) => (handshake::ClientAuth::Required, Some(roots)),
        };
        let asks = self.session.ask.contains(&super::Decision::VerifyPeer);
        if roots.as_ref().is_some_and(|roots| roots.is_empty()) && !asks {
            return Err(ConfigError::Missing("the roots for clients are empty: no client could be verified"));
        }
        let authorities = roots.as_ref().map(|roots| roots.subjects_hints()).unwrap_or_default();
        let handshake =
            ServerHandshake { common: Arc::new(self.common), client_auth, authorities, ..self.handshake };
        handshake.check()?;
        let inner = ServerInner {
            credentials: compressed(self.credentials, &self.session.compression)?,
            session: self.session,
            verifier: roots.map(|roots| Verifier::new(roots, Purpose::ClientAuth)),
            handshake: Arc::new(handshake),
        };
        Ok(ServerConfig { inner: Arc::new(inner) })
    }
}
