//! s2n-tls over aws-lc, by `s2n-tls-tokio`, its stream over any transport, polled by hand over one of memory.
//!
//! Its cryptography is chosen by named policies. That of the hybrid's offers other hybrids beside it, without shares.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use driver::{Case, End, Failure, Files, Library, Over, SERVER_NAME, read};
use hyper_util::rt::TokioIo;
use polled::{Memory, Polled};
use s2n_tls::callbacks::{SessionTicket, SessionTicketCallback, VerifyHostNameCallback};
use s2n_tls::config::{Builder as ConfigBuilder, Config};
use s2n_tls::connection::{Builder, Connection};
use s2n_tls::enums::{ClientAuthType, Mode};
use s2n_tls::error::Error;
use s2n_tls::security::Policy;
use s2n_tls_tokio::{TlsAcceptor, TlsConnector, TlsStream};

fn main() -> Result<(), Failure> {
    driver::run::<S2n>()
}

struct S2n {
    client: TlsConnector<Client>,
    server: TlsAcceptor<Server>,
}

/// The policies of the client and of the server: AES-128-GCM and X25519 before all others.
fn policies(case: Case) -> Result<(Policy, Policy), Failure> {
    let (client, server) = match (case.tls12, case.hybrid) {
        // The client speaks nothing newer, the server prefers X25519.
        (true, _) => ("CloudFront-Upstream-TLS-1-2", "20240603"),
        (false, true) => ("test_pq_only", "test_pq_only"),
        (false, false) => ("AWS-CRT-SDK-TLSv1.3", "AWS-CRT-SDK-TLSv1.3"),
    };
    Ok((Policy::from_version(client)?, Policy::from_version(server)?))
}

impl Library for S2n {
    fn name() -> String {
        "s2n-tls 0.3.47".to_owned()
    }

    fn new(case: Case, files: &Files) -> Result<Self, Failure> {
        let (client_policy, server_policy) = policies(case)?;
        let tickets = Tickets::default();
        let mut client = ConfigBuilder::new();
        client.with_system_certs(false)?.set_security_policy(&client_policy)?;
        client.trust_pem(&read(&files.root(case.rsa))?)?;
        let mut server = ConfigBuilder::new();
        server.with_system_certs(false)?.set_security_policy(&server_policy)?;
        let (chain, key) = files.server(case.rsa);
        server.load_pem(&read(&chain)?, &read(&key)?)?;
        if case.mutual {
            let (chain, key) = files.client();
            client.load_pem(&read(&chain)?, &read(&key)?)?.set_client_auth_type(ClientAuthType::Required)?;
            server.trust_pem(&read(&files.root(false))?)?.set_client_auth_type(ClientAuthType::Required)?;
            server.set_verify_host_callback(AnyName)?;
        }
        if case.resumed {
            client.enable_session_tickets(true)?.set_session_ticket_callback(tickets.clone())?;
            server.add_session_ticket_key(b"bench", &[7; 32], SystemTime::now())?;
        }
        let client = Client { config: client.build()?, tickets: case.resumed.then_some(tickets) };
        Ok(Self { client: TlsConnector::new(client), server: TlsAcceptor::new(Server(server.build()?)) })
    }

    fn client(&self) -> Result<impl End, Failure> {
        let connector = self.client.clone();
        let connecting = async move { connector.connect(SERVER_NAME, Memory).await.map(TokioIo::new) };
        Ok(Over::client(Polled::new(Box::pin(connecting), resumed)))
    }

    fn server(&self) -> Result<impl End, Failure> {
        let acceptor = self.server.clone();
        let accepting = async move { acceptor.accept(Memory).await.map(TokioIo::new) };
        Ok(Over::server(Polled::new(Box::pin(accepting), resumed)))
    }
}

fn resumed(stream: &TokioIo<TlsStream<Memory, Connection>>) -> bool {
    stream.inner().as_ref().resumed()
}

/// Which of its names a client has is not asked of anybody here.
struct AnyName;

impl VerifyHostNameCallback for AnyName {
    fn verify_host_name(&self, _name: &str) -> bool {
        true
    }
}

/// The ticket of the last connection.
#[derive(Clone, Default)]
struct Tickets(Arc<Mutex<Vec<u8>>>);

impl SessionTicketCallback for Tickets {
    fn on_session_ticket(&self, _connection: &mut Connection, ticket: &SessionTicket) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.resize(ticket.len().unwrap_or(0), 0);
        if ticket.data(&mut kept).is_err() {
            kept.clear();
        }
    }
}

#[derive(Clone)]
struct Client {
    config: Config,
    tickets: Option<Tickets>,
}

/// Records as large as everybody's: its default is half of that.
fn connection(config: &Config, mode: Mode) -> Result<Connection, Error> {
    let mut connection = config.build_connection(mode)?;
    connection.prefer_throughput()?;
    Ok(connection)
}

impl Builder for Client {
    type Output = Connection;

    fn build_connection(&self, mode: Mode) -> Result<Connection, Error> {
        let mut connection = connection(&self.config, mode)?;
        if let Some(tickets) = &self.tickets {
            let ticket = tickets.0.lock().unwrap_or_else(PoisonError::into_inner);
            if !ticket.is_empty() {
                connection.set_session_ticket(&ticket)?;
            }
        }
        Ok(connection)
    }
}

#[derive(Clone)]
struct Server(Config);

impl Builder for Server {
    type Output = Connection;

    fn build_connection(&self, mode: Mode) -> Result<Connection, Error> {
        connection(&self.0, mode)
    }
}
