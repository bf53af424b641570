//! Which certificates a CRL is about.

use super::*;

#[test]
fn a_crl_for_users_or_for_cas_covers_no_others() {
    let root = root();
    let intermediate = root.intermediate("Intermediate", P256);
    let issued = intermediate.issue(leaf());
    let (users, authorities, attributes) = ([0x81, 1, 0xff], [0x82, 1, 0xff], [0x85, 1, 0xff]);
    let of_leaf = |scope: &[u8]| intermediate.crl(CrlSpec::new(1).scope(scope));
    let of_ca = |scope: &[u8]| root.crl(CrlSpec::new(1).scope(scope));
    accepted(hard(&root, &issued.chain, [of_leaf(&users), of_ca(&authorities)]));
    unknown(&root, &issued.chain, [of_leaf(&authorities), of_ca(&authorities)], Unknown::OutOfScope);
    unknown(&root, &issued.chain, [of_leaf(&attributes), of_ca(&authorities)], Unknown::OutOfScope);
    refused(hard(&root, &issued.chain, [of_leaf(&users), of_ca(&users)]), Rule::StatusKnown, FIRST);
    refuses(of_ca(&[users, authorities].concat()), Rule::ExtensionEncoding);
    refuses(of_ca(&[]), Rule::ExtensionEncoding);
    refuses(of_ca(&[0x81, 1, 0]), Rule::ExtensionEncoding);
}

#[test]
fn a_partition_covers_the_certificates_of_its_distribution_point() {
    let root = root();
    let issued = pointed(&root, &[full_name(&[uri(POINT_A), uri(b"ldap://elsewhere")].concat())]);
    let part = |names: &[u8]| root.crl(CrlSpec::new(1).scope(&full_name(names)));
    accepted(hard(&root, &issued.chain, [part(&uri(POINT_A))]));
    accepted(hard(&root, &issued.chain, [part(&[uri(POINT_B), uri(POINT_A)].concat())]));
    unknown(&root, &issued.chain, [part(&uri(POINT_B))], Unknown::OutOfScope);
    // Certificates without points have the point of their issuer's name.
    let plain = root.issue(leaf());
    unknown(&root, &plain.chain, [part(&uri(POINT_A))], Unknown::OutOfScope);
    accepted(hard(&root, &plain.chain, [part(&directory("CN=Root"))]));
    // A CRL without a scope covers everything.
    accepted(hard(&root, &issued.chain, [root.crl(CrlSpec::new(1))]));
    let malformed = root.issue(leaf().extension(DISTRIBUTION_POINTS, false, &[0x30, 2, 0x30, 0]));
    assert!(hard(&root, &malformed.chain, [root.crl(CrlSpec::new(1))]).is_err());
}

#[test]
fn relative_names_are_completed_with_the_issuers() {
    let root = root();
    let part = |name: &str| {
        // The contents of the SET of the last part.
        let der = name_der(name);
        let set = oxtls_test_pki::der::elements(oxtls_test_pki::der::contents(&der))[0].to_vec();
        oxtls_test_pki::der::contents(&set).to_vec()
    };
    let relative = |name: &str| tlv(0xa0, &[&tlv(0xa1, &[&part(name)])]);
    let issued = pointed(&root, &[relative("CN=Part 1")]);
    let crl = |name: Vec<u8>| root.crl(CrlSpec::new(1).scope(&name));
    accepted(hard(&root, &issued.chain, [crl(relative("CN=part  1"))]));
    accepted(hard(&root, &issued.chain, [crl(full_name(&directory("CN=Part 1,CN=Root")))]));
    unknown(&root, &issued.chain, [crl(relative("CN=Part 2"))], Unknown::OutOfScope);
    unknown(&root, &issued.chain, [crl(full_name(&directory("CN=Part 1")))], Unknown::OutOfScope);
    let absolute = pointed(&root, &[full_name(&directory("CN=Part 1,CN=Root"))]);
    accepted(hard(&root, &absolute.chain, [crl(relative("CN=Part 1"))]));
}

#[test]
fn every_reason_must_be_covered() {
    let root = root();
    let issued = pointed(&root, &[full_name(&uri(POINT_A))]);
    // keyCompromise and cACompromise; all others.
    let (some, rest) = ([0x83, 2, 5, 0x60], [0x83, 3, 7, 0x1f, 0x80]);
    let crl = |reasons: &[u8]| CrlSpec::new(1).scope(&[&full_name(&uri(POINT_A)), reasons].concat());
    unknown(&root, &issued.chain, [root.crl(crl(&some))], Unknown::SomeReasons);
    accepted(hard(&root, &issued.chain, [root.crl(crl(&some)), root.crl(crl(&rest))]));
    let serial = serial(issued.certificate());
    for (one, other) in [(crl(&some).revoke(serial), crl(&rest)), (crl(&some), crl(&rest).revoke(serial))] {
        refused(hard(&root, &issued.chain, [root.crl(one), root.crl(other)]), Rule::NotRevoked, LEAF);
    }
    // A point that is about some reasons only.
    let partial = pointed(&root, &[[full_name(&uri(POINT_A)), vec![0x81, 2, 5, 0x60]].concat()]);
    let whole = root.crl(CrlSpec::new(1).scope(&full_name(&uri(POINT_A))));
    unknown(&root, &partial.chain, [whole], Unknown::SomeReasons);
}
