//! Taking the answer to a sync request: whole, in one transaction, or not at all.

use std::collections::{BTreeMap, BTreeSet};

use schema::ids::{EntityId, LogId, OpId};
use schema::limits::BACKUP_OVERDUE_MS;
use schema::op::Captured;
use schema::record::OutcomeLine;
use schema::sync::{BatchAnswer, Durability};
use serde_json::json;

use super::attention::{Raise, Trouble, raise, settle_log};
use super::entropy::Entropy;
use super::error::PhoneError;
use super::outcomes::{Noting, drop_durable, retire};
use super::requests::Request;
use super::store::{Identity, LogState, ReadDocuments, Store, identity, log_by_row, log_state, meta};
use super::tables::rows::StoredOp;
use super::tables::{self, Tables, values};
use super::trust::{self, Verdict};
use super::{epoch, known, outbox, pull, room, view};
use crate::sync::answer::{self, Answer};

pub use super::progress::{Batch, Progress, Pull};

impl Store {
    /// Takes the answer to a request. Taking one twice, late or in another order changes nothing that should not.
    ///
    /// # Errors
    /// A cut or unreadable answer, a full disk: nothing of it was used, and the same request may be sent again.
    pub fn take_answer(&mut self, request: &Request, bytes: &[u8], now: Captured) -> Result<Progress, PhoneError> {
        match self.take_part(request, bytes, now, true) {
            // A full disk stops pulling, never sending.
            Err(PhoneError::StorageFull) => self.take_part(request, bytes, now, false),
            taken => taken,
        }
    }

    /// As [`Store::take_answer`], for whoever learns later that the storage is full; without the rows then.
    ///
    /// # Errors
    /// As there.
    pub fn take_part(
        &mut self,
        request: &Request,
        bytes: &[u8],
        now: Captured,
        with_rows: bool,
    ) -> Result<Progress, PhoneError> {
        let answer = answer::read(bytes)?;
        if answer.head.log != request.header.log {
            return Err(PhoneError::OtherLog);
        }
        self.take(request, &answer, now, with_rows)
    }

    fn take(
        &mut self,
        request: &Request,
        answer: &Answer,
        now: Captured,
        with_rows: bool,
    ) -> Result<Progress, PhoneError> {
        let change = tables::write(self.tables.as_ref())?;
        let (identity, log) = (identity(&*change)?, log_state(&*change, answer.head.log)?);
        let mut taking = Taking {
            db: &*change,
            identity,
            log,
            entropy: self.entropy.as_mut(),
            read: &mut self.read,
            request,
            answer,
            now,
        };
        let progress = taking.take(with_rows)?;
        change.commit()?;
        Ok(progress)
    }

    /// Own ops of a log that no answer has decided.
    ///
    /// # Errors
    /// The store's.
    pub fn undecided(&self, log: LogId) -> Result<u64, PhoneError> {
        undecided(self.db(), log_state(self.db(), log)?.id)
    }
}

fn undecided(db: &dyn Tables, log: i64) -> Result<u64, PhoneError> {
    tables::count::<StoredOp>(db, StoredOp::BY_LOG_STATE, values!(log, "undecided"))
}

struct Taking<'a> {
    db: &'a dyn Tables,
    identity: Identity,
    log: LogState,
    entropy: &'a mut dyn Entropy,
    read: &'a mut ReadDocuments,
    request: &'a Request,
    answer: &'a Answer,
    now: Captured,
}

