//! The pool that photos are looked at on, so that decoding never keeps anybody waiting who wants an answer.

use std::fs::File;
use std::io::BufReader;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, anyhow};
use pictures::look::look;
pub use pictures::look::{LARGE_PX, Picture, SMALL_PX, UNDECODABLE};
pub use pictures::near::{ALIKE_BITS_MAX, Look};
use schema::hash::Hash;
use tokio::sync::Semaphore;

use crate::error::{Error, Result};

/// The pool that photos are decoded on: one core is always left for answering.
#[derive(Debug, Clone)]
pub struct Decoders {
    turns: Arc<Semaphore>,
    within: Duration,
}

/// How long one photo may be decoded: fifty million pixels take one or two seconds.
const DECODE_WITHIN: Duration = Duration::from_secs(20);

impl Decoders {
    /// One permit fewer than the machine has cores, at least one.
    pub fn new() -> Self {
        Self::within(DECODE_WITHIN)
    }

    fn within(within: Duration) -> Self {
        let cores = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
        Self { turns: Arc::new(Semaphore::new(cores.saturating_sub(1).max(1))), within }
    }

    /// Looks at a photo's file. One that takes too long counts as one that does not decode; its turn ends when its
    /// decoder does, so that no more than so many ever run.
    ///
    /// # Errors
    /// A decoder that does not end; not where it is no picture.
    pub async fn look(&self, file: File, photo: &Hash) -> Result<Picture> {
        let turn = Arc::clone(&self.turns).acquire_owned().await.context("the decoders are closed")?;
        let looked = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            look(BufReader::new(file))
        });
        match tokio::time::timeout(self.within, looked).await {
            Ok(looked) => looked.map_err(|error| Error::Internal(anyhow!(error).context("a decoder did not end"))),
            Err(_) => {
                tracing::warn!(%photo, "a photo took too long to decode");
                Ok(Picture::default())
            }
        }
    }
}

impl Default for Decoders {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use pictures::drawing::{Scene, Shot};

    use super::{Decoders, File, Hash, Picture};

    #[tokio::test]
    async fn a_photo_that_takes_too_long_is_let_be_and_the_next_has_its_turn() {
        let folder = tempfile::tempdir().unwrap();
        let photo = folder.path().join("photo");
        let shot = Shot { scene: Scene::Dog, fixed: false, place: 1, shot: 1 };
        std::fs::write(&photo, pictures::drawing::jpeg(&shot).unwrap()).unwrap();
        let hurried = Decoders::within(Duration::ZERO);
        let look = async |on: &Decoders| on.look(File::open(&photo).unwrap(), &Hash::ZERO).await.unwrap();
        assert_eq!(look(&hurried).await, Picture::default());
        assert_eq!(look(&hurried).await, Picture::default(), "its turn came back");
        assert!(look(&Decoders::new()).await.pixels.is_some());
    }
}
