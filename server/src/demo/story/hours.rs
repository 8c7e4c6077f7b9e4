//! When people work, in the district's time zone, which has no summer time.

use pictures::drawing::Dice;
use schema::limits::DAY_MS;

/// A minute in ms.
pub(super) const MINUTE_MS: u64 = 60_000;
/// China is eight hours ahead of UTC.
const ZONE_MS: u64 = 8 * 60 * MINUTE_MS;

/// From which to which minute of the day something happens.
pub(super) type Hours = (u64, u64);
/// When offices and units work.
pub(super) const OFFICE: Hours = (8 * 60, 18 * 60);

/// A number of a range, both ends included.
pub(super) fn number(dice: &mut Dice, from: u64, to: u64) -> u64 {
    from + dice.roll() % (to.saturating_sub(from) + 1)
}

/// Some time on the local day of an instant, within the hours.
pub(super) fn on_day_of(at_ms: u64, hours: Hours, dice: &mut Dice) -> u64 {
    let day = (at_ms + ZONE_MS) / DAY_MS * DAY_MS;
    let second_ms = number(dice, hours.0 * 60, hours.1 * 60) * 1000 + number(dice, 0, 999);
    (day + second_ms).saturating_sub(ZONE_MS)
}

/// An instant, or if it lies outside the hours, some time in the first part of the next ones.
pub(super) fn within(at_ms: u64, hours: Hours, dice: &mut Dice) -> u64 {
    let local = at_ms + ZONE_MS;
    let minute = local % DAY_MS / MINUTE_MS;
    let day = if minute > hours.1 { local / DAY_MS + 1 } else { local / DAY_MS };
    if (hours.0..=hours.1).contains(&minute) {
        return at_ms;
    }
    let wait_minutes = hours.1.saturating_sub(hours.0).min(200);
    (day * DAY_MS + hours.0 * MINUTE_MS + number(dice, 0, wait_minutes * MINUTE_MS)).saturating_sub(ZONE_MS)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-11-21 00:00 in China.
    const MIDNIGHT: u64 = 1_795_190_400_000;

    fn minute_of(at_ms: u64) -> u64 {
        (at_ms - MIDNIGHT) / MINUTE_MS
    }

    #[test]
    fn work_waits_for_the_morning() {
        let mut dice = Dice::new(1);
        assert_eq!(within(MIDNIGHT + 10 * 60 * MINUTE_MS, OFFICE, &mut dice), MIDNIGHT + 10 * 60 * MINUTE_MS);
        let early = within(MIDNIGHT + 3 * 60 * MINUTE_MS, OFFICE, &mut dice);
        assert!((480..=680).contains(&minute_of(early)));
        let late = within(MIDNIGHT + 22 * 60 * MINUTE_MS, OFFICE, &mut dice);
        assert!((24 * 60 + 480..=24 * 60 + 680).contains(&minute_of(late)));
    }

    #[test]
    fn a_day_is_a_local_day() {
        let mut dice = Dice::new(2);
        for hour in 0..24 {
            let at = on_day_of(MIDNIGHT + hour * 60 * MINUTE_MS, (600, 620), &mut dice);
            assert!((600..=620).contains(&minute_of(at)));
        }
    }
}
