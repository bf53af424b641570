//! What a server is told.

use std::sync::Arc;

use oxtls_handshake::config::{self as handshake, Common, Retry, ServerHandshake};
use oxtls_x509::{Purpose, Roots, SignatureCache, Verifier};

use super::verifier::{ask_for_evidence, made_for, remembering, trusts_nobody, within};
use super::{ConfigError, Credential, Decision, Settings, common_builder_methods, complete, compressed};
use crate::resumption::{Resumption, ServerResumption};

/// Whether a server asks its clients for a certificate, and whom it trusts to issue them.
///
/// With CRLs, where a client must be known not to be revoked:
///
/// ```no_run
/// use oxtls::x509::{CrlStore, Purpose, Revocation, Verifier};
///
/// # fn f(credential: oxtls::Credential) -> Result<(), Box<dyn std::error::Error>> {
/// let mut roots = oxtls::Roots::empty();
/// roots.add_pem_file("clients-ca.pem")?;
/// let mut crls = CrlStore::empty();
/// crls.add_pem_file("clients-ca.crl")?;
/// let verifier = Verifier::new(roots, Purpose::ClientAuth).with_revocation(Revocation::hard_fail(crls));
/// let auth = oxtls::ClientAuth::RequiredBy(Box::new(verifier));
/// let config = oxtls::ServerConfig::builder().credential(credential).client_auth(auth).build()?;
/// # Ok(())
/// # }
/// ```
///
/// Newer CRLs come with another verifier, by [`ServerConfig::with_client_auth`] in a [`Reloadable`](crate::Reloadable):
/// sessions of clients that they revoke are not resumed. Who a client is, is in
/// [`Info::peer_identity`](crate::Info::peer_identity). In TLS 1.3 a client that is refused has finished its handshake
/// by then, and meets the alert when it reads.
#[derive(Clone, Debug, Default)]
pub enum ClientAuth {
    /// Not asked for.
    #[default]
    None,
    /// Asked for; a client without one is welcome, one that cannot be verified is not.
    Optional(Arc<Roots>),
    /// A client without one is refused with certificate_required.
    Required(Arc<Roots>),
    /// As `Optional`, by a verifier with a policy, pins or revocation of its own.
    OptionalBy(Box<Verifier>),
    /// As `Required`, by a verifier with a policy, pins or revocation of its own. Stapled OCSP responses and timestamps
    /// are asked for if it looks at them.
    RequiredBy(Box<Verifier>),
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
    pub(crate) settings: Settings,
    pub(crate) verifier: Option<Verifier>,
    pub(crate) credentials: Vec<Credential>,
    pub(crate) handshake: Arc<ServerHandshake>,
    pub(crate) resumption: Option<ServerResumption>,
    /// Resumption is as it is because somebody said so.
    resumption_is_told: bool,
}

/// What was said of resumption.
#[derive(Debug, Default)]
enum Resumed {
    /// Nothing.
    #[default]
    Unsaid,
    Never,
    So(Box<Resumption>),
}

impl ServerConfig {
    /// Starts with the defaults and no credential.
    pub fn builder() -> ServerConfigBuilder {
        ServerConfigBuilder {
            common: super::common(),
            settings: Settings::default(),
            credentials: Vec::new(),
            client_auth: ClientAuth::None,
            handshake: ServerHandshake::default(),
            resumption: Resumed::Unsaid,
        }
    }

