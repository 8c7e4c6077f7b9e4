//! The ladder of a case: its holder, its unit, the supervisors of its subdistrict, those of the district. A step with
//! nobody on it is passed over, upwards.

use schema::area::Level;
use schema::case::{Assignment, Case};
use schema::clock::{Clock, Timed};
use schema::ids::{AreaId, UnitId};
use schema::notice::{Addressed, Hearer, Step};
use schema::op::Role;
use sync_core::area::AreaIndex;
use sync_core::permission::leaves_to;
use sync_core::time::WorkingCalendar;

use super::Directory;

/// Where on the ladder it begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Start {
    /// With the holder, if one is named; else with the unit.
    Holder,
    /// With the unit, whether a holder is named or not.
    Unit,
    /// With a unit that helps.
    Helper(UnitId),
    /// With the office: its own level is 0, each next one is the area above.
    Office(usize),
    /// With the level above an area.
    Above(AreaId),
}

impl Start {
    /// Where somebody who is timed hears of it at a level: 1 is the unit, or the office's own level.
    pub(super) fn of(clock: &Clock, level: u8) -> Self {
        let above = usize::from(level);
        match (clock.timed, level) {
            (Timed::Helper, 0 | 1) => clock.helper().map_or(Self::Unit, Self::Helper),
            (Timed::Unit, 0) => Self::Holder,
            (Timed::Unit, 1) => Self::Unit,
            (Timed::Unit | Timed::Helper, _) => Self::Office(above.saturating_sub(2)),
            (Timed::Case | Timed::Office, _) => Self::Office(above.saturating_sub(1)),
        }
    }
}

/// The ladder of a case.
pub(super) struct Ladder<'a> {
    case: &'a Case,
    assignment: Option<&'a Assignment>,
    areas: Option<&'a AreaIndex>,
    directory: &'a Directory,
    duty: Option<Duty<'a>>,
}

/// By whose shifts it is asked who is on duty, and when.
pub(super) type Duty<'a> = (&'a WorkingCalendar, u64);

impl<'a> Ladder<'a> {
    pub(super) fn new(
        case: &'a Case,
        assignment: Option<&'a Assignment>,
        areas: Option<&'a AreaIndex>,
        directory: &'a Directory,
    ) -> Self {
        Self { case, assignment, areas, directory, duty: None }
    }

    /// The ladder at an instant: while shifts of a unit run, those of it who are on them hear for the others.
    pub(super) fn at(self, duty: Option<Duty<'a>>) -> Self {
        Self { duty, ..self }
    }

    /// The first step from a start on that has somebody on it. Beyond the top it is the top.
    pub(super) fn reached(&self, start: Start) -> Addressed {
        let of = self.assignment.map(|assignment| assignment.unit);
        let unit = || self.on(Step::Unit, None, self.on_duty(of, self.unit()));
        // Whoever has it sleeps while colleagues are on duty.
        let sleeps = || self.holder().iter().any(|holder| self.has_duty(of, holder) == Some(false));
        let holder = || self.on(Step::Holder, None, self.holder()).filter(|_| !sleeps() || unit().is_none());
        let from_below = match start {
            Start::Holder => holder().or_else(unit),
            Start::Unit => unit(),
            Start::Helper(helper) => self.on(Step::Unit, None, self.on_duty(Some(helper), self.helper(helper))),
            Start::Office(_) | Start::Above(_) => None,
        };
        from_below.or_else(|| self.office(start)).unwrap_or(Addressed {
            step: Step::Nobody,
            area: None,
            accounts: Vec::new(),
        })
    }

    /// Whether somebody is on a step itself.
    pub(super) fn is_manned(&self, start: Start) -> bool {
        match start {
            Start::Holder => !self.holder().is_empty(),
            Start::Unit => !self.unit().is_empty(),
            Start::Helper(helper) => !self.helper(helper).is_empty(),
            Start::Office(_) | Start::Above(_) => {
                let levels = self.levels();
                let level = levels.get(Self::first_level(start, &levels));
                level.is_some_and(|level| !self.directory.supervising(level).is_empty())
            }
        }
    }

