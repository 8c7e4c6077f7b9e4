//! The page's own tests: the real program, a real browser, one person after another.

use anyhow::Result;

use crate::page::packages;
use crate::parts::in_folder;

const TESTS: &str = "tests/browser";

/// Runs the stories. The program and the page in it were built before.
pub(crate) fn test() -> Result<()> {
    packages(TESTS)?;
    in_folder(TESTS, "npm", &["test", "--silent"])
}
