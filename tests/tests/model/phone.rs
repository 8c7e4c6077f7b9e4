//! The model's phone: base, overlay, cursors, pairs of entity and scope.

use std::collections::{BTreeMap, BTreeSet};

use super::Rule;
use super::server::{Entity, Kind, MAKERS, Op, Outcome, Page, Scope, reduce};

#[derive(Debug, Clone)]
pub(crate) struct Pending {
    pub(crate) op: Op,
    pub(crate) decided: Option<(u64, Outcome)>,
}

#[derive(Debug, Clone)]
pub(crate) struct Phone {
    pub(crate) device: usize,
    pub(crate) epoch: u64,
    pub(crate) incarnation: u64,
    pub(crate) seq: u64,
    pub(crate) base: BTreeMap<u64, Entity>,
    pub(crate) pairs: BTreeSet<(u64, Scope)>,
    pub(crate) cursors: BTreeMap<Scope, u64>,
    pub(crate) own: u64,
    pub(crate) head: u64,
    pub(crate) pending: Vec<Pending>,
    pub(crate) kept: Vec<Pending>,
    pub(crate) rejected: usize,
    pub(crate) made: Vec<u64>,
}

impl Phone {
    pub(crate) fn new(device: usize, areas: &[Scope], without: Option<Rule>) -> Self {
        let maker = (without != Some(Rule::MakersScope)).then(|| MAKERS[device]);
        Self {
            device,
            epoch: 0,
            incarnation: 1,
            seq: 0,
            base: BTreeMap::new(),
            pairs: BTreeSet::new(),
            cursors: areas.iter().copied().chain(maker).map(|scope| (scope, 0)).collect(),
            own: 0,
            head: 0,
            pending: Vec::new(),
            kept: Vec::new(),
            rejected: 0,
            made: Vec::new(),
        }
    }

    /// What the phone shows: its base with its own undecided ops laid over it.
    pub(crate) fn view(&self, entity: u64) -> Option<Entity> {
        let mut shown = self.base.get(&entity).cloned();
        let base_rev = shown.as_ref().map_or(0, |entity| entity.rev);
        for pending in self.pending.iter().filter(|pending| pending.op.entity == entity) {
            let laid_over = match pending.decided {
                None => true,
                Some((_, Outcome::Rejected)) => false,
                Some((rev, Outcome::Accepted)) => rev > base_rev,
            };
            if laid_over && let (Outcome::Accepted, Some(after)) = reduce(shown.clone(), &pending.op) {
                shown = Some(after);
            }
        }
        shown
    }

    pub(crate) fn capture(&mut self, id: u64, entity: u64, kind: Kind, area: Scope) {
        self.seq += 1;
        let op = Op { id, device: self.device, incarnation: self.incarnation, seq: self.seq, entity, kind, area };
        self.pending.push(Pending { op, decided: None });
        self.made.push(id);
    }

    pub(crate) fn unsent(&self, limit: usize) -> Vec<Op> {
        let undecided = self.pending.iter().filter(|pending| pending.decided.is_none());
        undecided.take(limit).map(|pending| pending.op.clone()).collect()
    }

    /// A new incarnation: what is undecided is numbered anew, the ops themselves stay.
    pub(crate) fn renumber(&mut self, fresh: u64) {
        self.incarnation = fresh;
        self.seq = 0;
        for pending in self.pending.iter_mut().filter(|pending| pending.decided.is_none()) {
            self.seq += 1;
            pending.op.incarnation = fresh;
            pending.op.seq = self.seq;
        }
    }

    fn enter_epoch(&mut self, epoch: u64, fresh: u64, without: Option<Rule>) {
        self.epoch = epoch;
        if without == Some(Rule::ObeyEpoch) {
            return;
        }
        self.base.clear();
        self.pairs.clear();
        self.own = 0;
        self.head = 0;
        self.cursors.values_mut().for_each(|cursor| *cursor = 0);
        let mut again: Vec<Pending> = self.kept.drain(..).chain(self.pending.drain(..)).collect();
        again.iter_mut().for_each(|pending| pending.decided = None);
        self.pending = again;
        self.renumber(fresh);
    }

