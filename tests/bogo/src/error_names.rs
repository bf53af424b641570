//! The suite's names for what went wrong. A name of ours that says less than the suite wants is answered by the error
//! map that the runner is given, never by looking at the test.

use oxtls::crypto::Error as CryptoError;
use oxtls::handshake::extension::ExtensionType;
use oxtls::{AlertDescription, ConfigError, Error, ErrorKind, HandshakeError, RecordError};

use crate::peer::Refusal;

/// The name of what ended a connection.
pub(crate) fn of(error: &Error) -> &'static str {
    match error.kind() {
        ErrorKind::Handshake(error) => of_handshake(error),
        ErrorKind::Record(error) => of_record(*error),
        ErrorKind::AlertReceived { alert, .. } => of_alert(*alert),
        ErrorKind::ClosedDuringHandshake => "CLOSED_DURING_HANDSHAKE",
        ErrorKind::Truncated { .. } => "TRUNCATED",
        ErrorKind::Reset => "RESET",
        ErrorKind::Flood(what) => of_flood(what),
        ErrorKind::Failed => "FAILED",
        ErrorKind::OtherHalfFailed => "OTHER_HALF_FAILED",
        ErrorKind::Misuse(_) => "MISUSE",
        _ => "UNNAMED",
    }
}

/// What a configuration that was refused is called, and why.
pub(crate) fn of_config(error: &ConfigError) -> String {
    format!(":INVALID_CONFIGURATION: {error}")
}

fn of_handshake(error: &HandshakeError) -> &'static str {
    match error {
        HandshakeError::Malformed { what } => of_malformed(what),
        HandshakeError::UnexpectedMessage { .. } | HandshakeError::WrongLevel { .. } => "UNEXPECTED_MESSAGE",
        HandshakeError::UnexpectedChangeCipherSpec => "UNEXPECTED_RECORD",
        HandshakeError::ExcessHandshakeData { .. } => "EXCESS_HANDSHAKE_DATA",
        HandshakeError::IllegalParameter { what } => of_illegal(what),
        HandshakeError::WrongCipherSuite(_) => "WRONG_CIPHER_RETURNED",
        HandshakeError::WrongGroup => "WRONG_CURVE",
        HandshakeError::BadKeyShare(_) => "BAD_ECPOINT",
        HandshakeError::DuplicateExtension(_) => "DUPLICATE_EXTENSION",
        HandshakeError::ForbiddenExtension(_) | HandshakeError::UnsupportedExtension(_) => {
            "UNEXPECTED_EXTENSION"
        }
        HandshakeError::MissingExtension(typ) => of_missing(*typ),
        HandshakeError::Downgrade => "TLS13_DOWNGRADE",
        HandshakeError::BadSignature => "BAD_SIGNATURE",
        HandshakeError::WrongSignatureScheme(_) => "WRONG_SIGNATURE_TYPE",
        HandshakeError::BadFinished | HandshakeError::BadBinder => "DIGEST_CHECK_FAILED",
        HandshakeError::UnusableCertificateKey(_) => "UNSUPPORTED_ALGORITHM",
        HandshakeError::UnreadableCertificate => "CANNOT_PARSE_LEAF_CERT",
        HandshakeError::NoCommonVersion { .. } => "UNSUPPORTED_PROTOCOL",
        HandshakeError::NoCommonSuite { .. } => "NO_SHARED_CIPHER",
        HandshakeError::NoCommonGroup { .. } => "NO_SHARED_GROUP",
        HandshakeError::NoCommonSignatureScheme { .. } => "NO_COMMON_SIGNATURE_ALGORITHMS",
        HandshakeError::NoApplicationProtocol { .. } => "NO_APPLICATION_PROTOCOL",
        HandshakeError::CertificateRequired => "PEER_DID_NOT_RETURN_A_CERTIFICATE",
        HandshakeError::Refused { cause, .. } => {
            cause.downcast_ref::<Refusal>().map_or("REFUSED", |refusal| refusal.0)
        }
        HandshakeError::Canceled => "CANCELED",
        HandshakeError::DeadlineExceeded => "DEADLINE_EXCEEDED",
        HandshakeError::SigningFailed(_) => "PRIVATE_KEY_OPERATION_FAILED",
        HandshakeError::Crypto(CryptoError::UnsupportedScheme) => "NO_COMMON_SIGNATURE_ALGORITHMS",
        HandshakeError::Internal(_) => "INTERNAL_ERROR",
        _ => "UNNAMED",
    }
}

