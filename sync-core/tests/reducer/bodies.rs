//! What people ask for at the desk, in as few words as a test wants.

use std::collections::BTreeMap;

use schema::case::{Channel, Position, Source};
use schema::hash::Hash;
use schema::ids::UnitId;
use schema::op::{Body, EvidenceRole, FixResult, PhotoClaim, Report, Sealed, Taken, TakenBy};
use schema::record::RefusalCode;
use sync_core::apply::Decision;

use crate::desk::CATALOGUE;

pub(crate) fn sealed(byte: u8) -> Sealed {
    Sealed { sealed: Hash([byte; 32]) }
}

pub(crate) fn photo(byte: u8, role: EvidenceRole) -> PhotoClaim {
    PhotoClaim {
        sha256: Hash([byte; 32]),
        size: 1000,
        role,
        taken: Taken { by: TakenBy::Camera, wall_ms: None, position: None, mock_position: false },
    }
}

pub(crate) fn a_report(photos: &[PhotoClaim]) -> Report {
    Report {
        category: "stall".parse().expect("code"),
        subtype: "road_occupation".parse().expect("code"),
        catalogue: Some(CATALOGUE),
        position: Position { accuracy_m: Some(5), ..Position::at(500, 500) },
        subject: Some("stall 12".to_owned()),
        note: Some(sealed(1)),
        fields: BTreeMap::from([("goods".parse().expect("code"), "fruit".into())]),
        source: Source { channel: Channel::Patrol, number: None },
        photos: photos.to_vec(),
    }
}

pub(crate) fn report(photos: &[PhotoClaim]) -> Body {
    Body::Report(a_report(photos))
}

pub(crate) fn file() -> Body {
    Body::File(schema::op::File { condition: "occupies_road".parse().expect("code") })
}

pub(crate) fn decline() -> Body {
    Body::Decline(schema::op::Decline { reason: "not_a_problem".parse().expect("code"), note: None })
}

pub(crate) fn void() -> Body {
    Body::Void(schema::op::Reason { reason: sealed(9) })
}

pub(crate) fn assign(unit: UnitId) -> Body {
    Body::Assign(schema::op::Assign {
        unit,
        co_units: Vec::new(),
        co_limits: Default::default(),
        holder: None,
        note: None,
    })
}

pub(crate) fn fix(photos: &[PhotoClaim]) -> Body {
    Body::SubmitFix(schema::op::SubmitFix { result: FixResult::Fixed, note: None, photos: photos.to_vec() })
}

pub(crate) fn check_passes() -> Body {
    check(schema::op::CheckVerdict::Pass)
}

pub(crate) fn check(verdict: schema::op::CheckVerdict) -> Body {
    Body::Check(schema::op::Check { verdict, note: None, photos: Vec::new() })
}

pub(crate) fn close() -> Body {
    Body::Close(schema::op::Close { condition: "cleared".parse().expect("code") })
}

pub(crate) fn reopen() -> Body {
    Body::Reopen(schema::op::Reopen { reason: sealed(5), photos: Vec::new() })
}

pub(crate) fn add(byte: u8) -> Body {
    Body::AddEvidence(schema::op::AddEvidence { photos: vec![photo(byte, EvidenceRole::Before)] })
}

pub(crate) fn amend(field: &str, was: serde_json::Value, to: serde_json::Value) -> Body {
    let field = field.parse().expect("field");
    Body::Amend(schema::op::Amend { changes: BTreeMap::from([(field, schema::op::Change { was, to })]) })
}

pub(crate) fn refused(decision: &Decision) -> Option<RefusalCode> {
    decision.record.code
}
