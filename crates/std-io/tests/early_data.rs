//! Resumption and early data over streams.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that fails may panic")]

mod common;

use std::io::{Read, Write};

use common::{Pair, client_config, ends_of, later, pattern, read_some, server_config, shake_hands};
use oxtls::pki_types::ServerName;
use oxtls::{
    ClientConfig, ClientConnection, EarlyDataStatus, ReplayGuard, Resumption, ServerConfig, ServerConnection,
};
use oxtls_std::{EarlyDataLost, EarlyDataUnsettled, EarlyDataWaits};

const LIMIT: usize = 10_000;

fn configs() -> (ClientConfig, ServerConfig) {
    let guard = ReplayGuard::new(100).unwrap();
    let resumption = Resumption::default().early_data(guard, u32::try_from(LIMIT).unwrap());
    (
        client_config().early_data(true).build().unwrap(),
        server_config().resumption(resumption).build().unwrap(),
    )
}

fn ends((client, server): &(ClientConfig, ServerConfig)) -> Pair {
    let name = ServerName::try_from(common::NAME).unwrap();
    ends_of(ClientConnection::new(client, name).unwrap(), ServerConnection::new(server))
}

/// Both ends once more, the client with a session.
fn again(configs: &(ClientConfig, ServerConfig)) -> Pair {
    let (mut client, mut server) = ends(configs);
    assert!(client.early_data().is_none(), "there is no session yet");
    shake_hands(&mut client, &mut server);
    assert_eq!(later(server.early_data().read(&mut [0; 10])), Some(0), "there is none");
    assert_eq!(read_some(&mut client), b"", "tickets only");
    ends(configs)
}

#[test]
fn streams_resume_without_anybody_saying_so() {
    let configs = (client_config().build().unwrap(), server_config().build().unwrap());
    for resumed in [false, true, true] {
        let (mut client, mut server) = ends(&configs);
        shake_hands(&mut client, &mut server);
        assert_eq!(client.connection().info().unwrap().is_resumed(), resumed);
        assert_eq!(read_some(&mut client), b"");
    }
}

#[test]
fn early_data_is_read_apart_and_no_more_than_its_limit() {
    let configs = configs();
    let (mut client, mut server) = again(&configs);
    let data = pattern(LIMIT + 100);
    let mut early = client.early_data().unwrap();
    assert_eq!(early.left(), LIMIT);
    let mut sent = 0;
    while early.left() > 0 {
        sent += early.write(&data[sent..]).unwrap();
    }
    assert_eq!((sent, early.write(&data[sent..]).unwrap()), (LIMIT, 0));

    let mut received = Vec::new();
    let mut piece = [0; 1000];
    while received.len() < LIMIT {
        let len = later(server.early_data().read(&mut piece)).unwrap();
        assert_ne!(len, 0);
        received.extend_from_slice(&piece[..len]);
    }
    assert!(received == data[..LIMIT]);
    shake_hands(&mut client, &mut server);
    assert_eq!(later(server.early_data().read(&mut piece)), Some(0));
    let accepted = EarlyDataStatus::Accepted { bytes: u32::try_from(LIMIT).unwrap() };
    assert_eq!(client.connection().early_data(), accepted);
    assert_eq!(server.connection().early_data(), accepted);
    client.write_all(&data[sent..]).unwrap();
    assert!(read_some(&mut server) == data[sent..]);
}

#[test]
fn early_data_that_nobody_reads_does_not_pass_for_other_data() {
    let (mut client, mut server) = again(&configs());
    client.early_data().unwrap().write_all(b"early").unwrap();
    shake_hands(&mut client, &mut server);
    client.write_all(b"late").unwrap();
    let error = server.read(&mut [0; 10]).unwrap_err();
    assert!(error.get_ref().unwrap().is::<EarlyDataWaits>(), "{error}");
    let mut early = Vec::new();
    server.early_data().read_to_end(&mut early).unwrap();
    assert_eq!(early, b"early");
    assert_eq!(read_some(&mut server), b"late");
}

/// Ends whose server has another guard than the one that the client's session names.
fn refusing() -> Pair {
    let keys = oxtls::TicketKeys::rotating();
    let server = || {
        let limit = u32::try_from(LIMIT).unwrap();
        let resumption = Resumption::tickets(keys.clone()).early_data(ReplayGuard::new(100).unwrap(), limit);
        server_config().resumption(resumption).build().unwrap()
    };
    let mut configs = (client_config().early_data(true).build().unwrap(), server());
    drop(again(&configs));
    configs.1 = server();
    ends(&configs)
}

#[test]
fn a_client_that_asks_sends_refused_early_data_again() {
    let (mut client, mut server) = refusing();
    let mut sent = client.early_data().unwrap().write(b"early").unwrap();
    assert_eq!(sent, 5);
    shake_hands(&mut client, &mut server);
    sent -= client.rejected_early_data().len();
    client.write_all(&b"early and late"[sent..]).unwrap();
    assert_eq!(later(server.early_data().read(&mut [0; 10])), Some(0));
    assert_eq!(read_some(&mut server), b"early and late");
}

/// A way to go on.
type Use = fn(&mut oxtls_std::Stream<oxtls::Client, common::Pipe>) -> std::io::Result<()>;

#[test]
fn a_client_that_does_not_ask_is_told_once_whatever_it_does_next() {
    let uses: [Use; 3] = [
        |client| client.write_all(b"on"),
        |client| client.read(&mut [0; 10]).map(drop),
        |client| client.shutdown(),
    ];
    for goes_on in uses {
        let (mut client, mut server) = refusing();
        client.early_data().unwrap().write_all(b"early").unwrap();
        shake_hands(&mut client, &mut server);
        let error = goes_on(&mut client).unwrap_err();
        let lost = error.get_ref().unwrap().downcast_ref::<EarlyDataLost>();
        assert_eq!(lost, Some(&EarlyDataLost { bytes: 5 }), "{error}");
        assert!(client.rejected_early_data().is_empty(), "said once");
    }
    let (mut client, mut server) = refusing();
    client.early_data().unwrap().write_all(b"early").unwrap();
    shake_hands(&mut client, &mut server);
    assert!(client.write(b"early").is_err());
    client.write_all(b"early").unwrap();
    assert_eq!(read_some(&mut server), b"early");
}

#[test]
fn a_client_that_shuts_down_before_the_server_has_spoken_is_told_that_its_early_data_is_unsettled() {
    let (mut client, _server) = again(&configs());
    client.early_data().unwrap().write_all(b"early").unwrap();
    let error = client.shutdown().unwrap_err();
    let unsettled = error.get_ref().unwrap().downcast_ref::<EarlyDataUnsettled>();
    assert_eq!(unsettled, Some(&EarlyDataUnsettled { bytes: 5 }), "{error}");
    assert!(!client.wants_write(), "close_notify is sent all the same");

    let (mut client, _server) = again(&configs());
    assert!(client.early_data().is_some(), "none was written");
    client.shutdown().unwrap();

    let (mut client, mut server) = again(&configs());
    client.early_data().unwrap().write_all(b"early").unwrap();
    shake_hands(&mut client, &mut server);
    client.shutdown().unwrap();
}
