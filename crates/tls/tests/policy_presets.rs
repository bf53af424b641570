//! Policies of protocols: what each offers, accepts and refuses, on both ends and in both versions.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that fails may panic"
)]

mod common;

use std::sync::{Arc, LazyLock};

use common::{NAME, client, connect, drain, ends, feed, handshake, is_resumed, resumes};
use oxtls::policy::{CNSA_1, CNSA_2, CNSA_2_TRANSITION, FIPS_202205, ProtocolPolicy, WPA3_192_202304};
use oxtls::x509::{AllowedAlgorithms, Policy, Purpose, Verifier};
use oxtls::{
    AlertDescription, CipherSuite, ClientAuth, ClientConfig, ClientConfigBuilder, ConfigError, Credential,
    Decision, Error, ErrorKind, HandshakeError, KeyAlgorithm, NamedGroup, Need, ProtocolVersion, ReplayGuard,
    Resumption, Roots, ServerConfig, ServerConfigBuilder, ServerConnection, SessionCache, SignatureScheme,
    TicketKeys,
};
use oxtls_test_pki::{Ca, LeafSpec};

const ALL: [ProtocolPolicy; 5] = [FIPS_202205, WPA3_192_202304, CNSA_1, CNSA_2, CNSA_2_TRANSITION];
const VERSIONS: [ProtocolVersion; 2] = [ProtocolVersion::TLS1_2, ProtocolVersion::TLS1_3];

/// An authority and two leaves, all with keys of one kind.
struct Pki {
    roots: Arc<Roots>,
    server: Credential,
    client: Credential,
}

fn credential(ca: &Ca, spec: LeafSpec) -> Credential {
    let issued = ca.issue(spec);
    Credential::new(issued.chain, issued.key).unwrap()
}

fn pki(key: KeyAlgorithm) -> Pki {
    pki_of(key, key)
}

fn pki_of(authority: KeyAlgorithm, leaves: KeyAlgorithm) -> Pki {
    let ca = Ca::new("Authority", authority);
    let mut roots = Roots::empty();
    roots.add_der(ca.certificate()).unwrap();
    Pki {
        roots: Arc::new(roots),
        server: credential(&ca, LeafSpec::server(NAME).key(leaves)),
        client: credential(&ca, LeafSpec::client("client.test").dns("client.test").key(leaves)),
    }
}

static P256: LazyLock<Pki> = LazyLock::new(|| pki(KeyAlgorithm::EcdsaP256));
static P384: LazyLock<Pki> = LazyLock::new(|| pki(KeyAlgorithm::EcdsaP384));
static P521: LazyLock<Pki> = LazyLock::new(|| pki(KeyAlgorithm::EcdsaP521));
static ED25519: LazyLock<Pki> = LazyLock::new(|| pki(KeyAlgorithm::Ed25519));
static RSA_2048: LazyLock<Pki> = LazyLock::new(|| pki(KeyAlgorithm::Rsa));
static ML_DSA_87: LazyLock<Pki> = LazyLock::new(|| pki(KeyAlgorithm::MlDsa87));
/// P-384 leaves below a P-256 root, which signs with SHA-256.
static MIXED: LazyLock<Pki> = LazyLock::new(|| pki_of(KeyAlgorithm::EcdsaP256, KeyAlgorithm::EcdsaP384));

/// What a policy is tried with.
fn pki_for(policy: &ProtocolPolicy) -> &'static Pki {
    if *policy == CNSA_2 { &ML_DSA_87 } else { &P384 }
}

fn speaks(policy: &ProtocolPolicy, version: ProtocolVersion) -> bool {
    (policy.min_version..=policy.max_version).contains(&version)
}

fn client_of(pki: &Pki) -> ClientConfigBuilder {
    ClientConfig::builder().roots(Arc::clone(&pki.roots)).credential(pki.client.clone())
}

fn server_of(pki: &Pki) -> ServerConfigBuilder {
    ServerConfig::builder().credential(pki.server.clone())
}

fn mutual(pki: &Pki) -> ServerConfigBuilder {
    server_of(pki).client_auth(ClientAuth::Required(Arc::clone(&pki.roots)))
}

