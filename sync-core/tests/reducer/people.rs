//! People and units change over time: who stands in for whom, what ends by itself, and cases that change hands while their
//! clocks go on.

use schema::case::{Predecessor, State};
use schema::clock::Running;
use schema::entity::{Account, Entity, PastMember, Unit};
use schema::ids::{AccountId, EntityId, GrantId, OpId, UnitId};
use schema::op::{
    Body, Grant, HandOver, MergeUnit, Nothing, Op, Reason, RevokeGrant, Role, SetAbsent, SetMembership, TakeOver,
};
use schema::record::{Outcome, RefusalCode};
use sync_core::apply::Decision;
use sync_core::case::{Whose, taken_over};
use sync_core::due::{DueKind, asked, dues};
use uuid::Uuid;

use crate::bodies::*;
use crate::clocks::{at, desk as shipped, is};
use crate::desk::*;

const UNTIL_MS: u64 = 5_000_000;

fn id_of(desk: &Desk, who: usize) -> EntityId {
    EntityId::from(desk.accounts[who].id)
}

/// A desk whose accounts are entities of the log as well.
fn desk() -> Desk {
    let mut desk = Desk::new();
    for account in desk.accounts.clone() {
        desk.entities.insert(account.id.into(), Entity::Account(account));
    }
    for unit in [UNIT, UNIT_2] {
        let name = schema::catalogue::Text { zh: "单位".to_owned(), en: "Unit".to_owned() };
        desk.entities.insert(unit.into(), Entity::Unit(Unit::new(unit, name, ROOT)));
    }
    desk
}

impl Desk {
    /// An op on an account or unit; what it changes of accounts counts from then on.
    fn on(&mut self, who: usize, entity: EntityId, body: Body) -> Decision {
        let op = self.op(who, entity, &body);
        self.enter(&op)
    }

    fn server_on(&mut self, entity: EntityId, body: Body) -> Decision {
        let op = Op { actor: AccountId::NIL, ..self.op(ADMIN, entity, &body) };
        self.enter(&op)
    }

    fn enter(&mut self, op: &Op) -> Decision {
        let decision = self.take(op);
        for account in &mut self.accounts {
            if let Some(Entity::Account(now)) = self.entities.get(&account.id.into()) {
                account.clone_from(now);
            }
        }
        decision
    }

    fn away(&mut self, who: usize, absent: usize, deputy: usize) -> Decision {
        let body = SetAbsent { deputy: self.accounts[deputy].id, until_ms: UNTIL_MS };
        self.on(who, id_of(self, absent), Body::SetAbsent(body))
    }
}

fn roles(account: &Account) -> Vec<(Role, Option<AccountId>)> {
    account.grants.iter().map(|grant| (grant.role, grant.standing_in)).collect()
}

#[test]
fn a_deputy_may_do_what_the_one_who_is_away_may_do_and_the_record_says_for_whom() {
    let mut desk = desk();
    let absent = desk.accounts[CREW].id;
    assert_eq!(desk.away(CREW, CREW, CREW_2).record.outcome, Outcome::Accepted);
    let deputy = desk.accounts[CREW_2].clone();
    assert_eq!(roles(&deputy), [(Role::Crew, None), (Role::Crew, Some(absent))]);
    assert_eq!(
        (deputy.units.as_slice(), deputy.units_as_deputy.as_slice()),
        ([UNIT_2, UNIT].as_slice(), [UNIT].as_slice())
    );

    desk.must(INSPECTOR, report(&[photo(1, schema::op::EvidenceRole::Before)]));
    desk.must(SUPERVISOR, file());
    desk.must(SUPERVISOR, assign(UNIT));
    let done = desk.act(CREW_2, fix(&[photo(2, schema::op::EvidenceRole::After)]));
    assert_eq!(done.record.outcome, Outcome::Accepted, "{done:?}");
    assert_eq!(done.record.acting.and_then(|acting| acting.standing_in), Some(absent));
    assert_eq!(done.record.acting.map(|acting| acting.grant), Some(desk.accounts[CREW].grants[0].grant));

    assert_eq!(desk.on(CREW, id_of(&desk, CREW), Body::EndAbsence(Nothing {})).record.outcome, Outcome::Accepted);
    let back = &desk.accounts[CREW_2];
    assert_eq!((roles(back), back.units.as_slice()), (vec![(Role::Crew, None)], [UNIT_2].as_slice()));
    assert!(back.stands_in.is_empty() && desk.accounts[CREW].absent.is_none());
}

