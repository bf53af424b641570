//! What a TLS 1.3 hello asks for that is of use once its session or credential is known.

use oxtls_crypto::key_exchange::NamedGroup;
use oxtls_crypto::signature::SignatureScheme;

use crate::codec::List16;
use crate::error::Error;
use crate::message::client_hello::{ClientHello, OwnedClientHello, Part};
use crate::server::hello::Chosen;
use crate::server::negotiate;

type Result<T> = core::result::Result<T, Error>;

/// What the hello asks for that is of use once its session or credential is known.
#[derive(Debug)]
pub(super) struct Asked<'a> {
    pub(super) group: NamedGroup,
    pub(super) share: &'a [u8],
    pub(super) server_name: Option<&'a str>,
    pub(super) session_id: &'a [u8],
    pub(super) record_size_limit: Option<u16>,
    /// How many tickets it gets, if any.
    pub(super) tickets: Option<u8>,
    /// It said how many it wants.
    pub(super) ticket_request: bool,
    pub(super) transport_parameters: Option<&'a [u8]>,
    /// What it takes in CertificateVerify, and what else; nothing where it offers sessions alone.
    pub(super) schemes: List16<'a, SignatureScheme>,
    /// It takes a stapled OCSP response.
    pub(super) ocsp: bool,
    /// It takes signed certificate timestamps.
    pub(super) scts: bool,
    /// Compressions that it can undo.
    pub(super) compression: List16<'a, u16>,
}

/// The same while the outside is asked for a credential: where it lies in the hello.
#[derive(Debug)]
pub(super) struct Remembered {
    group: NamedGroup,
    share: Part,
    server_name: Option<Part>,
    session_id: Part,
    record_size_limit: Option<u16>,
    tickets: Option<u8>,
    ticket_request: bool,
    transport_parameters: Option<Part>,
    schemes: Option<Part>,
    ocsp: bool,
    scts: bool,
    compression: Option<Part>,
}

impl<'a> Asked<'a> {
    pub(super) fn of(
        chosen: &Chosen,
        hello: &ClientHello<'a>,
        group: NamedGroup,
        resumed: bool,
    ) -> Result<Self> {
        let extensions = &hello.extensions;
        Ok(Self {
            group,
            share: negotiate::share(hello, group).ok_or(Error::WrongGroup)?,
            server_name: extensions.server_name,
            session_id: hello.session_id,
            record_size_limit: extensions.record_size_limit,
            tickets: negotiate::tickets(&chosen.config, hello, resumed),
            ticket_request: extensions.ticket_request.is_some(),
            transport_parameters: extensions.quic_transport_parameters,
            schemes: extensions.signature_algorithms.unwrap_or_default(),
            ocsp: extensions.status_request,
            scts: extensions.signed_certificate_timestamp,
            compression: extensions.compress_certificate.unwrap_or_default(),
        })
    }

    /// Lets go of the hello, which this was read from.
    pub(super) fn remember(self, hello: &OwnedClientHello) -> Result<Remembered> {
        let part = |bytes: Option<&[u8]>| bytes.map(|bytes| hello.part(bytes)).transpose();
        let listed = |bytes: &'a [u8]| Some(bytes).filter(|bytes| !bytes.is_empty());
        Ok(Remembered {
            group: self.group,
            share: hello.part(self.share)?,
            server_name: part(self.server_name.map(str::as_bytes))?,
            session_id: hello.part(self.session_id)?,
            record_size_limit: self.record_size_limit,
            tickets: self.tickets,
            ticket_request: self.ticket_request,
            transport_parameters: part(self.transport_parameters)?,
            schemes: part(listed(self.schemes.as_bytes()))?,
            ocsp: self.ocsp,
            scts: self.scts,
            compression: part(listed(self.compression.as_bytes()))?,
        })
    }
}

impl Remembered {
    /// As it was read from this hello.
    pub(super) fn of<'a>(&self, hello: &'a OwnedClientHello) -> Asked<'a> {
        let bytes = |part: Option<Part>| part.map(|part| hello.bytes_of(part));
        Asked {
            group: self.group,
            share: hello.bytes_of(self.share),
            server_name: bytes(self.server_name).and_then(|name| core::str::from_utf8(name).ok()),
            session_id: hello.bytes_of(self.session_id),
            record_size_limit: self.record_size_limit,
            tickets: self.tickets,
            ticket_request: self.ticket_request,
            transport_parameters: bytes(self.transport_parameters),
            schemes: List16::of_parsed(bytes(self.schemes).unwrap_or_default()),
            ocsp: self.ocsp,
            scts: self.scts,
            compression: List16::of_parsed(bytes(self.compression).unwrap_or_default()),
        }
    }
}
