use super::*;
use crate::message::{self, message};

fn of_type(typ: HandshakeType) -> impl FnOnce(&mut Writer) {
    move |w| message(w, typ, |w| w.u8(typ.0))
}

fn sent(out: &mut Out) -> Vec<(Level, Vec<u8>)> {
    core::iter::from_fn(|| match out.queue.pop()? {
        Output::Send { level, bytes } => {
            Some((level, message::each(&bytes).filter_map(|message| message.first().copied()).collect()))
        }
        _ => Some((Level::Early, Vec::new())),
    })
    .collect()
}

#[test]
fn messages_that_nothing_comes_between_are_one_flight() {
    let mut out = Out::new(&Transport::Stream);
    out.enable_compatibility();
    let (hello, finished) = (HandshakeType::SERVER_HELLO, HandshakeType::FINISHED);
    assert_eq!(out.message(Level::Initial, 9, of_type(hello)).unwrap(), [2, 0, 0, 1, 2]);
    assert_eq!(
        out.message(Level::Initial, 9, of_type(finished)).unwrap(),
        [20, 0, 0, 1, 20],
        "this one alone"
    );
    out.message(Level::Handshake, 9, of_type(finished)).unwrap();
    out.compatibility_change_cipher_spec();
    out.message(Level::Handshake, 9, of_type(finished)).unwrap();
    let expected = [
        (Level::Initial, vec![2, 20]),
        (Level::Handshake, vec![20]),
        (Level::Early, vec![]),
        (Level::Handshake, vec![20]),
    ];
    assert_eq!(sent(&mut out), expected);
}

#[test]
fn of_a_message_that_is_too_long_nothing_is_sent() {
    let mut out = Out::new(&Transport::Stream);
    let too_long = |w: &mut Writer| w.vec_u8(&[7; 256]);
    assert!(matches!(out.message(Level::Initial, 0, too_long), Err(Error::TooLong)));
    assert!(out.queue.is_empty());
    out.message(Level::Initial, 0, of_type(HandshakeType::FINISHED)).unwrap();
    assert!(matches!(out.message(Level::Initial, 0, too_long), Err(Error::TooLong)));
    assert_eq!(sent(&mut out), [(Level::Initial, vec![20])]);
}
