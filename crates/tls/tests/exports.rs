//! What both ends know and nobody else: exporters, channel bindings, the key log; and what is stapled.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that fails may panic"
)]

mod common;

use common::*;
use oxtls::{ChannelBinding, Credential, ErrorKind, KeyAlgorithm, ServerConfig};
use oxtls_test_pki::LeafSpec;

#[test]
fn both_ends_export_the_same_and_other_connections_do_not() {
    let export = |ends: &(oxtls::ClientConnection, oxtls::ServerConnection), label: &str, context| {
        let (mut near, mut far) = ([0; 48], [0; 48]);
        ends.0.export(label, context, &mut near).unwrap();
        ends.1.export(label, context, &mut far).unwrap();
        assert_eq!(near, far);
        near
    };
    let (one, two) = (connected(), connected());
    let exported = export(&one, "EXPORTER-test", Some(b"context"));
    assert_ne!(exported, export(&two, "EXPORTER-test", Some(b"context")));
    assert_ne!(exported, export(&one, "EXPORTER-test", Some(b"other")));
    assert_ne!(exported, export(&one, "EXPORTER-other", Some(b"context")));
    assert_eq!(export(&one, "EXPORTER-test", None), export(&one, "EXPORTER-test", Some(b"")));
}

#[test]
fn nothing_is_exported_before_the_handshake_or_against_the_configuration() {
    let (client, _) = ends(&client_config().build().unwrap(), &server_config().build().unwrap());
    let error = client.export("EXPORTER-test", None, &mut [0; 32]).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Misuse(_)));
    let (mut client, mut server) =
        ends(&client_config().exporter(false).build().unwrap(), &server_config().build().unwrap());
    handshake(&mut client, &mut server).unwrap();
    assert!(client.export("EXPORTER-test", None, &mut [0; 32]).is_err());
    assert!(server.export("EXPORTER-test", None, &mut [0; 32]).is_ok());
    assert!(server.export("EXPORTER-test", None, &mut [0; 40_000]).is_err(), "more than 255 hashes");
}

#[test]
fn channel_bindings_agree() {
    for algorithm in [KeyAlgorithm::EcdsaP256, KeyAlgorithm::EcdsaP384] {
        let issued = PKI.ca.issue(LeafSpec::server(NAME).key(algorithm));
        let leaf = issued.chain[0].clone();
        let credential = Credential::new(issued.chain, issued.key).unwrap();
        let config = ServerConfig::builder().credential(credential).build().unwrap();
        let (mut client, mut server) = ends(&client_config().build().unwrap(), &config);
        handshake(&mut client, &mut server).unwrap();
        let (client, server) = (client.info().unwrap(), server.info().unwrap());
        let exporter = client.channel_binding(ChannelBinding::TlsExporter).unwrap();
        assert_eq!(exporter, server.channel_binding(ChannelBinding::TlsExporter).unwrap());
        assert_eq!(exporter.len(), 32);
        let end_point = client.channel_binding(ChannelBinding::TlsServerEndPoint).unwrap();
        assert_eq!(end_point, server.channel_binding(ChannelBinding::TlsServerEndPoint).unwrap());
        // The authority's key is P-256: its signatures are over SHA-256, whatever the leaf's key is.
        assert_eq!(end_point, oxtls::crypto::hash::Hash::Sha256.digest(&leaf).as_ref());
    }
}

#[test]
fn what_a_credential_staples_arrives_when_it_is_asked_for() {
    let scts = vec![0, 6, 0, 4, 1, 2, 3, 4];
    let credential =
        PKI.server.clone().with_ocsp(b"an OCSP response".to_vec()).with_scts(scts.clone()).unwrap();
    let server = ServerConfig::builder().credential(credential).build().unwrap();
    for asked in [true, false] {
        let client = client_config().request_ocsp(asked).request_scts(asked).build().unwrap();
        let (mut client, mut server) = ends(&client, &server);
        handshake(&mut client, &mut server).unwrap();
        let info = client.info().unwrap();
        assert_eq!(info.stapled_ocsp(), asked.then_some(&b"an OCSP response"[..]));
        assert_eq!(info.scts(), asked.then_some(&scts[..]));
    }
}

