//! The table: each route with its rule and a request that is good, so that only who asks decides.

use super::cast::{Ask, Cast, Who};

/// Whom a route serves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rule {
    /// Everybody, the same.
    Public(u16),
    /// Whoever is logged in.
    SignedIn(u16),
    /// Whoever is logged in on a phone.
    OnPhone(u16),
    /// The phone that has sent the photo: to others it is not there.
    Sent(u16),
    /// Phones, and those that were shut out as well: they deliver.
    Syncs,
    /// Whoever sees the case that the request is about.
    SeesCase(u16),
    /// Supervisors and auditors of where the case lies.
    OverseesCase,
    /// Whoever may see the photo as it was taken.
    Original,
    /// Supervisors, auditors, administrators.
    Oversees,
    /// Supervisors and auditors: figures of what they oversee.
    Figures(u16),
    /// Supervisors and administrators.
    Decides(u16),
    /// Auditors and administrators of the whole log.
    OverAll,
    /// Administrators of the whole log.
    Administers(u16),
    /// Everybody, where the page was built before the program.
    Built,
}

pub(super) struct Row {
    pub(super) method: &'static str,
    pub(super) path: &'static str,
    pub(super) rule: Rule,
    pub(super) ask: fn(&Cast, Who) -> Ask,
}

/// The status that a caller gets.
pub(super) fn expected(rule: Rule, who: Who) -> u16 {
    match (rule, who) {
        (Rule::Public(status), _) => status,
        (Rule::Built, _) => either(is_built(), 200, 404),
        (_, Who::Nobody | Who::Expired | Who::DisabledDesk) => 401,
        (Rule::Syncs, Who::Desk) => 403,
        (Rule::Syncs, _) => 200,
        (_, Who::Disabled | Who::Revoked) => 403,
        (Rule::SignedIn(status), _) => status,
        (Rule::OnPhone(_) | Rule::Sent(_), Who::Desk) => 403,
        (Rule::Sent(status), _) => either(who == Who::Inspector, status, 404),
        (Rule::OnPhone(status), _) => status,
        (Rule::SeesCase(status), _) => either(sees(who, 1), status, 404),
        (Rule::OverseesCase, _) => either(matches!(who, Who::Supervisor | Who::Desk | Who::Auditor), 200, 404),
        (Rule::Original, _) => {
            let oversees = matches!(who, Who::Supervisor | Who::Desk | Who::Auditor | Who::Admin);
            either(oversees || who == Who::Inspector, 200, 404)
        }
        (Rule::Oversees, _) => either(oversees(who) || who == Who::Admin, 200, 403),
        (Rule::Figures(status), _) => either(oversees(who), status, 403),
        (Rule::Administers(status), _) => either(who == Who::Admin, status, 403),
        (Rule::OverAll, _) => either(who == Who::Admin, 200, 403),
        (Rule::Decides(status), _) => {
            either(matches!(who, Who::Supervisor | Who::OtherSupervisor | Who::Desk | Who::Admin), status, 403)
        }
    }
}

fn either(yes: bool, then: u16, otherwise: u16) -> u16 {
    if yes { then } else { otherwise }
}

fn is_built() -> bool {
    std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("web/dist/sw.js").is_file()
}

fn oversees(who: Who) -> bool {
    matches!(who, Who::Supervisor | Who::OtherSupervisor | Who::Desk | Who::Auditor | Who::OtherAuditor)
}

/// Case 1 was made by the inspector in the own area and assigned to the crew's unit; case 2 was made there by an
/// inspector of the other subdistrict. Administrators administer: they see no cases.
pub(super) fn sees(who: Who, case: u8) -> bool {
    matches!(
        (who, case),
        (Who::Inspector | Who::Supervisor | Who::Desk | Who::Auditor, _) | (Who::Crew, 1) | (Who::Traveller, 2)
    )
}

/// Who may ask for the cases of the own area by its name.
pub(super) fn names_area(who: Who) -> bool {
    matches!(who, Who::Inspector | Who::Supervisor | Who::Desk | Who::Auditor)
}

