//! `runs.jsonl`: one measurement a line, on the disk as soon as it is made.

use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::plan::{PROFILE, subjects};
use crate::claims::Claim;
use crate::generators::Source;
use birth_death_output::folder::{CALIBRATION, Folder, RUNS};
use birth_death_output::journal::{self, Journal};
use birth_death_output::manifest::Build;
use birth_death_output::number;
use birth_death_stats::verdict::Verdict;
use birth_death_terminal::refusal::Refusal;

/// The file.
pub const NAME: &str = RUNS;

/// What all measurements of a folder have in common; its `manifest.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Settings {
    /// What was run.
    #[serde(flatten)]
    pub build: Build,
    /// SHA-256 of the binary, for a build whose commit does not say what is in it.
    pub binary: Option<String>,
    /// Always "calibrate".
    pub command: String,
    /// How much is measured with each seed.
    pub profile: String,
    /// The first seed.
    pub seed: u64,
}

impl Settings {
    /// Those of this binary.
    ///
    /// # Errors
    /// If a binary that has to be told from others cannot be read.
    pub fn of(seed: u64) -> Result<Self, Refusal> {
        let build = Build::this();
        let digest = || std::fs::read(std::env::current_exe()?).map(|bytes| hexadecimal(&bytes));
        let binary = match build.dirty {
            Some(false) => None,
            _ => Some(digest().map_err(|error| Refusal::of_file("this binary", error.to_string()))?),
        };
        Ok(Self { build, binary, command: "calibrate".into(), profile: PROFILE.name().into(), seed })
    }

    /// Names them in every line.
    fn digest(&self) -> io::Result<String> {
        let mut digest = hexadecimal(&serde_json::to_vec(self)?);
        digest.truncate(16);
        Ok(digest)
    }

    /// The first thing in which `earlier` differs.
    fn difference(&self, earlier: &Self) -> Option<String> {
        let differ = |what: &str, earlier: &str, now: &str| Some(format!("{what} {earlier}, now {now}"));
        if earlier.command != self.command {
            return differ("written by the command", &earlier.command, &self.command);
        }
        if earlier.build != self.build || earlier.binary != self.binary {
            let name = |of: &Self| {
                let sources =
                    of.binary.as_ref().map_or(String::new(), |digest| format!(" with changes (binary {digest:.12})"));
                format!("version {}, commit {}{sources}, {}", of.build.version, of.build.commit, of.build.target)
            };
            return differ("measured by another build:", &name(earlier), &name(self));
        }
        if earlier.profile != self.profile {
            return differ("profile", &earlier.profile, &self.profile);
        }
        (earlier.seed != self.seed).then(|| format!("first seed {}, now {}", earlier.seed, self.seed))
    }
}

fn hexadecimal(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A sharp check's p-value.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PValue {
    /// What was tested.
    pub what: String,
    /// The generator behind it.
    pub generator: Source,
    /// The p-value.
    #[serde(with = "number")]
    pub p: f64,
}

/// One measurement: a claim held against a subject with a seed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Run {
    /// Names the [`Settings`] that it was measured with.
    pub settings: String,
    /// The seed of all streams.
    pub seed: u64,
    /// "correct" or the defect's name.
    pub subject: String,
    /// The claim's name.
    pub claim: String,
    /// What was decided.
    pub verdict: Verdict,
    /// How long it took on one thread: processor time on Linux, elsewhere by the clock on the wall.
    #[serde(with = "number")]
    pub seconds: f64,
    /// Of the correct build, the p-values of all sharp checks.
    pub p: Vec<PValue>,
}

impl Run {
    /// Seed, subject and claim.
    pub fn key(&self) -> (u64, &str, &str) {
        (self.seed, &self.subject, &self.claim)
    }
}

/// The file, open for appending; nobody else may.
#[derive(Debug)]
pub struct Log {
    place: PathBuf,
    digest: String,
    journal: Journal,
}

impl Log {
    /// Begins a new folder.
    ///
    /// # Errors
    /// Those of [`Folder::begin`].
    pub fn create(out: &Path, settings: &Settings) -> Result<Self, Refusal> {
        let place = Folder::begin(out, settings)?;
        let (log, _) = Self::resume(&place, settings)?;
        Ok(log)
    }

