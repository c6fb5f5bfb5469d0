//! The machine, as a table of times has to name it.

use birth_death::dispatch::Path;
use serde::Serialize;

/// What a time depends on beside the program.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Machine {
    /// The processor's model, as the system names it.
    pub processor: String,
    /// Its number of cores; all parts but the verification use one.
    pub cores: usize,
    /// The paths of the dispatch that it has.
    pub paths: Vec<&'static str>,
}

impl Machine {
    /// This one.
    pub fn this() -> Self {
        let information = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        Self {
            processor: processor(&information),
            cores: std::thread::available_parallelism().map_or(1, usize::from),
            paths: available().map(Path::name).collect(),
        }
    }
}

/// The paths of this machine, from narrow to wide.
pub fn available() -> impl Iterator<Item = Path> {
    Path::ALL.into_iter().filter(|path| path.available())
}

/// The model in the text of `/proc/cpuinfo`: its name, and where Linux tells, the numbers that say which generation it
/// is.
fn processor(information: &str) -> String {
    let value = |key: &str| {
        let lines = information.lines().filter_map(|line| line.split_once(':'));
        lines.filter(|(name, _)| name.trim() == key).map(|(_, value)| value.trim()).next()
    };
    let Some(name) = value("model name") else { return std::env::consts::ARCH.to_owned() };
    match (value("cpu family"), value("model")) {
        (Some(family), Some(model)) => format!("{name}, family {family}, model {model}"),
        _ => name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_processor_is_named() {
        let text = "processor\t: 0\ncpu family\t: 6\nmodel\t\t: 207\nmodel name\t: A Processor\n\nprocessor\t: 1\n";
        assert_eq!(processor(text), "A Processor, family 6, model 207");
        assert_eq!(processor("model name : B\n"), "B");
        assert_eq!(processor(""), std::env::consts::ARCH);
        assert_eq!(Machine::this().paths.first(), Some(&"baseline"));
    }
}
