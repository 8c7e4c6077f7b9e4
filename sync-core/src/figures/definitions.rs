//! What each count counts and what each rate is made of, in words: published with the numbers.

use schema::catalogue::Text;
use schema::figures::{Measure, MeasureDefinition, Rate, RateDefinition};

/// The counts that a rate is made of: above and below the line.
pub fn made_of(rate: Rate) -> (Measure, Measure) {
    match rate {
        Rate::Filing => (Measure::Filed, Measure::Reported),
        Rate::Closing => (Measure::Closed, Measure::Due),
        Rate::OnTimeClosing => (Measure::ClosedOnTime, Measure::Due),
        Rate::OnTimeUnit => (Measure::UnitOnTime, Measure::UnitDue),
        Rate::OnTimeOffice => (Measure::OfficeOnTime, Measure::OfficeDue),
        Rate::Rework => (Measure::Reworked, Measure::Due),
        Rate::Extension => (Measure::Extended, Measure::Due),
        Rate::Return => (Measure::Returned, Measure::Received),
        Rate::FirstPass => (Measure::PassedFirst, Measure::Checked),
    }
}

/// Every rate with its name and what it is made of.
pub fn rates() -> Vec<RateDefinition> {
    Rate::ALL
        .into_iter()
        .map(|rate| {
            let (numerator, denominator) = made_of(rate);
            RateDefinition { rate, name: name_of(rate), numerator, denominator }
        })
        .collect()
}

/// Every count with its name and what it counts.
pub fn measures() -> Vec<MeasureDefinition> {
    Measure::ALL
        .into_iter()
        .map(|measure| {
            let (name, definition) = of_measure(measure);
            MeasureDefinition { measure, name, definition }
        })
        .collect()
}

fn text((zh, en): (&str, &str)) -> Text {
    Text { zh: zh.to_owned(), en: en.to_owned() }
}

fn name_of(rate: Rate) -> Text {
    text(match rate {
        Rate::Filing => ("立案率", "Filing rate"),
        Rate::Closing => ("结案率", "Closing rate"),
        Rate::OnTimeClosing => ("按期结案率（案件）", "On-time closing rate (case)"),
        Rate::OnTimeUnit => ("按期处置率（责任单位）", "On-time rate of units"),
        Rate::OnTimeOffice => ("按期办理率（受理派遣核查岗位）", "On-time rate of the office"),
        Rate::Rework => ("返工率", "Rework rate"),
        Rate::Extension => ("延期率", "Extension rate"),
        Rate::Return => ("退单率", "Return rate"),
        Rate::FirstPass => ("一次核查合格率", "First-pass rate"),
    })
}

fn of_measure(measure: Measure) -> (Text, Text) {
    let (name, definition) = match measure {
        Measure::Reported
        | Measure::Filed
        | Measure::SettledOnSite
        | Measure::Due
        | Measure::Closed
        | Measure::ClosedOnTime => of_cases(measure),
        Measure::Reworked
        | Measure::Extended
        | Measure::Received
        | Measure::Returned
        | Measure::Checked
        | Measure::PassedFirst => of_work(measure),
        Measure::UnitDue | Measure::UnitOnTime | Measure::OfficeDue | Measure::OfficeOnTime => of_limits(measure),
        _ => of_those_that_left(measure),
    };
    (text(name), text(definition))
}

type Words = ((&'static str, &'static str), (&'static str, &'static str));

fn of_cases(measure: Measure) -> Words {
    match measure {
        Measure::Reported => (
            ("上报数", "Reported"),
            ("本期内服务器收到的上报；现场解决的另计", "Reports received in the period, without those settled on site"),
        ),
        Measure::Filed => (
            ("立案数", "Filed"),
            ("本期上报中，到截止时已立案的", "Of the reports of the period, those filed by the cut-off"),
        ),
        Measure::SettledOnSite => (
            ("现场解决数", "Settled on site"),
            (
                "本期收到的现场解决（劝导等），不计入任何比率",
                "Settled on site (persuaded, warned), received in the period; in no rate",
            ),
        ),
        Measure::Due => (
            ("应结案数", "Due to be closed"),
            (
                "案件时限在本期内到期的，不论何时结案；移出分母的除外。重新立案后的新时限另计一次",
                "Limits of cases that fall due in the period, whenever closed, without those that left the count. A \
                 limit that begins anew when a case is reopened counts once more",
            ),
        ),
        Measure::Closed => {
            (("结案数", "Closed"), ("应结案中，到截止时已结案的", "Of those due to be closed, closed by the cut-off"))
        }
        _ => (
            ("按期结案数", "Closed on time"),
            (
                "应结案中，服务器在时限内收到结案的",
                "Of those due to be closed, those whose closing was received within the limit",
            ),
        ),
    }
}

