//! What is wrong with a calendar document: all of it, each fault with where and what to do.

use std::collections::BTreeSet;
use std::fmt::Display;

use jiff::civil::Date;
use schema::calendar::{Calendar, Day, Holiday, Layer, Season, Shift, Year};
use schema::catalogue::Text;
use schema::limits::{DAY_MINUTES, DOCUMENT_BYTES_MAX, TEXT_BYTES_MAX};

use crate::json;

use super::calendar::{date, is_weekday, lies_in, minutes_of, next};

/// Reads a calendar document that may take effect.
///
/// # Errors
/// Its faults.
pub fn read(bytes: &[u8]) -> Result<Calendar, Vec<Text>> {
    if bytes.len() > DOCUMENT_BYTES_MAX {
        return Err(vec![said(
            format!("文件超过 {DOCUMENT_BYTES_MAX} 字节"),
            format!("the document is larger than {DOCUMENT_BYTES_MAX} bytes"),
        )]);
    }
    let calendar: Calendar = json::read(bytes)
        .map_err(|error| vec![said(format!("不是工作日历：{error}"), format!("no working calendar: {error}"))])?;
    let found = faults(&calendar);
    if found.is_empty() { Ok(calendar) } else { Err(found) }
}

/// What is wrong with a calendar.
pub fn faults(calendar: &Calendar) -> Vec<Text> {
    let mut found = Vec::new();
    if calendar.version.trim().is_empty() || calendar.version.len() > TEXT_BYTES_MAX {
        found.push(said("version：为空或过长", "version: is empty or too long"));
    }
    match calendar.layers.first() {
        None => {
            found.push(said("layers：没有；第一层应为国家日历", "layers: there is none; the first one is the nation's"))
        }
        Some(national) => check_span(national, &mut found),
    }
    for (nth, layer) in calendar.layers.iter().enumerate() {
        check_layer(layer, nth == 0, &mut found);
    }
    check_seasons(&calendar.seasons, &mut found);
    check_shifts(&calendar.shifts, &mut found);
    found
}

fn said(zh: impl Into<String>, en: impl Into<String>) -> Text {
    Text { zh: zh.into(), en: en.into() }
}

fn of(place: &Text, zh: impl Display, en: impl Display) -> Text {
    said(format!("{}：{zh}", place.zh), format!("{}: {en}", place.en))
}

/// A calendar with a hole would count the missing year by Monday to Friday and call it exact.
fn check_span(national: &Layer, found: &mut Vec<Text>) {
    if national.years.is_empty() {
        found.push(said("layers[0].years：没有年份", "layers[0].years: there is none"));
    }
    for pair in national.years.windows(2) {
        if let [one, other] = pair
            && one.year.checked_add(1) != Some(other.year)
        {
            found.push(said(
                format!("layers[0].years：{} 之后是 {}；第一层的年份不得有缺", one.year, other.year),
                format!(
                    "layers[0].years: {} comes behind {}; the years of the first layer have no hole",
                    other.year, one.year
                ),
            ));
        }
    }
}

fn check_layer(layer: &Layer, national: bool, found: &mut Vec<Text>) {
    let mut named = BTreeSet::new();
    let mut years = BTreeSet::new();
    for year in &layer.years {
        if !years.insert(year.year) {
            found.push(said(
                format!("{} {}：重复", layer.name.zh, year.year),
                format!("{} {}: is there twice", layer.name.en, year.year),
            ));
        }
        for holiday in &year.holidays {
            check_holiday(layer, year, holiday, national, &mut named, found);
        }
    }
}

