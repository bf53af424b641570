//! Keys exported from early data.

use super::*;

#[test]
fn both_ends_export_the_same_for_early_data_and_nothing_without_it() {
    let keys = TicketKeys::rotating();
    let client_config = early_client();
    let server_config = early_server(Resumption::tickets(keys.clone())).build().unwrap();
    let other = early_server(Resumption::tickets(keys)).build().unwrap();
    connect(&client_config, &server_config);
    let export = |done: &dyn Fn(&mut [u8]) -> Result<(), oxtls::Error>| {
        let mut out = [0; 40];
        done(&mut out).map(|()| out)
    };

    let (mut client, mut server) = ends(&client_config, &server_config);
    let ours = export(&|out| client.export_early("label", Some(b"context"), out)).unwrap();
    assert!(export(&|out| server.export_early("label", Some(b"context"), out)).is_err(), "nothing has come");
    let (_, flight) = seal_early(&mut client, b"early");
    take(&mut server, &flight, &mut Got::default()).unwrap();
    assert!(server.is_handshaking());
    let theirs = export(&|out| server.export_early("label", Some(b"context"), out)).unwrap();
    assert_eq!(ours, theirs);
    for (label, context) in [("other", &b"context"[..]), ("label", b"other")] {
        assert_ne!(ours, export(&|out| client.export_early(label, Some(context), out)).unwrap());
    }
    handshake(&mut client, &mut server).unwrap();
    for info in [client.info().unwrap(), server.info().unwrap()] {
        assert_eq!(export(&|out| info.export_early("label", Some(b"context"), out)).unwrap(), ours);
        assert_ne!(export(&|out| info.export("label", Some(b"context"), out)).unwrap(), ours);
    }
    assert_eq!(export(&|out| client.export_early("label", Some(b"context"), out)).unwrap(), ours);

    // Refused: what the client could export before is worth nothing, and gone.
    common::deliver(&mut server, &mut client);
    let (mut client, mut server) = ends(&client_config, &other);
    assert!(export(&|out| client.export_early("label", None, out)).is_ok());
    let (_, flight) = seal_early(&mut client, b"early");
    take(&mut server, &flight, &mut Got::default()).unwrap();
    feed(&mut client, &drain(&mut server)).unwrap();
    feed(&mut server, &drain(&mut client)).unwrap();
    assert!(client.info().unwrap().is_resumed());
    assert!(export(&|out| client.export_early("label", None, out)).is_err());
    assert!(export(&|out| server.export_early("label", None, out)).is_err());
    assert!(export(&|out| client.info().unwrap().export_early("label", None, out)).is_err());

    // A session, and nothing early; no session; no exporter wanted.
    let quiet = self::client_config().build().unwrap();
    connect(&quiet, &server_config);
    for (client, server) in [connect(&quiet, &server_config), connect(&quiet, &other)] {
        assert!(export(&|out| client.export_early("label", None, out)).is_err());
        assert!(export(&|out| server.export_early("label", None, out)).is_err());
    }
    let without = self::client_config().exporter(false).early_data(true).build().unwrap();
    connect(&without, &server_config);
    let (client, _) = ends(&without, &server_config);
    assert!(client.early_data_left() > 0);
    assert!(export(&|out| client.export_early("label", None, out)).is_err());
}
