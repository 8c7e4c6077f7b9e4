//! Districts, and deleting a personal value by law.

use anyhow::Context;
use schema::catalogue::Text;
use serde_json::json;
use server::error::{Error, Result};
use server::services::geojson;
use server::services::installation::District;

use super::arguments::{DistrictCommand, Redact};
use super::commands::open;
use super::output::Output;

pub(super) async fn district(command: DistrictCommand, output: &Output) -> Result<()> {
    match command {
        DistrictCommand::Add { place, name, en, zone, areas } => {
            // Read before anything is made: a wrong file makes no district.
            let tree = match &areas {
                None => None,
                Some(file) => {
                    let bytes = std::fs::read(file).with_context(|| format!("reading {}", file.display()))?;
                    let faults = |faults: Vec<geojson::Fault>| {
                        Error::Faults(faults.iter().map(geojson::Fault::in_words).collect())
                    };
                    Some(geojson::read(&bytes).map_err(faults)?)
                }
            };
            let app = open(place)?;
            let signer = app.logs.checkpoints.signer().verifier_key();
            let district = District { name: Text { en: en.unwrap_or_else(|| name.clone()), zh: name.clone() }, zone };
            let log = app.installation.add_district(&district, &signer).await?;
            if let Some(tree) = &tree {
                app.installation.of_district(Some(log.to_string())).import_areas(tree).await?;
            }
            let count = tree.map_or(0, |tree| tree.areas.len());
            let zh = format!("已新增区 {name}({log}),{count} 个区域");
            let en = format!("district {name} ({log}) added, {count} areas");
            output.result(&json!({ "district": name, "log": log, "areas": count }), &zh, &en);
        }
        DistrictCommand::List(place) => {
            let districts = open(place)?.installation.districts().await?;
            let lines: Vec<String> = districts
                .iter()
                .map(|listed| format!("{}  {}  {}  {}", listed.log, listed.name.zh, listed.name.en, listed.zone))
                .collect();
            output.result(&districts, &lines.join("\n"), &lines.join("\n"));
        }
    }
    Ok(())
}

pub(super) async fn redact(Redact { place, case, value, reason }: Redact, output: &Output) -> Result<()> {
    let hash = open(place)?.installation.redact(case, &value, &reason).await?;
    let (zh, en) = ("已删除,其散列值与全部证明不变", "the value is deleted; its hash and every proof stay");
    output.result(&json!({ "redacted": hash }), zh, en);
    Ok(())
}
