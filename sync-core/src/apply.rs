//! An op against a state: the whole policy. Pure and total: every (state, op) pair has a defined outcome.

use schema::entity::Entity;
use schema::ids::EntityId;
use schema::op::Op;
use schema::record::Record;

use crate::context::Context;

/// What was decided.
#[derive(Debug, Clone, PartialEq)]
pub struct Decision {
    /// The outcome with all that it rested on.
    pub record: Record,
    /// The entity afterwards, where its row moves; none where it stays as it was.
    pub after: Option<Entity>,
    /// The case state afterwards as a number; 0 for anything but a case.
    pub state_after: u8,
    /// The entity that the leaf names: the device where the actor may not know of the entity.
    pub leaf_entity: EntityId,
}

/// Decides an op. `before` is the entity that the op names, if it exists.
pub fn apply(before: Option<&Entity>, op: &Op, ctx: &Context<'_>) -> Decision {
    let _ = (before, op, ctx);
    todo!()
}
