//! A network that loses, cuts, repeats, delays and reorders.

use proptest::prelude::*;
use schema::ids::EntityId;
use schema::op::{Assign, Body, Captured};
use schema::sync::{Node, Scope, SyncLine};
use sync_core::device::answers::{Batch, Pull};
use sync_core::device::error::PhoneError;
use sync_core::device::requests::Request;
use sync_core::sync::answer::AnswerError;

use super::server::{EAST, LOG, UNIT, WEST};
use super::town::{Town, report_at};

#[test]
fn an_answer_without_its_end_is_thrown_away_whole() {
    let mut town = Town::new(1);
    town.report(0, &[]);
    let request = town.request(0);
    let bytes = town.server.sync(&request.body);
    let now = town.now();
    for cut in 0..bytes.len() - 1 {
        let refused = town.phones[0].take_answer(&request, &bytes[..cut], now);
        assert!(matches!(refused, Err(PhoneError::Answer(AnswerError::Cut))), "cut at {cut}: {refused:?}");
    }
    assert_eq!(town.phones[0].status().unwrap().on_this_phone, 1);
    assert_eq!(town.phones[0].base_documents(LOG).unwrap(), []);
    town.answer(0, &request, &bytes);
    assert_eq!(town.phones[0].status().unwrap().on_this_phone, 0);
}

#[test]
fn an_answer_taken_twice_changes_nothing() {
    let mut town = Town::new(1);
    town.report(0, &[]);
    town.sync(0);
    town.report(0, &[]);
    let request = town.request(0);
    let bytes = town.server.sync(&request.body);
    town.answer(0, &request, &bytes);
    let held = (town.phones[0].base_documents(LOG).unwrap(), town.phones[0].log(LOG).unwrap());
    town.answer(0, &request, &bytes);
    assert_eq!(held, (town.phones[0].base_documents(LOG).unwrap(), town.phones[0].log(LOG).unwrap()));
}

#[test]
fn a_late_page_overwrites_nothing_and_moves_no_cursor_back() {
    let mut town = Town::new(2);
    let made = town.report(1, &[]);
    town.sync(1);
    town.sync(0);
    let early = town.request(0);
    let first = town.server.sync(&early.body);
    town.comment(1, made.entity, "newer");
    town.sync(1);
    town.sync(0);
    let held = (town.phones[0].base_documents(LOG).unwrap(), town.request(0).header.scopes);
    town.answer(0, &early, &first);
    assert_eq!(held, (town.phones[0].base_documents(LOG).unwrap(), town.request(0).header.scopes));
    assert_eq!(town.case(0, made.entity).unwrap().comment_count, 1);
}

#[test]
fn a_request_that_was_lost_after_it_was_taken_is_answered_the_same_again() {
    let mut town = Town::new(1);
    let made = town.report(0, &[]);
    for _ in 0..3 {
        let request = town.request(0);
        town.server.sync(&request.body);
    }
    town.sync(0);
    assert_eq!(town.server.ops(), [made.op], "INV-EXACTLY-ONCE");
    assert_eq!(town.phones[0].attention().unwrap(), []);
}

/// The phone of the east reports in the east; the supervisor sees it, the west does not.
#[test]
fn an_entity_that_leaves_every_scope_goes_with_its_values() {
    let mut town = Town::new(4);
    let now = town.now();
    let made = report_at(&mut town.phones[3], now, &[], 500).unwrap();
    town.sync(3);
    town.sync(0);
    let note = town.case(0, made.entity).unwrap().fields[&schema::case::FieldName::Note].value["sealed"].clone();
    let note = note.as_str().unwrap().parse().unwrap();
    assert!(town.phones[0].value(note).unwrap().is_some());
    // The server says that the west may no longer be named.
    let request = town.request(0);
    let west = Scope::normal(Node::Area(WEST));
    let bytes = edit(&town.server.sync(&request.body), |lines| {
        let end = lines.len() - 1;
        lines.insert(end, SyncLine::Drop(west));
        without_default(lines, west);
    });
    town.answer(0, &request, &bytes);
    assert!(town.case(0, made.entity).is_none());
    assert!(town.phones[0].value(note).unwrap().is_none());
    assert!(!town.request(0).header.scopes.contains_key(&west));
    // Coming back, the area starts at 0 again.
    let request = town.request(0);
    let bytes = town.server.sync(&request.body);
    assert!(town.answer(0, &request, &bytes).more);
    assert_eq!(town.request(0).header.scopes.get(&west), Some(&0));
    town.sync(0);
    assert!(town.case(0, made.entity).is_some());
}

