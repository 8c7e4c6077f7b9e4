//! A phone in somebody's hand: its store, its own idea of the time, and the hand that may drop it.

use std::path::PathBuf;

use anyhow::{Context, Result};
use schema::auth::{Enrol, Enrolled, LogAccess, Tokens};
use schema::entity::Entity;
use schema::ids::{BootId, DeviceId, EntityId, EpochId, LogId, OpId};
use schema::op::{Body, Captured, EvidenceRole, Taken, TakenBy};
use server::clock::Clock;
use server::demo::city::{City, DemoAccount};
use sync_core::device::capture::{Draft, PhotoFile, PhotoSource};
use sync_core::device::entropy::SeededEntropy;
use sync_core::device::phone::Phone;
use uuid::Uuid;

/// A phone and its owner.
pub struct Handset {
    phone: Option<Phone>,
    home: PathBuf,
    /// Its owner.
    pub account: DemoAccount,
    /// Its id.
    pub device: DeviceId,
    /// Every op that was captured on it.
    pub made: Vec<(OpId, EntityId, String)>,
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
    pub(crate) fn new(home: PathBuf, account: DemoAccount, seed: u64, clock: Clock) -> Result<(Self, Enrol)> {
        let booted_ms = clock.now_ms();
        let mut handset = Self {
            phone: None,
            home,
            account,
            device: DeviceId::NIL,
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
        let enrol = handset.phone().begin_enrolment("http://server", "CODE", "test phone", now)?;
        handset.device = enrol.device;
        Ok((handset, enrol))
    }

    pub(crate) fn finish(&mut self, log: LogId, city: &City, signer: &str) -> Result<()> {
        let access = LogAccess {
            log,
            epoch: EpochId(Uuid::from_u128(0x10_002)),
            name: city.name.clone(),
            zone: city.zone.to_owned(),
            signer: signer.to_owned(),
        };
        let tokens =
            Tokens { access: "a".to_owned(), access_expires_in_s: 600, refresh: "r".to_owned(), export_key: None };
        let (account, name) = (self.account.id, self.account.name.clone());
        self.phone().finish_enrolment(&Enrolled { account, name, logs: vec![access], tokens })?;
        Ok(())
    }

    /// Its store.
    pub fn phone(&mut self) -> &mut Phone {
        self.phone.as_mut().expect("a handset is always open between two steps")
    }

    fn open(&mut self) -> Result<()> {
        self.opened += 1;
        let entropy = SeededEntropy::new(self.seed * 1_000 + self.opened);
        self.phone = Some(Phone::open(&self.home, Box::new(entropy)).context("opening a phone")?);
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

    /// Captures an op with photos of so many bytes.
    ///
    /// # Errors
    /// The store's.
    pub fn capture(
        &mut self,
        log: LogId,
        entity: Option<EntityId>,
        body: Body,
        photos: &[(EvidenceRole, Vec<u8>)],
    ) -> Result<(OpId, EntityId)> {
        let now = self.now();
        let taken = Taken { by: TakenBy::Camera, wall_ms: Some(now.wall_ms), position: None, mock_position: false };
        let files: Vec<PhotoFile> = photos
            .iter()
            .map(|(role, bytes)| PhotoFile { source: PhotoSource::Bytes(bytes.clone()), role: *role, taken })
            .collect();
        let (kind, _) = sync_core::line::kind_and_body(&body)?;
        let draft = Draft { log, entity, body, values: Vec::new() };
        let receipt = self.phone().capture(draft, &files, now)?;
        self.made.push((receipt.op, receipt.entity, kind));
        Ok((receipt.op, receipt.entity))
    }

    /// The cases that it shows.
    ///
    /// # Errors
    /// The store's.
    pub fn cases(&mut self, log: LogId) -> Result<Vec<schema::case::Case>> {
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
