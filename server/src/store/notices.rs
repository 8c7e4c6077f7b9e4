//! Notices: what somebody must hear of, as it leaves the server. A view; how far each got stands in `webhooks`.

use diesel::{
    BoolExpressionMethods, ExpressionMethods, JoinOnDsl, OptionalExtension, QueryDsl, RunQueryDsl, delete, insert_into,
};
use schema::hash::Hash;
use schema::ids::{AreaId, EntityId, OpId};
use schema::sync::Scope;

use super::columns::{bound, column, hash, number, small, uuid};
use super::connection::Db;
use super::entries::limit_of;
use super::error::StoreError;
use super::log_tx::{LogNum, LogTx};
use super::packed::{pack, unpack_text};
use super::references::scope_bytes;
use super::tables::{entity, entity_scope, notice, notices_kept};
use super::views::{Key, ViewRow};

/// A notice as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredNotice {
    /// The entry that gave cause to it.
    pub rev: u64,
    /// Which of that entry: a release may give cause to several.
    pub nth: u8,
    /// The op that gave cause to it.
    pub op: OpId,
    /// The case.
    pub entity: EntityId,
    /// The kind of that op.
    pub kind: String,
    /// Where the case lay.
    pub area: AreaId,
    /// The body, as it is sent.
    pub body: String,
}

type Row = (i64, i16, Vec<u8>, Vec<u8>, String, Vec<u8>, Vec<u8>);

const COLUMNS: (notice::rev, notice::nth, notice::op, notice::entity, notice::kind, notice::area, notice::body) =
    (notice::rev, notice::nth, notice::op, notice::entity, notice::kind, notice::area, notice::body);

fn stored((rev, nth, op, entity, kind, area, body): Row) -> Result<StoredNotice, StoreError> {
    Ok(StoredNotice {
        rev: number(rev, "a revision below zero")?,
        nth: small(nth, "a notice's number below zero")?,
        op: OpId(uuid(&op)?),
        entity: EntityId(uuid(&entity)?),
        kind,
        area: AreaId(uuid(&area)?),
        body: unpack_text(&body)?,
    })
}

impl LogTx<'_> {
    /// Keeps a notice.
    ///
    /// # Errors
    /// The database's.
    pub fn put_notice(&mut self, new: &StoredNotice) -> Result<(), StoreError> {
        insert_into(notice::table)
            .values((
                notice::log.eq(self.head.num.0),
                notice::rev.eq(column(new.rev)?),
                notice::nth.eq(i16::from(new.nth)),
                notice::op.eq(new.op.bytes().as_slice()),
                notice::entity.eq(new.entity.bytes().as_slice()),
                notice::kind.eq(&new.kind),
                notice::area.eq(new.area.bytes().as_slice()),
                notice::body.eq(pack(new.body.as_bytes())),
            ))
            .execute(&mut self.db.conn)?;
        Ok(())
    }

    /// Forgets the notices of entries at or below a revision: a rebuild leaves out what was never kept.
    ///
    /// # Errors
    /// The database's.
    pub fn prune_notices(&mut self, up_to: u64) -> Result<(), StoreError> {
        let old = notice::table.filter(notice::log.eq(self.head.num.0)).filter(notice::rev.le(bound(up_to)));
        delete(old).execute(&mut self.db.conn)?;
        Ok(())
    }
}

impl Db {
    /// The revision up to which a log has no notices.
    ///
    /// # Errors
    /// The database's.
    pub fn notices_kept_from(&mut self, of: LogNum) -> Result<u64, StoreError> {
        let kept: Option<i64> = notices_kept::table
            .filter(notices_kept::log.eq(of.0))
            .select(notices_kept::from_rev)
            .first(&mut self.conn)
            .optional()?;
        number(kept.unwrap_or(0), "a revision below zero")
    }

    /// The notices of a case before a revision, newest first.
    ///
    /// # Errors
    /// The database's.
    pub fn notices_of(
        &mut self,
        of: LogNum,
        case: EntityId,
        before: u64,
        limit: usize,
    ) -> Result<Vec<StoredNotice>, StoreError> {
        let rows: Vec<Row> = notice::table
            .filter(notice::log.eq(of.0))
            .filter(notice::entity.eq(case.bytes().as_slice()))
            .filter(notice::rev.lt(bound(before)))
            .order((notice::rev.desc(), notice::nth.desc()))
            .limit(limit_of(limit)?)
            .select(COLUMNS)
            .load(&mut self.conn)?;
        rows.into_iter().map(stored).collect()
    }

