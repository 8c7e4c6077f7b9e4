//! Look-backs: what is to be looked at again, and writing what was found.

use std::process::ExitCode;

use schema::entity::LookBackTask;
use schema::ids::EntityId;
use schema::op::{Body, LookBack, LookBackVerdict};
use serde_json::{Value, json};
use sync_core::device::phone::Phone;

use super::args::Verdict;
use super::body::{Writer, missing};
use super::case::Found;
use super::clocks::moment;
use super::say::{Failure, Out, print};
use super::show::unit_name;

/// What somebody has to look at again, that is due first.
pub(crate) fn list(phone: &Phone, out: Out) -> Result<ExitCode, Failure> {
    let mut rows: Vec<Value> = Vec::new();
    for log in phone.log_ids()? {
        for task in phone.look_backs(log, None)? {
            let case = phone.find(&task.case.to_string())?.into_iter().find(|row| row.log == log);
            let code = case.as_ref().map_or_else(|| task.case.to_string(), |row| row.short_code.clone());
            let text = format!("{code}  {}", line(out, &task));
            out.line(&text, &text);
            rows.push(json!({"log": log, "case": case, "task": task}));
        }
    }
    if rows.is_empty() {
        out.line("没有待回头看的案件", "nothing has to be looked at again");
    }
    out.json(&json!({ "look_backs": rows }))?;
    Ok(ExitCode::SUCCESS)
}

/// A look-back in a line: when one may look, when best, by when, and what was found.
pub(crate) fn line(out: Out, task: &LookBackTask) -> String {
    let found = match (task.results.last().map(|result| result.verdict), &task.dropped, task.overdue_rev) {
        (Some(LookBackVerdict::Held), ..) => out.pick("保持", "held"),
        (Some(LookBackVerdict::Relapsed), ..) => out.pick("反弹", "relapsed"),
        (None, Some(_), _) => out.pick("不再需要", "not needed any more"),
        (None, None, Some(_)) => out.pick("已超时", "overdue"),
        (None, None, None) => out.pick("待查看", "to be made"),
    };
    let (opens, best, due) = (moment(task.opens_ms), moment(task.best_ms), moment(task.due_ms));
    let (nth, label) = (task.nth, out.pick("回头看", "look-back"));
    let (from, at, by) = (out.pick("起", "from"), out.pick("宜", "best"), out.pick("止", "by"));
    format!("{label} {nth}: {found}  {from} {opens}  {at} {best}  {by} {due}")
}

/// Each time a case was found to have come back, and for whom it counts.
pub(crate) fn relapses(phone: &Phone, out: Out, found: &Found) -> Result<(), Failure> {
    for relapse in &found.case.relapses {
        let name = |unit| unit_name(phone, out, found.log, unit);
        let fixed = relapse.fixed_by.map(name).transpose()?.unwrap_or_default();
        let held = relapse.closed_with.map(name).transpose()?;
        let held = held.map(|unit| format!("（{} {unit}）", out.pick("结案时在", "closed with"))).unwrap_or_default();
        let when = moment(relapse.found.received_ms);
        print(&format!("{} {when}  {} {fixed}{held}", out.pick("反弹", "relapsed"), out.pick("整改单位", "fixed by")));
    }
    Ok(())
}

impl Writer<'_> {
    /// `look_back`: the task of the case that is due first, and what was found.
    pub(super) fn look_back(&mut self, found: &Found) -> Result<(EntityId, Body), Failure> {
        let verdict = match self.asked.verdict.ok_or_else(|| missing("--verdict"))? {
            Verdict::Held => LookBackVerdict::Held,
            Verdict::Relapsed => LookBackVerdict::Relapsed,
            Verdict::Pass | Verdict::Fail => {
                return Err(Failure::usage("结论应为 held 或 relapsed", "--verdict is held or relapsed here"));
            }
        };
        if self.asked.photos.is_empty() {
            return Err(missing("--photo"));
        }
        let tasks = self.phone.look_backs(found.log, Some(found.case.id))?;
        let open = tasks.iter().find(|task| task.results.is_empty() && task.dropped.is_none());
        // Bad news is heard behind good.
        let task = open.or_else(|| tasks.iter().rfind(|task| task.dropped.is_none())).ok_or_else(|| {
            Failure::refused("本机没有该案件的回头看任务", "this phone knows of no look-back of this case")
        })?;
        Ok((task.id, Body::LookBack(LookBack { verdict, note: self.note()?, photos: Vec::new() })))
    }
}
