//! Enrolling, logging in, staying logged in, being shut out.

use schema::op::Role;
use serde_json::json;

use super::world::{PASSWORD, START_MS, World, enrol_body, new_device};

#[actix_web::test]
async fn a_code_enrols_one_phone_once() {
    let world = World::start().await;
    let code = world.person("li", Role::Inspector, "A3").await;
    let (device, secret) = new_device("first");
    let first = world.post("/v1/enrol", &enrol_body(&code.to_lowercase(), device, &secret)).await;
    assert_eq!(first.status, 200, "{}", first.text());
    assert_eq!(first.json()["logs"].as_array().unwrap().len(), 1);
    assert_eq!(first.json()["logs"][0]["zone"], "Asia/Shanghai");
    assert_eq!(first.json()["name"], "li");

    let again = world.post("/v1/enrol", &enrol_body(&code, device, &secret)).await;
    assert_eq!(again.status, 200, "the same phone asks again after a lost answer");
    assert_eq!(again.json()["account"], first.json()["account"]);

    let (other, other_secret) = new_device("second");
    let refused = world.post("/v1/enrol", &enrol_body(&code, other, &other_secret)).await;
    assert_eq!(refused.problem(), (401, "wrong_code".into()));
    let other_key = world.post("/v1/enrol", &enrol_body(&code, device, &other_secret)).await;
    assert_eq!(other_key.problem(), (422, "invalid".into()), "the same id with another key");
}

#[actix_web::test]
async fn a_code_that_is_wrong_or_too_old_enrols_nothing() {
    let world = World::start().await;
    let (device, secret) = new_device("phone");
    let wrong = world.post("/v1/enrol", &enrol_body("0000-0000-0000", device, &secret)).await;
    assert_eq!(wrong.problem(), (401, "wrong_code".into()));
    let code = world.person("li", Role::Inspector, "A3").await;
    world.later(24 * 3600 * 1000);
    let late = world.post("/v1/enrol", &enrol_body(&code, device, &secret)).await;
    assert_eq!(late.problem(), (401, "wrong_code".into()));
}

#[actix_web::test]
async fn what_a_phone_says_of_itself_must_fit() {
    let world = World::start().await;
    let code = world.person("li", Role::Inspector, "A3").await;
    let (device, secret) = new_device("phone");
    let good = enrol_body(&code, device, &secret);
    let mut no_point = [4_u8; 65];
    no_point[64] = 5;
    for (member, value) in [
        ("label", json!(" ")),
        ("label", json!("x".repeat(81))),
        ("key", json!(schema::hash::DeviceKey(no_point))),
        ("device", json!(uuid::Uuid::nil())),
        ("role", json!("admin")),
    ] {
        let mut body = good.clone();
        body[member] = value;
        let reply = world.post("/v1/enrol", &body).await;
        assert_eq!(reply.problem(), (422, "invalid".into()), "{member}");
        assert_eq!(reply.json()["field"], member);
    }
    assert_eq!(world.post("/v1/enrol", &good).await.status, 200);
}

#[actix_web::test]
async fn a_refresh_token_rotates_survives_a_lost_answer_and_ends_when_it_is_copied() {
    let world = World::start().await;
    let phone = world.phone("li", Role::Inspector, "A3").await;
    let renew = async |refresh: String| {
        let reply = world.post("/v1/token", &json!({ "refresh": refresh })).await;
        (reply.status, reply.json())
    };
    let first = phone.enrolled.tokens.refresh.clone();
    let (status, second) = renew(first.clone()).await;
    assert_eq!(status, 200);
    let second = second["refresh"].as_str().unwrap().to_owned();
    assert_ne!(second, first);
    let (_, repeated) = renew(first.clone()).await;
    assert_eq!(repeated["refresh"].as_str(), Some(second.as_str()), "the answer was lost: the same token again");
    let (status, third) = renew(second).await;
    assert_eq!(status, 200);
    let (status, reused) = renew(first).await;
    assert_eq!((status, reused["code"].as_str()), (401, Some("refresh_reused")));
    let (status, ended) = renew(third["refresh"].as_str().unwrap().to_owned()).await;
    assert_eq!((status, ended["code"].as_str()), (401, Some("unauthenticated")), "the whole family has ended");
}

#[actix_web::test]
async fn tokens_end_by_the_servers_clock() {
    let world = World::start().await;
    let phone = world.phone("li", Role::Inspector, "A3").await;
    let path = format!("/v1/head?log={}", phone.log());
    assert_eq!(world.get(&path, phone.token()).await.status, 200);
    world.later(11 * 60 * 1000);
    assert_eq!(world.get(&path, phone.token()).await.problem(), (401, "unauthenticated".into()));
    let renewed = world.post("/v1/token", &json!({ "refresh": phone.enrolled.tokens.refresh })).await;
    assert_eq!(world.get(&path, renewed.json()["access"].as_str().unwrap()).await.status, 200);
    world.clock.set(START_MS + 200 * 24 * 3600 * 1000);
    let refresh = renewed.json()["refresh"].as_str().unwrap().to_owned();
    let late = world.post("/v1/token", &json!({ "refresh": refresh })).await;
    assert_eq!(late.problem(), (401, "unauthenticated".into()));
}

