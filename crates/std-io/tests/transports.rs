//! Streams over transports that are slow, full, broken or gone.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that fails may panic"
)]

mod common;

use std::io::{self, BufWriter, ErrorKind, Read, Write};
use std::time::Duration;

use common::*;
use oxtls::{
    AlertDescription, Clock, Decision, ErrorKind as TlsKind, Fault, HandshakeError, KeyAlgorithm, Role,
    ServerConnection,
};
use oxtls_std::{NeedWaits, Stream, tls_error};
use oxtls_test_pki::Ca;

/// The error, which must be around one of the connection's.
#[track_caller]
fn tls(error: &io::Error) -> &oxtls::Error {
    tls_error(error).unwrap_or_else(|| panic!("not an error of the connection: {error:?}"))
}

#[test]
fn single_bytes_interruptions_and_would_block_lose_nothing() {
    let (mut ours, mut theirs) = Pipe::pair();
    (ours.awkward, theirs.awkward) = (true, true);
    let (mut client, mut server) = (Stream::new(client(), ours), Stream::new(server(), theirs));
    shake_hands(&mut client, &mut server);

    // Both ways at once, each in pieces of its own.
    let (question, answer) = (pattern(40_000), pattern(50_001));
    let (mut sent, mut received) = ([0, 0], [Vec::new(), Vec::new()]);
    let mut ends = [false, false];
    for _ in 0..10_000_000 {
        go(&mut client, &question, 999, &mut sent[0], &mut received[0], &mut ends[0]);
        go(&mut server, &answer, 20_000, &mut sent[1], &mut received[1], &mut ends[1]);
        if ends == [true, true] {
            break;
        }
    }
    assert_eq!(ends, [true, true]);
    assert!(received[0] == answer, "{} of {} bytes", received[0].len(), answer.len());
    assert!(received[1] == question, "{} of {} bytes", received[1].len(), question.len());
}

/// One step of an end that sends `data` in pieces, closes behind it, and reads to the peer's end.
fn go<R: Role>(
    stream: &mut Stream<R, Pipe>,
    data: &[u8],
    piece: usize,
    sent: &mut usize,
    received: &mut Vec<u8>,
    end: &mut bool,
) {
    let rest = &data[*sent..];
    if rest.is_empty() {
        later(stream.shutdown());
    } else if let Some(len) = later(stream.write(&rest[..rest.len().min(piece)])) {
        *sent += len;
    }
    let mut window = [0; 3000];
    if let Some(len) = later(stream.read(&mut window)) {
        *end |= len == 0;
        received.extend_from_slice(&window[..len]);
    }
}

#[test]
fn an_end_without_close_notify_is_unexpected_eof() {
    let (mut client, mut server) = connected();
    server.write_all(b"half of a").unwrap();
    server.transport().outgoing.borrow_mut().ended = true;
    let mut data = Vec::new();
    let error = client.read_to_end(&mut data).unwrap_err();
    assert_eq!(data, b"half of a");
    assert_eq!(error.kind(), ErrorKind::UnexpectedEof);
    assert!(matches!(tls(&error).kind(), TlsKind::Truncated { handshaking: false, inside_record: false }));
    assert_eq!(tls(&error).fault(), Fault::Peer);
    // It stays an error: a caller that asks again must not take it for the end.
    assert!(client.read(&mut [0; 9]).is_err());
    assert!(client.write(b"more").is_err());
}

#[test]
fn an_end_inside_a_record_says_so() {
    let (mut client, mut server) = connected();
    server.write_all(b"whole").unwrap();
    server.write_all(b"cut").unwrap();
    {
        let mut channel = server.transport().outgoing.borrow_mut();
        channel.bytes.pop_back();
        channel.ended = true;
    }
    let mut data = Vec::new();
    let error = client.read_to_end(&mut data).unwrap_err();
    assert_eq!((&data[..], error.kind()), (&b"whole"[..], ErrorKind::UnexpectedEof));
    assert!(matches!(tls(&error).kind(), TlsKind::Truncated { handshaking: false, inside_record: true }));
}

