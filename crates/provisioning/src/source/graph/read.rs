//! Reading everything and reading changes, page by page.

use std::collections::BTreeMap;

use reqwest::Url;
use serde_json::{Map, Value};

use super::client::{List, Query};
use super::place::{Link, Progress, Stage, Tally};
use super::{Graph, collection, text};
use crate::source::{Change, Error, Kind, Member, Next, Page, Place};

/// The largest page that Graph gives where a size can be asked for.
const PAGE: &str = "999";

impl Graph {
    /// Reads a page of everything or of what has changed.
    ///
    /// # Errors
    /// Any [`Error`]; after [`Error::Expired`] everything is to be read anew.
    pub async fn read(&self, from: &Place) -> Result<Page, Error> {
        let asked = self.asked();
        let mut progress = match from {
            Place::Everything => Progress::everything(&asked),
            Place::Page(text) | Place::Since(text) => Progress::parse(text, &asked)?,
        };
        if *from == Place::Everything {
            // A figure for people. Whatever is wrong is wrong with the read too, which says so.
            progress.total = self.total().await.ok();
        }
        let total = progress.total;
        let mut same_assignments = false;
        let changes = match progress.stage {
            Stage::Users => self.changed(Kind::User, &mut progress).await?,
            Stage::DeletedUsers => self.deleted(Kind::User, &mut progress).await?,
            Stage::Groups => self.changed(Kind::Group, &mut progress).await?,
            Stage::DeletedGroups => self.deleted(Kind::Group, &mut progress).await?,
            Stage::Poll => {
                same_assignments = progress.told.as_ref() == Some(&self.tally().await?);
                Vec::new()
            }
            Stage::Roll => self.roll(&mut progress).await?,
        };
        let next = if progress.link.is_some() {
            Next::Page(progress.text()?)
        } else {
            self.after(progress, same_assignments)?
        };
        Ok(Page {
            changes,
            next,
            total,
        })
    }

    /// Where to go on at the end of a stage.
    fn after(&self, mut progress: Progress, same_assignments: bool) -> Result<Next, Error> {
        let assignments = self.assigned_to.is_some();
        let next = match progress.stage {
            Stage::Users if progress.everything => Some(Stage::DeletedUsers),
            Stage::Users | Stage::DeletedUsers => Some(Stage::Groups),
            Stage::Groups if progress.everything => Some(Stage::DeletedGroups),
            Stage::Groups if assignments => Some(Stage::Poll),
            Stage::DeletedGroups if assignments => Some(Stage::Roll),
            Stage::Poll if !same_assignments => Some(Stage::Roll),
            Stage::Groups | Stage::DeletedGroups | Stage::Poll => None,
            Stage::Roll => {
                progress.told = Some(std::mem::take(&mut progress.telling));
                None
            }
        };
        match next {
            Some(stage) => {
                progress.begin(stage);
                Ok(Next::Page(progress.text()?))
            }
            None => Ok(Next::Watermark(progress.watermark().text()?)),
        }
    }

    /// How many users and groups there are, by the index of the directory.
    pub(super) async fn total(&self) -> Result<u64, Error> {
        Ok(self.count(Kind::User).await? + self.count(Kind::Group).await?)
    }

    pub(super) async fn count(&self, kind: Kind) -> Result<u64, Error> {
        let query = [("$count", "true"), ("$top", "1"), ("$select", "id")];
        let url = self.client.address(&[collection(kind)], &query);
        let list: List = self.client.get(url, Query::Advanced).await?;
        list.count
            .ok_or_else(|| Error::Unusable("it does not count its objects".to_owned()))
    }

    /// A page of a delta query.
    async fn changed(&self, kind: Kind, progress: &mut Progress) -> Result<Vec<Change>, Error> {
        let now = self.client.http().now();
        let everything = progress.everything;
        let known = match &progress.link {
            Some(link) => Some(link.clone()),
            None => progress.changes(kind).clone().filter(|_| !everything),
        };
        let url = match &known {
            Some(link) => self.client.follow(link.current(now)?)?,
            None => self.client.address(
                &[collection(kind), "delta"],
                &[("$select", &self.attributes(kind).tracked())],
            ),
        };
        let list: List = self.client.get(url.clone(), Query::Plain).await?;
        match (list.next, list.delta) {
            (Some(next), _) => progress.link = Some(self.next(next, &url)?),
            (None, Some(delta)) => {
                self.client.follow(&delta)?;
                progress.link = None;
                *progress.changes(kind) = Some(Link::new(delta, now));
            }
            (None, None) => {
                return Err(Error::Unusable(format!(
                    "the delta query of {} ends without a link to go on from",
                    collection(kind)
                )));
            }
        }
        let mut changes = Vec::with_capacity(list.value.len());
        for item in &list.value {
            self.told(kind, item, &mut changes);
        }
        Ok(changes)
    }

