//! The rules of the floors, from cargo's own metadata: a crate uses the ones below it and never one beside or
//! above it, and what comes in from outside is on a list, with the reason.
#![forbid(unsafe_code)]

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;
use std::{env, fs};

use serde_json::Value;

/// One library crate of the house: the crates of ours that it may use, and the foreign ones it does use.
struct Floor {
    name: &'static str,
    below: &'static [&'static str],
    foreign: &'static [(&'static str, &'static str)],
}

const PKI_TYPES: (&str, &str) =
    ("rustls-pki-types", "the ecosystem's nouns for certificates, keys, names and time");
const ZEROIZE: (&str, &str) = ("zeroize", "secrets erase themselves when dropped");

const FLOORS: [Floor; 6] = [
    Floor {
        name: "oxtls-crypto",
        below: &[],
        foreign: &[("aws-lc-rs", "the one crypto library"), PKI_TYPES, ZEROIZE],
    },
    Floor {
        name: "oxtls-record",
        below: &["oxtls-crypto"],
        foreign: &[("bytes", "optional: plaintext handed out as Bytes without a copy")],
    },
    Floor {
        name: "oxtls-x509",
        below: &["oxtls-crypto"],
        foreign: &[
            PKI_TYPES,
            ("psl", "optional: the list of publicsuffix.org as data"),
            ("rustls-native-certs", "optional: the platform's store of roots"),
            ("webpki-roots", "optional: Mozilla's roots as data"),
        ],
    },
    Floor { name: "oxtls-handshake", below: &["oxtls-crypto"], foreign: &[PKI_TYPES, ZEROIZE] },
    Floor {
        name: "oxtls",
        below: &["oxtls-crypto", "oxtls-record", "oxtls-handshake", "oxtls-x509"],
        foreign: &[
            PKI_TYPES,
            ZEROIZE,
            ("brotli", "optional: certificate compression"),
            ("flate2", "optional: certificate compression (zlib)"),
            ("ruzstd", "optional: certificate compression (zstd)"),
            ("tracing", "optional: events of each step, alert, decision and close"),
        ],
    },
    Floor { name: "oxtls-std", below: &["oxtls"], foreign: &[] },
];

/// Crates that stand on the whole house and that no library may use.
const ABOVE: [&str; 6] =
    ["oxtls-bogo", "oxtls-cli", "oxtls-tests", "oxtls-test-pki", "oxtls-benches", "xtask"];

fn metadata() -> Value {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(["metadata", "--no-deps", "--format-version", "1"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("cargo prints JSON")
}

fn packages(metadata: &Value) -> impl Iterator<Item = &Value> {
    metadata["packages"].as_array().expect("packages").iter()
}

fn package<'a>(metadata: &'a Value, name: &str) -> &'a Value {
    packages(metadata).find(|package| package["name"] == name).unwrap_or_else(|| panic!("no package {name}"))
}

/// The names of what `package` depends on, optional or not, for any target; `kind` as cargo says it: null is a
/// normal dependency.
fn dependencies(package: &Value, kind: &Value) -> BTreeSet<String> {
    let all = package["dependencies"].as_array().expect("dependencies").iter();
    all.filter(|d| d["kind"] == *kind).map(|d| d["name"].as_str().expect("a name").to_owned()).collect()
}

fn is_ours(name: &str) -> bool {
    FLOORS.iter().any(|floor| floor.name == name) || ABOVE.contains(&name)
}

#[test]
fn no_crate_depends_on_one_beside_or_above_it() {
    let metadata = metadata();
    for floor in &FLOORS {
        let dependencies = dependencies(package(&metadata, floor.name), &Value::Null);
        for name in dependencies.iter().filter(|name| is_ours(name)) {
            assert!(floor.below.contains(&name.as_str()), "{} may not depend on {name}", floor.name);
        }
    }
}

/// A dev-dependency on a crate above would let a lower floor's tests rest on an upper one.
#[test]
fn no_crate_is_tested_with_one_above_it() {
    let metadata = metadata();
    for floor in &FLOORS {
        let dependencies = dependencies(package(&metadata, floor.name), &Value::from("dev"));
        // The certificates made per run stand on crypto alone, so any crate above crypto may use them.
        for name in dependencies.iter().filter(|name| is_ours(name) && *name != "oxtls-test-pki") {
            assert!(floor.below.contains(&name.as_str()), "{} may not be tested with {name}", floor.name);
        }
    }
}