#[test]
fn an_entity_with_own_ops_on_it_stays_until_they_are_decided() {
    let mut town = Town::new(4);
    let now = town.now();
    let made = report_at(&mut town.phones[3], now, &[], 500).unwrap();
    town.sync(3);
    town.sync(0);
    let op = town.comment(0, made.entity, "on my way");
    let mut request = town.request(0);
    // The pull alone comes through.
    request.header.count = 0;
    request.header.signature = None;
    request.body = serde_json::to_vec(&request.header).unwrap();
    let west = Scope::normal(Node::Area(WEST));
    let bytes = edit(&town.server.sync(&request.body), |lines| {
        let end = lines.len() - 1;
        lines.insert(end, SyncLine::Drop(west));
        without_default(lines, west);
    });
    town.answer(0, &request, &bytes);
    assert_eq!(town.case(0, made.entity).unwrap().comment_count, 1, "still shown");
    let request = town.request(0);
    let bytes = edit(&town.server.sync(&request.body), |lines| without_default(lines, west));
    town.answer(0, &request, &bytes);
    assert!(town.server.ops().contains(&op));
    assert!(town.case(0, made.entity).is_none(), "decided, in no scope, everything pulled");
}

fn without_default(lines: &mut [SyncLine], scope: Scope) {
    if let Some(SyncLine::Head(head)) = lines.first_mut() {
        head.default_scopes.retain(|held| *held != scope);
    }
}

pub(crate) fn edit(bytes: &[u8], change: impl FnOnce(&mut Vec<SyncLine>)) -> Vec<u8> {
    let lines = bytes.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    let mut lines: Vec<SyncLine> = lines.map(|line| serde_json::from_slice(line).unwrap()).collect();
    change(&mut lines);
    let mut bytes = Vec::new();
    for line in lines {
        serde_json::to_writer(&mut bytes, &line).unwrap();
        bytes.push(b'\n');
    }
    bytes
}

#[test]
fn a_gap_renumbers_what_is_undecided_and_changes_no_byte_of_it() {
    let mut town = Town::new(1);
    town.report(0, &[]);
    town.sync(0);
    town.report(0, &[]);
    let lines = |town: &Town| town.phones[0].unsent().unwrap().into_iter().map(|own| own.line).collect::<Vec<_>>();
    let before = lines(&town);
    let request = town.request(0);
    let bytes = edit(&town.server.sync(&town.phones[0].next_request(LOG, 200, NOW).unwrap().body), |lines| {
        lines.retain(|line| !matches!(line, SyncLine::Outcome(_)));
        if let Some(SyncLine::Head(head)) = lines.first_mut() {
            head.batch = schema::sync::BatchAnswer::Gap { expected: 1 };
            head.receipt = None;
        }
        lines.retain(|line| !matches!(line, SyncLine::Entity(_)));
    });
    let progress = town.answer(0, &request, &bytes);
    assert_eq!(progress.batch, Batch::Renumbered);
    let after = town.request(0);
    assert_eq!((after.header.first_seq, after.header.count), (1, 1));
    assert_ne!(after.header.incarnation, request.header.incarnation);
    assert_eq!(lines(&town), before);
    town.sync(0);
    assert_eq!(town.server.ops().len(), 2, "INV-EXACTLY-ONCE");
}

