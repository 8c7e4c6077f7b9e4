//! The real ledger, the real sync service and real phone stores in one process, without sockets: what carries a request
//! from one to the other is the test's to decide.

mod backup;
mod handset;
/// The page's tables as a phone, with what the browser would save.
#[path = "../../../sync-core/tests/page/kept.rs"]
mod kept;
mod upload;

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::LazyLock;

use anyhow::{Context, Result, anyhow};
use databases::Kind;
use schema::catalogue::{CITY_CATALOGUE, Catalogue};
use schema::entity::Entity;
use schema::hash::Hash;
use schema::ids::{AccountId, DeviceId, EntityId, EpochId, LogId, OpId};
use schema::op::{Body, CreateLog, EnrolDevice, Grant, ImportDocument, SetAccount, SetMembership, SetUnit};
use schema::sync::Durability;
use server::clock::Clock;
use server::demo::city::{City, DemoAccount, city};
use server::services::blobs::Blobs;
use server::services::checkpoint::Checkpoints;
use server::services::documents;
use server::services::ledger::{Append, Ledger, ServerOp};
use server::services::photos::Photos;
use server::services::rebuild::{Difference, rebuild};
use server::services::sync::{Caller, Logs, exchange};
use server::store::{Entry, Store, StoreError};
use sync_core::area::AreaIndex;
use sync_core::line::{consequence_id, sha256, singleton_id};
use sync_core::permission::{default_scopes, scopes_of};
use tempfile::TempDir;
use tokio::runtime::Runtime;
use uuid::Uuid;

pub use backup::Saved;
pub use handset::{Handset, Made};

/// When a world begins: 2026-03-02, a Monday, 09:00 in Shanghai.
pub const START_MS: u64 = 1_772_413_200_000;
const HOST: &str = "rectify.test";
/// The epoch that every district begins in.
const FIRST_EPOCH: EpochId = EpochId(Uuid::from_u128(0x10_002));

/// A folder whose fsync is cheap: what survives a power cut is not these tests' business.
///
/// # Errors
/// No folder can be made.
pub fn folder() -> std::io::Result<TempDir> {
    if Path::new("/dev/shm").is_dir() { TempDir::new_in("/dev/shm") } else { TempDir::new() }
}

/// What a world is made like.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Everything that chance decides follows from it, the ids of the logs too: many worlds fit into one database.
    pub seed: u64,
    /// The database of the server; none for a SQLite file of its own.
    pub database: Option<String>,
    /// How many districts.
    pub logs: u8,
    /// How an acknowledged op survives.
    pub durability: Durability,
    /// Every third person works with the page.
    pub pages: bool,
}

/// One server with its logs, and its phones.
pub struct World {
    runtime: Runtime,
    /// What the server would do in the background is never done here: the test says when.
    background: Runtime,
    folder: TempDir,
    database: String,
    durability: Durability,
    pages: bool,
    /// The server's clock.
    pub clock: Clock,
    /// The server.
    pub logs: Logs,
    photos: Photos,
    /// Its districts.
    pub districts: Vec<LogId>,
    /// Who lives there.
    pub city: City,
    /// The phones.
    pub handsets: Vec<Handset>,
    /// The photos that are at the server, whole.
    arrived: BTreeSet<Hash>,
    next_id: u128,
}

/// Many seeds share one database, and accounts belong to the whole installation: each seed has people of its own.
fn own_people(mut city: City, seed: u64) -> City {
    for account in &mut city.accounts {
        account.id = AccountId(Uuid::from_u128(account.id.0.as_u128() ^ (u128::from(seed) << 64)));
    }
    city
}

impl World {
    /// A server with a city in each district: areas, catalogue, units, accounts; no phones yet.
    ///
    /// # Errors
    /// Anything that goes wrong fails the test.
    pub fn new(plan: &Plan) -> Result<Self> {
        let folder = folder()?;
        let clock = Clock::standing(START_MS);
        let still = || tokio::runtime::Builder::new_current_thread().enable_all().build();
        let (runtime, background) = (still()?, still()?);
        // A key of its own for every run would make no two logs alike.
        std::fs::create_dir_all(folder.path().join("keys"))?;
        std::fs::write(folder.path().join("keys/log-signer"), "5eed".repeat(16))?;
        let database = plan.database.clone().unwrap_or_else(|| Kind::Sqlite.address(folder.path()));
        let (logs, photos) = start(folder.path(), &database, plan.durability, &clock, &background)?;
        let first = u128::from(plan.seed) << 64 | 0x10_000;
        let mut world = Self {
            runtime,
            background,
            folder,
            database,
            durability: plan.durability,
            pages: plan.pages,
            clock,
            logs,
            photos,
            districts: (0..plan.logs).map(|n| LogId(Uuid::from_u128(first + u128::from(n)))).collect(),
            city: own_people(city(plan.seed % 5), plan.seed),
            handsets: Vec::new(),
            arrived: BTreeSet::new(),
            next_id: 0x20_000,
        };
        for log in world.districts.clone() {
            world.settle(log)?;
        }
        Ok(world)
    }