#[test]
fn an_end_during_the_handshake_is_unexpected_eof() {
    for keep in [0, 1, 100, 500] {
        let (mut client, mut server) = ends_of(client(), server());
        assert!(later(client.handshake()).is_none());
        assert!(later(server.handshake()).is_none());
        {
            let mut channel = server.transport().outgoing.borrow_mut();
            channel.bytes.truncate(keep);
            channel.ended = true;
        }
        let error = client.handshake().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::UnexpectedEof);
        assert!(matches!(tls(&error).kind(), TlsKind::Truncated { handshaking: true, .. }));
        assert!(client.handshake().is_err(), "a handshake that failed is not done");
    }
}

#[test]
fn close_notify_is_the_end_and_nothing_is_read_behind_it() {
    let (mut client, mut server) = connected();
    server.write_all(b"all of it").unwrap();
    server.shutdown().unwrap();
    let mut data = Vec::new();
    client.read_to_end(&mut data).unwrap();
    assert_eq!(data, b"all of it");
    // The transport may break or go on as it likes.
    client.transport().incoming.borrow_mut().read_error = Some(ErrorKind::ConnectionReset);
    assert_eq!(client.read(&mut [0; 9]).unwrap(), 0);
    assert!(client.connection().is_peer_closed());
}

#[test]
fn what_comes_behind_close_notify_is_given_back() {
    let (mut client, mut server) = connected();
    server.write_all(b"bye").unwrap();
    server.shutdown().unwrap();
    let tail = b"220 back in the clear\r\n";
    server.transport_mut().write_all(tail).unwrap();
    let mut data = Vec::new();
    client.read_to_end(&mut data).unwrap();
    assert_eq!(data, b"bye");
    let (_, transport, unused) = client.into_parts();
    assert_eq!(unused, tail);
    assert!(transport.incoming.borrow().bytes.is_empty());
}

#[test]
fn records_that_were_not_used_are_given_back() {
    let (mut client, mut server) = connected();
    server.write_all(b"first").unwrap();
    server.write_all(b"second").unwrap();
    let mut first = [0; 5];
    client.read_exact(&mut first).unwrap();
    let (mut connection, _, mut unused) = client.into_parts();
    let progress = connection.feed(&mut unused).unwrap();
    let Some(oxtls::Event::Data(range)) = progress.event else { panic!("{progress:?}") };
    assert_eq!((&first, &unused[range]), (b"first", &b"second"[..]));
}

#[test]
fn half_close_ends_one_direction() {
    let (mut client, mut server) = connected();
    client.write_all(b"the whole question").unwrap();
    client.shutdown().unwrap();
    assert_eq!(client.write(b"more").unwrap_err().kind(), ErrorKind::BrokenPipe);
    let mut question = Vec::new();
    server.read_to_end(&mut question).unwrap();
    assert_eq!(question, b"the whole question");
    let answer = pattern(300_000);
    server.write_all(&answer).unwrap();
    server.shutdown().unwrap();
    let mut data = Vec::new();
    client.read_to_end(&mut data).unwrap();
    assert!(data == answer);
}

#[test]
fn shutdown_sends_close_notify_behind_what_waits_and_may_be_repeated() {
    let (mut client, mut server) = connected();
    server.transport().outgoing.borrow_mut().capacity = Some(10_000);
    let data = pattern(30_000);
    assert_eq!(server.write(&data).unwrap(), data.len(), "taken, though the transport is full");
    assert!(server.wants_write());
    assert_eq!(server.flush().unwrap_err().kind(), ErrorKind::WouldBlock);
    assert_eq!(server.shutdown().unwrap_err().kind(), ErrorKind::WouldBlock);
    let mut received = read_some(&mut client);
    while later(server.shutdown()).is_none() {
        received.extend(read_some(&mut client));
    }
    assert!(!server.wants_write());
    client.read_to_end(&mut received).unwrap();
    assert!(received == data, "{} bytes", received.len());
}

