//! Where the canonical runs are done: in this process, or by an image that a script builds and runs.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};

use super::record::Outcome;
use birth_death_terminal::refusal::Refusal;

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

/// Builds and runs an image, in a checkout.
const SCRIPT: &str = "harness/targets/run";

/// Where images come from.
#[derive(Debug)]
pub struct Sources {
    /// Builds and runs one.
    pub script: PathBuf,
    /// Where they are built: cargo's target folder.
    pub build: PathBuf,
}

impl Sources {
    /// The checkout `given`, or the nearest folder from `here` up that is one. It is built in `target`, or in its own
    /// folder of that name.
    ///
    /// # Errors
    /// A refusal that names what was looked for, and where.
    pub fn find(given: Option<&Path>, here: &Path, target: Option<&Path>) -> Result<Self, Refusal> {
        let found = match given {
            Some(folder) => Some(here.join(folder)).filter(|folder| folder.join(SCRIPT).is_file()),
            None => here.ancestors().find(|folder| folder.join(SCRIPT).is_file()).map(Path::to_owned),
        };
        let refuse = |what: String| {
            let message = "accepted: a checkout of birth-death, by --sources DIR or as the working folder";
            Refusal::of_file(what, format!("there is no {SCRIPT}, which builds and runs the images; {message}"))
        };
        let folder = found.ok_or_else(|| match given {
            Some(folder) => refuse(format!("--sources {}", folder.display())),
            None => refuse(format!("--target: in {} and the folders above it", here.display())),
        })?;
        // absolute: the script goes to its own folder
        let build = target.map_or_else(|| folder.join("target"), |target| here.join(target));
        Ok(Self { script: folder.join(SCRIPT), build })
    }
}

/// The runs in this process, as an image reports them.
pub fn here() -> String {
    let mut text = String::new();
    // writing to a string does not fail
    let _ = birth_death_canon::report(&mut text, birth_death_canon::CHECKPOINTS, &|_| true);
    text
}

/// Whether a script was stopped, by a signal or as a shell says that a command of it was. This process may hear of its
/// own Ctrl-C a moment later.
fn was_stopped(status: ExitStatus) -> bool {
    const STOPS: [i32; 2] = [2, 15]; // SIGINT, SIGTERM
    #[cfg(unix)]
    if std::os::unix::process::ExitStatusExt::signal(&status).is_some_and(|signal| STOPS.contains(&signal)) {
        return true;
    }
    status.code().is_some_and(|code| STOPS.contains(&(code - 128)))
}

/// The runs on `target`; `None` if its script was stopped.
pub fn elsewhere(sources: &Sources, target: &str, profile: &str) -> Option<Outcome> {
    let script = &sources.script;
    let how = format!("{} {target} {profile}", script.display());
    let mut command = Command::new(script);
    command.args([target, profile]).env("CARGO_TARGET_DIR", &sources.build).stdin(Stdio::null());
    Some(match command.output() {
        Ok(output) if was_stopped(output.status) => return None,
        Err(error) => Outcome::not_run(target, profile, how, format!("{} cannot be run: {error}", script.display())),
        Ok(output) => {
            let text = String::from_utf8_lossy(&output.stdout);
            let said = String::from_utf8_lossy(&output.stderr);
            let last = said.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or("it said nothing");
            let why = format!("{}: {last}", output.status);
            if !text.contains('/') {
                return Some(Outcome::not_run(target, profile, how, why));
            }
            let mut outcome = Outcome::of(target, profile, how, &text);
            // a target too small for one image runs several, and not the first may be the one that cannot be built
            if !output.status.success() && outcome.failure.is_none() {
                outcome.failure = Some(why);
            }
            outcome
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use birth_death::dispatch::{self, force};

    /// The checkout that this test is of.
    fn checkout() -> &'static Path {
        Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
    }

    #[test]
    fn the_script_knows_the_same_targets() {
        let text = std::fs::read_to_string(checkout().join(SCRIPT)).expect("the script");
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
                .filter(|(_, agreement)| !matches!(agreement, crate::Agreement::Equal { whole: true, .. }))
                .collect();
            let (failure, remint) = (&outcome.failure, crate::command::REMINT);
            assert!(outcome.agrees(), "{path:?}: {failure:?} {different:#?}\n{remint}");
        }
        assert!(force(None));
    }

    #[test]
    fn a_target_without_a_script_is_not_run_and_says_why() {
        let nowhere = Sources { script: "/nowhere/run".into(), build: "/nowhere/target".into() };
        let outcome = elsewhere(&nowhere, "t", "release").expect("not stopped");
        assert!(!outcome.ran() && outcome.failure.is_some_and(|why| why.contains("/nowhere/run cannot be run")));
    }

    #[test]
    fn sources_are_found_from_the_working_folder_up_or_where_they_are_said_to_be() {
        fn found(given: Option<&Path>, here: &Path, target: Option<&Path>) -> Result<(PathBuf, PathBuf), Refusal> {
            Sources::find(given, here, target).map(|found| (found.script, found.build))
        }
        let (top, inside) = (checkout(), checkout().join("harness/audit"));
        let (script, build) = (top.join(SCRIPT), top.join("target"));
        assert_eq!(found(None, &inside, None), Ok((script.clone(), build.clone())));
        let elsewhere = tempfile::tempdir().expect("a folder");
        assert_eq!(found(Some(top), elsewhere.path(), None), Ok((script.clone(), build)));
        // relative paths are the working folder's, not the script's
        let built = found(Some(Path::new("..")), &top.join("harness"), Some(Path::new("out"))).expect("found").1;
        assert_eq!(built, top.join("harness/out"));
        let message = found(Some(Path::new("x")), top, None).expect_err("refused").to_string();
        assert!(message.contains("--sources x: there is no harness/targets/run"), "{message}");
        let message = found(None, elsewhere.path(), None).expect_err("refused").to_string();
        assert!(message.contains(&elsewhere.path().display().to_string()), "{message}");
        assert!(message.contains("there is no harness/targets/run") && message.contains("accepted: "), "{message}");
    }

    #[test]
    #[cfg(unix)]
    fn an_image_that_fails_after_others_fails_the_target_and_says_why() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().expect("a folder");
        let script = folder.path().join("run");
        let golden = checkout().join("harness/audit/golden.txt");
        let sources = Sources { script: script.clone(), build: folder.path().join("target") };
        for (end, failure) in
            [("exit 0", None), ("echo 'it does not fit' >&2; exit 101", Some("exit status: 101: it does not fit"))]
        {
            let text = format!("#!/bin/sh\necho ieee true; cat '{}'; echo end; {end}\n", golden.display());
            std::fs::write(&script, text).expect("a script");
            std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o755)).expect("permissions");
            let outcome = elsewhere(&sources, "t", "release").expect("not stopped");
            assert_eq!(outcome.failure.as_deref(), failure);
            assert!(outcome.ran() && outcome.agrees() == failure.is_none());
        }
        for end in ["kill -INT $$", "kill -TERM $$", "exit 130", "exit 143"] {
            std::fs::write(&script, format!("#!/usr/bin/env -S --default-signal=INT,TERM sh\n{end}\n"))
                .expect("a script");
            assert!(elsewhere(&sources, "t", "release").is_none(), "{end}");
        }
    }
}
