//! Fixed-size byte strings on the wire: SHA-256 as hex, salts and signatures as base64.

use std::fmt;
use std::str::FromStr;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A SHA-256 value, written as 64 lower-case hex digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(value_type = String))]
pub struct Hash(pub [u8; 32]);

impl Hash {
    /// The all-zero value: the leaf before an entity's first leaf, the chain before a device's first op.
    pub const ZERO: Self = Self([0; 32]);
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Hash({self})")
    }
}

/// Why a text is not one of this module's values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotBytes {
    /// What was expected, for a person to read.
    pub expected: &'static str,
}

impl fmt::Display for NotBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "expected {}", self.expected)
    }
}

impl std::error::Error for NotBytes {}

impl FromStr for Hash {
    type Err = NotBytes;
    fn from_str(text: &str) -> Result<Self, NotBytes> {
        let wrong = NotBytes { expected: "64 lower-case hex digits" };
        if text.bytes().any(|byte| byte.is_ascii_uppercase()) {
            return Err(wrong);
        }
        let mut bytes = [0; 32];
        hex::decode_to_slice(text, &mut bytes).map_err(|_| wrong)?;
        Ok(Self(bytes))
    }
}

impl Serialize for Hash {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Hash {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

macro_rules! base64_bytes {
    ($(#[$doc:meta])* $name:ident, $length:literal, $expected:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq)]
        #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(value_type = String))]
        pub struct $name(pub [u8; $length]);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&STANDARD.encode(self.0))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({self})", stringify!($name))
            }
        }

        impl FromStr for $name {
            type Err = NotBytes;
            fn from_str(text: &str) -> Result<Self, NotBytes> {
                let wrong = NotBytes { expected: $expected };
                let bytes = STANDARD.decode(text).map_err(|_| wrong.clone())?;
                bytes.try_into().map(Self).map_err(|_| wrong)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}

base64_bytes!(
    /// 16 random bytes that blind a hash.
    Salt, 16, "16 bytes in base64"
);
base64_bytes!(
    /// A signature as raw `r‖s` (ES256) or `R‖S` (Ed25519).
    Signature, 64, "64 bytes in base64"
);
base64_bytes!(
    /// The server's X25519 public key, to which files of unsent work are sealed.
    ExportKey, 32, "32 bytes in base64"
);
base64_bytes!(
    /// A P-256 public key as its 65-byte uncompressed SEC1 point.
    DeviceKey, 65, "65 bytes (an uncompressed SEC1 point) in base64"
);
