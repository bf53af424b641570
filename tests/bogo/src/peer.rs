//! The decisions that a connection leaves to its caller, taken as the flags say.

use oxtls::need::{Answer, ChooseConfig, ChooseCredential, CredentialRequest, Sign, VerifyPeer};
use oxtls::x509::{Certificate, KeyUsage};
use oxtls::{AlertDescription, Fault, HandshakeError, Need, SignatureScheme};

use crate::credentials::{self, Candidate};
use crate::encoding;
use crate::flags::Config;
use crate::setup;
use crate::tickets::TicketKey;

/// What a decision came to.
pub(crate) enum Decided {
    /// This.
    Answer(Answer),
    /// What the configuration says.
    AsConfigured(Need),
    /// The handshake must fail.
    Refuse(HandshakeError),
    /// The peer is not what the test expects, whatever the library says.
    Unexpected(String),
}

/// A refusal of the shim's, by its name in the suite.
#[derive(Debug)]
pub(crate) struct Refusal(pub(crate) &'static str);

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, ":{}: the shim was told to refuse", self.0)
    }
}

impl std::error::Error for Refusal {}

fn refuse(alert: AlertDescription, name: &'static str) -> Decided {
    Decided::Refuse(HandshakeError::Refused { alert, fault: Fault::Local, cause: Box::new(Refusal(name)) })
}

/// Takes one decision. `verified` learns that the peer's certificates were shown.
pub(crate) fn decide(config: &Config, ours: &[Candidate], need: Need, verified: &mut u32) -> Decided {
    match need {
        Need::ChooseConfig(token) => choose_config(config, ours, token),
        Need::ChooseCredential(token) => choose_credential(config, ours, token),
        Need::VerifyPeer(token) => {
            *verified += 1;
            verify(config, token)
        }
        Need::Sign(token) => sign(ours, token),
        Need::FindSession(token) if let Some(key) = ticket_key(config) => Decided::Answer(key.find(token)),
        Need::SealTicket(token) if let Some(key) = ticket_key(config) => Decided::Answer(key.answer(token)),
        Need::AcceptSession(token) if config.renew_ticket => Decided::Answer(token.renew()),
        need => Decided::AsConfigured(need),
    }
}

/// The key that the test gives for tickets.
pub(crate) fn ticket_key(config: &Config) -> Option<TicketKey<'_>> {
    config.ticket_key.as_deref().and_then(TicketKey::new)
}

fn choose_config(config: &Config, ours: &[Candidate], token: ChooseConfig) -> Decided {
    let name = token.hello.server_name();
    if config.expect_no_server_name && name.is_some() {
        return Decided::Unexpected("the client sent a server name".into());
    }
    if let Some(expected) = &config.expect_server_name
        && name.map(str::as_bytes) != Some(expected.as_slice())
    {
        return Decided::Unexpected(format!("the client sent the server name {name:?}"));
    }
    if let Some(expected) = &config.expect_advertised_alpn {
        let offered: Vec<Vec<u8>> = token.hello.alpn().map(<[u8]>::to_vec).collect();
        if encoding::length_prefixed(expected).as_ref() != Some(&offered) {
            return Decided::Unexpected(format!("the client offered the protocols {offered:?}"));
        }
    }
    let schemes: Vec<SignatureScheme> = token.hello.signature_schemes().iter().collect();
    if let Some(unexpected) = peer_schemes(config, &schemes) {
        return Decided::Unexpected(unexpected);
    }
    if config.fail_early_callback {
        return refuse(AlertDescription::HANDSHAKE_FAILURE, "CONNECTION_REJECTED");
    }
    // A server that makes its configuration for each hello learns only now that it cannot be made.
    let is_refused = || setup::server(config, ours, vec![Vec::new()]).is_ok_and(|made| made.build().is_err());
    if config.select_empty_alpn && is_refused() {
        return refuse(AlertDescription::INTERNAL_ERROR, "INVALID_ALPN_PROTOCOL");
    }
    Decided::AsConfigured(Need::ChooseConfig(token))
}

