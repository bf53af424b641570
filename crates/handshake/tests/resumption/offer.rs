use super::*;

#[test]
fn a_session_of_tls13_is_the_last_extension_with_its_age_and_a_binder() {
    for suite in [CipherSuite::TLS_AES_128_GCM_SHA256, CipherSuite::TLS_AES_256_GCM_SHA384] {
        let length = if suite == CipherSuite::TLS_AES_256_GCM_SHA384 { 48 } else { 32 };
        let secret = Secret::new(&vec![7; length]).unwrap();
        let session = Session { suite, secret, ..session() };
        let copy = Session::from_bytes(&session.to_bytes().unwrap()).unwrap();
        for grease in [false, true] {
            let session = Session::from_bytes(&copy.to_bytes().unwrap()).unwrap();
            let (_, hello) = offering(session, |config, _| config.grease = grease);
            let owned = OwnedClientHello::new(&hello.bytes).unwrap();
            let extensions = owned.parse().unwrap().extensions;
            assert_eq!(extensions.types_in_order().last(), Some(PSK));
            let psks: Vec<_> = extensions.pre_shared_key.unwrap().identities().collect();
            assert_eq!(psks.len(), 1);
            assert_eq!(psks[0].identity, b"a ticket");
            let age = u32::try_from(AGE.as_millis()).unwrap();
            assert_eq!(psks[0].obfuscated_ticket_age, AGE_ADD.wrapping_add(age), "wraps around");
            assert!(binder_verifies(&copy, core::slice::from_ref(&hello)));
            assert!(extensions.psk_key_exchange_modes.unwrap().psk_dhe_ke());
            assert!(extensions.key_shares.is_some());
            assert!(!extensions.early_data, "only if it is wanted");
        }
    }
}

#[test]
fn only_psk_dhe_ke_is_offered() {
    let (_, hello) = offering(session(), |_, _| ());
    assert_eq!(Hello::of(&hello).get(ExtensionType::PSK_KEY_EXCHANGE_MODES), [1, 1]);
}

#[test]
fn sessions_that_are_wanted_are_asked_for_and_others_not() {
    let asked = TicketRequest { new_session_count: 3, resumption_count: 1 };
    for (resumption, tickets, expected) in
        [(true, true, (true, true)), (true, false, (true, false)), (false, true, (false, false))]
    {
        let config = config(None, |config, common| {
            config.resumption = resumption;
            config.tls12_tickets = tickets;
            config.ticket_request = Some(asked);
            common.min_version = TLS12;
        });
        let (_, hello) = started(config, Transport::Stream);
        assert!(!Hello::of(&hello).has(PSK));
        assert_eq!(Hello::of(&hello).has(ExtensionType::PSK_KEY_EXCHANGE_MODES), expected.0);
        assert_eq!(Hello::of(&hello).has(ExtensionType::TICKET_REQUEST), expected.0);
        assert_eq!(Hello::of(&hello).has(TICKET), expected.1);
        if expected.0 {
            assert_eq!(Hello::of(&hello).get(ExtensionType::TICKET_REQUEST), [3, 1]);
        }
        if expected.1 {
            assert!(Hello::of(&hello).get(TICKET).is_empty());
        }
    }
}

/// And without early data, which is for the server of the session's name.
#[test]
fn a_session_that_is_good_for_other_names_is_offered_to_them() {
    for (early_data, same_name) in [(true, true), (true, false)] {
        let mut session = session();
        session.resumption_across_names = true;
        if !same_name {
            session.server_name = Some("other.example".to_owned());
        }
        let (_, hello) = offering(session, |config, _| config.early_data = early_data);
        assert!(Hello::of(&hello).has(PSK));
        assert_eq!(Hello::of(&hello).has(ExtensionType::EARLY_DATA), same_name);
    }
}

/// Nothing of the session is in the hello, and nothing fails.
#[test]
fn a_session_that_does_not_fit_is_not_offered() {
    type Change = fn(&mut Session);
    let changes: [(&str, Change); 8] = [
        ("another name", |s| s.server_name = Some("other.example".to_owned())),
        ("no name", |s| s.server_name = None),
        ("past its lifetime", |s| s.lifetime = AGE),
        ("past its chain", |s| s.expires_at = Some(NOW)),
        ("a suite that is not offered", |s| {
            s.suite = CipherSuite::TLS_AES_256_GCM_SHA384;
            s.secret = Secret::new(&[7; 48]).unwrap();
        }),
        ("a secret of another length", |s| s.secret = Secret::new(&[7; 31]).unwrap()),
        ("no ticket", |s| s.ticket.clear()),
        ("of TLS 1.2, which is not offered", |s| {
            *s = session_tls12(b"id", b"");
        }),
    ];
    for (what, change) in changes {
        let mut session = session();
        change(&mut session);
        let (_, hello) = offering(session, |config, common| {
            (common.min_version, common.max_version) = (TLS13, TLS13);
            common.suites = vec![CipherSuite::TLS_AES_128_GCM_SHA256];
            config.early_data = true;
            config.resumption = false;
        });
        for typ in [PSK, ExtensionType::EARLY_DATA, ExtensionType::PSK_KEY_EXCHANGE_MODES, TICKET] {
            assert!(!Hello::of(&hello).has(typ), "{what}: {typ}");
        }
    }
    let (_, hello) = offering(session(), |config, _| config.resumption = false);
    assert!(Hello::of(&hello).has(PSK) && Hello::of(&hello).has(ExtensionType::PSK_KEY_EXCHANGE_MODES));
}

