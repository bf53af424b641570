//! T5 to T7 at the server: early data taken, refused by choice, refused by a HelloRetryRequest; and over QUIC (T13).
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test may be blunt"
)]

mod common;
mod sessions;

use common::short::STREAM;
use common::{Message, NOW, Pair, edit, split_extensions};
use oxtls_crypto::hash::Hash;
use oxtls_crypto::secret::Secret;
use oxtls_handshake::config::ServerHandshake;
use oxtls_handshake::defaults;
use oxtls_handshake::error::Error;
use oxtls_handshake::extension::ExtensionType;
use oxtls_handshake::key_schedule::tls13::EarlySecret;
use oxtls_handshake::message::HandshakeType;
use oxtls_handshake::session::Session;
use oxtls_handshake::step::{ApplicationData, Direction, Level, Transport};
use oxtls_handshake::suite::CipherSuite;
use sessions::{Change, Made, made, ms, nothing, offered, offering, rebound, with_psks};

/// What has become of early data, and what follows it in the queue.
const ACCEPTED: [&str; 9] = [
    "S(ServerHello)@In",
    "CCS",
    "W:HS",
    "Accepted",
    "R:Ea",
    "R(drop,Early { limit: 14336 },pa)",
    "S(EncryptedExtensions)@HS",
    "S(Finished)@HS",
    "W:Ap",
];

/// A session, a server, and a hello that offers it with early data.
fn ready(transport: &Transport, change: Change<'_>) -> (Made, Pair, Message) {
    let made = made(transport, &nothing);
    let (pair, hello) = offering(&made, transport, change);
    (made, pair, hello)
}

/// Up to AcceptSession.
fn proved(made: &Made, pair: &mut Pair, hello: &Message) {
    pair.server.give(hello);
    assert_eq!(pair.server.answer(), ["?FindSession"]);
    assert_eq!(pair.server.found(made.psk()), ["?AcceptSession"]);
}

/// Early data is taken and our flight is out.
fn accepted() -> Pair {
    let (made, mut pair, hello) = ready(&STREAM, &nothing);
    proved(&made, &mut pair, &hello);
    assert_eq!(pair.server.resume(true), ACCEPTED);
    pair
}

fn skips(pair: &Pair) -> Option<u32> {
    match pair.server.read_mode.unwrap().application_data {
        ApplicationData::SkipUndecryptable { limit } => Some(limit),
        _ => None,
    }
}

fn finish(pair: &mut Pair) {
    pair.run();
    assert!(pair.is_done(), "{:?} {:?}", pair.client.failure, pair.server.failure);
}

mod t5_accepted {
    use super::*;

    #[test]
    fn every_row_yields_what_it_says() {
        let mut pair = accepted();
        while pair.server.sent.len() > 1 {
            let message = pair.server.next_message();
            pair.client.give(&message);
        }
        let finished = pair.server.next_message();
        pair.client.give(&finished);
        let end = pair.client.next_message();
        assert_eq!((end.name().as_str(), end.level), ("EndOfEarlyData", Level::Early));
        assert_eq!(pair.server.give(&end), ["R:HS", "R(drop,no)"]);
        let finished = pair.client.next_message();
        assert_eq!(pair.server.give(&finished), ["R:Ap", "R(del,yes)", "Done"]);
        assert!(pair.is_done());
        let (client, server) = (pair.client.outcome(), pair.server.outcome());
        assert!(client.early_data && server.early_data && server.psk.is_some());
        assert!(server.exporter == client.exporter);
    }

