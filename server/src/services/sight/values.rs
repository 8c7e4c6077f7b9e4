//! Personal values as their readers see them: whole in one case, masked in lists.

use std::collections::BTreeMap;

use schema::api::CaseRow;
use schema::case::{Case, FieldName};
use schema::catalogue::{Catalogue, Code, FieldKind, Mask, ReaderClass};
use schema::entity::Entity;
use schema::ids::EntityId;
use schema::op::{Sealed, SealedValue};
use sync_core::case::kind_of;
use sync_core::catalogue::{field, masked, subtype};
use sync_core::permission::may_read_handlers;

use super::{View, row};
use crate::error::Result;
use crate::store::{KeptValue, ReadOf, is_named_in};

impl View<'_> {
    /// The values that a case shows to this reader; those that are not for every reader of the case are noted as read.
    pub(super) fn values_shown(&mut self, id: EntityId, entity: &Entity, document: &str) -> Result<Vec<SealedValue>> {
        let handles = may_read_handlers(&self.account, entity, self.areas());
        let mut kept = self.db.values_of(self.log, &[id])?;
        kept.retain(|kept| is_readable(kept, handles) && is_named_in(document, &kept.value.sealed));
        self.note_values(id, &kept);
        self.note_restricted(id, entity);
        Ok(kept.into_iter().map(|kept| kept.value).collect())
    }

    /// Cases as rows of a list, with the personal fields that this reader may read, masked.
    pub(super) fn masked_rows(&mut self, cases: Vec<(u64, String, Entity)>) -> Result<Vec<CaseRow>> {
        let handled: Vec<EntityId> = cases
            .iter()
            .filter(|(_, _, entity)| may_read_handlers(&self.account, entity, self.areas()))
            .filter_map(|(_, _, entity)| if let Entity::Case(case) = entity { Some(case.id) } else { None })
            .collect();
        let mut values: BTreeMap<EntityId, Vec<KeptValue>> = BTreeMap::new();
        for kept in self.db.values_of(self.log, &handled)? {
            values.entry(kept.entity).or_default().push(kept);
        }
        let mut rows = Vec::with_capacity(cases.len());
        for (rev, document, entity) in cases {
            let mut row = row(rev, document)?;
            if let Entity::Case(case) = &entity
                && let Some(values) = values.get(&case.id)
            {
                row.masked = self.masked_fields(case, values)?;
            }
            rows.push(row);
        }
        Ok(rows)
    }

    fn masked_fields(&mut self, case: &Case, values: &[KeptValue]) -> Result<BTreeMap<Code, String>> {
        let catalogue = match case.catalogue {
            Some(sha256) => self.parsed.catalogue(self.db, self.log, sha256)?,
            None => None,
        };
        let mut fields = BTreeMap::new();
        for (name, held) in &case.fields {
            let FieldName::Field(code) = name else { continue };
            let Ok(sealed) = serde_json::from_value::<Sealed>(held.value.clone()) else { continue };
            if let Some(kept) = values.iter().find(|kept| kept.value.sealed == sealed.sealed) {
                let mask = catalogue.as_deref().map_or(Mask::Whole, |catalogue| mask_of(catalogue, case, code));
                fields.insert(code.clone(), masked(mask, &kept.value.value));
            }
        }
        Ok(fields)
    }

    /// Notes the reading of values that are for some readers only.
    pub(super) fn note_values(&mut self, entity: EntityId, kept: &[KeptValue]) {
        let personal = kept.iter().filter(|kept| kept.class != ReaderClass::CaseReaders);
        let values: Vec<_> = personal.map(|kept| kept.value.sealed).collect();
        if !values.is_empty() {
            self.reads.push(ReadOf { entity, values });
        }
    }

    /// Notes the reading of a case that is restricted.
    pub(super) fn note_restricted(&mut self, id: EntityId, entity: &Entity) {
        if matches!(entity, Entity::Case(case) if case.restricted.is_some()) {
            self.reads.push(ReadOf { entity: id, values: Vec::new() });
        }
    }
}

/// Whether a value is for this reader of its case.
pub(super) fn is_readable(kept: &KeptValue, handles: bool) -> bool {
    match kept.class {
        ReaderClass::CaseReaders => true,
        ReaderClass::Handlers => handles,
    }
}

fn mask_of(catalogue: &Catalogue, case: &Case, code: &Code) -> Mask {
    let kind = kind_of(case);
    let found = kind.and_then(|(category, kind)| subtype(catalogue, &category, &kind));
    match found.and_then(|(_, found)| field(found, code)).map(|spec| &spec.holds) {
        Some(FieldKind::Personal { mask, .. }) => *mask,
        _ => Mask::Whole,
    }
}
