//! Two districts, people with chance grants in them, and what chance makes them do.

use std::collections::{BTreeMap, BTreeSet};

use schema::area::{Area, AreaTree, Level};
use schema::catalogue::Text;
use schema::entity::Entity;
use schema::hash::Hash;
use schema::ids::{AccountId, AreaId, BootId, EntityId, GrantId, LogId, UnitId};
use schema::limits::DAY_MS;
use schema::op::{Body, Captured, Grant, RevokeGrant, Role, SetMembership};
use schema::sync::{Scope, SyncHeader};
use server::services::installation::{District, NewAccount};
use server::services::ledger::{Append, ServerOp};
use uuid::Uuid;

use super::dice::Dice;
use super::oracle::Facts;
use crate::world::{Phone, World, enrol_body, new_device};

const ROLES: [Role; 5] = [Role::Inspector, Role::Inspector, Role::Crew, Role::Supervisor, Role::Auditor];

pub(super) struct Place {
    pub(super) log: LogId,
    pub(super) units: Vec<UnitId>,
    /// Every area of the tree in force; grids are the last three.
    pub(super) areas: Vec<AreaId>,
    pub(super) west: i32,
    border: i32,
}

pub(super) struct Person {
    pub(super) phone: Phone,
    pub(super) account: AccountId,
    /// Next number and chain in each district.
    pub(super) sent: BTreeMap<LogId, (u64, Hash)>,
    /// What its phone holds by what scopes, as it follows the feed.
    pub(super) held: BTreeMap<LogId, BTreeSet<(EntityId, Scope)>>,
    pub(super) cursors: BTreeMap<LogId, BTreeMap<Scope, u64>>,
    /// The phone was revoked or its account disabled: it gets nothing any more, though its token still lives.
    pub(super) shut: bool,
}

pub(super) struct City {
    pub(super) world: World,
    pub(super) places: Vec<Place>,
    pub(super) people: Vec<Person>,
    /// Each case's number: its texts and its photo carry it.
    pub(super) numbers: BTreeMap<EntityId, usize>,
    pub(super) photos: BTreeMap<EntityId, (Hash, usize)>,
    /// Cases whose photo shows what an earlier one's showed.
    pub(super) alike: BTreeMap<EntityId, EntityId>,
    /// The district that each was reported in.
    pub(super) homes: BTreeMap<EntityId, usize>,
    pub(super) dice: Dice,
    made: u128,
}

fn id(place: usize, number: u128) -> Uuid {
    Uuid::from_u128(0xc17e_0000 + 0x1000 * u128::try_from(place).unwrap() + number)
}

fn text(name: &str) -> Text {
    Text { zh: name.to_owned(), en: name.to_owned() }
}

/// 区, two 街道, a 社区 in each; two grids side by side in the first, one far away in the second.
fn tree(place: usize, west: i32, border: i32) -> AreaTree {
    let square = |from: i32, to: i32| vec![vec![vec![(from, 0), (to, 0), (to, 100_000), (from, 100_000)]]];
    let node = |number, parent: Option<u128>, level, from, to| Area {
        id: AreaId(id(place, number)),
        parent: parent.map(|parent| AreaId(id(place, parent))),
        level,
        code: format!("P{place}A{number}"),
        name: text(&format!("area {number}")),
        boundary: square(west + from, west + to),
    };
    AreaTree {
        version: format!("{place} {border}"),
        areas: vec![
            node(0, None, Level::District, 0, 400_000),
            node(1, Some(0), Level::Subdistrict, 0, 200_000),
            node(2, Some(0), Level::Subdistrict, 300_000, 400_000),
            node(3, Some(1), Level::Community, 0, 200_000),
            node(4, Some(2), Level::Community, 300_000, 400_000),
            node(5, Some(3), Level::Grid, 0, border),
            node(6, Some(3), Level::Grid, border, 200_000),
            node(7, Some(4), Level::Grid, 300_000, 400_000),
        ],
    }
}

impl City {
    pub(super) async fn new(seed: u64) -> Self {
        let world = World::start().await;
        let installation = world.running.app.installation.clone();
        let first = world.running.app.logs.store.read_async(|db| db.heads()).await.unwrap()[0].log;
        let district = District { name: text("second"), zone: "Asia/Shanghai".into() };
        let signer = world.running.app.logs.checkpoints.signer().verifier_key();
        let second = installation.add_district(&district, &signer).await.unwrap();
        let mut city = Self {
            world,
            places: Vec::new(),
            people: Vec::new(),
            numbers: BTreeMap::new(),
            photos: BTreeMap::new(),
            alike: BTreeMap::new(),
            homes: BTreeMap::new(),
            dice: Dice::new(seed),
            made: 0,
        };
        for (place, log) in [first, second].into_iter().enumerate() {
            let west = i32::try_from(place).unwrap() * 1_000_000;
            city.places.push(Place { log, units: Vec::new(), areas: Vec::new(), west, border: 100_000 });
            city.draw_areas(place, 100_000).await;
            let working = installation.of_district(Some(log.to_string()));
            for name in ["one", "two"] {
                let unit = working.add_unit(text(name), None).await.unwrap();
                city.places[place].units.push(unit);
            }
        }
        for n in 0..8 {
            city.settle(n).await;
        }
        city
    }

