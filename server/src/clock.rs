//! What time it is: the one place that asks, so that tests and the demo can say.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

/// A source of the time, in ms since 1970 (UTC). Cheap to clone.
#[derive(Debug, Clone)]
pub struct Clock(Source);

#[derive(Debug, Clone)]
enum Source {
    System,
    Set(Arc<AtomicU64>),
}

impl Clock {
    /// The machine's clock.
    pub fn system() -> Self {
        Self(Source::System)
    }

    /// A clock that stands until it is set.
    pub fn standing(now_ms: u64) -> Self {
        Self(Source::Set(Arc::new(AtomicU64::new(now_ms))))
    }

    /// Sets a standing clock; the machine's clock is left alone.
    pub fn set(&self, now_ms: u64) {
        if let Source::Set(value) = &self.0 {
            value.store(now_ms, Ordering::SeqCst);
        }
    }

    /// Milliseconds since 1970 (UTC).
    pub fn now_ms(&self) -> u64 {
        match &self.0 {
            Source::System => SystemTime::now()
                .duration_since(UNIX_EPOCH)
                .ok()
                .and_then(|elapsed| u64::try_from(elapsed.as_millis()).ok())
                .unwrap_or(0),
            Source::Set(value) => value.load(Ordering::SeqCst),
        }
    }
}
