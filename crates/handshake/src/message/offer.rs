//! ClientHello (RFC 9846 section 4.2.2) as a client writes it.

use oxtls_crypto::hash::Hash;
use oxtls_crypto::key_exchange::NamedGroup;
use oxtls_crypto::signature::SignatureScheme;

use crate::codec::Writer;
use crate::error::Error;
use crate::extension::grease::{self, Grease};
use crate::extension::key_share::{self, KeyShareEntry};
use crate::extension::pre_shared_key::PskIdentity;
use crate::extension::ticket_request::{self, TicketRequest};
use crate::extension::{
    ExtensionType, OfferedSet, application_layer_protocol_negotiation as alpn, certificate_authorities,
    compress_certificate, cookie, early_data, ec_point_formats, extended_master_secret, pre_shared_key,
    psk_key_exchange_modes, quic_transport_parameters, record_size_limit, renegotiation_info, server_name,
    session_ticket, signature_algorithms, signed_certificate_timestamp, status_request, supported_groups,
    supported_versions,
};
use crate::message::{HandshakeType, message};
use crate::suite::{CipherSuite, ProtocolVersion};

/// What a client offers. Empty lists and `None` send no extension, but `key_shares`, whose empty list asks for a
/// HelloRetryRequest. Extensions of one version only are sent if that version is offered: without TLS 1.3 the hello has
/// neither supported_versions nor key_share, with TLS 1.2 it has extended_master_secret, renegotiation_info,
/// ec_point_formats and, if so wanted, session_ticket.
#[derive(Clone, Copy, Debug)]
pub struct Offer<'a> {
    /// The client's random.
    pub random: &'a [u8; 32],
    /// At most 32 bytes.
    pub session_id: &'a [u8],
    /// Suites, most preferred first.
    pub cipher_suites: &'a [CipherSuite],
    /// Versions, most preferred first.
    pub supported_versions: &'a [ProtocolVersion],
    /// Name of the server.
    pub server_name: Option<&'a str>,
    /// Groups, most preferred first.
    pub supported_groups: &'a [NamedGroup],
    /// Key shares, in the order of the groups.
    pub key_shares: &'a [KeyShareEntry<'a>],
    /// Schemes for CertificateVerify.
    pub signature_algorithms: &'a [SignatureScheme],
    /// Schemes inside certificates, when they differ.
    pub signature_algorithms_cert: Option<&'a [SignatureScheme]>,
    /// Application protocols, most preferred first.
    pub alpn: &'a [Vec<u8>],
    /// The cookie of the HelloRetryRequest that this hello answers.
    pub cookie: Option<&'a [u8]>,
    /// Tickets are welcome, or a session is offered: psk_key_exchange_modes with psk_dhe_ke.
    pub psk_dhe_ke: bool,
    /// Authorities that we trust, DER names.
    pub certificate_authorities: &'a [Vec<u8>],
    /// An OCSP response is wanted.
    pub status_request: bool,
    /// Signed certificate timestamps are wanted.
    pub signed_certificate_timestamp: bool,
    /// The largest record that we take (RFC 8449), plaintext bytes.
    pub record_size_limit: Option<u16>,
    /// Compressions that we can undo.
    pub compress_certificate: &'a [u16],
    /// QUIC's transport parameters.
    pub quic_transport_parameters: Option<&'a [u8]>,
    /// How many tickets are wanted.
    pub ticket_request: Option<TicketRequest>,
    /// The TLS 1.2 session that is offered by its ticket, or an empty ticket: one is wanted.
    pub session_ticket: Option<&'a [u8]>,
    /// 0-RTT data follows.
    pub early_data: bool,
    /// The session that is offered.
    pub pre_shared_key: Option<OfferedPsk<'a>>,
    /// In which order the extensions stand.
    pub order: Order,
    /// Values that mean nothing, ahead of every list but the key shares, and two extensions of no meaning, first and
    /// last of all but pre_shared_key. The share that goes with its group is among `key_shares` or left out, as the hello may.
    pub grease: Option<Grease>,
}

/// A session of TLS 1.3 as a ClientHello offers it.
#[derive(Clone, Copy, Debug)]
pub struct OfferedPsk<'a> {
    /// The ticket and its age.
    pub identity: PskIdentity<'a>,
    /// The session's hash, which says how long its binder is.
    pub hash: Hash,
}

