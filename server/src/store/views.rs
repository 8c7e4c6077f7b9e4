//! The views as rows of text, a page at a time in the order of their keys: to compare one database's with another's.

use diesel::{BoolExpressionMethods, ExpressionMethods, QueryDsl, RunQueryDsl, insert_into, update};
use schema::hash::Hash;

use super::columns::hash;
use super::connection::Db;
use super::entries::limit_of;
use super::error::StoreError;
use super::log_tx::{LogNum, LogTx};
use super::packed::unpack_text;
use super::tables::{document, due, entity, entity_scope, log, parked, photo_ref, reference, scope_exit, tile_hash};

/// A view.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum View {
    /// `entity`
    Entity,
    /// `entity_scope`
    EntityScope,
    /// `scope_exit`
    ScopeExit,
    /// `photo_ref`
    PhotoRef,
    /// `parked`
    Parked,
    /// `due`
    Due,
    /// `tile_hash`
    TileHash,
    /// `notice`
    Notice,
}

impl View {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Entity,
        Self::EntityScope,
        Self::ScopeExit,
        Self::PhotoRef,
        Self::Parked,
        Self::Due,
        Self::TileHash,
        Self::Notice,
    ];

    /// Its table.
    pub fn table(self) -> &'static str {
        match self {
            Self::Entity => "entity",
            Self::EntityScope => "entity_scope",
            Self::ScopeExit => "scope_exit",
            Self::PhotoRef => "photo_ref",
            Self::Parked => "parked",
            Self::Due => "due",
            Self::TileHash => "tile_hash",
            Self::Notice => "notice",
        }
    }
}

/// Where a page of a view begins.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Key {
    /// Before the first row.
    Start,
    /// One number.
    Number(i64),
    /// Two numbers.
    Numbers(i64, i64),
    /// Some bytes.
    Bytes(Vec<u8>),
    /// Some bytes and two numbers.
    BytesNumbers(Vec<u8>, i64, i64),
    /// Two byte strings.
    TwoBytes(Vec<u8>, Vec<u8>),
}

/// A row of a view: its key within the log, and all its columns for a person to read.
pub type ViewRow = (Key, String);

impl Db {
    /// The rows of a view behind a key, in order, at most `limit`.
    ///
    /// # Errors
    /// The database's.
    pub fn view_rows(&mut self, view: View, of: LogNum, after: &Key, limit: usize) -> Result<Vec<ViewRow>, StoreError> {
        match view {
            View::Entity => self.entity_rows(of, after, limit),
            View::EntityScope => self.entity_scope_rows(of, after, limit),
            View::ScopeExit => self.scope_exit_rows(of, after, limit),
            View::PhotoRef => self.photo_ref_rows(of, after, limit),
            View::Parked => self.parked_view_rows(of, after, limit),
            View::Due => self.due_rows(of, after, limit),
            View::TileHash => self.tile_hash_rows(of, after, limit),
            View::Notice => self.notice_rows(of, after, limit),
        }
    }

    fn entity_rows(&mut self, of: LogNum, after: &Key, limit: usize) -> Result<Vec<ViewRow>, StoreError> {
        type Listed = (Option<String>, Option<String>, Option<i64>, Option<String>, Option<String>);
        type Row = (Vec<u8>, i64, i16, Vec<u8>, Option<String>, String, Listed, i64, Option<Vec<u8>>);
        let after: &[u8] = if let Key::Bytes(after) = after { after } else { &[] };
        let rows: Vec<Row> = entity::table
            .filter(entity::log.eq(of.0))
            .filter(entity::id.gt(after))
            .order(entity::id)
            .limit(limit_of(limit)?)
            .select((
                entity::id,
                entity::rev,
                entity::state,
                entity::head_leaf,
                entity::kind,
                entity::scopes,
                (entity::short_code, entity::number, entity::area, entity::category, entity::subtype),
                entity::changed_ms,
                entity::doc,
            ))
            .load(&mut self.conn)?;
        rows.into_iter()
            .map(|row| {
                let document = row.8.as_deref().map(unpack_text).transpose()?;
                let columns = (&row.0, row.1, row.2, &row.3, &row.4, &row.5, &row.6, row.7, document);
                Ok((Key::Bytes(row.0.clone()), format!("{columns:?}")))
            })
            .collect()
    }

