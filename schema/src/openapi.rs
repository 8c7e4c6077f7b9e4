//! OpenAPI schemas of types that are written as one string though they are enums or structs here.

use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

macro_rules! written_as_string {
    ($($name:ty => $description:literal),* $(,)?) => { $(
        impl PartialSchema for $name {
            fn schema() -> RefOr<Schema> {
                ObjectBuilder::new().schema_type(Type::String).description(Some($description)).into()
            }
        }
        impl ToSchema for $name {}
    )* };
}

written_as_string! {
    crate::case::FieldName => "`kind`, `note`, `position`, `subject` or `field.CODE`",
    crate::sync::Scope => "`log`, `area:ID`, `unit:ID` or `account:ID`, with a class behind it where it is not the normal one: `area:ID:auditor`, `log:restricted`",
}
