//! The contenders of `benches/peers`: which there are, what building them takes, and the building.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use super::contender::Contender;
use crate::run::{self, Error, cargo};

/// A package of `benches/peers`.
pub(crate) struct Peer {
    pub(crate) package: &'static str,
    /// Programs that its build calls, and the Debian packages that have them.
    tools: &'static [(&'static str, &'static str)],
}

const OPENSSL: &[(&str, &str)] = &[("perl", "perl"), ("make", "make")];
const BORINGSSL: &[(&str, &str)] = &[("cmake", "cmake"), ("clang", "clang libclang-dev"), ("c++", "g++")];
/// Without it its C is built in one piece per file, and slower.
const S2N: &[(&str, &str)] = &[("clang", "clang")];

/// All of them; ours is the first and the limit the last.
pub(crate) const PEERS: [Peer; 8] = [
    Peer { package: "ours", tools: &[] },
    Peer { package: "rustls-0-23", tools: &[] },
    Peer { package: "rustls-0-24", tools: &[] },
    Peer { package: "s2n", tools: S2N },
    Peer { package: "boringssl", tools: BORINGSSL },
    Peer { package: "openssl-3", tools: OPENSSL },
    Peer { package: "openssl-4", tools: OPENSSL },
    Peer { package: "limit", tools: &[] },
];

/// What the run needs, built.
pub(crate) struct Built {
    programs: Vec<PathBuf>,
    certificates: PathBuf,
    counter: PathBuf,
    /// Who is not there, and why.
    pub(crate) missing: Vec<String>,
}

fn on_path(program: &str) -> bool {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path).any(|folder| folder.join(program).is_file())
}

impl Peer {
    /// What has to be installed before it can be built.
    fn lacks(&self) -> Option<String> {
        let lacking: Vec<_> = self.tools.iter().filter(|(program, _)| !on_path(program)).collect();
        let names = |pick: fn(&(&'static str, &'static str)) -> &'static str| {
            lacking.iter().map(|lacking| pick(lacking)).collect::<Vec<_>>().join(" ")
        };
        let (programs, packages) = (names(|(program, _)| program), names(|(_, package)| package));
        (!lacking.is_empty())
            .then(|| format!("{}: no {programs} here; `apt-get install {packages}` brings it", self.package))
    }

    /// Builds it; or why that can't be.
    fn built(&self, folder: &Path, target: &Path) -> Result<Option<String>, Error> {
        eprintln!("building {} (the first time this can take minutes)", self.package);
        Ok(match self.lacks() {
            None if self.build(folder, target)? => None,
            None => Some(format!("{} could not be built", self.package)),
            lacks => lacks,
        })
    }

    /// A contender whose folder has a lock of its own is a workspace of its own.
    fn build(&self, folder: &Path, target: &Path) -> Result<bool, Error> {
        let own = folder.join(self.package);
        let workspace = if own.join("Cargo.lock").is_file() { own } else { folder.to_path_buf() };
        let mut command = cargo();
        command.args(["build", "--release", "--quiet", "-p", self.package]);
        command.arg("--manifest-path").arg(workspace.join("Cargo.toml")).arg("--target-dir").arg(target);
        run::succeeds(&mut command)
    }
}

/// Builds those of them that `wanted` names, all if it is empty, and what they share; or takes them as they were built
/// last. Ours must be there.
pub(crate) fn build(wanted: &[String], anew: bool) -> Result<Option<Built>, Error> {
    let folder = PathBuf::from(run::root()).join("benches/peers");
    let target = PathBuf::from(run::root()).join("build/bench");
    let (mut programs, mut missing) = (Vec::new(), Vec::new());
    for peer in &PEERS {
        let first = programs.is_empty();
        if !first && !wanted.is_empty() && !wanted.iter().any(|wanted| wanted == peer.package) {
            continue;
        }
        let program = target.join("release").join(peer.package);
        let why = if anew { peer.built(&folder, &target)? } else { None };
        let why = why.or_else(|| (!program.is_file()).then(|| format!("{} is not built", peer.package)));
        match why {
            None => programs.push(program),
            Some(why) if first => return Err(why.into()),
            Some(why) => missing.push(why),
        }
    }
    let certificates = target.join("certificates");
    fs::create_dir_all(&certificates)?;
    let ours = programs.first().ok_or("nothing was built")?;
    if !run::succeeds(Command::new(ours).arg(&certificates).arg("--certificates"))? {
        return Ok(None);
    }
    let counter = target.join("malloc.so");
    let mut cc = Command::new(env::var_os("CC").unwrap_or_else(|| "cc".into()));
    cc.args(["-O2", "-shared", "-fPIC", "-o"]).arg(&counter).arg(folder.join("malloc.c"));
    Ok(run::succeeds(&mut cc)?.then_some(Built { programs, certificates, counter, missing }))
}

impl Built {
    /// Starts all of them, or all but the limit with their allocations counted.
    pub(crate) fn start(&self, counted: bool) -> Result<Vec<Contender>, Error> {
        let counter = counted.then_some(self.counter.as_path());
        let programs = self.programs.iter().filter(|program| !(counted && program.ends_with("limit")));
        programs.map(|program| Contender::start(program, &self.certificates, counter)).collect()
    }

    /// Whether there is a limit to measure by: it is the last.
    pub(crate) fn has_limit(&self) -> bool {
        self.programs.last().is_some_and(|program| program.ends_with("limit"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_peer_whose_tools_are_not_here_names_the_packages_that_bring_them() {
        let peer = Peer { package: "p", tools: &[("no-such-program", "package-of-it"), ("sh", "dash")] };
        let lacks = peer.lacks().unwrap();
        assert!(lacks.contains("no no-such-program here"), "{lacks}");
        assert!(lacks.contains("apt-get install package-of-it`"), "{lacks}");
        assert_eq!(Peer { package: "p", tools: &[("sh", "dash")] }.lacks(), None);
    }

    #[test]
    fn every_contender_has_a_folder() {
        for peer in &PEERS {
            let folder = PathBuf::from(run::root()).join("benches/peers").join(peer.package);
            assert!(folder.join("Cargo.toml").is_file(), "{}", peer.package);
        }
    }
}
