//! A server small enough to see through: the real reducer and the real proofs over a list in memory. It says what a
//! server says; how the real one keeps it is not tried here.

use std::collections::{BTreeMap, BTreeSet};

use schema::area::{Area, AreaTree, Level};
use schema::catalogue::{Catalogue, Text};
use schema::entity::{Account, DocumentInForce, Entity, Granted, Unit};
use schema::hash::{DeviceKey, Hash};
use schema::ids::{AccountId, AreaId, DeviceId, EntityId, EpochId, GrantId, LogId, OpId, PersonId, UnitId};
use schema::op::{Body, Op, PhotoVerified, Role, SealedValue};
use schema::record::OutcomeLine;
use schema::sync::{
    BatchAnswer, Durability, EntityLine, ExitLine, Receipt, ReceiptOp, Scope, SyncEnd, SyncHead, SyncHeader, SyncLine,
    TreeHead, ValueLine,
};
use serde_json::value::RawValue;
use sync_core::apply::apply;
use sync_core::area::AreaIndex;
use sync_core::consequence::consequences;
use sync_core::context::{Context, InForce, RULES, VerifiedPhoto};
use sync_core::line::{self, sha256, singleton_id};
use sync_core::log::checkpoint::{self, Signer};
use sync_core::log::tree::{Frontier, MemoryHashes, prove_consistency};
use sync_core::log::{chain, leaf, receipt};
use sync_core::permission::{default_scopes, scopes_of};
use uuid::Uuid;

pub(crate) const LOG: LogId = LogId(Uuid::from_u128(1));
pub(crate) const ROOT: AreaId = AreaId(Uuid::from_u128(100));
pub(crate) const WEST: AreaId = AreaId(Uuid::from_u128(101));
pub(crate) const EAST: AreaId = AreaId(Uuid::from_u128(102));
pub(crate) const UNIT: UnitId = UnitId(Uuid::from_u128(500));
const SERVER_DEVICE: DeviceId = DeviceId(Uuid::from_u128(77));

pub(crate) struct Entry {
    pub(crate) op: Op,
    pub(crate) line_hash: Hash,
    pub(crate) outcome: OutcomeLine,
}

/// A backup of it is [`Server::backup`].
pub(crate) struct Server {
    pub(crate) epoch: EpochId,
    pub(crate) signer: Signer,
    pub(crate) leaves: Vec<Hash>,
    /// By revision − 1; none for what was laid out before the first op.
    pub(crate) entries: Vec<Option<Entry>>,
    pub(crate) entities: BTreeMap<EntityId, (u64, Entity)>,
    pub(crate) durable: u64,
    pub(crate) page_rows: usize,
    pub(crate) keys: BTreeMap<DeviceId, DeviceKey>,
    pub(crate) owners: BTreeMap<DeviceId, AccountId>,
    pub(crate) verified: BTreeMap<Hash, VerifiedPhoto>,
    exits: Vec<ExitLine>,
    values: BTreeMap<Hash, (SealedValue, EntityId)>,
    seqs: BTreeMap<(DeviceId, u64), u64>,
    heads: BTreeMap<EntityId, Hash>,
    areas: AreaIndex,
    catalogue: (Hash, Catalogue),
    now_ms: u64,
    serial: u64,
}

fn text(name: &str) -> Text {
    Text { zh: name.to_owned(), en: name.to_owned() }
}

pub(crate) fn area_document() -> Vec<u8> {
    let square = |west: i32, east: i32| vec![vec![vec![(west, 0), (east, 0), (east, 1000), (west, 1000)]]];
    let area = |id, parent, level, code: &str, boundary| Area {
        id,
        parent,
        level,
        code: code.to_owned(),
        name: text(code),
        boundary,
    };
    let village = AreaId(Uuid::from_u128(112));
    let street = AreaId(Uuid::from_u128(111));
    let tree = AreaTree {
        version: "1".to_owned(),
        areas: vec![
            area(ROOT, None, Level::District, "D", square(0, 4000)),
            area(street, Some(ROOT), Level::Subdistrict, "S", square(0, 4000)),
            area(village, Some(street), Level::Community, "V", square(0, 4000)),
            area(WEST, Some(village), Level::Grid, "W", square(0, 1000)),
            area(EAST, Some(village), Level::Grid, "E", square(3000, 4000)),
        ],
    };
    serde_json::to_vec(&tree).unwrap()
}

