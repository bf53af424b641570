//! The implementations on the other side, and where their programs are.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{self, Command};

use super::spec::{Ending, Resumption, Role, Spec};
use super::{Error, own, trixie};

/// A peer that scenarios run with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Peer {
    /// OpenSSL 3.0: the last one without post-quantum algorithms, on every Debian 12.
    OpenSsl30,
    /// OpenSSL 3.5: the first with ML-KEM and ML-DSA, on every Debian 13.
    OpenSsl35,
    /// GnuTLS, by its command-line tools.
    GnuTls,
    /// Mozilla's NSS, by its test tools.
    Nss,
    /// Java's JSSE, by a class of ours.
    Jsse,
    /// Go's crypto/tls, by a program of ours.
    Go,
}

impl Peer {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::OpenSsl30, Self::OpenSsl35, Self::GnuTls, Self::Nss, Self::Jsse, Self::Go];

    pub(super) const OPENSSL: [Self; 2] = [Self::OpenSsl30, Self::OpenSsl35];

    /// The peer that the command line calls `name`: `openssl-3.0`, `gnutls`.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|peer| peer.name().to_lowercase().replace(' ', "-") == name)
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::OpenSsl30 => "OpenSSL 3.0",
            Self::OpenSsl35 => "OpenSSL 3.5",
            Self::GnuTls => "GnuTLS",
            Self::Nss => "NSS",
            Self::Jsse => "JSSE",
            Self::Go => "Go",
        }
    }

    pub(super) fn is_openssl(self) -> bool {
        Self::OPENSSL.contains(&self)
    }

    /// Whether its programs have what this row asks of their side, and it what the other side shows: rows are for all
    /// peers, and each of them lacks something.
    pub(super) fn has_what_it_takes(self, spec: &Spec, is: Role) -> bool {
        let side = spec.side(is);
        let shows = |name: &str| spec.client.identity == Some(name) || spec.server.identity == Some(name);
        let own = |name: &str| side.identity == Some(name);
        // They keep a certificate to themselves whose authority the server does not name.
        let unnamed = is == Role::Client && own("stranger");
        if unnamed && !(self.is_openssl() || self == Self::GnuTls) {
            return false;
        }
        // JSSE and Go have no early data, and NSS's server takes it only when it has run for ten seconds, while its client
        // does not say what it sends early. Only OpenSSL's programs and GnuTLS's client update keys when they are told.
        // gnutls-cli 3.8.9 gives its early data to the library before the session that it is for, is refused ("error sending
        // early data"), and ends before it has sent a byte: with gnutls-serv and OpenSSL's server just as with ours. GnuTLS's
        // server takes early data for accepted when it reads the extension, before it knows that it will ask for another
        // share (early_data_recv_params); behind its HelloRetryRequest it reads in the clear, finds that what was accepted
        // does not decrypt, and answers bad_record_mac where RFC 9846 section 4.3.10 has it skip the records.
        let retries = spec.early.is_some_and(|early| early.obstacle.is_some());
        let early = self.is_openssl() || (self == Self::GnuTls && is == Role::Server && !retries);
        let updates = self.is_openssl() || (self == Self::GnuTls && is == Role::Client);
        if (spec.early.is_some() && !early) || (spec.peer_updates.is_some() && !updates) {
            return false;
        }
        match self {
            Self::OpenSsl30 | Self::OpenSsl35 => true,
            // Its server never closes by itself, its client without a word.
            Self::GnuTls => spec.ending != Ending::ServerCloses,
            // It has no Ed25519 and no RSA-PSS keys. Its programs have no ALPN, staple nothing of ours, export as servers
            // only, give a server that asks whatever certificate they have, and look the name up that they verify.
            Self::Nss => {
                let staples = is == Role::Server && spec.server.ocsp;
                let exports = is == Role::Client && spec.export.is_some();
                let elsewhere = is == Role::Client && spec.asked != "localhost";
                let gives = is == Role::Client && side.identity.is_none() && spec.server.trusts.is_some();
                // Its client dies between connections when it was told suites.
                let dies = is == Role::Client && spec.resumption.is_some() && !side.suites.is_empty();
                let unknown = dies || shows("ed25519") || shows("rsa-pss");
                !(staples || exports || gives || unknown || elsewhere) && side.alpn.is_empty()
            }
            // It can be told nothing of OCSP, and has no exporter in this version.
            Self::Jsse => !(spec.client.ocsp || spec.server.ocsp) && spec.export.is_none(),
            // Nothing restricts its signatures, it never renegotiates, and knows sessions by their tickets alone.
            Self::Go => {
                let by_identifier = spec.resumption == Some(Resumption::Identifier);
                let renegotiates = spec.ending == Ending::Renegotiation;
                side.schemes.is_empty() && !(shows("rsa-pss") || renegotiates || by_identifier)
            }
        }
    }
}