    /// As [`Ladder::reached`] from the holder on, with the members of the units that help.
    pub(super) fn reached_with_helpers(&self) -> Addressed {
        let mut to = self.reached(Start::Holder);
        if self.is_left_to(Role::Crew) {
            let helping = self.assignment.iter().flat_map(|assignment| &assignment.co_units);
            to.accounts.extend(helping.flat_map(|unit| self.on_duty(Some(*unit), self.directory.of_unit(*unit))));
            to.accounts.sort();
            to.accounts.dedup();
        }
        to
    }

    /// Those of a unit who are on duty; all of them where its shifts leave nobody.
    fn on_duty(&self, unit: Option<UnitId>, members: Vec<Hearer>) -> Vec<Hearer> {
        let on_it: Vec<Hearer> =
            members.iter().filter(|member| self.has_duty(unit, member) == Some(true)).copied().collect();
        if on_it.is_empty() { members } else { on_it }
    }

    fn has_duty(&self, unit: Option<UnitId>, member: &Hearer) -> Option<bool> {
        let (calendar, at_ms) = self.duty?;
        calendar.is_on_duty(unit?, member.account, at_ms).ok().flatten()
    }

    fn on(&self, step: Step, area: Option<AreaId>, accounts: Vec<Hearer>) -> Option<Addressed> {
        (!accounts.is_empty()).then_some(Addressed { step, area, accounts })
    }

    fn holder(&self) -> Vec<Hearer> {
        let holder = self.assignment.and_then(|assignment| assignment.holder);
        holder.filter(|_| self.is_left_to(Role::Crew)).map(|holder| self.directory.one(holder)).unwrap_or_default()
    }

    fn unit(&self) -> Vec<Hearer> {
        let unit = self.assignment.filter(|_| self.is_left_to(Role::Crew));
        unit.map(|assignment| self.directory.of_unit(assignment.unit)).unwrap_or_default()
    }

    fn helper(&self, unit: UnitId) -> Vec<Hearer> {
        let helper = Some(unit).filter(|_| self.is_left_to(Role::Crew));
        helper.map(|unit| self.directory.of_unit(unit)).unwrap_or_default()
    }

    fn office(&self, start: Start) -> Option<Addressed> {
        if !self.is_left_to(Role::Supervisor) {
            return None;
        }
        let levels = self.levels();
        levels.iter().skip(Self::first_level(start, &levels)).find_map(|level| {
            let accounts = self.directory.supervising(level);
            self.on(Step::Area, level.last().copied(), accounts)
        })
    }

    /// Beyond the top it is the top.
    fn first_level(start: Start, levels: &[Vec<AreaId>]) -> usize {
        let first = match start {
            Start::Holder | Start::Unit | Start::Helper(_) => 0,
            Start::Office(first) => first,
            Start::Above(area) => {
                levels.iter().position(|level| level.contains(&area)).map_or(0, |found| found.saturating_add(1))
            }
        };
        first.min(levels.len().saturating_sub(1))
    }

    /// The levels of the office, lowest first: each with the areas below it that the case lies in. Who supervises a
    /// community is of its subdistrict's level.
    fn levels(&self) -> Vec<Vec<AreaId>> {
        let Some(index) = self.areas else { return vec![vec![self.case.area]] };
        let mut levels = Vec::new();
        let mut level = Vec::new();
        for area in index.path(self.case.area) {
            level.push(area);
            let ends = index.area(area).is_some_and(|area| matches!(area.level, Level::Subdistrict | Level::District));
            if ends {
                levels.push(std::mem::take(&mut level));
            }
        }
        if !level.is_empty() || levels.is_empty() {
            level.push(self.case.area);
            levels.push(level);
        }
        levels
    }

    /// A restricted case is told to nobody who may not see it.
    fn is_left_to(&self, role: Role) -> bool {
        self.case.restricted.as_ref().is_none_or(|restriction| leaves_to(restriction, role))
    }
}
