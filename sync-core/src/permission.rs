//! Who may see and who may do: roles, areas, units. One table.

use schema::case::{Case, Restriction};
use schema::entity::{Account, Entity, Granted, LookBackTask};
use schema::ids::{AreaId, UnitId};
use schema::op::{Body, Role};
use schema::record::Acting;
use schema::sync::{Class, Node, Scope};

use crate::area::AreaIndex;
use crate::registry::rules_for;

mod scopes;

pub use scopes::{REGISTER, default_scopes, scopes_of};

/// The roles that may ask for a kind; none: only the server.
pub fn roles_for(body: &Body) -> &'static [Role] {
    use Role::{Admin, Auditor, Crew, Inspector, Supervisor};
    match body {
        Body::Report(_) | Body::Amend(_) | Body::AddEvidence(_) | Body::WithdrawEvidence(_) | Body::Comment(_) => {
            &[Supervisor, Inspector, Crew]
        }
        Body::SettleOnSite(_) | Body::Check(_) | Body::InterimCheck(_) => &[Supervisor, Inspector],
        Body::LookBack(_) => &[Supervisor, Inspector, Auditor],
        Body::PlanLookBack(_) | Body::DropLookBack(_) | Body::Relapse(_) => &[],
        Body::Accept(_) | Body::ReturnAssignment(_) | Body::SubmitFix(_) | Body::FinishHelp(_) => &[Crew],
        Body::RequestExtension(_) | Body::AppealOverdue(_) => &[Crew],
        Body::DecideExtension(_) | Body::EndStage(_) => &[Supervisor, Crew],
        Body::File(_)
        | Body::Decline(_)
        | Body::LinkDuplicate(_)
        | Body::UnlinkDuplicate(_)
        | Body::Assign(_)
        | Body::Close(_)
        | Body::WaiveEvidence(_)
        | Body::Reopen(_)
        | Body::Void(_)
        | Body::Suspend(_)
        | Body::Resume(_)
        | Body::Supervise(_)
        | Body::Urge(_)
        | Body::DecideAppeal(_)
        | Body::Release(_) => &[Supervisor],
        Body::Discard(_) => &[Supervisor, Admin],
        Body::DecideSilence(_) => &[Supervisor],
        Body::AcknowledgeEpoch(_) => &[Auditor, Admin],
        Body::ImportAreas(_)
        | Body::ImportCatalogue(_)
        | Body::ImportCalendar(_)
        | Body::ImportResponsibilities(_)
        | Body::PlanAreas(_)
        | Body::CancelAreas(_)
        | Body::SetUnit(_)
        | Body::SetAccount(_)
        | Body::Grant(_)
        | Body::RevokeGrant(_)
        | Body::SetMembership(_)
        | Body::MergeUnit(_)
        | Body::DisableAccount(_)
        | Body::EnrolDevice(_)
        | Body::RevokeDevice(_) => &[Admin],
        Body::SetAbsent(_) | Body::EndAbsence(_) => &[Admin, Supervisor, Inspector, Crew],
        Body::HandOver(_) => &[Admin, Supervisor],
        Body::Restrict(_) => &[Supervisor, Auditor],
        Body::PhotoVerified(_)
        | Body::IssueDeadline(_)
        | Body::MarkDueSoon(_)
        | Body::MarkOverdue(_)
        | Body::Escalate(_)
        | Body::AskInterimCheck(_)
        | Body::LiftRestriction(_)
        | Body::Archive(_)
        | Body::RedactValue(_)
        | Body::Rescope(_)
        | Body::StandIn(_)
        | Body::TakeOver(_)
        | Body::Place(_)
        | Body::AbsorbDuplicate(_)
        | Body::ReleaseDuplicate(_)
        | Body::CreateLog(_)
        | Body::StartEpoch(_)
        | Body::NoteSilence(_)
        | Body::Unreadable(_) => &[],
    }
}

