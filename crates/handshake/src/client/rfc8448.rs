//! The trace of RFC 8448 section 4 (resumed 0-RTT) through the client machine, from its hello on. The recorded hello holds
//! extensions that ours does not send, so it is put in the place of ours; all that depends on it is the machine's: binder,
//! early keys, every later key, EndOfEarlyData and Finished.

use core::time::Duration;
use std::sync::Arc;

use oxtls_crypto::key_exchange::NamedGroup;
use oxtls_crypto::secret::Secret;

use super::early_data;
use super::hello::Waiting;
use super::our_hello::{OurHello, key_exchange};
use super::psk::OfferedPsk;
use super::shares::Shares;
use super::{Client, State};
use crate::config::{ClientHandshake, Common, PreparedClient, Randomness, Recorded, Told};
use crate::extension::OfferedSet;
use crate::key_schedule::tls13::resumption_psk;
use crate::machine::{Machine, Out};
use crate::message::client_hello::ClientHello;
use crate::message::new_session_ticket::NewSessionTicket;
use crate::outcome::Outcome;
use crate::post_handshake::{PostHandshake, Received};
use crate::rfc8448::Trace;
use crate::session::{Psk, Session};
use crate::step::{EarlyData, Input, KeyChange, KeySecret, Level, Output, Transport};
use crate::suite::{CipherSuite, ProtocolVersion};
use crate::transcript::Transcript;

const NOW: Duration = Duration::from_secs(1_790_000_000);

/// The session that section 3's ticket makes; section 4 uses it 5 ms later.
fn session() -> Session {
    let simple = Trace::simple();
    let message = NewSessionTicket::parse(&simple.get("server NewSessionTicket")[4..]).unwrap();
    Session {
        version: ProtocolVersion::TLS1_3,
        suite: CipherSuite::TLS_AES_128_GCM_SHA256,
        secret: Secret::new(simple.get("tls13 resumption")).unwrap(),
        ticket: message.ticket.to_vec(),
        session_id: Vec::new(),
        server_name: Some("server".into()),
        alpn: None,
        peer: None,
        made_at: NOW - Duration::from_millis(5),
        lifetime: Duration::from_secs(message.lifetime.into()),
        verified_at: NOW,
        age_add: message.age_add,
        max_early_data: message.max_early_data.unwrap(),
        extended_master_secret: false,
        resumption_across_names: false,
        policy: [0; 32],
        expires_at: None,
        guard: None,
        context: Vec::new(),
    }
}

fn config(trace: &Trace) -> Told {
    let common = Common {
        groups: vec![NamedGroup::X25519],
        record_size_limit: Some(0x4001),
        key_log: true,
        randomness: Randomness::Recorded(Recorded {
            random: trace.get("client ClientHello")[6..38].try_into().unwrap(),
            session_id: Vec::new(),
            private_keys: vec![(NamedGroup::X25519, trace.get("client private key").to_vec())],
        }),
        ..Common::default()
    };
    let config = ClientHandshake {
        common: Arc::new(common),
        resumption: true,
        early_data: true,
        ..ClientHandshake::default()
    };
    let shared = Arc::new(PreparedClient::new(config).unwrap());
    Told::new(shared, Some("server".into()), Some(Arc::new(Psk::Session(Box::new(session()))))).unwrap()
}

/// A client that has sent the recorded hello, and its outputs since.
fn waiting(trace: &Trace) -> Client {
    let recorded = trace.get("client ClientHello").to_vec();
    let offered: OfferedSet = ClientHello::parse(&recorded[4..]).unwrap().extensions.offered();
    let (ours, _) = OurHello::new(config(trace), None, NOW).unwrap();
    let psk = OfferedPsk::choose(&ours.config, NOW).unwrap();
    assert!(early_data::is_possible(&ours.config, &psk));

    let identity = psk.offer(NOW).unwrap().identity;
    let theirs = ClientHello::parse(&recorded[4..]).unwrap().extensions.pre_shared_key.unwrap();
    assert!(theirs.identities().eq([identity]), "ticket and obfuscated age");
    let mut hello = recorded.clone();
    let binder = hello.len() - 32..;
    hello[binder].fill(0);
    psk.bind(&mut hello, Transcript::new(psk.suite.hash)).unwrap();
    assert_eq!(hello, recorded, "the binder");

    let shares = Shares::from_iter([key_exchange(ours.config.common(), NamedGroup::X25519, None).unwrap()]);
    let mut out = Out::new(&Transport::Stream);
    out.enable_key_log(ours.random);
    let early_data = early_data::begin(&psk, &hello, true, &mut out).unwrap();
    let state = Waiting::replaying(ours, shares, (psk, early_data), (hello, offered));
    Client(Machine::new(State::Hello(state), out))
}

