//! Why a chain was refused: one sentence for a log, an enumeration for a program, the whole story for a person.
//!
//! Reports are built only after validation has failed; an accepted chain pays nothing for them.

use core::fmt;

use pki_types::{CertificateDer, ServerName};

use crate::certificate::Certificate;
use crate::path::build::Attempt;
use crate::path::{Context, Fault};
use crate::rules::Rule;
use crate::time;

mod cause;

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
    /// The rule broken.
    pub rule: Rule,
    /// By which certificate.
    pub certificate: Position,
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
    /// What went wrong, for programs.
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
    presented: Vec<Presented>,
    anchors: Vec<(usize, String)>,
    presented_more: usize,
}

impl Report {
    /// The alert to send, by its number (RFC 9846 section 6.2): 42 bad_certificate, 43 unsupported_certificate,
    /// 45 certificate_expired, 46 certificate_unknown or 48 unknown_ca.
    #[must_use]
    pub const fn alert(&self) -> u8 {
        self.cause.alert()
    }

    /// What to do about it, in one sentence.
    #[must_use]
    pub fn advice(&self) -> String {
        self.cause.advice(self.certificate)
    }

    /// The whole story on several lines: the peer's chain, the paths tried with the rule that each broke, the rule's
    /// section, the likely cause and what to do.
    #[must_use]
    pub fn explain(&self) -> String {
        format!("{self}\n\n{}", self.tree())
    }

    /// The peer's chain and the paths tried, on several lines.
    #[must_use]
    pub fn tree(&self) -> String {
        let mut lines = vec!["the peer's chain:".to_owned()];
        if self.presented.is_empty() {
            lines.push("  (empty)".to_owned());
        }
        for (number, certificate) in self.presented.iter().enumerate() {
            lines.push(format!("  {number}: {}", certificate.subject));
            lines.push(format!("     issued by {}", certificate.issuer));
            if let Some((from, until)) = certificate.validity {
                lines.push(format!("     valid from {} until {}", time::display(from), time::display(until)));
            }
        }
        if self.presented_more > 0 {
            lines.push(format!("  and {} more", self.presented_more));
        }
        lines.push("paths tried:".to_owned());
        for candidate in &self.candidates {
            let steps: Vec<_> = candidate.path.iter().map(|position| self.step(*position)).collect();
            lines.push(format!("  {}", steps.join(" <- ")));
            lines.push(format!("     {} {}", candidate.certificate, candidate.cause));
            lines.push(format!("     rule {}, {}", candidate.rule, candidate.rule.section()));
        }
        let offset = self.offset.map_or_else(String::new, |offset| format!(", at byte {offset} of it"));
        lines.push(format!("rule broken: {} by {}{offset}", self.rule, self.certificate));
        lines.push(format!("  {} ({})", self.rule.explain(), self.rule.section()));
        lines.push(format!("what to do: {}", self.advice()));
        lines.join("\n")
    }

    fn step(&self, position: Position) -> String {
        match position {
            Position::Chain(number) => number.to_string(),
            Position::Anchor(number) => {
                let name =
                    self.anchors.iter().find(|(known, _)| *known == number).map(|(_, name)| name.as_str());
                format!("root \"{}\"", name.unwrap_or("?"))
            }
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.certificate)?;
        if let Some(subject) = &self.subject {
            write!(f, " ({subject})")?;
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
    pub(crate) name: Option<&'a ServerName<'a>>,
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
                cause: Cause::of(self, &attempt.fault),
            })
            .collect();
        let anchors =
            candidates.iter().flat_map(|candidate| &candidate.path).filter_map(|position| match position {
                Position::Anchor(number) => {
                    Some((*number, shown(self.context.roots.anchor(*number)?.subject())))
                }
                Position::Chain(_) => None,
            });
        Box::new(Report {
            cause: Cause::of(self, &fault),
            rule: fault.rule,
            certificate: fault.at,
            offset: fault.offset,
            anchors: anchors.collect(),
            candidates,
            subject: self.certificate(fault.at).map(|certificate| shown(certificate.subject())),
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
