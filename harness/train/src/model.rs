//! `model.json`: everything that a prediction needs.

use std::path::Path;

use birth_death::models::{self, Activation};
use birth_death::{Real, Rows};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::inference::{Column, standardised};
use birth_death_output::stored;
use birth_death_simulate::config::Precision;
use birth_death_simulate::config::training::{ACTIVATIONS, activation_name};
use birth_death_terminal::refusal::Refusal;

/// The version of the layout of `model.json`; any other is refused.
pub const SCHEMA: u32 = 2;
/// What is wanted where a model is to be read.
pub const ACCEPTED: &str = "a model.json that birth-death train wrote";

/// A precision that a model can have. JSON holds its numbers in the shortest form that reads back as the same bits.
pub trait Number: Real + Serialize + DeserializeOwned {
    /// Its name.
    const PRECISION: Precision;
    /// Rust's path of its constants.
    const CONSTANTS: &str;
}

impl Number for f32 {
    const PRECISION: Precision = Precision::F32;
    const CONSTANTS: &str = "core::f32::consts";
}

impl Number for f64 {
    const PRECISION: Precision = Precision::F64;
    const CONSTANTS: &str = "core::f64::consts";
}

/// What the outputs mean.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase", deny_unknown_fields)]
pub enum Task {
    /// Standardised numbers.
    Regression {
        /// A column for each output.
        targets: Vec<Column>,
    },
    /// Log-odds of the second of two classes, or a logit for each of more.
    Classification {
        /// The column of the labels.
        target: String,
        /// The labels, ascending as text.
        classes: Vec<String>,
    },
}

impl Task {
    /// Outputs of the network.
    pub fn outputs(&self) -> usize {
        match self {
            Self::Regression { targets } => targets.len(),
            Self::Classification { classes, .. } if classes.len() == 2 => 1,
            Self::Classification { classes, .. } => classes.len(),
        }
    }
}

/// The rows that a model was made of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Data {
    /// SHA-256 of their file.
    pub sha256: String,
    /// How many it was trained on.
    pub training: usize,
    /// How many chose it.
    pub validation: usize,
}

/// A trained network.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Model<R> {
    /// The version of this layout.
    pub schema: u32,
    /// What wrote it.
    pub program: String,
    /// The version of what wrote it.
    pub version: String,
    /// "f32" or "f64".
    pub precision: String,
    /// "relu", "tanh", "gaussian" or "sigmoid".
    pub activation: String,
    /// The outputs are so many times the mean over the units.
    pub scale: R,
    /// Whether a 1 is appended to the inputs.
    pub bias: bool,
    /// What it was trained on.
    pub data: Data,
    /// The inputs.
    pub inputs: Vec<Column>,
    /// The outputs.
    pub task: Task,
    /// The units, each its output weights and then its input weights; that of the bias is the last.
    pub units: Vec<Vec<R>>,
}

/// Only what tells how to read the rest.
#[derive(Deserialize)]
struct Kind {
    precision: String,
}

impl<R: Number> Model<R> {
    /// A model of this program. `rows` holds component k of all units in row k.
    pub fn new(
        activation: Activation,
        scale: R,
        bias: bool,
        data: Data,
        inputs: Vec<Column>,
        task: Task,
        rows: Rows<'_, R>,
    ) -> Self {
        Self {
            schema: SCHEMA,
            program: birth_death_output::folder::PROGRAM.to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            precision: R::PRECISION.name().to_owned(),
            activation: activation_name(activation).to_owned(),
            scale,
            bias,
            data,
            inputs,
            task,
            units: (0..rows.len()).map(|i| rows.iter().filter_map(|row| row.get(i).copied()).collect()).collect(),
        }
    }

    /// Reads and checks a model of this precision.
    ///
    /// # Errors
    /// A refusal that names the file.
    pub fn read(file: &Path) -> Result<Self, Refusal> {
        let model: Self = stored::read(file, SCHEMA, ACCEPTED)?;
        model.check().map_err(|message| {
            Refusal::of_file(file.display(), format!("{message}; accepted: {ACCEPTED}, unchanged"))
        })?;
        Ok(model)
    }

