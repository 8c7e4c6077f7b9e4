//! `report`: a problem is captured. It needs no server, no valid login and no right clock.

use std::collections::BTreeMap;
use std::process::ExitCode;

use schema::case::{Position, Source};
use schema::ids::{EntityId, LogId, OpId};
use schema::op::{Body, EvidenceRole, Report, SettleOnSite};
use serde_json::json;
use sync_core::catalogue::subtype;
use sync_core::device::capture::Draft;
use sync_core::device::clocks::Clocks;
use sync_core::device::error::PhoneError;
use sync_core::device::phone::Phone;
use sync_core::line::short_code;

use super::args;
use super::say::{Failure, Out};
use super::{case, fields, photo};

/// Captures a report.
pub(crate) fn report(phone: &mut Phone, clocks: &Clocks, out: Out, asked: &args::Report) -> Result<ExitCode, Failure> {
    phone.identity()?;
    let position = fields::position(&asked.at, asked.accuracy_m, asked.gcj02)?;
    let log = log_of(phone, asked.log.as_deref(), &position)?;
    let (hash, catalogue) = case::catalogue(phone, log, out)?;
    let (category, subtype_code) = fields::kind(catalogue.as_ref(), &asked.category, &asked.subtype)?;
    let found = catalogue.as_ref().and_then(|catalogue| subtype(catalogue, &category, &subtype_code));
    let found = found.map(|(_, subtype)| subtype);
    let mut values = Vec::new();
    let mut held = BTreeMap::new();
    for typed in &asked.fields {
        let (name, value) = fields::pair(typed)?;
        let (code, value) = fields::field(phone, found, name, value, &mut values)?;
        held.insert(code, value);
    }
    let note = match &asked.note {
        Some(note) => Some(fields::seal(phone, note, &mut values)?),
        None => None,
    };
    let made = Report {
        category,
        subtype: subtype_code,
        catalogue: hash,
        position,
        subject: asked.subject.clone(),
        note,
        fields: held,
        source: Source { channel: channel(asked.source), number: asked.source_number.clone() },
        photos: Vec::new(),
    };
    let body = match &asked.settle {
        None => Body::Report(made),
        Some(outcome) => {
            let outcome = match found {
                Some(subtype) => fields::choice(&subtype.settle_outcomes, outcome)?,
                None => fields::code(outcome)?,
            };
            Body::SettleOnSite(SettleOnSite { report: made, outcome })
        }
    };
    let photos = photo::files(&asked.photos, EvidenceRole::Before);
    let captured = phone.capture(Draft { log, entity: None, body, values }, &photos, clocks.now())?;
    say(phone, out, log, captured.entity, captured.op)?;
    Ok(ExitCode::SUCCESS)
}

/// Says what was captured, and what this phone thinks will become of it.
pub(crate) fn say(phone: &Phone, out: Out, log: LogId, entity: EntityId, op: OpId) -> Result<(), Failure> {
    let shown = phone.view(log, entity)?;
    let estimate = shown.and_then(|it| it.own.into_iter().find(|own| own.op == op)).and_then(|own| own.estimate);
    let code = short_code(entity);
    out.json(&json!({"op": op, "case": entity, "short_code": code, "log": log, "estimate": estimate}))?;
    out.line(format!("已保存在本机：{code}（{entity}）"), format!("on this phone: {code} ({entity})"));
    if let Some(estimate) = &estimate {
        let text = out.estimate(estimate);
        out.line(&text, &text);
    }
    Ok(())
}

/// The log that is named, else the one for a position.
pub(crate) fn log_of(phone: &Phone, named: Option<&str>, position: &Position) -> Result<LogId, Failure> {
    match named {
        Some(id) => id.parse().map_err(|_| Failure::usage(format!("不是日志 ID：{id}"), format!("not a log: {id}"))),
        None => phone.log_at(position)?.ok_or_else(|| several_logs(phone)),
    }
}

fn several_logs(phone: &Phone) -> Failure {
    let logs = phone.logs().unwrap_or_default();
    if logs.is_empty() {
        return Failure::Phone(PhoneError::NotEnrolled);
    }
    let list = logs.iter().map(|log| format!("{} ({})", log.log, log.name.zh)).collect::<Vec<_>>().join(", ");
    Failure::usage(
        format!("无法由位置确定所属区，请用 --log 指定：{list}"),
        format!("several districts: say which with --log: {list}"),
    )
}

fn channel(channel: args::Channel) -> schema::case::Channel {
    use schema::case::Channel;
    match channel {
        args::Channel::Patrol => Channel::Patrol,
        args::Channel::Hotline => Channel::Hotline,
        args::Channel::Leader => Channel::Leader,
        args::Channel::Inspection => Channel::Inspection,
        args::Channel::Survey => Channel::Survey,
    }
}