fn of_malformed(_what: &str) -> &'static str {
    "DECODE_ERROR"
}

fn of_illegal(what: &str) -> &'static str {
    match what {
        "two key shares of one group" => "DUPLICATE_KEY_SHARE",
        "a HelloRetryRequest that asks for no change" => "EMPTY_HELLO_RETRY_REQUEST",
        "legacy_compression_methods" | "legacy_compression_methods of a TLS 1.3 hello" => {
            "INVALID_COMPRESSION_LIST"
        }
        "an application protocol that was not offered" => "INVALID_ALPN_PROTOCOL",
        "another version than in HelloRetryRequest" => "SECOND_SERVERHELLO_VERSION_MISMATCH",
        _ => "ILLEGAL_PARAMETER",
    }
}

fn of_missing(typ: ExtensionType) -> &'static str {
    match typ {
        ExtensionType::KEY_SHARE => "MISSING_KEY_SHARE",
        ExtensionType::SUPPORTED_GROUPS => "NO_SHARED_GROUP",
        _ => "MISSING_EXTENSION",
    }
}

fn of_record(error: RecordError) -> &'static str {
    match error {
        RecordError::NotTls { first } => of_other_protocol(first),
        RecordError::TooLong { .. } => "DATA_LENGTH_TOO_LONG",
        RecordError::DecryptFailed => "DECRYPTION_FAILED_OR_BAD_RECORD_MAC",
        RecordError::EmptyAlert | RecordError::SeveralAlerts | RecordError::MalformedAlert { .. } => {
            "BAD_ALERT"
        }
        RecordError::BadChangeCipherSpec => "BAD_CHANGE_CIPHER_SPEC",
        RecordError::EarlyDataTooMuch { .. } => "TOO_MUCH_READ_EARLY_DATA",
        RecordError::SkippedTooMuch { .. } => "TOO_MUCH_SKIPPED_EARLY_DATA",
        RecordError::MessageTooLong { .. } => "EXCESSIVE_MESSAGE_SIZE",
        RecordError::TooManyEmptyRecords | RecordError::EmptyHandshakeFragment => "TOO_MANY_EMPTY_FRAGMENTS",
        RecordError::UnknownContentType(_)
        | RecordError::ProtectedChangeCipherSpec
        | RecordError::TooManyChangeCipherSpecs
        | RecordError::ApplicationDataRefused
        | RecordError::InterleavedFragment(_)
        | RecordError::AllPadding => "UNEXPECTED_RECORD",
        RecordError::PlaintextUnderProtection(_) => "INVALID_OUTER_RECORD_TYPE",
        _ => "UNNAMED",
    }
}

/// What a record header is when it is none.
fn of_other_protocol(first: [u8; 5]) -> &'static str {
    match &first {
        b"GET /" | b"POST " | b"HEAD " | b"PUT /" => "HTTP_REQUEST",
        b"CONNE" => "HTTPS_PROXY_REQUEST",
        _ => "WRONG_VERSION_NUMBER",
    }
}

fn of_flood(what: &str) -> &'static str {
    match what {
        "KeyUpdates" => "TOO_MANY_KEY_UPDATES",
        "warning alerts" => "TOO_MANY_WARNING_ALERTS",
        _ => "FLOOD",
    }
}

fn of_alert(alert: AlertDescription) -> &'static str {
    match alert.0 {
        10 => "SSLV3_ALERT_UNEXPECTED_MESSAGE",
        20 => "SSLV3_ALERT_BAD_RECORD_MAC",
        22 => "TLSV1_ALERT_RECORD_OVERFLOW",
        30 => "SSLV3_ALERT_DECOMPRESSION_FAILURE",
        40 => "SSLV3_ALERT_HANDSHAKE_FAILURE",
        42 => "SSLV3_ALERT_BAD_CERTIFICATE",
        46 => "SSLV3_ALERT_CERTIFICATE_UNKNOWN",
        47 => "SSLV3_ALERT_ILLEGAL_PARAMETER",
        48 => "TLSV1_ALERT_UNKNOWN_CA",
        50 => "TLSV1_ALERT_DECODE_ERROR",
        51 => "TLSV1_ALERT_DECRYPT_ERROR",
        70 => "TLSV1_ALERT_PROTOCOL_VERSION",
        80 => "TLSV1_ALERT_INTERNAL_ERROR",
        116 => "TLSV1_ALERT_CERTIFICATE_REQUIRED",
        120 => "TLSV1_ALERT_NO_APPLICATION_PROTOCOL",
        _ => "ALERT_RECEIVED",
    }
}
