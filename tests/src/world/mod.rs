//! The real ledger, the real sync service and real phone stores in one process, without sockets: what carries a request
//! from one to the other is the test's to decide.

mod handset;

use std::path::Path;

use anyhow::{Context, Result, anyhow};
use schema::catalogue::{CITY_CATALOGUE, Catalogue};
use schema::entity::Entity;
use schema::hash::Hash;
use schema::ids::{DeviceId, EntityId, EpochId, LogId, OpId};
use schema::op::{Body, CreateLog, EnrolDevice, Grant, ImportDocument, SetAccount, SetMembership, SetUnit};
use schema::sync::Durability;
use server::clock::Clock;
use server::demo::city::{City, DemoAccount, city};
use server::services::checkpoint::Checkpoints;
use server::services::documents;
use server::services::ledger::{Append, Ledger, ServerOp};
use server::services::rebuild::{Difference, rebuild};
use server::services::sync::{Caller, Logs, exchange};
use server::store::{Entry, Store, StoreError};
use sync_core::area::AreaIndex;
use sync_core::context::VerifiedPhoto;
use sync_core::line::{consequence_id, sha256, singleton_id};
use sync_core::permission::{default_scopes, scopes_of};
use tempfile::TempDir;
use tokio::runtime::Runtime;
use uuid::Uuid;

pub use handset::Handset;

/// When a world begins: 2026-03-02, a Monday, 09:00 in Shanghai.
pub const START_MS: u64 = 1_772_413_200_000;
const HOST: &str = "rectify.test";

/// A folder whose fsync is cheap: what survives a power cut is not these tests' business.
///
/// # Errors
/// No folder can be made.
pub fn folder() -> std::io::Result<TempDir> {
    if Path::new("/dev/shm").is_dir() { TempDir::new_in("/dev/shm") } else { TempDir::new() }
}

/// One server with one log, and its phones.
pub struct World {
    runtime: Runtime,
    folder: TempDir,
    /// The server's clock.
    pub clock: Clock,
    /// The server.
    pub logs: Logs,
    /// Its log.
    pub log: LogId,
    /// Who lives there.
    pub city: City,
    /// The phones.
    pub handsets: Vec<Handset>,
    next_id: u128,
}

impl World {
    /// A server with a city: areas, catalogue, units, accounts; no phones yet.
    ///
    /// # Errors
    /// Anything that goes wrong fails the test.
    pub fn new(seed: u64) -> Result<Self> {
        let folder = folder()?;
        let clock = Clock::standing(START_MS);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        // A key of its own for every run would make no two logs alike.
        std::fs::create_dir_all(folder.path().join("keys"))?;
        std::fs::write(folder.path().join("keys/log-signer"), "5eed".repeat(16))?;
        let logs = start(folder.path(), &clock)?;
        let log = LogId(Uuid::from_u128(0x10_000));
        let mut world =
            Self { runtime, folder, clock, logs, log, city: city(seed), handsets: Vec::new(), next_id: 0x20_000 };
        world.settle()?;
        Ok(world)
    }

    fn settle(&mut self) -> Result<()> {
        let body = CreateLog {
            name: self.city.name.clone(),
            zone: self.city.zone.to_owned(),
            signer: self.logs.checkpoints.signer().verifier_key(),
            server_device: DeviceId(Uuid::from_u128(0x10_001)),
        };
        let epoch = EpochId(Uuid::from_u128(0x10_002));
        let (ledger, log) = (self.logs.ledger.clone(), self.log);
        self.runtime.block_on(ledger.create_log(log, epoch, body))?;
        let areas = serde_json::to_vec(&self.city.areas)?;
        let version = self.catalogue()?.version;
        let documents = [
            ("areas", self.import(Body::ImportAreas, &areas, &self.city.areas.version)),
            ("catalogue", self.import(Body::ImportCatalogue, CITY_CATALOGUE.as_bytes(), &version)),
        ];
        for (name, (document, body)) in documents {
            self.enter(vec![document], vec![(singleton_id(log, name), body)])?;
        }
        let mut ops = Vec::new();
        for unit in &self.city.units {
            ops.push((unit.id.into(), Body::SetUnit(SetUnit { name: unit.name.clone(), area: unit.area })));
        }
        for account in &self.city.accounts {
            let (name, person) = (account.name.clone(), account.person);
            ops.push((account.id.into(), Body::SetAccount(SetAccount { name, person })));
            let grant = |grant: &Grant| (account.id.into(), Body::Grant(grant.clone()));
            ops.extend(account.grants.iter().map(grant));
            let join = |unit: &_| Body::SetMembership(SetMembership { unit: *unit, member: true });
            ops.extend(account.units.iter().map(|unit| (account.id.into(), join(unit))));
        }
        self.append(ops)?;
        Ok(())
    }

