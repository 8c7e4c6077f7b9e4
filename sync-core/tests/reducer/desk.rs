//! A desk to try the reducer on: one district, a handful of people, and a fold of ops with their consequences.

use std::collections::{BTreeMap, BTreeSet};

use schema::area::{Area, AreaTree, Level};
use schema::case::{Case, State};
use schema::catalogue::{Catalogue, Text};
use schema::entity::{Account, Entity, Granted};
use schema::hash::{Hash, Salt};
use schema::ids::{AccountId, AreaId, BootId, DeviceId, EntityId, EpochId, GrantId, LogId, OpId, PersonId, UnitId};
use schema::op::{Base, Body, Captured, EvidenceRole, Op, Role};
use schema::record::{Interval, Outcome};
use sync_core::apply::{Decision, apply};
use sync_core::area::AreaIndex;
use sync_core::consequence::consequences;
use sync_core::context::{Context, InForce, RULES, VerifiedPhoto};
use sync_core::figures::Told;
use sync_core::line;
use sync_core::time::WorkingCalendar;
use uuid::Uuid;

use crate::bodies::{assign, check_passes, close, decline, file, fix, photo, report, void};

pub(crate) const LOG: LogId = LogId(Uuid::from_u128(1));
pub(crate) const EPOCH: EpochId = EpochId(Uuid::from_u128(2));
pub(crate) const CASE: EntityId = EntityId(Uuid::from_u128(0x0199_0000_0000_7000_8000_0000_0000_0abc));
pub(crate) const OTHER_CASE: EntityId = EntityId(Uuid::from_u128(0x0199_0000_0000_7000_8000_0000_0000_0def));
pub(crate) const CATALOGUE: Hash = Hash([7; 32]);

pub(crate) const ROOT: AreaId = AreaId(Uuid::from_u128(100));
pub(crate) const WEST: AreaId = AreaId(Uuid::from_u128(110));
pub(crate) const WEST_VILLAGE: AreaId = AreaId(Uuid::from_u128(111));
pub(crate) const EAST: AreaId = AreaId(Uuid::from_u128(120));
pub(crate) const EAST_VILLAGE: AreaId = AreaId(Uuid::from_u128(121));
pub(crate) const GRID_1: AreaId = AreaId(Uuid::from_u128(1111));
pub(crate) const GRID_2: AreaId = AreaId(Uuid::from_u128(1112));
pub(crate) const GRID_EAST: AreaId = AreaId(Uuid::from_u128(1211));

pub(crate) const UNIT: UnitId = UnitId(Uuid::from_u128(501));
pub(crate) const UNIT_2: UnitId = UnitId(Uuid::from_u128(502));

pub(crate) const INSPECTOR: usize = 0;
pub(crate) const INSPECTOR_2: usize = 1;
pub(crate) const CREW: usize = 2;
pub(crate) const CREW_2: usize = 3;
pub(crate) const SUPERVISOR: usize = 4;
pub(crate) const SUPERVISOR_EAST: usize = 5;
pub(crate) const CHIEF: usize = 6;
pub(crate) const AUDITOR: usize = 7;
pub(crate) const ADMIN: usize = 8;
pub(crate) const SUPERVISOR_IN_UNIT: usize = 9;
pub(crate) const PEOPLE: usize = 10;

/// A desk with the state of every entity, and the decisions so far.
pub(crate) struct Desk {
    pub(crate) areas: AreaIndex,
    pub(crate) catalogue: Catalogue,
    pub(crate) accounts: Vec<Account>,
    pub(crate) entities: BTreeMap<EntityId, Entity>,
    pub(crate) verified: BTreeMap<Hash, VerifiedPhoto>,
    pub(crate) rev: u64,
    pub(crate) serial: u64,
    pub(crate) rules: u32,
    /// The time; none: a little later with each op.
    pub(crate) now_ms: Option<u64>,
    pub(crate) captured: Option<Interval>,
    pub(crate) calendar: Option<WorkingCalendar>,
    /// What took effect, as the entries tell of it.
    pub(crate) told: Vec<Told>,
}

