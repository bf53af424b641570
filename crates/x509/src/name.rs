//! Distinguished names (RFC 5280 sections 4.1.2.4 and 7.1), borrowed; general names have a file of their own.

mod general;

use core::fmt;
use core::hash::{Hash, Hasher};

use crate::oid::{self, Oid};
use crate::reader::{Element, Parsed, Reader, at, tag};

pub use general::{GeneralName, GeneralNames};

/// What an empty name is called.
pub(crate) const NAMELESS: &str = "(no name)";

/// A distinguished name: the contents of its RDNSequence, checked to be well formed.
///
/// `Display` is one line in the manner of RFC 4514 (most specific part first) with control characters escaped, so
/// that a peer's name cannot forge lines in a log. Equality is that of RFC 5280 section 7.1 for the string types in
/// use: case and runs of spaces do not count in PrintableString, UTF8String and IA5String.
#[derive(Clone, Copy)]
pub struct Name<'a> {
    contents: &'a [u8],
}

/// One type and value of a name.
#[derive(Clone, Copy)]
pub(crate) struct Attribute<'a> {
    pub(crate) oid: &'a [u8],
    pub(crate) tag: u8,
    pub(crate) value: &'a [u8],
    /// Whether it begins a relative distinguished name (a SET) rather than continuing one.
    pub(crate) begins_rdn: bool,
}

impl<'a> Name<'a> {
    /// Reads a Name and checks its form.
    pub(crate) fn read(reader: &mut Reader<'a>) -> Parsed<Self> {
        Self::from_element(reader.expect(tag::SEQUENCE, "Name expected")?)
    }

    /// Checks the form of an element that holds an RDNSequence.
    pub(crate) fn from_element(element: Element<'a>) -> Parsed<Self> {
        let mut rdns = element.reader();
        while !rdns.is_empty() {
            let set = rdns.expect(tag::SET, "RelativeDistinguishedName expected")?;
            let mut attributes = set.reader();
            if attributes.is_empty() {
                return Err(at(set.start, "RelativeDistinguishedName is empty"));
            }
            // X.690 section 11.6: the parts of a SET OF ascend, or one name would have several encodings.
            let mut previous: &[u8] = &[];
            while !attributes.is_empty() {
                let start = attributes.offset();
                let mut ahead = attributes;
                let whole = ahead.any()?.whole;
                check_attribute(&mut attributes)?;
                if whole < previous {
                    return Err(at(start, "parts of a RelativeDistinguishedName are out of order"));
                }
                previous = whole;
            }
        }
        Ok(Self { contents: element.value })
    }

    /// A name from the contents of its RDNSequence, as trust anchors carry it.
    pub(crate) fn from_contents(contents: &'a [u8]) -> Parsed<Self> {
        let element =
            Element { tag: tag::SEQUENCE, value: contents, whole: contents, start: 0, value_start: 0 };
        Self::from_element(element)
    }

    /// A name that was checked before: the caller kept the contents of one.
    pub(crate) const fn trusted(contents: &'a [u8]) -> Self {
        Self { contents }
    }

    /// The contents of the RDNSequence, without its header.
    #[must_use]
    pub const fn contents(&self) -> &'a [u8] {
        self.contents
    }

    /// The whole RDNSequence, as `certificate_authorities` names it.
    #[must_use]
    pub fn to_der(&self) -> Vec<u8> {
        crate::trust::sequence(self.contents)
    }

    /// Whether the name has no part at all.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.contents.is_empty()
    }

    /// The values of the common names, the first first; those that are not text are left out.
    pub fn common_names(&self) -> impl Iterator<Item = String> + '_ {
        self.attributes().filter(|a| a.oid == oid::COMMON_NAME).filter_map(|a| a.text())
    }

    /// Every type and value in encoding order.
    pub(crate) fn attributes(&self) -> Attributes<'a> {
        Attributes { rdns: Reader::new(self.contents, 0), current: Reader::new(&[], 0), begins: false }
    }

    /// Each relative distinguished name, most general first, as the contents of its SET.
    pub(crate) fn rdns(&self) -> impl Iterator<Item = Reader<'a>> + use<'a> {
        let mut rdns = Reader::new(self.contents, 0);
        core::iter::from_fn(move || rdns.any().ok().map(|set| set.reader()))
    }
}

