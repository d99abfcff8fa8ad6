//! Reading files from one end to the other: into a survey, for their members, or just to see what is in them.

use super::guard::{name, refuse_shrunk};
use super::row::{Broken, Item, Row};
use super::{Files, Format, table};
use crate::source::ledger::{Mark, Shelf, Sighting, Survey};
use crate::source::{Change, Error, Kind, Member, Place};

/// Problems that a check names.
const NAMED: usize = 5;

/// Reads all files into a survey.
pub(super) fn survey(
    files: &Files,
    shelf: &Shelf,
    from: &Place,
    settings: &str,
    id: String,
) -> Result<Survey, Error> {
    let mut reading = Reading {
        survey: Survey::begin(shelf, from, settings, id)?,
        files,
    };
    reading.objects(Kind::User)?;
    reading.objects(Kind::Group)?;
    reading.refuse_shrunk_objects()?;
    reading.memberships()?;
    Ok(reading.survey)
}

/// Where something stands.
#[derive(Clone, Copy)]
enum At {
    Row(Kind, u64),
    Membership(u64),
}

/// A survey of files under way.
struct Reading<'a> {
    survey: Survey,
    files: &'a Files,
}

impl Reading<'_> {
    fn objects(&mut self, kind: Kind) -> Result<(), Error> {
        let files = self.files;
        files.each(kind, &mut |item| match item {
            Item::Row(row) => self.object(kind, &row),
            Item::Broken(broken) => self.broken(kind, broken),
        })
    }

    fn object(&mut self, kind: Kind, row: &Row<'_>) -> Result<(), Error> {
        let at = At::Row(kind, row.line);
        let mark = Mark {
            stamp: 0,
            content: row.mark,
        };
        // Whether the row can be used is asked before it counts as seen, so that a broken one is told until it is mended.
        let known = self.survey.mark(kind, row.key);
        let same = known.is_some_and(|known| known.content == row.mark);
        let object = match (!same).then(|| row.object(kind)).transpose() {
            Ok(object) => object,
            Err(reason) => {
                self.survey.keep(kind, row.key);
                return self.unusable(at, reason);
            }
        };
        match self.survey.object(kind, row.key, mark)? {
            Sighting::Twice => self.unusable(at, format!(
                "its key \"{}\" was used before; the first row with it counts. Give each row a key of its own",
                row.key
            )),
            Sighting::Same => Ok(()),
            Sighting::New | Sighting::Changed => match object {
                Some(object) => self.survey.tell(&Change::Present(object)),
                None => Ok(()),
            },
        }
    }

    /// A row that cannot be used is nobody's end: its own object stays as it was, and if nobody knows whose row it is,
    /// everybody stays.
    fn broken(&mut self, kind: Kind, broken: Broken) -> Result<(), Error> {
        match (&broken.key, kind) {
            (Some(key), _) => self.survey.keep(kind, key),
            (None, Kind::User) => self.survey.unseen().keep_users = true,
            (None, Kind::Group) => self.survey.unseen().keep_groups = true,
        }
        self.survey.unseen().keep_memberships |=
            self.files.members.is_some() && kind == Kind::Group;
        self.unusable(At::Row(kind, broken.line), broken.reason)
    }

    fn refuse_shrunk_objects(&self) -> Result<(), Error> {
        let (before, now) = (self.survey.before(), self.survey.seen());
        let least = self.files.keep_at_least;
        refuse_shrunk(&self.files.users, before.users, now.users, least)?;
        match &self.files.groups {
            Some(groups) => refuse_shrunk(groups, before.groups, now.groups, least),
            None => Ok(()),
        }
    }

    fn memberships(&mut self) -> Result<(), Error> {
        let files = self.files;
        if files.members.is_some() {
            files.each(Kind::Group, &mut |item| match item {
                Item::Row(row) => self.listed(&row),
                Item::Broken(_) => Ok(()),
            })?;
        }
        if let (Some(path), Format::Csv { delimiter, .. }) = (&files.memberships, &files.format) {
            table::pairs(path, *delimiter, &mut |line, pair| match pair {
                Ok((group, member)) => self.pair(line, group, member),
                Err(reason) => {
                    self.survey.unseen().keep_memberships = true;
                    self.unusable(At::Membership(line), reason)
                }
            })?;
            let (before, now) = (self.survey.before(), self.survey.seen());
            let least = files.keep_at_least;
            refuse_shrunk(path, before.memberships, now.memberships, least)?;
        }
        Ok(())
    }

    /// The members that a row of a group lists.
    fn listed(&mut self, row: &Row<'_>) -> Result<(), Error> {
        let at = At::Row(Kind::Group, row.line);
        match row.content.members() {
            Ok(members) => members
                .iter()
                .try_for_each(|member| self.membership(at, row.key, member)),
            Err(reason) => {
                self.survey.unseen().keep_memberships = true;
                self.unusable(at, reason)
            }
        }
    }

    /// A row of the table of memberships.
    fn pair(&mut self, line: u64, group: &str, member: &str) -> Result<(), Error> {
        let at = At::Membership(line);
        if self.survey.knows(Kind::Group, group) {
            return self.membership(at, group, member);
        }
        self.unusable(
            at,
            format!("there is no group \"{group}\"; correct the key, or add the group"),
        )
    }

    fn membership(&mut self, at: At, group: &str, member: &str) -> Result<(), Error> {
        let Some(kind) = self.survey.kind(member) else {
            return self.unusable(at, format!(
                "there is no user or group \"{member}\"; correct the key, or remove the membership"
            ));
        };
        let member = Member {
            kind: Some(kind),
            key: member.to_owned(),
        };
        self.survey.membership(group, member)
    }

    fn unusable(&mut self, at: At, reason: String) -> Result<(), Error> {
        let (path, line) = match at {
            At::Row(kind, line) => (self.files.path(kind), line),
            At::Membership(line) => (self.files.memberships.as_deref(), line),
        };
        let path = path.unwrap_or(&self.files.users);
        let place = format!("{} line {line}", name(path));
        self.survey.tell(&Change::Unusable { place, reason })
    }
}