#[test]
fn clients_staple_too() {
    let credential = PKI.client.clone().with_ocsp(b"mine".to_vec());
    let client = client_config().credential(credential).build().unwrap();
    let server = mutual_server_config().request_ocsp(true).build().unwrap();
    let (mut client, mut server) = ends(&client, &server);
    handshake(&mut client, &mut server).unwrap();
    assert_eq!(server.info().unwrap().stapled_ocsp(), Some(&b"mine"[..]));
}

#[test]
fn key_log_lines_are_kept_only_when_asked_for_and_agree() {
    let (mut client, mut server) = ends(
        &client_config().key_log(true).build().unwrap(),
        &server_config().key_log(true).build().unwrap(),
    );
    handshake(&mut client, &mut server).unwrap();
    let sorted = |log: String| {
        let mut lines: Vec<String> = log.lines().map(str::to_owned).collect();
        lines.sort();
        lines
    };
    let printed = format!("{client:?}");
    let near = sorted(client.take_key_log());
    for secret in near.iter().filter_map(|line| line.split(' ').nth(2)) {
        assert!(!printed.contains(secret), "printing a connection prints no secret");
    }
    assert_eq!(near, sorted(server.take_key_log()));
    let labels: Vec<&str> = near.iter().filter_map(|line| line.split(' ').next()).collect();
    assert_eq!(
        labels,
        [
            "CLIENT_HANDSHAKE_TRAFFIC_SECRET",
            "CLIENT_TRAFFIC_SECRET_0",
            "EXPORTER_SECRET",
            "SERVER_HANDSHAKE_TRAFFIC_SECRET",
            "SERVER_TRAFFIC_SECRET_0"
        ]
    );
    let (mut client, _) = connected();
    assert_eq!(client.take_key_log(), "");
}

#[test]
fn padding_hides_how_long_data_is() {
    let to = std::num::NonZeroU16::new(512).unwrap();
    let padded = client_config().padding(oxtls::Padding::ToMultiple(to)).build().unwrap();
    let (mut client, mut server) = ends(&padded, &server_config().build().unwrap());
    handshake(&mut client, &mut server).unwrap();
    let short = seal(&mut client, b"yes");
    let long = seal(&mut client, &[7; 500]);
    assert_eq!(short.len(), long.len());
    assert_eq!(feed(&mut server, &short).unwrap().data, b"yes");
    assert_eq!(feed(&mut server, &long).unwrap().data, [7; 500]);
}

#[test]
fn record_size_limits_are_honoured_both_ways() {
    let client = client_config().record_size_limit(100).build().unwrap();
    let server = server_config().record_size_limit(200).build().unwrap();
    let (mut client, mut server) = ends(&client, &server);
    handshake(&mut client, &mut server).unwrap();
    // 99 bytes of content and one of type, in records of 5 + 100 + 16 bytes.
    let down = seal(&mut server, &[1; 990]);
    assert_eq!(down.len(), 10 * 121);
    let up = seal(&mut client, &[1; 1990]);
    assert_eq!(up.len(), 10 * 221);
    assert_eq!(feed(&mut client, &down).unwrap().data.len(), 990);
    assert_eq!(feed(&mut server, &up).unwrap().data.len(), 1990);
}

#[test]
fn an_sct_list_is_as_the_rfc_has_it() {
    let takes = |list: &[u8]| PKI.server.clone().with_scts(list.to_vec()).is_ok();
    assert!(takes(&[0, 3, 0, 1, 9]));
    assert!(takes(&[0, 7, 0, 1, 9, 0, 2, 8, 8]));
    for wrong in [&[][..], &[0, 0], &[0, 2, 0, 0], &[0, 3, 0, 2, 9], &[0, 4, 0, 1, 9], &[0, 3, 0, 1, 9, 0]] {
        assert!(!takes(wrong), "{wrong:?}");
    }
}
