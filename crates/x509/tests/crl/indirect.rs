//! CRLs of an issuer outside of the certificate's path.

use super::*;

/// A CA, a leaf that says that a CRL issuer outside of its path has its status, and that issuer.
fn indirect() -> (Ca, Ca, Issued) {
    let root = root();
    let mut spec = CaSpec::new("CRL Issuer", P256).not_a_ca();
    spec.key_usage = None;
    let spec = spec.extension(DISTRIBUTION_POINTS, false, &points(&[full_name(&uri(POINT_B))]));
    let issuer = root.intermediate_with(spec.extension("2.5.29.15", true, &[0x03, 0x02, 0x01, 0x02]));
    let point = [full_name(&uri(POINT_A)), tlv(0xa2, &[&directory("CN=CRL Issuer")])].concat();
    let issued = pointed(&root, &[point]);
    (root, issuer, issued)
}

/// A CRL of the root that covers the CRL issuer and not the leaf.
fn elsewhere() -> CrlSpec {
    CrlSpec::new(1).scope(&full_name(&uri(POINT_B)))
}

fn indirect_scope() -> Vec<u8> {
    [full_name(&uri(POINT_A)), vec![0x84, 1, 0xff]].concat()
}

/// What the CRL issuer says, with its certificate in the store, and what the root says about the CRL issuer.
fn by_issuer(root: &Ca, issuer: &Ca, spec: CrlSpec, of_root: CrlSpec) -> CrlStore {
    let mut store = store([issuer.crl(spec), root.crl(of_root)]);
    store.add_issuer(issuer.certificate()).expect("a certificate");
    store
}

#[test]
fn an_indirect_crl_is_by_an_issuer_that_the_certificate_names() {
    let (root, issuer, issued) = indirect();
    let judge = |spec, of_root| {
        verify(&root, &issued.chain, Revocation::hard_fail(by_issuer(&root, &issuer, spec, of_root)))
    };
    let base = || CrlSpec::new(1).scope(&indirect_scope());
    let of_issuer = || CrlSpec::new(1).scope(&[0x82, 1, 0xff]);
    let serial = serial(issued.certificate());
    // Nobody says anything of the CRL issuer's own status.
    refused(judge(base(), of_issuer()), Rule::StatusKnown, LEAF);
    accepted(judge(base(), elsewhere()));
    // Entries are of the CRL's issuer until one says otherwise, and then of that one.
    let other = directory("CN=Somebody");
    let ours = directory("CN=Root");
    accepted(judge(base().revoke(serial), elsewhere()));
    accepted(judge(base().revoke_of(serial, &other), elsewhere()));
    refused(judge(base().revoke_of(serial, &ours), elsewhere()), Rule::NotRevoked, LEAF);
    refused(judge(base().revoke_of(&[7], &ours).revoke(serial), elsewhere()), Rule::NotRevoked, LEAF);
    accepted(judge(base().revoke_of(&[7], &ours).revoke_of(serial, &other), elsewhere()));
}

#[test]
fn an_indirect_crl_says_so_and_its_issuer_must_be_good() {
    let (root, issuer, issued) = indirect();
    let scope_only = || CrlSpec::new(1).scope(&full_name(&uri(POINT_A)));
    let base = || CrlSpec::new(1).scope(&indirect_scope());
    let judge = |store| verify(&root, &issued.chain, Revocation::hard_fail(store).leaf_only());
    accepted(judge(by_issuer(&root, &issuer, base(), elsewhere())));
    // Not marked as indirect: it speaks for its issuer alone. The root's own CRL is then all there is.
    let mut without_root = store([issuer.crl(scope_only())]);
    without_root.add_issuer(issuer.certificate()).expect("a certificate");
    refused(judge(without_root), Rule::StatusKnown, LEAF);
    // The CRL issuer is revoked itself.
    let revoked = elsewhere().revoke(serial(issuer.certificate()));
    let store_revoked = by_issuer(&root, &issuer, base(), revoked);
    refused(judge(store_revoked), Rule::StatusKnown, LEAF);
    // Without its certificate nobody knows whose key signed.
    refused(judge(store([issuer.crl(base())])), Rule::StatusKnown, LEAF);
}

#[test]
fn entries_of_other_issuers_make_no_sense_in_a_direct_crl() {
    let root = root();
    refuses(root.crl(CrlSpec::new(1).revoke_of(&[7], &directory("CN=Root"))), Rule::CrlForm);
}

/// The path of a CRL's issuer ends at the same anchor as the certificate's, whoever else is trusted.
#[test]
fn an_issuer_of_crls_leads_to_the_same_anchor() {
    let (root, _, issued) = indirect();
    let other = Ca::new("Other", P256);
    let mut spec = CaSpec::new("CRL Issuer", P256).not_a_ca();
    spec.key_usage = None;
    let issuer = other.intermediate_with(spec);
    let crls = [issuer.crl(CrlSpec::new(1).scope(&indirect_scope())), other.crl(CrlSpec::new(1))];
    let mut crls = store(crls);
    crls.add_issuer(issuer.certificate()).expect("a certificate");
    let roots = common::trusting_all([root.certificate(), other.certificate()]);
    let name = ServerName::try_from(HOST).expect("a name");
    let verifier = Verifier::new(roots, Purpose::ServerAuth).with_revocation(Revocation::hard_fail(crls));
    let report =
        refused(verifier.verify_server(&issued.chain, &name, UnixTime::now()), Rule::StatusKnown, LEAF);
    assert!(report.to_string().contains(&Unknown::UntrustedCrl.to_string()), "{report}");
}

/// Nor can a peer keep the certificates of CRL issuers that the store has from being found.
#[test]
fn what_a_peer_sends_along_hides_no_issuer_of_crls() {
    let (root, issuer, issued) = indirect();
    let bad = serial(issued.certificate());
    let revoking = CrlSpec::new(1).scope(&indirect_scope()).revoke_of(bad, &directory("CN=Root"));
    let crls = by_issuer(&root, &issuer, revoking, elsewhere());
    let stranger = Ca::new("Stranger", P256);
    let mut chain = issued.chain.clone();
    chain.extend((0u8..120).map(|place| {
        let spec = LeafSpec::bare().subject("CN=CRL Issuer").key_usage(None).serial(&[1, place]);
        stranger.issue(spec).certificate().clone()
    }));
    refused(verify(&root, &chain, Revocation::soft_fail(crls)), Rule::NotRevoked, LEAF);
}