const NOW: Captured = Captured { wall_ms: 5, elapsed_ms: 5, boot: schema::ids::BootId(uuid::Uuid::from_u128(1)) };

/// A step of a story.
#[derive(Debug, Clone)]
enum Step {
    Report(usize, bool),
    Comment(usize, usize),
    Amend(usize, usize),
    Assign(usize),
    Send(usize, Fate),
    Arrive(usize),
    Photos(usize),
    Free(usize),
    Backup,
    Restore,
    Reopen(usize),
}

#[derive(Debug, Clone, Copy)]
enum Fate {
    Whole,
    RequestLost,
    AnswerLost,
    Cut,
    Twice,
    Late,
}

fn step() -> impl Strategy<Value = Step> {
    let phone = 0_usize..4;
    let fate = prop_oneof![
        4 => Just(Fate::Whole),
        1 => Just(Fate::RequestLost),
        2 => Just(Fate::AnswerLost),
        1 => Just(Fate::Cut),
        1 => Just(Fate::Twice),
        2 => Just(Fate::Late),
    ];
    prop_oneof![
        4 => (phone.clone(), any::<bool>()).prop_map(|(phone, photo)| Step::Report(phone, photo)),
        4 => (phone.clone(), 0_usize..50).prop_map(|(phone, case)| Step::Comment(phone, case)),
        3 => (phone.clone(), 0_usize..50).prop_map(|(phone, case)| Step::Amend(phone, case)),
        1 => (0_usize..50).prop_map(Step::Assign),
        12 => (phone.clone(), fate).prop_map(|(phone, fate)| Step::Send(phone, fate)),
        3 => phone.clone().prop_map(Step::Arrive),
        3 => phone.clone().prop_map(Step::Photos),
        1 => phone.clone().prop_map(Step::Free),
        1 => Just(Step::Backup),
        1 => Just(Step::Restore),
        1 => phone.prop_map(Step::Reopen),
    ]
}

/// What a story has made, and what is still on its way.
#[derive(Default)]
struct Tale {
    ops: Vec<schema::ids::OpId>,
    late: Vec<(usize, Request, Vec<u8>)>,
    backup: Option<super::server::Server>,
    photos: Vec<Vec<u8>>,
    restored: bool,
}

impl Tale {
    fn play(&mut self, town: &mut Town, step: Step) {
        match step {
            Step::Report(phone, with_photo) => {
                let bytes = format!("photo {}", self.photos.len()).into_bytes();
                let now = town.now();
                let lon = if phone == 2 { 3_500 } else { 500 };
                let photos: Vec<&[u8]> = if with_photo { vec![&bytes] } else { Vec::new() };
                let made = report_at(&mut town.phones[phone], now, &photos, lon).unwrap();
                self.ops.push(made.op);
                if with_photo {
                    self.photos.push(bytes);
                }
            }
            Step::Comment(phone, case) => {
                if let Some(case) = pick(town, phone, case) {
                    let before = town.case(phone, case).unwrap().comment_count;
                    self.ops.push(town.comment(phone, case, "seen"));
                    let now = town.case(phone, case).unwrap();
                    let estimated = now.comment_count > before;
                    assert!(estimated || now.end.is_some() || phone != 3, "an own comment shows");
                }
            }
            Step::Amend(phone, case) => {
                if let Some(case) = pick(town, phone, case) {
                    let subject = format!("s{}", self.ops.len());
                    self.ops.push(town.amend(phone, case, &subject));
                }
            }
            Step::Assign(case) => {
                if let Some(case) = pick(town, 3, case) {
                    let body = Assign {
                        unit: UNIT,
                        co_units: Vec::new(),
                        co_limits: Default::default(),
                        holder: None,
                        note: None,
                    };
                    self.ops.push(town.act(3, case, Body::Assign(body)));
                }
            }
            Step::Send(phone, fate) => self.send(town, phone, fate),
            Step::Arrive(which) => {
                if !self.late.is_empty() {
                    let (phone, request, bytes) = self.late.remove(which % self.late.len());
                    town.answer(phone, &request, &bytes);
                }
            }
            Step::Photos(phone) => town.send_photos(phone),
            Step::Free(phone) => {
                town.phones[phone].free_photos().unwrap();
            }
            Step::Backup => self.backup = Some(town.server.backup()),
            Step::Restore => {
                if let Some(backup) = self.backup.take() {
                    town.server = backup;
                    self.backup = Some(town.server.backup());
                    self.restored = true;
                }
            }
            Step::Reopen(phone) => town.reopen(phone),
        }
    }

