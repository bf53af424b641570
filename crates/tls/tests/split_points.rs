//! Bytes arrive and leave in pieces of any size: the result is the same.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that fails may panic"
)]

mod common;

use common::*;
use oxtls::{Connection, Error, Event, Role};
use proptest::prelude::*;

/// Moves bytes in pieces: feeds `from`'s output to `to`, at most `piece` bytes at a time, through windows of `window`.
fn carry<A: Role, B: Role>(
    from: &mut Connection<A>,
    to: &mut Connection<B>,
    wire: &mut Vec<u8>,
    received: &mut Vec<u8>,
    mut sizes: impl FnMut() -> usize,
) -> Result<(), Error> {
    loop {
        let mut window = vec![0; sizes()];
        let written = from.transmit(&mut window);
        wire.extend_from_slice(&window[..written]);
        if written == 0 && !from.wants_transmit() {
            break;
        }
    }
    let mut arrived = Vec::new();
    while !wire.is_empty() {
        let piece = sizes().min(wire.len());
        arrived.extend(wire.drain(..piece));
        loop {
            let progress = to.feed(&mut arrived)?;
            if let Some(Event::Data(range)) = &progress.event {
                received.extend_from_slice(&arrived[range.clone()]);
            }
            arrived.drain(..progress.consumed);
            if progress.consumed == 0 {
                break;
            }
        }
    }
    // The beginning of a record stays on the wire for the next round.
    *wire = arrived;
    Ok(())
}

/// A whole mutual session in pieces; what each side received, and what was negotiated.
fn session(sizes: &[usize], payload: &[u8]) -> (Vec<u8>, Vec<u8>, String) {
    let mut next = 0;
    let mut sizes = || {
        next = (next + 1) % sizes.len();
        sizes[next].max(1)
    };
    let (mut client, mut server) =
        ends(&mutual_client_config().build().unwrap(), &mutual_server_config().build().unwrap());
    let (mut up, mut down) = (Vec::new(), Vec::new());
    let (mut at_server, mut at_client) = (Vec::new(), Vec::new());
    for _ in 0..6 {
        carry(&mut client, &mut server, &mut up, &mut at_server, &mut sizes).unwrap();
        carry(&mut server, &mut client, &mut down, &mut at_client, &mut sizes).unwrap();
    }
    assert!(!client.is_handshaking() && !server.is_handshaking());
    up.extend(seal(&mut client, payload));
    carry(&mut client, &mut server, &mut up, &mut at_server, &mut sizes).unwrap();
    down.extend(seal(&mut server, payload));
    client.close();
    carry(&mut server, &mut client, &mut down, &mut at_client, &mut sizes).unwrap();
    carry(&mut client, &mut server, &mut up, &mut at_server, &mut sizes).unwrap();
    server.close();
    carry(&mut server, &mut client, &mut down, &mut at_client, &mut sizes).unwrap();
    client.end_of_input().unwrap();
    server.end_of_input().unwrap();
    let info = server.info().unwrap();
    let what = format!("{} {} {:?}", info.version(), info.suite(), info.peer_identity().unwrap().subject());
    (at_server, at_client, what)
}

#[test]
fn one_byte_at_a_time_gives_the_same_session() {
    let payload: Vec<u8> = (0..=255).cycle().take(3000).collect();
    let whole = session(&[100_000], &payload);
    assert_eq!(whole.0, payload);
    assert_eq!(whole.1, payload);
    assert_eq!(session(&[1], &payload), whole);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn any_split_points_give_the_same_session(
        sizes in prop::collection::vec(1usize..2000, 1..40),
        payload in prop::collection::vec(any::<u8>(), 0..40_000),
    ) {
        let (at_server, at_client, what) = session(&sizes, &payload);
        prop_assert_eq!(&at_server, &payload);
        prop_assert_eq!(&at_client, &payload);
        prop_assert!(what.contains("TLS 1.3"));
    }
}

#[test]
fn sealing_through_small_windows_loses_nothing() {
    let (mut client, mut server) = connected();
    let payload: Vec<u8> = (0..=255).cycle().take(5000).collect();
    let mut rest = payload.as_slice();
    let mut received = Vec::new();
    while !rest.is_empty() {
        let mut window = [0; 64];
        let sealed = client.seal(rest, &mut window).unwrap();
        rest = &rest[sealed.taken..];
        received.extend(feed(&mut server, &window[..sealed.written]).unwrap().data);
    }
    assert_eq!(received, payload);
    assert!(matches!(client.seal(b"x", &mut [0; 10]), Err(oxtls::SealError::TooSmall { needed: 23 })));
}
