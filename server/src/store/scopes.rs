//! Which entity lies in which scope since which revision, and which has left: what a pull walks along.

use std::collections::{BTreeSet, HashMap};

use diesel::dsl::count;
use diesel::{
    AggregateExpressionMethods, BoolExpressionMethods, ExpressionMethods, QueryDsl, RunQueryDsl, delete, insert_into,
};
use schema::ids::EntityId;
use schema::sync::Scope;

use super::columns::{bound, column, number, uuid};
use super::conn::on_backend;
use super::connection::Db;
use super::entities::{NewVersion, StoredEntity};
use super::entries::limit_of;
use super::error::StoreError;
use super::log_tx::{LogNum, LogTx};
use super::references::{scope_bytes, scope_of_bytes};
use super::tables::{entity_scope, scope_exit};

/// An entity in a scope, or out of it, since a revision.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct ScopeRow {
    /// Since when.
    pub rev: u64,
    /// The entity.
    pub entity: EntityId,
    /// It left.
    pub left: bool,
}

/// A scope's number in one log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ScopeNum(i64);

impl LogTx<'_> {
    /// Writes a new version of an entity, moves it in the scopes it lies in, and tells those it left.
    ///
    /// # Errors
    /// The database's.
    pub fn put_version(
        &mut self,
        before: Option<&StoredEntity>,
        new: NewVersion,
        scopes: &[Scope],
    ) -> Result<StoredEntity, StoreError> {
        let mut now = BTreeSet::new();
        for scope in scopes {
            now.insert(self.reference(&scope_bytes(scope))?);
        }
        let now: Vec<i64> = now.into_iter().collect();
        let was: &[i64] = before.map_or(&[], |before| before.scopes.as_slice());
        let old_rev = column(before.map_or(0, |before| before.rev))?;
        let rev = column(new.rev)?;
        let log = self.head.num.0;
        let id = new.id.bytes().as_slice();
        if !was.is_empty() {
            let old = entity_scope::log
                .eq(log)
                .and(entity_scope::scope.eq_any(was))
                .and(entity_scope::rev.eq(old_rev))
                .and(entity_scope::entity.eq(id));
            delete(entity_scope::table.filter(old)).execute(&mut self.db.conn)?;
        }
        let rows: Vec<_> = now
            .iter()
            .map(|scope| {
                (
                    entity_scope::log.eq(log),
                    entity_scope::scope.eq(*scope),
                    entity_scope::rev.eq(rev),
                    entity_scope::entity.eq(id),
                )
            })
            .collect();
        on_backend!(&mut self.db.conn, conn => insert_into(entity_scope::table).values(&rows).execute(conn))?;
        let moved = before.is_some_and(|before| before.rev > 0) && was != now;
        if moved {
            self.tell_exits(id, was, &now, rev)?;
        }
        self.write_version(before.is_some(), &new, &now)?;
        Ok(StoredEntity {
            id: new.id,
            rev: new.rev,
            head_leaf: new.head_leaf,
            state: new.state,
            scopes: now,
            document: Some(new.document),
        })
    }

    fn tell_exits(&mut self, id: &[u8], was: &[i64], now: &[i64], rev: i64) -> Result<(), StoreError> {
        let log = self.head.num.0;
        // An entity that is back must not be told to have left.
        let back = scope_exit::log.eq(log).and(scope_exit::entity.eq(id)).and(scope_exit::scope.eq_any(now));
        delete(scope_exit::table.filter(back)).execute(&mut self.db.conn)?;
        for scope in was.iter().filter(|scope| !now.contains(scope)) {
            insert_into(scope_exit::table)
                .values((
                    scope_exit::log.eq(log),
                    scope_exit::scope.eq(scope),
                    scope_exit::rev.eq(rev),
                    scope_exit::entity.eq(id),
                ))
                .execute(&mut self.db.conn)?;
        }
        Ok(())
    }
}

