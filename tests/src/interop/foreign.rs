//! A peer's program on the other side of a scenario, and what it says of it.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use oxtls::{CipherSuite, NamedGroup, ProtocolVersion};

use super::peer::{Peer, Tool};
use super::process::Process;
use super::spec::{Role, Spec};
use super::trace::Trace;
use super::{Error, gnutls, nss, openssl, own};

/// How long a server that serves on may take to say what it has to say.
const LAST_WORDS: Duration = Duration::from_secs(10);

/// Where a scenario takes place.
#[derive(Clone, Copy)]
pub(super) struct Place<'a> {
    pub(super) tool: &'a Tool,
    /// The folder of `pki`.
    pub(super) certificates: &'a Path,
    /// The scenario's own folder.
    pub(super) scratch: &'a Path,
}

impl Place<'_> {
    /// The file that a peer serves when it serves files.
    pub(super) fn page(&self) -> PathBuf {
        self.scratch.join("page")
    }

    /// What a request calls that file: its path from the root, where OpenSSL runs.
    pub(super) fn page_name(&self) -> String {
        self.tool.path(&self.page()).display().to_string()
    }

    /// What the peer calls a file of `pki`.
    pub(super) fn file(&self, name: &str, ending: &str) -> PathBuf {
        self.tool.path(&self.certificates.join(format!("{name}.{ending}")))
    }

    /// Where the peer writes its key log.
    pub(super) fn key_log(&self) -> PathBuf {
        self.scratch.join("peer.keys")
    }

    /// Where OpenSSL writes its trace.
    pub(super) fn trace(&self) -> PathBuf {
        self.scratch.join("openssl.trace")
    }

    /// Where OpenSSL's client keeps its session.
    pub(super) fn session(&self) -> PathBuf {
        self.scratch.join("openssl.session")
    }

    /// What a peer's client sends as early data.
    pub(super) fn early(&self) -> PathBuf {
        self.scratch.join("early")
    }

    /// Where GnuTLS's client writes what is no data.
    pub(super) fn log(&self) -> PathBuf {
        self.scratch.join("gnutls.log")
    }
}

/// How data goes through a peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Style {
    /// Its standard input is what it sends, its standard output what it receives.
    Pipe,
    /// It sends back the lines that it receives.
    Echo,
    /// It answers a request with that request, among other words, and closes.
    Mirror,
}

impl Style {
    fn of(peer: Peer, is: Role) -> Self {
        match (peer, is) {
            (Peer::GnuTls, Role::Server) => Self::Echo,
            (Peer::Nss, Role::Server) => Self::Mirror,
            _ => Self::Pipe,
        }
    }
}

/// What a peer says of a session or a refusal in its own words; `None` where it says nothing.
#[derive(Debug, Default)]
pub(super) struct Account {
    pub(super) version: Option<ProtocolVersion>,
    pub(super) suite: Option<CipherSuite>,
    pub(super) group: Option<NamedGroup>,
    /// The protocol, empty for none.
    pub(super) alpn: Option<String>,
    /// The common name in the certificate that it was shown, empty if it was shown none.
    pub(super) shown: Option<String>,
    /// It verified that certificate.
    pub(super) verified: Option<bool>,
    /// The name that it was asked for as a server, or that it verified as a client.
    pub(super) name: Option<String>,
    pub(super) resumed: Option<bool>,
    /// Whether the server took early data.
    pub(super) early: Option<bool>,
    pub(super) extended_master_secret: Option<bool>,
    /// Whether it got a good OCSP response with the certificate.
    pub(super) stapled: Option<bool>,
    /// What it exported, hexadecimal digits.
    pub(super) material: Option<String>,
    /// It received our close_notify.
    pub(super) closed: Option<bool>,
    /// The alert that it received instead.
    pub(super) alert_received: Option<u8>,
    /// A server that serves on has said that a handshake failed.
    pub(super) failed: bool,
}

/// What a program has printed.
pub(super) struct Said {
    pub(super) output: String,
    pub(super) errors: String,
}

impl Said {
    /// What stands behind the last `before` in either stream, to the end of its line.
    pub(super) fn after(&self, before: &str) -> Option<&str> {
        [&self.errors, &self.output].into_iter().find_map(|text| {
            let (_, rest) = text.rsplit_once(before)?;
            rest.lines().next().map(str::trim)
        })
    }

    pub(super) fn contains(&self, words: &str) -> bool {
        self.output.contains(words) || self.errors.contains(words)
    }
}

/// A peer's program, running one side of a scenario.
pub(super) struct Foreign {
    pub(super) process: Process,
    pub(super) style: Style,
    peer: Peer,
    is: Role,
    command: String,
    trace: PathBuf,
    key_log: PathBuf,
    log: PathBuf,
}