/// What becomes of a comment on case 1.
pub(super) fn comments(who: Who) -> &'static str {
    match who {
        Who::Inspector | Who::Crew | Who::Supervisor => "accepted",
        Who::Auditor => "not_permitted",
        Who::Disabled | Who::Revoked => "actor_revoked",
        _ => "unknown_entity",
    }
}

macro_rules! rows {
    ($($method:ident $path:literal $rule:expr => $ask:expr;)*) => {
        vec![$(Row { method: stringify!($method), path: $path, rule: $rule, ask: $ask }),*]
    };
}

/// Every route.
pub(super) fn table() -> Vec<Row> {
    [work(), reading(), figures(), administration(), page()].into_iter().flatten().collect()
}

fn administration() -> Vec<Row> {
    rows! {
        GET "/v1/admin/accounts" Rule::Administers(200) => |_, _| Ask::get("/v1/admin/accounts");
        POST "/v1/admin/accounts" Rule::Administers(422) => |_, _| {
            let body = serde_json::json!({"login": "two words", "name": "新人", "role": "inspector"});
            Ask::json("/v1/admin/accounts", &body)
        };
        POST "/v1/admin/accounts/{account}/grants" Rule::Administers(204) => |cast, _| {
            let body = serde_json::json!({"role": "inspector", "area": "A3"});
            Ask::json(&format!("/v1/admin/accounts/{}/grants", cast.account(Who::Inspector)), &body)
        };
        POST "/v1/admin/accounts/{account}/code" Rule::Administers(201) => |cast, _| {
            Ask::json(&format!("/v1/admin/accounts/{}/code", cast.account(Who::Stranger)), &serde_json::json!({}))
        };
        POST "/v1/admin/accounts/{account}/disable" Rule::Administers(422) => |cast, _| {
            let body = serde_json::json!({"reason": " "});
            Ask::json(&format!("/v1/admin/accounts/{}/disable", cast.account(Who::Stranger)), &body)
        };
        GET "/v1/admin/devices" Rule::Administers(200) => |_, _| Ask::get("/v1/admin/devices");
        POST "/v1/admin/devices/{device}/revoke" Rule::Administers(422) => |cast, _| {
            Ask::json(&format!("/v1/admin/devices/{}/revoke", cast.device(Who::Stranger)), &serde_json::json!({"reason": ""}))
        };
    }
}

fn page() -> Vec<Row> {
    rows! {
        GET "/" Rule::Public(200) => |_, _| Ask::get("/");
        GET "/sw.js" Rule::Built => |_, _| Ask::get("/sw.js");
        GET "/manifest.webmanifest" Rule::Built => |_, _| Ask::get("/manifest.webmanifest");
        GET "/icons/{file}" Rule::Built => |_, _| Ask::get("/icons/icon.svg");
        GET "/assets/{file}" Rule::Public(404) => |_, _| Ask::get("/assets/none.js");
    }
}

