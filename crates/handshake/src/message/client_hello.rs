//! ClientHello (RFC 9846 section 4.2.2) as a server reads it.

use std::sync::Arc;

use oxtls_crypto::key_exchange::NamedGroup;
use oxtls_crypto::signature::SignatureScheme;

use crate::codec::{List16, Reader};
use crate::error::Error;
use crate::extension::application_layer_protocol_negotiation::{self as alpn, ProtocolList};
use crate::extension::certificate_authorities::{self, DistinguishedNames};
use crate::extension::key_share::{self, KeyShareList};
use crate::extension::pre_shared_key::{self, OfferedPsks};
use crate::extension::psk_key_exchange_modes::{self, PskKeyExchangeModes};
use crate::extension::ticket_request::{self, TicketRequest};
use crate::extension::{
    self, Context, ExtensionType, OfferedSet, TypesInOrder, compress_certificate, cookie, ec_point_formats,
    padding, record_size_limit, renegotiation_info, server_name, signature_algorithms, status_request,
    supported_groups, supported_versions,
};
use crate::message::{HEADER_LEN, Handshake, HandshakeType};
use crate::suite::{CipherSuite, ProtocolVersion};

/// A ClientHello, borrowed from its message.
#[derive(Clone, Copy, Debug)]
pub struct ClientHello<'a> {
    /// The version of old; versions are negotiated in supported_versions.
    pub legacy_version: ProtocolVersion,
    /// The client's random.
    pub random: &'a [u8; 32],
    /// At most 32 bytes; not empty: the client wants middlebox compatibility, or a TLS 1.2 session.
    pub session_id: &'a [u8],
    /// Suites, the client's order.
    pub cipher_suites: List16<'a, CipherSuite>,
    /// At least one method.
    pub compression_methods: &'a [u8],
    /// What the extensions say.
    pub extensions: ClientHelloExtensions<'a>,
}

/// The extensions of a ClientHello that this library knows; `None`: absent.
#[derive(Clone, Copy, Debug, Default)]
pub struct ClientHelloExtensions<'a> {
    /// The name of the server, a DNS name.
    pub server_name: Option<&'a str>,
    /// Versions, the client's order.
    pub supported_versions: Option<List16<'a, ProtocolVersion>>,
    /// Groups, the client's order.
    pub supported_groups: Option<List16<'a, NamedGroup>>,
    /// Key shares, a part of the groups in the same order.
    pub key_shares: Option<KeyShareList<'a>>,
    /// Schemes for CertificateVerify, and for certificates unless there are
    /// [others](ClientHelloExtensions::signature_algorithms_cert).
    pub signature_algorithms: Option<List16<'a, SignatureScheme>>,
    /// Schemes for signatures inside certificates.
    pub signature_algorithms_cert: Option<List16<'a, SignatureScheme>>,
    /// Application protocols, the client's order.
    pub alpn: Option<ProtocolList<'a>>,
    /// The cookie of a HelloRetryRequest.
    pub cookie: Option<&'a [u8]>,
    /// With which key exchange PSKs and tickets are used.
    pub psk_key_exchange_modes: Option<PskKeyExchangeModes<'a>>,
    /// PSKs on offer; always the last extension.
    pub pre_shared_key: Option<OfferedPsks<'a>>,
    /// 0-RTT data follows.
    pub early_data: bool,
    /// Authorities that the client trusts.
    pub certificate_authorities: Option<DistinguishedNames<'a>>,
    /// An OCSP response is wanted.
    pub status_request: bool,
    /// Signed certificate timestamps are wanted.
    pub signed_certificate_timestamp: bool,
    /// Largest record to send to the client (RFC 8449), plaintext bytes.
    pub record_size_limit: Option<u16>,
    /// Compressions that the client can undo.
    pub compress_certificate: Option<List16<'a, u16>>,
    /// QUIC's transport parameters, not decoded.
    pub quic_transport_parameters: Option<&'a [u8]>,
    /// How many tickets are wanted.
    pub ticket_request: Option<TicketRequest>,
    /// ECHClientHello, not decoded.
    pub encrypted_client_hello: Option<&'a [u8]>,
    /// TLS 1.2: extended master secret.
    pub extended_master_secret: bool,
    /// TLS 1.2: renegotiated_connection.
    pub renegotiation_info: Option<&'a [u8]>,
    /// TLS 1.2: a ticket, empty to ask for one.
    pub session_ticket: Option<&'a [u8]>,
    /// TLS 1.2: uncompressed points are taken; `None`: not said.
    pub uncompressed_points: Option<bool>,
    /// The client would authenticate after the handshake. Never asked for.
    pub post_handshake_auth: bool,
    /// The whole block, without its length.
    raw: &'a [u8],
}

