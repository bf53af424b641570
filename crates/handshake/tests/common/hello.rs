//! Hellos taken apart, changed, and put together again.

use oxtls_handshake::codec::{Reader, Writer};
use oxtls_handshake::extension::ExtensionType;
use oxtls_handshake::message::HandshakeType;

use super::Message;

/// Extensions as a list to edit.
pub type Extensions = Vec<(ExtensionType, Vec<u8>)>;

/// Splits an extension block, its length included, from the front of `bytes`; a hello of TLS 1.2 may have none.
pub fn split_extensions(bytes: &[u8]) -> Extensions {
    if bytes.is_empty() {
        return Extensions::new();
    }
    let mut r = Reader::new(bytes, "extensions");
    let mut block = r.reader_u16().unwrap();
    let mut extensions = Vec::new();
    while !block.is_empty() {
        extensions.push((ExtensionType(block.u16().unwrap()), block.vec_u16().unwrap().to_vec()));
    }
    extensions
}

/// The opposite of [`split_extensions`].
pub fn join_extensions(extensions: &Extensions) -> Vec<u8> {
    let mut w = Writer::new();
    w.block_u16(|w| {
        for (typ, data) in extensions {
            w.u16(typ.0);
            w.vec_u16(data);
        }
    });
    w.finish().unwrap()
}

/// A ClientHello or ServerHello taken apart, to be changed and put together again.
#[derive(Clone, Debug)]
pub struct Hello {
    template: Message,
    pub version: u16,
    pub random: Vec<u8>,
    pub session_id: Vec<u8>,
    /// A client's list, or the server's choice.
    pub suites: Vec<u16>,
    /// A client's list, or the server's choice.
    pub compression: Vec<u8>,
    pub extensions: Extensions,
}

impl Hello {
    pub fn of(message: &Message) -> Self {
        let client = message.typ() == HandshakeType::CLIENT_HELLO;
        let mut r = Reader::new(message.body(), "hello");
        let version = r.u16().unwrap();
        let random = r.bytes(32).unwrap().to_vec();
        let session_id = r.vec_u8().unwrap().to_vec();
        let suites = if client { r.vec_u16().unwrap() } else { r.bytes(2).unwrap() };
        let compression = if client { r.vec_u8().unwrap() } else { r.bytes(1).unwrap() };
        Self {
            template: message.clone(),
            version,
            random,
            session_id,
            suites: suites.chunks(2).map(|c| u16::from_be_bytes([c[0], c[1]])).collect(),
            compression: compression.to_vec(),
            extensions: split_extensions(r.rest()),
        }
    }

    pub fn message(&self) -> Message {
        let client = self.template.typ() == HandshakeType::CLIENT_HELLO;
        let suites: Vec<u8> = self.suites.iter().flat_map(|suite| suite.to_be_bytes()).collect();
        let mut w = Writer::new();
        w.u16(self.version);
        w.bytes(&self.random);
        w.vec_u8(&self.session_id);
        if client {
            w.vec_u16(&suites);
            w.vec_u8(&self.compression);
        } else {
            w.bytes(&suites);
            w.bytes(&self.compression);
        }
        w.bytes(&join_extensions(&self.extensions));
        self.template.with_body(&w.finish().unwrap())
    }

    pub fn remove(&mut self, typ: ExtensionType) {
        self.extensions.retain(|(is, _)| *is != typ);
    }

    pub fn set(&mut self, typ: ExtensionType, data: &[u8]) {
        match self.extensions.iter_mut().find(|(is, _)| *is == typ) {
            Some((_, old)) => *old = data.to_vec(),
            None => self.extensions.push((typ, data.to_vec())),
        }
    }

    pub fn has(&self, typ: ExtensionType) -> bool {
        self.extensions.iter().any(|(is, _)| *is == typ)
    }

    pub fn get(&self, typ: ExtensionType) -> &[u8] {
        &self.extensions.iter().find(|(is, _)| *is == typ).expect("no such extension").1
    }
}

/// The message with its hello changed.
pub fn edit(message: &Message, change: impl FnOnce(&mut Hello)) -> Message {
    let mut hello = Hello::of(message);
    change(&mut hello);
    hello.message()
}