#[test]
fn a_deputy_acts_as_themselves_where_that_is_enough() {
    let mut desk = desk();
    desk.away(CREW, CREW, CREW_2);
    desk.must(INSPECTOR, report(&[photo(1, schema::op::EvidenceRole::Before)]));
    desk.must(SUPERVISOR, file());
    desk.must(SUPERVISOR, assign(UNIT_2));
    let done = desk.act(CREW_2, fix(&[]));
    assert_eq!(done.record.acting.and_then(|acting| acting.standing_in), None);
}

/// Whoever stands in for the unit that fixed it does not check what it fixed.
#[test]
fn four_eyes_count_the_units_that_somebody_stands_in_for() {
    let mut desk = desk();
    desk.away(CREW, CREW, INSPECTOR_2);
    for (who, body) in [
        (INSPECTOR, report(&[photo(1, schema::op::EvidenceRole::Before)])),
        (SUPERVISOR, file()),
        (SUPERVISOR, assign(UNIT)),
        (CREW, fix(&[])),
    ] {
        desk.must(who, body);
    }
    assert_eq!(refused(&desk.act(INSPECTOR_2, check_passes())), Some(RefusalCode::FourEyes));
    desk.must(INSPECTOR, check_passes());
}

#[test]
fn what_changes_about_the_one_who_is_away_changes_for_the_deputy() {
    let mut desk = desk();
    let absent = id_of(&desk, CREW);
    desk.away(CREW, CREW, INSPECTOR);
    let join = |unit, member| Body::SetMembership(SetMembership { unit, member, until_ms: None });
    desk.on(ADMIN, absent, join(UNIT_2, true));
    desk.on(ADMIN, absent, join(UNIT, false));
    assert_eq!(desk.accounts[INSPECTOR].units, [UNIT_2]);
    // Joined in person, the deputy stays there when the colleague is back.
    desk.on(ADMIN, id_of(&desk, INSPECTOR), join(UNIT_2, true));
    let grant = desk.accounts[CREW].grants[0].grant;
    desk.on(ADMIN, absent, Body::RevokeGrant(RevokeGrant { grant }));
    assert_eq!(roles(&desk.accounts[INSPECTOR]), [(Role::Inspector, None)]);
    // Another deputy: the first one has nothing left of it.
    desk.away(ADMIN, CREW, INSPECTOR_2);
    assert!(desk.accounts[INSPECTOR].stands_in.is_empty());
    assert_eq!(desk.accounts[INSPECTOR].units, [UNIT_2]);
    assert_eq!(desk.accounts[INSPECTOR_2].units, [UNIT_2]);
    desk.on(ADMIN, absent, Body::DisableAccount(Reason { reason: sealed(1) }));
    assert!(desk.accounts[INSPECTOR_2].units.is_empty());
    assert_eq!(desk.accounts[INSPECTOR].units, [UNIT_2]);
}

#[test]
fn nobody_audits_or_administers_in_the_place_of_another() {
    for who in [ADMIN, AUDITOR] {
        let mut desk = desk();
        desk.away(ADMIN, who, CREW);
        assert_eq!(roles(&desk.accounts[CREW]), [(Role::Crew, None)], "{who}");
    }
}

