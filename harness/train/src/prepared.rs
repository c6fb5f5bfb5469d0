//! The data of one replicate: split by a shuffle, and standardised by its training part.

use birth_death::models::Examples;
use birth_death::random::bounded;
use birth_death::{Real, Stream};

use super::inference::{Column, standardised};
use birth_death_simulate::config::training::{Targets, Training};
use birth_death_simulate::config::{Precision, Sign};
use birth_death_terminal::refusal::{Refusal, quoted};

/// The streams of a replicate, `replicate * STREAMS + one of these`.
const STREAMS: u64 = 4;

/// Values that differ by less, relative to the largest of them, are one value but for rounding: the same number got by
/// two ways of up to 16 rounded operations each, each of which may be off by half an epsilon.
const ROUNDING: f64 = 16.0 * f64::EPSILON;

/// What a stream is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// The start of the units, and the events of the steps after it.
    Simulation,
    /// The shuffle that splits the rows.
    Split,
    /// The orders of the mini-batches.
    Batches,
}

/// The number of a stream: replicates and purposes have streams of their own.
pub fn stream(replicate: u64, purpose: Purpose) -> u64 {
    let part = match purpose {
        Purpose::Simulation => 0,
        Purpose::Split => 1,
        Purpose::Batches => 2,
    };
    replicate.wrapping_mul(STREAMS).wrapping_add(part)
}

/// Examples of one part, standardised: inputs with the 1 of the bias, example after example.
#[derive(Debug, Clone, PartialEq)]
pub struct Part<R> {
    /// Their rows in the file, from 0.
    pub rows: Vec<usize>,
    /// Their inputs.
    pub inputs: Vec<R>,
    /// Their targets: standardised numbers, or probabilities 0 and 1 of classes.
    pub targets: Vec<R>,
}

/// The data of one replicate.
#[derive(Debug, Clone, PartialEq)]
pub struct Prepared<R> {
    /// Names and standardisation of the inputs.
    pub columns: Vec<Column>,
    /// Names and standardisation of the numbers to be learned; none for classes.
    pub targets: Vec<Column>,
    /// The columns that are constant, but for rounding, in the rows to train on: their scale is 1.
    pub constant: Vec<String>,
    /// Values of an input of the network.
    pub input_dim: usize,
    /// Outputs of the network.
    pub outputs: usize,
    /// To train on.
    pub training: Part<R>,
    /// To choose the model.
    pub validation: Part<R>,
    /// To judge it.
    pub test: Part<R>,
}

impl<R: Real> Prepared<R> {
    /// Splits and standardises the data. The rows are shuffled as Fisher and Yates do, from the last place down, on the
    /// replicate's stream; the test part is the first in that order, then comes the validation part, and the rest is to
    /// train on.
    ///
    /// # Errors
    /// A refusal of a training part from which a column or a class cannot be learned.
    pub fn new(config: &Training, replicate: u64) -> Result<Self, Refusal> {
        let order = shuffled(config.rows(), config.seed, stream(replicate, Purpose::Split));
        let (test, rest) = order.split_at(config.sizes.test);
        let (validation, training) = rest.split_at(config.sizes.validation);
        let refuse = |message: String| {
            let message = format!(
                "{message} of the {} rows to train on (split number {replicate}); accepted: another seed, smaller \
                    data.validation and data.test, or more rows",
                training.len()
            );
            Refusal::of_file(config.input.path.display(), message)
        };
        let column = |name: &str, values: &[f64]| {
            let of_training = training.iter().map(|&row| values[row]);
            standard(name, of_training, config.standardise).map_err(&refuse)
        };
        let all = |names: &[String], values: &[Vec<f64>]| -> Result<Vec<Standard>, Refusal> {
            names.iter().zip(values).map(|(name, values)| column(name, values)).collect()
        };
        let inputs = all(&config.names, &config.inputs)?;
        let targets = match &config.targets {
            Targets::Numbers { names, values } => all(names, values)?,
            Targets::Classes { name, classes, rows } => {
                let missing = (0..classes.len()).find(|class| training.iter().all(|&row| rows[row] != *class));
                if let Some(class) = missing {
                    let (name, class) = (quoted(name), quoted(&classes[class]));
                    return Err(refuse(format!("the class {name} = \"{class}\" is in none")));
                }
                Vec::new()
            }
        };
        let constant = inputs.iter().chain(&targets).filter(|standard| standard.is_constant);
        let mut prepared = Self {
            constant: constant.map(|standard| standard.column.name.clone()).collect(),
            columns: inputs.into_iter().map(|standard| standard.column).collect(),
            targets: targets.into_iter().map(|standard| standard.column).collect(),
            input_dim: config.input_dim(),
            outputs: config.targets.outputs(),
            training: Part { rows: training.to_vec(), inputs: Vec::new(), targets: Vec::new() },
            validation: Part { rows: validation.to_vec(), inputs: Vec::new(), targets: Vec::new() },
            test: Part { rows: test.to_vec(), inputs: Vec::new(), targets: Vec::new() },
        };
        let Self { columns, targets, training, validation, test, .. } = &mut prepared;
        for part in [training, validation, test] {
            fill(part, columns, targets, config);
            let first_not_finite =
                |values: &[R], width: usize| values.iter().position(|x| !x.is_finite()).map(|at| at / width);
            let first = first_not_finite(&part.inputs, config.input_dim())
                .or(first_not_finite(&part.targets, config.targets.outputs()));
            if let Some(row) = first.and_then(|at| part.rows.get(at)) {
                let row = row + 1;
                let message = format!("row {row} is not finite once standardised by the mean and standard deviation");
                return Err(refuse(message));
            }
        }
        Ok(prepared)
    }
}

