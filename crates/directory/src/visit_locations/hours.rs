//! When a location receives visitors.

use crate::Refusal;
use jiff::civil::{Date, Time, Weekday};
use jiff::tz::{AmbiguousOffset, TimeZone};
use jiff::{Timestamp, ToSpan};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The most parts that opening hours are told in.
const MOST: usize = 50;

/// A day of the week.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Day {
    /// Monday.
    Mon,
    /// Tuesday.
    Tue,
    /// Wednesday.
    Wed,
    /// Thursday.
    Thu,
    /// Friday.
    Fri,
    /// Saturday.
    Sat,
    /// Sunday.
    Sun,
}

/// A part of a day on which a location is open.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Open {
    /// On which days.
    pub days: Vec<Day>,
    /// From when, by the clock on the wall there: `08:30`.
    pub from: String,
    /// Until when; `24:00` and earlier times than `from` are on the day after.
    pub until: String,
}

impl Day {
    fn of(day: Weekday) -> Self {
        match day {
            Weekday::Monday => Self::Mon,
            Weekday::Tuesday => Self::Tue,
            Weekday::Wednesday => Self::Wed,
            Weekday::Thursday => Self::Thu,
            Weekday::Friday => Self::Fri,
            Weekday::Saturday => Self::Sat,
            Weekday::Sunday => Self::Sun,
        }
    }
}

/// The time zone of that name (IANA), such as `Europe/Vienna`.
///
/// # Errors
/// [`Refusal::Invalid`] when there is none.
pub fn zone(name: &str) -> Result<TimeZone, Refusal> {
    TimeZone::get(name).map_err(|_| Refusal::Invalid {
        attribute: "time_zone",
        reason: format!("there is no time zone \"{name}\"; they are called such as Europe/Vienna"),
    })
}

/// Refuses hours that cannot be read.
pub(super) fn check(hours: &[Open]) -> Result<(), Refusal> {
    if hours.len() > MOST {
        return Err(invalid(format!("at most {MOST} parts")));
    }
    for open in hours {
        if open.days.is_empty() {
            return Err(invalid("a part names the days it is for".to_owned()));
        }
        if minutes(&open.from)? == minutes(&open.until)? {
            return Err(invalid(format!(
                "{} to {} is no time at all",
                open.from, open.until
            )));
        }
    }
    Ok(())
}

/// Whether it is open then. Without hours it always is; with some that cannot be read, as well.
pub fn is_open(hours: &[Open], zone: &TimeZone, now: Timestamp) -> bool {
    if hours.is_empty() {
        return true;
    }
    let here = zone.to_datetime(now);
    let minute = minute_of(here.time());
    let today = Day::of(here.date().weekday());
    let yesterday = here
        .date()
        .checked_sub(1.day())
        .ok()
        .map(|day| Day::of(day.weekday()));
    hours.iter().any(|open| {
        let (Ok(from), Ok(until)) = (minutes(&open.from), minutes(&open.until)) else {
            return true;
        };
        let on = |day: Day| open.days.contains(&day);
        if from < until {
            return on(today) && (from..until).contains(&minute);
        }
        on(today) && minute >= from || yesterday.is_some_and(on) && minute < until
    })
}

/// When it opens next after that time, within a week and a day; `None` where it never closes, or says no time that can be
/// read. A time that clocks leave out when they are put forward is the moment in which they are; one that they show twice
/// opens twice, as [`is_open`] has it.
pub fn next_opening(hours: &[Open], zone: &TimeZone, now: Timestamp) -> Option<Timestamp> {
    let today = zone.to_datetime(now).date();
    let mut next: Option<Timestamp> = None;
    for ahead in 0..=8 {
        let Ok(day) = today.checked_add(i64::from(ahead).days()) else {
            continue;
        };
        let opens = hours
            .iter()
            .filter(|open| open.days.contains(&Day::of(day.weekday())));
        for from in opens.filter_map(|open| minutes(&open.from).ok()) {
            let begins = moments(day, from, zone)
                .into_iter()
                .flatten()
                .filter(|at| *at > now);
            next = next.into_iter().chain(begins).min();
        }
        // A day of clocks that are changed may begin before it in the order of moments, but not by more than a day.
        if next.is_some() && ahead > 0 {
            break;
        }
    }
    next
}

