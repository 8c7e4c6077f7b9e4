//! `status` and `needs-attention`: honest counts, and what a person should look at.

use std::process::ExitCode;

use schema::record::RefusalCode;
use schema::sync::Durability;
use sync_core::device::attention::{Item, Trouble};
use sync_core::device::clocks::Clocks;
use sync_core::device::phone::Phone;
use sync_core::device::status::LogStatus;
use sync_core::line::short_code;

use super::args::NeedsAttention;
use super::clocks::moment;
use super::say::{Failure, Out};

/// A clock that is further off than this is worth a word.
const CLOCK_OFF_MS: u64 = 5 * 60_000;

/// How things stand.
pub(crate) fn status(phone: &Phone, clocks: &Clocks, out: Out) -> Result<ExitCode, Failure> {
    let status = phone.status()?;
    out.json(&status)?;
    let Some(account) = &status.account else {
        out.line("本机尚未登记", "this phone is not enrolled yet");
        return Ok(ExitCode::SUCCESS);
    };
    let server = status.server.as_deref().unwrap_or("-");
    out.line(format!("{account} @ {server}"), format!("{account} @ {server}"));
    let (here, received, kept) = (status.on_this_phone, status.received, status.awaiting_durable);
    out.line(
        format!("仅在本机 {here} → 服务器已收到、待回传 {received} → 已落定、待服务器备份 {kept}"),
        format!("on this phone only {here} → received, effect not pulled yet {received} → settled, awaiting the server's backup {kept}"),
    );
    let sent = status.photos.saturating_sub(status.photos_to_send);
    out.line(
        format!("照片已送达 {sent}/{}，本机保留原件 {}", status.photos, status.photos_held),
        format!("photos sent {sent} of {}, kept on this phone {}", status.photos, status.photos_held),
    );
    for log in &status.logs {
        print_log(out, log);
    }
    match status.last_contact_ms {
        None => out.line("尚未与服务器联系过", "never in contact with the server"),
        Some(contact_ms) => {
            let (at, ago) = (moment(contact_ms), age(out, clocks.now().wall_ms.saturating_sub(contact_ms)));
            out.line(format!("上次联系 {at}（{ago}）"), format!("last contact {at} ({ago})"));
        }
    }
    if let Some(offset) = status.clock_offset_ms.filter(|offset| offset.unsigned_abs() > CLOCK_OFF_MS) {
        let minutes = offset / 60_000;
        out.line(
            format!("本机时钟与服务器相差 {minutes} 分钟；不影响使用，请校准"),
            format!("this phone's clock is {minutes} minutes off the server's; it does no harm, but set it right"),
        );
    }
    if status.attention > 0 {
        out.line(
            format!("需要处理 {} 项：rectify-phone needs-attention", status.attention),
            format!("{} items need attention: rectify-phone needs-attention", status.attention),
        );
    }
    Ok(ExitCode::SUCCESS)
}

fn print_log(out: Out, log: &LogStatus) {
    let by = match log.durability {
        None => out.pick("未知", "unknown"),
        Some(Durability::Backup) => out.pick("备份", "backup"),
        Some(Durability::Replica) => out.pick("副本", "replica"),
        Some(Durability::Local) => out.pick("仅服务器本机磁盘", "the server's own disk only"),
    };
    out.line(
        format!("{}：案件 {}，日志至 {}，可靠保存至 {}（{by}）", log.name_zh, log.cases, log.head, log.durable),
        format!("{}: {} cases, log at {}, durable up to {} ({by})", log.name_en, log.cases, log.head, log.durable),
    );
    if !log.pulled {
        out.line("  首次下载未完成，列表不完整", "  the first pull is not complete: lists are not, either");
    }
    if log.outdated {
        out.line(
            "  目录由更新的程序写成，本机读不了：请更新程序，已采集的内容不受影响",
            "  its catalogue was written for a newer program: update this one; what was captured is safe",
        );
    }
    if log.forked {
        out.line("  日志分叉：只发送，不再信任下载", "  the log is forked: this phone delivers, and believes nothing");
    }
}

fn age(out: Out, ms: i64) -> String {
    let minutes = ms.max(0) / 60_000;
    let (number, zh, en) = match minutes {
        0..=119 => (minutes, "分钟前", "minutes ago"),
        120..=2879 => (minutes / 60, "小时前", "hours ago"),
        _ => (minutes / 1440, "天前", "days ago"),
    };
    format!("{number} {}", out.pick(zh, en))
}

