//! `do`: one step on a case. It refuses what can't be meant; whether the step is right the server decides.

use std::process::ExitCode;

use schema::op::EvidenceRole;
use sync_core::device::capture::Draft;
use sync_core::device::clocks::Clocks;
use sync_core::device::phone::Phone;

use super::args::{Do, Kind};
use super::body::Writer;
use super::say::{Failure, Out};
use super::{case, photo, report};

/// Captures a step.
pub(crate) fn step(phone: &mut Phone, clocks: &Clocks, out: Out, asked: &Do) -> Result<ExitCode, Failure> {
    phone.identity()?;
    refuse_unused(asked)?;
    let mut writer = Writer { phone, out, asked, values: Vec::new() };
    let (log, entity, body) = match asked.kind {
        Kind::Release | Kind::Discard => {
            let (log, entity) = case::find_id(writer.phone, out, &asked.case)?;
            (log, entity, writer.about_parked()?)
        }
        Kind::LookBack => {
            let found = case::find(writer.phone, out, &asked.case)?;
            let (task, body) = writer.look_back(&found)?;
            (found.log, task, body)
        }
        _ => {
            let found = case::find(writer.phone, out, &asked.case)?;
            let body = writer.on_case(&found, clocks)?;
            (found.log, found.case.id, body)
        }
    };
    let values = writer.values;
    let role = asked.role.map_or_else(|| usual_role(asked.kind), EvidenceRole::from);
    let photos = photo::files(&asked.photos, role);
    let captured = phone.capture(Draft { log, entity: Some(entity), body, values }, &photos, clocks.now())?;
    report::say(phone, out, log, entity, captured.op)?;
    Ok(ExitCode::SUCCESS)
}

fn usual_role(kind: Kind) -> EvidenceRole {
    match kind {
        Kind::SubmitFix | Kind::FinishHelp => EvidenceRole::After,
        Kind::Check | Kind::InterimCheck => EvidenceRole::Check,
        Kind::LookBack => EvidenceRole::Lookback,
        Kind::ReturnAssignment | Kind::EndStage | Kind::AppealOverdue => EvidenceRole::Document,
        _ => EvidenceRole::Before,
    }
}

/// An option that the step has no place for was meant for something: better ask than drop it.
fn refuse_unused(asked: &Do) -> Result<(), Failure> {
    let kind = asked.kind;
    let takes_photos = matches!(
        kind,
        Kind::AddEvidence
            | Kind::ReturnAssignment
            | Kind::SubmitFix
            | Kind::FinishHelp
            | Kind::Check
            | Kind::InterimCheck
            | Kind::LookBack
            | Kind::Reopen
            | Kind::EndStage
            | Kind::AppealOverdue
    );
    let takes_reason = matches!(
        kind,
        Kind::Decline
            | Kind::ReturnAssignment
            | Kind::WithdrawEvidence
            | Kind::WaiveEvidence
            | Kind::UnlinkDuplicate
            | Kind::Reopen
            | Kind::Suspend
            | Kind::Resume
            | Kind::RequestExtension
            | Kind::Supervise
            | Kind::AppealOverdue
            | Kind::Void
            | Kind::Restrict
            | Kind::Release
            | Kind::Discard
    );
    let names_photo = matches!(kind, Kind::WithdrawEvidence | Kind::WaiveEvidence);
    let takes_stage = matches!(
        kind,
        Kind::EndStage | Kind::InterimCheck | Kind::RequestExtension | Kind::AppealOverdue | Kind::DecideAppeal
    );
    let about_parked = matches!(kind, Kind::Release | Kind::Discard);
    let given = [
        ("--field", !asked.fields.is_empty(), kind == Kind::Amend),
        ("--photo", !asked.photos.is_empty(), takes_photos),
        ("--role", asked.role.is_some(), takes_photos),
        ("--reason", asked.reason.is_some(), takes_reason),
        ("--condition", asked.condition.is_some(), matches!(kind, Kind::File | Kind::Close)),
        ("--of", asked.of.is_some(), kind == Kind::LinkDuplicate),
        ("--unit", asked.unit.is_some(), kind == Kind::Assign),
        ("--co-unit", !asked.co_units.is_empty(), kind == Kind::Assign),
        ("--holder", asked.holder.is_some(), kind == Kind::Assign),
        ("--verdict", asked.verdict.is_some(), matches!(kind, Kind::Check | Kind::InterimCheck | Kind::LookBack)),
        ("--photo-hash", asked.photo_hash.is_some(), names_photo),
        ("--parked", asked.parked.is_some(), about_parked),
        ("--roles", !asked.roles.is_empty(), kind == Kind::Restrict),
        ("--days", asked.days.is_some(), matches!(kind, Kind::Restrict | Kind::Suspend)),
        ("--result", asked.result.is_some(), kind == Kind::SubmitFix),
        ("--stage", asked.stage.is_some(), takes_stage),
        ("--decision", asked.decision.is_some(), matches!(kind, Kind::DecideExtension | Kind::DecideAppeal)),
        (
            "--note",
            asked.note.is_some(),
            !matches!(kind, Kind::File | Kind::Close | Kind::Accept | Kind::LinkDuplicate | Kind::AddEvidence),
        ),
    ];
    match given.into_iter().find(|(_, given, takes)| *given && !takes) {
        Some((option, ..)) => {
            Err(Failure::usage(format!("该操作不使用 {option}"), format!("this step has no use for {option}")))
        }
        None => Ok(()),
    }
}
