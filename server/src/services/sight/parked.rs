//! Reading what waits for a person: each op with what is needed to judge it. It decides nothing.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use schema::api::{ParkedPage, ParkedRow};
use schema::entity::Entity;
use schema::ids::LogId;
use schema::limits::PAGE_BYTES_MAX;
use schema::op::{Role, SealedValue};
use schema::problem::ProblemCode;
use sync_core::area::AreaIndex;
use sync_core::permission::{may_read_handlers, may_see};

use super::values::is_readable;
use super::{PAGE_MAX, Sight, View, read_entity};
use crate::error::{Error, Result};
use crate::services::accounts::Caller;
use crate::store::{self, is_named_in};

impl Sight {
    /// A page of the ops that wait for a person: those on what the caller may see, and all of them for whoever
    /// supervises or administers the whole log.
    ///
    /// # Errors
    /// `not_found`, `forbidden`.
    pub async fn parked(&self, caller: &Caller, log: LogId, after: u64) -> Result<ParkedPage> {
        self.noting(caller, log, "parked", move |view| {
            if !view.has_role(&[Role::Supervisor, Role::Admin]) {
                return Err(Error::refused(ProblemCode::Forbidden));
            }
            let rows = view.db.parked_after(view.log, after, PAGE_MAX.saturating_add(1))?;
            let mut page = ParkedPage { parked: Vec::new(), next: None };
            let (mut last, mut bytes) = (None, 0_usize);
            for (n, found) in rows.into_iter().enumerate() {
                // A line that is too long to be taken is kept all the same: a page ends by its bytes, too.
                if n >= PAGE_MAX || bytes >= PAGE_BYTES_MAX {
                    page.next = last;
                    break;
                }
                last = Some(found.rev);
                if let Some(row) = view.parked_row(found)? {
                    bytes = bytes.saturating_add(size(&row));
                    page.parked.push(row);
                }
            }
            Ok(page)
        })
        .await
    }
}

impl View<'_> {
    /// An op in custody as its reader may see it; none if not at all.
    fn parked_row(&mut self, found: store::ParkedRow) -> Result<Option<ParkedRow>> {
        if self.is_hidden(&found)? {
            return Ok(None);
        }
        let supervises = self.has_over_all(&[Role::Supervisor]);
        let entity = self.entity(found.entity).ok().map(|(_, _, entity)| entity);
        if entity.is_none() && !supervises && !self.has_over_all(&[Role::Admin]) {
            return Ok(None);
        }
        // Of a line that can't be read nobody can tell whose case it is about.
        let reads = supervises || (entity.is_some() && !found.unreadable);
        let (mut line, mut line_base64, mut values) = (None, None, Vec::new());
        if reads && let Some(entry) = self.db.entries_of_ops(self.log, &[found.op])?.pop() {
            (line, line_base64) = written(entry.line);
            let handlers = match &entity {
                Some(case @ Entity::Case(_)) => may_read_handlers(&self.account, case, self.areas()),
                _ => supervises,
            };
            values = self.values_behind(&found, line.as_deref(), handlers)?;
        }
        let store::ParkedRow { rev, op, entity, device, code, .. } = found;
        Ok(Some(ParkedRow { rev, op, entity, device, code, line, line_base64, values }))
    }

    fn values_behind(
        &mut self,
        found: &store::ParkedRow,
        line: Option<&str>,
        handlers: bool,
    ) -> Result<Vec<SealedValue>> {
        let mut kept = self.db.values_of(self.log, &[found.entity])?;
        kept.retain(|kept| {
            let named = line.is_some_and(|line| is_named_in(line, &kept.value.sealed));
            is_readable(kept, handlers) && (named || kept.rev == found.rev)
        });
        self.note_values(found.entity, &kept);
        Ok(kept.into_iter().map(|kept| kept.value).collect())
    }

    /// Whether an op is about something restricted that the reader may not know of, whatever else it supervises.
    fn is_hidden(&mut self, found: &store::ParkedRow) -> Result<bool> {
        let Some((_, document)) = self.db.documents_of(self.log, &[found.entity])?.remove(&found.entity) else {
            return Ok(false);
        };
        let entity = read_entity(&document)?;
        let restricted = matches!(&entity, Entity::Case(case) if case.restricted.is_some());
        Ok(restricted && !may_see(&self.account, &entity, self.areas()))
    }

    /// Whether the reader has one of these roles over the whole log.
    pub(super) fn has_over_all(&self, roles: &[Role]) -> bool {
        let root = self.areas().map(AreaIndex::root);
        let grants = &self.account.grants;
        grants.iter().any(|grant| roles.contains(&grant.role) && root.is_none_or(|root| root == grant.area))
    }
}

/// A line as text, or in base64 if it is none.
fn written(line: Vec<u8>) -> (Option<String>, Option<String>) {
    match String::from_utf8(line) {
        Ok(text) => (Some(text), None),
        Err(other) => (None, Some(STANDARD.encode(other.as_bytes()))),
    }
}

fn size(row: &ParkedRow) -> usize {
    let text = |text: &Option<String>| text.as_ref().map_or(0, String::len);
    let values: usize = row.values.iter().map(|value| value.value.len()).sum();
    text(&row.line).saturating_add(text(&row.line_base64)).saturating_add(values)
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_line_that_is_no_text_is_told_in_base64() {
        assert_eq!(super::written(b"{}".to_vec()), (Some("{}".into()), None));
        assert_eq!(super::written(vec![0xff, 0]), (None, Some("/wA=".into())));
    }
}