    fn entity_scope_rows(&mut self, of: LogNum, after: &Key, limit: usize) -> Result<Vec<ViewRow>, StoreError> {
        let (scope, rev) = if let Key::Numbers(scope, rev) = after { (*scope, *rev) } else { (0, 0) };
        let rows: Vec<(i64, i64, Vec<u8>)> = entity_scope::table
            .filter(entity_scope::log.eq(of.0))
            .filter(entity_scope::scope.gt(scope).or(entity_scope::scope.eq(scope).and(entity_scope::rev.gt(rev))))
            .order((entity_scope::scope, entity_scope::rev))
            .limit(limit_of(limit)?)
            .select((entity_scope::scope, entity_scope::rev, entity_scope::entity))
            .load(&mut self.conn)?;
        Ok(rows.into_iter().map(|row| (Key::Numbers(row.0, row.1), format!("{row:?}"))).collect())
    }

    fn scope_exit_rows(&mut self, of: LogNum, after: &Key, limit: usize) -> Result<Vec<ViewRow>, StoreError> {
        let (scope, rev) = if let Key::Numbers(scope, rev) = after { (*scope, *rev) } else { (0, 0) };
        let rows: Vec<(i64, i64, Vec<u8>)> = scope_exit::table
            .filter(scope_exit::log.eq(of.0))
            .filter(scope_exit::scope.gt(scope).or(scope_exit::scope.eq(scope).and(scope_exit::rev.gt(rev))))
            .order((scope_exit::scope, scope_exit::rev))
            .limit(limit_of(limit)?)
            .select((scope_exit::scope, scope_exit::rev, scope_exit::entity))
            .load(&mut self.conn)?;
        Ok(rows.into_iter().map(|row| (Key::Numbers(row.0, row.1), format!("{row:?}"))).collect())
    }

    fn photo_ref_rows(&mut self, of: LogNum, after: &Key, limit: usize) -> Result<Vec<ViewRow>, StoreError> {
        let (photo, id): (&[u8], &[u8]) = if let Key::TwoBytes(photo, id) = after { (photo, id) } else { (&[], &[]) };
        let rows: Vec<(Vec<u8>, Vec<u8>, bool)> = photo_ref::table
            .filter(photo_ref::log.eq(of.0))
            .filter(photo_ref::sha256.gt(photo).or(photo_ref::sha256.eq(photo).and(photo_ref::entity.gt(id))))
            .order((photo_ref::sha256, photo_ref::entity))
            .limit(limit_of(limit)?)
            .select((photo_ref::sha256, photo_ref::entity, photo_ref::verified))
            .load(&mut self.conn)?;
        Ok(rows.into_iter().map(|row| (Key::TwoBytes(row.0.clone(), row.1.clone()), format!("{row:?}"))).collect())
    }

    fn parked_view_rows(&mut self, of: LogNum, after: &Key, limit: usize) -> Result<Vec<ViewRow>, StoreError> {
        type Row = (i64, Vec<u8>, Vec<u8>, i64, String, bool, Option<i64>);
        let after = if let Key::Number(after) = after { *after } else { 0 };
        let rows: Vec<Row> = parked::table
            .filter(parked::log.eq(of.0))
            .filter(parked::rev.gt(after))
            .order(parked::rev)
            .limit(limit_of(limit)?)
            .select((
                parked::rev,
                parked::op,
                parked::entity,
                parked::device,
                parked::code,
                parked::unreadable,
                parked::decided_rev,
            ))
            .load(&mut self.conn)?;
        Ok(rows.into_iter().map(|row| (Key::Number(row.0), format!("{row:?}"))).collect())
    }