    /// Goes on in a folder; gives what was measured before. A last line without its end is dropped.
    ///
    /// # Errors
    /// A refusal of a folder without measurements, of one made with other settings, of one that another process writes
    /// to, and of the first line that is no measurement of these settings, or repeats one.
    pub fn resume(place: &Path, settings: &Settings) -> Result<(Self, Vec<Run>), Refusal> {
        let refuse = |message: String| Refusal::of_file(format!("--out {}", place.display()), message);
        if !place.join(NAME).is_file() {
            return Err(refuse(format!(
                "there is no {NAME} to go on with; accepted: the folder of an earlier calibration"
            )));
        }
        let earlier = journal::settings::<Settings>(place, "a calibration")?;
        if let Some(difference) = settings.difference(&earlier) {
            return Err(refuse(format!("{difference}; accepted: the same, or another folder")));
        }
        let digest = settings.digest().map_err(|error| refuse(error.to_string()))?;

        let (journal, runs) = Journal::resume(&place.join(NAME), check(settings.seed, &digest))?;
        Ok((Self { place: place.to_owned(), digest, journal }, runs))
    }

    /// One more line, on the disk when this returns.
    ///
    /// # Errors
    /// Those of the system; no line is written after one that may be incomplete.
    pub fn append(&self, run: &Run) -> io::Result<()> {
        self.journal.append(run)
    }

    /// Whether lines can no longer be written.
    pub fn is_broken(&self) -> bool {
        self.journal.is_broken()
    }

    /// Writes what the measurements come to, in place of an earlier such file.
    ///
    /// # Errors
    /// Those of the system; the earlier file is untouched.
    pub fn conclude(&self, summary: &impl Serialize) -> io::Result<()> {
        journal::replace(&self.place.join(CALIBRATION), |out| {
            serde_json::to_writer_pretty(&mut *out, summary)?;
            writeln!(out)
        })
    }

    /// The name of the settings.
    pub fn digest(&self) -> &str {
        &self.digest
    }

    /// The folder.
    pub fn place(&self) -> &Path {
        &self.place
    }
}

