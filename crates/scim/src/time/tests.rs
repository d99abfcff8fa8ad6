#![expect(clippy::too_many_lines, reason = "tables of cases")]

use proptest::prelude::*;

use super::*;

#[test]
fn reads_what_clients_send() {
    let cases = [
        ("the epoch", "1970-01-01T00:00:00Z", Some(0)),
        (
            "microseconds",
            "2026-11-21T19:24:00.123456Z",
            Some(1_795_289_040_123_456),
        ),
        (
            "seven digits of .NET",
            "2026-11-21T19:24:00.1234567Z",
            Some(1_795_289_040_123_456),
        ),
        ("one digit", "1970-01-01T00:00:00.5Z", Some(500_000)),
        (
            "thirty digits",
            "1970-01-01T00:00:00.000001999999999999999999999999Z",
            Some(1),
        ),
        (
            "the year 1 of .NET",
            "0001-01-01T00:00:00Z",
            Some(-62_135_596_800_000_000),
        ),
        (
            "the last instant",
            "9999-12-31T23:59:59.999999Z",
            Some(253_402_300_799_999_999),
        ),
        ("east of UTC", "1970-01-01T01:00:00+01:00", Some(0)),
        ("west of UTC", "1969-12-31T18:30:00-05:30", Some(0)),
        ("no zone is UTC", "1970-01-01T00:00:01", Some(1_000_000)),
        ("lower case", "1970-01-01t00:00:00z", Some(0)),
        (
            "a fraction before the epoch",
            "1969-12-31T23:59:59.75Z",
            Some(-250_000),
        ),
        ("the end of a day", "1969-12-31T24:00:00Z", Some(0)),
        (
            "the end of a day in parts of a second",
            "1969-12-31T24:00:00.000Z",
            Some(0),
        ),
        (
            "a leap day",
            "2024-02-29T00:00:00Z",
            Some(1_709_164_800_000_000),
        ),
        (
            "a leap day of a century",
            "2000-02-29T00:00:00Z",
            Some(951_782_400_000_000),
        ),
        ("no leap day", "2023-02-29T00:00:00Z", None),
        ("no leap day of a century", "1900-02-29T00:00:00Z", None),
        (
            "a moment after the end of a day",
            "1970-01-01T24:00:00.001Z",
            None,
        ),
        ("25 hours", "1970-01-01T25:00:00Z", None),
        ("60 minutes", "1970-01-01T00:60:00Z", None),
        ("a leap second", "1990-12-31T23:59:60Z", None),
        ("month 0", "1970-00-01T00:00:00Z", None),
        ("month 13", "1970-13-01T00:00:00Z", None),
        ("day 0", "1970-01-00T00:00:00Z", None),
        ("31 April", "1970-04-31T00:00:00Z", None),
        ("a date alone", "1970-01-01", None),
        ("a blank for the T", "1970-01-01 00:00:00Z", None),
        ("a point without digits", "1970-01-01T00:00:00.Z", None),
        ("an offset without colon", "1970-01-01T00:00:00+0100", None),
        ("an offset of a day", "1970-01-01T00:00:00+24:00", None),
        ("two digits of a year", "70-01-01T00:00:00Z", None),
        ("a sign for a digit", "1970-+1-01T00:00:00Z", None),
        ("something after it", "1970-01-01T00:00:00Z ", None),
        ("other digits", "１970-01-01T00:00:00Z", None),
        ("nothing", "", None),
    ];
    for (name, text, expected) in cases {
        assert_eq!(parse(text), expected, "{name}: {text}");
    }
}

#[test]
fn writes_years_of_any_length() {
    let cases = [
        (0, "1970-01-01T00:00:00.000000Z"),
        (-1, "1969-12-31T23:59:59.999999Z"),
        (1_795_289_040_123_456, "2026-11-21T19:24:00.123456Z"),
        (-62_135_596_800_000_000, "0001-01-01T00:00:00.000000Z"),
        (253_402_300_800_000_000, "010000-01-01T00:00:00.000000Z"),
        (-62_198_755_200_000_000, "-0001-01-01T00:00:00.000000Z"),
        (i64::MAX, "294247-01-10T04:00:54.775807Z"),
        (i64::MIN, "-290308-12-21T19:59:05.224192Z"),
    ];
    for (micros, expected) in cases {
        assert_eq!(format(micros), expected);
    }
}

/// From the year 1 to the year 9999, less a day for offsets.
const INSTANTS: std::ops::Range<i64> = -62_135_510_400_000_000..253_402_214_400_000_000;

proptest! {
    #[test]
    fn agrees_with_jiff(micros in INSTANTS) {
        let theirs = jiff::Timestamp::from_microsecond(micros).unwrap();
        prop_assert_eq!(parse(&theirs.to_string()), Some(micros));
        prop_assert_eq!(format(micros).parse::<jiff::Timestamp>().unwrap(), theirs);
        prop_assert_eq!(parse(&format(micros)), Some(micros));
    }

    #[test]
    fn agrees_with_jiff_in_every_zone(micros in INSTANTS, minutes in -1439..=1439_i32) {
        let offset = jiff::tz::Offset::from_seconds(minutes * 60).unwrap();
        let there = offset.to_datetime(jiff::Timestamp::from_microsecond(micros).unwrap());
        let sign = if minutes < 0 { '-' } else { '+' };
        let text = format!("{there}{sign}{:02}:{:02}", minutes.abs() / 60, minutes.abs() % 60);
        prop_assert_eq!(parse(&text), Some(micros), "{}", text);
    }

    #[test]
    fn accepts_no_date_that_jiff_refuses(year in 1..=9999, month in 0..=13, day in 0..=32) {
        let date = format!("{year:04}-{month:02}-{day:02}");
        let theirs = date.parse::<jiff::civil::Date>().is_ok();
        prop_assert_eq!(parse(&format!("{date}T12:00:00Z")).is_some(), theirs, "{}", date);
    }

    #[test]
    fn never_panics(text in "\\PC{0,40}", near in "[-+0-9TZ:.]{15,30}", micros: i64) {
        let _ = (parse(&text), parse(&near), format(micros));
    }
}