/// One handshake; `Err` has the first error, which is the server's where both have one.
fn attempt(client: ClientConfigBuilder, server: ServerConfigBuilder) -> Result<(), Error> {
    let (mut client, mut server) = ends(&client.build().unwrap(), &server.build().unwrap());
    handshake(&mut client, &mut server)
}

fn alert_of(result: Result<(), Error>) -> AlertDescription {
    result.unwrap_err().alert_sent().unwrap()
}

#[track_caller]
fn refused<T: std::fmt::Debug>(result: Result<T, ConfigError>, words: &str) {
    let error = result.unwrap_err();
    assert!(matches!(error, ConfigError::Invalid(_)), "{error:?}");
    assert!(error.to_string().contains(words), "{error} has not {words:?}");
}

#[test]
fn a_client_offers_what_its_policy_has_and_nothing_else() {
    for policy in ALL {
        let server = server_of(pki_for(&policy)).ask(&[Decision::ChooseConfig]).build().unwrap();
        let config = client_of(pki_for(&policy)).policy(policy).build().unwrap();
        let mut server = ServerConnection::new(&server);
        let fed = feed(&mut server, &drain(&mut client(&config))).unwrap();
        let [Need::ChooseConfig(token)] = &fed.needs[..] else { panic!("a server is asked") };
        let hello = &token.hello;
        let groups: Vec<_> = hello.groups().iter().collect();
        assert_eq!(groups, policy.groups, "{}", policy.name);
        let schemes: Vec<_> = hello.signature_schemes().iter().collect();
        assert_eq!(schemes, policy.schemes, "{}", policy.name);
        for version in VERSIONS {
            assert_eq!(hello.versions().contains(&version), speaks(&policy, version), "{}", policy.name);
        }
        let suites: Vec<_> = hello.cipher_suites().iter().collect();
        let known = |suite: &CipherSuite| suite.tls13().is_some() || suite.tls12().is_some();
        let offered: Vec<_> = suites.iter().copied().filter(known).collect();
        assert_eq!(offered, policy.suites, "{}", policy.name);
    }
}

#[test]
fn both_ends_under_one_policy_agree_on_what_it_has() {
    for policy in ALL {
        for version in VERSIONS.into_iter().filter(|version| speaks(&policy, *version)) {
            let pki = pki_for(&policy);
            let client = client_of(pki).policy(policy).versions(version, version).build().unwrap();
            let ends = connect(&client, &mutual(pki).policy(policy).build().unwrap());
            for info in [ends.0.info().unwrap(), ends.1.info().unwrap()] {
                assert_eq!(info.version(), version);
                assert!(policy.suites.contains(&info.suite()));
                assert!(policy.groups.contains(&info.group().unwrap()));
                assert!(policy.schemes.contains(&info.signature_scheme().unwrap()));
                assert!(policy.schemes.contains(&info.peer_signature_scheme().unwrap()));
            }
        }
    }
}

#[test]
fn either_end_under_a_policy_draws_an_ordinary_peer_into_it() {
    for policy in ALL {
        let pki = pki_for(&policy);
        // ML-KEM alone is nobody's default.
        let groups = [NamedGroup::X25519, NamedGroup::SECP384R1, NamedGroup::MLKEM1024];
        let held = client_of(pki).policy(policy).build().unwrap();
        let free = mutual(pki).groups(&groups).build().unwrap();
        let first = connect(&held, &free);
        let held = mutual(pki).policy(policy).build().unwrap();
        let free = client_of(pki).groups(&groups).build().unwrap();
        let second = connect(&free, &held);
        for info in [first.0.info().unwrap(), second.1.info().unwrap()] {
            assert_eq!(info.version(), ProtocolVersion::TLS1_3);
            assert!(policy.suites.contains(&info.suite()), "{}", policy.name);
            assert!(policy.groups.contains(&info.group().unwrap()), "{}", policy.name);
        }
    }
}

