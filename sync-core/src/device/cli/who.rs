//! `who`: who should have a matter at a place, by the responsibilities in force, with no network.

use std::process::ExitCode;

use schema::entity::Entity;
use schema::ids::LogId;
use serde_json::json;
use sync_core::device::clocks::Clocks;
use sync_core::device::phone::Phone;
use sync_core::responsibility::{ByMatter, ByPlace, Candidate, Suggestion};

use super::say::{Failure, Out, print};
use super::{args, case, fields, report, show};

/// Answers it.
pub(crate) fn who(phone: &Phone, clocks: &Clocks, out: Out, asked: &args::Who) -> Result<ExitCode, Failure> {
    phone.identity()?;
    let position = fields::position(&asked.at, None, asked.gcj02)?;
    let log = report::log_of(phone, asked.log.as_deref(), &position)?;
    let (_, catalogue) = case::catalogue(phone, log, out)?;
    let (category, subtype) = fields::kind(catalogue.as_ref(), &asked.category, &asked.subtype)?;
    let found = phone.responsible(log, &position, (&category, &subtype), clocks.now())?.ok_or_else(|| {
        Failure::refused(
            "本机没有责任清单：请先同步；仍没有时请管理员导入",
            "there are no responsibilities on this phone: sync; if there are none then, an administrator imports them",
        )
    })?;
    out.json(&json!({ "log": log, "suggestion": found }))?;
    if !out.json {
        print_suggestion(phone, out, log, &found)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// A suggestion, line by line: who leads, or that nobody or several do; who helps; the chiefs.
pub(crate) fn print_suggestion(phone: &Phone, out: Out, log: LogId, found: &Suggestion) -> Result<(), Failure> {
    match found.leads.as_slice() {
        [] => print(out.pick(
            "建议责任单位：无（责任空白，请由人决定）",
            "suggested unit: none is responsible here: a person decides",
        )),
        [only] => print_one(phone, out, log, out.pick("建议责任单位", "suggested unit"), only)?,
        several => {
            print(out.pick("责任重叠，请由人选定：", "several are responsible as much: a person chooses"));
            for one in several {
                print_one(phone, out, log, out.pick("  单位", "  unit"), one)?;
            }
        }
    }
    for one in &found.helpers {
        print_one(phone, out, log, out.pick("协办单位", "helping unit"), one)?;
    }
    for one in &found.persons {
        print_one(phone, out, log, out.pick("责任人", "person in charge"), one)?;
    }
    Ok(())
}

fn print_one(phone: &Phone, out: Out, log: LogId, label: &str, one: &Candidate) -> Result<(), Failure> {
    let unit = one.unit.map(|unit| show::unit_name(phone, out, log, unit)).transpose()?;
    let person = match one.person {
        None => None,
        Some(id) => phone.entities(log, "account")?.into_iter().find_map(|entity| match entity {
            Entity::Account(account) if account.id == id => Some(account.name),
            _ => None,
        }),
    };
    let named = [unit, person].into_iter().flatten().collect::<Vec<_>>().join(" ");
    print(&format!("{label}: {named} ({})", why(out, one)));
    Ok(())
}

/// Why it is named: by which matter, at which place.
fn why(out: Out, one: &Candidate) -> String {
    let matter = match one.matter {
        ByMatter::All => out.pick("各类事项", "every matter"),
        ByMatter::Category => out.pick("按大类", "by category"),
        ByMatter::Subtype => out.pick("按小类", "by subtype"),
    };
    let place = match one.place {
        ByPlace::Everywhere => out.pick("全区", "everywhere"),
        ByPlace::District => out.pick("按区", "by district"),
        ByPlace::Subdistrict => out.pick("按街道", "by subdistrict"),
        ByPlace::Community => out.pick("按社区", "by community"),
        ByPlace::Grid => out.pick("按网格", "by grid"),
        ByPlace::Line => out.pick("按路段、河段", "by street, road or river"),
    };
    let named = one.named.as_ref().map(|name| format!(" {}", out.text(name))).unwrap_or_default();
    format!("{matter}, {place}{named}; {} {}", out.pick("规则", "rule"), one.rule)
}
