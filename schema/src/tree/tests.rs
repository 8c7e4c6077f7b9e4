//! What is read from a tree is what stood in the text.

use serde_json::json;

use super::*;
use crate::calendar::{CITY_CALENDAR, Calendar};
use crate::case::Step;
use crate::catalogue::FieldKind;
use crate::op::{Body, Reopen};

fn grown(text: &str) -> Tree {
    serde_json::from_str(text).unwrap()
}

#[test]
fn a_document_is_written_as_it_was_read() {
    let text = r#"{"z":[1,-2,18446744073709551615,0.5],"a":"井\"\\\u0001\n","m":{"t":true,"n":null},"e":{},"l":[]}"#;
    assert_eq!(serde_json::to_string(&grown(text)).unwrap(), text);
}

#[test]
fn a_member_that_is_written_twice_is_refused_in_a_body() {
    let sealed = r#"{"sealed":"0000000000000000000000000000000000000000000000000000000000000000"}"#;
    let once = grown(&format!(r#"{{"reason":{sealed}}}"#));
    assert!(matches!(Body::read("reopen".into(), once), Ok(Body::Reopen(Reopen { .. }))));
    let twice = Body::read("reopen".into(), grown(&format!(r#"{{"reason":{sealed},"reason":{sealed}}}"#)));
    assert!(twice.unwrap_err().to_string().starts_with("duplicate field `reason`"));
}

#[test]
fn a_tag_is_read_wherever_it_stands_and_what_is_unknown_beside_it_is_refused_where_it_must_be() {
    let read = |value| serde_json::from_value::<FieldKind>(value);
    assert_eq!(read(json!({ "chars_max": 5, "type": "text" })).unwrap(), FieldKind::Text { chars_max: 5 });
    assert_eq!(read(json!({ "type": "yes_no" })).unwrap(), FieldKind::YesNo);
    assert!(read(json!({ "type": "text", "chars_max": 5, "more": 1 })).is_err());
    assert!(read(json!({ "type": "poem" })).unwrap_err().to_string().starts_with("unknown variant"));
    assert!(read(json!({ "chars_max": 5 })).unwrap_err().to_string().starts_with("missing field `type`"));
}

#[test]
fn a_struct_inside_of_another_one_is_read_with_its_members() {
    let whole = json!({
        "account": "10111213-1415-1617-1819-1a1b1c1d1e1f", "person": "10111213-1415-1617-1819-1a1b1c1d1e1f",
        "device": "10111213-1415-1617-1819-1a1b1c1d1e1f", "role": null, "op": "10111213-1415-1617-1819-1a1b1c1d1e1f",
        "rev": 3, "received_ms": 4, "code": "pass", "note": null,
    });
    let step: Step = serde_json::from_value(whole.clone()).unwrap();
    assert_eq!((step.by.rev, step.code.as_str()), (3, "pass"));
    assert_eq!(serde_json::to_value(&step).unwrap(), whole);
}

#[test]
fn a_calendar_is_read_from_a_tree_as_from_its_text() {
    let direct: Calendar = serde_json::from_str(CITY_CALENDAR).unwrap();
    assert_eq!(Calendar::deserialize(grown(CITY_CALENDAR)).unwrap(), direct);
}
