//! How a case begins. A report is never rejected for its content: what is wrong with it is flagged.

use std::collections::BTreeMap;

use schema::case::Step as DoneStep;
use schema::case::{Case, Conflict, End, FieldName, Held, State};
use schema::catalogue::{Code, FieldKind, Required, Subtype};
use schema::ids::AreaId;
use schema::limits::TEXT_BYTES_MAX;
use schema::op::{EvidenceRole, Report, SettleOnSite};
use serde_json::{Value, json};

use super::{Step, evidence};
use crate::catalogue::{fits, is_sealed, subtype};
use crate::context::Context;
use crate::line::short_code;
use crate::permission::reaches;
use crate::ruling::Ruling;

/// `report`
pub(super) fn report(body: &Report, step: &Step<'_>) -> Ruling {
    let (case, flags) = begin(body, step);
    finish(case, flags)
}

/// `settle_on_site`: report and close in one. Where the subtype does not allow it, it is a report.
pub(super) fn settle(body: &SettleOnSite, step: &Step<'_>) -> Ruling {
    let (mut case, mut flags) = begin(&body.report, step);
    let allowed = step
        .catalogue(body.report.catalogue)
        .or_else(|| step.catalogue(None))
        .and_then(|(_, catalogue)| subtype(catalogue, &body.report.category, &body.report.subtype))
        .is_some_and(|(_, found)| found.settle_outcomes.iter().any(|choice| choice.code == body.outcome));
    if allowed {
        case.state = State::Closed;
        case.end = Some(End {
            step: DoneStep { by: step.by(), code: body.outcome.to_string(), note: None },
            area: step.acting.map_or(case.area, |acting| acting.area),
        });
    } else {
        flags.push("not_settleable".to_owned());
    }
    finish(case, flags)
}

fn finish(mut case: Case, flags: Vec<String>) -> Ruling {
    case.flags.clone_from(&flags);
    let (area, catalogue) = (case.area, case.catalogue);
    let mut ruling = Ruling::accepted_case(case);
    ruling.flags = flags;
    ruling.area = Some(area);
    ruling.catalogue = catalogue;
    ruling
}

fn begin(body: &Report, step: &Step<'_>) -> (Case, Vec<String>) {
    let mut flags = Vec::new();
    let area = locate(body, step, &mut flags);
    let used = step.catalogue(body.catalogue).or_else(|| step.catalogue(None));
    let found = used.and_then(|(_, catalogue)| subtype(catalogue, &body.category, &body.subtype));
    match (used, found) {
        (None, _) => flags.push("no_catalogue".to_owned()),
        (Some(_), None) => flags.push("unknown_subtype".to_owned()),
        (Some(_), Some((_, found))) => check_content(body, found, &mut flags),
    }
    let mut case = blank(step, body, area);
    case.catalogue = used.map(|(hash, _)| hash).or(body.catalogue);
    case.fields = fields(body, found.map(|(_, subtype)| subtype), step, &mut flags);
    evidence::claim(&mut case, &body.photos, step, false);
    (case, flags)
}

fn locate(body: &Report, step: &Step<'_>, flags: &mut Vec<String>) -> AreaId {
    let Some(areas) = step.ctx.areas else {
        flags.push("no_areas".to_owned());
        return AreaId::NIL;
    };
    let located = areas.document.locate(&body.position);
    match located.grids {
        0 => flags.push("no_grid".to_owned()),
        1 => {}
        _ => flags.push("several_grids".to_owned()),
    }
    if !covered(step.ctx, located.area) {
        flags.push("outside_own_area".to_owned());
    }
    if body.position.accuracy_m.is_some_and(|accuracy_m| accuracy_m > 100) {
        flags.push("position_vague".to_owned());
    }
    located.area
}

fn covered(ctx: &Context<'_>, area: AreaId) -> bool {
    let index = ctx.areas.map(|it| it.document);
    ctx.actor.is_none_or(|actor| actor.grants.iter().any(|grant| reaches(grant, area, index)))
}