/// The order of a ClientHello's extensions. One and the same for both hellos of a handshake: a server must find the
/// second as the first was (RFC 9846 section 4.2.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Order(Option<[u64; 2]>);

/// The order without shuffling.
const ORDER: [ExtensionType; 21] = [
    ExtensionType::SERVER_NAME,
    ExtensionType::SUPPORTED_VERSIONS,
    ExtensionType::SUPPORTED_GROUPS,
    ExtensionType::KEY_SHARE,
    ExtensionType::APPLICATION_LAYER_PROTOCOL_NEGOTIATION,
    ExtensionType::COOKIE,
    ExtensionType::PSK_KEY_EXCHANGE_MODES,
    ExtensionType::SIGNATURE_ALGORITHMS,
    ExtensionType::SIGNATURE_ALGORITHMS_CERT,
    ExtensionType::CERTIFICATE_AUTHORITIES,
    ExtensionType::STATUS_REQUEST,
    ExtensionType::SIGNED_CERTIFICATE_TIMESTAMP,
    ExtensionType::COMPRESS_CERTIFICATE,
    ExtensionType::RECORD_SIZE_LIMIT,
    ExtensionType::QUIC_TRANSPORT_PARAMETERS,
    ExtensionType::TICKET_REQUEST,
    ExtensionType::EARLY_DATA,
    ExtensionType::SESSION_TICKET,
    ExtensionType::EXTENDED_MASTER_SECRET,
    ExtensionType::RENEGOTIATION_INFO,
    ExtensionType::EC_POINT_FORMATS,
];

impl Order {
    /// Always the same.
    pub const FIXED: Self = Self(None);

    /// One of all orders, each about as likely as any other: half of the choices are drawn from each number of the seed,
    /// and neither has more than 2^41 outcomes. pre_shared_key, which must be the last (RFC 9846 section 4.3.11), is in
    /// none of them.
    #[must_use]
    pub const fn shuffled(seed: [u64; 2]) -> Self {
        Self(Some(seed))
    }

    /// Puts a list of as many as there are extensions into this order.
    fn put<T>(self, list: &mut [T; ORDER.len()]) {
        let Some([mut late, mut early]) = self.0 else { return };
        // Each half is a fraction of 1: what it is times the number of choices has the choice before the point, and a
        // fraction for the next one behind it.
        for last in (1..list.len()).rev() {
            let fraction = if last >= HALFWAY { &mut late } else { &mut early };
            let choices = u128::try_from(last).unwrap_or_default().saturating_add(1);
            let product = u128::from(*fraction).wrapping_mul(choices);
            *fraction = u64::try_from(product & u128::from(u64::MAX)).unwrap_or_default();
            list.swap(last, usize::try_from(product >> 64).unwrap_or_default());
        }
    }
}

/// From here up the places are filled by one number of a seed, below by the other: 21!/11! is 2^40.2, and 11! is 2^25.3.
const HALFWAY: usize = 11;

/// Which versions are offered.
#[derive(Clone, Copy)]
struct Versions {
    tls12: bool,
    tls13: bool,
}

