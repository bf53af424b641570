//! Debian 13's tools in a folder, made by debootstrap from the mirror that the host itself uses: peers that the host
//! is too old for. Made once, under the `build` folder that git ignores, and then reused.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{self, Command};
use std::time::{Duration, Instant};

use super::Error;
use super::peer::build;
use super::process::Process;

/// What is in the folder. A folder that was made with another list is made anew.
const PACKAGES: [&str; 4] = ["ca-certificates", "gnutls-bin", "libnss3-tools", "openssl"];

/// In a folder that is complete: the list it was made with.
const MARK: &str = ".packages";

/// How long the making may take; usually it is a minute or two.
const LIMIT: Duration = Duration::from_secs(900);

/// The folder, made if it is not there. The error says why it can't be.
pub(super) fn folder() -> Result<PathBuf, Error> {
    let folder = build()?.join("trixie");
    if !is_made(&folder) {
        make(&folder).map_err(|error| format!("{} can't be made: {error}", folder.display()))?;
    }
    Ok(folder.canonicalize()?)
}

fn is_made(folder: &Path) -> bool {
    fs::read_to_string(folder.join(MARK)).is_ok_and(|list| list == PACKAGES.join(","))
}

/// Makes it beside its place and moves it there when it is complete: one that was interrupted is never taken for one.
fn make(folder: &Path) -> Result<(), Error> {
    let mirror = mirror()?;
    println!("making {} with debootstrap: a minute or two, once", folder.display());
    let start = Instant::now();
    let unfinished = Unfinished(folder.with_file_name(format!("trixie.{}", process::id())));
    let mut command = Command::new("debootstrap");
    command.args(["--variant=minbase", &format!("--include={}", PACKAGES.join(",")), "trixie"]);
    command.arg(&unfinished.0).arg(mirror);
    let mut debootstrap = Process::start(&mut command)?;
    let status = debootstrap.exit(Instant::now() + LIMIT)?;
    if !status.success() {
        return Err(format!("debootstrap failed ({status}): {}", debootstrap.last_words()).into());
    }
    // Its programs look `localhost` up.
    fs::copy("/etc/hosts", unfinished.0.join("etc/hosts"))?;
    fs::write(unfinished.0.join(MARK), PACKAGES.join(","))?;
    remove(folder)?;
    // Fails if a run beside this one was faster; then its folder serves as well.
    let moved = fs::rename(&unfinished.0, folder);
    if !is_made(folder) {
        moved?;
    }
    println!("made in {} s", start.elapsed().as_secs());
    Ok(())
}

/// Goes when this does, unless it was moved into its place.
struct Unfinished(PathBuf);

impl Drop for Unfinished {
    fn drop(&mut self) {
        // Left behind at worst.
        let _ = remove(&self.0);
    }
}

/// Removes a root folder, but never through something that is mounted in it.
fn remove(folder: &Path) -> Result<(), Error> {
    if !folder.exists() {
        return Ok(());
    }
    let mounts = fs::read_to_string("/proc/self/mounts")?;
    let mounted =
        mounts.lines().filter_map(|line| line.split(' ').nth(1)).any(|at| Path::new(at).starts_with(folder));
    if mounted {
        return Err(format!("something is still mounted below {}: unmount it first", folder.display()).into());
    }
    Ok(fs::remove_dir_all(folder)?)
}

/// The Debian mirror that apt uses on this machine.
fn mirror() -> Result<String, Error> {
    let files = ["/etc/apt/sources.list.d/debian.sources", "/etc/apt/sources.list"];
    let found = files.iter().find_map(|file| mirror_in(&fs::read_to_string(file).ok()?));
    found.ok_or_else(|| format!("no Debian mirror in {}", files.join(" or ")).into())
}

/// The first mirror of a file of apt's sources, in either of its two formats.
fn mirror_in(sources: &str) -> Option<String> {
    sources.lines().find_map(|line| {
        let mut words = line.split_whitespace();
        match words.next()? {
            "URIs:" => words.next().map(str::to_owned),
            // `deb [options] URI suite component ..`; the options may have spaces between them.
            "deb" => words.find(|word| word.contains("://")).map(str::to_owned),
            _ => None,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mirror_is_the_first_one_of_either_format() {
        let new =
            "Types: deb\n# URIs: http://no.test\nURIs: http://one.test/debian http://two.test\nSuites: x\n";
        assert_eq!(mirror_in(new).as_deref(), Some("http://one.test/debian"));
        let old = "# deb http://commented.test x main\ndeb [arch=amd64 signed-by=/k] http://one.test/debian x main\n";
        assert_eq!(mirror_in(old).as_deref(), Some("http://one.test/debian"));
        assert_eq!(mirror_in("deb cdrom x main\n"), None);
    }
}
