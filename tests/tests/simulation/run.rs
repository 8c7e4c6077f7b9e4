//! One seed, one run: people work on their phones and in the office while the network, the machines and the server fail
//! them; then calm, and the verdict.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;
use schema::ids::{LogId, OpId};
use schema::op::Role;
use schema::record::{Outcome, OutcomeLine, Record};
use schema::sync::Durability;
use server::demo::city::DemoAccount;
use sync_core::area::AreaIndex;
use sync_core::device::answers::Pull;
use sync_core::device::capture::Draft;
use sync_core::device::requests::Request;
use tests::dice::Dice;
use tests::world::{Plan, Saved, World};

use crate::breaks::Break;
use crate::deeds::{self, Hand};
use crate::{leaks, network, office, verdict};

const STEPS: usize = 170;
/// Rounds of undisturbed syncing after which every queue must be empty.
const CALM_ROUNDS: usize = 12;
const DAY_MS: i64 = 86_400_000;

/// What broke, by the invariants' names, each with the first example.
pub(crate) type Broken = BTreeMap<&'static str, String>;

/// What is known of an op's outcome.
struct Told {
    rev: u64,
    line: String,
}

pub(crate) struct Run {
    pub(crate) world: World,
    pub(crate) dice: Dice,
    pub(crate) seed: u64,
    /// The areas in force.
    pub(crate) areas: AreaIndex,
    pub(crate) redrawn: u32,
    /// Answers that are still on their way.
    late: Vec<(usize, LogId, Request, Vec<u8>)>,
    /// The first outcome of each op.
    told: BTreeMap<(LogId, OpId), Told>,
    /// Ops that were refused or parked once, before a restore perhaps: they need not be on a screen.
    pub(crate) refused: BTreeSet<(LogId, OpId)>,
    /// What each person may do, as they began.
    roles: Vec<Vec<Role>>,
    /// The supervisor who stays, and decides what is parked.
    pub(crate) keeper: usize,
    /// Somebody lost a role or a unit: what they captured by it may be parked.
    pub(crate) unsettled: bool,
    /// Whose phone was shut out.
    pub(crate) revoked: Option<usize>,
    durability: Durability,
    saved: Option<Saved>,
    /// The rule that is broken in this run.
    fault: Option<&'static Break>,
    broken: Broken,
}

/// Runs a seed to its end; the world is as it is then.
pub(crate) fn play(seed: u64, database: Option<&str>, fault: Option<&'static Break>) -> Result<Run> {
    let mut run = Run::begin(seed, database, fault)?;
    for _ in 0..STEPS {
        run.step()?;
    }
    run.calm()?;
    run.world.forget_saved()?;
    Ok(run)
}

/// Runs a seed; returns what broke.
pub(crate) fn run(seed: u64, database: Option<&str>, fault: Option<&'static Break>) -> Result<Broken> {
    let mut run = play(seed, database, fault)?;
    verdict::verdict(&mut run)?;
    Ok(run.broken)
}

impl Run {
    fn begin(seed: u64, database: Option<&str>, fault: Option<&'static Break>) -> Result<Self> {
        let mut dice = Dice::new(seed);
        let logs = if dice.percent(25) { 2 } else { 1 };
        let durability = if dice.percent(60) { Durability::Backup } else { Durability::Local };
        let mut world = World::new(&Plan {
            seed,
            database: database.map(str::to_owned),
            logs,
            durability,
            pages: fault.is_none(),
        })?;
        let people = people(&world, &mut dice);
        let mut roles = Vec::new();
        for (place, account) in people.iter().enumerate() {
            // The crew's phone now and then is the second inspector's as well: one machine, a queue each.
            let shared_with = (place == people.len() - 1 && dice.percent(40)).then_some(1);
            let handset = world.enrol(account, shared_with)?;
            if let Some(fault) = fault {
                world.handsets[handset].execute(fault.on_phones)?;
            }
            roles.push(account.grants.iter().map(|grant| grant.role).collect());
        }
        if let Some(fault) = fault.filter(|fault| !fault.on_server.is_empty()) {
            world.execute(fault.on_server)?;
        }
        let mut run = Self {
            areas: AreaIndex::new(&world.city.areas)?,
            world,
            dice,
            seed,
            redrawn: 0,
            late: Vec::new(),
            told: BTreeMap::new(),
            refused: BTreeSet::new(),
            roles,
            keeper: 2,
            unsettled: false,
            revoked: None,
            durability,
            saved: None,
            fault,
            broken: Broken::new(),
        };
        for handset in 0..run.world.handsets.len() {
            for log in run.world.districts.clone() {
                for _ in 0..4 {
                    run.sync(handset, log, false)?;
                }
            }
        }
        Ok(run)
    }