/// Equal names hash alike: what is hashed is the normalised form.
impl Hash for Name<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        for attribute in self.attributes() {
            state.write(attribute.oid);
            match attribute.comparable() {
                Some(characters) => hash_characters(characters, state),
                None => state.write(attribute.value),
            }
            state.write_u8(u8::from(attribute.begins_rdn));
        }
    }
}

/// Through a buffer: a keyed hash costs by the call, not by the octet.
fn hash_characters<H: Hasher>(characters: impl Iterator<Item = char>, state: &mut H) {
    let mut buffer = [0u8; 64];
    let mut used = 0usize;
    for character in characters {
        if let (true, Some(room)) = (character.is_ascii(), buffer.get_mut(used)) {
            *room = u8::try_from(character).unwrap_or(0);
            used = used.saturating_add(1);
            continue;
        }
        let end = used.saturating_add(character.len_utf8());
        match buffer.get_mut(used..end) {
            Some(room) => {
                character.encode_utf8(room);
                used = end;
            }
            None => {
                state.write(buffer.get(..used).unwrap_or(&[]));
                used = character.encode_utf8(&mut buffer).len();
            }
        }
    }
    state.write(buffer.get(..used).unwrap_or(&[]));
}

impl PartialEq for Name<'_> {
    fn eq(&self, other: &Self) -> bool {
        if self.contents == other.contents {
            return true;
        }
        let mut theirs = other.attributes();
        self.attributes().all(|ours| theirs.next().is_some_and(|theirs| ours.matches(&theirs)))
            && theirs.next().is_none()
    }
}

impl Eq for Name<'_> {}

impl fmt::Display for Name<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_empty() {
            return f.write_str(NAMELESS);
        }
        let attributes: Vec<_> = self.attributes().collect();
        for (index, attribute) in attributes.iter().rev().enumerate() {
            if index > 0 {
                f.write_str(", ")?;
            }
            attribute.fmt(f)?;
        }
        Ok(())
    }
}

impl fmt::Debug for Name<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Iterator over the attributes of a checked name.
pub(crate) struct Attributes<'a> {
    rdns: Reader<'a>,
    current: Reader<'a>,
    begins: bool,
}

impl<'a> Iterator for Attributes<'a> {
    type Item = Attribute<'a>;

    fn next(&mut self) -> Option<Attribute<'a>> {
        if self.current.is_empty() {
            if self.rdns.is_empty() {
                return None;
            }
            self.current = self.rdns.any().ok()?.reader();
            self.begins = true;
        }
        let attribute = read_attribute(&mut self.current, self.begins);
        self.begins = false;
        attribute
    }
}

/// Checks the form of an AttributeTypeAndValue.
fn check_attribute(reader: &mut Reader<'_>) -> Parsed<()> {
    let mut fields = reader.sequence("AttributeTypeAndValue expected")?;
    fields.oid()?;
    let element = fields.any()?;
    fields.end("AttributeTypeAndValue has more than a type and a value")?;
    check_string(&element)
}

/// Reads an AttributeTypeAndValue of a checked name.
pub(crate) fn read_attribute<'a>(reader: &mut Reader<'a>, begins_rdn: bool) -> Option<Attribute<'a>> {
    let mut fields = reader.any().ok()?.reader();
    let (oid, value) = (fields.any().ok()?, fields.any().ok()?);
    Some(Attribute { oid: oid.value, tag: value.tag, value: value.value, begins_rdn })
}

/// Types whose values are text, so that different octets may be the same value.
const fn is_string(tag: u8) -> bool {
    // From UTF8String and NumericString to BMPString; between them stand SEQUENCE, SET and times, which are no text.
    matches!(tag, tag::UTF8_STRING | 0x12..=0x16 | 0x19..=0x1e)
}

