//! The phone as a witness: forks, unsigned checkpoints, restores, receipts, copies.

use schema::sync::SyncLine;
use sync_core::device::answers::Pull;
use sync_core::device::attention::Trouble;
use sync_core::log::checkpoint::{self, Signer};

use super::network::edit;
use super::server::{LOG, Server};
use super::town::Town;

pub(crate) fn troubles(town: &Town, phone: usize) -> Vec<Trouble> {
    town.phones[phone].attention().unwrap().into_iter().map(|item| item.trouble).collect()
}

#[test]
fn a_fork_is_seen_said_with_both_checkpoints_and_the_phone_goes_on_delivering() {
    let mut town = Town::new(1);
    town.report(0, &[]);
    town.sync(0);
    let held = town.phones[0].base_documents(LOG).unwrap();
    // Another history of the same length, and one more entry.
    let place = town.server.leaves.len() - 1;
    town.server.leaves[place].0[0] ^= 1;
    let made = town.report(0, &[]);
    let progress = town.round(0);
    assert_eq!(progress.pull, Pull::Forked);
    let items = town.phones[0].attention().unwrap();
    assert!(troubles(&town, 0).contains(&Trouble::Fork));
    let detail = &items.iter().find(|item| item.trouble == Trouble::Fork).unwrap().detail;
    for side in ["held", "came"] {
        assert!(detail[side].as_str().unwrap().contains(&LOG.to_string()), "{side}: a signed note to show");
    }
    assert!(town.server.ops().contains(&made.op), "delivered all the same");
    assert_eq!(town.phones[0].base_documents(LOG).unwrap(), held, "nothing of it believed");
    let last = town.report(0, &[]);
    town.sync(0);
    assert!(town.server.ops().contains(&last.op));
    assert!(town.request(0).header.scopes.is_empty(), "push only");
    town.server.durable = town.server.head();
    town.sync(0);
    assert_eq!(town.phones[0].own_ops().unwrap().len(), 3, "a forked log's durable mark frees nothing");
}

#[test]
fn a_checkpoint_of_another_signer_or_log_is_not_believed() {
    let mut town = Town::new(1);
    town.sync(0);
    let head = town.request(0).header.checkpoint.unwrap();
    let right = checkpoint::origin("demo", LOG, town.server.epoch);
    let other = checkpoint::origin("demo", LOG, schema::ids::EpochId(uuid::Uuid::from_u128(99)));
    let notes = [
        Signer::new("demo", &[8; 32]).checkpoint(&right, &head),
        town.server.signer.checkpoint(&other, &head),
        "nonsense".to_owned(),
    ];
    for note in notes {
        town.report(0, &[]);
        let request = town.request(0);
        let bytes = edit(&town.server.sync(&request.body), |lines| {
            let Some(SyncLine::Head(head)) = lines.first_mut() else { panic!("no head") };
            head.checkpoint = Some(note.clone());
        });
        let progress = town.answer(0, &request, &bytes);
        assert_eq!((progress.pull, progress.rows, progress.undecided), (Pull::Unsigned, 0, 0));
        assert!(troubles(&town, 0).contains(&Trouble::Unsigned));
    }
    town.sync(0);
    assert_eq!(troubles(&town, 0), [], "a good checkpoint ends the alarm");
}

#[test]
fn a_receipt_whose_leaf_is_not_that_of_the_outcome_raises_an_alarm() {
    let mut town = Town::new(1);
    town.report(0, &[]);
    let request = town.request(0);
    let bytes = edit(&town.server.sync(&request.body), |lines| {
        for line in lines {
            if let SyncLine::Outcome(outcome) = line {
                outcome.received_ms += 1;
            }
        }
    });
    town.answer(0, &request, &bytes);
    assert_eq!(troubles(&town, 0), [Trouble::Receipt]);
}

