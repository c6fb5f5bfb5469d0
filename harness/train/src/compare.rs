//! `birth-death compare`: all three dynamics and a linear model on many splits of one data set.
//!
//! Replicate r has a split, a start and mini-batches of its own, the same for its three trainings: their differences
//! are paired. Each keeps the model of the least validation loss and is judged by the test part. The linear model is
//! fitted to the training part alone: it has nothing to choose.
//!
//! With a table `[compare]` each dynamics has its settings chosen in every replicate: the one of the least validation
//! loss among all combinations of the lists. All dynamics have the same number of candidates and of steps: gradient
//! flow, which has no alpha, has so many more dt. The test part decides nothing.
//!
//! The intervals are over random splits, starts and batches: they are for this data set. Splits of the same rows
//! overlap, so for new data from the same source the intervals are too short.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{self, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use comfy_table::{Table, presets};
use indicatif::ProgressBar;
use serde::Serialize;

use super::arguments::{CompareArgs, FEWEST};
use super::fit::{End, Evaluation, Fit, Memory, Method, Trainer};
use super::linear::{Linear, MAX_WEIGHTS, Rows};
use super::model::Number;
use super::prepared::{Part, Prepared};
use super::score::Score;
use super::train::{model_of, score, scoring};
use birth_death_output::folder::{Folder, Placed};
use birth_death_output::manifest::{Document, InputFile, Origin};
use birth_death_output::number as json;
use birth_death_simulate::config::training::{Choices, Targets, Training};
use birth_death_simulate::config::{Precision, Rate, Scheme};
use birth_death_stats::interval::Sample;
use birth_death_terminal::digits::number;
use birth_death_terminal::exit::{FAILURE, INTERRUPTED, SUCCESS};
use birth_death_terminal::refusal::{Refusal, listed, quoted};
use birth_death_terminal::screen;
use birth_death_terminal::{parallel, progress};

/// The version of the layout of `compare.json`.
pub const SCHEMA: u32 = 1;
/// What is compared, in the order of every table; differences are to the first.
pub const METHODS: [&str; 4] = ["gradient-flow", "birth-death", "reinjection", "linear"];
/// Intervals cover with probability 1 less this.
const LEVEL: f64 = 0.05;

/// Compares what the arguments ask for and says how it went; the result is the exit code.
///
/// # Errors
/// Bad input.
pub fn main(arguments: &CompareArgs) -> Result<u8, Refusal> {
    let began = Instant::now();
    let config = Training::load(&arguments.config)?;
    match config.precision {
        Precision::F32 => whole::<f32>(&config, arguments, began),
        Precision::F64 => whole::<f64>(&config, arguments, began),
    }
}

/// The candidates of the three dynamics. The rate of the configuration's own scheme is the configuration's, and the
/// others have their usual one.
fn dynamics(config: &Training) -> [Vec<Method>; 3] {
    let rate = |scheme, usual| if config.scheme == scheme { config.rate } else { usual };
    let Choices { dt, gradient_flow_dt, alpha, decay } = &config.choices;
    [
        (Scheme::GradientFlow, Rate::Centred, gradient_flow_dt, &[0.0][..]),
        (Scheme::BirthDeath, rate(Scheme::BirthDeath, Rate::Centred), dt, alpha),
        (Scheme::Reinjection(()), Rate::Raw, dt, alpha),
    ]
    .map(|(scheme, rate, dts, alphas)| {
        let mut candidates = Vec::new();
        for &dt in dts {
            for &decay in decay {
                candidates.extend(alphas.iter().map(|&alpha| Method { scheme, rate, alpha, dt, decay }));
            }
        }
        candidates
    })
}

