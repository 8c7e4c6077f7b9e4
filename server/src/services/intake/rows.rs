//! One row of a list as a report, or everything that is wrong with it.

use std::collections::BTreeMap;

use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use schema::case::{Channel, Gcj02, Position, Source};
use schema::catalogue::{Catalogue, Category, Code, FieldKind, FieldSpec, Required, Subtype, Text};
use schema::hash::Hash;
use schema::limits::{SEALED_VALUE_BYTES_MAX, TEXT_BYTES_MAX};
use schema::op::{Report, SealedValue};
use serde_json::{Value, json};
use sync_core::area::AreaIndex;
use sync_core::catalogue::{Misfit, read_typed, readers};
use sync_core::line::seal;
use sync_core::position::{from_gcj02, in_china, read_degrees};

use super::Fault;
use super::columns::{Column, Columns, field};
use super::derived::{Derived, Identity};
use super::files::NamedPhoto;

/// The longest number that a report has elsewhere.
const NUMBER_BYTES_MAX: usize = 80;

/// What rows are read against.
pub(super) struct Reader<'a> {
    pub(super) columns: &'a Columns,
    pub(super) catalogue: &'a Catalogue,
    pub(super) catalogue_hash: Hash,
    pub(super) areas: Option<&'a AreaIndex>,
    pub(super) derived: &'a Derived,
    pub(super) zone: &'a TimeZone,
    pub(super) now_ms: i64,
    pub(super) source: Option<Channel>,
    pub(super) gcj02: bool,
}

/// A row that can be taken in.
#[derive(Debug, Clone)]
pub(super) struct Draft {
    pub(super) row: u64,
    pub(super) identity: Identity,
    pub(super) report: Report,
    pub(super) values: Vec<SealedValue>,
    /// When it was found, in ms, where the list says so.
    pub(super) captured_ms: Option<i64>,
    pub(super) photos: Vec<NamedPhoto>,
}

/// A row that is being read.
struct Row<'a> {
    number: u64,
    cells: &'a csv::StringRecord,
    faults: Vec<Fault>,
    warnings: &'a mut Vec<Fault>,
}

