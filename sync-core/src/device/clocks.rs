//! The phone's clocks, read by the program and handed to the store. A wrong one never stops anything: readings are
//! recorded, not judged.

#![expect(clippy::disallowed_methods, reason = "here the clocks become arguments")]

use std::fs;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use schema::ids::BootId;
use schema::op::Captured;
use uuid::Uuid;

use super::entropy::{Entropy, NoEntropy, draw};

/// Wall clock, elapsed time and the boot it counts from.
#[derive(Debug, Clone)]
pub struct Clocks {
    boot: BootId,
    elapsed: Elapsed,
}

#[derive(Debug, Clone)]
enum Elapsed {
    /// `/proc/uptime` counts over sleep, for every process of this boot.
    Uptime,
    /// Where there is none: this process is a boot of its own.
    Since(Instant),
}

impl Clocks {
    /// The system's clocks.
    ///
    /// # Errors
    /// The system has neither a boot id nor random bytes.
    pub fn system(entropy: &mut dyn Entropy) -> Result<Self, NoEntropy> {
        let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").ok();
        match (boot.and_then(|text| text.trim().parse().ok()), uptime_ms()) {
            (Some(boot), Some(_)) => Ok(Self { boot, elapsed: Elapsed::Uptime }),
            _ => {
                let boot = BootId(Uuid::new_v8(draw(entropy)?));
                Ok(Self { boot, elapsed: Elapsed::Since(Instant::now()) })
            }
        }
    }

    /// A reading.
    pub fn now(&self) -> Captured {
        let elapsed_ms = match self.elapsed {
            Elapsed::Uptime => uptime_ms().unwrap_or(0),
            Elapsed::Since(start) => u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX),
        };
        Captured { wall_ms: wall_ms(), elapsed_ms, boot: self.boot }
    }
}

fn wall_ms() -> i64 {
    match SystemTime::now().duration_since(UNIX_EPOCH) {
        Ok(after) => i64::try_from(after.as_millis()).unwrap_or(i64::MAX),
        Err(before) => i64::try_from(before.duration().as_millis()).map_or(i64::MIN, |ms| -ms),
    }
}

/// `SECONDS.HUNDREDTHS …`
fn uptime_ms() -> Option<u64> {
    let text = fs::read_to_string("/proc/uptime").ok()?;
    let (seconds, hundredths) = text.split_whitespace().next()?.split_once('.')?;
    let (seconds, hundredths): (u64, u64) = (seconds.parse().ok()?, hundredths.parse().ok()?);
    seconds.checked_mul(1_000)?.checked_add(hundredths.checked_mul(10)?)
}
