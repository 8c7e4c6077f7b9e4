//! The pool that photos are looked at on, so that decoding never keeps anybody waiting who wants an answer.

use std::fs::File;
use std::io::BufReader;
use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, anyhow};
use pictures::look::look;
pub use pictures::look::{LARGE_PX, Picture, SMALL_PX, UNDECODABLE};
use tokio::sync::Semaphore;

use crate::error::{Error, Result};

/// The pool that photos are decoded on: one core is always left for answering.
#[derive(Debug, Clone)]
pub struct Decoders {
    turns: Arc<Semaphore>,
}

impl Decoders {
    /// One permit fewer than the machine has cores, at least one.
    pub fn new() -> Self {
        let cores = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
        Self { turns: Arc::new(Semaphore::new(cores.saturating_sub(1).max(1))) }
    }

    /// Looks at a photo's file.
    ///
    /// # Errors
    /// Where the file can't be read; not where it is no picture.
    pub async fn look(&self, path: &Path) -> Result<Picture> {
        let turn = Arc::clone(&self.turns).acquire_owned().await.context("the decoders are closed")?;
        let path = path.to_owned();
        let looked = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            let file = File::open(&path).with_context(|| format!("opening {}", path.display()))?;
            Ok(look(BufReader::new(file)))
        });
        looked.await.map_err(|error| Error::Internal(anyhow!(error).context("a decoder did not end")))?
    }
}

impl Default for Decoders {
    fn default() -> Self {
        Self::new()
    }
}
