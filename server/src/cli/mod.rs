//! The command line. Exit codes: 0 done, 1 refused or failed, 2 wrong usage.

mod arguments;
mod backup;
mod cases;
mod commands;
mod deadline;
mod demo;
mod districts;
mod figures;
mod handing;
mod imports;
mod output;
mod people;
mod responsibilities;
mod units;
mod webhooks;

use std::io::Write;
use std::process::ExitCode;

use clap::Parser;
use server::config;
use server::language::Language;

use arguments::{Arguments, Spoken};
use output::Output;

/// Runs what the arguments ask for.
pub(crate) async fn run() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            // Help and version are no errors to clap, and go to the standard output.
            let wrong = error.use_stderr();
            if wrong {
                drop(writeln!(
                    std::io::stderr(),
                    "用法不对,请看下面的说明,或用 --help / wrong usage: see below, or --help"
                ));
            }
            drop(error.print());
            return if wrong { ExitCode::from(2) } else { ExitCode::SUCCESS };
        }
    };
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
