//! Reading steps, which stand among the members of what they are of.

use super::{End, Step};
use crate::ids::AreaId;
use crate::op::Sealed;
use crate::tree::flat;

flat!(Step: by, code: String, note: Option<Sealed>);

flat!(End: step, area: AreaId);
