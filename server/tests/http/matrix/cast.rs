//! Everybody who asks: five roles in two subdistricts, at phones and a desk, and those who are nobody any more.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use schema::area::{Area, AreaTree, Level};
use schema::catalogue::{CITY_CATALOGUE, Text};
use schema::hash::Hash;
use schema::ids::{AccountId, DeviceId, EntityId, EpochId, LogId};
use schema::op::{Assign, Body, CreateLog, File, Role};
use serde_json::{Value, json};
use sync_core::line::sha256;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use uuid::Uuid;

use crate::photos::jpeg;
use crate::reading::{case, report};
use crate::world::{PASSWORD, Phone, World, area, enrol_body, new_device, open};

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Who {
    /// No token.
    Nobody,
    /// A token that has ended.
    Expired,
    /// A disabled account's phone.
    Disabled,
    /// A disabled account's token from a desk.
    DisabledDesk,
    /// A phone that was revoked.
    Revoked,
    /// The supervisor of the area, logged in by password.
    Desk,
    /// Of the grid; made case 1.
    Inspector,
    /// Of a grid in the other subdistrict; made case 2 here.
    Traveller,
    /// Of a grid in the other subdistrict.
    Stranger,
    /// Of the unit that case 1 is assigned to.
    Crew,
    /// Of another unit.
    OtherCrew,
    Supervisor,
    /// Of the other subdistrict.
    OtherSupervisor,
    Auditor,
    /// Of the other subdistrict.
    OtherAuditor,
    /// Of the whole log.
    Admin,
}

pub(super) const ALL: [Who; 16] = [
    Who::Nobody,
    Who::Expired,
    Who::Disabled,
    Who::DisabledDesk,
    Who::Revoked,
    Who::Desk,
    Who::Inspector,
    Who::Traveller,
    Who::Stranger,
    Who::Crew,
    Who::OtherCrew,
    Who::Supervisor,
    Who::OtherSupervisor,
    Who::Auditor,
    Who::OtherAuditor,
    Who::Admin,
];

impl Who {
    pub(super) fn is_signed_in(self) -> bool {
        !matches!(self, Self::Nobody | Self::Expired | Self::Disabled | Self::DisabledDesk | Self::Revoked)
    }

    pub(super) fn has_phone(self) -> bool {
        !matches!(self, Self::Nobody | Self::Expired | Self::DisabledDesk | Self::Desk)
    }

    fn login(self) -> String {
        format!("the-{self:?}").to_lowercase()
    }

    fn role(self) -> (Role, &'static str) {
        match self {
            Self::Inspector | Self::Disabled | Self::Revoked | Self::Expired => (Role::Inspector, "A3"),
            Self::Traveller | Self::Stranger => (Role::Inspector, "A13"),
            Self::Crew => (Role::Crew, "A1"),
            Self::OtherCrew => (Role::Crew, "A11"),
            Self::Supervisor => (Role::Supervisor, "A1"),
            Self::OtherSupervisor => (Role::Supervisor, "A11"),
            Self::Auditor => (Role::Auditor, "A1"),
            Self::OtherAuditor => (Role::Auditor, "A11"),
            Self::Admin | Self::Nobody | Self::Desk | Self::DisabledDesk => (Role::Admin, "A0"),
        }
    }
}

/// What is asked.
pub(super) struct Ask {
    path: String,
    headers: Vec<(&'static str, String)>,
    body: Vec<u8>,
}

impl Ask {
    pub(super) fn get(path: impl Into<String>) -> Self {
        Self { path: path.into(), headers: Vec::new(), body: Vec::new() }
    }

    pub(super) fn json(path: &str, body: &Value) -> Self {
        Self::bytes(path, "application/json", body.to_string().into_bytes())
    }

    pub(super) fn bytes(path: &str, media: &str, body: Vec<u8>) -> Self {
        Self { path: path.to_owned(), headers: vec![("content-type", media.to_owned())], body }
    }

    pub(super) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }
}

/// What is answered, without what differs by nature.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) body: String,
}

pub(super) struct Cast {
    world: World,
    phones: BTreeMap<Who, Phone>,
    tokens: BTreeMap<Who, String>,
    pub(super) log: LogId,
    pub(super) other_log: LogId,
    pub(super) case: EntityId,
    pub(super) made_elsewhere: EntityId,
    pub(super) photo: Hash,
    photo_bytes: usize,
    pub(super) catalogue: Hash,
    pub(super) enrol: Value,
}

