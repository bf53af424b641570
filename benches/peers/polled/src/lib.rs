//! Libraries whose streams are futures' own: what is polled by hand, over the pipe as they have streams.
//!
//! OpenSSL's binding and BoringSSL's hand out sessions safely but take them back only by `unsafe`, so a client that comes
//! back is one of `hyper-openssl` or `hyper-boring`, with the cache that an HTTP client of that stack has: a future,
//! boxed, and a look-up are part of what is measured.

mod memory;

use std::convert::Infallible;
use std::fmt;
use std::future::{Future, Ready, ready};
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use driver::{Failure, SERVER_NAME, Stream};
use http::Uri;
use hyper::rt::{Read, ReadBuf, Write};
pub use memory::Memory;
use tower_service::Service;

fn context() -> Context<'static> {
    Context::from_waker(Waker::noop())
}

/// A connection: at first the future of one, which is then a stream.
pub struct Polled<F, S> {
    state: State<F, S>,
    resumed: fn(&S) -> bool,
    closes: bool,
}

enum State<F, S> {
    Connecting(F),
    Connected(S),
}

impl<F, S> Polled<F, S> {
    /// What `future` makes; `resumed` says whether that resumed a session.
    pub fn new(future: F, resumed: fn(&S) -> bool) -> Self {
        Self { state: State::Connecting(future), resumed, closes: false }
    }

    /// Sends a goodbye at its end.
    #[must_use]
    pub fn closing(self) -> Self {
        Self { closes: true, ..self }
    }

    fn stream(&mut self) -> Result<Pin<&mut S>, Failure>
    where
        S: Unpin,
    {
        match &mut self.state {
            State::Connecting(_) => Err("not yet connected".into()),
            State::Connected(stream) => Ok(Pin::new(stream)),
        }
    }
}

impl<F, S> fmt::Debug for Polled<F, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Polled").finish_non_exhaustive()
    }
}

impl<F, S, E> Stream for Polled<F, S>
where
    F: Future<Output = Result<S, E>> + Unpin,
    S: Read + Write + Unpin,
    E: Into<Failure>,
{
    fn handshake(&mut self) -> Result<bool, Failure> {
        if let State::Connecting(future) = &mut self.state {
            match Pin::new(future).poll(&mut context()) {
                Poll::Ready(stream) => self.state = State::Connected(stream.map_err(Into::into)?),
                Poll::Pending => return Ok(false),
            }
        }
        Ok(true)
    }

    fn read(&mut self, into: &mut [u8]) -> Result<Option<usize>, Failure> {
        let mut into = ReadBuf::new(into);
        match self.stream()?.poll_read(&mut context(), into.unfilled()) {
            Poll::Ready(read) => read?,
            Poll::Pending => return Ok(None),
        }
        Ok(Some(into.filled().len()).filter(|read| *read > 0))
    }

    fn write(&mut self, mut data: &[u8]) -> Result<(), Failure> {
        while !data.is_empty() {
            match self.stream()?.poll_write(&mut context(), data) {
                Poll::Ready(sent) => data = &data[sent?..],
                Poll::Pending => return Err("memory does not block".into()),
            }
        }
        Ok(())
    }

    fn resumed(&self) -> bool {
        matches!(&self.state, State::Connected(stream) if (self.resumed)(stream))
    }

    fn close(&mut self) -> Result<(), Failure> {
        if self.closes
            && let Poll::Ready(closed) = self.stream()?.poll_shutdown(&mut context())
        {
            closed?;
        }
        Ok(())
    }
}

/// "Connects" an HTTP client to memory, which it has in a form of its own.
#[derive(Debug)]
pub struct Dial<T>(pub fn() -> T);

impl<T> Clone for Dial<T> {
    fn clone(&self) -> Self {
        Self(self.0)
    }
}

impl<T> Service<Uri> for Dial<T> {
    type Response = T;
    type Error = Infallible;
    type Future = Ready<Result<T, Infallible>>;

    fn poll_ready(&mut self, _context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _uri: Uri) -> Self::Future {
        ready(Ok((self.0)()))
    }
}

/// An HTTP client's connections to the server, and what they left.
#[derive(Debug)]
pub struct Returning<C> {
    connector: C,
    uri: Uri,
}

impl<C: Service<Uri> + Clone> Returning<C> {
    /// Connections by that connector.
    pub fn new(connector: C) -> Result<Self, Failure> {
        Ok(Self { connector, uri: format!("https://{SERVER_NAME}").parse()? })
    }

    /// A new one, which goes on with what the last one left.
    pub fn connect(&self, resumed: fn(&C::Response) -> bool) -> Polled<C::Future, C::Response> {
        Polled::new(self.connector.clone().call(self.uri.clone()), resumed).closing()
    }
}
