//! `birth-death verify`: measures the claims, prints the verdicts, writes the report folder.

use std::hash::{BuildHasher, RandomState};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::Instant;

use serde::Serialize;

use crate::arguments::{Profile, SeedChoice, VerifyArgs};
use crate::calibrate::{self, Calibration};
use crate::claims::{Claim, Context, Kind, selected};
use crate::report::baseline;
use crate::report::comparison::Comparison;
use crate::report::{self, Decided, Verdicts, accepted, compared, junit, page, summary, table};
use crate::subject::Subject;
use birth_death_output::folder::{CALIBRATION, Folder, Placed};
use birth_death_output::manifest::Build;
use birth_death_stats::verdict::Verdict;
use birth_death_terminal::exit::{FAILURE, INTERRUPTED, SUCCESS, UNDECIDED};
use birth_death_terminal::refusal::Refusal;
use birth_death_terminal::screen::{self, Screen};
use birth_death_terminal::{parallel, progress};

/// The seed without `--seed`: CI repeats itself bit for bit.
pub const DEFAULT_SEED: u64 = 1;

/// Verifies as the arguments say; the result is the exit code.
///
/// # Errors
/// Bad input.
pub fn main(arguments: &VerifyArgs) -> Result<u8, Refusal> {
    let began = Instant::now();
    let claims = selected(&arguments.claims)?;
    let seed = match arguments.seed {
        None => DEFAULT_SEED,
        Some(SeedChoice::Fixed(seed)) => seed,
        // the keys of a hash map are seeded by the system
        Some(SeedChoice::Random) => RandomState::new().hash_one(std::process::id()) >> 1,
    };
    let stop = progress::interruption();
    let baseline =
        arguments.baseline.as_deref().map(|file| stored(file, arguments.profile, seed, &claims)).transpose()?;
    let calibration = arguments.calibration.as_deref().map(calibrate::read).transpose()?;
    let inputs: Vec<&Path> = arguments.baseline.iter().chain(&arguments.calibration).map(PathBuf::as_path).collect();
    let folder = Folder::claim(&arguments.out, &inputs)?;
    let pool = parallel::pool(arguments.threads);

    let bar = progress::parts();
    let mut decided = Vec::new();
    let total = claims.len();
    for (claim, index) in claims.into_iter().zip(1..) {
        bar.set_position(0);
        bar.set_length(0);
        bar.set_prefix(format!("claim {index} of {total}, {}", claim.id));
        let context = Context {
            subject: Subject::correct(seed),
            profile: arguments.profile,
            pool: &pool,
            stop,
            progress: &bar,
            claim: claim.number(),
        };
        match claim.decide_with_all_generators(&context) {
            Ok((checks, plots)) => decided.push(Decided::new(claim, checks, plots)),
            Err(crate::claims::Interrupted) => break,
        }
    }
    bar.finish_and_clear();

    let mut verdicts = Verdicts::new(arguments.profile, seed, total, decided);
    let found = baseline.filter(|_| verdicts.complete).map(|stored| baseline::compare(&stored, &verdicts.claims));
    verdicts.baseline = found.as_ref().and_then(|found| found.as_ref().ok()).cloned();
    let mut out = Screen;
    let _ = writeln!(out, "{}", table(&verdicts.claims));
    let _ = writeln!(out, "{}", closing(&verdicts, total));
    if verdicts.claims.is_empty() {
        let _ = writeln!(out, "nothing was decided: an earlier report in {} is untouched", folder.place().display());
        return Ok(code(&verdicts, true));
    }
    let refused = found.as_ref().and_then(|found| found.as_ref().err()).map(String::as_str);
    let saved = save(folder, &verdicts, calibration.as_ref(), refused);
    match &saved {
        Ok(placed) => {
            let seconds = began.elapsed().as_secs_f64();
            let _ = writeln!(out, "report in {placed}; {seconds:.1} s");
        }
        Err(message) => {
            screen::error(message);
        }
    }
    match (found, &arguments.baseline) {
        (Some(Err(what)), Some(file)) => Err(Refusal::of_file(file.display(), what)),
        (Some(Ok(found)), _) if saved.is_ok() => Ok(against(&mut out, &found)),
        _ => Ok(code(&verdicts, saved.is_ok())),
    }
}

/// Reads a baseline, if it can be one for these claims.
fn stored(file: &Path, profile: Profile, seed: u64, claims: &[&Claim]) -> Result<Verdicts, Refusal> {
    let baseline = report::read(file)?;
    accepted::sound(&baseline).map_err(|what| Refusal::of_file(file.display(), what))?;
    let today = Verdicts::new(profile, seed, 0, Vec::new());
    let wanted = claims.iter().map(|claim| (claim.id, claim.setting, claim.estimator));
    baseline::comparable(&baseline, &today, wanted).map_err(|what| Refusal::of_file(file.display(), what))?;
    Ok(baseline)
}

