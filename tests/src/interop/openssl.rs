//! OpenSSL's `s_client` and `s_server` as the other side of a scenario.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use oxtls::NamedGroup;

use super::Error;
use super::process::Process;
use super::spec::{Ending, Side, Spec};
use super::trace::Trace;

/// OpenSSL running one side of a scenario.
pub(super) struct OpenSsl {
    pub(super) process: Process,
    command: String,
    trace: PathBuf,
    key_log: PathBuf,
}

impl OpenSsl {
    /// `s_client`, connecting to `to`. `certificates` is the folder of `pki`, `scratch` the scenario's own.
    pub(super) fn client(
        spec: &Spec,
        to: SocketAddr,
        certificates: &Path,
        scratch: &Path,
    ) -> Result<Self, Error> {
        let mut command = Command::new("openssl");
        command.arg("s_client").args(["-connect", &to.to_string(), "-servername", spec.asked]);
        command.args(["-verify_hostname", spec.asked, "-verify_return_error", "-nocommands"]);
        Self::start(command, &spec.client, certificates, scratch)
    }

    /// `s_server`, listening on `at` for one connection.
    pub(super) fn server(
        spec: &Spec,
        at: SocketAddr,
        certificates: &Path,
        scratch: &Path,
    ) -> Result<Self, Error> {
        let mut command = Command::new("openssl");
        command.arg("s_server").args(["-accept", &at.to_string(), "-naccept", "1", "-verify_return_error"]);
        if spec.server.trusts.is_some() {
            command.args([if spec.certificate_optional { "-verify" } else { "-Verify" }, "4"]);
        }
        if spec.ending == Ending::ServerCloses {
            // The end of its standard input makes it close; otherwise that is ignored.
            command.arg("-no_ign_eof");
        }
        Self::start(command, &spec.server, certificates, scratch)
    }

    fn start(mut command: Command, side: &Side, certificates: &Path, scratch: &Path) -> Result<Self, Error> {
        let (trace, key_log) = (scratch.join("openssl.trace"), scratch.join("openssl.keys"));
        command.args(["-brief", "-no-CAfile", "-no-CApath", "-no-CAstore", "-msg", "-msgfile"]).arg(&trace);
        command.arg("-keylogfile").arg(&key_log);
        if let Some(identity) = side.identity {
            command.arg("-cert").arg(certificates.join(format!("{identity}.pem")));
            command.arg("-key").arg(certificates.join(format!("{identity}.key")));
            let authorities = certificates.join(format!("{identity}.chain"));
            if authorities.exists() {
                command.arg("-cert_chain").arg(authorities);
            }
        }
        if let Some(authority) = side.trusts {
            command.arg("-CAfile").arg(certificates.join(format!("{authority}.pem")));
        }
        if !side.openssl.iter().any(|option| option.starts_with("-tls")) {
            command.arg("-tls1_3");
        }
        if !side.suites.is_empty() {
            command.args(["-ciphersuites", &join(side.suites.iter().filter_map(|suite| suite.name()), ":")]);
        }
        if !side.groups.is_empty() {
            command.args(["-groups", &join(side.groups.iter().map(|group| group_name(*group)), ":")]);
        }
        if !side.alpn.is_empty() {
            command.args(["-alpn", &join(side.alpn.iter().copied(), ",")]);
        }
        if let Some(identity) = side.second_identity {
            command.arg("-dcert").arg(certificates.join(format!("{identity}.pem")));
            command.arg("-dkey").arg(certificates.join(format!("{identity}.key")));
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

fn join<'a>(words: impl Iterator<Item = &'a str>, separator: &str) -> String {
    words.collect::<Vec<_>>().join(separator)
}

fn group_name(group: NamedGroup) -> &'static str {
    match group {
        NamedGroup::X25519 => "X25519",
        NamedGroup::SECP256R1 => "P-256",
        NamedGroup::SECP384R1 => "P-384",
        NamedGroup::SECP521R1 => "P-521",
        other => other.name(),
    }
}
