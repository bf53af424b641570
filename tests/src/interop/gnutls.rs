//! GnuTLS's `gnutls-cli` and `gnutls-serv` as the other side of a scenario.
//!
//! `gnutls-serv` listens on all interfaces and has no option against it; it is killed when its scenario ends, or whoever
//! started it.

use std::net::SocketAddr;
use std::process::Command;

use oxtls::{CipherSuite, NamedGroup, ProtocolVersion, SignatureScheme};

use super::early::MOST;
use super::foreign::{Account, Place, Said, code_of};
use super::spec::{Ending, Resumption, Role, Side, Spec, suite_name};

const GROUPS: [(&str, NamedGroup); 4] = [
    ("X25519", NamedGroup::X25519),
    ("SECP256R1", NamedGroup::SECP256R1),
    ("SECP384R1", NamedGroup::SECP384R1),
    ("SECP521R1", NamedGroup::SECP521R1),
];

const SCHEMES: [(&str, SignatureScheme); 4] = [
    ("RSA-SHA256", SignatureScheme::RSA_PKCS1_SHA256),
    ("RSA-PSS-RSAE-SHA256", SignatureScheme::RSA_PSS_RSAE_SHA256),
    ("ECDSA-SECP256R1-SHA256", SignatureScheme::ECDSA_SECP256R1_SHA256),
    ("ECDSA-SHA256", SignatureScheme::ECDSA_SECP256R1_SHA256),
];

/// `gnutls-cli`, connecting to `to`.
pub(super) fn client(spec: &Spec, to: SocketAddr, place: Place<'_>) -> Command {
    let mut command = place.tool.command("gnutls-cli");
    let (address, port) = (to.ip().to_string(), to.port().to_string());
    command.args([&format!("--sni-hostname={}", spec.asked), &format!("--verify-hostname={}", spec.asked)]);
    command.arg("--verbose").arg("--logfile").arg(place.tool.path(&place.log()));
    if spec.ending == Ending::Renegotiation {
        command.arg("--rehandshake");
    }
    if spec.resumption.is_some() {
        command.args(["--resume", "--waitresumption"]);
    }
    if spec.early.is_some() {
        command.arg("--earlydata").arg(place.tool.path(&place.early()));
    }
    if spec.peer_updates.is_some() {
        command.arg("--inline-commands");
    }
    both(&mut command, spec, Role::Client, place);
    command.args(["--port", &port, &address]);
    command
}

/// `gnutls-serv`, listening.
pub(super) fn server(spec: &Spec, at: SocketAddr, place: Place<'_>) -> Command {
    let mut command = place.tool.server("gnutls-serv");
    command.args(["--port", &at.port().to_string()]);
    command.arg("--echo");
    if spec.early.is_some() {
        command.args(["--earlydata", "--maxearlydata", &MOST.to_string()]);
    }
    if !spec.server.alpn.is_empty() {
        command.arg("--alpn-fatal");
    }
    match (spec.server.trusts, spec.certificate_optional) {
        (None, _) => drop(command.arg("--disable-client-cert")),
        (Some(_), false) => drop(command.args(["--require-client-cert", "--verify-client-cert"])),
        (Some(_), true) => drop(command.arg("--verify-client-cert")),
    }
    if let (true, Some(identity)) = (spec.server.ocsp, spec.server.identity) {
        command.arg("--ocsp-response").arg(place.file(identity, "ocsp"));
    }
    both(&mut command, spec, Role::Server, place);
    command
}

fn both(command: &mut Command, spec: &Spec, is: Role, place: Place<'_>) {
    let side = spec.side(is);
    command.env("SSLKEYLOGFILE", place.tool.path(&place.key_log()));
    command.args(["--priority", &priorities(side)]);
    if let Some(identity) = side.identity {
        command.arg("--x509certfile").arg(place.file(identity, "pem"));
        command.arg("--x509keyfile").arg(place.file(identity, "key"));
    }
    if let Some(authority) = side.trusts {
        command.arg("--x509cafile").arg(place.file(authority, "pem"));
    }
    for protocol in side.alpn {
        command.arg(format!("--alpn={protocol}"));
    }
    if spec.resumption == Some(Resumption::Identifier) {
        command.arg("--noticket");
    }
    if let Some((label, len)) = spec.export {
        command.args([&format!("--keymatexport={label}"), &format!("--keymatexportsize={len}")]);
    }
}