fn work() -> Vec<Row> {
    rows! {
        POST "/v1/login" Rule::Public(401) => |_, who| {
            Ask::json("/v1/login", &serde_json::json!({"login": format!("{who:?}"), "password": "a wrong password"}))
        };
        POST "/v1/enrol" Rule::Public(401) => |cast, _| Ask::json("/v1/enrol", &cast.enrol);
        POST "/v1/token" Rule::Public(401) => |_, _| Ask::json("/v1/token", &serde_json::json!({"refresh": "none"}));
        POST "/v1/logout" Rule::Public(204) => |_, _| Ask::json("/v1/logout", &serde_json::json!({"refresh": "none"}));
        POST "/v1/sync" Rule::Syncs => |cast, who| Ask::bytes("/v1/sync", "application/x-ndjson", cast.empty_push(who));
        POST "/v1/export-files" Rule::Decides(400) => |_, _| Ask::bytes("/v1/export-files", "application/octet-stream", Vec::new());
        GET "/v1/events" Rule::SignedIn(200) => |_, _| Ask::get("/v1/events");
        GET "/v1/head" Rule::SignedIn(200) => |cast, _| Ask::get(format!("/v1/head?log={}", cast.log));
        OPTIONS "/v1/photos" Rule::Public(204) => |_, _| Ask::get("/v1/photos");
        POST "/v1/photos" Rule::OnPhone(201) => |cast, _| cast.announce();
        POST "/v1/photos/have" Rule::SignedIn(200) => |cast, _| {
            Ask::json("/v1/photos/have", &serde_json::json!({"photos": [cast.photo]}))
        };
        OPTIONS "/v1/photos/{sha256}" Rule::Public(204) => |cast, _| Ask::get(format!("/v1/photos/{}", cast.photo));
        HEAD "/v1/photos/{sha256}" Rule::Sent(200) => |cast, _| {
            Ask::get(format!("/v1/photos/{}", cast.photo)).with("tus-resumable", "1.0.0")
        };
        PATCH "/v1/photos/{sha256}" Rule::Sent(204) => |cast, _| cast.append();
        GET "/v1/photos/{sha256}/{version}" Rule::SeesCase(200) => |cast, _| Ask::get(format!("/v1/photos/{}/320", cast.photo));
        GET "/v1/photos/{sha256}/{version}" Rule::Original => |cast, _| {
            Ask::get(format!("/v1/photos/{}/original", cast.photo))
        };
        GET "/v1/photos/{sha256}/alike" Rule::SeesCase(200) => |cast, _| Ask::get(format!("/v1/photos/{}/alike", cast.photo));
        GET "/healthz" Rule::Public(200) => |_, _| Ask::get("/healthz");
        GET "/readyz" Rule::Public(200) => |_, _| Ask::get("/readyz");
        GET "/openapi.json" Rule::Public(200) => |_, _| Ask::get("/openapi.json");
        GET "/docs" Rule::Public(200) => |_, _| Ask::get("/docs");
        GET "/docs.css" Rule::Public(200) => |_, _| Ask::get("/docs.css");
        GET "/problems/{code}" Rule::Public(200) => |_, _| Ask::get("/problems/not_found");
    }
}

