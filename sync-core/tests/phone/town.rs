//! A server and phones in temporary folders, and what people do on them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use schema::auth::{Enrol, Enrolled, LogAccess, Tokens};
use schema::case::{Case, Channel, FieldName, Position, Source};
use schema::catalogue::Text;
use schema::entity::Entity;
use schema::ids::{BootId, EntityId, OpId};
use schema::op::{AddEvidence, Amend, Body, Captured, Change, Comment, EvidenceRole, Report, Taken, TakenBy};
use schema::photo::PhotoState;
use sync_core::device::answers::Progress;
use sync_core::device::capture::{Draft, PhotoFile, PhotoSource, Receipt};
use sync_core::device::entropy::SeededEntropy;
use sync_core::device::error::PhoneError;
use sync_core::device::requests::Request;
use tempfile::TempDir;
use uuid::Uuid;

use super::handset::Phone;
use super::server::{LOG, Server, account_id, area_document, catalogue_document};

pub(crate) struct Town {
    pub(crate) server: Server,
    pub(crate) phones: Vec<Phone>,
    pub(crate) folders: Vec<PathBuf>,
    pub(crate) time_ms: i64,
    pub(crate) folder: TempDir,
}

impl Town {
    /// Phones of the accounts 0, 1, 2, …
    pub(crate) fn new(phones: u64) -> Self {
        let folder = TempDir::new().unwrap();
        let mut town =
            Self { server: Server::new(), phones: Vec::new(), folders: Vec::new(), time_ms: 1_800_000_000_000, folder };
        for number in 0..phones {
            let home = town.folder.path().join(format!("phone-{number}"));
            let phone = enrolled(&mut town.server, &home, number, now(1));
            town.folders.push(home);
            town.phones.push(phone);
        }
        town
    }

    pub(crate) fn now(&mut self) -> Captured {
        self.time_ms += 1;
        now(self.time_ms)
    }

    pub(crate) fn request(&mut self, phone: usize) -> Request {
        let now = self.now();
        self.phones[phone].next_request(LOG, 200, now).unwrap()
    }

    pub(crate) fn answer(&mut self, phone: usize, request: &Request, bytes: &[u8]) -> Progress {
        let now = self.now();
        self.phones[phone].take_answer(request, bytes, now).unwrap()
    }

    /// One request and its answer.
    pub(crate) fn round(&mut self, phone: usize) -> Progress {
        let request = self.request(phone);
        let bytes = self.server.sync(&request.body);
        self.answer(phone, &request, &bytes)
    }

    /// Syncs until there is nothing more to do.
    pub(crate) fn sync(&mut self, phone: usize) -> Progress {
        for _ in 0..200 {
            let progress = self.round(phone);
            self.documents(phone);
            if !progress.more {
                return progress;
            }
        }
        panic!("INV-QUEUE-DRAINS: phone {phone} never came to rest");
    }

    fn documents(&mut self, phone: usize) {
        let now = self.now();
        for (_, hash) in self.phones[phone].documents_to_fetch().unwrap() {
            for bytes in [area_document(), catalogue_document()] {
                if sync_core::line::sha256(&bytes) == hash {
                    self.phones[phone].take_document(hash, &bytes, now).unwrap();
                }
            }
        }
    }

    /// Offers the photos, and sends those that are missing whole.
    pub(crate) fn send_photos(&mut self, phone: usize) {
        for photo in self.phones[phone].photos_to_offer().unwrap() {
            let here = self.server.verified.contains_key(&photo.sha256);
            let state = if here { PhotoState::Verified } else { PhotoState::Absent };
            self.phones[phone].photo_answer(photo.sha256, state).unwrap();
        }
        for photo in self.phones[phone].photos_to_send().unwrap() {
            let bytes = std::fs::read(self.phones[phone].photo_path(&photo.sha256)).unwrap();
            assert_eq!(sync_core::line::sha256(&bytes), photo.sha256, "a photo is whole");
            self.server.photo_arrives(photo.sha256, photo.size);
            self.phones[phone].photo_answer(photo.sha256, PhotoState::Verified).unwrap();
        }
    }

    pub(crate) fn report(&mut self, phone: usize, photos: &[&[u8]]) -> Receipt {
        let now = self.now();
        report(&mut self.phones[phone], now, photos).unwrap()
    }

    pub(crate) fn comment(&mut self, phone: usize, case: EntityId, text: &str) -> OpId {
        let now = self.now();
        let value = self.phones[phone].seal(text).unwrap();
        let body = Body::Comment(Comment { text: schema::op::Sealed { sealed: value.sealed } });
        let draft = Draft { log: LOG, entity: Some(case), body, values: vec![value] };
        self.phones[phone].capture(draft, &[], now).unwrap().op
    }