/// Two subdistricts whose grids do not touch.
fn areas() -> AreaTree {
    let text = |name: &str| Text { zh: name.to_owned(), en: name.to_owned() };
    let node = |number, parent: Option<u128>, level, west, east| Area {
        id: area(number),
        parent: parent.map(area),
        level,
        code: format!("A{number}"),
        name: text(&format!("area {number}")),
        boundary: vec![vec![vec![(west, 312_000_000), (east, 312_000_000), (east, 312_100_000), (west, 312_100_000)]]],
    };
    AreaTree {
        version: "1".into(),
        areas: vec![
            node(0, None, Level::District, 1_214_000_000, 1_214_400_000),
            node(1, Some(0), Level::Subdistrict, 1_214_000_000, 1_214_200_000),
            node(2, Some(1), Level::Community, 1_214_000_000, 1_214_200_000),
            node(3, Some(2), Level::Grid, 1_214_000_000, 1_214_090_000),
            node(11, Some(0), Level::Subdistrict, 1_214_200_000, 1_214_400_000),
            node(12, Some(11), Level::Community, 1_214_200_000, 1_214_400_000),
            node(13, Some(12), Level::Grid, 1_214_310_000, 1_214_400_000),
        ],
    }
}

/// A report of a kind that the shipped catalogue has, with what it wants for filing.
fn stall(photos: &[(Hash, usize)]) -> Body {
    let Body::Report(mut stall) = report(photos) else { unreachable!() };
    stall.category = "stall".parse().unwrap();
    stall.subject = Some("12".into());
    stall.fields.insert("goods".parse().unwrap(), json!("fruit_vegetables"));
    Body::Report(stall)
}

impl Cast {
    pub(super) async fn new() -> Self {
        let world = World::start_in(&areas()).await;
        let mut phones = BTreeMap::new();
        for who in ALL.into_iter().filter(|who| who.has_phone() || *who == Who::Expired) {
            let (role, area) = who.role();
            phones.insert(who, world.phone(&who.login(), role, area).await);
        }
        let (log, photo_file) = (phones[&Who::Inspector].log(), jpeg(64, 5));
        let mut cast = Self {
            tokens: BTreeMap::new(),
            log,
            other_log: LogId(Uuid::from_u128(0x0107)),
            case: case(1),
            made_elsewhere: case(2),
            photo: sha256(&photo_file),
            photo_bytes: photo_file.len(),
            catalogue: sha256(CITY_CATALOGUE.as_bytes()),
            enrol: {
                let (device, secret) = new_device("nobody's");
                enrol_body("0000-0000-0000", device, &secret)
            },
            phones,
            world,
        };
        cast.make_cases(&photo_file).await;
        cast.make_other_log().await;
        cast.log_in().await;
        cast
    }

