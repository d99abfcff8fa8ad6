//! .NET's custom date and time format strings, of the invariant culture.

/// The longest format that is read, in characters.
const MAX_CHARS: usize = 128;

pub(super) const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
pub(super) const DAYS: [&str; 7] = [
    "Sunday",
    "Monday",
    "Tuesday",
    "Wednesday",
    "Thursday",
    "Friday",
    "Saturday",
];
pub(super) const ERA: &str = "A.D.";

/// Standard formats, which are a single letter, as the custom formats that they stand for.
const STANDARD: [(char, &str); 18] = [
    ('d', "MM/dd/yyyy"),
    ('D', "dddd, dd MMMM yyyy"),
    ('f', "dddd, dd MMMM yyyy HH:mm"),
    ('F', "dddd, dd MMMM yyyy HH:mm:ss"),
    ('g', "MM/dd/yyyy HH:mm"),
    ('G', "MM/dd/yyyy HH:mm:ss"),
    ('m', "MMMM dd"),
    ('M', "MMMM dd"),
    ('o', "yyyy'-'MM'-'dd'T'HH':'mm':'ss'.'fffffffK"),
    ('O', "yyyy'-'MM'-'dd'T'HH':'mm':'ss'.'fffffffK"),
    ('r', "ddd, dd MMM yyyy HH':'mm':'ss 'GMT'"),
    ('R', "ddd, dd MMM yyyy HH':'mm':'ss 'GMT'"),
    ('s', "yyyy'-'MM'-'dd'T'HH':'mm':'ss"),
    ('t', "HH:mm"),
    ('T', "HH:mm:ss"),
    ('u', "yyyy'-'MM'-'dd HH':'mm':'ss'Z'"),
    ('y', "yyyy MMMM"),
    ('Y', "yyyy MMMM"),
];

/// Why a format cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FormatError {
    /// Nothing at all.
    #[error("it is empty")]
    Empty,
    /// More than 128 characters.
    #[error("it is longer than {MAX_CHARS} characters")]
    TooLong,
    /// A quote or backslash without what belongs to it.
    #[error("a quoted part is not closed")]
    OpenQuote,
    /// A single letter that is no standard format.
    #[error("{0:?} alone is no standard format")]
    UnknownStandard(char),
    /// Too many of a letter.
    #[error("{0:?} is not a part of a date")]
    UnknownPart(String),
}

/// A format, read once.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Format {
    pub(super) parts: Vec<Part>,
    text: String,
}

/// A part of a format; numbers are how often its letter stands there.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Part {
    Literal(char),
    /// `d`, `dd`
    Day(usize),
    /// `ddd`, `dddd`
    Weekday {
        long: bool,
    },
    /// `M`, `MM`
    Month(usize),
    /// `MMM`, `MMMM`
    MonthName {
        long: bool,
    },
    /// `y` to `yyyyy`
    Year(usize),
    /// `h`, `hh`
    Hour12(usize),
    /// `H`, `HH`
    Hour24(usize),
    Minute(usize),
    Second(usize),
    /// `f` to `fffffff`
    Fraction(usize),
    /// `F` to `FFFFFFF`: without the zeros at the end
    ShortFraction(usize),
    /// `t`, `tt`
    Meridiem {
        long: bool,
    },
    /// `z`, `zz`, `zzz`
    Offset(usize),
    /// `K`: `Z`, an offset or nothing
    Zone,
    /// `Z`: in a format that is read, `Z` or `GMT`
    Utc,
    Era,
}

/// What .NET's `DateTimeStyles` may ask of reading that matters here. All dates are UTC, so the styles about time
/// zones change nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Styles {
    pub(super) leading: bool,
    pub(super) trailing: bool,
    pub(super) inner: bool,
}

impl Default for Styles {
    /// What Entra uses where nothing is said.
    fn default() -> Self {
        Self {
            leading: true,
            trailing: true,
            inner: false,
        }
    }
}

