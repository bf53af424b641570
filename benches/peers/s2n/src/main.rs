//! s2n-tls over aws-lc, by `s2n-tls-tokio`, its stream over any transport, polled by hand over one of memory.
//!
//! Its cryptography is chosen by named policies. That of the hybrid's offers other hybrids beside it, without shares.

use std::future::Future;
use std::io::Result as IoResult;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::SystemTime;

use driver::{Case, End, Failure, Files, Library, Pipe, SERVER_NAME, read};
use s2n_tls::callbacks::{SessionTicket, SessionTicketCallback, VerifyHostNameCallback};
use s2n_tls::config::{Builder as ConfigBuilder, Config};
use s2n_tls::connection::{Builder, Connection};
use s2n_tls::enums::{ClientAuthType, Mode};
use s2n_tls::error::Error;
use s2n_tls::security::Policy;
use s2n_tls_tokio::{TlsAcceptor, TlsConnector, TlsStream};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

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
        Ok(Theirs::Shaking(Box::pin(async move { connector.connect(SERVER_NAME, Memory).await })))
    }

    fn server(&self) -> Result<impl End, Failure> {
        let acceptor = self.server.clone();
        Ok(Theirs::Shaking(Box::pin(async move { acceptor.accept(Memory).await })))
    }
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

type Stream = TlsStream<Memory, Connection>;

enum Theirs {
    Shaking(Pin<Box<dyn Future<Output = Result<Stream, Error>>>>),
    Open(Stream),
}

fn context() -> Context<'static> {
    Context::from_waker(Waker::noop())
}

impl Theirs {
    fn handshake(&mut self) -> Result<(), Failure> {
        if let Self::Shaking(shaking) = self
            && let Poll::Ready(stream) = shaking.as_mut().poll(&mut context())
        {
            *self = Self::Open(stream?);
        }
        Ok(())
    }

    fn take(&mut self) -> Result<usize, Failure> {
        self.handshake()?;
        let mut out = [0; 16 * 1024];
        let mut received = 0;
        while let Self::Open(stream) = self {
            let mut into = ReadBuf::new(&mut out);
            match Pin::new(stream).poll_read(&mut context(), &mut into) {
                Poll::Ready(read) => read?,
                Poll::Pending => break,
            }
            received += into.filled().len();
        }
        Ok(received)
    }
}

impl End for Theirs {
    fn receive(&mut self, wire: &mut Vec<u8>) -> Result<usize, Failure> {
        Pipe::lend(wire, || self.take())
    }

    fn transmit(&mut self, wire: &mut Vec<u8>) -> Result<(), Failure> {
        self.handshake()?;
        Pipe::collect(wire);
        Ok(())
    }

    fn send(&mut self, mut data: &[u8], wire: &mut Vec<u8>) -> Result<(), Failure> {
        let Self::Open(stream) = self else { return Err("not yet".into()) };
        Pipe::sending(wire, || {
            while !data.is_empty() {
                match Pin::new(&mut *stream).poll_write(&mut context(), data) {
                    Poll::Ready(sent) => data = &data[sent?..],
                    Poll::Pending => return Err("memory does not block".into()),
                }
            }
            Ok(())
        })
    }

    fn is_handshaking(&self) -> bool {
        matches!(self, Self::Shaking(_))
    }

    fn resumed(&self) -> bool {
        matches!(self, Self::Open(stream) if stream.as_ref().resumed())
    }
}

/// The pipe as tokio has streams.
struct Memory;

impl AsyncRead for Memory {
    fn poll_read(
        self: Pin<&mut Self>,
        _context: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<IoResult<()>> {
        match Pipe::read_with(into.remaining(), |bytes| into.put_slice(bytes)) {
            Some(()) => Poll::Ready(Ok(())),
            None => Poll::Pending,
        }
    }
}

impl AsyncWrite for Memory {
    fn poll_write(self: Pin<&mut Self>, _context: &mut Context<'_>, bytes: &[u8]) -> Poll<IoResult<usize>> {
        Poll::Ready(std::io::Write::write(&mut Pipe, bytes))
    }

    fn poll_flush(self: Pin<&mut Self>, _context: &mut Context<'_>) -> Poll<IoResult<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _context: &mut Context<'_>) -> Poll<IoResult<()>> {
        Poll::Ready(Ok(()))
    }
}
