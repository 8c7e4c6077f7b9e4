//! An administrator's day through the API: somebody new, a lost phone, somebody who leaves. And the page's own files.

use schema::op::Role;
use serde_json::{Value, json};

use super::world::{Reply, World, enrol_body, new_device};

async fn post(world: &World, token: &str, path: &str, body: &Value) -> Reply {
    let bearer = format!("Bearer {token}");
    let headers = [("authorization", bearer.as_str()), ("content-type", "application/json")];
    world.send("POST", path, &headers, body.to_string().as_bytes()).await
}

#[actix_web::test]
async fn an_administrator_adds_somebody_who_enrols_and_is_shut_out_again() {
    let world = World::start().await;
    let admin = world.phone("boss", Role::Admin, "A0").await;
    let added = post(
        &world,
        admin.token(),
        "/v1/admin/accounts",
        &json!({"login": "zhang.wei", "name": "张伟", "role": "inspector", "area": "A3"}),
    )
    .await;
    assert_eq!(added.status, 201, "{}", added.text());
    let (device, secret) = new_device("zhang's");
    let code = added.json()["code"].as_str().unwrap().to_owned();
    let enrolled = world.post("/v1/enrol", &enrol_body(&code, device, &secret)).await;
    assert_eq!(enrolled.status, 200, "{}", enrolled.text());
    let token = enrolled.json()["tokens"]["access"].as_str().unwrap().to_owned();

    let people = world.get("/v1/admin/accounts", admin.token()).await.json();
    let zhang = people["accounts"].as_array().unwrap().iter().find(|it| it["login"] == "zhang.wei").unwrap();
    assert_eq!((&zhang["name"], &zhang["grants"][0]["role"]), (&json!("张伟"), &json!("inspector")));
    let at = format!("/v1/admin/accounts/{}", zhang["account"].as_str().unwrap());
    let give = json!({"role": "supervisor", "area": "A1"});
    assert_eq!(post(&world, admin.token(), &format!("{at}/grants"), &give).await.status, 204);
    assert_eq!(post(&world, admin.token(), &format!("{at}/grants"), &give).await.status, 204, "twice is once");

    let phones = world.get("/v1/admin/devices", admin.token()).await.json();
    let phone = phones["devices"].as_array().unwrap().iter().find(|it| it["login"] == "zhang.wei").unwrap();
    assert_eq!(phone["device"], device.to_string());
    let lost = json!({"reason": "遗失"});
    let revoke = format!("/v1/admin/devices/{device}/revoke");
    assert_eq!(post(&world, admin.token(), &revoke, &lost).await.status, 204);
    assert_eq!(world.get("/v1/logs", &token).await.problem(), (403, "device_revoked".into()));

    let new = post(&world, admin.token(), &format!("{at}/code"), &json!({})).await;
    assert_eq!(new.status, 201);
    assert_eq!(post(&world, admin.token(), &format!("{at}/disable"), &json!({"reason": "离职"})).await.status, 204);
    let (other, other_secret) = new_device("another");
    let late = enrol_body(new.json()["code"].as_str().unwrap(), other, &other_secret);
    assert_eq!(
        world.post("/v1/enrol", &late).await.problem(),
        (401, "wrong_code".into()),
        "a code dies with its account"
    );
    let code = post(&world, admin.token(), &format!("{at}/code"), &json!({})).await;
    assert_eq!(code.problem(), (409, "conflict".into()));
}

