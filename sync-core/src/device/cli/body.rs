//! Writing the body of a step from what was typed, `was` from what is shown.

use std::collections::BTreeMap;

use schema::case::{Case, FieldName};
use schema::catalogue::{Catalogue, Choice};
use schema::deadline::{DayModel, Limit, NotALimit};
use schema::entity::Entity;
use schema::hash::Hash;
use schema::ids::{AccountId, LogId, UnitId};
use schema::limits::DAY_MS;
use schema::op::{
    AddEvidence, Amend, Assign, Body, Change, Check, CheckVerdict, Close, Comment, Decline, File, FinishHelp,
    FixResult, LinkDuplicate, Nothing, Parked, Reason, Reopen, Restrict, ReturnAssignment, Role, Sealed, SealedValue,
    SubmitFix, WaiveEvidence, WithdrawEvidence,
};
use serde_json::{Value, json};
use sync_core::device::clocks::Clocks;
use sync_core::device::phone::Phone;
use sync_core::time::{NotRead, read_limit};

use super::args::{Do, Kind, Verdict};
use super::case::{self, Found};
use super::fields;
use super::say::{Failure, Out};

/// What is being written, and the values that it names.
pub(crate) struct Writer<'a> {
    pub(crate) phone: &'a mut Phone,
    pub(crate) out: Out,
    pub(crate) asked: &'a Do,
    pub(crate) values: Vec<SealedValue>,
}

