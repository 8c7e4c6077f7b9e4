//! What a request needs, put together once at the start.

use std::fs;

use anyhow::Context;
use sync_core::log::checkpoint::Signer;

use crate::clock::Clock;
use crate::config::Config;
use crate::error::Result;
use crate::services::accounts::Accounts;
use crate::services::audit::Audit;
use crate::services::blobs::Blobs;
use crate::services::events::Events;
use crate::services::installation::Installation;
use crate::services::keys::{self, Use};
use crate::services::ledger::Ledger;
use crate::services::passwords::Passwords;
use crate::services::photos::Photos;
use crate::services::sight::Sight;
use crate::services::tokens::Tokens;
use crate::store::Store;

/// The services of an installation. Cheap to clone.
#[derive(Clone)]
pub struct App {
    /// The time.
    pub clock: Clock,
    /// Who is who.
    pub accounts: Accounts,
    /// Photos on their way.
    pub photos: Photos,
    /// Reading on behalf of callers.
    pub sight: Sight,
    /// The log as evidence.
    pub audit: Audit,
    /// Waiting for news.
    pub events: Events,
    /// The first start and the operator's work.
    pub installation: Installation,
    /// The only way to change a log.
    pub ledger: Ledger,
    /// Verifier key of checkpoints and receipts.
    pub verifier: String,
}

impl App {
    /// Opens the data folder. To be called on the runtime that lives as long as the program.
    ///
    /// # Errors
    /// A folder, key, database or thread that can't be had.
    pub fn open(config: &Config, clock: &Clock) -> Result<Self> {
        fs::create_dir_all(&config.data).with_context(|| format!("making {}", config.data.display()))?;
        let tokens = Tokens::new(&config.host, &keys::secret(&config.data, Use::Tokens)?);
        let signer = Signer::new(&config.host, &keys::secret(&config.data, Use::Log)?);
        let store = Store::open(&config.database())?;
        let ledger = Ledger::start(store.clone(), clock.clone()).context("starting the ledger")?;
        let blobs = Blobs::open(&config.data).context("opening the photo folder")?;
        let photos = Photos::new(store.clone(), blobs, clock.clone(), ledger.clone());
        let passwords = Passwords::new();
        Ok(Self {
            clock: clock.clone(),
            accounts: Accounts::new(store.clone(), clock.clone(), tokens, passwords.clone(), ledger.clone()),
            sight: Sight::new(store.clone(), photos.clone(), ledger.parsed().clone()),
            audit: Audit::new(store.clone()),
            events: Events::new(store.clone()),
            installation: Installation::new(store, ledger.clone(), clock.clone(), passwords),
            photos,
            ledger,
            verifier: signer.verifier_key(),
        })
    }
}
