//! What a catalogue must be before it takes effect.

use std::collections::BTreeSet;
use std::fmt::Display;

use schema::catalogue::{Catalogue, Category, Choice, FieldKind, FieldSpec, Numbering, Required, Subtype, Text};
use schema::limits::{PHOTOS_PER_OP_MAX, TEXT_BYTES_MAX};

/// The longest version.
const VERSION_CHARS_MAX: usize = 40;
/// The longest prefix of an official number.
const PREFIX_CHARS_MAX: usize = 12;
/// The most digits of an official number's serial.
const NUMBER_DIGITS_MAX: u8 = 10;
/// The most digits behind a decimal point.
const SCALE_MAX: u8 = 9;
/// The longest plain text: so many Chinese characters surely fit into [`TEXT_BYTES_MAX`].
const TEXT_CHARS_MAX: usize = TEXT_BYTES_MAX / 3;

/// Reads a catalogue document that can take effect.
///
/// # Errors
/// Everything that is wrong with it, each with where and what to do.
pub fn read(document: &[u8]) -> Result<Catalogue, Vec<String>> {
    let catalogue: Catalogue = serde_json::from_slice(document)
        .map_err(|error| vec![format!("the document is no catalogue: {error}; correct it there")])?;
    let faults = faults(&catalogue);
    if faults.is_empty() { Ok(catalogue) } else { Err(faults) }
}

/// Everything that is wrong with a catalogue document, each with where and what to do; empty if it can take effect.
pub fn faults(catalogue: &Catalogue) -> Vec<String> {
    let mut faults = Faults::default();
    let version_chars = catalogue.version.chars().count();
    if catalogue.version.trim().is_empty() || version_chars > VERSION_CHARS_MAX {
        faults.add("version", format!("has {version_chars} characters: give it 1 to {VERSION_CHARS_MAX}"));
    }
    faults.text("title", &catalogue.title);
    faults.numbering(&catalogue.numbering);
    faults.choices("decline_reasons", &catalogue.decline_reasons);
    faults.choices("return_reasons", &catalogue.return_reasons);
    faults.needed("categories", &catalogue.categories, "nothing could be reported: add a category");
    faults.unique("categories", catalogue.categories.iter().map(|category| &category.code));
    for category in &catalogue.categories {
        faults.category(category);
    }
    faults.0
}

#[derive(Default)]
struct Faults(Vec<String>);

impl Faults {
    fn add(&mut self, place: &str, fault: impl Display) {
        self.0.push(format!("{place}: {fault}"));
    }

    fn text(&mut self, place: &str, text: &Text) {
        for (language, words) in [("zh", &text.zh), ("en", &text.en)] {
            if words.trim().is_empty() {
                self.add(place, format!("the {language} text is empty: write it, people see both languages"));
            }
        }
    }

    fn needed<T>(&mut self, place: &str, list: &[T], why: &str) {
        if list.is_empty() {
            self.add(place, format!("is empty, so {why}"));
        }
    }

    fn unique<T: Ord + Display>(&mut self, place: &str, codes: impl Iterator<Item = T>) {
        let mut seen = BTreeSet::new();
        let mut twice = BTreeSet::new();
        for code in codes {
            if let Some(known) = seen.replace(code) {
                twice.insert(known);
            }
        }
        for code in twice {
            self.add(place, format!("{code} stands there twice: rename or remove one"));
        }
    }

    fn numbering(&mut self, numbering: &Numbering) {
        if !(1..=NUMBER_DIGITS_MAX).contains(&numbering.digits) {
            let digits = numbering.digits;
            self.add("numbering.digits", format!("is {digits}: it must be 1 to {NUMBER_DIGITS_MAX}"));
        }
        let chars = numbering.prefix.chars().count();
        if chars > PREFIX_CHARS_MAX {
            self.add("numbering.prefix", format!("has {chars} characters: shorten it to {PREFIX_CHARS_MAX}"));
        }
    }

    fn category(&mut self, category: &Category) {
        let place = category.code.as_str();
        self.text(&format!("{place}.name"), &category.name);
        self.needed(&format!("{place}.subtypes"), &category.subtypes, "nobody could choose it: add a subtype");
        self.unique(&format!("{place}.subtypes"), category.subtypes.iter().map(|subtype| &subtype.code));
        for subtype in &category.subtypes {
            self.subtype(&format!("{place}.{}", subtype.code), subtype);
        }
    }

    fn subtype(&mut self, place: &str, subtype: &Subtype) {
        self.text(&format!("{place}.name"), &subtype.name);
        if let Some(subject) = &subtype.subject {
            self.text(&format!("{place}.subject"), subject);
        }
        let (filing, closing) = (format!("{place}.filing_conditions"), format!("{place}.closing_conditions"));
        self.needed(&filing, &subtype.filing_conditions, "no such case could be filed: add a condition");
        self.needed(&closing, &subtype.closing_conditions, "no such case could be closed: add a condition");
        self.choices(&filing, &subtype.filing_conditions);
        self.choices(&closing, &subtype.closing_conditions);
        self.choices(&format!("{place}.settle_outcomes"), &subtype.settle_outcomes);
        let needs = subtype.evidence;
        for (step, photos) in [("before", needs.before), ("after", needs.after), ("check", needs.check)] {
            if usize::from(photos) > PHOTOS_PER_OP_MAX {
                self.add(place, format!("needs {photos} {step} photos: one op names at most {PHOTOS_PER_OP_MAX}"));
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
                            "chars_max is {chars_max}: it must be 1 to {TEXT_CHARS_MAX}; longer is free text, which \
                             must be a personal field so that it can be redacted"
                        ),
                    );
                }
            }
            FieldKind::Personal { .. } => {
                if field.required == Required::Report {
                    self.add(place, "a personal value can't be required at the report: require it at filing or later");
                }
            }
            FieldKind::Number { scale, min, max, .. } => {
                if *scale > SCALE_MAX {
                    self.add(place, format!("scale is {scale}: it must be 0 to {SCALE_MAX}"));
                }
                if min > max {
                    self.add(place, format!("min {min} is above max {max}: swap or correct them"));
                }
            }
            FieldKind::Choice { choices } => {
                self.needed(place, choices, "there is nothing to choose: add choices");
                self.choices(place, choices);
            }
            FieldKind::YesNo => {}
            FieldKind::Reference { register } => self.text(&format!("{place}.register"), register),
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
