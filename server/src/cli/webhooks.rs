//! Where notices are sent.

use anyhow::Context;
use clap::Subcommand;
use schema::ids::WebhookId;
use serde_json::json;
use server::error::Result;
use server::services::installation::{ListedWebhook, NewWebhook, SentNotice};
use server::services::webhooks::Answer;

use super::arguments::Place;
use super::commands::open;
use super::output::Output;

/// Where notices are sent.
#[derive(Subcommand)]
pub(crate) enum Webhook {
    /// Add a place; its secret is shown this once (新增推送地址，密钥仅显示一次)
    Add {
        #[command(flatten)]
        place: Place,
        /// https, or http to this machine (地址)
        url: String,
        /// Only this kind of entry, as mark_overdue; repeat it for more (仅此类提醒)
        #[arg(long = "kind", value_name = "KIND")]
        kinds: Vec<String>,
        /// Only cases of the area with this code and below; repeat it for more (仅此区域)
        #[arg(long = "area", value_name = "CODE")]
        areas: Vec<String>,
        /// http to another machine, in the clear (允许明文 http)
        #[arg(long)]
        plain_http: bool,
        /// An address in a private network (允许内网地址)
        #[arg(long)]
        private_net: bool,
    },
    /// List places, and how much waits for each (列出推送地址)
    List(Place),
    /// Remove a place; what waits for it is not sent any more (删除推送地址)
    Remove(One),
    /// The newest notices to a place, and how far each got (推送记录)
    Log(One),
    /// Send again what failed, was held or was missed, and send from now on (重新推送)
    Retry(One),
    /// Send a test notice now and say what was answered (测试推送)
    Test(One),
}

/// One of the places.
#[derive(clap::Args)]
pub(crate) struct One {
    #[command(flatten)]
    place: Place,
    /// Its id (推送地址 ID)
    webhook: WebhookId,
}

pub(super) async fn webhook(command: Webhook, output: &Output) -> Result<()> {
    match command {
        Webhook::Add { place, url, kinds, areas, plain_http, private_net } => {
            let new = NewWebhook { url, kinds, areas, plain_http, private_net };
            let added = open(place)?.installation.add_webhook(new).await?;
            let (id, secret) = (added.webhook, &added.secret);
            let zh = format!("已新增推送地址 {id}\n密钥(仅显示一次):{secret}");
            let en = format!("webhook {id} added\nits secret, shown once: {secret}");
            output.result(&added, &zh, &en);
        }
        Webhook::List(place) => {
            let app = open(place)?;
            let (webhooks, now_ms) = (app.installation.webhooks().await?, app.clock.now_ms());
            let (zh, en): (Vec<_>, Vec<_>) = webhooks.iter().map(|webhook| standing(webhook, now_ms)).unzip();
            output.result(&webhooks, &zh.join("\n"), &en.join("\n"));
        }
        Webhook::Remove(One { place, webhook }) => {
            open(place)?.installation.remove_webhook(webhook).await?;
            output.result(&json!({ "removed": webhook }), "已删除推送地址", "the webhook is removed");
        }
        Webhook::Log(One { place, webhook }) => {
            let sent = open(place)?.installation.webhook_log(webhook).await?;
            let lines = sent.iter().map(line).collect::<Vec<_>>().join("\n");
            output.result(&sent, &lines, &lines);
        }
        Webhook::Retry(One { place, webhook }) => {
            let count = open(place)?.installation.retry_webhook(webhook).await?;
            let (zh, en) = (format!("{count} 条将由服务器推送"), format!("the server sends {count} notices"));
            output.result(&json!({ "waiting": count }), &zh, &en);
        }
        Webhook::Test(One { place, webhook }) => test(place, webhook, output).await?,
    }
    Ok(())
}

async fn test(place: Place, id: WebhookId, output: &Output) -> Result<()> {
    let app = open(place)?;
    let webhook = app.installation.webhook(id).await?;
    let (sender, now_ms) = (app.webhooks.sender(), app.clock.now_ms());
    let body = json!({ "type": "webhook.test", "data": {} }).to_string();
    let name = format!("msg_test_{now_ms}");
    let sent = tokio::task::spawn_blocking(move || sender.send(&webhook, &name, &body, now_ms)).await;
    match sent.context("the test did not end")? {
        Answer::Took(status) => {
            let (zh, en) = (format!("对方已接收({status})"), format!("it was taken ({status})"));
            output.result(&json!({ "answer": status.to_string() }), &zh, &en);
            Ok(())
        }
        answer @ (Answer::Gone(_) | Answer::Failed(_)) => Err(anyhow::anyhow!("it was not taken: {answer}").into()),
    }
}

/// How a place stands, in a line.
pub(super) fn standing(webhook: &ListedWebhook, now_ms: u64) -> (String, String) {
    let ListedWebhook { webhook: id, url, waiting, sent, failed, held, .. } = webhook;
    let mut zh = format!("推送 {id}  {url}：等待 {waiting}，已送达 {sent}，失败 {failed}，搁置 {held}");
    let mut en = format!("webhook {id}  {url}: {waiting} waiting, {sent} sent, {failed} failed, {held} held");
    if let Some(oldest_ms) = webhook.oldest_ms {
        let minutes = now_ms.saturating_sub(oldest_ms) / 60_000;
        zh.push_str(&format!("；最早一条已 {minutes} 分钟未送达"));
        en.push_str(&format!("; the oldest unsent one is {minutes} minutes old"));
    }
    if let Some(why) = &webhook.disabled {
        let (why_zh, why_en) = match why.as_str() {
            "gone" => ("对方答复 410", "it answered 410"),
            _ => ("积压过多", "too much waited for it"),
        };
        zh.push_str(&format!("；已停用（{why_zh}），处理后执行 rectify webhook retry"));
        en.push_str(&format!("; nothing is sent to it ({why_en}): mend it, then rectify webhook retry"));
    }
    (zh, en)
}

fn line(sent: &SentNotice) -> String {
    let SentNotice { webhook_id, kind, case, attempts, answer, state, .. } = sent;
    let state = format!("{state:?}").to_lowercase();
    format!("{webhook_id}  {kind}  {case}  {state}  {attempts}  {}", answer.as_deref().unwrap_or(""))
}