fn whole<R: Number>(config: &Training, arguments: &CompareArgs, began: Instant) -> Result<u8, Refusal> {
    let constant = check::<R>(config, arguments.replicates)?;
    let stop = progress::interruption();
    let folder = Folder::claim(&arguments.out, &[&config.file, &config.input.path])?;
    let pool = parallel::pool(arguments.threads);
    let bar = progress::bar(arguments.replicates, "replicates");
    let ends = parallel::map_in_order(&pool, arguments.replicates, |index| {
        let end = replicate::<R>(config, index, stop);
        bar.inc(1);
        end
    });
    bar.finish_and_clear();
    let mut outcome = Outcome {
        replicates: arguments.replicates,
        rows: Vec::new(),
        failures: Vec::new(),
        interrupted: false,
        constant: said_of(&constant, arguments.replicates),
    };
    for end in ends {
        match end {
            Replicate::Complete(row) => outcome.rows.push(*row),
            Replicate::Failed(message) => outcome.failures.push(message),
            Replicate::Interrupted => outcome.interrupted = true,
        }
    }
    let prepared = Prepared::<R>::new(config, 0)?;
    let names = scoring(config, &prepared).names();
    Ok(conclude(config, folder, &outcome, &names, began))
}

/// Everything that can be refused before hours of work. Gives the columns that are constant in the rows to train on of
/// some splits, and of how many.
fn check<R: Number>(config: &Training, replicates: u64) -> Result<BTreeMap<String, u64>, Refusal> {
    let refuse = |message: String| Refusal::of_file(config.file.display(), message);
    if config.scheme == Scheme::GradientFlow {
        return Err(refuse(
            "scheme = \"gradient-flow\" has no alpha to compare; accepted: scheme = \"birth-death\" or \"reinjection\""
                .to_owned(),
        ));
    }
    if config.sizes.test == 0 {
        return Err(refuse("data.test = 0; accepted: a fraction above 0, to compare on".to_owned()));
    }
    let weights = (config.inputs.len() + 1) * config.targets.outputs();
    if weights > MAX_WEIGHTS {
        return Err(refuse(format!(
            "a linear model of these data has {weights} weights; accepted: at most {MAX_WEIGHTS}, inputs and 1 times \
                outputs"
        )));
    }
    let mut constant = BTreeMap::new();
    for index in 0..replicates {
        let prepared = Prepared::<R>::new(config, index)?;
        for name in &prepared.constant {
            *constant.entry(name.clone()).or_insert(0) += 1;
        }
        if index == 0 {
            for method in dynamics(config).into_iter().flatten() {
                let mut memory = Memory::new(config, &prepared);
                Trainer::new(config, method, &prepared, 0, &mut memory)
                    .map_err(|error| refuse(format!("{error} (network, start, prior, dt, alpha)")))?;
            }
        }
    }
    Ok(constant)
}

/// One line on the columns that are constant in the rows to train on; empty if there are none.
fn said_of(constant: &BTreeMap<String, u64>, replicates: u64) -> String {
    if constant.is_empty() {
        return String::new();
    }
    let columns: Vec<String> =
        constant.iter().map(|(name, times)| format!("\"{}\" in {times}", quoted(name))).collect();
    let columns = listed(&columns);
    format!("constant in the rows to train on, so that the scale is 1, of {replicates} splits: {columns}\n")
}

/// What one method came to in one replicate.
#[derive(Debug, Clone, PartialEq)]
struct Judged {
    /// The candidate that was chosen and the evaluation whose model was kept; none for the linear model.
    kept: Option<(Method, Evaluation)>,
    test: Score,
}

#[derive(Debug, Clone, PartialEq)]
struct Row {
    replicate: u64,
    /// In the order of [`METHODS`].
    methods: [Judged; 4],
}

enum Replicate {
    Complete(Box<Row>),
    Failed(String),
    Interrupted,
}