    fn send(&mut self, town: &mut Town, phone: usize, fate: Fate) {
        let request = town.request(phone);
        if matches!(fate, Fate::RequestLost) {
            return;
        }
        let bytes = town.server.sync(&request.body);
        match fate {
            Fate::RequestLost | Fate::AnswerLost => {}
            Fate::Cut => {
                let now = town.now();
                assert!(town.phones[phone].take_answer(&request, &bytes[..bytes.len() / 2], now).is_err());
            }
            Fate::Late => self.late.push((phone, request, bytes)),
            Fate::Whole => {
                town.answer(phone, &request, &bytes);
            }
            Fate::Twice => {
                let again = town.server.sync(&request.body);
                town.answer(phone, &request, &again);
                town.answer(phone, &request, &bytes);
            }
        }
    }
}

fn pick(town: &Town, phone: usize, nth: usize) -> Option<EntityId> {
    let rows = town.phones[phone].list(&Default::default(), None, 50).unwrap();
    (!rows.is_empty()).then(|| rows[nth % rows.len()].case)
}

/// What must be so at rest, after all is delivered.
fn check_at_rest(town: &mut Town, tale: &Tale) {
    for _ in 0..3 {
        for phone in 0..4 {
            town.sync(phone);
            town.send_photos(phone);
        }
    }
    for phone in 0..4 {
        town.sync(phone);
    }
    let mut in_log = town.server.ops();
    let all = in_log.len();
    in_log.sort();
    in_log.dedup();
    assert_eq!(all, in_log.len(), "INV-EXACTLY-ONCE");
    for op in &tale.ops {
        assert!(in_log.contains(op), "INV-NO-LOSS: {op}");
    }
    for phone in 0..4 {
        let status = town.phones[phone].status().unwrap();
        assert_eq!((status.on_this_phone, status.received, status.photos_to_send), (0, 0, 0), "INV-QUEUE-DRAINS");
        let scopes = town.request(phone).header.scopes;
        for (entity, rev, document) in town.phones[phone].base_documents(LOG).unwrap() {
            let (at, held) = &town.server.entities[&entity];
            assert_eq!((rev, document), (*at, serde_json::to_string(held).unwrap()), "INV-CONVERGE");
        }
        let area = if phone == 2 { EAST } else { WEST };
        assert!(phone == 3 || scopes.contains_key(&Scope::normal(Node::Area(area))));
        assert!(!town.phones[phone].log(LOG).unwrap().forked);
        assert_eq!(town.round(phone).pull, Pull::Taken);
    }
    for bytes in &tale.photos {
        let hash = sync_core::line::sha256(bytes);
        assert!(town.server.verified.contains_key(&hash), "INV-PHOTO-CUSTODY");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, max_shrink_iters: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nothing_is_lost_doubled_or_stuck_whatever_the_network_does(steps in prop::collection::vec(step(), 1..80)) {
        let mut town = Town::new(4);
        town.server.page_rows = 3;
        let mut tale = Tale::default();
        for step in steps {
            tale.play(&mut town, step);
        }
        check_at_rest(&mut town, &tale);
    }
}
