//! What goes wrong, how it is explained, and the exit code it has.
#![forbid(unsafe_code)]

mod common;

use std::net::{TcpListener, TcpStream};
use std::time::{Duration, Instant};

use common::{Pki, Server, Wire, answering, issue, run, start};
use oxtls::KeyAlgorithm;
use oxtls_test_pki::{Ca, LeafSpec};

#[test]
fn an_unknown_authority_is_explained_to_both() {
    let pki = Pki::new();
    let stranger = Ca::new("A Stranger", KeyAlgorithm::EcdsaP256);
    let other = pki.folder.write("other.pem", stranger.certificate_pem());
    let server = Server::start(&pki.serve(&["--echo", "--once"]));
    let client = server.connect(&["--ca", &other], b"secret");
    client.expect(5, &["issued by \"CN=Test Authority\"", "neither among the 1 roots", "--show-chain"]);
    assert_eq!(client.out, b"");
    server.end().expect(4, &["unknown_ca", "does not trust the authority"]);
}

#[test]
fn the_platforms_roots_do_not_know_a_test_authority() {
    let pki = Pki::new();
    let server = Server::start(&pki.serve(&["--echo", "--once"]));
    let command = common::oxtls(["connect", "-q", &server.target()])
        .env(
            "SSL_CERT_FILE",
            pki.folder.write("roots.pem", Ca::new("Platform", KeyAlgorithm::Ed25519).certificate_pem()),
        )
        .env_remove("SSL_CERT_DIR")
        .output();
    let client = command.unwrap();
    assert_eq!(client.status.code(), Some(5), "{}", String::from_utf8_lossy(&client.stderr));
    server.end().expect(4, &[]);
    let server = Server::start(&pki.serve(&["--echo", "--once"]));
    let client = common::oxtls(["connect", "-q", &server.target()])
        .env("SSL_CERT_FILE", &pki.ca)
        .env_remove("SSL_CERT_DIR")
        .stdin(std::process::Stdio::null())
        .output();
    assert_eq!(client.unwrap().status.code(), Some(0));
    server.end().expect(0, &[]);
}

#[test]
fn the_whole_story_of_a_refused_chain_is_told_on_request() {
    let pki = Pki::new();
    let middle = pki.authority.intermediate("The Middle", KeyAlgorithm::EcdsaP256);
    let expired = issue(
        &pki.folder,
        &middle,
        "expired",
        LeafSpec::server("localhost").expired(Duration::from_secs(3600)),
    );
    let server = Server::start(&["--echo", "--once", "--cert", &expired[0], "--key", &expired[1]]);
    let client = server.connect(&["--ca", &pki.ca, "--show-chain"], b"");
    client.expect(
        5,
        &["expired", "the peer's chain:", "issued by CN=The Middle", "paths tried, from", "what to do:"],
    );
    server.end().expect(4, &["certificate_expired"]);
}

#[test]
fn a_verified_chain_is_printed_on_request() {
    let pki = Pki::new();
    let middle = pki.authority.intermediate("The Middle", KeyAlgorithm::EcdsaP384);
    let leaf = issue(&pki.folder, &middle, "leaf", LeafSpec::server("localhost").ip([10, 0, 0, 1].into()));
    let server = Server::start(&["--echo", "--once", "--cert", &leaf[0], "--key", &leaf[1]]);
    let client = server.connect(&["--ca", &pki.ca, "--show-chain"], b"");
    client.expect(
        0,
        &["the chain, verified:", "localhost, 10.0.0.1", "ECDSA P-384", "subject   CN=The Middle"],
    );
    client.expect(0, &["root subject   CN=Test Authority", "SHA-256   ", " UTC until "]);
    server.end().expect(0, &[]);
}

#[test]
fn another_name_is_refused_and_both_names_are_told() {
    let pki = Pki::new();
    let server = Server::start(&pki.serve(&["--echo", "--once"]));
    let client = server.connect(&["--ca", &pki.ca, "--name", "other.test"], b"");
    client.expect(5, &["is not for \"other.test\"", "it is for localhost"]);
    server.end().expect(4, &["bad_certificate"]);
}

