//! What can be asked for, as clap reads it.

use std::net::IpAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use jiff::civil::Date;
use schema::ids::{AccountId, DeviceId, EntityId, PersonId, UnitId};

use super::cases::Cases;
use super::imports::{Areas, Calendar, Catalogue};
use super::responsibilities::Responsibilities;
use super::units::Unit;

/// 整改 Rectify: a city's field inspection server (城市现场巡查整改服务器)
#[derive(Parser)]
#[command(name = "rectify", version, propagate_version = true)]
pub(crate) struct Arguments {
    /// Language of messages (语言); else as the locale says
    #[arg(long, global = true, value_enum)]
    pub(crate) lang: Option<Spoken>,
    /// Print JSON for programs (输出 JSON)
    #[arg(long, global = true)]
    pub(crate) json: bool,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// A language of messages.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum Spoken {
    /// 简体中文
    Zh,
    /// English
    En,
}

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Run the server (运行服务器)
    Serve(Serve),
    /// Districts: each is a log of its own (区)
    #[command(subcommand)]
    District(DistrictCommand),
    /// Delete a personal value by law; its hash and every proof stay (依法删除个人信息)
    Redact(Redact),
    /// Accounts (账号)
    #[command(subcommand)]
    Account(Account),
    /// Phones (设备)
    #[command(subcommand)]
    Device(Device),
    /// Units that must rectify (责任单位)
    #[command(subcommand)]
    Unit(Unit),
    /// Give what somebody, a unit or an area has to another (移交)
    #[command(subcommand)]
    HandOver(super::handing::HandOver),
    /// Cases (案件)
    #[command(subcommand)]
    Cases(Cases),
    /// Figures of a period: rates by unit, area or category (统计)
    Figures(super::figures::Asked),
    /// The case catalogue (案件目录)
    #[command(subcommand)]
    Catalogue(Catalogue),
    /// The working calendar (工作日历)
    #[command(subcommand)]
    Calendar(Calendar),
    /// Who is responsible where and for what (责任清单：属地 × 属事)
    #[command(subcommand)]
    Responsibilities(Responsibilities),
    /// The area tree (区域)
    #[command(subcommand)]
    Areas(Areas),
    /// Make a backup while the server runs, and read it back (备份)
    Backup(Backup),
    /// Get an installation back from a backup, into a new folder (恢复)
    Restore(RestoreFrom),
    /// How far the logs are safe, restores, and what did not come back (状态)
    Status(Place),
    /// Make every view again from the log and compare row by row (从日志重建并逐行比对)
    Rebuild(Place),
    /// When a limit ends, counted day by day (试算期限)
    Deadline(super::deadline::Deadline),
    /// Where notices of cases are sent: assignments, deadlines, escalations (提醒推送)
    #[command(subcommand)]
    Webhook(super::webhooks::Webhook),
    /// Print the API document (输出接口文档)
    Openapi,
}

/// Where the installation is.
#[derive(Args, Clone)]
pub(crate) struct Place {
    /// The data folder (数据目录)
    #[arg(long, value_name = "DIR", env = "RECTIFY_DATA")]
    pub(crate) data: PathBuf,
    /// sqlite:PATH or postgres://…; else SQLite in the data folder (数据库地址)
    #[arg(long, value_name = "URL", env = "RECTIFY_DATABASE_URL", hide_env_values = true)]
    pub(crate) database_url: Option<String>,
    /// s3://BUCKET/PREFIX for whole photos, with its AWS_… in the environment; else the data folder (照片存放地址)
    #[arg(long, value_name = "URL", env = "RECTIFY_PHOTOS_URL")]
    pub(crate) photos_url: Option<String>,
    /// The host name that people know (主机名)
    #[arg(long, value_name = "NAME", env = "RECTIFY_HOST", default_value = "localhost")]
    pub(crate) host: String,
    /// The district to work on, by name or log id; needed where there are several (区)
    #[arg(long, value_name = "NAME")]
    pub(crate) district: Option<String>,
}

#[derive(Subcommand)]
pub(crate) enum DistrictCommand {
    /// Add a district with its own log, areas and catalogue (新增区)
    Add {
        #[command(flatten)]
        place: Place,
        /// Its name in Chinese
        name: String,
        /// Its name in English; else as in Chinese
        #[arg(long, value_name = "NAME")]
        en: Option<String>,
        /// Its time zone
        #[arg(long, value_name = "ZONE", default_value = "Asia/Shanghai")]
        zone: String,
        /// GeoJSON of its areas
        #[arg(long, value_name = "FILE")]
        areas: Option<PathBuf>,
    },
    /// List districts (列出各区)
    List(Place),
}

