//! Saying things to a person in either language, or to a program as JSON.

use std::io::Write;

use clap::ValueEnum;
use schema::case::State;
use schema::catalogue::Text;
use schema::op::EvidenceRole;
use schema::record::{Outcome, RefusalCode};
use serde::Serialize;
use sync_core::device::error::PhoneError;
use sync_core::sync::overlay::Estimate;

/// The languages spoken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Language {
    /// 简体中文
    #[value(name = "zh")]
    Chinese,
    /// English
    #[value(name = "en")]
    English,
}

/// Where output goes and how.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Out {
    pub(crate) language: Language,
    pub(crate) json: bool,
}

/// Why the program did not do it.
#[derive(Debug)]
pub(crate) enum Failure {
    /// It was asked for in a way that can't be meant.
    Usage { zh: String, en: String },
    /// It can't be done as things stand.
    Refused { zh: String, en: String },
    /// The store could not.
    Phone(PhoneError),
}

impl Failure {
    pub(crate) fn usage(zh: impl Into<String>, en: impl Into<String>) -> Self {
        Self::Usage { zh: zh.into(), en: en.into() }
    }
    pub(crate) fn refused(zh: impl Into<String>, en: impl Into<String>) -> Self {
        Self::Refused { zh: zh.into(), en: en.into() }
    }
}

impl From<PhoneError> for Failure {
    fn from(error: PhoneError) -> Self {
        Self::Phone(error)
    }
}

impl From<serde_json::Error> for Failure {
    fn from(error: serde_json::Error) -> Self {
        Self::Phone(error.into())
    }
}

/// A line on the standard output. A reader who has seen enough (`| head`) closes it: that is no failure.
pub(crate) fn print(line: &str) {
    drop(writeln!(std::io::stdout(), "{line}"));
}

impl Out {
    /// The text in the language spoken.
    pub(crate) fn pick<'a>(&self, zh: &'a str, en: &'a str) -> &'a str {
        match self.language {
            Language::Chinese => zh,
            Language::English => en,
        }
    }

