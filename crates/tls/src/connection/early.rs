//! Early data (0-RTT, RFC 9846 section 4.3.10): what a client sends before the handshake is done.

use std::ops::Range;

use oxtls_crypto::hash::Hash;
use oxtls_crypto::secret::Secret;
use oxtls_handshake::key_schedule::exporter::Exporter;
use oxtls_handshake::step::{EarlyData, EarlyDataRejection};
use oxtls_record::Sealed;

use super::role::Client;
use super::{Connection, Role, SealError};
use crate::error::{Error, ErrorKind};

/// What became of early data.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum EarlyDataStatus {
    /// None was offered.
    #[default]
    NotOffered,
    /// A client may send some, and does not know yet whether the server takes it.
    Offered {
        /// Bytes sealed so far.
        sealed: u32,
        /// Bytes that may still be sealed.
        left: u32,
    },
    /// The server takes it, from the first byte on.
    Accepted {
        /// Bytes sealed, or, at a server, received.
        bytes: u32,
    },
    /// The server has taken none of it. While the handshake goes on a client has nothing but an unproved word for that.
    Rejected {
        /// Bytes that a client had sealed: they are the client's still, to be sent again if it wants to, or not at all.
        bytes: u32,
        /// Why, as far as this side can tell.
        reason: EarlyDataRejection,
    },
}

/// The state of early data while the handshake goes on.
#[derive(Debug, Default)]
pub(super) struct EarlyState {
    pub(super) status: EarlyDataStatus,
    /// A client may seal early data up to so many bytes in all; 0: it may not, or not any more.
    limit: u32,
    /// While early data may still be taken, and once it was. Few connections have one.
    pub(super) exporter: Option<Box<Exporter>>,
}

impl EarlyState {
    /// Takes note of what the machine says.
    pub(super) fn turn(&mut self, news: EarlyData) {
        let bytes = self.bytes();
        self.status = match news {
            EarlyData::Offered { limit, exporter } => {
                self.limit = limit;
                self.exporter = exporter.and_then(early_exporter);
                EarlyDataStatus::Offered { sealed: 0, left: limit }
            }
            EarlyData::Accepted { exporter } => {
                // A client has had it since the offer.
                self.exporter = exporter.and_then(early_exporter).or(self.exporter.take());
                EarlyDataStatus::Accepted { bytes }
            }
            EarlyData::Rejected(reason) => {
                self.limit = 0;
                self.exporter = None;
                EarlyDataStatus::Rejected { bytes, reason }
            }
        };
    }

    /// What is known of it once the handshake has failed. What a client was told in the server's name nobody has proved: a
    /// HelloRetryRequest, say, can come from anyone who has handed the early data on to the server.
    pub(super) fn unproved(&self) -> EarlyDataStatus {
        match self.status {
            EarlyDataStatus::Rejected { bytes, .. } => EarlyDataStatus::Offered { sealed: bytes, left: 0 },
            EarlyDataStatus::Offered { sealed, .. } => EarlyDataStatus::Offered { sealed, left: 0 },
            status => status,
        }
    }

    /// A client's EndOfEarlyData goes out: no early data follows.
    pub(super) fn end(&mut self) {
        self.limit = 0;
        if let EarlyDataStatus::Offered { left, .. } = &mut self.status {
            *left = 0;
        }
    }

    fn bytes(&self) -> u32 {
        match self.status {
            EarlyDataStatus::NotOffered => 0,
            EarlyDataStatus::Offered { sealed: bytes, .. }
            | EarlyDataStatus::Accepted { bytes }
            | EarlyDataStatus::Rejected { bytes, .. } => bytes,
        }
    }

    fn left(&self) -> u32 {
        self.limit.saturating_sub(self.bytes())
    }

    /// Counts bytes that were sealed or received.
    pub(super) fn count(&mut self, more: usize) {
        let more = u32::try_from(more).unwrap_or(u32::MAX);
        match &mut self.status {
            EarlyDataStatus::Offered { sealed, left } => {
                *sealed = sealed.saturating_add(more);
                *left = left.saturating_sub(more);
            }
            EarlyDataStatus::Accepted { bytes } => *bytes = bytes.saturating_add(more),
            EarlyDataStatus::NotOffered | EarlyDataStatus::Rejected { .. } => {}
        }
    }
}

/// The exporter of an early_exporter_secret, which is as long as the hash that it is for.
fn early_exporter(secret: Secret) -> Option<Box<Exporter>> {
    let hash =
        [Hash::Sha256, Hash::Sha384].into_iter().find(|hash| hash.output_len() == secret.as_bytes().len());
    hash.map(|hash| Box::new(Exporter::tls13(hash, secret)))
}

