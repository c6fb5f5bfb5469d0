//! Steps whose every random word is given and whose outcome was worked out by hand: they pin word consumption, slot
//! order and thresholds. All values here follow from the text of `Dynamics` alone.

mod common;

use birth_death::models::External;
use birth_death::{Dynamics, Error, FRESH, Marginal, Prior, ProductPrior, Rate, Report};
use common::{Memory, Script};

/// A rate at which p = 1 to the last bit: the event happens for every word.
const SURE: f64 = 1e6;
/// A word for an event whose p is 0 or 1: it does not matter.
const ANY: u32 = 0x1234_5678;

/// The word that makes a bounded integer below `bound` come out as `value`: the middle of its interval.
fn pick(value: u64, bound: u64) -> u32 {
    u32::try_from((2 * value + 1) * (1 << 32) / (2 * bound)).expect("value < bound")
}

/// One particle a potential, in component 0; component 1 is its slot. No force.
fn step<P: Prior<f64>>(
    potentials: &[f64],
    dynamics: &mut Dynamics<f64, P>,
    rng: &mut Script,
) -> (Result<Report<f64>, Error>, Memory<f64>) {
    let slots = (0..potentials.len()).map(|i| i as f64).collect();
    let mut memory = Memory::new(&[potentials.to_vec(), slots], 0);
    let mut energy = External(|[v, _]: [f64; 2]| (v, [0.0; 2]));
    let result = memory.step(dynamics, &mut energy, rng);
    (result, memory)
}

/// Raw rates, alpha = dt = 1.
fn scheme_1() -> Dynamics<f64> {
    Dynamics::birth_death(1.0, 1.0).and_then(|d| d.with_rate(Rate::Raw)).expect("dynamics")
}

fn origins(potentials: &[f64], words: &[u32]) -> (Vec<u32>, Report<f64>) {
    let mut rng = Script::new(words.iter().copied());
    let (report, memory) = step(potentials, &mut scheme_1(), &mut rng);
    assert!(rng.is_played_out(), "other words were drawn: {rng:?}");
    for (slot, &origin) in memory.origin.iter().enumerate() {
        assert_eq!(memory.particle(slot), [potentials[origin as usize], f64::from(origin)]);
    }
    (memory.origin, report.expect("a step"))
}

#[test]
fn an_excess_is_removed_by_selection_in_slot_order() {
    // Births in slots 0 and 2, a death in 4. Present: 0 0 1 2 2 3, one too many.
    let potentials = [-SURE, 0.0, -SURE, 0.0, SURE];
    // The first 0 stays (3 of 6 is not below 1), the second stays (2 of 5), slot 1 goes (0 of 4): no word is drawn
    // after it. Left: 0 0 2 2 3. The copies of 0 and 2 enter the free slots 1 and 4.
    let words = [ANY, ANY, ANY, ANY, ANY, pick(3, 6), pick(2, 5), pick(0, 4)];
    let (origin, report) = origins(&potentials, &words);
    assert_eq!(origin, [0, 0, 2, 3, 2]);
    assert_eq!((report.births, report.deaths, report.removed, report.added), (2, 1, 1, 0));
    // The first 0 goes: that is its copy's seat, so nobody but the dead is replaced.
    let (origin, _) = origins(&potentials, &[ANY, ANY, ANY, ANY, ANY, pick(0, 6)]);
    assert_eq!(origin, [0, 1, 2, 3, 2]);
    // Nobody goes until the last, slot 3, which then goes with 0 of 1: copies enter the free slots 3 and 4.
    let mut words = vec![ANY; 5];
    words.extend((1..=6).rev().map(|bound| pick(bound - 1, bound)));
    assert_eq!(origins(&potentials, &words).0, [0, 1, 2, 0, 2]);
}

#[test]
fn removal_counts_down_what_is_left_to_remove() {
    // All of three are born: 0 0 1 1 2 2, three too many. 2 of 6 is below 3: goes; 2 of 5 is not below 2: stays; 1 of 4
    // is: goes; 1 of 3 is not below 1, stays; 0 of 2 is, goes. Left: 0, 1, 2: as if nothing had happened.
    let words = [ANY, ANY, ANY, pick(2, 6), pick(2, 5), pick(1, 4), pick(1, 3), pick(0, 2)];
    let (origin, report) = origins(&[-SURE; 3], &words);
    assert_eq!((origin, report.births, report.removed), (vec![0, 1, 2], 3, 3));
    // both of slot 0 go, then the second of slot 2: slot 1's copy takes slot 0
    let words = [ANY, ANY, ANY, pick(0, 6), pick(1, 5), pick(1, 4), pick(2, 3), pick(1, 2), pick(0, 1)];
    assert_eq!(origins(&[-SURE; 3], &words).0, [1, 1, 2]);
}

