//! A phone in somebody's hand: its store, its own idea of the time, and the hand that may drop it.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use schema::auth::{Enrol, Enrolled, LogAccess, Tokens};
use schema::case::Case;
use schema::entity::Entity;
use schema::hash::Hash;
use schema::ids::{BootId, DeviceId, EntityId, LogId, OpId};
use schema::op::{Captured, EvidenceRole, SealedValue, Taken, TakenBy};
use server::clock::Clock;
use server::demo::city::{City, DemoAccount};
use sync_core::device::capture::{Draft, PhotoFile, PhotoSource};
use sync_core::device::entropy::SeededEntropy;
use sync_core::device::phone::Phone;
use sync_core::device::requests::Request;
use sync_core::device::store::Store;
use sync_core::line::sha256;
use uuid::Uuid;

use super::{FIRST_EPOCH, kept};

/// An op that somebody captured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Made {
    /// Its log.
    pub log: LogId,
    /// The op.
    pub op: OpId,
    /// What it is about.
    pub entity: EntityId,
    /// Its kind.
    pub kind: String,
    /// The photos that it names.
    pub photos: Vec<Hash>,
    /// The phone has known of it ever since: it did not come back from a copy that is older.
    pub known: bool,
}

/// What somebody works with: the rules are the same, the tables are not.
enum Device {
    /// The phone's program.
    Phone(Box<Phone>),
    /// The page, on its tables in memory and what is saved of them.
    Page(Box<kept::Phone>),
}

/// A phone and its owner.
pub struct Handset {
    phone: Option<Device>,
    page: bool,
    home: PathBuf,
    /// Its owner.
    pub account: DemoAccount,
    /// Its id.
    pub device: DeviceId,
    /// The machine that it lives on: two people may share one.
    pub machine: usize,
    /// Every op that was captured on it and that it can be asked to keep.
    pub made: Vec<Made>,
    clock: Clock,
    wrong_by_ms: i64,
    booted_ms: u64,
    boots: u128,
    seed: u64,
    opened: u64,
}

impl Handset {
    /// A new phone, with what it sends to be enrolled.
    ///
    /// # Errors
    /// Its store can't be made.
    pub(crate) fn new(
        home: PathBuf,
        account: DemoAccount,
        seed: u64,
        (machine, page): (usize, bool),
        clock: Clock,
    ) -> Result<(Self, Enrol)> {
        let booted_ms = clock.now_ms();
        let mut handset = Self {
            phone: None,
            page,
            home,
            account,
            device: DeviceId::NIL,
            machine,
            made: Vec::new(),
            clock,
            wrong_by_ms: 0,
            booted_ms,
            boots: 1,
            seed,
            opened: 0,
        };
        handset.open()?;
        let now = handset.now();
        let (server, code, label) = ("http://server", "CODE", "test phone");
        let enrol = match handset.device() {
            Device::Phone(phone) => phone.begin_enrolment(server, code, label, now)?,
            Device::Page(page) => page.begin_enrolment(server, code, label, now)?,
        };
        handset.device = enrol.device;
        Ok((handset, enrol))
    }

    pub(crate) fn finish(&mut self, logs: &[LogId], city: &City, signer: &str) -> Result<()> {
        let access = |log: &LogId| LogAccess {
            log: *log,
            epoch: FIRST_EPOCH,
            name: city.name.clone(),
            zone: city.zone.to_owned(),
            signer: signer.to_owned(),
        };
        let tokens =
            Tokens { access: "a".to_owned(), access_expires_in_s: 600, refresh: "r".to_owned(), export_key: None };
        let (account, name) = (self.account.id, self.account.name.clone());
        let logs = logs.iter().map(access).collect();
        self.phone().finish_enrolment(&Enrolled { account, name, logs, tokens })?;
        Ok(())
    }

    /// Its store.
    pub fn phone(&mut self) -> &mut Store {
        match self.device() {
            Device::Phone(phone) => phone,
            Device::Page(page) => page,
        }
    }

    fn device(&mut self) -> &mut Device {
        self.phone.as_mut().expect("a handset is always open between two steps")
    }

    /// What it asks a log next, signed.
    ///
    /// # Errors
    /// The store's.
    pub fn next_request(&mut self, log: LogId, ops_max: usize, now: Captured) -> Result<Request> {
        Ok(match self.device() {
            Device::Phone(phone) => phone.next_request(log, ops_max, now)?,
            Device::Page(page) => page.next_request(log, ops_max, now)?,
        })
    }

    /// Where the bytes of a photo are.
    pub fn photo_path(&mut self, photo: &Hash) -> PathBuf {
        match self.device() {
            Device::Phone(phone) => phone.photo_path(photo),
            Device::Page(page) => page.photo_path(photo),
        }
    }

    /// Deletes the photos that are safe without it.
    ///
    /// # Errors
    /// The store's.
    pub fn free_photos(&mut self) -> Result<usize> {
        Ok(match self.device() {
            Device::Phone(phone) => phone.free_photos()?,
            Device::Page(page) => page.free_photos()?,
        })
    }