    /// A person of the first district. The first one is the chief of both, the second their administrator.
    async fn settle(&mut self, n: usize) {
        let installation = self.world.running.app.installation.of_district(Some(self.places[0].log.to_string()));
        let role = match n {
            0 => Role::Supervisor,
            1 => Role::Admin,
            _ => ROLES[self.dice.below(ROLES.len())],
        };
        let areas = self.places[0].areas.len();
        let area = if n < 2 { 0 } else { self.dice.below(areas) };
        let login = format!("person{n}");
        let new = NewAccount {
            id: None,
            login: login.clone(),
            name: login.clone(),
            person: None,
            role: Some(role),
            area: Some(format!("P0A{area}")),
            units: if role == Role::Crew { vec![self.places[0].units[n % 2]] } else { Vec::new() },
            password: None,
        };
        let account = installation.add_account(new).await.unwrap();
        self.enrol(account).await;
        if n == 0 {
            for role in [Role::Supervisor, Role::Auditor] {
                let grant = Grant { grant: GrantId(self.fresh()), role, area: self.places[1].areas[0], until_ms: None };
                self.take_in(1, account, grant).await;
            }
            let all = Grant {
                grant: GrantId(self.fresh()),
                role: Role::Auditor,
                area: self.places[0].areas[0],
                until_ms: None,
            };
            self.operator(0, account.into(), Body::Grant(all)).await;
        }
    }

    /// A phone of somebody, who may have others.
    async fn enrol(&mut self, account: AccountId) {
        let code = self.world.running.app.installation.code(account).await.unwrap();
        let (device, secret) = new_device(&format!("phone {}", self.people.len()));
        let reply = self.world.post("/v1/enrol", &enrol_body(&code, device, &secret)).await;
        let phone = Phone::enrolled(device, secret, serde_json::from_slice(&reply.body).unwrap());
        let (sent, held, cursors) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        self.people.push(Person { phone, account, sent, held, cursors, shut: false });
    }

    /// Somebody gets another phone, loses one, or leaves and somebody else comes.
    async fn turnover(&mut self) {
        let who = 2 + self.dice.below(self.people.len() - 2);
        let Person { account, shut, .. } = &self.people[who];
        let (account, shut) = (*account, *shut);
        let installation = self.world.running.app.installation.clone();
        match self.dice.below(3) {
            _ if shut => {}
            0 => {
                self.people[who].shut = true;
                installation.revoke(self.people[who].phone.device, "lost").await.unwrap();
            }
            1 => {
                self.people.iter_mut().filter(|it| it.account == account).for_each(|it| it.shut = true);
                installation.disable(account, "left").await.unwrap();
                self.settle(self.people.len()).await;
            }
            _ => self.enrol(account).await,
        }
    }

