//! Records in a `BytesMut`: decrypted where they lie and split off without a copy (feature `bytes`).

use bytes::{Buf, Bytes, BytesMut};

use crate::alert::Alert;
use crate::error::RecordError;
use crate::header::ContentType;
use crate::open::{Reader, Record};

/// The content of a record, as a part of the buffer that it was received in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BytesRecord {
    /// A fragment of handshake messages, never empty.
    Handshake(Bytes),
    /// Application data, never empty.
    ApplicationData(Bytes),
    /// An alert.
    Alert(Alert),
    /// A ChangeCipherSpec, where the mode delivers it.
    ChangeCipherSpec,
}

/// What [`Reader::open_bytes`] did. The record's bytes are gone from the input already.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OpenedBytes {
    /// Bytes taken off the input: one whole record, or 0 if it is not all there yet.
    pub consumed: usize,
    /// If nothing was consumed: the bytes that the input must have before the next try can do more.
    pub needed: usize,
    /// The type of the record that was consumed. Of one that was dropped undecrypted: the outer type.
    pub content_type: Option<ContentType>,
    /// The record. `None` with `consumed > 0`: it was dropped, as the mode says, or had no content.
    pub record: Option<BytesRecord>,
}

impl Reader {
    /// Opens the record at the front of `input` in place and splits it off: the content goes on as `Bytes` without
    /// having moved. Whoever holds such a piece holds the whole allocation that it is part of.
    ///
    /// # Errors
    /// As [`Reader::open`].
    pub fn open_bytes(&mut self, input: &mut BytesMut) -> Result<OpenedBytes, RecordError> {
        let opened = self.open(input)?;
        let mut part = |range: core::ops::Range<usize>| {
            let mut content = input.split_to(opened.consumed).freeze();
            content.truncate(range.end);
            content.advance(range.start);
            content
        };
        let record = match opened.record {
            Some(Record::Handshake(range)) => Some(BytesRecord::Handshake(part(range))),
            Some(Record::ApplicationData(range)) => Some(BytesRecord::ApplicationData(part(range))),
            Some(Record::Alert(alert)) => Some(BytesRecord::Alert(alert)),
            Some(Record::ChangeCipherSpec) => Some(BytesRecord::ChangeCipherSpec),
            None => None,
        };
        if !matches!(record, Some(BytesRecord::Handshake(_) | BytesRecord::ApplicationData(_))) {
            input.advance(opened.consumed);
        }
        Ok(OpenedBytes {
            consumed: opened.consumed,
            needed: opened.needed,
            content_type: opened.content_type,
            record,
        })
    }
}
