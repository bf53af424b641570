//! The early data (0-RTT) of `--early-data FILE`: sent ahead where the session allows it, later where not.

use std::fs;
use std::io::Write;

use oxtls::{ClientConnection, EarlyDataStatus};

use super::Session;
use super::options::Options;
use super::session::SessionFile;
use crate::early::why;
use crate::exit::Failure;
use crate::terminal::line;

/// What is to go ahead of standard input.
#[derive(Debug)]
pub(super) struct Ahead {
    data: Vec<u8>,
    /// Bytes that the server took as early data.
    taken: usize,
}

impl Ahead {
    /// Reads the file; `None` if none is asked for.
    pub(super) fn read(options: &Options) -> Result<Option<Self>, Failure> {
        let Some(path) = &options.early_data else { return Ok(None) };
        let data = fs::read(path)
            .map_err(|error| Failure::failed(format_args!("cannot read {}: {error}", path.display())))?;
        Ok(Some(Self { data, taken: 0 }))
    }

    /// Sends as much as the session allows. A transport that fails here tells the handshake why.
    pub(super) fn send(&self, session: &mut Session) {
        let mut left = self.data.as_slice();
        while let Some(mut early) = session.early_data() {
            match early.write(left) {
                Ok(sent) if sent > 0 => left = left.get(sent..).unwrap_or_default(),
                _ => break,
            }
        }
    }

    /// What became of it, once the handshake is done.
    pub(super) fn settle(&mut self, status: EarlyDataStatus, file: Option<&SessionFile>) -> String {
        let all = self.data.len();
        match status {
            EarlyDataStatus::Accepted { bytes } => {
                self.taken = usize::try_from(bytes).unwrap_or(usize::MAX).min(all);
                let left = all.saturating_sub(self.taken);
                let rest = match left {
                    0 => String::new(),
                    left => format!("; {left} more were not taken, and are sent after the handshake"),
                };
                format!("accepted, {} bytes{rest}", self.taken)
            }
            EarlyDataStatus::Rejected { reason, .. } => format!(
                "refused ({}); {all} bytes were not taken, and are sent after the handshake",
                why(reason)
            ),
            _ => {
                let why = match file.and_then(SessionFile::allows) {
                    None => "there was no session to offer",
                    Some(0) => "the session does not allow it",
                    Some(_) => "what is offered does not fit the session",
                };
                format!("none ({why}); {all} bytes are sent after the handshake")
            }
        }
    }

    /// Bytes that went as early data, and what is still to be sent.
    pub(super) fn into_rest(mut self) -> (usize, Vec<u8>) {
        let rest = self.data.split_off(self.taken.min(self.data.len()));
        (self.taken, rest)
    }
}

/// What must be said of early data if the handshake fails.
pub(super) fn in_doubt(connection: &ClientConnection) -> Option<String> {
    match connection.early_data() {
        EarlyDataStatus::Offered { sealed: bytes, .. } | EarlyDataStatus::Accepted { bytes } if bytes > 0 => {
            Some(line(format_args!(
                "{bytes} bytes went out as early data; the server may have taken some or all of them"
            )))
        }
        _ => None,
    }
}
