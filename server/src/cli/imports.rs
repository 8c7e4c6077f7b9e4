//! `rectify catalogue`, `rectify calendar` and `rectify areas`: what would change is shown first; then it takes effect, at once or at a date.

use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::{Args, Subcommand};
use jiff::civil::Date;
use serde_json::json;
use server::error::{Error, Result};
use server::services::changes::{AreaChange, CalendarChange, CatalogueChange, NamedArea};
use server::services::geojson;

use super::arguments::Place;
use super::commands::open;
use super::output::Output;

/// Lines of a list that a person is shown; a program gets all.
const SHOWN_MAX: usize = 40;

#[derive(Subcommand)]
pub(crate) enum Catalogue {
    /// Show what a catalogue would change, then put it in force (导入目录)
    Import(Import),
}

#[derive(Subcommand)]
pub(crate) enum Calendar {
    /// Show what a working calendar would change, then put it in force and count deadlines anew (导入工作日历)
    Import(Import),
}

#[derive(Subcommand)]
pub(crate) enum Areas {
    /// Show what an area tree would change, then put it in force (导入区域)
    Import(ImportAreas),
    /// What will take effect at a date, and what it would change (待生效的变更)
    Planned(Place),
    /// Take back what is planned (取消待生效的变更)
    Cancel(Place),
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
}

#[derive(Args)]
pub(crate) struct ImportAreas {
    #[command(flatten)]
    import: Import,
    /// The day from which it is in force, in the district's time zone; else at once (生效日期)
    #[arg(long, value_name = "YYYY-MM-DD")]
    effective: Option<Date>,
}

/// Runs `rectify catalogue`.
pub(crate) async fn catalogue(command: Catalogue, output: &Output) -> Result<()> {
    let Catalogue::Import(Import { place, file, apply }) = command;
    let bytes = read(&file)?;
    let installation = open(place)?.installation;
    let change = installation.catalogue_change(&bytes).await?;
    if !change.errors.is_empty() {
        return Err(Error::Faults(change.errors));
    }
    let (zh, en) = catalogue_lines(&change);
    let applied = !change.unchanged && (apply || asked(output, &zh, &en));
    if applied {
        installation.import_catalogue(bytes).await?;
    }
    let end = ending(change.unchanged, applied, "案件目录已生效", "the catalogue is in force");
    output.result(&json!({ "change": change, "applied": applied }), &(zh + &end.0), &(en + &end.1));
    Ok(())
}

/// Runs `rectify calendar`.
pub(crate) async fn calendar(command: Calendar, output: &Output) -> Result<()> {
    let Calendar::Import(Import { place, file, apply }) = command;
    let bytes = read(&file)?;
    let installation = open(place)?.installation;
    let change = installation.calendar_change(&bytes).await?;
    if !change.errors.is_empty() {
        return Err(Error::Faults(change.errors));
    }
    let (zh, en) = calendar_lines(&change);
    let applied = !change.unchanged && (apply || asked(output, &zh, &en));
    if applied {
        installation.import_calendar(bytes).await?;
    }
    let end = ending(change.unchanged, applied, "工作日历已生效", "the calendar is in force");
    output.result(&json!({ "change": change, "applied": applied }), &(zh + &end.0), &(en + &end.1));
    Ok(())
}

fn calendar_lines(change: &CalendarChange) -> (String, String) {
    let (first, last) = change.years;
    let days = change.days.iter().map(|it| {
        let (zh, en) = if it.works { ("改为上班", "is worked") } else { ("改为休息", "is off") };
        (format!("{} {zh}", it.day), format!("{} {en}", it.day))
    });
    let mut lines = Lines::new(change.from.as_deref(), &change.to);
    lines.list("变更的日子", "days that change", days.collect());
    let units = change.shifts.iter().map(|unit| (unit.zh.clone(), unit.en.clone()));
    lines.list("班次变更的单位", "units whose shifts change", units.collect());
    let Lines((mut zh, mut en)) = lines;
    zh.push_str(&format!("{first} 至 {last} 年内为确定期限；{} 个期限将改变\n", change.deadlines));
    en.push_str(&format!("exact from {first} to {last}; {} deadlines change\n", change.deadlines));
    (zh, en)
}

/// Runs `rectify areas`.
pub(crate) async fn areas(command: Areas, output: &Output) -> Result<()> {
    match command {
        Areas::Import(command) => import_areas(command, output).await,
        Areas::Planned(place) => {
            let planned = open(place)?.installation.planned_areas().await?;
            let (zh, en) = match &planned {
                None => ("没有待生效的区域变更".to_owned(), "no change of areas is planned".to_owned()),
                Some(planned) => {
                    let (zh, en) = area_lines(&planned.change);
                    let at = instant(planned.from_ms);
                    (format!("自 {at} 起生效\n{zh}"), format!("in force from {at}\n{en}"))
                }
            };
            output.result(&json!({ "planned": planned }), zh.trim_end(), en.trim_end());
            Ok(())
        }
        Areas::Cancel(place) => {
            open(place)?.installation.cancel_areas().await?;
            output.result(&json!({ "cancelled": true }), "已取消待生效的区域变更", "the planned change is cancelled");
            Ok(())
        }
    }
}

