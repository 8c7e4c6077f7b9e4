//! Guessing passwords and codes: what it costs, whom it costs, and whom it does not.

use argon2::password_hash::PasswordHasher;
use argon2::{Algorithm, Argon2, Params, Version};
use schema::limits::DAY_MS;
use schema::op::Role;
use serde_json::json;

use super::world::{PASSWORD, Reply, World, config, enrol_body, new_device};

/// A login through a proxy that says where it comes from.
async fn login_from(world: &World, address: &str, login: &str, password: &str) -> Reply {
    let body = json!({ "login": login, "password": password }).to_string();
    let headers = [("content-type", "application/json"), ("x-forwarded-for", address)];
    world.send("POST", "/v1/login", &headers, body.as_bytes()).await
}

async fn enrol_from(world: &World, address: &str, code: &str, label: &str) -> Reply {
    let (device, secret) = new_device(label);
    let headers = [("content-type", "application/json"), ("x-forwarded-for", address)];
    world.send("POST", "/v1/enrol", &headers, enrol_body(code, device, &secret).to_string().as_bytes()).await
}

fn said(reply: &Reply) -> (u16, String, String) {
    let (status, code) = reply.problem();
    (status, code, reply.header("retry-after").to_owned())
}

#[actix_web::test]
async fn a_name_that_nobody_has_is_answered_like_any_other() {
    let world = World::start().await;
    world.account("wang", Role::Supervisor, "A0", Some(PASSWORD)).await;
    let passwords = world.running.app.accounts.passwords();
    for round in 0..4_u32 {
        let mut answers = Vec::new();
        for login in ["wang", "nobody"] {
            let before = passwords.hashed();
            let first = login_from(&world, "198.51.100.1", login, "wrong").await;
            assert_eq!(passwords.hashed(), before + 1, "{login}: the same work, so that time tells nothing");
            let waiting = login_from(&world, "198.51.100.1", login, "wrong").await;
            let mut body = waiting.json();
            body["request"] = json!(null);
            answers.push((said(&first), said(&waiting), body));
        }
        assert_eq!(answers[0], answers[1]);
        assert_eq!(answers[0].1.0, 429);
        assert_eq!(answers[0].1.2, (1_u64 << round).to_string(), "the wait doubles");
        world.later(1000 << round);
    }
}

#[actix_web::test]
async fn an_address_that_guesses_waits_whatever_names_it_tries_and_others_do_not() {
    let world = World::start().await;
    world.account("wang", Role::Supervisor, "A0", Some(PASSWORD)).await;
    for number in 0..20 {
        let reply = login_from(&world, "203.0.113.7", &format!("guess{number}"), PASSWORD).await;
        assert_eq!(said(&reply).0, 401, "an office may mistype");
    }
    assert_eq!(login_from(&world, "203.0.113.7", "guess20", PASSWORD).await.status, 401);
    let waits = login_from(&world, "203.0.113.7", "wang", PASSWORD).await;
    assert_eq!(said(&waits), (429, "too_many".into(), "1".into()));
    assert_eq!(said(&enrol_from(&world, "203.0.113.7", "0000-0000-0000", "x").await).0, 429, "codes count with it");
    assert_eq!(login_from(&world, "203.0.113.8", "wang", PASSWORD).await.status, 200, "the neighbour logs in");
    world.later(1000);
    assert_eq!(login_from(&world, "203.0.113.7", "wang", PASSWORD).await.status, 200);
    assert_eq!(login_from(&world, "203.0.113.7", "guess21", PASSWORD).await.status, 401);
    let waits = login_from(&world, "203.0.113.7", "wang", PASSWORD).await;
    assert_eq!(said(&waits).2, "2", "one good login of one's own does not buy new guesses: {}", waits.text());
    world.later(3600 * 1000);
    assert_eq!(login_from(&world, "203.0.113.7", "guess22", PASSWORD).await.status, 401, "an hour without one");
}

#[actix_web::test]
async fn guesses_are_counted_for_all_servers_and_over_restarts() {
    let world = World::start().await;
    world.account("wang", Role::Supervisor, "A0", Some(PASSWORD)).await;
    let second = server::start(config(world.folder.path()), world.clock.clone()).await.unwrap();
    let both = World { running: second, clock: world.clock.clone(), folder: tempfile::tempdir().unwrap() };
    assert_eq!(login_from(&world, "203.0.113.7", "wang", "wrong").await.status, 401);
    assert_eq!(login_from(&both, "203.0.113.8", "wang", PASSWORD).await.status, 429, "the other server knows");
    both.running.stop().await;
    let world = world.restart().await;
    let still = login_from(&world, "203.0.113.9", "wang", PASSWORD).await;
    assert_eq!(said(&still), (429, "too_many".into(), "1".into()));
    world.later(1000);
    assert_eq!(login_from(&world, "203.0.113.9", "wang", PASSWORD).await.status, 200);
}

#[actix_web::test]
async fn sixteen_guesses_at_once_are_one_guess() {
    let world = World::start().await;
    world.account("wang", Role::Supervisor, "A0", Some(PASSWORD)).await;
    let all = (0..16).map(|_| login_from(&world, "203.0.113.7", "wang", "wrong"));
    let answers = futures_util::future::join_all(all).await;
    let looked_at = answers.iter().filter(|reply| reply.status == 401).count();
    assert_eq!(looked_at, 1, "{:?}", answers.iter().map(|reply| reply.status).collect::<Vec<_>>());
}

