//! 20,000 cases on a phone: what a list page costs, what the first pull costs, and how much memory the program takes.
//! `cargo bench -p sync-core --features device --bench phone_list` prints one JSON line and fails beyond the bounds.

#![expect(clippy::unwrap_used, reason = "a bench that can't be laid out has nothing to say")]
#![expect(clippy::disallowed_methods, reason = "a bench measures time")]

use std::collections::BTreeMap;
use std::time::Instant;

use schema::auth::{Enrolled, LogAccess, Tokens};
use schema::case::{By, Case, Channel, FieldName, Held, Source, State};
use schema::catalogue::Text;
use schema::entity::Entity;
use schema::ids::{AccountId, AreaId, BootId, DeviceId, EntityId, EpochId, LogId, OpId, PersonId};
use schema::op::{Captured, Role};
use schema::sync::{BatchAnswer, Durability, EntityLine, Node, Scope, SyncEnd, SyncHead, SyncLine};
use serde_json::json;
use serde_json::value::RawValue;
use sync_core::device::entropy::SeededEntropy;
use sync_core::device::list::{After, Filter};
use sync_core::device::phone::Phone;
use uuid::Uuid;

const CASES: u64 = 20_000;
const PAGE: u64 = 500;
const LIST_MS_MAX: f64 = 50.0;
const MEMORY_MIB_MAX: u64 = 100;
const LOG: LogId = LogId(Uuid::from_u128(1));
const EPOCH: EpochId = EpochId(Uuid::from_u128(2));
const ME: AccountId = AccountId(Uuid::from_u128(3));
const NOW: Captured = Captured { wall_ms: 1_800_000_000_000, elapsed_ms: 1, boot: BootId(Uuid::from_u128(4)) };

fn main() {
    let folder = tempfile::TempDir::new().unwrap();
    let mut phone = Phone::open(folder.path(), Box::new(SeededEntropy::new(1))).unwrap();
    enrol(&mut phone);
    let start = Instant::now();
    let mut first = 1;
    while first <= CASES {
        let request = phone.next_request(LOG, 200, NOW).unwrap();
        let last = (first + PAGE - 1).min(CASES);
        phone.take_answer(&request, &page(first, last), NOW).unwrap();
        first = last + 1;
    }
    let pull_s = start.elapsed().as_secs_f64();
    let scope_filter = Filter { states: vec![State::Filed], ..Filter::default() };
    let mine = Filter { reporter: Some(ME), ..Filter::default() };
    let rare = Filter { waiting: true, ..Filter::default() };
    let pages = [&Filter::default(), &scope_filter, &mine, &rare].map(|filter| slowest_page(&phone, filter));
    let list_ms = pages.iter().copied().fold(0.0, f64::max);
    let find_ms = timed(|| assert_eq!(phone.find("T-2026-0000777").unwrap().len(), 1));
    drop(phone);
    let open_ms = timed(|| drop(Phone::open(folder.path(), Box::new(SeededEntropy::new(2))).unwrap()));
    let memory_mib = peak_memory_mib();
    let result = json!({
        "bench": "phone_list", "cases": CASES, "pull_s": pull_s, "list_ms": list_ms, "pages_ms": pages,
        "find_ms": find_ms, "open_ms": open_ms, "memory_mib": memory_mib,
    });
    println!("{result}");
    assert!(list_ms <= LIST_MS_MAX, "a list page took {list_ms} ms, at most {LIST_MS_MAX}");
    assert!(memory_mib <= MEMORY_MIB_MAX, "{memory_mib} MiB, at most {MEMORY_MIB_MAX}");
}

fn timed(work: impl FnOnce()) -> f64 {
    let start = Instant::now();
    work();
    start.elapsed().as_secs_f64() * 1_000.0
}

/// The slowest of all pages, from the first to the last: a page in the depth costs what the first does.
fn slowest_page(phone: &Phone, filter: &Filter) -> f64 {
    let (mut after, mut slowest): (Option<After>, f64) = (None, 0.0);
    loop {
        let start = Instant::now();
        let rows = phone.list(filter, after, 50).unwrap();
        slowest = slowest.max(start.elapsed().as_secs_f64() * 1_000.0);
        let Some(last) = rows.last() else { return slowest };
        after = Some(After { changed_ms: last.changed_ms, case: last.case });
    }
}

/// The most that this process ever held, pull and all.
fn peak_memory_mib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or("0");
    line.trim().trim_end_matches(" kB").trim().parse::<u64>().unwrap_or(0) / 1024
}