    /// Notes that an invariant broke.
    pub(crate) fn breaks(&mut self, invariant: &'static str, how: String) {
        self.broken.entry(invariant).or_insert(how);
    }

    fn step(&mut self) -> Result<()> {
        let pause = u64::try_from(self.dice.below(120_000)).unwrap_or(0);
        self.world.clock.set(self.world.clock.now_ms() + pause);
        let handset = self.dice.below(self.world.handsets.len());
        let log = self.world.districts[self.dice.below(self.world.districts.len())];
        match self.dice.below(100) {
            0..36 => self.work(handset, log)?,
            36..68 => self.sync(handset, log, true)?,
            68..78 => self.send_photos(handset, true)?,
            78..83 => self.deliver_late()?,
            83..86 => self.world.kill(handset)?,
            86..88 => self.world.reboot(handset)?,
            88 => {
                let days = i64::try_from(self.dice.below(7300)).unwrap_or(0) - 3650;
                self.world.set_wrong_by(handset, days * DAY_MS);
            }
            89 => self.world.restart_server()?,
            90 => self.world.sweep()?,
            91..94 => office::day(self, log)?,
            94..96 if self.durability == Durability::Backup => self.saved = Some(self.world.save()?),
            96 => self.restore_server()?,
            97 => self.world.handsets[handset].copy()?,
            98 => self.restore_phone(handset)?,
            _ => self.send_photos(handset, false)?,
        }
        verdict::nothing_vanished(self, handset)
    }

    fn work(&mut self, handset: usize, log: LogId) -> Result<()> {
        let cases = self.world.handsets[handset].cases(log)?;
        let hand = Hand::new(&self.world, &mut self.dice, self.seed);
        if let Some(deed) = deeds::deed(hand, &self.roles[handset], &cases) {
            let draft = Draft { log, entity: deed.case, body: deed.body, values: deed.values };
            self.world.handsets[handset].capture(draft, &deed.photos)?;
        }
        Ok(())
    }

    fn sync(&mut self, handset: usize, log: LogId, faulty: bool) -> Result<()> {
        let ops_max = if faulty { [1, 3, 200][self.dice.below(3)] } else { 200 };
        let now = self.world.handsets[handset].now();
        let mut request = self.world.handsets[handset].next_request(log, ops_max, now)?;
        if faulty && self.dice.percent(40) {
            network::ask_for_a_small_page(&mut request, 1 + self.dice.below(8))?;
        }
        if faulty && self.dice.percent(15) {
            return Ok(());
        }
        let mut answer = self.exchange(handset, log, &request)?;
        if faulty && self.dice.percent(12) {
            answer = self.exchange(handset, log, &request)?;
        }
        if faulty && self.dice.percent(15) {
            return Ok(());
        }
        if faulty && self.dice.percent(10) {
            self.late.push((handset, log, request, answer));
            return Ok(());
        }
        if faulty && self.dice.percent(8) {
            return network::cut(self, handset, log, &request, &answer);
        }
        self.take(handset, log, &request, &answer)
    }

    /// To the server and back; the same op must have the same outcome, byte for byte, whenever it is told.
    fn exchange(&mut self, handset: usize, log: LogId, request: &Request) -> Result<Vec<u8>> {
        let answer = String::from_utf8(self.world.exchange(handset, request.body.clone())?)?;
        leaks::nothing_leaks(self, handset, log, &answer)?;
        for line in answer.lines().filter(|line| line.starts_with("{\"outcome\"")) {
            let parsed: serde_json::Value = serde_json::from_str(line)?;
            let outcome: OutcomeLine = serde_json::from_value(parsed["outcome"].clone())?;
            let record: Record = serde_json::from_str(&outcome.record)?;
            if matches!(record.outcome, Outcome::Rejected | Outcome::Parked) {
                self.refused.insert((log, outcome.op));
            }
            let told = Told { rev: outcome.rev, line: line.to_owned() };
            let first = self.told.entry((log, outcome.op)).or_insert(told);
            if first.line != line {
                let difference = format!("{} then {line}", first.line);
                self.breaks("INV-SAME-VERDICT", difference);
            }
        }
        let answer = match self.fault {
            Some(fault) => network::mangled(fault, &answer)?,
            None => answer,
        };
        Ok(answer.into_bytes())
    }

