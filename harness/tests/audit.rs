//! `birth-death audit --target` of a program that is somewhere else than where it was compiled.
#![cfg(unix)]

mod common;

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use common::Place;

const TARGET: &str = "wasm32-unknown-unknown";

/// The program, installed in a place.
fn installed(place: &Place) -> PathBuf {
    let to = place.path().join("birth-death");
    let built = Path::new(env!("CARGO_BIN_EXE_birth-death"));
    fs::hard_link(built, &to).or_else(|_| fs::copy(built, &to).map(|_| ())).expect("copied");
    to
}

/// A checkout whose script says where it stands and where it would build, and that all is well.
fn checkout(place: &Place) -> PathBuf {
    let top = place.path().join("checkout");
    let script = top.join("harness/targets/run");
    fs::create_dir_all(script.parent().expect("a folder")).expect("made");
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("audit/golden.txt");
    let text = format!(
        "#!/bin/sh\necho \"$0 $CARGO_TARGET_DIR $*\" >'{}'\necho ieee true; cat '{}'; echo end\n",
        place.path().join("asked").display(),
        golden.display()
    );
    fs::write(&script, text).expect("a script");
    fs::set_permissions(&script, Permissions::from_mode(0o755)).expect("permissions");
    top
}

fn audit(program: &Path, folder: &Path, target: Option<&str>, extra: &[&str]) -> Output {
    let mut command = Command::new(program);
    command.args(["audit", "--require", TARGET]).args(extra).current_dir(folder).env_remove("CARGO_TARGET_DIR");
    target.map(|target| command.env("CARGO_TARGET_DIR", target));
    command.output().expect("it runs")
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn without_sources_it_says_what_it_looked_for_before_it_does_anything() {
    let place = Place::new();
    let program = installed(&place);
    for (extra, part) in [(&[][..], "the folders above it"), (&["--sources", "nothing"][..], "--sources nothing")] {
        let output = audit(&program, place.path(), None, extra);
        let said = said(&output);
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(said.contains(part) && said.contains("there is no harness/targets/run"), "{said}");
        assert!(said.contains("accepted: ") && said.lines().count() == 1, "{said}");
        assert_eq!(place.names(), ["birth-death"]);
    }
}

#[test]
fn images_are_made_from_the_sources_around_or_those_that_are_named() {
    let place = Place::new();
    let (program, top) = (installed(&place), checkout(&place));
    let inside = top.join("harness");
    for (folder, target, extra, built) in [
        (inside.as_path(), None, &[][..], top.join("target")),
        (place.path(), Some("built"), &["--sources", "checkout"], place.path().join("built")),
    ] {
        let output = audit(&program, folder, target, extra);
        assert_eq!(output.status.code(), Some(0), "{}", said(&output));
        let printed = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(printed.contains(TARGET) && !printed.contains("DIFFERS"), "{printed}");
        let asked = place.read("asked");
        let expected = format!("{} {} {TARGET} release\n", top.join("harness/targets/run").display(), built.display());
        assert_eq!(asked, expected);
    }
}
