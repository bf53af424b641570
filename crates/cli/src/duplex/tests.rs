//! What the receiving thread must make the sending one do.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, mpsc};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use oxtls::pki_types::ServerName;
use oxtls::{
    ClientConfig, ClientConnection, Credential, KeyAlgorithm, Roots, Server, ServerConfig, ServerConnection,
};
use oxtls_std::Stream;
use oxtls_test_pki::{Ca, LeafSpec};

use super::{Ended, Outbox, run};
use crate::exit::Exit;
use crate::transport::Transport;

/// A session in a thread of its own, its outbox, and the server's end of it.
struct Session {
    thread: JoinHandle<Ended>,
    outbox: Outbox,
    server: Stream<Server, TcpStream>,
}

fn session() -> Session {
    let ca = Ca::new("Root", KeyAlgorithm::EcdsaP256);
    let issued = ca.issue(LeafSpec::server("a.test"));
    let credential = Credential::new(issued.chain, issued.key).unwrap();
    let server = ServerConfig::builder().credential(credential).build().unwrap();
    let mut roots = Roots::empty();
    roots.add_der(ca.certificate()).unwrap();
    let client = ClientConfig::builder().roots(roots).build().unwrap();

    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let near = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let (far, _) = listener.accept().unwrap();
    far.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let (attached, attach) = mpsc::channel();
    let thread = thread::spawn(move || {
        let name = ServerName::try_from("a.test").unwrap();
        let transport = Transport::new(near, Arc::new(AtomicBool::new(false))).unwrap();
        let mut stream = Stream::new(ClientConnection::new(&client, name).unwrap(), transport);
        stream.handshake().unwrap();
        run(stream, |outbox| attached.send(outbox).unwrap(), &mut std::io::sink()).unwrap()
    });
    let mut server = Stream::new(ServerConnection::new(&server), far);
    server.handshake().unwrap();
    Session { thread, outbox: attach.recv().unwrap(), server }
}

#[test]
fn a_key_update_is_answered_though_nothing_is_being_sent() {
    let mut session = session();
    session.server.connection_mut().update_keys(true).unwrap();
    session.server.flush().unwrap();
    // The answer, as it comes: a record without any data of ours.
    let mut record = [0; 64];
    assert!(session.server.transport_mut().read(&mut record).unwrap() > 5);
    session.server.shutdown().unwrap();
    assert!(session.outbox.end());
    assert!(session.thread.join().unwrap().result.is_ok());
}

#[test]
fn a_record_that_is_no_good_is_answered_with_an_alert() {
    let Session { thread, outbox, mut server } = session();
    server
        .transport_mut()
        .write_all(&[23, 3, 3, 0, 17, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0])
        .unwrap();
    let error = server.read(&mut [0]).unwrap_err();
    assert!(error.to_string().contains("bad_record_mac"), "{error}");
    let failure = thread.join().unwrap().result.unwrap_err();
    assert_eq!(failure.exit, Exit::Broken, "{failure}");
    assert!(outbox.data(b"too late".to_vec()).is_err());
}

#[test]
fn the_peers_end_is_ours_if_nothing_more_comes() {
    let Session { thread, outbox, mut server } = session();
    outbox.data(b"all".to_vec()).unwrap();
    outbox.end_with_peer();
    server.shutdown().unwrap();
    let mut data = Vec::new();
    server.read_to_end(&mut data).unwrap();
    assert_eq!(data, b"all");
    assert!(thread.join().unwrap().result.is_ok());
}

#[test]
fn after_the_peers_end_what_still_comes_is_sent() {
    let Session { thread, outbox, mut server } = session();
    server.shutdown().unwrap();
    thread::sleep(Duration::from_millis(300));
    outbox.data(b"still here".to_vec()).unwrap();
    assert!(outbox.end());
    let mut data = Vec::new();
    server.read_to_end(&mut data).unwrap();
    assert_eq!(data, b"still here");
    let ended = thread.join().unwrap();
    assert_eq!((ended.sent, ended.received), (10, 0));
    assert!(ended.result.is_ok());
}
