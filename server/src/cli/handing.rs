//! `rectify hand-over` and `rectify unit merge`: what would move is shown first; then it moves, with a receipt.

use clap::{Args, Subcommand};
use schema::api::{HandOverPreview, HandOverReceipt};
use schema::ids::{OpId, UnitId};
use serde_json::json;
use server::error::Result;
use server::services::installation::{HandingOver, Installation};

use super::arguments::Place;
use super::commands::open;
use super::output::Output;

#[derive(Subcommand)]
pub(crate) enum HandOver {
    /// The cases that somebody holds go to a colleague (按人员移交)
    Account {
        #[command(flatten)]
        asked: Asked,
        /// Login name of who has them (移交人)
        from: String,
        /// Login name of who gets them (接收人)
        to: String,
    },
    /// The cases of a unit go to another unit (按责任单位移交)
    Unit {
        #[command(flatten)]
        asked: Asked,
        /// The unit that has them (移交单位)
        from: UnitId,
        /// The unit that gets them (接收单位)
        to: UnitId,
    },
    /// The cases of the area named by --area go to a unit, whoever has them (按区域移交)
    Area {
        #[command(flatten)]
        asked: Asked,
        /// The unit that gets them (接收单位)
        to: UnitId,
    },
    /// What a hand-over or a merger has moved, and who has signed for it (移交回执)
    Receipt {
        #[command(flatten)]
        place: Place,
        /// The op that asked for it (移交操作 ID)
        op: OpId,
    },
}

#[derive(Args)]
pub(crate) struct Asked {
    #[command(flatten)]
    place: Place,
    /// Only cases of this area and below, by its code (区域编码)
    #[arg(long, value_name = "CODE")]
    area: Option<String>,
    /// Why (事由)
    #[arg(long)]
    reason: String,
    /// Hand over; else what would move is shown only (执行移交)
    #[arg(long)]
    apply: bool,
}

#[derive(Args)]
pub(crate) struct Merge {
    #[command(flatten)]
    asked: Asked,
    /// The unit that ends (并入的单位)
    unit: UnitId,
    /// The unit that goes on (承接单位)
    successor: UnitId,
}

/// Runs `rectify hand-over`.
pub(crate) async fn run(command: HandOver, output: &Output) -> Result<()> {
    match command {
        HandOver::Account { asked, from, to } => {
            let installation = open(asked.place.clone())?.installation;
            let what = HandingOver::Account(installation.account(&from).await?, installation.account(&to).await?);
            hand_over(&installation, what, &asked, output).await
        }
        HandOver::Unit { asked, from, to } => {
            let installation = open(asked.place.clone())?.installation;
            hand_over(&installation, HandingOver::Unit(from, to), &asked, output).await
        }
        HandOver::Area { asked, to } => {
            let installation = open(asked.place.clone())?.installation;
            if asked.area.is_none() {
                return Err(server::error::Error::invalid("area"));
            }
            hand_over(&installation, HandingOver::Area(to), &asked, output).await
        }
        HandOver::Receipt { place, op } => {
            let receipt = open(place)?.installation.hand_over_receipt(op).await?;
            let (zh, en) = moved(&receipt);
            output.result(&json!({ "receipt": receipt }), &zh, &en);
            Ok(())
        }
    }
}

async fn hand_over(installation: &Installation, what: HandingOver, asked: &Asked, output: &Output) -> Result<()> {
    let preview = installation.hand_over_preview(what, asked.area.as_deref()).await?;
    let receipt = match confirmed(&preview, asked, output) {
        true => Some(installation.hand_over(what, asked.area.as_deref(), &asked.reason).await?),
        false => None,
    };
    said(&preview, receipt.as_ref(), output);
    Ok(())
}

/// Runs `rectify unit merge`.
pub(crate) async fn merge(Merge { asked, unit, successor }: Merge, output: &Output) -> Result<()> {
    let installation = open(asked.place.clone())?.installation;
    let preview = installation.hand_over_preview(HandingOver::Unit(unit, successor), None).await?;
    let receipt = match confirmed(&preview, &asked, output) {
        true => Some(installation.merge_unit(unit, successor, &asked.reason).await?),
        false => None,
    };
    said(&preview, receipt.as_ref(), output);
    Ok(())
}

fn confirmed(preview: &HandOverPreview, asked: &Asked, output: &Output) -> bool {
    let (zh, en) = would_move(preview);
    asked.apply || output.confirmed(&format!("{zh}执行移交？"), &format!("{en}hand over?"))
}

fn said(preview: &HandOverPreview, receipt: Option<&HandOverReceipt>, output: &Output) {
    let (zh, en) = match receipt {
        Some(receipt) => moved(receipt),
        None => {
            let (zh, en) = would_move(preview);
            (format!("{zh}什么都没有变更；确认后加 --apply"), format!("{en}nothing was changed: add --apply"))
        }
    };
    output.result(&json!({ "preview": preview, "receipt": receipt }), &zh, &en);
}

fn would_move(preview: &HandOverPreview) -> (String, String) {
    let count = preview.cases;
    let mut lines = (format!("将移交 {count} 个案件\n"), format!("{count} cases would move\n"));
    for (state, count) in &preview.states {
        let line = format!("  {}: {count}\n", format!("{state:?}").to_lowercase());
        lines.0.push_str(&line);
        lines.1.push_str(&line);
    }
    lines
}

fn moved(receipt: &HandOverReceipt) -> (String, String) {
    let HandOverReceipt { op, moved, left, cases, .. } = receipt;
    let all = moved.saturating_add(*left);
    let signed = cases.iter().filter(|case| case.accepted_ms.is_some()).count();
    (
        format!("移交 {op}：{all} 个案件中已移交 {moved} 个，已签收 {signed} 个"),
        format!("hand-over {op}: {moved} of {all} cases have moved, {signed} are signed for"),
    )
}