/// What it speaks, in its own language.
fn priorities(side: &Side) -> String {
    let mut words = vec!["NORMAL".to_owned(), "-VERS-ALL".to_owned()];
    let (lowest, highest) = side.versions;
    words.extend((lowest.0..=highest.0).map(|version| format!("+VERS-TLS1.{}", version - 0x0301)));
    if !side.suites.is_empty() {
        words.extend(["-CIPHER-ALL".to_owned(), "-KX-ALL".to_owned()]);
        words.extend(side.suites.iter().flat_map(|suite| suite_words(*suite)).map(|word| format!("+{word}")));
    }
    restrict(&mut words, "GROUP", GROUPS.iter().filter(|(_, group)| side.groups.contains(group)));
    restrict(&mut words, "SIGN", SCHEMES.iter().filter(|(_, scheme)| side.schemes.contains(scheme)));
    words.join(":")
}

fn restrict<'a, T: 'a>(words: &mut Vec<String>, what: &str, to: impl Iterator<Item = &'a (&'a str, T)>) {
    let only: Vec<_> = to.map(|(name, _)| format!("+{what}-{name}")).collect();
    if !only.is_empty() {
        words.push(format!("-{what}-ALL"));
        words.extend(only);
    }
}

/// Key exchange and cipher: `ECDHE-RSA`, `AES-128-GCM`.
fn suite_words(suite: CipherSuite) -> Vec<String> {
    let name = suite_name(suite).trim_start_matches("TLS_").replace('_', "-");
    let cipher = |name: &str| name.replace("-SHA256", "").replace("-SHA384", "").replace("-SHA", "");
    match name.split_once("-WITH-") {
        Some((exchange, rest)) => vec![exchange.to_owned(), cipher(rest)],
        None => vec![cipher(&name)],
    }
}

pub(super) fn account(said: &Said) -> Account {
    let version = match said.after("- Version: ") {
        Some("TLS1.2") => Some(ProtocolVersion::TLS1_2),
        Some("TLS1.3") => Some(ProtocolVersion::TLS1_3),
        _ => None,
    };
    // `(TLS1.2-X.509)-(ECDHE-X25519)-(RSA-PSS-RSAE-SHA256)-(AES-256-GCM)`
    let description = said.after("- Description: ").unwrap_or_default();
    let group = GROUPS.iter().find(|(name, _)| description.contains(&format!("(ECDHE-{name})")));
    let connected = version.is_some();
    let leaf = said.contains("Certificate[0] info:").then(|| first_subject(said)).flatten();
    Account {
        version,
        suite: version.and_then(|version| suite(said, version)),
        group: group.map(|(_, group)| *group),
        alpn: connected.then(|| said.after("- Application protocol: ").unwrap_or_default().to_owned()),
        shown: connected.then(|| leaf.unwrap_or_default()),
        verified: said.contains("certificate is trusted").then_some(true),
        name: said.after("- Given server name[1]: ").map(str::to_owned),
        resumed: connected.then(|| said.contains("This is a resumed session")),
        extended_master_secret: said
            .after("- Options: ")
            .map(|options| options.contains("extended master secret")),
        material: said.after("- Key material: ").map(str::to_uppercase),
        stapled: connected.then(|| said.contains("OCSP status")),
        closed: said.contains("Peer has closed the GnuTLS connection").then_some(true),
        alert_received: said
            .after("Received alert [")
            .and_then(|rest| rest.split_once(']'))
            .and_then(|(code, _)| code.parse().ok()),
        failed: said.contains("Error in handshake"),
        // Its programs say nothing of early data.
        early: None,
    }
}

/// That of the leaf, which comes first.
fn first_subject(said: &Said) -> Option<String> {
    let text = format!("{}{}", said.errors, said.output);
    let (_, rest) = text.split_once("Certificate[0] info:")?;
    rest.split_once("Subject: CN=")?.1.lines().next().map(str::to_owned)
}

/// From `ECDHE-RSA` and `AES-128-GCM`.
fn suite(said: &Said, version: ProtocolVersion) -> Option<CipherSuite> {
    let cipher = said.after("- Cipher: ")?;
    let with = |suites: [CipherSuite; 3]| {
        let names = ["AES-128-GCM", "AES-256-GCM", "CHACHA20-POLY1305"];
        code_of(&[(names[0], suites[0]), (names[1], suites[1]), (names[2], suites[2])], cipher)
    };
    if version == ProtocolVersion::TLS1_3 {
        return with(super::tables::TLS13_SUITES);
    }
    match said.after("- Key Exchange: ")? {
        "ECDHE-ECDSA" => with(super::tables::ECDSA_SUITES),
        "ECDHE-RSA" => with(super::tables::RSA_SUITES),
        _ => None,
    }
}
