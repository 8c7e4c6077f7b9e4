//! A value as JSON, as the page keeps rows: `null`, a number, a text, or bytes in base64 as a list of one.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::de::{Error, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::Value;

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null | Self::End => to.serialize_unit(),
            Self::Int(number) => to.serialize_i64(*number),
            Self::Text(text) => to.serialize_str(text),
            Self::Blob(bytes) => [STANDARD.encode(bytes)].serialize(to),
        }
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(Reader)
    }
}

struct Reader;

impl<'de> Visitor<'de> for Reader {
    type Value = Value;

    fn expecting(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str("null, a whole number, a text, or bytes in base64 as a list of one")
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Value, E> {
        Ok(Value::Int(number))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Value, E> {
        i64::try_from(number).map(Value::Int).map_err(E::custom)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Value, E> {
        Ok(Value::Text(text.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Value, A::Error> {
        let text: Option<String> = list.next_element()?;
        let end: Option<String> = list.next_element()?;
        let bytes = text.filter(|_| end.is_none()).map(|text| STANDARD.decode(text)).transpose();
        bytes.map_err(A::Error::custom)?.map(Value::Blob).ok_or_else(|| A::Error::custom("a list of one text"))
    }
}

#[cfg(test)]
mod tests {
    use super::Value;

    #[test]
    fn every_value_is_read_back_as_it_was_written() {
        let values = vec![
            Value::Null,
            Value::Int(-1),
            Value::Int(i64::MAX),
            Value::Text("整改\n\"".to_owned()),
            Value::Blob(vec![0, 255, 7]),
            Value::Blob(Vec::new()),
        ];
        let text = serde_json::to_string(&values).unwrap();
        assert_eq!(text, r#"[null,-1,9223372036854775807,"整改\n\"",["AP8H"],[""]]"#);
        assert_eq!(serde_json::from_str::<Vec<Value>>(&text).unwrap(), values);
        for bad in ["1.5", "[]", r#"["AP8H","AP8H"]"#, r#"["*"]"#, "{}", "18446744073709551615"] {
            assert!(serde_json::from_str::<Value>(bad).is_err(), "{bad}");
        }
    }
}