#[test]
fn a_deficit_is_copied_from_those_present_before_control() {
    // Deaths in 0 and 2: present 1 3, two missing. Both words pick the second of the list, slot 3.
    let (origin, report) = origins(&[SURE, 0.0, SURE, 0.0], &[ANY, ANY, ANY, ANY, pick(1, 2), u32::MAX]);
    assert_eq!(origin, [3, 1, 3, 3]);
    assert_eq!((report.births, report.deaths, report.removed, report.added), (0, 2, 0, 2));
    // Deaths in 0, 1, 4, a birth in 2: present 2 2 3, two missing. The picks are slot 3 and slot 2; the list does not
    // grow. Newcomers 2 2 3 take the free slots 0 1 4: parents ascending, whatever the order of the picks.
    let potentials = [SURE, SURE, -SURE, 0.0, SURE];
    let (origin, report) = origins(&potentials, &[ANY, ANY, ANY, ANY, ANY, pick(2, 3), pick(0, 3)]);
    assert_eq!(origin, [2, 2, 2, 3, 3]);
    assert_eq!((report.births, report.deaths, report.added), (1, 3, 2));
    // a slot that is present twice stands twice in the list: the second of three is slot 2 again
    let words = [ANY, ANY, ANY, ANY, ANY, pick(1, 3), pick(1, 3)];
    assert_eq!(origins(&potentials, &words).0, [2, 2, 2, 3, 2]);
}

#[test]
fn a_bounded_integer_draws_again_where_it_would_be_biased() {
    // Present 1 2 3, one missing; 2^32 mod 3 = 1: the word 0 has the lower half 0 < 1 and is drawn again, the word 1
    // has not.
    let potentials = [SURE, 0.0, 0.0, 0.0];
    assert_eq!(origins(&potentials, &[ANY, ANY, ANY, ANY, 0, 0, pick(2, 3)]).0, [3, 1, 2, 3]);
    assert_eq!(origins(&potentials, &[ANY, ANY, ANY, ANY, 1]).0, [1, 1, 2, 3]);
}

#[test]
fn births_and_deaths_in_equal_number_need_no_control() {
    let (origin, report) = origins(&[SURE, -SURE, 0.0, -SURE, SURE], &[ANY; 5]);
    assert_eq!(origin, [1, 1, 2, 3, 3]);
    assert_eq!((report.births, report.deaths, report.removed, report.added), (2, 2, 0, 0));
}

#[test]
fn an_event_happens_below_the_floor_of_p_times_2_to_the_32() {
    // x = 1: p = 0.632120558828557678..., p 2^32 = 2714937127.29...
    const THRESHOLD: u32 = 2_714_937_127;
    let deaths = |word| origins(&[1.0, 0.0], &[word, ANY, 0][..if word < THRESHOLD { 3 } else { 2 }]).1.deaths;
    assert_eq!((deaths(THRESHOLD - 1), deaths(THRESHOLD)), (1, 0));
    // centred: potentials 1 and 3 have the mean 2, so b = -1 and 1; slot 0 is born and slot 1 dies at the same
    // threshold
    let mut dynamics = Dynamics::birth_death(1.0, 1.0).expect("dynamics");
    let mut rng = Script::new([THRESHOLD - 1, THRESHOLD - 1]);
    let (report, memory) = step(&[1.0, 3.0], &mut dynamics, &mut rng);
    let report = report.expect("a step");
    assert_eq!((memory.origin, report.births, report.deaths, report.mean_potential), (vec![0, 0], 1, 1, 2.0));
    let mut rng = Script::new([THRESHOLD, THRESHOLD]);
    assert_eq!(step(&[1.0, 3.0], &mut dynamics, &mut rng).1.origin, [0, 1]);
    assert_eq!(report.largest_probability, -libm::expm1(-1.0));
}

#[test]
fn the_rate_is_alpha_times_dt() {
    // x = 0.5 * 0.25 * 8 = 1 once more
    const THRESHOLD: u32 = 2_714_937_127;
    for (word, deaths) in [(THRESHOLD - 1, 1), (THRESHOLD, 0)] {
        let mut dynamics = Dynamics::birth_death(0.25, 0.5).and_then(|d| d.with_rate(Rate::Raw)).expect("dynamics");
        let mut rng = Script::new([word, ANY, 0]);
        assert_eq!(step(&[8.0, 0.0], &mut dynamics, &mut rng).0.expect("a step").deaths, deaths);
        // and after a change of both: 2 * 0.125 * 4 = 1
        dynamics.set_alpha(2.0).and_then(|()| dynamics.set_dt(0.125)).expect("valid");
        let mut rng = Script::new([word, ANY, 0]);
        assert_eq!(step(&[4.0, 0.0], &mut dynamics, &mut rng).0.expect("a step").deaths, deaths);
    }
}

