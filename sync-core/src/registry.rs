//! Ops on everything that is not a case: the log, documents in force, units, accounts, devices.

pub(crate) mod absence;
mod people;

use schema::entity::{Account, Device, DocumentInForce, Entity, Log, Planned, Restored, Silence, SilenceDecided};
use schema::hash::Hash;
use schema::limits::TEXT_BYTES_MAX;
use schema::op::{
    AcknowledgeEpoch, Body, DecideSilence, EnrolDevice, ImportDocument, NoteSilence, PlanAreas, Role, StartEpoch,
};
use schema::record::RefusalCode;

use crate::case::Step;
use crate::line::singleton_id;
use crate::ruling::Ruling;

/// The kinds that make or change these entities.
pub(crate) fn rules_for(body: &Body) -> bool {
    matches!(
        body,
        Body::CreateLog(_)
            | Body::StartEpoch(_)
            | Body::AcknowledgeEpoch(_)
            | Body::NoteSilence(_)
            | Body::DecideSilence(_)
            | Body::ImportAreas(_)
            | Body::ImportCatalogue(_)
            | Body::ImportCalendar(_)
            | Body::ImportResponsibilities(_)
            | Body::PlanAreas(_)
            | Body::CancelAreas(_)
            | Body::SetUnit(_)
            | Body::SetAccount(_)
            | Body::Grant(_)
            | Body::RevokeGrant(_)
            | Body::SetMembership(_)
            | Body::SetAbsent(_)
            | Body::EndAbsence(_)
            | Body::StandIn(_)
            | Body::HandOver(_)
            | Body::MergeUnit(_)
            | Body::DisableAccount(_)
            | Body::EnrolDevice(_)
            | Body::RevokeDevice(_)
            | Body::Rescope(_)
    )
}

/// The first rules by which nobody alone makes auditors, administrators or phones: a server's op follows the decision of
/// two, or a one-time code.
const RULES_OF_TWO: u32 = 3;

fn takes_more_than_one(step: &Step<'_>) -> bool {
    let made_elsewhere = match step.body {
        Body::Grant(grant) => matches!(grant.role, Role::Admin | Role::Auditor),
        Body::EnrolDevice(_) => true,
        _ => false,
    };
    made_elsewhere && !step.ctx.by_server && step.ctx.rules >= RULES_OF_TWO
}

