//! The policy of a host: a document, made from rows and signed by the key that also signs certificates of people.

use crate::app::App;
use crate::ca::{Error, Keyring};
use aws_lc_rs::digest::{Context, SHA256};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use portreeve_directory::Refusal;
use portreeve_directory::access::moment;
use portreeve_directory::host_accounts::HostAccount;
use portreeve_directory::host_policies::{self, Issued, Material, PEOPLE, Rules, SUDO, State};
use portreeve_host_policy::document::{FORMAT, full_name, principal_of};
use portreeve_host_policy::{
    Access, Account, Document, Envelope, Group, Host, Ids, MAX_ACCOUNTS, NAMESPACE, Principal,
    Shared,
};
use portreeve_store::{Scope, Tx};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// A document is made anew when so much of its lease has passed, so that a host that asks has nearly all of it left.
const FRESH: i64 = 24;

/// How often a document is made again because something has changed in the meantime.
const TRIES: usize = 5;

const SECOND: i64 = 1_000_000;

/// What a host is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Policy {
    /// Rises with every change, and when the lease begins anew.
    pub(crate) version: u64,
    /// The document and its signature, as JSON.
    pub(crate) envelope: String,
    /// Until when the host goes by it without hearing of us (microseconds since 1970 UTC); `None`: for ever.
    pub(crate) lease_until: Option<i64>,
}

/// The policy of a host as it is now. It is made where something has changed since it was made last, or a part of its lease
/// has passed. `None`: whom it is about is not worked out yet; the follower of the team does that.
///
/// # Errors
/// There is no such host, or the key that signs cannot be used.
pub(crate) async fn current(
    app: &App,
    team_id: &str,
    host_id: &str,
) -> Result<Option<Arc<Policy>>, Error> {
    for _ in 0..TRIES {
        let (team, host) = (team_id.to_owned(), host_id.to_owned());
        let state = app
            .store
            .lookup(move |tx| host_policies::state(tx, &team, &host));
        let state: Result<Option<State>, Refusal> = state.await;
        let (state, now) = (state?, app.clock.now());
        // Thousands may ask at once that wait for it.
        if state.as_ref().is_some_and(State::is_new) {
            return Ok(None);
        }
        if let Some(policy) = state.and_then(|state| still(state, now)) {
            return Ok(Some(Arc::new(policy)));
        }
        let material = material(app, team_id, host_id).await?;
        if material.state.is_new() {
            return Ok(None);
        }
        let Some(keyring) = keyring(app, team_id, &material).await? else {
            continue;
        };
        if let Some(policy) = issue(app, (team_id, host_id), &material, &keyring, now).await? {
            return Ok(Some(Arc::new(policy)));
        }
    }
    Err(Error::Failed(Refusal::Store(
        portreeve_store::Error::Busy {
            waited: std::time::Duration::ZERO,
        },
    )))
}

/// A hash of what all documents of a team have in common besides the rules: the keys.
pub(crate) fn common(keyring: &Keyring) -> String {
    let mut hash = Context::new(&SHA256);
    for keys in [&keyring.trusted_user, &keyring.trusted_host] {
        for key in keys {
            hash.update(&key.len().to_be_bytes());
            hash.update(key);
        }
        hash.update(&usize::MAX.to_be_bytes());
    }
    URL_SAFE_NO_PAD.encode(hash.finish())
}

/// What the document is made of; the host has a policy from then on.
async fn material(app: &App, team_id: &str, host_id: &str) -> Result<Material, Error> {
    let (team, host) = (team_id.to_owned(), host_id.to_owned());
    let read = app
        .store
        .read(move |tx| host_policies::material(tx, &team, &host));
    let found: Result<Option<Material>, Refusal> = read.await;
    if let Some(material) = found? {
        return Ok(material);
    }
    let (team, host) = (team_id.to_owned(), host_id.to_owned());
    let begin = app.write(Scope::of(team_id), move |tx| {
        host_policies::begin_host(tx, &team, &host)?;
        host_policies::material(tx, &team, &host)
    });
    let material = begin.await?;
    Ok(material.ok_or_else(|| {
        let what = portreeve_directory::What::Host;
        Refusal::NotFound(what, host_id.to_owned())
    })?)
}

