//! The command line as it is read. What it means is decided elsewhere.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use super::course::{Decision, FixFound};
use super::photo::PhotoRole;
use super::say::Language;

/// 整改 · Rectify: the phone on a command line. Everything works with no network; `sync` delivers when there is one.
#[derive(Debug, Parser)]
#[command(name = "rectify-phone", version, about = "整改·手机端：离线上报，联网同步 / Rectify: report offline, sync when there is a network", long_about = None)]
pub(crate) struct Arguments {
    /// 本机数据文件夹（含密钥，仅本人可读） / the phone's folder, which holds its key: readable by its user only
    #[arg(long, global = true, env = "RECTIFY_PHONE_HOME", value_name = "DIR")]
    pub(crate) home: Option<PathBuf>,
    /// 本机上的人员，默认为当前人员 / which person of this phone; else who uses it now
    #[arg(long, global = true, env = "RECTIFY_PHONE_PERSON", value_name = "NAME")]
    pub(crate) person: Option<String>,
    /// 语言 / language [default: zh, or en where LANG is English]
    #[arg(long, global = true, value_enum)]
    pub(crate) lang: Option<Language>,
    /// 输出 JSON，供程序读取 / print JSON for a program
    #[arg(long, global = true)]
    pub(crate) json: bool,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// 用一次性登记码登记本机（仅需一次） / enrol this phone with a one-time code, once
    Enrol(Enrol),
    /// 上报问题（不需要网络） / report a problem; needs no network
    Report(Box<Report>),
    /// 列出本机案件 / list the cases on this phone
    List(List),
    /// 查看一个案件 / show a case
    Show(Show),
    /// 应由谁负责（按责任清单，不需要网络） / who should have a matter at a place; needs no network
    Who(Who),
    /// 本机状态：未发送、已收到、照片、待处理 / how things stand: unsent, received, photos, attention
    Status,
    /// 同步 / sync with the server
    Sync(Sync),
    /// 将未发送的内容导出到一个文件，只有服务器能读 / write all that is unsent into one file that only the server can read
    Export(Export),
    /// 多人共用本机：查看、切换、添加人员，设置 PIN / several people on one phone: who, switch, add, set a PIN
    #[command(subcommand)]
    People(People),
    /// 需要人工处理的事项 / what a person should look at
    NeedsAttention(NeedsAttention),
    /// 试算期限（不需要网络） / when a limit ends, counted day by day; needs no network
    Deadline(super::deadline::Deadline),
    /// 主管：由服务器保管、待决定的操作（需要网络） / supervisors: what waits in custody; needs the network
    Parked,
    /// 审计员、管理员：列出或确认服务器恢复后的新纪元 / auditors, administrators: list or take note of new epochs
    AcknowledgeEpoch(Acknowledge),
    /// 主管：列出服务器停机时段，统一决定其间到期的案件是否免责 / supervisors: times without a server, and one decision for all that fell due in each
    Silences(super::silences::Silences),
    /// 对案件执行一步操作 / take a step on a case
    Do(Box<Do>),
}

