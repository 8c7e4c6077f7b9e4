//! What people do: something that the screen in front of them suggests, or now and then something that it does not.

use std::collections::BTreeMap;

use schema::case::{Case, Channel, FieldName, Position, Source, State};
use schema::catalogue::Code;
use schema::hash::Hash;
use schema::ids::EntityId;
use schema::op::{
    AddEvidence, Amend, Assign, Body, Change, Check, CheckVerdict, Close, Comment, Decline, EvidenceRole, File,
    LinkDuplicate, Nothing, Reason, Reopen, Report, ReturnAssignment, Role, Sealed, SettleOnSite, SubmitFix,
};
use serde_json::json;
use tests::dice::Dice;
use tests::world::World;

/// A deed: on which case, what, with which photos.
pub(crate) type Deed = (Option<EntityId>, Body, Vec<(EvidenceRole, Vec<u8>)>);

fn code(text: &str) -> Code {
    text.parse().expect("a code")
}

fn sealed(dice: &mut Dice) -> Sealed {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&dice.throw().to_be_bytes());
    Sealed { sealed: Hash(bytes) }
}

fn photo(dice: &mut Dice, role: EvidenceRole) -> (EvidenceRole, Vec<u8>) {
    // Few different photos, so that the same one is named twice now and then.
    (role, vec![u8::try_from(dice.below(40)).expect("small"); 60 + dice.below(60)])
}

/// Somewhere in the middle of a grid, sometimes anywhere.
fn position(world: &World, dice: &mut Dice) -> Position {
    let grids: Vec<_> = world.city.areas.areas.iter().filter(|area| !area.boundary.is_empty()).collect();
    let area = grids[dice.below(grids.len())];
    let ring = &area.boundary[0][0];
    let count = i64::try_from(ring.len()).expect("small");
    let sum = ring.iter().fold((0_i64, 0_i64), |sum, point| (sum.0 + i64::from(point.0), sum.1 + i64::from(point.1)));
    let middle = |sum: i64| i32::try_from(sum / count).expect("on earth");
    Position { accuracy_m: Some(10), ..Position::at(middle(sum.1), middle(sum.0)) }
}

fn report(world: &World, dice: &mut Dice) -> Report {
    Report {
        category: code("stall"),
        subtype: code(["road_occupation", "unlicensed", "shop_overflow"][dice.below(3)]),
        catalogue: None,
        position: position(world, dice),
        subject: dice.percent(60).then(|| format!("stall {}", dice.below(9))),
        note: Some(sealed(dice)),
        fields: BTreeMap::new(),
        source: Source { channel: Channel::Patrol, number: None },
        photos: Vec::new(),
    }
}

/// Something for this person to do, given the cases on the screen.
pub(crate) fn deed(world: &World, dice: &mut Dice, roles: &[Role], cases: &[Case]) -> Option<Deed> {
    if cases.is_empty() || dice.percent(25) {
        return begin(world, dice, roles.contains(&Role::Crew));
    }
    let case = &cases[dice.below(cases.len())];
    let some = |body: Body| Some((Some(case.id), body, Vec::new()));
    match dice.below(100) {
        0..10 => some(Body::Comment(Comment { text: sealed(dice) })),
        10..22 => {
            let before = photo(dice, EvidenceRole::Before);
            Some((Some(case.id), Body::AddEvidence(AddEvidence { photos: Vec::new() }), vec![before]))
        }
        22..36 => some(amend(world, dice, case)),
        _ if roles.contains(&Role::Supervisor) => supervise(world, dice, case, cases),
        _ if roles.contains(&Role::Crew) => fix(dice, case),
        _ => inspect(dice, case),
    }
}

/// Crews report and do not settle: what they settled would wait for a supervisor.
fn begin(world: &World, dice: &mut Dice, crew: bool) -> Option<Deed> {
    let photos = (0..dice.below(3)).map(|_| photo(dice, EvidenceRole::Before)).collect();
    let report = report(world, dice);
    if dice.percent(20) && !crew {
        return Some((None, Body::SettleOnSite(SettleOnSite { report, outcome: code("persuaded") }), photos));
    }
    Some((None, Body::Report(report), photos))
}

fn amend(world: &World, dice: &mut Dice, case: &Case) -> Body {
    let field = if dice.percent(40) { FieldName::Position } else { FieldName::Subject };
    let was = case.fields.get(&field).map(|held| held.value.clone()).unwrap_or_default();
    let to = match field {
        FieldName::Position => json!(position(world, dice)),
        _ => json!(format!("stall {}", dice.below(9))),
    };
    Body::Amend(Amend { changes: BTreeMap::from([(field, Change { was, to })]) })
}

fn inspect(dice: &mut Dice, case: &Case) -> Option<Deed> {
    let verdict = if dice.percent(70) { CheckVerdict::Pass } else { CheckVerdict::Fail };
    let photos = vec![photo(dice, EvidenceRole::Check)];
    Some((Some(case.id), Body::Check(Check { verdict, note: None, photos: Vec::new() }), photos))
}

fn fix(dice: &mut Dice, case: &Case) -> Option<Deed> {
    let body = match dice.below(10) {
        0..2 => Body::Accept(Nothing {}),
        2..4 => Body::ReturnAssignment(ReturnAssignment { reason: code("wrong_area"), note: None, photos: Vec::new() }),
        _ => Body::SubmitFix(SubmitFix { note: None, photos: Vec::new() }),
    };
    let after = matches!(body, Body::SubmitFix(_)).then(|| photo(dice, EvidenceRole::After));
    Some((Some(case.id), body, after.into_iter().collect()))
}

fn supervise(world: &World, dice: &mut Dice, case: &Case, cases: &[Case]) -> Option<Deed> {
    let reason = Reason { reason: sealed(dice) };
    let condition = |closing: bool, dice: &mut Dice| -> Code {
        let catalogue = world.catalogue().expect("the shipped catalogue");
        let (category, subtype) = sync_core::case::kind_of(case).expect("a kind");
        let (_, found) = sync_core::catalogue::subtype(&catalogue, &category, &subtype).expect("a known subtype");
        let choices = if closing { &found.closing_conditions } else { &found.filing_conditions };
        choices[dice.below(choices.len())].code.clone()
    };
    let whim = dice.percent(15);
    let body = match case.state {
        _ if whim => match dice.below(5) {
            0 => Body::Void(reason),
            1 => Body::LinkDuplicate(LinkDuplicate { of: cases[dice.below(cases.len())].id }),
            2 => Body::UnlinkDuplicate(reason),
            3 => Body::Reopen(Reopen { reason: reason.reason, photos: Vec::new() }),
            _ => Body::Close(Close { condition: condition(true, dice) }),
        },
        State::Reported if dice.percent(85) => Body::File(File { condition: condition(false, dice) }),
        State::Reported => Body::Decline(Decline { reason: code("no_violation"), note: None }),
        State::Filed | State::Assigned => {
            let unit = world.city.units[dice.below(world.city.units.len())].id;
            Body::Assign(Assign { unit, co_units: Vec::new(), holder: None, note: None })
        }
        State::Fixed => return inspect(dice, case),
        State::Checked => Body::Close(Close { condition: condition(true, dice) }),
        State::Closed | State::Declined => Body::Reopen(Reopen { reason: reason.reason, photos: Vec::new() }),
        State::Duplicate => Body::UnlinkDuplicate(reason),
        State::Void => return None,
    };
    Some((Some(case.id), body, Vec::new()))
}
