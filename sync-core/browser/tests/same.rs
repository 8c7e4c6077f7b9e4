//! The page's rules compute the same in a browser as natively: a story of calls is told to both, and every answer and
//! every row to be saved must be the same text.

#![expect(clippy::expect_used, reason = "a story that can't be told is a failed test")]
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};
use sync_browser::Page;
use sync_core::device::entropy::{Entropy, NoEntropy};
use sync_core::line::{sha256, singleton_id};

const LOG: &str = "00000000-0000-0000-0000-000000000001";
const EPOCH: &str = "00000000-0000-0000-0000-000000000002";
const ME: &str = "00000000-0000-0000-0000-000000000003";
const UNIT: &str = "00000000-0000-0000-0000-000000000004";

/// The same bytes as in `same.mjs`.
struct Counted(u32);

impl Entropy for Counted {
    fn fill(&mut self, bytes: &mut [u8]) -> Result<(), NoEntropy> {
        for byte in bytes {
            self.0 = self.0.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            *byte = self.0.to_be_bytes()[0];
        }
        Ok(())
    }
}

struct Story {
    page: Page,
    told: Vec<Value>,
}

impl Story {
    fn call(&mut self, name: &str, arguments: Value) -> Value {
        let arguments = arguments.to_string();
        let answer = match self.page.call(name, &arguments) {
            Ok(answer) => answer,
            Err(refusal) => refusal,
        };
        let value = serde_json::from_str(&answer).expect("JSON");
        self.told.push(json!({ "name": name, "arguments": arguments, "answer": answer }));
        value
    }

    fn save(&mut self) {
        let changes = self.page.changes().expect("changes");
        self.page.saved();
        self.told.push(json!({ "changes": changes }));
    }
}

fn now(ms: i64) -> Value {
    json!({ "wall_ms": 1_800_000_000_000_i64 + ms, "elapsed_ms": ms, "boot": "00000000-0000-0000-0000-000000000009" })
}

fn enrolled() -> Value {
    let log = json!({ "log": LOG, "epoch": EPOCH, "name": { "zh": "区", "en": "District" }, "zone": "Asia/Shanghai",
        "signer": "none" });
    let tokens = json!({ "access": "a", "access_expires_in_s": 600, "refresh": "r" });
    json!({ "account": ME, "name": "张伟", "logs": [log], "tokens": tokens })
}

fn report() -> Value {
    let body = json!({ "category": "stall", "subtype": "road_occupation", "catalogue": null,
        "position": { "lat_e7": 374_300_000, "lon_e7": 1_163_500_000, "accuracy_m": 5 }, "subject": "12 号摊",
        "fields": {}, "source": { "channel": "patrol" }, "photos": [] });
    let photo = json!({ "sha256": "ab".repeat(32), "size": 112_525, "role": "before", "taken": { "by": "camera" } });
    json!([LOG, null, "report", body, { "note": "占压盲道", "fields.vendor_phone": "13800000000" }, [photo], now(5)])
}

