//! An end made of a library's own stream over the [`Pipe`].

use crate::{End, Failure, Pipe};

/// A stream that reads what the [`Pipe`] lends and writes to it.
pub trait Stream {
    /// Goes on with the handshake: whether it is done.
    fn handshake(&mut self) -> Result<bool, Failure>;
    /// Plaintext; none where all that came was read.
    fn read(&mut self, into: &mut [u8]) -> Result<Option<usize>, Failure>;
    /// Sends all of `data`.
    fn write(&mut self, data: &[u8]) -> Result<(), Failure>;
    /// The handshake resumed a session.
    fn resumed(&self) -> bool;
    /// Says goodbye, where a library would otherwise forget the session.
    fn close(&mut self) -> Result<(), Failure> {
        Ok(())
    }
}

/// The end that such a stream is.
#[derive(Debug)]
pub struct Over<S> {
    stream: S,
    client: bool,
    handshaking: bool,
}

impl<S: Stream> Over<S> {
    /// A client, which speaks first.
    pub fn client(stream: S) -> Self {
        Self { stream, client: true, handshaking: true }
    }

    /// A server.
    pub fn server(stream: S) -> Self {
        Self { stream, client: false, handshaking: true }
    }

    fn handshake(&mut self) -> Result<(), Failure> {
        if self.handshaking {
            self.handshaking = !self.stream.handshake()?;
        }
        Ok(())
    }

    fn take(&mut self) -> Result<usize, Failure> {
        self.handshake()?;
        let mut out = [0; 16 * 1024];
        let mut received = 0;
        while !self.handshaking {
            match self.stream.read(&mut out)? {
                Some(read) => received += read,
                None => break,
            }
        }
        Ok(received)
    }
}

impl<S: Stream> End for Over<S> {
    fn receive(&mut self, wire: &mut Vec<u8>) -> Result<usize, Failure> {
        Pipe::lend(wire, || self.take())
    }

    fn transmit(&mut self, wire: &mut Vec<u8>) -> Result<(), Failure> {
        // Whatever came was answered when it came; a client's first flight answers nothing.
        if self.client {
            self.handshake()?;
        }
        Pipe::collect(wire);
        Ok(())
    }

    fn send(&mut self, data: &[u8], wire: &mut Vec<u8>) -> Result<(), Failure> {
        Pipe::sending(wire, || self.stream.write(data))
    }

    fn is_handshaking(&self) -> bool {
        self.handshaking
    }

    fn resumed(&self) -> bool {
        self.stream.resumed()
    }

    fn close(&mut self, wire: &mut Vec<u8>) -> Result<(), Failure> {
        wire.clear();
        self.stream.close()?;
        Pipe::collect(wire);
        Ok(())
    }
}

/// A stream of one kind or of another.
#[derive(Debug)]
pub enum Either<A, B> {
    /// The one.
    One(A),
    /// The other.
    Other(B),
}

impl<A: Stream, B: Stream> Either<A, B> {
    fn stream(&self) -> &dyn Stream {
        match self {
            Self::One(stream) => stream,
            Self::Other(stream) => stream,
        }
    }

    fn stream_mut(&mut self) -> &mut dyn Stream {
        match self {
            Self::One(stream) => stream,
            Self::Other(stream) => stream,
        }
    }
}

impl<A: Stream, B: Stream> Stream for Either<A, B> {
    fn handshake(&mut self) -> Result<bool, Failure> {
        self.stream_mut().handshake()
    }

    fn read(&mut self, into: &mut [u8]) -> Result<Option<usize>, Failure> {
        self.stream_mut().read(into)
    }

    fn write(&mut self, data: &[u8]) -> Result<(), Failure> {
        self.stream_mut().write(data)
    }

    fn resumed(&self) -> bool {
        self.stream().resumed()
    }

    fn close(&mut self) -> Result<(), Failure> {
        self.stream_mut().close()
    }
}