/// The document that was made last, if it still says what is so and has enough of its lease left.
fn still(state: State, now: i64) -> Option<Policy> {
    let age = now.abs_diff(state.issued_at?);
    let is_fresh = match state.lease {
        Some(lease) => age < (lease * SECOND / FRESH).unsigned_abs(),
        None => true,
    };
    (state.version == state.issued_version && is_fresh).then_some(())?;
    Some(Policy {
        version: state.version.unsigned_abs(),
        envelope: state.envelope?,
        lease_until: state.lease_until,
    })
}

/// The keys, if all documents of the team say them. Where they have changed, all hosts get another version first.
async fn keyring(
    app: &App,
    team_id: &str,
    material: &Material,
) -> Result<Option<Arc<Keyring>>, Error> {
    let ring = app.keyring(team_id).await?;
    if common(&ring) == material.common {
        return Ok(Some(ring));
    }
    // Another server may have changed them a moment ago.
    app.forget_keyring(team_id);
    let hash = common(&*app.keyring(team_id).await?);
    set_common(app, team_id, hash).await?;
    Ok(None)
}

/// Says what all documents of a team have in common, so that hosts that wait hear of it.
pub(crate) async fn set_common(app: &App, team_id: &str, hash: String) -> Result<(), Refusal> {
    let team = team_id.to_owned();
    let set = move |tx: &mut Tx<'_>| host_policies::set_common(tx, &team, &hash);
    app.write(Scope::of(team_id), set).await
}

/// Makes, signs and keeps a document; `None`: something has changed in the meantime.
async fn issue(
    app: &App,
    (team_id, host_id): (&str, &str),
    material: &Material,
    keyring: &Keyring,
    now: i64,
) -> Result<Option<Policy>, Error> {
    let state = material.state.clone();
    let version = match state.issued_version < state.version {
        true => state.version,
        false => state.version + 1,
    };
    let lease_until = state.lease.map(|lease| now + lease * SECOND);
    let document = Document {
        lease_until: lease_until.map(moment),
        user_keys: Keyring::lines(&keyring.trusted_user, "portreeve"),
        host_keys: Keyring::lines(&keyring.trusted_host, "portreeve"),
        ..document((team_id, host_id), version, now, material)
    };
    let key = keyring.user()?.clone();
    let successors = keyring.successors();
    let signing = tokio::task::spawn_blocking(move || {
        let bytes = document.to_bytes();
        let signature = key.authority.sign_file(NAMESPACE, &bytes)?;
        let document = String::from_utf8(bytes).map_err(Error::keys)?;
        let envelope = Envelope {
            document,
            signature,
            successors,
        };
        String::from_utf8(envelope.to_bytes()).map_err(Error::keys)
    });
    let issued = Issued {
        version,
        envelope: signing.await.map_err(Error::keys)??,
        at: now,
        lease_until,
    };
    let policy = Policy {
        version: version.unsigned_abs(),
        envelope: issued.envelope.clone(),
        lease_until,
    };
    let (team, host) = (team_id.to_owned(), host_id.to_owned());
    let write = app.store.write(Scope::of(team_id), move |tx| {
        host_policies::issued(tx, &team, &host, &state, &issued)
    });
    let is_written: Result<bool, Refusal> = write.await;
    Ok(is_written?.then_some(policy))
}

