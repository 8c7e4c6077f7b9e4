//! The clocks of a case in words: what is due when, by whom, and how it stands.

use std::fmt::Display;

use jiff::tz::TimeZone;
use schema::case::Case;
use schema::catalogue::Catalogue;
use schema::clock::{Clock, Timed};
use schema::deadline::Confidence;
use sync_core::clock::{Light, light, stages};

use super::fields;
use super::say::Out;

/// A clock in a line.
pub(crate) fn line(out: Out, catalogue: Option<&Catalogue>, case: &Case, clock: &Clock, now_ms: u64) -> String {
    let light = light(clock, now_ms);
    let stands = match light {
        Light::InTime => out.pick("未到期", "in time"),
        Light::DueSoon => out.pick("将到期", "due soon"),
        Light::Overdue => out.pick("已超时", "overdue"),
        Light::Paused => out.pick("已中止计时", "stands"),
        Light::Met => out.pick("按时完成", "met"),
        Light::MetLate => out.pick("超时完成", "met late"),
        Light::Stopped => out.pick("已终止", "ended"),
    };
    let timed = match clock.timed {
        Timed::Unit => out.pick("责任单位", "unit"),
        Timed::Helper => out.pick("协办单位", "helping unit"),
        Timed::Case => out.pick("案件", "case"),
        Timed::Office => out.pick("受理方", "office"),
    };
    let sure = match (clock.issued_rev, clock.due.confidence) {
        (0, _) => out.pick("，本机预估", ", this phone reckons"),
        (_, Confidence::Provisional) => out.pick("，暂定", ", provisional"),
        (_, Confidence::Exact) => "",
    };
    let due = moment(clock.due.at_ms);
    format!("{} {due} {stands}（{timed}{sure}）", name(out, catalogue, case, clock))
}

/// An instant in the time of this machine.
pub(super) fn moment(at_ms: impl TryInto<i64> + Copy + Display) -> String {
    let at = at_ms.try_into().ok().and_then(|at_ms| jiff::Timestamp::from_millisecond(at_ms).ok());
    let local = at.map(|at| at.to_zoned(TimeZone::system()));
    local.map_or_else(|| at_ms.to_string(), |local| local.strftime("%Y-%m-%d %H:%M").to_string())
}

fn name(out: Out, catalogue: Option<&Catalogue>, case: &Case, clock: &Clock) -> String {
    let found = catalogue.and_then(|catalogue| {
        let (_, subtype) = fields::kind_of(catalogue, case)?;
        stages(catalogue, subtype).into_iter().find(|stage| stage.code == clock.stage)
    });
    found.map_or_else(|| clock.stage.to_string(), |stage| out.text(&stage.name).to_owned())
}
