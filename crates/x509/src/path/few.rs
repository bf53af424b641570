//! A list that has room for the usual few without an allocation.

/// The first `N` in place, what is more on the heap.
pub(super) struct Few<T, const N: usize> {
    first: [Option<T>; N],
    more: Vec<T>,
}

impl<T, const N: usize> Few<T, N> {
    pub(super) const fn new() -> Self {
        Self { first: [const { None }; N], more: Vec::new() }
    }

    pub(super) fn push(&mut self, item: T) {
        match self.first.iter_mut().find(|place| place.is_none()) {
            Some(place) => *place = Some(item),
            None => self.more.push(item),
        }
    }

    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = &mut T> {
        self.first.iter_mut().flatten().chain(&mut self.more)
    }

    pub(super) fn len(&self) -> usize {
        self.first.iter().flatten().count().saturating_add(self.more.len())
    }

    pub(super) fn last(&self) -> Option<&T> {
        self.more.last().or_else(|| self.first.iter().flatten().last())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_is_that_of_pushing_beyond_the_room_in_place() {
        let mut few = Few::<_, 2>::new();
        assert_eq!((few.len(), few.last()), (0, None));
        for number in 0..5 {
            few.push(number);
            assert_eq!((few.len(), few.last()), (number + 1, Some(&number)));
        }
        assert!(few.iter_mut().map(|number| *number).eq(0..5));
    }
}
