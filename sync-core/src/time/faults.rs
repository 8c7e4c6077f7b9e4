//! What is wrong with a calendar document: all of it, each fault with where and what to do.

use std::collections::BTreeSet;

use jiff::civil::Date;
use schema::calendar::{Calendar, Day, Holiday, Layer, Season, Year};
use schema::limits::{DOCUMENT_BYTES_MAX, TEXT_BYTES_MAX};

use super::calendar::{date, is_weekday, lies_in, minutes_of, next};

/// Reads a calendar document that may take effect.
///
/// # Errors
/// Its faults.
pub fn read(bytes: &[u8]) -> Result<Calendar, Vec<String>> {
    if bytes.len() > DOCUMENT_BYTES_MAX {
        return Err(vec![format!("the document is larger than {DOCUMENT_BYTES_MAX} bytes")]);
    }
    let calendar: Calendar = serde_json::from_slice(bytes).map_err(|error| vec![error.to_string()])?;
    let found = faults(&calendar);
    if found.is_empty() { Ok(calendar) } else { Err(found) }
}

/// What is wrong with a calendar.
pub fn faults(calendar: &Calendar) -> Vec<String> {
    let mut found = Vec::new();
    if calendar.version.trim().is_empty() || calendar.version.len() > TEXT_BYTES_MAX {
        found.push("version: is empty or too long".to_owned());
    }
    match calendar.layers.first() {
        None => found.push("layers: there is none; the first one is the nation's".to_owned()),
        Some(national) => check_span(national, &mut found),
    }
    for (nth, layer) in calendar.layers.iter().enumerate() {
        check_layer(layer, nth == 0, &mut found);
    }
    check_seasons(&calendar.seasons, &mut found);
    found
}

/// A calendar with a hole would count the missing year by Monday to Friday and call it exact.
fn check_span(national: &Layer, found: &mut Vec<String>) {
    if national.years.is_empty() {
        found.push("layers[0].years: there is none".to_owned());
    }
    for pair in national.years.windows(2) {
        if let [one, other] = pair
            && one.year.checked_add(1) != Some(other.year)
        {
            found.push(format!(
                "layers[0].years: {} comes behind {}; the years of the first layer have no hole",
                other.year, one.year
            ));
        }
    }
}

fn check_layer(layer: &Layer, national: bool, found: &mut Vec<String>) {
    let mut named = BTreeSet::new();
    let mut years = BTreeSet::new();
    for year in &layer.years {
        if !years.insert(year.year) {
            found.push(format!("{} {}: is there twice", layer.name.en, year.year));
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
    found: &mut Vec<String>,
) {
    let place = format!("{} {} {}", layer.name.en, year.year, holiday.name.en);
    let day = |day: Day, found: &mut Vec<String>| match date(day) {
        Ok(date) if day.year == year.year => Some(date),
        Ok(_) => {
            found.push(format!("{place}: {day} lies in another year"));
            None
        }
        Err(_) => {
            found.push(format!("{place}: there is no day {day}"));
            None
        }
    };
    let mut off = BTreeSet::new();
    if let Some((from, to)) = holiday.off
        && let (Some(from), Some(to)) = (day(from, found), day(to, found))
    {
        if from > to {
            found.push(format!("{place}: off ends before it begins"));
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
            found.push(format!("{place}: {at} is off and worked"));
        }
        if national && is_weekday(*at) {
            found.push(format!("{place}: {at} is worked anyway; a make-up day lies on a weekend"));
        }
    }
    let statutory: Vec<Date> = holiday.statutory.iter().filter_map(|it| day(*it, found)).collect();
    for at in statutory {
        if !off.contains(&at) {
            found.push(format!("{place}: {at} is statutory and not off"));
        }
    }
    for at in off.into_iter().chain(work) {
        if !named.insert(at) {
            found.push(format!("{place}: {at} is named twice"));
        }
    }
}

/// Every day of a leap year lies in one season, and a day of the hour model is as long in each of them.
fn check_seasons(seasons: &[Season], found: &mut Vec<String>) {
    for season in seasons {
        let place = format!("season {} to {}", season.from, season.to);
        let in_order = season.hours.windows(2).all(|pair| matches!(pair, [one, other] if one.1 <= other.0));
        if season.hours.is_empty() || season.hours.iter().any(|(from, to)| from >= to) || !in_order {
            found.push(format!("{place}: hours are missing, empty, overlapping or out of order"));
        }
        let fits = |at: schema::calendar::MonthDay| Date::new(2024, at.month, at.day).is_ok();
        if !fits(season.from) || !fits(season.to) {
            found.push(format!("{place}: there is no such day"));
        }
    }
    let lengths: BTreeSet<u32> = seasons.iter().map(minutes_of).collect();
    if lengths.len() > 1 {
        found.push(format!("seasons: a working day has one length, not {lengths:?} minutes"));
    }
    let mut day = Date::constant(2024, 1, 1);
    while day.year() == 2024 {
        let covering = seasons.iter().filter(|season| lies_in(season, day)).count();
        if covering != 1 {
            found.push(format!("seasons: {:02}-{:02} lies in {covering} of them", day.month(), day.day()));
            return;
        }
        let Ok(after) = next(day) else { return };
        day = after;
    }
}
