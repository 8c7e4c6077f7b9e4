//! The attacks on tokens that RFC 8725 lists, and the life of a refresh token.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use schema::auth::Claims;
use schema::ids::{AccountId, DeviceId};
use serde_json::{Value, json};
use uuid::Uuid;

use super::*;

const NOW_MS: u64 = 1_780_000_000_000;
const SEED: [u8; 32] = [7; 32];

fn tokens() -> Tokens {
    Tokens::new("city.example", &SEED)
}

fn who() -> (AccountId, Option<DeviceId>) {
    (AccountId(Uuid::from_u128(1)), Some(DeviceId(Uuid::from_u128(2))))
}

/// A token of any header and claims, really signed by the server's key.
fn signed(header: &Value, claims: &Value) -> String {
    use ed25519_dalek::Signer;
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let message = format!("{}.{}", part(header), part(claims));
    let signature = SigningKey::from_bytes(&SEED).sign(message.as_bytes());
    format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature.to_bytes()))
}

fn good_claims() -> Value {
    let now_s = NOW_MS / 1000;
    json!({"iss": "city.example", "aud": "rectify", "sub": who().0, "device": who().1,
        "iat": now_s, "nbf": now_s, "exp": now_s + 600, "jti": "one"})
}

fn good_header() -> Value {
    json!({"typ": "at+jwt", "alg": "EdDSA"})
}

fn with(mut value: Value, key: &str, to: Value) -> Value {
    value[key] = to;
    value
}

fn without(mut value: Value, key: &str) -> Value {
    value.as_object_mut().unwrap().remove(key);
    value
}

#[test]
fn a_token_says_who() {
    let (account, device) = who();
    let token = tokens().access(account, device, NOW_MS).unwrap();
    let Claims { sub, device: of, exp, .. } = tokens().open(&token, NOW_MS).unwrap();
    assert_eq!((sub, of, exp), (account, device, 1_780_000_600));
    assert!(tokens().open(&signed(&good_header(), &good_claims()), NOW_MS).is_ok());
}

#[test]
fn a_token_ends_after_ten_minutes_and_a_little_leeway() {
    let token = tokens().access(who().0, None, NOW_MS).unwrap();
    assert!(tokens().open(&token, NOW_MS + 629_000).is_ok());
    assert!(tokens().open(&token, NOW_MS + 630_000).is_err());
    assert!(tokens().open(&token, NOW_MS - 30_000).is_ok());
    assert!(tokens().open(&token, NOW_MS - 31_000).is_err());
}

#[test]
fn forged_tokens_are_refused() {
    let public = SigningKey::from_bytes(&SEED).verifying_key();
    let hs256 = jsonwebtoken::encode(
        &with_type(Header::new(Algorithm::HS256)),
        &good_claims(),
        &EncodingKey::from_secret(public.as_bytes()),
    )
    .unwrap();
    let other_key = Tokens::new("city.example", &[8; 32]).access(who().0, None, NOW_MS).unwrap();
    let good = tokens().access(who().0, None, NOW_MS).unwrap();
    let none = signed(&json!({"typ": "at+jwt", "alg": "none"}), &good_claims());
    let unsigned = format!("{}.", none.rsplit_once('.').unwrap().0);
    let swapped = {
        let mut parts: Vec<&str> = good.split('.').collect();
        let claims = URL_SAFE_NO_PAD.encode(with(good_claims(), "sub", json!(Uuid::from_u128(9))).to_string());
        parts[1] = &claims;
        parts.join(".")
    };
    let now_s = NOW_MS / 1000;
    let attacks = [
        ("empty", String::new()),
        ("garbage", "not.a.token".into()),
        ("two parts", good.rsplit_once('.').unwrap().0.into()),
        ("alg none", none),
        ("alg none, no signature", unsigned),
        ("HS256 with the public key", hs256),
        ("another key", other_key),
        ("claims swapped under a good signature", swapped),
        ("wrong typ", signed(&with(good_header(), "typ", json!("JWT")), &good_claims())),
        ("no typ", signed(&without(good_header(), "typ"), &good_claims())),
        ("wrong issuer", signed(&good_header(), &with(good_claims(), "iss", json!("evil.example")))),
        ("wrong audience", signed(&good_header(), &with(good_claims(), "aud", json!("other")))),
        ("expired", signed(&good_header(), &with(good_claims(), "exp", json!(now_s - 31)))),
        ("exp as text", signed(&good_header(), &with(good_claims(), "exp", json!("99999999999")))),
        ("exp null", signed(&good_header(), &with(good_claims(), "exp", Value::Null))),
        ("not yet", signed(&good_header(), &with(good_claims(), "nbf", json!(now_s + 31)))),
        ("issued in the future", signed(&good_header(), &with(good_claims(), "iat", json!(now_s + 31)))),
        ("subject no id", signed(&good_header(), &with(good_claims(), "sub", json!("root")))),
        ("oversize", format!("{good}{}", "A".repeat(2048))),
    ];
    for (what, token) in attacks {
        assert!(tokens().open(&token, NOW_MS).is_err(), "{what}");
    }
    for claim in ["iss", "aud", "sub", "iat", "nbf", "exp", "jti"] {
        let token = signed(&good_header(), &without(good_claims(), claim));
        assert!(tokens().open(&token, NOW_MS).is_err(), "without {claim}");
    }
}

