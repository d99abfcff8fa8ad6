//! Times as clients written in Go write them.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Deserializer, de};

/// When something is to begin or end: `""`, a time (RFC 3339), or a duration from now such as `1h30m`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Moment {
    /// Nothing is asked for.
    #[default]
    Unset,
    /// At that time.
    At(Timestamp),
    /// So long after the server's now.
    In(SignedDuration),
}

impl Moment {
    /// Reads one; `None` when it is none.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        if text.is_empty() {
            return Some(Self::Unset);
        }
        match text.parse() {
            Ok(time) => Some(Self::At(time)),
            Err(_) => duration(text).map(Self::In),
        }
    }

    /// The time that is meant at a moment; `None` where nothing is asked for.
    #[must_use]
    pub fn at(self, now: Timestamp) -> Option<Timestamp> {
        match self {
            Self::Unset => None,
            Self::At(time) => Some(time),
            Self::In(duration) => Some(now.saturating_add(duration).unwrap_or(now)),
        }
    }

    /// Whether something is asked for.
    #[must_use]
    pub fn is_set(self) -> bool {
        self != Self::Unset
    }
}

impl<'de> Deserialize<'de> for Moment {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Option::<String>::deserialize(deserializer)?.unwrap_or_default();
        Self::parse(&text)
            .ok_or_else(|| de::Error::custom(format!("{text:?} is neither a time nor a duration")))
    }
}

/// A duration as Go's `time.ParseDuration` reads it.
fn duration(text: &str) -> Option<SignedDuration> {
    let (sign, mut rest) = match text.strip_prefix(['-', '+']) {
        Some(rest) if text.starts_with('-') => (-1, rest),
        Some(rest) => (1, rest),
        None => (1, text),
    };
    if rest == "0" {
        return Some(SignedDuration::ZERO);
    }
    let mut nanoseconds = 0_i128;
    while {
        let (part, after) = first_part(rest)?;
        nanoseconds = nanoseconds.checked_add(part)?;
        rest = after;
        !rest.is_empty()
    } {}
    // Go counts in 64 bits.
    let nanoseconds = i64::try_from(sign * nanoseconds).ok()?;
    Some(SignedDuration::from_nanos(nanoseconds))
}

