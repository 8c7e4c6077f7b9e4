//! The project's own commands: `cargo xtask run` and `cargo xtask test`.

mod browser;
mod needs;
mod page;
mod parts;
mod wasm;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(name = "xtask", about = "The project's own commands")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Build everything and start the server on embedded SQLite with a demo city.
    Run {
        /// The data folder; kept from one run to the next.
        #[arg(long, default_value = "data")]
        data: PathBuf,
        /// Where to listen.
        #[arg(long, default_value = "127.0.0.1:8080")]
        listen: String,
    },
    /// Build the page, which the server embeds when it is compiled next.
    Page,
    /// Install what the tests need and run all that CI runs, with the minutes of each part.
    Test {
        /// Only the parts whose name contains this.
        #[arg(long)]
        only: Option<String>,
        /// Also what takes longer than a CI run may.
        #[arg(long)]
        long: bool,
    },
}

fn main() -> ExitCode {
    let done = match Arguments::parse().command {
        Command::Run { data, listen } => run(&data, &listen),
        Command::Page => page::build(),
        Command::Test { only, long } => parts::test(only.as_deref(), long),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(data: &std::path::Path, listen: &str) -> Result<()> {
    page::build()?;
    parts::cargo(&[
        "build",
        "--release",
        "--bins",
        "-p",
        "server",
        "-p",
        "sync-core",
        "--features",
        "sync-core/device",
    ])?;
    let data = data.display().to_string();
    parts::program("target/release/rectify", &["serve", "--data", &data, "--listen", listen, "--demo"])
}
