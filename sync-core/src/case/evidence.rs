//! Evidence and remarks: sets that always add. Nothing here decides a state.

use schema::case::{By, Case, Evidence, Mark, Remark, State};
use schema::limits::{COMMENTS_IN_DOCUMENT_MAX, EVIDENCE_PER_CASE_MAX, PHOTOS_PER_OP_MAX};
use schema::op::{Comment, PhotoClaim, PhotoVerified, Role, WaiveEvidence, WithdrawEvidence};
use schema::record::RefusalCode;

use super::{Step, stale};
use crate::ruling::Ruling;

/// Whether the case has ended: what comes now is late, and an auditor should look.
pub(crate) fn has_ended(case: &Case) -> bool {
    matches!(case.state, State::Closed | State::Declined | State::Duplicate | State::Void)
}

/// Puts photos into a case, as many as it holds. Their bytes may have come already: the server says so by
/// `photo_verified` directly behind.
pub(super) fn claim(case: &mut Case, photos: &[PhotoClaim], step: &Step<'_>, late: bool) {
    keep(&mut case.evidence, photos, &step.by(), late);
}

/// As [`claim`], for whatever has evidence.
pub(crate) fn keep(evidence: &mut Vec<Evidence>, photos: &[PhotoClaim], by: &By, late: bool) {
    let room = EVIDENCE_PER_CASE_MAX.saturating_sub(evidence.len());
    evidence.extend(photos.iter().take(room).map(|photo| Evidence {
        sha256: photo.sha256,
        size: photo.size,
        role: photo.role,
        taken: photo.taken,
        by: by.clone(),
        late,
        verified_rev: None,
        pixels: None,
        flags: Vec::new(),
        withdrawn: None,
        waived: None,
    }));
}

/// Whether there is room for the photos of an op.
pub(super) fn has_room(case: &Case, photos: &[PhotoClaim]) -> bool {
    has_room_for(&case.evidence, photos)
}

/// As [`has_room`], for whatever has evidence.
pub(crate) fn has_room_for(evidence: &[Evidence], photos: &[PhotoClaim]) -> bool {
    photos.len() <= PHOTOS_PER_OP_MAX && evidence.len() + photos.len() <= EVIDENCE_PER_CASE_MAX
}

/// The photos of a refused step stay with the case as late evidence. None where there are none.
pub(super) fn late(case: &Case, photos: &[PhotoClaim], step: &Step<'_>) -> Option<Case> {
    if photos.is_empty() || !has_room(case, photos) {
        return None;
    }
    let mut after = case.clone();
    claim(&mut after, photos, step, true);
    after.needs_audit |= has_ended(case);
    Some(after)
}

/// `add_evidence`: always adds; to an ended case as late evidence, its state unchanged.
pub(super) fn add(case: &Case, photos: &[PhotoClaim], step: &Step<'_>) -> Ruling {
    if photos.is_empty() {
        return Ruling::invalid("photos");
    }
    if !has_room(case, photos) {
        return Ruling::rejected(RefusalCode::Quota).with("evidence_max", EVIDENCE_PER_CASE_MAX);
    }
    let mut after = case.clone();
    let ended = has_ended(case);
    claim(&mut after, photos, step, ended);
    after.needs_audit |= ended;
    let mut ruling = Ruling::accepted_case(after);
    if ended {
        ruling.flags.push("late_evidence".to_owned());
    }
    ruling
}

/// `withdraw_evidence`: by its maker until the check, by a supervisor until the end; it stays visible.
pub(super) fn withdraw(case: &Case, body: &WithdrawEvidence, step: &Step<'_>) -> Ruling {
    let mut after = case.clone();
    let found = after.evidence.iter_mut().find(|item| item.sha256 == body.photo && item.by.op == body.of);
    let Some(item) = found else { return Ruling::invalid("photo") };
    let supervises = step.role() == Some(Role::Supervisor);
    if item.by.account != step.account() && !supervises {
        return Ruling::rejected(RefusalCode::NotPermitted);
    }
    let open = !has_ended(case) && (supervises || case.state != State::Checked);
    if !open {
        return stale(case);
    }
    if item.withdrawn.is_some() {
        return Ruling::unchanged();
    }
    item.withdrawn = Some(Mark { by: step.by(), reason: body.reason });
    Ruling::accepted_case(after)
}

/// `waive_evidence`: a photo that can't come any more is given up by a supervisor who did not submit the fix.
pub(super) fn waive(case: &Case, body: &WaiveEvidence, step: &Step<'_>) -> Ruling {
    if case.fix.as_ref().is_some_and(|fix| fix.by.person == step.person()) {
        return Ruling::rejected(RefusalCode::FourEyes);
    }
    let mut after = case.clone();
    let mut found = false;
    for item in after.evidence.iter_mut().filter(|item| item.sha256 == body.photo) {
        if item.verified_rev.is_some() {
            return Ruling::invalid("photo").with("verified", true);
        }
        found = true;
        item.waived.get_or_insert(Mark { by: step.by(), reason: body.reason });
    }
    if found { Ruling::accepted_case(after) } else { Ruling::invalid("photo") }
}

/// `photo_verified`: by the server, for every claim of this photo in the case.
pub(super) fn verified(case: &Case, body: &PhotoVerified, step: &Step<'_>) -> Ruling {
    let mut after = case.clone();
    let changed = tell_arrived(&mut after.evidence, body, step.ctx.rev);
    if changed { Ruling::accepted_case(after) } else { Ruling::unchanged() }
}

/// Marks every claim of a photo as arrived; whether there were any.
pub(crate) fn tell_arrived(evidence: &mut [Evidence], body: &PhotoVerified, rev: u64) -> bool {
    let mut changed = false;
    let waiting = |item: &&mut Evidence| item.sha256 == body.sha256 && item.verified_rev.is_none();
    for item in evidence.iter_mut().filter(waiting) {
        item.verified_rev = Some(rev);
        item.pixels = body.pixels;
        item.flags.clone_from(&body.flags);
        let of_claim = body.claims.iter().filter(|claim| claim.op == item.by.op && claim.role == item.role);
        item.flags.extend(of_claim.flat_map(|claim| claim.flags.iter().cloned()));
        if item.size != body.size {
            item.flags.push("size_differs".to_owned());
        }
        changed = true;
    }
    changed
}

/// `comment`: always adds; the document keeps the newest.
pub(super) fn comment(case: &Case, body: &Comment, step: &Step<'_>) -> Ruling {
    let mut after = case.clone();
    after.comments.push(Remark { by: step.by(), text: body.text });
    let surplus = after.comments.len().saturating_sub(COMMENTS_IN_DOCUMENT_MAX);
    after.comments.drain(..surplus);
    after.comment_count += 1;
    Ruling::accepted_case(after)
}

/// Photos that must be here before the case may end, and are not: neither come, nor waived, nor withdrawn.
pub(super) fn missing(case: &Case) -> Vec<String> {
    case.evidence
        .iter()
        .filter(|item| item.verified_rev.is_none() && item.waived.is_none() && item.withdrawn.is_none())
        .map(|item| item.sha256.to_string())
        .collect()
}
