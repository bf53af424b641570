//! The suite's names for what went wrong. A name of ours that says less than the suite wants is answered by the error
//! map that the runner is given, never by looking at the test.

use oxtls::crypto::Error as CryptoError;
use oxtls::handshake::config::ConfigError as HandshakeConfigError;
use oxtls::handshake::extension::ExtensionType;
use oxtls::{AlertDescription, ConfigError, Error, ErrorKind, HandshakeError, ProtocolVersion, RecordError};

use crate::peer::Refusal;

/// Bytes of a protected record at most (RFC 9846 section 5.2).
const LONGEST_CIPHERTEXT: usize = (1 << 14) + 256;

/// The name of what ended a connection.
pub(crate) fn of(error: &Error) -> &'static str {
    match error.kind() {
        ErrorKind::Handshake(error) => of_handshake(error),
        ErrorKind::Record(error) => of_record(*error),
        // An alert that is itself answered by one is none that its sender may send.
        ErrorKind::AlertReceived { .. } if error.alert_sent().is_some() => "BAD_ALERT",
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
    let name = match error {
        ConfigError::Handshake(HandshakeConfigError::EmptyVersionRange) => "NO_SUPPORTED_VERSIONS_ENABLED",
        _ => "INVALID_CONFIGURATION",
    };
    format!(":{name}: {error}")
}

fn of_handshake(error: &HandshakeError) -> &'static str {
    match error {
        HandshakeError::Malformed { what } => of_malformed(what),
        HandshakeError::UnexpectedMessage { expected: "ChangeCipherSpec", .. } => {
            "MESSAGE_INSTEAD_OF_CHANGE_CIPHER_SPEC"
        }
        HandshakeError::UnexpectedMessage { .. } | HandshakeError::WrongLevel { .. } => "UNEXPECTED_MESSAGE",
        HandshakeError::UnexpectedChangeCipherSpec => "UNEXPECTED_RECORD",
        HandshakeError::ExcessHandshakeData { .. } => "EXCESS_HANDSHAKE_DATA",
        HandshakeError::IllegalParameter { what } => of_illegal(what),
        HandshakeError::WrongCipherSuite(_) => "WRONG_CIPHER_RETURNED",
        HandshakeError::WrongGroup => "WRONG_CURVE",
        HandshakeError::BadKeyShare(_) => "BAD_ECPOINT",
        HandshakeError::DuplicateExtension { .. } => "DUPLICATE_EXTENSION",
        HandshakeError::ForbiddenExtension(typ) | HandshakeError::UnsupportedExtension(typ) => {
            of_extension(*typ)
        }
        HandshakeError::MissingExtension(typ) => of_missing(*typ),
        HandshakeError::Downgrade => "TLS13_DOWNGRADE",
        HandshakeError::BadSignature => "BAD_SIGNATURE",
        HandshakeError::WrongSignatureScheme(_) => "WRONG_SIGNATURE_TYPE",
        HandshakeError::BadFinished | HandshakeError::BadBinder => "DIGEST_CHECK_FAILED",
        HandshakeError::UnusableCertificateKey(_) => "UNSUPPORTED_ALGORITHM",
        HandshakeError::UnreadableCertificate => "CANNOT_PARSE_LEAF_CERT",
        HandshakeError::DecompressionFailed => "CERT_DECOMPRESSION_FAILED",
        HandshakeError::NoCommonVersion { peer } => of_versions(peer),
        HandshakeError::NoCommonSuite { .. } => "NO_SHARED_CIPHER",
        HandshakeError::NoCommonGroup { .. } => "NO_SHARED_GROUP",
        HandshakeError::NoCommonSignatureScheme { .. } => "NO_COMMON_SIGNATURE_ALGORITHMS",
        HandshakeError::NoApplicationProtocol { .. } => "NO_APPLICATION_PROTOCOL",
        HandshakeError::NoExtendedMasterSecret => "NO_EXTENDED_MASTER_SECRET",
        HandshakeError::UnboundSession => "RESUMED_NON_EMS_SESSION_WITH_EMS_EXTENSION",
        HandshakeError::NoSecureRenegotiation => "UNSAFE_LEGACY_RENEGOTIATION_DISABLED",
        HandshakeError::InappropriateFallback => "INAPPROPRIATE_FALLBACK",
        HandshakeError::EarlyDataBeforeTls12 => "WRONG_VERSION_ON_EARLY_DATA",
        HandshakeError::Renegotiation => "NO_RENEGOTIATION",
        HandshakeError::CertificateRequired { .. } => "PEER_DID_NOT_RETURN_A_CERTIFICATE",
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

/// `what` is the RFC's name of the structure that could not be read.
fn of_malformed(what: &str) -> &'static str {
    match what {
        "ClientHello" | "legacy_session_id" | "cipher_suites" | "legacy_compression_methods" => {
            "CLIENTHELLO_PARSE_FAILED"
        }
        "server_name" | "certificate_authorities" | "SignedCertificateTimestampList" => {
            "ERROR_PARSING_EXTENSION"
        }
        "ProtocolNameList" => "PARSE_TLSEXT",
        "status_request" => "MALFORMED_STATUS_REQUEST",
        "Certificate without a certificate" => "PEER_DID_NOT_RETURN_A_CERTIFICATE",
        _ => "DECODE_ERROR",
    }
}