    /// Values of an input of the network.
    pub fn input_dim(&self) -> usize {
        self.inputs.len() + usize::from(self.bias)
    }

    fn check(&self) -> Result<(), String> {
        if self.precision != R::PRECISION.name() {
            return Err(format!("precision = \"{}\"", self.precision));
        }
        if !ACTIVATIONS.iter().any(|(name, _)| *name == self.activation) {
            return Err(format!("activation = \"{}\"", self.activation));
        }
        if !(self.scale.is_finite() && self.scale > R::ZERO) {
            return Err(format!("scale = {:?}", self.scale));
        }
        let targets = match &self.task {
            Task::Regression { targets } => targets.as_slice(),
            Task::Classification { classes, .. } if classes.len() < 2 || !classes.is_sorted_by(|a, b| a < b) => {
                return Err("classes that are fewer than two, or not ascending".to_owned());
            }
            Task::Classification { .. } => &[],
        };
        for column in self.inputs.iter().chain(targets) {
            if !(column.mean.is_finite() && column.sd.is_finite() && column.sd > 0.0) {
                return Err(format!("column \"{}\" has mean {:?} and sd {:?}", column.name, column.mean, column.sd));
            }
        }
        let mut names: Vec<&str> = self.inputs.iter().chain(targets).map(|column| column.name.as_str()).collect();
        names.sort_unstable();
        if names.windows(2).any(|pair| pair[0] == pair[1]) {
            return Err("two columns of one name".to_owned());
        }
        let components = self.task.outputs() + self.input_dim();
        if self.inputs.is_empty() || self.task.outputs() == 0 || self.units.is_empty() {
            return Err("no input, no output or no unit".to_owned());
        }
        match self.units.iter().position(|unit| unit.len() != components || unit.iter().any(|x| !x.is_finite())) {
            Some(unit) => Err(format!("unit {unit} has not {components} finite components")),
            None => Ok(()),
        }
    }
}

/// The precision of a model.
///
/// # Errors
/// A refusal that names the file.
pub fn precision(file: &Path) -> Result<Precision, Refusal> {
    let kind: Kind = stored::read(file, SCHEMA, ACCEPTED)?;
    match kind.precision.as_str() {
        "f32" => Ok(Precision::F32),
        "f64" => Ok(Precision::F64),
        other => Err(Refusal::of_file(
            file.display(),
            format!("precision = \"{}\"; accepted: f32, f64", birth_death_terminal::refusal::quoted(other)),
        )),
    }
}

/// A model ready to predict.
#[derive(Debug, Clone)]
pub struct Predictor<R> {
    activation: Activation,
    scale: R,
    bias: bool,
    columns: Vec<Column>,
    rows: Vec<R>,
    units: usize,
    outputs: usize,
}

impl<R: Number> Predictor<R> {
    /// Of a checked model.
    pub fn new(model: &Model<R>) -> Self {
        let components = model.task.outputs() + model.input_dim();
        let rows = (0..components).flat_map(|k| model.units.iter().filter_map(move |unit| unit.get(k).copied()));
        let activation = ACTIVATIONS.iter().find(|(name, _)| *name == model.activation);
        Self {
            activation: activation.map_or(Activation::Relu, |(_, activation)| *activation),
            scale: model.scale,
            bias: model.bias,
            columns: model.inputs.clone(),
            rows: rows.collect(),
            units: model.units.len(),
            outputs: model.task.outputs(),
        }
    }

