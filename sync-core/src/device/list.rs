//! Reading what is shown: pages of cases, one entity, looking a case up by what a person types.

use rusqlite::{Connection, OptionalExtension, params_from_iter, types::Value as Sql};
use schema::case::State;
use schema::entity::Entity;
use schema::hash::Hash;
use schema::ids::{AccountId, AreaId, EntityId, LogId, OpId, UnitId};
use serde::Serialize;

use super::error::PhoneError;
use super::outbox;
use super::phone::{Phone, log_state};
use super::row::{Blob, int, nat};
use super::view::{is_laid, shown};
use crate::apply::state_number;
use crate::sync::overlay::Estimate;

/// Which cases.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Filter {
    /// Of one log only.
    pub log: Option<LogId>,
    /// In one of these states; empty is any.
    pub states: Vec<State>,
    /// Of a category.
    pub category: Option<String>,
    /// Reported by.
    pub reporter: Option<AccountId>,
    /// Assigned to a unit.
    pub unit: Option<UnitId>,
    /// With own ops that the server's version does not hold yet.
    pub waiting: bool,
}

/// Where a page goes on: behind this row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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

const COLUMNS: &str =
    "SELECT log.log, entity, state, short_code, number, category, subtype, subject, area, unit, reporter,
    changed_ms, photos, photos_here, conflicts, waiting FROM listing JOIN log ON log.id = listing.log";

impl Phone {
    /// A page of cases, newest change first, by index: it costs what it shows, not what there is.
    ///
    /// # Errors
    /// The store's.
    pub fn list(&self, filter: &Filter, after: Option<After>, rows: usize) -> Result<Vec<CaseRow>, PhoneError> {
        let (mut terms, mut values) = (Vec::new(), Vec::new());
        let mut term = |text: &str, value: Sql| {
            values.push(value);
            terms.push(text.replace('?', &format!("?{}", values.len())));
        };
        if let Some(log) = filter.log {
            term("listing.log = ?", Sql::Integer(log_state(&self.db, log)?.id));
        }
        if let Some(category) = &filter.category {
            term("category = ?", Sql::Text(category.clone()));
        }
        if let Some(reporter) = filter.reporter {
            term("reporter = ?", Sql::Blob(reporter.bytes().to_vec()));
        }
        if let Some(unit) = filter.unit {
            term("unit = ?", Sql::Blob(unit.bytes().to_vec()));
        }
        if let Some(after) = after {
            term("changed_ms <= ?", Sql::Integer(int(after.changed_ms)));
            term(
                &format!("(changed_ms < {} OR entity < ?)", int(after.changed_ms)),
                Sql::Blob(after.case.bytes().to_vec()),
            );
        }
        if !filter.states.is_empty() {
            let numbers: Vec<String> = filter.states.iter().map(|state| state_number(*state).to_string()).collect();
            terms.push(format!("state IN ({})", numbers.join(", ")));
        }
        if filter.waiting {
            terms.push("waiting > 0".into());
        }
        let condition = if terms.is_empty() { String::new() } else { format!("WHERE {}", terms.join(" AND ")) };
        let query = format!("{COLUMNS} {condition} ORDER BY changed_ms DESC, entity DESC LIMIT {rows}");
        select(&self.db, &query, values)
    }

    /// The cases that a person may mean: by id, short code or official number, in any letter case.
    ///
    /// # Errors
    /// The store's.
    pub fn find(&self, typed: &str) -> Result<Vec<CaseRow>, PhoneError> {
        let typed = typed.trim();
        if let Ok(id) = typed.to_lowercase().parse::<EntityId>() {
            return select(&self.db, &format!("{COLUMNS} WHERE entity = ?1"), vec![Sql::Blob(id.bytes().to_vec())]);
        }
        // Crockford's alphabet reads O as 0 and I, L as 1.
        let code: String = typed.to_uppercase().replace('O', "0").replace(['I', 'L'], "1").replace('-', "");
        let query = format!("{COLUMNS} WHERE short_code = ?1 OR number = ?2 OR number = ?3 ORDER BY changed_ms DESC");
        select(&self.db, &query, vec![Sql::Text(code), Sql::Text(typed.into()), Sql::Text(typed.to_uppercase())])
    }

