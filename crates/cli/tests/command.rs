//! The command itself: help, files, pipes that close.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "tests may be blunt")]

mod common;

use std::process::Stdio;

use common::{Folder, Pki, Server, oxtls, run};

#[test]
fn every_help_has_examples_and_the_exit_codes() {
    for arguments in [
        &["--help"][..],
        &["help"],
        &["connect", "--help"],
        &["serve", "-h"],
        &["connect", "a", "-h"],
        &["inspect", "-h"],
        &["demo", "--help"],
    ] {
        let help = run(arguments, b"");
        help.expect(0, &[]);
        for part in ["USAGE", "EXAMPLES", "EXIT CODES", "close_notify"] {
            assert!(help.text().contains(part), "{arguments:?} has no {part}");
        }
        let long = help.text().lines().map(|line| line.chars().count()).max();
        assert!(long <= Some(120), "{arguments:?}: {long:?} columns");
    }
}

#[test]
fn the_version_is_that_of_the_package() {
    assert_eq!(run(["--version"], b"").text(), format!("oxtls {}\n", env!("CARGO_PKG_VERSION")));
}

/// What help promises is there: each option of the text is understood.
#[test]
fn every_option_of_the_help_is_understood() {
    for command in ["connect", "serve", "inspect"] {
        let help = run([command, "--help"], b"").text();
        let options = help.split("EXAMPLES").next().unwrap();
        let words = options.split(|c: char| !(c.is_ascii_alphanumeric() || "-.".contains(c)));
        let words = words.map(|word| word.trim_end_matches('.'));
        for option in words.filter(|word| word.starts_with("--") && *word != "--help") {
            // Whether the option takes a value or not, one of these is left over: nothing is ever started.
            let ended = run([command, option, "--no-such-option", "--no-such-option"], b"");
            assert_eq!(ended.code, 2, "{command} {option}: {}", ended.err);
            let unknown = format!("invalid option '{option}'");
            assert!(!ended.err.contains(&unknown), "{command}: {}", ended.err);
        }
    }
}

/// A pipe that nobody reads any more.
fn gone() -> std::io::PipeWriter {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    writer
}

#[test]
fn a_reader_that_has_gone_is_no_reason_to_panic() {
    let pki = Pki::new();
    let server = Server::start(&pki.serve(&["--echo", "--once"]));
    let target = server.target();
    let connect = ["connect", "--ca", &pki.ca, &target];
    for arguments in [&["--help"][..], &["--version"], &["demo"], &connect] {
        let mut child =
            oxtls(arguments).stdin(Stdio::piped()).stdout(gone()).stderr(Stdio::piped()).spawn().unwrap();
        let _ = std::io::Write::write_all(&mut child.stdin.take().unwrap(), b"something to be echoed");
        let ended = child.wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&ended.stderr);
        assert!(!said.contains("panicked"), "{arguments:?}: {said}");
        assert_eq!(ended.status.code(), Some(1), "{arguments:?}: {said}");
    }
    server.end();
}

#[test]
fn nobody_to_complain_to_is_no_reason_to_panic() {
    let mut child = oxtls(["connect", "--nonsense"]).stdout(Stdio::null()).stderr(gone()).spawn().unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(2));
}

#[test]
fn the_key_logs_of_both_sides_are_the_same_and_grow() {
    let pki = Pki::new();
    let logs = [pki.folder.file("client.log"), pki.folder.file("server.log")];
    let server = Server::start(&pki.serve(&["--echo", "--count", "2", "--key-log", &logs[1]]));
    for _ in 0..2 {
        server.connect(&["--ca", &pki.ca, "--key-log", &logs[0]], b"x").expect(0, &[]);
    }
    server.end().expect(0, &[]);
    let [ours, theirs] = logs.each_ref().map(|log| {
        let mut lines: Vec<_> = std::fs::read_to_string(log).unwrap().lines().map(str::to_owned).collect();
        lines.sort_unstable();
        lines
    });
    // What a server exports with is not made if nobody exports.
    assert_eq!(ours, theirs);
    for label in ["CLIENT_HANDSHAKE_TRAFFIC_SECRET ", "SERVER_TRAFFIC_SECRET_0 "] {
        assert_eq!(ours.iter().filter(|line| line.starts_with(label)).count(), 2, "{ours:?}");
    }
    #[cfg(unix)]
    for log in logs {
        use std::os::unix::fs::PermissionsExt;
        let mode = std::fs::metadata(log).unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0, "the log is readable by others: {mode:o}");
    }
}

#[test]
fn a_failed_handshake_leaves_its_keys_in_the_log_too() {
    let pki = Pki::new();
    let log = pki.folder.file("log");
    let server = Server::start(&pki.serve(&["--echo", "--once"]));
    server.connect(&["--ca", &pki.ca, "--name", "other.test", "--key-log", &log], b"").expect(5, &[]);
    assert!(std::fs::read_to_string(log).unwrap().contains("SERVER_HANDSHAKE_TRAFFIC_SECRET "));
    server.end();
}

#[test]
fn certificate_and_key_may_share_a_file() {
    let pki = Pki::new();
    let both = [&pki.server[1], &pki.server[0]].map(|file| std::fs::read_to_string(file).unwrap()).concat();
    let both = pki.folder.write("both.pem", both);
    let server = Server::start(&["--echo", "--once", "--cert", &both]);
    server.connect(&["--ca", &pki.ca], b"").expect(0, &[]);
    server.end().expect(0, &[]);
}

#[test]
fn the_authority_is_written_and_its_key_is_not() {
    let folder = Folder::new();
    let ca = folder.file("ca.pem");
    let server = Server::start(&["--echo", "--write-ca", &ca]);
    let pem = std::fs::read_to_string(&ca).unwrap();
    assert_eq!(pem.matches("-----BEGIN ").count(), 1);
    assert!(pem.starts_with("-----BEGIN CERTIFICATE-----"));
    drop(server);
}

#[test]
fn the_exit_code_of_a_count_is_that_of_the_first_failure() {
    let pki = Pki::new();
    let server = Server::start(&pki.serve(&["--echo", "--count", "3"]));
    server.connect(&["--ca", &pki.ca], b"").expect(0, &[]);
    server.connect(&["--ca", &pki.ca, "--name", "other.test"], b"").expect(5, &[]);
    server.connect(&["--ca", &pki.ca], b"").expect(0, &[]);
    server.end().expect(4, &["client 2: ", "client 3: closed in order"]);
}
