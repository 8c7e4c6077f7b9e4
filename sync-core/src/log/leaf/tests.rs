//! The bytes of a leaf, fixed.

use proptest::prelude::*;
use schema::ids::{EntityId, EpochId, OpId};

use super::*;
use crate::log::worked_example::{RECORD, answer, example_leaf as example, id};

/// These bytes are in logs for ever: if this test fails, the change is wrong, not the test.
#[test]
fn golden_bytes_and_hash() {
    let fields = [
        "01",
        "01",
        "101112131415161718191a1b1c1d1e1f",
        "202122232425262728292a2b2c2d2e2f",
        "0000000000000007",
        "303132333435363738393a3b3c3d3e3f",
        "404142434445464748494a4b4c4d4e4f",
        "00000123456789ab",
        "0000000000000003",
        "505152535455565758595a5b5c5d5e5f",
        "606162636465666768696a6b6c6d6e6f",
        "7070707070707070707070707070707070707070707070707070707070707070",
        "000001a229f12800",
        "000001a229f12418",
        "01",
        "06",
        "38a9c1e721584da284b90ceea4ed7eb8db15ac4ea86c2c75ec925d5f8799fcf0",
        "d35bd7ad2b20e99d3108a449b782e09b815c818a1c19558826d8592850f2b30c",
        "05",
        "636c6f7365",
    ];
    assert_eq!(hex::encode(encode(&example())), fields.concat());
    assert_eq!(hash(&example()).to_string(), "ed5945d9594fcd036d29b7b8abc7e33c028c917f270687e961e1af643b88f0a3");
}

/// A phone that has only its own line and the answer finds the same leaf as the server.
#[test]
fn the_answer_gives_the_leaf() {
    let leaf = example();
    let answer = answer(RECORD);
    assert_eq!(of_outcome(leaf.log, leaf.device, leaf.actor, leaf.line_hash, &answer), leaf);
}

#[test]
fn outcomes_are_read_from_records_of_any_version() {
    let outcome = |record: &str| {
        let leaf = example();
        of_outcome(leaf.log, leaf.device, leaf.actor, leaf.line_hash, &answer(record)).outcome
    };
    assert_eq!(outcome(r#"{"outcome":"accepted","rules":1}"#), 1);
    assert_eq!(outcome(r#"{"outcome":"accepted_with_conflict","rules":1}"#), 2);
    assert_eq!(outcome(r#"{"outcome":"rejected","code":"a_code_of_next_year","rules":9,"new":[1]}"#), 3);
    assert_eq!(outcome(r#"{"outcome":"parked"}"#), 4);
    for garbage in ["", "{}", r#"{"outcome":"lost"}"#, r#"{"outcome":"parked","outcome":"accepted"}"#, "[]"] {
        assert_eq!(outcome(garbage), 0, "{garbage}");
    }
    for known in [Outcome::Accepted, Outcome::AcceptedWithConflict, Outcome::Rejected, Outcome::Parked] {
        let record = format!(r#"{{"outcome":{}}}"#, serde_json::to_string(&known).unwrap());
        assert_eq!(outcome(&record), outcome_number(known));
    }
}

#[test]
fn every_member_is_committed_to() {
    let changes: [fn(&mut Leaf); 17] = [
        |leaf| leaf.log = LogId(id(1)),
        |leaf| leaf.epoch = EpochId(id(1)),
        |leaf| leaf.rev += 1,
        |leaf| leaf.op = OpId(id(1)),
        |leaf| leaf.device = DeviceId(id(1)),
        |leaf| leaf.incarnation += 1,
        |leaf| leaf.device_seq += 1,
        |leaf| leaf.actor = AccountId(id(1)),
        |leaf| leaf.entity = EntityId(id(1)),
        |leaf| leaf.prev_leaf = Hash::ZERO,
        |leaf| leaf.received_ms += 1,
        |leaf| leaf.first_received_ms += 1,
        |leaf| leaf.outcome += 1,
        |leaf| leaf.state_after += 1,
        |leaf| leaf.line_hash = Hash::ZERO,
        |leaf| leaf.record_hash = Hash::ZERO,
        |leaf| leaf.kind.push('d'),
    ];
    for (place, change) in changes.into_iter().enumerate() {
        let mut leaf = example();
        change(&mut leaf);
        assert_ne!(hash(&leaf), hash(&example()), "member {place}");
    }
}

proptest! {
    #[test]
    fn kinds_of_any_length_encode_apart(one in "[ab]{0,300}", other in "[ab]{0,300}") {
        let leaf = |kind: &str| Leaf { kind: kind.into(), ..example() };
        prop_assert_eq!(one == other, encode(&leaf(&one)) == encode(&leaf(&other)));
        prop_assert_eq!(encode(&leaf(&one)).len(), 237 + one.len());
    }
}
