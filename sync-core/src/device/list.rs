//! Reading what is shown: pages of cases, one entity, looking a case up by what a person types.

use std::cmp::Reverse;

use schema::case::State;
use schema::entity::Entity;
use schema::hash::Hash;
use schema::ids::{AccountId, AreaId, EntityId, LogId, OpId, UnitId};
use schema::op::Captured;
use serde::{Deserialize, Serialize};

use super::error::PhoneError;
use super::store::{Store, log_state, logs};
use super::tables::rows::{HeldValue, Listing, LogState, Version};
use super::tables::{self, Index, Row, Span, Value, values};
use super::view::{is_laid, shown, touched_by_own_ops};
use super::{known, outbox};
use crate::area::AreaIndex;
use crate::sync::overlay::Estimate;
use crate::sync::possible::possible;

/// Which cases.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Filter {
    /// Of one log only.
    pub log: Option<LogId>,
    /// In one of these states; empty is any.
    pub states: Vec<State>,
    /// Of a category.
    pub category: Option<String>,
    /// In an area, or below it where the area tree is known.
    pub area: Option<AreaId>,
    /// Reported by.
    pub reporter: Option<AccountId>,
    /// Assigned to a unit.
    pub unit: Option<UnitId>,
    /// With own ops that the server's version does not hold yet.
    pub waiting: bool,
    /// With a check in between that was asked for and not made.
    pub interim: bool,
    /// That somebody must look at again by now.
    pub look_back: bool,
    /// With this in its number, short code or subject, in any letter case.
    pub text: Option<String>,
}

/// Where a page goes on: behind this row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub struct After {
    /// Its last change.
    pub changed_ms: u64,
    /// Its id.
    pub case: EntityId,
}

/// A case in a list.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CaseRow {
    /// Its log.
    pub log: LogId,
    /// Its id.
    pub case: EntityId,
    /// Where it stands.
    pub state: State,
    /// Its short code.
    pub short_code: String,
    /// Its official number.
    pub number: Option<String>,
    /// Its category's code.
    pub category: String,
    /// Its subtype's code.
    pub subtype: String,
    /// Its subject.
    pub subject: Option<String>,
    /// Its area.
    pub area: AreaId,
    /// The unit that has it.
    pub unit: Option<UnitId>,
    /// Who reported it.
    pub reporter: AccountId,
    /// Its last change, in server time.
    pub changed_ms: u64,
    /// Photos it names.
    pub photos: u64,
    /// Of these, at the server.
    pub photos_received: u64,
    /// Undecided differences.
    pub conflicts: u64,
    /// Own ops that the server's version does not hold yet.
    pub waiting: u64,
}

/// An own op on an entity, with what became of it or what this phone thinks will.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct OwnStep {
    /// The op.
    pub op: OpId,
    /// Its kind.
    pub kind: String,
    /// What became of it; none while the server has not said.
    pub outcome: Option<String>,
    /// What became of it when it was released or discarded.
    pub second: Option<String>,
    /// What this phone thinks: the server decides.
    pub estimate: Option<Estimate>,
    /// It lies over the server's version.
    pub waiting: bool,
}

/// An entity as shown.
#[derive(Debug, Clone, PartialEq)]
pub struct Shown {
    /// Its log.
    pub log: LogId,
    /// Its document with own ops laid over it.
    pub entity: Entity,
    /// The revision of the server's version under it; none if the server has none.
    pub base_rev: Option<u64>,
    /// Own ops that are still held.
    pub own: Vec<OwnStep>,
}

impl Store {
    /// A page of cases, newest change first, by index: it costs what it shows, not what there is.
    ///
    /// # Errors
    /// The store's.
    pub fn list(&self, filter: &Filter, after: Option<After>, rows: usize) -> Result<Vec<CaseRow>, PhoneError> {
        let mut found = Vec::new();
        self.matching(filter, after, &mut |row| {
            found.push(row);
            Ok(found.len() < rows)
        })?;
        found.truncate(rows);
        Ok(found)
    }

    /// How many cases there are.
    ///
    /// # Errors
    /// The store's.
    pub fn count(&self, filter: &Filter) -> Result<u64, PhoneError> {
        let mut count = 0_u64;
        self.matching(filter, None, &mut |_| {
            count = count.saturating_add(1);
            Ok(true)
        })?;
        Ok(count)
    }

