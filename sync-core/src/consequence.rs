//! What the server itself appends directly behind an op, in the same transaction.

use schema::entity::Entity;
use schema::ids::EntityId;
use schema::op::{Body, Op};

use crate::apply::Decision;
use crate::context::Context;

/// An op that the server appends: its id is `line::consequence_id(log, cause, kind, n)`.
#[derive(Debug, Clone, PartialEq)]
pub struct Consequence {
    /// The entity it touches.
    pub entity: EntityId,
    /// What it does.
    pub body: Body,
    /// Tells consequences of one cause and kind apart.
    pub n: u32,
}

/// The consequences of a decided op, in order.
pub fn consequences(before: Option<&Entity>, op: &Op, decision: &Decision, ctx: &Context<'_>) -> Vec<Consequence> {
    let _ = (before, op, decision, ctx);
    todo!()
}
