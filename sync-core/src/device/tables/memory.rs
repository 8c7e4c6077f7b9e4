//! The tables in memory, for the page: every change since the last save is known, so that the browser's database can
//! take it in one transaction of its own. Until it has, all of it can be undone.

use std::cell::RefCell;
use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;
use std::rc::Rc;

use serde::Serialize;

use super::rows::ALL;
use super::{Access, Index, Record, Span, Table, Tables, Value};
use crate::device::error::PhoneError;

const PAGE_BYTES: u64 = 4096;

/// A row that was written or removed since the last save.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Changed {
    /// Its table.
    pub table: &'static str,
    /// Its key.
    pub key: Vec<Value>,
    /// The row as it is; none where it is gone.
    pub record: Option<Record>,
}

/// The tables. A clone is the same ones: a store has them, and whoever saves what it changes.
#[derive(Debug, Clone, Default)]
pub struct MemoryTables(Rc<RefCell<Inner>>);

#[derive(Debug, Default)]
struct Inner {
    tables: BTreeMap<&'static str, Held>,
    bytes: u64,
    bytes_max: Option<u64>,
    /// What each row was before it was changed, oldest first, since the last save.
    undo: Vec<Before>,
    /// Where in it the open transaction began.
    open: Option<usize>,
}

#[derive(Debug)]
struct Before {
    table: &'static Table,
    key: Vec<Value>,
    record: Option<Record>,
}

#[derive(Debug, Default)]
struct Held {
    rows: BTreeMap<Vec<Value>, Record>,
    /// By its place in the table's list: the values of its columns, then the key.
    indexes: Vec<BTreeSet<Vec<Value>>>,
}

impl MemoryTables {
    /// Takes in a row that was saved before.
    ///
    /// # Errors
    /// There is no such table, or its rows have another number of columns.
    pub fn load(&self, table: &str, record: Record) -> Result<(), PhoneError> {
        let found = ALL.iter().find(|known| known.name == table && known.columns.len() == record.len());
        let table = found.ok_or_else(|| PhoneError::Damaged(format!("a row of {table}")))?;
        self.0.borrow_mut().write(table, key_of(table, &record), Some(record));
        Ok(())
    }

    /// What was changed since the last save, each row once, as it is now.
    pub fn changes(&self) -> Vec<Changed> {
        let inner = self.0.borrow();
        let changed: BTreeSet<(&'static str, &Vec<Value>)> =
            inner.undo.iter().map(|before| (before.table.name, &before.key)).collect();
        let now = |table: &str, key: &Vec<Value>| inner.tables.get(table).and_then(|held| held.rows.get(key)).cloned();
        changed.into_iter().map(|(table, key)| Changed { table, key: key.clone(), record: now(table, key) }).collect()
    }

    /// All that was changed is safe elsewhere.
    pub fn saved(&self) {
        self.0.borrow_mut().undo.clear();
    }

    /// What was changed could not be saved: it is as it was at the last save.
    pub fn undo(&self) {
        self.0.borrow_mut().go_back(0);
    }
}

fn values_of(table: &Table, columns: &[&str], record: &[Value]) -> Vec<Value> {
    let place = |column: &&str| table.columns.iter().position(|name| name == column);
    columns.iter().filter_map(|column| record.get(place(column)?).cloned()).collect()
}

fn key_of(table: &Table, record: &[Value]) -> Vec<Value> {
    values_of(table, table.key, record)
}

fn index_entry(table: &Table, index: Index, record: &[Value]) -> Vec<Value> {
    let mut entry = values_of(table, index.0, record);
    entry.extend(key_of(table, record));
    entry
}

fn size(record: &[Value]) -> u64 {
    let bytes: usize = record
        .iter()
        .map(|value| match value {
            Value::Text(text) => text.len().saturating_add(2),
            Value::Blob(bytes) => bytes.len().saturating_add(2),
            Value::Int(_) | Value::Null | Value::End => 8,
        })
        .sum();
    u64::try_from(bytes).unwrap_or(u64::MAX)
}

impl Inner {
    /// Puts a row in the place of the one with its key, or removes that; says what was there.
    fn write(&mut self, table: &'static Table, key: Vec<Value>, record: Option<Record>) -> Option<Record> {
        let held = self.tables.entry(table.name).or_default();
        held.indexes.resize_with(table.indexes.len(), BTreeSet::new);
        if let Some(record) = &record {
            for (index, entries) in table.indexes.iter().zip(&mut held.indexes) {
                entries.insert(index_entry(table, *index, record));
            }
            self.bytes = self.bytes.saturating_add(size(record));
        }
        let before = match (held.rows.entry(key), record) {
            (Entry::Occupied(mut there), Some(record)) => Some(there.insert(record)),
            (Entry::Occupied(there), None) => Some(there.remove()),
            (Entry::Vacant(free), Some(record)) => {
                free.insert(record);
                None
            }
            (Entry::Vacant(_), None) => None,
        };
        if let Some(before) = &before {
            self.bytes = self.bytes.saturating_sub(size(before));
            let now = held.rows.get(&key_of(table, before));
            for (index, entries) in table.indexes.iter().zip(&mut held.indexes) {
                let entry = index_entry(table, *index, before);
                if now.is_none_or(|now| index_entry(table, *index, now) != entry) {
                    entries.remove(&entry);
                }
            }
        }
        before
    }

    fn change(&mut self, table: &'static Table, key: Vec<Value>, record: Option<Record>) {
        let before = self.write(table, key.clone(), record);
        self.undo.push(Before { table, key, record: before });
    }

