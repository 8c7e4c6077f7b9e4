//! The parts of a test run, in order, each timed.

use std::process::Command;
use std::time::Instant;

use anyhow::{Context, Result, bail};

use crate::{browser, needs, page};

/// Runs cargo, the one that runs this.
pub(crate) fn cargo(arguments: &[&str]) -> Result<()> {
    finish(this_cargo().args(arguments))
}

pub(crate) fn this_cargo() -> Command {
    Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}

/// Runs a program and waits; its output goes where ours goes.
pub(crate) fn program(name: &str, arguments: &[&str]) -> Result<()> {
    finish(Command::new(name).args(arguments))
}

/// Runs a program in a folder of the project.
pub(crate) fn in_folder(folder: &str, name: &str, arguments: &[&str]) -> Result<()> {
    finish(Command::new(name).args(arguments).current_dir(folder))
}

pub(crate) fn finish(command: &mut Command) -> Result<()> {
    let name = command.get_program().display().to_string();
    let arguments: Vec<_> = command.get_args().map(|argument| argument.display().to_string()).collect();
    let status = command.status().with_context(|| format!("can't start {name}"))?;
    if !status.success() {
        bail!("failed ({status}): {name} {}", arguments.join(" "));
    }
    Ok(())
}

struct Part {
    name: &'static str,
    /// Runs only with `--long`.
    long: bool,
    run: fn() -> Result<()>,
}

const PARTS: [Part; 10] = [
    Part { name: "needs", long: false, run: needs },
    Part { name: "page", long: false, run: page::build },
    Part { name: "format", long: false, run: || cargo(&["fmt", "--all", "--check"]) },
    Part { name: "pure", long: false, run: pure },
    Part { name: "clippy", long: false, run: clippy },
    Part { name: "dependencies", long: false, run: dependencies },
    Part { name: "programs", long: false, run: programs },
    Part { name: "browser", long: false, run: browser::test },
    Part { name: "tests", long: false, run: tests },
    Part { name: "postgres", long: false, run: postgres },
];

fn needs() -> Result<()> {
    needs::packages()?;
    needs::calendar()?;
    needs::tus_client()?;
    needs::s3_server()?;
    needs::photographs()
}

/// The reducer knows no clock, file or network: it compiles without the device, and its own clippy.toml forbids them.
fn pure() -> Result<()> {
    cargo(&["clippy", "--locked", "-p", "sync-core", "--no-default-features", "--", "-D", "warnings"])
}

fn clippy() -> Result<()> {
    cargo(&["clippy", "--locked", "--workspace", "--all-targets", "--all-features", "--", "-D", "warnings"])
}

/// Licences, sources and bans. Known vulnerabilities are listed outside the package registries, so they are not
/// looked up here.
fn dependencies() -> Result<()> {
    needs::cargo_deny()?;
    cargo(&["deny", "--locked", "check", "bans", "licenses", "sources"])
}

/// With the tests, so that nothing is compiled a second time with other features.
fn programs() -> Result<()> {
    cargo(&["build", "--locked", "--workspace", "--all-features", "--bins", "--tests"])
}

fn tests() -> Result<()> {
    cargo(&["test", "--locked", "--workspace", "--all-features"])
}

/// The same tests of store, services, HTTP and programs again, as several servers share their work: on a PostgreSQL and with
/// photos in a bucket, both of which they start themselves. What is about PostgreSQL alone, or compares both databases, is
/// among the tests above.
fn postgres() -> Result<()> {
    let tests = ["test", "--locked", "--workspace", "--all-features", "--lib", "--test", "http", "--test", "e2e"];
    finish(this_cargo().args(tests).env("RECTIFY_TEST_DATABASE", "postgres").env("RECTIFY_TEST_PHOTOS", "bucket"))
}

/// Runs the parts and prints the minutes of each.
pub(crate) fn test(only: Option<&str>, long: bool) -> Result<()> {
    let mut minutes = Vec::new();
    let wanted = |part: &&Part| (long || !part.long) && only.is_none_or(|text| part.name.contains(text));
    let mut failed = None;
    for part in PARTS.iter().filter(wanted) {
        println!("== {} ==", part.name);
        let start = Instant::now();
        let outcome = (part.run)();
        minutes.push((part.name, start.elapsed()));
        if let Err(error) = outcome {
            failed = Some(error.context(part.name));
            break;
        }
    }
    println!("\nminutes of each part:");
    for (name, took) in &minutes {
        println!("{name:>14}  {:6.1}", took.as_secs_f64() / 60.0);
    }
    failed.map_or(Ok(()), Err)
}