    #[test]
    fn keys_and_the_early_exporter_are_those_of_the_hello() {
        let (made, mut pair, hello) = ready(&STREAM, &nothing);
        proved(&made, &mut pair, &hello);
        pair.server.resume(true);
        let early = EarlySecret::new(Hash::Sha256, Some(&made.secret()));
        let digest = Hash::Sha256.digest(&hello.bytes);
        let traffic = early.client_traffic(&digest).unwrap();
        assert_eq!(pair.server.key(Level::Early, Direction::Read), traffic.as_bytes());
        assert_eq!(
            pair.server.key(Level::Early, Direction::Read),
            pair.client.key(Level::Early, Direction::Write)
        );
        let logged = |label| pair.server.key_log.iter().find(|(of, _)| *of == label).unwrap().1.clone();
        assert_eq!(logged("CLIENT_EARLY_TRAFFIC_SECRET"), traffic.as_bytes());
        let exporter = early.exporter(&digest).unwrap();
        assert_eq!(logged("EARLY_EXPORTER_SECRET"), exporter.as_bytes());
        assert_eq!(pair.server.early_exporter.as_deref(), Some(exporter.as_bytes()));
        // Under the handshake key nothing can be read before EndOfEarlyData.
        let keys = pair.server.keys.iter();
        assert!(!keys.clone().any(|key| key.level == Level::Handshake && key.direction == Direction::Read));
    }

    #[test]
    fn the_replay_guard_gets_the_binder() {
        let (made, mut pair, hello) = ready(&STREAM, &nothing);
        proved(&made, &mut pair, &hello);
        let key = pair.server.accept().early_data.expect("early data is possible");
        assert_eq!(key.0, hello.bytes[hello.bytes.len() - 32..]);
    }

    #[test]
    fn the_server_says_so_and_may_answer_at_once() {
        let (made, mut pair, hello) = ready(&STREAM, &|_, server, _| server.half_rtt = true);
        proved(&made, &mut pair, &hello);
        let row = pair.server.resume(true);
        assert_eq!(row.last().unwrap(), "HalfRtt");
        let extensions = pair.server.sent.iter().find(|m| m.typ_is(HandshakeType::ENCRYPTED_EXTENSIONS));
        let extensions = split_extensions(extensions.unwrap().body());
        assert!(extensions.contains(&(ExtensionType::EARLY_DATA, Vec::new())));
    }

    #[test]
    fn no_exporter_is_made_where_none_is_wanted() {
        let (made, mut pair, hello) = ready(&STREAM, &|_, _, common| common.exporter = false);
        proved(&made, &mut pair, &hello);
        pair.server.resume(true);
        assert!(pair.server.early_exporter.is_none());
        assert!(pair.server.key_log.iter().all(|(label, _)| *label != "EARLY_EXPORTER_SECRET"));
    }

    #[test]
    fn the_limit_is_the_tickets() {
        let (made, mut pair, hello) = ready(&STREAM, &nothing);
        pair.server.give(&hello);
        pair.server.answer();
        pair.server.found(made.changed(|session| session.max_early_data = 100));
        let row = pair.server.resume(true);
        assert!(row.contains(&"R(drop,Early { limit: 100 },pa)".to_owned()), "{row:?}");
    }

    #[test]
    fn nothing_but_end_of_early_data_ends_it_once() {
        for typ in (0..=255).filter(|typ| *typ != HandshakeType::END_OF_EARLY_DATA.0) {
            let mut pair = accepted();
            let message = Message::new(Level::Early, HandshakeType(typ), &[]);
            assert_eq!(pair.server.give(&message), ["Failed(unexpected_message)@Ap"], "{typ}");
        }
        let end = Message::new(Level::Early, HandshakeType::END_OF_EARLY_DATA, &[]);
        let mut pair = accepted();
        assert_eq!(pair.server.give_with(&end, true), ["Failed(unexpected_message)@Ap"]);
        assert!(matches!(pair.server.error(), Error::ExcessHandshakeData { .. }));
        let mut pair = accepted();
        let longer = Message::new(Level::Early, HandshakeType::END_OF_EARLY_DATA, &[0]);
        assert_eq!(pair.server.give(&longer), ["Failed(decode_error)@Ap"]);
        let mut pair = accepted();
        assert_eq!(pair.server.give(&end), ["R:HS", "R(drop,no)"]);
        assert_eq!(pair.server.give(&end), ["Failed(unexpected_message)@Ap"]);
        for level in [Level::Initial, Level::Handshake, Level::Application] {
            let mut pair = accepted();
            let message = Message { level, ..end.clone() };
            assert_eq!(pair.server.give(&message), ["Failed(unexpected_message)@Ap"]);
            assert!(matches!(pair.server.error(), Error::WrongLevel { .. }));
        }
    }

