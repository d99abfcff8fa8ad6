//! One read of a whole source, compared with the ledger of the last one.

use std::collections::HashSet;
use std::path::Path;

use serde_json::Value;

use super::index::{self, Reader, Record, Writer};
use super::last::{Fate, Known, Last};
use super::spool::Spool;
use super::{Counts, Fingerprint, Head, Shelf};
use crate::source::{Change, Error, Kind, Member, Place};

/// Members in one change.
const MEMBERS: usize = 1_000;

/// By what an object is known to be unchanged.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(in crate::source) struct Mark {
    /// What the source says about the time of the last change, if it does.
    pub(in crate::source) stamp: u64,
    /// Fingerprint of the attributes.
    pub(in crate::source) content: u64,
}

/// What a survey meets, compared with the last one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::source) enum Sighting {
    /// Not there last time.
    New,
    /// Its content is another.
    Changed,
    /// As it was.
    Same,
    /// Met before in this very survey.
    Twice,
}

/// Whose memberships are taken as unchanged when it is [held](Survey::hold).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::source) enum Owner {
    /// Groups name their members.
    Group,
    /// Members name their groups.
    Member,
}

/// What is done about things that a survey did not meet: they are gone, unless something could not be read that may have
/// been them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(in crate::source) struct Unseen {
    /// Users stay.
    pub(in crate::source) keep_users: bool,
    /// Groups stay.
    pub(in crate::source) keep_groups: bool,
    /// Memberships stay.
    pub(in crate::source) keep_memberships: bool,
}

/// A read under way.
pub(in crate::source) struct Survey {
    shelf: Shelf,
    id: String,
    since: Option<(String, Head)>,
    last: Last,
    /// What the last ledger does not hold.
    fresh: HashSet<Fingerprint>,
    seen: Counts,
    unseen: Unseen,
    altered: bool,
    index: Writer,
    spool: Spool,
    joining: Crowd,
}

impl Survey {
    /// Begins a read at `place`, which is everything or a watermark, in a ledger named `id`, by chance.
    pub(in crate::source) fn begin(
        shelf: &Shelf,
        place: &Place,
        settings: &str,
        mut id: String,
    ) -> Result<Self, Error> {
        let since = match (place, shelf.head(place, settings)?) {
            (Place::Since(last), Some(head)) => Some((last.clone(), head)),
            _ => None,
        };
        // The ledger that is compared with must not be the one that is written, whatever chance says.
        if since.as_ref().is_some_and(|(last, _)| *last == id) {
            id.push('0');
        }
        shelf.sweep(since.as_ref().map(|(id, _)| id.as_str()))?;
        let last = match &since {
            Some((last, head)) => Last::load(&shelf.index(last), head)
                .map_err(|cause| Error::Expired(format!("its ledger is damaged: {cause}")))?,
            None => Last::default(),
        };
        let (index, spool) = Writer::create(&shelf.index(&id))
            .and_then(|index| Ok((index, Spool::create(&shelf.spool(&id))?)))
            .map_err(|cause| shelf.broken(&cause))?;
        Ok(Self {
            shelf: shelf.clone(),
            id,
            since,
            last,
            fresh: HashSet::new(),
            seen: Counts::default(),
            unseen: Unseen::default(),
            altered: false,
            index,
            spool,
            joining: Crowd::new(Move::In),
        })
    }

    /// What the last survey remembered for itself.
    pub(in crate::source) fn note(&self) -> Option<&Value> {
        self.since.as_ref().map(|(_, head)| &head.note)
    }

    /// An object passes by.
    pub(in crate::source) fn object(
        &mut self,
        kind: Kind,
        key: &str,
        mark: Mark,
    ) -> Result<Sighting, Error> {
        let fingerprint = index::object(kind, key);
        if let Some(known) = self.last.object_mut(&fingerprint) {
            let before = std::mem::replace(&mut known.fate, Fate::Seen);
            if before == Fate::Seen {
                return Ok(Sighting::Twice);
            }
            let same = known.mark.content == mark.content;
            self.altered |= known.mark != mark;
            known.mark = mark;
            if before == Fate::Unseen {
                self.count(kind);
            }
            return Ok(if same {
                Sighting::Same
            } else {
                Sighting::Changed
            });
        }
        if !self.fresh.insert(fingerprint) {
            return Ok(Sighting::Twice);
        }
        self.altered = true;
        self.count(kind);
        self.index
            .object(kind, key, mark)
            .map_err(|cause| self.shelf.broken(&cause))?;
        Ok(Sighting::New)
    }

