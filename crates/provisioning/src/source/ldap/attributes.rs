//! Attributes of entries, in the directory's names and in those of Microsoft Entra ID.
//!
//! | Entra's name | people | groups |
//! |---|---|---|
//! | `objectId` | the key | the key |
//! | `userPrincipalName` | itself, `eduPersonPrincipalName`, `mail` | |
//! | `displayName` | itself, `cn` | itself, `cn` |
//! | `surname` | `sn` | |
//! | `mailNickname` | itself, `sAMAccountName`, `uid` | itself, `sAMAccountName`, `cn` |
//! | `jobTitle` | `title` | |
//! | `department` | itself, `departmentNumber` | |
//! | `companyName` | `company`, `o` | |
//! | `employeeId` | itself, `employeeNumber` | |
//! | `streetAddress` | itself, `street` | |
//! | `city`, `state`, `country` | `l`, `st`, `co` or `c` | |
//! | `accountEnabled` | false where bit 2 of `userAccountControl` is set, `nsAccountLock` is true or `pwdAccountLockedTime` locks for good; true where `userAccountControl` says otherwise | |
//! | `manager` | the key of the entry it names | |
//!
//! The first of several that has a value counts. `givenName`, `mail`, `telephoneNumber`, `mobile`,
//! `facsimileTelephoneNumber`, `physicalDeliveryOfficeName`, `postalCode`, `preferredLanguage`, `proxyAddresses` and
//! `description` have the same name in both. Binary values are base64, except `objectGUID` and `objectSid`.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value};

use super::LdapSettings;
use super::entry::{Entry, base_name};
use crate::source::{Kind, Object};

/// Entra's names, and the directory's that stand for them.
const USER_NAMES: [(&str, &[&str]); 12] = [
    (
        "userPrincipalName",
        &["userPrincipalName", "eduPersonPrincipalName", "mail"],
    ),
    ("displayName", &["displayName", "cn"]),
    ("surname", &["sn"]),
    ("mailNickname", &["mailNickname", "sAMAccountName", "uid"]),
    ("jobTitle", &["title"]),
    ("department", &["department", "departmentNumber"]),
    ("companyName", &["company", "o"]),
    ("employeeId", &["employeeID", "employeeNumber"]),
    ("streetAddress", &["streetAddress", "street"]),
    ("city", &["l"]),
    ("state", &["st"]),
    ("country", &["co", "c"]),
];

const GROUP_NAMES: [(&str, &[&str]); 2] = [
    ("displayName", &["displayName", "cn"]),
    ("mailNickname", &["mailNickname", "sAMAccountName", "cn"]),
];

/// What says that an account is disabled; the latter two are operational and must be asked for by name.
const ENABLING: [&str; 3] = [
    "userAccountControl",
    "nsAccountLock",
    "pwdAccountLockedTime",
];

/// Never read.
const PASSWORDS: [&str; 8] = [
    "userPassword",
    "unicodePwd",
    "dBCSPwd",
    "ntPwdHistory",
    "lmPwdHistory",
    "supplementalCredentials",
    "sambaNTPassword",
    "krbPrincipalKey",
];

/// Members are told apart from attributes, and stamps are no property of a person.
const APART: [&str; 7] = [
    "member",
    "uniqueMember",
    "memberUid",
    "entryCSN",
    "modifyTimestamp",
    "uSNChanged",
    "whenChanged",
];

/// Attributes whose 16 bytes are a GUID, with the first three numbers little-endian ([MS-DTYP] section 2.3.4.2).
const GUIDS: [&str; 3] = ["objectGUID", "mS-DS-ConsistencyGuid", "invocationId"];

/// Bit 2 of `userAccountControl`: the account is disabled ([MS-ADTS] section 2.2.16).
const ACCOUNT_DISABLED: u32 = 2;

/// An OpenLDAP account that is locked until somebody unlocks it has this as the time of locking.
const LOCKED_FOR_GOOD: &str = "000001010000Z";

/// What to ask the server for.
pub(super) fn wanted(kind: Kind, settings: &LdapSettings, key: &str) -> Vec<String> {
    let mut names: Vec<&str> = settings.attributes.iter().map(String::as_str).collect();
    if names.is_empty() {
        names.push("*");
    } else {
        names.push("objectClass");
        names.extend(table(kind).iter().flat_map(|(_, originals)| *originals));
        match kind {
            Kind::User => names.push("manager"),
            Kind::Group => names.extend(settings.membership.iter().map(String::as_str)),
        }
    }
    if kind == Kind::User {
        names.extend(ENABLING);
        names.extend(
            settings
                .membership
                .iter()
                .filter(|name| super::is_member_of(name))
                .map(String::as_str),
        );
    }
    names.extend(["entryCSN", "modifyTimestamp", "uSNChanged", key]);
    names.into_iter().map(str::to_owned).collect()
}

