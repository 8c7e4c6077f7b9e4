//! The district: four subdistricts, eight communities, twenty-eight grids, nine units and thirty accounts.
//! All names are invented, and so are the codes: no division of the country begins with 99.

mod duties;
mod ground;
#[cfg(test)]
mod tests;

use schema::area::{Area, AreaTree, Level};
use schema::catalogue::Text;
use schema::ids::{AccountId, AreaId, GrantId, PersonId, UnitId};
use schema::op::{Grant, Role};

use super::ids::id;
use ground::{Cell, outline};

/// The district's time zone.
pub const ZONE: &str = "Asia/Shanghai";

/// The demo city.
#[derive(Debug, Clone)]
pub struct City {
    /// What it is made of.
    pub seed: u64,
    /// The district's name.
    pub name: Text,
    /// Its time zone, an IANA name.
    pub zone: &'static str,
    /// Its areas.
    pub areas: AreaTree,
    /// Its units.
    pub units: Vec<DemoUnit>,
    /// Its accounts.
    pub accounts: Vec<DemoAccount>,
}

/// A body that must rectify.
#[derive(Debug, Clone)]
pub struct DemoUnit {
    /// Its id.
    pub id: UnitId,
    /// Its name.
    pub name: Text,
    /// The area it belongs to.
    pub area: AreaId,
    /// What it is responsible for.
    pub duty: Duty,
}

/// What a unit is responsible for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Duty {
    /// Stalls, dogs off the leash, demolition.
    UrbanManagement,
    /// Dogs.
    Police,
    /// Licences of stalls and shops.
    MarketSupervision,
    /// What may be built.
    Planning,
    /// Clean streets.
    Sanitation,
    /// All of it, in one subdistrict.
    StreetOffice,
}

/// An account with all it may do.
#[derive(Debug, Clone)]
pub struct DemoAccount {
    /// Its id.
    pub id: AccountId,
    /// The login name.
    pub login: String,
    /// The name that others see.
    pub name: String,
    /// The person behind it.
    pub person: PersonId,
    /// What it may do, as ops of the log.
    pub grants: Vec<Grant>,
    /// The units it belongs to.
    pub units: Vec<UnitId>,
}

impl City {
    /// Accounts with a role over an area itself, not above or below it.
    pub fn with_grant(&self, role: Role, area: AreaId) -> impl Iterator<Item = &DemoAccount> {
        let holds =
            move |account: &&DemoAccount| account.grants.iter().any(|grant| grant.role == role && grant.area == area);
        self.accounts.iter().filter(holds)
    }

    /// The members of a unit.
    pub fn members(&self, unit: UnitId) -> impl Iterator<Item = &DemoAccount> {
        self.accounts.iter().filter(move |account| account.units.contains(&unit))
    }

    /// The unit with a duty; for a street office the one of a subdistrict.
    pub fn unit(&self, duty: Duty, subdistrict: AreaId) -> Option<&DemoUnit> {
        let near = |unit: &&DemoUnit| duty != Duty::StreetOffice || unit.area == subdistrict;
        self.units.iter().filter(|unit| unit.duty == duty).find(near)
    }
}

/// The demo city of a seed.
pub fn city(seed: u64) -> City {
    let areas = areas(seed);
    let of_level = |level| areas.areas.iter().filter(move |area: &&Area| area.level == level).map(|area| area.id);
    let district = id_of(seed, "district", 0);
    let subdistricts: Vec<AreaId> = of_level(Level::Subdistrict).collect();
    let grids: Vec<AreaId> = of_level(Level::Grid).collect();
    let units = units(seed, district, &subdistricts);
    let accounts = accounts(seed, district, &subdistricts, &grids, &units);
    City { seed, name: text("青禾区（演示）", "Qinghe District (demo)"), zone: ZONE, areas, units, accounts }
}

fn text(zh: &str, en: &str) -> Text {
    Text { zh: zh.to_owned(), en: en.to_owned() }
}

fn id_of(seed: u64, kind: &str, n: u64) -> AreaId {
    AreaId(id(seed, kind, n))
}

/// Each subdistrict with its two communities; their cells are runs of a row: row, first and last column.
type Community = (&'static str, &'static str, (i32, i32, i32));
const SUBDISTRICTS: [(&str, &str, [Community; 2]); 4] = [
    ("河湾街道", "Hewan", [("柳岸社区", "Liu'an", (0, 0, 3)), ("石桥社区", "Shiqiao", (1, 0, 2))]),
    ("书院街道", "Shuyuan", [("书院社区", "Shuyuan", (0, 4, 6)), ("槐安社区", "Huai'an", (1, 3, 6))]),
    ("南市街道", "Nanshi", [("南市社区", "Nanshi", (2, 0, 3)), ("码头社区", "Matou", (3, 0, 2))]),
    ("新桥街道", "Xinqiao", [("新桥社区", "Xinqiao", (2, 4, 6)), ("北苑社区", "Beiyuan", (3, 3, 6))]),
];

