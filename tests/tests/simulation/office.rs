//! What the office does while phones are out: areas are redrawn, roles are given and taken away, a phone is lost, people
//! change units, and what waits in custody is decided.

use anyhow::{Context, Result};
use schema::area::Level;
use schema::entity::Entity;
use schema::ids::{AreaId, EntityId, GrantId, LogId};
use schema::op::{Body, Grant, Parked, Reason, RevokeGrant, Role, SealedValue, SetMembership};
use server::store::StoreError;
use sync_core::area::AreaIndex;
use sync_core::device::capture::Draft;
use tests::world::World;
use uuid::Uuid;

use crate::run::Run;

/// A day in the office of a district.
pub(crate) fn day(run: &mut Run, log: LogId) -> Result<()> {
    match run.dice.below(100) {
        0..25 => redraw(run),
        25..50 => give_a_role(run, log),
        50..70 => take_a_role(run, log),
        70..85 => change_a_unit(run, log),
        85..90 => lose_a_phone(run),
        _ => decide_what_is_parked(run, log),
    }
}

/// Two grids change places: every case in them changes its grid.
fn redraw(run: &mut Run) -> Result<()> {
    let tree = &mut run.world.city.areas;
    let grids: Vec<usize> = (0..tree.areas.len()).filter(|&n| tree.areas[n].level == Level::Grid).collect();
    let one = grids[run.dice.below(grids.len())];
    let siblings: Vec<usize> =
        grids.into_iter().filter(|&n| n != one && tree.areas[n].parent == tree.areas[one].parent).collect();
    if siblings.is_empty() {
        return Ok(());
    }
    let other = siblings[run.dice.below(siblings.len())];
    let boundary = std::mem::take(&mut tree.areas[one].boundary);
    tree.areas[one].boundary = std::mem::replace(&mut tree.areas[other].boundary, boundary);
    run.redrawn += 1;
    run.world.city.areas.version = format!("redrawn {}", run.redrawn);
    for log in run.world.districts.clone() {
        run.world.put_areas_in_force(log)?;
    }
    run.areas = AreaIndex::new(&run.world.city.areas)?;
    Ok(())
}

/// Somebody of the street gets one more grid, or a whole subdistrict to watch.
fn give_a_role(run: &mut Run, log: LogId) -> Result<()> {
    let person = run.dice.below(run.world.handsets.len());
    let role = if run.dice.percent(70) { Role::Inspector } else { Role::Auditor };
    let level = if role == Role::Inspector { Level::Grid } else { Level::Subdistrict };
    let areas: Vec<AreaId> =
        run.world.city.areas.areas.iter().filter(|area| area.level == level).map(|area| area.id).collect();
    let area = areas[run.dice.below(areas.len())];
    let grant = GrantId(Uuid::from_u128(u128::from(run.dice.throw())));
    let account = run.world.handsets[person].account.id;
    run.world.append(log, vec![(account.into(), Body::Grant(Grant { grant, role, area, until_ms: None }))]).map(drop)
}

/// Somebody loses one of the roles they have in a district: what they captured by it waits for a supervisor. One
/// supervisor stays.
fn take_a_role(run: &mut Run, log: LogId) -> Result<()> {
    let people: Vec<usize> = (0..run.world.handsets.len()).filter(|person| *person != run.keeper).collect();
    let person = people[run.dice.below(people.len())];
    let account = run.world.handsets[person].account.id;
    let Entity::Account(standing) = entity(&run.world, log, account.into())?.context("an account")? else {
        return Ok(());
    };
    if standing.grants.is_empty() {
        return Ok(());
    }
    let grant = standing.grants[run.dice.below(standing.grants.len())].grant;
    run.unsettled = true;
    run.world.append(log, vec![(account.into(), Body::RevokeGrant(RevokeGrant { grant }))]).map(drop)
}

fn change_a_unit(run: &mut Run, log: LogId) -> Result<()> {
    let person = run.dice.below(run.world.handsets.len());
    let account = run.world.handsets[person].account.id;
    let unit = run.world.city.units[run.dice.below(run.world.city.units.len())].id;
    let member = run.dice.percent(50);
    run.unsettled = true;
    run.world
        .append(log, vec![(account.into(), Body::SetMembership(SetMembership { unit, member, until_ms: None }))])
        .map(drop)
}

/// A lost phone is shut out, in every district: what it still delivers waits, and it gets nothing more.
fn lose_a_phone(run: &mut Run) -> Result<()> {
    if run.revoked.is_some() || run.dice.percent(50) {
        return Ok(());
    }
    let people: Vec<usize> = (0..run.world.handsets.len()).filter(|person| *person != run.keeper).collect();
    let person = people[run.dice.below(people.len())];
    run.revoked = Some(person);
    let device = run.world.handsets[person].device;
    for log in run.world.districts.clone() {
        let reason = seal(run, "lost");
        let body = Body::RevokeDevice(Reason { reason: schema::op::Sealed { sealed: reason.sealed } });
        run.world.append(log, vec![(device.into(), body)])?;
    }
    Ok(())
}

fn seal(run: &mut Run, text: &str) -> SealedValue {
    let mut salt = schema::hash::Salt([0; 16]);
    salt.0[..8].copy_from_slice(&run.dice.throw().to_be_bytes());
    SealedValue { sealed: sync_core::line::seal(&salt, text).sealed, salt, value: text.to_owned() }
}

/// A supervisor takes up what waits in custody, on the own phone.
fn decide_what_is_parked(run: &mut Run, log: LogId) -> Result<()> {
    let waiting = run.world.logs.store.read(|db| {
        let head = db.head(log)?.ok_or(StoreError::Damaged("no log"))?;
        db.parked_after(head.num, 0, 1_000)
    })?;
    let waiting: Vec<_> = waiting.into_iter().filter(|row| row.decided_rev.is_none() && !row.unreadable).collect();
    if waiting.is_empty() {
        return Ok(());
    }
    let row = &waiting[run.dice.below(waiting.len())];
    let reason = seal(run, "looked into");
    let ends = Parked { parked: row.op, reason: schema::op::Sealed { sealed: reason.sealed } };
    let body = if run.dice.percent(70) { Body::Release(ends) } else { Body::Discard(ends) };
    let draft = Draft { log, entity: Some(row.entity), body, values: vec![reason] };
    run.world.handsets[run.keeper].capture(draft, &[])
}

/// An entity as the server holds it.
pub(crate) fn entity(world: &World, log: LogId, id: EntityId) -> Result<Option<Entity>> {
    let stored = world.logs.store.read(|db| {
        let head = db.head(log)?.ok_or(StoreError::Damaged("no log"))?;
        db.entity(head.num, id)
    })?;
    let document = stored.and_then(|stored| stored.document);
    Ok(document.map(|document| serde_json::from_str(&document)).transpose()?)
}
