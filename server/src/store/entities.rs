//! Entities: the newest version of everything a log is about, with the columns that lists are made from.
//! A row without a document stands for an entity that has leaves but does not exist (yet).

use std::collections::HashMap;

use diesel::{ExpressionMethods, OptionalExtension, QueryDsl, Queryable, RunQueryDsl, insert_into, update};
use schema::hash::Hash;
use schema::ids::{AreaId, EntityId};

use super::columns::{column, hash, number, small, uuid};
use super::connection::Db;
use super::error::StoreError;
use super::log_tx::{LogNum, LogTx};
use super::packed::{pack, unpack_text};
use super::tables::entity;

/// An entity as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredEntity {
    /// Its id.
    pub id: EntityId,
    /// The revision of its last change; 0 if it does not exist.
    pub rev: u64,
    /// The newest leaf that names it.
    pub head_leaf: Hash,
    /// Its case state as a number; 0 for anything but a case.
    pub state: u8,
    /// The scopes it lies in, as numbers.
    pub(in crate::store) scopes: Vec<i64>,
    /// Its document; none if it does not exist.
    pub document: Option<String>,
}

/// What lists show of a case.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Listed {
    /// Its short code.
    pub short_code: Option<String>,
    /// Its official number.
    pub number: Option<String>,
    /// Its area.
    pub area: Option<AreaId>,
    /// Its category.
    pub category: Option<String>,
    /// Its subtype.
    pub subtype: Option<String>,
}

/// A new version of an entity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewVersion {
    /// The entity.
    pub id: EntityId,
    /// The revision.
    pub rev: u64,
    /// The kind of entity.
    pub kind: &'static str,
    /// Its case state as a number.
    pub state: u8,
    /// The leaf of the entry that made it.
    pub head_leaf: Hash,
    /// When it changed.
    pub changed_ms: u64,
    /// What lists show of it.
    pub listed: Listed,
    /// Its document.
    pub document: String,
}

#[derive(Queryable)]
struct Row {
    id: Vec<u8>,
    rev: i64,
    head_leaf: Vec<u8>,
    state: i16,
    scopes: String,
    doc: Option<Vec<u8>>,
}

macro_rules! columns {
    () => {
        (entity::id, entity::rev, entity::head_leaf, entity::state, entity::scopes, entity::doc)
    };
}

fn stored(row: Row) -> Result<StoredEntity, StoreError> {
    Ok(StoredEntity {
        id: EntityId(uuid(&row.id)?),
        rev: number(row.rev, "a revision below zero")?,
        head_leaf: hash(&row.head_leaf)?,
        state: small(row.state, "a state out of range")?,
        scopes: read_scopes(&row.scopes)?,
        document: row.doc.as_deref().map(unpack_text).transpose()?,
    })
}

/// Numbers as a column holds them: `3 5 9`, ascending.
pub(super) fn write_scopes(scopes: &[i64]) -> String {
    scopes.iter().map(i64::to_string).collect::<Vec<_>>().join(" ")
}

fn read_scopes(column: &str) -> Result<Vec<i64>, StoreError> {
    column
        .split_ascii_whitespace()
        .map(|number| number.parse().map_err(|_| StoreError::Damaged("a scope that is no number")))
        .collect()
}

impl Db {
    /// An entity, or the leaves of one that does not exist.
    ///
    /// # Errors
    /// The database's.
    pub fn entity(&mut self, log: LogNum, id: EntityId) -> Result<Option<StoredEntity>, StoreError> {
        let row: Option<Row> = entity::table
            .filter(entity::log.eq(log.0))
            .filter(entity::id.eq(id.bytes().as_slice()))
            .select(columns!())
            .first(&mut self.conn)
            .optional()?;
        row.map(stored).transpose()
    }

    /// The documents of entities that exist, by id.
    ///
    /// # Errors
    /// The database's.
    pub fn documents_of(
        &mut self,
        log: LogNum,
        ids: &[EntityId],
    ) -> Result<HashMap<EntityId, (u64, String)>, StoreError> {
        let ids: Vec<&[u8]> = ids.iter().map(|id| id.bytes().as_slice()).collect();
        let rows: Vec<(Vec<u8>, i64, Option<Vec<u8>>)> = entity::table
            .filter(entity::log.eq(log.0))
            .filter(entity::id.eq_any(ids))
            .select((entity::id, entity::rev, entity::doc))
            .load(&mut self.conn)?;
        let mut documents = HashMap::with_capacity(rows.len());
        for (id, rev, document) in rows {
            if let Some(document) = document {
                documents
                    .insert(EntityId(uuid(&id)?), (number(rev, "a revision below zero")?, unpack_text(&document)?));
            }
        }
        Ok(documents)
    }

