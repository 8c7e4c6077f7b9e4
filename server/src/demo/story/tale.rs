//! One case from its report to where it stands today: who takes which step when. The steps themselves are in `acts`.

mod acts;

use std::collections::BTreeMap;

use pictures::drawing::{Dice, Shot};
use schema::case::Position;
use schema::catalogue::{Category, Code, Subtype};
use schema::hash::{Hash, Salt};
use schema::ids::{AccountId, AreaId, EntityId, UnitId};
use schema::limits::DAY_MS;
use schema::op::{Body, EvidenceRole, Role, Sealed, SealedValue, Taken, TakenBy};
use serde_json::Value;
use sync_core::line::seal;

use super::World;
use super::content::{Kind, chance, kind, pick};
use super::hours::{Hours, MINUTE_MS, number, on_day_of, within};
use crate::demo::ids;
use crate::demo::picture::Picture;

/// Where a case ends up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    Reported,
    ReportedWithoutPhoto,
    Filed,
    Assigned,
    Fixed,
    Checked,
    Closed,
    Settled,
    Declined,
    Duplicate,
    Void,
    /// Closed, reopened, and with a unit again.
    Reopened,
    /// Closed, reopened, and closed again.
    ClosedAgain,
}

impl Fate {
    /// How many days ago it was reported: the open ones lately.
    fn age_days(self) -> (u64, u64) {
        match self {
            Self::Reported | Self::ReportedWithoutPhoto => (0, 2),
            Self::Filed => (1, 4),
            Self::Assigned => (1, 9),
            Self::Fixed | Self::Checked => (4, 10),
            Self::Closed => (8, 44),
            Self::Settled | Self::Declined | Self::Void => (1, 44),
            Self::Duplicate => (1, 30),
            Self::Reopened => (16, 44),
            Self::ClosedAgain => (26, 44),
        }
    }
}

/// A step with its photos as recipes.
#[derive(Debug)]
pub(super) struct Draft {
    pub(super) at_ms: u64,
    pub(super) account: AccountId,
    pub(super) entity: EntityId,
    pub(super) body: Body,
    pub(super) values: Vec<SealedValue>,
    pub(super) photos: Vec<Shown>,
}

/// A photo that a step names.
#[derive(Debug)]
pub(super) struct Shown {
    pub(super) role: EvidenceRole,
    pub(super) taken: Taken,
    pub(super) image: Image,
}

impl Shown {
    /// The file says that it was taken twelve days before and two kilometres away.
    fn disguise(&mut self) {
        if let Image::Arrives(picture) = &mut self.image {
            picture.taken_ms = picture.taken_ms.saturating_sub(12 * DAY_MS);
            picture.position.lat_e7 = picture.position.lat_e7.saturating_add(180_000);
        }
    }

    /// No photo is taken after the step that names it.
    fn take_before(&mut self, at_ms: u64) {
        let taken_ms = at_ms.saturating_sub(3 * MINUTE_MS);
        let named_ms = i64::try_from(taken_ms).ok();
        self.taken.wall_ms = self.taken.wall_ms.min(named_ms);
        if let Image::Arrives(picture) = &mut self.image {
            picture.taken_ms = picture.taken_ms.min(taken_ms);
        }
    }
}

/// Whether its bytes arrive.
#[derive(Debug)]
pub(super) enum Image {
    Arrives(Picture),
    /// They never do: hash and size are all that is known.
    Lost(Hash, u64),
}

/// What later tales may refer to.
#[derive(Debug)]
pub(super) struct Told {
    entity: EntityId,
    kind: &'static Kind,
    grid: AreaId,
    position: Position,
    reported_ms: u64,
    /// It goes on, so that others can be its duplicates.
    goes_on: bool,
    picture: Option<Picture>,
}

/// A case while it is told.
pub(super) struct Tale<'w> {
    world: &'w World,
    dice: Dice,
    number: u64,
    fate: Fate,
    entity: EntityId,
    kind: &'static Kind,
    category: &'w Category,
    subtype: &'w Subtype,
    grid: AreaId,
    subdistrict: AreaId,
    position: Position,
    inspector: AccountId,
    supervisor: AccountId,
    /// A supervisor one level above.
    above: AccountId,
    /// The unit that has it and the one member who acts for it.
    unit: Option<(UnitId, AccountId)>,
    /// The time of the next step.
    clock_ms: u64,
    reported_ms: u64,
    /// Values sealed for the next step.
    values: Vec<SealedValue>,
    value_count: u64,
    shot_count: u64,
    /// What the fields hold, as far as people have seen it.
    held: BTreeMap<Code, Value>,
    subject: String,
    before: Option<Picture>,
    /// A photo of another case, for somebody to use again.
    borrowed: Option<Picture>,
    drafts: Vec<Draft>,
}

