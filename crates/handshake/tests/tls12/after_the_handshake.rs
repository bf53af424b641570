use super::*;
use common::NOW;

#[test]
fn a_wish_to_renegotiate_is_refused_or_ignored() {
    let mut pair = pair();
    pair.run();
    let (_, at_client) = pair.client.done.as_mut().unwrap();
    let request = [0, 0, 0, 0];
    for _ in 0..defaults::MAX_HELLO_REQUESTS {
        assert!(at_client.receive.message(&request, false, NOW).unwrap().is_none());
    }
    assert_eq!(at_client.receive.message(&request, false, NOW).unwrap_err().alert, UM, "it nags");
    assert!(at_client.tickets.is_none());
    let (_, at_server) = pair.server.done.as_mut().unwrap();
    let failure = at_server.receive.message(&[1, 0, 0, 0], false, NOW).unwrap_err();
    assert_eq!(failure.alert, AlertDescription::NO_RENEGOTIATION);
    assert!(at_server.tickets.is_none());
}

#[test]
fn nothing_else_comes_after_the_handshake() {
    for typ in 0..=255 {
        let mut pair = pair();
        pair.run();
        let message = [typ, 0, 0, 0];
        for (end, passed) in [(&mut pair.client, 0), (&mut pair.server, 1)] {
            if typ != passed {
                let (_, after) = end.done.as_mut().unwrap();
                assert_eq!(after.receive.message(&message, false, NOW).unwrap_err().alert, UM, "{typ}");
            }
        }
    }
}
