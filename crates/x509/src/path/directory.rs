//! directoryName constraints (RFC 5280 sections 4.2.1.10 and 7.1): whether a name begins with all the parts of another.

use crate::defaults::RDN_ATTRIBUTES;
use crate::name::{Attribute, Name, read_attribute};
use crate::reader::Reader;

use super::constraints::Comparison;

/// Where `name` stands to the subtree `base`. One part that surely differs puts it outside; without such a part it is
/// [`Comparison::Undecided`] if there is one that can't be compared, so that no exclusion is evaded by the choice of
/// a string type.
pub(super) fn directory(name: &Name<'_>, base: &Name<'_>) -> Comparison {
    let mut parts = name.rdns();
    let mut result = Comparison::Inside;
    for wanted in base.rdns() {
        match parts.next().map(|part| same_rdn(part, wanted)) {
            None | Some(Some(false)) => return Comparison::Outside,
            Some(None) => result = Comparison::Undecided,
            Some(Some(true)) => {}
        }
    }
    result
}

/// Whether two relative distinguished names have the same types with the same values, in whatever order: DER sorts
/// them by their encodings, which differ in spaces and case where the values do not. `None`: no telling.
fn same_rdn(ours: Reader<'_>, theirs: Reader<'_>) -> Option<bool> {
    let (ours, theirs) = (Rdn::read(ours)?, Rdn::read(theirs)?);
    if ours.iter().count() != theirs.iter().count() {
        return Some(false);
    }
    let mut decided = true;
    for attribute in ours.iter() {
        match theirs.of_type(attribute.oid).map(|other| attribute.same_value(other)) {
            None | Some(Some(false)) => return Some(false),
            Some(None) => decided = false,
            Some(Some(true)) => {}
        }
    }
    decided.then_some(true)
}

/// The types and values of one relative distinguished name, each type once (X.501 section 9.3).
struct Rdn<'a> {
    attributes: [Option<Attribute<'a>>; RDN_ATTRIBUTES],
}

impl<'a> Rdn<'a> {
    /// `None` if there are too many or a type repeats.
    fn read(mut set: Reader<'a>) -> Option<Self> {
        let mut rdn = Self { attributes: [None; RDN_ATTRIBUTES] };
        for place in 0..=RDN_ATTRIBUTES {
            if set.is_empty() {
                return Some(rdn);
            }
            let attribute = read_attribute(&mut set, false)?;
            if rdn.of_type(attribute.oid).is_some() {
                return None;
            }
            *rdn.attributes.get_mut(place)? = Some(attribute);
        }
        None
    }

