//! Area trees as GeoJSON: what a city's map office sends in, and what it gets back.
//! It reads and writes one document; whether the tree takes effect is decided elsewhere.

use geojson::{Feature, FeatureCollection, Geometry, GeometryValue, JsonObject, JsonValue, Position};
use schema::area::{Area, AreaTree, Level};
use schema::catalogue::Text;
use schema::ids::AreaId;
use sync_core::area::{AreaError, AreaIndex};

#[cfg(test)]
mod tests;
mod words;

/// The longest version of a tree.
const VERSION_CHARS_MAX: usize = 40;
/// So many faults are listed: a file with more has one cause.
const FAULTS_MAX: usize = 50;

/// What is wrong with a GeoJSON document, where, and what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// The bytes are not JSON.
    #[error("the file is not JSON: {0}; export it again as GeoJSON")]
    NotJson(String),
    /// It is JSON, but no feature collection.
    #[error("the file is a {found}, not a FeatureCollection: export all areas into one GeoJSON file")]
    NotACollection {
        /// Its `type`, or what it is instead.
        found: String,
    },
    /// Its coordinates are of another kind.
    #[error("the coordinate system is {0:?}: export it as WGS-84 (EPSG:4326), in degrees")]
    OtherCoordinates(String),
    /// There is no good `version` beside `features`.
    #[error("the file has no \"version\" of 1 to 40 characters beside \"features\": add one, new for each import")]
    NoVersion,
    /// One feature is wrong.
    #[error("feature {number}{}: {what}", code.as_ref().map(|code| format!(" (code {code})")).unwrap_or_default())]
    Feature {
        /// Its place in the file, from 1.
        number: usize,
        /// Its code, if it has one.
        code: Option<String>,
        /// What is wrong with it.
        what: FeatureFault,
    },
    /// The features do not make a tree.
    #[error(transparent)]
    Tree(#[from] AreaError),
}

/// What is wrong with one feature.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FeatureFault {
    /// It is no feature.
    #[error("it can't be read as a GeoJSON feature: {0}")]
    NotAFeature(String),
    /// A property is missing or empty.
    #[error("the property {0:?} is missing or empty: fill it in")]
    NoProperty(&'static str),
    /// An id is no id.
    #[error("the property {property:?} is {found:?}: it must be a lower-case hyphenated UUID")]
    NotAnId {
        /// The property.
        property: &'static str,
        /// What it holds.
        found: String,
    },
    /// The level is none of the four.
    #[error("the level is {0:?}: it must be district, subdistrict, community or grid (区, 街道, 社区, 网格)")]
    UnknownLevel(String),
    /// The geometry is no area.
    #[error("the geometry is a {0}: an area is drawn as Polygon or MultiPolygon")]
    NotAPolygon(String),
    /// A point has no two numbers.
    #[error("a point has {0} numbers: it needs longitude and latitude")]
    PointTooShort(usize),
    /// A point is not on the earth.
    #[error("the point [{lon}, {lat}] is not on the earth: the order is longitude, latitude{}", swapped_hint(*swapped))]
    OutOfRange {
        /// The longitude as written.
        lon: String,
        /// The latitude as written.
        lat: String,
        /// It would be, the other way round.
        swapped: bool,
    },
    /// A ring does not end where it begins.
    #[error("ring {ring} of polygon {polygon} is not closed: its last point must repeat its first")]
    NotClosed {
        /// Which polygon, from 1.
        polygon: usize,
        /// Which of its rings, from 1.
        ring: usize,
    },
}

fn swapped_hint(swapped: bool) -> &'static str {
    if swapped { "; here they are swapped, so swap them in the export" } else { ", in degrees" }
}

