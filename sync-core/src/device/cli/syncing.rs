//! `enrol` and `sync`: what needs the server. Progress is drawn for a person at a terminal only.

use std::io::IsTerminal;
use std::process::ExitCode;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use schema::problem::ProblemCode;
use sync_core::device::clocks::Clocks;
use sync_core::device::drive::{Drive, Ended, News, Watcher};
use sync_core::device::phone::Phone;
use sync_core::device::transport::{CallError, Transport};
use sync_core::device::wipe::Wiping;
use sync_core::sync::session::Session;

use super::args::{Enrol, Photos, Sync};
use super::listener::{Listener, Poke};
use super::say::{Failure, Language, Out};

/// How long one `sync` waits in all for a server that has answered before. One that never did is not waited for: the
/// person knows better when there is a network. The store loses nothing by it.
const PATIENCE: Duration = Duration::from_secs(20);
/// How often a watching program looks for what another one captured.
const LOOK: Duration = Duration::from_secs(1);
/// A watching program syncs at least so often.
const ANYWAY: Duration = Duration::from_secs(60);

/// The server, spoken to in the language spoken here.
pub(crate) fn transport(server: &str, out: Out) -> Transport {
    let language = match out.language {
        Language::Chinese => "zh-CN",
        Language::English => "en",
    };
    Transport::new(server, language)
}

/// Enrols the phone.
pub(crate) fn enrol(phone: &mut Phone, clocks: &Clocks, out: Out, asked: &Enrol) -> Result<ExitCode, Failure> {
    if !asked.server.starts_with("http://") && !asked.server.starts_with("https://") {
        return Err(Failure::usage("服务器地址应以 https:// 开头", "the server's address should begin with https://"));
    }
    let server = asked.server.trim_end_matches('/');
    let label = asked.label.clone().unwrap_or_else(host_name);
    let enrol = phone.begin_enrolment(server, &asked.code, &label, clocks.now())?;
    let enrolled = transport(server, out).enrol(&enrol).map_err(|error| refused(out, &error))?;
    phone.finish_enrolment(&enrolled)?;
    out.json(&serde_json::json!({"account": enrolled.account, "name": enrolled.name, "device": enrol.device}))?;
    out.line(format!("已登记：{}", enrolled.name), format!("enrolled: {}", enrolled.name));
    // The first pull brings the catalogue. Without it everything works all the same.
    let ended = run_once(phone, clocks, out, Photos::Now)?;
    if ended != Ended::Rest {
        out.note("首次同步未完成，稍后请运行 sync", "the first sync did not come to its end: run `sync` later");
    }
    Ok(ExitCode::SUCCESS)
}

fn host_name() -> String {
    let name = std::fs::read_to_string("/etc/hostname").unwrap_or_default();
    if name.trim().is_empty() { "rectify-phone".to_owned() } else { name.trim().to_owned() }
}

fn refused(out: Out, error: &CallError) -> Failure {
    match error.code() {
        Some(ProblemCode::WrongCode) => Failure::refused(
            "登记码不对、已使用或已过期，请向管理员索取新的",
            "the code is wrong, used or too old: ask an administrator for a new one",
        ),
        Some(ProblemCode::TooMany) => {
            let seconds = error.retry_after_s().unwrap_or(60);
            Failure::refused(
                format!("从此处尝试的登记码太多：请等待 {seconds} 秒后重试"),
                format!("too many codes were tried from here: wait {seconds} s and try again"),
            )
        }
        _ => {
            let _ = out;
            Failure::refused(format!("服务器未接受：{error}"), error.to_string())
        }
    }
}

