//! The scopes in which an account finds what it may see, and those that an entity lies in.

use schema::case::{Case, Restriction};
use schema::entity::{Account, Entity};
use schema::ids::AreaId;
use schema::op::Role;
use schema::sync::{Class, Node, Scope};

use super::{leaves_to, looks_back_in, neighbours, over_all, units_of};
use crate::area::AreaIndex;

/// Accounts and devices, for administrators.
pub const REGISTER: Scope = Scope { node: Node::Log, class: Class::Restricted };

/// The scopes that a device of this account should name: the log, the account, its units, the areas of its grants, what
/// is restricted to its roles there, the look-backs there for who is of no unit, for an inspector of a grid the grids that
/// touch it, for an administrator the register of accounts and devices.
pub fn default_scopes(account: &Account, areas: Option<&AreaIndex>) -> Vec<Scope> {
    if account.disabled_rev.is_some() {
        return Vec::new();
    }
    let mut scopes = vec![Scope::normal(Node::Log), Scope::normal(Node::Account(account.id))];
    scopes.extend(account.units.iter().map(|unit| Scope::normal(Node::Unit(*unit))));
    for grant in &account.grants {
        let class = Class::For(grant.role);
        if looks_back_in(account, grant.area, areas) {
            scopes.push(Scope { node: Node::Area(grant.area), class: Class::Restricted });
        }
        match grant.role {
            Role::Crew => scopes.extend(account.units.iter().map(|unit| Scope { node: Node::Unit(*unit), class })),
            Role::Inspector => {
                scopes.push(Scope { node: Node::Area(grant.area), class });
                scopes.push(Scope::normal(Node::Area(grant.area)));
                scopes.extend(neighbours(grant, areas).into_iter().map(|grid| Scope::normal(Node::Area(grid))));
            }
            Role::Supervisor | Role::Auditor => {
                scopes.push(Scope::normal(Node::Area(grant.area)));
                scopes.push(Scope { node: Node::Area(grant.area), class });
            }
            Role::Admin if over_all(grant, areas) => scopes.push(REGISTER),
            Role::Admin => {}
        }
    }
    scopes.sort();
    scopes.dedup();
    scopes
}

/// The scopes that an entity lies in now: an area and each ancestor, the maker, the units, the holder; for accounts
/// and devices the register; a look-back in the restricted class of areas. A restricted case lies only in the classes of the roles it is left to; an archived one in
/// none.
pub fn scopes_of(entity: &Entity, areas: Option<&AreaIndex>) -> Vec<Scope> {
    let mut scopes: Vec<Scope> = match entity {
        Entity::Case(case) if case.archived.is_some() => Vec::new(),
        Entity::Case(case) => match &case.restricted {
            Some(restriction) => scopes_of_restricted(case, restriction, areas),
            None => scopes_of_case(case, areas).into_iter().map(Scope::normal).collect(),
        },
        Entity::LookBackTask(task) if task.archived.is_some() => Vec::new(),
        Entity::LookBackTask(task) => {
            let nodes = area_and_above(task.area, areas).into_iter();
            nodes.map(|node| Scope { node, class: Class::Restricted }).collect()
        }
        Entity::Account(account) => {
            let over = account.grants.iter().flat_map(|grant| area_and_above(grant.area, areas));
            let nodes = over.chain([Node::Account(account.id)]);
            nodes.map(Scope::normal).chain([REGISTER]).collect()
        }
        Entity::Device(device) => vec![Scope::normal(Node::Account(device.account)), REGISTER],
        Entity::Unit(_)
        | Entity::Areas(_)
        | Entity::Catalogue(_)
        | Entity::Calendar(_)
        | Entity::Responsibilities(_)
        | Entity::Log(_) => vec![Scope::normal(Node::Log)],
    };
    scopes.sort();
    scopes.dedup();
    scopes
}

fn scopes_of_case(case: &Case, areas: Option<&AreaIndex>) -> Vec<Node> {
    let mut nodes = area_and_above(case.area, areas);
    nodes.push(Node::Account(case.reporter.account));
    nodes.extend(units_of(case).map(Node::Unit));
    nodes.extend(case.assignment.as_ref().and_then(|assignment| assignment.holder).map(Node::Account));
    nodes
}

fn scopes_of_restricted(case: &Case, restriction: &Restriction, areas: Option<&AreaIndex>) -> Vec<Scope> {
    let of_role = |role: Role| -> Vec<Scope> {
        let nodes = match role {
            Role::Inspector | Role::Supervisor | Role::Auditor => area_and_above(case.area, areas),
            Role::Crew => units_of(case).map(Node::Unit).collect(),
            Role::Admin => Vec::new(),
        };
        nodes.into_iter().map(|node| Scope { node, class: Class::For(role) }).collect()
    };
    let roles = [Role::Auditor, Role::Crew, Role::Inspector, Role::Supervisor];
    roles.into_iter().filter(|role| leaves_to(restriction, *role)).flat_map(of_role).collect()
}

fn area_and_above(area: AreaId, areas: Option<&AreaIndex>) -> Vec<Node> {
    let path = areas.map(|index| index.path(area)).unwrap_or_default();
    let known = !path.is_empty();
    path.into_iter().chain((!known).then_some(area)).map(Node::Area).collect()
}
