//! A phone: its store on SQLite, photos in files beside it, and its key, under a PIN where it has one.

use std::fs::File;
use std::io::{self, Write};
use std::ops::{Deref, DerefMut};
use std::path::{Path, PathBuf};

use schema::auth::{Enrol, Enrolled, Tokens};
use schema::hash::{Hash, Signature};
use schema::ids::LogId;
use schema::op::Captured;

use super::capture::{Draft, HeldPhoto, Receipt, check};
use super::entropy::{Entropy, draw};
use super::error::PhoneError;
use super::export::{Exported, Exporting};
use super::open::{self, Home};
use super::photo_file::{PhotoFile, place, take_in};
use super::requests::Request;
use super::store::{Store, meta};
use super::tables;
use super::tables::rows::Meta;
use super::transport::Identified;
use super::vault::{self, Vault};
use crate::log::chain::{DeviceSecret, photo_message};

pub use super::store::{Identity, LogState};

/// The program, as it names itself to the server.
const APP: &str = concat!("rectify-phone/", env!("CARGO_PKG_VERSION"));

/// An open phone.
pub struct Phone {
    pub(crate) store: Store,
    pub(crate) home: Home,
    pub(crate) vault: Option<Vault>,
    pub(crate) in_use: File,
}

impl Deref for Phone {
    type Target = Store;
    fn deref(&self) -> &Store {
        &self.store
    }
}

impl DerefMut for Phone {
    fn deref_mut(&mut self) -> &mut Store {
        &mut self.store
    }
}

impl Phone {
    /// Opens the store in a folder, and makes it where there is none.
    ///
    /// # Errors
    /// See [`PhoneError`]; a file that is newer or not ours is not touched.
    pub fn open(folder: &Path, mut entropy: Box<dyn Entropy>) -> Result<Self, PhoneError> {
        let (db, home, in_use) = open::open(folder, entropy.as_mut())?;
        let store = Store::new(Box::new(db), entropy)?;
        Ok(Self { store, home, vault: None, in_use })
    }

    /// Opens what a PIN protects, from here on.
    pub fn unlock(&mut self, vault: Vault) {
        self.vault = Some(vault);
    }

    /// What to send to `POST /v1/enrol`. Key and device id are stored first, so an answer that is lost can be asked for
    /// again with the same ones.
    ///
    /// # Errors
    /// The phone is enrolled at another server.
    pub fn begin_enrolment(
        &mut self,
        server: &str,
        code: &str,
        label: &str,
        now: Captured,
    ) -> Result<Enrol, PhoneError> {
        let change = tables::write(self.store.tables.as_ref())?;
        let held = meta(&*change)?;
        let secret = match &held.secret {
            Some(secret) => secret_of(self.vault.as_ref(), secret)?,
            None => new_secret(self.store.entropy.as_mut())?,
        };
        let kept = vault::close_secret(self.vault.as_ref(), &secret.to_bytes(), self.store.entropy.as_mut())?;
        tables::put(&*change, &Meta { secret: Some(kept), ..held })?;
        change.commit()?;
        self.store.begin_enrolment(secret.key(), (server, code, label), now)
    }

    /// Takes the answer.
    ///
    /// # Errors
    /// The phone belongs to somebody else.
    pub fn finish_enrolment(&mut self, enrolled: &Enrolled) -> Result<(), PhoneError> {
        let tokens = self.wrap(&enrolled.tokens)?;
        self.store.finish_enrolment(&Enrolled { tokens, ..enrolled.clone() })
    }

    /// Takes new tokens.
    ///
    /// # Errors
    /// The store's.
    pub fn take_tokens(&mut self, tokens: &Tokens) -> Result<(), PhoneError> {
        let tokens = self.wrap(tokens)?;
        self.store.take_tokens(&tokens)
    }

    fn wrap(&mut self, tokens: &Tokens) -> Result<Tokens, PhoneError> {
        let (vault, entropy) = (self.vault.as_ref(), self.store.entropy.as_mut());
        let access = vault::close_text(vault, "access", &tokens.access, entropy)?;
        let refresh = vault::close_text(vault, "refresh", &tokens.refresh, entropy)?;
        Ok(Tokens { access, refresh, ..tokens.clone() })
    }

    /// Access and refresh token.
    ///
    /// # Errors
    /// [`PhoneError::NotEnrolled`]; [`PhoneError::PinNeeded`] where a PIN protects them.
    pub fn tokens(&self) -> Result<(String, String), PhoneError> {
        let (access, refresh) = self.store.kept_tokens()?;
        let open = |column, stored: &str| vault::open_text(self.vault.as_ref(), column, stored);
        Ok((open("access", &access)?, open("refresh", &refresh)?))
    }

    /// Puts the key and the tokens under a PIN's vault, for a store that had none. Nothing of them is left beside it.
    ///
    /// # Errors
    /// The store's.
    pub fn lock_in(&mut self, vault: Vault) -> Result<(), PhoneError> {
        let change = tables::write(self.store.tables.as_ref())?;
        let mut held = meta(&*change)?;
        let (vault, entropy) = (Some(vault), self.store.entropy.as_mut());
        if let Some(secret) = &held.secret {
            let secret = vault::open_secret(vault.as_ref(), secret)?;
            held.secret = Some(vault::close_secret(vault.as_ref(), &secret, entropy)?);
        }
        for (column, text) in [("access", &mut held.access), ("refresh", &mut held.refresh)] {
            if let Some(text) = text {
                let plain = vault::open_text(vault.as_ref(), column, text)?;
                *text = vault::close_text(vault.as_ref(), column, &plain, entropy)?;
            }
        }
        tables::put(&*change, &held)?;
        change.commit()?;
        // The log of the database still holds them in plain.
        open::empty_log(&self.home)?;
        self.vault = vault;
        Ok(())
    }

