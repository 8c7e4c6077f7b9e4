//! The plan is tried on the reducer itself: every step of it must be legal when it is taken.

use std::collections::{BTreeMap, BTreeSet};

use schema::case::State;
use schema::entity::{Account, Entity, Granted};
use schema::hash::Salt;
use schema::ids::{BootId, DeviceId, EpochId, LogId, OpId};
use schema::op::{Base, Captured, EvidenceRole, Op};
use schema::record::Outcome;
use sync_core::apply::{Decision, apply};
use sync_core::consequence::consequences;
use sync_core::context::{Context, InForce, RULES, VerifiedPhoto};
use sync_core::line;
use uuid::Uuid;

use super::*;
use schema::limits::DAY_MS;

/// 2026-11-22 15:00 in China.
const NOW_MS: u64 = 1_795_330_800_000;

/// The plan with a file of a few bytes for each photo.
fn small_plan(seed: u64) -> Plan {
    let (city, drafts) = draft(seed, NOW_MS);
    let file = |(n, picture): (u64, &Picture)| {
        let jpeg: Arc<[u8]> = n.to_be_bytes().as_slice().into();
        Photo { sha256: sha256(&jpeg), picture: *picture, jpeg }
    };
    let files: Vec<Photo> = (0..).zip(&photos::pictures(&drafts)).map(file).collect();
    Plan { city, steps: photos::develop(drafts, &files) }
}

/// A log in memory: entities, and the revision of each.
struct Desk {
    accounts: BTreeMap<AccountId, Account>,
    areas: AreaIndex,
    catalogue: Catalogue,
    entities: BTreeMap<EntityId, (u64, Entity)>,
    rev: u64,
}

const LOG: LogId = LogId(Uuid::from_u128(1));
const EPOCH: EpochId = EpochId(Uuid::from_u128(2));

impl Desk {
    fn new(city: &City) -> Self {
        let account = |demo: &crate::demo::city::DemoAccount| Account {
            grants: demo.grants.iter().map(|grant| Granted::new(grant.grant, grant.role, grant.area, 1)).collect(),
            units: demo.units.clone(),
            ..Account::new(demo.id, demo.name.clone(), demo.person)
        };
        Self {
            accounts: city.accounts.iter().map(|demo| (demo.id, account(demo))).collect(),
            areas: AreaIndex::new(&city.areas).unwrap(),
            catalogue: catalogue::read(CITY_CATALOGUE.as_bytes()).unwrap(),
            entities: BTreeMap::new(),
            rev: 1,
        }
    }

    /// Decides an op and all that follows from it.
    fn take(&mut self, step: &Step, units: &BTreeSet<schema::ids::UnitId>) -> Decision {
        let verified: BTreeMap<Hash, VerifiedPhoto> = step
            .photos
            .iter()
            .map(|photo| (photo.sha256, VerifiedPhoto { size: 8, pixels: Some((1280, 960)), flags: vec![] }))
            .collect();
        let base = self.entities.get(&step.entity).map(|(rev, _)| Base(EPOCH, *rev));
        self.decide(step.account, step.entity, &step.body, base, step.at_ms, &verified, units)
    }

