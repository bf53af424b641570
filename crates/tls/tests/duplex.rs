//! Two halves, key updates, and what the halves tell each other (RFC 9846 section 4.7.3).
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that fails may panic"
)]

mod common;

use std::io::IoSlice;

use common::*;
use oxtls::{AlertDescription, ErrorKind, Event, SealError, Sealed};

#[test]
fn key_updates_of_both_sides_cross() {
    let (mut client, mut server) = connected();
    for round in 0..5u8 {
        client.update_keys(true).unwrap();
        server.update_keys(true).unwrap();
        let up = [drain(&mut client), seal(&mut client, &[round; 100])].concat();
        let down = [drain(&mut server), seal(&mut server, &[round; 50])].concat();
        let at_server = feed(&mut server, &up).unwrap();
        let at_client = feed(&mut client, &down).unwrap();
        assert!(at_server.wants_reply && at_client.wants_reply);
        assert_eq!(at_server.data, [round; 100]);
        assert_eq!(at_client.data, [round; 50]);
        // The replies go out ahead of data.
        let up = seal(&mut client, b"after");
        let down = seal(&mut server, b"after");
        assert_eq!(feed(&mut server, &up).unwrap().data, b"after");
        assert_eq!(feed(&mut client, &down).unwrap().data, b"after");
    }
}