impl<'w> Tale<'w> {
    /// Tells the n-th case; none if the city or the catalogue lacks something that it needs.
    pub(super) fn tell(world: &'w World, number: u64, fate: Fate, told: &[Told]) -> Option<Self> {
        let mut dice = Dice::new(ids::seed(world.seed, "case", number));
        let same_as = match fate {
            Fate::Duplicate => Some(original(told, &mut dice)?),
            _ => None,
        };
        let mut tale = Self::open(world, number, fate, dice, same_as)?;
        let alike = |other: &&Told| other.kind.scene == tale.kind.scene && other.reported_ms < tale.reported_ms;
        tale.borrowed = told.iter().rev().find(alike).and_then(|other| other.picture);
        tale.live(same_as.map(|other| other.entity));
        Some(tale)
    }

    fn open(world: &'w World, number: u64, fate: Fate, mut dice: Dice, same_as: Option<&Told>) -> Option<Self> {
        let kind = same_as.map_or_else(|| kind_for(fate, &mut dice), |other| other.kind);
        let category = world.catalogue.categories.iter().find(|it| it.code.as_str() == kind.code.0)?;
        let subtype = category.subtypes.iter().find(|it| it.code.as_str() == kind.code.1)?;
        let grids: Vec<AreaId> = world
            .index
            .areas()
            .iter()
            .filter(|area| area.level == schema::area::Level::Grid)
            .map(|area| area.id)
            .collect();
        let grid = same_as.map(|other| other.grid).or_else(|| pick(&mut dice, &grids).copied())?;
        let [_, _, subdistrict, root] = world.index.path(grid).try_into().ok()?;
        let of_role = |role, area| world.city.with_grant(role, area).next().map(|account| account.id);
        let position = match same_as {
            Some(other) => near(&other.position, world, grid, 250, &mut dice),
            None => somewhere(world, grid, &mut dice)?,
        };
        let clock_ms = match same_as {
            Some(other) => other.reported_ms + super::hours::number(&mut dice, 20, 900) * MINUTE_MS,
            None => start(world.now_ms, fate, kind.hours, &mut dice),
        };
        let subject = super::content::one_of(&mut dice, &kind.subjects).to_owned();
        Some(Self {
            entity: EntityId(ids::id_at(world.seed, "case", number, clock_ms)),
            world,
            number,
            fate,
            kind,
            category,
            subtype,
            grid,
            subdistrict,
            position,
            inspector: of_role(Role::Inspector, grid)?,
            supervisor: of_role(Role::Supervisor, subdistrict)?,
            above: of_role(Role::Supervisor, root)?,
            unit: None,
            clock_ms,
            reported_ms: clock_ms,
            values: Vec::new(),
            value_count: 0,
            shot_count: 0,
            held: BTreeMap::new(),
            subject,
            before: None,
            borrowed: None,
            drafts: Vec::new(),
            dice,
        })
    }

    /// The steps, none of them in the future, and what others may refer to.
    pub(super) fn finish(mut self) -> (Vec<Draft>, Told) {
        self.hurry();
        let goes_on = !matches!(self.fate, Fate::Declined | Fate::Duplicate | Fate::Void);
        let told = Told {
            entity: self.entity,
            kind: self.kind,
            grid: self.grid,
            position: self.position,
            reported_ms: self.reported_ms,
            goes_on,
            picture: self.drafts.iter().flat_map(|draft| &draft.photos).find_map(|shown| match &shown.image {
                Image::Arrives(picture) => Some(*picture),
                Image::Lost(..) => None,
            }),
        };
        (self.drafts, told)
    }

    /// Presses a tale that would end after now into the time there is, first and last step in their order.
    fn hurry(&mut self) {
        let latest_ms = self.world.now_ms.saturating_sub(2 * MINUTE_MS);
        let last_ms = self.drafts.last().map_or(0, |draft| draft.at_ms);
        if last_ms <= latest_ms {
            return;
        }
        let start_ms = self.reported_ms.min(latest_ms);
        let wanted = last_ms.saturating_sub(self.reported_ms).max(1);
        for draft in &mut self.drafts {
            let since = draft.at_ms.saturating_sub(self.reported_ms);
            // Minutes, so that the product can't overflow.
            let pressed = since / MINUTE_MS * (latest_ms - start_ms) / (wanted / MINUTE_MS).max(1);
            draft.at_ms = (start_ms + pressed).min(latest_ms);
            draft.photos.iter_mut().for_each(|shown| shown.take_before(draft.at_ms));
        }
    }

    /// Lets time pass until the next step, which is taken in these hours.
    fn wait(&mut self, minutes: (u64, u64), hours: Hours) {
        let later = self.clock_ms + number(&mut self.dice, minutes.0, minutes.1) * MINUTE_MS;
        self.clock_ms = within(later, hours, &mut self.dice);
    }

    fn chance(&mut self, percent: u64) -> bool {
        chance(&mut self.dice, percent)
    }