fn of_work(measure: Measure) -> Words {
    match measure {
        Measure::Reworked => (
            ("返工案件数", "Reworked"),
            ("应结案的案件中，核查至少一次不通过的", "Of the cases due, those of which a check failed at least once"),
        ),
        Measure::Extended => (
            ("延期案件数", "Extended"),
            ("应结案的案件中，批准过延期的", "Of the cases due, those that were granted more time"),
        ),
        Measure::Received => (
            ("接收数", "Received by units"),
            ("应结案的案件，每一接收过的主办单位计一次", "Of the cases due, once for each lead unit that had it"),
        ),
        Measure::Returned => (
            ("退单数", "Handed back by units"),
            (
                "应结案的案件，每一退过单的单位计一次，计在退单的单位",
                "Of the cases due, once for each unit that handed it back, counted for that unit",
            ),
        ),
        Measure::Checked => {
            (("核查数", "Checked"), ("应结案的案件中，核查过的", "Of the cases due, those that were checked"))
        }
        _ => (
            ("一次合格数", "Passed at first"),
            ("核查过的案件中，第一次核查即通过的", "Of those checked, those that passed their first check"),
        ),
    }
}

fn of_limits(measure: Measure) -> Words {
    match measure {
        Measure::UnitDue => (
            ("责任单位到期时限数", "Limits of units due"),
            (
                "责任单位（含协办）的各环节时限在本期内到期的；挂账、退单后不再计时的除外",
                "Limits of units, helping ones too, that fall due in the period, without those that stand",
            ),
        ),
        Measure::UnitOnTime => (
            ("责任单位按期数", "Limits of units kept"),
            (
                "其中在时限内收到的，及超时申诉成立的",
                "Of these, those met within the limit, and those excused by an appeal",
            ),
        ),
        Measure::OfficeDue => (
            ("岗位到期时限数", "Limits of the office due"),
            (
                "受理、派遣、核查、结案各岗位的时限在本期内到期的；不归任何单位",
                "Limits on filing, assigning, checking and closing that fall due in the period; they are no unit's",
            ),
        ),
        _ => (
            ("岗位按期数", "Limits of the office kept"),
            ("其中在时限内办理的", "Of these, those met within the limit"),
        ),
    }
}

fn of_those_that_left(measure: Measure) -> Words {
    match measure {
        Measure::LeftDeclined => (
            ("不立案", "Left: declined"),
            (
                "不立案、因而不进入应结案的，按上报时间计期",
                "Declined, and so never due; in the period in which they were reported",
            ),
        ),
        Measure::LeftVoid => (
            ("作废", "Left: void"),
            (
                "作废、移出应结案的，按案件时限计期，没有时限的按上报时间",
                "Void; in the period of the case's limit, or of its report where it had none",
            ),
        ),
        Measure::LeftDuplicate => (
            ("重复", "Left: duplicate"),
            (
                "并入其他案件、移出应结案的，计期同作废",
                "Linked to another case as the same problem; periods as for void ones",
            ),
        ),
        Measure::LeftSuspended => (
            ("挂账", "Left: suspended"),
            (
                "时限本应在本期内到期，因挂账停止或移到期外的案件时限和单位时限",
                "Limits of cases and units that would have been due in the period, and stand or were moved out of it by \
                 a suspension",
            ),
        ),
        Measure::LeftExtended => (
            ("延期移出", "Left: extended"),
            (
                "时限本应在本期内到期，因批准延期移到期外的",
                "Limits that would have been due in the period, and were moved out of it by more time",
            ),
        ),
        Measure::WithoutDeadline => (
            ("无时限", "Without a deadline"),
            (
                "本期内立案而没有案件时限的（没有生效的日历）；不当作按期",
                "Filed in the period without a limit of the case, for want of a calendar; never taken as on time",
            ),
        ),
        Measure::Excused => (
            ("申诉成立", "Excused"),
            (
                "本期内到期、超时而申诉成立的时限：超时的事实保留，统计按按期计",
                "Overdue limits of the period that an appeal excused: the fact stays, the rate counts them as kept",
            ),
        ),
        _ => (
            ("按手机时间在时限内", "In time by the phone"),
            (
                "收到时已超时，而按手机自身计时在时限内的；仍计为超时",
                "Received late, captured in time by the phone's own elapsed time; they count as late",
            ),
        ),
    }
}
