//! Alert descriptions (RFC 9846 section 6, RFC 5246 section 7.2).

use core::fmt;

/// What an alert says: the code point of RFC 9846 section 6, kept as received so that unknown ones survive.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct AlertDescription(pub u8);

macro_rules! alerts {
    ($($(#[$doc:meta])* $name:ident = $value:literal, $text:literal;)*) => {
        impl AlertDescription {
            $($(#[$doc])* pub const $name: Self = Self($value);)*

            /// The RFC's name of this alert, or `unknown_alert`.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self.0 {
                    $($value => $text,)*
                    _ => "unknown_alert",
                }
            }
        }
    };
}

alerts! {
    /// The sender will send no more (closure, not an error).
    CLOSE_NOTIFY = 0, "close_notify";
    /// A message, record or ChangeCipherSpec that does not belong here.
    UNEXPECTED_MESSAGE = 10, "unexpected_message";
    /// A record could not be deprotected.
    BAD_RECORD_MAC = 20, "bad_record_mac";
    /// A record is longer than the protocol or the negotiated limit allows.
    RECORD_OVERFLOW = 22, "record_overflow";
    /// No acceptable set of parameters.
    HANDSHAKE_FAILURE = 40, "handshake_failure";
    /// A certificate was corrupt or its signature wrong.
    BAD_CERTIFICATE = 42, "bad_certificate";
    /// A certificate of a type that is not supported.
    UNSUPPORTED_CERTIFICATE = 43, "unsupported_certificate";
    /// A certificate was revoked.
    CERTIFICATE_REVOKED = 44, "certificate_revoked";
    /// A certificate has expired or is not yet valid.
    CERTIFICATE_EXPIRED = 45, "certificate_expired";
    /// A certificate is unacceptable for another reason.
    CERTIFICATE_UNKNOWN = 46, "certificate_unknown";
    /// A field is wrong or inconsistent with others.
    ILLEGAL_PARAMETER = 47, "illegal_parameter";
    /// No trust anchor for the chain.
    UNKNOWN_CA = 48, "unknown_ca";
    /// The certificate is valid, but access is refused.
    ACCESS_DENIED = 49, "access_denied";
    /// A message could not be parsed.
    DECODE_ERROR = 50, "decode_error";
    /// A signature, Finished or binder did not verify.
    DECRYPT_ERROR = 51, "decrypt_error";
    /// The peer's version is recognised but not supported.
    PROTOCOL_VERSION = 70, "protocol_version";
    /// The server requires more secure parameters than the client has.
    INSUFFICIENT_SECURITY = 71, "insufficient_security";
    /// A fault of the sender, unrelated to the peer.
    INTERNAL_ERROR = 80, "internal_error";
    /// A retry at a lower version than the peer supports (RFC 7507).
    INAPPROPRIATE_FALLBACK = 86, "inappropriate_fallback";
    /// The user gave up the handshake.
    USER_CANCELED = 90, "user_canceled";
    /// Renegotiation is refused (TLS 1.2). RFC 5246 has it as a warning, behind which both might go on; here it is the
    /// connection's end, and fatal.
    NO_RENEGOTIATION = 100, "no_renegotiation";
    /// A required extension is absent.
    MISSING_EXTENSION = 109, "missing_extension";
    /// An extension that was not asked for.
    UNSUPPORTED_EXTENSION = 110, "unsupported_extension";
    /// No server of the name that the client gave.
    UNRECOGNIZED_NAME = 112, "unrecognized_name";
    /// A stapled OCSP response is invalid or unacceptable.
    BAD_CERTIFICATE_STATUS_RESPONSE = 113, "bad_certificate_status_response";
    /// No such pre-shared key identity.
    UNKNOWN_PSK_IDENTITY = 115, "unknown_psk_identity";
    /// A client certificate is required.
    CERTIFICATE_REQUIRED = 116, "certificate_required";
    /// No application protocol in common (RFC 7301).
    NO_APPLICATION_PROTOCOL = 120, "no_application_protocol";
    /// Encrypted Client Hello must be used (RFC 9849).
    ECH_REQUIRED = 121, "ech_required";
}

impl fmt::Display for AlertDescription {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.name())
    }
}

impl fmt::Debug for AlertDescription {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}({})", self.name(), self.0)
    }
}