    #[expect(clippy::too_many_arguments, reason = "all that a decision rests on")]
    fn decide(
        &mut self,
        actor: AccountId,
        entity: EntityId,
        body: &Body,
        base: Option<Base>,
        at_ms: u64,
        verified: &BTreeMap<Hash, VerifiedPhoto>,
        units: &BTreeSet<schema::ids::UnitId>,
    ) -> Decision {
        self.rev += 1;
        let (kind, members) = line::kind_and_body(body).unwrap();
        let captured = Captured { wall_ms: i64::try_from(at_ms).unwrap(), elapsed_ms: 0, boot: BootId::NIL };
        let op = Op {
            v: 1,
            log: LOG,
            op: OpId(Uuid::from_u128(u128::from(self.rev))),
            device: DeviceId(actor.0),
            actor,
            entity,
            kind,
            kind_version: 1,
            base,
            captured,
            salt: Salt([0; 16]),
            body: members,
        };
        let other = match body {
            Body::LinkDuplicate(link) => self.entities.get(&link.of).map(|(_, entity)| entity.clone()),
            _ => None,
        };
        let before = self.entities.get(&entity).map(|(_, entity)| entity.clone());
        let ctx = Context {
            epoch: EPOCH,
            earlier_epochs: &[],
            rev: self.rev,
            received_ms: at_ms,
            first_received_ms: at_ms,
            captured: None,
            rules: RULES,
            actor: self.accounts.get(&actor),
            by_server: actor == AccountId::NIL,
            device_revoked: false,
            behind_parked: false,
            catalogue: Some(InForce { sha256: sha256(CITY_CATALOGUE.as_bytes()), document: &self.catalogue }),
            catalogues: &BTreeMap::new(),
            areas: Some(InForce { sha256: Hash::ZERO, document: &self.areas }),
            calendar: None,
            verified,
            documents: &BTreeSet::new(),
            units,
            accounts: &self.accounts,
            other: other.as_ref(),
            parked: &[],
            next_number: (2026, self.rev),
            earlier_number: None,
        };
        let decision = apply(before.as_ref(), &op, &ctx);
        let follow = consequences(before.as_ref(), &op, &decision, &ctx);
        if let Some(after) = &decision.after {
            self.entities.insert(entity, (self.rev, after.clone()));
        }
        for consequence in follow {
            let (entity, body) = (consequence.entity, consequence.body);
            let followed = self.decide(AccountId::NIL, entity, &body, None, at_ms, verified, units);
            assert_eq!(followed.record.outcome, Outcome::Accepted, "{body:?}: {:?}", followed.record);
        }
        decision
    }
}

fn cases(desk: &Desk) -> impl Iterator<Item = &schema::case::Case> {
    desk.entities.values().filter_map(|(_, entity)| match entity {
        Entity::Case(case) => Some(case.as_ref()),
        Entity::LookBackTask(_) => None,
        other => panic!("{other:?}"),
    })
}

/// All steps taken, none refused.
fn lived(plan: &Plan) -> Desk {
    let mut desk = Desk::new(&plan.city);
    let units = plan.city.units.iter().map(|unit| unit.id).collect();
    for step in &plan.steps {
        let decision = desk.take(step, &units);
        let legal = matches!(decision.record.outcome, Outcome::Accepted | Outcome::AcceptedWithConflict);
        assert!(legal, "{:?} {:?}: {:?}", step.entity, step.body, decision.record);
    }
    desk
}

#[test]
fn every_step_is_legal_and_every_case_ends_where_it_should() {
    for seed in [1, 2, 3, 20_261_122] {
        let desk = lived(&small_plan(seed));
        let count = |state| cases(&desk).filter(|case| case.state == state).count();
        assert_eq!(State::ALL.map(count), [26, 18, 48, 20, 12, 144, 14, 12, 6], "seed {seed}");
    }
}

#[test]
fn the_detours_of_real_work_are_all_there() {
    let plan = small_plan(1);
    let desk = lived(&plan);
    let count = |holds: fn(&schema::case::Case) -> bool| cases(&desk).filter(|case| holds(case)).count();
    assert_eq!(count(|case| case.reopened > 0), 12);
    assert!(count(|case| !case.conflicts.is_empty()) >= 5, "conflicts that nobody decided yet");
    assert!(count(|case| case.returns > 0) >= 8, "cases handed back");
    assert!(count(|case| case.reworks > 0) >= 8, "rework");
    assert!(count(|case| case.comment_count > 0) >= 30, "remarks");
    assert!(count(|case| case.needs_audit) >= 1, "evidence after the end");
    assert!(count(|case| case.evidence.iter().any(|item| item.waived.is_some())) >= 1, "photos given up");
    assert!(count(|case| case.evidence.iter().any(|item| item.role == EvidenceRole::Document)) >= 5);
    assert_eq!(
        count(|case| case.state == State::Reported && case.evidence.iter().any(|it| it.verified_rev.is_none())),
        3
    );
    assert_eq!(count(|case| case.state == State::Duplicate && case.duplicate_of.is_some()), 12);
    assert!(cases(&desk).all(|case| case.flags.is_empty()), "reports are complete and in their makers' grids");
    let kinds: BTreeSet<String> = cases(&desk)
        .filter_map(sync_core::case::kind_of)
        .map(|(category, code)| format!("{category} {code}"))
        .collect();
    assert_eq!(kinds.len(), 10, "every subtype occurs");
}