    fn settle(&mut self, log: LogId) -> Result<()> {
        let body = CreateLog {
            name: self.city.name.clone(),
            zone: self.city.zone.to_owned(),
            signer: self.logs.checkpoints.signer().verifier_key(),
            server_device: DeviceId(Uuid::from_u128(0x10_001)),
        };
        let ledger = self.logs.ledger.clone();
        self.runtime.block_on(ledger.create_log(log, FIRST_EPOCH, body))?;
        self.put_areas_in_force(log)?;
        let version = self.catalogue().version.clone();
        let (document, body) = self.import(Body::ImportCatalogue, CITY_CATALOGUE.as_bytes(), &version);
        self.enter(log, vec![document], vec![(singleton_id(log, "catalogue"), body)])?;
        let mut ops = Vec::new();
        for unit in &self.city.units {
            ops.push((unit.id.into(), Body::SetUnit(SetUnit { name: unit.name.clone(), area: unit.area })));
        }
        for account in &self.city.accounts {
            let (name, person) = (account.name.clone(), account.person);
            ops.push((account.id.into(), Body::SetAccount(SetAccount { name, person })));
            let grant = |grant: &Grant| (account.id.into(), Body::Grant(grant.clone()));
            ops.extend(account.grants.iter().map(grant));
            let join = |unit: &_| Body::SetMembership(SetMembership { unit: *unit, member: true, until_ms: None });
            ops.extend(account.units.iter().map(|unit| (account.id.into(), join(unit))));
        }
        self.append(log, ops)?;
        Ok(())
    }