/// The moments at which the clocks of a place show a time of a day.
fn moments(day: Date, minute: u16, zone: &TimeZone) -> [Option<Timestamp>; 2] {
    let midnight = day.to_datetime(Time::midnight());
    let Ok(shown) = midnight.checked_add(i64::from(minute).minutes()) else {
        return [None, None];
    };
    let at = zone.to_ambiguous_timestamp(shown);
    let later = at.later().ok();
    match at.offset() {
        AmbiguousOffset::Gap { .. } => [
            later.and_then(|later| zone.preceding(later).next().map(|put| put.timestamp())),
            None,
        ],
        _ => [at.earlier().ok(), later],
    }
}

fn minute_of(time: Time) -> u16 {
    u16::from(time.hour().unsigned_abs()) * 60 + u16::from(time.minute().unsigned_abs())
}

/// Minutes since midnight; 1,440 for `24:00`.
fn minutes(text: &str) -> Result<u16, Refusal> {
    let wrong = || invalid(format!("\"{text}\" is no time of day such as 08:30"));
    let (hour, minute) = text.split_once(':').ok_or_else(wrong)?;
    let number = |digits: &str| {
        let is_two = digits.len() == 2 && digits.bytes().all(|b| b.is_ascii_digit());
        is_two
            .then(|| digits.parse::<u16>().ok())
            .flatten()
            .ok_or_else(wrong)
    };
    let (hour, minute) = (number(hour)?, number(minute)?);
    match hour * 60 + minute {
        all @ 0..=1440 if minute < 60 => Ok(all),
        _ => Err(wrong()),
    }
}

