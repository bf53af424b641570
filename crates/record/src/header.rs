//! The five bytes in front of every record (RFC 9846 section 5.1).

use crate::error::RecordError;

/// The length of a record header, in bytes.
pub const HEADER_LEN: usize = 5;

/// `legacy_record_version` of every record that this crate protects.
pub(crate) const VERSION: u16 = 0x0303;

/// What a record carries. Types that no specification in use here defines do not become a value of this type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ContentType {
    // Numbered as on the wire: from the byte to the type and back is then no work.
    /// change_cipher_spec (20): one byte 0x01; in TLS 1.3 only for the sake of middleboxes.
    ChangeCipherSpec = 20,
    /// alert (21).
    Alert = 21,
    /// handshake (22).
    Handshake = 22,
    /// application_data (23); in TLS 1.3 also the outer type of every protected record.
    ApplicationData = 23,
}

impl ContentType {
    /// The type for its byte on the wire, if it is one of the four.
    #[inline]
    #[must_use]
    pub const fn from_byte(byte: u8) -> Option<Self> {
        match byte {
            20 => Some(Self::ChangeCipherSpec),
            21 => Some(Self::Alert),
            22 => Some(Self::Handshake),
            23 => Some(Self::ApplicationData),
            _ => None,
        }
    }

    /// The byte on the wire.
    #[inline]
    #[must_use]
    pub const fn to_byte(self) -> u8 {
        match self {
            Self::ChangeCipherSpec => 20,
            Self::Alert => 21,
            Self::Handshake => 22,
            Self::ApplicationData => 23,
        }
    }
}

/// A record header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// The outer content type.
    pub content_type: ContentType,
    /// `legacy_record_version`, which means nothing (RFC 9846 section 5.1).
    pub version: u16,
    /// Bytes that follow the header. Not yet checked against any limit.
    pub length: u16,
}

impl Header {
    /// Reads the header at the front of `input`; `None` if fewer than [`HEADER_LEN`] bytes are there.
    ///
    /// The verdict hangs on exactly those five bytes, however they arrive. Of the version only the first byte must
    /// be 3, in every state: RFC 9846 has the rest ignored, and under TLS 1.3 protection the header is authenticated
    /// as it was received. This one byte is what tells TLS from everything else that may come to the wrong port.
    ///
    /// # Errors
    /// [`RecordError::NotTls`] or [`RecordError::UnknownContentType`].
    #[inline]
    pub fn parse(input: &[u8]) -> Result<Option<Self>, RecordError> {
        let Some(&first) = input.first_chunk::<HEADER_LEN>() else { return Ok(None) };
        let [content_type, major, minor, high, low] = first;
        match (ContentType::from_byte(content_type), major) {
            (Some(content_type), 3) => Ok(Some(Self {
                content_type,
                version: u16::from_be_bytes([major, minor]),
                length: u16::from_be_bytes([high, low]),
            })),
            (None, 3) => Err(RecordError::UnknownContentType(content_type)),
            _ => Err(RecordError::NotTls { first }),
        }
    }

    /// The header as it goes on the wire.
    #[inline]
    #[must_use]
    pub const fn encode(self) -> [u8; HEADER_LEN] {
        let [major, minor] = self.version.to_be_bytes();
        let [high, low] = self.length.to_be_bytes();
        [self.content_type.to_byte(), major, minor, high, low]
    }
}

/// What the first five bytes look like when they are no TLS record: a guess for the error's text.
pub(crate) fn looks_like(first: [u8; HEADER_LEN]) -> Option<&'static str> {
    const HTTP: [&[u8]; 9] =
        [b"GET ", b"POST ", b"PUT ", b"HEAD ", b"DELET", b"OPTIO", b"CONNE", b"PATCH", b"PRI *"];
    if HTTP.iter().any(|method| first.starts_with(method)) {
        return Some("an HTTP request");
    }
    match first {
        [b'H', b'T', b'T', b'P', _] => Some("an HTTP response"),
        [b'S', b'S', b'H', b'-', _] => Some("an SSH banner"),
        [b'E' | b'H', b'H' | b'E', b'L', b'O', _] => Some("an SMTP greeting"),
        [b'2', b'2', b'0', b' ' | b'-', _] => Some("an SMTP or FTP banner"),
        [0, 0, 0, 8, 4] => Some("a PostgreSQL request for TLS"),
        // Two bytes of length with the top bit set, then ClientHello (RFC 5246 appendix E.2).
        [0x80..=0xff, _, 1, 0 | 2 | 3, _] => Some("an SSL 2 ClientHello"),
        [20..=26, 0xfe, ..] => Some("a DTLS record"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_survives_encoding_and_parsing() {
        for content_type in [
            ContentType::ChangeCipherSpec,
            ContentType::Alert,
            ContentType::Handshake,
            ContentType::ApplicationData,
        ] {
            let header = Header { content_type, version: 0x0301, length: 0x1234 };
            assert_eq!(Header::parse(&header.encode()), Ok(Some(header)));
            assert_eq!(ContentType::from_byte(content_type.to_byte()), Some(content_type));
        }
    }

    #[test]
    fn a_short_header_asks_for_more_whatever_it_holds() {
        let bytes = b"GET /";
        for len in 0..HEADER_LEN {
            assert_eq!(Header::parse(&bytes[..len]), Ok(None));
        }
        assert!(Header::parse(bytes).is_err());
    }

    #[test]
    fn the_minor_version_is_ignored_and_the_major_must_be_3() {
        for minor in [0, 1, 3, 4, 255] {
            assert!(Header::parse(&[22, 3, minor, 0, 1]).is_ok());
        }
        for major in [0, 2, 4, 0xfe] {
            let refused = Header::parse(&[22, major, 1, 0, 1]);
            assert_eq!(refused, Err(RecordError::NotTls { first: [22, major, 1, 0, 1] }));
        }
    }

    #[test]
    fn content_types_nobody_defined_are_refused() {
        for byte in (0..20).chain(24..=255) {
            let refused = Header::parse(&[byte, 3, 3, 0, 1]);
            assert_eq!(refused, Err(RecordError::UnknownContentType(byte)));
        }
        assert_eq!(RecordError::UnknownContentType(24).alert(), 10);
    }

    #[test]
    fn bytes_that_are_no_tls_are_named_in_the_error() {
        for (bytes, name) in [
            (b"GET /", "HTTP request"),
            (b"HTTP/", "HTTP response"),
            (b"SSH-2", "SSH"),
            (&[0x80, 0x2e, 1, 3, 1], "SSL 2"),
            (&[22, 0xfe, 0xff, 0, 0], "DTLS"),
            (b"\x00\x00\x00\x08\x04", "PostgreSQL"),
        ] {
            let error = Header::parse(bytes).unwrap_err();
            assert!(error.to_string().contains(name), "{error}");
            assert_eq!(error.alert(), 50);
        }
    }
}
