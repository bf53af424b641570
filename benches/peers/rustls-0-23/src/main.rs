//! rustls 0.23, its buffered interface, on aws-lc-rs.

use std::io::{Read, Write};
use std::sync::Arc;

use driver::{Case, End, Failure, Files, Library, SERVER_NAME};
use rustls::client::{Resumption, WebPkiServerVerifier};
use rustls::crypto::aws_lc_rs::{self, cipher_suite, kx_group};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::server::{NoServerSessionStorage, WebPkiClientVerifier};
use rustls::{
    ClientConfig, ClientConnection, ConnectionCommon, HandshakeKind, RootCertStore, ServerConfig,
    ServerConnection, version,
};

fn main() -> Result<(), Failure> {
    driver::run::<Rustls>()
}

struct Rustls {
    client: Arc<ClientConfig>,
    server: Arc<ServerConfig>,
}

fn roots(path: std::path::PathBuf) -> Result<Arc<RootCertStore>, Failure> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(path)?)?;
    Ok(Arc::new(roots))
}

type Identity = (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>);

fn identity(files: (std::path::PathBuf, std::path::PathBuf)) -> Result<Identity, Failure> {
    let chain = CertificateDer::pem_file_iter(files.0)?.collect::<Result<_, _>>()?;
    Ok((chain, PrivateKeyDer::from_pem_file(files.1)?))
}

impl Library for Rustls {
    fn name() -> String {
        "rustls 0.23".to_owned()
    }

    fn new(case: Case, files: &Files) -> Result<Self, Failure> {
        let mut provider = aws_lc_rs::default_provider();
        provider.kx_groups = vec![if case.hybrid { kx_group::X25519MLKEM768 } else { kx_group::X25519 }];
        provider.cipher_suites = vec![match (case.tls12, case.rsa) {
            (false, _) => cipher_suite::TLS13_AES_128_GCM_SHA256,
            (true, false) => cipher_suite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
            (true, true) => cipher_suite::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
        }];
        let provider = Arc::new(provider);
        let versions = if case.tls12 { &[&version::TLS12] } else { &[&version::TLS13] };
        let verifier =
            WebPkiServerVerifier::builder_with_provider(roots(files.root(case.rsa))?, Arc::clone(&provider));
        let client = ClientConfig::builder_with_provider(Arc::clone(&provider))
            .with_protocol_versions(versions)?
            .with_webpki_verifier(verifier.build()?);
        let mut client = if case.mutual {
            let (chain, key) = identity(files.client())?;
            client.with_client_auth_cert(chain, key)?
        } else {
            client.with_no_client_auth()
        };
        let server =
            ServerConfig::builder_with_provider(Arc::clone(&provider)).with_protocol_versions(versions)?;
        let server = if case.mutual {
            let verifier = WebPkiClientVerifier::builder_with_provider(roots(files.root(false))?, provider);
            server.with_client_cert_verifier(verifier.build()?)
        } else {
            server.with_no_client_auth()
        };
        let (chain, key) = identity(files.server(case.rsa))?;
        let mut server = server.with_single_cert(chain, key)?;
        if case.resumed {
            client.resumption = Resumption::in_memory_sessions(16);
            server.ticketer = aws_lc_rs::Ticketer::new()?;
            server.send_tls13_tickets = 1;
        } else {
            client.resumption = Resumption::disabled();
            server.session_storage = Arc::new(NoServerSessionStorage {});
            server.send_tls13_tickets = 0;
        }
        Ok(Self { client: Arc::new(client), server: Arc::new(server) })
    }

    fn client(&self) -> Result<impl End, Failure> {
        Ok(Theirs(ClientConnection::new(Arc::clone(&self.client), ServerName::try_from(SERVER_NAME)?)?))
    }

    fn server(&self) -> Result<impl End, Failure> {
        Ok(Theirs(ServerConnection::new(Arc::clone(&self.server))?))
    }
}

struct Theirs<C>(C);

impl<C, D> End for Theirs<C>
where
    C: std::ops::DerefMut<Target = ConnectionCommon<D>>,
    D: rustls::SideData,
{
    fn receive(&mut self, wire: &mut Vec<u8>) -> Result<usize, Failure> {
        let mut input = wire.as_slice();
        let mut out = [0; 16 * 1024];
        let mut received = 0;
        while !input.is_empty() {
            self.0.read_tls(&mut input)?;
            let state = self.0.process_new_packets()?;
            let mut waiting = state.plaintext_bytes_to_read();
            while waiting > 0 {
                let read = self.0.reader().read(&mut out)?;
                waiting -= read;
                received += read;
            }
        }
        Ok(received)
    }

    fn transmit(&mut self, wire: &mut Vec<u8>) -> Result<(), Failure> {
        while self.0.wants_write() {
            self.0.write_tls(wire)?;
        }
        Ok(())
    }

    fn send(&mut self, mut data: &[u8], wire: &mut Vec<u8>) -> Result<(), Failure> {
        while !data.is_empty() {
            let taken = self.0.writer().write(data)?;
            data = &data[taken..];
            self.transmit(wire)?;
        }
        Ok(())
    }

    fn is_handshaking(&self) -> bool {
        self.0.is_handshaking()
    }

    fn resumed(&self) -> bool {
        self.0.handshake_kind() == Some(HandshakeKind::Resumed)
    }
}
