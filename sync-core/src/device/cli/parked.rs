//! `parked`: what waits in the server's custody until a supervisor decides. It asks the server: nobody else knows.

use std::process::ExitCode;

use schema::api::ParkedRow;
use schema::entity::Entity;
use schema::ids::{AccountId, DeviceId, EntityId, LogId, OpId};
use schema::record::RefusalCode;
use serde::Serialize;
use sync_core::device::phone::Phone;
use sync_core::device::transport::{CallError, Transport};
use sync_core::line::{read, short_code};

use super::say::{Failure, Out, print};
use super::syncing::transport;

/// An op that waits, with what the server and this phone know of it.
#[derive(Debug, Serialize)]
struct Waiting {
    log: LogId,
    rev: u64,
    op: OpId,
    case: EntityId,
    short_code: String,
    /// None where neither the line nor the case may be read.
    kind: Option<String>,
    code: String,
    device: DeviceId,
    account: Option<AccountId>,
    who: Option<String>,
}

/// Lists them, oldest first.
pub(crate) fn parked(phone: &mut Phone, out: Out) -> Result<ExitCode, Failure> {
    let server = phone.identity()?.server;
    let mut caller = Caller { transport: transport(&server, out), phone };
    let mut waiting = Vec::new();
    for log in caller.phone.log_ids()? {
        for row in caller.rows(log)? {
            waiting.push(caller.waiting(log, row)?);
        }
    }
    out.json(&waiting)?;
    if waiting.is_empty() {
        out.line("没有挂起的操作", "nothing is parked");
    }
    if !out.json {
        waiting.iter().for_each(|it| print(&text(out, it)));
    }
    Ok(ExitCode::SUCCESS)
}

fn text(out: Out, it: &Waiting) -> String {
    let code: Option<RefusalCode> = serde_json::from_value(it.code.as_str().into()).ok();
    let why = code.map_or(it.code.as_str(), |code| out.refusal(code));
    let kind = it.kind.as_deref().unwrap_or("-");
    let who = it.who.clone().unwrap_or_else(|| format!("{} {}", out.pick("设备", "device"), it.device));
    let (case, op, reason) = (it.case, it.op, out.pick("理由", "WHY"));
    format!(
        "{}  {kind}  {who}: {why} ({})\n    do {case} release|discard --parked {op} --reason {reason}",
        it.short_code, it.code
    )
}

struct Caller<'a> {
    phone: &'a mut Phone,
    transport: Transport,
}

impl Caller<'_> {
    fn rows(&mut self, log: LogId) -> Result<Vec<ParkedRow>, Failure> {
        let (mut rows, mut after) = (Vec::new(), 0);
        loop {
            let page = self.ask(|transport, token| transport.parked(token, log, after))?;
            rows.extend(page.parked);
            match page.next {
                // A page that does not lead on would be asked for without end.
                Some(next) if next > after => after = next,
                Some(_) | None => return Ok(rows),
            }
        }
    }

    fn waiting(&mut self, log: LogId, row: ParkedRow) -> Result<Waiting, Failure> {
        // The line says it best; without a right to it, the entry does, where there is a case to ask for.
        let said = row.line.as_deref().and_then(|line| read(line.as_bytes()).ok());
        let before = row.rev.saturating_sub(1);
        let entry = self.try_ask(|transport, token| transport.entries(token, log, row.entity, before));
        let entry = match entry? {
            Ok(page) => page.entries.into_iter().find(|entry| entry.outcome.rev == row.rev),
            Err(CallError::Refused { status: 403 | 404, .. }) => None,
            Err(error) => return Err(failure(&error)),
        };
        let held = self.owner(log, row.device)?;
        let account = said.as_ref().map(|op| op.actor).or(entry.as_ref().map(|entry| entry.actor)).or(held);
        let who = account.map(|account| self.name(log, account)).transpose()?.flatten();
        Ok(Waiting {
            log,
            rev: row.rev,
            op: row.op,
            case: row.entity,
            short_code: short_code(row.entity),
            kind: said.map(|op| op.kind).or(entry.map(|entry| entry.outcome.kind)),
            code: row.code,
            device: row.device,
            account,
            who,
        })
    }

    fn owner(&self, log: LogId, device: DeviceId) -> Result<Option<AccountId>, Failure> {
        Ok(self.phone.entities(log, "device")?.into_iter().find_map(|entity| match entity {
            Entity::Device(held) if held.id == device => Some(held.account),
            _ => None,
        }))
    }

    fn name(&self, log: LogId, account: AccountId) -> Result<Option<String>, Failure> {
        Ok(self.phone.entities(log, "account")?.into_iter().find_map(|entity| match entity {
            Entity::Account(held) if held.id == account => Some(held.name),
            _ => None,
        }))
    }

    /// Asks with the token held; once more with a new one where that has ended.
    fn try_ask<T>(
        &mut self,
        call: impl Fn(&Transport, &str) -> Result<T, CallError>,
    ) -> Result<Result<T, CallError>, Failure> {
        let (access, refresh) = self.phone.tokens()?;
        let answer = call(&self.transport, &access);
        if !matches!(answer, Err(CallError::Refused { status: 401, .. })) {
            return Ok(answer);
        }
        Ok(match self.transport.refresh(&refresh) {
            Ok(tokens) => {
                self.phone.take_tokens(&tokens)?;
                call(&self.transport, &tokens.access)
            }
            Err(error) => Err(error),
        })
    }

    fn ask<T>(&mut self, call: impl Fn(&Transport, &str) -> Result<T, CallError>) -> Result<T, Failure> {
        self.try_ask(call)?.map_err(|error| failure(&error))
    }
}

fn failure(error: &CallError) -> Failure {
    let said = error.to_string();
    match error {
        CallError::Refused { status: 403, .. } => Failure::refused(
            "仅主管和管理员可查看挂起的操作",
            "supervisors and administrators only may see what is parked",
        ),
        CallError::Refused { status: 401, .. } => {
            Failure::refused("登录已失效：请先运行 sync", "the login is not good any more: run `sync` first")
        }
        CallError::Refused { .. } | CallError::TimedOut | CallError::Unreachable(_) | CallError::Unreadable(_) => {
            Failure::refused(format!("此命令需要联网：{said}"), format!("this needs the server: {said}"))
        }
    }
}
