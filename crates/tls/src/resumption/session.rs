//! A client's session in its user's hands.

use std::fmt;
use std::time::Duration;

use oxtls_handshake::error::Error as HandshakeError;
use oxtls_handshake::session::Session;
use oxtls_handshake::suite::ProtocolVersion;
use zeroize::Zeroizing;

/// A session that a client may resume: given out by
/// [`take_session`](crate::Connection::take_session) where the configuration
/// [says so](crate::ClientConfigBuilder::hand_out_sessions), offered by
/// [`with_session`](crate::ClientConnection::with_session).
///
/// It is worth as much as the connection was: whoever has it can pose as this client to its server, and read early data.
///
/// Offer one of TLS 1.3 once, and take the next of the connection that it was offered in: whoever watches the network can
/// tell a ticket that comes twice (RFC 9846 appendix C.4). One of TLS 1.2 is offered again and again, and a connection
/// that resumes it gives no other.
///
/// From one process to the next:
///
/// ```no_run
/// use oxtls::{ClientConnection, ClientSession};
///
/// # fn f(roots: oxtls::Roots, name: oxtls::pki_types::ServerName<'static>) -> Result<(), Box<dyn std::error::Error>> {
/// let config = oxtls::ClientConfig::builder().roots(roots).hand_out_sessions().build()?;
/// let kept = std::fs::read("session").ok().and_then(|bytes| ClientSession::from_bytes(&bytes).ok());
/// let mut conn = match kept {
///     Some(session) => ClientConnection::with_session(&config, name, session)?,
///     None => ClientConnection::new(&config, name)?,
/// };
/// // The handshake, and at least the first read behind it: in TLS 1.3 sessions come with the data.
/// while let Some(session) = conn.take_session() {
///     std::fs::write("session", session.to_bytes()?)?; // as secret as a private key
/// }
/// # Ok(())
/// # }
/// ```
pub struct ClientSession(pub(crate) Box<Session>);

impl ClientSession {
    /// The session as bytes, secrets included, with the version of their format in front: keep them as one keeps a
    /// private key.
    ///
    /// # Errors
    /// [`HandshakeError::TooLong`] for a chain that no handshake would have taken.
    pub fn to_bytes(&self) -> Result<Zeroizing<Vec<u8>>, HandshakeError> {
        self.0.to_bytes()
    }

    /// Reads what [`to_bytes`](Self::to_bytes) wrote. Nothing is believed of it: name, chain, policy and time are checked
    /// when it is offered.
    ///
    /// # Errors
    /// [`HandshakeError::Malformed`], also for bytes of another version of the format.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, HandshakeError> {
        Session::from_bytes(bytes).map(|session| Self(Box::new(session)))
    }

    /// Its version.
    #[must_use]
    pub fn version(&self) -> ProtocolVersion {
        self.0.version
    }

    /// The name that was asked for.
    #[must_use]
    pub fn server_name(&self) -> Option<&str> {
        self.0.server_name.as_deref()
    }

    /// The application protocol of its connection, which early data must be of.
    #[must_use]
    pub fn alpn(&self) -> Option<&[u8]> {
        self.0.alpn.as_deref()
    }

    /// Most early data that it allows, plaintext bytes; 0: none.
    #[must_use]
    pub fn max_early_data(&self) -> u32 {
        self.0.max_early_data
    }

    /// Whether the server resumes it under other names of the certificate that it showed, too
    /// (draft-ietf-tls-cross-sni-resumption): offered to such a name, its chain is verified for that name first, and no
    /// early data goes with it.
    #[must_use]
    pub fn resumption_across_names(&self) -> bool {
        self.0.resumption_across_names
    }

    /// When it ends, since the Unix epoch.
    #[must_use]
    pub fn ends_at(&self) -> Duration {
        let ends = self.0.made_at.saturating_add(self.0.lifetime);
        self.0.expires_at.map_or(ends, |expires| expires.min(ends))
    }

    /// Bytes of the application's, at most 65,535, that were put into it: what early data depends on, such as HTTP/2
    /// settings. Empty at first.
    #[must_use]
    pub fn context(&self) -> &[u8] {
        &self.0.context
    }

    /// Puts bytes of the application's into it.
    pub fn set_context(&mut self, context: impl Into<Vec<u8>>) {
        self.0.context = context.into();
    }
}

impl fmt::Debug for ClientSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientSession")
            .field("version", &self.0.version)
            .field("server_name", &self.0.server_name)
            .field("max_early_data", &self.0.max_early_data)
            .finish_non_exhaustive()
    }
}
