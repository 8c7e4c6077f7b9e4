//! Reading: what a caller may see of cases, entries, photos and documents. What may not be seen does not exist.

mod figures;
mod handing;
mod named;
mod notices;
mod order;
mod parked;
mod publishing;
mod reads;
mod unattended;
mod values;

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::sync::Arc;

use anyhow::Context;
use schema::api::{CasePage, CaseRow, CaseView, EntryPage, EntryRow};
use schema::entity::{Account, Entity};
use schema::hash::Hash;
use schema::ids::{AccountId, AreaId, EntityId, LogId};
use schema::op::Role;
use schema::photo::{AlikeAnswer, AlikeCase};
use schema::problem::ProblemCode;
use schema::record::Record;
use schema::sync::{Class, Node, Scope};
use serde_json::value::RawValue;
use sync_core::area::AreaIndex;
use sync_core::permission::{default_scopes, may_pull, may_read_handlers, may_see, reaches};
use sync_core::personal::is_unchecked;

use super::accounts::Caller;
use super::blobs::Version;
use super::ledger::Parsed;
use super::photos::Photos;
use crate::clock::Clock;
use crate::error::{Error, Result};
pub use crate::store::CaseFilter;
use crate::store::{Db, Entry, LogNum, ReadOf, Store};
pub use figures::CountedQuery;
pub use named::states_named;
pub use order::{Demand, Order, OrderPhoto, ProvenEntry};

/// Rows of a page.
pub const PAGE_MAX: usize = 100;

/// Reading on behalf of callers. Cheap to clone.
#[derive(Clone)]
pub struct Sight {
    store: Store,
    clock: Clock,
    photos: Photos,
    parsed: Parsed,
}

/// Which page of a list of cases.
#[derive(Debug, Clone, Default)]
pub struct CaseQuery {
    /// Only in this area and below.
    pub area: Option<AreaId>,
    /// Which of them.
    pub filter: CaseFilter,
    /// Only those that come to the caller because nobody below can.
    pub unattended: bool,
    /// Changed before this revision; none for the first page.
    pub before: Option<u64>,
    /// The most rows.
    pub limit: usize,
}

/// A log as one of its readers sees it, in one snapshot.
struct View<'a> {
    db: &'a mut Db,
    log: LogNum,
    log_id: LogId,
    account: Account,
    areas: Option<Arc<AreaIndex>>,
    parsed: Parsed,
    /// What of it must be noted as read.
    reads: Vec<ReadOf>,
}

impl View<'_> {
    fn areas(&self) -> Option<&AreaIndex> {
        self.areas.as_deref()
    }

    /// An entity that the reader may see, with its revision and its document as stored.
    fn entity(&mut self, id: EntityId) -> Result<(u64, String, Entity)> {
        let found = self.db.documents_of(self.log, &[id])?.remove(&id);
        let (rev, document) = found.ok_or_else(|| Error::refused(ProblemCode::NotFound))?;
        let entity = read_entity(&document)?;
        if may_see(&self.account, &entity, self.areas()) {
            Ok((rev, document, entity))
        } else {
            Err(Error::refused(ProblemCode::NotFound))
        }
    }

    /// Whose naming of a photo shows it.
    fn shown_by(&mut self, photo: &Hash) -> Result<ShownBy> {
        let mut shown_by = ShownBy::default();
        let server = match super::ledger::read_entity(self.db, self.log, self.log_id.into())? {
            Some(Entity::Log(log)) => Some(log.server_device),
            _ => None,
        };
        for device in self.db.holders(photo)? {
            shown_by.server |= server == Some(device);
            if let Some(Entity::Device(device)) = super::ledger::read_entity(self.db, self.log, device.into())? {
                shown_by.accounts.insert(device.account);
            }
        }
        Ok(shown_by)
    }

    /// What names a photo and shows it to the reader in this version.
    fn showing(&mut self, photo: &Hash, version: Version) -> Result<Vec<(EntityId, Entity)>> {
        let shown_by = self.shown_by(photo)?;
        let naming = self.db.naming(self.log, photo)?;
        let mut showing = Vec::new();
        for (id, (_, document)) in self.db.documents_of(self.log, &naming)? {
            let entity = read_entity(&document)?;
            if shows(self, &entity, photo, version, &shown_by) {
                showing.push((id, entity));
            }
        }
        Ok(showing)
    }

    fn has_role(&self, roles: &[Role]) -> bool {
        self.account.grants.iter().any(|grant| roles.contains(&grant.role))
    }
}

