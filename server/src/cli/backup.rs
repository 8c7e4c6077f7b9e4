//! `backup`, `restore`, `status`: keeping an installation safe, and saying whether it is.

use schema::api::LogStanding;
use schema::limits::BACKUP_OVERDUE_MS;
use serde_json::json;
use server::app::App;
use server::clock::Clock;
use server::config::Config;
use server::error::{Error, Result};
use server::services::backup::{self, LostAct, Source, Step};
use server::services::installation::outbox;
use server::services::replica::{self, Confirming};
use server::services::standing;

use super::arguments::{Backup, RestoreFrom};
use super::output::Output;

/// Makes a backup.
pub(crate) async fn backup(config: &Config, asked: Backup, output: Output) -> Result<()> {
    let app = super::commands::open_recovered(config).await?;
    let now_ms = app.clock.now_ms();
    let (photos, host) = (app.photos.blobs().clone(), config.host.clone());
    let source = Source { store: app.logs.store, photos, data: config.data.clone(), host, now_ms };
    let work = tokio::task::spawn_blocking(move || {
        backup::make(&source, &asked.dir, asked.trust_old_photos, &mut |step| say(output, step))
    });
    let made = work.await.map_err(anyhow::Error::new)?.map_err(anyhow::Error::new)?;
    output.progress("", "");
    let mut zh = format!("备份完成并已读回：{}", made.folder.display());
    let mut en = format!("backed up and read back: {}", made.folder.display());
    for log in &made.logs {
        zh.push_str(&format!("\n日志 {}：至 {}，可靠保存至 {}", log.log, log.rev, log.covered));
        en.push_str(&format!("\nlog {}: up to {}, durable up to {}", log.log, log.rev, log.covered));
    }
    let (photos, copied) = (made.photos, made.photos_copied);
    zh.push_str(&format!("\n照片 {photos} 张，本次新增 {copied} 张"));
    en.push_str(&format!("\n{photos} photos, {copied} of them new"));
    output.result(&made, &zh, &en);
    if made.missing.is_empty() {
        return Ok(());
    }
    let names: Vec<String> = made.missing.iter().map(ToString::to_string).collect();
    let count = names.len();
    Err(anyhow::anyhow!(
        "the backup is good, but {count} photos are missing or damaged on the server, and nothing from the first of \
         them on is durable: {}",
        names.join(" ")
    )
    .into())
}

/// Restores from one.
pub(crate) async fn restore(asked: RestoreFrom, output: Output) -> Result<()> {
    let database = asked.database_url.clone();
    let database = database.unwrap_or_else(|| format!("sqlite:{}", asked.data.join("rectify.db").display()));
    let photos = asked.photos_url.map(super::commands::bucket_at);
    let asked = backup::Restore { backup: asked.dir, data: asked.data, database, photos, signed: asked.signed };
    let restored = backup::restore(&asked, &Clock::system(), &mut |step| say(output, step)).await;
    let restored = restored.map_err(anyhow::Error::new)?;
    output.progress("", "");
    let data = asked.data.display();
    let (mut zh, mut en) = (format!("已恢复到 {data}"), format!("restored into {data}"));
    for log in &restored {
        let (id, epoch, kept) = (log.log, log.epoch, log.kept_rev);
        let lost = log.last_known_rev.saturating_sub(kept);
        zh.push_str(&format!("\n日志 {id}：保留至 {kept}，新纪元 {epoch}；已知丢失 {lost} 条，由各手机补回"));
        en.push_str(&format!(
            "\nlog {id}: kept up to {kept}, new epoch {epoch}; {lost} entries known lost, phones bring back theirs"
        ));
        zh.push_str(&acts("以下为备份之后在服务器上撤销或删除的，已自动重新执行", &log.taken_away));
        en.push_str(&acts("taken away at the server since the backup, and taken away again", &log.taken_away));
        zh.push_str(&acts("以下为备份之后在服务器上做的，已丢失，请重新做", &log.lost));
        en.push_str(&acts("done at the server since the backup and lost: do it again", &log.lost));
    }
    if asked.signed.is_none() {
        zh.push_str(
            "\n未给出 --signed：备份之后新增的账号和手机、停用、撤销和依法删除都无从得知；请凭记录重做，先做停用和删除",
        );
        en.push_str(
            "\nwithout --signed nobody can know which accounts and phones were added since the backup, nor what was \
             revoked, disabled or redacted: do it again from your own records, what takes away first",
        );
    }
    zh.push_str("\n请启动服务器，并在各手机同步后查看 rectify status");
    en.push_str("\nstart the server, and look at `rectify status` when the phones have synced");
    output.result(&json!({ "data": asked.data, "logs": restored, "signed": asked.signed.is_some() }), &zh, &en);
    Ok(())
}