    fn due_rows(&mut self, of: LogNum, after: &Key, limit: usize) -> Result<Vec<ViewRow>, StoreError> {
        let start = (&[][..], 0, 0);
        let (id, kind, nth) = if let Key::BytesNumbers(id, kind, nth) = after { (&id[..], *kind, *nth) } else { start };
        let kind = i16::try_from(kind).map_err(|_| StoreError::Damaged("a due kind out of range"))?;
        let further = due::kind.gt(kind).or(due::kind.eq(kind).and(due::occurrence.gt(nth)));
        let rows: Vec<(Vec<u8>, i16, i64, i64)> = due::table
            .filter(due::log.eq(of.0))
            .filter(due::entity.gt(id).or(due::entity.eq(id).and(further)))
            .order((due::entity, due::kind, due::occurrence))
            .limit(limit_of(limit)?)
            .select((due::entity, due::kind, due::due_ms, due::occurrence))
            .load(&mut self.conn)?;
        let key = |row: &(Vec<u8>, i16, i64, i64)| Key::BytesNumbers(row.0.clone(), i64::from(row.1), row.3);
        Ok(rows.into_iter().map(|row| (key(&row), format!("{row:?}"))).collect())
    }

    fn tile_hash_rows(&mut self, of: LogNum, after: &Key, limit: usize) -> Result<Vec<ViewRow>, StoreError> {
        let (level, idx) = if let Key::Numbers(level, idx) = after { (*level, *idx) } else { (0, -1) };
        let level = i16::try_from(level).map_err(|_| StoreError::Damaged("a level out of range"))?;
        let rows: Vec<(i16, i64, Vec<u8>)> = tile_hash::table
            .filter(tile_hash::log.eq(of.0))
            .filter(tile_hash::level.gt(level).or(tile_hash::level.eq(level).and(tile_hash::idx.gt(idx))))
            .order((tile_hash::level, tile_hash::idx))
            .limit(limit_of(limit)?)
            .select((tile_hash::level, tile_hash::idx, tile_hash::hash))
            .load(&mut self.conn)?;
        Ok(rows.into_iter().map(|row| (Key::Numbers(i64::from(row.0), row.1), format!("{row:?}"))).collect())
    }

    /// The head as a row for a person to read: what an append changes of it.
    ///
    /// # Errors
    /// The database's.
    pub fn head_row(&mut self, of: LogNum) -> Result<String, StoreError> {
        type Row = (Vec<u8>, i64, Vec<u8>, Vec<u8>, i64, i32, i64);
        let row: Row = log::table
            .filter(log::num.eq(of.0))
            .select((
                log::epoch,
                log::rev,
                log::root,
                log::frontier,
                log::last_received_ms,
                log::number_year,
                log::next_serial,
            ))
            .first(&mut self.conn)?;
        Ok(format!("{row:?}"))
    }

    /// The numbers given to ids in a log.
    ///
    /// # Errors
    /// The database's.
    pub fn references(&mut self, of: LogNum) -> Result<Vec<(i64, Vec<u8>)>, StoreError> {
        Ok(reference::table
            .filter(reference::log.eq(of.0))
            .order(reference::num)
            .select((reference::num, reference::id))
            .load(&mut self.conn)?)
    }

    /// The hashes of a log's documents.
    ///
    /// # Errors
    /// The database's.
    pub fn document_hashes(&mut self, of: LogNum) -> Result<Vec<Hash>, StoreError> {
        let rows: Vec<Vec<u8>> = document::table
            .filter(document::log.eq(of.0))
            .order(document::sha256)
            .select(document::sha256)
            .load(&mut self.conn)?;
        rows.iter().map(|sha256| hash(sha256)).collect()
    }
}

impl LogTx<'_> {
    /// Takes over the numbers that another database gave to ids: they are part of the log.
    ///
    /// # Errors
    /// The database's.
    pub fn take_references(&mut self, given: &[(i64, Vec<u8>)]) -> Result<(), StoreError> {
        for (num, id) in given {
            insert_into(reference::table)
                .values((reference::log.eq(self.head.num.0), reference::num.eq(num), reference::id.eq(id)))
                .execute(&mut self.db.conn)?;
            self.head.next_ref = self.head.next_ref.max(num + 1);
        }
        update(log::table.filter(log::num.eq(self.head.num.0)))
            .set(log::next_ref.eq(self.head.next_ref))
            .execute(&mut self.db.conn)?;
        Ok(())
    }
}