/// What a person should look at.
pub(crate) fn needs_attention(phone: &mut Phone, out: Out, asked: &NeedsAttention) -> Result<ExitCode, Failure> {
    if let Some(id) = asked.done {
        if phone.settle(id)? {
            out.line("已标记为处理完毕", "marked as dealt with");
            return Ok(ExitCode::SUCCESS);
        }
        return Err(Failure::refused(format!("没有事项 {id}"), format!("no item {id}")));
    }
    let items = phone.attention()?;
    out.json(&items)?;
    if items.is_empty() {
        out.line("没有需要处理的事项", "nothing needs attention");
    }
    for item in &items {
        let text = item_text(out, item);
        out.line(&text, &text);
    }
    Ok(ExitCode::SUCCESS)
}

fn item_text(out: Out, item: &Item) -> String {
    let (zh, en) = match item.trouble {
        Trouble::Rejected => (
            "未被接受：可修改后再提交，或 export 导出，或 --done 放弃",
            "rejected: do it again in another way, export it, or let it go with --done",
        ),
        Trouble::Parked => ("已由服务器保管，等主管处理", "in the server's custody until a supervisor decides"),
        Trouble::Conflict => (
            "与他人的修改冲突：show 查看；再次 amend 可恢复您的值",
            "met another person's change: see `show`; `amend` again to make yours win",
        ),
        Trouble::Unreadable => ("服务器无法解读，原文已保管", "the server could not read it; its bytes are kept"),
        Trouble::Fork => (
            "服务器历史被改写！请保留本机并联系审计人员；本机只发送，不再下载",
            "the server's history was rewritten! Keep this phone and tell an auditor; it delivers and pulls no more",
        ),
        Trouble::SetBack => (
            "服务器数据被退回到旧状态而未声明！内容均保留在本机；本机只发送，不再下载。请联系管理员和审计人员",
            "the server was set back without saying so! All is kept here; this phone delivers and pulls no more. Tell an administrator and an auditor",
        ),
        Trouble::Unsigned => (
            "检查点签名不对：已停止下载，仍继续发送。请联系管理员",
            "a checkpoint is not signed by the log's signer: pulling stopped, sending goes on. Tell an administrator",
        ),
        Trouble::Receipt => ("服务器回执不符，请联系审计人员", "a receipt does not fit: tell an auditor"),
        Trouble::Copied => (
            "本机数据是另一台手机的副本或旧备份：已改用新序列继续，没有丢失",
            "this store is a copy or an old backup: it goes on under new numbers, nothing is lost",
        ),
        Trouble::Restored => (
            "服务器从备份恢复过：本机已把其后的内容重新发送",
            "the server was restored from a backup: this phone sends again what came after it",
        ),
        Trouble::BadSignature => (
            "服务器认为签名不符：内容保留在本机，将重试；请联系管理员",
            "the server says a signature does not fit: all is kept and tried again; tell an administrator",
        ),
        Trouble::PhotoGone => (
            "照片文件丢失或损坏且未送达：请重新拍摄，或请主管 waive_evidence",
            "a photo that was not sent is gone or damaged: take it again, or ask a supervisor to waive it",
        ),
        Trouble::StorageFull => (
            "存储已满：停止下载，发送照常。请清理空间",
            "the storage is full: pulling stopped, sending goes on. Free some space",
        ),
        Trouble::ScopeTooLarge => (
            "职责范围内的案件超出一台手机的容量：未下载的部分请在网页查看，或请管理员缩小授权区域；上报和发送照常",
            "more lies in your areas than a phone may hold: look at the rest on the page, or ask an administrator for smaller areas; reporting and sending go on",
        ),
        Trouble::NoBackup => (
            "服务器已超过 7 天没有备份：内容都保留在本机。请联系管理员",
            "the server has had no backup for over 7 days: everything is kept on this phone. Tell an administrator",
        ),
    };
    let case = item.entity.map_or_else(String::new, |entity| format!(" {}", short_code(entity)));
    let kind =
        item.detail.get("kind").and_then(|kind| kind.as_str()).map_or_else(String::new, |kind| format!(" {kind}"));
    let code: Option<RefusalCode> = item.detail.get("code").and_then(|code| serde_json::from_value(code.clone()).ok());
    let reason = code.map_or_else(String::new, |code| format!(" ({})", out.refusal(code)));
    format!("[{}]{case}{kind}{reason}: {}", item.id, out.pick(zh, en))
}