#[test]
fn peers_without_a_suite_a_group_or_a_version_of_the_policy_are_refused() {
    const CHACHA: &[CipherSuite] = &[
        CipherSuite::TLS_CHACHA20_POLY1305_SHA256,
        CipherSuite::TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
    ];
    for policy in ALL {
        let pki = pki_for(&policy);
        for version in VERSIONS.into_iter().filter(|version| speaks(&policy, *version)) {
            let held = || (client_of(pki).policy(policy), server_of(pki).policy(policy));
            let foreign = || client_of(pki).versions(version, version);
            let foreign_server = || server_of(pki).versions(version, version);
            for failed in [
                attempt(foreign().suites(CHACHA), held().1),
                attempt(held().0, foreign_server().suites(CHACHA)),
                attempt(foreign().groups(&[NamedGroup::X25519]), held().1),
                attempt(held().0, foreign_server().groups(&[NamedGroup::X25519])),
            ] {
                assert_eq!(alert_of(failed), AlertDescription::HANDSHAKE_FAILURE, "{}", policy.name);
            }
        }
    }
    let (old, held) = (client_of(&ML_DSA_87), server_of(&ML_DSA_87).policy(CNSA_2));
    let tls12 = old.versions(ProtocolVersion::TLS1_2, ProtocolVersion::TLS1_2);
    assert_eq!(alert_of(attempt(tls12, held)), AlertDescription::PROTOCOL_VERSION);
}

#[test]
fn aes_128_is_of_fips_alone() {
    let suites = [CipherSuite::TLS_AES_128_GCM_SHA256];
    for policy in ALL {
        let pki = pki_for(&policy);
        let peer = client_of(pki).suites(&suites).groups(policy.groups);
        assert_eq!(attempt(peer, server_of(pki).policy(policy)).is_ok(), policy == FIPS_202205);
    }
}

/// The kinds of key that each policy has, and the sizes.
fn takes(policy: &ProtocolPolicy, pki: &'static Pki) -> bool {
    let is = |other: &'static LazyLock<Pki>| std::ptr::eq(pki, &raw const **other);
    match policy.name {
        name if name == FIPS_202205.name => is(&P256) || is(&P384) || is(&MIXED) || is(&RSA_2048),
        name if name == CNSA_2.name => is(&ML_DSA_87),
        _ => is(&P384),
    }
}

fn every_pki() -> [&'static Pki; 6] {
    [&P256, &P384, &P521, &ED25519, &RSA_2048, &ML_DSA_87]
}

#[test]
fn credentials_outside_a_policy_are_refused_when_the_configuration_is_built() {
    for policy in ALL {
        for pki in every_pki() {
            let server = server_of(pki).policy(policy).build();
            let client = client_of(pki).policy(policy).build();
            assert_eq!(server.is_ok(), takes(&policy, pki), "{}: {server:?}", policy.name);
            assert_eq!(client.is_ok(), takes(&policy, pki), "{}: {client:?}", policy.name);
        }
    }
    refused(server_of(&RSA_2048).policy(CNSA_1).build(), "bits 2048");
    let built = server_of(&P384).policy(CNSA_1).build().unwrap();
    refused(built.with_credentials([P256.server.clone()]), "ECDSA P-256");
    let remote =
        |schemes: &[SignatureScheme]| Credential::remote(RSA_2048.server.chain().to_vec(), schemes).unwrap();
    let ours = ProtocolPolicy { min_rsa_bits: 2048, ..CNSA_1 };
    let with = |credential| ServerConfig::builder().policy(ours).credential(credential).build();
    refused(with(remote(&[SignatureScheme::RSA_PSS_RSAE_SHA256])), "RSA");
    with(remote(&[SignatureScheme::RSA_PSS_RSAE_SHA256, SignatureScheme::RSA_PSS_RSAE_SHA384])).unwrap();
}

/// A peer whose certificates the policy does not have is refused by its handshake or by its chain.
#[test]
fn chains_outside_a_policy_are_refused_by_both_ends_in_both_versions() {
    for policy in ALL {
        for pki in every_pki().into_iter().chain([&*MIXED]) {
            for version in VERSIONS.into_iter().filter(|version| speaks(&policy, *version)) {
                // ML-DSA is for TLS 1.3 only, and no policy has a say in it.
                let fits = version == ProtocolVersion::TLS1_3 || !std::ptr::eq(pki, &raw const *ML_DSA_87);
                if !fits {
                    continue;
                }
                let held = ClientConfig::builder().roots(Arc::clone(&pki.roots)).policy(policy);
                let free = server_of(pki).versions(version, version).groups(policy.groups);
                let outcome = attempt(held, free);
                assert_eq!(outcome.is_ok(), takes(&policy, pki), "{}: {outcome:?}", policy.name);

                let server = ServerConfig::builder().credential(pki_for(&policy).server.clone());
                let held = server.policy(policy).client_auth(ClientAuth::Required(Arc::clone(&pki.roots)));
                let free = ClientConfig::builder().roots(Arc::clone(&pki_for(&policy).roots));
                let free = free.credential(pki.client.clone()).versions(version, version);
                let outcome = attempt(free.groups(policy.groups), held);
                assert_eq!(outcome.is_ok(), takes(&policy, pki), "{}: {outcome:?}", policy.name);
            }
        }
    }
}

