//! The keys that a hello has shares of.

use oxtls_crypto::key_exchange::{KeyExchange, NamedGroup};

/// Keys whose shares were sent, in their order: nearly always one, which has no allocation of its own.
#[derive(Debug, Default)]
pub(super) struct Shares {
    first: Option<KeyExchange>,
    more: Vec<KeyExchange>,
}

impl Shares {
    /// The one, where there is but one.
    pub(super) fn only(&self) -> Option<&KeyExchange> {
        self.first.as_ref().filter(|_| self.more.is_empty())
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &KeyExchange> {
        self.first.iter().chain(&self.more)
    }

    /// The key of this group; the others are gone.
    pub(super) fn of_group(self, group: NamedGroup) -> Option<KeyExchange> {
        self.first.into_iter().chain(self.more).find(|share| share.group() == group)
    }
}

impl FromIterator<KeyExchange> for Shares {
    fn from_iter<I: IntoIterator<Item = KeyExchange>>(shares: I) -> Self {
        let mut shares = shares.into_iter();
        Self { first: shares.next(), more: shares.collect() }
    }
}
