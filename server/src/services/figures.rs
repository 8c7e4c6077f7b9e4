//! Figures of a log: its cases one after the other, their facts by the definitions of `sync_core::figures`, and sums of
//! these. Whose cases count is the caller's to say.

use std::collections::BTreeMap;

use anyhow::Context;
use jiff::civil::Date;
use schema::calendar::Day;
use schema::case::{Case, State};
use schema::catalogue::Text;
use schema::entity::Entity;
use schema::figures::{
    Figures, FiguresAnswer, FiguresAsked, FiguresCase, FiguresCases, FiguresRow, GroupBy, Measure, Rate,
};
use schema::ids::{AreaId, EntityId, LogId, UnitId};
use schema::problem::ProblemCode;
use sync_core::apply::state_number;
use sync_core::area::AreaIndex;
use sync_core::case::kind_of;
use sync_core::catalogue::subtype;
use sync_core::clock::stages;
use sync_core::figures::{self, Facts, Period, Told, counted, needs_entries, with_entries};
use sync_core::line::{self, ReadBody, singleton_id};
use sync_core::time::day_at;

use super::ledger::{Parsed, parse_entity, read_entity, zone_of};
use crate::error::{Error, Result};
use crate::store::{Db, Entry, LogNum};

/// Rows read at a time.
const PAGE: usize = 500;

/// Entries with these outcomes took effect: accepted, and accepted with a conflict.
const TOOK_EFFECT: [u8; 2] = [1, 2];

/// Where figures are counted.
pub(super) struct Ground<'a> {
    pub(super) db: &'a mut Db,
    pub(super) log: LogNum,
    pub(super) log_id: LogId,
    pub(super) parsed: &'a Parsed,
    pub(super) areas: Option<&'a AreaIndex>,
}

/// Which cases of a count are listed.
pub(super) struct Listed {
    pub(super) measure: Measure,
    /// Of one group, or of those that belong to none; of all if not said.
    pub(super) group: Option<Option<String>>,
    pub(super) after: EntityId,
    pub(super) limit: usize,
}

/// Figures with what they mean.
pub(super) fn defined(figures: Figures) -> FiguresAnswer {
    FiguresAnswer { figures, measures: figures::measures(), rates: figures::rates() }
}

