//! What a document of responsibilities must be before it takes effect: each fault with its rule and what to do.

use std::collections::BTreeSet;

use jiff::civil::Date;
use schema::calendar::Day;
use schema::case::Position;
use schema::catalogue::{Catalogue, Text};
use schema::ids::{AccountId, UnitId};
use schema::limits::{DOCUMENT_BYTES_MAX, TEXT_BYTES_MAX};
use schema::responsibility::{Line, Matter, MatterKind, Place, Responsibilities, Rule};

use super::Gone;
use crate::area::AreaIndex;
use crate::catalogue::subtype;
use crate::json;

/// The widest reach of a line to each side, in metres.
const WIDTH_M_MAX: u32 = 1_000;

/// The units and accounts of a district.
#[derive(Debug, Clone, Default)]
pub struct Directory {
    /// Its units.
    pub units: BTreeSet<UnitId>,
    /// Its accounts.
    pub accounts: BTreeSet<AccountId>,
    /// Those among them that ended.
    pub gone: Gone,
}

/// Reads a document.
///
/// # Errors
/// It is none, or is too large.
pub fn read(bytes: &[u8]) -> Result<Responsibilities, Text> {
    if bytes.len() > DOCUMENT_BYTES_MAX {
        return Err(said(
            format!("文件超过 {DOCUMENT_BYTES_MAX} 字节，请减少线的点数"),
            format!("the document is larger than {DOCUMENT_BYTES_MAX} bytes: draw lines with fewer points"),
        ));
    }
    // Windows programs put a byte order mark before UTF-8, which JSON does not allow.
    let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    json::read(text)
        .map_err(|error| said(format!("不是责任清单：{error}"), format!("no document of responsibilities: {error}")))
}

fn said(zh: impl Into<String>, en: impl Into<String>) -> Text {
    Text { zh: zh.into(), en: en.into() }
}

/// All that is wrong with a document; empty if it can take effect.
pub fn faults(document: &Responsibilities, areas: &AreaIndex, catalogue: &Catalogue, people: &Directory) -> Vec<Text> {
    let mut found = Vec::new();
    let named = |text: &str| !text.trim().is_empty() && text.len() <= TEXT_BYTES_MAX;
    if !named(&document.version) {
        found.push(said("version：为空或过长", "version: is empty or too long"));
    }
    if document.rules.is_empty() {
        found.push(said("rules：没有任何规则", "rules: there is none"));
    }
    for (number, rule) in (1..).zip(&document.rules) {
        let faults = who(rule, people)
            .chain(place_fault(&rule.place, areas))
            .chain(matter_faults(&rule.matter, catalogue))
            .chain(date_fault(rule));
        found.extend(faults.map(|it| said(format!("第 {number} 条 {}", it.zh), format!("rule {number} {}", it.en))));
    }
    found
}

fn who(rule: &Rule, people: &Directory) -> impl Iterator<Item = Text> + use<> {
    let nobody = (rule.unit.is_none() && rule.person.is_none())
        .then(|| said("unit：单位和责任人都没有，请至少填一个", "unit: names neither a unit nor a person: give one"));
    let unit = rule.unit.and_then(|unit| match (people.units.contains(&unit), people.gone.units.contains(&unit)) {
        (false, _) => Some(said(
            format!("unit：没有单位 {unit}，请先用 rectify unit add 建立或改正编号"),
            format!("unit: there is no unit {unit}: add it with `rectify unit add`, or correct the id"),
        )),
        (true, true) => Some(said(
            format!("unit：单位 {unit} 已终止，请改为接替的单位"),
            format!("unit: the unit {unit} has ended: name its successor"),
        )),
        (true, false) => None,
    });
    let account = |person| (people.accounts.contains(&person), people.gone.accounts.contains(&person));
    let person = rule.person.and_then(|person| match account(person) {
        (false, _) => Some(said(
            format!("person：没有账号 {person}，请改正编号"),
            format!("person: there is no account {person}: correct the id"),
        )),
        (true, true) => Some(said(
            format!("person：账号 {person} 已停用，请改为现任责任人"),
            format!("person: the account {person} is disabled: name who it is now"),
        )),
        (true, false) => None,
    });
    nobody.into_iter().chain(unit).chain(person)
}

fn place_fault(place: &Place, areas: &AreaIndex) -> Option<Text> {
    match place {
        Place::Everywhere => None,
        Place::Area(area) => areas.area(*area).is_none().then(|| {
            said(
                format!("place：没有区域 {area}，请先导入区域或改正编号"),
                format!("place: there is no area {area}: import it first, or correct the id"),
            )
        }),
        Place::Line(line) => line_fault(line, areas),
    }
}

fn line_fault(line: &Line, areas: &AreaIndex) -> Option<Text> {
    if line.points.len() < 2 {
        let (zh, en) = ("少于两个点，请画出它的走向", "has fewer than two points: draw its course");
        return Some(said(format!("place：{}{zh}", line.name.zh), format!("place: {} {en}", line.name.en)));
    }
    if !(1..=WIDTH_M_MAX).contains(&line.width_m) {
        let said_so = format!("1-{WIDTH_M_MAX}");
        return Some(said(
            format!("place：width_m 为 {}，应为 {said_so} 米", line.width_m),
            format!("place: width_m is {}: give it {said_so} metres", line.width_m),
        ));
    }
    let outside = |(lon_e7, lat_e7): &&(i32, i32)| !areas.holds(areas.root(), &Position::at(*lat_e7, *lon_e7));
    line.points.iter().find(outside).map(|(lon, lat)| {
        said(
            format!("place：{}的点 [{lon}, {lat}] 在本区之外，请在区界处截断", line.name.zh),
            format!("place: the point [{lon}, {lat}] of {} leaves the district: cut it at the border", line.name.en),
        )
    })
}

fn matter_faults<'a>(matter: &'a Matter, catalogue: &'a Catalogue) -> Box<dyn Iterator<Item = Text> + 'a> {
    let Matter::Kinds(kinds) = matter else { return Box::new(std::iter::empty()) };
    if kinds.is_empty() {
        let (zh, en) =
            ("matter：没有类别，请列出，或写 \"all\"", "matter: names no category: list some, or write \"all\"");
        return Box::new(std::iter::once(said(zh, en)));
    }
    let known = |kind: &&MatterKind| match &kind.subtype {
        None => catalogue.categories.iter().any(|category| category.code == kind.category),
        Some(code) => subtype(catalogue, &kind.category, code).is_some(),
    };
    Box::new(kinds.iter().filter(move |kind| !known(kind)).map(|kind| {
        let below = kind.subtype.as_ref().map(|code| format!("/{code}")).unwrap_or_default();
        let named = format!("{}{below}", kind.category);
        said(
            format!("matter：现行案件目录中没有 {named}"),
            format!("matter: there is no {named} in the catalogue in force"),
        )
    }))
}

fn date_fault(rule: &Rule) -> Option<Text> {
    let is_day = |day: Day| Date::new(day.year, day.month, day.day).is_ok();
    let days = [Some(rule.from), rule.until];
    if let Some(day) = days.into_iter().flatten().find(|day| !is_day(*day)) {
        return Some(said(format!("from、until：没有 {day} 这一天"), format!("from, until: there is no day {day}")));
    }
    let until = rule.until.filter(|until| *until < rule.from)?;
    Some(said(
        format!("until：{until} 早于 from {}", rule.from),
        format!("until: {until} is before from {}", rule.from),
    ))
}
