//! What each person may have, from the words of the design (§2, §4, §5, §14). It knows facts, and none of the
//! product's functions.

use std::collections::BTreeMap;

use schema::case::Case;
use schema::entity::Account;
use schema::ids::{AccountId, AreaId, EntityId};
use schema::op::Role;

/// The facts of one district.
pub(super) struct Facts {
    pub(super) root: AreaId,
    pub(super) parents: BTreeMap<AreaId, AreaId>,
    /// Grids that touch each other.
    pub(super) beside: Vec<(AreaId, AreaId)>,
    pub(super) cases: BTreeMap<EntityId, Case>,
    pub(super) accounts: BTreeMap<AccountId, Account>,
}

const ON_THE_GROUND: [Role; 3] = [Role::Inspector, Role::Supervisor, Role::Auditor];

impl Facts {
    /// An area subtree: the area itself and whatever lies below.
    fn below(&self, top: AreaId, area: AreaId) -> bool {
        let mut at = Some(area);
        while let Some(here) = at {
            if here == top {
                return true;
            }
            at = self.parents.get(&here).copied();
        }
        false
    }

    fn over(&self, who: &Account, roles: &[Role], area: AreaId) -> bool {
        who.grants.iter().any(|grant| roles.contains(&grant.role) && self.below(grant.area, area))
    }

    /// The default subscription of an inspector is the own grid and those touching it.
    fn next_door(&self, who: &Account, area: AreaId) -> bool {
        let touch = |one, other| self.beside.contains(&(one, other)) || self.beside.contains(&(other, one));
        who.grants.iter().any(|grant| grant.role == Role::Inspector && touch(grant.area, area))
    }

    fn in_its_unit(who: &Account, case: &Case) -> bool {
        case.assignment
            .as_ref()
            .is_some_and(|it| std::iter::once(&it.unit).chain(&it.co_units).any(|unit| who.units.contains(unit)))
    }

    /// A case is there for its area, for those next door, for what one made and for what is assigned to one; a restricted
    /// one for the named roles and for auditors, by their grants alone.
    pub(super) fn sees(&self, who: AccountId, case: &Case) -> bool {
        let Some(who) = self.accounts.get(&who).filter(|who| who.disabled_rev.is_none()) else { return false };
        if let Some(restricted) = &case.restricted {
            return who.grants.iter().any(|grant| {
                let left_to = grant.role == Role::Auditor || restricted.roles.contains(&grant.role);
                left_to
                    && match grant.role {
                        Role::Crew => Self::in_its_unit(who, case),
                        Role::Admin => false,
                        Role::Inspector | Role::Supervisor | Role::Auditor => self.below(grant.area, case.area),
                    }
            });
        }
        self.over(who, &ON_THE_GROUND, case.area)
            || self.next_door(who, case.area)
            || case.reporter.account == who.id
            || Self::in_its_unit(who, case)
            || case.assignment.as_ref().is_some_and(|it| it.holder == Some(who.id))
    }

    /// Party data is for supervisors and auditors of the area, the units that must fix it, and its maker.
    pub(super) fn handles(&self, who: AccountId, case: &Case) -> bool {
        let Some(account) = self.accounts.get(&who) else { return false };
        self.sees(who, case)
            && (case.reporter.account == who
                || Self::in_its_unit(account, case)
                || self.over(account, &[Role::Supervisor, Role::Auditor], case.area))
    }

    /// Originals are sealed evidence: for those who oversee the area; whoever took one may have it back.
    pub(super) fn sees_original(&self, who: AccountId, case: &Case, uploaded: bool) -> bool {
        let Some(account) = self.accounts.get(&who).filter(|who| who.disabled_rev.is_none()) else { return false };
        let oversees = self.over(account, &[Role::Supervisor, Role::Auditor, Role::Admin], case.area);
        let open = case.restricted.is_none() || self.sees(who, case);
        open && (oversees || (uploaded && case.reporter.account == who))
    }

    pub(super) fn sees_account(&self, who: AccountId, other: &Account) -> bool {
        let Some(account) = self.accounts.get(&who).filter(|who| who.disabled_rev.is_none()) else { return false };
        let near = |area| self.over(account, &ON_THE_GROUND, area) || self.next_door(account, area);
        who == other.id || self.over(account, &[Role::Admin], self.root) || other.grants.iter().any(|it| near(it.area))
    }

    /// When somebody looks again is for those over the place who are of no unit: the unit must not know.
    pub(super) fn looks_back(&self, who: AccountId, area: AreaId) -> bool {
        let Some(account) = self.accounts.get(&who).filter(|who| who.disabled_rev.is_none()) else { return false };
        account.units.is_empty() && self.over(account, &ON_THE_GROUND, area)
    }

    /// Whether an area may be asked for as such.
    pub(super) fn names_area(&self, who: AccountId, area: AreaId) -> bool {
        let Some(account) = self.accounts.get(&who) else { return false };
        self.over(account, &ON_THE_GROUND, area) || self.next_door(account, area)
    }

    pub(super) fn over_all(&self, who: AccountId, roles: &[Role]) -> bool {
        self.accounts.get(&who).is_some_and(|account| self.over(account, roles, self.root))
    }

    pub(super) fn has_role(&self, who: AccountId, roles: &[Role]) -> bool {
        let Some(account) = self.accounts.get(&who) else { return false };
        account.grants.iter().any(|grant| roles.contains(&grant.role))
    }
}
