//! Waiting for the server's word that it has accepted us, over real sockets.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that fails may panic"
)]

mod common;

use std::io::{ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use common::*;
use oxtls::{
    AlertDescription, Client, ClientAuth, Credential, Server, ServerConfigBuilder, ServerConnection,
};
use oxtls_std::{Stream, tls_error};
use oxtls_test_pki::{Ca, LeafSpec};

/// A client with a certificate of an authority that is not the servers', and a server that does `serve`.
fn with_server<T>(
    config: ServerConfigBuilder,
    serve: impl FnOnce(Stream<Server, TcpStream>) + Send + 'static,
    run: impl FnOnce(Stream<Client, TcpStream>) -> T,
) -> T {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let ours = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let (theirs, _) = listener.accept().unwrap();
    for socket in [&ours, &theirs] {
        socket.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    }
    let server = ServerConnection::new(&config.build().unwrap());
    let server = thread::spawn(move || serve(Stream::new(server, theirs)));
    let stranger = Ca::new("Strangers", oxtls::KeyAlgorithm::EcdsaP256);
    let issued = stranger.issue(LeafSpec::client("client.test").dns("client.test"));
    let credential = Credential::new(issued.chain, issued.key).unwrap();
    let result = run(Stream::new(client_of(client_config().credential(credential)), ours));
    server.join().unwrap();
    result
}

/// Reads to the end.
fn listen(mut stream: Stream<Server, TcpStream>) {
    let mut all = Vec::new();
    stream.read_to_end(&mut all).unwrap();
    assert_eq!(all, b"said after it was confirmed");
    stream.shutdown().unwrap();
}

#[test]
fn a_server_that_accepts_confirms_and_all_goes_on() {
    with_server(server_config(), listen, |mut stream| {
        assert!(stream.confirm().unwrap());
        assert!(stream.confirm().unwrap(), "again, at no cost");
        stream.write_all(b"said after it was confirmed").unwrap();
        stream.shutdown().unwrap();
        assert_eq!(stream.read(&mut [0; 10]).unwrap(), 0);
    });
}

#[test]
fn a_refused_certificate_is_the_error() {
    let config = server_config().client_auth(ClientAuth::Required(Arc::clone(&PKI.roots)));
    let refuse = |mut stream: Stream<Server, TcpStream>| {
        stream.handshake().unwrap_err();
        // A socket that is closed over what it has not read is reset, and the alert may be lost.
        let (_, mut socket, _) = stream.into_parts();
        let _ = socket.read_to_end(&mut Vec::new());
    };
    with_server(config, refuse, |mut stream| {
        stream.handshake().unwrap();
        let error = stream.confirm().unwrap_err();
        let error = tls_error(&error).unwrap();
        assert_eq!(error.alert_received(), Some(AlertDescription::UNKNOWN_CA), "{error}");
    });
}

#[test]
fn what_the_server_says_first_is_there_to_be_read() {
    let greet = |mut stream: Stream<Server, TcpStream>| {
        stream.write_all(b"220 hello").unwrap();
        listen(stream);
    };
    with_server(server_config(), greet, |mut stream| {
        let mut said = Vec::new();
        while !stream.confirm().unwrap() {
            let mut piece = [0; 4];
            let len = stream.read(&mut piece).unwrap();
            said.extend_from_slice(&piece[..len]);
        }
        assert_eq!(said, b"220 hello");
        stream.write_all(b"said after it was confirmed").unwrap();
        stream.shutdown().unwrap();
        assert_eq!(stream.read(&mut [0; 10]).unwrap(), 0);
    });
}

#[test]
fn a_server_that_closes_first_has_confirmed_nothing() {
    let close = |mut stream: Stream<Server, TcpStream>| {
        stream.handshake().unwrap();
        stream.shutdown().unwrap();
        let _ = stream.read(&mut [0; 10]);
    };
    with_server(server_config(), close, |mut stream| {
        // It may or may not have read the request before it closed.
        match stream.confirm() {
            Ok(confirmed) => assert!(confirmed && stream.connection().is_confirmed()),
            Err(error) => assert_eq!(error.kind(), ErrorKind::UnexpectedEof, "{error}"),
        }
        stream.shutdown().unwrap();
    });
}