pub(crate) fn catalogue_document() -> Vec<u8> {
    include_bytes!("../reducer/catalogue.json").to_vec()
}

pub(crate) fn account_id(number: u128) -> AccountId {
    AccountId(Uuid::from_u128(9000 + number))
}

impl Server {
    /// Inspectors 0 and 1 (west), 2 (east), supervisor 3 over all.
    pub(crate) fn new() -> Self {
        let (areas, catalogue) = (area_document(), catalogue_document());
        let mut server = Self {
            epoch: EpochId(Uuid::from_u128(0xE1)),
            signer: Signer::new("demo", &[7; 32]),
            leaves: Vec::new(),
            entries: Vec::new(),
            entities: BTreeMap::new(),
            durable: 0,
            page_rows: 500,
            keys: BTreeMap::new(),
            owners: BTreeMap::new(),
            verified: BTreeMap::new(),
            exits: Vec::new(),
            values: BTreeMap::new(),
            seqs: BTreeMap::new(),
            heads: BTreeMap::new(),
            areas: AreaIndex::new(&serde_json::from_slice(&areas).unwrap()).unwrap(),
            catalogue: (sha256(&catalogue), serde_json::from_slice(&catalogue).unwrap()),
            now_ms: 1_790_000_000_000,
            serial: 1,
        };
        let document = |name: &str, bytes: &[u8]| DocumentInForce {
            id: singleton_id(LOG, name),
            sha256: sha256(bytes),
            size: u64::try_from(bytes.len()).unwrap(),
            version: "1".to_owned(),
            since_rev: 1,
            earlier: Vec::new(),
        };
        server.lay(singleton_id(LOG, "areas"), Entity::Areas(document("areas", &areas)));
        server.lay(singleton_id(LOG, "catalogue"), Entity::Catalogue(document("catalogue", &catalogue)));
        server.lay(UNIT.into(), Entity::Unit(Unit { id: UNIT, name: text("城管"), area: ROOT }));
        for (number, role, area) in [
            (0, Role::Inspector, WEST),
            (1, Role::Inspector, WEST),
            (2, Role::Inspector, EAST),
            (3, Role::Supervisor, ROOT),
        ] {
            let id = account_id(number);
            let grants = vec![Granted { grant: GrantId(Uuid::from_u128(700 + number)), role, area, rev: 1 }];
            let (name, person) = (format!("person {number}"), PersonId(Uuid::from_u128(800 + number)));
            let account = Account { id, name, person, grants, units: Vec::new(), disabled_rev: None };
            server.lay(id.into(), Entity::Account(account));
        }
        server
    }

    /// Puts an entity there without an op: what came before the story.
    pub(crate) fn lay(&mut self, id: EntityId, entity: Entity) {
        self.leaves.push(sha256(&serde_json::to_vec(&entity).unwrap()));
        self.entries.push(None);
        self.entities.insert(id, (self.head(), entity));
    }

    pub(crate) fn head(&self) -> u64 {
        u64::try_from(self.leaves.len()).unwrap()
    }

    pub(crate) fn verifier_key(&self) -> String {
        self.signer.verifier_key()
    }

    pub(crate) fn account(&self, id: AccountId) -> Option<&Account> {
        match self.entities.get(&id.into()) {
            Some((_, Entity::Account(account))) => Some(account),
            _ => None,
        }
    }

    pub(crate) fn ops(&self) -> Vec<OpId> {
        self.entries.iter().flatten().map(|entry| entry.op.op).collect()
    }

