//! What a catalogue must be before it takes effect.

use std::collections::BTreeSet;
use std::fmt;
use std::ops::RangeInclusive;

use schema::catalogue::{Catalogue, Category, Choice, FieldKind, FieldSpec, Required, Subtype, Text};
use schema::limits::{PHOTOS_PER_OP_MAX, RELAPSE_WINDOW_DAYS, TEXT_BYTES_MAX};

use super::number;
use crate::clock::stages;

mod stages;
mod staying;

/// The longest version.
const VERSION_CHARS_MAX: usize = 40;
/// The longest unit of a measured number.
const UNIT_CHARS_MAX: usize = 12;
/// The most digits behind a decimal point.
const SCALE_MAX: u8 = 9;
/// The longest plain text: so many Chinese characters surely fit into [`TEXT_BYTES_MAX`].
const TEXT_CHARS_MAX: usize = TEXT_BYTES_MAX / 3;

/// How long the longer side of a photo may be, in pixels: legible, and light enough for a network in the street.
const PHOTO_SIDES_PX: RangeInclusive<u16> = 640..=4096;

/// Something that is wrong with a catalogue document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Where, as a path of codes.
    pub place: String,
    /// What it is and what to do.
    pub what: Text,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.what.en)
    }
}

/// Reads a catalogue document that can take effect.
///
/// # Errors
/// Everything that is wrong with it, each with where and what to do.
pub fn read(document: &[u8]) -> Result<Catalogue, Vec<Fault>> {
    // Windows programs put a byte order mark before UTF-8, which JSON does not allow.
    let text = document.strip_prefix(b"\xef\xbb\xbf").unwrap_or(document);
    let catalogue: Catalogue = serde_json::from_slice(text).map_err(|error| {
        let zh = format!("不是案件目录（{error}），请在该处改正");
        let en = format!("the document is no catalogue: {error}; correct it there");
        vec![Fault { place: "JSON".to_owned(), what: Text { zh, en } }]
    })?;
    let faults = faults(&catalogue);
    if faults.is_empty() { Ok(catalogue) } else { Err(faults) }
}

/// Everything that is wrong with a catalogue document, each with where and what to do; empty if it can take effect.
pub fn faults(catalogue: &Catalogue) -> Vec<Fault> {
    let mut faults = Faults::default();
    let version_chars = catalogue.version.chars().count();
    if catalogue.version.trim().is_empty() || version_chars > VERSION_CHARS_MAX {
        faults.add(
            "version",
            format!("有 {version_chars} 个字符，应为 1 至 {VERSION_CHARS_MAX} 个"),
            format!("has {version_chars} characters: give it 1 to {VERSION_CHARS_MAX}"),
        );
    }
    if let Some(days) = catalogue.archive_days.filter(|days| *days < RELAPSE_WINDOW_DAYS) {
        let least = "for a case stays on the phones as long as it may relapse";
        faults.add(
            "archive_days",
            format!("为 {days}，不得少于反弹期 {RELAPSE_WINDOW_DAYS} 天"),
            format!("is {days}: give it {RELAPSE_WINDOW_DAYS} or more, {least}"),
        );
    }
    if let Some(side) = catalogue.photo_side_px.filter(|side| !PHOTO_SIDES_PX.contains(side)) {
        let (least, most) = (PHOTO_SIDES_PX.start(), PHOTO_SIDES_PX.end());
        faults.add(
            "photo_side_px",
            format!("为 {side}，应在 {least} 到 {most} 之间"),
            format!("is {side}: give it {least} to {most}"),
        );
    }
    faults.text("title", &catalogue.title);
    if let Some(Text { zh, en }) = number::fault(&catalogue.numbering.format) {
        faults.add("numbering.format", zh, en);
    }
    faults.choices("decline_reasons", &catalogue.decline_reasons);
    faults.choices("return_reasons", &catalogue.return_reasons);
    faults.needed(
        "categories",
        &catalogue.categories,
        "无法上报任何问题，请增加大类",
        "nothing could be reported: add a category",
    );
    faults.unique("categories", catalogue.categories.iter().map(|category| &category.code));
    faults.stages("catalogue", &catalogue.stages, &catalogue.stages.iter().collect::<Vec<_>>());
    for category in &catalogue.categories {
        faults.category(category);
        for subtype in &category.subtypes {
            let place = format!("{}.{}", category.code, subtype.code);
            faults.stages(&place, &subtype.stages, &stages(catalogue, subtype));
        }
    }
    faults.0
}

#[derive(Default)]
struct Faults(Vec<Fault>);

impl Faults {
    fn add(&mut self, place: &str, zh: impl Into<String>, en: impl Into<String>) {
        self.0.push(Fault { place: place.to_owned(), what: Text { zh: zh.into(), en: en.into() } });
    }

    fn text(&mut self, place: &str, text: &Text) {
        for (language, words) in [("zh", &text.zh), ("en", &text.en)] {
            if words.trim().is_empty() {
                self.add(
                    place,
                    format!("{language} 文字为空，请填写：两种语言都有人看"),
                    format!("the {language} text is empty: write it, people see both languages"),
                );
            } else if words.chars().any(char::is_control) {
                self.add(
                    place,
                    format!("{language} 文字含有控制字符，请删除"),
                    format!("the {language} text holds control characters: remove them"),
                );
            }
        }
    }

    fn needed<T>(&mut self, place: &str, list: &[T], zh: &str, en: &str) {
        if list.is_empty() {
            self.add(place, format!("为空，{zh}"), format!("is empty, so {en}"));
        }
    }

