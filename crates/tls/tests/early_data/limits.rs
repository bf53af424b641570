//! How much there may be, and what configurations allow none.

use super::*;

#[test]
fn the_limit_binds_the_client_to_the_byte() {
    let (client, server) = (early_client(), early_server(Resumption::default()).build().unwrap());
    connect(&client, &server);
    let data = vec![7; 20_000];
    let limit = usize::try_from(LIMIT).unwrap();
    let (got, client, _) = send_early(&client, &server, &data);
    assert!(got.early == data[..limit]);
    assert_eq!(client.early_data(), accepted(limit));
}

#[test]
fn the_limit_binds_the_server_to_the_byte() {
    // A client that takes more than its ticket allows.
    let resumption = Resumption::default().early_data(guard(), 100);
    let server = server_config().resumption(resumption).build().unwrap();
    let config = client_config().early_data(true).hand_out_sessions().build().unwrap();
    for (len, fits) in [(100, true), (101, false)] {
        let session = connect(&config, &server).0.take_session().unwrap();
        let mut inner = Session::from_bytes(&session.to_bytes().unwrap()).unwrap();
        inner.max_early_data = 1000;
        let session = ClientSession::from_bytes(&inner.to_bytes().unwrap()).unwrap();
        let name = ServerName::try_from(NAME).unwrap();
        let mut client = ClientConnection::with_session(&config, name, session).unwrap();
        let (taken, flight) = seal_early(&mut client, &vec![7; len]);
        assert_eq!(taken, len);
        let outcome = take(&mut ServerConnection::new(&server), &flight, &mut Got::default());
        assert_eq!(outcome.is_ok(), fits);
        if let Err(error) = outcome {
            let kind = error.kind();
            let limit = matches!(kind, ErrorKind::Record(RecordError::EarlyDataTooMuch { limit: 100 }));
            assert!(limit, "{error}");
        }
    }
}

#[test]
fn without_a_guard_there_is_no_early_data() {
    let (client, server) = (early_client(), server_config().build().unwrap());
    connect(&client, &server);
    let (mut client, mut server) = ends(&client, &server);
    assert_eq!((client.early_data(), client.early_data_left()), (EarlyDataStatus::NotOffered, 0));
    assert!(matches!(client.seal_early(b"early", &mut [0; 1000]), Err(SealError::NoEarlyData)));
    handshake(&mut client, &mut server).unwrap();
    assert!(is_resumed(&(client, server)));
}

#[test]
fn clients_send_early_data_only_if_told_to() {
    let (client, server) =
        (client_config().build().unwrap(), early_server(Resumption::default()).build().unwrap());
    connect(&client, &server);
    let (client, _server) = ends(&client, &server);
    assert_eq!(client.early_data(), EarlyDataStatus::NotOffered);
}

#[test]
fn configurations_that_would_let_early_data_be_replayed_are_not_built() {
    let build = |resumption| server_config().resumption(resumption).build();
    let short = ReplayGuard::with_window(10, Duration::from_secs(19)).unwrap();
    let refused = build(Resumption::default().early_data(short.clone(), 1));
    assert!(matches!(refused, Err(ConfigError::Invalid(_))), "less than twice 10 seconds");
    let narrow = Resumption::default().early_data(short, 1).max_age_skew(Duration::from_secs(9));
    assert!(build(narrow).is_ok());
    let elsewhere = Resumption::default().early_data_judged_elsewhere([1; 16], 1);
    assert!(matches!(build(elsewhere.clone()), Err(ConfigError::Missing(_))), "and nobody asked");
    let asked = server_config().resumption(elsewhere).ask(&[Decision::AcceptSession]);
    assert!(asked.build().is_ok());
    assert!(client_config().no_sessions().early_data(true).build().is_err());
}