/// The nanoseconds of a number with a unit, and what comes after it.
fn first_part(text: &str) -> Option<(i128, &str)> {
    let number = |c: char| c.is_ascii_digit() || c == '.';
    let end = text.find(|c| !number(c))?;
    let (digits, rest) = text.split_at_checked(end)?;
    let end = rest.find(number).unwrap_or(rest.len());
    let (unit, rest) = rest.split_at_checked(end)?;
    let unit: i128 = match unit {
        "ns" => 1,
        "us" | "µs" | "μs" => 1_000,
        "ms" => 1_000_000,
        "s" => 1_000_000_000,
        "m" => 60_000_000_000,
        "h" => 3_600_000_000_000,
        _ => return None,
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    if (whole.is_empty() && fraction.is_empty()) || fraction.contains('.') {
        return None;
    }
    let read = |digits: &str| match digits {
        "" => Some(0),
        digits if digits.len() > 19 => None,
        digits => digits.parse::<i128>().ok(),
    };
    // Digits beyond those of a nanosecond's fraction change nothing.
    let fraction = fraction.get(..fraction.len().min(15))?;
    let scale = 10_i128.checked_pow(u32::try_from(fraction.len()).ok()?)?;
    let value = read(whole)?.checked_mul(unit)? + read(fraction)?.checked_mul(unit)? / scale;
    Some((value, rest))
}

/// A duration as Go writes it: `48h1m0s`, `1.5s`, `20ms`.
#[must_use]
pub fn duration_text(duration: SignedDuration) -> String {
    let nanoseconds = duration.as_nanos();
    let sign = if nanoseconds < 0 { "-" } else { "" };
    let nanoseconds = nanoseconds.unsigned_abs();
    let decimal = |unit: u128| {
        let fraction = format!(
            "{:0width$}",
            nanoseconds % unit,
            width = unit.ilog10() as usize
        );
        match fraction.trim_end_matches('0') {
            "" => (nanoseconds / unit).to_string(),
            fraction => format!("{}.{fraction}", nanoseconds / unit),
        }
    };
    match nanoseconds {
        0 => "0s".to_owned(),
        1..1_000 => format!("{sign}{nanoseconds}ns"),
        1_000..1_000_000 => format!("{sign}{}µs", decimal(1_000)),
        1_000_000..1_000_000_000 => format!("{sign}{}ms", decimal(1_000_000)),
        _ => {
            const SECOND: u128 = 1_000_000_000;
            let (hours, minutes) = (
                nanoseconds / (3_600 * SECOND),
                nanoseconds / (60 * SECOND) % 60,
            );
            let seconds = decimal_seconds(nanoseconds % (60 * SECOND));
            match (hours, minutes) {
                (0, 0) => format!("{sign}{seconds}s"),
                (0, minutes) => format!("{sign}{minutes}m{seconds}s"),
                (hours, minutes) => format!("{sign}{hours}h{minutes}m{seconds}s"),
            }
        }
    }
}

fn decimal_seconds(nanoseconds: u128) -> String {
    const SECOND: u128 = 1_000_000_000;
    let fraction = format!("{:09}", nanoseconds % SECOND);
    match fraction.trim_end_matches('0') {
        "" => (nanoseconds / SECOND).to_string(),
        fraction => format!("{}.{fraction}", nanoseconds / SECOND),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn moments_are_read_as_go_reads_them() {
        let seconds = |seconds| Some(Moment::In(SignedDuration::from_secs(seconds)));
        let at = |text: &str| Some(Moment::At(text.parse().unwrap()));
        for (text, expected) in [
            ("", Some(Moment::Unset)),
            ("0", seconds(0)),
            ("1h0m0s", seconds(3_600)),
            ("10m0s", seconds(600)),
            ("-1.5h", seconds(-5_400)),
            ("+2m", seconds(120)),
            (".5m", seconds(30)),
            ("5.s", seconds(5)),
            ("1000ms", seconds(1)),
            ("1000000µs", seconds(1)),
            (
                "2026-11-21T16:41:07.782021702Z",
                at("2026-11-21T16:41:07.782021702Z"),
            ),
            ("2026-11-21T17:41:07+01:00", at("2026-11-21T16:41:07Z")),
            ("1", None),
            (".s", None),
            ("1.2.3s", None),
            ("1d", None),
            ("h", None),
            ("-", None),
            (" 1h", None),
            ("1h ", None),
            ("99999999999999999999h", None),
            ("9999999h", None),
            ("2026-11-21", None),
            ("tomorrow", None),
        ] {
            assert_eq!(Moment::parse(text), expected, "{text:?}");
        }
    }

    #[test]
    fn durations_are_written_as_go_writes_them() {
        for (nanoseconds, expected) in [
            (0, "0s"),
            (1, "1ns"),
            (1_500, "1.5µs"),
            (20_000_000, "20ms"),
            (1_500_000_000, "1.5s"),
            (300_000_000_000, "5m0s"),
            (172_860_000_000_000, "48h1m0s"),
            (-90_000_000_000, "-1m30s"),
        ] {
            assert_eq!(
                duration_text(SignedDuration::from_nanos(nanoseconds)),
                expected
            );
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_again(nanoseconds: i64) {
            let duration = SignedDuration::from_nanos(nanoseconds);
            let expected = Some(Moment::In(duration));
            prop_assert_eq!(Moment::parse(&duration_text(duration)), expected);
        }

        #[test]
        fn no_text_is_too_odd_to_be_read_or_refused(text in ".{0,40}") {
            let _ = Moment::parse(&text);
        }
    }
}
