//! Character classes and escapes.

use std::fmt::{self, Write};

use super::PatternError;

/// Deeper subtractions within subtractions are refused.
const MAX_NESTING: usize = 16;

/// What .NET calls a word character.
const WORD: &str = r"\p{L}\p{Mn}\p{Nd}\p{Pc}";

/// The general categories of Unicode, which `\p{…}` may name.
const CATEGORIES: [&str; 37] = [
    "L", "Lu", "Ll", "Lt", "Lm", "Lo", "M", "Mn", "Mc", "Me", "N", "Nd", "Nl", "No", "P", "Pc",
    "Pd", "Ps", "Pe", "Pi", "Pf", "Po", "S", "Sm", "Sc", "Sk", "So", "Z", "Zs", "Zl", "Zp", "C",
    "Cc", "Cf", "Cs", "Co", "Cn",
];

/// The blocks of Unicode that names of people are written in, which `\p{Is…}` may name.
const BLOCKS: [(&str, u32, u32); 20] = [
    ("IsBasicLatin", 0x0000, 0x007f),
    ("IsLatin-1Supplement", 0x0080, 0x00ff),
    ("IsLatinExtended-A", 0x0100, 0x017f),
    ("IsLatinExtended-B", 0x0180, 0x024f),
    ("IsLatinExtendedAdditional", 0x1e00, 0x1eff),
    ("IsCombiningDiacriticalMarks", 0x0300, 0x036f),
    ("IsGreek", 0x0370, 0x03ff),
    ("IsGreekandCoptic", 0x0370, 0x03ff),
    ("IsCyrillic", 0x0400, 0x04ff),
    ("IsCyrillicSupplement", 0x0500, 0x052f),
    ("IsArmenian", 0x0530, 0x058f),
    ("IsHebrew", 0x0590, 0x05ff),
    ("IsArabic", 0x0600, 0x06ff),
    ("IsDevanagari", 0x0900, 0x097f),
    ("IsThai", 0x0e00, 0x0e7f),
    ("IsGeorgian", 0x10a0, 0x10ff),
    ("IsHiragana", 0x3040, 0x309f),
    ("IsKatakana", 0x30a0, 0x30ff),
    ("IsCJKUnifiedIdeographs", 0x4e00, 0x9fff),
    ("IsHangulSyllables", 0xac00, 0xd7af),
];

/// A character, written so that it means nothing else to the engine.
pub(super) fn literal(c: char) -> String {
    match c.is_ascii_alphanumeric() || (!c.is_ascii() && c.is_alphanumeric()) {
        true => c.to_string(),
        false => format!(r"\x{{{:x}}}", u32::from(c)),
    }
}

/// One thing in a class, or an escape outside of one.
#[derive(Debug, Clone)]
pub(super) enum Item {
    Char(char),
    Range(char, char),
    /// A set of characters, as the engine writes it inside a class.
    Set(String),
}

impl Item {
    pub(super) fn outside_class(&self) -> String {
        match self {
            Self::Char(c) => literal(*c),
            other => format!("[{other}]"),
        }
    }
}

impl fmt::Display for Item {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Char(c) => f.write_str(&literal(*c)),
            Self::Range(low, high) => write!(f, "{}-{}", literal(*low), literal(*high)),
            Self::Set(set) => f.write_str(set),
        }
    }
}

/// `[…]`, perhaps without another class: `[a-z-[aeiou]]`.
#[derive(Debug)]
pub(super) struct Class {
    negated: bool,
    items: Vec<Item>,
    without: Option<Box<Self>>,
}

impl Class {
    /// Reads a class whose bracket is already taken.
    pub(super) fn read(chars: &[char], at: &mut usize) -> Result<Self, PatternError> {
        Self::nested(chars, at, 0)
    }

    fn nested(chars: &[char], at: &mut usize, depth: usize) -> Result<Self, PatternError> {
        let start = *at;
        let error = |at: usize, problem: &str| PatternError {
            position: at.max(1),
            problem: problem.to_owned(),
        };
        if depth > MAX_NESTING {
            return Err(error(start, "too many classes are within each other"));
        }
        let peek = |at: usize| chars.get(at).copied();
        let negated = peek(*at) == Some('^');
        *at += usize::from(negated);
        let mut class = Self {
            negated,
            items: Vec::new(),
            without: None,
        };
        loop {
            match peek(*at) {
                None => return Err(error(start, "a character class is not closed")),
                // The first bracket is a character of the class.
                Some(']') if !class.items.is_empty() => {
                    *at += 1;
                    return Ok(class);
                }
                Some('-') if peek(*at + 1) == Some('[') && !class.items.is_empty() => {
                    *at += 2;
                    class.without = Some(Box::new(Self::nested(chars, at, depth + 1)?));
                    if peek(*at) != Some(']') {
                        return Err(error(
                            *at,
                            "a subtracted class must be the last thing in its class",
                        ));
                    }
                    *at += 1;
                    return Ok(class);
                }
                Some(_) => {}
            }
            let item = single(chars, at)?;
            let is_range =
                peek(*at) == Some('-') && peek(*at + 1).is_some_and(|c| c != ']' && c != '[');
            let Item::Char(low) = item else {
                class.items.push(item);
                continue;
            };
            if !is_range {
                class.items.push(item);
                continue;
            }
            *at += 1;
            match single(chars, at)? {
                Item::Char(high) if low <= high => class.items.push(Item::Range(low, high)),
                Item::Char(_) => {
                    return Err(error(*at, "a range of characters is in reverse order"));
                }
                _ => return Err(error(*at, "a range of characters ends with a class")),
            }
        }
    }
}

impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.without.is_some() {
            f.write_char('[')?;
        }
        f.write_str(if self.negated { "[^" } else { "[" })?;
        for item in &self.items {
            write!(f, "{item}")?;
        }
        f.write_char(']')?;
        match &self.without {
            Some(without) => write!(f, "--{without}]"),
            None => Ok(()),
        }
    }
}

/// One character of a class, or an escape in it.
fn single(chars: &[char], at: &mut usize) -> Result<Item, PatternError> {
    let c = chars.get(*at).copied();
    *at += 1;
    match c {
        Some('\\') if chars.get(*at) == Some(&'b') => {
            *at += 1;
            Ok(Item::Char('\u{8}'))
        }
        Some('\\') => escape(chars, at),
        Some(c) => Ok(Item::Char(c)),
        None => Err(PatternError {
            position: *at,
            problem: "a character class is not closed".into(),
        }),
    }
}

/// What follows a backslash, whose meaning is the same inside and outside of classes.
pub(super) fn escape(chars: &[char], at: &mut usize) -> Result<Item, PatternError> {
    let position = *at;
    let error = |problem: String| PatternError { position, problem };
    let Some(&c) = chars.get(*at) else {
        return Err(error("a backslash at the end".into()));
    };
    *at += 1;
    let c = match c {
        'd' | 'D' | 's' | 'S' => return Ok(Item::Set(format!("\\{c}"))),
        'w' => return Ok(Item::Set(WORD.to_owned())),
        'W' => return Ok(Item::Set(format!("[^{WORD}]"))),
        'p' | 'P' => return property(chars, at, c == 'P'),
        'a' => '\u{7}',
        'e' => '\u{1b}',
        'f' => '\u{c}',
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        'v' => '\u{b}',
        'x' => code(chars, at, 16, 2, 2)?,
        'u' => code(chars, at, 16, 4, 4)?,
        '0'..='7' => {
            *at -= 1;
            code(chars, at, 8, 1, 3)?
        }
        'c' => match chars.get(*at) {
            Some(c) if c.is_ascii_alphabetic() => {
                *at += 1;
                char::from(u8::try_from(c.to_ascii_uppercase()).unwrap_or(b'@') - b'@')
            }
            _ => return Err(error("a control character lacks its letter".into())),
        },
        c if c.is_alphanumeric() || c == '_' => return Err(error(format!("unknown escape \\{c}"))),
        c => c,
    };
    Ok(Item::Char(c))
}

/// A character by its number.
fn code(
    chars: &[char],
    at: &mut usize,
    radix: u32,
    least: usize,
    most: usize,
) -> Result<char, PatternError> {
    let rest = chars.get(*at..).unwrap_or_default();
    let digits: String = rest
        .iter()
        .take(most)
        .take_while(|c| c.is_digit(radix))
        .collect();
    let position = *at;
    *at += digits.len();
    let c = u32::from_str_radix(&digits, radix)
        .ok()
        .and_then(char::from_u32);
    c.filter(|_| digits.len() >= least).ok_or(PatternError {
        position,
        problem: "the number of a character is wrong".into(),
    })
}

/// `{Lu}` or `{IsGreek}`.
fn property(chars: &[char], at: &mut usize, negated: bool) -> Result<Item, PatternError> {
    let position = *at;
    let rest: String = chars
        .get(*at..)
        .unwrap_or_default()
        .iter()
        .take(40)
        .collect();
    let name = rest.strip_prefix('{').and_then(|rest| rest.split_once('}'));
    let name = name.map_or("", |(name, _)| name);
    *at += name.chars().count() + 2;
    let not = if negated { "^" } else { "" };
    if CATEGORIES.contains(&name) {
        return Ok(Item::Set(format!(r"[{not}\p{{{name}}}]")));
    }
    match BLOCKS.iter().find(|(block, ..)| *block == name) {
        Some((_, low, high)) => Ok(Item::Set(format!(r"[{not}\x{{{low:x}}}-\x{{{high:x}}}]"))),
        None => Err(PatternError {
            position,
            problem: format!(
                "{name:?} is no category of Unicode, or a block that is not supported"
            ),
        }),
    }
}