#[derive(Debug, Args)]
pub(crate) struct Enrol {
    /// 服务器地址 / the server's address, e.g. https://rectify.example
    #[arg(long)]
    pub(crate) server: String,
    /// 登记码 / the one-time code
    #[arg(long)]
    pub(crate) code: String,
    /// 本机名称 / what to call this phone
    #[arg(long)]
    pub(crate) label: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Report {
    /// 大类，代码或名称 / category, by code or name
    #[arg(long)]
    pub(crate) category: String,
    /// 小类，代码或名称 / subtype, by code or name
    #[arg(long)]
    pub(crate) subtype: String,
    /// 位置：纬度,经度（WGS-84） / position: latitude,longitude (WGS-84)
    #[arg(long, value_name = "LAT,LON", allow_hyphen_values = true)]
    pub(crate) at: String,
    /// 位置取自国内地图（GCJ-02），换算一次，两者都保留 / the position is from a Chinese map (GCJ-02): converted once, both kept
    #[arg(long)]
    pub(crate) gcj02: bool,
    /// 定位精度（米） / accuracy of the position in metres
    #[arg(long, value_name = "N")]
    pub(crate) accuracy_m: Option<u32>,
    /// 情况说明 / what it is about
    #[arg(long, value_name = "TEXT")]
    pub(crate) note: Option<String>,
    /// 对象：摊位号、店名、门牌、犬牌 / the subject: stall number, shop, house number, dog tag
    #[arg(long, value_name = "TEXT")]
    pub(crate) subject: Option<String>,
    /// 小类字段，可重复 / a field of the subtype; repeat it for more
    #[arg(long = "field", value_name = "K=V")]
    pub(crate) fields: Vec<String>,
    /// 照片文件，可重复，每张最大 25 MB / a photo file, at most 25 MB; repeat it for more
    #[arg(long = "photo", value_name = "FILE")]
    pub(crate) photos: Vec<PathBuf>,
    /// 来源 / where the report comes from
    #[arg(long, value_enum, default_value = "patrol")]
    pub(crate) source: Channel,
    /// 来源编号（如热线工单号） / its number there
    #[arg(long, value_name = "TEXT")]
    pub(crate) source_number: Option<String>,
    /// 现场解决及其结果 / settled on site, with this outcome
    #[arg(long, value_name = "OUTCOME")]
    pub(crate) settle: Option<String>,
    /// 日志（仅在多个区时需要） / the log, where there are several districts
    #[arg(long, value_name = "ID")]
    pub(crate) log: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Who {
    /// 大类，代码或名称 / category, by code or name
    #[arg(long)]
    pub(crate) category: String,
    /// 小类，代码或名称 / subtype, by code or name
    #[arg(long)]
    pub(crate) subtype: String,
    /// 位置：纬度,经度（WGS-84） / position: latitude,longitude (WGS-84)
    #[arg(long, value_name = "LAT,LON", allow_hyphen_values = true)]
    pub(crate) at: String,
    /// 位置取自国内地图（GCJ-02） / the position is from a Chinese map (GCJ-02)
    #[arg(long)]
    pub(crate) gcj02: bool,
    /// 日志（仅在多个区时需要） / the log, where there are several districts
    #[arg(long, value_name = "ID")]
    pub(crate) log: Option<String>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum Channel {
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

#[derive(Debug, Args)]
pub(crate) struct List {
    /// 状态，可重复 / in this state; repeat it for more
    #[arg(long = "state", value_name = "STATE")]
    pub(crate) states: Vec<String>,
    /// 大类代码 / category code
    #[arg(long)]
    pub(crate) category: Option<String>,
    /// 仅本人上报 / reported by me only
    #[arg(long)]
    pub(crate) mine: bool,
    /// 仅含未落定操作 / with steps of mine that are not settled
    #[arg(long)]
    pub(crate) waiting: bool,
    /// 待回头看 / what somebody has to look at again
    #[arg(long)]
    pub(crate) look_backs: bool,
    /// 每页条数 / rows a page
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u16).range(1..=1000))]
    pub(crate) limit: u16,
    /// 下一页：上一页输出的 next / the next page: `next` of the page before
    #[arg(long, value_name = "NEXT")]
    pub(crate) after: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Show {
    /// 案件：编号、短码或 ID / case: official number, short code or id
    pub(crate) case: String,
}

#[derive(Debug, Args)]
pub(crate) struct Sync {
    /// 持续同步，直到被中断 / keep syncing until interrupted
    #[arg(long)]
    pub(crate) watch: bool,
    /// 照片现在发送，还是留到以后（如流量计费的网络） / send photos now, or later, say on a network that costs
    #[arg(long, value_enum, default_value_t = Photos::Now)]
    pub(crate) photos: Photos,
}

/// When photos are sent. Steps are always sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Photos {
    /// 现在 / now
    Now,
    /// 以后 / later
    Later,
}

#[derive(Debug, Args)]
pub(crate) struct Export {
    /// 目标文件 / the file to write
    pub(crate) file: PathBuf,
    /// 不加密：任何拿到文件的人都能读 / not sealed: whoever finds the file can read it
    #[arg(long)]
    pub(crate) plain: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum People {
    /// 列出本机人员 / who is on this phone
    List,
    /// 换人使用（不需要网络，需要其 PIN） / somebody else uses the phone; needs their PIN, and no network
    Switch {
        /// 名称 / name
        name: String,
    },
    /// 添加一人，并设置其 PIN；之后用 enrol 登记 / add somebody, with a PIN; enrol them then
    Add {
        /// 名称（字母、数字、- 或 _） / name: letters, digits, - or _
        name: String,
    },
    /// 设置或更改当前人员的 PIN / set or change the PIN of who uses the phone
    Pin,
}

#[derive(Debug, Args)]
pub(crate) struct Acknowledge {
    /// 要确认的纪元；不填则列出 / the epoch to take note of; without it they are listed
    pub(crate) epoch: Option<schema::ids::EpochId>,
}

#[derive(Debug, Args)]
pub(crate) struct NeedsAttention {
    /// 标记为已处理 / mark an item as dealt with
    #[arg(long, value_name = "ID")]
    pub(crate) done: Option<i64>,
}

#[derive(Debug, Args)]
pub(crate) struct Do {
    /// 案件：编号、短码或 ID / case: official number, short code or id
    pub(crate) case: String,
    /// 操作 / the step
    #[arg(value_enum)]
    pub(crate) kind: Kind,
    /// amend：字段，值为空即清除 / amend: a field (note, subject, position, kind, or one of the subtype), empty clears it
    #[arg(long = "field", value_name = "K=V")]
    pub(crate) fields: Vec<String>,
    /// amend：position 取自国内地图（GCJ-02） / amend: the position is from a Chinese map (GCJ-02)
    #[arg(long)]
    pub(crate) gcj02: bool,
    /// 照片文件 / a photo file
    #[arg(long = "photo", value_name = "FILE")]
    pub(crate) photos: Vec<PathBuf>,
    /// 照片用途 / what the photos show [default: by step]
    #[arg(long, value_enum)]
    pub(crate) role: Option<PhotoRole>,
    /// 说明 / a text
    #[arg(long, value_name = "TEXT")]
    pub(crate) note: Option<String>,
    /// 理由：decline 与 return_assignment 为目录中的代码或名称，其余为文字 / why: a reason of the catalogue, or a text
    #[arg(long, value_name = "REASON")]
    pub(crate) reason: Option<String>,
    /// file、close：立案或结案条件 / file, close: the condition that is met
    #[arg(long, value_name = "CONDITION")]
    pub(crate) condition: Option<String>,
    /// link_duplicate：继续办理的案件 / link_duplicate: the case that goes on
    #[arg(long, value_name = "CASE")]
    pub(crate) of: Option<String>,
    /// assign：责任单位 / assign: the unit
    #[arg(long, value_name = "NAME|ID")]
    pub(crate) unit: Option<String>,
    /// assign：协办单位，可带时限，可重复 / assign: a unit that helps, with a limit of its own if it has one; repeat it for more
    #[arg(long = "co-unit", value_name = "NAME|ID[=LIMIT]")]
    pub(crate) co_units: Vec<String>,
    /// assign：经办人 / assign: a person of the unit
    #[arg(long, value_name = "NAME|ID")]
    pub(crate) holder: Option<String>,
    /// check、interim_check、look_back：结论 / check, interim_check, look_back: what was found
    #[arg(long, value_enum)]
    pub(crate) verdict: Option<Verdict>,
    /// waive_evidence、withdraw_evidence：照片 SHA-256（可只给开头） / the photo's SHA-256, or how it begins
    #[arg(long, value_name = "SHA256")]
    pub(crate) photo_hash: Option<String>,
    /// release、discard：被挂起的操作（用 rectify-phone parked 查看） / release, discard: the parked op, as `rectify-phone parked` lists it
    #[arg(long, value_name = "OP")]
    pub(crate) parked: Option<String>,
    /// restrict：可见角色，以逗号分隔 / restrict: the roles that may see it, separated by commas
    #[arg(long, value_name = "ROLES", value_delimiter = ',')]
    pub(crate) roles: Vec<String>,
    /// submit_fix：结果 / submit_fix: what was found and done [default: fixed]
    #[arg(long, value_enum)]
    pub(crate) result: Option<FixFound>,
    /// end_stage、interim_check、延期与申诉：环节代码 / end_stage, interim_check, more time, appeals: the stage
    #[arg(long, value_name = "STAGE")]
    pub(crate) stage: Option<String>,
    /// decide_extension、decide_appeal：决定 / decide_extension, decide_appeal: what is decided
    #[arg(long, value_enum)]
    pub(crate) decision: Option<Decision>,
    /// restrict、suspend：天数 / restrict, suspend: for how many days
    #[arg(long, value_name = "DAYS")]
    pub(crate) days: Option<u64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "snake_case")]
pub(crate) enum Kind {
    /// 修改字段 / change fields
    Amend,
    /// 补充证据 / add photos
    AddEvidence,
    /// 撤回证据 / take a photo back
    WithdrawEvidence,
    /// 备注 / a remark
    Comment,
    /// 立案 / it is a case
    File,
    /// 不立案 / it is no case
    Decline,
    /// 并案 / it is the same as another case
    LinkDuplicate,
    /// 撤销并案 / undo that
    UnlinkDuplicate,
    /// 派遣 / give it to a unit
    Assign,
    /// 签收 / sign for it
    Accept,
    /// 退单 / hand it back
    ReturnAssignment,
    /// 提交整改 / say that it is fixed
    SubmitFix,
    /// 协办完成 / a unit that helps has done its part
    FinishHelp,
    /// 核查 / look whether it is
    Check,
    /// 中期检查 / look whether what a stage ordered is kept
    InterimCheck,
    /// 回头看（附照片） / look whether what was closed has stayed so
    LookBack,
    /// 结案 / end it
    Close,
    /// 放弃无法到达的照片 / give up a photo that can't come
    WaiveEvidence,
    /// 重新开启 / open it again
    Reopen,
    /// 作废 / void it
    Void,
    /// 办结环节（附文书照片） / a stage is done, with its documents
    EndStage,
    /// 挂账 / nothing can be done about it for now
    Suspend,
    /// 解除挂账 / it goes on
    Resume,
    /// 申请延期 / ask for more time
    RequestExtension,
    /// 审批延期 / decide on that
    DecideExtension,
    /// 督办 / a leader watches it
    Supervise,
    /// 催办 / remind the unit
    Urge,
    /// 超时申诉 / say that being late is not the unit's fault
    AppealOverdue,
    /// 审核申诉 / decide on that
    DecideAppeal,
    /// 限定可见角色至某日（暗访等） / only some roles may see it, until a date
    Restrict,
    /// 放行挂起的操作（见 rectify-phone parked） / let a parked step take effect (see `rectify-phone parked`)
    Release,
    /// 终止挂起的操作（见 rectify-phone parked） / end a parked step without effect (see `rectify-phone parked`)
    Discard,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Verdict {
    /// 通过 / it is fixed
    Pass,
    /// 不通过 / it is not
    Fail,
    /// 回头看：保持 / look_back: it has stayed so
    Held,
    /// 回头看：反弹 / look_back: it is there again
    Relapsed,
}
