//! `amend`: each field against the value its author saw; all fields of one op, or none.

use schema::case::{Case, ConflictReason, FieldName, Position, State};
use schema::catalogue::Code;
use schema::limits::TEXT_BYTES_MAX;
use schema::op::{Amend, Sealed};
use schema::record::Outcome;
use serde_json::Value;

use super::{Step, kind_in, kind_of, stale};
use crate::catalogue::{fits, subtype};
use crate::merge::{Author, Merged, change_field};
use crate::ruling::Ruling;

/// Rules an `amend`.
pub(super) fn amend(case: &Case, body: &Amend, step: &Step<'_>) -> Ruling {
    let supervises = step.supervises();
    let over = match case.state {
        State::Declined | State::Duplicate | State::Void => true,
        State::Closed => supervises,
        State::Reported | State::Filed | State::Assigned | State::Fixed | State::Checked => false,
    };
    if over {
        return stale(case);
    }
    if body.changes.is_empty() {
        return Ruling::invalid("changes");
    }
    let mut after = case.clone();
    let mut flags = Vec::new();
    let mut conflicts = Vec::new();
    let wanted_kind = body.changes.get(&FieldName::Kind).map(|change| &change.to);
    for (field, change) in &body.changes {
        let mut author = author(case, field, step);
        match check(&after, field, &change.to, step) {
            Ok(()) => {}
            // A field of the kind that is proposed beside it can only be proposed, too.
            Err(_) if proposes_for_kind(&after, wanted_kind, field, &change.to, step) => {
                author.only_proposes = Some(ConflictReason::AfterAssignment);
            }
            Err(why) => return Ruling::invalid(&field.to_string()).with("why", why),
        }
        match change_field(&mut after, field, change, &author, step.ctx.rev) {
            Merged::Applied | Merged::Already => {}
            Merged::Won(_) | Merged::Lost(_) => conflicts.push(field.clone()),
        }
    }
    if after.fields.get(&FieldName::Position) != case.fields.get(&FieldName::Position) {
        move_to_position(&mut after, step, &mut flags);
    }
    after.needs_audit |= case.state == State::Closed;
    let area = after.area;
    let mut ruling = if after == *case { Ruling::unchanged() } else { Ruling::accepted_case(after) };
    if !conflicts.is_empty() {
        ruling.outcome = Outcome::AcceptedWithConflict;
        ruling.conflicts = conflicts;
    }
    ruling.flags = flags;
    ruling.area = Some(area);
    ruling
}

/// What this author may do to this field now.
fn author(case: &Case, field: &FieldName, step: &Step<'_>) -> Author {
    let supervises = step.supervises();
    let with_unit = !matches!(case.state, State::Reported | State::Filed);
    let kind_settled = *field == FieldName::Kind && case.state != State::Reported;
    let only_proposes = (!supervises && (with_unit || kind_settled)).then_some(ConflictReason::AfterAssignment);
    let never_merges =
        (*field == FieldName::Position && case.deadline_issued).then_some(ConflictReason::DeadlineIssued);
    Author { account: step.account(), role: step.role(), only_proposes, never_merges }
}

/// Whether a wanted value fits its field. Null empties all but kind and position.
fn check(case: &Case, field: &FieldName, to: &Value, step: &Step<'_>) -> Result<(), &'static str> {
    match field {
        FieldName::Kind => check_kind(case, to, step),
        FieldName::Position => {
            let position: Position = crate::json::read_value(to.clone()).map_err(|_| "not a position")?;
            let on_earth = (-900_000_000..=900_000_000).contains(&position.lat_e7)
                && (-1_800_000_000..=1_800_000_000).contains(&position.lon_e7);
            on_earth.then_some(()).ok_or("not on earth")
        }
        FieldName::Note => match to {
            Value::Null => Ok(()),
            value => crate::json::read_value::<Sealed>(value.clone()).map(|_| ()).map_err(|_| "not a sealed value"),
        },
        FieldName::Subject => match to {
            Value::Null => Ok(()),
            Value::String(text) if !text.trim().is_empty() && text.len() <= TEXT_BYTES_MAX => Ok(()),
            _ => Err("not a text, or too long"),
        },
        FieldName::Field(code) => match kind_of(case) {
            Some(kind) => check_field(&kind, case, code, to, step),
            None => Err("the case has no kind"),
        },
    }
}

/// Whether a value fits a field of the kind that the same op wants and that does not stand.
fn proposes_for_kind(case: &Case, kind: Option<&Value>, field: &FieldName, to: &Value, step: &Step<'_>) -> bool {
    let (FieldName::Field(code), Some(kind)) = (field, kind) else { return false };
    let held = case.fields.get(&FieldName::Kind).map(|held| &held.value);
    held != Some(kind) && kind_in(kind).is_some_and(|kind| check_field(&kind, case, code, to, step).is_ok())
}

fn check_kind(case: &Case, to: &Value, step: &Step<'_>) -> Result<(), &'static str> {
    let Some((category, wanted)) = kind_in(to) else { return Err("not a category and subtype") };
    let known = step
        .catalogue(case.catalogue)
        .or_else(|| step.catalogue(None))
        .is_some_and(|(_, catalogue)| subtype(catalogue, &category, &wanted).is_some());
    known.then_some(()).ok_or("not in the catalogue")
}

fn check_field(
    (category, subtype_code): &(Code, Code),
    case: &Case,
    code: &Code,
    to: &Value,
    step: &Step<'_>,
) -> Result<(), &'static str> {
    let Some((_, catalogue)) = step.catalogue(case.catalogue).or_else(|| step.catalogue(None)) else {
        return Err("no catalogue");
    };
    let spec = subtype(catalogue, category, subtype_code)
        .and_then(|(_, found)| found.fields.iter().find(|spec| spec.code == *code));
    match spec {
        None => Err("no such field"),
        Some(_) if to.is_null() => Ok(()),
        Some(spec) => fits(spec, to).map_err(|_| "does not fit the field"),
    }
}

/// A new position may lie in another grid.
fn move_to_position(after: &mut Case, step: &Step<'_>, flags: &mut Vec<String>) {
    let position = after
        .fields
        .get(&FieldName::Position)
        .and_then(|held| crate::json::read_value::<Position>(held.value.clone()).ok());
    if let (Some(areas), Some(position)) = (step.ctx.areas, position) {
        let located = areas.document.locate(&position);
        after.area = located.area;
        after.flags.retain(|flag| flag != "no_grid" && flag != "several_grids");
        if located.grids != 1 {
            let flag = if located.grids == 0 { "no_grid" } else { "several_grids" };
            after.flags.push(flag.to_owned());
            flags.push(flag.to_owned());
        }
    }
}
