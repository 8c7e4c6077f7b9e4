//! Two districts, people with chance grants in them, and what chance makes them do.

use std::collections::{BTreeMap, BTreeSet};

use schema::area::{Area, AreaTree, Level};
use schema::case::{Channel, FieldName, Position, Source};
use schema::catalogue::Text;
use schema::entity::Entity;
use schema::hash::{Hash, Salt};
use schema::ids::{AccountId, AreaId, BootId, EntityId, GrantId, LogId, OpId, UnitId};
use schema::op::{
    Amend, Assign, Body, Captured, Change, Comment, Decline, EvidenceRole, File, Grant, Op, PhotoClaim, Report,
    Restrict, RevokeGrant, Role, SealedValue, SetMembership, Taken, TakenBy,
};
use schema::sync::{Scope, SyncHeader};
use serde_json::json;
use server::services::installation::{District, NewAccount};
use server::services::ledger::{Append, ServerOp};
use sync_core::line::{self, sha256};
use sync_core::log::chain;
use uuid::Uuid;

use super::dice::Dice;
use super::oracle::Facts;
use crate::photos::jpeg;
use crate::world::{Phone, World, enrol_body, new_device};

const DAY_MS: u64 = 24 * 3600 * 1000;
const ROLES: [Role; 5] = [Role::Inspector, Role::Inspector, Role::Crew, Role::Supervisor, Role::Auditor];

pub(super) struct Place {
    pub(super) log: LogId,
    pub(super) units: Vec<UnitId>,
    /// Every area of the tree in force; grids are the last three.
    pub(super) areas: Vec<AreaId>,
    west: i32,
    border: i32,
}

pub(super) struct Person {
    pub(super) phone: Phone,
    pub(super) account: AccountId,
    /// Next number and chain in each district.
    sent: BTreeMap<LogId, (u64, Hash)>,
    /// What its phone holds by what scopes, as it follows the feed.
    pub(super) held: BTreeMap<LogId, BTreeSet<(EntityId, Scope)>>,
    pub(super) cursors: BTreeMap<LogId, BTreeMap<Scope, u64>>,
}