fn acts(title: &str, acts: &[LostAct]) -> String {
    if acts.is_empty() {
        return String::new();
    }
    let lines: String =
        acts.iter().map(|act| format!("\n    {} {} {}", act.kind, act.entity, act.about.escape_debug())).collect();
    format!("\n  {title}:{lines}")
}

/// Says how far the logs are safe.
pub(crate) async fn status(config: &Config, output: Output) -> Result<()> {
    // It writes nothing: where no standby confirms, a commit would wait, and the operator with it.
    let app = App::open(config, &Clock::system())?;
    let now_ms = app.clock.now_ms();
    let (found, standby, webhooks) = app
        .logs
        .store
        .read_async(move |db| Ok::<_, Error>((standing::all(db, now_ms)?, replica::standing(db)?, outbox(db)?)))
        .await?;
    let lines = |pick: fn(&LogStanding) -> String| found.iter().map(pick).collect::<Vec<_>>().join("\n");
    let (mut zh, mut en) = (lines(zh), lines(en));
    match &standby {
        None => {}
        Some(Confirming { fault: None }) => {
            zh.push_str("\n同步备用库正在确认每次提交");
            en.push_str("\na synchronous standby confirms every commit");
        }
        Some(Confirming { fault: Some(fault) }) => {
            zh.push_str(&format!("\n同步备用库没有确认，可靠保存停止：{fault}"));
            en.push_str(&format!("\nno standby confirms, nothing becomes durable by one: {fault}"));
        }
    }
    for webhook in &webhooks {
        let (line_zh, line_en) = super::webhooks::standing(webhook, now_ms);
        zh.push_str(&format!("\n{line_zh}"));
        en.push_str(&format!("\n{line_en}"));
    }
    output.result(&json!({ "logs": found, "standby": standby, "webhooks": webhooks }), &zh, &en);
    Ok(())
}

fn zh(log: &LogStanding) -> String {
    let mut text = format!("日志 {}：至 {}，已备份至 {}", log.log, log.head, log.durable);
    if log.overdue {
        text.push_str(&format!("\n  已超过 {} 天没有备份", BACKUP_OVERDUE_MS / 86_400_000));
    }
    for epoch in &log.restored {
        let state = if epoch.acknowledged { "已确认" } else { "审计员尚未确认" };
        text.push_str(&format!(
            "\n  纪元 {}：保留至 {}，此前已知至 {}；已补回 {} 条，未补回：{}（{state}）",
            epoch.epoch,
            epoch.kept_rev,
            epoch.last_known_rev,
            epoch.returned,
            ranges(&epoch.not_returned, "无")
        ));
    }
    text
}

fn en(log: &LogStanding) -> String {
    let mut text = format!("log {}: at {}, backed up to {}", log.log, log.head, log.durable);
    if log.overdue {
        text.push_str(&format!("\n  no backup for over {} days", BACKUP_OVERDUE_MS / 86_400_000));
    }
    for epoch in &log.restored {
        let state = if epoch.acknowledged { "acknowledged" } else { "not acknowledged by an auditor yet" };
        text.push_str(&format!(
            "\n  epoch {}: kept up to {}, known to {} before; {} came back, not back: {} ({state})",
            epoch.epoch,
            epoch.kept_rev,
            epoch.last_known_rev,
            epoch.returned,
            ranges(&epoch.not_returned, "none")
        ));
    }
    text
}

fn ranges(ranges: &[(u64, u64)], none: &str) -> String {
    if ranges.is_empty() {
        return none.to_owned();
    }
    let one = |(first, last): &(u64, u64)| if first == last { first.to_string() } else { format!("{first}-{last}") };
    ranges.iter().map(one).collect::<Vec<_>>().join(", ")
}

fn say(output: Output, step: Step) {
    match step {
        Step::Copying => output.progress("复制数据库…", "copying the database…"),
        Step::Looking => output.progress("检查副本…", "looking through the copy…"),
        Step::Entries(done, all) => {
            output.progress(&format!("核对记录 {done}/{all}"), &format!("entries verified {done}/{all}"));
        }
        Step::Photos(done, all) => {
            output.progress(&format!("照片 {done}/{all}"), &format!("photos {done}/{all}"));
        }
    }
}
