//! `oxtls demo`: an authority and its certificates made on the spot, and mutual-TLS sessions over loopback.

mod pki;
mod refusal;
mod session;
mod table;

use std::error::Error;
use std::time::Instant;

use oxtls::handshake::defaults;
use oxtls::{CipherSuite, NamedGroup};

use crate::terminal::out;
use pki::Pki;

/// What goes each way in a session, bytes.
const PAYLOAD: usize = 1 << 20;

/// Runs every session and every refusal; an error if one of them does not end as it must.
pub(crate) fn run() -> Result<(), Box<dyn Error>> {
    let started = Instant::now();
    let pki = Pki::make()?;
    out(format_args!(
        "Made on the spot: an authority, a certificate for a server and one for a client ({}).",
        pki.algorithm()
    ))?;
    out("Each row is a session of two threads over loopback TCP: both show a certificate, both verify.\n")?;
    let sessions = sessions(&pki)?;
    out("\nAnd three that must fail, told by both sides:\n")?;
    refusal::run(&pki)?;
    let took = started.elapsed().as_secs_f64();
    out(format_args!("\n{sessions} sessions and 3 refusals as they should be, in {took:.1} s."))?;
    Ok(())
}

fn sessions(pki: &Pki) -> Result<usize, Box<dyn Error>> {
    let suites: &[CipherSuite] = defaults::SUITES;
    table::head()?;
    for suite in suites {
        for group in NamedGroup::SUPPORTED {
            table::row(&session::run(pki, *suite, *group, PAYLOAD)?)?;
        }
    }
    Ok(suites.len() * NamedGroup::SUPPORTED.len())
}