/// Whether a grant reaches an area: its own and everything below.
pub fn reaches(grant: &Granted, area: AreaId, areas: Option<&AreaIndex>) -> bool {
    grant.area == area || areas.is_some_and(|index| index.covers(grant.area, area))
}

/// Whether an account works for a unit that must fix this case.
pub fn works_for(account: &Account, case: &Case) -> bool {
    case.assignment.as_ref().is_some_and(|assignment| {
        account.units.contains(&assignment.unit) || assignment.co_units.iter().any(|unit| account.units.contains(unit))
    })
}

/// Whether a grant of crew is for a unit that must fix this case: a deputy's for the units of the one who is away, one's
/// own for one's own.
fn works_by(account: &Account, grant: &Granted, case: &Case) -> bool {
    units_of(case).any(|unit| match grant.standing_in {
        None => account.own_units().any(|own| own == unit),
        Some(absent) => account.stands_in.iter().any(|it| it.absent == absent && it.units.contains(&unit)),
    })
}

/// The grant by which an account does this to a case: the highest role that the kind allows and that covers the case.
/// Inspectors and supervisors are covered by area (or because they made it, for what every maker may do), crew by
/// unit. Reporting is not tied to an area: `place`, the area reported from, only prefers the grant that covers it.
pub fn acting(
    account: &Account,
    body: &Body,
    case: Option<&Case>,
    place: Option<AreaId>,
    areas: Option<&AreaIndex>,
) -> Option<Acting> {
    let roles = roles_for(body);
    let grants = || account.grants.iter().filter(|grant| roles.contains(&grant.role));
    let best = match case {
        None => grants().filter(|grant| !rules_for(body) || rules_over(grant, body, areas)).max_by_key(|grant| {
            let covers = place.is_some_and(|area| reaches(grant, area, areas));
            (covers, grant.role, height(grant, areas), grant.standing_in.is_none(), std::cmp::Reverse(grant.rev))
        }),
        Some(case) => grants()
            .filter(|grant| match grant.role {
                Role::Crew => works_by(account, grant, case) || (is_maker(account, case) && for_makers(body)),
                Role::Inspector | Role::Supervisor | Role::Auditor | Role::Admin => {
                    reaches(grant, case.area, areas) || (is_maker(account, case) && for_makers(body))
                }
            })
            .max_by_key(|grant| {
                let covers = reaches(grant, case.area, areas);
                let own = grant.standing_in.is_none();
                (covers, grant.role, height(grant, areas), own, std::cmp::Reverse(grant.rev))
            }),
    };
    best.map(acting_by)
}

fn acting_by(grant: &Granted) -> Acting {
    let Granted { role, grant, rev, area, standing_in, .. } = *grant;
    Acting { role, grant, rev, area, standing_in }
}

/// A supervisor hands over what lies in the own area; everything else of the register is for the whole log.
fn rules_over(grant: &Granted, body: &Body, areas: Option<&AreaIndex>) -> bool {
    over_all(grant, areas) || (grant.role == Role::Supervisor && matches!(body, Body::HandOver(_)))
}

/// The grant by which an account says that somebody is away or back: any of one's own; else one that reaches all that the
/// other may do, since it is lent to a deputy.
pub(crate) fn acting_on_person(account: &Account, entity: &Entity, areas: Option<&AreaIndex>) -> Option<Acting> {
    let Entity::Account(of) = entity else { return None };
    let reaches_all = |grant: &Granted| match grant.role {
        Role::Admin => over_all(grant, areas),
        Role::Supervisor => {
            of.own_grants().next().is_some() && of.own_grants().all(|it| reaches(grant, it.area, areas))
        }
        Role::Auditor | Role::Crew | Role::Inspector => false,
    };
    let mut own = account.own_grants().filter(|grant| grant.role != Role::Auditor);
    let found = if account.id == of.id {
        own.max_by_key(|grant| (grant.role, std::cmp::Reverse(grant.rev)))
    } else {
        own.find(|grant| reaches_all(grant))
    };
    found.map(acting_by)
}

