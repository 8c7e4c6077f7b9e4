//! `rectify responsibilities`: who is responsible where and for what (属地 × 属事). What would change is shown first.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use schema::calendar::Day;
use schema::catalogue::Text;
use serde_json::json;
use server::error::{Error, Result};
use server::services::changes::{Open, ResponsibilityReport};

use super::arguments::Place;
use super::commands::open;
use super::imports::{Lines, asked, ending, read};
use super::output::Output;

#[derive(Subcommand)]
pub(crate) enum Responsibilities {
    /// Show what other responsibilities would change, then put them in force (导入责任清单)
    Import(Import),
    /// Where nobody is responsible, and where several are; fails where nobody is (检查责任空白与重叠)
    Check {
        #[command(flatten)]
        place: Place,
        /// From this day on; else from today (日期)
        #[arg(long, value_name = "YYYY-MM-DD")]
        on: Option<Day>,
    },
}

#[derive(Args)]
pub(crate) struct Import {
    #[command(flatten)]
    place: Place,
    /// The file
    file: PathBuf,
    /// Put it in force; else what would change is shown only (使其生效)
    #[arg(long)]
    apply: bool,
    /// It is meant that nobody is responsible in places (确认存在责任空白)
    #[arg(long)]
    with_gaps: bool,
}

/// Runs `rectify responsibilities`.
pub(crate) async fn responsibilities(command: Responsibilities, output: &Output) -> Result<()> {
    match command {
        Responsibilities::Import(asked) => import(asked, output).await,
        Responsibilities::Check { place, on } => {
            let report = open(place)?.installation.responsibility_report(on).await?;
            let mut lines = Lines::new(Some(&report.version), &report.version);
            list(&mut lines, &report);
            let Lines((zh, en)) = lines;
            output.result(&json!({ "report": report }), zh.trim_end(), en.trim_end());
            if report.without > 0 { Err(gaps(&report, false)) } else { Ok(()) }
        }
    }
}

async fn import(Import { place, file, apply, with_gaps }: Import, output: &Output) -> Result<()> {
    let bytes = read(&file)?;
    let installation = open(place)?.installation;
    let change = installation.responsibility_change(&bytes).await?;
    if !change.errors.is_empty() {
        return Err(Error::Faults(change.errors));
    }
    let report = &change.report;
    let mut lines = Lines::new(change.from.as_deref(), &report.version);
    lines.say(
        &format!("{} 条规则；{} 个网格 × 小类中，{} 个改变责任单位", report.rules, report.pairs, change.moved),
        &format!("{} rules; {} of {} grids × subtypes have other units", report.rules, change.moved, report.pairs),
    );
    list(&mut lines, report);
    let Lines((zh, en)) = lines;
    let refused = report.without > 0 && !with_gaps && !change.unchanged;
    let applied = !refused && !change.unchanged && (apply || asked(output, &zh, &en));
    if applied {
        installation.import_responsibilities(bytes).await?;
    }
    let end = match refused {
        true => (String::new(), String::new()),
        false => ending(change.unchanged, applied, "责任清单已生效", "the responsibilities are in force"),
    };
    output.result(&json!({ "change": change, "applied": applied }), (zh + &end.0).trim_end(), (en + &end.1).trim_end());
    if refused { Err(gaps(report, true)) } else { Ok(()) }
}

fn gaps(report: &ResponsibilityReport, importing: bool) -> Error {
    let (zh, en) = match importing {
        true => (
            "什么都没有变更；请补上规则，确认就是如此时加 --with-gaps",
            "nothing was changed: add rules, or --with-gaps where it is meant",
        ),
        false => ("请补上规则", "add rules"),
    };
    Error::fault(
        format!("{} 个网格 × 小类无人负责：{zh}", report.without),
        format!("nobody is responsible for {} grids × subtypes: {en}", report.without),
    )
}

fn list(lines: &mut Lines, report: &ResponsibilityReport) {
    let each = |all: &[Open]| all.iter().map(|it| in_words(it, report.on)).collect();
    lines.list("责任空白", "nobody is responsible", each(&report.gaps));
    lines.list("责任重叠", "several are responsible", each(&report.overlaps));
    let crossing = |(one, other, named): &(usize, usize, Text)| {
        (format!("第 {one} 条与第 {other} 条：{}", named.zh), format!("rules {one} and {other}: {}", named.en))
    };
    lines.list("路段、河段重叠", "lines that overlap", report.crossings.iter().map(crossing).collect());
}

/// A subtype with its grids, as many as are read at a glance.
fn in_words(open: &Open, on: Day) -> (String, String) {
    const GRIDS_MAX: usize = 6;
    let more = open.grids.len().saturating_sub(GRIDS_MAX);
    let grids = open.grids.iter().take(GRIDS_MAX).cloned().collect::<Vec<_>>().join(" ");
    let units = |name: fn(&Text) -> &String| open.units.iter().map(name).cloned().collect::<Vec<_>>().join(" / ");
    let (zh_units, en_units) = (units(|it| &it.zh), units(|it| &it.en));
    let code = format!("{}/{}", open.category, open.subtype);
    let (since_zh, since_en) = match open.since > on {
        true => (format!("自 {} 起 ", open.since), format!("from {} on ", open.since)),
        false => (String::new(), String::new()),
    };
    let (more_zh, more_en) = match more {
        0 => (String::new(), String::new()),
        more => (format!(" 等 {} 个网格", more + GRIDS_MAX), format!(" and {more} more")),
    };
    let count = open.grids.len();
    let join = |units: String| if units.is_empty() { units } else { format!("{units}; ") };
    (
        format!("{since_zh}{code} {}：{}{grids}{more_zh}", open.name.zh, join(zh_units)),
        format!("{since_en}{code} {}: {}{count} grids {grids}{more_en}", open.name.en, join(en_units)),
    )
}
