//! Every state of both roles that waits for a message or a ChangeCipherSpec, against everything that may come there.

use super::*;

/// A machine that waits: whose it is, how many messages it got, the honest one that is due, and both ends.
struct Waiting {
    server: bool,
    index: usize,
    due: Message,
    pair: Pair,
}

fn ends(mutual: bool) -> Pair {
    let client_auth = if mutual { ClientAuth::Required } else { ClientAuth::None };
    authenticated(client_auth, Some(credential(KeyAlgorithm::EcdsaP256)))
}

/// The state of this role that has got `index` messages; `None`: the handshake is over before.
fn reach(mutual: bool, server: bool, index: usize) -> Option<Waiting> {
    let mut pair = ends(mutual);
    pair.client.settle();
    pair.server.settle();
    let mut got = 0;
    loop {
        let (to_server, message) = match pair.client.sent.pop_front() {
            Some(message) => (true, message),
            None => (false, pair.server.sent.pop_front()?),
        };
        if to_server == server {
            if got == index {
                return Some(Waiting { server, index, due: message, pair });
            }
            got += 1;
        }
        let end = if to_server { &mut pair.server } else { &mut pair.client };
        end.give(&message);
        end.settle();
    }
}

/// Calls `attack` in every state with a way to reach it anew.
fn for_every_state(mut attack: impl FnMut(&dyn Fn() -> Waiting)) -> usize {
    let mut states = 0;
    for mutual in [false, true] {
        for server in [false, true] {
            for index in 0.. {
                if reach(mutual, server, index).is_none() {
                    break;
                }
                states += 1;
                attack(&|| reach(mutual, server, index).unwrap());
            }
        }
    }
    states
}

impl Waiting {
    fn end(&mut self) -> &mut End {
        if self.server { &mut self.pair.server } else { &mut self.pair.client }
    }

    fn what(&self) -> String {
        let role = if self.server { "server" } else { "client" };
        format!("{role} that waits for {} ({})", self.due.name(), self.index)
    }

    /// Whether this type is taken here: a message that may be left out goes with the one behind it.
    fn takes(&self, typ: HandshakeType) -> bool {
        if !self.server && typ == HandshakeType::HELLO_REQUEST {
            return true;
        }
        let optional = match self.due.name().as_str() {
            "CertificateRequest" => Some(HandshakeType::SERVER_HELLO_DONE),
            "ServerHelloDone" if self.index == 3 => Some(HandshakeType::CERTIFICATE_REQUEST),
            _ => None,
        };
        self.due.typ_is(typ) || optional == Some(typ)
    }

    #[track_caller]
    fn refused(&mut self, alert: AlertDescription, with: &str) {
        let what = self.what();
        let failure = self.end().failure.as_ref().unwrap_or_else(|| panic!("{what}: takes {with}"));
        assert_eq!(failure.alert, alert, "{what}, {with}: {}", failure.error);
        assert_eq!(failure.error.fault(), Fault::Peer, "{what}, {with}");
        assert!(self.end().done.is_none());
    }
}

#[test]
fn a_message_that_is_not_due_is_refused() {
    let types = [0, 1, 2, 3, 4, 5, 8, 11, 12, 13, 14, 15, 16, 20, 21, 22, 24, 25, 99, 254, 255];
    let states = for_every_state(|reach| {
        for typ in types.map(HandshakeType) {
            let mut waiting = reach();
            if waiting.takes(typ) {
                continue;
            }
            let message = Message::new(waiting.due.level, typ, &[0; 3]);
            waiting.end().give(&message);
            waiting.refused(UM, &typ.to_string());
        }
    });
    // ClientHello, key exchange, change, Finished; the same with certificates; six and seven at clients.
    assert_eq!(states, 4 + 6 + 6 + 7);
}

#[test]
fn a_change_of_key_that_is_not_due_is_refused() {
    for_every_state(|reach| {
        for more in [false, true] {
            let mut waiting = reach();
            let change = Message::change_cipher_spec();
            if waiting.due != change || more {
                waiting.end().give_with(&change, more);
                waiting.refused(UM, "ChangeCipherSpec");
            }
        }
    });
}

#[test]
fn a_message_at_the_wrong_level_is_refused() {
    for_every_state(|reach| {
        for level in [Level::Initial, Level::Early, Level::Handshake, Level::Application] {
            let mut waiting = reach();
            if waiting.due == Message::change_cipher_spec() || waiting.due.level == level {
                continue;
            }
            let message = Message { level, ..waiting.due.clone() };
            waiting.end().give(&message);
            waiting.refused(UM, &format!("{level:?}"));
        }
    });
}

#[test]
fn a_message_over_the_limit_is_refused() {
    for_every_state(|reach| {
        let mut waiting = reach();
        let limit = waiting.end().read_mode.unwrap().max_message;
        if waiting.due == Message::change_cipher_spec() {
            return;
        }
        let body = vec![0; usize::try_from(limit).unwrap() - 3];
        let message = waiting.due.with_body(&body);
        waiting.end().give(&message);
        waiting.refused(IP, "a message over the limit");
    });
}

#[test]
fn a_message_that_is_cut_short_or_too_long_never_ends_well() {
    for_every_state(|reach| {
        let honest = reach().due;
        if honest == Message::change_cipher_spec() {
            return;
        }
        let whole = honest.body().len();
        for cut in (0..whole).step_by(7).chain([whole.saturating_sub(1)]).filter(|cut| *cut < whole) {
            let mut waiting = reach();
            let end = cut.min(waiting.due.body().len() - 1);
            let message = waiting.due.with_body(&waiting.due.body()[..end]);
            waiting.end().give(&message);
            waiting.end().settle();
            assert!(waiting.end().failure.is_some(), "{}: {cut}", waiting.what());
        }
        let mut waiting = reach();
        let message = waiting.due.with_body(&[waiting.due.body(), &[0]].concat());
        waiting.end().give(&message);
        assert!(waiting.end().failure.is_some(), "{}: a byte too many", waiting.what());
    });
}