fn areas(seed: u64) -> AreaTree {
    let all: Vec<Cell> = (0..4).flat_map(|row| (0..7).map(move |column| (column, row))).collect();
    let district = id_of(seed, "district", 0);
    let area = |id, parent, level, code: String, name, cells: &[Cell]| {
        let boundary = vec![vec![outline(seed, cells)]];
        Area { id, parent, level, code, name, boundary }
    };
    let name = text("青禾区", "Qinghe District");
    let mut areas = vec![area(district, None, Level::District, "990101".to_owned(), name, &all)];
    let (mut community_count, mut grid_count) = (0_u64, 0_u64);
    for (number, (zh, en, communities)) in (1_u64..).zip(SUBDISTRICTS) {
        let subdistrict = id_of(seed, "subdistrict", number);
        let code = format!("990101{number:03}");
        let cells: Vec<Cell> = communities.iter().flat_map(|(_, _, run)| cells_of(*run)).collect();
        let name = text(zh, &format!("{en} Subdistrict"));
        areas.push(area(subdistrict, Some(district), Level::Subdistrict, code.clone(), name, &cells));
        for (place, (zh, en, run)) in (1_u64..).zip(communities) {
            community_count += 1;
            let community = id_of(seed, "community", community_count);
            let code = format!("{code}{place:03}");
            let name = text(zh, &format!("{en} Community"));
            areas.push(area(community, Some(subdistrict), Level::Community, code.clone(), name, &cells_of(run)));
            for (place, cell) in (1_u64..).zip(cells_of(run)) {
                grid_count += 1;
                let grid = id_of(seed, "grid", grid_count);
                let name = text(&format!("{zh}第{place}网格"), &format!("{en} grid {place}"));
                areas.push(area(grid, Some(community), Level::Grid, format!("{code}{place:03}"), name, &[cell]));
            }
        }
    }
    AreaTree { version: "demo-1".to_owned(), areas }
}

fn cells_of((row, first, last): (i32, i32, i32)) -> Vec<Cell> {
    (first..=last).map(|column| (column, row)).collect()
}

fn units(seed: u64, district: AreaId, subdistricts: &[AreaId]) -> Vec<DemoUnit> {
    let bureaus = [
        ("青禾区城市管理局", "Urban Management Bureau", Duty::UrbanManagement),
        ("青禾区公安分局", "Police Branch", Duty::Police),
        ("青禾区市场监督管理局", "Market Supervision Bureau", Duty::MarketSupervision),
        ("青禾区自然资源和规划分局", "Planning Branch", Duty::Planning),
        ("青禾区环境卫生中心", "Sanitation Centre", Duty::Sanitation),
    ];
    let bureaus = bureaus.into_iter().map(|(zh, en, duty)| (text(zh, en), district, duty));
    let offices = SUBDISTRICTS.iter().zip(subdistricts).map(|((zh, en, _), area)| {
        (text(&format!("{zh}办事处"), &format!("{en} Subdistrict Office")), *area, Duty::StreetOffice)
    });
    let unit = |(number, (name, area, duty))| DemoUnit { id: UnitId(id(seed, "unit", number)), name, area, duty };
    (1_u64..).zip(bureaus.chain(offices)).map(unit).collect()
}

/// One of each thing is shown: a supervisor per subdistrict and two above them, an inspector for two or three grids,
/// a crew member for each unit.
fn accounts(
    seed: u64,
    district: AreaId,
    subdistricts: &[AreaId],
    grids: &[AreaId],
    units: &[DemoUnit],
) -> Vec<DemoAccount> {
    let mut made: Vec<DemoAccount> = Vec::new();
    let mut add = |role: Role, number: u64, areas: &[AreaId], units: &[UnitId]| {
        let (login, zh) = match role {
            Role::Admin => ("admin", "管理员"),
            Role::Auditor => ("auditor", "审计员"),
            Role::Supervisor => ("supervisor", "督办员"),
            Role::Inspector => ("inspector", "巡查员"),
            Role::Crew => ("crew", "处置员"),
        };
        let login = format!("{login}{number:02}");
        let grant = |(n, area): (u64, &AreaId)| Grant {
            grant: GrantId(id(seed, &format!("grant {login}"), n)),
            role,
            area: *area,
            until_ms: None,
        };
        made.push(DemoAccount {
            id: AccountId(id(seed, &format!("account {login}"), 0)),
            name: format!("{zh}{number:02}"),
            person: PersonId(id(seed, &format!("person {login}"), 0)),
            grants: (0..).zip(areas).map(grant).collect(),
            units: units.to_vec(),
            login,
        });
    };
    add(Role::Admin, 1, &[district], &[]);
    add(Role::Auditor, 1, &[district], &[]);
    add(Role::Auditor, 2, &[district], &[]);
    for (number, area) in (1..).zip([district, district].iter().chain(subdistricts)) {
        add(Role::Supervisor, number, &[*area], &[]);
    }
    for (number, round) in (1..).zip(rounds(grids)) {
        add(Role::Inspector, number, round, &[]);
    }
    for (number, unit) in (1..).zip(units) {
        add(Role::Crew, number, &[unit.area], &[unit.id]);
    }
    made
}

/// The grids in order, cut into twelve rounds of two or three neighbours; none crosses a subdistrict.
fn rounds(grids: &[AreaId]) -> Vec<&[AreaId]> {
    grids
        .chunks(7)
        .flat_map(|subdistrict| [0..3, 3..5, 5..7].map(|part| subdistrict.get(part).unwrap_or(&[])))
        .collect()
}
