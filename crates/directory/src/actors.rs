//! Who events name, for people: events keep ids, because names change.

use crate::events::Event;
use crate::{
    Refusal, api_tokens, directories, hosts, owners, service_accounts, users, visit_devices,
};
use portreeve_store::Tx;
use std::collections::HashMap;

/// The names of those who caused some events.
#[derive(Debug, Default)]
pub struct Actors(HashMap<(String, String), String>);

impl Actors {
    /// Looks up everybody who caused one of the events, each once.
    pub fn of(tx: &mut Tx<'_>, team_id: &str, events: &[Event]) -> Result<Self, Refusal> {
        let mut known = HashMap::new();
        for event in events {
            let key = key(event);
            if known.contains_key(&key) {
                continue;
            }
            if let Some(name) = name(tx, team_id, event)? {
                known.insert(key, name);
            }
        }
        Ok(Self(known))
    }

    /// Who caused an event, for people. Somebody who is gone is said by kind.
    pub fn name(&self, event: &Event) -> String {
        match self.0.get(&key(event)) {
            Some(name) => name.clone(),
            None => match event.actor_kind.as_str() {
                "local" => "Administrator of the server",
                "system" => "Portreeve",
                "anonymous" => "Somebody unknown",
                "token" => "A removed directory",
                "service" => "A removed service account",
                "owner" => "A removed local owner",
                "host" => "A removed host",
                "device" => "A removed device",
                "visitor" => "A visitor, by their badge",
                _ => "A removed user",
            }
            .to_owned(),
        }
    }
}

/// A provider is named by its directory, whichever of its tokens it used.
fn key(event: &Event) -> (String, String) {
    let id = match event.actor_kind.as_str() {
        "token" => &event.directory_id,
        _ => &event.actor_id,
    };
    (event.actor_kind.clone(), id.clone().unwrap_or_default())
}

fn name(tx: &mut Tx<'_>, team_id: &str, event: &Event) -> Result<Option<String>, Refusal> {
    let (kind, id) = key(event);
    let found = match kind.as_str() {
        "token" => directories::find_in(tx, team_id, &id).map(|directory| directory.name),
        "owner" => owners::by_id(tx, team_id, &id).map(|owner| owner.name),
        "service" => service_accounts::by_id(tx, team_id, &id).map(|account| account.name),
        "host" => hosts::by_id(tx, team_id, &id).map(|host| host.name),
        "device" => visit_devices::by_id(tx, team_id, &id).map(|device| device.name),
        "api_token" => api_tokens::by_id(tx, team_id, &id).map(|token| token.name),
        "user" => return user(tx, team_id, &id),
        _ => return Ok(None),
    };
    match found {
        Ok(name) => Ok(Some(name)),
        Err(Refusal::NotFound(..)) => Ok(None),
        Err(refusal) => Err(refusal),
    }
}

/// A user's id does not say in which directory of the team it is.
fn user(tx: &mut Tx<'_>, team_id: &str, id: &str) -> Result<Option<String>, Refusal> {
    for directory in directories::list(tx)? {
        if directory.team_id != team_id {
            continue;
        }
        match users::by_id(tx, &directory.id, id) {
            Ok(user) => return Ok(Some(user.name()?)),
            Err(Refusal::NotFound(..)) => {}
            Err(refusal) => return Err(refusal),
        }
    }
    Ok(None)
}
