//! NSS's `tstclnt` and `selfserv` as the other side of a scenario.
//!
//! `selfserv` listens on all interfaces and has no option against it; it is killed when its scenario ends, or whoever
//! started it.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;

use oxtls::{CipherSuite, NamedGroup, ProtocolVersion};

use super::Error;
use super::foreign::{Account, Place, Said, code_of};
use super::peer::Tool;
use super::spec::{Ending, Resumption, Role, Side, Spec};
use super::tables::{ECDSA_SUITES, RSA_SUITES, TLS13_SUITES};

const GROUPS: [(&str, NamedGroup); 4] = [
    ("x25519", NamedGroup::X25519),
    ("P256", NamedGroup::SECP256R1),
    ("P384", NamedGroup::SECP384R1),
    ("P521", NamedGroup::SECP521R1),
];

/// What it says of an alert that it received.
const ALERTS: [(&str, u8); 10] = [
    // A client that waits for a ServerHello.
    ("SSL_ERROR_NO_CYPHER_OVERLAP", 40),
    ("SSL_ERROR_HANDSHAKE_FAILURE_ALERT", 40),
    ("SSL_ERROR_BAD_CERT_ALERT", 42),
    ("SSL_ERROR_UNSUPPORTED_CERT_ALERT", 43),
    ("SSL_ERROR_EXPIRED_CERT_ALERT", 45),
    ("SSL_ERROR_ILLEGAL_PARAMETER_ALERT", 47),
    ("SSL_ERROR_UNKNOWN_CA_ALERT", 48),
    ("SSL_ERROR_PROTOCOL_VERSION_ALERT", 70),
    ("SSL_ERROR_INAPPROPRIATE_FALLBACK_ALERT", 86),
    ("SSL_ERROR_NO_RENEGOTIATION_ALERT", 100),
];

/// The name of its database in the folder of certificates.
const DATABASE: &str = "nss";

/// What it can read of the certificates that scenarios have it show.
const IDENTITIES: [&str; 11] = [
    "rsa",
    "p256",
    "p384",
    "p521",
    "deep",
    "expired",
    "early",
    "stranger",
    "client-only",
    "server-only",
    "stapled",
];

/// Puts the certificates of `folder` into a database of NSS's, for all scenarios.
pub(super) fn write_database(folder: &Path, tool: &Tool) -> Result<(), Error> {
    let database = folder.join(DATABASE);
    std::fs::create_dir_all(&database)?;
    let database = format!("sql:{}", tool.path(&database).display());
    let file =
        |name: &str, ending: &str| tool.path(&folder.join(format!("{name}.{ending}"))).display().to_string();
    let run = |program: &str, arguments: &[&str]| -> Result<(), Error> {
        let output = tool.command(program).args(arguments).output()?;
        if output.status.success() {
            return Ok(());
        }
        let words = String::from_utf8_lossy(&output.stderr);
        Err(format!("{program} {arguments:?} failed: {words}").into())
    };
    run("certutil", &["-N", "-d", &database, "--empty-password"])?;
    run("certutil", &["-A", "-d", &database, "-n", "ca", "-t", "CT,C,C", "-i", &file("ca", "pem")])?;
    for name in IDENTITIES {
        let (certificate, key, both) = (file(name, "pem"), file(name, "key"), file(name, "p12"));
        let export = ["pkcs12", "-export", "-in", &certificate, "-inkey", &key, "-name", name];
        run("openssl", &[&export[..], &["-out", &both, "-passout", "pass:"]].concat())?;
        run("pk12util", &["-i", &both, "-d", &database, "-W", "", "-K", ""])?;
    }
    Ok(())
}

/// `tstclnt`, connecting to `to`.
pub(super) fn client(spec: &Spec, to: SocketAddr, place: Place<'_>) -> Command {
    let mut command = place.tool.command("tstclnt");
    // -O: verifies where it stands; otherwise its handshake waits for itself.
    // -A: what it sends is in a file; the end of a pipe it never sees.
    command.arg("-A").arg(place.tool.path(&place.page()));
    command.args(["-O", "-4", "-h", spec.asked, "-p", &to.port().to_string()]);
    if spec.ending == Ending::Renegotiation {
        command.args(["-r", "1"]);
    }
    if spec.client.ocsp {
        command.arg("-T");
    }
    if spec.resumption.is_some() {
        command.args(["-L", "2"]);
    }
    both(&mut command, spec, Role::Client, place);
    if let Some(identity) = spec.client.identity {
        command.args(["-n", identity]);
    }
    command
}

/// `selfserv`, listening.
pub(super) fn server(spec: &Spec, at: SocketAddr, place: Place<'_>) -> Command {
    let mut command = place.tool.server("stdbuf");
    command.args(["-oL", "selfserv", "-p", &at.port().to_string()]);
    match (spec.server.trusts, spec.certificate_optional) {
        (None, _) => {}
        (Some(_), true) => drop(command.arg("-r")),
        (Some(_), false) => drop(command.args(["-r", "-r"])),
    }
    both(&mut command, spec, Role::Server, place);
    if let Some(identity) = spec.server.identity {
        // It wants to be told which kind of key a certificate has.
        command.args([if identity.starts_with("rsa") { "-n" } else { "-e" }, identity]);
    }
    if let Some((label, len)) = spec.export {
        command.args(["-x", &format!("{label}:{len}")]);
    }
    command
}

