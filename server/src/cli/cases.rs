//! `rectify cases`: taking in a list, after showing what would come of it.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use schema::case::Channel;
use server::error::{Error, Result};
use server::services::intake::{Asked, Fault, Intake, Preview, Taken};

use super::arguments::Place;
use super::commands::open;
use super::output::Output;

/// Warnings that a person is shown; a program gets all.
const WARNINGS_MAX: usize = 40;

#[derive(Subcommand)]
pub(crate) enum Cases {
    /// Take in a ledger or an inspection team's list; shows what would come of it first (导入台账)
    Import(Import),
}

#[derive(Args)]
pub(crate) struct Import {
    #[command(flatten)]
    place: Place,
    /// The list: CSV with a header, UTF-8 or GB18030 (台账文件)
    file: PathBuf,
    /// The folder with the photos that the list names (照片文件夹)
    #[arg(long, value_name = "DIR")]
    photos: Option<PathBuf>,
    /// Login name of the account that reports (上报账号)
    #[arg(long = "as", value_name = "LOGIN")]
    account: String,
    /// Where the rows come from, unless a column says so (来源)
    #[arg(long, value_enum)]
    source: Option<Source>,
    /// The coordinates of positions (坐标系)
    #[arg(long, value_enum, default_value = "wgs84")]
    positions: Coordinates,
    /// Take it in; else it is shown only (执行导入)
    #[arg(long)]
    apply: bool,
}

/// Where rows come from.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Source {
    /// 巡查
    Patrol,
    /// 热线
    Hotline,
    /// 领导交办
    Leader,
    /// 督导
    Inspection,
    /// 摸底
    Survey,
}

/// Coordinates of positions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Coordinates {
    /// What satellites say
    Wgs84,
    /// What Chinese maps show (国测局坐标); converted once, both are kept
    Gcj02,
}

/// Runs a command.
pub(crate) async fn run(command: Cases, output: &Output) -> Result<()> {
    let Cases::Import(import) = command;
    let data = import.place.data.clone();
    let app = open(import.place)?;
    let intake =
        Intake::open(app.logs.store.clone(), app.logs.ledger.clone(), app.photos.clone(), app.clock.clone(), &data)?;
    let asked = Asked {
        log: app.installation.only_log().await?.log,
        file: import.file,
        photos: import.photos,
        account: import.account,
        source: import.source.map(channel),
        gcj02: import.positions == Coordinates::Gcj02,
    };
    output.progress("正在检查……", "looking through …");
    let plan = intake.preview(&asked).await?;
    output.progress("", "");
    let (errors, new) = (plan.preview.errors.len(), plan.preview.new);
    let (zh, en) = shown(&plan.preview);
    if errors > 0 {
        output.result(&plan.preview, &zh, &en);
        return Err(Error::fault(
            format!("有 {errors} 处错误，什么都没有导入；改正后再运行"),
            format!("{errors} errors; nothing was taken in: mend them and run it again"),
        ));
    }
    let question = (format!("{zh}\n导入这 {new} 条？"), format!("{en}\ntake in these {new} rows?"));
    if !import.apply && !output.confirmed(&question.0, &question.1) {
        let (zh, en) =
            (format!("{zh}\n什么都没有导入；确认后加 --apply"), format!("{en}\nnothing was taken in: add --apply"));
        output.result(&plan.preview, &zh, &en);
        return Ok(());
    }
    let preview = plan.preview.clone();
    let progress = |done: usize, all: usize| output.progress(&format!("{done}/{all}"), &format!("{done} of {all}"));
    let taken = intake.take(plan, progress).await?;
    output.progress("", "");
    said(&preview, &taken, output)
}

fn said(preview: &Preview, taken: &Taken, output: &Output) -> Result<()> {
    let (zh, en) = shown(preview);
    let (count, parked, refused) = (taken.taken, taken.parked, taken.refused.len());
    let zh =
        format!("{zh}\n已导入 {count} 条，其中待主管处理 {parked} 条；未接受 {refused} 条{}", lines(&taken.refused).0);
    let en = format!(
        "{en}\n{count} taken in, {parked} of them wait for a supervisor; {refused} refused{}",
        lines(&taken.refused).1
    );
    output.result(&serde_json::json!({ "preview": preview, "taken": taken }), &zh, &en);
    match refused {
        0 => Ok(()),
        _ => Err(Error::fault(format!("{refused} 条未被接受"), format!("{refused} rows were not accepted"))),
    }
}

fn shown(preview: &Preview) -> (String, String) {
    let encoding = preview.encoding.map_or("?", |encoding| encoding.name());
    let Preview { rows, new, known, photos, .. } = preview;
    let mut zh = format!("编码 {encoding}，共 {rows} 行：新 {new}，已导入过 {known}；照片 {photos} 张");
    let mut en = format!("{encoding}, {rows} rows: {new} new, {known} taken in before; {photos} photos");
    let lists = [
        (&preview.errors, "错误", "errors"),
        (&preview.different, "与已导入的不同", "different from what was taken in"),
        (&preview.here, "已有案件，不再导入", "already here, not taken in"),
        (&preview.warnings, "提示", "mind"),
    ];
    for (list, title_zh, title_en) in lists.into_iter().filter(|(list, ..)| !list.is_empty()) {
        // Errors must all be mended; of what is only said, a page is enough for a person.
        let most = if title_en == "mind" { WARNINGS_MAX } else { list.len() };
        let shown = list.get(..most).unwrap_or(list);
        let (lines_zh, lines_en) = lines(shown);
        zh.push_str(&format!("\n{title_zh} {}：{lines_zh}", list.len()));
        en.push_str(&format!("\n{title_en} ({}):{lines_en}", list.len()));
        if let Some(left) = list.len().checked_sub(shown.len()).filter(|left| *left > 0) {
            zh.push_str(&format!("\n  …… 另有 {left} 条，见 --json"));
            en.push_str(&format!("\n  … and {left} more: --json"));
        }
    }
    (zh, en)
}

fn lines(faults: &[Fault]) -> (String, String) {
    let (mut zh, mut en) = (String::new(), String::new());
    for fault in faults {
        let row =
            fault.row.map_or((String::new(), String::new()), |row| (format!("第 {row} 行 "), format!("row {row} ")));
        let column = fault.column.as_ref().map_or(String::new(), |name| format!("[{}] ", name.escape_debug()));
        zh.push_str(&format!("\n  {}{column}{}", row.0, fault.what.zh));
        en.push_str(&format!("\n  {}{column}{}", row.1, fault.what.en));
    }
    (zh, en)
}

fn channel(source: Source) -> Channel {
    match source {
        Source::Patrol => Channel::Patrol,
        Source::Hotline => Channel::Hotline,
        Source::Leader => Channel::Leader,
        Source::Inspection => Channel::Inspection,
        Source::Survey => Channel::Survey,
    }
}