#[actix_web::test]
async fn whoever_guesses_at_a_name_does_not_lock_out_its_enrolled_phone() {
    let world = World::start().await;
    let phone = world.phone("li", Role::Inspector, "A3").await;
    for round in 0..6 {
        login_from(&world, "203.0.113.7", "li", "wrong").await;
        world.later(1000 << round);
    }
    world.later(11 * 60 * 1000);
    login_from(&world, "203.0.113.7", "li", "wrong").await;
    assert_eq!(login_from(&world, "203.0.113.7", "li", "wrong").await.status, 429);
    let renewed = world.post("/v1/token", &json!({ "refresh": phone.enrolled.tokens.refresh })).await;
    assert_eq!(renewed.status, 200);
    let access = renewed.json()["access"].as_str().unwrap().to_owned();
    let synced =
        world.send("POST", "/v1/sync", &[("authorization", &format!("Bearer {access}"))], &phone.request(&[])).await;
    assert_eq!(synced.status, 200, "{}", synced.text());
}

#[actix_web::test]
async fn codes_can_not_be_tried_out_and_a_good_one_costs_nothing() {
    let world = World::start().await;
    let code = world.person("li", Role::Inspector, "A3").await;
    for number in 0..21 {
        let reply = enrol_from(&world, "203.0.113.7", &format!("0000-0000-{number:04}"), "x").await;
        assert_eq!(said(&reply).0, 401);
    }
    let waits = enrol_from(&world, "203.0.113.7", &code, "li").await;
    assert_eq!(said(&waits), (429, "too_many".into(), "1".into()), "not even the right one");
    assert_eq!(enrol_from(&world, "203.0.113.8", &code, "li").await.status, 200);
    for number in 0..25 {
        let code = world.person(&format!("staff{number}"), Role::Inspector, "A3").await;
        let reply = enrol_from(&world, "203.0.113.9", &code, &format!("staff{number}")).await;
        assert_eq!(reply.status, 200, "a whole team enrols at one office: {}", reply.text());
    }
}

#[actix_web::test]
async fn of_many_phones_that_show_one_code_at_once_one_gets_it() {
    let world = World::start().await;
    let code = world.person("li", Role::Inspector, "A3").await;
    let labels: Vec<String> = (0..12).map(|number| format!("phone{number}")).collect();
    let all = labels.iter().map(|label| enrol_from(&world, "203.0.113.7", &code, label));
    let answers = futures_util::future::join_all(all).await;
    let statuses: Vec<u16> = answers.iter().map(|reply| reply.status).collect();
    assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 1, "{statuses:?}");
    assert!(statuses.iter().all(|status| [200, 401].contains(status)), "{statuses:?}");
}

#[actix_web::test]
async fn a_phone_in_a_drawer_stays_logged_in_for_ninety_days_and_logs_in_again_after() {
    let world = World::start().await;
    let phone = world.phone("li", Role::Inspector, "A3").await;
    let renew = async |refresh: &str| world.post("/v1/token", &json!({ "refresh": refresh })).await;
    world.later(90 * DAY_MS - 1000);
    let renewed = renew(&phone.enrolled.tokens.refresh).await;
    assert_eq!(renewed.status, 200);
    let refresh = renewed.json()["refresh"].as_str().unwrap().to_owned();
    world.later(90 * DAY_MS);
    assert_eq!(said(&renew(&refresh).await).1, "unauthenticated");

    let account = phone.enrolled.account;
    let code = world.running.app.installation.code(account).await.unwrap();
    let again = world.post("/v1/enrol", &enrol_body(&code, phone.device, &phone.secret)).await;
    assert_eq!(again.status, 200, "the same phone with the same key: {}", again.text());
    let fresh = again.json()["tokens"]["refresh"].as_str().unwrap().to_owned();
    let code = world.running.app.installation.code(account).await.unwrap();
    assert_eq!(world.post("/v1/enrol", &enrol_body(&code, phone.device, &phone.secret)).await.status, 200);
    assert_eq!(said(&renew(&fresh).await).1, "unauthenticated", "a phone has one login: the older one has ended");
}

#[actix_web::test]
async fn a_password_that_was_hashed_weakly_is_hashed_anew_when_it_is_used() {
    let world = World::start().await;
    let account = world.account("wang", Role::Supervisor, "A0", Some(PASSWORD)).await;
    let store = &world.running.app.logs.store;
    let stored = || {
        let secret = store.read(|db| db.account_secret(account)).unwrap();
        secret.unwrap().password.unwrap()
    };
    let weakly = Argon2::new(Algorithm::Argon2id, Version::V0x13, Params::new(8, 1, 1, None).unwrap());
    let hash = weakly.hash_password_with_salt(PASSWORD.as_bytes(), &[7; 16]).unwrap().to_string();
    assert!(hash.starts_with("$argon2id$v=19$m=8,t=1,p=1$"), "{hash}");
    store.write(|db| db.set_password(account, Some(&hash))).unwrap();
    assert_eq!(login_from(&world, "203.0.113.7", "wang", PASSWORD).await.status, 200);
    assert!(stored().starts_with("$argon2id$v=19$m=65536,t=3,p=1$"), "{}", stored());
    assert_eq!(login_from(&world, "203.0.113.7", "wang", PASSWORD).await.status, 200);
}
