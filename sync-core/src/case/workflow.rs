//! The steps of the work-flow, each legal only from certain states; and what a late arrival means.
//! Bad news outranks good news.

use schema::case::Step as DoneStep;
use schema::case::{Assignment, Case, End, FieldName, Fix, State};
use schema::catalogue::{Choice, Code, Numbering, Required};
use schema::ids::UnitId;
use schema::limits::RETURNS_BEFORE_ARBITRATION;
use schema::op::{
    Assign, Check, CheckVerdict, Close, Decline, EvidenceRole, File, Place, Reason, ReturnAssignment, Sealed, SubmitFix,
};
use schema::record::RefusalCode;
use serde_json::Value;

use super::course::one_level_up;
use super::evidence::{claim, has_ended, has_room, missing};
use super::hand::precede;
use super::{Step, kind_of, stale};
use crate::catalogue::{number, subtype};
use crate::context::{NUMBER_GIVEN_BACK, RULES_WITH_CLOCKS};
use crate::permission::works_for;
use crate::ruling::Ruling;

fn done(step: &Step<'_>, code: &str, note: Option<Sealed>) -> DoneStep {
    DoneStep { by: step.by(), code: code.to_owned(), note }
}

/// How a case ends by this step.
pub(super) fn end(case: &Case, step: &Step<'_>, code: &str, note: Option<Sealed>) -> End {
    End { step: done(step, code, note), area: step.acting.map_or(case.area, |acting| acting.area) }
}

fn has(choices: &[Choice], code: &Code) -> bool {
    choices.iter().any(|choice| choice.code == *code)
}

/// The fields that must be filled in by a step and are not.
fn empty_fields(case: &Case, specs: &[schema::catalogue::FieldSpec], by: Required) -> Vec<Value> {
    specs
        .iter()
        .filter(|spec| spec.required == by)
        .filter(|spec| case.fields.get(&FieldName::Field(spec.code.clone())).is_none_or(|held| held.value.is_null()))
        .map(|spec| Value::from(spec.code.as_str()))
        .collect()
}

/// `file`: reported → filed. Cites a filing condition and pins the newest catalogue that still has the subtype.
pub(super) fn file(case: &Case, body: &File, step: &Step<'_>) -> Ruling {
    if case.state != State::Reported {
        return stale(case);
    }
    let Some((category, code)) = kind_of(case) else { return Ruling::invalid("kind") };
    let newest = step.catalogue(None).filter(|(_, catalogue)| subtype(catalogue, &category, &code).is_some());
    let Some((hash, catalogue)) = newest.or_else(|| step.catalogue(case.catalogue)) else {
        return Ruling::rejected(RefusalCode::DocumentMissing).with("document", "catalogue");
    };
    let Some((_, found)) = subtype(catalogue, &category, &code) else { return Ruling::invalid("kind") };
    if !has(&found.filing_conditions, &body.condition) {
        return Ruling::invalid("condition");
    }
    let empty = empty_fields(case, &found.fields, Required::File);
    if !empty.is_empty() {
        return Ruling::invalid("fields").with("empty", empty);
    }
    let mut after = case.clone();
    let given_back = step.ctx.earlier_number.filter(|_| case.number.is_none());
    let number = match case.number.as_deref().or(given_back) {
        Some(number) => number.to_owned(),
        None => match number_for(&catalogue.numbering, step) {
            Some(number) => number,
            None => return Ruling::rejected(RefusalCode::DocumentMissing).with("document", "areas"),
        },
    };
    after.number = Some(number.clone());
    after.state = State::Filed;
    after.catalogue = Some(hash);
    after.pinned = true;
    after.filed = Some(done(step, body.condition.as_str(), None));
    let mut ruling = Ruling::accepted_case(after);
    ruling.number = case.number.is_none().then_some(number);
    ruling.flags.extend(given_back.map(|_| NUMBER_GIVEN_BACK.to_owned()));
    ruling.catalogue = Some(hash);
    ruling
}

