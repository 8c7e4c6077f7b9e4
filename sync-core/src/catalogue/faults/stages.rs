//! What the stages of a catalogue must be.

use schema::clock::{Moment, Stage, Timed};
use schema::deadline::{DayModel, Limit, TimeUnit};

use super::Faults;
use crate::time::read_limit;

/// Levels that hear of an overdue clock: the unit, the subdistrict, the district, and whom the district names.
const LEVELS_MAX: usize = 4;

impl Faults {
    /// The stages of a place, among those that its cases have.
    pub(super) fn stages(&mut self, place: &str, stages: &[Stage], all: &[&Stage]) {
        self.unique(&format!("{place}.stages"), stages.iter().map(|stage| &stage.code));
        for stage in stages {
            let place = format!("{place}.stages.{}", stage.code);
            self.text(&format!("{place}.name"), &stage.name);
            self.stage_limits(&place, stage);
            self.stage_moments(&place, stage, all);
        }
    }

    fn stage_limits(&mut self, place: &str, stage: &Stage) {
        if let Some(wording) = &stage.wording {
            let said = read_limit(wording, model_of(stage.limit));
            let said = match said {
                Ok(said) if said == stage.limit => None,
                Ok(_) => Some(("所述时限不同".to_owned(), "says another limit".to_owned())),
                Err(error) => Some((format!("无法读取：{error}"), format!("can't be read: {error}"))),
            };
            if let Some((zh, en)) = said {
                self.add(
                    &format!("{place}.wording"),
                    format!("“{wording}”与 limit 不一致（{zh}），请查标准后改正其一"),
                    format!(
                        "{wording:?} does not agree with limit ({en}): look the standard up and correct one of them"
                    ),
                );
            }
        }
        if let Some(soon) = stage.soon_after {
            if soon.unit != stage.limit.unit && !comparable(soon, stage.limit) {
                self.add(
                    &format!("{place}.soon_after"),
                    "与 limit 的时间单位无法比较，请改用相同单位",
                    "has a time unit that can't be compared with that of limit: give it the same",
                );
            } else if soon.unit == stage.limit.unit && soon.amount >= stage.limit.amount {
                self.add(
                    &format!("{place}.soon_after"),
                    "不早于 limit，请改小",
                    "does not come before limit: make it less",
                );
            }
        }
        if stage.escalates_after.len() > LEVELS_MAX {
            let count = stage.escalates_after.len();
            self.add(
                &format!("{place}.escalates_after"),
                format!("有 {count} 级，最多 {LEVELS_MAX} 级"),
                format!("has {count} levels: give it {LEVELS_MAX} at most"),
            );
        }
    }

    fn stage_moments(&mut self, place: &str, stage: &Stage, all: &[&Stage]) {
        self.needed(&format!("{place}.starts"), &stage.starts, "无法开始计时", "its clock would never start");
        self.needed(&format!("{place}.meets"), &stage.meets, "无法结束计时", "its clock could never be met");
        let lists = [
            ("starts", &stage.starts),
            ("meets", &stage.meets),
            ("pauses", &stage.pauses),
            ("resumes", &stage.resumes),
        ];
        for (name, moments) in lists {
            for moment in moments {
                let (code, ends) = match moment {
                    Moment::Begins(code) => (code, false),
                    Moment::Ends(code) => (code, true),
                    _ => continue,
                };
                let named = all.iter().find(|other| other.code == *code);
                if named.is_none_or(|other| ends && other.procedure.is_none()) {
                    self.add(
                        &format!("{place}.{name}"),
                        format!("“{moment}”所指环节不存在，或不能由 end_stage 结束"),
                        format!(
                            "{moment} names no stage that can be {}",
                            if ends { "ended by end_stage" } else { "begun" }
                        ),
                    );
                }
            }
        }
        if stage.interim_check_days.is_some_and(|days| days == 0 || stage.procedure.is_none()) {
            self.add(
                &format!("{place}.interim_check_days"),
                "须为 1 至 255 天，且该环节须能由 end_stage 结束：中期检查自其结束起算",
                "must be 1 to 255 days on a stage ended by end_stage: checks in between are counted from its end",
            );
        }
        if (stage.timed == Timed::Helper) != (stage.meets == [Moment::Help]) {
            self.add(
                &format!("{place}.meets"),
                "协办单位的计时只由“help”结束，其他计时不由它结束",
                "a clock of units that help is met by help alone, and no other clock is",
            );
        }
        if stage.procedure.is_some() && !stage.meets.contains(&Moment::Ends(stage.code.clone())) {
            self.add(
                &format!("{place}.meets"),
                format!("缺少“ends:{}”：办结该环节不会停止计时", stage.code),
                format!("lacks ends:{}: ending the stage would not meet its clock", stage.code),
            );
        }
    }
}

fn model_of(limit: Limit) -> Option<DayModel> {
    match limit.unit {
        TimeUnit::WorkingDays(model) => Some(model),
        TimeUnit::UrgentHours | TimeUnit::WorkingHours | TimeUnit::CalendarDays => None,
    }
}

/// Working hours and working days of the hour model are counted in the same time; so are hours of the wall clock and
/// calendar days.
fn comparable(one: Limit, other: Limit) -> bool {
    let works = |limit: Limit| matches!(limit.unit, TimeUnit::WorkingHours | TimeUnit::WorkingDays(_));
    works(one) == works(other)
}