    /// The same configuration with other credentials, for a [`Reloadable`](crate::Reloadable). What keeps its sessions
    /// (ticket keys, stores, guard) is shared by both: clients that come back resume, and see a new certificate with
    /// their next full handshake only. Where a key was stolen, build anew instead, with a new [`Resumption`].
    ///
    /// # Errors
    /// As [`ServerConfigBuilder::build`]. A key that is not its certificate's was refused when the [`Credential`] was
    /// made.
    pub fn with_credentials(
        &self,
        credentials: impl IntoIterator<Item = Credential>,
    ) -> Result<Self, ConfigError> {
        let inner = &self.inner;
        let credentials: Vec<_> = credentials.into_iter().collect();
        check_credentials(&credentials, &inner.settings)?;
        let (client_auth, verifier) = (inner.handshake.client_auth, inner.judge());
        let kept = inner.resumption.as_ref().map(|kept| kept.under(client_auth, verifier)).transpose()?;
        let schemes = &inner.handshake.common.verify_schemes;
        let kept = kept.map(|kept| kept.signed_by(schemes).within(inner.settings.policy.as_ref()));
        let inner = ServerInner {
            credentials: compressed(credentials, &inner.settings.compression)?,
            settings: inner.settings.clone(),
            verifier: inner.verifier.clone(),
            handshake: Arc::clone(&inner.handshake),
            resumption: kept,
            resumption_is_told: inner.resumption_is_told,
        };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// The same configuration with another policy for clients' certificates, for a [`Reloadable`](crate::Reloadable).
    /// Sessions that were made before are resumed only if their clients pass the new one. Whether clients are asked for
    /// stapled responses and timestamps stays as it was built.
    ///
    /// # Errors
    /// As [`ServerConfigBuilder::build`].
    pub fn with_client_auth(&self, client_auth: ClientAuth) -> Result<Self, ConfigError> {
        let (mode, verifier) = judge_of(client_auth, &self.inner.settings, self.inner.verifier.as_ref())?;
        let authorities = authorities_of(verifier.as_ref());
        let before = &*self.inner.handshake;
        let asks = self.inner.settings.asks(Decision::VerifyPeer);
        // As in a builder: where the caller verifies clients, none is resumed unless that was said.
        let kept = self.inner.resumption.as_ref();
        let kept = kept.filter(|_| self.inner.resumption_is_told || !(asks && verifier.is_some()));
        let resumption = before.resumption && kept.is_some();
        let handshake = ServerHandshake { client_auth: mode, authorities, resumption, ..before.clone() };
        handshake.check()?;
        let mut inner = ServerInner {
            credentials: self.inner.credentials.clone(),
            settings: self.inner.settings.clone(),
            verifier,
            handshake: Arc::new(handshake),
            resumption: None,
            resumption_is_told: self.inner.resumption_is_told,
        };
        let kept = kept.map(|kept| kept.under(mode, inner.judge())).transpose()?;
        let schemes = &inner.handshake.common.verify_schemes;
        inner.resumption = kept.map(|kept| kept.signed_by(schemes).within(inner.settings.policy.as_ref()));
        Ok(Self { inner: Arc::new(inner) })
    }

    /// The signatures of clients' certificates that this configuration, its clones and those made from it remember, if
    /// they do.
    #[must_use]
    pub fn signature_cache(&self) -> Option<&Arc<SignatureCache>> {
        self.inner.verifier.as_ref()?.signature_cache()
    }

    pub(crate) fn inner(&self) -> Arc<ServerInner> {
        Arc::clone(&self.inner)
    }
}

impl ServerInner {
    /// What judges clients here, and not at the caller's.
    pub(crate) fn judge(&self) -> Option<&Verifier> {
        self.verifier.as_ref().filter(|_| !self.settings.asks(Decision::VerifyPeer))
    }
}

/// Collects a [`ServerConfig`]; [`build`](ServerConfigBuilder::build) checks it.
#[derive(Debug)]
#[must_use]
pub struct ServerConfigBuilder {
    common: Common,
    settings: Settings,
    credentials: Vec<Credential>,
    client_auth: ClientAuth,
    handshake: ServerHandshake,
    resumption: Resumed,
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

    /// How sessions are resumed; see [`Resumption`] for what holds without this.
    pub fn resumption(mut self, resumption: Resumption) -> Self {
        self.resumption = Resumed::So(Box::new(resumption));
        self
    }

    /// Make no sessions and resume none: every handshake is a full one.
    pub fn no_resumption(mut self) -> Self {
        self.resumption = Resumed::Never;
        self
    }

    common_builder_methods!();