fn invalid(reason: String) -> Refusal {
    Refusal::Invalid {
        attribute: "hours",
        reason,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(days: &[Day], from: &str, until: &str) -> Open {
        Open {
            days: days.to_vec(),
            from: from.to_owned(),
            until: until.to_owned(),
        }
    }

    #[test]
    #[expect(clippy::too_many_lines, reason = "a table")]
    fn a_location_is_open_by_the_clock_on_its_wall() {
        use Day::{Fri, Mon, Sat, Sun};
        let office = vec![part(&[Mon, Fri], "08:30", "18:00")];
        let bar = vec![part(&[Fri, Sat], "20:00", "02:00")];
        let all_day = vec![part(&[Sun], "00:00", "24:00")];
        for (name, hours, zone_name, at, is) in [
            ("no hours", &vec![], "UTC", "2026-11-22T03:00:00Z", true),
            ("within", &office, "UTC", "2026-11-23T08:30:00Z", true),
            (
                "a minute before",
                &office,
                "UTC",
                "2026-11-23T08:29:59Z",
                false,
            ),
            ("at the end", &office, "UTC", "2026-11-23T18:00:00Z", false),
            ("another day", &office, "UTC", "2026-11-24T12:00:00Z", false),
            (
                "west of here it is earlier",
                &office,
                "America/New_York",
                "2026-11-23T12:00:00Z",
                false,
            ),
            (
                "and still open in the evening",
                &office,
                "America/New_York",
                "2026-11-23T22:00:00Z",
                true,
            ),
            (
                "before the clocks go back",
                &office,
                "Europe/Vienna",
                "2026-10-23T06:30:00Z",
                true,
            ),
            (
                "and after",
                &office,
                "Europe/Vienna",
                "2026-10-26T06:30:00Z",
                false,
            ),
            (
                "the evening before",
                &bar,
                "UTC",
                "2026-11-27T23:59:00Z",
                true,
            ),
            ("past midnight", &bar, "UTC", "2026-11-29T01:59:00Z", true),
            (
                "on the wrong morning",
                &bar,
                "UTC",
                "2026-11-27T01:00:00Z",
                false,
            ),
            (
                "the last minute of a day",
                &all_day,
                "UTC",
                "2026-11-22T23:59:59Z",
                true,
            ),
        ] {
            let zone = zone(zone_name).unwrap();
            assert_eq!(is_open(hours, &zone, at.parse().unwrap()), is, "{name}");
        }
    }

    #[test]
    #[expect(clippy::too_many_lines, reason = "a table")]
    fn when_it_opens_next_is_told_by_the_clock_on_its_wall() {
        use Day::{Fri, Mon, Sun};
        let office = vec![part(&[Mon, Fri], "08:30", "18:00")];
        let split = vec![
            part(&[Mon], "13:00", "18:00"),
            part(&[Mon], "08:00", "12:00"),
        ];
        let night = vec![part(&[Sun], "02:30", "06:00")];
        for (name, hours, zone_name, at, next) in [
            (
                "it never closes",
                &vec![],
                "UTC",
                "2026-11-22T03:00:00Z",
                None,
            ),
            (
                "tomorrow",
                &office,
                "UTC",
                "2026-11-22T12:00:00Z",
                Some("2026-11-23T08:30:00Z"),
            ),
            (
                "today",
                &office,
                "UTC",
                "2026-11-23T08:29:59Z",
                Some("2026-11-23T08:30:00Z"),
            ),
            (
                "not now again",
                &office,
                "UTC",
                "2026-11-23T08:30:00Z",
                Some("2026-11-27T08:30:00Z"),
            ),
            (
                "next week",
                &office,
                "UTC",
                "2026-11-27T18:00:00Z",
                Some("2026-11-30T08:30:00Z"),
            ),
            (
                "a week and no day",
                &vec![part(&[Mon], "08:30", "18:00")],
                "UTC",
                "2026-11-23T08:30:00Z",
                Some("2026-11-30T08:30:00Z"),
            ),
            (
                "after lunch, in whatever order it is told",
                &split,
                "UTC",
                "2026-11-23T12:10:00Z",
                Some("2026-11-23T13:00:00Z"),
            ),
            (
                "it is still Sunday there",
                &office,
                "America/New_York",
                "2026-11-23T02:00:00Z",
                Some("2026-11-23T13:30:00Z"),
            ),
            (
                "over the weekend on which clocks go back",
                &office,
                "Europe/Vienna",
                "2026-10-23T20:00:00Z",
                Some("2026-10-26T07:30:00Z"),
            ),
            (
                "over that on which they go forward",
                &office,
                "Europe/Vienna",
                "2026-03-27T20:00:00Z",
                Some("2026-03-30T06:30:00Z"),
            ),
            (
                "a time that is left out",
                &night,
                "Europe/Vienna",
                "2026-03-29T00:00:00Z",
                Some("2026-03-29T01:00:00Z"),
            ),
            (
                "one that comes twice",
                &night,
                "Europe/Vienna",
                "2026-10-24T23:00:00Z",
                Some("2026-10-25T00:30:00Z"),
            ),
            (
                "and comes again",
                &night,
                "Europe/Vienna",
                "2026-10-25T01:10:00Z",
                Some("2026-10-25T01:30:00Z"),
            ),
        ] {
            let zone = zone(zone_name).unwrap();
            let found = next_opening(hours, &zone, at.parse().unwrap());
            assert_eq!(found, next.map(|at| at.parse().unwrap()), "{name}");
            if let Some(found) = found {
                assert!(is_open(hours, &zone, found), "{name}: it is open then");
            }
        }
    }

    #[test]
    fn hours_are_checked() {
        for (name, hours, is_good) in [
            ("a day", part(&[Day::Mon], "00:00", "24:00"), true),
            ("over midnight", part(&[Day::Mon], "22:00", "06:00"), true),
            ("no day", part(&[], "08:00", "18:00"), false),
            ("no time", part(&[Day::Mon], "08:00", "08:00"), false),
            ("no such hour", part(&[Day::Mon], "08:00", "25:00"), false),
            ("no such minute", part(&[Day::Mon], "08:60", "18:00"), false),
            ("past the day", part(&[Day::Mon], "08:00", "24:01"), false),
            ("a sign", part(&[Day::Mon], "+8:00", "18:00"), false),
            ("words", part(&[Day::Mon], "noon", "18:00"), false),
        ] {
            assert_eq!(check(&[hours]).is_ok(), is_good, "{name}");
        }
        assert!(zone("Europe/Atlantis").is_err());
    }
}
