//! Where a webhook may point. An address is the operator's, but what a name leads to is not: a server inside the city's
//! network must not be made to knock at doors in there, nor send anything in the clear over a network.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ureq::http::Uri;

/// The longest address.
const URL_BYTES_MAX: usize = 2_048;

/// Why an address does not do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unfit {
    /// It is no http or https URL with a host.
    #[error("not an http or https URL")]
    NoUrl,
    /// It holds a name and password.
    #[error("a URL with a user name in it")]
    Userinfo,
    /// It is not https, and does not stay on this machine.
    #[error("plain http to another machine")]
    PlainHttp,
    /// Its host is an address that nothing is sent to.
    #[error("an address that nothing is sent to")]
    Address,
}

/// Reads an address that a webhook may have.
///
/// # Errors
/// See [`Unfit`].
pub fn fit(url: &str, plain_http: bool, private_net: bool) -> Result<Uri, Unfit> {
    if url.len() > URL_BYTES_MAX || url.contains('#') {
        return Err(Unfit::NoUrl);
    }
    let uri: Uri = url.parse().map_err(|_| Unfit::NoUrl)?;
    let host = uri.host().filter(|host| !host.is_empty()).ok_or(Unfit::NoUrl)?;
    if uri.authority().is_some_and(|authority| authority.as_str().contains('@')) {
        return Err(Unfit::Userinfo);
    }
    match uri.scheme_str() {
        Some("https") => {}
        Some("http") if plain_http || stays_here(host) => {}
        Some("http") => return Err(Unfit::PlainHttp),
        _ => return Err(Unfit::NoUrl),
    }
    match literal(host) {
        Some(address) if !is_allowed(address, host, private_net) => Err(Unfit::Address),
        _ => Ok(uri),
    }
}

/// Whether something may be sent to an address that a host led to.
pub(super) fn is_allowed(address: IpAddr, host: &str, private_net: bool) -> bool {
    let address = address.to_canonical();
    // A name of somebody else's that leads here is not the operator's word for this machine.
    if stays_here(host) || address.is_loopback() {
        return stays_here(host) && address.is_loopback();
    }
    match reach(address) {
        Reach::Everywhere => true,
        Reach::Inside => private_net,
        Reach::Never => false,
    }
}

/// Whether a host is this machine.
pub(crate) fn stays_here(host: &str) -> bool {
    host.eq_ignore_ascii_case("localhost") || literal(host).is_some_and(|address| address.to_canonical().is_loopback())
}

fn literal(host: &str) -> Option<IpAddr> {
    host.trim_start_matches('[').trim_end_matches(']').parse().ok()
}

enum Reach {
    Everywhere,
    Inside,
    Never,
}

fn reach(address: IpAddr) -> Reach {
    match address {
        IpAddr::V4(address) => reach_v4(address),
        IpAddr::V6(address) => reach_v6(address),
    }
}

fn reach_v4(address: Ipv4Addr) -> Reach {
    let [a, b, c, _] = address.octets();
    match (a, b, c) {
        // This network, link-local (where clouds keep their secrets), multicast and what lies above it.
        (0, ..) | (169, 254, _) | (224.., ..) => Reach::Never,
        _ if address.is_private() => Reach::Inside,
        // Shared by carriers; for protocols; for measuring.
        (100, 64..=127, _) | (192, 0, 0) | (198, 18..=19, _) => Reach::Inside,
        _ => Reach::Everywhere,
    }
}

fn reach_v6(address: Ipv6Addr) -> Reach {
    match address.segments() {
        [0xff00..=0xffff, ..] | [0xfe80..=0xfebf, ..] | [0, 0, 0, 0, 0, 0, ..] => Reach::Never,
        // Unique local; old site-local; what wraps an IPv4 address that can't be seen from here.
        [0xfc00..=0xfdff, ..] | [0xfec0..=0xfeff, ..] | [0x64, 0xff9b, ..] | [0x2002, ..] | [0x2001, 0, ..] => {
            Reach::Inside
        }
        _ => Reach::Everywhere,
    }
}

#[cfg(test)]
mod tests {
    use super::{Unfit, fit, is_allowed};

    #[test]
    fn addresses_that_do_and_that_do_not() {
        for good in [
            "https://relay.example/hook?key=1",
            "https://203.0.113.5:8443/",
            "http://127.0.0.1:9000/x",
            "http://localhost:1/",
            "http://[::1]:1/",
            "https://[2606:4700::1]/",
        ] {
            assert!(fit(good, false, false).is_ok(), "{good}");
        }
        for (wrong, why) in [
            ("", Unfit::NoUrl),
            ("relay.example", Unfit::NoUrl),
            ("ftp://relay.example/", Unfit::NoUrl),
            ("file:///etc/passwd", Unfit::NoUrl),
            ("https://relay.example/#x", Unfit::NoUrl),
            ("https://me:secret@relay.example/", Unfit::Userinfo),
            ("http://relay.example/", Unfit::PlainHttp),
            ("https://10.0.0.1/", Unfit::Address),
            ("https://192.168.1.1/", Unfit::Address),
            ("https://169.254.169.254/latest/meta-data", Unfit::Address),
            ("https://[::ffff:10.0.0.1]/", Unfit::Address),
            ("https://[fd00::1]/", Unfit::Address),
            ("https://0.0.0.0/", Unfit::Address),
        ] {
            assert_eq!(fit(wrong, false, false).unwrap_err(), why, "{wrong}");
        }
        assert!(fit("http://relay.example/", true, false).is_ok(), "the operator said so");
        assert!(fit("https://10.0.0.1/", false, true).is_ok(), "the operator said so");
        assert!(fit("http://10.0.0.1/", true, true).is_ok(), "the operator said both");
        assert!(fit("https://169.254.169.254/", true, true).is_err(), "nobody can say so");
    }

    #[test]
    fn a_name_may_lead_to_the_world_alone() {
        let leads = |address: &str, private_net| is_allowed(address.parse().unwrap(), "relay.example", private_net);
        for outside in ["203.0.113.5", "8.8.8.8", "2606:4700::1"] {
            assert!(leads(outside, false), "{outside}");
        }
        for inside in
            ["10.1.2.3", "172.16.0.1", "192.168.0.1", "100.64.0.1", "fd12::1", "::ffff:192.168.0.1", "64:ff9b::a00:1"]
        {
            assert!(!leads(inside, false) && leads(inside, true), "{inside}");
        }
        for never in [
            "127.0.0.1",
            "::1",
            "::ffff:127.0.0.1",
            "0.0.0.0",
            "::",
            "169.254.169.254",
            "fe80::1",
            "224.0.0.1",
            "255.255.255.255",
            "ff02::1",
        ] {
            assert!(!leads(never, false) && !leads(never, true), "{never}");
        }
        assert!(is_allowed("127.0.0.1".parse().unwrap(), "localhost", false));
        assert!(!is_allowed("203.0.113.5".parse().unwrap(), "localhost", true), "localhost is this machine");
    }
}
