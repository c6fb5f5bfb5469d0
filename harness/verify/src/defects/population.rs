//! Defects of events and of population control: a complete step written naively, which can be flawed.
//!
//! The crate's control, and the comparison that decides an event, cannot be spoilt from outside, so these defects
//! replace the step. Without a flaw it consumes the same words as
//! [`Dynamics::step`](birth_death::Dynamics::step) and makes the same choices, which is tested.

use birth_death::random::bounded;
use birth_death::{Error, FRESH, Generator, Prior, Quantity, Rate, Report, Scheme};
use rand_core::Rng;

use crate::generators::BoxedGenerator;
use crate::subject::Defect;
use crate::subject::{Setup, Simulated};

/// What is wrong with a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flaw {
    /// Copies are removed instead of anybody, those of the highest slots first.
    NewestFirst,
    /// Who died may be copied.
    DeadSlots,
    /// A copy made by control may be copied by it.
    OwnCopies,
    /// The present are seated in slot order until the n seats are taken.
    ControlSkipped,
    /// Every death is replaced by a draw, and as many are removed as were born.
    ReinjectionAlways,
    /// A draw moves by the gradient of the particle whose slot it takes.
    InjectedMoves,
    /// An event happens for a word at its threshold too.
    AtMost,
}

impl Defect for Flaw {
    fn describe(&self) -> (&'static str, &'static str) {
        match self {
            Flaw::NewestFirst => ("newest-first", "control removes the newest first: the copies of the highest slots"),
            Flaw::DeadSlots => ("dead-slots", "control copies from all slots, those of the dead included"),
            Flaw::OwnCopies => ("own-copies", "control copies from its own copies too"),
            Flaw::ControlSkipped => (
                "control-skipped",
                "control skipped when births exceed deaths: those last in slot order find no seat and are lost",
            ),
            Flaw::ReinjectionAlways => (
                "reinjection-always",
                "reinjection also when births exceed deaths: a draw for each death, a removal for each birth",
            ),
            Flaw::InjectedMoves => (
                "injected-moves",
                "the injected particle moves in its first step, by the gradient of its slot's last owner",
            ),
            Flaw::AtMost => ("at-most", "an event happens for words at most the threshold, not below it"),
        }
    }

    fn step(&self, simulation: &mut Simulated, setup: &Setup, number: u64) -> Option<Result<Report<f64>, Error>> {
        Some(step(simulation, setup, number, Some(*self)))
    }
}

/// Step number `number`.
fn step(simulation: &mut Simulated, setup: &Setup, number: u64, flaw: Option<Flaw>) -> Result<Report<f64>, Error> {
    let n = setup.particles;
    let (energy, mean_potential) = simulation.evaluate_at(number)?;
    let potentials = simulation.potentials().to_vec();
    let velocity = |slope: f64| if setup.transport { setup.dt * slope } else { 0.0 };
    let moves: Vec<f64> = simulation.gradients().iter().flatten().map(|&slope| velocity(slope)).collect();
    let moved: Vec<f64> = simulation.values_mut().iter().zip(&moves).map(|(x, m)| x - m).collect();
    if let Some(place) = moved.iter().position(|x| !x.is_finite()) {
        let particle = u32::try_from(place % n).ok();
        return Err(Error::NotFinite { quantity: Quantity::Transport, particle });
    }

    let mut origins: Vec<u32> = (0u32..).take(n).collect();
    let mut drawn = moved.clone();
    let mut events = Events::default();
    if !matches!(setup.scheme, Scheme::GradientFlow) && number < setup.quench_from {
        let shift = if setup.rate() == Rate::Centred { mean_potential } else { 0.0 };
        let rng = simulation.rng_mut();
        rng.mark();
        events = Events::decide(&potentials, shift, setup, flaw, rng);
        let population = control(&events, n, matches!(setup.scheme, Scheme::Reinjection(_)), flaw, rng);
        origins = population.map_or_else(
            || {
                rng.rewind();
                Err(Error::Extinct { step: number })
            },
            |present| Ok(seats(&present, n)),
        )?;
        if let Scheme::Reinjection(prior) = &setup.scheme {
            let mut particle = vec![0.0; prior.dim()];
            for slot in (0..n).filter(|&slot| origins[slot] == FRESH) {
                prior.draw(rng, &mut particle);
                for (k, x) in particle.iter().enumerate() {
                    let first = if flaw == Some(Flaw::InjectedMoves) { moves[k * n + slot] } else { 0.0 };
                    drawn[k * n + slot] = x - first;
                }
            }
        }
    }

    for (place, x) in simulation.values_mut().iter_mut().enumerate() {
        *x = match origins[place % n] {
            FRESH => drawn[place],
            parent => moved[place - place % n + parent as usize],
        };
    }
    simulation.origins_mut().copy_from_slice(&origins);
    let Events { births, deaths, largest_probability, .. } = events;
    let (removed, added) = (births.saturating_sub(deaths), deaths.saturating_sub(births));
    let time = number as f64 * setup.dt;
    let mut report = Report::default();
    (report.step, report.time, report.energy, report.mean_potential) = (number, time, energy, mean_potential);
    (report.births, report.deaths, report.removed, report.added) = (births, deaths, removed, added);
    report.largest_probability = largest_probability;
    Ok(report)
}

