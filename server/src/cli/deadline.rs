//! `rectify deadline`: when a limit ends, counted day by day.

use std::path::PathBuf;

use anyhow::Context;
use clap::{Args, ValueEnum};
use schema::calendar::CITY_CALENDAR;
use schema::deadline::DayModel;
use schema::ids::UnitId;
use server::error::{Error, Result};
use sync_core::time::{WorkingCalendar, answer, read, zone};

use super::output::Output;

/// A what-if question.
#[derive(Args)]
pub(crate) struct Deadline {
    /// When it begins, in the civil time of the zone (起算时间，当地时间)
    #[arg(long, value_name = "2026-02-13T16:30")]
    from: String,
    /// The limit: an amount and urgent_hours, working_hours, working_days or calendar_days (时限，如 2工作时)
    #[arg(long, value_name = "LIMIT")]
    limit: String,
    /// How working days are counted: from the next day on (legal), or as working hours (工作日的算法：法定或按工作小时)
    #[arg(long, value_enum)]
    model: Option<Model>,
    /// A calendar document; else the demo city's (工作日历文件，默认示范市)
    #[arg(long, value_name = "FILE")]
    calendar: Option<PathBuf>,
    /// A unit that has shifts in that calendar: working hours are those (有班次的单位)
    #[arg(long, value_name = "ID")]
    unit: Option<UnitId>,
    /// The city's time zone (时区)
    #[arg(long, value_name = "ZONE", default_value = "Asia/Shanghai")]
    zone: String,
}

/// How working days are counted.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Model {
    /// From the next day on (首日不计)
    Legal,
    /// As working hours (按工作小时)
    Hours,
}

/// Answers it.
pub(crate) fn deadline(asked: &Deadline, output: &Output) -> Result<()> {
    let bytes = match &asked.calendar {
        Some(file) => std::fs::read(file).with_context(|| format!("reading {}", file.display()))?,
        None => CITY_CALENDAR.as_bytes().to_vec(),
    };
    let calendar = read(&bytes).map_err(Error::Faults)?;
    let zone = zone(&asked.zone).with_context(|| format!("{:?} is no time zone", asked.zone))?;
    let calendar = WorkingCalendar::new(&calendar, zone).context("the calendar")?;
    let calendar = match asked.unit {
        Some(unit) => {
            calendar.of_unit(unit).context("该单位在日历中没有班次 / the unit has no shifts in the calendar")?
        }
        None => calendar,
    };
    let model = asked.model.map(|model| match model {
        Model::Legal => DayModel::Legal,
        Model::Hours => DayModel::Hours,
    });
    let found = answer(&asked.from, &asked.limit, model, &calendar).map_err(anyhow::Error::new)?;
    output.result(&found, &found.said(true), &found.said(false));
    Ok(())
}