    #[test]
    fn a_finished_over_a_transcript_without_end_of_early_data_is_refused() {
        let mut pair = accepted();
        let mut finished = None;
        pair.run_with(|to_server, message| {
            if to_server && message.typ_is(HandshakeType::FINISHED) {
                let at = message.bytes.len() - 1;
                message.bytes[at] ^= 1;
                finished = Some(message.clone());
            }
        });
        assert!(finished.is_some() && matches!(pair.server.error(), Error::BadFinished));
    }

    /// Each byte of the client's answer changed, and each of the hello that the server was told to take all the same.
    #[test]
    fn an_answer_that_was_changed_is_never_accepted() {
        let honest: Vec<Message> = {
            let mut pair = accepted();
            while let Some(message) = pair.server.sent.pop_front() {
                pair.client.give(&message);
            }
            pair.client.sent.into_iter().collect()
        };
        assert_eq!(honest.len(), 2);
        for (n, message) in honest.iter().enumerate() {
            for at in 0..message.bytes.len() {
                let mut pair = accepted();
                let mut seen = 0;
                pair.run_with(|to_server, message| {
                    if to_server {
                        if seen == n {
                            message.bytes[at] ^= 1;
                        }
                        seen += 1;
                    }
                });
                assert!(pair.server.done.is_none(), "byte {at} of {}", honest[n].name());
            }
        }
    }

    #[test]
    fn an_abort_while_early_data_comes_in_is_sent_under_the_application_key() {
        let mut pair = accepted();
        assert_eq!(pair.server.abort(Error::DeadlineExceeded), ["Failed(user_canceled)@Ap"]);
    }
}

mod t6_rejected {
    use super::*;

    /// What the machine says of early data under the changed session, by what AcceptSession says and what goes out.
    fn refused(change: impl FnOnce(&mut Session), server: impl Fn(&mut ServerHandshake)) -> (Made, Pair) {
        let (made, mut pair, hello) = ready(&STREAM, &|_, config, _| server(config));
        pair.server.give(&hello);
        pair.server.answer();
        assert_eq!(pair.server.found(made.changed(change)), ["?AcceptSession"]);
        (made, pair)
    }

