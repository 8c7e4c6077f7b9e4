//! What people do: something that the screen in front of them suggests, or now and then something that it does not.

use std::collections::BTreeMap;

use schema::case::{Case, Channel, FieldName, Position, Source, State};
use schema::catalogue::Code;
use schema::hash::Salt;
use schema::ids::EntityId;
use schema::op::{
    AddEvidence, Amend, Assign, Body, Change, Check, CheckVerdict, Close, Comment, Decline, EvidenceRole, File,
    FixResult, LinkDuplicate, Nothing, Reason, Reopen, Report, ReturnAssignment, Role, Sealed, SealedValue,
    SettleOnSite, SubmitFix,
};
use serde_json::json;
use tests::dice::Dice;
use tests::world::World;

/// A deed: on which case, what, with which photos and personal values.
pub(crate) struct Deed {
    pub(crate) case: Option<EntityId>,
    pub(crate) body: Body,
    pub(crate) photos: Vec<(EvidenceRole, Vec<u8>)>,
    pub(crate) values: Vec<SealedValue>,
}

/// How a personal value begins that only those may read who handle the case.
pub(crate) const FOR_HANDLERS: &str = "phone ";

/// Somebody with something to do.
pub(crate) struct Hand<'a> {
    pub(crate) world: &'a World,
    pub(crate) dice: &'a mut Dice,
    /// Photos of one seed are of no other.
    pub(crate) seed: u64,
    values: Vec<SealedValue>,
}

fn code(text: &str) -> Code {
    text.parse().expect("a code")
}

impl<'a> Hand<'a> {
    pub(crate) fn new(world: &'a World, dice: &'a mut Dice, seed: u64) -> Self {
        Self { world, dice, seed, values: Vec::new() }
    }

    fn sealed(&mut self, text: &str) -> Sealed {
        let mut salt = Salt([0; 16]);
        salt.0[..8].copy_from_slice(&self.dice.throw().to_be_bytes());
        let sealed = sync_core::line::seal(&salt, text);
        self.values.push(SealedValue { sealed: sealed.sealed, salt, value: text.to_owned() });
        sealed
    }

    /// Few different photos, so that the same one is named twice now and then.
    fn photo(&mut self, role: EvidenceRole) -> (EvidenceRole, Vec<u8>) {
        let which = self.dice.below(60);
        let mut bytes = self.seed.to_be_bytes().to_vec();
        bytes.resize(60 + which, u8::try_from(which).expect("small"));
        (role, bytes)
    }
}

/// Somewhere in the middle of a grid, sometimes anywhere.
fn position(hand: &mut Hand<'_>) -> Position {
    let grids: Vec<_> = hand.world.city.areas.areas.iter().filter(|area| !area.boundary.is_empty()).collect();
    let area = grids[hand.dice.below(grids.len())];
    let ring = &area.boundary[0][0];
    let count = i64::try_from(ring.len()).expect("small");
    let sum = ring.iter().fold((0_i64, 0_i64), |sum, point| (sum.0 + i64::from(point.0), sum.1 + i64::from(point.1)));
    let middle = |sum: i64| i32::try_from(sum / count).expect("on earth");
    Position { accuracy_m: Some(10), ..Position::at(middle(sum.1), middle(sum.0)) }
}

fn report(hand: &mut Hand<'_>) -> Report {
    let subtype = ["road_occupation", "unlicensed", "shop_overflow"][hand.dice.below(3)];
    let mut fields = BTreeMap::new();
    if subtype == "unlicensed" && hand.dice.percent(60) {
        let number = format!("{FOR_HANDLERS}{}", hand.dice.below(1_000_000));
        fields.insert(code("vendor_phone"), json!(hand.sealed(&number)));
    }
    Report {
        category: code("stall"),
        subtype: code(subtype),
        catalogue: None,
        position: position(hand),
        subject: hand.dice.percent(60).then(|| format!("stall {}", hand.dice.below(9))),
        note: Some(hand.sealed("a remark")),
        fields,
        source: Source { channel: Channel::Patrol, number: None },
        photos: Vec::new(),
    }
}

/// Something for this person to do, given the cases on the screen.
pub(crate) fn deed(mut hand: Hand<'_>, roles: &[Role], cases: &[Case]) -> Option<Deed> {
    let (case, body, photos) = choose(&mut hand, roles, cases)?;
    let text = serde_json::to_string(&body).expect("a body");
    hand.values.retain(|value| text.contains(&value.sealed.to_string()));
    Some(Deed { case, body, photos, values: hand.values })
}

type Choice = (Option<EntityId>, Body, Vec<(EvidenceRole, Vec<u8>)>);

