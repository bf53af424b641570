//! Sessions that are resumed, in both versions and however they are kept.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that fails may panic"
)]

mod common;

use std::sync::Arc;
use std::time::Duration;

use common::{
    NAME, PKI, client_config, connect, deliver, ends, handshake, is_resumed, mutual_client_config,
    mutual_server_config, resumes, server_config,
};
use oxtls::pki_types::ServerName;
use oxtls::x509::{ObjectIdentifier, Policy, Purpose, Verifier};
use oxtls::{
    ClientAuth, ClientConfig, ClientConfigBuilder, ClientConnection, ClientSession, Clock, Credential,
    Decision, NamedGroup, ProtocolVersion, Resumption, ServerConfig, ServerConfigBuilder, ServerConnection,
    SessionCache, SessionRefusal, SessionStore, SignatureScheme, TicketKeys,
};
use oxtls_test_pki::{LeafSpec, der};

const TLS12: ProtocolVersion = ProtocolVersion::TLS1_2;
const TLS13: ProtocolVersion = ProtocolVersion::TLS1_3;
const HOUR: Duration = Duration::from_secs(3600);
const DAY: Duration = Duration::from_secs(24 * 3600);

/// Every way to keep sessions, by name.
fn ways() -> Vec<(&'static str, ProtocolVersion, Resumption)> {
    let sealed = || Resumption::tickets(TicketKeys::rotating());
    let stored = || Resumption::stored(SessionStore::new(100));
    vec![
        ("1.3, sealed", TLS13, sealed()),
        ("1.3, stored", TLS13, stored()),
        ("1.2, by id", TLS12, sealed()),
        ("1.2, by id in a store given", TLS12, stored()),
        ("1.2, sealed", TLS12, sealed().tls12_tickets(true)),
        ("1.2, stored under tickets", TLS12, stored().tls12_tickets(true)),
    ]
}

fn built(
    version: ProtocolVersion,
    client: ClientConfigBuilder,
    server: ServerConfigBuilder,
) -> (ClientConfig, ServerConfig) {
    let client = client.versions(version, version).tls12_tickets(true);
    (client.build().unwrap(), server.versions(version, version).build().unwrap())
}

#[test]
fn a_client_that_comes_back_resumes_without_anybody_saying_so() {
    let (client, server) = (client_config().build().unwrap(), server_config().build().unwrap());
    assert!(!resumes(&client, &server));
    for _ in 0..5 {
        assert!(resumes(&client, &server));
    }
}

#[test]
fn every_way_to_keep_sessions_resumes_again_and_again_with_the_peers_identities() {
    for (way, version, resumption) in ways() {
        let server = mutual_server_config().resumption(resumption);
        let (client, server) = built(version, mutual_client_config(), server);
        for resumed in [false, true, true, true] {
            let ends = connect(&client, &server);
            assert_eq!(is_resumed(&ends), resumed, "{way}");
            let (ours, theirs) = (ends.0.info().unwrap(), ends.1.info().unwrap());
            assert_eq!((ours.version(), ours.alpn()), (version, Some(&b"b"[..])), "{way}");
            assert_eq!(ours.peer_certificates(), PKI.server.chain(), "{way}");
            assert_eq!(theirs.peer_certificates(), PKI.client.chain(), "{way}");
            let names: Vec<_> = ours.peer_identity().unwrap().dns_names().collect();
            assert_eq!(names, [NAME], "{way}");
            let names: Vec<_> = theirs.peer_identity().unwrap().dns_names().collect();
            assert_eq!(names, ["client.test"], "{way}");
        }
    }
}

#[test]
fn data_flows_both_ways_after_a_resumption() {
    for (way, version, resumption) in ways() {
        let (client, server) = built(version, client_config(), server_config().resumption(resumption));
        connect(&client, &server);
        let (mut client, mut server) = connect(&client, &server);
        let sealed = common::seal(&mut client, b"ping");
        assert_eq!(common::feed(&mut server, &sealed).unwrap().data, b"ping", "{way}");
        let sealed = common::seal(&mut server, b"pong");
        assert_eq!(common::feed(&mut client, &sealed).unwrap().data, b"pong", "{way}");
    }
}

