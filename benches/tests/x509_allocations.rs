//! What a successful path validation allocates.

use oxtls_benches::allocations::{Counting, count};
use oxtls_crypto::signature::KeyAlgorithm;
use oxtls_test_pki::{Ca, LeafSpec};
use oxtls_x509::{Purpose, Roots, Verifier};
use pki_types::{ServerName, UnixTime};

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// The parsed certificates, their names, the path being built, the path found, the intermediate's key, the identity.
const CEILING: u64 = 6;

/// Two certificates, two ECDSA signatures, a root whose key has been used before.
#[test]
fn a_chain_of_two_allocates_no_more_than_its_parts() {
    let root = Ca::new("Root", KeyAlgorithm::EcdsaP256);
    let issued =
        root.intermediate("Issuing", KeyAlgorithm::EcdsaP256).issue(LeafSpec::server("www.example.com"));
    assert_eq!(issued.chain.len(), 2);
    let mut roots = Roots::empty();
    roots.add_der(root.certificate()).unwrap();
    let verifier = Verifier::new(roots, Purpose::ServerAuth);
    let (name, now) = (ServerName::try_from("www.example.com").unwrap(), UnixTime::now());
    let validate = || verifier.verify_server(&issued.chain, &name, now).unwrap();
    drop(validate());
    for _ in 0..10 {
        let before = count();
        let path = validate();
        let allocations = count() - before;
        drop(path);
        assert!(allocations <= CEILING, "{allocations} allocations");
    }
}
