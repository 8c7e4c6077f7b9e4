//! Doing what was asked for: each command opens the installation, calls one service, and says what came of it.

use std::time::Duration;

use anyhow::Context;
use schema::catalogue::Text;
use schema::sync::Durability;
use serde_json::json;
use server::app::App;
use server::clock::Clock;
use server::config::{Config, bucket_settings};
use server::error::Result;
use server::routes::openapi;
use server::services::bucket::BucketAt;
use server::services::installation::District;
use server::services::rebuild;
use tracing_subscriber::EnvFilter;

use super::arguments::{Command, Place, Serve, Survival};
use super::output::Output;
use super::{backup, cases, demo, districts, imports, people, responsibilities};

/// A checkpoint is signed at the latest after a minute, if the head moved.
const CHECKPOINT_INTERVAL_MS: u64 = 60_000;
/// How long a webhook may take to answer a test.
const WEBHOOK_TIMEOUT: Duration = Duration::from_secs(10);

/// Runs a command.
pub(crate) async fn run(command: Command, output: &Output) -> Result<()> {
    match command {
        Command::Serve(serve) => run_server(serve, output).await,
        Command::District(command) => districts::district(command, output).await,
        Command::Redact(redact) => districts::redact(redact, output).await,
        Command::Account(command) => people::account(command, output).await,
        Command::Device(command) => people::device(command, output).await,
        Command::Unit(command) => super::units::run(command, output).await,
        Command::HandOver(command) => super::handing::run(command, output).await,
        Command::Cases(command) => cases::run(command, output).await,
        Command::Figures(asked) => super::figures::run(asked, output).await,
        Command::Catalogue(command) => imports::catalogue(command, output).await,
        Command::Calendar(command) => imports::calendar(command, output).await,
        Command::Responsibilities(command) => responsibilities::responsibilities(command, output).await,
        Command::Areas(command) => imports::areas(command, output).await,
        Command::Backup(asked) => backup::backup(&config(asked.place.clone()), asked, *output).await,
        Command::Restore(asked) => backup::restore(asked, *output).await,
        Command::Status(place) => backup::status(&config(place), *output).await,
        Command::Rebuild(place) => rebuild(place, output).await,
        Command::Deadline(asked) => super::deadline::deadline(&asked, output),
        Command::Webhook(command) => super::webhooks::webhook(command, output).await,
        Command::Openapi => {
            let document = openapi::document()?;
            output.result(&openapi::value()?, document.trim_end(), document.trim_end());
            Ok(())
        }
    }
}

async fn run_server(serve: Serve, output: &Output) -> Result<()> {
    let filter = EnvFilter::try_from_env("RECTIFY_LOG").unwrap_or_else(|_| EnvFilter::new("info"));
    let logging = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    if serve.log_json {
        logging.json().init()
    } else {
        logging.init()
    }
    let durability = match serve.durability {
        _ if serve.demo => Durability::Local,
        Survival::Backup => Durability::Backup,
        Survival::Replica => Durability::Replica,
        Survival::Local => Durability::Local,
    };
    if durability == Durability::Replica && !serve.photos_survive && serve.place.photos_url.is_none() {
        return Err(anyhow::anyhow!(
            "--durability replica: a standby has no photos. Keep them in a bucket (--photos-url), or put the photo \
             folder on storage that survives this machine and say so with --photos-survive, or use backup"
        )
        .into());
    }
    let district = District { name: Text { zh: serve.district_zh, en: serve.district_en }, zone: serve.zone };
    let webhook_timeout = Duration::from_secs(serve.webhook_timeout);
    let (listen, proxies) = (serve.listen, serve.proxies);
    let config = Config { durability, listen, proxies, district, webhook_timeout, ..config(serve.place) };
    let demo = if serve.demo { demo::settle(&config, output).await? } else { Vec::new() };
    let running = server::start(config.clone(), Clock::system()).await?;
    let address = format!("http://{}", running.address);
    let code = running.first_code.clone();
    let (mut zh, mut en) = (format!("整改服务器已启动:{address}"), format!("Rectify listens on {address}"));
    if let Some(code) = &code {
        zh.push_str(&format!("\n首位管理员的登记码(24 小时内有效,仅显示一次):{code}"));
        en.push_str(&format!("\nOne-time code of the first administrator (24 hours, shown once): {code}"));
    }
    if serve.demo {
        let (lines_zh, lines_en) = demo::lines(&config, &running, &demo).await?;
        zh.push_str(&lines_zh);
        en.push_str(&lines_en);
    }
    if durability == Durability::Local {
        zh.push_str("\n注意:数据只保存在本机磁盘上。");
        en.push_str("\nMind: what is acknowledged survives on this machine's disk only.");
    }
    output.result(&json!({ "address": address, "admin_code": code, "durability": durability, "demo": demo }), &zh, &en);
    running.wait().await
}