impl Sight {
    /// Reading from a store.
    pub fn new(store: Store, clock: Clock, photos: Photos, parsed: Parsed) -> Self {
        Self { store, clock, photos, parsed }
    }

    /// A page of cases, newest change first.
    ///
    /// # Errors
    /// `not_found` for a log or an area that the caller may not see.
    pub async fn cases(&self, caller: &Caller, log: LogId, query: CaseQuery) -> Result<CasePage> {
        self.in_log(caller, log, move |view| {
            let scopes = match query.area {
                None => default_scopes(&view.account, view.areas()),
                Some(area) => in_area(area),
            };
            let may_name = |scope: &Scope| may_pull(&view.account, *scope, view.areas());
            let scopes: Vec<Scope> =
                scopes.into_iter().filter(|scope| scope.node != Node::Log).filter(may_name).collect();
            if query.area.is_some() && scopes.is_empty() {
                return Err(Error::refused(ProblemCode::NotFound));
            }
            let limit = if query.unattended { unattended::LOOKED_MAX } else { query.limit.clamp(1, PAGE_MAX) };
            let before = query.before.unwrap_or(1 << 62);
            let mut found: BTreeMap<std::cmp::Reverse<u64>, EntityId> = BTreeMap::new();
            for scope in &scopes {
                let most = i64::try_from(limit.saturating_add(1)).unwrap_or(i64::MAX);
                let rows = view.db.cases_in_scope(view.log, scope, &query.filter, before, most)?;
                found.extend(rows.into_iter().map(|(rev, id)| (std::cmp::Reverse(rev), id)));
            }
            let more = found.len() > limit;
            let page: Vec<(u64, EntityId)> = found.into_iter().take(limit).map(|(rev, id)| (rev.0, id)).collect();
            let ids: Vec<EntityId> = page.iter().map(|(_, id)| *id).collect();
            let mut documents = view.db.documents_of(view.log, &ids)?;
            let next = page.last().map(|(rev, _)| *rev).filter(|_| more);
            let mut seen = Vec::with_capacity(page.len());
            for (_, id) in page {
                let Some((rev, document)) = documents.remove(&id) else { continue };
                let entity = read_entity(&document)?;
                // The scopes are the first wall; this is the second.
                if may_see(&view.account, &entity, view.areas()) && view.wants(query.unattended, &entity)? {
                    seen.push((rev, document, entity));
                }
            }
            let cases = view.masked_rows(seen)?;
            Ok(CasePage { cases, next })
        })
        .await
    }

    /// One case with the values that the caller may read.
    ///
    /// # Errors
    /// `not_found`.
    pub async fn case(&self, caller: &Caller, log: LogId, case: EntityId) -> Result<CaseView> {
        self.noting(caller, log, "case", move |view| {
            let (rev, document, entity) = view.entity(case)?;
            if !matches!(entity, Entity::Case(_)) {
                return Err(Error::refused(ProblemCode::NotFound));
            }
            let values = view.values_shown(case, &entity, &document)?;
            Ok(CaseView { row: row(rev, document)?, values })
        })
        .await
    }