/// What is read of a log, and how people are told of it.
fn reading() -> Vec<Row> {
    rows! {
        GET "/v1/logs" Rule::SignedIn(200) => |_, _| Ask::get("/v1/logs");
        GET "/v1/logs/{log}/reads" Rule::OverAll => |cast, _| Ask::get(format!("/v1/logs/{}/reads", cast.log));
        GET "/v1/push" Rule::OnPhone(200) => |_, _| Ask::get("/v1/push");
        PUT "/v1/push" Rule::OnPhone(204) => |_, _| {
            let key = "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4";
            let keys = serde_json::json!({ "p256dh": key, "auth": "BTBZMqHH6r4Tts7J_aSIgg" });
            Ask::json("/v1/push", &serde_json::json!({ "endpoint": "https://push.example/1", "keys": keys }))
        };
        DELETE "/v1/push" Rule::OnPhone(204) => |_, _| Ask::get("/v1/push");
        GET "/v1/audit/{log}/standing" Rule::Oversees => |cast, _| Ask::get(format!("/v1/audit/{}/standing", cast.log));
        GET "/v1/logs/{log}/cases" Rule::SignedIn(200) => |cast, _| Ask::get(format!("/v1/logs/{}/cases", cast.log));
        GET "/v1/logs/{log}/cases/{case}" Rule::SeesCase(200) => |cast, _| {
            Ask::get(format!("/v1/logs/{}/cases/{}", cast.log, cast.case))
        };
        GET "/v1/logs/{log}/cases/{case}/entries" Rule::SeesCase(200) => |cast, _| {
            Ask::get(format!("/v1/logs/{}/cases/{}/entries", cast.log, cast.case))
        };
        GET "/v1/logs/{log}/cases/{case}/notices" Rule::OverseesCase => |cast, _| {
            Ask::get(format!("/v1/logs/{}/cases/{}/notices", cast.log, cast.case))
        };
        GET "/v1/logs/{log}/cases/{case}/notice" Rule::SeesCase(200) => |cast, _| {
            Ask::get(format!("/v1/logs/{}/cases/{}/notice", cast.log, cast.case))
        };
        POST "/v1/logs/{log}/cases/{case}/notice" Rule::SeesCase(200) => |cast, _| {
            Ask::json(&format!("/v1/logs/{}/cases/{}/notice", cast.log, cast.case), &serde_json::json!({}))
        };
        POST "/v1/logs/{log}/cases/{case}/opened" Rule::SeesCase(204) => |cast, _| {
            Ask::json(&format!("/v1/logs/{}/cases/{}/opened", cast.log, cast.case), &serde_json::json!({}))
        };
        GET "/v1/logs/{log}/parked" Rule::Decides(200) => |cast, _| Ask::get(format!("/v1/logs/{}/parked", cast.log));
        GET "/v1/logs/{log}/hand-overs" Rule::Decides(404) => |cast, _| {
            Ask::get(format!("/v1/logs/{}/hand-overs?from={}&to={}", cast.log, cast.case, cast.case))
        };
        GET "/v1/logs/{log}/hand-overs/{op}" Rule::Decides(404) => |cast, _| {
            Ask::get(format!("/v1/logs/{}/hand-overs/{}", cast.log, cast.case))
        };
        GET "/v1/logs/{log}/documents/{sha256}" Rule::SignedIn(200) => |cast, _| {
            Ask::get(format!("/v1/logs/{}/documents/{}", cast.log, cast.catalogue))
        };
        GET "/v1/audit/{log}/standing" Rule::Oversees => |cast, _| Ask::get(format!("/v1/audit/{}/standing", cast.log));
        GET "/v1/audit/{log}/checkpoint" Rule::Public(200) => |cast, _| Ask::get(format!("/v1/audit/{}/checkpoint", cast.log));
        GET "/v1/audit/{log}/tile/entries/{index}" Rule::Oversees => |cast, _| {
            Ask::get(format!("/v1/audit/{}/tile/entries/000.p/3", cast.log))
        };
        GET "/v1/audit/{log}/tile/{level}/{index}" Rule::Public(200) => |cast, _| {
            Ask::get(format!("/v1/audit/{}/tile/0/000.p/3", cast.log))
        };
        GET "/v1/audit/{log}/consistency" Rule::Public(200) => |cast, _| {
            Ask::get(format!("/v1/audit/{}/consistency?old=2&new=3", cast.log))
        };
        GET "/v1/audit/{log}/inclusion" Rule::Public(200) => |cast, _| {
            Ask::get(format!("/v1/audit/{}/inclusion?rev=2&size=3", cast.log))
        };
    }
}

fn figures() -> Vec<Row> {
    rows! {
        GET "/v1/logs/{log}/figures" Rule::Figures(422) => |cast, _| {
            Ask::get(format!("/v1/logs/{}/figures?from=2026-05-29&until=2026-05-29&by=area", cast.log))
        };
        GET "/v1/logs/{log}/figures/cases" Rule::Figures(422) => |cast, _| {
            let asked = "from=2026-05-29&until=2026-05-29&by=area&measure=due";
            Ask::get(format!("/v1/logs/{}/figures/cases?{asked}", cast.log))
        };
        GET "/v1/logs/{log}/figures/published" Rule::Figures(200) => |cast, _| {
            Ask::get(format!("/v1/logs/{}/figures/published", cast.log))
        };
        POST "/v1/logs/{log}/figures/published" Rule::Figures(404) => |cast, _| {
            let body = serde_json::json!({"from": "2026-05-29", "until": "2026-05-30", "by": "area", "area": cast.case});
            Ask::json(&format!("/v1/logs/{}/figures/published", cast.log), &body)
        };
        GET "/v1/logs/{log}/figures/published/{publication}" Rule::Figures(404) => |cast, _| {
            Ask::get(format!("/v1/logs/{}/figures/published/{}", cast.log, cast.case))
        };
    }
}
