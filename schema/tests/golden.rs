//! Golden wire bodies: what one version wrote, every later one reads and writes the same.

#![expect(clippy::unwrap_used, reason = "a body that can not be written is a failed test")]

use std::collections::BTreeMap;

use schema::case::{FieldName, State};
use schema::hash::{Hash, Salt, Signature};
use schema::ids::{AccountId, BootId, DeviceId, EntityId, EpochId, LogId, OpId};
use schema::op::{Captured, SealedValue};
use schema::problem::{Problem, ProblemCode};
use schema::record::{Outcome, OutcomeLine, Record, RefusalCode};
use schema::sync::{
    BatchAnswer, Class, Durability, EntityLine, ExitLine, Node, Scope, SyncEnd, SyncHead, SyncHeader, SyncLine,
    TreeHead, ValueLine,
};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use uuid::Uuid;

const ID: &str = "00000000-0000-0000-0000-00000000000";

/// Replaces `#n` by the id that ends in n, and `~` by 63 zeros: a golden body that a person can read.
fn spelled(golden: &str) -> String {
    let mut text = golden.replace('~', &"0".repeat(63));
    for digit in 0..10 {
        text = text.replace(&format!("#{digit}"), &format!("{ID}{digit}"));
    }
    text
}

fn golden<T: Serialize + DeserializeOwned>(value: &T, golden: &str) {
    let golden = spelled(golden);
    assert_eq!(serde_json::to_string(value).unwrap(), golden);
    let again: T = serde_json::from_str(&golden).unwrap();
    assert_eq!(serde_json::to_string(&again).unwrap(), golden, "read back and written again");
}

fn hash(last: u8) -> Hash {
    let mut bytes = [0; 32];
    bytes[31] = last;
    Hash(bytes)
}

fn area() -> Scope {
    Scope::normal(Node::Area(schema::ids::AreaId(Uuid::from_u128(7))))
}