#[test]
fn a_transport_that_is_full_does_not_keep_us_from_reading() {
    let (mut client, mut server) = connected();
    client.transport().outgoing.borrow_mut().capacity = Some(1000);
    server.transport().outgoing.borrow_mut().capacity = Some(1000);
    let (question, answer) = (pattern(100_000), pattern(90_000));
    let (mut to_server, mut to_client) = (&question[..], &answer[..]);
    let (mut at_server, mut at_client) = (Vec::new(), Vec::new());
    for _ in 0..100_000 {
        // Each writes until its transport is full and only then reads.
        while let Some(len) = later(client.write(to_server)).filter(|len| *len > 0) {
            to_server = &to_server[len..];
        }
        while let Some(len) = later(server.write(to_client)).filter(|len| *len > 0) {
            to_client = &to_client[len..];
        }
        at_client.extend(read_some(&mut client));
        at_server.extend(read_some(&mut server));
        if at_server.len() == question.len() && at_client.len() == answer.len() {
            break;
        }
    }
    assert!(at_server == question && at_client == answer);
}

#[test]
fn a_write_that_times_out_has_taken_what_it_sealed() {
    let (mut client, mut server) = connected();
    server.transport().outgoing.borrow_mut().write_error = Some(ErrorKind::TimedOut);
    assert_eq!(server.write(b"once").unwrap(), 4);
    assert_eq!(server.write(b"not yet").unwrap_err().kind(), ErrorKind::TimedOut);
    assert_eq!(later(server.read(&mut [0; 9])), None, "reading goes on");
    server.transport().outgoing.borrow_mut().write_error = None;
    server.shutdown().unwrap();
    let mut data = Vec::new();
    client.read_to_end(&mut data).unwrap();
    assert_eq!(data, b"once");
}

#[test]
fn a_transport_that_buffers_is_flushed_before_we_wait() {
    let (ours, theirs) = Pipe::pair();
    let (sent, answered) = (ours.outgoing.clone(), theirs.outgoing.clone());
    let mut client = Stream::new(client(), Buffered(BufWriter::with_capacity(1 << 20, ours)));
    let mut server = Stream::new(server(), Buffered(BufWriter::with_capacity(1 << 20, theirs)));
    shake_hands(&mut client, &mut server);
    let flushes = sent.borrow().flushes;
    client.write_all(b"a").unwrap();
    client.write_all(b"b").unwrap();
    assert_eq!(sent.borrow().flushes, flushes, "whoever writes says when");
    assert_eq!(later(client.read(&mut [0; 9])), None);
    assert_eq!(read_some(&mut server), b"ab");
    // Nothing new: nothing to flush.
    let flushes = answered.borrow().flushes;
    assert_eq!(later(server.read(&mut [0; 9])), None);
    assert_eq!(answered.borrow().flushes, flushes);
}

/// Writes go through a buffer.
struct Buffered(BufWriter<Pipe>);

impl Read for Buffered {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        self.0.get_mut().read(buf)
    }
}

impl Write for Buffered {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        self.0.write(buf)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

#[test]
fn an_error_carries_the_alert_on_both_sides() {
    let stranger = Ca::new("Stranger", KeyAlgorithm::EcdsaP256);
    let config = oxtls::ClientConfig::builder().roots(roots_of(&stranger));
    let (mut client, mut server) = ends_of(client_of(config), server());
    assert!(later(client.handshake()).is_none());
    assert!(later(server.handshake()).is_none());
    let error = client.handshake().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidData);
    assert_eq!(tls(&error).alert_sent(), Some(AlertDescription::UNKNOWN_CA));
    assert!(tls(&error).certificate_report().is_some());
    assert!(client.handshake().is_err(), "a handshake that failed is not done");
    let error = server.read(&mut [0; 9]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidData);
    assert_eq!(tls(&error).alert_received(), Some(AlertDescription::UNKNOWN_CA));
    assert!(matches!(tls(&error).kind(), TlsKind::AlertReceived { handshaking: true, .. }));
}

#[test]
fn a_broken_record_is_answered_with_an_alert() {
    let (mut client, mut server) = connected();
    server.write_all(b"data").unwrap();
    *client.transport().incoming.borrow_mut().bytes.back_mut().unwrap() ^= 1;
    let error = client.read(&mut [0; 9]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidData);
    assert_eq!(tls(&error).alert_sent(), Some(AlertDescription::BAD_RECORD_MAC));
    let error = server.read(&mut [0; 9]).unwrap_err();
    assert_eq!(tls(&error).alert_received(), Some(AlertDescription::BAD_RECORD_MAC));
}

