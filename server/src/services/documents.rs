//! Documents of a log: the catalogue and the area tree. Importing one means checking it, keeping its bytes, and
//! appending the op that puts it in force; the op names them, and both are committed together.

use schema::area::AreaTree;
use schema::hash::Hash;
use schema::ids::LogId;
use schema::limits::DOCUMENT_BYTES_MAX;
use schema::op::{Body, ImportDocument};
use sync_core::area::AreaIndex;
use sync_core::line::{sha256, singleton_id};

use super::ledger::{Append, Ledger, LedgerError, ServerOp};
use crate::store::{Entry, Store, StoreError};

/// Why a document was not imported.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// It is larger than a document may be.
    #[error("the document is larger than {DOCUMENT_BYTES_MAX} bytes")]
    TooLarge,
    /// What is wrong with it, each fault with where and what to do.
    #[error("the document can't take effect: {}", .0.join("; "))]
    Faults(Vec<String>),
    /// It could not be entered.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

/// Puts a catalogue in force. The same one again changes nothing.
///
/// # Errors
/// See [`ImportError`].
pub async fn import_catalogue(ledger: &Ledger, log: LogId, bytes: Vec<u8>) -> Result<Entry, ImportError> {
    check_size(&bytes)?;
    let catalogue = sync_core::catalogue::read(&bytes).map_err(ImportError::Faults)?;
    import(ledger, log, "catalogue", catalogue.version, bytes, Body::ImportCatalogue).await
}

/// Puts an area tree in force, and moves the cases that lie elsewhere now. The same one again changes nothing.
///
/// # Errors
/// See [`ImportError`].
pub async fn import_areas(ledger: &Ledger, log: LogId, bytes: Vec<u8>) -> Result<Entry, ImportError> {
    check_size(&bytes)?;
    let tree: AreaTree =
        serde_json::from_slice(&bytes).map_err(|error| ImportError::Faults(vec![error.to_string()]))?;
    AreaIndex::new(&tree).map_err(|error| ImportError::Faults(vec![error.to_string()]))?;
    import(ledger, log, "areas", tree.version, bytes, Body::ImportAreas).await
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
    let append = Append { documents: vec![(sha256, bytes)], epoch: None, ops: vec![ServerOp::fresh(entity, body)?] };
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
