//! The bytes of a list as text: which encoding they are in, told strictly, and whether its quotes close.

use encoding_rs::GB18030;
use schema::catalogue::Text;

use super::Fault;

/// The encodings that are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub enum Encoding {
    /// UTF-8, with a byte order mark or without.
    #[serde(rename = "UTF-8")]
    Utf8,
    /// GB18030, and with it GBK and GB 2312: what Chinese spreadsheets write.
    #[serde(rename = "GB18030")]
    Gb18030,
}

impl Encoding {
    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Utf8 => "UTF-8",
            Self::Gb18030 => "GB18030",
        }
    }
}

/// The text of a file. UTF-8 is taken only where every byte of it is; what is mostly UTF-8 is a damaged file, and never
/// read as something else.
pub(super) fn decode(bytes: &[u8]) -> Result<(String, Encoding), Fault> {
    if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
        return Err(Fault::of_file(
            "文件是 UTF-16 编码，请在表格程序中另存为“CSV UTF-8（逗号分隔）”",
            "the file is UTF-16: save it as \"CSV UTF-8 (comma delimited)\"",
        ));
    }
    let marked = bytes.strip_prefix(b"\xef\xbb\xbf");
    let body = marked.unwrap_or(bytes);
    let broken = match std::str::from_utf8(body) {
        Ok(text) => return Ok((text.to_owned(), Encoding::Utf8)),
        Err(error) => error.valid_up_to(),
    };
    let lossy = String::from_utf8_lossy(body);
    let lost = lossy.chars().filter(|it| *it == char::REPLACEMENT_CHARACTER).count();
    let read = lossy.chars().filter(|it| !it.is_ascii() && *it != char::REPLACEMENT_CHARACTER).count();
    let mostly_utf8 = marked.is_some() || read >= lost.saturating_mul(4);
    let other = (!mostly_utf8).then(|| GB18030.decode_without_bom_handling_and_without_replacement(body)).flatten();
    if let Some(text) = other {
        return Ok((text.into_owned(), Encoding::Gb18030));
    }
    let line = body.get(..broken).unwrap_or_default().iter().filter(|byte| **byte == b'\n').count() + 1;
    Err(Fault::of_file(
        &format!("第 {line} 行有字节既不是 UTF-8 也不是 GB18030，文件可能已损坏，请重新导出为“CSV UTF-8”"),
        &format!("line {line} holds bytes that are neither UTF-8 nor GB18030: export the file again as \"CSV UTF-8\""),
    ))
}

/// Quotes that never close, and text behind a closing quote: a reader would run rows together.
pub(super) fn quotes(text: &str) -> Vec<Fault> {
    let mut faults = Vec::new();
    let (mut row, mut opened) = (1_u64, None);
    let mut at_start = true;
    let mut chars = text.chars().peekable();
    while let Some(it) = chars.next() {
        match (it, opened) {
            ('"', Some(_)) if chars.peek() == Some(&'"') => drop(chars.next()),
            ('"', Some(begun)) => {
                opened = None;
                if !matches!(chars.peek(), None | Some(',' | '\r' | '\n')) {
                    faults.push(quote_fault(
                        begun,
                        "引号之后还有文字；字段内的引号要写两遍",
                        "text stands behind a closing quote; a quote inside a field is written twice",
                    ));
                }
                row = row.max(begun);
            }
            ('"', None) if at_start => opened = Some(row),
            ('\n', None) => row += 1,
            _ => {}
        }
        at_start = opened.is_none() && matches!(it, ',' | '\n' | '\r');
    }
    if let Some(begun) = opened {
        faults.push(quote_fault(begun, "引号没有结束", "a quote is opened and never closed"));
    }
    faults
}

fn quote_fault(row: u64, zh: &str, en: &str) -> Fault {
    Fault { row: Some(row), column: None, what: Text { zh: zh.to_owned(), en: en.to_owned() } }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn both_encodings_are_told_apart_and_damage_is_told() {
        let text = "大类,说明\n占道经营,瓜果摊占用盲道\n";
        let (gb, _, _) = GB18030.encode(text);
        assert_eq!(decode(text.as_bytes()), Ok((text.to_owned(), Encoding::Utf8)));
        assert_eq!(decode(&[b"\xef\xbb\xbf", text.as_bytes()].concat()), Ok((text.to_owned(), Encoding::Utf8)));
        assert_eq!(decode(&gb), Ok((text.to_owned(), Encoding::Gb18030)));
        let mut damaged = text.as_bytes().to_vec();
        damaged.remove(1);
        assert!(decode(&damaged).is_err(), "one lost byte of UTF-8 does not make it GB18030");
        assert!(decode(&[b"\xef\xbb\xbf".as_slice(), &gb].concat()).is_err(), "the mark said UTF-8");
        assert!(decode(b"\xff\xfea\0,\0b\0").is_err(), "UTF-16");
        assert!(decode(b"a,b\n\xff\xff\n").unwrap_err().what.en.contains("line 2"));
    }

    #[test]
    fn a_quote_that_never_closes_is_told_with_its_row() {
        assert_eq!(quotes("a,b\n\"x\ny\",\"\"\"z\"\n"), vec![]);
        assert_eq!(quotes("a,b\n1,\"2\n3,4\n")[0].row, Some(2));
        assert_eq!(quotes("a,b\n\"1\"2,3\n")[0].row, Some(2));
        assert_eq!(quotes("a\n5\" wide,b\n"), vec![], "a quote in the middle of a field is text");
    }

    proptest! {
        #[test]
        fn any_bytes_are_text_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            if let Ok((text, _)) = decode(&bytes) {
                quotes(&text);
            }
        }

        #[test]
        fn chinese_text_is_read_back_from_either_encoding(text in "[一-龥，。0-9a-z,\n]{4,60}") {
            let (gb, _, lost) = GB18030.encode(&text);
            prop_assume!(!lost);
            prop_assert_eq!(decode(text.as_bytes()).unwrap().0, text.clone());
            // Some few bytes are good UTF-8 as well; a list has more.
            if std::str::from_utf8(&gb).is_err() {
                prop_assert_eq!(decode(&gb).map(|(text, _)| text).unwrap_or(text.clone()), text);
            }
        }
    }
}