impl Writer<'_> {
    /// `release`, `discard`
    pub(crate) fn about_parked(&mut self) -> Result<Body, Failure> {
        let typed = needed(&self.asked.parked, "--parked")?;
        let wrong = || Failure::usage(format!("不是操作 ID：{typed}"), format!("not an op: {typed}"));
        let parked = Parked { parked: typed.parse().map_err(|_| wrong())?, reason: self.why()? };
        Ok(if self.asked.kind == Kind::Release { Body::Release(parked) } else { Body::Discard(parked) })
    }

    /// Every other kind.
    pub(crate) fn on_case(&mut self, found: &Found, clocks: &Clocks) -> Result<Body, Failure> {
        let asked = self.asked;
        Ok(match asked.kind {
            Kind::Amend => self.amend(found)?,
            Kind::AddEvidence => {
                if asked.photos.is_empty() {
                    return Err(missing("--photo"));
                }
                Body::AddEvidence(AddEvidence { photos: Vec::new() })
            }
            Kind::WithdrawEvidence => {
                let (photo, of) = photo_of(&found.case, needed(&asked.photo_hash, "--photo-hash")?)?;
                Body::WithdrawEvidence(WithdrawEvidence { photo, of, reason: self.why()? })
            }
            Kind::WaiveEvidence => {
                let (photo, _) = photo_of(&found.case, needed(&asked.photo_hash, "--photo-hash")?)?;
                Body::WaiveEvidence(WaiveEvidence { photo, reason: self.why()? })
            }
            Kind::Comment => {
                let text = needed(&asked.note, "--note")?;
                Body::Comment(Comment { text: self.seal(text)? })
            }
            Kind::File => Body::File(File { condition: self.condition(found)? }),
            Kind::Close => Body::Close(Close { condition: self.condition(found)? }),
            Kind::Decline => {
                let reason = self.listed_reason(found, |catalogue| &catalogue.decline_reasons)?;
                Body::Decline(Decline { reason, note: self.note()? })
            }
            Kind::ReturnAssignment => {
                let reason = self.listed_reason(found, |catalogue| &catalogue.return_reasons)?;
                let (note, photos) = (self.note()?, Vec::new());
                Body::ReturnAssignment(ReturnAssignment { reason, note, photos })
            }
            Kind::LinkDuplicate => {
                let of = case::find(self.phone, self.out, needed(&asked.of, "--of")?)?.case.id;
                Body::LinkDuplicate(LinkDuplicate { of })
            }
            Kind::UnlinkDuplicate => Body::UnlinkDuplicate(Reason { reason: self.why()? }),
            Kind::Void => Body::Void(Reason { reason: self.why()? }),
            Kind::Restrict => self.restrict(clocks)?,
            Kind::Reopen => Body::Reopen(Reopen { reason: self.why()?, photos: Vec::new() }),
            Kind::Assign => self.assign(found.log)?,
            Kind::Accept => Body::Accept(Nothing {}),
            Kind::SubmitFix => {
                let result = asked.result.map(FixResult::from).unwrap_or_default();
                Body::SubmitFix(SubmitFix { result, note: self.note()?, photos: Vec::new() })
            }
            Kind::Check => Body::Check(Check { verdict: self.verdict()?, note: self.note()?, photos: Vec::new() }),
            Kind::FinishHelp => Body::FinishHelp(FinishHelp { note: self.note()?, photos: Vec::new() }),
            Kind::EndStage
            | Kind::InterimCheck
            | Kind::Suspend
            | Kind::Resume
            | Kind::RequestExtension
            | Kind::DecideExtension
            | Kind::Supervise
            | Kind::Urge
            | Kind::AppealOverdue
            | Kind::DecideAppeal => self.on_course(found, clocks)?,
            Kind::LookBack => self.look_back(found)?.1,
            Kind::Release | Kind::Discard => self.about_parked()?,
        })
    }

    /// The end of so many days, by the server's time, as this phone knows it.
    pub(crate) fn until_ms(&self, clocks: &Clocks) -> Result<u64, Failure> {
        let days = self.asked.days.ok_or_else(|| missing("--days"))?;
        Ok(self.phone.server_time_ms(clocks.now())?.saturating_add(days.saturating_mul(DAY_MS)))
    }

    fn restrict(&mut self, clocks: &Clocks) -> Result<Body, Failure> {
        let until_ms = self.until_ms(clocks)?;
        let mut roles = Vec::new();
        for name in &self.asked.roles {
            let wrong = || Failure::usage(format!("不是角色：{name}"), format!("not a role: {name}"));
            roles.push(serde_json::from_value::<Role>(json!(name.trim())).map_err(|_| wrong())?);
        }
        if roles.is_empty() {
            return Err(missing("--roles"));
        }
        Ok(Body::Restrict(Restrict { roles, until_ms, reason: self.why()? }))
    }

    fn seal(&mut self, text: &str) -> Result<Sealed, Failure> {
        fields::seal(self.phone, text, &mut self.values)
    }

    pub(crate) fn note(&mut self) -> Result<Option<Sealed>, Failure> {
        self.asked.note.as_deref().map(|text| self.seal(text)).transpose()
    }

    /// A reason in words.
    pub(crate) fn why(&mut self) -> Result<Sealed, Failure> {
        let text = self.asked.reason.as_deref().or(self.asked.note.as_deref());
        self.seal(text.ok_or_else(|| missing("--reason"))?)
    }

    fn catalogue(&self, found: &Found) -> Result<Catalogue, Failure> {
        let none = || Failure::refused("本机没有案件目录，请先同步", "no catalogue on this phone: sync first");
        case::catalogue_of(self.phone, found)?.ok_or_else(none)
    }

    /// A reason of the catalogue.
    fn listed_reason(
        &self,
        found: &Found,
        list: fn(&Catalogue) -> &Vec<Choice>,
    ) -> Result<schema::catalogue::Code, Failure> {
        fields::choice(list(&self.catalogue(found)?), needed(&self.asked.reason, "--reason")?)
    }

    fn condition(&self, found: &Found) -> Result<schema::catalogue::Code, Failure> {
        let typed = needed(&self.asked.condition, "--condition")?;
        let catalogue = self.catalogue(found)?;
        match fields::kind_of(&catalogue, &found.case) {
            Some((_, subtype)) if self.asked.kind == Kind::File => fields::choice(&subtype.filing_conditions, typed),
            Some((_, subtype)) => fields::choice(&subtype.closing_conditions, typed),
            None => fields::code(typed),
        }
    }

    fn amend(&mut self, found: &Found) -> Result<Body, Failure> {
        let catalogue = self.catalogue(found)?;
        let mut changes = BTreeMap::new();
        let mut typed: Vec<(&str, &str)> = Vec::new();
        for field in &self.asked.fields {
            typed.push(fields::pair(field)?);
        }
        typed.extend(self.asked.note.as_deref().map(|note| ("note", note)));
        if typed.is_empty() {
            return Err(missing("--field"));
        }
        for (name, value) in typed {
            let (field, to) = self.field(found, &catalogue, name, value)?;
            let was = found.case.fields.get(&field).map_or(Value::Null, |held| held.value.clone());
            changes.insert(field, Change { was, to });
        }
        Ok(Body::Amend(Amend { changes }))
    }

    /// A field by the name that was typed, with the value wanted; an empty one clears it.
    fn field(
        &mut self,
        found: &Found,
        catalogue: &Catalogue,
        name: &str,
        typed: &str,
    ) -> Result<(FieldName, Value), Failure> {
        let or_empty = |value: Value| if typed.is_empty() { Value::Null } else { value };
        Ok(match name {
            "note" if typed.is_empty() => (FieldName::Note, Value::Null),
            "note" => (FieldName::Note, json!(self.seal(typed)?)),
            "subject" => (FieldName::Subject, or_empty(typed.into())),
            "position" => (FieldName::Position, json!(fields::position(typed, None, self.asked.gcj02)?)),
            "kind" => {
                let wrong = || Failure::usage("kind=大类/小类", "kind=CATEGORY/SUBTYPE");
                let (category, subtype) = typed.split_once('/').ok_or_else(wrong)?;
                let (category, subtype) = fields::kind(Some(catalogue), category, subtype)?;
                (FieldName::Kind, json!({"category": category, "subtype": subtype}))
            }
            _ if typed.is_empty() => {
                (FieldName::Field(fields::code(name.strip_prefix("field.").unwrap_or(name))?), Value::Null)
            }
            _ => {
                let subtype = fields::kind_of(catalogue, &found.case).map(|(_, subtype)| subtype);
                let (code, value) = fields::field(self.phone, subtype, name, typed, &mut self.values)?;
                (FieldName::Field(code), value)
            }
        })
    }

    pub(super) fn verdict(&self) -> Result<CheckVerdict, Failure> {
        Ok(match self.asked.verdict.ok_or_else(|| missing("--verdict"))? {
            Verdict::Pass => CheckVerdict::Pass,
            Verdict::Fail => CheckVerdict::Fail,
            Verdict::Held | Verdict::Relapsed => {
                return Err(Failure::usage("结论应为 pass 或 fail", "--verdict is pass or fail here"));
            }
        })
    }

    fn assign(&mut self, log: LogId) -> Result<Body, Failure> {
        let unit = self.unit(log, needed(&self.asked.unit, "--unit")?)?;
        let (mut co_units, mut co_limits) = (Vec::new(), BTreeMap::new());
        for typed in &self.asked.co_units {
            let (name, limit) =
                typed.rsplit_once('=').map_or((typed.as_str(), None), |(name, limit)| (name, Some(limit)));
            let unit = self.unit(log, name)?;
            co_units.push(unit);
            if let Some(limit) = limit {
                co_limits.insert(unit, own_limit(limit)?);
            }
        }
        let holder = match &self.asked.holder {
            Some(typed) => Some(self.account(log, typed)?),
            None => None,
        };
        Ok(Body::Assign(Assign { unit, co_units, co_limits, holder, note: self.note()? }))
    }

    fn unit(&self, log: LogId, typed: &str) -> Result<UnitId, Failure> {
        let units = self.phone.entities(log, "unit")?.into_iter().filter_map(|entity| match entity {
            Entity::Unit(unit) => Some((unit.id, vec![unit.name.zh, unit.name.en])),
            _ => None,
        });
        one_of(typed, units.collect())
    }

    fn account(&self, log: LogId, typed: &str) -> Result<AccountId, Failure> {
        let accounts = self.phone.entities(log, "account")?.into_iter().filter_map(|entity| match entity {
            Entity::Account(account) => Some((account.id, vec![account.name])),
            _ => None,
        });
        one_of(typed, accounts.collect())
    }
}

