//! oxtls itself, and the certificates for all: `ours DIR --certificates` makes them.

use std::fs::write;
use std::path::Path;

use driver::{Case, End, Failure, Files, Library, SERVER_NAME};
use oxtls::pki_types::ServerName;
use oxtls::{
    CipherSuite, ClientAuth, ClientConfig, ClientConnection, Connection, Credential, Event, KeyAlgorithm,
    NamedGroup, ProtocolVersion, Resumption, Role, Roots, ServerConfig, ServerConnection, SessionCache,
    TicketKeys,
};
use oxtls_test_pki::{Ca, LeafSpec};

fn main() -> Result<(), Failure> {
    let mut args = std::env::args_os().skip(1);
    if let (Some(folder), Some(_)) = (args.next(), args.next()) {
        return certificates(Path::new(&folder));
    }
    driver::run::<Oxtls>()
}

fn certificates(folder: &Path) -> Result<(), Failure> {
    for (kind, key) in [("ecdsa", KeyAlgorithm::EcdsaP256), ("rsa", KeyAlgorithm::Rsa)] {
        let root = Ca::new("Bench Root", key);
        let intermediate = root.intermediate("Bench Intermediate", key);
        write(folder.join(format!("{kind}-root.pem")), root.certificate_pem())?;
        for (role, leaf) in
            [("server", LeafSpec::server(SERVER_NAME)), ("client", LeafSpec::client("client.test"))]
        {
            let leaf = intermediate.issue(leaf.key(key));
            write(folder.join(format!("{kind}-{role}.pem")), leaf.chain_pem())?;
            write(folder.join(format!("{kind}-{role}.key")), leaf.key_pem())?;
        }
    }
    Ok(())
}

struct Oxtls {
    client: ClientConfig,
    server: ServerConfig,
}

impl Library for Oxtls {
    fn name() -> String {
        format!("oxtls {}", env!("CARGO_PKG_VERSION"))
    }

    fn new(case: Case, files: &Files) -> Result<Self, Failure> {
        let mut roots = Roots::empty();
        roots.add_pem_file(files.root(case.rsa))?;
        let (chain, key) = files.server(case.rsa);
        // In TLS 1.2 the curve of a certificate is one of the groups too (RFC 8422 section 5.1.1).
        let groups = match (case.hybrid, case.tls12) {
            (true, _) => vec![NamedGroup::X25519_MLKEM768],
            (false, true) => vec![NamedGroup::X25519, NamedGroup::SECP256R1],
            (false, false) => vec![NamedGroup::X25519],
        };
        let (version, suite) = match (case.tls12, case.rsa) {
            (false, _) => (ProtocolVersion::TLS1_3, CipherSuite::TLS_AES_128_GCM_SHA256),
            (true, false) => (ProtocolVersion::TLS1_2, CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256),
            (true, true) => (ProtocolVersion::TLS1_2, CipherSuite::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256),
        };
        let mut client = ClientConfig::builder().roots(roots).groups(&groups).suites(&[suite]);
        let mut server = ServerConfig::builder()
            .credential(Credential::from_pem_files(chain, key)?)
            .groups(&groups)
            .suites(&[suite]);
        if case.mutual {
            let mut roots = Roots::empty();
            roots.add_pem_file(files.root(false))?;
            let (chain, key) = files.client();
            client = client.credential(Credential::from_pem_files(chain, key)?);
            server = server.client_auth(ClientAuth::Required(roots.into()));
        }
        // On by default; the others have nothing like it, so it has rows of its own.
        client = client.remember_signatures(case.known);
        server = server.remember_signatures(case.known);
        if case.resumed {
            let tickets = Resumption::tickets(TicketKeys::rotating()).tickets_per_connection(1);
            client = client.sessions(SessionCache::new(16)).tls12_tickets(true);
            server = server.resumption(tickets.tls12_tickets(true));
        } else {
            client = client.no_sessions();
            server = server.no_resumption();
        }
        Ok(Self {
            client: client.versions(version, version).build()?,
            server: server.versions(version, version).build()?,
        })
    }

    fn client(&self) -> Result<impl End, Failure> {
        Ok(ours(ClientConnection::new(&self.client, ServerName::try_from(SERVER_NAME)?)?))
    }

    fn server(&self) -> Result<impl End, Failure> {
        Ok(ours(ServerConnection::new(&self.server)))
    }
}

struct Ours<R: Role> {
    connection: Connection<R>,
    resumed: bool,
}

/// A window that holds an alert or a KeyUpdate that was not made yet.
const LEAST_WINDOW: usize = 64;

fn ours<R: Role>(connection: Connection<R>) -> Ours<R> {
    Ours { connection, resumed: false }
}

impl<R: Role> End for Ours<R> {
    fn receive(&mut self, wire: &mut Vec<u8>) -> Result<usize, Failure> {
        let (mut at, mut received) = (0, 0);
        loop {
            let progress = self.connection.feed(&mut wire[at..])?;
            at += progress.consumed;
            match progress.event {
                Some(Event::Data(range)) => received += range.len(),
                // Whoever only moves data has no use for what a handshake says, and lets go of it.
                Some(Event::HandshakeDone) => {
                    self.resumed = self.connection.take_info().is_some_and(|info| info.is_resumed());
                }
                _ => {}
            }
            if progress.consumed == 0 && at == wire.len() {
                return Ok(received);
            }
        }
    }

    fn transmit(&mut self, wire: &mut Vec<u8>) -> Result<(), Failure> {
        while self.connection.wants_transmit() {
            let start = wire.len();
            wire.resize(start + self.connection.sealed_len(0).max(LEAST_WINDOW), 0);
            let written = self.connection.transmit(&mut wire[start..]);
            wire.truncate(start + written);
        }
        Ok(())
    }

    fn send(&mut self, data: &[u8], wire: &mut Vec<u8>) -> Result<(), Failure> {
        let start = wire.len();
        wire.resize(start + self.connection.sealed_len(data.len()), 0);
        let written = self.seal(data, &mut wire[start..])?;
        wire.truncate(start + written);
        Ok(())
    }

    fn room(&self, data: usize) -> Option<usize> {
        Some(self.connection.sealed_len(data))
    }

    fn seal(&mut self, mut data: &[u8], out: &mut [u8]) -> Result<usize, Failure> {
        let mut written = 0;
        while !data.is_empty() {
            let sealed = self.connection.seal(data, &mut out[written..])?;
            data = &data[sealed.taken..];
            written += sealed.written;
        }
        Ok(written)
    }

    fn is_handshaking(&self) -> bool {
        self.connection.is_handshaking()
    }

    fn resumed(&self) -> bool {
        self.resumed
    }

    fn rest(&mut self) {
        self.connection.rest();
    }
}