#[test]
fn a_p_384_key_below_a_p_256_root_is_refused_for_its_chain() {
    let held = ClientConfig::builder().roots(Arc::clone(&MIXED.roots)).policy(WPA3_192_202304);
    let error = attempt(held, server_of(&MIXED)).unwrap_err();
    assert!(error.to_string().contains("policy does not allow"), "{error}");
    let held = ClientConfig::builder().roots(Arc::clone(&MIXED.roots)).policy(FIPS_202205);
    attempt(held, server_of(&MIXED)).unwrap();
}

#[test]
fn a_verifier_keeps_what_it_was_limited_to_before() {
    let only =
        AllowedAlgorithms { keys: vec![KeyAlgorithm::EcdsaP256], ..FIPS_202205.certificate_algorithms() };
    let limited = |pki: &Pki| {
        let verifier = Verifier::new(Arc::clone(&pki.roots), Purpose::ServerAuth);
        verifier.with_policy(Policy::default().with_allowed_algorithms(only.clone()))
    };
    let held = |pki| ClientConfig::builder().verifier(limited(pki)).policy(FIPS_202205);
    attempt(held(&P256), server_of(&P256)).unwrap();
    attempt(held(&P384), server_of(&P384)).unwrap_err();
}

#[test]
fn what_is_said_must_lie_within_the_policy_whichever_is_said_first() {
    let groups = [NamedGroup::SECP384R1, NamedGroup::X25519];
    refused(client_of(&P384).policy(CNSA_1).groups(&groups).build(), "group x25519");
    refused(client_of(&P384).groups(&groups).policy(CNSA_1).build(), "group x25519");
    refused(server_of(&P384).groups(&groups).policy(CNSA_1).build(), "group x25519");
    let suites = [CipherSuite::TLS_AES_128_GCM_SHA256];
    refused(client_of(&P384).suites(&suites).policy(CNSA_1).build(), "TLS_AES_128_GCM_SHA256");
    refused(server_of(&P384).policy(CNSA_1).suites(&suites).build(), "TLS_AES_128_GCM_SHA256");
    let schemes = [SignatureScheme::ECDSA_SECP384R1_SHA384, SignatureScheme::ED25519];
    refused(client_of(&P384).verify_schemes(&schemes).policy(CNSA_1).build(), "ed25519");
    refused(server_of(&P384).policy(CNSA_1).verify_schemes(&schemes).build(), "ed25519");
    let old = (ProtocolVersion::TLS1_2, ProtocolVersion::TLS1_3);
    refused(client_of(&ML_DSA_87).versions(old.0, old.1).policy(CNSA_2).build(), "version TLS 1.2");
    refused(server_of(&ML_DSA_87).policy(CNSA_2).versions(old.0, old.1).build(), "version TLS 1.2");
}

#[test]
fn what_is_said_within_the_policy_counts() {
    let narrowed = client_of(&P384)
        .groups(&[NamedGroup::SECP384R1])
        .versions(ProtocolVersion::TLS1_2, ProtocolVersion::TLS1_2)
        .policy(CNSA_1);
    let ends = connect(&narrowed.build().unwrap(), &server_of(&P384).policy(CNSA_1).build().unwrap());
    let info = ends.1.info().unwrap();
    assert_eq!((info.version(), info.group()), (ProtocolVersion::TLS1_2, Some(NamedGroup::SECP384R1)));
}