impl<'a> ClientHello<'a> {
    /// Reads the body.
    ///
    /// # Errors
    /// [`Error::Malformed`]; [`extension::read`]'s; [`Error::IllegalParameter`] if pre_shared_key is not the last
    /// extension or the key shares contradict supported_groups ([`KeyShareList::check`]).
    pub fn parse(body: &'a [u8]) -> Result<Self, Error> {
        let mut r = Reader::new(body, "ClientHello");
        let mut hello = Self::fields(&mut r)?;
        // Before TLS 1.3 a hello could end here.
        if !r.is_empty() {
            hello.extensions.read(&mut r)?;
        }
        r.finish()?;
        Ok(hello)
    }

    /// Reads what comes before the extensions.
    #[inline]
    fn fields(r: &mut Reader<'a>) -> Result<Self, Error> {
        let legacy_version = ProtocolVersion(r.u16()?);
        let random = r.array()?;
        let session_id = r.vec_u8()?;
        if session_id.len() > 32 {
            return Err(Error::Malformed { what: "legacy_session_id" });
        }
        let cipher_suites = List16::parse(r.vec_u16()?, "cipher_suites")?;
        let compression_methods = r.vec_u8()?;
        if compression_methods.is_empty() {
            return Err(Error::Malformed { what: "legacy_compression_methods" });
        }
        let extensions = ClientHelloExtensions::default();
        Ok(Self { legacy_version, random, session_id, cipher_suites, compression_methods, extensions })
    }

    /// The versions on offer, the client's order: supported_versions, or without it legacy_version, which
    /// can't say more than TLS 1.2.
    #[must_use]
    pub fn versions(&self) -> Vec<ProtocolVersion> {
        match self.extensions.supported_versions {
            Some(versions) => versions.to_vec(),
            None => vec![self.legacy_version.min(ProtocolVersion::TLS1_2)],
        }
    }

    /// Whether TLS 1.3 is on offer.
    #[must_use]
    pub fn offers_tls13(&self) -> bool {
        self.extensions.supported_versions.is_some_and(|versions| versions.contains(ProtocolVersion::TLS1_3))
    }

    /// Checks what RFC 9846 demands of a hello that is going to negotiate TLS 1.3 (sections 4.2.2, 4.3.11 and 9.2).
    ///
    /// # Errors
    /// [`Error::NoCommonVersion`] for a legacy_version below 0x0303 (a higher one, which the RFC has refused too, is
    /// a client of the future that supported_versions speaks for); [`Error::IllegalParameter`] for another
    /// compression than null; [`Error::MissingExtension`].
    pub fn check_tls13(&self) -> Result<(), Error> {
        if self.legacy_version < ProtocolVersion::TLS1_2 {
            return Err(Error::NoCommonVersion { peer: vec![self.legacy_version].into() });
        }
        if self.compression_methods != [0] {
            return Err(Error::IllegalParameter { what: "legacy_compression_methods of a TLS 1.3 hello" });
        }
        let extensions = &self.extensions;
        let psk = extensions.pre_shared_key.is_some();
        let groups = extensions.supported_groups.is_some();
        let shares = extensions.key_shares.is_some();
        let missing = [
            (!psk && extensions.signature_algorithms.is_none(), ExtensionType::SIGNATURE_ALGORITHMS),
            (!psk && !groups, ExtensionType::SUPPORTED_GROUPS),
            (groups && !shares, ExtensionType::KEY_SHARE),
            (shares && !groups, ExtensionType::SUPPORTED_GROUPS),
            (psk && extensions.psk_key_exchange_modes.is_none(), ExtensionType::PSK_KEY_EXCHANGE_MODES),
        ];
        if let Some((_, typ)) = missing.into_iter().find(|(missing, _)| *missing) {
            return Err(Error::MissingExtension(typ));
        }
        Ok(())
    }
}

