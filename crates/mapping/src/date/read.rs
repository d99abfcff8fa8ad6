//! Dates read in a format, and ISO 8601.

use jiff::civil::{DateTime, date};

use super::Date;
use super::format::{DAYS, ERA, Format, MONTHS, Part, Styles};

/// Two digits of a year up to this one are of this century, as in .NET.
const TWO_DIGIT_YEAR_MAX: i16 = 49;

impl Format {
    /// Reads a text that is exactly in this format. What the format does not say is the first of January of the
    /// year 1 at midnight; without an offset it is UTC.
    pub(crate) fn read(&self, text: &str, styles: Styles) -> Option<Date> {
        let mut text = text;
        if styles.leading {
            text = text.trim_start();
        }
        if styles.trailing {
            text = text.trim_end();
        }
        let mut reader = Reader::new(text);
        for (index, part) in self.parts.iter().enumerate() {
            if styles.inner {
                reader.skip_blanks();
                if matches!(part, Part::Literal(c) if c.is_whitespace()) {
                    continue;
                }
            }
            reader.part(part, self.parts.get(index + 1))?;
        }
        if styles.inner {
            reader.skip_blanks();
        }
        reader.finish()
    }
}

/// ISO 8601: `yyyy-MM-dd`, perhaps a time after `T` or a blank, perhaps an offset after either.
pub(super) fn iso(text: &str) -> Option<Date> {
    let mut reader = Reader::new(text);
    reader.year = i16::try_from(reader.digits(4, 4)?).ok()?;
    reader.expect('-')?;
    reader.month = reader.small(2, 2)?;
    reader.expect('-')?;
    reader.day = reader.small(2, 2)?;
    if reader.take('T') || reader.take('t') || reader.take(' ') {
        reader.hour = reader.small(2, 2)?;
        reader.expect(':')?;
        reader.minute = reader.small(2, 2)?;
        if reader.take(':') {
            reader.second = reader.small(2, 2)?;
            if reader.take('.') {
                reader.fraction(1, usize::MAX)?;
            }
        }
    }
    reader.skip_blanks();
    reader.zone()?;
    reader.finish()
}

struct Reader<'t> {
    rest: &'t str,
    year: i16,
    month: i8,
    day: i8,
    hour: i8,
    minute: i8,
    second: i8,
    nanos: i32,
    /// Hours are 1 to 12, with or without what follows.
    twelve: bool,
    afternoon: Option<bool>,
    weekday: Option<usize>,
    offset: i64,
}

impl<'t> Reader<'t> {
    fn new(rest: &'t str) -> Self {
        Self {
            rest,
            year: 1,
            month: 1,
            day: 1,
            hour: 0,
            minute: 0,
            second: 0,
            nanos: 0,
            twelve: false,
            afternoon: None,
            weekday: None,
            offset: 0,
        }
    }

    fn part(&mut self, part: &Part, next: Option<&Part>) -> Option<()> {
        match *part {
            // In front of a fraction that may be missing, so may be its point.
            Part::Literal('.') if matches!(next, Some(Part::ShortFraction(_))) => {
                if !self.take('.') {
                    return Some(());
                }
            }
            Part::Literal(c) => self.expect(c)?,
            Part::Day(width) => self.day = self.small(width, 2)?,
            Part::Month(width) => self.month = self.small(width, 2)?,
            Part::Year(width) => self.year = self.year_of(width)?,
            Part::Hour12(width) => {
                self.twelve = true;
                self.hour = self.small(width, 2)?;
            }
            Part::Hour24(width) => self.hour = self.small(width, 2)?,
            Part::Minute(width) => self.minute = self.small(width, 2)?,
            Part::Second(width) => self.second = self.small(width, 2)?,
            Part::Fraction(digits) => self.fraction(digits, digits)?,
            Part::ShortFraction(digits) => self.fraction(0, digits)?,
            Part::Weekday { long } => self.weekday = Some(self.name(&DAYS, long)?),
            Part::MonthName { long } => {
                self.month = i8::try_from(self.name(&MONTHS, long)?).ok()? + 1;
            }
            Part::Meridiem { long } => self.afternoon = Some(self.meridiem(long)?),
            Part::Offset(width) => self.offset = self.offset_of(width)?,
            Part::Zone => self.zone()?,
            Part::Utc => {
                if !self.take_text("GMT") {
                    self.expect('Z')?;
                }
            }
            Part::Era => {
                if !self.take_text(ERA) && !self.take_text("AD") {
                    return None;
                }
            }
        }
        Some(())
    }

