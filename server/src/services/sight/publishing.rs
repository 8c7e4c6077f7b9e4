//! Published figures: a supervisor's act, kept as it was. What is told later of the same period stands beside it.

use std::collections::BTreeMap;

use anyhow::{Context, anyhow};
use schema::entity::Entity;
use schema::figures::{
    Figures, FiguresAsked, FiguresChange, FiguresRow, LateReport, Measure, Publication, PublicationRow,
    PublicationView, Publications, PublishFigures,
};
use schema::hash::Hash;
use schema::ids::{AccountId, LogId, PublicationId};
use schema::limits::TEXT_BYTES_MAX;
use schema::op::Role;
use schema::problem::ProblemCode;
use schema::record::Record;
use sync_core::line::sha256;
use sync_core::permission::reaches;
use uuid::Builder;

use super::{PAGE_MAX, Sight, View};
use crate::error::{Error, Result};
use crate::services::accounts::Caller;
use crate::services::tokens::random;
use crate::store::{LogTx, StoreError, StoredPublication};

/// Kinds by which a report comes.
const REPORTS: [&str; 2] = ["report", "settle_on_site"];

impl Sight {
    /// Publishes the figures of a period and an area, as they stand now.
    ///
    /// # Errors
    /// `forbidden`: to all but supervisors of the area; as [`Sight::figures`]; a second time without a reason.
    pub async fn publish_figures(&self, caller: &Caller, log: LogId, what: PublishFigures) -> Result<Publication> {
        let PublishFigures { from, until, by, area, reason } = what;
        let reason = reason.map(|reason| reason.trim().to_owned()).filter(|reason| !reason.is_empty());
        if reason.as_ref().is_some_and(|reason| reason.len() > TEXT_BYTES_MAX || reason.contains('\0')) {
            return Err(Error::invalid("reason"));
        }
        let (asked, now_ms) = (FiguresAsked { from, until, by, area: Some(area) }, self.clock.now_ms());
        let figures = self
            .in_log(caller, log, move |view| {
                let mut grants = view.account.grants.iter().filter(|grant| grant.role == Role::Supervisor);
                let supervises = grants.any(|grant| reaches(grant, area, view.areas()));
                let (mut ground, wants) = view.ground(Some(area))?;
                if !supervises {
                    return Err(Error::refused(ProblemCode::Forbidden));
                }
                ground.figures(asked, now_ms, wants)
            })
            .await?;
        let id = PublicationId(Builder::from_random_bytes(random()?).into_uuid());
        let (store, by_account) = (self.store.clone(), caller.account);
        let kept = move || {
            let work = |tx: &mut LogTx<'_>| keep(tx, id, by_account, &figures, reason.as_deref());
            store.with_log(log, |_: &Error| false, work)
        };
        let kept = tokio::task::spawn_blocking(kept).await.context("publishing figures")??;
        kept.ok_or_else(|| Error::refused(ProblemCode::NotFound))
    }

    /// A page of what was published of the areas that the caller oversees, newest first.
    ///
    /// # Errors
    /// `forbidden`, `not_found`.
    pub async fn published_figures(&self, caller: &Caller, log: LogId, before: Option<u64>) -> Result<Publications> {
        self.in_log(caller, log, move |view| {
            if !view.has_role(&super::figures::OVERSEE) {
                return Err(Error::refused(ProblemCode::Forbidden));
            }
            let mut found = view.db.publications(view.log, before.unwrap_or(u64::MAX), PAGE_MAX.saturating_add(1))?;
            let more = found.len() > PAGE_MAX;
            found.truncate(PAGE_MAX);
            let next = found.last().map(|row| row.nth).filter(|_| more);
            let seen = found.iter().filter(|row| view.oversees(row.area));
            let publications = seen.map(|row| Ok(listed(read(row)?))).collect::<Result<_>>()?;
            Ok(Publications { publications, next })
        })
        .await
    }

    /// One publication, with the reports that came too late for it.
    ///
    /// # Errors
    /// `forbidden`, `not_found`.
    pub async fn publication(&self, caller: &Caller, log: LogId, id: PublicationId) -> Result<PublicationView> {
        let now_ms = self.clock.now_ms();
        self.in_log(caller, log, move |view| {
            if !view.has_role(&super::figures::OVERSEE) {
                return Err(Error::refused(ProblemCode::Forbidden));
            }
            let stored = view.db.publication(view.log, id)?.filter(|row| view.oversees(row.area));
            let stored = stored.ok_or_else(|| Error::refused(ProblemCode::NotFound))?;
            let publication = read(&stored)?;
            let (late, more) = view.late(&publication.figures, now_ms)?;
            Ok(PublicationView { publication, sha256: sha256(stored.body.as_bytes()), late, more })
        })
        .await
    }
}