    fn take(&mut self, handset: usize, log: LogId, request: &Request, answer: &[u8]) -> Result<()> {
        let now = self.world.handsets[handset].now();
        let progress = self.world.handsets[handset].phone().take_answer(request, answer, now)?;
        if matches!(progress.pull, Pull::Forked | Pull::Unsigned) {
            self.breaks("INV-MERKLE-APPEND", format!("{:?}", progress.pull));
        }
        for (of, sha256) in self.world.handsets[handset].phone().documents_to_fetch()? {
            if of != log || self.revoked == Some(handset) {
                continue;
            }
            // A document that a restore took away is asked for until the phone knows of the new epoch.
            if let Some(bytes) = self.world.document(log, sha256)? {
                self.world.handsets[handset].phone().take_document(sha256, &bytes, now)?;
            }
        }
        Ok(())
    }

    fn deliver_late(&mut self) -> Result<()> {
        if self.late.is_empty() {
            return Ok(());
        }
        let index = self.dice.below(self.late.len());
        let (handset, log, request, answer) = self.late.swap_remove(index);
        let Some(fault) = self.fault.filter(|fault| fault.late_pages_overwrite) else {
            return self.take(handset, log, &request, &answer);
        };
        self.world.handsets[handset].execute(fault.before_late())?;
        let taken = self.take(handset, log, &request, &answer);
        self.world.handsets[handset].execute(fault.after_late())?;
        taken
    }

    fn send_photos(&mut self, handset: usize, faulty: bool) -> Result<()> {
        for photo in self.world.handsets[handset].phone().photos_to_offer()? {
            if faulty && self.dice.percent(40) {
                continue;
            }
            if !self.world.handsets[handset].photo_path(&photo.sha256).exists() {
                self.breaks("INV-PHOTO-CUSTODY", format!("{} is gone", photo.sha256));
                continue;
            }
            let most = (faulty && self.dice.percent(40)).then(|| self.dice.below(60));
            let state = self.world.upload(handset, &photo, most)?;
            let whole = state == schema::photo::PhotoState::Verified;
            if whole && !(faulty && self.dice.percent(30)) {
                self.world.look_at(photo.sha256, photo.size)?;
            }
            if !(faulty && self.dice.percent(30)) {
                self.world.handsets[handset].phone().photo_answer(photo.sha256, state)?;
            }
        }
        self.world.handsets[handset].free_photos()?;
        Ok(())
    }

    fn restore_server(&mut self) -> Result<()> {
        let Some(saved) = self.saved.clone().filter(|_| self.dice.percent(60)) else { return Ok(()) };
        self.world.restore(&saved)?;
        self.areas = AreaIndex::new(&self.world.city.areas)?;
        // What comes again is decided again.
        self.told.retain(|(log, _), told| saved.revs.get(log).is_some_and(|kept| told.rev <= *kept));
        Ok(())
    }

    fn restore_phone(&mut self, handset: usize) -> Result<()> {
        if self.world.handsets[handset].restore_copy()? {
            // Answers to the requests of its other life have no connection to come by.
            self.late.retain(|(asked_by, ..)| *asked_by != handset);
        }
        Ok(())
    }

    fn calm(&mut self) -> Result<()> {
        for round in 0..CALM_ROUNDS {
            for handset in 0..self.world.handsets.len() {
                for log in self.world.districts.clone() {
                    self.sync(handset, log, false)?;
                }
                self.send_photos(handset, false)?;
            }
            self.world.sweep()?;
            if round == CALM_ROUNDS / 2 && self.durability == Durability::Backup {
                self.world.save()?;
            }
        }
        Ok(())
    }
}

/// A handful of people who meet at the same cases: two inspectors of one subdistrict, two supervisors over them, crews.
fn people(world: &World, dice: &mut Dice) -> Vec<DemoAccount> {
    let of = |role: Role| -> Vec<DemoAccount> {
        let has = |account: &&DemoAccount| account.grants.iter().any(|grant| grant.role == role);
        world.city.accounts.iter().filter(has).cloned().collect()
    };
    let (inspectors, crews, supervisors) = (of(Role::Inspector), of(Role::Crew), of(Role::Supervisor));
    let first = dice.below(inspectors.len());
    let mut people = vec![inspectors[first].clone(), inspectors[(first + 1) % inspectors.len()].clone()];
    people.extend(supervisors.iter().take(2).cloned());
    people.push(crews[dice.below(crews.len())].clone());
    people
}
