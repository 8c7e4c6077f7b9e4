//! Catalogues and values that fit, and each way in which they do not.

use proptest::prelude::*;
use schema::catalogue::{
    CITY_CATALOGUE, EvidenceNeeds, LookBackDays, LookBacks, Mask, Numbering, RelapseBy, Required, Text,
};
use serde_json::json;

use super::*;

fn code(text: &str) -> Code {
    text.parse().unwrap()
}

fn text(word: &str) -> Text {
    Text { zh: format!("{word}（中）"), en: word.to_owned() }
}

fn one_of(codes: &[&str]) -> Vec<Choice> {
    codes.iter().map(|word| Choice { code: code(word), name: text(word) }).collect()
}

fn spec(holds: FieldKind) -> FieldSpec {
    FieldSpec { code: code("thing"), label: text("thing"), holds, required: Required::No }
}

fn number(scale: u8, min: i64, max: i64) -> FieldSpec {
    spec(FieldKind::Number { unit: "m²".to_owned(), scale, min, max })
}

fn in_unit(unit: &str) -> FieldSpec {
    spec(FieldKind::Number { unit: unit.to_owned(), scale: 0, min: 0, max: 1 })
}

fn material() -> FieldSpec {
    spec(FieldKind::Choice { choices: one_of(&["brick", "steel"]) })
}

fn personal() -> FieldSpec {
    spec(FieldKind::Personal { readers: ReaderClass::Handlers, mask: Mask::Whole })
}

fn reference() -> FieldSpec {
    spec(FieldKind::Reference { register: text("dogs") })
}

fn small() -> Catalogue {
    let subtype = Subtype {
        code: code("shed"),
        name: text("shed"),
        subject: Some(text("house")),
        fields: vec![material()],
        filing_conditions: one_of(&["stands"]),
        closing_conditions: one_of(&["gone"]),
        evidence: EvidenceNeeds { before: 1, after: 1, check: 1 },
        settle_outcomes: vec![],
        legal_basis: vec![text("law")],
        stages: Vec::new(),
        look_backs: None,
        relapse_by: None,
    };
    Catalogue {
        archive_days: None,
        photo_side_px: None,
        stages: Vec::new(),
        version: "1".to_owned(),
        title: text("small"),
        numbering: Numbering { format: "A{year}{serial:05}".to_owned() },
        decline_reasons: one_of(&["nothing_there"]),
        return_reasons: one_of(&["not_ours"]),
        categories: vec![Category {
            code: code("building"),
            name: text("building"),
            look_backs: None,
            relapse_by: None,
            subtypes: vec![subtype],
        }],
    }
}

#[test]
fn a_subtype_is_found_by_category_and_code() {
    let catalogue = small();
    let (category, shed) = subtype(&catalogue, &code("building"), &code("shed")).unwrap();
    assert_eq!((category.code.as_str(), shed.code.as_str()), ("building", "shed"));
    assert!(subtype(&catalogue, &code("building"), &code("tower")).is_none());
    assert!(subtype(&catalogue, &code("shed"), &code("shed")).is_none());
    assert_eq!(field(shed, &code("thing")), Some(&material()));
    assert_eq!(choice(&shed.closing_conditions, &code("gone")).unwrap().name, text("gone"));
}

#[test]
fn the_shipped_catalogue_has_no_faults() {
    let catalogue = read(CITY_CATALOGUE.as_bytes()).unwrap();
    let subtypes: Vec<String> = catalogue
        .categories
        .iter()
        .flat_map(|category| category.subtypes.iter().map(move |subtype| format!("{} {}", category.code, subtype.code)))
        .collect();
    assert_eq!(
        subtypes,
        [
            "illegal_structure being_built",
            "illegal_structure built",
            "dog unleashed",
            "dog faeces",
            "dog banned_place",
            "stall road_occupation",
            "stall unlicensed",
            "stall shop_overflow",
            "stall licensed_outside_terms",
            "stall open_air_barbecue",
        ]
    );
    for category in &catalogue.categories {
        let on_site = category.code.as_str() != "illegal_structure";
        assert!(category.subtypes.iter().all(|subtype| subtype.settle_outcomes.is_empty() != on_site));
    }
}

#[test]
fn photos_are_neither_illegible_nor_too_heavy() {
    let of = |side| faults(&Catalogue { photo_side_px: Some(side), ..small() }).len();
    assert_eq!((of(639), of(640), of(4096), of(4097)), (1, 0, 0, 1));
}

