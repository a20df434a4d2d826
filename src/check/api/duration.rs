//! Lengths of time as nginx and Prometheus write them: `60`, `2m`, `1m30s`, `500ms`.

use std::time::Duration;

/// Reads one; none if it is something else. A number alone is seconds.
pub(in crate::check) fn read(text: &str) -> Option<Duration> {
    let mut rest = text.trim();
    let mut whole = Duration::ZERO;
    while !rest.is_empty() {
        let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        let number: u64 = rest[..end].parse().ok()?;
        rest = &rest[end..];
        let letters = rest.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(rest.len());
        whole = whole.checked_add(unit(&rest[..letters])?.checked_mul(u32::try_from(number).ok()?)?)?;
        rest = rest[letters..].trim_start();
    }
    (!text.trim().is_empty()).then_some(whole)
}

fn unit(letters: &str) -> Option<Duration> {
    const MINUTE: u64 = 60;
    Some(match letters {
        "ms" => Duration::from_millis(1),
        "" | "s" => Duration::from_secs(1),
        "m" => Duration::from_secs(MINUTE),
        "h" => Duration::from_secs(60 * MINUTE),
        "d" => Duration::from_secs(24 * 60 * MINUTE),
        "w" => Duration::from_secs(7 * 24 * 60 * MINUTE),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ways_of_writing_are_read() {
        for (text, seconds) in [("60", 60.0), ("2m", 120.0), ("1m30s", 90.0), ("500ms", 0.5), ("1h 5m", 3900.0)] {
            assert_eq!(read(text).map(|length| length.as_secs_f64()), Some(seconds), "{text}");
        }
        for text in ["", "x", "5y5", "$t"] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
