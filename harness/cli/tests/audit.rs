//! `birth-death audit --target` of a program that is somewhere else than where it was compiled.
#![cfg(unix)]

mod common;

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use common::Place;

const TARGET: &str = "wasm32-unknown-unknown";

/// The program, installed in a place.
fn installed(place: &Place) -> PathBuf {
    let to = place.path().join("birth-death");
    let built = Path::new(env!("CARGO_BIN_EXE_birth-death"));
    fs::hard_link(built, &to).or_else(|_| fs::copy(built, &to).map(|_| ())).expect("copied");
    to
}

/// A checkout whose script says where it stands and where it would build, does something, and says that all is well.
fn checkout(place: &Place, something: &str) -> PathBuf {
    let top = place.path().join("checkout");
    let script = top.join("harness/targets/run");
    fs::create_dir_all(script.parent().expect("a folder")).expect("made");
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("../audit/golden.txt");
    let text = format!(
        "#!/bin/sh\necho \"$0 $CARGO_TARGET_DIR $*\" >>'{}'\n{something}\necho ieee true; cat '{}'; echo end\n",
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
    let (program, top) = (installed(&place), checkout(&place, ""));
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
        fs::remove_file(place.path().join("asked")).expect("removed");
        let expected = format!("{} {} {TARGET} release\n", top.join("harness/targets/run").display(), built.display());
        assert_eq!(asked, expected);
    }
}

#[test]
fn a_target_that_is_required_among_all_runs_once() {
    let place = Place::new();
    let (program, _) = (installed(&place), checkout(&place, ""));
    let output = audit(&program, place.path(), Some("built"), &["--sources", "checkout", "--target", "all"]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    assert_eq!(place.read("asked").matches(TARGET).count(), 1);
}

/// Ctrl-C reaches the script too, as all of the terminal's.
#[test]
fn ctrl_c_while_an_image_is_built_leaves_an_earlier_audit_as_it_was() {
    let place = Place::new();
    let something = format!("test ! -e '{}' || sleep 600", place.path().join("slow").display());
    let (program, _) = (installed(&place), checkout(&place, &something));
    let output = audit(&program, place.path(), Some("built"), &["--sources", "checkout", "--out", "out"]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    let earlier = place.read("out/audit.json");
    place.put("slow", "");
    fs::remove_file(place.path().join("asked")).expect("removed");
    for signal in ["-INT", "-TERM"] {
        // even if the tests run in the background, where a shell ignores SIGINT, the script does not
        let mut child = Command::new("env")
            .args(["--default-signal=INT,TERM".as_ref(), program.as_os_str()])
            .args(["audit", "--require", TARGET, "--sources", "checkout", "--out", "out"])
            .current_dir(place.path())
            .env("CARGO_TARGET_DIR", "built")
            .process_group(0)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("it runs");
        let begun = Instant::now();
        while !place.path().join("asked").exists() {
            let ended = child.try_wait().expect("a state");
            assert!(ended.is_none() && begun.elapsed() < Duration::from_secs(100), "the script is not called");
            std::thread::sleep(Duration::from_millis(20));
        }
        let group = format!("-{}", child.id());
        let sent = Command::new("kill").args([signal, "--", &group]).status().expect("kill runs");
        assert!(sent.success());
        let output = child.wait_with_output().expect("it ends");
        assert_eq!(output.status.code(), Some(130), "{}", said(&output));
        assert!(begun.elapsed() < Duration::from_secs(300), "it waited for the script");
        assert_eq!(place.read("out/audit.json"), earlier);
        let printed = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(printed.contains("out-interrupted; the earlier result in "), "{printed}");
        fs::remove_file(place.path().join("asked")).expect("removed");
    }
}
