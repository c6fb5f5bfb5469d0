//! The pictures of the paper's experiments, redrawn: one file a picture, one line in [`REGISTRY`].
//!
//! A picture takes its runs from the [`Context`] and hands back a [`Sheet`] and the numbers that are drawn on it; the
//! [`command`] makes SVG and CSV of them.

// The workspace forbids std's transcendentals and minima for the core's sake; here they place ink.
#![allow(clippy::disallowed_methods)]

pub mod band;
pub mod command;
pub mod published;
pub mod runs;

mod energy;
mod gaussian;
mod gaussian_bad_clouds;
mod gaussian_bad_energy;
mod gaussian_full_energy;
mod gaussian_full_function;
mod student_teacher;
mod student_teacher_loss;
mod student_teacher_units;

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::atomic::AtomicBool;

use indicatif::ProgressBar;

use birth_death_charts::sheet::Sheet;
use birth_death_terminal::parallel::Pool;
use birth_death_verify::arguments::Profile;
use birth_death_verify::claims::{self, Interrupted};
use birth_death_verify::subject::Subject;
use runs::{Experiment, Runs};

/// Every picture there is, in the order of drawing.
pub static REGISTRY: [&Picture; 6] = [
    &gaussian_full_energy::PICTURE,
    &gaussian_full_function::PICTURE,
    &gaussian_bad_energy::PICTURE,
    &gaussian_bad_clouds::PICTURE,
    &student_teacher_loss::PICTURE,
    &student_teacher_units::PICTURE,
];

/// A picture: what it shows, and how it comes about.
#[derive(Debug)]
pub struct Picture {
    /// Its name on the command line, and of its files.
    pub name: &'static str,
    /// What was run, for the manifest.
    pub setting: &'static str,
    /// Runs what it shows, and lays it out.
    pub draw: fn(&Context) -> Result<Drawn, Halt>,
}

/// A picture laid out.
#[derive(Clone, Debug)]
pub struct Drawn {
    /// What is to be seen.
    pub sheet: Sheet,
    /// The same as numbers, with a header.
    pub csv: String,
}

/// Why there is no picture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Halt {
    /// Ctrl-C.
    Interrupted,
    /// Which run met which numerical error.
    Failed(String),
}

impl From<Interrupted> for Halt {
    fn from(_: Interrupted) -> Self {
        Self::Interrupted
    }
}

/// What a picture has at hand.
#[derive(Debug)]
pub struct Context<'a> {
    claims: claims::Context<'a>,
    replicates: u64,
    /// Pictures of one experiment show the same runs.
    done: RefCell<Vec<(&'static str, Rc<Runs>)>>,
}

impl<'a> Context<'a> {
    /// Runs of the crate as it is, on streams of `seed`.
    pub fn new(seed: u64, replicates: u64, pool: &'a Pool, stop: &'a AtomicBool, progress: &'a ProgressBar) -> Self {
        let subject = Subject::correct(seed);
        let claims = claims::Context { subject, profile: Profile::Quick, pool, stop, progress, claim: 0 };
        Self { claims, replicates, done: RefCell::default() }
    }

    /// Replicates of what is shown as a band.
    pub fn replicates(&self) -> u64 {
        self.replicates
    }

    /// The results of `count` tasks in their order, in parallel and with progress; a task is handed its number, the
    /// seed, and when to stop.
    ///
    /// # Errors
    /// [`Halt::Interrupted`], also if a task says so.
    pub fn map<T: Send>(
        &self,
        count: u64,
        task: impl Fn(u64, u64, &AtomicBool) -> Result<T, Interrupted> + Sync,
    ) -> Result<Vec<T>, Halt> {
        let context = &self.claims;
        let found = context.map(count, |number| task(number, context.subject.seed, context.stop))?;
        Ok(found.into_iter().collect::<Result<_, _>>()?)
    }

    /// At least so many replicates of an experiment: those that another picture has had made, if they suffice.
    /// Replicate r is the same however many there are.
    ///
    /// # Errors
    /// [`Halt`].
    pub fn runs(&self, experiment: &'static Experiment, replicates: u64) -> Result<Rc<Runs>, Halt> {
        let suffices = |runs: &Runs| runs.replicates() as u64 >= replicates;
        let found = self.done.borrow().iter().find(|(id, runs)| *id == experiment.id && suffices(runs)).cloned();
        if let Some((_, runs)) = found {
            return Ok(runs);
        }
        let context = claims::Context { claim: claims::number(experiment.id), ..self.claims };
        let runs = Rc::new(experiment.run(&context, replicates)?);
        self.done.borrow_mut().push((experiment.id, Rc::clone(&runs)));
        Ok(runs)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_settings_written_down() {
        for (i, picture) in REGISTRY.iter().enumerate() {
            assert!(REGISTRY[..i].iter().all(|other| other.name != picture.name));
            assert!(picture.name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-'));
            assert!(picture.setting.len() > 10, "{}", picture.name);
        }
    }
}