#[derive(Args)]
pub(crate) struct Redact {
    #[command(flatten)]
    pub(crate) place: Place,
    /// The case's id (案件 ID)
    pub(crate) case: EntityId,
    /// The field, or the value's hash (字段名或散列值)
    pub(crate) value: String,
    /// By which law or order, in words that name nobody (依据)
    #[arg(long)]
    pub(crate) reason: String,
}

#[derive(Args)]
pub(crate) struct Backup {
    #[command(flatten)]
    pub(crate) place: Place,
    /// The backup's folder; the same one each time (备份目录)
    pub(crate) dir: PathBuf,
    /// Look for photos that an earlier backup read back by their size only (旧照片仅比对大小)
    #[arg(long)]
    pub(crate) trust_old_photos: bool,
}

#[derive(Args)]
pub(crate) struct RestoreFrom {
    /// The new data folder: empty, or not there yet (新数据目录)
    #[arg(long, value_name = "DIR", env = "RECTIFY_DATA")]
    pub(crate) data: PathBuf,
    /// The new database: empty; else SQLite in the data folder (新数据库地址)
    #[arg(long, value_name = "URL", env = "RECTIFY_DATABASE_URL", hide_env_values = true)]
    pub(crate) database_url: Option<String>,
    /// s3://BUCKET/PREFIX for whole photos, as with serve; else the new data folder (照片存放地址)
    #[arg(long, value_name = "URL", env = "RECTIFY_PHOTOS_URL")]
    pub(crate) photos_url: Option<String>,
    /// The lost server's `signed` folder, if it survived (原服务器的 signed 目录)
    #[arg(long, value_name = "DIR")]
    pub(crate) signed: Option<PathBuf>,
    /// The backup's folder (备份目录)
    pub(crate) dir: PathBuf,
}

#[derive(Args)]
pub(crate) struct Serve {
    #[command(flatten)]
    pub(crate) place: Place,
    /// Address and port to listen on (监听地址)
    #[arg(long, value_name = "ADDR", env = "RECTIFY_LISTEN", default_value = "127.0.0.1:8080")]
    pub(crate) listen: String,
    /// A reverse proxy on another machine whose X-Forwarded-For is believed; repeat it for more (反向代理地址)
    #[arg(long = "proxy", value_name = "IP", env = "RECTIFY_PROXY", value_delimiter = ',')]
    pub(crate) proxies: Vec<IpAddr>,
    /// How an acknowledged op survives the loss of this machine (持久性)
    #[arg(long, value_enum, env = "RECTIFY_DURABILITY", default_value = "backup")]
    pub(crate) durability: Survival,
    /// With replica: the photo folder lies on storage that survives this machine (照片目录在可靠存储上)
    #[arg(long, env = "RECTIFY_PHOTOS_SURVIVE")]
    pub(crate) photos_survive: bool,
    /// How long a webhook may take to answer, in s (推送超时秒数)
    #[arg(long, value_name = "S", default_value = "10", value_parser = clap::value_parser!(u64).range(1..=60))]
    pub(crate) webhook_timeout: u64,
    /// A demo city; durability is then local (演示城市)
    #[arg(long)]
    pub(crate) demo: bool,
    /// First start: the district's name in Chinese (区名)
    #[arg(long, value_name = "NAME", default_value = "示范区")]
    pub(crate) district_zh: String,
    /// First start: the district's name in English (区名英文)
    #[arg(long, value_name = "NAME", default_value = "Model District")]
    pub(crate) district_en: String,
    /// First start: the district's time zone (时区)
    #[arg(long, value_name = "ZONE", default_value = "Asia/Shanghai")]
    pub(crate) zone: String,
    /// Log as JSON lines (日志为 JSON)
    #[arg(long)]
    pub(crate) log_json: bool,
}

/// How an acknowledged op survives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Survival {
    /// By the last backup that was read back
    Backup,
    /// By a synchronous standby
    Replica,
    /// By this machine's disk alone
    Local,
}

