//! The three rules of the executable model, one test each that fails without it.

use schema::sync::{ExitLine, Node, Scope, SyncLine};
use sync_core::device::requests::Request;

use super::network::edit;
use super::server::{LOG, WEST, account_id};
use super::town::Town;

/// Keeps the rows of some scopes only, as a smaller page would.
fn only(bytes: &[u8], scopes: &[Scope]) -> Vec<u8> {
    edit(bytes, |lines| {
        lines.retain(|line| match line {
            SyncLine::Entity(version) => scopes.contains(&version.scope),
            _ => true,
        });
        if let Some(SyncLine::End(end)) = lines.last_mut() {
            end.scopes.retain(|scope, _| scopes.contains(scope));
        }
    })
}

fn comments(town: &Town, case: schema::ids::EntityId) -> u64 {
    town.case(0, case).expect("the case").comment_count
}

#[test]
fn rule_1_an_op_leaves_the_overlay_only_when_the_base_has_caught_up() {
    let mut town = Town::new(1);
    let made = town.report(0, &[]);
    town.sync(0);
    town.comment(0, made.entity, "mine");
    let request = town.request(0);
    let bytes = town.server.sync(&request.body);
    let progress = town.answer(0, &request, &only(&bytes, &[]));
    assert_eq!((progress.undecided, comments(&town, made.entity)), (0, 1), "INV-NO-FLICKER: decided, its row not here");
    town.reopen(0);
    assert_eq!(comments(&town, made.entity), 1);
    town.sync(0);
    assert_eq!(comments(&town, made.entity), 1, "once its row is here it counts once");
    assert!(town.phones[0].view(LOG, made.entity).unwrap().unwrap().own.iter().all(|own| !own.waiting));
}

#[test]
fn rule_2_every_pull_carries_own_outcomes() {
    let mut town = Town::new(1);
    let made = town.report(0, &[]);
    town.sync(0);
    town.comment(0, made.entity, "heard once");
    let request = town.request(0);
    town.server.sync(&request.body); // The answer is lost; a pull comes before the next push.
    let mut header = request.header;
    (header.count, header.signature) = (0, None);
    let mut body = serde_json::to_vec(&header).unwrap();
    body.push(b'\n');
    let bytes = town.server.sync(&body);
    let progress = town.answer(0, &Request { header, body, certain_rev: request.certain_rev }, &bytes);
    assert_eq!((progress.undecided, comments(&town, made.entity)), (0, 1), "not laid over a row that holds it");
}

#[test]
fn rule_3_an_older_version_by_another_scope_overwrites_nothing() {
    let mut town = Town::new(2);
    let made = town.report(0, &[]);
    town.sync(0);
    town.sync(1);
    town.comment(1, made.entity, "one");
    town.sync(1);
    let request = town.request(0);
    let older = town.server.sync(&request.body);
    town.comment(1, made.entity, "two");
    town.sync(1);
    let newer = town.server.sync(&request.body);
    let area = Scope::normal(Node::Area(WEST));
    let own = Scope::normal(Node::Account(account_id(0)));
    town.answer(0, &request, &only(&newer, &[area]));
    assert_eq!(comments(&town, made.entity), 2);
    town.answer(0, &request, &only(&older, &[own]));
    assert_eq!(comments(&town, made.entity), 2);
    town.sync(0);
    assert_eq!(comments(&town, made.entity), 2);
}

#[test]
fn rule_3_a_late_page_brings_nothing_back_that_has_left() {
    let mut town = Town::new(4);
    town.sync(0);
    let made = town.report(3, &[]);
    town.sync(3);
    let request = town.request(0);
    let early = town.server.sync(&request.body);
    town.answer(0, &request, &early);
    assert!(town.case(0, made.entity).is_some());
    let asked = town.request(0);
    let rev = town.server.head() + 1;
    let exit = ExitLine { scope: Scope::normal(Node::Area(WEST)), entity: made.entity, rev };
    let bytes = edit(&town.server.sync(&asked.body), |lines| {
        let place = lines.len() - 1;
        lines.insert(place, SyncLine::Exit(exit));
        if let Some(SyncLine::End(end)) = lines.last_mut() {
            end.scopes.values_mut().for_each(|cursor| *cursor = rev);
        }
    });
    town.answer(0, &asked, &bytes);
    assert!(town.case(0, made.entity).is_none(), "it left");
    town.answer(0, &request, &early);
    assert!(town.case(0, made.entity).is_none(), "and stays away");
}