    /// A document with the op that puts it in force.
    fn import(&self, body: fn(ImportDocument) -> Body, bytes: &[u8], version: &str) -> ((Hash, Vec<u8>), Body) {
        let (sha256, size) = (sha256(bytes), u64::try_from(bytes.len()).unwrap_or(u64::MAX));
        ((sha256, bytes.to_vec()), body(ImportDocument { sha256, size, version: version.to_owned() }))
    }

    /// Ops of the server itself.
    ///
    /// # Errors
    /// One of them was refused.
    pub fn append(&mut self, ops: Vec<(EntityId, Body)>) -> Result<Vec<Entry>> {
        self.enter(Vec::new(), ops)
    }

    fn enter(&mut self, documents: Vec<(Hash, Vec<u8>)>, ops: Vec<(EntityId, Body)>) -> Result<Vec<Entry>> {
        let ops = ops
            .into_iter()
            .map(|(entity, body)| {
                self.next_id += 1;
                let id = consequence_id(self.log, OpId(Uuid::from_u128(self.next_id)), "test", 0);
                ServerOp { id, entity, body, values: Vec::new() }
            })
            .collect();
        let append = Append { documents, ops };
        let entries = self.runtime.block_on(self.logs.ledger.append(self.log, append))?;
        match entries.iter().find(|entry| entry.outcome != 1) {
            Some(refused) => Err(anyhow!("refused: {} {}", refused.kind, refused.record)),
            None => Ok(entries),
        }
    }

    /// Gives an account a phone, enrolled; returns its place in `handsets`.
    ///
    /// # Errors
    /// Anything that goes wrong fails the test.
    pub fn enrol(&mut self, account: &DemoAccount) -> Result<usize> {
        let seed = u64::try_from(self.handsets.len()).unwrap_or(0) + 1;
        let home = self.folder.path().join(format!("phone-{seed}"));
        let (handset, enrol) = Handset::new(home, account.clone(), seed, self.clock.clone())?;
        let body = Body::EnrolDevice(EnrolDevice {
            account: account.id,
            algorithm: "ES256".to_owned(),
            key: enrol.key,
            label: enrol.label,
        });
        self.append(vec![(enrol.device.into(), body)])?;
        let mut handset = handset;
        handset.finish(self.log, &self.city, &self.logs.checkpoints.signer().verifier_key())?;
        self.handsets.push(handset);
        Ok(self.handsets.len() - 1)
    }

    /// Carries a request to the server and brings its answer.
    ///
    /// # Errors
    /// The server refused the request as a whole.
    pub fn exchange(&self, handset: usize, body: Vec<u8>) -> Result<Vec<u8>> {
        let handset = &self.handsets[handset];
        let caller = Caller { account: handset.account.id, device: handset.device, revoked: false };
        Ok(self.runtime.block_on(exchange(&self.logs, caller, body))?)
    }

    /// The bytes of a photo have all arrived and have their hash.
    ///
    /// # Errors
    /// The database's.
    pub fn photo_arrives(&self, sha256: Hash, size: u64) -> Result<()> {
        let photo = VerifiedPhoto { size, pixels: None, flags: Vec::new() };
        let now_ms = self.clock.now_ms();
        self.logs.store.write(|db| db.insert_photo(&sha256, &photo, now_ms))?;
        self.runtime.block_on(self.logs.ledger.photo_arrived(sha256))?;
        Ok(())
    }