    pub(crate) fn pushed(&mut self, epoch: u64, outcomes: &[(u64, u64, Outcome)], fresh: u64, without: Option<Rule>) {
        if epoch != self.epoch {
            self.enter_epoch(epoch, fresh, without);
            return;
        }
        self.learn(outcomes);
        self.retire(without);
    }

    fn learn(&mut self, outcomes: &[(u64, u64, Outcome)]) {
        for (id, rev, outcome) in outcomes {
            if let Some(pending) = self.pending.iter_mut().find(|pending| pending.op.id == *id) {
                pending.decided.get_or_insert((*rev, *outcome));
            }
        }
    }

    pub(crate) fn pulled(&mut self, page: &Page, fresh: u64, without: Option<Rule>) {
        if page.epoch != self.epoch {
            self.enter_epoch(page.epoch, fresh, without);
            return;
        }
        let Some(cursor) = self.cursors.get(page.scope).copied() else { return };
        // A page of an earlier subscription began above what this one has: it would skip what lies between.
        if page.from > cursor && without != Some(Rule::BeginAtZero) {
            return;
        }
        if page.too_old {
            self.pairs.retain(|(_, scope)| *scope != page.scope);
            self.cursors.insert(page.scope, 0);
            self.drop_unpaired();
            return;
        }
        if without != Some(Rule::OwnOutcomes) {
            self.learn(&page.own);
            self.own = self.own.max(page.head);
        }
        self.head = self.head.max(page.head);
        let guarded = without != Some(Rule::LatePagesSayNothing);
        for (id, row) in &page.rows {
            if guarded && row.rev <= cursor {
                continue;
            }
            self.pairs.insert((*id, page.scope));
            let newer = self.base.get(id).is_none_or(|held| held.rev <= row.rev);
            if newer || !guarded {
                self.base.insert(*id, row.clone());
            }
        }
        for (rev, id) in &page.exits {
            if guarded && *rev <= cursor {
                continue;
            }
            self.pairs.remove(&(*id, page.scope));
        }
        let next = if guarded { cursor.max(page.next) } else { page.next };
        self.cursors.insert(page.scope, next);
        self.drop_unpaired();
        self.kept.retain(|kept| kept.decided.is_none_or(|(rev, _)| rev > page.durable));
        self.retire(without);
    }

    /// Subscribes to another area, or to one less.
    pub(crate) fn subscribe(&mut self, area: Scope, without: Option<Rule>) {
        let begins_at = if without == Some(Rule::BeginAtZero) { self.own } else { 0 };
        self.cursors.entry(area).or_insert(begins_at);
    }

    pub(crate) fn leave(&mut self, area: Scope, without: Option<Rule>) {
        self.cursors.remove(area);
        if without != Some(Rule::PurgeOnLeaving) {
            self.pairs.retain(|(_, scope)| *scope != area);
            self.drop_unpaired();
        }
    }

    /// A row goes with its last scope, if nothing of the phone's own is pending on it.
    fn drop_unpaired(&mut self) {
        let pairs = &self.pairs;
        let pending = &self.pending;
        self.base.retain(|id, _| {
            pairs.iter().any(|(paired, _)| paired == id) || pending.iter().any(|pending| pending.op.entity == *id)
        });
    }

    fn retire(&mut self, without: Option<Rule>) {
        let covered = self.cursors.values().copied().min().unwrap_or(0);
        let mut still = Vec::new();
        for pending in std::mem::take(&mut self.pending) {
            let Some((rev, outcome)) = pending.decided else {
                still.push(pending);
                continue;
            };
            let base_rev = self.base.get(&pending.op.entity).map_or(0, |entity| entity.rev);
            let paired = self.pairs.iter().any(|(id, _)| *id == pending.op.entity);
            // Up to its own revision is not enough: a newer version of the entity comes in a later page.
            let out_of_scope = without != Some(Rule::RetireOutOfScope) && !paired && covered >= rev.max(self.head);
            let done = outcome == Outcome::Rejected
                || base_rev >= rev
                || out_of_scope
                || without == Some(Rule::RetireOnlyWhenCaughtUp);
            if !done {
                still.push(pending);
                continue;
            }
            self.rejected += usize::from(outcome == Outcome::Rejected);
            if without != Some(Rule::KeepUntilDurable) {
                self.kept.push(pending);
            }
        }
        self.pending = still;
        self.drop_unpaired();
    }
}
