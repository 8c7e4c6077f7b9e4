//! What the page saves: one transaction at a time, and nothing is as it should be until it is saved.

use sync_core::device::entropy::SeededEntropy;
use sync_core::device::error::PhoneError;
use sync_core::device::store::Store;
use sync_core::device::tables::memory::{Changed, MemoryTables};
use sync_core::log::chain::DeviceSecret;

use super::server::{LOG, Server};
use super::town::{Town, answer, now, report};

fn load(rows: &[Changed]) -> MemoryTables {
    let tables = MemoryTables::default();
    for row in rows {
        if let Some(record) = &row.record {
            tables.load(row.table, record.clone()).unwrap();
        }
    }
    tables
}

#[test]
fn a_full_storage_refuses_the_capture_with_a_clear_message_and_writes_nothing_half() {
    let mut town = Town::new(1);
    town.phones[0].limit_pages(3).unwrap();
    let mut made = Vec::new();
    let refused = loop {
        match report(&mut town.phones[0], now(5), &[]) {
            Ok(receipt) => made.push(receipt.op),
            Err(error) => break error,
        }
        assert!(made.len() < 100_000, "it never filled up");
    };
    assert!(matches!(refused, PhoneError::StorageFull), "{refused}");
    assert_eq!(town.phones[0].own_ops().unwrap(), made, "all that was confirmed, nothing that was not");
    assert_eq!(town.phones[0].status().unwrap().logs[0].cases, u64::try_from(made.len()).unwrap());
    town.phones[0].limit_pages(1_000_000).unwrap();
    town.reopen(0);
    made.push(town.report(0, &[]).op);
    town.sync(0);
    let mut ops = town.server.ops();
    ops.sort();
    made.sort();
    assert_eq!(ops, made);
}

#[test]
fn what_can_not_be_saved_is_undone_and_what_was_saved_is_all_that_a_restart_finds() {
    let mut server = Server::new();
    let tables = MemoryTables::default();
    let mut store = Store::new(Box::new(tables.clone()), Box::new(SeededEntropy::new(3))).unwrap();
    let secret = DeviceSecret::from_bytes(&[7; 32]).unwrap();
    let enrol = store.begin_enrolment(secret.key(), ("http://demo", "code", "page"), now(1)).unwrap();
    store.finish_enrolment(&answer(&mut server, &enrol, 0)).unwrap();
    let saved = tables.changes();
    tables.saved();
    assert_eq!(tables.changes(), [], "once saved, a change is not saved again");

    let before = store.unsigned_request(LOG, 200, now(2)).unwrap();
    let body = schema::op::Body::AddEvidence(schema::op::AddEvidence { photos: Vec::new() });
    let draft = sync_core::device::capture::Draft { log: LOG, entity: None, body, values: Vec::new() };
    store.capture(draft.clone(), &[], now(3), &mut |_| Ok(())).unwrap();
    assert_eq!(store.unsent().unwrap().len(), 1);
    tables.undo();
    assert_eq!(store.unsent().unwrap(), []);
    assert_eq!(tables.changes(), []);
    assert_eq!(store.unsigned_request(LOG, 200, now(2)).unwrap(), before, "number and chain as they were");

    let made = store.capture(draft, &[], now(3), &mut |_| Ok(())).unwrap();
    let mut rows = saved.clone();
    let later = tables.changes();
    rows.retain(|row| !later.iter().any(|newer| (newer.table, &newer.key) == (row.table, &row.key)));
    rows.extend(later);
    let opened = |rows: &[Changed]| Store::new(Box::new(load(rows)), Box::new(SeededEntropy::new(4))).unwrap();
    assert_eq!(opened(&rows).own_ops().unwrap(), [made.op]);
    assert_eq!(opened(&saved).own_ops().unwrap(), [], "killed before the save");
}
