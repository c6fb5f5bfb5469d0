//! `docs/architecture.md` says what is so: its paths exist, and every crate uses lower ones only.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

fn top() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn page() -> String {
    fs::read_to_string(top().join("docs/architecture.md")).expect("the page")
}

/// The line of the picture, counted from the top, on which each room stands.
fn rooms(page: &str) -> BTreeMap<String, usize> {
    let picture = page.split("```").nth(1).expect("a picture");
    let rooms = picture.lines().enumerate().flat_map(|(line, text)| {
        let names = text.split_whitespace().filter(|word| *word == "src" || word.starts_with("harness/"));
        names.map(move |name| (name.to_owned(), line)).collect::<Vec<_>>()
    });
    rooms.collect()
}

#[test]
fn every_path_exists() {
    let page = page();
    let quoted = page.split('`').skip(1).step_by(2).filter(|text| text.contains('/') && !text.contains(' '));
    let paths: Vec<String> = quoted.map(str::to_owned).chain(rooms(&page).into_keys()).collect();
    assert!(paths.len() > 20, "{paths:?}");
    let missing: Vec<&String> = paths.iter().filter(|path| !top().join(path).exists()).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

/// Whether a room that stands on line `user` of the picture may use one that stands on line `used`.
fn may_use(user: usize, used: usize) -> bool {
    used > user
}

#[test]
fn a_room_uses_lower_ones_only() {
    let rooms = rooms(&page());
    let mut seen = 0;
    for (room, &line) in rooms.iter().filter(|(room, _)| room.starts_with("harness/")) {
        let manifest = fs::read_to_string(top().join(room).join("Cargo.toml")).expect("a manifest");
        let manifest = toml::de::DeTable::parse(&manifest).expect("TOML");
        let manifest = manifest.get_ref();
        for name in manifest["dependencies"].get_ref().as_table().expect("a table").keys() {
            let used = match name.get_ref().as_ref() {
                "birth-death" => "src".to_owned(),
                // the canonical runs stand beside the audit that does them
                "birth-death-canon" => continue,
                name => match name.strip_prefix("birth-death-") {
                    Some(crate_name) => format!("harness/{crate_name}"),
                    None => continue,
                },
            };
            let lower = rooms.get(&used).unwrap_or_else(|| panic!("{used}, which {room} uses, is not in the picture"));
            assert!(may_use(line, *lower), "{room} uses {used}, which does not stand below it");
            seen += 1;
        }
    }
    assert!(seen > 30, "{seen}");
    assert!(!may_use(3, 3) && !may_use(3, 2) && may_use(3, 4));
}

#[test]
fn every_crate_is_in_the_picture_or_the_table() {
    let page = page();
    let rooms = rooms(&page);
    for entry in fs::read_dir(top().join("harness")).expect("harness").map(|entry| entry.expect("an entry")) {
        let name = format!("harness/{}", entry.file_name().to_string_lossy());
        let is_crate = entry.path().join("Cargo.toml").exists();
        assert!(!is_crate || rooms.contains_key(&name) || page.contains(&format!("`{name}`")), "{name}");
    }
}
