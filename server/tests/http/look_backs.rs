//! Look-backs over HTTP: whoever is of a unit learns neither that nor when somebody looks, by whatever way they ask.

use std::collections::BTreeMap;

use schema::catalogue::Text;
use schema::ids::{EntityId, OpId};
use schema::op::{Body, EvidenceRole, LookBack, LookBackVerdict, PhotoClaim, PlanLookBack, Role, Taken, TakenBy};
use schema::sync::{Class, Node, Scope};
use server::services::ledger::{Append, ServerOp};
use sync_core::line::sha256;
use uuid::Uuid;

use super::photos::jpeg;
use super::reading::{case, report};
use super::world::{Phone, START_MS, World, area};

const DAY_MS: u64 = 24 * 3600 * 1000;
const TASK: EntityId = EntityId(Uuid::from_u128(0x100c_bac0));

struct Town {
    world: World,
    inspector: Phone,
    in_unit: Phone,
}

impl Town {
    /// A task in a grid that two inspectors walk; one of them belongs to a unit.
    async fn new() -> Self {
        let world = World::start().await;
        let inspector = world.phone("li", Role::Inspector, "A3").await;
        let in_unit = world.phone("wang", Role::Inspector, "A3").await;
        let installation = &world.running.app.installation;
        let name = Text { zh: "城管中队".into(), en: "Squad".into() };
        let unit = installation.add_unit(name, None).await.unwrap();
        installation.set_member(in_unit.enrolled.account, (unit, true), None).await.unwrap();
        world.push(&inspector, &[(case(1), report(&[]))]).await;
        let planned = Body::PlanLookBack(PlanLookBack {
            case: case(1),
            area: area(3),
            close: OpId(Uuid::from_u128(7)),
            nth: 1,
            checker: None,
            fixer: None,
            units: vec![unit],
            opens_ms: START_MS,
            best_ms: START_MS + DAY_MS,
            due_ms: START_MS + 7 * DAY_MS,
            escalates_ms: Vec::new(),
        });
        let append = Append { ops: vec![ServerOp::fresh(TASK, planned).unwrap()], ..Append::default() };
        world.running.app.logs.ledger.append(inspector.log(), append).await.unwrap();
        Self { world, inspector, in_unit }
    }

    /// What a sync answers that names a scope from its beginning.
    async fn pulled(&self, phone: &Phone, scope: Scope) -> String {
        let mut body = phone.request(&[]);
        let end = body.iter().position(|byte| *byte == b'\n').unwrap_or(body.len());
        let mut header: serde_json::Value = serde_json::from_slice(&body[..end]).unwrap();
        header["scopes"] = serde_json::json!(BTreeMap::from([(scope.to_string(), 0)]));
        body = serde_json::to_vec(&header).unwrap();
        self.world.sync(phone.token(), &body).await.text()
    }

    async fn status(&self, phone: &Phone, path: &str) -> u16 {
        let path = format!("/v1/logs/{}/cases/{TASK}{path}", phone.log());
        self.world.get(&path, phone.token()).await.status
    }
}

#[actix_web::test]
async fn nobody_of_a_unit_learns_when_somebody_looks_again() {
    let town = Town::new().await;
    let scope = Scope { node: Node::Area(area(3)), class: Class::Restricted };
    assert!(town.pulled(&town.inspector, scope).await.contains("look_back_task"), "who looks has it");
    for node in [Node::Area(area(3)), Node::Log, Node::Account(town.in_unit.enrolled.account)] {
        for class in [Class::Restricted, Class::Normal, Class::For(Role::Inspector)] {
            let told = town.pulled(&town.in_unit, Scope { node, class }).await;
            assert!(!told.contains("look_back_task") && !told.contains(&TASK.to_string()), "{told}");
        }
    }
    assert_eq!(town.status(&town.in_unit, "/entries").await, 404);
    assert_eq!(town.status(&town.inspector, "/entries").await, 200);

    let bytes = jpeg(64, 5);
    let taken = Taken { by: TakenBy::Camera, wall_ms: None, position: None, mock_position: false };
    let size = u64::try_from(bytes.len()).unwrap();
    let photo = PhotoClaim { sha256: sha256(&bytes), size, role: EvidenceRole::Lookback, taken };
    let look = Body::LookBack(LookBack { verdict: LookBackVerdict::Held, note: None, photos: vec![photo.clone()] });
    let refused = town.world.push(&town.in_unit, &[(TASK, look.clone())]).await;
    assert!(refused.iter().any(|line| line.to_string().contains("unknown_entity")), "as if it were not: {refused:?}");

    town.world.announce(&town.inspector, &photo.sha256, bytes.len()).await;
    assert_eq!(town.world.patch(&town.inspector, &photo.sha256, 0, &bytes).await.status, 204);
    let taken = town.world.push(&town.inspector, &[(TASK, look)]).await;
    assert!(taken.iter().any(|line| line.to_string().contains("\\\"accepted\\\"")), "{taken:?}");
    town.world.running.app.photos.sweep().await.unwrap();
    let path = format!("/v1/photos/{}/320", photo.sha256);
    assert_eq!(town.world.get(&path, town.inspector.token()).await.status, 200, "who may know of it sees its photo");
    assert_eq!(town.world.get(&path, town.in_unit.token()).await.status, 404);
}