    fn iter(&self) -> impl Iterator<Item = &Attribute<'a>> {
        self.attributes.iter().map_while(Option::as_ref)
    }

    fn of_type(&self, oid: &[u8]) -> Option<&Attribute<'a>> {
        self.iter().find(|attribute| attribute.oid == oid)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reader::tag::{BMP_STRING, PRINTABLE_STRING, TELETEX_STRING, UTF8_STRING};
    use Comparison::{Inside, Outside, Undecided};

    fn tlv(tag: u8, contents: &[u8]) -> Vec<u8> {
        [&[tag, u8::try_from(contents.len()).unwrap()], contents].concat()
    }

    /// A part: last arc of its type below 2.5.4, string type, value.
    type Part<'a> = (u8, u8, &'a [u8]);

    fn rdns(parts: &[&[Part<'_>]]) -> Vec<u8> {
        let rdn = |rdn: &&[Part<'_>]| {
            let mut set: Vec<_> = rdn
                .iter()
                .map(|(arc, tag, value)| tlv(0x30, &[tlv(6, &[0x55, 4, *arc]), tlv(*tag, value)].concat()))
                .collect();
            set.sort();
            tlv(0x31, &set.concat())
        };
        parts.iter().flat_map(rdn).collect()
    }

    fn compare(name: &[&[Part<'_>]], base: &[&[Part<'_>]]) -> Comparison {
        let (name, base) = (rdns(name), rdns(base));
        directory(&Name::from_contents(&name).unwrap(), &Name::from_contents(&base).unwrap())
    }

    #[test]
    fn a_name_is_within_what_its_first_parts_equal() {
        let (o, ou, cn) =
            ((10, UTF8_STRING, &b"ox"[..]), (11, UTF8_STRING, &b"a"[..]), (3, UTF8_STRING, &b"x"[..]));
        let spelled = (10, PRINTABLE_STRING, &b" OX "[..]);
        assert_eq!(compare(&[&[o], &[cn]], &[]), Inside);
        assert_eq!(compare(&[], &[&[o]]), Outside);
        assert_eq!(compare(&[&[o], &[cn]], &[&[o]]), Inside);
        assert_eq!(compare(&[&[o], &[cn]], &[&[spelled]]), Inside);
        assert_eq!(compare(&[&[o], &[cn]], &[&[o], &[cn]]), Inside);
        assert_eq!(compare(&[&[o], &[cn]], &[&[cn]]), Outside);
        assert_eq!(compare(&[&[o]], &[&[o], &[cn]]), Outside);
        assert_eq!(compare(&[&[o, ou]], &[&[o]]), Outside, "a part is whole or not there");
        assert_eq!(compare(&[&[o]], &[&[o, ou]]), Outside);
    }

    /// Padding turns the order of the encodings around.
    #[test]
    fn the_order_within_a_part_does_not_count() {
        let short = [(10, UTF8_STRING, &b"ox"[..]), (11, UTF8_STRING, &b"abcd"[..])];
        let padded = [(10, UTF8_STRING, &b"ox       "[..]), (11, UTF8_STRING, &b"abcd"[..])];
        let other = [(10, UTF8_STRING, &b"ox       "[..]), (11, UTF8_STRING, &b"abcx"[..])];
        assert_eq!(compare(&[&padded], &[&short]), Inside);
        assert_eq!(compare(&[&other], &[&short]), Outside);
    }

    #[test]
    fn string_types_without_a_normal_form_leave_it_open() {
        let base = [(10, UTF8_STRING, &b"ox"[..])];
        for (tag, value) in
            [(TELETEX_STRING, &b"ox"[..]), (BMP_STRING, b"\0o\0x"), (0x1a, b"ox"), (0x12, b"1")]
        {
            assert_eq!(compare(&[&[(10, tag, value)]], &[&base]), Undecided, "{tag:#x}");
            assert_eq!(compare(&[&[(10, tag, value)]], &[&[(10, tag, value)]]), Inside, "{tag:#x}");
            assert_eq!(compare(&[&[(11, tag, value)]], &[&base]), Outside, "{tag:#x}: another type");
        }
        let (one, two) = ((10, TELETEX_STRING, &b"ox"[..]), (10, TELETEX_STRING, &b"OX"[..]));
        assert_eq!(compare(&[&[one]], &[&[two]]), Undecided);
        // One sure difference is enough.
        let (a, b) = ((11, UTF8_STRING, &b"a"[..]), (11, UTF8_STRING, &b"b"[..]));
        assert_eq!(compare(&[&[one], &[a]], &[&[two], &[b]]), Outside);
        assert_eq!(compare(&[&[one, a]], &[&[two, b]]), Outside);
        // Values that are no text are equal octet by octet.
        let bits = |value| (10, 3, value);
        assert_eq!(compare(&[&[bits(&b"\0\x01"[..])]], &[&[bits(&b"\0\x02"[..])]]), Outside);
    }

    #[test]
    fn parts_with_a_type_twice_or_too_many_leave_it_open() {
        let twice = [(10, UTF8_STRING, &b"a"[..]), (10, UTF8_STRING, &b"b"[..])];
        assert_eq!(compare(&[&twice], &[&twice]), Undecided);
        let many = |count| (0..count).map(|arc| (arc, UTF8_STRING, &b"a"[..])).collect::<Vec<_>>();
        assert_eq!(compare(&[&many(8)], &[&many(8)]), Inside);
        assert_eq!(compare(&[&many(9)], &[&many(9)]), Undecided);
    }
}
