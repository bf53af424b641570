//! Why a chain was refused: one sentence for a log, an enumeration for a program, the whole story for a person.
//!
//! Reports are built only after validation has failed; an accepted chain pays nothing for them.

use core::fmt;

use pki_types::CertificateDer;

use crate::certificate::Certificate;
use crate::name::NAMELESS;
use crate::path::build::Attempt;
use crate::path::{Context, Fault};
use crate::reference::ReferenceIdentifier;
use crate::rules::Rule;

mod cause;
mod tree;
mod words;

pub use cause::Cause;

/// Text for people, cut where it gets longer than anyone reads: names are made by the peer and may be of any length.
pub(crate) fn shown(value: impl fmt::Display) -> String {
    /// The longest text of one name, in octets.
    const LIMIT: usize = 256;
    struct Bounded(String);
    impl fmt::Write for Bounded {
        fn write_str(&mut self, text: &str) -> fmt::Result {
            let room = LIMIT.saturating_sub(self.0.len());
            let cut = text
                .char_indices()
                .map(|(at, c)| at.saturating_add(c.len_utf8()))
                .take_while(|&end| end <= room);
            let kept = text.get(..cut.last().unwrap_or(0)).unwrap_or("");
            self.0.push_str(kept);
            if kept.len() == text.len() { Ok(()) } else { Err(fmt::Error) }
        }
    }
    let mut bounded = Bounded(String::new());
    if fmt::write(&mut bounded, format_args!("{value}")).is_err() {
        bounded.0.push_str("...");
    }
    bounded.0
}

/// Which certificate a rule speaks of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Position {
    /// One of the peer's chain: 0 is the peer's own.
    Chain(usize),
    /// An anchor, by its number in the [`Roots`](crate::Roots).
    Anchor(usize),
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Chain(0) => f.write_str("the peer's certificate"),
            Self::Chain(number) => write!(f, "certificate {number} of the peer's chain"),
            Self::Anchor(_) => f.write_str("the root certificate"),
        }
    }
}

/// A path that was tried, and the rule that ended it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Candidate {
    /// From the peer's certificate up to the one tried last.
    pub path: Vec<Position>,
    /// The rule broken; [`Rule::section`] says where it stands.
    pub rule: Rule,
    /// By which certificate.
    pub certificate: Position,
    /// Where in that certificate, in octets from its beginning, if the rule is about one place in it.
    pub offset: Option<u32>,
    /// What it means.
    pub cause: Cause,
}

/// A certificate as the peer presented it, for people.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Presented {
    subject: String,
    issuer: String,
    validity: Option<(i64, i64)>,
}

/// Why a chain was refused.
///
/// `Display` is one sentence with what to do about it; [`explain`](Self::explain) tells the whole story on several
/// lines. Names in it come from the peer: control characters in them are escaped.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Report {
    /// The most probable cause, for programs.
    pub cause: Cause,
    /// The rule that was broken.
    pub rule: Rule,
    /// By which certificate.
    pub certificate: Position,
    /// Where in that certificate, in octets from its beginning.
    pub offset: Option<u32>,
    /// The paths that were tried, at most [`CANDIDATES`](crate::defaults::CANDIDATES).
    pub candidates: Vec<Candidate>,
    /// The subject of the certificate that broke the rule, if it could be read.
    pub subject: Option<String>,
    /// What would have made the peer trusted.
    pub trust: &'static str,
    presented: Vec<Presented>,
    anchors: Vec<(usize, String)>,
    presented_more: usize,
}

impl Report {
    /// The alert to send, by its number (RFC 9846 section 6.2): 42 bad_certificate, 43 unsupported_certificate,
    /// 44 certificate_revoked, 45 certificate_expired, 46 certificate_unknown, 48 unknown_ca or 113
    /// bad_certificate_status_response.
    #[must_use]
    pub const fn alert(&self) -> u8 {
        self.cause.alert()
    }

    /// What to do about it, in one sentence.
    #[must_use]
    pub fn advice(&self) -> String {
        self.cause.advice(self.certificate)
    }

    /// The whole story on several lines: the sentence, then the [`tree`](Self::tree).
    #[must_use]
    pub fn explain(&self) -> String {
        format!("{self}\n\n{}", self.tree())
    }