    /// The photo's bytes are here: each case that names it is told.
    pub(crate) fn photo_arrives(&mut self, sha256: Hash, size: u64) {
        self.verified.insert(sha256, VerifiedPhoto { size, pixels: None, flags: Vec::new() });
        let naming: Vec<EntityId> = self
            .entities
            .iter()
            .filter(|(_, (_, entity))| match entity {
                Entity::Case(case) => case.evidence.iter().any(|it| it.sha256 == sha256 && it.verified_rev.is_none()),
                _ => false,
            })
            .map(|(id, _)| *id)
            .collect();
        for (n, entity) in (0_u32..).zip(naming) {
            let body = Body::PhotoVerified(PhotoVerified { sha256, size, pixels: None, flags: Vec::new() });
            let id = OpId(Uuid::from_u128(u128::from_be_bytes(sha256.0[..16].try_into().unwrap()) ^ u128::from(n)));
            let op = line::server_op(LOG, id, SERVER_DEVICE, entity, &body, self.now_ms).unwrap();
            self.append(&op, line::write(&op).unwrap().as_bytes(), 0, 0);
        }
    }

    /// Everything up to now is in a backup; a copy to restore from.
    pub(crate) fn backup(&mut self) -> Server {
        self.durable = self.head();
        let mut copy = Server::new();
        copy.clone_from_log(self);
        copy
    }

    fn clone_from_log(&mut self, other: &Server) {
        self.epoch = EpochId(Uuid::from_u128(other.epoch.0.as_u128() + 1));
        self.leaves.clone_from(&other.leaves);
        self.entries = other
            .entries
            .iter()
            .map(|entry| {
                entry.as_ref().map(|entry| Entry {
                    op: entry.op.clone(),
                    line_hash: entry.line_hash,
                    outcome: entry.outcome.clone(),
                })
            })
            .collect();
        self.entities.clone_from(&other.entities);
        self.durable = other.durable;
        self.page_rows = other.page_rows;
        self.keys.clone_from(&other.keys);
        self.owners.clone_from(&other.owners);
        self.verified.clone_from(&other.verified);
        self.exits.clone_from(&other.exits);
        self.values.clone_from(&other.values);
        self.seqs.clone_from(&other.seqs);
        self.heads.clone_from(&other.heads);
        self.now_ms = other.now_ms;
        self.serial = other.serial;
    }

    /// Answers a request.
    pub(crate) fn sync(&mut self, body: &[u8]) -> Vec<u8> {
        self.now_ms += 1_000;
        let mut lines = body.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
        let header: SyncHeader = serde_json::from_slice(lines.next().unwrap()).unwrap();
        let mut ops: Vec<&[u8]> = Vec::new();
        let mut values = Vec::new();
        for line in lines {
            match line::is_value_line(line) {
                true => values.push((line::read_value(line).unwrap(), ops.len() - 1)),
                false => ops.push(line),
            }
        }
        assert_eq!(u32::try_from(ops.len()).unwrap(), header.count);
        let (batch, outcomes) = self.push(&header, &ops);
        if batch == BatchAnswer::Taken {
            for (value, op) in values {
                let entity = line::read(ops[op]).map_or(EntityId::NIL, |op| op.entity);
                self.values.insert(value.sealed, (value, entity));
            }
        }
        self.answer(&header, batch, outcomes)
    }

    fn push(&mut self, header: &SyncHeader, ops: &[&[u8]]) -> (BatchAnswer, Vec<OutcomeLine>) {
        if ops.is_empty() {
            return (BatchAnswer::Nothing, Vec::new());
        }
        let signature = header.signature.expect("a batch is signed");
        let key = self.keys.get(&header.device).expect("an enrolled device");
        if !chain::verify(key, &chain::batch_message(header), &signature) {
            return (BatchAnswer::BadSignature, Vec::new());
        }
        let last = self.seqs.get(&(header.device, header.incarnation)).copied().unwrap_or(0);
        if header.first_seq > last + 1 {
            return (BatchAnswer::Gap { expected: last + 1 }, Vec::new());
        }
        let numbered: Vec<(u64, &[u8])> = (header.first_seq..).zip(ops.iter().copied()).collect();
        for (seq, line) in &numbered {
            let known = line::read(line).ok().and_then(|op| self.entry_of(op.op));
            if *seq <= last && known.is_none() {
                return (BatchAnswer::Reused { device_seq: *seq }, Vec::new());
            }
        }
        let mut outcomes = Vec::new();
        for (seq, line) in numbered {
            let op = line::read(line).unwrap();
            let known = self.entry_of(op.op).map(|entry| entry.outcome.clone());
            let outcome = known.unwrap_or_else(|| self.append(&op, line, header.incarnation, seq));
            outcomes.push(outcome);
            self.seqs.insert((header.device, header.incarnation), seq.max(last));
        }
        (BatchAnswer::Taken, outcomes)
    }

