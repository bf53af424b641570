//! The authority of the demo, its certificates, and the configurations made of them.

use std::error::Error;
use std::sync::Arc;

use oxtls::{
    ClientAuth, ClientConfig, ClientConfigBuilder, ConfigError, Credential, KeyAlgorithm, Roots,
    ServerConfig, ServerConfigBuilder,
};
use oxtls_test_pki::{Ca, Issued, LeafSpec};

/// What the server's certificate says.
pub(crate) const SERVER_NAME: &str = "server.test";
/// What the client's certificate says.
pub(crate) const CLIENT_NAME: &str = "client.test";

const ALGORITHM: KeyAlgorithm = KeyAlgorithm::EcdsaP256;
/// What the server has besides: half of TLS 1.2's suites are for RSA.
const OTHER_ALGORITHM: KeyAlgorithm = KeyAlgorithm::Rsa;
const ALPN: [&str; 1] = ["demo"];

/// An authority, what it issued, and a client of another authority.
pub(crate) struct Pki {
    roots: Arc<Roots>,
    server: [Credential; 2],
    client: Credential,
    foreign_client: Credential,
}

impl Pki {
    /// Makes it all; nothing is written anywhere.
    pub(crate) fn make() -> Result<Self, Box<dyn Error>> {
        let authority = Ca::new("Demo Authority", ALGORITHM);
        let other = Ca::new("Another Authority", ALGORITHM);
        let mut roots = Roots::empty();
        roots.add_der(authority.certificate())?;
        Ok(Self {
            roots: Arc::new(roots),
            server: [server(&authority, ALGORITHM)?, server(&authority, OTHER_ALGORITHM)?],
            client: credential(client(&authority))?,
            foreign_client: credential(client(&other))?,
        })
    }

    /// What the keys of the certificates are.
    pub(crate) fn algorithm(&self) -> &'static str {
        ALGORITHM.name()
    }

    /// What the server's are.
    pub(crate) fn server_algorithms(&self) -> String {
        format!("{} and {}", ALGORITHM.name(), OTHER_ALGORITHM.name())
    }

    /// A server that requires a certificate of the authority.
    pub(crate) fn server_config(&self) -> ServerConfigBuilder {
        let [first, second] = self.server.clone();
        ServerConfig::builder()
            .credential(first)
            .credential(second)
            .client_auth(ClientAuth::Required(Arc::clone(&self.roots)))
            .alpn(ALPN)
    }

    /// A client that shows its certificate.
    pub(crate) fn client_config(&self) -> ClientConfigBuilder {
        self.anonymous_client_config().credential(self.client.clone())
    }

    /// A client that has none.
    pub(crate) fn anonymous_client_config(&self) -> ClientConfigBuilder {
        ClientConfig::builder().roots(Arc::clone(&self.roots)).alpn(ALPN)
    }

    /// A client that shows a certificate of another authority.
    pub(crate) fn foreign_client_config(&self) -> ClientConfigBuilder {
        self.anonymous_client_config().credential(self.foreign_client.clone())
    }
}

fn server(authority: &Ca, algorithm: KeyAlgorithm) -> Result<Credential, ConfigError> {
    credential(authority.issue(LeafSpec::server(SERVER_NAME).key(algorithm)))
}

fn client(authority: &Ca) -> Issued {
    authority.issue(LeafSpec::client(CLIENT_NAME).dns(CLIENT_NAME).key(ALGORITHM))
}

fn credential(issued: Issued) -> Result<Credential, ConfigError> {
    Credential::new(issued.chain, issued.key)
}