    /// A catalogue text in the language spoken.
    pub(crate) fn text<'a>(&self, text: &'a Text) -> &'a str {
        self.pick(&text.zh, &text.en)
    }

    /// A line for a person; nothing where a program reads.
    pub(crate) fn line(&self, zh: impl AsRef<str>, en: impl AsRef<str>) {
        if !self.json {
            print(self.pick(zh.as_ref(), en.as_ref()));
        }
    }

    /// A remark beside the result, on the standard error.
    pub(crate) fn note(&self, zh: impl AsRef<str>, en: impl AsRef<str>) {
        eprintln!("{}", self.pick(zh.as_ref(), en.as_ref()));
    }

    /// The result for a program.
    pub(crate) fn json(&self, value: &impl Serialize) -> Result<(), Failure> {
        if self.json {
            print(&serde_json::to_string(value)?);
        }
        Ok(())
    }

    /// Says a failure.
    pub(crate) fn failed(&self, failure: &Failure) {
        let text = match failure {
            Failure::Usage { zh, en } | Failure::Refused { zh, en } => self.pick(zh, en).to_owned(),
            Failure::Phone(error) => self.pick(&error.in_chinese(), &error.to_string()).to_owned(),
        };
        eprintln!("{text}");
    }

    /// A case state.
    pub(crate) fn state(&self, state: State) -> &'static str {
        let (zh, en) = match state {
            State::Reported => ("已上报", "reported"),
            State::Filed => ("已立案", "filed"),
            State::Assigned => ("已派遣", "assigned"),
            State::Fixed => ("已整改", "fixed"),
            State::Checked => ("已核查", "checked"),
            State::Closed => ("已结案", "closed"),
            State::Declined => ("不立案", "declined"),
            State::Duplicate => ("重复", "duplicate"),
            State::Void => ("作废", "void"),
        };
        self.pick(zh, en)
    }

    /// What a photo shows.
    pub(crate) fn role(&self, role: EvidenceRole) -> &'static str {
        let (zh, en) = match role {
            EvidenceRole::Before => ("整改前", "before"),
            EvidenceRole::After => ("整改后", "after"),
            EvidenceRole::Check => ("核查", "check"),
            EvidenceRole::Lookback => ("回头看", "look-back"),
            EvidenceRole::Document => ("文书", "document"),
        };
        self.pick(zh, en)
    }

    /// What this phone thinks will become of an op, said as what it is.
    pub(crate) fn estimate(&self, estimate: &Estimate) -> String {
        let Estimate::Likely { outcome, code, .. } = estimate else {
            return self.pick("本机无法预估，以服务器决定为准", "this phone can't tell; the server decides").to_owned();
        };
        let reason = code.map_or_else(String::new, |code| format!(" ({})", self.refusal(code)));
        let likely = self.outcome(*outcome);
        match self.language {
            Language::Chinese => format!("本机预估：{likely}{reason}，以服务器决定为准"),
            Language::English => format!("this phone's estimate: {likely}{reason}; the server decides"),
        }
    }

    /// An outcome.
    pub(crate) fn outcome(&self, outcome: Outcome) -> &'static str {
        let (zh, en) = match outcome {
            Outcome::Accepted => ("接受", "accepted"),
            Outcome::AcceptedWithConflict => ("接受，有冲突", "accepted with a conflict"),
            Outcome::Rejected => ("不予接受", "rejected"),
            Outcome::Parked => ("挂起待人工处理", "parked for a person"),
        };
        self.pick(zh, en)
    }

    /// An outcome by its stored name.
    pub(crate) fn outcome_named(&self, name: &str) -> String {
        let outcome: Option<Outcome> = serde_json::from_value(name.into()).ok();
        outcome.map_or_else(|| name.to_owned(), |outcome| self.outcome(outcome).to_owned())
    }

    /// Why an op is refused.
    pub(crate) fn refusal(&self, code: RefusalCode) -> &'static str {
        let (zh, en) = match code {
            RefusalCode::StaleState => ("案件状态已变", "the case has moved on"),
            RefusalCode::EvidenceSinceBase => ("有未看过的新证据", "there is evidence you have not seen"),
            RefusalCode::EvidenceIncomplete => ("缺少照片或照片未到齐", "photos are missing or have not arrived"),
            RefusalCode::NotPermitted => ("无此权限", "you may not do this"),
            RefusalCode::FourEyes => ("整改参与人不得核查", "who took part in the fix may not check it"),
            RefusalCode::Validation => ("填写不符合要求", "a value does not fit"),
            RefusalCode::UnknownEntity => ("没有该案件或无权查看", "no such case, or you may not see it"),
            RefusalCode::EntityExists => ("已存在", "it exists already"),
            RefusalCode::Quota => ("已达上限", "a limit is reached"),
            RefusalCode::DocumentMissing => ("所需文件未到", "a document it needs is not there yet"),
            RefusalCode::KindTooNew => ("服务器版本较旧", "newer than the server"),
            RefusalCode::ActorRevoked => ("账号或设备已停用", "the account or device was revoked"),
            RefusalCode::NeedsSupervisor => ("需主管处理", "a supervisor decides"),
            RefusalCode::BehindParked => ("前一步仍挂起", "an earlier step is still parked"),
            RefusalCode::PlainPersonal => ("个人信息未加密封存", "a personal value was sent in plain text"),
            RefusalCode::Internal => ("服务器内部问题，内容已保管", "the server failed on it; it is kept"),
            RefusalCode::NotAnOp => ("无法解读", "it could not be read"),
            RefusalCode::TooLong => ("过长", "it is too long"),
            RefusalCode::NotYours => ("不属于本机", "it is not of this device"),
            RefusalCode::OpIdReused => ("编号被重复使用", "its id was used before"),
        };
        self.pick(zh, en)
    }
}
