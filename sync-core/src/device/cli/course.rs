//! Writing the body of a step about the time of a case, or of a stage of its procedure.

use clap::ValueEnum;
use schema::catalogue::Code;
use schema::clock::Timed;
use schema::op::{
    AppealOverdue, Body, DecideAppeal, DecideExtension, EndStage, FixResult, InterimCheck, Reason, RequestExtension,
    Resume, Suspend, Urge,
};
use sync_core::device::clocks::Clocks;

use super::args::Kind;
use super::body::{Writer, missing, needed};
use super::case::Found;
use super::fields;
use super::say::Failure;

/// What somebody decides on a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Decision {
    /// 同意 / it is granted
    Grant,
    /// 不同意 / it is refused
    Refuse,
}

/// What a unit found and did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "snake_case")]
pub(crate) enum FixFound {
    /// 已整改 / it is fixed
    Fixed,
    /// 到场已消失 / it was gone
    GoneOnArrival,
    /// 未找到 / it was not found
    NotFound,
    /// 本单位无法整改 / it can't be fixed here
    CannotBeFixedHere,
}

impl From<FixFound> for FixResult {
    fn from(result: FixFound) -> Self {
        match result {
            FixFound::Fixed => Self::Fixed,
            FixFound::GoneOnArrival => Self::GoneOnArrival,
            FixFound::NotFound => Self::NotFound,
            FixFound::CannotBeFixedHere => Self::CannotBeFixedHere,
        }
    }
}

impl Writer<'_> {
    /// The steps about clocks and stages.
    pub(crate) fn on_course(&mut self, found: &Found, clocks: &Clocks) -> Result<Body, Failure> {
        Ok(match self.asked.kind {
            Kind::EndStage => {
                let stage = fields::code(needed(&self.asked.stage, "--stage")?)?;
                Body::EndStage(EndStage { stage, note: self.note()?, photos: Vec::new() })
            }
            Kind::InterimCheck => {
                let stage = match (&self.asked.stage, found.case.interim.as_slice()) {
                    (None, [only]) => only.stage.clone(),
                    (typed, _) => fields::code(needed(typed, "--stage")?)?,
                };
                let (verdict, note) = (self.verdict()?, self.note()?);
                Body::InterimCheck(InterimCheck { stage, verdict, note, photos: Vec::new() })
            }
            Kind::Suspend => Body::Suspend(Suspend { until_ms: self.until_ms(clocks)?, reason: self.why()? }),
            Kind::Resume => Body::Resume(Resume { reason: Some(self.why()?) }),
            Kind::RequestExtension => {
                Body::RequestExtension(RequestExtension { stage: self.stage(found)?, reason: self.why()? })
            }
            Kind::DecideExtension => {
                let none = || Failure::refused("该案件没有延期申请", "nobody asked for more time on this case");
                let request = found.case.extension.as_ref().ok_or_else(none)?.request;
                Body::DecideExtension(DecideExtension { request, grant: self.grants()?, reason: self.note()? })
            }
            Kind::Urge => Body::Urge(Urge { note: self.note()? }),
            Kind::AppealOverdue => {
                let (stage, reason) = (self.stage(found)?, self.why()?);
                Body::AppealOverdue(AppealOverdue { stage, reason, photos: Vec::new() })
            }
            Kind::DecideAppeal => {
                let (stage, grant) = (self.stage(found)?, self.grants()?);
                Body::DecideAppeal(DecideAppeal { stage, grant, reason: self.note()? })
            }
            _ => Body::Supervise(Reason { reason: self.why()? }),
        })
    }

    fn grants(&self) -> Result<bool, Failure> {
        self.asked.decision.map(|decision| decision == Decision::Grant).ok_or_else(|| missing("--decision"))
    }

    /// The stage that was typed, or the only one of a unit that the case has a clock of.
    fn stage(&self, found: &Found) -> Result<Code, Failure> {
        if let Some(typed) = &self.asked.stage {
            return fields::code(typed);
        }
        let of_units = found.case.clocks.iter().filter(|clock| clock.timed == Timed::Unit && !is_signing(&clock.stage));
        let stages: Vec<&Code> = of_units.map(|clock| &clock.stage).collect();
        match stages.as_slice() {
            [only] => Ok((*only).clone()),
            [] => Err(Failure::refused("该案件没有对责任单位的计时", "no clock of a unit runs on this case")),
            several => {
                let list = several.iter().map(|code| code.as_str()).collect::<Vec<_>>().join(", ");
                Err(Failure::usage(
                    format!("有多个环节（{list}），请用 --stage 指明"),
                    format!("it has several stages ({list}): name one by --stage"),
                ))
            }
        }
    }
}

/// Signing for a case is no work on it: nobody asks for more time to sign.
fn is_signing(stage: &Code) -> bool {
    stage.as_str() == "accept"
}
