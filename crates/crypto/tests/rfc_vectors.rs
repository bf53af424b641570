//! HMAC, HKDF, the TLS 1.2 PRF and record protection against the vectors of their own specifications.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "a test may be blunt")]

use oxtls_crypto::aead::TAG_LEN;
use oxtls_crypto::hkdf::{derive_secret, expand, expand_label, expand_label_secret, extract};
use oxtls_crypto::hmac::{hmac, verify};
use oxtls_crypto::prf::prf;
use oxtls_crypto::{AeadAlgorithm, AeadKey, Error, Hash, Iv, Nonces, OpeningKey, SealingKey, Secret};

/// Bytes written in hexadecimal, white space ignored; `-` is nothing.
fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u32> =
        text.chars().filter(|c| !c.is_whitespace() && *c != '-').map(|c| c.to_digit(16).unwrap()).collect();
    assert!(digits.len().is_multiple_of(2), "an odd number of digits: {text}");
    digits.chunks(2).map(|pair| u8::try_from(pair[0] * 16 + pair[1]).unwrap()).collect()
}

struct HmacCase {
    key: Vec<u8>,
    data: Vec<u8>,
    sha256: &'static str,
    sha384: &'static str,
    sha512: &'static str,
}

/// RFC 4231 section 4 (its case 5 shows a truncated code: its prefix).
fn rfc4231() -> Vec<HmacCase> {
    vec![
        HmacCase {
            key: vec![0x0b; 20],
            data: b"Hi There".to_vec(),
            sha256: "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7",
            sha384: "afd03944d84895626b0825f4ab46907f15f9dadbe4101ec682aa034c7cebc59cfaea9ea9076ede7f4af152e8b2fa9cb6",
            sha512: "87aa7cdea5ef619d4ff0b4241a1d6cb02379f4e2ce4ec2787ad0b30545e17cdedaa833b7d6b8a702038b274eaea3f4e4be9d914eeb61f1702e696c203a126854",
        },
        HmacCase {
            key: b"Jefe".to_vec(),
            data: b"what do ya want for nothing?".to_vec(),
            sha256: "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
            sha384: "af45d2e376484031617f78d2b58a6b1b9c7ef464f5a01b47e42ec3736322445e8e2240ca5e69e2c78b3239ecfab21649",
            sha512: "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea2505549758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737",
        },
        HmacCase {
            key: vec![0xaa; 20],
            data: vec![0xdd; 50],
            sha256: "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe",
            sha384: "88062608d3e6ad8a0aa2ace014c8a86f0aa635d947ac9febe83ef4e55966144b2a5ab39dc13814b94e3ab6e101a34f27",
            sha512: "fa73b0089d56a284efb0f0756c890be9b1b5dbdd8ee81a3655f83e33b2279d39bf3e848279a722c806b485a47e67c807b946a337bee8942674278859e13292fb",
        },
        HmacCase {
            key: (1..=25).collect(),
            data: vec![0xcd; 50],
            sha256: "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b",
            sha384: "3e8a69b7783c25851933ab6290af6ca77a9981480850009cc5577c6e1f573b4e6801dd23c4a7d679ccf8a386c674cffb",
            sha512: "b0ba465637458c6990e5a8c5f61d4af7e576d97ff94b872de76f8050361ee3dba91ca5c11aa25eb4d679275cc5788063a5f19741120c4f2de2adebeb10a298dd",
        },
        HmacCase {
            key: vec![0x0c; 20],
            data: b"Test With Truncation".to_vec(),
            sha256: "a3b6167473100ee06e0c796c2955552b",
            sha384: "3abf34c3503b2a23a46efc619baef897",
            sha512: "415fad6271580a531d4179bc891d87a6",
        },
        HmacCase {
            key: vec![0xaa; 131],
            data: b"Test Using Larger Than Block-Size Key - Hash Key First".to_vec(),
            sha256: "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
            sha384: "4ece084485813e9088d2c63a041bc5b44f9ef1012a2b588f3cd11f05033ac4c60c2ef6ab4030fe8296248df163f44952",
            sha512: "80b24263c7c1a3ebb71493c1dd7be8b49b46d1f41b4aeec1121b013783f8f3526b56d037e05f2598bd0fd2215d6a1e5295e64f73f63f0aec8b915a985d786598",
        },
        HmacCase {
            key: vec![0xaa; 131],
            data: b"This is a test using a larger than block-size key and a larger than block-size data. The key needs to be hashed before being used by the HMAC algorithm.".to_vec(),
            sha256: "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2",
            sha384: "6617178e941f020d351e2f254e8fd32c602420feb0b8fb9adccebb82461e99c5a678cc31e799176d3860e6110c46523e",
            sha512: "e37b6a775dc87dbaa4dfa9f96e5e3ffddebd71f8867289865df5a32d20cdc944b6022cac3c4982b10d5eeb55c3e4de15134676fb6de0446065c97440fa8c6a58",
        },
    ]
}