/// Rules such an op.
pub(crate) fn rule(before: Option<&Entity>, step: &Step<'_>) -> Ruling {
    if takes_more_than_one(step) {
        return Ruling::rejected(RefusalCode::NotPermitted);
    }
    match step.body {
        Body::CreateLog(body) => match before {
            Some(_) => Ruling::rejected(RefusalCode::EntityExists),
            None => Ruling::accepted(Entity::Log(Log {
                id: step.op.log,
                name: body.name.clone(),
                zone: body.zone.clone(),
                signer: body.signer.clone(),
                server_device: body.server_device,
                epoch: step.ctx.epoch,
                restored: Vec::new(),
                silences: Vec::new(),
            })),
        },
        Body::StartEpoch(body) => log(before, |log| start_epoch(log, body, step)),
        Body::AcknowledgeEpoch(body) => log(before, |log| acknowledge_epoch(log, body, step)),
        Body::NoteSilence(body) => log(before, |log| note_silence(log, body, step)),
        Body::DecideSilence(body) => log(before, |log| decide_silence(log, body, step)),
        Body::ImportAreas(body) => import(before, body, "areas", step),
        Body::ImportCatalogue(body) => import(before, body, "catalogue", step),
        Body::ImportCalendar(body) => import(before, body, "calendar", step),
        Body::ImportResponsibilities(body) => import(before, body, "responsibilities", step),
        Body::PlanAreas(body) => plan(before, body, step),
        Body::CancelAreas(body) => match before {
            Some(Entity::Areas(now)) if now.planned.as_ref().is_some_and(|it| it.sha256 == body.sha256) => {
                Ruling::accepted(Entity::Areas(DocumentInForce { planned: None, ..now.clone() }))
            }
            Some(Entity::Areas(_)) => Ruling::invalid("sha256"),
            _ => unknown(),
        },
        Body::SetUnit(body) => people::set_unit(before, body, step),
        Body::MergeUnit(body) => people::merge_unit(before, body, step),
        Body::HandOver(body) => people::hand_over(before, body, step),
        Body::SetAccount(body) => people::set_account(before, body, step),
        Body::Grant(body) => account(before, |account| people::grant(account, body, step)),
        Body::RevokeGrant(body) => account(before, |account| people::revoke_grant(account, body, step)),
        Body::SetMembership(body) => account(before, |account| people::membership(account, body, step)),
        Body::SetAbsent(body) => account(before, |account| absence::set_absent(account, body, step)),
        Body::EndAbsence(_) => account(before, absence::end_absence),
        Body::StandIn(body) => account(before, |account| absence::stand_in(account, body, step)),
        Body::DisableAccount(_) => account(before, |mut account| match account.disabled_rev {
            Some(_) => Ruling::unchanged(),
            None => {
                account.disabled_rev = Some(step.ctx.rev);
                Ruling::accepted(Entity::Account(account))
            }
        }),
        Body::Rescope(_) => account(before, |_| Ruling::unchanged()),
        Body::EnrolDevice(body) => enrol(before, body, step),
        Body::RevokeDevice(_) => match before {
            Some(Entity::Device(device)) if device.revoked.is_some() => Ruling::unchanged(),
            Some(Entity::Device(device)) => {
                Ruling::accepted(Entity::Device(Device { revoked: Some(step.by()), ..device.clone() }))
            }
            _ => unknown(),
        },
        _ => unknown(),
    }
}

fn unknown() -> Ruling {
    Ruling::rejected(RefusalCode::UnknownEntity)
}

fn account(before: Option<&Entity>, change: impl FnOnce(Account) -> Ruling) -> Ruling {
    match before {
        Some(Entity::Account(account)) => change(account.clone()),
        _ => unknown(),
    }
}

fn log(before: Option<&Entity>, change: impl FnOnce(Log) -> Ruling) -> Ruling {
    match before {
        Some(Entity::Log(log)) => change(log.clone()),
        _ => unknown(),
    }
}

fn start_epoch(mut log: Log, body: &StartEpoch, step: &Step<'_>) -> Ruling {
    log.epoch = step.ctx.epoch;
    log.restored.push(Restored {
        epoch: step.ctx.epoch,
        by: step.by(),
        kept_rev: body.kept_rev,
        last_signed_head: body.last_signed_head,
        acknowledged: None,
    });
    Ruling::accepted(Entity::Log(log))
}

/// The first epoch of a log set nothing back: there is nothing to take note of.
fn acknowledge_epoch(mut log: Log, body: &AcknowledgeEpoch, step: &Step<'_>) -> Ruling {
    match log.restored.iter_mut().find(|restored| restored.epoch == body.epoch) {
        None => Ruling::invalid("epoch"),
        Some(Restored { acknowledged: Some(_), .. }) => Ruling::unchanged(),
        Some(restored) => {
            restored.acknowledged = Some(step.by());
            Ruling::accepted(Entity::Log(log))
        }
    }
}

fn note_silence(mut log: Log, body: &NoteSilence, step: &Step<'_>) -> Ruling {
    if body.to_ms <= body.from_ms {
        return Ruling::invalid("to_ms");
    }
    let (from_ms, to_ms) = (body.from_ms, body.to_ms);
    log.silences.push(Silence { rev: step.ctx.rev, from_ms, to_ms, decided: None });
    Ruling::accepted(Entity::Log(log))
}

