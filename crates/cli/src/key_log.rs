//! The key log (RFC 9850): whoever has the file can read the sessions in it.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use crate::exit::Failure;

/// A file that key log lines are appended to, by many threads or processes.
#[derive(Debug)]
pub(crate) struct KeyLog {
    path: PathBuf,
    file: Mutex<File>,
}

impl KeyLog {
    /// Opens the file; one that is made is readable by its owner alone.
    pub(crate) fn open(path: &Path) -> Result<Self, Failure> {
        let mut options = OpenOptions::new();
        options.append(true).create(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(path).map_err(|error| {
            Failure::failed(format_args!("the key log {} cannot be opened: {error}", path.display()))
        })?;
        Ok(Self { path: path.to_owned(), file: Mutex::new(file) })
    }

    /// Appends lines, in one piece.
    pub(crate) fn write(&self, lines: &str) -> Result<(), Failure> {
        let mut file = self.file.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        file.write_all(lines.as_bytes()).map_err(|error| {
            Failure::failed(format_args!("the key log {} cannot be written: {error}", self.path.display()))
        })
    }
}