/// The directory's names for one that may be Entra's.
pub(super) fn originals(kind: Kind, name: &str) -> Vec<&str> {
    let aliased = table(kind)
        .iter()
        .find(|(alias, _)| alias.eq_ignore_ascii_case(name));
    match aliased {
        Some((_, originals)) => originals.to_vec(),
        None => vec![name],
    }
}

/// An entry as the engine sees it. `manager` is the key of the manager.
pub(super) fn object(kind: Kind, key: String, entry: &Entry, manager: Option<String>) -> Object {
    let mut attributes = Map::new();
    for (name, values) in &entry.attributes {
        let base = base_name(name);
        let among = |list: &[&str]| list.iter().any(|other| other.eq_ignore_ascii_case(base));
        if !among(&PASSWORDS) && !among(&APART) && !values.is_empty() {
            attributes.insert(name.clone(), value(base, values));
        }
    }
    for (alias, originals) in table(kind) {
        let first = originals.iter().find_map(|name| entry.values(name).next());
        if let Some(first) = first
            && !attributes
                .keys()
                .any(|name| name.eq_ignore_ascii_case(alias))
        {
            attributes.insert((*alias).to_owned(), Value::from(text(alias, first)));
        }
    }
    attributes.retain(|name, _| !name.eq_ignore_ascii_case("manager"));
    if let Some(manager) = manager {
        attributes.insert("manager".to_owned(), manager.into());
    }
    if let Some(enabled) = enabled(entry) {
        attributes.insert("accountEnabled".to_owned(), enabled.into());
    }
    attributes.insert("objectId".to_owned(), key.clone().into());
    Object {
        kind,
        key,
        attributes,
    }
}

fn table(kind: Kind) -> &'static [(&'static str, &'static [&'static str])] {
    match kind {
        Kind::User => &USER_NAMES,
        Kind::Group => &GROUP_NAMES,
    }
}

fn enabled(entry: &Entry) -> Option<bool> {
    let control = entry
        .text("userAccountControl")
        .and_then(|text| text.parse::<i64>().ok());
    let locked = entry
        .text("nsAccountLock")
        .is_some_and(|text| text.eq_ignore_ascii_case("true"))
        || entry.text("pwdAccountLockedTime") == Some(LOCKED_FOR_GOOD);
    if locked {
        return Some(false);
    }
    control.map(|control| control & i64::from(ACCOUNT_DISABLED) == 0)
}

/// One value, or a list in an order of its own: a directory's values are a set.
fn value(name: &str, values: &[Vec<u8>]) -> Value {
    if let [single] = values {
        return text(name, single).into();
    }
    let mut texts: Vec<String> = values.iter().map(|value| text(name, value)).collect();
    texts.sort_unstable();
    texts.into()
}

fn text(name: &str, value: &[u8]) -> String {
    if let Some(guid) = guid(name, value) {
        return guid;
    }
    if name.eq_ignore_ascii_case("objectSid")
        && let Some(sid) = sid(value)
    {
        return sid;
    }
    match std::str::from_utf8(value) {
        Ok(text) => text.to_owned(),
        Err(_) => STANDARD.encode(value),
    }
}

/// A binary GUID in the form people write it in; `None` if the attribute or the value is none.
pub(super) fn guid(name: &str, value: &[u8]) -> Option<String> {
    let is_guid = GUIDS.iter().any(|guid| guid.eq_ignore_ascii_case(name));
    let bytes: [u8; 16] = is_guid.then(|| value.try_into().ok()).flatten()?;
    Some(uuid::Uuid::from_bytes_le(bytes).to_string())
}

/// The bytes of a GUID as the server stores it: `None` if the attribute holds no GUIDs, `Some(None)` if the text is none.
pub(super) fn guid_bytes(name: &str, text: &str) -> Option<Option<[u8; 16]>> {
    let is_guid = GUIDS.iter().any(|guid| guid.eq_ignore_ascii_case(name));
    is_guid.then(|| Some(uuid::Uuid::parse_str(text).ok()?.to_bytes_le()))
}

/// A security identifier in the form people write it in ([MS-DTYP] section 2.4.2).
fn sid(value: &[u8]) -> Option<String> {
    let (head, rest) = value.split_first_chunk::<8>()?;
    let [revision, count, authority @ ..] = head;
    let authority = authority
        .iter()
        .fold(0_u64, |sum, byte| sum << 8 | u64::from(*byte));
    let (parts, []) = rest.as_chunks::<4>() else {
        return None;
    };
    if parts.len() != usize::from(*count) {
        return None;
    }
    let mut text = format!("S-{revision}-{authority}");
    for part in parts {
        text.push_str(&format!("-{}", u32::from_le_bytes(*part)));
    }
    Some(text)
}

#[cfg(test)]
mod tests;
