//! Which credential a server asks for, and which it gets.

use super::*;

#[test]
fn credentials_are_asked_for_by_the_kinds_of_keys_that_the_server_takes() {
    let (ecdsa, rsa) = (SignatureScheme::ECDSA_SECP256R1_SHA256, SignatureScheme::RSA_PKCS1_SHA256);
    let schemes = [ecdsa, rsa, SignatureScheme::ML_DSA_65, SignatureScheme::ECDSA_SHA1];
    for (kinds, expected) in
        [(&[64_u8, 1][..], &[ecdsa, rsa][..]), (&[1], &[rsa]), (&[64], &[ecdsa]), (&[3, 4], &[])]
    {
        let body = certificate_request::encode(&schemes, &[b"0\0".to_vec()]).unwrap()[4 + 3..].to_vec();
        let body = [&[u8::try_from(kinds.len()).unwrap()], kinds, &body].concat();
        let setup = Setup { client_auth: ClientAuth::Optional, ..Setup::default() };
        let mut end = changed(setup, "CertificateRequest", |message| message.with_body(&body));
        assert_eq!(end.answer(), ["?ChooseCredential"]);
        let Some(Need::ChooseCredential(need)) = &end.need else { panic!("{:?}", end.need) };
        assert_eq!(need.request.schemes, expected);
        assert_eq!(need.request.certificate_types, kinds);
        assert_eq!(need.request.certificate_schemes, schemes);
        assert_eq!(need.request.authorities, [b"0\0".to_vec()]);
    }
}

#[test]
fn a_credential_that_the_server_cannot_take_is_the_callers_fault() {
    let own = credential(KeyAlgorithm::EcdsaP256);
    let setup = Setup { client_auth: ClientAuth::Optional, ..Setup::default() };
    let (mut end, flight) = flight(setup);
    for message in &flight {
        end.give(message);
    }
    end.answer();
    let Some(Need::ChooseCredential(need)) = end.need.take() else { panic!("no ChooseCredential") };
    let answer = need.answer(own, SignatureScheme::ML_DSA_65);
    end.machine.input(Input::Answer(answer)).unwrap();
    end.drain();
    refused(&end, AlertDescription::INTERNAL_ERROR);
    assert!(matches!(end.error(), Error::SigningFailed(Some(_))));
}
