//! Many small pieces in one call.
#![forbid(unsafe_code)]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that fails may panic"
)]

mod common;

use std::io::{IoSlice, Write};

use common::{connected, read_some};

/// How long each record is that waits for its reader, header included.
fn records(bytes: &[u8]) -> Vec<usize> {
    let mut lengths = Vec::new();
    let mut rest = bytes;
    while let [_, _, _, high, low, ..] = rest {
        let len = 5 + usize::from(u16::from_be_bytes([*high, *low]));
        lengths.push(len);
        rest = &rest[len..];
    }
    lengths
}

fn write_vectored(pieces: &[&[u8]]) -> (usize, Vec<usize>, Vec<u8>) {
    let (mut client, mut server) = connected();
    let slices: Vec<_> = pieces.iter().map(|piece| IoSlice::new(piece)).collect();
    let taken = client.write_vectored(&slices).unwrap();
    let sealed = client.transport().outgoing.borrow_mut().bytes.make_contiguous().to_vec();
    (taken, records(&sealed), read_some(&mut server))
}

#[test]
fn small_pieces_share_a_record_in_their_order() {
    let pieces: Vec<Vec<u8>> = (0..=99).map(|n| vec![n; usize::from(n)]).collect();
    let pieces: Vec<&[u8]> = pieces.iter().map(Vec::as_slice).collect();
    let (taken, records, heard) = write_vectored(&pieces);
    assert_eq!(taken, 4950);
    assert_eq!(records, [4950 + 22]);
    assert_eq!(heard, pieces.concat());
}

#[test]
fn as_much_is_taken_at_once_as_fills_four_records() {
    let pieces = [vec![1; 40_000], Vec::new(), vec![2; 40_000]];
    let (taken, records, heard) = write_vectored(&[&pieces[0], &pieces[1], &pieces[2]]);
    assert_eq!(taken, 65_536);
    assert_eq!(records, [16_384 + 22; 4]);
    assert_eq!(heard, pieces.concat()[..65_536]);
    let (mut client, _server) = connected();
    assert_eq!(client.write(&pieces.concat()).unwrap(), 65_536, "and so it is in one");
}

#[test]
fn what_is_not_taken_can_be_written_next() {
    let (mut client, mut server) = connected();
    let whole: Vec<u8> = (0..=250).cycle().take(200_000).collect();
    let pieces: Vec<&[u8]> = whole.chunks(777).collect();
    let mut slices: Vec<_> = pieces.iter().map(|piece| IoSlice::new(piece)).collect();
    let (mut rest, mut heard) = (slices.as_mut_slice(), Vec::new());
    while !rest.is_empty() {
        let taken = client.write_vectored(rest).unwrap();
        IoSlice::advance_slices(&mut rest, taken);
        while heard.len() < whole.len() && !client.transport().outgoing.borrow().bytes.is_empty() {
            heard.extend(read_some(&mut server));
        }
    }
    while heard.len() < whole.len() {
        heard.extend(read_some(&mut server));
    }
    assert_eq!(heard, whole);
}

#[test]
fn nothing_and_one_piece_are_written_as_they_are() {
    assert_eq!(write_vectored(&[]), (0, vec![], vec![]));
    assert_eq!(write_vectored(&[b"", b""]), (0, vec![], vec![]));
    assert_eq!(write_vectored(&[b"", b"one"]), (3, vec![25], b"one".to_vec()));
}