#[test]
fn inv_epoch_heal_what_a_restored_server_lost_comes_back_with_its_receipts() {
    let mut town = Town::new(2);
    let kept = town.report(0, &[]);
    town.sync(0);
    let backup = town.server.backup();
    town.sync(0);
    let lost = town.report(0, &[b"lost photo"]);
    town.sync(0);
    town.send_photos(0);
    town.sync(0);
    assert!(town.server.ops().contains(&lost.op));
    town.server = backup;
    let lines: Vec<Vec<u8>> = Vec::new();
    let progress = town.round(0);
    assert_eq!(progress.pull, Pull::NewEpoch);
    let request = town.request(0);
    assert_eq!(request.header.receipts.len(), 1, "the receipt of what is pushed again");
    assert_eq!(request.header.first_seq, 1);
    town.sync(0);
    for op in [kept.op, lost.op] {
        assert_eq!(town.server.ops().iter().filter(|held| **held == op).count(), 1);
    }
    assert_eq!(town.phones[0].photos_to_send().unwrap().len(), 1, "its photo is offered again");
    assert!(troubles(&town, 0).contains(&Trouble::Restored));
    town.send_photos(0);
    town.sync(0);
    assert_eq!(town.case(0, lost.entity).unwrap().evidence[0].verified_rev.is_some(), lines.is_empty());
}

/// Found by chance: "I have it", said before the log named the photo, was believed across a restore.
#[test]
fn a_server_that_had_a_photo_and_was_restored_is_asked_for_it_again() {
    let mut town = Town::new(1);
    let bytes = b"sent before its op";
    town.report(0, &[bytes]);
    let backup = town.server.backup();
    town.send_photos(0);
    town.server = backup;
    town.sync(0);
    town.send_photos(0);
    assert!(town.server.verified.contains_key(&sync_core::line::sha256(bytes)), "INV-PHOTO-CUSTODY");
}

#[test]
fn a_new_epoch_that_does_not_extend_what_was_durable_is_a_fork() {
    let mut town = Town::new(1);
    town.report(0, &[]);
    town.sync(0);
    town.server.backup();
    town.sync(0);
    let (keys, owners) = (town.server.keys.clone(), town.server.owners.clone());
    town.server = Server::new();
    town.server.epoch = schema::ids::EpochId(uuid::Uuid::from_u128(0xBAD));
    (town.server.keys, town.server.owners) = (keys, owners);
    // It grows beyond what the phone holds.
    town.report(0, &[]);
    town.round(0);
    town.report(0, &[]);
    town.round(0);
    town.report(0, &[]);
    let last = town.round(0);
    assert_eq!(last.pull, Pull::Forked, "{:?}", troubles(&town, 0));
}

#[test]
fn a_new_epoch_that_is_shorter_than_what_was_durable_is_a_fork_at_once() {
    let mut town = Town::new(1);
    town.report(0, &[]);
    town.sync(0);
    town.server.backup();
    town.sync(0);
    let (held, epoch) = (town.phones[0].base_documents(LOG).unwrap(), town.phones[0].log(LOG).unwrap().epoch);
    let (keys, owners) = (town.server.keys.clone(), town.server.owners.clone());
    town.server = Server::new();
    town.server.epoch = schema::ids::EpochId(uuid::Uuid::from_u128(0xBAD));
    (town.server.keys, town.server.owners) = (keys, owners);
    let progress = town.round(0);
    assert_eq!((progress.pull, progress.rows), (Pull::Forked, 0));
    assert_eq!(troubles(&town, 0), [Trouble::Fork]);
    assert_eq!(town.phones[0].base_documents(LOG).unwrap(), held, "what was pulled is evidence: it stays");
    assert_eq!(town.phones[0].log(LOG).unwrap().epoch, epoch);
}

/// A log that is set back says what it kept, or it is not believed: an epoch alone could hide anything.
#[test]
fn a_new_epoch_that_does_not_say_how_it_began_is_a_fork() {
    let mut town = Town::new(1);
    town.report(0, &[]);
    town.sync(0);
    let backup = town.server.copy();
    town.sync(0);
    town.server = backup;
    let made = town.report(0, &[]);
    assert_eq!(town.round(0).pull, Pull::Forked);
    town.sync(0);
    assert_eq!(troubles(&town, 0), [Trouble::Fork]);
    assert!(town.server.ops().contains(&made.op), "it still delivers");
    assert_eq!(town.phones[0].undecided(LOG).unwrap(), 0);
}

