//! The invariants, by their names.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;
use schema::entity::Entity;
use schema::hash::Hash;
use schema::ids::{DeviceId, EntityId, LogId, OpId};
use schema::record::{Outcome, Record};
use sync_core::log::tree::Frontier;
use tests::world::Made;

use crate::run::Run;

/// INV-NO-FLICKER: what somebody reported on this phone stays on its screen unless it was rejected or waits in custody,
/// with the photos that were reported. INV-EXACTLY-ONCE: an own remark or photo is shown once.
pub(crate) fn nothing_vanished(run: &mut Run, handset: usize) -> Result<()> {
    if run.revoked == Some(handset) {
        return Ok(());
    }
    for log in run.world.districts.clone() {
        // While a log is pulled anew what is shown is not all of it, and the phone says so.
        if !run.world.handsets[handset].phone().log(log)?.pulled {
            continue;
        }
        let stands = |made: &&Made| made.log == log && made.known && !run.refused.contains(&(log, made.op));
        let made: Vec<Made> = run.world.handsets[handset].made.iter().filter(stands).cloned().collect();
        for made in made {
            let reported = made.kind == "report" || made.kind == "settle_on_site";
            if !reported && made.kind != "comment" {
                continue;
            }
            let shown = run.world.handsets[handset].phone().view(log, made.entity)?;
            match shown.map(|shown| shown.entity) {
                None if reported => {
                    run.breaks("INV-NO-FLICKER", format!("the {} {} is not on the screen", made.kind, made.op));
                }
                Some(Entity::Case(case)) => {
                    if reported && case.reporter.op != made.op {
                        run.breaks("INV-NO-FLICKER", format!("{} has another reporter than {}", made.entity, made.op));
                    }
                    let shows = |photo: &&Hash| !case.evidence.iter().any(|item| item.sha256 == **photo);
                    if let Some(photo) = made.photos.iter().find(shows).filter(|_| reported) {
                        run.breaks("INV-NO-FLICKER", format!("{} does not show {photo}", made.entity));
                    }
                    if case.comments.iter().filter(|remark| remark.by.op == made.op).count() > 1 {
                        run.breaks("INV-EXACTLY-ONCE", format!("the remark {} is shown twice", made.op));
                    }
                }
                _ => {}
            }
        }
    }
    Ok(())
}

/// What must hold when everything is calm.
pub(crate) fn verdict(run: &mut Run) -> Result<()> {
    for log in run.world.districts.clone() {
        log_is_whole(run, log)?;
        phones_agree(run, log)?;
        photos_are_kept(run, log)?;
        // Every fourth world is made again from its log: it takes as long as the run itself.
        let differences = if run.dice.percent(25) { run.world.rebuild(log)? } else { Vec::new() };
        if !differences.is_empty() {
            run.breaks("INV-REPLAY", format!("{differences:?}"));
        }
    }
    phones_are_empty(run)
}

fn log_is_whole(run: &mut Run, log: LogId) -> Result<()> {
    let entries = run.world.entries(log)?;
    let mut expected_rev = 0;
    let mut last_received_ms = 0;
    let mut last_seq: BTreeMap<(DeviceId, u64), u64> = BTreeMap::new();
    let mut last_leaf: BTreeMap<EntityId, Hash> = BTreeMap::new();
    let mut ops = BTreeSet::new();
    let mut frontier = Frontier::default();
    for entry in &entries {
        expected_rev += 1;
        if entry.rev != expected_rev {
            run.breaks("INV-SEQ-GAPLESS", format!("{} where {expected_rev} should be", entry.rev));
        }
        if entry.received_ms < last_received_ms {
            run.breaks("receipt times", format!("they run backwards at {}", entry.rev));
        }
        last_received_ms = entry.received_ms;
        if !ops.insert(entry.op) {
            run.breaks("INV-EXACTLY-ONCE", entry.op.to_string());
        }
        if entry.device_seq > 0 {
            let before = last_seq.insert((entry.device, entry.incarnation), entry.device_seq);
            if before.is_some_and(|before| before >= entry.device_seq) {
                run.breaks("INV-DEVICE-ORDER", entry.op.to_string());
            }
        }
        let before = last_leaf.insert(entry.entity, entry.leaf).unwrap_or(Hash::ZERO);
        if before != entry.prev_leaf {
            run.breaks("INV-CASE-CHAIN", format!("{} at {}", entry.entity, entry.rev));
        }
        frontier.push(entry.leaf);
        let record: Record = serde_json::from_str(&entry.record)?;
        if record.outcome == Outcome::Parked && !run.unsettled && run.revoked.is_none() {
            run.breaks("nobody here should be parked", format!("{} {}", entry.kind, entry.record));
        }
    }
    if frontier.root() != run.world.root(log)? {
        run.breaks("INV-MERKLE-APPEND", "the head is not the tree of the leaves".to_owned());
    }
    for handset in 0..run.world.handsets.len() {
        let made = &run.world.handsets[handset].made;
        let is_lost = |made: &&Made| made.log == log && !ops.contains(&made.op);
        let lost: Vec<(OpId, String)> = made.iter().filter(is_lost).map(|it| (it.op, it.kind.clone())).collect();
        if !lost.is_empty() {
            run.breaks("INV-NO-LOSS", format!("{lost:?}"));
        }
    }
    Ok(())
}

