//! A session over HTTP: photos that are refused, tokens that end, phones that were shut out.

use std::time::Duration;

use sync_core::device::clocks::Clocks;
use sync_core::device::drive::{Drive, Ended, News, Watcher};
use sync_core::device::entropy::SeededEntropy;
use sync_core::device::transport::{CHUNK_BYTES, Transport};
use sync_core::line::sha256;
use sync_core::sync::session::Session;

use super::server::{LOG, Server};
use super::town::Town;
use super::web::Listening;

/// Waits not at all, and only so often.
struct Impatient {
    waits: usize,
}

impl Watcher for Impatient {
    fn news(&mut self, _: &News<'_>) {}
    fn wait(&mut self, _: Duration) -> bool {
        let goes_on = self.waits > 0;
        self.waits = self.waits.saturating_sub(1);
        goes_on
    }
}

fn listening(town: &mut Town) -> Listening {
    Listening::start(std::mem::replace(&mut town.server, Server::new()))
}

fn drive(town: &mut Town, listening: &Listening, waits: usize) -> Ended {
    let clocks = Clocks::system(&mut SeededEntropy::new(5)).unwrap();
    let (transport, mut watcher) = (Transport::new(&listening.address, "en"), Impatient { waits });
    Drive::new(&mut town.phones[0], &transport, &clocks, &mut watcher).run(&mut Session::new(vec![LOG], true)).unwrap()
}

#[test]
fn a_photo_that_the_server_fails_on_does_not_starve_the_others() {
    for status in [500, 400, 404, 410, 422] {
        let mut town = Town::new(1);
        for photo in [b"first", b"other", b"third"] {
            town.report(0, &[photo]);
        }
        let listening = listening(&mut town);
        listening.web().refused.insert(sha256(b"first"), status);
        assert_eq!(drive(&mut town, &listening, 0), Ended::Stopped, "{status}: it waits for the next round");
        let verified: Vec<_> = listening.web().server.verified.keys().copied().collect();
        assert_eq!(verified.len(), 2, "{status}");
        assert!(!verified.contains(&sha256(b"first")));
        assert_eq!(town.phones[0].status().unwrap().photos_to_send, 1, "{status}: no giving up");
        listening.web().refused.clear();
        assert_eq!(drive(&mut town, &listening, 0), Ended::Rest);
        assert!(listening.web().server.verified.contains_key(&sha256(b"first")), "INV-PHOTO-CUSTODY");
    }
}

#[test]
fn a_server_that_is_full_or_closed_is_left_alone_with_all_photos() {
    for status in [429, 503, 507] {
        let mut town = Town::new(1);
        for photo in [b"first", b"other"] {
            town.report(0, &[photo]);
        }
        let listening = listening(&mut town);
        listening.web().refused.insert(sha256(b"first"), status);
        assert_eq!(drive(&mut town, &listening, 0), Ended::Stopped);
        assert_eq!(listening.web().server.verified.len(), 0, "{status}");
    }
}

#[test]
fn a_large_photo_outlives_as_many_tokens_as_it_needs() {
    let mut town = Town::new(1);
    let photo = vec![7; 5 * CHUNK_BYTES];
    town.report(0, &[&photo]);
    let listening = listening(&mut town);
    listening.web().pieces_a_token = 1;
    assert_eq!(drive(&mut town, &listening, 0), Ended::Rest);
    assert!(listening.web().server.verified.contains_key(&sha256(&photo)));
    assert_eq!(listening.web().tokens_given, 4);
}

#[test]
fn a_token_that_never_helps_pauses() {
    let mut town = Town::new(1);
    town.report(0, &[b"photo"]);
    let listening = listening(&mut town);
    listening.web().pieces_a_token = 0;
    assert_eq!(drive(&mut town, &listening, 0), Ended::Paused);
    assert_eq!(listening.web().tokens_given, 1);
}

#[test]
fn a_revoked_phone_delivers_and_ends_as_revoked() {
    let mut town = Town::new(1);
    let made = town.report(0, &[b"photo"]);
    let device = town.phones[0].identity().unwrap().device.to_string();
    let listening = listening(&mut town);
    listening.web().revoked.insert(device);
    assert_eq!(drive(&mut town, &listening, 0), Ended::Revoked);
    assert!(listening.web().server.ops().contains(&made.op));
    let status = town.phones[0].status().unwrap();
    assert_eq!((status.on_this_phone, status.photos_to_send), (0, 1));
}
