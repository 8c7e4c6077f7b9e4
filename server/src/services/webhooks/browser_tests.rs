//! Web Push as a push service and a browser have it: the test is both, and reads what was sealed for it.

use std::collections::{BTreeMap, VecDeque};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use aes_gcm::aead::Aead;
use aes_gcm::{Aes128Gcm, KeyInit};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hkdf::Hkdf;
use p256::ecdsa::signature::Verifier;
use p256::ecdsa::{Signature, VerifyingKey};
use p256::elliptic_curve::sec1::ToSec1Point;
use p256::{PublicKey, SecretKey};
use schema::hash::Hash;
use schema::ids::{EntityId, WebhookId};
use schema::notice::DeliveryState;
use schema::op::{Assign, Body, File, Reason, Role, Sealed, Urge};
use serde_json::{Value, json};
use sha2::Sha256;

use super::{Place, PushKey, Webhooks, fit};
use crate::services::world::{Phone, START_MS, World, grid, id, root, unit};
use crate::store::{Db, StoreError, Subscription};

const AUTH: [u8; 16] = [9; 16];

struct Came {
    path: String,
    headers: BTreeMap<String, String>,
    body: Vec<u8>,
}

/// A push service on this machine.
struct Service {
    origin: String,
    came: Arc<Mutex<VecDeque<Came>>>,
    says: Arc<Mutex<u16>>,
}

impl Service {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let origin = format!("http://{}", listener.local_addr().unwrap());
        let (came, says) = (Arc::new(Mutex::new(VecDeque::new())), Arc::new(Mutex::new(201)));
        let (takes, answers) = (Arc::clone(&came), Arc::clone(&says));
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let mut read = BufReader::new(stream.try_clone().unwrap());
                let mut lines = read.by_ref().lines().map(Result::unwrap).take_while(|line| !line.is_empty());
                let path = lines.next().unwrap().split(' ').nth(1).unwrap().to_owned();
                let headers: BTreeMap<String, String> = lines
                    .filter_map(|line| line.split_once(": ").map(|(n, v)| (n.to_ascii_lowercase(), v.to_owned())))
                    .collect();
                let mut body = vec![0; headers["content-length"].parse().unwrap()];
                read.read_exact(&mut body).unwrap();
                takes.lock().unwrap().push_back(Came { path, headers, body });
                let status = *answers.lock().unwrap();
                write!(stream, "HTTP/1.1 {status} X\r\ncontent-length: 0\r\nconnection: close\r\n\r\n").unwrap();
            }
        });
        Self { origin, came, says }
    }

    fn says(&self, status: u16) {
        *self.says.lock().unwrap() = status;
    }

    fn next(&self) -> Option<Came> {
        self.came.lock().unwrap().pop_front()
    }
}

/// What a browser reads of a message, as RFC 8291 has it for the receiver.
fn opened(message: &[u8], own: &SecretKey) -> Vec<u8> {
    let (salt, rest) = message.split_at(16);
    let (size, rest) = rest.split_at(4);
    assert_eq!(size, 4096_u32.to_be_bytes());
    let (sender, sealed) = rest[1..].split_at(usize::from(rest[0]));
    let shared =
        p256::ecdh::diffie_hellman(own.to_nonzero_scalar(), PublicKey::from_sec1_bytes(sender).unwrap().as_affine());
    let info = [b"WebPush: info\0", own.public_key().to_sec1_point(false).as_bytes(), sender].concat();
    let mut input = [0; 32];
    Hkdf::<Sha256>::new(Some(&AUTH), shared.raw_secret_bytes()).expand(&info, &mut input).unwrap();
    let keys = Hkdf::<Sha256>::new(Some(salt), &input);
    let (mut key, mut nonce) = ([0; 16], [0; 12]);
    keys.expand(b"Content-Encoding: aes128gcm\0", &mut key).unwrap();
    keys.expand(b"Content-Encoding: nonce\0", &mut nonce).unwrap();
    let mut plain = Aes128Gcm::new(&key.into()).decrypt(&nonce.into(), sealed).unwrap();
    assert_eq!(plain.pop(), Some(2), "the last record");
    plain
}

struct Office {
    world: World,
    webhooks: Webhooks,
    key: PushKey,
    service: Service,
    browser: SecretKey,
    crew: Phone,
    chief: Phone,
    case: EntityId,
}

impl Office {
    /// A crew whose browser is subscribed, and a case that is about to be theirs.
    async fn new() -> Self {
        let world = World::new().await;
        let key = PushKey::new([7; 32], "rectify.test");
        let mut webhooks =
            Webhooks::new(world.logs.store.clone(), world.clock.clone(), Duration::from_secs(5), key.clone());
        // A push service is never on this machine; the test's is.
        webhooks.fit = |endpoint| fit(endpoint, false, false).ok();
        let mut inspector = world.person(1, Role::Inspector, grid(1)).await;
        let mut chief = world.person(2, Role::Supervisor, root()).await;
        let crew = world.crew(3).await;
        let report = inspector.report_with(1, Vec::new(), Some("13900001111"));
        inspector.sync(&world, std::slice::from_ref(&report)).await;
        let file = Body::File(File { condition: "hawks_unlicensed".parse().unwrap() });
        let line = chief.op(report.entity, &file, vec![]);
        chief.sync(&world, &[line]).await;
        let browser = SecretKey::from_slice(&[3; 32]).unwrap();
        let office =
            Self { world, webhooks, key, service: Service::start(), browser, crew, chief, case: report.entity };
        office.subscribe(1);
        office
    }

    fn db<T>(&self, work: impl FnMut(&mut Db) -> Result<T, StoreError>) -> T {
        self.world.logs.store.write(work).unwrap()
    }

