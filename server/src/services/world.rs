//! A small district for the tests of the services: a real store in a temporary folder, accounts in every role, phones
//! with keys. Time stands until a test moves it.

use std::collections::BTreeMap;

use schema::area::{Area, AreaTree, Level};
use schema::case::{Channel, Position, Source};
use schema::catalogue::{CITY_CATALOGUE, Text};
use schema::hash::{Hash, Salt};
use schema::ids::{AccountId, AreaId, BootId, DeviceId, EntityId, EpochId, GrantId, LogId, OpId, PersonId, UnitId};
use schema::op::{
    Body, Captured, CreateLog, EnrolDevice, Grant, Op, PhotoClaim, Report, Role, SealedValue, SetAccount,
    SetMembership, SetUnit,
};
use schema::record::{OutcomeLine, Record};
use schema::sync::{Durability, EntityLine, ExitLine, Scope, SyncEnd, SyncHead, SyncHeader, SyncLine, ValueLine};
use sync_core::line::{self, sha256};
use sync_core::log::chain::{self, DeviceSecret};
use uuid::Uuid;

use super::checkpoint::Checkpoints;
use super::documents;
use super::ledger::{Append, Ledger, ServerOp};
use super::sync::{Caller, Logs, exchange};
use crate::clock::Clock;
use crate::error::Error;
use crate::store::{Entry, Store, StoreError};

mod bodies;

pub(crate) use bodies::{assign, file, photo};

pub(crate) const START_MS: u64 = 1_795_000_000_000;

/// Ids that tests can name: a kind and a number.
pub(crate) fn id(kind: u128, n: u128) -> Uuid {
    Uuid::from_u128((kind << 64) | n)
}

pub(crate) fn root() -> AreaId {
    AreaId(id(1, 0))
}

/// The two grids of the district, side by side.
pub(crate) fn grid(n: u128) -> AreaId {
    AreaId(id(1, n))
}

pub(crate) fn unit() -> UnitId {
    UnitId(id(4, 1))
}

/// Where each grid lies.
pub(crate) fn inside(n: u128) -> Position {
    let lon_e7 = if n == 1 { 1_000_000 } else { 3_000_000 };
    Position { accuracy_m: Some(5), ..Position::at(1_000_000, lon_e7) }
}

pub(crate) struct World {
    pub(crate) folder: tempfile::TempDir,
    pub(crate) data: std::path::PathBuf,
    pub(crate) logs: Logs,
    pub(crate) log: LogId,
    pub(crate) clock: Clock,
    pub(crate) catalogue: Hash,
}

fn square(west_e7: i32, east_e7: i32) -> Vec<Vec<Vec<(i32, i32)>>> {
    vec![vec![vec![(west_e7, 0), (east_e7, 0), (east_e7, 2_000_000), (west_e7, 2_000_000)]]]
}

fn area(id: AreaId, parent: Option<AreaId>, level: Level, boundary: Vec<Vec<Vec<(i32, i32)>>>) -> Area {
    let name = Text { zh: "区".into(), en: "area".into() };
    Area { id, parent, level, code: id.to_string(), name, boundary }
}

/// Grid 1 in the west, grid 2 in the east; `border_e7` is between them.
pub(crate) fn district(border_e7: i32) -> Vec<u8> {
    let above = |n: u128| AreaId(id(1, 100 + n));
    let tree = AreaTree {
        version: border_e7.to_string(),
        areas: vec![
            area(root(), None, Level::District, square(0, 4_000_000)),
            area(above(1), Some(root()), Level::Subdistrict, square(0, 4_000_000)),
            area(above(2), Some(above(1)), Level::Community, square(0, 4_000_000)),
            area(grid(1), Some(above(2)), Level::Grid, square(0, border_e7)),
            area(grid(2), Some(above(2)), Level::Grid, square(border_e7, 4_000_000)),
        ],
    };
    serde_json::to_vec(&tree).unwrap()
}

