//! Reports made with no network, and what becomes of them.

use schema::case::State;
use schema::op::{Body, File};
use schema::record::Outcome;
use sync_core::device::attention::Trouble;
use sync_core::device::list::Filter;
use sync_core::sync::overlay::Estimate;

use super::server::{LOG, account_id};
use super::town::{Town, now, report, report_at};

#[test]
fn a_report_made_with_no_network_is_shown_at_once_and_reaches_the_supervisor_with_its_photo() {
    let mut town = Town::new(4);
    let made = town.report(0, &[b"a photo"]);
    let shown = town.case(0, made.entity).expect("shown at once");
    assert_eq!((shown.state, shown.number, shown.evidence.len()), (State::Reported, None, 1));
    let status = town.phones[0].status().unwrap();
    assert_eq!((status.on_this_phone, status.photos_to_send, status.last_contact_ms), (1, 1, None));

    town.sync(0);
    let status = town.phones[0].status().unwrap();
    assert_eq!((status.on_this_phone, status.received, status.awaiting_durable), (0, 0, 1));
    town.sync(3);
    assert_eq!(town.case(3, made.entity).expect("the supervisor sees it").reporter.account, account_id(0));
    let note = town.case(3, made.entity).unwrap().fields[&schema::case::FieldName::Note].value["sealed"].clone();
    let note = town.phones[3].value(note.as_str().unwrap().parse().unwrap()).unwrap();
    assert_eq!(note.as_deref(), Some("摊位占道"));

    town.send_photos(0);
    town.sync(0);
    let rows = town.phones[0].list(&Filter::default(), None, 10).unwrap();
    assert_eq!(rows.iter().map(|row| (row.photos, row.photos_received, row.waiting)).collect::<Vec<_>>(), [(1, 1, 0)]);
}

#[test]
fn inv_photo_custody_the_copy_goes_only_when_verified_is_durable() {
    let mut town = Town::new(1);
    let bytes = b"the only copy";
    let made = town.report(0, &[bytes]);
    town.sync(0);
    let file = town.folders[0].join("photos").join(sync_core::line::sha256(bytes).to_string());
    assert_eq!(town.phones[0].free_photos().unwrap(), 0, "not sent");
    town.send_photos(0);
    assert_eq!(town.phones[0].free_photos().unwrap(), 0, "sent, but the log does not say so here");
    town.sync(0);
    assert_eq!(town.phones[0].free_photos().unwrap(), 0, "verified, but not durable");
    assert!(file.exists());
    town.server.backup();
    town.sync(0);
    assert_eq!(town.phones[0].free_photos().unwrap(), 1);
    assert!(!file.exists());
    // The same photo once more is needed once more.
    town.add_photo(0, made.entity, bytes);
    assert!(file.exists());
    assert_eq!(town.phones[0].photos_to_send().unwrap().len(), 1);
}

#[test]
fn inv_no_flicker_an_own_effect_never_disappears_between_push_and_pull() {
    let mut town = Town::new(2);
    let made = town.report(0, &[]);
    town.sync(0);
    town.server.page_rows = 1;
    town.comment(0, made.entity, "one");
    town.comment(0, made.entity, "two");
    let comments = |town: &Town| town.case(0, made.entity).unwrap().comment_count;
    assert_eq!(comments(&town), 2);
    for _ in 0..12 {
        town.round(0);
        assert_eq!(comments(&town), 2, "neither lost nor counted twice");
    }
    assert!(town.phones[0].view(LOG, made.entity).unwrap().unwrap().own.iter().all(|own| !own.waiting));
}

#[test]
fn an_estimated_refusal_stays_visible_and_a_real_one_needs_attention() {
    let mut town = Town::new(4);
    let made = town.report(0, &[]);
    town.sync(0);
    let op = town.act(0, made.entity, Body::File(File { condition: "occupies_road".parse().unwrap() }));
    let shown = town.phones[0].view(LOG, made.entity).unwrap().unwrap();
    let own = shown.own.iter().find(|own| own.op == op).expect("still visible");
    let Some(Estimate::Likely { outcome, .. }) = &own.estimate else { panic!("no estimate: {own:?}") };
    assert_eq!(*outcome, Outcome::Rejected);
    town.sync(0);
    let items = town.phones[0].attention().unwrap();
    assert_eq!(items.iter().map(|item| (item.trouble, item.op)).collect::<Vec<_>>(), [(Trouble::Rejected, Some(op))]);
    // It stays until a person has dealt with it, however durable it is.
    town.server.backup();
    town.sync(0);
    assert!(town.phones[0].own_ops().unwrap().contains(&op));
    assert!(town.phones[0].settle(items[0].id).unwrap());
    town.sync(0);
    assert!(!town.phones[0].own_ops().unwrap().contains(&op));
}

#[test]
fn was_comes_from_what_is_shown_so_a_second_own_edit_never_meets_the_first() {
    let mut town = Town::new(1);
    let made = town.report(0, &[]);
    town.amend(0, made.entity, "13");
    town.amend(0, made.entity, "14");
    town.sync(0);
    assert_eq!(town.phones[0].attention().unwrap(), []);
    let subject = town.case(0, made.entity).unwrap().fields[&schema::case::FieldName::Subject].value.clone();
    assert_eq!(subject, "14");
}

