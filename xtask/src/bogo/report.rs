//! What is printed: a table by feature, every failure with its reason.

use std::collections::BTreeMap;
use std::fmt;

use super::Outcome;
use super::lists::Lists;

/// Passed, failed, skipped.
#[derive(Clone, Copy, Debug, Default)]
struct Counts([usize; 3]);

impl Counts {
    fn add(&mut self, outcome: &Outcome) {
        let Self([passed, failed, skipped]) = self;
        *match outcome {
            Outcome::Passed => passed,
            Outcome::Failed(_) => failed,
            Outcome::Skipped(_) => skipped,
        } += 1;
    }
}

/// A run, added up.
pub(crate) struct Report {
    features: BTreeMap<String, Counts>,
    total: Counts,
    failures: Vec<String>,
    /// Reasons to skip a test, with how many.
    skipped: BTreeMap<String, usize>,
}

impl Report {
    pub(crate) fn new(lists: &Lists, results: &BTreeMap<String, Outcome>) -> Self {
        let names = lists.features();
        let mut report = Self {
            features: BTreeMap::new(),
            total: Counts::default(),
            failures: Vec::new(),
            skipped: BTreeMap::new(),
        };
        for (name, outcome) in results {
            let feature = names.get(name.as_str()).copied().unwrap_or("(neither core nor modern)");
            report.features.entry(feature.to_owned()).or_default().add(outcome);
            report.total.add(outcome);
            match outcome {
                Outcome::Passed => {}
                Outcome::Failed(reason) => report.failures.push(format!("{name}: {reason}")),
                Outcome::Skipped(reason) => *report.skipped.entry(reason.clone()).or_default() += 1,
            }
        }
        report
    }

    pub(crate) fn failed(&self) -> usize {
        let Counts([_, failed, _]) = self.total;
        failed
    }

    pub(crate) fn closing_line(&self) -> String {
        let Counts([passed, failed, skipped]) = self.total;
        format!("{passed} passed, {failed} failed, {skipped} skipped")
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{:<52} {:>7} {:>7} {:>7}", "feature", "passed", "failed", "skipped")?;
        for (feature, Counts([passed, failed, skipped])) in &self.features {
            writeln!(f, "{feature:<52} {passed:>7} {failed:>7} {skipped:>7}")?;
        }
        for (reason, count) in &self.skipped {
            writeln!(f, "skipped: {count} tests: {reason}")?;
        }
        for failure in &self.failures {
            writeln!(f, "failed: {failure}")?;
        }
        Ok(())
    }
}

/// Collects the reasons from what the runner prints: `FAILED (NAME)`, then what it got and what it wanted.
#[derive(Debug, Default)]
pub(crate) struct Failures {
    name: Option<String>,
    text: Vec<String>,
    reasons: BTreeMap<String, String>,
}

impl Failures {
    pub(crate) fn line(&mut self, line: &str) {
        if let Some(name) = line.strip_prefix("FAILED (").and_then(|rest| rest.strip_suffix(')')) {
            self.end();
            self.name = Some(name.to_owned());
        } else if line.starts_with("PASSED (") || line.starts_with("UNIMPLEMENTED (") {
            self.end();
        } else if self.name.is_some() && !line.trim().is_empty() {
            self.text.push(line.trim().to_owned());
        }
    }

    fn end(&mut self) {
        let text = std::mem::take(&mut self.text);
        if let Some(name) = self.name.take() {
            let noise = ["got:", "stderr:", "stdout:", "extra stderr:", "child: \"exit status 1\""];
            let said: Vec<String> = text.into_iter().filter(|line| !noise.contains(&line.as_str())).collect();
            self.reasons.insert(name, said.join(" | "));
        }
    }

    pub(crate) fn finish(mut self) -> BTreeMap<String, String> {
        self.end();
        self.reasons
    }
}

#[cfg(test)]
#[allow(clippy::indexing_slicing, reason = "a test may be blunt")]
mod tests {
    use super::*;

    #[test]
    fn the_reason_is_what_was_said_between_two_names() {
        let mut failures = Failures::default();
        for line in [
            "PASSED (A)",
            "FAILED (B)",
            "unexpected error",
            "got:",
            "\tstderr:",
            "\t\t:X: why",
            "",
            "\tlocal: \"l\"",
            "\tchild: \"exit status 1\"",
            "want:",
            "\tlocal: \"w\"",
            "FAILED (C)",
            "unexpected success",
            "UNIMPLEMENTED (D)",
        ] {
            failures.line(line);
        }
        let reasons = failures.finish();
        assert_eq!(reasons["B"], "unexpected error | :X: why | local: \"l\" | want: | local: \"w\"");
        assert_eq!(reasons["C"], "unexpected success");
        assert_eq!(reasons.len(), 2);
    }
}
