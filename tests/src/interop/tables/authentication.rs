//! Who shows what to whom: certificates of either side, signature schemes, authorities, stapled responses.

use oxtls::SignatureScheme;

use super::super::peer::Peer;
use super::super::spec::{
    AGREED, Agreed, CLIENT, Compression, Expect, Role, SERVER, SESSION, Side, Spec, Special,
};
use super::ASKING;

pub(super) fn all() -> Vec<Spec> {
    [certificates(), schemes(), client_certificates(), authorities(), stapled_responses(), compressed()]
        .concat()
}

fn certificates() -> Vec<Spec> {
    let row = |name, identity: &'static str| Spec {
        name,
        server: Side { identity: Some(identity), ..SERVER },
        ..SESSION
    };
    vec![
        row("server certificate RSA", "rsa"),
        row("server certificate RSA-PSS", "rsa-pss"),
        row("server certificate ECDSA P-256", "p256"),
        row("server certificate ECDSA P-384", "p384"),
        row("server certificate ECDSA P-521", "p521"),
        row("server certificate Ed25519", "ed25519"),
        row("server certificate below an intermediate authority", "deep"),
    ]
}

/// The client restricts what the server may sign with; the server may have to choose its certificate by that.
fn schemes() -> Vec<Spec> {
    let row = |name, schemes: &'static [SignatureScheme; 1], server: Side, chosen: &'static str| Spec {
        name,
        client: Side { schemes, ..CLIENT },
        server,
        expect: Expect::Session(Agreed { scheme: Some(schemes[0]), server: Some(chosen), ..AGREED }),
        ..SESSION
    };
    let rsa = Side { identity: Some("rsa"), ..SERVER };
    let both = Side { identity: Some("p256"), second_identity: Some("rsa"), ..SERVER };
    vec![
        row("signature rsa_pss_rsae_sha256", &[SignatureScheme::RSA_PSS_RSAE_SHA256], rsa, "rsa"),
        row("signature rsa_pss_rsae_sha384", &[SignatureScheme::RSA_PSS_RSAE_SHA384], rsa, "rsa"),
        row("signature rsa_pss_rsae_sha512", &[SignatureScheme::RSA_PSS_RSAE_SHA512], rsa, "rsa"),
        row("two certificates, RSA wanted", &[SignatureScheme::RSA_PSS_RSAE_SHA256], both, "rsa"),
        row("two certificates, ECDSA wanted", &[SignatureScheme::ECDSA_SECP256R1_SHA256], both, "p256"),
    ]
}

fn client_certificates() -> Vec<Spec> {
    let given = |name, identity: &'static str| Spec {
        name,
        client: Side { identity: Some(identity), ..CLIENT },
        server: ASKING,
        expect: Expect::Session(Agreed { client: Some(Some(identity)), ..AGREED }),
        ..SESSION
    };
    let unasked = Spec {
        name: "client certificate not asked for, one at hand",
        client: Side { identity: Some("p256"), ..CLIENT },
        expect: Expect::Session(Agreed { client: Some(None), ..AGREED }),
        ..SESSION
    };
    let missing = Spec {
        name: "client certificate optional, none given",
        server: ASKING,
        certificate_optional: true,
        expect: Expect::Session(Agreed { client: Some(None), ..AGREED }),
        ..SESSION
    };
    vec![
        Spec { name: "client certificate not asked for, none at hand", client: CLIENT, ..unasked },
        unasked,
        missing,
        Spec { certificate_optional: true, ..given("client certificate optional, given", "p256") },
        given("client certificate required, RSA", "rsa"),
        given("client certificate required, RSA-PSS", "rsa-pss"),
        given("client certificate required, ECDSA P-256", "p256"),
        given("client certificate required, ECDSA P-384", "p384"),
        given("client certificate required, ECDSA P-521", "p521"),
        given("client certificate required, Ed25519", "ed25519"),
        given("client certificate required, below an intermediate authority", "deep"),
    ]
}

/// Whoever has certificates of several authorities shows the one that the other side can verify.
fn authorities() -> Vec<Spec> {
    let by_client = Spec {
        name: "certificate_authorities: the client chooses its certificate by the server's",
        roles: &[Role::Client],
        client: Side { identity: Some("stranger"), second_identity: Some("p256"), ..CLIENT },
        server: ASKING,
        expect: Expect::Session(Agreed { client: Some(Some("p256")), ..AGREED }),
        ..SESSION
    };
    let by_issuer = Spec {
        name: "certificate_authorities: the client looks for them along its whole chain",
        client: Side { identity: Some("stranger"), second_identity: Some("deep"), ..CLIENT },
        expect: Expect::Session(Agreed { client: Some(Some("deep")), ..AGREED }),
        ..by_client
    };
    let by_server = |name, authority, identity| Spec {
        name,
        roles: &[Role::Server],
        client: Side { trusts: Some(authority), special: Some(Special::NamesAuthority(authority)), ..CLIENT },
        server: Side { identity: Some("p256"), second_identity: Some("stranger"), ..SERVER },
        expect: Expect::Session(Agreed { server: Some(identity), ..AGREED }),
        ..SESSION
    };
    vec![
        by_client,
        by_issuer,
        by_server("certificate_authorities: the server chooses its first by the client's", "ca", "p256"),
        by_server(
            "certificate_authorities: the server chooses its second by the client's",
            "other",
            "stranger",
        ),
    ]
}

fn stapled_responses() -> Vec<Spec> {
    let row = |name, asked, stapled| Spec {
        name,
        client: Side { ocsp: asked, ..CLIENT },
        server: Side { identity: Some("stapled"), ocsp: stapled, ..SERVER },
        payload: 1000,
        ..SESSION
    };
    vec![
        row("OCSP response asked for and stapled", true, true),
        row("OCSP response asked for, none at hand", true, false),
        row("OCSP response at hand, not asked for", false, true),
    ]
}

/// OpenSSL has had it since 3.2, and uses it when the certificates get smaller.
fn compressed() -> Vec<Spec> {
    let row = |name, compression| Spec {
        name,
        peers: &[Peer::OpenSsl35],
        client: Side { compression: Some(compression), ..CLIENT },
        server: Side { identity: Some("deep"), compression: Some(compression), ..SERVER },
        expect: Expect::Session(Agreed { compression: Some(compression), ..AGREED }),
        ..SESSION
    };
    vec![
        row("certificate compressed by zlib", Compression::Zlib),
        row("certificate compressed by Zstandard", Compression::Zstd),
    ]
}
