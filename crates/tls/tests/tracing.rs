//! What a connection says of itself through `tracing`: every step in its order, and never a secret.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that fails may panic"
)]

mod common;

use std::fmt::{Debug, Write as _};
use std::sync::{Arc, Mutex};

use common::*;
use oxtls::{Connection, Decision, NamedGroup, Role};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

/// Writes down every event, as `target message field=value ..`.
#[derive(Clone, Default)]
struct Recorder(Arc<Mutex<Vec<String>>>);

impl Subscriber for Recorder {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target().starts_with("oxtls")
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut line = Line::default();
        event.record(&mut line);
        let target = event.metadata().target().trim_start_matches("oxtls::");
        self.0.lock().unwrap().push(format!("{target} {}{}", line.message, line.fields));
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

#[derive(Default)]
struct Line {
    message: String,
    fields: String,
}

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        match field.name() {
            "message" => self.message = format!("{value:?}"),
            // How long a message is depends on keys and signatures.
            "bytes" => {}
            name => write!(self.fields, " {name}={value:?}").unwrap(),
        }
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        write!(self.fields, " {}={value}", field.name()).unwrap();
    }
}

/// What happens in `run`.
fn events<T>(run: impl FnOnce() -> T) -> (Vec<String>, T) {
    let recorder = Recorder::default();
    let result = tracing::subscriber::with_default(recorder.clone(), run);
    let events = std::mem::take(&mut *recorder.0.lock().unwrap());
    (events, result)
}

/// Feeds one end what waits at the other: what that end says meanwhile.
fn give<R: Role, S: Role>(from: &mut Connection<R>, to: &mut Connection<S>) -> Vec<String> {
    let bytes = drain(from);
    events(|| feed(to, &bytes).map(drop)).0
}

#[test]
fn a_client_tells_every_step_of_its_handshake() {
    let config = mutual_client_config().groups(&[NamedGroup::X25519]).build().unwrap();
    let server = mutual_server_config().groups(&[NamedGroup::X25519]).build().unwrap();
    let mut server = oxtls::ServerConnection::new(&server);
    let (said, mut client) = events(|| client(&config));
    assert_eq!(said, ["handshake sent name=ClientHello level=Initial"]);
    give(&mut client, &mut server);
    let said = give(&mut server, &mut client);
    assert_eq!(
        said,
        [
            "handshake received name=ServerHello level=Initial",
            "handshake sent name=ChangeCipherSpec",
            "keys installed direction=Write level=Handshake suite=TLS_AES_128_GCM_SHA256",
            "keys installed direction=Read level=Handshake suite=TLS_AES_128_GCM_SHA256",
            "handshake received name=EncryptedExtensions level=Handshake",
            "handshake received name=CertificateRequest level=Handshake",
            "handshake received name=Certificate level=Handshake",
            "handshake received name=CertificateVerify level=Handshake",
            "decision asked name=VerifyPeer of=configuration",
            "decision answered name=VerifyPeer",
            "handshake received name=Finished level=Handshake",
            "decision asked name=ChooseCredential of=configuration",
            "decision answered name=ChooseCredential",
            "handshake sent name=Certificate level=Handshake",
            "decision asked name=Sign of=configuration",
            "decision answered name=Sign",
            "handshake sent name=CertificateVerify level=Handshake",
            "handshake sent name=Finished level=Handshake",
            "keys installed direction=Write level=Application suite=TLS_AES_128_GCM_SHA256",
            "keys installed direction=Read level=Application suite=TLS_AES_128_GCM_SHA256",
            "handshake done version=TLS 1.3 suite=TLS_AES_128_GCM_SHA256 group=x25519",
        ]
    );
}

#[test]
fn a_server_tells_every_step_of_its_handshake_and_a_retry() {
    let server = server_config().groups(&[NamedGroup::SECP384R1]).ask(&[Decision::Sign]).build().unwrap();
    let (mut client, mut server) = ends(&client_config().build().unwrap(), &server);
    let said = give(&mut client, &mut server);
    assert_eq!(
        said,
        [
            "handshake received name=ClientHello level=Initial",
            "decision asked name=ChooseConfig of=configuration",
            "decision answered name=ChooseConfig",
            "handshake sent name=HelloRetryRequest level=Initial",
            "handshake sent name=ChangeCipherSpec",
        ]
    );
    give(&mut server, &mut client);
    let bytes = drain(&mut client);
    let (said, fed) = events(|| feed(&mut server, &bytes).unwrap());
    assert_eq!(said.last().unwrap(), "decision asked name=Sign of=caller");
    let (said, _) = events(|| server.answer_as_configured(fed.needs.into_iter().next().unwrap()).unwrap());
    assert_eq!(
        said,
        [
            "decision answered name=Sign",
            "handshake sent name=CertificateVerify level=Handshake",
            "handshake sent name=Finished level=Handshake",
            "keys installed direction=Write level=Application suite=TLS_AES_128_GCM_SHA256",
        ]
    );
    give(&mut server, &mut client);
    let said = give(&mut client, &mut server);
    assert_eq!(
        said,
        [
            "handshake received name=Finished level=Handshake",
            "keys installed direction=Read level=Application suite=TLS_AES_128_GCM_SHA256",
            "handshake done version=TLS 1.3 suite=TLS_AES_128_GCM_SHA256 group=secp384r1",
            "handshake sent name=NewSessionTicket level=Application",
            "handshake sent name=NewSessionTicket level=Application",
        ]
    );
}

