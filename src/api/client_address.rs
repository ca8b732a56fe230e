//! Which address a request came from, seen through the proxies that are trusted.
//!
//! `X-Forwarded-For` is believed as far as trusted proxies wrote it and no further. `Forwarded`,
//! `X-Forwarded-Host` and the like are never read. Addresses are values here (`core::net` has no sockets).

use core::net::{IpAddr, Ipv6Addr, SocketAddr};

use actix_web::http::header::{HeaderMap, X_FORWARDED_FOR};
use ipnet::IpNet;

/// The client's address: the peer, or where the peer is a trusted proxy, the last address of `X-Forwarded-For` that
/// is not one.
///
/// Where that header is missing, unreadable or names trusted proxies alone, it is the farthest trusted one.
pub fn client_address(peer: IpAddr, headers: &HeaderMap, trusted: &[IpNet]) -> IpAddr {
    let is_trusted = |address: &IpAddr| trusted.iter().any(|network| network.contains(address));
    let mut client = peer.to_canonical();
    if !is_trusted(&client) {
        return client;
    }
    // A header given several times is one list.
    let lines: Vec<&[u8]> = headers.get_all(X_FORWARDED_FOR).map(|value| value.as_bytes()).collect();
    let hops = lines.iter().flat_map(|line| line.split(|byte| *byte == b','));
    for hop in hops.collect::<Vec<_>>().into_iter().rev() {
        // A proxy that writes what cannot be read is itself the farthest that is known.
        let Some(address) = std::str::from_utf8(hop).ok().and_then(|hop| parse(hop.trim())) else { break };
        client = address;
        if !is_trusted(&client) {
            break;
        }
    }
    client
}

/// What is limited together: one IPv4 address, or the /64 network that an IPv6 client has for itself.
pub fn network_of(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() & (u128::MAX << 64)).into(),
    }
}

/// An address with or without port and brackets.
fn parse(text: &str) -> Option<IpAddr> {
    let bare = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text);
    let address = bare.parse().or_else(|_| text.parse::<SocketAddr>().map(|socket| socket.ip()));
    address.ok().map(|address: IpAddr| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::HeaderValue;

    use super::*;

    fn seen(peer: &str, forwarded: &[&str], trusted: &[&str]) -> String {
        let mut headers = HeaderMap::new();
        for line in forwarded {
            headers.append(X_FORWARDED_FOR, HeaderValue::from_str(line).unwrap());
        }
        let trusted: Vec<IpNet> = trusted.iter().map(|network| network.parse().unwrap()).collect();
        client_address(peer.parse().unwrap(), &headers, &trusted).to_string()
    }

    #[test]
    fn nobody_but_a_trusted_proxy_says_whose_request_it_is() {
        assert_eq!(seen("192.0.2.1", &["198.51.100.7"], &[]), "192.0.2.1");
        assert_eq!(seen("192.0.2.1", &["198.51.100.7"], &["10.0.0.0/8"]), "192.0.2.1");
        assert_eq!(seen("10.1.2.3", &["198.51.100.7"], &["10.0.0.0/8"]), "198.51.100.7");
        assert_eq!(seen("10.1.2.3", &[], &["10.0.0.0/8"]), "10.1.2.3");
        assert_eq!(seen("::ffff:10.1.2.3", &["198.51.100.7"], &["10.0.0.0/8"]), "198.51.100.7");
        assert_eq!(seen("fd00::1", &["2001:db8::7"], &["fd00::/8"]), "2001:db8::7");
    }

    #[test]
    fn what_a_client_writes_into_the_header_itself_is_passed_over() {
        let trusted = ["10.0.0.0/8"];
        assert_eq!(seen("10.0.0.1", &["203.0.113.9, 198.51.100.7"], &trusted), "198.51.100.7");
        assert_eq!(seen("10.0.0.1", &["203.0.113.9", "198.51.100.7, 10.0.0.2"], &trusted), "198.51.100.7");
        assert_eq!(seen("10.0.0.1", &["10.9.9.9, 198.51.100.7"], &trusted), "198.51.100.7");
        assert_eq!(seen("10.0.0.1", &["203.0.113.9, junk, 10.0.0.2"], &trusted), "10.0.0.2");
        assert_eq!(seen("10.0.0.1", &["unknown"], &trusted), "10.0.0.1");
        assert_eq!(seen("10.0.0.1", &["10.0.0.3, 10.0.0.2"], &trusted), "10.0.0.3");
    }

    #[test]
    fn ports_and_brackets_do_not_matter() {
        for (hop, address) in [
            ("198.51.100.7:4711", "198.51.100.7"),
            ("[2001:db8::7]:4711", "2001:db8::7"),
            ("[2001:db8::7]", "2001:db8::7"),
            ("2001:db8::7", "2001:db8::7"),
            ("::ffff:198.51.100.7", "198.51.100.7"),
        ] {
            assert_eq!(seen("10.0.0.1", &[hop], &["10.0.0.1/32"]), address, "{hop}");
        }
    }

    #[test]
    fn a_client_that_moves_within_its_ipv6_network_stays_the_same() {
        let network = |address: &str| network_of(address.parse().unwrap()).to_string();
        assert_eq!(network("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::");
        assert_eq!(network("2001:db8:1:3::1"), "2001:db8:1:3::");
        assert_eq!(network("198.51.100.7"), "198.51.100.7");
    }
}