#[test]
fn the_header_of_a_sync_request() {
    let header = SyncHeader {
        protocol: (1, 1),
        log: LogId(Uuid::from_u128(1)),
        device: DeviceId(Uuid::from_u128(2)),
        epoch: Some(EpochId(Uuid::from_u128(3))),
        app: "rectify-phone/0.1.0".to_owned(),
        incarnation: 9_007_199_254_740_991,
        first_seq: 4,
        count: 1,
        chain: hash(5),
        signature: Some(Signature([0; 64])),
        clock: Captured { wall_ms: -1, elapsed_ms: 2, boot: BootId(Uuid::from_u128(6)) },
        scopes: BTreeMap::from([(Scope::normal(Node::Log), 10), (area(), 0)]),
        own: 12,
        checkpoint: Some(TreeHead { size: 13, root: hash(1) }),
        durable_checkpoint: None,
        rows: None,
        receipts: Vec::new(),
    };
    let zeros = "A".repeat(86);
    golden(
        &header,
        &[
            r##"{"protocol":[1,1],"log":"#1","device":"#2","epoch":"#3","app":"rectify-phone/0.1.0","##,
            r##""incarnation":9007199254740991,"first_seq":4,"count":1,"chain":"~5","##,
            &format!(r##""signature":"{zeros}==","clock":{{"wall_ms":-1,"elapsed_ms":2,"boot":"#6"}},"##),
            r##""scopes":{"log":10,"area:#7":0},"own":12,"checkpoint":{"size":13,"root":"~1"},"##,
            r##""durable_checkpoint":null}"##,
        ]
        .concat(),
    );
}

#[test]
fn the_lines_of_a_sync_answer() {
    let head = SyncHead {
        protocol: 1,
        log: LogId(Uuid::from_u128(1)),
        epoch: EpochId(Uuid::from_u128(3)),
        head: 20,
        durable: 19,
        durability: Durability::Backup,
        durable_ms: 18,
        now_ms: 21,
        batch: BatchAnswer::Gap { expected: 4 },
        receipt: None,
        checkpoint: None,
        consistency: vec![hash(2)],
        default_scopes: vec![area()],
        epoch_start: None,
    };
    golden(
        &SyncLine::Head(Box::new(head)),
        r##"{"head":{"protocol":1,"log":"#1","epoch":"#3","head":20,"durable":19,"durability":"backup","durable_ms":18,"now_ms":21,"batch":{"answer":"gap","expected":4},"receipt":null,"checkpoint":null,"consistency":["~2"],"default_scopes":["area:#7"]}}"##,
    );
    let outcome = OutcomeLine {
        op: OpId(Uuid::from_u128(4)),
        rev: 20,
        epoch: EpochId(Uuid::from_u128(3)),
        incarnation: 5,
        device_seq: 6,
        entity: EntityId(Uuid::from_u128(8)),
        kind: "accept".to_owned(),
        prev_leaf: hash(0),
        received_ms: 7,
        first_received_ms: 7,
        state_after: 3,
        record: r#"{"outcome":"accepted","rules":1}"#.to_owned(),
    };
    golden(
        &SyncLine::Outcome(Box::new(outcome)),
        r##"{"outcome":{"op":"#4","rev":20,"epoch":"#3","incarnation":5,"device_seq":6,"entity":"#8","kind":"accept","prev_leaf":"~0","received_ms":7,"first_received_ms":7,"state_after":3,"record":"{\"outcome\":\"accepted\",\"rules\":1}"}}"##,
    );
    let document = RawValue::from_string(r#"{"kind":"log"}"#.to_owned()).unwrap();
    let id = EntityId(Uuid::from_u128(8));
    golden(
        &SyncLine::Entity(EntityLine { scope: area(), id, rev: 9, document: Some(document) }),
        r##"{"entity":{"scope":"area:#7","id":"#8","rev":9,"document":{"kind":"log"}}}"##,
    );
    let value = SealedValue { sealed: hash(3), salt: Salt([0; 16]), value: "张".to_owned() };
    golden(
        &SyncLine::Value(ValueLine { entity: id, value }),
        r##"{"value":{"entity":"#8","sealed":"~3","salt":"AAAAAAAAAAAAAAAAAAAAAA==","value":"张"}}"##,
    );
    golden(
        &SyncLine::Exit(ExitLine { scope: area(), entity: id, rev: 9 }),
        r##"{"exit":{"scope":"area:#7","entity":"#8","rev":9}}"##,
    );
    golden(&SyncLine::Drop(area()), r##"{"drop":"area:#7"}"##);
    let end = SyncEnd { scopes: BTreeMap::from([(area(), 20)]), own: 20, more: false, scope_too_large: None };
    golden(&SyncLine::End(end), r##"{"end":{"scopes":{"area:#7":20},"own":20,"more":false}}"##);
}

#[test]
fn a_record_names_what_it_rested_on_and_nothing_that_is_empty() {
    let record = Record {
        outcome: Outcome::AcceptedWithConflict,
        code: None,
        detail: serde_json::Map::new(),
        rules: 1,
        acting: None,
        person: None,
        units: Vec::new(),
        catalogue: Some(hash(1)),
        areas: None,
        area: None,
        captured: None,
        verified: Vec::new(),
        flags: Vec::new(),
        conflicts: vec![FieldName::Subject, "field.length_m".parse().unwrap()],
        number: None,
        released: Vec::new(),
    };
    golden(
        &record,
        r##"{"outcome":"accepted_with_conflict","rules":1,"catalogue":"~1","conflicts":["subject","field.length_m"]}"##,
    );
}

#[test]
fn a_problem_document() {
    let problem = Problem {
        kind: "/problems/offset_mismatch".to_owned(),
        status: 409,
        code: ProblemCode::OffsetMismatch,
        title: "t".to_owned(),
        detail: "d".to_owned(),
        request: "r".to_owned(),
        field: None,
    };
    golden(
        &problem,
        r##"{"type":"/problems/offset_mismatch","status":409,"code":"offset_mismatch","title":"t","detail":"d","request":"r"}"##,
    );
}

#[test]
fn names_and_numbers_that_stand_in_leaves_never_change() {
    let numbers = [State::Reported, State::Filed, State::Assigned, State::Fixed, State::Checked, State::Closed];
    let ends = [State::Declined, State::Duplicate, State::Void];
    let names: Vec<String> = numbers.iter().chain(&ends).map(|state| serde_json::to_string(state).unwrap()).collect();
    assert_eq!(
        names.join(" "),
        r#""reported" "filed" "assigned" "fixed" "checked" "closed" "declined" "duplicate" "void""#
    );
    assert_eq!(serde_json::to_string(&RefusalCode::EvidenceSinceBase).unwrap(), r#""evidence_since_base""#);
}

#[test]
fn a_position_that_was_given_on_a_chinese_map_keeps_both() {
    use schema::case::{Gcj02, Position};
    golden(&Position::at(1, -2), r#"{"lat_e7":1,"lon_e7":-2}"#);
    let given = Some(Gcj02 { lat_e7: 3, lon_e7: 4 });
    let position = Position { accuracy_m: Some(5), gcj02: given, ..Position::at(1, -2) };
    golden(&position, r#"{"lat_e7":1,"lon_e7":-2,"accuracy_m":5,"gcj02":{"lat_e7":3,"lon_e7":4}}"#);
}

#[test]
fn ids_scopes_and_hashes_have_one_spelling() {
    for wrong in ["", "{00000000-0000-0000-0000-000000000001}", "00000000-0000-0000-0000-00000000000A", "1"] {
        assert!(wrong.parse::<AccountId>().is_err(), "{wrong}");
    }
    for wrong in
        ["", "area", "area:", "area:1", "LOG", "log:normal", "unit:x", "grid:00000000-0000-0000-0000-000000000001"]
    {
        assert!(wrong.parse::<Scope>().is_err(), "{wrong}");
    }
    let named = Scope { node: area().node, class: Class::For(schema::op::Role::Auditor) };
    assert_eq!(named.to_string(), format!("area:{ID}7:auditor"));
    assert_eq!(named.to_string().parse::<Scope>().unwrap(), named);
    let restricted = Scope { node: Node::Log, class: Class::Restricted };
    assert_eq!(restricted.to_string(), "log:restricted");
    assert_eq!("log:restricted".parse::<Scope>().unwrap(), restricted);
    assert!("AB".repeat(32).parse::<Hash>().is_err(), "upper case");
    assert!("ab".repeat(31).parse::<Hash>().is_err(), "too short");
}
