//! Both machines, and whoever answers the server's questions about sessions.

use super::*;

/// What the server's outside keeps: sessions by their IDs or tickets, as bytes.
#[derive(Default)]
struct Store {
    kept: Vec<(Vec<u8>, Vec<u8>)>,
    asked: Vec<&'static str>,
    renew: bool,
    decline: bool,
    early_data: bool,
}

impl Store {
    fn keep(&mut self, name: &[u8], session: &Session) {
        self.kept.push((name.to_vec(), session.to_bytes().unwrap().to_vec()));
    }

    fn find<'a>(&self, offers: impl Iterator<Item = SessionOffer<'a>>) -> Option<(usize, Psk)> {
        offers.enumerate().find_map(|(at, offer)| {
            let (SessionOffer::PskIdentity { identity: name, .. }
            | SessionOffer::Ticket(name)
            | SessionOffer::SessionId(name)) = offer;
            let (_, bytes) = self.kept.iter().find(|(kept, _)| kept == name)?;
            Some((at, Psk::Session(Box::new(Session::from_bytes(bytes).unwrap()))))
        })
    }

    /// Answers what the server asks, until it asks no more.
    fn settle(&mut self, server: &mut End) {
        server.drain();
        while let Some(need) = server.need.take() {
            self.asked.push(need.name());
            let answer = match need {
                Need::FindSession(need) => match self.find(need.offers()) {
                    Some((at, psk)) => need.found(at, psk),
                    None => need.none(),
                },
                Need::AcceptSession(need) if self.decline => need.decline(),
                Need::AcceptSession(need) if self.renew => need.renew(),
                Need::AcceptSession(need) => need.resume(self.early_data),
                Need::SealTicket(need) => {
                    let name = format!("ticket {}", self.kept.len()).into_bytes();
                    self.keep(&name, &need.session);
                    need.answer(Some(name))
                }
                other => {
                    server.need = Some(other);
                    server.answer();
                    continue;
                }
            };
            server.machine.input(Input::Answer(answer)).unwrap();
            server.drain();
        }
    }

    /// One handshake. Every Need is answered as soon as it is asked.
    fn run(&mut self, pair: &mut Pair) {
        self.asked.clear();
        pair.client.settle();
        self.settle(&mut pair.server);
        loop {
            if let Some(message) = pair.client.sent.pop_front() {
                if pair.server.offer(&message, false).is_ok() {
                    self.settle(&mut pair.server);
                }
            } else if let Some(message) = pair.server.sent.pop_front() {
                if pair.client.offer(&message, false).is_ok() {
                    pair.client.settle();
                }
            } else {
                break;
            }
        }
        assert!(pair.is_done(), "{:?} {:?}", pair.client.failure, pair.server.failure);
        if let Some(session) = &pair.server.outcome().session {
            let id = session.session_id.clone();
            self.keep(&id, session);
        }
    }
}

#[derive(Clone, Copy)]
struct Ends {
    version: ProtocolVersion,
    tickets: bool,
}

impl Ends {
    fn pair(self, session: Option<Arc<Psk>>) -> Pair {
        let common = || Arc::new(common_config(self.version, self.version));
        let config = ClientHandshake {
            common: common(),
            server_name: Some(NAME.to_owned()),
            resumption: true,
            session,
            early_data: true,
            tls12_tickets: self.tickets,
            ..ClientHandshake::default()
        };
        let server_config = ServerHandshake {
            common: common(),
            resumption: true,
            early_data: true,
            tls12_tickets: self.tickets,
            ..ServerHandshake::default()
        };
        let answers = Answers {
            config: Arc::new(server_config),
            cookie: None,
            credential: Some(credential(KeyAlgorithm::EcdsaP256)),
        };
        Pair { client: client(config, Transport::Stream, None), server: server(Transport::Stream, answers) }
    }
}

fn psk(session: Box<Session>) -> Arc<Psk> {
    Arc::new(Psk::Session(session))
}

fn keys_agree(pair: &Pair) {
    for (ours, theirs) in [(Direction::Write, Direction::Read), (Direction::Read, Direction::Write)] {
        let level = Level::Application;
        assert_eq!(pair.client.key(level, ours), pair.server.key(level, theirs));
    }
    assert_eq!(pair.client.outcome().exporter, pair.server.outcome().exporter);
}

#[test]
fn tls12_by_id_again_and_again() {
    let ends = Ends { version: TLS12, tickets: false };
    let mut store = Store::default();
    let mut pair = ends.pair(None);
    store.run(&mut pair);
    let session = pair.client.done.as_mut().unwrap().0.session.take().unwrap();
    assert_eq!((session.session_id.len(), session.ticket.len()), (32, 0));
    assert_eq!(session.lifetime, defaults::SESSION_ID_LIFETIME);
    assert_eq!((session.made_at, session.verified_at), (NOW, NOW));
    let peer = pair.client.outcome().peer.clone();
    assert!(peer.is_some() && session.peer == peer);
    let session = psk(session);
    for _ in 0..3 {
        let mut pair = ends.pair(Some(Arc::clone(&session)));
        store.run(&mut pair);
        assert!(store.asked.contains(&"AcceptSession"), "{:?}", store.asked);
        assert!(!store.asked.contains(&"Sign"));
        assert!(pair.client.outcome().psk.is_some() && pair.server.outcome().psk.is_some());
        assert_eq!(pair.client.outcome().peer, peer);
        assert!(pair.client.outcome().session.is_none());
        keys_agree(&pair);
    }
    // Unknown or declined: a full handshake, with a session of its own.
    for unknown in [true, false] {
        if unknown {
            store.kept.clear();
        }
        store.decline = !unknown;
        let mut pair = ends.pair(Some(Arc::clone(&session)));
        store.run(&mut pair);
        assert!(store.asked.contains(&"Sign"));
        assert!(pair.client.outcome().psk.is_none());
        let fresh = pair.client.outcome().session.as_ref().unwrap();
        assert_ne!(fresh.session_id, session.session().unwrap().session_id);
        keys_agree(&pair);
    }
}