fn enrol(phone: &mut Phone) {
    phone.begin_enrolment("http://bench", "code", "bench", NOW).unwrap();
    let name = Text { zh: "区".into(), en: "District".into() };
    let access = LogAccess { log: LOG, epoch: EPOCH, name, zone: "Asia/Shanghai".into(), signer: String::new() };
    let tokens = Tokens { access: "a".into(), access_expires_in_s: 600, refresh: "r".into(), export_key: None };
    phone.finish_enrolment(&Enrolled { account: ME, name: "me".into(), logs: vec![access], tokens }).unwrap();
}

fn page(first: u64, last: u64) -> Vec<u8> {
    let scope = Scope::normal(Node::Account(ME));
    let head = SyncHead {
        protocol: 1,
        log: LOG,
        epoch: EPOCH,
        head: CASES,
        durable: CASES,
        durability: Durability::Local,
        durable_ms: 1_800_000_000_000,
        now_ms: 1_800_000_000_000,
        batch: BatchAnswer::Nothing,
        receipt: None,
        checkpoint: None,
        consistency: Vec::new(),
        default_scopes: vec![scope],
        epoch_start: None,
    };
    let mut lines = vec![SyncLine::Head(Box::new(head))];
    for number in first..=last {
        let case = case(number);
        let document = serde_json::to_string(&Entity::Case(Box::new(case.clone()))).unwrap();
        let document = Some(RawValue::from_string(document).unwrap());
        lines.push(SyncLine::Entity(EntityLine { scope, id: case.id, rev: number, document }));
    }
    let scopes = BTreeMap::from([(scope, last)]);
    lines.push(SyncLine::End(SyncEnd { scopes, own: last, more: last < CASES, scope_too_large: None }));
    let mut bytes = Vec::new();
    for line in lines {
        serde_json::to_writer(&mut bytes, &line).unwrap();
        bytes.push(b'\n');
    }
    bytes
}

fn case(number: u64) -> Case {
    let id = EntityId(Uuid::from_u128(0x0199_0000_0000_7000_8000_0000_0000_0000 + u128::from(number) * 0x9E37_79B9));
    let by = By {
        account: if number.is_multiple_of(10) { ME } else { AccountId(Uuid::from_u128(9)) },
        person: PersonId(Uuid::from_u128(5)),
        device: DeviceId(Uuid::from_u128(6)),
        role: Some(Role::Inspector),
        op: OpId(Uuid::from_u128(number.into())),
        rev: number,
        received_ms: 1_790_000_000_000 + number,
    };
    let held = |value: serde_json::Value| Held { value, rev: number, role: Some(Role::Inspector) };
    let fields = [
        (FieldName::Kind, json!({"category": "stall", "subtype": "road_occupation"})),
        (FieldName::Position, json!({"lat_e7": 312_304_000, "lon_e7": 1_214_737_000, "accuracy_m": 8})),
        (FieldName::Subject, json!(format!("{number} 号摊"))),
        (FieldName::Note, json!({"sealed": "ab".repeat(32)})),
    ];
    Case {
        id,
        short_code: sync_core::line::short_code(id),
        number: Some(format!("T-2026-{number:07}")),
        state: if number.is_multiple_of(3) { State::Filed } else { State::Closed },
        catalogue: None,
        pinned: true,
        source: Source { channel: Channel::Patrol, number: None },
        area: AreaId(Uuid::from_u128(u128::from(number % 28))),
        fields: fields.into_iter().map(|(name, value)| (name, held(value))).collect(),
        flags: Vec::new(),
        reporter: by,
        evidence: Vec::new(),
        comments: Vec::new(),
        comment_count: 0,
        conflicts: Vec::new(),
        filed: None,
        assignment: None,
        former_units: Vec::new(),
        fix: None,
        check: None,
        end: None,
        duplicate_of: None,
        state_before_duplicate: None,
        duplicates: Vec::new(),
        returns: 0,
        reworks: 0,
        reopened: 0,
        needs_audit: false,
        deadline_issued: false,
        clocks: Vec::new(),
        stages: Vec::new(),
        interim: Vec::new(),
        suspended: None,
        was_suspended: false,
        extension: None,
        supervised: None,
        urged: 0,
        returned_by: BTreeMap::new(),
        predecessors: Vec::new(),
        relapses: Vec::new(),
        arbitration: None,
        restricted: None,
        archived: None,
        first_rev: number,
        reported_ms: 1_790_000_000_000 + number,
        changed_ms: 1_790_000_000_000 + number,
    }
}
