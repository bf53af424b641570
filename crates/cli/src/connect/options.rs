//! The command line of `oxtls connect`.

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use lexopt::prelude::*;
use oxtls::KeyShares;
use oxtls::pki_types::ServerName;

use super::dial::{Family, Target};
use crate::arguments;
use crate::exit::Failure;
use crate::protocol::Protocol;

/// What was asked for.
#[derive(Debug)]
pub(super) struct Options {
    pub(super) target: Target,
    pub(super) name: ServerName<'static>,
    pub(super) send_server_name: bool,
    pub(super) cas: Vec<PathBuf>,
    pub(super) accept_any: bool,
    pub(super) show_chain: bool,
    pub(super) protocol: Protocol,
    pub(super) key_shares: Option<KeyShares>,
    pub(super) family: Family,
    pub(super) keep_open: bool,
    pub(super) session: Option<PathBuf>,
    pub(super) early_data: Option<PathBuf>,
    pub(super) tickets: bool,
}

/// Long enough for a slow link, short enough to wait for.
const TIMEOUT: Duration = Duration::from_secs(30);

impl Options {
    /// Reads the command line; `None` if help is asked for.
    pub(super) fn parse(mut arguments: lexopt::Parser) -> Result<Option<Self>, Failure> {
        let mut target = None;
        let mut name = None;
        let mut options = Self::new();
        while let Some(argument) = arguments.next()? {
            match argument {
                Short('h') | Long("help") => return Ok(None),
                Short('4') => options.family = Family::V4,
                Short('6') => options.family = Family::V6,
                Short('q') => options.protocol.quiet = true,
                Long("name") => name = Some(arguments.value()?.string()?),
                Long(option) => {
                    let option = option.to_owned();
                    options.long(&option, &mut arguments)?;
                }
                Value(value) if target.is_none() => target = Some(value.string()?),
                argument => return Err(argument.unexpected().into()),
            }
        }
        let target = target.ok_or_else(|| Failure::usage("connect to whom? HOST[:PORT] is missing"))?;
        options.target = Target::parse(&target)?;
        if options.session.is_none() && (options.early_data.is_some() || options.tickets) {
            return Err(Failure::usage(
                "--early-data and --tickets are for a session that is kept: --session FILE",
            ));
        }
        options.name = server_name(name.as_deref().unwrap_or(&options.target.host))?;
        Ok(Some(options))
    }

    fn new() -> Self {
        Self {
            target: Target { host: String::new(), port: 0 },
            name: ServerName::IpAddress(IpAddr::from([127, 0, 0, 1]).into()),
            send_server_name: true,
            cas: Vec::new(),
            accept_any: false,
            show_chain: false,
            protocol: Protocol::new(TIMEOUT),
            key_shares: None,
            family: Family::Any,
            keep_open: false,
            session: None,
            early_data: None,
            tickets: false,
        }
    }

    fn long(&mut self, option: &str, arguments: &mut lexopt::Parser) -> Result<(), Failure> {
        match option {
            "no-sni" => self.send_server_name = false,
            "insecure-accept-any" => self.accept_any = true,
            "show-chain" => self.show_chain = true,
            "keep-open" => self.keep_open = true,
            "ca" => self.cas.push(arguments.value()?.into()),
            "session" => self.session = Some(arguments.value()?.into()),
            "early-data" => self.early_data = Some(arguments.value()?.into()),
            "tickets" => self.tickets = true,
            "key-shares" => self.key_shares = Some(arguments::key_shares(&arguments.value()?.string()?)?),
            option if self.protocol.long(option, arguments)? => {}
            option => return Err(Long(option).unexpected().into()),
        }
        Ok(())
    }
}

fn server_name(name: &str) -> Result<ServerName<'static>, Failure> {
    ServerName::try_from(name.to_owned()).map_err(|_| {
        Failure::usage(format_args!(
            "{name:?} is neither a DNS name nor an address (names with other letters than English go in their \
             xn-- form)"
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(arguments: &[&str]) -> Result<Option<Options>, Failure> {
        Options::parse(lexopt::Parser::from_args(arguments))
    }

    #[test]
    fn a_host_alone_is_enough() {
        let options = parse(&["example.com"]).unwrap().unwrap();
        assert_eq!(options.target, Target { host: "example.com".into(), port: 443 });
        assert_eq!(options.name.to_str(), "example.com");
        assert!(options.send_server_name && !options.accept_any);
    }

    #[test]
    fn the_name_to_verify_can_be_another_one() {
        let options = parse(&["--name", "db.internal", "10.0.0.7:5433"]).unwrap().unwrap();
        assert_eq!(options.target, Target { host: "10.0.0.7".into(), port: 5433 });
        assert_eq!(options.name.to_str(), "db.internal");
    }

    #[test]
    fn what_is_not_understood_is_a_usage_error() {
        for arguments in [
            &[][..],
            &["a", "b"],
            &["--nonsense", "a"],
            &["--alpn"],
            &["ünï.test"],
            &["--key", "k", "a"],
            &["-5", "a"],
            &["--early-data", "f", "a"],
            &["--tickets", "a"],
        ] {
            let failure = parse(arguments).expect_err("must not be understood");
            assert_eq!(failure.exit, crate::exit::Exit::Usage, "{arguments:?}");
        }
    }

    #[test]
    fn help_wins_over_what_is_missing() {
        assert!(parse(&["--help"]).unwrap().is_none());
    }
}