impl<R: Real> Part<R> {
    /// As the core takes them; none if there are none.
    pub fn examples(&self, input_dim: usize, outputs: usize) -> Option<Examples<'_, R>> {
        Examples::new(&self.inputs, input_dim, &self.targets, outputs).ok()
    }
}

fn fill<R: Real>(part: &mut Part<R>, columns: &[Column], targets: &[Column], config: &Training) {
    for &row in &part.rows {
        for (column, values) in columns.iter().zip(&config.inputs) {
            part.inputs.push(standardised(values[row], column));
        }
        if config.bias {
            part.inputs.push(R::ONE);
        }
        match &config.targets {
            Targets::Numbers { values, .. } => {
                for (column, values) in targets.iter().zip(values) {
                    part.targets.push(standardised(values[row], column));
                }
            }
            Targets::Classes { rows, .. } => encode(rows[row], config.targets.outputs(), &mut part.targets),
        }
    }
}

/// The target of a class: the probability of the second of two, or of each of more.
pub fn encode<R: Real>(class: usize, outputs: usize, targets: &mut Vec<R>) {
    let of = |is: bool| if is { R::ONE } else { R::ZERO };
    if outputs == 1 {
        targets.push(of(class == 1));
    } else {
        targets.extend((0..outputs).map(|k| of(k == class)));
    }
}

/// How a column is standardised, and whether it is constant: then its scale is 1.
#[derive(Debug, Clone, PartialEq)]
struct Standard {
    column: Column,
    is_constant: bool,
}

/// Mean and standard deviation (divisor: the number of values) in f64; 0 and 1 if not wanted. A column that is constant
/// but for rounding says nothing of its scale, which is then 1: rounding errors as the unit would make any other value
/// enormous.
///
/// The sums are of distances to the first value in units of the largest: neither an offset nor squares of tiny values
/// cost digits.
fn standard(name: &str, values: impl Iterator<Item = f64> + Clone, wanted: bool) -> Result<Standard, String> {
    let count = values.clone().count() as f64;
    let first = values.clone().next().unwrap_or(0.0);
    let farthest = |from: f64| values.clone().map(|x| (x - from).abs()).max_by(f64::total_cmp).unwrap_or(0.0);
    let (reach, largest) = (farthest(first), farthest(0.0));
    let is_constant = wanted && reach <= ROUNDING * largest;
    let (mean, sd) = match (wanted, is_constant) {
        (false, _) => (0.0, 1.0),
        (_, true) => (first, 1.0),
        _ => {
            let distances = values.map(|x| (x - first) / reach);
            let mean = distances.clone().sum::<f64>() / count;
            let variance = distances.map(|d| (d - mean) * (d - mean)).sum::<f64>() / count;
            (first + reach * mean, reach * variance.sqrt())
        }
    };
    if Precision::F64.holds(mean, Sign::Any) && Precision::F64.holds(sd, Sign::Positive) {
        Ok(Standard { column: Column { name: name.to_owned(), mean, sd }, is_constant })
    } else {
        Err(format!("column \"{}\" has mean {mean:?} and standard deviation {sd:?}", quoted(name)))
    }
}

