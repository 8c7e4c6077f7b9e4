//! One seed, one run: people work, the network loses, repeats, delays; the server is restored, a phone is; then calm,
//! and the invariants.

use std::collections::{BTreeMap, BTreeSet};

use tests::dice::Dice;

use super::Rule;
use super::phone::Phone;
use super::server::{Entity, Kind, Page, Pushed, Scope, Server};

const AREAS: [Scope; 3] = ["area 1", "area 2", "area 3"];
const STEPS: usize = 250;

struct World {
    dice: Dice,
    server: Server,
    phones: Vec<Phone>,
    backup: Option<Server>,
    copies: BTreeMap<usize, Phone>,
    /// Who asked, in which epoch, and the page that is still on its way.
    late: Vec<(usize, u64, Page)>,
    /// Ops that only a copied-over phone knew: nobody can be asked to keep them.
    lost: BTreeSet<u64>,
    without: Option<Rule>,
    flickers: usize,
    next_id: u64,
}

pub(crate) fn run(seed: u64, without: Option<Rule>) -> BTreeSet<&'static str> {
    let mut dice = Dice::new(seed);
    let phones = (0..3)
        .map(|device| {
            let first = dice.below(3);
            let areas = if dice.percent(50) { vec![AREAS[first]] } else { vec![AREAS[first], AREAS[(first + 1) % 3]] };
            Phone::new(device, &areas, without)
        })
        .collect();
    let mut world = World {
        dice,
        server: Server::default(),
        phones,
        backup: None,
        copies: BTreeMap::new(),
        late: Vec::new(),
        lost: BTreeSet::new(),
        without,
        flickers: 0,
        next_id: 1,
    };
    for _ in 0..STEPS {
        world.step();
    }
    for _ in 0..60 {
        for device in 0..3 {
            world.push(device, false);
            world.pull(device, false);
        }
    }
    world.verdict()
}

impl World {
    fn fresh(&mut self) -> u64 {
        self.dice.throw() | 1
    }

    fn step(&mut self) {
        let device = self.dice.below(3);
        let before = self.shown(device);
        let epoch = self.phones[device].epoch;
        let rejected = self.phones[device].rejected;
        let mut disturbed = false;
        match self.dice.below(100) {
            0..35 => self.capture(device),
            35..60 => self.push(device, true),
            60..85 => self.pull(device, true),
            85..90 => self.deliver_late(),
            90..93 => {
                self.server.durable = self.server.head();
                self.backup = Some(self.server.clone());
            }
            93..94 => disturbed = self.restore_server(),
            94..96 => {
                self.copies.insert(device, self.phones[device].clone());
            }
            96 => disturbed = self.restore_phone(device),
            97 => disturbed = self.resubscribe(device),
            98 => self.forget_exits(),
            _ => {}
        }
        let calm = !disturbed && self.phones[device].epoch == epoch && self.phones[device].rejected == rejected;
        if calm {
            let after = self.shown(device);
            let vanished = before.iter().any(|(id, count)| after.get(id).is_some_and(|now| now < count));
            self.flickers += usize::from(vanished);
        }
    }

    /// What the phone shows of entities that its scopes hold. What lies outside them it is not told of, so what it
    /// shows of that while it works on it is a guess.
    fn shown(&self, device: usize) -> BTreeMap<u64, u64> {
        let phone = &self.phones[device];
        let held = |id: &u64| phone.pairs.iter().any(|(paired, _)| paired == id);
        (0..6).filter(held).filter_map(|id| phone.view(id).map(|entity: Entity| (id, entity.count))).collect()
    }

    fn capture(&mut self, device: usize) {
        let scopes: Vec<Scope> = self.phones[device].cursors.keys().copied().filter(|it| AREAS.contains(it)).collect();
        let area = scopes[self.dice.below(scopes.len())];
        let entity = u64::try_from(self.dice.below(6)).expect("small");
        let kind = match self.dice.below(8) {
            0..4 => Kind::Add,
            4 => Kind::Close,
            5 => Kind::Bad,
            _ => Kind::Move(AREAS[self.dice.below(3)]),
        };
        let id = self.next_id;
        self.next_id += 1;
        self.phones[device].capture(id, entity, kind, area);
    }

    fn push(&mut self, device: usize, faulty: bool) {
        let limit = [1, 3, 20][self.dice.below(3)];
        let ops = self.phones[device].unsent(limit);
        if ops.is_empty() || (faulty && self.dice.percent(20)) {
            return;
        }
        let fresh = self.fresh();
        let mut answer = self.server.push(&ops, self.without);
        if faulty && self.dice.percent(15) {
            answer = self.server.push(&ops, self.without);
        }
        if faulty && self.dice.percent(25) {
            return;
        }
        match answer {
            Pushed::Renumber => self.phones[device].renumber(fresh),
            Pushed::Outcomes(outcomes) => {
                self.phones[device].pushed(self.server.epoch, &outcomes, fresh, self.without);
            }
        }
    }