fn replicate<R: Number>(config: &Training, index: u64, stop: &AtomicBool) -> Replicate {
    if stop.load(Ordering::Relaxed) {
        return Replicate::Interrupted;
    }
    let failed = |method: &str, message: String| Replicate::Failed(format!("replicate {index}, {method}: {message}"));
    let prepared = match Prepared::<R>::new(config, index) {
        Ok(prepared) => prepared,
        Err(refusal) => return failed("split", refusal.to_string()),
    };
    let mut trained = Vec::with_capacity(3);
    for (candidates, name) in dynamics(config).into_iter().zip(METHODS) {
        let mut chosen: Option<(Method, Fit<R>)> = None;
        let mut failure = String::new();
        for method in candidates {
            let mut memory = Memory::new(config, &prepared);
            let fit = Trainer::new(config, method, &prepared, index, &mut memory)
                .and_then(|trainer| trainer.run(&ProgressBar::hidden(), stop));
            let fit = match fit {
                Ok(fit) => fit,
                Err(error) => return failed(name, error.to_string()),
            };
            match &fit.end {
                End::Complete | End::Patience => {}
                End::Interrupted => return Replicate::Interrupted,
                // a candidate that fails is not chosen
                End::Failed { step, error } => {
                    failure = format!("dt = {}, alpha = {}: step {step}: {error}", method.dt, method.alpha);
                    continue;
                }
            }
            let better = |(_, other): &(Method, Fit<R>)| fit.best().validation < other.best().validation;
            if chosen.as_ref().is_none_or(better) {
                chosen = Some((method, fit));
            }
        }
        let Some((method, fit)) = chosen else {
            return failed(name, failure);
        };
        let judged =
            model_of(config, &prepared, &fit).and_then(|model| score(config, &prepared, &model, &prepared.test));
        match judged {
            Ok(Some(test)) => trained.push(Judged { kept: Some((method, *fit.best())), test }),
            Ok(None) => return failed(name, "no test part".to_owned()),
            Err(error) => return failed(name, error.to_string()),
        }
    }
    let scoring = scoring(config, &prepared);
    let Some(linear) = Linear::fit(&rows(config, &prepared, &prepared.training), &scoring) else {
        return failed("linear", "no linear model".to_owned());
    };
    let test = linear.score(&rows(config, &prepared, &prepared.test), &scoring);
    trained.push(Judged { kept: None, test });
    match <[Judged; 4]>::try_from(trained) {
        Ok(methods) => Replicate::Complete(Box::new(Row { replicate: index, methods })),
        Err(_) => failed("linear", "a method is missing".to_owned()),
    }
}

/// A part for the linear model, which always has a constant.
fn rows<R: Number>(config: &Training, prepared: &Prepared<R>, part: &Part<R>) -> Rows {
    let columns = config.inputs.len();
    let mut inputs = Vec::with_capacity(part.rows.len() * (columns + 1));
    for input in part.inputs.chunks_exact(prepared.input_dim) {
        inputs.extend(input.iter().take(columns).map(|x| x.to_f64()));
        inputs.push(1.0);
    }
    let targets = part.targets.iter().map(|y| y.to_f64()).collect();
    Rows { inputs, input_dim: columns + 1, targets, outputs: prepared.outputs }
}

struct Outcome {
    replicates: u64,
    rows: Vec<Row>,
    failures: Vec<String>,
    interrupted: bool,
    /// A line on constant columns, if there are any.
    constant: String,
}

/// A mean over replicates and its t interval.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
struct Estimate {
    #[serde(with = "json")]
    mean: f64,
    #[serde(with = "json")]
    low: f64,
    #[serde(with = "json")]
    high: f64,
}

impl Estimate {
    /// Of values that lie in the range, as their mean does: what the interval has beyond it is cut off.
    fn of(values: &[f64], (least, most): (f64, f64)) -> Self {
        let sample = Sample::of(values);
        // an interruption can leave fewer than are worth an interval; equal values have no spread
        let (low, high) = if (values.len() as u64) < FEWEST {
            (f64::NAN, f64::NAN)
        } else if sample.sd == 0.0 {
            (sample.mean, sample.mean)
        } else {
            let (low, high) = sample.interval(LEVEL);
            (if low < least { least } else { low }, if high > most { most } else { high })
        };
        Self { mean: sample.mean, low, high }
    }

