//! Interoperability with other implementations: OpenSSL 3.0 as client against our server and as server against our
//! client. Loopback only, one scenario at a time, each bounded in time and with a peer process of its own.
//!
//! A scenario is a row of `tables`; `check` runs it and compares what both sides say: bytes, alerts, negotiated
//! values, identities and the secrets of both key logs, never only exit codes.

mod check;
mod openssl;
mod ours;
mod pki;
mod process;
mod spec;
mod tables;
mod trace;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;
use std::{env, fs, process as this_process};

use spec::{Role, Spec};

/// Whatever a scenario fails with.
pub type Error = Box<dyn std::error::Error + Send + Sync>;

/// Which scenarios to run.
#[derive(Debug, Default)]
pub struct Selection {
    /// Leave out those that take long.
    pub quick: bool,
    /// Name them and run nothing.
    pub list: bool,
    /// Only those whose name contains one of these words; all if empty.
    pub words: Vec<String>,
}

impl Selection {
    fn scenarios(&self) -> Vec<(Spec, Role, String)> {
        let mut scenarios = Vec::new();
        for spec in tables::all() {
            for role in spec.roles {
                let name = format!("{} [we are the {}]", spec.name, role.name());
                let wanted =
                    self.words.is_empty() || self.words.iter().any(|word| name.contains(word.as_str()));
                if wanted && !(self.quick && spec.slow) {
                    scenarios.push((spec, *role, name));
                }
            }
        }
        scenarios
    }
}

/// Runs the scenarios and prints one line each and the closing line: whether all passed, and at least one ran.
///
/// # Errors
/// What keeps them from being run at all.
pub fn run(selection: &Selection) -> Result<bool, Error> {
    let scenarios = selection.scenarios();
    if selection.list {
        for (_, _, name) in &scenarios {
            println!("{name}");
        }
        return Ok(true);
    }
    let Some(version) = openssl_version() else {
        return without_openssl();
    };
    println!("interop with {version}, {} scenarios", scenarios.len());
    let folder = Scratch::new()?;
    let certificates = folder.path.join("certificates");
    pki::write(&certificates)?;
    let mut failed = 0;
    for (number, (spec, role, name)) in scenarios.iter().enumerate() {
        let start = Instant::now();
        match check::run(spec, *role, &certificates, &folder.path.join(number.to_string())) {
            Ok(()) => println!("ok {name} ({} ms)", start.elapsed().as_millis()),
            Err(error) => {
                failed += 1;
                println!("FAILED {name}: {error}");
            }
        }
    }
    let passed = scenarios.len() - failed;
    println!("{passed} passed, {failed} failed");
    Ok(failed == 0 && passed > 0)
}

fn openssl_version() -> Option<String> {
    let output = Command::new("openssl").arg("version").output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// Where CI runs, every peer must be there.
fn without_openssl() -> Result<bool, Error> {
    if env::var_os("CI").is_some_and(|value| !value.is_empty() && value != "false") {
        return Err("openssl is not on this machine, and in CI it must be".into());
    }
    println!("SKIPPED: interop with OpenSSL: no openssl on this machine; install Debian's package openssl");
    println!("0 passed, 0 failed");
    Ok(true)
}

/// A folder that goes when this does.
struct Scratch {
    path: PathBuf,
}

impl Scratch {
    fn new() -> Result<Self, Error> {
        let path = env::temp_dir().join(format!("oxtls-interop-{}", this_process::id()));
        fs::create_dir_all(&path)?;
        Ok(Self { path })
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // Left behind at worst.
        let _ = fs::remove_dir_all(Path::new(&self.path));
    }
}

#[cfg(test)]
mod tests {
    use oxtls::{CipherSuite, NamedGroup};

    use super::*;
    use spec::{AGREED, Agreed, Alert, Expect, SERVER, SESSION, Side};

    const fn expecting(agreed: Agreed) -> Spec {
        Spec { payload: 10, expect: Expect::Session(agreed), ..SESSION }
    }

    const fn refused_with(by: Role, alert: u8) -> Spec {
        let server = Side { identity: Some("stranger"), ..SERVER };
        Spec { server, expect: Expect::Refusal { by, alert: Alert::same(alert) }, ..SESSION }
    }

    /// A harness that cannot fail proves nothing.
    #[test]
    fn a_scenario_whose_expectation_is_wrong_fails() {
        if openssl_version().is_none() {
            eprintln!("SKIPPED: the interop harness's own test: no openssl on this machine");
            return;
        }
        let folder = Scratch::new().expect("a folder");
        let certificates = folder.path.join("certificates");
        pki::write(&certificates).expect("certificates");
        let wrong = [
            expecting(Agreed { suite: Some(CipherSuite(0x1305)), ..AGREED }),
            expecting(Agreed { group: Some(NamedGroup::SECP521R1), ..AGREED }),
            expecting(Agreed { alpn: Some(Some("h2")), ..AGREED }),
            expecting(Agreed { retry: Some(true), ..AGREED }),
            expecting(Agreed { client: Some(Some("p256")), ..AGREED }),
            refused_with(Role::Client, 42),
            refused_with(Role::Server, 48),
            Spec { asked: "elsewhere.test", ..SESSION },
        ];
        for (number, spec) in wrong.iter().enumerate() {
            for role in Role::BOTH {
                let scratch = folder.path.join(format!("{number}-{}", role.name()));
                assert!(check::run(spec, role, &certificates, &scratch).is_err(), "{spec:?} as {role:?}");
            }
        }
        let right = refused_with(Role::Client, 48);
        check::run(&right, Role::Client, &certificates, &folder.path.join("right")).expect("it is refused");
    }
}
