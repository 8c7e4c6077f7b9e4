//! One person asks for everything, and what comes is held against the oracle.

use std::collections::{BTreeMap, BTreeSet};

use schema::entity::Entity;
use schema::ids::{EntityId, LogId};
use schema::op::Role;
use schema::sync::{Class, Node, Scope, SyncLine};

use super::city::{City, Person};
use super::oracle::Facts;
use crate::world::Reply;

/// A place where something is checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Route {
    Sync,
    Cases,
    Case,
    Entries,
    Parked,
    Photo,
    Original,
    Alike,
    Reads,
}

impl Route {
    pub(super) const ALL: [Self; 9] = [
        Self::Sync,
        Self::Cases,
        Self::Case,
        Self::Entries,
        Self::Parked,
        Self::Photo,
        Self::Original,
        Self::Alike,
        Self::Reads,
    ];
}

/// What was found, and what occurred at all.
#[derive(Default)]
pub(super) struct Found {
    pub(super) leaks: Vec<String>,
    pub(super) counts: BTreeMap<&'static str, u64>,
}

impl Found {
    /// Each of these must have been there to be hidden, or shown.
    pub(super) const MUST_OCCUR: [&'static str; 12] = [
        "case seen",
        "case hidden",
        "restricted case hidden",
        "restricted case seen",
        "archived case",
        "party data seen",
        "party data hidden",
        "plain line hidden",
        "alike case seen",
        "alike case hidden",
        "phone that is shut out",
        "second phone",
    ];

    fn count(&mut self, what: &'static str) {
        *self.counts.entry(what).or_default() += 1;
    }

    fn check(&mut self, good: bool, leak: impl FnOnce() -> String) {
        if !good {
            self.leaks.push(leak());
        }
    }
}

struct Probe<'a> {
    city: &'a mut City,
    who: usize,
    place: usize,
    log: LogId,
    facts: Facts,
    mutant: Option<Route>,
    found: &'a mut Found,
}

pub(super) async fn person(city: &mut City, who: usize, mutant: Option<Route>, found: &mut Found) {
    for place in 0..2 {
        let mut facts = city.facts(place).await;
        if city.people[who].shut {
            facts.accounts.remove(&city.people[who].account);
        }
        let log = city.places[place].log;
        let mut probe = Probe { city: &mut *city, who, place, log, facts, mutant, found: &mut *found };
        probe.greedy_sync().await;
        if mutant.is_none() && !probe.city.people[who].shut {
            probe.follow().await;
        }
        probe.lists().await;
        probe.each_case().await;
        probe.alike().await;
        probe.parked_and_reads().await;
    }
    let Person { account, shut, .. } = &city.people[who];
    if *shut {
        found.count("phone that is shut out");
    } else if city.people.iter().filter(|it| it.account == *account && !it.shut).count() > 1 {
        found.count("second phone");
    }
}

