//! Whether a handshake came out as the flags say. Every `-expect-` flag that is accepted is checked, here or where
//! the thing that it is about passes by.

use oxtls::Info;

use crate::credentials::{self, Candidate};
use crate::flags::Config;
use crate::setup;

/// What is not as expected, if anything. `verified`: how often the peer's certificates were shown to the shim.
pub(crate) fn unexpected(config: &Config, info: &Info, ours: &[Candidate], verified: u32) -> Option<String> {
    let checks = [
        negotiated(config, info),
        extensions(config, info),
        selected(config, info, ours),
        session(config, info),
        peer(config, info, verified),
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
        .or_else(|| differs("the group", config.expect_curve_id, info.group().map(|group| group.0)))
        .or_else(|| hello_retry(config, info))
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
    if info.alpn() != expected.as_deref() {
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

/// A server that shows who it is has not resumed a session: whoever resumes one was shown it before (RFC 9846
/// section 2.2).
fn session(config: &Config, info: &Info) -> Option<String> {
    let server_was_shown = if config.server {
        info.outcome().credential.is_some()
    } else {
        !info.peer_certificates().is_empty()
    };
    (config.expect_session_miss && !server_was_shown).then(|| "the session was resumed".into())
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
    if chain.is_empty() == (verified > 0) || verified > 1 {
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
    let scheme = info.peer_signature_scheme().map(|scheme| scheme.0);
    differs("the peer's signature scheme", config.expect_peer_signature_algorithm, scheme)
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
