//! Certificate and ServerKeyExchange: whose key it is, what it signed, and which shares are taken.

use super::*;

#[test]
fn the_certificate_is_there_and_of_the_kind_of_the_suite() {
    let none = changed(Setup::default(), "Certificate", |m| m.with_body(&[0, 0, 0]));
    refused(&none, DE);
    let rsa = credential(KeyAlgorithm::Rsa);
    let other = changed(Setup::default(), "Certificate", |_| Message {
        level: Level::Initial,
        bytes: certificate::encode(&rsa.chain).unwrap(),
    });
    refused(&other, IP);
    let garbage = changed(Setup::default(), "Certificate", |m| m.with_body(&[0, 0, 4, 0, 0, 1, 9]));
    refused(&garbage, DE);
}

#[test]
fn the_key_exchange_is_signed_by_the_certificate_over_both_randoms() {
    let name = "ServerKeyExchange";
    let flipped = changed(Setup::default(), name, |message| {
        let mut message = message.clone();
        *message.bytes.last_mut().unwrap() ^= 1;
        message
    });
    refused(&flipped, AlertDescription::DECRYPT_ERROR);
    // The same share, signed for another handshake.
    let (_, other) = flight(Setup::default());
    refused(&changed(Setup::default(), name, |_| other[2].clone()), AlertDescription::DECRYPT_ERROR);
    for scheme in [
        SignatureScheme::RSA_PSS_RSAE_SHA256,
        SignatureScheme::ECDSA_SHA1,
        SignatureScheme::ED25519,
        SignatureScheme::ML_DSA_65,
    ] {
        let end = changed(Setup::default(), name, |message| {
            let mut message = message.clone();
            let at = 4 + 4 + 32;
            message.bytes[at..at + 2].copy_from_slice(&scheme.0.to_be_bytes());
            message
        });
        refused(&end, IP);
        assert!(matches!(end.error(), Error::WrongSignatureScheme(_)));
    }
}

/// A ServerKeyExchange with these parameters, honestly signed.
fn signed(setup: Setup, scheme: SignatureScheme, params: impl FnOnce(&[u8]) -> Vec<u8>) -> End {
    let signer = setup.server_credential.signer.clone().unwrap();
    let (hello, mut pair) = answered(setup);
    assert!(pair.server.failure.is_none(), "{}", pair.server.error());
    let mut flight: Vec<Message> = pair.server.sent.into();
    let randoms: [[u8; 32]; 2] =
        [&hello, &flight[0]].map(|hello| Hello::of(hello).random.try_into().unwrap());
    let at = flight.iter().position(|m| m.typ() == HandshakeType::SERVER_KEY_EXCHANGE).unwrap();
    let params = params(&flight[at].body()[..4 + 32]);
    let content = server_key_exchange::signed_content(&randoms[0], &randoms[1], &params);
    let signature = signer.sign(scheme, &content).unwrap();
    flight[at].bytes = server_key_exchange::encode(&params, scheme, &signature).unwrap();
    for message in &flight {
        if pair.client.failure.is_none() {
            pair.client.give(message);
        }
    }
    pair.client
}

#[test]
fn groups_and_points_are_judged() {
    let p256 = SignatureScheme::ECDSA_SECP256R1_SHA256;
    let end = signed(Setup::default(), p256, <[u8]>::to_vec);
    assert!(end.failure.is_none() && end.need.is_some(), "what is signed again is good");
    let params = |group: NamedGroup, share: &[u8]| server_key_exchange::params(group, share).unwrap();
    for (group, share) in [
        (NamedGroup::SECP384R1, vec![4; 97]),
        (NamedGroup::X25519_MLKEM768, vec![4; 200]),
        (NamedGroup(0x0100), vec![4; 200]),
        (NamedGroup::X25519, vec![0; 32]),
        (NamedGroup::X25519, vec![9; 31]),
        (NamedGroup::X25519, vec![]),
        (NamedGroup::SECP256R1, vec![4; 65]),
        (NamedGroup::SECP256R1, [&[2][..], &[7; 32]].concat()),
    ] {
        let end = signed(Setup::default(), p256, |_| params(group, &share));
        refused(&end, IP);
    }
    let explicit = signed(Setup::default(), p256, |_| vec![1, 0, 0x1d, 0]);
    refused(&explicit, IP);
}

#[test]
fn any_curve_goes_with_any_hash_in_tls12() {
    // The scheme's name has a curve, which means nothing here. Our keys do not sign so: that it is the signature that
    // is refused, and not the scheme, has to do.
    let server_credential = credential(KeyAlgorithm::EcdsaP384);
    let groups = |common: &mut Common| common.groups = vec![NamedGroup::X25519, NamedGroup::SECP384R1];
    let mut pair = Setup { server_credential, ..Setup::default() }.pair_with(groups, groups);
    pair.run_with(|_, message| {
        if message.typ() == HandshakeType::SERVER_KEY_EXCHANGE {
            let at = 4 + 4 + 32;
            assert_eq!(message.bytes[at..at + 2], SignatureScheme::ECDSA_SECP384R1_SHA384.0.to_be_bytes());
            let mixed = SignatureScheme::ECDSA_SECP256R1_SHA256;
            message.bytes[at..at + 2].copy_from_slice(&mixed.0.to_be_bytes());
        }
    });
    refused(&pair.client, AlertDescription::DECRYPT_ERROR);
    let rsa = || Setup { server_credential: credential(KeyAlgorithm::Rsa), ..Setup::default() };
    for scheme in [SignatureScheme::RSA_PKCS1_SHA256, SignatureScheme::RSA_PSS_RSAE_SHA512] {
        let end = signed(rsa(), scheme, <[u8]>::to_vec);
        assert!(end.failure.is_none(), "{scheme}");
    }
}