impl World {
    /// A district with its documents in force and nobody in it.
    pub(crate) async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self::open(folder).await
    }

    /// The district in a folder: made, or as it was left.
    pub(crate) async fn open(folder: tempfile::TempDir) -> Self {
        let store = Store::open(&databases::address(folder.path())).unwrap();
        Self::on(folder, store).await
    }

    pub(crate) async fn on(folder: tempfile::TempDir, store: Store) -> Self {
        Self::on_data(folder.path().to_owned(), folder, store).await
    }

    pub(crate) async fn on_data(data: std::path::PathBuf, folder: tempfile::TempDir, store: Store) -> Self {
        let clock = Clock::standing(START_MS);
        let ledger = Ledger::start_remembering(store.clone(), clock.clone(), &data).unwrap();
        let checkpoints =
            Checkpoints::open(data.clone(), "rectify.test", 60_000, store.clone(), clock.clone()).unwrap();
        let log = LogId(id(0, 1));
        let create = CreateLog {
            name: Text { zh: "试验区".into(), en: "Test".into() },
            zone: "Asia/Shanghai".into(),
            signer: checkpoints.signer().verifier_key(),
            server_device: DeviceId(id(9, 9)),
        };
        ledger.create_log(log, EpochId(id(8, 1)), create).await.unwrap();
        let catalogue = CITY_CATALOGUE.as_bytes().to_vec();
        documents::import_catalogue(&ledger, log, catalogue.clone()).await.unwrap();
        documents::import_areas(&ledger, log, district(2_000_000)).await.unwrap();
        let logs = Logs::new(store, ledger, checkpoints, clock.clone(), Durability::Local);
        Self { folder, data, logs, log, clock, catalogue: sha256(&catalogue) }
    }

    pub(crate) async fn append(&self, entity: EntityId, body: Body) -> Entry {
        let op = ServerOp::fresh(entity, body).unwrap();
        let append = Append { ops: vec![op], ..Append::default() };
        self.logs.ledger.append(self.log, append).await.unwrap().pop().unwrap()
    }

    /// An account with one role over one area, and a phone of it.
    pub(crate) async fn person(&self, n: u128, role: Role, area: AreaId) -> Phone {
        let account = AccountId(id(2, n));
        let set = SetAccount { name: format!("{role:?} {n}"), person: PersonId(id(5, n)) };
        self.append(account.into(), Body::SetAccount(set)).await;
        self.append(account.into(), Body::Grant(Grant { grant: GrantId(id(6, n)), role, area, until_ms: None })).await;
        self.phone(account, n).await
    }

    pub(crate) async fn crew(&self, n: u128) -> Phone {
        let phone = self.person(n, Role::Crew, root()).await;
        let name = Text { zh: "单位".into(), en: "Unit".into() };
        self.append(unit().into(), Body::SetUnit(SetUnit { name, area: root() })).await;
        let joins = SetMembership { unit: unit(), member: true, until_ms: None };
        self.append(phone.account.into(), Body::SetMembership(joins)).await;
        phone
    }

    pub(crate) async fn phone(&self, account: AccountId, n: u128) -> Phone {
        let device = DeviceId(id(3, n));
        let mut seed = [7; 32];
        seed[..16].copy_from_slice(device.bytes());
        let secret = DeviceSecret::from_bytes(&seed).unwrap();
        let enrol = EnrolDevice { account, algorithm: "ES256".into(), key: secret.key(), label: "phone".into() };
        let entry = self.append(device.into(), Body::EnrolDevice(enrol)).await;
        assert_eq!(entry.outcome, 1, "{}", entry.record);
        Phone {
            log: self.log,
            catalogue: self.catalogue,
            device,
            account,
            secret,
            incarnation: 77,
            next_seq: 1,
            chain: Hash::ZERO,
            made: 0,
            epoch: None,
            own: 0,
            scopes: BTreeMap::new(),
            revoked: false,
        }
    }

    pub(crate) fn entries(&self) -> Vec<Entry> {
        self.logs
            .store
            .read(|db| {
                let head = db.head(self.log)?.unwrap();
                db.entries_after(head.num, 0, 1_000_000)
            })
            .map_err(|error: StoreError| error)
            .unwrap()
    }

    pub(crate) fn document(&self, sha256: &Hash) -> Vec<u8> {
        documents::fetch(&self.logs.store, self.log, sha256).unwrap().unwrap()
    }

    pub(crate) fn head_rev(&self) -> u64 {
        self.logs.store.read(|db| db.head(self.log)).map_err(|error: StoreError| error).unwrap().unwrap().rev
    }
}