/// Prints what moved since the baseline; the exit code says whether anything did, and nothing else.
fn against(out: &mut impl Write, found: &Comparison) -> u8 {
    let news = found.claims.iter().flat_map(compared::news);
    for line in news.chain(compared::closing(found)) {
        let _ = writeln!(out, "{line}");
    }
    let _ = writeln!(out, "the exit code says whether anything moved, not what the verdicts are");
    if found.moved() { FAILURE } else { SUCCESS }
}

/// The exit code.
fn code(verdicts: &Verdicts, saved: bool) -> u8 {
    let any = |verdict| verdicts.claims.iter().any(|claim| claim.verdict == verdict);
    if !verdicts.complete {
        INTERRUPTED
    } else if any(Verdict::Fails) || !saved {
        FAILURE
    } else if verdicts.claims.iter().any(undecided) {
        UNDECIDED
    } else {
        SUCCESS
    }
}

/// Whether more replicates are needed. An empirical claim may stay open.
fn undecided(claim: &Decided) -> bool {
    claim.verdict == Verdict::Undecided && claim.kind != Kind::Empirical
}

/// What the verdicts come to, and how to repeat them.
fn closing(verdicts: &Verdicts, total: usize) -> String {
    let interrupted = if verdicts.complete {
        String::new()
    } else {
        format!("interrupted after {} of {total} claims; ", verdicts.claims.len())
    };
    format!("{interrupted}{}; profile {}, seed {}", summary(verdicts), verdicts.profile, verdicts.seed)
}

/// What makes the folder one of this program's.
#[derive(Serialize)]
struct Manifest<'a> {
    #[serde(flatten)]
    build: Build,
    command: &'static str,
    profile: &'a str,
    seed: u64,
}

fn save(
    folder: Folder,
    verdicts: &Verdicts,
    calibration: Option<&Calibration>,
    refused: Option<&str>,
) -> Result<Placed, String> {
    let manifest =
        Manifest { build: Build::this(), command: "verify", profile: &verdicts.profile, seed: verdicts.seed };
    folder.finish(verdicts.complete, &manifest, |draft| {
        draft.json("verdicts.json", verdicts)?;
        draft
            .write("junit.xml", |out| out.write_all(junit(verdicts, refused).map_err(io::Error::other)?.as_bytes()))?;
        draft.write("index.html", |out| out.write_all(page(verdicts, calibration).as_bytes()))?;
        calibration.map_or(Ok(()), |calibration| draft.json(CALIBRATION, calibration))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::claims::check::{Check, Measured, Test};
    use crate::generators::Source;
    use birth_death_stats::difference::StandardError;

    /// A sharp check of one claim, `errors` of its standard errors from its reference.
    fn run(errors: f64, p: f64) -> Verdicts {
        let test = Test { p, detectable: 0.08, budget: 0.1, error: StandardError::known(0.01) };
        let measured = Measured::sharp("effect", 0.01 * errors, 0.0, test, 100);
        let claim = Claim::named("uniform-control").expect("a claim");
        let checks = vec![Check::decide(measured, 1e-9, Source::Xorshift128)];
        Verdicts::new(Profile::Quick, 1, 1, vec![Decided::new(claim, checks, Vec::new())])
    }

    #[test]
    fn a_claim_that_fails_now_is_named_and_ends_with_1() {
        // p from 0.3 to 1e-62: this was "0 moved", and 0
        let (then, now) = (run(0.0, 0.3), run(11.0, 1e-62));
        assert_eq!((then.claims[0].verdict, now.claims[0].verdict), (Verdict::Holds, Verdict::Fails));
        let found = baseline::compare(&then, &now.claims).expect("comparable");
        let mut out = Vec::new();
        assert_eq!(against(&mut out, &found), FAILURE);
        let text = String::from_utf8(out).expect("text");
        assert!(text.contains("moved: uniform-control: effect (xorshift128): was 0 ± 0.01, is 0.11 ± 0.01"), "{text}");
        assert!(text.contains("+7.8 standard errors") && text.contains("fails now, and did not"), "{text}");
        assert!(text.contains("1 of 1 estimates moved"), "{text}");
        // what failed before and does now is listed, and no move; what did not move is not listed
        let found = baseline::compare(&now, &now.claims).expect("comparable");
        let mut out = Vec::new();
        assert_eq!(against(&mut out, &found), SUCCESS);
        assert!(String::from_utf8(out).expect("text").contains("fails, as it did: uniform-control: effect"));
        let found = baseline::compare(&then, &run(1.0, 0.2).claims).expect("comparable");
        let mut out = Vec::new();
        assert_eq!(against(&mut out, &found), SUCCESS);
        let text = String::from_utf8(out).expect("text");
        assert!(text.starts_with("0 of 1 estimates moved, 1 changed but not distinguishable, 0 equal"), "{text}");
    }
}