impl<R: Role> Connection<R> {
    /// Exports keying material for `label` and `context` that belongs to early data (RFC 9846 section 7.5, the
    /// early_exporter_secret): at a client from the start on, unless the server rejects early data; at a server once it has
    /// accepted it. After the handshake it stands in [`Info`](super::Info::export_early) too.
    ///
    /// It is worth no more than early data: a replay of the hello makes the same at a server, and there is no forward
    /// secrecy towards the ticket's key. Use [`export`](Self::export) wherever that can wait for the handshake.
    ///
    /// # Errors
    /// [`ErrorKind::Misuse`] where there is no early data, it was rejected, or the configuration keeps no exporter.
    pub fn export_early(&self, label: &str, context: Option<&[u8]>, out: &mut [u8]) -> Result<(), Error> {
        match (&self.handshaking, &self.info) {
            (Some(handshaking), _) => export_by(handshaking.early.exporter.as_deref(), label, context, out),
            (None, Some(info)) => info.export_early(label, context, out),
            (None, None) => export_by(None, label, context, out),
        }
    }

    /// What has become of early data so far. After the handshake it stands in
    /// [`Info::early_data`](super::Info::early_data) too, and here until that is taken. After a handshake that failed it
    /// is what was known then: of data that was [offered](EarlyDataStatus::Offered) the server may have taken all, some or
    /// none, also where somebody has refused it in the server's name.
    #[must_use]
    pub fn early_data(&self) -> EarlyDataStatus {
        match &self.handshaking {
            Some(handshaking) => handshaking.early.status,
            None => match (&self.info, &self.rare) {
                (Some(info), _) => info.early_data(),
                (None, Some(rare)) => rare.early_data,
                (None, None) => EarlyDataStatus::NotOffered,
            },
        }
    }
}

pub(super) fn export_by(
    exporter: Option<&Exporter>,
    label: &str,
    context: Option<&[u8]>,
    out: &mut [u8],
) -> Result<(), Error> {
    let misuse = |what| Error::new(ErrorKind::Misuse(what));
    let exporter = exporter.ok_or_else(|| misuse("there is no early data to export for"))?;
    exporter
        .export(label, context, out)
        .map_err(|_| misuse("more was to be exported than an exporter can give"))
}

impl<R: Role> Connection<R> {
    /// Which of the bytes that a client sealed as early data, counted from the first, the server has not taken: all of
    /// them, or, as the empty range, none. They are the client's still, to be sealed again as ordinary data or given up.
    /// Known with [`HandshakeDone`](super::Event::HandshakeDone) and not before, since only the server's Finished proves that
    /// it was the server who refused; a server has none.
    ///
    /// Ask before the first [`seal`](Self::seal). If you do not, and there are some, that fails once
    /// ([`SealError::EarlyDataRejected`]): the server would miss the beginning of what you say, and nobody would notice.
    /// What was asked once is known, and the range is empty from then on.
    pub fn rejected_early_data(&mut self) -> Range<usize> {
        0..usize::try_from(self.send.take_refused()).unwrap_or(usize::MAX)
    }
}

impl Connection<Client> {
    /// How many bytes of early data may be sealed now; 0: none, or none any more.
    #[must_use]
    pub fn early_data_left(&self) -> u32 {
        self.handshaking.as_ref().map_or(0, |handshaking| handshaking.early.left())
    }

    /// Seals early data into the window, behind what waits to be sent: as much as fits, and no more than the session
    /// allows in all. What was not taken is still the caller's, and so is everything, if the server rejects it
    /// ([`rejected_early_data`](Self::rejected_early_data)).
    ///
    /// Early data can be replayed by whoever records it: send only what does no harm twice. It is possible from the start
    /// of the connection until the server's Finished has come.
    ///
    /// # Errors
    /// [`SealError::NoEarlyData`] if there is none to be sent, or no more of it: what is left waits for
    /// [`seal`](Self::seal). [`SealError::TooSmall`] if nothing could be written.
    pub fn seal_early(&mut self, plaintext: &[u8], out: &mut [u8]) -> Result<Sealed, SealError> {
        if self.failed {
            return Err(SealError::Failed);
        }
        let early = self.handshaking.as_mut().map(|handshaking| &mut handshaking.early);
        let early = early.filter(|early| early.left() > 0).ok_or(SealError::NoEarlyData)?;
        let left = usize::try_from(early.left()).unwrap_or(usize::MAX);
        let plaintext = plaintext.get(..left).unwrap_or(plaintext);
        let sealed = self.send.seal_early(plaintext, out)?;
        early.count(sealed.taken);
        Ok(sealed)
    }
}
