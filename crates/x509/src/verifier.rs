//! The front door: validate a peer's chain for a purpose.

use std::sync::Arc;

use pki_types::{CertificateDer, ServerName, UnixTime};

use crate::defaults;
use crate::identity::{PeerIdentity, VerifiedPath, names_server};
use crate::path::build::Attempt;
use crate::path::{Chain, Context, Detail, Fault, build};
use crate::policy::{Policy, Purpose};
use crate::report::{self, Position, Report};
use crate::rules::Rule;
use crate::trust::{Roots, sha256};

/// Validates chains against a set of anchors. Cheap to clone; validation takes `&self` and locks nothing.
#[derive(Clone, Debug)]
pub struct Verifier {
    roots: Arc<Roots>,
    purpose: Purpose,
    policy: Policy,
}

impl Verifier {
    /// A verifier under [`Policy::default`].
    #[must_use]
    pub fn new(roots: impl Into<Arc<Roots>>, purpose: Purpose) -> Self {
        Self { roots: roots.into(), purpose, policy: Policy::default() }
    }

    /// Replaces the policy.
    #[must_use]
    pub fn with_policy(mut self, policy: Policy) -> Self {
        self.policy = policy;
        self
    }

    /// The anchors.
    #[must_use]
    pub fn roots(&self) -> &Arc<Roots> {
        &self.roots
    }

    /// What chains are validated for.
    #[must_use]
    pub const fn purpose(&self) -> Purpose {
        self.purpose
    }

    /// The policy.
    #[must_use]
    pub const fn policy(&self) -> &Policy {
        &self.policy
    }

    /// SHA-256 over everything that decides a verdict: anchors, purpose, policy. A resumed session whose verdict came
    /// from a verifier of another fingerprint has to be judged again.
    #[must_use]
    pub fn fingerprint(&self) -> [u8; 32] {
        let budget = self.policy.budget();
        let rules: Vec<_> = self.policy.optional_rules().iter().map(Rule::name).collect();
        sha256(&[
            b"oxtls verifier 1",
            &self.roots.fingerprint(),
            self.purpose.name().as_bytes(),
            rules.join(" ").as_bytes(),
            &budget.signatures.to_be_bytes(),
            &budget.nodes.to_be_bytes(),
            &budget.name_comparisons.to_be_bytes(),
            &[budget.depth],
        ])
    }

    /// Validates a server's chain (leaf first, the rest in any order) and then its name: the path comes first, so
    /// that names in a report are names that a trusted CA vouched for.
    ///
    /// # Errors
    /// A [`Report`]: which rule of which certificate is broken, along which paths, and what to do.
    pub fn verify_server(
        &self,
        chain: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        now: UnixTime,
    ) -> Result<VerifiedPath, Box<Report>> {
        self.verify(chain, Some(name), now)
    }

    /// Validates a client's chain (leaf first, the rest in any order). Who the client is, is in the
    /// [`identity`](VerifiedPath::identity) of the result; what it may do is the application's decision.
    ///
    /// # Errors
    /// As [`verify_server`](Self::verify_server).
    pub fn verify_client(
        &self,
        chain: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<VerifiedPath, Box<Report>> {
        self.verify(chain, None, now)
    }

    fn verify(
        &self,
        chain: &[CertificateDer<'_>],
        name: Option<&ServerName<'_>>,
        now: UnixTime,
    ) -> Result<VerifiedPath, Box<Report>> {
        let now = i64::try_from(now.as_secs()).unwrap_or(i64::MAX);
        let context = Context { roots: &self.roots, policy: &self.policy, purpose: self.purpose, now };
        let subject = report::Subject { context, chain, name };
        if chain.len() > defaults::MAX_CHAIN {
            let detail = Detail::What("certificates in the chain");
            return Err(
                subject.report(Fault::new(Rule::WorkBudget, Position::Chain(0), None).with(detail), &[])
            );
        }
        let mut parsed = Chain::parse(chain, &self.roots).map_err(|fault| subject.report(fault, &[]))?;
        let found = build::search(context, &mut parsed)
            .map_err(|failure| subject.report(failure.fault, &failure.attempts))?;
        let Some((leaf, anchor)) = parsed.nodes.first().zip(self.roots.anchor(found.anchor)) else {
            return Err(subject.report(Fault::new(Rule::ChainPresent, Position::Chain(0), None), &[]));
        };
        if name.is_some_and(|name| !names_server(&leaf.certificate, name)) {
            let offset = leaf.certificate.subject_alt_name().map(|san| san.offset);
            let fault = Fault::new(Rule::NameMatch, Position::Chain(0), offset);
            let path = found.path.iter().map(|&position| Position::Chain(usize::from(position)));
            let path = path.chain([Position::Anchor(found.anchor)]).collect();
            return Err(subject.report(fault, &[Attempt { path, fault }]));
        }
        Ok(VerifiedPath {
            path: found.path,
            anchor: Arc::clone(anchor),
            identity: PeerIdentity::from_parsed(&leaf.certificate),
            earliest_expiry: found.earliest_expiry,
        })
    }
}
