//! Every group both ways, and every share that must be refused.

use super::*;

fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.bytes().filter(u8::is_ascii_hexdigit).collect();
    digits
        .chunks(2)
        .map(|pair| u8::from_str_radix(core::str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect()
}

const ECDH: [NamedGroup; 4] =
    [NamedGroup::X25519, NamedGroup::SECP256R1, NamedGroup::SECP384R1, NamedGroup::SECP521R1];
const ML_KEM: [NamedGroup; 2] = [NamedGroup::MLKEM768, NamedGroup::MLKEM1024];
const HYBRIDS: [NamedGroup; 3] =
    [NamedGroup::X25519_MLKEM768, NamedGroup::SECP256R1_MLKEM768, NamedGroup::SECP384R1_MLKEM1024];

/// A private key for the classic half of a group: valid on every curve.
fn scalar(group: NamedGroup) -> Vec<u8> {
    let len = match group {
        NamedGroup::SECP384R1 | NamedGroup::SECP384R1_MLKEM1024 => 48,
        NamedGroup::SECP521R1 => 66,
        _ => 32,
    };
    let mut scalar = vec![0x11; len];
    scalar[0] = 0;
    scalar
}

fn assert_refused<T>(result: Result<T, Error>, group: NamedGroup, wanted: &str) {
    match result.err() {
        Some(Error::InvalidShare { group: found, reason }) => {
            assert_eq!(found, group);
            assert!(reason.contains(wanted), "{group}: {reason:?} instead of {wanted:?}");
        }
        other => panic!("{group}: {other:?} instead of {wanted:?}"),
    }
}

/// Tries a share in both directions: as the client's at the server and as the server's at the client.
fn assert_refused_both_ways(group: NamedGroup, client_share: &[u8], server_share: &[u8], wanted: &str) {
    assert_refused(answer(group, client_share), group, wanted);
    assert_refused(KeyExchange::offer(group).unwrap().finish(server_share), group, wanted);
}

#[test]
fn both_sides_of_every_group_reach_the_same_fresh_secret() {
    for &group in NamedGroup::SUPPORTED {
        let client = KeyExchange::offer(group).unwrap();
        assert_eq!(client.group(), group);
        assert_eq!(client.share().len(), group.offer_len(), "{group}");
        check_share(group, true, client.share()).unwrap();
        let first = answer(group, client.share()).unwrap();
        let second = answer(group, client.share()).unwrap();
        assert_eq!(first.share.len(), group.answer_len(), "{group}");
        check_share(group, false, &first.share).unwrap();
        assert!(first.secret != second.secret, "{group}: a private key was used twice");
        let secret = client.finish(&first.share).unwrap();
        assert!(secret == first.secret, "{group}");
    }
}

#[test]
fn secrets_have_the_length_of_their_parts() {
    for (group, len) in [
        (NamedGroup::X25519, 32),
        (NamedGroup::SECP256R1, 32),
        (NamedGroup::SECP384R1, 48),
        (NamedGroup::SECP521R1, 66),
        (NamedGroup::X25519_MLKEM768, 64),
        (NamedGroup::SECP256R1_MLKEM768, 64),
        (NamedGroup::SECP384R1_MLKEM1024, 80),
    ] {
        let client = KeyExchange::offer(group).unwrap();
        assert_eq!(answer(group, client.share()).unwrap().secret.as_bytes().len(), len, "{group}");
    }
}

#[test]
fn shares_have_the_lengths_of_the_draft() {
    // draft-ietf-tls-ecdhe-mlkem sections 4.1 and 4.2.
    for (group, offer, answer) in [
        (NamedGroup::X25519_MLKEM768, 1216, 1120),
        (NamedGroup::SECP256R1_MLKEM768, 1249, 1153),
        (NamedGroup::SECP384R1_MLKEM1024, 1665, 1665),
        (NamedGroup::X25519, 32, 32),
        (NamedGroup::SECP256R1, 65, 65),
        (NamedGroup::SECP384R1, 97, 97),
        (NamedGroup::SECP521R1, 133, 133),
        (NamedGroup(0x4242), 0, 0),
    ] {
        assert_eq!((group.offer_len(), group.answer_len()), (offer, answer), "{group}");
    }
}

#[test]
fn x25519_gives_the_secret_of_rfc_7748() {
    // Section 6.1.
    let alice = hex("77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a");
    let alice_share = hex("8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a");
    let bob = hex("5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb");
    let bob_share = hex("de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f");
    let secret = hex("4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742");

    let client = KeyExchange::from_private_key(NamedGroup::X25519, &alice).unwrap();
    assert_eq!(client.share(), alice_share);
    let answered = answer_with_private_key(NamedGroup::X25519, client.share(), &bob).unwrap();
    assert_eq!(*answered.share, *bob_share);
    assert_eq!(answered.secret.as_bytes(), secret);
    assert_eq!(client.finish(&bob_share).unwrap().as_bytes(), secret);
}

#[test]
fn an_x25519_key_is_made_of_the_callers_randomness_and_nothing_else() {
    // The keys of RFC 7748 section 6.1: any 32 bytes are one, which the function itself clamps.
    let bytes = |text| <[u8; 32]>::try_from(hex(text)).unwrap();
    let alice = || Seed::new(&bytes("77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a"));
    let bob = || Seed::new(&bytes("5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb"));
    let alice_share = hex("8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a");
    let bob_share = hex("de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f");

    let client = KeyExchange::offer_seeded(NamedGroup::X25519, alice()).unwrap();
    assert_eq!(client.share(), alice_share);
    let answered = answer_seeded(NamedGroup::X25519, client.share(), bob()).unwrap();
    assert_eq!(*answered.share, *bob_share);
    assert!(client.finish(&bob_share).unwrap() == answered.secret);

    // As half of a hybrid, behind the ML-KEM half, which is fresh each time.
    let group = NamedGroup::X25519_MLKEM768;
    let client = KeyExchange::offer_seeded(group, alice()).unwrap();
    let (ml_kem, ecdh) = client.share().split_at(1184);
    assert_eq!(ecdh, alice_share);
    assert_ne!(ml_kem, &KeyExchange::offer_seeded(group, alice()).unwrap().share()[..1184]);
    let answered = answer_seeded(group, client.share(), bob()).unwrap();
    assert_eq!(answered.share[1088..], bob_share);
    assert!(client.finish(&answered.share).unwrap() == answered.secret);

    assert_eq!(format!("{:?}", alice()), "Seed(..)");
}

#[test]
fn other_groups_make_their_own_keys_whatever_the_seed() {
    for &group in NamedGroup::SUPPORTED {
        let seed = || Seed::new(&[7; Seed::LEN]);
        let client = KeyExchange::offer_seeded(group, seed()).unwrap();
        let again = KeyExchange::offer_seeded(group, seed()).unwrap();
        assert_eq!(client.share() == again.share(), group == NamedGroup::X25519, "{group}");
        let answered = answer_seeded(group, client.share(), Seed::new(&[8; Seed::LEN])).unwrap();
        assert!(client.finish(&answered.share).unwrap() == answered.secret, "{group}");
        let other = KeyExchange::offer_seeded(group, Seed::new(&[9; Seed::LEN])).unwrap();
        assert_ne!(other.share(), again.share(), "{group}");
    }
}

#[test]
fn a_private_key_must_fit_its_group() {
    for group in ECDH {
        let good = scalar(group);
        let exchange = KeyExchange::from_private_key(group, &good).unwrap();
        let again = KeyExchange::from_private_key(group, &good).unwrap();
        assert_eq!(exchange.share(), again.share());
        let answer = answer_with_private_key(group, exchange.share(), &good).unwrap();
        assert_eq!(&*answer.share, again.share(), "{group}");
        assert!(exchange.finish(&answer.share).unwrap() == answer.secret, "{group}");
        for bad in [&good[1..], &[&[0][..], &good].concat(), &[]] {
            let refused = KeyExchange::from_private_key(group, bad).err();
            assert!(matches!(refused, Some(Error::UnsupportedKey(_))), "{group}: {refused:?}");
        }
    }
    // 0 and more than the order are no scalars of the NIST curves.
    for group in [NamedGroup::SECP256R1, NamedGroup::SECP384R1, NamedGroup::SECP521R1] {
        for byte in [0, 0xff] {
            let bad = vec![byte; scalar(group).len()];
            assert!(matches!(KeyExchange::from_private_key(group, &bad), Err(Error::UnsupportedKey(_))));
        }
    }
    for group in HYBRIDS {
        let refused = KeyExchange::from_private_key(group, &scalar(group)).err();
        assert!(matches!(refused, Some(Error::UnsupportedKey(_))), "{group}");
    }
}

#[test]
fn shares_of_any_other_length_are_refused_before_use() {
    for &group in NamedGroup::SUPPORTED {
        let client = KeyExchange::offer(group).unwrap();
        let good = client.share().to_vec();
        let answered = answer(group, &good).unwrap().share;
        for cut in [0, 1, 31, 32, 33, 1088, 1184, good.len() - 1] {
            if cut < good.len() {
                assert_refused(answer(group, &good[..cut]), group, "wrong length");
                assert_refused(check_share(group, true, &good[..cut]), group, "wrong length");
            }
            if cut < answered.len() {
                assert_refused(check_share(group, false, &answered[..cut]), group, "wrong length");
                let client = KeyExchange::offer(group).unwrap();
                assert_refused(client.finish(&answered[..cut]), group, "wrong length");
            }
        }
        let longer = [&good[..], &[0]].concat();
        let answered_longer = [&answered[..], &[0]].concat();
        assert_refused_both_ways(group, &longer, &answered_longer, "wrong length");
    }
}

#[test]
fn a_hybrid_share_of_the_other_direction_is_refused() {
    for group in [NamedGroup::X25519_MLKEM768, NamedGroup::SECP256R1_MLKEM768] {
        let client = KeyExchange::offer(group).unwrap();
        assert_refused(check_share(group, false, client.share()), group, "wrong length");
        let answered = answer(group, client.share()).unwrap();
        assert_refused(check_share(group, true, &answered.share), group, "wrong length");
    }
}

#[test]
fn only_uncompressed_points_are_taken() {
    for group in [NamedGroup::SECP256R1, NamedGroup::SECP384R1, NamedGroup::SECP521R1] {
        let good = KeyExchange::offer(group).unwrap().share().to_vec();
        let half = (good.len() - 1) / 2;
        let parity = good.last().unwrap() & 1;
        // The compressed form of the same point, which the library would take.
        let compressed = [&[2 | parity][..], &good[1..=half]].concat();
        assert_refused_both_ways(group, &compressed, &compressed, "wrong length");
        // The hybrid form (SEC 1's, not ours) of the same point, which the library would take, and other first bytes.
        for first in [6 | parity, 0, 2, 3, 5, 0x30] {
            let mut other = good.clone();
            other[0] = first;
            assert_refused_both_ways(group, &other, &other, "not an uncompressed point");
        }
    }
    for group in [NamedGroup::SECP256R1_MLKEM768, NamedGroup::SECP384R1_MLKEM1024] {
        let client = KeyExchange::offer(group).unwrap();
        let mut share = client.share().to_vec();
        let mut answered = answer(group, &share).unwrap().share.to_vec();
        share[0] = 6;
        answered[0] = 6;
        assert_refused_both_ways(group, &share, &answered, "not an uncompressed point");
    }
}

#[test]
fn points_off_their_curve_are_refused() {
    for group in [NamedGroup::SECP256R1, NamedGroup::SECP384R1, NamedGroup::SECP521R1] {
        let good = KeyExchange::offer(group).unwrap().share().to_vec();
        let mut last_bit = good.clone();
        *last_bit.last_mut().unwrap() ^= 1;
        let mut zeros = vec![0; good.len()];
        zeros[0] = 4;
        let mut beyond_the_field = vec![0xff; good.len()];
        beyond_the_field[0] = 4;
        for bad in [last_bit, zeros, beyond_the_field] {
            check_share(group, true, &bad).unwrap();
            assert_refused_both_ways(group, &bad, &bad, "off its curve");
        }
    }
    for group in [NamedGroup::SECP256R1_MLKEM768, NamedGroup::SECP384R1_MLKEM1024] {
        let mut share = KeyExchange::offer(group).unwrap().share().to_vec();
        share[20] ^= 1;
        assert_refused(answer(group, &share), group, "off its curve");
        let client = KeyExchange::offer(group).unwrap();
        let mut answered = answer(group, client.share()).unwrap().share.to_vec();
        answered[20] ^= 1;
        assert_refused(client.finish(&answered), group, "off its curve");
    }
}

/// Every x-coordinate of small order on Curve25519 and its twist (RFC 7748 section 6.1 asks to refuse their zero
/// results), and those that are the same modulo 2^255-19.
const LOW_ORDER: [&str; 7] = [
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0100000000000000000000000000000000000000000000000000000000000000",
    "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
    "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
];

#[test]
fn x25519_shares_of_low_order_are_refused_alone_and_in_the_hybrid() {
    for point in LOW_ORDER {
        let point = hex(point);
        assert_refused_both_ways(NamedGroup::X25519, &point, &point, "low order");

        let group = NamedGroup::X25519_MLKEM768;
        let client = KeyExchange::offer(group).unwrap();
        let mut share = client.share().to_vec();
        share.truncate(share.len() - 32);
        share.extend_from_slice(&point);
        assert_refused(answer(group, &share), group, "low order");
        let mut answered = answer(group, client.share()).unwrap().share.to_vec();
        answered.truncate(answered.len() - 32);
        answered.extend_from_slice(&point);
        assert_refused(client.finish(&answered), group, "low order");
    }
}

#[test]
fn shares_of_zeros_are_refused_where_a_curve_is_in_the_group() {
    // ML-KEM alone is left out: zeros are a valid encoding of its keys and ciphertexts (FIPS 203), and give a secret
    // that only fails to agree.
    for &group in NamedGroup::SUPPORTED.iter().filter(|group| !ML_KEM.contains(group)) {
        let client_share = vec![0; group.offer_len()];
        assert!(matches!(answer(group, &client_share), Err(Error::InvalidShare { .. })), "{group}");
        let server_share = vec![0; group.answer_len()];
        let finished = KeyExchange::offer(group).unwrap().finish(&server_share);
        assert!(matches!(finished, Err(Error::InvalidShare { .. })), "{group}");
    }
}

#[test]
fn encapsulation_keys_that_are_not_reduced_are_refused() {
    // Twelve-bit coefficients of 0xfff exceed the modulus 3329 (FIPS 203 section 7.2, modulus check).
    for (group, at) in [
        (NamedGroup::X25519_MLKEM768, 0),
        (NamedGroup::SECP256R1_MLKEM768, 65),
        (NamedGroup::SECP384R1_MLKEM1024, 97),
    ] {
        let mut share = KeyExchange::offer(group).unwrap().share().to_vec();
        share[at..at + 3].fill(0xff);
        check_share(group, true, &share).unwrap();
        assert_refused(answer(group, &share), group, "encapsulation key");
    }
}

#[test]
fn a_forged_ml_kem_ciphertext_gives_an_unrelated_secret_and_no_error() {
    for (group, at) in [
        (NamedGroup::X25519_MLKEM768, 5),
        (NamedGroup::SECP256R1_MLKEM768, 70),
        (NamedGroup::SECP384R1_MLKEM1024, 100),
    ] {
        let client = KeyExchange::offer(group).unwrap();
        let answered = answer(group, client.share()).unwrap();
        let mut forged = answered.share.to_vec();
        forged[at] ^= 1;
        assert!(client.finish(&forged).unwrap() != answered.secret, "{group}");
    }
}

/// The classic half of each hybrid, recomputed alone from its place in the shares, must stand in its place in the
/// secret.
#[test]
fn hybrids_concatenate_in_the_order_of_the_draft() {
    for (group, classic, ecdh_at_client, ecdh_at_server, ecdh_in_secret) in [
        (NamedGroup::X25519_MLKEM768, NamedGroup::X25519, 1184..1216, 1088..1120, 32..64),
        (NamedGroup::SECP256R1_MLKEM768, NamedGroup::SECP256R1, 0..65, 0..65, 0..32),
        (NamedGroup::SECP384R1_MLKEM1024, NamedGroup::SECP384R1, 0..97, 0..97, 0..48),
    ] {
        let client = KeyExchange::offer(group).unwrap();
        let private = scalar(group);
        let answered = answer_with_private_key(group, client.share(), &private).unwrap();
        let alone = KeyExchange::from_private_key(classic, &private).unwrap();
        assert_eq!(&answered.share[ecdh_at_server], alone.share(), "{group}: the server's share");
        let secret = alone.finish(&client.share()[ecdh_at_client]).unwrap();
        assert_eq!(&answered.secret.as_bytes()[ecdh_in_secret], secret.as_bytes(), "{group}: the secret");
        assert!(client.finish(&answered.share).unwrap() == answered.secret);
    }
}

#[test]
fn groups_that_are_not_supported_are_refused_by_name() {
    for group in
        [NamedGroup(0), NamedGroup(0x001e), NamedGroup(0x0100), NamedGroup(0x0a0a), NamedGroup(0x0200)]
    {
        assert!(!group.is_supported());
        assert_refused(KeyExchange::offer(group), group, "not supported");
        assert_refused(answer(group, &[0; 32]), group, "not supported");
        assert_refused(check_share(group, true, &[]), group, "not supported");
        assert!(format!("{group}").contains(&format!("{:04x}", group.0)));
    }
}

#[test]
fn groups_know_what_they_are() {
    for &group in NamedGroup::SUPPORTED {
        assert!(group.is_supported());
        assert_eq!(group.is_hybrid(), HYBRIDS.contains(&group));
        assert_eq!(group.is_post_quantum(), !ECDH.contains(&group));
        assert_eq!(format!("{group}"), group.name());
    }
    assert_eq!(NamedGroup::SUPPORTED.len(), ECDH.len() + HYBRIDS.len() + ML_KEM.len());
}

#[test]
fn nothing_of_a_key_is_printed() {
    let client = KeyExchange::offer(NamedGroup::X25519_MLKEM768).unwrap();
    assert_eq!(format!("{client:?}"), "KeyExchange { group: NamedGroup(X25519MLKEM768), .. }");
    let answered = answer(client.group(), client.share()).unwrap();
    assert_eq!(format!("{answered:?}"), "Answer { share_len: 1120, .. }");
}

#[test]
fn a_share_reads_as_the_key_it_is_made_of_whatever_its_length() {
    for len in [0, 31, 32, 33, 65, 133, 1568] {
        let key: Vec<u8> = (0..=u8::MAX).cycle().take(len).collect();
        assert_eq!(*Share::copy(&key), *key);
        assert_eq!(*Share::from(key.clone()), *key);
    }
}