#[test]
fn either_side_can_have_full_handshakes_only() {
    for version in [TLS12, TLS13] {
        let (client, server) = built(version, client_config(), server_config().no_resumption());
        assert!(!resumes(&client, &server) && !resumes(&client, &server));
        assert!(client.sessions().unwrap().is_empty());
        let (client, server) = built(version, client_config().no_sessions(), server_config());
        assert!(!resumes(&client, &server) && !resumes(&client, &server));
        assert!(client.sessions().is_none());
    }
}

#[test]
fn a_session_of_tls13_that_is_stored_is_used_once_by_whoever_has_its_secret() {
    let store = SessionStore::new(10);
    let server = server_config().resumption(Resumption::stored(store.clone()).tickets_per_connection(1));
    let cache = SessionCache::new(10).reuse_tickets(true);
    let (client, server) = built(TLS13, client_config().sessions(cache), server);
    connect(&client, &server);
    assert_eq!(store.len(), 1);
    // Two hellos with the one ticket.
    let (mut one, mut one_server) = ends(&client, &server);
    let (mut other, mut other_server) = ends(&client, &server);
    handshake(&mut one, &mut one_server).unwrap();
    handshake(&mut other, &mut other_server).unwrap();
    assert!(one.info().unwrap().is_resumed());
    assert!(!other.info().unwrap().is_resumed());
}

#[test]
fn tickets_are_used_once_by_clients_unless_told_otherwise() {
    let keys = TicketKeys::rotating();
    let resumption = |most| Resumption::tickets(keys.clone()).most_tickets(most);
    for (reuse, expected) in [(false, [true, true, false]), (true, [true, true, true])] {
        let client = client_config().sessions(SessionCache::new(1).reuse_tickets(reuse));
        let (client, server) = built(TLS13, client, server_config().resumption(resumption(2)));
        connect(&client, &server);
        let (_, silent) = built(TLS13, client_config(), server_config().resumption(resumption(0)));
        assert_eq!([(); 3].map(|()| resumes(&client, &silent)), expected, "two tickets, and no more");
    }
}

#[test]
fn a_client_gets_as_many_tickets_as_it_asks_for_within_bounds() {
    for (wish, most, full, after) in
        [(None, 8, 2, 1), (Some((5, 3)), 8, 5, 3), (Some((0, 0)), 8, 0, 0), (Some((200, 200)), 4, 4, 4)]
    {
        let server = server_config().resumption(Resumption::default().most_tickets(most));
        let mut client = client_config().hand_out_sessions();
        if let Some((full, resumed)) = wish {
            client = client.request_tickets(full, resumed);
        }
        let (config, server) = built(TLS13, client, server);
        let (mut client, _server) = connect(&config, &server);
        let sessions: Vec<_> = std::iter::from_fn(|| client.take_session()).collect();
        assert_eq!(sessions.len(), full, "{wish:?}");
        let Some(session) = sessions.into_iter().next() else { continue };
        let name = ServerName::try_from(NAME).unwrap();
        let mut client = ClientConnection::with_session(&config, name, session).unwrap();
        let mut server = ServerConnection::new(&server);
        handshake(&mut client, &mut server).unwrap();
        assert!(client.info().unwrap().is_resumed());
        deliver(&mut server, &mut client);
        assert_eq!(std::iter::from_fn(|| client.take_session()).count(), after, "{wish:?}");
    }
}

#[test]
fn a_session_ends_with_its_lifetime_and_with_the_cap_since_the_last_signature() {
    for (way, version, resumption) in ways() {
        let (clock, hand) = Clock::manual(common_now());
        let resumption = resumption.lifetime(2 * HOUR).max_since_verified(5 * HOUR);
        let server = server_config().clock(clock.clone()).resumption(resumption);
        let (client, server) = built(version, client_config().clock(clock), server);
        assert!(!resumes(&client, &server), "{way}");
        hand.advance(2 * HOUR);
        assert!(!resumes(&client, &server), "{way}: its lifetime has passed");
        let mut resumed = 0;
        for _ in 0..4 {
            hand.advance(HOUR + HOUR / 2);
            resumed += u32::from(resumes(&client, &server));
        }
        // After 1.5 hours, 3, 4.5; the fourth is past the cap. A TLS 1.2 session is not made anew by its resumption.
        let expected = if version == TLS13 { 3 } else { 2 };
        assert_eq!(resumed, expected, "{way}");
    }
}

