//! What a defect, a line that can't be read, an older catalogue and a restore at New Year do to an entry.

use schema::catalogue::ReaderClass;
use schema::op::{EvidenceRole, Role};
use schema::record::{Outcome, Record, RefusalCode};
use sync_core::line;

use super::{Desk, Incoming, Receipt};
use crate::services::acts::TakenAway;
use crate::services::documents;
use crate::services::ledger::seen::Seen;
use crate::services::rebuild::rebuild;
use crate::services::world::{Line, Phone, START_MS, World, grid, photo};
use crate::store::{Entry, KeptValue, StoreError};

fn incoming(phone: &Phone, line: &Line) -> Incoming {
    Incoming {
        id: line.op,
        device: phone.device,
        incarnation: phone.incarnation,
        device_seq: phone.next_seq,
        actor: phone.account,
        line: line.bytes.clone(),
        op: Ok(Box::new(line::read(&line.bytes).unwrap())),
        values: Vec::new(),
        receipt: Receipt {
            number: None,
            received_ms: START_MS,
            first_received_ms: START_MS,
            captured: None,
            by_server: false,
            recorded: None,
        },
        failed: false,
    }
}

fn values(world: &World, entity: schema::ids::EntityId) -> Vec<KeptValue> {
    let read: Result<_, StoreError> = world.logs.store.read(|db| {
        let head = db.head(world.log)?.unwrap();
        db.values_of(head.num, &[entity])
    });
    read.unwrap()
}

/// A defect in telling consequences parks the op instead of failing its push for ever; the log still replays.
#[tokio::test]
async fn an_op_whose_consequences_can_not_be_told_is_parked() {
    let world = World::new().await;
    let mut phone = world.person(1, Role::Inspector, grid(1)).await;
    let report = phone.report_with(1, vec![photo(1, EvidenceRole::Before)], None);
    let entered: Result<Option<Entry>, StoreError> =
        world.logs.store.with_log(world.log, StoreError::is_transient, |tx| {
            let mut seen = Seen::default();
            let mut desk =
                Desk { tx, seen: &mut seen, parsed: world.logs.ledger.parsed(), away: &TakenAway::default() };
            desk.enter_telling(incoming(&phone, &report), 0, |_, _, _, _| panic!("a defect"))
        });
    let record: Record = serde_json::from_str(&entered.unwrap().unwrap().record).unwrap();
    assert_eq!((record.outcome, record.code), (Outcome::Parked, Some(RefusalCode::Internal)));
    phone.took(std::slice::from_ref(&report));
    let scratch = world.folder.path().join("rebuild.db");
    assert_eq!(rebuild(&world.logs.store, world.log, &scratch, |_| {}).unwrap().differences, []);
}

/// What came behind a line that can't be read is in custody too, for those who handle cases only.
#[tokio::test]
async fn the_values_of_an_unreadable_line_are_kept() {
    let world = World::new().await;
    let mut phone = world.person(1, Role::Inspector, grid(1)).await;
    let mut junk = phone.report_with(1, vec![], Some("13800000000"));
    junk.bytes = b"{\"v\":2}".to_vec();
    let sent = junk.values.clone();
    assert_eq!(sent.len(), 2);
    phone.sync(&world, &[junk]).await;
    let kept = values(&world, phone.device.into());
    assert!(kept.iter().all(|kept| kept.class == ReaderClass::Handlers));
    assert!(sent.iter().all(|value| kept.iter().any(|kept| kept.value == *value)), "{kept:?}");
}

/// A newer catalogue does not open what was written under an older one's promise.
#[tokio::test]
async fn a_value_keeps_the_readers_of_the_catalogue_that_its_case_was_made_under() {
    let world = World::new().await;
    let mut phone = world.person(1, Role::Inspector, grid(1)).await;
    let open = schema::catalogue::CITY_CATALOGUE.replace("\"handlers\"", "\"case_readers\"");
    assert_ne!(open, schema::catalogue::CITY_CATALOGUE);
    documents::import_catalogue(&world.logs.ledger, world.log, open.into_bytes()).await.unwrap();
    let report = phone.report_with(1, vec![], Some("13800000000"));
    assert_eq!(phone.sync(&world, std::slice::from_ref(&report)).await.record(report.op).outcome, Outcome::Accepted);
    let kept = values(&world, report.entity);
    let number = kept.iter().find(|kept| kept.value.value == "13800000000").unwrap();
    assert_eq!(number.class, ReaderClass::Handlers);
}