#[test]
fn accepting_anybody_is_loud_and_says_what_is_wrong() {
    let pki = Pki::new();
    let server = Server::start(&pki.serve(&["--echo", "--once"]));
    let options =
        ["--insecure-accept-any", "--quiet", "--show-chain", "--ca", &pki.ca, "--name", "other.test"];
    let client = server.connect(&options, b"x");
    client.expect(
        0,
        &["WARNING", "NOT VERIFIED", "is not for \"other.test\"", "the chain as sent, NOT verified"],
    );
    assert_eq!(client.text(), "x");
    server.end().expect(0, &[]);
}

#[test]
fn a_required_client_certificate_that_is_missing_is_told_to_both() {
    let pki = Pki::new();
    let options = pki.serve(&["--echo", "--once", "--client-ca", &pki.ca, "--require-client-cert"]);
    let server = Server::start(&options);
    let client = server.connect(&["--ca", &pki.ca], b"x");
    client.expect(6, &["certificate_required", "--cert FILE"]);
    server.end().expect(4, &["the client sent no certificate"]);
    let server = Server::start(&options);
    let client = server.connect(&["--ca", &pki.ca, "--cert", &pki.client[0], "--key", &pki.client[1]], b"x");
    assert_eq!(client.expect(0, &["we signed with     ecdsa_secp256r1_sha256"]).text(), "x");
    server.end().expect(0, &["it is client.test"]);
}

#[test]
fn a_client_certificate_of_a_stranger_is_refused() {
    let pki = Pki::new();
    let stranger = Ca::new("A Stranger", KeyAlgorithm::EcdsaP256);
    let mallory = issue(&pki.folder, &stranger, "mallory", LeafSpec::client("mallory").dns("client.test"));
    let server = Server::start(&pki.serve(&["--echo", "--once", "--client-ca", &pki.ca]));
    let client = server.connect(&["--ca", &pki.ca, "--cert", &mallory[0], "--key", &mallory[1]], b"x");
    client.expect(6, &["unknown_ca"]);
    server.end().expect(5, &["A Stranger"]);
}

#[test]
fn nothing_in_common_fails_the_handshake_of_both() {
    let pki = Pki::new();
    for (theirs, ours, alert) in [
        (["--alpn", "h2"], ["--alpn", "imap"], "no_application_protocol"),
        (["--groups", "x25519"], ["--groups", "secp384r1"], "handshake_failure"),
        (["--suites", "AES_128_GCM_SHA256"], ["--suites", "AES_256_GCM_SHA384"], "handshake_failure"),
    ] {
        let server = Server::start(&pki.serve(&["--echo", "--once", theirs[0], theirs[1]]));
        server.connect(&["--ca", &pki.ca, ours[0], ours[1]], b"").expect(4, &[alert]);
        server.end().expect(4, &[alert, "in common"]);
    }
}

#[test]
fn a_cut_is_no_end() {
    let pki = Pki::new();
    for mode in [&["--echo", "--once"][..], &["--once"]] {
        let mut server = Server::start(&pki.serve(mode));
        let wire = Wire::to(server.port);
        let mut client = start(["connect", "--ca", &pki.ca, &format!("localhost:{}", wire.port)]);
        client.err.wait_for("connected to");
        if mode.contains(&"--echo") {
            client.type_in("to be continued");
        } else {
            server.running.type_in("to be continued");
        }
        client.out.wait_for("to be continued");
        wire.cut();
        assert_eq!(client.end().expect(7, &["without close_notify"]).text(), "to be continued");
        server.running.end().expect(7, &["without close_notify"]);
    }
}

#[test]
fn data_that_the_peer_would_not_take_is_told() {
    let pki = Pki::new();
    let server = Server::start(&pki.serve(&["--www", "--once"]));
    let request = [&b"GET / HTTP/1.0\r\n\r\n"[..], &vec![0; 20_000_000]].concat();
    let client = server.connect(&["--ca", &pki.ca], &request);
    client.expect(6, &["closed before it took all that was to be sent"]);
    server.end().expect(0, &[]);
}

#[test]
fn a_server_that_speaks_something_else_fails_the_handshake() {
    let port =
        answering(b"HTTP/1.0 400 Bad Request\r\n\r\nThe plain HTTP request was sent to HTTPS port\x1b[2J");
    let client = run(["connect", "--insecure-accept-any", &format!("127.0.0.1:{port}")], b"");
    client.expect(4, &["oxtls: "]);
    assert!(!client.err.contains('\x1b'));
}

