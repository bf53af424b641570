//! What is to be sealed: bytes that lie together, or pieces that follow each other in the caller's memory.

use std::io::IoSlice;

use crate::keys::Content;

/// Bytes to be sealed, in their order.
pub(crate) trait Plaintext {
    /// How many there are.
    fn len(&self) -> usize;
    /// The next `len` of them for a record: where they are if they lie together, else copied into `body`, from `start` on.
    /// `None` if there are not so many, or no room for the copy.
    fn content(&self, len: usize, body: &mut [u8], start: usize) -> Option<Content<'_>>;
    /// Copies the next of them: as many as `out` has room for.
    fn copy_to(&self, out: &mut [u8]);
    /// Leaves out the next `len` of them.
    fn skip(&mut self, len: usize);
}

impl Plaintext for &[u8] {
    #[inline]
    fn len(&self) -> usize {
        <[u8]>::len(self)
    }

    #[inline]
    fn content(&self, len: usize, _body: &mut [u8], _start: usize) -> Option<Content<'_>> {
        self.get(..len).map(Content::Apart)
    }

    #[inline]
    fn copy_to(&self, out: &mut [u8]) {
        fill(out, self);
    }

    #[inline]
    fn skip(&mut self, len: usize) {
        *self = self.get(len..).unwrap_or_default();
    }
}

/// So many bytes that lie where the record is to be already, all of them for that one.
pub(crate) struct InPlace(pub(crate) usize);

impl Plaintext for InPlace {
    fn len(&self) -> usize {
        self.0
    }

    fn content(&self, len: usize, _body: &mut [u8], _start: usize) -> Option<Content<'_>> {
        (len == self.0).then_some(Content::InPlace(len))
    }

    /// They lie there.
    fn copy_to(&self, _out: &mut [u8]) {}

    fn skip(&mut self, len: usize) {
        self.0 = self.0.saturating_sub(len);
    }
}

/// Pieces, the first of which is empty only where nothing is left.
pub(crate) struct Pieces<'a> {
    first: &'a [u8],
    rest: &'a [IoSlice<'a>],
    len: usize,
}

impl<'a> Pieces<'a> {
    /// As many of `pieces` as make `most` bytes, or more; all, if they are fewer. Whoever can take no more need not count
    /// the others: in a long list that would be done again for each window.
    pub(crate) fn new(pieces: &'a [IoSlice<'a>], most: usize) -> Self {
        let mut len = 0_usize;
        for piece in pieces {
            if len >= most {
                break;
            }
            len = len.saturating_add(piece.len());
        }
        let mut new = Self { first: &[], rest: pieces, len };
        new.skip(0);
        new
    }
}

impl Plaintext for Pieces<'_> {
    fn len(&self) -> usize {
        self.len
    }

    fn content(&self, len: usize, body: &mut [u8], start: usize) -> Option<Content<'_>> {
        if let Some(content) = self.first.get(..len) {
            return Some(Content::Apart(content));
        }
        let room = body.get_mut(start..)?.get_mut(..len).filter(|_| len <= self.len)?;
        self.copy_to(room);
        Some(Content::InPlace(len))
    }

    fn copy_to(&self, out: &mut [u8]) {
        let mut room = fill(out, self.first);
        for piece in self.rest {
            if room.is_empty() {
                return;
            }
            room = fill(room, piece);
        }
    }

    fn skip(&mut self, len: usize) {
        self.len = self.len.saturating_sub(len);
        let mut left = len;
        while left >= self.first.len() {
            let Some((next, rest)) = self.rest.split_first() else {
                self.first = &[];
                return;
            };
            left = left.saturating_sub(self.first.len());
            (self.first, self.rest) = (next, rest);
        }
        self.first = self.first.get(left..).unwrap_or_default();
    }
}

/// Copies as much of `bytes` as fits, and gives the room that is left.
#[inline]
fn fill<'a>(out: &'a mut [u8], bytes: &[u8]) -> &'a mut [u8] {
    let len = out.len().min(bytes.len());
    match (out.split_at_mut_checked(len), bytes.get(..len)) {
        (Some((front, room)), Some(bytes)) => {
            front.copy_from_slice(bytes);
            room
        }
        _ => &mut [],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn copied(plaintext: &impl Plaintext, len: usize) -> Vec<u8> {
        let mut out = vec![0; len];
        plaintext.copy_to(&mut out);
        out
    }

    /// What a record is sealed from, and whether that was copied.
    fn taken(plaintext: &impl Plaintext, len: usize) -> (Vec<u8>, bool) {
        let mut body = vec![0xee; 3 + len + 2];
        let taken = match plaintext.content(len, &mut body, 3) {
            Some(Content::Apart(content)) => (content.to_vec(), false),
            Some(Content::InPlace(len)) => (body[3..3 + len].to_vec(), true),
            None => panic!("there are {}", plaintext.len()),
        };
        assert!(body[..3] == [0xee; 3] && body[3 + len..] == [0xee; 2], "nothing else is written");
        taken
    }

    #[test]
    fn pieces_are_as_the_bytes_that_they_make_wherever_they_are_cut() {
        let parts: [&[u8]; 7] = [b"", b"one", b"", b"", b"t", b"wothree", b""];
        let whole = parts.concat();
        let slices = parts.map(IoSlice::new);
        for cuts in 0..1_u32 << whole.len() {
            let (mut pieces, mut bytes) = (Pieces::new(&slices, usize::MAX), &whole[..]);
            let mut run = 0;
            for at in 0..whole.len() {
                run += 1;
                if cuts >> at & 1 == 1 {
                    assert_eq!(copied(&pieces, run), copied(&bytes, run));
                    assert_eq!(taken(&pieces, run).0, taken(&bytes, run).0);
                    pieces.skip(run);
                    bytes.skip(run);
                    run = 0;
                }
                assert_eq!(Plaintext::len(&pieces), bytes.len());
            }
        }
    }

    #[test]
    fn only_what_does_not_lie_together_is_copied() {
        let slices = [b"".as_slice(), b"abc", b"", b"d"].map(IoSlice::new);
        let mut pieces = Pieces::new(&slices, usize::MAX);
        assert_eq!(taken(&pieces, 3), (b"abc".to_vec(), false));
        assert_eq!(taken(&pieces, 4), (b"abcd".to_vec(), true));
        pieces.skip(3);
        assert_eq!(taken(&pieces, 1), (b"d".to_vec(), false));
    }

    #[test]
    fn more_than_there_is_is_not_made_up() {
        let slices = [b"abc".as_slice(), b"d"].map(IoSlice::new);
        let pieces = Pieces::new(&slices, usize::MAX);
        assert!(pieces.content(5, &mut [0; 9], 0).is_none());
        assert!(pieces.content(4, &mut [0; 9], 6).is_none());
        assert!(b"abc".as_slice().content(4, &mut [0; 9], 0).is_none());
    }

    #[test]
    fn no_more_is_counted_than_can_be_used() {
        let slices = [b"abc".as_slice(), b"d", b"e"].map(IoSlice::new);
        for (most, len) in [(0, 0), (1, 3), (3, 3), (4, 4), (5, 5), (6, 5)] {
            assert_eq!(Plaintext::len(&Pieces::new(&slices, most)), len, "{most}");
        }
    }

    #[test]
    fn nothing_is_nothing() {
        for slices in [&[][..], &[IoSlice::new(b""), IoSlice::new(b"")]] {
            assert_eq!(Plaintext::len(&Pieces::new(slices, usize::MAX)), 0);
        }
    }
}