    /// Puts the city's areas, as they are now, in force in a district.
    ///
    /// # Errors
    /// They were refused.
    pub fn put_areas_in_force(&mut self, log: LogId) -> Result<()> {
        let areas = serde_json::to_vec(&self.city.areas)?;
        let (document, body) = self.import(Body::ImportAreas, &areas, &self.city.areas.version);
        self.enter(log, vec![document], vec![(singleton_id(log, "areas"), body)])?;
        self.runtime.block_on(self.logs.ledger.place_cases(log))?;
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
    pub fn append(&mut self, log: LogId, ops: Vec<(EntityId, Body)>) -> Result<Vec<Entry>> {
        self.enter(log, Vec::new(), ops)
    }

    fn enter(&mut self, log: LogId, documents: Vec<(Hash, Vec<u8>)>, ops: Vec<(EntityId, Body)>) -> Result<Vec<Entry>> {
        let ops = ops
            .into_iter()
            .map(|(entity, body)| {
                self.next_id += 1;
                let id = consequence_id(log, OpId(Uuid::from_u128(self.next_id)), "test", 0);
                ServerOp { id, entity, body, values: Vec::new() }
            })
            .collect();
        let append = Append { documents, ops };
        let entries = self.runtime.block_on(self.logs.ledger.append(log, append))?;
        match entries.iter().find(|entry| entry.outcome != 1) {
            Some(refused) => Err(anyhow!("refused: {} {}", refused.kind, refused.record)),
            None => Ok(entries),
        }
    }

    /// Gives an account a phone, enrolled in every district; returns its place in `handsets`. `shared_with` is somebody
    /// whose phone it is: one device each, on one machine.
    ///
    /// # Errors
    /// Anything that goes wrong fails the test.
    pub fn enrol(&mut self, account: &DemoAccount, shared_with: Option<usize>) -> Result<usize> {
        let seed = u64::try_from(self.handsets.len()).unwrap_or(0) + 1;
        let home = self.folder.path().join(format!("phone-{seed}"));
        let machine = shared_with.map_or(self.handsets.len(), |other| self.handsets[other].machine);
        let page = self.pages && seed % 3 == 2;
        let (handset, enrol) = Handset::new(home, account.clone(), seed, (machine, page), self.clock.clone())?;
        let body = Body::EnrolDevice(EnrolDevice {
            account: account.id,
            algorithm: "ES256".to_owned(),
            key: enrol.key,
            label: enrol.label,
        });
        for log in self.districts.clone() {
            self.append(log, vec![(enrol.device.into(), body.clone())])?;
        }
        let mut handset = handset;
        handset.finish(&self.districts, &self.city, &self.logs.checkpoints.signer().verifier_key())?;
        self.handsets.push(handset);
        Ok(self.handsets.len() - 1)
    }

    /// Everything on a phone's machine is killed and started again.
    ///
    /// # Errors
    /// It does not start.
    pub fn kill(&mut self, handset: usize) -> Result<()> {
        self.on_machine_of(handset).try_for_each(Handset::kill)
    }

    /// A phone's machine is restarted.
    ///
    /// # Errors
    /// It does not start.
    pub fn reboot(&mut self, handset: usize) -> Result<()> {
        self.on_machine_of(handset).try_for_each(Handset::reboot)
    }

    /// Somebody sets the clock of a phone's machine wrong.
    pub fn set_wrong_by(&mut self, handset: usize, wrong_by_ms: i64) {
        self.on_machine_of(handset).for_each(|handset| handset.set_wrong_by(wrong_by_ms));
    }

    fn on_machine_of(&mut self, handset: usize) -> impl Iterator<Item = &mut Handset> {
        let machine = self.handsets[handset].machine;
        self.handsets.iter_mut().filter(move |handset| handset.machine == machine)
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

    /// A document's bytes, as the server hands them out; none if it has none.
    ///
    /// # Errors
    /// The database's.
    pub fn document(&self, log: LogId, sha256: Hash) -> Result<Option<Vec<u8>>> {
        Ok(documents::fetch(&self.logs.store, log, &sha256)?)
    }

    /// The server is killed and started again.
    ///
    /// # Errors
    /// It does not start.
    pub fn restart_server(&mut self) -> Result<()> {
        (self.logs, self.photos) =
            start(self.folder.path(), &self.database, self.durability, &self.clock, &self.background)?;
        self.sweep()
    }

    /// Every entry of the log.
    ///
    /// # Errors
    /// The database's.
    pub fn entries(&self, log: LogId) -> Result<Vec<Entry>> {
        Ok(self.logs.store.read(|db| {
            let head = db.head(log)?.ok_or(StoreError::Damaged("no log"))?;
            db.entries_after(head.num, 0, usize::MAX >> 1)
        })?)
    }

    /// Every entity with its revision and stored document.
    ///
    /// # Errors
    /// The database's.
    pub fn entities(&self, log: LogId) -> Result<Vec<(EntityId, u64, String)>> {
        Ok(self.logs.store.read(|db| {
            let head = db.head(log)?.ok_or(StoreError::Damaged("no log"))?;
            let mut all = Vec::new();
            for kind in ["account", "areas", "case", "catalogue", "device", "log", "look_back_task", "unit"] {
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
    pub fn owed(&self, log: LogId, account: &DemoAccount) -> Result<Vec<(EntityId, u64, String)>> {
        let all = self.entities(log)?;
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
    pub fn rebuild(&self, log: LogId) -> Result<Vec<Difference>> {
        let scratch = self.folder.path().join("rebuilt.db");
        Ok(rebuild(&self.logs.store, log, &scratch, |_| {})?.differences)
    }

    /// The root of the log's tree, as its head has it.
    ///
    /// # Errors
    /// The database's.
    pub fn root(&self, log: LogId) -> Result<Hash> {
        Ok(self.logs.store.read(|db| db.head(log))?.context("the log")?.root)
    }

    /// The catalogue in force.
    pub fn catalogue(&self) -> &'static Catalogue {
        static SHIPPED: LazyLock<Catalogue> =
            LazyLock::new(|| serde_json::from_str(CITY_CATALOGUE).expect("the shipped catalogue"));
        &SHIPPED
    }
}

fn start(
    folder: &Path,
    database: &str,
    durability: Durability,
    clock: &Clock,
    background: &Runtime,
) -> Result<(Logs, Photos)> {
    let store = Store::open(database)?;
    let ledger = Ledger::start(store.clone(), clock.clone())?;
    let checkpoints = Checkpoints::open(folder.to_path_buf(), HOST, 1_000, store.clone(), clock.clone())?;
    let photos = {
        let _here = background.enter();
        Photos::new(store.clone(), Blobs::open(folder, None)?, clock.clone(), ledger.clone())
    };
    Ok((Logs::new(store, ledger, checkpoints, clock.clone(), durability), photos))
}
