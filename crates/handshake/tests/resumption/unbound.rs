//! RFC 7627 sections 5.3 and 5.4: sessions of TLS 1.2 without extended_master_secret, at a client.

use super::*;

fn unbound(session: Session) -> Session {
    Session { extended_master_secret: false, ..session }
}

fn opted_out(_: &mut ClientHandshake, common: &mut Common) {
    common.require_extended_master_secret = false;
    common.resume_unbound_sessions = true;
}

fn sessions() -> [Session; 2] {
    [session_tls12(b"the session's ID", b""), session_tls12(b"", b"the ticket")].map(unbound)
}

#[test]
fn one_is_resumed_where_both_ends_want_it_and_exports_nothing() {
    for session in sessions() {
        let expected = Session::from_bytes(&session.to_bytes().unwrap()).unwrap();
        assert!(!expected.extended_master_secret, "a session that goes through a file keeps the mark");
        let (mut end, hello) = offering(session, opted_out);
        assert!(Hello::of(&hello).has(ExtensionType::EXTENDED_MASTER_SECRET), "always, RFC 7627 section 5.3");
        let mut script = ScriptTls12::resume(&hello, &expected);
        script.extensions.extended_master_secret = false;
        let flight = FlightTls12::new(&hello, &script);
        for message in flight.messages() {
            end.give(&message);
        }
        flight.take(end.sent.drain(..).collect::<Vec<_>>());
        let outcome = end.outcome();
        assert!(outcome.psk.is_some() && !outcome.extended_master_secret && outcome.exporter.is_none());
    }
}

#[test]
fn a_server_that_binds_it_all_of_a_sudden_resumes_something_else() {
    for session in sessions() {
        let expected = Session::from_bytes(&session.to_bytes().unwrap()).unwrap();
        let (mut end, hello) = offering(session, opted_out);
        let message = FlightTls12::new(&hello, &ScriptTls12::resume(&hello, &expected)).server_hello;
        end.refuses(&message, AlertDescription::HANDSHAKE_FAILURE, "In");
        assert!(matches!(end.error(), Error::UnboundSession));
        assert_eq!(end.error().fault(), Fault::Peer);
    }
}

#[test]
fn a_bound_session_stays_one_where_unbound_ones_are_resumed() {
    let session = session_tls12(b"the session's ID", b"");
    let expected = session_tls12(b"the session's ID", b"");
    let (mut end, hello) = offering(session, opted_out);
    let mut script = ScriptTls12::resume(&hello, &expected);
    script.extensions.extended_master_secret = false;
    let message = FlightTls12::new(&hello, &script).server_hello;
    end.refuses(&message, AlertDescription::HANDSHAKE_FAILURE, "In");
    assert!(matches!(end.error(), Error::NoExtendedMasterSecret));
}

#[test]
fn resuming_them_needs_the_other_opt_out() {
    let mut common = common_config(TLS12, TLS12);
    common.resume_unbound_sessions = true;
    assert_eq!(common.check(), Err(ConfigError::UnboundSessionsOfRefusedPeers));
    common.require_extended_master_secret = false;
    assert_eq!(common.check(), Ok(()));
}
