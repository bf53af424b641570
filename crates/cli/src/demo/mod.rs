//! `oxtls demo`: an authority and its certificates made on the spot, and mutual-TLS sessions over loopback.

mod pki;
mod refusal;
mod session;
mod table;

use std::error::Error;
use std::time::Instant;

use oxtls::handshake::defaults;
use oxtls::{CipherSuite, NamedGroup, ProtocolVersion};

use crate::terminal::out;
use pki::Pki;

/// What `--help` says.
pub(crate) const HELP: &str = "\
oxtls demo: real mutual-TLS sessions on loopback, with certificates made on the spot

USAGE
    oxtls demo

    Makes an authority and certificates in memory, and runs a session of two threads over loopback TCP with every
    version, suite and group that there is: both sides show a certificate, both verify, a mebibyte goes each way.
    Then come three sessions that must fail, each told as either side tells it. It takes no option, reads and
    writes no file, and asks nothing of the network but loopback.

EXAMPLES
    oxtls demo

";

/// What goes each way in a session, bytes.
const PAYLOAD: usize = 1 << 20;

/// Runs every session and every refusal; an error if one of them does not end as it must.
pub(crate) fn run() -> Result<(), Box<dyn Error>> {
    let started = Instant::now();
    let pki = Pki::make()?;
    out(format_args!(
        "Made on the spot: an authority, two certificates for a server ({}) and one for a client ({}).",
        pki.server_algorithms(),
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
    let is_of = |version, suite: &CipherSuite| match version {
        ProtocolVersion::TLS1_2 => suite.tls12().is_some(),
        _ => suite.tls13().is_some(),
    };
    let mut sessions: usize = 0;
    for version in [ProtocolVersion::TLS1_3, ProtocolVersion::TLS1_2] {
        table::head(version)?;
        for suite in defaults::SUITES_TLS12.iter().filter(|suite| is_of(version, suite)) {
            // Hybrids are for TLS 1.3 alone.
            let has = |group: &&NamedGroup| version == ProtocolVersion::TLS1_3 || !group.is_post_quantum();
            for group in NamedGroup::SUPPORTED.iter().filter(has) {
                table::row(&session::run(pki, version, *suite, *group, PAYLOAD)?)?;
                sessions = sessions.saturating_add(1);
            }
        }
    }
    Ok(sessions)
}