    /// The mark an object had last time, if it was there.
    pub(in crate::source) fn mark(&self, kind: Kind, key: &str) -> Option<Mark> {
        self.fate(kind, key).map(|known| known.mark)
    }

    /// The key of an object passes by: it is there, and what it was until its content [passes by](Self::object).
    pub(in crate::source) fn keep(&mut self, kind: Kind, key: &str) {
        if let Some(known) = self.last.object_mut(&index::object(kind, key))
            && known.fate == Fate::Unseen
        {
            known.fate = Fate::Met;
            self.count(kind);
        }
    }

    /// Like [`keep`](Self::keep), and its memberships are what they were, too, until its content passes by.
    pub(in crate::source) fn hold(&mut self, kind: Kind, key: &str) {
        self.keep(kind, key);
        if let Some(known) = self.last.object_mut(&index::object(kind, key))
            && known.fate == Fate::Met
        {
            known.fate = Fate::Held;
        }
    }

    /// An object is known to be gone, whatever is done about others that are not met.
    pub(in crate::source) fn gone(&mut self, kind: Kind, key: &str) {
        if let Some(known) = self.last.object_mut(&index::object(kind, key))
            && known.fate == Fate::Unseen
        {
            known.fate = Fate::Gone;
        }
    }

    /// Whether an object is there now, as far as the survey has come.
    pub(in crate::source) fn knows(&self, kind: Kind, key: &str) -> bool {
        let fingerprint = index::object(kind, key);
        match self.last.object(&fingerprint) {
            Some(known) => self.is_here(kind, known.fate),
            None => self.fresh.contains(&fingerprint),
        }
    }

    /// The kind of an object that is there.
    pub(in crate::source) fn kind(&self, key: &str) -> Option<Kind> {
        [Kind::User, Kind::Group]
            .into_iter()
            .find(|kind| self.knows(*kind, key))
    }

    /// A membership passes by. One that was not there last time is told.
    pub(in crate::source) fn membership(
        &mut self,
        group: &str,
        member: Member,
    ) -> Result<(), Error> {
        let fingerprint = index::membership(group, &member.key);
        if let Some(before) = self.last.meet(&fingerprint) {
            self.seen.memberships += u64::from(!before);
            return Ok(());
        }
        if !self.fresh.insert(fingerprint) {
            return Ok(());
        }
        self.altered = true;
        self.seen.memberships += 1;
        self.index
            .membership(group, &member)
            .and_then(|()| self.joining.push(group, member, &mut self.spool))
            .map_err(|cause| self.shelf.broken(&cause))
    }

    /// Tells the engine, once the survey is finished.
    pub(in crate::source) fn tell(&mut self, change: &Change) -> Result<(), Error> {
        self.spool
            .push(change)
            .map_err(|cause| self.shelf.broken(&cause))
    }

    /// Changes what is done about things that are not met.
    pub(in crate::source) fn unseen(&mut self) -> &mut Unseen {
        &mut self.unseen
    }

    /// How much was there last time.
    pub(in crate::source) fn before(&self) -> Counts {
        self.since
            .as_ref()
            .map(|(_, head)| head.counts)
            .unwrap_or_default()
    }

    /// How much has passed by.
    pub(in crate::source) fn seen(&self) -> Counts {
        self.seen
    }

    /// Ends the read: what did not pass by is gone. Gives back the name of the ledger, from which
    /// [pages](Shelf::page) are read.
    pub(in crate::source) fn finish(
        mut self,
        settings: &str,
        note: Value,
        owner: Owner,
    ) -> Result<String, Error> {
        let shelf = self.shelf.clone();
        self.joining
            .flush(&mut self.spool)
            .map_err(|cause| shelf.broken(&cause))?;
        if let Some((last, _)) = &self.since {
            let last = shelf.index(last);
            self.carry(&last, owner)?;
        }
        if let Some((last, _)) = self.since
            && !self.altered
            && self.spool.empty
        {
            shelf.renew(&last, note)?;
            return Ok(last);
        }
        let head = Head {
            settings: settings.to_owned(),
            counts: self.seen,
            told: self.spool.objects,
            note,
        };
        self.index
            .finish()
            .and_then(|()| self.spool.finish())
            .map_err(|cause| shelf.broken(&cause))?;
        shelf.write_head(&self.id, &head)?;
        Ok(self.id)
    }