impl Reader<'_> {
    /// Reads a row.
    pub(super) fn read(
        &self,
        number: u64,
        cells: &csv::StringRecord,
        photos: Vec<NamedPhoto>,
        warnings: &mut Vec<Fault>,
    ) -> Result<Draft, Vec<Fault>> {
        let mut row = Row { number, cells, faults: Vec::new(), warnings };
        self.check_text(&mut row);
        let source = self.source(&mut row);
        let subtype = self.subtype(&mut row);
        let position = self.position(&mut row);
        let captured_ms = self.captured(&mut row);
        let identity = self.identity(source.as_ref(), cells, &photos);
        let mut values = Vec::new();
        let fields = subtype.map(|(_, subtype)| self.fields(&mut row, subtype, &identity, &mut values));
        let note = columns_cell(self, cells, &Column::Note).map(|note| {
            if note.len() > SEALED_VALUE_BYTES_MAX {
                self.wrong(
                    &mut row,
                    &Column::Note,
                    "文字过长（最多 4096 字节）",
                    "the text is longer than 4,096 bytes",
                );
            }
            self.sealed(&identity, "note", note, &mut values)
        });
        let subject = columns_cell(self, cells, &Column::Subject).map(str::to_owned);
        if subject.as_ref().is_some_and(|subject| subject.len() > TEXT_BYTES_MAX) {
            self.wrong(&mut row, &Column::Subject, "文字过长（最多 240 字节）", "the text is longer than 240 bytes");
        }
        let (Some(source), Some((category, subtype)), Some(position), Some(fields), true) =
            (source, subtype, position, fields, row.faults.is_empty())
        else {
            return Err(row.faults);
        };
        self.warn(&mut row, subtype, &position, &fields, photos.len());
        let report = Report {
            category: category.code.clone(),
            subtype: subtype.code.clone(),
            catalogue: Some(self.catalogue_hash),
            position,
            subject,
            note,
            fields,
            source,
            photos: photos.iter().map(|photo| photo.claim.clone()).collect(),
        };
        Ok(Draft { row: number, identity, report, values, captured_ms, photos })
    }

    fn wrong(&self, row: &mut Row<'_>, column: &Column, zh: &str, en: &str) {
        row.faults.push(Fault::of_column(row.number, self.columns.name(column), zh, en));
    }

    /// Control characters are never meant; a line break is, in the free text.
    fn check_text(&self, row: &mut Row<'_>) {
        if row.cells.len() != self.columns.all.len() {
            let (count, wanted) = (row.cells.len(), self.columns.all.len());
            let zh = format!("有 {count} 个字段，而表头有 {wanted} 个：请检查多余或缺少的逗号、引号");
            let en = format!("it has {count} fields and the header {wanted}: look for a missing comma or quote");
            row.faults.push(Fault::of_row(row.number, &zh, &en));
        }
        for ((column, name), cell) in self.columns.all.iter().zip(row.cells) {
            let free = matches!(column, Column::Note | Column::Field(_));
            if cell.chars().any(|it| it.is_control() && !(free && matches!(it, '\n' | '\r' | '\t'))) {
                let (zh, en) = ("含有控制字符，请删除", "it holds control characters: remove them");
                row.faults.push(Fault::of_column(row.number, name, zh, en));
            }
        }
    }

    fn source(&self, row: &mut Row<'_>) -> Option<Source> {
        let typed = columns_cell(self, row.cells, &Column::Source);
        let number = columns_cell(self, row.cells, &Column::Number).map(str::to_owned);
        if number.as_ref().is_some_and(|number| number.len() > NUMBER_BYTES_MAX) {
            self.wrong(row, &Column::Number, "编号过长（最多 80 字节）", "the number is longer than 80 bytes");
        }
        let channel = match typed {
            None => self.source,
            Some(typed) => channel(typed),
        };
        if channel.is_none() {
            self.wrong(
                row,
                &Column::Source,
                "应为 巡查、热线、领导交办、督导 或 摸底",
                "it must be patrol, hotline, leader, inspection or survey",
            );
        }
        channel.map(|channel| Source { channel, number })
    }

    fn subtype(&self, row: &mut Row<'_>) -> Option<(&Category, &Subtype)> {
        let named = |typed: &str, code: &Code, name: &Text| {
            code.as_str() == typed || name.zh == typed || name.en.eq_ignore_ascii_case(typed)
        };
        let typed = columns_cell(self, row.cells, &Column::Category).unwrap_or_default();
        let Some(category) = self.catalogue.categories.iter().find(|it| named(typed, &it.code, &it.name)) else {
            let all: Vec<&Text> = self.catalogue.categories.iter().map(|it| &it.name).collect();
            self.no_such(row, &Column::Category, &all);
            return None;
        };
        let typed = columns_cell(self, row.cells, &Column::Subtype).unwrap_or_default();
        let found = category.subtypes.iter().find(|it| named(typed, &it.code, &it.name));
        if found.is_none() {
            let all: Vec<&Text> = category.subtypes.iter().map(|it| &it.name).collect();
            self.no_such(row, &Column::Subtype, &all);
        }
        found.map(|subtype| (category, subtype))
    }

    fn no_such(&self, row: &mut Row<'_>, column: &Column, all: &[&Text]) {
        let list = |pick: fn(&Text) -> &str| all.iter().map(|it| pick(it)).collect::<Vec<_>>().join(", ");
        let zh = format!("案件目录中没有。可选：{}", list(|it| &it.zh));
        self.wrong(row, column, &zh, &format!("it is not in the catalogue. There are: {}", list(|it| &it.en)));
    }

    fn position(&self, row: &mut Row<'_>) -> Option<Position> {
        let mut degrees = |column: &Column| {
            let read = read_degrees(columns_cell(self, row.cells, column).unwrap_or_default(), 180);
            if read.is_none() {
                let (zh, en) = ("应为度数，如 31.2304167", "it must be degrees, such as 31.2304167");
                self.wrong(row, column, zh, en);
            }
            read
        };
        let (lat_e7, lon_e7) = (degrees(&Column::Latitude), degrees(&Column::Longitude));
        let (lat_e7, lon_e7) = (lat_e7?, lon_e7?);
        if !in_china(lat_e7, lon_e7) {
            let (zh, en) = if in_china(lon_e7, lat_e7) {
                ("纬度和经度填反了", "latitude and longitude are swapped")
            } else {
                ("位置不在中国境内", "the place is not in China")
            };
            self.wrong(row, &Column::Latitude, zh, en);
            return None;
        }
        if self.gcj02 { from_gcj02(Gcj02 { lat_e7, lon_e7 }) } else { Some(Position::at(lat_e7, lon_e7)) }
    }

    fn captured(&self, row: &mut Row<'_>) -> Option<i64> {
        let typed = columns_cell(self, row.cells, &Column::Captured)?;
        let read = date_time(typed).and_then(|when| when.to_zoned(self.zone.clone()).ok());
        let read_ms = read.map(|when| when.timestamp().as_millisecond());
        match read_ms {
            None => self.wrong(
                row,
                &Column::Captured,
                "应为日期，如 2026-11-22 或 2026-11-22 14:30",
                "it must be a date, such as 2026-11-22 or 2026-11-22 14:30",
            ),
            Some(ms) if ms > self.now_ms => {
                self.wrong(row, &Column::Captured, "日期在将来", "the date is in the future");
            }
            Some(_) => {}
        }
        read_ms
    }

    /// A row with a number is that number of its source; one without is all that it says.
    fn identity(&self, source: Option<&Source>, cells: &csv::StringRecord, photos: &[NamedPhoto]) -> Identity {
        if let Some(Source { channel, number: Some(number) }) = source {
            return self.derived.identity(&[b"number", channel_name(*channel).as_bytes(), number.as_bytes()]);
        }
        let mut named: Vec<(&str, &str)> =
            self.columns.all.iter().zip(cells).map(|((_, name), cell)| (name.as_str(), cell.trim())).collect();
        named.retain(|(_, cell)| !cell.is_empty());
        named.sort_unstable();
        let channel = source.map_or("", |source| channel_name(source.channel));
        let mut parts: Vec<&[u8]> = vec![b"content", channel.as_bytes()];
        for (name, cell) in &named {
            parts.extend([name.as_bytes(), cell.as_bytes()]);
        }
        parts.extend(photos.iter().map(|photo| photo.claim.sha256.0.as_slice()));
        self.derived.identity(&parts)
    }

    fn fields(
        &self,
        row: &mut Row<'_>,
        subtype: &Subtype,
        identity: &Identity,
        values: &mut Vec<SealedValue>,
    ) -> BTreeMap<Code, Value> {
        let mut fields = BTreeMap::new();
        for (column, name) in &self.columns.all {
            let (Column::Field(named), Some(typed)) = (column, columns_cell(self, row.cells, column)) else { continue };
            let Some(spec) = field(subtype, named) else {
                let zh = format!("“{}”没有这个字段，请留空", subtype.name.zh);
                let en = format!("{} has no such field: leave it empty", subtype.name.en);
                row.faults.push(Fault::of_column(row.number, name, &zh, &en));
                continue;
            };
            match read_typed(spec, typed) {
                Ok(Value::String(text)) if readers(spec).is_some() => {
                    let sealed = self.sealed(identity, spec.code.as_str(), &text, values);
                    fields.insert(spec.code.clone(), json!(sealed));
                }
                Ok(value) => drop(fields.insert(spec.code.clone(), value)),
                Err(misfit) => {
                    let Text { zh, en } = unfit(spec, misfit);
                    row.faults.push(Fault::of_column(row.number, name, &zh, &en));
                }
            }
        }
        fields
    }

    fn sealed(
        &self,
        identity: &Identity,
        column: &str,
        text: &str,
        values: &mut Vec<SealedValue>,
    ) -> schema::op::Sealed {
        let salt = self.derived.salt(identity, column);
        let sealed = seal(&salt, text);
        values.push(SealedValue { sealed: sealed.sealed, salt, value: text.to_owned() });
        sealed
    }

    /// What is taken in all the same, and flagged on the case.
    fn warn(
        &self,
        row: &mut Row<'_>,
        subtype: &Subtype,
        position: &Position,
        fields: &BTreeMap<Code, Value>,
        photos: usize,
    ) {
        let mut warn = |column: &str, zh: &str, en: &str| {
            row.warnings.push(Fault::of_column(row.number, column, zh, en));
        };
        if self.areas.is_none_or(|areas| areas.locate(position).grids == 0) {
            let column = self.columns.name(&Column::Latitude);
            warn(column, "位置不在任何网格内", "the place lies in no grid");
        }
        for spec in subtype.fields.iter().filter(|spec| spec.required == Required::Report) {
            if !fields.contains_key(&spec.code) {
                let label = &spec.label;
                warn(&label.zh, "上报时应填而未填", &format!("{} should be filled in and is not", label.en));
            }
        }
        let needed = usize::from(subtype.evidence.before);
        if photos < needed {
            let column = self.columns.name(&Column::Photos);
            warn(column, &format!("应有 {needed} 张照片"), &format!("{needed} photos are needed"));
        }
    }
}