/// What a client has yielded.
#[derive(Default)]
struct Seen {
    sent: Vec<Vec<u8>>,
    secrets: Vec<Vec<u8>>,
    logged: Vec<(&'static str, Vec<u8>)>,
    early_data: Vec<EarlyData>,
    done: Option<(Box<Outcome>, PostHandshake)>,
}

impl Seen {
    fn drain(&mut self, client: &mut Client) {
        while let Some(output) = client.output() {
            match output {
                Output::Send { bytes, .. } => self.sent.push(bytes),
                Output::Keys(KeyChange { secret: KeySecret::Tls13(secret), .. }) => {
                    self.secrets.push(secret.as_bytes().to_vec());
                }
                Output::KeyLog { label, secret, .. } => {
                    self.logged.push((label, secret.as_bytes().to_vec()));
                }
                Output::EarlyData(early_data) => self.early_data.push(early_data),
                Output::Done(outcome, post_handshake) => self.done = Some((outcome, post_handshake)),
                Output::Read(_) | Output::Limits { .. } => {}
                other => panic!("{other:?}"),
            }
        }
    }
}

#[test]
fn resumed_0_rtt_of_rfc8448_comes_out_of_the_client_byte_for_byte() {
    let trace = Trace::resumption();
    let mut client = waiting(&trace);
    let mut seen = Seen::default();
    seen.drain(&mut client);
    for (level, name) in [
        (Level::Initial, "server ServerHello"),
        (Level::Handshake, "server EncryptedExtensions"),
        (Level::Handshake, "server Finished"),
    ] {
        let more = name == "server EncryptedExtensions";
        client.input(Input::Message { level, bytes: trace.get(name), more, now: NOW }).unwrap();
        seen.drain(&mut client);
    }
    assert_eq!(seen.sent, [trace.get("client EndOfEarlyData"), trace.get("client Finished")]);
    let order = ["c e", "s hs", "c hs", "c ap", "s ap"];
    let expected = order.map(|name| trace.get(&format!("tls13 {name} traffic")).to_vec());
    assert_eq!(seen.secrets, expected, "the handshake's write key comes behind EndOfEarlyData");
    for (label, name) in [
        ("CLIENT_EARLY_TRAFFIC_SECRET", "tls13 c e traffic"),
        ("EARLY_EXPORTER_SECRET", "tls13 e exp master"),
        ("CLIENT_HANDSHAKE_TRAFFIC_SECRET", "tls13 c hs traffic"),
        ("SERVER_HANDSHAKE_TRAFFIC_SECRET", "tls13 s hs traffic"),
        ("CLIENT_TRAFFIC_SECRET_0", "tls13 c ap traffic"),
        ("SERVER_TRAFFIC_SECRET_0", "tls13 s ap traffic"),
        ("EXPORTER_SECRET", "tls13 exp master"),
    ] {
        assert!(seen.logged.contains(&(label, trace.get(name).to_vec())), "{label}");
    }
    let [EarlyData::Offered { limit: 1024, exporter: Some(_) }, EarlyData::Accepted { .. }] =
        &seen.early_data[..]
    else {
        panic!("{:?}", seen.early_data)
    };

    // The resumption secret shows in the PSK of a ticket.
    let (outcome, mut post_handshake) = seen.done.unwrap();
    assert!(outcome.early_data && outcome.psk.is_some());
    let ticket = NewSessionTicket {
        lifetime: 1,
        age_add: 0,
        nonce: b"nonce",
        ticket: b"t",
        max_early_data: None,
        resumption_across_names: false,
    };
    let message = ticket.encode().unwrap();
    let Some(Received::StoreSession(next)) = post_handshake.receive.message(&message, false, NOW).unwrap()
    else {
        panic!("a session is due")
    };
    let secret = Secret::new(trace.get("tls13 res master")).unwrap();
    assert_eq!(next.secret, resumption_psk(outcome.suite.tls13().unwrap().hash, &secret, b"nonce").unwrap());
}
