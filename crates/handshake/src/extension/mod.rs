//! Extensions (RFC 9846 section 4.3): one file each, one table of where each may appear, and one place, [`read`],
//! where duplicates and strangers are refused.

pub mod application_layer_protocol_negotiation;
pub mod certificate_authorities;
pub mod compress_certificate;
pub mod cookie;
pub mod early_data;
pub mod ec_point_formats;
pub mod encrypted_client_hello;
pub mod extended_master_secret;
pub mod grease;
pub mod key_share;
pub mod oid_filters;
pub mod padding;
pub mod post_handshake_auth;
pub mod pre_shared_key;
pub mod psk_key_exchange_modes;
pub mod quic_transport_parameters;
pub mod record_size_limit;
pub mod renegotiation_info;
pub mod server_name;
pub mod session_ticket;
pub mod signature_algorithms;
pub mod signed_certificate_timestamp;
pub mod status_request;
pub mod supported_groups;
pub mod supported_versions;
pub mod ticket_request;
pub mod tls_flags;

use core::fmt;

use crate::alert::AlertDescription;
use crate::codec::{Reader, Set16, Writer};
use crate::error::Error;

/// An extension's type, kept as received so that unknown ones survive.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct ExtensionType(pub u16);

/// A message that carries extensions: what a received block is judged by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Context {
    /// ClientHello, of any version.
    ClientHello,
    /// ServerHello that chooses TLS 1.3.
    ServerHello,
    /// ServerHello that chooses TLS 1.2, which answers there what 1.3 answers in EncryptedExtensions and Certificate;
    /// judged once that version has been accepted.
    ServerHelloTls12,
    /// HelloRetryRequest.
    HelloRetryRequest,
    /// EncryptedExtensions.
    EncryptedExtensions,
    /// One entry of Certificate.
    Certificate,
    /// CertificateRequest.
    CertificateRequest,
    /// NewSessionTicket.
    NewSessionTicket,
}

impl Context {
    /// Responses may only carry what was asked for; requests may carry what the receiver does not know.
    #[must_use]
    pub const fn is_response(self) -> bool {
        !matches!(self, Self::ClientHello | Self::CertificateRequest | Self::NewSessionTicket)
    }

    const fn alert_for_duplicates(self) -> AlertDescription {
        match self {
            Self::ClientHello | Self::ServerHello | Self::ServerHelloTls12 | Self::EncryptedExtensions => {
                AlertDescription::DECODE_ERROR
            }
            _ => AlertDescription::ILLEGAL_PARAMETER,
        }
    }

    const fn bit(self) -> u8 {
        match self {
            Self::ClientHello => CH,
            Self::ServerHello => SH,
            Self::ServerHelloTls12 => SH12,
            Self::HelloRetryRequest => HRR,
            Self::EncryptedExtensions => EE,
            Self::Certificate => CT,
            Self::CertificateRequest => CR,
            Self::NewSessionTicket => NST,
        }
    }
}

const CH: u8 = 1;
const SH: u8 = 1 << 1;
const SH12: u8 = 1 << 2;
const HRR: u8 = 1 << 3;
const EE: u8 = 1 << 4;
const CT: u8 = 1 << 5;
const CR: u8 = 1 << 6;
const NST: u8 = 1 << 7;

/// One row of the table: an extension that is recognised, and the messages that it may appear in.
struct Row {
    typ: ExtensionType,
    name: &'static str,
    allowed: u8,
}

