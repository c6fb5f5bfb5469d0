//! tmp
pub mod cli;
pub mod config;
pub mod output;
pub mod parallel;
pub mod progress;
pub mod verify;
pub mod run {
    use crate::cli::*;
    use std::path::Path;
    pub fn main(a: &RunArgs) -> std::process::ExitCode {
        let r = (|| {
            let config = crate::config::Config::load(&a.config)?;
            let mut inputs: Vec<&Path> = vec![&config.file];
            inputs.extend(config.inputs.iter().map(|input| input.path.as_path()));
            crate::output::folder::Folder::claim(&a.out, &inputs)
        })();
        match r {
            Ok(_) => 0.into(),
            Err(e) => {
                eprintln!("error: {e}");
                2.into()
            }
        }
    }
}