impl<'a> ClientHelloExtensions<'a> {
    fn read(&mut self, r: &mut Reader<'a>) -> Result<(), Error> {
        self.raw = r.peek().get(2..).unwrap_or_default();
        extension::read(r, Context::ClientHello, OfferedSet::EMPTY, |typ, r| {
            if self.read_negotiation(typ, r)? || self.read_authentication(typ, r)? {
                return Ok(());
            }
            self.read_other(typ, r)
        })?;
        self.check()
    }

    /// The extensions that choose versions, keys and protocols; `false`: another one.
    fn read_negotiation(&mut self, typ: ExtensionType, r: &mut Reader<'a>) -> Result<bool, Error> {
        match typ {
            ExtensionType::SERVER_NAME => self.server_name = server_name::parse(r)?,
            ExtensionType::SUPPORTED_VERSIONS => {
                self.supported_versions = Some(supported_versions::parse(r)?)
            }
            ExtensionType::SUPPORTED_GROUPS => self.supported_groups = Some(supported_groups::parse(r)?),
            ExtensionType::KEY_SHARE => self.key_shares = Some(key_share::parse(r)?),
            ExtensionType::APPLICATION_LAYER_PROTOCOL_NEGOTIATION => self.alpn = Some(alpn::parse(r)?),
            ExtensionType::COOKIE => self.cookie = Some(cookie::parse(r)?),
            ExtensionType::PSK_KEY_EXCHANGE_MODES => {
                self.psk_key_exchange_modes = Some(psk_key_exchange_modes::parse(r)?);
            }
            ExtensionType::PRE_SHARED_KEY => self.pre_shared_key = Some(pre_shared_key::parse(r)?),
            ExtensionType::EARLY_DATA => self.early_data = true,
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// The extensions that say what certificates the client takes; `false`: another one.
    fn read_authentication(&mut self, typ: ExtensionType, r: &mut Reader<'a>) -> Result<bool, Error> {
        match typ {
            ExtensionType::SIGNATURE_ALGORITHMS => {
                self.signature_algorithms = Some(signature_algorithms::parse(r)?);
            }
            ExtensionType::SIGNATURE_ALGORITHMS_CERT => {
                self.signature_algorithms_cert = Some(signature_algorithms::parse(r)?);
            }
            ExtensionType::CERTIFICATE_AUTHORITIES => {
                self.certificate_authorities = Some(certificate_authorities::parse(r)?);
            }
            ExtensionType::STATUS_REQUEST => self.status_request = status_request::parse_request(r)?,
            ExtensionType::SIGNED_CERTIFICATE_TIMESTAMP => self.signed_certificate_timestamp = true,
            ExtensionType::COMPRESS_CERTIFICATE => {
                self.compress_certificate = Some(compress_certificate::parse(r)?);
            }
            ExtensionType::POST_HANDSHAKE_AUTH => self.post_handshake_auth = true,
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// All other extensions. What is recognised but not used is skipped unread.
    fn read_other(&mut self, typ: ExtensionType, r: &mut Reader<'a>) -> Result<(), Error> {
        match typ {
            ExtensionType::RECORD_SIZE_LIMIT => self.record_size_limit = Some(record_size_limit::parse(r)?),
            ExtensionType::QUIC_TRANSPORT_PARAMETERS => self.quic_transport_parameters = Some(r.rest()),
            ExtensionType::TICKET_REQUEST => self.ticket_request = Some(ticket_request::parse(r)?),
            ExtensionType::ENCRYPTED_CLIENT_HELLO => self.encrypted_client_hello = Some(r.rest()),
            ExtensionType::EXTENDED_MASTER_SECRET => self.extended_master_secret = true,
            ExtensionType::RENEGOTIATION_INFO => {
                self.renegotiation_info = Some(renegotiation_info::parse(r)?)
            }
            ExtensionType::SESSION_TICKET => self.session_ticket = Some(r.rest()),
            ExtensionType::EC_POINT_FORMATS => self.uncompressed_points = Some(ec_point_formats::parse(r)?),
            ExtensionType::PADDING => padding::parse(r)?,
            ExtensionType::ECH_OUTER_EXTENSIONS => return Err(Error::ForbiddenExtension(typ)),
            _ => {
                r.rest();
            }
        }
        Ok(())
    }

    /// What no extension can see alone.
    fn check(&self) -> Result<(), Error> {
        if self.pre_shared_key.is_some()
            && self.types_in_order().last() != Some(ExtensionType::PRE_SHARED_KEY)
        {
            return Err(Error::IllegalParameter { what: "pre_shared_key that is not the last extension" });
        }
        match (&self.key_shares, &self.supported_groups) {
            (Some(shares), Some(groups)) => shares.check(groups),
            _ => Ok(()),
        }
    }

    /// Whether there are none: the hello ends before them, as one could before there were extensions, or has an empty
    /// block.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.raw.is_empty()
    }

    /// The types of all extensions, unknown ones included, in the order of the wire.
    #[must_use]
    pub const fn types_in_order(&self) -> TypesInOrder<'a> {
        TypesInOrder::new(self.raw)
    }

    /// The recognised extensions that the client sent: what our responses are restricted to.
    #[must_use]
    pub fn offered(&self) -> OfferedSet {
        self.types_in_order().collect()
    }

    /// Schemes that the client takes inside certificates (RFC 9846 section 4.3.3).
    #[must_use]
    pub fn certificate_schemes(&self) -> Option<List16<'a, SignatureScheme>> {
        self.signature_algorithms_cert.or(self.signature_algorithms)
    }
}

/// Where in an [`OwnedClientHello`] something lies that was read of it: the hello need not be parsed again for it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Part {
    start: u32,
    end: u32,
}

