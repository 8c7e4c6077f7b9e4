//! Settling the demo city in an empty installation: its people get accounts and phones, and every step of the plan is
//! pushed by its author's phone through the same service as anybody's, on the day it happened.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use anyhow::{Context, anyhow};
use schema::hash::Hash;
use schema::ids::{AccountId, BootId, DeviceId, EpochId, LogId, OpId};
use schema::limits::{DAY_MS, PROTOCOL};
use schema::op::{
    Body, Captured, CreateLog, EnrolDevice, Grant, ImportDocument, Op, SetAccount, SetMembership, SetUnit,
};
use schema::sync::{BatchAnswer, SyncHeader, SyncLine};
use sync_core::line::{self, sha256, singleton_id};
use sync_core::log::chain::{self, DeviceSecret};
use uuid::{Builder, Uuid};

use super::city::{City, DemoAccount};
use super::story::{Photo, Plan, Step, plan};
use crate::app::App;
use crate::clock::Clock;
use crate::config::Config;
use crate::error::{Error, Result};
use crate::services::codes;
use crate::services::ledger::{Append, ServerOp};
use crate::services::passwords::Passwords;
use crate::services::sync::{Caller, exchange};
use crate::services::tokens::random;
use crate::services::uploads::Stream;
use crate::store::AccountSecret;
use schema::calendar::CITY_CALENDAR;
use schema::catalogue::CITY_CATALOGUE;

const SEED: u64 = 1;
/// Stands in the data folder while the city is being settled.
const UNFINISHED: &str = "demo-unfinished";

/// What is going on, for somebody who waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// Photos are drawn.
    Drawing,
    /// So many of so many photos are stored.
    Photos(usize, usize),
    /// So many of so many steps are in the log.
    Steps(usize, usize),
}

/// A demo account with the password that was made for it.
#[derive(Debug, Clone, serde::Serialize)]
pub struct Settled {
    /// Its login name.
    pub login: String,
    /// The name others see.
    pub name: String,
    /// Its roles.
    pub roles: BTreeSet<schema::op::Role>,
    /// Its password.
    pub password: String,
}

/// Settles the demo city, if there is no log yet; none if there is one.
///
/// # Errors
/// The server's own. What was half settled must be deleted with its folder.
pub async fn settle(config: &Config, progress: impl Fn(Progress) + Send) -> Result<Option<Vec<Settled>>> {
    let now_ms = Clock::system().now_ms();
    let clock = Clock::standing(now_ms);
    let app = App::open(config, &clock)?;
    let unfinished = config.data.join(UNFINISHED);
    if app.installation.log_count().await? > 0 {
        if unfinished.exists() {
            let folder = config.data.display();
            return Err(Error::Internal(anyhow!("the demo city was interrupted: delete {folder} and start again")));
        }
        return Ok(None);
    }
    std::fs::write(&unfinished, "").context("marking the demo as unfinished")?;
    progress(Progress::Drawing);
    let plan = tokio::task::spawn_blocking(move || plan(SEED, now_ms)).await.context("drawing the demo's photos")?;
    let begin_ms = plan.steps.first().map_or(now_ms, |step| step.at_ms).saturating_sub(DAY_MS);
    let server_device = DeviceId(Uuid::from_bytes(random()?));
    store_photos(&app, &plan, server_device, &progress).await?;
    clock.set(begin_ms);
    let log = make_log(&app, &plan.city, server_device).await?;
    let settled = settle_people(&app, log, &plan.city).await?;
    let mut phones = enrol(&app, log, &plan.city).await?;
    let count = plan.steps.len();
    for (done, step) in plan.steps.into_iter().enumerate() {
        clock.set(step.at_ms.min(now_ms));
        let phone = phones.get_mut(&step.account).context("a step of somebody without a phone")?;
        phone.push(&app, step).await?;
        if done % 50 == 0 {
            progress(Progress::Steps(done, count));
        }
    }
    progress(Progress::Steps(count, count));
    std::fs::remove_file(&unfinished).context("marking the demo as finished")?;
    Ok(Some(settled))
}

