//! Who is there: the accounts of a log that can act, by what they are asked for.

use schema::entity::Account;
use schema::ids::{AccountId, AreaId, UnitId};
use schema::notice::Hearer;
use schema::op::Role;

/// The accounts of a log that can act.
#[derive(Debug, Clone, Default)]
pub struct Directory {
    /// By account.
    people: Vec<Listed>,
}

#[derive(Debug, Clone)]
struct Listed {
    hearer: Hearer,
    units: Vec<UnitId>,
    supervises: Vec<AreaId>,
    inspects: Vec<AreaId>,
    /// They are away: this one hears of it.
    deputy: Option<AccountId>,
}

impl Directory {
    /// The directory of some accounts. Those that are disabled are not in it.
    pub fn new(accounts: impl IntoIterator<Item = Account>) -> Self {
        let mut people: Vec<Listed> = accounts
            .into_iter()
            .filter(|account| account.disabled_rev.is_none())
            .map(|account| Listed {
                inspects: areas_of(&account, Role::Inspector),
                supervises: areas_of(&account, Role::Supervisor),
                hearer: Hearer { account: account.id, person: account.person },
                units: account.units,
                deputy: account.absent.map(|absence| absence.deputy),
            })
            .collect();
        people.sort_by_key(|listed| listed.hearer);
        Self { people }
    }

    pub(super) fn one(&self, account: AccountId) -> Vec<Hearer> {
        self.hearers(|listed| listed.hearer.account == account)
    }

    pub(super) fn of_unit(&self, unit: UnitId) -> Vec<Hearer> {
        self.hearers(|listed| listed.units.contains(&unit))
    }

    pub(super) fn supervising(&self, areas: &[AreaId]) -> Vec<Hearer> {
        self.hearers(|listed| listed.supervises.iter().any(|area| areas.contains(area)))
    }

    pub(super) fn inspecting(&self, areas: &[AreaId]) -> Vec<Hearer> {
        self.hearers(|listed| listed.inspects.iter().any(|area| areas.contains(area)))
    }

    /// Only those who belong to no unit.
    pub(super) fn of_no_unit(&self) -> Self {
        Self { people: self.people.iter().filter(|listed| listed.units.is_empty()).cloned().collect() }
    }

    fn hearers(&self, wanted: impl Fn(&Listed) -> bool) -> Vec<Hearer> {
        let found = self.people.iter().filter(|listed| wanted(listed)).filter_map(|listed| self.present(listed));
        let mut hearers: Vec<Hearer> = found.collect();
        hearers.sort();
        hearers.dedup();
        hearers
    }

    /// Somebody who is there, or who stands in for them and is there.
    fn present(&self, listed: &Listed) -> Option<Hearer> {
        let Some(deputy) = listed.deputy else { return Some(listed.hearer) };
        let there = |it: &&Listed| it.hearer.account == deputy && it.deputy.is_none();
        self.people.iter().find(there).map(|it| it.hearer)
    }
}

fn areas_of(account: &Account, role: Role) -> Vec<AreaId> {
    account.grants.iter().filter(|grant| grant.role == role).map(|grant| grant.area).collect()
}
