//! Whether a handshake came out as the flags say. Every `-expect-` flag that is accepted is checked, here or where
//! the thing that it is about passes by.

use oxtls::{EarlyDataRejection, EarlyDataStatus, Info, ProtocolVersion};

use crate::credentials::{self, Candidate};
use crate::flags::Config;
use crate::memory::Seen;
use crate::setup;

/// What is not as expected, if anything. `again`: the connection is not the test's first, so it resumes.
pub(crate) fn unexpected(
    config: &Config,
    again: bool,
    info: &Info,
    ours: &[Candidate],
    seen: &Seen,
) -> Option<String> {
    let checks = [
        negotiated(config, info),
        extensions(config, info),
        selected(config, info, ours),
        resumed(config, again, info, seen),
        early_data(config, info, seen),
        peer(config, info, seen.verified),
    ];
    checks.into_iter().flatten().next()
}

fn differs<T: PartialEq + std::fmt::LowerHex>(
    what: &str,
    expected: Option<T>,
    is: Option<T>,
) -> Option<String> {
    match (expected, is) {
        (Some(expected), Some(is)) if is != expected => {
            Some(format!("{what} is {is:#06x}, wanted {expected:#06x}"))
        }
        (Some(expected), None) => Some(format!("there is no {what}, wanted {expected:#06x}")),
        _ => None,
    }
}

fn negotiated(config: &Config, info: &Info) -> Option<String> {
    let suite = Some(info.suite().0);
    let by_hardware = if has_aes() { config.expect_cipher_aes } else { config.expect_cipher_no_aes };
    differs("the version", config.expect_version, Some(info.version().0))
        .or_else(|| differs("the cipher suite", config.expect_cipher, suite))
        .or_else(|| differs("the cipher suite for this hardware", by_hardware, suite))
        .or_else(|| group(config, info))
        .or_else(|| hello_retry(config, info))
}

/// A resumed handshake of TLS 1.2 has no key exchange.
fn group(config: &Config, info: &Info) -> Option<String> {
    let has_none = info.is_resumed() && info.version() == ProtocolVersion::TLS1_2;
    let expected = config.expect_curve_id.filter(|_| !has_none);
    differs("the group", expected, info.group().map(|group| group.0))
}

fn hello_retry(config: &Config, info: &Info) -> Option<String> {
    let happened = info.hello_retry_request();
    if (config.expect_hrr && !happened) || (config.expect_no_hrr && happened) {
        return Some(format!("a HelloRetryRequest {}", if happened { "was sent" } else { "was not sent" }));
    }
    // Secure renegotiation needs no look: TLS 1.3 has it by itself, in TLS 1.2 the library's clients insist on it, and
    // its servers renegotiate with nobody.
    let unbound = config.expect_extended_master_secret && !info.outcome().extended_master_secret;
    unbound.then(|| "the master secret is not an extended one".into())
}

/// No expectation of a protocol is one: that there is none.
fn extensions(config: &Config, info: &Info) -> Option<String> {
    let expected = if config.server { &config.select_alpn } else { &config.expect_alpn };
    if info.alpn() != expected.as_deref().filter(|protocol| !protocol.is_empty()) {
        return Some(format!("the application protocol is {:?}", info.alpn()));
    }
    let name = info.server_name().map(str::as_bytes);
    if config.expect_server_name.is_some() && name != config.expect_server_name.as_deref() {
        return Some(format!("the server name is {:?}", info.server_name()));
    }
    if config.expect_ocsp_response.is_some() && info.stapled_ocsp() != config.expect_ocsp_response.as_deref()
    {
        return Some(format!("the OCSP response is {:?}", info.stapled_ocsp()));
    }
    let scts = &config.expect_signed_cert_timestamps;
    (scts.is_some() && info.scts() != scts.as_deref()).then(|| format!("the SCT list is {:?}", info.scts()))
}

/// Which credential was shown; none is as good as the default one, since it may not be there.
fn selected(config: &Config, info: &Info, ours: &[Candidate]) -> Option<String> {
    let used = info.outcome().credential.as_ref();
    let number = match used.map(|used| credentials::find(ours, used)) {
        Some(None) => return Some("a credential was shown that was not given".into()),
        Some(Some(candidate)) => candidate.number,
        None => -1,
    };
    let expected = config.expect_selected_credential?;
    (number != expected).then(|| format!("credential {number} was shown, wanted {expected}"))
}

/// A connection that is not the first resumes, unless the test says otherwise.
fn resumed(config: &Config, again: bool, info: &Info, seen: &Seen) -> Option<String> {
    let expected = again && !config.expect_session_miss;
    if info.is_resumed() != expected {
        return Some(format!("the session was {}resumed", if expected { "not " } else { "" }));
    }
    if (config.expect_session_id && !seen.has_session_id)
        || (config.expect_no_session_id && seen.has_session_id)
    {
        return Some("the session goes by its ID, or should".into());
    }
    let skew = seen.age_skew.map(|milliseconds| milliseconds.div_euclid(1000));
    let expected = config.expect_ticket_age_skew.map(i64::from).filter(|_| again);
    if expected.is_some() && skew != expected {
        return Some(format!("the ticket's age skew is {skew:?}, wanted {expected:?}"));
    }
    // In TLS 1.2 sessions come with the handshake.
    let is_old = !config.server && info.version() == ProtocolVersion::TLS1_2;
    let wanted = !config.expect_no_session && (!info.is_resumed() || config.expect_ticket_renewal);
    // Without extended master secret the library makes no session in which the client has said who it is.
    let wanted = wanted && (info.outcome().extended_master_secret || info.outcome().credential.is_none());
    let came = seen.session.is_some();
    (is_old && came != wanted).then(|| format!("a session came: {came}, wanted: {wanted}"))
}

