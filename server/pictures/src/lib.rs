//! What is done pixel by pixel: looking at the photos that arrive, and drawing those of the demo city. It knows files
//! and no database. A crate of its own, so that it is optimised in every build.

pub mod camera;
pub mod drawing;
pub mod look;
pub mod near;
