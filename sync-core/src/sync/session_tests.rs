//! The session, step by step, through everything that a network does.

use proptest::prelude::*;
use uuid::Uuid;

use super::*;

const LOG: LogId = LogId(Uuid::from_u128(7));

fn session() -> Session {
    Session::new(vec![LOG], true)
}

fn sync(ops_max: usize) -> Vec<Effect> {
    vec![Effect::Sync { log: LOG, ops_max }]
}

fn later(random: u64) -> Event {
    Event::Failed { failure: Failure::Later { retry_after_ms: None }, random }
}

#[test]
fn a_round_pushes_pulls_fetches_documents_sends_photos_and_looks_once_more() {
    let mut session = session();
    assert_eq!(session.step(Event::Wake), sync(200));
    assert_eq!(session.step(Event::Synced { progress: true, more: true }), sync(200));
    assert_eq!(session.step(Event::Synced { progress: true, more: false }), [Effect::FetchDocuments]);
    assert_eq!(session.step(Event::Documents), [Effect::OfferPhotos]);
    assert_eq!(session.step(Event::Offered { to_send: 2 }), [Effect::SendPhoto]);
    assert_eq!(session.step(Event::PhotoSent { more: true }), [Effect::SendPhoto]);
    assert_eq!(session.step(Event::PhotoSent { more: false }), sync(200));
    assert_eq!(session.step(Event::Synced { progress: true, more: false }), [Effect::Rest]);
}

#[test]
fn a_wake_during_a_round_is_not_forgotten() {
    let mut session = session();
    session.step(Event::Wake);
    assert_eq!(session.step(Event::Wake), []);
    session.step(Event::Synced { progress: false, more: false });
    session.step(Event::Documents);
    assert_eq!(session.step(Event::Offered { to_send: 0 }), sync(200));
}

#[test]
fn waits_double_up_to_the_ceiling_and_never_end() {
    for (foreground, highest) in [(true, WAIT_FOREGROUND_MS), (false, WAIT_BACKGROUND_MS)] {
        let mut session = Session::new(vec![LOG], foreground);
        session.step(Event::Wake);
        for failures in 0..100_u32 {
            let ceiling = WAIT_BASE_MS.saturating_mul(2_u64.saturating_pow(failures)).min(highest);
            // The largest remainder of a division by ceiling + 1.
            assert_eq!(session.step(later(ceiling)), [Effect::Wait { ms: ceiling }]);
            assert_eq!(session.step(Event::TimeUp), sync(200));
        }
    }
}

#[test]
fn retry_after_is_the_least_wait() {
    let mut session = session();
    session.step(Event::Wake);
    let failure = Failure::Later { retry_after_ms: Some(30_000) };
    assert_eq!(session.step(Event::Failed { failure, random: 5 }), [Effect::Wait { ms: 30_005 }]);
}

#[test]
fn inv_auth_pause_a_401_refreshes_once_then_pauses_and_a_wake_goes_on() {
    let mut session = session();
    let unauthorized = Event::Failed { failure: Failure::Unauthorized, random: 0 };
    session.step(Event::Wake);
    assert_eq!(session.step(unauthorized), [Effect::RefreshToken]);
    assert_eq!(session.step(Event::Refreshed), sync(200));
    assert_eq!(session.step(unauthorized), [Effect::Pause]);
    assert_eq!(session.step(Event::TimeUp), []);
    assert_eq!(session.step(Event::Wake), sync(200));
    assert_eq!(session.step(unauthorized), [Effect::RefreshToken]);
    // It may have been revoked: then it may still deliver. If not, that is refused, and it pauses.
    assert_eq!(session.step(Event::RefreshRefused), [Effect::Deliver { log: LOG, ops_max: 200 }]);
    assert_eq!(session.step(unauthorized), [Effect::Pause]);
}

#[test]
fn a_revoked_phone_delivers_on_its_key_and_then_pauses() {
    let mut session = session();
    session.step(Event::Wake);
    session.step(Event::Failed { failure: Failure::Unauthorized, random: 0 });
    let deliver = vec![Effect::Deliver { log: LOG, ops_max: 200 }];
    assert_eq!(session.step(Event::Revoked), deliver);
    assert_eq!(session.step(Event::Synced { progress: true, more: true }), deliver);
    assert_eq!(session.step(Event::Synced { progress: true, more: false }), [Effect::HandInPhoto]);
    assert_eq!(session.step(Event::PhotoSent { more: true }), [Effect::HandInPhoto]);
    assert_eq!(session.step(Event::PhotoFailed { more: true, random: 1 }), [Effect::HandInPhoto], "the others go on");
    assert_eq!(session.step(Event::PhotoSent { more: false }), [Effect::Pause]);
}

#[test]
fn a_token_that_ends_in_the_middle_of_a_long_round_is_refreshed_again() {
    let mut session = session();
    let unauthorized = Event::Failed { failure: Failure::Unauthorized, random: 0 };
    session.step(Event::Wake);
    for _ in 0..5 {
        assert_eq!(session.step(unauthorized), [Effect::RefreshToken]);
        assert_eq!(session.step(Event::Refreshed), sync(200));
        assert_eq!(session.step(Event::Synced { progress: true, more: true }), sync(200));
    }
}

