//! Drives the session: performs its effects with the store and the transport, and reports what came of them.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::time::Duration;

use schema::hash::Hash;
use schema::ids::LogId;
use schema::photo::PhotoState;
use schema::problem::ProblemCode;

use super::answers::Progress;
use super::clocks::Clocks;
use super::error::PhoneError;
use super::phone::Phone;
use super::photo_file;
use super::photos::PhotoToSend;
use super::transport::{CHUNK_BYTES, CallError, Identified, Transport};
use crate::sync::course;
use crate::sync::session::{Effect, Event, Failure, Session};

/// Photos in one `have`.
const OFFER_MAX: usize = 200;

/// What a person may want to watch.
#[derive(Clone, Copy)]
pub enum News<'a> {
    /// A sync answer was taken.
    Answered {
        /// The log.
        log: LogId,
        /// What it brought.
        progress: Progress,
    },
    /// So much of a photo is at the server.
    Photo {
        /// Which.
        photo: Hash,
        /// Bytes there.
        sent: u64,
        /// Bytes in all.
        size: u64,
    },
    /// So many photos are to be sent.
    Photos {
        /// How many.
        count: usize,
        /// Their bytes in all.
        bytes: u64,
    },
    /// Something failed; it is tried again.
    Failed {
        /// Why.
        why: &'a dyn std::fmt::Display,
    },
    /// It waits.
    Waiting {
        /// How long.
        ms: u64,
    },
}

/// Who watches, and how waiting is done.
pub trait Watcher {
    /// Something happened.
    fn news(&mut self, news: &News<'_>);
    /// Waits so long, or until there is a reason to go on; false ends the drive.
    fn wait(&mut self, time: Duration) -> bool;
    /// Whether photos may be sent now: asked before each piece of one, for a network that costs may begin at any time.
    /// Ops are never asked about.
    fn may_send_photos(&mut self) -> bool {
        true
    }
}

/// How a drive ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// Everything is done.
    Rest,
    /// The login is not good any more: a person must enrol the phone again.
    Paused,
    /// This device was revoked and can't be enrolled again. It has delivered what its key alone delivers.
    Revoked,
    /// The watcher did not want to wait.
    Stopped,
}

/// A phone with its server.
pub struct Drive<'a> {
    phone: &'a mut Phone,
    transport: &'a Transport,
    clocks: &'a Clocks,
    watcher: &'a mut dyn Watcher,
    photos: Vec<PhotoToSend>,
    advanced: bool,
    revoked: bool,
    /// The photos are sent on the key alone.
    handing_in: bool,
}

impl<'a> Drive<'a> {
    /// Puts them together.
    pub fn new(
        phone: &'a mut Phone,
        transport: &'a Transport,
        clocks: &'a Clocks,
        watcher: &'a mut dyn Watcher,
    ) -> Self {
        Self {
            phone,
            transport,
            clocks,
            watcher,
            photos: Vec::new(),
            advanced: false,
            revoked: false,
            handing_in: false,
        }
    }

    /// Wakes a session and works until it rests, pauses, or the watcher stops it.
    ///
    /// # Errors
    /// The store's: the network's faults are the session's to wait out.
    pub fn run(&mut self, session: &mut Session) -> Result<Ended, PhoneError> {
        let mut effects = session.step(Event::Wake);
        loop {
            let Some(effect) = effects.pop() else { return Ok(Ended::Stopped) };
            let event = match effect {
                Effect::Rest => {
                    self.phone.free_photos()?;
                    return Ok(Ended::Rest);
                }
                Effect::Pause if self.revoked => return Ok(Ended::Revoked),
                Effect::Pause => return Ok(Ended::Paused),
                Effect::Wait { ms } => {
                    self.watcher.news(&News::Waiting { ms });
                    if !self.watcher.wait(Duration::from_millis(ms)) {
                        return Ok(Ended::Stopped);
                    }
                    Event::TimeUp
                }
                Effect::Sync { log, ops_max } => self.sync(log, ops_max, false)?,
                Effect::Deliver { log, ops_max } => self.sync(log, ops_max, true)?,
                Effect::FetchDocuments => {
                    let revoked = self.learn_logs()?;
                    session.add_logs(self.phone.log_ids()?);
                    if revoked { Event::Revoked } else { self.documents()? }
                }
                Effect::OfferPhotos => self.offer()?,
                Effect::SendPhoto => self.send_photo()?,
                Effect::HandInPhoto => self.hand_in_photo()?,
                Effect::RefreshToken => self.refresh()?,
            };
            if std::mem::take(&mut self.advanced) {
                session.step(Event::Advanced);
            }
            self.revoked |= event == Event::Revoked;
            effects = session.step(event);
        }
    }

