//! What is due by the clock. Each thing looks for itself what is due, and enters it under an id that follows from its
//! occasion: several servers do it once, and what was stopped in between is gone on with.

use super::installation::Installation;
use super::photos::causes;
use crate::error::Result;

/// Does everything that is due. What fails is told and tried again; it holds up nothing else.
pub async fn tick(installation: &Installation) {
    told("areas", installation.areas_due().await);
}

fn told(what: &'static str, done: Result<()>) {
    if let Err(error) = done {
        tracing::error!(what, error = %causes(&error), "what is due could not be done; it is tried again");
    }
}
