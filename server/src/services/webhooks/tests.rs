//! What becomes of a notice that nobody takes, and of a place that takes nothing.

use std::net::TcpListener;
use std::time::Duration;

use schema::ids::WebhookId;
use schema::notice::DeliveryState;
use schema::op::{Assign, Body, File, Role};

use super::{Answer, Place, PushKey, Secret, Sender, Webhooks, wait_s};
use crate::services::world::{World, grid, id, root, unit};
use crate::store::{StoreError, Webhook};

#[test]
fn ten_tries_in_three_days_and_then_no_more() {
    let waits: Vec<u64> = (1..).map_while(wait_s).collect();
    assert_eq!(waits.len() + 1, 10);
    assert!(waits.is_sorted(), "each wait is longer than the one before: {waits:?}");
    assert_eq!(waits.iter().sum::<u64>(), 272_105, "about three days");
    assert_eq!(wait_s(0), None, "nothing was tried");
}

/// A place on this machine where nobody listens.
fn place(world: &World, kinds: &[&str]) -> Webhook {
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let log = world.logs.store.read(|db| db.head(world.log)).map_err(|error: StoreError| error).unwrap().unwrap().num;
    let webhook = Webhook {
        id: WebhookId(id(50, 1)),
        log,
        url: format!("http://{free}/"),
        secret: Secret::new().unwrap().text(),
        kinds: kinds.iter().map(|kind| (*kind).to_owned()).collect(),
        areas: Vec::new(),
        plain_http: false,
        private_net: false,
        created_ms: 1,
        disabled: None,
        missed_from: None,
    };
    world.logs.store.write(|db| db.insert_webhook(&webhook)).map_err(|error: StoreError| error).unwrap();
    webhook
}

async fn assign(world: &World) {
    let mut inspector = world.person(1, Role::Inspector, grid(1)).await;
    let mut chief = world.person(2, Role::Supervisor, root()).await;
    world.crew(3).await;
    let report = inspector.report(1);
    inspector.sync(world, std::slice::from_ref(&report)).await;
    let file = Body::File(File { condition: "hawks_unlicensed".parse().unwrap() });
    let assign = Body::Assign(Assign {
        unit: unit(),
        co_units: vec![],
        co_limits: Default::default(),
        holder: None,
        note: None,
    });
    let lines = [chief.op(report.entity, &file, vec![]), chief.op(report.entity, &assign, vec![])];
    chief.sync(world, &lines).await;
}

fn counted(world: &World, webhook: &Webhook, state: DeliveryState) -> u64 {
    let count = world.logs.store.read(|db| db.deliveries_in(webhook.id, state));
    count.map_err(|error: StoreError| error).unwrap()
}

#[tokio::test]
async fn what_nobody_takes_fails_after_the_last_try_and_stays() {
    let world = World::new().await;
    let webhook = place(&world, &["assign"]);
    assign(&world).await;
    let webhooks = Webhooks::new(
        world.logs.store.clone(),
        world.clock.clone(),
        Duration::from_secs(5),
        PushKey::new([7; 32], "rectify.test"),
    );
    for attempt in 1..=10 {
        assert_eq!(counted(&world, &webhook, DeliveryState::Waiting), 1, "before try {attempt}");
        assert!(webhooks.send_next(&Place::Webhook(webhook.clone())).unwrap(), "try {attempt}");
        assert!(!webhooks.send_next(&Place::Webhook(webhook.clone())).unwrap(), "the next try has its time");
        world.clock.set(world.clock.now_ms() + wait_s(attempt).unwrap_or(0) * 1_000);
    }
    assert!(!webhooks.send_next(&Place::Webhook(webhook.clone())).unwrap());
    let kept = world.logs.store.read(|db| db.deliveries_to(webhook.id, 10)).map_err(|error: StoreError| error).unwrap();
    assert_eq!((kept.len(), kept[0].state, kept[0].attempts), (1, DeliveryState::Failed, 10));
    assert!(kept[0].answer.as_ref().unwrap().contains("refused"), "{kept:?}");
}

#[tokio::test]
async fn what_somebody_has_in_hand_is_nobody_elses_until_the_lease_ends() {
    let world = World::new().await;
    let webhook = place(&world, &["assign"]);
    assign(&world).await;
    let claim = |now_ms: u64| {
        let claimed = world.logs.store.write(|db| db.claim_delivery(webhook.id, now_ms, 1_000));
        claimed.map_err(|error: StoreError| error).unwrap()
    };
    let now_ms = world.clock.now_ms();
    let first = claim(now_ms).unwrap();
    assert_eq!(claim(now_ms + 999), None);
    let again = claim(now_ms + 1_000).unwrap();
    assert_eq!((again.rev, first.attempt, again.attempt), (first.rev, 1, 2), "whoever had it died");
}

#[tokio::test]
async fn a_place_that_takes_nothing_fills_no_disk() {
    let world = World::new().await;
    let webhook = place(&world, &["assign"]);
    let fill = world
        .logs
        .store
        .write(|db| (1..=10_000).try_for_each(|rev| db.queue_delivery(webhook.log, webhook.id, (rev, 9), 1)));
    fill.map_err(|error: StoreError| error).unwrap();
    assign(&world).await;
    assert_eq!(counted(&world, &webhook, DeliveryState::Waiting), 10_000);
    let now = world.logs.store.read(|db| db.webhooks()).map_err(|error: StoreError| error).unwrap().remove(0);
    assert_eq!(now.disabled.unwrap().why, "full");
    let missed = world.entries().into_iter().find(|entry| entry.kind == "assign").unwrap();
    assert_eq!(now.missed_from, Some(missed.rev), "and it is known from where on it missed something");
}

#[tokio::test]
async fn a_name_that_leads_inwards_is_not_spoken_to() {
    let world = World::new().await;
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let port = listener.local_addr().unwrap().port();
    // Ways to write an address of this machine or of a cloud's secrets that only the resolver reads as one.
    let mut webhook = place(&world, &[]);
    for (host, private_net) in [("2130706433", false), ("0x7f.1", true), ("0177.0.0.1", true), ("127.1", false)] {
        webhook.url = format!("http://{host}:{port}/");
        (webhook.plain_http, webhook.private_net) = (true, private_net);
        let (sender, webhook) = (Sender::new(Duration::from_secs(5)), webhook.clone());
        let answer = tokio::task::spawn_blocking(move || sender.send(&webhook, "msg_1", "{}", 1)).await.unwrap();
        assert!(matches!(&answer, Answer::Failed(why) if why.contains("nothing is sent to")), "{host}: {answer:?}");
    }
    assert!(listener.accept().is_err(), "nobody came");
}
