//! Limits as people write them: `2 working_days`, `2紧急工作时`, `15个工作日`.

use schema::deadline::{AMOUNT_MAX, DayModel, Limit, NotALimit, TimeUnit};

/// Why a text is no limit.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotRead {
    /// It does not begin with a whole number.
    #[error("{0:?}应以整数开头 / does not begin with a whole number")]
    Amount(String),
    /// Its time unit is none that is known: an unknown one is never guessed.
    #[error(
        "{0:?} is no time unit (urgent_hours 紧急工作时, working_hours 工作时, working_days 工作日, calendar_days 自然日)"
    )]
    Unit(String),
    /// It can't be a limit.
    #[error(transparent)]
    Limit(NotALimit),
}

/// Reads a limit. `model` is how working days are counted, where the text names them; for other units it must be none.
/// A bare 小时 is 工作时 and a bare 天 is 工作日, as the national tables have it.
///
/// # Errors
/// [`NotRead`].
pub fn read_limit(text: &str, model: Option<DayModel>) -> Result<Limit, NotRead> {
    let text = text.trim();
    let digits = text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let (amount, unit) = text.split_at(digits);
    let amount: u32 = match amount.parse() {
        Ok(amount) => amount,
        Err(_) if digits > 0 => return Err(NotRead::Limit(NotALimit::Amount)),
        Err(_) => return Err(NotRead::Amount(text.to_owned())),
    };
    let unit = unit.trim().trim_start_matches('个').trim();
    let unit = match (unit, model) {
        ("working_days" | "working_day" | "工作日" | "天", Some(model)) => TimeUnit::WorkingDays(model),
        ("working_days" | "working_day" | "工作日" | "天", None) => {
            return Err(NotRead::Limit(NotALimit::ModelMissing));
        }
        ("urgent_hours" | "urgent_hour" | "紧急工作时" | "紧急小时", None) => TimeUnit::UrgentHours,
        ("working_hours" | "working_hour" | "工作时" | "工作小时" | "小时", None) => TimeUnit::WorkingHours,
        ("calendar_days" | "calendar_day" | "自然日" | "日历日" | "紧急工作日", None) => {
            TimeUnit::CalendarDays
        }
        (unit, None) => return Err(NotRead::Unit(unit.to_owned())),
        (unit, Some(_)) => {
            return match read_limit(&format!("{amount}{unit}"), None) {
                Ok(_) => Err(NotRead::Limit(NotALimit::ModelUnfit)),
                Err(error) => Err(error),
            };
        }
    };
    if !(1..=AMOUNT_MAX).contains(&amount) {
        return Err(NotRead::Limit(NotALimit::Amount));
    }
    Ok(Limit { amount, unit })
}
