//! Noting who reads personal and restricted things, and telling auditors.

use schema::api::{ReadPage, ReadRow};
use schema::ids::LogId;
use schema::op::Role;
use schema::problem::ProblemCode;

use super::{PAGE_MAX, Sight, View};
use crate::error::{Error, Result};
use crate::services::accounts::Caller;
use crate::store::Read;

impl Sight {
    /// Reads, and notes what of it is personal or restricted before it is handed out.
    pub(super) async fn noting<T: Send + 'static>(
        &self,
        caller: &Caller,
        log: LogId,
        way: &'static str,
        work: impl FnOnce(&mut View<'_>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let (found, num, reads) = self.looked(caller, log, work).await?;
        if !reads.is_empty() {
            let (who, read_ms) = ((caller.account, caller.device), self.clock.now_ms());
            self.store
                .write_async(move |db| -> Result<_> { Ok(db.note_reads(num, who, way, read_ms, &reads)?) })
                .await?;
        }
        Ok(found)
    }

    /// A page of what was read of a log, for those who audit or administer all of it.
    ///
    /// # Errors
    /// `not_found`, `forbidden`.
    pub async fn reads(&self, caller: &Caller, log: LogId, after: u64) -> Result<ReadPage> {
        self.in_log(caller, log, move |view| {
            if !view.has_over_all(&[Role::Auditor, Role::Admin]) {
                return Err(Error::refused(ProblemCode::Forbidden));
            }
            let mut reads = view.db.reads_after(view.log, after, PAGE_MAX.saturating_add(1))?;
            let more = reads.len() > PAGE_MAX;
            reads.truncate(PAGE_MAX);
            let next = reads.last().map(|read| read.nth).filter(|_| more);
            Ok(ReadPage { reads: reads.into_iter().map(row).collect(), next })
        })
        .await
    }
}

fn row(Read { read_ms, account, device, way, of, .. }: Read) -> ReadRow {
    ReadRow { read_ms, account, device, way, entity: of.entity, values: of.values }
}