    fn seal(&mut self, text: &str) -> Sealed {
        self.value_count += 1;
        let name = format!("salt {}", self.number);
        let salt = Salt(ids::leading(&ids::bytes(self.world.seed, &name, self.value_count)));
        let sealed = seal(&salt, text);
        self.values.push(SealedValue { sealed: sealed.sealed, salt, value: text.to_owned() });
        sealed
    }

    /// Takes a step now, with the values sealed for it.
    fn step(&mut self, account: AccountId, body: Body, photos: Vec<Shown>) {
        let values = std::mem::take(&mut self.values);
        self.drafts.push(Draft { at_ms: self.clock_ms, account, entity: self.entity, body, values, photos });
    }

    /// A photo taken some minutes ago.
    fn snap(&mut self, role: EvidenceRole) -> Shown {
        let fixed = matches!(role, EvidenceRole::After | EvidenceRole::Check);
        let scene = match role {
            EvidenceRole::Document => pictures::drawing::Scene::Document,
            EvidenceRole::Before | EvidenceRole::After | EvidenceRole::Check | EvidenceRole::Lookback => {
                self.kind.scene
            }
        };
        self.snap_of(role, scene, fixed)
    }

    fn snap_of(&mut self, role: EvidenceRole, scene: pictures::drawing::Scene, fixed: bool) -> Shown {
        self.shot_count += 1;
        let place = ids::seed(self.world.seed, "place", self.number);
        let shot = ids::seed(self.world.seed, &format!("shot {}", self.number), self.shot_count);
        let taken_ms = self.clock_ms.saturating_sub(number(&mut self.dice, 60, 1_200) * 1000);
        let position = near(&self.position, self.world, self.grid, 90, &mut self.dice);
        let picture = Picture { shot: Shot { scene, fixed, place, shot }, taken_ms, position };
        if role == EvidenceRole::Before {
            self.before.get_or_insert(picture);
        }
        self.shown(role, picture)
    }

    /// A picture as a phone names it; now and then it is from the library, or the position was a mock.
    fn shown(&mut self, role: EvidenceRole, picture: Picture) -> Shown {
        let by = if self.chance(5) { TakenBy::Library } else { TakenBy::Camera };
        let taken = Taken {
            by,
            wall_ms: i64::try_from(picture.taken_ms).ok(),
            position: Some(picture.position),
            mock_position: self.number.is_multiple_of(97),
        };
        Shown { role, taken, image: Image::Arrives(picture) }
    }

    fn snaps(&mut self, role: EvidenceRole, count: u8) -> Vec<Shown> {
        (0..count).map(|_| self.snap(role)).collect()
    }
}

/// Structures are never settled on site.
fn kind_for(fate: Fate, dice: &mut Dice) -> &'static Kind {
    loop {
        let found = kind(dice);
        if fate != Fate::Settled || found.code.0 != "illegal_structure" {
            return found;
        }
    }
}

/// A case that somebody reports once more.
fn original<'a>(told: &'a [Told], dice: &mut Dice) -> Option<&'a Told> {
    let open: Vec<&Told> = told.iter().filter(|other| other.goes_on).collect();
    pick(dice, &open).copied()
}

fn start(now_ms: u64, fate: Fate, hours: Hours, dice: &mut Dice) -> u64 {
    let (from, to) = fate.age_days();
    let day_ms = now_ms.saturating_sub(number(dice, from, to) * DAY_MS);
    let start_ms = on_day_of(day_ms, hours, dice);
    if start_ms + 30 * MINUTE_MS < now_ms { start_ms } else { start_ms.saturating_sub(DAY_MS) }
}

/// A place in a grid, by trying around the middle of its corners.
fn somewhere(world: &World, grid: AreaId, dice: &mut Dice) -> Option<Position> {
    let ring = world.index.area(grid)?.boundary.first()?.first()?;
    let count = i64::try_from(ring.len()).ok()?;
    let middle = |part: fn(&(i32, i32)) -> i32| {
        let sum: i64 = ring.iter().map(|point| i64::from(part(point))).sum();
        i32::try_from(sum / count).ok()
    };
    let middle = Position::at(middle(|point| point.1)?, middle(|point| point.0)?);
    Some(near(&middle, world, grid, 16_000, dice))
}

/// A place near another one and in the same grid, so far away at most in 1e-7 degrees; that one if none is found.
fn near(place: &Position, world: &World, grid: AreaId, most_e7: i64, dice: &mut Dice) -> Position {
    for _ in 0..40 {
        let mut moved = |from: i32| i32::try_from(i64::from(from) + dice.between(-most_e7, most_e7)).unwrap_or(from);
        let (lat_e7, lon_e7) = (moved(place.lat_e7), moved(place.lon_e7));
        let accuracy_m = u32::try_from(dice.between(3, 28)).ok();
        let position = Position { accuracy_m, ..Position::at(lat_e7, lon_e7) };
        let located = world.index.locate(&position);
        if located.area == grid && located.grids == 1 {
            return position;
        }
    }
    *place
}
