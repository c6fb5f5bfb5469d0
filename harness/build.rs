//! Records what a manifest must say about the binary: target, git commit, and whether the sources were clean.

use std::process::Command;

fn git(arguments: &[&str]) -> Option<String> {
    let output = Command::new("git").args(arguments).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| text.trim().to_owned())
}

fn main() {
    for path in ["build.rs", "Cargo.toml", "src", "../Cargo.toml", "../src"] {
        println!("cargo::rerun-if-changed={path}");
    }
    // The log of HEAD grows with every commit and every checkout.
    if let Some(log) = git(&["rev-parse", "--git-path", "logs/HEAD"]) {
        println!("cargo::rerun-if-changed={log}");
    }
    let commit = git(&["rev-parse", "HEAD"]).unwrap_or_else(|| "unknown".to_owned());
    let changed = git(&["status", "--porcelain", "--", ".", "../src", "../Cargo.toml", "../Cargo.lock"]);
    let dirty = match changed {
        _ if commit == "unknown" => "unknown",
        None => "unknown",
        Some(list) if list.is_empty() => "false",
        Some(_) => "true",
    };
    let target = std::env::var("TARGET").unwrap_or_else(|_| "unknown".to_owned());
    println!("cargo::rustc-env=BIRTH_DEATH_COMMIT={commit}");
    println!("cargo::rustc-env=BIRTH_DEATH_DIRTY={dirty}");
    println!("cargo::rustc-env=BIRTH_DEATH_TARGET={target}");
}
