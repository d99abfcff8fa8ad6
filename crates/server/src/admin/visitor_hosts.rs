//! Visitor hosts: see whom visitors can find and why not, and decide what the provider does not.

use super::page::{self, Listing, Page};
use super::users::find;
use super::view::ManagedBy;
use super::visits::VisitPlace;
use super::{Admin, Object, change, directories, members_of};
use crate::app::App;
use portreeve_directory::directories::Directory;
use portreeve_directory::events;
use portreeve_directory::list::Users;
use portreeve_directory::users::User;
use portreeve_directory::visit_locations::{self, Location};
use portreeve_directory::visitor_hosts::{self, Own, Seen, Visibility};
use portreeve_directory::{Refusal, What};
use portreeve_scim::Resource;
use portreeve_scim::schema::ENTERPRISE;
use portreeve_store::Tx;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Somebody whom visitors come to see.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(crate) struct VisitorHostView {
    pub(crate) id: String,
    pub(crate) directory_id: String,
    pub(crate) user_name: String,
    /// For people: display name, else user name.
    pub(crate) name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) department: Option<String>,
    /// Whether visitors can find them, and why not.
    pub(crate) visibility: Visibility,
    /// Where names and addresses are changed.
    pub(crate) managed_by: ManagedBy,
    /// The addresses that are told of a visitor.
    pub(crate) told: Vec<String>,
    /// What is decided here.
    #[serde(flatten)]
    pub(crate) own: Own,
}

/// What is to be different; what it leaves out stays.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct VisitorHostChange {
    /// Not to be found, although the provider would have it.
    pub(crate) is_hidden: Option<bool>,
    /// Further addresses that are told of visitors; the whole list.
    pub(crate) alternates: Option<Vec<String>>,
    /// Whether the address at work is not told.
    pub(crate) only_alternates: Option<bool>,
    /// What visitors may call the person as well.
    pub(crate) nicknames: Option<String>,
}

/// Somebody as the visitors of a location see them.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(crate) struct PreviewView {
    pub(crate) location: VisitPlace,
    /// Whether visitors find them there.
    pub(crate) is_found: bool,
    /// Why they do not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) why_not: Option<WhyNot>,
    /// What they see.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) seen: Option<Seen>,
}

/// Why visitors of a location do not find somebody.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum WhyNot {
    /// The provider has deactivated or removed them.
    Unassigned,
    /// Suspended here.
    Suspended,
    /// Hidden here.
    HiddenByHand,
    /// In none of the groups that the location receives visitors for.
    NotInGroups,
}

impl WhyNot {
    /// The reason for people, as the end of a sentence about somebody.
    pub(crate) fn sentence(self) -> &'static str {
        match self {
            Self::Unassigned => "their provider has deactivated or removed them",
            Self::Suspended => "they are suspended",
            Self::HiddenByHand => "they are hidden from visitors",
            Self::NotInGroups => "they are in none of the groups of the location",
        }
    }
}

/// The people of a directory for visitors: a page of all of them, or those whom visitors find by what is searched for.
pub(crate) async fn list(
    app: &App,
    admin: &Admin,
    directory: &str,
    listing: Listing,
) -> Result<Page<VisitorHostView>, Refusal> {
    let directory = directories::find(app, admin, directory).await?;
    for_visitors(&directory)?;
    let view = |tx: &mut Tx<'_>, directory: &Directory, found: Vec<User>| {
        let found = found.iter();
        found.map(|user| view(tx, directory, user)).collect()
    };
    let Some(text) = listing.search.clone() else {
        return page::page::<Users, _>(app, admin, directory, listing.query, view).await;
    };
    let most = i64::try_from(listing.most()).unwrap_or(i64::MAX);
    let now = admin.at;
    let read = app.store.read(move |tx| {
        let found = visitor_hosts::search(tx, &directory.id, &text, (&[], now), most)?;
        view(tx, &directory, found)
    });
    Ok(Page {
        items: read.await?,
        total: None,
        next: None,
    })
}

/// One of them, by id or `userName`.
pub(crate) async fn get(
    app: &App,
    admin: &Admin,
    directory: &str,
    which: &str,
) -> Result<VisitorHostView, Refusal> {
    let (admin, directory, which) = (admin.clone(), directory.to_owned(), which.to_owned());
    let read = app.store.read(move |tx| {
        let directory = admin.directory(tx, &directory)?;
        for_visitors(&directory)?;
        let found = find(tx, &directory, &which, admin.at)?;
        view(tx, &directory, &found)
    });
    read.await
}

