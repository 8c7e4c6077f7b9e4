//! Merging one field by what was seen, never by clocks.
//!
//! The law: a value that nobody else touched since its author looked at it applies; one that is there already is no
//! conflict; otherwise the higher role wins, between equals the later arrival, and the loser is kept.

use schema::case::{Case, Conflict, ConflictReason, FieldName, Held};
use schema::ids::AccountId;
use schema::limits::CONFLICTS_IN_DOCUMENT_MAX;
use schema::op::{Change, Role};
use serde_json::Value;

/// What becomes of one changed field.
#[derive(Debug, Clone, PartialEq)]
pub enum Merged {
    /// The new value stands; nobody lost.
    Applied,
    /// The field has the wanted value already.
    Already,
    /// The new value stands, the one before it lost.
    Won(ConflictReason),
    /// The one before it stands, the new value lost.
    Lost(ConflictReason),
}

/// The power of a role over a field: inspectors and crew are equal; the server is above all.
pub fn rank(role: Option<Role>) -> u8 {
    match role {
        Some(Role::Auditor) => 0,
        Some(Role::Inspector | Role::Crew) => 1,
        Some(Role::Supervisor | Role::Admin) => 2,
        None => 3,
    }
}

/// Who changes a field, and what that person may do to it now.
#[derive(Debug, Clone, Copy)]
pub struct Author {
    /// The account.
    pub account: AccountId,
    /// The role acted in.
    pub role: Option<Role>,
    /// The change can only be a proposal, for this reason.
    pub only_proposes: Option<ConflictReason>,
    /// A conflicting change is not merged by itself, for this reason.
    pub never_merges: Option<ConflictReason>,
}

/// Decides one field. `current` is what is held now (null where nothing is).
pub fn merge(current: &Held, change: &Change, author: &Author, swapped_before: bool) -> Merged {
    if current.value == change.to {
        return Merged::Already;
    }
    if let Some(why) = author.only_proposes {
        return Merged::Lost(why);
    }
    if swapped_before && rank(author.role) < 2 {
        return Merged::Lost(ConflictReason::SecondSwap);
    }
    if current.value == change.was {
        return Merged::Applied;
    }
    if let Some(why) = author.never_merges {
        return Merged::Lost(why);
    }
    match rank(author.role).cmp(&rank(current.role)) {
        std::cmp::Ordering::Greater => Merged::Won(ConflictReason::HigherRole),
        std::cmp::Ordering::Equal => Merged::Won(ConflictReason::LaterArrival),
        std::cmp::Ordering::Less => Merged::Lost(ConflictReason::HigherRole),
    }
}

/// What a case holds in a field now.
pub fn held(case: &Case, field: &FieldName) -> Held {
    case.fields.get(field).cloned().unwrap_or(Held { value: Value::Null, rev: 0, role: None })
}

/// Changes one field of a case and keeps the loser. Returns what became of it.
pub fn change_field(case: &mut Case, field: &FieldName, change: &Change, author: &Author, rev: u64) -> Merged {
    let nothing = Held { value: Value::Null, rev: 0, role: Some(Role::Auditor) };
    let current = case.fields.get(field).cloned().unwrap_or(nothing);
    let swap = case.conflicts.iter().position(|it| it.field == *field && it.loser.value == change.to);
    let swapped_before = swap.and_then(|index| case.conflicts.get(index)).is_some_and(|it| it.swapped);
    let merged = merge(&current, change, author, swapped_before);
    let wanted = Held { value: change.to.clone(), rev, role: author.role };
    match &merged {
        Merged::Applied | Merged::Won(_) => {
            case.fields.insert(field.clone(), wanted.clone());
        }
        Merged::Already | Merged::Lost(_) => {}
    }
    let settles = rank(author.role) >= 2 && matches!(merged, Merged::Applied | Merged::Already);
    if settles {
        case.conflicts.retain(|it| it.field != *field);
        return merged;
    }
    match &merged {
        Merged::Applied => {
            if let Some(conflict) = swap.and_then(|index| case.conflicts.get_mut(index)) {
                conflict.loser = current;
                conflict.winner = wanted;
                conflict.swapped = true;
                conflict.rev = rev;
            }
        }
        Merged::Already => {}
        Merged::Won(why) => {
            keep(
                case,
                Conflict {
                    field: field.clone(),
                    winner: wanted,
                    loser: current,
                    loser_by: None,
                    why: *why,
                    rev,
                    swapped: false,
                },
            );
        }
        Merged::Lost(why) => {
            let known = swap.and_then(|index| case.conflicts.get(index)).is_some();
            if !known {
                keep(
                    case,
                    Conflict {
                        field: field.clone(),
                        winner: current,
                        loser: wanted,
                        loser_by: Some(author.account),
                        why: *why,
                        rev,
                        swapped: false,
                    },
                );
            }
        }
    }
    merged
}

/// Keeps a conflict; the oldest makes room, it stays readable in the entries.
fn keep(case: &mut Case, conflict: Conflict) {
    if case.conflicts.len() >= CONFLICTS_IN_DOCUMENT_MAX {
        case.conflicts.remove(0);
    }
    case.conflicts.push(conflict);
}