    /// Changes the subject from what the phone shows.
    pub(crate) fn amend(&mut self, phone: usize, case: EntityId, subject: &str) -> OpId {
        let now = self.now();
        let field = FieldName::Subject;
        let shown = self.case(phone, case).expect("a case to amend");
        let was = shown.fields.get(&field).map_or(serde_json::Value::Null, |held| held.value.clone());
        let changes = BTreeMap::from([(field, Change { was, to: subject.into() })]);
        let draft = Draft { log: LOG, entity: Some(case), body: Body::Amend(Amend { changes }), values: Vec::new() };
        self.phones[phone].capture(draft, &[], now).unwrap().op
    }

    pub(crate) fn add_photo(&mut self, phone: usize, case: EntityId, bytes: &[u8]) -> OpId {
        let now = self.now();
        let body = Body::AddEvidence(AddEvidence { photos: Vec::new() });
        let draft = Draft { log: LOG, entity: Some(case), body, values: Vec::new() };
        self.phones[phone].capture(draft, &[photo(bytes)], now).unwrap().op
    }

    pub(crate) fn act(&mut self, phone: usize, case: EntityId, body: Body) -> OpId {
        let now = self.now();
        let draft = Draft { log: LOG, entity: Some(case), body, values: Vec::new() };
        self.phones[phone].capture(draft, &[], now).unwrap().op
    }

    pub(crate) fn case(&self, phone: usize, case: EntityId) -> Option<Case> {
        match self.phones[phone].view(LOG, case).unwrap().map(|shown| shown.entity) {
            Some(Entity::Case(case)) => Some(*case),
            _ => None,
        }
    }

    pub(crate) fn reopen(&mut self, phone: usize) {
        let other = self.folder.path().join("elsewhere");
        // The old one must be closed before the new one opens the same folder.
        self.phones[phone] = open(&other).unwrap();
        self.phones[phone] = open(&self.folders[phone].clone()).unwrap();
    }
}

/// Each opening draws other bytes, as a real phone does.
pub(crate) fn open(home: &Path) -> Result<Phone, PhoneError> {
    Phone::open(home, Box::new(SeededEntropy::new(OPENED.fetch_add(1, Ordering::SeqCst))))
}

static OPENED: AtomicU64 = AtomicU64::new(1);

pub(crate) fn enrolled(server: &mut Server, home: &Path, number: u64, now: Captured) -> Phone {
    enrolled_at("http://demo", server, home, number, now)
}

pub(crate) fn enrolled_at(address: &str, server: &mut Server, home: &Path, number: u64, now: Captured) -> Phone {
    enrol(open(home).unwrap(), address, server, number, now)
}

/// Enrols a phone as the device of an account.
pub(crate) fn enrol(mut phone: Phone, address: &str, server: &mut Server, number: u64, now: Captured) -> Phone {
    let enrol = phone.begin_enrolment(address, "code", "test", now).unwrap();
    let enrolled = answer(server, &enrol, number);
    phone.finish_enrolment(&enrolled).unwrap();
    phone
}

/// What a server answers to an enrolment.
pub(crate) fn answer(server: &mut Server, enrol: &Enrol, number: u64) -> Enrolled {
    let account = account_id(number.into());
    server.keys.insert(enrol.device, enrol.key);
    server.owners.insert(enrol.device, account);
    let name = Text { zh: "区".into(), en: "District".into() };
    let access =
        LogAccess { log: LOG, epoch: server.epoch, name, zone: "Asia/Shanghai".into(), signer: server.verifier_key() };
    let tokens = Tokens { access: "a".into(), access_expires_in_s: 600, refresh: "r".into(), export_key: None };
    Enrolled { account, name: format!("person {number}"), logs: vec![access], tokens }
}

pub(crate) fn now(wall_ms: i64) -> Captured {
    Captured { wall_ms, elapsed_ms: 1_000, boot: BootId(Uuid::from_u128(1)) }
}

pub(crate) fn photo(bytes: &[u8]) -> PhotoFile {
    PhotoFile {
        source: PhotoSource::Bytes(bytes.to_vec()),
        role: EvidenceRole::Before,
        taken: Taken { by: TakenBy::Camera, wall_ms: None, position: None, mock_position: false },
    }
}

pub(crate) fn report(phone: &mut Phone, now: Captured, photos: &[&[u8]]) -> Result<Receipt, PhoneError> {
    report_at(phone, now, photos, 500)
}

pub(crate) fn report_at(phone: &mut Phone, now: Captured, photos: &[&[u8]], lon: i32) -> Result<Receipt, PhoneError> {
    let note = phone.seal("摊位占道").unwrap();
    let body = Body::Report(Report {
        category: "stall".parse().unwrap(),
        subtype: "road_occupation".parse().unwrap(),
        catalogue: None,
        position: Position { accuracy_m: Some(5), ..Position::at(500, lon) },
        subject: Some("12".into()),
        note: Some(schema::op::Sealed { sealed: note.sealed }),
        fields: BTreeMap::new(),
        source: Source { channel: Channel::Patrol, number: None },
        photos: Vec::new(),
    });
    let photos: Vec<PhotoFile> = photos.iter().map(|bytes| photo(bytes)).collect();
    phone.capture(Draft { log: LOG, entity: None, body, values: vec![note] }, &photos, now)
}