impl Styles {
    /// Reads names with commas between them, such as `AllowWhiteSpaces, AssumeUniversal`.
    ///
    /// # Errors
    /// The name that is none.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let mut styles = Self {
            leading: false,
            trailing: false,
            inner: false,
        };
        for name in text.split([',', '|']).map(str::trim) {
            match name.strip_prefix("DateTimeStyles.").unwrap_or(name) {
                "AllowLeadingWhite" => styles.leading = true,
                "AllowTrailingWhite" => styles.trailing = true,
                "AllowInnerWhite" => styles.inner = true,
                "AllowWhiteSpaces" => {
                    styles = Self {
                        leading: true,
                        trailing: true,
                        inner: true,
                    };
                }
                "None"
                | "RoundtripKind"
                | "AdjustToUniversal"
                | "AssumeUniversal"
                | "AssumeLocal"
                | "NoCurrentDateDefault" => {}
                other => return Err(other.to_owned()),
            }
        }
        Ok(styles)
    }
}

impl Format {
    /// Reads a format string.
    pub(crate) fn new(text: &str) -> Result<Self, FormatError> {
        if text.chars().count() > MAX_CHARS {
            return Err(FormatError::TooLong);
        }
        let mut chars = text.chars();
        let custom = match (chars.next(), chars.next()) {
            (None, _) => return Err(FormatError::Empty),
            (Some(letter), None) => {
                let standard = STANDARD.iter().find(|(known, _)| *known == letter);
                standard.ok_or(FormatError::UnknownStandard(letter))?.1
            }
            _ => text,
        };
        let chars: Vec<char> = custom.chars().collect();
        let mut parts = Vec::new();
        let mut at = 0;
        while let Some(&c) = chars.get(at) {
            at += 1;
            match c {
                '\\' => {
                    let escaped = chars.get(at).ok_or(FormatError::OpenQuote)?;
                    parts.push(Part::Literal(*escaped));
                    at += 1;
                }
                '\'' | '"' => at = quoted(&chars, at, c, &mut parts)?,
                '%' if chars.get(at).is_some_and(|next| *next != '%') => {}
                '%' => return Err(FormatError::UnknownPart("%".into())),
                c => {
                    let more = chars.get(at..).unwrap_or_default();
                    let more = more.iter().take_while(|next| **next == c).count();
                    match part(c, more + 1) {
                        Some(part) => {
                            parts.push(part);
                            at += more;
                        }
                        None if c.is_ascii_alphabetic() && "dMyhHmsfFtzKg".contains(c) => {
                            let run = c.to_string().repeat(more + 1);
                            return Err(FormatError::UnknownPart(run));
                        }
                        None => parts.push(Part::Literal(c)),
                    }
                }
            }
        }
        Ok(Self {
            parts,
            text: text.to_owned(),
        })
    }

    /// The format as it was written.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }
}

fn quoted(
    chars: &[char],
    mut at: usize,
    quote: char,
    parts: &mut Vec<Part>,
) -> Result<usize, FormatError> {
    loop {
        match chars.get(at) {
            None => return Err(FormatError::OpenQuote),
            Some(&c) if c == quote => return Ok(at + 1),
            Some('\\') => {
                let escaped = chars.get(at + 1).ok_or(FormatError::OpenQuote)?;
                parts.push(Part::Literal(*escaped));
                at += 2;
            }
            Some(&c) => {
                parts.push(Part::Literal(c));
                at += 1;
            }
        }
    }
}

fn part(letter: char, count: usize) -> Option<Part> {
    Some(match (letter, count) {
        ('d', 1 | 2) => Part::Day(count),
        ('d', _) => Part::Weekday { long: count > 3 },
        ('M', 1 | 2) => Part::Month(count),
        ('M', _) => Part::MonthName { long: count > 3 },
        ('y', 1..=5) => Part::Year(count),
        ('h', _) => Part::Hour12(count.min(2)),
        ('H', _) => Part::Hour24(count.min(2)),
        ('m', _) => Part::Minute(count.min(2)),
        ('s', _) => Part::Second(count.min(2)),
        ('f', 1..=7) => Part::Fraction(count),
        ('F', 1..=7) => Part::ShortFraction(count),
        ('t', _) => Part::Meridiem { long: count > 1 },
        ('z', _) => Part::Offset(count.min(3)),
        ('K', 1) => Part::Zone,
        ('Z', 1) => Part::Utc,
        ('g', _) => Part::Era,
        _ => return None,
    })
}
