//! The demo city, as the operator meets it: settled at the first start, its accounts and enrolment codes printed.

use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;

use server::Running;
use server::config::Config;
use server::demo::settle::{self, Progress, Settled};
use server::error::Result;

use super::output::Output;

/// Where the demo's passwords stand after the first start, readable by their owner alone.
const DEMO_ACCOUNTS: &str = "demo-accounts.txt";

/// Settles the demo city at the first start, and keeps its passwords in a file.
pub(crate) async fn settle(config: &Config, output: &Output) -> Result<Vec<Settled>> {
    let say = |progress: Progress| match progress {
        Progress::Drawing => output.progress("正在绘制演示照片……", "drawing the demo's photos …"),
        Progress::Photos(done, all) => {
            output.progress(&format!("照片 {done}/{all}"), &format!("photos {done} of {all}"));
        }
        Progress::Steps(done, all) => output.progress(&format!("步骤 {done}/{all}"), &format!("steps {done} of {all}")),
    };
    let settled = settle::settle(config, say).await?.unwrap_or_default();
    if !settled.is_empty() {
        let lines: Vec<String> =
            settled.iter().map(|it| format!("{:<14} {}  {}", it.login, it.password, roles(it))).collect();
        let path = config.data.join(DEMO_ACCOUNTS);
        let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&path)?;
        writeln!(file, "{}", lines.join("\n"))?;
    }
    Ok(settled)
}

fn roles(settled: &Settled) -> String {
    settled.roles.iter().map(|role| format!("{role:?}").to_lowercase()).collect::<Vec<_>>().join(", ")
}

/// The demo's accounts, and how to enrol a phone as one of them.
pub(crate) async fn lines(config: &Config, running: &Running, settled: &[Settled]) -> Result<(String, String)> {
    let installation = &running.app.installation;
    let mut accounts = String::new();
    for it in settled {
        accounts.push_str(&format!("\n  {:<14} {}  {}", it.login, it.password, roles(it)));
    }
    let mut phones = String::new();
    for login in ["inspector01", "crew01", "supervisor01"] {
        let code = installation.code(installation.account(login).await?).await?;
        phones.push_str(&format!(
            "\n  rectify-phone --home ~/rectify-{login} enrol --server http://{} --code {code}",
            running.address
        ));
    }
    let file = config.data.join(DEMO_ACCOUNTS).display().to_string();
    let zh = format!("\n演示账号(密码另存于 {file}):{accounts}\n手机入网(24 小时内有效,各用一次):{phones}");
    let en = format!(
        "\nDemo accounts (passwords kept in {file}):{accounts}\nEnrol a phone (24 hours, each code once):{phones}"
    );
    Ok((zh, en))
}
