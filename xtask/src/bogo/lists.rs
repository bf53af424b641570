//! What is checked in under `tests/bogo`: the tests by feature, those left out and why, the names of errors, what
//! must pass.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use super::Outcome;
use crate::run::Error;

/// Which tests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Set {
    /// What any TLS 1.2 and 1.3 stack over TCP must do.
    Core,
    /// Those, and modern features.
    Modern,
    /// Every test that the suite has.
    All,
}

impl Set {
    pub(crate) fn parse(name: &str) -> Result<Self, Error> {
        match name {
            "core" => Ok(Self::Core),
            "modern" => Ok(Self::Modern),
            "all" => Ok(Self::All),
            _ => Err(format!("--set {name}: core, modern or all").into()),
        }
    }
}

/// The checked-in lists.
pub(crate) struct Lists {
    /// Feature and test, in the order of the file.
    core: Vec<(String, String)>,
    modern: Vec<(String, String)>,
    /// Glob and reason.
    disabled: Vec<(String, String)>,
    /// The suite's name of an error, and ours that say the same.
    errors: Vec<(String, String)>,
    passing: BTreeSet<String>,
    floor: usize,
}

impl Lists {
    pub(crate) fn read(folder: &Path) -> Result<Self, Error> {
        let floor = read(folder, "floor.txt")?;
        Ok(Self {
            core: pairs(&read(folder, "core.tsv")?)?,
            modern: pairs(&read(folder, "modern.tsv")?)?,
            disabled: pairs(&read(folder, "disabled.tsv")?)?,
            errors: pairs(&read(folder, "errors.tsv")?)?,
            passing: lines(&read(folder, "passing.txt")?).map(str::to_owned).collect(),
            floor: lines(&floor).next().ok_or("floor.txt is empty")?.parse()?,
        })
    }

    /// The names of a set's tests; of [`Set::All`] only the runner knows them.
    pub(crate) fn names(&self, set: Set) -> impl Iterator<Item = &str> {
        self.tests(set).map(|(_, name)| name)
    }

    fn tests(&self, set: Set) -> impl Iterator<Item = (&str, &str)> {
        let modern = if set == Set::Core { &[][..] } else { &self.modern };
        self.core.iter().chain(modern).map(|(feature, name)| (feature.as_str(), name.as_str()))
    }

    /// What each test is about.
    pub(crate) fn features(&self) -> BTreeMap<&str, &str> {
        self.tests(Set::All).map(|(feature, name)| (name, feature)).collect()
    }

    /// Why a test is left out, if it is.
    pub(crate) fn disabled(&self, name: &str) -> Option<&str> {
        self.disabled_globs().find_map(|(glob, reason)| matches(glob, name).then_some(reason))
    }

    pub(crate) fn disabled_globs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.disabled.iter().map(|(glob, reason)| (glob.as_str(), reason.as_str()))
    }

    /// The runner's error map: each name of the suite's with all of ours that say the same.
    pub(crate) fn errors(&self) -> Value {
        let mut map: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for (theirs, ours) in &self.errors {
            map.entry(theirs).or_default().push(ours);
        }
        json!(map)
    }

    /// What is worse than what is checked in, one line each.
    pub(crate) fn judge(&self, results: &BTreeMap<String, Outcome>, set: Set, whole: bool) -> Vec<String> {
        let passed = |name: &str| results.get(name) == Some(&Outcome::Passed);
        let mut worse: Vec<String> = self
            .passing
            .iter()
            .filter(|name| results.contains_key(*name) && !passed(name))
            .map(|name| format!("does not pass any more: {name}"))
            .collect();
        let core = self.core.iter().filter(|(_, name)| passed(name)).count();
        if whole && core < self.floor {
            worse.push(format!("{core} core tests pass, the floor is {}", self.floor));
        }
        let unheard = self.names(set).filter(|name| whole && !results.contains_key(*name));
        worse.extend(unheard.map(|name| format!("the runner does not have {name}")));
        worse
    }

    /// Writes down what passes now, beside what is listed already and was not run.
    pub(crate) fn update(&self, folder: &Path, results: &BTreeMap<String, Outcome>) -> Result<(), Error> {
        let mut passing = self.passing.clone();
        for (name, outcome) in results {
            if *outcome == Outcome::Passed {
                passing.insert(name.clone())
            } else {
                passing.remove(name)
            };
        }
        let mut text =
            String::from("# Tests that pass and must go on to. `cargo xtask bogo --set all --update`\n");
        for name in &passing {
            text.push_str(name);
            text.push('\n');
        }
        fs::write(folder.join("passing.txt"), text)?;
        let core = self.core.iter().filter(|(_, name)| passing.contains(name)).count();
        let floor = core.max(self.floor);
        let text = format!("# Core tests that must pass: it only rises.\n{floor}\n");
        fs::write(folder.join("floor.txt"), text)?;
        Ok(())
    }
}

