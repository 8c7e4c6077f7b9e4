//! The rectification order: what stands on the paper, for whom, and that nothing on it runs.

use schema::catalogue::Text;
use schema::hash::Salt;
use schema::op::{Assign, Body, File, Role, SealedValue};
use serde_json::json;
use sync_core::line::{seal, sha256};

use super::photos::jpeg;
use super::reading::{case, report};
use super::world::{Phone, World};

const OWNER: &str = "13900001111";

struct Town {
    world: World,
    inspector: Phone,
    supervisor: Phone,
    path: String,
}

impl Town {
    /// A case with a photo and a personal value, filed and given to a unit.
    async fn new() -> Self {
        let world = World::start().await;
        let inspector = world.phone("li", Role::Inspector, "A3").await;
        let supervisor = world.phone("sun", Role::Supervisor, "A0").await;
        let name = Text { zh: "城管<二>中队".into(), en: "Squad 2".into() };
        let unit = world.running.app.installation.add_unit(name, None).await.unwrap();
        let photo = jpeg(64, 5);
        let Body::Report(mut stall) = report(&[(sha256(&photo), photo.len())]) else { unreachable!() };
        stall.category = "stall".parse().unwrap();
        stall.subject = Some("<script>12".into());
        stall.fields.insert("goods".parse().unwrap(), json!("fruit_vegetables"));
        let salt = Salt([4; 16]);
        let sealed = seal(&salt, OWNER);
        stall.fields.insert("vendor_phone".parse().unwrap(), json!(sealed));
        let value = SealedValue { sealed: sealed.sealed, salt, value: OWNER.into() };
        let mut body = inspector.request(&[(case(1), Body::Report(stall))]);
        body.push(b'\n');
        body.extend(serde_json::to_vec(&value).unwrap());
        assert_eq!(world.sync(inspector.token(), &body).await.status, 200);
        world.announce(&inspector, &sha256(&photo), photo.len()).await;
        assert_eq!(world.patch(&inspector, &sha256(&photo), 0, &photo).await.status, 204);
        world.running.app.photos.sweep().await.unwrap();
        let path = format!("/v1/logs/{}/cases/{}/notice", inspector.log(), case(1));
        let town = Self { world, inspector, supervisor, path };
        assert_eq!(town.page(&town.supervisor).await.0, 404, "nobody has a deadline yet");
        let file = Body::File(File { condition: "occupies_road".parse().unwrap() });
        let assign = Body::Assign(Assign {
            unit,
            co_units: Vec::new(),
            co_limits: Default::default(),
            holder: None,
            note: None,
        });
        town.world.push(&town.supervisor, &[(case(1), file), (case(1), assign)]).await;
        town
    }

    async fn page(&self, phone: &Phone) -> (u16, String) {
        let answer = self.world.get(&self.path, phone.token()).await;
        (answer.status, answer.text())
    }

    async fn ticket(&self, phone: &Phone) -> String {
        let token = format!("Bearer {}", phone.token());
        let headers = [("authorization", token.as_str()), ("content-type", "application/json")];
        let answer = self.world.send("POST", &self.path, &headers, b"{}").await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        answer.json()["path"].as_str().unwrap().to_owned()
    }

    async fn opens(&self, path: &str) -> u16 {
        self.world.send("GET", path, &[], b"").await.status
    }
}

