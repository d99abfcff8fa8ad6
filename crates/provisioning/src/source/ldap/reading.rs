//! Reading a directory into a survey.

use serde::{Deserialize, Serialize};

use super::connection::{Connection, Pages, Query};
use super::entry::Entry;
use super::members::Named;
use super::names::Names;
use super::server::Server;
use super::{Changes, Deletions, Ldap, attributes, is_member_of};
use crate::source::ledger::{Mark, Owner, Sighting, Survey, blocking, mark};
use crate::source::{Change, Error, Kind, Member, Place};
use ldap3::ldap_escape;

/// Changed entries that are fetched one by one; if there are more, all are read.
const SINGLE: usize = 1_000;

/// `modifyTimestamp` has whole seconds, and replicas take a moment: what changed within so many seconds before the
/// newest entry is compared once more.
const OVERLAP: i64 = 5;

/// What a ledger remembers of the server.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct Note {
    /// The domain controller, and how far it had come when the read began.
    invocation: Option<String>,
    highest: Option<u64>,
    /// The newest `modifyTimestamp`, in seconds since 1970.
    newest: Option<i64>,
}

/// Reads everything or what has changed, and gives back the name of the ledger with the changes.
pub(super) async fn survey(source: &Ldap, from: &Place) -> Result<String, Error> {
    let (lookups, server) = source.open().await?;
    let mut walker = Connection::open(source).await?;
    walker.paged = lookups.paged;
    let survey = {
        let (shelf, from, shape) = (source.shelf.clone(), from.clone(), source.shape.clone());
        let id = format!("{:016x}", source.surroundings.random());
        blocking(move || Survey::begin(&shelf, &from, &shape, id)).await?
    };
    let before = survey
        .note()
        .and_then(|note| serde_json::from_value(note.clone()).ok())
        .unwrap_or_default();
    let mut reading = Reading {
        source,
        server,
        walker,
        lookups,
        survey,
        names: Names::default(),
        before,
        newest: None,
    };
    reading.all().await?;
    let note = reading.note();
    let (survey, shape, owner) = (reading.survey, source.shape.clone(), source.owner());
    blocking(move || survey.finish(&shape, note, owner)).await
}

struct Reading<'a> {
    source: &'a Ldap,
    server: Server,
    /// For answers in pages, of which a server keeps one for each connection.
    walker: Connection,
    /// For everything that is asked in between.
    lookups: Connection,
    survey: Survey,
    names: Names,
    before: Note,
    newest: Option<i64>,
}

/// Which entries of a kind must be looked at.
#[derive(Default)]
struct Fetch {
    all: bool,
    dns: Vec<String>,
}

impl Fetch {
    fn add(&mut self, dn: &str) {
        if self.dns.len() >= SINGLE {
            self.all = true;
        } else if !self.all && !self.dns.iter().any(|known| known == dn) {
            self.dns.push(dn.to_owned());
        }
    }
}

/// What is to be done in a read.
#[derive(Default)]
struct Plan {
    users: Fetch,
    groups: Fetch,
    /// Entries that were not there before: groups and people may have named them all along.
    new: Fetch,
}

impl Plan {
    fn fetch(&mut self, kind: Kind) -> &mut Fetch {
        match kind {
            Kind::User => &mut self.users,
            Kind::Group => &mut self.groups,
        }
    }
}

