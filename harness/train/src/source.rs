//! `model.rs`: a model as Rust that needs `core` and nothing else. What it computes is [`inference`](super::inference),
//! operation by operation.

use std::fmt::Write;

use super::inference::Column;
use super::model::{Model, Number, Task};
use birth_death_simulate::config::Precision;

/// The text of `model.rs`.
pub fn source<R: Number>(model: &Model<R>) -> String {
    let mut text = String::new();
    // writing to a string does not fail
    let _ = write(&mut text, model);
    text
}

fn write<R: Number>(out: &mut String, model: &Model<R>) -> std::fmt::Result {
    let real = R::PRECISION.name();
    let (inputs, outputs) = (model.inputs.len(), model.task.outputs());
    let components = outputs + model.input_dim();
    let units = model.units.len();
    let result = match &model.task {
        Task::Regression { .. } => "`predict` gives a value for each of `OUTPUTS`.",
        Task::Classification { .. } => {
            "`predict` gives the place of the likeliest of `CLASSES`, `probabilities` those of all."
        }
    };
    let version = &model.version;
    writeln!(out, "//! A two-layer network of {units} {} units, trained by birth-death {version}.", model.activation)?;
    writeln!(
        out,
        "//!\n//! {result} Inputs are raw values in the order of `INPUTS`, f64 so that an offset costs no digits; they \
            have to be finite."
    )?;
    writeln!(
        out,
        "//! No dependency, no allocation; the same bits as `birth-death predict` on any target with IEEE arithmetic.\n"
    )?;
    let names = |columns: &[Column]| columns.iter().map(|column| format!("{:?}", column.name)).collect::<Vec<_>>();
    writeln!(
        out,
        "/// The names of the inputs.\npub const INPUTS: [&str; {inputs}] = [{}];",
        names(&model.inputs).join(", ")
    )?;
    match &model.task {
        Task::Regression { targets } => {
            let names = names(targets).join(", ");
            writeln!(out, "/// The names of the outputs.\npub const OUTPUTS: [&str; {outputs}] = [{names}];")?;
            columns(out, "Mean and standard deviation of each output.", "RESTORE", targets)?;
        }
        Task::Classification { target, classes } => {
            let labels: Vec<String> = classes.iter().map(|class| format!("{class:?}")).collect();
            let (count, labels) = (classes.len(), labels.join(", "));
            writeln!(out, "/// The classes of {target:?}.\npub const CLASSES: [&str; {count}] = [{labels}];")?;
        }
    }
    columns(out, "Mean and standard deviation of each input.", "STANDARD", &model.inputs)?;
    let count = R::from_count(u32::try_from(units).unwrap_or(u32::MAX));
    writeln!(
        out,
        "/// The outputs are so many times the sum over the units.\nconst FACTOR: {real} = {:?};",
        model.scale / count
    )?;
    let bias = if model.bias { ", the last of them the bias" } else { "" };
    writeln!(out, "/// Each unit: {outputs} output weights, then its input weights{bias}.")?;
    writeln!(out, "#[rustfmt::skip]\n#[allow(clippy::all)]\nstatic UNITS: [[{real}; {components}]; {units}] = [")?;
    for unit in &model.units {
        writeln!(out, "    {unit:?},")?;
    }
    writeln!(out, "];\n")?;
    function(out, model, real)
}

fn columns(out: &mut String, what: &str, name: &str, of: &[Column]) -> std::fmt::Result {
    let pairs: Vec<String> = of.iter().map(|column| format!("({:?}, {:?})", column.mean, column.sd)).collect();
    writeln!(out, "/// {what}\n#[allow(clippy::all)]")?;
    writeln!(out, "const {name}: [(f64, f64); {}] = [{}];", of.len(), pairs.join(", "))
}