#[test]
fn an_absence_names_somebody_who_is_there_and_a_date_within_a_year() {
    let year_ms = 366 * 24 * 3600 * 1000;
    let mut desk = desk();
    desk.away(CREW_2, CREW_2, CREW);
    let absent = id_of(&desk, INSPECTOR);
    for (deputy, until_ms, field) in [
        (INSPECTOR, UNTIL_MS, "deputy"),
        (CREW_2, UNTIL_MS, "deputy"),
        (CREW, 1, "until_ms"),
        (CREW, 2 * year_ms, "until_ms"),
    ] {
        let deputy = desk.accounts[deputy].id;
        let decision = desk.on(INSPECTOR, absent, Body::SetAbsent(SetAbsent { deputy, until_ms }));
        assert_eq!(refused(&decision), Some(RefusalCode::Validation), "{field}");
        assert_eq!(decision.record.detail["field"], field);
    }
    let nobody = AccountId(Uuid::from_u128(404));
    let decision = desk.on(INSPECTOR, absent, Body::SetAbsent(SetAbsent { deputy: nobody, until_ms: UNTIL_MS }));
    assert_eq!(refused(&decision), Some(RefusalCode::Validation));
}

#[test]
fn it_is_said_by_oneself_or_by_who_supervises_all_that_is_lent() {
    for (who, accepted) in [
        (INSPECTOR, true),
        (SUPERVISOR, true),
        (CHIEF, true),
        (ADMIN, true),
        (SUPERVISOR_EAST, false),
        (INSPECTOR_2, false),
    ] {
        let mut desk = desk();
        let decision = desk.away(who, INSPECTOR, CREW);
        assert_eq!(decision.record.outcome == Outcome::Accepted, accepted, "{who} {decision:?}");
        assert_eq!(desk.accounts[CREW].grants.len() == 2, accepted);
    }
}

#[test]
fn what_has_a_date_ends_by_itself_and_stays_readable() {
    let mut desk = desk();
    let who = id_of(&desk, CREW_2);
    let grant = GrantId(Uuid::from_u128(0x77));
    let given = Grant { grant, role: Role::Inspector, area: WEST, until_ms: Some(UNTIL_MS) };
    desk.on(ADMIN, who, Body::SetMembership(SetMembership { unit: UNIT, member: true, until_ms: Some(UNTIL_MS) }));
    let joined_rev = desk.rev;
    let over = Grant { until_ms: Some(1), ..given.clone() };
    assert_eq!(refused(&desk.server_on(who, Body::Grant(over))), Some(RefusalCode::Validation));
    desk.server_on(who, Body::Grant(given));
    desk.away(ADMIN, CREW_2, CREW);
    let found = dues(&Entity::Account(desk.accounts[CREW_2].clone()), || Ok::<_, ()>(None)).expect("no catalogue");
    let kinds: Vec<DueKind> = found.iter().map(|due| due.kind).collect();
    assert_eq!(kinds, [DueKind::Grant, DueKind::Membership, DueKind::Absence]);
    for due in found {
        let body = asked(&Entity::Account(desk.accounts[CREW_2].clone()), due).expect("still so").body;
        assert_eq!(desk.server_on(who, body).record.outcome, Outcome::Accepted);
    }
    let account = &desk.accounts[CREW_2];
    assert_eq!((account.grants.len(), account.units.as_slice(), account.absent), (1, [UNIT_2].as_slice(), None));
    let past = &account.past_grants;
    assert_eq!((past.len(), past[0].granted.grant, past[0].granted.area), (1, grant, WEST));
    assert!(past[0].ended_rev > past[0].granted.rev);
    let PastMember { unit, since_rev, ended_rev } = account.past_units[0];
    assert_eq!((unit, since_rev), (UNIT, Some(joined_rev)));
    assert!(ended_rev > joined_rev);
    assert!(dues(&Entity::Account(account.clone()), || Ok::<_, ()>(None)).expect("no catalogue").is_empty());
}

fn holder(desk: &Desk, who: usize) -> Option<AccountId> {
    Some(desk.accounts[who].id)
}

fn goes(desk: &Desk, from: Whose, to: EntityId) -> Option<TakeOver> {
    let works = |id: AccountId, unit: UnitId| desk.accounts.iter().any(|it| it.id == id && it.units.contains(&unit));
    taken_over(desk.case(), (OpId(Uuid::from_u128(0xAB)), from, to), works)
}

fn handed(desk: &mut Desk, from: Whose, to: EntityId) {
    let body = goes(desk, from, to).expect("it is concerned");
    let decision = desk.server_on(CASE, Body::TakeOver(body));
    assert_eq!(decision.record.outcome, Outcome::Accepted, "{decision:?}");
}