macro_rules! extension_types {
    ($($(#[$doc:meta])* $name:ident = $value:literal, $text:literal, $($context:ident)|+;)*) => {
        impl ExtensionType {
            $($(#[$doc])* pub const $name: Self = Self($value);)*
        }

        /// Where each extension may appear: table 1 of RFC 9846 section 4.3, and TLS 1.2's own extensions.
        /// Sorted by type. At most 64 rows: sets of extensions are 64-bit maps of row numbers.
        const TABLE: &[Row] =
            &[$(Row { typ: ExtensionType::$name, name: $text, allowed: $($context)|+ },)*];
    };
}

extension_types! {
    /// RFC 6066 section 3.
    SERVER_NAME = 0, "server_name", CH | SH12 | EE | CR;
    /// RFC 6066 section 8.
    STATUS_REQUEST = 5, "status_request", CH | SH12 | CR | CT;
    /// RFC 9846 section 4.3.7. A TLS 1.2 ServerHello may not carry it, but some do: their clients ignore it.
    SUPPORTED_GROUPS = 10, "supported_groups", CH | SH12 | EE;
    /// RFC 8422 section 5.1.2, TLS 1.2 only.
    EC_POINT_FORMATS = 11, "ec_point_formats", CH | SH12;
    /// RFC 9846 section 4.3.3.
    SIGNATURE_ALGORITHMS = 13, "signature_algorithms", CH | CR;
    /// RFC 5764.
    USE_SRTP = 14, "use_srtp", CH | SH12 | EE;
    /// RFC 6520. Named to be refused where it may not be; never answered.
    HEARTBEAT = 15, "heartbeat", CH | SH12 | EE;
    /// RFC 7301.
    APPLICATION_LAYER_PROTOCOL_NEGOTIATION = 16, "application_layer_protocol_negotiation", CH | SH12 | EE;
    /// RFC 6961, deprecated: never answered.
    STATUS_REQUEST_V2 = 17, "status_request_v2", CH | SH12;
    /// RFC 6962 section 3.3.1.
    SIGNED_CERTIFICATE_TIMESTAMP = 18, "signed_certificate_timestamp", CH | SH12 | CR | CT;
    /// RFC 7250.
    CLIENT_CERTIFICATE_TYPE = 19, "client_certificate_type", CH | SH12 | EE;
    /// RFC 7250.
    SERVER_CERTIFICATE_TYPE = 20, "server_certificate_type", CH | SH12 | EE;
    /// RFC 7685.
    PADDING = 21, "padding", CH;
    /// RFC 7366, TLS 1.2 only, for suites that are not spoken here.
    ENCRYPT_THEN_MAC = 22, "encrypt_then_mac", CH | SH12;
    /// RFC 7627, TLS 1.2 only.
    EXTENDED_MASTER_SECRET = 23, "extended_master_secret", CH | SH12;
    /// RFC 8879.
    COMPRESS_CERTIFICATE = 27, "compress_certificate", CH | CR;
    /// RFC 8449.
    RECORD_SIZE_LIMIT = 28, "record_size_limit", CH | SH12 | EE;
    /// RFC 9345.
    DELEGATED_CREDENTIAL = 34, "delegated_credential", CH | CR | CT;
    /// RFC 5077, TLS 1.2 only.
    SESSION_TICKET = 35, "session_ticket", CH | SH12;
    /// RFC 8870.
    SUPPORTED_EKT_CIPHERS = 39, "supported_ekt_ciphers", CH | EE;
    /// RFC 9846 section 4.3.11.
    PRE_SHARED_KEY = 41, "pre_shared_key", CH | SH;
    /// RFC 9846 section 4.3.10.
    EARLY_DATA = 42, "early_data", CH | EE | NST;
    /// RFC 9846 section 4.3.1.
    SUPPORTED_VERSIONS = 43, "supported_versions", CH | SH | HRR;
    /// RFC 9846 section 4.3.2.
    COOKIE = 44, "cookie", CH | HRR;
    /// RFC 9846 section 4.3.9.
    PSK_KEY_EXCHANGE_MODES = 45, "psk_key_exchange_modes", CH;
    /// RFC 9846 section 4.3.4.
    CERTIFICATE_AUTHORITIES = 47, "certificate_authorities", CH | CR;
    /// RFC 9846 section 4.3.5.
    OID_FILTERS = 48, "oid_filters", CR;
    /// RFC 9846 section 4.3.6.
    POST_HANDSHAKE_AUTH = 49, "post_handshake_auth", CH;
    /// RFC 9846 section 4.3.3.
    SIGNATURE_ALGORITHMS_CERT = 50, "signature_algorithms_cert", CH | CR;
    /// RFC 9846 section 4.3.8.
    KEY_SHARE = 51, "key_share", CH | SH | HRR;
    /// RFC 9162.
    TRANSPARENCY_INFO = 52, "transparency_info", CH | CR | CT;
    /// RFC 8844.
    EXTERNAL_ID_HASH = 55, "external_id_hash", CH | SH12 | EE;
    /// RFC 8844.
    EXTERNAL_SESSION_ID = 56, "external_session_id", CH | SH12 | EE;
    /// RFC 9001 section 8.2.
    QUIC_TRANSPORT_PARAMETERS = 57, "quic_transport_parameters", CH | EE;
    /// RFC 9149.
    TICKET_REQUEST = 58, "ticket_request", CH | EE;
    /// draft-ietf-tls-tlsflags: in every message with extensions; offered nowhere here, and read in tickets.
    TLS_FLAGS = 62, "tls_flags", CH | SH | HRR | EE | CT | CR | NST;
    /// RFC 9849: only inside an inner hello before it is put together, never in one that is.
    ECH_OUTER_EXTENSIONS = 0xfd00, "ech_outer_extensions", CH;
    /// RFC 9849.
    ENCRYPTED_CLIENT_HELLO = 0xfe0d, "encrypted_client_hello", CH | HRR | EE;
    /// RFC 5746, TLS 1.2 only.
    RENEGOTIATION_INFO = 0xff01, "renegotiation_info", CH | SH12;
}

/// The place in the table of each type that is below this array's length, as nearly all are, or a place behind its end:
/// the types of every block that comes in are looked up.
const PLACES: [u8; 64] = places();

#[expect(
    clippy::indexing_slicing,
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    clippy::arithmetic_side_effects,
    reason = "evaluated when this is compiled, where each of them would be an error; there are at most 64 rows"
)]
const fn places() -> [u8; 64] {
    let mut places = [u8::MAX; 64];
    let mut at = 0;
    while at < TABLE.len() {
        let typ = TABLE[at].typ.0 as usize;
        if typ < places.len() {
            places[typ] = at as u8;
        }
        at += 1;
    }
    places
}

impl ExtensionType {
    /// The registry's name of an extension that is recognised, or `None`.
    #[must_use]
    pub fn name(self) -> Option<&'static str> {
        self.row().map(|(_, row)| row.name)
    }

    /// Whether the extension may appear in that message; `None` if it is not recognised.
    #[must_use]
    pub fn allowed_in(self, context: Context) -> Option<bool> {
        self.row().map(|(_, row)| row.allowed & context.bit() != 0)
    }

    fn row(self) -> Option<(usize, &'static Row)> {
        let at = match PLACES.get(usize::from(self.0)) {
            Some(at) => usize::from(*at),
            None => TABLE.binary_search_by_key(&self.0, |row| row.typ.0).ok()?,
        };
        TABLE.get(at).map(|row| (at, row))
    }

    /// The bit of this extension in a 64-bit set.
    fn bit(self) -> Option<u64> {
        self.row().map(|(at, _)| bit(at))
    }
}

/// The bit of a row in a 64-bit set.
fn bit(at: usize) -> u64 {
    u32::try_from(at).ok().and_then(|at| 1_u64.checked_shl(at)).unwrap_or_default()
}

impl fmt::Display for ExtensionType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => f.write_str(name),
            None => write!(f, "extension {:#06x}", self.0),
        }
    }
}

