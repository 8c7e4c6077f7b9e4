//! The tables of a device's store as its rules see them: rows by key and by index, in one transaction at a time. A phone
//! has them on SQLite, the page in memory with every change written to the browser's database.

mod column;
pub mod memory;
pub(crate) mod rows;
mod written;

use std::ops::Deref;

use super::error::PhoneError;

pub(crate) use column::Column;

/// What stands in a column. The order is SQLite's: nothing, numbers, texts, bytes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Value {
    /// Nothing.
    Null,
    /// A number.
    Int(i64),
    /// A text.
    Text(String),
    /// Bytes.
    Blob(Vec<u8>),
    /// Behind every value: it ends a range, and stands in no row.
    End,
}

/// The values of a row, in the order of its table's columns.
pub type Record = Vec<Value>;

/// A table.
#[derive(Debug)]
pub struct Table {
    /// Its name.
    pub name: &'static str,
    /// Its columns.
    pub columns: &'static [&'static str],
    /// The columns that tell its rows apart.
    pub key: &'static [&'static str],
    /// In which other orders its rows are read.
    pub indexes: &'static [Index],
}

/// An order of a table's rows: by these columns, then by the key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Index(pub &'static [&'static str]);

/// Which rows of an index, and in which order.
#[derive(Debug, Clone, Copy)]
pub struct Span<'a> {
    /// The index; the key is one as well.
    pub index: Index,
    /// Its first columns have these values.
    pub prefix: &'a [Value],
    /// The columns behind those lie beyond these values; all do where there are none.
    pub beyond: &'a [Value],
    /// From the last row to the first.
    pub back: bool,
}

/// What a transaction is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Reading one state of the whole.
    Read,
    /// Changing it.
    Write,
}

/// Where the rows are.
pub trait Tables {
    /// Begins a transaction; there is one at a time.
    ///
    /// # Errors
    /// The store's.
    fn begin(&self, access: Access) -> Result<(), PhoneError>;

    /// Ends it: all that was changed in it is so from here on.
    ///
    /// # Errors
    /// The store's; nothing was changed then.
    fn commit(&self) -> Result<(), PhoneError>;

    /// Ends it as if it had not been, where one is open.
    fn roll_back(&self);

