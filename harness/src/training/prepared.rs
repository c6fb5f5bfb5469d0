//! The data of one replicate: split by a shuffle, and standardised by its training part.

use birth_death::models::Examples;
use birth_death::random::bounded;
use birth_death::{Real, Stream};

use super::inference::standardised;
use super::model::Column;
use crate::config::training::{Targets, Training};
use crate::config::{Precision, Refusal, Sign, quoted};

/// The streams of a replicate, `replicate * STREAMS + one of these`.
const STREAMS: u64 = 4;

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
    pub columns: Vec<Column<R>>,
    /// Names and standardisation of the numbers to be learned; none for classes.
    pub targets: Vec<Column<R>>,
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
    /// Splits and standardises the data. The rows are shuffled as Fisher and Yates do, from the last place down, on the replicate's stream;
    /// the test part is the first in that order, then comes the validation part, and the rest is to train on.
    ///
    /// # Errors
    /// A refusal of a training part from which a column or a class cannot be learned.
    pub fn new(config: &Training, replicate: u64) -> Result<Self, Refusal> {
        let order = shuffled(config.rows(), config.seed, stream(replicate, Purpose::Split));
        let (test, rest) = order.split_at(config.sizes.test);
        let (validation, training) = rest.split_at(config.sizes.validation);
        let refuse = |message: String| {
            let message = format!(
                "{message} of the {} rows to train on (split number {replicate}); accepted: another seed, smaller data.validation and \
                 data.test, or more rows",
                training.len()
            );
            Refusal::of_file(config.input.path.display(), message)
        };
        let column = |name: &str, values: &[f64]| {
            let of_training = training.iter().map(|&row| values[row]);
            standard(name, of_training, config.standardise, config.precision).map_err(&refuse)
        };
        let columns = config
            .names
            .iter()
            .zip(&config.inputs)
            .map(|(name, values)| column(name, values))
            .collect::<Result<_, _>>()?;
        let targets = match &config.targets {
            Targets::Numbers { names, values } => {
                names.iter().zip(values).map(|(name, values)| column(name, values)).collect::<Result<_, _>>()?
            }
            Targets::Classes { name, classes, rows } => {
                let missing = (0..classes.len()).find(|class| training.iter().all(|&row| rows[row] != *class));
                if let Some(class) = missing {
                    let (name, class) = (quoted(name), quoted(&classes[class]));
                    return Err(refuse(format!("the class {name} = \"{class}\" is in none")));
                }
                Vec::new()
            }
        };
        let mut prepared = Self {
            columns,
            targets,
            input_dim: config.input_dim(),
            outputs: config.targets.outputs(),
            training: Part { rows: training.to_vec(), inputs: Vec::new(), targets: Vec::new() },
            validation: Part { rows: validation.to_vec(), inputs: Vec::new(), targets: Vec::new() },
            test: Part { rows: test.to_vec(), inputs: Vec::new(), targets: Vec::new() },
        };
        let Self { columns, targets, training, validation, test, .. } = &mut prepared;
        for part in [training, validation, test] {
            fill(part, columns, targets, config);
            if let Some(at) = part.inputs.iter().chain(&part.targets).position(|x| !x.is_finite()) {
                let row = part.rows.get(at / config.input_dim()).map_or(0, |row| row + 1);
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

fn fill<R: Real>(part: &mut Part<R>, columns: &[Column<R>], targets: &[Column<R>], config: &Training) {
    for &row in &part.rows {
        for (column, values) in columns.iter().zip(&config.inputs) {
            part.inputs.push(standardised(R::from_f64(values[row]), column));
        }
        if config.bias {
            part.inputs.push(R::ONE);
        }
        match &config.targets {
            Targets::Numbers { values, .. } => {
                for (column, values) in targets.iter().zip(values) {
                    part.targets.push(standardised(R::from_f64(values[row]), column));
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

/// Mean and standard deviation (divisor: the number of values), computed in f64 and rounded; 0 and 1 if not wanted.
fn standard<R: Real>(
    name: &str,
    values: impl Iterator<Item = f64> + Clone,
    wanted: bool,
    precision: Precision,
) -> Result<Column<R>, String> {
    if !wanted {
        return Ok(Column { name: name.to_owned(), mean: R::ZERO, sd: R::ONE });
    }
    let count = values.clone().count() as f64;
    let mean = values.clone().sum::<f64>() / count;
    let variance = values.map(|x| (x - mean) * (x - mean)).sum::<f64>() / count;
    let sd = variance.sqrt();
    if precision.holds(mean, Sign::Any) && precision.holds(sd, Sign::Positive) {
        Ok(Column { name: name.to_owned(), mean: R::from_f64(mean), sd: R::from_f64(sd) })
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
        // every place takes every row: chi-square of 4 places and rows over 6000 shuffles, 9 degrees of freedom; 45 has p = 1e-6
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
        let values = [1.0, 4.0, 4.0, 7.0];
        let column: Column<f64> = standard("x", values.into_iter(), true, Precision::F64).expect("a column");
        assert_eq!((column.mean, column.sd), (4.0, 4.5f64.sqrt()));
        for bad in [[2.0, 2.0], [1e300, -1e300], [1e-300, 2e-300]] {
            assert!(standard::<f32>("x", bad.into_iter(), true, Precision::F32).is_err());
        }
        let raw: Column<f32> = standard("x", values.into_iter(), false, Precision::F32).expect("a column");
        assert_eq!((raw.mean, raw.sd), (0.0, 1.0));
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