async fn import_areas(ImportAreas { import, effective }: ImportAreas, output: &Output) -> Result<()> {
    let Import { place, file, apply } = import;
    let bytes = read(&file)?;
    let faults = |faults: Vec<geojson::Fault>| Error::Faults(faults.iter().map(geojson::Fault::in_words).collect());
    let tree = geojson::read(&bytes).map_err(faults)?;
    let installation = open(place)?.installation;
    let change = installation.area_change(&tree).await?;
    if !change.errors.is_empty() {
        return Err(Error::Faults(change.errors));
    }
    let (zh, en) = area_lines(&change);
    let applied = !change.unchanged && (apply || asked(output, &zh, &en));
    let mut from_ms = None;
    match effective {
        Some(day) if applied => from_ms = Some(installation.plan_areas(&tree, day).await?),
        None if applied => installation.import_areas(&tree).await?,
        _ => {}
    }
    let count = tree.areas.len();
    let (done_zh, done_en) = match effective {
        Some(day) => (format!("{count} 个区域将自 {day} 起生效"), format!("{count} areas will be in force from {day}")),
        None => (format!("{count} 个区域已生效"), format!("{count} areas are in force")),
    };
    let end = ending(change.unchanged, applied, &done_zh, &done_en);
    let said = json!({
        "areas": count, "version": tree.version, "change": change, "applied": applied, "from_ms": from_ms
    });
    output.result(&said, &(zh + &end.0), &(en + &end.1));
    Ok(())
}

pub(super) fn read(file: &Path) -> Result<Vec<u8>> {
    Ok(std::fs::read(file).with_context(|| format!("reading {}", file.display()))?)
}

pub(super) fn asked(output: &Output, zh: &str, en: &str) -> bool {
    output.confirmed(&format!("{zh}使其生效？"), &format!("{en}put it in force?"))
}

pub(super) fn ending(unchanged: bool, applied: bool, zh: &str, en: &str) -> (String, String) {
    let said = match (unchanged, applied) {
        (true, _) => ("与现行版本相同，无需变更", "it is what is in force: nothing to change"),
        (false, true) => (zh, en),
        (false, false) => ("什么都没有变更；确认后加 --apply", "nothing was changed: add --apply"),
    };
    (said.0.to_owned(), said.1.to_owned())
}

/// An instant for people; programs get the milliseconds.
fn instant(ms: u64) -> String {
    let at = i64::try_from(ms).ok().and_then(|ms| jiff::Timestamp::from_millisecond(ms).ok());
    at.map(|at| at.to_string()).unwrap_or_default()
}

fn area_lines(change: &AreaChange) -> (String, String) {
    let named = |all: &[NamedArea]| -> Vec<(String, String)> {
        all.iter().map(|it| (format!("{} {}", it.code, it.name.zh), format!("{} {}", it.code, it.name.en))).collect()
    };
    let changed = change.changed.iter().map(|it| both(format!("{}: {}", it.code, it.what.join(", ")))).collect();
    let moves = change.moves.iter().map(|it| both(format!("{} → {}: {}", it.from, it.to, it.cases))).collect();
    let moved: u64 = change.moves.iter().map(|it| it.cases).sum();
    let cases = change.cases;
    let mut lines = Lines::new(change.from.as_deref(), &change.to);
    lines.list("新增区域", "areas added", named(&change.added));
    lines.list("删除区域", "areas removed", named(&change.removed));
    lines.list("变更区域", "areas changed", changed);
    lines.list(&format!("{cases} 个案件中 {moved} 个改变网格"), &format!("{moved} of {cases} cases move"), moves);
    lines.list("提示", "mind", change.warnings.iter().map(|it| (it.zh.clone(), it.en.clone())).collect());
    lines.0
}

fn catalogue_lines(change: &CatalogueChange) -> (String, String) {
    let paths = |all: &[String]| all.iter().cloned().map(both).collect();
    let changed = change.changed.iter().map(|it| both(format!("{}: {} → {}", it.path, it.from, it.to))).collect();
    let mut lines = Lines::new(change.from.as_deref(), &change.to);
    lines.list("新增", "added", paths(&change.added));
    lines.list("删除", "removed", paths(&change.removed));
    lines.list("变更", "changed", changed);
    lines.list("提示", "mind", change.warnings.iter().map(|it| (it.zh.clone(), it.en.clone())).collect());
    lines.0
}

fn both(text: String) -> (String, String) {
    (text.clone(), text)
}

/// What is shown to a person, in both languages.
pub(super) struct Lines(pub(super) (String, String));

impl Lines {
    pub(super) fn new(from: Option<&str>, to: &str) -> Self {
        let from = from.unwrap_or("-");
        Self((format!("版本 {from} → {to}\n"), format!("version {from} → {to}\n")))
    }

    pub(super) fn say(&mut self, zh: &str, en: &str) {
        self.0.0.push_str(&format!("{zh}\n"));
        self.0.1.push_str(&format!("{en}\n"));
    }

    pub(super) fn list(&mut self, zh: &str, en: &str, items: Vec<(String, String)>) {
        if items.is_empty() {
            return;
        }
        let (count, left) = (items.len(), items.len().saturating_sub(SHOWN_MAX));
        self.0.0.push_str(&format!("{zh}（{count}）：\n"));
        self.0.1.push_str(&format!("{en} ({count}):\n"));
        for (zh, en) in items.into_iter().take(SHOWN_MAX) {
            self.0.0.push_str(&format!("  {zh}\n"));
            self.0.1.push_str(&format!("  {en}\n"));
        }
        if left > 0 {
            self.0.0.push_str(&format!("  …… 另有 {left} 项，见 --json\n"));
            self.0.1.push_str(&format!("  … and {left} more: --json\n"));
        }
    }
}