/// The next official number; none where its format names the district and no area tree says which that is.
fn number_for(numbering: &Numbering, step: &Step<'_>) -> Option<String> {
    let (year, serial) = step.ctx.next_number;
    let root = step.ctx.areas.and_then(|areas| areas.document.area(areas.document.root()));
    number::write(&numbering.format, year, root.map(|area| area.code.as_str()), serial)
}

/// `decline`: reported → declined.
pub(super) fn decline(case: &Case, body: &Decline, step: &Step<'_>) -> Ruling {
    if case.state != State::Reported {
        return stale(case);
    }
    let Some((hash, catalogue)) = step.catalogue(case.catalogue).or_else(|| step.catalogue(None)) else {
        return Ruling::rejected(RefusalCode::DocumentMissing).with("document", "catalogue");
    };
    if !has(&catalogue.decline_reasons, &body.reason) {
        return Ruling::invalid("reason");
    }
    let mut after = case.clone();
    after.state = State::Declined;
    after.end = Some(end(case, step, body.reason.as_str(), body.note));
    let mut ruling = Ruling::accepted_case(after);
    ruling.catalogue = Some(hash);
    ruling
}

/// `assign`: filed → assigned. From assigned it goes to another unit only if its author saw who has it now.
pub(super) fn assign(case: &Case, body: &Assign, step: &Step<'_>) -> Ruling {
    let seen = case.assignment.as_ref().is_some_and(|now| step.base_rev() >= now.by.rev);
    let legal = case.state == State::Filed || (case.state == State::Assigned && seen);
    if !legal {
        return stale(case);
    }
    let mut named = std::iter::once(&body.unit).chain(&body.co_units);
    if !named.all(|unit| step.ctx.units.contains(unit)) {
        return Ruling::invalid("unit");
    }
    if case.arbitration.is_some_and(|from| !one_level_up(step, from, None)) {
        return Ruling::rejected(RefusalCode::NotPermitted).with("needs", "one_level_above");
    }
    if body.co_units.contains(&body.unit) || body.co_units.len() > 8 {
        return Ruling::invalid("co_units");
    }
    let works_there = |holder| step.ctx.accounts.get(&holder).is_some_and(|account| account.units.contains(&body.unit));
    if body.holder.is_some_and(|holder| !works_there(holder)) {
        return Ruling::invalid("holder");
    }
    if body.co_limits.iter().any(|(unit, limit)| limit.amount == 0 || !body.co_units.contains(unit)) {
        return Ruling::invalid("co_limits");
    }
    let mut after = case.clone();
    leave_units(&mut after, step);
    after.state = State::Assigned;
    after.assignment = Some(Assignment {
        by: step.by(),
        unit: body.unit,
        co_units: body.co_units.clone(),
        co_limits: body.co_limits.clone(),
        helped: Vec::new(),
        holder: body.holder,
        note: body.note,
        accepted: None,
        area: step.acting.filter(|_| step.ctx.rules >= RULES_WITH_CLOCKS).map(|acting| acting.area),
    });
    after.arbitration = None;
    Ruling::accepted_case(after)
}

/// The units that have it now become units that had it.
pub(super) fn leave_units(case: &mut Case, step: &Step<'_>) {
    let Some(assignment) = case.assignment.take() else { return };
    precede(case, &assignment, None, step);
    let left: Vec<UnitId> = std::iter::once(assignment.unit).chain(assignment.co_units).collect();
    for unit in left {
        if !case.former_units.contains(&unit) {
            case.former_units.push(unit);
        }
    }
}

/// `accept`: the unit signs for it, once.
pub(super) fn accept(case: &Case, step: &Step<'_>) -> Ruling {
    if !has_it(case, step) {
        return stale(case);
    }
    let mut after = case.clone();
    match (&case.state, &mut after.assignment) {
        (State::Assigned, Some(assignment)) if assignment.accepted.is_none() => assignment.accepted = Some(step.by()),
        _ => return stale(case),
    }
    Ruling::accepted_case(after)
}

