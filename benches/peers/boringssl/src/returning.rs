//! A client that comes back. The binding hands out sessions safely but takes them back only by `unsafe`, so they are
//! kept by the cache of `hyper-boring`, as an HTTP client of that stack has them: a future, boxed, and a look-up are
//! part of what is measured.

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::io::{Result as IoResult, Write as _};
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use boring::ssl::{SslConnector, SslContextBuilder, SslMethod};
use driver::{End, Failure, Pipe, SERVER_NAME};
use http::Uri;
use hyper::rt::{Read, ReadBuf, Write as _};
use hyper_boring::{HttpsConnector, MaybeHttpsStream};
use hyper_util::client::legacy::connect::{Connected, Connection};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf as Into};
use tower_service::Service;

/// Connections and what they left.
pub struct Returning {
    connector: HttpsConnector<Dial>,
    uri: Uri,
}

impl Returning {
    pub fn new(
        configure: impl FnOnce(&mut SslContextBuilder) -> Result<(), Failure>,
    ) -> Result<Self, Failure> {
        let mut builder = SslConnector::builder(SslMethod::tls())?;
        configure(&mut builder)?;
        let uri = format!("https://{SERVER_NAME}").parse()?;
        Ok(Self { connector: HttpsConnector::with_connector(Dial, builder)?, uri })
    }

    pub fn connect(&self) -> Result<Client, Failure> {
        Ok(Client::Connecting(self.connector.clone().call(self.uri.clone())))
    }
}

/// One connection.
pub enum Client {
    Connecting(<HttpsConnector<Dial> as Service<Uri>>::Future),
    Connected(MaybeHttpsStream<Memory>),
}

fn context() -> Context<'static> {
    Context::from_waker(Waker::noop())
}

impl Client {
    fn handshake(&mut self) -> Result<(), Failure> {
        if let Self::Connecting(connecting) = self
            && let Poll::Ready(stream) = connecting.as_mut().poll(&mut context())
        {
            *self = Self::Connected(stream?);
        }
        Ok(())
    }

    fn take(&mut self) -> Result<usize, Failure> {
        self.handshake()?;
        let mut out = [0; 16 * 1024];
        let mut received = 0;
        while let Self::Connected(stream) = self {
            let mut into = ReadBuf::new(&mut out);
            match Pin::new(stream).poll_read(&mut context(), into.unfilled()) {
                Poll::Ready(read) => read?,
                Poll::Pending => break,
            }
            received += into.filled().len();
        }
        Ok(received)
    }
}

impl End for Client {
    fn receive(&mut self, wire: &mut Vec<u8>) -> Result<usize, Failure> {
        Pipe::lend(wire, || self.take())
    }

    fn transmit(&mut self, wire: &mut Vec<u8>) -> Result<(), Failure> {
        self.handshake()?;
        Pipe::collect(wire);
        Ok(())
    }

    fn send(&mut self, _data: &[u8], _wire: &mut Vec<u8>) -> Result<(), Failure> {
        Err("only handshakes are measured where sessions are resumed".into())
    }

    fn is_handshaking(&self) -> bool {
        matches!(self, Self::Connecting(_))
    }

    fn resumed(&self) -> bool {
        matches!(self, Self::Connected(MaybeHttpsStream::Https(stream)) if stream.ssl().session_reused())
    }

    fn close(&mut self, wire: &mut Vec<u8>) -> Result<(), Failure> {
        wire.clear();
        if let Self::Connected(stream) = self
            && let Poll::Ready(closed) = Pin::new(stream).poll_shutdown(&mut context())
        {
            closed?;
        }
        Pipe::collect(wire);
        Ok(())
    }
}

/// "Connects" to memory.
#[derive(Clone)]
pub struct Dial;

impl Service<Uri> for Dial {
    type Response = TokioIo<Memory>;
    type Error = Infallible;
    type Future = Ready<Result<TokioIo<Memory>, Infallible>>;

    fn poll_ready(&mut self, _context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _uri: Uri) -> Self::Future {
        ready(Ok(TokioIo::new(Memory)))
    }
}

/// The pipe as that stack has streams.
#[derive(Debug)]
pub struct Memory;

impl AsyncRead for Memory {
    fn poll_read(
        self: Pin<&mut Self>,
        _context: &mut Context<'_>,
        into: &mut Into<'_>,
    ) -> Poll<IoResult<()>> {
        match Pipe::read_with(into.remaining(), |bytes| into.put_slice(bytes)) {
            Some(()) => Poll::Ready(Ok(())),
            None => Poll::Pending,
        }
    }
}

impl AsyncWrite for Memory {
    fn poll_write(self: Pin<&mut Self>, _context: &mut Context<'_>, bytes: &[u8]) -> Poll<IoResult<usize>> {
        Poll::Ready(Pipe.write(bytes))
    }

    fn poll_flush(self: Pin<&mut Self>, _context: &mut Context<'_>) -> Poll<IoResult<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _context: &mut Context<'_>) -> Poll<IoResult<()>> {
        Poll::Ready(Ok(()))
    }
}

impl Connection for Memory {
    fn connected(&self) -> Connected {
        Connected::new()
    }
}