    pub(super) fn fresh(&mut self) -> Uuid {
        self.made += 1;
        Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_0000 + self.made)
    }

    pub(super) fn chance(&mut self, percent: usize) -> bool {
        self.dice.percent(percent)
    }

    async fn draw_areas(&mut self, place: usize, border: i32) {
        let Place { log, west, .. } = self.places[place];
        let tree = tree(place, west, border);
        let installation = self.world.running.app.installation.of_district(Some(log.to_string()));
        installation.import_areas(&tree).await.unwrap();
        self.places[place].areas = tree.areas.iter().map(|area| area.id).collect();
        self.places[place].border = border;
    }

    /// What the operator does: an op of the server.
    pub(super) async fn operator(&mut self, place: usize, entity: EntityId, body: Body) {
        let op = ServerOp::fresh(entity, body).unwrap();
        let append = Append { ops: vec![op], ..Append::default() };
        self.world.running.app.logs.ledger.append(self.places[place].log, append).await.unwrap();
    }

    async fn take_in(&mut self, place: usize, account: AccountId, grant: Grant) {
        let log = self.places[place].log;
        let store = self.world.running.app.logs.store.clone();
        let known = store.read_async(move |db| db.in_all_logs(account.into())).await.unwrap();
        if known.iter().all(|known| known.log != log) {
            let there = known.into_iter().find_map(|known| match known.entity {
                Entity::Account(account) => Some(account),
                _ => None,
            });
            let there = there.expect("known to the other district");
            let set = schema::op::SetAccount { name: there.name, person: there.person };
            self.operator(place, account.into(), Body::SetAccount(set)).await;
        }
        self.operator(place, account.into(), Body::Grant(grant)).await;
    }

    /// One thing happens.
    pub(super) async fn step(&mut self) {
        let place = self.dice.below(2);
        let who = self.dice.below(self.people.len());
        let who = if self.people[who].shut { 0 } else { who };
        match self.dice.below(24) {
            0..7 => self.report(place, who).await,
            7 => self.grant(place).await,
            8 => self.revoke(place).await,
            9 => self.join(place).await,
            10 => {
                let border = [60_000, 100_000, 140_000][self.dice.below(3)];
                self.draw_areas(place, border).await;
            }
            11..13 => {
                let days = [25, 190][self.dice.below(2)];
                self.world.later(days * DAY_MS);
                let now_ms = self.world.clock.now_ms();
                self.world.running.app.logs.ledger.tick(now_ms).await.unwrap();
                self.log_in_again().await;
            }
            13 | 14 => self.turnover().await,
            _ => self.deed(who).await,
        }
    }

    /// Tokens live for minutes, and the clock jumped by days.
    async fn log_in_again(&mut self) {
        for person in self.people.iter_mut().filter(|person| !person.shut) {
            let installation = &self.world.running.app.installation;
            let code = installation.code(person.account).await.unwrap();
            let body = enrol_body(&code, person.phone.device, &person.phone.secret);
            let reply = self.world.post("/v1/enrol", &body).await;
            assert_eq!(reply.status, 200, "{}", reply.text());
            person.phone.enrolled = serde_json::from_slice(&reply.body).unwrap();
        }
    }

    async fn grant(&mut self, place: usize) {
        let who = 2 + self.dice.below(self.people.len() - 2);
        let role = ROLES[self.dice.below(ROLES.len())];
        let area = self.places[place].areas[self.dice.below(8)];
        let grant = Grant { grant: GrantId(self.fresh()), role, area, until_ms: None };
        self.take_in(place, self.people[who].account, grant).await;
    }

    async fn revoke(&mut self, place: usize) {
        let account = self.people[2 + self.dice.below(self.people.len() - 2)].account;
        let granted =
            self.facts(place).await.accounts.get(&account).and_then(|it| it.grants.first().map(|it| it.grant));
        if let Some(grant) = granted {
            self.operator(place, account.into(), Body::RevokeGrant(RevokeGrant { grant })).await;
        }
    }

    async fn join(&mut self, place: usize) {
        let account = self.people[2 + self.dice.below(self.people.len() - 2)].account;
        let unit = self.places[place].units[self.dice.below(2)];
        let member = self.dice.percent(70);
        self.operator(place, account.into(), Body::SetMembership(SetMembership { unit, member, until_ms: None })).await;
    }

    /// What is so in a district: read from its documents, judged by nobody.
    pub(super) async fn facts(&self, place: usize) -> Facts {
        let Place { log, areas, .. } = &self.places[place];
        let log = *log;
        let entities = self
            .world
            .running
            .app
            .logs
            .store
            .read_async(move |db| -> Result<_, server::store::StoreError> {
                let head = db.head(log)?.unwrap();
                let mut found = Vec::new();
                for kind in ["case", "account"] {
                    found.extend(db.entities_of_kind(head.num, kind, EntityId::NIL, 1000)?);
                }
                Ok(found)
            })
            .await
            .unwrap();
        let mut facts = Facts {
            root: areas[0],
            beside: vec![(areas[5], areas[6])],
            parents: BTreeMap::new(),
            cases: BTreeMap::new(),
            accounts: BTreeMap::new(),
        };
        for (child, parent) in [(1, 0), (2, 0), (3, 1), (4, 2), (5, 3), (6, 3), (7, 4)] {
            facts.parents.insert(areas[child], areas[parent]);
        }
        for document in entities.into_iter().filter_map(|stored| stored.document) {
            match serde_json::from_str(&document).unwrap() {
                Entity::Case(case) => drop(facts.cases.insert(case.id, *case)),
                Entity::Account(account) => drop(facts.accounts.insert(account.id, account)),
                _ => {}
            }
        }
        facts
    }
}

impl Person {
    /// A request that pushes nothing.
    pub(super) fn header(&self, log: LogId, scopes: BTreeMap<Scope, u64>) -> SyncHeader {
        SyncHeader {
            protocol: (1, 1),
            log,
            device: self.phone.device,
            epoch: None,
            app: "test/1".into(),
            incarnation: 1,
            first_seq: 1,
            count: 0,
            chain: Hash::ZERO,
            signature: None,
            clock: Captured { wall_ms: 6, elapsed_ms: 61_000, boot: BootId(Uuid::from_u128(7)) },
            scopes,
            own: 0,
            checkpoint: None,
            durable_checkpoint: None,
            rows: None,
            receipts: Vec::new(),
        }
    }
}