/// A ClientHello with its bytes: for the outside, which chooses a configuration by it. Clones share the bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnedClientHello {
    bytes: Arc<[u8]>,
}

impl OwnedClientHello {
    /// Copies a whole message, header included.
    ///
    /// # Errors
    /// As [`ClientHello::parse`]; [`Error::Malformed`] if it is no ClientHello at all.
    pub fn new(message: &[u8]) -> Result<Self, Error> {
        let this = Self::of_parsed(message);
        this.parse()?;
        Ok(this)
    }

    /// Copies a whole message that has been parsed.
    pub(crate) fn of_parsed(message: &[u8]) -> Self {
        Self { bytes: message.into() }
    }

    /// The hello, parsed again: in a microsecond, and without allocation. Whoever needs it twice keeps what this gives.
    ///
    /// # Errors
    /// None, since it was parsed when this was made.
    pub fn parse(&self) -> Result<ClientHello<'_>, Error> {
        let message = Handshake::parse_exact(&self.bytes)?;
        if message.typ != HandshakeType::CLIENT_HELLO {
            return Err(Error::Malformed { what: "ClientHello" });
        }
        ClientHello::parse(message.body)
    }

    /// Where `bytes` lie, which were read from this hello's own.
    ///
    /// # Errors
    /// [`Error::Internal`] if they are of another buffer.
    pub(crate) fn part(&self, bytes: &[u8]) -> Result<Part, Error> {
        let start = bytes.as_ptr().addr().checked_sub(self.bytes.as_ptr().addr());
        let end = start.and_then(|start| start.checked_add(bytes.len()));
        match (start.map(u32::try_from), end.filter(|end| *end <= self.bytes.len()).map(u32::try_from)) {
            (Some(Ok(start)), Some(Ok(end))) => Ok(Part { start, end }),
            _ => Err(Error::Internal("what is remembered of a hello lies in it")),
        }
    }

    /// The bytes that lie there.
    pub(crate) fn bytes_of(&self, part: Part) -> &[u8] {
        let index = |place| usize::try_from(place).unwrap_or(usize::MAX);
        self.bytes.get(index(part.start)..index(part.end)).unwrap_or_default()
    }

    /// What comes before the extensions, without a look at those, which the reader is in front of.
    #[inline]
    fn fields(&self) -> Option<(ClientHello<'_>, Reader<'_>)> {
        let mut r = Reader::new(self.body(), "ClientHello");
        ClientHello::fields(&mut r).ok().map(|hello| (hello, r))
    }

    /// How many tickets the client wants, if it says so (ticket_request, RFC 9149 section 3).
    #[must_use]
    pub fn ticket_request(&self) -> Option<TicketRequest> {
        let (_, mut r) = self.fields()?;
        let mut extensions = r.reader_u16().ok()?;
        loop {
            let typ = ExtensionType(extensions.u16().ok()?);
            let data = extensions.vec_u16().ok()?;
            if typ == ExtensionType::TICKET_REQUEST {
                return ticket_request::parse(&mut Reader::new(data, "ticket_request")).ok();
            }
        }
    }

    /// legacy_session_id, at most 32 bytes (RFC 9846 section 4.2.2): in TLS 1.2 the session that the client wants back, or
    /// what tells it that its ticket was taken (RFC 5077 section 3.4); empty if it has none.
    #[must_use]
    pub fn session_id(&self) -> &[u8] {
        let mut r = Reader::new(self.body(), "ClientHello");
        // Behind legacy_version and random.
        r.bytes(2 + 32).and_then(|_| r.vec_u8()).unwrap_or_default()
    }

    /// The message without its header.
    #[must_use]
    pub fn body(&self) -> &[u8] {
        self.bytes.get(HEADER_LEN..).unwrap_or_default()
    }

    /// The whole message, header included.
    #[must_use]
    pub fn raw(&self) -> &[u8] {
        &self.bytes
    }

    /// The whole message, header included.
    #[must_use]
    pub fn into_raw(self) -> Vec<u8> {
        self.bytes.to_vec()
    }

    /// The name that the client asks for.
    #[must_use]
    pub fn server_name(&self) -> Option<&str> {
        self.parse().ok()?.extensions.server_name
    }

    /// Application protocols, the client's order; empty: none.
    pub fn alpn(&self) -> impl Iterator<Item = &[u8]> {
        self.parse().ok().and_then(|hello| hello.extensions.alpn).into_iter().flat_map(|list| list.iter())
    }

    /// Versions on offer, the client's order.
    #[must_use]
    pub fn versions(&self) -> Vec<ProtocolVersion> {
        self.parse().map(|hello| hello.versions()).unwrap_or_default()
    }

    /// Suites on offer, the client's order.
    #[must_use]
    pub fn cipher_suites(&self) -> List16<'_, CipherSuite> {
        self.fields().map(|(hello, _)| hello.cipher_suites).unwrap_or_default()
    }

    /// Groups on offer, the client's order.
    #[must_use]
    pub fn groups(&self) -> List16<'_, NamedGroup> {
        self.parse().ok().and_then(|hello| hello.extensions.supported_groups).unwrap_or_default()
    }

    /// Schemes for the handshake signature, the client's order.
    #[must_use]
    pub fn signature_schemes(&self) -> List16<'_, SignatureScheme> {
        self.parse().ok().and_then(|hello| hello.extensions.signature_algorithms).unwrap_or_default()
    }

    /// The client's random.
    #[must_use]
    pub fn random(&self) -> [u8; 32] {
        // Behind legacy_version.
        self.body().get(2..).and_then(<[u8]>::first_chunk).copied().unwrap_or_default()
    }
}
