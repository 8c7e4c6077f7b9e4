//! Units, accounts, grants, devices, documents: who may change them, and what they refuse.

use schema::catalogue::Text;
use schema::entity::Entity;
use schema::hash::{DeviceKey, Hash};
use schema::ids::{AccountId, AreaId, DeviceId, EntityId, GrantId, PersonId, UnitId};
use schema::op::{
    Body, EnrolDevice, Grant, ImportDocument, Op, Reason, RevokeGrant, Role, SetAccount, SetMembership, SetUnit,
};
use schema::record::{Outcome, RefusalCode};
use sync_core::apply::Decision;
use sync_core::context::RULES;
use sync_core::line::singleton_id;
use sync_core::permission::{default_scopes, may_pull, may_read_handlers, may_see, scopes_of};
use uuid::Uuid;

use crate::bodies::*;
use crate::desk::*;

const NEW: EntityId = EntityId(Uuid::from_u128(0x5151));

fn act(desk: &mut Desk, who: usize, entity: EntityId, body: Body) -> Decision {
    let op = desk.op(who, entity, &body);
    desk.take(&op)
}

fn by_server(desk: &mut Desk, entity: EntityId, body: Body) -> Decision {
    let op = Op { actor: AccountId::NIL, ..desk.op(ADMIN, entity, &body) };
    desk.take(&op)
}

fn unit(area: AreaId) -> Body {
    Body::SetUnit(SetUnit { name: Text { zh: "城管".to_owned(), en: "Urban management".to_owned() }, area })
}

fn grant(role: Role, area: AreaId) -> Body {
    Body::Grant(Grant { grant: GrantId(Uuid::from_u128(0x6161)), role, area, until_ms: None })
}

#[test]
fn only_an_administrator_changes_the_registry() {
    let bodies = [
        unit(WEST),
        Body::SetAccount(SetAccount { name: "x".to_owned(), person: PersonId(Uuid::from_u128(1)) }),
        Body::ImportCatalogue(ImportDocument { sha256: Hash([1; 32]), size: 1, version: "2".to_owned() }),
        Body::ImportResponsibilities(ImportDocument { sha256: Hash([1; 32]), size: 1, version: "2".to_owned() }),
    ];
    for body in bodies {
        for who in [INSPECTOR, CREW, SUPERVISOR, CHIEF, AUDITOR] {
            let mut desk = Desk::new();
            let decision = act(&mut desk, who, NEW, body.clone());
            assert_eq!(decision.record.outcome, Outcome::Rejected, "{who}");
            assert!(desk.entities.is_empty());
        }
    }
    let mut desk = Desk::new();
    assert_eq!(act(&mut desk, ADMIN, NEW, unit(WEST)).record.outcome, Outcome::Accepted);
    assert_eq!(refused(&act(&mut desk, ADMIN, NEW, unit(AreaId(Uuid::from_u128(1))))), Some(RefusalCode::Validation));
}

#[test]
fn an_account_is_made_granted_joined_and_disabled_and_nothing_twice() {
    let mut desk = Desk::new();
    let person = PersonId(Uuid::from_u128(1));
    act(&mut desk, ADMIN, NEW, Body::SetAccount(SetAccount { name: "x".to_owned(), person }));
    act(&mut desk, ADMIN, NEW, grant(Role::Crew, WEST));
    let before = desk.entities.get(&NEW).cloned();
    assert_eq!(act(&mut desk, ADMIN, NEW, grant(Role::Crew, WEST)).after, before, "the same grant changes nothing");
    let join = |unit: UnitId, member: bool| Body::SetMembership(SetMembership { unit, member, until_ms: None });
    let nowhere = join(UnitId(Uuid::from_u128(404)), true);
    assert_eq!(refused(&act(&mut desk, ADMIN, NEW, nowhere)), Some(RefusalCode::Validation));
    act(&mut desk, ADMIN, NEW, join(UNIT, true));
    let Some(Entity::Account(account)) = desk.entities.get(&NEW).cloned() else { panic!("no account") };
    assert_eq!((account.grants.len(), account.units.as_slice()), (1, [UNIT].as_slice()));
    act(&mut desk, ADMIN, NEW, join(UNIT, false));
    act(&mut desk, ADMIN, NEW, Body::RevokeGrant(RevokeGrant { grant: account.grants[0].grant }));
    act(&mut desk, ADMIN, NEW, Body::DisableAccount(Reason { reason: sealed(1) }));
    let Some(Entity::Account(account)) = desk.entities.get(&NEW) else { panic!("no account") };
    assert!(account.grants.is_empty() && account.units.is_empty() && account.disabled_rev.is_some());
}

