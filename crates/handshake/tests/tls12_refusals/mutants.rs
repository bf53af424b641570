//! Bytes changed, cut and added.

use super::*;

#[test]
fn no_changed_byte_of_the_server_gets_a_client_to_done() {
    let setup = || Setup {
        client_auth: ClientAuth::Optional,
        server_credential: credential(KeyAlgorithm::Ed25519),
        ..Setup::default()
    };
    let mut honest = Vec::new();
    let mut pair = setup().pair();
    pair.run_with(|to_server, message| honest.extend((!to_server).then(|| message.clone())));
    assert!(pair.is_done());
    let names: Vec<_> = honest.iter().map(Message::name).collect();
    assert_eq!(names.len(), 7, "{names:?}");
    for (index, message) in honest.iter().enumerate() {
        // A ChangeCipherSpec has no bytes here, and a changed length is not one message.
        for at in (0..message.bytes.len()).filter(|at| message.bytes.len() > 1 && !(1..4).contains(at)) {
            let mut seen = 0;
            let mut pair = setup().pair();
            pair.run_with(|to_server, message| {
                if !to_server
                    && seen == index
                    && let Some(byte) = message.bytes.get_mut(at)
                {
                    *byte ^= 1 << (at % 8);
                }
                seen += usize::from(!to_server);
            });
            assert!(pair.client.done.is_none(), "byte {at} of {}", names[index]);
        }
    }
}

#[test]
fn a_message_that_is_cut_or_continued_is_malformed() {
    let setup = || Setup { client_auth: ClientAuth::Optional, ..Setup::default() };
    let (_, order) = flight(setup());
    for (index, message) in order.iter().enumerate() {
        let whole = message.body().len();
        let continued = [message.body(), &[0]].concat();
        for body in (0..whole).map(|length| &message.body()[..length]).chain([&continued[..]]) {
            let (mut end, flight) = flight(setup());
            for message in &flight[..index] {
                end.give(message);
            }
            end.give(&message.with_body(body));
            // A ServerHello that ends before its extensions is whole, and says too little.
            let short = message.typ() == HandshakeType::SERVER_HELLO && body.len() == 2 + 32 + 1 + 2 + 1;
            refused(&end, if short { HF } else { DE });
        }
    }
}
