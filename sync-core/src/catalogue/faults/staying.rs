//! What the plan of look-backs must be, and what tells a relapse.

use schema::catalogue::{LookBackDays, LookBacks, RelapseBy, Subtype};
use schema::limits::RELAPSE_WINDOW_DAYS;

use super::Faults;

/// Looks behind one end.
const LOOKS_MAX: usize = 8;
/// The latest day on which a window begins.
const DAYS_MAX: u16 = 730;
/// A window holds each weekday once at least.
const WINDOW_DAYS_MIN: u16 = 7;
/// Levels that hear that nobody has looked.
const LEVELS_MAX: usize = 3;
/// How near is the same place at most, in metres.
const RADIUS_M_MAX: u16 = 1000;

impl Faults {
    pub(super) fn look_backs(&mut self, place: &str, planned: Option<&LookBacks>) {
        let Some(LookBacks { plan, after_relapse, escalates_after_days }) = planned else { return };
        let place = format!("{place}.look_backs");
        self.looks(&format!("{place}.plan"), plan);
        self.looks(&format!("{place}.after_relapse"), after_relapse);
        let sooner = |(first, then): (&LookBackDays, &LookBackDays)| then.days <= first.days;
        let is_sooner = after_relapse.len() >= plan.len()
            && plan.iter().zip(after_relapse).all(sooner)
            && plan.first().zip(after_relapse.first()).is_some_and(|(first, then)| then.days < first.days);
        if !after_relapse.is_empty() && !is_sooner {
            self.add(
                &format!("{place}.after_relapse"),
                "没有比 plan 更早、更密，请改短间隔：反弹过的案件要看得更勤",
                "is not sooner than plan, look by look: what came back once is looked at more often",
            );
        }
        let rises = escalates_after_days.iter().zip(escalates_after_days.iter().skip(1)).all(|(day, next)| day < next);
        if !rises || escalates_after_days.len() > LEVELS_MAX {
            self.add(
                &format!("{place}.escalates_after_days"),
                format!("应逐级增大，最多 {LEVELS_MAX} 级"),
                format!("must rise from level to level, and have {LEVELS_MAX} at most"),
            );
        }
    }

    fn looks(&mut self, place: &str, looks: &[LookBackDays]) {
        if looks.len() > LOOKS_MAX {
            let count = looks.len();
            self.add(
                place,
                format!("有 {count} 次，最多 {LOOKS_MAX} 次"),
                format!("has {count} looks: give it {LOOKS_MAX} at most"),
            );
        }
        let mut free_from = 1_u16;
        for LookBackDays { days, window_days } in looks {
            if *days < free_from || *days > DAYS_MAX {
                self.add(
                    place,
                    format!("第 {days} 天不可用：应在 {free_from}（上一窗口之后）到 {DAYS_MAX} 之间"),
                    format!("day {days} can't be: it must be {free_from} (behind the window before) to {DAYS_MAX}"),
                );
            }
            if *window_days < WINDOW_DAYS_MIN {
                self.add(
                    place,
                    format!("窗口 {window_days} 天太短，至少 {WINDOW_DAYS_MIN} 天，才含上报时的星期几"),
                    format!("a window of {window_days} days is too short for the weekday of the report: give it {WINDOW_DAYS_MIN}"),
                );
            }
            free_from = days.saturating_add(*window_days);
        }
    }

    pub(super) fn relapse_by(&mut self, place: &str, relapse_by: Option<RelapseBy>, subtype: &Subtype) {
        let place = format!("{place}.relapse_by");
        let (radius_m, days) = match relapse_by {
            None | Some(RelapseBy::None) => return,
            Some(RelapseBy::Subject { radius_m, days } | RelapseBy::Place { radius_m, days }) => (radius_m, days),
        };
        if matches!(relapse_by, Some(RelapseBy::Subject { .. })) && subtype.subject.is_none() {
            self.add(
                &place,
                "为 subject，而此小类没有对象，请改为 place 或增加对象",
                "is subject, and cases of this kind have none: make it place, or give them one",
            );
        }
        if !(1..=RADIUS_M_MAX).contains(&radius_m) || !(1..=RELAPSE_WINDOW_DAYS).contains(&days) {
            self.add(
                &place,
                format!("{radius_m} 米、{days} 天不可用：应为 1 至 {RADIUS_M_MAX} 米、1 至 {RELAPSE_WINDOW_DAYS} 天"),
                format!(
                    "{radius_m} m and {days} days can't be: 1 to {RADIUS_M_MAX} m, 1 to {RELAPSE_WINDOW_DAYS} days"
                ),
            );
        }
    }
}