/// The content rules of the string types that have any.
fn check_string(element: &Element<'_>) -> Parsed<()> {
    let valid = match element.tag {
        tag::UTF8_STRING => core::str::from_utf8(element.value).is_ok(),
        // PrintableString's alphabet is smaller, but @, * and _ in it are everywhere.
        tag::PRINTABLE_STRING | tag::IA5_STRING => element.value.is_ascii(),
        tag::BMP_STRING => element.value.len().is_multiple_of(2),
        tag::UNIVERSAL_STRING => element.value.len().is_multiple_of(4),
        _ => true,
    };
    if valid { Ok(()) } else { Err(at(element.start, "string has characters outside its type")) }
}

impl Attribute<'_> {
    /// Equality by RFC 5280 section 7.1.
    fn matches(&self, other: &Attribute<'_>) -> bool {
        self.oid == other.oid
            && self.begins_rdn == other.begins_rdn
            && self.same_value(other).unwrap_or(false)
    }

    /// Whether the values are equal by RFC 5280 section 7.1; `None` where the section does not say: strings of types
    /// without a normal form may spell the same text in other octets.
    pub(crate) fn same_value(&self, other: &Attribute<'_>) -> Option<bool> {
        if self.tag == other.tag && (self.value == other.value || !is_string(self.tag)) {
            return Some(self.value == other.value);
        }
        let (ours, theirs) = (self.comparable()?, other.comparable()?);
        // The common case and the cheap one: nothing but ASCII letters differs.
        Some(self.value.eq_ignore_ascii_case(other.value) || ours.eq(theirs))
    }

    /// The characters that count: lower case, outer spaces dropped, runs of inner ones one. `None` for types that
    /// compare as bytes.
    fn comparable(&self) -> Option<Normalised<'_>> {
        match self.tag {
            tag::UTF8_STRING | tag::PRINTABLE_STRING | tag::IA5_STRING => {
                let text = core::str::from_utf8(self.value).ok()?;
                Some(Normalised { rest: text.trim_matches(' ').chars(), lower: None, space: false })
            }
            _ => None,
        }
    }

    /// The value as text, for people.
    pub(crate) fn text(&self) -> Option<String> {
        match self.tag {
            tag::UTF8_STRING | tag::PRINTABLE_STRING | tag::IA5_STRING => {
                core::str::from_utf8(self.value).ok().map(str::to_owned)
            }
            // T.61 in name, Latin-1 in practice.
            tag::TELETEX_STRING => Some(self.value.iter().map(|&byte| char::from(byte)).collect()),
            tag::BMP_STRING => {
                let units = self.value.chunks_exact(2).filter_map(|pair| pair.try_into().ok());
                Some(
                    char::decode_utf16(units.map(u16::from_be_bytes))
                        .map(|c| c.unwrap_or('\u{fffd}'))
                        .collect(),
                )
            }
            _ => None,
        }
    }
}

/// Iterator over the characters of a string that count in a comparison.
struct Normalised<'a> {
    rest: core::str::Chars<'a>,
    /// The rest of a character whose lower case is several.
    lower: Option<core::char::ToLowercase>,
    /// The last character was a space.
    space: bool,
}

impl Iterator for Normalised<'_> {
    type Item = char;

    #[inline]
    fn next(&mut self) -> Option<char> {
        if let Some(character) = self.lower.as_mut().and_then(Iterator::next) {
            return Some(character);
        }
        loop {
            let character = self.rest.next()?;
            let repeated = self.space && character == ' ';
            self.space = character == ' ';
            if repeated {
                continue;
            }
            if character.is_ascii() {
                return Some(character.to_ascii_lowercase());
            }
            let mut lower = character.to_lowercase();
            let first = lower.next();
            self.lower = Some(lower);
            return first;
        }
    }
}

impl fmt::Display for Attribute<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match oid::attribute_name(self.oid) {
            Some(name) => write!(f, "{name}=")?,
            None => write!(f, "{}=", Oid(self.oid))?,
        }
        match self.text() {
            Some(text) => text.chars().try_for_each(|c| match c {
                ',' | '+' | '"' | '\\' | '<' | '>' | ';' => write!(f, "\\{c}"),
                c if c.is_control() || is_invisible(c) => write!(f, "{}", c.escape_unicode()),
                c => write!(f, "{c}"),
            }),
            None => {
                f.write_str("#")?;
                self.value.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
            }
        }
    }
}

