//! Who should have a case, by the responsibilities in force. It needs no network.

use schema::case::{FieldName, Position};
use schema::catalogue::Code;
use schema::entity::Entity;
use schema::ids::{AreaId, EntityId, LogId};
use schema::op::Captured;
use schema::responsibility::Responsibilities;

use super::error::PhoneError;
use super::known;
use super::store::{Store, log_state};
use crate::area::AreaIndex;
use crate::case::kind_of;
use crate::json;
use crate::responsibility::{Asked, Gone, Suggestion, suggest};
use crate::time::{day_at, zone};

/// What a suggestion rests on, read once for many cases.
struct Rules {
    document: Responsibilities,
    areas: AreaIndex,
    gone: Gone,
    on: schema::calendar::Day,
}

impl Rules {
    fn suggest(&self, position: Option<&Position>, area: AreaId, (category, subtype): (&Code, &Code)) -> Suggestion {
        suggest(&self.document, &self.areas, Asked { position, area, category, subtype, on: self.on }, &self.gone)
    }
}

impl Store {
    /// Who should have each of some cases, in their order; none for what is no case. None at all where no document is
    /// in force, or it is not here yet, or this device knows no civil time of the district.
    ///
    /// # Errors
    /// The store's.
    pub fn suggestions(
        &self,
        log: LogId,
        cases: &[EntityId],
        now: Captured,
    ) -> Result<Option<Vec<Option<Suggestion>>>, PhoneError> {
        let Some(rules) = self.responsibilities(log, now)? else { return Ok(None) };
        let suggested = |case: &EntityId| {
            let Some(Entity::Case(case)) = self.view(log, *case)?.map(|shown| shown.entity) else { return Ok(None) };
            let position = case.fields.get(&FieldName::Position);
            let position: Option<Position> = position.and_then(|held| json::read_value(held.value.clone()).ok());
            let kind = kind_of(&case);
            Ok(kind.map(|(category, subtype)| rules.suggest(position.as_ref(), case.area, (&category, &subtype))))
        };
        cases.iter().map(suggested).collect::<Result<_, PhoneError>>().map(Some)
    }

    /// Who should have a matter at a position; none as in [`Store::suggestions`].
    ///
    /// # Errors
    /// The store's.
    pub fn responsible(
        &self,
        log: LogId,
        position: &Position,
        kind: (&Code, &Code),
        now: Captured,
    ) -> Result<Option<Suggestion>, PhoneError> {
        let rules = self.responsibilities(log, now)?;
        Ok(rules.map(|rules| rules.suggest(Some(position), rules.areas.locate(position).area, kind)))
    }

    fn responsibilities(&self, log: LogId, now: Captured) -> Result<Option<Rules>, PhoneError> {
        let state = log_state(self.db(), log)?;
        let Some(hash) = known::in_force(self.db(), &state, "responsibilities")? else { return Ok(None) };
        let document = self.document(hash)?.and_then(|bytes| json::read(&bytes).ok());
        let zone = zone(&state.zone);
        let on = self.server_time_ms(now).map(|now_ms| zone.and_then(|zone| day_at(now_ms, &zone)))?;
        let (Some(document), Some(areas), Some(on)) = (document, self.areas(log)?, on) else { return Ok(None) };
        let mut people = self.entities(log, "account")?;
        people.extend(self.entities(log, "unit")?);
        Ok(Some(Rules { document, areas, gone: Gone::among(&people), on }))
    }
}
