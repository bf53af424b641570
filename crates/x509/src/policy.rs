//! What is asked of a chain: purpose, optional rules, budget.

use crate::allowed::AllowedAlgorithms;
use crate::defaults;
use crate::extension::NameConstraints;
use crate::oid::{self, ObjectIdentifier};
use crate::public_suffix::PublicSuffixes;
use crate::reader::{ParseError, Reader};
use crate::rules::{Rule, RuleSet};
use crate::trust::sha256;

/// What the peer's certificate is used for (RFC 5280 section 4.2.1.12).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Purpose {
    /// The peer is a server: id-kp-serverAuth.
    ServerAuth,
    /// The peer is a client: id-kp-clientAuth.
    ClientAuth,
}

impl Purpose {
    /// The key purpose identifier's content octets.
    pub(crate) const fn oid(self) -> &'static [u8] {
        match self {
            Self::ServerAuth => oid::SERVER_AUTH,
            Self::ClientAuth => oid::CLIENT_AUTH,
        }
    }

    /// For sentences.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::ServerAuth => "TLS server authentication",
            Self::ClientAuth => "TLS client authentication",
        }
    }
}

/// The most work that one chain may cause, whatever it contains.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    /// Signatures verified.
    pub signatures: u32,
    /// Certificates and anchors tried as issuers.
    pub nodes: u32,
    /// Comparisons of a name with a subtree of a name constraint.
    pub name_comparisons: u32,
    /// Certificate policies and mappings looked at, along all paths tried.
    pub policies: u32,
    /// Intermediates between the peer's certificate and the anchor, self-issued ones not counted.
    pub depth: u8,
}

impl Default for Budget {
    fn default() -> Self {
        Self {
            signatures: defaults::SIGNATURES,
            nodes: defaults::NODES,
            name_comparisons: defaults::NAME_COMPARISONS,
            policies: defaults::POLICIES,
            depth: defaults::DEPTH,
        }
    }
}

/// Which optional rules hold, and the budget.
///
/// Every policy checks all of RFC 5280 section 6.1 and refuses broken algorithms and weak keys. [`Policy::default`]
/// asks for what TLS needs besides and so accepts what public and private CAs really issue; [`Policy::strict`] adds
/// the profile of RFC 5280 section 4 and of the CA/Browser Forum. Single optional rules can be added and lifted
/// ([`Rule::is_optional`]).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    optional: RuleSet,
    budget: Budget,
    inputs: PolicyInputs,
    name_constraints: Option<Box<[u8]>>,
    allowed: Option<Box<AllowedAlgorithms>>,
    public_suffixes: PublicSuffixes,
}

/// What is asked of a path's certificate policies: inputs (c), (e), (f) and (g) of RFC 5280 section 6.1.1, under their
/// names there. By default any policy will do, even none.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
#[allow(clippy::exhaustive_structs, reason = "RFC 5280 section 6.1.1 will not grow")]
pub struct PolicyInputs {
    /// The policies that will do (user-initial-policy-set); `None`, or anyPolicy among them, means any.
    ///
    /// By itself it refuses nothing: it selects what [`VerifiedPath::policies`](crate::VerifiedPath::policies) has.
    /// A path without any of them is refused where `initial_explicit_policy` is set, or where a CA says the like.
    pub initial_policy_set: Option<Vec<ObjectIdentifier>>,
    /// The path must be valid for at least one of the policies.
    pub initial_explicit_policy: bool,
    /// CAs' mappings of policies to others are not followed.
    pub initial_policy_mapping_inhibit: bool,
    /// anyPolicy in a certificate means nothing.
    pub initial_any_policy_inhibit: bool,
}

impl Default for Policy {
    fn default() -> Self {
        Self::with_rules(Self::DEFAULT_RULES)
    }
}

impl Policy {
    /// TLS asks for the first; the others (RFC 5280 sections 4.2.1.9 and 4.2.1.10), about certificates that contradict
    /// themselves, no CA at work is known to break.
    const DEFAULT_RULES: RuleSet = RuleSet::empty()
        .with(Rule::DigitalSignature)
        .with(Rule::NameConstraintsNeedCa)
        .with(Rule::CaSignsCertificates);

    /// Every optional rule holds but one: CA certificates may stand at the end of a path, as RFC 5280 section 4.2.1.9
    /// says. [`require`](Self::require) [`Rule::CaAsLeaf`] where the CA/Browser Forum's word counts for more.
    #[must_use]
    pub fn strict() -> Self {
        let every: RuleSet = Rule::ALL.iter().copied().filter(|rule| rule.is_optional()).collect();
        Self::with_rules(every.without(Rule::CaAsLeaf))
    }

    fn with_rules(optional: RuleSet) -> Self {
        Self {
            optional,
            budget: Budget::default(),
            inputs: PolicyInputs::default(),
            name_constraints: None,
            allowed: None,
            public_suffixes: PublicSuffixes::default(),
        }
    }

    /// Adds one optional rule. Rules of path validation itself always hold: adding one changes nothing.
    #[must_use]
    pub fn require(mut self, rule: Rule) -> Self {
        if rule.is_optional() {
            self.optional = self.optional.with(rule);
        }
        self
    }

    /// Lifts one optional rule. Rules of path validation itself always hold: lifting one changes nothing.
    #[must_use]
    pub fn lift(mut self, rule: Rule) -> Self {
        self.optional = self.optional.without(rule);
        self
    }