#[test]
fn tls12_by_ticket_renewed_and_not() {
    let ends = Ends { version: TLS12, tickets: true };
    let mut store = Store::default();
    let mut pair = ends.pair(None);
    store.run(&mut pair);
    assert!(store.asked.contains(&"SealTicket"));
    let session = pair.client.done.as_mut().unwrap().0.session.take().unwrap();
    assert_eq!((&session.ticket[..], session.session_id.len()), (&b"ticket 0"[..], 0));
    let session = psk(session);
    for renew in [false, true] {
        store.renew = renew;
        let mut pair = ends.pair(Some(Arc::clone(&session)));
        store.run(&mut pair);
        keys_agree(&pair);
        assert!(pair.client.outcome().psk.is_some());
        assert_eq!(store.asked.contains(&"SealTicket"), renew);
        let next = pair.client.done.as_mut().unwrap().0.session.take();
        assert_eq!(next.is_some(), renew);
        if let Some(next) = next {
            assert_ne!(next.ticket, session.session().unwrap().ticket);
            assert_eq!(next.secret, session.session().unwrap().secret);
            let mut pair = ends.pair(Some(psk(next)));
            store.renew = false;
            store.run(&mut pair);
            assert!(pair.client.outcome().psk.is_some());
            keys_agree(&pair);
        }
    }
    store.kept.clear();
    let mut pair = ends.pair(Some(session));
    store.run(&mut pair);
    assert!(pair.client.outcome().psk.is_none() && pair.client.outcome().session.is_some());
    keys_agree(&pair);
}

#[test]
fn a_client_of_both_versions_resumes_the_older_one_with_a_server_of_that() {
    for tickets in [false, true] {
        let ends = Ends { version: TLS12, tickets };
        let mut store = Store::default();
        let mut pair = ends.pair(None);
        store.run(&mut pair);
        let session = pair.client.done.as_mut().unwrap().0.session.take().unwrap();
        let mut pair = ends.pair(None);
        let config = ClientHandshake {
            common: Arc::new(common_config(TLS12, TLS13)),
            server_name: Some(NAME.to_owned()),
            resumption: true,
            session: Some(psk(session)),
            tls12_tickets: tickets,
            ..ClientHandshake::default()
        };
        pair.client = client(config, Transport::Stream, None);
        store.run(&mut pair);
        assert_eq!(pair.client.outcome().version, TLS12);
        assert!(pair.client.outcome().psk.is_some());
        keys_agree(&pair);
    }
}

/// The session of a ticket of this connection that allows early data.
fn ticket(pair: &mut Pair, store: &mut Store) -> Box<Session> {
    let tickets = pair.server.done.as_mut().unwrap().1.tickets.as_mut().unwrap();
    tickets.set_max_early_data(1000);
    let mut ticket = tickets.next(NOW).unwrap();
    ticket.session_mut().guard = Some([1; 16]);
    let name = format!("ticket {}", store.kept.len()).into_bytes();
    store.keep(&name, ticket.session());
    let message = ticket.message(&name).unwrap();
    let receive = &mut pair.client.done.as_mut().unwrap().1.receive;
    match receive.message(&message, false, NOW).unwrap() {
        Some(Received::StoreSession(session)) => session,
        other => panic!("{other:?}"),
    }
}

#[test]
fn tls13_by_ticket_with_early_data_taken_refused_and_behind_a_retry() {
    let ends = Ends { version: TLS13, tickets: false };
    let mut store = Store { early_data: true, ..Store::default() };
    let mut pair = ends.pair(None);
    store.run(&mut pair);
    let mut verified = None;
    for (early_data, retried) in [(true, false), (false, false), (true, true), (true, false)] {
        store.early_data = early_data;
        let session = ticket(&mut pair, &mut store);
        assert_eq!(*verified.get_or_insert(session.verified_at), session.verified_at);
        pair = ends.pair(Some(psk(session)));
        pair.server.answers.cookie = retried.then(|| b"cookie".to_vec());
        store.run(&mut pair);
        let taken = early_data && !retried;
        for end in [&pair.client, &pair.server] {
            assert_eq!((end.outcome().early_data, end.outcome().hello_retry_request), (taken, retried));
            assert!(end.outcome().psk.is_some());
        }
        if taken {
            assert_eq!(
                pair.client.key(Level::Early, Direction::Write),
                pair.server.key(Level::Early, Direction::Read)
            );
            assert_eq!(pair.client.early_exporter, pair.server.early_exporter);
        }
        keys_agree(&pair);
    }
}

#[test]
fn tls13_declined_with_early_data_outstanding() {
    let ends = Ends { version: TLS13, tickets: false };
    for decline in [true, false] {
        let mut store = Store::default();
        let mut pair = ends.pair(None);
        store.run(&mut pair);
        let session = ticket(&mut pair, &mut store);
        store.decline = decline;
        if !decline {
            store.kept.clear();
        }
        let mut pair = ends.pair(Some(psk(session)));
        store.run(&mut pair);
        assert!(store.asked.contains(&"FindSession"));
        assert!(pair.client.outcome().psk.is_none() && !pair.client.outcome().early_data);
        keys_agree(&pair);
    }
}
