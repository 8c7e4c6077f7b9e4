//! `silences`: the times in which no server was at work, and one decision for all that fell due in each.

use std::process::ExitCode;

use clap::Args;
use schema::entity::{Entity, Silence};
use schema::ids::LogId;
use schema::op::{Body, DecideSilence};
use serde::Serialize;
use sync_core::device::capture::Draft;
use sync_core::device::clocks::Clocks;
use sync_core::device::phone::Phone;

use super::clocks::moment;
use super::course::Decision;
use super::say::{Failure, Out};

#[derive(Debug, Args)]
pub(crate) struct Silences {
    /// 要决定的时段（列出时所示修订号）；不填则列出 / the one to decide about, by the revision that the list shows; without it they are listed
    #[arg(requires = "decision", requires = "reason")]
    pub(crate) silence: Option<u64>,
    /// 同意即退还停机期间的工作时间 / granted: the working time of the silence is given back
    #[arg(long, value_enum)]
    pub(crate) decision: Option<Decision>,
    /// 理由，所有人可见 / why, for everybody to read
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: Option<String>,
}

#[derive(Debug, Serialize)]
struct Listed {
    log: LogId,
    #[serde(flatten)]
    silence: Silence,
}

/// Lists them, or decides about one.
pub(crate) fn silences(phone: &mut Phone, clocks: &Clocks, out: Out, asked: &Silences) -> Result<ExitCode, Failure> {
    phone.identity()?;
    let all = listed(phone)?;
    let (Some(rev), Some(decision), Some(reason)) = (asked.silence, asked.decision, &asked.reason) else {
        return list(out, &all);
    };
    let mut waiting = all.iter().filter(|it| it.silence.rev == rev && it.silence.decided.is_none());
    let (Some(found), None) = (waiting.next(), waiting.next()) else {
        return Err(Failure::refused(
            format!("没有待决定的停机时段 {rev}，请先 sync 再列出"),
            format!("no silence {rev} waits for a decision: sync, then list them"),
        ));
    };
    let excuse = decision == Decision::Grant;
    let body = Body::DecideSilence(DecideSilence { silence: rev, excuse, reason: reason.clone() });
    let draft = Draft { log: found.log, entity: Some(found.log.into()), body, values: Vec::new() };
    let captured = phone.capture(draft, &[], clocks.now())?;
    out.json(&serde_json::json!({ "op": captured.op, "silence": rev, "excuse": excuse }))?;
    out.line("已记录，同步后生效", "noted; it takes effect with the next sync");
    Ok(ExitCode::SUCCESS)
}

fn list(out: Out, all: &[Listed]) -> Result<ExitCode, Failure> {
    out.json(&all)?;
    if all.is_empty() {
        out.line("服务器没有停机记录", "no silence of the server is known");
    }
    for Silence { rev, from_ms, to_ms, decided } in all.iter().map(|it| &it.silence) {
        let (zh, en) = match decided {
            None => ("待决定", "waits for a decision"),
            Some(decided) if decided.excuse => ("已免责", "excused"),
            Some(_) => ("不免责", "not excused"),
        };
        let (from, to) = (moment(*from_ms), moment(*to_ms));
        out.line(format!("{rev}：{from} 至 {to}，{zh}"), format!("{rev}: {from} to {to}, {en}"));
    }
    Ok(ExitCode::SUCCESS)
}

fn listed(phone: &Phone) -> Result<Vec<Listed>, Failure> {
    let mut found = Vec::new();
    for log in phone.log_ids()? {
        let Some(shown) = phone.view(log, log.into())? else { continue };
        let Entity::Log(known) = shown.entity else { continue };
        found.extend(known.silences.into_iter().map(|silence| Listed { log, silence }));
    }
    Ok(found)
}
