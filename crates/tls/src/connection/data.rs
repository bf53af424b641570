//! Application data on its way into records.

use std::io::IoSlice;

use oxtls_record::{ContentType, Sealed, Writer};

use super::seal_error::SealError;
use super::{Connection, Role};

/// Application data as the caller has it.
#[derive(Clone, Copy)]
pub(crate) enum Data<'a> {
    /// In one.
    Whole(&'a [u8]),
    /// In pieces, to be taken as if they were one.
    Pieces(&'a [IoSlice<'a>]),
}

impl Data<'_> {
    /// Seals as much of it as the window takes.
    #[inline]
    pub(crate) fn seal(self, writer: &mut Writer, out: &mut [u8]) -> Result<Sealed, oxtls_record::SealError> {
        match self {
            Self::Whole(bytes) => writer.seal(ContentType::ApplicationData, bytes, out),
            Self::Pieces(pieces) => writer.seal_vectored(ContentType::ApplicationData, pieces, out),
        }
    }
}

impl<R: Role> Connection<R> {
    /// As [`seal`](Self::seal), of data that lies in pieces, which are sealed as if they were one: small ones share
    /// records. [`taken`](Sealed::taken) counts bytes over all of them ([`IoSlice::advance_slices`] leaves out as many),
    /// and [`sealed_len`](Self::sealed_len) of their sum is a window for all. Nothing is allocated; what fills a record
    /// from several pieces is copied once, into the window.
    ///
    /// ```no_run
    /// use std::io::IoSlice;
    ///
    /// # fn respond(mut conn: oxtls::ServerConnection, body: &[u8], window: &mut [u8]) -> Result<(), oxtls::SealError> {
    /// let pieces = [IoSlice::new(b"HTTP/1.1 200 OK\r\n"), IoSlice::new(b"\r\n"), IoSlice::new(body)];
    /// let sealed = conn.seal_vectored(&pieces, window)?;
    /// println!("{} bytes of the response are in {} bytes of records", sealed.taken, sealed.written);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`seal`](Self::seal).
    pub fn seal_vectored(&mut self, pieces: &[IoSlice<'_>], out: &mut [u8]) -> Result<Sealed, SealError> {
        self.send.seal(&self.mailbox, Data::Pieces(pieces), out)
    }
}