fn check_content(body: &Report, found: &Subtype, flags: &mut Vec<String>) {
    for spec in &found.fields {
        match body.fields.get(&spec.code).filter(|value| !value.is_null()) {
            None if spec.required == Required::Report => flags.push(format!("field_missing:{}", spec.code)),
            Some(value) if fits(spec, value).is_err() => flags.push(format!("field_invalid:{}", spec.code)),
            None | Some(_) => {}
        }
    }
    let before = body.photos.iter().filter(|photo| photo.role == EvidenceRole::Before).count();
    if before < usize::from(found.evidence.before) {
        flags.push("evidence_missing".to_owned());
    }
}

/// The mergeable fields as first held. A value that stands where a personal one belongs is not taken into the
/// document: it would be readable by all; it stays in the line.
fn fields(
    body: &Report,
    found: Option<&Subtype>,
    step: &Step<'_>,
    flags: &mut Vec<String>,
) -> BTreeMap<FieldName, Held> {
    let held = |value: Value| Held { value, rev: step.ctx.rev, role: step.role() };
    let mut fields = BTreeMap::new();
    fields.insert(FieldName::Kind, held(json!({"category": body.category.as_str(), "subtype": body.subtype.as_str()})));
    fields.insert(FieldName::Position, held(json!(body.position)));
    if let Some(note) = &body.note {
        fields.insert(FieldName::Note, held(json!(note)));
    }
    match body.subject.as_deref().map(str::trim) {
        Some(subject) if subject.len() > TEXT_BYTES_MAX => flags.push("subject_too_long".to_owned()),
        Some(subject) if !subject.is_empty() => {
            fields.insert(FieldName::Subject, held(json!(subject)));
        }
        _ => {}
    }
    for (code, value) in &body.fields {
        let spec = found.and_then(|found| found.fields.iter().find(|spec| spec.code == *code));
        let plain_personal =
            spec.is_some_and(|spec| matches!(spec.holds, FieldKind::Personal { .. }) && fits(spec, value).is_err());
        if spec.is_none() && found.is_some() {
            flags.push(format!("field_unknown:{code}"));
        }
        // Who a value is for that the catalogue does not know can't be told. Without any, it is all there is to show.
        let has_catalogue = step.catalogue(body.catalogue).or_else(|| step.catalogue(None)).is_some();
        let plain_unknown = step.ctx.rules >= 2 && has_catalogue && spec.is_none() && !is_sealed(value);
        if !plain_personal && !plain_unknown && !value.is_null() {
            fields.insert(FieldName::Field(code.clone()), held(value.clone()));
        }
    }
    fields
}

fn blank(step: &Step<'_>, body: &Report, area: AreaId) -> Case {
    Case {
        id: step.op.entity,
        short_code: short_code(step.op.entity),
        number: None,
        state: State::Reported,
        catalogue: None,
        pinned: false,
        source: body.source.clone(),
        area,
        fields: BTreeMap::new(),
        flags: Vec::new(),
        reporter: step.by(),
        evidence: Vec::new(),
        comments: Vec::new(),
        comment_count: 0,
        conflicts: Vec::<Conflict>::new(),
        filed: None,
        assignment: None,
        former_units: Vec::new(),
        fix: None,
        check: None,
        end: None,
        duplicate_of: None,
        state_before_duplicate: None,
        duplicates: Vec::new(),
        returns: 0,
        reworks: 0,
        reopened: 0,
        needs_audit: false,
        deadline_issued: false,
        clocks: Vec::new(),
        stages: Vec::new(),
        interim: Vec::new(),
        suspended: None,
        was_suspended: false,
        extension: None,
        supervised: None,
        urged: 0,
        returned_by: BTreeMap::new(),
        predecessors: Vec::new(),
        relapses: Vec::new(),
        arbitration: None,
        restricted: None,
        archived: None,
        first_rev: step.ctx.rev,
        reported_ms: step.ctx.first_received_ms,
        changed_ms: step.ctx.received_ms,
    }
}

/// Category and subtype of a case.
pub fn kind_of(case: &Case) -> Option<(Code, Code)> {
    kind_in(&case.fields.get(&FieldName::Kind)?.value)
}

/// Category and subtype as the field `kind` holds them.
pub(super) fn kind_in(kind: &Value) -> Option<(Code, Code)> {
    let code = |name: &str| kind.get(name)?.as_str()?.parse().ok();
    Some((code("category")?, code("subtype")?))
}