    /// Takes over from the last ledger what is still there, and tells what is not: memberships first.
    fn carry(&mut self, last: &Path, owner: Owner) -> Result<(), Error> {
        let shelf = self.shelf.clone();
        let damaged =
            |cause: std::io::Error| Error::Expired(format!("its ledger is damaged: {cause}"));
        let mut gone: Vec<(Kind, String)> = Vec::new();
        let mut leaving = Crowd::new(Move::Out);
        let mut records = Reader::open(last).map_err(damaged)?;
        let (mut objects, mut memberships) = (0.., 0..);
        while let Some(record) = records.next().map_err(damaged)? {
            let carried = match record {
                Record::Object { kind, key, .. } => match objects.next() {
                    Some(number) => self.carry_object(number, kind, key, &mut gone),
                    None => Ok(()),
                },
                Record::Membership { group, member } => match memberships.next() {
                    Some(number) if self.last.met(number) => self.index.membership(&group, &member),
                    _ => self.carry_membership(&group, &member, owner, &mut leaving),
                },
            };
            carried.map_err(|cause| shelf.broken(&cause))?;
        }
        let flushed = leaving.flush(&mut self.spool);
        flushed
            .and_then(|()| {
                gone.into_iter()
                    .try_for_each(|(kind, key)| self.spool.push(&Change::Gone { kind, key }))
            })
            .map_err(|cause| shelf.broken(&cause))
    }

    fn carry_object(
        &mut self,
        number: usize,
        kind: Kind,
        key: String,
        gone: &mut Vec<(Kind, String)>,
    ) -> std::io::Result<()> {
        let Some(Known { mark, fate }) = self.last.numbered(number) else {
            return Ok(());
        };
        if self.is_here(kind, fate) {
            if fate == Fate::Unseen {
                self.count(kind);
            }
            return self.index.object(kind, &key, mark);
        }
        self.altered = true;
        gone.push((kind, key));
        Ok(())
    }

    /// A membership that has not passed by.
    fn carry_membership(
        &mut self,
        group: &str,
        member: &Member,
        owner: Owner,
        leaving: &mut Crowd,
    ) -> std::io::Result<()> {
        let group_here = self.knows(Kind::Group, group);
        // Whoever is kept without having been met has not been asked for memberships either.
        let held = |kind, key: &str| {
            self.fate(kind, key).is_some_and(|known| match known.fate {
                Fate::Held => true,
                Fate::Unseen => self.knows(kind, key),
                _ => false,
            })
        };
        let untouched = match owner {
            Owner::Group => held(Kind::Group, group),
            Owner::Member => held(Kind::User, &member.key),
        };
        if group_here && (untouched || self.unseen.keep_memberships) {
            self.seen.memberships += 1;
            return self.index.membership(group, member);
        }
        self.altered = true;
        // A group that is gone takes its memberships with it.
        if group_here {
            return leaving.push(group, member.clone(), &mut self.spool);
        }
        Ok(())
    }

    fn fate(&self, kind: Kind, key: &str) -> Option<&Known> {
        self.last.object(&index::object(kind, key))
    }

    fn is_here(&self, kind: Kind, fate: Fate) -> bool {
        match (fate, kind) {
            (Fate::Met | Fate::Seen | Fate::Held, _) => true,
            (Fate::Unseen, Kind::User) => self.unseen.keep_users,
            (Fate::Unseen, Kind::Group) => self.unseen.keep_groups,
            (Fate::Gone, _) => false,
        }
    }

    fn count(&mut self, kind: Kind) {
        match kind {
            Kind::User => self.seen.users += 1,
            Kind::Group => self.seen.groups += 1,
        }
    }
}

/// Which way members move.
#[derive(Debug, Clone, Copy)]
enum Move {
    In,
    Out,
}

/// Members that have come to one group, or have left it, on their way to the spool.
struct Crowd {
    to: Move,
    group: String,
    members: Vec<Member>,
}

impl Crowd {
    fn new(to: Move) -> Self {
        Self {
            to,
            group: String::new(),
            members: Vec::new(),
        }
    }

    fn push(&mut self, group: &str, member: Member, spool: &mut Spool) -> std::io::Result<()> {
        if self.group != group || self.members.len() == MEMBERS {
            self.flush(spool)?;
            group.clone_into(&mut self.group);
        }
        self.members.push(member);
        Ok(())
    }

    fn flush(&mut self, spool: &mut Spool) -> std::io::Result<()> {
        if self.members.is_empty() {
            return Ok(());
        }
        let members = std::mem::take(&mut self.members);
        let (added, removed) = match self.to {
            Move::In => (members, Vec::new()),
            Move::Out => (Vec::new(), members),
        };
        spool.push(&Change::Members {
            group: self.group.clone(),
            added,
            removed,
        })
    }
}
