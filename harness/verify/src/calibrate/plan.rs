//! What is to be measured: every seed, subject and claim.

use crate::arguments::{CalibrateArgs, Profile};
use crate::claims::{Claim, REGISTRY, selected};
use crate::defects::{self, Defect, detectors};
use birth_death_terminal::refusal::{Refusal, known};

/// How much a calibration measures with each seed: what `verify` does unless told otherwise.
pub const PROFILE: Profile = Profile::Quick;
/// The name of the crate as it is, among those of the defects.
pub const CORRECT: &str = "correct";

/// One measurement.
#[derive(Clone, Copy, Debug)]
pub struct Task {
    pub seed: u64,
    /// None: the crate as it is.
    pub defect: Option<&'static dyn Defect>,
    pub claim: &'static Claim,
}

impl Task {
    /// Seed, subject and claim.
    pub fn key(&self) -> (u64, &'static str, &'static str) {
        (self.seed, self.defect.map_or(CORRECT, |defect| defect.describe().0), self.claim.id)
    }
}

/// The names of all subjects, the correct one first.
pub fn subjects() -> impl Iterator<Item = &'static str> {
    std::iter::once(CORRECT).chain(defects::REGISTRY.iter().map(|defect| defect.describe().0))
}

/// Everything that the arguments ask for, seed after seed: an interruption leaves all subjects with as many.
///
/// The correct build is held against all claims, a defect against those that should catch it; with `--claim`, both
/// against these.
pub fn tasks(arguments: &CalibrateArgs) -> Result<Vec<Task>, Refusal> {
    let names: Vec<&str> = subjects().collect();
    known("--defect", "defect", &arguments.defects, &names)?;
    let asked_for = selected(&arguments.claims)?;
    let claims = |defect: Option<&dyn Defect>| -> Vec<&'static Claim> {
        match defect {
            Some(defect) if arguments.claims.is_empty() => {
                let listed = detectors(defect.describe().0);
                REGISTRY.into_iter().filter(|claim| listed.contains(&claim.id)).collect()
            }
            _ => asked_for.clone(),
        }
    };
    let wanted = |name: &str| arguments.defects.is_empty() || arguments.defects.iter().any(|id| id == name);
    let cells: Vec<_> = subjects()
        .filter(|name| wanted(name))
        .map(defects::named)
        .flat_map(|defect| claims(defect).into_iter().map(move |claim| (defect, claim)))
        .collect();
    let seeds = (0..u64::from(arguments.runs)).map(|run| arguments.seed + run);
    Ok(seeds.flat_map(|seed| cells.iter().map(move |&(defect, claim)| Task { seed, defect, claim })).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn planned(defects: &[&str], claims: &[&str]) -> Vec<(u64, &'static str, &'static str)> {
        let owned = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
        let arguments = CalibrateArgs { runs: 2, defects: owned(defects), claims: owned(claims), ..Default::default() };
        tasks(&arguments).expect("a plan").iter().map(Task::key).collect()
    }

    #[test]
    fn seeds_are_outermost_and_every_pair_stands_once() {
        assert_eq!(
            planned(&["swapped", "correct"], &["drift", "gradient"]),
            [500_000, 500_001]
                .into_iter()
                .flat_map(|seed| ["correct", "swapped"].map(|subject| (seed, subject)))
                .flat_map(|(seed, subject)| ["gradient", "drift"].map(|claim| (seed, subject, claim)))
                .collect::<Vec<_>>()
        );
    }

    #[test]
    fn by_default_all_claims_for_the_correct_build_and_the_detectors_for_each_defect() {
        let all = planned(&[], &[]);
        for id in subjects().skip(1) {
            let of_defect = all.iter().filter(|task| task.1 == id).count();
            assert_eq!(of_defect, 2 * detectors(id).len(), "{id}");
        }
        assert_eq!(all.iter().filter(|task| task.1 == CORRECT).count(), 2 * REGISTRY.len());
        let distinct: std::collections::BTreeSet<_> = all.iter().collect();
        assert_eq!(distinct.len(), all.len());
    }
}
