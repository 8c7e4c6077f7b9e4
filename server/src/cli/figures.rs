//! `rectify figures`: the figures of a period, for people, as JSON, or as CSV for a spreadsheet.

use std::io::Write;

use anyhow::Context;
use clap::{Args, ValueEnum};
use schema::calendar::Day;
use schema::figures::{FiguresAnswer, FiguresRow, GroupBy, Measure, Rate};
use server::error::Result;
use server::language::Language;

use super::arguments::Place;
use super::commands::open;
use super::output::Output;

#[derive(Args)]
pub(crate) struct Asked {
    #[command(flatten)]
    place: Place,
    /// The first day, in the district's time zone (起始日)
    #[arg(long, value_name = "DAY")]
    from: Day,
    /// The day behind the last one, today at the latest (截止日，不含)
    #[arg(long, value_name = "DAY")]
    until: Day,
    /// What the figures are told apart by (分组)
    #[arg(long, value_enum)]
    by: By,
    /// Only this area and below, by its code (区域编码)
    #[arg(long, value_name = "CODE")]
    area: Option<String>,
    /// As CSV with a byte order mark (输出 CSV)
    #[arg(long)]
    csv: bool,
}

/// What figures are told apart by.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum By {
    /// 责任单位
    Unit,
    /// 区域
    Area,
    /// 类别
    Category,
}

/// Runs `rectify figures`.
pub(crate) async fn run(asked: Asked, output: &Output) -> Result<()> {
    let Asked { place, from, until, by, area, csv } = asked;
    let by = match by {
        By::Unit => GroupBy::Unit,
        By::Area => GroupBy::Area,
        By::Category => GroupBy::Category,
    };
    let answer = open(place)?.installation.figures(from, until, by, area.as_deref()).await?;
    if csv && !output.json {
        let table = table(&answer, output)?;
        std::io::stdout().write_all(&table).context("writing the table")?;
    } else {
        output.result(&answer, &said(&answer, Language::Zh), &said(&answer, Language::En));
    }
    Ok(())
}

fn rows(answer: &FiguresAnswer) -> impl Iterator<Item = (bool, &FiguresRow)> {
    let rows = answer.figures.rows.iter().map(|row| (false, row));
    std::iter::once((true, &answer.figures.total)).chain(rows)
}

fn name(total: bool, row: &FiguresRow, language: Language) -> String {
    let name = match (&row.name, &row.group, total) {
        (Some(name), _, _) => language.of(name),
        (None, Some(group), _) => group,
        (None, None, true) => language.pick("合计", "total"),
        (None, None, false) => language.pick("未归组", "of no group"),
    };
    name.to_owned()
}

/// Names above, counts and rates below; a rate of nothing is empty.
fn table(answer: &FiguresAnswer, output: &Output) -> Result<Vec<u8>> {
    let spoken = |text: &schema::catalogue::Text| output.language.of(text).to_owned();
    let mut table = csv::Writer::from_writer("\u{feff}".as_bytes().to_vec());
    let mut head = vec![output.language.pick("分组编码", "group").to_owned()];
    head.push(output.language.pick("名称", "name").to_owned());
    head.extend(answer.measures.iter().map(|it| spoken(&it.name)));
    head.extend(answer.rates.iter().map(|it| format!("{} %", spoken(&it.name))));
    table.write_record(&head).context("writing the table")?;
    for (total, row) in rows(answer) {
        let mut line = vec![row.group.clone().unwrap_or_default(), name(total, row, output.language)];
        line.extend(Measure::ALL.iter().map(|it| row.counts.get(it).copied().unwrap_or(0).to_string()));
        line.extend(Rate::ALL.iter().map(|it| row.rates.get(it).and_then(|it| it.percent.clone()).unwrap_or_default()));
        table.write_record(&line).context("writing the table")?;
    }
    Ok(table.into_inner().map_err(csv::IntoInnerError::into_error).context("writing the table")?)
}

fn said(answer: &FiguresAnswer, language: Language) -> String {
    let mut text = String::new();
    for (total, row) in rows(answer) {
        text.push_str(&format!("{}\n", name(total, row, language)));
        for definition in &answer.rates {
            let Some(rate) = row.rates.get(&definition.rate) else { continue };
            let name = language.of(&definition.name);
            let percent = rate.percent.as_ref().map_or_else(|| "—".to_owned(), |percent| format!("{percent} %"));
            text.push_str(&format!("  {name}: {percent} ({}/{})\n", rate.numerator, rate.denominator));
        }
        for definition in &answer.measures {
            let name = language.of(&definition.name);
            let count = row.counts.get(&definition.measure).copied().unwrap_or(0);
            if count > 0 {
                text.push_str(&format!("  {name}: {count}\n"));
            }
        }
    }
    text.trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use schema::calendar::Day;
    use schema::catalogue::Text;
    use schema::figures::{Figures, FiguresAsked, RateValue};
    use schema::ids::EpochId;
    use sync_core::figures::{measures, rate, rates};

    use super::*;

    /// A spreadsheet opens it: byte order mark, a name with a comma in one cell, no number where there is no rate.
    #[test]
    fn a_table_has_a_row_for_each_group_and_no_rate_of_nothing() {
        let day = |day| Day { year: 2026, month: 6, day };
        let asked = FiguresAsked { from: day(1), until: day(30), by: GroupBy::Unit, area: None };
        let row = |name: Option<&str>, due: u64, closed: u64| {
            let counts = [(Measure::Due, due), (Measure::Closed, closed)].into();
            let name = name.map(|name| Text { zh: name.into(), en: name.into() });
            let rates = Rate::ALL.map(|it| (it, rate(it, &counts))).into();
            FiguresRow { group: name.as_ref().map(|_| "u1".to_owned()), name, counts, rates }
        };
        let rows = vec![row(None, 0, 0), row(Some("一中队,东"), 972, 911)];
        let total = row(None, 972, 911);
        let figures = Figures { asked, cutoff_ms: 0, cutoff_rev: 1, epoch: EpochId::NIL, total, rows };
        let answer = FiguresAnswer { figures, measures: measures(), rates: rates() };
        let output = Output { language: Language::Zh, json: false };
        let text = String::from_utf8(table(&answer, &output).unwrap()).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        assert!(lines[0].starts_with("\u{feff}分组编码,名称,上报数,立案数"), "{}", lines[0]);
        assert!(lines[0].ends_with("一次核查合格率 %"), "{}", lines[0]);
        assert!(lines[1].starts_with(",合计,0,0,0,972,911"), "{}", lines[1]);
        assert!(lines[1].contains(",,93.72,0.00,"), "no filing rate of nothing: {}", lines[1]);
        assert!(lines[2].starts_with(",未归组,"), "{}", lines[2]);
        assert!(lines[3].starts_with("u1,\"一中队,东\","), "{}", lines[3]);
        let nothing = RateValue { numerator: 0, denominator: 0, percent: None };
        assert_eq!(answer.figures.rows[0].rates[&Rate::Closing], nothing);
    }
}
