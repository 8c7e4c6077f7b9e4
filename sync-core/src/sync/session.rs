//! The session: what to do next, as a state machine without I/O. A driver performs the effects and reports events.
//!
//! There is no state from which it does not go on: failures wait and try again for ever, and a login that is not good
//! any more pauses until somebody wakes it. It drops nothing, because it holds nothing: queues are in the store.

use schema::ids::LogId;
use schema::limits::BATCH_OPS_MAX;
use serde::Serialize;

/// The first ceiling of a wait.
pub const WAIT_BASE_MS: u64 = 2_000;
/// The highest ceiling while a person is looking.
pub const WAIT_FOREGROUND_MS: u64 = 60_000;
/// The highest ceiling otherwise.
pub const WAIT_BACKGROUND_MS: u64 = 15 * 60_000;
/// After so many good pushes the batch doubles again.
pub const GROW_AFTER: u32 = 3;

schema::tagged! { "event" "Event";
/// What happened. `random` is any 64 random bits, drawn by the driver.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// A person asks for it, the program starts, the network is back, the head moved, something was captured.
    Wake,
    /// A sync answer was taken.
    Synced {
        /// Something came or was decided.
        progress: bool,
        /// The server has more, or own ops are still unsent.
        more: bool,
    },
    /// All documents that are named are here.
    Documents,
    /// The photos were offered; so many are to be sent.
    Offered {
        /// How many.
        to_send: u64,
    },
    /// A photo is at the server.
    PhotoSent {
        /// There are more.
        more: bool,
    },
    /// A photo could not be sent for a reason of its own; the others go on, and it is tried again in the next round.
    PhotoFailed {
        /// There are more.
        more: bool,
        /// Random bits.
        random: u64,
    },
    /// A request of the step under way succeeded and brought it further: a piece of a photo, a document. The step goes
    /// on; its end is another event.
    Advanced,
    /// New tokens are here.
    Refreshed,
    /// The refresh token is not good any more.
    RefreshRefused,
    /// This device was revoked: what it holds may still be delivered, on its key alone.
    Revoked,
    /// The wait is over.
    TimeUp,
    /// What was begun failed.
    Failed {
        /// How.
        failure: Failure,
        /// Random bits.
        random: u64,
    },
}
}

schema::tagged! { "failure" "Failure";
/// How a step failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(tag = "failure", rename_all = "snake_case")]
pub enum Failure {
    /// No connection, a cut one, an answer that can't be read, a server error; perhaps with a `Retry-After`.
    Later {
        /// Wait at least so long.
        retry_after_ms: Option<u64>,
    },
    /// It took too long.
    TimedOut,
    /// 413.
    TooLarge,
    /// 401.
    Unauthorized,
}
}

/// What to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(tag = "effect", rename_all = "snake_case")]
pub enum Effect {
    /// One sync request for a log.
    Sync {
        /// The log.
        log: LogId,
        /// At most so many ops.
        ops_max: usize,
    },
    /// As `Sync`, with nothing but the device's signature: a revoked phone hands in what it holds.
    Deliver {
        /// The log.
        log: LogId,
        /// At most so many ops.
        ops_max: usize,
    },
    /// Fetch the documents that are named and not here.
    FetchDocuments,
    /// Ask which photos are missing.
    OfferPhotos,
    /// Send the next photo.
    SendPhoto,
    /// Send the next photo with nothing but the device's signature: a revoked phone hands in what it holds.
    HandInPhoto,
    /// Get new tokens.
    RefreshToken,
    /// Wait so long, then report [`Event::TimeUp`]; a [`Event::Wake`] may come before.
    Wait {
        /// Milliseconds.
        ms: u64,
    },
    /// Nothing to do until a wake.
    Rest,
    /// Nothing can be done until a person enrols the phone again. Everything stays as it is.
    Pause,
}

/// Where it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Resting,
    Paused,
    Waiting,
    Doing(Step),
    Refreshing(Step),
}

/// A step of a round.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    /// The `n`-th log.
    Sync(usize),
    Documents,
    Offer,
    Photo,
    /// The logs once more, for what became of the photos just sent.
    Settle(usize),
    /// The logs, on the key alone.
    Deliver(usize),
    /// Photos, on the key alone.
    HandIn,
}

