use super::*;

const ROW_5_HELLO: [&str; 4] = ["CCS", "W:HS", "R:HS", "R(drop,no)"];
const ROW_5_FINISHED: [&str; 5] = ["S(Finished)@HS", "W:Ap", "R:Ap", "R(del,yes)", "Done"];

fn flight(hello: &Message, script: &Script<'_>) -> Flight {
    Flight::new(core::slice::from_ref(hello), script)
}

#[test]
fn row_0_and_5_the_servers_finished_is_all_that_follows() {
    let config = config(Some(session()), |_, _| ());
    let mut end = client(config, Transport::Stream, None);
    assert_eq!(end.drain(), ["S(ClientHello)@In", "R(drop,no)"]);
    let hello = end.next_message();
    let session = session();
    let flight = flight(&hello, &Script::resume(&session, false));
    assert_eq!(end.give(&flight.server_hello), ROW_5_HELLO);
    assert_eq!(end.key(Level::Handshake, Direction::Write), flight.client_handshake.as_bytes());
    assert_eq!(end.key(Level::Handshake, Direction::Read), flight.server_handshake.as_bytes());
    assert_eq!(end.give(&flight.encrypted_extensions), ["Limits"]);
    assert_eq!(end.give(&flight.finished), ROW_5_FINISHED, "nobody is asked who the server is");
    assert_eq!(end.key(Level::Application, Direction::Read), flight.application.server.as_bytes());
    assert_eq!(end.key(Level::Application, Direction::Write), flight.application.client.as_bytes());
    let outcome = end.outcome();
    assert_eq!(outcome.version, TLS13);
    assert_eq!(outcome.peer, session.peer, "who it was when the session was made");
    assert!(matches!(&outcome.psk.as_deref(), Some(Psk::Session(s)) if s.ticket == b"a ticket"));
    assert_eq!(outcome.group, Some(NamedGroup::X25519), "forward secrecy, resumed or not");
    assert_eq!(outcome.alpn.as_deref(), Some(&b"h2"[..]));
    assert!(!outcome.early_data && outcome.exporter.is_some() && outcome.session.is_none());
    assert!(outcome.peer_signature_scheme.is_none());
    let sent = end.sent.drain(..).collect::<Vec<_>>();
    flight.take(sent);
}

#[test]
fn the_suite_may_be_another_of_the_same_hash_and_the_protocol_another() {
    let (mut end, hello) = offering(session(), |_, _| ());
    let session = session();
    let mut script = Script::resume(&session, false);
    script.suite = CipherSuite::TLS_CHACHA20_POLY1305_SHA256;
    script.extensions.alpn = Some(b"http/1.1");
    let flight = flight(&hello, &script);
    flight.give_to(&mut end);
    assert_eq!(end.outcome().suite, script.suite);
    assert_eq!(end.outcome().alpn.as_deref(), Some(&b"http/1.1"[..]));
}

#[test]
fn a_server_that_resumes_has_no_certificate_and_asks_for_none() {
    let session = session();
    for typ in
        [HandshakeType::CERTIFICATE_REQUEST, HandshakeType::CERTIFICATE, HandshakeType::CERTIFICATE_VERIFY]
    {
        let (mut end, hello) = offering(super::session(), |_, _| ());
        let flight = flight(&hello, &Script::resume(&session, false));
        end.give(&flight.server_hello);
        end.give(&flight.encrypted_extensions);
        end.refuses(&Message::new(Level::Handshake, typ, &[0, 0, 0, 0]), UM, "HS");
    }
}

#[test]
fn row_5_refuses_what_was_not_offered() {
    let session = session();
    let mut index = Script::resume(&session, false);
    index.selected_identity = Some(1);
    let mut hash = Script::resume(&session, false);
    hash.suite = CipherSuite::TLS_AES_256_GCM_SHA384;
    hash.psk = None;
    for script in [index, hash] {
        let (mut end, hello) = offering(super::session(), |_, _| ());
        end.refuses(&flight(&hello, &script).server_hello, IP, "In");
        assert_eq!(end.error().fault(), Fault::Peer);
    }
    let (mut end, hello) = offering(super::session(), |_, _| ());
    let flight_without = flight(&hello, &Script::resume(&session, false));
    let no_share = edit(&flight_without.server_hello, |hello| hello.remove(ExtensionType::KEY_SHARE));
    end.refuses(&no_share, AlertDescription::MISSING_EXTENSION, "In");
    // Without a session on offer there is nothing to select.
    let (mut end, hello) = started(config(None, |_, _| ()), Transport::Stream);
    let selected = flight(&hello, &Script::resume(&session, false)).server_hello;
    end.refuses(&selected, AlertDescription::UNSUPPORTED_EXTENSION, "In");
}

