//! Area trees as the operator changes them: shown first, then at once or at a date.

use anyhow::Context;
use jiff::civil::Date;
use schema::area::AreaTree;
use schema::entity::{DocumentInForce, Entity};
use schema::ids::{AreaId, EntityId, GrantId};
use schema::op::{Body, CancelAreas, Grant, ImportDocument, PlanAreas, Role};
use serde::Serialize;
use sync_core::area::AreaIndex;
use sync_core::line::{consequence_id, sha256, singleton_id};

use super::{Installation, must_be_accepted};
use crate::error::{Error, Result};
use crate::services::changes::{AreaChange, area_change};
use crate::services::documents;
use crate::services::ledger::{Append, ServerOp, read_entity};
use crate::store::LogHead;

/// A change of boundaries that will take effect.
#[derive(Debug, Clone, Serialize)]
pub struct PlannedAreas {
    /// When, in ms.
    pub from_ms: u64,
    /// What it would change by now.
    pub change: AreaChange,
}

impl Installation {
    /// What an area tree would change.
    ///
    /// # Errors
    /// It is no tree; or the server's own.
    pub async fn area_change(&self, tree: &AreaTree) -> Result<AreaChange> {
        let head = self.only_log().await?;
        self.area_change_in(&head, tree.clone()).await
    }

    async fn area_change_in(&self, head: &LogHead, tree: AreaTree) -> Result<AreaChange> {
        let (num, log, parsed) = (head.num, head.log, self.ledger.parsed().clone());
        self.store
            .read_async(move |db| {
                let now = match read_entity(db, num, singleton_id(log, "areas"))? {
                    Some(Entity::Areas(now)) => parsed.areas(db, num, now.sha256)?.map(|index| (now.version, index)),
                    _ => None,
                };
                let now = now.as_ref().map(|(version, index)| (version.as_str(), index.as_ref()));
                area_change(db, num, now, &tree)
            })
            .await
    }

    /// Puts an area tree in force. Administrators of the whole log stay that.
    ///
    /// # Errors
    /// Its faults, for the operator to read.
    pub async fn import_areas(&self, tree: &AreaTree) -> Result<()> {
        let root = AreaIndex::new(tree).context("this is no area tree")?.root();
        let bytes = serde_json::to_vec(tree).context("writing an area tree")?;
        let head = self.only_log().await?;
        let entry = documents::import_areas(&self.ledger, head.log, bytes).await?;
        must_be_accepted(&[entry])?;
        self.keep_administrators(&head, root).await
    }

    /// Who administered the log before it had areas administers its root area.
    async fn keep_administrators(&self, head: &LogHead, root: AreaId) -> Result<()> {
        for entity in self.entities(head, "account").await? {
            let Entity::Account(account) = entity else { continue };
            let of_log = |area: AreaId| area.0 == head.log.0;
            let missing = account.grants.iter().any(|grant| of_log(grant.area))
                && !account.grants.iter().any(|grant| grant.area == root && grant.role == Role::Admin);
            if missing {
                let body = Body::Grant(Grant {
                    grant: GrantId(self.new_id()?),
                    role: Role::Admin,
                    area: root,
                    until_ms: None,
                });
                self.append(head.log, EntityId::from(account.id), vec![body]).await?;
            }
        }
        Ok(())
    }

    /// Plans an area tree: it takes effect when a day begins in the district's time zone.
    ///
    /// # Errors
    /// The day is not to come; another tree is planned; no tree is in force yet.
    pub async fn plan_areas(&self, tree: &AreaTree, from: Date) -> Result<u64> {
        let head = self.only_log().await?;
        let from_ms = self.begins(&head, from).await?;
        if from_ms <= self.clock.now_ms() {
            return Err(Error::fault(
                format!("{from} 已经开始：请给出以后的日期，或去掉 --effective 立即生效"),
                format!("{from} has begun: name a day to come, or leave out --effective"),
            ));
        }
        match self.areas_in_force(&head).await? {
            None => {
                return Err(Error::fault(
                    "还没有区域，第一次导入须立即生效：请去掉 --effective",
                    "there are no areas yet, and the first ones take effect at once: leave out --effective",
                ));
            }
            Some(DocumentInForce { planned: Some(_), .. }) => {
                return Err(Error::fault(
                    "已有一次待生效的区域变更：请先用 areas cancel 取消",
                    "a change of areas is planned already: areas cancel it first",
                ));
            }
            Some(_) => {}
        }
        let bytes = serde_json::to_vec(tree).context("writing an area tree")?;
        let (sha256, size) = (sha256(&bytes), u64::try_from(bytes.len()).unwrap_or(u64::MAX));
        let document = ImportDocument { sha256, size, version: tree.version.clone() };
        let ops =
            vec![ServerOp::fresh(singleton_id(head.log, "areas"), Body::PlanAreas(PlanAreas { document, from_ms }))?];
        let append = Append { documents: vec![(sha256, bytes)], ops };
        must_be_accepted(&self.ledger.append(head.log, append).await?)?;
        Ok(from_ms)
    }

