//! Each extension at most once (RFC 5280 section 4.2), whatever the number of extensions.

use crate::defaults::MAX_EXTENSIONS;
use crate::reader::Reader;

use super::Extension;

/// Which extensions have been seen, so that a certificate of thousands of extensions costs no quadratic search
/// until it passes the fixed room; one that does is compared with its predecessors.
#[derive(Default)]
pub(super) struct Seen {
    /// id-ce extensions by their last arc.
    common: u128,
    others: u32,
}

impl Seen {
    /// Notes an extension of `contents`; whether it was there before.
    pub(super) fn repeats(&mut self, contents: Reader<'_>, extension: &Extension<'_>) -> bool {
        if let [0x55, 0x1d, arc @ 0..=0x7f] = *extension.oid.0 {
            let bit = 1u128 << (arc & 0x7f);
            let repeated = self.common & bit != 0;
            self.common |= bit;
            repeated
        } else {
            self.others = self.others.saturating_add(1);
            self.others > 1 && occurs_before(contents, extension)
        }
    }
}

/// Whether an uncommon extension's identifier stands before it as well.
fn occurs_before(contents: Reader<'_>, extension: &Extension<'_>) -> bool {
    let mut reader = contents;
    let mut compared = 0u32;
    while let Ok(earlier) = Extension::read(&mut reader) {
        if earlier.offset >= extension.offset {
            return false;
        }
        compared = compared.saturating_add(1);
        // Nobody needs this many; refusing them as repeated keeps the search linear.
        if earlier.oid == extension.oid || compared > MAX_EXTENSIONS {
            return true;
        }
    }
    false
}