    /// An entity as shown, with own ops on it.
    ///
    /// # Errors
    /// The store's.
    pub fn view(&self, log: LogId, entity: EntityId) -> Result<Option<Shown>, PhoneError> {
        let state = log_state(&self.db, log)?;
        let Some(document) = shown(&self.db, state.id, entity)? else { return Ok(None) };
        let base_rev = super::base::rev(&self.db, state.id, entity)?;
        Ok(Some(Shown { log, entity: document, base_rev, own: self.own_steps(state.id, entity, base_rev)? }))
    }

    fn own_steps(&self, log: i64, entity: EntityId, base_rev: Option<u64>) -> Result<Vec<OwnStep>, PhoneError> {
        let mut steps = Vec::new();
        for own in outbox::on_entity(&self.db, log, entity)? {
            let estimate = own.estimate.as_deref().map(serde_json::from_str).transpose()?;
            let waiting = is_laid(&own, base_rev.unwrap_or(0));
            let (op, kind, outcome, second) = (own.op, own.kind, own.outcome, own.second);
            steps.push(OwnStep { op, kind, outcome, second, estimate, waiting });
        }
        Ok(steps)
    }

    /// A sealed value that this phone may show.
    ///
    /// # Errors
    /// The store's.
    pub fn value(&self, sealed: Hash) -> Result<Option<String>, PhoneError> {
        let mut statement = self.db.prepare_cached("SELECT value FROM value WHERE sealed = ?1")?;
        Ok(statement.query_row([Blob(sealed)], |row| row.get(0)).optional()?)
    }

    /// All entities of a kind (`unit`, `account`, …) as the server said them last.
    ///
    /// # Errors
    /// The store's.
    pub fn entities(&self, log: LogId, kind: &str) -> Result<Vec<Entity>, PhoneError> {
        let state = log_state(&self.db, log)?;
        let mut statement =
            self.db.prepare_cached("SELECT document FROM base WHERE log = ?1 AND kind = ?2 ORDER BY entity")?;
        let rows = statement.query_map(rusqlite::params![state.id, kind], |row| row.get::<_, String>(0))?;
        let mut entities = Vec::new();
        for document in rows {
            entities.extend(serde_json::from_str::<Entity>(&document?).ok());
        }
        Ok(entities)
    }

    /// Every entity version of a log as held, by id: what a simulation compares with the server's.
    ///
    /// # Errors
    /// The store's.
    pub fn base_documents(&self, log: LogId) -> Result<Vec<(EntityId, u64, String)>, PhoneError> {
        let state = log_state(&self.db, log)?;
        let mut statement =
            self.db.prepare_cached("SELECT entity, rev, document FROM base WHERE log = ?1 ORDER BY entity")?;
        let rows = statement
            .query_map([state.id], |row| Ok((row.get::<_, Blob<EntityId>>(0)?.0, nat(row.get(1)?), row.get(2)?)))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}

fn select(db: &Connection, query: &str, values: Vec<Sql>) -> Result<Vec<CaseRow>, PhoneError> {
    let mut statement = db.prepare_cached(query)?;
    let rows = statement.query_map(params_from_iter(values), |row| {
        Ok(CaseRow {
            log: row.get::<_, Blob<LogId>>(0)?.0,
            case: row.get::<_, Blob<EntityId>>(1)?.0,
            state: state_of(row.get(2)?).ok_or(rusqlite::Error::IntegralValueOutOfRange(2, row.get(2)?))?,
            short_code: row.get(3)?,
            number: row.get(4)?,
            category: row.get(5)?,
            subtype: row.get(6)?,
            subject: row.get(7)?,
            area: row.get::<_, Blob<AreaId>>(8)?.0,
            unit: row.get::<_, Option<Blob<UnitId>>>(9)?.map(|unit| unit.0),
            reporter: row.get::<_, Blob<AccountId>>(10)?.0,
            changed_ms: nat(row.get(11)?),
            photos: nat(row.get(12)?),
            photos_received: nat(row.get(13)?),
            conflicts: nat(row.get(14)?),
            waiting: nat(row.get(15)?),
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

const STATES: [State; 9] = [
    State::Reported,
    State::Filed,
    State::Assigned,
    State::Fixed,
    State::Checked,
    State::Closed,
    State::Declined,
    State::Duplicate,
    State::Void,
];

fn state_of(number: i64) -> Option<State> {
    STATES.into_iter().find(|state| i64::from(state_number(*state)) == number)
}
