//! The program: reads the command line, opens the store, does one thing, says what came of it.
//! Exit codes: 0 done, 1 refused or failed, 2 wrong usage.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use sync_core::device::clocks::Clocks;
use sync_core::device::entropy::SystemEntropy;

use self::args::{Arguments, Command};
use self::say::{Failure, Language, Out};

mod args;
mod body;
mod case;
mod clocks;
mod course;
mod deadline;
mod epochs;
mod export;
mod fields;
mod listener;
mod look_backs;
mod parked;
mod people;
mod photo;
mod report;
mod say;
mod show;
mod silences;
mod status;
mod steps;
mod syncing;
mod value;
mod who;

/// Runs the program.
pub(crate) fn run() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            // Help and version are no errors to clap, and go to the standard output.
            let code = if error.use_stderr() { 2 } else { 0 };
            if code == 2 {
                eprintln!("用法不对，请看下面的说明，或用 --help / wrong usage: see below, or --help");
            }
            let _ = error.print();
            return ExitCode::from(code);
        }
    };
    let out = Out { language: arguments.lang.unwrap_or_else(system_language), json: arguments.json };
    match execute(arguments, out) {
        Ok(code) => code,
        Err(failure) => {
            out.failed(&failure);
            ExitCode::from(match failure {
                Failure::Usage { .. } => 2,
                Failure::Refused { .. } | Failure::Phone(_) => 1,
            })
        }
    }
}

fn execute(arguments: Arguments, out: Out) -> Result<ExitCode, Failure> {
    let mut entropy = SystemEntropy;
    let clocks = Clocks::system(&mut entropy).map_err(|error| Failure::Phone(error.into()))?;
    let home = arguments.home.unwrap_or_else(default_home);
    if let Command::Deadline(asked) = &arguments.command {
        return deadline::deadline(out, asked);
    }
    if let Command::People(asked) = &arguments.command {
        return people::people(&home, arguments.person.as_deref(), &clocks, out, asked);
    }
    let mut phone = people::open(&home, arguments.person.as_deref(), &clocks, out)?;
    match arguments.command {
        Command::Enrol(asked) => syncing::enrol(&mut phone, &clocks, out, &asked),
        Command::Report(asked) => report::report(&mut phone, &clocks, out, &asked),
        Command::List(asked) => show::list(&phone, out, &asked),
        Command::Show(asked) => show::show(&phone, &clocks, out, &asked),
        Command::Who(asked) => who::who(&phone, &clocks, out, &asked),
        Command::Status => status::status(&phone, &clocks, out),
        Command::Sync(asked) => syncing::sync(&mut phone, &clocks, out, &asked),
        Command::Export(asked) => export::export(&mut phone, &clocks, out, &asked),
        Command::NeedsAttention(asked) => status::needs_attention(&mut phone, out, &asked),
        // These two are answered above, without a phone.
        Command::People(_) => Ok(ExitCode::SUCCESS),
        Command::Deadline(asked) => deadline::deadline(out, &asked),
        Command::Parked => parked::parked(&mut phone, out),
        Command::Silences(asked) => silences::silences(&mut phone, &clocks, out, &asked),
        Command::AcknowledgeEpoch(asked) => epochs::acknowledge(&mut phone, &clocks, out, asked.epoch),
        Command::Do(asked) => steps::step(&mut phone, &clocks, out, &asked),
    }
}

/// Chinese, unless the system speaks English.
#[expect(clippy::disallowed_methods, reason = "the program's edge: here settings become arguments")]
fn system_language() -> Language {
    let set = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let spoken = set("LC_ALL").or_else(|| set("LC_MESSAGES")).or_else(|| set("LANG")).unwrap_or_default();
    if spoken.starts_with("en") { Language::English } else { Language::Chinese }
}

#[expect(clippy::disallowed_methods, reason = "the program's edge: here settings become arguments")]
fn default_home() -> PathBuf {
    let home = std::env::var("HOME").unwrap_or_else(|_| ".".to_owned());
    PathBuf::from(home).join(".rectify-phone")
}