/// Once for all that fell due in it: no case is decided about alone, and nothing is decided twice.
fn decide_silence(mut log: Log, body: &DecideSilence, step: &Step<'_>) -> Ruling {
    if body.reason.trim().is_empty() || body.reason.len() > TEXT_BYTES_MAX {
        return Ruling::invalid("reason");
    }
    match log.silences.iter_mut().find(|silence| silence.rev == body.silence) {
        None => Ruling::invalid("silence"),
        Some(Silence { decided: Some(_), .. }) => Ruling::rejected(RefusalCode::StaleState),
        Some(silence) => {
            let reason = body.reason.clone();
            silence.decided = Some(SilenceDecided { by: step.by(), excuse: body.excuse, reason });
            Ruling::accepted(Entity::Log(log))
        }
    }
}

/// A document takes effect only when its bytes are here.
fn import(before: Option<&Entity>, body: &ImportDocument, name: &str, step: &Step<'_>) -> Ruling {
    if step.op.entity != singleton_id(step.op.log, name) {
        return unknown();
    }
    if !step.ctx.documents.contains(&body.sha256) {
        return Ruling::rejected(RefusalCode::DocumentMissing).with("document", body.sha256.to_string());
    }
    let current = match before {
        Some(Entity::Areas(it) | Entity::Catalogue(it) | Entity::Calendar(it) | Entity::Responsibilities(it)) => {
            Some(it)
        }
        _ => None,
    };
    if current.is_some_and(|it| it.sha256 == body.sha256) {
        return Ruling::unchanged();
    }
    let earlier: Vec<Hash> =
        current.map(|it| std::iter::once(it.sha256).chain(it.earlier.iter().copied()).collect()).unwrap_or_default();
    let in_force = DocumentInForce {
        id: step.op.entity,
        sha256: body.sha256,
        size: body.size,
        version: body.version.clone(),
        since_rev: step.ctx.rev,
        earlier,
        // What is in force is planned no longer.
        planned: current.and_then(|it| it.planned.clone()).filter(|it| it.sha256 != body.sha256),
    };
    Ruling::accepted(match step.body {
        Body::ImportAreas(_) => Entity::Areas(in_force),
        Body::ImportCalendar(_) => Entity::Calendar(in_force),
        Body::ImportResponsibilities(_) => Entity::Responsibilities(in_force),
        _ => Entity::Catalogue(in_force),
    })
}

/// One tree is planned at a time, for a time that is to come.
fn plan(before: Option<&Entity>, body: &PlanAreas, step: &Step<'_>) -> Ruling {
    let document = &body.document;
    let Some(Entity::Areas(now)) = before else { return unknown() };
    if !step.ctx.documents.contains(&document.sha256) {
        return Ruling::rejected(RefusalCode::DocumentMissing).with("document", document.sha256.to_string());
    }
    if body.from_ms <= step.ctx.received_ms {
        return Ruling::invalid("from_ms");
    }
    if now.planned.is_some() || now.sha256 == document.sha256 {
        return Ruling::invalid("sha256");
    }
    let planned = Planned {
        op: step.op.op,
        sha256: document.sha256,
        size: document.size,
        version: document.version.clone(),
        from_ms: body.from_ms,
    };
    Ruling::accepted(Entity::Areas(DocumentInForce { planned: Some(planned), ..now.clone() }))
}

fn enrol(before: Option<&Entity>, body: &EnrolDevice, step: &Step<'_>) -> Ruling {
    if body.algorithm != "ES256" {
        return Ruling::invalid("algorithm");
    }
    if !step.ctx.accounts.contains_key(&body.account) {
        return Ruling::invalid("account");
    }
    match before {
        None => Ruling::accepted(Entity::Device(Device {
            id: schema::ids::DeviceId(step.op.entity.0),
            account: body.account,
            algorithm: body.algorithm.clone(),
            key: body.key,
            label: body.label.clone(),
            enrolled_rev: step.ctx.rev,
            revoked: None,
        })),
        Some(Entity::Device(now)) if now.account == body.account && now.key == body.key => Ruling::unchanged(),
        Some(_) => Ruling::rejected(RefusalCode::EntityExists),
    }
}