#[test]
fn a_session_of_tls12_goes_by_its_id_or_by_its_ticket_with_an_id_of_our_own() {
    let (_, hello) = offering(session_tls12(b"the ID", b""), |_, _| ());
    assert_eq!(Hello::of(&hello).session_id, b"the ID");
    assert!(Hello::of(&hello).get(TICKET).is_empty(), "one would be welcome");
    let (_, by_ticket) = offering(session_tls12(b"", b"the ticket"), |_, _| ());
    assert_eq!(Hello::of(&by_ticket).session_id.len(), 32);
    assert_eq!(Hello::of(&by_ticket).get(TICKET), b"the ticket");
    // Beside TLS 1.3 as well, where the same ID is that of compatibility mode; also if that is off.
    for compatibility_mode in [true, false] {
        let both = |config: &mut ClientHandshake, common: &mut Common| {
            common.max_version = TLS13;
            config.compatibility_mode = compatibility_mode;
        };
        let (_, hello) = offering(session_tls12(b"the ID", b""), both);
        assert_eq!(Hello::of(&hello).session_id, b"the ID");
        let (_, hello) = offering(session_tls12(b"", b"the ticket"), both);
        assert_eq!(Hello::of(&hello).session_id.len(), 32);
        assert!(!Hello::of(&hello).has(PSK));
    }
}

#[test]
fn a_session_of_tls12_that_does_not_fit_is_not_offered() {
    type Change = fn(&mut Session, &mut ClientHandshake, &mut Common);
    let changes: [(&str, Change); 9] = [
        ("another name, whatever its ticket says", |s, config, _| {
            s.resumption_across_names = true;
            config.server_name = None;
        }),
        ("an ID that is too long", |s, config, _| {
            s.session_id = b"the ticket".repeat(4);
            config.tls12_tickets = false;
        }),
        ("without extended master secret", |s, _, common| {
            s.extended_master_secret = false;
            common.require_extended_master_secret = false;
        }),
        ("a secret of another length", |s, _, _| s.secret = Secret::new(&[9; 47]).unwrap()),
        ("another name", |_, config, _| config.server_name = None),
        ("tickets are off", |_, config, _| config.tls12_tickets = false),
        ("a suite that is not offered", |_, _, common| {
            common.suites = vec![CipherSuite::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256];
        }),
        ("its version is not offered", |_, _, common| {
            (common.min_version, common.max_version) = (TLS13, TLS13);
        }),
        ("a recorded hello without an ID", |_, _, common| {
            common.randomness = Randomness::Recorded(Recorded::default());
        }),
    ];
    for (what, change) in changes {
        let mut session = session_tls12(b"", b"the ticket");
        let mut config = config(None, |_, _| ());
        let mut common = common_config(TLS12, TLS12);
        change(&mut session, &mut config, &mut common);
        config.common = Arc::new(common);
        config.session = Some(Arc::new(Psk::Session(Box::new(session))));
        let (_, hello) = started(config, Transport::Stream);
        let bytes = &hello.bytes;
        assert!(!bytes.windows(10).any(|window| window == b"the ticket"), "{what}");
    }
}

#[test]
fn quic_offers_no_session_of_tls12() {
    let mut config =
        config(Some(session_tls12(b"the ID", b"ticket")), |_, common| common.max_version = TLS13);
    config.tls12_tickets = true;
    let (_, hello) = started(config, Transport::Quic { parameters: vec![1] });
    assert!(Hello::of(&hello).session_id.is_empty() && !Hello::of(&hello).has(TICKET));
}

#[test]
fn a_key_of_another_origin_is_refused_before_a_byte_is_sent() {
    let mut config = config(None, |_, _| ());
    let hash = oxtls_crypto::hash::Hash::Sha256;
    config.session = Some(Arc::new(Psk::External { secret: Secret::new(&[1; 32]).unwrap(), hash }));
    assert_eq!(Client::new(config, Transport::Stream, NOW).unwrap_err(), ConfigError::ExternalPsk);
}
