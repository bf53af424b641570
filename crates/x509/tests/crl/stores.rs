//! Stores of CRLs: what they take, what they cost, and what says that they are another.

use super::*;

#[test]
fn the_fingerprint_covers_the_crls_and_the_mode() {
    let root = root();
    let crl = root.crl(CrlSpec::new(1));
    let verifier = |revocation| {
        Verifier::new(trusting(&root), Purpose::ServerAuth).with_revocation(revocation).fingerprint()
    };
    let one = || store([crl.clone()]);
    let two = store([crl.clone(), root.crl(CrlSpec::new(2))]);
    let mut with_issuer = one();
    with_issuer.add_issuer(root.certificate()).expect("a certificate");
    let all = [
        verifier(Revocation::off()),
        verifier(Revocation::soft_fail(one())),
        verifier(Revocation::hard_fail(one())),
        verifier(Revocation::hard_fail(one()).leaf_only()),
        verifier(Revocation::hard_fail(two)),
        verifier(Revocation::hard_fail(with_issuer)),
    ];
    for (place, one) in all.iter().enumerate() {
        assert!(!all[..place].contains(one), "{place}");
    }
    assert_eq!(all[2], verifier(Revocation::hard_fail(one())));
}

#[test]
fn stores_take_pem_and_keep_each_crl_once() {
    let root = root();
    let crl = root.crl(CrlSpec::new(1));
    let pem = oxtls_test_pki::pem("X509 CRL", &crl);
    let mut store = CrlStore::empty();
    assert_eq!(store.add_pem_slice(pem.repeat(2).as_bytes()).expect("two sections"), 2);
    assert_eq!(store.len(), 1);
    assert!(store.add_pem_slice(root.certificate_pem().as_bytes()).is_err());
    assert!(store.add_pem_slice(oxtls_test_pki::pem("X509 CRL", &crl[1..]).as_bytes()).is_err());
    assert_eq!(store.iter().next().expect("one").issuer().to_string(), "CN=Root");
}

#[test]
fn stores_take_files_and_errors_name_them() {
    let root = root();
    let (first, second) = (root.crl(CrlSpec::new(1)), root.crl(CrlSpec::new(2)));
    let pem = |crl: &[u8]| oxtls_test_pki::pem("X509 CRL", crl);
    let folder = std::env::temp_dir().join(format!("oxtls-crl-files-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    let file = |name: &str, bytes: &[u8]| {
        let path = folder.join(name);
        std::fs::write(&path, bytes).expect("a file");
        path
    };
    let mut store = CrlStore::empty();
    let two = file("two.pem", [pem(&first), pem(&second)].concat().as_bytes());
    assert_eq!(store.add_pem_file(&two), Ok(2));
    assert_eq!(store.len(), 2);
    type Wanted = fn(&CrlFileError) -> bool;
    let refused: [(_, Wanted); 4] = [
        (folder.join("none.pem"), |error| matches!(error, CrlFileError::Unreadable { .. })),
        (file("binary.crl", &first), |error| matches!(error, CrlFileError::Der { .. })),
        (file("empty.pem", b""), |error| matches!(error, CrlFileError::Malformed { .. })),
        (
            file("half.pem", [pem(&root.crl(CrlSpec::new(3))), pem(&second[1..])].concat().as_bytes()),
            |error| matches!(error, CrlFileError::Malformed { .. }),
        ),
    ];
    for (path, is_wanted) in refused {
        let error = store.add_pem_file(&path).expect_err("no CRLs");
        assert!(is_wanted(&error) && error.to_string().contains(path.to_str().expect("text")), "{error}");
    }
    assert_eq!(store.len(), 2, "all of a file or nothing");
    std::fs::remove_dir_all(&folder).expect("its own folder");
}

/// What a large CRL costs to load and to ask; run with `--release --nocapture` for the numbers that count.
#[test]
fn a_large_crl_is_loaded_once_and_asked_fast() {
    let count: u32 = if cfg!(debug_assertions) { 100_000 } else { 1_000_000 };
    let root = root();
    let (good, bad) = (root.issue(leaf()), root.issue(leaf()));
    let der = root.crl(CrlSpec::new(1).revoke(serial(bad.certificate())).revoke_many(count));
    let size = der.len();
    let start = Instant::now();
    let crl = Arc::new(Crl::from_der(der).expect("a CRL"));
    let loaded = start.elapsed();
    let start = Instant::now();
    for place in 0..10_000 {
        assert!(crl.entry(&many(place * (count / 10_000))).is_some());
        assert!(crl.entry(&many(count + place)).is_none());
    }
    let asked = start.elapsed() / 20_000;
    let mut crls = CrlStore::empty();
    crls.add(Arc::clone(&crl));
    let revocation = Revocation::hard_fail(crls);
    let time = |chain: &[CertificateDer<'_>]| {
        let start = Instant::now();
        let outcome = verify(&root, chain, revocation.clone());
        (outcome, start.elapsed())
    };
    let (outcome, first) = time(&good.chain);
    accepted(outcome);
    let mut later = first;
    for _ in 0..20 {
        let (outcome, took) = time(&good.chain);
        accepted(outcome);
        later = later.min(took);
    }
    refused(time(&bad.chain).0, Rule::NotRevoked, LEAF);
    println!(
        "{count} entries, {size} octets: loaded in {loaded:?}, {} octets of index, one look-up {asked:?}, first \
         validation {first:?}, later ones {later:?}",
        crl.len() * 8
    );
    // Whoever looked at each entry would take as long for one question as for a good part of the loading. (The signature
    // is over megabytes, so that not to verify it again shows in any of twenty validations.)
    assert!(asked * 100 < loaded, "{asked:?} for one look-up, {loaded:?} to load");
    assert!(later < first, "the signature of the CRL is verified once");
}
