//! Messages that nobody honest would send, in place of those of a resumption.

use super::*;

/// Our flight is out: nothing but Finished may come.
#[test]
fn nothing_but_finished_follows_a_resumption() {
    for typ in (0..=255).filter(|typ| *typ != HandshakeType::FINISHED.0) {
        let (made, mut pair, hello) = ready(&nothing);
        asked(&mut pair, &hello);
        pair.server.found(made.psk());
        pair.server.resume(false);
        let message = Message::new(Level::Handshake, HandshakeType(typ), &[0]);
        let row = pair.server.give(&message);
        assert_eq!(row, ["Failed(unexpected_message)@Ap"], "{typ}");
    }
}

#[test]
fn a_finished_that_does_not_verify_is_refused_whatever_the_binder_said() {
    let (made, mut pair, hello) = ready(&nothing);
    asked(&mut pair, &hello);
    pair.server.found(made.psk());
    pair.server.resume(false);
    let message = Message::new(Level::Handshake, HandshakeType::FINISHED, &[0; 32]);
    assert_eq!(pair.server.give(&message), ["Failed(decrypt_error)@Ap"]);
}

/// The hello with each of its bytes changed: never resumed by the client that sent it.
#[test]
fn a_hello_that_was_changed_is_never_resumed() {
    let (made, _, hello) = ready(&nothing);
    for at in 4..hello.bytes.len() {
        let mut pair = pair(&STREAM, &nothing);
        pair.server.drain();
        let mut mutant = hello.clone();
        mutant.bytes[at] ^= 1 << (at % 8);
        if pair.server.give(&mutant) != ["?ChooseConfig"] || pair.server.answer() != ["?FindSession"] {
            continue;
        }
        // A changed ticket would not be found, but let the finder be as wrong as can be.
        let row = pair.server.found(made.psk());
        assert_ne!(row, ["?AcceptSession"], "byte {at}");
    }
}

/// Bytes overwritten, repeated, cut out and put in, anywhere: whatever hello comes of it, no binder covers it.
#[test]
fn thousands_of_mutants_of_a_hello_are_never_resumed() {
    let (made, _, hello) = ready(&nothing);
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next = |below: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(state >> 33).unwrap() % below
    };
    // Most can't be decoded; these many get as far as to a session.
    let (mut n, mut asked_for) = (0, 0);
    while asked_for < 300 {
        n += 1;
        assert!(n < 100_000, "only {asked_for} get somewhere");
        let mut body = hello.body().to_vec();
        for _ in 0..=next(3) {
            let at = next(body.len());
            let len = (1 + next(4)).min(body.len() - at);
            match next(4) {
                0 => body[at] = next(256).to_be_bytes()[7],
                1 => drop(body.drain(at..at + len)),
                2 => body.insert(at, next(256).to_be_bytes()[7]),
                _ => {
                    let again = body[at..at + len].to_vec();
                    body.splice(at..at, again);
                }
            }
        }
        if body == hello.body() {
            continue;
        }
        let mut pair = pair(&STREAM, &nothing);
        pair.server.drain();
        if pair.server.give(&hello.with_body(&body)) != ["?ChooseConfig"] {
            continue;
        }
        if pair.server.answer() == ["?FindSession"] {
            asked_for += 1;
            assert_ne!(pair.server.found(made.psk()), ["?AcceptSession"], "mutant {n}");
        }
    }
}

#[test]
fn an_offer_cut_short_or_longer_cannot_be_decoded() {
    let (_, _, hello) = ready(&nothing);
    let offer = common::Hello::of(&hello).get(ExtensionType::PRE_SHARED_KEY).to_vec();
    let de = AlertDescription::DECODE_ERROR;
    for cut in 0..=offer.len() {
        let mut bytes = offer[..cut].to_vec();
        if cut == offer.len() {
            bytes.push(0);
        }
        let mut pair = pair(&STREAM, &nothing);
        pair.server.drain();
        pair.server.give(&edit(&hello, |hello| hello.set(ExtensionType::PRE_SHARED_KEY, &bytes)));
        assert_eq!(pair.server.alert(), de, "{cut}");
    }
}
