//! How slowly a body may come: actix never cuts a slow one, so this does. It knows no clock but what it is told.

use std::time::Duration;

/// A window in which at least [`Pace::least_per_window`] bytes must come.
const WINDOW: Duration = Duration::from_secs(10);

/// The pace that a kind of body must keep.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    /// The longest time in all.
    pub longest: Duration,
    /// The fewest bytes in each window.
    pub least_per_window: u64,
}

impl Pace {
    /// For small bodies.
    pub const MESSAGE: Self = Self { longest: Duration::from_secs(15), least_per_window: 0 };
    /// For a push over a bad network: as long as a photo, at a pace that a 2G line keeps.
    pub const PUSH: Self = Self { longest: Duration::from_secs(120), least_per_window: 10 * 512 };
    /// For files of unsent work with all their photos.
    pub const EXPORT: Self = Self { longest: Duration::from_secs(3600), least_per_window: 10 * 4096 };
    /// For photos: 4 KiB/s.
    pub const PHOTO: Self = Self { longest: Duration::from_secs(600), least_per_window: 10 * 4096 };
}

/// A body that is coming in.
#[derive(Debug, Clone, Copy)]
pub struct Progress {
    pace: Pace,
    window_from: Duration,
    window_bytes: u64,
}

impl Progress {
    /// At its beginning.
    pub fn new(pace: Pace) -> Self {
        Self { pace, window_from: Duration::ZERO, window_bytes: 0 }
    }

    /// How long to wait for the next bytes, `elapsed` after the beginning; none if it is too late already.
    pub fn patience(&self, elapsed: Duration) -> Option<Duration> {
        let window_ends = self.window_from.saturating_add(WINDOW);
        let ends = if self.pace.least_per_window == 0 { self.pace.longest } else { self.pace.longest.min(window_ends) };
        ends.checked_sub(elapsed).filter(|left| !left.is_zero())
    }

    /// Some bytes came.
    pub fn came(&mut self, bytes: u64, elapsed: Duration) {
        self.window_bytes = self.window_bytes.saturating_add(bytes);
        if self.window_bytes >= self.pace.least_per_window {
            self.window_from = elapsed;
            self.window_bytes = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Pace, Progress};

    const S: fn(u64) -> Duration = Duration::from_secs;

    #[test]
    fn a_body_that_keeps_its_pace_may_take_its_time() {
        let mut body = Progress::new(Pace::PHOTO);
        for second in 0..599 {
            assert!(body.patience(S(second)).is_some(), "{second} s");
            body.came(4600, S(second));
        }
        assert_eq!(body.patience(S(600)), None, "ten minutes are the end");
    }

    #[test]
    fn a_dripping_body_is_cut_after_one_window() {
        let mut body = Progress::new(Pace::PHOTO);
        for second in 0..10 {
            assert_eq!(body.patience(S(second)), Some(S(10 - second)));
            body.came(1, S(second));
        }
        assert_eq!(body.patience(S(10)), None);
    }

    #[test]
    fn a_small_body_has_fifteen_seconds() {
        let mut body = Progress::new(Pace::MESSAGE);
        body.came(1, S(14));
        assert_eq!((body.patience(S(14)), body.patience(S(15))), (Some(S(1)), None));
    }
}