/// `2^t` as in the core's `maths::exp2`: bits of a mantissa, exponent bias, rounding constant, coefficients.
fn exp2<R: Number>(out: &mut String, real: &str) -> std::fmt::Result {
    let (mantissa, bias, magic, coefficients) = match R::PRECISION {
        Precision::F32 => {
            (23, "127.0", "12_582_912.0", "0.000_155_174_78, 0.001_338_950_6, 0.009_618_007, 0.055_503_6, 0.240_226_48")
        }
        Precision::F64 => (
            52,
            "1023.0",
            "6_755_399_441_055_744.0",
            "4.435_591_314_564_579_7e-10, 7.072_580_158_974_405e-9, 1.017_817_140_949_620_3e-7, \
                1.321_544_155_706_986e-6, 1.525_273_362_600_797_6e-5, 0.000_154_035_304_462_213_08, \
                0.001_333_355_814_655_206, 0.009_618_129_107_601_773, 0.055_504_108_664_821_64, \
                0.240_226_506_959_101_08",
        ),
    };
    writeln!(
        out,
        "/// `2^t` for `t <= 0`.\n\
         fn exp2(t: {real}) -> {real} {{\n\
         \x20   let t = if t < -{bias} {{ -{bias} }} else {{ t }};\n\
         \x20   let sum = t + ({magic} + {bias});\n\
         \x20   let f = t - (sum - ({magic} + {bias}));\n\
         \x20   let mut polynomial: {real} = 0.0;\n\
         \x20   for coefficient in [{coefficients}, {}::LN_2, 1.0] {{\n\
         \x20       polynomial = polynomial * f + coefficient;\n\
         \x20   }}\n\
         \x20   polynomial * {real}::from_bits(sum.to_bits() << {mantissa})\n\
         }}\n",
        R::CONSTANTS
    )
}

