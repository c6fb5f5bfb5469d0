//! What the tests of the binary share: folders, configurations, and the process itself.
#![allow(dead_code)] // each test file uses its own part

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output};
use std::time::Duration;

use tempfile::TempDir;

/// A configuration of Gaussian units in which every key is present.
pub const UNITS: &str = r#"seed = 1
particles = 20
steps = 30
dt = 0.01
alpha = 5.0
scheme = "birth-death"
rate = "centred"
transport = true
quench = 0
precision = "f64"
record_every = 10
replicates = 3
[model]
kind = "gaussian-units"
dimension = 1
unit_variance = 0.5
target = [ { weight = 0.33, centre = [-2.0], variance = 0.5 }, { weight = -0.66, centre = [0.0], variance = 1.0 } ]
[start]
c = { normal = { mean = 0.0, sd = 1.0 } }
y1 = { uniform = { low = -2.0, high = 2.0 } }
"#;

/// A prior for [`UNITS`].
pub const PRIOR: &str = "[prior]\nc = 0.0\ny1 = { normal = { mean = 0.0, sd = 1.0 } }\n";

/// Of two particles that start anywhere, one may begin beyond the point from which Euler steps diverge: some replicates
/// fail.
pub const DIVERGING: &str = r#"seed = 3
particles = 2
steps = 400
dt = 0.1
scheme = "gradient-flow"
replicates = 12
record_every = 100
[model]
kind = "double-well"
tilt = 0.2
[start]
x1 = { normal = { mean = 0.0, sd = 2.0 } }
"#;

/// [`UNITS`] with replacements; each must be found.
pub fn units(changes: &[(&str, &str)]) -> String {
    changes.iter().fold(UNITS.to_owned(), |text, (from, to)| {
        assert!(text.contains(from), "{from} is not in the configuration");
        text.replacen(from, to, 1)
    })
}

/// A folder of its own for a test, with configurations in it.
pub struct Place {
    folder: TempDir,
}

impl Place {
    pub fn new() -> Self {
        Self { folder: TempDir::new().expect("a temporary folder") }
    }

    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    pub fn put(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path().join(name);
        fs::write(&path, content).expect("written");
        path
    }

    /// The binary in this folder with these arguments.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_birth-death"));
        command.args(arguments).current_dir(self.path());
        command
    }

    pub fn birth_death(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().expect("the binary runs")
    }

    /// Runs a configuration that must succeed, and gives what it printed.
    pub fn run(&self, text: &str, arguments: &[&str]) -> String {
        self.put("a.toml", text);
        let output = self.birth_death(&[&["run", "a.toml"], arguments].concat());
        let message = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(0), "{message}");
        let only_notes = message.lines().all(|line| line.starts_with("note: ") && line.ends_with("which is replaced"));
        assert!(only_notes, "nothing else on standard error when piped: {message}");
        String::from_utf8(output.stdout).expect("text")
    }

    /// Everything in the folder, sorted.
    pub fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(self.path())
            .expect("read")
            .map(|entry| entry.expect("read").file_name().to_string_lossy().into_owned())
            .collect();
        names.sort();
        names
    }

    pub fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    /// A CSV file as its header and its rows.
    pub fn table(&self, name: &str) -> (Vec<String>, Vec<Vec<String>>) {
        let text = self.read(name);
        let mut lines = text.lines().map(|line| line.split(',').map(str::to_owned).collect::<Vec<_>>());
        let header = lines.next().expect("a header");
        (header, lines.collect())
    }

    pub fn manifest(&self, name: &str) -> serde_json::Value {
        serde_json::from_str(&self.read(name)).expect("JSON")
    }
}

/// Until the process catches SIGINT (its mask is in /proc), or a second where there is no /proc.
///
/// # Panics
/// If it does not within a minute.
pub fn wait_for_the_handler(child: &Child) {
    for _ in 0..6000 {
        let Ok(status) = std::fs::read_to_string(format!("/proc/{}/status", child.id())) else {
            return std::thread::sleep(Duration::from_secs(1));
        };
        let mask = status.lines().find_map(|line| line.strip_prefix("SigCgt:"));
        if mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).is_some_and(|mask| mask & 2 != 0) {
            return;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    panic!("no handler of SIGINT within a minute");
}
