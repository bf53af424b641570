//! rustls 0.24, a development release: caller's buffers, records opened in place, on aws-lc-rs.

use std::borrow::Cow;
use std::path::PathBuf;
use std::sync::Arc;

use driver::{Case, End, Failure, Files, Library, SERVER_NAME};
use rustls::client::{Resumption, WebPkiServerVerifier};
use rustls::crypto::cipher::OutboundPlain;
use rustls::crypto::kx::NamedGroup;
use rustls::crypto::{CipherSuite, CryptoProvider, Identity};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::server::{NoServerSessionStorage, Tls13Tickets, WebPkiClientVerifier};
use rustls::{
    ClientConfig, Connection, HandshakeKind, RootCertStore, ServerConfig, SideData, SliceInput, Tcp,
};

fn main() -> Result<(), Failure> {
    driver::run::<Rustls>()
}

struct Rustls {
    client: Arc<ClientConfig>,
    server: Arc<ServerConfig>,
}

fn roots(path: PathBuf) -> Result<Arc<RootCertStore>, Failure> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(path)?)?;
    Ok(Arc::new(roots))
}

type Credential = (Arc<Identity<'static>>, PrivateKeyDer<'static>);

fn credential(files: (PathBuf, PathBuf)) -> Result<Credential, Failure> {
    let chain = CertificateDer::pem_file_iter(files.0)?.collect::<Result<_, _>>()?;
    Ok((Arc::new(Identity::from_cert_chain(chain)?), PrivateKeyDer::from_pem_file(files.1)?))
}

fn provider(case: Case) -> CryptoProvider {
    let mut provider = rustls_aws_lc_rs::DEFAULT_PROVIDER;
    let group = if case.hybrid { NamedGroup::X25519MLKEM768 } else { NamedGroup::X25519 };
    provider.kx_groups.to_mut().retain(|known| known.name() == group);
    let suite = match (case.tls12, case.rsa) {
        (false, _) => CipherSuite::TLS13_AES_128_GCM_SHA256,
        (true, false) => CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
        (true, true) => CipherSuite::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
    };
    if case.tls12 {
        provider.tls12_cipher_suites.to_mut().retain(|known| known.common.suite == suite);
        provider.tls13_cipher_suites = Cow::Borrowed(&[]);
    } else {
        provider.tls13_cipher_suites.to_mut().retain(|known| known.common.suite == suite);
        provider.tls12_cipher_suites = Cow::Borrowed(&[]);
    }
    provider
}

impl Library for Rustls {
    fn name() -> String {
        "rustls 0.24-dev.2".to_owned()
    }

    fn new(case: Case, files: &Files) -> Result<Self, Failure> {
        let provider = Arc::new(provider(case));
        let verifier = WebPkiServerVerifier::builder(roots(files.root(case.rsa))?, &provider).build()?;
        let client = ClientConfig::builder(Arc::clone(&provider)).with_webpki_verifier(Arc::new(verifier));
        let mut client = if case.mutual {
            let (chain, key) = credential(files.client())?;
            client.with_client_auth_cert(chain, key)?
        } else {
            client.with_no_client_auth()?
        };
        let server = ServerConfig::builder(Arc::clone(&provider));
        let server = if case.mutual {
            let verifier = WebPkiClientVerifier::builder(roots(files.root(false))?, &provider).build()?;
            server.with_client_cert_verifier(Arc::new(verifier))
        } else {
            server.with_no_client_auth()
        };
        let (chain, key) = credential(files.server(case.rsa))?;
        let mut server = server.with_single_cert(chain, key)?;
        if case.resumed {
            client.resumption = Resumption::in_memory_sessions(16);
            server.ticketer = Some(provider.ticketer_factory.ticketer()?);
        } else {
            client.resumption = Resumption::disabled();
            server.session_storage = Arc::new(NoServerSessionStorage {});
        }
        let tickets = usize::from(case.resumed);
        server.send_tls13_tickets = Tls13Tickets { default: tickets, max: tickets };
        Ok(Self { client: Arc::new(client), server: Arc::new(server) })
    }

    fn client(&self) -> Result<impl End, Failure> {
        let mut ready = Vec::new();
        let connection = self.client.connect(ServerName::try_from(SERVER_NAME)?).build(&mut ready)?;
        Ok(Theirs { connection, ready })
    }

    fn server(&self) -> Result<impl End, Failure> {
        Ok(Theirs { connection: Connection::new(Arc::clone(&self.server))?, ready: Vec::new() })
    }
}

struct Theirs<S: SideData> {
    connection: Connection<S, Tcp>,
    /// What the connection wrote and was not yet carried.
    ready: Vec<u8>,
}

impl<S: SideData> End for Theirs<S> {
    fn receive(&mut self, wire: &mut Vec<u8>) -> Result<usize, Failure> {
        let mut input = SliceInput::new(wire);
        let mut handler = self.connection.read_tls(&mut input, &mut self.ready);
        let mut received = 0;
        while let Some(payload) = handler.next_payload() {
            received += payload?.bytes().len();
        }
        Ok(received)
    }

    fn transmit(&mut self, wire: &mut Vec<u8>) -> Result<(), Failure> {
        // Let go of, so that it does not count as memory of the connection.
        wire.append(&mut std::mem::take(&mut self.ready));
        Ok(())
    }

    fn send(&mut self, data: &[u8], wire: &mut Vec<u8>) -> Result<(), Failure> {
        Ok(self.connection.write(OutboundPlain::Single(data), wire)?)
    }

    fn is_handshaking(&self) -> bool {
        self.connection.is_handshaking()
    }

    fn resumed(&self) -> bool {
        self.connection.handshake_kind() == Some(HandshakeKind::Resumed)
    }
}