fn choose_credential(config: &Config, ours: &[Candidate], token: ChooseCredential) -> Decided {
    if let Some(unexpected) = unexpected_request(config, &token.request) {
        return Decided::Unexpected(unexpected);
    }
    if config.fail_cert_callback {
        let alert = config.fail_cert_callback_alert.and_then(|alert| u8::try_from(alert).ok());
        let alert = alert.map_or(AlertDescription::INTERNAL_ERROR, AlertDescription);
        return refuse(alert, "CERT_CB_ERROR");
    }
    let stapling = config.server && config.use_ocsp_callback && token.request.ocsp;
    if stapling && config.fail_ocsp_callback {
        return refuse(AlertDescription::INTERNAL_ERROR, "OCSP_CB_ERROR");
    }
    let mut usable =
        ours.iter().filter_map(|candidate| Some((candidate, candidate.scheme_for(&token.request)?)));
    match (ours, usable.next()) {
        ([_, ..], None) if ours.iter().any(|candidate| candidate.lacks_issuer_only(&token.request)) => {
            refuse(AlertDescription::HANDSHAKE_FAILURE, "NO_MATCHING_ISSUER")
        }
        // A client may go on without a certificate. The suite's clients insist on theirs.
        ([_, ..], None) => {
            Decided::Refuse(HandshakeError::NoCommonSignatureScheme { peer: token.request.schemes.into() })
        }
        // The order of several is the test's. With one there is nothing for the shim to choose.
        ([_, _, ..], Some((candidate, scheme))) => {
            Decided::Answer(token.answer(candidate.credential.shared(), scheme))
        }
        _ => Decided::AsConfigured(Need::ChooseCredential(token)),
    }
}

/// What a CertificateRequest, or a hello, has that the test does not expect.
fn unexpected_request(config: &Config, request: &CredentialRequest) -> Option<String> {
    if config.server {
        return None;
    }
    if let Some(expected) = &config.expect_client_ca_list {
        let expected: Option<Vec<_>> = expected.split(|byte| *byte == b',').map(encoding::hex).collect();
        if expected.as_ref() != Some(&request.authorities) {
            return Some(format!("the server named the authorities {:x?}", request.authorities));
        }
    }
    if let Some(expected) = &config.expect_certificate_types
        && *expected != request.certificate_types
    {
        return Some(format!("the server takes the kinds of keys {:?}", request.certificate_types));
    }
    peer_schemes(config, &request.schemes)
}

fn peer_schemes(config: &Config, schemes: &[SignatureScheme]) -> Option<String> {
    let expected = &config.expect_peer_verify_pref;
    let same = schemes.iter().map(|scheme| scheme.0).eq(expected.iter().copied());
    (!expected.is_empty() && !same).then(|| format!("the peer accepts the schemes {schemes:?}"))
}

/// Accepts any chain, as the suite expects of a shim, unless the test is about refusing it. That the peer has its
/// key was verified by the library before it asks.
fn verify(config: &Config, token: VerifyPeer) -> Decided {
    if config.expect_ocsp_response.is_some() && token.peer.ocsp.is_none() {
        return Decided::Unexpected("no OCSP response when the chain is verified".into());
    }
    // Whoever takes this decision from the library takes this rule with it (RFC 9846 section 4.5.2).
    if !may_sign(&token) {
        return refuse(AlertDescription::UNSUPPORTED_CERTIFICATE, "KEY_USAGE_BIT_INCORRECT");
    }
    // The suite's own client goes on without being told to verify; its servers never do.
    let counts = config.verify_peer || config.server || config.use_custom_verify_callback;
    if config.verify_fail && counts {
        let alert = if config.use_custom_verify_callback {
            AlertDescription::CERTIFICATE_UNKNOWN
        } else {
            AlertDescription::HANDSHAKE_FAILURE
        };
        return refuse(alert, "CERTIFICATE_VERIFY_FAILED");
    }
    if !config.server && config.use_ocsp_callback && config.fail_ocsp_callback && config.enable_ocsp_stapling
    {
        return refuse(AlertDescription::BAD_CERTIFICATE_STATUS_RESPONSE, "OCSP_CB_ERROR");
    }
    Decided::Answer(token.accept())
}

/// Whether the leaf's keyUsage, if it has one, allows signatures.
fn may_sign(token: &VerifyPeer) -> bool {
    let leaf = token.peer.chain.first().and_then(|leaf| Certificate::parse(leaf).ok());
    let usage = leaf.and_then(|leaf| leaf.key_usage());
    usage.is_none_or(|usage| usage.allows(KeyUsage::DIGITAL_SIGNATURE))
}

fn sign(ours: &[Candidate], token: Sign) -> Decided {
    let Some(candidate) = credentials::find(ours, &token.credential) else {
        return Decided::Unexpected("the library signs with a key that it was not given".into());
    };
    match candidate.key.sign(token.scheme, &token.message) {
        Ok(signature) => Decided::Answer(token.answer(signature)),
        Err(error) => Decided::Refuse(HandshakeError::SigningFailed(Some(Box::new(error)))),
    }
}