fn check_holiday(
    layer: &Layer,
    year: &Year,
    holiday: &Holiday,
    national: bool,
    named: &mut BTreeSet<Date>,
    found: &mut Vec<Text>,
) {
    let place = said(
        format!("{} {} {}", layer.name.zh, year.year, holiday.name.zh),
        format!("{} {} {}", layer.name.en, year.year, holiday.name.en),
    );
    let day = |day: Day, found: &mut Vec<Text>| match date(day) {
        Ok(date) if day.year == year.year => Some(date),
        Ok(_) => {
            found.push(of(&place, format!("{day} 属于另一年"), format!("{day} lies in another year")));
            None
        }
        Err(_) => {
            found.push(of(&place, format!("没有 {day} 这一天"), format!("there is no day {day}")));
            None
        }
    };
    let mut off = BTreeSet::new();
    if let Some((from, to)) = holiday.off
        && let (Some(from), Some(to)) = (day(from, found), day(to, found))
    {
        if from > to {
            found.push(of(&place, "off 的结束早于开始", "off ends before it begins"));
        }
        let mut at = from;
        while at <= to {
            off.insert(at);
            let Ok(after) = next(at) else { break };
            at = after;
        }
    }
    let work: Vec<Date> = holiday.work.iter().filter_map(|it| day(*it, found)).collect();
    for at in &work {
        if off.contains(at) {
            found.push(of(&place, format!("{at} 既休息又上班"), format!("{at} is off and worked")));
        }
        if national && is_weekday(*at) {
            found.push(of(
                &place,
                format!("{at} 本来就上班；调休上班日应在周末"),
                format!("{at} is worked anyway; a make-up day lies on a weekend"),
            ));
        }
    }
    let statutory: Vec<Date> = holiday.statutory.iter().filter_map(|it| day(*it, found)).collect();
    for at in statutory {
        if !off.contains(&at) {
            found.push(of(&place, format!("{at} 是法定节日却不休息"), format!("{at} is statutory and not off")));
        }
    }
    for at in off.into_iter().chain(work) {
        if !named.insert(at) {
            found.push(of(&place, format!("{at} 出现两次"), format!("{at} is named twice")));
        }
    }
}

/// Every day of a leap year lies in one season, and a day of the hour model is as long in each of them.
fn check_seasons(seasons: &[Season], found: &mut Vec<Text>) {
    for season in seasons {
        let place =
            said(format!("季节 {} 至 {}", season.from, season.to), format!("season {} to {}", season.from, season.to));
        let in_order = season.hours.windows(2).all(|pair| matches!(pair, [one, other] if one.1 <= other.0));
        if season.hours.is_empty() || season.hours.iter().any(|(from, to)| from >= to) || !in_order {
            found.push(of(
                &place,
                "时段缺失、为空、重叠或次序不对",
                "hours are missing, empty, overlapping or out of order",
            ));
        }
        let fits = |at: schema::calendar::MonthDay| Date::new(2024, at.month, at.day).is_ok();
        if !fits(season.from) || !fits(season.to) {
            found.push(of(&place, "没有这一天", "there is no such day"));
        }
    }
    let lengths: BTreeSet<u32> = seasons.iter().map(minutes_of).collect();
    if lengths.len() > 1 {
        found.push(said(
            format!("seasons：工作日的长度应一致，而不是 {lengths:?} 分钟"),
            format!("seasons: a working day has one length, not {lengths:?} minutes"),
        ));
    }
    let mut day = Date::constant(2024, 1, 1);
    while day.year() == 2024 {
        let covering = seasons.iter().filter(|season| lies_in(season, day)).count();
        if covering != 1 {
            let at = format!("{:02}-{:02}", day.month(), day.day());
            found.push(said(
                format!("seasons：{at} 落在其中 {covering} 个"),
                format!("seasons: {at} lies in {covering} of them"),
            ));
            return;
        }
        let Ok(after) = next(day) else { return };
        day = after;
    }
}

fn check_shifts(shifts: &[Shift], found: &mut Vec<Text>) {
    let mut named = BTreeSet::new();
    for shift in shifts {
        let place = said(format!("班次 {}", shift.name.zh), format!("shift {}", shift.name.en));
        if shift.name.zh.trim().is_empty() || shift.name.en.trim().is_empty() {
            found.push(of(&place, "没有名称", "has no name"));
        }
        if !named.insert((shift.unit, &shift.name.zh)) {
            found.push(of(&place, "该单位已有同名班次", "the unit has another of this name"));
        }
        if shift.from == shift.to || shift.from.minutes >= DAY_MINUTES {
            found.push(of(
                &place,
                "起止时刻不成时段；全天写作 00:00 至 24:00",
                "from and to make no time; a whole day is 00:00 to 24:00",
            ));
        }
        if shift.accounts.iter().collect::<BTreeSet<_>>().len() < shift.accounts.len() {
            found.push(of(&place, "同一人员出现两次", "somebody is on it twice"));
        }
    }
}
