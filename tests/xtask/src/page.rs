//! Building the page: its packages as the lock file names them, the device's rules, then Vite. What is built is embedded
//! by the server.

use std::path::Path;

use anyhow::Result;

use crate::parts::{in_folder, program};
use crate::wasm;

const WEB: &str = "server/web";

/// Builds the page into `server/web/dist`. A first load that is too large fails.
pub(crate) fn build() -> Result<()> {
    packages(WEB)?;
    wasm::build()?;
    in_folder(WEB, "npm", &["run", "--silent", "build"])
}

/// The packages of a folder, exactly those of its lock file, unless they are there already.
pub(crate) fn packages(folder: &str) -> Result<()> {
    let time = |name: &str| Path::new(folder).join(name).metadata().and_then(|it| it.modified()).ok();
    if time("node_modules/.package-lock.json").is_some_and(|there| Some(there) >= time("package-lock.json")) {
        return Ok(());
    }
    program("npm", &["ci", "--silent", "--no-fund", "--no-audit", "--prefix", folder])
}
