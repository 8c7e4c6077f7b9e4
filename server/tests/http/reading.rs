//! Reading cases, entries, proofs and heads: what each caller sees, and what does not exist for others.

use schema::case::{Channel, Position, Source};
use schema::hash::Hash;
use schema::ids::EntityId;
use schema::op::{Body, EvidenceRole, PhotoClaim, Report, Role, Taken, TakenBy};
use serde_json::{Value, json};
use uuid::Uuid;

use super::world::World;

pub(crate) fn case(number: u128) -> EntityId {
    EntityId(Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_0000 + number))
}

/// A report in grid A3.
pub(crate) fn report(photos: &[(Hash, usize)]) -> Body {
    Body::Report(Report {
        category: "stalls".parse().unwrap(),
        subtype: "road_occupation".parse().unwrap(),
        catalogue: None,
        position: Position { accuracy_m: Some(5), ..Position::at(312_050_000, 1_214_050_000) },
        subject: None,
        note: None,
        fields: Default::default(),
        source: Source { channel: Channel::Patrol, number: None },
        photos: photos
            .iter()
            .map(|(sha256, size)| PhotoClaim {
                sha256: *sha256,
                size: u64::try_from(*size).unwrap(),
                role: EvidenceRole::Before,
                taken: Taken { by: TakenBy::Camera, wall_ms: None, position: None, mock_position: false },
            })
            .collect(),
    })
}

#[actix_web::test]
async fn each_caller_sees_the_cases_of_its_area_and_no_others() {
    let world = World::start().await;
    let maker = world.phone("li", Role::Inspector, "A3").await;
    let elsewhere = world.phone("he", Role::Inspector, "A4").await;
    let supervisor = world.phone("sun", Role::Supervisor, "A0").await;
    let reports: Vec<_> = (1..=5).map(|number| (case(number), report(&[]))).collect();
    world.push(&maker, &reports).await;
    let list = format!("/v1/logs/{}/cases", maker.log());
    for (phone, count) in [(&maker, 5), (&elsewhere, 0), (&supervisor, 5)] {
        let page = world.get(&list, phone.token()).await;
        assert_eq!(page.json()["cases"].as_array().unwrap().len(), count, "{}", page.text());
    }
    let one = format!("{list}/{}", case(1));
    assert_eq!(world.get(&one, maker.token()).await.json()["document"]["state"], "reported");
    assert_eq!(world.get(&one, elsewhere.token()).await.problem(), (404, "not_found".into()));
    let entries = world.get(&format!("{one}/entries"), supervisor.token()).await.json();
    assert_eq!(entries["entries"][0]["outcome"]["kind"], "report");
    assert_eq!(world.get(&format!("{one}/entries"), elsewhere.token()).await.status, 404);
    let other_log = format!("/v1/logs/{}/cases", Uuid::from_u128(9));
    assert_eq!(world.get(&other_log, supervisor.token()).await.status, 404);
    assert_eq!(world.get(&format!("{list}?area={}", super::world::area(3)), elsewhere.token()).await.status, 404);
}

#[actix_web::test]
async fn pages_hold_every_case_once() {
    let world = World::start().await;
    let maker = world.phone("li", Role::Inspector, "A3").await;
    let reports: Vec<_> = (1..=7).map(|number| (case(number), report(&[]))).collect();
    world.push(&maker, &reports).await;
    let mut seen = Vec::new();
    let mut next = None;
    loop {
        let before = next.map(|rev: u64| format!("&before={rev}")).unwrap_or_default();
        let path = format!("/v1/logs/{}/cases?limit=3&state=reported&category=stalls{before}", maker.log());
        let page = world.get(&path, maker.token()).await.json();
        seen.extend(page["cases"].as_array().unwrap().iter().map(|row| row["document"]["id"].clone()));
        next = page["next"].as_u64();
        if next.is_none() {
            break;
        }
    }
    let mut unique: Vec<String> = seen.iter().map(Value::to_string).collect();
    unique.sort();
    unique.dedup();
    assert_eq!((seen.len(), unique.len()), (7, 7));
    let none = world.get(&format!("/v1/logs/{}/cases?state=closed", maker.log()), maker.token()).await;
    assert_eq!(none.json()["cases"].as_array().unwrap().len(), 0);
    let wrong = world.get(&format!("/v1/logs/{}/cases?state=lost", maker.log()), maker.token()).await;
    assert_eq!(wrong.problem(), (422, "invalid".into()));
}

