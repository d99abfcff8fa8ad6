//! Members of a group: over ranges, and through groups in groups.

use std::collections::HashSet;

use super::connection::{Connection, Query};
use super::entry::{Entry, base_name};
use super::names::Names;
use super::server::Server;
use super::{Ldap, is_member_of};
use crate::source::{Error, Kind, Member};
use ldap3::ldap_escape;

/// Groups that are looked into for the members of one.
const NESTED: usize = 10_000;

/// Members that a group's entry names, on their way to keys.
pub(super) struct Named<'a> {
    source: &'a Ldap,
    /// Entries' names, or `uid`s, not yet resolved.
    waiting: Vec<(Reference, String)>,
    /// Groups that were looked into: a group that is a member of itself ends here.
    opened: HashSet<Box<str>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reference {
    Name,
    Uid,
}

impl<'a> Named<'a> {
    /// The members that a group's entry names.
    pub(super) async fn by(
        source: &'a Ldap,
        connection: &mut Connection,
        key: &str,
        entry: &Entry,
    ) -> Result<Self, Error> {
        let mut named = Self {
            source,
            waiting: Vec::new(),
            opened: HashSet::from([key.into()]),
        };
        named.open(connection, entry).await?;
        Ok(named)
    }

    /// The next member; names that are nobody's are passed over, nested groups opened where the settings say so.
    pub(super) async fn next(
        &mut self,
        connection: &mut Connection,
        server: &Server,
        names: &mut Names,
    ) -> Result<Option<Member>, Error> {
        while let Some((reference, text)) = self.waiting.pop() {
            let owner = match reference {
                Reference::Name => names.resolve(connection, server, &text).await?,
                Reference::Uid => {
                    let people = self.source.query(server, Kind::User, "");
                    names.resolve_uid(connection, server, people, &text).await?
                }
            };
            let Some(owner) = owner else {
                tracing::debug!(member = %text, "a member is not there, or may not be seen");
                continue;
            };
            let expand = self.source.settings.expand_nested_groups;
            let kind = match owner.kind {
                None if expand => kind_of(self.source, connection, server, &owner.key).await?,
                kind => kind,
            };
            if !expand || kind != Some(Kind::Group) {
                let key = owner.key.into_string();
                return Ok(Some(Member { kind, key }));
            }
            if self.opened.len() < NESTED && self.opened.insert(owner.key) {
                let query = Query {
                    base: text,
                    deep: false,
                    filter: "(objectClass=*)".to_owned(),
                    attributes: self.source.settings.membership.clone(),
                    deleted: false,
                };
                if let Some(entry) = connection.single(&query).await? {
                    self.open(connection, &entry).await?;
                }
            }
        }
        Ok(None)
    }

    async fn open(&mut self, connection: &mut Connection, entry: &Entry) -> Result<(), Error> {
        for attribute in &self.source.settings.membership {
            let reference = if attribute.eq_ignore_ascii_case("memberUid") {
                Reference::Uid
            } else {
                Reference::Name
            };
            let texts = entry.texts(attribute);
            self.waiting
                .extend(texts.map(|text| (reference, text.to_owned())));
            let mut from = rest(entry, attribute);
            while let Some(start) = from {
                let query = Query {
                    base: entry.dn.clone(),
                    deep: false,
                    filter: "(objectClass=*)".to_owned(),
                    attributes: vec![format!("{attribute};range={start}-*")],
                    deleted: false,
                };
                let Some(more) = connection.single(&query).await? else {
                    break;
                };
                let texts = more.texts(attribute);
                self.waiting
                    .extend(texts.map(|text| (reference, text.to_owned())));
                // A server that does not get on would be asked for ever.
                from = rest(&more, attribute).filter(|next| *next > start);
            }
        }
        Ok(())
    }
}

/// Up to `limit` members of the group with this key, for provisioning on demand.
pub(super) async fn of_group(
    source: &Ldap,
    connection: &mut Connection,
    server: &Server,
    key: &str,
    limit: usize,
) -> Result<Vec<Member>, Error> {
    let Some(test) = server.key_test(key) else {
        return Ok(Vec::new());
    };
    let query = source.query(server, Kind::Group, &test);
    let (groups, _) = connection.first_page(&query).await?;
    let Some(group) = groups.first() else {
        return Ok(Vec::new());
    };
    let mut members = Vec::new();
    if let [attribute] = source.settings.membership.as_slice()
        && is_member_of(attribute)
    {
        let test = format!("({attribute}={})", ldap_escape(group.dn.as_str()));
        let query = source.query(server, Kind::User, &test);
        let (people, _) = connection.first_page(&query).await?;
        let keys = people.iter().filter_map(|person| server.key_of(person));
        members.extend(keys.take(limit).map(|key| Member {
            kind: Some(Kind::User),
            key,
        }));
        return Ok(members);
    }
    let mut names = Names::default();
    let mut named = Named::by(source, connection, key, group).await?;
    while members.len() < limit
        && let Some(mut member) = named.next(connection, server, &mut names).await?
    {
        if member.kind.is_none() {
            member.kind = kind_of(source, connection, server, &member.key).await?;
        }
        members.push(member);
    }
    Ok(members)
}

async fn kind_of(
    source: &Ldap,
    connection: &mut Connection,
    server: &Server,
    key: &str,
) -> Result<Option<Kind>, Error> {
    for kind in [Kind::User, Kind::Group] {
        let test = server.key_test(key).unwrap_or_default();
        let mut query = source.query(server, kind, &test);
        query.attributes = vec![server.key.clone()];
        if !connection.first_page(&query).await?.0.is_empty() {
            return Ok(Some(kind));
        }
    }
    Ok(None)
}

/// Where the values of an attribute go on that the server gave only a part of ([MS-ADTS] section 3.1.1.3.1.3.3):
/// `member;range=0-1499` goes on at 1500, `member;range=1500-*` is the end.
fn rest(entry: &Entry, attribute: &str) -> Option<u64> {
    let name = entry.attributes.iter().map(|(name, _)| name.as_str());
    name.filter(|name| base_name(name).eq_ignore_ascii_case(attribute))
        .find_map(|name| {
            let option = name.split(';').skip(1).find_map(|option| {
                let (word, range) = option.split_once('=')?;
                word.eq_ignore_ascii_case("range").then_some(range)
            })?;
            option
                .split_once('-')?
                .1
                .parse::<u64>()
                .ok()?
                .checked_add(1)
        })
}
