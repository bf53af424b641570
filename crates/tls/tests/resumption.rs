//! Sessions that are resumed, in both versions and however they are kept.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that fails may panic"
)]

mod common;

use common::{client, client_config, handshake, server_config};
use oxtls::{ClientConfig, ServerConfig, ServerConnection};

/// One connection, its tickets delivered; whether it was resumed, as both ends say.
fn connect(client_config: &ClientConfig, server_config: &ServerConfig) -> bool {
    let (mut client, mut server) = (client(client_config), ServerConnection::new(server_config));
    handshake(&mut client, &mut server).unwrap();
    let bytes = common::drain(&mut server);
    common::feed(&mut client, &bytes).unwrap();
    let (ours, theirs) = (client.info().unwrap().is_resumed(), server.info().unwrap().is_resumed());
    assert_eq!(ours, theirs);
    ours
}

#[test]
fn a_client_that_comes_back_resumes_without_anybody_saying_so() {
    let (client, server) = (client_config().build().unwrap(), server_config().build().unwrap());
    assert!(!connect(&client, &server));
    for _ in 0..5 {
        assert!(connect(&client, &server));
    }
}