#[test]
fn a_good_catalogue_has_no_faults_and_no_unknown_members() {
    assert_eq!(faults(&small()), Vec::new());
    let mut document = serde_json::to_value(small()).unwrap();
    assert_eq!(read(document.to_string().as_bytes()), Ok(small()));
    document["categories"][0]["limit"] = json!(15);
    let shown = read(document.to_string().as_bytes()).unwrap_err();
    assert!(shown[0].to_string().contains("unknown field `limit`"), "{shown:?}");
}

#[test]
fn a_plan_of_look_backs_that_nobody_can_keep_is_a_fault() {
    let looks = |days: &[(u16, u16)]| -> Vec<LookBackDays> {
        days.iter().map(|(days, window_days)| LookBackDays { days: *days, window_days: *window_days }).collect()
    };
    let of = |plan: &[(u16, u16)], then: &[(u16, u16)], levels: &[u16]| {
        let (plan, after_relapse) = (looks(plan), looks(then));
        let mut catalogue = small();
        catalogue.categories[0].look_backs =
            Some(LookBacks { plan, after_relapse, escalates_after_days: levels.to_vec() });
        faults(&catalogue).iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    assert!(of(&[(7, 7), (30, 7)], &[(3, 7), (14, 7)], &[1, 3]).is_empty());
    assert!(of(&[], &[], &[]).is_empty(), "nobody looks");
    for (found, expected) in [
        (of(&[(0, 7)], &[], &[]), "building.look_backs.plan: day 0"),
        (of(&[(7, 6)], &[], &[]), "building.look_backs.plan: a window of 6 days"),
        (of(&[(7, 14), (20, 7)], &[], &[]), "building.look_backs.plan: day 20"),
        (of(&[(30, 7), (7, 7)], &[], &[]), "building.look_backs.plan: day 7"),
        (of(&[(7, 7)], &[(7, 7)], &[]), "building.look_backs.after_relapse: is not sooner"),
        (of(&[(7, 7), (30, 7)], &[(3, 7)], &[]), "building.look_backs.after_relapse: is not sooner"),
        (of(&[], &[(3, 7)], &[]), "building.look_backs.after_relapse: is not sooner"),
        (of(&[(7, 7)], &[], &[3, 3]), "building.look_backs.escalates_after_days: must rise"),
    ] {
        assert!(found.iter().any(|fault| fault.starts_with(expected)), "{expected}: {found:?}");
    }
}

#[test]
fn what_tells_a_relapse_must_be_there_to_be_told() {
    let of = |by: RelapseBy, subject: bool| {
        let mut catalogue = small();
        catalogue.categories[0].relapse_by = Some(by);
        catalogue.categories[0].subtypes[0].subject.take_if(|_| !subject);
        faults(&catalogue).len()
    };
    assert_eq!(of(RelapseBy::Subject { radius_m: 50, days: 180 }, true), 0);
    assert_eq!(of(RelapseBy::Subject { radius_m: 50, days: 180 }, false), 1, "it has no subject");
    assert_eq!(of(RelapseBy::Place { radius_m: 50, days: 180 }, false), 0);
    assert_eq!(of(RelapseBy::Place { radius_m: 0, days: 180 }, true), 1);
    assert_eq!(of(RelapseBy::Place { radius_m: 50, days: 181 }, true), 1, "the case may have left the phones by then");
    assert_eq!(of(RelapseBy::None, false), 0);
    let strange = br#"{"by":"smell","days":3}"#;
    assert!(serde_json::from_slice::<RelapseBy>(strange).is_err(), "an unknown one is an error, never a default");
}

#[test]
fn each_fault_is_found_with_its_place() {
    type Change = fn(&mut Catalogue);
    fn shed(catalogue: &mut Catalogue) -> &mut Subtype {
        &mut catalogue.categories[0].subtypes[0]
    }
    let table: &[(Change, &str)] = &[
        (|c| c.version.clear(), "version: has 0 characters"),
        (|c| c.version = "长".repeat(41), "version: has 41 characters"),
        (|c| c.title.en = " ".to_owned(), "title: the en text is empty"),
        (|c| c.numbering.format = "A{serial}".to_owned(), "numbering.format: {year} and {serial} must each"),
        (|c| c.title.zh = "a\0b".to_owned(), "title: the zh text holds control characters"),
        (|c| c.categories.clear(), "categories: is empty"),
        (|c| c.categories.push(c.categories[0].clone()), "categories: building stands there twice"),
        (|c| c.categories[0].subtypes.clear(), "building.subtypes: is empty"),
        (|c| c.decline_reasons = one_of(&["a", "a"]), "decline_reasons: a stands there twice"),
        (|c| c.return_reasons[0].name.zh.clear(), "return_reasons.not_ours: the zh text is empty"),
        (|c| shed(c).name.zh.clear(), "building.shed.name: the zh text is empty"),
        (
            |c| shed(c).subject = Some(Text { zh: "门牌".to_owned(), en: String::new() }),
            "building.shed.subject: the en",
        ),
        (|c| shed(c).filing_conditions.clear(), "building.shed.filing_conditions: is empty"),
        (|c| shed(c).closing_conditions.clear(), "building.shed.closing_conditions: is empty"),
        (|c| shed(c).settle_outcomes = one_of(&["b", "b"]), "building.shed.settle_outcomes: b stands there twice"),
        (|c| shed(c).evidence.after = 21, "building.shed: needs 21 after photos"),
        (|c| shed(c).legal_basis[0].en.clear(), "building.shed.legal_basis: the en text"),
        (|c| shed(c).fields.push(material()), "building.shed.fields: thing stands there twice"),
        (|c| shed(c).fields[0].label.zh.clear(), "building.shed.thing.label: the zh text"),
        (|c| shed(c).fields = vec![spec(FieldKind::Choice { choices: vec![] })], "building.shed.thing: is empty"),
        (|c| shed(c).fields = vec![number(10, 0, 1)], "building.shed.thing: scale is 10"),
        (|c| shed(c).fields = vec![number(0, 2, 1)], "building.shed.thing: min 2 is above max 1"),
        (|c| shed(c).fields = vec![in_unit(" ")], "building.shed.thing: the unit \" \" can't be"),
        (|c| shed(c).fields = vec![spec(FieldKind::Text { chars_max: 0 })], "building.shed.thing: chars_max is 0"),
        (|c| shed(c).fields = vec![spec(FieldKind::Text { chars_max: 81 })], "building.shed.thing: chars_max is 81"),
        (
            |c| shed(c).fields = vec![FieldSpec { required: Required::Report, ..personal() }],
            "building.shed.thing: a personal value can't be required at the report",
        ),
    ];
    for (change, expected) in table {
        let mut catalogue = small();
        change(&mut catalogue);
        let found = faults(&catalogue);
        assert!(
            found.iter().any(|fault| fault.to_string().starts_with(expected) && !fault.what.zh.is_empty()),
            "{expected:?} is not in {found:?}"
        );
    }
}

#[test]
fn the_older_form_of_numbering_is_read_as_its_format() {
    let read = |numbering: Value| serde_json::from_value::<Numbering>(numbering).ok().map(|it| it.format);
    assert_eq!(read(json!({"prefix": "ZG", "digits": 5})).as_deref(), Some("ZG{year}{serial:05}"));
    assert_eq!(read(json!({"prefix": "{", "digits": 1})).as_deref(), Some("{{{year}{serial:01}"));
    assert_eq!(read(json!({"format": "{year}{serial}"})).as_deref(), Some("{year}{serial}"));
    for wrong in [json!({}), json!({"prefix": "A"}), json!({"format": "a", "digits": 1}), json!({"form": "a"})] {
        assert_eq!(read(wrong.clone()), None, "{wrong}");
    }
}

#[test]
fn a_name_used_twice_in_a_list_is_a_fault() {
    let mut catalogue = small();
    catalogue.decline_reasons = one_of(&["a", "b"]);
    catalogue.decline_reasons[1].name = text("a");
    assert_eq!(faults(&catalogue).len(), 2, "once for each language");
}

#[test]
fn values_fit_or_say_why_not() {
    let short = spec(FieldKind::Text { chars_max: 3 });
    let long = spec(FieldKind::Text { chars_max: 300 });
    let yes_no = spec(FieldKind::YesNo);
    let hash = "0".repeat(64);
    let table = [
        (&short, json!("三个字"), Ok(())),
        (&short, json!("四个字了"), Err(Misfit::Range)),
        (&short, json!(" "), Err(Misfit::Range)),
        (&short, json!(3), Err(Misfit::Type)),
        (&long, json!("字".repeat(80)), Ok(())),
        (&long, json!("字".repeat(81)), Err(Misfit::Range)),
        (&number(1, 0, 99), json!(99), Ok(())),
        (&number(1, 0, 99), json!(100), Err(Misfit::Range)),
        (&number(1, 0, 99), json!(-1), Err(Misfit::Range)),
        (&number(1, 0, 99), json!(9.5), Err(Misfit::Type)),
        (&number(1, 0, 99), json!("9"), Err(Misfit::Type)),
        (&number(0, 0, i64::MAX), json!(u64::MAX), Err(Misfit::Type)),
        (&material(), json!("brick"), Ok(())),
        (&material(), json!("straw"), Err(Misfit::Choice)),
        (&material(), json!(["brick"]), Err(Misfit::Type)),
        (&yes_no, json!(false), Ok(())),
        (&yes_no, json!("no"), Err(Misfit::Type)),
        (&reference(), json!("QZ-0042"), Ok(())),
        (&reference(), json!(""), Err(Misfit::Range)),
        (&reference(), json!(null), Err(Misfit::Type)),
        (&personal(), json!({ "sealed": hash }), Ok(())),
        (&personal(), json!({ "sealed": "0" }), Err(Misfit::Type)),
        (&personal(), json!({ "sealed": hash, "value": "plain" }), Err(Misfit::Type)),
        (&personal(), json!("plain"), Err(Misfit::Type)),
    ];
    for (spec, value, expected) in table {
        assert_eq!(fits(spec, &value), expected, "{value} in {:?}", spec.holds);
    }
    assert_eq!(readers(&personal()), Some(ReaderClass::Handlers));
    assert_eq!(readers(&material()), None);
}

#[test]
fn what_people_type_is_read_as_the_field_holds_it() {
    let area = number(1, 0, 1_000_000);
    let yes_no = spec(FieldKind::YesNo);
    let table = [
        (&area, "35.5", Ok(json!(355))),
        (&area, " 35 ", Ok(json!(350))),
        (&area, ".5", Ok(json!(5))),
        (&area, "+7.", Ok(json!(70))),
        (&area, "35.5 m²", Ok(json!(355))),
        (&area, "３５．５", Ok(json!(355))),
        (&area, "35.55", Err(Misfit::Range)),
        (&area, "-0.1", Err(Misfit::Range)),
        (&area, "100000.1", Err(Misfit::Range)),
        (&area, "99999999999999999999", Err(Misfit::Range)),
        (&area, "3.5.1", Err(Misfit::Type)),
        (&area, "1e3", Err(Misfit::Type)),
        (&area, ".", Err(Misfit::Type)),
        (&area, "-", Err(Misfit::Type)),
        (&area, "", Err(Misfit::Type)),
        (&area, "三", Err(Misfit::Type)),
        (&yes_no, "是", Ok(json!(true))),
        (&yes_no, "YES", Ok(json!(true))),
        (&yes_no, "否", Ok(json!(false))),
        (&yes_no, "false", Ok(json!(false))),
        (&yes_no, "maybe", Err(Misfit::Type)),
        (&material(), "brick", Ok(json!("brick"))),
        (&material(), "steel（中）", Ok(json!("steel"))),
        (&material(), "Steel", Ok(json!("steel"))),
        (&material(), "straw", Err(Misfit::Choice)),
        (&personal(), " 138 0000 0000 ", Ok(json!("138 0000 0000"))),
        (&personal(), "  ", Err(Misfit::Range)),
        (&reference(), "QZ-0042", Ok(json!("QZ-0042"))),
        (&reference(), "", Err(Misfit::Range)),
    ];
    for (spec, typed, expected) in table {
        assert_eq!(read_typed(spec, typed), expected, "{typed:?} in {:?}", spec.holds);
    }
}

proptest! {
    /// What is shown is read back as what was held, at every scale.
    #[test]
    fn numbers_are_read_exactly(held in any::<i64>(), scale in 0_u8..=9) {
        let sign = if held < 0 { "-" } else { "" };
        let digits = format!("{:0>width$}", held.unsigned_abs(), width = usize::from(scale) + 1);
        let (whole, fraction) = digits.split_at(digits.len() - usize::from(scale));
        let shown = if scale == 0 { format!("{sign}{whole}") } else { format!("{sign}{whole}.{fraction}") };
        prop_assert_eq!(read_typed(&number(scale, i64::MIN, i64::MAX), &shown), Ok(json!(held)));
    }

    #[test]
    fn whatever_is_typed_is_read_or_refused(typed in any::<String>()) {
        for spec in [number(3, -5, 5), material(), personal(), reference(), spec(FieldKind::YesNo)] {
            let read = read_typed(&spec, &typed);
            if let (Ok(value), None) = (read, readers(&spec)) {
                prop_assert_eq!(fits(&spec, &value), Ok(()));
            }
        }
    }
}
