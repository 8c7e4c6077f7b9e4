//! What a phone holds of others': values that are not for it any more go, and it says when there is no room.

use schema::sync::{ScopeTooLarge, SyncLine};
use sync_core::device::attention::Trouble;

use super::network::edit;
use super::town::{Town, report_at};

/// A redaction deletes the value at the server; the case's next version comes without it.
#[test]
fn a_value_that_comes_no_more_goes_from_the_phone() {
    let mut town = Town::new(4);
    let now = town.now();
    let made = report_at(&mut town.phones[3], now, &[], 500).unwrap();
    town.sync(3);
    town.sync(0);
    let note = town.case(0, made.entity).unwrap().fields[&schema::case::FieldName::Note].value["sealed"].clone();
    let note = note.as_str().unwrap().parse().unwrap();
    assert!(town.phones[0].value(note).unwrap().is_some());
    town.server.values.clear();
    town.comment(3, made.entity, "later");
    town.sync(3);
    town.sync(0);
    assert!(town.phones[0].value(note).unwrap().is_none(), "gone with the next version");
    assert!(town.phones[3].value(note).unwrap().is_some(), "its author keeps it until the op is safe");
}

#[test]
fn a_phone_says_that_there_is_more_than_it_may_hold_once_and_until_there_is_not() {
    let mut town = Town::new(1);
    let told = |town: &Town| {
        let items = town.phones[0].attention().unwrap();
        items.into_iter().filter(|item| item.trouble == Trouble::ScopeTooLarge).count()
    };
    for n in 0..2 {
        let request = town.request(0);
        let bytes = edit(&town.server.sync(&request.body), |lines| {
            if let Some(SyncLine::End(end)) = lines.last_mut() {
                let held_back = Vec::new();
                end.scope_too_large = Some(ScopeTooLarge { held_back, entities: 200 + n, entities_max: 100 });
            }
        });
        town.answer(0, &request, &bytes);
        assert_eq!(told(&town), 1, "once");
    }
    town.report(0, &[]);
    assert_eq!(town.sync(0).undecided, 0, "sending goes on");
    assert_eq!(told(&town), 0);
}