#[test]
fn foreign_dependencies_are_on_the_list_and_the_list_has_no_leftovers() {
    let metadata = metadata();
    for floor in &FLOORS {
        let package = package(&metadata, floor.name);
        let found: BTreeSet<_> =
            dependencies(package, &Value::Null).into_iter().filter(|name| !is_ours(name)).collect();
        let listed: BTreeSet<_> = floor.foreign.iter().map(|(name, _)| (*name).to_owned()).collect();
        let strangers: Vec<_> = found.difference(&listed).collect();
        assert!(strangers.is_empty(), "{}: not on the list: {strangers:?}", floor.name);
        let leftovers: Vec<_> = listed.difference(&found).collect();
        assert!(leftovers.is_empty(), "{}: on the list but not used: {leftovers:?}", floor.name);
        let builds = dependencies(package, &Value::from("build"));
        assert!(builds.is_empty(), "{} has build dependencies: {builds:?}", floor.name);
    }
}

#[test]
fn every_package_of_the_workspace_is_on_a_floor_or_above_the_house() {
    for package in packages(&metadata()) {
        let name = package["name"].as_str().expect("a name");
        assert!(is_ours(name), "{name} is on no floor: add it to FLOORS or ABOVE");
    }
}

/// The one file that may hold unsafe code: counting allocations takes an `unsafe impl GlobalAlloc`.
const COUNTING_ALLOCATOR: &str = "benches/src/allocations.rs";

#[test]
fn every_target_forbids_unsafe_code_by_itself() {
    for package in packages(&metadata()).filter(|package| package["name"] != "oxtls-benches") {
        for target in package["targets"].as_array().expect("targets") {
            let kinds = target["kind"].as_array().expect("kinds");
            if kinds.iter().any(|kind| kind == "lib" || kind == "bin") {
                let path = target["src_path"].as_str().expect("a path");
                let source = fs::read_to_string(path).expect("readable source");
                assert!(source.contains("#![forbid(unsafe_code)]"), "{path} does not forbid unsafe code");
            }
        }
    }
}

#[test]
fn library_crates_take_the_lints_of_the_workspace_and_others_have_their_own_against_unsafe_code() {
    for package in packages(&metadata()) {
        let name = package["name"].as_str().expect("a name");
        let path = package["manifest_path"].as_str().expect("a path");
        let manifest = fs::read_to_string(path).expect("readable manifest");
        let inherits = manifest.contains("[lints]\nworkspace = true");
        if FLOORS.iter().any(|floor| floor.name == name) {
            assert!(inherits, "{name} does not take the workspace's lints");
        } else {
            let lint =
                if name == "oxtls-benches" { "unsafe_code = \"deny\"" } else { "unsafe_code = \"forbid\"" };
            assert!(inherits || manifest.contains(lint), "{name}: its lint table lacks {lint}");
        }
    }
}

#[test]
fn one_file_alone_allows_unsafe_code() {
    let mut folders = vec![root().to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("a readable folder") {
            let path = entry.expect("an entry").path();
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            // What git ignores is not ours.
            let ignored = name.starts_with('.') || name.starts_with("target") || path == root().join("build");
            if path.is_dir() && !ignored {
                folders.push(path);
            } else if name.ends_with(".rs") && path != root().join(COUNTING_ALLOCATOR) {
                let source = fs::read_to_string(&path).expect("readable source");
                // In two pieces, or this file would find itself.
                assert!(
                    !source.contains(concat!("allow(", "unsafe_code")),
                    "{} allows unsafe code",
                    path.display()
                );
            }
        }
    }
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace")
}

/// A feature that changes behaviour would change it for every user in a program, since cargo unifies features.
#[test]
fn features_only_bring_a_dependency_in() {
    let allowed = [
        "default",
        "brotli",
        "bytes",
        "native-roots",
        "public-suffix",
        "tracing",
        "webpki-roots",
        "zlib",
        "zstd",
    ];
    let metadata = metadata();
    for floor in &FLOORS {
        for feature in package(&metadata, floor.name)["features"].as_object().expect("features").keys() {
            assert!(allowed.contains(&feature.as_str()), "{}: feature {feature} is not known", floor.name);
        }
    }
}

#[test]
fn every_crate_says_what_it_is_and_carries_both_licences() {
    assert!(root().join("LICENSE-APACHE").exists() && root().join("LICENSE-MIT").exists());
    let metadata = metadata();
    for floor in &FLOORS {
        let package = package(&metadata, floor.name);
        assert!(package["description"].is_string(), "{} has no description", floor.name);
        assert_eq!(package["license"], "Apache-2.0 OR MIT", "{}", floor.name);
    }
}
