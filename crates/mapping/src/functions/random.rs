//! What is drawn by lot. The randomness comes with the context.

use super::Evaluated;
use crate::evaluate::{Arguments, Random, Reason, Stop};
use crate::value::Value;

/// The longest random text, in characters.
const MAX_LENGTH: usize = 256;

const NUMBERS: &str = "0123456789";
const SPECIAL: &str = "!@#$%^&*()-_=+[]{}|;:,.<>?/~`";
const CAPITAL: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
const LOWER: &str = "abcdefghijklmnopqrstuvwxyz";

/// Version 4 of RFC 9562, in small letters.
pub(super) fn guid<'a>(arguments: Arguments<'_, 'a>) -> Evaluated<'a> {
    let mut bytes = [0; 16];
    (arguments.random()?)(&mut bytes);
    bytes[6] = bytes[6] & 0x0f | 0x40;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let mut guid = String::with_capacity(36);
    for (index, byte) in bytes.iter().enumerate() {
        if matches!(index, 4 | 6 | 8 | 10) {
            guid.push('-');
        }
        for half in [byte >> 4, byte & 15] {
            guid.push(char::from_digit(u32::from(half), 16).unwrap_or('0'));
        }
    }
    Ok(Value::text(guid))
}

/// The characters of each kind that are asked for, the rest from all kinds, in random order.
pub(super) fn string<'a>(arguments: Arguments<'_, 'a>) -> Evaluated<'a> {
    let number = |index| -> Result<usize, Stop> {
        let number = arguments.integer(index)?.unwrap_or(0);
        usize::try_from(number).map_err(|_| arguments.fail(Reason::OutOfRange(number.to_string())))
    };
    let length = number(0)?;
    let avoid = arguments.text(5)?.unwrap_or_default();
    let allowed =
        |kind: &str| -> Vec<char> { kind.chars().filter(|&c| !avoid.contains(c)).collect() };
    let kinds = [
        (allowed(NUMBERS), number(1)?),
        (allowed(SPECIAL), number(2)?),
        (allowed(CAPITAL), number(3)?),
        (allowed(LOWER), number(4)?),
    ];
    let least = kinds
        .iter()
        .fold(0_usize, |sum, (_, least)| sum.saturating_add(*least));
    let all: Vec<char> = kinds
        .iter()
        .flat_map(|(kind, _)| kind.iter().copied())
        .collect();
    let wrong = if length > MAX_LENGTH {
        Some("the length is more than 256")
    } else if least > length {
        Some("the length is less than the characters of each kind together")
    } else if all.is_empty()
        || kinds
            .iter()
            .any(|(kind, least)| kind.is_empty() && *least > 0)
    {
        Some("all characters of a kind that is asked for are to be avoided")
    } else {
        None
    };
    if let Some(wrong) = wrong {
        return Err(arguments.fail(Reason::RandomString(wrong)));
    }
    let lot = Lot(arguments.random()?);
    let mut drawn = Vec::with_capacity(length);
    for (kind, least) in &kinds {
        drawn.extend((0..*least).map(|_| lot.one_of(kind)));
    }
    drawn.extend((drawn.len()..length).map(|_| lot.one_of(&all)));
    for last in (1..drawn.len()).rev() {
        drawn.swap(last, lot.below(last + 1));
    }
    Ok(Value::text(drawn.into_iter().collect::<String>()))
}

struct Lot<'a>(&'a Random<'a>);

impl Lot<'_> {
    /// A number below `bound`, each as likely as the others but for one part in 2^48.
    fn below(&self, bound: usize) -> usize {
        let mut bytes = [0; 8];
        (self.0)(&mut bytes);
        let bound = u64::try_from(bound).unwrap_or(u64::MAX).max(1);
        usize::try_from(u64::from_le_bytes(bytes) % bound).unwrap_or(0)
    }

    fn one_of(&self, all: &[char]) -> char {
        all.get(self.below(all.len())).copied().unwrap_or('0')
    }
}
