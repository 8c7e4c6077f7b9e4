//! INV-SCOPE-LEAK: no device ever receives a row or a value outside its scope at the time of the decision. Looked at in
//! every answer, right after it was written, by rules of its own: the server's are what is tested.

use anyhow::{Context, Result};
use schema::area::AreaTree;
use schema::case::Case;
use schema::entity::{Account, Entity};
use schema::ids::{AreaId, EntityId, LogId};
use schema::op::Role;
use serde_json::Value;

use crate::deeds::FOR_HANDLERS;
use crate::office::entity;
use crate::run::Run;

/// Looks at an answer that was written just now for a handset.
pub(crate) fn nothing_leaks(run: &mut Run, handset: usize, log: LogId, answer: &str) -> Result<()> {
    let (account, device) = (run.world.handsets[handset].account.clone(), run.world.handsets[handset].device);
    let Some(Entity::Account(standing)) = entity(&run.world, log, account.id.into())? else {
        anyhow::bail!("an account is no account")
    };
    let Some(Entity::Device(device)) = entity(&run.world, log, device.into())? else {
        anyhow::bail!("a device is no device")
    };
    let shut_out = device.revoked.is_some() || standing.disabled_rev.is_some();
    for line in answer.lines().filter(|line| line.starts_with("{\"entity\"") || line.starts_with("{\"value\"")) {
        let parsed: Value = serde_json::from_str(line)?;
        let row = if parsed["entity"].is_object() { &parsed["entity"] } else { &parsed["value"] };
        let id: EntityId =
            serde_json::from_value(if row["id"].is_string() { &row["id"] } else { &row["entity"] }.clone())?;
        let what = entity(&run.world, log, id)?.context("an entity that was sent")?;
        let sees = match &what {
            Entity::Case(case) => {
                is_for_handlers(&run.world.city.areas, &standing, case) || looks_on(run, &standing, case)
            }
            Entity::LookBackTask(task) => looks_back(run, &standing, task.area),
            Entity::Account(other) => knows(run, &standing, other),
            Entity::Device(device) => device.account == standing.id || has(&standing, Role::Admin),
            Entity::Unit(_)
            | Entity::Areas(_)
            | Entity::Catalogue(_)
            | Entity::Calendar(_)
            | Entity::Responsibilities(_)
            | Entity::Log(_) => true,
        };
        if shut_out || !sees {
            run.breaks("INV-SCOPE-LEAK", format!("{} got {line}", account.login));
        }
        let text = row["value"]["value"].as_str().unwrap_or_default();
        let handles = matches!(&what, Entity::Case(case) if is_for_handlers(&run.world.city.areas, &standing, case));
        if text.starts_with(FOR_HANDLERS) && !handles {
            run.breaks("INV-SCOPE-LEAK", format!("{} got the value {text} of {id}", account.login));
        }
    }
    Ok(())
}

fn has(account: &Account, role: Role) -> bool {
    account.grants.iter().any(|grant| grant.role == role)
}

/// Whether an area is another one or lies in it.
fn lies_in(tree: &AreaTree, area: AreaId, of: AreaId) -> bool {
    let parent = |id: AreaId| tree.areas.iter().find(|area| area.id == id).and_then(|area| area.parent);
    std::iter::successors(Some(area), |id| parent(*id)).any(|id| id == of)
}

/// Who may read what only handlers may: those over the area, those who must fix it, who made it.
fn is_for_handlers(tree: &AreaTree, account: &Account, case: &Case) -> bool {
    let over =
        |role: Role| account.grants.iter().any(|grant| grant.role == role && lies_in(tree, case.area, grant.area));
    let works = case.assignment.as_ref().is_some_and(|assignment| {
        account.units.contains(&assignment.unit) || assignment.co_units.iter().any(|unit| account.units.contains(unit))
    });
    over(Role::Supervisor) || over(Role::Auditor) || works || case.reporter.account == account.id
}

/// Who may know when somebody looks again at what was closed: those over the place who are of no unit.
fn looks_back(run: &Run, account: &Account, area: AreaId) -> bool {
    let on_the_ground = |role: Role| matches!(role, Role::Inspector | Role::Supervisor | Role::Auditor);
    let mut over = account.grants.iter().filter(|grant| on_the_ground(grant.role));
    account.units.is_empty() && over.any(|grant| lies_in(&run.world.city.areas, area, grant.area))
}

/// Who sees a case beside those: inspectors of its grid and of the grids that touch it, and who holds it.
fn looks_on(run: &Run, account: &Account, case: &Case) -> bool {
    let holds = case.assignment.as_ref().is_some_and(|assignment| assignment.holder == Some(account.id));
    holds || walks_near(run, account, case.area)
}

/// Whether an area is in the grid of an inspector, or one that touches it: the round does not end at the boundary.
fn walks_near(run: &Run, account: &Account, area: AreaId) -> bool {
    let mut grids = account.grants.iter().filter(|grant| grant.role == Role::Inspector).map(|grant| grant.area);
    grids.any(|grid| lies_in(&run.world.city.areas, area, grid) || run.areas.touching(grid).contains(&area))
}

/// Who sees an account: itself, an administrator, who works over an area that the account has a role in, or next to it.
fn knows(run: &Run, account: &Account, other: &Account) -> bool {
    let over = |area: AreaId| {
        let watches = |role: Role| matches!(role, Role::Supervisor | Role::Auditor);
        let mut watched = account.grants.iter().filter(|grant| watches(grant.role));
        watched.any(|grant| lies_in(&run.world.city.areas, area, grant.area)) || walks_near(run, account, area)
    };
    account.id == other.id || has(account, Role::Admin) || other.grants.iter().any(|grant| over(grant.area))
}
