//! `acknowledge-epoch`: auditors and administrators take note that a log was set back and went on in a new epoch.

use std::process::ExitCode;

use schema::entity::{Entity, Restored};
use schema::ids::{EpochId, LogId};
use schema::op::{AcknowledgeEpoch, Body};
use serde::Serialize;
use sync_core::device::capture::Draft;
use sync_core::device::clocks::Clocks;
use sync_core::device::phone::Phone;

use super::say::{Failure, Out};

/// An epoch that nobody took note of.
#[derive(Debug, Serialize)]
struct Waiting {
    log: LogId,
    epoch: EpochId,
    began_ms: u64,
    kept_rev: u64,
    last_signed_head: u64,
}

/// Lists the epochs that wait, or takes note of one.
pub(crate) fn acknowledge(
    phone: &mut Phone,
    clocks: &Clocks,
    out: Out,
    asked: Option<EpochId>,
) -> Result<ExitCode, Failure> {
    phone.identity()?;
    let waiting = waiting(phone)?;
    let Some(epoch) = asked else { return list(out, &waiting) };
    let Some(found) = waiting.iter().find(|it| it.epoch == epoch) else {
        return Err(Failure::refused(
            format!("没有待确认的纪元 {epoch}"),
            format!("there is no epoch {epoch} to take note of"),
        ));
    };
    let body = Body::AcknowledgeEpoch(AcknowledgeEpoch { epoch });
    let draft = Draft { log: found.log, entity: Some(found.log.into()), body, values: Vec::new() };
    let captured = phone.capture(draft, &[], clocks.now())?;
    out.json(&serde_json::json!({ "op": captured.op, "epoch": epoch }))?;
    out.line("已记录，同步后生效", "noted; it takes effect with the next sync");
    Ok(ExitCode::SUCCESS)
}

fn list(out: Out, waiting: &[Waiting]) -> Result<ExitCode, Failure> {
    out.json(&waiting)?;
    if waiting.is_empty() {
        out.line("没有待确认的纪元", "no epoch waits for anybody to take note of it");
    }
    for it in waiting {
        let (epoch, kept, last) = (it.epoch, it.kept_rev, it.last_signed_head);
        out.line(
            format!("纪元 {epoch}：保留至 {kept}，此前已知至 {last}"),
            format!("epoch {epoch}: kept up to {kept}, known to {last} before"),
        );
    }
    Ok(ExitCode::SUCCESS)
}

fn waiting(phone: &Phone) -> Result<Vec<Waiting>, Failure> {
    let mut found = Vec::new();
    for log in phone.log_ids()? {
        let Some(shown) = phone.view(log, log.into())? else { continue };
        let Entity::Log(entity) = shown.entity else { continue };
        let open = entity.restored.into_iter().filter(|restored| restored.acknowledged.is_none());
        found.extend(open.map(|Restored { epoch, by, kept_rev, last_signed_head, .. }| Waiting {
            log,
            epoch,
            began_ms: by.received_ms,
            kept_rev,
            last_signed_head,
        }));
    }
    Ok(found)
}
