//! What the network does to requests and answers: small pages, cuts, and, in runs with a broken rule, answers that lack
//! what the rule puts into them.

use anyhow::{Context, Result};
use schema::ids::LogId;
use schema::sync::{SyncEnd, SyncHeader, SyncLine};
use sync_core::device::requests::Request;

use crate::breaks::{Break, Mangle};
use crate::run::Run;

/// As a phone does on a slow link: no more rows than this in the answer.
pub(crate) fn ask_for_a_small_page(request: &mut Request, rows: usize) -> Result<()> {
    let end = request.body.iter().position(|byte| *byte == b'\n').context("a header line")?;
    let mut header: SyncHeader = serde_json::from_slice(&request.body[..end])?;
    header.rows = Some(u32::try_from(rows)?);
    let mut body = serde_json::to_vec(&header)?;
    body.extend_from_slice(&request.body[end..]);
    request.body = body;
    Ok(())
}

/// INV-CRASH-ATOMIC: an answer that is cut is not taken, and leaves nothing.
pub(crate) fn cut(run: &mut Run, handset: usize, log: LogId, request: &Request, answer: &[u8]) -> Result<()> {
    // Without its last newline an answer is still whole.
    let cut = &answer[..run.dice.below(answer.len() - 1)];
    let now = run.world.handsets[handset].now();
    let before = run.world.handsets[handset].phone().base_documents(log)?;
    if run.world.handsets[handset].phone().take_answer(request, cut, now).is_ok() {
        run.breaks("INV-CRASH-ATOMIC", "an answer that was cut was taken".to_owned());
    }
    if run.world.handsets[handset].phone().base_documents(log)? != before {
        run.breaks("INV-CRASH-ATOMIC", "an answer that was cut left something".to_owned());
    }
    Ok(())
}

/// An answer as a server would have written it that does not know the rule.
pub(crate) fn mangled(fault: &Break, answer: &str) -> Result<String> {
    let starts = |line: &str, kind: &str| line.starts_with(&format!("{{\"{kind}\""));
    let lines: Vec<&str> = answer.lines().collect();
    let mut out = Vec::with_capacity(lines.len());
    for line in lines {
        let line = match fault.mangle {
            Mangle::Nothing => line.to_owned(),
            Mangle::Drop(kind) if starts(line, kind) => continue,
            Mangle::CursorsToHead if starts(line, "end") => {
                let SyncLine::End(end) = serde_json::from_str(line)? else { anyhow::bail!("no end") };
                let head = out.first().map(|head: &String| serde_json::from_str(head)).transpose()?;
                let Some(SyncLine::Head(head)) = head else { anyhow::bail!("no head") };
                let scopes = end.scopes.keys().map(|scope| (*scope, head.head)).collect();
                serde_json::to_string(&SyncLine::End(SyncEnd { scopes, more: false, ..end }))?
            }
            Mangle::Drop(_) | Mangle::CursorsToHead => line.to_owned(),
        };
        out.push(line);
    }
    Ok(out.join("\n") + "\n")
}