/// A server that refuses a client after the client's Finished closes at once: the client's next write fails, and the
/// reason is there to be read.
#[test]
fn the_reason_of_a_peer_that_has_gone_can_be_read() {
    let mutual = ServerConnection::new(&mutual_server_config().build().unwrap());
    let (mut client, mut server) = ends_of(client(), mutual);
    assert!(later(client.handshake()).is_none());
    assert!(later(server.handshake()).is_none());
    client.handshake().unwrap();
    let error = server.handshake().unwrap_err();
    assert_eq!(tls(&error).alert_sent(), Some(AlertDescription::CERTIFICATE_REQUIRED));
    client.transport().outgoing.borrow_mut().write_error = Some(ErrorKind::BrokenPipe);
    assert_eq!(client.write(b"question").unwrap_err().kind(), ErrorKind::BrokenPipe);
    let error = client.read(&mut [0; 9]).unwrap_err();
    assert_eq!(tls(&error).alert_received(), Some(AlertDescription::CERTIFICATE_REQUIRED));
}

#[test]
fn a_write_of_64_kib_is_sealed_at_once_in_four_records() {
    let (_client, mut server) = connected();
    let before = server.transport().outgoing.borrow().bytes.len();
    assert_eq!(server.write(&pattern(64 * 1024)).unwrap(), 64 * 1024);
    let after = server.transport().outgoing.borrow().bytes.len();
    assert_eq!(after - before, 64 * 1024 + 4 * 22);
}

/// The KeyUpdate that the peer is owed cannot go out any more; what the peer has sent is still there.
#[test]
fn a_reply_that_cannot_be_sent_does_not_keep_us_from_reading() {
    let (mut client, mut server) = connected();
    client.connection_mut().update_keys(true).unwrap();
    client.write_all(b"the last words").unwrap();
    client.shutdown().unwrap();
    server.transport().outgoing.borrow_mut().write_error = Some(ErrorKind::BrokenPipe);
    let mut data = Vec::new();
    server.read_to_end(&mut data).unwrap();
    assert_eq!(data, b"the last words");
    assert_eq!(server.write(b"answer").unwrap_err().kind(), ErrorKind::BrokenPipe);
}

#[test]
fn nothing_is_sent_twice_after_a_write_that_failed() {
    let (mut client, mut server) = connected();
    server.transport().outgoing.borrow_mut().write_error = Some(ErrorKind::Other);
    assert_eq!(server.write(b"once").unwrap_err().kind(), ErrorKind::Other);
    server.transport().outgoing.borrow_mut().write_error = None;
    assert_eq!(server.write(b"once").unwrap_err().kind(), ErrorKind::Other, "a cut stream stays cut");
    assert_eq!(read_some(&mut client), b"");
}

#[test]
fn a_transport_that_takes_nothing_is_an_error() {
    struct Nothing;
    impl Read for Nothing {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(ErrorKind::WouldBlock.into())
        }
    }
    impl Write for Nothing {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Ok(0)
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    assert_eq!(Stream::new(client(), Nothing).handshake().unwrap_err().kind(), ErrorKind::WriteZero);
}

#[test]
fn a_reader_that_claims_more_than_there_was_room_for_is_not_believed() {
    struct Boaster;
    impl Read for Boaster {
        fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
            buf.fill(22);
            Ok(usize::MAX)
        }
    }
    impl Write for Boaster {
        fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
            Ok(buf.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let error = Stream::new(client(), Boaster).handshake().unwrap_err();
    assert!(matches!(tls(&error).kind(), TlsKind::Record(_)), "{error}");
}

#[test]
fn a_reset_while_reading_is_connection_reset_and_names_both() {
    let (mut client, mut server) = connected();
    server.write_all(b"before").unwrap();
    client.transport().incoming.borrow_mut().read_error = Some(ErrorKind::ConnectionReset);
    let mut data = [0; 6];
    client.read_exact(&mut data).unwrap();
    assert_eq!(&data, b"before");
    let error = client.read(&mut data).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionReset);
    assert!(matches!(tls(&error).kind(), TlsKind::Reset));
    let source = std::error::Error::source(error.get_ref().unwrap()).unwrap();
    assert!(source.is::<io::Error>(), "the transport's own error");
}