/// Pieces as they are sealed: taken and the bytes for the wire.
fn seal_pieces(
    pieces: &[&[u8]],
    window: usize,
    seal: impl FnOnce(&[IoSlice<'_>], &mut [u8]) -> Result<Sealed, SealError>,
) -> Result<(usize, Vec<u8>), SealError> {
    let slices: Vec<_> = pieces.iter().map(|piece| IoSlice::new(piece)).collect();
    let mut out = vec![0; window];
    let sealed = seal(&slices, &mut out)?;
    out.truncate(sealed.written);
    Ok((sealed.taken, out))
}

#[test]
fn pieces_share_records_behind_what_waits() {
    let (mut client, mut server) = connected();
    let record = |content: usize| 5 + content + 1 + 16;
    let (taken, wire) =
        seal_pieces(&[b"in ", b"", b"pieces"], 100, |slices, out| client.seal_vectored(slices, out)).unwrap();
    assert_eq!((taken, wire.len()), (9, record(9)));
    assert_eq!(feed(&mut server, &wire).unwrap().data, b"in pieces");
    // A KeyUpdate goes first, and a window that ends behind it takes no data.
    server.update_keys(true).unwrap();
    feed(&mut client, &drain(&mut server)).unwrap();
    let update = record(5);
    let (taken, mut wire) =
        seal_pieces(&[b"a", b"b"], update, |slices, out| client.seal_vectored(slices, out)).unwrap();
    assert_eq!((taken, wire.len()), (0, update));
    let refused = seal_pieces(&[b"", b"ab"], 22, |slices, out| client.seal_vectored(slices, out));
    assert!(matches!(refused, Err(SealError::TooSmall { needed: 23 })));
    let (taken, more) =
        seal_pieces(&[b"a", b"bc"], 22 + 2, |slices, out| client.seal_vectored(slices, out)).unwrap();
    assert_eq!(taken, 2);
    wire.extend(more);
    assert_eq!(feed(&mut server, &wire).unwrap().data, b"ab");
}

#[test]
fn a_half_seals_pieces_as_the_whole_does() {
    let (client, mut server) = connected();
    let (mut sender, _receiver) = client.split().unwrap();
    let (taken, wire) =
        seal_pieces(&[b"of ", b"a half"], 100, |slices, out| sender.seal_vectored(slices, out)).unwrap();
    assert_eq!((taken, feed(&mut server, &wire).unwrap().data), (9, b"of a half".to_vec()));
    sender.close();
    // close_notify, and nothing behind it.
    let (taken, wire) =
        seal_pieces(&[b"late"], 100, |slices, out| sender.seal_vectored(slices, out)).unwrap();
    assert_eq!((taken, wire.len()), (0, 5 + 2 + 1 + 16));
    let refused = seal_pieces(&[b"late"], 100, |slices, out| sender.seal_vectored(slices, out));
    assert!(matches!(refused, Err(SealError::Closed)));
}

#[test]
fn requests_while_output_waits_get_one_reply() {
    let (mut client, mut server) = connected();
    for _ in 0..4 {
        client.update_keys(true).unwrap();
        let bytes = drain(&mut client);
        feed(&mut server, &bytes).unwrap();
    }
    let reply = drain(&mut server);
    assert_eq!(reply.len(), 5 + 5 + 1 + 16, "one KeyUpdate in one record");
    feed(&mut client, &reply).unwrap();
    let bytes = seal(&mut server, b"under the next key");
    assert_eq!(feed(&mut client, &bytes).unwrap().data, b"under the next key");
}

#[test]
fn a_flood_of_key_updates_is_refused() {
    let (mut client, mut server) = connected();
    let mut error = None;
    for _ in 0..100 {
        client.update_keys(false).unwrap();
        let bytes = drain(&mut client);
        if let Err(found) = feed(&mut server, &bytes) {
            error = Some(found);
            break;
        }
    }
    let error = error.expect("100 KeyUpdates without data between them");
    assert!(matches!(error.kind(), ErrorKind::Flood(_)));
    assert_eq!(error.alert_sent(), Some(AlertDescription::UNEXPECTED_MESSAGE));
}

#[test]
fn halves_work_in_two_threads() {
    let (client, server) = connected();
    let (mut sender, _receiver) = client.split().unwrap();
    let (_sender, mut receiver) = server.split().unwrap();
    let (pipe, wire) = std::sync::mpsc::channel::<Vec<u8>>();
    let writer = std::thread::spawn(move || {
        for chunk in 0..100u8 {
            let mut window = vec![0; 20_000];
            let sealed = sender.seal(&[chunk; 10_000], &mut window).unwrap();
            assert_eq!(sealed.taken, 10_000);
            pipe.send(window[..sealed.written].to_vec()).unwrap();
            if chunk % 10 == 0 {
                sender.update_keys(false).unwrap();
            }
        }
        sender.close();
        let mut window = [0; 100];
        let len = sender.transmit(&mut window);
        pipe.send(window[..len].to_vec()).unwrap();
    });
    let mut received = 0;
    let mut input = Vec::new();
    let mut closed = false;
    for bytes in wire {
        input.extend(bytes);
        loop {
            let progress = receiver.feed(&mut input).unwrap();
            match progress.event {
                Some(Event::Data(range)) => received += range.len(),
                Some(Event::Closed) => closed = true,
                _ => {}
            }
            input.drain(..progress.consumed);
            if progress.consumed == 0 {
                break;
            }
        }
    }
    writer.join().unwrap();
    assert_eq!(received, 1_000_000);
    assert!(closed);
    receiver.end_of_input().unwrap();
}

#[test]
fn a_failed_receiver_poisons_its_sender_with_the_alert() {
    let (client, mut server) = connected();
    let (mut sender, mut receiver) = client.split().unwrap();
    assert!(sender.belongs_to(&receiver));
    let mut bytes = seal(&mut server, b"x");
    bytes[6] ^= 1;
    let error = receiver.feed(&mut bytes).unwrap_err();
    assert_eq!(error.alert_sent(), Some(AlertDescription::BAD_RECORD_MAC));
    assert!(sender.wants_transmit());
    let mut window = [0; 100];
    let len = sender.transmit(&mut window);
    let told = feed(&mut server, &window[..len]).unwrap_err();
    assert_eq!(told.alert_received(), Some(AlertDescription::BAD_RECORD_MAC));
    assert!(matches!(sender.seal(b"x", &mut window), Err(SealError::Failed)));
    assert!(receiver.has_sender_failed());
}

#[test]
fn a_reply_is_dropped_behind_close_notify() {
    let (mut client, mut server) = connected();
    server.close();
    drain(&mut server);
    client.update_keys(true).unwrap();
    let bytes = drain(&mut client);
    feed(&mut server, &bytes).unwrap();
    assert_eq!(drain(&mut server), b"");
    let bytes = seal(&mut client, b"goes on");
    assert_eq!(feed(&mut server, &bytes).unwrap().data, b"goes on");
}

#[test]
fn keys_are_updated_only_where_application_data_may_go() {
    let (mut client, mut server) = connected();
    client.close();
    assert!(matches!(client.update_keys(false), Err(SealError::Closed)));
    let _ = server.reset();
    assert!(matches!(server.update_keys(true), Err(SealError::Failed)));
}

#[test]
fn halves_make_their_connection_whole_again() {
    let (client, mut server) = connected();
    let (other, _) = connected();
    let (mut sender, mut receiver) = client.split().unwrap();
    let (strange, _) = other.split().unwrap();
    let mut bytes = seal(&mut server, b"to the half");
    assert!(matches!(receiver.feed(&mut bytes).unwrap().event, Some(Event::Data(_))));
    let mut window = [0; 100];
    let sealed = sender.seal(b"from the half", &mut window).unwrap();
    feed(&mut server, &window[..sealed.written]).unwrap();
    let (_, receiver) = oxtls::ClientConnection::unsplit(strange, receiver).unwrap_err();
    let mut client = oxtls::ClientConnection::unsplit(sender, receiver).unwrap();
    // A request that came to the reader is answered by the whole.
    server.update_keys(true).unwrap();
    let bytes = [drain(&mut server), seal(&mut server, b"next key")].concat();
    assert_eq!(feed(&mut client, &bytes).unwrap().data, b"next key");
    let bytes = seal(&mut client, b"answered");
    assert_eq!(feed(&mut server, &bytes).unwrap().data, b"answered");
}

#[test]
fn a_connection_that_has_rested_goes_on_as_if_it_had_not() {
    let (mut client, mut server) = connected();
    for n in 0..20_u8 {
        if n % 3 == 0 {
            client.rest();
            client.rest();
        }
        if n % 2 == 0 {
            server.rest();
        }
        if n == 7 {
            client.update_keys(true).unwrap();
            client.rest();
        }
        let bytes = seal(&mut client, &[n; 100]);
        server.rest();
        assert_eq!(feed(&mut server, &bytes).unwrap().data, [n; 100]);
        let bytes = seal(&mut server, &[n; 10]);
        assert_eq!(feed(&mut client, &bytes).unwrap().data, [n; 10]);
    }
    // What does not open does not open any better.
    let mut bytes = seal(&mut client, b"data");
    server.rest();
    bytes[10] ^= 1;
    assert!(feed(&mut server, &bytes).is_err());
}
