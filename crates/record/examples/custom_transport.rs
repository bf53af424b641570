//! A transport of its own, protected by the TLS 1.3 record layer alone.
//!
//! Two peers that share two secrets (from a pre-shared key, another handshake, a hardware token: the record layer does
//! not ask) talk over a pipe. The client's data goes through a small window, arrives in odd pieces and changes keys on
//! the way. Run it with `cargo run -p oxtls-record --example custom_transport`.
#![allow(clippy::print_stdout, reason = "an example shows what it does")]

use std::collections::VecDeque;
use std::error::Error;

use oxtls_crypto::aead::AeadAlgorithm;
use oxtls_crypto::{Hash, Secret, random};
use oxtls_record::{
    Alert, ApplicationDataMode, ContentType, Mode, ReadKey, Reader, Reassembly, Record, WriteKey, Writer,
};

/// The KeyUpdate message with `update_not_requested` (RFC 9846 section 4.7.3).
const KEY_UPDATE: [u8; 5] = [24, 0, 0, 1, 0];
const CLOSE_NOTIFY: Alert = Alert { level: Alert::WARNING, description: 0 };

fn main() -> Result<(), Box<dyn Error>> {
    // What both peers know, and nobody else.
    let secret: [u8; 32] = random::array()?;
    let algorithm = AeadAlgorithm::ChaCha20Poly1305;

    let mut sender = Writer::new();
    sender.install(WriteKey::tls13(algorithm, Hash::Sha256, Secret::new(&secret)?)?);
    let mut receiver = Receiver::new(ReadKey::tls13(algorithm, Hash::Sha256, Secret::new(&secret)?)?);

    let mut pipe = VecDeque::new();
    let before = vec![b'a'; 100_000];
    let after = vec![b'b'; 50_000];
    send(&mut sender, &before, &mut pipe)?;
    update_key(&mut sender, &mut pipe)?;
    send(&mut sender, &after, &mut pipe)?;
    close(&mut sender, &mut pipe)?;
    println!("{} bytes of plaintext became {} on the wire", before.len() + after.len(), pipe.len());

    let received = receiver.run(&mut pipe)?;
    assert_eq!(received, [before, after].concat());
    assert_eq!(receiver.key_updates, 1);
    println!("all of it arrived, across {} change of keys and up to the close", receiver.key_updates);
    Ok(())
}

/// Seals through one small window that is used again and again.
fn send(sender: &mut Writer, mut data: &[u8], pipe: &mut VecDeque<u8>) -> Result<(), Box<dyn Error>> {
    let mut window = [0; 4096];
    while !data.is_empty() {
        let sealed = sender.seal(ContentType::ApplicationData, data, &mut window)?;
        pipe.extend(window.iter().take(sealed.written));
        data = data.get(sealed.taken..).unwrap_or_default();
    }
    Ok(())
}

/// Announces new keys under the old ones, then changes over: two halves of one step.
fn update_key(sender: &mut Writer, pipe: &mut VecDeque<u8>) -> Result<(), Box<dyn Error>> {
    let mut window = [0; 64];
    let written = sender.seal_whole(ContentType::Handshake, &KEY_UPDATE, &mut window)?;
    pipe.extend(window.iter().take(written));
    sender.update_key()?;
    Ok(())
}

/// Ends the stream in a way that nobody can forge: without it a cut would pass for an end.
fn close(sender: &mut Writer, pipe: &mut VecDeque<u8>) -> Result<(), Box<dyn Error>> {
    let mut window = [0; 64];
    let written = sender.seal_whole(ContentType::Alert, &CLOSE_NOTIFY.encode(), &mut window)?;
    pipe.extend(window.iter().take(written));
    Ok(())
}

struct Receiver {
    reader: Reader,
    reassembly: Reassembly,
    key_updates: u32,
}

impl Receiver {
    fn new(key: ReadKey) -> Self {
        let mut reader = Reader::new();
        reader.install(key);
        reader.set_mode(Mode { application_data: ApplicationDataMode::Accept, ..Mode::default() });
        Self { reader, reassembly: Reassembly::new(), key_updates: 0 }
    }

    /// Reads up to the close, in pieces that know nothing of records.
    fn run(&mut self, pipe: &mut VecDeque<u8>) -> Result<Vec<u8>, Box<dyn Error>> {
        let (mut buffer, mut received) = (Vec::new(), Vec::new());
        loop {
            let opened = self.reader.open(&mut buffer)?;
            self.reassembly.check_interleaving(&opened)?;
            match opened.record {
                Some(Record::ApplicationData(range)) => {
                    received.extend_from_slice(buffer.get(range).unwrap_or_default());
                }
                Some(Record::Handshake(range)) => self.handshake(buffer.get(range).unwrap_or_default())?,
                Some(Record::Alert(CLOSE_NOTIFY)) => return Ok(received),
                Some(other) => return Err(format!("unexpected: {other:?}").into()),
                None if opened.consumed > 0 => {}
                None if pipe.is_empty() => return Err("the stream was cut off".into()),
                None => buffer.extend(pipe.drain(..pipe.len().min(1000))),
            }
            buffer.drain(..opened.consumed);
        }
    }

    /// The one handshake message that this transport knows.
    fn handshake(&mut self, fragment: &[u8]) -> Result<(), Box<dyn Error>> {
        let mut cursor = 0;
        while let Some(message) =
            self.reassembly.next(fragment, &mut cursor, self.reader.mode().max_message)?
        {
            // Nothing may follow in this record: it was sealed under keys that are now of the past.
            if message.bytes != KEY_UPDATE || message.more {
                return Err("only a KeyUpdate that ends its record is understood".into());
            }
            self.reader.update_key()?;
            self.key_updates += 1;
        }
        Ok(())
    }
}