#[test]
fn inv_clock_immune_ten_years_either_way_changes_no_outcome() {
    for years in [-10_i64, 10, -200] {
        let mut town = Town::new(1);
        town.time_ms += years * 365 * 86_400_000;
        let made = town.report(0, &[b"x"]);
        town.sync(0);
        let case = town.case(0, made.entity).unwrap();
        assert_eq!(case.state, State::Reported);
        assert_eq!(town.phones[0].status().unwrap().on_this_phone, 0);
        let server = town.phones[0].server_time_ms(now(town.time_ms)).unwrap();
        assert!(server.abs_diff(1_790_000_000_000) < 100_000, "the offset is measured, not believed");
    }
}

#[test]
fn a_phone_that_never_synced_shows_a_report_and_takes_changes_to_it() {
    let mut town = Town::new(1);
    let made = town.report(0, &[]);
    town.amend(0, made.entity, "99");
    let case = town.case(0, made.entity).unwrap();
    assert_eq!(case.fields[&schema::case::FieldName::Subject].value, "99");
    assert_eq!(town.phones[0].find(&case.short_code).unwrap().len(), 1);
    assert_eq!(town.phones[0].find(&made.entity.to_string()).unwrap().len(), 1);
}

#[test]
fn pages_follow_each_other_without_gap_or_repeat() {
    let mut town = Town::new(1);
    for _ in 0..25 {
        town.report(0, &[]);
    }
    town.sync(0);
    let (mut seen, mut after) = (Vec::new(), None);
    loop {
        let page = town.phones[0].list(&Filter::default(), after, 7).unwrap();
        let Some(last) = page.last() else { break };
        after = Some(sync_core::device::list::After { changed_ms: last.changed_ms, case: last.case });
        seen.extend(page.iter().map(|row| row.case));
    }
    let mut different = seen.clone();
    different.sort();
    different.dedup();
    assert_eq!((seen.len(), different.len()), (25, 25));
}

#[test]
fn what_is_too_large_is_refused_with_what_to_do_and_nothing_is_half_done() {
    let mut town = Town::new(1);
    let now = town.now();
    let long = "长".repeat(2_000);
    let value = town.phones[0].seal(&long).unwrap();
    let body = Body::Comment(schema::op::Comment { text: schema::op::Sealed { sealed: value.sealed } });
    let entity = Some(schema::ids::EntityId(uuid::Uuid::from_u128(5)));
    let draft = sync_core::device::capture::Draft { log: LOG, entity, body, values: vec![value] };
    let refused = town.phones[0].capture(draft, &[], now).unwrap_err();
    assert!(refused.to_string().contains("at most 4096"), "{refused}");
    let many: Vec<&[u8]> = vec![b"x"; 21];
    assert!(report(&mut town.phones[0], now, &many).unwrap_err().to_string().contains("at most 20"));
    assert!(report(&mut town.phones[0], now, &[b""]).unwrap_err().to_string().contains("empty"));
    let huge = vec![1; 25 * 1024 * 1024 + 1];
    assert!(report(&mut town.phones[0], now, &[&huge]).unwrap_err().to_string().contains("too large"));
    assert_eq!(town.phones[0].own_ops().unwrap(), []);
    assert_eq!(std::fs::read_dir(town.folders[0].join("photos")).unwrap().count(), 0);
}

#[test]
fn what_may_be_the_same_problem_is_found_by_its_subject_or_where_there_is_none_close_by() {
    use sync_core::case::near::Near;
    let mut town = Town::new(1);
    let (here, now) = (schema::case::Position::at(500, 500), town.now());
    let close = report_at(&mut town.phones[0], now, &[], 500).unwrap().entity;
    let far = report_at(&mut town.phones[0], now, &[], 500_000).unwrap().entity;
    let near = |category: &str, subject: Option<&str>| {
        let found = town.phones[0].near(LOG, category, subject, &here, now).unwrap();
        found.into_iter().map(|(row, by)| (row.case, by)).collect::<Vec<_>>()
    };
    let same: std::collections::BTreeSet<_> = near("stall", Some(" 12 ")).into_iter().collect();
    assert_eq!(same, [(close, Near::Subject), (far, Near::Subject)].into(), "wherever it is");
    assert_eq!(near("stall", None), [(close, Near::Distance(0))], "five kilometres are not close by");
    assert_eq!(near("stall", Some("13")), [], "another stall beside it");
    assert_eq!(near("dog", None), []);
}

#[test]
fn only_steps_that_the_case_and_the_person_allow_are_offered() {
    let mut town = Town::new(1);
    let made = town.report(0, &[]).entity;
    town.sync(0);
    let (now, shown) = (town.now(), town.phones[0].view(LOG, made).unwrap().expect("the case"));
    let can = town.phones[0].possible(LOG, &shown.entity, now).unwrap();
    assert!(["amend", "comment", "add_evidence"].iter().all(|kind| can.contains(kind)), "{can:?}");
    assert!(["assign", "check", "close", "reopen", "accept"].iter().all(|kind| !can.contains(kind)), "{can:?}");
}
