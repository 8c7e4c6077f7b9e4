//! The installation and the phone of the document: every key, id and time is chosen.

use std::path::Path;

use schema::area::{Area, AreaTree, Level};
use schema::calendar::CITY_CALENDAR;
use schema::catalogue::{CITY_CATALOGUE, Text};
use schema::ids::{AccountId, AreaId, DeviceId, EntityId, EpochId, GrantId, LogId, OpId, PersonId};
use schema::op::{Body, CreateLog, Grant, ImportDocument, Role, SetAccount};
use serde_json::Value;
use server::clock::Clock;
use server::services::checkpoint::Checkpoints;
use server::services::codes;
use server::services::ledger::{Append, Ledger, ServerOp};
use server::store::{AccountSecret, Store, StoreError};
use sync_core::line::{sha256, singleton_id};
use sync_core::log::chain::DeviceSecret;
use uuid::Uuid;

pub(crate) const START_MS: u64 = 1_780_000_000_000;
pub(crate) const CODE: &str = "CZC0-2382-B8YC";

/// Ids that a reader tells apart at a glance.
pub(crate) fn id(first: u8) -> Uuid {
    Uuid::from_bytes(std::array::from_fn(|place| first.wrapping_add(u8::try_from(place).unwrap())))
}

pub(crate) fn log() -> LogId {
    LogId(id(0x10))
}

pub(crate) fn device() -> DeviceId {
    DeviceId(id(0x40))
}

pub(crate) fn account() -> AccountId {
    AccountId(id(0x50))
}

pub(crate) fn secret() -> DeviceSecret {
    DeviceSecret::from_bytes(&std::array::from_fn(|place| u8::try_from(place + 1).unwrap())).unwrap()
}

fn text(name: &str) -> Text {
    Text { zh: name.to_owned(), en: name.to_owned() }
}

fn areas() -> AreaTree {
    let square = vec![vec![vec![(0, 0), (1000, 0), (1000, 1000), (0, 1000)]]];
    let area = |first: u8, parent: Option<u8>, level, code: &str| Area {
        id: AreaId(id(first)),
        parent: parent.map(|parent| AreaId(id(parent))),
        level,
        code: code.to_owned(),
        name: text(code),
        boundary: square.clone(),
    };
    AreaTree {
        version: "1".into(),
        areas: vec![
            area(0x60, None, Level::District, "D"),
            area(0x61, Some(0x60), Level::Subdistrict, "S"),
            area(0x62, Some(0x61), Level::Community, "C"),
            area(0x63, Some(0x62), Level::Grid, "G1"),
        ],
    }
}

/// A data folder whose every byte is chosen: keys, ids, times.
pub(crate) async fn lay_out(folder: &Path) {
    let keys = folder.join("keys");
    std::fs::create_dir_all(&keys).unwrap();
    let seed: String = (0xa0..=0xbf_u8).map(|byte| format!("{byte:02x}")).collect();
    std::fs::write(keys.join("log-signer"), seed).unwrap();
    let clock = Clock::standing(START_MS - 1_000_000);
    let store = Store::open(&databases::address(folder)).unwrap();
    let ledger = Ledger::start(store.clone(), clock.clone()).unwrap();
    let signer = Checkpoints::open(folder.to_owned(), "rectify.example", 1000, store.clone(), clock).unwrap();
    let create = CreateLog {
        name: text("District"),
        zone: "Asia/Shanghai".into(),
        signer: signer.signer().verifier_key(),
        server_device: DeviceId(id(0x30)),
    };
    ledger.create_log(log(), EpochId(id(0x20)), create).await.unwrap();
    let catalogue = CITY_CATALOGUE.as_bytes().to_vec();
    let calendar = CITY_CALENDAR.as_bytes().to_vec();
    let tree = serde_json::to_vec(&areas()).unwrap();
    let import = |bytes: &[u8], version: &str| ImportDocument {
        sha256: sha256(bytes),
        size: u64::try_from(bytes.len()).unwrap(),
        version: version.to_owned(),
    };
    let version =
        |bytes: &[u8]| serde_json::from_slice::<Value>(bytes).unwrap()["version"].as_str().unwrap().to_owned();
    let person = |first: u8, name: &str, role, area| {
        let entity = EntityId(id(first));
        let set = SetAccount { name: name.to_owned(), person: PersonId(id(first + 1)) };
        let grant = Grant { grant: GrantId(id(first + 2)), role, area: AreaId(id(area)), until_ms: None };
        [(entity, Body::SetAccount(set)), (entity, Body::Grant(grant))]
    };
    let mut bodies = vec![
        (singleton_id(log(), "catalogue"), Body::ImportCatalogue(import(&catalogue, &version(&catalogue)))),
        (singleton_id(log(), "calendar"), Body::ImportCalendar(import(&calendar, &version(&calendar)))),
        (singleton_id(log(), "areas"), Body::ImportAreas(import(&tree, "1"))),
    ];
    bodies.extend(person(0x58, "admin", Role::Admin, 0x60));
    bodies.extend(person(0x50, "张伟", Role::Inspector, 0x63));
    let ops = (0x70_u8..).zip(bodies).map(|(first, (entity, body))| ServerOp {
        id: OpId(id(first)),
        entity,
        body,
        values: Vec::new(),
    });
    let append = Append {
        documents: [catalogue, calendar, tree].map(|bytes| (sha256(&bytes), bytes)).into(),
        ops: ops.collect(),
    };
    let entries = ledger.append(log(), append).await.unwrap();
    assert!(entries.iter().all(|entry| entry.outcome == 1));
    store
        .write(|db| {
            db.insert_account(&secret_of(account(), "zhang.wei"), START_MS)?;
            db.insert_account(&secret_of(AccountId(id(0x58)), "admin"), START_MS)?;
            db.insert_enrol_code(&codes::stored(CODE), account(), START_MS, START_MS + 3_600_000)
        })
        .map_err(|error: StoreError| error)
        .unwrap();
}

fn secret_of(account: AccountId, login: &str) -> AccountSecret {
    AccountSecret { account, login: login.to_owned(), password: None, disabled: false }
}
