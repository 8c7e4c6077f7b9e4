//! Deadlines: limits counted over a working calendar. Instants are UTC; civil time is that of the zone given. Nothing
//! here knows what time it is.

mod calendar;
mod count;
mod faults;
mod limit;
mod question;
#[cfg(test)]
mod tests;
mod written;
mod zone;

pub use calendar::{DayKind, WorkingCalendar};
pub use count::{Counted, count};
pub use faults::{faults, read};
pub use limit::{TimeError, due, shifted};
pub use question::{Answer, NoAnswer, answer};
pub use written::{NotRead, read_limit};
pub use zone::{day_at, zone};