/// The roles that look back, each over the area of its grant.
const LOOK_BACK_ROLES: [Role; 3] = [Role::Auditor, Role::Inspector, Role::Supervisor];

/// Whether an account may know when somebody looks back in an area: nobody of a unit does, whichever unit it is, for
/// what lies in a scope is told to all who may name it.
fn looks_back_in(account: &Account, area: AreaId, areas: Option<&AreaIndex>) -> bool {
    account.units.is_empty()
        && account.grants.iter().any(|grant| LOOK_BACK_ROLES.contains(&grant.role) && reaches(grant, area, areas))
}

/// The grant by which an account looks back: the highest role over the area of the task.
pub(crate) fn acting_on_task(
    account: &Account,
    body: &Body,
    task: &LookBackTask,
    areas: Option<&AreaIndex>,
) -> Option<Acting> {
    let roles = roles_for(body);
    let over = |grant: &&Granted| roles.contains(&grant.role) && reaches(grant, task.area, areas);
    let rank = |grant: &&Granted| {
        (grant.role, height(grant, areas), grant.standing_in.is_none(), std::cmp::Reverse(grant.rev))
    };
    account.grants.iter().filter(over).max_by_key(rank).map(acting_by)
}

/// Whether an account could have looked back on a task once, by a grant that ended since it was planned.
pub(crate) fn had_task(account: &Account, task: &LookBackTask, areas: Option<&AreaIndex>) -> bool {
    account.units.is_empty()
        && account.past_grants.iter().any(|past| {
            let granted = &past.granted;
            past.ended_rev > task.planned_rev
                && LOOK_BACK_ROLES.contains(&granted.role)
                && reaches(granted, task.area, areas)
        })
}

/// How high in the tree a grant lies: more is higher.
fn height(grant: &Granted, areas: Option<&AreaIndex>) -> std::cmp::Reverse<usize> {
    std::cmp::Reverse(areas.map_or(0, |index| index.path(grant.area).len()))
}

/// Whether a grant is for the whole district: accounts, units, devices and documents belong to no smaller area.
pub(crate) fn over_all(grant: &Granted, areas: Option<&AreaIndex>) -> bool {
    areas.is_none_or(|index| reaches(grant, index.root(), Some(index)))
}

fn administers(account: &Account, areas: Option<&AreaIndex>) -> bool {
    account.grants.iter().any(|grant| grant.role == Role::Admin && over_all(grant, areas))
}

fn is_maker(account: &Account, case: &Case) -> bool {
    case.reporter.account == account.id
}

/// What everybody may do to a case they made.
pub(crate) fn for_makers(body: &Body) -> bool {
    matches!(body, Body::Amend(_) | Body::AddEvidence(_) | Body::WithdrawEvidence(_) | Body::Comment(_))
}

/// Whether a restriction leaves a case to a role: those it names, and auditors, from whom nothing is hidden.
pub fn leaves_to(restriction: &Restriction, role: Role) -> bool {
    role == Role::Auditor || restriction.roles.contains(&role)
}

/// Whether an account may see a restricted case: by a grant of a role it is left to, and by nothing else.
fn sees_restricted(account: &Account, case: &Case, restriction: &Restriction, areas: Option<&AreaIndex>) -> bool {
    account.grants.iter().filter(|grant| leaves_to(restriction, grant.role)).any(|grant| match grant.role {
        Role::Inspector | Role::Supervisor | Role::Auditor => reaches(grant, case.area, areas),
        Role::Crew => works_for(account, case),
        Role::Admin => false,
    })
}

