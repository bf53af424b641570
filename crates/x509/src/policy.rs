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
/// asks for nothing more and so accepts what public and private CAs really issue; [`Policy::strict`] adds the
/// profile of RFC 5280 section 4 and of the CA/Browser Forum. Single profile rules can be added and lifted.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Policy {
    profile: RuleSet,
    budget: Budget,
}

impl Policy {
    /// Every profile rule holds ([`Rule::is_profile`]).
    #[must_use]
    pub fn strict() -> Self {
        Self {
            profile: Rule::ALL.iter().copied().filter(|rule| rule.is_profile()).collect(),
            budget: Budget::default(),
        }
    }

    /// Adds one profile rule. Rules of path validation itself always hold: adding one changes nothing.
    #[must_use]
    pub fn require(mut self, rule: Rule) -> Self {
        if rule.is_profile() {
            self.profile = self.profile.with(rule);
        }
        self
    }

    /// Lifts one profile rule. Rules of path validation itself always hold: lifting one changes nothing.
    #[must_use]
    pub fn lift(mut self, rule: Rule) -> Self {
        self.profile = self.profile.without(rule);
        self
    }

    /// Replaces the budget.
    #[must_use]
    pub fn with_budget(mut self, budget: Budget) -> Self {
        self.budget = budget;
        self
    }

    /// The profile rules that hold.
    #[must_use]
    pub const fn profile(&self) -> RuleSet {
        self.profile
    }

    /// The budget.
    #[must_use]
    pub const fn budget(&self) -> Budget {
        self.budget
    }
}