    /// A page of a case's entries, oldest first.
    ///
    /// # Errors
    /// `not_found`.
    pub async fn entries(&self, caller: &Caller, log: LogId, case: EntityId, after: u64) -> Result<EntryPage> {
        self.noting(caller, log, "entries", move |view| {
            let (_, _, entity) = view.entity(case)?;
            view.note_restricted(case, &entity);
            let handles = may_read_handlers(&view.account, &entity, view.areas());
            let reader = view.account.id;
            let mut entries = view.db.entries_of_entity(view.log, case, after, PAGE_MAX.saturating_add(1))?;
            let more = entries.len() > PAGE_MAX;
            entries.truncate(PAGE_MAX);
            let next = entries.last().map(|entry| entry.rev).filter(|_| more);
            let rows = entries.into_iter().map(|entry| entry_row(entry, reader, handles)).collect();
            Ok(EntryPage { entries: rows, next })
        })
        .await
    }

    /// The bytes of a catalogue or an area tree. Everybody of the log reads them.
    ///
    /// # Errors
    /// `not_found`.
    pub async fn document(&self, caller: &Caller, log: LogId, sha256: Hash) -> Result<Vec<u8>> {
        self.in_log(caller, log, move |view| {
            view.db.document(view.log, &sha256)?.ok_or_else(|| Error::refused(ProblemCode::NotFound))
        })
        .await
    }

    /// The file of a photo, if the caller may see a case that names it by somebody who has shown its bytes. Originals go
    /// to those who oversee, and to whoever took it.
    ///
    /// # Errors
    /// `not_found`.
    pub async fn photo(&self, caller: &Caller, photo: Hash, version: Version) -> Result<(File, u64)> {
        for access in &caller.logs {
            let seen = self
                .noting(caller, access.log, "photo", move |view| {
                    let showing = view.showing(&photo, version)?;
                    // One case that shows it to everybody who sees the case is no reading of a restricted one.
                    let is_restricted =
                        |entity: &Entity| matches!(entity, Entity::Case(case) if case.restricted.is_some());
                    if let (Some((id, entity)), true) =
                        (showing.first(), showing.iter().all(|(_, entity)| is_restricted(entity)))
                    {
                        view.note_restricted(*id, entity);
                    }
                    Ok(!showing.is_empty())
                })
                .await?;
            if seen {
                return self.photos.file(photo, version).await;
            }
        }
        Err(Error::refused(ProblemCode::NotFound))
    }

    /// Where else a photo, or one that looks like it, is evidence: the cases that the caller may see. The caller must
    /// see the photo itself.
    ///
    /// # Errors
    /// `not_found`.
    pub async fn alike(&self, caller: &Caller, photo: Hash) -> Result<AlikeAnswer> {
        let mut known = false;
        let mut found = Vec::new();
        for access in &caller.logs {
            let log = access.log;
            let here = self.in_log(caller, log, move |view| {
                let known = !view.showing(&photo, Version::Large)?.is_empty();
                let mut photos = view.db.alike(&photo)?;
                photos.insert(photo, 0);
                let mut cases = Vec::new();
                for (other, bits) in photos {
                    for (case, entity) in view.showing(&other, Version::Large)? {
                        let Entity::Case(document) = entity else { continue };
                        let (short_code, number) = (document.short_code.clone(), document.number.clone());
                        cases.push(AlikeCase { log, case, short_code, number, photo: other, bits });
                    }
                }
                Ok((known, cases))
            });
            let (known_here, cases) = here.await?;
            known |= known_here;
            found.extend(cases);
        }
        if !known {
            return Err(Error::refused(ProblemCode::NotFound));
        }
        found.sort_by_key(|case| (case.bits, case.log, case.case));
        Ok(AlikeAnswer { cases: found })
    }

    /// Whether a caller is an auditor of a log, or one who oversees it.
    ///
    /// # Errors
    /// `not_found`, `forbidden`.
    pub async fn must_oversee(&self, caller: &Caller, log: LogId) -> Result<()> {
        self.in_log(caller, log, |view| {
            let may = view.has_role(&[Role::Auditor, Role::Supervisor, Role::Admin]);
            if may { Ok(()) } else { Err(Error::refused(ProblemCode::Forbidden)) }
        })
        .await
    }