#[test]
fn a_token_that_ends_in_the_middle_of_one_large_photo_is_refreshed_again() {
    let mut session = session();
    let unauthorized = Event::Failed { failure: Failure::Unauthorized, random: 0 };
    session.step(Event::Wake);
    session.step(Event::Synced { progress: false, more: false });
    session.step(Event::Documents);
    assert_eq!(session.step(Event::Offered { to_send: 1 }), [Effect::SendPhoto]);
    for _ in 0..5 {
        assert_eq!(session.step(unauthorized), [Effect::RefreshToken]);
        assert_eq!(session.step(Event::Refreshed), [Effect::SendPhoto]);
        assert_eq!(session.step(Event::Advanced), []);
    }
    // Without a byte between two of them a new token does not help.
    assert_eq!(session.step(unauthorized), [Effect::RefreshToken]);
    assert_eq!(session.step(Event::Refreshed), [Effect::SendPhoto]);
    assert_eq!(session.step(unauthorized), [Effect::Pause]);
}

#[test]
fn too_large_halves_at_once_and_three_good_ones_double() {
    let mut session = session();
    let too_large = Event::Failed { failure: Failure::TooLarge, random: 0 };
    session.step(Event::Wake);
    for expected in [100, 50, 25, 12, 6, 3, 1] {
        assert_eq!(session.step(too_large), sync(expected));
    }
    assert_eq!(session.step(too_large), [Effect::Wait { ms: 0 }], "one op that is too large waits, and is kept");
    assert_eq!(session.step(Event::TimeUp), sync(1));
    let good = Event::Synced { progress: true, more: true };
    assert_eq!([session.step(good), session.step(good), session.step(good)], [sync(1), sync(1), sync(2)]);
    assert_eq!([session.step(good), session.step(good), session.step(good)], [sync(2), sync(2), sync(4)]);
}

#[test]
fn a_time_out_halves_and_waits() {
    let mut session = session();
    session.step(Event::Wake);
    let failure = Failure::TimedOut;
    assert_eq!(session.step(Event::Failed { failure, random: 1_000 }), [Effect::Wait { ms: 1_000 }]);
    assert_eq!(session.step(Event::TimeUp), sync(100));
}

#[test]
fn a_photo_that_fails_does_not_stop_the_others_and_is_tried_again() {
    let mut session = session();
    session.step(Event::Wake);
    session.step(Event::Synced { progress: false, more: false });
    session.step(Event::Documents);
    session.step(Event::Offered { to_send: 2 });
    assert_eq!(session.step(Event::PhotoFailed { more: true, random: 1 }), [Effect::SendPhoto]);
    assert_eq!(session.step(Event::PhotoSent { more: false }), sync(200));
    assert_eq!(session.step(Event::Synced { progress: true, more: false }), [Effect::Wait { ms: 1 }]);
    assert_eq!(session.step(Event::TimeUp), sync(200));
}

fn any_event() -> impl Strategy<Value = Event> {
    let failure = prop_oneof![
        any::<Option<u32>>().prop_map(|ms| Failure::Later { retry_after_ms: ms.map(u64::from) }),
        Just(Failure::TimedOut),
        Just(Failure::TooLarge),
        Just(Failure::Unauthorized),
    ];
    prop_oneof![
        Just(Event::Wake),
        (any::<bool>(), any::<bool>()).prop_map(|(progress, more)| Event::Synced { progress, more }),
        Just(Event::Documents),
        (0_u64..3).prop_map(|to_send| Event::Offered { to_send }),
        any::<bool>().prop_map(|more| Event::PhotoSent { more }),
        (any::<bool>(), any::<u64>()).prop_map(|(more, random)| Event::PhotoFailed { more, random }),
        Just(Event::Advanced),
        Just(Event::Refreshed),
        Just(Event::RefreshRefused),
        Just(Event::Revoked),
        Just(Event::TimeUp),
        (failure, any::<u64>()).prop_map(|(failure, random)| Event::Failed { failure, random }),
    ]
}

proptest! {
    /// INV-QUEUE-DRAINS: whatever happened before, a good network brings every session to rest in a few steps.
    #[test]
    fn inv_queue_drains_after_any_history(events in prop::collection::vec(any_event(), 0..60)) {
        let mut session = session();
        for event in events {
            session.step(event);
        }
        let mut effects = session.step(Event::Wake);
        // A step was under way: its answer comes.
        let answers = [
            Event::Synced { progress: true, more: false },
            Event::Documents,
            Event::Offered { to_send: 0 },
            Event::PhotoSent { more: false },
            Event::Refreshed,
        ];
        for answer in answers {
            if effects.is_empty() {
                effects = session.step(answer);
            }
        }
        for _ in 0..20 {
            let Some(effect) = effects.first().copied() else { break };
            effects = match effect {
                Effect::Sync { .. } | Effect::Deliver { .. } => session.step(Event::Synced { progress: true, more: false }),
                Effect::FetchDocuments => session.step(Event::Documents),
                Effect::OfferPhotos => session.step(Event::Offered { to_send: 0 }),
                Effect::SendPhoto | Effect::HandInPhoto => session.step(Event::PhotoSent { more: false }),
                Effect::RefreshToken => session.step(Event::Refreshed),
                Effect::Wait { .. } => session.step(Event::TimeUp),
                Effect::Pause => session.step(Event::Wake),
                Effect::Rest => return Ok(()),
            };
        }
        prop_assert!(false, "the session never came to rest: {session:?}");
    }
}
