//! What a new catalogue, calendar, area tree or document of responsibilities would change, told before it takes effect. It reads, and decides nothing.

mod areas;
mod calendar;
mod catalogue;
mod responsibility;

pub use areas::{AreaChange, Named as NamedArea, area_change};
pub use calendar::{CalendarChange, calendar_change};
pub use catalogue::{CatalogueChange, catalogue_change};
pub use responsibility::{
    Open, ResponsibilityChange, ResponsibilityReport, responsibility_change, responsibility_report,
};

use schema::catalogue::Text;
use schema::entity::Entity;
use schema::ids::EntityId;

use super::ledger::parse_entity;
use crate::store::{Db, LogNum, StoreError};

/// Rows read at a time.
const PAGE: usize = 500;

/// Looks at every entity of a kind.
fn each(db: &mut Db, log: LogNum, kind: &'static str, mut look: impl FnMut(Entity)) -> Result<(), StoreError> {
    let mut after = EntityId::NIL;
    loop {
        let page = db.entities_of_kind(log, kind, after, PAGE)?;
        let Some(last) = page.last() else { return Ok(()) };
        after = last.id;
        for document in page.into_iter().filter_map(|stored| stored.document) {
            look(parse_entity(&document)?);
        }
    }
}

fn said(zh: impl Into<String>, en: impl Into<String>) -> Text {
    Text { zh: zh.into(), en: en.into() }
}
