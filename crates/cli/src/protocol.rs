//! What `connect` and `serve` are told alike: who they are, what they speak, how long a handshake may take.

use std::path::PathBuf;
use std::time::Duration;

use lexopt::ValueExt;
use oxtls::{CipherSuite, ClientConfigBuilder, NamedGroup, ProtocolVersion, ServerConfigBuilder};

use crate::arguments::{self, KeyPairs, Versions};
use crate::exit::Failure;

/// The options of both.
#[derive(Debug)]
pub(crate) struct Protocol {
    pub(crate) credentials: KeyPairs,
    pub(crate) alpn: Vec<String>,
    pub(crate) versions: Versions,
    pub(crate) suites: Option<Vec<CipherSuite>>,
    pub(crate) groups: Option<Vec<NamedGroup>>,
    pub(crate) timeout: Duration,
    pub(crate) key_log: Option<PathBuf>,
    pub(crate) quiet: bool,
}

/// The builders have the same calls, and no type in common.
macro_rules! tell {
    ($protocol:ident, $builder:ident) => {{
        let mut builder = $builder
            .alpn(&$protocol.alpn)
            .handshake_timeout($protocol.timeout)
            .key_log($protocol.key_log.is_some())
            .exporter(false);
        if let Some((lowest, highest)) = $protocol.versions.range() {
            builder = builder.versions(lowest, highest);
        }
        if let Some(suites) = &$protocol.suites {
            builder = builder.suites(suites);
        }
        if let Some(groups) = &$protocol.groups {
            builder = builder.groups(groups);
        }
        builder
    }};
}

impl Protocol {
    /// Nothing said yet.
    pub(crate) fn new(timeout: Duration) -> Self {
        Self {
            credentials: KeyPairs::default(),
            alpn: Vec::new(),
            versions: Versions::default(),
            suites: None,
            groups: None,
            timeout,
            key_log: None,
            quiet: false,
        }
    }

    /// Takes a long option with its value; false: it is none of these.
    pub(crate) fn long(&mut self, option: &str, arguments: &mut lexopt::Parser) -> Result<bool, Failure> {
        let mut value = || arguments.value();
        match option {
            "cert" => self.credentials.certificate(value()?),
            "key" => self.credentials.key(value()?)?,
            "alpn" => self.alpn = arguments::alpn(&value()?.string()?)?,
            "tls1.2" => self.versions.add(ProtocolVersion::TLS1_2),
            "tls1.3" => self.versions.add(ProtocolVersion::TLS1_3),
            "versions" => self.versions.add_range(&value()?.string()?)?,
            "suites" => self.suites = Some(arguments::suites(&value()?.string()?)?),
            "groups" => self.groups = Some(arguments::groups(&value()?.string()?)?),
            "timeout" => self.timeout = arguments::seconds("--timeout", &value()?.string()?)?,
            "key-log" => self.key_log = Some(value()?.into()),
            "quiet" => self.quiet = true,
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// Tells a client's configuration all but its credentials.
    pub(crate) fn client(&self, builder: ClientConfigBuilder) -> ClientConfigBuilder {
        tell!(self, builder)
    }

    /// Tells a server's configuration all but its credentials.
    pub(crate) fn server(&self, builder: ServerConfigBuilder) -> ServerConfigBuilder {
        tell!(self, builder)
    }
}