    fn text(&self) -> String {
        // differences that cancel leave a rounding error, which nobody wants to read
        let negligible = self.mean.abs() < 1e-12 * (self.high - self.low);
        let mean = if negligible { 0.0 } else { self.mean };
        match self.low.is_nan() {
            true => number(mean),
            false => format!("{} ({} to {})", number(mean), number(self.low), number(self.high)),
        }
    }
}

/// A method over all replicates.
#[derive(Debug, Clone, PartialEq, Serialize)]
struct Summary {
    method: &'static str,
    loss: Estimate,
    loss_less_gradient_flow: Estimate,
    scores: Vec<Estimate>,
    scores_less_gradient_flow: Vec<Estimate>,
}

/// `most` is the largest value that a score can have; losses and scores are 0 or more.
fn summaries(rows: &[Row], scores: usize, most: f64) -> Vec<Summary> {
    let over = |of: &dyn Fn(&Row) -> f64, range| Estimate::of(&rows.iter().map(of).collect::<Vec<_>>(), range);
    METHODS
        .iter()
        .enumerate()
        .map(|(place, &method)| {
            let test = move |row: &Row| row.methods[place].test.clone();
            let base = |row: &Row| row.methods[0].test.clone();
            Summary {
                method,
                loss: over(&|row| test(row).loss, (0.0, f64::INFINITY)),
                loss_less_gradient_flow: over(
                    &|row| test(row).loss - base(row).loss,
                    (f64::NEG_INFINITY, f64::INFINITY),
                ),
                scores: (0..scores).map(|k| over(&|row| test(row).values[k], (0.0, most))).collect(),
                scores_less_gradient_flow: (0..scores)
                    .map(|k| over(&|row| test(row).values[k] - base(row).values[k], (-most, most)))
                    .collect(),
            }
        })
        .collect()
}

#[derive(Serialize)]
struct Comparison<'a> {
    schema: u32,
    replicates: u64,
    completed: usize,
    level: f64,
    scores: &'a [String],
    methods: &'a [Summary],
    failures: &'a [String],
}

#[derive(Serialize)]
struct Manifest<'a> {
    #[serde(flatten)]
    origin: Origin,
    replicates: u64,
    completed: usize,
    failures: &'a [String],
    configuration: Document<'a>,
    inputs: [InputFile<'a>; 1],
}

fn csv(out: &mut dyn Write, rows: &[Row], names: &[String]) -> io::Result<()> {
    let mut out = csv::Writer::from_writer(out);
    let header = ["replicate", "method", "dt", "alpha", "decay", "kept_step", "validation_loss", "test_loss"];
    out.write_record(header.iter().copied().chain(names.iter().map(String::as_str)))?;
    for row in rows {
        for (judged, method) in row.methods.iter().zip(METHODS) {
            let kept = |text: &dyn Fn(&Method, &Evaluation) -> String| {
                judged.kept.as_ref().map_or_else(String::new, |(method, at)| text(method, at))
            };
            let first = [
                row.replicate.to_string(),
                method.to_owned(),
                kept(&|method, _| format!("{:?}", method.dt)),
                kept(&|method, _| format!("{:?}", method.alpha)),
                kept(&|method, _| format!("{:?}", method.decay)),
                kept(&|_, at| at.step.to_string()),
                kept(&|_, at| at.validation.map_or_else(String::new, |loss| format!("{loss:?}"))),
                format!("{:?}", judged.test.loss),
            ];
            out.write_record(first.into_iter().chain(judged.test.values.iter().map(|value| format!("{value:?}"))))?;
        }
    }
    out.flush()
}

fn keep(
    config: &Training,
    folder: Folder,
    outcome: &Outcome,
    names: &[String],
    methods: &[Summary],
) -> Result<Placed, String> {
    let comparison = Comparison {
        schema: SCHEMA,
        replicates: outcome.replicates,
        completed: outcome.rows.len(),
        level: LEVEL,
        scores: names,
        methods,
        failures: &outcome.failures,
    };
    let manifest = Manifest {
        origin: Origin::new("compare", config.precision.name(), config.seed),
        replicates: outcome.replicates,
        completed: outcome.rows.len(),
        failures: &outcome.failures,
        configuration: Document::new(&config.file, &config.text),
        inputs: [(&config.input).into()],
    };
    let complete = outcome.rows.len() as u64 == outcome.replicates;
    folder.finish(complete, &manifest, |draft| {
        draft.write("compare.csv", |out| csv(out, &outcome.rows, names))?;
        draft.json("compare.json", &comparison)
    })
}

