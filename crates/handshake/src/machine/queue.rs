//! The queue of outputs, which leaves no secret behind where one has waited.

use std::collections::VecDeque;

use oxtls_crypto::hash::Hash;
use oxtls_crypto::secret::Secret;

use crate::step::{EarlyData, Output};

/// As many outputs as most steps give at most. With early data, record size limits and data before the client's Finished
/// all at once there are more, and with a key log's lines.
const OUTPUTS: usize = 8;

/// Outputs in wire order.
#[derive(Debug)]
pub(super) struct Queue(VecDeque<Output>);

impl Queue {
    pub(super) fn new() -> Self {
        Self(VecDeque::with_capacity(OUTPUTS))
    }

    /// Puts an output behind the others. A queue that is full moves to another allocation by itself, secret by secret:
    /// grown by the standard library, it would be given back with all of them in it.
    pub(super) fn push(&mut self, output: Output) {
        if self.0.len() == self.0.capacity() {
            let mut larger = Self(VecDeque::with_capacity(self.0.capacity().saturating_mul(2).max(OUTPUTS)));
            while let Some(waiting) = self.pop() {
                larger.0.push_back(waiting);
            }
            *self = larger;
        }
        self.0.push_back(output);
    }

    /// The next output. What is moved out leaves its bytes behind, in a queue that stays as long as the machine: those of
    /// a secret are overwritten.
    pub(super) fn pop(&mut self) -> Option<Output> {
        let output = match self.0.front_mut()? {
            Output::Keys(waiting) => Output::Keys(waiting.take()),
            Output::EarlyData(waiting) => Output::EarlyData(take_exporter(waiting)),
            _ => return self.0.pop_front(),
        };
        self.0.pop_front();
        Some(output)
    }

    /// The last output, which messages that follow it at once are written behind.
    pub(super) fn last(&self) -> Option<&Output> {
        self.0.back()
    }

    /// The same, to be changed.
    pub(super) fn last_mut(&mut self) -> Option<&mut Output> {
        self.0.back_mut()
    }

    /// Takes the last output back.
    pub(super) fn take_back(&mut self) {
        self.0.pop_back();
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// The news, with zeros left where its exporter was.
fn take_exporter(waiting: &mut EarlyData) -> EarlyData {
    let take = |exporter: &mut Option<Secret>| {
        exporter.as_mut().map(|exporter| core::mem::replace(exporter, Secret::zeros(Hash::Sha256)))
    };
    match waiting {
        EarlyData::Offered { limit, exporter } => {
            EarlyData::Offered { limit: *limit, exporter: take(exporter) }
        }
        EarlyData::Accepted { exporter } => EarlyData::Accepted { exporter: take(exporter) },
        EarlyData::Rejected(reason) => EarlyData::Rejected(*reason),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::step::{Direction, KeyChange, KeySecret, Level};
    use crate::suite::CipherSuite;

    fn key(byte: u8) -> Output {
        Output::Keys(KeyChange {
            level: Level::Handshake,
            direction: Direction::Read,
            suite: CipherSuite::TLS_AES_128_GCM_SHA256,
            secret: KeySecret::Tls13(Secret::new(&[byte; 32]).unwrap()),
        })
    }

    fn byte(output: &Output) -> Option<u8> {
        let secret = match output {
            Output::Keys(KeyChange { secret: KeySecret::Tls13(secret), .. }) => secret,
            Output::EarlyData(EarlyData::Accepted { exporter } | EarlyData::Offered { exporter, .. }) => {
                exporter.as_ref()?
            }
            _ => return None,
        };
        secret.as_bytes().first().copied()
    }

    #[test]
    fn a_queue_that_grows_keeps_the_order_and_every_secret() {
        let mut queue = Queue::new();
        let most = u8::try_from(OUTPUTS * 5).unwrap();
        for number in 0..most {
            queue.push(match number % 3 {
                0 => key(number),
                1 => {
                    let exporter = Some(Secret::new(&[number; 32]).unwrap());
                    Output::EarlyData(EarlyData::Accepted { exporter })
                }
                _ => Output::HalfRtt,
            });
        }
        assert_eq!(queue.len(), usize::from(most));
        for number in 0..most {
            let output = queue.pop().unwrap();
            assert_eq!(byte(&output), (number % 3 != 2).then_some(number));
        }
        assert!(queue.pop().is_none() && queue.is_empty());
    }

    #[test]
    fn what_is_taken_out_leaves_zeros() {
        let Output::Keys(mut waiting) = key(7) else { panic!("a key") };
        assert_eq!(byte(&Output::Keys(waiting.take())), Some(7));
        assert_eq!(byte(&Output::Keys(waiting)), Some(0));
        let exporter = Some(Secret::new(&[7; 32]).unwrap());
        let mut waiting = EarlyData::Offered { limit: 9, exporter };
        let taken = take_exporter(&mut waiting);
        assert_eq!(byte(&Output::EarlyData(taken)), Some(7));
        assert_eq!(byte(&Output::EarlyData(waiting)), Some(0));
    }
}