fn columns_cell<'c>(reader: &Reader<'_>, cells: &'c csv::StringRecord, column: &Column) -> Option<&'c str> {
    reader.columns.cell(cells, column)
}

fn channel(typed: &str) -> Option<Channel> {
    match typed.to_lowercase().as_str() {
        "patrol" | "巡查" => Some(Channel::Patrol),
        "hotline" | "热线" | "12345" => Some(Channel::Hotline),
        "leader" | "领导交办" | "领导" => Some(Channel::Leader),
        "inspection" | "督导" | "督查" => Some(Channel::Inspection),
        "survey" | "摸底" | "摸排" => Some(Channel::Survey),
        _ => None,
    }
}

pub(super) fn channel_name(channel: Channel) -> &'static str {
    match channel {
        Channel::Patrol => "patrol",
        Channel::Hotline => "hotline",
        Channel::Leader => "leader",
        Channel::Inspection => "inspection",
        Channel::Survey => "survey",
    }
}

fn date_time(typed: &str) -> Option<DateTime> {
    let times = ["%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M", "%Y/%m/%d %H:%M:%S", "%Y/%m/%d %H:%M", "%Y-%m-%dT%H:%M:%S"];
    let days = ["%Y-%m-%d", "%Y/%m/%d", "%Y年%m月%d日"];
    let of_time = times.iter().find_map(|format| DateTime::strptime(format, typed).ok());
    let of_day = || days.iter().find_map(|format| Date::strptime(format, typed).ok());
    of_time.or_else(|| of_day().map(|day| day.at(0, 0, 0, 0)))
}

fn unfit(spec: &FieldSpec, misfit: Misfit) -> Text {
    let (zh, en) = match (&spec.holds, misfit) {
        (FieldKind::Number { unit, scale, .. }, _) => (
            format!("应为目录规定范围内的数字（{unit}，最多 {scale} 位小数）"),
            format!("it must be a number in the catalogue's range ({unit}, at most {scale} decimals)"),
        ),
        (FieldKind::Choice { choices }, _) => {
            let list = |pick: fn(&Text) -> &str| choices.iter().map(|it| pick(&it.name)).collect::<Vec<_>>().join(", ");
            (format!("可选：{}", list(|it| &it.zh)), format!("choose one of: {}", list(|it| &it.en)))
        }
        (FieldKind::YesNo, _) => ("应为 是 或 否".to_owned(), "it must be yes or no".to_owned()),
        (FieldKind::Text { chars_max }, _) => {
            (format!("应为文字，最多 {chars_max} 字"), format!("it must be a text of at most {chars_max} characters"))
        }
        (FieldKind::Personal { .. } | FieldKind::Reference { .. }, _) => {
            ("文字过长".to_owned(), "the text is too long".to_owned())
        }
    };
    Text { zh, en }
}
