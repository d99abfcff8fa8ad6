//! `xsd:dateTime` and RFC 3339 as microseconds since 1970-01-01T00:00:00Z, in the proleptic Gregorian calendar.
//!
//! Clients send what their runtimes print: seven digits of a second (.NET), offsets, the year 1. All of these compare
//! as instants, and sorting needs them as numbers.

const MICROS_PER_SECOND: i64 = 1_000_000;
const SECONDS_PER_DAY: i64 = 86_400;

/// The instant that a date and time names; `None` when the text is none.
///
/// Years have four digits. A time without a zone is UTC. Any number of digits of a second is read, what is finer
/// than a microsecond is cut off. `24:00:00` is the start of the next day, as XML Schema says; leap seconds, which
/// XML Schema does not have, are refused.
pub fn parse(s: &str) -> Option<i64> {
    let (date, rest) = s.split_at_checked(10)?;
    let (time, rest) = rest.strip_prefix(['T', 't'])?.split_at_checked(8)?;
    let [year, month, day] = fields(date, b'-', [4, 2, 2])?;
    let [hour, minute, second] = fields(time, b':', [2, 2, 2])?;
    let (micros, fine, rest) = fraction(rest)?;
    let offset = offset(rest)?;
    let in_day = (0..24).contains(&hour) || (hour == 24 && minute == 0 && second == 0 && !fine);
    if !(1..=12).contains(&month)
        || day < 1
        || day > days_in_month(year, month)
        || !in_day
        || minute > 59
        || second > 59
    {
        return None;
    }
    let days = days_since_epoch(year, month, day);
    let seconds = days * SECONDS_PER_DAY + hour * 3600 + minute * 60 + second - offset * 60;
    Some(seconds * MICROS_PER_SECOND + micros)
}

/// The instant as RFC 3339 in UTC with six digits of a second, such as `2026-11-21T19:24:00.123456Z`. Years beyond
/// 9999 have more digits, years before 0 a minus sign, as XML Schema writes them.
pub fn format(micros: i64) -> String {
    let (seconds, micros) = (
        micros.div_euclid(MICROS_PER_SECOND),
        micros.rem_euclid(MICROS_PER_SECOND),
    );
    let (days, second) = (
        seconds.div_euclid(SECONDS_PER_DAY),
        seconds.rem_euclid(SECONDS_PER_DAY),
    );
    let (year, month, day) = date(days);
    let mut text = String::with_capacity(27);
    if year < 0 {
        text.push('-');
    }
    let year = year.unsigned_abs();
    push(&mut text, year, if year > 9999 { 6 } else { 4 });
    for (separator, number) in [
        ('-', month),
        ('-', day),
        ('T', second / 3600),
        (':', second / 60 % 60),
        (':', second % 60),
    ] {
        text.push(separator);
        push(&mut text, number.unsigned_abs(), 2);
    }
    text.push('.');
    push(&mut text, micros.unsigned_abs(), 6);
    text.push('Z');
    text
}

/// Three numbers of fixed width with a separator between them.
fn fields(s: &str, separator: u8, widths: [usize; 3]) -> Option<[i64; 3]> {
    let mut bytes = s.bytes();
    let mut numbers = [0; 3];
    for (index, width) in widths.into_iter().enumerate() {
        if index > 0 && bytes.next()? != separator {
            return None;
        }
        for _ in 0..width {
            numbers[index] = numbers[index] * 10 + digit(bytes.next()?)?;
        }
    }
    Some(numbers)
}

/// The microseconds after the decimal point, whether any digit was not zero, and what follows.
fn fraction(s: &str) -> Option<(i64, bool, &str)> {
    let Some(digits) = s.strip_prefix('.') else {
        return Some((0, false, s));
    };
    let length = digits.bytes().take_while(u8::is_ascii_digit).count();
    let (digits, rest) = digits.split_at_checked(length).filter(|_| length > 0)?;
    let micros = (0..6).try_fold(0, |n, i| {
        Some(n * 10 + digits.as_bytes().get(i).map_or(Some(0), |&b| digit(b))?)
    })?;
    Some((micros, digits.bytes().any(|b| b != b'0'), rest))
}

/// Minutes east of UTC.
fn offset(s: &str) -> Option<i64> {
    let sign = match s.as_bytes() {
        [] | b"Z" | b"z" => return Some(0),
        [b'+', ..] => 1,
        [b'-', ..] => -1,
        _ => return None,
    };
    let bytes: [u8; 5] = s.as_bytes()[1..].try_into().ok()?;
    let [h1, h2, b':', m1, m2] = bytes else {
        return None;
    };
    let (hours, minutes) = (digit(h1)? * 10 + digit(h2)?, digit(m1)? * 10 + digit(m2)?);
    (hours < 24 && minutes < 60).then_some(sign * (hours * 60 + minutes))
}

fn digit(byte: u8) -> Option<i64> {
    byte.is_ascii_digit().then(|| i64::from(byte - b'0'))
}

fn days_in_month(year: i64, month: i64) -> i64 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        _ => 31,
    }
}

/// Days of a 400-year cycle of the calendar.
const DAYS_PER_CYCLE: i64 = 146_097;
/// From 0000-03-01 to 1970-01-01.
const EPOCH: i64 = 719_468;

/// Counts from March 1 of year 0, so that the leap day is the last one of a year.
fn days_since_epoch(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let (cycle, of_cycle) = (year.div_euclid(400), year.rem_euclid(400));
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    cycle * DAYS_PER_CYCLE + of_cycle * 365 + of_cycle / 4 - of_cycle / 100 + of_year - EPOCH
}

/// Year, month and day; the inverse of [`days_since_epoch`].
fn date(days: i64) -> (i64, i64, i64) {
    let days = days + EPOCH;
    let (cycle, of_cycle) = (
        days.div_euclid(DAYS_PER_CYCLE),
        days.rem_euclid(DAYS_PER_CYCLE),
    );
    let year_of_cycle = (of_cycle - of_cycle / 1460 + of_cycle / 36_524 - of_cycle / 146_096) / 365;
    let of_year = of_cycle - (365 * year_of_cycle + year_of_cycle / 4 - year_of_cycle / 100);
    let from_march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * from_march + 2) / 5 + 1;
    let month = if from_march < 10 {
        from_march + 3
    } else {
        from_march - 9
    };
    (
        cycle * 400 + year_of_cycle + i64::from(month <= 2),
        month,
        day,
    )
}

fn push(text: &mut String, number: u64, width: u32) {
    let mut scale = 10_u64.pow(width - 1);
    while scale > 0 {
        let digit = u8::try_from(number / scale % 10).unwrap_or_default();
        text.push(char::from(b'0' + digit));
        scale /= 10;
    }
}

#[cfg(test)]
mod tests;
