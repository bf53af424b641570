//! Small pieces as one, so that they share records.

use std::borrow::Cow;
use std::io::IoSlice;

/// The most that is gathered at once, bytes: four full records, as many as are sealed at once.
const MOST: usize = 4 << 14;

/// The pieces in one, up to [`MOST`] bytes of them; copied only where there is more than one to begin with.
pub(crate) fn gathered<'a>(bufs: &'a [IoSlice<'_>]) -> Cow<'a, [u8]> {
    let mut pieces = bufs.iter().map(|piece| &**piece).filter(|piece| !piece.is_empty());
    let Some(first) = pieces.next() else { return Cow::Borrowed(&[]) };
    let Some(second) = pieces.next().filter(|_| first.len() < MOST) else { return Cow::Borrowed(first) };
    let all = bufs.iter().fold(0, |len: usize, piece| len.saturating_add(piece.len()));
    let mut gathered = Vec::with_capacity(all.min(MOST));
    for piece in [first, second].into_iter().chain(pieces) {
        let room = MOST.saturating_sub(gathered.len());
        gathered.extend_from_slice(piece.get(..room).unwrap_or(piece));
        if gathered.len() == MOST {
            break;
        }
    }
    Cow::Owned(gathered)
}