fn text(name: &str) -> Text {
    Text { zh: name.to_owned(), en: name.to_owned() }
}

fn square(west: i32, south: i32, east: i32, north: i32) -> Vec<Vec<Vec<(i32, i32)>>> {
    vec![vec![vec![(west, south), (east, south), (east, north), (west, north)]]]
}

fn area(id: AreaId, parent: Option<AreaId>, level: Level, code: &str, boundary: Vec<Vec<Vec<(i32, i32)>>>) -> Area {
    Area { id, parent, level, code: code.to_owned(), name: text(code), boundary }
}

fn tree() -> AreaTree {
    AreaTree {
        version: "1".to_owned(),
        areas: vec![
            area(ROOT, None, Level::District, "D", square(0, 0, 4000, 1000)),
            area(WEST, Some(ROOT), Level::Subdistrict, "W", square(0, 0, 2000, 1000)),
            area(WEST_VILLAGE, Some(WEST), Level::Community, "WV", square(0, 0, 2000, 1000)),
            area(GRID_1, Some(WEST_VILLAGE), Level::Grid, "W1", square(0, 0, 1000, 1000)),
            area(GRID_2, Some(WEST_VILLAGE), Level::Grid, "W2", square(1000, 0, 2000, 1000)),
            area(EAST, Some(ROOT), Level::Subdistrict, "E", square(2000, 0, 4000, 1000)),
            area(EAST_VILLAGE, Some(EAST), Level::Community, "EV", square(2000, 0, 4000, 1000)),
            area(GRID_EAST, Some(EAST_VILLAGE), Level::Grid, "E1", square(2001, 0, 4000, 1000)),
        ],
    }
}

fn catalogue() -> Catalogue {
    serde_json::from_str(include_str!("catalogue.json")).expect("the desk's catalogue")
}

fn account(index: usize, grants: &[(Role, AreaId)], units: &[UnitId]) -> Account {
    let number = u128::try_from(index).expect("small");
    let (id, person) = (AccountId(Uuid::from_u128(9000 + number)), PersonId(Uuid::from_u128(8000 + number)));
    Account {
        grants: grants
            .iter()
            .enumerate()
            .map(|(nth, (role, area))| {
                let grant = GrantId(Uuid::from_u128(7000 + number * 10 + u128::try_from(nth).expect("small")));
                Granted::new(grant, *role, *area, 1)
            })
            .collect(),
        units: units.to_vec(),
        ..Account::new(id, format!("person {index}"), person)
    }
}

impl Desk {
    pub(crate) fn new() -> Self {
        Self {
            areas: AreaIndex::new(&tree()).expect("the desk's areas"),
            catalogue: catalogue(),
            accounts: vec![
                account(INSPECTOR, &[(Role::Inspector, GRID_1)], &[]),
                account(INSPECTOR_2, &[(Role::Inspector, GRID_1), (Role::Inspector, GRID_2)], &[]),
                account(CREW, &[(Role::Crew, ROOT)], &[UNIT]),
                account(CREW_2, &[(Role::Crew, ROOT)], &[UNIT_2]),
                account(SUPERVISOR, &[(Role::Supervisor, WEST)], &[]),
                account(SUPERVISOR_EAST, &[(Role::Supervisor, EAST)], &[]),
                account(CHIEF, &[(Role::Supervisor, ROOT)], &[]),
                account(AUDITOR, &[(Role::Auditor, ROOT)], &[]),
                account(ADMIN, &[(Role::Admin, ROOT)], &[]),
                account(SUPERVISOR_IN_UNIT, &[(Role::Supervisor, WEST)], &[UNIT]),
            ],
            entities: BTreeMap::new(),
            verified: BTreeMap::new(),
            rev: 10,
            serial: 1,
            rules: RULES,
            now_ms: None,
            captured: None,
            calendar: None,
            told: Vec::new(),
        }
    }