/// Reads a FeatureCollection as an area tree. Features may come in any order: they are put parents first.
///
/// # Errors
/// What is wrong, feature by feature; never empty.
pub fn read(document: &[u8]) -> Result<AreaTree, Vec<Fault>> {
    let (version, features) = collection(document).map_err(|fault| vec![fault])?;
    let mut areas = Vec::with_capacity(features.len());
    let mut faults = Vec::new();
    for (number, feature) in (1..).zip(features) {
        let code = feature.pointer("/properties/code").and_then(plain);
        match area(feature) {
            Ok(area) => areas.push(area),
            Err(what) => faults.push(Fault::Feature { number, code, what }),
        }
        if faults.len() == FAULTS_MAX {
            break;
        }
    }
    if !faults.is_empty() {
        return Err(faults);
    }
    areas.sort_by_key(|area| area.level);
    let tree = AreaTree { version, areas };
    match AreaIndex::new(&tree) {
        Ok(_) => Ok(tree),
        Err(error) => Err(vec![error.into()]),
    }
}

/// Writes an area tree as a FeatureCollection that [`read`] reads back as the same tree.
pub fn write(tree: &AreaTree) -> String {
    let mut collection = FeatureCollection::new(tree.areas.iter().map(feature));
    let version = JsonValue::from(tree.version.clone());
    collection.foreign_members = Some(JsonObject::from_iter([("version".to_owned(), version)]));
    collection.to_string()
}

fn collection(document: &[u8]) -> Result<(String, Vec<JsonValue>), Fault> {
    // Windows programs put a byte order mark before UTF-8, which JSON does not allow.
    let document = document.strip_prefix(b"\xef\xbb\xbf").unwrap_or(document);
    let json: JsonValue = serde_json::from_slice(document).map_err(|error| Fault::NotJson(error.to_string()))?;
    let found = json.get("type").and_then(JsonValue::as_str).unwrap_or("JSON value without a type").to_owned();
    let JsonValue::Object(mut members) = json else { return Err(Fault::NotACollection { found }) };
    let features = match members.remove("features") {
        Some(JsonValue::Array(features)) if found == "FeatureCollection" => features,
        _ => return Err(Fault::NotACollection { found }),
    };
    let crs = members.get("crs").and_then(|crs| crs.pointer("/properties/name")).and_then(plain);
    if let Some(name) = crs.filter(|name| !["CRS84", "4326", "4490"].iter().any(|known| name.ends_with(known))) {
        return Err(Fault::OtherCoordinates(name));
    }
    let version = members.get("version").and_then(plain).filter(|text| text.chars().count() <= VERSION_CHARS_MAX);
    Ok((version.ok_or(Fault::NoVersion)?, features))
}

/// A text, or a whole number as text: map programs turn codes of digits into numbers.
fn plain(value: &JsonValue) -> Option<String> {
    let text = match value {
        JsonValue::String(text) => text.trim().to_owned(),
        JsonValue::Number(number) if !number.is_f64() => number.to_string(),
        _ => String::new(),
    };
    (!text.is_empty()).then_some(text)
}

fn area(feature: JsonValue) -> Result<Area, FeatureFault> {
    let feature: Feature =
        serde_json::from_value(feature).map_err(|error| FeatureFault::NotAFeature(error.to_string()))?;
    let property = |name: &'static str| feature.property(name).and_then(plain);
    let needed = |name| property(name).ok_or(FeatureFault::NoProperty(name));
    let id_in = |name, found: String| found.parse().map_err(|_| FeatureFault::NotAnId { property: name, found });
    let parent: Option<AreaId> = property("parent").map(|text| id_in("parent", text)).transpose()?;
    Ok(Area {
        id: id_in("id", needed("id")?)?,
        parent,
        level: level(&needed("level")?)?,
        code: needed("code")?,
        name: Text { zh: needed("name_zh")?, en: needed("name_en")? },
        boundary: boundary(feature.geometry.as_ref())?,
    })
}

fn level(text: &str) -> Result<Level, FeatureFault> {
    match text {
        "district" | "区" => Ok(Level::District),
        "subdistrict" | "街道" | "镇" => Ok(Level::Subdistrict),
        "community" | "社区" | "村" => Ok(Level::Community),
        "grid" | "网格" => Ok(Level::Grid),
        other => Err(FeatureFault::UnknownLevel(other.to_owned())),
    }
}