/// Refuses lines that are not this calibration's, and repetitions.
fn check(seed: u64, digest: &str) -> impl FnMut(&Run) -> Result<(), String> {
    const ACCEPTED: &str = "accepted: the lines of one calibration as it wrote them";
    let mut seen = std::collections::BTreeSet::new();
    move |run| {
        let refused = if run.settings != digest {
            "was measured with other settings, or by another build".to_owned()
        } else if run.seed < seed {
            format!("has seed {}, below the first", run.seed)
        } else if !subjects().any(|subject| subject == run.subject) || Claim::named(&run.claim).is_none() {
            "names a defect or a claim that does not exist".to_owned()
        } else if !seen.insert((run.seed, run.subject.clone(), run.claim.clone())) {
            "repeats an earlier line".to_owned()
        } else {
            return Ok(());
        };
        Err(format!("{refused}; {ACCEPTED}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use birth_death_output::folder::MANIFEST;
    use std::fs;

    fn run(settings: &Settings, seed: u64) -> Run {
        let p = vec![PValue { what: "a count, n = 4".into(), generator: Source::Pcg32, p: 0.25 }];
        Run {
            settings: settings.digest().expect("a digest"),
            seed,
            subject: "correct".into(),
            claim: "drift".into(),
            verdict: Verdict::Holds,
            seconds: 0.5,
            p,
        }
    }

    /// A folder with two measurements, and the log dropped as by a kill.
    fn begun() -> (tempfile::TempDir, PathBuf, Settings) {
        let top = tempfile::tempdir().expect("a folder");
        let place = top.path().join("calibration");
        let settings = Settings::of(7).expect("settings");
        let log = Log::create(&place, &settings).expect("begun");
        log.append(&run(&settings, 7)).expect("written");
        log.append(&run(&settings, 8)).expect("written");
        (top, place, settings)
    }

    fn refusal(place: &Path, settings: &Settings) -> String {
        Log::resume(place, settings).map(|_| ()).expect_err("refused").to_string()
    }

    #[test]
    fn measurements_come_back_and_a_torn_line_is_dropped() {
        let (_top, place, settings) = begun();
        let whole = fs::read(place.join(NAME)).expect("read");
        for torn in [&b"{\"settings\":\"1"[..], b"", b"garbage without an end"] {
            fs::write(place.join(NAME), [&whole[..], torn].concat()).expect("written");
            let (log, runs) = Log::resume(&place, &settings).expect("resumed");
            assert_eq!(runs, [run(&settings, 7), run(&settings, 8)]);
            log.append(&run(&settings, 9)).expect("written");
            drop(log);
            let (_, runs) = Log::resume(&place, &settings).expect("resumed again");
            assert_eq!(runs.len(), 3);
        }
    }

    #[test]
    fn lines_that_are_not_this_calibration_s_are_refused_by_number() {
        let (_top, place, settings) = begun();
        let whole = fs::read_to_string(place.join(NAME)).expect("read");
        let first = serde_json::to_string(&run(&settings, 7)).expect("text");
        for (line, says) in [
            (first.replace("\"seed\"", "\"sed\""), "no measurement"),
            (first.replace("{", "{\"more\":1,"), "no measurement"),
            (first.replace("0.5", "0.75"), "repeats"),
            (first.replace("\"seed\":7", "\"seed\":6"), "below the first"),
            (first.replace("drift", "drfit"), "does not exist"),
            (first.replace("\"correct\"", "\"corect\""), "does not exist"),
            (first.replacen(&settings.digest().expect("a digest"), "0123456789abcdef", 1), "other settings"),
        ] {
            let sealed = journal::seal(line.as_bytes()).expect("an object");
            fs::write(place.join(NAME), [whole.as_bytes(), &sealed, b"\n"].concat()).expect("written");
            let message = refusal(&place, &settings);
            assert!(message.contains(&format!("{NAME}:3:")) && message.contains(says), "{line}: {message}");
        }
    }

    #[test]
    fn a_line_that_stands_there_twice_is_one_and_a_changed_one_is_refused_by_number() {
        let (_top, place, settings) = begun();
        let whole = fs::read_to_string(place.join(NAME)).expect("read");
        fs::write(place.join(NAME), whole.repeat(2)).expect("written");
        let (log, runs) = Log::resume(&place, &settings).expect("resumed");
        assert_eq!(runs, [run(&settings, 7), run(&settings, 8)]);
        drop(log);
        for (bad, says) in [
            (whole.replace("holds", "fails"), ":1: was changed"),
            (whole.replace("\"seed\":8", "\"seed\":9"), ":2: was changed"),
            (format!("{whole}garbage\n"), ":3: has no checksum"),
            (format!("{whole}\n"), ":3: has no checksum"),
        ] {
            assert_ne!(bad, whole);
            fs::write(place.join(NAME), bad).expect("written");
            let message = refusal(&place, &settings);
            assert!(message.contains(says), "{message}");
        }
    }

    #[test]
    fn other_settings_are_refused_and_said() {
        let (_top, place, settings) = begun();
        let other = Settings { seed: 8, ..settings.clone() };
        assert!(refusal(&place, &other).contains("first seed 7, now 8"));
        let other = Settings { profile: "full".into(), ..settings.clone() };
        assert!(refusal(&place, &other).contains("profile quick, now full"));
        let build = Build { commit: "0000".into(), ..settings.build.clone() };
        assert!(refusal(&place, &Settings { build, ..settings.clone() }).contains("another build"));
        let other = Settings { binary: Some("ab".repeat(32)), ..settings.clone() };
        assert!(refusal(&place, &other).contains("another build"));
        fs::write(place.join(MANIFEST), "{}").expect("written");
        assert!(refusal(&place, &settings).contains("no manifest"));
    }

    #[test]
    fn measurements_are_not_overwritten_and_have_one_writer() {
        let (top, place, settings) = begun();
        let message = Log::create(&place, &settings).map(|_| ()).expect_err("refused").to_string();
        assert!(message.contains("--resume"), "{message}");
        let (_log, _) = Log::resume(&place, &settings).expect("resumed");
        assert!(refusal(&place, &settings).contains("another process"));
        assert!(refusal(&top.path().join("nothing"), &settings).contains("no runs.jsonl"));
    }
}
