//! What map offices send, good and clumsy.

use proptest::prelude::*;
use serde_json::json;

use super::*;

const ROOT: &str = "00000000-0000-4000-8000-000000000001";
const GRID: &str = "00000000-0000-4000-8000-000000000002";

fn district() -> JsonValue {
    let properties = json!({ "id": ROOT, "parent": null, "level": "district", "code": "371400",
        "name_zh": "示范区", "name_en": "Demo district" });
    json!({ "type": "Feature", "properties": properties, "geometry": null })
}

fn grid(rings: JsonValue) -> JsonValue {
    let properties = json!({ "id": GRID, "parent": ROOT, "level": "grid", "code": "371400001001001",
        "name_zh": "第一网格", "name_en": "Grid 1" });
    json!({ "type": "Feature", "properties": properties, "geometry": { "type": "Polygon", "coordinates": rings } })
}

fn square() -> JsonValue {
    json!([[[116.35, 37.43], [116.36, 37.43], [116.36, 37.44], [116.35, 37.44], [116.35, 37.43]]])
}

fn collection_of(features: &[JsonValue]) -> JsonValue {
    json!({ "type": "FeatureCollection", "version": "2026-1", "features": features })
}

fn read_json(document: &JsonValue) -> Result<AreaTree, Vec<Fault>> {
    read(document.to_string().as_bytes())
}

/// The one fault of a file whose grid was changed.
fn fault_with(change: impl FnOnce(&mut JsonValue)) -> Fault {
    let mut changed = grid(square());
    change(&mut changed);
    let mut faults = read_json(&collection_of(&[district(), changed])).unwrap_err();
    assert_eq!(faults.len(), 1, "{faults:?}");
    faults.remove(0)
}

fn feature_fault(change: impl FnOnce(&mut JsonValue)) -> FeatureFault {
    match fault_with(change) {
        Fault::Feature { number: 2, what, .. } => what,
        other => panic!("{other}"),
    }
}

#[test]
fn a_file_becomes_a_tree_and_a_file_again() {
    let tree = read_json(&collection_of(&[grid(square()), district()])).unwrap();
    assert_eq!(tree.version, "2026-1");
    assert_eq!(tree.areas[0].code, "371400", "parents come first, whatever the order of the file");
    assert_eq!(
        tree.areas[1].boundary,
        [[[
            (1_163_500_000, 374_300_000),
            (1_163_600_000, 374_300_000),
            (1_163_600_000, 374_400_000),
            (1_163_500_000, 374_400_000)
        ]]]
    );
    let written: JsonValue = serde_json::from_str(&write(&tree)).unwrap();
    assert_eq!(written, collection_of(&[district(), grid(square())]));
}

#[test]
fn codes_as_numbers_altitudes_chinese_levels_and_overlapping_rings_are_taken() {
    let mut clumsy = grid(json!([[
        [116.35, 37.43, 21.5],
        [116.36, 37.44, 21.5],
        [116.36, 37.43, 21.5],
        [116.35, 37.44, 21.5],
        [116.350_000_000_01, 37.43, 21.5]
    ]]));
    clumsy["properties"]["code"] = json!(371_400_001_001_001_u64);
    clumsy["properties"]["level"] = json!("网格");
    let tree = read_json(&collection_of(&[district(), clumsy])).unwrap();
    assert_eq!(tree.areas[1].code, "371400001001001");
    assert_eq!(tree.areas[1].boundary[0][0].len(), 4);
}