/// Adds what both have: `-G` is the extended master secret.
fn both(command: &mut Command, spec: &Spec, is: Role, place: Place<'_>) {
    let side = spec.side(is);
    let database = place.tool.path(&place.certificates.join(DATABASE));
    command.args(["-d", &format!("sql:{}", database.display()), "-w", "", "-v", "-G"]);
    command.args(["-V", &versions(side)]);
    if spec.resumption == Some(Resumption::Ticket) {
        command.arg("-u");
    }
    if !side.suites.is_empty() {
        let suites: String = side.suites.iter().map(|suite| format!(":{:04X}", suite.0)).collect();
        command.args(["-c", &suites]);
    }
    let groups: Vec<_> = side.groups.iter().filter_map(|group| group_name(*group)).collect();
    if !groups.is_empty() {
        command.args(["-I", &groups.join(",")]);
    }
    let schemes: Vec<_> = side.schemes.iter().map(|scheme| scheme.name()).collect();
    if !schemes.is_empty() {
        command.args(["-J", &schemes.join(",")]);
    }
}

fn versions(side: &Side) -> String {
    let name = |version: ProtocolVersion| format!("tls1.{}", version.0 - ProtocolVersion::TLS1_0.0);
    format!("{}:{}", name(side.versions.0), name(side.versions.1))
}

fn group_name(group: NamedGroup) -> Option<&'static str> {
    GROUPS.iter().find(|(_, known)| *known == group).map(|(name, _)| *name)
}

pub(super) fn account(said: &Said) -> Account {
    // `SSL version 3.3 using 128-bit AES-GCM with 128-bit AEAD MAC`
    let line = said.after("SSL version ").unwrap_or_default();
    let version = match line.split(' ').next() {
        Some("3.3") => Some(ProtocolVersion::TLS1_2),
        Some("3.4") => Some(ProtocolVersion::TLS1_3),
        _ => None,
    };
    // Of a client that shows none, a server says its own.
    let is_server = said.contains("selfserv: ");
    let subject =
        said.after(if is_server { "selfserv: Subject: CN=" } else { "subject DN: CN=" }).map(str::to_owned);
    Account {
        version,
        suite: version.and_then(|version| suite(said, version, line)),
        group: group(said),
        shown: version.map(|_| subject.clone().unwrap_or_default()),
        // Otherwise it would not have gone on.
        verified: subject.map(|_| true),
        extended_master_secret: said.after("Extended Master Secret: ").map(|word| word == "Yes"),
        resumed: said.after(" cache misses").map(|_| hits(said)),
        stapled: said.after("Received ").map(|rest| rest.starts_with("1 Cert Status items")),
        material: said.output.rsplit_once("Keying Material:\n").map(|(_, lines)| digits(lines)),
        alert_received: ALERTS.iter().find(|(name, _)| said.contains(name)).map(|(_, code)| *code),
        failed: said.contains("HDX PR_Read"),
        ..Account::default()
    }
}

/// `1 cache hits; 1 cache misses, 0 cache not reusable`, or the same of tickets.
fn hits(said: &Said) -> bool {
    let text = format!("{}{}", said.errors, said.output);
    let before = |words: &str| {
        let (count, _) = text.rsplit_once(words)?;
        count.rsplit([' ', '\n']).next()?.parse::<u32>().ok()
    };
    before(" cache hits") > Some(0) || before(" stateless resumes") > Some(0)
}

/// Lines of two digits each and colons between them, up to one that is something else.
fn digits(lines: &str) -> String {
    let is_digits =
        |line: &&str| line.split(':').all(|byte| byte.is_empty() || u8::from_str_radix(byte, 16).is_ok());
    lines.lines().map(str::trim).take_while(is_digits).collect::<String>().replace(':', "").to_uppercase()
}

/// From `128-bit AES-GCM` and `Server Auth: 256-bit ECDSA`.
fn suite(said: &Said, version: ProtocolVersion, line: &str) -> Option<CipherSuite> {
    let ciphers = ["128-bit AES-GCM", "256-bit AES-GCM", "256-bit CHACHA20POLY1305"];
    let at = ciphers.iter().position(|cipher| line.contains(cipher))?;
    let authentication = said.after("Server Auth: ")?;
    let suites = match version {
        ProtocolVersion::TLS1_3 => TLS13_SUITES,
        _ if authentication.contains("ECDSA") => ECDSA_SUITES,
        _ => RSA_SUITES,
    };
    Some(suites[at])
}

/// From `Key Exchange: 255-bit ECDHE`.
fn group(said: &Said) -> Option<NamedGroup> {
    let bits = said.after("Key Exchange: ")?.split('-').next()?;
    let sizes = [
        ("255", NamedGroup::X25519),
        ("256", NamedGroup::SECP256R1),
        ("384", NamedGroup::SECP384R1),
        ("521", NamedGroup::SECP521R1),
    ];
    code_of(&sizes, bits)
}