    /// A row by its key.
    ///
    /// # Errors
    /// The store's.
    fn get(&self, table: &'static Table, key: &[Value]) -> Result<Option<Record>, PhoneError>;

    /// Gives rows in order until `take` says that it has enough.
    ///
    /// # Errors
    /// The store's, and those of `take`.
    fn scan(
        &self,
        table: &'static Table,
        span: Span<'_>,
        take: &mut dyn FnMut(Record) -> Result<bool, PhoneError>,
    ) -> Result<(), PhoneError>;

    /// How many rows of an index begin so.
    ///
    /// # Errors
    /// The store's.
    fn count(&self, table: &'static Table, index: Index, prefix: &[Value]) -> Result<u64, PhoneError>;

    /// The values that an index holds, each once, but those that begin with nothing.
    ///
    /// # Errors
    /// The store's.
    fn distinct(&self, table: &'static Table, index: Index) -> Result<Vec<Record>, PhoneError>;

    /// Writes a row in the place of the one with its key.
    ///
    /// # Errors
    /// The store's.
    fn put(&self, table: &'static Table, record: Record) -> Result<(), PhoneError>;

    /// Removes the rows of an index that begin so. Says how many.
    ///
    /// # Errors
    /// The store's.
    fn remove(&self, table: &'static Table, index: Index, prefix: &[Value]) -> Result<u64, PhoneError>;

    /// About how many bytes all of it takes.
    ///
    /// # Errors
    /// The store's.
    fn bytes(&self) -> Result<u64, PhoneError>;

    /// Lets it grow by so many pages of 4 KiB more, for tests of a full storage.
    ///
    /// # Errors
    /// The store's.
    #[doc(hidden)]
    fn limit_pages(&self, more: i64) -> Result<(), PhoneError>;
}

/// A transaction: ended as if it had not been unless it is committed.
pub(crate) struct Change<'a> {
    tables: &'a dyn Tables,
    committed: bool,
}

impl<'a> Change<'a> {
    pub(crate) fn begin(tables: &'a dyn Tables, access: Access) -> Result<Self, PhoneError> {
        tables.begin(access)?;
        Ok(Self { tables, committed: false })
    }

    pub(crate) fn commit(mut self) -> Result<(), PhoneError> {
        self.tables.commit()?;
        self.committed = true;
        Ok(())
    }
}

impl<'a> Deref for Change<'a> {
    type Target = dyn Tables + 'a;
    fn deref(&self) -> &Self::Target {
        self.tables
    }
}

impl Drop for Change<'_> {
    fn drop(&mut self) {
        if !self.committed {
            self.tables.roll_back();
        }
    }
}

/// A write takes the lock before anything is read.
pub(crate) fn write(tables: &dyn Tables) -> Result<Change<'_>, PhoneError> {
    Change::begin(tables, Access::Write)
}

/// One state of the whole: another program may write meanwhile.
pub(crate) fn snapshot(tables: &dyn Tables) -> Result<Change<'_>, PhoneError> {
    Change::begin(tables, Access::Read)
}

/// A row of a table, typed.
pub(crate) trait Row: Sized {
    const TABLE: &'static Table;
    /// Its key, as an index.
    const KEY: Index = Index(Self::TABLE.key);
    fn record(&self) -> Record;
    fn of(record: Record) -> Option<Self>;
}

/// Values for a key or the beginning of an index.
macro_rules! values {
    ($($value:expr),* $(,)?) => { &[$($crate::device::tables::Column::value(&$value)),*][..] };
}
pub(crate) use values;

fn typed<R: Row>(record: Record) -> Result<R, PhoneError> {
    R::of(record).ok_or_else(|| PhoneError::Damaged(format!("a row of {}", R::TABLE.name)))
}

/// A row by its key.
pub(crate) fn get<R: Row>(db: &dyn Tables, key: &[Value]) -> Result<Option<R>, PhoneError> {
    db.get(R::TABLE, key)?.map(typed).transpose()
}

/// The rows of an index that begin so, in its order.
pub(crate) fn select<R: Row>(db: &dyn Tables, index: Index, prefix: &[Value]) -> Result<Vec<R>, PhoneError> {
    let mut rows = Vec::new();
    let span = Span { index, prefix, beyond: &[], back: false };
    db.scan(R::TABLE, span, &mut |record| {
        rows.push(typed(record)?);
        Ok(true)
    })?;
    Ok(rows)
}

/// The first row of an index that begins so.
pub(crate) fn first<R: Row>(db: &dyn Tables, index: Index, prefix: &[Value]) -> Result<Option<R>, PhoneError> {
    end(db, Span { index, prefix, beyond: &[], back: false })
}

/// The last one.
pub(crate) fn last<R: Row>(db: &dyn Tables, index: Index, prefix: &[Value]) -> Result<Option<R>, PhoneError> {
    end(db, Span { index, prefix, beyond: &[], back: true })
}

fn end<R: Row>(db: &dyn Tables, span: Span<'_>) -> Result<Option<R>, PhoneError> {
    let mut found = None;
    db.scan(R::TABLE, span, &mut |record| {
        found = Some(typed(record)?);
        Ok(false)
    })?;
    Ok(found)
}

/// Gives typed rows in order until `take` has enough.
pub(crate) fn scan<R: Row>(
    db: &dyn Tables,
    span: Span<'_>,
    take: &mut dyn FnMut(R) -> Result<bool, PhoneError>,
) -> Result<(), PhoneError> {
    db.scan(R::TABLE, span, &mut |record| take(typed(record)?))
}

/// How many rows of an index begin so.
pub(crate) fn count<R: Row>(db: &dyn Tables, index: Index, prefix: &[Value]) -> Result<u64, PhoneError> {
    db.count(R::TABLE, index, prefix)
}

/// Writes a row in the place of the one with its key.
pub(crate) fn put<R: Row>(db: &dyn Tables, row: &R) -> Result<(), PhoneError> {
    db.put(R::TABLE, row.record())
}

/// Removes a row; true where there was one.
pub(crate) fn delete<R: Row>(db: &dyn Tables, key: &[Value]) -> Result<bool, PhoneError> {
    Ok(remove::<R>(db, R::KEY, key)? > 0)
}

/// Removes the rows of an index that begin so. Says how many.
pub(crate) fn remove<R: Row>(db: &dyn Tables, index: Index, prefix: &[Value]) -> Result<u64, PhoneError> {
    db.remove(R::TABLE, index, prefix)
}
