//! A session ID, where it lies.

/// At most 32 bytes (RFC 5246 section 7.4.1.2), without an allocation of their own.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct SessionId {
    bytes: [u8; SessionId::MAX],
    len: usize,
}

impl SessionId {
    /// Most bytes of one.
    const MAX: usize = 32;

    /// `None` if it is too long for one.
    pub(super) fn new(id: &[u8]) -> Option<Self> {
        let mut bytes = [0; Self::MAX];
        bytes.get_mut(..id.len())?.copy_from_slice(id);
        Some(Self { bytes, len: id.len() })
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or_default()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.len == 0
    }
}

impl From<[u8; SessionId::MAX]> for SessionId {
    fn from(bytes: [u8; Self::MAX]) -> Self {
        Self { bytes, len: Self::MAX }
    }
}
