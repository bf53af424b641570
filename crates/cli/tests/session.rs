//! Sessions of `oxtls connect` with `oxtls serve` that go well.
#![forbid(unsafe_code)]

mod common;

use common::{Folder, Pki, Server};
use oxtls_test_pki::LeafSpec;

#[test]
fn what_is_echoed_comes_back_whole_while_it_is_still_being_sent() {
    let folder = Folder::new();
    let ca = folder.file("ca.pem");
    let server = Server::start(&["--echo", "--once", "--write-ca", &ca]);
    let data: Vec<u8> = (0..=250).cycle().take(3_000_000).collect();
    let client = server.connect(&["--ca", &ca], &data);
    client.expect(0, &["verified by CN=oxtls serve", "3000000 bytes sent, 3000000 received"]);
    assert_eq!(client.out, data);
    server.end().expect(0, &["3000000 bytes received, 3000000 sent"]);
}

#[test]
fn the_summary_says_what_was_negotiated() {
    let pki = Pki::new();
    let server = Server::start(&pki.serve(&["--echo", "--once", "--alpn", "http/1.1,h2"]));
    let options =
        ["--ca", &pki.ca, "--alpn", "h2", "--suites", "chacha20_poly1305_sha256", "--groups", "x25519,p-384"];
    let client = server.connect(&options, b"");
    client.expect(
        0,
        &["TLS 1.3, TLS_CHACHA20_POLY1305_SHA256", "key exchange       x25519", "h2", "one round trip"],
    );
    client.expect(0, &["localhost, verified by CN=Test Authority"]);
    server
        .end()
        .expect(0, &["TLS_CHACHA20_POLY1305_SHA256, x25519; asks for localhost, ALPN h2; it is anonymous"]);
}

#[test]
fn versions_are_chosen_on_either_side() {
    let pki = Pki::new();
    let request = b"GET / HTTP/1.0\r\n\r\n";
    let server = Server::start(&pki.serve(&["--www", "--count", "4"]));
    let old = "TLS 1.2, TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256";
    for (options, agreed) in [
        (&["--tls1.2"][..], old),
        (&["--versions", "1.2"], old),
        (&["--tls1.3"], "TLS 1.3, "),
        (&["--versions", "1.2-1.3", "--suites", "ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256"], "TLS 1.2, "),
    ] {
        let options = [&["--ca", &pki.ca, "--keep-open"][..], options].concat();
        let client = server.connect(&options, request);
        client.expect(0, &[agreed]);
        assert!(client.text().contains(agreed), "{options:?}: {}", client.text());
    }
    server.end().expect(0, &[]);
    // A server of the older version alone, and one of the newer alone.
    let server = Server::start(&pki.serve(&["--www", "--count", "2", "--tls1.2"]));
    let options = ["--ca", &pki.ca, "--keep-open"];
    server.connect(&options, request).expect(0, &["two round trips, as always in TLS 1.2"]);
    server.connect(&["--ca", &pki.ca, "--tls1.3"], b"x").expect(4, &["protocol_version"]);
    server.end().expect(4, &["TLS 1.3"]);
    let server = Server::start(&pki.serve(&["--www", "--once", "--tls1.3"]));
    server.connect(&["--ca", &pki.ca, "--versions", "1.2"], b"x").expect(4, &["protocol_version"]);
    server.end().expect(4, &["TLS 1.2"]);
}

#[test]
fn clients_show_certificates_in_tls12_as_well() {
    let pki = Pki::new();
    let options = ["--echo", "--count", "2", "--tls1.2", "--client-ca", &pki.ca, "--require-client-cert"];
    let server = Server::start(&pki.serve(&options));
    let own = ["--ca", &pki.ca, "--cert", &pki.client[0], "--key", &pki.client[1]];
    server.connect(&own, b"x").expect(0, &["we signed with"]);
    // In TLS 1.2 the refusal comes before the client's handshake is done.
    server.connect(&["--ca", &pki.ca], b"x").expect(4, &["handshake_failure"]);
    server.end().expect(4, &["it is client.test"]);
}