/// Decides about one of them.
pub(crate) async fn update(
    app: &App,
    admin: &Admin,
    directory: &str,
    which: &str,
    wanted: VisitorHostChange,
) -> Result<VisitorHostView, Refusal> {
    let (admin, directory, which) = (admin.clone(), directory.to_owned(), which.to_owned());
    let changed = change(app, move |tx| {
        let directory = admin.directory(tx, &directory)?;
        for_visitors(&directory)?;
        let found = find(tx, &directory, &which, admin.at)?;
        let before = visitor_hosts::own(tx, &directory.id, &found.id)?;
        admin.expect(What::User, &super::version(&before))?;
        let wanted = wanted.clone();
        let own = Own {
            is_hidden: wanted.is_hidden.unwrap_or(before.is_hidden),
            alternates: wanted
                .alternates
                .unwrap_or_else(|| before.alternates.clone()),
            only_alternates: wanted.only_alternates.unwrap_or(before.only_alternates),
            nicknames: wanted.nicknames.unwrap_or_else(|| before.nicknames.clone()),
        };
        if own != before {
            visitor_hosts::decide(tx, &directory, &found, &own, admin.at)?;
            let changes = events::diff(&members_of(&before), &members_of(&own));
            let resource = found.parsed()?;
            let object = Object {
                kind: "User",
                id: &found.id,
                name: resource.user_name().unwrap_or_default(),
            };
            admin.record(tx, &directory, "visitors", &object, changes.as_deref())?;
        }
        view(tx, &directory, &found)
    });
    changed.await
}

/// What the visitors of a location see of one of them, and why they do not.
pub(crate) async fn preview(
    app: &App,
    admin: &Admin,
    (directory, which): (&str, &str),
    location: &str,
) -> Result<PreviewView, Refusal> {
    let (admin, directory, which) = (admin.clone(), directory.to_owned(), which.to_owned());
    let location = location.to_owned();
    let read = app.store.read(move |tx| {
        let directory = admin.directory(tx, &directory)?;
        for_visitors(&directory)?;
        let user = find(tx, &directory, &which, admin.at)?;
        let location = visit_locations::find(tx, &directory.team_id, &location)?;
        let why_not = why_not(tx, (&directory, &user), &location, admin.at)?;
        Ok(PreviewView {
            location: VisitPlace {
                id: location.id,
                name: location.name,
            },
            is_found: why_not.is_none(),
            why_not,
            seen: match why_not {
                None => Some(visitor_hosts::seen(&user.parsed()?, &location.settings)),
                Some(_) => None,
            },
        })
    });
    read.await
}

/// Why the visitors of a location do not find somebody; `None`: they do.
pub(super) fn why_not(
    tx: &mut Tx<'_>,
    (directory, user): (&Directory, &User),
    location: &Location,
    now: i64,
) -> Result<Option<WhyNot>, Refusal> {
    Ok(
        match visitor_hosts::visibility(tx, directory, &user.id, user.status)? {
            Visibility::Unassigned => Some(WhyNot::Unassigned),
            Visibility::Suspended => Some(WhyNot::Suspended),
            Visibility::HiddenByHand => Some(WhyNot::HiddenByHand),
            Visibility::Visible => {
                let among = (location.settings.groups.as_slice(), now);
                let is_in = visitor_hosts::is_in(tx, &directory.id, &user.id, among)?;
                (!is_in).then_some(WhyNot::NotInGroups)
            }
        },
    )
}

fn for_visitors(directory: &Directory) -> Result<(), Refusal> {
    match directory.settings.visitors {
        true => Ok(()),
        false => Err(Refusal::Invalid {
            attribute: "directory",
            reason: format!(
                "visitors do not find the people of {}; turn that on with: portreeve directory update \"{}\" --visitors true",
                directory.name, directory.name
            ),
        }),
    }
}

fn view(tx: &mut Tx<'_>, directory: &Directory, user: &User) -> Result<VisitorHostView, Refusal> {
    let resource = user.parsed()?;
    let own = visitor_hosts::own(tx, &directory.id, &user.id)?;
    let enterprise = resource.as_map().get(ENTERPRISE);
    let department = enterprise.and_then(|enterprise| enterprise.get("department")?.as_str());
    Ok(VisitorHostView {
        id: user.id.clone(),
        directory_id: directory.id.clone(),
        user_name: resource.user_name().unwrap_or_default().to_owned(),
        name: name(&resource),
        department: department.map(str::to_owned),
        visibility: visitor_hosts::visibility(tx, directory, &user.id, user.status)?,
        managed_by: ManagedBy::of(directory),
        told: visitor_hosts::told(&resource, &own),
        own,
    })
}

/// What somebody is called among those who know them: as visitors know them, else the user name.
pub(super) fn name(user: &Resource) -> String {
    let called = visitor_hosts::called(user);
    called.unwrap_or_else(|| user.user_name().unwrap_or_default().to_owned())
}