/// An id as typed, or the one thing of that name.
fn one_of<T: std::str::FromStr + Copy>(typed: &str, named: Vec<(T, Vec<String>)>) -> Result<T, Failure> {
    if let Ok(id) = typed.parse() {
        return Ok(id);
    }
    let is = |names: &Vec<String>| names.iter().any(|name| name == typed || name.eq_ignore_ascii_case(typed));
    let found: Vec<T> = named.iter().filter(|(_, names)| is(names)).map(|(id, _)| *id).collect();
    match found.as_slice() {
        [only] => Ok(*only),
        [] => {
            let list = named.iter().filter_map(|(_, names)| names.first().cloned()).collect::<Vec<_>>().join(", ");
            Err(Failure::refused(format!("没有“{typed}”。本机所知：{list}"), format!("no {typed}. Known here: {list}")))
        }
        _ => Err(Failure::refused(
            format!("“{typed}”不止一个，请使用 ID"),
            format!("several are called {typed}: use the id"),
        )),
    }
}

pub(crate) fn missing(option: &str) -> Failure {
    Failure::usage(format!("该操作需要 {option}"), format!("this step needs {option}"))
}

pub(crate) fn needed<'a>(value: &'a Option<String>, option: &str) -> Result<&'a str, Failure> {
    value.as_deref().filter(|value| !value.trim().is_empty()).ok_or_else(|| missing(option))
}

/// The photo of a case whose hash begins so, and the op that named it.
fn photo_of(case: &Case, typed: &str) -> Result<(Hash, schema::ids::OpId), Failure> {
    let begins = |hash: &Hash| hash.to_string().starts_with(&typed.to_lowercase());
    let mut found = case.evidence.iter().filter(|photo| begins(&photo.sha256) && photo.withdrawn.is_none());
    match (found.next(), found.next()) {
        (Some(photo), None) => Ok((photo.sha256, photo.by.op)),
        (Some(photo), Some(other)) if photo.sha256 == other.sha256 => Ok((photo.sha256, photo.by.op)),
        (None, _) => Err(Failure::refused(format!("该案件没有照片 {typed}"), format!("the case has no photo {typed}"))),
        (Some(_), Some(_)) => Err(Failure::refused("请写更长的哈希", "several photos begin so: give more of the hash")),
    }
}

/// The limit of a unit that helps. Its working days are those of the hour model, as in the national tables.
fn own_limit(typed: &str) -> Result<Limit, Failure> {
    let read = match read_limit(typed, None) {
        Err(NotRead::Limit(NotALimit::ModelMissing)) => read_limit(typed, Some(DayModel::Hours)),
        read => read,
    };
    read.map_err(|error| Failure::usage(format!("时限“{typed}”无法读取：{error}"), format!("--co-unit: {error}")))
}
