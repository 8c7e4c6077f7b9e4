//! Who hears that it is time to look again at a case that was closed, and that nobody has: never anybody of a unit.

use schema::case::Case;
use schema::entity::LookBackTask;
use schema::notice::{Addressed, Notice, Step};
use schema::op::Body;
use sync_core::area::AreaIndex;
use sync_core::due::LOOK_BACK;

use super::{At, Directory, Happened, Ladder, Start, said};

/// The notice of what happened to a look-back; none if nobody has to hear of it.
pub(crate) fn notice_of_look_back(
    happened: &Happened<'_>,
    at: &At,
    (task, case): (&LookBackTask, &Case),
    areas: Option<&AreaIndex>,
    directory: &Directory,
) -> Option<Notice> {
    let directory = directory.of_no_unit();
    let ladder = Ladder::new(case, None, areas, &directory);
    let level = match happened.body {
        Body::MarkDueSoon(_) | Body::MarkOverdue(_) => None,
        Body::Escalate(body) => Some(body.level),
        _ => return None,
    };
    let mut to = match level {
        Some(level) => ladder.reached(Start::Office(usize::from(level.saturating_sub(1)))),
        None => inspectors(task, areas, &directory).unwrap_or_else(|| ladder.reached(Start::Office(0))),
    };
    to.accounts.retain(|hearer| Some(hearer.person) != task.fixer);
    let mut said = said(happened, at, case, to, level);
    said.data.stage = LOOK_BACK.parse().ok();
    said.data.due_ms = Some(task.due_ms);
    Some(said)
}

/// The inspectors of the place who may look; none where there are none.
fn inspectors(task: &LookBackTask, areas: Option<&AreaIndex>, directory: &Directory) -> Option<Addressed> {
    let path =
        areas.map(|index| index.path(task.area)).filter(|path| !path.is_empty()).unwrap_or_else(|| vec![task.area]);
    let mut accounts = directory.inspecting(&path);
    accounts
        .retain(|hearer| Some(hearer.person) != task.fixer && (task.nth > 1 || Some(hearer.person) != task.checker));
    (!accounts.is_empty()).then_some(Addressed { step: Step::Area, area: Some(task.area), accounts })
}