impl Files {
    /// Up to `limit` members of a group, by what the files say now.
    pub(super) fn members_of(&self, group: &str, limit: usize) -> Result<Vec<Member>, Error> {
        let mut keys: Vec<String> = Vec::new();
        if self.members.is_some() {
            self.each(Kind::Group, &mut |item| {
                if let Item::Row(row) = item
                    && row.key == group
                {
                    keys.extend(row.content.members().unwrap_or_default());
                }
                Ok(())
            })?;
        }
        if let (Some(path), Format::Csv { delimiter, .. }) = (&self.memberships, &self.format) {
            table::pairs(path, *delimiter, &mut |_, pair| {
                if let Ok((of, member)) = pair
                    && of == group
                    && keys.len() < limit
                {
                    keys.push(member.to_owned());
                }
                Ok(())
            })?;
        }
        keys.truncate(limit);
        self.with_kinds(keys)
    }

    fn with_kinds(&self, keys: Vec<String>) -> Result<Vec<Member>, Error> {
        let mut members: Vec<Member> = keys
            .into_iter()
            .map(|key| Member { kind: None, key })
            .collect();
        for kind in [Kind::User, Kind::Group] {
            self.each(kind, &mut |item| {
                if let Item::Row(row) = item {
                    let named = members
                        .iter_mut()
                        .filter(|member| member.kind.is_none() && member.key == row.key);
                    named.for_each(|member| member.kind = Some(kind));
                }
                Ok(())
            })?;
        }
        Ok(members)
    }

    /// How much there is, and the first things that cannot be used.
    pub(super) fn census(&self) -> Result<String, Error> {
        let mut problems = Vec::new();
        let mut broken = 0_u64;
        let mut count = |kind| {
            let mut rows = 0_u64;
            self.each(kind, &mut |item| {
                let (line, problem) = match item {
                    Item::Row(row) => (row.line, row.object(kind).err()),
                    Item::Broken(broken) => (broken.line, Some(broken.reason)),
                };
                rows += u64::from(problem.is_none());
                broken += u64::from(problem.is_some());
                if let (Some(path), Some(problem)) = (self.path(kind), problem)
                    && problems.len() < NAMED
                {
                    problems.push(format!("{} line {line}: {problem}", name(path)));
                }
                Ok(())
            })?;
            Ok::<_, Error>(rows)
        };
        let (users, groups) = (count(Kind::User)?, count(Kind::Group)?);
        let mut said = format!("{users} users and {groups} groups can be used");
        if broken > 0 {
            said = format!("{said}; {broken} rows cannot: {}", problems.join("; "));
        }
        Ok(said)
    }
}
