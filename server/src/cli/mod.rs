//! The command line. Exit codes: 0 done, 1 refused or failed, 2 wrong usage.

mod arguments;
mod backup;
mod cases;
mod commands;
mod deadline;
mod demo;
mod imports;
mod output;

use std::process::ExitCode;

use clap::Parser;
use server::config;
use server::language::Language;

use arguments::{Arguments, Spoken};
use output::Output;

/// Runs what the arguments ask for.
pub(crate) async fn run() -> ExitCode {
    let arguments = Arguments::parse();
    let language = match arguments.lang {
        Some(Spoken::Zh) => Language::Zh,
        Some(Spoken::En) => Language::En,
        None => Language::of_locale(config::locale().as_deref()),
    };
    let output = Output { language, json: arguments.json };
    match commands::run(arguments.command, &output).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            output.failure(&error);
            ExitCode::FAILURE
        }
    }
}