    /// Allows certificates these signatures and keys only, and so for the CRLs and OCSP responses that are believed: what
    /// is said of a path must not be easier to forge than the path.
    #[must_use]
    pub fn with_allowed_algorithms(mut self, allowed: AllowedAlgorithms) -> Self {
        self.allowed = Some(Box::new(allowed));
        self
    }

    /// The only signatures and keys that are allowed; `None`: all that can be verified.
    #[must_use]
    pub fn allowed_algorithms(&self) -> Option<&AllowedAlgorithms> {
        self.allowed.as_deref()
    }

    /// Which names [`Rule::PublicSuffixWildcard`] takes for public suffixes, where it is required.
    #[must_use]
    pub fn with_public_suffixes(mut self, public_suffixes: PublicSuffixes) -> Self {
        self.public_suffixes = public_suffixes;
        self
    }

    /// The suffixes that no wildcard may stand below; `None` where that is not asked.
    pub(crate) fn suffixes_without_wildcards(&self) -> Option<PublicSuffixes> {
        self.optional.contains(Rule::PublicSuffixWildcard).then_some(self.public_suffixes)
    }

    /// Replaces the budget.
    #[must_use]
    pub fn with_budget(mut self, budget: Budget) -> Self {
        self.budget = budget;
        self
    }

    /// The most intermediates between the peer's certificate and the anchor, self-issued ones not counted.
    #[must_use]
    pub fn with_max_depth(mut self, depth: u8) -> Self {
        self.budget.depth = depth;
        self
    }

    /// Asks for certificate policies.
    #[must_use]
    pub fn with_policy_inputs(mut self, inputs: PolicyInputs) -> Self {
        self.inputs = inputs;
        self
    }

    /// The path must be valid for one of these certificate policies, and only these are reported of it.
    #[must_use]
    pub fn with_required_policies(self, policies: impl IntoIterator<Item = ObjectIdentifier>) -> Self {
        let inputs = PolicyInputs {
            initial_policy_set: Some(policies.into_iter().collect()),
            initial_explicit_policy: true,
            ..self.inputs.clone()
        };
        self.with_policy_inputs(inputs)
    }

    /// Name constraints that hold for every path, as if each anchor had them (RFC 5280 section 6.1.1 (h) and (i)).
    /// `der` is a NameConstraints value (section 4.2.1.10), as it stands in an extension.
    ///
    /// # Errors
    /// [`ParseError`] if it is none.
    pub fn with_name_constraints(mut self, der: &[u8]) -> Result<Self, ParseError> {
        read_name_constraints(der)?;
        self.name_constraints = Some(der.into());
        Ok(self)
    }

    /// What is asked of certificate policies.
    #[must_use]
    pub const fn policy_inputs(&self) -> &PolicyInputs {
        &self.inputs
    }

    /// Name constraints that hold for every path.
    #[must_use]
    pub fn name_constraints(&self) -> Option<NameConstraints<'_>> {
        read_name_constraints(self.name_constraints.as_deref()?).ok()
    }

    /// Everything in it that decides a verdict, for fingerprints: no two policies that differ write the same.
    pub(crate) fn digest(&self) -> [u8; 32] {
        let rules: Vec<_> = self.optional.iter().map(Rule::name).collect();
        let Budget { signatures, nodes, name_comparisons, policies, depth } = self.budget;
        let numbers = [signatures, nodes, name_comparisons, policies, u32::from(depth)];
        let mut wanted = Vec::new();
        for policy in self.inputs.initial_policy_set.iter().flatten() {
            wanted.push(sha256(&[policy.as_bytes()]));
        }
        wanted.sort_unstable();
        wanted.dedup();
        let flags = [
            self.inputs.initial_policy_set.is_some(),
            self.inputs.initial_explicit_policy,
            self.inputs.initial_policy_mapping_inhibit,
            self.inputs.initial_any_policy_inhibit,
            self.name_constraints.is_some(),
            self.public_suffixes != PublicSuffixes::SingleLabels,
        ];
        // Each part is of fixed size: none can pass for the beginning of the next.
        sha256(&[
            &sha256(&[rules.join(" ").as_bytes()]),
            numbers.map(u32::to_be_bytes).as_flattened(),
            &flags.map(u8::from),
            &sha256(&[wanted.as_flattened()]),
            &sha256(&[self.name_constraints.as_deref().unwrap_or(&[])]),
            &self.allowed.as_ref().map_or([0; 32], |allowed| allowed.digest()),
        ])
    }

    /// The optional rules that hold.
    #[must_use]
    pub const fn optional_rules(&self) -> RuleSet {
        self.optional
    }

    /// Whether any profile rule may hold beyond those that always do by default.
    pub(crate) const fn has_profile(&self) -> bool {
        !self.optional.minus(Self::DEFAULT_RULES).is_empty()
    }

    /// The budget.
    #[must_use]
    pub const fn budget(&self) -> Budget {
        self.budget
    }
}

fn read_name_constraints(der: &[u8]) -> Result<NameConstraints<'_>, ParseError> {
    let mut reader = Reader::new(der, 0);
    let fields = reader.sequence("NameConstraints expected")?;
    reader.end("bytes after NameConstraints")?;
    NameConstraints::read(fields, true)
}
