//! Sessions that `oxtls connect` keeps in a file, and early data between it and `oxtls serve`.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests may be blunt")]

mod common;

use std::fs;
use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::thread::{self, JoinHandle};

use common::{Pki, Server};

#[test]
fn the_second_connection_resumes_the_session_of_the_first() {
    let pki = Pki::new();
    for (serve, connect) in [
        (&["--tls1.3"][..], &[][..]),
        (&["--tls1.2"], &[]),
        // Tickets, with no IDs kept beside them.
        (&["--tls1.2", "--tickets"], &["--tickets"]),
    ] {
        let file = pki.folder.file("session");
        let _ = fs::remove_file(&file);
        let server = Server::start(&pki.serve(&[&["--echo", "--count", "3"], serve].concat()));
        let options = [&["--ca", &pki.ca, "--session", &file], connect].concat();
        let first = server.connect(&options, b"one");
        assert!(!first.expect(0, &[]).err.contains("resumed"), "{}", first.err);
        for _ in 0..2 {
            let again = server.connect(&options, b"two");
            again.expect(
                0,
                &["session resumed", "one round trip", "localhost, verified by CN=Test Authority"],
            );
            assert_eq!(again.text(), "two");
        }
        assert_eq!(server.end().expect(0, &[]).err.matches(", resumed;").count(), 2, "{serve:?}");
    }
}

#[cfg(unix)]
#[test]
fn only_its_owner_can_read_a_session_and_nothing_is_left_beside_it() {
    use std::os::unix::fs::PermissionsExt;

    let pki = Pki::new();
    let file = pki.folder.file("session");
    let server = Server::start(&pki.serve(&["--echo", "--count", "2"]));
    let before = fs::read_dir(pki.folder.file("")).unwrap().count();
    for _ in 0..2 {
        server.connect(&["--ca", &pki.ca, "--session", &file], b"").expect(0, &[]);
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        // Whatever it was before.
        fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
    }
    assert_eq!(fs::read_dir(pki.folder.file("")).unwrap().count(), before + 1);
    server.end().expect(0, &["resumed"]);
}

#[test]
fn a_session_of_tls13_is_offered_once() {
    let pki = Pki::new();
    let file = pki.folder.file("session");
    let server = Server::start(&pki.serve(&["--echo", "--once"]));
    server.connect(&["--ca", &pki.ca, "--session", &file], b"").expect(0, &[]);
    let spent = fs::read(&file).unwrap();
    server.end().expect(0, &[]);
    // A server that does not know the ticket, and gives none: it speaks no TLS at all.
    let port = common::answering(b"HTTP/1.0 400 Bad Request\r\n\r\n").to_string();
    let target = format!("localhost:{port}");
    let failed = common::run(["connect", &target, "--ca", &pki.ca, "--session", &file], b"");
    failed.expect(4, &[]);
    assert!(!fs::exists(&file).unwrap());
    // Nobody listens: it was not offered.
    fs::write(&file, &spent).unwrap();
    common::run(["connect", "localhost:1", "--ca", &pki.ca, "--session", &file], b"").expect(3, &[]);
    assert_eq!(fs::read(&file).unwrap(), spent);
}

#[test]
fn what_is_no_session_is_refused_and_left_alone() {
    let pki = Pki::new();
    let server = Server::start(&pki.serve(&["--echo"]));
    let key = fs::read(&pki.client[1]).unwrap();
    let refused = server.connect(&["--ca", &pki.ca, "--session", &pki.client[1]], b"");
    refused.expect(1, &["is not used as a session: it holds something else"]);
    assert_eq!(fs::read(&pki.client[1]).unwrap(), key);
    let folder = pki.folder.file("");
    server.connect(&["--ca", &pki.ca, "--session", &folder], b"").expect(1, &["no regular file"]);
    let nowhere = pki.folder.file("none/session");
    let lost = server.connect(&["--ca", &pki.ca, "--session", &nowhere], b"x");
    assert_eq!(lost.expect(1, &["closed in order", "the session cannot be kept in"]).text(), "x");
}

#[test]
fn a_session_that_does_not_hold_here_is_not_offered_and_that_is_told() {
    let pki = Pki::new();
    let other = Pki::new();
    let file = pki.folder.file("session");
    let server = Server::start(&pki.serve(&["--echo"]));
    let keep = |options: &[&str]| {
        let _ = fs::remove_file(&file);
        server.connect(&[&["--session", &file], options].concat(), b"").expect(0, &[]);
    };
    // Whom nobody verified is not trusted for having been here before.
    keep(&["--ca", &other.ca, "--insecure-accept-any"]);
    let refused = server.connect(&["--ca", &other.ca, "--session", &file], b"");
    refused.expect(5, &["is not offered: the session's server is not trusted here"]);
    // Another name.
    keep(&["--ca", &pki.ca]);
    let refused = server.connect(&["--ca", &pki.ca, "--name", "other.test", "--session", &file], b"");
    refused.expect(5, &["is not offered"]);
    // Somebody else.
    keep(&["--ca", &pki.ca]);
    let own = ["--cert", &pki.client[0], "--key", &pki.client[1]];
    let full = server.connect(&[&["--ca", &pki.ca, "--session", &file][..], &own].concat(), b"");
    full.expect(0, &["is not offered: the session was made with other credentials"]);
    assert!(!full.err.contains("resumed"), "{}", full.err);
}