    fn finish(self) -> Option<Date> {
        let hour = match (self.twelve, self.afternoon) {
            (true, _) if self.hour > 12 => return None,
            (true, Some(true)) => self.hour % 12 + 12,
            (true, _) => self.hour % 12,
            (false, Some(afternoon)) if afternoon != (self.hour >= 12) => return None,
            (false, _) => self.hour,
        };
        if !self.rest.is_empty() {
            return None;
        }
        let day = jiff::civil::Date::new(self.year, self.month, self.day).ok()?;
        let time = jiff::civil::Time::new(hour, self.minute, self.second, self.nanos).ok()?;
        let weekday = usize::try_from(day.weekday().to_sunday_zero_offset()).ok();
        if self.weekday.is_some() && self.weekday != weekday {
            return None;
        }
        let local: DateTime = date(self.year, self.month, self.day).to_datetime(time);
        Date::at_offset(local, self.offset)
    }

    fn skip_blanks(&mut self) {
        self.rest = self.rest.trim_start();
    }

    fn take(&mut self, c: char) -> bool {
        match self.rest.strip_prefix(c) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn expect(&mut self, c: char) -> Option<()> {
        self.take(c).then_some(())
    }

    /// Takes a text in any letter case.
    fn take_text(&mut self, text: &str) -> bool {
        match self.rest.split_at_checked(text.len()) {
            Some((head, rest)) if head.eq_ignore_ascii_case(text) => {
                self.rest = rest;
                true
            }
            _ => false,
        }
    }

    fn digits(&mut self, least: usize, most: usize) -> Option<u32> {
        let there = self.rest.bytes().take_while(u8::is_ascii_digit).count();
        let count = there.min(most);
        if count < least || count > 9 {
            return None;
        }
        let (digits, rest) = self.rest.split_at_checked(count)?;
        self.rest = rest;
        digits.parse().ok()
    }

    fn small(&mut self, least: usize, most: usize) -> Option<i8> {
        i8::try_from(self.digits(least, most)?).ok()
    }

    fn year_of(&mut self, width: usize) -> Option<i16> {
        if width > 2 {
            return i16::try_from(self.digits(width, width.max(4))?).ok();
        }
        let year = i16::try_from(self.digits(width, 2)?).ok()?;
        let century = if year > TWO_DIGIT_YEAR_MAX {
            1900
        } else {
            2000
        };
        Some(century + year)
    }

    /// Digits behind the point; what is finer than a nanosecond is cut off.
    fn fraction(&mut self, least: usize, most: usize) -> Option<()> {
        let there = self.rest.bytes().take_while(u8::is_ascii_digit).count();
        let (digits, rest) = self.rest.split_at_checked(there.min(most))?;
        if digits.len() < least {
            return None;
        }
        self.rest = rest;
        let exact = digits.get(..9).unwrap_or(digits);
        self.nanos = format!("{exact:0<9}").parse().ok()?;
        Some(())
    }

    /// The place of the name that comes next.
    fn name(&mut self, names: &[&str], long: bool) -> Option<usize> {
        names.iter().position(|name| {
            let name = if long {
                name
            } else {
                name.get(..3).unwrap_or(name)
            };
            self.take_text(name)
        })
    }

    fn meridiem(&mut self, long: bool) -> Option<bool> {
        let texts = if long { ["AM", "PM"] } else { ["A", "P"] };
        Some(texts.iter().position(|text| self.take_text(text))? == 1)
    }

    /// `Z`, an offset, or nothing.
    fn zone(&mut self) -> Option<()> {
        if self.rest.starts_with(['+', '-']) {
            self.offset = self.offset_of(3)?;
        } else if !self.take('Z') {
            self.take('z');
        }
        Some(())
    }

    /// Seconds east of UTC. With minutes: `+02:00`, `+0200` and `+02`.
    fn offset_of(&mut self, width: usize) -> Option<i64> {
        let sign = match (self.take('+'), self.take('-')) {
            (true, _) => 1,
            (_, true) => -1,
            _ => return None,
        };
        let hours = i64::from(self.digits(if width == 1 { 1 } else { 2 }, 2)?);
        let mut minutes = 0;
        if width == 3 && (self.take(':') || self.rest.starts_with(|c: char| c.is_ascii_digit())) {
            minutes = i64::from(self.digits(2, 2)?);
        }
        (hours <= 14 && minutes < 60).then_some(sign * (hours * 3600 + minutes * 60))
    }
}