fn shuffled(rows: usize, seed: u64, stream: u64) -> Vec<usize> {
    let mut rng = Stream::seeded(seed, stream);
    let mut order: Vec<usize> = (0..rows).collect();
    for last in (1..rows).rev() {
        let bound = u32::try_from(last + 1).unwrap_or(u32::MAX);
        let chosen = usize::try_from(bounded(&mut rng, bound)).unwrap_or(last);
        order.swap(last, chosen);
    }
    order
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shuffle_is_a_permutation_that_depends_on_the_stream() {
        let (a, b) = (shuffled(100, 1001, 1), shuffled(100, 1001, 5));
        assert_ne!(a, b);
        for mut order in [a, b] {
            order.sort_unstable();
            assert_eq!(order, (0..100).collect::<Vec<_>>());
        }
        // every place takes every row: chi-square of 4 places and rows over 6000 shuffles, 9 degrees of freedom; 45 has
        // p = 1e-6
        let mut seen = [[0.0f64; 4]; 4];
        for stream in 0..6000 {
            for (place, row) in shuffled(4, 1001, stream).into_iter().enumerate() {
                seen[place][row] += 1.0;
            }
        }
        let statistic: f64 = seen.iter().flatten().map(|n| (n - 1500.0) * (n - 1500.0) / 1500.0).sum();
        assert!(statistic < 45.0, "{statistic}");
    }

    #[test]
    fn standard_values_have_mean_zero_and_deviation_one() {
        let of = |values: &[f64], wanted| {
            standard("x", values.iter().copied(), wanted)
                .map(|found| (found.column.mean, found.column.sd, found.is_constant))
        };
        assert_eq!(of(&[1.0, 4.0, 4.0, 7.0], true), Ok((4.0, 6.0 * 0.125f64.sqrt(), false)));
        assert_eq!(of(&[1.0, 4.0, 4.0, 7.0], false), Ok((0.0, 1.0, false)));
        // far out and next to nothing: no digit is lost
        assert_eq!(of(&[5_399_998.0, 5_400_002.0], true), Ok((5_400_000.0, 2.0, false)));
        let tiny = f64::MIN_POSITIVE;
        assert_eq!(of(&[tiny, 3.0 * tiny], true), Ok((2.0 * tiny, tiny, false)));
        of(&[1e308, -1e308], true).expect_err("no number holds the distance");
    }

    #[test]
    fn a_column_that_is_constant_but_for_rounding_has_scale_one() {
        let of = |values: &[f64]| standard("x", values.iter().copied(), true).expect("a column");
        let added = [0.1 + 0.2, 0.3, 0.3, 0.1 * 3.0];
        assert!(added[0] != added[1]);
        for values in [&[0.1; 9][..], &added, &[0.0; 3], &[-7.0; 2]] {
            let found = of(values);
            assert!(found.is_constant && found.column.sd == 1.0 && found.column.mean == values[0], "{found:?}");
        }
        // a digit beyond rounding is a difference
        for values in [[1.0, 1.0 + 32.0 * f64::EPSILON], [0.0, 1e-300]] {
            let found = of(&values);
            assert!(!found.is_constant && found.column.sd < 1e-13, "{found:?}");
        }
    }

    #[test]
    fn streams_differ() {
        let mut numbers: Vec<u64> = (0..10)
            .flat_map(|r| [Purpose::Simulation, Purpose::Split, Purpose::Batches].map(|purpose| stream(r, purpose)))
            .collect();
        numbers.sort_unstable();
        numbers.dedup();
        assert_eq!(numbers.len(), 30);
    }

    #[test]
    fn classes_are_probabilities() {
        let mut targets: Vec<f32> = Vec::new();
        encode(1, 1, &mut targets);
        encode(0, 1, &mut targets);
        encode(2, 3, &mut targets);
        assert_eq!(targets, [1.0, 0.0, 0.0, 0.0, 1.0]);
    }
}
