//! Lines as strangers send them.

use proptest::prelude::*;
use schema::ids::{AccountId, BootId, DeviceId, EntityId, LogId, OpId};
use schema::op::{Base, Body, Captured, Nothing, Op, Parked, PhotoVerified, Reason};
use schema::record::RefusalCode;
use serde_json::json;
use uuid::Uuid;

use super::*;

fn an_op() -> Op {
    Op {
        v: 1,
        log: LogId(Uuid::from_u128(1)),
        op: OpId(Uuid::from_u128(2)),
        device: DeviceId(Uuid::from_u128(3)),
        actor: AccountId(Uuid::from_u128(4)),
        entity: EntityId(Uuid::from_u128(5)),
        kind: "accept".to_owned(),
        kind_version: 1,
        base: Some(Base(schema::ids::EpochId(Uuid::from_u128(6)), 7)),
        captured: Captured { wall_ms: -8, elapsed_ms: 9, boot: BootId(Uuid::from_u128(10)) },
        salt: Salt([11; 16]),
        body: Map::new(),
    }
}

/// The line's members and their order are for ever: a golden line.
#[test]
fn the_line_is_written_as_agreed() {
    let line = write(&an_op()).unwrap();
    let golden = concat!(
        r#"{"v":1,"log":"00000000-0000-0000-0000-000000000001","op":"00000000-0000-0000-0000-000000000002","#,
        r#""device":"00000000-0000-0000-0000-000000000003","actor":"00000000-0000-0000-0000-000000000004","#,
        r#""entity":"00000000-0000-0000-0000-000000000005","kind":"accept","kind_version":1,"#,
        r#""base":["00000000-0000-0000-0000-000000000006",7],"#,
        r#""captured":{"wall_ms":-8,"elapsed_ms":9,"boot":"00000000-0000-0000-0000-00000000000a"},"#,
        r#""salt":"CwsLCwsLCwsLCwsLCwsLCw==","body":{}}"#
    );
    assert_eq!(line, golden);
    assert_eq!(read(line.as_bytes()).unwrap(), an_op());
    assert_eq!(body(&an_op()), ReadBody::Known(Box::new(Body::Accept(Nothing {}))));
}

#[test]
fn what_makes_equal_texts_unequal_values_is_not_taken() {
    let line = write(&an_op()).unwrap();
    let twice = line.replace(r#""kind_version":1,"#, r#""kind_version":1,"kind_version":2,"#);
    let float = line.replace(r#""kind_version":1"#, r#""kind_version":1.0"#);
    let upper = line.replace("00000000000a", "00000000000A");
    let nested = line.replace(r#""body":{}"#, &format!(r#""body":{{"a":{}1{}}}"#, "[".repeat(40), "]".repeat(40)));
    let tail = format!("{line} x");
    for wrong in [twice, float, upper, nested, tail, String::new(), "[]".to_owned(), "\u{0}".to_owned()] {
        assert_eq!(read(wrong.as_bytes()), Err(RefusalCode::NotAnOp), "{wrong}");
    }
    let long = line.replace(r#""body":{}"#, &format!(r#""body":{{"a":"{}"}}"#, "x".repeat(LINE_BYTES_MAX)));
    assert_eq!(read(long.as_bytes()), Err(RefusalCode::TooLong));
}

#[test]
fn a_line_of_exactly_the_longest_length_is_taken() {
    let line = write(&an_op()).unwrap();
    let room = LINE_BYTES_MAX - line.len() - r#""a":"""#.len();
    let fits = line.replace(r#""body":{}"#, &format!(r#""body":{{"a":"{}"}}"#, "x".repeat(room)));
    assert_eq!(fits.len(), LINE_BYTES_MAX);
    assert!(read(fits.as_bytes()).is_ok(), "and unknown members are tolerated");
}

#[test]
fn kinds_and_versions_of_the_future_are_told_from_bodies_that_do_not_fit() {
    let mut op = an_op();
    op.kind_version = 2;
    assert_eq!(body(&op), ReadBody::TooNew);
    op.kind_version = 1;
    op.kind = "fly".to_owned();
    assert_eq!(body(&op), ReadBody::TooNew);
    op.kind = "file".to_owned();
    assert!(matches!(body(&op), ReadBody::Misfit(why) if why.contains("condition")));
}

#[test]
fn a_sealed_value_must_have_its_hash() {
    let salt = Salt([1; 16]);
    let sealed = seal(&salt, "张");
    let line = serde_json::to_string(&SealedValue { sealed: sealed.sealed, salt, value: "张".to_owned() }).unwrap();
    assert!(is_value_line(line.as_bytes()));
    assert_eq!(read_value(line.as_bytes()).unwrap().value, "张");
    assert_eq!(read_value(line.replace('张', "李").as_bytes()), Err(ValueLineError::WrongHash));
    assert_eq!(read_value(b"{\"sealed\":\"\"}"), Err(ValueLineError::Malformed));
    let long = "x".repeat(SEALED_VALUE_BYTES_MAX + 1);
    let line = serde_json::to_string(&SealedValue { sealed: seal(&salt, &long).sealed, salt, value: long }).unwrap();
    assert_eq!(read_value(line.as_bytes()), Err(ValueLineError::TooLong));
}

#[test]
fn derived_ids_and_short_codes_are_fixed() {
    let log = LogId(Uuid::from_u128(1));
    let cause = OpId(Uuid::from_u128(2));
    let id = consequence_id(log, cause, "photo_verified", 0);
    assert_eq!(id.to_string(), "01d7184f-0372-8c5a-9f54-8c49e377706f");
    assert_ne!(id, consequence_id(log, cause, "photo_verified", 1));
    assert_eq!(id.0.get_version_num(), 8);
    let case = EntityId(Uuid::from_u128(0x0199_0000_0000_7000_8003_ffff_ffff_fffe));
    assert_eq!(short_code(case), "ZZZZZZZZZY");
    assert_eq!(short_code(EntityId(Uuid::from_u128(1))), "0000000001");
}

#[test]
fn kinds_are_written_in_snake_case() {
    let bodies = [
        (Body::UnlinkDuplicate(Reason { reason: seal(&Salt([0; 16]), "") }), "unlink_duplicate"),
        (Body::Release(Parked { parked: OpId::NIL, reason: seal(&Salt([0; 16]), "") }), "release"),
        (
            Body::PhotoVerified(PhotoVerified {
                sha256: Hash::ZERO,
                size: 0,
                pixels: None,
                flags: Vec::new(),
                claims: Vec::new(),
            }),
            "photo_verified",
        ),
    ];
    for (body, name) in bodies {
        assert_eq!(kind_and_body(&body).unwrap().0, name);
    }
    assert_eq!(kind_and_body(&Body::Accept(Nothing {})).unwrap().1, *json!({}).as_object().unwrap());
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// INV-TOTAL: no bytes make the reader panic, and what it takes it takes again from its own writing.
    #[test]
    fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let _ = read(&bytes);
        let _ = read_value(&bytes);
    }

    #[test]
    fn a_damaged_line_is_refused_or_read_as_written(at in 0_usize..400, byte in any::<u8>()) {
        let mut line = write(&an_op()).unwrap().into_bytes();
        let at = at % line.len();
        line[at] = byte;
        if let Ok(op) = read(&line) {
            prop_assert_eq!(read(write(&op).unwrap().as_bytes()), Ok(op));
        }
    }
}