/// Whether an account may see an entity: by a grant over its area, by its units, or because it made it.
pub fn may_see(account: &Account, entity: &Entity, areas: Option<&AreaIndex>) -> bool {
    if account.disabled_rev.is_some() {
        return false;
    }
    let over = |area: AreaId, roles: &[Role]| {
        account.grants.iter().any(|grant| roles.contains(&grant.role) && reaches(grant, area, areas))
    };
    let on_the_ground = [Role::Inspector, Role::Supervisor, Role::Auditor];
    let administers = administers(account, areas);
    match entity {
        Entity::Case(case) => {
            if let Some(restriction) = &case.restricted {
                return sees_restricted(account, case, restriction, areas);
            }
            over(case.area, &on_the_ground)
                || next_door(account, case.area, areas)
                || is_maker(account, case)
                || works_for(account, case)
                || case.assignment.as_ref().is_some_and(|assignment| assignment.holder == Some(account.id))
        }
        Entity::LookBackTask(task) => looks_back_in(account, task.area, areas),
        Entity::Account(other) => {
            let near = |area: AreaId| over(area, &on_the_ground) || next_door(account, area, areas);
            other.id == account.id || administers || other.grants.iter().any(|grant| near(grant.area))
        }
        Entity::Device(device) => device.account == account.id || administers,
        Entity::Unit(_)
        | Entity::Areas(_)
        | Entity::Catalogue(_)
        | Entity::Calendar(_)
        | Entity::Responsibilities(_)
        | Entity::Log(_) => true,
    }
}

/// Whether an account may read the values of class `handlers` of an entity: supervisors and auditors of its area,
/// the units that must fix it, and its maker.
pub fn may_read_handlers(account: &Account, entity: &Entity, areas: Option<&AreaIndex>) -> bool {
    let Entity::Case(case) = entity else { return false };
    may_see(account, entity, areas)
        && (is_maker(account, case)
            || works_for(account, case)
            || account.grants.iter().any(|grant| {
                matches!(grant.role, Role::Supervisor | Role::Auditor) && reaches(grant, case.area, areas)
            }))
}

/// Whether an account may name a scope in a pull.
pub fn may_pull(account: &Account, scope: Scope, areas: Option<&AreaIndex>) -> bool {
    if account.disabled_rev.is_some() {
        return false;
    }
    match scope.class {
        Class::Normal => {}
        Class::Restricted => {
            return match scope.node {
                Node::Log => administers(account, areas),
                Node::Area(area) => looks_back_in(account, area, areas),
                Node::Unit(_) | Node::Account(_) => false,
            };
        }
        Class::For(role) => return may_pull_for(account, scope.node, role, areas),
    }
    match scope.node {
        Node::Log => true,
        Node::Account(id) => id == account.id,
        Node::Unit(id) => account.units.contains(&id),
        Node::Area(area) => account.grants.iter().any(|grant| match grant.role {
            Role::Supervisor | Role::Auditor => reaches(grant, area, areas),
            Role::Inspector => reaches(grant, area, areas) || neighbours(grant, areas).contains(&area),
            Role::Crew | Role::Admin => false,
        }),
    }
}

/// Whether an account may name what is restricted to a role: by a grant of that role over the node.
fn may_pull_for(account: &Account, node: Node, role: Role, areas: Option<&AreaIndex>) -> bool {
    account.grants.iter().filter(|grant| grant.role == role).any(|grant| match (role, node) {
        (Role::Inspector | Role::Supervisor | Role::Auditor, Node::Area(area)) => reaches(grant, area, areas),
        (Role::Crew, Node::Unit(unit)) => account.units.contains(&unit),
        _ => false,
    })
}

/// Whether an area touches a grid that this account inspects: it reads there, and acts only in its own.
fn next_door(account: &Account, area: AreaId, areas: Option<&AreaIndex>) -> bool {
    let inspects = account.grants.iter().filter(|grant| grant.role == Role::Inspector);
    inspects.into_iter().any(|grant| neighbours(grant, areas).contains(&area))
}

/// The grids that touch an inspector's own grid: the round does not end at the boundary.
fn neighbours(grant: &Granted, areas: Option<&AreaIndex>) -> Vec<AreaId> {
    areas.map(|index| index.touching(grant.area)).unwrap_or_default()
}

fn units_of(case: &Case) -> impl Iterator<Item = UnitId> {
    case.assignment.iter().flat_map(|it| std::iter::once(it.unit).chain(it.co_units.iter().copied()))
}
