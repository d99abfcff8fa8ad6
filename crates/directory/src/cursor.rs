//! Cursors (RFC 9865): a place in an ordered walk, signed so that nobody can make one up or use it for another query.

use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use portreeve_scim::Error;
use serde::{Deserialize, Serialize};
use std::fmt;

/// How long a cursor lives, in seconds; announced as `cursorTimeout`.
pub const TIMEOUT_S: i64 = 3600;

/// Signs and checks cursors. One key per installation, so that any replica can continue a walk.
pub struct Cursors(hmac::Key);

impl Cursors {
    /// From 32 secret bytes.
    pub fn new(key: &[u8; 32]) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, key))
    }
}

impl fmt::Debug for Cursors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Cursors")
    }
}

/// The last resource of a page, and what the walk is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// The sort value of the last resource, where the order is not that of ids.
    #[serde(rename = "k", default, skip_serializing_if = "Option::is_none")]
    pub key: Option<Key>,
    /// Id of the last resource.
    #[serde(rename = "i")]
    pub id: String,
    /// `totalResults`, counted once for the first page, where it was counted.
    #[serde(rename = "t", default, skip_serializing_if = "Option::is_none")]
    pub total: Option<i64>,
    /// `count` of the walk.
    #[serde(rename = "n")]
    pub count: u64,
    /// When the cursor was made (microseconds since 1970 UTC).
    #[serde(rename = "a")]
    pub at: i64,
}

/// A sort value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Key {
    /// A number, or a time.
    Int(i64),
    /// Folded or exact text.
    Text(String),
    /// No value.
    Null,
}

impl Cursors {
    /// Writes a cursor that is good for `query` (everything the result depends on: directory, type, filter, sort).
    pub fn seal(&self, place: &Place, query: &str) -> String {
        let body = serde_json::to_vec(place).unwrap_or_default();
        let tag = hmac::sign(&self.0, &signed(&body, query));
        format!(
            "{}.{}",
            URL_SAFE_NO_PAD.encode(&body),
            URL_SAFE_NO_PAD.encode(&tag.as_ref()[..16])
        )
    }

    /// Reads a cursor back. Whether it was made up, altered or made for another query is answered alike.
    pub fn open(&self, cursor: &str, query: &str, now: i64) -> Result<Place, Error> {
        let wrong = || {
            Error::invalid_cursor(
                "this cursor does not belong to this query; start again with an empty cursor",
            )
        };
        let (body, tag) = cursor.split_once('.').ok_or_else(wrong)?;
        let body = URL_SAFE_NO_PAD.decode(body).map_err(|_| wrong())?;
        let tag = URL_SAFE_NO_PAD.decode(tag).map_err(|_| wrong())?;
        let expected = hmac::sign(&self.0, &signed(&body, query));
        if !bool::from(subtle::ConstantTimeEq::ct_eq(
            &expected.as_ref()[..16],
            tag.as_slice(),
        )) {
            return Err(wrong());
        }
        let place: Place = serde_json::from_slice(&body).map_err(|_| wrong())?;
        if now - place.at > TIMEOUT_S * 1_000_000 {
            return Err(Error::expired_cursor(
                "this cursor has timed out; start again with an empty cursor",
            ));
        }
        Ok(place)
    }
}

fn signed(body: &[u8], query: &str) -> Vec<u8> {
    let mut message = Vec::with_capacity(body.len() + query.len() + 1);
    message.extend_from_slice(query.as_bytes());
    message.push(0);
    message.extend_from_slice(body);
    message
}

#[cfg(test)]
mod tests {
    use super::*;
    use portreeve_scim::ErrorKind;

    fn place() -> Place {
        Place {
            key: Some(Key::Text("ann~é".into())),
            id: "0190".into(),
            total: Some(7),
            count: 2,
            at: 1_000,
        }
    }

    #[test]
    fn a_cursor_comes_back_only_for_its_own_query_in_time() {
        let cursors = Cursors::new(&[7; 32]);
        let sealed = cursors.seal(&place(), "dir1 Users");
        assert!(
            sealed
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || "-._~".contains(c))
        );
        assert_eq!(cursors.open(&sealed, "dir1 Users", 2_000), Ok(place()));
        let kind = |result: Result<Place, Error>| result.map_err(|error| error.kind);
        let late = 1_000 + TIMEOUT_S * 1_000_000 + 1;
        let altered = format!("x{sealed}");
        for (name, cursor, query, now, expect) in [
            (
                "another query",
                sealed.as_str(),
                "dir2 Users",
                2_000,
                ErrorKind::InvalidCursor,
            ),
            (
                "altered",
                &altered,
                "dir1 Users",
                2_000,
                ErrorKind::InvalidCursor,
            ),
            (
                "made up",
                "abc",
                "dir1 Users",
                2_000,
                ErrorKind::InvalidCursor,
            ),
            (
                "too late",
                &sealed,
                "dir1 Users",
                late,
                ErrorKind::ExpiredCursor,
            ),
        ] {
            assert_eq!(
                kind(cursors.open(cursor, query, now)),
                Err(expect),
                "{name}"
            );
        }
        assert_eq!(
            kind(Cursors::new(&[8; 32]).open(&sealed, "dir1 Users", 2_000)),
            Err(ErrorKind::InvalidCursor)
        );
    }
}