/// A phone as far as the server can tell: it numbers, chains and signs.
pub(crate) struct Phone {
    pub(crate) log: LogId,
    pub(crate) catalogue: Hash,
    pub(crate) device: DeviceId,
    pub(crate) account: AccountId,
    pub(crate) secret: DeviceSecret,
    pub(crate) incarnation: u64,
    pub(crate) next_seq: u64,
    pub(crate) chain: Hash,
    pub(crate) made: u128,
    pub(crate) epoch: Option<EpochId>,
    pub(crate) own: u64,
    pub(crate) scopes: BTreeMap<Scope, u64>,
    pub(crate) revoked: bool,
}

/// A line with the values behind it, as a phone keeps them.
#[derive(Clone)]
pub(crate) struct Line {
    pub(crate) bytes: Vec<u8>,
    pub(crate) values: Vec<SealedValue>,
    pub(crate) op: OpId,
    pub(crate) entity: EntityId,
}

/// An answer as a phone reads it.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) head: SyncHead,
    pub(crate) outcomes: Vec<OutcomeLine>,
    pub(crate) entities: Vec<EntityLine>,
    pub(crate) values: Vec<ValueLine>,
    pub(crate) exits: Vec<ExitLine>,
    pub(crate) drops: Vec<Scope>,
    pub(crate) end: SyncEnd,
    pub(crate) bytes: Vec<u8>,
}

impl Answer {
    pub(crate) fn record(&self, op: OpId) -> Record {
        let line = self.outcomes.iter().find(|line| line.op == op).expect("an outcome of the op");
        serde_json::from_str(&line.record).unwrap()
    }

    pub(crate) fn read(bytes: Vec<u8>) -> Self {
        let mut head = None;
        let mut end = None;
        let (mut outcomes, mut entities, mut values) = (Vec::new(), Vec::new(), Vec::new());
        let (mut exits, mut drops) = (Vec::new(), Vec::new());
        for line in bytes.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
            match serde_json::from_slice(line).unwrap() {
                SyncLine::Head(line) => head = Some(*line),
                SyncLine::Outcome(line) => outcomes.push(*line),
                SyncLine::Entity(line) => entities.push(line),
                SyncLine::Value(line) => values.push(line),
                SyncLine::Exit(line) => exits.push(line),
                SyncLine::Drop(scope) => drops.push(scope),
                SyncLine::End(line) => end = Some(line),
            }
        }
        Self { head: head.unwrap(), outcomes, entities, values, exits, drops, end: end.unwrap(), bytes }
    }
}

impl Phone {
    fn fresh(&mut self) -> u128 {
        self.made += 1;
        (self.device.0.as_u128() & 0xffff) << 32 | self.made
    }

    pub(crate) fn op(&mut self, entity: EntityId, body: &Body, values: Vec<SealedValue>) -> Line {
        let (kind, body) = line::kind_and_body(body).unwrap();
        let n = self.fresh();
        let op = Op {
            v: 1,
            log: self.log,
            op: OpId(id(20, n)),
            device: self.device,
            actor: self.account,
            entity,
            kind,
            kind_version: 1,
            base: None,
            captured: Captured { wall_ms: 5, elapsed_ms: 1000, boot: BootId(id(7, 1)) },
            salt: Salt([1; 16]),
            body,
        };
        Line { bytes: line::write(&op).unwrap().into_bytes(), values, op: op.op, entity }
    }

    pub(crate) fn report(&mut self, grid: u128) -> Line {
        self.report_with(grid, Vec::new(), None)
    }