    /// The network's outputs for a row of data, in the order of the model's inputs.
    ///
    /// # Errors
    /// The core's, for a row of another length.
    pub fn outputs(&self, row: &[f64]) -> Result<Vec<R>, birth_death::Error> {
        let mut input: Vec<R> = row.iter().zip(&self.columns).map(|(&x, column)| standardised(x, column)).collect();
        if self.bias {
            input.push(R::ONE);
        }
        let mut outputs = vec![R::ZERO; self.outputs];
        let rows = Rows::packed(&self.rows, self.rows.len() / self.units)?;
        models::network::predict(self.activation, self.scale, rows, &input, &mut outputs)?;
        Ok(outputs)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn model<R: Number>(numbers: &[f64]) -> Model<R> {
        let column = |name: &str| Column { name: name.into(), mean: 0.1, sd: core::f64::consts::PI };
        let rows: Vec<R> = numbers.iter().map(|&x| R::from_f64(x)).collect();
        let rows = Rows::packed(&rows, 4).expect("rows");
        let task = Task::Regression { targets: vec![column("y")] };
        let data = Data { sha256: String::new(), training: 1, validation: 0 };
        Model::new(Activation::Tanh, R::ONE, true, data, vec![column("a"), column("b")], task, rows)
    }

    const NUMBERS: [f64; 8] = [0.1, -0.0, 1e-40, 16_777_216.0, 1.0 / 3.0, f32::MAX as f64, -5e-324, 2.5];

    fn comes_back<R: Number>() {
        let model = model::<R>(&NUMBERS);
        let file = tempfile::NamedTempFile::new().expect("a file");
        std::fs::write(file.path(), serde_json::to_vec(&model).expect("JSON")).expect("written");
        let back = Model::<R>::read(file.path()).expect("read");
        let bits =
            |model: &Model<R>| -> Vec<u64> { model.units.iter().flatten().map(|x| x.to_f64().to_bits()).collect() };
        assert_eq!(bits(&back), bits(&model));
        assert_eq!(back, model);
        assert_eq!(precision(file.path()).expect("known"), R::PRECISION);
        assert_eq!(back.units[1], [NUMBERS[1], NUMBERS[3], NUMBERS[5], NUMBERS[7]].map(R::from_f64));
    }

    #[test]
    fn numbers_read_back_to_the_same_bits() {
        comes_back::<f32>();
        comes_back::<f64>();
    }

    #[test]
    fn a_model_that_was_changed_is_refused() {
        type Change = fn(&mut Model<f64>);
        let changes: [Change; 10] = [
            |m| m.schema = 1,
            |m| m.precision = "f16".into(),
            |m| m.activation = "elu".into(),
            |m| m.scale = 0.0,
            |m| m.bias = false,
            |m| m.inputs[0].sd = 0.0,
            |m| m.inputs[0].name = "b".into(),
            |m| m.units.clear(),
            |m| m.units[1].truncate(2),
            |m| m.task = Task::Classification { target: "y".into(), classes: vec!["b".into(), "a".into()] },
        ];
        for (number, change) in changes.iter().enumerate() {
            let mut changed = model::<f64>(&NUMBERS);
            change(&mut changed);
            let file = tempfile::NamedTempFile::new().expect("a file");
            std::fs::write(file.path(), serde_json::to_vec(&changed).expect("JSON")).expect("written");
            let message = Model::<f64>::read(file.path()).expect_err("refused").to_string();
            assert!(message.contains("accepted"), "{number}: {message}");
        }
    }

    #[test]
    fn a_prediction_is_the_formula() {
        let model = model::<f64>(&[1.0, 2.0, 0.5, -1.0, 0.25, 0.0, 0.125, 3.0]);
        let found = Predictor::new(&model).outputs(&[1.0, -2.0]).expect("a prediction")[0];
        let [a, b] = [1.0, -2.0].map(|x| (x - 0.1) / core::f64::consts::PI);
        let unit = |c: f64, z: f64, w: f64, bias: f64| c * Activation::Tanh.value(z * a + w * b + bias);
        let expected = (unit(1.0, 0.5, 0.25, 0.125) + unit(2.0, -1.0, 0.0, 3.0)) / 2.0;
        // sums of four terms below 4, in another order, and the core's tanh against itself
        assert!((found - expected).abs() < 16.0 * f64::EPSILON, "{found} {expected}");
        assert!(Predictor::new(&model).outputs(&[1.0]).is_err());
    }
}