    /// A document's bytes, as the server hands them out.
    ///
    /// # Errors
    /// There is none.
    pub fn document(&self, sha256: Hash) -> Result<Vec<u8>> {
        documents::fetch(&self.logs.store, self.log, &sha256)?.context("a document that the log names")
    }

    /// The server is killed and started again.
    ///
    /// # Errors
    /// It does not start.
    pub fn restart_server(&mut self) -> Result<()> {
        self.logs = start(self.folder.path(), &self.clock)?;
        self.runtime.block_on(self.logs.ledger.sweep_photos())?;
        Ok(())
    }

    /// Every entry of the log.
    ///
    /// # Errors
    /// The database's.
    pub fn entries(&self) -> Result<Vec<Entry>> {
        let log = self.log;
        Ok(self.logs.store.read(|db| {
            let head = db.head(log)?.ok_or(StoreError::Damaged("no log"))?;
            db.entries_after(head.num, 0, usize::MAX >> 1)
        })?)
    }

    /// Every entity with its revision and stored document.
    ///
    /// # Errors
    /// The database's.
    pub fn entities(&self) -> Result<Vec<(EntityId, u64, String)>> {
        let log = self.log;
        Ok(self.logs.store.read(|db| {
            let head = db.head(log)?.ok_or(StoreError::Damaged("no log"))?;
            let mut all = Vec::new();
            for kind in ["account", "areas", "case", "catalogue", "device", "log", "unit"] {
                let found = db.entities_of_kind(head.num, kind, EntityId::NIL, 100_000)?;
                all.extend(
                    found.into_iter().filter_map(|row| row.document.map(|document| (row.id, row.rev, document))),
                );
            }
            all.sort();
            Ok::<_, StoreError>(all)
        })?)
    }

    /// What a phone of this account must hold: every entity that lies in one of its scopes.
    ///
    /// # Errors
    /// The database's.
    pub fn owed(&self, account: &DemoAccount) -> Result<Vec<(EntityId, u64, String)>> {
        let all = self.entities()?;
        let parsed = |document: &str| serde_json::from_str::<Entity>(document);
        let own = all.iter().find(|(id, ..)| *id == EntityId::from(account.id)).context("the account")?;
        let Entity::Account(standing) = parsed(&own.2)? else { return Err(anyhow!("an account is no account")) };
        let areas = AreaIndex::new(&self.city.areas)?;
        let scopes = default_scopes(&standing, Some(&areas));
        let mut owed = Vec::new();
        for row in all {
            let entity = parsed(&row.2)?;
            if scopes_of(&entity, Some(&areas)).iter().any(|scope| scopes.contains(scope)) {
                owed.push(row);
            }
        }
        Ok(owed)
    }

    /// Every view made again from the log: what differs.
    ///
    /// # Errors
    /// The database's.
    pub fn rebuild(&self) -> Result<Vec<Difference>> {
        let scratch = self.folder.path().join("rebuilt.db");
        Ok(rebuild(&self.logs.store, self.log, &scratch, |_| {})?.differences)
    }

    /// The root of the log's tree, as its head has it.
    ///
    /// # Errors
    /// The database's.
    pub fn root(&self) -> Result<Hash> {
        let log = self.log;
        Ok(self.logs.store.read(|db| db.head(log))?.context("the log")?.root)
    }

    /// The catalogue in force.
    ///
    /// # Errors
    /// The shipped one can't be read.
    pub fn catalogue(&self) -> Result<Catalogue> {
        Ok(serde_json::from_str(CITY_CATALOGUE)?)
    }
}

fn start(folder: &Path, clock: &Clock) -> Result<Logs> {
    let store = Store::open(&format!("sqlite:{}", folder.join("rectify.db").display()))?;
    let ledger = Ledger::start(store.clone(), clock.clone())?;
    let checkpoints = Checkpoints::open(folder.to_path_buf(), HOST, 1_000, store.clone(), clock.clone())?;
    Ok(Logs::new(store, ledger, checkpoints, clock.clone(), Durability::Local))
}
