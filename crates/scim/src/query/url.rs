//! Decoding of query strings.

use crate::error::Error;

/// Splits and decodes a raw query string: `+` is a blank, `%XX` a byte, a name without `=` has an empty value.
///
/// # Errors
/// `invalidValue` for a `%` without two hexadecimal digits, bytes that are not UTF-8, and NUL characters.
pub fn pairs(raw_query: &str) -> Result<Vec<(String, String)>, Error> {
    let parts = raw_query.split('&').filter(|part| !part.is_empty());
    parts
        .map(|part| {
            let (name, value) = part.split_once('=').unwrap_or((part, ""));
            Ok((decode(name)?, decode(value)?))
        })
        .collect()
}

fn decode(text: &str) -> Result<String, Error> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => match (rest.next().and_then(hex), rest.next().and_then(hex)) {
                (Some(high), Some(low)) => high * 16 + low,
                _ => return Err(Error::invalid_value("A `%` in the query must be followed by two hexadecimal digits; write the sign itself as %25")),
            },
            byte => byte,
        });
    }
    match String::from_utf8(bytes) {
        Ok(text) if text.contains('\0') => {
            Err(Error::invalid_value("The query contains a NUL character"))
        }
        Ok(text) => Ok(text),
        Err(_) => Err(Error::invalid_value(
            "The query is not UTF-8 once its percent signs are decoded",
        )),
    }
}

fn hex(byte: u8) -> Option<u8> {
    char::from(byte)
        .to_digit(16)
        .and_then(|digit| u8::try_from(digit).ok())
}