    #[test]
    fn every_reason_is_told_and_the_session_is_resumed_all_the_same() {
        type Case = (&'static str, fn(&mut Session), fn(&mut ServerHandshake));
        let cases: &[Case] = &[
            ("Disabled", |_| (), |server| server.early_data = false),
            ("UnsupportedForSession", |s| s.max_early_data = 0, |_| ()),
            ("UnsupportedForSession", |s| s.guard = None, |_| ()),
            ("UnsupportedForSession", |s| s.suite = CipherSuite::TLS_CHACHA20_POLY1305_SHA256, |_| ()),
            ("UnsupportedForSession", |s| s.max_early_data = 20_000, |_| ()),
            (
                "UnsupportedForSession",
                |s| {
                    s.server_name = Some("other.example".into());
                    s.resumption_across_names = true;
                },
                |server| server.resumption_across_names = true,
            ),
            ("Alpn", |s| s.alpn = Some(b"other".to_vec()), |_| ()),
            ("Alpn", |s| s.alpn = None, |_| ()),
            ("TicketAge", |s| s.made_at = NOW - ms(10_001), |_| ()),
            ("TicketAge", |s| s.made_at = NOW + ms(10_001), |_| ()),
            ("TicketAge", |s| s.made_at = NOW - ms(2), |server| server.max_age_skew = ms(1)),
        ];
        for (reason, change, server) in cases {
            let (_, mut pair) = refused(change, server);
            let need = pair.server.accept();
            assert!(need.early_data.is_none(), "{reason}");
            // The word of the outside counts only if it was asked for.
            let answer = need.resume(true);
            let row = pair.server.take_answer(answer);
            assert_eq!(row[0], format!("Rejected({reason})"));
            assert_eq!(row[1..5], ["S(ServerHello)@In", "CCS", "W:HS", "R:HS"]);
            assert!(skips(&pair).unwrap() >= defaults::MAX_EARLY_DATA, "{reason}");
            finish(&mut pair);
            assert!(!pair.server.outcome().early_data && pair.server.outcome().psk.is_some());
        }
    }

    #[test]
    fn a_skew_that_is_just_within_the_limit_is_taken() {
        for made_at in [NOW - ms(10_000), NOW + ms(10_000)] {
            let (_, mut pair) = refused(|session| session.made_at = made_at, |_| ());
            assert!(pair.server.accept().early_data.is_some());
        }
    }

    #[test]
    fn the_replay_guard_can_refuse() {
        let (_, mut pair) = refused(|_| (), |_| ());
        let row = pair.server.resume(false);
        assert_eq!(row[0], "Rejected(Replay)");
        finish(&mut pair);
        assert!(pair.server.outcome().psk.is_some());
    }

    #[test]
    fn without_a_session_nothing_of_it_is_taken() {
        for (found, declined) in [(false, false), (true, true)] {
            let (made, mut pair, hello) = ready(&STREAM, &nothing);
            pair.server.give(&hello);
            pair.server.answer();
            if found {
                pair.server.found(made.psk());
            } else {
                pair.server.none_found();
            }
            if declined {
                pair.server.decline();
            }
            let row = pair.server.answer();
            assert_eq!(row[..2], ["Rejected(NotResumed)", "S(ServerHello)@In"]);
            assert!(skips(&pair).is_some());
            finish(&mut pair);
        }
    }

    #[test]
    fn it_goes_with_the_first_identity_only() {
        let (made, mut pair, hello) = ready(&STREAM, &nothing);
        let (ticket, age) = offered(&hello);
        let (other, right) = (Secret::new(&[1; 32]).unwrap(), made.secret());
        let psks = [(&b"not ours"[..], 0, &other), (&ticket, age, &right)];
        let hello = with_psks(&hello, &[], Hash::Sha256, &psks, false);
        pair.server.give(&hello);
        pair.server.answer();
        let answer = pair.server.find().found(1, made.psk());
        pair.server.take_answer(answer);
        let need = pair.server.accept();
        assert!(need.early_data.is_none());
        let answer = need.resume(true);
        assert_eq!(pair.server.take_answer(answer)[0], "Rejected(NotResumed)");
    }

    #[test]
    fn end_of_early_data_has_no_place_then() {
        let (_, mut pair) = refused(|_| (), |_| ());
        pair.server.resume(false);
        for level in [Level::Early, Level::Handshake] {
            let (_, mut pair) = refused(|_| (), |_| ());
            pair.server.resume(false);
            let message = Message::new(level, HandshakeType::END_OF_EARLY_DATA, &[]);
            assert_eq!(pair.server.give(&message), ["Failed(unexpected_message)@Ap"]);
        }
    }

    /// A ticket from a time when more was allowed: what the client was promised may come, and is passed over.
    #[test]
    fn as_much_is_passed_over_as_the_ticket_promised() {
        let (_, mut pair) = refused(|session| session.max_early_data = 1 << 20, |_| ());
        pair.server.resume(false);
        assert!(skips(&pair).unwrap() >= 1 << 20);
    }

    #[test]
    fn a_hello_without_early_data_leads_to_no_word_of_it() {
        let (made, mut pair, hello) = ready(&STREAM, &nothing);
        let hello = rebound(&hello, &made, |hello| hello.remove(ExtensionType::EARLY_DATA));
        proved(&made, &mut pair, &hello);
        let need = pair.server.accept();
        assert!(need.early_data.is_none());
        let answer = need.resume(true);
        let row = pair.server.take_answer(answer);
        assert!(row[0] == "S(ServerHello)@In" && skips(&pair).is_none());
    }
}

mod t7_retry {
    use super::*;