/// Syncs once, or until interrupted.
pub(crate) fn sync(phone: &mut Phone, clocks: &Clocks, out: Out, asked: &Sync) -> Result<ExitCode, Failure> {
    phone.identity()?;
    if asked.watch {
        return watch(phone, clocks, out, asked.photos);
    }
    let ended = run_once(phone, clocks, out, asked.photos)?;
    let status = phone.status()?;
    out.json(&status)?;
    match ended {
        Ended::Rest => {
            out.line("已同步", "synced");
            Ok(ExitCode::SUCCESS)
        }
        Ended::Paused => Err(paused()),
        Ended::Revoked => Err(revoked(phone, clocks)?),
        Ended::Stopped => {
            let (ops, photos) = (status.on_this_phone, status.photos_to_send);
            Err(Failure::refused(
                format!("未能完成同步；本机仍有 {ops} 项操作、{photos} 张照片，均已保存，稍后再试"),
                format!("not done: {ops} steps and {photos} photos are still on this phone, safe; try again later"),
            ))
        }
    }
}

fn paused() -> Failure {
    Failure::refused(
        "登录已失效：内容均保留在本机。请向管理员索取新的登记码，再次运行 enrol",
        "the login is not good any more: everything is kept. Ask an administrator for a new code, and run `enrol` again",
    )
}

/// A revoked device is never enrolled again: nobody is to be sent that way. That of a disabled account looks the same.
/// Once the server has all that it held, it wipes itself.
fn revoked(phone: &mut Phone, clocks: &Clocks) -> Result<Failure, Failure> {
    let status = phone.status()?;
    let (zh, en) = match phone.wipe(clocks.now())? {
        Wiping::Done => (
            "已交出全部内容，并已自行清除本机数据".to_owned(),
            "it has delivered all that it held, and has wiped itself".to_owned(),
        ),
        Wiping::HoldsSomething => {
            let (ops, photos) = (status.on_this_phone, status.photos_to_send);
            (
                format!("仍有未送达的 {ops} 项操作、{photos} 张照片，均保留在本机，可用 export 导出"),
                format!(
                    "it still holds {ops} steps and {photos} photos that were not sent; they stay here, and `export` writes them out"
                ),
            )
        }
        Wiping::Witness => (
            "已交出全部内容；服务器历史曾被改写，本机保留证据，请联系审计人员".to_owned(),
            "it has delivered all that it held; it keeps the proof that the server's history was rewritten: tell an auditor".to_owned(),
        ),
        Wiping::InUse => (
            "已交出全部内容；另一程序正在使用本机数据，关闭后再次 sync 即清除".to_owned(),
            "it has delivered all that it held; another program has its data open: close that and `sync` again, and it wipes itself".to_owned(),
        ),
    };
    Ok(Failure::refused(
        format!("本机或其账号已被停用；{zh}。请联系管理员；本机停用后不能再次登记，继续工作请换一个 --home 登记新机"),
        format!(
            "this phone, or its account, was revoked; {en}. Ask the administrator. A revoked phone can't be enrolled again: to go on working, enrol a new --home"
        ),
    ))
}

fn run_once(phone: &mut Phone, clocks: &Clocks, out: Out, photos: Photos) -> Result<Ended, Failure> {
    let server = phone.identity()?.server;
    let transport = transport(&server, out);
    let logs = phone.log_ids()?.into_iter().collect();
    let (_keep, never) = channel();
    let mut screen = Screen::new(out, photos, &never, Some(PATIENCE));
    Ok(Drive::new(phone, &transport, clocks, &mut screen).run(&mut Session::new(logs, true))?)
}

/// Syncs whenever the head moves, something is captured, or a minute has passed.
fn watch(phone: &mut Phone, clocks: &Clocks, out: Out, photos: Photos) -> Result<ExitCode, Failure> {
    let server = phone.identity()?.server;
    let transport = transport(&server, out);
    let mut session = Session::new(phone.log_ids()?.into_iter().collect(), false);
    let (pokes, poked) = channel();
    let listener = Listener::start(transport.clone(), phone.log_ids()?, pokes);
    loop {
        let mut screen = Screen::new(out, photos, &poked, None);
        let ended = Drive::new(phone, &transport, clocks, &mut screen).run(&mut session)?;
        drop(screen);
        match ended {
            Ended::Paused => return Err(paused()),
            Ended::Revoked => return Err(revoked(phone, clocks)?),
            Ended::Rest | Ended::Stopped => {}
        }
        out.json(&phone.status()?)?;
        listener.use_token(&phone.tokens()?.0);
        rest(phone, &poked)?;
    }
}