/// T7: whoever administers alone makes no administrator, no auditor and no phone that would act as one.
#[test]
fn nobody_alone_makes_those_whom_others_must_trust() {
    let person = PersonId(Uuid::from_u128(1));
    let phone = Body::EnrolDevice(EnrolDevice {
        account: Desk::new().accounts[AUDITOR].id,
        algorithm: "ES256".to_owned(),
        key: DeviceKey([1; 65]),
        label: "phone".to_owned(),
    });
    let device = EntityId(Uuid::from_u128(0x7777));
    let asked = [(NEW, grant(Role::Admin, WEST)), (NEW, grant(Role::Auditor, WEST)), (device, phone)];
    for (entity, body) in asked {
        for (rules, outcome) in [(2, Outcome::Accepted), (3, Outcome::Rejected)] {
            let mut desk = Desk { rules, ..Desk::new() };
            act(&mut desk, ADMIN, NEW, Body::SetAccount(SetAccount { name: "x".to_owned(), person }));
            assert_eq!(act(&mut desk, ADMIN, entity, body.clone()).record.outcome, outcome, "{rules} {body:?}");
            assert_eq!(
                by_server(&mut desk, entity, body.clone()).record.outcome,
                Outcome::Accepted,
                "{rules} {body:?}"
            );
        }
    }
}

/// The beginning of an epoch stands in the log's row under all rules alike: no release knew it otherwise.
#[test]
fn the_beginning_of_an_epoch_makes_the_same_row_under_all_rules() {
    let create = Body::CreateLog(schema::op::CreateLog {
        name: Text { zh: "区".to_owned(), en: "District".to_owned() },
        zone: "Asia/Shanghai".to_owned(),
        signer: "rectify.test+1+key".to_owned(),
        server_device: DeviceId(Uuid::from_u128(9)),
    });
    let start = Body::StartEpoch(schema::op::StartEpoch {
        old_epoch: schema::ids::EpochId(Uuid::from_u128(1)),
        kept_rev: 10,
        kept_root: Hash([2; 32]),
        last_signed_head: 12,
    });
    let row = |rules: u32| {
        let mut desk = Desk { rules, ..Desk::new() };
        for body in [&create, &start] {
            assert_eq!(by_server(&mut desk, LOG.into(), body.clone()).record.outcome, Outcome::Accepted);
        }
        serde_json::to_value(&desk.entities[&LOG.into()]).unwrap()
    };
    assert_eq!(row(1)["restored"][0]["kept_rev"], 10, "{}", row(1));
    for rules in 2..=RULES {
        assert_eq!(row(rules), row(1));
    }
}

#[test]
fn a_device_key_is_never_replaced() {
    let mut desk = Desk::new();
    let enrol = |key: u8, account: AccountId| {
        Body::EnrolDevice(EnrolDevice {
            account,
            algorithm: "ES256".to_owned(),
            key: DeviceKey([key; 65]),
            label: "phone".to_owned(),
        })
    };
    let account = desk.accounts[INSPECTOR].id;
    let nobody = AccountId(Uuid::from_u128(404));
    assert_eq!(refused(&by_server(&mut desk, NEW, enrol(1, nobody))), Some(RefusalCode::Validation));
    by_server(&mut desk, NEW, enrol(1, account));
    let before = desk.entities.get(&NEW).cloned();
    assert_eq!(by_server(&mut desk, NEW, enrol(1, account)).after, before);
    assert_eq!(refused(&by_server(&mut desk, NEW, enrol(2, account))), Some(RefusalCode::EntityExists));
    let before = desk.entities.clone();
    act(&mut desk, ADMIN, NEW, Body::RevokeDevice(Reason { reason: sealed(1) }));
    assert_ne!(desk.entities, before);
    assert_eq!(DeviceId(NEW.0).to_string(), NEW.to_string());
}

/// Makes the op that puts a document in force.
type Import = fn(ImportDocument) -> Body;

#[test]
fn a_document_takes_effect_only_when_its_bytes_are_here() {
    let kinds: [(&str, Import); 2] =
        [("catalogue", Body::ImportCatalogue), ("responsibilities", Body::ImportResponsibilities)];
    for (name, import) in kinds {
        let mut desk = Desk::new();
        let entity = singleton_id(LOG, name);
        let body = |byte: u8| import(ImportDocument { sha256: Hash([byte; 32]), size: 1, version: "2".into() });
        assert_eq!(refused(&act(&mut desk, ADMIN, entity, body(1))), Some(RefusalCode::DocumentMissing));
        let mut rest = Rest::new(&desk);
        rest.documents.extend([Hash([1; 32]), Hash([2; 32])]);
        for byte in [1, 2] {
            let op = desk.op(ADMIN, entity, &body(byte));
            desk.take_with(&op, &rest);
        }
        let Some(Entity::Catalogue(in_force) | Entity::Responsibilities(in_force)) = desk.entities.get(&entity) else {
            panic!("no {name}")
        };
        assert_eq!(in_force.sha256, Hash([2; 32]));
        assert_eq!(in_force.earlier, [Hash([1; 32])]);
    }
}

