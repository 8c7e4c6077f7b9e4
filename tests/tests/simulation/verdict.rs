//! The invariants, by their names.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;
use schema::entity::Entity;
use schema::hash::Hash;
use schema::ids::{DeviceId, EntityId};
use schema::record::{Outcome, Record};
use sync_core::log::tree::Frontier;

use crate::run::{Run, entered};

/// INV-NO-FLICKER: what somebody reported on this phone stays on its screen unless it was rejected, with the photos
/// that were reported.
pub(crate) fn nothing_vanished(run: &mut Run, handset: usize) -> Result<()> {
    let log = run.world.log;
    let made = run.world.handsets[handset].made.clone();
    for (op, entity, kind) in made.iter().filter(|(_, _, kind)| kind == "report" || kind == "settle_on_site") {
        let shown = run.world.handsets[handset].phone().view(log, *entity)?;
        let Some(shown) = shown else {
            run.broken.insert(format!("INV-NO-FLICKER: the {kind} {op} is not on the screen"));
            continue;
        };
        if let Entity::Case(case) = shown.entity
            && case.reporter.op != *op
        {
            run.broken.insert(format!("INV-NO-FLICKER: {entity} has another reporter than {op}"));
        }
    }
    Ok(())
}

/// What must hold when everything is calm.
pub(crate) fn verdict(run: &mut Run) -> Result<()> {
    log_is_whole(run)?;
    phones_are_empty(run)?;
    phones_agree(run)?;
    photos_are_kept(run)?;
    // Every fourth world is made again from its log: it takes as long as the run itself.
    let differences = if run.dice.percent(25) { run.world.rebuild()? } else { Vec::new() };
    if !differences.is_empty() {
        run.broken.insert(format!("INV-REPLAY: {differences:?}"));
    }
    Ok(())
}

fn log_is_whole(run: &mut Run) -> Result<()> {
    let entries = run.world.entries()?;
    let mut expected_rev = 0;
    let mut last_received_ms = 0;
    let mut last_seq: BTreeMap<(DeviceId, u64), u64> = BTreeMap::new();
    let mut last_leaf: BTreeMap<EntityId, Hash> = BTreeMap::new();
    let mut ops = BTreeSet::new();
    let mut frontier = Frontier::default();
    for entry in &entries {
        expected_rev += 1;
        if entry.rev != expected_rev {
            run.broken.insert(format!("INV-SEQ-GAPLESS: {} where {expected_rev} should be", entry.rev));
        }
        if entry.received_ms < last_received_ms {
            run.broken.insert("receipt times run backwards".to_owned());
        }
        last_received_ms = entry.received_ms;
        if !ops.insert(entry.op) {
            run.broken.insert(format!("INV-EXACTLY-ONCE: {}", entry.op));
        }
        if entry.device_seq > 0 {
            let before = last_seq.insert((entry.device, entry.incarnation), entry.device_seq);
            if before.is_some_and(|before| before >= entry.device_seq) {
                run.broken.insert(format!("INV-DEVICE-ORDER: {}", entry.op));
            }
        }
        let before = last_leaf.insert(entry.entity, entry.leaf).unwrap_or(Hash::ZERO);
        if before != entry.prev_leaf {
            run.broken.insert(format!("INV-CASE-CHAIN: {} at {}", entry.entity, entry.rev));
        }
        frontier.push(entry.leaf);
    }
    if frontier.root() != run.world.root()? {
        run.broken.insert("INV-MERKLE-APPEND: the head is not the tree of the leaves".to_owned());
    }
    Ok(())
}

fn phones_are_empty(run: &mut Run) -> Result<()> {
    let entered = entered(run)?;
    for handset in &mut run.world.handsets {
        let lost: Vec<_> = handset.made.iter().filter(|(op, ..)| !entered.contains_key(op)).cloned().collect();
        if !lost.is_empty() {
            run.broken.insert(format!("INV-NO-LOSS: {lost:?}"));
        }
        let status = handset.phone().status()?;
        if status.on_this_phone + status.received > 0 {
            let (here, received) = (status.on_this_phone, status.received);
            let login = handset.account.login.clone();
            run.broken.insert(format!("INV-QUEUE-DRAINS: {login} has {here} unsent and {received} not caught up with"));
        }
        let alarms: Vec<_> = handset
            .phone()
            .attention()?
            .into_iter()
            .map(|item| item.trouble.name())
            .filter(|name| ["fork", "unsigned", "receipt", "bad_signature", "copied"].contains(name))
            .collect();
        if !alarms.is_empty() {
            run.broken.insert(format!("false alarms: {alarms:?}"));
        }
    }
    Ok(())
}

/// INV-CONVERGE and INV-SCOPE-LEAK: a phone holds exactly what lies in its scopes, byte for byte.
fn phones_agree(run: &mut Run) -> Result<()> {
    for index in 0..run.world.handsets.len() {
        let account = run.world.handsets[index].account.clone();
        let owed = run.world.owed(&account)?;
        let log = run.world.log;
        let held = run.world.handsets[index].phone().base_documents(log)?;
        for row in &owed {
            if !held.contains(row) {
                run.broken.insert(format!("INV-CONVERGE: {} lacks {} at {}", account.login, row.0, row.1));
            }
        }
        for (id, rev, _) in held.iter().filter(|row| !owed.iter().any(|(id, ..)| *id == row.0)) {
            run.broken.insert(format!("INV-SCOPE-LEAK: {} holds {id} at {rev}", account.login));
        }
    }
    Ok(())
}

/// INV-PHOTO-CUSTODY: every photo that an accepted op named is at the server.
fn photos_are_kept(run: &mut Run) -> Result<()> {
    for (_, _, document) in run.world.entities()? {
        if let Entity::Case(case) = serde_json::from_str(&document)? {
            let missing = case.evidence.iter().filter(|item| item.verified_rev.is_none()).count();
            if missing > 0 {
                run.broken.insert(format!("INV-PHOTO-CUSTODY: {missing} of {} never came", case.short_code));
            }
        }
    }
    for entry in run.world.entries()? {
        let record: Record = serde_json::from_str(&entry.record)?;
        if record.outcome == Outcome::Parked {
            run.broken.insert(format!("nobody here should be parked: {} {}", entry.kind, entry.record));
        }
    }
    Ok(())
}