/// T7: who may audit and who may administer is decided by two.
#[actix_web::test]
async fn an_administrator_or_auditor_is_made_by_two() {
    let world = World::start().await;
    let admin = world.phone("boss", Role::Admin, "A0").await;
    let second = world.phone("deputy", Role::Admin, "A0").await;
    let below = world.phone("below", Role::Admin, "A1").await;
    let body = json!({"login": "zhang.wei", "name": "张伟", "role": "auditor"});
    let added = post(&world, admin.token(), "/v1/admin/accounts", &body).await.json();
    assert_eq!(added["waits"], true, "{added}");
    let account = added["account"].as_str().unwrap();
    let at = format!("/v1/admin/accounts/{account}");
    let row = || async {
        let people = world.get("/v1/admin/accounts", admin.token()).await.json();
        people["accounts"].as_array().unwrap().iter().find(|it| it["login"] == "zhang.wei").unwrap().clone()
    };
    let waiting = row().await;
    assert_eq!((&waiting["grants"], &waiting["proposed"][0]["by"]), (&json!([]), &json!("boss")));
    assert_eq!(waiting["proposed"][0]["role"]["role"], "auditor");

    let auditor = json!({"role": "auditor"});
    let path = format!("{at}/grants");
    let noted = (409, "second_person".to_owned());
    assert_eq!(post(&world, admin.token(), &path, &auditor).await.problem(), noted, "the same person twice is one");
    assert_eq!(post(&world, below.token(), &path, &auditor).await.problem(), (403, "forbidden".into()));
    let over_part = json!({"role": "auditor", "area": "A1"});
    assert_eq!(post(&world, second.token(), &path, &over_part).await.problem(), noted, "another area is another role");
    let elsewhere = json!({"role": "admin"});
    assert_eq!(post(&world, second.token(), &path, &elsewhere).await.problem(), noted, "as is another role");
    assert_eq!(row().await["grants"], json!([]));
    assert_eq!(post(&world, second.token(), &path, &auditor).await.status, 204);
    assert_eq!(row().await["grants"][0]["role"], "auditor");
    assert_eq!(post(&world, admin.token(), &path, &auditor).await.status, 204, "what is given already needs nobody");

    // Who has the code of somebody trusted is that person.
    let path = format!("{at}/code");
    assert_eq!(post(&world, admin.token(), &path, &json!({})).await.problem(), noted);
    let code = post(&world, second.token(), &path, &json!({})).await;
    assert_eq!(code.status, 201);
    assert_eq!(post(&world, second.token(), &path, &json!({})).await.problem(), noted, "one asking, one code");
    let own = format!("/v1/admin/accounts/{}/code", admin.enrolled.account);
    assert_eq!(post(&world, admin.token(), &own, &json!({})).await.status, 201, "one's own next phone");

    // What somebody asked for who administers no more counts no more.
    let asked = post(&world, second.token(), &format!("{at}/grants"), &elsewhere).await;
    assert_eq!(asked.problem(), noted);
    let end = format!("/v1/admin/accounts/{}/disable", second.enrolled.account);
    assert_eq!(post(&world, admin.token(), &end, &json!({"reason": "离职"})).await.status, 204);
    assert_eq!(post(&world, admin.token(), &format!("{at}/grants"), &elsewhere).await.problem(), noted);
}

#[actix_web::test]
async fn what_does_not_fit_changes_nothing_and_nobody_shuts_themselves_out() {
    let world = World::start().await;
    let admin = world.phone("boss", Role::Admin, "A0").await;
    let below = world.phone("below", Role::Admin, "A1").await;
    let before = world.get("/v1/admin/accounts", admin.token()).await.json();
    for body in [
        json!({"login": "boss", "name": "again", "role": "admin"}),
        json!({"login": "new", "name": "new", "role": "inspector", "area": "nowhere"}),
        json!({"login": "new", "name": "new", "role": "emperor"}),
        json!({"login": "new", "name": "new", "role": "inspector", "password": "sneaked in"}),
    ] {
        let refused = post(&world, admin.token(), "/v1/admin/accounts", &body).await;
        assert!([400, 422].contains(&refused.status), "{body}: {}", refused.text());
    }
    let own = format!("/v1/admin/accounts/{}/disable", admin.enrolled.account);
    assert_eq!(
        post(&world, admin.token(), &own, &json!({"reason": "tired"})).await.problem(),
        (409, "conflict".into())
    );
    let nobody = "/v1/admin/accounts/01900000-0000-7000-8000-000000000000/code";
    assert_eq!(post(&world, admin.token(), nobody, &json!({})).await.problem(), (404, "not_found".into()));
    let partly = world.get("/v1/admin/accounts", below.token()).await;
    assert_eq!(partly.problem(), (403, "forbidden".into()), "who administers a part of a district adds nobody to it");
    assert_eq!(world.get("/v1/admin/accounts", admin.token()).await.json(), before);
}

#[actix_web::test]
async fn the_page_is_served_under_a_strict_policy_and_not_twice() {
    let world = World::start().await;
    let page = world.send("GET", "/", &[], b"").await;
    assert_eq!(page.status, 200);
    let policy = page.header("content-security-policy");
    assert!(policy.starts_with("default-src 'none'"), "{policy}");
    assert!(
        !policy.contains("unsafe-inline") && !policy.contains("'unsafe-eval'") && !policy.contains("http"),
        "{policy}"
    );
    assert_eq!(page.header("cache-control"), "no-cache");
    let text = page.text();
    assert!(!text.contains("<style") && !text.contains("<script>") && !text.contains("onclick"), "{text}");
    let tag = page.header("etag");
    let again = world.send("GET", "/", &[("if-none-match", tag)], b"").await;
    assert_eq!((again.status, again.text().len()), (304, 0));
    for part in text.split("\"/assets/").skip(1).filter_map(|rest| rest.split('"').next()) {
        for (taken, packed) in [("gzip, br", "br"), ("gzip", "gzip")] {
            let file = world.send("GET", &format!("/assets/{part}"), &[("accept-encoding", taken)], b"").await;
            assert_eq!((file.status, file.header("content-encoding")), (200, packed), "{part}");
            assert!(file.header("cache-control").contains("immutable"), "{part}");
        }
        let plain = world.send("GET", &format!("/assets/{part}"), &[("accept-encoding", "gzip;q=0")], b"").await;
        assert_eq!((plain.status, plain.header("content-encoding")), (200, ""), "{part}");
    }
    assert_eq!(world.send("GET", "/assets/..%2Findex.html", &[], b"").await.status, 404);
}