/// The present, since the certificates of these tests are of the present.
fn common_now() -> Duration {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap()
}

#[test]
fn a_session_ends_with_the_chain_of_its_peer() {
    for version in [TLS12, TLS13] {
        let (clock, hand) = Clock::manual(common_now());
        let mut server = mutual_server_config().clock(clock.clone());
        server = server.resumption(Resumption::default().lifetime(7 * DAY).max_since_verified(10_000 * DAY));
        let client = mutual_client_config().clock(clock).max_since_verified(10_000 * DAY);
        let (client, server) = built(version, client, server);
        let (mut first, _) = connect(&client, &server);
        drop(first.take_info());
        // Far enough for every certificate here to have ended.
        hand.advance(4000 * DAY);
        let (mut client, mut server) = ends(&client, &server);
        assert!(
            handshake(&mut client, &mut server).is_err(),
            "a full handshake, which fails by their expiry"
        );
    }
}

#[test]
fn resumption_survives_a_retry_for_another_group() {
    let groups = [NamedGroup::X25519, NamedGroup::SECP384R1];
    let client = client_config().groups(&groups);
    let server = server_config().groups(&[NamedGroup::SECP384R1]);
    let (client, server) = built(TLS13, client, server);
    for resumed in [false, true, true] {
        let ends = connect(&client, &server);
        assert_eq!(is_resumed(&ends), resumed);
        assert!(ends.0.info().unwrap().hello_retry_request());
    }
}

#[test]
fn sessions_of_both_versions_live_side_by_side() {
    let both = |builder: ClientConfigBuilder| builder.versions(TLS12, TLS13).build().unwrap();
    let client = both(client_config());
    let keys = TicketKeys::rotating();
    let store = SessionStore::new(10);
    let server = |version| {
        let resumption = Resumption::tickets(keys.clone()).tls12_store(store.clone());
        server_config().versions(version, version).resumption(resumption).build().unwrap()
    };
    let (old, new) = (server(TLS12), server(TLS13));
    assert!(!resumes(&client, &old));
    assert!(resumes(&client, &old));
    // The session of 1.2 is offered, and the server of 1.3 does not know it.
    assert!(!resumes(&client, &new));
    assert!(resumes(&client, &new));
}

/// A connection whose client has a session in its hands.
fn handed_out(client: &ClientConfig, server: &ServerConfig) -> ClientSession {
    let (mut client, _server) = connect(client, server);
    client.take_session().unwrap()
}

fn with_session(
    client: &ClientConfig,
    server: &ServerConfig,
    session: ClientSession,
) -> (ClientConnection, ServerConnection) {
    let name = ServerName::try_from(NAME).unwrap();
    let mut ends =
        (ClientConnection::with_session(client, name, session).unwrap(), ServerConnection::new(server));
    handshake(&mut ends.0, &mut ends.1).unwrap();
    ends
}

/// The client has verified the certificate for the new name before it offers the session; without the server's word, or
/// for a name that is not in it, there is a full handshake.
#[test]
fn a_session_is_resumed_under_other_names_of_its_certificate_where_the_server_says_so() {
    const OTHER: &str = "other.test";
    let issued = PKI.ca.issue(LeafSpec::server(NAME).dns(OTHER));
    let credential = Credential::new(issued.chain, issued.key).unwrap();
    for says_so in [true, false] {
        let resumption = Resumption::tickets(TicketKeys::rotating()).across_names(says_so);
        let server = ServerConfig::builder().credential(credential.clone()).resumption(resumption);
        let client = ClientConfig::builder().roots(Arc::clone(&PKI.roots)).hand_out_sessions();
        let (client, server) = built(TLS13, client, server);
        for (name, resumed) in [(NAME, true), (OTHER, says_so), ("stranger.test", false)] {
            let session = handed_out(&client, &server);
            assert_eq!(session.resumption_across_names(), says_so);
            let name = ServerName::try_from(name).unwrap();
            let first = ClientConnection::with_session(&client, name, session).unwrap();
            let mut ends = (first, ServerConnection::new(&server));
            let done = handshake(&mut ends.0, &mut ends.1).is_ok();
            // The certificate is not the stranger's.
            assert_eq!(done && is_resumed(&ends), resumed);
        }
    }
}