#[test]
fn some_photos_are_shown_twice() {
    let (mut elsewhere, mut in_one_case) = (0, 0);
    for seed in 1..6 {
        let mut first: BTreeMap<Hash, EntityId> = BTreeMap::new();
        for step in small_plan(seed).steps {
            for photo in &step.photos {
                match first.insert(photo.sha256, step.entity) {
                    Some(entity) if entity == step.entity => in_one_case += 1,
                    Some(_) => elsewhere += 1,
                    None => {}
                }
            }
        }
    }
    assert!(elsewhere >= 2 && in_one_case >= 2, "{elsewhere} in another case, {in_one_case} as fix of their own case");
}

#[test]
fn steps_come_in_order_within_six_weeks_and_no_photo_before_its_time() {
    for seed in 1..6 {
        let plan = small_plan(seed);
        assert!(plan.steps.is_sorted_by_key(|step| step.at_ms));
        let (first, last) = (plan.steps.first().unwrap().at_ms, plan.steps.last().unwrap().at_ms);
        assert!((NOW_MS - 46 * DAY_MS..NOW_MS - 40 * DAY_MS).contains(&first) && last < NOW_MS);
        let photos: Vec<(&Step, &Photo)> =
            plan.steps.iter().flat_map(|step| step.photos.iter().map(move |photo| (step, photo))).collect();
        assert!((500..900).contains(&photos.len()), "{} photos", photos.len());
        for (step, photo) in photos {
            assert!(photo.picture.taken_ms < step.at_ms, "{:?}", step.body);
        }
    }
}

#[test]
fn values_are_sealed_as_named_and_nothing_personal_stands_in_an_op() {
    let plan = small_plan(1);
    let mut seen = BTreeSet::new();
    for step in &plan.steps {
        let text = serde_json::to_string(&step.body).unwrap();
        for value in &step.values {
            assert_eq!(line::seal(&value.salt, &value.value).sealed, value.sealed);
            assert!(text.contains(&value.sealed.to_string()) && !text.contains(&value.value), "{text}");
            assert!(seen.insert(value.salt.0), "each value has a salt of its own");
        }
        assert_eq!(text.matches("\"sealed\"").count(), step.values.len(), "{text}");
    }
    assert!(seen.len() > 300);
}

#[test]
fn the_same_seed_and_day_make_the_same_plan() {
    let (one, same, other) = (small_plan(7), small_plan(7), small_plan(8));
    let told = |plan: &Plan| -> Vec<String> {
        plan.steps.iter().map(|step| format!("{} {} {:?}", step.at_ms, step.entity, step.body)).collect()
    };
    assert_eq!(told(&one), told(&same));
    assert_ne!(told(&one), told(&other));
}

#[test]
fn photos_are_named_by_the_bytes_that_arrive() {
    let (_, drafts) = draft(1, NOW_MS);
    let pictures: Vec<Picture> = photos::pictures(&drafts).into_iter().take(6).collect();
    let files = photos::make(&pictures);
    assert_eq!(files.iter().map(|file| file.picture).collect::<Vec<_>>(), pictures);
    for file in &files {
        assert_eq!(sha256(&file.jpeg), file.sha256);
        assert!((60_000..200_000).contains(&file.jpeg.len()));
    }
}
