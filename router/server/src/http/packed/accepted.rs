//! Which coding a client likes best ([RFC 9110, section 12.5.3](https://www.rfc-editor.org/rfc/rfc9110#section-12.5.3)).

use http::HeaderValue;

use crate::coding::{ALL, Coding};

/// The coding that is liked best, and of those liked as well the one that we like best. `None`: as it is.
pub fn best<'h>(values: impl IntoIterator<Item = &'h HeaderValue>) -> Option<Coding> {
    let (mut weights, mut others) = ([None; ALL.len()], 0);
    let mut identity = None;
    for value in values {
        for range in value.to_str().ok()?.split(',') {
            let (name, quality) = read(range)?;
            match ALL
                .iter()
                .position(|known| Some(*known) == Coding::of(name.as_bytes()))
            {
                Some(index) => weights[index] = weights[index].max(Some(quality)),
                None if name == "*" => others = quality,
                None if name.eq_ignore_ascii_case("identity") => identity = Some(quality),
                None => {}
            }
        }
    }
    let weighed = ALL
        .iter()
        .zip(weights)
        .map(|(coding, weight)| (coding, weight.unwrap_or(others)));
    let mut best: Option<(&Coding, u32)> = None;
    for (coding, quality) in weighed {
        if quality > best.map_or(0, |(_, quality)| quality) {
            best = Some((coding, quality));
        }
    }
    // Who names the body as it is, and likes it better, gets it so.
    best.filter(|(_, quality)| identity.is_none_or(|identity| identity <= *quality))
        .map(|(coding, _)| *coding)
}

/// A name and its weight in thousandths; `None` for what is neither.
fn read(range: &str) -> Option<(&str, u32)> {
    let (name, parameter) = range.split_once(';').unwrap_or((range, "q=1"));
    let (key, weight) = parameter.split_once('=')?;
    if !key.trim().eq_ignore_ascii_case("q") {
        return None;
    }
    let weight: f32 = weight.trim().parse().ok()?;
    let valid = (0.0..=1.0).contains(&weight);
    valid.then_some((name.trim(), (weight * 1000.0) as u32))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_liked_coding_is_taken() {
        for (text, wanted) in [
            ("gzip, deflate, br, zstd", Some(Coding::Zstd)),
            ("gzip, deflate, br", Some(Coding::Brotli)),
            ("gzip", Some(Coding::Gzip)),
            ("deflate", Some(Coding::Deflate)),
            ("gzip;q=1.0, br;q=0.5", Some(Coding::Gzip)),
            ("br;q=0, gzip;q=0.1", Some(Coding::Gzip)),
            ("*", Some(Coding::Zstd)),
            ("*;q=0.5, gzip", Some(Coding::Gzip)),
            ("zstd;q=0, *", Some(Coding::Brotli)),
            ("identity", None),
            ("identity, gzip;q=0.5", None),
            ("identity;q=0.5, gzip", Some(Coding::Gzip)),
            ("", None),
            ("*;q=0", None),
            ("gzip;q=0", None),
            ("compress", None),
            ("gzip;q=2", None),
            ("gzip;q=x", None),
            ("gzip;level=9", None),
        ] {
            let value = HeaderValue::from_str(text).expect("a header value");
            assert_eq!(best([&value]), wanted, "{text}");
        }
        let two = [HeaderValue::from_static("gzip"), HeaderValue::from_static("br")];
        assert_eq!(best(&two), Some(Coding::Brotli));
    }
}
