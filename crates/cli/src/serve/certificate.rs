//! The server's credentials: those of files, or one made on the spot.

use std::fs;
use std::net::IpAddr;

use oxtls::pki_types::DnsName;
use oxtls::{Credential, KeyAlgorithm};
use oxtls_test_pki::{Ca, LeafSpec};

use super::options::Options;
use crate::exit::Failure;
use crate::terminal::{Console, line};

const ALGORITHM: KeyAlgorithm = KeyAlgorithm::EcdsaP256;

/// What a certificate made on the spot is for, if nothing else is asked for.
const NAMES: [&str; 3] = ["localhost", "127.0.0.1", "::1"];

/// Loads the credentials, or makes one.
pub(super) fn credentials(options: &Options, console: Console) -> Result<Vec<Credential>, Failure> {
    if options.protocol.credentials.is_empty() {
        return Ok(vec![make(options, console)?]);
    }
    options.protocol.credentials.load()
}

/// An authority that exists in this function only, and a certificate of its.
fn make(options: &Options, console: Console) -> Result<Credential, Failure> {
    let given: Vec<&str> = options.names.iter().map(String::as_str).collect();
    let names = if given.is_empty() { NAMES.to_vec() } else { given };
    let mut spec = LeafSpec::bare().key(ALGORITHM).eku(&[oxtls_test_pki::SERVER_AUTH]);
    for (index, name) in names.iter().enumerate() {
        spec = match name.parse::<IpAddr>() {
            Ok(address) => spec.ip(address),
            Err(_) => spec.dns(dns(name)?),
        };
        if index == 0 {
            // For people only: the name counts where it was put above.
            spec = spec.subject(&format!("CN={name}"));
        }
    }
    let authority = Ca::new(&format!("oxtls serve {}", std::process::id()), ALGORITHM);
    let issued = authority.issue(spec);
    let whose = format!("a certificate for {} was made on the spot", line(names.join(", ")));
    match &options.write_ca {
        Some(path) => {
            fs::write(path, authority.certificate_pem()).map_err(|error| {
                Failure::failed(format_args!(
                    "the authority cannot be written to {}: {error}",
                    path.display()
                ))
            })?;
            console.say(format_args!("oxtls: {whose}; its authority is in {}", line(path.display())));
        }
        None => console.say(format_args!(
            "oxtls: {whose}; clients can verify it only with --write-ca FILE here and --ca FILE there"
        )),
    }
    Ok(Credential::new(issued.chain, issued.key)?)
}

/// A DNS name, perhaps with a wildcard for its first label.
fn dns(name: &str) -> Result<&str, Failure> {
    match DnsName::try_from(name.strip_prefix("*.").unwrap_or(name)) {
        Ok(_) => Ok(name),
        Err(_) => Err(Failure::usage(format_args!("--name wants a DNS name or an address, not {name:?}"))),
    }
}
