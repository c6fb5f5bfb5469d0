//! Records what a manifest must say about the binary: target, git commit, and whether the sources were clean.

use std::process::Command;

fn git(arguments: &[&str]) -> Option<String> {
    let output = Command::new("git").args(arguments).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| text.trim().to_owned())
}

fn main() {
    for path in ["build.rs", "..", "../../Cargo.toml", "../../Cargo.lock", "../../src"] {
        println!("cargo::rerun-if-changed={path}");
    }
    // The log of HEAD grows with every commit and every checkout.
    if let Some(log) = git(&["rev-parse", "--git-path", "logs/HEAD"]) {
        println!("cargo::rerun-if-changed={log}");
    }
    let commit = git(&["rev-parse", "HEAD"]).unwrap_or_else(|| "unknown".to_owned());
    let changed = git(&["status", "--porcelain", "--", "..", "../../src", "../../Cargo.toml", "../../Cargo.lock"]);
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
    let rustc = std::env::var("RUSTC").unwrap_or_else(|_| "rustc".to_owned());
    let version = Command::new(rustc).arg("-vV").output().ok().and_then(|output| String::from_utf8(output.stdout).ok());
    // one line: cargo takes no other
    let version = version.unwrap_or_else(|| "unknown".to_owned()).trim().replace('\n', "; ");
    let variable = |name: &str| std::env::var(name).unwrap_or_default();
    println!("cargo::rustc-env=BIRTH_DEATH_RUSTC={version}");
    println!("cargo::rustc-env=BIRTH_DEATH_OPT_LEVEL={}", variable("OPT_LEVEL"));
    println!("cargo::rustc-env=BIRTH_DEATH_RUSTFLAGS={}", variable("CARGO_ENCODED_RUSTFLAGS").replace('\x1f', " "));
}
