//! Interoperability with other implementations, each as client against our server and as server against our client:
//! OpenSSL, in the last version before the post-quantum algorithms and in the first with them, and, mostly in TLS 1.2,
//! GnuTLS, NSS, JSSE and Go. Loopback only, as many scenarios at a time as there are processors, each bounded in time and
//! with a peer process of its own.
//!
//! A scenario is a row of `tables`; `check` runs it and compares what both sides say: bytes, alerts, negotiated
//! values, identities and the secrets of both key logs, never only exit codes.

mod agreement;
mod capture;
mod check;
#[path = "../../../crates/handshake/tests/recorded/driver.rs"]
mod driver;
mod early;
mod foreign;
mod gnutls;
mod nss;
mod openssl;
mod ours;
mod own;
mod payload;
mod peer;
mod pki;
mod process;
mod record;
mod replay;
mod spec;
mod tables;
mod tap;
mod trace;
mod trixie;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};
use std::{env, thread};

pub use peer::Peer;

use foreign::Place;
use peer::Tool;
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
    /// Run nothing, but make the recordings anew that tests of the handshake play.
    pub record: bool,
    /// Only with these peers; with all if empty.
    pub peers: Vec<Peer>,
    /// Only those whose name contains one of these words; all if empty.
    pub words: Vec<String>,
}

/// A row of the tables with one of its peers and us in one of its roles.
struct Scenario {
    spec: Spec,
    role: Role,
    name: String,
}

impl Selection {
    fn peers(&self) -> Vec<Peer> {
        if self.peers.is_empty() { Peer::ALL.to_vec() } else { self.peers.clone() }
    }

    fn scenarios(&self, peer: Peer) -> Vec<Scenario> {
        let mut scenarios = Vec::new();
        for spec in tables::all().into_iter().filter(|spec| spec.peers.contains(&peer)) {
            for role in spec.roles.iter().filter(|role| peer.has_what_it_takes(&spec, role.other())) {
                let name = format!("{} [{}, we are the {}]", spec.name, peer.name(), role.name());
                let wanted =
                    self.words.is_empty() || self.words.iter().any(|word| name.contains(word.as_str()));
                if wanted && !(self.quick && spec.slow) {
                    scenarios.push(Scenario { spec, role: *role, name });
                }
            }
        }
        scenarios
    }
}

/// How many scenarios came out how. Those that are skipped have a line of their own.
#[derive(Default)]
struct Tally {
    passed: usize,
    failed: usize,
    skipped: usize,
}

/// Runs the scenarios and prints one line each and the closing line: whether all passed, and at least one ran.
///
/// # Errors
/// What keeps them from being run at all.
pub fn run(selection: &Selection) -> Result<bool, Error> {
    if selection.record {
        return record::all().map(|()| true);
    }
    let mut tally = Tally::default();
    for peer in selection.peers() {
        let scenarios = selection.scenarios(peer);
        if selection.list {
            scenarios.iter().for_each(|scenario| println!("{}", scenario.name));
        } else if !scenarios.is_empty() {
            match Tool::find(peer) {
                Ok(tool) => tally.run(&tool, &scenarios)?,
                Err(error) => tally.cannot_run(&format!("interop with {}", peer.name()), &error),
            }
        }
    }
    if selection.list {
        return Ok(true);
    }
    println!("{} passed, {} failed", tally.passed, tally.failed);
    Ok(tally.failed == 0 && tally.passed + tally.skipped > 0)
}

impl Tally {
    /// Runs these with one peer.
    fn run(&mut self, tool: &Tool, scenarios: &[Scenario]) -> Result<(), Error> {
        let start = Instant::now();
        println!("interop with {}, {} scenarios", tool.version, scenarios.len());
        let folder = tool.scratch()?;
        let certificates = folder.path.join("certificates");
        pki::write(&certificates, tool)?;
        if tool.peer == Peer::Nss {
            nss::write_database(&certificates, tool)?;
        }
        let (captured, others): (Vec<_>, Vec<_>) =
            scenarios.iter().partition(|scenario| scenario.spec.captured);
        let mut to_run = others;
        if !captured.is_empty() {
            match capture::check(&folder.path.join("capture")) {
                Ok(()) => to_run.extend(captured),
                Err(error) => captured.iter().for_each(|scenario| self.cannot_run(&scenario.name, &error)),
            }
        }
        in_parallel(
            &to_run,
            |number, scenario| {
                let scratch = folder.path.join(number.to_string());
                let place = Place { tool, certificates: &certificates, scratch: &scratch };
                check::run(&scenario.spec, scenario.role, place)
            },
            |scenario, outcome, took| self.ran(&scenario.name, outcome, took),
        );
        println!("{} took {} s", tool.peer.name(), start.elapsed().as_secs());
        Ok(())
    }

