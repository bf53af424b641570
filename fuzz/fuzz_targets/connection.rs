//! What a peer sends, cut into pieces: to a server, or to a client whose hello can be answered by anyone.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use oxtls::pki_types::ServerName;
use oxtls::{
    ClientConfig, ClientConnection, Connection, Credential, Event, Role, Roots, ServerConfig,
    ServerConnection,
};
use oxtls_test_pki::{Ca, LeafSpec};

static CONFIGS: LazyLock<(ClientConfig, ServerConfig)> = LazyLock::new(|| {
    let ca = Ca::new("Authority", oxtls::KeyAlgorithm::EcdsaP256);
    let issued = ca.issue(LeafSpec::server("a.test"));
    let mut roots = Roots::empty();
    roots.add_der(ca.certificate()).expect("a root");
    let credential = Credential::new(issued.chain, issued.key).expect("a credential");
    // Without a session ID of its own a client takes a ServerHello that was written beforehand.
    let client = ClientConfig::builder().roots(roots).compatibility_mode(false).alpn(["a"]);
    let server = ServerConfig::builder().credential(credential).alpn(["a"]);
    (client.build().expect("a client"), server.build().expect("a server"))
});

fuzz_target!(|input: &[u8]| {
    let Some((&[role, piece], input)) = input.split_first_chunk() else { return };
    let piece = usize::from(piece).max(1) * if role & 2 == 0 { 1 } else { 64 };
    if role & 1 == 0 {
        drive(ServerConnection::new(&CONFIGS.1), input, piece);
    } else {
        let name = ServerName::try_from("a.test").expect("a name");
        drive(ClientConnection::new(&CONFIGS.0, name).expect("a client"), input, piece);
    }
});

fn drive<R: Role>(mut connection: Connection<R>, input: &[u8], piece: usize) {
    let mut out = vec![0; 20_000];
    let mut buffer = Vec::new();
    for piece in input.chunks(piece) {
        buffer.extend_from_slice(piece);
        loop {
            while connection.transmit(&mut out) > 0 {}
            let Ok(progress) = connection.feed(&mut buffer) else {
                assert!(connection.has_failed());
                while connection.transmit(&mut out) > 0 {}
                assert!(connection.feed(&mut buffer).is_err());
                return;
            };
            assert!(progress.consumed <= buffer.len());
            buffer.drain(..progress.consumed);
            match progress.event {
                None if progress.consumed == 0 => break,
                Some(Event::Need(_) | Event::Closed) => return,
                _ => {}
            }
        }
    }
    let _ = connection.end_of_input();
    while connection.transmit(&mut out) > 0 {}
}