    /// The notices of a log from a revision on, oldest first.
    ///
    /// # Errors
    /// The database's.
    pub fn notices_from(&mut self, of: LogNum, from: u64, limit: usize) -> Result<Vec<StoredNotice>, StoreError> {
        let rows: Vec<Row> = notice::table
            .filter(notice::log.eq(of.0))
            .filter(notice::rev.ge(bound(from)))
            .order((notice::rev, notice::nth))
            .limit(limit_of(limit)?)
            .select(COLUMNS)
            .load(&mut self.conn)?;
        rows.into_iter().map(stored).collect()
    }

    /// One notice.
    ///
    /// # Errors
    /// The database's.
    pub fn notice(&mut self, of: LogNum, rev: u64, nth: u8) -> Result<Option<StoredNotice>, StoreError> {
        let row: Option<Row> = notice::table
            .filter(notice::log.eq(of.0))
            .filter(notice::rev.eq(bound(rev)))
            .filter(notice::nth.eq(i16::from(nth)))
            .select(COLUMNS)
            .first(&mut self.conn)
            .optional()?;
        row.map(stored).transpose()
    }

    pub(super) fn notice_rows(&mut self, of: LogNum, after: &Key, limit: usize) -> Result<Vec<ViewRow>, StoreError> {
        let (rev, nth) = if let Key::Numbers(rev, nth) = after { (*rev, *nth) } else { (0, -1) };
        let nth = i16::try_from(nth).map_err(|_| StoreError::Damaged("a notice's number out of range"))?;
        let rows: Vec<Row> = notice::table
            .filter(notice::log.eq(of.0))
            .filter(notice::rev.gt(rev).or(notice::rev.eq(rev).and(notice::nth.gt(nth))))
            .order((notice::rev, notice::nth))
            .limit(limit_of(limit)?)
            .select(COLUMNS)
            .load(&mut self.conn)?;
        rows.into_iter().map(|row| Ok((Key::Numbers(row.0, i64::from(row.1)), format!("{:?}", stored(row)?)))).collect()
    }

    /// The newest change in a scope: its revision and the newest leaf of what changed. While it is the same, so is
    /// everything in the scope.
    ///
    /// # Errors
    /// The database's.
    pub fn newest_in(&mut self, of: LogNum, scope: &Scope) -> Result<Option<(u64, Hash)>, StoreError> {
        let Some(num) = self.reference(of, &scope_bytes(scope))? else { return Ok(None) };
        let row: Option<(i64, Vec<u8>)> = entity_scope::table
            .inner_join(entity::table.on(entity::log.eq(entity_scope::log).and(entity::id.eq(entity_scope::entity))))
            .filter(entity_scope::log.eq(of.0))
            .filter(entity_scope::scope.eq(num))
            .order(entity_scope::rev.desc())
            .select((entity_scope::rev, entity::head_leaf))
            .first(&mut self.conn)
            .optional()?;
        row.map(|(rev, leaf)| Ok((number(rev, "a revision below zero")?, hash(&leaf)?))).transpose()
    }

    /// The documents of a kind in a scope.
    ///
    /// # Errors
    /// The database's.
    pub fn documents_in(&mut self, of: LogNum, scope: &Scope, kind: &str) -> Result<Vec<String>, StoreError> {
        let Some(num) = self.reference(of, &scope_bytes(scope))? else { return Ok(Vec::new()) };
        let rows: Vec<Option<Vec<u8>>> = entity_scope::table
            .inner_join(entity::table.on(entity::log.eq(entity_scope::log).and(entity::id.eq(entity_scope::entity))))
            .filter(entity_scope::log.eq(of.0))
            .filter(entity_scope::scope.eq(num))
            .filter(entity::kind.eq(kind))
            .select(entity::doc)
            .load(&mut self.conn)?;
        rows.into_iter().flatten().map(|document| unpack_text(&document)).collect()
    }
}