#[test]
fn what_is_no_collection_is_said_to_be_none() {
    let found = |found: &str| vec![Fault::NotACollection { found: found.to_owned() }];
    assert!(matches!(read(b"\xef\xbb\xbf{").unwrap_err()[0], Fault::NotJson(_)));
    assert!(matches!(read(b"").unwrap_err()[0], Fault::NotJson(_)));
    let marked = [b"\xef\xbb\xbf", collection_of(&[district(), grid(square())]).to_string().as_bytes()].concat();
    assert!(read(&marked).is_ok(), "a byte order mark is no fault");
    assert_eq!(read(b"[]").unwrap_err(), found("JSON value without a type"));
    assert_eq!(read_json(&district()).unwrap_err(), found("Feature"));
    assert_eq!(read(br#"{"type":"FeatureCollection"}"#).unwrap_err(), found("FeatureCollection"));
    assert_eq!(read_json(&collection_of(&[])).unwrap_err(), [Fault::Tree(AreaError::NoAreas)]);
    let mut document = collection_of(&[district(), grid(square())]);
    document["crs"] = json!({ "type": "name", "properties": { "name": "urn:ogc:def:crs:EPSG::3857" } });
    assert_eq!(read_json(&document).unwrap_err(), [Fault::OtherCoordinates("urn:ogc:def:crs:EPSG::3857".to_owned())]);
    document["crs"] = json!({ "type": "name", "properties": { "name": "urn:ogc:def:crs:OGC:1.3:CRS84" } });
    assert!(read_json(&document).is_ok());
    document["version"] = json!("长".repeat(41));
    assert_eq!(read_json(&document).unwrap_err(), [Fault::NoVersion]);
}

#[test]
fn each_feature_says_what_is_wrong_with_it() {
    assert_eq!(feature_fault(|grid| grid["properties"]["name_en"] = json!(" ")), FeatureFault::NoProperty("name_en"));
    assert_eq!(feature_fault(|grid| grid["properties"] = json!(null)), FeatureFault::NoProperty("id"));
    let not_an_id = |property, found: &str| FeatureFault::NotAnId { property, found: found.to_owned() };
    assert_eq!(feature_fault(|grid| grid["properties"]["id"] = json!(17)), not_an_id("id", "17"));
    assert_eq!(feature_fault(|grid| grid["properties"]["parent"] = json!("区")), not_an_id("parent", "区"));
    assert_eq!(
        feature_fault(|grid| grid["properties"]["level"] = json!("ward")),
        FeatureFault::UnknownLevel("ward".to_owned())
    );
    assert_eq!(
        feature_fault(|grid| grid["geometry"] = json!({ "type": "Point", "coordinates": [116.35, 37.43] })),
        FeatureFault::NotAPolygon("Point".to_owned())
    );
    assert_eq!(
        feature_fault(|grid| grid["geometry"]["coordinates"][0][4] = json!([116.35, 37.44])),
        FeatureFault::NotClosed { polygon: 1, ring: 1 }
    );
    assert_eq!(
        feature_fault(|grid| grid["geometry"]["coordinates"][0] = json!([])),
        FeatureFault::NotClosed { polygon: 1, ring: 1 }
    );
    assert!(matches!(feature_fault(|grid| grid["type"] = json!("Grid")), FeatureFault::NotAFeature(_)));
    assert!(matches!(feature_fault(|grid| *grid = json!(7)), FeatureFault::NotAFeature(_)));
    assert!(matches!(feature_fault(|grid| grid["geometry"]["coordinates"] = json!("x")), FeatureFault::NotAFeature(_)));
}

#[test]
fn swapped_and_projected_coordinates_are_told_apart() {
    let shown = fault_with(|grid| grid["geometry"]["coordinates"][0][1] = json!([37.43, 116.36])).to_string();
    assert_eq!(
        shown,
        "feature 2 (code 371400001001001): the point [37.43, 116.36] is not on the earth: the order is longitude, \
         latitude; here they are swapped, so swap them in the export"
    );
    let shown =
        fault_with(|grid| grid["geometry"]["coordinates"][0][1] = json!([12_950_000.5, 4_500_000.0])).to_string();
    assert!(shown.ends_with("the order is longitude, latitude, in degrees"), "{shown}");
    assert!(matches!(
        feature_fault(|grid| grid["geometry"]["coordinates"][0][1] = json!([116.35])),
        FeatureFault::PointTooShort(1) | FeatureFault::NotAFeature(_)
    ));
}

#[test]
fn what_is_no_tree_is_said_by_code() {
    let unknown = ROOT.replace("0001", "0009");
    assert_eq!(
        fault_with(|grid| grid["properties"]["parent"] = json!(unknown)),
        Fault::Tree(AreaError::UnknownParent { code: "371400001001001".to_owned(), parent: unknown.parse().unwrap() })
    );
    assert_eq!(
        fault_with(|grid| grid["geometry"] = json!(null)),
        Fault::Tree(AreaError::NoBoundary { code: "371400001001001".to_owned() })
    );
    assert!(matches!(
        fault_with(|grid| grid["properties"]["parent"] = json!(null)),
        Fault::Tree(AreaError::SeveralRoots { .. })
    ));
}

#[test]
fn all_wrong_features_are_listed_up_to_a_limit() {
    let wrong = json!({ "type": "Feature", "properties": {}, "geometry": null });
    let faults = read_json(&collection_of(&vec![wrong; 60])).unwrap_err();
    assert_eq!(faults.len(), FAULTS_MAX);
    assert_eq!(faults[49].to_string(), "feature 50: the property \"id\" is missing or empty: fill it in");
}

#[test]
fn degrees_are_rounded_in_decimal_and_bounded() {
    assert_eq!(degrees_e7(116.350_000_04, 180), Some(1_163_500_000));
    assert_eq!(degrees_e7(116.350_000_06, 180), Some(1_163_500_001));
    assert_eq!(degrees_e7(-0.000_000_04, 180), Some(0));
    assert_eq!(degrees_e7(-0.000_000_1, 180), Some(-1));
    assert_eq!(degrees_e7(-180.0, 180), Some(-1_800_000_000));
    assert_eq!(degrees_e7(180.000_000_1, 180), None);
    assert_eq!(degrees_e7(90.000_000_1, 90), None);
    assert_eq!(degrees_e7(1e300, 180), None);
    assert_eq!(degrees_e7(f64::NAN, 180), None);
}

proptest! {
    /// Exporting and importing again moves no line by any amount.
    #[test]
    fn every_point_survives_the_way_through_degrees(
        points in prop::collection::vec((-1_800_000_000..=1_800_000_000_i32, -900_000_000..=900_000_000_i32), 3..9)
    ) {
        let mut tree = read_json(&collection_of(&[district(), grid(square())])).unwrap();
        tree.areas[1].boundary = vec![vec![points.clone()], vec![points]];
        prop_assume!(tree.areas[1].boundary[0][0].windows(2).all(|pair| pair[0] != pair[1]));
        prop_assert_eq!(read(write(&tree).as_bytes()), Ok(tree));
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        prop_assert!(read(&bytes).is_err());
    }
}