#[test]
fn early_data_under_cnsa_is_refused_when_the_configuration_is_built() {
    let resumption =
        || Resumption::tickets(TicketKeys::rotating()).early_data(ReplayGuard::new(1000).unwrap(), 1024);
    for policy in ALL {
        let pki = pki_for(&policy);
        let client = client_of(pki).policy(policy).early_data(true).build();
        let server = server_of(pki).policy(policy).resumption(resumption()).build();
        if policy.early_data {
            client.unwrap();
            server.unwrap();
        } else {
            refused(client, "early data");
            refused(server, "early data");
        }
    }
}

#[test]
fn a_caller_that_chooses_credentials_is_told_only_what_may_be_signed_with() {
    let config = ServerConfig::builder().policy(CNSA_1).ask(&[Decision::ChooseCredential]).build().unwrap();
    let free = ClientConfig::builder().roots(Arc::clone(&P256.roots)).build().unwrap();
    let (mut client, mut server) = ends(&free, &config);
    let hello = drain(&mut client);
    // The first flight asks for another group, which the client answers.
    let mut fed = feed(&mut server, &hello).unwrap();
    if fed.needs.is_empty() {
        feed(&mut client, &drain(&mut server)).unwrap();
        fed = feed(&mut server, &drain(&mut client)).unwrap();
    }
    let Some(Need::ChooseCredential(token)) = fed.needs.pop() else { panic!("the caller is asked") };
    assert!(!token.request.schemes.is_empty());
    assert!(token.request.schemes.iter().all(|scheme| CNSA_1.schemes.contains(scheme)));
    // Whoever does not listen signs nothing all the same.
    let answer = token.answer(P256.server.shared(), SignatureScheme::ECDSA_SECP256R1_SHA256);
    let error = server.answer(answer).unwrap_err();
    let ErrorKind::Handshake(HandshakeError::SigningFailed(_)) = error.kind() else { panic!("{error}") };
    assert!(error.to_string().contains("does not allow to sign"), "{error}");
}

#[test]
fn sessions_belong_to_the_policy_that_they_were_made_under() {
    let (keys, cache) = (TicketKeys::rotating(), SessionCache::new(8));
    let server = || server_of(&P384).resumption(Resumption::tickets(keys.clone()));
    let client = || client_of(&P384).sessions(cache.clone());
    let free = (client().build().unwrap(), server().build().unwrap());
    let held = (client().policy(FIPS_202205).build().unwrap(), server().policy(FIPS_202205).build().unwrap());
    assert!(!resumes(&free.0, &free.1));
    assert!(resumes(&free.0, &free.1));
    assert!(
        !is_resumed(&connect(&free.0, &held.1)),
        "a ticket from before means nothing to the policy's server"
    );
    assert!(!resumes(&held.0, &held.1), "nor does the policy's client show it");
    assert!(resumes(&held.0, &held.1));
    let named = ProtocolPolicy { name: "by another name", ..FIPS_202205 };
    assert!(resumes(&client().policy(named).build().unwrap(), &held.1));
}

#[test]
fn presets_have_what_their_documents_say() {
    let gcm_256 = |policy: &ProtocolPolicy| {
        let of_192 = |suite: &CipherSuite| suite.to_string().contains("AES_256_GCM_SHA384");
        policy.suites.iter().all(of_192)
    };
    assert!(!gcm_256(&FIPS_202205));
    assert!([WPA3_192_202304, CNSA_1, CNSA_2, CNSA_2_TRANSITION].iter().all(gcm_256));
    assert_eq!(WPA3_192_202304.groups, [NamedGroup::SECP384R1]);
    assert_eq!(CNSA_1.groups, [NamedGroup::MLKEM1024, NamedGroup::SECP384R1]);
    assert_eq!(CNSA_2.groups, [NamedGroup::MLKEM1024]);
    assert_eq!(CNSA_2.schemes, [SignatureScheme::ML_DSA_87]);
    assert_eq!([2048, 3072, 3072], [FIPS_202205, WPA3_192_202304, CNSA_1].map(|policy| policy.min_rsa_bits));
    assert_eq!(CNSA_2.certificate_algorithms().keys, [KeyAlgorithm::MlDsa87]);
    assert_eq!(WPA3_192_202304.certificate_algorithms().keys, [KeyAlgorithm::Rsa, KeyAlgorithm::EcdsaP384]);
}