impl fmt::Debug for ExtensionType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The recognised extensions that were sent in a request, by which responses are judged.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct OfferedSet(u64);

impl OfferedSet {
    /// Nothing was sent.
    pub const EMPTY: Self = Self(0);

    /// Adds an extension; one that is not recognised is left out, so that an answer to it is refused.
    pub fn insert(&mut self, typ: ExtensionType) {
        self.0 |= typ.bit().unwrap_or_default();
    }

    /// Whether the extension was sent.
    #[must_use]
    pub fn contains(&self, typ: ExtensionType) -> bool {
        typ.bit().is_some_and(|bit| self.0 & bit != 0)
    }

    /// This set and one more extension.
    #[must_use]
    pub fn with(mut self, typ: ExtensionType) -> Self {
        self.insert(typ);
        self
    }
}

impl FromIterator<ExtensionType> for OfferedSet {
    fn from_iter<I: IntoIterator<Item = ExtensionType>>(types: I) -> Self {
        types.into_iter().fold(Self::EMPTY, Self::with)
    }
}

impl fmt::Debug for OfferedSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(TABLE.iter().map(|row| row.typ).filter(|typ| self.contains(*typ))).finish()
    }
}

/// Reads an extension block, its length of two bytes included, and hands each extension's data to `visit`, which
/// reads it to the end, or takes [`Reader::rest`] of what it does not want to know. `offered` is what we sent in the
/// request that this message answers; requests are judged without.
///
/// # Errors
/// [`Error::DuplicateExtension`]; [`Error::UnsupportedExtension`] for a response to what was not sent (but a cookie,
/// which a HelloRetryRequest may bring by itself); [`Error::ForbiddenExtension`] for a recognised one where it may not
/// be; [`Error::Malformed`] for a broken block or data that `visit` left over; and what `visit` returns.
pub fn read<'a>(
    block: &mut Reader<'a>,
    context: Context,
    offered: OfferedSet,
    visit: impl FnMut(ExtensionType, &mut Reader<'a>) -> Result<(), Error>,
) -> Result<(), Error> {
    let extensions = block.reader_u16()?;
    read_each(extensions, context, offered, visit)
        .map_err(|error| refuse_duplicates(extensions, context).err().unwrap_or(error))
}