    fn go_back(&mut self, to: usize) {
        for before in self.undo.split_off(to.min(self.undo.len())).into_iter().rev() {
            self.write(before.table, before.key, before.record);
        }
    }

    /// The keys of the rows of a span, in its order.
    fn keys<'a>(
        &'a self,
        table: &'static Table,
        span: Span<'a>,
    ) -> Result<Box<dyn Iterator<Item = &'a [Value]> + 'a>, PhoneError> {
        let Some(held) = self.tables.get(table.name) else { return Ok(Box::new(std::iter::empty())) };
        let (low, high) = bounds(&span);
        if span.index.0 == table.key {
            let rows = held.rows.range((low, high)).map(|(key, _)| key.as_slice());
            return Ok(if span.back { Box::new(rows.rev()) } else { Box::new(rows) });
        }
        let place = table.indexes.iter().position(|index| *index == span.index);
        let entries = place.and_then(|place| held.indexes.get(place));
        let entries = entries.ok_or_else(|| PhoneError::internal(format!("no such index of {}", table.name)))?;
        let width = span.index.0.len();
        let keys = entries.range((low, high)).map(move |entry| entry.get(width..).unwrap_or_default());
        Ok(if span.back { Box::new(keys.rev()) } else { Box::new(keys) })
    }
}

type Ends = (Bound<Vec<Value>>, Bound<Vec<Value>>);

fn bounds(span: &Span<'_>) -> Ends {
    let start = span.prefix.to_vec();
    let end = [span.prefix, &[Value::End]].concat();
    match (span.beyond, span.back) {
        ([], _) => (Bound::Included(start), Bound::Excluded(end)),
        (beyond, true) => (Bound::Included(start), Bound::Excluded([span.prefix, beyond].concat())),
        (beyond, false) => (Bound::Included([span.prefix, beyond, &[Value::End]].concat()), Bound::Excluded(end)),
    }
}

impl Tables for MemoryTables {
    fn begin(&self, access: Access) -> Result<(), PhoneError> {
        let mut inner = self.0.borrow_mut();
        if inner.open.is_some() {
            return Err(PhoneError::internal("a transaction in a transaction"));
        }
        // Only one program has these tables, so reading needs no more than a write does.
        let (Access::Read | Access::Write) = access;
        inner.open = Some(inner.undo.len());
        Ok(())
    }

    fn commit(&self) -> Result<(), PhoneError> {
        self.0.borrow_mut().open = None;
        Ok(())
    }

    fn roll_back(&self) {
        let mut inner = self.0.borrow_mut();
        if let Some(to) = inner.open.take() {
            inner.go_back(to);
        }
    }

    fn get(&self, table: &'static Table, key: &[Value]) -> Result<Option<Record>, PhoneError> {
        Ok(self.0.borrow().tables.get(table.name).and_then(|held| held.rows.get(key)).cloned())
    }

    fn scan(
        &self,
        table: &'static Table,
        span: Span<'_>,
        take: &mut dyn FnMut(Record) -> Result<bool, PhoneError>,
    ) -> Result<(), PhoneError> {
        let inner = self.0.borrow();
        let Some(held) = inner.tables.get(table.name) else { return Ok(()) };
        for key in inner.keys(table, span)? {
            if let Some(record) = held.rows.get(key)
                && !take(record.clone())?
            {
                break;
            }
        }
        Ok(())
    }

    fn count(&self, table: &'static Table, index: Index, prefix: &[Value]) -> Result<u64, PhoneError> {
        let inner = self.0.borrow();
        let count = inner.keys(table, Span { index, prefix, beyond: &[], back: false })?.count();
        Ok(u64::try_from(count).unwrap_or(u64::MAX))
    }

    fn distinct(&self, table: &'static Table, index: Index) -> Result<Vec<Record>, PhoneError> {
        let mut found: Vec<Record> = Vec::new();
        let beyond = &[Value::Null][..];
        self.scan(table, Span { index, prefix: &[], beyond, back: false }, &mut |record| {
            let values = values_of(table, index.0, &record);
            if found.last() != Some(&values) {
                found.push(values);
            }
            Ok(true)
        })?;
        Ok(found)
    }

    fn put(&self, table: &'static Table, record: Record) -> Result<(), PhoneError> {
        let mut inner = self.0.borrow_mut();
        if inner.bytes_max.is_some_and(|most| inner.bytes.saturating_add(size(&record)) > most) {
            return Err(PhoneError::StorageFull);
        }
        inner.change(table, key_of(table, &record), Some(record));
        Ok(())
    }

    fn remove(&self, table: &'static Table, index: Index, prefix: &[Value]) -> Result<u64, PhoneError> {
        let mut inner = self.0.borrow_mut();
        let keys: Vec<Vec<Value>> =
            inner.keys(table, Span { index, prefix, beyond: &[], back: false })?.map(<[Value]>::to_vec).collect();
        let count = u64::try_from(keys.len()).unwrap_or(u64::MAX);
        for key in keys {
            inner.change(table, key, None);
        }
        Ok(count)
    }

    fn bytes(&self) -> Result<u64, PhoneError> {
        Ok(self.0.borrow().bytes)
    }

    fn limit_pages(&self, more: i64) -> Result<(), PhoneError> {
        let mut inner = self.0.borrow_mut();
        let more = u64::try_from(more).unwrap_or(0).saturating_mul(PAGE_BYTES);
        inner.bytes_max = Some(inner.bytes.saturating_add(more));
        Ok(())
    }
}