/// Programs of a peer that can be run: the host's, or those in a folder that becomes their root.
#[derive(Debug)]
pub(super) struct Tool {
    pub(super) peer: Peer,
    /// What it calls itself.
    pub(super) version: String,
    root: Option<PathBuf>,
}

impl Tool {
    /// The host's if they are of the right version, else some that can be fetched. The error says what is missing.
    pub(super) fn find(peer: Peer) -> Result<Self, Error> {
        match peer {
            Peer::OpenSsl30 => Self::at(peer, None),
            Peer::OpenSsl35 => Self::at(peer, None).or_else(|_| Self::at(peer, Some(trixie::folder()?))),
            Peer::GnuTls | Peer::Nss => Self::at(peer, Some(trixie::folder()?)),
            Peer::Jsse => own::compile_java().and_then(|()| Self::at(peer, None)),
            Peer::Go => own::compile_go().and_then(|()| Self::at(peer, None)),
        }
    }

    /// The host's OpenSSL, whichever that is.
    #[cfg(test)]
    pub(super) fn on_host() -> Option<Self> {
        Peer::OPENSSL.into_iter().find_map(|peer| Self::at(peer, None).ok())
    }

    fn at(peer: Peer, root: Option<PathBuf>) -> Result<Self, Error> {
        let mut tool = Self { peer, version: String::new(), root };
        let mut command = match peer {
            Peer::OpenSsl30 | Peer::OpenSsl35 => tool.command("openssl"),
            Peer::GnuTls => tool.command("gnutls-cli"),
            Peer::Nss => tool.command("dpkg-query"),
            Peer::Jsse => tool.command("java"),
            Peer::Go => own::go(),
        };
        command.args(match peer {
            Peer::OpenSsl30 | Peer::OpenSsl35 | Peer::Go => &["version"][..],
            Peer::Nss => &["-W", "-f", "NSS ${Version}", "libnss3-tools"],
            Peer::GnuTls | Peer::Jsse => &["--version"],
        });
        let output = command
            .output()
            .map_err(|error| format!("{} does not run: {error}", command.get_program().display()))?;
        let said = String::from_utf8_lossy(&output.stdout);
        tool.version = said.lines().next().unwrap_or_default().to_owned();
        if output.status.success()
            && (!peer.is_openssl() || tool.version.starts_with(&format!("{}.", peer.name())))
        {
            return Ok(tool);
        }
        let words = String::from_utf8_lossy(&output.stderr);
        Err(format!("{} is not there, but {:?}. {}", peer.name(), tool.version, words.trim()).into())
    }

    /// A program, to be given its arguments. It runs at the root of the files that it sees.
    pub(super) fn command(&self, program: &str) -> Command {
        let mut command = match &self.root {
            None => Command::new(program),
            Some(root) => {
                let mut command = Command::new("chroot");
                command.arg(root).arg(program);
                command
            }
        };
        command.current_dir("/");
        command
    }

    /// The same for a server that would serve on for ever: it does not outlive us, however we end.
    pub(super) fn server(&self, program: &str) -> Command {
        let mut command = self.command("setpriv");
        command.args(["--pdeathsig", "KILL", program]);
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

/// Where what is fetched and compiled for this stays from run to run: git ignores it.
pub(super) fn build() -> Result<PathBuf, Error> {
    let build = Path::new(env!("CARGO_MANIFEST_DIR")).join("../build");
    fs::create_dir_all(&build)?;
    Ok(build.canonicalize()?)
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
