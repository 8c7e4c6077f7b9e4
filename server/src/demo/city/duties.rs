//! Who is responsible for what in the demo city: bureaus by subtype as the story has them, street offices for the rest
//! of their subdistrict, a market street and a river with their chiefs.

use schema::area::Level;
use schema::calendar::Day;
use schema::catalogue::{Catalogue, Code};
use schema::ids::{AccountId, UnitId};
use schema::op::Role;
use schema::responsibility::{Line, LineKind, Matter, MatterKind, Part, Place, Responsibilities, Rule};

use super::ground::along;
use super::{City, Duty, text};
use crate::demo::story::duties;

/// Before any case of the demo, whenever it is started.
const SINCE: Day = Day { year: 2020, month: 1, day: 1 };

impl City {
    /// Its responsibilities.
    pub fn responsibilities(&self, catalogue: &Catalogue) -> Responsibilities {
        let mut rules = Vec::new();
        for category in &catalogue.categories {
            let all = MatterKind { category: category.code.clone(), subtype: None };
            rules.extend(self.offices(Part::Lead, &all));
        }
        for ((category, subtype), (lead, help)) in duties() {
            let (Ok(category), Ok(subtype)) = (category.parse::<Code>(), subtype.parse::<Code>()) else { continue };
            let kind = MatterKind { category, subtype: Some(subtype) };
            for (duty, role) in std::iter::once((lead, Part::Lead)).chain(help.map(|duty| (duty, Part::Help))) {
                match self.units.iter().find(|unit| unit.duty == duty) {
                    Some(_) if duty == Duty::StreetOffice => rules.extend(self.offices(role, &kind)),
                    Some(bureau) => rules.push(unit_rule(bureau.id, role, Place::Everywhere, &kind)),
                    None => {}
                }
            }
        }
        rules.extend(self.chiefs());
        Responsibilities {
            version: "demo-1".to_owned(),
            title: text("青禾区责任清单（演示）", "Responsibilities of Qinghe District (demo)"),
            rules,
        }
    }

    /// Each street office in its subdistrict.
    fn offices(&self, role: Part, kind: &MatterKind) -> Vec<Rule> {
        let offices = self.units.iter().filter(|unit| unit.duty == Duty::StreetOffice);
        offices.map(|unit| unit_rule(unit.id, role, Place::Area(unit.area), kind)).collect()
    }

    /// The chief of the market street (街长) is who supervises its subdistrict, that of the river (河长) the district's.
    fn chiefs(&self) -> Vec<Rule> {
        let market = self.areas.areas.iter().filter(|area| area.level == Level::Subdistrict).nth(2);
        let district = self.areas.areas.first();
        let chief = |area: &schema::area::Area| Some(self.with_grant(Role::Supervisor, area.id).next()?.id);
        let (street, river) = (market.and_then(chief), district.and_then(chief));
        let street_line =
            (LineKind::Street, text("南市街", "Nanshi Street"), [(1, 2), (2, 2), (3, 2), (4, 2)].to_vec(), 30);
        let river_line = (LineKind::River, text("青禾河", "Qinghe River"), (0..=4).map(|row| (4, row)).collect(), 50);
        [(street, street_line), (river, river_line)]
            .into_iter()
            .filter_map(|(person, (kind, name, corners, width_m))| {
                Some(chief_rule(person?, Line { kind, name, points: along(self.seed, &corners), width_m }))
            })
            .collect()
    }
}

fn unit_rule(unit: UnitId, role: Part, place: Place, kind: &MatterKind) -> Rule {
    let matter = Matter::Kinds(vec![kind.clone()]);
    Rule { unit: Some(unit), person: None, role, place, matter, from: SINCE, until: None }
}

fn chief_rule(person: AccountId, line: Line) -> Rule {
    Rule {
        unit: None,
        person: Some(person),
        role: Part::Lead,
        place: Place::Line(line),
        matter: Matter::All,
        from: SINCE,
        until: None,
    }
}
