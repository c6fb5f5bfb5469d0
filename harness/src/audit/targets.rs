//! Where the canonical runs are done: in this process, or by an image that a script builds and runs.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::record::Outcome;

/// The targets that `harness/targets/run` knows; `--list` of the script prints the same (a test compares).
pub const TARGETS: [&str; 11] = [
    "x86_64-unknown-linux-gnu",
    "i686-unknown-linux-gnu",
    "aarch64-unknown-linux-gnu",
    "armv7-unknown-linux-gnueabihf",
    "riscv64gc-unknown-linux-gnu",
    "powerpc-unknown-linux-gnu",
    "s390x-unknown-linux-gnu",
    "thumbv7em-none-eabihf",
    "thumbv6m-none-eabi",
    "riscv32imac-unknown-none-elf",
    "wasm32-unknown-unknown",
];

/// The script, in the sources that this binary was built from.
pub fn script() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("targets/run")
}

/// The runs in this process, as an image reports them.
pub fn here() -> String {
    let mut text = String::new();
    // writing to a string does not fail
    let _ = birth_death_canon::report(&mut text, birth_death_canon::CHECKPOINTS, &|_| true);
    text
}

/// The runs on `target` by `script`.
pub fn elsewhere(script: &Path, target: &str, profile: &str) -> Outcome {
    let how = format!("{} {target} {profile}", script.display());
    let output = Command::new(script).args([target, profile]).stdin(Stdio::null()).output();
    match output {
        Err(error) => Outcome::not_run(target, profile, how, format!("the script cannot be run: {error}")),
        Ok(output) => {
            let text = String::from_utf8_lossy(&output.stdout);
            let said = String::from_utf8_lossy(&output.stderr);
            let last = said.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or("it said nothing");
            let why = format!("{}: {last}", output.status);
            if !text.contains('/') {
                return Outcome::not_run(target, profile, how, why);
            }
            let mut outcome = Outcome::of(target, profile, how, &text);
            // a target too small for one image runs several, and not the first may be the one that cannot be built
            if !output.status.success() && outcome.failure.is_none() {
                outcome.failure = Some(why);
            }
            outcome
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use birth_death::dispatch::{self, force};

    #[test]
    fn the_script_knows_the_same_targets() {
        let text = std::fs::read_to_string(script()).expect("the script");
        let list = text.split_once("targets=(").and_then(|(_, rest)| rest.split_once(')')).expect("a list").0;
        let names: Vec<&str> = list.split_whitespace().collect();
        assert_eq!(names, TARGETS);
    }

    #[test]
    fn this_process_agrees_with_the_committed_chains() {
        // every path of the dispatch that this machine has
        for path in dispatch::Path::ALL.into_iter().filter(|path| force(Some(*path))) {
            let outcome = Outcome::of("here", "test", String::new(), &here());
            let different: Vec<_> = outcome
                .agreement
                .iter()
                .filter(|(_, agreement)| !matches!(agreement, crate::audit::Agreement::Equal { whole: true, .. }))
                .collect();
            let (failure, remint) = (&outcome.failure, crate::audit::command::REMINT);
            assert!(outcome.agrees(), "{path:?}: {failure:?} {different:#?}\n{remint}");
        }
        assert!(force(None));
    }

    #[test]
    fn a_target_without_a_script_is_not_run_and_says_why() {
        let outcome = elsewhere(Path::new("/nowhere/run"), "t", "release");
        assert!(!outcome.ran() && outcome.failure.is_some_and(|why| why.contains("cannot be run")));
    }

    #[test]
    #[cfg(unix)]
    fn an_image_that_fails_after_others_fails_the_target_and_says_why() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().expect("a folder");
        let script = folder.path().join("run");
        let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("audit/golden.txt");
        for (end, failure) in
            [("exit 0", None), ("echo 'it does not fit' >&2; exit 101", Some("exit status: 101: it does not fit"))]
        {
            let text = format!("#!/bin/sh\necho ieee true; cat '{}'; echo end; {end}\n", golden.display());
            std::fs::write(&script, text).expect("a script");
            std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o755)).expect("permissions");
            let outcome = elsewhere(&script, "t", "release");
            assert_eq!(outcome.failure.as_deref(), failure);
            assert!(outcome.ran() && outcome.agrees() == failure.is_none());
        }
    }
}
