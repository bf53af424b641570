//! The transcript hash (RFC 9846 section 4.1). Each byte is hashed once.

use oxtls_crypto::hash::{Digest, Hash, HashContext};

use crate::message::HandshakeType;

/// How many bytes the messages around a flight's certificates have, or about as many.
const SHORT_MESSAGES: usize = 256;

/// Messages themselves: from before the hash is known, a client's own ClientHello; in TLS 1.2 all that a client's
/// CertificateVerify may sign.
#[derive(Clone, Debug, Default)]
pub struct Unhashed {
    bytes: Vec<u8>,
    /// By the hash that a session on offer has.
    hashed: Option<HashContext>,
}

impl Unhashed {
    /// Begins with a whole message.
    #[must_use]
    pub const fn new(message: Vec<u8>) -> Self {
        Self { bytes: message, hashed: None }
    }

    /// Begins with a whole message, over which a hash was made for a binder: it need not be made again if the suite that
    /// is chosen has the same.
    #[must_use]
    pub fn with_hash(message: Vec<u8>, hashed: Transcript) -> Self {
        Self { bytes: message, hashed: Some(hashed.context) }
    }

    /// Adds a whole message, header included.
    pub fn add(&mut self, message: &[u8]) {
        append(&mut self.bytes, message);
        if let Some(hashed) = &mut self.hashed {
            hashed.update(message);
        }
    }

    /// What was added.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The same, as it lies.
    #[must_use]
    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    /// Begins the hash of the suite that was chosen, over what was added so far. From here on the two go apart: what
    /// both are to have is added to both.
    #[must_use]
    pub fn start(&mut self, hash: Hash) -> Transcript {
        match self.hashed.take().filter(|context| context.hash() == hash) {
            Some(context) => Transcript { context, current: None },
            None => {
                let mut transcript = Transcript::new(hash);
                transcript.add(&self.bytes);
                transcript
            }
        }
    }
}

/// Adds a whole message to those before it.
pub(crate) fn append(messages: &mut Vec<u8>, message: &[u8]) {
    // There is one long message in a flight, the certificates: to double for it would be to hold it twice.
    if message.len() > messages.capacity().saturating_sub(messages.len()) {
        messages.reserve_exact(message.len().saturating_add(SHORT_MESSAGES));
    }
    messages.extend_from_slice(message);
}

/// The running hash over all messages.
#[derive(Clone, Debug)]
pub struct Transcript {
    context: HashContext,
    /// The hash over everything so far, if it was asked for since the last message: a Finished and the secrets behind it
    /// are often over the same.
    current: Option<Digest>,
}

impl Transcript {
    /// Over nothing yet.
    #[must_use]
    pub fn new(hash: Hash) -> Self {
        Self { context: HashContext::new(hash), current: None }
    }

    /// Adds a whole message, header included.
    pub fn add(&mut self, message: &[u8]) {
        self.context.update(message);
        self.current = None;
    }

    /// The hash over everything so far.
    #[must_use]
    pub fn current(&mut self) -> Digest {
        let context = &self.context;
        *self.current.get_or_insert_with(|| context.current())
    }

    /// The hash over everything, if nothing is added any more: [`Transcript::current`] copies the context, this does not.
    #[must_use]
    pub fn finish(self) -> Digest {
        self.current.unwrap_or_else(|| self.context.finish())
    }

    /// The hash function.
    #[must_use]
    pub fn hash(&self) -> Hash {
        self.context.hash()
    }

    /// Replaces the first ClientHello, which is all that was added so far, by the synthetic message_hash: what a
    /// HelloRetryRequest does to the transcript. The request itself is added next.
    #[must_use]
    pub fn into_message_hash(self) -> Self {
        let mut transcript = Self::new(self.hash());
        let client_hello = self.context.finish();
        let len = u8::try_from(client_hello.as_bytes().len()).unwrap_or_default();
        transcript.add(&[HandshakeType::MESSAGE_HASH.0, 0, 0, len]);
        transcript.add(client_hello.as_bytes());
        transcript
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn transcript_is_the_hash_of_the_concatenation() {
        let mut transcript = Unhashed::new(b"one".to_vec()).start(Hash::Sha384);
        assert_eq!(transcript.current(), Hash::Sha384.digest(b"one"));
        transcript.add(b"two");
        assert_eq!(transcript.clone().finish(), Hash::Sha384.digest(b"onetwo"));
        for _ in 0..2 {
            assert_eq!(transcript.current(), Hash::Sha384.digest(b"onetwo"), "asked for anew, or again");
        }
        assert_eq!(transcript.finish(), Hash::Sha384.digest(b"onetwo"));
        let mut unhashed = Unhashed::default();
        unhashed.add(b"on");
        unhashed.add(b"e");
        assert_eq!(unhashed.bytes(), b"one");
        assert_eq!(unhashed.start(Hash::Sha256).current(), Hash::Sha256.digest(b"one"));
    }

    #[test]
    fn a_hash_that_was_made_for_a_binder_is_used_only_for_its_own_suite() {
        let mut hashed = Transcript::new(Hash::Sha256);
        hashed.add(b"hello");
        for hash in [Hash::Sha256, Hash::Sha384] {
            let mut unhashed = Unhashed::with_hash(b"hello".to_vec(), hashed.clone());
            assert_eq!(unhashed.clone().start(hash).current(), hash.digest(b"hello"));
            unhashed.add(b" again");
            assert_eq!(unhashed.start(hash).current(), hash.digest(b"hello again"));
        }
    }

    #[test]
    fn first_hello_is_replaced_by_message_hash_on_retry() {
        for hash in [Hash::Sha256, Hash::Sha384] {
            let mut transcript = Transcript::new(hash);
            transcript.add(b"ClientHello1");
            let mut transcript = transcript.into_message_hash();
            transcript.add(b"HelloRetryRequest");
            let digest = hash.digest(b"ClientHello1");
            let len = u8::try_from(hash.output_len()).unwrap();
            let expected = hash.digest_parts(&[&[254, 0, 0, len], digest.as_bytes(), b"HelloRetryRequest"]);
            assert_eq!(transcript.current(), expected);
            assert_eq!(transcript.hash(), hash);
        }
    }
}