/// The session of a device over all its logs.
#[derive(Debug, Clone)]
pub struct Session {
    logs: Vec<LogId>,
    foreground: bool,
    state: State,
    failures: u32,
    ops_max: usize,
    good_pushes: u32,
    refreshed: bool,
    photos_sent: bool,
    photos_failed: Option<u64>,
    woken: bool,
}

impl Session {
    /// A session that rests. `foreground` says whether a person is looking.
    pub fn new(logs: Vec<LogId>, foreground: bool) -> Self {
        Self {
            logs,
            foreground,
            state: State::Resting,
            failures: 0,
            ops_max: BATCH_OPS_MAX,
            good_pushes: 0,
            refreshed: false,
            photos_sent: false,
            photos_failed: None,
            woken: false,
        }
    }

    /// Takes up logs that were not known yet: they are synced in a round of their own, behind the one under way.
    pub fn add_logs(&mut self, logs: impl IntoIterator<Item = LogId>) {
        let before = self.logs.len();
        for log in logs {
            if !self.logs.contains(&log) {
                self.logs.push(log);
            }
        }
        self.woken |= self.logs.len() > before;
    }

    /// Takes what happened and says what to do. An event that does not fit the state changes nothing.
    pub fn step(&mut self, event: Event) -> Vec<Effect> {
        match (self.state, event) {
            (State::Resting | State::Waiting | State::Paused, Event::Wake) | (State::Waiting, Event::TimeUp) => {
                self.start_round()
            }
            // Whatever it was woken for may have come too late for the step under way.
            (State::Doing(_) | State::Refreshing(_), Event::Wake) => {
                self.woken = true;
                Vec::new()
            }
            (State::Doing(_), Event::Advanced) => {
                // A large photo on a slow link outlives several tokens.
                self.refreshed = false;
                self.failures = 0;
                Vec::new()
            }
            (State::Doing(step), Event::Failed { failure, random }) => self.failed(step, failure, random),
            (State::Refreshing(_), Event::Failed { random, failure }) => self.wait(failure, random),
            (State::Refreshing(step), Event::Refreshed) => self.go(step),
            // A revoked phone hands in what it holds on its key alone. One that is not revoked is refused there, and
            // pauses.
            (State::Doing(_) | State::Refreshing(_), Event::Revoked)
            | (State::Refreshing(_), Event::RefreshRefused) => self.go(Step::Deliver(0)),
            (State::Doing(step), event) => self.done(step, event),
            (State::Resting | State::Paused | State::Waiting | State::Refreshing(_), _) => Vec::new(),
        }
    }

    fn start_round(&mut self) -> Vec<Effect> {
        self.refreshed = false;
        self.photos_sent = false;
        self.photos_failed = None;
        self.woken = false;
        self.go(Step::Sync(0))
    }

    /// Begins a step, or the next one where it has nothing to do.
    fn go(&mut self, step: Step) -> Vec<Effect> {
        let effect = match step {
            Step::Sync(n) | Step::Settle(n) => match (self.logs.get(n), step) {
                (Some(log), _) => Effect::Sync { log: *log, ops_max: self.ops_max },
                (None, Step::Settle(_)) => return self.end_round(),
                (None, _) => return self.go(Step::Documents),
            },
            Step::Deliver(n) => match self.logs.get(n) {
                Some(log) => Effect::Deliver { log: *log, ops_max: self.ops_max },
                None => return self.go(Step::HandIn),
            },
            Step::HandIn => Effect::HandInPhoto,
            Step::Documents => Effect::FetchDocuments,
            Step::Offer => Effect::OfferPhotos,
            Step::Photo => Effect::SendPhoto,
        };
        self.state = State::Doing(step);
        vec![effect]
    }