/// Photos first: an op that names a photo whose bytes are here has them verified directly behind it. What the server
/// took in itself, any case may show that names it.
async fn store_photos(app: &App, plan: &Plan, device: DeviceId, progress: &impl Fn(Progress)) -> Result<()> {
    let photos: BTreeMap<Hash, &Photo> =
        plan.steps.iter().flat_map(|step| &step.photos).map(|photo| (photo.sha256, photo)).collect();
    // What a start that was interrupted left behind nobody else would take up.
    while unsettled(app).await? {
        app.photos.sweep().await?;
    }
    for (done, photo) in photos.values().enumerate() {
        let size = u64::try_from(photo.jpeg.len()).context("a photo's size")?;
        app.photos.create(photo.sha256, device, size).await?;
        if let Stream::Open(mut stream) = app.photos.begin(photo.sha256, device, 0, None).await? {
            stream.write(&photo.jpeg).await?;
            stream.finish().await?;
        }
        if done % 50 == 0 {
            progress(Progress::Photos(done, photos.len()));
        }
    }
    // The decoders work beside the uploads; a step must not overtake its photo.
    while unsettled(app).await? {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    progress(Progress::Photos(photos.len(), photos.len()));
    Ok(())
}

async fn unsettled(app: &App) -> Result<bool> {
    Ok(!app.logs.store.read_async(|db| db.unsettled_photos(1)).await.map_err(Error::from)?.is_empty())
}

async fn make_log(app: &App, city: &City, server_device: DeviceId) -> Result<LogId> {
    let log = LogId(Uuid::from_bytes(random()?));
    let body = CreateLog {
        name: city.name.clone(),
        zone: city.zone.to_owned(),
        signer: app.logs.checkpoints.signer().verifier_key(),
        server_device,
    };
    app.logs.ledger.create_log(log, EpochId(Uuid::from_bytes(random()?)), body).await.map_err(anyhow::Error::new)?;
    let areas = serde_json::to_vec(&city.areas).context("writing the areas")?;
    let catalogue = sync_core::catalogue::read(CITY_CATALOGUE.as_bytes()).map_err(|faults| anyhow!("{faults:?}"))?;
    let calendar = sync_core::time::read(CITY_CALENDAR.as_bytes()).map_err(|faults| anyhow!("{faults:?}"))?;
    let duties = serde_json::to_vec(&city.responsibilities(&catalogue)).context("writing the responsibilities")?;
    let import_areas: fn(ImportDocument) -> Body = Body::ImportAreas;
    let documents = [
        ("areas", import_areas, areas, city.areas.version.clone()),
        ("catalogue", Body::ImportCatalogue, CITY_CATALOGUE.as_bytes().to_vec(), catalogue.version),
        ("calendar", Body::ImportCalendar, CITY_CALENDAR.as_bytes().to_vec(), calendar.version),
        ("responsibilities", Body::ImportResponsibilities, duties, "demo-1".to_owned()),
    ];
    for (name, body, bytes, version) in documents {
        let size = u64::try_from(bytes.len()).context("a document's size")?;
        let import = ImportDocument { sha256: sha256(&bytes), size, version };
        let ops = vec![ServerOp {
            id: new_op()?,
            entity: singleton_id(log, name),
            body: body(import.clone()),
            values: Vec::new(),
        }];
        enter(app, log, Append { documents: vec![(import.sha256, bytes)], ops }).await?;
    }
    Ok(log)
}

async fn enter(app: &App, log: LogId, append: Append) -> Result<()> {
    let entries = app.logs.ledger.append(log, append).await.map_err(anyhow::Error::new)?;
    match entries.iter().find(|entry| entry.outcome != 1) {
        Some(entry) => Err(Error::Internal(anyhow!("the demo's {} was refused: {}", entry.kind, entry.record))),
        None => Ok(()),
    }
}

fn new_op() -> Result<OpId> {
    Ok(OpId(Uuid::from_bytes(random()?)))
}

/// Units, accounts with their grants, and passwords that nobody knew before.
async fn settle_people(app: &App, log: LogId, city: &City) -> Result<Vec<Settled>> {
    let mut ops = Vec::new();
    for unit in &city.units {
        let body = Body::SetUnit(SetUnit { name: unit.name.clone(), area: unit.area });
        ops.push(ServerOp { id: new_op()?, entity: unit.id.into(), body, values: Vec::new() });
    }
    let passwords = Passwords::new();
    let mut settled = Vec::new();
    for account in &city.accounts {
        let (name, person) = (account.name.clone(), account.person);
        let mut bodies = vec![Body::SetAccount(SetAccount { name, person })];
        bodies.extend(account.grants.iter().map(|grant: &Grant| Body::Grant(grant.clone())));
        let join = |unit: &_| Body::SetMembership(SetMembership { unit: *unit, member: true, until_ms: None });
        bodies.extend(account.units.iter().map(join));
        for body in bodies {
            ops.push(ServerOp { id: new_op()?, entity: account.id.into(), body, values: Vec::new() });
        }
        let password = codes::new()?;
        let hash = passwords.hash(password.clone()).await?;
        keep_secret(app, account, hash).await?;
        let roles = account.grants.iter().map(|grant| grant.role).collect();
        settled.push(Settled { login: account.login.clone(), name: account.name.clone(), roles, password });
    }
    enter(app, log, Append { ops, ..Append::default() }).await?;
    Ok(settled)
}

async fn keep_secret(app: &App, account: &DemoAccount, hash: String) -> Result<()> {
    let (login, now_ms) = (account.login.clone(), app.clock.now_ms());
    let secret = AccountSecret { account: account.id, login, password: Some(hash), disabled: false };
    app.logs.store.write_async(move |db| -> Result<_> { Ok(db.insert_account(&secret, now_ms)?) }).await
}

/// A phone of the demo: it signs like any other.
struct DemoPhone {
    account: AccountId,
    device: DeviceId,
    secret: DeviceSecret,
    boot: BootId,
    log: LogId,
    seq: u64,
    chain: Hash,
}

async fn enrol(app: &App, log: LogId, city: &City) -> Result<BTreeMap<AccountId, DemoPhone>> {
    let mut phones = BTreeMap::new();
    let mut ops = Vec::new();
    for account in &city.accounts {
        let secret = loop {
            // One random value in 2^32 is no key: draw again.
            if let Ok(secret) = DeviceSecret::from_bytes(&random()?) {
                break secret;
            }
        };
        let device = DeviceId(Uuid::from_bytes(random()?));
        let label = "演示手机 demo phone".to_owned();
        let body = EnrolDevice { account: account.id, algorithm: "ES256".to_owned(), key: secret.key(), label };
        ops.push(ServerOp { id: new_op()?, entity: device.into(), body: Body::EnrolDevice(body), values: Vec::new() });
        let boot = BootId(Uuid::from_bytes(random()?));
        let phone = DemoPhone { account: account.id, device, secret, boot, log, seq: 0, chain: Hash::ZERO };
        phones.insert(account.id, phone);
    }
    enter(app, log, Append { ops, ..Append::default() }).await?;
    Ok(phones)
}

impl DemoPhone {
    /// Pushes one step as a batch of its own.
    async fn push(&mut self, app: &App, step: Step) -> Result<()> {
        let now_ms = app.clock.now_ms();
        let head = app.logs.store.read_async({
            let log = self.log;
            move |db| db.head(log)
        });
        let head = head.await.map_err(Error::from)?.context("the demo's log")?;
        let captured = Captured {
            wall_ms: i64::try_from(now_ms).unwrap_or(i64::MAX),
            elapsed_ms: now_ms.saturating_sub(DAY_MS),
            boot: self.boot,
        };
        let (kind, body) = line::kind_and_body(&step.body).context("writing a step")?;
        let id = Builder::from_unix_timestamp_millis(now_ms, &random()?).into_uuid();
        let op = Op {
            v: schema::limits::LINE_VERSION,
            log: self.log,
            op: OpId(id),
            device: self.device,
            actor: self.account,
            entity: step.entity,
            kind,
            kind_version: line::KIND_VERSION,
            base: Some(schema::op::Base(head.epoch, head.rev)),
            captured,
            salt: schema::hash::Salt(random()?),
            body,
        };
        let text = line::write(&op).context("writing a step")?;
        self.seq += 1;
        self.chain = chain::next(&self.chain, self.log, 1, self.seq, &sha256(text.as_bytes()));
        let mut request = serde_json::to_vec(&self.header(head.epoch, captured)).context("writing a header")?;
        request.push(b'\n');
        request.extend_from_slice(text.as_bytes());
        request.push(b'\n');
        for value in &step.values {
            request.extend(serde_json::to_vec(value).context("writing a value")?);
            request.push(b'\n');
        }
        let caller = Caller { account: self.account, device: self.device, revoked: false };
        let answer = exchange(&app.logs, caller, request).await?;
        must_be_taken(&answer, &op)
    }

    fn header(&self, epoch: EpochId, clock: Captured) -> SyncHeader {
        let mut header = SyncHeader {
            protocol: (PROTOCOL, PROTOCOL),
            log: self.log,
            device: self.device,
            epoch: Some(epoch),
            app: concat!("rectify-demo/", env!("CARGO_PKG_VERSION")).to_owned(),
            incarnation: 1,
            first_seq: self.seq,
            count: 1,
            chain: self.chain,
            signature: None,
            clock,
            scopes: BTreeMap::new(),
            own: u64::MAX >> 1,
            checkpoint: None,
            durable_checkpoint: None,
            rows: None,
            receipts: Vec::new(),
        };
        header.signature = Some(self.secret.sign(&chain::batch_message(&header)));
        header
    }
}

/// A step that is not taken is a fault of the plan, and better seen at once.
fn must_be_taken(answer: &[u8], op: &Op) -> Result<()> {
    let first = answer.split(|byte| *byte == b'\n').next().unwrap_or_default();
    match serde_json::from_slice(first).context("reading an answer")? {
        SyncLine::Head(head) if head.batch == BatchAnswer::Taken => Ok(()),
        other => Err(Error::Internal(anyhow!("the demo's {} was not taken: {other:?}", op.kind))),
    }
}