#[test]
fn the_deadline_passes_over_a_peer_that_says_nothing_or_takes_nothing() {
    for takes in [true, false] {
        let (clock, hand) = Clock::manual(Duration::from_secs(1_800_000_000));
        let config = client_config().clock(clock).handshake_timeout(Duration::from_secs(5));
        let (ours, _theirs) = Pipe::pair();
        if !takes {
            ours.outgoing.borrow_mut().capacity = Some(3);
        }
        let mut client = Stream::new(client_of(config), ours);
        assert_eq!(client.handshake().unwrap_err().kind(), ErrorKind::WouldBlock);
        hand.advance(Duration::from_secs(4));
        assert_eq!(client.handshake().unwrap_err().kind(), ErrorKind::WouldBlock);
        hand.advance(Duration::from_secs(1));
        let error = client.handshake().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidData);
        assert!(
            matches!(tls(&error).kind(), TlsKind::Handshake(HandshakeError::DeadlineExceeded)),
            "{error}"
        );
    }
}

#[test]
fn a_decision_of_the_caller_is_waited_for_without_reading() {
    let config = client_config().ask(&[Decision::VerifyPeer]);
    let (mut client, mut server) = ends_of(client_of(config), server());
    assert!(later(client.handshake()).is_none());
    assert!(later(server.handshake()).is_none());
    for _ in 0..2 {
        let error = client.handshake().unwrap_err();
        assert!(error.get_ref().unwrap().is::<NeedWaits>(), "{error}");
    }
    let need = client.take_need().unwrap();
    assert!(client.take_need().is_none());
    // Taken and not answered: more must not be read, however much the peer sends.
    server.transport_mut().write_all(&[0; 100_000]).unwrap();
    let waiting = client.transport().incoming.borrow().bytes.len();
    let error = client.read(&mut [0; 9]).unwrap_err();
    assert!(error.get_ref().unwrap().is::<NeedWaits>(), "{error}");
    assert_eq!(client.transport().incoming.borrow().bytes.len(), waiting);
    client.transport().incoming.borrow_mut().bytes.clear();
    client.connection_mut().answer_as_configured(need).unwrap();
    shake_hands(&mut client, &mut server);
    client.write_all(b"data").unwrap();
    assert_eq!(read_some(&mut server), b"data");
}

#[test]
fn a_decision_that_comes_too_late_is_the_deadline() {
    let (clock, hand) = Clock::manual(Duration::from_secs(1_800_000_000));
    let config = client_config().clock(clock).ask(&[Decision::VerifyPeer]);
    let (mut client, mut server) = ends_of(client_of(config), server());
    assert!(later(client.handshake()).is_none());
    assert!(later(server.handshake()).is_none());
    assert!(client.handshake().unwrap_err().get_ref().unwrap().is::<NeedWaits>());
    hand.advance(oxtls::defaults::HANDSHAKE_TIMEOUT);
    let error = client.handshake().unwrap_err();
    assert!(matches!(tls(&error).kind(), TlsKind::Handshake(HandshakeError::DeadlineExceeded)), "{error}");
    assert!(client.take_need().is_none());
}

#[test]
fn shutdown_during_the_handshake_cancels_it() {
    let (mut client, mut server) = ends_of(client(), server());
    assert!(later(client.handshake()).is_none());
    assert!(later(server.handshake()).is_none());
    client.shutdown().unwrap();
    assert!(client.handshake().is_err());
    let error = server.handshake().unwrap_err();
    assert!(matches!(tls(&error).kind(), TlsKind::ClosedDuringHandshake), "{error}");
}

#[test]
fn a_key_update_that_the_peer_asks_for_goes_out_with_the_next_read() {
    let (mut client, mut server) = connected();
    for round in 0..3 {
        client.connection_mut().update_keys(true).unwrap();
        client.write_all(b"new key").unwrap();
        assert_eq!(read_some(&mut server), b"new key");
        assert!(!server.wants_write(), "round {round}: the reply is out");
        server.write_all(b"new key too").unwrap();
        assert_eq!(read_some(&mut client), b"new key too");
    }
}