#[test]
fn hmac_is_that_of_rfc_4231() {
    for (number, case) in rfc4231().iter().enumerate() {
        for (hash, tag) in
            [(Hash::Sha256, case.sha256), (Hash::Sha384, case.sha384), (Hash::Sha512, case.sha512)]
        {
            let tag = hex(tag);
            let made = hmac(hash, &case.key, &[&case.data]);
            assert_eq!(&made.as_bytes()[..tag.len()], tag, "case {}, {hash}", number + 1);
            let (front, back) = case.data.split_at(case.data.len() / 3);
            assert_eq!(
                hmac(hash, &case.key, &[front, &[], back]),
                made,
                "the parts' boundaries must not matter"
            );

            let whole = tag.len() == hash.output_len();
            let verdict = verify(hash, &case.key, &[&case.data], &tag);
            assert_eq!(
                verdict,
                if whole { Ok(()) } else { Err(Error::BadMac) },
                "a truncated code must not pass"
            );
            let mut wrong = tag;
            *wrong.last_mut().unwrap() ^= 1;
            assert_eq!(verify(hash, &case.key, &[&case.data], &wrong), Err(Error::BadMac));
        }
    }
}

#[test]
fn hkdf_is_that_of_rfc_5869() {
    let ascending = |range: core::ops::RangeInclusive<u8>| range.collect::<Vec<u8>>();
    let cases = [
        (
            vec![0x0b; 22],
            ascending(0x00..=0x0c),
            ascending(0xf0..=0xf9),
            "077709362c2e32df0ddc3f0dc47bba6390b6c73bb50f9c3122ec844ad7c2b3e5",
            "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865",
        ),
        (
            ascending(0x00..=0x4f),
            ascending(0x60..=0xaf),
            ascending(0xb0..=0xff),
            "06a6b88c5853361a06104c9ceb35b45cef760014904671014a193f40c15fc244",
            "b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c59045a99cac7827271cb41c65e590e09da3275600c2f09b8367793a9aca3db71cc30c58179ec3e87c14c01d5c1f3434f1d87",
        ),
        (
            vec![0x0b; 22],
            Vec::new(),
            Vec::new(),
            "19ef24a32c717b167f33a91d6f648bdf96596776afdb6377ac434c1c293ccb04",
            "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8",
        ),
    ];
    for (ikm, salt, info, prk, okm) in cases {
        let (prk, okm) = (hex(prk), hex(okm));
        let made = extract(Hash::Sha256, &salt, &ikm);
        assert_eq!(made.as_bytes(), prk);
        let mut out = vec![0xee; okm.len()];
        expand(Hash::Sha256, &made, &[&info], &mut out).unwrap();
        assert_eq!(out, okm);
    }
}

