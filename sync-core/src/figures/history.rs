//! What a document has forgotten, from the case's entries: limits that began anew, and due instants that were moved.

use schema::case::{Case, State};
use schema::catalogue::Code;
use schema::clock::{Issued, Moment, Stage, Timed};
use schema::ids::UnitId;
use schema::limits::APPROVALS;
use schema::op::{Body, IssueDeadline};

use super::facts::{Ending, Facts, Moved, Timing, timing};

/// An entry of a case that took effect.
#[derive(Debug, Clone, PartialEq)]
pub struct Told {
    /// Its revision.
    pub rev: u64,
    /// When it was first received.
    pub at_ms: u64,
    /// Where the case stood after it.
    pub state: Option<State>,
    /// What it asked for.
    pub body: Box<Body>,
}

/// A limit from its first deadline to its last.
struct Course {
    stage: Code,
    helper: Option<UnitId>,
    issued_rev: u64,
    upheld: usize,
    timing: Timing,
}

/// Completes the facts of a case from its entries, oldest first. The newest limit of each stage is the document's.
pub fn with_entries(facts: &mut Facts, case: &Case, told: &[Told], stages: &[&Stage]) {
    let mut courses: Vec<Course> = Vec::new();
    let (mut before, mut resumed) = (None, false);
    let mut first_check = None;
    for entry in told {
        match entry.body.as_ref() {
            Body::IssueDeadline(body) => issue(&mut courses, body, entry.rev, resumed),
            Body::MarkOverdue(marked) => {
                for course in courses.iter_mut().filter(|course| course.issued_rev == marked.clock) {
                    course.timing.late = true;
                }
            }
            Body::DecideAppeal(decided) => {
                let of_it = courses.iter_mut().rfind(|course| course.stage == decided.stage);
                of_it.into_iter().for_each(|course| course.upheld += usize::from(decided.grant));
            }
            Body::TakeOver(body) => {
                let theirs = |course: &&mut Course| course.timing.timed == Timed::Unit;
                let runs = |course: &&mut Course| course.timing.ending == Ending::Open;
                courses.iter_mut().filter(theirs).filter(runs).for_each(|it| it.timing.unit = Some(body.unit));
            }
            Body::SettleOnSite(_) => facts.settled_on_site = true,
            body => {
                let happened = happened(before, entry.state, body);
                let checked = happened.iter().find_map(|moment| match moment {
                    Moment::CheckPassed => Some(true),
                    Moment::CheckFailed => Some(false),
                    _ => None,
                });
                first_check = first_check.or(checked);
                resumed = happened.contains(&Moment::Resume);
                follow(&mut courses, &happened, stages, entry.at_ms);
            }
        }
        before = entry.state.or(before);
    }
    facts.first_check = first_check.or(facts.first_check);
    facts.clocks = in_order(courses, case);
}

/// Past limits as the entries tell of them, the newest of each stage as the document does.
fn in_order(courses: Vec<Course>, case: &Case) -> Vec<Timing> {
    let mut clocks = Vec::with_capacity(courses.len());
    for course in courses {
        let newest = case.clocks.iter().find(|clock| clock.issued_rev == course.issued_rev);
        clocks.push(match newest.map(timing) {
            Some(newest) => Timing { moved: course.timing.moved, ..newest },
            None => Timing { excused: course.upheld >= APPROVALS, ..course.timing },
        });
    }
    clocks
}

fn issue(courses: &mut Vec<Course>, body: &IssueDeadline, rev: u64, resumed: bool) {
    let helper = body.unit.filter(|_| body.timed == Timed::Helper);
    let held = courses.iter_mut().rfind(|course| course.stage == body.stage && course.helper == helper);
    let Some(course) = held.filter(|_| body.why != Issued::Started) else {
        // One that another takes the place of stands for ever, if nothing came of it.
        for old in courses.iter_mut().filter(|course| course.stage == body.stage && course.helper == helper) {
            if old.timing.ending == Ending::Open {
                old.timing.ending = Ending::Stands;
            }
        }
        let timing = Timing {
            timed: body.timed,
            unit: body.unit,
            due_ms: body.due.at_ms,
            moved: Vec::new(),
            extended: false,
            late: false,
            excused: false,
            by_phone: false,
            ending: Ending::Open,
        };
        courses.push(Course { stage: body.stage.clone(), helper, issued_rev: rev, upheld: 0, timing });
        return;
    };
    let timing = &mut course.timing;
    let why = match body.why {
        Issued::Extended => Some(Moved::Extended),
        Issued::Resumed if resumed => Some(Moved::Suspended),
        _ => None,
    };
    timing.moved.extend(why.map(|why| (timing.due_ms, why)));
    timing.extended |= body.why == Issued::Extended;
    timing.due_ms = body.due.at_ms;
    if matches!(body.why, Issued::Recounted | Issued::Silence) {
        // What is counted anew behind the mark was never overdue.
        timing.late &= body.due.at_ms < body.at_ms;
    } else {
        timing.ending = Ending::Open;
    }
    course.issued_rev = rev;
}

fn follow(courses: &mut [Course], happened: &[Moment], stages: &[&Stage], at_ms: u64) {
    for course in courses.iter_mut().filter(|course| course.timing.ending == Ending::Open) {
        let stage = stages.iter().find(|stage| stage.code == course.stage);
        let meets = stage.is_some_and(|stage| stage.meets.iter().any(|moment| happened.contains(moment)));
        if meets {
            course.timing.ending = Ending::Met;
            course.timing.late |= at_ms > course.timing.due_ms;
        } else if happened.contains(&Moment::End) {
            course.timing.ending = Ending::Stopped;
        }
    }
}

/// What happened between two states, whichever op brought it about.
fn happened(before: Option<State>, after: Option<State>, body: &Body) -> Vec<Moment> {
    use State::{Assigned, Checked, Closed, Declined, Duplicate, Filed, Fixed, Reported, Void};
    match (before, after, body) {
        (_, _, Body::Assign(_)) => vec![Moment::Assign],
        (_, _, Body::Accept(_)) => vec![Moment::Accept],
        (_, _, Body::FinishHelp(_)) => vec![Moment::Help],
        (_, _, Body::Resume(_)) => vec![Moment::Resume],
        (_, _, Body::EndStage(done)) => vec![Moment::Ends(done.stage.clone())],
        (Some(Reported), Some(Filed), _) => vec![Moment::File],
        (Some(Assigned), Some(Filed), _) => vec![Moment::Return],
        (Some(Filed), Some(Assigned), _) => vec![Moment::Assign],
        (Some(Assigned), Some(Fixed), _) => vec![Moment::Fix],
        (Some(Fixed), Some(Checked), _) => vec![Moment::CheckPassed],
        (Some(Fixed | Checked), Some(Assigned), _) => vec![Moment::CheckFailed],
        (Some(Checked), Some(Closed), _) => vec![Moment::Close, Moment::End],
        (Some(Closed | Declined), Some(Filed | Reported), _) => vec![Moment::Reopen],
        (Some(was), Some(Declined | Duplicate | Void), _) if !matches!(was, Declined | Duplicate | Void) => {
            vec![Moment::End]
        }
        _ => Vec::new(),
    }
}
