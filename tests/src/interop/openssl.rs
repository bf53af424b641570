//! OpenSSL's `s_client` and `s_server` as the other side of a scenario.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use oxtls::NamedGroup;

use super::Error;
use super::peer::{Peer, Tool};
use super::process::Process;
use super::spec::{Ending, Role, Side, Spec, Special};
use super::trace::Trace;

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
    /// The file that OpenSSL serves when it serves files.
    pub(super) fn page(&self) -> PathBuf {
        self.scratch.join("page")
    }

    /// What a request calls that file: its path from the root, where OpenSSL runs.
    pub(super) fn page_name(&self) -> String {
        self.tool.path(&self.page()).display().to_string()
    }

    /// What OpenSSL calls a file of `pki`.
    fn file(&self, name: &str, ending: &str) -> PathBuf {
        self.tool.path(&self.certificates.join(format!("{name}.{ending}")))
    }
}

/// OpenSSL running one side of a scenario.
pub(super) struct OpenSsl {
    pub(super) process: Process,
    command: String,
    trace: PathBuf,
    key_log: PathBuf,
}

impl OpenSsl {
    /// `s_client`, connecting to `to`.
    pub(super) fn client(spec: &Spec, to: SocketAddr, place: Place<'_>) -> Result<Self, Error> {
        let mut command = place.tool.command();
        command.arg("s_client").args(["-connect", &to.to_string(), "-servername", spec.asked]);
        command.args(["-verify_hostname", spec.asked, "-verify_return_error", "-nocommands"]);
        if spec.client.ocsp {
            command.arg("-status");
        }
        Self::start(command, spec, Role::Client, place)
    }

    /// `s_server`, listening on `at` for one connection.
    pub(super) fn server(spec: &Spec, at: SocketAddr, place: Place<'_>) -> Result<Self, Error> {
        let mut command = place.tool.command();
        command.arg("s_server").args(["-accept", &at.to_string(), "-naccept", "1", "-verify_return_error"]);
        if spec.server.trusts.is_some() {
            command.args([if spec.certificate_optional { "-verify" } else { "-Verify" }, "4"]);
        }
        match spec.ending {
            // The end of its standard input makes it close; otherwise that is ignored.
            Ending::ServerCloses => drop(command.arg("-no_ign_eof")),
            // So served, the file is sent without looking at what else comes.
            Ending::HalfClose => drop(command.arg("-HTTP")),
            Ending::ClientCloses | Ending::PeerDies => {}
        }
        if spec.server.compression.is_some() {
            command.arg("-cert_comp");
        }
        if let (true, Some(identity)) = (spec.server.ocsp, spec.server.identity) {
            command.arg("-status_file").arg(place.file(identity, "ocsp"));
        }
        Self::start(command, spec, Role::Server, place)
    }

    /// Adds what both have, and starts it in `role`.
    fn start(mut command: Command, spec: &Spec, role: Role, place: Place<'_>) -> Result<Self, Error> {
        let side = if role == Role::Client { &spec.client } else { &spec.server };
        let (trace, key_log) = (place.scratch.join("openssl.trace"), place.scratch.join("openssl.keys"));
        if !spec.is_talkative(role.other()) {
            command.arg("-brief");
        }
        command.args(["-no-CAfile", "-no-CApath", "-no-CAstore", "-nameopt", "RFC2253", "-msg", "-msgfile"]);
        command.arg(place.tool.path(&trace)).arg("-keylogfile").arg(place.tool.path(&key_log));
        if let Some((label, len)) = spec.export {
            command.args(["-keymatexport", label, "-keymatexportlen", &len.to_string()]);
        }
        authentication(&mut command, side, place);
        negotiation(&mut command, side, place);
        command.args(side.openssl);
        let process = Process::start(&mut command)?;
        Ok(Self { process, command: format!("{command:?}"), trace, key_log })
    }

