//! `cargo xtask x509`: the public suites of certificate paths, case by case.

use std::ffi::OsString;
use std::process::Command;

use crate::run;

/// The runner; it lives with the cross-crate tests, since it uses the library.
fn runner() -> Command {
    let mut command = run::cargo();
    command.args(["run", "--quiet", "-p", "oxtls-tests", "--bin", "x509", "--"]);
    command
}

/// Runs the cases of the files named, or of the conformance data: whether all came out as expected.
///
/// `cargo xtask test` needs no step for them: the tests of `crates/x509` run the same cases and know by name which
/// disagreements are meant.
pub(crate) fn x509(rest: Vec<OsString>) -> Result<bool, run::Error> {
    run::succeeds(runner().args(absolute(rest)))
}

/// Files are named from where the caller stands; the runner stands in the workspace's root.
fn absolute(rest: Vec<OsString>) -> Vec<OsString> {
    let mut after_profile = false;
    let absolute = |argument: OsString| {
        let is_option = argument.to_str().is_some_and(|text| text.starts_with('-'));
        let takes_word = std::mem::replace(&mut after_profile, argument == "--profile");
        if is_option || takes_word {
            return argument;
        }
        std::path::absolute(&argument).map_or(argument, Into::into)
    };
    rest.into_iter().map(absolute).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_named_from_where_the_caller_stands() {
        let here = std::env::current_dir().unwrap();
        let arguments = ["a.json", "--profile", "strict", "--out", "b.json"].map(OsString::from);
        let absolute = absolute(arguments.to_vec());
        let file = |name: &str| here.join(name).into_os_string();
        assert_eq!(
            absolute,
            [file("a.json"), "--profile".into(), "strict".into(), "--out".into(), file("b.json")]
        );
    }
}
