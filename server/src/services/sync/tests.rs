//! Pushing: exactly once, in order, whole batches, the same answer for ever.

use schema::op::{Body, Comment, Decline, Role, Sealed};
use schema::record::{Outcome, RefusalCode};
use schema::sync::BatchAnswer;
use sync_core::line::sha256;
use sync_core::log::leaf;
use sync_core::log::tree::Frontier;

use crate::services::world::{World, grid, root};

/// INV-EXACTLY-ONCE, INV-SAME-VERDICT: a repeat gets the same bytes and makes no entry.
#[tokio::test]
async fn a_repeat_gets_the_first_answer_byte_for_byte() {
    let world = World::new().await;
    let mut phone = world.person(1, Role::Inspector, grid(1)).await;
    let lines = vec![phone.report(1), phone.report(2)];
    let first = phone.send(&world, &lines).await.unwrap();
    assert_eq!(first.head.batch, BatchAnswer::Taken);
    assert_eq!(first.record(lines[0].op).outcome, Outcome::Accepted, "{:?}", first.outcomes);
    let head = world.head_rev();

    let again = phone.send(&world, &lines).await.unwrap();
    assert_eq!(again.outcomes, first.outcomes);
    assert_eq!(again.head.receipt, first.head.receipt);
    assert_eq!(world.head_rev(), head);

    // The same lines under a new incarnation, as after a phone's restore: replays, no entries.
    phone.incarnation = 78;
    let renumbered = phone.send(&world, &lines).await.unwrap();
    assert_eq!(renumbered.outcomes, first.outcomes);
    assert_eq!(world.head_rev(), head);
    // And its next op goes on behind them.
    phone.took(&lines);
    let next = phone.report(1);
    assert_eq!(phone.send(&world, std::slice::from_ref(&next)).await.unwrap().head.batch, BatchAnswer::Taken);
}

/// The answer carries all that is needed to recompute its leaf.
#[tokio::test]
async fn an_answer_recomputes_its_leaf_and_its_receipt_names_it() {
    let world = World::new().await;
    let mut phone = world.person(1, Role::Inspector, grid(1)).await;
    let line = phone.report(1);
    let answer = phone.sync(&world, std::slice::from_ref(&line)).await;
    let outcome = &answer.outcomes[0];
    let computed = leaf::of_outcome(phone.log, phone.device, phone.account, sha256(&line.bytes), outcome);
    let verifier = world.logs.checkpoints.signer().verifier();
    let receipt = sync_core::log::receipt::open(verifier, answer.head.receipt.as_ref().unwrap()).unwrap();
    assert_eq!(receipt.ops[0].leaf, leaf::hash(&computed));
    assert_eq!(receipt.ops[0].rev, outcome.rev);
}

#[tokio::test]
async fn a_gap_is_refused_with_the_number_expected() {
    let world = World::new().await;
    let mut phone = world.person(1, Role::Inspector, grid(1)).await;
    let first = phone.report(1);
    phone.sync(&world, &[first]).await;
    phone.next_seq = 5;
    let line = phone.report(1);
    let head = world.head_rev();
    let answer = phone.send(&world, &[line]).await.unwrap();
    assert_eq!(answer.head.batch, BatchAnswer::Gap { expected: 2 });
    assert_eq!(world.head_rev(), head);
}

/// A copy of a phone's store uses numbers that the first one used already.
#[tokio::test]
async fn a_reused_number_is_refused_and_a_new_incarnation_goes_on() {
    let world = World::new().await;
    let mut phone = world.person(1, Role::Inspector, grid(1)).await;
    let mut copy = world.phone(phone.account, 1).await;
    copy.made = 1000;
    let lines = [phone.report(1), phone.report(1)];
    phone.sync(&world, &lines).await;
    let other = [copy.report(2)];
    let answer = copy.send(&world, &other).await.unwrap();
    assert_eq!(answer.head.batch, BatchAnswer::Reused { device_seq: 1 });
    copy.incarnation = 99;
    let answer = copy.send(&world, &other).await.unwrap();
    assert_eq!(answer.head.batch, BatchAnswer::Taken);
}

/// A batch that overlaps what came before: the new part is entered, the old part answered.
#[tokio::test]
async fn an_overlapping_batch_is_taken_and_its_chain_checked_from_the_middle() {
    let world = World::new().await;
    let mut phone = world.person(1, Role::Inspector, grid(1)).await;
    let lines: Vec<_> = (0..6).map(|_| phone.report(1)).collect();
    phone.send(&world, &lines[..4]).await.unwrap();
    // The answer was lost; the phone halves and starts with three, then sends from the third on.
    phone.send(&world, &lines[..3]).await.unwrap();
    phone.took(&lines[..2]);
    let answer = phone.send(&world, &lines[2..]).await.unwrap();
    assert_eq!(answer.head.batch, BatchAnswer::Taken);
    assert_eq!(answer.outcomes.len(), 6, "own outcomes come with it");
    let entered = world.entries().iter().filter(|entry| entry.kind == "report").count();
    assert_eq!(entered, 6);
}

