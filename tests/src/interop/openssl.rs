//! OpenSSL's `s_client` and `s_server` as the other side of a scenario.

use std::net::SocketAddr;
use std::process::Command;

use oxtls::{CipherSuite, NamedGroup, ProtocolVersion};

use super::early::MOST;
use super::foreign::{Account, Place, Said};
use super::peer::{Peer, Tool};
use super::spec::{Ending, Obstacle, Resumption, Role, Side, Spec, Special, suite_name};

/// `s_client`, connecting to `to`.
pub(super) fn client(spec: &Spec, to: SocketAddr, again: bool, place: Place<'_>) -> Command {
    let mut command = place.tool.command("openssl");
    command.arg("s_client").args(["-connect", &to.to_string(), "-servername", spec.asked]);
    command.args(["-verify_hostname", spec.asked, "-verify_return_error"]);
    if spec.ending != Ending::Renegotiation && spec.peer_updates.is_none() {
        command.arg("-nocommands");
    }
    if spec.client.ocsp {
        command.arg("-status");
    }
    if spec.resumption.is_some() {
        command.arg(if again { "-sess_in" } else { "-sess_out" }).arg(place.tool.path(&place.session()));
    }
    if spec.early.is_some() && again {
        command.arg("-early_data").arg(place.tool.path(&place.early()));
    }
    both(&mut command, spec, Role::Client, place);
    command
}

/// `s_server`, listening on `at` for one connection.
pub(super) fn server(spec: &Spec, at: SocketAddr, place: Place<'_>) -> Command {
    let mut command = place.tool.command("openssl");
    command.arg("s_server").args(["-accept", &at.to_string(), "-verify_return_error"]);
    command.args(["-naccept", &spec.connections(Role::Client).to_string()]);
    if let Some(early) = spec.early {
        // One ticket each: a session that is used again is then the only one.
        command.args(["-early_data", "-max_early_data", &MOST.to_string(), "-num_tickets", "1"]);
        if early.obstacle != Some(Obstacle::Replayed) {
            command.arg("-no_anti_replay");
        }
    }
    if spec.server.trusts.is_some() {
        command.args([if spec.certificate_optional { "-verify" } else { "-Verify" }, "4"]);
    }
    match spec.ending {
        // The end of its standard input makes it close; otherwise that is ignored.
        Ending::ServerCloses => drop(command.arg("-no_ign_eof")),
        // So served, the file is sent without looking at what else comes.
        Ending::HalfClose => drop(command.arg("-HTTP")),
        Ending::ClientCloses | Ending::PeerDies | Ending::Renegotiation => {}
    }
    if spec.server.compression.is_some() {
        command.arg("-cert_comp");
    }
    if let (true, Some(identity)) = (spec.server.ocsp, spec.server.identity) {
        command.arg("-status_file").arg(place.file(identity, "ocsp"));
    }
    both(&mut command, spec, Role::Server, place);
    command
}

/// Adds what both have.
fn both(command: &mut Command, spec: &Spec, is: Role, place: Place<'_>) {
    let side = spec.side(is);
    if !spec.is_talkative(is.other()) {
        command.arg("-brief");
    }
    command.args(["-no-CAfile", "-no-CApath", "-no-CAstore", "-nameopt", "RFC2253", "-msg", "-msgfile"]);
    command.arg(place.tool.path(&place.trace()));
    command.arg("-keylogfile").arg(place.tool.path(&place.key_log()));
    if spec.resumption == Some(Resumption::Identifier) {
        command.arg("-no_ticket");
    }
    if let Some((label, len)) = spec.export {
        command.args(["-keymatexport", label, "-keymatexportlen", &len.to_string()]);
    }
    authentication(command, side, place);
    negotiation(command, side, place.tool);
    command.args(side.openssl);
}

/// What it says in short, or, when it is talkative, at length.
pub(super) fn account(said: &Said) -> Account {
    let version = match said.after("Protocol version: ").or_else(|| said.after("Protocol  : ")) {
        Some("TLSv1.2") => Some(ProtocolVersion::TLS1_2),
        Some("TLSv1.3") => Some(ProtocolVersion::TLS1_3),
        _ => None,
    };
    let certificate = said.after("Peer certificate: CN=").or_else(|| said.after("subject=CN="));
    let nobody = said.contains("No peer certificate").then_some("");
    Account {
        version,
        shown: certificate.or(nobody).map(str::to_owned),
        verified: said.contains("Verification: OK\n").then_some(true),
        name: said.after("Verified peername: ").map(str::to_owned),
        stapled: if said.contains("Cert Status: good\n") {
            Some(true)
        } else {
            said.contains("OCSP response: no response sent\n").then_some(false)
        },
        resumed: if said.contains("Reused") {
            Some(true)
        } else {
            said.contains("New, TLS").then_some(false)
        },
        early: if said.contains("Early data was rejected") {
            Some(false)
        } else {
            let taken = said.contains("Early data was accepted") || said.contains("Early data received:");
            taken.then_some(true)
        },
        material: said.after("Keying material: ").map(str::to_owned),
        ..Account::default()
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

fn negotiation(command: &mut Command, side: &Side, tool: &Tool) {
    let (lowest, highest) = side.versions;
    command.args(["-min_protocol", version_name(lowest), "-max_protocol", version_name(highest)]);
    let (new, old): (Vec<_>, Vec<_>) = side.suites.iter().copied().partition(|suite| suite.tls13().is_some());
    if !new.is_empty() {
        command.args(["-ciphersuites", &join(new.iter().filter_map(|suite| suite.name()), ":")]);
    }
    if highest < ProtocolVersion::TLS1_2 {
        // Not to be had at a higher level.
        command.args(["-cipher", "DEFAULT:@SECLEVEL=0"]);
    }
    if !old.is_empty() {
        command.args(["-cipher", &old.into_iter().map(old_name).collect::<Vec<_>>().join(":")]);
    }
    if !side.groups.is_empty() {
        let names: Vec<_> = side.groups.iter().map(|group| group_name(*group, side, tool)).collect();
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

fn version_name(version: ProtocolVersion) -> &'static str {
    match version {
        ProtocolVersion::TLS1_0 => "TLSv1",
        ProtocolVersion::TLS1_1 => "TLSv1.1",
        ProtocolVersion::TLS1_2 => "TLSv1.2",
        _ => "TLSv1.3",
    }
}

/// `ECDHE-RSA-AES128-GCM-SHA256`, where the registry has `TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256`.
fn old_name(suite: CipherSuite) -> String {
    let name = suite_name(suite).trim_start_matches("TLS_").trim_start_matches("RSA_WITH_");
    let name = name.replace("_WITH_", "_").replace("AES_", "AES").replace("_CBC", "");
    name.replace("POLY1305_SHA256", "POLY1305").replace('_', "-")
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