fn read(folder: &Path, name: &str) -> Result<String, Error> {
    let path = folder.join(name);
    fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()).into())
}

/// Lines that are neither empty nor comments.
fn lines(text: &str) -> impl Iterator<Item = &str> {
    text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'))
}

fn pairs(text: &str) -> Result<Vec<(String, String)>, Error> {
    lines(text)
        .map(|line| {
            let (left, right) = line.split_once('\t').ok_or_else(|| format!("no tab in: {line}"))?;
            Ok((left.to_owned(), right.to_owned()))
        })
        .collect()
}

/// Whether a name is what a glob of `*` and `?` says.
pub(crate) fn matches(glob: &str, name: &str) -> bool {
    let mut rest: &str = name;
    let mut pieces = glob.split('*');
    let first = pieces.next().unwrap_or_default();
    let Some(behind) = start(first, rest) else { return false };
    rest = behind;
    let mut pieces = pieces.peekable();
    if pieces.peek().is_none() {
        return rest.is_empty();
    }
    while let Some(piece) = pieces.next() {
        if pieces.peek().is_none() {
            let at = rest.len().checked_sub(piece.len());
            return at.and_then(|at| rest.get(at..)).is_some_and(|end| start(piece, end) == Some(""));
        }
        let found = rest.char_indices().find_map(|(at, _)| start(piece, rest.get(at..)?));
        match found.or_else(|| start(piece, rest)) {
            Some(behind) => rest = behind,
            None => return false,
        }
    }
    true
}

/// What is behind `piece` at the start of `name`; `?` stands for any character.
fn start<'n>(piece: &str, name: &'n str) -> Option<&'n str> {
    let mut rest = name.chars();
    for wanted in piece.chars() {
        let is = rest.next()?;
        if wanted != '?' && wanted != is {
            return None;
        }
    }
    Some(rest.as_str())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may be blunt")]
mod tests {
    use super::*;

    #[test]
    fn globs_match_whole_names() {
        for (glob, name) in
            [("*", "A-B"), ("A*", "A"), ("A-*-C", "A-B-C"), ("*-TLS1?", "X-TLS12"), ("a*b*c", "aXbYbc")]
        {
            assert!(matches(glob, name), "{glob} {name}");
        }
        for (glob, name) in
            [("A", "AB"), ("A*", "BA"), ("A-*-C", "A-C"), ("*-TLS1?", "X-TLS1"), ("a*b", "ba")]
        {
            assert!(!matches(glob, name), "{glob} {name}");
        }
    }

    fn lists() -> Lists {
        let pair = |left: &str, right: &str| (left.to_owned(), right.to_owned());
        Lists {
            core: vec![pair("Alerts", "A"), pair("Alerts", "B")],
            modern: vec![pair("ECH", "C")],
            disabled: vec![pair("B*", "its own issue")],
            errors: vec![pair(":X:", ":Y:"), pair(":X:", ":Z:")],
            passing: BTreeSet::from(["A".to_owned()]),
            floor: 1,
        }
    }

    #[test]
    fn a_test_that_passed_before_may_not_fail_nor_be_skipped() {
        for outcome in [Outcome::Failed(String::new()), Outcome::Skipped(String::new())] {
            let results = BTreeMap::from([("A".to_owned(), outcome), ("B".to_owned(), Outcome::Passed)]);
            let worse = lists().judge(&results, Set::Core, true);
            assert_eq!(worse, ["does not pass any more: A"]);
        }
    }

    #[test]
    fn fewer_than_the_floor_and_tests_that_are_gone_are_worse() {
        let worse = lists().judge(&BTreeMap::new(), Set::Core, true);
        assert_eq!(worse.len(), 3, "{worse:?}");
        assert!(lists().judge(&BTreeMap::new(), Set::Core, false).is_empty());
        let passed = BTreeMap::from(["A", "B"].map(|name| (name.to_owned(), Outcome::Passed)));
        assert!(lists().judge(&passed, Set::Core, true).is_empty());
    }

    #[test]
    fn a_name_of_theirs_may_be_several_of_ours() {
        assert_eq!(lists().errors()[":X:"], json!([":Y:", ":Z:"]));
        assert_eq!(lists().disabled("Bad"), Some("its own issue"));
    }
}
