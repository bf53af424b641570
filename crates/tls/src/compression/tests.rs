#![allow(clippy::unwrap_used, reason = "a test that fails may panic")]

use super::*;

/// Something like a chain: fields that repeat among bytes that do not.
fn certificate(len: usize) -> Vec<u8> {
    let mut state = 1_u32;
    let mut body = vec![0, 0, 1];
    while body.len() < len {
        body.extend_from_slice(b"\x30\x0e\x06\x03\x55\x04\x0a\x0c\x07Example, Authority R");
        for _ in 0..16 {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            body.extend_from_slice(&state.to_be_bytes()[..1]);
        }
    }
    body.truncate(len);
    body
}

fn all() -> [CertificateCompression; 3] {
    [CertificateCompression::zlib(), CertificateCompression::brotli(), CertificateCompression::zstd()]
}

fn compress(by: &CertificateCompression, body: &[u8]) -> Option<Vec<u8>> {
    by.sender().unwrap().compress(body)
}

fn decompress(by: &CertificateCompression, bytes: &[u8], length: usize) -> Option<Vec<u8>> {
    by.receiver().unwrap().decompress(bytes, length)
}

#[test]
fn what_was_compressed_comes_back() {
    for by in all() {
        for len in [500, 3000, 100_000, 1_000_000] {
            let body = certificate(len);
            let compressed = compress(&by, &body).unwrap();
            assert!(compressed.len() < body.len(), "{by:?}");
            assert_eq!(decompress(&by, &compressed, len).as_ref(), Some(&body), "{by:?}");
        }
    }
}

