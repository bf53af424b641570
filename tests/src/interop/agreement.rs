//! Whether both sides say the same of a session, and what the scenario expects.

use oxtls::{ChannelBinding, Info, ProtocolVersion};

use super::check::{said, same};
use super::foreign::{Account, Place};
use super::peer::Peer;
use super::spec::{Agreed, Ending, Role, Side, Spec, Special};
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
    /// What passed: as OpenSSL says, or as was seen on the wire, where nothing is seen behind a ServerHello of TLS 1.3.
    pub(super) trace: &'a Trace,
    /// What the peer says in words.
    pub(super) account: &'a Account,
    pub(super) place: Place<'a>,
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

    fn peer(&self) -> Peer {
        self.place.tool.peer
    }

    /// The trace shows all messages.
    fn all_is_shown(&self) -> bool {
        self.peer().is_openssl() || self.info.version() == ProtocolVersion::TLS1_2
    }

    /// The two views of what was negotiated, and that of who stands between them.
    fn each_other(&self) -> Result<(), Error> {
        let Self { info, trace, account, .. } = *self;
        let openssl = self.peer().is_openssl();
        said("version, ours and the peer's", &account.version, &info.version(), openssl)?;
        said("resumption, ours and the peer's", &account.resumed, &info.is_resumed(), true)?;
        same("version, ours and that on the wire", &Some(info.version()), &trace.version())?;
        said("suite, ours and the peer's", &account.suite, &info.suite(), openssl)?;
        same("suite, ours and that on the wire", &Some(info.suite()), &trace.suite())?;
        if let Some(group) = info.group() {
            said("group, ours and the peer's", &account.group, &group, openssl || self.peer() == Peer::Jsse)?;
        }
        same("group, ours and that on the wire", &info.group(), &trace.group())?;
        let alpn = info.alpn().map(|alpn| String::from_utf8_lossy(alpn).into_owned()).unwrap_or_default();
        said("protocol, ours and the peer's", &account.alpn, &alpn, openssl || self.peer() == Peer::Nss)?;
        same("retry, ours and that on the wire", &info.hello_retry_request(), &trace.retried())?;
        let again = trace.retried()
            || (self.spec.ending == Ending::Renegotiation
                && self.all_is_shown()
                && openssl
                && self.role == Role::Server);
        same("ClientHellos", &trace.count("ClientHello"), &if again { 2 } else { 1 })?;
        if info.version() == ProtocolVersion::TLS1_2 {
            same("extended master secret", &trace.extended_master_secret(), &true)?;
            said("extended master secret, as the peer has it", &account.extended_master_secret, &true, true)?;
        }
        if !self.all_is_shown() {
            return Ok(());
        }
        same("protocol, ours and that on the wire", &info.alpn(), &trace.alpn().as_deref())?;
        if openssl || self.role == Role::Client {
            // On the wire of TLS 1.2, what a client signs is behind its certificate, in the clear.
            same(
                "peer's scheme, ours and that on the wire",
                &info.peer_signature_scheme(),
                &trace.scheme(true),
            )?;
        }
        same("our scheme, ours and that on the wire", &info.signature_scheme(), &trace.scheme(false))
    }

    fn expectation(&self, agreed: &Agreed) -> Result<(), Error> {
        let Self { info, trace, .. } = *self;
        if let Some(version) = agreed.version {
            same("version", &info.version(), &version)?;
        }
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
            same("server's scheme", &trace.scheme(self.peer_is(Role::Server)), &agreed.scheme)?;
        }
        let algorithm = agreed.compression.map(|by| by.ours().algorithm());
        same(
            "compression of the server's certificate",
            &trace.compression(self.peer_is(Role::Server)),
            &algorithm,
        )?;
        if self.peer().is_openssl() && self.spec.update_keys && (trace.count("KeyUpdate") < 2) {
            return Err("OpenSSL did not answer our KeyUpdate with its own".into());
        }
        Ok(())
    }

    fn peer_is(&self, role: Role) -> bool {
        self.role != role
    }

    /// Whom either saw: a client always sees its server.
    fn identities(&self, agreed: &Agreed) -> Result<(), Error> {
        let server = agreed.server.or(self.spec.server.identity).unwrap_or_default();
        let shown_to_us = self.info.peer_identity().map(|identity| identity.subject().to_owned());
        let account = self.account;
        match self.role {
            Role::Client => {
                same("the server that we saw", &shown_to_us, &Some(format!("CN={server}")))?;
                let Some(client) = agreed.client else { return Ok(()) };
                // GnuTLS's server verifies only on demand, and says nothing of success.
                let silent = client.is_none() || self.peer() == Peer::GnuTls;
                said(
                    "that the peer verified us",
                    &account.verified,
                    &true,
                    silent || self.peer().is_openssl(),
                )?;
                let silent = self.peer().is_openssl() && self.spec.server.trusts.is_none();
                said(
                    "the client that the peer saw",
                    &account.shown,
                    &client.unwrap_or_default().to_owned(),
                    silent,
                )
            }
            Role::Server => {
                same("name that the client asked for", &self.info.server_name(), &Some(self.spec.asked))?;
                said("the server that the peer saw", &account.shown, &server.to_owned(), false)?;
                said("that the peer verified us", &account.verified, &true, false)?;
                let silent = !self.peer().is_openssl();
                said("the name that the peer verified", &account.name, &self.spec.asked.to_owned(), silent)?;
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

    /// A server that asks for certificates names the authority that it trusts, whichever side is the server; a client
    /// names one when told to (RFC 9846 section 4.3.4).
    fn authorities(&self) -> Result<(), Error> {
        if !self.all_is_shown() {
            return Ok(());
        }
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
                Some(ours::ocsp_response(identity, self.place.certificates)?)
            }
            _ => None,
        };
        if self.all_is_shown() {
            let seen = self.trace.ocsp(self.peer_is(Role::Server));
            same("stapled OCSP response, as it passed", &seen, &expected)?;
        }
        match self.role {
            Role::Client => same("stapled OCSP response", &self.info.stapled_ocsp(), &expected.as_deref()),
            Role::Server if !self.spec.client.ocsp => Ok(()),
            Role::Server => said(
                "stapled OCSP response, as the peer has it",
                &self.account.stapled,
                &expected.is_some(),
                false,
            ),
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
        said("keying material", &self.account.material, &digits, false)
    }
}
