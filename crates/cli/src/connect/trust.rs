//! Whom we trust, and the verdict on the server's certificates.

use oxtls::need::{NameToVerify, VerifyPeer};
use oxtls::pki_types::{CertificateDer, ServerName, UnixTime};
use oxtls::x509::{Purpose, VerifiedPath, Verifier};
use oxtls::{
    AlertDescription, ClientConfig, ClientConnection, Error, Fault, HandshakeError, Info, Need, Report, Roots,
};

use super::options::Options;
use crate::exit::{Exit, Failure};
use crate::terminal::complain;

/// What was decided about the server's certificates.
#[derive(Debug)]
pub(super) enum Verdict {
    /// They lead to a root.
    Verified(VerifiedPath),
    /// They do not, and the user wants to go on.
    Anyone,
}

/// Decides about the server's certificates.
#[derive(Debug)]
pub(super) struct Judge {
    verifier: Verifier,
    name: ServerName<'static>,
    accept_any: bool,
    verdict: Option<Verdict>,
}

impl Judge {
    /// Loads the roots: those of the files, or the platform's.
    pub(super) fn new(options: &Options) -> Result<Self, Failure> {
        let roots = if options.cas.is_empty() { platform(options.accept_any)? } else { files(options)? };
        Ok(Self {
            verifier: Verifier::new(roots, Purpose::ServerAuth),
            name: options.name.clone(),
            accept_any: options.accept_any,
            verdict: None,
        })
    }

    /// Answers what the connection asks.
    pub(super) fn decide(&mut self, connection: &mut ClientConnection, need: Need) -> Result<(), Error> {
        let answer = match need {
            // No ECH is offered: there is no other name to verify.
            Need::VerifyPeer(token) if token.name == NameToVerify::Configured => match self.verify(&token) {
                Ok(verdict) => {
                    self.verdict = Some(verdict);
                    token.accept()
                }
                Err(report) => {
                    return Err(connection.abort(HandshakeError::Refused {
                        alert: AlertDescription(report.alert()),
                        fault: Fault::Peer,
                        cause: report,
                    }));
                }
            },
            need => return connection.answer_as_configured(need).map(drop),
        };
        connection.answer(answer).map(drop)
    }

    /// What was decided. A server whose session is resumed shows no certificate: the session's chain is judged.
    pub(super) fn into_verdict(self, info: &Info) -> Result<Option<Verdict>, Failure> {
        if self.verdict.is_some() || !info.is_resumed() {
            return Ok(self.verdict);
        }
        let verdict = self.judge(info.peer_certificates());
        verdict.map(Some).map_err(|report| Failure::new(Exit::CertificateRefused, report))
    }

    /// What sessions from a file are checked against; `None` if any server is good enough.
    pub(super) fn checking(&self, options: &Options) -> Result<Option<ClientConfig>, Failure> {
        if self.accept_any {
            return Ok(None);
        }
        let builder = super::builder(options)?.verifier(self.verifier.clone());
        Ok(Some(builder.build()?))
    }

    fn verify(&self, token: &VerifyPeer) -> Result<Verdict, Box<Report>> {
        self.judge(&token.peer.chain)
    }

    fn judge(&self, chain: &[CertificateDer<'_>]) -> Result<Verdict, Box<Report>> {
        match self.verifier.verify_server(chain, &self.name, UnixTime::now()) {
            Ok(path) => Ok(Verdict::Verified(path)),
            Err(report) if self.accept_any => {
                complain(format_args!(
                    "oxtls: WARNING: the server is NOT VERIFIED and accepted all the same (--insecure-accept-any): {report}"
                ));
                Ok(Verdict::Anyone)
            }
            Err(report) => Err(report),
        }
    }
}

fn files(options: &Options) -> Result<Roots, Failure> {
    let mut roots = Roots::empty();
    for file in &options.cas {
        roots.add_pem_file(file).map_err(Failure::failed)?;
    }
    Ok(roots)
}

/// The platform's roots. Odd certificates among them are left out; none at all is an error, unless they do not matter.
fn platform(accept_any: bool) -> Result<Roots, Failure> {
    let (roots, errors) = Roots::native();
    if roots.is_empty() && !accept_any {
        let why = errors.first().map_or_else(|| "it is empty".to_owned(), ToString::to_string);
        return Err(Failure::failed(format_args!(
            "the platform's store of root certificates is of no use ({why}); name roots with --ca FILE"
        )));
    }
    Ok(roots)
}