#[test]
fn without_a_key_share_there_is_a_hello_retry_request_and_it_is_told() {
    let pki = Pki::new();
    let server = Server::start(&pki.serve(&["--echo", "--once", "--groups", "secp521r1"]));
    let client = server.connect(&["--ca", &pki.ca, "--key-shares", "none"], b"x");
    client.expect(0, &["two round trips: HelloRetryRequest", "secp521r1"]);
    server.end().expect(0, &["secp521r1 after a HelloRetryRequest"]);
}

#[test]
fn quiet_says_nothing_if_nothing_is_wrong() {
    let pki = Pki::new();
    let server = Server::start(&pki.serve(&["--echo", "--once", "--quiet"]));
    let client = server.connect(&["--ca", &pki.ca, "-q"], b"x");
    assert_eq!((client.err.as_str(), client.text().as_str()), ("", "x"));
    let server = server.end();
    assert_eq!(server.err.lines().count(), 1, "only where it listens: {}", server.err);
}

#[test]
fn standard_input_and_output_of_both_are_joined_and_each_side_ends_by_itself() {
    let pki = Pki::new();
    let mut server = Server::start(&pki.serve(&["--once"]));
    let mut client = server.start_client(&["--ca", &pki.ca]);
    client.type_in("ping\n");
    server.running.out.wait_for("ping\n");
    // The client's side ends; the server's goes on.
    drop(client.input.take());
    server.running.type_in("pong\n");
    client.out.wait_for("pong\n");
    server.running.type_in("and more\n");
    drop(server.running.input.take());
    let client = client.end();
    assert_eq!(client.expect(0, &[]).text(), "pong\nand more\n");
    assert_eq!(server.end().expect(0, &["5 bytes received, 14 sent"]).text(), "ping\n");
}

#[test]
fn a_file_can_be_served_once() {
    let pki = Pki::new();
    let mut server = Server::start(&pki.serve(&["--once"]));
    let file = "a line\n".repeat(50_000);
    let mut input = server.running.input.take().unwrap();
    let writer = std::thread::spawn({
        let file = file.clone();
        move || std::io::Write::write_all(&mut input, file.as_bytes()).unwrap()
    });
    // The client's standard input is at its end from the start.
    let client = server.connect(&["--ca", &pki.ca], b"");
    assert_eq!(client.expect(0, &[]).text(), file);
    writer.join().unwrap();
    server.end().expect(0, &[]);
}

#[test]
fn a_server_with_an_empty_standard_input_listens_on() {
    let pki = Pki::new();
    let mut server = Server::start(&pki.serve(&["--count", "2"]));
    drop(server.running.input.take());
    for _ in 0..2 {
        let mut client = server.start_client(&["--ca", &pki.ca]);
        client.err.wait_for("connected to");
        client.type_in("data\n");
        drop(client.input.take());
        client.end().expect(0, &["5 bytes sent, 0 received"]);
    }
    assert_eq!(server.end().expect(0, &[]).text(), "data\ndata\n");
}

#[test]
fn when_the_server_closes_the_client_ends_though_its_input_does_not() {
    let pki = Pki::new();
    let server = Server::start(&pki.serve(&["--www", "--once"]));
    let mut client = server.start_client(&["--ca", &pki.ca]);
    client.type_in("GET / HTTP/1.0\r\n\r\n");
    let ended = client.end();
    assert!(ended.expect(0, &["closed in order"]).text().starts_with("HTTP/1.0 200 OK\r\n"));
    assert!(client.input.is_some());
    server.end().expect(0, &[]);
}

#[test]
fn the_page_tells_the_session_and_who_the_client_is() {
    let pki = Pki::new();
    let server =
        Server::start(&pki.serve(&["--www", "--count", "2", "--client-ca", &pki.ca, "--groups", "x25519"]));
    let request = b"GET / HTTP/1.0\r\n\r\n";
    let page =
        server.connect(&["--ca", &pki.ca, "-q", "--cert", &pki.client[0], "--key", &pki.client[1]], request);
    let page = page.expect(0, &[]).text();
    for fact in ["client.test", "TLS 1.3", "x25519", "server name (SNI)  localhost", "Content-Length: "] {
        assert!(page.contains(fact), "no {fact} in {page}");
    }
    // A certificate is asked for, not required.
    let page = server.connect(&["--ca", &pki.ca, "-q", "--keep-open"], request);
    assert!(page.expect(0, &[]).text().contains("anonymous"));
    server.end().expect(0, &["it is client.test", "it is anonymous"]);
}