#[test]
fn a_server_that_ends_at_once_fails_the_handshake() {
    let port = answering(b"");
    run(["connect", "--insecure-accept-any", &format!("127.0.0.1:{port}")], b"")
        .expect(4, &["ended during the handshake"]);
}

#[test]
fn a_peer_that_says_nothing_is_not_waited_for() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let target = silent.local_addr().unwrap().to_string();
    let started = Instant::now();
    run(["connect", "--insecure-accept-any", "--timeout", "0.5", &target], b"").expect(4, &["deadline"]);
    let server = Server::start(&["--echo", "--once", "--timeout", "0.5"]);
    let client = TcpStream::connect(("127.0.0.1", server.port)).unwrap();
    server.end().expect(4, &["deadline"]);
    assert!(started.elapsed() < Duration::from_secs(20));
    drop((client, silent));
}

#[test]
fn nobody_there_is_exit_code_3() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    run(["connect", &format!("127.0.0.1:{port}")], b"").expect(3, &["refused: nothing listens there"]);
    run(["connect", "-6", "127.0.0.1:1"], b"").expect(3, &["has no IPv6 address"]);
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    // The authority's file may be that of the server that does listen there.
    let folder = common::Folder::new();
    let ca = folder.write("ca.pem", "kept");
    run(["serve", "--listen", &address, "--write-ca", &ca], b"").expect(3, &["cannot listen on"]);
    assert_eq!(std::fs::read_to_string(&ca).unwrap(), "kept");
}

#[test]
fn a_file_that_is_of_no_use_is_named() {
    let pki = Pki::new();
    run(["connect", "--ca", "/no/such.pem", "localhost:1"], b"").expect(1, &["/no/such.pem"]);
    run(["connect", "--ca", &pki.server[1], "localhost:1"], b"").expect(1, &["server.key", "PRIVATE KEY"]);
    let mixed =
        ["connect", "--ca", &pki.ca, "--cert", &pki.server[0], "--key", &pki.client[1], "localhost:1"];
    run(mixed, b"").expect(1, &["client.key", "not the one of the certificate"]);
    run(["connect", "--ca", &pki.ca, "--key-log", "/no/such/log", "localhost:1"], b"")
        .expect(1, &["/no/such/log"]);
    run(["serve", "--port", "0", "--write-ca", "/no/such/ca.pem"], b"").expect(1, &["/no/such/ca.pem"]);
}

#[test]
fn what_does_not_go_together_is_exit_code_2() {
    let pki = Pki::new();
    let options =
        ["connect", "--ca", &pki.ca, "--groups", "x25519", "--key-shares", "secp256r1", "localhost:1"];
    run(options, b"").expect(2, &["oxtls: "]);
    run(["connect"], b"").expect(2, &["HOST[:PORT]"]);
    run(["connect", "--alpn"], b"").expect(2, &["--alpn"]);
    run(["serve", "--www", "--echo"], b"").expect(2, &["do not go together"]);
    run(["serve", "--suites", "RC4"], b"").expect(2, &["TLS_AES_128_GCM_SHA256"]);
    run(["dance"], b"").expect(2, &["no command dance"]);
    run([""; 0], b"").expect(2, &["no command given"]);
}

#[test]
fn names_of_a_peer_do_not_steer_the_terminal() {
    let pki = Pki::new();
    let evil = |spec: LeafSpec| spec.name(0x86, b"https://a/\x1b]0;owned\x07\r\nforged: line");
    let server = pki.issue("evil-server", evil(LeafSpec::server("localhost")));
    let client = pki.issue("evil-client", evil(LeafSpec::client("x")).name(0x82, b"b\x1b[2J"));
    let options = ["--www", "--once", "--cert", &server[0], "--key", &server[1], "--client-ca", &pki.ca];
    let server = Server::start(&options);
    let credential = ["--cert", &client[0], "--key", &client[1]];
    let options = [&["--ca", &pki.ca, "--show-chain"][..], &credential].concat();
    let client = server.connect(&options, b"GET / HTTP/1.0\r\n\r\n");
    client.expect(0, &["owned"]);
    let server = server.end();
    server.expect(0, &["owned"]);
    for text in [&client.err, &client.text().replace("\r\n", "\n"), &server.err] {
        assert!(!text.contains(|c: char| c.is_control() && c != '\n'), "{text:?}");
        assert!(!text.lines().any(|line| line.starts_with("forged")), "{text}");
    }
}
