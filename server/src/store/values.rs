//! Sealed values: personal text apart from the lines that name it, each with the class of its readers.

use diesel::{ExpressionMethods, QueryDsl, RunQueryDsl, delete, insert_into};
use schema::catalogue::ReaderClass;
use schema::hash::{Hash, Salt};
use schema::ids::EntityId;
use schema::op::SealedValue;

use super::columns::{column, hash, number, uuid};
use super::connection::Db;
use super::error::StoreError;
use super::log_tx::{LogNum, LogTx};
use super::tables::sealed_value;

/// A sealed value with who may read it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptValue {
    /// The revision it came with first.
    pub rev: u64,
    /// The entity whose op brought it.
    pub entity: EntityId,
    /// Who may read it.
    pub class: ReaderClass,
    /// The value.
    pub value: SealedValue,
}

fn class_number(class: ReaderClass) -> i16 {
    match class {
        ReaderClass::CaseReaders => 1,
        ReaderClass::Handlers => 2,
    }
}

fn class_of(number: i16) -> Result<ReaderClass, StoreError> {
    match number {
        1 => Ok(ReaderClass::CaseReaders),
        2 => Ok(ReaderClass::Handlers),
        _ => Err(StoreError::Damaged("a reader class of no known number")),
    }
}

impl LogTx<'_> {
    /// Deletes a value of an entity for good.
    ///
    /// # Errors
    /// The database's.
    pub fn delete_value(&mut self, entity: EntityId, sealed: &Hash) -> Result<(), StoreError> {
        let row = sealed_value::table
            .filter(sealed_value::log.eq(self.head.num.0))
            .filter(sealed_value::entity.eq(entity.bytes().as_slice()))
            .filter(sealed_value::hash.eq(sealed.0.as_slice()));
        delete(row).execute(&mut self.db.conn)?;
        Ok(())
    }

    /// Keeps a value, unless it is there.
    ///
    /// # Errors
    /// The database's.
    pub fn keep_value(&mut self, new: &KeptValue) -> Result<(), StoreError> {
        let known: i64 = sealed_value::table
            .filter(sealed_value::log.eq(self.head.num.0))
            .filter(sealed_value::entity.eq(new.entity.bytes().as_slice()))
            .filter(sealed_value::hash.eq(new.value.sealed.0.as_slice()))
            .count()
            .get_result(&mut self.db.conn)?;
        if known > 0 {
            return Ok(());
        }
        insert_into(sealed_value::table)
            .values((
                sealed_value::log.eq(self.head.num.0),
                sealed_value::entity.eq(new.entity.bytes().as_slice()),
                sealed_value::hash.eq(new.value.sealed.0.as_slice()),
                sealed_value::rev.eq(column(new.rev)?),
                sealed_value::class.eq(class_number(new.class)),
                sealed_value::salt.eq(new.value.salt.0.as_slice()),
                sealed_value::value.eq(new.value.value.as_bytes()),
            ))
            .execute(&mut self.db.conn)?;
        Ok(())
    }
}

impl Db {
    /// The values that the ops of these entities brought.
    ///
    /// # Errors
    /// The database's.
    pub fn values_of(&mut self, log: LogNum, entities: &[EntityId]) -> Result<Vec<KeptValue>, StoreError> {
        type Row = (i64, Vec<u8>, Vec<u8>, i16, Vec<u8>, Vec<u8>);
        let ids: Vec<&[u8]> = entities.iter().map(|id| id.bytes().as_slice()).collect();
        let rows: Vec<Row> = sealed_value::table
            .filter(sealed_value::log.eq(log.0))
            .filter(sealed_value::entity.eq_any(ids))
            .order((sealed_value::entity, sealed_value::rev, sealed_value::hash))
            .select((
                sealed_value::rev,
                sealed_value::entity,
                sealed_value::hash,
                sealed_value::class,
                sealed_value::salt,
                sealed_value::value,
            ))
            .load(&mut self.conn)?;
        rows.into_iter()
            .map(|(rev, entity, sealed, class, salt, value)| {
                let value = String::from_utf8(value).map_err(|_| StoreError::Damaged("a value that is no text"))?;
                let salt = salt.try_into().map_err(|_| StoreError::Damaged("a salt that is not 16 bytes"))?;
                Ok(KeptValue {
                    rev: number(rev, "a revision below zero")?,
                    entity: EntityId(uuid(&entity)?),
                    class: class_of(class)?,
                    value: SealedValue { sealed: hash(&sealed)?, salt: Salt(salt), value },
                })
            })
            .collect()
    }
}

/// The hash is enough to name a value: used to find the values a document shows without parsing it.
pub fn is_named_in(document: &str, sealed: &Hash) -> bool {
    document.contains(&sealed.to_string())
}