/// Characters that reorder the text around them, end a line or take no room (among them U+061C, the zero-width ones,
/// the byte order mark, interlinear annotation and tags): a name shown to people must not contain them raw, or two
/// names that differ would look alike.
const fn is_invisible(c: char) -> bool {
    matches!(
        c,
        '\u{ad}'
            | '\u{61c}'
            | '\u{180e}'
            | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{feff}'
            | '\u{fff9}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e007f}'
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn normalised(text: &str) -> String {
        let attribute = Attribute {
            oid: oid::COMMON_NAME,
            tag: tag::UTF8_STRING,
            value: text.as_bytes(),
            begins_rdn: true,
        };
        attribute.comparable().into_iter().flatten().collect()
    }

    #[test]
    fn comparison_folds_case_and_spaces() {
        for (text, expected) in [
            ("", ""),
            ("   ", ""),
            (" A  b   C ", "a b c"),
            ("\u{c4}PFEL", "\u{e4}pfel"),
            // Its lower case is two characters.
            ("\u{130}X", "i\u{307}x"),
            ("a\tb", "a\tb"),
        ] {
            assert_eq!(normalised(text), expected);
        }
    }

    #[test]
    fn equal_names_hash_alike_across_string_types_and_buffer_ends() {
        let name = |tag: u8, text: &str| {
            let value = [&[tag, u8::try_from(text.len()).unwrap()], text.as_bytes()].concat();
            let fields = [&[6, 3, 0x55, 4, 3], value.as_slice()].concat();
            let attribute = [&[0x30, u8::try_from(fields.len()).unwrap()], fields.as_slice()].concat();
            [&[0x31, u8::try_from(attribute.len()).unwrap()], attribute.as_slice()].concat()
        };
        let state = std::hash::RandomState::new();
        let hash = |contents: &[u8]| {
            std::hash::BuildHasher::hash_one(&state, Name::from_contents(contents).unwrap())
        };
        for length in 1..100 {
            let lower = format!("{}\u{e4}b", "x".repeat(length));
            let upper = format!(" {}\u{c4}B ", "X".repeat(length));
            let (one, two) = (name(tag::UTF8_STRING, &lower), name(tag::UTF8_STRING, &upper));
            assert_eq!(Name::from_contents(&one), Name::from_contents(&two));
            assert_eq!(hash(&one), hash(&two), "{length}");
            assert_ne!(hash(&one), hash(&name(tag::UTF8_STRING, &lower[1..])), "{length}");
        }
        let (printable, utf8) = (name(tag::PRINTABLE_STRING, "Ox CA"), name(tag::UTF8_STRING, "ox  ca"));
        assert_eq!(Name::from_contents(&printable), Name::from_contents(&utf8));
        assert_eq!(hash(&printable), hash(&utf8));
        // Latin-1 strings compare as bytes.
        let teletex = name(tag::TELETEX_STRING, "ox ca");
        assert_ne!(Name::from_contents(&teletex), Name::from_contents(&utf8));
    }

    #[test]
    fn characters_that_deceive_the_eye_are_escaped() {
        for hidden in "\u{ad}\u{61c}\u{180e}\u{200b}\u{200d}\u{200e}\u{202e}\u{2060}\u{2066}\u{206f}\u{feff}\u{fff9}\u{e0041}\n".chars() {
            let text = format!("a{hidden}b");
            let value = text.as_bytes();
            let attribute = Attribute { oid: oid::COMMON_NAME, tag: tag::UTF8_STRING, value, begins_rdn: true };
            assert_eq!(attribute.to_string(), format!("CN=a{}b", hidden.escape_unicode()));
        }
        let plain = "\u{e9}\u{5d0}\u{4e2d}";
        let (oid, tag, value) = (oid::COMMON_NAME, tag::UTF8_STRING, plain.as_bytes());
        assert_eq!(Attribute { oid, tag, value, begins_rdn: true }.to_string(), format!("CN={plain}"));
    }
}
