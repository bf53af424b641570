//! Record padding (RFC 9846 section 5.4): zeros inside the protection that hide how long the content is.

use core::num::NonZeroU16;

/// How many zeros to add to a protected record. Whatever the policy asks, a record never exceeds its limits.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub enum Padding {
    /// None: lengths show.
    #[default]
    None,
    /// Up to the next multiple of so many bytes of content. Content that fills a whole record is not padded.
    ToMultiple(NonZeroU16),
    /// Every record as long as the limit allows.
    ToMaximum,
    /// The caller's own rule: content length in bytes to number of zeros. It must give the same answer each time it
    /// is asked, or [`Writer::sealed_len`](crate::Writer::sealed_len) can't be exact.
    Custom(fn(usize) -> usize),
}

impl Padding {
    /// The zeros for `content` bytes where there is room for `room` of them.
    #[inline]
    pub(crate) fn len(self, content: usize, room: usize) -> usize {
        let wanted = match self {
            Self::None => 0,
            Self::ToMultiple(multiple) => {
                let multiple = usize::from(multiple.get());
                content.next_multiple_of(multiple).saturating_sub(content)
            }
            Self::ToMaximum => room,
            Self::Custom(rule) => rule(content),
        };
        wanted.min(room)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn padding_reaches_the_multiple_and_no_further() {
        let to = Padding::ToMultiple(NonZeroU16::new(128).unwrap());
        assert_eq!(to.len(1, 1000), 127);
        assert_eq!(to.len(127, 1000), 1);
        assert_eq!(to.len(128, 1000), 0);
        assert_eq!(to.len(129, 1000), 127);
    }

    #[test]
    fn padding_never_exceeds_its_room() {
        let to = Padding::ToMultiple(NonZeroU16::new(4096).unwrap());
        assert_eq!(to.len(1, 7), 7);
        assert_eq!(Padding::Custom(|_| usize::MAX).len(1, 7), 7);
        assert_eq!(Padding::ToMaximum.len(1, 7), 7);
        assert_eq!(Padding::None.len(1, 7), 0);
    }
}