#[test]
fn hkdf_gives_at_most_255_blocks() {
    for hash in [Hash::Sha256, Hash::Sha384, Hash::Sha512] {
        let prk = extract(hash, b"salt", b"ikm");
        let mut out = vec![0; 255 * hash.output_len() + 1];
        assert_eq!(expand(hash, &prk, &[b"info"], &mut out), Err(Error::OutputTooLong));
        assert!(out.iter().all(|&byte| byte == 0), "a refusal writes nothing");
        out.pop();
        expand(hash, &prk, &[b"info"], &mut out).unwrap();
        assert!(out.chunks(hash.output_len()).all(|block| block.iter().any(|&byte| byte != 0)));
        assert_eq!(expand(hash, &prk, &[b"info"], &mut []), Ok(()), "nothing can be had for nothing");
    }
}

#[test]
fn a_label_or_context_too_long_for_its_length_byte_is_refused() {
    let secret = Secret::zeros(Hash::Sha256);
    let (longest, too_long) = ("l".repeat(249), "l".repeat(250));
    let mut out = [0; 32];
    assert_eq!(expand_label(Hash::Sha256, &secret, &longest, &[7; 255], &mut out), Ok(()));
    assert!(matches!(
        expand_label(Hash::Sha256, &secret, &too_long, &[], &mut out),
        Err(Error::InvalidLength(_))
    ));
    assert!(matches!(
        expand_label(Hash::Sha256, &secret, "l", &[7; 256], &mut out),
        Err(Error::InvalidLength(_))
    ));
    let mut huge = vec![0; 65_536];
    assert_eq!(expand_label(Hash::Sha512, &secret, "l", &[], &mut huge), Err(Error::OutputTooLong));
}

/// The vectors that everyone tests the TLS 1.2 PRF with: 100 (and 148, 196) bytes for the label "test label".
#[test]
fn prf_gives_the_well_known_outputs() {
    let cases = [
        (
            Hash::Sha256,
            "9bbe436ba940f017b17652849a71db35",
            "a0ba9f936cda311827a6f796ffd5198c",
            "e3f229ba727be17b8d122620557cd453c2aab21d07c3d495329b52d4e61edb5a6b301791e90d35c9c9a46b4e14baf9af0fa022f7077def17abfd3797c0564bab4fbc91666e9def9b97fce34f796789baa48082d122ee42c5a72e5a5110fff70187347b66",
        ),
        (
            Hash::Sha384,
            "b80b733d6ceefcdc71566ea48e5567df",
            "cd665cf6a8447dd6ff8b27555edb7465",
            "7b0c18e9ced410ed1804f2cfa34a336a1c14dffb4900bb5fd7942107e81c83cde9ca0faa60be9fe34f82b1233c9146a0e534cb400fed2700884f9dc236f80edd8bfa961144c9e8d792eca722a7b32fc3d416d473ebc2c5fd4abfdad05d9184259b5bf8cd4d90fa0d31e2dec479e4f1a26066f2eea9a69236a3e52655c9e9aee691c8f3a26854308d5eaa3be85e0990703d73e56f",
        ),
        (
            Hash::Sha512,
            "b0323523c1853599584d88568bbb05eb",
            "d4640e12e4bcdbfb437f03e6ae418ee5",
            "1261f588c798c5c201ff036e7a9cb5edcd7fe3f94c669a122a4638d7d508b283042df6789875c7147e906d868bc75c45e20eb40c1cf4a1713b27371f68432592f7dc8ea8ef223e12ea8507841311bf68653d0cfc4056d811f025c45ddfa6e6fec702f054b409d6f28dd0a3233e498da41a3e75c5630eedbe22fe254e33a1b0e9f6b9826675bec7d01a845658dc9c397545401d40b9f46c7a400ee1b8f81ca0a60d1a397a1028bff5d2ef5066126842fb8da4197632bdb54ff6633f86bbc836e640d4d898",
        ),
    ];
    for (hash, secret, seed, output) in cases {
        let (secret, seed, output) = (hex(secret), hex(seed), hex(output));
        let mut out = vec![0; output.len()];
        prf(hash, &secret, "test label", &[&seed], &mut out);
        assert_eq!(out, output, "{hash}");
        let (front, back) = seed.split_at(5);
        for len in 0..output.len() {
            let mut shorter = vec![0; len];
            prf(hash, &secret, "test label", &[front, back], &mut shorter);
            assert_eq!(
                shorter,
                output[..len],
                "a shorter output is a prefix, and the seed's parts do not matter"
            );
        }
    }
}