/// What the events came to.
#[derive(Debug, Default)]
struct Events {
    /// Those present after them, each as the slot it comes from, in slot order: a copy behind its parent.
    present: Vec<u32>,
    births: u32,
    deaths: u32,
    largest_probability: f64,
}

impl Events {
    fn decide(potentials: &[f64], shift: f64, setup: &Setup, flaw: Option<Flaw>, rng: &mut BoxedGenerator) -> Self {
        let mut events = Self::default();
        for (&v, slot) in potentials.iter().zip(0u32..) {
            let b = v - shift;
            let p = -(-setup.alpha * b.abs() * setup.dt).exp_m1();
            events.largest_probability = events.largest_probability.max(p);
            let (word, threshold) = (f64::from(rng.next_u32()), (p * 4_294_967_296.0).floor());
            let happens = word < threshold || (flaw == Some(Flaw::AtMost) && word == threshold && p > 0.0);
            match (happens, b > 0.0) {
                (false, _) => events.present.push(slot),
                (true, true) => events.deaths += 1,
                (true, false) => {
                    events.present.extend([slot, slot]);
                    events.births += 1;
                }
            }
        }
        events
    }
}

/// Those present after control, in slot order; short of n if draws from the prior are to follow. `None` if nobody is
/// left to copy.
fn control(
    events: &Events,
    n: usize,
    reinjection: bool,
    flaw: Option<Flaw>,
    rng: &mut BoxedGenerator,
) -> Option<Vec<u32>> {
    let mut present = events.present.clone();
    if present.len() > n {
        let excess = present.len() - n;
        match flaw {
            Some(Flaw::NewestFirst) => {
                for _ in 0..excess {
                    let newest = (1..present.len()).rev().find(|&i| present[i] == present[i - 1]);
                    present.remove(newest.unwrap_or(0));
                }
            }
            Some(Flaw::ControlSkipped) => present.truncate(n),
            Some(Flaw::ReinjectionAlways) if reinjection => remove(&mut present, events.births as usize, rng),
            _ => remove(&mut present, excess, rng),
        }
    } else if present.len() < n && !reinjection {
        let mut candidates = present.clone();
        if flaw == Some(Flaw::DeadSlots) {
            candidates = (0u32..).take(n).collect();
        }
        while present.len() < n {
            let among = u32::try_from(candidates.len()).unwrap_or(u32::MAX);
            let parent = *candidates.get(bounded(rng, among.max(1)) as usize)?;
            present.push(parent);
            if flaw == Some(Flaw::OwnCopies) {
                candidates.push(parent);
            }
        }
        present.sort_unstable();
    }
    Some(present)
}

/// Removes a uniform subset of `excess`, by the crate's selection sampling: no draw once the last is chosen.
fn remove(present: &mut Vec<u32>, excess: usize, rng: &mut BoxedGenerator) {
    let (mut to_come, mut to_remove) = (present.len(), excess);
    present.retain(|_| {
        let below = u32::try_from(to_come).unwrap_or(u32::MAX);
        let goes = to_remove > 0 && (bounded(rng, below) as usize) < to_remove;
        to_come -= 1;
        to_remove -= usize::from(goes);
        !goes
    });
}