    /// The peer's chain and the paths tried as a tree, each with the certificate and the rule that ended it, the rule's
    /// section and the octet; then the rule in words and what to do. On several lines.
    #[must_use]
    pub fn tree(&self) -> String {
        tree::lines(self).join("\n")
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.certificate)?;
        match &self.subject {
            Some(subject) if subject == NAMELESS => write!(f, " {subject}")?,
            Some(subject) => write!(f, " ({subject})")?,
            None => {}
        }
        write!(f, " {}; {}", self.cause, self.advice())
    }
}

impl core::error::Error for Report {}

/// What a report is about: the inputs of the validation that failed.
#[derive(Clone, Copy)]
pub(crate) struct Subject<'a> {
    pub(crate) context: Context<'a>,
    pub(crate) chain: &'a [CertificateDer<'a>],
    pub(crate) name: Option<&'a ReferenceIdentifier<'a>>,
    /// What would make the peer trusted.
    pub(crate) trust: &'static str,
}

impl<'a> Subject<'a> {
    /// Builds the report of a fault.
    pub(crate) fn report(&self, fault: Fault<'_>, attempts: &[Attempt<'_>]) -> Box<Report> {
        /// Certificates of the chain that are described.
        const DESCRIBED: usize = 32;
        let candidates: Vec<_> = attempts
            .iter()
            .map(|attempt| Candidate {
                path: attempt.path.clone(),
                rule: attempt.fault.rule,
                certificate: attempt.fault.at,
                offset: attempt.fault.offset,
                cause: Cause::of(self, &attempt.fault, &attempt.path),
            })
            .collect();
        let anchors =
            candidates.iter().flat_map(|candidate| &candidate.path).filter_map(|position| match position {
                Position::Anchor(number) => {
                    Some((*number, shown(self.context.roots.anchor(*number)?.subject())))
                }
                Position::Chain(_) => None,
            });
        // The fault that is reported is that of one of the paths: the same one where several are alike.
        let same = |attempt: &&Attempt<'_>| {
            let other = attempt.fault;
            (other.rule, other.at, other.offset) == (fault.rule, fault.at, fault.offset)
        };
        let path = attempts.iter().find(same).map_or(&[][..], |attempt| &attempt.path);
        Box::new(Report {
            cause: Cause::of(self, &fault, path),
            rule: fault.rule,
            certificate: fault.at,
            offset: fault.offset,
            anchors: anchors.collect(),
            candidates,
            subject: self.certificate(fault.at).map(|certificate| shown(certificate.subject())),
            trust: self.trust,
            presented: self.chain.iter().take(DESCRIBED).map(|der| present(der)).collect(),
            presented_more: self.chain.len().saturating_sub(DESCRIBED),
        })
    }

    /// The certificate at a position, if it can be parsed.
    pub(crate) fn certificate(&self, at: Position) -> Option<Certificate<'a>> {
        match at {
            Position::Chain(number) => Certificate::parse(self.chain.get(number)?).ok(),
            Position::Anchor(number) => self.context.roots.anchor(number)?.certificate(),
        }
    }

    /// Whether the chain has a certificate of this one's issuer, other than itself.
    fn is_in_chain(&self, certificate: &Certificate<'_>) -> bool {
        let others = self.chain.iter().skip(1).filter_map(|der| Certificate::parse(der).ok());
        others
            .filter(|other| other.der() != certificate.der())
            .any(|other| other.subject() == certificate.issuer())
    }

    /// The subject of the certificate or anchor at a position; empty if there is none.
    fn name_of(&self, at: Position) -> String {
        let anchor = if let Position::Anchor(number) = at { self.context.roots.anchor(number) } else { None };
        match (anchor, self.certificate(at)) {
            (Some(anchor), _) => shown(anchor.subject()),
            (None, Some(certificate)) => shown(certificate.subject()),
            (None, None) => String::new(),
        }
    }

    /// The identifier of the key of the certificate at a position, if it gives it.
    fn key_id_of(&self, at: Position) -> Option<&'a [u8]> {
        self.certificate(at)?.subject_key_id().map(|ski| ski.key_id)
    }
}

fn present(der: &[u8]) -> Presented {
    match Certificate::parse(der) {
        Ok(certificate) => Presented {
            subject: shown(certificate.subject()),
            issuer: shown(certificate.issuer()),
            validity: Some((certificate.validity().not_before, certificate.validity().not_after)),
        },
        Err(error) => {
            Presented { subject: "(malformed)".to_owned(), issuer: error.to_string(), validity: None }
        }
    }
}