/// What is wrong at the end with the session of a TLS 1.3 client, if anything.
pub(crate) fn unexpected_session(config: &Config, info: &Info, seen: &Seen) -> Option<String> {
    if config.server || info.version() < ProtocolVersion::TLS1_3 || config.shim_shuts_down {
        return None;
    }
    let wanted = !config.expect_no_session;
    if seen.session.is_some() != wanted {
        return Some(format!("a session came: {}, wanted: {wanted}", seen.session.is_some()));
    }
    let across_names = seen.session.as_ref().is_some_and(|session| session.resumption_across_names());
    if (config.expect_resumable_across_names && !across_names)
        || (config.expect_not_resumable_across_names && across_names)
    {
        return Some(format!("the session is resumed under other names: {across_names}"));
    }
    let allows = seen.session.as_ref().is_some_and(|session| session.max_early_data() > 0);
    let differs = wanted && allows != config.expect_ticket_supports_early_data;
    differs.then(|| format!("the session allows early data: {allows}"))
}

fn early_data(config: &Config, info: &Info, seen: &Seen) -> Option<String> {
    let status = info.early_data();
    let accepted = matches!(status, EarlyDataStatus::Accepted { .. });
    let fails = (config.expect_accept_early_data && !accepted)
        || (config.expect_reject_early_data && accepted)
        || (config.expect_no_offer_early_data && status != EarlyDataStatus::NotOffered);
    if fails {
        return Some(format!("what became of early data: {status:?}"));
    }
    let expected = config.expect_early_data_reason.as_deref()?;
    let reason = early_data_reason(config, info, seen);
    (expected != reason.as_bytes()).then(|| format!("early data: {reason} ({status:?})"))
}

/// The suite's name of why there was early data, or none.
fn early_data_reason(config: &Config, info: &Info, seen: &Seen) -> &'static str {
    match info.early_data() {
        EarlyDataStatus::Accepted { .. } => "accept",
        _ if !config.enable_early_data => "disabled",
        EarlyDataStatus::Rejected { reason, .. } => match reason {
            // Of two reasons the suite names this one.
            EarlyDataRejection::HelloRetryRequest if config.server && !info.is_resumed() => {
                "session_not_resumed"
            }
            EarlyDataRejection::Disabled => "disabled",
            EarlyDataRejection::Version => "protocol_version",
            EarlyDataRejection::HelloRetryRequest => "hello_retry_request",
            EarlyDataRejection::NotResumed => "session_not_resumed",
            EarlyDataRejection::PeerDeclined => "peer_declined",
            EarlyDataRejection::UnsupportedForSession => "unsupported_for_session",
            EarlyDataRejection::Alpn => "alpn_mismatch",
            EarlyDataRejection::TicketAge => "ticket_age_skew",
            _ => "unknown",
        },
        _ if info.version() < ProtocolVersion::TLS1_3 => "protocol_version",
        _ if !seen.session_offered => "no_session_offered",
        _ if config.server && !info.is_resumed() => "session_not_resumed",
        _ if config.server => "peer_declined",
        // It was neither offered nor was the session without: the client speaks another protocol now.
        _ if seen.session_allows_early_data => "alpn_mismatch",
        _ => "unsupported_for_session",
    }
}

fn peer(config: &Config, info: &Info, verified: u32) -> Option<String> {
    let chain = info.peer_certificates();
    if config.expect_no_peer_cert && !chain.is_empty() {
        return Some("the peer sent a certificate".into());
    }
    let required = !config.server || config.require_any_client_certificate;
    if required && !config.expect_no_peer_cert && chain.is_empty() {
        return Some("the peer sent no certificate".into());
    }
    // Whom a session is of was verified when it was made, and by a client once more if it is told so.
    let again = config.reverify_on_resume && !config.server;
    let expected = u32::from(!chain.is_empty() && (!info.is_resumed() || again));
    if verified != expected {
        return Some(format!("the peer's {} certificates were verified {verified} times", chain.len()));
    }
    // The verdict is the shim's own; that it was asked for exactly once was checked just before. For the suite, a
    // client that a server does not insist on knowing is as good as verified.
    if config.expect_verify_result && !config.server && chain.is_empty() {
        return Some("there was nothing to verify".into());
    }
    if let Some(path) = &config.expect_peer_cert_file {
        match setup::certificates(path) {
            Ok(expected) if expected == chain => {}
            Ok(expected) => {
                return Some(format!(
                    "the peer's chain of {} is not the one of {}",
                    chain.len(),
                    expected.len()
                ));
            }
            Err(error) => return Some(error.to_string()),
        }
    }
    // Nobody signs a resumed handshake.
    let expected = config.expect_peer_signature_algorithm.filter(|_| !info.is_resumed());
    let scheme = info.peer_signature_scheme().map(|scheme| scheme.0);
    differs("the peer's signature scheme", expected, scheme)
}

/// Whether the processor has instructions for AES, as far as the suite cares.
fn has_aes() -> bool {
    #[cfg(target_arch = "x86_64")]
    return std::arch::is_x86_feature_detected!("aes");
    #[cfg(target_arch = "aarch64")]
    return std::arch::is_aarch64_feature_detected!("aes");
    #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
    return false;
}