#[test]
fn the_beginning_of_an_epoch_is_checked_against_its_tree() {
    type Spoil = fn(&mut schema::sync::EpochStart);
    let spoilt: [(&str, Spoil); 6] = [
        ("kept less", |start| start.line = start.line.replace("\"kept_rev\":", "\"kept_rev\":1")),
        ("another place", |start| start.outcome.rev -= 1),
        ("another record", |start| start.outcome.record = start.outcome.record.replace("accepted", "rejected")),
        ("no inclusion", |start| start.inclusion.clear()),
        ("not what was kept", |start| start.kept.clear()),
        ("not what was durable", |start| start.durable.clear()),
    ];
    for (what, spoil) in spoilt {
        let mut town = Town::new(1);
        town.report(0, &[]);
        town.sync(0);
        let backup = town.server.backup();
        town.sync(0);
        town.server = backup;
        let request = town.request(0);
        let whole = town.server.sync(&request.body);
        let bytes = edit(&whole, |lines| {
            let Some(SyncLine::Head(head)) = lines.first_mut() else { panic!("no head") };
            spoil(head.epoch_start.as_mut().expect("a beginning"));
        });
        assert_eq!(town.answer(0, &request, &bytes).pull, Pull::Forked, "{what}");
    }
}

#[test]
fn a_server_that_was_set_back_in_the_same_epoch_is_told_of_and_not_believed() {
    let mut town = Town::new(1);
    let early = town.report(0, &[]);
    town.sync(0);
    let epoch = town.server.epoch;
    let mut backup = town.server.copy();
    let lost = town.report(0, &[]);
    town.sync(0);
    // No checkpoint reaches over what is lost: without the outcome nothing would tell.
    backup.epoch = epoch;
    town.server = backup;
    let held = town.phones[0].base_documents(LOG).unwrap();
    let made = town.report(0, &[]);
    let request = town.request(0);
    let bytes = edit(&town.server.sync(&request.body), |lines| {
        let Some(SyncLine::Head(head)) = lines.first_mut() else { panic!("no head") };
        head.checkpoint = None;
    });
    assert_eq!(town.answer(0, &request, &bytes).pull, Pull::Forked);
    let items = town.phones[0].attention().unwrap();
    assert_eq!(items.iter().map(|item| item.trouble).collect::<Vec<_>>(), [Trouble::SetBack]);
    assert_eq!(items[0].detail, serde_json::json!({"known": 10, "head": 9}));
    assert_eq!(town.phones[0].base_documents(LOG).unwrap(), held, "nothing new believed");
    // It delivers, and frees nothing that the server lost.
    town.sync(0);
    assert_eq!(town.server.ops(), [early.op, made.op]);
    town.server.durable = town.server.head() + 100;
    town.sync(0);
    let kept = town.phones[0].own_ops().unwrap();
    assert!(kept.contains(&lost.op), "INV-NO-LOSS");
    assert!(town.request(0).header.scopes.is_empty(), "push only");
}

#[test]
fn an_early_answer_that_comes_late_is_no_server_set_back() {
    let mut town = Town::new(1);
    town.sync(0);
    let early = town.request(0);
    let bytes = town.server.sync(&early.body);
    town.report(0, &[]);
    town.sync(0);
    assert_eq!(town.answer(0, &early, &bytes).pull, Pull::Taken);
    assert_eq!(troubles(&town, 0), []);
}

#[test]
fn a_server_without_a_backup_for_seven_days_is_told_of_until_there_is_one() {
    const DAY_MS: u64 = 24 * 3600 * 1000;
    let mut town = Town::new(1);
    town.sync(0);
    assert_eq!(troubles(&town, 0), []);
    town.server.now_ms += 7 * DAY_MS + 1;
    town.sync(0);
    town.sync(0);
    assert_eq!(troubles(&town, 0), [Trouble::NoBackup], "once");
    town.server.backup();
    town.sync(0);
    assert_eq!(troubles(&town, 0), []);
}