    async fn make_cases(&self, photo_file: &[u8]) {
        let installation = &self.world.running.app.installation;
        let mut units = Vec::new();
        for (who, name) in [(Who::Crew, "ours"), (Who::OtherCrew, "theirs")] {
            let unit = installation.add_unit(Text { zh: name.into(), en: name.into() }, None).await.unwrap();
            installation.set_member(self.phones[&who].enrolled.account, (unit, true), None).await.unwrap();
            units.push(unit);
        }
        let [inspector, traveller, supervisor] =
            [Who::Inspector, Who::Traveller, Who::Supervisor].map(|who| &self.phones[&who]);
        let photos = [(self.photo, photo_file.len())];
        self.world.push(inspector, &[(self.case, stall(&photos))]).await;
        self.world.push(traveller, &[(self.made_elsewhere, stall(&[]))]).await;
        self.world.announce(inspector, &self.photo, photo_file.len()).await;
        assert_eq!(self.world.patch(inspector, &self.photo, 0, photo_file).await.status, 204);
        self.world.running.app.photos.sweep().await.unwrap();
        let file = Body::File(File { condition: "occupies_road".parse().unwrap() });
        let assign = Body::Assign(Assign {
            unit: units[0],
            co_units: Vec::new(),
            co_limits: Default::default(),
            holder: None,
            note: None,
        });
        let answer = self.world.push(supervisor, &[(self.case, file), (self.case, assign)]).await;
        let said = serde_json::to_string(&answer).unwrap();
        assert_eq!(said.matches(r#"\"outcome\":\"accepted\""#).count(), 2, "{said}");
    }

    /// A second district that nobody here has a right in.
    async fn make_other_log(&self) {
        let app = &self.world.running.app;
        let body = CreateLog {
            name: Text { zh: "邻区".into(), en: "Next door".into() },
            zone: "Asia/Shanghai".into(),
            signer: app.logs.checkpoints.signer().verifier_key(),
            server_device: DeviceId(Uuid::from_u128(0x0dd)),
        };
        app.logs.ledger.create_log(self.other_log, EpochId(Uuid::from_u128(0xe2)), body).await.unwrap();
    }

    /// Everybody's token of now; one person's of long ago.
    async fn log_in(&mut self) {
        let expired = self.phones[&Who::Expired].token().to_owned();
        self.world.later(11 * 60 * 1000);
        self.world.running.app.logs.checkpoints.sign_due().unwrap();
        for (who, phone) in &self.phones {
            let reply = self.world.post("/v1/token", &json!({ "refresh": phone.enrolled.tokens.refresh })).await;
            self.tokens.insert(*who, reply.json()["access"].as_str().unwrap().to_owned());
        }
        self.tokens.insert(Who::Expired, expired);
        for (who, role, area) in [(Who::Desk, Role::Supervisor, "A1"), (Who::DisabledDesk, Role::Supervisor, "A1")] {
            let login = who.login();
            self.world.account(&login, role, area, Some(PASSWORD)).await;
            let reply = self.world.post("/v1/login", &json!({"login": login, "password": PASSWORD})).await;
            self.tokens.insert(who, reply.json()["access"].as_str().unwrap().to_owned());
        }
        let installation = &self.world.running.app.installation;
        installation.revoke(self.phones[&Who::Revoked].device, "lost").await.unwrap();
        for who in [Who::Disabled, Who::DisabledDesk] {
            let account = installation.account(&who.login()).await.unwrap();
            installation.disable(account, "left").await.unwrap();
        }
    }

    pub(super) fn empty_push(&self, who: Who) -> Vec<u8> {
        self.phones.get(&who).unwrap_or(&self.phones[&Who::Inspector]).request(&[])
    }

    pub(super) fn account(&self, who: Who) -> AccountId {
        self.phones[&who].enrolled.account
    }

    pub(super) fn device(&self, who: Who) -> DeviceId {
        self.phones[&who].device
    }

    pub(super) fn announce(&self) -> Ask {
        let metadata = format!("sha256 {}", STANDARD.encode(sha256(b"to come").to_string()));
        let ask = Ask::get("/v1/photos").with("tus-resumable", "1.0.0").with("upload-length", "7");
        ask.with("upload-metadata", metadata)
    }

    pub(super) fn append(&self) -> Ask {
        let path = format!("/v1/photos/{}", self.photo);
        let ask = Ask::bytes(&path, "application/offset+octet-stream", Vec::new()).with("tus-resumable", "1.0.0");
        ask.with("upload-offset", self.photo_bytes.to_string())
    }

    pub(super) async fn get(&self, path: &str, who: Who) -> Answer {
        self.ask("GET", &Ask::get(path), who).await
    }

    /// Asks, and reads as much of the answer as it has said its length: an event stream has none, and goes on.
    pub(super) async fn ask(&self, method: &str, ask: &Ask, who: Who) -> Answer {
        let bearer = self.tokens.get(&who).map(|token| format!("Bearer {token}"));
        let mut headers: Vec<(&str, &str)> = ask.headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        headers.extend(bearer.as_deref().map(|bearer| ("authorization", bearer)));
        let mut stream = open(self.world.address(), method, &ask.path, &headers, ask.body.len()).await;
        drop(stream.write_all(&ask.body).await);
        let mut bytes = Vec::new();
        let mut piece = [0; 8192];
        loop {
            let text = String::from_utf8_lossy(&bytes).into_owned();
            if let Some((head, body)) = text.split_once("\r\n\r\n") {
                let head = head.to_ascii_lowercase();
                let streams = head.contains("text/event-stream") || method == "HEAD";
                let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
                let length: Option<usize> = length.and_then(|length| length.trim().parse().ok());
                if streams || length.is_some_and(|length| body.len() >= length) {
                    return answer_of(&text);
                }
            }
            match stream.read(&mut piece).await {
                Ok(0) | Err(_) => return answer_of(&text),
                Ok(count) => bytes.extend_from_slice(&piece[..count]),
            }
        }
    }

    /// Pushes ops as somebody; says their records.
    pub(super) async fn push(&self, who: Who, ops: &[(EntityId, Body)]) -> Vec<Value> {
        let body = self.phones[&who].request(ops);
        let text = String::from_utf8(body.clone()).unwrap();
        let sent: Vec<Value> = text.lines().skip(1).map(|line| serde_json::from_str(line).unwrap()).collect();
        let ask = Ask::bytes("/v1/sync", "application/x-ndjson", body);
        let answer = self.ask("POST", &ask, who).await;
        assert_eq!(answer.status, 200, "{who:?}: {}", answer.body);
        let lines: Vec<Value> = answer.body.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
        let record_of = |op: &Value| {
            let line = lines.iter().find(|line| line["outcome"]["op"] == op["op"]);
            let record = line.unwrap_or_else(|| panic!("{who:?}: no outcome in {}", answer.body));
            serde_json::from_str(record["outcome"]["record"].as_str().unwrap()).unwrap()
        };
        sent.iter().map(record_of).collect()
    }
}

fn answer_of(text: &str) -> Answer {
    let (head, body) = text.split_once("\r\n\r\n").expect("an answer with a head");
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    let body = match serde_json::from_str::<Value>(body) {
        Ok(Value::Object(mut members)) => {
            members.remove("request");
            Value::Object(members).to_string()
        }
        _ => body.to_owned(),
    };
    Answer { status, body }
}
