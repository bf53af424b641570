//! nameConstraints (RFC 5280 section 4.2.1.10), borrowed.

use crate::name::GeneralName;
use crate::reader::{Element, Parsed, Place, Reader, at, tag};

/// nameConstraints (RFC 5280 section 4.2.1.10), checked to be well formed.
#[derive(Clone, Copy, Debug)]
pub struct NameConstraints<'a> {
    permitted: Reader<'a>,
    excluded: Reader<'a>,
    /// Whether the extension is critical.
    pub critical: bool,
    /// Offset of the extension; 0 where the constraints are none of a certificate's.
    pub(crate) offset: u32,
}

/// NameConstraints by where they stand.
#[derive(Clone, Copy, Debug)]
pub(crate) struct KeptConstraints {
    permitted: Place,
    excluded: Place,
    critical: bool,
    offset: u32,
}

impl KeptConstraints {
    /// Those of a certificate, in the extension at this offset.
    pub(super) fn of(read: NameConstraints<'_>, offset: u32) -> Self {
        let NameConstraints { permitted, excluded, critical, .. } = read;
        Self { permitted: permitted.place(), excluded: excluded.place(), critical, offset }
    }
}

impl<'a> NameConstraints<'a> {
    pub(crate) fn kept(kept: KeptConstraints, encoding: &'a [u8]) -> Self {
        let KeptConstraints { permitted, excluded, critical, offset } = kept;
        let (permitted, excluded) = (permitted.reader(encoding), excluded.reader(encoding));
        Self { permitted, excluded, critical, offset }
    }

    /// The subtrees that names must lie in, form by form.
    #[must_use]
    pub fn permitted(&self) -> Subtrees<'a> {
        Subtrees { reader: self.permitted }
    }

    /// The subtrees that names must not lie in.
    #[must_use]
    pub fn excluded(&self) -> Subtrees<'a> {
        Subtrees { reader: self.excluded }
    }

    /// Reads the contents of a NameConstraints SEQUENCE.
    pub(crate) fn read(mut fields: Reader<'a>, critical: bool) -> Parsed<Self> {
        let nothing = Reader::new(&[], fields.offset());
        let permitted = fields.optional(tag::context_constructed(0))?;
        let excluded = fields.optional(tag::context_constructed(1))?;
        fields.end("bytes after the subtrees")?;
        if permitted.is_none() && excluded.is_none() {
            return Err(fields.error("nameConstraints without subtrees"));
        }
        for list in [permitted, excluded].into_iter().flatten() {
            check_subtrees(list)?;
        }
        let contents = |list: Option<Element<'a>>| list.map_or(nothing, |element| element.reader());
        Ok(Self { permitted: contents(permitted), excluded: contents(excluded), critical, offset: 0 })
    }
}

fn check_subtrees(list: Element<'_>) -> Parsed<()> {
    let mut reader = list.reader();
    if reader.is_empty() {
        return Err(at(list.start, "GeneralSubtrees is empty"));
    }
    while !reader.is_empty() {
        read_subtree(&mut reader)?;
    }
    Ok(())
}

/// minimum must be its default 0 and is therefore never encoded, maximum must be absent (RFC 5280 section 4.2.1.10).
fn read_subtree<'a>(reader: &mut Reader<'a>) -> Parsed<GeneralName<'a>> {
    let mut fields = reader.sequence("GeneralSubtree expected")?;
    let base = GeneralName::read(&mut fields)?;
    fields.end("a subtree has a minimum or maximum")?;
    Ok(base)
}

/// The bases of checked subtrees.
#[derive(Clone, Copy, Debug)]
pub struct Subtrees<'a> {
    reader: Reader<'a>,
}

impl<'a> Iterator for Subtrees<'a> {
    type Item = GeneralName<'a>;

    fn next(&mut self) -> Option<GeneralName<'a>> {
        if self.reader.is_empty() {
            return None;
        }
        GeneralName::reread(&mut self.reader.any().ok()?.reader())
    }
}
