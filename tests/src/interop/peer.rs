//! The programs on the other side, and where they are.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{self, Command};

use super::{Error, trixie};

/// A peer that scenarios run with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Peer {
    /// OpenSSL 3.0: the last one without post-quantum algorithms, on every Debian 12.
    OpenSsl30,
    /// OpenSSL 3.5: the first with ML-KEM and ML-DSA, on every Debian 13.
    OpenSsl35,
}

impl Peer {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::OpenSsl30, Self::OpenSsl35];

    /// The peer that the command line calls `name`: `openssl-3.0`, `openssl-3.5`.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        let version = name.strip_prefix("openssl-")?;
        Self::ALL.into_iter().find(|peer| peer.version() == version)
    }

    fn version(self) -> &'static str {
        match self {
            Self::OpenSsl30 => "3.0",
            Self::OpenSsl35 => "3.5",
        }
    }

    pub(super) fn name(self) -> String {
        format!("OpenSSL {}", self.version())
    }
}

/// An `openssl` that can be run: the host's, or one in a folder that becomes its root.
#[derive(Debug)]
pub(super) struct Tool {
    pub(super) peer: Peer,
    /// What it calls itself.
    pub(super) version: String,
    root: Option<PathBuf>,
}

impl Tool {
    /// The host's if it is of the right version, else one that can be fetched. The error says what is missing.
    pub(super) fn find(peer: Peer) -> Result<Self, Error> {
        let elsewhere = match Self::at(peer, None) {
            Ok(tool) => return Ok(tool),
            Err(error) => error,
        };
        match peer {
            Peer::OpenSsl30 => Err(elsewhere),
            Peer::OpenSsl35 => Self::at(peer, Some(trixie::folder()?)),
        }
    }

    /// The host's, whichever peer that is.
    #[cfg(test)]
    pub(super) fn on_host() -> Option<Self> {
        Peer::ALL.into_iter().find_map(|peer| Self::at(peer, None).ok())
    }

    fn at(peer: Peer, root: Option<PathBuf>) -> Result<Self, Error> {
        let mut tool = Self { peer, version: String::new(), root };
        let output = tool
            .command()
            .arg("version")
            .output()
            .map_err(|error| format!("openssl does not run: {error}"))?;
        tool.version = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        if tool.version.starts_with(&format!("{}.", peer.name())) {
            return Ok(tool);
        }
        let said = String::from_utf8_lossy(&output.stderr);
        Err(format!("openssl says it is {:?}, not {}. {}", tool.version, peer.name(), said.trim()).into())
    }

    /// `openssl`, to be given its arguments. It runs at the root of the files that it sees.
    pub(super) fn command(&self) -> Command {
        let mut command = match &self.root {
            None => Command::new("openssl"),
            Some(root) => {
                let mut command = Command::new("chroot");
                command.arg(root).arg("openssl");
                command
            }
        };
        command.current_dir("/");
        command
    }

    /// What the tool calls a file of ours, which must lie in [`Tool::scratch`].
    pub(super) fn path(&self, ours: &Path) -> PathBuf {
        let inside = self.root.as_ref().and_then(|root| ours.strip_prefix(root).ok());
        inside.map_or_else(|| ours.to_owned(), |inside| Path::new("/").join(inside))
    }

    /// A folder of this run that both see, and that goes when the value does.
    pub(super) fn scratch(&self) -> Result<Scratch, Error> {
        let above = self.root.as_ref().map_or_else(env::temp_dir, |root| root.join("tmp"));
        Scratch::new(&above)
    }
}

/// A folder that goes when this does.
pub(super) struct Scratch {
    pub(super) path: PathBuf,
}

impl Scratch {
    fn new(above: &Path) -> Result<Self, Error> {
        let path = above.join(format!("oxtls-interop-{}", process::id()));
        fs::create_dir_all(&path)?;
        Ok(Self { path: path.canonicalize()? })
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // Left behind at worst.
        let _ = fs::remove_dir_all(&self.path);
    }
}
