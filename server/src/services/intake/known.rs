//! Which rows of a list are here already: taken in before, or reported by somebody else under the same number.

use std::collections::{HashMap, HashSet};

use anyhow::{Context, anyhow};
use schema::case::{Case, Source};
use schema::entity::Entity;
use schema::ids::EntityId;
use schema::op::Report;
use sync_core::line::short_code;

use super::rows::{Draft, channel_name};
use super::{Fault, Intake, Plan};
use crate::error::Result;
use crate::services::ledger::parse_entity;
use crate::store::Entry;

/// Ops looked up, and cases read, together.
const LOOK_UP: usize = 500;

impl Intake {
    /// Takes out what was taken in before, and tells what is different by now.
    pub(super) async fn leave_out_known(&self, plan: &mut Plan) -> Result<()> {
        let mut known: HashMap<_, Entry> = HashMap::new();
        let num = plan.head.num;
        let ids: Vec<_> = plan.drafts.iter().map(|draft| plan.derived.op(&draft.identity)).collect();
        for some in ids.chunks(LOOK_UP) {
            let some = some.to_vec();
            let found = self.store.read_async(move |db| -> Result<_> { Ok(db.entries_of_ops(num, &some)?) }).await?;
            known.extend(found.into_iter().map(|entry| (entry.op, entry)));
        }
        let mut new = Vec::with_capacity(plan.drafts.len());
        for draft in std::mem::take(&mut plan.drafts) {
            match known.get(&plan.derived.op(&draft.identity)) {
                None => new.push(draft),
                Some(entry) => match differences(&draft, entry)? {
                    differences if differences.is_empty() => plan.preview.known += 1,
                    differences => {
                        let list = differences.join(", ");
                        let zh = format!("该编号已经导入过，但内容不同（{list}）；不会改动，请在案件中修改");
                        let en =
                            format!("this number was taken in before with other content ({list}); it stays as it is");
                        plan.preview.different.push(Fault::of_row(draft.row, &zh, &en));
                    }
                },
            }
        }
        plan.drafts = new;
        Ok(())
    }

    /// Takes out what a case stands for already that came another way: by a phone, or by an import of other keys.
    pub(super) async fn leave_out_reported(&self, plan: &mut Plan) -> Result<()> {
        let numbered: HashSet<_> =
            plan.drafts.iter().filter_map(|draft| outside_number(&draft.report.source)).collect();
        if numbered.is_empty() {
            return Ok(());
        }
        let num = plan.head.num;
        let found = self.store.read_async(move |db| -> Result<_> {
            let (mut found, mut after) = (HashMap::new(), EntityId::NIL);
            loop {
                let page = db.entities_of_kind(num, "case", after, LOOK_UP)?;
                let Some(last) = page.last() else { return Ok(found) };
                after = last.id;
                for document in page.into_iter().filter_map(|stored| stored.document) {
                    let Entity::Case(case) = parse_entity(&document)? else { continue };
                    let Some(number) = outside_number(&case.source).filter(|it| numbered.contains(it)) else {
                        continue;
                    };
                    found.entry(number).or_insert(case);
                }
            }
        });
        let found = found.await?;
        let mut new = Vec::with_capacity(plan.drafts.len());
        for draft in std::mem::take(&mut plan.drafts) {
            match outside_number(&draft.report.source).and_then(|number| found.get(&number)) {
                None => new.push(draft),
                Some(case) => plan.preview.here.push(already_here(&draft, case)),
            }
        }
        plan.drafts = new;
        Ok(())
    }
}

/// What makes two reports the same one elsewhere: source and number, however it was typed.
fn outside_number(source: &Source) -> Option<(&'static str, String)> {
    let number = source.number.as_deref()?.trim().to_ascii_uppercase();
    (!number.is_empty()).then(|| (channel_name(source.channel), number))
}

fn already_here(draft: &Draft, case: &Case) -> Fault {
    let code = short_code(case.id);
    let name = case.number.clone().map_or(code.clone(), |number| format!("{number}（{code}）"));
    let zh = format!("该来源编号已有案件 {name}，不再导入；如有补充，请在该案件中添加");
    let name = case.number.clone().map_or(code.clone(), |number| format!("{number} ({code})"));
    let en = format!("already here as case {name}: it is not taken in again; add to that case what is new");
    Fault::of_row(draft.row, &zh, &en)
}

/// What a row says otherwise than the entry that was made of it. Another catalogue by now is no difference.
fn differences(draft: &Draft, entry: &Entry) -> Result<Vec<&'static str>> {
    let op = sync_core::line::read(&entry.line).map_err(|code| anyhow!("an entry that can't be read: {code:?}"))?;
    let then: Report =
        serde_json::from_value(serde_json::Value::Object(op.body)).context("reading a report that was taken in")?;
    let now = &draft.report;
    let mut found = Vec::new();
    let mut differ = |name, same: bool| {
        if !same {
            found.push(name)
        }
    };
    differ("小类 subtype", then.category == now.category && then.subtype == now.subtype);
    differ("位置 position", then.position == now.position);
    differ("对象 subject", then.subject == now.subject);
    differ("情况说明 note", then.note == now.note);
    differ("字段 fields", then.fields == now.fields);
    differ("照片 photos", then.photos == now.photos);
    differ("发现时间 captured", draft.captured_ms.is_none_or(|ms| ms == op.captured.wall_ms));
    Ok(found)
}
