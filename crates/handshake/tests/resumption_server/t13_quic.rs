//! T13: the same over QUIC.

use super::*;

fn quic() -> Transport {
    Transport::Quic { parameters: b"parameters".to_vec() }
}

#[test]
fn a_resumption_over_quic_has_the_same_rows_without_records() {
    let made = made(&quic(), &nothing);
    let (mut pair, hello) = offering(&made, &quic(), &|client, _, _| no_early_data(client));
    asked(&mut pair, &hello);
    pair.server.found(made.psk());
    let row = pair.server.resume(false);
    assert_eq!(
        row,
        [
            "PeerParameters",
            "S(ServerHello)@In",
            "W:HS",
            "R:HS",
            "max_message",
            "S(EncryptedExtensions)@HS",
            "S(Finished)@HS",
            "W:Ap"
        ]
    );
    finish(&mut pair);
}