impl Ground<'_> {
    /// Counts the cases that the caller wants.
    pub(super) fn figures(
        &mut self,
        asked: FiguresAsked,
        now_ms: u64,
        wants: impl Fn(&Entity, &Case) -> bool,
    ) -> Result<Figures> {
        let period = self.period(&asked, now_ms)?;
        let head = self.db.head(self.log_id)?.ok_or_else(|| Error::refused(ProblemCode::NotFound))?;
        let mut total = BTreeMap::new();
        let mut groups: BTreeMap<Option<String>, BTreeMap<Measure, u64>> = BTreeMap::new();
        self.each(EntityId::NIL, wants, |ground, case, facts| {
            for (measure, unit) in counted(facts, period) {
                *total.entry(measure).or_default() += 1;
                let group = ground.group(&asked, case, facts, unit);
                *groups.entry(group).or_default().entry(measure).or_default() += 1;
            }
            Ok(true)
        })?;
        let rows = groups.into_iter().map(|(group, counts)| {
            let name = group.as_deref().map_or(Ok(None), |group| self.name(asked.by, group))?;
            Ok(row(group, name, counts))
        });
        let rows = rows.collect::<Result<Vec<FiguresRow>>>()?;
        let (cutoff_ms, cutoff_rev) = (now_ms, head.rev);
        Ok(Figures { asked, cutoff_ms, cutoff_rev, epoch: head.epoch, total: row(None, None, total), rows })
    }

    /// The cases of a count.
    pub(super) fn cases(
        &mut self,
        asked: FiguresAsked,
        listed: &Listed,
        now_ms: u64,
        wants: impl Fn(&Entity, &Case) -> bool,
    ) -> Result<FiguresCases> {
        let period = self.period(&asked, now_ms)?;
        let mut cases: Vec<FiguresCase> = Vec::new();
        let mut more = false;
        self.each(listed.after, wants, |ground, case, facts| {
            let counts = |measure, unit| {
                let group = listed.group.as_ref();
                measure == listed.measure && group.is_none_or(|it| *it == ground.group(&asked, case, facts, unit))
            };
            let times = counted(facts, period).into_iter().filter(|(measure, unit)| counts(*measure, *unit)).count();
            more = times > 0 && cases.len() == listed.limit;
            if times > 0 && !more {
                let (short_code, number) = (case.short_code.clone(), case.number.clone());
                let times = u64::try_from(times).unwrap_or(u64::MAX);
                cases.push(FiguresCase { case: case.id, short_code, number, times });
            }
            Ok(!more)
        })?;
        if let (true, Some(Some(group))) = (cases.is_empty(), &listed.group)
            && self.name(asked.by, group)?.is_none()
        {
            return Err(Error::invalid("group"));
        }
        let next = cases.last().map(|case| case.case).filter(|_| more);
        Ok(FiguresCases { cases, next })
    }

    /// Each case behind an id that is wanted, with what counts of it, until the work says that it is enough.
    fn each(
        &mut self,
        mut after: EntityId,
        wants: impl Fn(&Entity, &Case) -> bool,
        mut work: impl FnMut(&Self, &Case, &Facts) -> Result<bool>,
    ) -> Result<()> {
        loop {
            let page = self.db.entities_of_kind(self.log, "case", after, PAGE)?;
            let Some(last) = page.last() else { return Ok(()) };
            after = last.id;
            for document in page.into_iter().filter_map(|stored| stored.document) {
                let entity = parse_entity(&document)?;
                let Entity::Case(case) = &entity else { continue };
                if !wants(&entity, case) {
                    continue;
                }
                let facts = self.facts(case)?;
                if !work(self, case, &facts)? {
                    return Ok(());
                }
            }
        }
    }

    fn facts(&mut self, case: &Case) -> Result<Facts> {
        let mut facts = figures::facts(case);
        if needs_entries(case) {
            let catalogue = match case.catalogue {
                Some(sha256) => self.parsed.catalogue(self.db, self.log, sha256)?,
                None => None,
            };
            let found = catalogue.as_ref().zip(kind_of(case)).and_then(|(catalogue, (category, code))| {
                subtype(catalogue, &category, &code).map(|(_, subtype)| stages(catalogue, subtype))
            });
            let told = self.told(case.id)?;
            with_entries(&mut facts, case, &told, &found.unwrap_or_default());
        }
        Ok(facts)
    }

    fn told(&mut self, case: EntityId) -> Result<Vec<Told>> {
        let mut told = Vec::new();
        let mut after = 0;
        loop {
            let page = self.db.entries_of_entity(self.log, case, after, PAGE)?;
            let Some(last) = page.last() else { return Ok(told) };
            after = last.rev;
            told.extend(page.iter().filter_map(entry));
        }
    }

    /// The group that a count of a case belongs to.
    fn group(&self, asked: &FiguresAsked, case: &Case, facts: &Facts, unit: Option<UnitId>) -> Option<String> {
        match asked.by {
            GroupBy::Unit => unit.map(|unit| unit.to_string()),
            GroupBy::Category => facts.category.as_ref().map(ToString::to_string),
            GroupBy::Area => {
                let areas = self.areas?;
                let of = asked.area.unwrap_or(areas.root());
                let path = areas.path(case.area);
                let below = path.iter().take_while(|area| **area != of).last();
                Some(below.copied().unwrap_or(case.area).to_string())
            }
        }
    }

    /// The name of a group; none if there is no such thing.
    fn name(&mut self, by: GroupBy, group: &str) -> Result<Option<Text>> {
        match by {
            GroupBy::Unit => {
                let Ok(unit) = group.parse::<EntityId>() else { return Ok(None) };
                Ok(match read_entity(self.db, self.log, unit)? {
                    Some(Entity::Unit(unit)) => Some(unit.name),
                    _ => None,
                })
            }
            GroupBy::Area => {
                let area = group.parse::<AreaId>().ok().zip(self.areas);
                Ok(area.and_then(|(id, areas)| areas.area(id)).map(|area| area.name.clone()))
            }
            GroupBy::Category => {
                let id = singleton_id(self.log_id, "catalogue");
                let Some(Entity::Catalogue(now)) = read_entity(self.db, self.log, id)? else { return Ok(None) };
                let Some(catalogue) = self.parsed.catalogue(self.db, self.log, now.sha256)? else { return Ok(None) };
                let found = catalogue.categories.iter().find(|category| category.code.as_str() == group);
                Ok(found.map(|category| category.name.clone()))
            }
        }
    }

    /// The period asked for, in the district's civil time. One that the log does not cover is refused.
    pub(super) fn period(&mut self, asked: &FiguresAsked, now_ms: u64) -> Result<Period> {
        let FiguresAsked { from, until, .. } = *asked;
        if until <= from {
            return Err(Error::fault(
                format!("统计期无效：截止日 {until} 须晚于起始日 {from}（不含截止日）"),
                format!("no period: until {until} must be later than from {from} (until is not in it)"),
            ));
        }
        let zone = zone_of(self.db, self.log, self.log_id)?;
        let begins = |day: Day| -> Result<u64> {
            let date = Date::new(day.year, day.month, day.day).map_err(|_| Error::invalid("from"))?;
            let begins = date.to_zoned(zone.clone()).context("a day without a beginning")?;
            Ok(u64::try_from(begins.timestamp().as_millisecond()).unwrap_or(0))
        };
        let period = Period { from_ms: begins(from)?, until_ms: begins(until)? };
        let entries = self.db.entries_after(self.log, 0, 1)?;
        let first = entries.first().and_then(|entry| day_at(entry.received_ms, &zone));
        let first = first.ok_or_else(|| Error::refused(ProblemCode::NotFound))?;
        if from < first {
            return Err(Error::fault(
                format!("统计期超出数据：本区的记录始于 {first}，请从这一天或以后起统计"),
                format!("beyond the data: the record of this district begins on {first}; begin then or later"),
            ));
        }
        if period.until_ms > now_ms {
            let today = day_at(now_ms, &zone).map_or_else(String::new, |day| day.to_string());
            return Err(Error::fault(
                format!("统计期尚未结束：截止日（不含）至多为今天 {today}"),
                format!("the period has not ended: until (not in it) is today, {today}, at the latest"),
            ));
        }
        Ok(period)
    }
}

fn row(group: Option<String>, name: Option<Text>, counts: BTreeMap<Measure, u64>) -> FiguresRow {
    let rates = Rate::ALL.into_iter().map(|rate| (rate, figures::rate(rate, &counts))).collect();
    FiguresRow { group, name, counts, rates }
}

/// An entry that took effect; none of any other.
fn entry(entry: &Entry) -> Option<Told> {
    if !TOOK_EFFECT.contains(&entry.outcome) {
        return None;
    }
    let ReadBody::Known(body) = line::body(&line::read(&entry.line).ok()?) else { return None };
    let state = State::ALL.into_iter().find(|state| state_number(*state) == entry.state_after);
    Some(Told { rev: entry.rev, at_ms: entry.first_received_ms, state, body })
}
