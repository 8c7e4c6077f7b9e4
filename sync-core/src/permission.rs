//! Who may see and who may do: roles, areas, units. One table.

use schema::entity::{Account, Entity};
use schema::sync::Scope;

use crate::area::AreaIndex;

/// Whether an account may see an entity: by a grant over its area, by its units, or because it made it.
pub fn may_see(account: &Account, entity: &Entity, areas: Option<&AreaIndex>) -> bool {
    let _ = (account, entity, areas);
    todo!()
}

/// Whether an account may read the values of class `handlers` of an entity.
pub fn may_read_handlers(account: &Account, entity: &Entity, areas: Option<&AreaIndex>) -> bool {
    let _ = (account, entity, areas);
    todo!()
}

/// Whether an account may name a scope in a pull.
pub fn may_pull(account: &Account, scope: Scope, areas: Option<&AreaIndex>) -> bool {
    let _ = (account, scope, areas);
    todo!()
}

/// The scopes that a device of this account should name: the log, the account, its units, the areas of its grants,
/// and for an inspector of a grid the grids that touch it.
pub fn default_scopes(account: &Account, areas: Option<&AreaIndex>) -> Vec<Scope> {
    let _ = (account, areas);
    todo!()
}

/// The scopes that an entity lies in now.
pub fn scopes_of(entity: &Entity, areas: Option<&AreaIndex>) -> Vec<Scope> {
    let _ = (entity, areas);
    todo!()
}