impl Db {
    /// The numbers of scopes that anything ever lay in.
    ///
    /// # Errors
    /// The database's.
    pub fn scope_numbers(&mut self, log: LogNum, scopes: &[Scope]) -> Result<HashMap<Scope, ScopeNum>, StoreError> {
        let mut numbers = HashMap::new();
        for scope in scopes {
            if let Some(num) = self.reference(log, &scope_bytes(scope))? {
                numbers.insert(*scope, ScopeNum(num));
            }
        }
        Ok(numbers)
    }

    /// What came into a scope or left it behind a revision and up to another, in order, at most `limit` of each.
    /// Where the limit cut one of them off, nothing beyond the cut is returned of the other.
    ///
    /// # Errors
    /// The database's.
    pub fn scope_rows(
        &mut self,
        log: LogNum,
        scope: ScopeNum,
        after: u64,
        up_to: u64,
        limit: usize,
    ) -> Result<(Vec<ScopeRow>, bool), StoreError> {
        let here: Vec<(i64, Vec<u8>)> = entity_scope::table
            .filter(entity_scope::log.eq(log.0))
            .filter(entity_scope::scope.eq(scope.0))
            .filter(entity_scope::rev.gt(bound(after)))
            .filter(entity_scope::rev.le(bound(up_to)))
            .order(entity_scope::rev)
            .limit(limit_of(limit)?)
            .select((entity_scope::rev, entity_scope::entity))
            .load(&mut self.conn)?;
        // What never held anything has nothing to let go.
        let gone: Vec<(i64, Vec<u8>)> = if after == 0 {
            Vec::new()
        } else {
            scope_exit::table
                .filter(scope_exit::log.eq(log.0))
                .filter(scope_exit::scope.eq(scope.0))
                .filter(scope_exit::rev.gt(bound(after)))
                .filter(scope_exit::rev.le(bound(up_to)))
                .order(scope_exit::rev)
                .limit(limit_of(limit)?)
                .select((scope_exit::rev, scope_exit::entity))
                .load(&mut self.conn)?
        };
        let cut = [&here, &gone]
            .iter()
            .filter(|rows| rows.len() >= limit)
            .filter_map(|rows| rows.last())
            .map(|row| row.0)
            .min();
        let mut rows = Vec::with_capacity(here.len() + gone.len());
        for (left, (rev, entity)) in
            here.into_iter().map(|row| (false, row)).chain(gone.into_iter().map(|row| (true, row)))
        {
            if cut.is_none_or(|cut| rev <= cut) {
                rows.push(ScopeRow {
                    rev: number(rev, "a revision below zero")?,
                    entity: EntityId(uuid(&entity)?),
                    left,
                });
            }
        }
        rows.sort();
        Ok((rows, cut.is_some()))
    }

    /// How many entities lie in any of some scopes.
    ///
    /// # Errors
    /// The database's.
    pub fn entities_in(&mut self, log: LogNum, scopes: &[ScopeNum]) -> Result<u64, StoreError> {
        let numbers: Vec<i64> = scopes.iter().map(|scope| scope.0).collect();
        let count: i64 = entity_scope::table
            .filter(entity_scope::log.eq(log.0))
            .filter(entity_scope::scope.eq_any(numbers))
            .select(count(entity_scope::entity).aggregate_distinct())
            .first(&mut self.conn)?;
        number(count, "a count below zero")
    }

    /// The newest revision of an entity and the scopes it lies in; none for what does not exist.
    ///
    /// # Errors
    /// The database's.
    pub fn lies_in(&mut self, log: LogNum, id: EntityId) -> Result<Option<(u64, Vec<ScopeNum>)>, StoreError> {
        let found = self.entity(log, id)?.filter(|entity| entity.document.is_some());
        Ok(found.map(|entity| (entity.rev, entity.scopes.into_iter().map(ScopeNum).collect())))
    }

    /// The scopes of an entity as stored.
    ///
    /// # Errors
    /// The database's.
    pub fn scopes_of_stored(&mut self, log: LogNum, entity: &StoredEntity) -> Result<Vec<Scope>, StoreError> {
        let numbers = entity.scopes.iter().copied().collect();
        let ids = self.referenced(log, &numbers)?;
        let mut scopes = ids.values().map(|bytes| scope_of_bytes(bytes)).collect::<Result<Vec<_>, _>>()?;
        scopes.sort();
        Ok(scopes)
    }
}