#[derive(Subcommand)]
pub(crate) enum Account {
    /// Add an account; prints a one-time code for its phone (新增账号)
    Add(AddAccount),
    /// List accounts (列出账号)
    List(Place),
    /// End an account: it can't log in or act any more (停用账号)
    Disable {
        #[command(flatten)]
        place: Place,
        /// Login name
        login: String,
        /// Why
        #[arg(long, default_value = "")]
        reason: String,
    },
    /// Give a role over an area (授予角色)
    Grant {
        #[command(flatten)]
        granting: Granting,
        /// The last day of it; else for good (截止日期)
        #[arg(long, value_name = "YYYY-MM-DD")]
        until: Option<Date>,
    },
    /// Take a role over an area away (收回角色)
    RevokeGrant(Granting),
    /// Put an account into a unit, or take it out (加入或退出责任单位)
    Unit {
        #[command(flatten)]
        place: Place,
        /// Login name (登录名)
        login: String,
        /// The unit (责任单位)
        #[arg(long, value_name = "ID")]
        unit: UnitId,
        /// The last day of it; else for good (截止日期)
        #[arg(long, value_name = "YYYY-MM-DD", conflicts_with = "remove")]
        until: Option<Date>,
        /// Out of it (退出)
        #[arg(long)]
        remove: bool,
    },
    /// Somebody is away, and a colleague stands in through a day (离岗代理)
    Absent {
        #[command(flatten)]
        place: Place,
        /// Login name of who is away (离岗人)
        login: String,
        /// Login name of who stands in (代理人)
        #[arg(long, value_name = "LOGIN")]
        deputy: String,
        /// The last day away, in the district's time zone (截止日期)
        #[arg(long, value_name = "YYYY-MM-DD")]
        until: Date,
    },
    /// Somebody is back before that day (提前返岗)
    Back {
        #[command(flatten)]
        place: Place,
        /// Login name (登录名)
        login: String,
    },
    /// Set another password, read from standard input; desks are logged out (重设密码)
    ResetPassword {
        #[command(flatten)]
        place: Place,
        /// Login name (登录名)
        login: String,
        /// No password from now on: the account logs in by its phone only (不再使用密码)
        #[arg(long)]
        none: bool,
    },
}

/// A role over an area.
#[derive(Args)]
pub(crate) struct Granting {
    #[command(flatten)]
    pub(crate) place: Place,
    /// Login name (登录名)
    pub(crate) login: String,
    /// Role (角色)
    #[arg(long, value_enum)]
    pub(crate) role: RoleName,
    /// Code of the area; else the whole log (区域编码)
    #[arg(long, value_name = "CODE")]
    pub(crate) area: Option<String>,
}

#[derive(Args)]
pub(crate) struct AddAccount {
    #[command(flatten)]
    pub(crate) place: Place,
    /// Login name (登录名)
    pub(crate) login: String,
    /// The name others see (姓名)
    #[arg(long)]
    pub(crate) name: String,
    /// Role (角色)
    #[arg(long, value_enum)]
    pub(crate) role: RoleName,
    /// Code of the area that the role is for; else the whole log (区域编码)
    #[arg(long, value_name = "CODE")]
    pub(crate) area: Option<String>,
    /// The id it had before a restore that did not bring it back: what its phones made names it (恢复前的账号 ID)
    #[arg(long, value_name = "ID")]
    pub(crate) id: Option<AccountId>,
    /// A unit it belongs to (责任单位)
    #[arg(long, value_name = "ID")]
    pub(crate) unit: Vec<UnitId>,
    /// The person, where it has another account already (人员)
    #[arg(long, value_name = "ID")]
    pub(crate) person: Option<PersonId>,
    /// Read a password from standard input (从标准输入读取密码)
    #[arg(long)]
    pub(crate) password_stdin: bool,
}

/// A role's name.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum RoleName {
    /// 巡查员
    Inspector,
    /// 责任单位人员
    Crew,
    /// 主管
    Supervisor,
    /// 审计员
    Auditor,
    /// 管理员
    Admin,
}

#[derive(Subcommand)]
pub(crate) enum Device {
    /// A one-time code by which an account's phone is enrolled (登记码)
    Code {
        #[command(flatten)]
        place: Place,
        /// Login name
        login: String,
    },
    /// List phones (列出设备)
    List(Place),
    /// Shut a phone out (停用设备)
    Revoke {
        #[command(flatten)]
        place: Place,
        /// The phone's id
        device: DeviceId,
        /// Why
        #[arg(long, default_value = "")]
        reason: String,
    },
    /// Take in a file of unsent work that a phone exported (接收手机导出文件)
    TakeIn {
        #[command(flatten)]
        place: Place,
        /// The file (文件)
        file: PathBuf,
    },
}
