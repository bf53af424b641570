//! Three handshakes that must fail, and what both sides say of it.

use std::error::Error;
use std::io::{self, Read};

use oxtls::{AlertDescription, ClientConfig, ServerConfig};

use crate::demo::pki::{Pki, SERVER_NAME};
use crate::demo::session::{Failure, both};
use crate::terminal::out;

/// One handshake that must fail.
struct Case {
    what: &'static str,
    server: ServerConfig,
    client: ClientConfig,
    name: &'static str,
    /// What the side that refuses tells the other.
    alert: AlertDescription,
    /// It is the server that refuses.
    by_server: bool,
}

/// Runs them; an error if one succeeds, or fails for another reason.
pub(crate) fn run(pki: &Pki) -> Result<(), Box<dyn Error>> {
    for case in cases(pki)? {
        out(format_args!("{}:", case.what))?;
        let (served, connected) = both(
            &case.server,
            &case.client,
            case.name,
            |tls| Ok(tls.read_to_end(&mut Vec::new())?),
            // The server's word on a client's certificate comes after the client's handshake is done.
            |tls| Ok(tls.read_to_end(&mut Vec::new())?),
        );
        let server = refused(&served)?;
        let client = refused(&connected)?;
        out(format_args!("    server: {server}"))?;
        out(format_args!("    client: {client}"))?;
        let (refuser, refusee) = if case.by_server { (server, client) } else { (client, server) };
        if refuser.alert_sent() != Some(case.alert) || refusee.alert_received() != Some(case.alert) {
            return Err(format!("{}: the alert should have been {}", case.what, case.alert).into());
        }
    }
    Ok(())
}

fn cases(pki: &Pki) -> Result<[Case; 3], Box<dyn Error>> {
    Ok([
        Case {
            what: "a client without a certificate",
            server: pki.server_config().build()?,
            client: pki.anonymous_client_config().build()?,
            name: SERVER_NAME,
            alert: AlertDescription::CERTIFICATE_REQUIRED,
            by_server: true,
        },
        Case {
            what: "a client with a certificate of another authority",
            server: pki.server_config().build()?,
            client: pki.foreign_client_config().build()?,
            name: SERVER_NAME,
            alert: AlertDescription::UNKNOWN_CA,
            by_server: true,
        },
        Case {
            what: "a server that is asked for another name than its certificate has",
            server: pki.server_config().build()?,
            client: pki.client_config().build()?,
            name: "other.test",
            alert: AlertDescription::BAD_CERTIFICATE,
            by_server: false,
        },
    ])
}

/// The error of the connection that a stream's error carries.
fn refused<T>(result: &Result<T, Failure>) -> Result<&oxtls::Error, Box<dyn Error>> {
    let Err(error) = result else { return Err("a session that must fail did not".into()) };
    let carried = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
    let found = carried.and_then(|error| error.downcast_ref::<oxtls::Error>());
    found.ok_or_else(|| format!("failed for another reason: {error}").into())
}
