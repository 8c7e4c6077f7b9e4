//! Documents of a log: the catalogue and the area tree. Importing one means checking it, keeping its bytes, and
//! appending the op that puts it in force; the op names them, and both are committed together.

use schema::area::AreaTree;
use schema::calendar::Calendar;
use schema::catalogue::{Catalogue, Text};
use schema::hash::Hash;
use schema::ids::LogId;
use schema::limits::DOCUMENT_BYTES_MAX;
use schema::op::{Body, ImportDocument};
use sync_core::area::AreaIndex;
use sync_core::catalogue::{self, Fault};
use sync_core::line::{sha256, singleton_id};
use sync_core::{responsibility, time};

use super::ledger::{Append, Ledger, LedgerError, ServerOp};
use crate::error::Error;
use crate::store::{Entry, Store, StoreError};

/// Why a document was not imported.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// It is larger than a document may be.
    #[error("the document is larger than {DOCUMENT_BYTES_MAX} bytes")]
    TooLarge,
    /// What is wrong with it, each fault with where and what to do.
    #[error("the document can't take effect")]
    Faults(Vec<Text>),
    /// It could not be entered.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

impl From<ImportError> for Error {
    fn from(error: ImportError) -> Self {
        match error {
            ImportError::TooLarge => Self::fault(
                format!("文件超过 {DOCUMENT_BYTES_MAX} 字节，请减少边界的点数或拆分内容"),
                format!("the document is larger than {DOCUMENT_BYTES_MAX} bytes: draw boundaries with fewer points"),
            ),
            ImportError::Faults(faults) => Self::Faults(faults),
            ImportError::Ledger(error) => error.into(),
        }
    }
}

/// Puts a catalogue in force. The same one again changes nothing.
///
/// # Errors
/// See [`ImportError`].
pub async fn import_catalogue(ledger: &Ledger, log: LogId, bytes: Vec<u8>) -> Result<Entry, ImportError> {
    let catalogue = read_catalogue(&bytes)?;
    import(ledger, log, "catalogue", catalogue.version, bytes, Body::ImportCatalogue).await
}

/// Puts a working calendar in force, and counts the deadlines anew that it changes. The same one again changes nothing.
///
/// # Errors
/// See [`ImportError`].
pub async fn import_calendar(ledger: &Ledger, log: LogId, bytes: Vec<u8>) -> Result<Entry, ImportError> {
    let calendar = read_calendar(&bytes)?;
    let entry = import(ledger, log, "calendar", calendar.version, bytes, Body::ImportCalendar).await?;
    ledger.place_cases(log).await?;
    Ok(entry)
}

/// Puts responsibilities in force that were looked at before. The same ones again change nothing.
///
/// # Errors
/// See [`ImportError`].
pub async fn import_responsibilities(ledger: &Ledger, log: LogId, bytes: Vec<u8>) -> Result<Entry, ImportError> {
    let document = responsibility::read(&bytes).map_err(|fault| ImportError::Faults(vec![fault]))?;
    import(ledger, log, "responsibilities", document.version, bytes, Body::ImportResponsibilities).await
}

/// Reads a working calendar that can take effect.
///
/// # Errors
/// See [`ImportError`].
pub fn read_calendar(bytes: &[u8]) -> Result<Calendar, ImportError> {
    check_size(bytes)?;
    time::read(bytes).map_err(ImportError::Faults)
}

/// Puts an area tree in force, and moves the cases that lie elsewhere now. The same one again changes nothing.
///
/// # Errors
/// See [`ImportError`].
pub async fn import_areas(ledger: &Ledger, log: LogId, bytes: Vec<u8>) -> Result<Entry, ImportError> {
    check_size(&bytes)?;
    let no_tree = |error: &dyn std::fmt::Display| {
        ImportError::Faults(vec![Text {
            zh: format!("不是区域树：{error}"), en: format!("no area tree: {error}")
        }])
    };
    let tree: AreaTree = serde_json::from_slice(&bytes).map_err(|error| no_tree(&error))?;
    AreaIndex::new(&tree).map_err(|error| no_tree(&error))?;
    let entry = import(ledger, log, "areas", tree.version, bytes, Body::ImportAreas).await?;
    ledger.place_cases(log).await?;
    Ok(entry)
}

/// Reads a catalogue that can take effect.
///
/// # Errors
/// See [`ImportError`].
pub fn read_catalogue(bytes: &[u8]) -> Result<Catalogue, ImportError> {
    check_size(bytes)?;
    catalogue::read(bytes).map_err(|faults| ImportError::Faults(faults.into_iter().map(in_words).collect()))
}

fn in_words(Fault { place, what }: Fault) -> Text {
    Text { zh: format!("{place}：{}", what.zh), en: format!("{place}: {}", what.en) }
}

fn check_size(bytes: &[u8]) -> Result<(), ImportError> {
    if bytes.len() > DOCUMENT_BYTES_MAX { Err(ImportError::TooLarge) } else { Ok(()) }
}

async fn import(
    ledger: &Ledger,
    log: LogId,
    name: &str,
    version: String,
    bytes: Vec<u8>,
    body: impl FnOnce(ImportDocument) -> Body,
) -> Result<Entry, ImportError> {
    let sha256 = sha256(&bytes);
    let size = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
    let entity = singleton_id(log, name);
    let body = body(ImportDocument { sha256, size, version });
    let append = Append { documents: vec![(sha256, bytes)], ops: vec![ServerOp::fresh(entity, body)?] };
    let mut entries = ledger.append(log, append).await?;
    let entry = entries.pop().ok_or(LedgerError::Store(StoreError::Damaged("an import without its entry")))?;
    Ok(entry)
}

/// The bytes of a document.
///
/// # Errors
/// The database's.
pub fn fetch(store: &Store, log: LogId, sha256: &Hash) -> Result<Option<Vec<u8>>, StoreError> {
    store.read(|db| match db.head(log)? {
        Some(head) => db.document(head.num, sha256),
        None => Ok(None),
    })
}
