//! Who may do what: every route of the API document, asked by every kind of caller, about what is theirs, what is
//! somebody else's and what is not there. A route without a row fails.

mod cast;
mod policy;

use std::collections::BTreeSet;

use schema::hash::Salt;
use schema::ids::EntityId;
use schema::op::{Body, Comment};
use serde_json::Value;
use server::routes::openapi;
use sync_core::line::seal;
use uuid::Uuid;

use self::cast::{ALL, Ask, Cast, Who};
use self::policy::{expected, table};

#[actix_web::test]
async fn every_route_answers_every_caller_as_the_table_says() {
    let cast = Cast::new().await;
    let rows = table();
    let documented: BTreeSet<(String, String)> = openapi::value().unwrap()["paths"]
        .as_object()
        .unwrap()
        .iter()
        .flat_map(|(path, methods)| {
            let methods: Vec<String> = methods.as_object().unwrap().keys().map(|name| name.to_uppercase()).collect();
            methods.into_iter().map(|method| (method, path.clone()))
        })
        .collect();
    let listed: BTreeSet<(String, String)> =
        rows.iter().map(|row| (row.method.to_owned(), row.path.to_owned())).collect();
    let missing: Vec<_> = documented.difference(&listed).collect();
    assert!(missing.is_empty(), "no row in tests/http/matrix/policy.rs for {missing:?}");

    let mut wrong = Vec::new();
    for row in rows.iter().filter(|row| documented.contains(&(row.method.to_owned(), row.path.to_owned()))) {
        for who in ALL {
            let answer = cast.ask(row.method, &(row.ask)(&cast, who), who).await;
            let expected = expected(row.rule, who);
            if answer.status != expected {
                wrong.push(format!("{} {} as {who:?}: {} not {expected}", row.method, row.path, answer.status));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Who oversees a case is told who had to hear of it, whether any webhook wanted to know or not.
#[actix_web::test]
async fn who_had_to_hear_of_a_case_stands_beside_it() {
    let cast = Cast::new().await;
    let answer = cast.get(&format!("/v1/logs/{}/cases/{}/notices", cast.log, cast.case), Who::Supervisor).await;
    let page: Value = serde_json::from_str(&answer.body).unwrap();
    let assigned =
        page["notices"].as_array().unwrap().iter().find(|row| row["notice"]["type"] == "case.assign").unwrap();
    assert_eq!(assigned["deliveries"], serde_json::json!([]));
    let crew = cast.account(Who::Crew).to_string();
    assert_eq!(assigned["notice"]["data"]["to"]["step"], "unit", "{assigned}");
    assert_eq!(assigned["notice"]["data"]["to"]["accounts"][0]["account"], crew, "{assigned}");
    assert_eq!(page["next"], Value::Null);
    assert_eq!(assigned["hearers"], serde_json::json!([{ "account": crew }]));
}

/// That others opened the case says nothing of those who must act.
#[actix_web::test]
async fn when_a_case_was_first_opened_stands_beside_it() {
    let cast = Cast::new().await;
    let opened = Ask::json(&format!("/v1/logs/{}/cases/{}/opened", cast.log, cast.case), &serde_json::json!({}));
    let hearers = async || {
        let answer = cast.get(&format!("/v1/logs/{}/cases/{}/notices", cast.log, cast.case), Who::Supervisor).await;
        let page: Value = serde_json::from_str(&answer.body).unwrap();
        let notices = page["notices"].as_array().unwrap().clone();
        notices.iter().find(|row| row["notice"]["type"] == "case.assign").unwrap()["hearers"].clone()
    };
    assert_eq!(cast.ask("POST", &opened, Who::Auditor).await.status, 204);
    assert_eq!(hearers().await[0]["opened_ms"], Value::Null);
    assert_eq!(cast.ask("POST", &opened, Who::Crew).await.status, 204);
    let first = hearers().await;
    assert!(first[0]["opened_ms"].as_u64().unwrap() > 0 && first[0]["kept_ms"].is_u64(), "{first}");
    assert_eq!(cast.ask("POST", &opened, Who::Crew).await.status, 204);
    assert_eq!(hearers().await, first, "the first time stands");
}

/// What may not be seen does not exist: not a byte tells them apart.
#[actix_web::test]
async fn what_is_somebody_elses_reads_like_what_is_not_there() {
    let cast = Cast::new().await;
    let nothing = EntityId(Uuid::from_u128(0xdead));
    let nowhere = Uuid::from_u128(0xbeef);
    let (log, other) = (cast.log, cast.other_log);
    let (photo, no_photo) = (cast.photo, sync_core::line::sha256(b"never taken"));
    for who in ALL.into_iter().filter(|who| who.is_signed_in()) {
        let same = async |real: &str, unreal: &str| {
            let (real_answer, unreal_answer) = (cast.get(real, who).await, cast.get(unreal, who).await);
            assert_eq!(real_answer.status, 404, "{who:?} {real}");
            assert_eq!(real_answer, unreal_answer, "{who:?}: {real} and {unreal}");
        };
        for (case, number) in [(cast.case, 1), (cast.made_elsewhere, 2)] {
            if policy::sees(who, number) {
                continue;
            }
            for tail in ["", "/entries", "/notices"] {
                let path = |id: EntityId| format!("/v1/logs/{log}/cases/{id}{tail}");
                same(&path(case), &path(nothing)).await;
            }
        }
        if !policy::sees(who, 1) {
            same(&format!("/v1/photos/{photo}/320"), &format!("/v1/photos/{no_photo}/320")).await;
        }
        for tail in ["cases", "parked", &format!("cases/{}", cast.case), &format!("documents/{}", cast.catalogue)] {
            same(&format!("/v1/logs/{other}/{tail}"), &format!("/v1/logs/{nowhere}/{tail}")).await;
        }
        same(&format!("/v1/head?log={other}"), &format!("/v1/head?log={nowhere}")).await;
        if !policy::names_area(who) {
            let of = |area: Uuid| format!("/v1/logs/{log}/cases?area={area}");
            same(&of(super::world::area(3).0), &of(nowhere)).await;
        }
    }
}

/// Nobody changes what they may not see, and learns nothing by trying.
#[actix_web::test]
async fn a_case_is_changed_only_by_those_who_may() {
    let cast = Cast::new().await;
    let nothing = EntityId(Uuid::from_u128(0xdead));
    let comment = || Body::Comment(Comment { text: seal(&Salt([1; 16]), "我也看到了") });
    for who in ALL.into_iter().filter(|who| who.has_phone()) {
        let records = cast.push(who, &[(cast.case, comment()), (nothing, comment())]).await;
        let (of_case, of_nothing) = (&records[0], &records[1]);
        let told = |record: &Value| {
            record["code"].as_str().map_or_else(|| record["outcome"].as_str().unwrap().to_owned(), str::to_owned)
        };
        assert_eq!(told(of_case), policy::comments(who), "{who:?}: {of_case}");
        if policy::comments(who) == "unknown_entity" {
            assert_eq!(of_case, of_nothing, "{who:?}");
        }
    }
}

#[actix_web::test]
async fn lists_hold_what_each_caller_sees_and_no_more() {
    let cast = Cast::new().await;
    for who in ALL.into_iter().filter(|who| who.is_signed_in()) {
        let page = cast.get(&format!("/v1/logs/{}/cases", cast.log), who).await;
        let rows: Value = serde_json::from_str(&page.body).unwrap();
        let ids: BTreeSet<String> = rows["cases"]
            .as_array()
            .unwrap()
            .iter()
            .map(|row| row["document"]["id"].as_str().unwrap().to_owned())
            .collect();
        let seen: BTreeSet<String> = [(cast.case, 1), (cast.made_elsewhere, 2)]
            .into_iter()
            .filter(|(_, number)| policy::sees(who, *number))
            .map(|(case, _)| case.to_string())
            .collect();
        assert_eq!(ids, seen, "{who:?}");
    }
}
