//! `include/birth_death.h` is what cbindgen makes of this crate, and says the version of the workspace.
//!
//! After a change of the interface: `BD_WRITE_HEADER=1 cargo test -p birth-death-ffi --test header`.

#![allow(clippy::expect_used, clippy::arithmetic_side_effects)]

use std::path::Path;

/// The header, made now. The functions come from a macro, so the compiler expands the crate first, which it does with
/// the switch of nightly only.
fn generated() -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    // SAFETY: this process has one other thread, the test harness', which waits; nothing reads the environment
    // meanwhile
    unsafe {
        std::env::set_var("RUSTC_BOOTSTRAP", "1");
        std::env::set_var("CARGO_EXPAND_TARGET_DIR", Path::new(env!("CARGO_TARGET_TMPDIR")).join("header"));
    }
    let config = cbindgen::Config::from_file(root.join("cbindgen.toml")).expect("cbindgen.toml is one");
    let bindings =
        cbindgen::Builder::new().with_crate(root).with_config(config).generate().expect("cbindgen reads the crate");
    let mut header = Vec::new();
    bindings.write(&mut header);
    String::from_utf8(header).expect("a header is text")
}

#[test]
fn the_committed_header_is_what_is_generated() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("include/birth_death.h");
    let header = generated();
    if std::env::var_os("BD_WRITE_HEADER").is_some() {
        std::fs::write(&path, &header).expect("the header is writable");
    }
    let committed = std::fs::read_to_string(&path).expect("there is a header");
    let first = committed.lines().zip(header.lines()).find(|(committed, generated)| committed != generated);
    assert!(
        committed == header,
        "the committed header is another ({first:?} is the first difference): BD_WRITE_HEADER=1 cargo test -p \
            birth-death-ffi --test header"
    );
}

#[test]
fn the_version_is_the_workspace_s() {
    let core =
        std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../Cargo.toml")).expect("the core's manifest");
    let line = core.lines().find(|line| line.starts_with("version = ")).expect("a version");
    let numbers: Vec<u32> =
        line.trim_matches(|c: char| !c.is_ascii_digit()).split('.').map(|n| n.parse().expect("a number")).collect();
    assert_eq!(
        env!("CARGO_PKG_VERSION").split('.').map(|n| n.parse::<u32>().expect("a number")).collect::<Vec<_>>(),
        numbers
    );
    assert_eq!(birth_death_ffi::BD_VERSION, numbers.iter().fold(0, |version, number| version << 8 | number));
    assert_eq!(birth_death_ffi::bd_version(), birth_death_ffi::BD_VERSION);
}
