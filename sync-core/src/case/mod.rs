//! The life of a case: which step is legal from which state, and what it does to the document.
//! Every (state, op) pair has a defined ruling.

mod amend;
mod clocks;
mod course;
mod duplicate;
mod evidence;
mod hand;
mod help;
mod interim;
pub mod near;
mod reopen;
mod report;
mod scope;
pub mod signals;
mod workflow;

use schema::case::{By, Case, State};
use schema::catalogue::{Catalogue, Subtype};
use schema::clock::Stage;
use schema::hash::Hash;
use schema::ids::{AccountId, PersonId};
use schema::op::{Body, Op, PhotoClaim, Role};
use schema::record::{Acting, RefusalCode};

use crate::catalogue::subtype;
use crate::clock::stages;
use crate::context::{Context, RULES_WITH_CLOCKS};
use crate::ruling::Ruling;

pub(crate) use evidence::{has_ended, has_room_for, keep, tell_arrived};
pub use hand::{Whose, taken_over};
pub(crate) use interim::is_worked_on;
use report::kind_in;
pub use report::kind_of;

/// One op on its way through the rules, with who acts and how.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Step<'a> {
    pub(crate) op: &'a Op,
    pub(crate) body: &'a Body,
    pub(crate) ctx: &'a Context<'a>,
    /// The grant acted by; none for the server.
    pub(crate) acting: Option<Acting>,
}

impl Step<'_> {
    pub(crate) fn role(&self) -> Option<Role> {
        self.acting.map(|acting| acting.role)
    }

    /// Acts as a supervisor, or is the server itself.
    pub(crate) fn supervises(&self) -> bool {
        self.ctx.by_server || self.role() == Some(Role::Supervisor)
    }

    pub(crate) fn person(&self) -> PersonId {
        self.ctx.actor.map_or(PersonId::NIL, |actor| actor.person)
    }

    pub(crate) fn account(&self) -> AccountId {
        self.ctx.actor.map_or(AccountId::NIL, |actor| actor.id)
    }

    pub(crate) fn by(&self) -> By {
        By {
            account: self.account(),
            person: self.person(),
            device: self.op.device,
            role: self.role(),
            op: self.op.op,
            rev: self.ctx.rev,
            received_ms: self.ctx.received_ms,
        }
    }

    /// The revision of the entity that the author was looking at. A base of an earlier epoch counts up to what was
    /// kept of it; one of an unknown epoch as not seen.
    pub(crate) fn base_rev(&self) -> u64 {
        let Some(base) = self.op.base else { return 0 };
        if base.0 == self.ctx.epoch {
            return base.1;
        }
        let kept = self.ctx.earlier_epochs.iter().find(|(epoch, _)| *epoch == base.0);
        kept.map_or(0, |(_, kept_rev)| base.1.min(*kept_rev))
    }

    /// A catalogue by its hash, from what the context holds.
    pub(crate) fn catalogue(&self, sha256: Option<Hash>) -> Option<(Hash, &Catalogue)> {
        catalogue_in(self.ctx, sha256)
    }

    /// The catalogue and subtype that this case goes by.
    pub(crate) fn subtype_of(&self, case: &Case) -> Option<(Hash, &Catalogue, &Subtype)> {
        subtype_in(case, self.ctx)
    }
}

fn catalogue_in<'a>(ctx: &'a Context<'_>, sha256: Option<Hash>) -> Option<(Hash, &'a Catalogue)> {
    let in_force = ctx.catalogue.map(|it| (it.sha256, it.document));
    match sha256 {
        None => in_force,
        Some(wanted) => in_force
            .filter(|(hash, _)| *hash == wanted)
            .or_else(|| ctx.catalogues.get(&wanted).map(|document| (wanted, document))),
    }
}

/// The catalogue and subtype that a case goes by.
pub(crate) fn subtype_in<'a>(case: &Case, ctx: &'a Context<'_>) -> Option<(Hash, &'a Catalogue, &'a Subtype)> {
    let (category, code) = kind_of(case)?;
    let (hash, catalogue) = catalogue_in(ctx, case.catalogue)?;
    let (_, found) = subtype(catalogue, &category, &code)?;
    Some((hash, catalogue, found))
}

/// A case op against a case that its author may see.
pub(crate) fn rule(case: &Case, step: &Step<'_>) -> Ruling {
    let ruling = match step.body {
        Body::Amend(body) => amend::amend(case, body, step),
        Body::AddEvidence(body) => evidence::add(case, &body.photos, step),
        Body::WithdrawEvidence(body) => evidence::withdraw(case, body, step),
        Body::WaiveEvidence(body) => evidence::waive(case, body, step),
        Body::PhotoVerified(body) => evidence::verified(case, body, step),
        Body::Comment(body) => evidence::comment(case, body, step),
        Body::File(body) => workflow::file(case, body, step),
        Body::Decline(body) => workflow::decline(case, body, step),
        Body::LinkDuplicate(body) => duplicate::link_duplicate(case, body, step),
        Body::UnlinkDuplicate(_) => duplicate::unlink_duplicate(case, step),
        Body::AbsorbDuplicate(body) => duplicate::absorb(case, body, step),
        Body::ReleaseDuplicate(body) => duplicate::let_go(case, body, step),
        Body::Assign(body) => workflow::assign(case, body, step),
        Body::Accept(_) => workflow::accept(case, step),
        Body::ReturnAssignment(body) => workflow::return_assignment(case, body, step),
        Body::FinishHelp(body) => help::finish_help(case, body, step),
        Body::SubmitFix(body) => workflow::submit_fix(case, body, step),
        Body::Check(body) => workflow::check(case, body, step),
        Body::Close(body) => workflow::close(case, body, step),
        Body::Reopen(body) => reopen::reopen(case, body, step),
        Body::Relapse(body) => reopen::relapse(case, body, step),
        Body::Void(body) => workflow::void(case, body, step),
        Body::Place(body) => workflow::place(case, body, step),
        Body::TakeOver(body) => hand::take_over(case, body, step),
        Body::Restrict(body) => scope::restrict(case, body, step),
        Body::LiftRestriction(_) => scope::lift(case),
        Body::Archive(_) => scope::archive(case, step),
        Body::RedactValue(_) => Ruling::unchanged(),
        Body::Report(_) | Body::SettleOnSite(_) => Ruling::rejected(RefusalCode::EntityExists),
        _ => in_time(case, step),
    };
    follow(case, ruling, step)
}

