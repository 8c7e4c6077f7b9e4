//! The format of official numbers: reading it strictly, and writing a number by it.
//!
//! A serial is given once a year and log. A format can take effect only if it keeps that: the year and the serial
//! stand in it once, and where the district's code, whose length is the city's, is in it too, something that is no
//! digit separates it from the serial. Then no two serials are ever written the same.

use std::fmt::Write;

use schema::catalogue::Text;

/// The most digits that a serial is filled up to.
const DIGITS_MAX: usize = 10;
/// The most characters of a format's plain text.
const PLAIN_CHARS_MAX: usize = 24;

/// A piece of a format.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Plain(char),
    Year,
    District,
    /// With so many digits at least.
    Serial(usize),
}

/// What is wrong with a format; none if numbers can be written by it.
pub fn fault(format: &str) -> Option<Text> {
    let said = |zh: &str, en: &str| Some(Text { zh: zh.to_owned(), en: en.to_owned() });
    let Some(parts) = parts(format) else {
        return said(
            "只能使用 {year}、{district}、{serial}、{serial:06}（补足位数 1 至 10）和普通文字；花括号本身写作 {{ 或 }}",
            "it may hold {year}, {district}, {serial} or {serial:06} (1 to 10 digits) and plain text; a brace is {{ or }}",
        );
    };
    let count = |wanted: fn(&Part) -> bool| parts.iter().filter(|part| wanted(part)).count();
    if count(|part| *part == Part::Year) != 1 || count(|part| matches!(part, Part::Serial(_))) != 1 {
        return said(
            "{year} 和 {serial} 必须各出现一次：流水号每年从 1 开始，否则编号会重复",
            "{year} and {serial} must each stand in it once: serials start again every year, and numbers would repeat",
        );
    }
    if count(|part| *part == Part::District) > 1 {
        return said("{district} 最多出现一次", "{district} may stand in it once");
    }
    let plain: Vec<char> =
        parts.iter().filter_map(|part| if let Part::Plain(it) = part { Some(*it) } else { None }).collect();
    if plain.len() > PLAIN_CHARS_MAX || plain.iter().any(|it| it.is_control() || it.is_whitespace()) {
        return said(
            "普通文字最多 24 个字符，不能有空格或控制字符",
            "its plain text must be at most 24 characters, without spaces or control characters",
        );
    }
    if !is_separated(&parts) {
        return said(
            "{district} 与 {serial} 之间至少要有一个非数字的字符（如 -），否则两个编号可能相同",
            "between {district} and {serial} there must be something that is no digit, such as -: numbers might be equal",
        );
    }
    None
}

fn is_separated(parts: &[Part]) -> bool {
    let place = |wanted: fn(&Part) -> bool| parts.iter().position(wanted);
    let (Some(district), Some(serial)) =
        (place(|part| *part == Part::District), place(|part| matches!(part, Part::Serial(_))))
    else {
        return true;
    };
    let between = parts.get(district.min(serial)..district.max(serial)).unwrap_or(&[]);
    between.iter().any(|part| matches!(part, Part::Plain(it) if !it.is_numeric()))
}

/// Writes a number; none if the format is none, or names a district that is not known.
pub fn write(format: &str, year: i16, district: Option<&str>, serial: u64) -> Option<String> {
    let mut number = String::new();
    for part in parts(format)? {
        match part {
            Part::Plain(it) => number.push(it),
            Part::Year => write!(number, "{year}").ok()?,
            Part::District => number.push_str(district?),
            Part::Serial(digits) => write!(number, "{serial:0digits$}").ok()?,
        }
    }
    Some(number)
}

fn parts(format: &str) -> Option<Vec<Part>> {
    let mut parts = Vec::new();
    let mut rest = format;
    while let Some(first) = rest.chars().next() {
        let (part, taken) = match first {
            '{' if rest.starts_with("{{") => (Part::Plain('{'), 2),
            '}' if rest.starts_with("}}") => (Part::Plain('}'), 2),
            '{' => {
                let (name, _) = rest.strip_prefix('{')?.split_once('}')?;
                (named(name)?, name.len() + 2)
            }
            '}' => return None,
            plain => (Part::Plain(plain), plain.len_utf8()),
        };
        parts.push(part);
        rest = rest.get(taken..)?;
    }
    Some(parts)
}

fn named(name: &str) -> Option<Part> {
    match name {
        "year" => Some(Part::Year),
        "district" => Some(Part::District),
        "serial" => Some(Part::Serial(1)),
        _ => {
            let digits = name.strip_prefix("serial:0")?;
            let digits: usize = digits.bytes().all(|it| it.is_ascii_digit()).then(|| digits.parse().ok()).flatten()?;
            (1..=DIGITS_MAX).contains(&digits).then_some(Part::Serial(digits))
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn numbers_are_written_by_the_format() {
        let written = |format: &str| write(format, 2026, Some("990101"), 42);
        assert_eq!(written("{year}{district}-{serial:06}").as_deref(), Some("2026990101-000042"));
        assert_eq!(written("ZG{year}{serial:05}").as_deref(), Some("ZG202600042"));
        assert_eq!(written("整〔{year}〕{serial}号").as_deref(), Some("整〔2026〕42号"));
        assert_eq!(written("{{{year}}}{serial}").as_deref(), Some("{2026}42"));
        assert_eq!(write("{district}", 2026, None, 1), None);
        assert_eq!(write("{serial:02}-{year}", 2026, None, 12_345).as_deref(), Some("12345-2026"), "never cut");
    }

    #[test]
    fn a_format_by_which_numbers_could_repeat_is_refused() {
        for good in
            ["{year}{serial}", "{serial:06}/{year}", "{year}{district}-{serial:06}", "{district}-{year}{serial}"]
        {
            assert_eq!(fault(good), None, "{good}");
        }
        let long = format!("{{year}}{{serial}}{}", "A".repeat(25));
        for wrong in [
            "",
            "{serial}",
            "{year}",
            "{year}{year}{serial}",
            "{year}{serial}{serial}",
            "{year}{district}{serial}",
            "{district}{year}{serial}",
            "{district}9{serial}{year}",
            "{year}{serial",
            "{year}}{serial}",
            "{month}{year}{serial}",
            "{year} {serial}",
            "{year}\n{serial}",
            "{serial:6}{year}",
            "{serial:00}{year}",
            "{serial:011}{year}",
            "{serial:0+1}{year}",
            "{district}{district}-{serial}{year}",
            &long,
        ] {
            assert!(fault(wrong).is_some(), "{wrong}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { max_global_rejects: 20_000, ..ProptestConfig::default() })]
        #[test]
        fn any_format_that_is_taken_tells_all_serials_apart(
            format in "[-A9]{0,2}(\\{year\\})?[-9]{0,2}(\\{district\\})?[-9]{0,2}\\{serial(:0[1-3])?\\}[-9]{0,2}(\\{year\\})?(\\{district\\})?",
            first in 1_u64..3000, second in 1_u64..3000,
        ) {
            prop_assume!(fault(&format).is_none());
            // The district's code may change with an area tree; the year may turn.
            let districts = ["1", "11", "99", "990101", "2026"];
            let mut seen = BTreeSet::new();
            let serials = if first == second { vec![first] } else { vec![first, second] };
            for serial in serials {
                for year in [2026, 2027] {
                    let written: BTreeSet<String> =
                        districts.iter().filter_map(|district| write(&format, year, Some(district), serial)).collect();
                    prop_assert!(!written.is_empty());
                    for number in written {
                        prop_assert!(seen.insert(number));
                    }
                }
            }
        }
    }
}
