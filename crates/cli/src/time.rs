//! Times for people: how long ago, how long still, and the ways to say an end.

use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use portreeve_server::{Clock, SystemClock};
use std::time::Duration;

/// The current time.
pub(crate) fn now() -> Timestamp {
    Timestamp::from_microsecond(SystemClock.now()).unwrap_or_default()
}

/// The time on a clock that nobody sets, for lengths of time.
pub(crate) fn steady() -> Duration {
    SystemClock.steady()
}

/// An RFC 3339 time as a person says it: "3 minutes ago", "in 12 days".
pub(crate) fn relative(time: &str, now: Timestamp) -> String {
    let Ok(time) = time.parse::<Timestamp>() else {
        return time.to_owned();
    };
    // A moment that was just said to be an hour away is not 59 minutes away.
    let seconds = (now.duration_since(time).as_millis() as f64 / 1000.0).round() as i64;
    let length = match seconds.unsigned_abs() {
        0..=4 => return "just now".to_owned(),
        s @ 5..=59 => count(s, "second"),
        s @ 60..=3_599 => count(s / 60, "minute"),
        s @ 3_600..=86_399 => count(s / 3_600, "hour"),
        s @ 86_400..=10_367_999 => count(s / 86_400, "day"),
        s @ 10_368_000..=63_071_999 => count(s / 2_592_000, "month"),
        s => count(s / 31_536_000, "year"),
    };
    if seconds >= 0 {
        format!("{length} ago")
    } else {
        format!("in {length}")
    }
}

fn count(number: u64, unit: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {unit}{plural}")
}

/// A length such as `90d`, `24h`, `30m`, `2w` or `45s`.
pub(crate) fn duration(text: &str) -> Result<SignedDuration, String> {
    let wrong = || format!("\"{text}\" is no length of time; write it as 90d, 24h or 30m");
    let unit = text.chars().last().ok_or_else(wrong)?;
    let seconds = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3_600,
        'd' => 86_400,
        'w' => 604_800,
        _ => return Err(wrong()),
    };
    let number: u32 = text[..text.len() - 1].parse().map_err(|_| wrong())?;
    Ok(SignedDuration::from_secs(i64::from(number) * seconds))
}

/// The characters of a date.
const DATE: usize = "2026-11-21".len();

/// An end: after a length of time, at an RFC 3339 time, or with the beginning of a day in UTC.
pub(crate) fn end(text: &str, now: Timestamp) -> Result<Timestamp, String> {
    if let Ok(time) = text.parse::<Timestamp>() {
        return Ok(time);
    }
    // A date is read from a time of day, too, which would then be midnight.
    if text.len() > DATE && text.parse::<DateTime>().is_ok() {
        return Err(format!(
            "\"{text}\" is no time: it does not say of which place; add the offset from UTC, such as {text}+01:00 or {text}Z"
        ));
    }
    if let Ok(date) = text.parse::<Date>()
        && let Ok(day) = date.to_zoned(TimeZone::UTC)
    {
        return Ok(day.timestamp());
    }
    let wrong = || {
        format!("\"{text}\" is no time; write a length such as 90d, or a date such as 2027-01-31")
    };
    now.checked_add(duration(text).map_err(|_| wrong())?)
        .map_err(|_| wrong())
}

/// A moment in the past: how long ago, an RFC 3339 time, or the beginning of a day in UTC.
pub(crate) fn since(text: &str, now: Timestamp) -> Result<Timestamp, String> {
    if let Ok(length) = duration(text)
        && let Ok(time) = now.checked_sub(length)
    {
        return Ok(time);
    }
    if text.parse::<DateTime>().is_ok() {
        return end(text, now);
    }
    let wrong = || {
        format!(
            "\"{text}\" is no time; write how long ago, such as 24h, or a date such as 2026-11-21"
        )
    };
    end(text, now).map_err(|_| wrong())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(time: &str) -> Timestamp {
        time.parse().unwrap()
    }

    #[test]
    fn times_are_said_as_people_say_them() {
        let now = at("2026-11-21T12:00:00Z");
        for (time, expected) in [
            ("2026-11-21T11:59:58.500000Z", "just now"),
            ("2026-11-21T11:59:15Z", "45 seconds ago"),
            ("2026-11-21T11:59:00Z", "1 minute ago"),
            ("2026-11-21T11:57:00Z", "3 minutes ago"),
            ("2026-11-21T10:00:01Z", "1 hour ago"),
            ("2026-11-19T12:00:00Z", "2 days ago"),
            ("2026-09-21T12:00:00Z", "61 days ago"),
            ("2026-04-21T12:00:00Z", "7 months ago"),
            ("2020-11-21T12:00:00Z", "6 years ago"),
            ("2026-11-22T12:00:00Z", "in 1 day"),
            ("2026-11-21T12:59:59.800000Z", "in 1 hour"),
            ("no time", "no time"),
        ] {
            assert_eq!(relative(time, now), expected, "{time}");
        }
    }

    #[test]
    fn an_end_can_be_said_in_three_ways() {
        let now = at("2026-11-21T12:00:00Z");
        for (text, expected) in [
            ("90d", Ok("2027-02-19T12:00:00Z")),
            ("24h", Ok("2026-11-22T12:00:00Z")),
            ("2w", Ok("2026-12-05T12:00:00Z")),
            ("2027-01-31", Ok("2027-01-31T00:00:00Z")),
            ("2027-01-31T08:00:00+02:00", Ok("2027-01-31T06:00:00Z")),
            ("2027-01-31T08:00", Err(())),
            ("2027-01-31 08:00:00", Err(())),
            ("soon", Err(())),
            ("d", Err(())),
            ("-1d", Err(())),
            ("1ä", Err(())),
            ("", Err(())),
            ("4294967295w", Err(())),
        ] {
            assert_eq!(end(text, now).map_err(drop), expected.map(at), "{text}");
        }
    }

    #[test]
    fn a_moment_in_the_past_can_be_said_in_three_ways() {
        let now = at("2026-11-21T12:00:00Z");
        for (text, expected) in [
            ("24h", Ok("2026-11-20T12:00:00Z")),
            ("2026-11-01", Ok("2026-11-01T00:00:00Z")),
            ("2026-11-01T08:00:00+02:00", Ok("2026-11-01T06:00:00Z")),
            ("2026-11-01T08:00", Err(())),
            ("yesterday", Err(())),
        ] {
            assert_eq!(since(text, now).map_err(drop), expected.map(at), "{text}");
        }
    }
}
