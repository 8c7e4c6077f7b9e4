//! One seed, one run: some two hundred steps of trouble, then calm, then the verdict.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;
use schema::ids::OpId;
use schema::op::Role;
use server::demo::city::DemoAccount;
use sync_core::device::answers::Pull;
use sync_core::device::requests::Request;
use tests::dice::Dice;
use tests::world::World;

use crate::{deeds, verdict};

const STEPS: usize = 160;
/// Rounds of undisturbed syncing after which every queue must be empty.
const CALM_ROUNDS: usize = 12;
const DAY_MS: i64 = 86_400_000;

pub(crate) struct Run {
    pub(crate) world: World,
    pub(crate) dice: Dice,
    /// Answers that are still on their way.
    late: Vec<(usize, Request, Vec<u8>)>,
    /// The first outcome line of each op.
    first_outcome: BTreeMap<String, String>,
    /// What each person may do.
    roles: Vec<Vec<Role>>,
    pub(crate) broken: BTreeSet<String>,
}

/// Runs a seed; returns what broke.
pub(crate) fn run(seed: u64) -> Result<BTreeSet<String>> {
    let mut run = Run::begin(seed)?;
    for _ in 0..STEPS {
        run.step()?;
    }
    run.calm()?;
    verdict::verdict(&mut run)?;
    Ok(run.broken)
}

/// The log that a seed makes, as one text.
pub(crate) fn log_of(seed: u64) -> Result<String> {
    let mut run = Run::begin(seed)?;
    for _ in 0..STEPS {
        run.step()?;
    }
    run.calm()?;
    let entries = run.world.entries()?;
    Ok(entries.iter().map(|entry| format!("{} {} {}\n", entry.rev, entry.leaf, entry.record)).collect())
}

impl Run {
    fn begin(seed: u64) -> Result<Self> {
        let mut dice = Dice::new(seed);
        let mut world = World::new(seed % 5)?;
        let people = people(&world, &mut dice);
        let mut roles = Vec::new();
        for account in &people {
            world.enrol(account)?;
            roles.push(account.grants.iter().map(|grant| grant.role).collect());
        }
        let first_outcome = BTreeMap::new();
        let mut run = Self { world, dice, late: Vec::new(), first_outcome, roles, broken: BTreeSet::new() };
        for handset in 0..run.world.handsets.len() {
            for _ in 0..4 {
                run.sync(handset, false)?;
            }
        }
        Ok(run)
    }

    fn step(&mut self) -> Result<()> {
        let pause = u64::try_from(self.dice.below(120_000)).unwrap_or(0);
        self.world.clock.set(self.world.clock.now_ms() + pause);
        let handset = self.dice.below(self.world.handsets.len());
        match self.dice.below(100) {
            0..40 => self.work(handset)?,
            40..78 => self.sync(handset, true)?,
            78..84 => self.send_photos(handset, true)?,
            84..90 => self.deliver_late()?,
            90..93 => self.world.handsets[handset].kill()?,
            93..95 => self.world.handsets[handset].reboot()?,
            95..97 => {
                let days = i64::try_from(self.dice.below(7300)).unwrap_or(0) - 3650;
                self.world.handsets[handset].set_wrong_by(days * DAY_MS);
            }
            97 => self.world.restart_server()?,
            _ => self.send_photos(handset, false)?,
        }
        verdict::nothing_vanished(self, handset)
    }

    fn work(&mut self, handset: usize) -> Result<()> {
        let log = self.world.log;
        let cases = self.world.handsets[handset].cases(log)?;
        let roles = self.roles[handset].clone();
        if let Some((case, body, photos)) = deeds::deed(&self.world, &mut self.dice, &roles, &cases) {
            self.world.handsets[handset].capture(log, case, body, &photos)?;
        }
        Ok(())
    }