    /// Checks it all.
    ///
    /// # Errors
    /// No credential (unless [`Decision::ChooseCredential`](crate::Decision::ChooseCredential) is asked of the
    /// caller), client authentication without roots, lists that are empty or hold what this library has not.
    pub fn build(mut self) -> Result<ServerConfig, ConfigError> {
        check_credentials(&self.credentials, &self.settings)?;
        complete(&mut self.common, &self.settings)?;
        let (mode, verifier) = judge_of(self.client_auth, &self.settings, None)?;
        ask_for_evidence(&mut self.common, verifier.as_ref());
        let asks = self.settings.asks(Decision::VerifyPeer);
        let resumption_is_told = !matches!(self.resumption, Resumed::Unsaid);
        let kept = match self.resumption {
            Resumed::Never => None,
            Resumed::So(resumption) => Some(*resumption),
            // Whom the caller has accepted the caller may have reasons to look at again.
            Resumed::Unsaid if asks && verifier.is_some() => None,
            Resumed::Unsaid => Some(Resumption::default()),
        };
        let judge = verifier.as_ref().filter(|_| !asks);
        let kept = kept.map(|kept| ServerResumption::new(kept, mode, judge)).transpose()?;
        let kept = kept.map(|kept| kept.signed_by(&self.common.verify_schemes));
        let kept = kept.map(|kept| kept.within(self.settings.policy.as_ref()));
        let mut handshake = ServerHandshake {
            common: Arc::new(self.common),
            client_auth: mode,
            authorities: authorities_of(verifier.as_ref()),
            ..self.handshake
        };
        if let Some(kept) = &kept {
            kept.check(&self.settings)?;
            kept.tell(&mut handshake);
            if kept.is_elsewhere() {
                self.settings.ask.extend([Decision::FindSession, Decision::SealTicket]);
            }
        }
        if let Some(policy) = &self.settings.policy {
            policy.check_early_data(handshake.early_data)?;
        }
        handshake.check()?;
        let inner = ServerInner {
            credentials: compressed(self.credentials, &self.settings.compression)?,
            settings: self.settings,
            verifier,
            handshake: Arc::new(handshake),
            resumption: kept,
            resumption_is_told,
        };
        Ok(ServerConfig { inner: Arc::new(inner) })
    }
}

fn check_credentials(credentials: &[Credential], settings: &Settings) -> Result<(), ConfigError> {
    if credentials.is_empty() && !settings.asks(Decision::ChooseCredential) {
        return Err(ConfigError::Missing("a server needs a credential: a certificate chain and its key"));
    }
    settings.policy.iter().try_for_each(|policy| {
        credentials.iter().try_for_each(|credential| policy.check_credential(credential))
    })
}

/// What the machine is told of client authentication, and what judges clients' chains: `before`, it was another.
fn judge_of(
    client_auth: ClientAuth,
    settings: &Settings,
    before: Option<&Verifier>,
) -> Result<(handshake::ClientAuth, Option<Verifier>), ConfigError> {
    use handshake::ClientAuth::{Optional, Required};
    let by_roots = |roots| Verifier::new(roots, Purpose::ClientAuth);
    let (mode, verifier) = match client_auth {
        ClientAuth::None => return Ok((handshake::ClientAuth::None, None)),
        ClientAuth::Optional(roots) => (Optional, by_roots(roots)),
        ClientAuth::Required(roots) => (Required, by_roots(roots)),
        ClientAuth::OptionalBy(verifier) => (Optional, *verifier),
        ClientAuth::RequiredBy(verifier) => (Required, *verifier),
    };
    if trusts_nobody(&verifier) && !settings.asks(Decision::VerifyPeer) {
        return Err(ConfigError::Missing("the roots for clients are empty: no client could be verified"));
    }
    let verifier = within(made_for(verifier, Purpose::ClientAuth)?, settings);
    Ok((mode, Some(remembering(verifier, settings, before)?)))
}

/// DER names of the authorities that clients are told.
fn authorities_of(verifier: Option<&Verifier>) -> Vec<Vec<u8>> {
    verifier.map(|verifier| verifier.roots().subjects_hints()).unwrap_or_default()
}