    fn done(&mut self, step: Step, event: Event) -> Vec<Effect> {
        match (step, event) {
            (Step::Sync(n) | Step::Settle(n), Event::Synced { progress, more }) => {
                self.pushed_well(progress);
                let next = if more { n } else { n.saturating_add(1) };
                self.go(if matches!(step, Step::Settle(_)) { Step::Settle(next) } else { Step::Sync(next) })
            }
            (Step::Deliver(n), Event::Synced { progress, more }) => {
                self.pushed_well(progress);
                self.go(Step::Deliver(if more { n } else { n.saturating_add(1) }))
            }
            (Step::Documents, Event::Documents) => {
                self.refreshed = false;
                self.go(Step::Offer)
            }
            (Step::Offer, Event::Offered { to_send: 0 }) => self.end_round(),
            (Step::Offer, Event::Offered { .. }) => self.go(Step::Photo),
            (Step::Photo, Event::PhotoSent { more }) => {
                self.failures = 0;
                self.refreshed = false;
                self.photos_sent = true;
                self.next_photo(more)
            }
            (Step::Photo, Event::PhotoFailed { more, random }) => {
                self.photos_failed = Some(random);
                self.next_photo(more)
            }
            (Step::HandIn, Event::PhotoSent { more: true } | Event::PhotoFailed { more: true, .. }) => {
                self.go(Step::HandIn)
            }
            (Step::HandIn, Event::PhotoSent { more: false } | Event::PhotoFailed { more: false, .. }) => {
                self.state = State::Paused;
                vec![Effect::Pause]
            }
            _ => Vec::new(),
        }
    }

    fn next_photo(&mut self, more: bool) -> Vec<Effect> {
        match (more, self.photos_sent) {
            (true, _) => self.go(Step::Photo),
            (false, true) => self.go(Step::Settle(0)),
            (false, false) => self.end_round(),
        }
    }

    fn end_round(&mut self) -> Vec<Effect> {
        if let Some(random) = self.photos_failed {
            return self.wait(Failure::Later { retry_after_ms: None }, random);
        }
        self.failures = 0;
        if self.woken {
            return self.start_round();
        }
        self.state = State::Resting;
        vec![Effect::Rest]
    }

    fn pushed_well(&mut self, progress: bool) {
        self.refreshed = false;
        if progress {
            self.failures = 0;
        }
        self.good_pushes = self.good_pushes.saturating_add(1);
        if self.good_pushes >= GROW_AFTER {
            self.good_pushes = 0;
            self.ops_max = self.ops_max.saturating_mul(2).min(BATCH_OPS_MAX);
        }
    }

    fn failed(&mut self, step: Step, failure: Failure, random: u64) -> Vec<Effect> {
        let pushing = matches!(step, Step::Sync(_) | Step::Settle(_) | Step::Deliver(_));
        match failure {
            Failure::Unauthorized if self.refreshed || matches!(step, Step::Deliver(_) | Step::HandIn) => {
                self.state = State::Paused;
                vec![Effect::Pause]
            }
            Failure::Unauthorized => {
                self.refreshed = true;
                self.state = State::Refreshing(step);
                vec![Effect::RefreshToken]
            }
            Failure::TooLarge | Failure::TimedOut if pushing => {
                self.good_pushes = 0;
                let smaller = (self.ops_max / 2).max(1);
                let can_help = smaller < self.ops_max && failure == Failure::TooLarge;
                self.ops_max = smaller;
                // A body that was too large goes again at once, smaller; after a time-out the link wants a rest.
                if can_help { self.go(step) } else { self.wait(failure, random) }
            }
            Failure::Later { .. } | Failure::TooLarge | Failure::TimedOut => self.wait(failure, random),
        }
    }

    /// Full jitter: anything from nothing to the ceiling, so that many phones never come back together.
    fn wait(&mut self, failure: Failure, random: u64) -> Vec<Effect> {
        let highest = if self.foreground { WAIT_FOREGROUND_MS } else { WAIT_BACKGROUND_MS };
        let doubled = WAIT_BASE_MS.checked_shl(self.failures).unwrap_or(u64::MAX);
        let ceiling = if self.failures >= 20 { highest } else { doubled.min(highest) };
        self.failures = self.failures.saturating_add(1);
        let jitter = random % ceiling.saturating_add(1);
        let ms = match failure {
            Failure::Later { retry_after_ms: Some(least) } => least.saturating_add(jitter),
            Failure::Later { retry_after_ms: None } | Failure::TimedOut | Failure::TooLarge | Failure::Unauthorized => {
                jitter
            }
        };
        self.state = State::Waiting;
        vec![Effect::Wait { ms }]
    }
}

#[cfg(test)]
#[path = "session_tests.rs"]
mod tests;
