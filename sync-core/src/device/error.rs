//! What the store can't do, each with what to do about it.

use std::io;
use std::path::PathBuf;

use super::entropy::NoEntropy;
use crate::sync::answer::AnswerError;

/// Why the store could not do it. Nothing is half done: what was there before is there still.
#[derive(Debug, thiserror::Error)]
pub enum PhoneError {
    /// The disk is full.
    #[error("the storage of this phone is full: nothing was changed. Free some space and try again")]
    StorageFull,
    /// A newer program wrote the file.
    #[error(
        "this store has version {found}, this program knows up to {known}: nothing was touched. Update rectify-phone"
    )]
    TooNew {
        /// The file's version.
        found: i32,
        /// The newest known.
        known: i32,
    },
    /// Another program's file.
    #[error("{0} is not a rectify store: nothing was touched. Choose another --home")]
    NotOurs(PathBuf),
    /// The SQLite that was linked has a known corruption bug.
    #[error("this program was built with SQLite {0}, which can damage its files; 3.51.3 or newer is needed")]
    OldSqlite(String),
    /// The file is damaged.
    #[error("the store is damaged ({0}). Keep the folder as it is, and use a copy for repair")]
    Damaged(String),
    /// Not enrolled yet.
    #[error("this phone is not enrolled yet: run `enrol` once, with a code from an administrator")]
    NotEnrolled,
    /// Enrolled for somebody else.
    #[error("this phone belongs to {0}; a phone is one person's. Use another --home for somebody else")]
    OtherAccount(String),
    /// Enrolled at another server.
    #[error("this phone is enrolled at {0}; use another --home for another server")]
    OtherServer(String),
    /// A PIN is asked for.
    #[error("this person's PIN is needed: set RECTIFY_PHONE_PIN, or run it at a terminal")]
    PinNeeded,
    /// It is another one.
    #[error("the PIN is wrong; after some wrong ones each costs a longer wait")]
    WrongPin,
    /// Too many wrong ones.
    #[error("too many wrong PINs: wait {seconds} s and try again")]
    PinLater {
        /// How long.
        seconds: i64,
    },
    /// What may not become a PIN.
    #[error("a PIN has 6 to 64 characters that are not all the same")]
    UnfitPin,
    /// What may not become the name of a person on a phone.
    #[error("a name here has 1 to 32 letters, digits, - or _, and is not `main`")]
    UnfitName,
    /// Nobody of this name.
    #[error("there is no {0} on this phone: `people list` shows who is, `people add` adds somebody")]
    NoPerson(String),
    /// Somebody has this name.
    #[error("there is a {0} on this phone already")]
    PersonExists(String),
    /// The phone's own person has no PIN.
    #[error("set a PIN for this phone's first person before a second one uses it: `people pin`")]
    FirstWithoutPin,
    /// The store was wiped.
    #[error(
        "this phone was shut out and has wiped itself after the server had all that it held ({0}). Enrol a new --home"
    )]
    Wiped(String),
    /// The server has not said to which key a file of unsent work is to be sealed.
    #[error(
        "this phone does not know the server's key yet: sync once, or write the file with --plain, for anybody to read"
    )]
    NoExportKey,
    /// No such log.
    #[error("this phone has no log {0}")]
    UnknownLog(String),
    /// Too large to capture.
    #[error("{what} is too large: {bytes} bytes, at most {bytes_max}. Nothing was captured")]
    TooLarge {
        /// What.
        what: &'static str,
        /// How large.
        bytes: u64,
        /// The most.
        bytes_max: u64,
    },
    /// A photo that can't be read or is none.
    #[error("the photo {path} can't be read ({why}). Nothing was captured")]
    Photo {
        /// Where.
        path: String,
        /// Why.
        why: String,
    },
    /// More photos than an op may name.
    #[error("{0} photos; at most {max} in one step. Nothing was captured", max = schema::limits::PHOTOS_PER_OP_MAX)]
    TooManyPhotos(usize),
    /// The kind takes no photos.
    #[error("{0} takes no photos. Nothing was captured")]
    TakesNoPhotos(String),
    /// An answer that can't be used.
    #[error(transparent)]
    Answer(#[from] AnswerError),
    /// An answer that belongs to another log.
    #[error("the answer is for another log; the server or something on the way is at fault")]
    OtherLog,
    /// Bytes that do not have the hash they were asked for.
    #[error("{0} came with other bytes than its hash says; it is fetched again")]
    WrongHash(&'static str),
    /// A file could not be read or written.
    #[error("{path}: {source}")]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The database failed.
    #[error("the store failed: {0}")]
    Database(String),
    /// No random bytes.
    #[error(transparent)]
    Entropy(#[from] NoEntropy),
    /// A stored or made value is not what it must be: a defect of this program.
    #[error("a defect of this program: {0}. What is on this phone is kept")]
    Internal(String),
}

impl PhoneError {
    /// The same in Chinese.
    pub fn in_chinese(&self) -> String {
        match self {
            Self::StorageFull => "手机存储已满：没有任何改动。请清理空间后重试".into(),
            Self::TooNew { found, known } => {
                format!("数据文件版本为 {found}，本程序最高支持 {known}：未作任何改动。请升级 rectify-phone")
            }
            Self::NotOurs(path) => format!("{} 不是本程序的数据文件：未作任何改动。请换一个 --home", path.display()),
            Self::OldSqlite(version) => format!("本程序使用的 SQLite {version} 可能损坏文件，需要 3.51.3 或更高版本"),
            Self::Damaged(why) => format!("数据文件已损坏（{why}）。请原样保留该文件夹，用副本修复"),
            Self::NotEnrolled => "本机尚未登记：请向管理员索取登记码，运行一次 enrol".into(),
            Self::OtherAccount(name) => format!("本机属于 {name}；一机一人，他人请使用另一个 --home"),
            Self::OtherServer(server) => format!("本机已在 {server} 登记；其他服务器请使用另一个 --home"),
            Self::PinNeeded => "需要该人员的 PIN：设置 RECTIFY_PHONE_PIN，或在终端中运行".into(),
            Self::WrongPin => "PIN 不正确；多次输错后每次都要等待更久".into(),
            Self::PinLater { seconds } => format!("PIN 输错次数过多：请等待 {seconds} 秒后重试"),
            Self::UnfitPin => "PIN 须为 6 到 64 个字符，且不能全部相同".into(),
            Self::UnfitName => "名称须为 1 到 32 个字母、数字、- 或 _，且不能是 main".into(),
            Self::NoPerson(name) => format!("本机没有 {name}：用 people list 查看，用 people add 添加"),
            Self::PersonExists(name) => format!("本机已有 {name}"),
            Self::FirstWithoutPin => "第二人使用本机之前，请先为第一人设置 PIN：people pin".into(),
            Self::Wiped(when) => {
                format!("本机已被停用，并在服务器收齐其全部内容后自行清除（{when}）。请换一个 --home 重新登记")
            }
            Self::NoExportKey => "本机尚未取得服务器的公钥：请先同步一次，或用 --plain 写成任何人可读的文件".into(),
            Self::UnknownLog(log) => format!("本机没有日志 {log}"),
            Self::TooLarge { what, bytes, bytes_max } => {
                format!("{}过大：{bytes} 字节，最多 {bytes_max} 字节。未保存任何内容", chinese_part(what))
            }
            Self::Photo { path, why } => format!("照片 {path} 无法读取（{why}）。未保存任何内容"),
            Self::TooManyPhotos(count) => {
                let most = schema::limits::PHOTOS_PER_OP_MAX;
                format!("照片 {count} 张；每步最多 {most} 张。未保存任何内容")
            }
            Self::TakesNoPhotos(kind) => format!("{kind} 不能附照片。未保存任何内容"),
            Self::Answer(AnswerError::Cut) => "服务器的回答不完整，将重新获取".into(),
            Self::Answer(error) => format!("服务器的回答无法读取（{error}）"),
            Self::OtherLog => "服务器回答的是另一个日志，服务器或网络有问题".into(),
            Self::WrongHash(_) => "收到的内容与其哈希不符，将重新获取".into(),
            Self::File { path, source } => format!("{}：{source}", path.display()),
            Self::Database(error) => format!("数据库出错：{error}"),
            Self::Entropy(error) => format!("系统无法提供随机数：{error}"),
            Self::Internal(why) => format!("程序缺陷：{why}。手机上的内容均已保留"),
        }
    }

    /// A file error, with a full disk told apart.
    #[cfg(feature = "device")]
    pub(crate) fn file(path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::StorageFull,
            _ => Self::File { path, source },
        }
    }

    /// A defect.
    pub(crate) fn internal(what: impl std::fmt::Display) -> Self {
        Self::Internal(what.to_string())
    }
}

fn chinese_part(what: &str) -> &str {
    match what {
        "the photo" => "照片",
        "a text" => "文字",
        _ => "填写的内容",
    }
}

#[cfg(feature = "device")]
impl From<rusqlite::Error> for PhoneError {
    fn from(error: rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            Some(rusqlite::ErrorCode::DiskFull) => Self::StorageFull,
            Some(rusqlite::ErrorCode::DatabaseCorrupt | rusqlite::ErrorCode::NotADatabase) => {
                Self::Damaged(error.to_string())
            }
            _ => Self::Database(error.to_string()),
        }
    }
}

impl From<serde_json::Error> for PhoneError {
    fn from(error: serde_json::Error) -> Self {
        Self::internal(error)
    }
}