#[test]
fn a_session_goes_through_bytes_and_is_checked_when_it_comes_back() {
    for version in [TLS12, TLS13] {
        let hands = || client_config().hand_out_sessions();
        let (client, server) = built(version, hands(), server_config());
        let bytes = handed_out(&client, &server).to_bytes().unwrap();
        let load = || ClientSession::from_bytes(&bytes).unwrap();
        assert_eq!((load().version(), load().server_name()), (version, Some(NAME)));
        assert!(is_resumed(&with_session(&client, &server, load())), "{version}");

        let name = ServerName::try_from(NAME).unwrap();
        assert!(load().check(&client, &name).is_ok());
        let elsewhere = ServerName::try_from("other.test").unwrap();
        assert!(matches!(load().check(&client, &elsewhere), Err(SessionRefusal::Untrusted(_))));
        let (disabled, _) = built(version, client_config().no_sessions(), server_config());
        assert!(matches!(load().check(&disabled, &name), Err(SessionRefusal::Disabled)));
        let (other, _) = built(version, hands().session_context("another"), server_config());
        assert!(matches!(load().check(&other, &name), Err(SessionRefusal::OtherContext)));
        let (someone, _) = built(version, hands().credential(PKI.client.clone()), server_config());
        assert!(matches!(load().check(&someone, &name), Err(SessionRefusal::OtherContext)));
        assert!(!is_resumed(&with_session(&other, &server, load())), "refused, so a full handshake");
        let (clock, hand) = Clock::manual(common_now());
        let (late, _) = built(version, hands().clock(clock), server_config());
        hand.advance(2 * DAY);
        assert!(matches!(load().check(&late, &name), Err(SessionRefusal::Expired)));
    }
}

#[test]
fn what_a_loaded_session_says_of_its_trust_is_not_believed() {
    let hands = || client_config().hand_out_sessions();
    let (client, server) = built(TLS13, hands(), server_config());
    let session = handed_out(&client, &server);
    // Made under these very roots, but with another server's chain inside: as somebody would who can write the file.
    let stranger = oxtls_test_pki::Ca::new("Stranger", oxtls::KeyAlgorithm::EcdsaP256);
    let issued = stranger.issue(LeafSpec::server(NAME));
    let mut inner = oxtls::handshake::session::Session::from_bytes(&session.to_bytes().unwrap()).unwrap();
    inner.peer.as_mut().unwrap().chain = issued.chain.into();
    let forged = ClientSession::from_bytes(&inner.to_bytes().unwrap()).unwrap();
    let name = ServerName::try_from(NAME).unwrap();
    assert!(matches!(forged.check(&client, &name), Err(SessionRefusal::Untrusted(_))));
    assert!(!is_resumed(&with_session(&client, &server, forged)));
}

#[test]
fn caches_are_bounded_and_shared_without_mixing() {
    let cache = SessionCache::new(4);
    let server = server_config().build().unwrap();
    let with =
        |context: &str| client_config().sessions(cache.clone()).session_context(context).build().unwrap();
    for n in 0..20 {
        assert!(!resumes(&with(&n.to_string()), &server), "each context is a stranger at first");
        assert!(cache.len() <= 4);
    }
    assert!(resumes(&with("19"), &server));
    cache.clear();
    assert!(!resumes(&with("19"), &server));
}

/// Sessions bear the credentials of the configuration; what a caller chooses for one connection they know nothing of, and
/// the next would be taken for it.
#[test]
fn sessions_are_not_kept_unasked_where_the_caller_chooses_the_credential() {
    let asking = || client_config().ask(&[Decision::ChooseCredential]);
    assert!(asking().build().unwrap().sessions().is_none());
    assert!(asking().sessions(SessionCache::new(4)).build().unwrap().sessions().is_some(), "told to");
    assert!(client_config().ask(&[Decision::Sign]).build().unwrap().sessions().is_some());
}

