//! What a device may see and does not have yet, in one snapshot: rows of its scopes in the order of their revisions.

use std::collections::{BTreeMap, VecDeque};

use schema::ids::EntityId;
use schema::sync::Scope;

use crate::store::{Db, LogNum, ScopeNum, ScopeRow, StoreError};

/// Rows read from one scope at a time, at least.
const CHUNK_MIN: usize = 16;

/// One entity at one revision, in all the scopes asked for that it came into or left there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Change {
    pub(super) rev: u64,
    pub(super) entity: EntityId,
    pub(super) into: Vec<Scope>,
    pub(super) out_of: Vec<Scope>,
}

/// Where one scope stands.
struct Feed {
    scope: Scope,
    num: ScopeNum,
    cursor: u64,
    waiting: VecDeque<ScopeRow>,
    exhausted: bool,
}

impl Feed {
    /// The next row without taking it; reads more where there may be more.
    fn peek(&mut self, db: &mut Db, log: LogNum, up_to: u64, chunk: usize) -> Result<Option<ScopeRow>, StoreError> {
        while self.waiting.is_empty() && !self.exhausted {
            let (rows, cut) = db.scope_rows(log, self.num, self.cursor, up_to, chunk)?;
            self.cursor = rows.last().map_or(self.cursor, |row| row.rev);
            self.exhausted = !cut;
            self.waiting.extend(rows);
        }
        Ok(self.waiting.front().copied())
    }
}

/// The rows of several scopes merged by revision.
pub(super) struct Merge {
    log: LogNum,
    up_to: u64,
    chunk: usize,
    feeds: Vec<Feed>,
}

impl Merge {
    /// Starts behind each scope's cursor; nothing beyond `up_to` is returned.
    pub(super) fn new(
        db: &mut Db,
        log: LogNum,
        cursors: &BTreeMap<Scope, u64>,
        up_to: u64,
        rows: usize,
    ) -> Result<Self, StoreError> {
        let scopes: Vec<Scope> = cursors.keys().copied().collect();
        let numbers = db.scope_numbers(log, &scopes)?;
        let feeds: Vec<Feed> = cursors
            .iter()
            .filter_map(|(scope, cursor)| {
                let num = *numbers.get(scope)?;
                Some(Feed { scope: *scope, num, cursor: *cursor, waiting: VecDeque::new(), exhausted: false })
            })
            .collect();
        let chunk = rows.checked_div(feeds.len()).unwrap_or(rows).max(CHUNK_MIN);
        Ok(Self { log, up_to, chunk, feeds })
    }

    /// The next change. A revision is one entity's, so all its rows are one change.
    pub(super) fn next(&mut self, db: &mut Db) -> Result<Option<Change>, StoreError> {
        let mut first: Option<ScopeRow> = None;
        for feed in &mut self.feeds {
            if let Some(row) = feed.peek(db, self.log, self.up_to, self.chunk)? {
                first = Some(first.map_or(row, |first| if row.rev < first.rev { row } else { first }));
            }
        }
        let Some(first) = first else { return Ok(None) };
        let mut change = Change { rev: first.rev, entity: first.entity, into: Vec::new(), out_of: Vec::new() };
        for feed in &mut self.feeds {
            while feed.waiting.front().is_some_and(|row| row.rev == change.rev) {
                if let Some(row) = feed.waiting.pop_front() {
                    let side = if row.left { &mut change.out_of } else { &mut change.into };
                    side.push(feed.scope);
                }
            }
        }
        Ok(Some(change))
    }
}