fn phones_are_empty(run: &mut Run) -> Result<()> {
    for place in 0..run.world.handsets.len() {
        let handset = &mut run.world.handsets[place];
        let login = handset.account.login.clone();
        let status = handset.phone().status()?;
        let attention = handset.phone().attention()?;
        // A phone that is shut out delivers, and learns nothing more.
        let received = if run.revoked == Some(place) { 0 } else { status.received };
        if status.on_this_phone + received > 0 {
            let here = status.on_this_phone;
            run.breaks("INV-QUEUE-DRAINS", format!("{login} has {here} unsent and {received} not caught up with"));
        }
        let alarms: Vec<_> = attention
            .into_iter()
            .map(|item| item.trouble.name())
            .filter(|name| ["fork", "unsigned", "receipt", "bad_signature", "photo_gone"].contains(name))
            .collect();
        if !alarms.is_empty() {
            run.breaks("false alarms", format!("{login}: {alarms:?}"));
        }
    }
    Ok(())
}

/// INV-CONVERGE and INV-SCOPE-LEAK: a phone holds exactly what lies in its scopes, byte for byte.
fn phones_agree(run: &mut Run, log: LogId) -> Result<()> {
    for index in (0..run.world.handsets.len()).filter(|index| run.revoked != Some(*index)).collect::<Vec<_>>() {
        let account = run.world.handsets[index].account.clone();
        let owed = run.world.owed(log, &account)?;
        let held = run.world.handsets[index].phone().base_documents(log)?;
        for row in &owed {
            if !held.contains(row) {
                run.breaks("INV-CONVERGE", format!("{} lacks {} at {}", account.login, row.0, row.1));
            }
        }
        for (id, rev, _) in held.iter().filter(|row| !owed.iter().any(|(id, ..)| *id == row.0)) {
            run.breaks("INV-SCOPE-LEAK", format!("{} holds {id} at {rev}", account.login));
        }
    }
    Ok(())
}

/// INV-PHOTO-CUSTODY: every photo that a case names is at the server, unless the phone that had it is lost.
fn photos_are_kept(run: &mut Run, log: LogId) -> Result<()> {
    let phones = run.world.handsets.iter().enumerate().filter(|(place, _)| run.revoked != Some(*place));
    // A phone that came back from an older copy may have lost photos of ops that were durable already.
    let known = phones.flat_map(|(_, handset)| handset.made.iter().filter(|made| made.known));
    let kept: BTreeSet<Hash> = known.flat_map(|made| made.photos.clone()).collect();
    for (_, _, document) in run.world.entities(log)? {
        if let Entity::Case(case) = serde_json::from_str(&document)? {
            let owed = |sha256: &Hash| kept.contains(sha256);
            let missing = case.evidence.iter().filter(|item| item.verified_rev.is_none() && owed(&item.sha256)).count();
            if missing > 0 {
                run.breaks("INV-PHOTO-CUSTODY", format!("{missing} of {} never came", case.short_code));
            }
        }
    }
    Ok(())
}
