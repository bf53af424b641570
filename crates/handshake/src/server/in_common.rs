//! What both ends have of a kind: suites, groups.

/// As many as this library has of any kind.
const MOST: usize = 12;

/// What both ends have of a kind, the most preferred first.
#[derive(Clone, Copy, Debug)]
pub(super) struct InCommon<T>([Option<T>; MOST]);

impl<T: Copy> InCommon<T> {
    /// Those of `ours` that have a place in the client's list, in our order, or `by_place` in the client's. Ours, which are
    /// few, are looked up in theirs and never the other way round: what is done with each of what is in common may look at
    /// the hello again, and a client can name a group thousands of times.
    pub(super) fn new(
        ours: impl Iterator<Item = T>,
        place: impl Fn(&T) -> Option<usize>,
        by_place: bool,
    ) -> Self {
        let mut found = [None; MOST];
        let known = ours.filter_map(|item| Some((place(&item)?, item)));
        for (slot, item) in found.iter_mut().zip(known) {
            *slot = Some(item);
        }
        if by_place {
            found.sort_unstable_by_key(|item| item.map_or(usize::MAX, |(at, _)| at));
        }
        Self(found.map(|item| item.map(|(_, item)| item)))
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = T> + Clone + use<'_, T> {
        self.0.iter().map_while(|item| *item)
    }

    pub(super) fn first(&self) -> Option<T> {
        self.iter().next()
    }
}

#[cfg(test)]
mod tests {
    use oxtls_crypto::key_exchange::NamedGroup;

    use super::*;
    use crate::defaults;

    #[test]
    fn there_is_room_for_all_that_this_library_has() {
        for length in [NamedGroup::SUPPORTED.len(), defaults::SUITES.len(), defaults::SUITES_TLS12.len()] {
            assert!(length <= MOST, "{length}");
        }
    }

    #[test]
    fn what_is_in_common_has_our_order_or_theirs() {
        let theirs = [9, 4, 1, 4, 7];
        let common = |by_place| {
            let place = |item: &i32| theirs.iter().position(|other| other == item);
            InCommon::new([1, 2, 4, 9].into_iter(), place, by_place).iter().collect::<Vec<_>>()
        };
        assert_eq!(common(false), [1, 4, 9]);
        assert_eq!(common(true), [9, 4, 1]);
        let none = InCommon::new([1, 2].into_iter(), |_| None, true);
        assert_eq!((none.first(), none.iter().count()), (None, 0));
        // No more than there is room for, and no panic.
        assert_eq!(InCommon::new(0..100, |_| Some(0), true).iter().count(), MOST);
    }
}
