//! Whether both sides say the same of a session, and what the scenario expects.

use std::path::Path;

use oxtls::{ChannelBinding, Info};

use super::check::same;
use super::spec::{Agreed, Role, Side, Spec, Special};
use super::trace::Trace;
use super::{Error, ours, pki};

/// The label whose keying material is also a channel binding (RFC 9266).
const CHANNEL_BINDING: &str = "EXPORTER-Channel-Binding";

/// What the sides say of a session that has ended.
pub(super) struct Views<'a> {
    pub(super) spec: &'a Spec,
    /// Ours.
    pub(super) role: Role,
    /// What our side says.
    pub(super) info: &'a Info,
    /// What OpenSSL says passed.
    pub(super) trace: &'a Trace,
    /// What OpenSSL says in short; nothing when it is talkative.
    pub(super) words: &'a str,
    /// What OpenSSL prints when it is talkative.
    pub(super) printed: &'a str,
    pub(super) certificates: &'a Path,
}

impl Views<'_> {
    /// Checks it all.
    pub(super) fn check(&self, agreed: &Agreed) -> Result<(), Error> {
        self.each_other()?;
        self.expectation(agreed)?;
        self.identities(agreed)?;
        self.authorities()?;
        self.stapled_response()?;
        self.exported()
    }

    /// The two views of what was negotiated.
    fn each_other(&self) -> Result<(), Error> {
        let Self { info, trace, .. } = *self;
        same("suite, ours and OpenSSL's", &Some(info.suite()), &trace.suite())?;
        same("group, ours and OpenSSL's", &info.group(), &trace.group())?;
        same("protocol, ours and OpenSSL's", &info.alpn(), &trace.alpn().as_deref())?;
        same("retry, ours and OpenSSL's", &info.hello_retry_request(), &trace.retried())?;
        same("ClientHellos", &trace.count("ClientHello"), &if trace.retried() { 2 } else { 1 })?;
        same("peer's scheme, ours and OpenSSL's", &info.peer_signature_scheme(), &trace.scheme(true))?;
        same("our scheme, ours and OpenSSL's", &info.signature_scheme(), &trace.scheme(false))
    }

    fn expectation(&self, agreed: &Agreed) -> Result<(), Error> {
        let Self { info, trace, .. } = *self;
        if let Some(suite) = agreed.suite {
            same("suite", &info.suite(), &suite)?;
        }
        if let Some(group) = agreed.group {
            same("group", &info.group(), &Some(group))?;
        }
        if let Some(alpn) = agreed.alpn {
            same("protocol", &info.alpn(), &alpn.map(str::as_bytes))?;
        }
        if let Some(retry) = agreed.retry {
            same("retry", &info.hello_retry_request(), &retry)?;
        }
        if agreed.scheme.is_some() {
            same("server's scheme", &trace.scheme(self.openssl_is(Role::Server)), &agreed.scheme)?;
        }
        let algorithm = agreed.compression.map(|by| by.ours().algorithm());
        same(
            "compression of the server's certificate",
            &trace.compression(self.openssl_is(Role::Server)),
            &algorithm,
        )?;
        if self.spec.update_keys && (trace.count("KeyUpdate") < 2) {
            return Err("OpenSSL did not answer our KeyUpdate with its own".into());
        }
        Ok(())
    }

    fn openssl_is(&self, role: Role) -> bool {
        self.role != role
    }

    fn identities(&self, agreed: &Agreed) -> Result<(), Error> {
        let server = agreed.server.or(self.spec.server.identity).unwrap_or_default();
        let shown_to_us = self.info.peer_identity().map(|identity| identity.subject().to_owned());
        match self.role {
            Role::Client => {
                same("the server that we saw", &shown_to_us, &Some(format!("CN={server}")))?;
                match agreed.client {
                    Some(Some(client)) => self.says(&format!("Peer certificate: CN={client}\n")),
                    Some(None) => self.says("No peer certificate"),
                    None => Ok(()),
                }
            }
            Role::Server => {
                same("name that the client asked for", &self.info.server_name(), &Some(self.spec.asked))?;
                let peer = if self.printed.is_empty() { "Peer certificate: " } else { "subject=" };
                self.says(&format!("{peer}CN={server}\n"))?;
                self.says("Verification: OK\n")?;
                self.says(&format!("Verified peername: {}\n", self.spec.asked))?;
                match agreed.client {
                    Some(client) => {
                        let client = client.map(|client| format!("CN={client}"));
                        same("the client that we saw", &shown_to_us, &client)
                    }
                    None => Ok(()),
                }
            }
        }
    }

    fn says(&self, expected: &str) -> Result<(), Error> {
        if self.words.contains(expected) || self.printed.contains(expected) {
            return Ok(());
        }
        Err(format!("OpenSSL did not say {expected:?}; it printed {:?}", self.printed).into())
    }

    /// A server that asks for certificates names the authority that it trusts, whichever side is the server; a client
    /// names one when told to (RFC 9846 section 4.3.4).
    fn authorities(&self) -> Result<(), Error> {
        let names = |authority: Option<_>| authority.and_then(pki::authority_name).map(|name| vec![name]);
        let requested = names(self.spec.server.trusts);
        same("authorities that the server names", &self.trace.requested_authorities(), &requested)?;
        let offered = match self.spec.client.special {
            Some(Special::NamesAuthority(authority)) => names(Some(authority)),
            _ => None,
        };
        same("authorities that the client names", &self.trace.offered_authorities(), &offered)
    }

    /// Whoever asks a server that has one gets its OCSP response, to the byte; nobody else gets any.
    fn stapled_response(&self) -> Result<(), Error> {
        let Side { identity, ocsp, .. } = self.spec.server;
        let expected = match identity {
            Some(identity) if ocsp && self.spec.client.ocsp => {
                Some(ours::ocsp_response(identity, self.certificates)?)
            }
            _ => None,
        };
        let seen_by_openssl = self.trace.ocsp(self.openssl_is(Role::Server));
        same("stapled OCSP response, as OpenSSL saw it", &seen_by_openssl, &expected)?;
        match self.role {
            Role::Client => same("stapled OCSP response", &self.info.stapled_ocsp(), &expected.as_deref()),
            Role::Server if !self.spec.client.ocsp => Ok(()),
            Role::Server if expected.is_some() => self.says("Cert Status: good\n"),
            Role::Server => self.says("OCSP response: no response sent\n"),
        }
    }

    /// Both sides export the same.
    fn exported(&self) -> Result<(), Error> {
        let Some((label, len)) = self.spec.export else { return Ok(()) };
        let mut material = vec![0; len];
        self.info.export(label, None, &mut material)?;
        if label == CHANNEL_BINDING {
            same("channel binding", &self.info.channel_binding(ChannelBinding::TlsExporter)?, &material)?;
        }
        let digits: String = material.iter().map(|byte| format!("{byte:02X}")).collect();
        self.says(&format!("Keying material: {digits}\n"))
    }
}