fn choose(hand: &mut Hand<'_>, roles: &[Role], cases: &[Case]) -> Option<Choice> {
    if cases.is_empty() || hand.dice.percent(25) {
        return begin(hand, roles.contains(&Role::Crew));
    }
    let case = &cases[hand.dice.below(cases.len())];
    let some = |body: Body| Some((Some(case.id), body, Vec::new()));
    match hand.dice.below(100) {
        0..10 => some(Body::Comment(Comment { text: hand.sealed("a remark") })),
        10..22 => {
            let before = hand.photo(EvidenceRole::Before);
            Some((Some(case.id), Body::AddEvidence(AddEvidence { photos: Vec::new() }), vec![before]))
        }
        22..36 => some(amend(hand, case)),
        _ if roles.contains(&Role::Supervisor) => supervise(hand, case, cases),
        _ if roles.contains(&Role::Crew) => fix(hand, case),
        _ => inspect(hand, case),
    }
}

/// Crews report and do not settle: what they settled would wait for a supervisor.
fn begin(hand: &mut Hand<'_>, crew: bool) -> Option<Choice> {
    let photos = (0..hand.dice.below(3)).map(|_| hand.photo(EvidenceRole::Before)).collect();
    let report = report(hand);
    if hand.dice.percent(20) && !crew {
        return Some((None, Body::SettleOnSite(SettleOnSite { report, outcome: code("persuaded") }), photos));
    }
    Some((None, Body::Report(report), photos))
}

fn amend(hand: &mut Hand<'_>, case: &Case) -> Body {
    let field = if hand.dice.percent(40) { FieldName::Position } else { FieldName::Subject };
    let was = case.fields.get(&field).map(|held| held.value.clone()).unwrap_or_default();
    let to = match field {
        FieldName::Position => json!(position(hand)),
        _ => json!(format!("stall {}", hand.dice.below(9))),
    };
    Body::Amend(Amend { changes: BTreeMap::from([(field, Change { was, to })]) })
}

fn inspect(hand: &mut Hand<'_>, case: &Case) -> Option<Choice> {
    let verdict = if hand.dice.percent(70) { CheckVerdict::Pass } else { CheckVerdict::Fail };
    let photos = vec![hand.photo(EvidenceRole::Check)];
    Some((Some(case.id), Body::Check(Check { verdict, note: None, photos: Vec::new() }), photos))
}

fn fix(hand: &mut Hand<'_>, case: &Case) -> Option<Choice> {
    let body = match hand.dice.below(10) {
        0..2 => Body::Accept(Nothing {}),
        2..4 => Body::ReturnAssignment(ReturnAssignment { reason: code("wrong_area"), note: None, photos: Vec::new() }),
        _ => Body::SubmitFix(SubmitFix { result: FixResult::Fixed, note: None, photos: Vec::new() }),
    };
    let after = matches!(body, Body::SubmitFix(_)).then(|| hand.photo(EvidenceRole::After));
    Some((Some(case.id), body, after.into_iter().collect()))
}

fn supervise(hand: &mut Hand<'_>, case: &Case, cases: &[Case]) -> Option<Choice> {
    let reason = Reason { reason: hand.sealed("a remark") };
    let condition = |closing: bool, hand: &mut Hand<'_>| -> Code {
        let catalogue = hand.world.catalogue();
        let (category, subtype) = sync_core::case::kind_of(case).expect("a kind");
        let (_, found) = sync_core::catalogue::subtype(catalogue, &category, &subtype).expect("a known subtype");
        let choices = if closing { &found.closing_conditions } else { &found.filing_conditions };
        choices[hand.dice.below(choices.len())].code.clone()
    };
    let whim = hand.dice.percent(15);
    let body = match case.state {
        _ if whim => match hand.dice.below(5) {
            0 => Body::Void(reason),
            1 => Body::LinkDuplicate(LinkDuplicate { of: cases[hand.dice.below(cases.len())].id }),
            2 => Body::UnlinkDuplicate(reason),
            3 => Body::Reopen(Reopen { reason: reason.reason, photos: Vec::new() }),
            _ => Body::Close(Close { condition: condition(true, hand) }),
        },
        State::Reported if hand.dice.percent(85) => Body::File(File { condition: condition(false, hand) }),
        State::Reported => Body::Decline(Decline { reason: code("no_violation"), note: None }),
        State::Filed | State::Assigned => {
            let unit = hand.world.city.units[hand.dice.below(hand.world.city.units.len())].id;
            Body::Assign(Assign { unit, co_units: Vec::new(), co_limits: Default::default(), holder: None, note: None })
        }
        State::Fixed => return inspect(hand, case),
        State::Checked => Body::Close(Close { condition: condition(true, hand) }),
        State::Closed | State::Declined => Body::Reopen(Reopen { reason: reason.reason, photos: Vec::new() }),
        State::Duplicate => Body::UnlinkDuplicate(reason),
        State::Void => return None,
    };
    Some((Some(case.id), body, Vec::new()))
}