/// `return_assignment`: assigned → filed, with a reason of the catalogue.
pub(super) fn return_assignment(case: &Case, body: &ReturnAssignment, step: &Step<'_>) -> Ruling {
    let leads = |unit: UnitId| step.ctx.actor.is_some_and(|actor| actor.units.contains(&unit));
    let (State::Assigned, Some(assignment)) = (case.state, &case.assignment) else { return stale(case) };
    if !leads(assignment.unit) {
        return Ruling::rejected(RefusalCode::NotPermitted);
    }
    let known =
        step.catalogue(case.catalogue).is_some_and(|(_, catalogue)| has(&catalogue.return_reasons, &body.reason));
    if !known {
        return Ruling::invalid("reason");
    }
    if !has_room(case, &body.photos) {
        return Ruling::rejected(RefusalCode::Quota);
    }
    let mut after = case.clone();
    leave_units(&mut after, step);
    claim(&mut after, &body.photos, step, false);
    after.state = State::Filed;
    after.returns += 1;
    if step.ctx.rules >= RULES_WITH_CLOCKS {
        let count = after.returned_by.entry(assignment.unit).or_default();
        *count += 1;
        let too_often = *count >= RETURNS_BEFORE_ARBITRATION;
        after.arbitration = too_often.then(|| assignment.area.unwrap_or(case.area));
    }
    Ruling::accepted_case(after)
}

/// Whether the author's unit has the case now: what comes from one that lost it signs for nobody.
fn has_it(case: &Case, step: &Step<'_>) -> bool {
    step.ctx.actor.is_some_and(|actor| works_for(actor, case))
}

/// `submit_fix`: assigned → fixed, by the unit that has it.
pub(super) fn submit_fix(case: &Case, body: &SubmitFix, step: &Step<'_>) -> Ruling {
    if case.state != State::Assigned || !has_it(case, step) {
        return stale(case);
    }
    if !has_room(case, &body.photos) {
        return Ruling::rejected(RefusalCode::Quota);
    }
    let mut after = case.clone();
    claim(&mut after, &body.photos, step, false);
    after.state = State::Fixed;
    let units = step.ctx.actor.map(|actor| actor.units.clone()).unwrap_or_default();
    after.fix = Some(Fix { result: body.result, by: step.by(), units, note: body.note });
    Ruling::accepted_case(after)
}

/// `check`: fixed → checked, or back to the unit. A failed check of a case checked meanwhile still sends it back;
/// of a closed one it is kept for the auditor, and the case stays closed.
pub(super) fn check(case: &Case, body: &Check, step: &Step<'_>) -> Ruling {
    let failed = body.verdict == CheckVerdict::Fail;
    let legal = match case.state {
        State::Fixed => true,
        State::Checked | State::Closed => failed,
        State::Reported | State::Filed | State::Assigned | State::Declined | State::Duplicate | State::Void => false,
    };
    if !legal {
        return stale(case);
    }
    if !failed && took_part(case, step) {
        return Ruling::rejected(RefusalCode::FourEyes);
    }
    if !has_room(case, &body.photos) {
        return Ruling::rejected(RefusalCode::Quota);
    }
    let mut after = case.clone();
    let closed = case.state == State::Closed;
    claim(&mut after, &body.photos, step, closed);
    if closed {
        after.needs_audit = true;
        let mut ruling = Ruling::accepted_case(after);
        ruling.flags.push("failed_check_after_close".to_owned());
        return ruling;
    }
    after.check = Some(done(step, if failed { "fail" } else { "pass" }, body.note));
    after.state = if failed { State::Assigned } else { State::Checked };
    after.reworks += u32::from(failed);
    Ruling::accepted_case(after)
}