#[test]
fn reinjection_seats_copies_first_and_draws_in_slot_order() {
    let prior =
        ProductPrior::new([Marginal::Uniform { low: 0.0, high: 1.0 }, Marginal::Uniform { low: 10.0, high: 12.0 }])
            .expect("a proper law");
    // Deaths in 0, 2, 3, a birth in 1: the copy of 1 takes slot 0, draws take slots 2 and 3. Uniforms of two words, the
    // first the more significant: 1/2, 1/4 for slot 2; 3/4 and 0 for slot 3.
    let events = [ANY; 5];
    let draws = [0x8000_0000, 0, 0x4000_0000, 0, 0xc000_0000, 0, 0, 0];
    let mut rng = Script::new(events.into_iter().chain(draws));
    let mut dynamics = Dynamics::reinjection(1.0, 1.0, prior).expect("dynamics");
    let (report, memory) = step(&[SURE, -SURE, SURE, SURE, 0.0], &mut dynamics, &mut rng);
    let report = report.expect("a step");
    assert!(rng.is_played_out());
    assert_eq!(memory.origin, [1, 1, FRESH, FRESH, 4]);
    assert_eq!((report.births, report.deaths, report.removed, report.added), (1, 3, 0, 2));
    assert_eq!(memory.particle(2), [0.5, 10.5]);
    assert_eq!(memory.particle(3), [0.75, 10.0]);
    assert_eq!(memory.particle(0), [-SURE, 1.0]);
}

#[test]
fn reinjection_removes_an_excess_as_scheme_1_does_and_draws_nobody() {
    let prior = ProductPrior::new([Marginal::Constant(9.0), Marginal::Constant(9.0)]).expect("a proper law");
    let mut dynamics = Dynamics::reinjection(1.0, 1.0, prior).expect("dynamics");
    // present 0 0 1 2 2, two too many: 1 of 5 goes, 3 of 4 stays, 2 of 3 stays, 0 of 2 goes; left 0 1 2
    let mut rng = Script::new([ANY, ANY, ANY, pick(1, 5), pick(3, 4), pick(2, 3), pick(0, 2)]);
    let (report, memory) = step(&[-SURE, 0.0, -SURE], &mut dynamics, &mut rng);
    assert_eq!(report.expect("a step").removed, 2);
    assert_eq!(memory.origin, [0, 1, 2]);
    assert!(rng.is_played_out());
}

#[test]
fn reinjection_survives_the_death_of_all() {
    let prior =
        ProductPrior::new([Marginal::Constant(3.0), Marginal::Uniform { low: 0.0, high: 1.0 }]).expect("proper");
    let mut dynamics = Dynamics::reinjection(1.0, 1.0, prior).expect("dynamics");
    let mut rng = Script::new([ANY, ANY, 0x8000_0000, 0, 0, 0]);
    let (report, memory) = step(&[SURE, SURE], &mut dynamics, &mut rng);
    assert_eq!(report.expect("a step").added, 2);
    assert_eq!((memory.particle(0), memory.particle(1)), (vec![3.0, 0.5], vec![3.0, 0.0]));
}

#[test]
fn a_copy_moves_as_its_parent_and_a_draw_does_not_move() {
    // V = x, grad V = (1, 0): everybody moves by -dt. Slot 0 dies, slot 1 is born.
    let mut energy = External(|[x, _]: [f64; 2]| (x, [1.0, 0.0]));
    let mut memory = Memory::new(&[vec![SURE, -SURE, 0.0], vec![0.0, 1.0, 2.0]], 2);
    let mut rng = Script::new([ANY; 3]);
    memory.step(&mut scheme_1(), &mut energy, &mut rng).expect("a step");
    assert_eq!(memory.rows().row(0), [-SURE - 1.0, -SURE - 1.0, -1.0]);
    assert_eq!(memory.rows().row(1), [1.0, 1.0, 2.0]);
    let prior = ProductPrior::new([Marginal::Constant(7.0), Marginal::Constant(8.0)]).expect("a proper law");
    let mut dynamics = Dynamics::reinjection(1.0, 1.0, prior).expect("dynamics");
    let mut memory = Memory::new(&[vec![SURE, 0.0, 0.0], vec![0.0, 1.0, 2.0]], 2);
    memory.step(&mut dynamics, &mut energy, &mut Script::new([ANY; 3])).expect("a step");
    assert_eq!(memory.rows().row(0), [7.0, -1.0, -1.0]);
    assert_eq!(memory.rows().row(1), [8.0, 1.0, 2.0]);
}

#[test]
fn extinction_gives_every_word_back() {
    let mut dynamics = scheme_1();
    let mut rng = Script::new([ANY, ANY]);
    let before = rng.clone();
    for _ in 0..2 {
        let (result, memory) = step(&[SURE, SURE], &mut dynamics, &mut rng);
        assert_eq!(result, Err(Error::Extinct { step: 0 }));
        assert_eq!(memory.x, [SURE, SURE, 0.0, 1.0]);
        assert_eq!((&rng, dynamics.steps()), (&before, 0));
    }
    // one survivor is enough for all
    let (result, memory) = step(&[SURE, 0.0, SURE], &mut dynamics, &mut Script::new([ANY, ANY, ANY, 5, 5]));
    assert_eq!((result.expect("a step").added, memory.origin), (2, vec![1, 1, 1]));
}