    fn unique<T: Ord + fmt::Display>(&mut self, place: &str, codes: impl Iterator<Item = T>) {
        let mut seen = BTreeSet::new();
        let mut twice = BTreeSet::new();
        for code in codes {
            if let Some(known) = seen.replace(code) {
                twice.insert(known);
            }
        }
        for code in twice {
            let zh = format!("“{code}”出现了两次，请改名或删除一个");
            self.add(place, zh, format!("{code} stands there twice: rename or remove one"));
        }
    }

    fn category(&mut self, category: &Category) {
        let place = category.code.as_str();
        self.text(&format!("{place}.name"), &category.name);
        let subtypes = format!("{place}.subtypes");
        self.needed(&subtypes, &category.subtypes, "无人能选用，请增加小类", "nobody could choose it: add a subtype");
        self.unique(&subtypes, category.subtypes.iter().map(|subtype| &subtype.code));
        self.look_backs(place, category.look_backs.as_ref());
        for subtype in &category.subtypes {
            let (place, relapse_by) = (format!("{place}.{}", subtype.code), subtype.relapse_by.or(category.relapse_by));
            self.look_backs(&place, subtype.look_backs.as_ref());
            self.relapse_by(&place, relapse_by, subtype);
            self.subtype(&place, subtype);
        }
    }

    fn subtype(&mut self, place: &str, subtype: &Subtype) {
        self.text(&format!("{place}.name"), &subtype.name);
        if let Some(subject) = &subtype.subject {
            self.text(&format!("{place}.subject"), subject);
        }
        let (filing, closing) = (format!("{place}.filing_conditions"), format!("{place}.closing_conditions"));
        let filed = ("此类案件无法立案，请增加立案条件", "no such case could be filed: add a condition");
        let closed = ("此类案件无法结案，请增加结案条件", "no such case could be closed: add a condition");
        self.needed(&filing, &subtype.filing_conditions, filed.0, filed.1);
        self.needed(&closing, &subtype.closing_conditions, closed.0, closed.1);
        self.choices(&filing, &subtype.filing_conditions);
        self.choices(&closing, &subtype.closing_conditions);
        self.choices(&format!("{place}.settle_outcomes"), &subtype.settle_outcomes);
        let needs = subtype.evidence;
        for (step, photos) in [("before", needs.before), ("after", needs.after), ("check", needs.check)] {
            if usize::from(photos) > PHOTOS_PER_OP_MAX {
                self.add(
                    place,
                    format!("需要 {photos} 张 {step} 照片，而一步最多 {PHOTOS_PER_OP_MAX} 张"),
                    format!("needs {photos} {step} photos: one op names at most {PHOTOS_PER_OP_MAX}"),
                );
            }
        }
        for law in &subtype.legal_basis {
            self.text(&format!("{place}.legal_basis"), law);
        }
        self.unique(&format!("{place}.fields"), subtype.fields.iter().map(|field| &field.code));
        for field in &subtype.fields {
            self.field(&format!("{place}.{}", field.code), field);
        }
    }

    fn field(&mut self, place: &str, field: &FieldSpec) {
        self.text(&format!("{place}.label"), &field.label);
        match &field.holds {
            FieldKind::Text { chars_max } => {
                if !(1..=TEXT_CHARS_MAX).contains(&usize::from(*chars_max)) {
                    self.add(
                        place,
                        format!(
                            "chars_max 为 {chars_max}，应为 1 至 {TEXT_CHARS_MAX}；更长的自由文字须设为 personal 字段，以便日后删除"
                        ),
                        format!(
                            "chars_max is {chars_max}: it must be 1 to {TEXT_CHARS_MAX}; longer is free text, which \
                             must be a personal field so that it can be redacted"
                        ),
                    );
                }
            }
            FieldKind::Personal { .. } => {
                if field.required == Required::Report {
                    self.add(
                        place,
                        "个人信息不能在上报时必填，请改为立案时或以后",
                        "a personal value can't be required at the report: require it at filing or later",
                    );
                }
            }
            FieldKind::Number { unit, scale, min, max } => self.number(place, unit, *scale, (*min, *max)),
            FieldKind::Choice { choices } => {
                self.needed(place, choices, "没有可选项，请增加", "there is nothing to choose: add choices");
                self.choices(place, choices);
            }
            FieldKind::YesNo => {}
            FieldKind::Reference { register } => self.text(&format!("{place}.register"), register),
        }
    }

    fn number(&mut self, place: &str, unit: &str, scale: u8, (min, max): (i64, i64)) {
        let chars = unit.chars().count();
        if unit.trim().is_empty() || chars > UNIT_CHARS_MAX || unit.chars().any(char::is_control) {
            self.add(
                place,
                format!("单位“{}”不可用，应为 1 至 {UNIT_CHARS_MAX} 个字符，如 m²", unit.escape_debug()),
                format!("the unit {unit:?} can't be: it needs 1 to {UNIT_CHARS_MAX} characters, such as m²"),
            );
        }
        if scale > SCALE_MAX {
            self.add(
                place,
                format!("scale 为 {scale}，应为 0 至 {SCALE_MAX}"),
                format!("scale is {scale}: it must be 0 to {SCALE_MAX}"),
            );
        }
        if min > max {
            self.add(
                place,
                format!("min {min} 大于 max {max}，请对调或改正"),
                format!("min {min} is above max {max}: swap or correct them"),
            );
        }
    }

    fn choices(&mut self, place: &str, choices: &[Choice]) {
        for choice in choices {
            self.text(&format!("{place}.{}", choice.code), &choice.name);
        }
        self.unique(place, choices.iter().map(|choice| &choice.code));
        // People choose by name, on the page and on the command line.
        self.unique(place, choices.iter().map(|choice| &choice.name.zh));
        self.unique(place, choices.iter().map(|choice| &choice.name.en));
    }
}