    fn entry_of(&self, op: OpId) -> Option<&Entry> {
        self.entries.iter().flatten().find(|entry| entry.op.op == op)
    }

    fn append(&mut self, op: &Op, line: &[u8], incarnation: u64, device_seq: u64) -> OutcomeLine {
        let before = self.entities.get(&op.entity).map(|(_, entity)| entity.clone());
        let rev = self.head() + 1;
        let (decision, behind) = {
            let (catalogues, documents) = (BTreeMap::new(), BTreeSet::new());
            let (units, accounts) = (BTreeSet::from([UNIT]), BTreeMap::new());
            let ctx = Context {
                epoch: self.epoch,
                earlier_epochs: &[],
                rev,
                received_ms: self.now_ms,
                first_received_ms: self.now_ms,
                captured: None,
                rules: RULES,
                actor: self.account(op.actor),
                by_server: op.actor == AccountId::NIL,
                device_revoked: false,
                behind_parked: false,
                catalogue: Some(InForce { sha256: self.catalogue.0, document: &self.catalogue.1 }),
                catalogues: &catalogues,
                areas: Some(InForce { sha256: sha256(&area_document()), document: &self.areas }),
                verified: &self.verified,
                documents: &documents,
                units: &units,
                accounts: &accounts,
                other: None,
                parked: &[],
                next_number: (2026, self.serial),
            };
            let decision = apply(before.as_ref(), op, &ctx);
            let behind = consequences(before.as_ref(), op, &decision, &ctx);
            (decision, behind)
        };
        self.serial += u64::from(decision.record.number.is_some());
        let outcome = OutcomeLine {
            op: op.op,
            rev,
            epoch: self.epoch,
            incarnation,
            device_seq,
            entity: decision.leaf_entity,
            kind: op.kind.clone(),
            prev_leaf: self.heads.get(&decision.leaf_entity).copied().unwrap_or(Hash::ZERO),
            received_ms: self.now_ms,
            first_received_ms: self.now_ms,
            state_after: decision.state_after,
            record: serde_json::to_string(&decision.record).unwrap(),
        };
        let line_hash = sha256(line);
        let hash = leaf::hash(&leaf::of_outcome(LOG, op.device, op.actor, line_hash, &outcome));
        self.leaves.push(hash);
        self.heads.insert(decision.leaf_entity, hash);
        self.entries.push(Some(Entry { op: op.clone(), line_hash, outcome: outcome.clone() }));
        if let Some(after) = decision.after {
            self.note_exits(before.as_ref(), &after, op.entity, rev);
            self.entities.insert(op.entity, (rev, after));
        }
        for consequence in behind {
            let (kind, _) = line::kind_and_body(&consequence.body).unwrap();
            let id = line::consequence_id(LOG, op.op, &kind, consequence.n);
            let next = line::server_op(LOG, id, SERVER_DEVICE, consequence.entity, &consequence.body, 5).unwrap();
            self.append(&next, line::write(&next).unwrap().as_bytes(), 0, 0);
        }
        outcome
    }

    fn note_exits(&mut self, before: Option<&Entity>, after: &Entity, entity: EntityId, rev: u64) {
        let now = scopes_of(after, Some(&self.areas));
        let was = before.map(|before| scopes_of(before, Some(&self.areas))).unwrap_or_default();
        self.exits.extend(was.into_iter().filter(|scope| !now.contains(scope)).map(|scope| ExitLine {
            scope,
            entity,
            rev,
        }));
    }

    fn tree_head(&self) -> TreeHead {
        let mut frontier = Frontier::default();
        for leaf in &self.leaves {
            frontier.push(*leaf);
        }
        frontier.head()
    }