#[actix_web::test]
async fn a_login_that_has_ended_is_not_renewed() {
    let world = World::start().await;
    let phone = world.phone("li", Role::Inspector, "A3").await;
    let body = json!({ "refresh": phone.enrolled.tokens.refresh });
    assert_eq!(world.post("/v1/logout", &body).await.status, 204);
    assert_eq!(world.post("/v1/logout", &body).await.status, 204);
    assert_eq!(world.post("/v1/token", &body).await.problem(), (401, "unauthenticated".into()));
}

#[actix_web::test]
async fn passwords_are_counted_before_they_are_checked() {
    let world = World::start().await;
    world.account("wang", Role::Supervisor, "A0", Some(PASSWORD)).await;
    let login = async |password: &str| {
        let reply = world.post("/v1/login", &json!({"login": "wang", "password": password})).await;
        (reply.status, reply.json())
    };
    assert_eq!(login(PASSWORD).await.0, 200);
    let (status, body) = login("wrong").await;
    assert_eq!((status, body["code"].as_str()), (401, Some("wrong_password")));
    let refused = world.post("/v1/login", &json!({"login": "wang", "password": PASSWORD})).await;
    assert_eq!(refused.problem(), (429, "too_many".into()), "even the right one waits");
    assert_eq!(refused.header("retry-after"), "1");
    world.later(1000);
    assert_eq!(login("wrong").await.0, 401);
    world.later(1000);
    assert_eq!(login(PASSWORD).await.0, 429, "two seconds after the second failure");
    world.later(1000);
    assert_eq!(login(PASSWORD).await.0, 200);
    let nobody = world.post("/v1/login", &json!({"login": "nobody", "password": PASSWORD})).await;
    assert_eq!(nobody.problem(), (401, "wrong_password".into()));
}

#[actix_web::test]
async fn a_disabled_account_is_shut_out_at_once() {
    let world = World::start().await;
    let phone = world.phone("li", Role::Inspector, "A3").await;
    let path = format!("/v1/head?log={}", phone.log());
    assert_eq!(world.get(&path, phone.token()).await.status, 200);
    world.running.app.installation.disable(phone.enrolled.account, "left").await.unwrap();
    assert_eq!(world.get(&path, phone.token()).await.problem(), (403, "device_revoked".into()));
    let renewed = world.post("/v1/token", &json!({ "refresh": phone.enrolled.tokens.refresh })).await;
    assert_eq!(renewed.status, 403, "its phone may hand in what it holds, and no more");
}

#[actix_web::test]
async fn a_revoked_phone_hands_in_what_it_holds_and_gets_nothing() {
    let world = World::start().await;
    let phone = world.phone("li", Role::Inspector, "A3").await;
    let by_key = format!("Device {}", phone.device);
    let early = world.send("POST", "/v1/sync", &[("authorization", &by_key)], &phone.request(&[])).await;
    assert_eq!(early.problem(), (401, "unauthenticated".into()), "only for phones that are shut out");
    world.running.app.installation.revoke(phone.device, "lost").await.unwrap();

    let path = format!("/v1/head?log={}", phone.log());
    assert_eq!(world.get(&path, phone.token()).await.problem(), (403, "device_revoked".into()));
    let renewed = world.post("/v1/token", &json!({ "refresh": phone.enrolled.tokens.refresh })).await;
    assert_eq!(renewed.problem(), (403, "device_revoked".into()));

    let report = super::reading::report(&[]);
    let by_token = world.push(&phone, &[(super::reading::case(1), report.clone())]).await;
    world.later(11 * 60 * 1000);
    let body = phone.request(&[(super::reading::case(2), report)]);
    let by_key = world.send("POST", "/v1/sync", &[("authorization", &by_key)], &body).await;
    assert_eq!(by_key.status, 200, "{}", by_key.text());
    let by_key: Vec<serde_json::Value> =
        by_key.text().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    for answer in [by_token, by_key] {
        let parked = answer.iter().filter(|line| line.get("outcome").is_some());
        let records: Vec<String> = parked.map(|line| line["outcome"]["record"].as_str().unwrap().to_owned()).collect();
        assert_eq!(records.len(), 1, "{answer:?}");
        assert!(records[0].contains("actor_revoked"), "{records:?}");
        assert!(answer.iter().all(|line| line.get("entity").is_none()), "nothing is pulled");
    }
}

#[actix_web::test]
async fn the_first_start_hands_out_one_code_and_no_other_start_does() {
    let world = World::start().await;
    let code = world.running.first_code.clone().expect("a first start");
    let (device, secret) = new_device("admin's phone");
    assert_eq!(world.post("/v1/enrol", &enrol_body(&code, device, &secret)).await.status, 200);
    let world = world.restart().await;
    assert_eq!(world.running.first_code, None);
}
