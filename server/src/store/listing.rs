//! Lists of cases, newest change first, driven by the scopes a reader may see: cost grows with the page, not the log.

use diesel::{BoolExpressionMethods, ExpressionMethods, JoinOnDsl, NullableExpressionMethods, QueryDsl, RunQueryDsl};
use schema::ids::EntityId;
use schema::sync::Scope;

use super::columns::{bound, may_be_stored, number, uuid};
use super::connection::Db;
use super::error::StoreError;
use super::log_tx::LogNum;
use super::references::scope_bytes;
use super::tables::{entity, entity_scope};

/// Which cases of those that a reader may see.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CaseFilter {
    /// In one of these states, as numbers; all if empty.
    pub states: Vec<u8>,
    /// Of this category.
    pub category: Option<String>,
    /// Of this subtype.
    pub subtype: Option<String>,
    /// With this short code or official number.
    pub code: Option<String>,
}

impl Db {
    /// Cases in a scope below a revision, newest change first, at most `limit`: revision and id.
    ///
    /// # Errors
    /// The database's.
    pub fn cases_in_scope(
        &mut self,
        log: LogNum,
        scope: &Scope,
        filter: &CaseFilter,
        before: u64,
        limit: i64,
    ) -> Result<Vec<(u64, EntityId)>, StoreError> {
        let texts = [&filter.category, &filter.subtype, &filter.code];
        if !texts.into_iter().flatten().all(|text| may_be_stored(text)) {
            return Ok(Vec::new());
        }
        let Some(scope) = self.reference(log, &scope_bytes(scope))? else { return Ok(Vec::new()) };
        let on = entity::log.eq(entity_scope::log).and(entity::id.eq(entity_scope::entity));
        let mut query = entity_scope::table
            .inner_join(entity::table.on(on))
            .filter(entity_scope::log.eq(log.0))
            .filter(entity_scope::scope.eq(scope))
            .filter(entity_scope::rev.lt(bound(before)))
            .filter(entity::kind.eq("case"))
            .order(entity_scope::rev.desc())
            .limit(limit)
            .select((entity_scope::rev, entity_scope::entity))
            .into_boxed();
        if !filter.states.is_empty() {
            query = query.filter(entity::state.eq_any(filter.states.iter().copied().map(i16::from)));
        }
        if let Some(category) = &filter.category {
            query = query.filter(entity::category.eq(category));
        }
        if let Some(subtype) = &filter.subtype {
            query = query.filter(entity::subtype.eq(subtype));
        }
        if let Some(code) = &filter.code {
            query = query.filter(entity::short_code.nullable().eq(code).or(entity::number.nullable().eq(code)));
        }
        let rows: Vec<(i64, Vec<u8>)> = query.load(&mut self.conn)?;
        rows.into_iter().map(|(rev, id)| Ok((number(rev, "a revision below zero")?, EntityId(uuid(&id)?)))).collect()
    }
}