#[test]
fn a_case_changes_hands_and_no_clock_starts_again() {
    let mut desk = shipped();
    desk.then("2026-03-02T09:00", INSPECTOR, report(&[photo(1, schema::op::EvidenceRole::Before)]));
    desk.then("2026-03-02T09:30", SUPERVISOR, file());
    desk.then("2026-03-02T10:00", SUPERVISOR, assign(UNIT));
    let assigned_rev = desk.case().assignment.as_ref().expect("assigned").by.rev;
    desk.then("2026-03-02T10:30", CREW, Body::Accept(Nothing {}));
    let before = is(&desk, "fix");
    let entries = desk.rev;
    desk.now_ms = Some(at("2026-03-02T11:00"));
    handed(&mut desk, Whose::Unit(UNIT), UNIT_2.into());
    assert_eq!(desk.rev, entries + 1, "no deadline follows");
    let after = is(&desk, "fix");
    assert_eq!((after.due, after.started_ms, after.issued_rev), (before.due, before.started_ms, before.issued_rev));
    assert_eq!((after.unit, after.running.clone()), (Some(UNIT_2), Running::Running));
    let case = desk.case();
    assert_eq!(case.former_units, [UNIT]);
    assert_eq!(
        case.predecessors,
        [Predecessor {
            unit: UNIT,
            holder: None,
            from_rev: assigned_rev,
            to_rev: desk.rev,
            hand_over: Some(OpId(Uuid::from_u128(0xAB)))
        }]
    );
    assert!(case.assignment.as_ref().is_some_and(|it| it.unit == UNIT_2 && it.accepted.is_none()));
    assert!(refused(&desk.act(CREW, fix(&[]))).is_some(), "who had it before fixes it no longer");
    desk.then("2026-03-02T11:30", CREW_2, Body::Accept(Nothing {}));
    desk.then("2026-03-02T11:40", CREW_2, fix(&[]));
    assert!(matches!(is(&desk, "fix").running, Running::Met { .. }));
    assert_eq!(is(&desk, "fix").overdue_rev, None);
}

/// What was overdue before stays so, and was the predecessor's by its revision.
#[test]
fn what_was_overdue_stays_overdue_and_the_predecessor_is_named() {
    let mut desk = shipped();
    desk.then("2026-03-02T09:00", INSPECTOR, report(&[photo(1, schema::op::EvidenceRole::Before)]));
    desk.then("2026-03-02T09:30", SUPERVISOR, file());
    desk.then("2026-03-02T10:00", SUPERVISOR, assign(UNIT));
    desk.until("2026-03-02T12:30");
    let overdue_rev = is(&desk, "fix").overdue_rev.expect("overdue");
    handed(&mut desk, Whose::Unit(UNIT), UNIT_2.into());
    assert_eq!(is(&desk, "fix").overdue_rev, Some(overdue_rev));
    let was = &desk.case().predecessors[0];
    assert!(was.from_rev < overdue_rev && overdue_rev < was.to_rev);
}

