//! Which entry of a full set makes room: the next one round that was not used since its last turn ("second chance").

use std::sync::atomic::{AtomicU16, Ordering::Relaxed};

/// Places of one set: as many as a byte has marks.
pub(crate) const PLACES: usize = 8;

/// What is known of the places of a set, in one word: whose turn it is, and which were used since their own. Nothing
/// else hangs on it, so that its order among other memory does not matter.
#[derive(Default)]
pub(crate) struct Recency(AtomicU16);

impl Recency {
    /// This place was used. One that is marked is not written again: what is used all the time stays in every
    /// processor's cache.
    pub(crate) fn mark(&self, place: usize) {
        let mark = u16::from(u8::try_from(place).map_or(0, bit));
        if self.0.load(Relaxed) & mark != mark {
            self.0.fetch_or(mark, Relaxed);
        }
    }

    /// The place that the next entry gets. Each that was used is passed over once.
    pub(crate) fn next(&self) -> usize {
        let mut state = self.0.load(Relaxed);
        loop {
            let (place, turned) = turn(state);
            match self.0.compare_exchange_weak(state, turned, Relaxed, Relaxed) {
                Ok(_) => return place.into(),
                Err(present) => state = present,
            }
        }
    }

    /// As it was in the beginning.
    pub(crate) fn clear(&self) {
        self.0.store(0, Relaxed);
    }
}

/// The place whose turn it is, and the state behind it. Each mark is passed once, so this ends.
fn turn(state: u16) -> (u8, u16) {
    let [mut place, mut marks] = state.to_be_bytes();
    while marks & bit(place) != 0 {
        marks &= !bit(place);
        place = after(place);
    }
    (place, u16::from_be_bytes([after(place), marks]))
}

fn bit(place: u8) -> u8 {
    1u8.wrapping_shl(u32::from(place))
}

const fn after(place: u8) -> u8 {
    place.wrapping_add(1) & 7
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_come_in_turn_and_each_that_was_used_is_passed_over_once() {
        let recency = Recency::default();
        let next = |count: usize| (0..count).map(|_| recency.next()).collect::<Vec<_>>();
        assert_eq!(next(9), [0, 1, 2, 3, 4, 5, 6, 7, 0]);
        recency.mark(2);
        recency.mark(2);
        recency.mark(7);
        assert_eq!(next(8), [1, 3, 4, 5, 6, 0, 1, 2]);
        (0..PLACES).for_each(|place| recency.mark(place));
        assert_eq!(next(2), [3, 4], "where all were used, the one whose turn it is");
        recency.mark(0);
        recency.clear();
        assert_eq!(next(1), [0]);
    }
}