fn table(methods: &[Summary], names: &[String]) -> String {
    let mut table = Table::new();
    table.load_style(presets::ASCII_MARKDOWN);
    let mut header = vec!["method".to_owned(), "test loss".to_owned(), "less gradient flow's".to_owned()];
    for name in names {
        header.extend([name.clone(), "less gradient flow's".to_owned()]);
    }
    table.set_header(header);
    for summary in methods {
        let less = |estimate: &Estimate| {
            if summary.method == METHODS[0] { String::new() } else { estimate.text() }
        };
        let mut row = vec![summary.method.to_owned(), summary.loss.text(), less(&summary.loss_less_gradient_flow)];
        for (score, difference) in summary.scores.iter().zip(&summary.scores_less_gradient_flow) {
            row.extend([score.text(), less(difference)]);
        }
        table.add_row(row);
    }
    table.to_string()
}

/// Of each dynamics that had a choice, what it chose most often.
fn choices(config: &Training, rows: &[Row]) -> String {
    let mut text = String::new();
    for (place, (name, candidates)) in
        METHODS.iter().zip(dynamics(config)).enumerate().filter(|(_, (_, all))| all.len() > 1)
    {
        let times = |candidate: &Method| {
            rows.iter().filter(|row| row.methods[place].kept.as_ref().is_some_and(|kept| kept.0 == *candidate)).count()
        };
        // the first of those chosen equally often
        let most = candidates.iter().rev().max_by_key(|candidate| times(candidate));
        if let Some(most) = most {
            let Method { dt, alpha, decay, .. } = most;
            let (times, all, of) = (times(most), rows.len(), candidates.len());
            // what is chosen at an end of the list might be better beyond it
            let mut offered: Vec<f64> = candidates.iter().map(|candidate| candidate.dt).collect();
            offered.sort_by(f64::total_cmp);
            let chosen = |dt: Option<&f64>| {
                let at = |row: &&Row| row.methods[place].kept.as_ref().is_some_and(|kept| Some(&kept.0.dt) == dt);
                rows.iter().filter(at).count()
            };
            let (shortest, longest) = (offered.first(), offered.last());
            let ends = match shortest == longest {
                true => String::new(),
                false => format!("; the shortest dt in {}, the longest in {}", chosen(shortest), chosen(longest)),
            };
            let _ = writeln!(
                text,
                "{name}: of {of} settings, dt = {dt}, alpha = {alpha}, decay = {decay} was chosen in {times} of \
                    {all}{ends}"
            );
        }
    }
    text
}