/// A district of one grid, and who is responsible in it: a unit, and the chief of a street.
fn documents() -> [(&'static str, String); 2] {
    let name = json!({ "zh": "区", "en": "District" });
    let area = |id: &str, parent: Option<&str>, level: &str, boundary: Value| json!({ "id": id, "parent": parent, "level": level, "code": level, "name": name, "boundary": boundary });
    let square = [(1_163_000_000, 374_000_000), (1_164_000_000, 374_000_000), (1_164_000_000, 375_000_000)];
    let (district, grid) = ("00000000-0000-0000-0000-00000000000a", "00000000-0000-0000-0000-00000000000b");
    let areas = [area(district, None, "district", json!([])), area(grid, Some(district), "grid", json!([[square]]))];
    let line = json!({ "kind": "street", "name": { "zh": "南市街", "en": "Nanshi Street" }, "width_m": 20,
        "points": [[1_163_400_000, 374_300_500], [1_163_600_000, 374_300_500]] });
    let rules = json!([
        { "unit": UNIT, "role": "lead", "place": "everywhere", "matter": { "kinds": [{ "category": "stall" }] },
            "from": "2020-01-01" },
        { "person": ME, "role": "lead", "place": { "line": line }, "matter": "all", "from": "2020-01-01" },
    ]);
    let responsibilities = json!({ "version": "1", "title": name, "rules": rules });
    [
        ("areas", json!({ "version": "1", "areas": areas }).to_string()),
        ("responsibilities", responsibilities.to_string()),
    ]
}

/// They are in force.
fn in_force() -> [Value; 2] {
    let log = LOG.parse().expect("an id");
    documents().map(|(kind, text)| {
        let id = singleton_id(log, kind);
        let document = json!({ "kind": kind, "id": id, "sha256": sha256(text.as_bytes()), "size": text.len(),
            "version": "1", "since_rev": 2, "earlier": [] });
        json!({ "entity": { "scope": "log", "id": id, "rev": 2, "document": document } })
    })
}

/// The case came back accepted, as the page showed it.
fn answer(op: &Value, entity: &Value, document: &Value) -> String {
    let scope = format!("account:{ME}");
    let zero = "0".repeat(64);
    let lines = [
        json!({ "head": { "protocol": 1, "log": LOG, "epoch": EPOCH, "head": 5, "durable": 3, "durability": "backup",
            "durable_ms": 1_800_000_000_000_i64, "now_ms": 1_800_000_001_000_i64, "batch": { "answer": "taken" },
            "consistency": [], "default_scopes": ["log", scope] } }),
        json!({ "outcome": { "op": op, "rev": 5, "epoch": EPOCH, "incarnation": 1, "device_seq": 1, "entity": entity,
            "kind": "report", "prev_leaf": zero, "received_ms": 1_800_000_000_900_i64,
            "first_received_ms": 1_800_000_000_900_i64, "state_after": 1,
            "record": "{\"outcome\":\"accepted\",\"rules\":1}" } }),
        json!({ "entity": { "scope": scope, "id": entity, "rev": 5, "document": document } }),
        json!({ "end": { "scopes": { "log": 5, scope: 5 }, "own": 5, "more": false } }),
    ];
    let [head, outcome, case, end] = lines;
    let [areas, responsibilities] = in_force();
    [head, outcome, areas, responsibilities, case, end].map(|line| format!("{line}\n")).concat()
}

fn told() -> Vec<Value> {
    let mut story = Story { page: Page::new(Box::new(Counted(7))), told: Vec::new() };
    let key = format!("BA{}=", "A".repeat(85));
    story.call("begin_enrolment", json!([key, "http://demo", "CODE", "page", now(1)]));
    story.call("finish_enrolment", json!([enrolled()]));
    story.save();
    for name in ["me", "status", "attention", "documents_to_fetch"] {
        story.call(name, json!([]));
    }
    let receipt = story.call("capture", report());
    story.save();
    let (op, entity) = (receipt["op"].clone(), receipt["entity"].clone());
    let shown = story.call("show", json!([LOG, entity, now(6)]));
    assert_eq!(shown["document"]["state"], "reported", "{shown}");
    assert_eq!(shown["own"][0]["waiting"], true);
    story.call("list", json!([{ "waiting": true }, null, 50, now(6)]));
    story.call("list", json!([{ "text": "12 号" }, null, 50, now(6)]));
    story.call("near", json!([LOG, "stall", "12 号摊", { "lat_e7": 374_300_000, "lon_e7": 1_163_500_000 }, now(7)]));
    story.call("photos_to_send", json!([]));
    story.call("begin_session", json!([]));
    story.call("step", json!([{ "event": "wake" }]));
    story.call("request", json!([LOG, 200, now(8)]));
    story.call("signed", json!([format!("{}==", "A".repeat(86))]));
    let taken = story.call("answer", json!([answer(&op, &entity, &shown["document"]), now(9), true]));
    assert_eq!((&taken["progress"]["pull"], &taken["progress"]["undecided"]), (&json!("taken"), &json!(0)), "{taken}");
    story.save();
    for (_, text) in documents() {
        story.call("take_document", json!([sha256(text.as_bytes()), text, now(9)]));
    }
    story.save();
    let suggested = story.call("suggestions", json!([LOG, [entity], now(10)]));
    assert_eq!(suggested[0]["leads"][0]["unit"], UNIT, "{suggested}");
    assert_eq!(suggested[0]["persons"][0]["named"]["zh"], "南市街", "{suggested}");
    story.call("step", json!([taken["event"]]));
    story.call("failed", json!([503, null, 2_000, false]));
    assert_eq!(story.call("show", json!([LOG, entity, now(10)]))["base_rev"], 5);
    story.call("status", json!([]));
    story.call("answer", json!(["{}", now(9), true]));
    story.call("nothing of that name", json!([]));
    story.call("photos_to_offer", json!([]));
    story.told
}

#[test]
fn every_answer_and_every_row_is_the_same_in_a_browser() {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let generated = here.join("../../server/web/generated");
    assert!(generated.join("rules.js").exists(), "the rules are not compiled for the page: cargo xtask page");
    let told = Path::new(env!("CARGO_TARGET_TMPDIR")).join("told.json");
    std::fs::write(&told, Value::from(self::told()).to_string()).expect("a file");
    let output = Command::new("node").arg(here.join("tests/same.mjs")).arg(generated).arg(told).output().expect("node");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}
