//! Devices, accounts, areas and scopes as numbers: one table a log, given under the head lock in the order of the log,
//! so that a rebuild gives the same numbers.

use std::collections::{BTreeSet, HashMap};

use diesel::{ExpressionMethods, OptionalExtension, QueryDsl, RunQueryDsl, insert_into};
use schema::ids::{AccountId, AreaId, UnitId};
use schema::op::Role;
use schema::sync::{Class, Node, Scope};
use uuid::Uuid;

use super::columns::uuid;
use super::connection::Db;
use super::error::StoreError;
use super::log_tx::{LogNum, LogTx};
use super::tables::reference;

/// A scope as bytes: its kind, its class, its id. Ids alone have 16 bytes, so the two never meet.
pub(super) fn scope_bytes(scope: &Scope) -> Vec<u8> {
    let (kind, id) = match scope.node {
        Node::Log => (0, Uuid::nil()),
        Node::Area(id) => (1, id.0),
        Node::Unit(id) => (2, id.0),
        Node::Account(id) => (3, id.0),
    };
    let class = match scope.class {
        Class::Normal => 0,
        Class::Restricted => 1,
        Class::For(Role::Auditor) => 2,
        Class::For(Role::Crew) => 3,
        Class::For(Role::Inspector) => 4,
        Class::For(Role::Supervisor) => 5,
        Class::For(Role::Admin) => 6,
    };
    let mut bytes = vec![kind, class];
    bytes.extend(id.as_bytes());
    bytes
}

/// The scope of [`scope_bytes`].
pub(super) fn scope_of_bytes(bytes: &[u8]) -> Result<Scope, StoreError> {
    let damaged = || StoreError::Damaged("a scope of no known form");
    let ([kind, class], id) = bytes.split_first_chunk::<2>().ok_or_else(damaged)?;
    let id = uuid(id)?;
    let node = match kind {
        0 => Node::Log,
        1 => Node::Area(AreaId(id)),
        2 => Node::Unit(UnitId(id)),
        3 => Node::Account(AccountId(id)),
        _ => return Err(damaged()),
    };
    let class = match class {
        0 => Class::Normal,
        1 => Class::Restricted,
        2 => Class::For(Role::Auditor),
        3 => Class::For(Role::Crew),
        4 => Class::For(Role::Inspector),
        5 => Class::For(Role::Supervisor),
        6 => Class::For(Role::Admin),
        _ => return Err(damaged()),
    };
    Ok(Scope { node, class })
}

impl LogTx<'_> {
    /// The number of an id or a scope, given now if it has none.
    pub(super) fn reference(&mut self, id: &[u8]) -> Result<i64, StoreError> {
        if let Some(known) = self.references.get(id) {
            return Ok(*known);
        }
        let num = match self.db.reference(self.head.num, id)? {
            Some(num) => num,
            None => {
                let num = self.head.next_ref;
                self.head.next_ref += 1;
                insert_into(reference::table)
                    .values((reference::log.eq(self.head.num.0), reference::num.eq(num), reference::id.eq(id)))
                    .execute(&mut self.db.conn)?;
                num
            }
        };
        self.references.insert(id.to_vec(), num);
        Ok(num)
    }
}

impl Db {
    /// The number of an id or a scope, if it ever had a part in this log.
    pub(super) fn reference(&mut self, log: LogNum, id: &[u8]) -> Result<Option<i64>, StoreError> {
        Ok(reference::table
            .filter(reference::log.eq(log.0))
            .filter(reference::id.eq(id))
            .select(reference::num)
            .first(&mut self.conn)
            .optional()?)
    }

    /// The ids behind numbers.
    pub(super) fn referenced(
        &mut self,
        log: LogNum,
        numbers: &BTreeSet<i64>,
    ) -> Result<HashMap<i64, Vec<u8>>, StoreError> {
        if numbers.is_empty() {
            return Ok(HashMap::new());
        }
        let rows: Vec<(i64, Vec<u8>)> = reference::table
            .filter(reference::log.eq(log.0))
            .filter(reference::num.eq_any(numbers))
            .select((reference::num, reference::id))
            .load(&mut self.conn)?;
        Ok(rows.into_iter().collect())
    }
}

/// The id behind one of the numbers asked for.
pub(super) fn id_of(ids: &HashMap<i64, Vec<u8>>, number: i64) -> Result<Uuid, StoreError> {
    uuid(ids.get(&number).ok_or(StoreError::Damaged("a reference to nothing"))?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes_survive_their_bytes() {
        let id = Uuid::from_u128(7);
        for node in [Node::Log, Node::Area(AreaId(id)), Node::Unit(UnitId(id)), Node::Account(AccountId(id))] {
            for class in [Class::Normal, Class::Restricted, Class::For(Role::Auditor), Class::For(Role::Admin)] {
                let scope = Scope { node, class };
                let back = scope_of_bytes(&scope_bytes(&scope)).unwrap();
                assert!(matches!(node, Node::Log) && back.node == Node::Log || back == scope);
            }
        }
        assert!(scope_of_bytes(&[9; 18]).is_err());
        assert!(scope_of_bytes(&[1]).is_err());
    }
}
