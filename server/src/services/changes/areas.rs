//! What a new area tree would change: areas, the cases that would move, and who points to an area that goes.

use std::collections::BTreeMap;

use schema::area::{Area, AreaTree};
use schema::case::{FieldName, Position};
use schema::catalogue::Text;
use schema::entity::Entity;
use schema::ids::AreaId;
use serde::Serialize;
use sync_core::area::{AreaIndex, drawn_faults};

use super::{each, said};
use crate::error::{Error, Result};
use crate::store::{Db, LogNum};

/// What a new area tree would change.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct AreaChange {
    /// The version in force, if there is one.
    pub from: Option<String>,
    /// The new version.
    pub to: String,
    /// It is the tree in force: nothing would change.
    pub unchanged: bool,
    /// Areas that are new.
    pub added: Vec<Named>,
    /// Areas that go.
    pub removed: Vec<Named>,
    /// Areas that stay and change.
    pub changed: Vec<Changed>,
    /// Cases there are.
    pub cases: u64,
    /// Cases that would move, by where from and where to.
    pub moves: Vec<Move>,
    /// What must be mended first.
    pub errors: Vec<Text>,
    /// What an operator should know.
    pub warnings: Vec<Text>,
}

/// An area.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Named {
    /// Its code.
    pub code: String,
    /// Its name.
    pub name: Text,
}

/// An area that stays and changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Changed {
    /// Its code by now.
    pub code: String,
    /// `code`, `name`, `parent`, `level`, `boundary`.
    pub what: Vec<&'static str>,
}

/// Cases that would move.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Move {
    /// The code of the area that they lie in.
    pub from: String,
    /// The code of the area that they would lie in.
    pub to: String,
    /// How many.
    pub cases: u64,
}

/// Looks at what a tree would change in a log. `now` is the tree in force with its document.
///
/// # Errors
/// It is no tree; or the database's.
pub fn area_change(db: &mut Db, log: LogNum, now: Option<(&str, &AreaIndex)>, tree: &AreaTree) -> Result<AreaChange> {
    let next = AreaIndex::new(tree).map_err(|error| Error::fault(format!("不是区域树：{error}"), error.to_string()))?;
    let old = now.map(|(_, index)| index.areas()).unwrap_or_default();
    let mut change =
        AreaChange { from: now.map(|it| it.0.to_owned()), to: tree.version.clone(), ..AreaChange::default() };
    change.unchanged = now.is_some_and(|(version, _)| version == tree.version) && old == tree.areas.as_slice();
    change.errors = drawn_faults(tree);
    if !change.unchanged && change.from.as_ref() == Some(&tree.version) {
        change.errors.push(said(
            format!("版本“{}”已在使用，内容却不同：请换一个新版本", tree.version),
            format!("the version {:?} is in force already with other content: give it a new one", tree.version),
        ));
    }
    let before: BTreeMap<AreaId, &Area> = old.iter().map(|area| (area.id, area)).collect();
    let named = |area: &Area| Named { code: area.code.clone(), name: area.name.clone() };
    change.added = tree.areas.iter().filter(|area| !before.contains_key(&area.id)).map(named).collect();
    change.removed = old.iter().filter(|area| next.area(area.id).is_none()).map(named).collect();
    change.changed = tree.areas.iter().filter_map(|area| changed(before.get(&area.id)?, area)).collect();
    let overlaps = next.overlapping();
    if let Some((one, other)) = overlaps.first() {
        let code = |id: &AreaId| next.area(*id).map(|area| area.code.clone()).unwrap_or_default();
        let (count, one, other) = (overlaps.len(), code(one), code(other));
        change.warnings.push(said(
            format!("{count} 对网格互相重叠（如 {one} 与 {other}）：重叠处的案件归 id 较小的网格并作标记"),
            format!(
                "{count} pairs of grids overlap ({one} and {other}): cases there go to the lower id and are flagged"
            ),
        ));
    }
    pointing(db, log, &before, &next, &mut change)?;
    moves(db, log, &before, &next, &mut change)?;
    Ok(change)
}

fn changed(before: &Area, area: &Area) -> Option<Changed> {
    let differs = [
        ("code", before.code != area.code),
        ("name", before.name != area.name),
        ("parent", before.parent != area.parent),
        ("level", before.level != area.level),
        ("boundary", before.boundary != area.boundary),
    ];
    let what: Vec<&'static str> = differs.into_iter().filter(|(_, differs)| *differs).map(|(name, _)| name).collect();
    (!what.is_empty()).then(|| Changed { code: area.code.clone(), what })
}

/// A grant or a unit of an area that goes would reach nothing any more, and nobody would be told.
fn pointing(
    db: &mut Db,
    log: LogNum,
    before: &BTreeMap<AreaId, &Area>,
    next: &AreaIndex,
    change: &mut AreaChange,
) -> Result<()> {
    let gone = |id: AreaId| before.get(&id).filter(|_| next.area(id).is_none()).map(|area| area.code.clone());
    let mut errors = Vec::new();
    each(db, log, "account", |entity| {
        let Entity::Account(account) = entity else { return };
        for grant in account.grants.iter().filter(|_| account.disabled_rev.is_none()) {
            let Some(code) = gone(grant.area) else { continue };
            let (name, role) = (&account.name, format!("{:?}", grant.role).to_lowercase());
            errors.push(said(
                format!("账号“{name}”（{}）在区域 {code} 任 {role}，而该区域将被删除：请先改派", account.id),
                format!("account {name:?} ({}) is {role} of area {code}, which goes: move it first", account.id),
            ));
        }
    })?;
    each(db, log, "unit", |entity| {
        let Entity::Unit(unit) = entity else { return };
        if let Some(code) = gone(unit.area) {
            errors.push(said(
                format!("责任单位“{}”（{}）属于将被删除的区域 {code}：请先用 unit move 改属", unit.name.zh, unit.id),
                format!("unit {:?} ({}) belongs to area {code}, which goes: unit move it first", unit.name.en, unit.id),
            ));
        }
    })?;
    change.errors.extend(errors);
    Ok(())
}

fn moves(
    db: &mut Db,
    log: LogNum,
    before: &BTreeMap<AreaId, &Area>,
    next: &AreaIndex,
    change: &mut AreaChange,
) -> Result<()> {
    let mut counted: BTreeMap<(AreaId, AreaId), u64> = BTreeMap::new();
    let (mut cases, mut nowhere) = (0_u64, 0_u64);
    each(db, log, "case", |entity| {
        let Entity::Case(case) = entity else { return };
        cases += 1;
        let held = case.fields.get(&FieldName::Position).map(|held| held.value.clone());
        let Some(position) = held.and_then(|value| serde_json::from_value::<Position>(value).ok()) else { return };
        let located = next.locate(&position);
        nowhere += u64::from(located.grids == 0);
        if located.area != case.area {
            *counted.entry((case.area, located.area)).or_default() += 1;
        }
    })?;
    let code = |id: &AreaId| {
        let known = next.area(*id).or_else(|| before.get(id).copied());
        known.map_or_else(|| id.to_string(), |area| area.code.clone())
    };
    change.cases = cases;
    change.moves =
        counted.iter().map(|((from, to), cases)| Move { from: code(from), to: code(to), cases: *cases }).collect();
    if nowhere > 0 {
        change.warnings.push(said(
            format!("{nowhere} 个案件将不在任何网格内，归入最上级区域"),
            format!("{nowhere} cases would lie in no grid: they go to the root area"),
        ));
    }
    Ok(())
}
