//! `oxtls inspect`: what a chain of certificates is, and whether it holds.

mod describe;
mod files;
mod help;
mod moment;
mod options;

use oxtls::pki_types::CertificateDer;
use oxtls::x509::{Policy, Purpose, TrustedBy, VerifiedPath, Verifier};
use oxtls::{Report, Roots};

use crate::exit::{self, Exit, Failure};
use crate::terminal::{line, out, print, text};
use options::Options;

/// The certificates, then the path that holds or the paths that do not.
pub(crate) fn run(arguments: lexopt::Parser) -> Result<(), Failure> {
    let Some(options) = Options::parse(arguments)? else {
        return Ok(print(&[help::HELP, exit::TABLE])?);
    };
    let chain = files::chain(&options.chain)?;
    let verifier = verifier(&options)?;
    out(text(describe::chain(&chain, options.at)))?;
    let verdict = match (&options.name, options.purpose) {
        (Some(name), Purpose::ServerAuth) => verifier.verify_server(&chain, name, options.at),
        _ => verifier.verify_client(&chain, options.at),
    };
    match verdict {
        Ok(path) => accepted(&options, &chain, &path),
        Err(report) => refused(&report),
    }
}

fn verifier(options: &Options) -> Result<Verifier, Failure> {
    let policy = if options.strict { Policy::strict() } else { Policy::default() };
    let verifier = if options.exactly.is_empty() {
        let roots = roots(options)?;
        if options.pins.is_empty() {
            Verifier::new(roots, options.purpose)
        } else {
            Verifier::pinned(roots, options.pins.iter().copied(), options.purpose)
        }
    } else {
        let mut trusted = Vec::new();
        for file in &options.exactly {
            trusted.extend(files::chain(file)?);
        }
        Verifier::exactly(&trusted, options.purpose).map_err(Failure::failed)?
    };
    Ok(verifier.with_policy(policy))
}

fn roots(options: &Options) -> Result<Roots, Failure> {
    if options.roots.is_empty() {
        return files::platform();
    }
    let mut roots = Roots::empty();
    for file in &options.roots {
        roots.add_pem_file(file).map_err(Failure::failed)?;
    }
    Ok(roots)
}

fn accepted(options: &Options, chain: &[CertificateDer<'_>], path: &VerifiedPath) -> Result<(), Failure> {
    let mut lines = vec!["the path that holds, from the peer's certificate up:".to_owned()];
    for (depth, position) in path.positions().enumerate() {
        lines.push(format!(
            "{}{position}: {}",
            "  ".repeat(depth.min(20) + 1),
            describe::subject(chain, position)
        ));
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
    let until = i64::try_from(path.earliest_expiry().as_secs()).unwrap_or(i64::MAX);
    lines.push(format!("holds until {}", moment::shown(until)));
    Ok(out(text(lines.join("\n")))?)
}

fn refused(report: &Report) -> Result<(), Failure> {
    // The chain has been shown; what is left of the tree are the paths and what is wrong with them.
    let tree = report.tree();
    let paths = tree.find("trusted: ").and_then(|start| tree.get(start..)).unwrap_or(&tree);
    out(text(paths))?;
    Err(Failure::new(Exit::CertificateRefused, line(report)))
}
