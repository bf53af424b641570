//! The command line of `oxtls inspect`.

use std::path::PathBuf;

use lexopt::prelude::*;
use oxtls::pki_types::{ServerName, UnixTime};
use oxtls::x509::{Purpose, SpkiPin};

use super::moment;
use crate::exit::Failure;

/// What was asked for.
#[derive(Debug)]
pub(super) struct Options {
    pub(super) chain: PathBuf,
    pub(super) roots: Vec<PathBuf>,
    pub(super) pins: Vec<SpkiPin>,
    pub(super) exactly: Vec<PathBuf>,
    pub(super) name: Option<ServerName<'static>>,
    pub(super) purpose: Purpose,
    pub(super) at: UnixTime,
    pub(super) strict: bool,
    pub(super) crls: Vec<PathBuf>,
    pub(super) ocsp: Option<PathBuf>,
    pub(super) require_status: bool,
}

impl Options {
    /// Reads the command line; `None` if help is asked for.
    pub(super) fn parse(mut arguments: lexopt::Parser) -> Result<Option<Self>, Failure> {
        let mut chain = None;
        let mut options = Self::new();
        while let Some(argument) = arguments.next()? {
            match argument {
                Short('h') | Long("help") => return Ok(None),
                Long("roots") => options.roots.push(arguments.value()?.into()),
                Long("pin") => options.pins.push(pin(&arguments.value()?.string()?)?),
                Long("exactly") => options.exactly.push(arguments.value()?.into()),
                Long("name") => options.name = Some(server_name(&arguments.value()?.string()?)?),
                Long("purpose") => options.purpose = purpose(&arguments.value()?.string()?)?,
                Long("at") => options.at = moment::parse(&arguments.value()?.string()?)?,
                Long("strict") => options.strict = true,
                Long("crl") => options.crls.push(arguments.value()?.into()),
                Long("ocsp") => options.ocsp = Some(arguments.value()?.into()),
                Long("require-status") => options.require_status = true,
                Value(value) if chain.is_none() => chain = Some(value.into()),
                argument => return Err(argument.unexpected().into()),
            }
        }
        options.chain = chain.ok_or_else(|| Failure::usage("inspect what? CHAIN.pem is missing"))?;
        let asks_for_a_path = !options.roots.is_empty() || !options.pins.is_empty();
        if asks_for_a_path && !options.exactly.is_empty() {
            return Err(Failure::usage(
                "--exactly trusts certificates without a path: it goes with neither --roots nor --pin",
            ));
        }
        if options.asks_for_status() && !options.exactly.is_empty() {
            return Err(Failure::usage(
                "--exactly trusts certificates without an issuer whose word on their status would count",
            ));
        }
        if options.name.is_some() && options.purpose == Purpose::ClientAuth {
            return Err(Failure::usage("--name is asked of servers; a client says itself who it is"));
        }
        Ok(Some(options))
    }

    fn new() -> Self {
        Self {
            chain: PathBuf::new(),
            roots: Vec::new(),
            pins: Vec::new(),
            exactly: Vec::new(),
            name: None,
            purpose: Purpose::ServerAuth,
            at: UnixTime::now(),
            strict: false,
            crls: Vec::new(),
            ocsp: None,
            require_status: false,
        }
    }

    /// Whether revocation is looked at.
    pub(super) fn asks_for_status(&self) -> bool {
        self.require_status || self.ocsp.is_some() || !self.crls.is_empty()
    }
}

fn pin(text: &str) -> Result<SpkiPin, Failure> {
    text.parse().map_err(|error| Failure::usage(format_args!("--pin {text:?}: {error}")))
}

fn server_name(name: &str) -> Result<ServerName<'static>, Failure> {
    let no_name = |_| Failure::usage(format_args!("--name {name:?} is neither a DNS name nor an address"));
    ServerName::try_from(name.to_owned()).map_err(no_name)
}

fn purpose(text: &str) -> Result<Purpose, Failure> {
    match text {
        "server" => Ok(Purpose::ServerAuth),
        "client" => Ok(Purpose::ClientAuth),
        other => Err(Failure::usage(format_args!("--purpose is server or client, not {other:?}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exit::Exit;

    fn parse(arguments: &[&str]) -> Result<Option<Options>, Failure> {
        Options::parse(lexopt::Parser::from_args(arguments))
    }

    #[test]
    fn a_file_alone_is_enough() {
        let options = parse(&["chain.pem"]).unwrap().unwrap();
        assert_eq!(options.chain, PathBuf::from("chain.pem"));
        assert_eq!(options.purpose, Purpose::ServerAuth);
        assert!(parse(&["--help"]).unwrap().is_none());
    }

    #[test]
    fn what_does_not_go_together_is_a_usage_error() {
        for arguments in [
            &[][..],
            &["a", "b"],
            &["--purpose", "both", "a"],
            &["--pin", "sha256/AA==", "a"],
            &["--exactly", "b", "--roots", "c", "a"],
            &["--name", "ünï.test", "a"],
            &["--name", "a.test", "--purpose", "client", "a"],
            &["--at", "yesterday", "a"],
            &["--exactly", "b", "--crl", "c", "a"],
            &["--exactly", "b", "--ocsp", "c", "a"],
            &["--exactly", "b", "--require-status", "a"],
        ] {
            assert_eq!(
                parse(arguments).expect_err("must not be understood").exit,
                Exit::Usage,
                "{arguments:?}"
            );
        }
    }
}