fn of_illegal(what: &str) -> &'static str {
    match what {
        "two key shares of one group" => "DUPLICATE_KEY_SHARE",
        "a HelloRetryRequest that asks for no change" => "EMPTY_HELLO_RETRY_REQUEST",
        "legacy_compression_methods"
        | "legacy_compression_methods of a TLS 1.3 hello"
        | "compression_methods without null" => "INVALID_COMPRESSION_LIST",
        "compression_method" => "UNSUPPORTED_COMPRESSION_ALGORITHM",
        "session_id of a session that was not offered" => "SERVER_ECHOED_INVALID_SESSION_ID",
        "a certificate that is not of the cipher suite's kind" => "WRONG_CERTIFICATE_TYPE",
        "a certificate on a curve that was not offered" => "BAD_ECC_CERT",
        "ec_point_formats without uncompressed" => "ERROR_PARSING_EXTENSION",
        "an application protocol that was not offered" => "INVALID_ALPN_PROTOCOL",
        "another version than in HelloRetryRequest"
        | "supported_versions with a version that was not offered" => "UNEXPECTED_VERSION",
        "compress_certificate that names an algorithm twice" => "ERROR_PARSING_EXTENSION",
        "a certificate compression that was not offered" => "UNKNOWN_CERT_COMPRESSION_ALG",
        "a compressed certificate longer than we take" => "UNCOMPRESSED_CERT_TOO_LARGE",
        "selected_identity" => "PSK_IDENTITY_NOT_FOUND",
        "a cipher suite of another hash than the session's" => "OLD_SESSION_PRF_HASH_MISMATCH",
        "early_data without the session that it is of" => "EARLY_DATA_WITHOUT_SESSION",
        "early_data with another cipher suite than its session's" => "CIPHER_MISMATCH_ON_EARLY_DATA",
        "early_data with another application protocol than its session's" => "ALPN_MISMATCH_ON_EARLY_DATA",
        "pre_shared_key with unequal counts of identities and binders" => {
            "PSK_IDENTITY_BINDER_COUNT_MISMATCH"
        }
        "pre_shared_key that is not the last extension" => "PRE_SHARED_KEY_MUST_BE_LAST",
        "tls_flags that go on behind the last flag" => "NONMINIMAL_FLAGS",
        "AlertLevel" => "UNKNOWN_ALERT_TYPE",
        "legacy_compression_method" => "COMPRESSION_METHOD",
        "certificate_request_context" => "REQUEST_CONTEXT",
        "KeyUpdate.request_update" => "KEY_UPDATE_REQUEST",
        _ => "ILLEGAL_PARAMETER",
    }
}

/// A version that nobody has defined yet is not one that is too old.
fn of_versions(peer: &[ProtocolVersion]) -> &'static str {
    match peer {
        [only] if *only > ProtocolVersion::TLS1_3 => "UNKNOWN_VERSION",
        _ => "UNSUPPORTED_PROTOCOL",
    }
}

/// The suite's own stack has not heard of a rule for what was TLS 1.2's alone, and fails where it reads it.
fn of_extension(typ: ExtensionType) -> &'static str {
    match typ {
        ExtensionType::EXTENDED_MASTER_SECRET
        | ExtensionType::EC_POINT_FORMATS
        | ExtensionType::SESSION_TICKET => "EXTENSION_OF_TLS12",
        _ => "UNEXPECTED_EXTENSION",
    }
}

fn of_missing(typ: ExtensionType) -> &'static str {
    match typ {
        ExtensionType::KEY_SHARE => "MISSING_KEY_SHARE",
        ExtensionType::SUPPORTED_GROUPS => "NO_SHARED_GROUP",
        ExtensionType::SIGNATURE_ALGORITHMS => "MISSING_SIGNATURE_ALGORITHMS",
        _ => "MISSING_EXTENSION",
    }
}

fn of_record(error: RecordError) -> &'static str {
    match error {
        RecordError::NotTls { first } => of_other_protocol(first),
        RecordError::TooLong { limit: LONGEST_CIPHERTEXT, .. } => "ENCRYPTED_LENGTH_TOO_LONG",
        RecordError::TooLong { .. } => "DATA_LENGTH_TOO_LONG",
        RecordError::DecryptFailed => "DECRYPTION_FAILED_OR_BAD_RECORD_MAC",
        RecordError::EmptyAlert | RecordError::SeveralAlerts | RecordError::MalformedAlert { .. } => {
            "BAD_ALERT"
        }
        RecordError::BadChangeCipherSpec => "BAD_CHANGE_CIPHER_SPEC",
        RecordError::EarlyDataTooMuch { .. } => "TOO_MUCH_READ_EARLY_DATA",
        RecordError::SkippedTooMuch { .. } => "TOO_MUCH_SKIPPED_EARLY_DATA",
        RecordError::MessageTooLong { .. } => "EXCESSIVE_MESSAGE_SIZE",
        // The suite's own stack counts both as records that bring nothing.
        RecordError::TooManyEmptyRecords | RecordError::TooManyChangeCipherSpecs => {
            "TOO_MANY_EMPTY_FRAGMENTS"
        }
        RecordError::EmptyHandshakeFragment => "EMPTY_HANDSHAKE_FRAGMENT",
        RecordError::UnknownContentType(_)
        | RecordError::ProtectedChangeCipherSpec
        | RecordError::ApplicationDataRefused
        | RecordError::InterleavedFragment(_) => "UNEXPECTED_RECORD",
        RecordError::AllPadding => "ALL_PADDING",
        RecordError::WrongOuterType(_) => "INVALID_OUTER_RECORD_TYPE",
        RecordError::WrongVersion(_) => "WRONG_VERSION_NUMBER",
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