/// Made by zlib, Google's brotli and libzstd: the last with and without the content's size in the frame,
/// both with a checksum.
#[test]
fn what_the_reference_implementations_compressed_comes_out() {
    let body =
        [&[0, 0, 1, 0x2c][..], &b"Example Authority R1, ".repeat(13), &(0..14).collect::<Vec<u8>>()].concat();
    let made: [(&CertificateCompression, &str); 4] = [
        (
            &CertificateCompression::zlib(),
            "78da636060d471ad48cc2dc84955702c2dc9c82fca2ca9540832d4511815858832303231b3b0b2b173707271f3f00200aff163dd",
        ),
        (
            &CertificateCompression::brotli(),
            "1b2f01e88dd45ef542b3b41a2080454a81c4b4218794321a98c8196592b69d1ed8be61052c7cc03e2e88",
        ),
        (
            &CertificateCompression::zstd(),
            "28b52ffd64300085010084020000012c4578616d706c6520417574686f726974792052312c20000102030405060708090a0b0c0d01\
             0016a43ac7246b394e",
        ),
        (
            &CertificateCompression::zstd(),
            "28b52ffd045885010084020000012c4578616d706c6520417574686f726974792052312c20000102030405060708090a0b0c0d0100\
             16a43ac7246b394e",
        ),
    ];
    for (by, hex) in made {
        let bytes: Vec<u8> =
            (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect();
        assert_eq!(decompress(by, &bytes, body.len()).as_ref(), Some(&body), "{by:?}");
        assert_eq!(decompress(by, &bytes, body.len() - 1), None, "{by:?}");
    }
}

#[test]
fn what_does_not_get_smaller_is_not_compressed() {
    let noise: Vec<u8> =
        (0..3000_u32).map(|i| i.wrapping_mul(2_654_435_761).rotate_left(i).to_be_bytes()[1]).collect();
    for by in all() {
        assert!(compress(&by, &noise).is_none_or(|compressed| compressed.len() < noise.len()), "{by:?}");
        assert_eq!(compress(&by, &[0, 0, 0, 0]), None, "{by:?}");
    }
}

#[test]
fn only_the_length_that_was_said_comes_out() {
    for by in all() {
        let body = certificate(3000);
        let compressed = compress(&by, &body).unwrap();
        for length in [0, 1, 2999, 3001, 3000 + 128 * 1024, 1_000_000] {
            assert_eq!(decompress(&by, &compressed, length), None, "{by:?} {length}");
        }
    }
}

#[test]
fn a_stream_that_is_cut_or_goes_on_is_refused() {
    for by in all() {
        let body = certificate(3000);
        let compressed = compress(&by, &body).unwrap();
        for len in 0..compressed.len() {
            assert_eq!(decompress(&by, &compressed[..len], 3000), None, "{by:?} {len}");
        }
        for tail in [&[0][..], b"tail", &compressed] {
            assert_eq!(decompress(&by, &[&compressed, tail].concat(), 3000), None, "{by:?}");
        }
        assert_eq!(decompress(&by, &[], 0), None, "{by:?}");
    }
}

/// 16 MiB of zeros in a few kB: it stops at what was said to come out.
#[test]
fn a_bomb_stops_at_the_length_that_was_said() {
    let zeros = vec![0; 16 << 20];
    for by in all() {
        let bomb = compress(&by, &zeros).unwrap();
        for length in [100, 128 * 1024] {
            assert_eq!(decompress(&by, &bomb, length), None, "{by:?}");
        }
    }
}

/// Blocks that repeat one byte, 128 KiB of it for each 4 bytes, under a window that holds them all.
#[test]
fn a_zstd_frame_of_repeats_stops_too() {
    let zstd = CertificateCompression::zstd();
    let block = |last: u32| {
        let header = ((128 << 10) << 3) | (1 << 1) | last;
        [&header.to_le_bytes()[..3], &[0]].concat()
    };
    // Magic number, no content size, a window of 8 MiB.
    let frame = |blocks: usize| {
        let mut frame = vec![0x28, 0xb5, 0x2f, 0xfd, 0, (23 - 10) << 3];
        (1..blocks).for_each(|_| frame.extend(block(0)));
        frame.extend(block(1));
        frame
    };
    assert_eq!(decompress(&zstd, &frame(2), 256 << 10), Some(vec![0; 256 << 10]));
    assert_eq!(decompress(&zstd, &frame(100_000), 256 << 10), None);
    let mut wide = frame(2);
    wide[5] = (24 - 10) << 3;
    assert_eq!(decompress(&zstd, &wide, 256 << 10), None, "a window wider than is taken");
}

/// A window of 2^30 bytes, which is no part of RFC 7932.
#[test]
fn a_brotli_stream_with_a_large_window_is_refused() {
    let brotli = CertificateCompression::brotli();
    for second in 0..=255 {
        assert_eq!(decompress(&brotli, &[0x11, second, 3, 3, 3], 10), None);
    }
}

/// Whatever a peer sends, nothing but an answer comes of it. 5,000 mutants for each algorithm.
#[test]
fn no_mutant_breaks_a_decompressor() {
    let body = certificate(3000);
    let mut state = 7_u64;
    let mut random = move || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(state >> 33).unwrap()
    };
    for by in all() {
        let compressed = compress(&by, &body).unwrap();
        for _ in 0..5_000 {
            let mut mutant = compressed.clone();
            for _ in 0..1 + random() % 4 {
                // The front decides more than the rest.
                let len = if random() % 2 == 0 { 32 } else { mutant.len() };
                let at = random() % len.min(mutant.len());
                mutant[at] = u8::try_from(random() % 256).unwrap();
            }
            if random() % 8 == 0 {
                mutant.truncate(random() % mutant.len());
            }
            let length = if random() % 4 == 0 { random() % 6000 } else { 3000 };
            if let Some(out) = decompress(&by, &mutant, length) {
                assert_eq!(out.len(), length, "{by:?}");
            }
        }
    }
}

#[test]
fn each_direction_can_be_had_alone() {
    let zlib = CertificateCompression::zlib;
    assert!(zlib().sender().is_some() && zlib().receives());
    assert!(zlib().sending_only().sender().is_some() && !zlib().sending_only().receives());
    assert!(zlib().receiving_only().sender().is_none() && zlib().receiving_only().receives());
    let asked = CertificateCompression::by_caller(7);
    assert!(asked.sender().is_none() && asked.receiver().is_none() && asked.receives());
    assert_eq!(all().map(|by| by.algorithm()), [1, 2, 3]);
}