    /// What is planned, with what it would change by now.
    ///
    /// # Errors
    /// The server's own.
    pub async fn planned_areas(&self) -> Result<Option<PlannedAreas>> {
        let head = self.only_log().await?;
        let Some(planned) = self.areas_in_force(&head).await?.and_then(|it| it.planned) else { return Ok(None) };
        let tree = self.tree(&head, planned.sha256).await?;
        Ok(Some(PlannedAreas { from_ms: planned.from_ms, change: self.area_change_in(&head, tree).await? }))
    }

    /// Takes back what is planned.
    ///
    /// # Errors
    /// Nothing is planned.
    pub async fn cancel_areas(&self) -> Result<()> {
        let head = self.only_log().await?;
        let Some(planned) = self.areas_in_force(&head).await?.and_then(|it| it.planned) else {
            return Err(Error::fault("没有待生效的区域变更", "no change of areas is planned"));
        };
        let body = Body::CancelAreas(CancelAreas { sha256: planned.sha256 });
        self.append(head.log, singleton_id(head.log, "areas"), vec![body]).await
    }

    /// Puts planned trees in force whose time has come, and goes on with placing cases that was interrupted. Whichever
    /// server does it, it is entered once. A tree that somebody's grant would fall out of is not put in force: it waits
    /// until that is mended or it is cancelled, and says so each time.
    ///
    /// # Errors
    /// The server's own.
    pub async fn areas_due(&self) -> Result<()> {
        for head in self.heads().await? {
            let planned = self.areas_in_force(&head).await?.and_then(|it| it.planned);
            if let Some(planned) = planned.filter(|it| it.from_ms <= self.clock.now_ms()) {
                let tree = self.tree(&head, planned.sha256).await?;
                let errors = self.area_change_in(&head, tree).await?.errors;
                if errors.is_empty() {
                    let document =
                        ImportDocument { sha256: planned.sha256, size: planned.size, version: planned.version };
                    let op = ServerOp {
                        id: consequence_id(head.log, planned.op, "import_areas", 0),
                        entity: singleton_id(head.log, "areas"),
                        body: Body::ImportAreas(document),
                        values: Vec::new(),
                    };
                    must_be_accepted(
                        &self.ledger.append(head.log, Append { ops: vec![op], ..Append::default() }).await?,
                    )?;
                } else {
                    let why: Vec<&str> = errors.iter().map(|error| error.en.as_str()).collect();
                    tracing::warn!(log.id = %head.log, why = why.join("; "), "a planned change of areas can't take effect");
                }
            }
            self.ledger.place_cases(head.log).await?;
        }
        Ok(())
    }

    async fn areas_in_force(&self, head: &LogHead) -> Result<Option<DocumentInForce>> {
        let (num, id) = (head.num, singleton_id(head.log, "areas"));
        let found = self.store.read_async(move |db| -> Result<_> { Ok(read_entity(db, num, id)?) }).await?;
        Ok(match found {
            Some(Entity::Areas(it)) => Some(it),
            _ => None,
        })
    }

    async fn tree(&self, head: &LogHead, sha256: schema::hash::Hash) -> Result<AreaTree> {
        let num = head.num;
        let bytes = self.store.read_async(move |db| -> Result<_> { Ok(db.document(num, &sha256)?) }).await?;
        let bytes = bytes.context("the planned areas are not here")?;
        Ok(serde_json::from_slice(&bytes).context("the planned areas can't be read")?)
    }
}

#[cfg(test)]
mod tests;