    /// A page of the recycle bin.
    async fn deleted(&self, kind: Kind, progress: &mut Progress) -> Result<Vec<Change>, Error> {
        let class = match kind {
            Kind::User => "microsoft.graph.user",
            Kind::Group => "microsoft.graph.group",
        };
        let segments = ["directory", "deletedItems", class];
        let list = self
            .page(progress, &segments, &[("$select", "id"), ("$top", PAGE)])
            .await?;
        let keys = list.value.iter().filter_map(|item| text(item, "id"));
        Ok(keys
            .map(|key| Change::Suspended {
                kind,
                key: key.to_owned(),
            })
            .collect())
    }

    /// Counts the assignments.
    async fn tally(&self) -> Result<Tally, Error> {
        let application = self.application().await?;
        let mut tally = Tally::default();
        let mut url = self.assignments_address();
        loop {
            let list: List = self.client.get(url.clone(), Query::Plain).await?;
            for assignment in application.read(&list.value) {
                assignment.count(&mut tally);
            }
            let Some(next) = list.next else {
                return Ok(tally);
            };
            url = self.client.follow(&self.next(next, &url)?.url)?;
        }
    }

    /// A page of the roll of assignments.
    async fn roll(&self, progress: &mut Progress) -> Result<Vec<Change>, Error> {
        let mut changes = Vec::new();
        if progress.link.is_none() {
            changes.push(Change::AssignmentsAnew);
        }
        let application = self.application().await?;
        let first = self.assignments_address();
        let url = self.linked(progress, first)?;
        let list: List = self.client.get(url.clone(), Query::Plain).await?;
        progress.link = list.next.map(|next| self.next(next, &url)).transpose()?;
        let mut roles: BTreeMap<(Kind, &str), Vec<String>> = BTreeMap::new();
        let assignments = application.read(&list.value);
        for assignment in &assignments {
            assignment.count(&mut progress.telling);
            let principal = (assignment.kind, assignment.key);
            roles
                .entry(principal)
                .or_default()
                .extend(assignment.role.clone());
        }
        changes.extend(roles.into_iter().map(|((kind, key), roles)| {
            let key = key.to_owned();
            Change::Assigned { kind, key, roles }
        }));
        Ok(changes)
    }

    pub(super) fn assignments_address(&self) -> Url {
        let application = self.assigned_to.as_deref().unwrap_or_default();
        self.client.address(
            &["servicePrincipals", application, "appRoleAssignedTo"],
            &[("$top", PAGE)],
        )
    }

    /// A page of a list that is no delta query.
    async fn page(
        &self,
        progress: &mut Progress,
        segments: &[&str],
        query: &[(&str, &str)],
    ) -> Result<List, Error> {
        let first = self.client.address(segments, query);
        let url = self.linked(progress, first)?;
        let mut list: List = self.client.get(url.clone(), Query::Plain).await?;
        progress.link = list
            .next
            .take()
            .map(|next| self.next(next, &url))
            .transpose()?;
        Ok(list)
    }

    /// The address of the page that comes now.
    fn linked(&self, progress: &Progress, first: Url) -> Result<Url, Error> {
        match &progress.link {
            Some(link) => self.client.follow(link.current(self.client.http().now())?),
            None => Ok(first),
        }
    }

    /// A link to a further page, checked before it is kept.
    fn next(&self, link: String, from: &Url) -> Result<Link, Error> {
        if self.client.follow(&link)? == *from {
            return Err(Error::Unusable(format!(
                "the page {} leads to itself, so that the read would never end",
                from.path()
            )));
        }
        Ok(Link::new(link, self.client.http().now()))
    }

    /// What an item of a delta query tells.
    fn told(&self, kind: Kind, item: &Map<String, Value>, changes: &mut Vec<Change>) {
        let Some(key) = text(item, "id") else {
            changes.push(Change::Unusable {
                place: format!("an entry of {}", collection(kind)),
                reason: "Microsoft Graph sent it without an id; it is passed over".to_owned(),
            });
            return;
        };
        if let Some(removed) = item.get("@removed") {
            let key = key.to_owned();
            changes.push(match removed.get("reason").and_then(Value::as_str) {
                Some("deleted") => Change::Gone { kind, key },
                _ => Change::Suspended { kind, key },
            });
            return;
        }
        changes.push(Change::Altered(self.object(kind, key, item)));
        if let Some(Value::Array(members)) = item.get("members@delta") {
            changes.extend(members_told(key, members));
        }
    }
}

fn members_told(group: &str, told: &[Value]) -> Option<Change> {
    let (mut added, mut removed) = (Vec::new(), Vec::new());
    for entry in told.iter().filter_map(Value::as_object) {
        let Some(member) = member(entry) else {
            continue;
        };
        if entry.contains_key("@removed") {
            removed.push(member);
        } else {
            added.push(member);
        }
    }
    let some = !added.is_empty() || !removed.is_empty();
    some.then(|| Change::Members {
        group: group.to_owned(),
        added,
        removed,
    })
}

/// A user or group that is a member. Devices, contacts and applications can be members too, and are nobody's account.
pub(super) fn member(entry: &Map<String, Value>) -> Option<Member> {
    let kind = match text(entry, "@odata.type") {
        None => None,
        Some("#microsoft.graph.user") => Some(Kind::User),
        Some("#microsoft.graph.group") => Some(Kind::Group),
        Some(_) => return None,
    };
    let key = text(entry, "id")?.to_owned();
    Some(Member { kind, key })
}