    /// Waits until OpenSSL has ended and reads what it says it sent and received.
    pub(super) fn finish(&mut self, deadline: Instant) -> Result<Trace, Error> {
        self.process.exit(deadline)?;
        Ok(Trace::parse(&fs::read_to_string(&self.trace)?))
    }

    /// The lines of its key log (RFC 9850).
    pub(super) fn key_log(&self) -> Result<Vec<String>, Error> {
        let text = fs::read_to_string(&self.key_log)?;
        Ok(text.lines().filter(|line| !line.starts_with('#')).map(str::to_owned).collect())
    }

    /// For the report of a failure: what was run, what it said, which alerts it saw.
    pub(super) fn account(&self) -> String {
        let trace = Trace::parse(&fs::read_to_string(&self.trace).unwrap_or_default());
        format!(
            "{}\n  sent alerts {:?}, received {:?}, and said:\n{}",
            self.command,
            trace.alerts(true),
            trace.alerts(false),
            self.process.words()
        )
    }
}

fn authentication(command: &mut Command, side: &Side, place: Place<'_>) {
    if let Some(identity) = side.identity {
        command.arg("-cert").arg(place.file(identity, "pem")).arg("-key").arg(place.file(identity, "key"));
        if place.certificates.join(format!("{identity}.chain")).exists() {
            command.arg("-cert_chain").arg(place.file(identity, "chain"));
        }
    }
    if let Some(identity) = side.second_identity {
        command.arg("-dcert").arg(place.file(identity, "pem")).arg("-dkey").arg(place.file(identity, "key"));
    }
    if let Some(authority) = side.trusts {
        command.arg("-CAfile").arg(place.file(authority, "pem"));
    }
    match (side.special, side.identity) {
        (Some(Special::NamesAuthority(name)), _) => {
            command.arg("-requestCAfile").arg(place.file(name, "pem"));
        }
        (Some(Special::ChecksRevocation), _) => {
            command.arg("-crl_check").arg("-CRL").arg(place.file("ca", "crl"));
        }
        (Some(Special::ServesOnly(name)), Some(identity)) => {
            command.args(["-servername", name, "-servername_fatal"]);
            command.arg("-cert2").arg(place.file(identity, "pem"));
            command.arg("-key2").arg(place.file(identity, "key"));
        }
        _ => {}
    }
}

fn negotiation(command: &mut Command, side: &Side, place: Place<'_>) {
    if !side.openssl.iter().any(|option| option.starts_with("-tls")) {
        command.arg("-tls1_3");
    }
    if !side.suites.is_empty() {
        command.args(["-ciphersuites", &join(side.suites.iter().filter_map(|suite| suite.name()), ":")]);
    }
    if !side.groups.is_empty() {
        let names: Vec<_> = side.groups.iter().map(|group| group_name(*group, side, place.tool)).collect();
        command.args(["-groups", &names.join(":")]);
    }
    if !side.alpn.is_empty() {
        command.args(["-alpn", &join(side.alpn.iter().copied(), ",")]);
    }
    if !side.schemes.is_empty() {
        command.args(["-sigalgs", &join(side.schemes.iter().map(|scheme| scheme.name()), ":")]);
    }
    if side.cookie {
        command.arg("-stateless");
    }
    if side.plain {
        command.arg("-no_middlebox");
    }
}

fn join<'a>(words: impl Iterator<Item = &'a str>, separator: &str) -> String {
    words.collect::<Vec<_>>().join(separator)
}

/// From 3.5 on, an asterisk marks the groups that a client sends shares of.
fn group_name(group: NamedGroup, side: &Side, tool: &Tool) -> String {
    let name = match group {
        NamedGroup::X25519 => "X25519",
        NamedGroup::SECP256R1 => "P-256",
        NamedGroup::SECP384R1 => "P-384",
        NamedGroup::SECP521R1 => "P-521",
        other => other.name(),
    };
    let marked = tool.peer == Peer::OpenSsl35 && side.shares.contains(&group);
    if marked { format!("*{name}") } else { name.to_owned() }
}
