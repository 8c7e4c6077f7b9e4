//! `rectify-phone`: the phone on a command line. A real client: a team could work with it on a laptop.

use std::process::ExitCode;

mod cli;

fn main() -> ExitCode {
    cli::run()
}
