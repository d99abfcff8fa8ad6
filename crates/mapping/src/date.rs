//! Instants in UTC, as texts that Entra and .NET write and read.

use std::fmt;
use std::sync::LazyLock;

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp, ToSpan};

mod format;
mod read;
mod write;

pub use format::FormatError;
pub(crate) use format::{Format, Styles};

/// An instant, in UTC, from the year 1 to 9999. Its text form is `M/d/yyyy h:mm:ss tt`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Date(DateTime);

/// What `DateAdd` and `DateDiff` count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Interval {
    Year,
    Month,
    Week,
    Day,
    Hour,
    Minute,
    Second,
}

impl Interval {
    pub(crate) const ALL: [(&'static str, Self); 7] = [
        ("yyyy", Self::Year),
        ("m", Self::Month),
        ("ww", Self::Week),
        ("d", Self::Day),
        ("h", Self::Hour),
        ("n", Self::Minute),
        ("s", Self::Second),
    ];

    pub(crate) fn by_name(name: &str) -> Option<Self> {
        Self::ALL
            .iter()
            .find_map(|(known, interval)| (*known == name).then_some(*interval))
    }
}

const TICKS_PER_SECOND: i64 = 10_000_000;
const NANOS_PER_TICK: i32 = 100;
/// From 1601-01-01 to 1970-01-01.
const SECONDS_TO_UNIX: i64 = 11_644_473_600;

impl Date {
    /// The instant of a timestamp, to the second of the text form and finer.
    pub fn from_timestamp(timestamp: Timestamp) -> Self {
        Self(TimeZone::UTC.to_datetime(timestamp))
    }

    /// Reads a date as `CDate` does: ISO 8601 with or without a time and an offset, `M/d/yyyy` with or without a
    /// time, and dates with English names of months. Without an offset it is UTC.
    pub fn parse(text: &str) -> Option<Self> {
        static FORMATS: LazyLock<Vec<Format>> = LazyLock::new(|| {
            const TIMES: [&str; 5] = ["", " h:mm tt", " h:mm:ss tt", " H:mm", " H:mm:ss"];
            const DATES: [&str; 6] = [
                "M/d/yyyy",
                "yyyy/M/d",
                "d MMM yyyy",
                "d MMMM yyyy",
                "MMM d, yyyy",
                "MMMM d, yyyy",
            ];
            let both = DATES
                .iter()
                .flat_map(|date| TIMES.map(|time| format!("{date}{time}K")));
            let internet = [
                "ddd, d MMM yyyy HH:mm:ss 'GMT'",
                "ddd, d MMM yyyy HH:mm:ss zzz",
            ];
            let all = both.chain(internet.map(str::to_owned));
            all.filter_map(|format| Format::new(&format).ok()).collect()
        });
        let text = text.trim();
        read::iso(text).or_else(|| {
            let mut formats = FORMATS.iter();
            formats.find_map(|format| format.read(text, Styles::default()))
        })
    }

    /// The instant of a Windows file time: ticks of 100 nanoseconds since 1601. `None` beyond the year 9999.
    pub(crate) fn from_ticks(ticks: i64) -> Option<Self> {
        let seconds = ticks.div_euclid(TICKS_PER_SECOND) - SECONDS_TO_UNIX;
        let nanos = i32::try_from(ticks.rem_euclid(TICKS_PER_SECOND)).ok()? * NANOS_PER_TICK;
        let timestamp = Timestamp::new(seconds, nanos).ok()?;
        Self::in_range(TimeZone::UTC.to_datetime(timestamp))
    }

    /// The Windows file time; what is finer than a tick is cut off.
    pub(crate) fn ticks(self) -> i64 {
        let nanos = i64::from(self.0.subsec_nanosecond());
        (self.unix_seconds() + SECONDS_TO_UNIX) * TICKS_PER_SECOND
            + nanos / i64::from(NANOS_PER_TICK)
    }

    /// The instant as RFC 3339 writes it, such as `2026-11-21T12:00:00Z`.
    pub fn to_rfc3339(self) -> String {
        format!("{}Z", self.0)
    }

    /// So many intervals later. A month that is too short for the day gives its last day.
    pub(crate) fn add(self, interval: Interval, count: i64) -> Option<Self> {
        let span = match interval {
            Interval::Year => Span::new().try_years(count),
            Interval::Month => Span::new().try_months(count),
            Interval::Week => Span::new().try_weeks(count),
            Interval::Day => Span::new().try_days(count),
            Interval::Hour => Span::new().try_hours(count),
            Interval::Minute => Span::new().try_minutes(count),
            Interval::Second => Span::new().try_seconds(count),
        };
        Self::in_range(self.0.checked_add(span.ok()?).ok()?)
    }

    /// From this date to the other, as Visual Basic counts: whole days, hours, minutes and seconds that have
    /// passed; the difference between the numbers of years and months; how many Sundays begin a week in between.
    pub(crate) fn until(self, other: Self, interval: Interval) -> i64 {
        let months = |date: Self| i64::from(date.0.year()) * 12 + i64::from(date.0.month());
        let seconds = || {
            let (from, to) = (self.total_nanos(), other.total_nanos());
            i64::try_from((to - from) / 1_000_000_000).unwrap_or(i64::MAX)
        };
        match interval {
            Interval::Year => i64::from(other.0.year()) - i64::from(self.0.year()),
            Interval::Month => months(other) - months(self),
            Interval::Week => (other.sunday() - self.sunday()) / 7,
            Interval::Day => seconds() / 86_400,
            Interval::Hour => seconds() / 3600,
            Interval::Minute => seconds() / 60,
            Interval::Second => seconds(),
        }
    }

    /// The number of the day on which this date's week began.
    fn sunday(self) -> i64 {
        let weekday = self.0.weekday().to_sunday_zero_offset();
        self.unix_seconds().div_euclid(86_400) - i64::from(weekday)
    }

    fn unix_seconds(self) -> i64 {
        let timestamp = TimeZone::UTC.to_timestamp(self.0);
        timestamp.map_or(0, |timestamp| {
            timestamp
                .as_nanosecond()
                .div_euclid(1_000_000_000)
                .try_into()
                .unwrap_or(0)
        })
    }

    fn total_nanos(self) -> i128 {
        i128::from(self.unix_seconds()) * 1_000_000_000 + i128::from(self.0.subsec_nanosecond())
    }

    /// A date and a time of day at an offset, in seconds east of UTC.
    fn at_offset(local: DateTime, offset: i64) -> Option<Self> {
        Self::in_range(local.checked_sub(offset.seconds()).ok()?)
    }

    fn in_range(date: DateTime) -> Option<Self> {
        (1..=9999).contains(&date.year()).then_some(Self(date))
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let date = self.0;
        let hour = date.hour();
        write!(
            f,
            "{}/{}/{:04} {}:{:02}:{:02} {}",
            date.month(),
            date.day(),
            date.year(),
            if hour % 12 == 0 { 12 } else { hour % 12 },
            date.minute(),
            date.second(),
            if hour < 12 { "AM" } else { "PM" },
        )
    }
}
