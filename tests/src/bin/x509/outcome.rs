//! What became of the cases.

use std::collections::BTreeSet;
use std::fmt;

use serde_json::{Value, json};

use crate::case::Case;

/// What we make of a chain.
pub(crate) enum Verdict {
    Success,
    Failure(String),
}

/// The suites are counted apart: what expects a refusal is by far the most.
const SUITES: [&str; 3] = ["core", "BetterTLS", "PKITS"];

#[derive(Default)]
struct Tally {
    right: usize,
    wrong_accepts: usize,
    wrong_rejects: usize,
}

/// A case that came out otherwise than expected.
struct Disagreement {
    id: String,
    accepted: bool,
    description: String,
    why: String,
    conflicts: Vec<String>,
}

#[derive(Default)]
pub(crate) struct Outcomes {
    suites: [Tally; 3],
    disagreements: Vec<Disagreement>,
    right: BTreeSet<String>,
    results: Vec<Value>,
}

impl Outcomes {
    pub(crate) fn add(&mut self, case: &Case<'_>, verdict: Verdict) {
        let suite = match case.id.split("::").next() {
            Some("bettertls") => 1,
            Some("pkits") => 2,
            _ => 0,
        };
        let (accepted, why) = match verdict {
            Verdict::Success => (true, String::new()),
            Verdict::Failure(why) => (false, why),
        };
        let context = why.lines().next().unwrap_or_default();
        let result = if accepted { "SUCCESS" } else { "FAILURE" };
        self.results.push(json!({ "id": case.id, "actual_result": result, "context": context }));
        let tally = &mut self.suites[suite];
        if accepted == case.accept {
            tally.right += 1;
            self.right.insert(case.id.to_owned());
            return;
        }
        if accepted {
            tally.wrong_accepts += 1;
        } else {
            tally.wrong_rejects += 1;
        }
        let conflicts = case.conflicts().into_iter().map(str::to_owned).collect();
        let (id, description) = (case.id.to_owned(), case.description());
        self.disagreements.push(Disagreement { id, accepted, description, why, conflicts });
    }

    pub(crate) fn results(&self) -> &[Value] {
        &self.results
    }

    pub(crate) fn passed(&self) -> usize {
        self.suites.iter().map(|tally| tally.right).sum()
    }

    pub(crate) fn failed(&self) -> usize {
        self.disagreements.len()
    }
}

impl fmt::Display for Outcomes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for wrong in &self.disagreements {
            let what = if wrong.accepted { "wrong accept" } else { "wrong reject" };
            writeln!(f, "{what}: {}\n  the case: {}", wrong.id, wrong.description)?;
            for line in wrong.why.lines() {
                writeln!(f, "  {line}")?;
            }
            for other in wrong.conflicts.iter().filter(|other| self.right.contains(*other)) {
                writeln!(f, "  no policy passes it together with {other}, which is as expected")?;
            }
        }
        for (name, tally) in SUITES.iter().zip(&self.suites) {
            let Tally { right, wrong_accepts, wrong_rejects } = tally;
            if right + wrong_accepts + wrong_rejects > 0 {
                writeln!(
                    f,
                    "{name}: {right} ok, {wrong_accepts} wrong accepts, {wrong_rejects} wrong rejects, 0 skipped"
                )?;
            }
        }
        Ok(())
    }
}