    /// Gives the cases behind a place that a filter lets through, until `take` has enough.
    pub(crate) fn matching(
        &self,
        filter: &Filter,
        after: Option<After>,
        take: &mut dyn FnMut(CaseRow) -> Result<bool, PhoneError>,
    ) -> Result<(), PhoneError> {
        let logs = logs(self.db())?;
        let log = filter.log.map(|log| log_state(self.db(), log)).transpose()?.map(|log| log.id);
        let text = filter.text.as_ref().map(|text| text.trim().to_lowercase());
        let areas = self.area_trees(filter)?;
        let within = |row: &Listing| {
            filter.area.is_none_or(|area| area == row.area || areas.iter().any(|tree| tree.covers(area, row.area)))
        };
        let mut take = |row: Listing| {
            let here = log.is_none_or(|log| log == row.log) && filter.lets_through(&row, text.as_deref());
            let here = here && within(&row) && (!filter.interim || self.asks_to_look(&row)?);
            match case_row(&logs, row) {
                Some(row) if here => take(row),
                _ => Ok(true),
            }
        };
        if filter.waiting || filter.look_back {
            let few = if filter.waiting { self.waiting(&logs)? } else { self.to_look_at(&logs)? };
            return self.these(few, after, &mut take);
        }
        let (index, prefix) = filter.narrowest();
        let after = after.map(|after| values!(after.changed_ms, after.case).to_vec()).unwrap_or_default();
        tables::scan(self.db(), Span { index, prefix: &prefix, beyond: &after, back: true }, &mut take)
    }

    fn asks_to_look(&self, row: &Listing) -> Result<bool, PhoneError> {
        let asks = |case: &schema::case::Case| case.interim.iter().any(|interim| interim.asked_rev.is_some());
        Ok(match shown(self.db(), row.log, row.entity)? {
            Some(Entity::Case(case)) => asks(&case),
            _ => false,
        })
    }

    fn area_trees(&self, filter: &Filter) -> Result<Vec<AreaIndex>, PhoneError> {
        let mut trees = Vec::new();
        for log in filter.area.map_or_else(|| Ok(Vec::new()), |_| logs(self.db()))? {
            trees.extend(self.areas(log.log)?);
        }
        Ok(trees)
    }

    /// Those that own ops may lie over: few, however many there are in all.
    fn waiting(&self, logs: &[LogState]) -> Result<Vec<(i64, EntityId)>, PhoneError> {
        let mut found = Vec::new();
        for log in logs {
            found.extend(touched_by_own_ops(self.db(), log.id)?.into_iter().map(|entity| (log.id, entity)));
        }
        Ok(found)
    }

    fn these(
        &self,
        cases: Vec<(i64, EntityId)>,
        after: Option<After>,
        take: &mut dyn FnMut(Listing) -> Result<bool, PhoneError>,
    ) -> Result<(), PhoneError> {
        let mut rows: Vec<Listing> = Vec::new();
        for (log, entity) in cases {
            rows.extend(tables::get::<Listing>(self.db(), values!(log, entity))?);
        }
        rows.sort_by_key(|row| Reverse((row.changed_ms, row.entity)));
        rows.retain(|row| after.is_none_or(|after| (row.changed_ms, row.entity) < (after.changed_ms, after.case)));
        for row in rows {
            if !take(row)? {
                break;
            }
        }
        Ok(())
    }

    /// The cases that a person may mean: by id, short code or official number, in any letter case.
    ///
    /// # Errors
    /// The store's.
    pub fn find(&self, typed: &str) -> Result<Vec<CaseRow>, PhoneError> {
        let typed = typed.trim();
        if let Ok(id) = typed.to_lowercase().parse::<EntityId>() {
            return self.listed(&[(Listing::BY_ENTITY, values!(id))]);
        }
        // Crockford's alphabet reads O as 0 and I, L as 1.
        let code: String = typed.to_uppercase().replace('O', "0").replace(['I', 'L'], "1").replace('-', "");
        let (number, upper) = (Some(typed.to_owned()), Some(typed.to_uppercase()));
        let by = [
            (Listing::BY_CODE, values!(code)),
            (Listing::BY_NUMBER, values!(number)),
            (Listing::BY_NUMBER, values!(upper)),
        ];
        self.listed(&by)
    }

    fn listed(&self, by: &[(Index, &[Value])]) -> Result<Vec<CaseRow>, PhoneError> {
        let logs = logs(self.db())?;
        let mut found: Vec<CaseRow> = Vec::new();
        for (index, prefix) in by {
            for row in tables::select::<Listing>(self.db(), *index, prefix)? {
                found.extend(case_row(&logs, row).filter(|row| !found.contains(row)));
            }
        }
        found.sort_by_key(|row| Reverse(row.changed_ms));
        Ok(found)
    }