#[test]
fn a_stranger_can_not_speak_for_the_server() {
    let mut desk = Desk::at(schema::case::State::Reported);
    let body = Body::PhotoVerified(schema::op::PhotoVerified {
        sha256: Hash([1; 32]),
        size: 1,
        pixels: None,
        flags: Vec::new(),
        claims: Vec::new(),
    });
    assert_eq!(refused(&desk.act(CHIEF, body)), Some(RefusalCode::NotPermitted));
    let place = Body::Place(schema::op::Place { area: EAST });
    assert_eq!(refused(&desk.act(CHIEF, place)), Some(RefusalCode::NotPermitted));
}

/// INV-SCOPE-LEAK, as far as one decision goes: who may name a scope that an entity lies in may see that entity, and
/// who may see a case finds it in a scope of his own.
#[test]
fn scopes_and_sight_agree() {
    for state in [schema::case::State::Reported, schema::case::State::Assigned, schema::case::State::Closed] {
        let desk = Desk::at(state);
        let areas = Some(&desk.areas);
        let case = Entity::Case(Box::new(desk.case().clone()));
        let mut east_of_it = desk.case().clone();
        east_of_it.area = GRID_2;
        let east_of_it = Entity::Case(Box::new(east_of_it));
        let people = desk.accounts.iter().cloned().map(Entity::Account);
        for (account, case) in people
            .chain([case, east_of_it])
            .flat_map(|entity| desk.accounts.iter().map(move |account| (account, entity.clone())))
        {
            let scopes = scopes_of(&case, areas);
            let sees = may_see(account, &case, areas);
            let own = default_scopes(account, areas);
            assert!(own.iter().all(|scope| may_pull(account, *scope, areas)), "{}", account.name);
            let finds = own.iter().any(|scope| scopes.contains(scope));
            assert_eq!(sees, finds, "{} gets exactly what it may see", account.name);
            if may_read_handlers(account, &case, areas) {
                assert!(sees, "{} reads personal values of what it may not see", account.name);
            }
        }
    }
}

#[test]
fn an_administrator_of_a_part_does_not_administer_the_whole() {
    let mut desk = Desk::new();
    desk.accounts[ADMIN].grants[0].area = WEST;
    let person = PersonId(Uuid::from_u128(1));
    let new = Body::SetAccount(SetAccount { name: "x".to_owned(), person });
    assert_eq!(act(&mut desk, ADMIN, NEW, new).record.outcome, Outcome::Rejected);
    let own = desk.accounts[ADMIN].clone();
    desk.entities.insert(own.id.into(), Entity::Account(own.clone()));
    let raised = act(&mut desk, ADMIN, own.id.into(), grant(Role::Supervisor, ROOT));
    assert_eq!(raised.record.outcome, Outcome::Rejected, "nor raises itself");
    let scopes = default_scopes(&own, Some(&desk.areas));
    assert!(scopes.iter().all(|scope| scope.class == schema::sync::Class::Normal), "nor reads the register");
}

#[test]
fn one_tree_is_planned_at_a_time_for_a_time_to_come_and_can_be_taken_back() {
    use schema::op::{CancelAreas, PlanAreas};
    let entity = singleton_id(LOG, "areas");
    let mut desk = Desk::new();
    let mut rest = Rest::new(&desk);
    rest.documents.extend((1..=4).map(|byte| Hash([byte; 32])));
    let document = |byte: u8| ImportDocument { sha256: Hash([byte; 32]), size: 1, version: byte.to_string() };
    let plan = |byte: u8, from_ms: u64| Body::PlanAreas(PlanAreas { document: document(byte), from_ms });
    let cancel = |byte: u8| Body::CancelAreas(CancelAreas { sha256: Hash([byte; 32]) });
    let mut take = |body: Body| {
        let op = desk.op(ADMIN, entity, &body);
        refused(&desk.take_with(&op, &rest))
    };
    assert_eq!(take(plan(2, u64::MAX >> 1)), Some(RefusalCode::UnknownEntity), "there is nothing to take the place of");
    assert_eq!(take(Body::ImportAreas(document(1))), None);
    assert_eq!(take(plan(9, u64::MAX >> 1)), Some(RefusalCode::DocumentMissing));
    assert_eq!(take(plan(2, 0)), Some(RefusalCode::Validation), "its time has passed");
    assert_eq!(take(plan(1, u64::MAX >> 1)), Some(RefusalCode::Validation), "it is in force");
    assert_eq!(take(plan(2, u64::MAX >> 1)), None);
    assert_eq!(take(plan(3, u64::MAX >> 1)), Some(RefusalCode::Validation), "one at a time");
    assert_eq!(take(cancel(3)), Some(RefusalCode::Validation));
    assert_eq!(take(cancel(2)), None);
    assert_eq!(take(plan(3, u64::MAX >> 1)), None);
    assert_eq!(take(Body::ImportAreas(document(4))), None);
    assert_eq!(take(Body::ImportAreas(document(3))), None);
    let Some(Entity::Areas(now)) = desk.entities.get(&entity) else { panic!("no areas") };
    assert_eq!(now.planned, None, "what is in force is planned no longer");
    assert_eq!(now.earlier.len(), 2);
}