#[test]
fn key_updates_and_both_closures_are_told_and_data_is_not() {
    let (mut client, mut server) = connected();
    let (said, ()) = events(|| client.update_keys(true).unwrap());
    let sent = ["handshake sent name=KeyUpdate level=Application", "keys updated direction=Write"];
    assert_eq!(said, sent);
    let said = give(&mut client, &mut server);
    assert_eq!(said, ["handshake received name=KeyUpdate level=Application", "keys updated direction=Read"]);
    let (said, reply) = events(|| drain(&mut server));
    assert_eq!(said, sent);
    feed(&mut client, &reply).unwrap();
    let (said, ()) = events(|| {
        let data = seal(&mut client, b"data");
        feed(&mut server, &data).unwrap();
    });
    assert_eq!(said, [""; 0]);
    let (said, ()) = events(|| client.close());
    assert_eq!(said, ["close sent"]);
    assert_eq!(give(&mut client, &mut server), ["close received"]);
}

#[test]
fn a_failure_is_told_with_its_alert_and_its_reason_on_both_sides() {
    let server = mutual_server_config().build().unwrap();
    let (mut client, mut server) = ends(&client_config().build().unwrap(), &server);
    give(&mut client, &mut server);
    give(&mut server, &mut client);
    let said = give(&mut client, &mut server);
    assert_eq!(
        said,
        [
            "handshake received name=Certificate level=Handshake",
            "alert sent name=certificate_required code=116",
            "close failed reason=the client sent no certificate, and one is required (alert certificate_required sent)",
        ]
    );
    let said = give(&mut server, &mut client);
    assert_eq!(said[0], "alert received name=certificate_required code=116");
    assert!(
        said[1].starts_with("close failed reason=the peer sent the alert certificate_required"),
        "{said:?}"
    );
    assert_eq!(said.len(), 2);
}

#[test]
fn a_transport_that_ends_or_breaks_is_told_once() {
    let (mut client, mut server) = connected();
    let (said, _) = events(|| (client.end_of_input().unwrap_err(), client.end_of_input()));
    let cut = "close failed reason=the transport ended between records without close_notify: the data may be cut short";
    assert_eq!(said, [cut]);
    let (said, _) = events(|| server.reset());
    assert_eq!(said, ["close failed reason=the transport was reset"]);
    let (client, _) = connected();
    let (_sender, mut receiver) = client.split().unwrap();
    let (said, _) = events(|| (receiver.feed(&mut [0xff; 10]).unwrap_err(), receiver.feed(&mut [0xff; 10])));
    assert_eq!(said.len(), 1, "{said:?}");
    assert!(said[0].starts_with("close failed reason="), "{said:?}");
}

/// The bytes of a key log in the ways in which a careless event would show them.
fn forms(log: &str) -> Vec<String> {
    let secrets = log.lines().flat_map(|line| line.split(' ').skip(1));
    let bytes = |hex: &str| -> Vec<u8> {
        (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
    };
    secrets
        .flat_map(|hex| {
            let start = bytes(&hex[..16]);
            let list = format!("{start:?}");
            let hex_list = format!("{start:02x?}");
            let inner = |list: String| list.trim_matches(['[', ']']).to_owned();
            [hex[..16].to_owned(), hex[..16].to_uppercase(), inner(list), inner(hex_list)]
        })
        .collect()
}

#[test]
fn no_event_shows_a_secret() {
    let client_config = mutual_client_config().key_log(true).build().unwrap();
    let server_config = mutual_server_config().key_log(true).build().unwrap();
    let (said, (log, exported)) = events(|| {
        let (mut client, mut server) = ends(&client_config, &server_config);
        handshake(&mut client, &mut server).unwrap();
        client.update_keys(true).unwrap();
        feed(&mut server, &drain(&mut client)).unwrap();
        feed(&mut client, &drain(&mut server)).unwrap();
        let mut exported = [0; 32];
        client.export("EXPORTER-test", None, &mut exported).unwrap();
        let log = client.take_key_log();
        client.close();
        feed(&mut server, &drain(&mut client)).unwrap();
        (log, exported)
    });
    let exported: String = exported.iter().map(|byte| format!("{byte:02x}")).collect();
    let forms = forms(&format!("{log}EXPORTED {exported}\n"));
    assert_eq!(forms.len(), (5 * 2 + 1) * 4, "random and secret of each line, and what was exported");
    assert!(said.len() > 40, "{} events", said.len());
    for event in &said {
        for form in &forms {
            assert!(!event.contains(form.as_str()), "{event} shows {form}");
        }
    }
}