    pub(crate) fn context<'a>(&'a self, rest: &'a Rest, actor: Option<&'a Account>, op: &Op) -> Context<'a> {
        let other = match line::body(op) {
            line::ReadBody::Known(body) => match *body {
                Body::LinkDuplicate(link) => self.entities.get(&link.of),
                _ => None,
            },
            _ => None,
        };
        Context {
            epoch: EPOCH,
            earlier_epochs: &[],
            rev: self.rev + 1,
            received_ms: self.now_ms.unwrap_or(1_000_000 + self.rev),
            first_received_ms: self.now_ms.unwrap_or(1_000_000 + self.rev),
            captured: self.captured,
            rules: self.rules,
            actor,
            by_server: op.actor == AccountId::NIL,
            device_revoked: rest.device_revoked,
            behind_parked: rest.behind_parked,
            catalogue: Some(InForce { sha256: CATALOGUE, document: &self.catalogue }),
            catalogues: &rest.catalogues,
            areas: Some(InForce { sha256: Hash([8; 32]), document: &self.areas }),
            calendar: self.calendar.as_ref().map(|document| InForce { sha256: Hash([6; 32]), document }),
            verified: &self.verified,
            documents: &rest.documents,
            units: &rest.units,
            accounts: &rest.accounts,
            other,
            parked: &rest.parked,
            next_number: (2026, self.serial),
            earlier_number: rest.earlier_number,
        }
    }

    /// Decides an op and lets it and its consequences take effect.
    pub(crate) fn take(&mut self, op: &Op) -> Decision {
        self.take_with(op, &Rest::new(self))
    }

    pub(crate) fn take_with(&mut self, op: &Op, rest: &Rest) -> Decision {
        let actor = self.accounts.iter().find(|account| account.id == op.actor).cloned();
        let before = self.entities.get(&op.entity).cloned();
        let (decision, behind) = {
            let ctx = self.context(rest, actor.as_ref(), op);
            let decision = apply(before.as_ref(), op, &ctx);
            assert_eq!(decision, apply(before.as_ref(), op, &ctx), "INV-DETERMINISM");
            let behind = consequences(before.as_ref(), op, &decision, &ctx);
            (decision, behind)
        };
        self.rev += 1;
        self.serial += u64::from(decision.record.number.is_some());
        if let Some(after) = &decision.after {
            self.entities.insert(op.entity, after.clone());
        }
        if let (line::ReadBody::Known(body), Some(Entity::Case(case))) = (line::body(op), &decision.after) {
            let at_ms = self.now_ms.unwrap_or(1_000_000 + self.rev);
            self.told.push(Told { rev: self.rev, at_ms, state: Some(case.state), body });
        }
        for consequence in behind {
            let (kind, _) = line::kind_and_body(&consequence.body).expect("writable");
            let id = line::consequence_id(LOG, op.op, &kind, consequence.n);
            let device = DeviceId(Uuid::from_u128(77));
            let next = line::server_op(LOG, id, device, consequence.entity, &consequence.body, 5).expect("writable");
            let taken = self.take(&next);
            assert_eq!(taken.record.outcome, Outcome::Accepted, "a consequence is never refused: {taken:?}");
        }
        decision
    }

    /// An op of a person on the case, based on what stands now.
    pub(crate) fn op(&self, who: usize, entity: EntityId, body: &Body) -> Op {
        let (kind, body) = line::kind_and_body(body).expect("writable");
        Op {
            v: 1,
            log: LOG,
            op: OpId(Uuid::from_u128(0xF000_0000 + u128::from(self.rev))),
            device: DeviceId(Uuid::from_u128(600 + u128::try_from(who).expect("small"))),
            actor: self.accounts[who].id,
            entity,
            kind,
            kind_version: 1,
            base: Some(Base(EPOCH, self.rev)),
            captured: Captured { wall_ms: 0, elapsed_ms: 0, boot: BootId::NIL },
            salt: Salt([0; 16]),
            body,
        }
    }

    /// Makes and takes an op; the desk moves on.
    pub(crate) fn act(&mut self, who: usize, body: Body) -> Decision {
        let op = self.op(who, CASE, &body);
        self.take(&op)
    }

    /// As [`Desk::act`], made when the case stood at `rev`.
    pub(crate) fn act_at(&mut self, who: usize, rev: u64, body: Body) -> Decision {
        let mut op = self.op(who, CASE, &body);
        op.base = Some(Base(EPOCH, rev));
        self.take(&op)
    }

    /// As [`Desk::act`], where it must succeed.
    pub(crate) fn must(&mut self, who: usize, body: Body) {
        let decision = self.act(who, body);
        assert_eq!(decision.record.outcome, Outcome::Accepted, "{:?}", decision.record);
    }

    pub(crate) fn case(&self) -> &Case {
        self.case_of(CASE)
    }

    pub(crate) fn case_of(&self, id: EntityId) -> &Case {
        match self.entities.get(&id) {
            Some(Entity::Case(case)) => case,
            other => panic!("no case: {other:?}"),
        }
    }

    pub(crate) fn arrive(&mut self, photo: u8) {
        let found = VerifiedPhoto { size: 1000, pixels: Some((4, 3)), flags: Vec::new() };
        self.verified.insert(Hash([photo; 32]), found);
        let body = Body::PhotoVerified(schema::op::PhotoVerified {
            sha256: Hash([photo; 32]),
            size: 1000,
            pixels: Some((4, 3)),
            flags: Vec::new(),
            claims: Vec::new(),
        });
        let id = OpId(Uuid::from_u128(0xE000_0000 + u128::from(self.rev)));
        let op = line::server_op(LOG, id, DeviceId(Uuid::from_u128(77)), CASE, &body, 5).expect("writable");
        self.take(&op);
    }

    /// A case just reported, with everything decided by these rules.
    pub(crate) fn reported_under(rules: u32) -> Self {
        let mut desk = Self { rules, ..Self::new() };
        desk.must(INSPECTOR, report(&[photo(1, EvidenceRole::Before)]));
        desk.arrive(1);
        desk
    }

    /// Brings a fresh case to a state by its ordinary way.
    pub(crate) fn at(state: State) -> Self {
        let mut desk = Self::reported_under(RULES);
        match state {
            State::Reported => {}
            State::Declined => desk.must(SUPERVISOR, decline()),
            State::Void => desk.must(SUPERVISOR, void()),
            State::Duplicate => {
                let other = desk.op(INSPECTOR, OTHER_CASE, &report(&[]));
                desk.take(&other);
                desk.must(SUPERVISOR, Body::LinkDuplicate(schema::op::LinkDuplicate { of: OTHER_CASE }));
            }
            State::Filed | State::Assigned | State::Fixed | State::Checked | State::Closed => {
                let way: [(State, usize, Body); 5] = [
                    (State::Filed, SUPERVISOR, file()),
                    (State::Assigned, SUPERVISOR, assign(UNIT)),
                    (State::Fixed, CREW, fix(&[photo(2, EvidenceRole::After)])),
                    (State::Checked, INSPECTOR, check_passes()),
                    (State::Closed, SUPERVISOR, close()),
                ];
                for (reached, who, body) in way {
                    desk.must(who, body);
                    if reached == State::Fixed {
                        desk.arrive(2);
                    }
                    if reached == state {
                        break;
                    }
                }
            }
        }
        assert_eq!(desk.case().state, state);
        desk
    }
}

/// What a context needs beside the desk.
pub(crate) struct Rest {
    pub(crate) device_revoked: bool,
    pub(crate) behind_parked: bool,
    pub(crate) catalogues: BTreeMap<Hash, Catalogue>,
    pub(crate) documents: BTreeSet<Hash>,
    pub(crate) units: BTreeSet<UnitId>,
    pub(crate) accounts: BTreeMap<AccountId, Account>,
    pub(crate) parked: Vec<sync_core::context::ParkedOp>,
    pub(crate) earlier_number: Option<&'static str>,
}

impl Rest {
    pub(crate) fn new(desk: &Desk) -> Self {
        Self {
            device_revoked: false,
            behind_parked: false,
            catalogues: BTreeMap::new(),
            documents: BTreeSet::new(),
            units: [UNIT, UNIT_2].into(),
            accounts: desk.accounts.iter().map(|account| (account.id, account.clone())).collect(),
            parked: Vec::new(),
            earlier_number: None,
        }
    }
}