#[actix_web::test]
async fn the_paper_says_what_must_be_done_by_when_and_how_to_check_it() {
    let town = Town::new().await;
    assert!(town.page(&town.supervisor).await.1.contains("尚未被此检查点覆盖"), "what is not proven yet says so");
    town.world.later(2_000);
    town.world.running.app.logs.checkpoints.sign_due().unwrap();
    let shown = town.world.get(&town.path, town.supervisor.token()).await;
    let (paper, policy) = (shown.text(), shown.header("content-security-policy"));
    assert!(
        policy.contains("default-src 'none'") && !policy.contains("unsafe") && !policy.contains("script"),
        "{policy}"
    );
    assert!(!paper.contains("<script") && paper.contains("&lt;script&gt;12"), "what people wrote is text");
    assert!(paper.contains("城管&lt;二&gt;中队"), "the unit");
    for said in ["责令限期改正通知书", "城市道路管理条例", "果蔬", "占用道路、人行道摆摊经营", "摊走地净", OWNER]
    {
        assert!(paper.contains(said), "{said}");
    }
    let photo = sha256(&jpeg(64, 5)).to_string();
    assert!(paper.contains(&format!("SHA-256 {photo}")) && paper.contains("src=\"data:image/jpeg;base64,"));

    let token = town.supervisor.token();
    let case_path = town.path.trim_end_matches("/notice");
    let row = town.world.get(case_path, token).await.json();
    let document = &row["document"];
    assert!(paper.contains(document["number"].as_str().unwrap()), "the number");
    let fix = document["clocks"].as_array().unwrap().iter().find(|clock| clock["stage"] == "fix").unwrap();
    let due = jiff::Timestamp::from_millisecond(fix["due"]["at_ms"].as_i64().unwrap()).unwrap();
    let due = due.to_zoned(jiff::tz::TimeZone::get("Asia/Shanghai").unwrap()).strftime("%Y-%m-%d %H:%M").to_string();
    assert!(paper.contains(&due), "the deadline in the city's time: {due}");
    assert_eq!(paper.contains("（暂定"), fix["due"]["confidence"] == "provisional");

    // The checkpoint is the log's own, and the proof that is named there leads from the leaf to it.
    let log = town.supervisor.log();
    let checkpoint = town.world.send("GET", &format!("/v1/audit/{log}/checkpoint"), &[], b"").await.text();
    assert!(paper.contains(&checkpoint), "{checkpoint}");
    let rev = fix["issued_rev"].as_u64().unwrap();
    let size: u64 = checkpoint.lines().nth(1).unwrap().parse().unwrap();
    let proof = format!("/v1/audit/{log}/inclusion?rev={rev}&size={size}");
    assert!(paper.contains(&proof.replace('&', "&amp;")));
    assert_eq!(town.opens(&proof).await, 200);
}

#[actix_web::test]
async fn only_those_who_handle_the_case_read_whose_it_is() {
    let town = Town::new().await;
    let colleague = town.world.phone("wang", Role::Inspector, "A3").await;
    let elsewhere = town.world.phone("zhou", Role::Inspector, "A4").await;
    assert!(town.page(&town.inspector).await.1.contains(OWNER), "its maker");
    let (status, paper) = town.page(&colleague).await;
    assert!(status == 200 && !paper.contains(OWNER) && paper.contains("您无权查看"));
    assert_eq!(town.page(&elsewhere).await.0, 404);
}

#[actix_web::test]
async fn a_ticket_opens_one_page_for_a_minute_and_nothing_else() {
    let town = Town::new().await;
    let path = town.ticket(&town.supervisor).await;
    assert_eq!(town.opens(&path).await, 200);
    let (_, ticket) = path.split_once("?ticket=").unwrap();
    assert_eq!(town.world.get(&town.path, ticket).await.status, 401, "it is no token");
    let other = town.path.replace(&case(1).to_string(), &case(2).to_string());
    assert_eq!(town.opens(&format!("{other}?ticket={ticket}")).await, 401, "nor for another page");
    let token = town.supervisor.token();
    assert_eq!(town.opens(&format!("{}?ticket={token}", town.path)).await, 401, "a token is no ticket");
    town.world.later(91_000);
    assert_eq!(town.opens(&path).await, 401, "its minute is over");

    let path = town.ticket(&town.supervisor).await;
    town.world.running.app.installation.revoke(town.supervisor.device, "lost").await.unwrap();
    assert_eq!(town.opens(&path).await, 403, "the phone was shut out since");
}
