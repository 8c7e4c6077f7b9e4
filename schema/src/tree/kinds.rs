//! Types that are read from a tree, in whatever form they stand.

/// An enum that is read by the name of its variant, from a [`Tree`]; the name stands before it as a text, for serde.
#[macro_export]
macro_rules! kinds {
    ($named:literal $($strict:ident)?; $(#[$about:meta])* pub enum $name:ident { $($variants:tt)+ }) => {
        $(#[$about])*
        pub enum $name {
            $($variants)+
        }

        impl $name {
            /// Reads the variant of a name.
            ///
            /// # Errors
            /// There is no such variant, or it does not fit.
            pub fn read(kind: String, from: $crate::tree::Tree) -> Result<Self, serde_json::Error> {
                #[allow(dead_code)]
                #[derive(serde::Deserialize)]
                #[serde(remote = $named, rename_all = "snake_case" $(, $strict)?)]
                enum Read {
                    $($variants)+
                }
                Read::deserialize($crate::tree::Tree::Members(vec![(kind, from)]))
            }
        }
    };
}

/// [`kinds!`], with the name of the variant in a member beside its own.
#[macro_export]
macro_rules! tagged {
    ($tag:literal $named:literal $($strict:ident)?; $(#[$about:meta])* pub enum $name:ident { $($variants:tt)+ }) => {
        $crate::kinds! { $named $($strict)?; $(#[$about])* pub enum $name { $($variants)+ } }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                let mut tree = $crate::tree::Tree::deserialize(from)?;
                let read = tree.take($tag).and_then(|kind| Self::read(kind, tree));
                read.map_err(serde::de::Error::custom)
            }
        }
    };
}

/// Reads a struct with another one's members among its own.
macro_rules! flat {
    ($name:ident: $whole:ident, $($field:ident: $type:ty),+) => {
        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                #[derive(serde::Deserialize)]
                struct Rest {
                    $($field: $type),+
                }
                let read = |tree: $crate::tree::Tree| {
                    let Rest { $($field),+ } = Rest::deserialize(tree.clone())?;
                    let $whole = serde::Deserialize::deserialize(tree)?;
                    Ok::<_, serde_json::Error>(Self { $whole, $($field),+ })
                };
                read($crate::tree::Tree::deserialize(from)?).map_err(serde::de::Error::custom)
            }
        }
    };
}

pub(crate) use flat;