fn level_name(level: Level) -> &'static str {
    match level {
        Level::District => "district",
        Level::Subdistrict => "subdistrict",
        Level::Community => "community",
        Level::Grid => "grid",
    }
}

type Ring = Vec<(i32, i32)>;

fn boundary(geometry: Option<&Geometry>) -> Result<Vec<Vec<Ring>>, FeatureFault> {
    let polygons: &[Vec<Vec<Position>>] = match geometry.map(|geometry| &geometry.value) {
        None => &[],
        Some(GeometryValue::Polygon { coordinates }) => std::slice::from_ref(coordinates),
        Some(GeometryValue::MultiPolygon { coordinates }) => coordinates,
        Some(other) => return Err(FeatureFault::NotAPolygon(other.type_name().to_owned())),
    };
    let rings = |(polygon, rings): (usize, &Vec<Vec<Position>>)| {
        (1..).zip(rings).map(|(ring, points)| open_ring(points, polygon, ring)).collect()
    };
    (1..).zip(polygons).map(rings).collect()
}

/// A ring without the repeated first point, and without points that became equal by rounding.
fn open_ring(points: &[Position], polygon: usize, ring: usize) -> Result<Ring, FeatureFault> {
    let mut open: Ring = points.iter().map(point).collect::<Result<_, _>>()?;
    if open.first() != open.last() || points.len() < 2 {
        return Err(FeatureFault::NotClosed { polygon, ring });
    }
    open.pop();
    open.dedup();
    Ok(open)
}

fn point(position: &Position) -> Result<(i32, i32), FeatureFault> {
    let [lon, lat, ..] = position.as_slice() else { return Err(FeatureFault::PointTooShort(position.len())) };
    match (degrees_e7(*lon, 180), degrees_e7(*lat, 90)) {
        (Some(lon_e7), Some(lat_e7)) => Ok((lon_e7, lat_e7)),
        _ => {
            let swapped = degrees_e7(*lat, 180).is_some() && degrees_e7(*lon, 90).is_some();
            Err(FeatureFault::OutOfRange { lon: lon.to_string(), lat: lat.to_string(), swapped })
        }
    }
}

/// Rounded in decimal, by the shortest way there is: as text with seven digits behind the point, which is exact.
/// Equal numbers in a file become equal points, so areas that abut there abut here.
fn degrees_e7(degrees: f64, most: i32) -> Option<i32> {
    let units: i32 = format!("{degrees:.7}").replace('.', "").parse().ok()?;
    (units.unsigned_abs() <= most.unsigned_abs() * 10_000_000).then_some(units)
}

fn feature(area: &Area) -> Feature {
    let closed = |ring: &Ring| -> Vec<Position> {
        let degrees = |e7: i32| f64::from(e7) / 1e7;
        ring.iter().chain(ring.first()).map(|(lon, lat)| Position::from([degrees(*lon), degrees(*lat)])).collect()
    };
    let mut polygons: Vec<Vec<Vec<Position>>> =
        area.boundary.iter().map(|rings| rings.iter().map(closed).collect()).collect();
    let value = match polygons.len() {
        0 => None,
        1 => polygons.pop().map(|coordinates| GeometryValue::Polygon { coordinates }),
        _ => Some(GeometryValue::MultiPolygon { coordinates: polygons }),
    };
    let parent = area.parent.map_or(JsonValue::Null, |parent| parent.to_string().into());
    let properties: [(&str, JsonValue); 6] = [
        ("id", area.id.to_string().into()),
        ("parent", parent),
        ("level", level_name(area.level).into()),
        ("code", area.code.clone().into()),
        ("name_zh", area.name.zh.clone().into()),
        ("name_en", area.name.en.clone().into()),
    ];
    Feature {
        geometry: value.map(Geometry::new),
        properties: Some(properties.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()),
        ..Feature::default()
    }
}