/// What is about the time that a case takes, and about the stages of a procedure.
fn in_time(case: &Case, step: &Step<'_>) -> Ruling {
    match step.body {
        Body::EndStage(body) => course::end_stage(case, body, step),
        Body::AskInterimCheck(body) => interim::ask(case, body, step),
        Body::InterimCheck(body) => interim::check(case, body, step),
        Body::Suspend(body) => course::suspend(case, body, step),
        Body::Resume(body) => course::resume(case, body, step),
        Body::RequestExtension(body) => course::request_extension(case, body, step),
        Body::DecideExtension(body) => course::decide_extension(case, body, step),
        Body::Supervise(body) => course::supervise(case, body, step),
        Body::Urge(body) => course::urge(case, body, step),
        Body::AppealOverdue(body) => course::appeal(case, body, step),
        Body::DecideAppeal(body) => course::decide_appeal(case, body, step),
        Body::IssueDeadline(body) => clocks::issue(case, body, &stages_of(case, step), step),
        Body::MarkDueSoon(body) => clocks::mark_due_soon(case, body, step),
        Body::MarkOverdue(body) => clocks::mark_overdue(case, body, step),
        Body::Escalate(body) => clocks::escalate(case, body),
        // Whatever is left is about something else than a case.
        _ => Ruling::invalid("entity"),
    }
}

/// What follows a ruling whatever was asked: photos of a refused step stay as late evidence, the clocks follow the case.
fn follow(case: &Case, mut ruling: Ruling, step: &Step<'_>) -> Ruling {
    if matches!(
        ruling.code,
        Some(RefusalCode::StaleState | RefusalCode::EvidenceSinceBase | RefusalCode::EvidenceIncomplete)
    ) {
        ruling.after =
            evidence::late(case, photos_of(step.body), step).map(|case| schema::entity::Entity::Case(Box::new(case)));
    }
    if let Some(schema::entity::Entity::Case(after)) = &mut ruling.after {
        after.changed_ms = step.ctx.received_ms;
        scope::come_back(case, after);
        let stages = stages_of(after, step);
        clocks::follow(case, after, &stages, step);
        interim::follow(case, after, &stages, step);
    }
    ruling
}

/// The stages that a case has. Before the rules that know of clocks no case had any.
fn stages_of<'a>(case: &Case, step: &'a Step<'_>) -> Vec<&'a Stage> {
    match step.subtype_of(case) {
        Some((_, catalogue, subtype)) if step.ctx.rules >= RULES_WITH_CLOCKS => stages(catalogue, subtype),
        _ => Vec::new(),
    }
}

/// A report or a settlement on site: a case begins.
pub(crate) fn begin(step: &Step<'_>) -> Ruling {
    match step.body {
        Body::Report(body) => report::report(body, step),
        Body::SettleOnSite(body) => report::settle(body, step),
        _ => Ruling::rejected(RefusalCode::UnknownEntity),
    }
}

/// The photos that an op names.
pub fn photos_of(body: &Body) -> &[PhotoClaim] {
    match body {
        Body::Report(body) => &body.photos,
        Body::SettleOnSite(body) => &body.report.photos,
        Body::AddEvidence(body) => &body.photos,
        Body::ReturnAssignment(body) => &body.photos,
        Body::FinishHelp(body) => &body.photos,
        Body::SubmitFix(body) => &body.photos,
        Body::InterimCheck(body) => &body.photos,
        Body::Check(body) => &body.photos,
        Body::Reopen(body) => &body.photos,
        Body::LookBack(body) => &body.photos,
        Body::Relapse(body) => &body.photos,
        Body::AppealOverdue(body) => &body.photos,
        Body::EndStage(body) => &body.photos,
        _ => &[],
    }
}

/// The step is not legal from where the case stands.
pub(crate) fn stale(case: &Case) -> Ruling {
    let ruling = Ruling::rejected(RefusalCode::StaleState);
    let current = crate::json::value(case.state).unwrap_or_default();
    let ruling = ruling.with("current", current);
    match last_step(case) {
        Some(by) => ruling.with("by", by.account.to_string()).with("at_rev", by.rev),
        None => ruling,
    }
}

/// Who brought the case to where it stands.
fn last_step(case: &Case) -> Option<&By> {
    match case.state {
        State::Reported => Some(&case.reporter),
        State::Filed => case.filed.as_ref().map(|step| &step.by),
        State::Assigned => case.assignment.as_ref().map(|it| &it.by),
        State::Fixed => case.fix.as_ref().map(|it| &it.by),
        State::Checked => case.check.as_ref().map(|step| &step.by),
        State::Closed | State::Declined | State::Duplicate | State::Void => case.end.as_ref().map(|end| &end.step.by),
    }
}
