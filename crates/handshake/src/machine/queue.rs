//! What a machine has to say, first in, first out.

use std::collections::VecDeque;

use crate::step::Output;

/// As many outputs as a step gives at most, but for a key log's lines and QUIC's.
const OUTPUTS: usize = 8;

/// Outputs that wait. Those of a usual step have no allocation: it begins with an empty queue.
#[derive(Default)]
pub(super) struct Queue {
    /// Those from `taken` to `filled`.
    first: [Option<Output>; OUTPUTS],
    filled: usize,
    taken: usize,
    /// Those behind them, once there is no room.
    more: VecDeque<Output>,
}

impl Queue {
    pub(super) fn push(&mut self, output: Output) {
        match self.first.get_mut(self.filled) {
            Some(free) if self.more.is_empty() => {
                *free = Some(output);
                self.filled = self.filled.saturating_add(1);
            }
            _ => self.more.push_back(output),
        }
    }

    pub(super) fn pop(&mut self) -> Option<Output> {
        let Some(output) = self.first.get_mut(self.taken).and_then(Option::take) else {
            return self.more.pop_front();
        };
        self.taken = self.taken.saturating_add(1);
        if self.taken == self.filled {
            (self.taken, self.filled) = (0, 0);
        }
        Some(output)
    }

    pub(super) fn len(&self) -> usize {
        self.filled.saturating_sub(self.taken).saturating_add(self.more.len())
    }

    pub(super) fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbered(n: u16) -> Output {
        Output::Limits { send: n, receive: n }
    }

    fn number(output: Option<Output>) -> Option<u16> {
        match output {
            Some(Output::Limits { send, .. }) => Some(send),
            None => None,
            Some(other) => panic!("{other:?}"),
        }
    }

    #[test]
    fn outputs_come_in_their_order_however_many_wait_and_whenever_they_are_taken() {
        for waiting in 1..30_u16 {
            for taken in 1..=waiting {
                let mut queue = Queue::default();
                let (mut next, mut due) = (0, 0);
                for _ in 0..10 {
                    for _ in 0..waiting {
                        queue.push(numbered(next));
                        next += 1;
                    }
                    assert_eq!(queue.len(), usize::from(next - due));
                    for _ in 0..taken {
                        assert_eq!(number(queue.pop()), Some(due));
                        due += 1;
                    }
                }
                while let Some(n) = number(queue.pop()) {
                    assert_eq!(n, due);
                    due += 1;
                }
                assert!(queue.is_empty() && due == next);
            }
        }
    }
}
