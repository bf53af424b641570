//! The front door: validate a peer's chain for a purpose.

use std::sync::Arc;

use pki_types::{CertificateDer, ServerName, UnixTime};

use crate::certificate::Certificate;
use crate::defaults;
use crate::identity::{PeerIdentity, VerifiedPath};
use crate::path::build::{Attempt, Found};
use crate::path::{Chain, Context, Detail, Fault, build, check};
use crate::policy::{Policy, Purpose};
use crate::reference::{Match, ReferenceIdentifier};
use crate::report::{self, Position, Report};
use crate::revocation::{Evidence, Revocation, RevocationStatus, Stapled};
use crate::rules::Rule;
use crate::signature_cache::SignatureCache;
use crate::transparency::Transparency;
use crate::trust::{Anchor, Roots, RootsError, sha256};
use crate::trust_mode::{DangerAcceptAnyone, SpkiPin, Trust, TrustedBy};

/// Validates chains. Cheap to clone; validation takes `&self`.
///
/// What makes a peer trusted is settled when the verifier is made, and each way has a name of its own:
///
/// | made by | trusts |
/// | --- | --- |
/// | [`new`](Self::new) | a path to one of the roots, and the name |
/// | [`pinned`](Self::pinned) | the same, if one of these keys is in the path |
/// | [`exactly`](Self::exactly) | these certificates, whatever they are called |
/// | [`danger_accept_anyone`](Self::danger_accept_anyone) | anyone at all |
#[derive(Clone, Debug)]
pub struct Verifier {
    roots: Arc<Roots>,
    trust: Trust,
    purpose: Purpose,
    policy: Policy,
    signatures: Option<Arc<SignatureCache>>,
    revocation: Revocation,
    transparency: Option<Transparency>,
}

impl Verifier {
    /// A verifier under [`Policy::default`].
    #[must_use]
    pub fn new(roots: impl Into<Arc<Roots>>, purpose: Purpose) -> Self {
        Self::trusting(Trust::Roots, roots.into(), purpose)
    }

    /// As [`new`](Self::new), and one of these keys must be in the path: the peer's, an intermediate's or the anchor's.
    /// Certificates that the peer sent but that the path does not use count for nothing. With no pin at all every chain
    /// is refused. Pin a key that is not in use yet too, or the day the CA changes its key is the day nothing works.
    #[must_use]
    pub fn pinned(
        roots: impl Into<Arc<Roots>>,
        pins: impl IntoIterator<Item = SpkiPin>,
        purpose: Purpose,
    ) -> Self {
        Self::trusting(Trust::RootsAndPins(pins.into_iter().collect()), roots.into(), purpose)
    }

