//! The tables on SQLite: every statement is made from the table's own description.

use rusqlite::types::{ToSqlOutput, Value as Sql};
use rusqlite::{Connection, OptionalExtension, Row, ToSql, params_from_iter};

use super::error::PhoneError;
use super::tables::{Access, Index, Record, Span, Table, Tables, Value};

/// More than there are statements, so that none is prepared twice.
const STATEMENTS: usize = 256;

/// An open database.
pub(crate) struct Sqlite(Connection);

impl Sqlite {
    pub(crate) fn new(db: Connection) -> Self {
        db.set_prepared_statement_cache_capacity(STATEMENTS);
        Self(db)
    }
}

impl ToSql for Value {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(match self {
            Self::Null | Self::End => ToSqlOutput::Owned(Sql::Null),
            Self::Int(number) => ToSqlOutput::Owned(Sql::Integer(*number)),
            Self::Text(text) => ToSqlOutput::from(text.as_str()),
            Self::Blob(bytes) => ToSqlOutput::from(bytes.as_slice()),
        })
    }
}

fn record(row: &Row<'_>, columns: usize) -> rusqlite::Result<Record> {
    (0..columns)
        .map(|column| {
            Ok(match row.get(column)? {
                Sql::Null => Value::Null,
                Sql::Integer(number) => Value::Int(number),
                Sql::Text(text) => Value::Text(text),
                Sql::Blob(bytes) => Value::Blob(bytes),
                Sql::Real(_) => {
                    return Err(rusqlite::Error::InvalidColumnType(column, "REAL".into(), rusqlite::types::Type::Real));
                }
            })
        })
        .collect()
}

/// `a IS ?1 AND b IS ?2`, or what is always true.
fn equal(columns: &[&str]) -> String {
    let terms: Vec<String> = columns.iter().zip(1..).map(|(column, n)| format!("{column} IS ?{n}")).collect();
    if terms.is_empty() { "1".to_owned() } else { terms.join(" AND ") }
}

fn first(columns: &'static [&'static str], count: usize) -> Result<&'static [&'static str], PhoneError> {
    columns.get(..count).ok_or_else(|| PhoneError::internal("more values than columns"))
}

impl Tables for Sqlite {
    fn begin(&self, access: Access) -> Result<(), PhoneError> {
        let statement = match access {
            Access::Read => "BEGIN",
            // A write takes the lock in its first statement.
            Access::Write => "BEGIN IMMEDIATE",
        };
        Ok(self.0.execute_batch(statement)?)
    }

    fn commit(&self) -> Result<(), PhoneError> {
        Ok(self.0.execute_batch("COMMIT")?)
    }

    fn roll_back(&self) {
        // SQLite has done it itself after some errors; a failure of this one leaves nothing that could be done.
        if !self.0.is_autocommit() {
            let _ = self.0.execute_batch("ROLLBACK");
        }
    }

    fn get(&self, table: &'static Table, key: &[Value]) -> Result<Option<Record>, PhoneError> {
        let (columns, name) = (table.columns.join(", "), table.name);
        let mut statement =
            self.0.prepare_cached(&format!("SELECT {columns} FROM {name} WHERE {}", equal(table.key)))?;
        let found = statement.query_row(params_from_iter(key), |row| record(row, table.columns.len()));
        Ok(found.optional()?)
    }

