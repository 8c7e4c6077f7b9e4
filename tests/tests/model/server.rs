//! The model's server: one log, entities with the scopes they lie in, exits.

use std::collections::{BTreeMap, BTreeSet};

use super::Rule;

pub(crate) type Scope = &'static str;

/// What an op asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Add,
    Close,
    Bad,
    Move(Scope),
}

#[derive(Debug, Clone)]
pub(crate) struct Op {
    pub(crate) id: u64,
    pub(crate) device: usize,
    pub(crate) incarnation: u64,
    pub(crate) seq: u64,
    pub(crate) entity: u64,
    pub(crate) kind: Kind,
    /// Where the entity begins, if this op begins it.
    pub(crate) area: Scope,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entity {
    pub(crate) count: u64,
    pub(crate) closed: bool,
    pub(crate) area: Scope,
    pub(crate) maker: usize,
    pub(crate) rev: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    Accepted,
    Rejected,
}

/// What an op does to an entity: the same on server and phone.
pub(crate) fn reduce(entity: Option<Entity>, op: &Op) -> (Outcome, Option<Entity>) {
    let mut entity = entity.unwrap_or(Entity { count: 0, closed: false, area: op.area, maker: op.device, rev: 0 });
    match op.kind {
        Kind::Bad => return (Outcome::Rejected, None),
        Kind::Close if entity.closed => return (Outcome::Rejected, None),
        Kind::Add => entity.count += 1,
        Kind::Close => entity.closed = true,
        Kind::Move(area) => entity.area = area,
    }
    (Outcome::Accepted, Some(entity))
}

#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub(crate) op: Op,
    pub(crate) outcome: Outcome,
}

#[derive(Debug, Clone, Default)]
pub(crate) struct Server {
    pub(crate) epoch: u64,
    pub(crate) log: Vec<Entry>,
    pub(crate) entities: BTreeMap<u64, Entity>,
    pub(crate) exits: BTreeMap<(Scope, u64), u64>,
    /// Exits up to here are forgotten.
    pub(crate) forgotten: u64,
    pub(crate) last_seq: BTreeMap<(usize, u64), u64>,
    pub(crate) durable: u64,
}

/// The answer to a push.
pub(crate) enum Pushed {
    Outcomes(Vec<(u64, u64, Outcome)>),
    Renumber,
}

#[derive(Debug, Clone)]
pub(crate) struct Page {
    pub(crate) epoch: u64,
    pub(crate) scope: Scope,
    /// The cursor it was asked from.
    pub(crate) from: u64,
    /// Nobody knows what left the scope since then.
    pub(crate) too_old: bool,
    pub(crate) rows: Vec<(u64, Entity)>,
    pub(crate) exits: Vec<(u64, u64)>,
    pub(crate) next: u64,
    pub(crate) head: u64,
    pub(crate) own: Vec<(u64, u64, Outcome)>,
    pub(crate) durable: u64,
}

pub(crate) const MAKERS: [Scope; 3] = ["maker 0", "maker 1", "maker 2"];

/// The scopes an entity lies in.
pub(crate) fn scopes(entity: &Entity, without: Option<Rule>) -> BTreeSet<Scope> {
    let maker = (without != Some(Rule::MakersScope)).then(|| MAKERS[entity.maker]);
    std::iter::once(entity.area).chain(maker).collect()
}

impl Server {
    pub(crate) fn head(&self) -> u64 {
        u64::try_from(self.log.len()).expect("small")
    }

    fn known(&self, id: u64) -> Option<(u64, Outcome)> {
        let index = self.log.iter().position(|entry| entry.op.id == id)?;
        Some((u64::try_from(index + 1).expect("small"), self.log[index].outcome))
    }

    pub(crate) fn push(&mut self, ops: &[Op], without: Option<Rule>) -> Pushed {
        let mut outcomes = Vec::new();
        for op in ops {
            let key = (op.device, op.incarnation);
            let last = self.last_seq.get(&key).copied().unwrap_or(0);
            if let Some((rev, outcome)) = self.known(op.id) {
                outcomes.push((op.id, rev, outcome));
                self.last_seq.insert(key, last.max(op.seq));
            } else if op.seq <= last && without == Some(Rule::NewIncarnation) {
                // What a server that trusts the highest number would say of a copied phone's new op.
                outcomes.push((op.id, 0, Outcome::Accepted));
            } else if op.seq != last + 1 {
                return Pushed::Renumber;
            } else {
                let (rev, outcome) = self.append(op, without);
                outcomes.push((op.id, rev, outcome));
                self.last_seq.insert(key, op.seq);
            }
        }
        Pushed::Outcomes(outcomes)
    }

    fn append(&mut self, op: &Op, without: Option<Rule>) -> (u64, Outcome) {
        let rev = self.head() + 1;
        let before = self.entities.get(&op.entity).cloned();
        let (outcome, after) = reduce(before.clone(), op);
        self.log.push(Entry { op: op.clone(), outcome });
        if let Some(mut after) = after {
            after.rev = rev;
            let were = before.map(|entity| scopes(&entity, without)).unwrap_or_default();
            let are = scopes(&after, without);
            for left in were.difference(&are) {
                self.exits.insert((left, op.entity), rev);
            }
            for entered in &are {
                self.exits.remove(&(*entered, op.entity));
            }
            self.entities.insert(op.entity, after);
        }
        (rev, outcome)
    }

    /// Forgets exits that are older than most phones' cursors.
    pub(crate) fn forget_exits(&mut self, up_to: u64) {
        self.forgotten = self.forgotten.max(up_to);
        self.exits.retain(|_, rev| *rev > up_to);
    }

    pub(crate) fn pull(
        &self,
        device: usize,
        scope: Scope,
        cursor: u64,
        own: u64,
        limit: usize,
        without: Option<Rule>,
    ) -> Page {
        let mut found: Vec<(u64, u64, Option<Entity>)> = self
            .entities
            .iter()
            .filter(|(_, entity)| entity.rev > cursor && scopes(entity, without).contains(scope))
            .map(|(id, entity)| (entity.rev, *id, Some(entity.clone())))
            .collect();
        if without != Some(Rule::Exits) {
            let left = self.exits.iter().filter(|((from, _), rev)| *from == scope && **rev > cursor);
            found.extend(left.map(|((_, id), rev)| (*rev, *id, None)));
        }
        found.sort_by_key(|(rev, ..)| *rev);
        let full = found.len() > limit;
        found.truncate(limit);
        let next = if full { found.last().map_or(cursor, |(rev, ..)| *rev) } else { self.head() };
        let revs = 1_u64..;
        let mine = revs.zip(&self.log).filter(|(rev, entry)| *rev > own && entry.op.device == device);
        Page {
            epoch: self.epoch,
            scope,
            from: cursor,
            too_old: without != Some(Rule::RestartTooOld) && cursor > 0 && cursor < self.forgotten,
            exits: found.iter().filter(|(.., row)| row.is_none()).map(|(rev, id, _)| (*rev, *id)).collect(),
            rows: found.into_iter().filter_map(|(_, id, row)| row.map(|entity| (id, entity))).collect(),
            next,
            head: self.head(),
            own: mine.map(|(rev, entry)| (entry.op.id, rev, entry.outcome)).collect(),
            durable: self.durable,
        }
    }
}