#[test]
fn early_data_is_taken_once_and_delivered_all_the_same_when_it_is_refused() {
    let pki = Pki::new();
    let file = pki.folder.file("session");
    let early = pki.folder.write("early", "early\n");
    let server = Server::start(&pki.serve(&["--echo", "--count", "2", "--early-data"]));
    let options = ["--ca", &pki.ca, "--session", &file, "--early-data", &early];
    let first = server.connect(&options, b"late\n");
    first.expect(0, &["none (there was no session to offer); 6 bytes are sent after the handshake"]);
    assert_eq!(first.text(), "early\nlate\n");
    let second = server.connect(&options, b"late\n");
    second.expect(0, &["session resumed", "accepted, 6 bytes\n", "11 bytes sent, 11 received"]);
    assert_eq!(second.text(), "early\nlate\n");
    let said = server.end();
    said.expect(0, &["11 bytes received, 11 sent"]);
    assert_eq!(said.err.matches("resumed, 6 bytes of early data, which could be a replay").count(), 1);
}

/// A wire that remembers what goes to the server; its port, and what it remembers once the client has gone.
fn recorded(server: u16) -> (u16, JoinHandle<Vec<u8>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let recorder = thread::spawn(move || {
        let (mut near, _) = listener.accept().unwrap();
        let mut far = TcpStream::connect(("127.0.0.1", server)).unwrap();
        let (mut back, mut client) = (far.try_clone().unwrap(), near.try_clone().unwrap());
        let answers = thread::spawn(move || {
            let _ = io::copy(&mut back, &mut client);
            let _ = client.shutdown(Shutdown::Write);
        });
        let (mut record, mut piece) = (Vec::new(), [0; 4096]);
        while let Ok(len @ 1..) = near.read(&mut piece) {
            record.extend_from_slice(&piece[..len]);
            far.write_all(&piece[..len]).unwrap();
        }
        let _ = far.shutdown(Shutdown::Write);
        answers.join().unwrap();
        record
    });
    (port, recorder)
}

#[test]
fn early_data_that_is_sent_again_by_who_recorded_it_is_refused() {
    let pki = Pki::new();
    let file = pki.folder.file("session");
    let early = pki.folder.write("early", "early\n");
    let mut server = Server::start(&pki.serve(&["--count", "3", "--early-data"]));
    drop(server.running.input.take());
    let options = ["--ca", &pki.ca, "--session", &file, "--early-data", &early];
    server.connect(&["--ca", &pki.ca, "--session", &file], b"").expect(0, &[]);
    let (port, recorder) = recorded(server.port);
    let target = format!("localhost:{port}");
    let client = common::run([&["connect", &target][..], &options].concat(), b"");
    client.expect(0, &["accepted, 6 bytes\n"]);
    let record = recorder.join().unwrap();
    let mut replay = TcpStream::connect(("127.0.0.1", server.port)).unwrap();
    replay.write_all(&record).unwrap();
    replay.shutdown(Shutdown::Write).unwrap();
    let _ = io::copy(&mut replay, &mut io::sink());
    let said = server.end();
    said.expect(4, &["early data refused: the replay guard declined"]);
    assert_eq!(said.text(), "early\n");
}

#[test]
fn what_exceeds_the_limit_of_early_data_comes_after_the_handshake() {
    let pki = Pki::new();
    let file = pki.folder.file("session");
    let early = pki.folder.write("early", "x".repeat(50_000));
    let mut server = Server::start(&pki.serve(&["--count", "2", "--early-data=20000"]));
    drop(server.running.input.take());
    let options = ["--ca", &pki.ca, "--session", &file];
    server.connect(&options, b"").expect(0, &[]);
    let again = server.connect(&[&options[..], &["--early-data", &early]].concat(), b"y");
    again.expect(0, &["accepted, 20000 bytes; 30000 more were not taken, and are sent after the handshake"]);
    let server = server.end();
    assert_eq!(server.expect(0, &["50001 bytes received"]).text(), "x".repeat(50_000) + "y");
}

#[test]
fn a_server_that_takes_no_early_data_gets_it_after_the_handshake() {
    let pki = Pki::new();
    let file = pki.folder.file("session");
    let request = pki.folder.write("request", "GET / HTTP/1.0\r\n\r\n");
    let options = ["--ca", &pki.ca, "--session", &file, "--early-data", &request];
    let server = Server::start(&pki.serve(&["--www", "--count", "2"]));
    server.connect(&options, b"").expect(0, &["there was no session to offer"]);
    let none = server.connect(&options, b"");
    none.expect(0, &["session resumed", "none (the session does not allow it)"]);
    assert!(none.text().starts_with("HTTP/1.0 200 OK\r\n"));
    server.end().expect(0, &[]);
    // A server that gave the session and has forgotten it.
    let server = Server::start(&pki.serve(&["--www", "--once", "--early-data"]));
    let _ = fs::remove_file(&file);
    server.connect(&options, b"").expect(0, &[]);
    server.end().expect(0, &[]);
    let server = Server::start(&pki.serve(&["--www", "--count", "2", "--early-data"]));
    let refused = server.connect(&options, b"");
    refused.expect(0, &["refused (", "18 bytes were not taken, and are sent after the handshake"]);
    assert!(refused.text().starts_with("HTTP/1.0 200 OK\r\n"));
    let taken = server.connect(&options, b"").expect(0, &["accepted, 18 bytes"]).text();
    assert!(taken.contains("18 bytes of early data, which could be a replay"), "{taken}");
    server.end().expect(0, &["early data refused: the session was not resumed"]);
}