/// Whoever resumes signs nothing: a session of a peer that signed by what is not accepted here must not get around that.
#[test]
fn a_session_is_not_resumed_where_its_peer_could_not_have_signed() {
    let other = [SignatureScheme::ED25519];
    let (cache, server) = (SessionCache::new(4), server_config().build().unwrap());
    let client = || client_config().sessions(cache.clone());
    assert!(!resumes(&client().build().unwrap(), &server));
    let (mut strict, mut end) = ends(&client().verify_schemes(&other).build().unwrap(), &server);
    assert!(handshake(&mut strict, &mut end).is_err());
    assert!(resumes(&client().build().unwrap(), &server));

    let keys = TicketKeys::rotating();
    let server = || mutual_server_config().resumption(Resumption::tickets(keys.clone()));
    let client = mutual_client_config().build().unwrap();
    assert!(!resumes(&client, &server().build().unwrap()));
    let (mut end, mut strict) = ends(&client, &server().verify_schemes(&other).build().unwrap());
    assert!(handshake(&mut end, &mut strict).is_err());
}

#[test]
fn a_caller_that_verifies_clients_from_now_on_is_asked_about_each() {
    let server = server_config().ask(&[Decision::VerifyPeer]).build().unwrap();
    let server = server.with_client_auth(ClientAuth::Required(Arc::clone(&PKI.roots))).unwrap();
    let client = mutual_client_config().build().unwrap();
    for _ in 0..3 {
        let (mut client, mut server) = ends(&client, &server);
        let mut asked = 0;
        for _ in 0..5 {
            let fed = common::feed(&mut server, &common::drain(&mut client)).unwrap();
            for need in fed.needs {
                asked += 1;
                server.answer_as_configured(need).unwrap();
                common::feed(&mut server, &fed.rest).unwrap();
            }
            common::feed(&mut client, &common::drain(&mut server)).unwrap();
        }
        assert!(!client.is_handshaking() && !server.is_handshaking());
        assert_eq!(asked, 1);
    }
}

#[test]
fn a_session_of_tls12_that_fails_is_forgotten() {
    let (client, server) = built(TLS12, client_config(), server_config());
    connect(&client, &server);
    assert!(!client.sessions().unwrap().is_empty());
    let (mut failing, mut other) = ends(&client, &server);
    deliver(&mut failing, &mut other);
    let mut flight = common::drain(&mut other);
    let last = flight.len() - 1;
    flight[last] ^= 1;
    assert!(common::feed(&mut failing, &flight).is_err());
    assert!(client.sessions().unwrap().is_empty() || !resumes(&client, &server));
}

#[test]
fn a_connection_keeps_of_its_session_what_is_no_secret() {
    let (client, server) = (client_config().build().unwrap(), server_config().build().unwrap());
    connect(&client, &server);
    let (client, server) = connect(&client, &server);
    for info in [client.info().unwrap(), server.info().unwrap()] {
        let session = info.session().unwrap();
        assert!(session.made_at >= session.verified_at && session.ends_at > session.made_at);
        assert_eq!(session.alpn.as_deref(), Some(&b"b"[..]));
        assert!(info.is_resumed() && info.outcome().psk.is_none());
    }
}

#[test]
fn a_resumed_peer_has_the_certificate_policies_that_are_asked_for() {
    let policy: ObjectIdentifier = "1.3.6.1.4.1.5555.1".parse().unwrap();
    let inner = der::tlv(0x30, &[&der::oid("1.3.6.1.4.1.5555.1")]);
    let policies = der::tlv(0x30, &[&inner]);
    let credential = |spec: LeafSpec| {
        let issued = PKI.ca.issue(spec.extension("2.5.29.32", false, &policies));
        Credential::new(issued.chain, issued.key).unwrap()
    };
    let verifier = |purpose| {
        let asks = Policy::default().with_required_policies([policy.clone()]);
        Verifier::new(Arc::clone(&PKI.roots), purpose).with_policy(asks)
    };
    for version in [TLS12, TLS13] {
        let client = ClientConfig::builder()
            .verifier(verifier(Purpose::ServerAuth))
            .credential(credential(LeafSpec::client("client.test").dns("client.test")));
        let server = ServerConfig::builder()
            .credential(credential(LeafSpec::server(NAME)))
            .client_auth(ClientAuth::RequiredBy(Box::new(verifier(Purpose::ClientAuth))));
        let (client, server) = built(version, client, server);
        for resumed in [false, true, true] {
            let (client, server) = connect(&client, &server);
            for info in [client.info().unwrap(), server.info().unwrap()] {
                assert_eq!(info.is_resumed(), resumed);
                assert!(info.peer_identity().unwrap().has_policy(&policy), "{version} {resumed}");
            }
        }
    }
}
