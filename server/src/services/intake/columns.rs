//! What the columns of a list are, by their names in Chinese or English.

use schema::catalogue::{Catalogue, FieldSpec, Subtype};

use super::Fault;

/// What a column holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Column {
    Source,
    Number,
    Captured,
    Category,
    Subtype,
    Latitude,
    Longitude,
    Subject,
    Note,
    Photos,
    /// A field of a subtype, as its column is named.
    Field(String),
}

/// The names of each column; the first is the one that messages use.
const NAMES: [(Column, &[&str]); 10] = [
    (Column::Source, &["来源", "source"]),
    (Column::Number, &["来源编号", "编号", "工单号", "外部编号", "number", "source_number"]),
    (Column::Captured, &["发现时间", "采集时间", "日期", "captured", "date"]),
    (Column::Category, &["大类", "category"]),
    (Column::Subtype, &["小类", "subtype"]),
    (Column::Latitude, &["纬度", "latitude", "lat"]),
    (Column::Longitude, &["经度", "longitude", "lon", "lng"]),
    (Column::Subject, &["对象", "subject"]),
    (Column::Note, &["情况说明", "说明", "描述", "note", "description"]),
    (Column::Photos, &["照片", "photos", "photo"]),
];

/// The columns of a list, with their names as written.
#[derive(Debug)]
pub(super) struct Columns {
    pub(super) all: Vec<(Column, String)>,
}

impl Columns {
    /// Reads the header.
    pub(super) fn read(header: &csv::StringRecord, catalogue: &Catalogue, source: bool) -> Result<Self, Vec<Fault>> {
        let mut faults = Vec::new();
        let mut all: Vec<(Column, String)> = Vec::new();
        for (place, name) in (1..).zip(header) {
            let name = name.trim();
            match named(name, catalogue) {
                None => faults.push(unknown(place, name)),
                Some(column) => {
                    if all.iter().any(|(known, _)| *known == column) {
                        let zh = "该列出现了两次，请删除一列";
                        faults.push(Fault::of_column(1, name, zh, "the column stands there twice: remove one"));
                    }
                    all.push((column, name.to_owned()));
                }
            }
        }
        let has = |wanted: &Column| all.iter().any(|(column, _)| column == wanted);
        let needed = [Column::Category, Column::Subtype, Column::Latitude, Column::Longitude];
        let source = (!source).then_some(Column::Source);
        for column in needed.iter().chain(source.as_ref()).filter(|column| !has(column)) {
            let names = NAMES.iter().find(|(known, _)| known == column).map(|(_, names)| names.join(", "));
            let names = names.unwrap_or_default();
            let more =
                if *column == Column::Source { ("，或用 --source 指定", ", or say --source") } else { ("", "") };
            let zh = format!("缺少必需的列：{names}{}", more.0);
            faults.push(Fault::of_row(1, &zh, &format!("a column is missing: {names}{}", more.1)));
        }
        if faults.is_empty() { Ok(Self { all }) } else { Err(faults) }
    }

    /// The name of a column as written.
    pub(super) fn name(&self, wanted: &Column) -> &str {
        self.all.iter().find(|(column, _)| column == wanted).map_or("", |(_, name)| name.as_str())
    }

    /// The cell of a column in a row, without blanks around it; none if it is empty.
    pub(super) fn cell<'a>(&self, row: &'a csv::StringRecord, wanted: &Column) -> Option<&'a str> {
        let place = self.all.iter().position(|(column, _)| column == wanted)?;
        row.get(place).map(str::trim).filter(|cell| !cell.is_empty())
    }
}

fn unknown(place: usize, name: &str) -> Fault {
    if name.contains('\t') || name.contains(';') {
        let (zh, en) =
            ("文件不是用逗号分隔的，请另存为“CSV（逗号分隔）”", "columns are not separated by commas: save it as CSV");
        return Fault::of_row(1, zh, en);
    }
    let name = if name.is_empty() { format!("#{place}") } else { name.to_owned() };
    Fault::of_column(
        1,
        &name,
        "不认识该列：请用文档所列的列名，或案件目录中的字段名；不导入的列请删除",
        "the column is not known: name it as the documentation does, or as a field of the catalogue, or remove it",
    )
}

fn named(name: &str, catalogue: &Catalogue) -> Option<Column> {
    let lower = name.to_lowercase();
    let found = NAMES.iter().find(|(_, names)| names.contains(&lower.as_str()));
    found.map(|(column, _)| column.clone()).or_else(|| {
        let subtypes = catalogue.categories.iter().flat_map(|category| &category.subtypes);
        let known = subtypes.into_iter().any(|subtype| field(subtype, name).is_some());
        known.then(|| Column::Field(name.to_owned()))
    })
}

/// The field of a subtype that a column names: by code (`field.CODE` or `CODE`) or by its label.
pub(super) fn field<'a>(subtype: &'a Subtype, name: &str) -> Option<&'a FieldSpec> {
    let bare = name.strip_prefix("field.").unwrap_or(name);
    let is = |spec: &&FieldSpec| {
        spec.code.as_str() == bare || spec.label.zh == bare || spec.label.en.eq_ignore_ascii_case(bare)
    };
    subtype.fields.iter().find(is)
}