/// The installation that a command works on, whether a server runs on it or not.
pub(crate) fn open(place: Place) -> Result<App> {
    let district = place.district.clone();
    let app = App::open(&config(place), &Clock::system())?;
    Ok(App { installation: app.installation.of_district(district), ..app })
}

/// As [`open`], and a log that was set back has gone over to a new epoch: nothing is said about the old one.
pub(crate) async fn open_recovered(config: &Config) -> Result<App> {
    let app = App::open(config, &Clock::system())?;
    app.installation.check_signer(&app.logs.checkpoints.signer().verifier_key()).await?;
    let recovered = app.logs.checkpoints.recover(&app.logs.ledger).await;
    recovered.context("comparing the logs with what was signed")?;
    Ok(app)
}

pub(super) fn bucket_at(url: String) -> BucketAt {
    BucketAt { url, settings: bucket_settings() }
}

fn config(place: Place) -> Config {
    Config {
        data: place.data,
        database_url: place.database_url,
        photos: place.photos_url.map(bucket_at),
        host: place.host,
        durability: Durability::Backup,
        checkpoint_interval_ms: CHECKPOINT_INTERVAL_MS,
        listen: String::new(),
        proxies: Vec::new(),
        webhook_timeout: WEBHOOK_TIMEOUT,
        district: District { name: Text { zh: String::new(), en: String::new() }, zone: String::new() },
    }
}

async fn rebuild(place: Place, output: &Output) -> Result<()> {
    let data = place.data.clone();
    let store = open(place)?.logs.store;
    let heads = store.read(|db| -> Result<_> { Ok(db.heads()?) })?;
    let (mut entries, mut rows, mut different, mut lines) = (0_u64, 0_u64, 0_u64, Vec::new());
    for head in heads {
        let scratch = data.join(format!("rebuild-{}.db", std::process::id()));
        let store = store.clone();
        let work = tokio::task::spawn_blocking(move || rebuild::rebuild(&store, head.log, &scratch, |_| ()));
        let found = work.await.context("the rebuild did not end")??;
        entries = entries.saturating_add(found.entries);
        rows = rows.saturating_add(found.rows);
        different = different.saturating_add(found.different);
        lines.extend(found.differences.into_iter().map(|difference| {
            let (stored, rebuilt) = (difference.stored.unwrap_or_default(), difference.rebuilt.unwrap_or_default());
            format!("{}\n  - {stored}\n  + {rebuilt}", difference.table)
        }));
    }
    let said = json!({ "entries": entries, "rows": rows, "different": different, "differences": lines });
    let zh = format!("{entries} 条记录,{rows} 行,{different} 行不一致\n{}", lines.join("\n"));
    let en = format!("{entries} entries, {rows} rows, {different} differ\n{}", lines.join("\n"));
    output.result(&said, zh.trim_end(), en.trim_end());
    if different == 0 { Ok(()) } else { Err(anyhow::anyhow!("{different} rows differ from the log").into()) }
}
