//! The direction of dependencies, by what cargo says rather than by what a page says.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

/// A package, and the packages of ours that it may use (tests aside).
const MAY_USE: &[(&str, &[&str])] = &[
    ("roundtrip-domain", &[]),
    ("roundtrip-connectors", &["roundtrip-domain"]),
    ("roundtrip-aws", &["roundtrip-domain"]),
    ("roundtrip-api", &["roundtrip-domain"]),
    ("roundtrip-functions", &["roundtrip-api", "roundtrip-aws", "roundtrip-connectors", "roundtrip-domain"]),
    ("roundtrip-cli", &["roundtrip-api", "roundtrip-domain"]),
];

/// What does I/O, and so may not stand in the domain.
const IO: &[&str] = &["tokio", "reqwest", "lambda_runtime", "lambda_http", "aws-config", "axum", "hyper", "tracing"];

fn metadata() -> BTreeMap<String, Vec<String>> {
    let cargo = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--no-deps", "--offline"])
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("../.."))
        .output()
        .expect("cargo runs");
    let metadata: Value = serde_json::from_slice(&cargo.stdout).expect("cargo metadata is JSON");
    let packages = metadata["packages"].as_array().expect("packages");
    let dependencies = |package: &Value| -> Vec<String> {
        let all = package["dependencies"].as_array().cloned().unwrap_or_default();
        let used = all.into_iter().filter(|dependency| dependency["kind"].is_null());
        used.filter_map(|dependency| dependency["name"].as_str().map(ToOwned::to_owned)).collect()
    };
    packages.iter().map(|p| (p["name"].as_str().unwrap_or_default().to_owned(), dependencies(p))).collect()
}

#[test]
fn dependencies_point_towards_the_domain() {
    let packages = metadata();
    let ours: Vec<&String> = packages.keys().collect();

    for (package, allowed) in MAY_USE {
        for used in packages[*package].iter().filter(|used| ours.contains(used)) {
            assert!(allowed.contains(&used.as_str()), "{package} uses {used}");
        }
    }
}

#[test]
fn the_domain_does_no_io() {
    let used = &metadata()["roundtrip-domain"];

    for crate_name in used {
        assert!(!IO.contains(&crate_name.as_str()) && !crate_name.starts_with("aws-"), "the domain uses {crate_name}");
    }
}

/// The lines of our sources that match, with their files.
fn sources(under: &str) -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(under);
    let mut found = Vec::new();
    let mut folders = vec![root];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).expect("a folder of ours").flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = std::fs::read_to_string(&path).expect("a source file");
                found.push((path.file_name().unwrap().to_string_lossy().into_owned(), text));
            }
        }
    }
    found
}

#[test]
fn one_file_reads_the_environment_and_one_names_the_adapters() {
    for (file, text) in sources("functions/src") {
        assert!(file == "config.rs" || !text.contains("std::env"), "{file} reads the environment");
        for adapter in ["DynamoLedger::new", "SqsTasks::new", "Vault::new", "ShopifyApi::new"] {
            assert!(file == "compose.rs" || !text.contains(adapter), "{file} names {adapter}");
        }
    }
}

#[test]
fn the_domain_never_sleeps_spawns_or_asks_the_machine_for_the_time() {
    for (file, text) in sources("shared/domain/src") {
        for banned in ["sleep(", "spawn(", "Timestamp::now()", "SystemTime", "Instant::now"] {
            assert!(!text.contains(banned), "{file} uses {banned}");
        }
    }
}
