//! What is asked of a chain: purpose, optional rules, budget.

use crate::defaults;
use crate::oid;
use crate::rules::{Rule, RuleSet};

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
    /// Intermediates between the peer's certificate and the anchor, self-issued ones not counted.
    pub depth: u8,
}

impl Default for Budget {
    fn default() -> Self {
        Self {
            signatures: defaults::SIGNATURES,
            nodes: defaults::NODES,
            name_comparisons: defaults::NAME_COMPARISONS,
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
}

impl Default for Policy {
    fn default() -> Self {
        Self { optional: RuleSet::empty().with(Rule::DigitalSignature), budget: Budget::default() }
    }
}

impl Policy {
    /// Every optional rule holds.
    #[must_use]
    pub fn strict() -> Self {
        let optional = Rule::ALL.iter().copied().filter(|rule| rule.is_optional()).collect();
        Self { optional, budget: Budget::default() }
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

    /// Replaces the budget.
    #[must_use]
    pub fn with_budget(mut self, budget: Budget) -> Self {
        self.budget = budget;
        self
    }

    /// The optional rules that hold.
    #[must_use]
    pub const fn optional_rules(&self) -> RuleSet {
        self.optional
    }

    /// Whether any profile rule may hold.
    pub(crate) const fn has_profile(&self) -> bool {
        !self.optional.without(Rule::DigitalSignature).is_empty()
    }

    /// The budget.
    #[must_use]
    pub const fn budget(&self) -> Budget {
        self.budget
    }
}