    fn scan(
        &self,
        table: &'static Table,
        span: Span<'_>,
        take: &mut dyn FnMut(Record) -> Result<bool, PhoneError>,
    ) -> Result<(), PhoneError> {
        let index = span.index.0;
        let mut condition = equal(first(index, span.prefix.len())?);
        if !span.beyond.is_empty() {
            let behind = index.get(span.prefix.len()..).unwrap_or_default();
            let columns = first(behind, span.beyond.len())?.join(", ");
            let numbers: Vec<String> =
                span.beyond.iter().zip(span.prefix.len().saturating_add(1)..).map(|(_, n)| format!("?{n}")).collect();
            let than = if span.back { "<" } else { ">" };
            condition = format!("{condition} AND ({columns}) {than} ({})", numbers.join(", "));
        }
        let direction = if span.back { " DESC" } else { "" };
        let order: Vec<String> = index
            .iter()
            .chain(table.key.iter().filter(|column| !index.contains(column)))
            .skip(span.prefix.len())
            .map(|column| format!("{column}{direction}"))
            .collect();
        let order = if order.is_empty() { String::new() } else { format!("ORDER BY {}", order.join(", ")) };
        let (columns, name) = (table.columns.join(", "), table.name);
        let query = format!("SELECT {columns} FROM {name} WHERE {condition} {order}");
        let mut statement = self.0.prepare_cached(&query)?;
        let mut rows = statement.query(params_from_iter(span.prefix.iter().chain(span.beyond)))?;
        while let Some(row) = rows.next()? {
            if !take(record(row, table.columns.len())?)? {
                break;
            }
        }
        Ok(())
    }

    fn count(&self, table: &'static Table, index: Index, prefix: &[Value]) -> Result<u64, PhoneError> {
        let condition = equal(first(index.0, prefix.len())?);
        let query = format!("SELECT COUNT(*) FROM {} WHERE {condition}", table.name);
        let count: i64 = self.0.prepare_cached(&query)?.query_row(params_from_iter(prefix), |row| row.get(0))?;
        Ok(u64::try_from(count).unwrap_or(0))
    }

    fn distinct(&self, table: &'static Table, index: Index) -> Result<Vec<Record>, PhoneError> {
        let columns = index.0.join(", ");
        let leading = first(index.0, 1)?.join("");
        let query =
            format!("SELECT DISTINCT {columns} FROM {} WHERE {leading} IS NOT NULL ORDER BY {columns}", table.name);
        let mut statement = self.0.prepare_cached(&query)?;
        let rows = statement.query_map([], |row| record(row, index.0.len()))?.collect::<Result<_, _>>()?;
        Ok(rows)
    }

    fn put(&self, table: &'static Table, record: Record) -> Result<(), PhoneError> {
        let others: Vec<String> = table
            .columns
            .iter()
            .filter(|column| !table.key.contains(column))
            .map(|column| format!("{column} = excluded.{column}"))
            .collect();
        let update = if others.is_empty() { "NOTHING".to_owned() } else { format!("UPDATE SET {}", others.join(", ")) };
        let places: Vec<String> = (1..=table.columns.len()).map(|n| format!("?{n}")).collect();
        let statement = format!(
            "INSERT INTO {} ({}) VALUES ({}) ON CONFLICT ({}) DO {update}",
            table.name,
            table.columns.join(", "),
            places.join(", "),
            table.key.join(", ")
        );
        self.0.prepare_cached(&statement)?.execute(params_from_iter(record.iter()))?;
        Ok(())
    }

    fn remove(&self, table: &'static Table, index: Index, prefix: &[Value]) -> Result<u64, PhoneError> {
        let condition = equal(first(index.0, prefix.len())?);
        let statement = format!("DELETE FROM {} WHERE {condition}", table.name);
        let removed = self.0.prepare_cached(&statement)?.execute(params_from_iter(prefix))?;
        Ok(u64::try_from(removed).unwrap_or(u64::MAX))
    }

    /// The file without its free pages.
    fn bytes(&self) -> Result<u64, PhoneError> {
        let one = |name: &str| self.0.query_row(&format!("PRAGMA {name}"), [], |row| row.get::<_, i64>(0));
        let pages = one("page_count")?.saturating_sub(one("freelist_count")?);
        let bytes = pages.saturating_mul(one("page_size")?);
        Ok(u64::try_from(bytes).unwrap_or(0))
    }

    fn limit_pages(&self, more: i64) -> Result<(), PhoneError> {
        let pages: i64 = self.0.query_row("PRAGMA page_count", [], |row| row.get(0))?;
        let most = pages.saturating_add(more);
        Ok(self.0.query_row(&format!("PRAGMA max_page_count = {most}"), [], |_| Ok(()))?)
    }
}