impl Reading<'_> {
    async fn all(&mut self) -> Result<(), Error> {
        let mut plan = Plan::default();
        if let Some(above) = self.updates_above() {
            self.updated(above, &mut plan).await?;
            self.deleted(above).await?;
        } else {
            for kind in [Kind::User, Kind::Group] {
                self.list(kind, &mut plan).await?;
            }
            self.refuse_shrunk()?;
        }
        self.add_referring(&mut plan).await?;
        // What happens to a group happens to every group around it.
        let fewer = self.survey.seen().groups < self.survey.before().groups;
        plan.groups.all |=
            self.source.settings.expand_nested_groups && (!plan.groups.dns.is_empty() || fewer);
        for kind in [Kind::User, Kind::Group] {
            if plan.fetch(kind).all {
                self.walk(kind).await?;
                continue;
            }
            for dn in std::mem::take(&mut plan.fetch(kind).dns) {
                self.visit(kind, dn).await?;
            }
        }
        Ok(())
    }

    fn note(&self) -> serde_json::Value {
        let sequence = self.server.sequence.as_ref();
        let note = Note {
            invocation: sequence.map(|sequence| sequence.invocation.clone()),
            highest: sequence.map(|sequence| sequence.highest),
            newest: self.newest.max(self.before.newest),
        };
        serde_json::to_value(note).unwrap_or_default()
    }

    /// The update sequence number above which entries are asked for, where a listing can be spared.
    fn updates_above(&self) -> Option<u64> {
        let settings = &self.source.settings;
        let now = self.server.sequence.as_ref()?;
        let spared = settings.deletions == Deletions::DeletedObjects
            && self.server.shows_deleted
            && settings.changes == Changes::Stamps
            && self.source.owner() == Owner::Group
            && self.before.invocation.as_ref() == Some(&now.invocation);
        spared.then_some(self.before.highest).flatten()
    }

    /// Lists keys and stamps of a kind.
    async fn list(&mut self, kind: Kind, plan: &mut Plan) -> Result<(), Error> {
        let mut query = self.source.query(&self.server, kind, "");
        query.attributes = vec![self.server.key.clone()];
        let stamps = self.server.stamp_attributes().iter();
        query.attributes.extend(stamps.map(|&name| name.to_owned()));
        let by_people = kind == Kind::User && self.source.owner() == Owner::Member;
        plan.fetch(kind).all = by_people || self.source.settings.changes == Changes::Compare;
        let mut pages = Pages::new(query);
        while let Some(entries) = pages.next(&mut self.walker).await? {
            for entry in &entries {
                self.listed(kind, entry, plan)?;
            }
        }
        Ok(())
    }

    fn listed(&mut self, kind: Kind, entry: &Entry, plan: &mut Plan) -> Result<(), Error> {
        let Some(key) = self.server.key_of(entry) else {
            return self.keyless(kind, entry);
        };
        self.names.learn(&entry.dn, &key, kind);
        let stamp = self.server.stamp(entry);
        match self.survey.mark(kind, &key) {
            Some(known) => {
                let recent = self.is_recent(entry);
                if stamp == 0 || stamp != known.stamp || recent {
                    self.survey.keep(kind, &key);
                    plan.fetch(kind).add(&entry.dn);
                } else {
                    self.survey.hold(kind, &key);
                }
            }
            None => {
                plan.fetch(kind).add(&entry.dn);
                plan.new.add(&entry.dn);
            }
        }
        Ok(())
    }

    /// Entries changed since an update sequence number of this very domain controller.
    async fn updated(&mut self, above: u64, plan: &mut Plan) -> Result<(), Error> {
        let unseen = self.survey.unseen();
        unseen.keep_users = true;
        unseen.keep_groups = true;
        for kind in [Kind::User, Kind::Group] {
            let test = format!("(uSNChanged>={})", above.saturating_add(1));
            let mut query = self.source.query(&self.server, kind, &test);
            query.attributes = vec![self.server.key.clone()];
            let mut pages = Pages::new(query);
            while let Some(entries) = pages.next(&mut self.walker).await? {
                for entry in &entries {
                    let Some(key) = self.server.key_of(entry) else {
                        self.keyless(kind, entry)?;
                        continue;
                    };
                    self.names.learn(&entry.dn, &key, kind);
                    plan.fetch(kind).add(&entry.dn);
                    if self.survey.mark(kind, &key).is_none() {
                        plan.new.add(&entry.dn);
                    }
                }
            }
        }
        Ok(())
    }

    /// Entries deleted since then ([MS-ADTS] section 3.1.1.5.5).
    async fn deleted(&mut self, above: u64) -> Result<(), Error> {
        let query = Query {
            base: self.source.settings.base.clone(),
            deep: true,
            filter: format!(
                "(&(isDeleted=TRUE)(uSNChanged>={}))",
                above.saturating_add(1)
            ),
            attributes: vec![self.server.key.clone()],
            deleted: true,
        };
        let mut pages = Pages::new(query);
        while let Some(entries) = pages.next(&mut self.walker).await? {
            for key in entries.iter().filter_map(|entry| self.server.key_of(entry)) {
                self.survey.gone(Kind::User, &key);
                self.survey.gone(Kind::Group, &key);
            }
        }
        Ok(())
    }

    /// Groups and people that name an entry which was not there before: it may have come under an old name.
    async fn add_referring(&mut self, plan: &mut Plan) -> Result<(), Error> {
        if self.survey.note().is_none() || plan.new.all {
            let many = plan.new.all;
            plan.groups.all |= many;
            plan.users.all |= many;
            return Ok(());
        }
        let groups = &self.source.settings.membership;
        let groups: Vec<&str> = groups
            .iter()
            .filter(|name| !is_member_of(name) && !name.eq_ignore_ascii_case("memberUid"))
            .map(String::as_str)
            .collect();
        for dn in std::mem::take(&mut plan.new.dns) {
            for (kind, names) in [(Kind::User, ["manager"].as_slice()), (Kind::Group, &groups)] {
                if plan.fetch(kind).all || names.is_empty() {
                    continue;
                }
                let value = ldap_escape(dn.as_str());
                let tests: String = names
                    .iter()
                    .map(|name| format!("({name}={value})"))
                    .collect();
                let mut query = self
                    .source
                    .query(&self.server, kind, &format!("(|{tests})"));
                query.attributes = vec![self.server.key.clone()];
                let mut pages = Pages::new(query);
                while let Some(entries) = pages.next(&mut self.walker).await? {
                    for entry in &entries {
                        plan.fetch(kind).add(&entry.dn);
                    }
                }
            }
        }
        Ok(())
    }

    /// Reads all entries of a kind.
    async fn walk(&mut self, kind: Kind) -> Result<(), Error> {
        let mut pages = Pages::new(self.source.query(&self.server, kind, ""));
        while let Some(entries) = pages.next(&mut self.walker).await? {
            for entry in &entries {
                self.take(kind, entry).await?;
            }
        }
        Ok(())
    }

    /// Reads one entry. One that has gone since it was listed is found to be gone by the next read.
    async fn visit(&mut self, kind: Kind, dn: String) -> Result<(), Error> {
        let query = Query {
            base: dn,
            deep: false,
            ..self.source.query(&self.server, kind, "")
        };
        if let Some(entry) = self.lookups.single(&query).await? {
            self.take(kind, &entry).await?;
        }
        Ok(())
    }

    async fn take(&mut self, kind: Kind, entry: &Entry) -> Result<(), Error> {
        let Some(key) = self.server.key_of(entry) else {
            // Told when it was listed.
            return Ok(());
        };
        self.newest = self.newest.max(modified(entry));
        if kind == Kind::User {
            for uid in entry.texts("uid") {
                self.names.learn_uid(uid, &key);
            }
        }
        let manager = self
            .names
            .manager(&mut self.lookups, &self.server, entry)
            .await?;
        let object = attributes::object(kind, key.clone(), entry, manager);
        let text = serde_json::to_vec(&object.attributes).unwrap_or_default();
        let mark = Mark {
            stamp: self.server.stamp(entry),
            content: mark([text.as_slice()]),
        };
        match self.survey.object(kind, &key, mark)? {
            Sighting::New | Sighting::Changed => self.survey.tell(&Change::Present(object))?,
            Sighting::Same => {}
            Sighting::Twice => return Ok(()),
        }
        match (kind, self.source.owner()) {
            (Kind::Group, Owner::Group) => self.members(&key, entry).await,
            (Kind::User, Owner::Member) => self.groups_of(&key, entry).await,
            _ => Ok(()),
        }
    }

    /// The members that a group names.
    async fn members(&mut self, group: &str, entry: &Entry) -> Result<(), Error> {
        let mut named = Named::by(self.source, &mut self.lookups, group, entry).await?;
        while let Some(mut member) = named
            .next(&mut self.lookups, &self.server, &mut self.names)
            .await?
        {
            if member.kind.is_none() {
                member.kind = self.survey.kind(&member.key);
            }
            self.survey.membership(group, member)?;
        }
        Ok(())
    }

    /// The groups that a person names; those the filter does not let through are none.
    async fn groups_of(&mut self, user: &str, entry: &Entry) -> Result<(), Error> {
        for attribute in &self.source.settings.membership {
            for dn in entry.texts(attribute) {
                let group = self
                    .names
                    .resolve(&mut self.lookups, &self.server, dn)
                    .await?;
                if let Some(group) = group.filter(|group| group.kind == Some(Kind::Group)) {
                    let member = Member {
                        kind: Some(Kind::User),
                        key: user.to_owned(),
                    };
                    self.survey.membership(&group.key, member)?;
                }
            }
        }
        Ok(())
    }

    /// An entry that does not show its key may be anybody: nobody of its kind is taken as gone.
    fn keyless(&mut self, kind: Kind, entry: &Entry) -> Result<(), Error> {
        match kind {
            Kind::User => self.survey.unseen().keep_users = true,
            Kind::Group => self.survey.unseen().keep_groups = true,
        }
        self.survey.tell(&Change::Unusable {
            place: entry.dn.clone(),
            reason: self.server.without_key(entry),
        })
    }

    /// A directory that suddenly shows little is taken as one whose rights or filters have changed by mistake.
    fn refuse_shrunk(&self) -> Result<(), Error> {
        let (before, now) = (self.survey.before(), self.survey.seen());
        let least = u64::from(self.source.settings.keep_at_least);
        for (what, before, now) in [
            ("people", before.users, now.users),
            ("groups", before.groups, now.groups),
        ] {
            if now * 100 < before * least {
                return Err(Error::Unusable(format!(
                    "it still shows {now} of the {before} {what} it showed; nobody is removed because of that. Look at the \
                     reader's rights, the base and the filters, or set keep_at_least = 0 for one run if it is right"
                )));
            }
        }
        Ok(())
    }

    /// Whether an entry's stamp leaves a change open that was made within the same second.
    fn is_recent(&self, entry: &Entry) -> bool {
        let coarse = entry.value("entryCSN").is_none();
        coarse
            && modified(entry).is_some_and(|changed| {
                self.before
                    .newest
                    .is_none_or(|newest| changed >= newest - OVERLAP)
            })
    }
}

/// `modifyTimestamp` (RFC 4512 section 3.4.2) in seconds since 1970.
fn modified(entry: &Entry) -> Option<i64> {
    let text = entry.text("modifyTimestamp")?;
    let digits: String = text.chars().take_while(char::is_ascii_digit).collect();
    let time = jiff::civil::DateTime::strptime("%Y%m%d%H%M%S", digits).ok()?;
    let zoned = time.to_zoned(jiff::tz::TimeZone::UTC).ok()?;
    Some(zoned.timestamp().as_second())
}
