//! Units, as the operator sees to them.

use clap::Subcommand;
use schema::catalogue::Text;
use schema::ids::UnitId;
use serde_json::json;
use server::error::Result;

use super::arguments::Place;
use super::commands::open;
use super::handing::{Merge, merge};
use super::output::Output;

#[derive(Subcommand)]
pub(crate) enum Unit {
    /// Add a unit (新增责任单位)
    Add {
        #[command(flatten)]
        place: Place,
        /// Its name in Chinese
        #[arg(long)]
        zh: String,
        /// Its name in English
        #[arg(long)]
        en: String,
        /// Code of its area; else the whole log
        #[arg(long, value_name = "CODE")]
        area: Option<String>,
    },
    /// Give a unit another area (调整责任单位所属区域)
    Move {
        #[command(flatten)]
        place: Place,
        /// The unit's id
        unit: UnitId,
        /// Code of its area; else the whole log
        #[arg(long, value_name = "CODE")]
        area: Option<String>,
    },
    /// Let a unit go into another: its members and cases follow (并入)
    Merge(Merge),
}

/// Runs `rectify unit`.
pub(crate) async fn run(command: Unit, output: &Output) -> Result<()> {
    match command {
        Unit::Add { place, zh, en, area } => {
            let unit = open(place)?.installation.add_unit(Text { zh, en }, area.as_deref()).await?;
            output.result(&json!({ "unit": unit }), &format!("已新增责任单位 {unit}"), &format!("unit {unit} added"));
            Ok(())
        }
        Unit::Move { place, unit, area } => {
            open(place)?.installation.move_unit(unit, area.as_deref()).await?;
            output.result(&json!({ "unit": unit }), "已调整所属区域", "the unit has another area");
            Ok(())
        }
        Unit::Merge(asked) => merge(asked, output).await,
    }
}