#[test]
fn every_key_schedule_step_is_that_of_rfc_8448() {
    let mut steps = 0;
    for line in include_str!("data/rfc8448.txt").lines() {
        let fields: Vec<&str> = line.split(' ').collect();
        match fields.as_slice() {
            ["extract", salt, ikm, secret] => {
                assert_eq!(extract(Hash::Sha256, &hex(salt), &hex(ikm)).as_bytes(), hex(secret), "{line}");
            }
            ["expand", secret, label, context, output] => {
                let (secret, label) = (Secret::new(&hex(secret)).unwrap(), label.replace('_', " "));
                let (context, output) = (hex(context), hex(output));
                let mut out = vec![0; output.len()];
                expand_label(Hash::Sha256, &secret, &label, &context, &mut out).unwrap();
                assert_eq!(out, output, "{line}");
                if output.len() == Hash::Sha256.output_len() {
                    let made = expand_label_secret(Hash::Sha256, &secret, &label, &context).unwrap();
                    assert_eq!(made.as_bytes(), output, "{line}");
                }
                match label.as_str() {
                    "key" => {
                        let key =
                            AeadKey::expand_label(AeadAlgorithm::Aes128Gcm, Hash::Sha256, &secret, &label);
                        assert_eq!(key.unwrap().as_bytes(), output, "{line}");
                    }
                    "iv" => {
                        let iv = Iv::expand_label(Hash::Sha256, &secret, &label).unwrap();
                        assert_eq!(iv.as_bytes().as_slice(), output, "{line}");
                    }
                    "derived" => {
                        let made = derive_secret(Hash::Sha256, &secret, &label, &Hash::Sha256.empty_digest());
                        assert_eq!(made.unwrap().as_bytes(), output, "{line}");
                    }
                    _ => {}
                }
            }
            _ => continue,
        }
        steps += 1;
    }
    assert!(steps > 100, "only {steps} steps were read");
}

#[test]
fn every_protected_record_is_that_of_rfc_8448() {
    let mut records = 0;
    for line in include_str!("data/rfc8448.txt").lines() {
        let fields: Vec<&str> = line.split(' ').collect();
        let ["record", key, iv, sequence, content_type, content, record] = fields.as_slice() else {
            continue;
        };
        let (content_type, content, record) = (hex(content_type), hex(content), hex(record));
        let sequence: u64 = sequence.parse().unwrap();
        let (header, protected) = record.split_at(5);
        let key = AeadKey::new(AeadAlgorithm::Aes128Gcm, &hex(key)).unwrap();
        let nonces = || Nonces::Xor(Iv::new(hex(iv).try_into().unwrap()));

        let mut sealing = SealingKey::new(AeadAlgorithm::Aes128Gcm, &key, nonces()).unwrap();
        sealing.skip_to(sequence).unwrap();
        let mut out = vec![0; content.len()];
        let mut type_and_tag = [0; 1 + TAG_LEN];
        sealing.seal_scatter(header, &content, &mut out, &content_type, &mut type_and_tag).unwrap();
        out.extend(type_and_tag);
        assert_eq!(out, protected, "{line}");

        let mut opening = OpeningKey::new(AeadAlgorithm::Aes128Gcm, &key, nonces()).unwrap();
        opening.skip_to(sequence).unwrap();
        let len = opening.open_in_place(header, &mut out).unwrap();
        assert_eq!(out[..len - 1], content, "{line}");
        assert_eq!(out[len - 1..len], content_type, "{line}");
        records += 1;
    }
    assert_eq!(records, 27);
}
