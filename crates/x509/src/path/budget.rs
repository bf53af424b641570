//! The work that one chain may cause. Every loop over what a peer sent draws on it.

use crate::policy::Budget;
use crate::report::Position;
use crate::rules::Rule;

use super::{Detail, Fault};

/// What is left of a [`Budget`].
#[derive(Clone, Debug)]
pub(crate) struct Remaining {
    signatures: u32,
    nodes: u32,
    name_comparisons: u32,
    policies: u32,
}

impl Remaining {
    pub(crate) const fn new(budget: Budget) -> Self {
        Self {
            signatures: budget.signatures,
            nodes: budget.nodes,
            name_comparisons: budget.name_comparisons,
            policies: budget.policies,
        }
    }

    pub(crate) fn signature(&mut self) -> Result<(), Exhausted> {
        spend(&mut self.signatures, 1, Exhausted("signatures to verify"))
    }

    pub(crate) fn node(&mut self) -> Result<(), Exhausted> {
        spend(&mut self.nodes, 1, Exhausted("issuers to try"))
    }

    /// One comparison of a name with a subtree, or one look at either, `effort` octets in all; long ones count as
    /// several, since both lengths are the peer's choice: its CA need not be one until its signature is checked.
    pub(crate) fn name_comparison(&mut self, effort: usize) -> Result<(), Exhausted> {
        let cost = u32::try_from(effort / 64).unwrap_or(u32::MAX).saturating_add(1);
        spend(&mut self.name_comparisons, cost, Exhausted("comparisons with name constraints"))
    }

    /// One look at a certificate policy or a mapping of `length` octets; long ones count as several.
    pub(crate) fn policy(&mut self, length: usize) -> Result<(), Exhausted> {
        let cost = u32::try_from(length / 64).unwrap_or(u32::MAX).saturating_add(1);
        spend(&mut self.policies, cost, Exhausted("certificate policies"))
    }
}

fn spend(left: &mut u32, cost: u32, exhausted: Exhausted) -> Result<(), Exhausted> {
    *left = left.checked_sub(cost).ok_or(exhausted)?;
    Ok(())
}

/// The budget ran out; of what.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Exhausted(pub(crate) &'static str);

impl From<Exhausted> for Fault<'_> {
    fn from(Exhausted(what): Exhausted) -> Self {
        Self::new(Rule::WorkBudget, Position::Chain(0), None).with(Detail::What(what))
    }
}