#[tokio::test]
async fn a_wrong_chain_or_signature_is_refused_whole() {
    let world = World::new().await;
    let mut phone = world.person(1, Role::Inspector, grid(1)).await;
    let other = world.person(2, Role::Inspector, grid(1)).await;
    let line = [phone.report(1)];
    let head = world.head_rev();
    phone.chain = sha256(b"another past");
    assert_eq!(phone.send(&world, &line).await.unwrap().head.batch, BatchAnswer::BadSignature);
    phone.chain = schema::hash::Hash::ZERO;
    let own = std::mem::replace(&mut phone.secret, other.secret.clone());
    assert_eq!(phone.send(&world, &line).await.unwrap().head.batch, BatchAnswer::BadSignature);
    assert_eq!(world.head_rev(), head);
    phone.secret = own;
    assert_eq!(phone.send(&world, &line).await.unwrap().head.batch, BatchAnswer::Taken);
}

/// The signature is looked at before the log: whoever does not hold the key learns nothing of its numbers.
#[tokio::test]
async fn an_unsigned_batch_learns_nothing_of_the_numbers() {
    let world = World::new().await;
    let mut phone = world.person(1, Role::Inspector, grid(1)).await;
    let other = world.person(2, Role::Inspector, grid(1)).await;
    let first = [phone.report(1)];
    phone.sync(&world, &first).await;
    let line = [phone.report(1)];
    let own = std::mem::replace(&mut phone.secret, other.secret.clone());
    for next_seq in [1, 5] {
        phone.next_seq = next_seq;
        assert_eq!(phone.send(&world, &line).await.unwrap().head.batch, BatchAnswer::BadSignature);
    }
    phone.secret = own;
    assert_eq!(phone.send(&world, &line).await.unwrap().head.batch, BatchAnswer::Gap { expected: 2 });
}

/// Cursors beyond what the database holds are cursors beyond the head.
#[tokio::test]
async fn a_cursor_beyond_everything_gets_nothing() {
    let world = World::new().await;
    let mut phone = world.person(1, Role::Inspector, grid(1)).await;
    let line = [phone.report(1)];
    let known = phone.sync(&world, &line).await;
    phone.own = u64::MAX;
    phone.scopes = known.head.default_scopes.iter().map(|scope| (*scope, u64::MAX)).collect();
    assert!(!phone.scopes.is_empty());
    let answer = phone.send(&world, &[]).await.unwrap();
    assert_eq!((answer.entities.len(), answer.outcomes.len(), answer.end.more), (0, 0, false));
}

/// More lines than the header counts are refused before they are kept; so are more values than a line can name.
#[tokio::test]
async fn a_body_of_more_than_it_says_is_refused() {
    let world = World::new().await;
    let mut phone = world.person(1, Role::Inspector, grid(1)).await;
    let mut line = phone.report(1);
    let (_, mut body) = phone.request(std::slice::from_ref(&line));
    body.resize(8_000_000, b'\n');
    assert!(matches!(
        super::request::read(&body).err(),
        Some(crate::error::Error::Refused { code: schema::problem::ProblemCode::Malformed, .. })
    ));
    line.values = vec![line.values[0].clone(); schema::limits::VALUES_PER_OP_MAX];
    let (_, body) = phone.request(std::slice::from_ref(&line));
    assert_eq!(super::request::read(&body).unwrap().lines[0].values.len(), schema::limits::VALUES_PER_OP_MAX);
    line.values.push(line.values[0].clone());
    let (_, body) = phone.request(std::slice::from_ref(&line));
    assert!(matches!(
        super::request::read(&body).err(),
        Some(crate::error::Error::Refused { code: schema::problem::ProblemCode::TooLarge, .. })
    ));
}