/// Four eyes, counted by person and unit: whoever fixed it, and everybody of a unit that had to.
pub(super) fn took_part(case: &Case, step: &Step<'_>) -> bool {
    let same_person = case.fix.as_ref().is_some_and(|fix| fix.by.person == step.person());
    let units = step.ctx.actor.map(|actor| actor.units.as_slice()).unwrap_or_default();
    let fixed_by = case.fix.iter().flat_map(|fix| fix.units.iter());
    let assigned = case.assignment.iter().flat_map(|it| std::iter::once(&it.unit).chain(&it.co_units));
    same_person || fixed_by.chain(assigned).any(|unit| units.contains(unit))
}

/// `close`: checked → closed, on evidence that has arrived and that the closer has seen.
pub(super) fn close(case: &Case, body: &Close, step: &Step<'_>) -> Ruling {
    if case.state != State::Checked {
        return stale(case);
    }
    let Some((hash, _, found)) = step.subtype_of(case) else {
        return Ruling::rejected(RefusalCode::DocumentMissing).with("document", "catalogue");
    };
    if !has(&found.closing_conditions, &body.condition) {
        return Ruling::invalid("condition");
    }
    let empty = empty_fields(case, &found.fields, Required::Close);
    if !empty.is_empty() {
        return Ruling::invalid("fields").with("empty", empty);
    }
    let unseen: Vec<Value> = case
        .evidence
        .iter()
        .filter(|item| item.by.rev > step.base_rev() && item.by.account != step.account())
        .map(|item| Value::from(item.by.rev))
        .collect();
    if !unseen.is_empty() {
        return Ruling::rejected(RefusalCode::EvidenceSinceBase).with("revs", unseen);
    }
    let absent = missing(case);
    let short = short_of(case, found);
    if !absent.is_empty() || !short.is_empty() {
        return Ruling::rejected(RefusalCode::EvidenceIncomplete).with("missing", absent).with("too_few", short);
    }
    let mut after = case.clone();
    after.state = State::Closed;
    after.end = Some(end(case, step, body.condition.as_str(), None));
    let mut ruling = Ruling::accepted_case(after);
    ruling.catalogue = Some(hash);
    ruling
}

/// The roles of which the subtype wants more photos than there are. Waived ones count: they are named in every list.
fn short_of(case: &Case, found: &schema::catalogue::Subtype) -> Vec<&'static str> {
    let count = |role| case.evidence.iter().filter(|item| item.role == role && item.withdrawn.is_none()).count();
    [
        ("before", EvidenceRole::Before, found.evidence.before),
        ("after", EvidenceRole::After, found.evidence.after),
        ("check", EvidenceRole::Check, found.evidence.check),
    ]
    .into_iter()
    .filter(|(_, role, least)| count(*role) < usize::from(*least))
    .map(|(name, _, _)| name)
    .collect()
}

/// Once a unit has a deadline, a case is taken out of the count by a second person one level above who assigned it.
pub(super) fn may_take_out(case: &Case, step: &Step<'_>) -> bool {
    let counts = step.ctx.rules >= RULES_WITH_CLOCKS && case.deadline_issued;
    let assigned = case.assignment.as_ref();
    let from = assigned.and_then(|it| it.area).unwrap_or(case.area);
    !counts || one_level_up(step, from, assigned.map(|it| it.by.person))
}

/// `void`: before it is closed.
pub(super) fn void(case: &Case, body: &Reason, step: &Step<'_>) -> Ruling {
    if has_ended(case) {
        return stale(case);
    }
    let mut after = case.clone();
    after.state = State::Void;
    if !may_take_out(case, step) {
        return Ruling::rejected(RefusalCode::NotPermitted).with("needs", "one_level_above");
    }
    after.end = Some(end(case, step, "void", Some(body.reason)));
    Ruling::accepted_case(after)
}

/// `place`: by the server, when boundaries changed. The row moves even where the area stays: what lies above it is new.
pub(super) fn place(case: &Case, body: &Place, _step: &Step<'_>) -> Ruling {
    let mut after = case.clone();
    after.area = body.area;
    let mut ruling = Ruling::accepted_case(after);
    ruling.area = Some(body.area);
    ruling
}
