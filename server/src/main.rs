//! The `rectify` program: the server, and the operator's commands on its data folder.

mod cli;

use std::process::ExitCode;

#[actix_web::main]
async fn main() -> ExitCode {
    cli::run().await
}
