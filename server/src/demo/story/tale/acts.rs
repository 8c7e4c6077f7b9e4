//! The steps of a case as people take them, with the detours that happen: corrections, conflicts, refusals, rework.

use std::collections::BTreeMap;

use schema::case::{Channel, FieldName, Source};
use schema::catalogue::{Choice, Code, FieldSpec, Required};
use schema::hash::Hash;
use schema::ids::{AccountId, EntityId, UnitId};
use schema::op::{
    AddEvidence, Amend, Assign, Body, Change, Check, CheckVerdict, Close, Comment, Decline, EvidenceRole, File,
    FixResult, LinkDuplicate, Nothing, Reason, Reopen, Report, ReturnAssignment, SettleOnSite, SubmitFix,
    WaiveEvidence,
};
use serde_json::{Value, json};

use super::super::content::{
    COMMENTS, FAILURES, Filled, INSTRUCTIONS, LOST_PHOTOS, RELAPSES, RETURNS, VOIDS, fill, one_of, pick,
};
use super::super::hours::OFFICE;
use super::{Fate, Image, Shown, Tale};
use crate::demo::city::Duty;
use crate::demo::ids;

const HOUR: u64 = 60;

impl Tale<'_> {
    /// All steps of this case.
    pub(super) fn live(&mut self, same_as: Option<EntityId>) {
        match self.fate {
            Fate::Settled => self.settle(),
            Fate::Duplicate => self.report_duplicate(same_as),
            Fate::Reported | Fate::ReportedWithoutPhoto => {
                self.report();
                self.disagree();
                self.remark();
            }
            Fate::Declined => {
                self.report();
                self.decline();
            }
            Fate::Void => {
                self.report();
                self.void();
            }
            Fate::Filed => self.until_filed(),
            Fate::Assigned => self.until_assigned(),
            Fate::Fixed => self.until_fixed(),
            Fate::Checked => self.until_checked(),
            Fate::Closed => self.until_closed(),
            Fate::Reopened => {
                self.until_closed();
                self.reopen();
                self.assign(self.kind.duty.0);
            }
            Fate::ClosedAgain => {
                self.until_closed();
                self.reopen();
                self.assign(self.kind.duty.0);
                self.fix();
                self.check(CheckVerdict::Pass);
                self.close();
            }
        }
    }

    fn until_filed(&mut self) {
        self.report();
        self.disagree();
        self.remark();
        self.file();
    }

    fn until_assigned(&mut self) {
        self.until_filed();
        self.assign(self.kind.duty.0);
        if self.chance(12) {
            self.hand_back();
        }
        if self.chance(70) {
            self.accept();
        }
        self.remark();
        if self.fate == Fate::Assigned && self.chance(15) {
            self.fix();
            self.check(CheckVerdict::Fail);
        }
    }

    fn until_fixed(&mut self) {
        self.until_assigned();
        self.fix();
    }

    fn until_checked(&mut self) {
        self.until_fixed();
        if self.chance(14) {
            self.check(CheckVerdict::Fail);
            self.fix();
        }
        self.check(CheckVerdict::Pass);
    }

    fn until_closed(&mut self) {
        self.until_checked();
        self.close();
        if self.fate == Fate::Closed && self.chance(4) {
            self.wait((10 * HOUR, 60 * HOUR), self.kind.hours);
            let photos = self.snaps(EvidenceRole::After, 1);
            self.step(self.inspector, Body::AddEvidence(AddEvidence { photos: Vec::new() }), photos);
        }
    }

    /// The report as its maker fills it in: what is asked for at the report always, the rest often.
    fn told(&mut self, source: Source) -> Report {
        let words = one_of(&mut self.dice, &self.kind.notes);
        let note = if self.chance(75) { Some(self.seal(words)) } else { None };
        let mut fields = BTreeMap::new();
        for spec in &self.subtype.fields {
            let percent = match spec.required {
                Required::Report => 100,
                Required::File => 85,
                Required::Close => 0,
                Required::No => 35,
            };
            if self.chance(percent) {
                fields.insert(spec.code.clone(), self.filled(spec));
            }
        }
        self.held.clone_from(&fields);
        Report {
            category: self.category.code.clone(),
            subtype: self.subtype.code.clone(),
            catalogue: Some(self.world.catalogue_hash),
            position: self.position,
            subject: Some(self.subject.clone()),
            note,
            fields,
            source,
            photos: Vec::new(),
        }
    }

    fn filled(&mut self, spec: &FieldSpec) -> Value {
        match fill(spec, &mut self.dice) {
            Filled::Plain(value) => value,
            Filled::Personal(text) => json!(self.seal(&text)),
        }
    }

    fn report(&mut self) {
        let channel = match self.dice.between(1, 20) {
            1 => Channel::Leader,
            2 | 3 => Channel::Inspection,
            4 | 5 if self.kind.code.1 == "built" => Channel::Survey,
            _ => Channel::Patrol,
        };
        let report = self.told(Source { channel, number: None });
        let mut photos = self.first_photos();
        if self.loses_a_photo() {
            let lost = self.lost_photo();
            photos.push(lost);
        }
        self.step(self.inspector, Body::Report(report), photos);
    }

    fn first_photos(&mut self) -> Vec<Shown> {
        let more = u8::from(self.chance(12));
        self.snaps(EvidenceRole::Before, self.subtype.evidence.before.max(1) + more)
    }

    /// Some phones have not sent their last photo yet; two never will.
    fn loses_a_photo(&self) -> bool {
        self.fate == Fate::ReportedWithoutPhoto || (self.fate == Fate::Closed && self.number % 25 == 7)
    }

    fn lost_hash(&self) -> Hash {
        Hash(ids::bytes(self.world.seed, "lost photo", self.number))
    }

    fn lost_photo(&mut self) -> Shown {
        let size = u64::try_from(self.dice.between(1_800_000, 3_900_000)).unwrap_or(0);
        let hash = self.lost_hash();
        Shown { image: Image::Lost(hash, size), ..self.snap(EvidenceRole::Before) }
    }

    fn settle(&mut self) {
        let report = self.told(Source { channel: Channel::Patrol, number: None });
        let mut photos = self.first_photos();
        if self.chance(60) {
            photos.extend(self.snaps(EvidenceRole::After, 1));
        }
        let outcome = self.one_code(&self.subtype.settle_outcomes);
        if let Some(outcome) = outcome {
            self.step(self.inspector, Body::SettleOnSite(SettleOnSite { report, outcome }), photos);
        }
    }

    /// A citizen's call about what is known already.
    fn report_duplicate(&mut self, same_as: Option<EntityId>) {
        let number = format!("12345-{:06}", 100_000 + self.number * 37);
        let report = self.told(Source { channel: Channel::Hotline, number: Some(number) });
        let photos = self.snaps(EvidenceRole::Before, 1);
        self.step(self.supervisor, Body::Report(report), photos);
        self.wait((20, 20 * HOUR), OFFICE);
        if let Some(of) = same_as {
            self.step(self.supervisor, Body::LinkDuplicate(LinkDuplicate { of }), Vec::new());
        }
    }

    fn decline(&mut self) {
        self.wait((30, 24 * HOUR), OFFICE);
        if let Some(reason) = self.one_code(&self.world.catalogue.decline_reasons) {
            let note = if self.chance(40) { Some(self.seal("现场核实后决定")) } else { None };
            self.step(self.supervisor, Body::Decline(Decline { reason, note }), Vec::new());
        }
    }

    fn void(&mut self) {
        self.wait((20, 10 * HOUR), OFFICE);
        let words = one_of(&mut self.dice, &VOIDS);
        let reason = self.seal(words);
        self.step(self.supervisor, Body::Void(Reason { reason }), Vec::new());
    }

    fn remark(&mut self) {
        if self.chance(22) {
            self.wait((30, 8 * HOUR), OFFICE);
            let words = one_of(&mut self.dice, &COMMENTS);
            let text = self.seal(words);
            let who = if self.chance(50) { self.inspector } else { self.supervisor };
            self.step(who, Body::Comment(Comment { text }), Vec::new());
        }
    }

    /// Two people correct the subject, each looking at the same text: one from the office, one from a phone that had
    /// no network. Half of these conflicts are still undecided.
    fn disagree(&mut self) {
        if !self.chance(9) {
            return;
        }
        let seen = self.subject.clone();
        let (north, south) = (format!("{seen}（北侧）"), format!("{seen}（南侧）"));
        self.wait((20, 2 * HOUR), OFFICE);
        self.amend(self.supervisor, FieldName::Subject, json!(seen), json!(north));
        self.wait((10, 3 * HOUR), self.kind.hours);
        self.amend(self.inspector, FieldName::Subject, json!(seen), json!(south));
        self.subject.clone_from(&north);
        if self.chance(50) {
            self.wait((30, 5 * HOUR), OFFICE);
            self.amend(self.supervisor, FieldName::Subject, json!(north), json!(south));
            self.subject = south;
        }
    }

    fn amend(&mut self, who: AccountId, field: FieldName, was: Value, to: Value) {
        let changes = BTreeMap::from([(field, Change { was, to })]);
        self.step(who, Body::Amend(Amend { changes }), Vec::new());
    }

    /// Fills in what must be there for the next step.
    fn complete(&mut self, by: Required) {
        for spec in self.subtype.fields.iter().filter(|spec| spec.required == by) {
            if self.held.contains_key(&spec.code) {
                continue;
            }
            // What was demolished is what stood there.
            let stood = (spec.code.as_str() == "demolished_area").then(|| self.held_by_name("floor_area")).flatten();
            let to = stood.unwrap_or_else(|| self.filled(spec));
            self.held.insert(spec.code.clone(), to.clone());
            self.amend(self.supervisor, FieldName::Field(spec.code.clone()), Value::Null, to);
            self.clock_ms += 90_000;
        }
    }

    fn held_by_name(&self, name: &str) -> Option<Value> {
        self.held.iter().find(|(code, _)| code.as_str() == name).map(|(_, value)| value.clone())
    }

    fn file(&mut self) {
        self.wait((15, 5 * HOUR), OFFICE);
        self.complete(Required::File);
        // A licensed stall is filed for the very term that it breaks.
        let terms = self.held_by_name("terms").and_then(|value| value.as_str().map(|term| format!("outside_{term}")));
        let fitting =
            self.subtype.filing_conditions.iter().find(|choice| Some(choice.code.as_str()) == terms.as_deref());
        let condition = fitting.map(|choice| choice.code.clone());
        if let Some(condition) = condition.or_else(|| self.one_code(&self.subtype.filing_conditions)) {
            self.step(self.supervisor, Body::File(File { condition }), Vec::new());
        }
        if self.category.code.as_str() == "illegal_structure" && self.chance(60) {
            self.wait((30, 6 * HOUR), OFFICE);
            let photos = self.snaps(EvidenceRole::Document, 1);
            self.step(self.supervisor, Body::AddEvidence(AddEvidence { photos: Vec::new() }), photos);
        }
    }

    fn unit(&self, duty: Duty) -> Option<(UnitId, AccountId)> {
        let unit = self.world.city.unit(duty, self.subdistrict)?;
        Some((unit.id, self.world.city.members(unit.id).next()?.id))
    }

    fn assign(&mut self, duty: Duty) {
        self.wait((5, 3 * HOUR), OFFICE);
        let Some((unit, crew)) = self.unit(duty) else { return };
        let helps = self.kind.duty.1.filter(|other| *other != duty && self.chance(45));
        let co_units = helps.and_then(|other| self.unit(other)).map(|(unit, _)| unit).into_iter().collect();
        let holder = self.chance(30).then_some(crew);
        let words = one_of(&mut self.dice, &INSTRUCTIONS);
        let note = if self.chance(50) { Some(self.seal(words)) } else { None };
        self.unit = Some((unit, crew));
        let assign = Assign { unit, co_units, co_limits: Default::default(), holder, note };
        self.step(self.supervisor, Body::Assign(assign), Vec::new());
    }

    /// The unit says that it is not its own; another one gets it.
    fn hand_back(&mut self) {
        self.wait((HOUR, 10 * HOUR), OFFICE);
        let (Some((_, crew)), Some(reason)) = (self.unit, self.one_code(&self.world.catalogue.return_reasons)) else {
            return;
        };
        let words = one_of(&mut self.dice, &RETURNS);
        let note = Some(self.seal(words));
        let photos = if self.chance(50) { self.snaps(EvidenceRole::Document, 1) } else { Vec::new() };
        let body = ReturnAssignment { reason, note, photos: Vec::new() };
        self.step(crew, Body::ReturnAssignment(body), photos);
        let other = if self.kind.duty.0 == Duty::StreetOffice { Duty::UrbanManagement } else { Duty::StreetOffice };
        self.assign(other);
    }

    fn accept(&mut self) {
        self.wait((5, 6 * HOUR), OFFICE);
        if let Some((_, crew)) = self.unit {
            self.step(crew, Body::Accept(Nothing {}), Vec::new());
        }
    }

    fn fix(&mut self) {
        self.wait((HOUR, 44 * HOUR), (7 * HOUR, 20 * HOUR));
        let Some((_, crew)) = self.unit else { return };
        let words = one_of(&mut self.dice, &self.kind.fixes);
        let note = Some(self.seal(words));
        let more = u8::from(self.chance(12));
        let mut photos = self.snaps(EvidenceRole::After, self.subtype.evidence.after + more);
        self.cheat(&mut photos);
        self.step(crew, Body::SubmitFix(SubmitFix { result: FixResult::Fixed, note, photos: Vec::new() }), photos);
    }

    /// Now and then somebody shows an old photo as a new one, or one from elsewhere: the signals that the product
    /// gives need something to be given for.
    fn cheat(&mut self, photos: &mut [Shown]) {
        let Some(first) = photos.first_mut() else { return };
        match (self.dice.between(1, 60), self.before, self.borrowed) {
            (1, Some(old), _) | (2, _, Some(old)) => *first = self.shown(EvidenceRole::After, old),
            (3, ..) => first.disguise(),
            _ => {}
        }
    }

    fn check(&mut self, verdict: CheckVerdict) {
        self.wait((HOUR, 22 * HOUR), self.kind.hours);
        let who = if self.chance(65) { self.inspector } else { self.supervisor };
        let (photos, note) = match verdict {
            CheckVerdict::Pass => (self.snaps(EvidenceRole::Check, self.subtype.evidence.check), None),
            CheckVerdict::Fail => {
                let words = one_of(&mut self.dice, &FAILURES);
                let note = self.seal(words);
                (vec![self.snap_of(EvidenceRole::Check, self.kind.scene, false)], Some(note))
            }
        };
        self.step(who, Body::Check(Check { verdict, note, photos: Vec::new() }), photos);
    }

    fn close(&mut self) {
        self.wait((20, 10 * HOUR), OFFICE);
        self.complete(Required::Close);
        if self.loses_a_photo() {
            let words = one_of(&mut self.dice, &LOST_PHOTOS);
            let reason = self.seal(words);
            let photo = self.lost_hash();
            self.step(self.supervisor, Body::WaiveEvidence(WaiveEvidence { photo, reason }), Vec::new());
            self.clock_ms += 60_000;
        }
        if let Some(condition) = self.one_code(&self.subtype.closing_conditions) {
            self.step(self.supervisor, Body::Close(Close { condition }), Vec::new());
        }
    }

    fn reopen(&mut self) {
        self.wait((3 * 24 * HOUR, 8 * 24 * HOUR), OFFICE);
        let words = one_of(&mut self.dice, &RELAPSES);
        let reason = self.seal(words);
        let photos = self.snaps(EvidenceRole::Lookback, 1);
        self.step(self.above, Body::Reopen(Reopen { reason, photos: Vec::new() }), photos);
    }

    fn one_code(&mut self, choices: &[Choice]) -> Option<Code> {
        pick(&mut self.dice, choices).map(|choice| choice.code.clone())
    }
}