fn function<R: Number>(out: &mut String, model: &Model<R>, real: &str) -> std::fmt::Result {
    let (inputs, outputs, dim) = (model.inputs.len(), model.task.outputs(), model.input_dim());
    // casts where there is something to cast: one from f64 to f64 would be a lint of the user's
    let (standardised, f) = match R::PRECISION {
        Precision::F32 => ("((x - mean) / sd) as f32", "f64::from(f)"),
        Precision::F64 => ("(x - mean) / sd", "f"),
    };
    let classes = match &model.task {
        Task::Regression { .. } => 0,
        Task::Classification { classes, .. } => classes.len(),
    };
    let log2_e = format!("{}::LOG2_E", R::CONSTANTS);
    if model.activation != "relu" || classes > 0 {
        exp2::<R>(out, real)?;
    }
    let sigmoid =
        format!("    let e = exp2(-(a.abs() * {log2_e}));\n    (if a < 0.0 {{ e }} else {{ 1.0 }}) / (1.0 + e)");
    let body = match model.activation.as_str() {
        "relu" => "    if a < 0.0 { 0.0 } else { a }".to_owned(),
        "tanh" => format!(
            "    let e = exp2(-(a.abs() * (2.0 * {log2_e})));\n    let magnitude = (1.0 - e) / (1.0 + e);\n    \
             if a < 0.0 {{ -magnitude }} else {{ magnitude }}"
        ),
        "gaussian" => format!("    exp2(-(a * a * (0.5 * {log2_e})))"),
        _ => sigmoid.clone(),
    };
    writeln!(out, "/// Of a unit: {}.\nfn activation(a: {real}) -> {real} {{\n{body}\n}}\n", model.activation)?;
    write!(
        out,
        "/// Of the network, before they are given a meaning: sums over the units in 16 lanes and a tree.\n\
         fn outputs(x: &[f64; {inputs}]) -> [{real}; {outputs}] {{\n\
         \x20   let mut input = [1.0; {dim}];\n\
         \x20   for ((input, x), (mean, sd)) in input.iter_mut().zip(x).zip(STANDARD) {{\n\
         \x20       *input = {standardised};\n\
         \x20   }}\n\
         \x20   let mut lanes = [[0.0; 16]; {outputs}];\n\
         \x20   for (i, unit) in UNITS.iter().enumerate() {{\n\
         \x20       let (c, z) = unit.split_at({outputs});\n\
         \x20       let mut a = 0.0;\n\
         \x20       for (z, x) in z.iter().zip(&input) {{\n\
         \x20           a += z * x;\n\
         \x20       }}\n\
         \x20       let phi = activation(a);\n\
         \x20       for (lanes, c) in lanes.iter_mut().zip(c) {{\n\
         \x20           lanes[i % 16] += c * phi;\n\
         \x20       }}\n\
         \x20   }}\n\
         \x20   lanes.map(|mut lanes| {{\n\
         \x20       for width in [8, 4, 2, 1] {{\n\
         \x20           for i in 0..width {{\n\
         \x20               lanes[i] += lanes[i + width];\n\
         \x20           }}\n\
         \x20       }}\n\
         \x20       lanes[0] * FACTOR\n\
         \x20   }})\n\
         }}\n\n"
    )?;
    match classes {
        0 => write!(
            out,
            "/// The prediction for one row of raw inputs.\n\
             pub fn predict(x: &[f64; {inputs}]) -> [f64; {outputs}] {{\n\
             \x20   let mut values = [0.0; {outputs}];\n\
             \x20   for ((value, f), (mean, sd)) in values.iter_mut().zip(outputs(x)).zip(RESTORE) {{\n\
             \x20       *value = {f} * sd + mean;\n\
             \x20   }}\n\
             \x20   values\n\
             }}\n"
        ),
        2 => write!(
            out,
            "fn sigmoid(a: {real}) -> {real} {{\n{sigmoid}\n}}\n\n\
             /// The probability of each class for one row of raw inputs.\n\
             pub fn probabilities(x: &[f64; {inputs}]) -> [{real}; 2] {{\n\
             \x20   let [f] = outputs(x);\n\
             \x20   [sigmoid(-f), sigmoid(f)]\n\
             }}\n\n\
             /// The likelier class for one row of raw inputs: its place in [`CLASSES`].\n\
             pub fn predict(x: &[f64; {inputs}]) -> usize {{\n\
             \x20   usize::from(outputs(x)[0] > 0.0)\n\
             }}\n"
        ),
        _ => write!(
            out,
            "fn largest(f: &[{real}; {outputs}]) -> usize {{\n\
             \x20   (1..{outputs}).fold(0, |best, k| if f[k] > f[best] {{ k }} else {{ best }})\n\
             }}\n\n\
             /// The probability of each class for one row of raw inputs.\n\
             pub fn probabilities(x: &[f64; {inputs}]) -> [{real}; {outputs}] {{\n\
             \x20   let f = outputs(x);\n\
             \x20   let weights = f.map(|value| exp2((value - f[largest(&f)]) * {log2_e}));\n\
             \x20   let total = weights.iter().fold(0.0, |total, weight| total + weight);\n\
             \x20   weights.map(|weight| weight / total)\n\
             }}\n\n\
             /// The likeliest class for one row of raw inputs: its place in [`CLASSES`].\n\
             pub fn predict(x: &[f64; {inputs}]) -> usize {{\n\
             \x20   largest(&outputs(x))\n\
             }}\n"
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::super::model::Data;
    use super::*;
    use birth_death::Rows;
    use birth_death::models::Activation;

    #[test]
    fn the_source_has_what_it_needs_and_no_more() {
        let column = Column { name: "a \"b\"\n".into(), mean: 0.1, sd: 2.0 };
        let data = Data { sha256: String::new(), training: 1, validation: 0 };
        let rows = [0.1, -0.0, 1e-7, 3.0, 5.0, 6.0f32];
        let rows = Rows::packed(&rows, 3).expect("rows");
        let regression = Task::Regression { targets: vec![column.clone()] };
        let relu =
            source(&Model::new(Activation::Relu, 1.0, true, data.clone(), vec![column.clone()], regression, rows));
        assert!(!relu.contains("exp2") && relu.contains("[0.1, 1e-7, 5.0]") && relu.contains("FACTOR: f32 = 0.5"));
        assert!(relu.contains("[-0.0, 3.0, 6.0]") && relu.contains(r#"["a \"b\"\n"]"#), "{relu}");
        let classes = ["x", "y"].map(str::to_owned).to_vec();
        let two = Task::Classification { target: "t".into(), classes };
        let tanh = source(&Model::new(Activation::Tanh, 1.0, true, data, vec![column], two, rows));
        assert!(tanh.contains("fn exp2") && tanh.contains("fn sigmoid") && !tanh.contains("largest"));
    }
}