/// The extensions one by one, up to the first that is wrong.
fn read_each<'a>(
    mut extensions: Reader<'a>,
    context: Context,
    offered: OfferedSet,
    mut visit: impl FnMut(ExtensionType, &mut Reader<'a>) -> Result<(), Error>,
) -> Result<(), Error> {
    let (mut known, mut unknown) = (0_u64, Set16::default());
    while !extensions.is_empty() {
        let typ = ExtensionType(extensions.u16()?);
        let data = extensions.vec_u16()?;
        let Some((at, row)) = typ.row() else {
            judge(typ, None, context, offered)?;
            if !unknown.insert(typ.0) {
                return Err(duplicate(typ, context));
            }
            continue;
        };
        let before = known;
        known |= bit(at);
        if known == before {
            return Err(duplicate(typ, context));
        }
        judge(typ, Some((at, row)), context, offered)?;
        let mut r = Reader::new(data, row.name);
        visit(typ, &mut r)?;
        r.finish()?;
    }
    Ok(())
}

const fn duplicate(typ: ExtensionType, context: Context) -> Error {
    Error::DuplicateExtension { typ, alert: context.alert_for_duplicates() }
}

/// A block with a type twice, or whose lengths do not fit, is malformed as a whole, whatever else is wrong with it: asked
/// when something is.
#[cold]
fn refuse_duplicates(mut extensions: Reader<'_>, context: Context) -> Result<(), Error> {
    let mut seen = Set16::default();
    while !extensions.is_empty() {
        let typ = ExtensionType(extensions.u16()?);
        extensions.vec_u16()?;
        if !seen.insert(typ.0) {
            return Err(duplicate(typ, context));
        }
    }
    Ok(())
}

/// Reads an extension block, its length of two bytes included, without judging what is in it.
///
/// # Errors
/// [`Error::Malformed`].
pub fn check_form(block: &mut Reader<'_>) -> Result<(), Error> {
    let mut extensions = block.reader_u16()?;
    while !extensions.is_empty() {
        extensions.u16()?;
        extensions.vec_u16()?;
    }
    Ok(())
}

/// Whether the extension may come in this message (RFC 9846 section 4.3).
fn judge(
    typ: ExtensionType,
    row: Option<(usize, &Row)>,
    context: Context,
    offered: OfferedSet,
) -> Result<(), Error> {
    let unsolicited = typ == ExtensionType::COOKIE && context == Context::HelloRetryRequest;
    let was_offered = row.is_some_and(|(at, _)| offered.0 & bit(at) != 0);
    if context.is_response() && !was_offered && !unsolicited {
        return Err(Error::UnsupportedExtension(typ));
    }
    match row.map(|(_, row)| row) {
        // A known extension that has nothing to do in EncryptedExtensions was not asked for there.
        Some(row) if row.allowed & context.bit() == 0 && context == Context::EncryptedExtensions => {
            Err(Error::UnsupportedExtension(typ))
        }
        Some(row) if row.allowed & context.bit() == 0 => Err(Error::ForbiddenExtension(typ)),
        _ => Ok(()),
    }
}

/// Writes one extension: type, length, and the data that `body` writes.
pub fn write(w: &mut Writer, typ: ExtensionType, body: impl FnOnce(&mut Writer)) {
    w.u16(typ.0);
    w.block_u16(body);
}

/// The types in a block that has been judged, in the order of the wire.
#[derive(Clone, Copy, Debug)]
pub struct TypesInOrder<'a> {
    block: Reader<'a>,
}

impl<'a> TypesInOrder<'a> {
    /// Over the extensions themselves, the block's length not included.
    pub(crate) const fn new(extensions: &'a [u8]) -> Self {
        Self { block: Reader::new(extensions, "extensions") }
    }
}

impl Iterator for TypesInOrder<'_> {
    type Item = ExtensionType;

    fn next(&mut self) -> Option<ExtensionType> {
        let typ = self.block.u16().ok()?;
        self.block.vec_u16().ok()?;
        Some(ExtensionType(typ))
    }
}

#[cfg(test)]
mod tests;
