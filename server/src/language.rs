//! The two languages of the product, and which of them a person asked for. It knows no sentence itself.

use schema::catalogue::Text;

/// A language of the product. Chinese is first: it is what is spoken where nobody asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Language {
    /// 简体中文
    #[default]
    Zh,
    /// English
    En,
}

impl Language {
    /// From an `Accept-Language` header: English only where it is liked better than Chinese.
    pub fn accepted(header: Option<&str>) -> Self {
        let Some(header) = header else { return Self::Zh };
        let mut chinese = 0;
        let mut english = 0;
        for choice in header.split(',').take(20) {
            let (tag, quality) = choice.split_once(";q=").unwrap_or((choice, "1"));
            let tag = tag.trim().to_ascii_lowercase();
            let quality = per_mille(quality.trim());
            if tag == "zh" || tag.starts_with("zh-") {
                chinese = chinese.max(quality);
            } else if tag == "en" || tag.starts_with("en-") {
                english = english.max(quality);
            }
        }
        if english > chinese { Self::En } else { Self::Zh }
    }

    /// From a locale name as in `LANG` (`en_GB.UTF-8`): English only where it is named.
    pub fn of_locale(locale: Option<&str>) -> Self {
        match locale {
            Some(locale) if locale.starts_with("en") => Self::En,
            _ => Self::Zh,
        }
    }

    /// The one of two sentences that is in this language.
    pub fn pick<'a>(self, zh: &'a str, en: &'a str) -> &'a str {
        match self {
            Self::Zh => zh,
            Self::En => en,
        }
    }

    /// A text in this language.
    pub fn of(self, text: &Text) -> &str {
        self.pick(&text.zh, &text.en)
    }

    /// Its name for `lang` and `Content-Language`.
    pub fn tag(self) -> &'static str {
        self.pick("zh-CN", "en")
    }
}

/// A quality value `0.5` as 500; what can't be read is 0.
fn per_mille(quality: &str) -> u32 {
    let (whole, fraction) = quality.split_once('.').unwrap_or((quality, ""));
    let digits: String = fraction.chars().chain("000".chars()).take(3).collect();
    match (whole.parse::<u32>(), digits.parse::<u32>()) {
        (Ok(whole), Ok(thousandths)) => whole.min(1).saturating_mul(1000).saturating_add(thousandths).min(1000),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::Language;

    #[test]
    fn chinese_unless_english_is_liked_better() {
        for (header, expected) in [
            (None, Language::Zh),
            (Some(""), Language::Zh),
            (Some("fr"), Language::Zh),
            (Some("en"), Language::En),
            (Some("en-GB,en;q=0.9"), Language::En),
            (Some("zh-CN,zh;q=0.9,en;q=0.8"), Language::Zh),
            (Some("en;q=0.8, zh;q=0.9"), Language::Zh),
            (Some("en, zh"), Language::Zh),
            (Some("EN-us;q=1.000,zh;q=0.5"), Language::En),
            (Some("en;q=banana"), Language::Zh),
        ] {
            assert_eq!(Language::accepted(header), expected, "{header:?}");
        }
    }
}