impl Taking<'_> {
    fn take(&mut self, with_rows: bool) -> Result<Progress, PhoneError> {
        let head = &self.answer.head;
        if self.request.header.epoch != self.log.epoch {
            return self.progress(Pull::Late, Batch::Done, 0, 0, false);
        }
        self.note_contact()?;
        match self.log.epoch {
            Some(held) if held != head.epoch => return self.new_epoch(with_rows),
            Some(_) => {}
            None => {
                self.log.epoch = Some(head.epoch);
                tables::put(self.db, &self.log)?;
            }
        }
        let before = undecided(self.db, self.log.id)?;
        let mut touched = self.note_outcomes()?;
        let decided = before.saturating_sub(undecided(self.db, self.log.id)?);
        self.take_receipt()?;
        let pull = self.judge_checkpoint(with_rows)?;
        let mut rows = pull::Rows::default();
        if pull == Pull::Taken {
            rows = pull::take(self.db, &self.log, &self.request.header, self.answer)?;
            room::note(self.db, self.log.id, &self.request.header, self.answer, self.now.wall_ms)?;
            touched.extend(rows.touched.iter().copied());
        }
        let batch = self.note_batch()?;
        touched.extend(retire(self.db, self.log.id, self.log.head.max(self.answer.head.head))?);
        pull::sweep(self.db, self.log.id, &touched)?;
        self.note_durable(pull)?;
        self.show(touched, rows.context_changed)?;
        let more = self.answer.end.more || rows.new_scopes || batch == Batch::Renumbered;
        self.progress(pull, batch, decided, rows.taken, more)
    }

    fn progress(&self, pull: Pull, batch: Batch, decided: u64, rows: u64, more: bool) -> Result<Progress, PhoneError> {
        let undecided = undecided(self.db, self.log.id)?;
        // Without progress more of the same would be a busy loop: the session waits then.
        let more = match pull {
            Pull::Taken | Pull::NewEpoch => more || (undecided > 0 && decided > 0),
            Pull::Forked | Pull::Unsigned | Pull::StorageFull => undecided > 0 && decided > 0,
            Pull::Late => true,
        };
        Ok(Progress { pull, batch, decided, rows, undecided, more })
    }

    fn note_contact(&self) -> Result<(), PhoneError> {
        let offset = i64::try_from(self.answer.head.now_ms).unwrap_or(i64::MAX).saturating_sub(self.now.wall_ms);
        let mut meta = meta(self.db)?;
        (meta.contact_ms, meta.offset_ms) = (Some(self.now.wall_ms), Some(offset));
        tables::put(self.db, &meta)
    }

    /// Goes over to a new epoch, if it began as it should. If not, this phone stays in the one it knows, with all it
    /// holds of it, and delivers.
    fn new_epoch(&mut self, with_rows: bool) -> Result<Progress, PhoneError> {
        let head = &self.answer.head;
        let new = match (self.log.forked, trust::judge_epoch(self.db, &self.log, &self.request.header, head)?) {
            (false, Verdict::Extends(new)) => new,
            (_, verdict) => return self.stay_in_epoch(verdict, with_rows),
        };
        let note = head.checkpoint.as_deref().unwrap_or("");
        let touched = view::touched_by_own_ops(self.db, self.log.id)?;
        epoch::begin(self.db, &self.log, self.answer.head.epoch, self.entropy, self.now.wall_ms)?;
        self.log = log_state(self.db, self.log.log)?;
        trust::keep(self.db, self.log.id, new, note, self.log.durable)?;
        settle_log(self.db, Trouble::Unsigned, self.log.id)?;
        let mut all = view::touched_by_own_ops(self.db, self.log.id)?;
        all.extend(touched);
        self.show(all, false)?;
        self.progress(Pull::NewEpoch, Batch::Renumbered, 0, 0, true)
    }

    fn stay_in_epoch(&mut self, verdict: Verdict, with_rows: bool) -> Result<Progress, PhoneError> {
        let pull = match verdict {
            _ if self.log.forked => Pull::Forked,
            Verdict::Fork { held, note } => {
                let held_note = trust::note(self.db, self.log.id, held.size)?;
                let (old, new) = (self.log.epoch, self.answer.head.epoch);
                let detail = json!({"held": held_note, "came": note, "old_epoch": old, "new_epoch": new});
                self.raise(Trouble::Fork, detail)?;
                self.believe_no_more()?
            }
            Verdict::Unsigned(why) => {
                self.raise(Trouble::Unsigned, json!({"why": why}))?;
                Pull::Unsigned
            }
            // Another answer came first, and the proof is from what was held before: the next one brings the right one.
            Verdict::Extends(_) | Verdict::Nothing => Pull::Late,
        };
        let before = undecided(self.db, self.log.id)?;
        let mut touched = self.note_outcomes()?;
        let decided = before.saturating_sub(undecided(self.db, self.log.id)?);
        self.take_receipt()?;
        let batch = self.note_batch()?;
        touched.extend(retire(self.db, self.log.id, self.log.head.max(self.answer.head.head))?);
        if with_rows {
            self.show(touched, false)?;
        }
        self.progress(pull, batch, decided, 0, batch == Batch::Renumbered)
    }

    fn note_outcomes(&self) -> Result<BTreeSet<EntityId>, PhoneError> {
        let (db, identity, log) = (self.db, &self.identity, &self.log);
        let noting = Noting { db, identity, log, wall_ms: self.now.wall_ms };
        let mut touched = BTreeSet::new();
        for (line, record) in &self.answer.outcomes {
            touched.extend(noting.note(line, record)?);
        }
        Ok(touched)
    }

    fn take_receipt(&self) -> Result<(), PhoneError> {
        let head = &self.answer.head;
        let Some(receipt) = &head.receipt else { return Ok(()) };
        let outcomes: BTreeMap<OpId, &OutcomeLine> =
            self.answer.outcomes.iter().map(|(line, _)| (line.op, line)).collect();
        match trust::take_receipt(self.db, &self.identity, &self.log, head.epoch, receipt, &outcomes)? {
            None => Ok(()),
            Some(detail) => self.raise(Trouble::Receipt, detail),
        }
    }

    /// Whether the rows of this answer may be believed.
    fn judge_checkpoint(&mut self, with_rows: bool) -> Result<Pull, PhoneError> {
        let head = &self.answer.head;
        if self.log.forked {
            return Ok(Pull::Forked);
        }
        if head.head < self.request.certain_rev {
            self.raise(Trouble::SetBack, json!({"known": self.request.certain_rev, "head": head.head}))?;
            return self.believe_no_more();
        }
        match trust::judge(self.db, &self.log, &self.request.header, head)? {
            Verdict::Nothing => {}
            Verdict::Extends(new) => {
                let note = head.checkpoint.as_deref().unwrap_or("");
                trust::keep(self.db, self.log.id, new, note, self.log.durable.max(head.durable))?;
                settle_log(self.db, Trouble::Unsigned, self.log.id)?;
            }
            Verdict::Unsigned(why) => {
                self.raise(Trouble::Unsigned, json!({"why": why}))?;
                return Ok(Pull::Unsigned);
            }
            Verdict::Fork { held, note } => {
                let held_note = trust::note(self.db, self.log.id, held.size)?;
                self.raise(Trouble::Fork, json!({"held": held_note, "came": note, "proof": head.consistency}))?;
                return self.believe_no_more();
            }
        }
        if with_rows {
            settle_log(self.db, Trouble::StorageFull, self.log.id)?;
            return Ok(Pull::Taken);
        }
        self.raise(Trouble::StorageFull, json!({}))?;
        Ok(Pull::StorageFull)
    }

    /// From here on this phone delivers to the log, keeps everything, and takes nothing from it.
    fn believe_no_more(&mut self) -> Result<Pull, PhoneError> {
        let mut log = log_by_row(self.db, self.log.id)?;
        log.forked = true;
        tables::put(self.db, &log)?;
        self.log.forked = true;
        Ok(Pull::Forked)
    }

    fn note_batch(&mut self) -> Result<Batch, PhoneError> {
        // An answer to a request of an earlier incarnation says nothing about the numbers of this one.
        if self.request.header.incarnation != self.log.incarnation {
            return Ok(Batch::Done);
        }
        match self.answer.head.batch {
            BatchAnswer::Nothing | BatchAnswer::Taken => Ok(Batch::Done),
            BatchAnswer::Gap { .. } => {
                outbox::renumber(self.db, self.log.id, self.entropy)?;
                Ok(Batch::Renumbered)
            }
            BatchAnswer::Reused { device_seq } => {
                outbox::renumber(self.db, self.log.id, self.entropy)?;
                let incarnation = self.log.incarnation;
                self.raise(Trouble::Copied, json!({"incarnation": incarnation, "device_seq": device_seq}))?;
                Ok(Batch::Renumbered)
            }
            BatchAnswer::BadSignature => {
                self.raise(Trouble::BadSignature, json!({}))?;
                Ok(Batch::BadSignature)
            }
        }
    }

    fn note_durable(&self, pull: Pull) -> Result<(), PhoneError> {
        let head = &self.answer.head;
        match pull {
            // From a log that is not believed nothing is taken as safe.
            Pull::Forked | Pull::Unsigned | Pull::Late | Pull::NewEpoch => return Ok(()),
            Pull::Taken | Pull::StorageFull => {}
        }
        let durable = self.log.durable.max(head.durable);
        let mut log = log_by_row(self.db, self.log.id)?;
        log.head = log.head.max(head.head);
        (log.durable, log.durability) = (durable, Some(head.durability));
        tables::put(self.db, &log)?;
        self.note_backups()?;
        drop_durable(self.db, self.log.id, durable)
    }

    /// Without backups this phone keeps everything, and somebody has to be told before it is full.
    fn note_backups(&self) -> Result<(), PhoneError> {
        let head = &self.answer.head;
        let age_ms = head.now_ms.saturating_sub(head.durable_ms);
        match head.durability {
            Durability::Backup if age_ms > BACKUP_OVERDUE_MS => {
                self.raise(Trouble::NoBackup, json!({"durable_ms": head.durable_ms}))
            }
            Durability::Backup | Durability::Replica | Durability::Local => {
                settle_log(self.db, Trouble::NoBackup, self.log.id)
            }
        }
    }

    fn show(&mut self, mut touched: BTreeSet<EntityId>, context_changed: bool) -> Result<(), PhoneError> {
        if context_changed {
            touched.extend(view::touched_by_own_ops(self.db, self.log.id)?);
        }
        if touched.is_empty() {
            return Ok(());
        }
        let known = known::known(self.db, self.read, &self.log, self.now)?;
        view::recompute(self.db, self.log.id, &touched, &known)
    }

    fn raise(&self, trouble: Trouble, detail: serde_json::Value) -> Result<(), PhoneError> {
        let (log, since_ms) = (self.log.id, self.now.wall_ms);
        raise(self.db, &Raise { trouble, log, op: None, entity: None, detail, since_ms })
    }
}
