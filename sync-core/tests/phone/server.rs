//! A server small enough to see through: the real reducer and the real proofs over a list in memory. It says what a
//! server says; how the real one keeps it is not tried here.

use std::collections::{BTreeMap, BTreeSet};

use schema::area::{Area, AreaTree, Level};
use schema::catalogue::{Catalogue, Text};
use schema::entity::{Account, DocumentInForce, Entity, Granted, Unit};
use schema::hash::{DeviceKey, Hash};
use schema::ids::{AccountId, AreaId, DeviceId, EntityId, EpochId, GrantId, LogId, OpId, PersonId, UnitId};
use schema::op::{Body, Op, PhotoVerified, Role, SealedValue, StartEpoch};
use schema::record::OutcomeLine;
use schema::sync::ExitLine;
use sync_core::apply::apply;
use sync_core::area::AreaIndex;
use sync_core::consequence::consequences;
use sync_core::context::{Context, InForce, RULES, VerifiedPhoto};
use sync_core::line::{self, sha256, singleton_id};
use sync_core::log::checkpoint::Signer;
use sync_core::log::leaf;
use sync_core::permission::scopes_of;
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
    pub(crate) durable_ms: u64,
    pub(crate) page_rows: usize,
    pub(crate) keys: BTreeMap<DeviceId, DeviceKey>,
    pub(crate) owners: BTreeMap<DeviceId, AccountId>,
    pub(crate) verified: BTreeMap<Hash, VerifiedPhoto>,
    pub(crate) exits: Vec<ExitLine>,
    pub(crate) values: BTreeMap<Hash, (SealedValue, EntityId)>,
    pub(crate) seqs: BTreeMap<(DeviceId, u64), u64>,
    pub(crate) heads: BTreeMap<EntityId, Hash>,
    pub(crate) areas: AreaIndex,
    pub(crate) catalogue: (Hash, Catalogue),
    pub(crate) now_ms: u64,
    pub(crate) serial: u64,
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
            durable_ms: 1_790_000_000_000,
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
            planned: None,
        };
        server.lay(singleton_id(LOG, "areas"), Entity::Areas(document("areas", &areas)));
        server.lay(singleton_id(LOG, "catalogue"), Entity::Catalogue(document("catalogue", &catalogue)));
        let log = schema::entity::Log {
            id: LOG,
            name: text("区"),
            zone: "Asia/Shanghai".to_owned(),
            signer: server.verifier_key(),
            server_device: SERVER_DEVICE,
            epoch: server.epoch,
            restored: Vec::new(),
            silences: Vec::new(),
        };
        server.lay(LOG.into(), Entity::Log(log));
        server.lay(UNIT.into(), Entity::Unit(Unit::new(UNIT, text("城管"), ROOT)));
        for (number, role, area) in [
            (0, Role::Inspector, WEST),
            (1, Role::Inspector, WEST),
            (2, Role::Inspector, EAST),
            (3, Role::Supervisor, ROOT),
        ] {
            let id = account_id(number);
            let grants = vec![Granted::new(GrantId(Uuid::from_u128(700 + number)), role, area, 1)];
            let (name, person) = (format!("person {number}"), PersonId(Uuid::from_u128(800 + number)));
            server.lay(id.into(), Entity::Account(Account { grants, ..Account::new(id, name, person) }));
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
            let body = Body::PhotoVerified(PhotoVerified {
                sha256,
                size,
                pixels: None,
                flags: Vec::new(),
                claims: Vec::new(),
            });
            let id = OpId(Uuid::from_u128(u128::from_be_bytes(sha256.0[..16].try_into().unwrap()) ^ u128::from(n)));
            let op = line::server_op(LOG, id, SERVER_DEVICE, entity, &body, self.now_ms).unwrap();
            self.append(&op, line::write(&op).unwrap().as_bytes(), 0, 0);
        }
    }

    /// Everything up to now is in a backup; a copy to restore from.
    pub(crate) fn backup(&mut self) -> Server {
        let mut copy = self.copy();
        copy.start_epoch(self.epoch);
        copy
    }

    /// As [`Server::backup`], but it says nothing of it when it is restored.
    pub(crate) fn copy(&mut self) -> Server {
        self.durable = self.head();
        self.durable_ms = self.now_ms;
        let mut copy = Server::new();
        copy.clone_from_log(self);
        copy
    }

    /// The first entry of its epoch.
    fn start_epoch(&mut self, old_epoch: EpochId) {
        let kept = self.tree_head();
        let body = Body::StartEpoch(StartEpoch {
            old_epoch,
            kept_rev: kept.size,
            kept_root: kept.root,
            last_signed_head: kept.size,
        });
        let id = OpId(Uuid::from_u128(0xE000 + self.epoch.0.as_u128()));
        let op = line::server_op(LOG, id, SERVER_DEVICE, LOG.into(), &body, self.now_ms).unwrap();
        self.append(&op, line::write(&op).unwrap().as_bytes(), 0, 0);
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
        self.durable_ms = other.durable_ms;
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

    pub(crate) fn entry_of(&self, op: OpId) -> Option<&Entry> {
        self.entries.iter().flatten().find(|entry| entry.op.op == op)
    }

    pub(crate) fn append(&mut self, op: &Op, line: &[u8], incarnation: u64, device_seq: u64) -> OutcomeLine {
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
                calendar: None,
                verified: &self.verified,
                documents: &documents,
                units: &units,
                accounts: &accounts,
                other: None,
                parked: &[],
                next_number: (2026, self.serial),
                earlier_number: None,
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
}
