//! What an established connection holds, all counted: Rust's allocations and C's, and what `malloc` rounds them up to.
//!
//! One test alone in its process: `malloc` counts all threads together.
#![forbid(unsafe_code)]

use std::sync::Arc;

use oxtls::pki_types::ServerName;
use oxtls::{
    ClientConfig, ClientConnection, Connection, Credential, KeyAlgorithm, Role, Roots, ServerConfig,
    ServerConnection,
};
use oxtls_benches::allocations::in_use;
use oxtls_test_pki::{Ca, LeafSpec};

const NAME: &str = "server.test";

/// Connections that are there at once: what one holds is the average.
const CONNECTIONS: usize = 400;

/// At most so many bytes for a connection, its own included: what was measured, and 5 %. The sessions of a client are its
/// cache's and not counted; the peer's chain, which they share with the connection, is the same for all here.
const CLIENT: usize = 2300;
const SERVER: usize = 2000;

fn carry<A: Role, B: Role>(from: &mut Connection<A>, to: &mut Connection<B>, wire: &mut [u8]) {
    let len = from.transmit(wire);
    let mut at = 0;
    while at < len {
        at += to.feed(&mut wire[at..len]).unwrap().consumed;
    }
}

#[test]
fn an_established_connection_stays_below_its_ceiling() {
    if in_use().is_none() {
        println!("this C library does not say what it has handed out: nothing is measured");
        return;
    }
    let ca = Ca::new("Test Authority", KeyAlgorithm::EcdsaP256);
    let mut roots = Roots::empty();
    roots.add_der(ca.certificate()).unwrap();
    let issued = ca.issue(LeafSpec::server(NAME));
    let credential = Credential::new(issued.chain, issued.key).unwrap();
    let client = ClientConfig::builder().roots(Arc::new(roots)).build().unwrap();
    let server = ServerConfig::builder().credential(credential).build().unwrap();
    let name = ServerName::try_from(NAME).unwrap();
    let mut wire = vec![0; 1 << 16];
    let mut connect = || {
        let mut ours = ClientConnection::new(&client, name.clone()).unwrap();
        let mut theirs = ServerConnection::new(&server);
        while ours.is_handshaking() || theirs.is_handshaking() {
            carry(&mut ours, &mut theirs, &mut wire);
            carry(&mut theirs, &mut ours, &mut wire);
        }
        carry(&mut theirs, &mut ours, &mut wire);
        assert!(!ours.wants_transmit() && !theirs.wants_transmit());
        drop((ours.take_info(), theirs.take_info()));
        (ours, theirs)
    };
    // Whatever is made once is made.
    (0..10).for_each(|_| drop(connect()));

    let (mut clients, mut servers) = (Vec::with_capacity(CONNECTIONS), Vec::with_capacity(CONNECTIONS));
    let mut measured = [0; 2];
    for (side, bytes) in measured.iter_mut().enumerate() {
        client.sessions().unwrap().clear();
        let before = in_use().unwrap();
        for _ in 0..CONNECTIONS {
            let (ours, theirs) = connect();
            if side == 0 { clients.push(ours) } else { servers.push(theirs) }
        }
        client.sessions().unwrap().clear();
        *bytes = (in_use().unwrap() - before) / CONNECTIONS;
    }
    let [ours, theirs] = measured;
    let (ours, theirs) = (ours + size_of::<ClientConnection>(), theirs + size_of::<ServerConnection>());
    println!("an established connection: client {ours} bytes, server {theirs}");
    assert!(ours <= CLIENT && theirs <= SERVER, "client {ours}, server {theirs}");
}