    /// Trusts exactly these certificates as the peer's own, octet for octet, whoever issued them: more than one where
    /// the next one is to be known before it is in use.
    ///
    /// Dates, key strength and unknown critical extensions are checked as for any other. Names, issuers, purposes and
    /// the rest of the chain are not: the certificate *is* the identity that is wanted.
    ///
    /// # Errors
    /// [`RootsError::Certificate`] if one can't be parsed.
    pub fn exactly<'a>(
        certificates: impl IntoIterator<Item = &'a CertificateDer<'a>>,
        purpose: Purpose,
    ) -> Result<Self, RootsError> {
        let mut roots = Roots::empty();
        for certificate in certificates {
            roots.add_der(certificate)?;
        }
        Ok(Self::trusting(Trust::Exactly, roots.into(), purpose))
    }

    /// Trusts **anyone**: the certificate need only be readable. Nothing else is checked, no name, no date, no signature.
    #[must_use]
    pub fn danger_accept_anyone(danger: DangerAcceptAnyone, purpose: Purpose) -> Self {
        Self::trusting(Trust::Anyone(danger), Arc::default(), purpose)
    }

    fn trusting(trust: Trust, roots: Arc<Roots>, purpose: Purpose) -> Self {
        Self {
            roots,
            trust,
            purpose,
            policy: Policy::default(),
            signatures: None,
            revocation: Revocation::off(),
            transparency: None,
        }
    }

    /// Replaces the policy.
    #[must_use]
    pub fn with_policy(mut self, policy: Policy) -> Self {
        self.policy = policy;
        self
    }

    /// Shares verified signatures with all who were given this cache: what was verified once is not verified again.
    /// See [`SignatureCache`] for why that is safe, and
    /// [`VerifiedPath::possession_proved`] for what to call so that peers' own certificates are remembered too.
    #[must_use]
    pub fn with_signature_cache(mut self, cache: Arc<SignatureCache>) -> Self {
        self.signatures = Some(cache);
        self
    }

    /// Checks revocation; nothing is checked without this call. Of certificates that are trusted without a path
    /// ([`exactly`](Self::exactly), [`danger_accept_anyone`](Self::danger_accept_anyone)) no status is looked at: there
    /// is no issuer whose word would count.
    #[must_use]
    pub fn with_revocation(mut self, revocation: Revocation) -> Self {
        self.revocation = revocation;
        self
    }

    /// Demands signed certificate timestamps of the peer's certificate, where there is a path.
    #[must_use]
    pub fn with_transparency(mut self, transparency: Transparency) -> Self {
        self.transparency = Some(transparency);
        self
    }

    /// How revocation is checked.
    #[must_use]
    pub const fn revocation(&self) -> &Revocation {
        &self.revocation
    }

    /// Which timestamps are demanded, if any.
    #[must_use]
    pub const fn transparency(&self) -> Option<&Transparency> {
        self.transparency.as_ref()
    }

    /// The anchors; the certificates themselves where exactly those are trusted.
    #[must_use]
    pub fn roots(&self) -> &Arc<Roots> {
        &self.roots
    }

    /// What makes a peer trusted.
    #[must_use]
    pub const fn trust(&self) -> &Trust {
        &self.trust
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

    /// The cache of verified signatures, if there is one.
    #[must_use]
    pub const fn signature_cache(&self) -> Option<&Arc<SignatureCache>> {
        self.signatures.as_ref()
    }

    /// SHA-256 over everything that decides a verdict: what is trusted and how, purpose, policy. A resumed session whose
    /// verdict came from a verifier of another fingerprint has to be judged again. A signature cache decides nothing.
    #[must_use]
    pub fn fingerprint(&self) -> [u8; 32] {
        sha256(&[
            b"oxtls verifier 2",
            &self.trust.digest(),
            &self.roots.fingerprint(),
            self.purpose.name().as_bytes(),
            &self.policy.digest(),
            &self.revocation.fingerprint(),
            &self.transparency.as_ref().map_or([0; 32], Transparency::fingerprint),
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
        self.verify(chain, Some(&name.into()), Stapled::default(), now)
    }

    /// As [`verify_server`](Self::verify_server), with what came with the chain: revocation and transparency look at it.
    ///
    /// # Errors
    /// As [`verify_server`](Self::verify_server).
    pub fn verify_server_with(
        &self,
        chain: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        stapled: Stapled<'_>,
        now: UnixTime,
    ) -> Result<VerifiedPath, Box<Report>> {
        self.verify(chain, Some(&name.into()), stapled, now)
    }

    /// Validates a peer's chain and then its name, of whatever form it is: a workload by its SPIFFE ID, a person by a
    /// mailbox, a server as [`verify_server`](Self::verify_server) does. Server or client is settled by the
    /// [`Purpose`].
    ///
    /// # Errors
    /// As [`verify_server`](Self::verify_server).
    pub fn verify_peer(
        &self,
        chain: &[CertificateDer<'_>],
        name: &ReferenceIdentifier<'_>,
        stapled: Stapled<'_>,
        now: UnixTime,
    ) -> Result<VerifiedPath, Box<Report>> {
        self.verify(chain, Some(name), stapled, now)
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
        self.verify(chain, None, Stapled::default(), now)
    }

    /// As [`verify_client`](Self::verify_client), with what came with the chain.
    ///
    /// # Errors
    /// As [`verify_server`](Self::verify_server).
    pub fn verify_client_with(
        &self,
        chain: &[CertificateDer<'_>],
        stapled: Stapled<'_>,
        now: UnixTime,
    ) -> Result<VerifiedPath, Box<Report>> {
        self.verify(chain, None, stapled, now)
    }

    fn verify(
        &self,
        chain: &[CertificateDer<'_>],
        name: Option<&ReferenceIdentifier<'_>>,
        stapled: Stapled<'_>,
        now: UnixTime,
    ) -> Result<VerifiedPath, Box<Report>> {
        let now = i64::try_from(now.as_secs()).unwrap_or(i64::MAX);
        let evidence = Evidence {
            revocation: &self.revocation,
            transparency: self.transparency.as_ref(),
            stapled,
            chain,
            nesting: 0,
        };
        let context = Context {
            roots: &self.roots,
            policy: &self.policy,
            purpose: self.purpose,
            now,
            pins: self.trust.pins(),
            signatures: self.signatures.as_deref(),
            evidence: (self.revocation.is_on() || self.transparency.is_some()).then_some(&evidence),
            crl_issuer: None,
        };
        let subject = report::Subject { context, chain, name, trust: self.trust.name() };
        if chain.len() > defaults::MAX_CHAIN {
            let detail = Detail::What("certificates in the chain");
            return Err(
                subject.report(Fault::new(Rule::WorkBudget, Position::Chain(0), None).with(detail), &[])
            );
        }
        let mut parsed = Chain::parse(chain, &self.roots).map_err(|fault| subject.report(fault, &[]))?;
        match self.trust {
            Trust::Roots | Trust::RootsAndPins(_) => self.verify_path(&subject, &mut parsed),
            Trust::Exactly => verify_exactly(&context, &parsed).map_err(|fault| subject.report(fault, &[])),
            Trust::Anyone(_) => accept_anyone(&parsed).map_err(|fault| subject.report(fault, &[])),
        }
    }

    fn verify_path<'a>(
        &self,
        subject: &report::Subject<'a>,
        parsed: &mut Chain<'a>,
    ) -> Result<VerifiedPath, Box<Report>> {
        let found = build::search(subject.context, parsed)
            .map_err(|failure| subject.report(failure.fault, &failure.attempts))?;
        let Some((leaf, anchor)) = parsed.nodes.first().zip(subject.context.roots.anchor(found.anchor))
        else {
            return Err(subject.report(Fault::new(Rule::ChainPresent, Position::Chain(0), None), &[]));
        };
        if let Some(rule) = self.name_rule(&leaf.certificate, subject.name) {
            let offset = leaf.certificate.subject_alt_name().map(|san| san.offset);
            let fault = Fault::new(rule, Position::Chain(0), offset);
            return Err(subject.report(fault, &[Attempt { path: positions(&found), fault }]));
        }
        let pinned = subject.context.pins.is_some();
        Ok(VerifiedPath {
            leaf_signature: self.signatures.clone().zip(found.leaf_signature),
            path: found.path,
            anchor: Arc::clone(anchor),
            identity: PeerIdentity::with_policies(&leaf.certificate, found.policies),
            earliest_expiry: found.earliest_expiry,
            revocation: found.revocation,
            trusted_by: if pinned { TrustedBy::PinnedPath } else { TrustedBy::Path },
        })
    }

    /// The rule that stands between a leaf and the name that is wanted of it, if any.
    fn name_rule(&self, leaf: &Certificate<'_>, name: Option<&ReferenceIdentifier<'_>>) -> Option<Rule> {
        let suffixes = self.policy.suffixes_without_wildcards();
        match name.map_or(Match::Yes, |name| name.matches(leaf, suffixes)) {
            Match::Yes => None,
            Match::No => Some(Rule::NameMatch),
            Match::PublicSuffix => Some(Rule::PublicSuffixWildcard),
        }
    }
}

/// The whole path that was found.
fn positions(found: &Found) -> Vec<Position> {
    let chain = found.path.iter().map(|&position| Position::Chain(usize::from(position)));
    chain.chain([Position::Anchor(found.anchor)]).collect()
}

/// The leaf is one of the certificates trusted as they are.
fn verify_exactly<'a>(context: &Context<'a>, parsed: &Chain<'a>) -> Result<VerifiedPath, Fault<'a>> {
    let at = Position::Chain(0);
    let leaf = parsed.nodes.first().ok_or(Fault::new(Rule::ChainPresent, at, None))?.certificate;
    let namesakes = context.roots.bucket(context.roots.hash(leaf.subject()));
    let same = |anchor: &&Arc<Anchor>| anchor.certificate_der() == Some(leaf.der());
    let found = namesakes.iter().filter_map(|&index| context.roots.anchor(index)).find(same);
    let anchor = found.ok_or(Fault::new(Rule::ExactCertificate, at, None))?;
    check::any(context, &leaf, at)?;
    Ok(alone(&leaf, Arc::clone(anchor), TrustedBy::ExactCertificate))
}

/// There is a leaf, and it can be read.
fn accept_anyone<'a>(parsed: &Chain<'a>) -> Result<VerifiedPath, Fault<'a>> {
    let at = Position::Chain(0);
    let leaf = parsed.nodes.first().ok_or(Fault::new(Rule::ChainPresent, at, None))?.certificate;
    let anchor = Anchor::from_certificate(leaf.der()).map_err(|error| Fault::malformed(error, at))?;
    Ok(alone(&leaf, Arc::new(anchor), TrustedBy::DangerNobody))
}

/// A leaf that stands for itself.
fn alone(leaf: &Certificate<'_>, anchor: Arc<Anchor>, trusted_by: TrustedBy) -> VerifiedPath {
    VerifiedPath {
        path: vec![0],
        anchor,
        identity: PeerIdentity::from_parsed(leaf),
        earliest_expiry: leaf.validity().not_after,
        revocation: RevocationStatus::NotChecked,
        trusted_by,
        leaf_signature: None,
    }
}