    fn failed(&mut self, error: &CallError) -> Result<Event, PhoneError> {
        // A token that has ended is the ordinary course of things.
        if error.failure() != Failure::Unauthorized {
            self.watcher.news(&News::Failed { why: error });
        }
        if error.code() == Some(ProblemCode::DeviceRevoked) {
            return Ok(Event::Revoked);
        }
        Ok(Event::Failed { failure: error.failure(), random: self.phone.random()? })
    }

    fn later(&mut self, why: &dyn std::fmt::Display) -> Result<Event, PhoneError> {
        self.watcher.news(&News::Failed { why });
        Ok(Event::Failed { failure: Failure::Later { retry_after_ms: None }, random: self.phone.random()? })
    }

    fn sync(&mut self, log: LogId, ops_max: usize, by_key: bool) -> Result<Event, PhoneError> {
        let request = self.phone.next_request(log, ops_max, self.clocks.now())?;
        let (token, _) = self.phone.tokens()?;
        let who = match by_key {
            true => Identified::Key(self.phone.identity()?.device),
            false => Identified::Token(&token),
        };
        let bytes = match self.transport.sync(who, &request.body) {
            Ok(bytes) => bytes,
            Err(error) => return self.failed(&error),
        };
        let progress = match self.phone.take_answer(&request, &bytes, self.clocks.now()) {
            Ok(progress) => progress,
            Err(error @ (PhoneError::Answer(_) | PhoneError::OtherLog | PhoneError::StorageFull)) => {
                return self.later(&error);
            }
            Err(error) => return Err(error),
        };
        // On its key alone the server answers none but a revoked device.
        self.revoked |= by_key;
        self.watcher.news(&News::Answered { log, progress });
        match progress.event(request.header.count) {
            Ok(event) => Ok(event),
            Err(why) => self.later(&why),
        }
    }

    fn refresh(&mut self) -> Result<Event, PhoneError> {
        let (_, refresh) = self.phone.tokens()?;
        match self.transport.refresh(&refresh) {
            Ok(tokens) => {
                self.phone.take_tokens(&tokens)?;
                Ok(Event::Refreshed)
            }
            Err(error) if error.code() == Some(ProblemCode::DeviceRevoked) => Ok(Event::Revoked),
            Err(error @ CallError::Refused { status, .. }) if course::ends_the_login(status) => {
                self.watcher.news(&News::Failed { why: &error });
                // Another program of this phone may have refreshed them a moment ago.
                let fresher = self.phone.tokens()?.1 != refresh;
                Ok(if fresher { Event::Refreshed } else { Event::RefreshRefused })
            }
            Err(error) => self.failed(&error),
        }
    }

    /// The districts that the person may work in by now; true where this phone is shut out, which a sync with a good
    /// token does not say. Not to learn of them stops nothing else: they are asked for in every round.
    fn learn_logs(&mut self) -> Result<bool, PhoneError> {
        let (token, _) = self.phone.tokens()?;
        match self.transport.logs(&token) {
            Ok(logs) => self.phone.take_logs(&logs)?,
            Err(error) => return Ok(error.code() == Some(ProblemCode::DeviceRevoked)),
        }
        Ok(false)
    }

    fn documents(&mut self) -> Result<Event, PhoneError> {
        for (log, hash) in self.phone.documents_to_fetch()? {
            let (token, _) = self.phone.tokens()?;
            match self.transport.document(&token, log, hash) {
                Ok(bytes) => match self.phone.take_document(hash, &bytes, self.clocks.now()) {
                    Ok(()) => self.advanced = true,
                    Err(error @ (PhoneError::WrongHash(_) | PhoneError::StorageFull)) => return self.later(&error),
                    Err(error) => return Err(error),
                },
                // Not for this account, or gone: the case shows without its names.
                Err(CallError::Refused { status: 403 | 404, .. }) => {}
                Err(error) => return self.failed(&error),
            }
        }
        Ok(Event::Documents)
    }

    fn offer(&mut self) -> Result<Event, PhoneError> {
        if !self.watcher.may_send_photos() {
            self.photos.clear();
            return Ok(Event::Offered { to_send: 0 });
        }
        let hashes: Vec<Hash> = self.phone.photos_to_offer()?.into_iter().map(|photo| photo.sha256).collect();
        for some in hashes.chunks(OFFER_MAX) {
            let (token, _) = self.phone.tokens()?;
            match self.transport.have(&token, some.to_vec()) {
                Ok(states) => {
                    for (photo, state) in some.iter().zip(states) {
                        self.phone.photo_answer(*photo, state)?;
                    }
                }
                Err(error) => return self.failed(&error),
            }
        }
        self.photos = self.phone.photos_to_send()?;
        let bytes = self.photos.iter().map(|photo| photo.size.saturating_sub(photo.offset)).sum();
        self.watcher.news(&News::Photos { count: self.photos.len(), bytes });
        // Taken from the end.
        self.photos.reverse();
        Ok(Event::Offered { to_send: u64::try_from(self.photos.len()).unwrap_or(u64::MAX) })
    }