    /// An entity as shown, with own ops on it.
    ///
    /// # Errors
    /// The store's.
    pub fn view(&self, log: LogId, entity: EntityId) -> Result<Option<Shown>, PhoneError> {
        let state = log_state(self.db(), log)?;
        let Some(document) = shown(self.db(), state.id, entity)? else { return Ok(None) };
        let base_rev = super::base::rev(self.db(), state.id, entity)?;
        Ok(Some(Shown { log, entity: document, base_rev, own: self.own_steps(state.id, entity, base_rev)? }))
    }

    fn own_steps(&self, log: i64, entity: EntityId, base_rev: Option<u64>) -> Result<Vec<OwnStep>, PhoneError> {
        let mut steps = Vec::new();
        for own in outbox::on_entity(self.db(), log, entity)? {
            let estimate = own.estimate.as_deref().map(crate::json::read).transpose()?;
            let waiting = is_laid(&own, base_rev.unwrap_or(0));
            let (op, kind, outcome, second) = (own.op, own.kind, own.outcome, own.second);
            steps.push(OwnStep { op, kind, outcome, second, estimate, waiting });
        }
        Ok(steps)
    }

    /// The kinds of ops that its person may do on an entity now, as this phone thinks.
    ///
    /// # Errors
    /// The store's.
    pub fn possible(&mut self, log: LogId, entity: &Entity, now: Captured) -> Result<Vec<&'static str>, PhoneError> {
        let log = log_state(self.tables.as_ref(), log)?;
        let known = known::known(self.tables.as_ref(), &mut self.read, &log, now)?;
        Ok(possible(entity, &known))
    }

    /// A sealed value that this phone may show.
    ///
    /// # Errors
    /// The store's.
    pub fn value(&self, sealed: Hash) -> Result<Option<String>, PhoneError> {
        Ok(tables::get::<HeldValue>(self.db(), values!(sealed))?.map(|held| held.value))
    }

    /// All entities of a kind (`unit`, `account`, …) as the server said them last.
    ///
    /// # Errors
    /// The store's.
    pub fn entities(&self, log: LogId, kind: &str) -> Result<Vec<Entity>, PhoneError> {
        known::of_kind(self.db(), log_state(self.db(), log)?.id, kind)
    }

    /// Every entity version of a log as held, by id: what a simulation compares with the server's.
    ///
    /// # Errors
    /// The store's.
    pub fn base_documents(&self, log: LogId) -> Result<Vec<(EntityId, u64, String)>, PhoneError> {
        let log = log_state(self.db(), log)?.id;
        let versions: Vec<Version> = tables::select(self.db(), Version::KEY, values!(log))?;
        Ok(versions.into_iter().map(|version| (version.entity, version.rev, version.document)).collect())
    }
}

impl Filter {
    /// The index that leaves the fewest rows to look at.
    fn narrowest(&self) -> (Index, Vec<Value>) {
        if let Some(unit) = self.unit {
            return (Listing::BY_UNIT, values!(Some(unit)).to_vec());
        }
        if let Some(reporter) = self.reporter {
            return (Listing::BY_REPORTER, values!(reporter).to_vec());
        }
        if let [state] = self.states.as_slice() {
            return (Listing::BY_STATE, values!(*state).to_vec());
        }
        if let Some(category) = &self.category {
            return (Listing::BY_CATEGORY, values!(*category).to_vec());
        }
        (Listing::BY_CHANGED, Vec::new())
    }

    fn lets_through(&self, row: &Listing, text: Option<&str>) -> bool {
        let said = |held: &Option<String>, text: &str| held.as_ref().is_some_and(|held| has(held, text));
        (self.states.is_empty() || self.states.contains(&row.state))
            && self.category.as_ref().is_none_or(|category| *category == row.category)
            && self.reporter.is_none_or(|reporter| reporter == row.reporter)
            && self.unit.is_none_or(|unit| row.unit == Some(unit))
            && (!self.waiting || row.waiting > 0)
            && text.is_none_or(|text| has(&row.short_code, text) || said(&row.number, text) || said(&row.subject, text))
    }
}

/// `text` is in small letters.
fn has(held: &str, text: &str) -> bool {
    held.to_lowercase().contains(text)
}

fn case_row(logs: &[LogState], row: Listing) -> Option<CaseRow> {
    let log = logs.iter().find(|log| log.id == row.log)?.log;
    Some(CaseRow {
        log,
        case: row.entity,
        state: row.state,
        short_code: row.short_code,
        number: row.number,
        category: row.category,
        subtype: row.subtype,
        subject: row.subject,
        area: row.area,
        unit: row.unit,
        reporter: row.reporter,
        changed_ms: row.changed_ms,
        photos: row.photos,
        photos_received: row.photos_here,
        conflicts: row.conflicts,
        waiting: row.waiting,
    })
}