#[test]
fn the_name_chooses_among_certificates() {
    let pki = Pki::new();
    let other = pki.issue("other", LeafSpec::server("other.test"));
    let server =
        Server::start(&pki.serve(&["--echo", "--count", "2", "--cert", &other[0], "--key", &other[1]]));
    server.connect(&["--ca", &pki.ca], b"").expect(0, &["localhost, verified by"]);
    server.connect(&["--ca", &pki.ca, "--name", "other.test"], b"").expect(0, &["other.test, verified by"]);
    server.end().expect(0, &["asks for other.test"]);
}

#[test]
fn no_sni_verifies_the_name_all_the_same() {
    let pki = Pki::new();
    let server = Server::start(&pki.serve(&["--echo", "--once"]));
    server.connect(&["--ca", &pki.ca, "--no-sni"], b"").expect(0, &["localhost, verified by"]);
    server.end().expect(0, &["asks for no name"]);
}

#[test]
fn the_certificate_made_on_the_spot_is_for_loopback_or_the_names_given() {
    let folder = Folder::new();
    let ca = folder.file("ca.pem");
    let server = Server::start(&["--echo", "--count", "2", "--write-ca", &ca]);
    server.connect(&["--ca", &ca], b"").expect(0, &[]);
    server.connect(&["--ca", &ca, "--name", "127.0.0.1"], b"").expect(0, &[]);
    server.end().expect(0, &[&ca]);
    let server =
        Server::start(&["--echo", "--once", "--write-ca", &ca, "--name", "*.a.test", "--name", "10.0.0.1"]);
    server.connect(&["--ca", &ca, "--name", "www.a.test"], b"").expect(0, &["*.a.test, verified by"]);
    server.end().expect(0, &[]);
}

#[test]
fn clients_are_served_side_by_side_up_to_the_cap() {
    let pki = Pki::new();
    let server = Server::start(&pki.serve(&["--echo", "--count", "3", "--max-clients", "2"]));
    let mut first = server.start_client(&["--ca", &pki.ca]);
    let mut second = server.start_client(&["--ca", &pki.ca]);
    for client in [&mut first, &mut second] {
        client.type_in("here\n");
        client.out.wait_for("here\n");
    }
    // The third is let in only when one of them leaves.
    let mut third = server.start_client(&["--ca", &pki.ca]);
    std::thread::sleep(std::time::Duration::from_millis(200));
    assert!(!String::from_utf8_lossy(&third.err.bytes()).contains("connected"));
    drop(first.input.take());
    first.end().expect(0, &[]);
    third.type_in("me too\n");
    third.out.wait_for("me too\n");
    for client in [&mut second, &mut third] {
        drop(client.input.take());
        client.end().expect(0, &[]);
    }
    server.end().expect(0, &[]);
}

#[cfg(unix)]
#[test]
fn an_interrupted_server_says_goodbye_to_everybody() {
    let pki = Pki::new();
    for mode in [&["--echo"][..], &[], &["--www"]] {
        let mut server = Server::start(&pki.serve(mode));
        let mut client = server.start_client(&["--ca", &pki.ca]);
        client.err.wait_for("connected to");
        let kill =
            std::process::Command::new("kill").args(["-INT", &server.running.id().to_string()]).status();
        assert!(kill.expect("kill runs").success());
        client.end().expect(0, &["closed in order"]);
        let ended = server.running.end();
        ended.expect(0, &[]);
        assert!(!ended.err.contains("left"), "{}", ended.err);
    }
}

#[cfg(unix)]
#[test]
fn an_interrupted_server_ends_a_handshake_too() {
    let mut server = Server::start(&["--echo"]);
    let silent = std::net::TcpStream::connect(("127.0.0.1", server.port)).unwrap();
    std::thread::sleep(std::time::Duration::from_millis(200));
    let kill = std::process::Command::new("kill").args(["-TERM", &server.running.id().to_string()]).status();
    assert!(kill.expect("kill runs").success());
    server.running.end().expect(0, &[]);
    drop(silent);
}
