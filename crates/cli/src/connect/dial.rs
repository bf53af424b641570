//! From a name and a port to a TCP connection.

use std::fmt;
use std::io;
use std::net::{IpAddr, Ipv6Addr, SocketAddr, TcpStream, ToSocketAddrs};
use std::time::{Duration, Instant};

use crate::exit::{Exit, Failure};

/// The port of HTTPS, what a HOST alone most likely means.
const PORT: u16 = 443;

/// The most addresses of a name that are tried.
const ADDRESSES: usize = 16;

/// Whom to connect to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Target {
    /// A name or an address, without brackets.
    pub(super) host: String,
    pub(super) port: u16,
}

/// Which addresses to use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Family {
    Any,
    V4,
    V6,
}

impl Target {
    /// Reads `HOST`, `HOST:PORT`, `[IPv6]:PORT` or a bare IPv6 address.
    pub(super) fn parse(text: &str) -> Result<Self, Failure> {
        let wrong = |why: &str| Failure::usage(format_args!("HOST[:PORT] is wanted, not {text:?}: {why}"));
        if text.contains('/') {
            return Err(wrong("it looks like a URL; leave out the scheme and the path"));
        }
        if text.parse::<Ipv6Addr>().is_ok() {
            return Ok(Self { host: text.to_owned(), port: PORT });
        }
        let (host, port) = match text.strip_prefix('[').map(|rest| rest.split_once(']')) {
            Some(Some((host, ""))) => (host, None),
            Some(Some((host, rest))) => {
                (host, Some(rest.strip_prefix(':').ok_or_else(|| wrong("what follows ]?"))?))
            }
            Some(None) => return Err(wrong("the ] is missing")),
            None => text.split_once(':').map_or((text, None), |(host, port)| (host, Some(port))),
        };
        if host.is_empty() {
            return Err(wrong("the host is missing"));
        }
        let port = match port {
            None => PORT,
            Some(port) => port
                .parse()
                .ok()
                .filter(|port| *port > 0)
                .ok_or_else(|| wrong("the port is no number from 1 to 65535"))?,
        };
        Ok(Self { host: host.to_owned(), port })
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

/// Connects to the first address that answers, until the deadline.
pub(super) fn dial(
    target: &Target,
    family: Family,
    until: Option<Instant>,
) -> Result<(TcpStream, SocketAddr), Failure> {
    let addresses = resolve(target, family)?;
    let mut last = None;
    for (index, address) in addresses.iter().enumerate() {
        // An address that swallows packets must not use up the time of those behind it.
        let others = u32::try_from(addresses.len().saturating_sub(index)).unwrap_or(1).max(1);
        let left =
            until.map_or(Duration::from_secs(30), |until| until.saturating_duration_since(Instant::now()));
        let share = left.checked_div(others).unwrap_or(left).max(Duration::from_millis(1));
        match TcpStream::connect_timeout(address, share) {
            Ok(socket) => return Ok((socket, *address)),
            Err(error) => last = Some((address, error)),
        }
    }
    let why = match last {
        Some((address, error)) => format!("{address}: {}", explain(&error)),
        None => "it has no address".to_owned(),
    };
    Err(Failure::new(Exit::Unreachable, format_args!("cannot connect to {target}: {why}")))
}

fn explain(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => "refused: nothing listens there".to_owned(),
        io::ErrorKind::TimedOut => "no answer in time".to_owned(),
        _ => error.to_string(),
    }
}

fn resolve(target: &Target, family: Family) -> Result<Vec<SocketAddr>, Failure> {
    let found: Vec<SocketAddr> = match target.host.parse::<IpAddr>() {
        Ok(address) => vec![(address, target.port).into()],
        Err(_) => (target.host.as_str(), target.port)
            .to_socket_addrs()
            .map_err(|error| {
                Failure::new(Exit::Unreachable, format_args!("{:?} does not resolve: {error}", target.host))
            })?
            .collect(),
    };
    let fits = |address: &SocketAddr| match family {
        Family::Any => true,
        Family::V4 => address.is_ipv4(),
        Family::V6 => address.is_ipv6(),
    };
    let addresses: Vec<_> = found.into_iter().filter(fits).take(ADDRESSES).collect();
    if addresses.is_empty() {
        let kind = if family == Family::V6 { "IPv6" } else { "IPv4" };
        let what = format_args!("{:?} has no {kind} address", target.host).to_string();
        return Err(Failure::new(Exit::Unreachable, what));
    }
    Ok(addresses)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_and_ports_are_told_apart() {
        for (text, host, port) in [
            ("example.com", "example.com", 443),
            ("example.com:8443", "example.com", 8443),
            ("10.0.0.1:1", "10.0.0.1", 1),
            ("::1", "::1", 443),
            ("[::1]", "::1", 443),
            ("[::1]:4433", "::1", 4433),
        ] {
            assert_eq!(Target::parse(text).unwrap(), Target { host: host.into(), port }, "{text}");
        }
    }

    #[test]
    fn what_is_no_host_and_port_is_refused() {
        for text in ["", ":443", "a:", "a:0", "a:65536", "a:b", "[::1", "[::1]x", "https://a/", "a:1:2"] {
            assert!(Target::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_target_reads_as_it_was_written() {
        assert_eq!(Target::parse("::1").unwrap().to_string(), "[::1]:443");
        assert_eq!(Target::parse("a.test:1").unwrap().to_string(), "a.test:1");
    }

    #[test]
    fn an_address_of_the_other_family_is_no_address() {
        let target = Target::parse("127.0.0.1:1").unwrap();
        assert!(resolve(&target, Family::V4).is_ok());
        assert_eq!(resolve(&target, Family::V6).unwrap_err().exit, Exit::Unreachable);
    }
}
