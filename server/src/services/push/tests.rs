//! Where a browser may be told, and by which key.

use super::{PushKey, fit_for_a_browser};

/// A subscription is anybody's who is logged in: it must not make the server knock at doors in its own network.
#[test]
fn a_browser_is_told_by_https_and_never_in_here() {
    for good in ["https://fcm.googleapis.com/fcm/send/abc", "https://updates.push.services.mozilla.com:8443/wpush/v2/x"]
    {
        assert!(fit_for_a_browser(good).is_some(), "{good}");
    }
    let bad = [
        "http://push.example/1",
        "http://127.0.0.1:9000/",
        "https://127.0.0.1/",
        "https://localhost/",
        "https://LOCALHOST./",
        "https://push.localhost/",
        "https://[::1]/",
        "https://[::ffff:127.0.0.1]/",
        "https://10.0.0.1/",
        "https://192.168.1.1/",
        "https://169.254.169.254/latest/meta-data",
        "https://name@push.example/",
        "ftp://push.example/",
        "",
    ];
    for bad in bad {
        assert!(fit_for_a_browser(bad).is_none(), "{bad}");
    }
}

#[test]
fn a_secret_has_one_key_and_what_is_none_has_one_too() {
    assert_eq!(PushKey::new([7; 32], "a").public(), PushKey::new([7; 32], "b").public());
    assert_ne!(PushKey::new([7; 32], "a").public(), PushKey::new([8; 32], "a").public());
    assert_eq!(PushKey::new([0; 32], "a").public().len(), 87, "zero is no key of the curve");
}