impl View<'_> {
    /// The reports of a publication's area that were surely captured before the end of its period and came behind its
    /// cut-off.
    fn late(&mut self, figures: &Figures, now_ms: u64) -> Result<(Vec<LateReport>, bool)> {
        let until_ms = self.ground(figures.asked.area)?.0.period(&figures.asked, now_ms)?.until_ms;
        let head = self.db.head(self.log_id)?.ok_or_else(|| Error::refused(ProblemCode::NotFound))?;
        // Revisions of another epoch say nothing about this one.
        let from = if head.epoch == figures.epoch { figures.cutoff_rev } else { 0 };
        let mut late = Vec::new();
        for kind in REPORTS {
            let mut after = from;
            loop {
                let page = self.db.entries_of_kind_in(self.log, kind, (after, head.rev), PAGE_MAX)?;
                let Some(last) = page.last() else { break };
                after = last.rev;
                for entry in page.iter().filter(|entry| entry.first_received_ms > figures.cutoff_ms) {
                    let record: Record = serde_json::from_str(&entry.record).context("a stored record")?;
                    let Some(captured) = record.captured.filter(|it| it.to_ms < until_ms) else { continue };
                    let Ok((_, _, Entity::Case(case))) = self.entity(entry.entity) else { continue };
                    let areas = self.areas();
                    let within = |area| areas.is_none_or(|areas| areas.covers(area, case.area));
                    if !figures.asked.area.is_none_or(within) || !self.oversees(case.area) {
                        continue;
                    }
                    if late.len() == PAGE_MAX {
                        return Ok((late, true));
                    }
                    let (case, short_code) = (case.id, case.short_code);
                    let (captured_ms, received_ms) = (captured.to_ms, entry.first_received_ms);
                    late.push(LateReport { case, short_code, captured_ms, received_ms });
                }
            }
        }
        Ok((late, false))
    }
}

/// Keeps a publication behind those before it. The head lock is held.
fn keep(
    tx: &mut LogTx<'_>,
    id: PublicationId,
    by_account: AccountId,
    figures: &Figures,
    reason: Option<&str>,
) -> Result<Publication> {
    let asked = serde_json::to_string(&figures.asked).context("writing what was asked for")?;
    let log = tx.head.num;
    let before = tx.db.publications(log, u64::MAX, 1)?.pop();
    let corrected = tx.db.last_published(log, &asked)?.as_ref().map(read).transpose()?;
    if corrected.is_some() != reason.is_some() {
        let (zh, en) = match corrected {
            Some(_) => (
                "该期统计已经公布：再次公布即为更正，请说明更正理由（reason）",
                "these figures are published: publishing again corrects them, say why (reason)",
            ),
            None => {
                ("该期统计尚未公布，没有可更正的（去掉 reason）", "there is nothing to correct yet: leave out reason")
            }
        };
        return Err(Error::fault(zh, en));
    }
    let publication = Publication {
        id,
        nth: before.as_ref().map_or(1, |row| row.nth.saturating_add(1)),
        by_account,
        changes: corrected.as_ref().map(|was| changes(&was.figures, figures)).unwrap_or_default(),
        corrects: corrected.map(|was| was.id),
        reason: reason.map(str::to_owned),
        figures: figures.clone(),
        previous: before.map_or(Hash::ZERO, |row| sha256(row.body.as_bytes())),
    };
    let body = serde_json::to_string(&publication).context("writing a publication")?;
    let area = figures.asked.area.ok_or_else(|| anyhow!("a publication without an area"))?;
    tx.put_publication(&StoredPublication { nth: publication.nth, id, area, asked, body })?;
    Ok(publication)
}

/// The counts that differ.
fn changes(was: &Figures, now: &Figures) -> Vec<FiguresChange> {
    let rows = |of: &Figures| -> BTreeMap<(bool, Option<String>), BTreeMap<Measure, u64>> {
        let keyed = |total, row: &FiguresRow| ((total, row.group.clone()), row.counts.clone());
        std::iter::once(keyed(true, &of.total)).chain(of.rows.iter().map(|row| keyed(false, row))).collect()
    };
    let (was, now) = (rows(was), rows(now));
    let keys: std::collections::BTreeSet<_> = was.keys().chain(now.keys()).collect();
    let mut found = Vec::new();
    for key in keys {
        for measure in Measure::ALL {
            let of = |rows: &BTreeMap<_, BTreeMap<Measure, u64>>| {
                rows.get(key).and_then(|counts| counts.get(&measure)).copied().unwrap_or(0)
            };
            let (was, now) = (of(&was), of(&now));
            if was != now {
                let (total, group) = key.clone();
                found.push(FiguresChange { total, group, measure, was, now });
            }
        }
    }
    found
}

fn read(row: &StoredPublication) -> Result<Publication> {
    let read = serde_json::from_str(&row.body).map_err(|_| StoreError::Damaged("a publication that can't be read"))?;
    Ok(read)
}

fn listed(publication: Publication) -> PublicationRow {
    let Publication { id, nth, by_account, figures, corrects, .. } = publication;
    PublicationRow { id, nth, by_account, asked: figures.asked, cutoff_ms: figures.cutoff_ms, corrects }
}