    /// Reads from one snapshot of a log, with the caller's rights in it.
    async fn in_log<T: Send + 'static>(
        &self,
        caller: &Caller,
        log: LogId,
        work: impl FnOnce(&mut View<'_>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        Ok(self.looked(caller, log, work).await?.0)
    }

    /// What was read, with what of it must be noted before it is handed out.
    async fn looked<T: Send + 'static>(
        &self,
        caller: &Caller,
        log: LogId,
        work: impl FnOnce(&mut View<'_>) -> Result<T> + Send + 'static,
    ) -> Result<(T, LogNum, Vec<ReadOf>)> {
        let account = caller.in_log(log)?.account.clone();
        let parsed = self.parsed.clone();
        self.store
            .read_async(move |db| {
                let head = db.head(log)?.ok_or_else(|| Error::refused(ProblemCode::NotFound))?;
                let areas = parsed.areas_in_force(db, head.num, log)?;
                let mut view = View { db, log: head.num, log_id: log, account, areas, parsed, reads: Vec::new() };
                let found = work(&mut view)?;
                Ok((found, view.log, view.reads))
            })
            .await
    }
}

/// Who has shown the bytes of a photo.
#[derive(Debug, Default)]
struct ShownBy {
    /// The server took it in itself.
    server: bool,
    /// These accounts, by their devices.
    accounts: BTreeSet<AccountId>,
}

/// Whether an entity shows a photo to a reader. Naming a hash is no proof of having had the photo: it shows one only
/// where whoever named it has shown the bytes, or the server took them in.
fn shows(view: &View<'_>, entity: &Entity, photo: &Hash, version: Version, shown_by: &ShownBy) -> bool {
    let (evidence, area, restricted) = match entity {
        Entity::Case(case) => (&case.evidence, case.area, case.restricted.is_some()),
        Entity::LookBackTask(task) => (&task.evidence, task.area, true),
        _ => return false,
    };
    let (account, areas) = (&view.account, view.areas());
    let named: Vec<AccountId> = evidence
        .iter()
        .filter(|piece| piece.sha256 == *photo)
        .map(|piece| piece.by.account)
        .filter(|by| shown_by.server || shown_by.accounts.contains(by))
        .collect();
    if named.is_empty() {
        return false;
    }
    let oversees = account.grants.iter().any(|grant| {
        matches!(grant.role, Role::Supervisor | Role::Auditor | Role::Admin) && reaches(grant, area, areas)
    });
    // What is restricted is hidden from whoever made it, too.
    let open = !restricted || may_see(account, entity, areas);
    match version {
        Version::Small | Version::Large => may_see(account, entity, areas),
        Version::Original => open && account.disabled_rev.is_none() && (oversees || named.contains(&account.id)),
    }
}

/// An area in every class: the caller's rights sort out which may be looked into.
fn in_area(area: AreaId) -> Vec<Scope> {
    let roles = [Role::Auditor, Role::Inspector, Role::Supervisor];
    let classes = roles.into_iter().map(Class::For).chain([Class::Normal]);
    classes.map(|class| Scope { node: Node::Area(area), class }).collect()
}

fn read_entity(document: &str) -> Result<Entity> {
    Ok(serde_json::from_str(document).context("a stored document is no entity")?)
}

fn row(rev: u64, document: String) -> Result<CaseRow> {
    let document = RawValue::from_string(document).context("a stored document is no JSON")?;
    Ok(CaseRow { rev, document, masked: BTreeMap::new() })
}

/// What stands in a line that nobody has checked is for its author and for those who handle the case.
fn entry_row(entry: Entry, reader: AccountId, handles: bool) -> EntryRow {
    let outcome = entry.outcome_line();
    let checked = || serde_json::from_str::<Record>(&entry.record).is_ok_and(|record| !is_unchecked(&record));
    let readable = handles || entry.actor == reader || checked();
    let line = String::from_utf8(entry.line).ok().filter(|_| readable);
    EntryRow { actor: entry.actor, device: entry.device, leaf: entry.leaf, line, outcome }
}
