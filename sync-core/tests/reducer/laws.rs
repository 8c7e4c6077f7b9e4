//! Laws that hold for any people doing anything in any order.

use proptest::collection::vec;
use proptest::prelude::*;
use schema::case::State;
use schema::entity::Entity;
use schema::op::{Body, CheckVerdict, EvidenceRole, LinkDuplicate, Nothing, Reason, ReturnAssignment, WaiveEvidence};
use schema::record::Outcome;
use serde_json::{Value, json};

use crate::bodies::*;
use crate::desk::*;

#[derive(Debug, Clone)]
pub(crate) struct Deed {
    pub(crate) who: usize,
    pub(crate) what: u8,
    pub(crate) byte: u8,
    pub(crate) seen_back: u64,
}

fn deed() -> impl Strategy<Value = Deed> {
    (0..PEOPLE, 0..20_u8, 1..6_u8, 0..6_u64).prop_map(|(who, what, byte, seen_back)| Deed {
        who,
        what,
        byte,
        seen_back,
    })
}

pub(crate) fn body(deed: &Deed) -> Body {
    let texts = ["stall 12", "A", "B"];
    let text = |byte: u8| json!(texts[usize::from(byte) % texts.len()]);
    match deed.what {
        0 | 1 => amend("subject", text(deed.byte), text(deed.byte / 2)),
        2 => add(deed.byte),
        3 => file(),
        4 => decline(),
        5 | 6 => assign(if deed.byte.is_multiple_of(2) { UNIT } else { UNIT_2 }),
        7 => Body::Accept(Nothing {}),
        8 => Body::ReturnAssignment(ReturnAssignment {
            reason: "not_ours".parse().expect("code"),
            note: None,
            photos: Vec::new(),
        }),
        9 | 10 => fix(&[photo(deed.byte, EvidenceRole::After)]),
        11 | 12 => check_passes(),
        13 => check(CheckVerdict::Fail),
        14 => close(),
        15 => reopen(),
        16 => void(),
        17 => Body::LinkDuplicate(LinkDuplicate { of: OTHER_CASE }),
        18 => Body::UnlinkDuplicate(Reason { reason: sealed(3) }),
        _ => Body::WaiveEvidence(WaiveEvidence {
            photo: photo(deed.byte, EvidenceRole::After).sha256,
            reason: sealed(4),
        }),
    }
}

fn arbitrary_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        "[a-z0-9 :-]{0,40}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 24, 6, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::btree_map("[a-z_]{1,10}", inner, 0..5).prop_map(|map| json!(map)),
        ]
    })
}

const KINDS: [&str; 20] = [
    "report",
    "amend",
    "add_evidence",
    "withdraw_evidence",
    "comment",
    "file",
    "decline",
    "link_duplicate",
    "assign",
    "accept",
    "return_assignment",
    "submit_fix",
    "check",
    "close",
    "settle_on_site",
    "waive_evidence",
    "reopen",
    "void",
    "photo_verified",
    "release",
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, failure_persistence: None, ..ProptestConfig::default() })]

    /// INV-STATE-LEGAL, INV-NO-SILENT-OVERWRITE, INV-TOTAL over whatever people do.
    #[test]
    fn whatever_people_do_the_case_keeps_its_laws(deeds in vec(deed(), 1..60)) {
        let mut desk = Desk::at(State::Reported);
        let other = desk.op(INSPECTOR, OTHER_CASE, &report(&[]));
        desk.take(&other);
        for deed in &deeds {
            let before = desk.case().clone();
            let seen = desk.rev.saturating_sub(deed.seen_back);
            let body = body(deed);
            let decision = desk.act_at(deed.who, seen, body.clone());
            let after = desk.case().clone();
            prop_assert!(after.evidence.len() >= before.evidence.len(), "evidence only adds");
            if matches!(decision.record.outcome, Outcome::Rejected | Outcome::Parked) {
                prop_assert_eq!(after.state, before.state, "a refusal moves no state");
            }
            if before.state == State::Closed && after.state != State::Closed {
                prop_assert!(matches!(body, Body::Reopen(_)), "a closed case is reopened by nothing else");
            }
            if after.state == State::Checked && before.state != State::Checked && !matches!(body, Body::UnlinkDuplicate(_)) {
                let checker = desk.accounts[deed.who].clone();
                let fix = after.fix.clone().expect("checked without a fix");
                prop_assert!(checker.person != fix.by.person, "four eyes by person");
                prop_assert!(!checker.units.iter().any(|unit| fix.units.contains(unit)), "four eyes by unit");
            }
            for (field, held) in &before.fields {
                let now = after.fields.get(field).expect("a field is never dropped");
                if now.value != held.value {
                    let Body::Amend(amend) = &body else { panic!("only amend changes a field") };
                    let was_seen = amend.changes.get(field).is_some_and(|change| change.was == held.value);
                    let kept = after.conflicts.iter().any(|it| it.field == *field && it.loser.value == held.value);
                    prop_assert!(was_seen || kept, "a value is never replaced unseen without being kept");
                }
            }
            if desk.rev.is_multiple_of(3) {
                desk.arrive(deed.byte);
            }
        }
    }

    /// INV-TOTAL: any body under any kind has an outcome, and a report is never rejected for its content.
    #[test]
    fn any_body_has_an_outcome(kind in 0..KINDS.len(), body in arbitrary_json(), who in 0..PEOPLE, exists in any::<bool>()) {
        let mut desk = if exists { Desk::at(State::Reported) } else { Desk::new() };
        let mut op = desk.op(who, CASE, &add(1));
        op.kind = KINDS[kind].to_owned();
        op.body = body.as_object().cloned().unwrap_or_default();
        let decision = desk.take(&op);
        if !exists && matches!(KINDS[kind], "report" | "settle_on_site") {
            prop_assert_ne!(decision.record.outcome, Outcome::Rejected);
        }
        let text = serde_json::to_string(&decision.record).expect("a record is JSON");
        let again: schema::record::Record = serde_json::from_str(&text).expect("and reads back");
        prop_assert_eq!(again, decision.record);
    }

    /// INV-CLOCK-IMMUNE: shifting any wall clock changes no outcome.
    #[test]
    fn no_wall_clock_changes_an_outcome(deeds in vec(deed(), 1..25), shift in any::<i64>()) {
        let run = |shift: i64| {
            let mut desk = Desk::at(State::Reported);
            for deed in &deeds {
                let mut op = desk.op(deed.who, CASE, &body(deed));
                op.captured.wall_ms = shift;
                desk.take(&op);
            }
            desk.entities
        };
        let (one, other): (std::collections::BTreeMap<_, Entity>, _) = (run(0), run(shift));
        prop_assert_eq!(one, other);
    }
}
