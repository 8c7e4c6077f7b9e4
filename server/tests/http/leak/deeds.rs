//! What people do: reports with party data and a photo, and steps on cases that they may or may not see.

use std::collections::BTreeMap;

use schema::case::{Channel, FieldName, Position, Source};
use schema::hash::{Hash, Salt};
use schema::ids::{BootId, EntityId, OpId};
use schema::limits::DAY_MS;
use schema::op::{
    Amend, Assign, Body, Captured, Change, Comment, Decline, EvidenceRole, File, Op, PhotoClaim, PlanLookBack, Report,
    Restrict, Role, SealedValue, Taken, TakenBy,
};
use serde_json::json;
use sync_core::line::{self, sha256};
use sync_core::log::chain;
use uuid::Uuid;

use super::city::City;
use crate::photos::jpeg;

impl City {
    fn spot(&mut self, place: usize) -> Position {
        let east = [20_000, 80_000, 120_000, 180_000, 350_000, 250_000][self.dice.below(6)];
        Position { accuracy_m: Some(5), ..Position::at(50_000, self.places[place].west + east) }
    }

    fn seal(&mut self, value: &str) -> SealedValue {
        let salt = Salt(*self.fresh().as_bytes());
        SealedValue { sealed: line::seal(&salt, value).sealed, salt, value: value.to_owned() }
    }

    pub(super) async fn report(&mut self, place: usize, who: usize) {
        let number = self.numbers.len();
        let case = EntityId(self.fresh());
        let (note, telephone) = (self.seal(&format!("NOTE-{number}.")), self.seal(&format!("TEL-{number}.")));
        let earlier: Vec<EntityId> = self.numbers.keys().copied().collect();
        let shows = if !earlier.is_empty() && self.dice.percent(40) {
            let other = earlier[self.dice.below(earlier.len())];
            self.alike.insert(case, other);
            self.numbers[&other]
        } else {
            number
        };
        // What stands behind a picture makes another file of it, and no other picture.
        let picture = jpeg(64, u32::try_from(shows * 2 + 33).unwrap());
        let bytes = [picture, number.to_be_bytes().to_vec()].concat();
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
    pub(super) async fn deed(&mut self, who: usize) {
        let cases: Vec<EntityId> = self.numbers.keys().copied().collect();
        if cases.is_empty() {
            return;
        }
        let case = cases[self.dice.below(cases.len())];
        let (number, place) = (self.numbers[&case], self.homes[&case]);
        let who = if self.dice.percent(50) { 0 } else { who };
        let unit = self.places[place].units[self.dice.below(2)];
        if self.dice.percent(10) {
            return self.plan_look_back(place, case).await;
        }
        let reason = self.seal(&format!("NOTE-{number}."));
        let sealed = schema::op::Sealed { sealed: reason.sealed };
        let roles = [vec![Role::Auditor], vec![Role::Supervisor], vec![Role::Supervisor, Role::Inspector]];
        let until_ms = self.world.clock.now_ms() + 20 * DAY_MS;
        let change = |name: &str, to| (name.parse::<FieldName>().unwrap(), Change { was: json!(null), to });
        let body = match self.dice.below(9) {
            0 => Body::File(File { condition: "hawks_unlicensed".parse().unwrap() }),
            1 | 2 => Body::Assign(Assign {
                unit,
                co_units: Vec::new(),
                co_limits: Default::default(),
                holder: None,
                note: None,
            }),
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

    /// The server has somebody look again at a case: when, its unit must not know.
    async fn plan_look_back(&mut self, place: usize, case: EntityId) {
        let areas = &self.places[place].areas;
        let (area, now_ms) = (areas[self.dice.below(areas.len())], self.world.clock.now_ms());
        let planned = PlanLookBack {
            case,
            area,
            close: OpId(self.fresh()),
            nth: 1,
            checker: None,
            fixer: None,
            units: Vec::new(),
            opens_ms: now_ms + DAY_MS,
            best_ms: now_ms + DAY_MS,
            due_ms: now_ms + 8 * DAY_MS,
            escalates_ms: Vec::new(),
        };
        let task = EntityId(self.fresh());
        self.operator(place, task, Body::PlanLookBack(planned)).await;
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
}
