//! What a CRL must have, must not have, and says.

use super::*;

#[test]
fn a_crl_has_version_2_and_both_times_and_a_number_that_is_not_critical() {
    let root = root();
    refuses(root.crl(CrlSpec::new(1).version(None).next_update(None)), Rule::CrlForm);
    refuses(root.crl(CrlSpec::new(1).version(Some(&[2, 1, 0]))), Rule::CrlForm);
    refuses(root.crl(CrlSpec::new(1).version(Some(&[2, 1, 2]))), Rule::CrlForm);
    refuses(root.crl(CrlSpec::new(1).next_update(None)), Rule::CrlForm);
    refuses(root.crl(CrlSpec::new(1).without_number()), Rule::CrlForm);
    let other = CrlSpec::new(1).without_number();
    refuses(root.crl(other.clone().extension("2.5.29.35", false, &[0x30, 0])), Rule::CrlForm);
    refuses(root.crl(other.clone().extension("2.5.29.20", true, &[2, 1, 1])), Rule::CrlForm);
    refuses(root.crl(other.clone().extension("2.5.29.20", false, &[2, 1, 0xff])), Rule::CrlForm);
    let long = |octets: usize| [&[2, u8::try_from(octets).expect("short")], &vec![1; octets][..]].concat();
    refuses(root.crl(other.clone().extension("2.5.29.20", false, &long(21))), Rule::CrlForm);
    let crl = Crl::from_der(root.crl(other.extension("2.5.29.20", false, &long(20)))).expect("20 octets");
    assert_eq!(crl.number(), [1; 20]);
    refuses(root.crl(CrlSpec::new(1).extension("2.5.29.20", false, &[2, 1, 1])), Rule::DuplicateExtension);
}

#[test]
fn a_critical_extension_that_is_not_understood_refuses_the_crl() {
    let root = root();
    let unknown = |critical| RawExtension { oid: "1.2.3.4".to_owned(), critical, value: vec![5, 0] };
    refuses(root.crl(CrlSpec::new(1).extension("1.2.3.4", true, &[5, 0])), Rule::CrlCriticalExtension);
    refuses(root.crl(CrlSpec::new(1).entry(&[7], &[unknown(true)])), Rule::CrlCriticalExtension);
    let fine = CrlSpec::new(1).extension("1.2.3.4", false, &[5, 0]).entry(&[7], &[unknown(false)]);
    assert_eq!(Crl::from_der(root.crl(fine)).expect("not critical").len(), 1);
    refuses(
        root.crl(CrlSpec::new(1).entry(&[7], &[unknown(false), unknown(false)])),
        Rule::DuplicateExtension,
    );
    for reason in [7, 11] {
        refuses(root.crl(CrlSpec::new(1).revoke_for(&[7], reason)), Rule::CrlForm);
    }
}

#[test]
fn entries_say_since_when_and_why() {
    let root = root();
    let since = now() - 5_000;
    let spec =
        CrlSpec::new(3).this_update(at(since)).revoke(&[7]).revoke_for(&[0, 0x80], 4).revoke_for(&[0x80], 10);
    let crl = Crl::from_der(root.crl(spec)).expect("a CRL");
    let reason = |serial: &[u8]| crl.entry(serial).map(|entry| entry.reason);
    assert_eq!(reason(&[7]), Some(RevocationReason::Unspecified));
    assert_eq!(reason(&[0, 0x80]), Some(RevocationReason::Superseded));
    assert_eq!(reason(&[0x80]), Some(RevocationReason::AaCompromise), "negative numbers are told apart");
    assert_eq!(reason(&[8]), None);
    assert_eq!(crl.entry(&[7]).map(|entry| entry.since), i64::try_from(since).ok());
    assert_eq!((crl.len(), crl.is_delta(), crl.is_indirect(), crl.number()), (3, false, false, &[3][..]));
    assert_eq!(crl.this_update(), at(since));
}