/// What a document says, without its lease and its keys.
fn document(
    (team_id, host_id): (&str, &str),
    version: i64,
    now: i64,
    material: &Material,
) -> Document {
    let rules = &material.rules;
    let accounts = accounts(&material.accounts, rules);
    let named: BTreeSet<&String> = accounts
        .iter()
        .filter_map(|account| account.access.as_ref())
        .flat_map(|access| &access.groups)
        .collect();
    let groups = material.groups.iter();
    let groups = groups.filter(|(name, _)| named.contains(name));
    let lowest = accounts.iter().map(|account| account.gid).min();
    Document {
        format: FORMAT,
        team: team_id.to_owned(),
        host: Host {
            id: host_id.to_owned(),
            name: material.host_name.clone(),
        },
        version: version.unsigned_abs(),
        issued_at: moment(now),
        lease_until: None,
        rules: portreeve_host_policy::Rules {
            ids: Ids {
                // People may be in groups of their own that a provider has numbered.
                first: lowest.map_or(rules.ids.0, |lowest| lowest.min(rules.ids.0)),
                last: rules.ids.1,
            },
            home_prefix: rules.settings.home_prefix.clone(),
            shell: rules.settings.shell.clone(),
            end_sessions: rules.settings.end_sessions,
            people: group(PEOPLE, rules.people_gid),
            sudo: group(SUDO, rules.sudo_gid),
        },
        groups: groups.map(|(name, gid)| group(name, *gid)).collect(),
        shared: shared(&material.accounts),
        accounts,
        user_keys: Vec::new(),
        host_keys: Vec::new(),
    }
}

fn group(name: &str, gid: u32) -> Group {
    Group {
        name: name.to_owned(),
        gid,
    }
}

/// The accounts that are made on the host, by name. Whoever has left gives way to whoever has the name or the number now,
/// as somebody does who comes from another directory.
fn accounts(rows: &[HostAccount], rules: &Rules) -> Vec<Account> {
    let mut rows: Vec<&HostAccount> = rows.iter().filter(|row| row.own.is_some()).collect();
    rows.sort_by_key(|row| {
        let has_it = row.is_active && !row.is_shared;
        (!has_it, Reverse(row.denied_at), row.holder.id())
    });
    let (mut names, mut numbers) = (BTreeSet::new(), BTreeSet::new());
    let mut accounts = Vec::with_capacity(rows.len());
    for row in rows {
        let Some(own) = &row.own else { continue };
        if names.contains(&own.name) || numbers.contains(&own.uid) {
            continue;
        }
        names.insert(&own.name);
        numbers.insert(own.uid);
        accounts.push(Account {
            id: row.holder.id().to_owned(),
            name: own.name.clone(),
            full_name: full_name(&row.full_name),
            uid: own.uid,
            gid: own.gid,
            home: format!("{}/{}", rules.settings.home_prefix, own.home),
            shell: rules.settings.shell.clone(),
            access: (row.is_active && !row.is_shared).then(|| Access {
                until: row.until_at.map(moment),
                sudo: row.sudo,
                groups: row.posix_groups.clone(),
            }),
        });
    }
    if accounts.len() > MAX_ACCOUNTS {
        let count = accounts.len();
        tracing::warn!(
            count,
            "a host has more accounts than it takes; who left first is left out"
        );
        accounts.truncate(MAX_ACCOUNTS);
    }
    accounts.sort_by(|a, b| a.name.cmp(&b.name));
    accounts
}

/// The host's own accounts that people log in to, by name.
fn shared(rows: &[HostAccount]) -> Vec<Shared> {
    let mut shared: BTreeMap<&str, Vec<Principal>> = BTreeMap::new();
    for row in rows.iter().filter(|row| row.is_active) {
        let principal = |until_at: Option<i64>| Principal {
            id: principal_of(row.holder.id()),
            until: until_at.map(moment),
        };
        if row.is_shared {
            let those = shared.entry(&row.account).or_default();
            those.push(principal(row.until_at));
        }
        for extra in &row.principals {
            let those = shared.entry(&extra.name).or_default();
            those.push(principal(extra.until_at));
        }
    }
    shared
        .into_iter()
        .map(|(account, mut principals)| {
            principals.sort_by(|a, b| a.id.cmp(&b.id));
            Shared {
                account: account.to_owned(),
                principals,
            }
        })
        .collect()
}