fn with_type(mut header: Header) -> Header {
    header.typ = Some("at+jwt".into());
    header
}

#[test]
fn a_key_named_in_the_token_is_not_used() {
    let own = SigningKey::from_bytes(&[9; 32]);
    let jwk = json!({"kty": "OKP", "crv": "Ed25519", "x": URL_SAFE_NO_PAD.encode(own.verifying_key().as_bytes())});
    let header = with(with(good_header(), "jwk", jwk), "kid", json!("../../etc/passwd"));
    let message =
        format!("{}.{}", URL_SAFE_NO_PAD.encode(header.to_string()), URL_SAFE_NO_PAD.encode(good_claims().to_string()));
    use ed25519_dalek::Signer;
    let token = format!("{message}.{}", URL_SAFE_NO_PAD.encode(own.sign(message.as_bytes()).to_bytes()));
    assert!(tokens().open(&token, NOW_MS).is_err());
}

#[test]
fn a_refresh_token_rotates_once_and_repeats_until_its_successor_is_used() {
    let first = tokens().first_refresh(Uuid::from_u128(5));
    let second = tokens().next_refresh(&first);
    let third = tokens().next_refresh(&second);
    assert!(second.stored() != first.stored() && third.stored() != second.stored());
    assert!(RefreshToken::parse(&second.text()) == Some(second.clone()));

    let mut family = Family { current: first.stored(), previous: None, expires_ms: 100, ended: false };
    assert_eq!(renewal(&family, &first.stored(), 0), Renewal::Rotate);
    family = Family { current: second.stored(), previous: Some(first.stored()), ..family };
    assert_eq!(renewal(&family, &first.stored(), 0), Renewal::Repeat);
    family = Family { current: third.stored(), previous: Some(second.stored()), ..family };
    assert_eq!(renewal(&family, &first.stored(), 0), Renewal::Reused);
    assert_eq!(renewal(&family, &third.stored(), 100), Renewal::Ended);
    assert_eq!(renewal(&Family { ended: true, ..family }, &third.stored(), 0), Renewal::Ended);
}

#[test]
fn what_is_no_refresh_token_is_not_read_as_one() {
    for text in ["", ".", "x.y", "00000000-0000-0000-0000-000000000005.00"] {
        assert!(RefreshToken::parse(text).is_none(), "{text}");
    }
}

/// A phone renewed its login since the backup: the restored server knows the token again, and a used one still not.
#[test]
fn a_token_that_is_later_than_the_stored_one_is_told_from_a_used_one() {
    let first = tokens().first_refresh(Uuid::from_u128(5));
    let chain: Vec<RefreshToken> =
        std::iter::successors(Some(first), |last| Some(tokens().next_refresh(last))).take(4).collect();
    let current = chain[1].stored();
    assert_eq!(
        chain.iter().map(|shown| tokens().is_later(shown, &current)).collect::<Vec<_>>(),
        [false, false, true, true]
    );
    let other = tokens().first_refresh(Uuid::from_u128(6));
    assert!(!tokens().is_later(&tokens().next_refresh(&other), &current), "of another login");
}