    #[test]
    fn a_retry_ends_early_data_and_no_more_is_passed_over_after_it() {
        let (made, mut pair, hello) = ready(&STREAM, &nothing);
        pair.server.answers.cookie = Some(b"crumb".to_vec());
        pair.server.give(&hello);
        let row = pair.server.answer();
        assert_eq!(row[..3], ["Rejected(HelloRetryRequest)", "S(HelloRetryRequest)@In", "CCS"]);
        assert!(row[3].starts_with("R(drop,SkipUntilClientHello"), "{row:?}");
        pair.client.give(&pair.server.next_message());
        let second = pair.client.next_message();
        assert_eq!(pair.server.give(&second), ["?FindSession"]);
        assert_eq!(pair.server.found(made.psk()), ["?AcceptSession"]);
        let need = pair.server.accept();
        assert!(need.early_data.is_none());
        let answer = need.resume(true);
        let row = pair.server.take_answer(answer);
        assert_eq!(row[..4], ["S(ServerHello)@In", "W:HS", "R:HS", "R(drop,no,pa)"]);
        finish(&mut pair);
        assert!(!pair.server.outcome().early_data && pair.server.outcome().psk.is_some());
    }

    #[test]
    fn early_data_in_the_second_hello_is_not_looked_at() {
        let (made, mut pair, hello) = ready(&STREAM, &nothing);
        pair.server.answers.cookie = Some(b"crumb".to_vec());
        pair.server.give(&hello);
        pair.server.answer();
        let retry = pair.server.next_message();
        pair.client.give(&retry);
        let second = edit(&pair.client.next_message(), |hello| {
            hello.extensions.insert(0, (ExtensionType::EARLY_DATA, Vec::new()));
        });
        let digest = Hash::Sha256.digest(&hello.bytes);
        let before = [&[254, 0, 0, 32], digest.as_bytes(), &retry.bytes].concat();
        let (ticket, age) = offered(&second);
        let second = with_psks(&second, &before, Hash::Sha256, &[(&ticket, age, &made.secret())], false);
        assert_eq!(pair.server.give(&second), ["?FindSession"]);
        assert_eq!(pair.server.found(made.psk()), ["?AcceptSession"]);
        assert!(pair.server.accept().early_data.is_none());
    }
}

mod t13_quic {
    use super::*;

    fn quic() -> Transport {
        Transport::Quic { parameters: b"parameters".to_vec() }
    }

    #[test]
    fn both_read_keys_live_together_and_nothing_ends_early_data() {
        let (made, mut pair, hello) = ready(&quic(), &nothing);
        proved(&made, &mut pair, &hello);
        let row = pair.server.resume(true);
        assert_eq!(
            row,
            [
                "PeerParameters",
                "S(ServerHello)@In",
                "W:HS",
                "Accepted",
                "R:Ea",
                "max_message",
                "R:HS",
                "S(EncryptedExtensions)@HS",
                "S(Finished)@HS",
                "W:Ap"
            ]
        );
        finish(&mut pair);
        assert!(pair.server.outcome().early_data && pair.client.outcome().early_data);
    }

    #[test]
    fn end_of_early_data_is_a_violation() {
        let (made, mut pair, hello) = ready(&quic(), &nothing);
        proved(&made, &mut pair, &hello);
        pair.server.resume(true);
        let message = Message::new(Level::Handshake, HandshakeType::END_OF_EARLY_DATA, &[]);
        pair.server.give(&message);
        assert!(matches!(pair.server.error(), Error::QuicViolation(_)));
    }

    #[test]
    fn a_refusal_skips_nothing_here() {
        let (made, mut pair, hello) = ready(&quic(), &nothing);
        proved(&made, &mut pair, &hello);
        let row = pair.server.resume(false);
        assert_eq!(row[0], "Rejected(Replay)");
        finish(&mut pair);
    }
}

/// A PSK handshake asks nothing after AcceptSession: no early data waits for an answer (I14).
#[test]
fn nothing_is_asked_while_early_data_comes_in() {
    let pair = accepted();
    assert!(pair.server.need.is_none());
}