/// Waits for a reason to sync.
fn rest(phone: &Phone, poked: &Receiver<Poke>) -> Result<(), Failure> {
    let mut waited = Duration::ZERO;
    while waited < ANYWAY {
        match poked.recv_timeout(LOOK) {
            Ok(Poke::Head(head)) if phone.log(head.log).is_ok_and(|log| log.head >= head.rev) => {}
            Ok(Poke::Head(_) | Poke::Unauthorized) => return Ok(()),
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {
                waited = waited.saturating_add(LOOK);
                if phone.status()?.on_this_phone > 0 {
                    return Ok(());
                }
            }
        }
    }
    Ok(())
}

/// Draws progress, and waits.
struct Screen<'a> {
    out: Out,
    bar: ProgressBar,
    poked: &'a Receiver<Poke>,
    patience: Option<Duration>,
    photos: (usize, u64),
    when: Photos,
    current: (Option<schema::hash::Hash>, u64),
    heard: bool,
}

impl<'a> Screen<'a> {
    fn new(out: Out, when: Photos, poked: &'a Receiver<Poke>, patience: Option<Duration>) -> Self {
        let shown = !out.json && std::io::stderr().is_terminal();
        let target = if shown { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let bar = ProgressBar::with_draw_target(None, target);
        bar.set_message(out.pick("同步", "syncing").to_owned());
        Self { out, bar, poked, patience, photos: (0, 0), when, current: (None, 0), heard: false }
    }

    fn photo(&mut self, photo: schema::hash::Hash, sent: u64) {
        let before = if self.current.0 == Some(photo) { self.current.1 } else { 0 };
        self.bar.inc(sent.saturating_sub(before));
        self.current = (Some(photo), sent);
    }
}

impl Watcher for Screen<'_> {
    fn news(&mut self, news: &News<'_>) {
        match news {
            News::Answered { progress, .. } => {
                self.heard = true;
                let (rows, left) = (progress.rows, progress.undecided);
                let text = format!("{} {rows} / {left}", self.out.pick("收到 / 待发", "received / to send"));
                self.bar.set_message(text);
                self.bar.tick();
            }
            News::Photos { count, bytes } => {
                self.photos = (*count, *bytes);
                self.bar.set_length(*bytes);
                let style = ProgressStyle::with_template("{msg} {wide_bar} {bytes}/{total_bytes} {eta}");
                if let (Ok(style), true) = (style, *count > 0) {
                    self.bar.set_style(style);
                }
                self.bar.set_message(format!("{} {count}", self.out.pick("照片", "photos")));
            }
            News::Photo { photo, sent, .. } => self.photo(*photo, *sent),
            News::Failed { why } => {
                let text = why.to_string();
                self.bar.suspend(|| eprintln!("{text}"));
            }
            News::Waiting { ms } => {
                let seconds = ms / 1_000;
                self.bar.set_message(format!("{seconds} s {}", self.out.pick("后重试", "until the next try")));
            }
        }
    }

    fn may_send_photos(&mut self) -> bool {
        self.when == Photos::Now
    }

    fn wait(&mut self, time: Duration) -> bool {
        if let Some(patience) = &mut self.patience {
            if !self.heard {
                return false;
            }
            match patience.checked_sub(time) {
                Some(left) => *patience = left,
                None => return false,
            }
        }
        match self.poked.recv_timeout(time) {
            Ok(_) | Err(RecvTimeoutError::Timeout) => true,
            Err(RecvTimeoutError::Disconnected) => false,
        }
    }
}

impl Drop for Screen<'_> {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