/// Keeps the complete replicates and tells the user; the result is the exit code.
fn conclude(config: &Training, folder: Folder, outcome: &Outcome, names: &[String], began: Instant) -> u8 {
    let completed = outcome.rows.len();
    let kept = if completed == 0 {
        format!("no replicate was complete: nothing is written to {}", folder.place().display())
    } else {
        let most = match config.targets {
            Targets::Numbers { .. } => f64::INFINITY,
            Targets::Classes { .. } => 1.0,
        };
        let methods = summaries(&outcome.rows, names.len(), most);
        let placed = match keep(config, folder, outcome, names, &methods) {
            Ok(placed) => placed,
            Err(message) => {
                screen::error(message);
                return FAILURE;
            }
        };
        let text = format!(
            "{}\n{}{}means over {completed} random splits of these rows{}; differences are paired\n\
             compare.csv, compare.json and manifest.json are in {}\n{:.2} s\n",
            table(&methods, names),
            choices(config, &outcome.rows),
            outcome.constant,
            if (completed as u64) < FEWEST { ", too few for intervals" } else { " with their 95 % intervals" },
            placed.place().display(),
            began.elapsed().as_secs_f64()
        );
        screen::print(&text);
        format!("{completed} complete replicates of {} are kept in {placed}", outcome.replicates)
    };
    if outcome.interrupted {
        screen::error(format_args!("interrupted; {kept}"));
        return INTERRUPTED;
    }
    match outcome.failures.as_slice() {
        [] => SUCCESS,
        [only] => {
            screen::error(format_args!("{only}; {kept}"));
            FAILURE
        }
        [first, others @ ..] => {
            screen::error(format_args!("{first} (and {} other replicates failed); {kept}", others.len()));
            FAILURE
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn differences_are_paired() {
        let row = |replicate: u64, losses: [f64; 4]| Row {
            replicate,
            methods: losses.map(|loss| Judged { kept: None, test: Score { loss, values: vec![-loss] } }),
        };
        let rows = [
            row(0, [1.0, 0.9, 1.2, 2.0]),
            row(1, [3.0, 2.9, 3.0, 2.0]),
            row(2, [5.0, 4.9, 5.4, 2.0]),
            row(3, [7.0, 6.9, 7.1, 2.0]),
            row(4, [9.0, 8.9, 9.3, 2.0]),
        ];
        let found = summaries(&rows, 1, f64::INFINITY);
        assert_eq!(found[0].loss_less_gradient_flow, Estimate { mean: 0.0, low: 0.0, high: 0.0 });
        let paired = found[1].loss_less_gradient_flow;
        assert!((paired.mean + 0.1).abs() < 1e-12 && paired.high - paired.low < 1e-12, "{paired:?}");
        // by hand: differences 0.2, 0, 0.4, 0.1, 0.3; sd sqrt(0.1 / 4), t(4) at 97.5 % 2.776445
        let paired = found[2].scores_less_gradient_flow[0];
        assert!((paired.mean + 0.2).abs() < 1e-12, "{paired:?}");
        assert!((paired.high - paired.mean - 2.776_445_1 * (0.025 / 5f64).sqrt()).abs() < 1e-6, "{paired:?}");
    }

    #[test]
    fn an_interval_stays_where_values_can_be() {
        // by hand: mean 0.92, sd sqrt(0.028 / 4), t(4) at 97.5 % 2.776445: 0.816 to 1.024
        let found = Estimate::of(&[1.0, 1.0, 0.8, 0.9, 0.9], (0.0, 1.0));
        assert!(
            found.high == 1.0 && (found.low - (0.92 - 2.776_445_1 * (0.007 / 5f64).sqrt())).abs() < 1e-6,
            "{found:?}"
        );
        let found = Estimate::of(&[0.0, 0.0, 0.2, 0.1, 0.1], (0.0, 1.0));
        assert!(found.low == 0.0 && found.high > 0.18 && found.high < 0.19, "{found:?}");
        let few = Estimate::of(&[0.5, 0.6, 0.7, 0.8], (0.0, 1.0));
        assert!(few.low.is_nan() && few.high.is_nan() && (few.mean - 0.65).abs() < 1e-12, "{few:?}");
    }

    #[test]
    fn accuracies_and_their_differences_have_ranges() {
        let row = |replicate: u64, values: [f64; 4]| Row {
            replicate,
            methods: values.map(|value| Judged { kept: None, test: Score { loss: 1.0 - value, values: vec![value] } }),
        };
        let rows: Vec<Row> = [0.0, 0.0, 0.0, 0.0, 0.5]
            .into_iter()
            .zip(0..)
            .map(|(wrong, replicate)| row(replicate, [wrong, 1.0 - wrong, 1.0, 1.0]))
            .collect();
        let found = summaries(&rows, 1, 1.0);
        assert_eq!((found[0].scores[0].low, found[0].loss.high > 1.0, found[1].loss.low), (0.0, true, 0.0));
        assert_eq!((found[1].scores[0].high, found[1].scores_less_gradient_flow[0].high), (1.0, 1.0));
    }
}