#[test]
fn a_server_without_the_secret_does_not_get_through() {
    let (mut end, hello) = offering(session(), |_, _| ());
    let other = Session { secret: Secret::new(&[8; 32]).unwrap(), ..session() };
    let flight = flight(&hello, &Script::resume(&other, false));
    end.give(&flight.server_hello);
    end.give(&flight.encrypted_extensions);
    end.refuses(&flight.finished, AlertDescription::DECRYPT_ERROR, "HS");
}

#[test]
fn retry_keeps_the_session_with_a_new_binder_and_age() {
    let (mut end, first) = offering(session(), |_, _| ());
    let request = retry(&first, session().suite, Some(NamedGroup::SECP256R1), Some(b"cookie"));
    let later = NOW + Duration::from_secs(2);
    let input = Input::Message { level: Level::Initial, bytes: &request.bytes, more: false, now: later };
    end.machine.input(input).unwrap();
    assert_eq!(end.drain(), ["CCS", "S(ClientHello)@In"]);
    let second = end.next_message();
    let hellos = [first, request, second.clone()];
    let session = session();
    assert!(binder_verifies(&session, &hellos));
    let owned = OwnedClientHello::new(&second.bytes).unwrap();
    let psks = owned.parse().unwrap().extensions.pre_shared_key.unwrap();
    let age = u32::try_from(AGE.as_millis()).unwrap() + 2000;
    assert_eq!(psks.identities().next().unwrap().obfuscated_ticket_age, AGE_ADD.wrapping_add(age));
    assert_eq!(psks.identities().count(), 1);
    let flight = Flight::new(&hellos, &Script::resume(&session, false));
    flight.give_to(&mut end);
    assert!(end.outcome().psk.is_some() && end.outcome().hello_retry_request);
    let sent: Vec<_> = end.sent.drain(..).collect();
    flight.take(sent);
}

#[test]
fn retry_of_another_hash_drops_the_session() {
    let (mut end, first) = offering(session(), |config, _| config.resumption = false);
    let suite = CipherSuite::TLS_AES_256_GCM_SHA384;
    let request = retry(&first, suite, None, Some(b"cookie"));
    end.give(&request);
    let second = end.next_message();
    assert!(!Hello::of(&second).has(PSK));
    // All else is as it was.
    let without = |hello: &Message| {
        let mut hello = Hello::of(hello);
        hello.remove(PSK);
        hello.remove(ExtensionType::COOKIE);
        hello.message()
    };
    assert_eq!(without(&second), without(&first));
    let session = session();
    let mut script = Script::resume(&session, false);
    (script.suite, script.psk) = (suite, None);
    let flight = Flight::new(&[first, request, second], &script);
    end.refuses(&flight.server_hello, AlertDescription::UNSUPPORTED_EXTENSION, "In");
}

#[test]
fn row_5b_a_declined_session_leaves_a_full_handshake() {
    let answers = server_of_tls13();
    for cookie in [None, Some(b"cookie".to_vec())] {
        let answers = Answers { cookie, ..answers.clone() };
        let config = config(Some(session()), |_, _| ());
        let mut pair = Pair {
            client: client(config, Transport::Stream, None),
            server: server(Transport::Stream, answers),
        };
        let mut asked = Vec::new();
        pair.client.drain();
        pair.server.drain();
        for _ in 0..20 {
            if let Some(message) = pair.client.sent.pop_front() {
                pair.server.give(&message);
                pair.server.settle();
            } else if let Some(message) = pair.server.sent.pop_front() {
                asked.extend(pair.client.give(&message));
                asked.extend(pair.client.settle());
            }
        }
        assert!(pair.is_done(), "{:?} {:?}", pair.client.failure, pair.server.failure);
        assert!(asked.contains(&"?VerifyPeer".to_owned()));
        assert!(pair.client.outcome().psk.is_none());
        assert_ne!(pair.client.outcome().peer, session().peer);
    }
}
