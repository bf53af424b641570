//! The path that holds, as a tree: who vouches for whom, what is known of their status, and until when.

use oxtls::pki_types::CertificateDer;
use oxtls::x509::{Position, RevocationStatus, TrustedBy, VerifiedPath};

use super::options::Options;
use super::{describe, moment};

/// The tree and what it was judged by.
pub(super) fn tree(options: &Options, chain: &[CertificateDer<'_>], path: &VerifiedPath) -> String {
    let mut lines = vec!["the path that holds, from the peer's certificate up:".to_owned()];
    let mut status = Statuses::new(path.revocation());
    for (depth, position) in path.positions().enumerate() {
        let margin = "  ".repeat(depth.min(20) + 1);
        lines.push(format!("{margin}{position}: {}", describe::subject(chain, position)));
        if let Some(status) = status.of(position) {
            lines.push(format!("{margin}   status: {status}"));
        }
    }
    let depth = path.positions().count().min(20) + 1;
    if path.trusted_by() != TrustedBy::ExactCertificate {
        lines.push(format!("{}root: {}", "  ".repeat(depth), path.anchor().subject()));
    }
    let why = match path.trusted_by() {
        TrustedBy::PinnedPath => "trusted: the path leads to a root and has a pinned key in it",
        TrustedBy::ExactCertificate => "trusted: it is exactly a certificate that was given",
        _ => "trusted: the path leads to a root",
    };
    lines.push(why.to_owned());
    lines.push(match (&options.name, path.trusted_by()) {
        (_, TrustedBy::ExactCertificate) => {
            "name: not looked at, the certificate is what is trusted".to_owned()
        }
        (Some(name), _) => format!("name: {} is in the certificate", name.to_str()),
        (None, _) => "name: none was asked for (--name), so the certificate may be anybody's".to_owned(),
    });
    lines.push(format!("revocation: {}", in_words(path.revocation())));
    let until = i64::try_from(path.earliest_expiry().as_secs()).unwrap_or(i64::MAX);
    lines.push(format!("holds until {}", moment::shown(until)));
    lines.join("\n")
}

/// What is known of each certificate, from the leaf up. Of those above the first that nothing is known of, nothing is told.
struct Statuses {
    status: RevocationStatus,
    told: bool,
}

impl Statuses {
    const fn new(status: RevocationStatus) -> Self {
        Self { status, told: false }
    }

    fn of(&mut self, position: usize) -> Option<String> {
        match self.status {
            RevocationStatus::Good => Some("not revoked".to_owned()),
            RevocationStatus::Unknown(at, why) if at == Position::Chain(position) => {
                self.told = true;
                Some(format!("unknown: {why}"))
            }
            RevocationStatus::Unknown(..) if !self.told => Some("not revoked".to_owned()),
            _ => None,
        }
    }
}

fn in_words(status: RevocationStatus) -> String {
    match status {
        RevocationStatus::NotChecked => "not looked at (--crl, --ocsp)".to_owned(),
        RevocationStatus::Good => "none of these certificates is revoked".to_owned(),
        RevocationStatus::Unknown(at, _) => {
            format!("not known of {at}; --require-status would refuse the chain")
        }
    }
}
