//! What a request needs, put together once at the start.

use std::fs;
use std::net::IpAddr;
use std::os::unix::fs::DirBuilderExt;

use anyhow::{Context, anyhow};

use crate::clock::Clock;
use crate::config::Config;
use crate::error::Result;
use crate::services::accounts::Accounts;
use crate::services::audit::Audit;
use crate::services::backup;
use crate::services::blobs::Blobs;
use crate::services::checkpoint::Checkpoints;
use crate::services::events::Events;
use crate::services::installation::Installation;
use crate::services::keys;
use crate::services::ledger::Ledger;
use crate::services::passwords::Passwords;
use crate::services::photos::Photos;
use crate::services::push::{PushKey, Subscriptions};
use crate::services::sight::Sight;
use crate::services::sync::Logs;
use crate::services::take_in::TakeIn;
use crate::services::tokens::Tokens;
use crate::services::webhooks::Webhooks;
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
    /// Files of unsent work.
    pub take_in: TakeIn,
    /// Notices on their way out.
    pub webhooks: Webhooks,
    /// Who wants to be told in which browser.
    pub subscriptions: Subscriptions,
    /// Proxies whose word on where a request came from is believed.
    pub proxies: Vec<IpAddr>,
    /// Logs: the write path, the signer.
    pub logs: Logs,
}

impl App {
    /// Opens the data folder. To be called on the runtime that lives as long as the program.
    ///
    /// # Errors
    /// A folder, key, database or thread that can't be had.
    pub fn open(config: &Config, clock: &Clock) -> Result<Self> {
        // Secrets and personal values lie below it: it is for its owner only.
        let mut folder = fs::DirBuilder::new();
        folder
            .recursive(true)
            .mode(0o700)
            .create(&config.data)
            .with_context(|| format!("making {}", config.data.display()))?;
        if config.data.join(backup::UNFINISHED).exists() {
            let data = config.data.display();
            return Err(anyhow!("a restore into {data} was interrupted: remove the folder and restore again").into());
        }
        let token_secret = keys::token_secret(&config.data)?;
        let tokens = Tokens::new(&config.host, &token_secret);
        let export_secret = keys::export_secret(&token_secret)?;
        let export_key = export_secret.key();
        let push_key = PushKey::new(keys::push_secret(&token_secret), &config.host);
        let store = Store::open(&config.database())?;
        let interval_ms = config.checkpoint_interval_ms;
        let checkpoints =
            Checkpoints::open(config.data.clone(), &config.host, interval_ms, store.clone(), clock.clone())
                .context("opening the signer")?;
        let ledger =
            Ledger::start_remembering(store.clone(), clock.clone(), &config.data).context("starting the ledger")?;
        let blobs = Blobs::open(&config.data, config.photos.as_ref()).context("opening the place of photos")?;
        let photos = Photos::new(store.clone(), blobs, clock.clone(), ledger.clone());
        let passwords = Passwords::new();
        let logs = Logs::new(store.clone(), ledger.clone(), checkpoints, clock.clone(), config.durability);
        Ok(Self {
            clock: clock.clone(),
            accounts: Accounts::new(
                store.clone(),
                clock.clone(),
                (tokens, export_key),
                passwords.clone(),
                ledger.clone(),
            ),
            sight: Sight::new(store.clone(), clock.clone(), photos.clone(), ledger.parsed().clone()),
            audit: Audit::new(store.clone()),
            events: Events::new(store.clone()),
            subscriptions: Subscriptions::new(store.clone(), clock.clone(), push_key.clone()),
            webhooks: Webhooks::new(store.clone(), clock.clone(), config.webhook_timeout, push_key),
            installation: Installation::new(store, ledger, clock.clone(), passwords),
            take_in: TakeIn::new(logs.clone(), photos.clone(), export_secret, config.data.clone()),
            photos,
            proxies: config.proxies.clone(),
            logs,
        })
    }
}
