//! The pipe as hyper has streams, and as tokio has them.

use std::io::{Result, Write as _};
use std::pin::Pin;
use std::task::{Context, Poll};

use driver::Pipe;
use hyper::rt;
use hyper_util::client::legacy::connect::{Connected, Connection};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// The bytes that are lent to whoever acts.
#[derive(Clone, Copy, Debug)]
pub struct Memory;

/// Reads what was lent, or has to wait.
fn read(most: usize, take: impl FnOnce(&[u8])) -> Poll<Result<()>> {
    match Pipe::read_with(most, take) {
        Some(()) => Poll::Ready(Ok(())),
        None => Poll::Pending,
    }
}

/// Both have the same three calls for writing, none of which has to wait here.
macro_rules! writes {
    ($trait:path) => {
        impl $trait for Memory {
            fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<Result<usize>> {
                Poll::Ready(Pipe.write(bytes))
            }

            fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Result<()>> {
                Poll::Ready(Ok(()))
            }

            fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Result<()>> {
                Poll::Ready(Ok(()))
            }
        }
    };
}

writes!(rt::Write);
writes!(AsyncWrite);

impl rt::Read for Memory {
    fn poll_read(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        mut into: rt::ReadBufCursor<'_>,
    ) -> Poll<Result<()>> {
        read(into.remaining(), |bytes| into.put_slice(bytes))
    }
}

impl AsyncRead for Memory {
    fn poll_read(self: Pin<&mut Self>, _: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<Result<()>> {
        read(into.remaining(), |bytes| into.put_slice(bytes))
    }
}

impl Connection for Memory {
    fn connected(&self) -> Connected {
        Connected::new()
    }
}
