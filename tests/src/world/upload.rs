//! Photos on their way to the server: sent in pieces, cut in the middle, resumed where the server says.

use anyhow::Result;
use schema::hash::Hash;
use schema::photo::PhotoState;
use server::services::uploads::Stream;
use sync_core::device::photos::PhotoToSend;

use super::World;

impl World {
    /// Sends a photo from where the server has it. With `bytes_max` the connection breaks after so many bytes. Says
    /// what the server says of it then.
    ///
    /// # Errors
    /// The server refused it, or the phone lost the file.
    pub fn upload(&mut self, handset: usize, photo: &PhotoToSend, bytes_max: Option<usize>) -> Result<PhotoState> {
        let bytes = std::fs::read(self.handsets[handset].photo_path(&photo.sha256))?;
        let (device, photos) = (self.handsets[handset].device, self.photos.clone());
        let state = self.runtime.block_on(async {
            let standing = photos.create(photo.sha256, device, photo.size).await?;
            if standing.expires_ms.is_none() {
                return Ok(PhotoState::Verified);
            }
            let from = usize::try_from(standing.offset)?;
            let rest = bytes.get(from..).unwrap_or_default();
            let Stream::Open(mut stream) = photos.begin(photo.sha256, device, standing.offset, None).await? else {
                return Ok(PhotoState::Verified);
            };
            if let Some(most) = bytes_max.filter(|most| *most < rest.len()) {
                stream.write(rest.get(..most).unwrap_or(rest)).await?;
                stream.broken().await?;
                let offset = photos.standing(photo.sha256, device).await?.offset;
                return Ok(PhotoState::Partial { offset });
            }
            stream.write(rest).await?;
            stream.finish().await?;
            anyhow::Ok(PhotoState::Verified)
        })?;
        if state == PhotoState::Verified {
            self.arrived.insert(photo.sha256);
        }
        Ok(state)
    }

    /// The server looks at a photo that came, and tells every case that names it. A server that is killed before does
    /// so later.
    ///
    /// # Errors
    /// The server's.
    pub fn look_at(&self, photo: Hash, size: u64) -> Result<()> {
        Ok(self.runtime.block_on(self.photos.settle(photo, size))?)
    }

    /// The server takes up what was interrupted.
    ///
    /// # Errors
    /// The server's.
    pub fn sweep(&self) -> Result<()> {
        Ok(self.runtime.block_on(self.photos.sweep())?)
    }
}