impl Offer<'_> {
    /// The whole message. With a session on offer its last bytes are zeros, for the binder.
    ///
    /// # Errors
    /// [`Error::TooLong`] if the extensions together outgrow 65,535 bytes: a server's cookie can do that.
    pub fn encode(&self) -> Result<Vec<u8>, Error> {
        Ok(self.encode_and_offered()?.0)
    }

    /// The message, and what [`offered`](Self::offered) gives.
    pub(crate) fn encode_and_offered(&self) -> Result<(Vec<u8>, OfferedSet), Error> {
        let suites = grease::ahead(self.grease.map(|grease| grease.cipher_suite()), self.cipher_suites);
        let mut offered = OfferedSet::EMPTY;
        let mut w = Writer::with_capacity(self.capacity());
        message(&mut w, HandshakeType::CLIENT_HELLO, |w| {
            w.u16(ProtocolVersion::TLS1_2.0);
            w.bytes(self.random);
            w.vec_u8(self.session_id);
            w.block_u16(|w| suites.iter().for_each(|suite| w.u16(suite.0)));
            w.vec_u8(&[0]);
            w.block_u16(|w| self.write_extensions(w, &mut offered));
        });
        Ok((w.finish()?, offered))
    }

    /// About as many bytes as the message will have: what is long in it, and room for the rest.
    fn capacity(&self) -> usize {
        let shares = self.key_shares.iter().map(|share| share.key_exchange.len());
        let ticket = self.pre_shared_key.map_or(0, |psk| psk.identity.identity.len().saturating_add(64));
        let other = [
            320,
            ticket,
            self.session_ticket.map_or(0, <[u8]>::len),
            self.cookie.map_or(0, <[u8]>::len),
            self.quic_transport_parameters.map_or(0, <[u8]>::len),
        ];
        shares.chain(other).fold(0, usize::saturating_add)
    }

    fn write_extensions(&self, w: &mut Writer, offered: &mut OfferedSet) {
        if let Some(grease) = self.grease {
            grease::write(w, grease.empty_extension(), &[]);
        }
        // Asked for in the order of the list, which is the same for every hello, and only then shuffled.
        let mut all = self.all();
        *offered = self.offered_of(&all);
        self.order.put(&mut all);
        for (typ, sent) in all {
            if sent {
                self.write_extension(w, typ);
            }
        }
        if let Some(grease) = self.grease {
            grease::write(w, grease.one_byte_extension(), &[0]);
        }
        if let Some(psk) = self.psk() {
            pre_shared_key::write_without_binder(w, psk.identity, psk.hash);
        }
    }

    fn write_extension(&self, w: &mut Writer, typ: ExtensionType) {
        match typ {
            ExtensionType::SERVER_NAME => server_name::write(w, self.server_name.unwrap_or_default()),
            ExtensionType::SUPPORTED_VERSIONS => {
                let grease = self.grease.map(|grease| grease.version());
                supported_versions::write(w, &grease::ahead(grease, self.supported_versions));
            }
            ExtensionType::SUPPORTED_GROUPS => {
                let grease = self.grease.map(|grease| grease.group());
                supported_groups::write(w, &grease::ahead(grease, self.supported_groups));
            }
            ExtensionType::KEY_SHARE => key_share::write(w, self.key_shares),
            ExtensionType::APPLICATION_LAYER_PROTOCOL_NEGOTIATION => alpn::write(w, self.alpn),
            ExtensionType::COOKIE => cookie::write(w, self.cookie.unwrap_or_default()),
            ExtensionType::PSK_KEY_EXCHANGE_MODES => {
                psk_key_exchange_modes::write(w, self.grease.map(|grease| grease.psk_key_exchange_mode()));
            }
            _ => self.write_authentication(w, typ),
        }
    }

    fn write_authentication(&self, w: &mut Writer, typ: ExtensionType) {
        let grease = self.grease.map(|grease| grease.signature_scheme());
        match typ {
            ExtensionType::SIGNATURE_ALGORITHMS => {
                signature_algorithms::write(w, &grease::ahead(grease, self.signature_algorithms));
            }
            ExtensionType::SIGNATURE_ALGORITHMS_CERT => {
                let schemes = self.signature_algorithms_cert.unwrap_or_default();
                signature_algorithms::write_cert(w, &grease::ahead(grease, schemes));
            }
            ExtensionType::CERTIFICATE_AUTHORITIES => {
                certificate_authorities::write(w, self.certificate_authorities);
            }
            ExtensionType::STATUS_REQUEST => status_request::write_request(w),
            ExtensionType::SIGNED_CERTIFICATE_TIMESTAMP => signed_certificate_timestamp::write_request(w),
            ExtensionType::COMPRESS_CERTIFICATE => compress_certificate::write(w, self.compress_certificate),
            _ => self.write_other(w, typ),
        }
    }

    fn write_other(&self, w: &mut Writer, typ: ExtensionType) {
        match typ {
            ExtensionType::RECORD_SIZE_LIMIT => {
                record_size_limit::write(w, self.record_size_limit.unwrap_or_default());
            }
            ExtensionType::QUIC_TRANSPORT_PARAMETERS => {
                quic_transport_parameters::write(w, self.quic_transport_parameters.unwrap_or_default());
            }
            ExtensionType::EXTENDED_MASTER_SECRET => extended_master_secret::write(w),
            ExtensionType::RENEGOTIATION_INFO => renegotiation_info::write(w),
            ExtensionType::EC_POINT_FORMATS => ec_point_formats::write(w),
            ExtensionType::TICKET_REQUEST => {
                if let Some(request) = self.ticket_request {
                    ticket_request::write(w, request);
                }
            }
            ExtensionType::SESSION_TICKET => {
                session_ticket::write(w, self.session_ticket.unwrap_or_default())
            }
            ExtensionType::EARLY_DATA => early_data::write(w),
            _ => {}
        }
    }

    /// The extensions that [`Offer::encode`] sends and whose answers mean something: what the server's responses are
    /// judged by.
    #[must_use]
    pub fn offered(&self) -> OfferedSet {
        self.offered_of(&self.all())
    }

    fn offered_of(&self, all: &[(ExtensionType, bool)]) -> OfferedSet {
        let mut offered: OfferedSet = all.iter().filter(|(_, sent)| *sent).map(|(typ, _)| *typ).collect();
        if self.psk().is_some() {
            offered.insert(ExtensionType::PRE_SHARED_KEY);
        }
        offered
    }

    /// All extensions but pre_shared_key, unshuffled, and whether each is sent.
    fn all(&self) -> [(ExtensionType, bool); ORDER.len()] {
        let versions = self.versions();
        let mut all = [(ExtensionType::SERVER_NAME, false); ORDER.len()];
        for (place, typ) in all.iter_mut().zip(ORDER) {
            *place = (typ, self.sends(typ, versions));
        }
        all
    }

    /// The session, which TLS 1.2 knows nothing of.
    fn psk(&self) -> Option<OfferedPsk<'_>> {
        self.pre_shared_key.filter(|_| self.offers(ProtocolVersion::TLS1_3))
    }

    /// Whether this version is among those offered.
    fn offers(&self, version: ProtocolVersion) -> bool {
        self.supported_versions.contains(&version)
    }

    fn versions(&self) -> Versions {
        Versions { tls12: self.offers(ProtocolVersion::TLS1_2), tls13: self.offers(ProtocolVersion::TLS1_3) }
    }

    #[inline]
    fn sends(&self, typ: ExtensionType, versions: Versions) -> bool {
        match typ {
            ExtensionType::SUPPORTED_GROUPS | ExtensionType::SIGNATURE_ALGORITHMS => true,
            ExtensionType::EXTENDED_MASTER_SECRET
            | ExtensionType::RENEGOTIATION_INFO
            | ExtensionType::EC_POINT_FORMATS => versions.tls12,
            ExtensionType::SESSION_TICKET => self.session_ticket.is_some() && versions.tls12,
            ExtensionType::SIGNATURE_ALGORITHMS_CERT => self.signature_algorithms_cert.is_some(),
            ExtensionType::STATUS_REQUEST => self.status_request,
            ExtensionType::SIGNED_CERTIFICATE_TIMESTAMP => self.signed_certificate_timestamp,
            ExtensionType::RECORD_SIZE_LIMIT => self.record_size_limit.is_some(),
            ExtensionType::SERVER_NAME => self.server_name.is_some(),
            ExtensionType::APPLICATION_LAYER_PROTOCOL_NEGOTIATION => !self.alpn.is_empty(),
            _ => versions.tls13 && self.sends_tls13(typ),
        }
    }

    /// The same of what TLS 1.2 has no use for.
    fn sends_tls13(&self, typ: ExtensionType) -> bool {
        match typ {
            ExtensionType::SUPPORTED_VERSIONS | ExtensionType::KEY_SHARE => true,
            ExtensionType::COOKIE => self.cookie.is_some(),
            ExtensionType::PSK_KEY_EXCHANGE_MODES => self.psk_dhe_ke,
            ExtensionType::CERTIFICATE_AUTHORITIES => !self.certificate_authorities.is_empty(),
            ExtensionType::COMPRESS_CERTIFICATE => !self.compress_certificate.is_empty(),
            ExtensionType::QUIC_TRANSPORT_PARAMETERS => self.quic_transport_parameters.is_some(),
            ExtensionType::TICKET_REQUEST => self.ticket_request.is_some(),
            ExtensionType::EARLY_DATA => self.early_data,
            _ => false,
        }
    }
}
