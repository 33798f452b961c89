//! Whose failures are counted together.

use std::net::IpAddr;

use axum::http::HeaderMap;

/// The caller's address: the peer's, or what the last trusted proxy wrote down. An IPv6 caller is its /64, the smallest
/// block that is given to one customer.
pub fn caller(headers: &HeaderMap, peer: IpAddr, hops: usize) -> String {
    match forwarded(headers, hops).unwrap_or(peer).to_canonical() {
        IpAddr::V4(ip) => ip.to_string(),
        IpAddr::V6(ip) => {
            let [a, b, c, d, ..] = ip.segments();
            format!("{a:x}:{b:x}:{c:x}:{d:x}::/64")
        }
    }
}

/// The entry that the outermost trusted proxy added; entries before it are the client's own invention.
fn forwarded(headers: &HeaderMap, hops: usize) -> Option<IpAddr> {
    let values = headers
        .get_all("x-forwarded-for")
        .iter()
        .filter_map(|value| value.to_str().ok());
    let entries: Vec<&str> = values.flat_map(|value| value.split(',')).map(str::trim).collect();
    let index = entries.len().checked_sub(hops.max(1))?;
    (hops > 0).then(|| entries[index].parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_trusted_proxies_are_believed() {
        let peer: IpAddr = "10.0.0.1".parse().unwrap();
        let mut headers = HeaderMap::new();
        headers.append("x-forwarded-for", "6.6.6.6, 1.2.3.4".parse().unwrap());
        headers.append("x-forwarded-for", "10.0.0.9".parse().unwrap());
        assert_eq!(caller(&headers, peer, 0), "10.0.0.1");
        assert_eq!(caller(&headers, peer, 1), "10.0.0.9");
        assert_eq!(caller(&headers, peer, 2), "1.2.3.4");
        assert_eq!(caller(&headers, peer, 9), "10.0.0.1");
    }

    #[test]
    fn a_customers_ipv6_block_counts_as_one() {
        let peer = "2001:db8:1:2:3:4:5:6".parse().unwrap();
        assert_eq!(caller(&HeaderMap::new(), peer, 0), "2001:db8:1:2::/64");
    }
}