    fn ran(&mut self, name: &str, outcome: Result<(), Error>, took: Duration) {
        match outcome {
            Ok(()) => {
                self.passed += 1;
                println!("ok {name} ({} ms)", took.as_millis());
            }
            Err(error) => {
                self.failed += 1;
                println!("FAILED {name}: {error}");
            }
        }
    }

    /// Something that it takes is missing: where CI runs, everything must be there.
    fn cannot_run(&mut self, what: &str, error: &Error) {
        if env::var_os("CI").is_some_and(|value| !value.is_empty() && value != "false") {
            self.failed += 1;
            println!("FAILED {what}: {error}");
        } else {
            self.skipped += 1;
            println!("SKIPPED: {what}: {error}");
        }
    }
}

/// Does `work` on all of `items`, on as many threads as there are processors: most scenarios mostly wait. Hands each
/// outcome to `done` as it comes, with how long it took.
fn in_parallel<T: Sync, O: Send>(
    items: &[T],
    work: impl Fn(usize, &T) -> O + Sync,
    mut done: impl FnMut(&T, O, Duration),
) {
    let next = AtomicUsize::new(0);
    let (sender, outcomes) = channel();
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(2, |count| count.get().max(2)) {
            let (sender, next, work) = (sender.clone(), &next, &work);
            scope.spawn(move || {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    let Some(item) = items.get(number) else { break };
                    let start = Instant::now();
                    let outcome = work(number, item);
                    // Fails only when nobody listens any more.
                    let _ = sender.send((item, outcome, start.elapsed()));
                }
            });
        }
        drop(sender);
        for (item, outcome, took) in outcomes {
            done(item, outcome, took);
        }
    });
}

#[cfg(test)]
mod tests {
    use oxtls::{CipherSuite, NamedGroup};

    use super::*;
    use spec::{AGREED, AGREED12, Agreed, Alert, Ending, Expect, SERVER, SESSION, SESSION12, Side};

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
        let Some(tool) = Tool::on_host() else {
            eprintln!("SKIPPED: the interop harness's own test: no openssl on this machine");
            return;
        };
        let folder = tool.scratch().expect("a folder");
        let certificates = folder.path.join("certificates");
        pki::write(&certificates, &tool).expect("certificates");
        let wrong = [
            expecting(Agreed { suite: Some(CipherSuite(0x1305)), ..AGREED }),
            expecting(Agreed { group: Some(NamedGroup::SECP521R1), ..AGREED }),
            expecting(Agreed { alpn: Some(Some("h2")), ..AGREED }),
            expecting(Agreed { retry: Some(true), ..AGREED }),
            expecting(Agreed { client: Some(Some("p256")), ..AGREED }),
            refused_with(Role::Client, 42),
            refused_with(Role::Server, 48),
            Spec { asked: "elsewhere.test", ..SESSION },
            Spec { payload: 10, expect: Expect::Session(AGREED12), ..SESSION },
            Spec {
                payload: 10,
                expect: Expect::Session(Agreed { group: Some(NamedGroup::SECP521R1), ..AGREED12 }),
                ..SESSION12
            },
            Spec {
                payload: 10,
                expect: Expect::Session(Agreed { client: Some(Some("p256")), ..AGREED12 }),
                ..SESSION12
            },
        ];
        let run = |spec: &Spec, role: Role, name: &str| {
            let scratch = folder.path.join(name);
            check::run(spec, role, Place { tool: &tool, certificates: &certificates, scratch: &scratch })
        };
        for (number, spec) in wrong.iter().enumerate() {
            for role in Role::BOTH {
                let name = format!("{number}-{}", role.name());
                assert!(run(spec, role, &name).is_err(), "{spec:?} as {role:?}");
            }
        }
        run(&refused_with(Role::Client, 48), Role::Client, "right").expect("it is refused");
        let closing = Spec { payload: 10, ending: Ending::ServerCloses, ..SESSION };
        run(&closing, Role::Client, "closing").expect("a session");
    }
}
