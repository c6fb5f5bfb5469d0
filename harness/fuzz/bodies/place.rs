//! The files that configurations name, and what a refusal of one is held to.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use birth_death_terminal::refusal::Refusal;

/// A folder of this process, with a small data set in it for configurations that name one.
pub fn folder() -> &'static Path {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| {
        let memory = Path::new("/dev/shm");
        let top = if memory.is_dir() { memory.to_owned() } else { std::env::temp_dir() };
        let folder = top.join(format!("birth-death-fuzz-{}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("a folder");
        std::fs::write(folder.join("d.csv"), "a,b,y\n1,2,p\n2,1,q\n0,4,p\n3,5,q\n4,1,p\n").expect("written");
        std::fs::write(folder.join("x.csv"), "x1,x2\n1,2\n2,1\n0.5,-1\n").expect("written");
        folder
    })
}

/// One line that names a file and what is accepted.
pub fn check(refusal: &Refusal, path: &Path) {
    let message = refusal.to_string();
    let folder = path.parent().expect("it has one").display().to_string();
    assert!(message.starts_with(&folder) && message.contains("accepted"), "{message}");
    assert!(!message.contains(char::is_control) && message.len() < 20_000, "{message:?}");
    assert_ne!(refusal.line(), Some(0), "{message}");
}