    fn subscribe(&self, nth: u128) {
        let new = Subscription {
            id: WebhookId(id(60, nth)),
            account: self.crew.account,
            device: self.crew.device,
            endpoint: format!("{}/push/{nth}", self.service.origin),
            client_key: self.browser.public_key().to_sec1_point(false).as_bytes().to_vec(),
            auth: AUTH.to_vec(),
        };
        self.db(|db| db.subscribe(&new, START_MS));
    }

    async fn act(&mut self, body: Body) {
        let line = self.chief.op(self.case, &body, vec![]);
        self.chief.sync(&self.world, &[line]).await;
    }

    async fn assign(&mut self) {
        self.act(Body::Assign(Assign {
            unit: unit(),
            co_units: vec![],
            co_limits: Default::default(),
            holder: None,
            note: None,
        }))
        .await;
    }

    async fn urge(&mut self) {
        self.act(Body::Urge(Urge { note: None })).await;
    }

    /// Sends what is due to browsers. How many tries that took.
    fn send(&self) -> usize {
        let now_ms = self.world.clock.now_ms();
        let due = self.db(|db| db.subscriptions_due(now_ms, 10));
        let tried = |place: &Place| (0..).take_while(|_| self.webhooks.send_next(place).unwrap()).count();
        due.into_iter().map(|it| tried(&Place::Browser(it))).sum()
    }

    fn count(&self, state: DeliveryState) -> u64 {
        self.db(|db| db.deliveries_in(WebhookId(id(60, 1)), state))
    }
}

#[tokio::test]
async fn a_browser_reads_what_happened_and_nobody_else_does() {
    let mut office = Office::new().await;
    office.assign().await;
    assert!(office.send() > 0);
    let Came { path, headers, body } = office.service.next().unwrap();
    assert_eq!((path.as_str(), headers["content-encoding"].as_str()), ("/push/1", "aes128gcm"));
    assert!(headers["ttl"].parse::<u64>().unwrap() > 0);
    let short_code = sync_core::line::short_code(office.case);
    let said: Value = serde_json::from_slice(&opened(&body, &office.browser)).unwrap();
    let expected = json!({ "type": "case.assign", "code": short_code, "log": office.world.log, "case": office.case });
    assert_eq!(said, expected, "a code and what happened, and no more");

    // RFC 8292: signed by the key that browsers subscribed with, for this push service, for less than a day.
    let (token, key) = headers["authorization"].strip_prefix("vapid t=").unwrap().split_once(", k=").unwrap();
    assert_eq!(key, office.key.public());
    let (signed, signature) = token.rsplit_once('.').unwrap();
    let bytes = |text: &str| URL_SAFE_NO_PAD.decode(text).unwrap();
    let signature = Signature::from_slice(&bytes(signature)).unwrap();
    VerifyingKey::from_sec1_bytes(&bytes(key)).unwrap().verify(signed.as_bytes(), &signature).unwrap();
    let claims: Value = serde_json::from_slice(&bytes(signed.split_once('.').unwrap().1)).unwrap();
    assert_eq!((&claims["aud"], &claims["sub"]), (&json!(office.service.origin), &json!("https://rectify.test")));
    let left_s = claims["exp"].as_u64().unwrap() - office.world.clock.now_ms() / 1_000;
    assert!((1..=86_400).contains(&left_s));
    assert_eq!(office.count(DeliveryState::Waiting), 0);
}

#[tokio::test]
async fn what_a_push_service_does_not_take_is_tried_again_until_it_says_gone() {
    let mut office = Office::new().await;
    office.assign().await;
    office.send();
    office.service.says(503);
    office.urge().await;
    assert_eq!(office.send(), 1);
    assert_eq!(office.count(DeliveryState::Waiting), 1, "it is tried again");
    office.world.clock.set(office.world.clock.now_ms() + 5_000);
    office.service.says(410);
    office.urge().await;
    office.send();
    assert_eq!((office.count(DeliveryState::Waiting), office.count(DeliveryState::Failed)), (0, 1));
    assert!(office.db(|db| db.subscription_of(office.crew.device)).is_none(), "the browser wants nothing any more");
    let before = office.service.came.lock().unwrap().len();
    office.urge().await;
    assert_eq!((office.send(), office.service.came.lock().unwrap().len()), (0, before));
}

#[tokio::test]
async fn whoever_is_shut_out_is_told_no_more() {
    for is_account in [false, true] {
        let mut office = Office::new().await;
        office.assign().await;
        let why = Reason { reason: Sealed { sealed: Hash([1; 32]) } };
        let (entity, body) = match is_account {
            true => (office.crew.account.into(), Body::DisableAccount(why)),
            false => (office.crew.device.into(), Body::RevokeDevice(why)),
        };
        office.world.append(entity, body).await;
        assert_eq!(office.send(), 0);
        assert!(office.service.next().is_none(), "what waited for them is not sent");
        assert!(office.db(|db| db.subscription_of(office.crew.device)).is_none());
    }
}

/// Two people on one browser: the push service can't tell them apart, so whoever asked last is told.
#[tokio::test]
async fn one_browser_is_told_for_one_person() {
    let office = Office::new().await;
    let mut other = office.db(|db| db.subscription_of(office.crew.device)).unwrap();
    (other.id, other.account, other.device) = (WebhookId(id(60, 2)), office.chief.account, office.chief.device);
    office.db(|db| db.subscribe(&other, START_MS));
    assert!(office.db(|db| db.subscription_of(office.crew.device)).is_none());
    assert!(office.db(|db| db.subscription_of(office.chief.device)).is_some());
}
