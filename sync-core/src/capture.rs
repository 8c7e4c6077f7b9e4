//! When an op was captured, in server time: from the time that passed on the device since, never from its wall clock.

use schema::op::Captured;
use schema::record::Interval;

/// How long a request may have been on its way between the reading of the device's clocks and its receipt. A slower
/// one is cut by the server's body deadline long before.
pub const TRANSIT_MS_MAX: u64 = 120_000;

/// How far a device's elapsed time may run off: one part in this many (a bad crystal loses 200 parts per million).
pub const DRIFT_PART: u64 = 2_000;

/// The span of server time in which an op was captured. `sample` are the device's clocks when it sent the batch,
/// `arrived_ms` is when the batch arrived. None if the device was restarted in between: nothing ties the two then.
pub fn interval(captured: &Captured, sample: &Captured, arrived_ms: u64) -> Option<Interval> {
    if captured.boot != sample.boot {
        return None;
    }
    let passed_ms = sample.elapsed_ms.checked_sub(captured.elapsed_ms)?;
    let drift_ms = passed_ms / DRIFT_PART;
    let latest = arrived_ms.checked_sub(passed_ms.checked_sub(drift_ms)?)?;
    let earliest = arrived_ms.checked_sub(passed_ms.checked_add(drift_ms)?.checked_add(TRANSIT_MS_MAX)?)?;
    Some(Interval { from_ms: earliest, to_ms: latest })
}

#[cfg(test)]
mod tests {
    use schema::ids::BootId;
    use uuid::Uuid;

    use super::*;

    const HOUR_MS: u64 = 3_600_000;

    fn clocks(wall_ms: i64, elapsed_ms: u64, boot: u128) -> Captured {
        Captured { wall_ms, elapsed_ms, boot: BootId(Uuid::from_u128(boot)) }
    }

    #[test]
    fn elapsed_time_within_one_boot_ties_it_to_server_time() {
        let found = interval(&clocks(5, HOUR_MS, 1), &clocks(5, 3 * HOUR_MS, 1), 100 * HOUR_MS).unwrap();
        assert_eq!(found.to_ms, 98 * HOUR_MS + 3_600);
        assert_eq!(found.from_ms, 98 * HOUR_MS - 3_600 - TRANSIT_MS_MAX);
    }

    #[test]
    fn a_wall_clock_changes_nothing() {
        let sample = clocks(0, 3 * HOUR_MS, 1);
        let right = interval(&clocks(1_790_000_000_000, HOUR_MS, 1), &sample, 100 * HOUR_MS);
        let ten_years_off = interval(&clocks(-1, HOUR_MS, 1), &clocks(i64::MAX, 3 * HOUR_MS, 1), 100 * HOUR_MS);
        assert_eq!(right, ten_years_off);
    }

    #[test]
    fn nothing_ties_two_boots_nor_a_clock_that_ran_backwards() {
        assert_eq!(interval(&clocks(5, 1, 1), &clocks(5, 2, 2), 1_000_000), None);
        assert_eq!(interval(&clocks(5, 2, 1), &clocks(5, 1, 1), 1_000_000), None);
        assert_eq!(interval(&clocks(5, 0, 1), &clocks(5, u64::MAX, 1), 1_000_000), None);
    }
}
