//! Certificate transparency (RFC 6962): proof that a certificate was promised to public logs.
//!
//! Off unless a verifier is given a [`Transparency`]. Timestamps come embedded in the certificate, in the TLS extension
//! or in the stapled OCSP response; all that verify against a log of the list count, each log once.

mod log;
mod sct;

use std::sync::Arc;

use crate::certificate::Certificate;
use crate::defaults;
use crate::oid;
use crate::path::budget::{Exhausted, Remaining};
use crate::path::{Detail, Fault};
use crate::reader::Reader;
use crate::report::Position;
use crate::revocation::{Path, timestamps};
use crate::rules::Rule;
use crate::trust::sha256;

pub use log::{Log, LogError, LogList};

use sct::{Entry, Timestamp, Timestamps};

/// How many logs must have promised to publish the peer's certificate, and which logs count.
///
/// ```no_run
/// use oxtls_x509::{Log, LogList, Transparency};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let (key_one, key_two) = (Vec::new(), Vec::new());
/// let mut logs = LogList::empty();
/// logs.add(Log::from_spki(&key_one, "Operator One")?);
/// logs.add(Log::from_spki(&key_two, "Operator Two")?);
/// let rule = Transparency::require(logs, 2).operators(2);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Transparency {
    logs: Arc<LogList>,
    timestamps: usize,
    operators: usize,
}

impl Transparency {
    /// Timestamps of so many distinct logs.
    #[must_use]
    pub fn require(logs: impl Into<Arc<LogList>>, timestamps: usize) -> Self {
        Self { logs: logs.into(), timestamps, operators: 1 }
    }

    /// And those logs must be of so many distinct operators; 1 unless this is called.
    #[must_use]
    pub const fn operators(mut self, operators: usize) -> Self {
        self.operators = operators;
        self
    }

    /// The logs that count.
    #[must_use]
    pub const fn logs(&self) -> &Arc<LogList> {
        &self.logs
    }

    /// SHA-256 over the logs and how many are asked for.
    #[must_use]
    pub fn fingerprint(&self) -> [u8; 32] {
        let numbers =
            [self.timestamps, self.operators].map(|n| u64::try_from(n).unwrap_or(u64::MAX).to_be_bytes());
        sha256(&[b"oxtls transparency", numbers.as_flattened(), &self.logs.fingerprint()])
    }
}

/// Which distinct logs and operators have been counted.
#[derive(Default)]
struct Tally<'l> {
    logs: Vec<&'l Log>,
}

impl<'l> Tally<'l> {
    fn has(&self, log: &Log) -> bool {
        self.logs.iter().any(|counted| counted.id() == log.id())
    }

    fn operators(&self) -> usize {
        let mut operators: Vec<_> = self.logs.iter().map(|log| log.operator()).collect();
        operators.sort_unstable();
        operators.dedup();
        operators.len()
    }

    fn satisfies(&self, rule: &Transparency) -> bool {
        self.logs.len() >= rule.timestamps && self.operators() >= rule.operators.min(rule.timestamps)
    }
}

/// Judges the timestamps of a path's leaf, as far as the rule asks for any.
pub(crate) fn check<'a>(path: &Path<'_, 'a>, budget: &mut Remaining) -> Result<(), Fault<'a>> {
    let (Some(rule), Some(leaf)) = (path.evidence.transparency, path.certificates.first()) else {
        return Ok(());
    };
    let mut tally = Tally::default();
    let mut left = defaults::SCTS;
    let issuer_spki = path.issuer_spki(0);
    let stapled = path.evidence.stapled;
    let in_response = stapled.ocsp.and_then(|der| timestamps(der, leaf.serial(), leaf.issuer(), issuer_spki));
    let whole = Entry::certificate(leaf.der());
    if let Some(list) = embedded(leaf)
        && let Some(entry) = Entry::precertificate(leaf, issuer_spki)
    {
        count(rule, path, &mut tally, (list, &entry), &mut left, budget)?;
    }
    for list in [stapled.scts, in_response].into_iter().flatten() {
        count(rule, path, &mut tally, (list, &whole), &mut left, budget)?;
    }
    if tally.satisfies(rule) {
        return Ok(());
    }
    let found = u32::try_from(tally.logs.len()).unwrap_or(u32::MAX);
    Err(Fault::new(Rule::Transparency, Position::Chain(0), None).with(Detail::Limit(found)))
}

/// Counts the timestamps of one list. A list or a timestamp that cannot be read counts for nothing.
fn count<'l>(
    rule: &'l Transparency,
    path: &Path<'_, '_>,
    tally: &mut Tally<'l>,
    (list, entry): (&[u8], &Entry<'_>),
    left: &mut usize,
    budget: &mut Remaining,
) -> Result<(), Exhausted> {
    for timestamp in Timestamps::read(list) {
        if tally.satisfies(rule) {
            return Ok(());
        }
        let Some(rest) = left.checked_sub(1) else {
            return Ok(());
        };
        *left = rest;
        let Some(log) = timestamp.log(&rule.logs).filter(|log| !tally.has(log)) else {
            continue;
        };
        if counts(&timestamp, log, path) && timestamp.verifies(log, entry, budget)? {
            tally.logs.push(log);
        }
    }
    Ok(())
}

/// Whether the log was in service for this certificate at that time, which must not lie ahead of ours.
fn counts(timestamp: &Timestamp<'_>, log: &Log, path: &Path<'_, '_>) -> bool {
    let not_after = path.certificates.first().map_or(i64::MIN, |leaf| leaf.validity().not_after);
    // Timestamps are in milliseconds.
    let seconds = i64::try_from(timestamp.milliseconds / 1_000).unwrap_or(i64::MAX);
    seconds <= path.context.now && log.serves(seconds, not_after)
}

/// The list embedded in a certificate: an OCTET STRING in the extension's (RFC 6962 section 3.3).
fn embedded<'a>(certificate: &Certificate<'a>) -> Option<&'a [u8]> {
    let extension = certificate.extensions().find(|extension| extension.oid.0 == oid::EMBEDDED_SCTS)?;
    let mut reader = Reader::new(extension.value, extension.offset);
    let list = reader.octet_string().ok()?.value;
    reader.is_empty().then_some(list)
}