impl Probe<'_> {
    fn account(&self) -> schema::ids::AccountId {
        self.city.people[self.who].account
    }

    fn knows_log(&self) -> bool {
        self.facts.accounts.contains_key(&self.account())
    }

    /// The token asked with: one's own, or the chief's where the check is taken away.
    fn token(&self, route: Route) -> String {
        let asker = if self.mutant == Some(route) { 0 } else { self.who };
        self.city.people[asker].phone.token().to_owned()
    }

    async fn get(&self, route: Route, path: &str) -> Reply {
        self.city.world.get(path, &self.token(route)).await
    }

    /// Texts of cases that must not stand in an answer.
    fn texts(&mut self, from: &str, body: &str) {
        let who = self.account();
        for (case, number) in self.city.numbers.clone() {
            let Some(found) = self.facts.cases.get(&case) else { continue };
            let (sees, handles) = (self.facts.sees(who, found), self.facts.handles(who, found));
            let hidden = [("SUBJECT", sees), ("NOTE", sees), ("TEL", handles)];
            for (kind, may) in hidden {
                let text = format!("{kind}-{number}.");
                let there = body.contains(&text);
                self.found.check(may || !there, || format!("{from}: {text} to {who}"));
            }
        }
    }

    /// All scopes there are, named at once, from 0.
    fn everything(&self) -> BTreeMap<Scope, u64> {
        let place = &self.city.places[self.place];
        let nodes = place.areas.iter().map(|area| Node::Area(*area));
        let nodes = nodes.chain(place.units.iter().map(|unit| Node::Unit(*unit)));
        let nodes = nodes.chain(self.city.people.iter().map(|person| Node::Account(person.account)));
        let roles = [Role::Auditor, Role::Crew, Role::Inspector, Role::Supervisor, Role::Admin].map(Class::For);
        let classes = [vec![Class::Normal, Class::Restricted], roles.to_vec()].concat();
        let all = nodes.chain([Node::Log]).flat_map(|node| classes.iter().map(move |class| (node, *class)));
        all.map(|(node, class)| (Scope { node, class }, 0)).take(200).collect()
    }

    async fn sync(&mut self, scopes: BTreeMap<Scope, u64>) -> Vec<SyncLine> {
        let asker = if self.mutant == Some(Route::Sync) { 0 } else { self.who };
        let header = self.city.people[asker].header(self.log, scopes);
        let token = self.token(Route::Sync);
        let reply = self.city.world.sync(&token, serde_json::to_string(&header).unwrap().as_bytes()).await;
        if reply.status != 200 {
            return Vec::new();
        }
        let lines: Vec<SyncLine> = reply.text().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let rows: Vec<&str> =
            reply.body.split(|byte| *byte == b'\n').map(|it| std::str::from_utf8(it).unwrap()).collect();
        let shown: Vec<&str> = rows.into_iter().filter(|line| !line.starts_with("{\"outcome\"")).collect();
        self.texts("sync", &shown.join("\n"));
        lines
    }

    async fn greedy_sync(&mut self) {
        let who = self.account();
        let all: Vec<(Scope, u64)> = self.everything().into_iter().collect();
        let mut lines = Vec::new();
        for some in all.chunks(190) {
            lines.extend(self.sync(some.iter().copied().collect()).await);
        }
        for line in lines {
            let SyncLine::Entity(version) = line else { continue };
            let Some(document) = version.document else { continue };
            let may = match serde_json::from_str(document.get()).unwrap() {
                Entity::Case(case) => self.facts.sees(who, &case) && case.archived.is_none(),
                Entity::LookBackTask(task) => self.facts.looks_back(who, task.area) && task.archived.is_none(),
                Entity::Account(account) => self.facts.sees_account(who, &account),
                Entity::Device(device) => device.account == who || self.facts.over_all(who, &[Role::Admin]),
                Entity::Unit(_)
                | Entity::Areas(_)
                | Entity::Catalogue(_)
                | Entity::Calendar(_)
                | Entity::Responsibilities(_)
                | Entity::Log(_) => self.knows_log(),
            };
            let (id, scope) = (version.id, version.scope);
            self.found.check(may, || format!("sync: {id} to {who} by {scope}"));
        }
    }

    /// A phone that does as the server says holds all the cases that are its person's, and no other.
    async fn follow(&mut self) {
        let (who, log) = (self.account(), self.log);
        loop {
            let scopes = self.city.people[self.who].cursors.entry(log).or_default().clone();
            let lines = self.sync(scopes).await;
            let person = &mut self.city.people[self.who];
            let (held, cursors) = (person.held.entry(log).or_default(), person.cursors.entry(log).or_default());
            let mut again = false;
            let mut dropped = BTreeSet::new();
            let mut named = Vec::new();
            for line in lines {
                match line {
                    SyncLine::Head(head) => named = head.default_scopes,
                    SyncLine::Entity(version) => drop(held.insert((version.id, version.scope))),
                    SyncLine::Exit(exit) => drop(held.remove(&(exit.entity, exit.scope))),
                    SyncLine::Drop(scope) => {
                        held.retain(|(_, by)| *by != scope);
                        cursors.remove(&scope);
                        dropped.insert(scope);
                    }
                    SyncLine::End(end) => {
                        cursors.extend(end.scopes);
                        again |= end.more;
                    }
                    SyncLine::Outcome(_) | SyncLine::Value(_) => {}
                }
            }
            for scope in named.into_iter().filter(|scope| !dropped.contains(scope)) {
                again |= cursors.insert(scope, cursors.get(&scope).copied().unwrap_or(0)).is_none();
            }
            if !again {
                break;
            }
        }
        let held: BTreeSet<EntityId> =
            self.city.people[self.who].held[&log].iter().map(|(entity, _)| *entity).collect();
        for case in self.facts.cases.values() {
            let due = self.facts.sees(who, case) && case.archived.is_none();
            self.found.check(held.contains(&case.id) == due, || format!("phone of {who} and {}: due {due}", case.id));
        }
    }

    async fn lists(&mut self) {
        let who = self.account();
        let path = format!("/v1/logs/{}/cases", self.log);
        let reply = self.get(Route::Cases, &path).await;
        if reply.status == 200 {
            self.texts("cases", &reply.text());
            let told: BTreeSet<String> = ids(&reply);
            let due: BTreeSet<String> = self
                .facts
                .cases
                .values()
                .filter(|case| self.facts.sees(who, case) && case.archived.is_none())
                .map(|case| case.id.to_string())
                .collect();
            self.found.check(told == due, || format!("cases to {who}: {told:?}, not {due:?}"));
        }
        for area in self.city.places[self.place].areas.clone() {
            let reply = self.get(Route::Cases, &format!("{path}?area={area}")).await;
            let may = self.facts.names_area(who, area);
            self.found.check((reply.status == 200) == may, || format!("cases of {area} to {who}: {}", reply.status));
            if reply.status == 200 {
                self.texts("cases of an area", &reply.text());
            }
        }
    }

    async fn each_case(&mut self) {
        let who = self.account();
        for (id, case) in self.facts.cases.clone() {
            let (sees, handles) = (self.facts.sees(who, &case), self.facts.handles(who, &case));
            self.tally(sees, handles, &case);
            let path = format!("/v1/logs/{}/cases/{id}", self.log);
            let one = self.get(Route::Case, &path).await;
            self.found.check((one.status == 200) == sees, || format!("{id} to {who}: {}", one.status));
            self.texts("case", &one.text());
            let entries = self.get(Route::Entries, &format!("{path}/entries")).await;
            self.found.check((entries.status == 200) == sees, || format!("entries of {id} to {who}"));
            self.texts("entries", &entries.text());
            self.plain("entries", &entries, handles);
            let Some((photo, by)) = self.city.photos.get(&id).copied() else { continue };
            let small = self.get(Route::Photo, &format!("/v1/photos/{photo}/320")).await;
            self.found.check(sees || self.hidden(&small), || format!("a photo of {id} to {who}"));
            let original = self.get(Route::Original, &format!("/v1/photos/{photo}/original")).await;
            let may = self.facts.sees_original(who, &case, self.city.people[by].account == who);
            self.found.check(may || self.hidden(&original), || format!("the original of {id} to {who}"));
        }
    }

    /// It reads like what is not there, or the phone is told that it is shut out, whatever it asks for.
    fn hidden(&self, reply: &Reply) -> bool {
        reply.status == 404 || (self.city.people[self.who].shut && matches!(reply.status, 401 | 403))
    }

    /// Photos that show the same: which cases they belong to, only their readers learn.
    async fn alike(&mut self) {
        let who = self.account();
        for (one, other) in self.city.alike.clone() {
            for (asked, twin) in [(one, other), (other, one)] {
                let Some((photo, _)) = self.city.photos.get(&asked).copied() else { continue };
                let reply = self.get(Route::Alike, &format!("/v1/photos/{photo}/alike")).await;
                let may = |case: &EntityId| self.facts.cases.get(case).map(|case| self.facts.sees(who, case));
                let (asked_seen, twin_seen) = (may(&asked), may(&twin));
                self.found
                    .check(reply.status != 200 || asked_seen != Some(false), || format!("alike of {asked} to {who}"));
                if reply.status != 200 {
                    continue;
                }
                let told: Vec<EntityId> = reply.json()["cases"]
                    .as_array()
                    .into_iter()
                    .flatten()
                    .map(|row| row["case"].as_str().unwrap().parse().unwrap())
                    .collect();
                for case in &told {
                    self.found.check(may(case) != Some(false), || format!("alike: {case} to {who}"));
                }
                match twin_seen {
                    Some(true) if told.contains(&twin) => self.found.count("alike case seen"),
                    Some(false) => self.found.count("alike case hidden"),
                    _ => {}
                }
            }
        }
    }

    fn tally(&mut self, sees: bool, handles: bool, case: &schema::case::Case) {
        self.found.count(if sees { "case seen" } else { "case hidden" });
        match (&case.restricted, sees) {
            (Some(_), true) => self.found.count("restricted case seen"),
            (Some(_), false) => self.found.count("restricted case hidden"),
            (None, _) => {}
        }
        match (sees, handles) {
            (true, false) => self.found.count("party data hidden"),
            (_, true) => self.found.count("party data seen"),
            (false, false) => {}
        }
        if case.archived.is_some() {
            self.found.count("archived case");
        }
    }

    /// A personal value in plain text is for those who handle the case, and for who wrote it.
    fn plain(&mut self, from: &str, reply: &Reply, handles: bool) {
        let who = self.account();
        if reply.status != 200 {
            return;
        }
        for row in reply.json()["entries"].as_array().into_iter().flatten() {
            let mine = row["actor"] == who.to_string();
            let there = row.to_string().contains("PLAIN-");
            self.found.check(!there || handles || mine, || format!("{from}: plain party data to {who}"));
            let code = row["outcome"]["record"].as_str().unwrap_or_default().contains("plain_personal");
            if code && !there {
                self.found.count("plain line hidden");
            }
        }
    }

    async fn parked_and_reads(&mut self) {
        let who = self.account();
        let parked = self.get(Route::Parked, &format!("/v1/logs/{}/parked", self.log)).await;
        let may = self.knows_log() && self.facts.has_role(who, &[Role::Supervisor, Role::Admin]);
        self.found.check((parked.status == 200) == may, || format!("parked to {who}: {}", parked.status));
        if parked.status == 200 {
            for row in parked.json()["parked"].as_array().into_iter().flatten() {
                let entity: EntityId = row["entity"].as_str().unwrap().parse().unwrap();
                let case = self.facts.cases.get(&entity);
                let sees = case.is_some_and(|case| self.facts.sees(who, case));
                let chief = self.facts.over_all(who, &[Role::Supervisor, Role::Admin]);
                let hidden = case.is_some_and(|case| case.restricted.is_some()) && !sees;
                self.found.check(!hidden && (sees || chief), || format!("parked: {entity} to {who}"));
            }
        }
        let reads = self.get(Route::Reads, &format!("/v1/logs/{}/reads", self.log)).await;
        let may = self.knows_log() && self.facts.over_all(who, &[Role::Auditor, Role::Admin]);
        self.found.check((reads.status == 200) == may, || format!("reads to {who}: {}", reads.status));
    }
}

fn ids(reply: &Reply) -> BTreeSet<String> {
    let json = reply.json();
    let rows = json["cases"].as_array().into_iter().flatten();
    rows.filter_map(|row| row["document"]["id"].as_str().map(str::to_owned)).collect()
}