/// INV-NO-HOL: what can't be taken takes its number, is kept, and holds up nothing.
#[tokio::test]
async fn what_can_not_be_read_is_kept_and_the_rest_goes_on() {
    let world = World::new().await;
    let mut phone = world.person(1, Role::Inspector, grid(1)).await;
    let mut other = world.person(2, Role::Inspector, grid(1)).await;
    let good = phone.report(1);
    phone.sync(&world, std::slice::from_ref(&good)).await;
    let mut junk = good.clone();
    junk.bytes = b"{not json".to_vec();
    junk.values.clear();
    let mut empty = junk.clone();
    empty.bytes = Vec::new();
    let mut long = junk.clone();
    long.bytes = vec![b'x'; 70_000];
    let mut reused = good.clone();
    reused.bytes = [b" ".as_slice(), good.bytes.as_slice()].concat();
    let stolen = other.report(1);
    let fine = phone.report(1);
    let lines = [junk, empty, long, reused, stolen, fine.clone()];
    let answer = phone.sync(&world, &lines).await;
    assert_eq!(answer.head.batch, BatchAnswer::Taken);
    let codes: Vec<_> = answer
        .outcomes
        .iter()
        .map(|line| serde_json::from_str::<schema::record::Record>(&line.record).unwrap().code)
        .collect();
    use RefusalCode::{NotAnOp, NotYours, OpIdReused, TooLong};
    assert_eq!(codes, [Some(NotAnOp), Some(NotAnOp), Some(TooLong), Some(OpIdReused), Some(NotYours), None]);
    let entries = world.entries();
    let kept = entries.iter().find(|entry| entry.line == b"{not json").unwrap();
    assert_eq!((kept.kind.as_str(), kept.entity), ("unreadable", phone.device.into()));

    // A repeat of the whole batch: the same answers.
    phone.next_seq -= 6;
    let mut back = phone.chain;
    for (seq, line) in (1..).zip(std::slice::from_ref(&good)) {
        back = sync_core::log::chain::next(&schema::hash::Hash::ZERO, phone.log, 77, seq, &sha256(&line.bytes));
    }
    phone.chain = back;
    phone.own = world.head_rev();
    let again = phone.send(&world, &lines).await.unwrap();
    assert_eq!(again.outcomes, answer.outcomes);
    assert_eq!(world.entries().len(), entries.len());
}

/// INV-SEQ-GAPLESS, INV-DEVICE-ORDER, INV-CASE-CHAIN, and the root is that of the leaves.
#[tokio::test]
async fn the_log_is_gapless_ordered_and_chained() {
    let world = World::new().await;
    let mut phone = world.person(1, Role::Inspector, grid(1)).await;
    let mut boss = world.person(2, Role::Supervisor, root()).await;
    for _ in 0..5 {
        let report = phone.report(1);
        let text = Sealed { sealed: sha256(b"x") };
        let remark = phone.op(report.entity, &Body::Comment(Comment { text }), Vec::new());
        phone.sync(&world, &[report.clone(), remark]).await;
        let declined = Decline { reason: "not_a_reason".parse().unwrap(), note: None };
        let decline = boss.op(report.entity, &Body::Decline(declined), Vec::new());
        boss.sync(&world, &[decline]).await;
    }
    let entries = world.entries();
    let mut frontier = Frontier::default();
    let mut newest = std::collections::HashMap::new();
    let mut last_seq = std::collections::HashMap::new();
    for (n, entry) in (1..).zip(&entries) {
        assert_eq!(entry.rev, n);
        let before = newest.insert(entry.entity, entry.leaf).unwrap_or(schema::hash::Hash::ZERO);
        assert_eq!(entry.prev_leaf, before);
        if entry.device_seq > 0 {
            let last = last_seq.insert((entry.device, entry.incarnation), entry.device_seq).unwrap_or(0);
            assert_eq!(entry.device_seq, last + 1);
        }
        frontier.push(entry.leaf);
    }
    let head =
        world.logs.store.read(|db| db.head(world.log)).map_err(|e: crate::store::StoreError| e).unwrap().unwrap();
    assert_eq!(frontier.root(), head.root);
    assert_eq!(frontier.size(), head.rev);
}

#[tokio::test]
async fn a_header_beyond_its_limits_is_refused() {
    let world = World::new().await;
    let mut phone = world.person(1, Role::Inspector, grid(1)).await;
    let line = phone.report(1);
    let (_, whole) = phone.request(std::slice::from_ref(&line));
    let cut: Vec<u8> = whole.split_inclusive(|byte| *byte == b'\n').take(1).flatten().copied().collect();
    assert!(phone.send_bytes(&world, cut).await.is_err(), "a body cut short is refused whole");
    assert!(phone.send_bytes(&world, b"{}\n".to_vec()).await.is_err());
    assert!(phone.send_bytes(&world, Vec::new()).await.is_err());
    phone.incarnation = 0;
    assert!(phone.send(&world, std::slice::from_ref(&line)).await.is_err());
    phone.incarnation = schema::limits::INCARNATION_MAX;
    assert!(phone.send(&world, &[line]).await.is_ok());
    let many: Vec<_> = (0..201).map(|_| phone.report(1)).collect();
    assert!(phone.send(&world, &many).await.is_err());
}