    fn send_photo(&mut self) -> Result<Event, PhoneError> {
        let Some(photo) = self.photos.last().cloned() else { return Ok(Event::PhotoSent { more: false }) };
        let mut file = match File::open(self.phone.photo_path(&photo.sha256)) {
            Ok(file) => file,
            Err(error) => return self.photo_unreadable(&photo, &error),
        };
        match self.send_bytes(&photo, &mut file)? {
            Ok(()) => {
                self.photos.pop();
                Ok(Event::PhotoSent { more: !self.photos.is_empty() })
            }
            Err(Unsent::Unreadable(error)) => self.photo_unreadable(&photo, &error),
            Err(Unsent::NotNow) => {
                self.photos.clear();
                Ok(Event::PhotoSent { more: false })
            }
            Err(Unsent::NoFurther) => self.photo_refused(&photo, &"its bytes did not have their hash"),
            Err(Unsent::Call(error)) if is_of_the_photo(&error) => self.photo_refused(&photo, &error),
            Err(Unsent::Call(error)) => self.failed(&error),
        }
    }

    /// By key nobody is asked which photos are missing: each says so itself.
    fn hand_in_photo(&mut self) -> Result<Event, PhoneError> {
        if !std::mem::replace(&mut self.handing_in, true) {
            self.photos = self.phone.photos_to_send()?;
            self.photos.reverse();
        }
        self.send_photo()
    }

    /// Either the way spoilt the bytes, or this phone's medium did: the second is for a person to know.
    fn photo_refused(&mut self, photo: &PhotoToSend, why: &dyn std::fmt::Display) -> Result<Event, PhoneError> {
        self.watcher.news(&News::Failed { why });
        if !photo_file::is_whole(&self.phone.photo_path(&photo.sha256), &photo.sha256) {
            self.phone.photo_gone(photo.sha256, self.clocks.now())?;
        }
        self.skip_photo()
    }

    fn photo_unreadable(&mut self, photo: &PhotoToSend, error: &io::Error) -> Result<Event, PhoneError> {
        self.watcher.news(&News::Failed { why: error });
        self.phone.photo_gone(photo.sha256, self.clocks.now())?;
        self.skip_photo()
    }

    fn skip_photo(&mut self) -> Result<Event, PhoneError> {
        self.photos.pop();
        Ok(Event::PhotoFailed { more: !self.photos.is_empty(), random: self.phone.random()? })
    }

    /// Chunk by chunk from where the server is; what it has is noted after each.
    fn send_bytes(&mut self, photo: &PhotoToSend, file: &mut File) -> Result<Result<(), Unsent>, PhoneError> {
        let (token, _) = self.phone.tokens()?;
        let who = match self.handing_in {
            true => self.phone.signs_photo(&photo.sha256)?,
            false => Identified::Token(&token),
        };
        let mut offset = match self.transport.photo_offset(who, photo.sha256, photo.size) {
            Ok(offset) => offset,
            Err(error) => return Ok(Err(Unsent::Call(error))),
        };
        while offset < photo.size {
            if !self.watcher.may_send_photos() {
                return Ok(Err(Unsent::NotNow));
            }
            let chunk = match chunk(file, offset) {
                Ok(chunk) if chunk.is_empty() => {
                    return Ok(Err(Unsent::Unreadable(io::ErrorKind::UnexpectedEof.into())));
                }
                Ok(chunk) => chunk,
                Err(error) => return Ok(Err(Unsent::Unreadable(error))),
            };
            offset = match self.transport.photo_bytes(who, photo.sha256, offset, &chunk) {
                Ok(further) if further > offset => further,
                Ok(_) => return Ok(Err(Unsent::NoFurther)),
                Err(error) => return Ok(Err(Unsent::Call(error))),
            };
            self.advanced = true;
            self.phone.photo_answer(photo.sha256, PhotoState::Partial { offset })?;
            self.watcher.news(&News::Photo { photo: photo.sha256, sent: offset, size: photo.size });
        }
        self.phone.photo_answer(photo.sha256, PhotoState::Verified)?;
        Ok(Ok(()))
    }
}

enum Unsent {
    Call(CallError),
    /// The server has thrown away what it had: the bytes did not have their hash.
    NoFurther,
    Unreadable(io::Error),
    /// The network that there is now is not for photos.
    NotNow,
}

fn is_of_the_photo(error: &CallError) -> bool {
    match error {
        CallError::Refused { status, .. } => course::is_of_the_photo(*status, error.code()),
        CallError::TimedOut | CallError::Unreachable(_) | CallError::Unreadable(_) => false,
    }
}

fn chunk(file: &mut File, offset: u64) -> io::Result<Vec<u8>> {
    file.seek(SeekFrom::Start(offset))?;
    let mut bytes = Vec::new();
    file.take(u64::try_from(CHUNK_BYTES).unwrap_or(u64::MAX)).read_to_end(&mut bytes)?;
    Ok(bytes)
}
