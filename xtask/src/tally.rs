//! Reads what test runners print and adds it up.

use std::fmt;

/// What has been seen so far of a run of test binaries.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    pub(crate) passed: u64,
    pub(crate) failed: u64,
    /// One line each: what was skipped, and why.
    pub(crate) skipped: Vec<String>,
    /// One line each: what failed.
    pub(crate) failures: Vec<String>,
    /// The test binary whose summary is still to come.
    running: Option<String>,
    /// Inside libtest's repetition of what passing tests printed.
    in_successes: bool,
    /// Tests of the running binary that returned early: libtest will count them as passed.
    returned_early: u64,
}

impl Tally {
    pub(crate) fn pass(&mut self) {
        self.passed += 1;
    }

    pub(crate) fn fail(&mut self, what: impl Into<String>) {
        self.failed += 1;
        self.failures.push(what.into());
    }

    pub(crate) fn skip(&mut self, what: impl Into<String>) {
        self.skipped.push(what.into());
    }

    /// Takes one line of `cargo test -- --show-output`; says whether a reader wants to see it.
    pub(crate) fn cargo_test_line(&mut self, line: &str) -> bool {
        if let Some(binary) = started(line) {
            self.binary_ended();
            self.running = Some(binary.to_owned());
        } else if let Some(counts) = line.strip_prefix("test result: ") {
            self.in_successes = false;
            self.running = None;
            self.add_summary(counts);
        } else if line == "successes:" {
            self.in_successes = true;
        } else if line == "failures:" {
            self.in_successes = false;
        } else if self.in_successes && line.starts_with("SKIPPED: ") {
            self.returned_early += 1;
            self.skip(line.trim_start_matches("SKIPPED: "));
            return true;
        } else if let Some(test) = line.strip_prefix("test ") {
            self.add_test(test);
        }
        !self.in_successes
    }

    fn add_test(&mut self, test: &str) {
        if let Some((name, why)) = test.split_once(" ... ignored") {
            let why = why.strip_prefix(", ").unwrap_or("marked #[ignore] without a reason");
            self.skipped.push(format!("{name}: {why}"));
        } else if let Some(name) = test.strip_suffix(" ... FAILED") {
            let binary = self.running.as_deref().unwrap_or("a test binary");
            self.failures.push(format!("{name} ({binary})"));
        }
    }

    /// `ok. 3 passed; 0 failed; 1 ignored; ...`. Ignored tests were taken from their own lines, which say why.
    fn add_summary(&mut self, counts: &str) {
        for part in counts.split([';', '.']) {
            match part.trim().split_once(' ') {
                Some((number, "passed")) => {
                    let passed: u64 = number.parse().unwrap_or(0);
                    self.passed += passed.saturating_sub(self.returned_early);
                    self.returned_early = 0;
                }
                Some((number, "failed")) => self.failed += number.parse().unwrap_or(0),
                _ => {}
            }
        }
    }

    /// A binary that ended without a summary crashed, or does not use libtest; cargo's exit status tells.
    fn binary_ended(&mut self) {
        self.in_successes = false;
        if let Some(binary) = self.running.take() {
            self.fail(format!("{binary}: ended without a test summary"));
        }
    }

    /// The end of cargo's output. A run that failed without a failed test did not compile or died.
    pub(crate) fn cargo_ended(&mut self, success: bool) {
        self.binary_ended();
        if !success && self.failed == 0 {
            self.fail("cargo test: did not build or did not run to its end");
        }
    }

    pub(crate) fn is_success(&self) -> bool {
        self.failed == 0 && self.passed > 0
    }
}

/// The closing report: what was skipped and why, what failed, and the one closing line.
impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for line in &self.skipped {
            writeln!(f, "skipped: {line}")?;
        }
        for line in &self.failures {
            writeln!(f, "failed: {line}")?;
        }
        if self.passed == 0 && self.failed == 0 {
            writeln!(f, "no test ran: that is a failure")?;
        }
        writeln!(f, "{} passed, {} failed, {} skipped", self.passed, self.failed, self.skipped.len())
    }
}

/// The name of the test binary that cargo says it starts.
fn started(line: &str) -> Option<&str> {
    let line = line.trim_start();
    let rest = line.strip_prefix("Running ").or_else(|| line.strip_prefix("Doc-tests "))?;
    // A running line of cargo's names the binary in brackets; nothing else that starts so does.
    (line.starts_with("Doc-tests ") || rest.ends_with(')')).then_some(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tally(output: &str, success: bool) -> (Tally, Vec<&str>) {
        let mut tally = Tally::default();
        let shown = output.lines().filter(|line| tally.cargo_test_line(line)).collect();
        tally.cargo_ended(success);
        (tally, shown)
    }

    const TWO_BINARIES: &str = "\
     Running unittests src/lib.rs (target/debug/deps/a-1)

running 3 tests
test one ... ok
test two ... ignored, needs a moon
test three ... ok

successes:

---- three stdout ----
noise of a passing test
SKIPPED: limbo: no data folder


successes:
    one
    three

test result: ok. 2 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.00s

   Doc-tests oxtls

test src/lib.rs - (line 3) ... ok

test result: ok. 1 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.10s
";

    #[test]
    fn summaries_of_all_binaries_are_added_and_a_test_that_skips_is_no_pass() {
        let (tally, shown) = tally(TWO_BINARIES, true);
        assert_eq!((tally.passed, tally.failed), (2, 0));
        assert_eq!(tally.skipped, ["two: needs a moon", "limbo: no data folder"]);
        assert!(tally.is_success());
        assert!(shown.contains(&"SKIPPED: limbo: no data folder"));
        assert!(!shown.contains(&"noise of a passing test"));
        assert!(tally.to_string().ends_with("\n2 passed, 0 failed, 2 skipped\n"));
    }

    #[test]
    fn a_failed_test_is_named_and_its_output_shown() {
        let output = "     Running tests/x.rs (target/debug/deps/x-1)\ntest one ... FAILED\n\nfailures:\n\n\
            ---- one stdout ----\nwhy\n\ntest result: FAILED. 0 passed; 1 failed; 0 ignored; 0 measured";
        let (tally, shown) = tally(output, false);
        assert_eq!((tally.passed, tally.failed), (0, 1));
        assert_eq!(tally.failures, ["one (tests/x.rs (target/debug/deps/x-1))"]);
        assert!(shown.contains(&"why"));
    }

    #[test]
    fn a_binary_that_dies_without_a_summary_is_a_failure() {
        let output = "     Running tests/x.rs (target/debug/deps/x-1)\ntest one ... ok\n\
                 Running tests/y.rs (target/debug/deps/y-1)\n\
            test result: ok. 5 passed; 0 failed; 0 ignored; 0 measured";
        let (tally, _) = tally(output, false);
        assert_eq!((tally.passed, tally.failed), (5, 1));
        assert!(!tally.is_success());
    }

    #[test]
    fn a_build_that_fails_is_a_failure_and_a_run_of_no_test_is_no_success() {
        let (broken, _) = tally("error: could not compile `oxtls`", false);
        assert_eq!(broken.failed, 1);
        let (empty, _) = tally("", true);
        assert_eq!((empty.passed, empty.failed), (0, 0));
        assert!(!empty.is_success());
    }
}
