//! `oxtls inspect`: what a chain of certificates is, and whether it holds.

mod describe;
mod files;
mod help;
mod moment;
mod options;
mod path;

use oxtls::x509::{CrlStore, Policy, Purpose, Revocation, Stapled, Verifier};
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
    let crls = files::crls(&options.crls)?;
    let response = options.ocsp.as_deref().map(files::response).transpose()?;
    let verifier = verifier(&options, &crls)?;
    out(text(describe::chain(&chain, options.at)))?;
    if !crls.is_empty() {
        out(text(describe::crls(&crls, options.at)))?;
    }
    let stapled = Stapled { ocsp: response.as_deref(), scts: None };
    let verdict = match (&options.name, options.purpose) {
        (Some(name), Purpose::ServerAuth) => verifier.verify_server_with(&chain, name, stapled, options.at),
        _ => verifier.verify_client_with(&chain, stapled, options.at),
    };
    match verdict {
        Ok(path) => Ok(out(text(path::tree(&options, &chain, &path)))?),
        Err(report) => refused(&report),
    }
}

fn verifier(options: &Options, crls: &CrlStore) -> Result<Verifier, Failure> {
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
    let revocation = match (options.asks_for_status(), options.require_status) {
        (false, _) => Revocation::off(),
        (true, false) => Revocation::soft_fail(crls.clone()),
        (true, true) => Revocation::hard_fail(crls.clone()),
    };
    Ok(verifier.with_policy(policy).with_revocation(revocation))
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

fn refused(report: &Report) -> Result<(), Failure> {
    // The chain has been shown; what is left of the tree are the paths and what is wrong with them.
    let tree = report.tree();
    let paths = tree.find("trusted: ").and_then(|start| tree.get(start..)).unwrap_or(&tree);
    out(text(paths))?;
    Err(Failure::new(Exit::CertificateRefused, line(report)))
}
