//! What the views say of an entity beside its document. It knows no database.

use std::collections::BTreeMap;

use schema::entity::Entity;
use schema::hash::Hash;
use sync_core::case::kind_of;

use crate::store::Listed;

/// The photos that an entity names, each with whether all its claims are told as arrived.
pub(super) fn photos_named(entity: &Entity) -> BTreeMap<Hash, bool> {
    let evidence = match entity {
        Entity::Case(case) => &case.evidence,
        Entity::LookBackTask(task) => &task.evidence,
        _ => return BTreeMap::new(),
    };
    let mut photos = BTreeMap::new();
    for evidence in evidence {
        *photos.entry(evidence.sha256).or_insert(true) &= evidence.verified_rev.is_some();
    }
    photos
}

pub(super) fn listed(entity: &Entity) -> Listed {
    let Entity::Case(case) = entity else { return Listed::default() };
    let kind = kind_of(case);
    Listed {
        short_code: Some(case.short_code.clone()),
        number: case.number.clone(),
        area: Some(case.area),
        category: kind.as_ref().map(|(category, _)| category.to_string()),
        subtype: kind.as_ref().map(|(_, subtype)| subtype.to_string()),
    }
}

pub(super) fn kind_name(entity: &Entity) -> &'static str {
    match entity {
        Entity::Case(_) => "case",
        Entity::LookBackTask(_) => "look_back_task",
        Entity::Account(_) => "account",
        Entity::Device(_) => "device",
        Entity::Unit(_) => "unit",
        Entity::Areas(_) => "areas",
        Entity::Catalogue(_) => "catalogue",
        Entity::Calendar(_) => "calendar",
        Entity::Responsibilities(_) => "responsibilities",
        Entity::Log(_) => "log",
    }
}
