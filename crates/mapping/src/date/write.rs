//! Dates written in a format.

use std::fmt::Write;

use super::Date;
use super::format::{DAYS, ERA, Format, MONTHS, Part};

impl Format {
    /// The date in this format.
    pub(crate) fn write(&self, date: Date) -> String {
        let mut out = String::new();
        for part in &self.parts {
            // Writing to a string does not fail.
            let _ = write(&mut out, part, date);
        }
        out
    }
}

fn write(out: &mut String, part: &Part, Date(date): Date) -> std::fmt::Result {
    let hour = date.hour();
    let name = |names: &[&'static str], index: i8, long: bool| {
        let name = usize::try_from(index)
            .ok()
            .and_then(|index| names.get(index));
        let name = name.copied().unwrap_or_default();
        if long {
            name
        } else {
            name.get(..3).unwrap_or(name)
        }
    };
    match *part {
        Part::Literal(c) => out.write_char(c),
        Part::Day(width) => write!(out, "{:0width$}", date.day()),
        Part::Weekday { long } => {
            out.write_str(name(&DAYS, date.weekday().to_sunday_zero_offset(), long))
        }
        Part::Month(width) => write!(out, "{:0width$}", date.month()),
        Part::MonthName { long } => out.write_str(name(&MONTHS, date.month() - 1, long)),
        Part::Year(width @ (1 | 2)) => write!(out, "{:0width$}", date.year() % 100),
        Part::Year(width) => write!(out, "{:0width$}", date.year()),
        Part::Hour12(width) => {
            let hour = if hour % 12 == 0 { 12 } else { hour % 12 };
            write!(out, "{hour:0width$}")
        }
        Part::Hour24(width) => write!(out, "{hour:0width$}"),
        Part::Minute(width) => write!(out, "{:0width$}", date.minute()),
        Part::Second(width) => write!(out, "{:0width$}", date.second()),
        Part::Fraction(digits) => out.write_str(&fraction(date.subsec_nanosecond(), digits)),
        Part::ShortFraction(digits) => {
            let all = fraction(date.subsec_nanosecond(), digits);
            let short = all.trim_end_matches('0');
            // A point before nothing goes, too.
            if short.is_empty() && out.ends_with('.') {
                out.pop();
            }
            out.write_str(short)
        }
        Part::Meridiem { long } => {
            let text = if hour < 12 { "AM" } else { "PM" };
            out.write_str(if long {
                text
            } else {
                text.get(..1).unwrap_or(text)
            })
        }
        Part::Offset(1) => out.write_str("+0"),
        Part::Offset(2) => out.write_str("+00"),
        Part::Offset(_) => out.write_str("+00:00"),
        Part::Zone | Part::Utc => out.write_char('Z'),
        Part::Era => out.write_str(ERA),
    }
}

fn fraction(nanos: i32, digits: usize) -> String {
    let mut text = format!("{nanos:09}");
    text.truncate(digits);
    text
}
