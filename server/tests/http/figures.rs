//! Figures over HTTP: who gets which, what is refused, that each number opens its cases, and that what was published
//! stays as it was.

use std::collections::BTreeSet;

use schema::catalogue::Text;
use schema::hash::Hash;
use schema::ids::UnitId;
use schema::op::{Assign, Body, Decline, File, Reason, Role, Sealed, SettleOnSite};
use serde_json::{Value, json};
use sync_core::line::sha256;

use super::photo_signals::report_in_a4;
use super::reading::{case, report};
use super::world::{Phone, Reply, World, area};

const DAY_MS: u64 = 24 * 3600 * 1000;
/// The world begins on 29 May 2026, early in the morning; 40 days later it is 8 July.
const MONTH: &str = "from=2026-05-29&until=2026-07-08";

struct Town {
    world: World,
    inspector: Phone,
    chief: Phone,
    east: Phone,
    auditor: Phone,
    unit: UnitId,
}

fn stall(body: Body) -> Body {
    let Body::Report(mut stall) = body else { panic!("a report") };
    stall.category = "stall".parse().unwrap();
    stall.subject = Some("12".into());
    stall.fields.insert("goods".parse().unwrap(), json!("fruit_vegetables"));
    Body::Report(stall)
}

impl Town {
    /// Three reports and one settled on site in A3, two reports in A4. One is declined, the others are filed, one of
    /// them is with a unit. Then 40 days pass.
    async fn new() -> Self {
        let world = World::start().await;
        let name = Text { zh: "一中队".into(), en: "Squad 1".into() };
        let unit = world.running.app.installation.add_unit(name, None).await.unwrap();
        let inspector = world.phone("li", Role::Inspector, "A3").await;
        let other = world.phone("wu", Role::Inspector, "A4").await;
        let chief = world.phone("sun", Role::Supervisor, "A0").await;
        let east = world.phone("gao", Role::Supervisor, "A4").await;
        let auditor = world.phone("he", Role::Auditor, "A0").await;
        let Body::Report(settled) = stall(report(&[])) else { panic!("a report") };
        let settled = Body::SettleOnSite(SettleOnSite { report: settled, outcome: "persuaded_left".parse().unwrap() });
        let here: Vec<_> = (1..=3).map(|nth| (case(nth), stall(report(&[])))).collect();
        world.push(&inspector, &here).await;
        world.push(&inspector, &[(case(6), settled)]).await;
        let there: Vec<_> = (4..=5).map(|nth| (case(nth), stall(report_in_a4(&[])))).collect();
        world.push(&other, &there).await;
        let file = || Body::File(File { condition: "occupies_road".parse().unwrap() });
        let decline = Body::Decline(Decline { reason: "no_violation".parse().unwrap(), note: None });
        let (co_units, co_limits) = (Vec::new(), Default::default());
        let assign = Body::Assign(Assign { unit, co_units, co_limits, holder: None, note: None });
        let mut steps: Vec<_> = [1, 2, 4, 5].map(|nth| (case(nth), file())).into();
        steps.extend([(case(3), decline), (case(1), assign)]);
        let said = serde_json::to_string(&world.push(&chief, &steps).await).unwrap();
        assert_eq!(said.matches(r#"\"outcome\":\"accepted\""#).count(), 6, "{said}");
        let mut town = Self { world, inspector, chief, east, auditor, unit };
        town.later(40 * DAY_MS).await;
        town
    }

    /// Time passes, and everybody goes on with new tokens.
    async fn later(&mut self, ms: u64) {
        self.world.later(ms);
        for phone in [&mut self.inspector, &mut self.chief, &mut self.east, &mut self.auditor] {
            let refresh = json!({"refresh": phone.enrolled.tokens.refresh});
            let reply = self.world.post("/v1/token", &refresh).await;
            phone.enrolled.tokens = serde_json::from_slice(&reply.body).unwrap();
        }
    }

    fn path(&self, rest: &str) -> String {
        format!("/v1/logs/{}/figures{rest}", self.chief.log())
    }

    async fn get(&self, phone: &Phone, rest: &str) -> Reply {
        self.world.get(&self.path(rest), phone.token()).await
    }

    async fn publish(&self, phone: &Phone, reason: Option<&str>) -> Reply {
        let mut body = json!({"from": "2026-05-29", "until": "2026-07-08", "by": "category", "area": area(0)});
        if let Some(reason) = reason {
            body["reason"] = json!(reason);
        }
        let token = format!("Bearer {}", phone.token());
        let headers = [("authorization", token.as_str()), ("content-type", "application/json")];
        self.world.send("POST", &self.path("/published"), &headers, body.to_string().as_bytes()).await
    }

    /// The cases behind a count, a page at a time: how often they count, and which they are.
    async fn listed(&self, phone: &Phone, rest: &str) -> (u64, BTreeSet<String>) {
        let page = self.get(phone, rest).await;
        assert_eq!(page.status, 200, "{rest}: {}", page.text());
        assert_eq!(page.json()["next"], Value::Null);
        let rows = page.json()["cases"].as_array().unwrap().clone();
        let times = rows.iter().map(|row| row["times"].as_u64().unwrap()).sum();
        (times, rows.iter().map(|row| row["case"].as_str().unwrap().to_owned()).collect())
    }
}

fn count(row: &Value, measure: &str) -> u64 {
    row["counts"][measure].as_u64().unwrap_or(0)
}

#[actix_web::test]
async fn the_figures_of_a_month_count_each_case_where_it_belongs() {
    let town = Town::new().await;
    let answer = town.get(&town.chief, &format!("?{MONTH}&by=unit")).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let figures = answer.json();
    let total = &figures["total"];
    for (measure, expected) in [
        ("reported", 5),
        ("filed", 4),
        ("settled_on_site", 1),
        ("left_declined", 1),
        ("due", 4),
        ("closed", 0),
        ("unit_due", 2),
        ("unit_on_time", 0),
        ("received", 1),
    ] {
        assert_eq!(count(total, measure), expected, "{measure}: {total}");
    }
    assert_eq!(total["rates"]["filing"], json!({"numerator": 4, "denominator": 5, "percent": "80.00"}));
    assert_eq!(total["rates"]["closing"]["percent"], "0.00");
    assert_eq!(total["rates"]["first_pass"]["percent"], Value::Null, "nothing was checked: no rate");
    let rows = figures["rows"].as_array().unwrap();
    let unit = rows.iter().find(|row| row["group"] == town.unit.to_string()).unwrap();
    assert_eq!((unit["name"]["zh"].as_str(), count(unit, "due"), count(unit, "unit_due")), (Some("一中队"), 1, 2));
    for (measure, all) in total["counts"].as_object().unwrap() {
        let sum: u64 = rows.iter().map(|row| count(row, measure)).sum();
        assert_eq!(Some(sum), all.as_u64(), "{measure}");
    }
    let before = town.get(&town.chief, "?from=2026-05-29&until=2026-05-30&by=unit").await.json();
    assert_eq!((count(&before["total"], "reported"), count(&before["total"], "due")), (5, 0), "due days later");
    let named = figures["measures"].as_array().unwrap().iter().find(|it| it["measure"] == "due").unwrap();
    assert_eq!(named["name"]["zh"], "应结案数");
}

#[actix_web::test]
async fn each_number_opens_its_cases_and_they_are_the_readers() {
    let town = Town::new().await;
    let (middle, by) = (area(2), "area");
    let figures = town.get(&town.chief, &format!("?{MONTH}&by={by}&area={middle}")).await.json();
    let rows = figures["rows"].as_array().unwrap();
    let groups: BTreeSet<&str> = rows.iter().map(|row| row["group"].as_str().unwrap()).collect();
    assert_eq!(groups, BTreeSet::from([area(3).to_string().as_str(), area(4).to_string().as_str()]));
    for row in rows {
        let group = row["group"].as_str().unwrap();
        for (measure, all) in row["counts"].as_object().unwrap() {
            let rest = format!("/cases?{MONTH}&by={by}&area={middle}&measure={measure}&group={group}");
            let (times, cases) = town.listed(&town.chief, &rest).await;
            assert_eq!(Some(times), all.as_u64(), "{measure} of {group}");
            for id in cases {
                let path = format!("/v1/logs/{}/cases/{id}", town.chief.log());
                assert_eq!(town.world.get(&path, town.chief.token()).await.status, 200);
            }
        }
    }
    let office = format!("/cases?{MONTH}&by=unit&measure=office_due&ungrouped=true");
    assert_eq!(town.listed(&town.chief, &office).await.0, count(&figures["total"], "office_due"));
}

/// A count of more cases than fit on a page: each of them once, and no more.
#[actix_web::test]
async fn the_pages_of_a_count_hold_each_case_once() {
    let mut town = Town::new().await;
    let many: Vec<_> = (100..200).map(|nth| (case(nth), stall(report(&[])))).collect();
    for some in many.chunks(50) {
        town.world.push(&town.inspector, some).await;
    }
    town.later(DAY_MS).await;
    let asked = "/cases?from=2026-05-29&until=2026-07-09&by=category&measure=reported&group=stall";
    let (mut seen, mut after) = (Vec::new(), String::new());
    loop {
        let page = town.get(&town.chief, &format!("{asked}{after}")).await.json();
        seen.extend(page["cases"].as_array().unwrap().iter().map(|row| row["case"].as_str().unwrap().to_owned()));
        let Some(next) = page["next"].as_str() else { break };
        after = format!("&after={next}");
    }
    let once: BTreeSet<&String> = seen.iter().collect();
    assert_eq!((seen.len(), once.len()), (105, 105));
}

/// A supervisor of one grid learns nothing of the other, by no way of asking.
#[actix_web::test]
async fn nobody_gets_figures_of_an_area_that_they_do_not_oversee() {
    let town = Town::new().await;
    let own: BTreeSet<String> = [4, 5].map(|nth| case(nth).to_string()).into();
    for by in ["unit", "area", "category"] {
        let figures = town.get(&town.east, &format!("?{MONTH}&by={by}")).await.json();
        assert_eq!(count(&figures["total"], "reported"), 2, "{by}: {figures}");
        assert_eq!(count(&figures["total"], "settled_on_site") + count(&figures["total"], "unit_due"), 0);
        assert!(!figures["rows"].to_string().contains(&area(3).to_string()));
        let (_, cases) = town.listed(&town.east, &format!("/cases?{MONTH}&by={by}&measure=reported")).await;
        assert_eq!(cases, own);
    }
    for hidden in [0, 2, 3, 99] {
        let answer = town.get(&town.east, &format!("?{MONTH}&by=area&area={}", area(hidden))).await;
        assert_eq!(answer.problem(), (404, "not_found".into()), "area {hidden}");
    }
    let group = format!("/cases?{MONTH}&by=unit&measure=due&group={}", town.unit);
    assert_eq!(town.listed(&town.east, &group).await.0, 0, "the unit's case lies elsewhere");
    let answer = town.get(&town.inspector, &format!("?{MONTH}&by=area")).await;
    assert_eq!(answer.problem(), (403, "forbidden".into()));
    let whole = town.get(&town.auditor, &format!("?{MONTH}&by=area")).await.json();
    assert_eq!(count(&whole["total"], "reported"), 5);
}

#[actix_web::test]
async fn what_the_data_does_not_cover_is_refused_with_the_reason() {
    let town = Town::new().await;
    for (period, why) in [
        ("from=2026-06-10&until=2026-06-10", "须晚于起始日"),
        ("from=2026-06-10&until=2026-06-01", "须晚于起始日"),
        ("from=2026-05-28&until=2026-06-01", "始于 2026-05-29"),
        ("from=2026-06-01&until=2026-07-09", "今天 2026-07-08"),
    ] {
        let answer = town.get(&town.chief, &format!("?{period}&by=area")).await;
        assert_eq!(answer.problem(), (422, "invalid".into()), "{period}");
        assert!(answer.text().contains(why), "{period}: {}", answer.text());
    }
    for wrong in
        ["?from=2026-06-31&until=2026-07-01&by=area", "?from=2026-06-01&until=2026-07-01&by=person", "?by=area"]
    {
        assert_eq!(town.get(&town.chief, wrong).await.problem().1, "invalid", "{wrong}");
    }
    for wrong in ["measure=none", "measure=due&group=nonsense", "measure=due&group=dead-beef"] {
        let answer = town.get(&town.chief, &format!("/cases?{MONTH}&by=unit&{wrong}")).await;
        assert_eq!(answer.problem(), (422, "invalid".into()), "{wrong}");
    }
}

#[actix_web::test]
async fn what_was_published_stays_and_a_correction_says_what_changed() {
    let town = Town::new().await;
    assert_eq!(town.publish(&town.auditor, None).await.status, 403, "auditors publish nothing");
    assert_eq!(town.publish(&town.east, None).await.status, 404);
    let unasked = town.publish(&town.chief, Some("更正")).await;
    assert!(unasked.status == 422 && unasked.text().contains("尚未公布"), "{}", unasked.text());
    let first = town.publish(&town.chief, None).await;
    assert_eq!(first.status, 201, "{}", first.text());
    let first = first.json();
    assert_eq!((first["nth"].as_u64(), count(&first["figures"]["total"], "due")), (Some(1), 4));
    assert_eq!(first["previous"], Hash::ZERO.to_string());
    let again = town.publish(&town.chief, None).await;
    assert!(again.status == 422 && again.text().contains("更正理由"), "{}", again.text());

    // A phone that was without a network for 20 days; and a case that turns out to be none.
    town.world.later(1000);
    let late = town.inspector.request_late(&[(case(7), stall(report(&[])))], 20 * DAY_MS);
    assert_eq!(town.world.sync(town.inspector.token(), &late).await.status, 200);
    let fresh = town.world.phone("zhou", Role::Inspector, "A3").await;
    town.world.push(&fresh, &[(case(8), stall(report(&[])))]).await;
    let void = Body::Void(Reason { reason: Sealed { sealed: Hash([9; 32]) } });
    let said = serde_json::to_string(&town.world.push(&town.chief, &[(case(2), void)]).await).unwrap();
    assert!(said.contains(r#"\"outcome\":\"accepted\""#), "{said}");

    let shown = format!("/published/{}", first["id"].as_str().unwrap());
    let view = town.get(&town.auditor, &shown).await.json();
    assert_eq!(view["publication"], first, "not a byte of it moved");
    let late: Vec<&str> = view["late"].as_array().unwrap().iter().map(|row| row["case"].as_str().unwrap()).collect();
    assert_eq!(late, [case(7).to_string()], "what was captured in the period and came behind the cut-off");
    assert_eq!(view["more"], false);

    let second = town.publish(&town.chief, Some("二号案件作废")).await.json();
    assert_eq!((second["corrects"].clone(), second["nth"].as_u64()), (first["id"].clone(), Some(2)));
    assert_eq!(second["previous"], view["sha256"], "each names the one before it");
    let change = |measure, was, now| json!({"total": true, "group": null, "measure": measure, "was": was, "now": now});
    let changes = second["changes"].as_array().unwrap();
    assert!(changes.contains(&change("due", 4, 3)) && changes.contains(&change("left_void", 0, 1)), "{changes:?}");
    assert!(!second["changes"].to_string().contains("reported"), "the month's reports are the same");

    let list = town.get(&town.auditor, "/published").await.json();
    let numbers: Vec<_> = list["publications"].as_array().unwrap().iter().map(|row| row["nth"].as_u64()).collect();
    assert_eq!(numbers, [Some(2), Some(1)]);
    assert_eq!(town.get(&town.east, "/published").await.json()["publications"], json!([]));
    assert_eq!(town.get(&town.east, &shown).await.problem(), (404, "not_found".into()));
    assert_eq!(view["sha256"], sha256(serde_json::to_string(&rebuilt(&first)).unwrap().as_bytes()).to_string());
}

/// The publication as it is stored, from what was shown of it.
fn rebuilt(shown: &Value) -> schema::figures::Publication {
    serde_json::from_value(shown.clone()).unwrap()
}