    fn answer(&self, header: &SyncHeader, batch: BatchAnswer, pushed: Vec<OutcomeLine>) -> Vec<u8> {
        let mut lines = Vec::new();
        let consistency = header.checkpoint.map(|held| {
            let mut hashes: MemoryHashes = self.leaves.iter().copied().collect();
            if held.size <= self.head() {
                prove_consistency(&mut hashes, held.size, self.head()).unwrap()
            } else {
                Vec::new()
            }
        });
        let account = self.account_of(header.device);
        let head = SyncHead {
            protocol: 1,
            log: LOG,
            epoch: self.epoch,
            head: self.head(),
            durable: self.durable,
            durability: Durability::Backup,
            now_ms: self.now_ms,
            receipt: (batch == BatchAnswer::Taken).then(|| self.receipt(header, &pushed)),
            batch,
            checkpoint: Some(self.signer.checkpoint(&checkpoint::origin("demo", LOG, self.epoch), &self.tree_head())),
            consistency: consistency.unwrap_or_default(),
            default_scopes: account.map(|it| default_scopes(it, Some(&self.areas))).unwrap_or_default(),
        };
        lines.push(SyncLine::Head(Box::new(head)));
        let own = self.entries.iter().flatten().filter(|it| it.op.device == header.device);
        let mut outcomes: BTreeMap<u64, OutcomeLine> =
            own.filter(|it| it.outcome.rev > header.own).map(|it| (it.outcome.rev, it.outcome.clone())).collect();
        outcomes.extend(pushed.into_iter().map(|outcome| (outcome.rev, outcome)));
        lines.extend(outcomes.into_values().map(|outcome| SyncLine::Outcome(Box::new(outcome))));
        let mut end = SyncEnd { scopes: BTreeMap::new(), own: self.head(), more: false };
        for (scope, cursor) in &header.scopes {
            self.pull(*scope, *cursor, &mut lines, &mut end);
        }
        lines.push(SyncLine::End(end));
        let mut bytes = Vec::new();
        for line in lines {
            serde_json::to_writer(&mut bytes, &line).unwrap();
            bytes.push(b'\n');
        }
        bytes
    }

    fn account_of(&self, device: DeviceId) -> Option<&Account> {
        self.owners.get(&device).and_then(|owner| self.account(*owner))
    }

    fn receipt(&self, header: &SyncHeader, pushed: &[OutcomeLine]) -> schema::sync::SignedReceipt {
        let ops = pushed.iter().map(|outcome| ReceiptOp {
            op: outcome.op,
            rev: outcome.rev,
            first_received_ms: outcome.first_received_ms,
            leaf: self.leaves[usize::try_from(outcome.rev).unwrap() - 1],
            number: None,
        });
        let (incarnation, first_seq, chain) = (header.incarnation, header.first_seq, header.chain);
        let (device, ops) = (header.device, ops.collect());
        let receipt = Receipt { log: LOG, epoch: self.epoch, device, incarnation, first_seq, chain, ops };
        receipt::sign(&self.signer, &receipt).unwrap()
    }

    fn pull(&self, scope: Scope, cursor: u64, lines: &mut Vec<SyncLine>, end: &mut SyncEnd) {
        let mut rows: Vec<(u64, EntityId, &Entity)> = self
            .entities
            .iter()
            .filter(|(_, (rev, entity))| *rev > cursor && scopes_of(entity, Some(&self.areas)).contains(&scope))
            .map(|(id, (rev, entity))| (*rev, *id, entity))
            .collect();
        rows.sort_by_key(|(rev, id, _)| (*rev, *id));
        let full = rows.len() > self.page_rows;
        rows.truncate(self.page_rows);
        let to = if full { rows.last().map_or(self.head(), |row| row.0) } else { self.head() };
        for (rev, id, entity) in rows {
            let document = RawValue::from_string(serde_json::to_string(entity).unwrap()).unwrap();
            lines.push(SyncLine::Entity(EntityLine { scope, id, rev, document: Some(document) }));
            let values = self.values.values().filter(|(_, of)| *of == id);
            lines.extend(values.map(|(value, _)| SyncLine::Value(ValueLine { entity: id, value: value.clone() })));
        }
        let exits = self.exits.iter().filter(|exit| exit.scope == scope && exit.rev > cursor && exit.rev <= to);
        lines.extend(exits.cloned().map(SyncLine::Exit));
        end.scopes.insert(scope, to);
        end.more |= full;
    }
}
