//! What a changed definition asks of the next cycle.

use serde_json::Value;

use crate::job::{Reset, ResetScope};

/// Settings that say which source and which target it is. In another one keys and links mean nothing.
const IDENTITY: [&str; 6] = [
    "/source/type",
    "/source/url",
    "/source/tenant",
    "/source/directory",
    "/source/key",
    "/target/url",
];

/// Members that change nothing about who is provisioned with what.
const INDIFFERENT: [&str; 7] = [
    "name",
    "target",
    "interval",
    "notify",
    "quarantine",
    "accidental_deletions",
    "drift",
];

/// What the next cycle has to begin anew for the difference between two definitions; `None` for nothing. Both are to be
/// spelt out ([`spell_out`](super::mappings::spell_out)), or a file of mappings may have changed unnoticed.
#[must_use]
pub fn consequence(before: &Value, now: &Value) -> Option<Reset> {
    let differs = |setting: &&str| before.pointer(setting) != now.pointer(setting);
    if IDENTITY.iter().any(differs) {
        let scopes = [
            ResetScope::Watermark,
            ResetScope::ConnectorDataStore,
            ResetScope::Escrows,
        ];
        return Some(scopes.into_iter().collect());
    }
    let weighs = |name: &str| !INDIFFERENT.contains(&name);
    let has = |one: &Value, other: &Value| {
        let members = one.as_object().into_iter().flatten();
        members
            .filter(|(name, _)| weighs(name))
            .all(|(name, value)| other.get(name).unwrap_or(&Value::Null) == value)
    };
    match has(before, now) && has(now, before) {
        true => None,
        false => Some([ResetScope::Watermark].into_iter().collect()),
    }
}