    fn open(&mut self) -> Result<()> {
        self.opened += 1;
        let entropy = SeededEntropy::new(self.seed * 1_000 + self.opened);
        let entropy = Box::new(entropy);
        self.phone = Some(match self.page {
            false => Device::Phone(Box::new(Phone::open(&self.home, entropy).context("opening a phone")?)),
            true => Device::Page(Box::new(kept::Phone::open(&self.home, entropy).context("opening a page")?)),
        });
        Ok(())
    }

    /// The program is killed and started again.
    ///
    /// # Errors
    /// It does not start.
    pub fn kill(&mut self) -> Result<()> {
        self.phone = None;
        self.open()
    }

    /// The phone is restarted: a new boot, its monotonic clock begins again.
    ///
    /// # Errors
    /// It does not start.
    pub fn reboot(&mut self) -> Result<()> {
        self.boots += 1;
        self.booted_ms = self.clock.now_ms();
        self.kill()
    }

    /// Somebody sets its wall clock wrong.
    pub fn set_wrong_by(&mut self, wrong_by_ms: i64) {
        self.wrong_by_ms = wrong_by_ms;
    }

    /// Its clocks.
    pub fn now(&self) -> Captured {
        let now_ms = self.clock.now_ms();
        Captured {
            wall_ms: i64::try_from(now_ms).unwrap_or(i64::MAX).saturating_add(self.wrong_by_ms),
            elapsed_ms: now_ms - self.booted_ms,
            boot: BootId(Uuid::from_u128(u128::from(self.seed) * 1_000 + self.boots)),
        }
    }

    /// Seals a value for an op.
    ///
    /// # Errors
    /// The seed gives no more chance.
    pub fn seal(&mut self, value: &str) -> Result<SealedValue> {
        Ok(self.phone().seal(value)?)
    }

    /// Captures an op with these photos.
    ///
    /// # Errors
    /// The store's.
    pub fn capture(&mut self, draft: Draft, photos: &[(EvidenceRole, Vec<u8>)]) -> Result<()> {
        let now = self.now();
        let taken = Taken { by: TakenBy::Camera, wall_ms: Some(now.wall_ms), position: None, mock_position: false };
        let files: Vec<PhotoFile> = photos
            .iter()
            .map(|(role, bytes)| PhotoFile { source: PhotoSource::Bytes(bytes.clone()), role: *role, taken })
            .collect();
        let (kind, _) = sync_core::line::kind_and_body(&draft.body)?;
        let log = draft.log;
        let receipt = match self.device() {
            Device::Phone(phone) => phone.capture(draft, &files, now)?,
            Device::Page(page) => page.capture(draft, &files, now)?,
        };
        let photos = photos.iter().map(|(_, bytes)| sha256(bytes)).collect();
        self.made.push(Made { log, op: receipt.op, entity: receipt.entity, kind, photos, known: true });
        Ok(())
    }

    /// Keeps a copy of the phone's storage, as a backup of the whole phone does.
    ///
    /// # Errors
    /// The folder can't be copied.
    pub fn copy(&mut self) -> Result<()> {
        self.phone = None;
        copy_folder(&self.home, &self.copy_place())?;
        self.open()
    }

    /// The phone comes back from its copy: what only the newer state knew is gone with it, and is given up here. Says
    /// whether there was a copy.
    ///
    /// # Errors
    /// The folder can't be copied.
    pub fn restore_copy(&mut self) -> Result<bool> {
        let copy = self.copy_place();
        if !copy.is_dir() {
            return Ok(false);
        }
        let before: BTreeSet<OpId> = self.phone().own_ops()?.into_iter().collect();
        self.phone = None;
        std::fs::remove_dir_all(&self.home)?;
        copy_folder(&copy, &self.home)?;
        self.open()?;
        let after: BTreeSet<OpId> = self.phone().own_ops()?.into_iter().collect();
        self.made.retain(|made| !before.contains(&made.op) || after.contains(&made.op));
        // What was durable already the phone need not have held: it comes again from the server.
        self.made.iter_mut().for_each(|made| made.known = after.contains(&made.op));
        Ok(true)
    }

    /// Runs SQL in its store, as somebody does who goes around its program.
    ///
    /// # Errors
    /// The store's.
    pub fn execute(&mut self, statements: &str) -> Result<()> {
        Ok(rusqlite::Connection::open(self.home.join("phone.db"))?.execute_batch(statements)?)
    }

    fn copy_place(&self) -> PathBuf {
        self.home.with_extension("copy")
    }

    /// The cases that it shows.
    ///
    /// # Errors
    /// The store's.
    pub fn cases(&mut self, log: LogId) -> Result<Vec<Case>> {
        let rows = self.phone().list(&sync_core::device::list::Filter::default(), None, 1_000)?;
        let mut cases = Vec::new();
        for row in rows {
            if let Some(shown) = self.phone().view(log, row.case)?
                && let Entity::Case(case) = shown.entity
            {
                cases.push(*case);
            }
        }
        Ok(cases)
    }
}

fn copy_folder(from: &Path, to: &Path) -> Result<()> {
    std::fs::create_dir_all(to)?;
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        let place = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_folder(&entry.path(), &place)?;
        } else {
            std::fs::copy(entry.path(), place)?;
        }
    }
    Ok(())
}