pub(super) struct City {
    pub(super) world: World,
    pub(super) places: Vec<Place>,
    pub(super) people: Vec<Person>,
    /// Each case's number: its texts and its photo carry it.
    pub(super) numbers: BTreeMap<EntityId, usize>,
    pub(super) photos: BTreeMap<EntityId, (Hash, usize)>,
    /// The district that each was reported in.
    homes: BTreeMap<EntityId, usize>,
    dice: Dice,
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
            login: login.clone(),
            name: login.clone(),
            person: None,
            role,
            area: Some(format!("P0A{area}")),
            units: if role == Role::Crew { vec![self.places[0].units[n % 2]] } else { Vec::new() },
            password: None,
        };
        let account = installation.add_account(new).await.unwrap();
        let code = installation.code(account).await.unwrap();
        let (device, secret) = new_device(&login);
        let reply = self.world.post("/v1/enrol", &enrol_body(&code, device, &secret)).await;
        let phone = Phone::enrolled(device, secret, serde_json::from_slice(&reply.body).unwrap());
        let (sent, held, cursors) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        self.people.push(Person { phone, account, sent, held, cursors });
        if n == 0 {
            for role in [Role::Supervisor, Role::Auditor] {
                let grant = Grant { grant: GrantId(self.fresh()), role, area: self.places[1].areas[0] };
                self.take_in(1, account, grant).await;
            }
            let all = Grant { grant: GrantId(self.fresh()), role: Role::Auditor, area: self.places[0].areas[0] };
            self.operator(0, account.into(), Body::Grant(all)).await;
        }
    }

    fn fresh(&mut self) -> Uuid {
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
    async fn operator(&mut self, place: usize, entity: EntityId, body: Body) {
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
            _ => self.deed(who).await,
        }
    }

    /// Tokens live for minutes, and the clock jumped by days.
    async fn log_in_again(&mut self) {
        for person in &mut self.people {
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
        let grant = Grant { grant: GrantId(self.fresh()), role, area };
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
        self.operator(place, account.into(), Body::SetMembership(SetMembership { unit, member })).await;
    }

    fn spot(&mut self, place: usize) -> Position {
        let east = [20_000, 80_000, 120_000, 180_000, 350_000, 250_000][self.dice.below(6)];
        Position { accuracy_m: Some(5), ..Position::at(50_000, self.places[place].west + east) }
    }

    fn seal(&mut self, value: &str) -> SealedValue {
        let salt = Salt(*self.fresh().as_bytes());
        SealedValue { sealed: line::seal(&salt, value).sealed, salt, value: value.to_owned() }
    }

    async fn report(&mut self, place: usize, who: usize) {
        let number = self.numbers.len();
        let case = EntityId(self.fresh());
        let (note, telephone) = (self.seal(&format!("NOTE-{number}.")), self.seal(&format!("TEL-{number}.")));
        let bytes = jpeg(8, u32::try_from(number * 2 + 1).unwrap());
        let photo = sha256(&bytes);
        self.numbers.insert(case, number);
        self.photos.insert(case, (photo, who));
        self.homes.insert(case, place);
        let taken = Taken { by: TakenBy::Camera, wall_ms: None, position: None, mock_position: false };
        let size = u64::try_from(bytes.len()).unwrap();
        let body = Body::Report(Report {
            category: "stall".parse().unwrap(),
            subtype: "unlicensed".parse().unwrap(),
            catalogue: None,
            position: self.spot(place),
            subject: Some(format!("SUBJECT-{number}.")),
            note: Some(schema::op::Sealed { sealed: note.sealed }),
            fields: [("vendor_phone".parse().unwrap(), json!({ "sealed": telephone.sealed }))].into(),
            source: Source { channel: Channel::Patrol, number: None },
            photos: vec![PhotoClaim { sha256: photo, size, role: EvidenceRole::Before, taken }],
        });
        let phone = &self.people[who].phone;
        assert_eq!(self.world.announce(phone, &photo, bytes.len()).await.status, 201);
        assert_eq!(self.world.patch(phone, &photo, 0, &bytes).await.status, 204);
        self.push(place, who, case, &body, vec![note, telephone]).await;
    }

    /// Somebody asks for something about some case, seen or not: what comes of it is the server's to say.
    async fn deed(&mut self, who: usize) {
        let cases: Vec<EntityId> = self.numbers.keys().copied().collect();
        if cases.is_empty() {
            return;
        }
        let case = cases[self.dice.below(cases.len())];
        let (number, place) = (self.numbers[&case], self.homes[&case]);
        let who = if self.dice.percent(50) { 0 } else { who };
        let unit = self.places[place].units[self.dice.below(2)];
        let reason = self.seal(&format!("NOTE-{number}."));
        let sealed = schema::op::Sealed { sealed: reason.sealed };
        let roles = [vec![Role::Auditor], vec![Role::Supervisor], vec![Role::Supervisor, Role::Inspector]];
        let until_ms = self.world.clock.now_ms() + 20 * DAY_MS;
        let change = |name: &str, to| (name.parse::<FieldName>().unwrap(), Change { was: json!(null), to });
        let body = match self.dice.below(9) {
            0 => Body::File(File { condition: "hawks_unlicensed".parse().unwrap() }),
            1 | 2 => Body::Assign(Assign { unit, co_units: Vec::new(), holder: None, note: None }),
            3 | 4 => Body::Restrict(Restrict { roles: roles[self.dice.below(3)].clone(), until_ms, reason: sealed }),
            5 => Body::Amend(Amend { changes: [change("position", json!(self.spot(place)))].into() }),
            // A client that others wrote puts a telephone number where a sealed one belongs.
            6 => {
                Body::Amend(Amend { changes: [change("field.vendor_phone", json!(format!("PLAIN-{number}.")))].into() })
            }
            7 => Body::Decline(Decline { reason: "gone".parse().unwrap(), note: None }),
            _ => Body::Comment(Comment { text: sealed }),
        };
        self.push(place, who, case, &body, vec![reason]).await;
    }

    async fn push(&mut self, place: usize, who: usize, entity: EntityId, body: &Body, values: Vec<SealedValue>) {
        let log = self.places[place].log;
        let op = OpId(self.fresh());
        let (kind, body) = line::kind_and_body(body).unwrap();
        let captured = Captured { wall_ms: 1, elapsed_ms: 5000, boot: BootId(Uuid::from_u128(7)) };
        let person = &mut self.people[who];
        let line = line::write(&Op {
            v: 1,
            log,
            op,
            device: person.phone.device,
            actor: person.account,
            entity,
            kind,
            kind_version: 1,
            base: None,
            captured,
            salt: Salt([3; 16]),
            body,
        })
        .unwrap();
        let (seq, before) = person.sent.get(&log).copied().unwrap_or((1, Hash::ZERO));
        let after = chain::next(&before, log, 1, seq, &sha256(line.as_bytes()));
        let mut header = person.header(log, BTreeMap::new());
        (header.first_seq, header.count, header.chain) = (seq, 1, after);
        header.signature = Some(person.phone.secret.sign(&chain::batch_message(&header)));
        let mut lines = vec![serde_json::to_string(&header).unwrap(), line];
        lines.extend(values.iter().map(|value| serde_json::to_string(value).unwrap()));
        let token = person.phone.token().to_owned();
        let reply = self.world.sync(&token, lines.join("\n").as_bytes()).await;
        // A district that does not know the person's phone takes nothing of it.
        if reply.status == 200 {
            self.people[who].sent.insert(log, (seq + 1, after));
        } else {
            assert_eq!(reply.status, 403, "{}", reply.text());
        }
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