    /// Captures an op with its photos. When it returns, both survive a power cut.
    ///
    /// # Errors
    /// Nothing was captured, and the message says what to do; see [`PhoneError`].
    pub fn capture(&mut self, draft: Draft, photos: &[PhotoFile], now: Captured) -> Result<Receipt, PhoneError> {
        self.store.identity()?;
        self.store.log(draft.log)?;
        check(&draft, photos.len())?;
        let mut held: Vec<HeldPhoto> = Vec::with_capacity(photos.len());
        for photo in photos {
            held.push(take_in(&self.home, photo, self.store.entropy.as_mut())?);
        }
        let home = &self.home;
        self.store.capture(draft, &held, now, &mut |entropy| {
            for (photo, held) in photos.iter().zip(&held) {
                // Another program may just have deleted the same photo as safe at the server. Under the lock it can't.
                if !place(home, &held.claim.sha256).exists() {
                    take_in(home, photo, entropy)?;
                }
            }
            Ok(())
        })
    }

    /// Where a photo's file stands.
    pub fn photo_path(&self, sha256: &Hash) -> PathBuf {
        place(&self.home, sha256)
    }

    /// Deletes the local copies that are safe without this phone. Says how many.
    ///
    /// # Errors
    /// The store's.
    pub fn free_photos(&mut self) -> Result<usize, PhoneError> {
        let home = &self.home;
        self.store.free_photos(&mut |sha256| {
            let path = place(home, sha256);
            // Under the lock: a capture of the same photo looks for the file once it has the lock itself.
            match std::fs::remove_file(&path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => Err(PhoneError::file(path)(error)),
                Ok(()) | Err(_) => Ok(()),
            }
        })
    }

    /// What to ask a log next, signed. There is always something to ask: a request without ops pulls.
    ///
    /// # Errors
    /// The store's; [`PhoneError::NotEnrolled`]; [`PhoneError::PinNeeded`].
    pub fn next_request(&mut self, log: LogId, ops_max: usize, now: Captured) -> Result<Request, PhoneError> {
        let secret = self.secret()?;
        let unsigned = self.store.unsigned_request(log, ops_max, now)?;
        let signature = unsigned.message().map(|message| secret.sign(&message));
        unsigned.signed(signature)
    }

    /// What identifies this phone where it hands in a photo without a token.
    ///
    /// # Errors
    /// The store's.
    pub(crate) fn signs_photo(&self, sha256: &Hash) -> Result<Identified<'static>, PhoneError> {
        let device = self.store.identity()?.device;
        Ok(Identified::Photo(device, self.sign(&photo_message(device, sha256))?))
    }

    fn sign(&self, message: &[u8]) -> Result<Signature, PhoneError> {
        Ok(self.secret()?.sign(message))
    }

    fn secret(&self) -> Result<DeviceSecret, PhoneError> {
        let stored = meta(self.store.db())?.secret;
        secret_of(self.vault.as_ref(), &stored.ok_or(PhoneError::NotEnrolled)?)
    }

    /// Writes the export so that only the server can read it.
    ///
    /// # Errors
    /// [`PhoneError::NoExportKey`]; the store's; the writer's as [`PhoneError::File`].
    pub fn export_sealed(&mut self, to: &mut dyn Write, now: Captured) -> Result<Exported, PhoneError> {
        let failed = |source: io::Error| PhoneError::file("the export")(source);
        let mut sealer = self.store.export_sealer(to)?;
        let exported = self.export(&mut sealer, now)?;
        sealer.finish().map_err(failed)?;
        Ok(exported)
    }

    /// Writes the export, for whoever finds it to read.
    ///
    /// # Errors
    /// The store's; the writer's as [`PhoneError::File`].
    pub fn export(&self, to: &mut dyn Write, now: Captured) -> Result<Exported, PhoneError> {
        let failed = |source: io::Error| PhoneError::file("the export")(source);
        let mut exporting = Exporting::begin(to, &self.store.export_head(APP, now)?).map_err(failed)?;
        for batch in self.store.export_batches(now)? {
            let signature = batch.message().map(|message| self.sign(&message)).transpose()?;
            exporting.batch(&batch.signed(signature)?).map_err(failed)?;
        }
        for photo in self.store.photos_to_send()? {
            // A file that is gone was told to its owner already; the others are worth exporting.
            let Ok(bytes) = std::fs::read(place(&self.home, &photo.sha256)) else { continue };
            exporting.photo(photo.sha256, &bytes).map_err(failed)?;
        }
        let signature = self.sign(&exporting.message())?;
        Ok(exporting.end(signature).map_err(failed)?.1)
    }
}

fn secret_of(vault: Option<&Vault>, stored: &[u8]) -> Result<DeviceSecret, PhoneError> {
    DeviceSecret::from_bytes(&vault::open_secret(vault, stored)?).map_err(PhoneError::internal)
}

fn new_secret(entropy: &mut dyn Entropy) -> Result<DeviceSecret, PhoneError> {
    // About one in 2^32 draws is no key; ten in a row are a broken source.
    for _ in 0..10 {
        if let Ok(secret) = DeviceSecret::from_bytes(&draw(entropy)?) {
            return Ok(secret);
        }
    }
    Err(PhoneError::internal("no key in ten draws"))
}