    pub(crate) fn report_with(&mut self, grid: u128, photos: Vec<PhotoClaim>, phone_number: Option<&str>) -> Line {
        let case = EntityId(id(30, self.fresh()));
        let note = SealedValue {
            sealed: line::seal(&Salt([3; 16]), "占道").sealed,
            salt: Salt([3; 16]),
            value: "占道".into(),
        };
        let mut values = vec![note.clone()];
        let mut fields = BTreeMap::from([("goods".parse().unwrap(), serde_json::json!("fruit"))]);
        if let Some(number) = phone_number {
            let salt = Salt([4; 16]);
            let sealed = line::seal(&salt, number);
            values.push(SealedValue { sealed: sealed.sealed, salt, value: number.into() });
            fields.insert("vendor_phone".parse().unwrap(), serde_json::json!(sealed));
        }
        let body = Report {
            category: "stall".parse().unwrap(),
            subtype: "unlicensed".parse().unwrap(),
            catalogue: Some(self.catalogue),
            position: inside(grid),
            subject: Some("12号".into()),
            note: Some(schema::op::Sealed { sealed: note.sealed }),
            fields,
            source: Source { channel: Channel::Patrol, number: None },
            photos,
        };
        self.op(case, &Body::Report(body), values)
    }

    /// A request with these lines under the next numbers; the phone's own state does not move.
    pub(crate) fn request(&self, lines: &[Line]) -> (SyncHeader, Vec<u8>) {
        let mut chain = self.chain;
        for (seq, line) in (self.next_seq..).zip(lines) {
            chain = chain::next(&chain, self.log, self.incarnation, seq, &sha256(&line.bytes));
        }
        let mut header = SyncHeader {
            protocol: (1, 1),
            log: self.log,
            device: self.device,
            epoch: self.epoch,
            app: "test/1".into(),
            incarnation: self.incarnation,
            first_seq: self.next_seq,
            count: u32::try_from(lines.len()).unwrap(),
            chain,
            signature: None,
            clock: Captured { wall_ms: 6, elapsed_ms: 61_000, boot: BootId(id(7, 1)) },
            scopes: self.scopes.clone(),
            own: self.own,
            checkpoint: None,
            durable_checkpoint: None,
            rows: None,
            receipts: Vec::new(),
        };
        if !lines.is_empty() {
            header.signature = Some(self.secret.sign(&chain::batch_message(&header)));
        }
        let mut body = serde_json::to_vec(&header).unwrap();
        for line in lines {
            body.push(b'\n');
            body.extend(&line.bytes);
            for value in &line.values {
                body.push(b'\n');
                body.extend(serde_json::to_vec(value).unwrap());
            }
        }
        body.push(b'\n');
        (header, body)
    }

    pub(crate) fn caller(&self) -> Caller {
        Caller { account: self.account, device: self.device, revoked: self.revoked }
    }

    /// Sends these lines; the answer is lost on the way if nobody calls [`Phone::took`].
    pub(crate) async fn send(&self, world: &World, lines: &[Line]) -> Result<Answer, Error> {
        let (_, body) = self.request(lines);
        self.send_bytes(world, body).await
    }

    pub(crate) async fn send_bytes(&self, world: &World, body: Vec<u8>) -> Result<Answer, Error> {
        exchange(&world.logs, self.caller(), body).await.map(Answer::read)
    }

    /// The phone's state after its lines were taken.
    pub(crate) fn took(&mut self, lines: &[Line]) {
        let (header, _) = self.request(lines);
        self.chain = header.chain;
        self.next_seq += u64::from(header.count);
    }

    pub(crate) fn follow(&mut self, answer: &Answer) {
        self.own = answer.end.own;
        self.epoch = Some(answer.head.epoch);
        self.scopes.extend(answer.end.scopes.iter().map(|(scope, cursor)| (*scope, *cursor)));
    }

    /// Sends lines and takes the answer in.
    pub(crate) async fn sync(&mut self, world: &World, lines: &[Line]) -> Answer {
        let answer = self.send(world, lines).await.unwrap();
        self.took(lines);
        self.follow(&answer);
        answer
    }
}
