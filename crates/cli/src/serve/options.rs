//! The command line of `oxtls serve`.

use std::ffi::OsString;
use std::net::{Ipv4Addr, SocketAddr, ToSocketAddrs};
use std::path::PathBuf;
use std::time::Duration;

use lexopt::prelude::*;

use crate::exit::Failure;
use crate::protocol::Protocol;

/// What a server does with a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    /// Standard input to the client, its data to standard output.
    Pipe,
    /// A page about the session.
    Www,
    /// Everything back.
    Echo,
}

/// What was asked for.
#[derive(Debug)]
pub(super) struct Options {
    pub(super) listen: SocketAddr,
    pub(super) protocol: Protocol,
    pub(super) write_ca: Option<PathBuf>,
    pub(super) names: Vec<String>,
    pub(super) client_cas: Vec<PathBuf>,
    pub(super) require_client_cert: bool,
    pub(super) mode: Mode,
    pub(super) count: Option<u64>,
    pub(super) max_clients: usize,
    pub(super) tickets: bool,
    /// The most early data that is taken of a client, bytes; `None`: none.
    pub(super) early_data: Option<u32>,
}

/// The port that TLS servers to try things with have always had.
const PORT: u16 = 4433;

/// For a handshake: a client that says nothing must not hold its place for long.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Clients at a time: a thread and some hundred kilobytes each.
const MAX_CLIENTS: usize = 64;

/// Early data of a client, bytes: a full record.
const EARLY_DATA: u32 = 16 * 1024;

/// The most early data of a client, bytes: it is held until the handshake is done.
const MOST_EARLY_DATA: u32 = 1024 * 1024;

impl Options {
    /// Reads the command line; `None` if help is asked for.
    pub(super) fn parse(mut arguments: lexopt::Parser) -> Result<Option<Self>, Failure> {
        let mut options = Self::new();
        while let Some(argument) = arguments.next()? {
            match argument {
                Short('h') | Long("help") => return Ok(None),
                Short('q') => options.protocol.quiet = true,
                Long(option) => {
                    let option = option.to_owned();
                    options.long(&option, &mut arguments)?;
                }
                argument => return Err(argument.unexpected().into()),
            }
        }
        options.check()?;
        Ok(Some(options))
    }

    fn new() -> Self {
        Self {
            listen: (Ipv4Addr::LOCALHOST, PORT).into(),
            protocol: Protocol::new(TIMEOUT),
            write_ca: None,
            names: Vec::new(),
            client_cas: Vec::new(),
            require_client_cert: false,
            mode: Mode::Pipe,
            count: None,
            max_clients: MAX_CLIENTS,
            tickets: false,
            early_data: None,
        }
    }

    fn long(&mut self, option: &str, arguments: &mut lexopt::Parser) -> Result<(), Failure> {
        match option {
            "port" => self.listen = (Ipv4Addr::LOCALHOST, arguments.value()?.parse()?).into(),
            "listen" => self.listen = address(&arguments.value()?.string()?)?,
            "write-ca" => self.write_ca = Some(arguments.value()?.into()),
            "name" => self.names.push(arguments.value()?.string()?),
            "client-ca" => self.client_cas.push(arguments.value()?.into()),
            "require-client-cert" => self.require_client_cert = true,
            "www" => self.set_mode(Mode::Www)?,
            "echo" => self.set_mode(Mode::Echo)?,
            "once" => self.count = Some(1),
            "count" => self.count = Some(arguments.value()?.parse()?),
            "max-clients" => self.max_clients = arguments.value()?.parse()?,
            "tickets" => self.tickets = true,
            "early-data" => self.early_data = Some(early_data(arguments.optional_value())?),
            option if self.protocol.long(option, arguments)? => {}
            option => return Err(Long(option).unexpected().into()),
        }
        Ok(())
    }

    fn set_mode(&mut self, mode: Mode) -> Result<(), Failure> {
        if self.mode != Mode::Pipe && self.mode != mode {
            return Err(Failure::usage("--www and --echo do not go together"));
        }
        self.mode = mode;
        Ok(())
    }

    fn check(&self) -> Result<(), Failure> {
        if self.require_client_cert && self.client_cas.is_empty() {
            return Err(Failure::usage(
                "--require-client-cert wants --client-ca FILE: whose certificates are good?",
            ));
        }
        if !self.protocol.credentials.is_empty() && (self.write_ca.is_some() || !self.names.is_empty()) {
            return Err(Failure::usage(
                "--write-ca and --name are for a certificate made on the spot, without --cert",
            ));
        }
        if self.count == Some(0) || self.max_clients == 0 {
            return Err(Failure::usage("a server for no client at all serves nobody"));
        }
        Ok(())
    }
}

/// `--early-data`, or `--early-data=BYTES`.
fn early_data(value: Option<OsString>) -> Result<u32, Failure> {
    let Some(value) = value else { return Ok(EARLY_DATA) };
    let bytes = value.string()?.parse().ok().filter(|bytes| (1..=MOST_EARLY_DATA).contains(bytes));
    bytes.ok_or_else(|| {
        Failure::usage(format_args!("--early-data=BYTES wants a number from 1 to {MOST_EARLY_DATA}"))
    })
}

fn address(text: &str) -> Result<SocketAddr, Failure> {
    let mut found = text.to_socket_addrs().map_err(|error| {
        Failure::usage(format_args!("--listen wants ADDRESS:PORT, not {text:?}: {error}"))
    })?;
    found.next().ok_or_else(|| Failure::usage(format_args!("{text:?} has no address")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exit::Exit;

    fn parse(arguments: &[&str]) -> Result<Option<Options>, Failure> {
        Options::parse(lexopt::Parser::from_args(arguments))
    }

    #[test]
    fn a_server_listens_on_loopback_unless_told_otherwise() {
        assert_eq!(parse(&[]).unwrap().unwrap().listen, "127.0.0.1:4433".parse().unwrap());
        assert_eq!(parse(&["--port", "0"]).unwrap().unwrap().listen, "127.0.0.1:0".parse().unwrap());
        assert_eq!(parse(&["--listen", "[::]:1"]).unwrap().unwrap().listen, "[::]:1".parse().unwrap());
    }

    #[test]
    fn early_data_has_a_limit_even_if_none_is_named() {
        for (argument, bytes) in [("--early-data", 16_384), ("--early-data=1", 1)] {
            assert_eq!(parse(&[argument]).unwrap().unwrap().early_data, Some(bytes));
        }
        assert_eq!(parse(&[]).unwrap().unwrap().early_data, None);
    }

    #[test]
    fn options_that_do_not_go_together_are_a_usage_error() {
        for arguments in [
            &["--www", "--echo"][..],
            &["--require-client-cert"],
            &["--cert", "c", "--write-ca", "f"],
            &["--count", "0"],
            &["--max-clients", "0"],
            &["--port", "x"],
            &["--early-data=0"],
            &["--early-data=x"],
            &["--early-data=1048577"],
            &["--listen", "nowhere"],
            &["stray"],
        ] {
            assert_eq!(parse(arguments).expect_err("nonsense").exit, Exit::Usage, "{arguments:?}");
        }
    }
}
