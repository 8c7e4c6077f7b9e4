//! Identifiers: one type per thing named, all UUIDs written lower-case and hyphenated.
//! Devices choose UUIDv7; the server's consequences use UUIDv8 (`sync_core::line::derived_id`).

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use uuid::Uuid;

/// Why a text is not an identifier: ids have exactly one spelling, so that equal ids are equal bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotAnId(pub String);

impl fmt::Display for NotAnId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "not a lower-case hyphenated UUID: {:?}", self.0)
    }
}

impl std::error::Error for NotAnId {}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(value_type = uuid::Uuid))]
        pub struct $name(pub Uuid);

        impl $name {
            /// The all-zero id: "nobody", "nothing".
            pub const NIL: Self = Self(Uuid::nil());

            /// The 16 bytes, as hashed and as stored.
            pub fn bytes(&self) -> &[u8; 16] {
                self.0.as_bytes()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}", self.0.as_hyphenated())
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({})", stringify!($name), self.0.as_hyphenated())
            }
        }

        impl FromStr for $name {
            type Err = NotAnId;
            fn from_str(text: &str) -> Result<Self, NotAnId> {
                let id = Uuid::try_parse(text).map_err(|_| NotAnId(text.to_owned()))?;
                let one_spelling = id.as_hyphenated().to_string() == text;
                one_spelling.then_some(Self(id)).ok_or_else(|| NotAnId(text.to_owned()))
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = String::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}

id!(
    /// A log: one district's append-only sequence of entries.
    LogId
);
id!(
    /// An epoch of a log: random, replaced when the log is restored from a backup.
    EpochId
);
id!(
    /// An op, chosen by the device that made it and never changed.
    OpId
);
id!(
    /// A device: one person on one phone.
    DeviceId
);
id!(
    /// An account of the installation.
    AccountId
);
id!(
    /// A natural person. Several accounts may belong to one person; four eyes are counted by person.
    PersonId
);
id!(
    /// Anything an op can change: a case, an account, a unit, a device, the area tree, the catalogue, the log itself.
    EntityId
);
id!(
    /// A node of the area tree.
    AreaId
);
id!(
    /// A unit: the body that must rectify.
    UnitId
);
id!(
    /// A place that notices are sent to.
    WebhookId
);
id!(
    /// One run of a device's monotonic clock, from start to shutdown.
    BootId
);
id!(
    /// Figures that somebody published.
    PublicationId
);
id!(
    /// A grant: one role of one account over one area or unit.
    GrantId
);

macro_rules! as_entity {
    ($($name:ident),*) => { $(
        impl From<$name> for EntityId {
            fn from(id: $name) -> Self {
                Self(id.0)
            }
        }
    )* };
}

as_entity!(LogId, DeviceId, AccountId, UnitId);