impl Foreign {
    /// A client, connecting to `to`. OpenSSL's connects once, and has to be told if that is to be `again`; the others
    /// do by themselves.
    pub(super) fn client(spec: &Spec, to: SocketAddr, again: bool, place: Place<'_>) -> Result<Self, Error> {
        let command = match place.tool.peer {
            Peer::OpenSsl30 | Peer::OpenSsl35 => openssl::client(spec, to, again, place),
            Peer::GnuTls => gnutls::client(spec, to, place),
            Peer::Nss => nss::client(spec, to, place),
            Peer::Jsse | Peer::Go => own::program(spec, Role::Client, to, place)?,
        };
        Self::start(command, Role::Client, place)
    }

    /// A server, listening on `at` for one connection.
    pub(super) fn server(spec: &Spec, at: SocketAddr, place: Place<'_>) -> Result<Self, Error> {
        let command = match place.tool.peer {
            Peer::OpenSsl30 | Peer::OpenSsl35 => openssl::server(spec, at, place),
            Peer::GnuTls => gnutls::server(spec, at, place),
            Peer::Nss => nss::server(spec, at, place),
            Peer::Jsse | Peer::Go => own::program(spec, Role::Server, at, place)?,
        };
        Self::start(command, Role::Server, place)
    }

    fn start(mut command: Command, is: Role, place: Place<'_>) -> Result<Self, Error> {
        let peer = place.tool.peer;
        let process = Process::start(&mut command)?;
        Ok(Self {
            process,
            style: Style::of(peer, is),
            peer,
            is,
            command: format!("{command:?}"),
            trace: place.trace(),
            key_log: place.key_log(),
            log: place.log(),
        })
    }

    /// Whether it serves on when a connection has ended, for anybody.
    pub(super) fn serves_on(&self) -> bool {
        self.is == Role::Server && matches!(self.peer, Peer::GnuTls | Peer::Nss)
    }

    /// Waits until the program has ended, or ends it if it would serve on, once `said` is what it says.
    pub(super) fn finish(&mut self, said: impl Fn(&Account) -> bool, deadline: Instant) -> Result<(), Error> {
        if !self.serves_on() {
            self.process.exit(deadline)?;
            return Ok(());
        }
        let deadline = deadline.min(Instant::now() + LAST_WORDS);
        while !said(&self.account()) && Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(5));
        }
        self.process.kill()?;
        self.process.exit(deadline + LAST_WORDS)?;
        Ok(())
    }

    /// OpenSSL's own view of what passed: what it sent and received, decrypted. Others show none.
    pub(super) fn trace(&self) -> Result<Option<Trace>, Error> {
        if !self.peer.is_openssl() {
            return Ok(None);
        }
        Ok(Some(Trace::parse(&fs::read_to_string(&self.trace)?)))
    }

    /// The lines of its key log (RFC 9850), if it keeps one.
    pub(super) fn key_log(&self) -> Result<Option<Vec<String>>, Error> {
        if matches!(self.peer, Peer::Nss | Peer::Jsse) {
            return Ok(None);
        }
        let text = fs::read_to_string(&self.key_log)?;
        Ok(Some(text.lines().filter(|line| !line.starts_with('#')).map(str::to_owned).collect()))
    }

    /// What it has said so far.
    pub(super) fn account(&self) -> Account {
        // Only GnuTLS's client has such a file.
        let log = fs::read_to_string(&self.log).unwrap_or_default();
        let said = Said { output: self.process.printed(), errors: self.process.words() + &log };
        match self.peer {
            Peer::OpenSsl30 | Peer::OpenSsl35 => openssl::account(&said),
            Peer::GnuTls => gnutls::account(&said),
            Peer::Nss => nss::account(&said),
            Peer::Jsse | Peer::Go => own::account(&said),
        }
    }

    /// For the report of a failure: what was run, what it said, which alerts it saw.
    pub(super) fn report(&self) -> String {
        let alerts = self.trace().ok().flatten().map_or_else(String::new, |trace| {
            format!("\n  sent alerts {:?}, received {:?}", trace.alerts(true), trace.alerts(false))
        });
        format!("{}{alerts}\n  and said:\n{}", self.command, shortened(&self.process.words()))
    }
}

/// Some programs talk without end.
fn shortened(words: &str) -> String {
    let lines: Vec<_> = words.lines().take(60).collect();
    lines.join("\n")
}

/// What stands for a number in a list of names: the code of the alert or group that a peer calls so.
pub(super) fn code_of<T: Copy>(names: &[(&str, T)], name: &str) -> Option<T> {
    names.iter().find(|(known, _)| *known == name).map(|(_, code)| *code)
}