    /// Entities of a kind by id, at most `limit` behind one of them.
    ///
    /// # Errors
    /// The database's.
    pub fn entities_of_kind(
        &mut self,
        log: LogNum,
        kind: &str,
        after: EntityId,
        limit: usize,
    ) -> Result<Vec<StoredEntity>, StoreError> {
        self.entities_where(kind, &[], log, after, limit)
    }

    /// As [`Db::entities_of_kind`], in one of some states; in any if none is named.
    pub(super) fn entities_where(
        &mut self,
        kind: &str,
        states: &[u8],
        log: LogNum,
        after: EntityId,
        limit: usize,
    ) -> Result<Vec<StoredEntity>, StoreError> {
        let mut query = entity::table
            .filter(entity::log.eq(log.0))
            .filter(entity::kind.eq(kind))
            .filter(entity::id.gt(after.bytes().as_slice()))
            .order(entity::id)
            .limit(super::entries::limit_of(limit)?)
            .select(columns!())
            .into_boxed();
        if !states.is_empty() {
            query = query.filter(entity::state.eq_any(states.iter().copied().map(i16::from)));
        }
        let rows: Vec<Row> = query.load(&mut self.conn)?;
        rows.into_iter().map(stored).collect()
    }
}

impl LogTx<'_> {
    /// Writes a new version of an entity, in the scopes it lies in now.
    ///
    /// # Errors
    /// The database's.
    pub(super) fn write_version(&mut self, known: bool, new: &NewVersion, scopes: &[i64]) -> Result<(), StoreError> {
        let area = new.listed.area.map(|area| self.reference(area.bytes())).transpose()?;
        let values = (
            entity::rev.eq(column(new.rev)?),
            entity::state.eq(i16::from(new.state)),
            entity::head_leaf.eq(new.head_leaf.0.as_slice()),
            entity::kind.eq(Some(new.kind)),
            entity::scopes.eq(write_scopes(scopes)),
            entity::short_code.eq(new.listed.short_code.as_deref()),
            entity::number.eq(new.listed.number.as_deref()),
            entity::area.eq(area),
            entity::category.eq(new.listed.category.as_deref()),
            entity::subtype.eq(new.listed.subtype.as_deref()),
            entity::changed_ms.eq(column(new.changed_ms)?),
            entity::doc.eq(Some(pack(new.document.as_bytes()))),
        );
        if known {
            update(
                entity::table.filter(entity::log.eq(self.head.num.0)).filter(entity::id.eq(new.id.bytes().as_slice())),
            )
            .set(values)
            .execute(&mut self.db.conn)?;
        } else {
            let (rev, state, head_leaf, kind, scopes, short_code, number, area, category, subtype, changed_ms, doc) =
                values;
            insert_into(entity::table)
                .values((
                    entity::log.eq(self.head.num.0),
                    entity::id.eq(new.id.bytes().as_slice()),
                    rev,
                    state,
                    head_leaf,
                    kind,
                    scopes,
                    short_code,
                    number,
                    area,
                    category,
                    subtype,
                    changed_ms,
                    doc,
                ))
                .execute(&mut self.db.conn)?;
        }
        Ok(())
    }

    /// Moves an entity's newest leaf; its version stays.
    ///
    /// # Errors
    /// The database's.
    pub fn move_head_leaf(
        &mut self,
        known: Option<StoredEntity>,
        id: EntityId,
        leaf: Hash,
    ) -> Result<StoredEntity, StoreError> {
        if let Some(known) = known {
            update(entity::table.filter(entity::log.eq(self.head.num.0)).filter(entity::id.eq(id.bytes().as_slice())))
                .set(entity::head_leaf.eq(leaf.0.as_slice()))
                .execute(&mut self.db.conn)?;
            return Ok(StoredEntity { head_leaf: leaf, ..known });
        }
        insert_into(entity::table)
            .values((
                entity::log.eq(self.head.num.0),
                entity::id.eq(id.bytes().as_slice()),
                entity::rev.eq(0),
                entity::state.eq(0),
                entity::head_leaf.eq(leaf.0.as_slice()),
                entity::scopes.eq(""),
                entity::changed_ms.eq(0),
            ))
            .execute(&mut self.db.conn)?;
        Ok(StoredEntity { id, rev: 0, head_leaf: leaf, state: 0, scopes: Vec::new(), document: None })
    }
}