/// Who stands in each slot: one of each family in its own, the others in the free slots in order, then draws.
fn seats(present: &[u32], n: usize) -> Vec<u32> {
    let mut newcomers = present.windows(2).filter(|pair| pair[0] == pair[1]).map(|pair| pair[0]);
    let mut seat = |slot| {
        if present.binary_search(&slot).is_ok() { slot } else { newcomers.next().unwrap_or(FRESH) }
    };
    (0u32..).take(n).map(&mut seat).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::claims::problem::Problem;
    use crate::subject::{Subject, product};
    use birth_death::Marginal;

    /// The naive step without a flaw.
    #[derive(Debug)]
    struct Flawless;

    impl Defect for Flawless {
        fn describe(&self) -> (&'static str, &'static str) {
            ("flawless", "nothing is wrong")
        }

        fn step(&self, simulation: &mut Simulated, setup: &Setup, number: u64) -> Option<Result<Report<f64>, Error>> {
            Some(step(simulation, setup, number, None))
        }
    }

    fn setups(n: usize) -> Vec<Setup> {
        let one = Setup::birth_death(n, 0.02, 200.0);
        let prior = product(&[Marginal::Uniform { low: -1.0, high: 1.0 }, Marginal::Normal { mean: 0.5, sd: 1.0 }]);
        let two = Setup { scheme: Scheme::Reinjection(prior), ..one.clone() };
        let quenched = Setup { quench_from: 50, ..one.clone() };
        let still = two.clone().without_transport();
        vec![Setup::gradient_flow(n, 0.02), one.clone(), one.raw(), two, quenched, still]
    }

    #[test]
    fn without_a_flaw_it_is_the_crate_s_step() {
        let start = product(&[Marginal::Normal { mean: 0.3, sd: 1.0 }; 2]);
        let (mut events, mut extinct) = (0, 0);
        for n in [1, 2, 7, 40] {
            for (setup, stream) in setups(n).into_iter().zip(0..) {
                let trial = |defect| {
                    let subject = Subject { defect, ..Subject::correct(1001) };
                    let mut trial = subject.trial(&setup, Problem::Units.core(), stream);
                    trial.draw(&start);
                    trial
                };
                let (mut crate_s, mut naive) = (trial(None), trial(Some(&Flawless)));
                for _ in 0..200 {
                    let (expected, found) = (crate_s.step(), naive.step());
                    assert_eq!(expected.is_ok(), found.is_ok(), "{expected:?} {found:?}");
                    let (Ok(expected), Ok(found)) = (expected, found) else {
                        assert_eq!(crate_s.step(), Err(naive.step().expect_err("extinct again")));
                        extinct += 1;
                        break;
                    };
                    events += found.births + found.deaths;
                    assert_eq!(
                        (expected.step, expected.births, expected.deaths, expected.removed, expected.added),
                        (found.step, found.births, found.deaths, found.removed, found.added)
                    );
                    assert_eq!(crate_s.origins(), naive.origins());
                    assert!((expected.largest_probability - found.largest_probability).abs() < 1e-15);
                    let reported = [(expected.time, found.time), (expected.energy, found.energy)];
                    assert!(reported.iter().all(|(a, b)| (a - b).abs() < 1e-13));
                    let near = |(a, b): (&f64, &f64)| (a - b).abs() < 1e-13 * a.abs().max(1.0);
                    assert!(crate_s.values().iter().zip(&naive.values()).all(near));
                }
            }
        }
        assert!(events > 1000 && extinct > 0, "{events} events, extinct {extinct} times");
    }

    #[test]
    fn each_flaw_by_hand() {
        let mut rng = Subject::correct(1002).words(0);
        let mut after = |present: &[u32], births, deaths, reinjection, flaw| {
            let events = Events { present: present.to_vec(), births, deaths, largest_probability: 1.0 };
            control(&events, 4, reinjection, Some(flaw), &mut rng).map(|present| seats(&present, 4))
        };
        // slots 0 and 2 doubled, 3 dead: the copy of 2 goes
        assert_eq!(after(&[0, 0, 1, 2, 2], 2, 1, false, Flaw::NewestFirst), Some(vec![0, 1, 2, 0]));
        // the second 2 finds no seat
        assert_eq!(after(&[0, 0, 1, 2, 2], 2, 1, false, Flaw::ControlSkipped), Some(vec![0, 1, 2, 0]));
        // 1 and 3 doubled: both of 3 are lost, whose own slot the copy of 1 takes
        assert_eq!(after(&[0, 1, 1, 2, 3, 3], 2, 0, false, Flaw::ControlSkipped), Some(vec![0, 1, 2, 1]));
        // the dead may come back, even if all are
        let revived = (0..50).map(|_| after(&[], 0, 4, false, Flaw::DeadSlots).expect("somebody"));
        assert!(revived.flatten().all(|slot| slot < 4));
        assert_eq!(after(&[], 0, 4, false, Flaw::OwnCopies), None);
        assert_eq!(after(&[2], 0, 3, false, Flaw::OwnCopies), Some(vec![2; 4]));
        // two go for two births, and one draw comes for the death
        let kept = after(&[0, 0, 1, 2, 2], 2, 1, true, Flaw::ReinjectionAlways).expect("somebody");
        assert_eq!(kept.iter().filter(|&&origin| origin == FRESH).count(), 1);
    }
}
