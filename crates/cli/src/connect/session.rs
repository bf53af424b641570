//! The session of `--session FILE`: offered if it passes, replaced by the newest that the server gives.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Read, Write};
use std::path::{Path, PathBuf};

use oxtls::{ClientConfig, ClientConnection, ClientSession, ProtocolVersion};

use super::options::Options;
use super::trust::Judge;
use crate::exit::Failure;
use crate::terminal::complain;

/// The longest file that is read, bytes: a session is its secret, its ticket (64 KiB at most) and the server's chain.
const LONGEST: u64 = 1 << 20;

/// Where sessions are kept, and what was found there.
#[derive(Debug)]
pub(super) struct SessionFile {
    path: PathBuf,
    /// A session of TLS 1.3 is offered once: whoever watches can tell a ticket that comes twice.
    spent_by_offering: bool,
    /// Early data that the session allows, bytes; `None`: none is offered.
    allows: Option<u32>,
    /// Why a session could not be kept.
    lost: Option<Failure>,
}

impl SessionFile {
    /// Makes the connection, with the session of the file if there is one that passes.
    pub(super) fn open(
        path: &Path,
        options: &Options,
        config: &ClientConfig,
        judge: &Judge,
    ) -> Result<(Self, ClientConnection), Failure> {
        let mut file = Self { path: path.to_owned(), spent_by_offering: false, allows: None, lost: None };
        let name = options.name.clone();
        let Some(session) = read(path)? else {
            return Ok((file, ClientConnection::new(config, name)?));
        };
        // The verdict on the server is ours to give and not the configuration's; it counts for who made the file, too.
        let verdict = match judge.checking(options)? {
            Some(strict) => session.check(&strict, &name).and_then(|()| session.check(config, &name)),
            None => session.check(config, &name),
        };
        if let Err(refusal) = verdict {
            complain(format_args!("oxtls: the session in {} is not offered: {refusal}", path.display()));
            return Ok((file, ClientConnection::new(config, name)?));
        }
        file.spent_by_offering = session.version() >= ProtocolVersion::TLS1_3;
        file.allows = Some(session.max_early_data());
        Ok((file, ClientConnection::with_session(config, name, session)?))
    }

    /// Early data that the session on offer allows, bytes; `None`: there is no session on offer.
    pub(super) fn allows(&self) -> Option<u32> {
        self.allows
    }

    /// The session goes out now: one that must not be offered twice is gone from here.
    pub(super) fn offering(&self) -> Result<(), Failure> {
        if !self.spent_by_offering {
            return Ok(());
        }
        match fs::remove_file(&self.path) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(self.failed(&error)),
            _ => Ok(()),
        }
    }

    /// Keeps a session instead of the one before.
    pub(super) fn keep(&mut self, session: &ClientSession) {
        let kept = session
            .to_bytes()
            .map_err(Failure::failed)
            .and_then(|bytes| replace(&self.path, &bytes).map_err(|error| self.failed(&error)));
        self.lost = kept.err();
    }

    /// Whether the newest session is kept.
    pub(super) fn into_result(self) -> Result<(), Failure> {
        self.lost.map_or(Ok(()), Err)
    }

    fn failed(&self, error: &io::Error) -> Failure {
        Failure::failed(format_args!("the session cannot be kept in {}: {error}", self.path.display()))
    }
}

/// The session of a file; `None` if there is no file, or an empty one. What is no session is an error: the file is
/// somebody's, and would be overwritten.
fn read(path: &Path) -> Result<Option<ClientSession>, Failure> {
    let refused =
        |why: &str| Failure::failed(format_args!("{} is not used as a session: {why}", path.display()));
    let file = match File::open(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        opened => opened.map_err(|error| refused(&error.to_string()))?,
    };
    let is_file = file.metadata().map_err(|error| refused(&error.to_string()))?.is_file();
    if !is_file {
        return Err(refused("it is no regular file"));
    }
    let mut bytes = Vec::new();
    file.take(LONGEST).read_to_end(&mut bytes).map_err(|error| refused(&error.to_string()))?;
    if bytes.is_empty() {
        return Ok(None);
    }
    ClientSession::from_bytes(&bytes).map(Some).map_err(|_| {
        refused(
            "it holds something else, or a session of another version of oxtls; remove it, or name another",
        )
    })
}

/// Puts the bytes where the file is, in one step: whoever reads it sees the one before or this one. Only its owner may
/// read it, since it is as secret as a private key.
fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let name = path.file_name().ok_or(ErrorKind::InvalidInput)?;
    let mut beside = OsString::from(".");
    beside.push(name);
    beside.push(format!(".{}.new", std::process::id()));
    let beside = path.with_file_name(beside);
    let written = create(&beside).and_then(|mut file| {
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&beside, path)
    });
    if written.as_ref().is_err_and(|error| error.kind() != ErrorKind::AlreadyExists) {
        let _ = fs::remove_file(&beside);
    }
    written
}

/// A new file that nobody else has, nor can read.
fn create(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}
