//! `deadline`: when a limit ends, counted day by day, with no network.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, ValueEnum};
use schema::calendar::CITY_CALENDAR;
use schema::deadline::DayModel;
use schema::ids::UnitId;
use sync_core::time::{WorkingCalendar, answer, read, zone};

use super::say::{Failure, Out};

/// A what-if question.
#[derive(Debug, Args)]
pub(crate) struct Deadline {
    /// 起算时间，当地时间 / when it begins, in the civil time of the zone
    #[arg(long, value_name = "2026-02-13T16:30")]
    from: String,
    /// 时限，如 2工作时 / an amount and urgent_hours, working_hours, working_days or calendar_days
    #[arg(long, value_name = "LIMIT")]
    limit: String,
    /// 工作日的算法：法定（首日不计）或按工作小时 / how working days are counted
    #[arg(long, value_enum)]
    model: Option<Model>,
    /// 工作日历文件，默认示范市 / a calendar document; else the demo city's
    #[arg(long, value_name = "FILE")]
    calendar: Option<PathBuf>,
    /// 有班次的单位 / a unit that has shifts in that calendar: working hours are those
    #[arg(long, value_name = "ID")]
    unit: Option<UnitId>,
    /// 时区 / the city's time zone
    #[arg(long, value_name = "ZONE", default_value = "Asia/Shanghai")]
    zone: String,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Model {
    /// 法定 / the first day does not count
    Legal,
    /// 按工作小时 / as working hours
    Hours,
}

/// Answers it.
pub(crate) fn deadline(out: Out, asked: &Deadline) -> Result<ExitCode, Failure> {
    let bytes = match &asked.calendar {
        Some(file) => std::fs::read(file).map_err(|error| refused("日历文件无法读取", &error))?,
        None => CITY_CALENDAR.as_bytes().to_vec(),
    };
    let calendar = read(&bytes).map_err(|faults| {
        let (zh, en): (Vec<_>, Vec<_>) = faults.into_iter().map(|fault| (fault.zh, fault.en)).unzip();
        Failure::refused(format!("日历文件有误：{}", zh.join("；")), format!("the calendar: {}", en.join("; ")))
    })?;
    let zone = zone(&asked.zone).ok_or_else(|| refused("没有该时区", &asked.zone))?;
    let calendar = WorkingCalendar::new(&calendar, zone).map_err(|error| refused("日历文件有误", &error))?;
    let calendar = match asked.unit {
        Some(unit) => calendar.of_unit(unit).ok_or_else(|| refused("该单位在日历中没有班次", &unit))?,
        None => calendar,
    };
    let model = asked.model.map(|model| match model {
        Model::Legal => DayModel::Legal,
        Model::Hours => DayModel::Hours,
    });
    let found = answer(&asked.from, &asked.limit, model, &calendar).map_err(|error| refused("无法试算", &error))?;
    if out.json {
        out.json(&found)?;
    } else {
        out.line(found.said(true), found.said(false));
    }
    Ok(ExitCode::SUCCESS)
}

fn refused(zh: &str, why: &dyn std::fmt::Display) -> Failure {
    Failure::refused(format!("{zh}：{why}"), why.to_string())
}
