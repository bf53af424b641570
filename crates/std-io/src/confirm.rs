//! Waiting for the server's word that it has accepted us.

use std::io::{self, ErrorKind, Read, Write};

use oxtls::Client;

use crate::error::seal_failed;
use crate::stream::{Step, Stream};

impl<T: Read + Write> Stream<Client, T> {
    /// Waits until the server has shown that it has accepted our certificate, or that we have none; see
    /// [`is_confirmed`](oxtls::Connection::is_confirmed) for what shows it. Completes the handshake first.
    ///
    /// In TLS 1.3 a handshake is done here before the server has looked at our certificate. Who must know before the
    /// first word is said asks here, at the price of a round trip.
    ///
    /// `false`: the server has said something first, which must be read before the rest can come. Read, and call
    /// again:
    ///
    /// ```no_run
    /// # use std::io::Read;
    /// # fn f(mut tls: oxtls_std::Stream<oxtls::Client, std::net::TcpStream>) -> std::io::Result<()> {
    /// let mut said = Vec::new();
    /// while !tls.confirm()? {
    ///     let mut piece = [0; 4096];
    ///     let len = tls.read(&mut piece)?;
    ///     said.extend_from_slice(&piece[..len]);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// The alert by which the server refuses us, as [`read`](Read::read) gives it; [`ErrorKind::UnexpectedEof`] if the
    /// server closes without having shown anything; and those of [`handshake`](Stream::handshake).
    pub fn confirm(&mut self) -> io::Result<bool> {
        self.complete_handshake()?;
        self.connection_mut().request_confirmation().map_err(seal_failed)?;
        while !self.connection().is_confirmed() {
            if self.has_plaintext() {
                return Ok(false);
            }
            if self.step()? == Step::End {
                let closed = "the server closed and has not shown that it accepted our certificate";
                return Err(io::Error::new(ErrorKind::UnexpectedEof, closed));
            }
        }
        Ok(true)
    }
}