#[actix_web::test]
async fn the_log_proves_itself_to_anybody() {
    use sync_core::log::checkpoint::Verifier;
    use sync_core::log::tree::{verify_consistency, verify_inclusion};
    let world = World::start().await;
    let phone = world.phone("li", Role::Inspector, "A3").await;
    let auditor = world.phone("qi", Role::Auditor, "A0").await;
    let verifier = Verifier::parse(&phone.enrolled.logs[0].signer).unwrap();
    let base = format!("/v1/audit/{}", phone.log());
    let signed = async || {
        world.later(60_000);
        world.running.app.logs.checkpoints.sign_due().unwrap();
        let note = world.send("GET", &format!("{base}/checkpoint"), &[], b"").await;
        assert_eq!(note.status, 200, "{}", note.text());
        verifier.checkpoint(&note.text()).unwrap().head
    };
    let old = signed().await;
    world.push(&phone, &[(case(1), report(&[])), (case(2), report(&[]))]).await;
    let new = signed().await;
    assert!(new.size > old.size);
    let hashes =
        |reply: super::world::Reply| -> Vec<Hash> { serde_json::from_value(reply.json()["hashes"].clone()).unwrap() };
    let path = format!("{base}/consistency?old={}&new={}", old.size, new.size);
    assert!(verify_consistency(&old, &new, &hashes(world.send("GET", &path, &[], b"").await)));
    let tile = world.send("GET", &format!("{base}/tile/0/000.p/{}", new.size), &[], b"").await;
    assert_eq!(u64::try_from(tile.body.len()).unwrap(), new.size * 32);
    let leaf = Hash(tile.body[tile.body.len() - 32..].try_into().unwrap());
    let path = format!("{base}/inclusion?rev={}&size={}", new.size, new.size);
    assert!(verify_inclusion(&leaf, new.size - 1, &new, &hashes(world.send("GET", &path, &[], b"").await)));

    let bundle = format!("{base}/tile/entries/000.p/{}", new.size);
    assert_eq!(world.send("GET", &bundle, &[], b"").await.status, 401);
    assert_eq!(world.get(&bundle, phone.token()).await.problem(), (403, "forbidden".into()));
    let entries = world.get(&bundle, auditor.token()).await.body;
    let length = usize::from(u16::from_be_bytes([entries[0], entries[1]]));
    assert_eq!(sync_core::line::sha256(&[&[0], &entries[2..2 + length]].concat()).0, tile.body[..32]);
    for beyond in [format!("{base}/tile/0/000"), format!("{base}/tile/0/x001/000"), format!("{base}/tile/9/000")] {
        assert_eq!(world.send("GET", &beyond, &[], b"").await.status, 404, "{beyond}");
    }
    let path = format!("{base}/consistency?old=1&new={}", new.size + 1000);
    assert_eq!(world.send("GET", &path, &[], b"").await.problem(), (422, "invalid".into()));
}

#[actix_web::test]
async fn who_waits_is_told_of_news() {
    let world = World::start().await;
    let phone = world.phone("li", Role::Inspector, "A3").await;
    let now = world.get(&format!("/v1/head?log={}", phone.log()), phone.token()).await.json();
    let rev = now["rev"].as_u64().unwrap();
    let path = format!("/v1/head?log={}&rev={rev}&wait=20", phone.log());
    let reports = [(case(1), report(&[]))];
    let (told, _) = futures_util::join!(world.get(&path, phone.token()), world.push(&phone, &reports));
    assert!(told.json()["rev"].as_u64().unwrap() > rev);
}

#[actix_web::test]
async fn events_are_pokes() {
    use tokio::io::AsyncReadExt;
    let world = World::start().await;
    let phone = world.phone("li", Role::Inspector, "A3").await;
    let token = format!("Bearer {}", phone.token());
    let headers = [("authorization", token.as_str())];
    let mut stream = super::world::open(world.address(), "GET", "/v1/events", &headers, 0).await;
    let mut heard = String::new();
    let listen = async {
        let mut piece = [0; 1024];
        while heard.matches("event: head").count() < 2 {
            let read = stream.read(&mut piece).await.unwrap();
            assert!(read > 0, "the stream ended: {heard}");
            heard.push_str(&String::from_utf8_lossy(&piece[..read]));
        }
    };
    let reports = [(case(1), report(&[]))];
    futures_util::join!(listen, world.push(&phone, &reports));
    assert!(heard.contains("text/event-stream"), "{heard}");
    assert!(!heard.contains("stalls"), "never data");
}

#[actix_web::test]
async fn what_is_parked_is_listed_for_supervisors() {
    let world = World::start().await;
    let auditor = world.phone("qi", Role::Auditor, "A0").await;
    let supervisor = world.phone("sun", Role::Supervisor, "A0").await;
    world.push(&auditor, &[(case(1), report(&[]))]).await;
    let path = format!("/v1/logs/{}/parked", auditor.log());
    let parked = world.get(&path, supervisor.token()).await.json();
    assert_eq!(parked["parked"][0]["code"], "needs_supervisor", "{parked}");
    assert_eq!(world.get(&path, auditor.token()).await.problem(), (403, "forbidden".into()));
}

/// Whoever releases an op reads it first, with the values behind it that they may read.
#[actix_web::test]
async fn what_is_parked_is_shown_to_those_who_judge_it() {
    let world = World::start().await;
    let auditor = world.phone("qi", Role::Auditor, "A0").await;
    let supervisor = world.phone("sun", Role::Supervisor, "A0").await;
    let admin = world.phone("zhao", Role::Admin, "A0").await;
    let salt = schema::hash::Salt([4; 16]);
    let note = sync_core::line::seal(&salt, "两个摊位");
    let Body::Report(mut noted) = report(&[]) else { unreachable!() };
    noted.note = Some(note);
    let value = schema::op::SealedValue { sealed: note.sealed, salt, value: "两个摊位".into() };
    let mut body = auditor.request(&[(case(1), Body::Report(noted))]);
    body.push(b'\n');
    body.extend(serde_json::to_vec(&value).unwrap());
    let token = format!("Bearer {}", auditor.token());
    let headers = [("authorization", token.as_str()), ("content-type", "application/x-ndjson")];
    assert_eq!(world.send("POST", "/v1/sync", &headers, &body).await.status, 200);

    let path = format!("/v1/logs/{}/parked", auditor.log());
    let judged = world.get(&path, supervisor.token()).await.json();
    let row = &judged["parked"][0];
    let line = body.split(|byte| *byte == b'\n').nth(1).unwrap();
    assert_eq!(row["line"].as_str().unwrap().as_bytes(), line);
    assert_eq!((&row["line_base64"], &row["values"][0]["value"]), (&Value::Null, &json!("两个摊位")));
    let listed = world.get(&path, admin.token()).await.json();
    assert_eq!(listed["parked"][0]["op"], row["op"]);
    assert_eq!((&listed["parked"][0]["line"], &listed["parked"][0]["values"]), (&Value::Null, &json!([])));
}
