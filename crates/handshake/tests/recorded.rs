//! Handshakes of TLS 1.2 with other implementations, as they once passed: each plays again, both sides' randomness being
//! part of the recording, and every byte that we send is the one that was sent then.
//!
//! `cargo xtask interop --record` makes them. Their certificates have expired since; nothing here looks at that.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test may be blunt"
)]

#[path = "recorded/driver.rs"]
mod driver;

use std::time::Duration;

use driver::{Outside, Patience, Script, play};
use oxtls_crypto::signature::SignatureScheme;

const NOW: Duration = Duration::from_secs(1_790_000_000);

const RECORDINGS: [(&str, &str); 8] = [
    ("openssl-client", include_str!("recorded/openssl-client.txt")),
    ("openssl-server", include_str!("recorded/openssl-server.txt")),
    ("gnutls-client", include_str!("recorded/gnutls-client.txt")),
    ("gnutls-server", include_str!("recorded/gnutls-server.txt")),
    ("nss-client", include_str!("recorded/nss-client.txt")),
    ("nss-server", include_str!("recorded/nss-server.txt")),
    ("go-client", include_str!("recorded/go-client.txt")),
    ("go-server", include_str!("recorded/go-server.txt")),
];

/// The recording in place of the peer.
struct Replay<'a> {
    script: &'a Script,
    /// Records that have passed.
    passed: usize,
}

impl Replay<'_> {
    fn next(&mut self, ours: bool) -> &[u8] {
        let (sent, record) = &self.script.wire[self.passed];
        assert_eq!(*sent, ours, "record {} is of the other side", self.passed);
        self.passed += 1;
        record
    }
}

impl Outside for Replay<'_> {
    fn send(&mut self, record: Vec<u8>) {
        let number = self.passed;
        assert_eq!(record, self.next(true), "record {number} differs");
    }

    fn receive(&mut self) -> Vec<u8> {
        self.next(false).to_vec()
    }

    fn sign(&mut self, scheme: SignatureScheme, _: &[u8]) -> Vec<u8> {
        assert_eq!(scheme.0, self.script.scheme);
        self.script.signature.clone()
    }
}

fn replay(script: &Script, patience: Patience) -> usize {
    let mut outside = Replay { script, passed: 0 };
    let stops = play(script, NOW, patience, &mut outside);
    assert_eq!(outside.passed, script.wire.len(), "not all of the recording was played");
    stops
}

#[test]
fn a_recorded_handshake_plays_again_to_the_byte() {
    for (name, text) in RECORDINGS {
        println!("{name}");
        let stops = replay(&Script::parse(text), Patience::Prompt);
        // A client is asked for its certificate and its signature and about the server; a server for its configuration
        // as well.
        let expected = if name.ends_with("client") { 3 } else { 4 };
        assert_eq!(stops, expected, "{name}");
    }
}

#[test]
fn a_recorded_handshake_that_is_kept_waiting_plays_again_to_the_byte() {
    for (name, text) in RECORDINGS {
        println!("{name}");
        replay(&Script::parse(text), Patience::Late);
    }
}

#[test]
#[should_panic(expected = "differs")]
fn another_random_value_is_noticed() {
    let mut script = Script::parse(RECORDINGS[0].1);
    script.random[0] ^= 1;
    replay(&script, Patience::Prompt);
}

#[test]
fn a_recording_is_what_it_was_read_from() {
    for (name, text) in RECORDINGS {
        let (_, rest) = text.split_once('\n').unwrap();
        let again = Script::parse(text).to_text("it");
        assert_eq!(again.split_once('\n').unwrap().1, rest, "{name}");
    }
}