#[test]
fn only_what_is_concerned_goes_and_a_holder_stays_where_they_work_for_the_unit() {
    let mut desk = desk();
    desk.must(INSPECTOR, report(&[photo(1, schema::op::EvidenceRole::Before)]));
    assert_eq!(goes(&desk, Whose::Unit(UNIT), UNIT_2.into()), None, "nobody has it yet");
    desk.must(SUPERVISOR, file());
    let crew = holder(&desk, CREW);
    let Body::Assign(body) = assign(UNIT) else { panic!("an assignment") };
    desk.must(SUPERVISOR, Body::Assign(schema::op::Assign { holder: crew, co_units: vec![UNIT_2], ..body }));
    assert_eq!(goes(&desk, Whose::Account(desk.accounts[CREW_2].id), id_of(&desk, CREW)), None);
    let to = id_of(&desk, SUPERVISOR_IN_UNIT);
    let person = goes(&desk, Whose::Account(desk.accounts[CREW].id), to).expect("it is held");
    assert_eq!((person.unit, person.holder), (UNIT, holder(&desk, SUPERVISOR_IN_UNIT)));
    let stranger = id_of(&desk, CREW_2);
    let nobody = goes(&desk, Whose::Account(desk.accounts[CREW].id), stranger).expect("it is held");
    assert_eq!((nobody.unit, nobody.holder), (UNIT, None), "who does not work there does not hold it");
    let merged = goes(&desk, Whose::Unit(UNIT), UNIT_2.into()).expect("it leads");
    assert_eq!((merged.unit, merged.co_units, merged.holder), (UNIT_2, vec![], None));
    let helper = goes(&desk, Whose::Unit(UNIT_2), UNIT.into()).expect("it helps");
    assert_eq!((helper.unit, helper.co_units, helper.holder), (UNIT, vec![], crew));
    assert!(goes(&desk, Whose::Anybody, UNIT_2.into()).is_some());
    assert_eq!(goes(&desk, Whose::Unit(UnitId(Uuid::from_u128(1))), UNIT_2.into()), None);
    desk.must(SUPERVISOR, void());
    assert_eq!(goes(&desk, Whose::Unit(UNIT), UNIT_2.into()), None, "it has ended");
    assert_eq!(desk.case().state, State::Void);
}

#[test]
fn who_had_a_case_before_an_assignment_or_return_is_named_too() {
    let mut desk = Desk::at(State::Assigned);
    desk.must(SUPERVISOR, assign(UNIT_2));
    let before = &desk.case().predecessors;
    assert_eq!((before.len(), before[0].unit, before[0].hand_over), (1, UNIT, None));
    assert_eq!(before[0].to_rev, desk.case().assignment.as_ref().expect("assigned").by.rev);
}

#[test]
fn a_hand_over_is_for_supervisors_and_names_whom_it_is_to() {
    let reason = sealed(1);
    let unit = |to: EntityId, area| Body::HandOver(HandOver { to, area, reason });
    for (who, accepted) in [(SUPERVISOR, true), (ADMIN, true), (CHIEF, true), (CREW, false), (INSPECTOR, false)] {
        let mut desk = desk();
        let decision = desk.on(who, UNIT.into(), unit(UNIT_2.into(), None));
        assert_eq!(decision.record.outcome == Outcome::Accepted, accepted, "{who}");
    }
    let mut desk = desk();
    let person = id_of(&desk, CREW);
    for (entity, to, area, field) in [
        (UNIT.into(), EntityId::from(UNIT), None, "to"),
        (UNIT.into(), person, None, "to"),
        (person, UNIT.into(), None, "to"),
        (person, person, None, "to"),
        (UNIT.into(), UNIT_2.into(), Some(schema::ids::AreaId(Uuid::from_u128(1))), "area"),
    ] {
        let decision = desk.on(ADMIN, entity, unit(to, area));
        assert_eq!(refused(&decision), Some(RefusalCode::Validation), "{field}");
        assert_eq!(decision.record.detail["field"], field);
    }
}

#[test]
fn a_unit_that_went_into_another_stays_so() {
    let mut desk = desk();
    let merge = |successor| Body::MergeUnit(MergeUnit { successor, reason: sealed(1) });
    assert_eq!(refused(&desk.on(SUPERVISOR, UNIT.into(), merge(UNIT_2))), Some(RefusalCode::NotPermitted));
    assert_eq!(refused(&desk.on(ADMIN, UNIT.into(), merge(UNIT))), Some(RefusalCode::Validation));
    assert_eq!(desk.on(ADMIN, UNIT.into(), merge(UNIT_2)).record.outcome, Outcome::Accepted);
    let Some(Entity::Unit(unit)) = desk.entities.get(&UNIT.into()) else { panic!("no unit") };
    assert!(unit.merged.as_ref().is_some_and(|merged| merged.into == UNIT_2 && merged.by.rev == desk.rev));
    let other = UnitId(Uuid::from_u128(503));
    assert_eq!(refused(&desk.on(ADMIN, UNIT.into(), merge(other))), Some(RefusalCode::Validation));
}