    fn pull(&mut self, device: usize, faulty: bool) {
        let scopes: Vec<Scope> = self.phones[device].cursors.keys().copied().collect();
        for scope in scopes {
            let limit = [1, 2, 50][self.dice.below(3)];
            let phone = &self.phones[device];
            let cursor = phone.cursors.get(scope).copied().unwrap_or(0);
            let page = self.server.pull(device, scope, cursor, phone.own, limit, self.without);
            if faulty && self.dice.percent(25) {
                return;
            }
            if faulty && self.dice.percent(15) {
                self.late.push((device, self.phones[device].epoch, page));
                continue;
            }
            let fresh = self.fresh();
            self.phones[device].pulled(&page, fresh, self.without);
        }
    }

    fn deliver_late(&mut self) {
        if self.late.is_empty() {
            return;
        }
        let index = self.dice.below(self.late.len());
        let (device, asked_in, page) = self.late.swap_remove(index);
        // What was asked in another epoch was asked from cursors that mean nothing any more.
        if asked_in == self.phones[device].epoch && page.epoch == asked_in {
            let before = self.shown(device);
            let rejected = self.phones[device].rejected;
            let fresh = self.fresh();
            self.phones[device].pulled(&page, fresh, self.without);
            let after = self.shown(device);
            let vanished = before.iter().any(|(id, count)| after.get(id).is_some_and(|now| now < count));
            self.flickers += usize::from(vanished && self.phones[device].rejected == rejected);
        }
    }

    fn restore_server(&mut self) -> bool {
        let Some(mut backup) = self.backup.clone() else { return false };
        backup.epoch = self.server.epoch + 1;
        backup.durable = backup.head();
        self.server = backup;
        self.backup = Some(self.server.clone());
        true
    }

    /// Somebody works elsewhere from now on: one area more, or one less, of which one always stays.
    fn resubscribe(&mut self, device: usize) -> bool {
        let area = AREAS[self.dice.below(3)];
        let phone = &mut self.phones[device];
        let held = AREAS.iter().filter(|area| phone.cursors.contains_key(*area)).count();
        if !phone.cursors.contains_key(area) {
            phone.subscribe(area, self.without);
        } else if held > 1 {
            phone.leave(area, self.without);
        }
        true
    }

    /// Exits are forgotten up to a revision that some phones may not have seen yet.
    fn forget_exits(&mut self) {
        let head = usize::try_from(self.server.head()).expect("small");
        let up_to = u64::try_from(self.dice.below(head + 1)).expect("small");
        self.server.forget_exits(up_to);
    }

    /// The phone comes back from its own copy: what only the newer state knew, and the server not, is gone with it.
    fn restore_phone(&mut self, device: usize) -> bool {
        let Some(mut copy) = self.copies.get(&device).cloned() else { return false };
        let now = &self.phones[device];
        let known: BTreeSet<u64> = copy.pending.iter().chain(&copy.kept).map(|pending| pending.op.id).collect();
        let gone = now.pending.iter().chain(&now.kept).map(|pending| pending.op.id).filter(|id| !known.contains(id));
        self.lost.extend(gone);
        copy.made.clone_from(&now.made);
        if self.without != Some(Rule::NewIncarnation) {
            let fresh = self.fresh();
            copy.renumber(fresh);
        }
        self.phones[device] = copy;
        // Answers to the requests of the other life have no connection to come by.
        self.late.retain(|(asked_by, ..)| *asked_by != device);
        true
    }

    fn verdict(self) -> BTreeSet<&'static str> {
        let mut broken = BTreeSet::new();
        let ids: Vec<u64> = self.server.log.iter().map(|entry| entry.op.id).collect();
        if ids.iter().collect::<BTreeSet<_>>().len() != ids.len() {
            broken.insert("INV-EXACTLY-ONCE");
        }
        let mut last: BTreeMap<(usize, u64), u64> = BTreeMap::new();
        for entry in &self.server.log {
            let key = (entry.op.device, entry.op.incarnation);
            if last.insert(key, entry.op.seq).is_some_and(|before| before >= entry.op.seq) {
                broken.insert("INV-DEVICE-ORDER");
            }
        }
        for phone in &self.phones {
            if phone.made.iter().any(|id| !ids.contains(id) && !self.lost.contains(id)) {
                broken.insert("INV-NO-LOSS");
            }
            if !phone.pending.is_empty() {
                broken.insert("INV-QUEUE-DRAINS");
            }
            let should: BTreeMap<u64, Entity> = self
                .server
                .entities
                .iter()
                .filter(|(_, entity)| owed(entity, phone))
                .map(|(id, entity)| (*id, entity.clone()))
                .collect();
            if phone.base != should {
                broken.insert("INV-CONVERGE");
            }
            if phone.base.keys().any(|id| !should.contains_key(id)) {
                broken.insert("INV-SCOPE-LEAK");
            }
        }
        if self.flickers > 0 {
            broken.insert("INV-NO-FLICKER");
        }
        broken
    }
}

/// What a phone must hold in the end: what lies in an area it subscribes to, and what it made, wherever that went.
fn owed(entity: &Entity, phone: &Phone) -> bool {
    entity.maker == phone.device || phone.cursors.contains_key(entity.area)
}