    fn sync(&mut self, handset: usize, faulty: bool) -> Result<()> {
        let log = self.world.log;
        let ops_max = if faulty { [1, 3, 200][self.dice.below(3)] } else { 200 };
        let now = self.world.handsets[handset].now();
        let request = self.world.handsets[handset].phone().next_request(log, ops_max, now)?;
        if faulty && self.dice.percent(15) {
            return Ok(());
        }
        let mut answer = self.exchange(handset, &request)?;
        if faulty && self.dice.percent(12) {
            answer = self.exchange(handset, &request)?;
        }
        if faulty && self.dice.percent(15) {
            return Ok(());
        }
        if faulty && self.dice.percent(10) {
            self.late.push((handset, request, answer));
            return Ok(());
        }
        if faulty && self.dice.percent(8) {
            // Without its last newline an answer is still whole.
            let cut = &answer[..self.dice.below(answer.len() - 1)];
            let before = self.world.handsets[handset].phone().base_documents(log)?;
            if self.world.handsets[handset].phone().take_answer(&request, cut, now).is_ok() {
                self.broken.insert("INV-CRASH-ATOMIC: an answer that was cut was taken".to_owned());
            }
            if self.world.handsets[handset].phone().base_documents(log)? != before {
                self.broken.insert("INV-CRASH-ATOMIC: an answer that was cut left something".to_owned());
            }
            return Ok(());
        }
        self.take(handset, &request, &answer)
    }

    /// To the server and back; the same op must have the same outcome, byte for byte, whenever it is told.
    fn exchange(&mut self, handset: usize, request: &Request) -> Result<Vec<u8>> {
        let answer = self.world.exchange(handset, request.body.clone())?;
        for line in String::from_utf8(answer.clone())?.lines().filter(|line| line.starts_with("{\"outcome\"")) {
            let parsed: serde_json::Value = serde_json::from_str(line)?;
            let op = parsed["outcome"]["op"].as_str().unwrap_or_default().to_owned();
            let first = self.first_outcome.entry(op).or_insert_with(|| line.to_owned());
            if first != line {
                self.broken.insert(format!("INV-SAME-VERDICT: {first} then {line}"));
            }
        }
        Ok(answer)
    }

    fn take(&mut self, handset: usize, request: &Request, answer: &[u8]) -> Result<()> {
        let now = self.world.handsets[handset].now();
        let progress = self.world.handsets[handset].phone().take_answer(request, answer, now)?;
        if matches!(progress.pull, Pull::Forked | Pull::Unsigned) {
            self.broken.insert(format!("INV-MERKLE-APPEND: {:?}", progress.pull));
        }
        for (_, sha256) in self.world.handsets[handset].phone().documents_to_fetch()? {
            let bytes = self.world.document(sha256)?;
            self.world.handsets[handset].phone().take_document(sha256, &bytes, now)?;
        }
        Ok(())
    }

    fn deliver_late(&mut self) -> Result<()> {
        if self.late.is_empty() {
            return Ok(());
        }
        let index = self.dice.below(self.late.len());
        let (handset, request, answer) = self.late.swap_remove(index);
        self.take(handset, &request, &answer)
    }

    fn send_photos(&mut self, handset: usize, faulty: bool) -> Result<()> {
        for photo in self.world.handsets[handset].phone().photos_to_offer()? {
            if faulty && self.dice.percent(50) {
                continue;
            }
            if !photo.path.exists() {
                self.broken.insert(format!("INV-PHOTO-CUSTODY: {} is gone", photo.sha256));
            }
            self.world.photo_arrives(photo.sha256, photo.size)?;
            if !(faulty && self.dice.percent(30)) {
                let verified = schema::photo::PhotoState::Verified;
                self.world.handsets[handset].phone().photo_answer(photo.sha256, verified)?;
            }
        }
        self.world.handsets[handset].phone().free_photos()?;
        Ok(())
    }

    fn calm(&mut self) -> Result<()> {
        for _ in 0..CALM_ROUNDS {
            for handset in 0..self.world.handsets.len() {
                self.sync(handset, false)?;
                self.send_photos(handset, false)?;
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

/// Ops that are in the log.
pub(crate) fn entered(run: &Run) -> Result<BTreeMap<OpId, u64>> {
    Ok(run.world.entries()?.into_iter().map(|entry| (entry.op, entry.rev)).collect())
}
